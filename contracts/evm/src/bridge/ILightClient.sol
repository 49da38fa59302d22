// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoints} from "./Checkpoints.sol";
import {Leaves} from "./Leaves.sol";

/// @title Light client of a TBSI chain on another EVM chain (SPEC §14).
/// @notice Trusts more than two thirds of the validators' power, the trust period, and for
/// recovery alone the holders of cold keys and the council; no relayer and no owner.
///
/// Not checked, by any function:
/// - that a later leaf does not revoke, supersede or repeat a statement: read the issuer's log;
/// - that the issuer may speak for anybody, or that a schema means what its name says;
/// - that the state root or block hash of a checkpoint follows from its transactions;
/// - that the block time of this chain is right, beyond what its own validators allow.
///
/// A *decision* is `checkpoint 192 || round u32 || signers u128 || signatures 65 each`: SPEC
/// §14.2. A *validator set* is `count u16 || {address 20 || power u64 || operator 32}...`: the
/// bytes after the tag in SPEC §3.2.
interface ILightClient {
    /// @notice What the client does now. `Frozen` goes before `Expired`, that before `Paused`.
    enum Status {
        /// Takes checkpoints and verifies proofs.
        Active,
        /// A guardian has stopped checkpoints, proofs or both for a while: `pausedUntil`.
        Paused,
        /// The newest checkpoint is older than the trust period: takes no checkpoint any more.
        /// What was accepted before still proves leaves.
        Expired,
        /// A conflict was proven: takes nothing and proves nothing until it is recovered.
        Frozen
    }

    /// @notice What a guardian can pause.
    enum Scope {
        Updates,
        Proofs,
        Messages
    }

    /// @notice The newest checkpoint and the set that signs the next one.
    struct Latest {
        uint64 height;
        uint64 timeMs;
        uint64 logSize;
        bytes32 digest;
        uint32 setId;
        bytes32 validatorSetHash;
        /// The newest checkpoint names another next set: only a handover can follow.
        bool closing;
    }

    /// @notice A checkpoint was accepted. `signers` are positions in the set, lowest bit first.
    event CheckpointAccepted(uint64 indexed height, bytes32 digest, uint128 signers);
    /// @notice The validator set `setId` took over, with its first checkpoint at this height.
    event ValidatorSetHandedOver(
        uint32 indexed setId, bytes32 indexed validatorSetHash, uint64 height
    );
    /// @notice Two certificates that cannot both be honest. `culprits` are positions in the set
    /// with this hash: those who signed both or, if two sets signed, who signed the later
    /// checkpoint. Who signed both in one round has equivocated; in two rounds of one height some
    /// of them may have followed a faulty quorum of prevotes.
    event MisbehaviourProven(
        bytes32 indexed validatorSetHash,
        uint64 heightA,
        uint64 heightB,
        bytes32 digestA,
        bytes32 digestB,
        uint32 roundA,
        uint32 roundB,
        uint128 culprits,
        address[] addresses
    );
    /// @notice An attestation was proven here for the first time.
    event AttestationRecorded(
        bytes32 indexed id,
        address indexed issuer,
        bytes32 indexed schema,
        uint64 index,
        uint48 timeMs
    );
    /// @notice A guardian paused, or lifted its pause (`until` is then the time of the block).
    event Paused(Scope indexed scope, uint64 until);

    /// @notice The chain of this checkpoint is another.
    error LightClientChain(uint64 expected, uint64 given);
    /// @notice The decision is shorter than a checkpoint and a certificate without signatures.
    error LightClientDecisionLength(uint256 least, uint256 given);
    /// @notice The checkpoint is not of the set that signs now.
    error LightClientValidatorSet(bytes32 expected, bytes32 given);
    /// @notice Height or time is not above the newest checkpoint's, or the log is shorter.
    error LightClientNotAhead(uint64 height, uint64 timeMs, uint64 logSize);
    /// @notice Height, time or log size is 2^48 or above.
    error LightClientTooLarge(uint64 height, uint64 timeMs, uint64 logSize);
    /// @notice The checkpoint is further in the future than clocks may differ.
    error LightClientFuture(uint64 timeMs, uint256 latestMs);
    /// @notice Another checkpoint was accepted at this height: see `freeze`.
    error LightClientConflict(uint64 height, bytes32 accepted, bytes32 given);
    /// @notice The newest checkpoint names another next set: use `handover`.
    error LightClientHandoverNeeded(uint64 height);
    /// @notice The last checkpoint of a set names no other set, or the first one of the next set
    /// is not of the next height.
    error LightClientNotAHandover(uint64 last, uint64 first);
    /// @notice These two certificates do not contradict each other.
    error LightClientNoConflict();
    /// @notice Too late: whoever has the keys of that set is not to be believed any more. 0 if it
    /// is a set from before the last recovery.
    error LightClientSetTooOld(uint32 setId, uint256 untilMs);
    /// @notice Not above the height at which the client began, or began again.
    error LightClientBeforeStart(uint64 start, uint64 given);
    /// @notice There is no set with this number.
    error LightClientUnknownSet(uint32 setId);
    /// @notice Frozen after a proven conflict.
    error LightClientFrozen();
    /// @notice The trust period of the newest checkpoint is over.
    error LightClientExpired(uint256 untilMs);
    /// @notice Paused by a guardian.
    error LightClientPaused(Scope scope, uint64 until);
    /// @notice No such checkpoint was accepted here.
    error LightClientUnknownCheckpoint(uint64 height, bytes32 digest);
    /// @notice The proof leads to another root than the checkpoint's.
    error LightClientLogRoot(bytes32 expected, bytes32 given);
    /// @notice The leaf is of another height and time than its checkpoint allows (SPEC §10.4).
    error LightClientLeafTime(uint64 height, uint64 timeMs);
    /// @notice Not the guardian.
    error LightClientNotGuardian(address expected, address given);
    /// @notice The guardian has paused this scope lately.
    error LightClientPausedLately(Scope scope, uint256 again);
    /// @notice A parameter of the constructor is outside its limits.
    error LightClientParameter(string name, uint256 least, uint256 most, uint256 given);

