// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {ValidatorSets} from "../src/ValidatorSets.sol";
import {World} from "./World.sol";

/// @notice The rules of the validator set.
contract ValidatorSetTest is World {
    using ValidatorSets for ValidatorSets.Set;

    ValidatorSets.Set private _set;

    /// The register of keys excludes this; the set does not rely on it.
    function test_TheSetItselfRefusesAKeyTwice() public {
        for (uint160 i = 1; i <= 3; i++) {
            _set.insert(ValidatorSets.Member(address(10 * i), 1, uint32(i)), 1);
        }
        bytes memory reason =
            abi.encodeWithSelector(ValidatorSets.SetDuplicateKey.selector, address(20));
        vm.expectRevert(reason);
        this.insert(ValidatorSets.Member(address(20), 1, 4));
        this.insert(ValidatorSets.Member(address(15), 1, 4));
        vm.assertEq(_set.members[1].validator, address(15));
        vm.assertEq(_set.members.length, 4);
    }

    function insert(ValidatorSets.Member calldata member) external {
        _set.insert(member, 1);
    }

    function test_OnlyTheGovernorChangesTheSet() public {
        found(5);
        address target = address(nodes);
        refusesStrangers(target, abi.encodeCall(nodes.addValidator, (1, 1)));
        refusesStrangers(target, abi.encodeCall(nodes.removeValidator, (1, 1)));
        refusesStrangers(target, abi.encodeCall(nodes.reinstateValidator, (1)));
        refusesStrangers(target, abi.encodeCall(nodes.dropOrganisation, (1, true, 1)));
        refusesStrangers(target, abi.encodeCall(nodes.renameOrganisation, (1)));
    }

    function test_FourValidatorsStay() public {
        found(5);
        as_(abi.encodeCall(nodes.removeValidator, (5, 1)));
        refusesGovernor(abi.encodeCall(nodes.removeValidator, (4, 1)), tooSmall(3));
        refusesGovernor(abi.encodeCall(nodes.dropOrganisation, (4, true, 1)), tooSmall(3));
        refusesGovernor(
            abi.encodeCall(nodes.removeValidator, (4, 0)),
            abi.encodeWithSignature("SystemReasonOutOfRange(uint16,uint16)", 8, 0)
        );
    }

    function test_ASetFoundedSmallMayGrowAndNotShrink() public {
        found(1);
        refusesGovernor(abi.encodeCall(nodes.removeValidator, (1, 1)), tooSmall(0));
        decide(IMotions.Kind.AddOrganisation, admission(2));
        uint32 second = registered(2, 2);
        as_(abi.encodeCall(nodes.addValidator, (second, 10)));
        refusesGovernor(abi.encodeCall(nodes.removeValidator, (second, 1)), tooSmall(1));
        vm.assertEq(nodes.validatorSet().length, 2);
        // The share of the strongest may fall: 10 of 30.
        decide(IMotions.Kind.AddOrganisation, admission(3));
        uint32 third = registered(3, 3);
        as_(abi.encodeCall(nodes.addValidator, (third, 10)));
        vm.assertEq(nodes.validatorSet().length, 3);
        // And not rise again.
        bytes memory share = tooHigh(3, 11, 31);
        refusesGovernor(abi.encodeCall(nodes.addValidator, (third, 11)), share);
    }

    function test_NoOrganisationAboveAThird() public {
        found(4);
        uint32 extra = registered(1, 7);
        // 10 + 5 of 45 are a third.
        as_(abi.encodeCall(nodes.addValidator, (extra, 5)));
        refusesGovernor(abi.encodeCall(nodes.addValidator, (extra, 6)), tooHigh(1, 16, 46));
        // Removing somebody else would lift it above: 15 of 35.
        uint32 other = registered(2, 8);
        as_(abi.encodeCall(nodes.addValidator, (other, 1)));
        refusesGovernor(abi.encodeCall(nodes.removeValidator, (4, 1)), tooHigh(1, 15, 36));
    }

    function test_PowerIsPositiveAndBounded() public {
        found(5);
        refusesGovernor(
            abi.encodeCall(nodes.addValidator, (1, 0)),
            abi.encodeWithSelector(INodes.NodesPowerZero.selector)
        );
        uint256 max = (1 << 63) - 1;
        refusesGovernor(
            abi.encodeCall(nodes.addValidator, (1, uint64(max))),
            abi.encodeWithSignature("SetPowerTooHigh(uint256,uint256)", max, max + 40)
        );
        refusesGovernor(
            abi.encodeCall(nodes.addValidator, (1, type(uint64).max)),
            abi.encodeWithSignature(
                "SetPowerTooHigh(uint256,uint256)", max, uint256(type(uint64).max) + 40
            )
        );
    }

    function test_AtMost128Validators() public {
        place();
        for (uint32 n = 1; n <= 8; n++) {
            foundMember(n, 10);
            for (uint256 i = 1; i < 16; i++) {
                vm.prank(SYSTEM);
                nodes.foundNode(n, registration(100 * n + i), 10);
            }
        }
        vm.assertEq(nodes.validatorSet().length, 128);
        vm.prank(SYSTEM);
        organisations.foundOrganisation(details(9));
        bytes memory large = abi.encodeWithSignature("SetTooLarge(uint256,uint256)", 128, 129);
        bytes memory data = abi.encodeCall(nodes.foundNode, (9, registration(9), 1));
        refuses(SYSTEM, address(nodes), data, large);
        vm.prank(SYSTEM);
        uint32 node = nodes.foundNode(9, registration(9), 0);
        vm.roll(1);
        refusesGovernor(abi.encodeCall(nodes.addValidator, (node, 1)), large);
    }

    function test_ChangesOfPowerKeepTheOrder() public {
        found(5);
        vm.roll(8);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorAdded(2, wallet(2).addr, 12);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorSetChanged(uint64(NOW));
        as_(abi.encodeCall(nodes.addValidator, (2, 12)));
        (uint256 own, uint256 total) = powerOf(2);
        vm.assertEq(own, 12);
        vm.assertEq(total, 52);
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        for (uint256 i = 1; i < set.length; i++) {
            vm.assertTrue(set[i - 1].validator < set[i].validator);
        }
        // The key was in the set all the time.
        vm.assertEq(nodes.validatorKeyOf(wallet(2).addr).last, type(uint64).max);
        vm.assertEq(nodes.validatorKeyOf(wallet(2).addr).first, 1);
    }

    function test_RemovedValidatorsAreObservers() public {
        found(5);
        vm.roll(8);
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorRemoved(5, wallet(5).addr, 2);
        as_(abi.encodeCall(nodes.removeValidator, (5, 2)));
        endBlock();
        vm.assertEq(nodes.validatorKeyOf(wallet(5).addr).last, 8);
        vm.assertEq(nodes.peers()[4].nodeType, 2);
        vm.assertEq(nodes.nodeOf(5).power, 0);
    }

    /// Largest set with the longest names: what `validatorSet` costs the node at worst.
    function test_TheSetIsReadableAtItsLargest() public {
        place();
        string memory longest = longName(512);
        for (uint32 n = 1; n <= 128; n++) {
            vm.prank(SYSTEM);
            organisations.foundOrganisation(longDetails(n, longest));
            vm.prank(SYSTEM);
            nodes.foundNode(n, registration(n), 1);
        }
        vm.cool(address(nodes));
        vm.cool(address(organisations));
        uint256 gas = gasleft();
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        gas -= gasleft();
        vm.assertEq(set.length, 128);
        vm.assertLe(gas, 30_000_000);
    }

    /// Rules of the library against a plain count of what they say.
    function testFuzz_RulesAreWhatTheySay(
        uint8 count,
        uint8 countBefore,
        uint64 strongest,
        uint64 rest,
        uint64 strongestBefore,
        uint64 restBefore
    ) public pure {
        (strongest, rest) = (strongest >> 2, rest >> 2);
        ValidatorSets.Shape memory now_ = ValidatorSets.Shape({
            count: count, total: uint256(strongest) + rest, power: strongest, organisation: 1
        });
        ValidatorSets.Shape memory before = ValidatorSets.Shape({
            count: countBefore,
            total: uint256(strongestBefore) + restBefore,
            power: strongestBefore,
            organisation: 2
        });
        bool fewer = count == 0 || (count < 4 && count < countBefore);
        bool many = count > 128;
        bool share = 2 * uint256(strongest) > rest
            && uint256(strongest) * restBefore > uint256(strongestBefore) * rest;
        ValidatorSets.Rule broken = ValidatorSets.broken(before, now_);
        vm.assertTrue((broken == ValidatorSets.Rule.TooFew) == fewer);
        vm.assertTrue((broken == ValidatorSets.Rule.TooMany) == (!fewer && many));
        vm.assertTrue((broken == ValidatorSets.Rule.Share) == (!fewer && !many && share));
        vm.assertTrue(broken != ValidatorSets.Rule.Power);
    }

    function longDetails(uint256 n, string memory longest)
        private
        pure
        returns (IOrganisations.Details memory long)
    {
        long = details(n);
        (long.nameZhTw, long.nameEn) = (string.concat(unicode"會", longName(509)), longest);
    }

    function longName(uint256 size) private pure returns (string memory) {
        bytes memory name = new bytes(size);
        for (uint256 i = 0; i < size; i++) {
            name[i] = "x";
        }
        return string(name);
    }

    function as_(bytes memory data) private {
        vm.assertTrue(send(address(motions), address(nodes), data));
    }

    function refusesGovernor(bytes memory data, bytes memory reason) private {
        refuses(address(motions), address(nodes), data, reason);
    }

    function tooSmall(uint256 got) private pure returns (bytes memory) {
        return abi.encodeWithSignature("SetTooSmall(uint256,uint256)", 4, got);
    }

    function tooHigh(uint32 organisation, uint256 power, uint256 total)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSignature(
            "SetShareTooHigh(uint32,uint256,uint256)", organisation, power, total
        );
    }
}
