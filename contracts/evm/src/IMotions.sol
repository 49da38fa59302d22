// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOrganisations} from "./IOrganisations.sol";

/// @title Motions and ballots: how organisations decide, one organisation one vote.
/// @notice Numbered from 1. A motion is a kind and the arguments of the call that it asks for
/// (table in SPEC §13.6). What cannot be carried out is refused when it is proposed.
interface IMotions {
    enum Kind {
        None,
        AddOrganisation,
        SuspendOrganisation,
        RemoveOrganisation,
        ReinstateOrganisation,
        AmendOrganisation,
        AddValidator,
        RemoveValidator,
        ReinstateValidator,
        SetRule,
        SetQuota,
        SetOrganisationPermissions,
        SetPublicPermissions,
        SetPeriod,
        SetAccount,
        SetAlgorithm,
        SetChain,
        ScheduleUpgrade,
        Resolve,
        CancelUpgrade
    }

    /// @notice `Open` until the deadline or until it passes; `Passed` until the delay is over;
    /// then `Executable` for its window; the others are final.
    enum Status {
        None,
        Open,
        Passed,
        Executable,
        Executed,
        Rejected,
        Withdrawn,
        Expired
    }

    /// @notice What an organisation says. `AbstainForConflict` takes it out of the base.
    enum Choice {
        None,
        Yes,
        No,
        Abstain,
        AbstainForConflict
    }

    /// @notice How motions of a kind are decided. With `base` organisations that may vote, a
    /// motion passes as soon as yes * thresholdDenominator > base * thresholdNumerator and
    /// (yes + no + abstentions) * quorumDenominator >= base * quorumNumerator.
    /// @param votingPeriod Seconds from the motion to its deadline.
    /// @param delay Seconds from passing to the first execution.
    /// @param window Seconds in which it can be executed.
    struct Rule {
        uint16 quorumNumerator;
        uint16 quorumDenominator;
        uint16 thresholdNumerator;
        uint16 thresholdDenominator;
        uint32 votingPeriod;
        uint32 delay;
        uint32 window;
    }

    /// @notice A motion. Times in seconds.
    /// @param kind A `Kind`.
    /// @param status A `Status`, of now.
    /// @param organisation Who proposed it, by `account`.
    /// @param subject The organisation that it is about and that must abstain; 0 if none.
    /// @param base Of how many organisations parts are counted: the members of the time of the
    /// motion, suspended ones too.
    /// @param passedAt 0 if it has not passed.
    /// @param position Who became active after this position of `electorate` may not vote.
    /// @param reason Of its withdrawal.
    /// @param endHeight Height at which it was executed or withdrawn.
    /// @param rule In force when it was proposed.
    struct Motion {
        uint8 kind;
        uint8 status;
        uint32 organisation;
        uint32 subject;
        address account;
        uint64 proposedAt;
        uint64 deadline;
        uint64 passedAt;
        uint64 position;
        uint32 base;
        uint32 yes;
        uint32 no;
        uint32 abstained;
        uint32 conflicted;
        uint16 reason;
        uint64 height;
        uint64 endHeight;
        Rule rule;
        bytes arguments;
    }

    struct Ballot {
        uint32 organisation;
        uint8 choice;
        address account;
        uint64 time;
    }

    /// @notice Arguments of `AddOrganisation`: the organisation, what it may do, and its first
    /// account, which gets all of its permissions.
    struct Admission {
        IOrganisations.Details details;
        uint32 permissions;
        uint64 gas;
        uint64 leaves;
        address account;
    }

    /// @notice The last organisation with a vote or validators that was suspended by less than a
    /// removal needs, and when; 0 if there is none.
    struct Emergency {
        uint32 organisation;
        uint64 time;
    }

    event MotionProposed(
        uint32 indexed motion,
        uint8 indexed kind,
        uint32 indexed organisation,
        address account,
        uint32 subject,
        uint64 deadline,
        bytes arguments
    );
    event VoteCast(
        uint32 indexed motion, uint32 indexed organisation, address account, uint8 choice
    );
    event MotionPassed(uint32 indexed motion, uint64 from, uint64 until);
    event MotionExecuted(uint32 indexed motion, uint8 indexed kind, address account);
    event MotionWithdrawn(uint32 indexed motion, uint16 reason, address account);
    event RuleSet(uint8 indexed kind, Rule rule);
    event Resolved(bytes32 indexed textHash);

