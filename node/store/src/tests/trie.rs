//! The trie alone: against another implementation, Ethereum's vectors, and itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes, hex, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use eth_trie::{EthTrie, MemoryDB, Trie as _};
use proptest::prelude::*;

use crate::trie::{KeyChange, prove, update};

/// Nodes as the database would hold them.
#[derive(Default)]
struct Nodes {
    stored: RefCell<BTreeMap<Nibbles, Vec<u8>>>,
    /// Values by key, if updates shall know them.
    values: Option<RefCell<BTreeMap<Nibbles, Vec<u8>>>>,
}

impl Nodes {
    fn update(&self, changes: &BTreeMap<Nibbles, Option<Vec<u8>>>) -> B256 {
        let known = self.values.as_ref().map(|values| values.borrow().clone());
        if let Some(values) = &self.values {
            values.borrow_mut().extend(
                changes
                    .iter()
                    .map(|(key, value)| (*key, value.clone().unwrap_or_default())),
            );
            values.borrow_mut().retain(|_, value| !value.is_empty());
        }
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, value)| KeyChange {
                key: *key,
                before: known
                    .as_ref()
                    .and_then(|values| values.get(key).map(Vec::as_slice)),
                value: value.as_deref(),
            })
            .collect();
        let read = |path: &Nibbles| Ok(self.stored.borrow().get(path).cloned());
        let updated = update(&read, Vec::new(), &changes).unwrap();
        for (path, node) in updated.nodes {
            let before = self.stored.borrow().get(&path).cloned();
            assert_eq!(before, node.before, "{path:?}");
            match node.after {
                Some(bytes) => self.stored.borrow_mut().insert(path, bytes),
                None => self.stored.borrow_mut().remove(&path),
            };
        }
        updated.root
    }

    fn prove(&self, key: Nibbles) -> Vec<Bytes> {
        let read = |path: &Nibbles| Ok(self.stored.borrow().get(path).cloned());
        prove(&read, key).unwrap()
    }
}

/// 256 keys that share long prefixes and part at few places, so that branches, extensions
/// and nodes small enough to live in their parent come and go.
fn key(choice: u8) -> B256 {
    const BYTES: [u8; 4] = [0x00, 0x01, 0x10, 0x11];
    let mut key = B256::ZERO;
    for (turn, position) in [0, 1, 16, 31].into_iter().enumerate() {
        key[position] = BYTES[usize::from(choice >> (2 * turn)) % 4];
    }
    key
}

/// A value that is one byte is below 0x80, as RLP items are: eth_trie misreads others.
fn batches() -> impl Strategy<Value = Vec<BTreeMap<u8, Option<Vec<u8>>>>> {
    let value = prop_oneof![
        2 => Just(None),
        2 => prop::collection::vec(1u8..=127, 1..3).prop_map(Some),
        1 => prop::collection::vec(1u8..=255, 33..80).prop_map(Some),
    ];
    let batch = prop::collection::btree_map(any::<u8>(), value, 0..24);
    prop::collection::vec(batch, 1..8)
}

