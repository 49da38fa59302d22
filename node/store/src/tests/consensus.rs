//! Undecided blocks.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use tbsi_types::limits::BLOCK_BYTES_MAX;
use tbsi_types::{CheckpointDigest, Height, Round};

use super::fixture::{OPTIONS, advance, identity, tick, ticked};
use crate::limits::{UNDECIDED_HEIGHTS_MAX, UNDECIDED_PER_HEIGHT_MAX};
use crate::{Store, StoreError};

const NONE: BTreeSet<CheckpointDigest> = BTreeSet::new();

fn digest(n: usize) -> CheckpointDigest {
    CheckpointDigest(B256::from(alloy_primitives::U256::from(n)))
}

#[test]
fn undecided_blocks_survive_until_their_height_is_decided() {
    let (dir, store) = ticked(0);
    let (one, two, three) = (Height(1), Height(2), Height(3));
    store.put_undecided(one, digest(1), b"one", &NONE).unwrap();
    store.put_undecided(one, digest(2), b"two", &NONE).unwrap();
    store
        .put_undecided(one, digest(1), b"other bytes", &NONE)
        .unwrap();
    store
        .put_undecided(two, digest(3), b"three", &NONE)
        .unwrap();
    assert_eq!(
        store.put_built(one, Round(4), digest(5), b"own").unwrap(),
        digest(5)
    );
    assert_eq!(
        store.put_built(three, Round(0), digest(6), b"own").unwrap(),
        digest(6)
    );
    drop(store);

    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let get = |height, n| store.undecided(height, digest(n)).unwrap();
    assert_eq!(get(one, 1).unwrap(), b"one");
    assert_eq!(get(one, 5).unwrap(), b"own");
    assert_eq!(get(two, 3).unwrap(), b"three");
    assert_eq!(get(two, 1), None);
    assert_eq!(
        store.undecided_digests(one),
        [digest(1), digest(2), digest(5)]
    );
    assert_eq!(store.built(one, Round(4)), Some(digest(5)));
    assert_eq!(store.built(one, Round(3)), None);

    advance(&store, &tick(1));
    assert_eq!([1, 2, 5].map(|n| get(one, n)), [None, None, None]);
    assert_eq!(store.undecided_digests(one), []);
    assert_eq!(store.built(one, Round(4)), None);
    assert_eq!(get(two, 3).unwrap(), b"three");
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.undecided_digests(one), []);
    assert_eq!(store.undecided_digests(two), [digest(3)]);
    assert_eq!(store.built(three, Round(0)), Some(digest(6)));
}

#[test]
fn what_is_undecided_can_be_cleared_for_good() {
    let (dir, store) = ticked(0);
    let (one, two) = (Height(1), Height(2));
    store.put_undecided(one, digest(1), b"one", &NONE).unwrap();
    store
        .put_undecided(two, digest(3), b"three", &NONE)
        .unwrap();
    store.put_built(one, Round(4), digest(5), b"own").unwrap();
    assert_eq!(store.undecided_count(), 3);
    store.clear_undecided().unwrap();
    assert_eq!(store.undecided_count(), 0);
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.undecided_count(), 0);
    assert_eq!(store.undecided(one, digest(1)).unwrap(), None);
    assert_eq!(store.built(one, Round(4)), None);
    // What was decided is still there, and another block takes its place.
    assert_eq!(store.tip().unwrap().height, Height(0));
    let built = store.put_built(one, Round(4), digest(6), b"anew").unwrap();
    assert_eq!(built, digest(6));
}

#[test]
fn a_round_has_one_own_block() {
    let (dir, store) = ticked(0);
    let height = Height(1);
    store
        .put_built(height, Round(0), digest(1), b"first")
        .unwrap();
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let second = store
        .put_built(height, Round(0), digest(2), b"second")
        .unwrap();
    assert_eq!(second, digest(1));
    assert_eq!(store.undecided(height, digest(2)).unwrap(), None);
    assert_eq!(
        store.undecided(height, digest(1)).unwrap().unwrap(),
        b"first"
    );
    let later = store
        .put_built(height, Round(1), digest(2), b"second")
        .unwrap();
    assert_eq!(later, digest(2));
}

