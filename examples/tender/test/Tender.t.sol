// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAttestations} from "tbsi/IAttestations.sol";
import {Tender} from "../src/Tender.sol";

interface Vm {
    function prank(address sender) external;
    function warp(uint256 time) external;
    function expectRevert(bytes calldata data) external;
}

/// @notice Runs on a fork of a TBSI network: the attestation contract is the network's own.
contract TenderTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    IAttestations private constant ATTESTATIONS =
        IAttestations(0x0000000000000000000000000000000000001001);
    bytes32 private constant SCHEMA = keccak256("tbsi:file:v1");
    address private constant ISSUER = address(0xA550C1A7E);
    address private constant BIDDER = address(0xB1DDE4);
    bytes32 private constant CERTIFICATE = bytes32(uint256(0xce27));

    Tender private _tender;

    function setUp() external {
        _tender = new Tender(ISSUER, block.timestamp + 1 days);
    }

    function attest(address issuer) private returns (bytes32 id) {
        bytes32[] memory words = new bytes32[](1);
        words[0] = CERTIFICATE;
        VM.prank(issuer);
        return ATTESTATIONS.attest(SCHEMA, 0x12, words);
    }

    function offer() private {
        VM.prank(BIDDER);
        _tender.offer(CERTIFICATE);
    }

    function refused(bytes memory data) private {
        VM.expectRevert(data);
        offer();
        require(_tender.certificateOf(BIDDER) == 0, "an offer was kept");
    }

    function testTakesWhatTheIssuerAttested() external {
        attest(ISSUER);
        offer();
        require(_tender.certificateOf(BIDDER) == CERTIFICATE, "no offer");
    }

    function testRefusesWhatNobodyAttested() external {
        refused(abi.encodeWithSelector(Tender.NotAttested.selector, ISSUER, CERTIFICATE));
    }

    function testRefusesWhatAnotherAttested() external {
        attest(BIDDER);
        refused(abi.encodeWithSelector(Tender.NotAttested.selector, ISSUER, CERTIFICATE));
    }

    function testRefusesWhatWasRevoked() external {
        bytes32 id = attest(ISSUER);
        VM.prank(ISSUER);
        ATTESTATIONS.revoke(id, 8);
        uint64 at = uint64(block.timestamp);
        refused(abi.encodeWithSelector(Tender.Revoked.selector, ISSUER, CERTIFICATE, at));
    }

    function testRefusesWhatComesLate() external {
        attest(ISSUER);
        VM.warp(_tender.CLOSES() + 1);
        refused(abi.encodeWithSelector(Tender.Closed.selector, _tender.CLOSES()));
    }
}
