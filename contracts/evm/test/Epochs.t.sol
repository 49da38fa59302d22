// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {Equivocating} from "./Equivocating.sol";
import {Rotating} from "./Rotating.sol";

/// @notice When changes of the validator set take effect.
contract EpochsTest is Rotating, Equivocating {
    uint32 private constant EPOCH = 3600;
    /// End of the epoch that the tests begin in.
    uint256 private constant END = (NOW / EPOCH + 1) * EPOCH;

    function setUp() public {
        found(5);
        // Length of an epoch: bits 96-127 of slot 1.
        bytes32 place_ = bytes32(uint256(1));
        uint256 word = uint256(vm.load(address(nodes), place_));
        vm.store(address(nodes), place_, bytes32(word | (uint256(EPOCH) << 96)));
        vm.assertEq(nodes.epochLength(), EPOCH);
        vm.roll(10);
    }

    function test_AllChangesOfAnEpochAreOneHandover() public {
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSetChanged(uint64(END));
        rotateValidator(2, 2, 30);
        vm.assertEq(nodes.handoverDue(), END);
        endBlock();
        vm.warp(END - 1);
        rotateValidator(3, 3, 31);
        decide(IMotions.Kind.AddValidator, abi.encode(uint32(4), uint64(9)));
        endBlock();
        vm.assertEq(nodes.handoverDue(), END);
        // The old keys are in force, and answer for it.
        inForce(wallet(2).addr, 1, type(uint64).max);
        inForce(wallet(30).addr, 0, 0);
        vm.warp(END);
        vm.roll(20);
        endBlock();
        vm.assertEq(nodes.handoverDue(), 0);
        inForce(wallet(2).addr, 1, 20);
        inForce(wallet(3).addr, 1, 20);
        inForce(wallet(30).addr, 21, type(uint64).max);
        inForce(wallet(4).addr, 1, type(uint64).max);
        // The next epoch has its own.
        rotateValidator(2, 2, 32);
        vm.assertEq(nodes.handoverDue(), END + EPOCH);
    }

    function test_OneRotationOfAValidatorInAnEpoch() public {
        rotateValidator(2, 2, 30);
        endBlock();
        INodes.Registration memory key = registration(31);
        uint64 deadline = uint64(END);
        INodes.Signature memory proof = validatorProof(2, 31, deadline);
        bytes memory data = abi.encodeCall(
            nodes.rotateValidatorKey, (2, key.validatorX, key.validatorY, proof, deadline)
        );
        bytes memory reason = abi.encodeWithSelector(INodes.NodesRotatedRecently.selector, END);
        refuses(admin(2), address(nodes), data, reason);
        vm.warp(END);
        endBlock();
        vm.assertTrue(send(admin(2), address(nodes), data));
    }

    /// Proven equivocation waits for nothing, and what has changed goes with it.
    function test_AnEquivocatorLeavesAtOnce() public {
        rotateValidator(3, 3, 30);
        endBlock();
        nodes.submitEvidence(votes(2, 5, 0));
        vm.assertEq(nodes.handoverDue(), NOW);
        endBlock();
        inForce(wallet(2).addr, 1, 11);
        inForce(wallet(3).addr, 1, 11);
        inForce(wallet(30).addr, 12, type(uint64).max);
        vm.assertEq(nodes.handoverDue(), 0);
    }

    /// Who is to leave with the epoch validates until then, answers for it, and leaves at once.
    function test_WhoIsToLeaveStillAnswers() public {
        decide(IMotions.Kind.RemoveValidator, abi.encode(uint32(2), uint16(2)));
        endBlock();
        vm.roll(30);
        nodes.submitEvidence(votes(2, 29, 0));
        vm.assertEq(nodes.offenceCount(), 1);
        vm.assertEq(nodes.handoverDue(), NOW);
        endBlock();
        inForce(wallet(2).addr, 1, 30);
        nodes.submitEvidence(votes(2, 29, 1));
        vm.assertEq(nodes.handoverDue(), 0);
    }

    function test_ASuspendedOrganisationLeavesAtOnce() public {
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(6)));
        vm.assertEq(nodes.handoverDue(), NOW);
        endBlock();
        inForce(wallet(5).addr, 1, 10);
        decide(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)));
        vm.assertEq(nodes.handoverDue(), END);
    }

    /// A key that joins and leaves within an epoch was never in force.
    function test_WhatIsTakenBackWithinAnEpochNeverWas() public {
        uint32 node = joined(6);
        decide(IMotions.Kind.AddValidator, abi.encode(node, uint64(10)));
        decide(IMotions.Kind.RemoveValidator, abi.encode(node, uint16(2)));
        vm.warp(END);
        endBlock();
        vm.roll(30);
        for (uint64 height = 10; height < 13; height++) {
            bytes memory evidence = votes(6, height, 0);
            refuses(
                STRANGER,
                address(nodes),
                abi.encodeCall(nodes.submitEvidence, (evidence)),
                abi.encodeWithSelector(
                    INodes.NodesEvidenceNotValidator.selector, wallet(6).addr, height
                )
            );
        }
    }

    function test_OnlyTheNodeHandsOver() public {
        bytes memory data = abi.encodeCall(nodes.handOver, ());
        refuses(STRANGER, address(nodes), data, callerRefused(SYSTEM, STRANGER));
        refuses(address(motions), address(nodes), data, callerRefused(SYSTEM, address(motions)));
    }

    function inForce(address validator, uint64 first, uint64 last) private view {
        INodes.ValidatorKey memory key = nodes.validatorKeyOf(validator);
        vm.assertEq(key.first, first);
        vm.assertEq(key.last, last);
    }
}
