// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "./IMotions.sol";

/// @title When a motion passes.
library Rules {
    uint256 internal constant VOTING_PERIOD_MIN = 1 minutes;
    uint256 internal constant VOTING_PERIOD_MAX = 90 days;
    uint256 internal constant DELAY_MAX = 30 days;
    uint256 internal constant WINDOW_MIN = 1 minutes;
    uint256 internal constant WINDOW_MAX = 90 days;

    /// @notice Refuses rules under which nothing, or anything, could pass.
    function requireSound(IMotions.Rule memory rule) internal pure {
        if (rule.quorumNumerator == 0 || rule.quorumNumerator > rule.quorumDenominator) {
            revert IMotions.MotionsQuorumOutOfRange(rule.quorumNumerator, rule.quorumDenominator);
        }
        (uint256 part, uint256 whole) = (rule.thresholdNumerator, rule.thresholdDenominator);
        if (part >= whole || 2 * part < whole) {
            revert IMotions.MotionsThresholdOutOfRange(
                rule.thresholdNumerator, rule.thresholdDenominator
            );
        }
        requireTime(VOTING_PERIOD_MIN, VOTING_PERIOD_MAX, rule.votingPeriod);
        requireTime(0, DELAY_MAX, rule.delay);
        requireTime(WINDOW_MIN, WINDOW_MAX, rule.window);
    }

    /// @notice Whether a motion with these votes passes.
    function passes(IMotions.Motion storage motion) internal view returns (bool) {
        IMotions.Rule memory rule = motion.rule;
        (uint256 base, uint256 yes) = (motion.base, motion.yes);
        uint256 cast = yes + motion.no + motion.abstained;
        return yes * rule.thresholdDenominator > base * rule.thresholdNumerator
            && cast * rule.quorumDenominator >= base * rule.quorumNumerator;
    }

    /// @notice The higher quorum and threshold and the longer delay of two rules; the rest is
    /// that of the first.
    function stricter(IMotions.Rule memory one, IMotions.Rule memory other)
        internal
        pure
        returns (IMotions.Rule memory)
    {
        if (
            uint256(other.quorumNumerator) * one.quorumDenominator
                > uint256(one.quorumNumerator) * other.quorumDenominator
        ) {
            one.quorumNumerator = other.quorumNumerator;
            one.quorumDenominator = other.quorumDenominator;
        }
        if (
            uint256(other.thresholdNumerator) * one.thresholdDenominator
                > uint256(one.thresholdNumerator) * other.thresholdDenominator
        ) {
            one.thresholdNumerator = other.thresholdNumerator;
            one.thresholdDenominator = other.thresholdDenominator;
        }
        if (other.delay > one.delay) one.delay = other.delay;
        return one;
    }

    function requireTime(uint256 min, uint256 max, uint256 got) private pure {
        if (got < min || got > max) revert IMotions.MotionsTimeOutOfRange(min, max, got);
    }
}
