// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title What an issuer signs to let others send its attestations (EIP-712).
/// @dev OpenZeppelin's `EIP712` keeps its domain in immutables, which a contract placed in the
/// genesis state does not have: here the domain is computed at each call.
library Delegations {
    string internal constant NAME = "TBSI Attestations";
    string internal constant VERSION = "1";
    bytes32 internal constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
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

    /// @notice The digest that is signed.
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
        bytes32 structHash =
            keccak256(abi.encode(kind, issuer, schema, algorithm, packed, nonce, deadline));
        return MessageHashUtils.toTypedDataHash(domain(), structHash);
    }

    /// @notice Domain separator of this chain and the calling contract.
    function domain() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN,
                keccak256(bytes(NAME)),
                keccak256(bytes(VERSION)),
                block.chainid,
                address(this)
            )
        );
    }
}
