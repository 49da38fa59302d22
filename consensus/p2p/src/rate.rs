//! A bound on how often something may happen, without a queue: so many at once, and then so many
//! a second.

use std::time::Duration;

use tokio::time::Instant;

/// Counts what happened against what may.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Time that pays for one.
    each: Duration,
    /// How many may come at once.
    burst: u32,
    /// When everything taken so far is paid for.
    paid: Option<Instant>,
}

impl Rate {
    /// `burst` at once, and `per_second` of them anew each second. Both are at least one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            each: Duration::from_secs(1) / per_second.max(1),
            burst: burst.max(1),
            paid: None,
        }
    }

    /// Takes `count`, or none of them and returns `false` if they are too many now.
    pub fn take(&mut self, count: u32, now: Instant) -> bool {
        let owed = self.owed(now) + self.each * count;
        let taken = owed <= self.each * self.burst;
        if taken {
            self.paid = Some(now + owed);
        }
        taken
    }

    /// Whether nothing taken is still to be paid for: it is as good as new.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.owed(now).is_zero()
    }

    fn owed(&self, now: Instant) -> Duration {
        let owed = self.paid.map(|paid| paid.saturating_duration_since(now));
        owed.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let (mut rate, start) = (Rate::new(10, 3), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let taken = [0, 0, 0, 0, 99, 100, 100, 200].map(|ms| rate.take(1, at(ms)));
        assert_eq!(taken, [true, true, true, false, false, true, false, true]);
        assert!(!rate.is_idle(at(499)));
        assert!(rate.is_idle(at(500)));
        assert!(!rate.take(4, at(10_000)), "more than the burst, ever");
        assert!(rate.take(3, at(10_000)), "what was refused took nothing");
        assert!(!rate.take(1, at(10_000)));
    }
}
