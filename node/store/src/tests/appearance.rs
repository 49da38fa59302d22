//! Which transactions an account takes part in, with the index of accounts and without it.

use tbsi_types::{Address, Height, StateDiff};

use super::fixture::*;
use crate::{Appearances, Store, StoreOptions};

/// Genesis, then blocks in which "a" sends in each, and "b" in each third one, twice.
fn grow(store: &Store, blocks: u64) {
    if store.tip().is_none() {
        advance(store, &tick(0));
    }
    for _ in 0..blocks {
        let height = store.tip().unwrap().height.next().0;
        let mut transactions = vec![transfer("a", height)];
        if height.is_multiple_of(3) {
            transactions.push(transfer("b", 2 * height));
            transactions.push(transfer("b", 2 * height + 1));
        }
        let decided = Decided::next(store, &StateDiff::default(), transactions);
        decided.commit(store).unwrap();
    }
}

fn open(dir: &tempfile::TempDir, address_index: bool) -> Store {
    let options = StoreOptions {
        address_index,
        ..OPTIONS
    };
    Store::open(dir.path(), identity(), options).unwrap()
}

/// The places as `height.index`, and whether there may be more.
fn search(store: &Store, account: Address, bound: u64, forward: bool, count: usize) -> String {
    let found = store.appearances(account, Height(bound), forward, count);
    let Appearances {
        places,
        next,
        exhausted,
    } = found.unwrap();
    assert!(!exhausted);
    let places = places
        .iter()
        .map(|place| format!("{}.{}", place.0, place.1));
    let places: Vec<_> = places.collect();
    match next {
        Some(_) => places.join(" ") + " ...",
        None => places.join(" "),
    }
}

#[test]
fn an_index_and_a_search_through_blocks_find_the_same() {
    let (without, with, late) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let (plain, indexed) = (open(&without, false), open(&with, true));
    grow(&plain, 12);
    grow(&indexed, 12);
    // On, off and on again: only what the last index knows counts.
    for (on, blocks) in [(true, 4), (false, 3), (true, 2), (true, 3)] {
        grow(&open(&late, on), blocks);
    }
    let late = open(&late, true);
    let (a, b) = (transfer("a", 0).sender(), transfer("b", 0).sender());
    let check = |account, bound, forward, count, expected: &str| {
        for store in [&plain, &indexed, &late] {
            assert_eq!(search(store, account, bound, forward, count), expected);
        }
    };
    check(b, 99, false, 99, "12.2 12.1 9.2 9.1 6.2 6.1 3.2 3.1");
    check(b, 12, false, 1, "9.2 9.1 ...");
    check(b, 6, false, 3, "3.2 3.1");
    check(b, 0, true, 3, "3.1 3.2 6.1 6.2 ...");
    check(b, 8, true, 9, "9.1 9.2 12.1 12.2");
    check(b, 12, true, 9, "");
    check(b, 3, false, 9, "");
    check(a, 3, false, 9, "2.0 1.0");
    // The recipient of all of them.
    let to = Address::repeat_byte(0x70);
    check(to, 4, false, 2, "3.2 3.1 3.0 ...");
    check(Address::repeat_byte(9), 99, false, 9, "");
}
