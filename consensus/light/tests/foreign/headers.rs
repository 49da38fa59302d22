//! What a header must look like, and whose seals count.

use alloy_primitives::{Address, B256, U256};
use tbsi_light::foreign::{
    Assurance, ForeignHeader, HeaderError, read_header, trusted_hash, verify_header,
};

use crate::factory::{Draft, Keys, forks, list, string};

fn keys() -> Keys {
    Keys::new(0..4)
}

fn verify(draft: &Draft, header: &[u8]) -> Result<ForeignHeader, HeaderError> {
    verify_header(draft.kind, &keys().trusted(), header)
}

/// Four of four seal a draft that was changed; what comes of it.
fn changed(kind: Assurance, change: impl FnOnce(&mut Draft)) -> Result<ForeignHeader, HeaderError> {
    let mut draft = Draft::new(kind, 7);
    change(&mut draft);
    verify(&draft, &draft.sealed(&keys(), 4))
}

#[test]
fn says_what_the_header_says() {
    for kind in Assurance::ALL {
        for fork in forks() {
            for round in [0, 1, 127, 128, 0x7fff_ffff] {
                let mut draft = Draft::new(kind, 7);
                (draft.fork, draft.round) = (fork.clone(), round);
                let header = draft.sealed(&keys(), 3);
                let found = verify(&draft, &header).unwrap();
                let (block_hash, _) = draft.hashes(&keys());
                let expected = ForeignHeader {
                    height: 7,
                    time: 1_700_000_007,
                    block_hash,
                    state_root: B256::repeat_byte(0x5a),
                    trusted_hash: trusted_hash(&keys().trusted()),
                    validators: 4,
                    signers: 3,
                };
                assert_eq!(found, expected);
                let read = read_header(kind, &header).unwrap();
                assert_eq!((read.height, read.block_hash), (7, block_hash));
                assert_eq!(read.trusted, keys().trusted());
                // Who begins trusts the header's own validators.
                assert_eq!(verify_header(kind, &[], &header), Ok(expected));
            }
        }
    }
}

#[test]
fn t39_seals_over_the_block_hash_are_refused() {
    for kind in Assurance::ALL {
        let mut draft = Draft::new(kind, 7);
        for round in [0, 3] {
            draft.round = round;
            let (block_hash, sealed) = draft.hashes(&keys());
            let seals = draft.seals(&keys(), block_hash, 4);
            let result = verify(&draft, &draft.with_seals(&keys(), seals));
            if block_hash == sealed {
                // Round 0 of QBFT is written alike in both.
                assert!(kind == Assurance::Qbft && round == 0);
                assert!(result.is_ok());
            } else {
                assert_eq!(result, Err(HeaderError::SealForeign(0)));
            }
        }
    }
}

#[test]
fn t40_another_round_is_refused_and_changes_no_block_hash() {
    for kind in Assurance::ALL {
        let mut draft = Draft::new(kind, 7);
        let (block_hash, sealed) = draft.hashes(&keys());
        for round in 1..=300 {
            draft.round = round;
            let seals = draft.seals(&keys(), sealed, 4);
            let tampered = draft.with_seals(&keys(), seals);
            assert_eq!(verify(&draft, &tampered), Err(HeaderError::SealForeign(0)));
            assert_eq!(draft.hashes(&keys()).0, block_hash);
            let again = verify(&draft, &draft.sealed(&keys(), 4)).unwrap();
            assert_eq!(again.block_hash, block_hash);
        }
        // Neither kind has rounds above 2^31 - 1.
        draft.round = 1 << 31;
        let result = verify(&draft, &draft.sealed(&keys(), 4));
        assert_eq!(result, Err(HeaderError::Extra(3)));
    }
}

#[test]
fn t41_validators_that_a_contract_chooses_are_refused_by_name() {
    for kind in Assurance::ALL {
        let result = changed(kind, |draft| draft.validators = Some(Vec::new()));
        assert_eq!(result, Err(HeaderError::ContractValidators));
        let words = result.unwrap_err().to_string();
        assert!(words.contains("a contract chooses them"), "{words}");
    }
}

