// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "./Certificates.sol";
import {Checkpoints} from "./Checkpoints.sol";
import {ILightClient} from "./ILightClient.sol";
import {SetStore} from "./SetStore.sol";

/// @title What a light client keeps, and the checks that its parts share.
abstract contract ClientState is ILightClient {
    using SetStore for SetStore.Set;

    /// @notice Shortest trust period, in seconds.
    uint256 public constant TRUST_PERIOD_MIN = 1 hours;
    /// @notice Longest trust period, in seconds.
    uint256 public constant TRUST_PERIOD_MAX = 365 days;
    /// @notice A checkpoint may be so far ahead of this chain's block time, in milliseconds.
    uint256 public constant CLOCK_DRIFT_MAX_MS = 600_000;
    /// Bytes of a decision before its signatures.
    uint256 internal constant _DECISION_HEAD = 212;
    /// Bytes of a decision with one signature, the least that can be valid.
    uint256 private constant _DECISION_LEAST = 277;
    /// Heights, times and sizes stay below, as in leaves (SPEC §9.3).
    uint256 private constant _NUMBER_END = 1 << 48;

    /// @notice The chain whose checkpoints are accepted.
    uint64 public immutable SOURCE_CHAIN_ID;
    /// @notice Its genesis hash (SPEC §2.2).
    bytes32 public immutable GENESIS_HASH;
    /// @notice For how long a checkpoint is a base for the next one, in seconds.
    uint256 public immutable TRUST_PERIOD;

    /// What the newest checkpoint allows next.
    enum Phase {
        Open,
        /// It names another next set.
        Closing,
        Frozen
    }

    /// All that a checkpoint changes beside its digest, in one slot.
    struct Head {
        uint48 height;
        uint48 timeMs;
        uint48 logSize;
        uint24 setId;
        Phase phase;
        /// How often the client was recovered: what it accepted before counts no more.
        uint16 recoveries;
        /// In seconds. They end in the year 2106; a guardian cannot pause after it.
        uint32 updatesPausedUntil;
        uint32 proofsPausedUntil;
    }

    /// A decision with a valid certificate.
    struct Decision {
        Checkpoints.Checkpoint checkpoint;
        bytes32 digest;
        uint32 round;
        uint128 signers;
        uint256 power;
    }

    /// Where the client began, or began again: what is older is no evidence.
    struct Start {
        uint64 height;
        uint32 setId;
    }

    Head internal _head;
    Start internal _start;
    mapping(uint256 key => bytes32 digest) private _digests;

    constructor(uint64 sourceChainId, bytes32 genesisHash, uint256 trustPeriod) {
        _requireWithin("trustPeriod", TRUST_PERIOD_MIN, TRUST_PERIOD_MAX, trustPeriod);
        SOURCE_CHAIN_ID = sourceChainId;
        GENESIS_HASH = genesisHash;
        TRUST_PERIOD = trustPeriod;
    }

    // Views that answer always

    /// @inheritdoc ILightClient
    function status() public view returns (Status) {
        Head memory head = _head;
        if (head.phase == Phase.Frozen) return Status.Frozen;
        if (_nowMs() > _untilMs(head.timeMs)) return Status.Expired;
        bool updates = block.timestamp < head.updatesPausedUntil;
        bool proofs = block.timestamp < head.proofsPausedUntil;
        return updates || proofs ? Status.Paused : Status.Active;
    }

    /// @inheritdoc ILightClient
    function latest() external view returns (Latest memory) {
        Head memory head = _head;
        return Latest({
            height: head.height,
            timeMs: head.timeMs,
            logSize: head.logSize,
            digest: digestAt(head.height),
            setId: head.setId,
            validatorSetHash: _loadSet(head.setId).hash,
            closing: head.phase == Phase.Closing
        });
    }

    /// @inheritdoc ILightClient
    function trustedUntilMs() external view returns (uint256) {
        return _untilMs(_head.timeMs);
    }

    /// @inheritdoc ILightClient
    function digestAt(uint64 height) public view returns (bytes32) {
        return _digests[_key(_head.recoveries, height)];
    }

    /// @inheritdoc ILightClient
    function validatorSetOf(uint32 setId)
        external
        view
        returns (bytes32 hash, uint64 sinceHeight, uint64 sinceMs, uint64 power)
    {
        SetStore.Set memory set = _loadSet(setId);
        return (set.hash, set.sinceHeight, set.sinceMs, set.power);
    }

    /// @inheritdoc ILightClient
    function validatorAt(uint32 setId, uint256 position)
        external
        view
        returns (address validator, uint64 power)
    {
        SetStore.Set memory set = _loadSet(setId);
        if (position >= set.count()) return (address(0), 0);
        return set.member(position);
    }

    // What the parts share

    /// Reads a decision and checks its certificate by this set.
    function _verify(SetStore.Set memory set, bytes calldata data)
        internal
        view
        returns (Decision memory decision)
    {
        (decision.checkpoint, decision.digest) = _open(data);
        _certify(set, data, decision);
    }

    /// Checks the certificate of a decision whose checkpoint is read already.
    function _certify(SetStore.Set memory set, bytes calldata data, Decision memory decision)
        internal
        view
    {
        Checkpoints.Checkpoint memory checkpoint = decision.checkpoint;
        if (checkpoint.validatorSetHash != set.hash) {
            revert LightClientValidatorSet(set.hash, checkpoint.validatorSetHash);
        }
        uint256 certificate = uint256(bytes32(data[192:224]));
        uint128 signers = uint128(certificate >> 96);
        (decision.round, decision.signers) = (uint32(certificate >> 224), signers);
        bytes32 signed = Checkpoints.precommit(
            SOURCE_CHAIN_ID, GENESIS_HASH, checkpoint.height, decision.round, decision.digest
        );
        decision.power = Certificates.verify(set, signed, signers, data[_DECISION_HEAD:]);
    }

    /// Reads the checkpoint of a decision, which must be of the source chain.
    function _open(bytes calldata data)
        internal
        view
        returns (Checkpoints.Checkpoint memory checkpoint, bytes32 digest)
    {
        if (data.length < _DECISION_LEAST) {
            revert LightClientDecisionLength(_DECISION_LEAST, data.length);
        }
        return _read(data[:Checkpoints.LENGTH]);
    }

    /// Reads a checkpoint, which must be of the source chain.
    function _read(bytes memory data)
        internal
        view
        returns (Checkpoints.Checkpoint memory checkpoint, bytes32 digest)
    {
        checkpoint = Checkpoints.decode(data);
        if (checkpoint.chainId != SOURCE_CHAIN_ID) {
            revert LightClientChain(SOURCE_CHAIN_ID, checkpoint.chainId);
        }
        digest = Checkpoints.digest(GENESIS_HASH, data);
    }

    /// Refuses what is not later than the head in height and time, or would shorten the log.
    function _requireAhead(Head memory head, Checkpoints.Checkpoint memory checkpoint)
        internal
        view
    {
        (uint64 height, uint64 timeMs) = (checkpoint.height, checkpoint.timeMs);
        if (height <= head.height || timeMs <= head.timeMs || checkpoint.logSize < head.logSize) {
            revert LightClientNotAhead(height, timeMs, checkpoint.logSize);
        }
        _requireInRange(checkpoint);
    }

    /// Refuses numbers that leaves cannot have, and times far ahead of this chain's.
    function _requireInRange(Checkpoints.Checkpoint memory checkpoint) private view {
        (uint64 timeMs, uint256 latestMs) = (checkpoint.timeMs, _nowMs() + CLOCK_DRIFT_MAX_MS);
        if ((checkpoint.height | timeMs | checkpoint.logSize) >= _NUMBER_END) {
            revert LightClientTooLarge(checkpoint.height, timeMs, checkpoint.logSize);
        }
        if (timeMs > latestMs) revert LightClientFuture(timeMs, latestMs);
    }

    /// Writes the checkpoint as the newest one. The caller has checked it.
    function _advance(
        Head memory head,
        Checkpoints.Checkpoint memory checkpoint,
        bytes32 digest,
        uint128 signers
    ) internal {
        _head = _moved(head, checkpoint);
        _digests[_key(head.recoveries, checkpoint.height)] = digest;
        emit CheckpointAccepted(checkpoint.height, digest, signers);
    }

    /// The head with this checkpoint as the newest.
    function _moved(Head memory head, Checkpoints.Checkpoint memory checkpoint)
        internal
        pure
        returns (Head memory)
    {
        // `_requireInRange` bounds all three.
        head.height = uint48(checkpoint.height);
        head.timeMs = uint48(checkpoint.timeMs);
        head.logSize = uint48(checkpoint.logSize);
        bool closing = checkpoint.nextValidatorSetHash != checkpoint.validatorSetHash;
        head.phase = closing ? Phase.Closing : Phase.Open;
        return head;
    }

    /// Makes a checkpoint that somebody vouches for the newest one, and the set that it names as
    /// the next one the current set.
    function _install(Head memory head, bytes memory checkpoint, bytes memory set) internal {
        (Checkpoints.Checkpoint memory trusted, bytes32 digest) = _read(checkpoint);
        bytes32 hash = SetStore.hashOf(set);
        if (hash != trusted.nextValidatorSetHash) {
            revert LightClientValidatorSet(trusted.nextValidatorSetHash, hash);
        }
        if (_nowMs() > _untilMs(trusted.timeMs)) {
            revert LightClientExpired(_untilMs(trusted.timeMs));
        }
        _requireInRange(trusted);
        _storeSet(head, set, hash, trusted.height, trusted.timeMs);
        _start = Start(trusted.height, head.setId);
        // The next set signs next, so the checkpoint is not closing.
        trusted.validatorSetHash = hash;
        _advance(head, trusted, digest, 0);
    }

    /// Writes a set and makes it the current one of `head`.
    function _storeSet(
        Head memory head,
        bytes memory set,
        bytes32 hash,
        uint64 sinceHeight,
        uint64 sinceMs
    ) internal {
        head.setId++;
        address pointer = SetStore.store(set, hash, sinceHeight, sinceMs);
        // The address follows from the number, so that it need not be kept.
        if (pointer != _pointerOf(head.setId)) revert SetStore.ValidatorSetNotStored();
        emit ValidatorSetHandedOver(head.setId, hash, sinceHeight);
    }

    function _digestAt(Head memory head, uint64 height) internal view returns (bytes32) {
        return _digests[_key(head.recoveries, height)];
    }

    function _currentSet(Head memory head) internal view returns (SetStore.Set memory) {
        return SetStore.load(_pointerOf(head.setId));
    }

    function _loadSet(uint32 setId) internal view returns (SetStore.Set memory) {
        if (setId == 0 || setId > _head.setId) revert LightClientUnknownSet(setId);
        return SetStore.load(_pointerOf(setId));
    }

    /// Where the set with this number is: the contract creates nothing but sets, so the number is
    /// the nonce of the creation, and the address the hash of RLP([this, nonce]).
    function _pointerOf(uint32 nonce) internal view returns (address) {
        bytes memory rlp;
        // The comparisons bound each cast.
        if (nonce < 0x80) {
            rlp = abi.encodePacked(hex"d694", address(this), uint8(nonce));
        } else if (nonce <= 0xff) {
            rlp = abi.encodePacked(hex"d794", address(this), hex"81", uint8(nonce));
        } else if (nonce <= 0xffff) {
            rlp = abi.encodePacked(hex"d894", address(this), hex"82", uint16(nonce));
        } else {
            rlp = abi.encodePacked(hex"d994", address(this), hex"83", uint24(nonce));
        }
        return address(uint160(uint256(keccak256(rlp))));
    }

    function _nowMs() internal view returns (uint256) {
        return block.timestamp * 1000;
    }

    function _untilMs(uint256 timeMs) internal view returns (uint256) {
        return timeMs + TRUST_PERIOD * 1000;
    }

    function _key(uint16 recoveries, uint64 height) private pure returns (uint256) {
        return (uint256(recoveries) << 64) | height;
    }

    function _requireWithin(string memory name, uint256 least, uint256 most, uint256 given)
        internal
        pure
    {
        if (given < least || given > most) {
            revert LightClientParameter(name, least, most, given);
        }
    }
}
