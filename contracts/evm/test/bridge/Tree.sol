// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The tree of RFC 9162 §2.1 as the RFC writes it, for tests: slow and plain.
library Tree {
    function leaf(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"00", data));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    function split(uint256 size) internal pure returns (uint256 k) {
        k = 1;
        while (2 * k < size) k *= 2;
    }

    /// MTH(D[start:end]).
    function root(bytes32[] memory leaves, uint256 start, uint256 end)
        internal
        pure
        returns (bytes32)
    {
        if (end == start) return sha256("");
        if (end - start == 1) return leaves[start];
        uint256 middle = start + split(end - start);
        return node(root(leaves, start, middle), root(leaves, middle, end));
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return root(leaves, 0, leaves.length);
    }

    /// PATH(m, D[start:end]), RFC 9162 §2.1.3.1.
    function path(bytes32[] memory leaves, uint256 index, uint256 start, uint256 end)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (end - start == 1) return new bytes32[](0);
        uint256 middle = start + split(end - start);
        return index < middle
            ? add(path(leaves, index, start, middle), root(leaves, middle, end))
            : add(path(leaves, index, middle, end), root(leaves, start, middle));
    }

    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return path(leaves, index, 0, leaves.length);
    }

    /// The nodes of a multiproof of the leaves that are marked, from left to right.
    function nodes(bytes32[] memory leaves, bool[] memory marked, uint256 start, uint256 end)
        internal
        pure
        returns (bytes32[] memory)
    {
        bool any = false;
        for (uint256 i = start; i < end; i++) {
            any = any || marked[i];
        }
        if (!any) return add(new bytes32[](0), root(leaves, start, end));
        if (end - start == 1) return new bytes32[](0);
        uint256 middle = start + split(end - start);
        bytes32[] memory all = nodes(leaves, marked, start, middle);
        bytes32[] memory right = nodes(leaves, marked, middle, end);
        for (uint256 i = 0; i < right.length; i++) {
            all = add(all, right[i]);
        }
        return all;
    }

    function add(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory all) {
        all = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) {
            all[i] = list[i];
        }
        all[list.length] = last;
    }

    /// Without the last one.
    function cut(bytes32[] memory list) internal pure returns (bytes32[] memory all) {
        all = new bytes32[](list.length - 1);
        for (uint256 i = 0; i < all.length; i++) {
            all[i] = list[i];
        }
    }
}
