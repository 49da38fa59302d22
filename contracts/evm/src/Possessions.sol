// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {INodes} from "./INodes.sol";
import {System} from "./System.sol";

/// @title Proofs that an organisation has the keys that it registers (SPEC §13.3).
library Possessions {
    bytes internal constant TAG = "TBSI-POSSESSION-1";
    /// Field and curve constant of secp256k1: y^2 = x^3 + 7.
    uint256 private constant P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    /// @notice What is signed.
    /// @param key 32 bytes of an Ed25519 key, or 33 of a compressed secp256k1 key.
    function digest(
        bytes32 genesisHash,
        uint32 organisation,
        uint8 kind,
        bytes memory key,
        uint64 deadline
    ) internal view returns (bytes32) {
        uint64 chainId = uint64(block.chainid);
        return
            sha256(abi.encodePacked(TAG, chainId, genesisHash, organisation, kind, key, deadline));
    }

    /// @notice Address of a secp256k1 key; refuses what is no point of the curve.
    function addressOf(bytes32 x, bytes32 y) internal pure returns (address) {
        (uint256 a, uint256 b) = (uint256(x), uint256(y));
        uint256 right = addmod(mulmod(mulmod(a, a, P), a, P), 7, P);
        if (a >= P || b >= P || mulmod(b, b, P) != right) revert INodes.NodesKeyInvalid(x, y);
        return address(uint160(uint256(keccak256(abi.encodePacked(x, y)))));
    }

    /// @notice The 33 bytes of a key whose y is odd or not.
    function compressed(bytes32 x, bool odd) internal pure returns (bytes memory) {
        return abi.encodePacked(odd ? bytes1(0x03) : bytes1(0x02), x);
    }

    /// @notice ECDSA over secp256k1, low s, `v` 27 or 28.
    function requireSecp256k1(
        uint8 kind,
        bytes32 message,
        address signer,
        INodes.Signature calldata signature
    ) internal pure {
        // The third value only details the fault.
        // slither-disable-next-line unused-return
        (address got, ECDSA.RecoverError fault,) =
            ECDSA.tryRecover(message, signature.v, signature.r, signature.s);
        if (fault != ECDSA.RecoverError.NoError || got != signer) {
            revert INodes.NodesPossessionInvalid(kind);
        }
    }

    /// @notice Ed25519 (RFC 8032, strict) by the node's precompile; `v` is 0.
    function requireEd25519(
        uint8 kind,
        bytes32 message,
        bytes32 key,
        INodes.Signature calldata signature
    ) internal view {
        (bool done, bytes memory answer) = System.ED25519
            .staticcall(abi.encodePacked(message, key, signature.r, signature.s));
        if (!done || answer.length != 32) revert INodes.Ed25519Unavailable();
        if (signature.v != 0 || abi.decode(answer, (uint256)) != 1) {
            revert INodes.NodesPossessionInvalid(kind);
        }
    }
}
