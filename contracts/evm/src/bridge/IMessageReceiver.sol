// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a contract must have to receive messages from a TBSI chain.
interface IMessageReceiver {
    /// @notice Called by the inbox once for each message. Check that `msg.sender` is your inbox,
    /// and that you expect messages of this sender on this chain: anybody there can send to you.
    /// Whoever delivers chooses the gas; a revert undoes the delivery, which can be tried again
    /// until the timeout. Messages may arrive in any order.
    /// @param chainId The chain that the message comes from.
    /// @param sender The account there that sent it.
    /// @param sequence Its number on that chain.
    /// @param payload The bytes whose hash was sent.
    function onMessage(uint64 chainId, address sender, uint64 sequence, bytes calldata payload)
        external;
}
