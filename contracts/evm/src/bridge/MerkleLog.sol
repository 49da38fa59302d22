// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";

/// @title Inclusion in the attestation log: RFC 9162 over SHA-256 (SPEC §9.1, §9.2, §14.4).
library MerkleLog {
    /// @notice The index is not in the tree.
    error MerkleLogIndex(uint64 index, uint64 size);
    /// @notice The proof has fewer or more hashes than index and size need.
    error MerkleLogPathLength(uint256 given);
    /// @notice Indexes of a multiproof must ascend, at least one of them.
    error MerkleLogIndexOrder(uint256 position);
    /// @notice Leaves and indexes of a multiproof are not of one number.
    error MerkleLogLeafCount(uint256 leaves, uint256 indexes);

    /// What a multiproof still has: leaves and hashes, both from the left.
    struct Cursor {
        bytes32[] hashes;
        uint256[] indexes;
        uint256 leaf;
        bytes32[] nodes;
        uint256 node;
    }

    /// @notice `SHA-256(0x00 || leaf)`.
    function leafHash(bytes memory leaf) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat(hex"00", leaf));
    }

    /// @notice The root that a leaf hash at `index` leads to (RFC 9162 §2.1.3.2).
    /// @dev Assembly, because the plain loop costs 340 gas more for each hash; the tests compare it
    /// with the RFC's definition.
    function root(bytes32 hash, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        view
        returns (bytes32)
    {
        if (index >= size) revert MerkleLogIndex(index, size);
        uint256 position = index;
        uint256 last = size - 1;
        bool answered = true;
        bool tooLong = false;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore8(input, 1)
            let left := add(input, 1)
            let right := add(input, 33)
            let cursor := path.offset
            let end := add(cursor, shl(5, path.length))
            for {} lt(cursor, end) { cursor := add(cursor, 32) } {
                if iszero(last) {
                    tooLong := true
                    break
                }
                switch or(and(position, 1), eq(position, last))
                case 0 {
                    mstore(left, hash)
                    mstore(right, calldataload(cursor))
                }
                default {
                    mstore(left, calldataload(cursor))
                    mstore(right, hash)
                    // At the right edge, levels without a sibling add nothing.
                    for {} and(iszero(and(position, 1)), gt(position, 0)) {} {
                        position := shr(1, position)
                        last := shr(1, last)
                    }
                }
                answered := staticcall(gas(), 2, input, 65, 0, 32)
                answered := and(answered, eq(returndatasize(), 32))
                if iszero(answered) { break }
                hash := mload(0)
                position := shr(1, position)
                last := shr(1, last)
            }
        }
        if (!answered) revert Sha256.Sha256Unavailable();
        if (tooLong || last != 0) revert MerkleLogPathLength(path.length);
        return hash;
    }

    /// @notice The root that several leaves lead to. `indexes` ascend; `nodes` are the hashes of
    /// the largest subtrees without any of them, from left to right. All must be used.
    function rootOfMany(
        bytes32[] memory hashes,
        uint64[] calldata indexes,
        uint64 size,
        bytes32[] memory nodes
    ) internal view returns (bytes32 hash) {
        uint256 count = indexes.length;
        if (hashes.length != count) revert MerkleLogLeafCount(hashes.length, count);
        if (count == 0) revert MerkleLogIndexOrder(0);
        Cursor memory cursor = Cursor(hashes, new uint256[](count + 1), 0, nodes, 0);
        for (uint256 i = 0; i < count; i++) {
            uint64 index = indexes[i];
            if (i != 0 && index <= cursor.indexes[i - 1]) revert MerkleLogIndexOrder(i);
            cursor.indexes[i] = index;
        }
        uint64 highest = indexes[count - 1];
        if (highest >= size) revert MerkleLogIndex(highest, size);
        // Behind the last leaf: no subtree has it.
        cursor.indexes[count] = type(uint256).max;
        hash = _subtree(cursor, 0, size);
        if (cursor.node != nodes.length) revert MerkleLogPathLength(nodes.length);
    }

    /// Hash of the subtree over `size` leaves from `start` on. As deep as the tree is high.
    function _subtree(Cursor memory cursor, uint256 start, uint256 size)
        private
        view
        returns (bytes32)
    {
        // All numbers are below 2^65.
        unchecked {
            if (cursor.indexes[cursor.leaf] >= start + size) {
                if (cursor.node == cursor.nodes.length) {
                    revert MerkleLogPathLength(cursor.nodes.length);
                }
                return cursor.nodes[cursor.node++];
            }
            if (size == 1) return cursor.hashes[cursor.leaf++];
            uint256 half = size & (size - 1) == 0 ? size >> 1 : _split(size);
            bytes32 left = _subtree(cursor, start, half);
            return Sha256.node(left, _subtree(cursor, start + half, size - half));
        }
    }

    /// The largest power of two below `size`, which is at least 2.
    function _split(uint256 size) private pure returns (uint256 power) {
        uint256 below = size - 1;
        power = 1;
        for (uint256 shift = 32; shift != 0; shift >>= 1) {
            if (below >> shift != 0) {
                below >>= shift;
                power <<= shift;
            }
        }
    }
}
