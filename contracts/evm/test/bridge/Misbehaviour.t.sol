// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../src/bridge/Certificates.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Network} from "./Network.sol";
import {Vm} from "../Vm.sol";

/// @notice Tests 13 and 32 to 35: what freezes the client, and who is named.
contract MisbehaviourTest is Network {
    Set private next;

    function setUp() public {
        deploy(setOf(1, 7), noPolicy());
        next = setOf(2, 7);
    }

    function good(uint64 height) private view returns (Checkpoint memory) {
        return checkpointAt(height, current, current);
    }

    function other(uint64 height) private view returns (Checkpoint memory c) {
        c = good(height);
        c.blockHash = keccak256("another block");
    }

    function freezeCall(bytes memory a, bytes memory b) private pure returns (bytes memory) {
        return abi.encodeCall(ILightClient.freeze, (1, a, 1, b));
    }

    /// Expects the two to freeze the client and to name these positions of the set.
    function freezes(uint32 idA, bytes memory a, uint32 idB, bytes memory b, uint128 culprits)
        private
    {
        vm.recordLogs();
        client.freeze(idA, a, idB, b);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        vm.assertEq(log.topics[0], ILightClient.MisbehaviourProven.selector);
        (,,,,,, uint128 named, address[] memory addresses) = abi.decode(
            log.data, (uint64, uint64, bytes32, bytes32, uint32, uint32, uint128, address[])
        );
        vm.assertEq(named, culprits);
        Set memory set = log.topics[1] == next.hash ? next : current;
        vm.assertEq(log.topics[1], set.hash);
        uint256 count = 0;
        for (uint256 i = 0; i < set.keys.length; i++) {
            if ((culprits >> i) & 1 == 1) vm.assertEq(addresses[count++], set.signers[i]);
        }
        vm.assertEq(addresses.length, count);
        vm.assertTrue(client.status() == ILightClient.Status.Frozen);
    }

    /// 32: two certificates for one height name those who signed both.
    function test_32_NamesExactlyWhoSignedBoth() public {
        // 0b0011111 and 0b1111100.
        freezes(1, decide(good(300), current, 0x1f), 1, decide(other(300), current, 0x7c), 0x1c);
    }

    function test_32_TheOrderDoesNotMatter() public {
        freezes(1, decide(other(300), current, 0x7c), 1, decide(good(300), current, 0x1f), 0x1c);
    }

    function test_32_AlsoAgainstAnAcceptedCheckpointAndBelowTheNewest() public {
        bytes memory a = decide(good(300), current, 0x1f);
        client.update(a);
        client.update(decide(good(400), current, 0x1f));
        freezes(1, a, 1, decide(other(300), current, 0x3e), 0x1e);
    }

    /// Rounds may differ; the event has both.
    function test_32_InDifferentRounds() public {
        bytes memory a = decide(encode(good(300)), 0, current, 0x1f);
        bytes memory b = decide(encode(other(300)), 5, current, 0x7c);
        vm.recordLogs();
        client.freeze(1, a, 1, b);
        (
            uint64 heightA,
            uint64 heightB,
            bytes32 digestA,
            bytes32 digestB,
            uint32 roundA,
            uint32 roundB,,
        ) = abi.decode(
            vm.getRecordedLogs()[0].data,
            (uint64, uint64, bytes32, bytes32, uint32, uint32, uint128, address[])
        );
        vm.assertEq(heightA, 300);
        vm.assertEq(heightB, 300);
        vm.assertEq(digestA, digestOf(encode(good(300))));
        vm.assertEq(digestB, digestOf(encode(other(300))));
        vm.assertEq(roundA, 0);
        vm.assertEq(roundB, 5);
    }

    /// 13: two handovers from one set, to different sets.
    function test_13_TwoHandoversFromOneSetFreeze() public {
        Set memory third = setOf(3, 4);
        bytes memory a = decide(checkpointAt(300, current, next), current, 0x1f);
        bytes memory b = decide(checkpointAt(300, current, third), current, 0x7c);
        client.handover(a, next.encoded, decide(checkpointAt(301, next, next), next, 0x1f));
        // The set was replaced, but is still answerable for the trust period.
        freezes(1, a, 1, b, 0x1c);
    }

    /// A log that another checkpoint of a later height contradicts.
    function test_ALogThatShrinksOrChangesFreezes() public {
        bytes memory a = decide(good(300), current, 0x1f);
        Checkpoint memory c = good(400);
        c.logSize = 2999;
        uint256 before = snapshot();
        freezes(1, a, 1, decide(c, current, 0x3f), 0x1f);
        restore(before);
        c.logSize = 3000;
        freezes(1, decide(c, current, 0x3f), 1, a, 0x1f);
        restore(before);
        c.logRoot = good(300).logRoot;
        refuses(freezeCall(a, decide(c, current, 0x3f)), noConflict());
        c = good(400);
        c.timeMs = timeOf(300);
        freezes(1, a, 1, decide(c, current, 0x3f), 0x1f);
    }

    /// Between two sets, those who signed the later checkpoint are named.
    function test_AcrossSetsTheLaterSignersAreNamed() public {
        bytes memory a = decide(good(299), current, 0x1f);
        client.handover(
            decide(checkpointAt(300, current, next), current, 0x1f),
            next.encoded,
            decide(checkpointAt(301, next, next), next, 0x1f)
        );
        Checkpoint memory c = checkpointAt(400, next, next);
        c.logSize = 2;
        freezes(2, decide(c, next, 0x3e), 1, a, 0x3e);
    }

    /// 33: what is no proof does not freeze.
    function test_33_GarbageDoesNotFreeze() public {
        bytes memory a = decide(good(300), current, 0x1f);
        refusesAs(
            freezeCall(a, decide(other(300), current, 0x0f)),
            Certificates.CertificateNoQuorum.selector
        );
        refusesAs(
            freezeCall(a, decide(other(300), next, 0x1f)),
            Certificates.CertificateSignature.selector
        );
        refusesAs(
            freezeCall(a, decide(checkpointAt(300, next, next), next, 0x1f)),
            ILightClient.LightClientValidatorSet.selector
        );
        refusesAs(
            abi.encodeCall(ILightClient.freeze, (1, a, 2, a)),
            ILightClient.LightClientUnknownSet.selector
        );
        refusesAs(freezeCall(a, ""), ILightClient.LightClientDecisionLength.selector);
        // Later heights with a longer log are how it should be.
        refuses(freezeCall(a, decide(good(301), current, 0x1f)), noConflict());
        refuses(freezeCall(decide(good(301), current, 0x1f), a), noConflict());
        vm.assertTrue(client.status() == ILightClient.Status.Active);
    }

    /// 34: one checkpoint with two certificates.
    function test_34_TheSameDigestTwiceDoesNotFreeze() public {
        bytes memory a = decide(good(300), current, 0x1f);
        refuses(freezeCall(a, a), noConflict());
        refuses(freezeCall(a, decide(good(300), current, 0x7c)), noConflict());
        refuses(freezeCall(a, decide(encode(good(300)), 3, current, 0x7c)), noConflict());
    }

    /// Keys of long ago cannot freeze the client.
    function test_OldSetsFreezeNothingAfterTheTrustPeriod() public {
        bytes memory a = decide(good(300), current, 0x1f);
        bytes memory b = decide(other(300), current, 0x1f);
        client.handover(
            decide(checkpointAt(900, current, next), current, 0x1f),
            next.encoded,
            decide(checkpointAt(901, next, next), next, 0x1f)
        );
        client.update(decide(checkpointAt(1500, next, next), next, 0x1f));
        uint256 end = timeOf(901) / 1000 + TRUST_PERIOD;
        vm.warp(end + 1);
        refuses(
            freezeCall(a, b),
            abi.encodeWithSelector(
                ILightClient.LightClientSetTooOld.selector, uint32(1), end * 1000
            )
        );
        vm.warp(end);
        freezes(1, a, 1, b, 0x1f);
    }

    /// A frozen client answers what it is, and does nothing.
    function test_AFrozenClientDoesNothing() public {
        bytes memory accepted = decide(good(200), current, 0x1f);
        client.update(accepted);
        bytes memory a = decide(good(300), current, 0x1f);
        bytes memory b = decide(other(300), current, 0x7c);
        client.freeze(1, a, 1, b);
        bytes memory frozen = abi.encodeWithSelector(ILightClient.LightClientFrozen.selector);
        refuses(updateCall(decide(good(400), current, ALL)), frozen);
        refuses(updateCall(accepted), frozen);
        refuses(freezeCall(a, b), frozen);
        refuses(abi.encodeCall(ILightClient.handover, (a, next.encoded, b)), frozen);
        bytes32[] memory path = new bytes32[](0);
        bytes memory checkpoint = encode(good(200));
        refuses(abi.encodeCall(ILightClient.acceptedCheckpoint, (checkpoint)), frozen);
        refuses(abi.encodeCall(ILightClient.verifyLeaf, (hex"", 0, checkpoint, path)), frozen);
        refuses(abi.encodeCall(ILightClient.record, (hex"", 0, checkpoint, path)), frozen);
        vm.assertEq(client.latest().height, 200);
        vm.warp(NOW + 1000 days);
        vm.assertTrue(client.status() == ILightClient.Status.Frozen);
    }

    function noConflict() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILightClient.LightClientNoConflict.selector);
    }

    function snapshot() private returns (uint256) {
        return vm.snapshotState();
    }

    function restore(uint256 id) private {
        vm.assertTrue(vm.revertToState(id));
    }
}
