//! Old transactions and receipts are dropped, and that is said; nothing else goes.

use tbsi_types::Height;

use super::fixture::{OPTIONS, advance, identity, tick, ticked};
use crate::limits::PRUNED_PER_BLOCK_MAX;
use crate::{Store, StoreError, StoreOptions};

const LIGHT: StoreOptions = StoreOptions {
    keep_blocks: 128,
    ..OPTIONS
};

#[test]
fn what_leaves_the_window_is_told_from_what_never_was() {
    let (dir, store) = ticked(300);
    drop(store);
    let mut store = Store::open(dir.path(), identity(), LIGHT).unwrap();
    // What was kept before goes little by little.
    assert_eq!(store.oldest_block(), Height(1));
    for (block, oldest) in [(301, 65), (302, 129), (303, 175), (304, 176)] {
        advance(&store, &tick(block));
        assert_eq!(store.oldest_block(), Height(oldest), "{block}");
    }
    assert_eq!(PRUNED_PER_BLOCK_MAX, 64);
    for reopened in [false, true] {
        if reopened {
            // A store that still writes may remove files under a reader.
            drop(store);
            store = Store::open_read_only(dir.path(), identity(), LIGHT).unwrap();
        }
        for height in [1, 100, 175].map(Height) {
            let gone = |error: StoreError| {
                let StoreError::BlockPruned { height, oldest } = error else {
                    panic!("{error}");
                };
                (height, oldest)
            };
            let expected = (height, Height(176));
            assert_eq!(gone(store.block(height).unwrap_err()), expected);
            assert_eq!(gone(store.proposed_bytes(height).unwrap_err()), expected);
            assert_eq!(gone(store.receipts(height).unwrap_err()), expected);
            assert_eq!(gone(store.transaction_at(height, 0).unwrap_err()), expected);
            assert_eq!(gone(store.receipt_at(height, 0).unwrap_err()), expected);
            // What proofs need stays.
            let header = store.header(height).unwrap().unwrap();
            let checkpoint = store.checkpoint(height).unwrap().unwrap();
            assert_eq!(header.hash_slow(), checkpoint.block_hash);
            assert_eq!(
                store.height_of(checkpoint.block_hash).unwrap(),
                Some(height)
            );
            assert!(store.certificate(height).unwrap().is_some());
            store.audit_block(height, None).unwrap();
        }
        for height in [0, 176, 304].map(Height) {
            assert!(store.block(height).unwrap().is_some());
            assert!(store.receipts(height).unwrap().is_some());
        }
        assert!(store.block(Height(305)).unwrap().is_none());
        store.audit_state(|| ()).unwrap();
        let pruned = store.block(Height(9)).unwrap_err();
        assert!(!pruned.is_halt() && pruned.to_string().contains("ask a node that keeps all"));
    }
    // A wider window brings nothing back, and drops nothing.
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    advance(&store, &tick(305));
    assert_eq!(store.oldest_block(), Height(176));
    let short = StoreOptions {
        keep_blocks: 127,
        ..OPTIONS
    };
    drop(store);
    let refused = Store::open(dir.path(), identity(), short).err().unwrap();
    assert!(
        matches!(refused, StoreError::HistoryTooShort(127)),
        "{refused}"
    );
}
