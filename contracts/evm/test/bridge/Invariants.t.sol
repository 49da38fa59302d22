// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {IMessageReceiver} from "../../src/bridge/IMessageReceiver.sol";
import {Inbox} from "../../src/bridge/Inbox.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice Does random things to a light client and its inbox, good and bad, and says where the
/// client's answer is not the one that the rules give.
contract ClientHandler is Log, IMessageReceiver {
    uint64 private constant SETS = 4;
    uint64 private constant MESSAGES = 6;

    Inbox public inbox;
    /// The sets that may follow each other, and which of them signs now.
    Set[4] private sets;
    uint256 public active;
    /// What the rules say of the client.
    uint64 public height = 100;
    uint64 public handovers = 1;
    uint256 public accepted;
    uint256 public refusals;
    /// Highest height that each set number had.
    mapping(uint32 setId => uint64 height) public highest;
    mapping(uint64 sequence => uint256 times) public received;
    bytes32[] private hashes;
    bytes[] private leaves;
    bytes private lastCheckpoint;
    uint256 private checkpointHashes;

    error HandlerDisagrees(string what);

    constructor() {
        vm.chainId(31337);
        for (uint64 i = 0; i < SETS; i++) {
            sets[i] = setOf(i, 4 + i);
        }
        deployEmpty(sets[0]);
        inbox = new Inbox(client, 0, Inbox(address(0)));
        // Later than any height that the handler reaches, before the messages' timeout.
        vm.warp(NOW + 12 hours);
        for (uint64 i = 1; i <= MESSAGES; i++) {
            bytes32 to = bytes32(uint256(uint160(address(this))));
            leaves.push(
                bytes.concat(
                    headOf(32, SENDER),
                    abi.encodePacked(keccak256("eip155:31337"), to, i, uint64(NOW + 1 days)),
                    sha256("payload")
                )
            );
            hashes.push(Tree.leaf(leaves[i - 1]));
        }
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD), noPolicy()
        );
    }

    function theClient() external view returns (ILightClient) {
        return client;
    }

    function checkpointOf(uint64 when, Set memory set, Set memory next)
        private
        view
        returns (Checkpoint memory c)
    {
        c = checkpointAt(when, set, next);
        (c.logRoot, c.logSize) = (Tree.root(hashes), uint64(hashes.length));
    }

    function weigh(Set memory set, uint128 signers) private pure returns (bool) {
        uint256 power = 0;
        for (uint256 i = 0; i < set.keys.length; i++) {
            if ((signers >> i) & 1 == 1) power += set.powers[i];
        }
        return power * 3 > set.total * 2;
    }

    /// A checkpoint of any height, by any signers of any set.
    function update(uint8 step, uint128 signers, uint8 by, bool backwards) external {
        uint64 when = backwards ? height - step % 8 : height + 1 + step % 8;
        Set memory set = sets[by % 3 == 0 ? by % SETS : active];
        bytes memory encoded = encode(checkpointOf(when, set, set));
        bytes memory decision = decide(encoded, 0, set, signers);
        bool known = client.digestAt(when) == digestOf(encoded);
        bool may = weigh(set, signers) && set.hash == sets[active].hash && when > height;
        (bool done, bytes memory answer) = address(client).call(updateCall(decision));
        bool fresh = done && abi.decode(answer, (bool));
        if (fresh != (may && !known)) revert HandlerDisagrees("update");
        if (done && !fresh && !known && decision.length >= 277) {
            revert HandlerDisagrees("known update");
        }
        remember(fresh, when, encoded);
    }

    /// A handover to any set, by any signers of both.
    function handover(uint8 step, uint128 oldSigners, uint128 newSigners, uint8 to) external {
        uint64 when = height + 1 + step % 8;
        Set memory set = sets[active];
        Set memory next = sets[to % SETS];
        // Most of the time by all, or a handover would be rare.
        if (step & 0x10 != 0) (oldSigners, newSigners) = (ALL, ALL);
        bytes memory encoded = encode(checkpointOf(when + 1, next, next));
        bytes memory call = abi.encodeCall(
            ILightClient.handover,
            (
                decide(checkpointOf(when, set, next), set, oldSigners),
                next.encoded,
                decide(encoded, 0, next, newSigners)
            )
        );
        bool may = weigh(set, oldSigners) && weigh(next, newSigners) && set.hash != next.hash;
        (bool done, bytes memory answer) = address(client).call(call);
        bool fresh = done && abi.decode(answer, (bool));
        if (fresh != may) revert HandlerDisagrees("handover");
        if (fresh) (active, handovers) = (to % SETS, handovers + 1);
        remember(fresh, when + 1, encoded);
    }

    /// Any message, as often as it likes.
    function deliver(uint64 which) external {
        // The leaves are of this height.
        if (lastCheckpoint.length == 0 || height < LEAF_HEIGHT) return;
        uint64 index = which % MESSAGES;
        bool before = received[index + 1] != 0;
        (bool done,) = address(inbox)
            .call(
                abi.encodeCall(
                    inbox.deliver,
                    (leaves[index], "payload", index, lastCheckpoint, Tree.path(hashes, index))
                )
            );
        if (done == before) revert HandlerDisagrees("deliver");
    }

    /// What is no conflict never freezes.
    function freeze(uint8 step, uint128 signers) external {
        Set memory set = sets[active];
        bytes memory a = decide(checkpointOf(height + 1, set, set), set, ALL);
        Checkpoint memory c = checkpointOf(height + 1 + step % 3, set, set);
        c.stateRoot = 0;
        // Two checkpoints of one height are a conflict, but only with a quorum.
        if (step % 3 == 0 && weigh(set, signers)) return;
        uint32 id = uint32(handovers);
        (bool done,) = address(client)
            .call(abi.encodeCall(ILightClient.freeze, (id, a, id, decide(c, set, signers))));
        if (done) revert HandlerDisagrees("freeze");
    }

    function onMessage(uint64, address, uint64 sequence, bytes calldata) external {
        if (msg.sender == address(inbox)) received[sequence]++;
    }

    function remember(bool fresh, uint64 when, bytes memory checkpoint) private {
        if (!fresh) {
            refusals++;
            return;
        }
        accepted++;
        height = when;
        lastCheckpoint = checkpoint;
        uint32 id = client.latest().setId;
        if (when <= highest[id]) revert HandlerDisagrees("height of a set");
        highest[id] = when;
    }
}

