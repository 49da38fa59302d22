//! Bundles: what is accepted, and that nothing else is.

use alloy_primitives::{B256, hex};
use serde_json::Value;
use tbsi_light::{TrustAnchor, VerificationStep, verify_bundle};
use tbsi_types::{
    BundleError, Checkpoint, Genesis, Handover, Height, LeafIndex, NamedValidators, ProofBundle,
    TimestampMs,
};

use crate::fixture::{ISSUER, Log, Network, leaf, set, time, travelled};
use crate::make::genesis;
use crate::words;

/// Signed by all four validators of the genesis file.
fn small() -> (Genesis, ProofBundle) {
    let genesis = genesis();
    let set = NamedValidators::of_genesis(&genesis).unwrap();
    let bundle = Network::of(&genesis).bundle(&Log::with(13), 5, 7, &set, &[0, 1, 2, 3]);
    (genesis, bundle)
}

fn anchor(genesis: &Genesis) -> TrustAnchor {
    TrustAnchor::genesis(genesis).unwrap()
}

#[track_caller]
fn refused(bundle: &ProofBundle, anchor: &TrustAnchor, expected: &str) {
    let error = words(&verify_bundle(bundle, anchor).unwrap_err());
    assert!(error.contains(expected), "`{error}` lacks `{expected}`");
}

#[test]
fn a_bundle_says_what_when_by_whom_and_who_vouches() {
    let (genesis, bundle) = small();
    let verified = verify_bundle(&bundle, &anchor(&genesis)).unwrap();
    assert_eq!(
        (verified.leaf, verified.leaf_index),
        (leaf(5), LeafIndex(5))
    );
    assert_eq!((verified.time(), verified.issuer()), (time(1), ISSUER));
    assert_eq!(
        (verified.decision.power.0, verified.decision.total.0),
        (9, 9)
    );
    let mut names: Vec<_> = verified
        .decision
        .signers
        .iter()
        .map(|signer| (signer.name_en.as_str(), signer.name_zh_tw.as_str()))
        .collect();
    names.sort_unstable();
    let expected = [
        ("Test Association A", "台灣測試公會甲"),
        ("Test Association B", "台灣測試公會乙"),
        ("Test Association C", "台灣測試公會丙"),
        ("Test Association D", ""),
    ];
    assert_eq!(names, expected);
    let steps: Vec<_> = verified.steps().collect();
    let [
        VerificationStep::Certificate(decision),
        VerificationStep::Inclusion { index, size, .. },
        VerificationStep::Leaf { id, height, .. },
    ] = steps[..]
    else {
        panic!("{steps:?}")
    };
    assert_eq!(decision, &verified.decision);
    assert_eq!((index.0, size.0, height.0), (5, 13, 1));
    assert_eq!(id, leaf(5).attestation_id());
}

#[test]
fn both_forms_say_the_same() {
    let (genesis, small) = small();
    for bundle in [small, travelled(&genesis)] {
        let bytes = bundle.encode().unwrap();
        assert_eq!(ProofBundle::decode(&bytes).unwrap(), bundle);
        let json = bundle.to_json().unwrap();
        assert_eq!(ProofBundle::parse_json(json.as_bytes()).unwrap(), bundle);
    }
}

#[test]
fn every_flipped_bit_of_the_compact_form_is_refused() {
    let (genesis, small) = small();
    let anchor = anchor(&genesis);
    for bundle in [small, travelled(&genesis)] {
        let bytes = bundle.encode().unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let accepted = ProofBundle::decode(&flipped)
                .is_ok_and(|bundle| verify_bundle(&bundle, &anchor).is_ok());
            assert!(!accepted, "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert!(ProofBundle::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert!(ProofBundle::decode(&long).is_err());
    }
}

/// Calls `check` with every copy of `value` in which one bit of one field differs: of the
/// bytes behind a 0x-string, of the letters of another one, of a number's 53 bits.
fn with_each_bit_flipped(value: &Value, check: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                with_each_bit_flipped(field, &mut |flipped| {
                    let mut copy = fields.clone();
                    copy.insert(name.clone(), flipped);
                    check(Value::Object(copy));
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                with_each_bit_flipped(item, &mut |flipped| {
                    let mut copy = items.clone();
                    copy[index] = flipped;
                    check(Value::Array(copy));
                });
            }
        }
        Value::String(text) => flip_text(text, check),
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            (0..53).for_each(|bit| check((number ^ (1 << bit)).into()));
        }
        Value::Bool(flag) => check((!flag).into()),
        Value::Null => panic!("a bundle has no null"),
    }
}

