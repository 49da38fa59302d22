//! Which times of day a new block may have (SPEC §6.10).

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Height, Round, TimestampMs};

use super::Host;
use crate::port::Chain;

/// How far `time` is ahead of `now`, in milliseconds; negative if it is behind.
pub(super) fn ahead_ms(time: TimestampMs, now: TimestampMs) -> i64 {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    signed(time.0).saturating_sub(signed(now.0))
}

/// Why a block that was received at `received` in `round` is not timely; `None` if it is.
///
/// How late it may be grows with the round as the timeouts do, so that a bound too small for
/// the network's delays slows the chain and does not stop it. How early it may be does not
/// need to: the proposer whose clock is slowest is early for nobody.
pub(super) fn untimely(
    parameters: &ConsensusParameters,
    round: Round,
    time: TimestampMs,
    received: TimestampMs,
) -> Option<String> {
    let ahead = parameters.clock_drift_max_ms;
    if time.0 > received.0.saturating_add(ahead) {
        let by = time.0 - received.0;
        return Some(format!(
            "its time is {by} ms ahead of this node's clock, at most {ahead} are allowed"
        ));
    }
    let growth = parameters.timeout_delta_ms.saturating_mul(round.0.into());
    let behind = parameters.clock_lag_max_ms().saturating_add(growth);
    if time.0.saturating_add(behind) < received.0 {
        let by = received.0 - time.0;
        return Some(format!(
            "its time is {by} ms behind this node's clock, at most {behind} are allowed in round \
             {round}"
        ));
    }
    None
}

impl<C: Chain> Host<C> {
    /// The time of day before which a height does not start: the network's beginning, and as
    /// long as the tip is so far ahead of the clock that no block on it could be timely.
    pub(super) fn earliest_start(&self, height: Height, proposed: bool) -> TimestampMs {
        let tip = self.chain.tip_time();
        if height == Height::GENESIS.next() && !proposed {
            return tip;
        }
        let drift = self.parameters.clock_drift_max_ms;
        TimestampMs(tip.next().0.saturating_sub(drift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_blocks_time_are_bounded() {
        let parameters = ConsensusParameters {
            clock_drift_max_ms: 500,
            clock_lag_max_ms: Some(2_000),
            timeout_delta_ms: 300,
            ..ConsensusParameters::default()
        };
        let now = TimestampMs(100_000);
        let judge = |round, time| untimely(&parameters, Round(round), TimestampMs(time), now);
        assert_eq!(judge(0, 100_000), None);
        assert_eq!(judge(0, 100_500), None);
        assert_eq!(
            judge(0, 100_501).unwrap(),
            "its time is 501 ms ahead of this node's clock, at most 500 are allowed"
        );
        assert!(judge(1_000, 100_501).is_some(), "early does not grow");
        assert_eq!(judge(0, 98_000), None);
        assert_eq!(
            judge(0, 97_999).unwrap(),
            "its time is 2001 ms behind this node's clock, at most 2000 are allowed in round 0"
        );
        assert_eq!(judge(1, 97_700), None, "late grows as the timeouts do");
        assert!(judge(1, 97_699).is_some());
        assert_eq!(judge(u32::MAX, 0), None);
    }
}
