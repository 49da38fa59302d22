//! Filters that clients poll: which there are, and how far each was read. A plain value: whoever
//! calls says what time it is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use alloy_rpc_types_eth::Filter;
use tbsi_types::Height;
use tokio::sync::broadcast;

use crate::error::{Failure, internal, too_many_filters};
use crate::limits::{FILTER_IDLE_S_MAX, FILTERS_MAX, FILTERS_PER_ADDRESS_MAX};

/// What a filter lets through.
pub(crate) enum Polled {
    /// Hashes of blocks from this one on.
    Blocks(Height),
    /// Logs from this block on that match.
    Logs(Height, Box<Filter>),
    /// Transactions that the pool took, in full or their hashes. The queue is the pool's own, so
    /// a filter that nobody polls keeps nothing.
    Pending(broadcast::Receiver<B256>, bool),
}

struct Entry {
    /// Whose it is; nobody's if it came from this machine.
    owner: Option<IpAddr>,
    used: Instant,
    filter: Arc<Mutex<Polled>>,
}

/// All filters, by their ids.
#[derive(Default)]
pub(crate) struct Filters(Mutex<BTreeMap<u128, Entry>>);

impl Filters {
    /// Adds a filter and says its id, which nobody can guess.
    pub(crate) fn add(
        &self,
        filter: Polled,
        owner: Option<IpAddr>,
        now: Instant,
    ) -> Result<u128, Failure> {
        let owner = owner.filter(|address| !address.is_loopback());
        let mut all = self.all();
        all.retain(|_, entry| !is_idle(entry, now));
        let own = all.values().filter(|entry| entry.owner == owner).count();
        if owner.is_some() && own >= FILTERS_PER_ADDRESS_MAX {
            return Err(too_many_filters("your address", FILTERS_PER_ADDRESS_MAX));
        }
        if all.len() >= FILTERS_MAX {
            return Err(too_many_filters("this node", FILTERS_MAX));
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| internal(&error))?;
        let id = u128::from_be_bytes(id);
        all.insert(
            id,
            Entry {
                owner,
                used: now,
                filter: Arc::new(Mutex::new(filter)),
            },
        );
        Ok(id)
    }

    /// The filter with this id, which is in use from now on.
    pub(crate) fn find(&self, id: u128, now: Instant) -> Option<Arc<Mutex<Polled>>> {
        let mut all = self.all();
        let entry = all.get_mut(&id).filter(|entry| !is_idle(entry, now))?;
        entry.used = now;
        Some(Arc::clone(&entry.filter))
    }

    /// Whether there was such a filter.
    pub(crate) fn remove(&self, id: u128, now: Instant) -> bool {
        let removed = self.all().remove(&id);
        removed.is_some_and(|entry| !is_idle(&entry, now))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u128, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_idle(entry: &Entry, now: Instant) -> bool {
    now.saturating_duration_since(entry.used) >= Duration::from_secs(FILTER_IDLE_S_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;

    fn blocks() -> Polled {
        Polled::Blocks(Height(1))
    }

    #[test]
    fn a_filter_lives_while_it_is_polled() {
        let (filters, start) = (Filters::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let id = filters.add(blocks(), None, start).unwrap();
        for minutes in 1..10 {
            assert!(filters.find(id, at(minutes * 240)).is_some(), "{minutes}");
        }
        let last = 9 * 240;
        assert!(filters.find(id, at(last + FILTER_IDLE_S_MAX)).is_none());
        assert!(!filters.remove(id, at(last + FILTER_IDLE_S_MAX)));

        let id = filters.add(blocks(), None, start).unwrap();
        assert!(filters.remove(id, at(1)));
        assert!(!filters.remove(id, at(1)));
        assert!(filters.find(id, at(1)).is_none());
    }

    #[test]
    fn nobody_takes_all_places_and_idle_ones_are_free_again() {
        let (filters, start) = (Filters::default(), Instant::now());
        let owner = |last| Some(IpAddr::from(Ipv4Addr::new(192, 0, 2, last)));
        for _ in 0..FILTERS_PER_ADDRESS_MAX {
            filters.add(blocks(), owner(1), start).unwrap();
        }
        let refused = filters.add(blocks(), owner(1), start).unwrap_err();
        assert_eq!(refused.code(), -32005);
        assert!(refused.message().contains("256"), "{}", refused.message());
        filters.add(blocks(), owner(2), start).unwrap();
        let local = Some(IpAddr::from(Ipv4Addr::LOCALHOST));
        let mut ids = BTreeSet::new();
        while let Ok(id) = filters.add(blocks(), local, start) {
            ids.insert(id);
        }
        assert_eq!(ids.len(), FILTERS_MAX - FILTERS_PER_ADDRESS_MAX - 1);
        let steps: BTreeSet<u128> = ids
            .iter()
            .zip(ids.iter().skip(1))
            .map(|(a, b)| b - a)
            .collect();
        assert!(steps.len() > ids.len() / 2, "ids are not counted up");
        let later = start + Duration::from_secs(FILTER_IDLE_S_MAX);
        assert!(filters.add(blocks(), owner(1), later).is_ok());
        assert_eq!(filters.all().len(), 1);
    }
}
