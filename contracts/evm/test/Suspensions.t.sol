// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {Constitution} from "./Constitution.sol";

/// @notice That no part of the members gets rid of the others piece by piece.
contract SuspensionsTest is Constitution {
    uint256 private constant EMERGENCY_WINDOW = 30 days;

    function test_HalfCannotSuspendTheOtherHalf() public {
        found(8);
        for (uint32 n = 5; n <= 8; n++) {
            vm.assertFalse(agreed(4, suspension(n)));
        }
        isActive(8);
    }

    /// One is fast, all others need what a removal needs, whenever they were proposed.
    function test_AMajoritySuspendsOne() public {
        found(8);
        uint32[3] memory all;
        for (uint32 i = 0; i < 3; i++) {
            all[i] = suspension(6 + i);
            vm.assertTrue(agreed(5, all[i]));
        }
        motions.execute(all[0]);
        (uint32 organisation, uint64 time) = motions.emergency();
        vm.assertEq(organisation, 6);
        vm.assertEq(time, NOW);
        for (uint256 i = 1; i < 3; i++) {
            refuses(STRANGER, address(motions), executing(all[i]), afterAnother(6, NOW));
        }
        isActive(7);
        // A new one is held to the rule for removals: five of eight are not enough, six are.
        uint32 second = suspension(8);
        vm.assertFalse(agreed(5, second));
        IMotions.Rule memory rule = motions.motionOf(second).rule;
        vm.assertEq(
            abi.encode(rule), abi.encode(motions.ruleOf(uint8(IMotions.Kind.RemoveOrganisation)))
        );
        vm.prank(admin(7));
        motions.vote(second, 1);
        vm.assertEq(uint8(motions.statusOf(second)), uint8(IMotions.Status.Passed));
        vm.warp(NOW + DELAY);
        motions.execute(second);
        isActive(6);
    }

    function test_FiveOfSevenAndThreeOfFiveNeither() public {
        uint256 empty = vm.snapshotState();
        for (uint32 n = 5; n <= 7; n++) {
            vm.revertToState(empty);
            found(n);
            uint32 majority = n / 2 + 1;
            uint32 first = suspension(n);
            uint32 second = suspension(n - 1);
            vm.assertTrue(agreed(majority, first));
            vm.assertTrue(agreed(majority, second));
            motions.execute(first);
            (bool done,) = answer(STRANGER, address(motions), executing(second));
            vm.assertFalse(done);
            isActive(n - 1);
        }
    }

    /// Turns do not help: who was reinstated, and the time since, count.
    function test_TheNextEmergencyIsAfterTheWindow() public {
        found(8);
        suspends(6);
        pass(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(6), uint16(8)));
        uint32 other = suspension(7);
        vm.assertFalse(agreed(5, other));
        vm.warp(NOW + EMERGENCY_WINDOW - 1);
        vm.assertFalse(agreed(5, suspension(7)));
        vm.warp(NOW + EMERGENCY_WINDOW);
        suspends(7);
        // It lasts, and so does the limit.
        vm.warp(NOW + 5 * EMERGENCY_WINDOW);
        vm.assertFalse(agreed(5, suspension(8)));
        isActive(7);
    }

    /// A motion that passed before another was carried out waits until it may be.
    function test_APassedMotionDoesNotGoRound() public {
        found(8);
        IMotions.Rule memory rule = IMotions.Rule(1, 2, 1, 2, VOTING, 0, 90 days);
        pass(IMotions.Kind.SetRule, abi.encode(uint8(2), rule));
        uint32 first = suspension(7);
        uint32 second = suspension(8);
        vm.assertTrue(agreed(5, first));
        vm.assertTrue(agreed(5, second));
        uint256 start = block.timestamp;
        motions.execute(first);
        pass(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(7), uint16(8)));
        refuses(STRANGER, address(motions), executing(second), afterAnother(7, start));
        vm.warp(start + EMERGENCY_WINDOW);
        motions.execute(second);
        isActive(7);
    }

    /// Who has neither a vote nor validators can be suspended as often as the rule says.
    function test_OrganisationsWithoutWeightAreNoOnesShare() public {
        found(5);
        for (uint32 n = 6; n <= 8; n++) {
            IOrganisations.Details memory silent = details(n);
            silent.votes = false;
            pass(
                IMotions.Kind.AddOrganisation,
                abi.encode(IMotions.Admission(silent, ALL, FREE, FREE, admin(n)))
            );
        }
        uint32 node = registered(8, 8);
        suspends(6);
        (uint32 organisation,) = motions.emergency();
        vm.assertEq(organisation, 0);
        suspends(5);
        suspends(7);
        // One that validates has power.
        pass(IMotions.Kind.AddValidator, abi.encode(node, uint64(10)));
        vm.assertFalse(agreed(3, suspension(8)));
    }

    /// What is against a member counts it: five of eight are not more than two thirds of it.
    function test_NothingHeavyIsDoneToAMemberByLess() public {
        found(8);
        notByFive(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(8), uint16(4)));
        notByFive(IMotions.Kind.RemoveValidator, abi.encode(uint32(8), uint16(4)));
        notByFive(IMotions.Kind.AddValidator, abi.encode(uint32(8), uint64(1)));
        notByFive(IMotions.Kind.SetAccount, abi.encode(uint32(8), STRANGER, ALL));
        notByFive(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(8), uint32(1)));
        // In its favour five of seven are.
        uint32 motion = proposed(1, IMotions.Kind.AddValidator, abi.encode(uint32(8), uint64(11)));
        vm.assertFalse(agreed(5, motion));
        vote(6, motion, IMotions.Choice.Yes);
        vm.assertEq(uint8(motions.statusOf(motion)), uint8(IMotions.Status.Passed));
    }

    /// Suspended members stay in the base: three of the four others are not two thirds of five.
    function test_TheOthersAreNoLargerPart() public {
        found(5);
        suspends(5);
        vm.assertFalse(agreed(3, proposed(1, IMotions.Kind.AddOrganisation, admission(6))));
        vm.assertTrue(agreed(4, proposed(1, IMotions.Kind.AddOrganisation, admission(6))));
    }

    /// Three quarters stay active, so that heavy motions can always pass.
    function test_SuspensionsLeaveAQuorum() public {
        found(9);
        suspends(9);
        pass(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(8), uint16(4)));
        refusesMotion(
            IMotions.Kind.SuspendOrganisation,
            abi.encode(uint32(7), uint16(4)),
            abi.encodeWithSelector(IOrganisations.OrganisationsTooManySuspended.selector, 9, 6)
        );
        // Who is suspended can be removed, and that makes room.
        pass(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(8), uint16(4)));
        pass(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(7), uint16(4)));
        isActive(6);
    }

    /// Among three, nothing heavy could be decided about one of them if it counted.
    function test_AmongThreeTheSubjectDoesNotCount() public {
        found(3);
        uint32 motion = proposed(1, IMotions.Kind.SetAccount, abi.encode(uint32(3), STRANGER, ALL));
        vm.assertTrue(agreed(2, motion));
    }

    function notByFive(IMotions.Kind kind, bytes memory arguments) private {
        uint32 motion = proposed(1, kind, arguments);
        vm.assertFalse(agreed(5, motion));
        vote(6, motion, IMotions.Choice.Yes);
        vm.assertEq(uint8(motions.statusOf(motion)), uint8(IMotions.Status.Passed));
    }

    function suspension(uint32 organisation) private returns (uint32) {
        return proposed(1, IMotions.Kind.SuspendOrganisation, abi.encode(organisation, uint16(4)));
    }

    /// By a bare majority.
    function suspends(uint32 organisation) private {
        uint32 motion = suspension(organisation);
        (uint32 members,,) = organisations.electorate();
        vm.assertTrue(agreed(members / 2 + 1, motion));
        motions.execute(motion);
    }

    /// By everybody.
    function pass(IMotions.Kind kind, bytes memory arguments) private {
        decide(kind, arguments);
    }

    /// Whether it has passed once the first `count` organisations said yes.
    function agreed(uint32 count, uint32 motion) private returns (bool) {
        for (uint32 n = 1; n <= count; n++) {
            if (motions.motionOf(motion).passedAt == 0) vote(n, motion, IMotions.Choice.Yes);
        }
        return motions.motionOf(motion).passedAt != 0;
    }

    function isActive(uint256 count) private view {
        (, uint32 active,) = organisations.electorate();
        vm.assertEq(active, count);
    }

    function executing(uint32 motion) private pure returns (bytes memory) {
        return abi.encodeCall(motions.execute, (motion));
    }

    function afterAnother(uint32 organisation, uint256 time) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IMotions.MotionsSuspensionAfterAnother.selector, organisation, time + EMERGENCY_WINDOW
        );
    }
}
