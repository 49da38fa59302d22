// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Council} from "../../src/bridge/Council.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Recovery} from "../../src/bridge/Recovery.sol";
import {Relayers} from "../../src/bridge/Relayers.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice Tests 16 (recovery drill), 61, 62: pauses, relayers, council, recovery.
contract RecoveryTest is Log {
    uint256 private constant DELAY = 7 days;
    address private constant GUARDIAN = address(0x6a4d);
    address private constant RELAYER = address(0x4e1a);
    address private constant STRANGER = address(0x57a6);
    bytes32 private constant ORGANISATION = keccak256("relayers' association");
    uint256[] private council;
    uint256[] private cold;
    bytes private _policy;

    function setUp() public {
        council = ordered(100, 3);
        cold = ordered(200, 4);
        use(base());
        deployEmpty(setOf(1, 4));
    }

    /// A guardian, two of three in the council, three of four cold keys, one relayer.
    function base() private view returns (LightClient.Policy memory p) {
        p = noPolicy();
        p.guardian = GUARDIAN;
        (p.council, p.councilThreshold) = (addressesOf(council), 2);
        (p.coldKeys, p.coldThreshold) = (addressesOf(cold), 3);
        p.recoveryDelay = DELAY;
        p.relayers = new Relayers.Relayer[](1);
        p.relayers[0] = Relayers.Relayer(RELAYER, ORGANISATION);
        p.grace = 600;
    }

    function use(LightClient.Policy memory p) private {
        _policy = abi.encode(p);
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD),
            abi.decode(_policy, (LightClient.Policy))
        );
    }

    /// Keys in the order of their addresses.
    function ordered(uint256 first, uint256 count) private pure returns (uint256[] memory keys) {
        return setOf(first, count).keys;
    }

    function addressesOf(uint256[] memory keys) private pure returns (address[] memory all) {
        all = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            all[i] = vm.addr(keys[i]);
        }
    }

    /// EIP-712, computed here again.
    function typed(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TBSI Light Client"),
                keccak256("1"),
                block.chainid,
                address(client)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function signedBy(uint256[] memory keys, uint256 count, bytes32 structHash)
        private
        view
        returns (bytes memory all)
    {
        for (uint256 i = 0; i < count; i++) {
            all = bytes.concat(all, sign(keys[i], typed(structHash)));
        }
    }

    // 61, 62: pauses

    function test_61_AGuardianPausesForThreeDays() public {
        bytes memory decision = decide(checkpointAt(200, current, current), current, 7);
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Updates);
        vm.assertTrue(client.status() == ILightClient.Status.Paused);
        uint64 until = uint64(NOW + 72 hours);
        vm.assertEq(client.pausedUntil(ILightClient.Scope.Updates), until);
        vm.warp(until - 1);
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(
                ILightClient.LightClientPaused.selector, ILightClient.Scope.Updates, until
            )
        );
        // By itself, to the second.
        vm.warp(until);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        vm.assertTrue(client.update(decision));
    }

    function test_61_APauseStopsItsScopeAlone() public {
        Proof memory p = proof();
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Proofs);
        refusesAs(verifyCall(p), ILightClient.LightClientPaused.selector);
        vm.assertTrue(client.status() == ILightClient.Status.Paused);
        bytes memory decision = decide(checkpointAt(900, current, current), current, 7);
        vm.prank(RELAYER);
        vm.assertTrue(client.update(decision));
        vm.prank(GUARDIAN);
        client.unpause(ILightClient.Scope.Proofs);
        client.verifyLeaf(p.leaf, p.index, p.checkpoint, p.path);
        // Evidence is taken while updates are paused.
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Updates);
        freezeNow();
    }

    function test_62_AGuardianCannotStopTheClientForEver() public {
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Updates);
        uint256 again = NOW + 72 hours + 30 days;
        bytes memory pause = abi.encodeCall(ILightClient.pause, (ILightClient.Scope.Updates));
        vm.warp(again - 1);
        vm.prank(GUARDIAN);
        refuses(
            pause,
            abi.encodeWithSelector(
                ILightClient.LightClientPausedLately.selector, ILightClient.Scope.Updates, again
            )
        );
        vm.warp(again);
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Updates);
        // Ending it early does not give it back.
        vm.prank(GUARDIAN);
        client.unpause(ILightClient.Scope.Updates);
        vm.prank(GUARDIAN);
        refusesAs(pause, ILightClient.LightClientPausedLately.selector);
    }

    function test_62_NobodyElsePauses() public {
        bytes memory reason = abi.encodeWithSelector(
            ILightClient.LightClientNotGuardian.selector, GUARDIAN, STRANGER
        );
        for (uint8 scope = 0; scope < 3; scope++) {
            vm.prank(STRANGER);
            refuses(abi.encodeCall(ILightClient.pause, (ILightClient.Scope(scope))), reason);
            vm.prank(STRANGER);
            refuses(abi.encodeCall(ILightClient.unpause, (ILightClient.Scope(scope))), reason);
        }
    }

    // Relayers

    function test_RegisteredRelayersFirstAnybodyLater() public {
        Checkpoint memory c = checkpointAt(1000, current, current);
        bytes memory decision = decide(c, current, 7);
        vm.assertEq(c.timeMs, NOW * 1000);
        vm.warp(NOW + 599);
        vm.prank(STRANGER);
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(Relayers.RelayersReserved.selector, STRANGER, (NOW + 600) * 1000)
        );
        vm.prank(RELAYER);
        vm.expectEmit(address(client));
        emit Relayers.Relayed(1000, ORGANISATION);
        client.update(decision);
        decision = decide(checkpointAt(1001, current, current), current, 7);
        vm.warp(NOW + 601);
        vm.prank(STRANGER);
        vm.assertTrue(client.update(decision));
    }

    function test_StrictNeverOpens() public {
        LightClient.Policy memory p = base();
        p.strict = true;
        use(p);
        deployEmpty(current);
        bytes memory decision = decide(checkpointAt(200, current, current), current, 7);
        vm.warp(NOW + 13 days);
        vm.prank(STRANGER);
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(Relayers.RelayersReserved.selector, STRANGER, type(uint256).max)
        );
        vm.prank(RELAYER);
        vm.assertTrue(client.update(decision));
    }

    function test_TheCouncilSetsRelayers() public {
        bytes32 hash = relayerHash(STRANGER, ORGANISATION, 0);
        bytes memory signed = signedBy(council, 2, hash);
        client.setRelayer(STRANGER, ORGANISATION, signed);
        vm.assertEq(client.organisationOf(STRANGER), ORGANISATION);
        // Once.
        refusesAs(
            abi.encodeCall(client.setRelayer, (STRANGER, ORGANISATION, signed)),
            Council.CouncilSigner.selector
        );
        client.setRelayer(STRANGER, 0, signedBy(council, 2, relayerHash(STRANGER, 0, 1)));
        vm.assertEq(client.organisationOf(STRANGER), bytes32(0));
    }

    function test_TheCouncilsSignaturesHaveOneForm() public {
        bytes32 hash = relayerHash(STRANGER, ORGANISATION, 0);
        bytes memory one = sign(council[0], typed(hash));
        bytes memory two = sign(council[1], typed(hash));
        bytes memory three = sign(council[2], typed(hash));
        refusesSigned(one, Council.CouncilSignatures.selector);
        refusesSigned(bytes.concat(one, two, three), Council.CouncilSignatures.selector);
        refusesSigned(bytes.concat(one, two, hex"00"), Council.CouncilSignatures.selector);
        refusesSigned(bytes.concat(two, one), Council.CouncilSigner.selector);
        refusesSigned(bytes.concat(one, one), Council.CouncilSigner.selector);
        refusesSigned(signedBy(cold, 2, hash), Council.CouncilSigner.selector);
        one[64] = 0x1d;
        refusesSigned(bytes.concat(one, two), ECDSA.ECDSAInvalidSignature.selector);
        client.setRelayer(STRANGER, ORGANISATION, bytes.concat(two, three));
    }

    function refusesSigned(bytes memory signed, bytes4 reason) private {
        refusesAs(abi.encodeCall(client.setRelayer, (STRANGER, ORGANISATION, signed)), reason);
    }

    function relayerHash(address account, bytes32 organisation, uint256 nonce)
        private
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("SetRelayer(address account,bytes32 organisation,uint256 nonce)");
        return keccak256(abi.encode(kind, account, organisation, nonce));
    }

    // 16: recovery

    function recoveryHash(bytes memory checkpoint, bytes32 set, uint256 nonce)
        private
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("Recovery(bytes32 checkpoint,bytes32 validatorSet,uint256 nonce)");
        return keccak256(abi.encode(kind, digestOf(checkpoint), set, nonce));
    }

    function proposeCall(bytes memory checkpoint, bytes32 set, uint256 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 hash = recoveryHash(checkpoint, set, nonce);
        return abi.encodeCall(
            client.proposeRecovery,
            (checkpoint, signedBy(cold, 3, hash), signedBy(council, 2, hash))
        );
    }

    /// Two certificates for one height, by the keys of the whole current set.
    function freezeNow() private {
        Checkpoint memory c = checkpointAt(950, current, current);
        bytes memory a = decide(c, current, ALL);
        c.stateRoot = 0;
        uint32 id = client.latest().setId;
        client.freeze(id, a, id, decide(c, current, ALL));
        vm.assertTrue(client.status() == ILightClient.Status.Frozen);
    }

    /// The evidence of `freezeNow` freezes nothing after a recovery, whichever set it is said to
    /// be of.
    function test_16_AnsweredEvidenceDoesNotFreezeAgain() public {
        freezeNow();
        bytes memory trusted = encode(checkpointAt(980, current, current));
        (bool done,) = address(client).call(proposeCall(trusted, current.hash, 0));
        vm.assertTrue(done);
        vm.warp(NOW + DELAY);
        client.recover(trusted, current.encoded);
        Checkpoint memory c = checkpointAt(950, current, current);
        bytes memory a = decide(c, current, ALL);
        c.stateRoot = 0;
        bytes memory b = decide(c, current, ALL);
        refuses(
            abi.encodeCall(ILightClient.freeze, (1, a, 1, b)),
            abi.encodeWithSelector(ILightClient.LightClientSetTooOld.selector, uint32(1), 0)
        );
        bytes4 reason = ILightClient.LightClientBeforeStart.selector;
        refuses(
            abi.encodeCall(ILightClient.freeze, (2, a, 2, b)),
            abi.encodeWithSelector(reason, uint64(980), uint64(950))
        );
        c.height = 980;
        a = decide(c, current, ALL);
        refuses(
            abi.encodeCall(ILightClient.freeze, (2, a, 2, b)),
            abi.encodeWithSelector(reason, uint64(980), uint64(950))
        );
        // New evidence does.
        c.height = 981;
        c.timeMs = timeOf(981);
        a = decide(c, current, ALL);
        c.blockHash = 0;
        client.freeze(2, a, 2, decide(c, current, ALL));
        vm.assertTrue(client.status() == ILightClient.Status.Frozen);
    }

    /// A proof under an accepted checkpoint.
    function proof() private returns (Proof memory) {
        bytes[] memory leaves = attestations(3);
        bytes32[] memory hashes = hashesOf(leaves);
        // `accept` without the grace: by then anybody may.
        vm.warp(NOW + 600);
        bytes memory checkpoint = accept(hashes, 200);
        vm.warp(NOW);
        return Proof(leaves[1], 1, checkpoint, Tree.path(hashes, 1));
    }

    function verifyCall(Proof memory p) private pure returns (bytes memory) {
        return abi.encodeCall(ILightClient.verifyLeaf, (p.leaf, p.index, p.checkpoint, p.path));
    }

    /// 16: the drill. The client froze; cold keys and council name a checkpoint and its set; after
    /// the delay anybody carries it out, and the client goes on with the new set.
    function test_16_RecoveryDrillAfterAFreeze() public {
        Proof memory p = proof();
        client.record(p.leaf, p.index, p.checkpoint, p.path);
        freezeNow();
        Set memory next = setOf(2, 4);
        bytes memory trusted = encode(checkpointAt(980, current, next));
        (bool done,) = address(client).call(proposeCall(trusted, next.hash, 0));
        vm.assertTrue(done);
        vm.assertEq(client.pendingRecovery(), digestOf(trusted));
        bytes memory recover = abi.encodeCall(client.recover, (trusted, next.encoded));
        vm.warp(NOW + DELAY - 1);
        refuses(
            recover,
            abi.encodeWithSelector(
                Recovery.RecoveryNotNow.selector, NOW + DELAY, NOW + DELAY + 14 days
            )
        );
        vm.warp(NOW + DELAY);
        vm.prank(STRANGER);
        (done,) = address(client).call(recover);
        vm.assertTrue(done);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        ILightClient.Latest memory latest = client.latest();
        vm.assertEq(latest.height, 980);
        vm.assertEq(latest.setId, 2);
        vm.assertEq(latest.validatorSetHash, next.hash);
        vm.assertEq(client.pendingRecovery(), bytes32(0));
        // What was accepted before proves nothing more.
        refusesAs(verifyCall(p), ILightClient.LightClientUnknownCheckpoint.selector);
        vm.assertFalse(client.isRecorded(1));
        bytes memory decision = decide(checkpointAt(1200, next, next), next, 7);
        vm.prank(RELAYER);
        vm.assertTrue(client.update(decision));
        refusesAs(
            updateCall(decide(checkpointAt(1201, current, current), current, ALL)),
            ILightClient.LightClientValidatorSet.selector
        );
        refusesAs(recover, Recovery.RecoveryNotNeeded.selector);
    }

    /// 16: nobody brought a checkpoint in time.
    function test_16_RecoveryDrillAfterExpiry() public {
        bytes memory trusted = encode(checkpointAt(1_500_000, current, current));
        bytes memory propose = proposeCall(trusted, current.hash, 0);
        refuses(
            propose,
            abi.encodeWithSelector(Recovery.RecoveryNotNeeded.selector, ILightClient.Status.Active)
        );
        vm.warp(NOW + 15 days);
        vm.assertTrue(client.status() == ILightClient.Status.Expired);
        (bool done,) = address(client).call(propose);
        vm.assertTrue(done);
        vm.warp(NOW + 15 days + DELAY);
        client.recover(trusted, current.encoded);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        vm.warp(NOW + 23 days);
        bytes memory decision = decide(checkpointAt(1_500_001, current, current), current, 7);
        vm.prank(RELAYER);
        vm.assertTrue(client.update(decision));
    }

    /// Recovery goes back behind what a dishonest quorum made the client accept.
    function test_16_RecoveryGoesBack() public {
        bytes memory decision = decide(checkpointAt(1000, current, current), current, 7);
        vm.prank(RELAYER);
        client.update(decision);
        freezeNow();
        bytes memory trusted = encode(checkpointAt(900, current, current));
        (bool done,) = address(client).call(proposeCall(trusted, current.hash, 0));
        vm.assertTrue(done);
        vm.warp(NOW + DELAY);
        client.recover(trusted, current.encoded);
        vm.assertEq(client.latest().height, 900);
        vm.assertEq(client.digestAt(1000), bytes32(0));
        vm.prank(RELAYER);
        vm.assertTrue(client.update(decision));
    }

    function test_16_RecoveryNeedsBothBodiesAndItsOwnCheckpoint() public {
        freezeNow();
        bytes memory trusted = encode(checkpointAt(980, current, current));
        bytes32 hash = recoveryHash(trusted, current.hash, 0);
        (bytes memory c3, bytes memory k2) = (signedBy(cold, 3, hash), signedBy(council, 2, hash));
        refusesProposal(trusted, "", k2, Council.CouncilSignatures.selector);
        refusesProposal(trusted, c3, "", Council.CouncilSignatures.selector);
        refusesProposal(trusted, signedBy(cold, 2, hash), k2, Council.CouncilSignatures.selector);
        refusesProposal(trusted, k2, c3, Council.CouncilSignatures.selector);
        bytes memory other = encode(checkpointAt(981, current, current));
        refusesProposal(other, c3, k2, Council.CouncilSigner.selector);
        client.proposeRecovery(trusted, c3, k2);
        vm.warp(NOW + DELAY);
        refuses(
            abi.encodeCall(client.recover, (other, current.encoded)),
            abi.encodeWithSelector(
                Recovery.RecoveryNotPending.selector, digestOf(trusted), digestOf(other)
            )
        );
        refusesAs(
            abi.encodeCall(client.recover, (trusted, setOf(2, 4).encoded)),
            ILightClient.LightClientValidatorSet.selector
        );
        vm.warp(NOW + DELAY + 14 days + 1);
        refusesAs(
            abi.encodeCall(client.recover, (trusted, current.encoded)),
            Recovery.RecoveryNotNow.selector
        );
    }

    function refusesProposal(bytes memory checkpoint, bytes memory c, bytes memory k, bytes4 reason)
        private
    {
        refusesAs(abi.encodeCall(client.proposeRecovery, (checkpoint, c, k)), reason);
    }

    function test_TheCouncilCallsARecoveryOff() public {
        freezeNow();
        bytes memory trusted = encode(checkpointAt(980, current, current));
        (bool done,) = address(client).call(proposeCall(trusted, current.hash, 0));
        vm.assertTrue(done);
        bytes32 kind = keccak256("CancelRecovery(bytes32 checkpoint,uint256 nonce)");
        bytes32 hash = keccak256(abi.encode(kind, digestOf(trusted), 1));
        refusesAs(
            abi.encodeCall(client.cancelRecovery, (signedBy(cold, 3, hash))),
            Council.CouncilSignatures.selector
        );
        client.cancelRecovery(signedBy(council, 2, hash));
        vm.warp(NOW + DELAY);
        refusesAs(
            abi.encodeCall(client.recover, (trusted, current.encoded)),
            Recovery.RecoveryNotPending.selector
        );
        refusesAs(
            abi.encodeCall(client.cancelRecovery, (signedBy(council, 2, hash))),
            Recovery.RecoveryNotPending.selector
        );
    }

    // Deployment

    function test_BodiesHaveSafeThresholds() public {
        bytes4 reason = Council.CouncilBody.selector;
        LightClient.Policy memory p = base();
        p.councilThreshold = 1;
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Council, 3, 1));
        p.councilThreshold = 4;
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Council, 3, 4));
        p.councilThreshold = 2;
        p.coldThreshold = 2;
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Cold, 4, 2));
        p.coldThreshold = 3;
        p.coldKeys[3] = p.council[0];
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Cold, 4, 3));
        p.coldKeys[3] = p.coldKeys[0];
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Cold, 4, 3));
        p.coldKeys[3] = address(0);
        deployRefused(p, abi.encodeWithSelector(reason, Council.Body.Cold, 4, 3));
        p.coldKeys = addressesOf(cold);
        p.grace = 7 days + 1;
        deployRefused(
            p, abi.encodeWithSelector(Relayers.RelayersGrace.selector, 7 days, 7 days + 1)
        );
        p.grace = 0;
        p.recoveryDelay = 1 days - 1;
        deployRefused(
            p,
            abi.encodeWithSelector(
                ILightClient.LightClientParameter.selector,
                "recoveryDelay",
                1 days,
                90 days,
                1 days - 1
            )
        );
    }

    function deployRefused(LightClient.Policy memory p, bytes memory reason) private {
        LightClient.Trust memory trust = trustIn(current);
        vm.expectRevert(reason);
        new LightClient(trust, p);
    }

    /// One guardian's pause cannot expire the client.
    function test_TheTrustPeriodOutlastsAPause() public {
        uint256 least = 72 hours + 24 hours;
        vm.assertEq(client.PAUSE() + client.PAUSE_MARGIN(), least);
        LightClient.Policy memory p = noPolicy();
        p.guardian = GUARDIAN;
        trustRefused(p, least - 1, least);
        withTrust(p, least);
        vm.prank(GUARDIAN);
        client.pause(ILightClient.Scope.Updates);
        vm.warp(NOW + 72 hours);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        vm.assertTrue(client.update(decide(checkpointAt(200, current, current), current, 7)));
        // Without a guardian nobody can pause.
        vm.warp(NOW);
        withTrust(noPolicy(), 1 hours);
    }

    /// When anybody may bring a checkpoint, the client is not expired yet.
    function test_TheTrustPeriodOutlastsTheGrace() public {
        LightClient.Policy memory p = base();
        (p.guardian, p.grace) = (address(0), 2 hours);
        trustRefused(p, 2 hours, 2 hours + 1);
        withTrust(p, 2 hours + 1);
        bytes memory decision = decide(checkpointAt(101, current, current), current, 7);
        uint256 anybody = timeOf(101) / 1000 + 2 hours;
        vm.warp(anybody - 1);
        refusesAs(updateCall(decision), Relayers.RelayersReserved.selector);
        vm.warp(anybody);
        vm.assertTrue(client.update(decision));
        // Of both limits the higher one holds.
        vm.warp(NOW);
        (p.guardian, p.grace) = (GUARDIAN, 6 days);
        trustRefused(p, 6 days, 6 days + 1);
        p.grace = 1 days;
        trustRefused(p, 4 days - 1, 4 days);
    }

    function withTrust(LightClient.Policy memory p, uint256 trustPeriod) private {
        LightClient.Trust memory trust = trustIn(current);
        trust.trustPeriod = trustPeriod;
        client = new LightClient(trust, p);
    }

    function trustRefused(LightClient.Policy memory p, uint256 given, uint256 least) private {
        LightClient.Trust memory trust = trustIn(current);
        trust.trustPeriod = given;
        vm.expectRevert(
            abi.encodeWithSelector(
                ILightClient.LightClientParameter.selector, "trustPeriod", least, 365 days, given
            )
        );
        new LightClient(trust, p);
    }

    /// Without council and cold keys there is no recovery: deploy another client.
    function test_WithoutBodiesNothingIsSigned() public {
        use(noPolicy());
        deployEmpty(current);
        freezeNow();
        bytes memory trusted = encode(checkpointAt(980, current, current));
        refuses(
            abi.encodeCall(client.proposeRecovery, (trusted, "", "")),
            abi.encodeWithSelector(Council.CouncilSignatures.selector, Council.Body.Cold, 0, 0)
        );
    }
}
