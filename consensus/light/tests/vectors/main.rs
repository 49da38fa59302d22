//! `tests/vectors/certificate.json`, `checkpoint.json`, `leaf.json`, `log.json`,
//! `bundle.json`, `handovers.json`, `map.json`, `cose.json`, `erasure.json`, `registry.json` and
//! `authorisation.json`: the bytes that every verifier of TBSI must accept and refuse, whatever
//! language it is written in.
//!
//! One test makes the files again and compares (`UPDATE_VECTORS=1` rewrites them, which
//! approves a change of format); the other only reads them, as a foreign verifier would.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod authorisation_fixture;
mod authorisation_vectors;
mod bundle;
mod bundle_vectors;
mod cose_vectors;
mod erasure_vectors;
mod fixture;
mod handover_vectors;
mod handovers;
mod ids;
mod leaf_vectors;
mod light_client;
mod log_vectors;
mod make;
mod map_fixture;
mod map_vectors;
mod post_quantum;
mod registry_fixture;
mod registry_vectors;
#[path = "../shared/state.rs"]
mod state;

use std::path::PathBuf;

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_light::{verify_certificate, verify_checkpoint};
use tbsi_types::{
    ChainIdentity, Checkpoint, CheckpointDigest, CommitCertificate, Genesis, PublicKey, Validator,
    ValidatorSet, VotingPower,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CertificateVectors {
    description: String,
    chain_id: u64,
    genesis_hash: B256,
    validators: Vec<ValidatorVector>,
    validator_set_hash: B256,
    total_power: u64,
    cases: Vec<CertificateCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidatorVector {
    /// UTF-8 text whose Keccak-256 is the secret key.
    seed: String,
    secret_key: B256,
    public_key: Bytes,
    address: Address,
    power: u64,
    /// Commitment to the operator's legal names.
    operator: B256,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateCase {
    name: String,
    certificate: Bytes,
    /// What each signature is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_digest: Option<B256>,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckpointVectors {
    description: String,
    genesis: Genesis,
    genesis_hash: B256,
    cases: Vec<CheckpointCase>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckpointCase {
    name: String,
    checkpoint: Bytes,
    certificate: Bytes,
    /// Digest of the checkpoint under this genesis.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<CheckpointDigest>,
    #[serde(flatten)]
    expected: Expected,
}

/// Power of the signers if valid, else words that the reason contains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Power(u64),
    Refused(String),
}

fn path(file: &str) -> PathBuf {
    PathBuf::from("../../tests/vectors").join(file)
}

fn read(file: &str) -> String {
    let path = path(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn compare(file: &str, vectors: &impl Serialize) {
    let text = serde_json::to_string_pretty(vectors).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path(file), &text).unwrap();
    }
    assert!(
        read(file) == text,
        "{file} differs from what this code makes; if that is meant, run with UPDATE_VECTORS=1"
    );
}

#[test]
fn vectors_are_what_this_code_makes() {
    compare("certificate.json", &make::certificate_vectors());
    compare("checkpoint.json", &make::checkpoint_vectors());
    compare("leaf.json", &leaf_vectors::make());
    compare("log.json", &log_vectors::make());
    compare("bundle.json", &bundle_vectors::make());
    compare("handovers.json", &handover_vectors::make());
    compare("map.json", &map_vectors::make());
    compare("cose.json", &cose_vectors::make());
    compare("erasure.json", &erasure_vectors::make());
    compare("registry.json", &registry_vectors::make());
    compare("authorisation.json", &authorisation_vectors::make());
}

fn check(name: &str, got: Result<u64, String>, expected: &Expected) {
    match (got, expected) {
        (Ok(got), Expected::Power(power)) => assert_eq!(got, *power, "{name}"),
        (Err(got), Expected::Refused(words)) => assert!(got.contains(words), "{name}: {got}"),
        (got, expected) => panic!("{name}: got {got:?}, expected {expected:?}"),
    }
}

/// The words of an error and of its causes.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

#[test]
fn certificates_verify_as_the_file_says() {
    let vectors: CertificateVectors = serde_json::from_str(&read("certificate.json")).unwrap();
    let validator = |vector: &ValidatorVector| {
        let key = PublicKey::parse(&vector.public_key).unwrap();
        assert_eq!(key.address(), vector.address);
        Validator::new(key, VotingPower(vector.power), vector.operator)
    };
    let set = ValidatorSet::new(vectors.validators.iter().map(validator).collect()).unwrap();
    assert_eq!(set.hash(), vectors.validator_set_hash);
    assert_eq!(set.total_power().0, vectors.total_power);
    let chain = ChainIdentity {
        chain_id: vectors.chain_id,
        genesis_hash: vectors.genesis_hash,
    };
    for case in &vectors.cases {
        let verify = || {
            let certificate =
                CommitCertificate::decode(&case.certificate).map_err(|error| words(&error))?;
            if let Some(signed_digest) = case.signed_digest {
                assert_eq!(certificate.statement().digest(&chain), signed_digest);
            }
            verify_certificate(&chain, &set, &certificate)
                .map(|verified| verified.power.0)
                .map_err(|error| words(&error))
        };
        check(&case.name, verify(), &case.expected);
    }
}

#[test]
fn checkpoints_verify_as_the_file_says() {
    let vectors: CheckpointVectors = serde_json::from_str(&read("checkpoint.json")).unwrap();
    let chain = vectors.genesis.identity();
    assert_eq!(chain.genesis_hash, vectors.genesis_hash);
    for case in &vectors.cases {
        let verify = || {
            let checkpoint = Checkpoint::decode(&case.checkpoint).map_err(|error| words(&error))?;
            assert_eq!(
                Some(checkpoint.digest(&chain)),
                case.digest,
                "{}",
                case.name
            );
            let certificate =
                CommitCertificate::decode(&case.certificate).map_err(|error| words(&error))?;
            verify_checkpoint(&vectors.genesis, &checkpoint, &certificate)
                .map(|verified| verified.power.0)
                .map_err(|error| words(&error))
        };
        check(&case.name, verify(), &case.expected);
    }
}
