//! Which directories open.

use alloy_primitives::B256;
use tbsi_types::{ChainIdentity, Height};

use super::fixture::{CHAIN_ID, OPTIONS, identity, ticked};
use crate::database::{Database, Table};
use crate::store::SCHEMA_VERSION;
use crate::{Store, StoreError, StoreOptions, keys};

#[test]
fn an_empty_store_has_no_tip_and_no_state() {
    let dir = tempfile::tempdir().unwrap();
    let nested = dir.path().join("not/there/yet");
    let store = Store::open(&nested, identity(), OPTIONS).unwrap();
    assert_eq!(store.tip(), None);
    assert!(matches!(store.state_at(Height(0)), Err(StoreError::Empty)));
    assert_eq!(store.header(Height(0)).unwrap(), None);
    drop(store);
    let again = Store::open(&nested, identity(), OPTIONS).unwrap();
    assert_eq!(again.tip(), None);
}

#[test]
fn finds_its_tip_again() {
    let (dir, store) = ticked(3);
    let tip = store.tip();
    assert_eq!(tip.unwrap().height, Height(3));
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.tip(), tip);
}

#[test]
fn refuses_another_network() {
    let (dir, store) = ticked(0);
    drop(store);
    let other = ChainIdentity {
        chain_id: CHAIN_ID,
        genesis_hash: B256::repeat_byte(0x0e),
    };
    let error = Store::open(dir.path(), other, OPTIONS).err().unwrap();
    assert!(error.is_halt());
    let words = error.to_string();
    assert!(
        words.starts_with("data directory belongs to another network"),
        "{words}"
    );
    assert!(
        words.contains(&identity().genesis_hash.to_string()),
        "{words}"
    );
    assert!(words.contains(&other.genesis_hash.to_string()), "{words}");
    Store::open(dir.path(), identity(), OPTIONS).unwrap();
}

#[test]
fn refuses_a_newer_schema_even_with_unknown_tables() {
    let (dir, store) = ticked(0);
    let mut batch = store.database.batch();
    batch.put(
        Table::Meta,
        keys::SCHEMA,
        &(SCHEMA_VERSION + 1).to_be_bytes(),
    );
    batch.write("test").unwrap();
    drop(store);
    Database::add_table(dir.path(), "of-the-future");
    let error = Store::open(dir.path(), identity(), OPTIONS).err().unwrap();
    assert!(matches!(
        error,
        StoreError::SchemaVersion {
            found: 6,
            supported: 5
        }
    ));
    let words = error.to_string();
    assert!(
        words.contains("run the version of tbsi that wrote it"),
        "{words}"
    );
}

#[test]
fn refuses_a_directory_in_use() {
    let (dir, _store) = ticked(0);
    let error = Store::open(dir.path(), identity(), OPTIONS).err().unwrap();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("stop that process"), "{error}");
}

#[test]
fn refuses_a_directory_that_is_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Store::open(file.path(), identity(), OPTIONS).err().unwrap();
    assert!(
        matches!(error, StoreError::CreateDirectory { .. }),
        "{error}"
    );
}

#[test]
fn refuses_a_window_below_the_promise() {
    let dir = tempfile::tempdir().unwrap();
    let short = StoreOptions {
        history_blocks: 127,
        ..OPTIONS
    };
    let error = Store::open(dir.path(), identity(), short).err().unwrap();
    assert_eq!(
        error.to_string(),
        "option `history_blocks` or `keep_blocks` is 127, at least 128 are required"
    );
}

#[test]
fn damaged_records_are_errors() {
    for key in [keys::SCHEMA, keys::IDENTITY, keys::TIP] {
        let (dir, store) = ticked(0);
        let mut batch = store.database.batch();
        batch.put(Table::Meta, key, &[1, 2, 3]);
        batch.write("test").unwrap();
        drop(store);
        let error = Store::open(dir.path(), identity(), OPTIONS).err().unwrap();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}
