// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {Equivocating} from "./Equivocating.sol";
import {Vm} from "./Vm.sol";

/// @notice Answers 1 to the input whose hash is in slot 0, and 0 to any other.
contract ExpectingMock {
    bytes32 private _expected;

    fallback(bytes calldata input) external returns (bytes memory) {
        return abi.encode(keccak256(input) == _expected ? 1 : 0);
    }
}

/// @notice Evidence of equivocation and the suspensions that follow from it.
contract EvidenceTest is Equivocating {
    uint256 private constant ACCUSED = uint256(keccak256("TBSI test key 1"));

    string private vectors;

    function setUp() public {
        vectors = vm.readFile("../../tests/vectors/governance.json");
    }

    // Vectors

    function test_EvidenceIsThatOfTheVectors() public {
        foundWithAccused();
        uint256 snapshot = vm.snapshotState();
        uint256 good = 0;
        uint256 bad = 0;
        for (; has("evidence", good + bad); vm.revertToState(snapshot)) {
            string memory item = path("evidence", good + bad);
            bytes memory evidence = vm.parseJsonBytes(vectors, join(item, "evidence"));
            bytes memory data = abi.encodeCall(nodes.submitEvidence, (evidence));
            (bool done, bytes memory reason) = answer(STRANGER, address(nodes), data);
            if (vm.keyExistsJson(vectors, join(item, "refused"))) {
                vm.assertFalse(done, item);
                string memory refused = vm.parseJsonString(vectors, join(item, "refused"));
                vm.assertEq(
                    bytes32(bytes4(reason)), bytes32(bytes4(keccak256(bytes(refused)))), item
                );
                bad++;
                continue;
            }
            vm.assertTrue(done, item);
            isRecorded(item);
            good++;
        }
        vm.assertGe(good, 8);
        vm.assertGe(bad, 22);
    }

    function isRecorded(string memory item) private view {
        INodes.Offence memory offence = nodes.offences(0, 1)[0];
        vm.assertEq(offence.validator, vm.parseJsonAddress(vectors, join(item, "validator")));
        vm.assertEq(offence.evidenceHash, vm.parseJsonBytes32(vectors, join(item, "evidenceHash")));
        vm.assertEq(offence.height, number(item, "height"));
        vm.assertEq(offence.round, number(item, "round"));
        vm.assertEq(offence.kind, number(item, "kind"));
        vm.assertEq(offence.organisation, 6);
        vm.assertEq(offence.node, 6);
        vm.assertEq(offence.recordedHeight, 10);
    }

    function test_PossessionsAreThoseOfTheVectors() public {
        found(5);
        vm.etch(ED25519, type(ExpectingMock).runtimeCode);
        uint256 count = 0;
        for (; has("possessions", count); count++) {
            string memory item = path("possessions", count);
            vm.chainId(number(item, "chainId"));
            vm.assertEq(vm.parseJsonBytes32(vectors, join(item, "genesisHash")), GENESIS);
            bytes memory key = vm.parseJsonBytes(vectors, join(item, "key"));
            bytes32 digest = vm.parseJsonBytes32(vectors, join(item, "digest"));
            bytes memory preimage = vm.parseJsonBytes(vectors, join(item, "preimage"));
            vm.assertEq(sha256(preimage), digest, item);
            vm.assertEq(
                nodes.possessionDigest(
                    uint32(number(item, "organisation")),
                    uint8(number(item, "kind")),
                    key,
                    uint64(number(item, "deadline"))
                ),
                digest,
                item
            );
            bytes memory signature = vm.parseJsonBytes(vectors, join(item, "signature"));
            if (count == 0) takesPeerKey(key, digest, signature);
        }
        vm.assertGe(count, 6);
    }

    function test_ConsentsAreThoseOfTheVectors() public {
        found(5);
        uint256 count = 0;
        for (; has("consents", count); count++) {
            string memory item = path("consents", count);
            vm.chainId(number(item, "chainId"));
            address account = vm.parseJsonAddress(vectors, join(item, "account"));
            bytes32 entry = keccak256(abi.encode(account, uint256(8)));
            vm.store(address(permissions), entry, bytes32(number(item, "nonce")));
            vm.assertEq(permissions.consents(account), number(item, "nonce"));
            bytes32 digest = permissions.consentDigest(
                uint32(number(item, "organisation")),
                account,
                uint32(number(item, "permissions")),
                uint64(number(item, "deadline"))
            );
            vm.assertEq(digest, vm.parseJsonBytes32(vectors, join(item, "digest")), item);
            bytes32 r = vm.parseJsonBytes32(vectors, join(item, "r"));
            bytes32 s = vm.parseJsonBytes32(vectors, join(item, "s"));
            vm.assertEq(ecrecover(digest, uint8(number(item, "v")), r, s), account);
        }
        vm.assertGe(count, 5);
    }

    /// The precompile gets message, key, R and S: SPEC §13.3.
    function takesPeerKey(bytes memory key, bytes32 digest, bytes memory signature) private {
        INodes.Signature memory proof;
        (proof.r, proof.s) = abi.decode(signature, (bytes32, bytes32));
        uint64 deadline = uint64(NOW + 60);
        bytes memory data =
            abi.encodeCall(nodes.rotatePeerKey, (2, bytes32(key), proof, deadline, 0));
        refuses(
            admin(2),
            address(nodes),
            data,
            abi.encodeWithSelector(INodes.NodesPossessionInvalid.selector, 1)
        );
        bytes32 expected = keccak256(abi.encodePacked(digest, key, signature));
        vm.store(ED25519, 0, expected);
        vm.assertTrue(send(admin(2), address(nodes), data));
    }

    // What follows

    function test_AnEquivocationSuspendsTheValidatorAndNamesItsOrganisation() public {
        found(5);
        vm.roll(10);
        bytes memory evidence = votes(2, 5, 0);
        vm.expectEmit(address(nodes));
        emit INodes.Equivocated(
            2, wallet(2).addr, 5, 0, 1, sha256(evidence), details(2).nameZhTw, details(2).nameEn
        );
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSuspended(2, wallet(2).addr);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSetChanged(uint64(NOW));
        submit(evidence);
        vm.assertEq(nodes.validatorSet().length, 4);
        INodes.Node memory node = nodes.nodeOf(2);
        vm.assertTrue(node.suspended);
        vm.assertFalse(node.validating);
        vm.assertEq(node.power, 10);
        endBlock();
        vm.assertEq(nodes.validatorKeyOf(wallet(2).addr).last, 10);
        vm.assertEq(nodes.offenceCount(), 1);
        // Its organisation stays: it has a vote, and its node is a peer.
        vm.assertEq(nodes.peers().length, 5);
        vm.assertEq(nodes.peers()[1].nodeType, 2);
    }

    function test_AnOffenceIsRecordedOnce() public {
        found(5);
        bytes memory known =
            abi.encodeWithSelector(INodes.NodesEvidenceKnown.selector, wallet(2).addr, 1, 0);
        submit(votes(2, 1, 0));
        refusesEvidence(votes(2, 1, 0), known);
        // The other way round, or with other values, it is the same offence.
        bytes memory other = pair(2, vote(1, 1, 0, "c"), vote(1, 1, 0, "d"));
        refusesEvidence(other, known);
        // Another step is another one.
        submit(pair(2, vote(2, 1, 0, "a"), vote(2, 1, 0, "b")));
        vm.assertEq(nodes.offenceCount(), 2);
    }

    function test_ASuspensionThatWouldBreakTheSetWaits() public {
        found(4);
        vm.roll(10);
        vm.recordLogs();
        submit(votes(2, 5, 0));
        vm.assertEq(vm.getRecordedLogs().length, 1);
        vm.assertTrue(nodes.nodeOf(2).suspended);
        vm.assertTrue(nodes.nodeOf(2).validating);
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertEq(nodes.enforceSuspensions(), 0);
        uint32 node = joined(5);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSuspended(2, wallet(2).addr);
        decide(IMotions.Kind.AddValidator, abi.encode(node, uint64(10)));
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertFalse(nodes.nodeOf(2).validating);
        vm.assertEq(nodes.enforceSuspensions(), 0);
    }

    function test_ASuspensionThatWouldLiftAShareWaits() public {
        found(5);
        // 15 of 55 may stay, 15 of 45 too, 15 of 35 not.
        uint32 extra = registered(1, 7);
        vm.prank(address(motions));
        nodes.addValidator(extra, 5);
        submit(votes(4, 1, 0));
        vm.assertEq(nodes.validatorSet().length, 5);
        submit(votes(5, 1, 0));
        vm.assertEq(nodes.validatorSet().length, 5);
        vm.assertTrue(nodes.nodeOf(5).validating);
        // Somebody else comes back: 15 of 45.
        vm.prank(address(motions));
        nodes.reinstateValidator(4);
        vm.assertFalse(nodes.nodeOf(5).validating);
    }

    function test_SuspensionIsLiftedByMotionAlone() public {
        found(5);
        submit(votes(2, 1, 0));
        bytes memory suspended = abi.encodeWithSelector(INodes.NodesSuspended.selector, 2);
        refusesMotion(IMotions.Kind.AddValidator, abi.encode(uint32(2), uint64(1)), suspended);
        // A new key does not help.
        uint64 deadline = uint64(block.timestamp);
        INodes.Registration memory key = registration(30);
        INodes.Signature memory proof = validatorProof(2, 30, deadline);
        vm.prank(admin(2));
        nodes.rotateValidatorKey(2, key.validatorX, key.validatorY, proof, deadline);
        refusesMotion(IMotions.Kind.AddValidator, abi.encode(uint32(2), uint64(1)), suspended);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorReinstated(2, wallet(30).addr);
        decide(IMotions.Kind.ReinstateValidator, abi.encode(uint32(2)));
        vm.assertEq(nodes.validatorSet().length, 5);
        (uint256 own,) = powerOf(2);
        vm.assertEq(own, 10);
    }

    function test_OffencesBeforeAReinstatementSuspendNoMore() public {
        found(5);
        vm.roll(10);
        submit(votes(2, 5, 0));
        endBlock();
        vm.roll(20);
        vm.prank(address(motions));
        nodes.reinstateValidator(2);
        vm.recordLogs();
        submit(votes(2, 5, 1));
        submit(votes(2, 20, 0));
        vm.assertEq(vm.getRecordedLogs().length, 2);
        vm.assertEq(nodes.offenceCount(), 3);
        vm.assertFalse(nodes.nodeOf(2).suspended);
        endBlock();
        submit(votes(2, 21, 0));
        vm.assertTrue(nodes.nodeOf(2).suspended);
        vm.assertFalse(nodes.nodeOf(2).validating);
    }

    function test_APendingSuspensionIsLiftedToo() public {
        found(4);
        submit(votes(2, 1, 0));
        vm.prank(address(motions));
        nodes.reinstateValidator(2);
        vm.assertFalse(nodes.nodeOf(2).suspended);
        vm.assertEq(nodes.validatorSet().length, 4);
    }

    function test_ASuspendedValidatorThatWasRemovedStaysOut() public {
        found(5);
        submit(votes(2, 1, 0));
        vm.prank(address(motions));
        nodes.removeValidator(2, 1);
        vm.prank(address(motions));
        nodes.reinstateValidator(2);
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertFalse(nodes.nodeOf(2).suspended);
    }

    function test_AnOldKeyAnswersForItsTimeOnly() public {
        found(5);
        vm.roll(20);
        uint64 deadline = uint64(block.timestamp);
        INodes.Registration memory key = registration(30);
        INodes.Signature memory proof = validatorProof(2, 30, deadline);
        vm.prank(admin(2));
        nodes.rotateValidatorKey(2, key.validatorX, key.validatorY, proof, deadline);
        refusesEvidence(votes(30, 21, 0), notValidator(30, 21));
        endBlock();
        refusesEvidence(votes(2, 21, 0), notValidator(2, 21));
        refusesEvidence(votes(30, 20, 0), notValidator(30, 20));
        submit(votes(2, 20, 0));
        vm.assertFalse(nodes.nodeOf(2).validating);
        endBlock();
        refusesEvidence(votes(30, 22, 0), notValidator(30, 22));
        submit(pair(30, vote(1, 21, 0, "a"), vote(1, 21, 0, "b")));
        vm.assertEq(nodes.offenceCount(), 2);
    }

    function test_WhoNeverValidatedCannotEquivocate() public {
        found(5);
        registered(2, 7);
        refusesEvidence(votes(7, 1, 0), notValidator(7, 1));
        refusesEvidence(votes(8, 1, 0), notValidator(8, 1));
    }

    function test_NothingIsAcceptedBeforeTheGenesisHash() public {
        found(5);
        vm.store(address(nodes), 0, 0);
        refusesEvidence(
            votes(2, 1, 0), abi.encodeWithSelector(INodes.NodesGenesisNotBound.selector)
        );
    }

    function test_AnOrganisationThatHasLeftStillAnswers() public {
        found(6);
        vm.roll(20);
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(6), uint16(2)));
        endBlock();
        submit(votes(6, 20, 0));
        vm.assertEq(nodes.offences(0, 100)[0].organisation, 6);
        refusesEvidence(votes(6, 21, 0), notValidator(6, 21));
    }

    // Helpers

    /// Six organisations; the sixth validates with the vectors' key.
    function foundWithAccused() private {
        found(5);
        vm.roll(0);
        vm.prank(SYSTEM);
        organisations.foundOrganisation(details(6));
        INodes.Registration memory node = registration(6);
        Vm.Wallet memory key = vm.createWallet(ACCUSED);
        (node.validatorX, node.validatorY) = (bytes32(key.publicKeyX), bytes32(key.publicKeyY));
        vm.prank(SYSTEM);
        nodes.foundNode(6, node, 10);
        vm.roll(10);
    }

    function submit(bytes memory evidence) private {
        vm.prank(STRANGER);
        nodes.submitEvidence(evidence);
    }

    function refusesEvidence(bytes memory evidence, bytes memory reason) private {
        bytes memory data = abi.encodeCall(nodes.submitEvidence, (evidence));
        refuses(STRANGER, address(nodes), data, reason);
    }

    function notValidator(uint256 seed, uint64 height) private returns (bytes memory) {
        return abi.encodeWithSelector(
            INodes.NodesEvidenceNotValidator.selector, wallet(seed).addr, height
        );
    }

    function has(string memory list, uint256 position) private view returns (bool) {
        return vm.keyExistsJson(vectors, path(list, position));
    }

    function number(string memory item, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(vectors, join(item, key));
    }

    function path(string memory list, uint256 position) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(position), "]");
    }

    function join(string memory item, string memory key) private pure returns (string memory) {
        return string.concat(item, ".", key);
    }
}