    /// @notice Accepts a checkpoint of the current set. Heights may be left out.
    /// @return fresh False, without any other effect, if this very checkpoint is known.
    function update(bytes calldata decision) external returns (bool fresh);

    /// @notice Accepts the next validator set: `last` is a decision of the current set that names
    /// `validatorSet` as the next, `first` one of that set at the next height.
    /// @return fresh False, without any other effect, if `first` is known.
    function handover(bytes calldata last, bytes calldata validatorSet, bytes calldata first)
        external
        returns (bool fresh);

    /// @notice Freezes the client if the two decisions cannot both be honest: two checkpoints of
    /// one height; or, of different heights, a log that shrank or has another root at the same
    /// size, or a time that did not increase. Anybody may call, also while updates are paused.
    function freeze(uint32 setIdA, bytes calldata a, uint32 setIdB, bytes calldata b) external;

    /// @notice Whether a decision is validly signed by the current set. Never reverts, and looks
    /// at nothing else: neither height, time nor status.
    function isCertified(bytes calldata decision) external view returns (bool);

    /// @notice As `isCertified`, but reverts with the reason.
    /// @return digest The checkpoint's digest. @return power The signers' power.
    function verifyDecision(bytes calldata decision)
        external
        view
        returns (bytes32 digest, uint256 power);

    /// @notice Reads a checkpoint that was accepted here; reverts if it was not, or if proofs are
    /// paused or the client is frozen. Whoever proves something else under a checkpoint, such as
    /// state, begins with this.
    function acceptedCheckpoint(bytes calldata checkpoint)
        external
        view
        returns (Checkpoints.Checkpoint memory);

    /// @notice Reverts unless the leaf is in the log of an accepted checkpoint.
    /// @param leaf The leaf's bytes (SPEC §9.3), of any kind.
    /// @param index Its index in the log.
    /// @param checkpoint The 192 bytes of an accepted checkpoint.
    /// @param path RFC 9162 inclusion proof, from the leaf's sibling upwards.
    /// @return kind The leaf's kind.
    function verifyLeaf(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external view returns (uint8 kind);

    /// @notice As `verifyLeaf`, for an attestation; returns what it says.
    function verifyAttestation(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external view returns (Leaves.Attestation memory);

    /// @notice As `verifyAttestation`, for several leaves with one multiproof (SPEC §14.4).
    function verifyAttestations(
        bytes[] calldata leaves,
        uint64[] calldata indexes,
        bytes calldata checkpoint,
        bytes32[] calldata nodes
    ) external view returns (Leaves.Attestation[] memory);

    /// @notice As `verifyAttestation`, and keeps that it was proven.
    /// @return fresh False, without event, if that leaf was recorded before.
    function record(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external returns (bool fresh);

    /// @notice As `verifyAttestations`, and keeps that they were proven.
    /// @return fresh How many were not recorded before.
    function recordMany(
        bytes[] calldata leaves,
        uint64[] calldata indexes,
        bytes calldata checkpoint,
        bytes32[] calldata nodes
    ) external returns (uint256 fresh);

    /// @notice Whether the attestation at this index was recorded.
    function isRecorded(uint64 index) external view returns (bool);

    /// @notice Stops checkpoints, proofs or messages for 72 hours. The guardian alone, and again
    /// 30 days after the end of its last pause.
    function pause(Scope scope) external;

    /// @notice Ends a pause early. The guardian alone.
    function unpause(Scope scope) external;

    /// @notice Until when, in seconds, the scope is paused; in the past if it is not.
    function pausedUntil(Scope scope) external view returns (uint64);

    /// @notice What the client does now; answers always.
    function status() external view returns (Status);

    /// @notice The newest checkpoint; answers always.
    function latest() external view returns (Latest memory);

    /// @notice Until when, in milliseconds, the newest checkpoint is trusted.
    function trustedUntilMs() external view returns (uint256);

    /// @notice Digest of the checkpoint that was accepted at this height, or 0.
    function digestAt(uint64 height) external view returns (bytes32);

    /// @notice Hash, first height and time, and power of a set; set 1 is the constructor's.
    function validatorSetOf(uint32 setId)
        external
        view
        returns (bytes32 hash, uint64 sinceHeight, uint64 sinceMs, uint64 power);

    /// @notice The address and power at a position of a set.
    function validatorAt(uint32 setId, uint256 position)
        external
        view
        returns (address validator, uint64 power);
}
