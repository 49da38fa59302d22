// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOrganisations} from "../src/IOrganisations.sol";
import {World} from "./World.sol";

/// @notice What legal names may look like.
contract NamesTest is World {
    function setUp() public {
        found(5);
    }

    function test_NamesAreUtf8WithoutTricks() public {
        // Ends in the middle, starts in the middle, overlong, surrogate, above U+10FFFF.
        refusesName(hex"41e58f", 1);
        refusesName(hex"8041", 0);
        refusesName(hex"c08041", 0);
        refusesName(hex"c141", 0);
        refusesName(hex"e0808041", 0);
        refusesName(hex"f080808041", 0);
        refusesName(hex"eda08041", 0);
        refusesName(hex"f490808041", 0);
        refusesName(hex"f541414141", 0);
        refusesName(hex"41e24141", 1);
        // Control characters, mark of direction, zero width, byte order mark, edges.
        refusesName(hex"410a41", 1);
        refusesName(hex"41007f", 1);
        refusesName(hex"41c28041", 1);
        refusesName(unicode"A\u202eB", 1);
        refusesName(unicode"A\u200bB", 1);
        refusesName(unicode"\ufeffA", 0);
        refusesName(unicode"A\u061cB", 1);
        refusesName(hex"41f3a08081", 1);
        refusesName(" A", 0);
        refusesName("A ", 1);
        refusesName(unicode"A\u3000", 1);
        takesName(unicode"社團法人台灣某某公會");
        takesName(unicode"Café 𠮷野家 (Taiwan) Co., Ltd.");
        takesName(hex"f48fbfbd");
        takesName("A");
    }

    /// Whatever bytes a name has, it is taken if and only if a plain reader finds it good.
    function testFuzz_NamesAreWhatAReaderTakes(bytes memory name) public {
        vm.assume(name.length <= 512);
        IOrganisations.Details memory given = details(6);
        given.nameEn = string(name);
        vm.prank(address(motions));
        (bool done,) = address(organisations).call(abi.encodeCall(organisations.admit, (given)));
        if (done) vm.assertTrue(isWellFormed(name));
        else vm.assertFalse(isPlainAscii(name));
    }

    /// RFC 3629, table by table, without arithmetic on code points.
    function isWellFormed(bytes memory b) private pure returns (bool) {
        for (uint256 i = 0; i < b.length;) {
            uint8 c = uint8(b[i]);
            if (c <= 0x7f) i += 1;
            else if (c >= 0xc2 && c <= 0xdf && tail(b, i, 1, 0x80, 0xbf)) i += 2;
            else if (c == 0xe0 && tail(b, i, 2, 0xa0, 0xbf)) i += 3;
            else if (c == 0xed && tail(b, i, 2, 0x80, 0x9f)) i += 3;
            else if (c >= 0xe1 && c <= 0xef && c != 0xed && tail(b, i, 2, 0x80, 0xbf)) i += 3;
            else if (c == 0xf0 && tail(b, i, 3, 0x90, 0xbf)) i += 4;
            else if (c >= 0xf1 && c <= 0xf3 && tail(b, i, 3, 0x80, 0xbf)) i += 4;
            else if (c == 0xf4 && tail(b, i, 3, 0x80, 0x8f)) i += 4;
            else return false;
        }
        return b.length > 0;
    }

    function tail(bytes memory b, uint256 i, uint256 count, uint8 low, uint8 high)
        private
        pure
        returns (bool)
    {
        if (i + count >= b.length) return false;
        if (uint8(b[i + 1]) < low || uint8(b[i + 1]) > high) return false;
        for (uint256 j = 2; j <= count; j++) {
            if (uint8(b[i + j]) < 0x80 || uint8(b[i + j]) > 0xbf) return false;
        }
        return true;
    }

    function isPlainAscii(bytes memory b) private pure returns (bool) {
        for (uint256 i = 0; i < b.length; i++) {
            if (uint8(b[i]) < 0x21 || uint8(b[i]) > 0x7e) return false;
        }
        return b.length > 0;
    }

    function takesName(bytes memory name) private {
        IOrganisations.Details memory good = details(3);
        good.nameEn = string(name);
        vm.prank(address(motions));
        organisations.amend(3, good);
    }

    function refusesName(bytes memory name, uint256 position) private {
        IOrganisations.Details memory bad = details(6);
        bad.nameZhTw = string(name);
        refuses(
            address(motions),
            address(organisations),
            abi.encodeCall(organisations.admit, (bad)),
            abi.encodeWithSignature("TextsCharacterRefused(string,uint256)", "nameZhTw", position)
        );
    }
}
