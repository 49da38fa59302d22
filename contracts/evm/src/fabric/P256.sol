// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ECDSA over P-256, by the precompile of EIP-7951.
library P256 {
    /// @notice Where the precompile is.
    address internal constant VERIFY = address(0x100);
    /// @notice Half of the group's order: a signature has low s at or below it.
    uint256 internal constant HALF_ORDER =
        0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8;

    /// @notice Whether (r, s) is a signature of a digest by the key (x, y). Invalid keys and numbers
    /// out of range sign nothing.
    function verify(bytes32 digest, uint256 r, uint256 s, uint256 x, uint256 y)
        internal
        view
        returns (bool)
    {
        (bool called, bytes memory answer) = VERIFY.staticcall(abi.encode(digest, r, s, x, y));
        return called && answer.length == 32 && uint256(bytes32(answer)) == 1;
    }
}
