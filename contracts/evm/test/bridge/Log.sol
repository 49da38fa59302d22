// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Network} from "./Network.sol";
import {Tree} from "./Tree.sol";

/// @notice A TBSI chain with a log: leaves, and checkpoints that have their root.
abstract contract Log is Network {
    bytes32 internal constant FILE = keccak256("tbsi:file:v1");
    address internal constant ISSUER = address(0x1550);
    address internal constant SENDER = address(0x5e4d);
    uint48 internal constant LEAF_HEIGHT = 150;

    struct Proof {
        bytes leaf;
        uint64 index;
        bytes checkpoint;
        bytes32[] path;
    }

    /// What all leaves of this kind begin with, by its issuer, at LEAF_HEIGHT.
    function headOf(uint8 kind, address issuer) internal pure returns (bytes memory) {
        return abi.encodePacked(
            uint8(1),
            kind,
            CHAIN,
            LEAF_HEIGHT,
            uint48(timeOf(LEAF_HEIGHT)),
            uint24(0),
            uint24(0),
            issuer
        );
    }

    /// An attestation of a digest of 256 bits.
    function attestation(bytes32 digest) internal pure returns (bytes memory) {
        return
            bytes.concat(headOf(1, ISSUER), abi.encodePacked(FILE, uint32(0x12), uint8(32), digest));
    }

    /// `count` attestations of different digests.
    function attestations(uint256 count) internal pure returns (bytes[] memory leaves) {
        leaves = new bytes[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[i] = attestation(keccak256(abi.encode("file", i)));
        }
    }

    function hashesOf(bytes[] memory leaves) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; i++) {
            hashes[i] = Tree.leaf(leaves[i]);
        }
    }

    /// Brings a checkpoint of this log to the client.
    function accept(bytes32[] memory hashes, uint64 height) internal returns (bytes memory) {
        return accept(Tree.root(hashes), uint64(hashes.length), height);
    }

    /// The clients of these tests start from an empty log.
    function accept(bytes32 root, uint64 size, uint64 height) internal returns (bytes memory) {
        Checkpoint memory c = checkpointAt(height, current, current);
        (c.logRoot, c.logSize) = (root, size);
        bytes memory encoded = encode(c);
        vm.assertTrue(client.update(decide(encoded, 0, current, ALL)));
        return encoded;
    }

    /// A client of a chain whose log is empty at height 100.
    function deployEmpty(Set memory set) internal {
        vm.warp(NOW);
        current = set;
        Checkpoint memory c = checkpointAt(100, set, set);
        (c.logRoot, c.logSize) = (sha256(""), 0);
        deployFrom(encode(c), set);
    }

    function deployFrom(bytes memory checkpoint, Set memory set) internal virtual;
}
