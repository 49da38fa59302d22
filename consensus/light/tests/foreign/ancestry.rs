//! That a block comes after another, and all the ways in which that is not shown. The chain of
//! these tests has a second one beside it whose blocks the same keys seal.

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_light::foreign::{
    Ancestor, Ancestry, AncestryError, Assurance, HISTORY_ADDRESS, StorageProof, hashed_header,
    history_slot, keeper_slot, read_header, verify_ancestor, verify_header,
};

use crate::factory::{Draft, Keys, string};
use crate::state::{KEEPER, State};

fn keys() -> Keys {
    Keys::new(0..4)
}

/// Sealed headers of heights 10 and up, each the child of the one before; the first's parent tells
/// one chain from another.
fn chain(kind: Assurance, parent: u8, count: u64) -> Vec<Vec<u8>> {
    let mut parent = B256::repeat_byte(parent);
    let header = |height| {
        let mut draft = Draft::new(kind, height);
        draft.replaced.push((0, string(parent.as_slice())));
        parent = draft.hashes(&keys()).0;
        draft.sealed(&keys(), 3)
    };
    (10..10 + count).map(header).collect()
}

fn ancestor(kind: Assurance, header: &[u8]) -> Ancestor {
    let read = read_header(kind, header).unwrap();
    Ancestor {
        height: read.height,
        block_hash: read.block_hash,
    }
}

/// As they are hashed, the highest first.
fn between(kind: Assurance, headers: &[Vec<u8>]) -> Ancestry {
    let hashed = |header: &Vec<u8>| Bytes::from(hashed_header(kind, header).unwrap());
    Ancestry::Parents(headers.iter().rev().map(hashed).collect())
}

fn shown(header: &[u8], ancestor: &Ancestor, ancestry: &Ancestry) -> Result<(), AncestryError> {
    verify_ancestor(header, ancestor, &ancestry.encode().unwrap())
}

#[test]
fn parents_lead_from_a_block_to_its_ancestor() {
    for kind in Assurance::ALL {
        let chain = chain(kind, 1, 67);
        let first = ancestor(kind, &chain[0]);
        for last in [1, 2, 3, 64, 65] {
            let ancestry = between(kind, &chain[1..last]);
            assert_eq!(shown(&chain[last], &first, &ancestry), Ok(()), "{last}");
        }
        let many = between(kind, &chain[1..66]);
        let refused = shown(&chain[66], &first, &many);
        assert_eq!(refused, Err(AncestryError::TooManyHeaders(65)));
        // What is sealed is hashed otherwise, and is no parent.
        let sealed = Ancestry::Parents(vec![chain[1].clone().into()]);
        let refused = shown(&chain[2], &first, &sealed);
        assert_eq!(refused, Err(AncestryError::Parent(0)));
    }
}

#[test]
fn t_f7_another_chain_with_the_same_keys_does_not_descend() {
    for kind in Assurance::ALL {
        let (ours, theirs) = (chain(kind, 1, 5), chain(kind, 2, 5));
        let first = ancestor(kind, &ours[0]);
        // Its seals are those that count.
        let trusted = keys().trusted();
        assert!(verify_header(kind, &trusted, &theirs[4]).is_ok());
        let other = Err(AncestryError::OtherChain(10));
        let own_parents = between(kind, &theirs[1..4]);
        assert_eq!(shown(&theirs[4], &first, &own_parents), other);
        let our_parents = between(kind, &ours[1..4]);
        let refused = Err(AncestryError::Parent(0));
        assert_eq!(shown(&theirs[4], &first, &our_parents), refused);
        let none = Ancestry::Parents(Vec::new());
        assert_eq!(shown(&theirs[1], &first, &none), other);
        let skipped = Err(AncestryError::NotReached(14));
        assert_eq!(shown(&ours[4], &first, &none), skipped);
        // A block is not its own ancestor, nor its child's.
        let order = Err(AncestryError::Order(10));
        assert_eq!(shown(&ours[0], &first, &none), order);
        let child = ancestor(kind, &ours[1]);
        assert_eq!(shown(&ours[0], &child, &none), order);
        // With one header left out, doubled, or of another chain in between.
        let mut gap = ours[1..4].to_vec();
        gap.remove(1);
        let refused = shown(&ours[4], &first, &between(kind, &gap));
        assert_eq!(refused, Err(AncestryError::Parent(1)));
        let mut mixed = ours[1..4].to_vec();
        mixed[0].clone_from(&theirs[1]);
        let refused = shown(&ours[4], &first, &between(kind, &mixed));
        assert_eq!(refused, Err(AncestryError::Parent(2)));
        let below = [&ours[..1], &ours[1..4]].concat();
        let refused = shown(&ours[4], &first, &between(kind, &below));
        assert_eq!(refused, Err(AncestryError::NotReached(10)));
    }
}

