// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RLP, read strictly: each value has one encoding, and nothing is left over.
/// @dev OpenZeppelin's `RLP` copies with MCOPY, which chains have from Cancun on; what is deployed
/// on other chains does without.
library Rlp {
    /// An item in memory with its header: where it begins (upper half) and how long it is.
    type Item is uint256;

    /// Longest content that needs no length of its length.
    uint256 private constant _SHORT = 55;

    /// @notice Not the canonical encoding of what was expected.
    error RlpEncoding();

    /// @notice The one item that these bytes are.
    function item(bytes memory encoded) internal pure returns (Item) {
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := add(encoded, 32)
        }
        (uint256 head, uint256 length,) = _header(pointer, encoded.length);
        if (head + length != encoded.length) revert RlpEncoding();
        return _item(pointer, encoded.length);
    }

    /// @notice The items of a list.
    function items(Item list) internal pure returns (Item[] memory found) {
        (uint256 start, uint256 size) = _span(list);
        (uint256 head,, bool isAList) = _header(start, size);
        if (!isAList) revert RlpEncoding();
        uint256 end = start + size;
        uint256 count = 0;
        uint256 next = start + head;
        for (; next < end; next += _whole(next, end - next)) {
            count++;
        }
        found = new Item[](count);
        next = start + head;
        for (uint256 i = 0; i < count; i++) {
            uint256 whole = _whole(next, end - next);
            found[i] = _item(next, whole);
            next += whole;
        }
    }

    /// @notice Whether an item is a list.
    function isList(Item it) internal pure returns (bool) {
        (uint256 start,) = _span(it);
        return _word(start) >> 248 >= 0xc0;
    }

    /// @notice Whether an item is the empty string.
    function isEmpty(Item it) internal pure returns (bool) {
        (uint256 start, uint256 size) = _span(it);
        return size == 1 && _word(start) >> 248 == 0x80;
    }

    /// @notice The bytes of a string.
    function data(Item it) internal pure returns (bytes memory copy) {
        (uint256 start, uint256 length) = _content(it);
        copy = new bytes(length);
        for (uint256 i = 0; i < length; i += 32) {
            uint256 word = _word(start + i);
            assembly ("memory-safe") {
                // What is behind the last byte is within the words that were allocated.
                mstore(add(add(copy, 32), i), word)
            }
        }
    }

    /// @notice The 32 bytes of a string that has as many.
    function word32(Item it) internal pure returns (bytes32) {
        (uint256 start, uint256 length) = _content(it);
        if (length != 32) revert RlpEncoding();
        return bytes32(_word(start));
    }

    /// @notice A number: at most 32 bytes, the first of them not zero.
    function number(Item it) internal pure returns (uint256 value) {
        (uint256 start, uint256 length) = _content(it);
        if (length == 0) return 0;
        if (length > 32) revert RlpEncoding();
        value = _word(start) >> (256 - 8 * length);
        if (value >> (8 * (length - 1)) == 0) revert RlpEncoding();
    }

    /// Where the content of a string begins, and how long it is.
    function _content(Item it) private pure returns (uint256, uint256) {
        (uint256 start, uint256 size) = _span(it);
        (uint256 head, uint256 length, bool isAList) = _header(start, size);
        if (isAList) revert RlpEncoding();
        return (start + head, length);
    }

    /// Bytes of the item that begins here, its header included.
    function _whole(uint256 pointer, uint256 room) private pure returns (uint256) {
        (uint256 head, uint256 length,) = _header(pointer, room);
        return head + length;
    }

    /// Bytes of the header, and of the content, of the item that begins here and has at most so
    /// much room.
    function _header(uint256 pointer, uint256 room)
        private
        pure
        returns (uint256 head, uint256 length, bool isAList)
    {
        if (room == 0) revert RlpEncoding();
        uint256 word = _word(pointer);
        uint256 first = word >> 248;
        if (first < 0x80) return (0, 1, false);
        isAList = first >= 0xc0;
        uint256 size = first - (isAList ? 0xc0 : 0x80);
        if (size <= _SHORT) {
            (head, length) = (1, size);
            // A byte below 0x80 is its own encoding. Without room for it, what follows refuses.
            bool bare = !isAList && size == 1 && (word >> 240) & 0xff < 0x80;
            if (bare) revert RlpEncoding();
        } else {
            uint256 digits = size - _SHORT;
            head = 1 + digits;
            length = (word << 8) >> (256 - 8 * digits);
            bool padded = length >> (8 * (digits - 1)) == 0;
            if (padded || length <= _SHORT) revert RlpEncoding();
        }
        if (head + length > room) revert RlpEncoding();
    }

    function _item(uint256 pointer, uint256 length) private pure returns (Item) {
        return Item.wrap((pointer << 128) | length);
    }

    function _span(Item it) private pure returns (uint256 start, uint256 size) {
        return (Item.unwrap(it) >> 128, uint128(Item.unwrap(it)));
    }

    /// The 32 bytes from here on; what is behind the item is cut off by the caller.
    function _word(uint256 pointer) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(pointer)
        }
    }
}
