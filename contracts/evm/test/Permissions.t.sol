// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice Accounts, permissions, quotas and usage.
contract PermissionsTest is World {
    address private constant CLERK = address(0xC1E4);

    function setUp() public {
        found(5);
    }

    function test_AnAdministratorGrantsAndWithdraws() public {
        vm.expectEmit(address(permissions));
        emit IPermissions.AccountSet(2, CLERK, 5, admin(2));
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, 5)));
        has(CLERK, 2, 5);
        vm.assertEq(permissions.accountCount(2), 2);
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, 36)));
        has(CLERK, 2, 36);
        vm.assertEq(permissions.accountCount(2), 2);
        as_(admin(2), abi.encodeCall(permissions.withdraw, (CLERK)));
        has(CLERK, 0, 1);
        vm.assertEq(permissions.accounts(CLERK), 0);
        vm.assertEq(permissions.accountCount(2), 1);
    }

    function test_OnlyAdministratorsManageAccounts() public {
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, ALL - 16)));
        bytes memory grant = abi.encodeCall(permissions.grant, (STRANGER, 1));
        bytes memory withdraw = abi.encodeCall(permissions.withdraw, (CLERK));
        address[2] memory callers = [CLERK, STRANGER];
        for (uint256 i = 0; i < 2; i++) {
            bytes memory reason =
                abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, callers[i], 16);
            refuses(callers[i], address(permissions), grant, reason);
            refuses(callers[i], address(permissions), withdraw, reason);
        }
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(2), uint16(1)));
        refuses(
            admin(2),
            address(permissions),
            withdraw,
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 2, 2)
        );
        (,, bool active) = permissions.accountOf(CLERK);
        vm.assertFalse(active);
    }

    function test_AnAdministratorStaysInItsOrganisation() public {
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, 1)));
        refuses(
            admin(3),
            address(permissions),
            abi.encodeCall(permissions.grant, (CLERK, 1)),
            abi.encodeWithSelector(IPermissions.PermissionsAccountTaken.selector, CLERK, 2)
        );
        refuses(
            admin(3),
            address(permissions),
            abi.encodeCall(permissions.withdraw, (CLERK)),
            abi.encodeWithSelector(IPermissions.PermissionsAccountTaken.selector, CLERK, 2)
        );
        refuses(
            admin(3),
            address(permissions),
            abi.encodeCall(permissions.withdraw, (STRANGER)),
            abi.encodeWithSelector(IPermissions.PermissionsNotAccount.selector, STRANGER, 3)
        );
    }

    function test_GrantsStayWithinTheOrganisation() public {
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), uint32(17)));
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (CLERK, 5)),
            abi.encodeWithSelector(IPermissions.PermissionsNotAllowed.selector, 2, 17, 5)
        );
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (CLERK, 64)),
            abi.encodeWithSelector(IPermissions.PermissionsUnknown.selector, 63, 64)
        );
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (CLERK, 0)),
            abi.encodeWithSelector(IPermissions.PermissionsNone.selector)
        );
        address[2] memory reserved = [address(0), SYSTEM];
        for (uint256 i = 0; i < 2; i++) {
            refuses(
                admin(2),
                address(permissions),
                abi.encodeCall(permissions.grant, (reserved[i], 1)),
                abi.encodeWithSelector(
                    IPermissions.PermissionsAccountReserved.selector, reserved[i]
                )
            );
        }
    }

    function test_WhatAnOrganisationLosesItsAccountsLose() public {
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, 4)));
        as_(admin(2), abi.encodeCall(permissions.grant, (STRANGER, 6)));
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), ALL - 4));
        has(CLERK, 0, 1);
        has(STRANGER, 2, 2);
        has(admin(2), 2, ALL - 4);
        vm.assertEq(permissions.accountCount(2), 2);
        // What comes back to the organisation does not come back to its accounts.
        decide(IMotions.Kind.SetOrganisationPermissions, abi.encode(uint32(2), ALL));
        has(STRANGER, 2, 2);
    }

    function test_TheLastAdministratorStays() public {
        bytes memory reason =
            abi.encodeWithSelector(IPermissions.PermissionsLastAdministrator.selector, 2);
        bytes memory withdraw = abi.encodeCall(permissions.withdraw, (admin(2)));
        refuses(admin(2), address(permissions), withdraw, reason);
        bytes memory lower = abi.encodeCall(permissions.grant, (admin(2), 1));
        refuses(admin(2), address(permissions), lower, reason);
        as_(admin(2), abi.encodeCall(permissions.grant, (CLERK, 16)));
        vm.assertEq(permissions.administratorCount(2), 2);
        as_(CLERK, withdraw);
        vm.assertEq(permissions.administratorCount(2), 1);
        has(admin(2), 0, 1);
        // A motion may do it: others decide, and can give a new one.
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(2), CLERK, uint32(0)));
        vm.assertEq(permissions.administratorCount(2), 0);
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(2), admin(2), ALL));
        vm.assertEq(permissions.administratorCount(2), 1);
    }

    function test_AccountsOfAnOrganisationThatHasLeftAreFree() public {
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(5), uint16(2)));
        as_(admin(2), abi.encodeCall(permissions.grant, (admin(5), 1)));
        has(admin(5), 2, 1);
        vm.assertEq(permissions.accountCount(5), 0);
        vm.assertEq(permissions.administratorCount(5), 0);
        refusesMotion(
            IMotions.Kind.SetAccount,
            abi.encode(uint32(5), STRANGER, uint32(1)),
            abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 5, 3)
        );
    }

    function test_AccountsAreLimitedAndListed() public {
        for (uint256 i = 1; i < 256; i++) {
            as_(admin(2), abi.encodeCall(permissions.grant, (address(uint160(i)), 1)));
        }
        refuses(
            admin(2),
            address(permissions),
            abi.encodeCall(permissions.grant, (CLERK, 1)),
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
        refusesStrangers(target, abi.encodeCall(permissions.setAccount, (1, CLERK, 1)));
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

    function as_(address sender, bytes memory data) private {
        vm.assertTrue(send(sender, address(permissions), data));
    }
}