    /// @notice Remedy: a number from 1 to `motionCount`.
    error MotionsUnknown(uint32 motion);
    /// @notice Remedy: a `Kind` from 1 to `max`.
    error MotionsKindOutOfRange(uint8 max, uint8 got);
    /// @notice Bytes of the arguments. Remedy: encode them canonically.
    error MotionsArgumentsLength(uint256 expected, uint256 got);
    /// @notice Not the canonical encoding of the arguments.
    error MotionsArgumentsNotCanonical();
    /// @notice The status does not allow this.
    error MotionsStatus(uint32 motion, Status status);
    /// @notice The organisation has no vote, or became active after the motion.
    error MotionsNoVote(uint32 organisation);
    /// @notice The organisation voted; a vote is final.
    error MotionsAlreadyVoted(uint32 motion, uint32 organisation);
    /// @notice The motion is about this organisation, which may only abstain for conflict.
    error MotionsConflict(uint32 organisation);
    /// @notice Remedy: a `Choice` from 1 to `max`.
    error MotionsChoiceOutOfRange(uint8 max, uint8 got);
    /// @notice Only the organisation that proposed it.
    error MotionsNotProposer(uint32 organisation, uint32 got);
    /// @notice `organisation` was suspended by the rule for suspensions, and is so still or was it
    /// less than a window ago (`until`, in seconds). Remedy: propose this one again: it then
    /// needs what a removal needs.
    error MotionsSuspensionAfterAnother(uint32 organisation, uint256 until);
    /// @notice The organisation has as many motions that are not over. Remedy: withdraw an open
    /// one, or execute one that passed.
    error MotionsTooManyOpen(uint256 max);
    /// @notice No organisation would be left to vote.
    error MotionsNobodyMayVote();
    /// @notice The quorum must be above 0 and at most 1.
    error MotionsQuorumOutOfRange(uint16 numerator, uint16 denominator);
    /// @notice The threshold must be at least 1/2 and below 1: more than that must agree.
    error MotionsThresholdOutOfRange(uint16 numerator, uint16 denominator);
    /// @notice Seconds of a voting period, delay or window.
    error MotionsTimeOutOfRange(uint256 min, uint256 max, uint256 got);
    /// @notice Remedy: a hash that is not zero.
    error MotionsNoHash();
    /// @notice One rule for each kind, in their order.
    error MotionsRuleCount(uint256 expected, uint256 got);
    /// @notice How a rehearsal ends that found nothing wrong. Never seen outside.
    error MotionsRehearsed();

    /// @notice The rules of the founding, from kind 1 on.
    function foundRules(Rule[] calldata rules) external;

    /// @notice By an account that may vote, of an active organisation. The motion is carried out
    /// and undone at once: what would fail now is refused with the error of the call.
    function propose(uint8 kind, bytes calldata arguments) external returns (uint32);

    /// @notice By an account that may vote: its organisation's vote, once and for all.
    function vote(uint32 motion, uint8 choice) external;

    /// @notice By an account that may vote of the organisation that proposed it, while it is
    /// open: one that passed is a decision of all.
    function withdraw(uint32 motion, uint16 reason) external;

    /// @notice By anybody, in the window of a motion that passed. If the call fails, this fails
    /// with its error and the motion stays executable until its window ends.
    function execute(uint32 motion) external;

    function motionCount() external view returns (uint32);
    function motionOf(uint32 motion) external view returns (Motion memory);
    function statusOf(uint32 motion) external view returns (Status);

    /// @notice Motions by number, `count` (at most 100) from `from` (the first is 1).
    function motions(uint256 from, uint256 count) external view returns (Motion[] memory);

    /// @notice The vote of an organisation; choice 0 if it did not vote.
    function ballotOf(uint32 motion, uint32 organisation) external view returns (Ballot memory);

    /// @notice Votes in the order in which they were cast, `count` (at most 100) from position
    /// `from` (0 is the first).
    function ballots(uint32 motion, uint256 from, uint256 count)
        external
        view
        returns (Ballot[] memory);

    /// @notice The rule for new motions of a kind.
    function ruleOf(uint8 kind) external view returns (Rule memory);

    /// @notice The suspension after which another needs what a removal needs.
    function emergency() external view returns (uint32 organisation, uint64 time);
}
