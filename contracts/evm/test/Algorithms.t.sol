// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Algorithms} from "../src/Algorithms.sol";
import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice The algorithm table and its governor.
contract AlgorithmsTest is Base {
    uint32 private constant SHA2_224 = 0x1013;

    function test_BuiltInAlgorithmsAreActiveFromGenesis() public view {
        has(0x12, 256, ACTIVE); // sha2-256
        has(0x13, 512, ACTIVE); // sha2-512
        has(0x14, 512, ACTIVE); // sha3-512
        has(0x15, 384, ACTIVE); // sha3-384
        has(0x16, 256, ACTIVE); // sha3-256
        has(0x1b, 256, ACTIVE); // keccak-256
        has(0x1c, 384, ACTIVE); // keccak-384
        has(0x1d, 512, ACTIVE); // keccak-512
        has(0x1e, 256, ACTIVE); // blake3
        has(0x20, 384, ACTIVE); // sha2-384
        has(0x1015, 256, ACTIVE); // sha2-512-256
        has(0x534d, 256, ACTIVE); // sm3-256
        has(0xb220, 256, ACTIVE); // blake2b-256
        has(0xb240, 512, ACTIVE); // blake2b-512
        has(0xb260, 256, ACTIVE); // blake2s-256
    }

    function test_CodesAreThoseOfTheTable() public view {
        uint32[] memory codes = book.algorithmCodes();
        vm.assertEq(codes.length, 15);
        uint32 last = 0;
        for (uint256 i = 0; i < codes.length; i++) {
            vm.assertGt(codes[i], last);
            last = codes[i];
            (uint16 bits, IAttestations.Status status) = book.algorithmOf(last);
            vm.assertGe(bits, 256);
            vm.assertEq(uint8(status), ACTIVE);
        }
    }

    function test_GovernorAddsAnAlgorithm() public {
        has(SHA2_224, 0, 0);
        vm.expectEmit(address(book));
        emit IAttestations.AlgorithmSet(SHA2_224, 224, ACTIVE);
        setAlgorithm(SHA2_224, 224, ACTIVE);
        has(SHA2_224, 224, ACTIVE);
        uint32[] memory codes = book.algorithmCodes();
        vm.assertEq(codes.length, 16);
        vm.assertEq(codes[15], SHA2_224);
    }

    function test_StatusChangesWithoutANewEntry() public {
        setAlgorithm(SHA2_256, 256, DEPRECATED);
        has(SHA2_256, 256, DEPRECATED);
        setAlgorithm(SHA2_256, 256, REVOKED);
        has(SHA2_256, 256, REVOKED);
        setAlgorithm(SHA2_256, 256, ACTIVE);
        has(SHA2_256, 256, ACTIVE);
        vm.assertEq(book.algorithmCodes().length, 15);
    }

    function test_AnAlgorithmIsReliedUponUntilADate() public {
        vm.assertEq(book.reliedUntil(SHA2_256), 0);
        vm.expectEmit(address(book));
        emit IAttestations.AlgorithmDated(SHA2_256, 2_000_000_000);
        vm.prank(GOVERNOR);
        book.setAlgorithm(SHA2_256, 256, ACTIVE, 2_000_000_000);
        vm.assertEq(book.reliedUntil(SHA2_256), 2_000_000_000);
        // The date refuses nothing by itself.
        vm.warp(2_000_000_001);
        attested(bytes32(uint256(1)));
        // The same date again is no news; none is.
        vm.recordLogs();
        vm.prank(GOVERNOR);
        book.setAlgorithm(SHA2_256, 256, DEPRECATED, 2_000_000_000);
        vm.assertEq(vm.getRecordedLogs().length, 1);
        vm.expectEmit(address(book));
        emit IAttestations.AlgorithmDated(SHA2_256, 0);
        setAlgorithm(SHA2_256, 256, DEPRECATED);
        vm.assertEq(book.reliedUntil(SHA2_256), 0);
    }

    function test_RefusesAnybodyButTheGovernor() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsNotGovernor.selector, GOVERNOR, ISSUER)
        );
        vm.prank(ISSUER);
        book.setAlgorithm(SHA2_256, 256, REVOKED, 0);
    }

    function test_RefusesIdentityWhichIsTheDataItself() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsAlgorithmReserved.selector, uint32(0))
        );
        setAlgorithm(0, 256, ACTIVE);
    }

    function test_RefusesBitsOutOfRange() public {
        refusesBits(0);
        refusesBits(216);
        refusesBits(225);
        refusesBits(520);
        refusesBits(65535);
    }

    function test_RefusesAnotherLengthOfAKnownAlgorithm() public {
        refusesOtherBits(SHA2_256, 256, 512);
        setAlgorithm(SHA2_224, 224, ACTIVE);
        refusesOtherBits(SHA2_224, 224, 256);
    }

    function test_RefusesAStatusThatIsNone() public {
        refusesStatusValue(0);
        refusesStatusValue(4);
        refusesStatusValue(255);
    }

    function test_TableIsBounded() public {
        uint256 max = book.ALGORITHMS_MAX();
        for (uint32 i = 1; book.algorithmCodes().length < max; i++) {
            setAlgorithm(0x300000 + i, 256, ACTIVE);
        }
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsTooManyAlgorithms.selector, max)
        );
        setAlgorithm(SHA2_224, 224, ACTIVE);
        // Known ones can still change.
        setAlgorithm(0x300001, 256, REVOKED);
        setAlgorithm(SHA2_256, 256, REVOKED);
        vm.assertEq(book.algorithmCodes().length, max);
    }

    function test_ACodeTakesTheWordsThatReadersExpect() public {
        refusesWords(0x300000, 512);
        refusesWords(0xb221, 256);
        // 264 bits are two words, and 0xb221 is a code of two words.
        setAlgorithm(0xb221, 264, ACTIVE);
        has(0xb221, 264, ACTIVE);
        uint32[] memory codes = book.algorithmCodes();
        for (uint256 i = 0; i < codes.length; i++) {
            (uint16 bits,) = book.algorithmOf(codes[i]);
            vm.assertEq(bits > 256 ? 1 : 0, Algorithms.takesTwoWords(codes[i]) ? 1 : 0);
        }
    }

    function refusesWords(uint32 algorithm, uint16 bits) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsWordsFixed.selector, algorithm, bits)
        );
        setAlgorithm(algorithm, bits, ACTIVE);
    }

    function testFuzz_OnlyListedCodesAreKnown(uint32 code) public view {
        uint32[] memory codes = book.algorithmCodes();
        bool listed = false;
        for (uint256 i = 0; i < codes.length; i++) {
            listed = listed || codes[i] == code;
        }
        (uint16 bits, IAttestations.Status status) = book.algorithmOf(code);
        vm.assertEq(bits != 0 ? 1 : 0, listed ? 1 : 0);
        vm.assertEq(uint8(status), listed ? ACTIVE : 0);
    }

    function has(uint32 algorithm, uint16 bits, uint8 status) private view {
        (uint16 gotBits, IAttestations.Status gotStatus) = book.algorithmOf(algorithm);
        vm.assertEq(gotBits, bits);
        vm.assertEq(uint8(gotStatus), status);
    }

    function refusesBits(uint16 bits) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsBitsOutOfRange.selector, 224, 512, bits
            )
        );
        setAlgorithm(SHA2_224, bits, ACTIVE);
    }

    function refusesOtherBits(uint32 algorithm, uint16 bits, uint16 got) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsBitsFixed.selector, algorithm, bits, got
            )
        );
        setAlgorithm(algorithm, got, ACTIVE);
    }

    function refusesStatusValue(uint8 status) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsStatusOutOfRange.selector, 3, status)
        );
        setAlgorithm(SHA2_256, 256, status);
    }
}
