//! `bundle.json`: proofs in both forms, from a genesis file and from a trusted checkpoint.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tbsi_light::{TrustAnchor, VerifiedBundle, verify_bundle};
use tbsi_types::{
    Checkpoint, Genesis, Height, LeafIndex, NamedValidators, ProofBundle, TimestampMs,
};

use crate::fixture::{Log, Network, set, travelled};
use crate::make::genesis;
use crate::{read, words};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BundleVectors {
    description: String,
    genesis: Genesis,
    genesis_hash: B256,
    cases: Vec<BundleCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleCase {
    name: String,
    /// What is trusted; the genesis file if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_checkpoint: Option<Bytes>,
    /// Absent if the bundle contradicts itself, which has no compact form.
    #[serde(skip_serializing_if = "Option::is_none")]
    compact: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Verified(Summary),
    Refused(String),
}

/// What a verifier must be able to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Summary {
    issuer: Address,
    time_ms: TimestampMs,
    leaf_index: LeafIndex,
    id: Option<B256>,
    power: u64,
    total_power: u64,
    /// English names, in the order of the validators.
    signers: Vec<String>,
    handovers: usize,
}

impl Summary {
    fn of(verified: &VerifiedBundle) -> Self {
        let decision = &verified.decision;
        let name = |signer: &tbsi_light::NamedSigner| signer.name_en.clone();
        Self {
            issuer: verified.issuer(),
            time_ms: verified.time(),
            leaf_index: verified.leaf_index,
            id: verified.leaf.attestation_id(),
            power: decision.power.0,
            total_power: decision.total.0,
            signers: decision.signers.iter().map(name).collect(),
            handovers: verified.handovers.len(),
        }
    }
}

fn anchor(genesis: &Genesis, checkpoint: Option<&Checkpoint>) -> TrustAnchor {
    match checkpoint {
        Some(checkpoint) => TrustAnchor::checkpoint(genesis.hash(), checkpoint),
        None => TrustAnchor::genesis(genesis).unwrap(),
    }
}

fn case(name: &str, bundle: &ProofBundle, trusted: Option<&Checkpoint>) -> BundleCase {
    let compact = bundle.encode().ok().map(Into::into);
    let json = serde_json::from_str(&bundle.to_json().unwrap()).unwrap();
    let verified = verify_bundle(bundle, &anchor(&genesis(), trusted));
    BundleCase {
        name: name.into(),
        trusted_checkpoint: trusted.map(|it| it.encode().to_vec().into()),
        compact,
        json: Some(json),
        expected: match verified {
            Ok(verified) => Expected::Verified(Summary::of(&verified)),
            Err(error) => Expected::Refused(words(&error)),
        },
    }
}

/// One that must be refused, for this reason.
fn bad(name: &str, bundle: &ProofBundle, reason: &str) -> BundleCase {
    let case = case(name, bundle, None);
    let refused = Expected::Refused(reason.into());
    let Expected::Refused(words) = &case.expected else {
        panic!("{name} is not refused")
    };
    assert!(words.contains(reason), "{name}: {words}");
    BundleCase {
        expected: refused,
        ..case
    }
}

pub(crate) fn make() -> BundleVectors {
    let genesis = genesis();
    BundleVectors {
        description: "Proof bundles in compact and JSON form. One with `verified` is valid if \
                      the genesis file, or `trustedCheckpoint` under its hash, is trusted; one \
                      with `refused` must be refused. A bundle that contradicts itself has a \
                      JSON form only."
            .into(),
        genesis_hash: genesis.hash(),
        cases: [
            good_cases(&genesis),
            bad_cases(&genesis),
            bad_forms(&genesis),
        ]
        .into_iter()
        .flatten()
        .collect(),
        genesis,
    }
}

fn simple(genesis: &Genesis) -> ProofBundle {
    let set = NamedValidators::of_genesis(genesis).unwrap();
    Network::of(genesis).bundle(&Log::with(13), 5, 7, &set, &[0, 1, 2, 3])
}

fn good_cases(genesis: &Genesis) -> Vec<BundleCase> {
    let set = NamedValidators::of_genesis(genesis).unwrap();
    let network = Network::of(genesis);
    let large = network.bundle(&Log::with(100_000), 77_777, 1_000, &set, &[0, 1, 2]);
    let one = network.bundle(&Log::with(1), 0, 1, &set, &[0, 1, 2]);
    let travelled = travelled(genesis);
    let mut resumed = travelled.clone();
    resumed.handovers.clear();
    let trusted = travelled.handovers[1].first.checkpoint;
    vec![
        case("signed by all", &simple(genesis), None),
        case("signed by a quorum", &simple(genesis).minimal(), None),
        case("the only leaf", &one, None),
        case("of a large log", &large, None),
        case("two handovers", &travelled, None),
        case("from a trusted checkpoint", &resumed, Some(&trusted)),
        case(
            "from genesis past a trusted checkpoint",
            &travelled,
            Some(&trusted),
        ),
        case(
            "of the trusted checkpoint itself",
            &one,
            Some(&one.decision.checkpoint),
        ),
    ]
}

