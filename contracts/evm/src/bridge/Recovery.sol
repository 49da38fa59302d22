// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClientState} from "./ClientState.sol";
import {Council} from "./Council.sol";
import {Checkpoints} from "./Checkpoints.sol";

/// @title Recovery of a client that froze or expired: cold keys, council and a delay together
/// name a checkpoint to begin with again.
/// @dev What is not checked, because nothing here could: that the named checkpoint is the chain's.
/// Take it from two sources that do not know each other. What was accepted before the recovery
/// proves nothing afterwards; what was recorded from it is forgotten.
abstract contract Recovery is ClientState, Council {
    /// @notice Shortest delay between proposal and recovery, in seconds.
    uint256 public constant RECOVERY_DELAY_MIN = 1 days;
    /// @notice Longest delay, in seconds.
    uint256 public constant RECOVERY_DELAY_MAX = 90 days;
    /// @notice A proposal that was not carried out for so many seconds after the delay is void.
    uint256 public constant RECOVERY_WINDOW = 14 days;

    /// @notice Delay between proposal and recovery, in seconds.
    uint256 public immutable RECOVERY_DELAY;

    bytes32 private constant _RECOVERY =
        keccak256("Recovery(bytes32 checkpoint,bytes32 validatorSet,uint256 nonce)");
    bytes32 private constant _CANCEL =
        keccak256("CancelRecovery(bytes32 checkpoint,uint256 nonce)");

    /// @notice Digest of the checkpoint that a recovery is pending for, or 0.
    bytes32 public pendingRecovery;
    /// @notice When it may be carried out, in seconds.
    uint256 public recoveryReadyAt;

    /// @notice Cold keys and council want to begin again with this checkpoint.
    event RecoveryProposed(bytes32 indexed checkpoint, bytes32 validatorSetHash, uint256 readyAt);
    /// @notice The council called it off.
    event RecoveryCancelled(bytes32 indexed checkpoint);
    /// @notice The client began again. `recoveries` counts how often it did.
    event Recovered(bytes32 indexed checkpoint, uint16 recoveries);

    /// @notice The client is neither frozen nor expired.
    error RecoveryNotNeeded(Status status);
    /// @notice No recovery with this checkpoint is pending.
    error RecoveryNotPending(bytes32 pending, bytes32 given);
    /// @notice Before the end of the delay, or after the window.
    error RecoveryNotNow(uint256 from, uint256 to);

    constructor(uint256 delay) {
        _requireWithin("recoveryDelay", RECOVERY_DELAY_MIN, RECOVERY_DELAY_MAX, delay);
        RECOVERY_DELAY = delay;
    }

    /// @notice Proposes to begin again with a checkpoint and the set that it names as the next.
    /// Cold keys and council sign `Recovery(bytes32 checkpoint,bytes32 validatorSet,uint256
    /// nonce)`: its digest, that set's hash and `councilNonce`. Replaces a pending proposal.
    function proposeRecovery(
        bytes calldata checkpoint,
        bytes calldata coldSignatures,
        bytes calldata councilSignatures
    ) external {
        _requireBroken();
        (Checkpoints.Checkpoint memory trusted, bytes32 digest) = _read(checkpoint);
        bytes32 set = trusted.nextValidatorSetHash;
        bytes32 hash = keccak256(abi.encode(_RECOVERY, digest, set, councilNonce++));
        _requireSigned(Body.Cold, hash, coldSignatures);
        _requireSigned(Body.Council, hash, councilSignatures);
        pendingRecovery = digest;
        recoveryReadyAt = block.timestamp + RECOVERY_DELAY;
        emit RecoveryProposed(digest, set, recoveryReadyAt);
    }

    /// @notice Calls a proposal off; signed by the council alone:
    /// `CancelRecovery(bytes32 checkpoint,uint256 nonce)`.
    function cancelRecovery(bytes calldata councilSignatures) external {
        bytes32 digest = pendingRecovery;
        if (digest == 0) revert RecoveryNotPending(0, 0);
        bytes32 hash = keccak256(abi.encode(_CANCEL, digest, councilNonce++));
        _requireSigned(Body.Council, hash, councilSignatures);
        delete pendingRecovery;
        emit RecoveryCancelled(digest);
    }

    /// @notice Begins again, after the delay. Anybody may call.
    function recover(bytes calldata checkpoint, bytes calldata validatorSet) external {
        _requireBroken();
        bytes32 digest = Checkpoints.digest(GENESIS_HASH, checkpoint);
        bytes32 pending = pendingRecovery;
        if (pending == 0 || digest != pending) revert RecoveryNotPending(pending, digest);
        (uint256 from, uint256 to) = (recoveryReadyAt, recoveryReadyAt + RECOVERY_WINDOW);
        if (block.timestamp < from || block.timestamp > to) revert RecoveryNotNow(from, to);
        delete pendingRecovery;
        Head memory head = _head;
        head.recoveries++;
        _install(head, checkpoint, validatorSet);
        emit Recovered(digest, head.recoveries);
    }

    function _requireBroken() private view {
        Status now_ = status();
        if (now_ != Status.Frozen && now_ != Status.Expired) revert RecoveryNotNeeded(now_);
    }
}
