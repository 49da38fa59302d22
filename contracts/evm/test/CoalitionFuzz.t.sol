// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {Constitution} from "./Constitution.sol";

/// @notice The property of SPEC §13.6 over random sequences: members who are together at most two
/// thirds of the membership at a window's start, and act alone from then on, change neither
/// membership nor rules nor accounts of others, raise no power of theirs and lower none of others,
/// but for the suspension of one, and schedule no upgrade.
contract CoalitionFuzzTest is Constitution {
    uint256 private constant ACTS = 10;
    /// Sequences of one case: each begins where the one before ended, with another coalition.
    uint256 private constant WINDOWS = 4;

    /// What was there when the window began. Nodes and organisations of a number stay.
    struct Start {
        uint32 members;
        uint32 organisations;
        uint32 nodes;
        uint32 motions;
        uint32 upgrades;
        bytes32 rules;
        /// By organisation: status, and account and permissions.
        uint256[] status;
        bytes32[] accounts;
        /// By node.
        uint256[] power;
        bool[] coalition;
    }

    uint256[13] private worlds;
    uint256 private seed;
    Start private start;

    function setUp() public {
        uint256 empty = vm.snapshotState();
        uint256[13] memory made;
        for (uint32 n = 4; n <= 12; n++) {
            found(n);
            made[n] = vm.snapshotState();
            vm.revertToState(empty);
        }
        worlds = made;
    }

    /// With `ORGANISATIONS`, of that many alone: `tools/coalitions.mjs` searches at length.
    /// forge-config: long.fuzz.runs = 256
    function testFuzz_ACoalitionGainsNothing(uint256 random) public {
        uint256 only = vm.envOr("ORGANISATIONS", uint256(0));
        uint32 count = uint32(only == 0 ? 4 + random % 9 : only);
        vm.revertToState(worlds[count]);
        seed = random;
        for (uint256 window = 0; window < WINDOWS; window++) {
            uint256 before = next(4);
            for (uint256 i = 0; i < before; i++) {
                together();
            }
            begin();
            for (uint256 i = 0; i < ACTS; i++) {
                act();
                membershipHolds();
            }
            rulesAndPowerHold();
        }
    }

    /// The coalition is not kept from everything, or the property would be empty.
    function test_ACoalitionOfTwoThirdsStillDecides() public {
        uint256 suspended;
        uint256 executed;
        uint256 world = worlds[9];
        for (uint256 i = 0; i < 20; i++) {
            vm.revertToState(world);
            seed = uint256(keccak256(abi.encode(i)));
            begin();
            for (uint256 j = 0; j < ACTS; j++) {
                act();
            }
            for (uint32 n = start.motions + 1; n <= motions.motionCount(); n++) {
                if (motions.statusOf(n) != IMotions.Status.Executed) continue;
                executed++;
                if (motions.motionOf(n).kind == 2) suspended++;
            }
        }
        vm.assertGt(suspended, 10);
        vm.assertGt(executed, suspended);
    }

    /// And one of more than that does what it likes.
    function test_AHeavyCoalitionChangesTheMembership() public {
        uint256 world = worlds[9];
        bool gained = false;
        for (uint256 i = 0; i < 20 && !gained; i++) {
            vm.revertToState(world);
            seed = uint256(keccak256(abi.encode(i)));
            begin();
            start.coalition = new bool[](start.organisations + 1);
            for (uint32 n = 1; n <= 7; n++) {
                start.coalition[n] = true;
            }
            for (uint256 j = 0; j < ACTS; j++) {
                act();
            }
            (uint32 members,,) = organisations.electorate();
            gained = members != start.members;
        }
        vm.assertTrue(gained);
    }

    // What happens

    /// A decision of all, so that windows begin anywhere.
    function together() private {
        (uint8 kind, bytes memory arguments) = someMotion();
        // Rules stay: what is shown is shown of these. Accounts too, so that each acts for its own.
        if (kind == uint8(IMotions.Kind.SetRule) || kind == uint8(IMotions.Kind.SetAccount)) {
            return;
        }
        bytes memory data = abi.encodeCall(motions.propose, (kind, arguments));
        if (!send(admin(someVoter()), address(motions), data)) return;
        uint32 motion = motions.motionCount();
        passed(motion);
        vm.warp(block.timestamp + DELAY);
        send(STRANGER, address(motions), abi.encodeCall(motions.execute, (motion)));
        if (next(3) == 0) registers(someVoter());
        pause();
    }

    /// The coalition moves, alone.
    function act() private {
        uint256 choice = next(10);
        if (choice == 0) pause();
        else if (choice == 1) registers(someAlly());
        else if (choice == 2) enrols();
        else if (choice > 3) proposes();
        vote();
        for (uint32 n = start.motions + 1; n <= motions.motionCount(); n++) {
            if (motions.statusOf(n) != IMotions.Status.Executable) continue;
            send(STRANGER, address(motions), abi.encodeCall(motions.execute, (n)));
        }
        if (next(3) == 0) pause();
    }

    function proposes() private {
        uint256 count = 1 + next(3);
        for (uint256 i = 0; i < count; i++) {
            (uint8 kind, bytes memory arguments) = someMotion();
            bytes memory data = abi.encodeCall(motions.propose, (kind, arguments));
            send(admin(someAlly()), address(motions), data);
        }
    }

    /// All for everything, but for a conflict now and then.
    function vote() private {
        for (uint32 m = start.motions + 1; m <= motions.motionCount(); m++) {
            for (uint32 n = 1; n < start.coalition.length; n++) {
                if (!start.coalition[n] || motions.statusOf(m) != IMotions.Status.Open) continue;
                uint8 said = next(16) == 0 ? 4 : 1;
                send(admin(n), address(motions), abi.encodeCall(motions.vote, (m, said)));
            }
        }
    }

    function registers(uint32 organisation) private {
        uint256 key = 1000 + nodes.nodeCount();
        INodes.Registration memory node = registration(key);
        INodes.Possession memory proofs = possession(organisation, key);
        bytes memory data = abi.encodeCall(nodes.registerNode, (node, proofs));
        send(admin(organisation), address(nodes), data);
    }

    function enrols() private {
        uint32 organisation = someAlly();
        (, bytes memory data) = joining(organisation, 5000 + 10 * organisation + next(4), ALL);
        send(admin(organisation), address(permissions), data);
        // And an account that has not agreed.
        uint32 victim = someone();
        data = abi.encodeCall(permissions.grant, (admin(victim), ALL));
        send(admin(organisation), address(permissions), data);
    }

    function pause() private {
        endBlock();
        uint256[4] memory times = [uint256(1 hours), DELAY, 8 days, 31 days];
        vm.warp(block.timestamp + times[next(4)]);
    }

    // What must hold

    function begin() private {
        (uint32 members,,) = organisations.electorate();
        uint32 count = organisations.organisationCount();
        start.members = members;
        start.organisations = count;
        start.nodes = nodes.nodeCount();
        start.motions = motions.motionCount();
        start.upgrades = upgrades.upgradeCount();
        start.rules = rulesHash();
        start.status = new uint256[](count + 1);
        start.accounts = new bytes32[](count + 1);
        start.power = new uint256[](start.nodes + 1);
        start.coalition = new bool[](count + 1);
        for (uint32 n = 1; n <= count; n++) {
            start.status[n] = uint8(organisations.standing(n));
            start.accounts[n] = accountsHash(n);
        }
        for (uint32 n = 1; n <= start.nodes; n++) {
            start.power[n] = nodes.nodeOf(n).power;
        }
        // As many as can be, or fewer.
        uint256 allies = 2 * uint256(members) / 3;
        if (next(4) == 0) allies = 1 + next(allies);
        for (uint32 n = uint32(1 + next(count)); allies > 0; n = n % count + 1) {
            if (start.coalition[n] || !isMember(n)) continue;
            start.coalition[n] = true;
            allies--;
        }
    }

    function membershipHolds() private view {
        (uint32 members,,) = organisations.electorate();
        vm.assertEq(members, start.members);
        vm.assertEq(organisations.organisationCount(), start.organisations);
        uint256 suspended = 0;
        for (uint32 n = 1; n <= start.organisations; n++) {
            uint256 status = uint8(organisations.standing(n));
            if (start.coalition[n]) continue;
            if (status == 2 && start.status[n] == 1) suspended++;
            vm.assertTrue(status == 3 ? start.status[n] == 3 : start.status[n] != 3);
        }
        vm.assertLe(suspended, 1);
    }

    /// The coalition has no more power and the others no less; who is active is in the set.
    function rulesAndPowerHold() private view {
        vm.assertEq(rulesHash(), start.rules, "rules");
        vm.assertEq(upgrades.upgradeCount(), start.upgrades, "upgrades");
        for (uint32 n = 1; n <= start.organisations; n++) {
            if (start.coalition[n]) continue;
            vm.assertEq(accountsHash(n), start.accounts[n], "accounts");
        }
        uint32 count = nodes.nodeCount();
        for (uint32 n = 1; n <= count; n++) {
            INodes.Node memory node = nodes.nodeOf(n);
            uint256 before = n <= start.nodes ? start.power[n] : 0;
            if (start.coalition[node.organisation]) vm.assertLe(node.power, before);
            else vm.assertGe(node.power, before);
            bool active = uint8(organisations.standing(node.organisation)) == 1;
            vm.assertTrue(node.validating == (active && node.power != 0));
        }
    }

    function rulesHash() private view returns (bytes32 hash) {
        for (uint8 kind = 1; kind <= 19; kind++) {
            hash = keccak256(abi.encode(hash, motions.ruleOf(kind)));
        }
    }

    function accountsHash(uint32 organisation) private view returns (bytes32) {
        uint256 word = permissions.accounts(admin(organisation));
        uint32 own = permissions.organisationPermissions(organisation);
        return keccak256(abi.encode(word, own, permissions.accountCount(organisation)));
    }

    // Chance

    function someMotion() private returns (uint8 kind, bytes memory arguments) {
        uint8[22] memory kinds =
            [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 19];
        kind = kinds[next(22)];
        uint32 organisation = someone();
        uint32 node = uint32(1 + next(nodes.nodeCount()));
        if (kind == 1) return (kind, admission(1 + organisations.organisationCount()));
        if (kind == 5) {
            IOrganisations.Details memory other = details(organisation);
            other.votes = next(4) != 0;
            return (kind, abi.encode(organisation, other));
        }
        if (kind == 6) return (kind, abi.encode(node, uint64(1 + next(20))));
        if (kind == 7) return (kind, abi.encode(node, uint16(1)));
        if (kind == 8) return (kind, abi.encode(node));
        if (kind == 9) {
            IMotions.Rule memory easy = IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
            return (kind, abi.encode(uint8(1 + next(19)), easy));
        }
        if (kind == 10) {
            return (kind, abi.encode(organisation, uint64(next(3)), uint64(next(3))));
        }
        if (kind == 12) return (kind, abi.encode(uint32(next(64))));
        if (kind == 13) return (kind, abi.encode(uint32(1 + next(100_000))));
        if (kind == 19) return (kind, abi.encode(uint32(1 + next(3))));
        if (kind == 17) return (kind, abi.encode(plan(uint64(block.number + 150), 2, 0)));
        if (kind == 11) return (kind, abi.encode(organisation, uint32(1 + next(63))));
        if (kind == 14) {
            address account = next(2) == 0 ? admin(someone()) : address(uint160(1 + next(9)));
            return (kind, abi.encode(organisation, account, uint32(next(64))));
        }
        return (kind, abi.encode(organisation, uint16(1)));
    }

    function someone() private returns (uint32) {
        return uint32(1 + next(organisations.organisationCount()));
    }

    /// Active, mostly.
    function someVoter() private returns (uint32 organisation) {
        for (uint256 i = 0; i < 4; i++) {
            organisation = someone();
            if (uint8(organisations.standing(organisation)) == 1) return organisation;
        }
    }

    function someAlly() private returns (uint32 organisation) {
        organisation = uint32(1 + next(start.coalition.length - 1));
        while (!start.coalition[organisation]) {
            organisation = uint32(organisation % (start.coalition.length - 1) + 1);
        }
    }

    function isMember(uint32 organisation) private view returns (bool) {
        uint256 word = organisations.standing(organisation);
        return (word >> 16) & 1 == 1 && uint8(word) != 3;
    }

    function next(uint256 bound) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % bound;
    }
}
