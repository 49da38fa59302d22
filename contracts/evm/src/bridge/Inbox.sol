// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "./ILightClient.sol";
import {IMessageReceiver} from "./IMessageReceiver.sol";
import {Leaves} from "./Leaves.sol";
import {Sha256} from "./Sha256.sol";

/// @title Messages from a TBSI chain: each is delivered once at most (SPEC §14.5).
/// @notice Anybody may deliver. Immutable: no owner; a message to another inbox's chain or after
/// its timeout is refused for ever.
///
/// What was delivered is kept here. Another inbox of the same chain knows nothing of it, and
/// would deliver every message whose timeout has not passed a second time, unless it names this
/// one as `PREVIOUS` or begins above it with `FIRST_HEIGHT`; and this one goes on delivering.
/// A receiver therefore takes messages of one inbox at a time (`IMessageReceiver`).
///
/// Not checked: that the receiver expects the sender (the receiver does), order, that a message
/// arrives at all, and that `PREVIOUS` was an inbox of the same chain (its deployer says so).
contract Inbox {
    /// @notice The light client that proves messages.
    ILightClient public immutable CLIENT;
    /// @notice The chain id that the destination was computed from.
    uint256 public immutable CHAIN_ID;
    /// @notice keccak256 of this chain's CAIP-2 id, `eip155:` and the chain id in decimal.
    bytes32 public immutable DESTINATION;

    /// @notice Messages sent below this height of the TBSI chain are refused.
    uint64 public immutable FIRST_HEIGHT;
    /// @notice The inbox that this one replaces: what it delivered is delivered. Zero if none.
    Inbox public immutable PREVIOUS;

    /// One bit a sequence number.
    mapping(uint256 word => uint256 bits) private _delivered;

    /// @notice A message was delivered to its receiver.
    event MessageDelivered(
        uint64 indexed sequence,
        address indexed sender,
        address indexed receiver,
        bytes32 payloadHash
    );

    /// @notice Messages are paused by the light client's guardian.
    error InboxPaused(uint64 until);
    /// @notice The message is for another chain.
    error InboxDestination(bytes32 expected, bytes32 given);
    /// @notice This chain has changed its id since the inbox was deployed.
    error InboxChainId(uint256 expected, uint256 given);
    /// @notice The receiver is not an address, or has no code.
    error InboxReceiver(bytes32 receiver);
    /// @notice The payload is not the one that was sent.
    error InboxPayload(bytes32 expected, bytes32 given);
    /// @notice The message was delivered before.
    error InboxDelivered(uint64 sequence);
    /// @notice The timeout has passed.
    error InboxTimeout(uint64 timeout, uint256 blockTime);
    /// @notice The message was sent before the height from which on this inbox delivers.
    error InboxBeforeStart(uint64 firstHeight, uint64 given);
    /// @notice There is no contract at the address of the inbox to be replaced.
    error InboxPrevious(address given);

    /// @param client The light client that proves messages.
    /// @param firstHeight Height of the TBSI chain from which on messages are delivered; 0 for all.
    /// @param previous The inbox that this one replaces, or zero.
    constructor(ILightClient client, uint64 firstHeight, Inbox previous) {
        if (address(previous) != address(0) && address(previous).code.length == 0) {
            revert InboxPrevious(address(previous));
        }
        CLIENT = client;
        FIRST_HEIGHT = firstHeight;
        PREVIOUS = previous;
        CHAIN_ID = block.chainid;
        DESTINATION = keccak256(bytes.concat("eip155:", _decimal(block.chainid)));
    }

    /// @notice Delivers a message: proves its leaf, marks it, then calls the receiver. Reverts if
    /// the receiver does.
    /// @param leaf The leaf, kind 32 (SPEC §9.3).
    /// @param payload The bytes whose SHA-256 the leaf has.
    /// @param index, checkpoint, path As in `ILightClient.verifyLeaf`.
    function deliver(
        bytes calldata leaf,
        bytes calldata payload,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external {
        // It reverts or the leaf is proven; `decodeMessage` looks at the kind.
        // slither-disable-next-line unused-return
        CLIENT.verifyLeaf(leaf, index, checkpoint, path);
        Leaves.Message memory message = Leaves.decodeMessage(leaf);
        _requireDeliverable(message, payload);
        (uint256 word, uint256 bit) = (message.sequence >> 8, 1 << (message.sequence & 0xff));
        if (isDelivered(message.sequence)) revert InboxDelivered(message.sequence);
        // Before the call: the receiver may come back here.
        _delivered[word] |= bit;
        address receiver = address(uint160(uint256(message.receiver)));
        emit MessageDelivered(message.sequence, message.sender, receiver, message.payloadHash);
        IMessageReceiver(receiver)
            .onMessage(message.chainId, message.sender, message.sequence, payload);
    }

    /// @notice Whether the message with this number was delivered, by this inbox or one before it.
    function isDelivered(uint64 sequence) public view returns (bool) {
        if ((_delivered[sequence >> 8] >> (sequence & 0xff)) & 1 == 1) return true;
        return address(PREVIOUS) != address(0) && PREVIOUS.isDelivered(sequence);
    }

    function _requireDeliverable(Leaves.Message memory message, bytes calldata payload)
        private
        view
    {
        uint64 until = CLIENT.pausedUntil(ILightClient.Scope.Messages);
        if (block.timestamp < until) revert InboxPaused(until);
        if (block.chainid != CHAIN_ID) revert InboxChainId(CHAIN_ID, block.chainid);
        if (message.destination != DESTINATION) {
            revert InboxDestination(DESTINATION, message.destination);
        }
        if (message.height < FIRST_HEIGHT) revert InboxBeforeStart(FIRST_HEIGHT, message.height);
        if (block.timestamp > message.timeout) {
            revert InboxTimeout(message.timeout, block.timestamp);
        }
        uint256 receiver = uint256(message.receiver);
        if (receiver >> 160 != 0 || address(uint160(receiver)).code.length == 0) {
            revert InboxReceiver(message.receiver);
        }
        bytes32 hash = Sha256.hash(payload);
        if (hash != message.payloadHash) revert InboxPayload(message.payloadHash, hash);
    }

    /// A number in decimal digits.
    function _decimal(uint256 number) private pure returns (bytes memory digits) {
        do {
            digits = bytes.concat(bytes1(uint8(48 + number % 10)), digits);
            number /= 10;
        } while (number != 0);
    }
}
