//! Copies, and audits of all that is stored: what was changed by anything but a commit is found.

use tbsi_types::log::LeafBatch;
use tbsi_types::{Height, StateDiff};

use super::fixture::{
    Decided, OPTIONS, account, address, advance, change, diff, identity, ticked, transfer,
};
use super::log::{attestation, digest};
use crate::database::Table;
use crate::{AuditedState, ReadThrough, Store, StoreError, keys};

/// Four blocks of the fixture.
const PERIOD: u64 = 1_000;

/// Accounts with storage, attestations in several bundles and a map.
fn rich() -> (tempfile::TempDir, Store) {
    let (dir, store) = ticked(2);
    for n in 1..40u8 {
        let slots: Vec<(u64, u64)> = (0..u64::from(n)).map(|slot| (slot, slot + 7)).collect();
        let made = change(account(u64::from(n), 9), &slots);
        advance(&store, &diff([(address(n), made)]));
    }
    for block in 0..8u64 {
        let mut batch = LeafBatch::default();
        let height = store.tip().unwrap().height.next();
        for n in 0..70 {
            let mut leaf = attestation(digest(block * 1_000 + n), u32::try_from(n).unwrap());
            leaf.head.height = height;
            batch.push(&leaf.encode().unwrap());
        }
        let log = (batch, PERIOD);
        let decided = Decided::of_log(&store, &StateDiff::default(), Vec::new(), log);
        decided.commit(&store).unwrap();
    }
    (dir, store)
}

fn audit(store: &Store) -> Result<(), StoreError> {
    store.audit_state(|| ())?;
    store.audit_log(|_| ())?;
    let mut before = None;
    for height in (0..=store.tip().unwrap().height.0).map(Height) {
        before = Some(store.audit_block(height, before.as_ref())?);
    }
    Ok(())
}

#[test]
fn what_was_committed_is_right() {
    let (_dir, store) = rich();
    audit(&store).unwrap();
    let state = store.audit_state(|| ()).unwrap();
    // Of each account n as many slots; of account 0 one.
    assert_eq!(
        (state.accounts, state.slots),
        (40, 1 + (1..40).sum::<u64>())
    );
    assert!(state.nodes > 40, "{state:?}");
    let mut bundles = 0;
    let log = store.audit_log(|_| bundles += 1).unwrap();
    assert_eq!(log.leaves, store.tip().unwrap().log_size.0);
    assert_eq!(bundles, log.leaves.div_ceil(256));
    assert!(log.map_pages > 1, "{log:?}");
    assert_eq!(log.positions, 2 * 560);
    let empty = tempfile::tempdir().unwrap();
    let empty = Store::open(empty.path(), identity(), OPTIONS).unwrap();
    assert_eq!(empty.audit_state(|| ()).unwrap(), AuditedState::default());
    assert_eq!(empty.audit_log(|_| ()).unwrap().leaves, 0);
}

/// Changes one entry behind the store's back, which the audit finds and names; then puts it back.
#[track_caller]
fn finds(store: &Store, table: Table, key: &[u8], value: Option<&[u8]>, words: &str) {
    let before = store.database.get(table, key, "test").unwrap();
    let write = |value: Option<&[u8]>| {
        let mut batch = store.database.batch();
        match value {
            Some(value) => batch.put(table, key, value),
            None => batch.delete(table, key),
        }
        batch.write("test").unwrap();
    };
    assert_ne!(before.as_deref(), value, "nothing is changed");
    write(value);
    let error = audit(store).expect_err(words).to_string();
    assert!(error.contains(words), "`{words}` is not in: {error}");
    write(before.as_deref());
    audit(store).unwrap();
}

/// The first entry of a table with this prefix, and the same with its last byte changed.
fn first(store: &Store, table: Table, prefix: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut found = None;
    let view = store.database.snapshot();
    view.scan(table, prefix, "test", |key, value| {
        found = Some((key.to_vec(), value.to_vec()));
        Ok(false)
    })
    .unwrap();
    let (key, value) = found.expect("there is one");
    let mut changed = value.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    (key, value, changed)
}

#[test]
fn a_changed_state_is_found() {
    let (_dir, store) = rich();
    let [accounts, slots, account_nodes, slot_nodes] = keys::STATE_KINDS;
    for (prefix, changed, gone) in [
        (
            accounts,
            "is not the one that its trie has",
            "is not the one that its trie has",
        ),
        (
            slots,
            "is not the one that its trie has",
            "is not the one that its trie has",
        ),
        (account_nodes, "its parent names", "it is not there"),
        (slot_nodes, "hash", "it is not there"),
    ] {
        let (key, _, other) = first(&store, Table::State, prefix);
        finds(&store, Table::State, &key, Some(&other), changed);
        finds(&store, Table::State, &key, None, gone);
        // One too many.
        let mut surplus = key.clone();
        let last = surplus.len() - 2;
        surplus[last] ^= 0x0f;
        if store
            .database
            .get(Table::State, &surplus, "test")
            .unwrap()
            .is_none()
        {
            finds(
                &store,
                Table::State,
                &surplus,
                Some(&other),
                "belong to the state root",
            );
        }
    }
}

