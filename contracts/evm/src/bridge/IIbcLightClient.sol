// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The light client interface that the Solidity router of IBC v2 (`ICS26Router`) calls.
/// @dev Only the encoding matters to the router: names of functions, order and types of fields.
interface IIbcLightClient {
    /// @notice A height; `revisionNumber` is 0 here.
    struct Height {
        uint64 revisionNumber;
        uint64 revisionHeight;
    }

    /// @notice A key and its value, with the proof that the counterparty has them.
    struct MsgVerifyMembership {
        bytes proof;
        Height proofHeight;
        bytes[] path;
        bytes value;
    }

    /// @notice A key, with the proof that the counterparty does not have it.
    struct MsgVerifyNonMembership {
        bytes proof;
        Height proofHeight;
        bytes[] path;
    }

    /// @notice What an update did.
    enum UpdateResult {
        Update,
        Misbehaviour,
        NoOp
    }

    /// @notice Brings the client up to date.
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult);

    /// @notice Reverts unless the counterparty has the value at the path.
    /// @return The counterparty's time at that height, in seconds.
    function verifyMembership(MsgVerifyMembership calldata message) external returns (uint256);

    /// @notice Reverts unless the counterparty has nothing at the path.
    /// @return The counterparty's time at that height, in seconds.
    function verifyNonMembership(MsgVerifyNonMembership calldata message) external returns (uint256);

    /// @notice Freezes the client if the message proves misbehaviour.
    function misbehaviour(bytes calldata misbehaviourMsg) external;

    /// @notice Replaces the client's state, where that is supported.
    function upgradeClient(bytes calldata upgradeMsg) external;

    /// @notice The client's state, encoded in the client's own way.
    function getClientState() external view returns (bytes memory);
}
