// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Checkpoints} from "./Checkpoints.sol";
import {ClientState} from "./ClientState.sol";
import {Council} from "./Council.sol";
import {ILightClient} from "./ILightClient.sol";
import {Proofs} from "./Proofs.sol";
import {Recovery} from "./Recovery.sol";
import {Relayers} from "./Relayers.sol";
import {SetStore} from "./SetStore.sol";

/// @title Light client of a TBSI chain (SPEC §14). Immutable: no proxy, no owner, no upgrade.
/// Whoever needs another one deploys it and points applications to its address.
contract LightClient is Proofs, Relayers, Recovery, Multicall {
    using SetStore for SetStore.Set;

    /// @notice How long a pause lasts, in seconds.
    uint256 public constant PAUSE = 72 hours;
    /// @notice How long after the end of a pause its scope cannot be paused again, in seconds.
    uint256 public constant PAUSE_INTERVAL = 30 days;
    /// @notice A trust period is longer than a pause by at least so many seconds, so that there is
    /// time for a checkpoint after the pause.
    uint256 public constant PAUSE_MARGIN = 24 hours;

    /// @notice Who may pause; the zero address if nobody.
    address public immutable GUARDIAN;

    uint256 private _messagesPausedUntil;

    /// @notice What the client begins with.
    struct Trust {
        uint64 chainId;
        bytes32 genesisHash;
        /// A checkpoint that the deployer trusts, 192 bytes: block 0's or a later one, not older
        /// than the trust period.
        bytes checkpoint;
        /// The set that the checkpoint names as the next one.
        bytes validatorSet;
        /// In seconds: above the grace, so that anybody can bring a checkpoint before the client
        /// expires; with a guardian, at least a pause and `PAUSE_MARGIN`, or one guardian's pause
        /// would expire it.
        uint256 trustPeriod;
    }

    /// @notice Who may do what, beside the validators. All but the delay may be empty.
    struct Policy {
        address guardian;
        address[] council;
        uint256 councilThreshold;
        address[] coldKeys;
        uint256 coldThreshold;
        /// In seconds.
        uint256 recoveryDelay;
        Relayer[] relayers;
        /// In seconds.
        uint256 grace;
        bool strict;
    }

    constructor(Trust memory trust, Policy memory policy)
        ClientState(trust.chainId, trust.genesisHash, trust.trustPeriod)
        Council(policy.council, policy.councilThreshold, policy.coldKeys, policy.coldThreshold)
        Relayers(policy.relayers, policy.grace, policy.strict)
        Recovery(policy.recoveryDelay)
    {
        GUARDIAN = policy.guardian;
        uint256 least = policy.grace + 1;
        uint256 pause_ = policy.guardian == address(0) ? 0 : PAUSE + PAUSE_MARGIN;
        _requireWithin(
            "trustPeriod", least > pause_ ? least : pause_, TRUST_PERIOD_MAX, trust.trustPeriod
        );
        Head memory head;
        _install(head, trust.checkpoint, trust.validatorSet);
    }

    // Checkpoints

    /// @inheritdoc ILightClient
    function update(bytes calldata decision) external returns (bool) {
        Head memory head = _live();
        Decision memory decided;
        (decided.checkpoint, decided.digest) = _open(decision);
        bytes32 accepted = _digestAt(head, decided.checkpoint.height);
        if (accepted == decided.digest) return false;
        if (head.phase == Phase.Closing) revert LightClientHandoverNeeded(head.height);
        _certify(_currentSet(head), decision, decided);
        if (accepted != 0) {
            revert LightClientConflict(decided.checkpoint.height, accepted, decided.digest);
        }
        _requireAhead(head, decided.checkpoint);
        _accept(head, decided);
        return true;
    }

    /// @inheritdoc ILightClient
    function handover(bytes calldata last, bytes calldata validatorSet, bytes calldata first)
        external
        returns (bool)
    {
        Head memory head = _live();
        Decision memory opening;
        (opening.checkpoint, opening.digest) = _open(first);
        Checkpoints.Checkpoint memory checkpoint = opening.checkpoint;
        if (_digestAt(head, checkpoint.height) == opening.digest) return false;
        bytes32 hash = SetStore.hashOf(validatorSet);
        head = _close(head, last, hash);
        if (checkpoint.height != uint256(head.height) + 1) {
            revert LightClientNotAHandover(head.height, checkpoint.height);
        }
        _requireAhead(head, checkpoint);
        _storeSet(head, validatorSet, hash, checkpoint.height, checkpoint.timeMs);
        _certify(_currentSet(head), first, opening);
        _accept(head, opening);
        return true;
    }

    /// @inheritdoc ILightClient
    function freeze(uint32 setIdA, bytes calldata a, uint32 setIdB, bytes calldata b) external {
        Head memory head = _head;
        if (head.phase == Phase.Frozen) revert LightClientFrozen();
        SetStore.Set memory setA = _believable(head, setIdA);
        SetStore.Set memory setB = _believable(head, setIdB);
        Decision memory first = _verify(setA, a);
        Decision memory second = _verify(setB, b);
        // Culprits are named in the later checkpoint's set.
        if (first.checkpoint.height > second.checkpoint.height) {
            (first, second, setA, setB) = (second, first, setB, setA);
        }
        // Or the evidence that a recovery has answered would freeze the client again.
        if (first.checkpoint.height <= _start.height) {
            revert LightClientBeforeStart(_start.height, first.checkpoint.height);
        }
        if (!_conflict(first, second)) revert LightClientNoConflict();
        _head.phase = Phase.Frozen;
        _name(
            setA.hash == setB.hash ? first.signers & second.signers : second.signers,
            setB,
            first,
            second
        );
    }

    /// @inheritdoc ILightClient
    function verifyDecision(bytes calldata decision)
        external
        view
        returns (bytes32 digest, uint256 power)
    {
        Decision memory decided = _verify(_currentSet(_head), decision);
        return (decided.digest, decided.power);
    }

    /// @inheritdoc ILightClient
    function isCertified(bytes calldata decision) external view returns (bool) {
        // What matters is whether it reverts.
        // slither-disable-next-line unused-return
        try this.verifyDecision(decision) returns (bytes32, uint256) {
            return true;
        } catch {
            return false;
        }
    }

    // Pauses

    /// @inheritdoc ILightClient
    function pause(Scope scope) external {
        _requireGuardian();
        uint256 before = pausedUntil(scope);
        if (before != 0 && block.timestamp < before + PAUSE_INTERVAL) {
            revert LightClientPausedLately(scope, before + PAUSE_INTERVAL);
        }
        _setPause(scope, block.timestamp + PAUSE);
    }

    /// @inheritdoc ILightClient
    function unpause(Scope scope) external {
        _requireGuardian();
        if (block.timestamp < pausedUntil(scope)) _setPause(scope, block.timestamp);
    }

    /// @inheritdoc ILightClient
    function pausedUntil(Scope scope) public view returns (uint64) {
        if (scope == Scope.Updates) return _head.updatesPausedUntil;
        if (scope == Scope.Proofs) return _head.proofsPausedUntil;
        return SafeCast.toUint64(_messagesPausedUntil);
    }

    function _setPause(Scope scope, uint256 until) private {
        uint32 seconds_ = SafeCast.toUint32(until);
        if (scope == Scope.Updates) _head.updatesPausedUntil = seconds_;
        else if (scope == Scope.Proofs) _head.proofsPausedUntil = seconds_;
        else _messagesPausedUntil = seconds_;
        emit Paused(scope, seconds_);
    }

    function _requireGuardian() private view {
        if (msg.sender != GUARDIAN) revert LightClientNotGuardian(GUARDIAN, msg.sender);
    }

    // Helpers

    /// The head, if the client takes checkpoints now.
    function _live() private view returns (Head memory head) {
        head = _head;
        if (head.phase == Phase.Frozen) revert LightClientFrozen();
        uint256 untilMs = _untilMs(head.timeMs);
        if (_nowMs() > untilMs) revert LightClientExpired(untilMs);
        if (block.timestamp < head.updatesPausedUntil) {
            revert LightClientPaused(Scope.Updates, head.updatesPausedUntil);
        }
    }

    /// The head after the last decision of the current set, which names the set with this hash.
    function _close(Head memory head, bytes calldata last, bytes32 next)
        private
        view
        returns (Head memory)
    {
        Decision memory closing = _verify(_currentSet(head), last);
        Checkpoints.Checkpoint memory checkpoint = closing.checkpoint;
        if (checkpoint.nextValidatorSetHash == checkpoint.validatorSetHash) {
            revert LightClientNotAHandover(checkpoint.height, 0);
        }
        if (checkpoint.nextValidatorSetHash != next) {
            revert LightClientValidatorSet(checkpoint.nextValidatorSetHash, next);
        }
        if (closing.digest == _digestAt(head, head.height)) return head;
        if (head.phase == Phase.Closing) revert LightClientHandoverNeeded(head.height);
        _requireAhead(head, checkpoint);
        return _moved(head, checkpoint);
    }

    function _accept(Head memory head, Decision memory decided) private {
        _admit(decided.checkpoint.height, decided.checkpoint.timeMs);
        _advance(head, decided.checkpoint, decided.digest, decided.signers);
    }

    /// A set whose signatures still prove something: the current one while it is trusted, an
    /// earlier one for the trust period after it was replaced.
    function _believable(Head memory head, uint32 setId)
        private
        view
        returns (SetStore.Set memory set)
    {
        set = _loadSet(setId);
        if (setId < _start.setId) revert LightClientSetTooOld(setId, 0);
        uint256 sinceMs = setId == head.setId ? head.timeMs : _loadSet(setId + 1).sinceMs;
        uint256 untilMs = _untilMs(sinceMs);
        if (_nowMs() > untilMs) revert LightClientSetTooOld(setId, untilMs);
    }

    /// `a` is not the later one.
    function _conflict(Decision memory a, Decision memory b) private pure returns (bool) {
        (Checkpoints.Checkpoint memory x, Checkpoints.Checkpoint memory y) =
            (a.checkpoint, b.checkpoint);
        if (x.height == y.height) return a.digest != b.digest;
        return y.timeMs <= x.timeMs || y.logSize < x.logSize
            || (y.logSize == x.logSize && y.logRoot != x.logRoot);
    }

    /// Says who is to blame.
    function _name(uint128 culprits, SetStore.Set memory set, Decision memory a, Decision memory b)
        private
    {
        uint256 count = 0;
        for (uint256 bits = culprits; bits != 0; bits &= bits - 1) {
            count++;
        }
        address[] memory addresses = new address[](count);
        uint256 next = 0;
        for (uint256 i = 0; next < count; i++) {
            // Power does not matter here.
            // slither-disable-next-line unused-return
            if ((culprits >> i) & 1 == 1) (addresses[next++],) = set.member(i);
        }
        emit MisbehaviourProven(
            set.hash,
            a.checkpoint.height,
            b.checkpoint.height,
            a.digest,
            b.digest,
            a.round,
            b.round,
            culprits,
            addresses
        );
    }
}
