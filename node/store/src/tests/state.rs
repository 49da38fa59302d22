//! State and its past: against a model and another trie, proofs at every height.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use eth_trie::{EthTrie, MemoryDB, Trie as _};
use proptest::prelude::*;
use tbsi_types::{Account, AccountChange, Height, StateDiff, StateView};

use super::fixture::{OPTIONS, account, address, advance, change, diff, identity, tick, ticked};
use crate::database::Table;
use crate::limits::PROOF_SLOTS_MAX;
use crate::{Store, StoreError};

const ADDRESSES: u8 = 6;
const SLOTS: u64 = 12;

type Model = BTreeMap<Address, (Account, BTreeMap<U256, U256>)>;

fn apply(model: &mut Model, diff: &StateDiff) {
    for (address, change) in &diff.accounts {
        let Some(account) = change.account else {
            model.remove(address);
            continue;
        };
        let entry = model.entry(*address).or_default();
        entry.0 = account;
        if change.storage_wiped {
            entry.1.clear();
        }
        entry.1.extend(&change.storage);
        entry.1.retain(|_, value| !value.is_zero());
    }
}

fn trie_root(items: impl Iterator<Item = (B256, Vec<u8>)>) -> B256 {
    let mut trie = EthTrie::new(Arc::new(MemoryDB::new(false)));
    for (key, value) in items {
        trie.insert(key.as_slice(), &value).unwrap();
    }
    B256::new(trie.root_hash().unwrap().0)
}

fn storage_root(slots: &BTreeMap<U256, U256>) -> B256 {
    let slot = |(slot, value): (&U256, &U256)| {
        (
            keccak256(slot.to_be_bytes::<32>()),
            alloy_rlp::encode(value),
        )
    };
    trie_root(slots.iter().map(slot))
}

fn trie_account((account, slots): &(Account, BTreeMap<U256, U256>)) -> TrieAccount {
    TrieAccount::new(
        account.nonce,
        account.balance,
        storage_root(slots),
        account.code_hash,
    )
}

fn state_root(model: &Model) -> B256 {
    let account = |(address, entry): (&Address, _)| {
        (keccak256(address), alloy_rlp::encode(trie_account(entry)))
    };
    trie_root(model.iter().map(account))
}

/// Every account and slot, present or not, as read and as proven.
fn check(store: &Store, height: Height, root: B256, model: &Model) {
    let state = store.state_at(height).unwrap();
    // Of the latest state what is read twice is the second time in memory.
    let asked = store.asked_state_at(height).unwrap();
    let slots: Vec<_> = (0..SLOTS).map(U256::from).collect();
    for address in (0..ADDRESSES).map(address) {
        let expected = model.get(&address);
        assert_eq!(state.account(address).unwrap(), expected.map(|e| e.0));
        for _ in 0..2 {
            assert_eq!(asked.account(address).unwrap(), expected.map(|e| e.0));
        }
        let proof = store.prove(height, address, &slots).unwrap();
        assert_eq!(proof.account, expected.map(|e| e.0));
        let leaf = expected.map(trie_account);
        let storage_root = leaf.map_or(EMPTY_ROOT_HASH, |leaf| leaf.storage_root);
        assert_eq!(proof.storage_root, storage_root);
        let leaf = leaf.map(alloy_rlp::encode);
        let key = Nibbles::unpack(keccak256(address));
        verify_proof(root, key, leaf, &proof.nodes).unwrap();
        for (slot, proven) in slots.iter().zip(&proof.slots) {
            let value = expected.and_then(|e| e.1.get(slot)).copied();
            assert_eq!(proven.value, value.unwrap_or_default());
            assert_eq!(state.storage(address, *slot).unwrap(), proven.value);
            for _ in 0..2 {
                assert_eq!(asked.storage(address, *slot).unwrap(), proven.value);
            }
            let key = Nibbles::unpack(keccak256(slot.to_be_bytes::<32>()));
            let leaf = value.map(alloy_rlp::encode);
            verify_proof(storage_root, key, leaf, &proven.nodes).unwrap();
        }
    }
}

fn account_change() -> impl Strategy<Value = AccountChange> {
    let slots = prop::collection::btree_map(0..SLOTS, 0u64..4, 0..8);
    let exists = (0u64..3, 0u64..3, prop::bool::weighted(0.2), slots);
    prop_oneof![
        1 => Just(AccountChange::default()),
        6 => exists.prop_map(|(nonce, balance, storage_wiped, slots)| AccountChange {
            storage_wiped,
            ..change(account(nonce, balance), &slots.into_iter().collect::<Vec<_>>())
        }),
    ]
}