fn filled() -> impl Strategy<Value = BTreeMap<u8, Vec<u8>>> {
    let value = prop::collection::vec(1u8..=255, 1..40);
    prop::collection::btree_map(any::<u8>(), value, 2..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn agrees_with_another_trie_after_every_batch(
        batches in batches(),
        known in any::<bool>(),
    ) {
        let nodes = Nodes {
            values: known.then(RefCell::default),
            ..Nodes::default()
        };
        let mut model = BTreeMap::<Nibbles, Vec<u8>>::new();
        let mut oracle = EthTrie::new(Arc::new(MemoryDB::new(false)));
        for batch in batches {
            let mut changes = BTreeMap::new();
            for (choice, value) in batch {
                let key = key(choice);
                match &value {
                    Some(value) => {
                        oracle.insert(key.as_slice(), value).unwrap();
                        model.insert(Nibbles::unpack(key), value.clone());
                    }
                    None => {
                        oracle.remove(key.as_slice()).unwrap();
                        model.remove(&Nibbles::unpack(key));
                    }
                }
                changes.insert(Nibbles::unpack(key), value);
            }
            let root = nodes.update(&changes);
            prop_assert_eq!(root.0, oracle.root_hash().unwrap().0);

            // The same nodes as if the trie had been built at once: none is left behind.
            let fresh = Nodes::default();
            let all = model.iter().map(|(key, value)| (*key, Some(value.clone())));
            prop_assert_eq!(fresh.update(&all.collect()), root);
            prop_assert_eq!(&*fresh.stored.borrow(), &*nodes.stored.borrow());

            for choice in 0..=255 {
                let key = Nibbles::unpack(key(choice));
                let value = model.get(&key).cloned();
                let proof = nodes.prove(key);
                prop_assert!(verify_proof(root, key, value, &proof).is_ok(), "{:?}", key);
            }
        }
    }

    #[test]
    fn a_changed_bit_or_value_spoils_a_proof(
        batch in filled(),
        node in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let nodes = Nodes::default();
        let changes: BTreeMap<_, _> = batch
            .iter()
            .map(|(choice, value)| (Nibbles::unpack(key(*choice)), Some(value.clone())))
            .collect();
        let root = nodes.update(&changes);
        let (key, value) = changes.first_key_value().unwrap();
        let proof = nodes.prove(*key);
        prop_assert!(verify_proof(root, *key, value.clone(), &proof).is_ok());
        prop_assert!(verify_proof(root, *key, None, &proof).is_err());
        let longer = value.as_ref().map(|value| [value.as_slice(), &[1]].concat());
        prop_assert!(verify_proof(root, *key, longer, &proof).is_err());

        let mut spoilt = proof.clone();
        let target = &mut spoilt[node.index(proof.len())];
        let mut bytes = target.to_vec();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        *target = bytes.into();
        prop_assert!(verify_proof(root, *key, value.clone(), &spoilt).is_err());
        let shorter = &proof[..proof.len() - 1];
        prop_assert!(verify_proof(root, *key, value.clone(), shorter).is_err());
    }
}

#[test]
fn a_missing_or_damaged_node_is_an_error() {
    let nodes = Nodes::default();
    let changes = (0..=255).map(|choice| (Nibbles::unpack(key(choice)), Some(vec![choice; 40])));
    nodes.update(&changes.collect());
    let victim = Nibbles::from_nibbles([0, 0]);
    let whole = nodes.stored.borrow().get(&victim).unwrap().clone();
    let deleted = [KeyChange {
        key: Nibbles::unpack(key(0)),
        before: None,
        value: None,
    }];
    for damage in [None, Some(vec![0x80]), Some(whole[..9].to_vec())] {
        let read = |path: &Nibbles| {
            if *path == victim {
                return Ok(damage.clone());
            }
            Ok(nodes.stored.borrow().get(path).cloned())
        };
        let words = prove(&read, deleted[0].key).unwrap_err().to_string();
        assert!(words.starts_with("stored trie node at"), "{words}");
        assert!(update(&read, Vec::new(), &deleted).unwrap_err().is_halt());
    }
}

/// One case of ethereum/tests: steps to apply in this order, and the root after them.
struct Case {
    name: String,
    steps: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    any_order: bool,
    root: B256,
}

fn cases(file: &str) -> Vec<Case> {
    let folder = std::env::var("TBSI_VECTORS")
        .map_or_else(|_| PathBuf::from("../../../shared/vectors"), PathBuf::from);
    let path = folder.join("ethereum-tests/TrieTests").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let parse = |value: &serde_json::Value| {
        let text = value.as_str()?;
        let bytes = text
            .strip_prefix("0x")
            .map(|digits| hex::decode(digits).unwrap());
        Some(bytes.unwrap_or_else(|| text.as_bytes().to_vec()))
    };
    let object = json.as_object().unwrap();
    let case = |(name, case): (&String, &serde_json::Value)| Case {
        name: format!("{file} {name}"),
        steps: if let Some(pairs) = case["in"].as_object() {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| (parse(&key.as_str().into()).unwrap(), parse(value)))
                .collect()
        } else {
            let pairs = case["in"].as_array().unwrap().iter();
            pairs
                .map(|pair| (parse(&pair[0]).unwrap(), parse(&pair[1])))
                .collect()
        },
        any_order: case["in"].is_object(),
        root: case["root"].as_str().unwrap().parse().unwrap(),
    };
    object.iter().map(case).collect()
}

fn root_after(steps: &[(Nibbles, Option<Vec<u8>>)]) -> B256 {
    let nodes = Nodes::default();
    let mut root = EMPTY_ROOT_HASH;
    for (key, value) in steps {
        root = nodes.update(&BTreeMap::from([(*key, value.clone())]));
    }
    root
}

fn check(case: &Case, steps: Vec<(Nibbles, Option<Vec<u8>>)>) {
    assert_eq!(root_after(&steps), case.root, "{}", case.name);
    if case.any_order {
        let backwards: Vec<_> = steps.iter().cloned().rev().collect();
        assert_eq!(root_after(&backwards), case.root, "{}", case.name);
    }
    let at_once = steps.into_iter().collect();
    assert_eq!(
        Nodes::default().update(&at_once),
        case.root,
        "{}",
        case.name
    );
}

#[test]
fn passes_the_trie_tests_of_ethereum() {
    let secure = [
        "trietest_secureTrie.json",
        "trieanyorder_secureTrie.json",
        "hex_encoded_securetrie_test.json",
    ];
    let mut passed = 0;
    for case in secure.into_iter().flat_map(cases) {
        let hashed =
            |(key, value): &(Vec<u8>, _)| (Nibbles::unpack(keccak256(key)), Option::clone(value));
        check(&case, case.steps.iter().map(hashed).collect());
        passed += 1;
    }
    assert_eq!(passed, 13);
}

/// A key that is the beginning of another needs branches with values. The tries of a state
/// have hashes for keys and no such branches, so those cases are left out.
#[test]
fn passes_the_plain_trie_tests_without_branch_values() {
    let mut passed = 0;
    for case in ["trietest.json", "trieanyorder.json"]
        .into_iter()
        .flat_map(cases)
    {
        let nested = case.steps.iter().any(|(one, _)| {
            let longer = |other: &[u8]| other != one && other.starts_with(one);
            case.steps.iter().any(|(other, _)| longer(other))
        });
        if nested {
            continue;
        }
        let plain = |(key, value): &(Vec<u8>, _)| (Nibbles::unpack(key), Option::clone(value));
        check(&case, case.steps.iter().map(plain).collect());
        passed += 1;
    }
    assert!(passed >= 4, "{passed}");
}
