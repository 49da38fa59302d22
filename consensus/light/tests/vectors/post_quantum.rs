//! `post_quantum.json`: cosignatures that other people's software made (tests/outside/postquantum),
//! and what must be refused.

use alloy_primitives::B256;
use serde::Deserialize;
use tbsi_light::{LogError, VerifiedPostQuantum, verify_post_quantum_note};
use tbsi_types::bundle::{NamedValidator, NamedValidators};
use tbsi_types::log::{
    LogCheckpoint, PostQuantumSigner, PostQuantumVerifier, SignedNote, cosigner_name,
};
use tbsi_types::validator::operator_id;
use tbsi_types::{Address, ChainIdentity, VotingPower};

use crate::{read, words};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PostQuantumVectors {
    #[serde(rename = "description")]
    _description: String,
    chain_id: u64,
    genesis_hash: B256,
    validators: Vec<ValidatorKey>,
    notes: Vec<NoteCase>,
    bad_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidatorKey {
    name_zh_tw: String,
    name_en: String,
    seed: u8,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteCase {
    name: String,
    text: String,
    power: u64,
    refused: Option<String>,
}

struct World {
    vectors: PostQuantumVectors,
    chain: ChainIdentity,
    set: NamedValidators,
    keys: Vec<PostQuantumVerifier>,
}

fn world() -> World {
    let vectors: PostQuantumVectors = serde_json::from_str(&read("post_quantum.json")).unwrap();
    let named = vectors.validators.iter().map(|it| NamedValidator {
        address: Address::repeat_byte(it.seed),
        power: VotingPower(1),
        name_zh_tw: it.name_zh_tw.clone(),
        name_en: it.name_en.clone(),
    });
    let keys = vectors.validators.iter();
    World {
        set: NamedValidators::new(named.collect()).unwrap(),
        keys: keys
            .map(|it| PostQuantumVerifier::parse(&it.key).unwrap())
            .collect(),
        chain: ChainIdentity {
            chain_id: vectors.chain_id,
            genesis_hash: vectors.genesis_hash,
        },
        vectors,
    }
}

#[test]
fn keys_and_their_names_are_those_of_others() {
    let World {
        vectors,
        chain,
        keys,
        ..
    } = world();
    for (it, key) in vectors.validators.iter().zip(&keys) {
        let name = cosigner_name(&chain, operator_id(&it.name_zh_tw, &it.name_en));
        let signer = PostQuantumSigner::new(&name, &[it.seed; 32]).unwrap();
        assert_eq!(&signer.verifier(), key);
        assert_eq!(key.encode(), it.key);
    }
    for key in &vectors.bad_keys {
        assert!(PostQuantumVerifier::parse(key).is_err(), "{key:.80}");
    }
}

#[test]
fn post_quantum_notes_verify_as_the_file_says() {
    let World {
        vectors,
        chain,
        set,
        keys,
    } = world();
    for case in &vectors.notes {
        let note = SignedNote::parse(&case.text).unwrap();
        let verified = verify_post_quantum_note(&note, &chain, &set, &keys);
        match (&verified, &case.refused) {
            (Ok(verified), None) => {
                assert_eq!(verified.power.0, case.power, "{}", case.name);
                assert_eq!(verified.total.0, 4);
                assert_eq!(verified.is_quorum(), case.power == 3, "{}", case.name);
                let times = verified.signatories.iter().map(|it| it.time);
                assert!(times.eq((0..case.power).map(|_| 1_700_000_000)));
            }
            (Err(error), Some(refused)) => {
                let got = words(error);
                assert!(got.contains(refused.as_str()), "{}: {got}", case.name);
            }
            (got, _) => panic!("{}: {got:?}", case.name),
        }
    }
}

fn cosigned(by: &[(&PostQuantumSigner, u64)], chain: &ChainIdentity) -> SignedNote {
    let checkpoint = LogCheckpoint {
        origin: chain.log_origin(),
        size: tbsi_types::TreeSize(9),
        root: B256::ZERO,
    };
    let lines = by
        .iter()
        .map(|(signer, time)| signer.cosign(&checkpoint, *time).unwrap());
    SignedNote::new(checkpoint.encode().unwrap(), lines.collect()).unwrap()
}

#[test]
fn an_operator_with_two_validators_is_not_counted_for_more_than_its_keys() {
    let World { chain, .. } = world();
    let validator = |byte: u8, power: u64, name: &str| NamedValidator {
        address: Address::repeat_byte(byte),
        power: VotingPower(power),
        name_zh_tw: String::new(),
        name_en: name.into(),
    };
    let set = vec![
        validator(1, 5, "a"),
        validator(2, 3, "a"),
        validator(3, 1, "b"),
    ];
    let set = NamedValidators::new(set).unwrap();
    let name = cosigner_name(&chain, operator_id("", "a"));
    let signer = |seed: u8| PostQuantumSigner::new(&name, &[seed; 32]).unwrap();
    let (one, two, three) = (signer(1), signer(2), signer(3));
    let keys: Vec<_> = [&one, &two, &three].map(PostQuantumSigner::verifier).into();
    let check = |by: &[(&PostQuantumSigner, u64)], power: u64| {
        let note = cosigned(by, &chain);
        let verified = verify_post_quantum_note(&note, &chain, &set, &keys).unwrap();
        let VerifiedPostQuantum {
            signatories,
            power: got,
            ..
        } = verified;
        assert_eq!((signatories.len(), signatories[0].keys), (1, by.len()));
        assert_eq!(got.0, power);
    };
    check(&[(&two, 8)], 3);
    check(&[(&two, 8), (&one, 7)], 8);
    check(&[(&two, 8), (&one, 7), (&three, 6)], 8);
    // A stranger's name is nobody's.
    let other = PostQuantumSigner::new(&format!("{name}0"), &[9; 32]).unwrap();
    let note = cosigned(&[(&other, 1)], &chain);
    let verified = verify_post_quantum_note(&note, &chain, &set, &[other.verifier()]).unwrap();
    assert_eq!((verified.signatories.len(), verified.power.0), (0, 0));
    let repeated = [one.verifier(), one.verifier()];
    let note = cosigned(&[(&one, 1)], &chain);
    let verified = verify_post_quantum_note(&note, &chain, &set, &repeated).unwrap();
    assert_eq!(verified.power.0, 3);
    let extended = format!("{}extension\n", note.text());
    let extended = SignedNote::new(extended, note.signatures().to_vec()).unwrap();
    let refused = verify_post_quantum_note(&extended, &chain, &set, &keys);
    assert!(matches!(refused, Err(LogError::Checkpoint(_))));
}
