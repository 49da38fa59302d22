// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rlp} from "./Rlp.sol";

/// @title What Ethereum's state says at a key, or that it says nothing there.
/// @dev OpenZeppelin's TrieProof proves presence only. Keys are hashes of 32 bytes, so no key is
/// the beginning of another and branches have no values.
library Trie {
    using Rlp for Rlp.Item;

    /// Root of a trie without entries: the hash of RLP's empty string.
    bytes32 private constant _EMPTY_ROOT =
        0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;
    /// Half-bytes in a key.
    uint256 private constant _NIBBLES = 64;

    /// @notice The node at this position of the proof is not the one that is referred to.
    error TrieNode(uint256 position);
    /// @notice The node has no shape that a trie of 32-byte keys has.
    error TrieShape();
    /// @notice The proof has more or fewer nodes than the key needs.
    error TrieProofLength(uint256 length);

    /// @notice The value at a hashed key, or no bytes if the proof shows that there is none.
    /// @param proof Nodes from the root downwards, as `eth_getProof` gives them: nodes of less
    /// than 32 bytes are inside their parents.
    function get(bytes32 root, bytes32 key, bytes[] memory proof)
        internal
        pure
        returns (bytes memory)
    {
        if (proof.length == 0) {
            if (root != _EMPTY_ROOT) revert TrieProofLength(0);
            return "";
        }
        Rlp.Item[] memory node = _open(root, proof, 0);
        uint256 used = 1;
        uint256 depth = 0;
        while (true) {
            (Rlp.Item child, uint256 below, bool leaf) = _step(node, key, depth);
            bool absent = child.isEmpty();
            if (leaf || absent) {
                if (used != proof.length) revert TrieProofLength(proof.length);
                if (absent) return "";
                bytes memory value = child.data();
                if (value.length == 0) revert TrieShape();
                return value;
            }
            depth = below;
            if (child.isList()) {
                node = child.items();
            } else {
                bytes memory hash = child.data();
                if (hash.length != 32) revert TrieShape();
                if (used == proof.length) revert TrieProofLength(proof.length);
                node = _open(bytes32(hash), proof, used++);
            }
        }
        revert TrieShape();
    }

    /// What lies below a node on the way to the key: `leaf` if it is the key's value, the empty
    /// string if the key has none.
    function _step(Rlp.Item[] memory node, bytes32 key, uint256 depth)
        private
        pure
        returns (Rlp.Item child, uint256 below, bool leaf)
    {
        if (node.length == 17) {
            if (depth >= _NIBBLES) revert TrieShape();
            return (node[_nibble(key, depth)], depth + 1, false);
        }
        if (node.length != 2) revert TrieShape();
        bytes memory path = node[0].data();
        // The first half-byte: 0 extension, 2 leaf, and 1 more if the path's length is odd.
        uint256 flag = path.length == 0 ? 16 : uint8(path[0]) >> 4;
        if (flag > 3 || (flag & 1 == 0 && uint8(path[0]) & 0x0f != 0)) revert TrieShape();
        leaf = flag >= 2;
        uint256 skip = 2 - (flag & 1);
        uint256 length = 2 * path.length - skip;
        below = depth + length;
        bool fits = leaf ? below == _NIBBLES : length != 0 && below < _NIBBLES;
        if (!fits) revert TrieShape();
        for (uint256 i = 0; i < length; i++) {
            uint256 pair = uint8(path[(skip + i) / 2]);
            uint256 nibble = (skip + i) % 2 == 0 ? pair >> 4 : pair & 0x0f;
            if (nibble != _nibble(key, depth + i)) return (_absent(), below, false);
        }
        child = node[1];
        // A value is never empty; a leaf that says so would be read as an absent one.
        if (child.isEmpty()) revert TrieShape();
    }

    function _open(bytes32 hash, bytes[] memory proof, uint256 position)
        private
        pure
        returns (Rlp.Item[] memory)
    {
        bytes memory encoded = proof[position];
        if (keccak256(encoded) != hash) revert TrieNode(position);
        return Rlp.item(encoded).items();
    }

    function _nibble(bytes32 key, uint256 depth) private pure returns (uint256) {
        uint256 pair = uint8(key[depth / 2]);
        return depth % 2 == 0 ? pair >> 4 : pair & 0x0f;
    }

    function _absent() private pure returns (Rlp.Item) {
        return Rlp.item(hex"80");
    }
}
