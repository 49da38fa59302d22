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

    /// @notice Bytes of a field. Remedy: a length from `min` to `max`.
    error TextsLengthOutOfRange(string field, uint256 min, uint256 max, uint256 got);
    /// @notice A byte that the field does not take. Remedy: see the field in SPEC §13.
    error TextsCharacterRefused(string field, uint256 position);

    function requireLength(string memory field, string memory text, uint256 min, uint256 max)
        internal
        pure
    {
        uint256 got = bytes(text).length;
        if (got < min || got > max) revert TextsLengthOutOfRange(field, min, max, got);
    }

    /// @notice Well-formed UTF-8 (RFC 3629) without control and direction characters, which would
    /// let one name look like another; no space at either end.
    function requireLegalName(string memory field, string memory text, uint256 min) internal pure {
        requireLength(field, text, min, LEGAL_NAME_BYTES_MAX);
        bytes memory name = bytes(text);
        for (uint256 i = 0; i < name.length;) {
            (uint256 code, uint256 size) = decode(name, i);
            bool edge = i == 0 || i + size == name.length;
            if (size == 0 || isHidden(code) || (edge && isSpace(code))) {
                revert TextsCharacterRefused(field, i);
            }
            i += size;
        }
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
        return code == 0x20 || code == 0xa0 || code == 0x3000;
    }

    /// Control characters, marks of direction, joiners, line separators, byte order mark, tags.
    function isHidden(uint256 code) private pure returns (bool) {
        return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad
            || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e)
            || (code >= 0x2060 && code <= 0x206f) || code == 0x61c || code == 0xfeff
            || code == 0xfffe || code == 0xffff || code >> 12 == 0xe0;
    }
}
