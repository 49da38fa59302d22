// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Words at any offset of bytes in memory.
/// @dev Solidity slices calldata only; through calldata slices the same costs 100 gas a field.
library Words {
    /// @notice The 32 bytes from `offset` on. What is behind the end is anything: callers check
    /// the length first.
    function load(bytes memory data, uint256 offset) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), offset))
        }
    }

    /// @notice The 8 bytes from `offset` on.
    function u64(bytes memory data, uint256 offset) internal pure returns (uint64) {
        return uint64(load(data, offset) >> 192);
    }
}
