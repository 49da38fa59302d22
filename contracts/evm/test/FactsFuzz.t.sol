// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "../src/IFacts.sol";
import {Foreign} from "./Foreign.sol";

/// @notice Whatever is sent, a client changes in the ways that SPEC §16.6 allows and in no other.
contract FactsFuzzTest is Foreign {
    /// Only an answer that says so, of the right length, is accepted.
    /// forge-config: default.fuzz.runs = 10000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_OnlyWhatThePrecompileTakes(bytes calldata encoded, uint64 base) public {
        uint64 from = base % 2 == 0 ? 10 : base;
        (bool done,) = answer(admin(3), address(facts), updating(from, "set", encoded));
        bool sound = from == 10 && encoded.length == 256 && uint256(bytes32(encoded[:32])) == 0;
        vm.assertTrue(sound || !done);
        bool moved = facts.clientOf(1).latest > 10;
        bool frozen = facts.clientOf(1).frozen;
        vm.assertEq(done ? 1 : 0, moved || frozen ? 1 : 0);
    }

    /// Height, time, hash and validators decide, by the rules as they are written here again.
    /// forge-config: default.fuzz.runs = 10000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_RulesOfAHeader(uint8 height, int16 offset, bool same, uint8 count, bool old)
        public
    {
        uint64 place = uint64(5 + uint256(height) % 12);
        uint256 time = uint256(int256(NOW - 100) + int256(offset) % 200);
        uint256 many = 2 + uint256(count) % 4;
        string memory name = same ? "ten" : "other";
        if (old) vm.warp(NOW - 100 + TRUST + 1);
        bytes memory data = updating(10, "set", header(place, time, name, "next", many));
        (bool done,) = answer(admin(3), address(facts), data);
        bool trusted = !old && many >= 4 && place >= 10 && time <= block.timestamp + 60;
        bool next = trusted && place > 10 && time >= NOW - 100;
        vm.assertEq(done ? 1 : 0, next ? 1 : 0);
        vm.assertFalse(facts.clientOf(1).frozen);
        vm.assertEq(facts.clientOf(1).latest, next ? place : 10);
        if (next) vm.assertEq(facts.headerOf(1, place).trustedHash, keccak256(validators("next")));
    }

    /// A word is imported under its own root, account and slot, once, and only as it is.
    /// forge-config: default.fuzz.runs = 10000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_AFactIsWhatWasProven(
        address account,
        bytes32 slot,
        bytes32 value,
        bytes32 other,
        uint8 change
    ) public {
        bytes memory shown = proof("ten", account, slot, value);
        uint256 kind = change % 5;
        bytes memory data = abi.encodeCall(
            IFacts.importFact,
            (
                1,
                kind == 1 ? 11 : 10,
                kind == 2 ? address(uint160(account) ^ 1) : account,
                kind == 3 ? ~slot : slot,
                kind == 4 ? other : value,
                shown
            )
        );
        (bool done,) = answer(admin(3), address(facts), data);
        vm.assertEq(done ? 1 : 0, kind == 0 || (kind == 4 && other == value) ? 1 : 0);
        (bool imported, bytes32 kept) = facts.factOf(1, 10, account, slot);
        vm.assertEq(imported ? 1 : 0, done ? 1 : 0);
        vm.assertEq(kept, done ? value : bytes32(0));
        if (done) {
            (bool again,) = answer(admin(4), address(facts), data);
            vm.assertFalse(again);
        }
    }

    /// No bytes after the selector but the canonical ones are taken.
    /// forge-config: default.fuzz.runs = 10000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_OneEncodingOfEachCall(uint256 position, bytes1 mask) public {
        bytes memory data = importing(10, "ten");
        vm.assume(mask != 0);
        uint256 where = 4 + position % (data.length - 4);
        data[where] = data[where] ^ mask;
        (bool done,) = answer(admin(3), address(facts), data);
        vm.assertFalse(done);
    }
}
