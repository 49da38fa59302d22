// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {IChains} from "../src/IChains.sol";
import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice What motions of each kind do, and what is refused when it is proposed.
contract ActsTest is World {
    bytes32 private constant TEXT = keccak256("a text");

    function setUp() public {
        found(5);
    }

    function test_AddOrganisation() public {
        decide(IMotions.Kind.AddOrganisation, admission(6));
        vm.assertEq(organisations.organisationCount(), 6);
        vm.assertEq(organisations.organisationByIdentifier(taxId(6)), 6);
        (uint32 organisation, uint32 bits, bool active) = permissions.accountOf(admin(6));
        vm.assertEq(organisation, 6);
        vm.assertEq(bits, ALL);
        vm.assertTrue(active);
        vm.assertEq(permissions.quotaOf(6).gas, FREE);
        // It may act at once, and vote on what comes.
        uint32 motion = proposed(6, IMotions.Kind.Resolve, abi.encode(TEXT));
        vm.assertEq(motions.motionOf(motion).base, 6);
        vote(6, motion, IMotions.Choice.Yes);
    }

    /// Whoever takes the first account of an organisation while its admission is decided does not
    /// keep it out.
    function test_AddOrganisationTakesItsAccountOver() public {
        (address owner, bytes memory data) = joining(2, 61, ALL);
        IMotions.Admission memory given = IMotions.Admission(details(6), ALL, FREE, FREE, owner);
        uint32 motion = proposed(1, IMotions.Kind.AddOrganisation, abi.encode(given));
        passed(motion);
        vm.assertTrue(send(admin(2), address(permissions), data));
        vm.assertEq(permissions.accountCount(2), 2);
        vm.expectEmit(address(permissions));
        emit IPermissions.AccountSet(2, owner, 0, address(motions));
        motions.execute(motion);
        (uint32 organisation, uint32 bits,) = permissions.accountOf(owner);
        vm.assertEq(organisation, 6);
        vm.assertEq(bits, ALL);
        vm.assertEq(permissions.accountCount(2), 1);
        vm.assertEq(permissions.administratorCount(2), 1);
    }

    function test_AddOrganisationRefusesBadDetails() public {
        IMotions.Admission memory bad = IMotions.Admission(details(6), ALL, FREE, FREE, admin(6));
        bad.details.taxId = "12345678";
        refusesMotion(
            IMotions.Kind.AddOrganisation,
            abi.encode(bad),
            abi.encodeWithSelector(IOrganisations.OrganisationsTaxIdInvalid.selector, "12345678")
        );
    }

    function test_SuspendOrganisationTakesItsValidatorsOut() public {
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSetChanged(uint64(NOW));
        // The event of the execution: the rehearsal's are undone.
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        vm.assertEq(uint8(organisations.statusOf(5)), 2);
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertEq(nodes.peers().length, 4);
        vm.assertEq(nodes.nodeOf(5).power, 10);
        vm.assertFalse(nodes.nodeOf(5).retired);
        vm.assertFalse(nodes.nodeOf(5).validating);
        // Back with what it had: who suspends takes nothing for good.
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorAdded(5, wallet(5).addr, 10);
        decide(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)));
        vm.assertEq(nodes.validatorSet().length, 5);
        vm.assertEq(nodes.peers().length, 5);
        (uint256 own, uint256 total) = powerOf(5);
        vm.assertEq(own, 10);
        vm.assertEq(total, 50);
    }

    /// What a suspended organisation would come back with can be taken from it.
    function test_RemoveValidatorOfASuspendedOrganisation() public {
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        decide(IMotions.Kind.RemoveValidator, abi.encode(uint32(5), uint16(4)));
        decide(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)));
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertEq(nodes.peers().length, 5);
    }

    function test_RemoveOrganisationRetiresItsNodes() public {
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(5), uint16(2)));
        vm.assertEq(uint8(organisations.statusOf(5)), 3);
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertTrue(nodes.nodeOf(5).retired);
        vm.assertEq(nodes.nodesOf(5).length, 0);
        refusesMotion(
            IMotions.Kind.ReinstateOrganisation,
            abi.encode(uint32(5), uint16(8)),
            abi.encodeWithSelector(IOrganisations.OrganisationsStatus.selector, 5, 3)
        );
    }

    function test_ASuspensionThatBreaksTheSetIsRefusedAtOnce() public {
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        bytes memory small = abi.encodeWithSignature("SetTooSmall(uint256,uint256)", 4, 3);
        refusesMotion(
            IMotions.Kind.SuspendOrganisation,
            abi.encode(uint32(4), uint16(4)),
            abi.encodeWithSelector(IOrganisations.OrganisationsTooManySuspended.selector, 5, 3)
        );
        refusesMotion(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(4), uint16(4)), small);
        refusesMotion(IMotions.Kind.RemoveValidator, abi.encode(uint32(4), uint16(4)), small);
    }

    function test_AmendOrganisationRenamesItsValidators() public {
        IOrganisations.Details memory renamed = details(3);
        renamed.nameEn = "Guild of Renamers";
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSetChanged(uint64(NOW));
        decide(IMotions.Kind.AmendOrganisation, abi.encode(uint32(3), renamed));
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        for (uint256 i = 0; i < set.length; i++) {
            if (set[i].organisation == 3) vm.assertEq(set[i].nameEn, "Guild of Renamers");
        }
        vm.assertEq(organisations.organisationByIdentifier(taxId(3)), 3);
    }

    function test_AddRemoveAndReinstateValidators() public {
        uint32 node = joined(6);
        decide(IMotions.Kind.AddValidator, abi.encode(node, uint64(10)));
        vm.assertEq(nodes.validatorSet().length, 6);
        decide(IMotions.Kind.AddValidator, abi.encode(node, uint64(5)));
        (uint256 own, uint256 total) = powerOf(6);
        vm.assertEq(own, 5);
        vm.assertEq(total, 55);
        decide(IMotions.Kind.RemoveValidator, abi.encode(node, uint16(2)));
        vm.assertEq(nodes.validatorSet().length, 5);
        vm.assertEq(nodes.nodeOf(node).power, 0);
        refusesMotion(
            IMotions.Kind.RemoveValidator,
            abi.encode(node, uint16(2)),
            abi.encodeWithSelector(INodes.NodesNotValidator.selector, node)
        );
        refusesMotion(
            IMotions.Kind.ReinstateValidator,
            abi.encode(node),
            abi.encodeWithSelector(INodes.NodesNotValidator.selector, node)
        );
        refusesMotion(
            IMotions.Kind.AddValidator,
            abi.encode(node, uint64(0)),
            abi.encodeWithSelector(INodes.NodesPowerZero.selector)
        );
        refusesMotion(
            IMotions.Kind.AddValidator,
            abi.encode(uint32(99), uint64(1)),
            abi.encodeWithSelector(INodes.NodesUnknown.selector, 99)
        );
    }

    function test_SetRuleChangesWhatComes() public {
        uint32 before = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        IMotions.Rule memory rule = IMotions.Rule(1, 1, 4, 5, 1 days, 2 days, 1 hours);
        uint32 motion = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(18), rule));
        for (uint32 n = 1; n <= 3; n++) {
            vote(n, motion, IMotions.Choice.Yes);
        }
        // More than two thirds of five are four.
        vm.assertEq(uint8(motions.statusOf(motion)), uint8(IMotions.Status.Open));
        vote(4, motion, IMotions.Choice.Yes);
        vm.warp(NOW + DELAY);
        vm.expectEmit(address(motions));
        emit IMotions.RuleSet(18, rule);
        motions.execute(motion);
        // The rule in force when it was proposed decides.
        vm.assertEq(motions.motionOf(before).rule.thresholdDenominator, 2);
        uint32 later = proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        IMotions.Motion memory found = motions.motionOf(later);
        vm.assertEq(found.rule.thresholdDenominator, 5);
        vm.assertEq(found.deadline, NOW + DELAY + 1 days);
    }

    function test_ARuleChangeNeedsWhatTheOldRuleAsksFor() public {
        IMotions.Rule memory strict = IMotions.Rule(1, 1, 4, 5, VOTING, 3 days, WINDOW);
        decide(IMotions.Kind.SetRule, abi.encode(uint8(18), strict));
        IMotions.Rule memory easy = IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
        uint32 motion = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(18), easy));
        IMotions.Rule memory asked = motions.motionOf(motion).rule;
        vm.assertEq(abi.encode(asked), abi.encode(strict));
        for (uint32 n = 1; n <= 4; n++) {
            vote(n, motion, IMotions.Choice.Yes);
        }
        // Four of five are not more than four fifths.
        vm.assertEq(uint8(motions.statusOf(motion)), uint8(IMotions.Status.Open));
        // Rules of other kinds keep what the kind of rule changes asks for.
        motion = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(17), easy));
        asked = motions.motionOf(motion).rule;
        vm.assertEq(abi.encode(asked), abi.encode(IMotions.Rule(3, 4, 2, 3, VOTING, DELAY, WINDOW)));
    }

    function test_RefusesUnsoundRules() public {
        refusesQuorum(0, 1);
        refusesQuorum(2, 1);
        refusesQuorum(1, 0);
        refusesThreshold(1, 1);
        refusesThreshold(2, 1);
        refusesThreshold(0, 0);
        refusesThreshold(49, 100);
        refusesTimes(59, 0, WINDOW, 60, 90 days, 59);
        refusesTimes(90 days + 1, 0, WINDOW, 60, 90 days, 90 days + 1);
        refusesTimes(VOTING, 30 days + 1, WINDOW, 0, 30 days, 30 days + 1);
        refusesTimes(VOTING, 0, 59, 60, 90 days, 59);
        refusesTimes(VOTING, 0, 90 days + 1, 60, 90 days, 90 days + 1);
        IMotions.Rule memory rule = IMotions.Rule(1, 1, 99, 100, 60, 30 days, 60);
        refusesMotion(
            IMotions.Kind.SetRule,
            abi.encode(uint8(0), rule),
            abi.encodeWithSelector(IMotions.MotionsKindOutOfRange.selector, 19, 0)
        );
        proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(1), rule));
    }

    function test_SetQuotaPermissionsAndPeriod() public {
        decide(IMotions.Kind.SetQuota, abi.encode(uint32(2), uint64(5), uint64(6)));
        vm.assertEq(permissions.quotas(2), (uint256(6) << 64) | 5);
        decide(IMotions.Kind.SetQuota, abi.encode(uint32(0), uint64(7), uint64(8)));
        vm.assertEq(permissions.quotas(0), (uint256(8) << 64) | 7);
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), uint32(17)));
        vm.assertEq(permissions.organisationPermissions(2), 17);
        decide(IMotions.Kind.SetPublicPermissions, abi.encode(uint32(5)));
        decide(IMotions.Kind.SetPeriod, abi.encode(uint32(60)));
        vm.assertEq(permissions.parameters(), (uint256(60) << 32) | 5);
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(3), STRANGER, uint32(16)));
        vm.assertEq(permissions.accounts(STRANGER), (uint256(16) << 32) | 3);
    }

    function test_SetAlgorithm() public {
        bytes memory arguments = abi.encode(uint32(0x12), uint16(256), uint8(2), uint64(NOW + 9));
        decide(IMotions.Kind.SetAlgorithm, arguments);
        (, IAttestations.Status status) = book.algorithmOf(0x12);
        vm.assertEq(uint8(status), 2);
        vm.assertEq(book.reliedUntil(0x12), NOW + 9);
        refusesMotion(
            IMotions.Kind.SetAlgorithm,
            abi.encode(uint32(0x12), uint16(512), uint8(2), uint64(0)),
            abi.encodeWithSelector(IAttestations.AttestationsBitsFixed.selector, 0x12, 256, 512)
        );
    }

    function test_SetChain() public {
        vm.prank(admin(2));
        uint32 chain = chains.register("eip155:1", "ethereum", "");
        uint32 motion = decide(IMotions.Kind.SetChain, abi.encode(chain, uint32(3), uint8(1)));
        vm.assertEq(chains.chainOf(chain).operator, 3);
        // The operator that loses the record is the one that must abstain.
        vm.assertEq(motions.motionOf(motion).subject, 2);
        refusesMotion(
            IMotions.Kind.SetChain,
            abi.encode(uint32(9), uint32(3), uint8(1)),
            abi.encodeWithSelector(IChains.ChainsUnknown.selector, 9)
        );
    }

    function test_ResolveNeedsAHash() public {
        refusesMotion(
            IMotions.Kind.Resolve,
            abi.encode(bytes32(0)),
            abi.encodeWithSelector(IMotions.MotionsNoHash.selector)
        );
    }

    /// Who is affected by a motion and must abstain, and whether it counts: SPEC §13.6.
    function test_SubjectsOfMotions() public {
        isSubject(IMotions.Kind.AddOrganisation, admission(6), 0, 5);
        isSubject(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(3), uint16(1)), 3, 5);
        isSubject(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(3), uint16(1)), 3, 5);
        isSubject(IMotions.Kind.AmendOrganisation, abi.encode(uint32(3), details(3)), 3, 4);
        isSubject(IMotions.Kind.AddValidator, abi.encode(uint32(4), uint64(9)), 4, 5);
        isSubject(IMotions.Kind.AddValidator, abi.encode(uint32(4), uint64(10)), 4, 4);
        isSubject(IMotions.Kind.RemoveValidator, abi.encode(uint32(4), uint16(1)), 4, 5);
        isSubject(IMotions.Kind.SetQuota, abi.encode(uint32(3), FREE, FREE), 3, 4);
        isSubject(IMotions.Kind.SetQuota, abi.encode(uint32(0), FREE, FREE), 0, 5);
        isSubject(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(3), ALL), 3, 5);
        isSubject(IMotions.Kind.SetAccount, abi.encode(uint32(3), STRANGER, ALL), 3, 5);
        isSubject(IMotions.Kind.SetPublicPermissions, abi.encode(uint32(1)), 0, 5);
        isSubject(IMotions.Kind.SetPeriod, abi.encode(uint32(1)), 0, 5);
    }

    /// Suspended members are members: nothing becomes a larger part of the others.
    function test_TheBaseIsAllMembers() public {
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(4)));
        isSubject(IMotions.Kind.Resolve, abi.encode(TEXT), 0, 5);
        isSubject(IMotions.Kind.SetQuota, abi.encode(uint32(3), FREE, FREE), 3, 4);
        isSubject(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(5), uint16(1)), 5, 5);
        isSubject(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)), 5, 4);
    }

    function isSubject(IMotions.Kind kind, bytes memory arguments, uint32 subject, uint32 base)
        private
    {
        uint32 motion = proposed(1, kind, arguments);
        vm.assertEq(motions.motionOf(motion).subject, subject);
        vm.assertEq(motions.motionOf(motion).base, base);
    }

    function refusesQuorum(uint16 part, uint16 whole) private {
        refusesMotion(
            IMotions.Kind.SetRule,
            abi.encode(uint8(1), IMotions.Rule(part, whole, 1, 2, VOTING, 0, WINDOW)),
            abi.encodeWithSelector(IMotions.MotionsQuorumOutOfRange.selector, part, whole)
        );
    }

    function refusesThreshold(uint16 part, uint16 whole) private {
        refusesMotion(
            IMotions.Kind.SetRule,
            abi.encode(uint8(1), IMotions.Rule(1, 2, part, whole, VOTING, 0, WINDOW)),
            abi.encodeWithSelector(IMotions.MotionsThresholdOutOfRange.selector, part, whole)
        );
    }

    function refusesTimes(
        uint32 period,
        uint32 delay,
        uint32 window,
        uint256 min,
        uint256 max,
        uint256 got
    ) private {
        refusesMotion(
            IMotions.Kind.SetRule,
            abi.encode(uint8(1), IMotions.Rule(1, 2, 1, 2, period, delay, window)),
            abi.encodeWithSelector(IMotions.MotionsTimeOutOfRange.selector, min, max, got)
        );
    }
}
