// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DER: tags, lengths, values.
library Der {
    /// @notice Not DER, or not what stands there. `position` is in the bytes that hold it.
    error FabricDerMalformed(uint256 position);

    uint8 internal constant INTEGER = 0x02;
    uint8 internal constant BITS = 0x03;
    uint8 internal constant OCTETS = 0x04;
    uint8 internal constant SEQUENCE = 0x30;
    uint8 internal constant SET = 0x31;

    /// @notice The tag that is next; 0 at the end.
    function tag(bytes memory data, uint256 place, uint256 end) internal pure returns (uint8) {
        return place < end ? uint8(data[place]) : 0;
    }

    /// @notice Where the content of the value at `at` is, which has this tag. It ends where the next
    /// one begins.
    function open(bytes memory data, uint256 place, uint256 end, uint8 expected)
        internal
        pure
        returns (uint256 from, uint256 to)
    {
        if (tag(data, place, end) != expected || end - place < 2) {
            revert FabricDerMalformed(place);
        }
        uint256 length = uint8(data[place + 1]);
        from = place + 2;
        if (length > 0x7f) {
            uint256 bytes_ = length - 0x80;
            if (bytes_ == 0 || bytes_ > 3 || bytes_ > end - from) {
                revert FabricDerMalformed(place);
            }
            length = 0;
            for (uint256 i = 0; i < bytes_; i++) {
                length = length << 8 | uint8(data[from + i]);
            }
            from += bytes_;
            // The shortest form of the length.
            if (length < 0x80 || length >> (8 * (bytes_ - 1)) == 0) {
                revert FabricDerMalformed(place);
            }
        }
        if (length > end - from) revert FabricDerMalformed(place);
        to = from + length;
    }

    /// @notice A positive integer of at most 32 bytes in its shortest form, and where it ends.
    function integer(bytes memory data, uint256 place, uint256 end)
        internal
        pure
        returns (uint256 value, uint256 after_)
    {
        uint256 from;
        (from, after_) = open(data, place, end, INTEGER);
        uint256 length = after_ - from;
        bool zero = length > 1 && data[from] == 0;
        bool sound = length > 0 && length - (zero ? 1 : 0) <= 32 && uint8(data[from]) < 0x80
            && (!zero || uint8(data[from + 1]) >= 0x80);
        if (!sound) revert FabricDerMalformed(place);
        for (uint256 i = from; i < after_; i++) {
            value = value << 8 | uint8(data[i]);
        }
    }

    /// @notice An ECDSA signature in DER, all of `data`.
    function signature(bytes memory data) internal pure returns (uint256 r, uint256 s) {
        (uint256 place, uint256 end) = open(data, 0, data.length, SEQUENCE);
        if (end != data.length) revert FabricDerMalformed(end);
        (r, place) = integer(data, place, end);
        (s, place) = integer(data, place, end);
        if (place != end) revert FabricDerMalformed(place);
    }
}
