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

    /// What a multiproof still has: hashes and leaves, both from the left.
    struct Cursor {
        uint256 node;
        uint256 leaf;
    }

    /// @notice `SHA-256(0x00 || leaf)`.
    function leafHash(bytes calldata leaf) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat(hex"00", leaf));
    }

    /// @notice The root that a leaf hash at `index` leads to (RFC 9162 §2.1.3.2).
    function root(bytes32 hash, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        view
        returns (bytes32)
    {
        if (index >= size) revert MerkleLogIndex(index, size);
        uint256 position = index;
        uint256 last = size - 1;
        for (uint256 i = 0; i < path.length; i++) {
            if (last == 0) revert MerkleLogPathLength(path.length);
            if (position & 1 == 1 || position == last) {
                hash = Sha256.node(path[i], hash);
                // At the right edge, levels without a sibling add nothing.
                while (position & 1 == 0 && position != 0) {
                    position >>= 1;
                    last >>= 1;
                }
            } else {
                hash = Sha256.node(hash, path[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        if (last != 0) revert MerkleLogPathLength(path.length);
        return hash;
    }

    /// @notice The root that several leaves lead to. `indexes` ascend; `nodes` are the hashes of
    /// the largest subtrees without any of them, from left to right. All must be used.
    function rootOfMany(
        bytes32[] memory hashes,
        uint64[] calldata indexes,
        uint64 size,
        bytes32[] calldata nodes
    ) internal view returns (bytes32 hash) {
        if (hashes.length != indexes.length) {
            revert MerkleLogLeafCount(hashes.length, indexes.length);
        }
        if (indexes.length == 0) revert MerkleLogIndexOrder(0);
        for (uint256 i = 1; i < indexes.length; i++) {
            if (indexes[i] <= indexes[i - 1]) revert MerkleLogIndexOrder(i);
        }
        uint64 highest = indexes[indexes.length - 1];
        if (highest >= size) revert MerkleLogIndex(highest, size);
        Cursor memory cursor;
        hash = _subtree(hashes, indexes, nodes, cursor, 0, size);
        if (cursor.node != nodes.length) revert MerkleLogPathLength(nodes.length);
    }

    /// Hash of the subtree over the leaves from `start` up to and without `end`.
    function _subtree(
        bytes32[] memory hashes,
        uint64[] calldata indexes,
        bytes32[] calldata nodes,
        Cursor memory cursor,
        uint256 start,
        uint256 end
    ) private view returns (bytes32) {
        uint256 next = cursor.leaf;
        if (next == indexes.length || indexes[next] >= end) {
            if (cursor.node == nodes.length) revert MerkleLogPathLength(nodes.length);
            return nodes[cursor.node++];
        }
        if (end - start == 1) return hashes[cursor.leaf++];
        uint256 middle = start + _split(end - start);
        bytes32 left = _subtree(hashes, indexes, nodes, cursor, start, middle);
        bytes32 right = _subtree(hashes, indexes, nodes, cursor, middle, end);
        return Sha256.node(left, right);
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
