// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {GovernanceHandler} from "./GovernanceHandler.sol";
import {World} from "./World.sol";

/// @notice What no sequence of motions, votes, rotations and equivocations changes.
contract GovernanceInvariantsTest is World {
    GovernanceHandler private handler;

    function setUp() public {
        found(5);
        handler = new GovernanceHandler();
    }

    /// What forge calls at random.
    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    /// One campaign for all that concerns the set: each invariant is one of its own.
    function invariant_TheSet() public view {
        theSetKeepsItsRules();
        nodesAndTheSetAgree();
        suspendedValidatorsAreOutIfTheRulesAllow();
        aKeyBelongsToItsFirstNode();
    }

    function invariant_Decisions() public view {
        votersAreCountedAndStay();
        executedMotionsHadTheirVotes();
        ballotsAddUp();
        accountsStayWithinTheirOrganisation();
    }

    /// The set is never one that consensus cannot use or one organisation can stop.
    function theSetKeepsItsRules() private view {
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        vm.assertGe(set.length, 4);
        vm.assertGe(handler.smallest(), 4);
        vm.assertLe(set.length, 128);
        uint256 total = 0;
        for (uint256 i = 0; i < set.length; i++) {
            if (i > 0) vm.assertTrue(set[i - 1].validator < set[i].validator);
            vm.assertGt(set[i].power, 0);
            vm.assertEq(set[i].publicKey.length, 33);
            vm.assertEq(uint8(organisations.statusOf(set[i].organisation)), 1);
            vm.assertGt(bytes(set[i].nameEn).length, 0);
            total += set[i].power;
        }
        vm.assertTrue(total < 1 << 63);
        for (uint256 i = 0; i < set.length; i++) {
            (uint256 own,) = powerOf(set[i].organisation);
            vm.assertLe(3 * own, total);
        }
    }

    function nodesAndTheSetAgree() private view {
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        uint256 validating = 0;
        uint32 count = nodes.nodeCount();
        for (uint32 n = 1; n <= count; n++) {
            INodes.Node memory node = nodes.nodeOf(n);
            if (!node.validating) continue;
            validating++;
            vm.assertFalse(node.retired);
            // In force, or waiting for a handover.
            INodes.ValidatorKey memory key = nodes.validatorKeyOf(node.validator);
            bool waits = key.first == 0 && nodes.handoverDue() != 0;
            vm.assertTrue(key.last == type(uint64).max || waits);
            bool listed = false;
            for (uint256 i = 0; i < set.length; i++) {
                if (set[i].validator != node.validator) continue;
                listed = true;
                vm.assertEq(set[i].power, node.power);
                vm.assertEq(set[i].organisation, node.organisation);
                vm.assertEq(set[i].node, node.name);
            }
            vm.assertTrue(listed);
        }
        vm.assertEq(validating, set.length);
    }

    /// Who equivocated is out, unless the rules need it.
    function suspendedValidatorsAreOutIfTheRulesAllow() private view {
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        uint32 count = nodes.nodeCount();
        for (uint32 n = 1; n <= count; n++) {
            INodes.Node memory node = nodes.nodeOf(n);
            if (!node.suspended || !node.validating) continue;
            bool needed = set.length == 4;
            for (uint256 i = 0; i < set.length && !needed; i++) {
                (uint256 own, uint256 total) = powerOf(set[i].organisation);
                if (set[i].organisation == node.organisation) own -= node.power;
                needed = 3 * own > total - node.power;
            }
            vm.assertTrue(needed);
        }
    }

    function aKeyBelongsToItsFirstNode() private view {
        uint256 count = handler.keyCount();
        for (uint256 i = 0; i < count; i++) {
            address key = handler.keys(i);
            vm.assertEq(nodes.validatorKeyOf(key).node, handler.owners(key));
            vm.assertGt(handler.owners(key), 0);
        }
    }

    function votersAreCountedAndStay() private view {
        (uint32 members, uint32 active, uint64 position) = organisations.electorate();
        uint256 suspended = 0;
        uint256 count = 0;
        uint32 all = organisations.organisationCount();
        for (uint32 n = 1; n <= all; n++) {
            uint256 word = organisations.standing(n);
            if (uint8(word) == 1 && (word >> 16) & 1 == 1) count++;
            if (uint8(word) == 2 && (word >> 16) & 1 == 1) suspended++;
            vm.assertLe(uint64(word >> 64), position);
        }
        vm.assertEq(active, count);
        vm.assertEq(members, count + suspended);
        vm.assertGe(active, 3);
        vm.assertGe(4 * uint256(active), 3 * uint256(members));
    }

    /// Whatever was executed had what the rule of its time asked for, rule changes what the rule
    /// that they changed asked for.
    function executedMotionsHadTheirVotes() private view {
        uint32 count = motions.motionCount();
        for (uint32 n = 1; n <= count; n++) {
            IMotions.Motion memory motion = motions.motionOf(n);
            bool passed_ = motion.passedAt != 0;
            bool executed = motion.status == uint8(IMotions.Status.Executed);
            vm.assertTrue(passed_ || !executed);
            if (!passed_) continue;
            isEnough(motion, motion.rule);
            isEnough(motion, handler.ruleOf(n));
        }
    }

    function ballotsAddUp() private view {
        uint32 count = motions.motionCount();
        for (uint32 n = 1; n <= count; n++) {
            IMotions.Motion memory motion = motions.motionOf(n);
            IMotions.Ballot[] memory cast = motions.ballots(n, 0, 100);
            uint32[5] memory said;
            for (uint256 i = 0; i < cast.length; i++) {
                said[cast[i].choice]++;
                bool conflict = cast[i].choice == uint8(IMotions.Choice.AbstainForConflict);
                vm.assertTrue(cast[i].organisation != motion.subject || conflict);
                for (uint256 j = 0; j < i; j++) {
                    vm.assertTrue(cast[i].organisation != cast[j].organisation);
                }
            }
            vm.assertEq(said[0], 0);
            vm.assertEq(motion.yes, said[1]);
            vm.assertEq(motion.no, said[2]);
            vm.assertEq(motion.abstained, said[3]);
            vm.assertEq(motion.conflicted, said[4]);
            vm.assertLe(uint256(motion.yes) + motion.no + motion.abstained, motion.base);
        }
    }

    function accountsStayWithinTheirOrganisation() private view {
        uint32 all = organisations.organisationCount();
        for (uint32 n = 1; n <= all; n++) {
            uint256 administrators = 0;
            address[] memory accounts = permissions.accountsOf(n, 0, 100);
            vm.assertEq(accounts.length, permissions.accountCount(n));
            for (uint256 i = 0; i < accounts.length; i++) {
                (uint32 organisation, uint32 bits,) = permissions.accountOf(accounts[i]);
                vm.assertEq(organisation, n);
                vm.assertGt(bits, 0);
                vm.assertEq(bits & ~permissions.organisationPermissions(n), 0);
                if (bits & 16 != 0) administrators++;
            }
            vm.assertEq(permissions.administratorCount(n), administrators);
        }
        vm.assertEq(uint32(permissions.parameters()) & ~uint32(15), 0);
        vm.assertGt(permissions.parameters() >> 32, 0);
    }

    /// A handler whose calls were all refused would prove nothing.
    function test_TheHandlerExecutesMotionsOfEveryKind() public {
        for (uint256 i = 0; i < 600; i++) {
            uint256 a = uint256(keccak256(abi.encode(i)));
            handler.decides(a, a >> 128, a >> 32, a >> 64, a >> 96);
            if (i % 5 == 0) handler.register(a, true);
            if (i % 60 == 0) handler.registerChain(a, i);
            if (i % 40 == 0) handler.equivocate(a, 1, 0);
        }
        for (uint8 kind = 1; kind <= 19; kind++) {
            vm.assertGt(handler.executed(kind), 0, vm.toString(kind));
        }
    }

    function test_TheHandlersCallsAreAccepted() public {
        handler.register(0, true);
        handler.register(0, false);
        vm.assertEq(handler.accepted(nodes.registerNode.selector), 1);
        handler.equivocate(1, 1, 0);
        vm.assertEq(handler.accepted(nodes.submitEvidence.selector), 1);
        handler.rotate(3, 0, 1);
        vm.assertEq(handler.accepted(nodes.rotateValidatorKey.selector), 1);
        handler.rotate(3, 0, 4);
        vm.assertEq(handler.accepted(nodes.rotateValidatorKey.selector), 1);
        handler.propose(0, 18, 1, 1, 1);
        handler.vote(1, 0, 1);
        vm.assertGe(handler.accepted(motions.vote.selector), 1);
        handler.withdraw(0, 0, 1);
        vm.assertEq(handler.accepted(motions.withdraw.selector), 1);
        handler.enrol(0, 1, 1);
        vm.assertEq(handler.accepted(permissions.addAccount.selector), 1);
        handler.grant(0, 1, 1);
        vm.assertEq(handler.accepted(permissions.grant.selector), 1);
    }

    function isEnough(IMotions.Motion memory motion, IMotions.Rule memory rule) private pure {
        uint256 cast = uint256(motion.yes) + motion.no + motion.abstained;
        uint256 base = motion.base;
        vm.assertGt(uint256(motion.yes) * rule.thresholdDenominator, base * rule.thresholdNumerator);
        vm.assertGe(cast * rule.quorumDenominator, base * rule.quorumNumerator);
    }
}
