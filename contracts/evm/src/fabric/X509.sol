// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "./Der.sol";
import {P256} from "./P256.sol";
import {Protobuf} from "./Protobuf.sol";

/// @title X.509 certificates of Fabric's membership service providers: P-256 keys, ECDSA with
/// SHA-256, node roles as organisational units.
library X509 {
    /// @notice The certificate is none that this contract understands, or says what it may not.
    error FabricCertificateRefused(string problem);

    /// @param tbsDigest SHA-256 of what the issuer signed.
    /// @param role What it is by its organisational units: 0 nothing, 1 peer, 2 another node's or a
    /// client's, or more than one.
    struct Certificate {
        bytes32 tbsDigest;
        bytes32 issuer;
        bytes32 subject;
        uint256 notBefore;
        uint256 notAfter;
        uint256 x;
        uint256 y;
        uint256 r;
        uint256 s;
        uint8 role;
        bool authority;
        bool signs;
        bool certifies;
    }

    /// @notice Bytes of a certificate in DER.
    uint256 internal constant BYTES_MAX = 4096;
    uint8 internal constant PEER = 1;
    uint8 internal constant OTHER = 2;

    /// ecdsa-with-SHA256.
    bytes32 private constant _ALGORITHM = keccak256(hex"300a06082a8648ce3d040302");
    /// id-ecPublicKey, prime256v1, and an uncompressed point.
    bytes32 private constant _KEY =
        keccak256(hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004");

    /// @notice Reads a certificate; its signature is not verified.
    function parse(bytes memory der) internal pure returns (Certificate memory it) {
        if (der.length > BYTES_MAX) revert FabricCertificateRefused("it has more than 4096 bytes");
        (uint256 place, uint256 end) = Der.open(der, 0, der.length, Der.SEQUENCE);
        if (end != der.length) revert Der.FabricDerMalformed(end);
        (uint256 from, uint256 to) = Der.open(der, place, end, Der.SEQUENCE);
        it.tbsDigest = sha256(Protobuf.slice(der, place, to));
        _body(der, from, to, it);
        place = _algorithm(der, to, end);
        (from, to) = Der.open(der, place, end, Der.BITS);
        if (to != end || from == to || der[from] != 0) {
            revert Der.FabricDerMalformed(from);
        }
        (it.r, it.s) = Der.signature(Protobuf.slice(der, from + 1, to));
    }

    /// @notice Whether one certificate was signed with the key of another, whose subject it names as
    /// its issuer.
    function isIssued(Certificate memory it, bytes32 subject, uint256 x, uint256 y)
        internal
        view
        returns (bool)
    {
        return it.issuer == subject && P256.verify(it.tbsDigest, it.r, it.s, x, y);
    }

    function _body(bytes memory der, uint256 place, uint256 end, Certificate memory it)
        private
        pure
    {
        uint256 from;
        uint256 to;
        // Version 3.
        (from, to) = Der.open(der, place, end, 0xa0);
        if (to - from != 3 || bytes3(_word(der, from)) != hex"020102") {
            revert Der.FabricDerMalformed(from);
        }
        // slither-disable-next-line unused-return
        (, place) = Der.open(der, to, end, Der.INTEGER);
        place = _algorithm(der, place, end);
        // slither-disable-next-line unused-return
        (, to) = Der.open(der, place, end, Der.SEQUENCE);
        it.issuer = keccak256(Protobuf.slice(der, place, to));
        (from, place) = Der.open(der, to, end, Der.SEQUENCE);
        (it.notBefore, from) = _time(der, from, place);
        (it.notAfter, from) = _time(der, from, place);
        if (from != place) revert Der.FabricDerMalformed(from);
        (from, to) = Der.open(der, place, end, Der.SEQUENCE);
        it.subject = keccak256(Protobuf.slice(der, place, to));
        it.role = _role(der, from, to);
        place = _key(der, to, end, it);
        (from, to) = Der.open(der, place, end, 0xa3);
        if (to != end) revert Der.FabricDerMalformed(to);
        (from, place) = Der.open(der, from, to, Der.SEQUENCE);
        if (place != to) revert Der.FabricDerMalformed(place);
        while (from < to) {
            from = _extension(der, from, to, it);
        }
    }

    function _algorithm(bytes memory der, uint256 place, uint256 end)
        private
        pure
        returns (uint256 to)
    {
        // slither-disable-next-line unused-return
        (, to) = Der.open(der, place, end, Der.SEQUENCE);
        if (keccak256(Protobuf.slice(der, place, to)) != _ALGORITHM) {
            revert FabricCertificateRefused("it is not signed by ECDSA with SHA-256");
        }
    }

    function _key(bytes memory der, uint256 place, uint256 end, Certificate memory it)
        private
        pure
        returns (uint256 to)
    {
        // slither-disable-next-line unused-return
        (, to) = Der.open(der, place, end, Der.SEQUENCE);
        if (to - place != 91 || keccak256(Protobuf.slice(der, place, place + 27)) != _KEY) {
            revert FabricCertificateRefused("its key is not of P-256");
        }
        it.x = uint256(_word(der, place + 27));
        it.y = uint256(_word(der, place + 59));
    }

    /// The node's role: organisational units as Fabric's NodeOUs have them.
    function _role(bytes memory der, uint256 place, uint256 end) private pure returns (uint8 role) {
        while (place < end) {
            (uint256 from, uint256 to) = Der.open(der, place, end, Der.SET);
            place = to;
            while (from < to) {
                (uint256 pair, uint256 next) = Der.open(der, from, to, Der.SEQUENCE);
                from = next;
                // 2.5.4.11, organizationalUnitName.
                if (next - pair < 5 || bytes5(_word(der, pair)) != hex"060355040b") continue;
                uint8 kind = Der.tag(der, pair + 5, next);
                (uint256 text, uint256 end_) = Der.open(der, pair + 5, next, kind);
                if (end_ != next) revert Der.FabricDerMalformed(end_);
                bytes32 unit = keccak256(Protobuf.slice(der, text, end_));
                if (unit == keccak256("peer")) {
                    role = role == 0 ? PEER : OTHER;
                } else if (
                    unit == keccak256("client") || unit == keccak256("admin")
                        || unit == keccak256("orderer")
                ) {
                    role = OTHER;
                }
            }
        }
    }

    function _extension(bytes memory der, uint256 place, uint256 end, Certificate memory it)
        private
        pure
        returns (uint256 next)
    {
        uint256 from;
        (from, next) = Der.open(der, place, end, Der.SEQUENCE);
        (uint256 name, uint256 value) = Der.open(der, from, next, 0x06);
        bytes32 id = value - name == 3 ? bytes32(bytes3(_word(der, name))) : bytes32(0);
        bool critical = false;
        if (Der.tag(der, value, next) == 0x01) {
            (from, value) = Der.open(der, value, next, 0x01);
            if (value - from != 1 || der[from] != 0xff) {
                revert Der.FabricDerMalformed(from);
            }
            critical = true;
        }
        uint256 to;
        (from, to) = Der.open(der, value, next, Der.OCTETS);
        if (to != next) revert Der.FabricDerMalformed(to);
        if (id == bytes32(bytes3(hex"551d13"))) {
            it.authority = _isAuthority(der, from, to);
        } else if (id == bytes32(bytes3(hex"551d0f"))) {
            _usage(der, from, to, it);
        } else if (critical) {
            revert FabricCertificateRefused("it has a critical extension that is not understood");
        }
    }

    /// SEQUENCE { BOOLEAN cA, INTEGER pathLen }, both of which may be absent.
    function _isAuthority(bytes memory der, uint256 place, uint256 end)
        private
        pure
        returns (bool)
    {
        (uint256 from, uint256 to) = Der.open(der, place, end, Der.SEQUENCE);
        if (to != end) revert Der.FabricDerMalformed(to);
        if (from == to) return false;
        (from, place) = Der.open(der, from, to, 0x01);
        if (place - from != 1 || der[from] != 0xff) {
            revert Der.FabricDerMalformed(from);
        }
        return true;
    }

    function _usage(bytes memory der, uint256 place, uint256 end, Certificate memory it)
        private
        pure
    {
        (uint256 from, uint256 to) = Der.open(der, place, end, Der.BITS);
        if (to != end || to - from < 2) revert Der.FabricDerMalformed(to);
        uint8 bits = uint8(der[from + 1]);
        (it.signs, it.certifies) = (bits & 0x80 != 0, bits & 0x04 != 0);
    }

    /// UTCTime to 2049, GeneralizedTime from 2050, in UTC to the second (RFC 5280 §4.1.2.5).
    function _time(bytes memory der, uint256 place, uint256 end)
        private
        pure
        returns (uint256 seconds_, uint256 to)
    {
        uint256 from;
        bool short = Der.tag(der, place, end) == 0x17;
        (from, to) = Der.open(der, place, end, short ? 0x17 : 0x18);
        if (to - from != (short ? 13 : 15) || der[to - 1] != "Z") {
            revert Der.FabricDerMalformed(from);
        }
        uint256 year = _two(der, from);
        if (short) {
            year += year < 50 ? 2000 : 1900;
            from += 2;
        } else {
            year = year * 100 + _two(der, from + 2);
            from += 4;
        }
        uint256 month = _two(der, from);
        uint256 day = _two(der, from + 2);
        if (year < 1970 || month == 0 || month > 12 || day == 0 || day > 31) {
            revert Der.FabricDerMalformed(from);
        }
        uint256 hour = _two(der, from + 4);
        seconds_ = _days(year, month, day) * 86400 + hour * 3600 + _two(der, from + 6) * 60
            + _two(der, from + 8);
    }

    function _two(bytes memory der, uint256 place) private pure returns (uint256) {
        uint256 tens = uint8(der[place]) ^ 0x30;
        uint256 ones = uint8(der[place + 1]) ^ 0x30;
        if (tens > 9 || ones > 9) revert Der.FabricDerMalformed(place);
        return tens * 10 + ones;
    }

    /// Days since 1970, for years from 1970 on: the year begins in March, so that the day that comes
    /// and goes is its last.
    function _days(uint256 year, uint256 month, uint256 day) private pure returns (uint256) {
        if (month <= 2) year--;
        uint256 ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return year * 365 + year / 4 - year / 100 + year / 400 + ofYear - 719468;
    }

    function _word(bytes memory data, uint256 place) private pure returns (bytes32 word) {
        if (data.length < 32 || place > data.length - 1) {
            revert Der.FabricDerMalformed(place);
        }
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), place))
        }
        // Bytes behind the end are not the certificate's.
        if (data.length - place < 32) {
            word &= ~(bytes32(type(uint256).max) >> (8 * (data.length - place)));
        }
    }
}
