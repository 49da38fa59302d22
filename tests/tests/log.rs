//! The attestation log over JSON-RPC: what is acknowledged is proven, offline, and stays proven.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use alloy_primitives::{Address, B256};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{Acknowledgement, Attestation, LeafPage, LeafRange};
use tbsi_tests::harness::{TestNetwork, eventually};
use tbsi_tests::issuer::{Issuer, acknowledge, digest, revokeCall};
use tbsi_types::bundle::ProofBundle;
use tbsi_types::log::{Leaf, Statement};

async fn proof(client: &Client, selector: Value) -> Option<ProofBundle> {
    let answer: Option<Box<RawValue>> = client.request("tbsi_getProof", &[selector]).await.unwrap();
    answer.map(|json| ProofBundle::parse_json(json.get().as_bytes()).unwrap())
}

/// Every proof of an acknowledgement, verified from the genesis file alone.
fn verified(net: &TestNetwork, acknowledged: &Acknowledgement) -> Vec<ProofBundle> {
    let anchor = TrustAnchor::genesis(&net.genesis()).unwrap();
    let mut bundles = Vec::new();
    for json in &acknowledged.proofs {
        let bundle = ProofBundle::parse_json(json.get().as_bytes()).unwrap();
        verify_bundle(&bundle, &anchor).unwrap();
        bundles.push(bundle);
    }
    bundles
}

fn digest_of(bundle: &ProofBundle) -> B256 {
    let statement = Leaf::decode(&bundle.leaf).unwrap().statement;
    let Statement::Attestation(attestation) = statement else {
        panic!("{statement:?}");
    };
    attestation.digest.as_slice()[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_attested_is_acknowledged_with_its_proof_and_found_again() {
    let net = TestNetwork::start(4, 0).await;
    let (client, other) = (net.client(0), net.client(3));
    let mut issuer = Issuer::new("issuer", &net);
    let batch = issuer.batch(0..1_000);
    let acknowledged = acknowledge(&client, &batch).await.unwrap();
    assert_eq!(acknowledged.leaves.count, 1_000);
    let bundles = verified(&net, &acknowledged);
    assert_eq!(bundles.len(), 16);
    for (number, bundle) in (0..).zip(&bundles) {
        assert_eq!(digest_of(bundle), digest(number));
        let leaf = Leaf::decode(&bundle.leaf).unwrap();
        assert_eq!(leaf.head.issuer, issuer.sender.address());
        assert_eq!(leaf.head.height, acknowledged.height);
    }
    // The same from another node, by any name.
    let hash = acknowledged.transaction_hash;
    eventually("the other node has the block", async || {
        let leaves: Option<LeafRange> = other
            .request("tbsi_getLeaves", &[json!(hash)])
            .await
            .unwrap();
        leaves == Some(acknowledged.leaves)
    })
    .await;
    let index = acknowledged.leaves.first.0 + 999;
    let by_index = proof(&other, json!({ "index": index })).await.unwrap();
    let by_digest = proof(&other, json!({ "digest": digest(999) }))
        .await
        .unwrap();
    let id = Leaf::decode(&by_index.leaf)
        .unwrap()
        .attestation_id()
        .unwrap();
    let by_id = proof(&other, json!({ "id": id })).await.unwrap();
    assert_eq!((&by_index, &by_index), (&by_digest, &by_id));
    let anchor = TrustAnchor::genesis(&net.genesis()).unwrap();
    assert_eq!(
        verify_bundle(&by_index, &anchor).unwrap().leaf_index.0,
        index
    );
    // A duplicate is the same attestation, in another leaf.
    let again = acknowledge(&client, &issuer.batch(999..1_000))
        .await
        .unwrap();
    for (method, argument) in [
        ("tbsi_findByDigest", json!(digest(999))),
        ("tbsi_findById", json!(id)),
    ] {
        let page: LeafPage = client.request(method, &[argument]).await.unwrap();
        let found: Vec<u64> = page.entries.iter().map(|entry| entry.index.0).collect();
        assert_eq!(found, [index, again.leaves.first.0], "{method}");
        assert_eq!(page.next, None);
    }
    revoke_counts_from_its_issuer_only(&net, &mut issuer, id).await;
    net.assert_no_panic();
}

async fn revoke_counts_from_its_issuer_only(net: &TestNetwork, issuer: &mut Issuer, id: B256) {
    let client = net.client(1);
    let ask = async || -> Attestation {
        let params = [json!(id)];
        client
            .request("tbsi_getAttestation", &params)
            .await
            .unwrap()
    };
    let call = revokeCall { id, reason: 2 };
    let mut stranger = Issuer::new("stranger", net);
    acknowledge(&client, &stranger.sign(&call)).await.unwrap();
    let attestation = ask().await;
    assert_eq!(
        (attestation.revoked_at, attestation.entries.len()),
        (None, 1)
    );
    assert!(attestation.revocable && attestation.repeated);
    let revoked = acknowledge(&client, &issuer.sign(&call)).await.unwrap();
    let attestation = ask().await;
    assert_eq!(attestation.issuer, issuer.sender.address());
    assert_eq!(attestation.revoked_at, Some(revoked.height));
    // Twice is refused by the contract, and nothing is acknowledged.
    let error = acknowledge(&client, &issuer.sign(&call)).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("failed: nothing was attested"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_make_no_sense_are_refused_with_the_limit() {
    let net = TestNetwork::start(1, 0).await;
    let client = net.client(0);
    let refused = async |method: &str, params: Value, words: &str| {
        let params = params.as_array().unwrap().clone();
        let error = client.request::<Value>(method, &params).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(words), "{method}: {said}");
    };
    refused("tbsi_getProof", json!([{}]), "invalid argument 0").await;
    refused(
        "tbsi_getProof",
        json!([{ "digest": "0x12" }]),
        "digest has 1 bytes, 28 to 64",
    )
    .await;
    refused("tbsi_findByDigest", json!(["0x"]), "digest has 0 bytes").await;
    refused(
        "tbsi_getConsistency",
        json!([0, 0]),
        "give 1 <= first <= second <= 0",
    )
    .await;
    refused("tbsi_sendAttestation", json!(["0x00"]), "rlp").await;
    let nothing = [
        ("tbsi_getProof", json!({ "index": 0 })),
        ("tbsi_getProof", json!({ "id": B256::ZERO })),
        ("tbsi_getLeaf", json!(0)),
        ("tbsi_getLeaves", json!(B256::ZERO)),
        ("tbsi_getAttestation", json!(B256::ZERO)),
    ];
    for (method, argument) in nothing {
        let answer: Value = client.request(method, &[argument]).await.unwrap();
        assert_eq!(answer, Value::Null, "{method}");
    }
    net.assert_no_panic();
}

/// A batch as large as one transaction can be, which the pool and the wire must carry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_digests_are_one_transaction() {
    let net = TestNetwork::start(4, 0).await;
    let mut issuer = Issuer::new("large", &net);
    let acknowledged = acknowledge(&net.client(2), &issuer.batch(0..10_000))
        .await
        .unwrap();
    assert_eq!(acknowledged.leaves.count, 10_000);
    let bundle = proof(&net.client(2), json!({ "digest": digest(9_999) }))
        .await
        .unwrap();
    let anchor = TrustAnchor::genesis(&net.genesis()).unwrap();
    verify_bundle(&bundle, &anchor).unwrap();
    assert_eq!(
        issuer.sender.address(),
        Leaf::decode(&bundle.leaf).unwrap().head.issuer
    );
    assert_ne!(issuer.sender.address(), Address::ZERO);
    net.assert_no_panic();
}
