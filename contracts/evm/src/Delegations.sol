// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Domains} from "./Domains.sol";
import {IAttestations} from "./IAttestations.sol";

/// @title What an issuer signs to let others send for it (EIP-712).
library Delegations {
    string internal constant NAME = "TBSI Attestations";
    /// Type of one attestation.
    bytes32 internal constant ATTEST = keccak256(
        "Attest(address issuer,bytes32 schema,uint32 algorithm,bytes32[] words,uint256 nonce,"
        "uint64 deadline)"
    );
    /// Type of a batch.
    bytes32 internal constant ATTEST_BATCH = keccak256(
        "AttestBatch(address issuer,bytes32 schema,uint32 algorithm,bytes32[] words,"
        "uint256 nonce,uint64 deadline)"
    );
    bytes32 private constant REVOKE =
        keccak256("Revoke(address issuer,bytes32 id,uint16 reason,uint256 nonce,uint64 deadline)");
    bytes32 private constant CANCEL =
        keccak256("Cancel(address issuer,uint256 nonce,uint64 deadline)");

    /// @notice What is signed for attestations.
    /// @param kind `ATTEST` or `ATTEST_BATCH`.
    function digest(
        bytes32 kind,
        address issuer,
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        uint256 nonce,
        uint64 deadline
    ) internal view returns (bytes32) {
        bytes32 packed = keccak256(abi.encodePacked(words));
        return
            _typed(keccak256(abi.encode(kind, issuer, schema, algorithm, packed, nonce, deadline)));
    }

    /// @notice What is signed to revoke.
    function revocation(IAttestations.Delegation calldata given, bytes32 id, uint16 reason)
        internal
        view
        returns (bytes32)
    {
        return _typed(
            keccak256(abi.encode(REVOKE, given.issuer, id, reason, given.nonce, given.deadline))
        );
    }

    /// @notice What is signed to use a nonce up and do nothing.
    function cancellation(IAttestations.Delegation calldata given) internal view returns (bytes32) {
        return _typed(keccak256(abi.encode(CANCEL, given.issuer, given.nonce, given.deadline)));
    }

    function _typed(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(Domains.separator(NAME), structHash);
    }
}
