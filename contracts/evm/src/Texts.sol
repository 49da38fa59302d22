// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What texts on the chain may look like.
/// @dev Every reader must come to the same characters: names are part of what validators sign
/// (SPEC §3.2), so that a text which is no UTF-8 must never get into the state.
library Texts {
    /// Bytes of a legal name in one language.
    uint256 internal constant LEGAL_NAME_BYTES_MAX = 512;
    /// Bytes of a contact URL.
    uint256 internal constant URL_BYTES_MAX = 256;
    /// One bit for each ASCII character of a legal name: letters, digits, the space and
    /// !#&'()+,-./:; and the commercial at.
    uint256 private constant _ASCII = 0x7fffffe07ffffff0ffffbcb00000000;

    /// @notice Bytes of a field. Remedy: a length from `min` to `max`.
    error TextsLengthOutOfRange(string field, uint256 min, uint256 max, uint256 got);
    /// @notice A byte that the field does not take. Remedy: see the field in SPEC §13.
    error TextsCharacterRefused(string field, uint256 position);
    /// @notice A Chinese name without a Chinese character. Remedy: leave it empty.
    error TextsNotChinese(string field);

    function requireLength(string memory field, string memory text, uint256 min, uint256 max)
        internal
        pure
    {
        uint256 got = bytes(text).length;
        if (got < min || got > max) revert TextsLengthOutOfRange(field, min, max, got);
    }

    /// @notice Well-formed UTF-8 (RFC 3629) of letters, digits and marks that names of legal
    /// entities are written with, and no others, so that two names which look alike are alike:
    /// Latin script, and if `chinese` also Han and Bopomofo, at least one character of which is
    /// Han. No space at either end or after another.
    function requireLegalName(string memory field, string memory text, uint256 min, bool chinese)
        internal
        pure
    {
        requireLength(field, text, min, LEGAL_NAME_BYTES_MAX);
        bytes memory name = bytes(text);
        bool han = false;
        bool space = true;
        uint256 last = 0;
        for (uint256 i = 0; i < name.length;) {
            (uint256 code, uint256 size) = decode(name, i);
            bool known = size != 0 && (isLatin(code) || (chinese && isChinese(code)));
            if (!known || (space && isSpace(code))) revert TextsCharacterRefused(field, i);
            han = han || isHan(code);
            (space, last) = (isSpace(code), i);
            i += size;
        }
        if (name.length == 0) return;
        if (space) revert TextsCharacterRefused(field, last);
        if (chinese && !han) revert TextsNotChinese(field);
    }

    /// @notice Printable ASCII without spaces.
    function requireLine(string memory field, string memory text, uint256 min, uint256 max)
        internal
        pure
    {
        requireLength(field, text, min, max);
        bytes memory line = bytes(text);
        for (uint256 i = 0; i < line.length; i++) {
            if (line[i] <= 0x20 || line[i] >= 0x7f) revert TextsCharacterRefused(field, i);
        }
    }

    /// @notice A line that starts with `start`, or nothing at all.
    function requireLineFrom(
        string memory field,
        string memory text,
        bytes memory start,
        uint256 max
    ) internal pure {
        requireLine(field, text, 0, max);
        bytes memory line = bytes(text);
        if (line.length == 0) return;
        for (uint256 i = 0; i < start.length; i++) {
            if (i >= line.length || line[i] != start[i]) revert TextsCharacterRefused(field, i);
        }
    }

    /// @notice An https URL, or nothing at all.
    function requireUrl(string memory field, string memory text) internal pure {
        requireLineFrom(field, text, "https://", URL_BYTES_MAX);
    }

    /// @notice Lower-case letters, digits, '-' and '.'.
    function requireLabel(string memory field, string memory text, uint256 max) internal pure {
        requireLength(field, text, 1, max);
        bytes memory label = bytes(text);
        for (uint256 i = 0; i < label.length; i++) {
            bytes1 c = label[i];
            if (!(isLower(c) || isDigit(c) || c == "-" || c == ".")) {
                revert TextsCharacterRefused(field, i);
            }
        }
    }

    function isDigit(bytes1 c) internal pure returns (bool) {
        return c >= "0" && c <= "9";
    }

    function isLower(bytes1 c) internal pure returns (bool) {
        return c >= "a" && c <= "z";
    }

    function isUpper(bytes1 c) internal pure returns (bool) {
        return c >= "A" && c <= "Z";
    }

    /// Code point at `start` and its length in bytes; length 0 if it is not well-formed.
    function decode(bytes memory text, uint256 start) private pure returns (uint256, uint256) {
        uint256 first = uint8(text[start]);
        if (first < 0x80) return (first, 1);
        uint256 size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        // 0x80-0xc1 and 0xf5-0xff begin nothing.
        if (first < 0xc2 || first > 0xf4 || start + size > text.length) return (0, 0);
        uint256 code = first & (0xff >> (size + 1));
        for (uint256 i = 1; i < size; i++) {
            uint256 next = uint8(text[start + i]);
            if (next & 0xc0 != 0x80) return (0, 0);
            code = (code << 6) | (next & 0x3f);
        }
        bool short = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
        bool none = code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
        if (short || none) return (0, 0);
        return (code, size);
    }

    function isSpace(uint256 code) private pure returns (bool) {
        return code == 0x20 || code == 0x3000;
    }

    /// Letters of languages written in Latin script that have one code point, digits, the space,
    /// and the marks of `_ASCII`.
    function isLatin(uint256 code) private pure returns (bool) {
        if (code < 0x80) return (_ASCII >> code) & 1 == 1;
        if (code < 0x17f) {
            // Not the signs of multiplication and division, nor letters that are two.
            return code >= 0xc0 && code != 0xd7 && code != 0xf7 && code != 0x132 && code != 0x133
                && code != 0x138 && code != 0x13f && code != 0x140 && code != 0x149;
        }
        return code == 0x1a0 || code == 0x1a1 || code == 0x1af || code == 0x1b0
            || (code >= 0x218 && code <= 0x21b) || (code >= 0x1ea0 && code <= 0x1ef9);
    }

    /// Han, Bopomofo, and the marks, digits and wide letters of Chinese texts.
    function isChinese(uint256 code) private pure returns (bool) {
        return isHan(code) || (code >= 0x3105 && code <= 0x312f) || code == 0xb7 || code == 0x2027
            || code == 0x3000 || code == 0x3001 || (code >= 0x300c && code <= 0x300f)
            || code == 0xff06 || code == 0xff08 || code == 0xff09
            || (code >= 0xff0d && code <= 0xff19) || (code >= 0xff21 && code <= 0xff3a)
            || (code >= 0xff41 && code <= 0xff5a);
    }

    /// Ideographs of Unicode 15.1 without those for compatibility, which are others in disguise.
    function isHan(uint256 code) private pure returns (bool) {
        if (code < 0x20000) {
            return code == 0x3007 || (code >= 0x3400 && code <= 0x4dbf)
                || (code >= 0x4e00 && code <= 0x9fff);
        }
        return code <= 0x2a6df || (code >= 0x2a700 && code <= 0x2b739)
            || (code >= 0x2b740 && code <= 0x2b81d) || (code >= 0x2b820 && code <= 0x2cea1)
            || (code >= 0x2ceb0 && code <= 0x2ebe0) || (code >= 0x2ebf0 && code <= 0x2ee5d)
            || (code >= 0x30000 && code <= 0x3134a) || (code >= 0x31350 && code <= 0x323af);
    }
}
