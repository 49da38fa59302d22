//! Subscriptions to leaves over WebSocket, with a client that we did not write.

use std::time::Duration;

use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use tbsi_rpc::Client;
use tbsi_rpc::limits::LEAVES_BEHIND_MAX;
use tbsi_rpc::wire::{LeafFilter, LeafNotice};
use tbsi_types::{Bytes, LeafIndex};

use crate::chain::{ISSUER, SCHEMA, log_leaf};
use crate::http::Fixture;

async fn connect(fixture: &Fixture) -> WsClient {
    let url = format!("ws://{}", fixture.address());
    WsClientBuilder::default().build(url).await.unwrap()
}

async fn leaves(client: &WsClient, filter: Value) -> Result<Subscription<Value>, ClientError> {
    let params = vec![json!("leaves"), filter];
    client
        .subscribe("tbsi_subscribe", params, "tbsi_unsubscribe")
        .await
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(10), subscription.next());
    next.await.expect("in time").expect("open").expect("JSON")
}

/// Expects these leaves, in this order.
async fn expect(subscription: &mut Subscription<Value>, indexes: impl Iterator<Item = u64>) {
    for index in indexes {
        let leaf = next(subscription).await;
        assert_eq!(leaf["index"], index);
        assert_eq!(leaf["leaf"], json!(Bytes::from(log_leaf(index))));
        let kind = if index.is_multiple_of(2) {
            "attestation"
        } else {
            "revocation"
        };
        assert_eq!(leaf["statement"]["kind"], kind);
    }
}

#[tokio::test]
async fn sends_each_new_leaf_once_and_in_order_whatever_the_blocks() {
    let fixture = Fixture::new().await;
    fixture.chain.grow_log(10);
    let client = connect(&fixture).await;
    let mut new = leaves(&client, json!({})).await.unwrap();
    let mut from = leaves(&client, json!({ "fromIndex": 3 })).await.unwrap();
    // This client gives a subscription up that has 1,024 messages unread.
    // Bundles of 256 are crossed in every way, and heads are missed: their channel holds two.
    for size in [11, 11, 255, 256, 257, 512, 700, 701, 702, 703, 1_000] {
        fixture.chain.grow_log(size);
    }
    expect(&mut new, 10..1_000).await;
    expect(&mut from, 3..1_000).await;
    fixture.chain.grow_log(1_001);
    expect(&mut new, 1_000..1_001).await;
    expect(&mut from, 1_000..1_001).await;
}

#[tokio::test]
async fn goes_on_where_the_last_one_ended() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut next_index = 0;
    for size in [100, 300, 301, 900] {
        fixture.chain.grow_log(size);
        let filter = json!({ "fromIndex": next_index });
        let mut part = leaves(&client, filter).await.unwrap();
        let end = (next_index + 90).min(size);
        expect(&mut part, next_index..end).await;
        next_index = end;
        part.unsubscribe().await.unwrap();
    }
    let at_end = json!({ "fromIndex": 900 });
    let mut part = leaves(&client, at_end).await.unwrap();
    fixture.chain.grow_log(902);
    expect(&mut part, 900..902).await;
}

#[tokio::test]
async fn lets_through_what_is_asked_for() {
    let fixture = Fixture::new().await;
    fixture.chain.grow_log(1_000);
    let client = connect(&fixture).await;
    let check = async |mut filter: Value, wanted: fn(u64) -> bool| {
        filter["fromIndex"] = json!(0);
        let mut chosen = leaves(&client, filter).await.unwrap();
        expect(&mut chosen, (0..1_000).filter(|index| wanted(*index))).await;
        chosen.unsubscribe().await.unwrap();
    };
    check(json!({ "issuer": ISSUER }), |index| index % 3 == 0).await;
    // The chain of these tests has the accounts with an odd first byte in organisation 1.
    check(json!({ "organisation": 1 }), |index| index % 3 == 0).await;
    check(json!({ "schema": SCHEMA }), |index| index % 2 == 0).await;
    check(json!({ "kind": "revocation" }), |index| index % 2 == 1).await;
    let all = json!({ "kind": "attestation", "schema": SCHEMA, "issuer": ISSUER });
    check(all, |index| index % 6 == 0).await;
}

