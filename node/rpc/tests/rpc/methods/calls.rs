//! Calls, and the filling and taking of transactions.

use alloy_eips::eip2718::Decodable2718;
use serde_json::{Value, json};
use tbsi_rpc::limits::SIMULATED_CALLS_MAX;
use tbsi_types::{Address, B256, Transaction, TransactionError, TxEnvelope};

use super::{hex, word};
use crate::chain::{DROPPED, HALTS, NONCE, REFUSED, RETURNS, REVERTS, SUBMIT_FAILS};
use crate::http::Fixture;
use crate::transactions::{CHAIN_ID, sender, transfer};

#[tokio::test]
async fn calls_end_in_go_ethereum_words() {
    let fixture = Fixture::new().await;
    let object = |to: Address| json!([{"to": to, "input": "0x0102"}]);
    assert_eq!(fixture.result("eth_call", object(RETURNS)).await, "0x0102");
    let data = json!([{"to": RETURNS, "data": "0x03"}, "latest", {}, null]);
    assert_eq!(fixture.result("eth_call", data).await, "0x03");
    assert_eq!(
        fixture.result("eth_estimateGas", object(RETURNS)).await,
        "0x5208"
    );
    for method in ["eth_call", "eth_estimateGas"] {
        let (code, message, data) = fixture.error(method, object(REVERTS)).await;
        assert_eq!(
            (code, message.as_str()),
            (3, "execution reverted: user error")
        );
        assert!(data.as_str().unwrap().starts_with("0x08c379a0"), "{data}");
        let halted = fixture.error(method, object(HALTS)).await;
        assert_eq!(halted, (-32000, "out of gas".into(), Value::Null));
        let refused = fixture.error(method, object(REFUSED)).await;
        assert_eq!(refused.1, "intrinsic gas too low: have 100, want 21000");
        let cases = [
            (
                json!({"data": "0x01", "input": "0x02"}),
                "both \"data\" and \"input\" are set and not equal",
            ),
            (
                json!({"gasPrice": "0x1", "maxFeePerGas": "0x1"}),
                "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            ),
            (
                json!({"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}),
                "maxFeePerGas (1) < maxPriorityFeePerGas (2)",
            ),
            (
                json!({"chainId": "0x1"}),
                "chainId does not match node's (have=1",
            ),
            (
                json!({"blobVersionedHashes": [word(1)]}),
                "transaction type not supported",
            ),
        ];
        for (object, expected) in cases {
            let (code, message, _) = fixture.error(method, json!([object])).await;
            assert_eq!(code, -32000);
            assert!(message.starts_with(expected), "{message}");
        }
        let both = json!({RETURNS.to_string(): {"state": {}, "stateDiff": {}}});
        let both = json!([{"to": RETURNS}, "latest", both]);
        let (code, message, _) = fixture.error(method, both).await;
        assert_eq!(code, -32000);
        assert!(
            message.ends_with("has both 'state' and 'stateDiff'"),
            "{message}"
        );
        let number = json!([{"to": RETURNS}, "latest", {}, {"number": "x"}]);
        assert_eq!(fixture.error(method, number).await.0, -32602);
    }
    let overridden = json!([{"to": RETURNS}, "latest", {}, {"gasLimit": "0x7"}]);
    assert_eq!(fixture.result("eth_estimateGas", overridden).await, "0x7");
}

#[tokio::test]
async fn access_lists_come_with_how_the_call_ended() {
    let fixture = Fixture::new().await;
    let method = "eth_createAccessList";
    let object = |to: Address| json!([{"to": to, "accessList": [{"address": to, "storageKeys": [word(1)]}]}]);
    let list = |to: Address| json!([{"address": to, "storageKeys": [word(1)]}]);
    let returned = fixture.result(method, object(RETURNS)).await;
    let expected = json!({"accessList": list(RETURNS), "gasUsed": "0x5208"});
    assert_eq!(returned, expected);
    for (to, error) in [
        (REVERTS, "execution reverted: user error"),
        (HALTS, "out of gas"),
    ] {
        let failed = fixture.result(method, object(to)).await;
        let expected = json!({"accessList": list(to), "error": error, "gasUsed": "0x5208"});
        assert_eq!(failed, expected);
    }
    let refused = fixture.error(method, object(REFUSED)).await;
    assert_eq!(refused.1, "intrinsic gas too low: have 100, want 21000");
}

#[tokio::test]
async fn simulations_show_blocks_with_their_calls() {
    let fixture = Fixture::new().await;
    let method = "eth_simulateV1";
    let calls = json!([{"to": RETURNS, "input": "0x01"}, {"to": REVERTS}, {"to": HALTS}]);
    let options = json!({"blockStateCalls": [{"calls": calls}, {}]});
    let blocks = fixture.result(method, json!([options])).await;
    assert_eq!(blocks.as_array().unwrap().len(), 2);
    let calls = blocks[0]["calls"].as_array().unwrap();
    assert_eq!(calls[0]["returnData"], "0x01");
    assert_eq!(calls[0]["maxUsedGas"], "0x7530");
    let status = |index: usize| calls[index]["status"].as_str().unwrap();
    assert_eq!([status(0), status(1), status(2)], ["0x1", "0x0", "0x0"]);
    assert!(calls[0].get("error").is_none());
    assert_eq!(calls[1]["error"]["code"], 3);
    assert!(
        calls[1]["error"]["data"]
            .as_str()
            .unwrap()
            .starts_with("0x08c379a0")
    );
    assert_eq!(
        calls[2]["error"],
        json!({"code": -32015, "message": "out of gas"})
    );
    // Logs are numbered through the block.
    assert_eq!(calls[2]["logs"][0]["logIndex"], "0x2");
    assert!(blocks[0]["transactions"][0].is_string());
    assert_eq!(blocks[1]["calls"], json!([]));

    let full = json!({
        "blockStateCalls": [{"calls": [{"to": RETURNS}]}], "returnFullTransactions": true,
    });
    let blocks = fixture.result(method, json!([full])).await;
    assert_eq!(blocks[0]["transactions"][0]["gasPrice"], "0x0");

    let check = async |options: Value, code: i64, words: &str| {
        let (found, message, _) = fixture.error(method, json!([options])).await;
        assert_eq!((found, message.contains(words)), (code, true), "{message}");
    };
    check(json!({}), -32602, "empty input").await;
    check(json!({"blockStateCalls": 1}), -32602, "invalid argument 0").await;
    let refused = json!({"blockStateCalls": [{"calls": [{"to": REFUSED}]}]});
    check(refused, -38013, "intrinsic gas too low").await;
    let calls = vec![json!({}); SIMULATED_CALLS_MAX + 1];
    let many = json!({"blockStateCalls": [{"calls": calls}]});
    check(many, -38026, "too many calls").await;
    let state = json!({RETURNS.to_string(): {"state": {}, "stateDiff": {}}});
    let both = json!({"blockStateCalls": [{"stateOverrides": state}]});
    check(both, -32000, "both 'state' and 'stateDiff'").await;
    let future = json!([{"blockStateCalls": [{}]}, "0xffff"]);
    assert_eq!(fixture.error(method, future).await.1, "header not found");
}

#[tokio::test]
async fn fills_transactions_with_zero_fees() {
    let fixture = Fixture::new().await;
    let fill = async |object: Value| fixture.result("eth_fillTransaction", json!([object])).await;
    let filled = fill(json!({"from": sender(), "to": RETURNS, "value": "0x1"})).await;
    let raw: alloy_primitives::Bytes = filled["raw"].as_str().unwrap().parse().unwrap();
    let envelope = TxEnvelope::decode_2718_exact(&raw).unwrap();
    let expected = json!({
        "type": "0x2", "chainId": hex(CHAIN_ID), "nonce": hex(NONCE + 2), "gas": "0x5208",
        "maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0", "to": RETURNS, "value": "0x1",
        "input": "0x", "accessList": [], "r": "0x0", "s": "0x0", "v": "0x0", "yParity": "0x0",
        "hash": envelope.tx_hash(),
    });
    assert_eq!(filled["tx"], expected);
    let unsigned = Transaction::parse_and_verify(&raw, CHAIN_ID);
    assert_eq!(
        unsigned,
        Err(TransactionError::Signature),
        "nobody may take it for signed"
    );

    let kind = async |object: Value| fill(object).await["tx"]["type"].take();
    let to = RETURNS;
    assert_eq!(kind(json!({"to": to, "gasPrice": "0x0"})).await, "0x0");
    assert_eq!(kind(json!({"to": to, "type": "0x0"})).await, "0x0");
    assert_eq!(
        kind(json!({"to": to, "gasPrice": "0x0", "accessList": []})).await,
        "0x1"
    );
    assert_eq!(kind(json!({"to": to, "accessList": []})).await, "0x2");
    assert_eq!(
        kind(json!({"to": to, "authorizationList": []})).await,
        "0x4"
    );
    let tipped = fill(json!({"to": to, "maxPriorityFeePerGas": "0x7", "nonce": "0x9"})).await;
    assert_eq!(tipped["tx"]["maxFeePerGas"], "0x7");
    assert_eq!(tipped["tx"]["nonce"], "0x9");

    let empty = fixture.error("eth_fillTransaction", json!([{}])).await.1;
    assert_eq!(empty, "contract creation without any data provided");
    let create = json!([{"input": "0x00", "authorizationList": []}]);
    let create = fixture.error("eth_fillTransaction", create).await.1;
    assert_eq!(
        create,
        "EIP-7702 transaction cannot be used to create contract"
    );
}

#[tokio::test]
async fn takes_or_refuses_raw_transactions() {
    let fixture = Fixture::new().await;
    let send = "eth_sendRawTransaction";
    let transaction = transfer(9);
    let hash = fixture.result(send, json!([transaction.encoded()])).await;
    assert_eq!(hash, json!(transaction.hash()));
    let (code, message, _) = fixture.error(send, json!(["0x03"])).await;
    assert_eq!(
        (code, message.as_str()),
        (
            -32000,
            "transaction type not supported; types 0, 1, 2 and 4 are"
        )
    );
    let failed = alloy_primitives::Bytes::from_static(SUBMIT_FAILS);
    let (code, message, _) = fixture.error(send, json!([failed])).await;
    assert_eq!(code, -32603);
    assert!(!message.contains("fire"), "{message}");
    assert_eq!(fixture.error(send, json!(["zz"])).await.0, -32602);
}

#[tokio::test]
async fn what_became_of_a_transaction_can_be_asked() {
    let fixture = Fixture::new().await;
    let status = async |hash: B256| {
        let params = json!([hash]);
        fixture.result("tbsi_transactionStatus", params).await
    };
    let pending = fixture.chain.pending().hash();
    let expected = json!({"status": "pending", "missingNonce": null});
    assert_eq!(status(pending).await, expected);
    let included = fixture.chain.block_at(1).transactions[2].hash();
    let expected = json!({"status": "included", "height": 1, "index": 2});
    assert_eq!(status(included).await, expected);
    let expected = json!({
        "status": "dropped", "reason": "replaced", "message": "replaced by another",
        "replacedBy": B256::ZERO, "height": 1, "timeMs": 5,
    });
    assert_eq!(status(DROPPED).await, expected);
    let unknown = B256::repeat_byte(0x99);
    assert_eq!(status(unknown).await, json!({"status": "unknown"}));
    let malformed = fixture.error("tbsi_transactionStatus", json!(["0x12"]));
    assert_eq!(malformed.await.0, -32602);
    let missing = fixture.error("tbsi_transactionStatus", json!([])).await;
    assert_eq!(missing.0, -32602);
}

#[tokio::test]
async fn a_dropped_attestation_is_not_waited_for() {
    let fixture = Fixture::new().await;
    let transaction = fixture.chain.to_be_dropped();
    let params = json!([transaction.encoded()]);
    let (code, message, data) = fixture.error("tbsi_sendAttestation", params).await;
    assert_eq!(code, -32000);
    assert!(
        message.contains("was dropped: replaced by another"),
        "{message}"
    );
    assert_eq!(data["reason"], "replaced");
    assert_eq!(data["transactionHash"], json!(transaction.hash()));
}
