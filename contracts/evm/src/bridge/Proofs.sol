// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoints} from "./Checkpoints.sol";
import {ClientState} from "./ClientState.sol";
import {ILightClient} from "./ILightClient.sol";
import {Leaves} from "./Leaves.sol";
import {MerkleLog} from "./MerkleLog.sol";

/// @title What a light client says of leaves.
abstract contract Proofs is ClientState {
    /// One bit a leaf index; the key is recoveries (upper bits) and index / 256.
    mapping(uint256 key => uint256 bits) private _recorded;

    /// @inheritdoc ILightClient
    function verifyLeaf(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external view returns (uint8) {
        bytes memory proven = leaf;
        Checkpoints.Checkpoint memory accepted = _prove(proven, index, checkpoint, path);
        Leaves.Head memory head = Leaves.decodeHead(proven);
        _requireFit(accepted, head.chainId, head.height, head.timeMs);
        return head.kind;
    }

    /// @inheritdoc ILightClient
    function verifyAttestation(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) public view returns (Leaves.Attestation memory attestation) {
        bytes memory proven = leaf;
        Checkpoints.Checkpoint memory accepted = _prove(proven, index, checkpoint, path);
        attestation = Leaves.decodeAttestation(proven);
        _requireFit(accepted, attestation.chainId, attestation.height, attestation.timeMs);
    }

    /// @inheritdoc ILightClient
    function verifyAttestations(
        bytes[] calldata leaves,
        uint64[] calldata indexes,
        bytes calldata checkpoint,
        bytes32[] calldata nodes
    ) public view returns (Leaves.Attestation[] memory attestations) {
        Checkpoints.Checkpoint memory accepted = acceptedCheckpoint(checkpoint);
        attestations = new Leaves.Attestation[](leaves.length);
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; i++) {
            bytes memory leaf = leaves[i];
            hashes[i] = MerkleLog.leafHash(leaf);
            Leaves.Attestation memory attestation = Leaves.decodeAttestation(leaf);
            _requireFit(accepted, attestation.chainId, attestation.height, attestation.timeMs);
            attestations[i] = attestation;
        }
        bytes32 root = MerkleLog.rootOfMany(hashes, indexes, accepted.logSize, nodes);
        if (root != accepted.logRoot) revert LightClientLogRoot(accepted.logRoot, root);
    }

    /// @inheritdoc ILightClient
    function record(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external returns (bool) {
        return _record(verifyAttestation(leaf, index, checkpoint, path), index);
    }

    /// @inheritdoc ILightClient
    function recordMany(
        bytes[] calldata leaves,
        uint64[] calldata indexes,
        bytes calldata checkpoint,
        bytes32[] calldata nodes
    ) external returns (uint256 fresh) {
        Leaves.Attestation[] memory attestations =
            verifyAttestations(leaves, indexes, checkpoint, nodes);
        for (uint256 i = 0; i < attestations.length; i++) {
            if (_record(attestations[i], indexes[i])) fresh++;
        }
    }

    /// @inheritdoc ILightClient
    function isRecorded(uint64 index) external view returns (bool) {
        return (_recorded[_wordOf(index)] >> (index & 0xff)) & 1 == 1;
    }

    function _record(Leaves.Attestation memory attestation, uint64 index) private returns (bool) {
        (uint256 word, uint256 bit) = (_wordOf(index), 1 << (index & 0xff));
        uint256 bits = _recorded[word];
        if (bits & bit != 0) return false;
        _recorded[word] = bits | bit;
        emit AttestationRecorded(
            attestation.id, attestation.issuer, attestation.schema, index, attestation.timeMs
        );
        return true;
    }

    /// @inheritdoc ILightClient
    function acceptedCheckpoint(bytes calldata data)
        public
        view
        returns (Checkpoints.Checkpoint memory checkpoint)
    {
        Head memory head = _head;
        if (head.phase == Phase.Frozen) revert LightClientFrozen();
        if (block.timestamp < head.proofsPausedUntil) {
            revert LightClientPaused(Scope.Proofs, head.proofsPausedUntil);
        }
        bytes32 digest;
        (checkpoint, digest) = _read(data);
        if (_digestAt(head, checkpoint.height) != digest) {
            revert LightClientUnknownCheckpoint(checkpoint.height, digest);
        }
    }

    /// The accepted checkpoint whose log has the leaf at this index.
    function _prove(
        bytes memory leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) private view returns (Checkpoints.Checkpoint memory accepted) {
        accepted = acceptedCheckpoint(checkpoint);
        bytes32 root = MerkleLog.root(MerkleLog.leafHash(leaf), index, accepted.logSize, path);
        if (root != accepted.logRoot) revert LightClientLogRoot(accepted.logRoot, root);
    }

    /// SPEC §10.4: the leaf's chain is the checkpoint's; its height and time are the checkpoint's,
    /// or both are lower.
    function _requireFit(
        Checkpoints.Checkpoint memory checkpoint,
        uint64 chainId,
        uint64 height,
        uint64 timeMs
    ) private pure {
        if (chainId != checkpoint.chainId) {
            revert LightClientChain(checkpoint.chainId, chainId);
        }
        bool same = height == checkpoint.height && timeMs == checkpoint.timeMs;
        bool lower = height < checkpoint.height && timeMs < checkpoint.timeMs;
        if (!same && !lower) revert LightClientLeafTime(height, timeMs);
    }

    function _wordOf(uint64 index) private view returns (uint256) {
        return (uint256(_head.recoveries) << 64) | (index >> 8);
    }
}