fn bad_cases(genesis: &Genesis) -> Vec<BundleCase> {
    let network = Network::of(genesis);
    let good = simple(genesis);
    let far = travelled(genesis);
    let edited = |bundle: &ProofBundle, edit: &dyn Fn(&mut ProofBundle)| {
        let mut bundle = bundle.clone();
        edit(&mut bundle);
        bundle
    };
    let checkpoint = good.decision.checkpoint;
    let below = edited(&good, &|it| {
        it.decision = network.decide(checkpoint, &[1, 2, 3])
    });
    let foreign = edited(&good, &|it| {
        it.decision = network.decide(checkpoint, &[0, 1, 2, 9])
    });
    let renamed = edited(&good, &|it| {
        it.validators = set(0..4, "公會", "Association")
    });
    let hash = edited(&good, &|it| it.genesis_hash = B256::repeat_byte(9));
    let index = edited(&good, &|it| it.leaf_index = LeafIndex(4));
    let leaf = edited(&good, &|it| it.leaf[85] ^= 1);
    let sibling = edited(&good, &|it| it.inclusion.0[1].0[0] ^= 1);
    let missing = edited(&good, &|it| it.inclusion.0.truncate(3));
    let state = edited(&good, &|it| it.decision.checkpoint.state_root = B256::ZERO);
    let height = edited(&good, &|it| it.decision.checkpoint.height = Height(8));
    let none = edited(&far, &|it| it.handovers.clear());
    let second = edited(&far, &|it| it.handovers.truncate(1));
    let last = far.handovers[0].last.checkpoint;
    let first = far.handovers[0].first.checkpoint;
    let old = edited(&far, &|it| {
        it.handovers[0].last = network.decide(last, &[1, 2, 3])
    });
    let new = edited(&far, &|it| {
        it.handovers[0].first = network.decide(first, &[4, 5])
    });
    vec![
        bad("two thirds only", &below, "6 of 9 voting power"),
        bad("a foreign signer", &foreign, "is not in the validator set"),
        bad(
            "other legal names",
            &renamed,
            "validators and names have hash",
        ),
        bad("another genesis", &hash, "network with genesis hash"),
        bad("another index", &index, "leads to log root"),
        bad("another digest", &leaf, "leads to log root"),
        bad("another sibling", &sibling, "leads to log root"),
        bad("a hash too few", &missing, "3 hashes, 4 are needed"),
        bad("another state root", &state, "the certificate decides"),
        bad("another height", &height, "the certificate of height 7"),
        bad("handovers left out", &none, "lacks a handover"),
        bad("a handover left out", &second, "handover 1"),
        bad(
            "old set below quorum",
            &old,
            "handover 1: signatures carry 6 of 9",
        ),
        bad(
            "new set below quorum",
            &new,
            "handover 1: signatures carry 2 of 4",
        ),
    ]
}

/// Bytes that are no compact form.
fn bad_forms(genesis: &Genesis) -> Vec<BundleCase> {
    let good = simple(genesis).encode().unwrap();
    let case = |name: &str, compact: Vec<u8>, reason: &str| BundleCase {
        name: name.into(),
        trusted_checkpoint: None,
        compact: Some(compact.into()),
        json: None,
        expected: Expected::Refused(reason.into()),
    };
    let patched = |position: usize, value: &[u8]| {
        let mut bytes = good.clone();
        bytes.splice(position..=position, value.iter().copied());
        bytes
    };
    let cut = good[..good.len() - 1].to_vec();
    let long = [&good[..], &[0]].concat();
    // Format 4, genesis hash 32, leaf length 1, leaf 117: then the index, 5.
    vec![
        case("empty", vec![], "bytes needed"),
        case("truncated", cut, "bytes needed"),
        case("one byte too many", long, "1 bytes after"),
        case("another format", patched(3, b"2"), "not a proof in a form"),
        case(
            "index not in its shortest form",
            patched(154, &[0x85, 0]),
            "shortest form",
        ),
        case("more hashes than levels", patched(155, &[65]), "at most 64"),
        case(
            "leaf longer than any",
            patched(36, &[0xff, 0x7f]),
            "at most 512",
        ),
    ]
}

#[test]
fn bundles_verify_as_the_file_says() {
    let vectors: BundleVectors = serde_json::from_str(&read("bundle.json")).unwrap();
    assert_eq!(vectors.genesis.hash(), vectors.genesis_hash);
    for case in &vectors.cases {
        let trusted = case.trusted_checkpoint.as_ref();
        let trusted = trusted.map(|bytes| Checkpoint::decode(bytes).unwrap());
        let anchor = anchor(&vectors.genesis, trusted.as_ref());
        let verify = |bundle| -> Result<Summary, Box<dyn std::error::Error>> {
            let bundle: ProofBundle = bundle;
            Ok(Summary::of(&verify_bundle(&bundle, &anchor)?))
        };
        if let Some(compact) = &case.compact {
            let got = ProofBundle::decode(compact)
                .map_err(Into::into)
                .and_then(verify);
            check(case, got.map_err(|error| words(error.as_ref())), false);
        }
        if let Some(json) = &case.json {
            let text = serde_json::to_vec(json).unwrap();
            let got = ProofBundle::parse_json(&text)
                .map_err(Into::into)
                .and_then(verify);
            check(case, got.map_err(|error| words(error.as_ref())), true);
        }
        assert!(
            case.compact.is_some() || case.json.is_some(),
            "{}",
            case.name
        );
    }
    let good = |case: &&BundleCase| matches!(case.expected, Expected::Verified(_));
    let good = vectors.cases.iter().filter(good).count();
    assert_eq!((good, vectors.cases.len()), (8, 29));
}

/// Both forms give the same answer; the reason must be the file's.
fn check(case: &BundleCase, got: Result<Summary, String>, json: bool) {
    match (&got, &case.expected) {
        (Ok(got), Expected::Verified(expected)) => assert_eq!(got, expected, "{}", case.name),
        (Err(got), Expected::Refused(words)) => {
            assert!(got.contains(words), "{}, JSON {json}: {got}", case.name);
        }
        (got, expected) => panic!("{}: got {got:?}, expected {expected:?}", case.name),
    }
}
