// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {IMessageReceiver} from "../../src/bridge/IMessageReceiver.sol";
import {Inbox} from "../../src/bridge/Inbox.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice Takes messages of one inbox at a time, as `IMessageReceiver` says.
contract Subscriber is IMessageReceiver {
    address public inbox;
    mapping(uint64 sequence => uint256) public count;

    error NotMyInbox(address given);

    function use(address next) external {
        inbox = next;
    }

    function onMessage(uint64, address, uint64 sequence, bytes calldata) external {
        if (msg.sender != inbox) revert NotMyInbox(msg.sender);
        count[sequence]++;
    }
}

/// @notice Light client and inbox are replaced while messages are on their way.
contract MigrationTest is Log {
    bytes private constant PAYLOAD = "payload";
    uint64 private constant MESSAGES = 5;
    Inbox private constant NONE = Inbox(address(0));
    Subscriber private receiver;
    bytes[] private leaves;
    bytes private checkpoint;
    Inbox private old;

    function setUp() public {
        vm.chainId(31337);
        receiver = new Subscriber();
        bytes32 to = bytes32(uint256(uint160(address(receiver))));
        for (uint64 i = 1; i <= MESSAGES; i++) {
            leaves.push(
                bytes.concat(
                    headOf(32, SENDER),
                    abi.encodePacked(
                        keccak256("eip155:31337"), to, i, uint64(NOW + 60), sha256(PAYLOAD)
                    )
                )
            );
        }
        newClient(200);
        old = new Inbox(client, 0, NONE);
        receiver.use(address(old));
    }

    /// A client with the checkpoint of this height, under which all messages are.
    function newClient(uint64 height) private {
        deployEmpty(setOf(1, 4));
        checkpoint = accept(hashesOf(leaves), height);
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD), noPolicy()
        );
    }

    function deliver(Inbox inbox, uint64 sequence) private returns (bool done, bytes memory why) {
        uint64 index = sequence - 1;
        (done, why) = address(inbox)
            .call(
                abi.encodeCall(
                    inbox.deliver,
                    (leaves[index], PAYLOAD, index, checkpoint, Tree.path(hashesOf(leaves), index))
                )
            );
    }

    function delivers(Inbox inbox, uint64 sequence) private {
        (bool done,) = deliver(inbox, sequence);
        vm.assertTrue(done, "refused");
        vm.assertTrue(inbox.isDelivered(sequence));
    }

    function refuses(Inbox inbox, uint64 sequence, bytes memory reason) private {
        (bool done, bytes memory why) = deliver(inbox, sequence);
        vm.assertFalse(done, "not refused");
        vm.assertEq(why, reason);
    }

    function refusesDelivered(Inbox inbox, uint64 sequence) private {
        refuses(inbox, sequence, abi.encodeWithSelector(Inbox.InboxDelivered.selector, sequence));
    }

    function assertEachOnce() private view {
        for (uint64 i = 1; i <= MESSAGES; i++) {
            vm.assertEq(receiver.count(i), 1);
        }
    }

    function freezeClient() private {
        Checkpoint memory c = checkpointAt(300, current, current);
        bytes memory a = decide(c, current, 7);
        c.stateRoot = 0;
        client.freeze(1, a, 1, decide(c, current, 14));
    }

    /// The drill: out of order, the old client frozen between, both inboxes tried at each step.
    function test_EachMessageArrivesOnceAcrossAReplacement() public {
        delivers(old, 1);
        delivers(old, 3);
        freezeClient();
        bytes memory frozen = abi.encodeWithSelector(ILightClient.LightClientFrozen.selector);
        refuses(old, 2, frozen);
        newClient(250);
        Inbox next = new Inbox(client, 0, old);
        // Not before the receiver says so.
        refuses(next, 2, abi.encodeWithSelector(Subscriber.NotMyInbox.selector, address(next)));
        vm.assertFalse(next.isDelivered(2));
        receiver.use(address(next));
        refusesDelivered(next, 1);
        refusesDelivered(next, 3);
        delivers(next, 2);
        delivers(next, 5);
        refusesDelivered(next, 2);
        // Replaced once more: what any of them delivered is delivered.
        Inbox last = new Inbox(client, 0, next);
        receiver.use(address(last));
        for (uint64 i = 1; i <= MESSAGES; i++) {
            if (i == 4) delivers(last, i);
            else refusesDelivered(last, i);
        }
        assertEachOnce();
        // The old ones know less, and the receiver hears none of them.
        vm.assertFalse(old.isDelivered(2) || next.isDelivered(4));
        refuses(next, 4, abi.encodeWithSelector(Subscriber.NotMyInbox.selector, address(next)));
        assertEachOnce();
    }

    /// An old inbox whose client works goes on delivering; the receiver decides which one counts.
    function test_TheOldInboxDeliversNothingToAReceiverThatHasLeft() public {
        Inbox next = new Inbox(client, 0, old);
        delivers(old, 2);
        receiver.use(address(next));
        refuses(old, 1, abi.encodeWithSelector(Subscriber.NotMyInbox.selector, address(old)));
        vm.assertFalse(old.isDelivered(1));
        refusesDelivered(next, 2);
        delivers(next, 1);
        vm.assertEq(receiver.count(1) + receiver.count(2), 2);
    }

    /// What the NatSpec warns of: an inbox that names no other delivers again.
    function test_AnInboxWithoutPredecessorDeliversAgain() public {
        delivers(old, 1);
        Inbox stranger = new Inbox(client, 0, NONE);
        receiver.use(address(stranger));
        delivers(stranger, 1);
        vm.assertEq(receiver.count(1), 2);
    }

    /// Or it begins above all that the old one may have delivered.
    function test_AnInboxBeginsAtItsFirstHeight() public {
        Inbox later = new Inbox(client, LEAF_HEIGHT + 1, NONE);
        receiver.use(address(later));
        refuses(
            later,
            1,
            abi.encodeWithSelector(
                Inbox.InboxBeforeStart.selector, LEAF_HEIGHT + 1, uint64(LEAF_HEIGHT)
            )
        );
        Inbox here = new Inbox(client, LEAF_HEIGHT, NONE);
        receiver.use(address(here));
        delivers(here, 1);
        vm.assertEq(here.FIRST_HEIGHT(), LEAF_HEIGHT);
    }

    function test_ThePredecessorIsAContract() public {
        vm.expectRevert(abi.encodeWithSelector(Inbox.InboxPrevious.selector, address(0xdead)));
        new Inbox(client, 0, Inbox(address(0xdead)));
    }

    /// The CAIP-2 id of each chain, in decimal.
    function test_DestinationsAreDecimal() public {
        uint256[5] memory ids = [uint256(1), 10, 1981, 8862026, type(uint64).max];
        for (uint256 i = 0; i < ids.length; i++) {
            vm.chainId(ids[i]);
            string memory name = string.concat("eip155:", vm.toString(ids[i]));
            vm.assertEq(new Inbox(client, 0, NONE).DESTINATION(), keccak256(bytes(name)));
        }
    }
}
