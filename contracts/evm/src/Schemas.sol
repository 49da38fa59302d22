// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "./IAttestations.sol";

/// @title Schemas: what a digest commits to.
/// @dev The built-in ones are code, so that they exist from genesis; no event announces them.
library Schemas {
    /// Owner of the built-in schemas: the governance contract's address.
    address internal constant GOVERNOR = 0x0000000000000000000000000000000000001000;
    /// First word of a schema id's preimage.
    bytes32 internal constant TAG = keccak256("TBSI schema v1");
    bytes32 internal constant FILE = keccak256("tbsi:file:v1");
    bytes32 internal constant SALTED_FILE = keccak256("tbsi:salted-file:v1");
    /// SHA-256 of schemas/file-v1.txt.
    bytes32 internal constant FILE_TEXT =
        0xf91883b794fec492a9d57827fcb9db1755165bf59f3ad42bb752253b86e693bb;
    /// SHA-256 of schemas/salted-file-v1.txt.
    bytes32 internal constant SALTED_FILE_TEXT =
        0xd62c32a337700bc44d8205e65d7b884a4d623363557544b391be5ea04635add2;

    /// @notice Registers a schema of the caller and returns its id.
    function register(
        mapping(bytes32 schema => IAttestations.Schema) storage schemas,
        bytes32 textHash,
        uint8 commitsTo,
        bool revocable
    ) internal returns (bytes32 schema) {
        uint8 commitsToMax = uint8(type(IAttestations.CommitsTo).max);
        if (textHash == 0) revert IAttestations.AttestationsNoTextHash();
        if (commitsTo == 0 || commitsTo > commitsToMax) {
            revert IAttestations.AttestationsCommitsToOutOfRange(commitsToMax, commitsTo);
        }
        schema = keccak256(abi.encode(TAG, msg.sender, textHash, commitsTo, revocable));
        if (schemas[schema].commitsTo != IAttestations.CommitsTo.Nothing) {
            revert IAttestations.AttestationsSchemaExists(schema);
        }
        schemas[schema] = IAttestations.Schema(
            msg.sender, IAttestations.CommitsTo(commitsTo), revocable, textHash
        );
        emit IAttestations.SchemaRegistered(schema, msg.sender, textHash, commitsTo, revocable);
    }

    /// @notice A schema by id; `commitsTo` is `Nothing` if there is none.
    function get(mapping(bytes32 schema => IAttestations.Schema) storage schemas, bytes32 schema)
        internal
        view
        returns (IAttestations.Schema memory)
    {
        if (schema == FILE) {
            return
                IAttestations.Schema(GOVERNOR, IAttestations.CommitsTo.FileBytes, true, FILE_TEXT);
        }
        if (schema == SALTED_FILE) {
            return IAttestations.Schema(
                GOVERNOR, IAttestations.CommitsTo.SaltedFileBytes, true, SALTED_FILE_TEXT
            );
        }
        return schemas[schema];
    }
}
