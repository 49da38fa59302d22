//! When transactions arrive: fixed before a run starts, whatever the chain then does.

use std::ops::Range;
use std::time::Duration;

/// Arrival times of one run, and which of them count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Microseconds after the start of the run, ascending.
    pub arrivals_us: Vec<u64>,
    /// What is measured: the rest warms up and cools down.
    pub window_us: Range<u64>,
    /// Transactions per second; 0 for an idle chain.
    pub rate: u64,
}

impl Schedule {
    /// Evenly spaced arrivals of whole batches of `batch` transactions, at least 1: a batch
    /// does not wait for itself to fill. The first fifth of the time warms up, and the load goes
    /// on for a tenth after the window, so that the window ends at full load.
    pub fn steady(rate: u64, batch: usize, duration: Duration) -> Self {
        let duration_us = micros(duration);
        let batch = batch as u64;
        let count = rate.saturating_mul(duration_us) / 1_000_000;
        let arrival = |index: u64| index / batch * batch * 1_000_000 / rate;
        Self {
            arrivals_us: (0..count).map(arrival).collect(),
            window_us: duration_us / 5..duration_us / 10 * 9,
            rate,
        }
    }

    /// Single transactions 200 to 400 ms apart, the same ones for the same seed; all count.
    pub fn idle(count: usize, seed: u64) -> Self {
        let mut random = SplitMix(seed);
        let mut at = 0;
        let arrivals = std::iter::repeat_with(|| {
            at += 200_000 + random.next() % 200_001;
            at
        });
        Self {
            arrivals_us: arrivals.take(count).collect(),
            window_us: 0..u64::MAX,
            rate: 0,
        }
    }
}

/// Whole microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Steele, Lea and Flood's SplitMix64: enough to keep arrivals from beating in time with
/// blocks.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_arrivals_are_even_and_fill_the_time() {
        let schedule = Schedule::steady(300, 1, Duration::from_secs(10));
        assert_eq!(schedule.arrivals_us.len(), 3_000);
        assert_eq!(schedule.arrivals_us[..4], [0, 3_333, 6_666, 10_000]);
        assert_eq!(schedule.window_us, 2_000_000..9_000_000);
        assert!(schedule.arrivals_us.iter().all(|at| *at < 10_000_000));
        assert_eq!(
            Schedule::steady(0, 1, Duration::from_secs(1)).arrivals_us,
            [0; 0]
        );
    }

    #[test]
    fn batches_arrive_whole_at_the_same_rate() {
        let schedule = Schedule::steady(1_000, 100, Duration::from_secs(10));
        assert_eq!(schedule.arrivals_us.len(), 10_000);
        for (number, batch) in (0u64..).zip(schedule.arrivals_us.chunks(100)) {
            assert!(batch.iter().all(|at| *at == number * 100_000), "{batch:?}");
        }
    }

    #[test]
    fn idle_arrivals_repeat_for_a_seed_and_keep_their_distance() {
        let one = Schedule::idle(50, 1);
        assert_eq!(one, Schedule::idle(50, 1));
        assert_ne!(one, Schedule::idle(50, 2));
        let gaps = one.arrivals_us.windows(2).map(|pair| pair[1] - pair[0]);
        let gaps: Vec<_> = gaps.collect();
        assert!(gaps.iter().all(|gap| (200_000..=400_000).contains(gap)));
        assert!(gaps.iter().max() > gaps.iter().min());
    }

    #[test]
    fn random_numbers_are_splitmix() {
        // First outputs of the published generator for seed 1234567.
        let mut random = SplitMix(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
