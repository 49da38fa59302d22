//! Words of storage, against tries that `alloy-trie` makes.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use alloy_trie::proof::verify_proof;
use proptest::prelude::*;
use tbsi_light::foreign::{ProofError, ProvenWord, StorageProof, prove_storage};

use crate::factory::{list, slot, string, words};
use crate::state::State;

const ACCOUNT: Address = Address::repeat_byte(0xac);

fn state(accounts: u8, count: usize) -> State {
    let others = (0..accounts).map(|byte| (Address::repeat_byte(byte), words(byte.into())));
    State::new(others.chain([(ACCOUNT, words(count))]).collect())
}

fn prove(state: &State, account: Address, at: B256) -> Result<ProvenWord, ProofError> {
    let (root, proof) = state.prove(account, at);
    prove_storage(root, account, at, &proof.encode().unwrap())
}

#[test]
fn shows_words_and_their_absence_in_tries_of_many_shapes() {
    for accounts in [0, 1, 2, 17, 100] {
        for count in [0, 1, 2, 3, 16, 17, 300] {
            let state = state(accounts, count);
            for at in (0..count).step_by(1 + count / 20) {
                let value = B256::from(U256::from(at + 1));
                let expected = ProvenWord {
                    value,
                    account_exists: true,
                    code_hash: keccak256(ACCOUNT),
                };
                assert_eq!(prove(&state, ACCOUNT, slot(at)), Ok(expected));
            }
            for at in [count, count + 1, 1_000_000] {
                let nothing = prove(&state, ACCOUNT, slot(at)).unwrap();
                assert_eq!((nothing.value, nothing.account_exists), (B256::ZERO, true));
            }
            let nobody = prove(&state, Address::repeat_byte(0xee), slot(0)).unwrap();
            assert_eq!((nobody.value, nobody.account_exists), (B256::ZERO, false));
        }
    }
    let large = State::new(vec![(ACCOUNT, vec![(slot(5), U256::MAX)])]);
    let shown = prove(&large, ACCOUNT, slot(5)).unwrap();
    assert_eq!(shown.value, B256::repeat_byte(0xff));
}

#[test]
fn an_empty_state_holds_nothing_and_needs_no_node() {
    let root = keccak256([0x80]);
    let none = prove_storage(root, ACCOUNT, slot(0), &[0, 0]).unwrap();
    assert!(!none.account_exists);
    let node = [&[1, 0, 1, 0x80][..], &[0]].concat();
    let surplus = prove_storage(root, ACCOUNT, slot(0), &node);
    assert_eq!(surplus, Err(ProofError::Surplus(0)));
    let other = prove_storage(B256::ZERO, ACCOUNT, slot(0), &[0, 0]);
    assert_eq!(other, Err(ProofError::Missing(0)));
    // Some clients write the empty trie as a node.
    let proof = StorageProof::new(vec![Bytes::from_static(&[0x80])], Vec::new());
    assert_eq!(proof.encode().unwrap(), [0, 0]);
}

#[test]
fn a_proof_is_whole_and_has_nothing_else() {
    let (root, proof) = state(40, 40).prove(ACCOUNT, slot(3));
    let (accounts, all) = (
        proof.account.len(),
        proof.account.len() + proof.storage.len(),
    );
    assert!(accounts > 1 && all > accounts + 1);
    let result =
        |proof: &StorageProof| prove_storage(root, ACCOUNT, slot(3), &proof.encode().unwrap());
    for position in 0..all {
        let mut shorter = proof.clone();
        let mut doubled = proof.clone();
        match position.checked_sub(accounts) {
            None => {
                shorter.account.remove(position);
                doubled
                    .account
                    .insert(position, proof.account[position].clone());
            }
            Some(at) => {
                shorter.storage.remove(at);
                doubled.storage.insert(at, proof.storage[at].clone());
            }
        }
        assert!(result(&shorter).is_err(), "{position}");
        assert!(result(&doubled).is_err(), "{position}");
    }
    let mut surplus = proof.clone();
    surplus.storage.push(Bytes::from_static(&[0xc0]));
    assert_eq!(result(&surplus), Err(ProofError::Surplus(all as u64)));
    let mut cut = proof.clone();
    cut.storage.pop();
    assert_eq!(result(&cut), Err(ProofError::Missing(all as u64 - 1)));
    let mut swapped = proof.clone();
    std::mem::swap(&mut swapped.account, &mut swapped.storage);
    assert_eq!(result(&swapped), Err(ProofError::Hash(0)));
    // Of a slot for another one, and of an account for another one.
    let encoded = proof.encode().unwrap();
    assert!(prove_storage(root, ACCOUNT, slot(4), &encoded).is_err());
    let nobody = Address::repeat_byte(0xee);
    assert!(prove_storage(root, nobody, slot(3), &encoded).is_err());
}

