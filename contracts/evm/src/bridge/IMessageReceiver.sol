// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a contract must have to receive messages from a TBSI chain.
interface IMessageReceiver {
    /// @notice Called by the inbox once for each message. Check that `msg.sender` is your inbox,
    /// and that you expect messages of this sender on this chain: anybody there can send to you.
    /// Whoever delivers chooses the gas; a revert undoes the delivery, which can be tried again
    /// until the timeout. Messages may arrive in any order.
    ///
    /// An inbox delivers each message once; two inboxes may deliver it twice, because what was
    /// delivered is kept in the inbox. So take messages of one inbox at a time, and when it is
    /// replaced, stop to take those of the old one in the transaction that begins with the new one,
    /// which must name the old one as `PREVIOUS`. Where a second delivery would do harm, keep the
    /// numbers of the messages that you acted on as well.
    /// @param chainId The chain that the message comes from.
    /// @param sender The account there that sent it.
    /// @param sequence Its number on that chain.
    /// @param payload The bytes whose hash was sent.
    function onMessage(uint64 chainId, address sender, uint64 sequence, bytes calldata payload)
        external;
}