#[tokio::test]
async fn refuses_what_leaves_do_not_have() {
    let fixture = Fixture::new().await;
    fixture.chain.grow_log(10);
    let client = connect(&fixture).await;
    for (filter, words) in [
        (json!({ "organisation": "甲公會" }), "invalid argument 1"),
        (
            json!({ "kind": "attest" }),
            "none of attestation, revocation",
        ),
        (
            json!({ "fromIndex": 11 }),
            "fromIndex 11 is above the log's size, 10",
        ),
        (json!({ "fromIndex": -1 }), "invalid argument 1"),
        (json!({ "height": 1 }), "unknown field `height`"),
        (json!({ "schema": "0x12" }), "invalid argument 1"),
    ] {
        let Err(ClientError::Call(error)) = leaves(&client, filter.clone()).await else {
            panic!("{filter} is not refused");
        };
        assert_eq!(error.code(), -32602, "{filter}");
        assert!(
            error.message().contains(words),
            "{filter}: {}",
            error.message()
        );
    }
    let params = vec![json!("heads")];
    let other: Result<Subscription<Value>, _> = client
        .subscribe("tbsi_subscribe", params, "tbsi_unsubscribe")
        .await;
    let Err(ClientError::Call(error)) = other else {
        panic!("heads are not refused");
    };
    let expected = "no \"heads\" subscription in tbsi namespace";
    assert_eq!((error.code(), error.message()), (-32601, expected));
    let id: String = client.request("tbsi_subscribe", ["leaves"]).await.unwrap();
    assert!(id.starts_with("0x"), "{id}");
    let answer = fixture.call("tbsi_subscribe", json!(["leaves"])).await;
    assert_eq!(answer["error"]["message"], "notifications not supported");
}

#[tokio::test]
async fn who_falls_behind_is_told_where_to_go_on() {
    let fixture = Fixture::new().await;
    fixture.chain.grow_log(5);
    let client = Client::new(&format!("http://{}", fixture.address())).unwrap();
    let mut live = client.leaves(&LeafFilter::default()).await.unwrap();
    fixture.chain.grow_log(6);
    let Some(LeafNotice::Leaf(leaf)) = live.next().await.unwrap() else {
        panic!("no leaf");
    };
    assert_eq!(leaf.index, LeafIndex(5));
    fixture.chain.grow_log(7 + LEAVES_BEHIND_MAX);
    let Some(LeafNotice::End(end)) = live.next().await.unwrap() else {
        panic!("the subscription goes on");
    };
    assert_eq!(end.from_index, LeafIndex(6));
    let expected = "more than 1000000 leaves behind; subscribe again with fromIndex 6";
    assert_eq!(end.ended, expected);
    // Who reads old leaves may be as far behind as it likes.
    let again = LeafFilter {
        from_index: Some(end.from_index),
        ..LeafFilter::default()
    };
    let mut old = client.leaves(&again).await.unwrap();
    for index in 6..600 {
        let Some(LeafNotice::Leaf(leaf)) = old.next().await.unwrap() else {
            panic!("no leaf {index}");
        };
        assert_eq!(leaf.index, LeafIndex(index));
    }
}

#[tokio::test]
async fn says_that_the_log_cannot_be_read() {
    let fixture = Fixture::new().await;
    let client = connect(&fixture).await;
    let mut live = leaves(&client, json!({})).await.unwrap();
    // A log of one leaf whose bundle the chain does not have.
    fixture.chain.lose_leaves();
    let end = next(&mut live).await;
    assert_eq!(end["fromIndex"], 0);
    let words = end["ended"].as_str().unwrap();
    assert!(words.contains("internal error"), "{words}");
}
