// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorisations} from "../src/IAuthorisations.sol";
import {AuthorisationsHandler} from "./AuthorisationsHandler.sol";
import {Granting} from "./Granting.sol";

/// @notice What no sequence of calls changes.
contract AuthorisationsInvariantsTest is Granting {
    AuthorisationsHandler private handler;

    function setUp() public {
        found(4);
        handler = new AuthorisationsHandler();
    }

    /// What forge calls at random.
    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariant_NobodyActsForAnother() public view {
        vm.assertFalse(handler.actedForAnother());
    }

    function invariant_NothingWidensAlone() public view {
        vm.assertFalse(handler.widenedAlone());
    }

    function invariant_WhatIsRevokedNeverComesBack() public view {
        vm.assertFalse(handler.cameBack());
        vm.assertFalse(handler.usedInVain());
        for (uint32 number = 1; number <= authorisations.authorisationCount(); number++) {
            IAuthorisations.Authorisation memory found = authorisations.authorisationOf(number);
            bool ended = found.status == uint8(IAuthorisations.Status.Revoked);
            vm.assertTrue(ended == handler.revoked(number));
            if (!ended) continue;
            vm.assertEq(found.offered.purposes.length, 0);
            for (uint256 n = 1; n <= 4; n++) {
                vm.assertFalse(isAllowed(number, n));
            }
        }
    }

    /// Versions follow one another, and the last one holds unless it was revoked.
    function invariant_VersionsFollowOneAnother() public view {
        for (uint32 number = 1; number <= authorisations.authorisationCount(); number++) {
            IAuthorisations.Authorisation memory found = authorisations.authorisationOf(number);
            bool ended = found.status == uint8(IAuthorisations.Status.Revoked);
            uint64[4] memory last;
            for (uint256 i = 0; i < found.versions; i++) {
                uint64[4] memory next;
                (next[0], next[1], next[2], next[3]) = authorisations.versionOf(number, i);
                vm.assertTrue(next[0] != 0 && next[2] != 0);
                vm.assertTrue((next[1] == 0) == (next[3] == 0));
                if (i > 0) vm.assertTrue(next[0] == last[1] && next[2] == last[3]);
                vm.assertTrue(next[3] == 0 || next[3] >= next[2]);
                last = next;
            }
            if (found.versions != 0) vm.assertTrue((last[3] != 0) == ended);
            vm.assertTrue(
                (found.versions == 0) != (found.status == uint8(IAuthorisations.Status.Active))
                    || ended
            );
        }
    }

    /// A handler whose calls were all refused would prove nothing.
    function test_TheHandlersCallsAreAccepted() public {
        handler.grant(1, 2, 3, 50_000);
        handler.accept(2, 1);
        handler.relyOn(2, 1, 0);
        handler.extend(1, 1, 7, 60_000);
        handler.accept(2, 1);
        handler.narrow(2, 1, 1, 60_000);
        handler.revoke(1, 1, 0);
        vm.assertEq(handler.accepted(authorisations.grant.selector), 1);
        vm.assertEq(handler.accepted(authorisations.accept.selector), 2);
        vm.assertEq(handler.accepted(authorisations.relyOn.selector), 1);
        vm.assertEq(handler.accepted(authorisations.extend.selector), 1);
        vm.assertEq(handler.accepted(authorisations.narrow.selector), 1);
        vm.assertEq(handler.accepted(authorisations.revoke.selector), 1);
        vm.assertTrue(handler.revoked(1));
    }
}
