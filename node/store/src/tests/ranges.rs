//! Pages of accounts, and of an account's storage.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};
use tbsi_types::{AccountChange, Height};

use super::fixture::*;
use crate::{Store, StoreError};

/// All pages of `limit` slots, joined.
fn all(store: &Store, height: u64, limit: usize) -> BTreeMap<B256, U256> {
    let state = store.state_at(Height(height)).unwrap();
    let (mut slots, mut from) = (BTreeMap::new(), B256::ZERO);
    loop {
        let page = state.slots(address(0), from, limit).unwrap();
        assert!(page.entries.len() <= limit);
        assert!(page.entries.is_sorted_by(|one, next| one.0 < next.0));
        let before = slots.len();
        slots.extend(page.entries.iter().copied());
        assert_eq!(
            slots.len(),
            before + page.entries.len(),
            "no slot comes twice"
        );
        match page.next {
            Some(next) => {
                assert!(next > from, "each page goes further");
                from = next;
            }
            None => return slots,
        }
    }
}

#[test]
fn pages_hold_the_storage_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    // Slots come, change and go; others' slots do not matter.
    let writes: [&[(u64, u64)]; 5] = [
        &[(1, 1), (2, 2), (3, 3), (9, 9)],
        &[(1, 0), (4, 4)],
        &[(2, 22), (5, 5), (6, 6)],
        &[(1, 11), (2, 0), (3, 0)],
        &[(7, 7), (8, 8), (9, 0)],
    ];
    let mut expected = Vec::new();
    let mut now = BTreeMap::new();
    for (height, writes) in (0u64..).zip(writes) {
        let changes = [
            (address(0), change(account(height, 1), writes)),
            (address(1), change(account(height, 1), &[(1, height + 1)])),
        ];
        advance(&store, &diff(changes));
        now.extend(writes.iter().copied());
        let slots = now.iter().filter(|(_, value)| **value != 0);
        let hashed = slots.map(|(slot, value)| {
            let hash = keccak256(U256::from(*slot).to_be_bytes::<32>());
            (hash, U256::from(*value))
        });
        expected.push(hashed.collect::<BTreeMap<_, _>>());
    }
    for (height, expected) in (0..).zip(&expected) {
        for limit in [1, 2, 3, 100] {
            assert_eq!(&all(&store, height, limit), expected, "{height}, {limit}");
        }
    }
    let state = store.state_at(Height(4)).unwrap();
    let nobody = state.slots(address(7), B256::ZERO, 10).unwrap();
    assert_eq!(nobody, crate::StatePage::default());
}

#[test]
fn pages_hold_the_accounts_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    // Accounts come and change; the last block removes one.
    let mut now = BTreeMap::new();
    let mut expected = Vec::new();
    for height in 0..6u8 {
        let nonce = u64::from(height);
        let mut changes = vec![
            (address(0), change(account(nonce, 1), &[(1, nonce + 1)])),
            (address(height), change(account(nonce, 2), &[])),
        ];
        changes.dedup_by_key(|(address, _)| *address);
        if height == 5 {
            changes.push((address(2), AccountChange::default()));
        }
        for (address, change) in &changes {
            let hash = keccak256(address);
            match change.account {
                Some(account) => now.insert(hash, (account.nonce, account.balance)),
                None => now.remove(&hash),
            };
        }
        advance(&store, &diff(changes));
        expected.push(now.clone());
    }
    for (height, expected) in (0..).zip(&expected) {
        for limit in [1, 2, 100] {
            let state = store.state_at(Height(height)).unwrap();
            let (mut found, mut from) = (BTreeMap::new(), Some(B256::ZERO));
            while let Some(start) = from {
                let page = state.accounts(start, limit).unwrap();
                assert!(page.entries.len() <= limit);
                assert!(page.next.is_none_or(|next| next > start));
                for (hash, account) in page.entries {
                    assert!(hash >= start);
                    let before = found.insert(hash, (account.nonce, account.balance));
                    assert_eq!(before, None, "no account comes twice");
                }
                from = page.next;
            }
            assert_eq!(&found, expected, "{height}, {limit}");
        }
    }
}

#[test]
fn pages_of_a_state_that_left_the_window_are_an_error() {
    let (_dir, store) = ticked(1);
    let past = store.state_at(Height(0)).unwrap();
    for n in 2..=130 {
        advance(&store, &tick(n));
    }
    let page = past.slots(address(0), B256::ZERO, 10);
    assert!(matches!(page, Err(StoreError::StateNotAvailable { .. })));
}
