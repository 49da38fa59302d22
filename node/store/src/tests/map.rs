//! The map follows from the leaves, block by block, and is the same after a restart.

use std::collections::BTreeMap;

use tbsi_types::log::{DigestWords, Leaf, LeafBatch, MapRoot, Statement};
use tbsi_types::map::state::{TAKEN_MIN, WAITING_MAX};
use tbsi_types::map::{
    EMPTY_MAP_ROOT, MapEnd, MapQuestion, MapValue, branch_hash, entry_hash, revoked_algorithms_hash,
};
use tbsi_types::{B256, Height, LeafIndex, StateDiff};

use super::fixture::{Decided, OPTIONS, identity, ticked};
use super::log::{attestation, digest, leaf};
use crate::Store;
use crate::database::Table;
use crate::error::StoreError;
use crate::keys;

/// Four blocks of the fixture.
const PERIOD: u64 = 1_000;

/// Commits a block whose receipts make these leaves; the map's root that it begins with.
fn append(store: &Store, leaves: &[Leaf]) -> Option<MapRoot> {
    let mut batch = LeafBatch::default();
    let height = store.tip().unwrap().height.next();
    for leaf in leaves {
        let mut leaf = *leaf;
        leaf.head.height = height;
        batch.push(&leaf.encode().unwrap());
    }
    let size = store.tip().unwrap().log_size;
    let log = (batch, PERIOD);
    let decided = Decided::of_log(store, &StateDiff::default(), Vec::new(), log);
    decided.commit(store).unwrap();
    root_at(store, LeafIndex(size.0), height)
}

fn root_at(store: &Store, index: LeafIndex, height: Height) -> Option<MapRoot> {
    let leaf = Leaf::decode(&store.leaf(index).unwrap()?).unwrap();
    let Statement::MapRoot(root) = leaf.statement else {
        return None;
    };
    assert_eq!(leaf.head.height, height);
    Some(root)
}

/// Empty blocks until a root is told.
fn wait(store: &Store) -> MapRoot {
    let mut roots = (0..5).filter_map(|_| append(store, &[]));
    roots.next().expect("a period ends")
}

fn attested(numbers: std::ops::Range<u64>) -> Vec<Leaf> {
    let leaf =
        |number: u64| attestation(digest(number), u32::try_from(number % 1_000_000).unwrap());
    numbers.map(leaf).collect()
}

fn about(number: u64) -> MapQuestion {
    MapQuestion::Digest(DigestWords::of(0x12, digest(number).as_slice()).unwrap())
}

fn first(store: &Store, number: u64) -> Option<(u64, u64)> {
    let question = about(number);
    let told = store.map_answers(&[question]).unwrap().unwrap();
    let Some(Statement::MapRoot(root)) = store
        .leaf(told.root)
        .unwrap()
        .map(|bytes| Leaf::decode(&bytes).unwrap().statement)
    else {
        panic!("no root")
    };
    let answer = &told.answers[0];
    assert_eq!(answer.root(&question.key()), Ok(root.root));
    match &answer.end {
        MapEnd::Entry(value) => match question.read(value).unwrap() {
            MapValue::Digest(first) => Some((first.index.0, first.height.0)),
            MapValue::Status(_) | MapValue::Schema(_) => panic!("another kind"),
        },
        MapEnd::Nothing | MapEnd::Other { .. } => None,
    }
}

/// The root of all leaves of the log below `size`, by the definition.
fn expected(store: &Store, size: u64) -> B256 {
    let mut entries: BTreeMap<B256, Vec<u8>> = BTreeMap::new();
    for index in (0..size).map(LeafIndex) {
        let leaf = Leaf::decode(&store.leaf(index).unwrap().unwrap()).unwrap();
        if let Some((question, value)) = MapValue::of(index, &leaf) {
            entries.entry(question.key()).or_insert(value.encode());
        }
    }
    root_of(&entries.into_iter().collect::<Vec<_>>(), 0)
}

fn root_of(entries: &[(B256, Vec<u8>)], depth: usize) -> B256 {
    match entries {
        [] => EMPTY_MAP_ROOT,
        [(key, value)] => entry_hash(key, value),
        many => {
            let left = |(key, _): &(B256, _)| key[depth / 8] >> (7 - depth % 8) & 1 == 0;
            let (left, right) = many.split_at(many.partition_point(left));
            branch_hash(&root_of(left, depth + 1), &root_of(right, depth + 1))
        }
    }
}

#[test]
fn a_root_is_told_after_each_period_in_which_something_was_said() {
    let (_dir, store) = ticked(0);
    assert!(store.map_answers(&[about(0)]).unwrap().is_none());
    for _ in 0..10 {
        assert_eq!(append(&store, &[]), None, "nothing was said");
    }
    append(&store, &attested(0..3));
    let root = wait(&store);
    assert_eq!((root.entries, root.root), (3, expected(&store, 3)));
    assert_eq!(root.height, Height(store.tip().unwrap().height.0 - 1));
    assert_eq!(root.digest_height, root.height);
    assert_eq!(root.revoked_algorithms, revoked_algorithms_hash(&[]));
    assert_eq!((first(&store, 1), first(&store, 9)), (Some((1, 11)), None));
    for _ in 0..10 {
        assert_eq!(append(&store, &[]), None, "the root is still right");
    }
    // Attested again, and nothing is different but what is known.
    append(&store, &attested(0..1));
    let again = wait(&store);
    assert_eq!((again.root, again.entries), (root.root, 3));
    assert_eq!(first(&store, 0), Some((0, 11)));
}

