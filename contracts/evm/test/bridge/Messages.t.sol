// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOutbox} from "../../src/IOutbox.sol";
import {Outbox} from "../../src/Outbox.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {IMessageReceiver} from "../../src/bridge/IMessageReceiver.sol";
import {Inbox} from "../../src/bridge/Inbox.sol";
import {Leaves} from "../../src/bridge/Leaves.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice Counts what it receives; does with it what the test says.
contract Receiver is IMessageReceiver {
    uint256 public received;
    bytes public last;
    bytes public next;
    bool public fails;

    error ReceiverFails();

    function doNext(bytes calldata call) external {
        next = call;
    }

    function fail(bool yes) external {
        fails = yes;
    }

    function onMessage(uint64 chainId, address sender, uint64 sequence, bytes calldata payload)
        external
    {
        if (fails) revert ReceiverFails();
        received++;
        last = abi.encode(chainId, sender, sequence, payload);
        bytes memory call = next;
        if (call.length == 0) return;
        delete next;
        (bool done, bytes memory answer) = msg.sender.call(call);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}

/// @notice Tests 19 to 22: messages to contracts here.
contract InboxTest is Log {
    bytes private constant PAYLOAD = "payload";
    uint256 private constant HERE = 31337;
    Inbox private inbox;
    Receiver private receiver;
    bytes[] private leaves;
    bytes private checkpoint;

    function setUp() public {
        vm.chainId(HERE);
        LightClient.Policy memory policy = noPolicy();
        policy.guardian = address(this);
        _policy = abi.encode(policy);
        deployEmpty(setOf(1, 4));
        inbox = new Inbox(client, 0, Inbox(address(0)));
        receiver = new Receiver();
        for (uint64 i = 1; i <= 10; i++) {
            leaves.push(message(i, uint64(NOW + 60)));
        }
        leaves.push(message(256, uint64(NOW + 60)));
        checkpoint = accept(hashesOf(leaves), 200);
    }

    bytes private _policy;

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD),
            abi.decode(_policy, (LightClient.Policy))
        );
    }

    function message(uint64 sequence, uint64 timeout) private view returns (bytes memory) {
        return message(
            keccak256("eip155:31337"),
            bytes32(uint256(uint160(address(receiver)))),
            sequence,
            timeout
        );
    }

    function message(bytes32 destination, bytes32 to, uint64 sequence, uint64 timeout)
        private
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            headOf(32, SENDER),
            abi.encodePacked(destination, to, sequence, timeout, sha256(PAYLOAD))
        );
    }

    function call(uint64 index) private view returns (bytes memory) {
        return call(index, PAYLOAD);
    }

    function call(uint64 index, bytes memory payload) private view returns (bytes memory) {
        return abi.encodeCall(
            inbox.deliver,
            (leaves[index], payload, index, checkpoint, Tree.path(hashesOf(leaves), index))
        );
    }

    /// A log of this leaf alone, later than the others.
    function callAlone(bytes memory leaf) private returns (bytes memory) {
        deployEmpty(current);
        inbox = new Inbox(client, 0, Inbox(address(0)));
        bytes memory alone = accept(Tree.leaf(leaf), 1, 200);
        return abi.encodeCall(inbox.deliver, (leaf, PAYLOAD, 0, alone, new bytes32[](0)));
    }

    function deliver(bytes memory data) private {
        (bool done,) = address(inbox).call(data);
        vm.assertTrue(done);
    }

    function refusesDelivery(bytes memory data, bytes memory reason) private {
        (bool done, bytes memory answer) = address(inbox).call(data);
        vm.assertFalse(done);
        vm.assertEq(answer, reason);
    }

    function test_AMessageArrives() public {
        vm.assertFalse(inbox.isDelivered(4));
        deliver(call(3));
        vm.assertTrue(inbox.isDelivered(4));
        vm.assertFalse(inbox.isDelivered(5));
        vm.assertEq(receiver.received(), 1);
        vm.assertEq(receiver.last(), abi.encode(CHAIN, SENDER, uint64(4), PAYLOAD));
    }

    /// 19: messages for another chain, or another contract.
    function test_19_RefusesMessagesForElsewhere() public {
        bytes32 to = bytes32(uint256(uint160(address(receiver))));
        bytes32 elsewhere = keccak256("eip155:1");
        bytes memory data = callAlone(message(elsewhere, to, 1, uint64(NOW + 60)));
        refusesDelivery(
            data,
            abi.encodeWithSelector(
                Inbox.InboxDestination.selector, keccak256("eip155:31337"), elsewhere
            )
        );
        // An account without code, and something that is no address.
        bytes32 here = inbox.DESTINATION();
        bytes32 nobody = bytes32(uint256(0xdead));
        data = callAlone(message(here, nobody, 1, uint64(NOW + 60)));
        refusesDelivery(data, abi.encodeWithSelector(Inbox.InboxReceiver.selector, nobody));
        bytes32 wide = to | bytes32(uint256(1) << 160);
        data = callAlone(message(here, wide, 1, uint64(NOW + 60)));
        refusesDelivery(data, abi.encodeWithSelector(Inbox.InboxReceiver.selector, wide));
        // A fork of this chain that took another id.
        data = call(0);
        vm.chainId(HERE + 1);
        data = callAlone(message(here, to, 1, uint64(NOW + 60)));
        refusesDelivery(
            data,
            abi.encodeWithSelector(Inbox.InboxDestination.selector, keccak256("eip155:31338"), here)
        );
        vm.chainId(HERE + 2);
        refusesDelivery(
            data, abi.encodeWithSelector(Inbox.InboxChainId.selector, HERE + 1, HERE + 2)
        );
    }

    /// 19: an attestation is no message, another payload is not the one that was sent.
    function test_19_RefusesOtherLeavesAndPayloads() public {
        bytes memory data = callAlone(attestation(sha256(PAYLOAD)));
        refusesDelivery(data, abi.encodeWithSelector(Leaves.LeafKind.selector, 32, 1));
        refusesDelivery(
            callAlone(bytes.concat(message(1, uint64(NOW + 60)), hex"00")),
            abi.encodeWithSelector(Leaves.LeafLength.selector, 161)
        );
        deployEmpty(current);
        inbox = new Inbox(client, 0, Inbox(address(0)));
        checkpoint = accept(hashesOf(leaves), 200);
        refusesDelivery(
            call(3, "other"),
            abi.encodeWithSelector(Inbox.InboxPayload.selector, sha256(PAYLOAD), sha256("other"))
        );
    }

    /// 20: once, also under another checkpoint.
    function test_20_DeliversOnce() public {
        deliver(call(3));
        bytes memory again = abi.encodeWithSelector(Inbox.InboxDelivered.selector, uint64(4));
        refusesDelivery(call(3), again);
        checkpoint = accept(hashesOf(leaves), 300);
        refusesDelivery(call(3), again);
        // The same number in another leaf, as a forked chain could have it.
        leaves.push(message(4, uint64(NOW + 61)));
        checkpoint = accept(hashesOf(leaves), 400);
        refusesDelivery(call(11), again);
        deliver(call(2));
        deliver(call(10));
        vm.assertTrue(inbox.isDelivered(256));
        vm.assertEq(receiver.received(), 3);
    }

    /// 20: a delivery that failed can be tried again.
    function test_20_AFailedDeliveryDeliversNothing() public {
        receiver.fail(true);
        refusesDelivery(call(3), abi.encodeWithSelector(Receiver.ReceiverFails.selector));
        vm.assertFalse(inbox.isDelivered(4));
        receiver.fail(false);
        deliver(call(3));
    }

    /// 21: the receiver calls the inbox with the same message, and with another one.
    function test_21_ReentrancyDeliversNothingTwice() public {
        receiver.doNext(call(3));
        refusesDelivery(call(3), abi.encodeWithSelector(Inbox.InboxDelivered.selector, uint64(4)));
        vm.assertEq(receiver.received(), 0);
        receiver.doNext(call(7));
        deliver(call(3));
        vm.assertEq(receiver.received(), 2);
        vm.assertTrue(inbox.isDelivered(4) && inbox.isDelivered(8));
    }

    /// 22: the last second, and the one after.
    function test_22_TimeoutIsTheLastSecond() public {
        vm.warp(NOW + 61);
        refusesDelivery(
            call(3), abi.encodeWithSelector(Inbox.InboxTimeout.selector, NOW + 60, NOW + 61)
        );
        vm.warp(NOW + 60);
        deliver(call(3));
    }

    function test_MessagesCanBePaused() public {
        client.pause(ILightClient.Scope.Messages);
        refusesDelivery(
            call(3), abi.encodeWithSelector(Inbox.InboxPaused.selector, uint64(NOW + 72 hours))
        );
        client.unpause(ILightClient.Scope.Messages);
        deliver(call(3));
    }

    /// forge-config: default.fuzz.runs = 2000
    /// forge-config: long.fuzz.runs = 20000
    function testFuzz_AnyOrderDeliversEachOnce(uint8[12] memory order) public {
        uint256 count = 0;
        for (uint256 i = 0; i < order.length; i++) {
            uint64 index = order[i] % 8;
            bool before = inbox.isDelivered(index + 1);
            (bool done,) = address(inbox).call(call(index));
            vm.assertTrue(done != before);
            if (done) count++;
            vm.assertTrue(inbox.isDelivered(index + 1));
        }
        vm.assertEq(receiver.received(), count);
    }
}