#[test]
fn a_changed_log_is_found() {
    let (_dir, store) = rich();
    let size = store.tip().unwrap().log_size.0;
    for (key, words) in [
        (keys::entries(0), "log"),
        (keys::entries(size / 256), "log"),
        (keys::tile(0, 0), "tile 0 of level 0"),
        (keys::tile(1, 0), "tile 0 of level 1"),
    ] {
        let value = store
            .database
            .get(Table::Log, &key, "test")
            .unwrap()
            .unwrap();
        let mut changed = value.clone();
        *changed.last_mut().unwrap() ^= 1;
        finds(&store, Table::Log, &key, Some(&changed), words);
        finds(&store, Table::Log, &key, None, "log");
    }
    let (key, _, _) = first(&store, Table::Position, &[]);
    finds(&store, Table::Position, &key, None, "index of the log");
    let mut other = key;
    *other.last_mut().unwrap() ^= 1;
    finds(
        &store,
        Table::Position,
        &other,
        Some(&[]),
        "index of the log",
    );
}

#[test]
fn a_changed_map_is_found() {
    let (_dir, store) = rich();
    let mut pages = Vec::new();
    let view = store.database.snapshot();
    view.scan(Table::Map, keys::MAP_PAGES, "test", |key, value| {
        pages.push((key.to_vec(), value.to_vec()));
        Ok(true)
    })
    .unwrap();
    drop(view);
    assert!(pages.len() > 10, "{}", pages.len());
    for (key, page) in [&pages[0], &pages[1], pages.last().unwrap()] {
        let mut changed = page.clone();
        *changed.last_mut().unwrap() ^= 1;
        finds(&store, Table::Map, key, Some(&changed), "page");
        finds(&store, Table::Map, key, None, "map");
    }
}

#[test]
fn a_changed_block_is_found() {
    let (_dir, store) = rich();
    let height = Height(5);
    for (part, words) in [
        (keys::Part::Body, "block 5"),
        (keys::Part::Header, "block 5"),
        (
            keys::Part::Checkpoint,
            "block 6 is damaged: its validator set",
        ),
    ] {
        let key = keys::part(height, part);
        let value = store
            .database
            .get(Table::Chain, &key, "test")
            .unwrap()
            .unwrap();
        let mut changed = value.clone();
        *changed.last_mut().unwrap() ^= 1;
        finds(&store, Table::Chain, &key, Some(&changed), words);
        finds(&store, Table::Chain, &key, None, "a part of it is missing");
    }
    let hash = store.block_hash(height).unwrap().unwrap();
    let key = keys::block_hash(&hash);
    finds(
        &store,
        Table::Index,
        &key,
        None,
        "it is not found by its hash",
    );
    // A block of the fixture has receipts that no execution made.
    let decided = Decided::next(&store, &StateDiff::default(), vec![transfer("a", 0)]);
    decided.commit(&store).unwrap();
    let tip = store.tip().unwrap().height;
    let error = store.audit_block(tip, None).unwrap_err().to_string();
    assert!(
        error.contains("its receipts are not those of its header"),
        "{error}"
    );
}

#[test]
fn a_copy_has_all_of_its_moment_and_nothing_later() {
    let (dir, store) = rich();
    let to = dir.path().join("copy");
    let tip = store.tip();
    store.copy_to(&to).unwrap();
    let again = store.copy_to(&to).unwrap_err();
    assert!(!again.is_halt(), "{again}");
    advance(&store, &StateDiff::default());
    let bytes = || -> Vec<(std::ffi::OsString, u64)> {
        let mut files: Vec<_> = std::fs::read_dir(&to)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().len()))
            .collect();
        files.sort();
        files
    };
    let before = bytes();
    for _ in 0..2 {
        let copy = Store::open_read_only(&to, identity(), OPTIONS).unwrap();
        assert_eq!(copy.tip(), tip);
        audit(&copy).unwrap();
        let refused = copy.clear_undecided().unwrap_err();
        assert!(matches!(refused, StoreError::Write { .. }), "{refused}");
    }
    assert_eq!(bytes(), before, "looking changes nothing");
    let nothing = Store::open_read_only(&dir.path().join("none"), identity(), OPTIONS);
    assert!(matches!(nothing.err(), Some(StoreError::NoDatabase { .. })));
    let mut other = identity();
    other.chain_id += 1;
    let other = Store::open_read_only(&to, other, OPTIONS);
    assert!(matches!(other.err(), Some(StoreError::WrongGenesis { .. })));
}

#[test]
fn all_is_read_again_in_steps_and_compacted() {
    let (_dir, store) = rich();
    let mut whole = ReadThrough::default();
    assert!(!store.read_on(&mut whole, u64::MAX).unwrap());
    let mut steps = ReadThrough::default();
    let mut count = 1;
    while store.read_on(&mut steps, 1_000).unwrap() {
        count += 1;
    }
    assert_eq!(steps, whole);
    assert!(count > 10 && whole.entries > 1_000, "{count} {whole:?}");
    let mut tables = Vec::new();
    store.compact_all(|table| tables.push(table)).unwrap();
    let sizes = store.sizes().unwrap();
    let names: Vec<_> = sizes.iter().map(|table| table.name).collect();
    assert_eq!(tables, names);
    let state = sizes.iter().find(|table| table.name == "state").unwrap();
    assert!(state.bytes > 1_000 && state.entries > 100, "{state:?}");
    audit(&store).unwrap();
}

/// A byte that rots in a file is found by reading.
#[test]
fn what_rots_on_the_disk_is_found() {
    let (dir, store) = rich();
    store.compact_all(|_| ()).unwrap();
    drop(store);
    let mut files: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "sst"))
        .collect();
    files.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    let file = files.last().unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    bytes[40] ^= 1;
    std::fs::write(file, bytes).unwrap();
    let store = Store::open_read_only(dir.path(), identity(), OPTIONS).unwrap();
    let error = store.read_on(&mut ReadThrough::default(), u64::MAX);
    let error = error.expect_err("a checksum differs");
    assert!(
        error.is_halt() && matches!(error, StoreError::Read { .. }),
        "{error}"
    );
}
