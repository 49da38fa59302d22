// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "../src/Attestations.sol";
import {IAttestations} from "../src/IAttestations.sol";
import {Vm} from "./Vm.sol";

/// @notice The contract's address and what tests do with it.
abstract contract Actions {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Attestations internal constant book = Attestations(0x0000000000000000000000000000000000001001);
    address internal constant GOVERNOR = 0x0000000000000000000000000000000000001000;

    uint256 internal constant NOW = 1_700_000_000;
    uint256 internal constant CHAIN = 8862026;
    address internal constant ISSUER = address(0x1550);
    address internal constant STRANGER = address(0x57A6);
    bytes32 internal constant FILE = keccak256("tbsi:file:v1");
    uint32 internal constant SHA2_256 = 0x12;
    uint32 internal constant SHA2_512 = 0x13;
    uint32 internal constant SHA2_384 = 0x20;
    uint8 internal constant ACTIVE = 1;
    uint8 internal constant DEPRECATED = 2;
    uint8 internal constant REVOKED = 3;

    /// Digests that are all different and without zero bytes.
    function digests(uint256 count) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](count);
        bytes32 ones = bytes32(type(uint256).max / 255);
        for (uint256 i = 0; i < count; i++) {
            words[i] = keccak256(abi.encode(i)) | ones;
        }
    }

    function one(bytes32 word) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](1);
        words[0] = word;
    }

    function two(bytes32 first, bytes32 second) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](2);
        (words[0], words[1]) = (first, second);
    }

    /// Attests the digest `word` as ISSUER, under the file schema, and returns the id.
    function attested(bytes32 word) internal returns (bytes32) {
        vm.prank(ISSUER);
        return book.attest(FILE, SHA2_256, one(word));
    }

    function setAlgorithm(uint32 algorithm, uint16 bits, uint8 status) internal {
        vm.prank(GOVERNOR);
        book.setAlgorithm(algorithm, bits, status, 0);
    }

    /// Calls with these bytes as `sender`; returns what came back.
    function send(address sender, bytes memory data) internal returns (bool, bytes memory) {
        vm.prank(sender);
        return address(book).call(data);
    }

    /// Expects the next call to be refused because of its status.
    function refusesStatus(uint32 algorithm, IAttestations.Status status) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsAlgorithmNotActive.selector, algorithm, status
            )
        );
    }

    /// Expects the next call to be refused because the id was revoked at the time.
    function refusesRevoked(bytes32 id, uint256 time) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsAlreadyRevoked.selector, id, uint64(time)
            )
        );
    }

    /// The call is good as it is, and refused with one byte more or less.
    function refusesSurplus(address sender, bytes memory data) internal {
        (bool done, bytes memory answer) = send(sender, abi.encodePacked(data, hex"00"));
        vm.assertFalse(done);
        vm.assertEq(
            answer,
            abi.encodeWithSelector(
                IAttestations.AttestationsCalldataLength.selector, data.length, data.length + 1
            )
        );
        bytes memory shorter = new bytes(data.length - 1);
        for (uint256 i = 0; i < shorter.length; i++) {
            shorter[i] = data[i];
        }
        (done,) = send(sender, shorter);
        vm.assertFalse(done);
        (done,) = send(sender, data);
        vm.assertTrue(done);
    }

    function clamp(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}

/// @notice The contract as genesis places it: code at its address, no constructor, no storage.
abstract contract Base is Actions {
    function setUp() public virtual {
        vm.etch(address(book), type(Attestations).runtimeCode);
        vm.warp(NOW);
        vm.chainId(CHAIN);
    }
}
