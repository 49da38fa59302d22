//! Search for the rate at which a chain saturates.

use serde::Serialize;

/// Factor between neighbouring rates, as a fraction.
const FACTOR: (u64, u64) = (13, 10);
/// Steps of one search: enough from 1/s to above a million.
pub const STEPS_MAX: usize = 80;
/// A rate is sustained if at least this part of it is finalised in time, per mille.
pub const FINALISED_PER_MILLE_MIN: u64 = 950;
/// … and 99 % of the transactions are finalised within this, microseconds.
pub const P99_US_MAX: u64 = 5_000_000;

/// What came of one offered rate; transactions per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Offered.
    pub offered: u64,
    /// Finalised.
    pub finalised: u64,
    /// 99th percentile of submit-to-final latency; `None` if nothing was finalised.
    pub p99_us: Option<u64>,
}

impl Step {
    /// Whether the chain kept up.
    pub fn sustained(&self) -> bool {
        let enough = self.finalised * 1_000 >= self.offered * FINALISED_PER_MILLE_MIN;
        enough && self.p99_us.is_some_and(|p99| p99 <= P99_US_MAX)
    }
}

/// Multiplies the offered rate until the chain no longer keeps up; if it does not keep up at
/// the start, divides until it does. Where it does not, it gets a second chance: on a shared
/// machine, the first failure may be a neighbour's.
#[derive(Clone, Debug)]
pub struct RateSearch {
    next: u64,
    steps: Vec<Step>,
}

impl RateSearch {
    /// Starts at `rate` transactions per second, at least 1.
    pub fn new(rate: u64) -> Self {
        Self {
            next: rate.max(1),
            steps: Vec::new(),
        }
    }

    /// The rate to offer next; `None` at the end.
    pub fn next_rate(&self) -> Option<u64> {
        let found = self.sustained() > 0 && self.saturating().is_some();
        let bottom = self.saturating() == Some(1);
        let exhausted = self.steps.len() >= STEPS_MAX;
        (!found && !bottom && !exhausted).then_some(self.next)
    }

    /// Notes what came of the rate that [`RateSearch::next_rate`] named.
    pub fn record(&mut self, step: Step) {
        let (up, down) = FACTOR;
        self.steps.push(step);
        self.next = if step.sustained() {
            (step.offered * up).div_ceil(down)
        } else if self.failed_twice(step.offered) {
            (step.offered * down / up).max(1)
        } else {
            step.offered
        };
    }

    /// Whether the chain failed at a rate as often as it was tried, and more than once.
    fn failed_twice(&self, offered: u64) -> bool {
        let mut tries = self.steps.iter().filter(|step| step.offered == offered);
        let failed = tries.clone().all(|step| !step.sustained());
        failed && tries.nth(1).is_some()
    }

    /// Every rate tried, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Highest finalised rate of a step that was sustained; 0 if none was.
    pub fn sustained(&self) -> u64 {
        let sustained = self.steps.iter().filter(|step| step.sustained());
        sustained.map(|step| step.finalised).max().unwrap_or(0)
    }

    /// Lowest offered rate that was not sustained, at either try.
    pub fn saturating(&self) -> Option<u64> {
        let offered = self.steps.iter().map(|step| step.offered);
        offered.filter(|rate| self.failed_twice(*rate)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a chain that finalises at most `capacity` per second.
    fn search(start: u64, capacity: u64) -> RateSearch {
        let mut search = RateSearch::new(start);
        while let Some(offered) = search.next_rate() {
            search.record(Step {
                offered,
                finalised: offered.min(capacity),
                p99_us: Some(1_000),
            });
        }
        search
    }

    #[test]
    fn brackets_the_capacity_from_below_and_from_above() {
        for capacity in [3, 40, 999, 1_000, 1_500, 7_000, 100_000] {
            for start in [1, 500, 1_000, 20_000] {
                let search = search(start, capacity);
                let (sustained, saturating) = (search.sustained(), search.saturating().unwrap());
                let steps = search.steps();
                assert!(sustained <= capacity, "{start} {capacity} {steps:?}");
                assert!(saturating > capacity, "{start} {capacity} {steps:?}");
                assert!(saturating <= sustained * 2, "{start} {capacity} {steps:?}");
            }
        }
    }

    #[test]
    fn one_failure_does_not_end_the_search() {
        let mut search = RateSearch::new(1_000);
        let mut record = |offered, finalised| {
            assert_eq!(search.next_rate(), Some(offered));
            search.record(Step {
                offered,
                finalised,
                p99_us: Some(1_000),
            });
        };
        record(1_000, 1_000);
        record(1_300, 200); // A neighbour.
        record(1_300, 1_300);
        record(1_690, 1_500);
        record(1_690, 1_550);
        assert_eq!(search.next_rate(), None);
        assert_eq!(search.saturating(), Some(1_690));
        assert_eq!(search.sustained(), 1_300);
    }

    #[test]
    fn ends_on_a_chain_that_does_nothing_or_everything() {
        let dead = search(500, 0);
        assert_eq!(dead.sustained(), 0);
        assert_eq!(dead.saturating(), Some(1));
        let endless = search(1, u64::MAX);
        assert_eq!(endless.steps().len(), STEPS_MAX);
        assert_eq!(endless.saturating(), None);
    }

    #[test]
    fn a_rate_is_sustained_if_finalised_and_in_time() {
        let check = |finalised, p99_us, expected| {
            let step = Step {
                offered: 1_000,
                finalised,
                p99_us,
            };
            assert_eq!(step.sustained(), expected, "{step:?}");
        };
        check(950, Some(P99_US_MAX), true);
        check(949, Some(1), false);
        check(1_000, Some(P99_US_MAX + 1), false);
        check(1_000, None, false);
    }
}
