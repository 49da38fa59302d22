// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";
import {Words} from "./Words.sol";

/// @title Checkpoints (SPEC §3.6) and what validators sign of them (SPEC §3.5).
library Checkpoints {
    /// @notice Bytes of a checkpoint.
    uint256 internal constant LENGTH = 192;

    /// @notice A checkpoint's fields, as in SPEC §3.6. Times are in milliseconds.
    struct Checkpoint {
        uint64 chainId;
        uint64 height;
        uint64 timeMs;
        bytes32 blockHash;
        bytes32 stateRoot;
        uint64 logSize;
        bytes32 logRoot;
        bytes32 validatorSetHash;
        bytes32 nextValidatorSetHash;
    }

    /// @notice The bytes are not one checkpoint.
    error CheckpointLength(uint256 expected, uint256 given);

    /// @notice Reads the 192 bytes. Any are a checkpoint: what they say is checked elsewhere.
    function decode(bytes memory data) internal pure returns (Checkpoint memory checkpoint) {
        if (data.length != LENGTH) revert CheckpointLength(LENGTH, data.length);
        checkpoint.chainId = Words.u64(data, 0);
        checkpoint.height = Words.u64(data, 8);
        checkpoint.timeMs = Words.u64(data, 16);
        checkpoint.blockHash = bytes32(Words.load(data, 24));
        checkpoint.stateRoot = bytes32(Words.load(data, 56));
        checkpoint.logSize = Words.u64(data, 88);
        checkpoint.logRoot = bytes32(Words.load(data, 96));
        checkpoint.validatorSetHash = bytes32(Words.load(data, 128));
        checkpoint.nextValidatorSetHash = bytes32(Words.load(data, 160));
    }

    /// @notice The 32 bytes that identify a checkpoint of the chain with this genesis hash.
    function digest(bytes32 genesisHash, bytes memory data) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-CHECKPOINT-1", genesisHash, data));
    }

    /// @notice What a precommit for this checkpoint signs (SPEC §3.5). Neither prevotes nor nil
    /// votes nor proposals have this preimage.
    function precommit(
        uint64 chainId,
        bytes32 genesisHash,
        uint64 height,
        uint32 round,
        bytes32 checkpointDigest
    ) internal view returns (bytes32) {
        return Sha256.hash(
            abi.encodePacked(
                "TBSI-VOTE-1",
                chainId,
                genesisHash,
                uint8(2),
                height,
                round,
                uint8(1),
                checkpointDigest
            )
        );
    }
}
