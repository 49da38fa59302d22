// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAttestations} from "tbsi/IAttestations.sol";

/// @title Example: a call for tenders that takes an offer only with an attested document.
/// @notice The bidder shows the digest of a certificate; the association that issues certificates
/// has to have attested it by itself (`attest`, as `tbsi attest` does for a single file), and not
/// to have revoked it. The certificate itself stays with the bidder.
contract Tender {
    IAttestations private constant ATTESTATIONS =
        IAttestations(0x0000000000000000000000000000000000001001);
    bytes32 private constant SCHEMA = keccak256("tbsi:file:v1");
    uint32 private constant SHA2_256 = 0x12;

    address public immutable ISSUER;
    uint256 public immutable CLOSES;
    mapping(address bidder => bytes32 certificate) public certificateOf;

    event OfferMade(address indexed bidder, bytes32 certificate);

    error Closed(uint256 since);
    error NotAttested(address issuer, bytes32 certificate);
    error Revoked(address issuer, bytes32 certificate, uint64 at);

    constructor(address issuer, uint256 closes) {
        (ISSUER, CLOSES) = (issuer, closes);
    }

    /// @param certificate SHA-256 of the bidder's certificate.
    function offer(bytes32 certificate) external {
        if (block.timestamp > CLOSES) revert Closed(CLOSES);
        bytes32[] memory words = new bytes32[](1);
        words[0] = certificate;
        IAttestations.Standing memory standing =
            ATTESTATIONS.standingOf(ISSUER, SCHEMA, SHA2_256, words);
        if (standing.attestedAt == 0) revert NotAttested(ISSUER, certificate);
        if (standing.revokedAt != 0) revert Revoked(ISSUER, certificate, standing.revokedAt);
        certificateOf[msg.sender] = certificate;
        emit OfferMade(msg.sender, certificate);
    }
}