#[test]
fn what_a_block_says_beside_its_root_is_in_the_next_one() {
    let (_dir, store) = ticked(0);
    append(&store, &attested(0..1));
    let told = (1..9).find_map(|number| append(&store, &attested(number..number + 1)));
    let told = told.unwrap();
    let size = store.tip().unwrap().log_size.0;
    let root_at = store.map_answers(&[]).unwrap().unwrap().root;
    assert_eq!(root_at.0, size - 2, "the root is the block's first leaf");
    assert_eq!(told.root, expected(&store, root_at.0));
    assert_eq!(first(&store, told.entries), None);
    wait(&store);
    assert_eq!(first(&store, told.entries).unwrap().0, size - 1);
}

#[test]
fn much_waits_no_longer_than_it_has_to() {
    let (_dir, store) = ticked(0);
    let many = WAITING_MAX + 3_000;
    assert_eq!(append(&store, &attested(0..many)), None);
    assert!(store.is_map_crowded());
    // A block that is full of leaves takes few of those that wait.
    let own = attested(many..many + WAITING_MAX);
    let few = append(&store, &own).unwrap();
    assert_eq!(
        (few.entries, few.height, few.digest_height),
        (TAKEN_MIN, Height(1), Height(0))
    );
    assert_eq!(first(&store, 0), Some((0, 1)));
    assert_eq!(first(&store, TAKEN_MIN), None);
    let next = append(&store, &[]).unwrap();
    assert_eq!(
        (next.entries, next.digest_height),
        (TAKEN_MIN + WAITING_MAX, Height(0))
    );
    assert_eq!(next.root, expected(&store, TAKEN_MIN + WAITING_MAX));
    while store.is_map_crowded() {
        append(&store, &[]).unwrap();
    }
    let last = wait(&store);
    assert_eq!(last.entries, many + WAITING_MAX);
    assert_eq!(last.digest_height, last.height);
    let told = store.map_answers(&[]).unwrap().unwrap().root;
    assert_eq!(last.root, expected(&store, told.0));
    assert_eq!(store.map_waiting(), 1, "the root itself");
}

#[test]
fn what_is_said_of_ids_does_not_wait_for_digests() {
    let (_dir, store) = ticked(0);
    let (id, issuer) = (B256::repeat_byte(7), leaf_issuer());
    append(&store, &attested(0..3 * WAITING_MAX));
    let revoked = leaf(Statement::Revocation { id, reason: 4 }, 0);
    let set = Statement::AlgorithmSet {
        algorithm: 0x13,
        bits: 512,
        status: 3,
    };
    append(&store, &[revoked, leaf(set, 1)]).unwrap();
    let root = append(&store, &[]).unwrap();
    assert!(root.digest_height < root.height);
    assert_eq!(root.revoked_algorithms, revoked_algorithms_hash(&[0x13]));
    let question = MapQuestion::Status { id, issuer };
    let told = store.map_answers(&[question]).unwrap().unwrap();
    assert_eq!(told.revoked_algorithms, [0x13]);
    let MapEnd::Entry(value) = &told.answers[0].end else {
        panic!("it waits")
    };
    let MapValue::Status(said) = question.read(value).unwrap() else {
        panic!("another kind")
    };
    assert_eq!(said.revocation.unwrap().what, 4);
}

fn leaf_issuer() -> tbsi_types::Address {
    attested(0..1)[0].head.issuer
}

#[test]
fn a_restart_changes_nothing() {
    let blocks = |restarts: bool| {
        let (dir, mut store) = ticked(0);
        let mut roots = Vec::new();
        for number in 0..24 {
            let mut leaves = attested(3 * number..3 * number + 2);
            let id = B256::repeat_byte(u8::try_from(number).unwrap());
            leaves.push(leaf(Statement::Revocation { id, reason: 1 }, 9));
            roots.push(append(&store, &leaves));
            if restarts {
                drop(store);
                store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
            }
        }
        (roots, store.tip().unwrap().log_root)
    };
    let (roots, log) = blocks(false);
    assert!(roots.iter().flatten().count() > 3);
    assert_eq!(blocks(true), (roots, log));
}

#[test]
fn computing_a_block_twice_gives_the_same_root_and_writes_nothing() {
    let (_dir, store) = ticked(0);
    append(&store, &attested(0..50));
    append(&store, &[]);
    append(&store, &[]);
    let log = || (LeafBatch::default(), PERIOD);
    let next = || Decided::of_log(&store, &StateDiff::default(), Vec::new(), log());
    let mut one = next();
    while one.log.size() == store.tip().unwrap().log_size {
        one.commit(&store).unwrap();
        one = next();
    }
    let two = next();
    assert_eq!(one.checkpoint, two.checkpoint);
    assert!(store.map_answers(&[]).unwrap().is_none());
    two.commit(&store).unwrap();
    assert!(store.map_answers(&[]).unwrap().is_some());
}

#[test]
fn a_damaged_map_is_noticed_at_the_next_start() {
    let (dir, store) = ticked(0);
    append(&store, &attested(0..50));
    wait(&store);
    let mut batch = store.database.batch();
    batch.delete(Table::Map, &keys::map_page(&tbsi_types::map::MapPath::ROOT));
    batch.write("damage").unwrap();
    drop(store);
    let error = Store::open(dir.path(), identity(), OPTIONS)
        .err()
        .expect("refused");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}