#[test]
fn undecided_blocks_are_bounded_and_there_is_always_room_for_one_more() {
    let (dir, store) = ticked(0);
    let height = Height(1);
    let own = store.put_built(height, Round(0), digest(5_000), b"own");
    assert_eq!(own.unwrap(), digest(5_000));
    let spared = BTreeSet::from([digest(0), digest(2)]);
    let put = |store: &Store, n, spared: &BTreeSet<_>| {
        store.put_undecided(height, digest(n), b"foreign", spared)
    };
    for n in 0..UNDECIDED_PER_HEIGHT_MAX {
        put(&store, n, &spared).unwrap();
    }
    let has = |store: &Store, n| store.undecided(height, digest(n)).unwrap().is_some();
    put(&store, 999, &spared).unwrap();
    assert!(!has(&store, 1), "the oldest that is not spared gave way");
    assert!([0, 2, 3, 999, 5_000].iter().all(|n| has(&store, *n)));
    assert_eq!(
        store.undecided_digests(height).len(),
        UNDECIDED_PER_HEIGHT_MAX + 1
    );
    store
        .put_undecided(Height(2), digest(0), b"next", &NONE)
        .unwrap();
    drop(store);

    // A table that is full when the node starts has room too.
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let all: BTreeSet<_> = store.undecided_digests(height).into_iter().collect();
    put(&store, 1_000, &spared).unwrap();
    assert!([0, 2, 1_000, 5_000].iter().all(|n| has(&store, *n)));
    put(&store, 1_001, &all).unwrap();
    assert!(has(&store, 1_001), "even if all others are spared");
    assert_eq!(
        store.undecided_digests(height).len(),
        UNDECIDED_PER_HEIGHT_MAX + 1
    );
}

#[test]
fn a_height_of_many_rounds_has_room_for_own_blocks() {
    let (dir, store) = ticked(0);
    let height = Height(1);
    let rounds = UNDECIDED_PER_HEIGHT_MAX + 3;
    for n in 0..rounds {
        let round = Round(u32::try_from(n).unwrap());
        let built = store.put_built(height, round, digest(n), b"own");
        assert_eq!(built.unwrap(), digest(n));
    }
    let check = |store: &Store| {
        assert_eq!(
            store.undecided_digests(height).len(),
            UNDECIDED_PER_HEIGHT_MAX
        );
        assert_eq!(store.undecided(height, digest(2)).unwrap(), None);
        assert!(store.undecided(height, digest(3)).unwrap().is_some());
        assert_eq!(
            store.built(height, Round(0)),
            Some(digest(0)),
            "what was proposed is remembered"
        );
    };
    check(&store);
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    check(&store);
    let again = store.put_built(height, Round(0), digest(9_000), b"other");
    assert_eq!(again.unwrap(), digest(0));
}

#[test]
fn undecided_blocks_must_be_near_the_tip_and_small_enough() {
    let (_dir, store) = ticked(2);
    for height in [0, 2, 3 + UNDECIDED_HEIGHTS_MAX] {
        let error = store
            .put_undecided(Height(height), digest(1), b"x", &NONE)
            .unwrap_err();
        assert!(
            matches!(error, StoreError::UndecidedHeight { .. }),
            "{error}"
        );
        let error = store
            .put_built(Height(height), Round(0), digest(1), b"x")
            .unwrap_err();
        assert!(
            matches!(error, StoreError::UndecidedHeight { .. }),
            "{error}"
        );
    }
    let furthest = Height(2 + UNDECIDED_HEIGHTS_MAX);
    store
        .put_undecided(furthest, digest(1), b"x", &NONE)
        .unwrap();
    let large = vec![7; BLOCK_BYTES_MAX + 1];
    let error = store
        .put_undecided(Height(3), digest(1), &large, &NONE)
        .unwrap_err();
    assert!(
        matches!(error, StoreError::UndecidedTooLarge(8_388_609)),
        "{error}"
    );
    store
        .put_undecided(Height(3), digest(1), &large[1..], &NONE)
        .unwrap();
    assert_eq!(
        store.undecided(Height(3), digest(1)).unwrap().unwrap(),
        &large[1..]
    );

    let dir = tempfile::tempdir().unwrap();
    let empty = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let error = empty
        .put_undecided(Height(1), digest(1), b"x", &NONE)
        .unwrap_err();
    assert!(matches!(error, StoreError::Empty), "{error}");
}
