//! `tests/vectors/attestation_ids.json`: what the contract computes, read here.

use alloy_primitives::{Address, B256, Bytes};
use serde::Deserialize;
use tbsi_types::log::{Attestation, DigestWords};

#[derive(Deserialize)]
struct Vectors {
    attestations: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    chain_id: String,
    issuer: Address,
    schema: B256,
    algorithm: u32,
    digest: Bytes,
    words: Vec<B256>,
    id: B256,
}

#[test]
fn ids_are_those_of_the_contract() {
    let vectors: Vectors = serde_json::from_str(&super::read("attestation_ids.json")).unwrap();
    for case in &vectors.attestations {
        let digest = DigestWords::of(case.algorithm, &case.digest).unwrap();
        assert_eq!(digest.as_slice(), case.words, "{}", case.name);
        let attestation = Attestation {
            schema: case.schema,
            algorithm: case.algorithm,
            digest,
        };
        let chain_id = case.chain_id.parse().unwrap();
        assert_eq!(
            attestation.id(chain_id, case.issuer),
            case.id,
            "{}",
            case.name
        );
    }
    assert!(vectors.attestations.len() >= 12);
}
