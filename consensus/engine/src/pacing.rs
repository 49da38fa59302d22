//! When the next height starts (SPEC §6.5): at once when there is a reason, else after the
//! empty-block interval, so that an idle chain makes few blocks and no round times out.

use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;

/// Transactions that may come while a block is decided before blocks are spaced for more of them.
const RUSH_MIN: u128 = 128;

/// How much longer blocks are spaced for each transaction above that.
const SPACING_PER_TRANSACTION: Duration = Duration::from_millis(6);

/// From one start to the next at most, for their sake.
const SPACING_MAX: Duration = Duration::from_millis(500);

/// Blocks that a rush is averaged over.
const RUSH_BLOCKS: u128 = 4;

/// Why a height starts before its interval is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reasons {
    /// Transactions wait.
    pub(crate) work: bool,
    /// Others are above this height, or its proposer has sent its block.
    pub(crate) peers: bool,
}

/// Monotonic times of the running height.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pacing {
    parameters: ConsensusParameters,
    started: Duration,
    decided: Duration,
    /// Transactions that come while a block is decided, in thousandths, on average.
    rush: u128,
}

impl Pacing {
    pub(crate) fn new(parameters: ConsensusParameters, now: Duration) -> Self {
        Self {
            parameters,
            started: now,
            decided: now,
            rush: 0,
        }
    }

    /// Paces by these from now on.
    pub(crate) fn follow(&mut self, parameters: ConsensusParameters) {
        self.parameters = parameters;
    }

    pub(crate) fn height_started(&mut self, now: Duration) {
        self.started = now;
    }

    /// A block of so many transactions is stored.
    pub(crate) fn height_decided(&mut self, now: Duration, transactions: usize) {
        let since_last = now.saturating_sub(self.decided).as_micros().max(1);
        let busy = now.saturating_sub(self.started).as_micros().min(since_last);
        let came = 1_000 * transactions as u128 * busy / since_last;
        self.rush = (self.rush * (RUSH_BLOCKS - 1) + came) / RUSH_BLOCKS;
        self.decided = now;
    }

    /// From one start to the next at least. What a block costs, however little is in it, is taken
    /// from those who take transactions; in a rush, fewer and larger blocks are better for all.
    fn spacing(&self) -> Duration {
        let ms = Duration::from_millis;
        let above = (self.rush / 1_000).saturating_sub(RUSH_MIN);
        let more = SPACING_PER_TRANSACTION.saturating_mul(u32::try_from(above).unwrap_or(u32::MAX));
        // Well before those who wait for a proposal give up.
        let most = SPACING_MAX.min(ms(self.parameters.timeout_propose_ms) / 2);
        ms(self.parameters.block_spacing_min_ms).max(more.min(most))
    }

    /// When to start the next height. The next proposer moves first on an idle chain; the
    /// others follow its proposal, and start by themselves only when it does not come.
    pub(crate) fn start_at(&self, reasons: Reasons, proposes: bool) -> Duration {
        let ms = Duration::from_millis;
        let spaced = self.started + self.spacing();
        if reasons.peers {
            return self.decided;
        }
        if reasons.work {
            return spaced;
        }
        let idle = self.decided + ms(self.parameters.empty_block_interval_ms);
        if proposes {
            idle
        } else {
            idle + ms(self.parameters.timeout_propose_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_for_a_reason_or_after_the_interval() {
        let ms = Duration::from_millis;
        let now = ms(1_000);
        let mut pacing = Pacing::new(ConsensusParameters::default(), now);
        pacing.height_decided(now + ms(5), 1);
        let wait = |reasons, proposes| pacing.start_at(reasons, proposes) - now;
        let idle = Reasons::default();
        let work = Reasons {
            work: true,
            peers: false,
        };
        let behind = Reasons {
            work: true,
            peers: true,
        };
        assert_eq!(wait(work, false), ms(20), "spaced from the last start");
        assert_eq!(wait(behind, false), ms(5), "catching up never waits");
        assert_eq!(wait(idle, true), ms(10_005));
        assert_eq!(wait(idle, false), ms(11_005), "the proposer is first");
    }

    #[test]
    fn a_rush_spaces_blocks_until_it_is_over() {
        let ms = Duration::from_millis;
        let parameters = ConsensusParameters::default();
        let mut now = ms(1_000);
        let mut pacing = Pacing::new(parameters, now);
        let work = Reasons {
            work: true,
            peers: false,
        };
        // Blocks that take 40 ms, with so many transactions a millisecond.
        let mut paced = |per_ms: u32, blocks: u32| {
            let mut spacing = Duration::ZERO;
            for _ in 0..blocks {
                let last = now;
                now = pacing.start_at(work, true).max(now);
                pacing.height_started(now);
                now += ms(40);
                let came = (now - last).as_millis() * u128::from(per_ms);
                pacing.height_decided(now, usize::try_from(came).unwrap());
                spacing = pacing.spacing();
            }
            spacing
        };
        assert_eq!(paced(3, 20), ms(20), "120 come while a block is decided");
        assert_eq!(paced(8, 20), ms(500));
        assert_eq!(paced(1, 20), ms(20), "it is over");
        pacing.follow(ConsensusParameters {
            timeout_propose_ms: 300,
            ..parameters
        });
        pacing.rush = 1_000_000;
        assert_eq!(pacing.spacing(), ms(150), "well before others give up");
    }
}