fn flip_text(text: &str, check: &mut dyn FnMut(Value)) {
    let decoded = text
        .strip_prefix("0x")
        .map(|text| hex::decode(text).unwrap());
    let bytes = decoded.as_deref().unwrap_or(text.as_bytes());
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = match &decoded {
            Some(_) => Ok(hex::encode_prefixed(flipped)),
            None => String::from_utf8(flipped),
        };
        if let Ok(flipped) = flipped {
            check(flipped.into());
        }
    }
}

#[test]
fn every_flipped_bit_of_the_json_form_is_refused() {
    let (genesis, bundle) = small();
    let anchor = anchor(&genesis);
    let json: Value = serde_json::from_str(&bundle.to_json().unwrap()).unwrap();
    let mut count = 0;
    with_each_bit_flipped(&json, &mut |flipped| {
        count += 1;
        let text = serde_json::to_vec(&flipped).unwrap();
        let accepted = ProofBundle::parse_json(&text)
            .is_ok_and(|bundle| verify_bundle(&bundle, &anchor).is_ok());
        assert!(!accepted, "{flipped}");
    });
    assert!(count > 9_000, "only {count} mutations were tried");
}

/// The same, of the bytes of the file as it is written.
#[test]
fn every_flipped_bit_of_a_json_file_is_refused() {
    let (genesis, bundle) = small();
    let anchor = anchor(&genesis);
    let text = bundle.to_json().unwrap().into_bytes();
    let accepted = |text: &[u8]| {
        let bundle = ProofBundle::parse_json(text);
        bundle.is_ok_and(|bundle| verify_bundle(&bundle, &anchor).is_ok())
    };
    assert!(accepted(&text));
    for bit in 0..text.len() * 8 {
        let mut flipped = text.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepted(&flipped), "bit {} of byte {}", bit % 8, bit / 8);
    }
    // All but the line feed at the end.
    for end in 0..text.len() - 1 {
        assert!(!accepted(&text[..end]), "{end} bytes");
    }
}

#[test]
fn a_proof_from_a_million_leaves_takes_at_most_1500_bytes() {
    let genesis = genesis();
    let network = Network::of(&genesis);
    let log = Log::with(1_000_000);
    let validators = set(
        0..4,
        "中華民國資訊服務業公會",
        "Republic Association of Information",
    );
    let longest = |name: fn(&tbsi_types::NamedValidator) -> &String| {
        let lengths = validators.as_slice().iter().map(name).map(String::len);
        lengths.max().unwrap()
    };
    assert_eq!(
        (longest(|v| &v.name_zh_tw), longest(|v| &v.name_en)),
        (34, 37)
    );
    let anchor = TrustAnchor::validator_set(network.chain, validators.hash());
    let size = |index, keys: &[usize]| {
        let bundle = network
            .bundle(&log, index, 12_345, &validators, keys)
            .minimal();
        verify_bundle(&bundle, &anchor).unwrap();
        bundle.encode().unwrap().len()
    };
    assert_eq!(size(314_159, &[0, 1, 2]), 1_449);
    assert_eq!(size(314_159, &[0, 1, 2, 3]), 1_449, "a quorum is enough");
    assert_eq!(size(999_999, &[0, 1, 2]), 1_193, "the right edge is short");
}

#[test]
fn a_minimal_bundle_keeps_a_quorum() {
    let (genesis, bundle) = small();
    let minimal = bundle.clone().minimal();
    let verified = verify_bundle(&minimal, &anchor(&genesis)).unwrap();
    assert_eq!(
        (verified.decision.power.0, verified.decision.signers.len()),
        (7, 3)
    );
    assert_eq!(minimal.clone().minimal(), minimal);
    let travelled = travelled(&genesis).minimal();
    assert_eq!(
        travelled.handovers[1].last.certificate.signatures().len(),
        3
    );
    verify_bundle(&travelled, &anchor(&genesis)).unwrap();
}

