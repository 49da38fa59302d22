// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice Revocation, succession, and the rule by which a verifier reads them.
contract RevokingTest is Base {
    bytes32 private constant DIGEST = keccak256("a file");
    bytes32 private constant OTHER = keccak256("another file");

    function test_IssuerRevokes() public {
        bytes32 id = attested(DIGEST);
        vm.assertFalse(book.isRevoked(id, ISSUER));
        vm.warp(NOW + 5);
        vm.expectEmit(address(book));
        emit IAttestations.Revoked(id, ISSUER, 4);
        vm.prank(ISSUER);
        book.revoke(id, 4);
        vm.assertTrue(book.isRevoked(id, ISSUER));
        IAttestations.Revocation memory revocation = book.revocationOf(id, ISSUER);
        vm.assertEq(revocation.time, NOW + 5);
        vm.assertEq(revocation.reason, 4);
    }

    function test_StrangersRevocationDoesNotCount() public {
        bytes32 id = attested(DIGEST);
        vm.prank(STRANGER);
        book.revoke(id, 1);
        vm.assertTrue(book.isRevoked(id, STRANGER));
        vm.assertFalse(book.isRevoked(id, ISSUER));
        vm.assertEq(standing(DIGEST).revokedAt, 0);
        // Nor does it keep the issuer from its own.
        vm.prank(ISSUER);
        book.revoke(id, 2);
        vm.assertEq(standing(DIGEST).reason, 2);
    }

    function test_RevocationIsFinal() public {
        bytes32 id = attested(DIGEST);
        vm.prank(ISSUER);
        book.revoke(id, 1);
        vm.warp(NOW + 10);
        refusesRevoked(id, NOW);
        vm.prank(ISSUER);
        book.revoke(id, 2);
        refusesRevoked(id, NOW);
        attested(DIGEST);
        vm.assertEq(book.revocationOf(id, ISSUER).reason, 1);
    }

    function test_ABatchDoesNotUndoARevocation() public {
        bytes32 id = attested(DIGEST);
        vm.prank(ISSUER);
        book.revoke(id, 1);
        vm.prank(ISSUER);
        book.attestBatch(FILE, SHA2_256, one(DIGEST));
        vm.assertTrue(book.isRevoked(id, ISSUER));
    }

    function test_DigestsOfABatchCanBeRevoked() public {
        bytes32[] memory words = digests(3);
        vm.prank(ISSUER);
        book.attestBatch(FILE, SHA2_256, words);
        bytes32 id = book.idOf(ISSUER, FILE, SHA2_256, one(words[1]));
        vm.prank(ISSUER);
        book.revoke(id, 3);
        vm.assertEq(standing(words[1]).revokedAt, NOW);
        vm.assertEq(standing(words[0]).revokedAt, 0);
    }

    function test_RevocationUnderANonRevocableSchemaDoesNotCount() public {
        vm.prank(ISSUER);
        bytes32 schema = book.registerSchema(DIGEST, 1, false);
        vm.prank(ISSUER);
        bytes32 id = book.attest(schema, SHA2_256, one(DIGEST));
        vm.prank(ISSUER);
        book.revoke(id, 2);
        vm.assertTrue(book.isRevoked(id, ISSUER));
        IAttestations.Standing memory found = book.standingOf(ISSUER, schema, SHA2_256, one(DIGEST));
        vm.assertEq(found.id, id);
        vm.assertEq(found.attestedAt, NOW);
        vm.assertEq(found.revokedAt, 0);
        vm.assertEq(found.reason, 0);
    }

    function test_StandingShowsTheAlgorithmsStatus() public {
        attested(DIGEST);
        vm.assertEq(uint8(standing(DIGEST).status), ACTIVE);
        setAlgorithm(SHA2_256, 256, REVOKED);
        vm.assertEq(uint8(standing(DIGEST).status), REVOKED);
        vm.assertEq(standing(DIGEST).attestedAt, NOW);
    }

    function test_RefusesReasonsOutOfRange() public {
        refusesReason(0);
        refusesReason(9);
        refusesReason(65535);
    }

    function test_SupersedeNamesASuccessorOnce() public {
        bytes32 id = attested(DIGEST);
        bytes32 successor = attested(OTHER);
        vm.assertEq(book.successorOf(id, ISSUER), bytes32(0));
        vm.expectEmit(address(book));
        emit IAttestations.Superseded(id, ISSUER, successor);
        vm.prank(ISSUER);
        book.supersede(id, successor);
        vm.assertEq(book.successorOf(id, ISSUER), successor);
        vm.assertEq(standing(DIGEST).successor, successor);
        // Superseded is not revoked.
        vm.assertFalse(book.isRevoked(id, ISSUER));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsAlreadySuperseded.selector, id, successor
            )
        );
        vm.prank(ISSUER);
        book.supersede(id, FILE);
    }

    function test_StrangersSuccessorDoesNotCount() public {
        bytes32 id = attested(DIGEST);
        vm.prank(STRANGER);
        book.supersede(id, OTHER);
        vm.assertEq(book.successorOf(id, ISSUER), bytes32(0));
        vm.assertEq(standing(DIGEST).successor, bytes32(0));
    }

    function test_RefusesSuccessorsThatMakeNoSense() public {
        refusesSuccessor(DIGEST, 0);
        refusesSuccessor(DIGEST, DIGEST);
    }

    function test_RefusesCircles() public {
        vm.prank(ISSUER);
        book.supersede(DIGEST, OTHER);
        refusesSuccessor(OTHER, DIGEST);
        vm.prank(ISSUER);
        book.supersede(OTHER, FILE);
        refusesSuccessor(FILE, DIGEST);
        refusesSuccessor(FILE, OTHER);
        // Another account's circle is its own affair.
        vm.prank(STRANGER);
        book.supersede(OTHER, DIGEST);
    }

    function testFuzz_FollowingSuccessorsEnds(uint256 seed) public {
        // Random edges among 8 ids, most of which are refused; then every path has to end.
        for (uint256 i = 0; i < 64; i++) {
            uint256 edge = uint256(keccak256(abi.encode(seed, i)));
            bytes memory data = abi.encodeCall(
                book.supersede, (bytes32(1 + edge % 8), bytes32(1 + (edge >> 8) % 8))
            );
            send(ISSUER, data);
        }
        for (uint256 start = 1; start <= 8; start++) {
            bytes32 current = bytes32(start);
            uint256 steps = 0;
            while (book.successorOf(current, ISSUER) != 0) {
                current = book.successorOf(current, ISSUER);
                vm.assertLe(++steps, 7);
            }
        }
    }

    function testFuzz_RevocationIsOfTheCallerAlone(bytes32 id, address by, address other) public {
        vm.assume(by != other);
        vm.prank(by);
        book.revoke(id, 1);
        vm.assertTrue(book.isRevoked(id, by));
        vm.assertFalse(book.isRevoked(id, other));
    }

    function standing(bytes32 word) private view returns (IAttestations.Standing memory) {
        return book.standingOf(ISSUER, FILE, SHA2_256, one(word));
    }

    function refusesReason(uint16 reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsReasonOutOfRange.selector, uint16(8), reason
            )
        );
        book.revoke(DIGEST, reason);
    }

    function refusesSuccessor(bytes32 id, bytes32 successor) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsSuccessorInvalid.selector, successor)
        );
        vm.prank(ISSUER);
        book.supersede(id, successor);
    }
}