#[test]
fn every_flipped_bit_of_an_ancestry_is_refused() {
    let kind = Assurance::Qbft;
    let chain = chain(kind, 1, 4);
    let first = ancestor(kind, &chain[0]);
    let good = between(kind, &chain[1..3]).encode().unwrap();
    assert_eq!(verify_ancestor(&chain[3], &first, &good), Ok(()));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(verify_ancestor(&chain[3], &first, &bad).is_err(), "{bit}");
    }
    for length in 0..good.len() {
        let cut = &good[..length];
        assert!(verify_ancestor(&chain[3], &first, cut).is_err(), "{length}");
    }
    let long = [&good[..], &[0]].concat();
    let layout = Err(AncestryError::Layout);
    assert_eq!(verify_ancestor(&chain[3], &first, &long), layout);
    for bad in [&[][..], &[3], &[3, 0], &[2, 0], &[1], &vec![1; 200_000]] {
        assert!(verify_ancestor(&chain[3], &first, bad).is_err());
    }
}

/// A block of height 9,000 whose state has `words` in the account.
fn with_state(account: Address, slot: B256, word: B256) -> (Vec<u8>, StorageProof) {
    let others = (0..20).map(|byte| (Address::repeat_byte(byte), vec![]));
    let words = vec![(slot, U256::from_be_bytes(word.0))];
    let state = State::new(others.chain([(account, words)]).collect());
    let (root, proof) = state.prove(account, slot);
    let mut draft = Draft::new(Assurance::Qbft, 9_000);
    draft.state_root = root;
    (draft.sealed(&keys(), 3), proof)
}

#[test]
fn a_hash_that_the_chain_keeps_shows_its_ancestor() {
    let block_hash = B256::repeat_byte(0xaa);
    let height = 8_500;
    let known = Ancestor { height, block_hash };
    let other = Ancestor {
        height,
        block_hash: B256::repeat_byte(0xbb),
    };
    let stranger = Address::repeat_byte(0x77);
    type Make = fn(Address, StorageProof) -> Ancestry;
    let history: Make = |_, proof| Ancestry::History(proof);
    let keeper: Make = |account, proof| Ancestry::Keeper(account, proof);
    for (account, slot, make) in [
        (HISTORY_ADDRESS, history_slot(height), history),
        (KEEPER, keeper_slot(height), keeper),
    ] {
        let (header, proof) = with_state(account, slot, block_hash);
        let ancestry = make(account, proof.clone());
        assert_eq!(shown(&header, &known, &ancestry), Ok(()));
        let refused = Err(AncestryError::OtherChain(height));
        assert_eq!(shown(&header, &other, &ancestry), refused);
        // Under another state root it shows nothing.
        let (unlike, _) = with_state(account, slot, B256::repeat_byte(0xcc));
        let refused = shown(&unlike, &known, &ancestry);
        assert!(
            matches!(refused, Err(AncestryError::Proof(_))),
            "{refused:?}"
        );
        // Of another height it is another slot.
        let next = Ancestor {
            height: height + 1,
            block_hash,
        };
        assert!(shown(&header, &next, &ancestry).is_err());
    }
    // A contract of anybody could have written anything.
    let slot = keeper_slot(height);
    let (header, proof) = with_state(stranger, slot, block_hash);
    let refused = shown(&header, &known, &Ancestry::Keeper(stranger, proof));
    assert_eq!(refused, Err(AncestryError::Code));
    let (header, proof) = with_state(HISTORY_ADDRESS, slot, block_hash);
    let refused = shown(&header, &known, &Ancestry::Keeper(HISTORY_ADDRESS, proof));
    assert_eq!(refused, Err(AncestryError::Code));
    // Where there is no such contract, nothing is shown.
    let (header, _) = with_state(stranger, slot, block_hash);
    let others = (0..20).map(|byte| (Address::repeat_byte(byte), vec![]));
    let words = vec![(slot, U256::from_be_bytes(block_hash.0))];
    let state = State::new(others.chain([(stranger, words)]).collect());
    let (_, absent) = state.prove(KEEPER, slot);
    let refused = shown(&header, &known, &Ancestry::Keeper(KEEPER, absent));
    assert_eq!(refused, Err(AncestryError::Code));
}