#[test]
fn sets_are_followed_one_at_a_time() {
    let genesis = genesis();
    let bundle = travelled(&genesis);
    let verified = verify_bundle(&bundle, &anchor(&genesis)).unwrap();
    assert_eq!(verified.handovers.len(), 2);
    assert_eq!(verified.steps().count(), 5);
    let (last, first) = &verified.handovers[1];
    assert_eq!((last.signers.len(), first.signers.len()), (4, 3));
    assert!(first.signers[0].name_en.starts_with("Third Association"));

    let skipping = |keep: fn(&[Handover]) -> Vec<Handover>| ProofBundle {
        handovers: keep(&bundle.handovers),
        ..bundle.clone()
    };
    let from_genesis = anchor(&genesis);
    refused(
        &skipping(|_| vec![]),
        &from_genesis,
        "the proof lacks a handover",
    );
    let words = "handover 1: checkpoint names validator set";
    refused(&skipping(|all| all[1..].to_vec()), &from_genesis, words);
    // The old set hands over to the second, but the third takes over.
    let words = "handover 1: validators and names have hash";
    refused(&skipping(|all| all[..1].to_vec()), &from_genesis, words);
    let swapped = skipping(|all| all.iter().rev().cloned().collect());
    refused(&swapped, &from_genesis, "handover 1");
    let twice = skipping(|all| [&all[..1], all].concat());
    refused(&twice, &from_genesis, "handover 1");
}

#[test]
fn a_handover_needs_both_quorums() {
    let genesis = genesis();
    let (good, network) = (travelled(&genesis), Network::of(&genesis));
    let anchor = anchor(&genesis);
    let check = |change: &dyn Fn(&mut Handover), expected: &str| {
        let mut bundle = good.clone();
        change(&mut bundle.handovers[0]);
        refused(&bundle, &anchor, expected);
    };
    let last = good.handovers[0].last.checkpoint;
    let first = good.handovers[0].first.checkpoint;
    let old = |keys: &[usize]| network.decide(last, keys);
    let new = |keys: &[usize]| network.decide(first, keys);
    check(&|it| it.last = old(&[1, 2, 3]), "6 of 9 voting power");
    check(&|it| it.first = new(&[4, 5]), "2 of 4 voting power");
    check(
        &|it| it.first = new(&[0, 1, 2]),
        "is not in the validator set",
    );
    check(
        &|it| it.last = old(&[4, 5, 6]),
        "is not in the validator set",
    );
    check(
        &|it| it.first = it.last.clone(),
        "is of height 500, the old one's last of 500",
    );
    let same = Checkpoint {
        next_validator_set_hash: last.validator_set_hash,
        ..last
    };
    let same = network.decide(same, &[0, 1, 2]);
    check(&|it| it.last = same.clone(), "names the same validator set");
    let other = Checkpoint {
        next_validator_set_hash: B256::repeat_byte(9),
        ..last
    };
    let other = network.decide(other, &[0, 1, 2]);
    check(&|it| it.last = other.clone(), "names validator set");
    let later = Checkpoint {
        height: Height(502),
        time: time(502),
        ..first
    };
    let later = network.decide(later, &[4, 5, 6]);
    check(
        &|it| it.first = later.clone(),
        "is of height 502, the old one's last of 500",
    );
    let early = Checkpoint {
        time: last.time,
        ..first
    };
    let early = network.decide(early, &[4, 5, 6]);
    check(&|it| it.first = early.clone(), "it must be after");
}

