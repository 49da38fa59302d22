// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Evidence of equivocation: two signed statements that contradict each other.
/// @notice Layout in SPEC §3.8. Errors are those of `INodes`.
interface IEquivocations {
    /// @notice Who is accused of what. `step` is 1 for prevotes, 2 for precommits, 0 for proposals.
    struct Accusation {
        uint8 kind;
        uint8 step;
        address validator;
        uint64 height;
        uint32 round;
    }

    /// @notice Reads evidence and verifies that the accused signed both statements, on this
    /// chain. Whether the accused is a validator is the caller's concern.
    function verify(bytes calldata evidence, bytes32 genesisHash)
        external
        view
        returns (Accusation memory accused);
}
