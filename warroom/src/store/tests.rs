use tbsi_types::log::tile::push_entry;
use tbsi_types::log::{
    Attestation, DigestWords, EntryBundle, Frontier, Leaf, LeafHead, Lookup, Statement,
};
use tbsi_types::{Address, Height, TimestampMs};

use super::*;
use crate::digest::{Batch, Facet, number_word};
use crate::registry::Registry;
use crate::tree::SignedBundle;

const NETWORK: B256 = B256::repeat_byte(7);

fn leaf(number: u64) -> Leaf {
    let digest = tbsi_types::sha256(&[&number.to_be_bytes()]);
    Leaf {
        head: LeafHead {
            chain_id: 1,
            height: Height(number + 1),
            time: TimestampMs(1_000 * number),
            transaction_index: 0,
            ordinal: 0,
            issuer: Address::repeat_byte(3),
        },
        statement: Statement::Attestation(Attestation {
            schema: B256::repeat_byte(4),
            algorithm: 0x12,
            digest: DigestWords::of(0x12, digest.as_slice()).unwrap(),
        }),
    }
}

/// The leaves from where the index is up to `size`, as one batch.
fn batch(store: &Store, size: u64) -> Batch {
    let frontier = store.view().frontier().unwrap();
    let from = frontier.size();
    let mut batch = Batch::after(frontier, Registry::default());
    for bundle in EntryBundle::changed(from, tbsi_types::TreeSize(size)) {
        let first = bundle.index * 256;
        let mut bytes = Vec::new();
        for number in first..first + u64::from(bundle.width) {
            push_entry(&mut bytes, &leaf(number).encode().unwrap()).unwrap();
        }
        batch
            .add(SignedBundle { bundle, bytes }, Vec::new())
            .unwrap();
    }
    batch
}

fn root(size: u64) -> B256 {
    let mut frontier = Frontier::default();
    for number in 0..size {
        let bytes = leaf(number).encode().unwrap();
        frontier.append(tbsi_types::log::leaf_hash(&bytes), |_, _| ());
    }
    frontier.root()
}

#[test]
fn what_was_written_is_read_and_proven() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), NETWORK).unwrap();
    for size in [1, 255, 256, 257, 70_000] {
        let next = batch(&store, size);
        store.write(&next).unwrap();
    }
    drop(store);
    let store = Store::open(dir.path(), NETWORK).unwrap();
    let mut reader = ReadOnly::open(store.path()).unwrap();
    reader
        .at_once(|view| {
            assert_eq!(view.frontier().unwrap().root(), root(70_000));
            assert_eq!(view.last().unwrap(), Some((70_000, 69_999_000)));
            for size in [1, 256, 65_537, 70_000] {
                assert_eq!(view.root_at(tbsi_types::TreeSize(size)), Some(root(size)));
            }
            for number in [0, 255, 256, 65_536, 69_999] {
                let found = view.leaf(number).unwrap().unwrap();
                assert_eq!(found.leaf, leaf(number));
                let proof = view.inclusion(number, 70_000).unwrap();
                let hash = tbsi_types::log::leaf_hash(&found.bytes);
                let index = tbsi_types::LeafIndex(number);
                let computed = proof.root(hash, index, tbsi_types::TreeSize(70_000));
                assert_eq!(computed, Ok(root(70_000)));
                let Statement::Attestation(it) = found.leaf.statement else {
                    panic!("{found:?}");
                };
                let lookup = Lookup::digest(&it.digest.to_bytes()).unwrap();
                let (by_digest, more) = view.find(&lookup).unwrap();
                assert_eq!((by_digest.len(), more), (1, false));
                assert_eq!(by_digest[0].position, number);
            }
            assert_eq!(view.leaf(70_000).unwrap(), None);
            let all = view.total(Facet::Kind, number_word(1)).unwrap().unwrap();
            assert_eq!(all.count, 70_000);
            assert_eq!(view.bundle_of_height(70_000).unwrap(), Some(273));
            assert_eq!(view.bundle_of_height(70_001).unwrap(), None);
        })
        .unwrap();
}

#[test]
fn a_full_disk_stops_a_batch_and_spoils_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), NETWORK).unwrap();
    let first = batch(&store, 300);
    store.write(&first).unwrap();
    store.limit_pages(60);
    let second = batch(&store, 20_000);
    let full = store.write(&second).unwrap_err();
    let told = full.said(store.path());
    assert!(
        told.en.contains("The disk is full: make room."),
        "{}",
        told.en
    );
    assert!(told.zh_tw.contains("磁碟已滿"), "{}", told.zh_tw);
    assert_eq!(store.view().frontier().unwrap().root(), root(300));
    assert_eq!(store.view().leaf(300).unwrap(), None);
    // With room again it goes on from there.
    store.limit_pages(1_000_000);
    store.write(&second).unwrap();
    assert_eq!(store.view().frontier().unwrap().root(), root(20_000));
}

#[test]
fn what_it_cannot_use_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), NETWORK).unwrap());
    let refused = |data: &Path, words: &str| {
        let error = Store::open(data, NETWORK).err().unwrap();
        assert!(error.en.contains(words), "{}", error.en);
        assert!(!error.zh_tw.is_ascii(), "{}", error.zh_tw);
    };
    let other = Store::open(dir.path(), B256::ZERO).err().unwrap();
    assert!(other.en.contains("genesis hash"), "{}", other.en);
    let file = dir.path().join(FILE);
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    refused(dir.path(), "has form 99");
    std::fs::write(&file, b"no database at all, but long enough to look at").unwrap();
    refused(dir.path(), "Remove the file");
    refused(&file, "make the directory");
}

#[test]
fn a_file_that_may_not_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path(), NETWORK).unwrap();
    let next = batch(&store, 300);
    store
        .connection
        .pragma_update(None, "query_only", true)
        .unwrap();
    let refused = store.write(&next).unwrap_err().said(store.path());
    assert!(refused.en.contains("the right to write"), "{}", refused.en);
    assert_eq!(store.view().frontier().unwrap(), Frontier::default());
}
