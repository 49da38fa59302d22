// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the chaincode's GetOutboxEntry answers (SPEC §17.2): canonical JSON, read by its one
/// form. Whatever is in another order, has other fields or other white space is refused.
library Entries {
    /// @notice The answer is not an entry of the outbox. `position` is in its bytes.
    error FabricEntryMalformed(uint256 position);

    struct Entry {
        uint256 chainId;
        bytes channel;
        bytes32 genesisHash;
        bytes mspId;
        bytes32 messageHash;
        bytes32 payloadHash;
        address receiver;
        uint256 sequence;
        uint256 timeoutSeconds;
        bytes32 nonce;
    }

    struct Cursor {
        bytes text;
        uint256 place;
    }

    /// @notice Reads an entry.
    function parse(bytes memory text) internal pure returns (Entry memory it) {
        Cursor memory c = Cursor(text, 0);
        _expect(c, '{"chainId":');
        it.chainId = _number(c);
        _expect(c, ',"channel":');
        it.channel = _plain(c);
        _expect(c, ',"genesisHash":"0x');
        it.genesisHash = _hex(c, 32);
        _expect(c, '","message":{"by":{"certificateSha256":');
        _plain(c);
        _expect(c, ',"mspId":');
        it.mspId = _plain(c);
        _expect(c, ',"nameEn":');
        _string(c);
        _expect(c, ',"nameZhTw":');
        _string(c);
        _expect(c, ',"subject":');
        _string(c);
        _expect(c, '},"messageHash":"0x');
        it.messageHash = _hex(c, 32);
        _expect(c, '","payloadHash":"0x');
        it.payloadHash = _hex(c, 32);
        _expect(c, '","receiver":"0x');
        it.receiver = address(uint160(uint256(_hex(c, 20))));
        _expect(c, '","sequence":');
        it.sequence = _number(c);
        _expect(c, ',"timeoutSeconds":');
        it.timeoutSeconds = _number(c);
        _expect(c, ',"transaction":');
        _plain(c);
        _expect(c, '},"nonce":"0x');
        it.nonce = _hex(c, 32);
        _expect(c, '"}');
        if (c.place != text.length) _refuse(c);
    }

    /// @notice The hash of SPEC §17.3 of what an entry says.
    function hash(Entry memory it) internal pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                "TBSI-FABRIC-MESSAGE-1",
                uint64(it.chainId),
                it.genesisHash,
                uint16(it.channel.length),
                it.channel,
                uint16(it.mspId.length),
                it.mspId,
                uint64(it.sequence),
                it.receiver,
                uint64(it.timeoutSeconds),
                it.payloadHash
            )
        );
    }

    function _refuse(Cursor memory c) private pure {
        revert FabricEntryMalformed(c.place);
    }

    function _next(Cursor memory c) private pure returns (uint8) {
        if (c.place == c.text.length) _refuse(c);
        return uint8(c.text[c.place]);
    }

    function _expect(Cursor memory c, string memory words) private pure {
        bytes memory expected = bytes(words);
        for (uint256 i = 0; i < expected.length; i++) {
            if (_next(c) != uint8(expected[i])) _refuse(c);
            c.place++;
        }
    }

    /// A number below 2^53 in its shortest form, which the next literal ends.
    function _number(Cursor memory c) private pure returns (uint256 value) {
        uint256 from = c.place;
        while (true) {
            uint8 digit = _next(c) ^ 0x30;
            if (digit > 9) break;
            if (c.place > from && value == 0) _refuse(c);
            value = value * 10 + digit;
            if (value >> 53 != 0) _refuse(c);
            c.place++;
        }
        if (c.place == from) _refuse(c);
    }

    function _hex(Cursor memory c, uint256 count) private pure returns (bytes32 value) {
        uint256 number = 0;
        for (uint256 i = 0; i < 2 * count; i++) {
            uint8 letter = _next(c);
            uint8 digit = letter ^ 0x30;
            if (digit > 9) {
                if (letter < 0x61 || letter > 0x66) _refuse(c);
                digit = letter - 0x57;
            }
            number = number << 4 | digit;
            c.place++;
        }
        return bytes32(number);
    }

    /// A string without escapes.
    function _plain(Cursor memory c) private pure returns (bytes memory text) {
        uint256 from = c.place + 1;
        uint256 to = _string(c);
        text = new bytes(to - from);
        for (uint256 i = from; i < to; i++) {
            if (c.text[i] == "\\") _refuse(c);
            text[i - from] = c.text[i];
        }
    }

    /// A string; where it ends, before its quotation mark.
    function _string(Cursor memory c) private pure returns (uint256 to) {
        if (_next(c) != 0x22) _refuse(c);
        c.place++;
        while (true) {
            uint8 letter = _next(c);
            if (letter < 0x20) _refuse(c);
            if (letter == 0x22) break;
            // What is escaped ends no string.
            c.place += letter == 0x5c ? 2 : 1;
        }
        to = c.place;
        c.place++;
    }
}
