//! How often one address may ask.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::limits::{BURST, CLIENTS_MAX, REQUESTS_PER_S};

/// What addresses have left.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<IpAddr, Left>);

#[derive(Debug)]
struct Left {
    requests: u64,
    since: Instant,
}

/// Time in which one request comes back.
const STEP: Duration = Duration::from_millis(1000 / REQUESTS_PER_S);

impl Rates {
    /// Takes one request of an address; whether it had one.
    pub(super) fn take(&mut self, client: IpAddr, now: Instant) -> bool {
        if self.0.len() >= CLIENTS_MAX && !self.0.contains_key(&client) {
            self.forget(now);
        }
        let left = self.0.entry(client).or_insert(Left {
            requests: BURST,
            since: now,
        });
        let steps = now.saturating_duration_since(left.since).as_millis() / STEP.as_millis();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        left.requests = left.requests.saturating_add(steps.into()).min(BURST);
        left.since += STEP.saturating_mul(steps);
        if left.requests == 0 {
            return false;
        }
        left.requests -= 1;
        true
    }

    /// Forgets who has all again; everybody, if nobody has.
    fn forget(&mut self, now: Instant) {
        let whole = STEP * u32::try_from(BURST).expect("it is small");
        self.0
            .retain(|_, left| now.saturating_duration_since(left.since) < whole);
        if self.0.len() >= CLIENTS_MAX {
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_burst_and_then_a_rate() {
        let (one, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let start = Instant::now();
        let mut rates = Rates::default();
        let took = (0..BURST + 5).filter(|_| rates.take(one, start)).count();
        assert_eq!(took as u64, BURST);
        assert!(rates.take(other, start));
        assert!(rates.take(one, start + STEP));
        assert!(!rates.take(one, start + STEP));
        let later = start + Duration::from_secs(3600);
        let took = (0..BURST + 5).filter(|_| rates.take(one, later)).count();
        assert_eq!(took as u64, BURST);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_memory() {
        let start = Instant::now();
        let mut rates = Rates::default();
        for number in 0..u32::try_from(CLIENTS_MAX).unwrap() * 2 {
            assert!(rates.take(IpAddr::V4(number.into()), start));
            assert!(rates.0.len() <= CLIENTS_MAX);
        }
    }
}
