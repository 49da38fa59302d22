// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rlp} from "../../src/bridge/Rlp.sol";
import {Vm} from "../Vm.sol";

/// @notice The library as a contract.
contract RlpLibrary {
    using Rlp for Rlp.Item;

    function data(bytes memory encoded) external pure returns (bytes memory) {
        return Rlp.item(encoded).data();
    }

    function number(bytes memory encoded) external pure returns (uint256) {
        return Rlp.item(encoded).number();
    }

    function word32(bytes memory encoded) external pure returns (bytes32) {
        return Rlp.item(encoded).word32();
    }

    /// Kinds and strings of a list: `L` for a list, `E` for the empty string, else its bytes.
    function items(bytes memory encoded) external pure returns (bytes[] memory shown) {
        Rlp.Item[] memory found = Rlp.item(encoded).items();
        shown = new bytes[](found.length);
        for (uint256 i = 0; i < found.length; i++) {
            if (found[i].isList()) shown[i] = "L";
            else shown[i] = found[i].isEmpty() ? bytes("E") : found[i].data();
        }
    }
}

/// @notice What is canonical is read; nothing else is.
contract RlpTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    RlpLibrary private lib = new RlpLibrary();

    function refused(bytes memory call) private view {
        (bool done, bytes memory why) = address(lib).staticcall(call);
        vm.assertFalse(done, "read");
        vm.assertEq(why, abi.encodeWithSelector(Rlp.RlpEncoding.selector));
    }

    function refusedData(bytes memory encoded) private view {
        refused(abi.encodeCall(lib.data, (encoded)));
    }

    function filled(uint256 length) private pure returns (bytes memory bytes_) {
        bytes_ = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            bytes_[i] = bytes1(uint8(i + 0x81));
        }
    }

    function encode(bytes memory content) private pure returns (bytes memory) {
        if (content.length == 1 && uint8(content[0]) < 0x80) return content;
        return bytes.concat(header(0x80, content.length), content);
    }

    function header(uint8 kind, uint256 length) private pure returns (bytes memory) {
        if (length <= 55) return abi.encodePacked(uint8(kind + length));
        if (length <= 0xff) return abi.encodePacked(uint8(kind + 56), uint8(length));
        return abi.encodePacked(uint8(kind + 57), uint16(length));
    }

    function test_StringsOfEachLength() public view {
        uint256[9] memory lengths = [uint256(0), 1, 2, 31, 32, 55, 56, 255, 1024];
        for (uint256 i = 0; i < lengths.length; i++) {
            bytes memory content = filled(lengths[i]);
            vm.assertEq(lib.data(encode(content)), content);
        }
        vm.assertEq(lib.data(hex"7f"), hex"7f");
        vm.assertEq(lib.data(hex"00"), hex"00");
    }

    function test_ListsAndWhatIsInThem() public view {
        bytes memory long = filled(60);
        bytes memory content = bytes.concat(hex"80", hex"c0", hex"05", encode(long), hex"c20102");
        bytes[] memory shown = lib.items(bytes.concat(header(0xc0, content.length), content));
        vm.assertEq(shown.length, 5);
        vm.assertEq(shown[0], "E");
        vm.assertEq(shown[1], "L");
        vm.assertEq(shown[2], hex"05");
        vm.assertEq(shown[3], long);
        vm.assertEq(shown[4], "L");
        vm.assertEq(lib.items(hex"c0").length, 0);
    }

    function test_Numbers() public view {
        vm.assertEq(lib.number(hex"80"), 0);
        vm.assertEq(lib.number(hex"01"), 1);
        vm.assertEq(lib.number(hex"820100"), 256);
        bytes memory most = bytes.concat(hex"a0", bytes32(type(uint256).max));
        vm.assertEq(lib.number(most), type(uint256).max);
        refused(abi.encodeCall(lib.number, (hex"00")));
        refused(abi.encodeCall(lib.number, (hex"820001")));
        refused(abi.encodeCall(lib.number, (bytes.concat(hex"a1ff", bytes32(0)))));
        refused(abi.encodeCall(lib.number, (hex"c0")));
        vm.assertEq(lib.word32(bytes.concat(hex"a0", bytes32(uint256(1)))), bytes32(uint256(1)));
        refused(abi.encodeCall(lib.word32, (bytes.concat(hex"9f", bytes31(0)))));
    }

    function test_RefusesWhatIsNotCanonical() public view {
        refusedData("");
        // Left over, or missing.
        refusedData(hex"8000");
        refusedData(hex"8180ff");
        refusedData(hex"81");
        refusedData(hex"8281");
        refusedData(hex"b8");
        refusedData(hex"b9ff");
        refusedData(bytes.concat(hex"b838", filled(55)));
        // A byte, a length, or a length of a length that has a shorter form.
        refusedData(hex"8100");
        refusedData(hex"817f");
        refusedData(bytes.concat(hex"b837", filled(55)));
        refusedData(bytes.concat(hex"b90038", filled(56)));
        // A length beyond all memory.
        refusedData(hex"bfffffffffffffffff");
        // A list where a string is expected, and the other way round.
        refusedData(hex"c0");
        refused(abi.encodeCall(lib.items, (hex"80")));
        // An item that is longer than its list.
        refused(abi.encodeCall(lib.items, (hex"c181")));
        refused(abi.encodeCall(lib.items, (hex"c28281")));
        refused(abi.encodeCall(lib.items, (hex"c3c2c1")));
        refused(abi.encodeCall(lib.items, (hex"f8")));
    }

    /// What is read has exactly one encoding: the bytes that were read.
    /// forge-config: default.fuzz.runs = 2000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_OneEncodingForEachString(bytes memory encoded) public view {
        try lib.data(encoded) returns (bytes memory content) {
            vm.assertEq(encode(content), encoded);
        } catch {}
        vm.assertEq(lib.data(encode(encoded)), encoded);
    }
}
