//! Subscriptions over WebSocket.

use std::time::Duration;

use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use tbsi_rpc::RpcLimits;

use crate::http::Fixture;
use crate::transactions::{TOPIC_ODD, transfer};

async fn connect(fixture: &Fixture) -> WsClient {
    let url = format!("ws://{}", fixture.address());
    WsClientBuilder::default().build(url).await.unwrap()
}

async fn subscribe(
    client: &WsClient,
    params: Vec<Value>,
) -> Result<Subscription<Value>, ClientError> {
    client
        .subscribe("eth_subscribe", params, "eth_unsubscribe")
        .await
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(10), subscription.next());
    next.await.expect("in time").expect("open").expect("JSON")
}

/// Code and message of a refusal.
fn refusal(result: Result<Subscription<Value>, ClientError>) -> (i32, String) {
    let Err(ClientError::Call(error)) = result else {
        panic!("not refused");
    };
    (error.code(), error.message().into())
}

#[tokio::test]
async fn calls_work_over_websocket() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let number: Value = client.request("eth_blockNumber", [(); 0]).await.unwrap();
    assert_eq!(number, "0x2");
    let unknown: Result<Value, _> = client.request("eth_foo", [(); 0]).await;
    let words = unknown.unwrap_err().to_string();
    assert!(
        words.contains("the method eth_foo does not exist"),
        "{words}"
    );
}

#[tokio::test]
async fn sends_each_new_head_in_order_even_to_a_late_reader() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    // The announcement channel holds two: the server must read the others from the store.
    for _ in 0..10 {
        fixture.chain.append(vec![], 0);
    }
    for height in 3..13 {
        let head = next(&mut heads).await;
        let block = fixture.chain.block_at(height);
        assert_eq!(head["number"], format!("{height:#x}"));
        assert_eq!(head["hash"], json!(block.hash()));
        assert_eq!(head["baseFeePerGas"], "0x0");
        assert!(head.get("transactions").is_none());
    }
}

#[tokio::test]
async fn sends_logs_that_match() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let filter = json!({"topics": [null, TOPIC_ODD]});
    let mut logs = subscribe(&client, vec![json!("logs"), filter])
        .await
        .unwrap();
    fixture.chain.append(vec![transfer(4)], 1);
    fixture.chain.append(vec![transfer(5), transfer(6)], 4);
    for log_index in ["0x1", "0x3"] {
        let log = next(&mut logs).await;
        assert_eq!(log["blockNumber"], "0x4");
        assert_eq!(log["logIndex"], log_index);
        assert_eq!(log["transactionHash"], json!(transfer(6).hash()));
    }
}

#[tokio::test]
async fn ids_are_hex_and_unsubscribing_works() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let id: String = client.request("eth_subscribe", ["newHeads"]).await.unwrap();
    assert!(id.starts_with("0x") && id.len() == 34, "{id}");
    let gone: bool = client.request("eth_unsubscribe", [&id]).await.unwrap();
    assert!(gone);
    let again: bool = client.request("eth_unsubscribe", [&id]).await.unwrap();
    assert!(!again);
    let stranger = connect(&fixture).await;
    let other: String = client.request("eth_subscribe", ["newHeads"]).await.unwrap();
    let stolen: bool = stranger.request("eth_unsubscribe", [&other]).await.unwrap();
    assert!(!stolen, "ids are valid on their own connection only");
}

#[tokio::test]
async fn refuses_unknown_topics_bad_filters_and_too_many() {
    let limits = RpcLimits {
        subscriptions_max: 2,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let client = connect(&fixture).await;
    let refused = async |params| refusal(subscribe(&client, params).await);
    let unknown = refused(vec![json!("newMoons")]).await;
    let expected = "no \"newMoons\" subscription in eth namespace";
    assert_eq!(unknown, (-32601, expected.into()));
    assert_eq!(refused(vec![json!(1)]).await.0, -32602);
    let filter = refused(vec![json!("logs"), json!({"topics": 3})]).await;
    assert_eq!(filter.0, -32602);
    assert!(filter.1.starts_with("invalid argument 1: "), "{}", filter.1);

    let first = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    let _second = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    assert_eq!(refused(vec![json!("newHeads")]).await.0, -32006);
    first.unsubscribe().await.unwrap();
    let again = async {
        while subscribe(&client, vec![json!("newHeads")]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .expect("an ended subscription frees its place");
}

#[tokio::test]
async fn stopping_ends_subscriptions() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    fixture.server.stop().await;
    let end = tokio::time::timeout(Duration::from_secs(10), heads.next());
    assert!(end.await.unwrap().is_none());
}

#[tokio::test]
async fn sends_pending_transactions_as_hashes_or_in_full() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let topic = json!("newPendingTransactions");
    let mut hashes = subscribe(&client, vec![topic.clone()]).await.unwrap();
    let mut full = subscribe(&client, vec![topic, json!(true)]).await.unwrap();
    let pending = fixture.chain.pending();
    fixture.chain.pooled.send(pending.hash()).unwrap();
    assert_eq!(next(&mut hashes).await, json!(pending.hash()));
    let object = next(&mut full).await;
    assert_eq!(object["hash"], json!(pending.hash()));
    assert_eq!(object["blockNumber"], Value::Null);
}

#[tokio::test]
async fn says_whether_the_node_catches_up() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut syncing = subscribe(&client, vec![json!("syncing")]).await.unwrap();
    let progress = fixture.result("eth_syncing", json!([])).await;
    let told = next(&mut syncing).await;
    assert_eq!(told["syncing"], true);
    assert_eq!(told["status"], progress);
    assert_eq!(told["highestBlock"], progress["highestBlock"]);
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_and_loses_that_subscription_alone() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    let pending = vec![json!("newPendingTransactions")];
    let mut pending = subscribe(&client, pending).await.unwrap();
    // Nothing else runs meanwhile: all of this is news at once.
    for byte in 0..=8 {
        let hash = alloy_primitives::B256::repeat_byte(byte);
        fixture.chain.pooled.send(hash).unwrap();
    }
    for _ in 0..1_030 {
        fixture.chain.append(vec![], 0);
    }
    for ended in [&mut heads, &mut pending] {
        let end = tokio::time::timeout(Duration::from_secs(10), ended.next());
        assert!(end.await.expect("in time").is_none());
    }
    let mut again = subscribe(&client, vec![json!("newHeads")]).await.unwrap();
    fixture.chain.append(vec![], 0);
    assert_eq!(next(&mut again).await["number"], "0x409");
}
