//! Search for the rate at which a chain saturates.

use serde::Serialize;

/// Factor between neighbouring rates, as a fraction.
const FACTOR: (u64, u64) = (13, 10);
/// What a higher rate has to bring for the search to go on, per cent of the best below it.
const GAIN_PER_CENT_MIN: u64 = 105;
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

/// Multiplies the offered rate until the chain neither keeps up nor finalises more than at a
/// lower one; if it never kept up, divides until it does. What does not keep up gets a second
/// chance: on a shared machine, the first failure may be a neighbour's. And it is not yet the
/// end: a chain that makes larger blocks of a longer queue finalises more when it is offered
/// more, behind though it is.
#[derive(Clone, Debug)]
pub struct RateSearch {
    next: u64,
    steps: Vec<Step>,
    /// More load brings no more.
    turned: bool,
}

impl RateSearch {
    /// Starts at `rate` transactions per second, at least 1.
    pub fn new(rate: u64) -> Self {
        Self {
            next: rate.max(1),
            steps: Vec::new(),
            turned: false,
        }
    }

    /// The rate to offer next; `None` at the end.
    pub fn next_rate(&self) -> Option<u64> {
        let bottom = self.failed().min() == Some(1);
        let found = self.turned && (self.sustained() > 0 || bottom);
        let exhausted = self.steps.len() >= STEPS_MAX;
        (!found && !exhausted).then_some(self.next)
    }

    /// Notes what came of the rate that [`RateSearch::next_rate`] named.
    pub fn record(&mut self, step: Step) {
        let (up, down) = FACTOR;
        self.steps.push(step);
        let offered = step.offered;
        if !step.sustained() && !self.failed_twice(offered) {
            self.next = offered;
            return;
        }
        let here = self.best(|rate| rate == offered);
        let below = self.best(|rate| rate < offered);
        self.turned |= !step.sustained() && here * 100 <= below * GAIN_PER_CENT_MIN;
        let lowest = self.steps.iter().map(|step| step.offered).min();
        self.next = if self.turned || here == 0 {
            self.turned = true;
            (lowest.unwrap_or(1) * down / up).max(1)
        } else {
            (offered * up).div_ceil(down)
        };
    }

    /// Highest finalised rate at offered rates of this kind.
    fn best(&self, kind: impl Fn(u64) -> bool) -> u64 {
        let steps = self.steps.iter().filter(|step| kind(step.offered));
        steps.map(|step| step.finalised).max().unwrap_or(0)
    }

    /// Offered rates at which the chain never kept up.
    fn failed(&self) -> impl Iterator<Item = u64> {
        let offered = self.steps.iter().map(|step| step.offered);
        offered.filter(|rate| self.failed_twice(*rate))
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

    /// Lowest offered rate that was not sustained, at either try, and at which the chain
    /// finalised about as much as it ever did.
    pub fn saturating(&self) -> Option<u64> {
        let most = self.best(|_| true) * 100;
        let full = |rate: &u64| self.best(|it| it == *rate) * GAIN_PER_CENT_MIN >= most;
        self.failed().filter(full).min()
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
        record(2_197, 1_500);
        record(2_197, 1_560); // Hardly more.
        assert_eq!(search.next_rate(), None);
        assert_eq!(search.saturating(), Some(1_690));
        assert_eq!(search.sustained(), 1_300);
    }

    #[test]
    fn goes_on_while_a_longer_queue_helps() {
        let mut search = RateSearch::new(1_000);
        while let Some(offered) = search.next_rate() {
            // Late from 900 on, and yet it does more and more, up to 1,800.
            search.record(Step {
                offered,
                finalised: offered
                    .min(900 + offered.saturating_sub(900) / 2)
                    .min(1_800),
                p99_us: Some(1_000),
            });
        }
        let saturating = search.saturating().unwrap();
        assert!((2_600..4_000).contains(&saturating), "{:?}", search.steps());
        assert!((700..=1_000).contains(&search.sustained()));
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
