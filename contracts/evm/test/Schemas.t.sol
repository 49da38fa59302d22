// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice Registered and built-in schemas.
contract SchemasTest is Base {
    bytes32 private constant TEXT = keccak256("a text");

    function test_BuiltInSchemasCommitToTheirTexts() public view {
        IAttestations.Schema memory file = book.schemaOf(book.FILE_SCHEMA());
        vm.assertEq(file.owner, GOVERNOR);
        vm.assertEq(uint8(file.commitsTo), uint8(IAttestations.CommitsTo.FileBytes));
        vm.assertTrue(file.revocable);
        vm.assertEq(file.textHash, sha256(bytes(vm.readFile("schemas/file-v1.txt"))));
        IAttestations.Schema memory salted = book.schemaOf(book.SALTED_FILE_SCHEMA());
        vm.assertEq(salted.owner, GOVERNOR);
        vm.assertEq(uint8(salted.commitsTo), uint8(IAttestations.CommitsTo.SaltedFileBytes));
        vm.assertTrue(salted.revocable);
        vm.assertEq(salted.textHash, sha256(bytes(vm.readFile("schemas/salted-file-v1.txt"))));
    }

    function test_RegistersASchemaAndAttestsUnderIt() public {
        bytes32 tag = keccak256("TBSI schema v1");
        bytes32 expected = keccak256(abi.encode(tag, ISSUER, TEXT, uint8(5), false));
        vm.expectEmit(address(book));
        emit IAttestations.SchemaRegistered(expected, ISSUER, TEXT, 5, false);
        vm.prank(ISSUER);
        bytes32 schema = book.registerSchema(TEXT, 5, false);
        vm.assertEq(schema, expected);
        IAttestations.Schema memory stored = book.schemaOf(schema);
        vm.assertEq(stored.owner, ISSUER);
        vm.assertEq(uint8(stored.commitsTo), 5);
        vm.assertFalse(stored.revocable);
        vm.assertEq(stored.textHash, TEXT);
        // Anybody may attest under it.
        vm.prank(STRANGER);
        book.attest(schema, SHA2_256, one(TEXT));
    }

    function test_UnknownSchemaCommitsToNothing() public view {
        IAttestations.Schema memory schema = book.schemaOf(TEXT);
        vm.assertEq(uint8(schema.commitsTo), 0);
        vm.assertEq(schema.owner, address(0));
    }

    function test_RefusesTheSameSchemaOfTheSameOwner() public {
        vm.prank(ISSUER);
        bytes32 schema = book.registerSchema(TEXT, 1, true);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsSchemaExists.selector, schema)
        );
        vm.prank(ISSUER);
        book.registerSchema(TEXT, 1, true);
        // Another owner's is another schema.
        vm.prank(STRANGER);
        vm.assertNotEq(book.registerSchema(TEXT, 1, true), schema);
    }

    function test_RefusesASchemaWithoutText() public {
        vm.expectRevert(abi.encodeWithSelector(IAttestations.AttestationsNoTextHash.selector));
        book.registerSchema(0, 1, true);
    }

    function test_RefusesWhatNothingCommitsTo() public {
        refusesCommitsTo(0);
        refusesCommitsTo(6);
        refusesCommitsTo(255);
    }

    function testFuzz_IdBindsAllFields(bytes32 text, uint8 commitsTo, bool revocable, address owner)
        public
    {
        vm.assume(text != 0);
        commitsTo = uint8(clamp(commitsTo, 1, 5));
        vm.prank(owner);
        bytes32 schema = book.registerSchema(text, commitsTo, revocable);
        IAttestations.Schema memory stored = book.schemaOf(schema);
        bytes32 tag = book.SCHEMA_TAG();
        vm.assertEq(
            schema,
            keccak256(
                abi.encode(
                    tag, stored.owner, stored.textHash, uint8(stored.commitsTo), stored.revocable
                )
            )
        );
        vm.assertEq(stored.owner, owner);
    }

    function refusesCommitsTo(uint8 commitsTo) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsCommitsToOutOfRange.selector, uint8(5), commitsTo
            )
        );
        book.registerSchema(TEXT, commitsTo, true);
    }
}
