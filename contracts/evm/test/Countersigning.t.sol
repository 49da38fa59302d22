// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice Signatures of k of n parties.
contract CountersigningTest is Base {
    bytes32 private constant DIGEST = keccak256("a file");
    uint64 private constant DEADLINE = uint64(NOW + 1000);

    function test_TwoOfThree() public {
        bytes32 id = attested(DIGEST);
        vm.expectEmit(address(book));
        emit IAttestations.CountersigningOpened(id, ISSUER, 2, DEADLINE, parties(3));
        open(id, parties(3), 2);
        vm.assertFalse(book.isCountersigned(id));
        vm.expectEmit(address(book));
        emit IAttestations.Countersigned(id, party(2), 1, 2);
        sign(id, 2);
        vm.assertFalse(book.isCountersigned(id));
        vm.expectEmit(address(book));
        emit IAttestations.Countersigned(id, party(0), 2, 2);
        sign(id, 0);
        vm.assertTrue(book.isCountersigned(id));
        // More than needed is welcome.
        vm.expectEmit(address(book));
        emit IAttestations.Countersigned(id, party(1), 3, 2);
        sign(id, 1);
        vm.assertTrue(book.isCountersigned(id));
    }

    function test_StateIsReadable() public {
        bytes32 id = attested(DIGEST);
        vm.assertEq(book.countersigningOf(id).parties.length, 0);
        open(id, parties(3), 2);
        sign(id, 2);
        IAttestations.Countersigning memory found = book.countersigningOf(id);
        vm.assertEq(found.issuer, ISSUER);
        vm.assertEq(found.threshold, 2);
        vm.assertEq(found.have, 1);
        vm.assertEq(found.deadline, DEADLINE);
        vm.assertEq(found.signed, 4);
        vm.assertEq(abi.encode(found.parties), abi.encode(parties(3)));
    }

    function test_SixtyFourPartiesCanAllSign() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(64), 64);
        for (uint256 i = 0; i < 64; i++) {
            vm.assertFalse(book.isCountersigned(id));
            sign(id, i);
        }
        vm.assertTrue(book.isCountersigned(id));
        vm.assertEq(book.countersigningOf(id).signed, type(uint64).max);
    }

    function test_OnlyTheIssuerOpens() public {
        bytes32 id = attested(DIGEST);
        refusesOpening(ISSUER, STRANGER);
        vm.prank(STRANGER);
        book.openCountersigning(id, parties(2), 1, DEADLINE);
        // Attested in a batch only: the contract does not know whose it is.
        vm.prank(ISSUER);
        book.attestBatch(FILE, SHA2_256, one(FILE));
        bytes32 unknown = book.idOf(ISSUER, FILE, SHA2_256, one(FILE));
        refusesOpening(address(0), ISSUER);
        open(unknown, parties(2), 1);
    }

    function test_OpensOnce() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(2), 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsCountersigningExists.selector, id)
        );
        open(id, parties(3), 1);
    }

    function test_RefusesThresholdsOutOfRange() public {
        bytes32 id = attested(DIGEST);
        refusesThreshold(2, 0);
        open(id, parties(2), 0);
        refusesThreshold(2, 3);
        open(id, parties(2), 3);
    }

    function test_RefusesTooFewAndTooManyParties() public {
        bytes32 id = attested(DIGEST);
        refusesParties(0);
        open(id, parties(0), 1);
        refusesParties(65);
        open(id, parties(65), 1);
    }

    function test_RefusesDuplicateUnorderedAndZeroParties() public {
        bytes32 id = attested(DIGEST);
        address[] memory list = parties(3);
        list[2] = list[1];
        refusesOrder(2);
        open(id, list, 1);
        (list[0], list[2]) = (list[1], party(2));
        list[1] = party(0);
        refusesOrder(1);
        open(id, list, 1);
        list[0] = address(0);
        refusesOrder(0);
        open(id, list, 1);
    }

    function test_RefusesADeadlineThatIsNotLater() public {
        bytes32 id = attested(DIGEST);
        refusesDeadline(uint64(NOW));
        vm.prank(ISSUER);
        book.openCountersigning(id, parties(2), 1, uint64(NOW));
        vm.prank(ISSUER);
        book.openCountersigning(id, parties(2), 1, uint64(NOW + 1));
    }

    function test_RefusesStrangers() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(2), 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsNotParty.selector, id, STRANGER)
        );
        vm.prank(STRANGER);
        book.countersign(id);
    }

    function test_RefusesTheSamePartyTwice() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(2), 2);
        sign(id, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsAlreadyCountersigned.selector, id, party(0)
            )
        );
        sign(id, 0);
        vm.assertFalse(book.isCountersigned(id));
    }

    function test_RefusesAfterTheDeadline() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(2), 2);
        vm.warp(DEADLINE);
        sign(id, 0);
        vm.warp(DEADLINE + 1);
        refusesDeadline(DEADLINE);
        sign(id, 1);
        vm.assertFalse(book.isCountersigned(id));
    }

    function test_RefusesWhatWasNotOpened() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsUnknownCountersigning.selector, DIGEST)
        );
        sign(DIGEST, 0);
        vm.assertFalse(book.isCountersigned(DIGEST));
    }

    function test_RefusesWhatTheIssuerRevoked() public {
        bytes32 id = attested(DIGEST);
        open(id, parties(2), 1);
        vm.prank(STRANGER);
        book.revoke(id, 1);
        sign(id, 0);
        vm.prank(ISSUER);
        book.revoke(id, 1);
        refusesRevoked(id, NOW);
        sign(id, 1);
        bytes32 other = attested(FILE);
        vm.prank(ISSUER);
        book.revoke(other, 1);
        refusesRevoked(other, NOW);
        open(other, parties(2), 1);
    }

    function test_RefusesSurplusCalldata() public {
        bytes32 id = attested(DIGEST);
        refusesSurplus(
            ISSUER, abi.encodeCall(book.openCountersigning, (id, parties(2), 1, DEADLINE))
        );
        refusesSurplus(party(0), abi.encodeCall(book.countersign, (id)));
    }

    function testFuzz_HaveIsTheNumberOfSigners(uint256 count, uint256 threshold, uint256 seed)
        public
    {
        count = clamp(count, 1, 64);
        threshold = clamp(threshold, 1, count);
        bytes32 id = attested(DIGEST);
        open(id, parties(count), uint16(threshold));
        uint256 signed = 0;
        for (uint256 i = 0; i < count; i++) {
            if ((seed >> i) & 1 == 0) continue;
            sign(id, i);
            signed++;
        }
        IAttestations.Countersigning memory found = book.countersigningOf(id);
        vm.assertEq(found.have, signed);
        vm.assertEq(found.signed, seed & ((uint256(1) << count) - 1));
        vm.assertTrue(book.isCountersigned(id) == (signed >= threshold));
    }

    function party(uint256 position) private pure returns (address) {
        return address(uint160(0x1000000 + position * 7));
    }

    function parties(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = party(i);
        }
    }

    function open(bytes32 id, address[] memory list, uint16 threshold) private {
        vm.prank(ISSUER);
        book.openCountersigning(id, list, threshold, DEADLINE);
    }

    function sign(bytes32 id, uint256 position) private {
        vm.prank(party(position));
        book.countersign(id);
    }

    function refusesOpening(address issuer, address got) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsNotIssuer.selector, issuer, got)
        );
    }

    function refusesThreshold(uint256 max, uint256 got) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsThresholdOutOfRange.selector, max, got)
        );
    }

    function refusesParties(uint256 got) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsPartiesOutOfRange.selector, 64, got)
        );
    }

    function refusesOrder(uint256 position) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsPartiesNotAscending.selector, position)
        );
    }

    function refusesDeadline(uint64 deadline) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsDeadlinePassed.selector, deadline, block.timestamp
            )
        );
    }
}
