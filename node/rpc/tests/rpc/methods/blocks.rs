//! Blocks, transactions, receipts and logs.

use alloy_consensus::Transaction as _;
use serde_json::{Value, json};
use tbsi_types::{Address, B256};

use super::{hex, word};
use crate::chain::NONCE;
use crate::http::Fixture;
use crate::transactions::{CONTRACT, TOPIC, TOPIC_ODD, one_of_each_type, sender};

#[tokio::test]
async fn blocks_by_every_name() {
    let fixture = Fixture::new().await;
    let block = fixture.chain.block_at(1);
    let by_number = fixture
        .result("eth_getBlockByNumber", json!(["0x1", false]))
        .await;
    let hash = json!(block.hash());
    let by_hash = fixture
        .result("eth_getBlockByHash", json!([hash, false]))
        .await;
    assert_eq!(by_number, by_hash);
    assert_eq!(by_number["hash"], hash);
    assert_eq!(by_number["size"], hex(block.encode().len() as u64));
    assert_eq!(by_number["mixHash"], json!(block.header.mix_hash));
    let constant = json!({
        "baseFeePerGas": "0x0", "blobGasUsed": "0x0", "difficulty": "0x0",
        "excessBlobGas": "0x0", "extraData": "0x", "nonce": "0x0000000000000000",
        "parentBeaconBlockRoot": word(0), "uncles": [], "withdrawals": [],
        "requestsHash": "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    });
    for (key, expected) in constant.as_object().unwrap() {
        assert_eq!(&by_number[key], expected, "{key}");
    }
    let hashes: Vec<B256> = one_of_each_type().iter().map(|tx| tx.hash()).collect();
    assert_eq!(by_number["transactions"], json!(hashes));

    for tag in ["latest", "safe", "finalized", "pending", "0x2"] {
        let tip = fixture
            .result("eth_getBlockByNumber", json!([tag, true]))
            .await;
        assert_eq!(tip["number"], "0x2", "{tag}");
    }
    let genesis = fixture
        .result("eth_getBlockByNumber", json!(["earliest", false]))
        .await;
    assert_eq!(genesis["number"], "0x0");

    let count = fixture
        .result("eth_getBlockTransactionCountByNumber", json!(["0x1"]))
        .await;
    assert_eq!(count, "0x4");
    let count = fixture
        .result("eth_getBlockTransactionCountByHash", json!([hash]))
        .await;
    assert_eq!(count, "0x4");
}

#[tokio::test]
async fn what_does_not_exist_is_null() {
    let fixture = Fixture::new().await;
    let nothing = json!(B256::repeat_byte(0xee));
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x3", false])),
        ("eth_getBlockByHash", json!([nothing, false])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x3"])),
        ("eth_getBlockTransactionCountByHash", json!([nothing])),
        ("eth_getBlockReceipts", json!(["0x3"])),
        ("eth_getBlockReceipts", json!([nothing])),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x1", "0x4"]),
        ),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x3", "0x0"]),
        ),
        (
            "eth_getTransactionByBlockHashAndIndex",
            json!([nothing, "0x0"]),
        ),
        ("eth_getTransactionByHash", json!([nothing])),
        ("eth_getTransactionReceipt", json!([nothing])),
        ("tbsi_getCheckpoint", json!(["0x3"])),
        ("tbsi_getCertificate", json!([3])),
        ("tbsi_getCertificate", json!([0])),
        ("tbsi_getValidators", json!([3])),
    ] {
        let result = fixture.result(method, params.clone()).await;
        assert_eq!(result, Value::Null, "{method} {params}");
    }
}

#[tokio::test]
async fn transactions_by_every_name_cost_nothing() {
    let fixture = Fixture::new().await;
    let block = fixture.chain.block_at(1);
    let full = fixture
        .result("eth_getBlockByNumber", json!(["0x1", true]))
        .await;
    for (index, transaction) in block.transactions.iter().enumerate() {
        let listed = &full["transactions"][index];
        let index = hex(index as u64);
        let hash = json!(transaction.hash());
        let by_hash = fixture
            .result("eth_getTransactionByHash", json!([hash]))
            .await;
        assert_eq!(&by_hash, listed);
        for (method, id) in [
            ("eth_getTransactionByBlockNumberAndIndex", json!("0x1")),
            ("eth_getTransactionByBlockHashAndIndex", json!(block.hash())),
        ] {
            assert_eq!(&fixture.result(method, json!([id, index])).await, listed);
        }
        assert_eq!(by_hash["from"], json!(sender()));
        assert_eq!(by_hash["transactionIndex"], index);
        let dynamic = transaction.envelope().is_dynamic_fee();
        let price = if dynamic { "0x0" } else { "0x5" };
        assert_eq!(
            by_hash["gasPrice"], price,
            "the bid of a legacy type, else what is paid"
        );
    }
    let pending = json!(fixture.chain.pending().hash());
    let pending = fixture
        .result("eth_getTransactionByHash", json!([pending]))
        .await;
    assert_eq!(pending["nonce"], hex(NONCE + 1));
    for key in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(pending.get(key), Some(&Value::Null), "{key}");
    }
}

