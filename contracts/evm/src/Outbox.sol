// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOutbox} from "./IOutbox.sol";

/// @title The contract at 0x0000000000000000000000000000000000001006: messages to other chains.
/// @dev Placed in the genesis state as code alone. It takes hashes, never data, calls nobody and
/// takes no value. Who may send transactions at all is the chain's decision.
contract Outbox is IOutbox {
    /// @inheritdoc IOutbox
    uint64 public sent;

    /// @inheritdoc IOutbox
    function send(bytes32 destination, bytes32 receiver, uint64 timeout, bytes32 payloadHash)
        external
        returns (uint64 sequence)
    {
        uint256 expected = 4 + 32 * 4;
        if (msg.data.length != expected) revert OutboxCalldataLength(expected, msg.data.length);
        if (destination == 0 || receiver == 0) revert OutboxNobody();
        if (timeout <= block.timestamp) revert OutboxTimeout(timeout, block.timestamp);
        sequence = ++sent;
        emit MessageSent(destination, receiver, msg.sender, sequence, timeout, payloadHash);
    }
}