/// @notice Test 70: accepted means that a quorum signed; heights only rise; a message arrives
/// once. The handler refuses to go on when the client disagrees with the rules.
contract BridgeInvariantsTest {
    ClientHandler private handler;

    function setUp() public {
        handler = new ClientHandler();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariant_70_TheClientIsWhereTheRulesSay() public view {
        ILightClient.Latest memory latest = handler.theClient().latest();
        assert(latest.height == handler.height());
        assert(latest.setId == handler.handovers());
        assert(handler.theClient().status() == ILightClient.Status.Active);
    }

    function invariant_20_MessagesArriveOnce() public view {
        for (uint64 i = 1; i <= 6; i++) {
            assert(handler.received(i) <= 1);
            assert(handler.inbox().isDelivered(i) == (handler.received(i) == 1));
        }
    }

    /// The handler reaches what it is to test.
    function test_TheHandlerReachesAll() public {
        for (uint8 i = 0; i < 20; i++) {
            handler.update(i, type(uint128).max, 1, false);
            handler.update(i, 1, 1, false);
            handler.handover(i | 0x10, 0, 0, i);
            handler.deliver(i);
            handler.freeze(i, i);
        }
        assert(handler.accepted() >= 25);
        assert(handler.refusals() >= 20);
        assert(handler.handovers() >= 10);
        for (uint64 i = 1; i <= 6; i++) {
            assert(handler.received(i) == 1);
        }
    }
}