fn diffs() -> impl Strategy<Value = Vec<(StateDiff, bool)>> {
    let accounts =
        prop::collection::btree_map((0..ADDRESSES).prop_map(address), account_change(), 0..5);
    let block = (accounts.prop_map(diff), prop::bool::weighted(0.15));
    prop::collection::vec(block, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_a_model_at_every_height(blocks in diffs()) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
        let mut model = Model::new();
        let mut past = Vec::new();
        for (diff, reopen) in blocks {
            apply(&mut model, &diff);
            let height = advance(&store, &diff);
            let root = store.tip().unwrap().state_root;
            prop_assert_eq!(root, state_root(&model));
            past.push((height, root, model.clone(), diff));
            if reopen {
                drop(store);
                store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
            }
        }
        for pair in past.windows(2) {
            let ((before, ..), (_, root, _, diff)) = (&pair[0], &pair[1]);
            let state = store.state_at(*before).unwrap();
            prop_assert_eq!(state.root_after(diff).unwrap(), *root);
        }
        for (height, root, model, _) in &past {
            check(&store, *height, *root, model);
        }
        store.database.compact(Table::History);
        store.database.compact(Table::State);
        for (height, root, model, _) in &past {
            check(&store, *height, *root, model);
        }
    }
}

#[test]
fn an_empty_diff_keeps_the_root() {
    let (_dir, store) = ticked(1);
    let update = store.state_root(&StateDiff::default()).unwrap();
    assert_eq!(update.root(), store.tip().unwrap().state_root);
    let same = store.state_root(&tick(1)).unwrap();
    assert_eq!(same.root(), update.root());
    assert!(same.writes.is_empty(), "a value written again is no change");
    let other = store.state_root(&tick(2)).unwrap();
    assert_ne!(other.root(), update.root());
}

#[test]
fn an_account_that_goes_takes_its_storage_along() {
    let (_dir, store) = ticked(0);
    let gone = diff([(address(0), AccountChange::default())]);
    advance(&store, &gone);
    assert_eq!(store.tip().unwrap().state_root, EMPTY_ROOT_HASH);
    advance(&store, &diff([(address(0), change(account(7, 7), &[]))]));
    let state = store.state_at(Height(2)).unwrap();
    assert_eq!(
        state.storage(address(0), U256::from(1)).unwrap(),
        U256::ZERO
    );
    let proof = store
        .prove(Height(2), address(0), &[U256::from(1)])
        .unwrap();
    assert_eq!(proof.storage_root, EMPTY_ROOT_HASH);
    assert!(proof.slots[0].nodes.is_empty());
    let before = store.state_at(Height(0)).unwrap();
    assert_eq!(
        before.storage(address(0), U256::from(1)).unwrap(),
        U256::from(1)
    );
}

#[test]
fn code_is_found_by_its_hash_and_hashes_by_height() {
    let (_dir, store) = ticked(0);
    let code = Bytes::from_static(&[0x60, 0x00]);
    let owner = Account {
        code_hash: keccak256(&code),
        ..account(1, 0)
    };
    let mut deploy = diff([(address(1), change(owner, &[]))]);
    deploy.codes.insert(owner.code_hash, code.clone());
    advance(&store, &deploy);
    let state = store.state_at(Height(1)).unwrap();
    assert_eq!(state.code(owner.code_hash).unwrap(), code);
    assert_eq!(
        state.code(Account::default().code_hash).unwrap(),
        Bytes::new()
    );
    let error = state.code(B256::repeat_byte(1)).unwrap_err();
    assert!(
        error.to_string().starts_with("read state: code 0x0101"),
        "{error}"
    );

    let hash = store.block_hash(Height(0)).unwrap().unwrap();
    assert_eq!(state.block_hash(0).unwrap(), hash);
    let past = store.state_at(Height(0)).unwrap();
    assert_eq!(
        past.block_hash(1).unwrap(),
        B256::ZERO,
        "not there yet, seen from genesis"
    );
}

