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
        takesName("", "A");
        takesName(
            unicode"社團法人台灣某某公會", unicode"Société Café (Taiwan) Co., Ltd."
        );
        takesName(unicode"𠮷野家‧ＡＢ（股）公司", "Yoshi & Sons #1+2/3: A-B's @ C; D!");
        takesName(unicode"㐀〇ㄅ公司 A1", unicode"Ștefan Đặng Nguyễn");
    }

    /// Letters that are not seen, that look like another, or that are two code points: all that
    /// is not on the list.
    function test_RefusesWhatIsNotOnTheList() public {
        // The filler of Hangul, its half-width form, a Braille blank, a combining joiner, marks.
        bytes[16] memory bad = [
            bytes(unicode"\u3164"),
            bytes(unicode"\uffa0"),
            bytes(unicode"\u115f"),
            bytes(unicode"\u2800"),
            bytes(unicode"\u034f"),
            bytes(unicode"\u0301"),
            bytes(unicode"\ufe0f"),
            bytes(unicode"\u00a0"),
            // Cyrillic a, Greek omicron, Latin click, dotless kra, wide compatibility ideograph.
            bytes(unicode"\u0430"),
            bytes(unicode"\u03bf"),
            bytes(unicode"\u01c3"),
            bytes(unicode"\u0138"),
            bytes(unicode"\uf900"),
            bytes(unicode"\ue000"),
            bytes(unicode"\u30a2"),
            bytes("|")
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            refusesName(abi.encodePacked(unicode"公", bad[i], unicode"會"), 3);
            refusesEnglish(abi.encodePacked("A", bad[i], "B"), 1);
        }
        refusesName(unicode"公  會", 4);
        refusesName(unicode"公 \u3000會", 4);
    }

    /// The mixed-script rule: English is Latin, Chinese is Han and may have Latin in it.
    function test_NamesAreOfTheirScript() public {
        refusesEnglish(unicode"A公", 1);
        refusesEnglish(unicode"Aㄅ", 1);
        refusesEnglish(unicode"AＢ", 1);
        refusesEnglish(unicode"A（", 1);
        IOrganisations.Details memory bad = details(6);
        bad.nameZhTw = "Guild 6";
        refuses(
            address(motions),
            address(organisations),
            abi.encodeCall(organisations.admit, (bad)),
            abi.encodeWithSignature("TextsNotChinese(string)", "nameZhTw")
        );
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
            uint8 c = uint8(b[i] | 0x20);
            if (c < 0x61 || c > 0x7a || uint8(b[i]) < 0x41) return false;
        }
        return b.length > 0;
    }

    function takesName(string memory zhTw, string memory en) private {
        IOrganisations.Details memory good = details(3);
        (good.nameZhTw, good.nameEn) = (zhTw, en);
        vm.prank(address(motions));
        organisations.amend(3, good);
    }

    function refusesEnglish(bytes memory name, uint256 position) private {
        IOrganisations.Details memory bad = details(6);
        bad.nameEn = string(name);
        refuses(
            address(motions),
            address(organisations),
            abi.encodeCall(organisations.admit, (bad)),
            abi.encodeWithSignature("TextsCharacterRefused(string,uint256)", "nameEn", position)
        );
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
