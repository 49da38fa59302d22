//! Every bit of a header and of a proof matters, except those that the chain itself leaves
//! open.

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use tbsi_light::foreign::{Assurance, prove_storage, read_header, verify_header};

use crate::factory::{Draft, Keys, forks, slot, words};
use crate::state::State;

/// A header with any single bit flipped is refused: seals bind what is sealed, and a seal with
/// a flipped bit is another's or nobody's.
#[test]
fn a_header_with_a_flipped_bit_is_refused() {
    for kind in Assurance::ALL {
        let keys = Keys::new(0..4);
        let mut draft = Draft::new(kind, 70_000);
        draft.fork = forks()[4].clone();
        draft.round = 2;
        let good = draft.sealed(&keys, 3);
        assert!(verify_header(kind, &keys.trusted(), &good).is_ok());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(
                verify_header(kind, &keys.trusted(), &bad).is_err(),
                "bit {bit}"
            );
            // Nobody asks for seals here; it must not panic.
            read_header(kind, &bad).ok();
        }
        for length in 0..good.len() {
            assert!(verify_header(kind, &keys.trusted(), &good[..length]).is_err());
        }
        let longer = [good.as_slice(), &[0]].concat();
        assert!(verify_header(kind, &keys.trusted(), &longer).is_err());
    }
}

#[test]
fn a_proof_with_a_flipped_bit_shows_nothing() {
    let account = Address::repeat_byte(0xac);
    let others = (0..30).map(|byte| (Address::repeat_byte(byte), words(2)));
    let state = State::new(others.chain([(account, words(30))]).collect());
    for at in [3, 31] {
        let (root, proof) = state.prove(account, slot(at));
        let good = proof.encode().unwrap();
        assert!(prove_storage(root, account, slot(at), &good).is_ok());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(
                prove_storage(root, account, slot(at), &bad).is_err(),
                "bit {bit}"
            );
        }
        for length in 0..good.len() {
            assert!(prove_storage(root, account, slot(at), &good[..length]).is_err());
        }
        for bit in 0..256 {
            let mut other = root;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(prove_storage(other, account, slot(at), &good).is_err());
        }
    }
}

proptest! {
    #[test]
    fn takes_any_bytes_for_a_header(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for kind in Assurance::ALL {
            prop_assert!(verify_header(kind, &[], &bytes).is_err());
            prop_assert!(read_header(kind, &bytes).is_err());
        }
    }

    /// Several bytes anywhere: refused, unless nothing was changed.
    #[test]
    fn a_changed_header_is_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let keys = Keys::new(0..4);
        let good = Draft::new(Assurance::Qbft, 7).sealed(&keys, 3);
        let mut bad = good.clone();
        for (at, byte) in changes {
            let at = at.index(bad.len());
            bad[at] = byte;
        }
        let result = verify_header(Assurance::Qbft, &keys.trusted(), &bad);
        prop_assert_eq!(result.is_ok(), bad == good);
    }
}

#[test]
fn a_state_root_is_bound() {
    let keys = Keys::new(0..4);
    let draft = Draft::new(Assurance::Ibft2, 5);
    let found = verify_header(draft.kind, &keys.trusted(), &draft.sealed(&keys, 3)).unwrap();
    assert_eq!(found.state_root, B256::repeat_byte(0x5a));
}
