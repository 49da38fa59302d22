// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorisations} from "../src/IAuthorisations.sol";
import {Granting} from "./Granting.sol";

/// @notice Whatever terms are asked for, they follow by the rules as they are written here again.
contract AuthorisationsFuzzTest is Granting {
    uint64 private constant FROM = uint64(NOW + 10);
    uint64 private constant UNTIL = uint64(NOW + 50);
    uint256 private constant BITS = 6;

    function setUp() public {
        found(4);
        given(terms(FROM, UNTIL, BITS));
    }

    /// Few times and purposes, so that they are often within one another.
    function asked(uint8 from, uint8 until, uint8 bits)
        private
        pure
        returns (IAuthorisations.Terms memory made, bool sound, bool within, bool around)
    {
        uint64 first = FROM - 3 + from % 6;
        uint64 last = UNTIL - 3 + until % 6;
        uint256 some = uint256(bits) % 16;
        made = terms(first, last, some);
        sound = some != 0;
        within = first >= FROM && last <= UNTIL && some & ~BITS == 0;
        around = first <= FROM && last >= UNTIL && some & BITS == BITS;
    }

    function testFuzz_NarrowingNeverWidens(uint8 from, uint8 until, uint8 bits, bool other) public {
        (IAuthorisations.Terms memory made, bool sound, bool within, bool around) =
            asked(from, until, bits);
        (bool done,) = answer(admin(other ? 3 : 2), address(authorisations), narrowing(1, made));
        vm.assertEq(done ? 1 : 0, sound && within && !around ? 1 : 0);
        IAuthorisations.Terms memory later = authorisations.authorisationOf(1).terms;
        vm.assertTrue(later.from >= FROM && later.until <= UNTIL);
        vm.assertFalse(isAllowed(1, 1) || isAllowed(1, 4));
    }

    function testFuzz_NothingIsWiderBeforeBothSaid(uint8 from, uint8 until, uint8 bits) public {
        (IAuthorisations.Terms memory made, bool sound, bool within, bool around) =
            asked(from, until, bits);
        bytes memory before = abi.encode(authorisations.authorisationOf(1).terms);
        (bool done,) = answer(admin(2), address(authorisations), extending(1, made));
        vm.assertEq(done ? 1 : 0, sound && around && !within ? 1 : 0);
        vm.assertEq(abi.encode(authorisations.authorisationOf(1).terms), before);
        if (!done) return;
        takes(admin(3), accepting(1));
        vm.assertEq(abi.encode(authorisations.authorisationOf(1).terms), abi.encode(made));
    }

    /// Times and purposes decide, whoever asks.
    function testFuzz_OnlyTheGranteeUsesIt(uint8 wait, uint8 which, uint8 who) public {
        uint256 time = NOW + uint256(wait) % 64;
        uint256 n = uint256(which) % 5;
        uint256 by = 1 + uint256(who) % 4;
        vm.warp(time);
        bool allowed = time >= FROM && time < UNTIL && (n == 2 || n == 3);
        vm.assertTrue(isAllowed(1, n) == allowed);
        (bool done,) = answer(admin(by), address(authorisations), relying(1, n));
        vm.assertEq(done ? 1 : 0, allowed && by == 3 ? 1 : 0);
    }

    /// No bytes but the canonical ones are taken.
    function testFuzz_OneEncodingOfEachCall(uint256 position, bytes1 mask) public {
        vm.assume(mask != 0);
        bytes memory data = narrowing(1, terms(FROM, UNTIL, 2));
        // Times and digests may be others; offsets and lengths may not.
        uint256[3] memory places = [uint256(4), 4 + 32, 4 + 32 * 5];
        uint256 where = places[position % 3] + position / 3 % 32;
        data[where] = data[where] ^ mask;
        (bool done,) = answer(admin(2), address(authorisations), data);
        vm.assertFalse(done);
    }
}
