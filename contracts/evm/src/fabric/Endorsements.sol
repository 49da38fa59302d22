// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "./Der.sol";
import {Protobuf} from "./Protobuf.sol";
import {X509} from "./X509.sol";

/// @title What peers of Fabric sign, taken apart.
library Endorsements {
    using Protobuf for Protobuf.Reader;

    /// @notice The response is no read of the chaincode that is to be read.
    error FabricResponseRefused(string problem);
    /// @notice Not one certificate in PEM.
    error FabricPemMalformed(uint256 position);

    /// @notice Bytes of a response.
    uint256 internal constant RESPONSE_BYTES_MAX = 8192;
    /// @notice Bytes of an endorser, with its certificate in PEM.
    uint256 internal constant ENDORSER_BYTES_MAX = 8192;

    bytes private constant _BEGIN = "-----BEGIN CERTIFICATE-----\n";
    bytes private constant _END = "-----END CERTIFICATE-----\n";

    /// @notice The answer in a `ProposalResponsePayload`: of this chaincode, with status 200,
    /// without an event, and without a write to any key.
    function answer(bytes memory response, string memory chaincode)
        internal
        pure
        returns (bytes memory text, bytes memory version)
    {
        if (response.length > RESPONSE_BYTES_MAX) {
            revert FabricResponseRefused("it has more than 8192 bytes");
        }
        Protobuf.Reader memory r = Protobuf.reader(response, "ProposalResponsePayload");
        (uint256 from, uint256 to) = r.field(1);
        if (to - from != 32) r.refuse();
        (from, to) = r.field(2);
        r.finish();
        r = r.within(from, to, "ChaincodeAction");
        (from, to) = r.field(1);
        _requireRead(r.within(from, to, "TxReadWriteSet"));
        if (r.has(2)) revert FabricResponseRefused("it emits an event");
        (from, to) = r.field(3);
        Protobuf.Reader memory part = r.within(from, to, "Response");
        if (part.varint(1) != 200) revert FabricResponseRefused("its status is not 200");
        // slither-disable-next-line unused-return
        if (part.has(2)) part.bytesOf(2);
        text = part.bytesOf(3);
        part.finish();
        (from, to) = r.field(4);
        r.finish();
        part = r.within(from, to, "ChaincodeID");
        if (keccak256(part.bytesOf(2)) != keccak256(bytes(chaincode))) {
            revert FabricResponseRefused("it is of another chaincode");
        }
        version = part.bytesOf(3);
        part.finish();
    }

    /// Namespaces with reads, and nothing else.
    function _requireRead(Protobuf.Reader memory r) private pure {
        while (r.has(2)) {
            (uint256 from, uint256 to) = r.field(2);
            Protobuf.Reader memory namespace = r.within(from, to, "NsReadWriteSet");
            // slither-disable-next-line unused-return
            namespace.field(1);
            // slither-disable-next-line write-after-write
            (from, to) = namespace.field(2);
            if (namespace.has(3)) revert FabricResponseRefused("it touches private data");
            namespace.finish();
            Protobuf.Reader memory keys = r.within(from, to, "KVRWSet");
            // slither-disable-next-line unused-return
            while (keys.has(1)) keys.field(1);
            if (keys.has(3) || keys.has(4)) {
                revert FabricResponseRefused("it is no read: it writes");
            }
            keys.finish();
        }
        r.finish();
    }

    /// @notice MSP id and certificate of an endorser, a `SerializedIdentity`.
    function endorser(bytes memory identity)
        internal
        pure
        returns (bytes memory mspId, X509.Certificate memory certificate)
    {
        if (identity.length > ENDORSER_BYTES_MAX) {
            revert FabricResponseRefused("an endorser has more than 8192 bytes");
        }
        Protobuf.Reader memory r = Protobuf.reader(identity, "SerializedIdentity");
        mspId = r.bytesOf(1);
        bytes memory pem = r.bytesOf(2);
        r.finish();
        certificate = X509.parse(der(pem));
    }

    /// @notice The DER of one certificate in PEM, with line feeds, as Fabric's tools write it.
    function der(bytes memory pem) internal pure returns (bytes memory out) {
        uint256 last = pem.length - (pem.length < _END.length ? pem.length : _END.length);
        _requireAt(pem, 0, _BEGIN);
        _requireAt(pem, last, _END);
        out = new bytes((pem.length * 3) / 4);
        uint256 length = 0;
        uint256 bits = 0;
        uint256 count = 0;
        uint256 place = _BEGIN.length;
        for (; place < last; place++) {
            bytes1 letter = pem[place];
            if (letter == "\n") continue;
            if (letter == "=") break;
            bits = bits << 6 | _six(pem, place);
            count++;
            if (count % 4 != 0) continue;
            out[length++] = bytes1(uint8(bits >> 16));
            out[length++] = bytes1(uint8(bits >> 8));
            out[length++] = bytes1(uint8(bits));
            bits = 0;
        }
        uint256 padding = (4 - count % 4) % 4;
        for (uint256 i = 0; i < padding; i++) {
            if (place >= last || pem[place] != "=") revert FabricPemMalformed(place);
            place++;
        }
        if (padding == 3 || place + 1 != last && place != last) revert FabricPemMalformed(place);
        if (place < last && pem[place] != "\n") revert FabricPemMalformed(place);
        // Bits beyond the last byte are zero: one certificate has one form.
        if (padding == 2) {
            if (bits & 0xf != 0) revert FabricPemMalformed(place);
            out[length++] = bytes1(uint8(bits >> 4));
        } else if (padding == 1) {
            if (bits & 3 != 0) revert FabricPemMalformed(place);
            out[length++] = bytes1(uint8(bits >> 10));
            out[length++] = bytes1(uint8(bits >> 2));
        }
        assembly ("memory-safe") {
            mstore(out, length)
        }
    }

    function _requireAt(bytes memory pem, uint256 place, bytes memory words) private pure {
        for (uint256 i = 0; i < words.length; i++) {
            if (place + i >= pem.length || pem[place + i] != words[i]) {
                revert FabricPemMalformed(place + i);
            }
        }
    }

    function _six(bytes memory pem, uint256 place) private pure returns (uint256) {
        uint256 letter = uint8(pem[place]);
        if (letter >= 0x41 && letter <= 0x5a) return letter - 0x41;
        if (letter >= 0x61 && letter <= 0x7a) return letter - 0x47;
        if (letter >= 0x30 && letter <= 0x39) return letter + 4;
        if (letter == 0x2b) return 62;
        if (letter == 0x2f) return 63;
        revert FabricPemMalformed(place);
    }
}
