//! Figures from samples.

use serde::Serialize;

/// Nearest-rank percentile, `per_mille` in 1..=1000, of ascending samples; `None` of none.
pub fn percentile(ascending: &[u64], per_mille: usize) -> Option<u64> {
    let rank = (ascending.len() * per_mille).div_ceil(1_000);
    ascending.get(rank.checked_sub(1)?).copied()
}

/// The distribution of some durations, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Samples.
    pub count: u64,
    /// Half are at most this.
    pub p50_us: u64,
    /// 90 % are at most this.
    pub p90_us: u64,
    /// 99 % are at most this; with fewer than 100 samples, the largest.
    pub p99_us: u64,
    /// The largest.
    pub max_us: u64,
}

impl Distribution {
    /// `None` of no samples.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        Some(Self {
            count: samples.len() as u64,
            p50_us: percentile(&samples, 500)?,
            p90_us: percentile(&samples, 900)?,
            p99_us: percentile(&samples, 990)?,
            max_us: *samples.last()?,
        })
    }
}

/// The same figure from several runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Middle one; of an even number, the lower.
    pub median: u64,
    /// Smallest.
    pub min: u64,
    /// Largest.
    pub max: u64,
    /// All, in the order of the runs.
    pub runs: Vec<u64>,
}

impl Spread {
    /// `None` of no runs.
    pub fn of(runs: impl IntoIterator<Item = u64>) -> Option<Self> {
        let runs: Vec<u64> = runs.into_iter().collect();
        let mut ascending = runs.clone();
        ascending.sort_unstable();
        Some(Self {
            median: percentile(&ascending, 500)?,
            min: *ascending.first()?,
            max: *ascending.last()?,
            runs,
        })
    }
}

/// `a / b`, to three decimals; `None` for a divisor of 0.
#[expect(
    clippy::float_arithmetic,
    reason = "a figure for people; nodes never see it"
)]
pub fn ratio(a: u64, b: u64) -> Option<f64> {
    let thousandths = a.saturating_mul(1_000).checked_div(b)?;
    Some(thousandths as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        let check = |samples: &[u64], per_mille, expected| {
            assert_eq!(
                percentile(samples, per_mille),
                expected,
                "{per_mille} of {samples:?}"
            );
        };
        check(&hundred, 500, Some(50));
        check(&hundred, 990, Some(99));
        check(&hundred, 991, Some(100));
        check(&hundred, 1_000, Some(100));
        check(&hundred, 1, Some(1));
        check(&[7], 500, Some(7));
        check(&[1, 2], 500, Some(1));
        check(&[], 500, None);
    }

    #[test]
    fn distribution_does_not_depend_on_order() {
        let samples: Vec<u64> = (1..=1_000).rev().collect();
        let expected = Distribution {
            count: 1_000,
            p50_us: 500,
            p90_us: 900,
            p99_us: 990,
            max_us: 1_000,
        };
        assert_eq!(Distribution::of(samples), Some(expected));
        assert_eq!(Distribution::of(vec![]), None);
    }

    #[test]
    fn spread_keeps_the_runs() {
        let spread = Spread::of([30, 10, 20]).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (10, 20, 30));
        assert_eq!(spread.runs, [30, 10, 20]);
        assert_eq!(Spread::of([4, 2]).unwrap().median, 2);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_have_three_decimals() {
        assert_eq!(ratio(1, 3), Some(0.333));
        assert_eq!(ratio(4_000, 2_000), Some(2.0));
        assert_eq!(ratio(1, 0), None);
    }
}