#[test]
fn the_window_moves_and_compaction_drops_what_is_behind_it() {
    let entries = |store: &Store| {
        let mut count = 0;
        let view = store.database.snapshot();
        view.scan(Table::History, &[], "history", |_, _| {
            count += 1;
            Ok(true)
        })
        .unwrap();
        count
    };
    let (dir, store) = ticked(OPTIONS.history_blocks + 40);
    assert_eq!(store.oldest_state(), Height(40));
    let per_block = entries(&store) / 168;
    store.database.compact(Table::History);
    assert_eq!(
        entries(&store),
        128 * per_block,
        "one set for each height from 41 to 168"
    );

    let check = |store: &Store| {
        for height in 40..=168 {
            let state = store.state_at(Height(height)).unwrap();
            assert_eq!(state.account(address(0)).unwrap().unwrap().nonce, height);
            let root = store.header(Height(height)).unwrap().unwrap().state_root;
            let proof = store.prove(Height(height), address(0), &[]).unwrap();
            assert_eq!(keccak256(&proof.nodes[0]), root);
        }
        for height in [0, 39, 169] {
            assert!(matches!(
                store.state_at(Height(height)),
                Err(StoreError::StateNotAvailable {
                    oldest: Height(40),
                    tip: Height(168),
                    ..
                })
            ));
        }
    };
    check(&store);
    drop(store);
    // A longer window does not bring back what is gone.
    let longer = crate::StoreOptions {
        history_blocks: 1000,
        ..OPTIONS
    };
    check(&Store::open(dir.path(), identity(), longer).unwrap());
}

#[test]
fn an_archive_keeps_every_state() {
    let dir = tempfile::tempdir().unwrap();
    let archive = crate::StoreOptions {
        history_blocks: u64::MAX,
        ..OPTIONS
    };
    let store = Store::open(dir.path(), identity(), archive).unwrap();
    let last = OPTIONS.history_blocks + 40;
    for n in 0..=last {
        advance(&store, &tick(n));
    }
    store.database.compact(Table::History);
    assert_eq!(store.oldest_state(), Height(0));
    for height in 0..=last {
        let state = store.state_at(Height(height)).unwrap();
        assert_eq!(state.account(address(0)).unwrap().unwrap().nonce, height);
        let slot = state.storage(address(0), U256::from(1)).unwrap();
        assert_eq!(slot, U256::from(height + 1));
        let root = store.header(Height(height)).unwrap().unwrap().state_root;
        let proof = store.prove(Height(height), address(0), &[]).unwrap();
        assert_eq!(keccak256(&proof.nodes[0]), root);
    }
}

#[test]
fn a_state_that_leaves_the_window_while_it_is_read_is_an_error() {
    let (_dir, store) = ticked(1);
    let past = store.state_at(Height(0)).unwrap();
    let present = store.state_at(Height(1)).unwrap();
    for n in 2..=130 {
        advance(&store, &tick(n));
    }
    store.database.compact(Table::History);
    let error = past.account(address(0)).unwrap_err();
    assert!(
        error.to_string().starts_with("read state: account"),
        "{error}"
    );
    assert!(matches!(
        past.prove(address(0), &[]),
        Err(StoreError::StateNotAvailable {
            height: Height(0),
            oldest: Height(2),
            ..
        })
    ));
    let nonce = present.account(address(0)).unwrap().unwrap().nonce;
    assert_eq!(nonce, 1, "it was the tip, so it needs no history");
}

#[test]
fn readers_see_one_height_while_blocks_are_committed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let all = |n: u64| {
        let accounts = (0..ADDRESSES).map(|a| (address(a), change(account(n, 1), &[(3, n + 1)])));
        diff(accounts)
    };
    advance(&store, &all(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for back in [0, 3] {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                let mut seen = 0;
                while !done.load(Ordering::Relaxed) {
                    let tip = store.tip().unwrap().height;
                    let height = Height(tip.0.saturating_sub(back));
                    let state = store.state_at(height).unwrap();
                    for a in (0..ADDRESSES).map(address) {
                        let nonce = state.account(a).unwrap().unwrap().nonce;
                        let slot = state.storage(a, U256::from(3)).unwrap();
                        assert_eq!((nonce, slot), (height.0, U256::from(height.0 + 1)));
                    }
                    let root = store.header(height).unwrap().unwrap().state_root;
                    let proof = state.prove(address(0), &[]).unwrap();
                    assert_eq!(keccak256(&proof.nodes[0]), root);
                    seen += 1;
                }
                assert!(seen > 0);
            });
        }
        for n in 1..=150 {
            advance(&store, &all(n));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn proofs_of_too_many_slots_are_refused() {
    let (_dir, store) = ticked(0);
    let slots = vec![U256::ZERO; PROOF_SLOTS_MAX + 1];
    let error = store.prove(Height(0), address(0), &slots).unwrap_err();
    assert!(!error.is_halt());
    assert_eq!(
        error.to_string(),
        "proof of 1025 storage slots, at most 1024 are allowed"
    );
    let most = &slots[..PROOF_SLOTS_MAX];
    assert_eq!(
        store
            .prove(Height(0), address(0), most)
            .unwrap()
            .slots
            .len(),
        1024
    );
}
