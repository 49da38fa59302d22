//! What each method answers.

use serde_json::{Value, json};

use crate::chain::PANICS;
use crate::http::{Fixture, post};
use crate::transactions::CHAIN_ID;

mod blocks;
mod calls;
mod signed;
mod state;
mod traces;

fn hex(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

fn word(number: u64) -> String {
    format!("{number:#066x}")
}

#[tokio::test]
async fn constants_and_the_tip() {
    let fixture = Fixture::new().await;
    let modules = json!({
        "debug": "1.0", "erigon": "1.0", "eth": "1.0", "net": "1.0", "ots": "1.0", "perm": "1.0",
        "qbft": "1.0", "rpc": "1.0", "tbsi": "1.0", "trace": "1.0", "txpool": "1.0", "web3": "1.0",
    });
    let cases = [
        ("eth_accounts", json!([])),
        ("eth_blobBaseFee", json!("0x1")),
        ("eth_blockNumber", json!("0x2")),
        ("eth_chainId", hex(CHAIN_ID)),
        ("eth_gasPrice", json!("0x0")),
        ("eth_maxPriorityFeePerGas", json!("0x0")),
        ("net_listening", json!(true)),
        ("net_peerCount", json!("0x3")),
        ("net_version", json!(CHAIN_ID.to_string())),
        ("rpc_modules", modules),
        ("txpool_status", json!({"pending": "0x1", "queued": "0x0"})),
        ("web3_clientVersion", json!("tbsi/0.1.0")),
    ];
    for (method, expected) in cases {
        assert_eq!(
            fixture.result(method, json!([])).await,
            expected,
            "{method}"
        );
    }
    let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(fixture.result("web3_sha3", json!(["0x"])).await, empty);
    let syncing = json!({"startingBlock": "0x0", "currentBlock": "0x2", "highestBlock": "0x7"});
    assert_eq!(fixture.result("eth_syncing", json!([])).await, syncing);
    let bare = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let answer = post(fixture.address(), bare, &[]).await.json();
    assert_eq!(answer["result"], hex(CHAIN_ID), "params may be left out");
}

#[tokio::test]
async fn fee_history_is_all_zero_and_complete() {
    let fixture = Fixture::new().await;
    let two = fixture
        .result("eth_feeHistory", json!(["0x2", "latest", [20, 50.5]]))
        .await;
    let expected = json!({
        "oldestBlock": "0x1",
        "baseFeePerGas": ["0x0", "0x0", "0x0"],
        "gasUsedRatio": [0.00028, 0.0],
        "baseFeePerBlobGas": ["0x1", "0x1", "0x1"],
        "blobGasUsedRatio": [0.0, 0.0],
        "reward": [["0x0", "0x0"], ["0x0", "0x0"]],
    });
    assert_eq!(two, expected);
    let all = fixture
        .result("eth_feeHistory", json!([1_000_000, "0x1"]))
        .await;
    assert_eq!(all["oldestBlock"], "0x0");
    assert_eq!(all["baseFeePerGas"].as_array().unwrap().len(), 3);
    assert_eq!(all["reward"], Value::Null);
    let none = fixture
        .result("eth_feeHistory", json!(["0x0", "latest", [5]]))
        .await;
    assert_eq!(none["gasUsedRatio"], json!([]));

    let error = |params| fixture.error("eth_feeHistory", params);
    assert_eq!(error(json!(["0x1", "0x9"])).await.1, "header not found");
    let falling = error(json!(["0x1", "latest", [9, 3]])).await.1;
    assert_eq!(falling, "invalid reward percentile: #0:9 >= #1:3");
    let above = error(json!(["0x1", "latest", [100.5]])).await.1;
    assert_eq!(above, "invalid reward percentile: 100.5");
    let many: Vec<u8> = (0..101).collect();
    let many = error(json!(["0x1", "latest", many])).await.1;
    assert_eq!(many, "over the query limit 100");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let fixture = Fixture::new().await;
    for (method, params, code, expected) in [
        (
            "eth_foo",
            json!([]),
            -32601,
            "the method eth_foo does not exist/is not available",
        ),
        (
            "eth_sendTransaction",
            json!([{}]),
            -32601,
            "the method eth_sendTransaction does",
        ),
        (
            "eth_getBalance",
            json!([]),
            -32602,
            "missing value for required argument 0",
        ),
        (
            "eth_getBlockByNumber",
            json!(["0x1"]),
            -32602,
            "missing value for required argument 1",
        ),
        (
            "eth_getBalance",
            json!(["0x12"]),
            -32602,
            "invalid argument 0: ",
        ),
        (
            "eth_getBlockByNumber",
            json!(["2", true]),
            -32602,
            "invalid argument 0: hex string without 0x prefix",
        ),
        (
            "eth_chainId",
            json!([1]),
            -32602,
            "too many arguments, want at most 0",
        ),
        ("eth_chainId", json!({"a": 1}), -32602, "non-array args"),
        (
            "tbsi_getCheckpoint",
            json!(["soon"]),
            -32602,
            "invalid argument 0: ",
        ),
        (
            "eth_subscribe",
            json!(["newHeads"]),
            -32601,
            "notifications not supported",
        ),
        (
            "eth_unsubscribe",
            json!(["0x1"]),
            -32601,
            "notifications not supported",
        ),
    ] {
        let (got, message, _) = fixture.error(method, params).await;
        assert_eq!(got, code, "{message}");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test]
async fn batches_answer_each_request_and_survive_a_panic() {
    let fixture = Fixture::new().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": "b", "method": "eth_foo"},
        {"jsonrpc": "2.0", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_call", "params": [{"to": PANICS}]},
        17,
        {"jsonrpc": "2.0", "id": 3, "method": "eth_subscribe", "params": ["newHeads"]},
    ]);
    let answers = post(fixture.address(), &batch.to_string(), &[])
        .await
        .json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5, "a notification has no answer");
    assert_eq!(answers[0]["result"], hex(CHAIN_ID));
    assert_eq!(answers[1]["id"], "b");
    assert_eq!(answers[1]["error"]["code"], -32601);
    assert_eq!(answers[2]["error"]["code"], -32603);
    assert_eq!(answers[3]["error"]["code"], -32600);
    assert_eq!(
        answers[4]["error"]["message"],
        "notifications not supported"
    );
    assert_eq!(fixture.result("eth_blockNumber", json!([])).await, "0x2");

    let silent = r#"[{"jsonrpc":"2.0","method":"eth_chainId"}]"#;
    let answer = post(fixture.address(), silent, &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let empty = post(fixture.address(), "[]", &[]).await.json();
    assert_eq!(empty["error"]["code"], -32600);
}