#[test]
fn a_trusted_checkpoint_is_a_start() {
    let genesis = genesis();
    let mut bundle = travelled(&genesis);
    let hash = bundle.genesis_hash;
    let last = bundle.handovers[1].last.checkpoint;
    let first = bundle.handovers[1].first.checkpoint;
    let of = |checkpoint: &Checkpoint| TrustAnchor::checkpoint(hash, checkpoint);
    // A bundle from genesis serves whoever trusts a later checkpoint too.
    let reported = |anchor| verify_bundle(&bundle, &anchor).unwrap().handovers.len();
    assert_eq!(reported(of(&bundle.handovers[0].first.checkpoint)), 1);
    assert_eq!(reported(of(&last)), 1);
    assert_eq!(reported(of(&first)), 0);
    assert_eq!(reported(of(&bundle.decision.checkpoint)), 0);
    let state_root = B256::ZERO;
    for checkpoint in [last, first] {
        let fork = Checkpoint {
            state_root,
            ..checkpoint
        };
        let words = "is not the one that is trusted for this height";
        refused(&bundle, &of(&fork), words);
    }
    // What is passed over is not believed either: another set does not come of it.
    let mut strange = bundle.clone();
    strange.validators = set(0..4, "別的公會", "Other Association");
    refused(&strange, &of(&first), "validators and names have hash");
    bundle.handovers.remove(0);
    verify_bundle(&bundle, &of(&last)).unwrap();
    bundle.handovers.clear();
    verify_bundle(&bundle, &of(&last)).unwrap();
    verify_bundle(&bundle, &of(&first)).unwrap();
    let itself = bundle.decision.checkpoint;
    verify_bundle(&bundle, &of(&itself)).unwrap();
    let fork = Checkpoint {
        state_root,
        ..itself
    };
    refused(
        &bundle,
        &of(&fork),
        "is not the one that is trusted for this height",
    );
    let height = Height(1_201);
    let later = Checkpoint { height, ..itself };
    refused(&bundle, &of(&later), "before the trusted height 1201");
}

#[test]
fn refuses_proofs_of_other_networks() {
    let (genesis, bundle) = small();
    let mut renamed = genesis.clone();
    renamed.name = "another".into();
    refused(&bundle, &anchor(&renamed), "network with genesis hash");
    let mut relabelled = bundle.clone();
    relabelled.genesis_hash = renamed.hash();
    refused(&relabelled, &anchor(&renamed), "the certificate decides");
    let chain = tbsi_types::ChainIdentity {
        chain_id: 1,
        genesis_hash: bundle.genesis_hash,
    };
    let elsewhere = TrustAnchor::validator_set(chain, bundle.validators.hash());
    refused(
        &bundle,
        &elsewhere,
        "leaf is of chain id 8862026, trusted is 1",
    );
    let stranger = TrustAnchor::validator_set(genesis.identity(), B256::ZERO);
    refused(
        &bundle,
        &stranger,
        "checkpoint: checkpoint names validator set",
    );
}

#[test]
fn refuses_each_part_of_another_proof() {
    let (genesis, good) = small();
    let anchor = anchor(&genesis);
    let network = Network::of(&genesis);
    let check = |change: &dyn Fn(&mut ProofBundle), expected: &str| {
        let mut bundle = good.clone();
        change(&mut bundle);
        refused(&bundle, &anchor, expected);
    };
    let other = network.bundle(&Log::with(14), 6, 8, &good.validators, &[0, 1, 2]);
    check(&|it| it.leaf = other.leaf.clone(), "leads to log root");
    check(&|it| it.leaf_index = LeafIndex(6), "leads to log root");
    check(&|it| it.leaf_index = LeafIndex(13), "outside a log of 13");
    check(
        &|it| it.inclusion = other.inclusion.clone(),
        "leads to log root",
    );
    check(
        &|it| it.inclusion.0.push(B256::ZERO),
        "proof has 5 hashes, 4 are needed",
    );
    check(&|it| it.leaf.push(0), "leaf: leaf bytes");
    check(
        &|it| it.decision = other.decision.clone(),
        "proof leads to log root",
    );
    let certificate = &other.decision.certificate;
    let words = "checkpoint is of height 7, the certificate of height 8";
    check(&|it| it.decision.certificate = certificate.clone(), words);
    check(
        &|it| it.decision.checkpoint.chain_id = 1,
        "checkpoint is of chain id 1",
    );
    check(
        &|it| it.decision.checkpoint.height = Height(0),
        "cannot cover",
    );
    check(
        &|it| it.decision.checkpoint.state_root = B256::ZERO,
        "the certificate decides",
    );
    let validators = set(0..4, "別的公會", "Other Association");
    check(
        &|it| it.validators = validators.clone(),
        "validators and names have hash",
    );
}

