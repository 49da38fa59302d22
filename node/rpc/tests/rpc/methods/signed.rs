//! What the validators signed, and who they are.

use serde_json::json;
use tbsi_rpc::Backend;
use tbsi_types::{B256, Evidence, Height};

use crate::http::Fixture;
use crate::transactions::{CHAIN_ID, identity};
use crate::validators::{equivocation, members};

#[tokio::test]
async fn checkpoints_by_every_name() {
    let fixture = Fixture::new().await;
    let checkpoint = fixture.chain.checkpoint(Height(2)).unwrap().unwrap();
    let digest = checkpoint.digest(&identity());
    let members = members();
    let expected = json!({
        "chainId": CHAIN_ID, "height": 2, "timeMs": 1_700_000_002_007u64,
        "blockHash": fixture.chain.block_at(2).hash(), "stateRoot": B256::repeat_byte(5),
        "logSize": 0, "logRoot": tbsi_types::log::EMPTY_LOG_ROOT,
        "validatorSetHash": members.set().hash(), "nextValidatorSetHash": members.set().hash(),
        "digest": digest, "encoded": alloy_primitives::Bytes::from(checkpoint.encode().to_vec()),
    });
    for params in [
        json!([]),
        json!([2]),
        json!(["0x2"]),
        json!(["latest"]),
        json!(["2"]),
    ] {
        let result = fixture.result("tbsi_getCheckpoint", params.clone()).await;
        assert_eq!(result, expected, "{params}");
    }
}

#[tokio::test]
async fn certificates_name_the_operators() {
    let fixture = Fixture::new().await;
    let members = members();
    let certificate = fixture.chain.certificate(Height(2)).unwrap().unwrap();
    let signature = |entry: &tbsi_types::CommitSignature| {
        let member = members.get(&entry.validator).unwrap();
        json!({
            "validator": entry.validator,
            "signature": alloy_primitives::Bytes::from(entry.signature.0.to_vec()),
            "organisation": {
                "nameZhTw": member.name_zh_tw, "nameEn": member.name_en,
            },
        })
    };
    let expected = json!({
        "height": 2, "round": 0, "checkpointDigest": certificate.checkpoint_digest,
        "signatures": certificate.signatures().iter().map(signature).collect::<Vec<_>>(),
        "encoded": alloy_primitives::Bytes::from(certificate.encode()),
    });
    assert_eq!(
        fixture
            .result("tbsi_getCertificate", json!(["latest"]))
            .await,
        expected
    );
}

#[tokio::test]
async fn validators_have_legal_names() {
    let fixture = Fixture::new().await;
    let members = members();
    let validators = fixture.result("tbsi_getValidators", json!([1])).await;
    assert_eq!(validators["setHash"], json!(members.set().hash()));
    assert_eq!(validators["totalPower"], 4);
    assert_eq!(validators["height"], 1);
    let listed = validators["validators"].as_array().unwrap();
    assert_eq!(listed.len(), members.set().count());
    for (got, member) in listed.iter().zip(members.iter()) {
        let key = alloy_primitives::Bytes::from(member.public_key.encode().to_vec());
        let expected = json!({
            "address": member.public_key.address(), "publicKey": key, "power": 1,
            "nodeName": member.node,
            "organisation": {
                "nameZhTw": member.name_zh_tw, "nameEn": member.name_en,
            },
        });
        assert_eq!(got, &expected);
    }
}

#[tokio::test]
async fn evidence_verifies_and_status_says_who_is_missing() {
    let fixture = Fixture::new().await;
    let known = fixture.result("tbsi_getEvidence", json!([])).await;
    assert_eq!(known["more"], false);
    let evidence = &known["evidence"];
    let encoded: alloy_primitives::Bytes =
        evidence[0]["encoded"].as_str().unwrap().parse().unwrap();
    let decoded = Evidence::decode(&encoded).unwrap();
    assert_eq!(decoded, equivocation());
    assert_eq!(decoded.verify(&identity()), Ok(()));
    assert_eq!(evidence[0]["kind"], "votes");
    assert_eq!(
        (&evidence[0]["height"], &evidence[0]["round"]),
        (&json!(2), &json!(1))
    );
    let status = fixture.result("tbsi_status", json!([])).await;
    assert_eq!(status["role"], "validator");
    assert_eq!(status["missingValidators"].as_array().unwrap().len(), 1);
}