#[test]
fn the_layout_has_limits() {
    let node = |length: usize| Bytes::from(vec![0; length]);
    let many = StorageProof::new(vec![node(1); 66], Vec::new());
    assert_eq!(many.encode(), Err(ProofError::TooManyNodes(66)));
    let long = StorageProof::new(vec![node(1), node(1_025)], Vec::new());
    assert_eq!(long.encode(), Err(ProofError::NodeTooLong(1)));
    let prove = |bytes: &[u8]| prove_storage(B256::ZERO, ACCOUNT, slot(0), bytes);
    for bytes in [&[][..], &[0], &[1, 0], &[1, 0, 2, 0], &[0, 0, 0], &[0, 1]] {
        assert_eq!(prove(bytes), Err(ProofError::Layout), "{bytes:?}");
    }
    assert_eq!(prove(&[66]), Err(ProofError::TooManyNodes(66)));
    assert_eq!(prove(&[1, 4, 1]), Err(ProofError::NodeTooLong(0)));
    assert_eq!(prove(&vec![0; 1_000_000]), Err(ProofError::Layout));
}

/// One node as the whole trie, under the account's key.
fn single(node: &[u8]) -> Result<ProvenWord, ProofError> {
    let proof = StorageProof {
        account: vec![Bytes::copy_from_slice(node)],
        storage: Vec::new(),
    };
    prove_storage(keccak256(node), ACCOUNT, slot(0), &proof.encode().unwrap())
}

#[test]
fn t31_nodes_that_no_trie_has_are_refused() {
    let key = keccak256(ACCOUNT);
    let path = |prefix: &[u8], rest: &[u8]| string(&[prefix, rest].concat());
    let odd = [0x30 | key[0] >> 4];
    let malformed: Vec<Vec<u8>> = vec![
        vec![0xc0],
        vec![],
        [list(&[path(&[0x20], &key[..]), string(&[1; 33])]), vec![0]].concat(),
        // Paths that are too short for a leaf, too long, with a wrong flag or a half-used nibble.
        list(&[path(&[0x20], &key[..31]), string(&[1; 33])]),
        list(&[path(&[0x20], &[&key[..], &[0]].concat()), string(&[1; 33])]),
        list(&[path(&odd, &key[..]), string(&[1; 33])]),
        list(&[path(&[0x21], &key[..]), string(&[1; 33])]),
        list(&[path(&[0x40], &key[..]), string(&[1; 33])]),
        list(&[string(&[]), string(&[1; 33])]),
        list(&[vec![0xc1, 0x20], string(&[1; 33])]),
        list(&[path(&[0x20], &key[..]), vec![0xc1, 1]]),
        // Extensions of nothing, to nothing, to half a hash, beyond the key.
        list(&[string(&[0x00]), string(&[1; 32])]),
        list(&[path(&[0x00], &key[..1]), string(&[])]),
        list(&[path(&[0x00], &key[..1]), string(&[1; 31])]),
        list(&[path(&[0x00], &[&key[..], &[0]].concat()), string(&[1; 32])]),
        // Branches of another width, or with children that are none.
        list(&vec![string(&[]); 16]),
        list(&vec![string(&[]); 18]),
        list(&vec![string(&[1; 31]); 17]),
        list(&vec![list(&[string(&[1; 32])]); 17]),
    ];
    for node in malformed {
        let result = single(&node);
        assert_eq!(result, Err(ProofError::Node(0)), "{node:x?}");
    }
    // Whole, but no account.
    let leaf = |value: &[u8]| single(&list(&[path(&[0x20], &key[..]), string(value)]));
    assert_eq!(leaf(&[]), Err(ProofError::Account));
    assert_eq!(
        leaf(&list(&vec![string(&[1; 32]); 4])),
        Err(ProofError::Account)
    );
    assert_eq!(
        leaf(&list(&vec![string(&[1; 32]); 5])),
        Err(ProofError::Account)
    );
    // An exclusion by another leaf, and by an empty place of a branch.
    let elsewhere = list(&[path(&[0x20], &[0; 32]), string(&[1; 33])]);
    assert!(!single(&elsewhere).unwrap().account_exists);
    assert!(
        !single(&list(&vec![string(&[]); 17]))
            .unwrap()
            .account_exists
    );
}

