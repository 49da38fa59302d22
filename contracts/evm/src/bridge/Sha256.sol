// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title SHA-256, refusing to go on where the precompile is absent.
/// @dev Solidity's own `sha256` takes a call to an address without code for a success and then
/// reads what was in memory before. Here the answer must be 32 bytes. Assembly because the plain
/// way (`staticcall` with `bytes`) costs 400 gas more for each node of a proof; the tests compare
/// both.
library Sha256 {
    /// @notice There is no SHA-256 precompile at address 2 on this chain.
    error Sha256Unavailable();

    /// @notice SHA-256 of bytes in memory.
    function hash(bytes memory data) internal view returns (bytes32 digest) {
        bool answered;
        assembly ("memory-safe") {
            answered := staticcall(gas(), 2, add(data, 32), mload(data), 0, 32)
            answered := and(answered, eq(returndatasize(), 32))
            digest := mload(0)
        }
        if (!answered) revert Sha256Unavailable();
    }

    /// @notice `SHA-256(0x01 || left || right)`, a node of the log's tree (SPEC §9.1).
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 digest) {
        bool answered;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            answered := staticcall(gas(), 2, free, 65, 0, 32)
            answered := and(answered, eq(returndatasize(), 32))
            digest := mload(0)
        }
        if (!answered) revert Sha256Unavailable();
    }
}
