// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Messages to contracts on other chains (SPEC §14.5).
interface IOutbox {
    /// @notice A message was sent. The event becomes a leaf of the log (SPEC §9.4).
    event MessageSent(
        bytes32 indexed destination,
        bytes32 indexed receiver,
        address indexed sender,
        uint64 sequence,
        uint64 timeout,
        bytes32 payloadHash
    );

    /// @notice Calldata is longer or shorter than the canonical encoding of the arguments.
    error OutboxCalldataLength(uint256 expected, uint256 given);
    /// @notice Destination or receiver is zero.
    error OutboxNobody();
    /// @notice The timeout is not after the block's time.
    error OutboxTimeout(uint64 timeout, uint256 blockTime);

    /// @notice Sends a message, in the caller's name, as the hash of its payload.
    ///
    /// Not checked: that the destination exists, that anybody knows the payload, or that a relayer
    /// will carry it. A message that is not delivered has no effect; nothing comes back.
    /// @param destination keccak256 of the destination's CAIP-2 id, such as `eip155:1`.
    /// @param receiver The contract there; an address is in the lowest 20 bytes.
    /// @param timeout The last second, of the destination's block time, at which it may be
    /// delivered.
    /// @param payloadHash SHA-256 of the payload, which stays off this chain.
    /// @return sequence The message's number on this chain, from 1.
    function send(bytes32 destination, bytes32 receiver, uint64 timeout, bytes32 payloadHash)
        external
        returns (uint64 sequence);

    /// @notice Messages sent so far, and the number of the last one.
    function sent() external view returns (uint64);
}