#[tokio::test]
async fn receipts_count_gas_and_logs_through_the_block() {
    let fixture = Fixture::new().await;
    let transactions = one_of_each_type();
    let all = fixture.result("eth_getBlockReceipts", json!(["0x1"])).await;
    let mut log_index = 0;
    for (index, transaction) in transactions.iter().enumerate() {
        let receipt = &all[index];
        let hash = json!([transaction.hash()]);
        let one = fixture.result("eth_getTransactionReceipt", hash).await;
        assert_eq!(&one, receipt);
        assert_eq!(receipt["gasUsed"], "0x5208");
        assert_eq!(
            receipt["cumulativeGasUsed"],
            hex(21_000 * (index as u64 + 1))
        );
        assert_eq!(receipt["effectiveGasPrice"], "0x0");
        assert_eq!(receipt["status"], "0x1");
        assert_eq!(receipt["logs"].as_array().unwrap().len(), index);
        for log in receipt["logs"].as_array().unwrap() {
            assert_eq!(log["logIndex"], hex(log_index));
            assert_eq!(log["transactionIndex"], hex(index as u64));
            assert_eq!(log["blockTimestamp"], hex(1_700_000_001));
            assert_eq!(log["removed"], false);
            log_index += 1;
        }
    }
    assert_eq!(all[0]["contractAddress"], json!(sender().create(0)));
    assert_eq!(all[0]["to"], Value::Null);
    assert_eq!(all[1].get("contractAddress"), Some(&Value::Null));
    let id = json!([{"blockHash": fixture.chain.block_at(1).hash()}]);
    assert_eq!(fixture.result("eth_getBlockReceipts", id).await, all);
    assert_eq!(
        fixture
            .result("eth_getBlockReceipts", json!(["latest"]))
            .await,
        json!([])
    );
}

#[tokio::test]
async fn logs_by_range_block_and_topic() {
    let fixture = Fixture::new().await;
    let count = async |filter: Value| {
        let logs = fixture.result("eth_getLogs", json!([filter])).await;
        logs.as_array().unwrap().len()
    };
    let all = json!({"fromBlock": "earliest", "toBlock": "latest"});
    assert_eq!(count(all).await, 6);
    assert_eq!(count(json!({})).await, 0, "the latest block only");
    let hash = fixture.chain.block_at(1).hash();
    assert_eq!(count(json!({"blockHash": hash})).await, 6);
    let at = |topics: Value, address: Address| json!({"fromBlock": "0x1", "toBlock": "0x1", "topics": topics, "address": address});
    assert_eq!(count(at(json!([TOPIC]), CONTRACT)).await, 6);
    assert_eq!(count(at(json!([null, TOPIC_ODD]), CONTRACT)).await, 2);
    assert_eq!(count(at(json!([[TOPIC_ODD, TOPIC]]), CONTRACT)).await, 6);
    assert_eq!(count(at(json!([TOPIC_ODD]), CONTRACT)).await, 0);
    assert_eq!(count(at(json!([]), sender())).await, 0);
    let receipts = fixture.result("eth_getBlockReceipts", json!(["0x1"])).await;
    let listed = fixture
        .result("eth_getLogs", json!([{"blockHash": hash}]))
        .await;
    assert_eq!(listed[5], receipts[3]["logs"][2]);

    for (filter, code, expected) in [
        (
            json!({"fromBlock": "0x2", "toBlock": "0x1"}),
            -32602,
            "invalid block range params",
        ),
        (
            json!({"fromBlock": "0x1", "toBlock": "0x3"}),
            -32602,
            "block range extends beyond current head block",
        ),
        (
            json!({"blockHash": hash, "fromBlock": "0x1"}),
            -32602,
            "invalid argument 0: cannot specify both",
        ),
        (json!({"blockHash": word(1)}), -32000, "unknown block"),
        (
            json!({"topics": [[], [], [], [], []]}),
            -32602,
            "invalid argument 0: exceeded maximum topics len",
        ),
        (
            json!({"address": (0..1_001).map(|n| Address::from_word(alloy_primitives::U256::from(n).into())).collect::<Vec<_>>()}),
            -32602,
            "invalid argument 0: exceed max addresses (limit 1000)",
        ),
    ] {
        let (got, message, _) = fixture.error("eth_getLogs", json!([filter])).await;
        assert_eq!(got, code, "{message}");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test]
async fn what_was_pruned_is_told_from_what_never_was() {
    let fixture = Fixture::new().await;
    let block = fixture.chain.block_at(1);
    let transaction = block.transactions[0].hash();
    fixture
        .chain
        .oldest_block
        .store(2, std::sync::atomic::Ordering::SeqCst);
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x1", true])),
        ("eth_getBlockByHash", json!([block.hash(), false])),
        ("eth_getBlockReceipts", json!(["0x1"])),
        ("eth_getTransactionByHash", json!([transaction])),
        ("eth_getTransactionReceipt", json!([transaction])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x1"])),
    ] {
        let (code, message, data) = fixture.error(method, params).await;
        let expected = (4444, "pruned history unavailable");
        assert_eq!((code, message.as_str()), expected, "{method}");
        assert_eq!(data, json!({"height": "0x1", "oldest": "0x2"}), "{method}");
    }
    for whole in ["0x0", "0x2"] {
        let found = fixture
            .result("eth_getBlockByNumber", json!([whole, true]))
            .await;
        assert_eq!(found["number"], whole);
    }
    let none = fixture
        .result("eth_getBlockByNumber", json!(["0x99", true]))
        .await;
    assert_eq!(none, Value::Null);
}
