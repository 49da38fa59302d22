// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

import {Acts} from "./Acts.sol";
import {IMotions} from "./IMotions.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {Rules} from "./Rules.sol";
import {System} from "./System.sol";

/// @title The governor at 0x0000000000000000000000000000000000001000: motions and ballots.
/// @dev Placed in the genesis state with the storage that the founding calls leave. Nothing but
/// a motion that passed makes it call another contract, and there is no other owner.
contract Motions is IMotions, Acts {
    /// @notice Motions of one organisation that are not over.
    uint256 public constant OPEN_MOTIONS_MAX = 16;
    /// @notice Bytes of the arguments of a motion.
    uint256 public constant ARGUMENTS_BYTES_MAX = 4096;

    uint32 private constant _VOTE = 32;
    uint8 private constant _CHOICE_MAX = uint8(type(Choice).max);

    mapping(uint32 motion => Motion) private _motions;
    mapping(uint32 motion => mapping(uint32 organisation => Ballot)) private _ballots;
    mapping(uint32 motion => uint32[]) private _voters;
    /// Motions of an organisation that may not be over. All zero at first; written where a place is
    /// taken.
    // slither-disable-next-line uninitialized-state
    mapping(uint32 organisation => uint32[16]) private _places;
    /// @inheritdoc IMotions
    uint32 public motionCount;

    /// @inheritdoc IMotions
    function propose(uint8 kind, bytes calldata arguments) external returns (uint32 motion) {
        uint32 organisation = _voter();
        if (arguments.length > ARGUMENTS_BYTES_MAX) {
            revert MotionsArgumentsLength(ARGUMENTS_BYTES_MAX, arguments.length);
        }
        _rehearse(kind, arguments);
        motion = ++motionCount;
        _takePlace(organisation, motion);
        Motion storage record = _motions[motion];
        (record.kind, record.status) = (kind, uint8(Status.Open));
        (record.organisation, record.account) = (organisation, msg.sender);
        record.subject = _subjectOf(kind, arguments);
        (record.base, record.position) =
            _electorateOf(record.subject, _isAgainstSubject(kind, arguments));
        record.proposedAt = uint64(block.timestamp);
        record.height = uint64(block.number);
        record.arguments = arguments;
        record.rule = _ruleFor(kind, arguments);
        record.deadline = uint64(block.timestamp + record.rule.votingPeriod);
        emit MotionProposed(
            motion, kind, organisation, msg.sender, record.subject, record.deadline, arguments
        );
    }

    /// @inheritdoc IMotions
    function vote(uint32 motion, uint8 choice) external {
        uint32 organisation = _voter();
        _requireStatus(motion, Status.Open);
        Motion storage record = _motions[motion];
        if (!_mayVote(organisation, record.position)) revert MotionsNoVote(organisation);
        if (choice == 0 || choice > _CHOICE_MAX) {
            revert MotionsChoiceOutOfRange(_CHOICE_MAX, choice);
        }
        bool conflict = choice == uint8(Choice.AbstainForConflict);
        if (organisation == record.subject && !conflict) revert MotionsConflict(organisation);
        Ballot storage ballot = _ballots[motion][organisation];
        if (ballot.choice != 0) revert MotionsAlreadyVoted(motion, organisation);
        (ballot.organisation, ballot.choice) = (organisation, choice);
        (ballot.account, ballot.time) = (msg.sender, uint64(block.timestamp));
        _voters[motion].push(organisation);
        emit VoteCast(motion, organisation, msg.sender, choice);
        _count(record, organisation, Choice(choice));
        if (!Rules.passes(record)) return;
        record.passedAt = uint64(block.timestamp);
        (uint64 from, uint64 until) = _window(record);
        emit MotionPassed(motion, from, until);
    }

    /// @inheritdoc IMotions
    function withdraw(uint32 motion, uint16 reason) external {
        uint32 organisation = _voter();
        System.requireReason(reason);
        _requireStatus(motion, Status.Open);
        Motion storage record = _motions[motion];
        if (organisation != record.organisation) {
            revert MotionsNotProposer(record.organisation, organisation);
        }
        (record.status, record.reason) = (uint8(Status.Withdrawn), reason);
        record.endHeight = uint64(block.number);
        emit MotionWithdrawn(motion, reason, msg.sender);
    }

    /// @inheritdoc IMotions
    function execute(uint32 motion) external {
        _requireStatus(motion, Status.Executable);
        Motion storage record = _motions[motion];
        record.status = uint8(Status.Executed);
        record.endHeight = uint64(block.number);
        if (record.kind == uint8(Kind.SuspendOrganisation)) {
            _beforeSuspension(record.subject, record.rule);
        }
        _perform(record.kind, record.arguments);
        emit MotionExecuted(motion, record.kind, msg.sender);
    }

    /// @notice Carries out a motion and undoes it. Only by this contract itself; reverts always,
    /// with `MotionsRehearsed` if nothing else was wrong.
    function rehearse(uint8 kind, bytes calldata arguments) external {
        System.requireCaller(address(this));
        _perform(kind, arguments);
        revert MotionsRehearsed();
    }

    // Views

    /// @inheritdoc IMotions
    function statusOf(uint32 motion) public view returns (Status) {
        Motion storage record = _motions[motion];
        if (record.status == 0) revert MotionsUnknown(motion);
        if (record.status != uint8(Status.Open)) return Status(record.status);
        if (record.passedAt == 0) {
            return block.timestamp <= record.deadline ? Status.Open : Status.Rejected;
        }
        (uint64 from, uint64 until) = _window(record);
        if (block.timestamp < from) return Status.Passed;
        return block.timestamp <= until ? Status.Executable : Status.Expired;
    }

    /// @inheritdoc IMotions
    function motionOf(uint32 motion) public view returns (Motion memory found) {
        Status status = statusOf(motion);
        found = _motions[motion];
        found.status = uint8(status);
    }

    /// @inheritdoc IMotions
    function motions(uint256 from, uint256 count) external view returns (Motion[] memory page) {
        page = new Motion[](System.pageLength(uint256(motionCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = motionOf(uint32(from + i));
        }
    }

    /// @inheritdoc IMotions
    function ballotOf(uint32 motion, uint32 organisation) public view returns (Ballot memory) {
        return _ballots[motion][organisation];
    }

    /// @inheritdoc IMotions
    function ballots(uint32 motion, uint256 from, uint256 count)
        external
        view
        returns (Ballot[] memory page)
    {
        uint32[] storage voters = _voters[motion];
        page = new Ballot[](System.pageLength(voters.length, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = ballotOf(motion, voters[from + i]);
        }
    }

    // Helpers

    /// Undoes what it does; returns only if the call would succeed now.
    function _rehearse(uint8 kind, bytes calldata arguments) private {
        try this.rehearse(kind, arguments) {
            assert(false);
        } catch (bytes memory reason) {
            if (bytes4(reason) != MotionsRehearsed.selector) LowLevelCall.bubbleRevert(reason);
        }
    }

    function _perform(uint8 kind, bytes memory arguments) private {
        (address target, bytes4 selector, uint256 words) = _callOf(kind);
        if (words != 0 && arguments.length != 32 * words) {
            revert MotionsArgumentsLength(32 * words, arguments.length);
        }
        // What a call returns, nobody asked for; failures are passed on.
        // slither-disable-next-line unused-return
        Address.functionCall(target, abi.encodePacked(selector, arguments));
    }

    /// The motion takes the place of one that is over.
    function _takePlace(uint32 organisation, uint32 motion) private {
        uint32[16] storage places = _places[organisation];
        for (uint256 i = 0; i < OPEN_MOTIONS_MAX; i++) {
            uint32 before = places[i];
            if (before != 0 && _isPending(statusOf(before))) continue;
            places[i] = motion;
            return;
        }
        revert MotionsTooManyOpen(OPEN_MOTIONS_MAX);
    }

    function _count(Motion storage record, uint32 organisation, Choice choice) private {
        if (choice == Choice.Yes) record.yes++;
        if (choice == Choice.No) record.no++;
        if (choice == Choice.Abstain) record.abstained++;
        if (choice != Choice.AbstainForConflict) return;
        record.conflicted++;
        // The subject is in the base of what is against it, whatever it says.
        if (organisation != record.subject) record.base--;
    }

    /// Organisation of the caller, who must be one of its voters.
    function _voter() private view returns (uint32) {
        return IPermissions(System.PERMISSIONS).requirePermission(msg.sender, _VOTE);
    }

    function _isPending(Status status) private pure returns (bool) {
        return status == Status.Open || status == Status.Passed || status == Status.Executable;
    }

    function _requireStatus(uint32 motion, Status expected) private view {
        Status status = statusOf(motion);
        if (status != expected) revert MotionsStatus(motion, status);
    }

    /// First and last second in which a motion that passed can be executed.
    function _window(Motion storage record) private view returns (uint64 from, uint64 until) {
        Rule memory rule = record.rule;
        from = record.passedAt + rule.delay;
        until = from + rule.window;
    }

    /// Active, with a vote, and so at the time of the motion: bit 16 and bits 64-127 of its word.
    function _mayVote(uint32 organisation, uint64 position) private view returns (bool) {
        uint256 word = IOrganisations(System.ORGANISATIONS).standing(organisation);
        bool active = uint8(word) == uint8(IOrganisations.Status.Active);
        return active && (word >> 16) & 1 == 1 && uint64(word >> 64) <= position;
    }

    /// All members, suspended ones too, so that no suspension makes a part of them a larger one.
    /// The subject of what is against it is one of them, for the same reason; not among three,
    /// where nothing could be decided against one of them.
    function _electorateOf(uint32 subject, bool isAgainst)
        private
        view
        returns (uint32 base, uint64 position)
    {
        // The second value is the number of those who are active.
        // slither-disable-next-line unused-return
        (base,, position) = IOrganisations(System.ORGANISATIONS).electorate();
        if (!(isAgainst && base > 3) && _isMember(subject)) base--;
        if (base == 0) revert MotionsNobodyMayVote();
    }

    /// Has a vote and has not left.
    function _isMember(uint32 organisation) private view returns (bool) {
        uint256 word = IOrganisations(System.ORGANISATIONS).standing(organisation);
        bool left = uint8(word) == uint8(IOrganisations.Status.Left);
        return (word >> 16) & 1 == 1 && !left;
    }
}
