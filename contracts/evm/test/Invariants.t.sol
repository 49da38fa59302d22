// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";
import {Handler} from "./Handler.sol";

/// @notice What no sequence of calls changes.
contract InvariantsTest is Base {
    Handler private handler;

    function setUp() public override {
        super.setUp();
        handler = new Handler();
    }

    /// What forge calls at random.
    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariant_RevokedStaysRevoked() public view {
        for (uint256 i = 0; i < pairs(); i++) {
            bytes32 id = pairId(i);
            for (uint256 by = 0; by < handler.ACTORS(); by++) {
                address issuer = handler.actor(by);
                (uint64 time, uint16 reason) = handler.revocations(id, issuer);
                IAttestations.Revocation memory found = book.revocationOf(id, issuer);
                vm.assertEq(found.time, time);
                vm.assertEq(found.reason, reason);
                vm.assertTrue(book.isRevoked(id, issuer) == (time != 0));
                vm.assertTrue((time != 0) == (reason != 0));
                vm.assertLe(reason, book.REASON_MAX());
            }
        }
    }

    function invariant_FirstAttestationKeepsItsTime() public view {
        for (uint256 i = 0; i < pairs(); i++) {
            bytes32 id = pairId(i);
            vm.assertEq(book.attestedAt(id), handler.times(id));
        }
    }

    function invariant_SuccessorsStayAndEnd() public view {
        for (uint256 i = 0; i < pairs(); i++) {
            address issuer = handler.actor(i % handler.ACTORS());
            bytes32 id = pairId(i);
            vm.assertEq(book.successorOf(id, issuer), handler.successors(id, issuer));
            for (uint256 steps = 0; id != 0; steps++) {
                vm.assertLe(steps, handler.DIGESTS());
                id = book.successorOf(id, issuer);
            }
        }
    }

    function invariant_CountersignaturesAreAtMostTheParties() public view {
        for (uint256 i = 0; i < pairs(); i++) {
            bytes32 id = pairId(i);
            IAttestations.Countersigning memory found = book.countersigningOf(id);
            IAttestations.Countersigning memory opened = handler.openedOf(id);
            vm.assertEq(found.issuer, opened.issuer);
            vm.assertEq(found.threshold, opened.threshold);
            vm.assertEq(found.deadline, opened.deadline);
            vm.assertEq(abi.encode(found.parties), abi.encode(opened.parties));
            vm.assertLe(found.threshold, found.parties.length);
            vm.assertLe(found.have, found.parties.length);
            vm.assertEq(found.have, ones(found.signed));
            vm.assertEq(found.signed >> found.parties.length, 0);
            bool enough = found.have >= found.threshold && found.threshold != 0;
            vm.assertTrue(book.isCountersigned(id) == enough);
        }
    }

    function invariant_ANonceIsUsedOnce() public view {
        vm.assertFalse(handler.reused());
        for (uint256 i = 0; i < handler.usedNonces(); i++) {
            vm.assertTrue(book.isNonceUsed(handler.issuers(i), handler.nonces(i)));
        }
    }

    function invariant_TableLosesNoAlgorithm() public view {
        uint32[] memory codes = book.algorithmCodes();
        vm.assertEq(codes.length, handler.codeCount());
        for (uint256 i = 0; i < codes.length; i++) {
            vm.assertEq(codes[i], handler.codes(i));
            (uint16 bits, IAttestations.Status status) = book.algorithmOf(codes[i]);
            vm.assertEq(bits, handler.bits(codes[i]));
            vm.assertTrue(status != IAttestations.Status.Unknown);
        }
    }

    /// A handler whose calls were all refused would prove nothing.
    function test_TheHandlersCallsAreAccepted() public {
        handler.attest(0, 1);
        handler.attestBatch(0, 3);
        handler.attestByDelegation(1, 2, 0, false);
        handler.cancel(1, 3);
        vm.assertEq(handler.accepted(book.cancelDelegation.selector), 1);
        handler.revoke(0, 0, 2, 3);
        handler.supersede(0, 1, 2);
        handler.open(0, 1, 3, 2, 100);
        handler.countersign(1, 0, 1);
        handler.setAlgorithm(3, 1, 2, true);
        vm.assertEq(handler.accepted(book.attest.selector), 1);
        vm.assertEq(handler.accepted(book.attestBatch.selector), 1);
        vm.assertEq(handler.accepted(book.attestByDelegation.selector), 1);
        vm.assertEq(handler.accepted(book.revoke.selector), 1);
        vm.assertEq(handler.accepted(book.supersede.selector), 1);
        vm.assertEq(handler.accepted(book.openCountersigning.selector), 1);
        vm.assertEq(handler.accepted(book.countersign.selector), 1);
        vm.assertEq(handler.accepted(book.setAlgorithm.selector), 1);
        vm.assertEq(handler.codeCount(), 16);
    }

    /// Attestations are numbered by issuer and digest.
    function pairs() private view returns (uint256) {
        return handler.ACTORS() * handler.DIGESTS();
    }

    function pairId(uint256 pair) private view returns (bytes32) {
        return handler.idOf(pair % handler.ACTORS(), pair / handler.ACTORS());
    }

    function ones(uint64 signed) private pure returns (uint256 count) {
        for (; signed != 0; signed >>= 1) {
            count += signed & 1;
        }
    }
}
