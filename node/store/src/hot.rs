//! What was read of the state after the tip, in memory: accounts and slots by their own names, so
//! that whoever reads them again neither hashes them nor asks RocksDB.
//!
//! An entry is what the state after one block says, the tip of its shard. A reader of that block's
//! state may use it and add to it, and nobody else: one who looks back, or whose block is stored
//! and not announced here yet, reads from the disk. A block that is stored takes away what it
//! changed, and what is left is as true of its state as of its parent's.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use alloy_primitives::{Address, U256};
use tbsi_types::{Account, Height};

use crate::limits::{HOT_ENTRIES_MAX, HOT_SHARDS};

/// An account that a block changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) address: Address,
    /// `None` if all of its storage changes.
    pub(crate) slots: Option<Vec<U256>>,
}

/// All of it.
pub(crate) struct Hot {
    shards: [RwLock<Shard>; HOT_SHARDS],
}

#[derive(Default)]
struct Shard {
    /// The block after whose state it is; `None` before genesis.
    tip: Option<Height>,
    accounts: HashMap<Address, Known>,
    entries: usize,
}

/// What is known of an account.
#[derive(Default)]
struct Known {
    /// Whether it is there, and what it is.
    account: Option<Option<Account>>,
    slots: HashMap<U256, U256>,
}

impl Known {
    fn entries(&self) -> usize {
        1 + self.slots.len()
    }
}

impl Hot {
    pub(crate) fn new(tip: Option<Height>) -> Self {
        let shard = |_| {
            RwLock::new(Shard {
                tip,
                ..Shard::default()
            })
        };
        Self {
            shards: std::array::from_fn(shard),
        }
    }

    fn shard(&self, address: &Address) -> &RwLock<Shard> {
        &self.shards[usize::from(address[19]) % HOT_SHARDS]
    }

    /// An account after block `at`, if that is known here.
    pub(crate) fn account(&self, at: Height, address: &Address) -> Option<Option<Account>> {
        let shard = read(self.shard(address));
        shard.of(at)?.get(address)?.account
    }

    /// A slot after block `at`, if that is known here.
    pub(crate) fn slot(&self, at: Height, address: &Address, slot: &U256) -> Option<U256> {
        let shard = read(self.shard(address));
        shard.of(at)?.get(address)?.slots.get(slot).copied()
    }

    /// Remembers an account as it was read of the state after block `at`.
    pub(crate) fn keep_account(&self, at: Height, address: Address, account: Option<Account>) {
        self.keep(at, address, |known| known.account = Some(account));
    }

    /// Remembers a slot as it was read of the state after block `at`.
    pub(crate) fn keep_slot(&self, at: Height, address: Address, slot: U256, value: U256) {
        self.keep(at, address, |known| {
            known.slots.insert(slot, value);
        });
    }

    fn keep(&self, at: Height, address: Address, change: impl FnOnce(&mut Known)) {
        let mut shard = write(self.shard(&address));
        if shard.tip != Some(at) {
            return;
        }
        let full = shard.entries >= HOT_ENTRIES_MAX / HOT_SHARDS;
        let gone = full.then(|| shard.forget());
        let known = shard.accounts.get(&address);
        let before = known.map_or(0, Known::entries);
        let known = shard.accounts.entry(address).or_default();
        change(known);
        let after = known.entries();
        shard.entries = shard.entries - before + after;
        drop(shard);
        // Outside of the lock: it may be large.
        drop(gone);
    }

    /// The block after the tip is stored, and changed these accounts.
    pub(crate) fn advance(&self, tip: Height, touched: &[Touched]) {
        for shard in &self.shards {
            let mut shard = write(shard);
            // A block that does not follow says nothing of what lies between.
            let follows = shard.tip.is_some_and(|before| before.next() == tip);
            if !follows {
                shard.forget();
            }
            // Nothing of this shard is read as the new tip's before all is gone that changed.
            shard.tip = None;
        }
        for change in touched {
            write(self.shard(&change.address)).change(change);
        }
        for shard in &self.shards {
            write(shard).tip = Some(tip);
        }
    }
}

impl Shard {
    fn of(&self, at: Height) -> Option<&HashMap<Address, Known>> {
        (self.tip == Some(at)).then_some(&self.accounts)
    }

    fn forget(&mut self) -> HashMap<Address, Known> {
        self.entries = 0;
        std::mem::take(&mut self.accounts)
    }