#[test]
fn a_leaf_cannot_be_younger_than_its_checkpoint() {
    let (genesis, good) = small();
    let anchor = anchor(&genesis);
    let network = Network::of(&genesis);
    let check = |height: u64, time: TimestampMs, fine: bool| {
        let mut bundle = good.clone();
        let checkpoint = &mut bundle.decision.checkpoint;
        (checkpoint.height, checkpoint.time) = (Height(height), time);
        bundle.decision = network.decide(*checkpoint, &[0, 1, 2]);
        if fine {
            verify_bundle(&bundle, &anchor).unwrap();
        } else {
            refused(&bundle, &anchor, "cannot cover");
        }
    };
    check(1, time(1), true);
    check(2, time(2), true);
    check(1, time(2), false);
    check(2, time(1), false);
    check(2, time(0), false);
    check(0, time(1), false);
}

#[test]
fn what_contradicts_itself_has_no_compact_form() {
    let (_, good) = small();
    let check = |change: &dyn Fn(&mut ProofBundle), expected: &str| {
        let mut bundle = good.clone();
        change(&mut bundle);
        let error = bundle.encode().unwrap_err();
        assert!(matches!(error, BundleError::Contradiction(field) if field == expected));
    };
    check(
        &|it| it.decision.checkpoint.log_root = B256::ZERO,
        "logRoot",
    );
    check(&|it| it.decision.checkpoint.chain_id = 1, "chainId");
    check(&|it| it.decision.checkpoint.height = Height(8), "height");
    check(
        &|it| it.decision.checkpoint.state_root = B256::ZERO,
        "checkpointDigest",
    );
    check(&|it| it.validators = set(0..4, "", ""), "validatorSetHash");
    let stranger = Network::of(&genesis()).decide(good.decision.checkpoint, &[0, 1, 9]);
    check(&|it| it.decision = stranger.clone(), "signatures");
}

#[test]
fn the_json_form_is_read_strictly() {
    let (_, bundle) = small();
    let good = bundle.to_json().unwrap();
    let check = |from: &str, to: &str, expected: &str| {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let error = words(&ProofBundle::parse_json(text.as_bytes()).unwrap_err());
        assert!(error.contains(expected), "`{error}` lacks `{expected}`");
    };
    check("tbsi-proof-1", "tbsi-proof-2", "use newer software");
    check(
        "\"handovers\"",
        "\"colour\": 1, \"handovers\"",
        "unknown field `colour`",
    );
    check(
        "\"ordinal\"",
        "\"ordinal\": 0, \"ordinal\"",
        "duplicate field `ordinal`",
    );
    check("\"leafIndex\": 5", "\"leafIndex\": -5", "invalid value");
    check("\"leafIndex\": 5", "\"leafIndex\": 5.0", "invalid type");
    check(
        "\"ordinal\": 5",
        "\"ordinal\": 6",
        "says something else than `leaf`",
    );
    check("\"power\": 2", "\"power\": 0", "has no voting power");
    check(
        "Test Association",
        &"A".repeat(511),
        "has a name of 513 bytes",
    );
    assert!(ProofBundle::parse_json(b"{}").is_err());
}

#[test]
fn bounds_come_before_allocation() {
    let (_, bundle) = small();
    let good = bundle.encode().unwrap();
    // Format, genesis hash; then the leaf's length.
    let mut long = good.clone();
    long.splice(36..37, [0xff, 0xff, 0xff, 0xff, 0x7f]);
    let error = ProofBundle::decode(&long).unwrap_err();
    assert!(matches!(error, BundleError::Count { field: "leaf", .. }));
    let huge = vec![0; 8 * 1024 * 1024 + 1];
    assert!(matches!(
        ProofBundle::decode(&huge),
        Err(BundleError::TooLong { .. })
    ));
    let mut foreign = good;
    foreign[3] = b'2';
    assert!(matches!(
        ProofBundle::decode(&foreign),
        Err(BundleError::Format)
    ));
}
