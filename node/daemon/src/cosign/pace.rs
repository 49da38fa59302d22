//! When a validator cosigns. All choose the same logs without a word: cosignatures of
//! neighbouring sizes would never make a quorum.

use std::time::{Duration, Instant};

use tbsi_types::{TimestampMs, TreeSize};

use crate::limits::{COSIGN_INTERVAL_MS, COSIGN_SPACING_MIN};

/// What was cosigned, and what waits.
#[derive(Debug)]
pub(super) struct Pace {
    /// Of block time, milliseconds.
    interval_ms: u64,
    cosigned: TreeSize,
    at: Option<Instant>,
    idle_at: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::every(COSIGN_INTERVAL_MS)
    }
}

impl Pace {
    /// One cosignature in so many milliseconds of a log that grows all the time.
    pub(super) fn every(interval_ms: u64) -> Self {
        Self {
            interval_ms,
            cosigned: TreeSize::default(),
            at: None,
            idle_at: None,
        }
    }

    /// Whether the log is to be cosigned now because no block came.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.idle_at.is_some_and(|at| at <= now)
    }

    /// A node that starts cosigns the log that it has, unless it soon has another.
    pub(super) fn on_start(&mut self, size: TreeSize, now: Instant) {
        self.wait(size, now);
    }

    fn wait(&mut self, size: TreeSize, now: Instant) {
        let waits = size > self.cosigned;
        self.idle_at = waits.then(|| now + Duration::from_millis(self.interval_ms));
    }

    /// A block, with the times of its parent and its own. Whether its log is to be cosigned
    /// now: the first of each interval of block time is. The others wait for the chain to idle.
    pub(super) fn on_head(
        &mut self,
        size: TreeSize,
        (parent, own): (TimestampMs, TimestampMs),
        now: Instant,
    ) -> bool {
        self.wait(size, now);
        let interval = |time: TimestampMs| time.0 / self.interval_ms;
        let soon = |at: Instant| now.duration_since(at) < COSIGN_SPACING_MIN;
        size > self.cosigned && interval(own) > interval(parent) && !self.at.is_some_and(soon)
    }

    /// The log of this size was cosigned.
    pub(super) fn on_cosigned(&mut self, size: TreeSize, now: Instant) {
        self.cosigned = size;
        self.at = Some(now);
        self.idle_at = None;
    }

    /// When the log is cosigned if no block comes before.
    pub(super) fn idle_at(&self) -> Option<Instant> {
        self.idle_at
    }
}

/// So many a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    per_second: u32,
    left: u32,
    since: Option<Instant>,
}

impl Budget {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            left: 0,
            since: None,
        }
    }

    /// Takes one, if one is left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let spent = |since: Instant| now.duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(spent) {
            self.since = Some(now);
            self.left = self.per_second;
        }
        let takes = self.left > 0;
        self.left = self.left.saturating_sub(1);
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn cosigns_the_first_log_of_each_interval_and_the_last_of_all() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.on_start(TreeSize(0), start);
        assert_eq!(pace.idle_at(), None, "an empty log is not cosigned");
        let mut signed = Vec::new();
        // A block every 60 ms for six seconds: every log is larger than the one before.
        for block in 1..=100u64 {
            let (time, now) = (
                1_000 + 60 * block,
                start + 60 * u32::try_from(block).unwrap() * MS,
            );
            let times = (TimestampMs(time - 60), TimestampMs(time));
            if pace.on_head(TreeSize(block), times, now) {
                pace.on_cosigned(TreeSize(block), now);
                signed.push(time);
            }
        }
        assert_eq!(signed.len(), 30, "{signed:?}");
        assert!(signed.windows(2).all(|pair| pair[1] - pair[0] >= 180));
        // 7,000 ms began an interval, so nothing waits; the next one does not and waits.
        assert_eq!(pace.idle_at(), None);
        let now = start + 6_060 * MS;
        let times = (TimestampMs(7_000), TimestampMs(7_060));
        assert!(!pace.on_head(TreeSize(101), times, now));
        assert_eq!(pace.idle_at(), Some(now + 200 * MS));
    }

    #[test]
    fn an_empty_block_is_no_reason_and_catching_up_is_no_flood() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let times = |second: u64| {
            let time = 1_000 * second;
            (TimestampMs(time), TimestampMs(time + 1_000))
        };
        assert!(pace.on_head(TreeSize(5), times(1), now));
        pace.on_cosigned(TreeSize(5), now);
        assert!(!pace.on_head(TreeSize(5), times(2), now + 10_000 * MS));
        assert_eq!(pace.idle_at(), None);
        assert!(!pace.on_head(TreeSize(6), times(3), now + 99 * MS));
        assert_eq!(pace.idle_at(), Some(now + 299 * MS));
        assert!(pace.on_head(TreeSize(7), times(4), now + 100 * MS));
    }

    #[test]
    fn a_budget_is_per_second() {
        let (mut budget, now) = (Budget::new(2), Instant::now());
        let takes = [0, 1, 2, 999, 1_000].map(|at| budget.take(now + at * MS));
        assert_eq!(takes, [true, true, false, false, true]);
    }
}