#[test]
fn t42_votes_are_taken_in_the_kinds_own_form_and_bound_by_the_seals() {
    let candidate = Address::repeat_byte(9);
    for kind in Assurance::ALL {
        for vote in [None, Some((candidate, true)), Some((candidate, false))] {
            assert!(changed(kind, |draft| draft.vote = vote).is_ok());
            // A vote that is put in, taken out or turned round under the same seals.
            let mut draft = Draft::new(kind, 7);
            draft.vote = vote;
            let (_, sealed) = draft.hashes(&keys());
            let seals = draft.seals(&keys(), sealed, 4);
            for other in [None, Some((candidate, true)), Some((candidate, false))] {
                draft.vote = other;
                let result = verify(&draft, &draft.with_seals(&keys(), seals.clone()));
                assert_eq!(result.is_ok(), other == vote);
            }
        }
    }
    // The forms of one kind are not those of the other.
    let draft = Draft::new(Assurance::Qbft, 7);
    let header = draft.sealed(&keys(), 4);
    let other = verify_header(Assurance::Ibft2, &keys().trusted(), &header);
    assert_eq!(other, Err(HeaderError::Extra(2)));
    let draft = Draft::new(Assurance::Ibft2, 7);
    let header = draft.sealed(&keys(), 4);
    let other = verify_header(Assurance::Qbft, &keys().trusted(), &header);
    assert_eq!(other, Err(HeaderError::Extra(2)));
}

#[test]
fn t43_two_blocks_of_one_height_have_different_hashes() {
    for kind in Assurance::ALL {
        let draft = Draft::new(kind, 7);
        let mut other = draft.clone();
        other.state_root = B256::repeat_byte(0x5b);
        let first = verify(&draft, &draft.sealed(&keys(), 3)).unwrap();
        let second = verify(&other, &other.sealed(&keys(), 3)).unwrap();
        assert_eq!(first.height, second.height);
        assert_ne!(first.block_hash, second.block_hash);
        // The same block with other seals is no conflict.
        let same = verify(&draft, &draft.sealed(&keys(), 4)).unwrap();
        assert_eq!(first.block_hash, same.block_hash);
    }
}

#[test]
fn each_validator_counts_once_and_strangers_not_at_all() {
    for kind in Assurance::ALL {
        let draft = Draft::new(kind, 7);
        let twice = draft.sealed_by(&keys(), [0, 1, 2, 1].into_iter());
        assert_eq!(verify(&draft, &twice), Err(HeaderError::SealRepeated(3)));
        let (_, sealed) = draft.hashes(&keys());
        let mut seals = draft.seals(&keys(), sealed, 3);
        seals.extend(draft.seals(&Keys::new([77]), sealed, 1));
        let result = verify(&draft, &draft.with_seals(&keys(), seals));
        assert_eq!(result, Err(HeaderError::SealForeign(3)));
    }
}

#[test]
fn seals_have_their_form_and_may_have_a_high_s() {
    let draft = Draft::new(Assurance::Qbft, 7);
    let (_, sealed) = draft.hashes(&keys());
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut seals = draft.seals(&keys(), sealed, 4);
        change(&mut seals[3]);
        verify(&draft, &draft.with_seals(&keys(), seals))
    };
    let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        .parse()
        .unwrap();
    // As Besu and GoQuorum do; the signer is the same.
    let high = with(&|seal| {
        let s = U256::from_be_slice(&seal[32..64]);
        seal[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
        seal[64] ^= 1;
    });
    assert_eq!(high.map(|found| found.signers), Ok(4));
    let bad = Err(HeaderError::Seal(3));
    assert_eq!(with(&|seal| seal[64] = 2), bad);
    assert_eq!(with(&|seal| seal[64] = 27), bad);
    assert_eq!(with(&|seal| seal[..32].fill(0)), bad);
    assert_eq!(with(&|seal| seal[32..64].fill(0)), bad);
    let order = order.to_be_bytes::<32>();
    assert_eq!(with(&|seal| seal[32..64].copy_from_slice(&order)), bad);
    assert_eq!(with(&|seal| seal.truncate(64)), bad);
    assert_eq!(with(&|seal| seal.push(0)), bad);
    let turned = with(&|seal| seal[64] ^= 1);
    assert!(turned == Err(HeaderError::SealForeign(3)) || turned == bad);
}

