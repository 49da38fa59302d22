// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Protobuf as peers of Fabric write it, read strictly.
/// @dev A reader goes through one message, field by field in the order of their numbers. Unknown,
/// repeated and misplaced fields, lengths and numbers that are not in their shortest form, and bytes
/// after the last field are refused: what was signed is read in one way only.
library Protobuf {
    /// @notice The message is not what a peer writes. `position` is in the bytes that hold it.
    error FabricProtobufMalformed(string message, uint256 position);

    /// @param name Of the message, for refusals.
    struct Reader {
        bytes data;
        uint256 place;
        uint256 end;
        string name;
    }

    uint256 private constant _VARINT = 0;
    uint256 private constant _BYTES = 2;

    /// @notice A reader of a whole message.
    function reader(bytes memory data, string memory name) internal pure returns (Reader memory) {
        return Reader(data, 0, data.length, name);
    }

    /// @notice A reader of a part of the same bytes.
    function within(Reader memory outer, uint256 from, uint256 to, string memory name)
        internal
        pure
        returns (Reader memory)
    {
        return Reader(outer.data, from, to, name);
    }

    /// @notice Where the bytes of this field are, which must come next.
    function field(Reader memory r, uint256 number)
        internal
        pure
        returns (uint256 from, uint256 to)
    {
        if (!_isNext(r, number, _BYTES)) refuse(r);
        r.place++;
        uint256 length = _varint(r);
        if (length > r.end - r.place) refuse(r);
        (from, to) = (r.place, r.place + length);
        r.place = to;
    }

    /// @notice Whether such a field comes next.
    function has(Reader memory r, uint256 number) internal pure returns (bool) {
        return _isNext(r, number, _BYTES);
    }

    /// @notice The bytes of a field, copied.
    function bytesOf(Reader memory r, uint256 number) internal pure returns (bytes memory) {
        (uint256 from, uint256 to) = field(r, number);
        return slice(r.data, from, to);
    }

    /// @notice The number in a field, which must come next.
    function varint(Reader memory r, uint256 number) internal pure returns (uint256) {
        if (!_isNext(r, number, _VARINT)) refuse(r);
        r.place++;
        return _varint(r);
    }

    /// @notice That nothing follows.
    function finish(Reader memory r) internal pure {
        if (r.place != r.end) refuse(r);
    }

    /// @notice Refuses the message where the reader is.
    function refuse(Reader memory r) internal pure {
        revert FabricProtobufMalformed(r.name, r.place);
    }

    /// @notice A copy of a part.
    function slice(bytes memory data, uint256 from, uint256 to)
        internal
        pure
        returns (bytes memory part)
    {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; i += 32) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 32), add(from, i)))
            }
            if (part.length - i < 32) {
                // Only the bytes that belong to it: what follows is somebody else's.
                word &= ~(bytes32(type(uint256).max) >> (8 * (part.length - i)));
            }
            assembly ("memory-safe") {
                mstore(add(add(part, 32), i), word)
            }
        }
    }

    /// Field numbers below 16: the tag is one byte.
    function _isNext(Reader memory r, uint256 number, uint256 wire) private pure returns (bool) {
        return r.place < r.end && uint8(r.data[r.place]) == number << 3 | wire;
    }

    function _varint(Reader memory r) private pure returns (uint256 value) {
        for (uint256 shift = 0; shift < 64; shift += 7) {
            if (r.place == r.end) refuse(r);
            uint256 byte_ = uint8(r.data[r.place++]);
            value |= (byte_ & 0x7f) << shift;
            if (byte_ < 0x80) {
                // A last byte of zero would be a longer form of the same number.
                if (byte_ == 0 && shift > 0) refuse(r);
                return value;
            }
        }
        refuse(r);
    }
}
