//! When the next height starts (SPEC §6.5): at once when there is a reason, else after the
//! empty-block interval, so that an idle chain makes few blocks and no round times out.

use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;

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
}

impl Pacing {
    pub(crate) fn new(parameters: ConsensusParameters, now: Duration) -> Self {
        Self {
            parameters,
            started: now,
            decided: now,
        }
    }

    /// Paces by these from now on.
    pub(crate) fn follow(&mut self, parameters: ConsensusParameters) {
        self.parameters = parameters;
    }

    pub(crate) fn height_started(&mut self, now: Duration) {
        self.started = now;
    }

    pub(crate) fn height_decided(&mut self, now: Duration) {
        self.decided = now;
    }

    /// When to start the next height. The next proposer moves first on an idle chain; the
    /// others follow its proposal, and start by themselves only when it does not come.
    pub(crate) fn start_at(&self, reasons: Reasons, proposes: bool) -> Duration {
        let ms = Duration::from_millis;
        let spaced = self.started + ms(self.parameters.block_spacing_min_ms);
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
        pacing.height_decided(now + ms(5));
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
}
