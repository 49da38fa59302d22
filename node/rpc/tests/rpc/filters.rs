//! Filters that clients poll, as they do.

use serde_json::{Value, json};
use tbsi_rpc::RpcLimits;

use crate::http::Fixture;
use crate::transactions::{CONTRACT, TOPIC_ODD, transfer};

async fn install(fixture: &Fixture, method: &str, params: Value) -> String {
    let id = fixture.result(method, params).await;
    let id = id.as_str().unwrap();
    assert!(id.starts_with("0x") && id.len() == 34, "{id}");
    id.to_owned()
}

async fn changes(fixture: &Fixture, id: &str) -> Vec<Value> {
    let changes = fixture.result("eth_getFilterChanges", json!([id])).await;
    changes.as_array().unwrap().clone()
}

#[tokio::test]
async fn blocks_come_once_and_in_order() {
    let fixture = Fixture::new().await;
    let id = install(&fixture, "eth_newBlockFilter", json!([])).await;
    assert_eq!(changes(&fixture, &id).await, [] as [Value; 0]);
    fixture.chain.append(vec![], 0);
    fixture.chain.append(vec![], 0);
    let hashes = [3, 4].map(|height| json!(fixture.chain.block_at(height).hash()));
    assert_eq!(changes(&fixture, &id).await, hashes);
    assert_eq!(changes(&fixture, &id).await, [] as [Value; 0]);
    let another = install(&fixture, "eth_newBlockFilter", json!([])).await;
    assert_ne!(id, another);
    fixture.chain.append(vec![], 0);
    let hash = json!(fixture.chain.block_at(5).hash());
    for id in [&another, &id] {
        assert_eq!(
            changes(&fixture, id).await,
            json!([hash]).as_array().unwrap()[..]
        );
    }
}

#[tokio::test]
async fn logs_that_match_come_once_and_all_of_them_on_request() {
    let fixture = Fixture::new().await;
    let filter = json!({"fromBlock": "0x1", "topics": [null, TOPIC_ODD]});
    let id = install(&fixture, "eth_newFilter", json!([filter])).await;
    fixture.chain.append(vec![transfer(4), transfer(5)], 4);
    let new = changes(&fixture, &id).await;
    assert_eq!(new.len(), 2, "of new blocks only: {new:?}");
    assert_eq!(new[0]["blockNumber"], "0x3");
    assert_eq!(changes(&fixture, &id).await.len(), 0);
    let all = fixture.result("eth_getFilterLogs", json!([id])).await;
    let expected = fixture.result("eth_getLogs", json!([filter])).await;
    assert_eq!(all, expected);
    assert_eq!(all.as_array().unwrap().len(), 4);

    let other = json!([{"address": CONTRACT, "fromBlock": "0x5", "toBlock": "0x5"}]);
    let other = install(&fixture, "eth_newFilter", other).await;
    for nonce in 6..10 {
        fixture
            .chain
            .append(vec![transfer(nonce), transfer(nonce)], 1);
    }
    let new = changes(&fixture, &other).await;
    assert_eq!(new.len(), 1, "of its range only: {new:?}");
    let backwards = json!([{"fromBlock": "0x5", "toBlock": "0x4"}]);
    let refused = fixture.error("eth_newFilter", backwards).await;
    assert_eq!(
        (refused.0, refused.1.as_str()),
        (-32602, "invalid block range params")
    );
}

#[tokio::test]
async fn more_than_one_answer_holds_comes_in_several() {
    let limits = RpcLimits {
        log_results_max: 3,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let id = install(&fixture, "eth_newFilter", json!([{}])).await;
    for (nonce, logs) in [(4, 2), (6, 1), (8, 5), (10, 1)] {
        fixture
            .chain
            .append(vec![transfer(nonce), transfer(nonce + 1)], logs);
    }
    let mut lengths = Vec::new();
    for _ in 0..4 {
        lengths.push(changes(&fixture, &id).await.len());
    }
    assert_eq!(lengths, [3, 5, 1, 0], "whole blocks, the large one alone");
}

#[tokio::test]
async fn pending_transactions_come_as_hashes_or_in_full() {
    let fixture = Fixture::new().await;
    let method = "eth_newPendingTransactionFilter";
    let hashes = install(&fixture, method, json!([])).await;
    let full = install(&fixture, method, json!([true])).await;
    let pending = fixture.chain.pending();
    let gone = fixture.chain.to_be_dropped().hash();
    for hash in [pending.hash(), gone] {
        fixture.chain.pooled.send(hash).unwrap();
    }
    let expected = [json!(pending.hash()), json!(gone)];
    assert_eq!(changes(&fixture, &hashes).await, expected);
    let in_full = changes(&fixture, &full).await;
    assert_eq!(in_full.len(), 1, "the other one is nowhere any more");
    assert_eq!(in_full[0]["hash"], json!(pending.hash()));
    assert_eq!(in_full[0]["blockHash"], Value::Null);

    // The chain of this test keeps four.
    let many: Vec<_> = (0..6).map(alloy_primitives::B256::repeat_byte).collect();
    for hash in &many {
        fixture.chain.pooled.send(*hash).unwrap();
    }
    assert_eq!(
        changes(&fixture, &hashes).await,
        many[2..].iter().map(|it| json!(it)).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn who_does_not_know_an_id_has_no_filter() {
    let fixture = Fixture::new().await;
    let blocks = install(&fixture, "eth_newBlockFilter", json!([])).await;
    let nobody = format!("0x{}", "0".repeat(32));
    let not_found = (-32000, "filter not found".to_owned());
    for (method, id) in [
        ("eth_getFilterChanges", nobody.as_str()),
        ("eth_getFilterChanges", "0x1"),
        ("eth_getFilterChanges", "none"),
        ("eth_getFilterLogs", nobody.as_str()),
        ("eth_getFilterLogs", blocks.as_str()),
    ] {
        let (code, message, _) = fixture.error(method, json!([id])).await;
        assert_eq!((code, message), not_found, "{method} {id}");
    }
    let uninstall = async |id: &str| fixture.result("eth_uninstallFilter", json!([id])).await;
    assert_eq!(uninstall(&nobody).await, false);
    assert_eq!(uninstall(&blocks).await, true);
    assert_eq!(uninstall(&blocks).await, false);
    let gone = fixture.error("eth_getFilterChanges", json!([blocks])).await;
    assert_eq!((gone.0, gone.1), not_found);
    assert_eq!(
        fixture.error("eth_getFilterChanges", json!([1])).await.0,
        -32602
    );
}
