// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "../src/Attestations.sol";
import {Base} from "./Base.sol";

/// @notice What is placed in the genesis state is what was tested.
contract GenesisTest is Base {
    function test_ArtifactIsTheTestedCode() public view {
        bytes memory placed =
            vm.parseJsonBytes(vm.readFile("artifacts/Attestations.json"), ".deployedBytecode");
        vm.assertEq(placed, type(Attestations).runtimeCode);
        vm.assertEq(placed, address(book).code);
        vm.assertGt(placed.length, 0);
        // EIP-170.
        vm.assertLe(placed.length, 24576);
    }

    function test_DeploymentGivesTheSameCode() public {
        // No immutable is filled in, so that a deployed copy is no other program.
        vm.assertEq(address(new Attestations()).code, address(book).code);
    }

    function test_WorksWithoutStorage() public {
        vm.prank(ISSUER);
        bytes32 id = book.attest(book.FILE_SCHEMA(), SHA2_256, one(keccak256("a file")));
        vm.assertEq(book.attestedAt(id), NOW);
    }

    function test_ConstantsAreThoseOfTheSpecification() public view {
        vm.assertEq(book.GOVERNOR(), GOVERNOR);
        vm.assertEq(book.FILE_SCHEMA(), keccak256("tbsi:file:v1"));
        vm.assertEq(book.SALTED_FILE_SCHEMA(), keccak256("tbsi:salted-file:v1"));
        vm.assertEq(book.ATTESTATION_TAG(), keccak256("TBSI attestation v1"));
        vm.assertEq(book.SCHEMA_TAG(), keccak256("TBSI schema v1"));
        vm.assertEq(book.BATCH_WORDS_MAX(), 13_000);
        vm.assertEq(book.PARTIES_MAX(), 64);
        vm.assertEq(book.REASON_MAX(), 8);
        vm.assertEq(book.ALGORITHMS_MAX(), 64);
        vm.assertEq(book.DIGEST_BITS_MIN(), 224);
        vm.assertEq(book.DIGEST_BITS_MAX(), 512);
    }
}
