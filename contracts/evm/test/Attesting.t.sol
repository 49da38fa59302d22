// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";
import {Vm} from "./Vm.sol";

/// @notice Single attestations, batches, ids and what they refuse.
contract AttestingTest is Base {
    bytes32 private constant DIGEST = keccak256("a file");

    function test_AttestEmitsAndStoresTheTime() public {
        bytes32 id = book.idOf(ISSUER, FILE, SHA2_256, one(DIGEST));
        vm.assertEq(book.attestedAt(id), 0);
        vm.expectEmit(address(book));
        emit IAttestations.Attested(FILE, ISSUER, SHA2_256, one(DIGEST));
        vm.assertEq(attested(DIGEST), id);
        vm.assertEq(book.attestedAt(id), NOW);
    }

    function test_AttestingAgainNamesTheSameAttestation() public {
        bytes32 id = attested(DIGEST);
        vm.warp(NOW + 100);
        vm.expectEmit(address(book));
        emit IAttestations.Attested(FILE, ISSUER, SHA2_256, one(DIGEST));
        vm.assertEq(attested(DIGEST), id);
        vm.assertEq(book.attestedAt(id), NOW);
    }

    function test_BatchEmitsOneEventAndStoresNothing() public {
        bytes32[] memory words = digests(1000);
        vm.recordLogs();
        vm.prank(ISSUER);
        book.attestBatch(FILE, SHA2_256, words);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics.length, 3);
        vm.assertEq(logs[0].topics[0], IAttestations.Attested.selector);
        vm.assertEq(logs[0].topics[1], FILE);
        vm.assertEq(logs[0].topics[2], bytes32(uint256(uint160(ISSUER))));
        vm.assertEq(logs[0].data, abi.encode(SHA2_256, words));
        vm.assertEq(book.attestedAt(book.idOf(ISSUER, FILE, SHA2_256, one(words[7]))), 0);
    }

    function test_IdIsTheDocumentedHash() public view {
        bytes32 tag = keccak256("TBSI attestation v1");
        bytes32[] memory words = two(DIGEST, bytes32(0));
        bytes32 expected = keccak256(abi.encode(tag, CHAIN, ISSUER, FILE, SHA2_384, words));
        vm.assertEq(book.idOf(ISSUER, FILE, SHA2_384, words), expected);
    }

    function test_IdChangesWithEachPart() public {
        bytes32 id = book.idOf(ISSUER, FILE, SHA2_256, one(DIGEST));
        vm.assertNotEq(id, book.idOf(STRANGER, FILE, SHA2_256, one(DIGEST)));
        vm.assertNotEq(id, book.idOf(ISSUER, DIGEST, SHA2_256, one(DIGEST)));
        vm.assertNotEq(id, book.idOf(ISSUER, FILE, SHA2_512, one(DIGEST)));
        vm.assertNotEq(id, book.idOf(ISSUER, FILE, SHA2_256, one(FILE)));
        vm.assertNotEq(id, book.idOf(ISSUER, FILE, SHA2_256, two(DIGEST, bytes32(0))));
        vm.chainId(CHAIN + 1);
        vm.assertNotEq(id, book.idOf(ISSUER, FILE, SHA2_256, one(DIGEST)));
    }

    function test_TakesTwoWordsOfLongDigests() public {
        vm.prank(ISSUER);
        bytes32 id = book.attest(FILE, SHA2_512, two(DIGEST, DIGEST));
        vm.assertEq(book.attestedAt(id), NOW);
        vm.prank(ISSUER);
        book.attest(FILE, SHA2_384, two(DIGEST, DIGEST & ~bytes32(uint256(type(uint128).max))));
        vm.prank(ISSUER);
        book.attestBatch(FILE, SHA2_512, digests(6));
    }

    function test_RefusesUnknownSchema() public {
        bytes memory unknown =
            abi.encodeWithSelector(IAttestations.AttestationsUnknownSchema.selector, DIGEST);
        vm.expectRevert(unknown);
        book.attest(DIGEST, SHA2_256, one(DIGEST));
        vm.expectRevert(unknown);
        book.attestBatch(DIGEST, SHA2_256, one(DIGEST));
    }

    function test_RefusesUnknownAlgorithm() public {
        bytes memory unknown = abi.encodeWithSelector(
            IAttestations.AttestationsUnknownAlgorithm.selector, uint32(0x11)
        );
        vm.expectRevert(unknown);
        book.attest(FILE, 0x11, one(DIGEST));
        vm.expectRevert(unknown);
        book.attestBatch(FILE, 0x11, one(DIGEST));
    }

    function test_RefusesDeprecatedAndRevokedAlgorithms() public {
        setAlgorithm(SHA2_256, 256, DEPRECATED);
        refusesStatus(SHA2_256, IAttestations.Status.Deprecated);
        book.attest(FILE, SHA2_256, one(DIGEST));
        refusesStatus(SHA2_256, IAttestations.Status.Deprecated);
        book.attestBatch(FILE, SHA2_256, one(DIGEST));
        setAlgorithm(SHA2_256, 256, REVOKED);
        refusesStatus(SHA2_256, IAttestations.Status.Revoked);
        book.attest(FILE, SHA2_256, one(DIGEST));
        refusesStatus(SHA2_256, IAttestations.Status.Revoked);
        book.attestBatch(FILE, SHA2_256, one(DIGEST));
    }

    function test_RefusesAnEmptyBatch() public {
        vm.expectRevert(abi.encodeWithSelector(IAttestations.AttestationsEmptyBatch.selector));
        book.attestBatch(FILE, SHA2_256, new bytes32[](0));
    }

    function test_RefusesTooManyDigests() public {
        uint256 max = book.BATCH_WORDS_MAX();
        bytes32[] memory most = digests(max);
        book.attestBatch(FILE, SHA2_256, most);
        bytes32[] memory words = digests(max + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsBatchTooLong.selector, max, max + 1)
        );
        book.attestBatch(FILE, SHA2_256, words);
    }

    function test_RefusesOddWordsOfATwoWordAlgorithm() public {
        refusesWords(2, 3);
        book.attestBatch(FILE, SHA2_512, digests(3));
        refusesWords(2, 1);
        book.attest(FILE, SHA2_512, digests(1));
    }

    function test_AttestTakesOneDigest() public {
        refusesWords(1, 0);
        book.attest(FILE, SHA2_256, digests(0));
        refusesWords(1, 2);
        book.attest(FILE, SHA2_256, digests(2));
        refusesWords(2, 4);
        book.attest(FILE, SHA2_512, digests(4));
    }

    function test_RefusesPaddingThatIsNotZero() public {
        refusesPadding(0);
        book.attest(FILE, SHA2_384, two(DIGEST, bytes32(uint256(1))));
        bytes32[] memory words = new bytes32[](6);
        words[5] = bytes32(uint256(1) << 127);
        refusesPadding(2);
        book.attestBatch(FILE, SHA2_384, words);
        // The lowest bit of the digest itself.
        words[5] = bytes32(uint256(1) << 128);
        book.attestBatch(FILE, SHA2_384, words);
    }

    function test_RefusesPaddingInOneWord() public {
        setAlgorithm(0x1013, 224, ACTIVE);
        refusesPadding(1);
        book.attestBatch(FILE, 0x1013, two(bytes32(0), bytes32(uint256(1) << 31)));
        book.attestBatch(FILE, 0x1013, two(bytes32(0), bytes32(uint256(1) << 32)));
    }

    function test_RefusesSurplusAndMissingCalldata() public {
        bytes memory single = abi.encodeCall(book.attest, (FILE, SHA2_256, one(DIGEST)));
        bytes memory batch = abi.encodeCall(book.attestBatch, (FILE, SHA2_256, digests(3)));
        bytes memory schema = abi.encodeCall(book.registerSchema, (DIGEST, 1, true));
        refusesSurplus(ISSUER, single);
        refusesSurplus(ISSUER, batch);
        refusesSurplus(ISSUER, schema);
        refusesSurplus(ISSUER, abi.encodeCall(book.revoke, (DIGEST, 1)));
        refusesSurplus(ISSUER, abi.encodeCall(book.supersede, (DIGEST, FILE)));
        refusesSurplus(GOVERNOR, abi.encodeCall(book.setAlgorithm, (SHA2_256, 256, 1, 0)));
    }

    function test_RefusesAListThatOverlapsTheArguments() public {
        // The offset 64 points at itself, which is read as a length of 64 words.
        bytes memory data = abi.encodePacked(
            book.attestBatch.selector, FILE, uint256(SHA2_256), uint256(64), digests(64)
        );
        (bool done, bytes memory answer) = send(ISSUER, data);
        vm.assertFalse(done);
        vm.assertEq(
            answer,
            abi.encodeWithSelector(
                IAttestations.AttestationsCalldataLength.selector, data.length + 32, data.length
            )
        );
    }

    function test_RefusesValueAndUnknownFunctions() public {
        (bool taken,) = address(book).call{value: 1}("");
        vm.assertFalse(taken);
        (bool answered,) = address(book).call(hex"01020304");
        vm.assertFalse(answered);
        bytes memory single = abi.encodeCall(book.attest, (FILE, SHA2_256, one(DIGEST)));
        (bool paid,) = address(book).call{value: 1}(single);
        vm.assertFalse(paid);
    }

    function testFuzz_EveryDigestHasItsTimeAndId(address issuer, bytes32 word, uint32 time) public {
        vm.assume(time > 0);
        vm.warp(time);
        vm.prank(issuer);
        bytes32 id = book.attest(FILE, SHA2_256, one(word));
        vm.assertEq(id, book.idOf(issuer, FILE, SHA2_256, one(word)));
        vm.assertEq(book.attestedAt(id), time);
    }

    function testFuzz_BatchEmitsExactlyWhatItWasGiven(bytes32[] memory words, address issuer)
        public
    {
        vm.assume(words.length > 0);
        vm.expectEmit(address(book));
        emit IAttestations.Attested(FILE, issuer, SHA2_256, words);
        vm.prank(issuer);
        book.attestBatch(FILE, SHA2_256, words);
    }

    function testFuzz_RefusesAnyOtherLengthOfCalldata(uint256 count, uint256 surplus) public {
        bytes memory batch =
            abi.encodeCall(book.attestBatch, (FILE, SHA2_256, digests(clamp(count, 1, 20))));
        bytes memory longer = abi.encodePacked(batch, new bytes(clamp(surplus, 1, 100)));
        (bool done, bytes memory answer) = send(ISSUER, longer);
        vm.assertFalse(done);
        vm.assertEq(
            answer,
            abi.encodeWithSelector(
                IAttestations.AttestationsCalldataLength.selector, batch.length, longer.length
            )
        );
    }

    function testFuzz_Refuses384BitsWithPadding(bytes32 first, bytes32 second) public {
        vm.assume(uint128(uint256(second)) != 0);
        refusesPadding(0);
        book.attest(FILE, SHA2_384, two(first, second));
    }

    function refusesWords(uint256 wordsPerDigest, uint256 got) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsWordCount.selector, wordsPerDigest, got
            )
        );
    }

    function refusesPadding(uint256 digest) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsPaddingNotZero.selector, digest)
        );
    }
}
