//! What was read of blocks last, decoded. A block that is stored never changes, so what is here is
//! never another one than what is there; and most questions are about few blocks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_types::{Block, Height, Receipt};

use crate::limits::{RECENT_BLOCKS_MAX, RECENT_BYTES_MAX, RECENT_ONE_BYTES_MAX};

/// Something of each block.
pub(crate) struct Recent<T>(Mutex<Held<T>>);

struct Held<T> {
    by_height: BTreeMap<Height, Entry<T>>,
    /// Of all entries, about.
    bytes: usize,
    /// Counts questions.
    now: u64,
    /// Heights that were asked for in part and were not here.
    asked: VecDeque<Height>,
}

struct Entry<T> {
    value: Arc<T>,
    bytes: usize,
    used: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(Held {
            by_height: BTreeMap::new(),
            bytes: 0,
            now: 0,
            asked: VecDeque::new(),
        }))
    }
}

impl<T> Recent<T> {
    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is here of a block.
    pub(crate) fn find(&self, height: Height) -> Option<Arc<T>> {
        let mut held = self.held();
        held.now += 1;
        let now = held.now;
        let entry = held.by_height.get_mut(&height)?;
        entry.used = now;
        Some(Arc::clone(&entry.value))
    }

    /// What is here of a block, or what `load` reads, which may stay here.
    pub(crate) fn get<E>(
        &self,
        height: Height,
        bytes: impl FnOnce(&T) -> usize,
        load: impl FnOnce() -> Result<Option<T>, E>,
    ) -> Result<Option<Arc<T>>, E> {
        if let Some(value) = self.find(height) {
            return Ok(Some(value));
        }
        let Some(value) = load()?.map(Arc::new) else {
            return Ok(None);
        };
        self.keep(height, &value, bytes(&value));
        Ok(Some(value))
    }

    /// Whether a part of a block was asked for before: then all of it is worth reading.
    pub(crate) fn asked_again(&self, height: Height) -> bool {
        let mut held = self.held();
        if held.asked.contains(&height) {
            return true;
        }
        if held.asked.len() == RECENT_BLOCKS_MAX {
            held.asked.pop_front();
        }
        held.asked.push_back(height);
        false
    }

    fn keep(&self, height: Height, value: &Arc<T>, bytes: usize) {
        if bytes > RECENT_ONE_BYTES_MAX {
            return;
        }
        let mut held = self.held();
        while held.bytes + bytes > RECENT_BYTES_MAX || held.by_height.len() >= RECENT_BLOCKS_MAX {
            let entries = held.by_height.iter();
            let Some(oldest) = entries.min_by_key(|(_, it)| it.used).map(|it| *it.0) else {
                break;
            };
            held.remove(oldest);
        }
        held.remove(height);
        held.bytes += bytes;
        let entry = Entry {
            value: Arc::clone(value),
            bytes,
            used: held.now,
        };
        held.by_height.insert(height, entry);
    }
}

impl<T> Held<T> {
    fn remove(&mut self, height: Height) {
        if let Some(gone) = self.by_height.remove(&height) {
            self.bytes -= gone.bytes;
        }
    }
}

/// The receipts of a block, and what those before each add up to.
pub(crate) struct CountedReceipts {
    pub(crate) all: Arc<Vec<Receipt>>,
    /// Gas and logs.
    before: Vec<(u64, u64)>,
}

impl CountedReceipts {
    pub(crate) fn new(all: Vec<Receipt>) -> Self {
        let (mut gas, mut logs) = (0, 0);
        let before = all.iter().map(|receipt| {
            let before = (gas, logs);
            gas = receipt.cumulative_gas_used();
            logs += receipt.logs().len() as u64;
            before
        });
        Self {
            before: before.collect(),
            all: Arc::new(all),
        }
    }

    /// One of them, with the gas and the logs before it.
    pub(crate) fn at(&self, index: usize) -> Option<(&Receipt, u64, u64)> {
        let (gas, logs) = *self.before.get(index)?;
        Some((self.all.get(index)?, gas, logs))
    }

    /// In memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let of_log =
            |log: &alloy_primitives::Log| 128 + 32 * log.topics().len() + log.data.data.len();
        let of_one = |receipt: &Receipt| 512 + receipt.logs().iter().map(of_log).sum::<usize>();
        self.all.iter().map(of_one).sum()
    }
}

/// Of a block in memory, about: a transaction is there twice, encoded and not.
pub(crate) fn block_bytes(block: &Block) -> usize {
    let transactions = block.transactions.iter();
    let bytes: usize = transactions.map(|it| 512 + 2 * it.encoded().len()).sum();
    1_024 + bytes
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn get(recent: &Recent<u64>, height: u64, bytes: usize) -> (u64, bool) {
        let mut read = false;
        let value = recent.get(
            Height(height),
            |_| bytes,
            || {
                read = true;
                Ok::<_, Infallible>(Some(height))
            },
        );
        let Ok(value) = value;
        (*value.expect("there is one"), read)
    }

    #[test]
    fn reads_once_what_is_asked_for_again() {
        let recent = Recent::default();
        assert_eq!(get(&recent, 7, 10), (7, true));
        assert_eq!(get(&recent, 7, 10), (7, false));
        let Ok(none) = recent.get(Height(8), |_| 1, || Ok::<_, Infallible>(None));
        assert!(none.is_none());
        assert_eq!(get(&recent, 8, 10), (8, true));
        assert!(!recent.asked_again(Height(9)));
        assert!(recent.asked_again(Height(9)));
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let recent = Recent::default();
        for height in 0..RECENT_BLOCKS_MAX as u64 {
            get(&recent, height, 1);
        }
        assert_eq!(get(&recent, 0, 1), (0, false));
        get(&recent, 1_000_000, 1);
        assert_eq!(get(&recent, 0, 1), (0, false));
        assert_eq!(get(&recent, 1, 1), (1, true));
        assert_eq!(recent.held().by_height.len(), RECENT_BLOCKS_MAX);
    }

    #[test]
    fn bytes_are_bounded() {
        let recent = Recent::default();
        get(&recent, 1, RECENT_ONE_BYTES_MAX + 1);
        assert_eq!(get(&recent, 1, 1), (1, true), "too large to stay");
        for height in 2..100 {
            get(&recent, height, RECENT_ONE_BYTES_MAX);
            let held = recent.held();
            assert!(held.bytes <= RECENT_BYTES_MAX);
            let sum: usize = held.by_height.values().map(|it| it.bytes).sum();
            assert_eq!(held.bytes, sum);
        }
        assert_eq!(get(&recent, 99, 1), (99, false));
        assert!(!recent.asked_again(Height(0)));
        for height in 1..=RECENT_BLOCKS_MAX as u64 {
            recent.asked_again(Height(height));
        }
        assert!(!recent.asked_again(Height(0)), "it is forgotten");
    }
}
