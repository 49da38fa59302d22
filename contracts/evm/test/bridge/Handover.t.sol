// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../src/bridge/Certificates.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Network} from "./Network.sol";

/// @notice Tests 8 to 15: how one validator set follows another.
contract HandoverTest is Network {
    Set private next;
    Set private third;

    function setUp() public {
        deploy(setOf(1, 4), noPolicy());
        next = setOf(2, 7);
        third = setOf(3, 4);
    }

    function handoverCall(bytes memory last, bytes memory set, bytes memory first)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(ILightClient.handover, (last, set, first));
    }

    /// From one set to another, by the smallest quorums, at these heights.
    function handover(Set memory from, Set memory to, uint64 height)
        private
        pure
        returns (bytes memory)
    {
        return handoverCall(
            decide(checkpointAt(height, from, to), from, quorum(from.keys.length)),
            to.encoded,
            decide(checkpointAt(height + 1, to, to), to, quorum(to.keys.length))
        );
    }

    function test_BothQuorumsMakeAHandover() public {
        uint64 height = 300;
        (bool done, bytes memory answer) = address(client).call(handover(current, next, height));
        vm.assertTrue(done && abi.decode(answer, (bool)));
        ILightClient.Latest memory latest = client.latest();
        vm.assertEq(latest.height, 301);
        vm.assertEq(latest.setId, 2);
        vm.assertEq(latest.validatorSetHash, next.hash);
        vm.assertEq(latest.digest, digestOf(encode(checkpointAt(301, next, next))));
        // The last checkpoint of the old set is not kept: the first of the new one has its log.
        vm.assertEq(client.digestAt(300), bytes32(0));
        (bytes32 hash, uint64 sinceHeight, uint64 sinceMs, uint64 power) = client.validatorSetOf(2);
        vm.assertEq(hash, next.hash);
        vm.assertEq(sinceHeight, 301);
        vm.assertEq(sinceMs, timeOf(301));
        vm.assertEq(power, 7);
        (address validator_,) = client.validatorAt(2, 6);
        vm.assertEq(validator_, next.signers[6]);
        vm.assertTrue(client.update(decide(checkpointAt(400, next, next), next, quorum(7))));
    }

    /// 8: the set after the next one, whoever signs for it.
    function test_08_RefusesToSkipASet() public {
        refusesAs(handover(next, third, 310), ILightClient.LightClientValidatorSet.selector);
        bytes memory last = decide(checkpointAt(300, current, next), current, 7);
        bytes memory first = decide(checkpointAt(301, third, third), third, ALL);
        refuses(
            handoverCall(last, third.encoded, first),
            abi.encodeWithSelector(
                ILightClient.LightClientValidatorSet.selector, next.hash, third.hash
            )
        );
        // With the right set in between, both go.
        bytes[] memory calls = new bytes[](2);
        (calls[0], calls[1]) = (handover(current, next, 300), handover(next, third, 310));
        client.multicall(calls);
        vm.assertEq(client.latest().setId, 3);
    }

    /// 9: a handover that was accepted before.
    function test_09_AReplayedHandoverDoesNothing() public {
        bytes memory first = handover(current, next, 300);
        (bool done, bytes memory answer) = address(client).call(first);
        vm.assertTrue(done);
        (done, answer) = address(client).call(first);
        vm.assertTrue(done && !abi.decode(answer, (bool)));
        vm.assertEq(client.latest().setId, 2);
        (done,) = address(client).call(handover(next, third, 310));
        vm.assertTrue(done);
        // Not fresh, and it brings no old set back.
        (done, answer) = address(client).call(first);
        vm.assertTrue(done && !abi.decode(answer, (bool)));
        vm.assertEq(client.latest().validatorSetHash, third.hash);
        // From the first set, to the same next one, at other heights.
        refusesAs(handover(current, next, 400), ILightClient.LightClientValidatorSet.selector);
    }

    /// 10: without a quorum of the new set, or of the old one.
    function test_10_RefusesWithoutBothQuorums() public {
        bytes memory last = decide(checkpointAt(300, current, next), current, 7);
        Checkpoint memory opening = checkpointAt(301, next, next);
        bytes4 reason = Certificates.CertificateNoQuorum.selector;
        refuses(
            handoverCall(last, next.encoded, decide(opening, next, lowest(4))),
            abi.encodeWithSelector(reason, 4, 7)
        );
        bytes memory first = decide(opening, next, lowest(5));
        refuses(
            handoverCall(decide(checkpointAt(300, current, next), current, 3), next.encoded, first),
            abi.encodeWithSelector(reason, 2, 4)
        );
        // The old set cannot sign for the new one.
        refusesAs(
            handoverCall(last, next.encoded, decide(opening, current, 7)),
            Certificates.CertificateSignature.selector
        );
        (bool done,) = address(client).call(handoverCall(last, next.encoded, first));
        vm.assertTrue(done);
    }

    /// 11: how power is spread is the chain's decision; a client that refused what a quorum has
    /// decided would be stuck. One validator may even be a quorum.
    function test_11_TakesAnySetThatAQuorumNames() public {
        uint64[] memory powers = new uint64[](4);
        (powers[0], powers[1], powers[2], powers[3]) = (7, 1, 1, 1);
        Set memory lopsided = setOf(4, powers);
        bytes memory last = decide(checkpointAt(300, current, lopsided), current, 7);
        bytes memory first = decide(checkpointAt(301, lopsided, lopsided), lopsided, 1);
        (bool done,) = address(client).call(handoverCall(last, lopsided.encoded, first));
        vm.assertTrue(done);
    }

    /// 12: the old set after the handover, around its height: there is no grace.
    function test_12_TheOldSetIsClosed() public {
        (bool done,) = address(client).call(handover(current, next, 300));
        vm.assertTrue(done);
        bytes4 reason = ILightClient.LightClientValidatorSet.selector;
        for (uint64 height = 299; height <= 303; height++) {
            refusesAs(
                updateCall(decide(checkpointAt(height, current, current), current, ALL)), reason
            );
        }
        vm.warp(NOW + 1);
        refusesAs(updateCall(decide(checkpointAt(400, current, current), current, ALL)), reason);
        vm.assertFalse(
            client.isCertified(decide(checkpointAt(400, current, current), current, ALL))
        );
    }

    /// The heights of last and first, and what the first must not undo.
    function test_TheFirstFollowsTheLast() public {
        bytes memory last = decide(checkpointAt(300, current, next), current, 7);
        for (uint64 height = 298; height <= 303; height++) {
            if (height == 301) continue;
            bytes memory other = decide(checkpointAt(height, next, next), next, ALL);
            refuses(
                handoverCall(last, next.encoded, other),
                abi.encodeWithSelector(
                    ILightClient.LightClientNotAHandover.selector, uint64(300), height
                )
            );
        }
        Checkpoint memory opening = checkpointAt(301, next, next);
        opening.logSize = 2999;
        firstRefused(last, opening);
        opening.logSize = 3000;
        opening.timeMs = timeOf(300);
        firstRefused(last, opening);
        opening.timeMs++;
        (bool done,) =
            address(client).call(handoverCall(last, next.encoded, decide(opening, next, quorum(7))));
        vm.assertTrue(done);
    }

    function firstRefused(bytes memory last, Checkpoint memory opening) private {
        refusesAs(
            handoverCall(last, next.encoded, decide(opening, next, ALL)),
            ILightClient.LightClientNotAhead.selector
        );
    }

    function test_RefusesALastThatNamesNoOtherSet() public {
        bytes memory last = decide(checkpointAt(300, current, current), current, 7);
        bytes memory first = decide(checkpointAt(301, next, next), next, ALL);
        refuses(
            handoverCall(last, next.encoded, first),
            abi.encodeWithSelector(
                ILightClient.LightClientNotAHandover.selector, uint64(300), uint64(0)
            )
        );
    }

    /// A checkpoint that names another next set may come alone; then only the handover may follow.
    function test_AClosingCheckpointAllowsTheHandoverAlone() public {
        bytes memory last = decide(checkpointAt(300, current, next), current, 7);
        vm.assertTrue(client.update(last));
        vm.assertTrue(client.latest().closing);
        refuses(
            updateCall(decide(checkpointAt(301, current, current), current, ALL)),
            abi.encodeWithSelector(ILightClient.LightClientHandoverNeeded.selector, uint64(300))
        );
        // Another last checkpoint of the same set would be a second history.
        refuses(
            handover(current, third, 310),
            abi.encodeWithSelector(ILightClient.LightClientHandoverNeeded.selector, uint64(300))
        );
        (bool done,) = address(client).call(handover(current, next, 300));
        vm.assertTrue(done);
        vm.assertFalse(client.latest().closing);
    }

    /// A set that signs one height only.
    function test_ASetMayHandOverAtItsFirstHeight() public {
        bytes memory last = decide(checkpointAt(300, current, next), current, 7);
        bytes memory first = decide(checkpointAt(301, next, third), next, quorum(7));
        bytes memory second = decide(checkpointAt(302, third, third), third, 7);
        (bool done,) = address(client).call(handoverCall(last, next.encoded, first));
        vm.assertTrue(done && client.latest().closing);
        (done,) = address(client).call(handoverCall(first, third.encoded, second));
        vm.assertTrue(done);
        vm.assertEq(client.latest().validatorSetHash, third.hash);
    }

    /// 14: a hundred handovers in one transaction, and the account of each set after number 127.
    function test_14_AHundredHandoversInOneCall() public {
        Set memory from = current;
        bytes[] memory calls = new bytes[](100);
        for (uint64 i = 0; i < 100; i++) {
            Set memory to = setOf(100 + i, 4);
            calls[i] = handover(from, to, 200 + 2 * i);
            from = to;
        }
        client.multicall(calls);
        vm.assertEq(client.latest().setId, 101);
        vm.assertEq(client.latest().height, 399);
        for (uint64 i = 0; i < 100; i++) {
            Set memory to = setOf(300 + i, 1);
            calls[i] = handover(from, to, 400 + 2 * i);
            from = to;
        }
        client.multicall(calls);
        vm.assertEq(client.latest().setId, 201);
        for (uint64 i = 0; i < 60; i++) {
            Set memory to = setOf(500 + i, 1);
            (bool done,) = address(client).call(handover(from, to, 600 + 2 * i));
            vm.assertTrue(done);
            from = to;
        }
        (bytes32 hash,,,) = client.validatorSetOf(261);
        vm.assertEq(hash, from.hash);
        (hash,,,) = client.validatorSetOf(1);
        vm.assertEq(hash, current.hash);
    }

    /// 14: one that is wrong undoes them all.
    function test_14_OneWrongHandoverUndoesTheCall() public {
        bytes[] memory calls = new bytes[](3);
        (calls[0], calls[1]) = (handover(current, next, 300), handover(next, third, 310));
        calls[2] = handover(current, next, 320);
        refusesAs(
            abi.encodeCall(client.multicall, (calls)), ILightClient.LightClientValidatorSet.selector
        );
        vm.assertEq(client.latest().setId, 1);
    }

    /// 15: all keys of a set that was replaced sign another history.
    function test_15_RefusesTheHistoryOfAnOldSet() public {
        (bool done,) = address(client).call(handover(current, next, 300));
        vm.assertTrue(done);
        bytes4 reason = ILightClient.LightClientValidatorSet.selector;
        refusesAs(updateCall(decide(checkpointAt(500, current, current), current, ALL)), reason);
        refusesAs(handover(current, third, 300), reason);
        refusesAs(handover(current, third, 500), reason);
        vm.assertEq(client.latest().height, 301);
    }

    function test_UnknownSetsHaveNoAnswer() public {
        bytes4 reason = ILightClient.LightClientUnknownSet.selector;
        for (uint32 id = 0; id < 4; id++) {
            if (id == 1) continue;
            refuses(
                abi.encodeCall(ILightClient.validatorSetOf, (id)),
                abi.encodeWithSelector(reason, id)
            );
        }
        (address nobody, uint64 nothing) = client.validatorAt(1, 4);
        vm.assertEq(nobody, address(0));
        vm.assertEq(nothing, 0);
    }
}
