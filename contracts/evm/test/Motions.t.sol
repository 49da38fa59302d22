// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice How a motion is proposed, voted on, withdrawn and executed.
contract MotionsTest is World {
    bytes32 private constant TEXT = keccak256("a text");

    function setUp() public {
        found(5);
    }

    function test_AMotionGoesItsWay() public {
        bytes memory arguments = abi.encode(TEXT);
        vm.expectEmit(address(motions));
        emit IMotions.MotionProposed(1, 18, 2, admin(2), 0, uint64(NOW + VOTING), arguments);
        uint32 motion = proposed(2, IMotions.Kind.Resolve, arguments);
        vm.assertEq(motion, 1);
        vm.assertEq(motions.motionCount(), 1);
        vm.expectEmit(address(motions));
        emit IMotions.VoteCast(1, 1, admin(1), 1);
        vote(1, motion, IMotions.Choice.Yes);
        vote(2, motion, IMotions.Choice.Yes);
        has(motion, IMotions.Status.Open);
        vm.expectEmit(address(motions));
        emit IMotions.MotionPassed(1, uint64(NOW), uint64(NOW + WINDOW));
        vote(3, motion, IMotions.Choice.Yes);
        has(motion, IMotions.Status.Executable);
        vm.expectEmit(address(motions));
        emit IMotions.Resolved(TEXT);
        vm.expectEmit(address(motions));
        emit IMotions.MotionExecuted(1, 18, STRANGER);
        vm.prank(STRANGER);
        motions.execute(motion);
        has(motion, IMotions.Status.Executed);
        IMotions.Motion memory found = motions.motionOf(motion);
        vm.assertEq(found.kind, 18);
        vm.assertEq(found.organisation, 2);
        vm.assertEq(found.account, admin(2));
        vm.assertEq(found.base, 5);
        vm.assertEq(found.yes, 3);
        vm.assertEq(found.height, 1);
        vm.assertEq(found.endHeight, 1);
        vm.assertEq(found.arguments, arguments);
    }

    function test_ProposingTakesAVoter() public {
        bytes memory data = abi.encodeCall(motions.propose, (18, abi.encode(TEXT)));
        refuses(STRANGER, address(motions), data, missing(STRANGER));
        address clerk = enrolled(1, 60, ALL - 32);
        refuses(clerk, address(motions), data, missing(clerk));
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        refuses(admin(5), address(motions), data, notActive(5));
    }

    function test_RefusesAKindThatIsNone() public {
        bytes memory reason =
            abi.encodeWithSelector(IMotions.MotionsKindOutOfRange.selector, 19, uint8(0));
        bytes memory data = abi.encodeCall(motions.propose, (0, ""));
        refuses(admin(1), address(motions), data, reason);
        reason = abi.encodeWithSelector(IMotions.MotionsKindOutOfRange.selector, 19, uint8(20));
        data = abi.encodeCall(motions.propose, (20, ""));
        refuses(admin(1), address(motions), data, reason);
        vm.expectRevert(reason);
        motions.ruleOf(20);
    }

    function test_RefusesArgumentsOfAnotherLength() public {
        for (uint8 kind = 1; kind <= 19; kind++) {
            bytes memory data = abi.encodeCall(motions.propose, (kind, new bytes(33)));
            vm.assertFalse(send(admin(1), address(motions), data));
        }
        refusesMotion(
            IMotions.Kind.Resolve,
            abi.encode(TEXT, TEXT),
            abi.encodeWithSelector(IMotions.MotionsArgumentsLength.selector, 32, 64)
        );
        refusesMotion(
            IMotions.Kind.Resolve,
            new bytes(4097),
            abi.encodeWithSelector(IMotions.MotionsArgumentsLength.selector, 4096, 4097)
        );
    }

    function test_RefusesArgumentsThatAreNotCanonical() public {
        bytes memory reason = abi.encodeWithSelector(IMotions.MotionsArgumentsNotCanonical.selector);
        refusesMotion(
            IMotions.Kind.AddOrganisation, abi.encodePacked(admission(6), bytes32(0)), reason
        );
        refusesMotion(
            IMotions.Kind.AmendOrganisation,
            abi.encodePacked(abi.encode(uint32(2), details(2)), bytes32(0)),
            reason
        );
        proposed(1, IMotions.Kind.AddOrganisation, admission(6));
    }

    function test_AnOrganisationVotesOnce() public {
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        vote(1, motion, IMotions.Choice.No);
        refuses(
            enrolled(1, 60, 32),
            address(motions),
            abi.encodeCall(motions.vote, (motion, 1)),
            abi.encodeWithSelector(IMotions.MotionsAlreadyVoted.selector, motion, 1)
        );
        IMotions.Ballot memory ballot = motions.ballotOf(motion, 1);
        vm.assertEq(ballot.choice, 2);
        vm.assertEq(ballot.account, admin(1));
        vm.assertEq(ballot.time, NOW);
        vm.assertEq(motions.ballotOf(motion, 2).choice, 0);
    }

    function test_RefusesAChoiceThatIsNone() public {
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        for (uint256 i = 0; i < 2; i++) {
            uint8 choice = i == 0 ? 0 : 5;
            refuses(
                admin(2),
                address(motions),
                abi.encodeCall(motions.vote, (motion, choice)),
                abi.encodeWithSelector(IMotions.MotionsChoiceOutOfRange.selector, 4, choice)
            );
        }
    }

    function test_RefusesVotesOfThoseWhoMayNot() public {
        // Organisation 6 has no vote, 7 joins after the motion.
        IOrganisations.Details memory silent = details(6);
        silent.votes = false;
        decide(
            IMotions.Kind.AddOrganisation,
            abi.encode(IMotions.Admission(silent, ALL, FREE, FREE, admin(6)))
        );
        uint32 motion = proposed(6, IMotions.Kind.Resolve, abi.encode(TEXT));
        vm.assertEq(motions.motionOf(motion).base, 5);
        refusesVote(motion, 6);
        decide(IMotions.Kind.AddOrganisation, admission(7));
        refusesVote(motion, 7);
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        bytes memory data = abi.encodeCall(motions.vote, (motion, 1));
        refuses(admin(5), address(motions), data, notActive(5));
        // Back after the motion: it was not among those who were counted on.
        decide(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)));
        refusesVote(motion, 5);
        vote(1, motion, IMotions.Choice.Yes);
        refuses(STRANGER, address(motions), data, missing(STRANGER));
    }

    function test_TheSubjectMustAbstain() public {
        uint32 motion =
            proposed(1, IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        vm.assertEq(motions.motionOf(motion).subject, 5);
        vm.assertEq(motions.motionOf(motion).base, 5);
        for (uint8 choice = 1; choice <= 3; choice++) {
            refuses(
                admin(5),
                address(motions),
                abi.encodeCall(motions.vote, (motion, choice)),
                abi.encodeWithSelector(IMotions.MotionsConflict.selector, 5)
            );
        }
        vote(5, motion, IMotions.Choice.AbstainForConflict);
        vm.assertEq(motions.motionOf(motion).base, 5);
        vm.assertEq(motions.motionOf(motion).conflicted, 1);
    }

    function test_AConflictLeavesTheBase() public {
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        vote(1, motion, IMotions.Choice.Yes);
        vote(2, motion, IMotions.Choice.Yes);
        has(motion, IMotions.Status.Open);
        // Two of four are not more than half, two of three are.
        vote(3, motion, IMotions.Choice.AbstainForConflict);
        has(motion, IMotions.Status.Open);
        vote(4, motion, IMotions.Choice.AbstainForConflict);
        has(motion, IMotions.Status.Executable);
        vm.assertEq(motions.motionOf(motion).base, 3);
    }

    function test_AbstentionsCountForTheQuorumOnly() public {
        // Three quarters must take part, more than half must agree: three of five is not enough.
        IMotions.Rule memory rule = IMotions.Rule(3, 4, 1, 2, VOTING, 0, WINDOW);
        decide(IMotions.Kind.SetRule, abi.encode(uint8(18), rule));
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        for (uint32 n = 1; n <= 3; n++) {
            vote(n, motion, IMotions.Choice.Yes);
        }
        has(motion, IMotions.Status.Open);
        vote(4, motion, IMotions.Choice.Abstain);
        has(motion, IMotions.Status.Executable);
    }

    function test_TooFewVotesReject() public {
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        vote(1, motion, IMotions.Choice.Yes);
        vote(2, motion, IMotions.Choice.Yes);
        vote(3, motion, IMotions.Choice.No);
        vm.warp(NOW + VOTING);
        has(motion, IMotions.Status.Open);
        vm.warp(NOW + VOTING + 1);
        has(motion, IMotions.Status.Rejected);
        bytes memory data = abi.encodeCall(motions.vote, (motion, 1));
        refuses(admin(4), address(motions), data, status(motion, IMotions.Status.Rejected));
        data = abi.encodeCall(motions.execute, (motion));
        refuses(STRANGER, address(motions), data, status(motion, IMotions.Status.Rejected));
        data = abi.encodeCall(motions.withdraw, (motion, 1));
        refuses(admin(1), address(motions), data, status(motion, IMotions.Status.Rejected));
    }

    function test_ExecutionWaitsForTheDelayAndEndsWithTheWindow() public {
        uint32 motion = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(18), anyRule()));
        passed(motion);
        has(motion, IMotions.Status.Passed);
        bytes memory data = abi.encodeCall(motions.execute, (motion));
        refuses(STRANGER, address(motions), data, status(motion, IMotions.Status.Passed));
        vm.warp(NOW + DELAY);
        has(motion, IMotions.Status.Executable);
        vm.warp(NOW + DELAY + WINDOW);
        has(motion, IMotions.Status.Executable);
        vm.warp(NOW + DELAY + WINDOW + 1);
        has(motion, IMotions.Status.Expired);
        refuses(STRANGER, address(motions), data, status(motion, IMotions.Status.Expired));
    }

    function test_NothingIsExecutedTwice() public {
        uint32 motion = decide(IMotions.Kind.Resolve, abi.encode(TEXT));
        bytes memory data = abi.encodeCall(motions.execute, (motion));
        refuses(STRANGER, address(motions), data, status(motion, IMotions.Status.Executed));
    }

    function test_TheProposerWithdraws() public {
        uint32 motion = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        bytes memory data = abi.encodeCall(motions.withdraw, (motion, 2));
        refuses(
            admin(2),
            address(motions),
            data,
            abi.encodeWithSelector(IMotions.MotionsNotProposer.selector, 1, 2)
        );
        refuses(STRANGER, address(motions), data, missing(STRANGER));
        for (uint256 i = 0; i < 2; i++) {
            uint16 reason = i == 0 ? 0 : 9;
            refuses(
                admin(1),
                address(motions),
                abi.encodeCall(motions.withdraw, (motion, reason)),
                abi.encodeWithSignature("SystemReasonOutOfRange(uint16,uint16)", 8, reason)
            );
        }
        vm.expectEmit(address(motions));
        emit IMotions.MotionWithdrawn(motion, 2, admin(1));
        vm.assertTrue(send(admin(1), address(motions), data));
        has(motion, IMotions.Status.Withdrawn);
        vm.assertEq(motions.motionOf(motion).reason, 2);
        refuses(admin(1), address(motions), data, status(motion, IMotions.Status.Withdrawn));
    }

    /// What was decided is not its proposer's any more.
    function test_APassedMotionIsNotWithdrawn() public {
        uint32 motion = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(18), anyRule()));
        passed(motion);
        bytes memory data = abi.encodeCall(motions.withdraw, (motion, 2));
        refuses(admin(1), address(motions), data, status(motion, IMotions.Status.Passed));
        vm.warp(NOW + DELAY);
        refuses(admin(1), address(motions), data, status(motion, IMotions.Status.Executable));
        motions.execute(motion);
    }

    function test_AFailingMotionStaysExecutable() public {
        // Two motions for the same organisation: the second fails while the first stands.
        uint32 first = proposed(1, IMotions.Kind.AddOrganisation, admission(6));
        uint32 second = proposed(2, IMotions.Kind.AddOrganisation, admission(6));
        passed(first);
        passed(second);
        motions.execute(first);
        bytes memory data = abi.encodeCall(motions.execute, (second));
        bytes memory reason = abi.encodeWithSelector(
            IOrganisations.OrganisationsIdentifierTaken.selector, taxId(6), 6
        );
        refuses(STRANGER, address(motions), data, reason);
        has(second, IMotions.Status.Executable);
        // Its cause is gone: it can be carried out.
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(6), uint16(2)));
        motions.execute(second);
        vm.assertEq(organisations.organisationCount(), 7);
    }

    function test_NobodyElseRehearsesOrActs() public {
        bytes[8] memory calls = [
            abi.encodeCall(motions.rehearse, (18, abi.encode(TEXT))),
            abi.encodeCall(motions.resolve, (TEXT)),
            abi.encodeCall(motions.setRule, (18, anyRule())),
            abi.encodeCall(motions.suspendOrganisation, (1, 1)),
            abi.encodeCall(motions.removeOrganisation, (1, 1)),
            abi.encodeCall(motions.reinstateOrganisation, (1, 1)),
            abi.encodeCall(motions.amendOrganisation, (1, details(1))),
            abi.encodeCall(
                motions.addOrganisation, (IMotions.Admission(details(6), ALL, FREE, FREE, admin(6)))
            )
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            refusesStrangers(address(motions), calls[i]);
        }
    }

    function test_ARehearsalLeavesNothing() public {
        proposed(1, IMotions.Kind.AddOrganisation, admission(6));
        vm.assertEq(organisations.organisationCount(), 5);
        vm.assertEq(organisations.organisationByIdentifier(taxId(6)), 0);
        vm.assertEq(permissions.accounts(admin(6)), 0);
        // Whoever rehearses, and whatever comes of it, it is undone.
        refuses(
            address(motions),
            address(motions),
            abi.encodeCall(motions.rehearse, (1, admission(6))),
            abi.encodeWithSelector(IMotions.MotionsRehearsed.selector)
        );
        vm.assertEq(organisations.organisationCount(), 5);
    }

    function test_RefusesUnknownMotions() public {
        bytes memory reason = abi.encodeWithSelector(IMotions.MotionsUnknown.selector, 1);
        refuses(admin(1), address(motions), abi.encodeCall(motions.vote, (1, 1)), reason);
        refuses(admin(1), address(motions), abi.encodeCall(motions.execute, (1)), reason);
        refuses(admin(1), address(motions), abi.encodeCall(motions.withdraw, (1, 1)), reason);
        vm.expectRevert(reason);
        motions.motionOf(1);
        vm.expectRevert(reason);
        motions.statusOf(1);
    }

    function anyRule() private pure returns (IMotions.Rule memory) {
        return IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
    }

    function has(uint32 motion, IMotions.Status expected) private view {
        vm.assertEq(uint8(motions.statusOf(motion)), uint8(expected));
        vm.assertEq(motions.motionOf(motion).status, uint8(expected));
    }

    function refusesVote(uint32 motion, uint32 by) private {
        refuses(
            admin(by),
            address(motions),
            abi.encodeCall(motions.vote, (motion, 1)),
            abi.encodeWithSelector(IMotions.MotionsNoVote.selector, by)
        );
    }

    function status(uint32 motion, IMotions.Status found) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMotions.MotionsStatus.selector, motion, found);
    }

    function missing(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, account, 32);
    }

    function notActive(uint32 organisation) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IPermissions.PermissionsOrganisationNotActive.selector, organisation, 2
        );
    }
}
