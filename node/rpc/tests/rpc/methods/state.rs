//! Accounts, code, storage and proofs.

use serde_json::{Value, json};
use tbsi_types::B256;

use super::{hex, word};
use crate::chain::{BALANCE, NONCE, RETURNS, SLOT, SLOT_VALUE};
use crate::http::Fixture;
use crate::transactions::{CONTRACT, sender};

#[tokio::test]
async fn state_by_every_name_of_a_block() {
    let fixture = Fixture::new().await;
    let hash = fixture.chain.block_at(1).hash();
    for block in [
        json!("latest"),
        json!("pending"),
        json!("0x1"),
        json!(hash),
        json!({"blockHash": hash, "requireCanonical": true}),
        json!({"blockNumber": "0x1"}),
        json!(null),
    ] {
        let balance = fixture
            .result("eth_getBalance", json!([sender(), block]))
            .await;
        assert_eq!(balance, hex(BALANCE), "{block}");
    }
    assert_eq!(
        fixture.result("eth_getBalance", json!([CONTRACT])).await,
        "0x0"
    );
    assert_eq!(
        fixture
            .result("eth_getCode", json!([CONTRACT, "latest"]))
            .await,
        "0x6000"
    );
    assert_eq!(
        fixture
            .result("eth_getCode", json!([sender(), "latest"]))
            .await,
        "0x"
    );
    for slot in [hex(SLOT), json!(word(SLOT))] {
        let value = fixture
            .result("eth_getStorageAt", json!([CONTRACT, slot]))
            .await;
        assert_eq!(value, word(SLOT_VALUE));
    }
    let count =
        |tag: &'static str| fixture.result("eth_getTransactionCount", json!([sender(), tag]));
    assert_eq!(count("latest").await, hex(NONCE));
    assert_eq!(
        count("pending").await,
        hex(NONCE + 2),
        "after the pooled one"
    );

    for method in ["eth_getBalance", "eth_getCode", "eth_getTransactionCount"] {
        let future = fixture.error(method, json!([sender(), "0x3"])).await;
        assert_eq!(future, (-32000, "header not found".into(), Value::Null));
        let unknown = json!([sender(), {"blockHash": B256::repeat_byte(0xee)}]);
        assert_eq!(fixture.error(method, unknown).await.1, "header not found");
        let (code, message, data) = fixture.error(method, json!([sender(), "earliest"])).await;
        assert_eq!(
            (code, message.as_str()),
            (4444, "pruned history unavailable")
        );
        assert_eq!(data, json!({"height": "0x0", "oldest": "0x1"}));
    }
}

#[tokio::test]
async fn proofs_repeat_the_slots_as_they_were_written() {
    let fixture = Fixture::new().await;
    let params = json!([sender(), ["0x1", word(2)], "latest"]);
    let proof = fixture.result("eth_getProof", params).await;
    let root = alloy_primitives::keccak256("storage root");
    let expected = json!({
        "address": sender(),
        "accountProof": ["0xc1"],
        "balance": hex(BALANCE),
        "codeHash": alloy_primitives::KECCAK256_EMPTY,
        "nonce": hex(NONCE),
        "storageHash": root,
        "storageProof": [
            {"key": "0x1", "value": "0x0", "proof": ["0xc0"]},
            {"key": word(2), "value": "0x0", "proof": ["0xc0"]},
        ],
    });
    assert_eq!(proof, expected);
    let absent = fixture.result("eth_getProof", json!([RETURNS, []])).await;
    assert_eq!(
        absent["storageHash"],
        json!(alloy_consensus::constants::EMPTY_ROOT_HASH)
    );
    let slots = vec!["0x0"; 1_025];
    let (code, message, data) = fixture
        .error("eth_getProof", json!([sender(), slots]))
        .await;
    assert_eq!(
        (code, message.as_str()),
        (-32602, "too many slots (max 1024)")
    );
    assert_eq!(data["limit"], 1_024);
}
