// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice Accounts, permissions, quotas and usage.
contract PermissionsTest is World {
    /// Seeds of two accounts that belong to nobody.
    uint256 private constant CLERK_SEED = 70;
    uint256 private constant OTHER_SEED = 71;
    uint256 private constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    address private clerk;
    address private other;

    function setUp() public {
        found(5);
        clerk = wallet(CLERK_SEED).addr;
        other = wallet(OTHER_SEED).addr;
    }

    function test_AnAdministratorAddsGrantsAndWithdraws() public {
        (, bytes memory data) = joining(2, CLERK_SEED, 5);
        vm.expectEmit(address(permissions));
        emit IPermissions.AccountSet(2, clerk, 5, admin(2));
        as_(admin(2), data);
        has(clerk, 2, 5);
        vm.assertEq(permissions.accountCount(2), 2);
        vm.assertEq(permissions.consents(clerk), 1);
        as_(admin(2), abi.encodeCall(permissions.grant, (clerk, 36)));
        has(clerk, 2, 36);
        vm.assertEq(permissions.accountCount(2), 2);
        as_(admin(2), abi.encodeCall(permissions.withdraw, (clerk)));
        has(clerk, 0, 1);
        vm.assertEq(permissions.accounts(clerk), 0);
        vm.assertEq(permissions.accountCount(2), 1);
    }

    /// What proofs of names are about (SPEC §10.11).
    function test_MembershipsSaySinceAndUntil() public {
        vm.assertEq(permissions.membershipCount(admin(2)), 1);
        isMembership(admin(2), 0, 2, 0, 0);
        vm.assertEq(permissions.membershipCount(clerk), 0);
        vm.roll(10);
        enrolled(2, CLERK_SEED, 5);
        vm.roll(11);
        as_(admin(2), abi.encodeCall(permissions.grant, (clerk, 36)));
        vm.assertEq(permissions.membershipCount(clerk), 1);
        isMembership(clerk, 0, 2, 10, 0);
        vm.roll(12);
        as_(admin(2), abi.encodeCall(permissions.withdraw, (clerk)));
        isMembership(clerk, 0, 2, 10, 12);
        vm.roll(13);
        enrolled(2, CLERK_SEED, 5);
        vm.roll(14);
        vm.prank(address(motions));
        permissions.setAccount(3, clerk, 5);
        vm.roll(15);
        vm.prank(address(motions));
        permissions.setOrganisationPermissions(3, 48);
        vm.assertEq(permissions.membershipCount(clerk), 3);
        isMembership(clerk, 1, 2, 13, 14);
        isMembership(clerk, 2, 3, 14, 15);
        vm.assertEq(permissions.membershipsOf(clerk, 0, 100).length, 3);
        vm.assertEq(permissions.membershipsOf(clerk, 3, 100).length, 0);
    }

    /// The word, and its slot, as a verifier computes it.
    function isMembership(
        address account,
        uint256 position,
        uint256 organisation,
        uint256 since,
        uint256 until
    ) private view {
        uint256 word = organisation | (since << 32) | (until << 96);
        vm.assertEq(permissions.membershipsOf(account, position, 1)[0], word);
        bytes32 list = keccak256(abi.encode(keccak256(abi.encode(account, 9))));
        bytes32 slot = bytes32(uint256(list) + position);
        vm.assertEq(vm.load(address(permissions), slot), bytes32(word));
    }

    /// Nobody annexes an account, be it of a stranger or of an organisation that is to join.
    function test_AnAccountJoinsByItsConsentAlone() public {
        address[2] memory accounts = [STRANGER, admin(6)];
        for (uint256 i = 0; i < 2; i++) {
            refuses(
                admin(2),
                address(permissions),
                abi.encodeCall(permissions.grant, (accounts[i], 1)),
                abi.encodeWithSelector(
                    IPermissions.PermissionsConsentNeeded.selector, accounts[i], 2
                )
            );
        }
        // One that left needs a new one: the old signature has been used.
        (, bytes memory data) = joining(2, CLERK_SEED, 5);
        as_(admin(2), data);
        as_(admin(2), abi.encodeCall(permissions.withdraw, (clerk)));
        refuses(admin(2), address(permissions), data, invalid(clerk, 2, 1));
        enrolled(2, CLERK_SEED, 5);
        vm.assertEq(permissions.consents(clerk), 2);
    }

    function test_AConsentIsForWhatItSays() public {
        uint64 deadline = uint64(NOW + 60);
        IPermissions.Consent memory given = consented(2, CLERK_SEED, 5, deadline);
        bytes memory reason = invalid(clerk, 2, 0);
        refusesConsent(admin(2), clerk, 4, given, reason);
        refusesConsent(admin(2), clerk, 7, given, reason);
        refusesConsent(admin(2), other, 5, given, invalid(other, 2, 0));
        refusesConsent(admin(3), clerk, 5, given, invalid(clerk, 3, 0));
        given.deadline++;
        refusesConsent(admin(2), clerk, 5, given, reason);
        given.deadline--;
        // The other half of the curve is another signature of the same.
        given.s = bytes32(ORDER - uint256(given.s));
        given.v = given.v == 27 ? 28 : 27;
        refusesConsent(admin(2), clerk, 5, given, reason);
        given.r = 0;
        refusesConsent(admin(2), address(0), 5, given, invalid(address(0), 2, 0));
        given = consented(2, CLERK_SEED, 5, deadline);
        vm.chainId(CHAIN + 1);
        refusesConsent(admin(2), clerk, 5, given, reason);
        vm.chainId(CHAIN);
        vm.warp(deadline + 1);
        refusesConsent(
            admin(2),
            clerk,
            5,
            given,
            abi.encodeWithSelector(
                IPermissions.PermissionsConsentExpired.selector, deadline, deadline + 1
            )
        );
        vm.warp(deadline);
        refusesConsent(
            clerk,
            clerk,
            5,
            given,
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, clerk, 16)
        );
        as_(admin(2), abi.encodeCall(permissions.addAccount, (clerk, 5, given)));
    }

    function test_TheDigestIsThatOfEip712() public view {
        bytes32 kind = keccak256(
            "Consent(uint32 organisation,address account,uint32 permissions,uint256 nonce,uint64 deadline)"
        );
        bytes32 content = keccak256(abi.encode(kind, 2, clerk, 5, 0, 99));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TBSI Permissions"),
                keccak256("1"),
                CHAIN,
                address(permissions)
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, content));
        vm.assertEq(permissions.consentDigest(2, clerk, 5, 99), digest);
    }

    function test_OnlyAdministratorsManageAccounts() public {
        enrolled(2, CLERK_SEED, ALL - 16);
        bytes memory grant = abi.encodeCall(permissions.grant, (clerk, 1));
        bytes memory withdraw = abi.encodeCall(permissions.withdraw, (clerk));
        (, bytes memory add) = joining(2, OTHER_SEED, 1);
        address[2] memory callers = [clerk, STRANGER];
        for (uint256 i = 0; i < 2; i++) {
            bytes memory reason =
                abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, callers[i], 16);
            refuses(callers[i], address(permissions), grant, reason);
            refuses(callers[i], address(permissions), withdraw, reason);
            refuses(callers[i], address(permissions), add, reason);
        }
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(2), uint16(1)));
        refuses(
            admin(2),
            address(permissions),
            withdraw,
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 2, 2)
        );
        (,, bool active) = permissions.accountOf(clerk);
        vm.assertFalse(active);
    }

    function test_AnAdministratorStaysInItsOrganisation() public {
        enrolled(2, CLERK_SEED, 1);
        bytes memory reason =
            abi.encodeWithSelector(IPermissions.PermissionsAccountTaken.selector, clerk, 2);
        (, bytes memory add) = joining(3, CLERK_SEED, 1);
        refuses(admin(3), address(permissions), add, reason);
        refuses(
            admin(3), address(permissions), abi.encodeCall(permissions.withdraw, (clerk)), reason
        );
        refuses(
            admin(3),
            address(permissions),
            abi.encodeCall(permissions.withdraw, (STRANGER)),
            abi.encodeWithSelector(IPermissions.PermissionsNotAccount.selector, STRANGER, 3)
        );
    }

    function test_GrantsStayWithinTheOrganisation() public {
        enrolled(2, CLERK_SEED, 1);
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), uint32(17)));
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (clerk, 5)),
            abi.encodeWithSelector(IPermissions.PermissionsNotAllowed.selector, 2, 17, 5)
        );
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (clerk, 64)),
            abi.encodeWithSelector(IPermissions.PermissionsUnknown.selector, 63, 64)
        );
        bytes memory none = abi.encodeWithSelector(IPermissions.PermissionsNone.selector);
        refuses(admin(2), address(permissions), abi.encodeCall(permissions.grant, (clerk, 0)), none);
        (, bytes memory add) = joining(2, OTHER_SEED, 0);
        refuses(admin(2), address(permissions), add, none);
        (, add) = joining(2, OTHER_SEED, 5);
        refuses(
            admin(2),
            address(permissions),
            add,
            abi.encodeWithSelector(IPermissions.PermissionsNotAllowed.selector, 2, 17, 5)
        );
        address[2] memory reserved = [address(0), SYSTEM];
        for (uint256 i = 0; i < 2; i++) {
            refusesMotion(
                IMotions.Kind.SetAccount,
                abi.encode(uint32(2), reserved[i], uint32(1)),
                abi.encodeWithSelector(
                    IPermissions.PermissionsAccountReserved.selector, reserved[i]
                )
            );
        }
    }

    function test_WhatAnOrganisationLosesItsAccountsLose() public {
        enrolled(2, CLERK_SEED, 4);
        enrolled(2, OTHER_SEED, 6);
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), ALL - 4));
        has(clerk, 0, 1);
        has(other, 2, 2);
        has(admin(2), 2, ALL - 4);
        vm.assertEq(permissions.accountCount(2), 2);
        // What comes back to the organisation does not come back to its accounts.
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), ALL));
        has(other, 2, 2);
    }

    function test_TheLastAdministratorStays() public {
        bytes memory reason =
            abi.encodeWithSelector(IPermissions.PermissionsLastAdministrator.selector, 2);
        bytes memory withdraw = abi.encodeCall(permissions.withdraw, (admin(2)));
        refuses(admin(2), address(permissions), withdraw, reason);
        bytes memory lower = abi.encodeCall(permissions.grant, (admin(2), 1));
        refuses(admin(2), address(permissions), lower, reason);
        enrolled(2, CLERK_SEED, 16);
        vm.assertEq(permissions.administratorCount(2), 2);
        as_(clerk, withdraw);
        vm.assertEq(permissions.administratorCount(2), 1);
        has(admin(2), 0, 1);
        // A motion may do it: others decide, and can give a new one.
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(2), clerk, uint32(0)));
        vm.assertEq(permissions.administratorCount(2), 0);
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(2), admin(2), ALL));
        vm.assertEq(permissions.administratorCount(2), 1);
    }

    function test_AccountsOfAnOrganisationThatHasLeftAreFree() public {
        address account = enrolled(5, CLERK_SEED, 17);
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(5), uint16(2)));
        enrolled(2, CLERK_SEED, 1);
        has(account, 2, 1);
        vm.assertEq(permissions.accountCount(5), 1);
        vm.assertEq(permissions.administratorCount(5), 1);
        refusesMotion(
            IMotions.Kind.SetAccount,
            abi.encode(uint32(5), STRANGER, uint32(1)),
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 5, 3)
        );
    }

    function test_SuspensionFreesAccounts() public {
        address account = enrolled(5, CLERK_SEED, 17);
        (, bytes memory add) = joining(2, CLERK_SEED, 1);
        refuses(
            admin(2),
            address(permissions),
            add,
            abi.encodeWithSelector(IPermissions.PermissionsAccountTaken.selector, account, 5)
        );
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(5), uint16(6)));
        as_(admin(2), add);
        has(account, 2, 1);
        vm.assertEq(permissions.accountCount(5), 1);
        // It does not come back with the organisation.
        decide(IMotions.Kind.ReinstateOrganisation, abi.encode(uint32(5), uint16(8)));
        has(account, 2, 1);
    }

    function test_AMotionTakesAnAccountOver() public {
        address account = enrolled(2, CLERK_SEED, 17);
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(3), account, uint32(5)));
        has(account, 3, 5);
        vm.assertEq(permissions.accountCount(2), 1);
        vm.assertEq(permissions.administratorCount(2), 1);
        // To take one away from whom it does not belong to is a mistake.
        refusesMotion(
            IMotions.Kind.SetAccount,
            abi.encode(uint32(2), account, uint32(0)),
            abi.encodeWithSelector(IPermissions.PermissionsNotAccount.selector, account, 2)
        );
    }

    function test_AccountsAreLimitedAndListed() public {
        for (uint256 i = 1; i < 256; i++) {
            vm.prank(address(motions));
            permissions.setAccount(2, address(uint160(i)), 1);
        }
        (, bytes memory add) = joining(2, CLERK_SEED, 1);
        refuses(
            admin(2),
            address(permissions),
            add,
            abi.encodeWithSelector(IPermissions.PermissionsTooManyAccounts.selector, 256)
        );
        vm.assertEq(permissions.accountsOf(2, 0, 100).length, 100);
        vm.assertEq(permissions.accountsOf(2, 200, 100).length, 56);
        vm.assertEq(permissions.accountsOf(2, 0, 1)[0], admin(2));
        as_(admin(2), abi.encodeCall(permissions.withdraw, (address(1))));
        vm.assertEq(permissions.accountsOf(2, 1, 1)[0], address(255));
        as_(admin(2), abi.encodeCall(permissions.withdraw, (address(255))));
        vm.assertEq(permissions.accountsOf(2, 1, 1)[0], address(254));
        // All of them lose a permission in one transaction.
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), ALL - 1));
        vm.assertEq(permissions.accountCount(2), 1);
    }

    function test_PublicPermissionsNeverAdministerOrVote() public {
        for (uint32 bit = 16; bit <= 64; bit *= 2) {
            refusesMotion(
                IMotions.Kind.SetPublicPermissions,
                abi.encode(bit),
                abi.encodeWithSelector(IPermissions.PermissionsUnknown.selector, 15, bit)
            );
        }
        decide(IMotions.Kind.SetPublicPermissions, abi.encode(uint32(15)));
        has(STRANGER, 0, 15);
    }

    function test_OnlyTheGovernorSetsParameters() public {
        address target = address(permissions);
        refusesStrangers(target, abi.encodeCall(permissions.setAccount, (1, clerk, 1)));
        refusesStrangers(target, abi.encodeCall(permissions.setQuota, (1, 1, 1)));
        refusesStrangers(target, abi.encodeCall(permissions.setOrganisationPermissions, (1, 1)));
        refusesStrangers(target, abi.encodeCall(permissions.setPublicPermissions, (1)));
        refusesStrangers(target, abi.encodeCall(permissions.setPeriod, (1)));
    }

    function test_RefusesAPeriodOfNothingAndQuotasOfNobody() public {
        refusesMotion(
            IMotions.Kind.SetPeriod,
            abi.encode(uint32(0)),
            abi.encodeWithSelector(IPermissions.PermissionsPeriodZero.selector)
        );
        refusesMotion(
            IMotions.Kind.SetQuota,
            abi.encode(uint32(9), FREE, FREE),
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 9, 0)
        );
        refusesMotion(
            IMotions.Kind.SetOrganisationPermissions,
            abi.encode(uint32(0), uint32(1)),
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 0, 0)
        );
    }

    function test_UsageAddsUpWithinAPeriod() public {
        charge(2, 100, 3);
        charge(2, 50, 1);
        used(2, 150, 4);
        used(3, 0, 0);
        vm.assertEq(permissions.periodEnd() % PERIOD, 0);
        vm.assertGt(permissions.periodEnd(), NOW);
        vm.warp(permissions.periodEnd() - 1);
        used(2, 150, 4);
        vm.warp(permissions.periodEnd());
        used(2, 0, 0);
        charge(2, 7, 0);
        used(2, 7, 0);
    }

    function test_UsageNeverOverflows() public {
        charge(0, FREE, FREE);
        charge(0, FREE, 1);
        used(0, FREE, FREE);
    }

    function test_OnlyTheNodeCharges() public {
        (uint32[] memory who, uint64[] memory gas, uint64[] memory leaves) = lists(1, 1, 1);
        bytes memory data = abi.encodeCall(permissions.charge, (who, gas, leaves));
        address[3] memory callers = [STRANGER, admin(1), address(motions)];
        for (uint256 i = 0; i < 3; i++) {
            refuses(callers[i], address(permissions), data, callerRefused(SYSTEM, callers[i]));
        }
        data = abi.encodeCall(permissions.charge, (who, gas, new uint64[](2)));
        refuses(
            SYSTEM,
            address(permissions),
            data,
            abi.encodeWithSelector(IPermissions.PermissionsLengths.selector, 1, 1, 2)
        );
        data = abi.encodeCall(permissions.charge, (who, new uint64[](0), leaves));
        refuses(
            SYSTEM,
            address(permissions),
            data,
            abi.encodeWithSelector(IPermissions.PermissionsLengths.selector, 1, 0, 1)
        );
    }

    function test_AChargeDoesNotFailWithoutAPeriod() public {
        vm.store(address(permissions), bytes32(uint256(3)), 0);
        charge(2, 1, 1);
        vm.assertEq(permissions.usageOf(2).period, NOW);
    }

    function testFuzz_UsageIsTheSumOfThePeriod(uint64[8] memory gas, uint32[8] memory waits)
        public
    {
        uint256 sum = 0;
        uint256 period = block.timestamp / PERIOD;
        for (uint256 i = 0; i < gas.length; i++) {
            vm.warp(block.timestamp + waits[i] % (2 * PERIOD));
            if (block.timestamp / PERIOD != period) sum = 0;
            period = block.timestamp / PERIOD;
            sum += gas[i];
            charge(4, gas[i], 1);
            vm.assertEq(permissions.usageOf(4).gas, sum > FREE ? FREE : sum);
            vm.assertEq(permissions.usageOf(4).period, period);
        }
    }

    function charge(uint32 organisation, uint64 gas, uint64 leaves) private {
        (uint32[] memory who, uint64[] memory gases, uint64[] memory counts) =
            lists(organisation, gas, leaves);
        vm.prank(SYSTEM);
        permissions.charge(who, gases, counts);
    }

    function lists(uint32 organisation, uint64 gas, uint64 leaves)
        private
        pure
        returns (uint32[] memory who, uint64[] memory gases, uint64[] memory counts)
    {
        (who, gases, counts) = (new uint32[](1), new uint64[](1), new uint64[](1));
        (who[0], gases[0], counts[0]) = (organisation, gas, leaves);
    }

    function used(uint32 organisation, uint64 gas, uint64 leaves) private view {
        IPermissions.Usage memory usage = permissions.usageOf(organisation);
        vm.assertEq(usage.gas, gas);
        vm.assertEq(usage.leaves, leaves);
    }

    function has(address account, uint32 organisation, uint32 bits) private view {
        (uint32 foundOrganisation, uint32 foundBits,) = permissions.accountOf(account);
        vm.assertEq(foundOrganisation, organisation);
        vm.assertEq(foundBits, bits);
    }

    function refusesConsent(
        address sender,
        address account,
        uint32 bits,
        IPermissions.Consent memory given,
        bytes memory reason
    ) private {
        bytes memory data = abi.encodeCall(permissions.addAccount, (account, bits, given));
        refuses(sender, address(permissions), data, reason);
    }

    function invalid(address account, uint32 organisation, uint256 nonce)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IPermissions.PermissionsConsentInvalid.selector, account, organisation, nonce
        );
    }

    function as_(address sender, bytes memory data) private {
        vm.assertTrue(send(sender, address(permissions), data));
    }
}
