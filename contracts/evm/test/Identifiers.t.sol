// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identifiers} from "../src/Identifiers.sol";
import {Vm} from "./Vm.sol";

/// @notice Check digits of identifiers, against vectors that tools/identifiers.mjs computes.
contract IdentifiersTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_TaxIdsAreThoseOfTheVectors() public view {
        string memory vectors = vm.readFile("../../tests/vectors/identifiers.json");
        uint256 good = 0;
        uint256 count = 0;
        for (; vm.keyExistsJson(vectors, path("taxIds", count)); count++) {
            (string memory text, bool valid) = item(vectors, path("taxIds", count));
            vm.assertTrue(Identifiers.isTaxId(text) == valid, text);
            if (valid) good++;
        }
        vm.assertGe(count, 160);
        vm.assertGe(good, 40);
        vm.assertGe(count - good, 40);
    }

    function test_LeisAreThoseOfTheVectors() public view {
        string memory vectors = vm.readFile("../../tests/vectors/identifiers.json");
        uint256 good = 0;
        uint256 count = 0;
        for (; vm.keyExistsJson(vectors, path("leis", count)); count++) {
            (string memory text, bool valid) = item(vectors, path("leis", count));
            vm.assertTrue(Identifiers.isLei(text) == valid, text);
            if (valid) good++;
        }
        vm.assertGe(count, 80);
        vm.assertGe(good, 40);
        vm.assertGe(count - good, 40);
    }

    /// One wrong digit is always found (a letter for a digit mostly).
    function testFuzz_ALeiWithOneOtherDigitIsRefused(uint256 position, uint256 digit) public pure {
        bytes memory code = "5493001KJTIIGC8Y1R12";
        position = position % 20;
        bytes1 other = bytes1(uint8(48 + digit % 10));
        vm.assume(code[position] <= "9" && code[position] != other);
        code[position] = other;
        vm.assertFalse(Identifiers.isLei(string(code)));
    }

    function item(string memory vectors, string memory at_)
        private
        pure
        returns (string memory, bool)
    {
        return (
            vm.parseJsonString(vectors, string.concat(at_, ".text")),
            vm.parseJsonBool(vectors, string.concat(at_, ".valid"))
        );
    }

    function path(string memory list, uint256 position) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(position), "]");
    }
}
