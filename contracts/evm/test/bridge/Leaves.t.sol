// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../../src/bridge/Leaves.sol";
import {MerkleLog} from "../../src/bridge/MerkleLog.sol";
import {Log} from "./Log.sol";

/// @notice The library as a contract.
contract LeafLibrary {
    function hash(bytes calldata leaf) external view returns (bytes32) {
        return MerkleLog.leafHash(leaf);
    }

    function head(bytes calldata leaf) external pure returns (Leaves.Head memory) {
        return Leaves.decodeHead(leaf);
    }

    function attestation(bytes calldata leaf) external pure returns (Leaves.Attestation memory) {
        return Leaves.decodeAttestation(leaf);
    }

    function message(bytes calldata leaf) external pure returns (Leaves.Message memory) {
        return Leaves.decodeMessage(leaf);
    }
}

/// @notice Leaves: what is read, and what is refused.
/// forge-config: default.fuzz.runs = 10000
/// forge-config: long.fuzz.runs = 100000
contract LeavesTest is Log {
    LeafLibrary private lib;

    function setUp() public {
        lib = new LeafLibrary();
    }

    function deployFrom(bytes memory, Set memory) internal pure override {}

    /// SPEC §9.4: two words for these codes, one for all others.
    function test_DigestLengthsAreThoseOfTheAlgorithm() public {
        for (uint32 code = 0; code < 0x40; code++) {
            bool two =
                (code >= 0x13 && code <= 0x15) || (code >= 0x1c && code <= 0x1d) || code == 0x20;
            lengthIs(code, two);
        }
        lengthIs(0xb220, false);
        lengthIs(0xb221, true);
        lengthIs(0xb240, true);
        lengthIs(0xb241, false);
        lengthIs(0x534d, false);
        lengthIs(type(uint32).max, false);
    }

    function lengthIs(uint32 code, bool two) private {
        bytes memory front = bytes.concat(headOf(1, ISSUER), abi.encodePacked(FILE, code));
        bytes memory one = bytes.concat(front, hex"20", new bytes(32));
        bytes memory both = bytes.concat(front, hex"40", new bytes(64));
        vm.assertEq(lib.attestation(two ? both : one).words.length, two ? 2 : 1);
        vm.expectRevert(
            abi.encodeWithSelector(Leaves.LeafDigestLength.selector, code, uint8(two ? 32 : 64))
        );
        lib.attestation(two ? one : both);
    }

    /// 26: every other length and kind than the right one.
    function test_26_RefusesOtherLengthsAndKinds() public {
        bytes memory leaf = attestation(keccak256("file"));
        for (uint256 length = 0; length < 600; length++) {
            if (length == leaf.length) continue;
            bytes memory other = new bytes(length);
            for (uint256 i = 0; i < length && i < leaf.length; i++) {
                other[i] = leaf[i];
            }
            vm.expectRevert(abi.encodeWithSelector(Leaves.LeafLength.selector, length));
            lib.attestation(other);
        }
        for (uint256 kind = 0; kind < 256; kind++) {
            leaf[1] = bytes1(uint8(kind));
            if (kind == 1) {
                lib.attestation(leaf);
                continue;
            }
            vm.expectRevert(abi.encodeWithSelector(Leaves.LeafKind.selector, 1, kind));
            lib.attestation(leaf);
        }
        leaf[1] = 0x01;
        leaf[0] = 0x02;
        vm.expectRevert(abi.encodeWithSelector(Leaves.LeafVersion.selector, 2));
        lib.attestation(leaf);
    }

    /// One leaf says one thing: encoding again what was read gives the same bytes, but for the
    /// place within the block, which is not read.
    function testFuzz_WhatIsReadIsWhatIsWritten(bytes memory tail, uint256 seed) public view {
        bytes memory leaf = bytes.concat(headOf(1, ISSUER), tail);
        if (seed & 1 == 0) leaf = attestation(bytes32(seed));
        leaf[clamp(seed >> 8, 0, leaf.length - 1)] ^= bytes1(uint8(seed >> 248));
        try lib.attestation(leaf) returns (Leaves.Attestation memory a) {
            bytes memory place = slice(leaf, 22, 6);
            bytes memory again = bytes.concat(
                abi.encodePacked(uint8(1), uint8(1), a.chainId, a.height, a.timeMs),
                place,
                abi.encodePacked(a.issuer, a.schema, a.algorithm, uint8(32 * a.words.length))
            );
            vm.assertEq(bytes.concat(again, abi.encodePacked(a.words)), leaf);
        } catch {}
    }
}
