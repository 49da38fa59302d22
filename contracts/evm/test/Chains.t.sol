// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IChains} from "../src/IChains.sol";
import {IMotions} from "../src/IMotions.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice The register of other chains.
contract ChainsTest is World {
    function setUp() public {
        found(5);
    }

    function test_AnAdministratorRegisters() public {
        vm.roll(9);
        vm.expectEmit(address(chains));
        emit IChains.ChainRegistered(1, 2, "eip155:1", "ethereum");
        vm.assertEq(registered(2, "eip155:1"), 1);
        IChains.Chain memory chain = chains.chainOf(1);
        vm.assertEq(chain.caip2, "eip155:1");
        vm.assertEq(chain.technology, "ethereum");
        vm.assertEq(chain.contactUrl, "https://chain.example/");
        vm.assertEq(chain.operator, 2);
        vm.assertEq(chain.status, 1);
        vm.assertEq(chain.registeredHeight, 9);
        vm.assertEq(chains.chainByCaip2("eip155:1"), 1);
        vm.assertEq(chains.chainByCaip2("eip155:2"), 0);
        refuses(
            STRANGER,
            address(chains),
            abi.encodeCall(chains.register, ("eip155:2", "x", "")),
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 16)
        );
    }

    function test_IdsAreThoseOfCaip2() public {
        registered(2, "abc:x");
        registered(2, "cosmos:cosmoshub-3");
        registered(2, "bip122:000000000019d6689c085ae165831e93");
        registered(2, "starknet:SN_GOERLI");
        registered(2, "-a0-a0-a:_-Zz09");
        string[13] memory bad = [
            "",
            ":",
            "eip155",
            "eip155:",
            ":1",
            "ab:1",
            "abcdefghi:1",
            "Eip:1",
            "e_p:1",
            "eip155:1:2",
            "eip155:1 ",
            "eip155:012345678901234567890123456789012",
            unicode"eip155:台"
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            refuses(
                admin(2),
                address(chains),
                abi.encodeCall(chains.register, (bad[i], "x", "")),
                abi.encodeWithSelector(IChains.ChainsIdInvalid.selector, bad[i])
            );
        }
    }

    function test_AnIdHasOneRecordInUse() public {
        registered(2, "eip155:1");
        bytes memory again = abi.encodeCall(chains.register, ("eip155:1", "x", ""));
        bytes memory taken = abi.encodeWithSelector(IChains.ChainsIdTaken.selector, "eip155:1", 1);
        refuses(admin(3), address(chains), again, taken);
        vm.prank(admin(2));
        chains.setStatus(1, 2);
        vm.assertEq(chains.chainByCaip2("eip155:1"), 0);
        vm.assertEq(registered(3, "eip155:1"), 2);
        // The retired one cannot come back beside it.
        taken = abi.encodeWithSelector(IChains.ChainsIdTaken.selector, "eip155:1", 2);
        refuses(admin(2), address(chains), abi.encodeCall(chains.setStatus, (1, 1)), taken);
        vm.prank(admin(3));
        chains.setStatus(2, 2);
        vm.prank(admin(2));
        chains.setStatus(1, 1);
        vm.assertEq(chains.chainByCaip2("eip155:1"), 1);
    }

    function test_OnlyTheOperatorUpdates() public {
        registered(2, "eip155:1");
        vm.expectEmit(address(chains));
        emit IChains.ChainUpdated(1, "fabric-2.5", "");
        vm.prank(admin(2));
        chains.update(1, "fabric-2.5", "");
        vm.assertEq(chains.chainOf(1).technology, "fabric-2.5");
        bytes memory not = abi.encodeWithSelector(IChains.ChainsNotOperator.selector, 2, 3);
        refuses(admin(3), address(chains), abi.encodeCall(chains.update, (1, "x", "")), not);
        refuses(admin(3), address(chains), abi.encodeCall(chains.setStatus, (1, 2)), not);
        bytes memory unknown = abi.encodeWithSelector(IChains.ChainsUnknown.selector, 2);
        refuses(admin(2), address(chains), abi.encodeCall(chains.update, (2, "x", "")), unknown);
        refuses(admin(2), address(chains), abi.encodeCall(chains.setStatus, (2, 2)), unknown);
        unknown = abi.encodeWithSelector(IChains.ChainsUnknown.selector, 0);
        vm.expectRevert(unknown);
        chains.chainOf(0);
    }

    function test_RefusesStatusesAndTextsOutOfRange() public {
        registered(2, "eip155:1");
        for (uint256 i = 0; i < 2; i++) {
            uint8 status = i == 0 ? 0 : 3;
            refuses(
                admin(2),
                address(chains),
                abi.encodeCall(chains.setStatus, (1, status)),
                abi.encodeWithSelector(IChains.ChainsStatusOutOfRange.selector, 2, status)
            );
        }
        bytes memory empty = abi.encodeWithSignature(
            "TextsLengthOutOfRange(string,uint256,uint256,uint256)", "technology", 1, 64, 0
        );
        refuses(admin(2), address(chains), abi.encodeCall(chains.update, (1, "", "")), empty);
        bytes memory url =
            abi.encodeWithSignature("TextsCharacterRefused(string,uint256)", "contactUrl", 0);
        bytes memory data = abi.encodeCall(chains.update, (1, "x", "ftp://x"));
        refuses(admin(2), address(chains), data, url);
    }

    function test_AMotionSetsTheOperator() public {
        registered(2, "eip155:1");
        refusesStrangers(address(chains), abi.encodeCall(chains.setChain, (1, 3, 1)));
        vm.expectEmit(address(chains));
        emit IChains.ChainSet(1, 3, 1);
        vm.prank(address(motions));
        chains.setChain(1, 3, 1);
        vm.assertEq(chains.chainOf(1).operator, 3);
        bytes memory inactive = abi.encodeWithSelector(IChains.ChainsOperatorNotActive.selector, 9);
        bytes memory data = abi.encodeCall(chains.setChain, (1, 9, 1));
        refuses(address(motions), address(chains), data, inactive);
        // The record of an operator that is gone can be retired.
        decide(IMotions.Kind.RemoveOrganisation, abi.encode(uint32(3), uint16(2)));
        inactive = abi.encodeWithSelector(IChains.ChainsOperatorNotActive.selector, 3);
        data = abi.encodeCall(chains.setChain, (1, 3, 1));
        refuses(address(motions), address(chains), data, inactive);
        vm.prank(address(motions));
        chains.setChain(1, 3, 2);
        vm.assertEq(chains.chainOf(1).status, 2);
    }

    function test_RecordsAreLimitedAndListed() public {
        for (uint256 i = 0; i < 64; i++) {
            registered(2, string.concat("eip155:", vm.toString(i)));
        }
        refuses(
            admin(2),
            address(chains),
            abi.encodeCall(chains.register, ("eip155:64", "x", "")),
            abi.encodeWithSelector(IChains.ChainsTooMany.selector, 64)
        );
        vm.prank(admin(2));
        chains.setStatus(1, 2);
        registered(2, "eip155:64");
        vm.assertEq(chains.chainCount(), 65);
        vm.assertEq(chains.chains(1, 100).length, 65);
        vm.assertEq(chains.chains(65, 2)[0].caip2, "eip155:64");
    }

    function registered(uint32 by, string memory caip2) private returns (uint32) {
        vm.prank(admin(by));
        return chains.register(caip2, "ethereum", "https://chain.example/");
    }
}