/// An account whose storage is one node.
fn stored(node: &[u8], at: B256) -> Result<ProvenWord, ProofError> {
    let hash = string(keccak256(node).as_slice());
    let account = list(&[vec![1], vec![0x80], hash, string(&[7; 32])]);
    let key = [&[0x20], &keccak256(ACCOUNT)[..]].concat();
    let leaf = list(&[string(&key), string(&account)]);
    let proof = StorageProof {
        account: vec![leaf.clone().into()],
        storage: vec![Bytes::copy_from_slice(node)],
    };
    prove_storage(keccak256(&leaf), ACCOUNT, at, &proof.encode().unwrap())
}

#[test]
fn t31_values_are_words_without_leading_zeros_and_small_nodes_may_be_inside() {
    let key = keccak256(slot(0));
    let whole = [&[0x20], &key[..]].concat();
    let leaf = |value: &[u8]| stored(&list(&[string(&whole), string(value)]), slot(0));
    assert_eq!(leaf(&[5]).unwrap().value, slot(5));
    assert_eq!(leaf(&string(&[6; 32])).unwrap().value, B256::repeat_byte(6));
    for bad in [&[][..], &[0], &[0x80], &[0xc0], &[0x82, 0, 1], &[1, 2]] {
        assert_eq!(leaf(bad), Err(ProofError::Value), "{bad:x?}");
    }
    assert_eq!(leaf(&string(&[6; 33])), Err(ProofError::Value));
    // An extension over 62 nibbles to a branch that holds its leaves, as two keys that differ
    // in one nibble would make: only in a trie made for it, for hashes do not come so close.
    let inner = list(&[string(&[0x30 | (key[31] & 15)]), vec![9]]);
    let mut places = vec![string(&[]); 17];
    places[usize::from(key[31] >> 4)] = inner;
    let extension = list(&[string(&[&[0x00], &key[..31]].concat()), list(&places)]);
    assert_eq!(stored(&extension, slot(0)).unwrap().value, slot(9));
    assert_eq!(stored(&extension, slot(1)).unwrap().value, B256::ZERO);
}

proptest! {
    /// This walk and alloy-trie's agree on every proof that alloy-trie makes.
    #[test]
    fn agrees_with_alloy_trie(accounts in 0_u8..60, count in 0_usize..60, at in 0_usize..80) {
        let state = state(accounts, count);
        let (root, proof) = state.prove(ACCOUNT, slot(at));
        let shown = prove_storage(root, ACCOUNT, slot(at), &proof.encode().unwrap()).unwrap();
        let word = U256::from_be_bytes(shown.value.0);
        let expected = (!word.is_zero()).then(|| alloy_rlp::encode(word));
        prop_assert_eq!(word, if at < count { U256::from(at + 1) } else { U256::ZERO });
        let words = State::new(vec![(ACCOUNT, words(count))]);
        let (_, alone) = words.prove(ACCOUNT, slot(at));
        prop_assert_eq!(&alone.storage, &proof.storage);
        let key = Nibbles::unpack(keccak256(slot(at)));
        if let Some(first) = proof.storage.first() {
            let storage_root = keccak256(first);
            prop_assert!(verify_proof(storage_root, key, expected, &proof.storage).is_ok());
        }
    }

    /// Bytes that are no proof are refused and nothing panics.
    #[test]
    fn takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let root = keccak256(&bytes);
        prop_assert!(prove_storage(root, ACCOUNT, slot(0), &bytes).is_err());
        single(&bytes).ok();
        stored(&bytes, slot(0)).ok();
    }
}

/// A branch takes a nibble, and a leaf below it has 64 more: alloy-trie's verifier panics on
/// the sum.
#[test]
fn paths_beyond_the_end_of_a_key_are_refused() {
    let key = keccak256(ACCOUNT);
    let leaf = list(&[string(&[&[0x20], &key[..]].concat()), string(&[1; 33])]);
    let mut places = vec![string(&[]); 17];
    places[usize::from(key[0] >> 4)] = string(keccak256(&leaf).as_slice());
    let branch = list(&places);
    let root = keccak256(&branch);
    let proof = StorageProof {
        account: vec![branch.into(), leaf.into()],
        storage: Vec::new(),
    };
    let result = prove_storage(root, ACCOUNT, slot(0), &proof.encode().unwrap());
    assert_eq!(result, Err(ProofError::Node(1)));
}