    fn change(&mut self, change: &Touched) {
        let Some(known) = self.accounts.get_mut(&change.address) else {
            return;
        };
        let before = known.entries();
        known.account = None;
        match &change.slots {
            None => known.slots.clear(),
            Some(slots) => slots.iter().for_each(|slot| {
                known.slots.remove(slot);
            }),
        }
        self.entries = self.entries - before + known.entries();
    }
}

// A map is whole at every step: a panic of another thread leaves nothing half-done.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Address = Address::repeat_byte(7);

    fn account(nonce: u64) -> Option<Account> {
        Some(Account {
            nonce,
            ..Account::default()
        })
    }

    fn slot(number: u64) -> U256 {
        U256::from(number)
    }

    fn touched(slots: Option<&[u64]>) -> Touched {
        Touched {
            address: ADDRESS,
            slots: slots.map(|slots| slots.iter().map(|it| slot(*it)).collect()),
        }
    }

    #[test]
    fn says_what_was_read_of_the_same_state() {
        let hot = Hot::new(Some(Height(5)));
        assert_eq!(hot.account(Height(5), &ADDRESS), None);
        hot.keep_account(Height(5), ADDRESS, account(1));
        hot.keep_account(Height(5), Address::ZERO, None);
        hot.keep_slot(Height(5), ADDRESS, slot(1), slot(10));
        assert_eq!(hot.account(Height(5), &ADDRESS), Some(account(1)));
        assert_eq!(hot.account(Height(5), &Address::ZERO), Some(None));
        assert_eq!(hot.slot(Height(5), &ADDRESS, &slot(1)), Some(slot(10)));
        assert_eq!(hot.slot(Height(5), &ADDRESS, &slot(2)), None);
        for other in [Height(4), Height(6)] {
            assert_eq!(hot.account(other, &ADDRESS), None);
            assert_eq!(hot.slot(other, &ADDRESS, &slot(1)), None);
        }
    }

    #[test]
    fn a_late_reader_of_the_parent_changes_nothing() {
        let hot = Hot::new(Some(Height(5)));
        hot.advance(Height(6), &[touched(Some(&[1]))]);
        hot.keep_account(Height(5), ADDRESS, account(1));
        hot.keep_slot(Height(5), ADDRESS, slot(1), slot(10));
        assert_eq!(hot.account(Height(6), &ADDRESS), None);
        assert_eq!(hot.slot(Height(6), &ADDRESS, &slot(1)), None);
    }

    #[test]
    fn a_block_takes_away_what_it_changed_and_no_more() {
        let filled = || {
            let hot = Hot::new(Some(Height(5)));
            hot.keep_account(Height(5), ADDRESS, account(1));
            for number in 1..=3 {
                hot.keep_slot(Height(5), ADDRESS, slot(number), slot(10 * number));
            }
            hot.keep_slot(Height(5), Address::ZERO, slot(1), slot(4));
            hot
        };
        let check = |change: Touched, left: [bool; 3]| {
            let hot = filled();
            hot.advance(Height(6), &[change]);
            assert_eq!(hot.account(Height(6), &ADDRESS), None);
            for (number, left) in (1..).zip(left) {
                let known = hot.slot(Height(6), &ADDRESS, &slot(number));
                assert_eq!(known, left.then(|| slot(10 * number)));
            }
            let other = hot.slot(Height(6), &Address::ZERO, &slot(1));
            assert_eq!(other, Some(slot(4)));
        };
        check(touched(Some(&[])), [true; 3]);
        check(touched(Some(&[2, 9])), [true, false, true]);
        check(touched(None), [false; 3]);
        let hot = filled();
        hot.advance(Height(7), &[]);
        let unknown = hot.slot(Height(7), &ADDRESS, &slot(1));
        assert_eq!(unknown, None, "a block was left out");
    }

    #[test]
    fn entries_are_bounded_and_counted() {
        let hot = Hot::new(Some(Height(0)));
        for number in 0..2 * HOT_ENTRIES_MAX as u64 {
            hot.keep_slot(Height(0), ADDRESS, slot(number), slot(number));
        }
        let shard = read(hot.shard(&ADDRESS));
        let counted: usize = shard.accounts.values().map(Known::entries).sum();
        assert_eq!(shard.entries, counted);
        assert!(counted <= HOT_ENTRIES_MAX / HOT_SHARDS + 1, "{counted}");
    }
}
