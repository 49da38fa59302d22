use std::fs;

use super::*;
use crate::signer::testing::{decision, genesis, set};

const FOUNDERS: [u8; 4] = [1, 2, 3, 4];
const LATER: [u8; 4] = [2, 3, 4, 5];

fn open() -> (tempfile::TempDir, PathBuf, Decided, ChainIdentity) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("decided");
    let genesis = genesis(&FOUNDERS);
    let decided = Decided::open(&path, &genesis).unwrap();
    (dir, path, decided, genesis.identity())
}

#[test]
fn follows_decisions_through_a_handover_and_remembers_them() {
    let (_dir, path, mut decided, chain) = open();
    assert_eq!(decided.height(), Height::GENESIS);
    let quorum = [1, 2, 3];
    let first = decision(&chain, 5, &FOUNDERS, &quorum, &FOUNDERS);
    decided.follow(&first).unwrap();
    assert_eq!(decided.height(), Height(5));
    // Without the handover, the later set is nobody.
    let later = decision(&chain, 9, &LATER, &[3, 4, 5], &LATER);
    let error = decided.follow(&later).unwrap_err();
    assert!(matches!(
        error,
        DecidedError::Verify(VerifyError::ValidatorSet { .. })
    ));
    let handover = decision(&chain, 8, &FOUNDERS, &quorum, &LATER);
    decided.follow(&handover).unwrap();
    decided.follow(&later).unwrap();
    // The old set decides nothing any more, and what is past changes nothing.
    let old = decision(&chain, 10, &FOUNDERS, &quorum, &FOUNDERS);
    decided.follow(&old).unwrap_err();
    decided.follow(&first).unwrap();
    assert_eq!(decided.height(), Height(9));

    let mut again = Decided::open(&path, &genesis(&FOUNDERS)).unwrap();
    assert_eq!(again.height(), Height(9));
    again
        .follow(&decision(&chain, 10, &LATER, &[2, 3, 4], &LATER))
        .unwrap();
}

#[test]
fn believes_no_decision_that_a_quorum_did_not_sign() {
    let (_dir, path, mut decided, chain) = open();
    let good = decision(&chain, 5, &FOUNDERS, &[1, 2, 3], &FOUNDERS);
    let mut refused = |what: &str, shown: &ShownDecision| {
        let error = decided.follow(shown).unwrap_err();
        assert!(matches!(error, DecidedError::Verify(_)), "{what}: {error}");
        assert_eq!(decided.height(), Height::GENESIS, "{what}");
        assert!(!path.exists(), "{what}");
    };
    let two = decision(&chain, 5, &FOUNDERS, &[1, 2], &FOUNDERS);
    refused("two of four", &two);
    let strangers = decision(&chain, 5, &[6, 7, 8, 9], &[6, 7, 8], &FOUNDERS);
    refused("a set of one's own", &strangers);
    let dressed = ShownDecision {
        validators: set(&[6, 7, 8, 9]),
        ..good.clone()
    };
    refused("another set under the right hash", &dressed);
    let other = ChainIdentity {
        genesis_hash: B256::repeat_byte(9),
        ..chain
    };
    let elsewhere = decision(&other, 5, &FOUNDERS, &[1, 2, 3], &FOUNDERS);
    refused("another network", &elsewhere);
    let mut higher = good.clone();
    higher.checkpoint.height = Height(u64::MAX);
    refused("another height than the certificate's", &higher);
    let mut handed = good;
    handed.checkpoint.next_validator_set_hash = set(&[6, 7, 8, 9]).hash();
    refused("a handover that nobody signed", &handed);
}

#[test]
fn refuses_a_file_that_is_damaged_or_of_another_network() {
    let (_dir, path, mut decided, chain) = open();
    let shown = decision(&chain, 5, &FOUNDERS, &[1, 2, 3], &FOUNDERS);
    decided.follow(&shown).unwrap();
    let other = Decided::open(&path, &genesis(&LATER)).unwrap_err();
    assert!(
        matches!(other, DecidedError::OtherNetwork { .. }),
        "{other}"
    );
    let bytes = fs::read(&path).unwrap();
    for damage in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[damage] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = Decided::open(&path, &genesis(&FOUNDERS)).unwrap_err();
        assert!(matches!(error, DecidedError::Damaged { .. }), "{error}");
    }
    fs::write(&path, &bytes[1..]).unwrap();
    Decided::open(&path, &genesis(&FOUNDERS)).unwrap_err();
    // A folder in its place is an error of the disk, not a signer that knows nothing.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = Decided::open(&path, &genesis(&FOUNDERS)).unwrap_err();
    assert!(matches!(error, DecidedError::Io { .. }), "{error}");
}

#[test]
fn a_shown_decision_has_one_encoding_and_fits_a_message() {
    let (_dir, _path, _decided, chain) = open();
    let shown = decision(&chain, 5, &FOUNDERS, &[1, 2, 3], &LATER);
    let mut bytes = Vec::new();
    shown.encode(&mut bytes);
    assert_eq!(ShownDecision::decode(&bytes), Some(shown));
    for end in 0..bytes.len() {
        assert_eq!(ShownDecision::decode(&bytes[..end]), None);
    }
    assert_eq!(ShownDecision::decode(&[&bytes[..], &[0]].concat()), None);
    // The first two validators in the other order.
    let at = CHECKPOINT_BYTES + 2;
    let (first, second) = (at..at + 73, at + 73..at + 146);
    let mut swapped = bytes.clone();
    swapped[first.clone()].copy_from_slice(&bytes[second.clone()]);
    swapped[second].copy_from_slice(&bytes[first]);
    assert_eq!(ShownDecision::decode(&swapped), None);

    let most: Vec<u8> = (0..u8::try_from(VALIDATORS_MAX).unwrap()).collect();
    let largest = decision(&chain, 5, &most, &most, &most);
    let mut bytes = Vec::new();
    largest.encode(&mut bytes);
    assert!(bytes.len() + 1 + 16 <= crate::limits::SIGNER_FRAME_BYTES_MAX);
    assert_eq!(ShownDecision::decode(&bytes), Some(largest));
}