/// @notice The contract on the TBSI chain that sends.
contract OutboxTest is Log {
    Outbox private constant outbox = Outbox(0x0000000000000000000000000000000000001006);
    bytes32 private constant TO = keccak256("eip155:1");
    bytes32 private constant RECEIVER = bytes32(uint256(0xbe));

    function setUp() public {
        vm.etch(address(outbox), type(Outbox).runtimeCode);
        vm.warp(NOW);
    }

    function deployFrom(bytes memory, Set memory) internal pure override {}

    function sendCall(bytes32 to, bytes32 receiver, uint64 timeout)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IOutbox.send, (to, receiver, timeout, sha256("payload")));
    }

    function refused(bytes memory data, bytes memory reason) private {
        (bool done, bytes memory answer) = address(outbox).call(data);
        vm.assertFalse(done);
        vm.assertEq(answer, reason);
    }

    function test_MessagesAreNumberedAndEmitted() public {
        vm.assertEq(outbox.sent(), 0);
        // Hashing is a call too, which would use up the prank.
        bytes32 hash = sha256("payload");
        for (uint64 i = 1; i <= 3; i++) {
            vm.expectEmit(address(outbox));
            emit IOutbox.MessageSent(TO, RECEIVER, SENDER, i, uint64(NOW + 60), sha256("payload"));
            vm.prank(SENDER);
            vm.assertEq(outbox.send(TO, RECEIVER, uint64(NOW + 60), hash), i);
        }
        vm.assertEq(outbox.sent(), 3);
    }

    function test_RefusesMessagesThatCannotArrive() public {
        uint64 later = uint64(NOW + 60);
        bytes memory nobody = abi.encodeWithSelector(IOutbox.OutboxNobody.selector);
        refused(sendCall(0, RECEIVER, later), nobody);
        refused(sendCall(TO, 0, later), nobody);
        refused(
            sendCall(TO, RECEIVER, uint64(NOW)),
            abi.encodeWithSelector(IOutbox.OutboxTimeout.selector, NOW, NOW)
        );
        bytes memory good = sendCall(TO, RECEIVER, uint64(NOW + 1));
        refused(
            bytes.concat(good, hex"00"),
            abi.encodeWithSelector(IOutbox.OutboxCalldataLength.selector, 132, 133)
        );
        (bool done,) = address(outbox).call(slice(good, 0, 131));
        vm.assertFalse(done);
        (done,) = address(outbox).call(good);
        vm.assertTrue(done);
        vm.assertEq(outbox.sent(), 1);
    }
}