#[test]
fn fields_have_the_forms_and_values_of_these_consensus_protocols() {
    let replaced = |position: usize, field: Vec<u8>| {
        changed(Assurance::Ibft2, move |draft| {
            draft.replaced = vec![(position, field)]
        })
    };
    for (position, field) in [
        (1, string(&[3; 32])),
        (7, vec![2]),
        (7, vec![0x80]),
        (13, string(&[0; 32])),
        (14, string(&[0, 0, 0, 0, 0, 0, 0, 1])),
    ] {
        let expected = HeaderError::Constant(position as u64);
        assert_eq!(replaced(position, field), Err(expected));
    }
    for (position, field) in [
        (0, string(&[1; 31])),
        (2, string(&[1; 21])),
        (6, string(&[0; 255])),
        (8, vec![0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        (8, vec![0x00]),
        (11, vec![0xc0]),
        (12, vec![0xc0]),
        (14, vec![0x80]),
    ] {
        assert_eq!(
            replaced(position, field),
            Err(HeaderError::Field(position as u64))
        );
    }
    assert_eq!(replaced(8, vec![0x80]), Err(HeaderError::Genesis));
    for count in [1, 3, 4, 7, 9] {
        let result = changed(Assurance::Qbft, |draft| {
            draft.fork = vec![vec![0x80]; count]
        });
        let forms = [1, 2, 5, 6].contains(&count);
        assert_eq!(result.is_ok(), forms && count == 1, "{count}");
    }
    let result = changed(Assurance::Qbft, |draft| draft.fork = vec![vec![0x80]; 3]);
    assert_eq!(result, Err(HeaderError::Fields(18)));
}

#[test]
fn extra_data_have_the_items_of_the_kind() {
    for kind in Assurance::ALL {
        let vanity = changed(kind, |draft| draft.vanity = vec![0; 31]);
        assert_eq!(vanity, Err(HeaderError::Extra(0)));
        for extra in [
            vec![],
            vec![0x80],
            list(&[string(&[0; 32])]),
            list(&vec![vec![0xc0]; 6]),
            [list(&vec![vec![0xc0]; 5]), vec![0]].concat(),
        ] {
            let field = string(&extra);
            let result = changed(kind, |draft| draft.replaced = vec![(12, field)]);
            assert_eq!(result, Err(HeaderError::Extra(5)), "{extra:x?}");
        }
        let mut turned = keys().addresses();
        turned.swap(1, 2);
        let result = changed(kind, |draft| draft.validators = Some(turned));
        assert_eq!(result, Err(HeaderError::ValidatorOrder(2)));
        let mut twice = keys().addresses();
        twice[1] = twice[0];
        let result = changed(kind, |draft| draft.validators = Some(twice));
        assert_eq!(result, Err(HeaderError::ValidatorOrder(1)));
        let many = Keys::new(0..129).addresses();
        let result = changed(kind, |draft| draft.validators = Some(many));
        assert_eq!(result, Err(HeaderError::TooManyValidators(129)));
    }
}

#[test]
fn what_is_trusted_is_a_list_of_addresses() {
    let draft = Draft::new(Assurance::Qbft, 7);
    let header = draft.sealed(&keys(), 4);
    let verify = |trusted: &[u8]| verify_header(Assurance::Qbft, trusted, &header);
    let trusted = keys().trusted();
    assert!(verify(&trusted).is_ok());
    assert_eq!(verify(&trusted[1..]), Err(HeaderError::Trusted(79)));
    let turned = [&trusted[20..], &trusted[..20]].concat();
    assert_eq!(verify(&turned), Err(HeaderError::Trusted(80)));
    let twice = [&trusted[..20], &trusted].concat();
    assert_eq!(verify(&twice), Err(HeaderError::Trusted(100)));
    let many = Keys::new(0..129).trusted();
    assert_eq!(verify(&many), Err(HeaderError::Trusted(2_580)));
    let long = vec![0; 16 * 1024 + 1];
    let result = verify_header(Assurance::Qbft, &trusted, &long);
    assert_eq!(result, Err(HeaderError::TooLong(16_385)));
}
