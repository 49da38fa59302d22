//! Clients that send transactions with rising nonces and wait for no answer, as web3.js 1.x and
//! Hyperledger Caliper do: every one is taken, and is in a block.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::SocketAddr;
use std::sync::Arc;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, hex, keccak256};
use serde_json::{Value, json};
use tbsi_rpc::Client;
use tbsi_tests::harness::{Sender, TestNetwork, eventually, http};
use tbsi_tests::socket::Socket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const COUNT: usize = 400;

/// Signed transfers of one sender, whose nonces rise.
fn transfers(sender: &mut Sender) -> Vec<Vec<u8>> {
    (0..COUNT).map(|_| sender.next_transfer()).collect()
}

fn request(id: usize, transaction: &[u8]) -> String {
    let request = json!({
        "jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction",
        "params": [hex::encode_prefixed(transaction)],
    });
    request.to_string()
}

/// The hash that an answer has.
fn hash(answer: &str) -> B256 {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let hash = answer["result"].as_str();
    hash.unwrap_or_else(|| panic!("{answer}")).parse().unwrap()
}

/// Every transaction was answered with its hash, and a block has it.
async fn all_included(client: &Client, sender: &Sender, sent: &[Vec<u8>], mut answered: Vec<B256>) {
    let mut expected: Vec<_> = sent.iter().map(keccak256).collect();
    expected.sort_unstable();
    answered.sort_unstable();
    assert_eq!(answered, expected);
    let count = sent.len() as u64;
    eventually("every transaction is in a block", async || {
        let nonce = client.transaction_count(sender.address(), BlockNumberOrTag::Latest);
        nonce.await.unwrap() == count
    })
    .await;
    for hash in expected {
        assert!(client.transaction_receipt(hash).await.unwrap().is_some());
    }
}

/// Says all at once, and then hears the answers.
async fn say_all(node: SocketAddr, sent: Vec<(usize, Vec<u8>)>) -> Vec<B256> {
    let mut socket = Socket::connect(node).await;
    for (id, transaction) in &sent {
        socket.say(&request(*id, transaction)).await;
    }
    let mut answered = Vec::new();
    for _ in sent {
        answered.push(hash(&socket.hear().await));
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pipelined_transactions_are_all_taken() {
    let network = TestNetwork::create(1, 0);
    let net = network.started().await;
    let node = net.network.nodes()[0].rpc;
    let client = net.client(0);
    let sender = |name: &str| Sender::new(name, net.network.chain_id());

    // One WebSocket.
    let mut alone = sender("one socket");
    let sent = transfers(&mut alone);
    let numbered = sent.iter().cloned().enumerate().collect();
    let answered = say_all(node, numbered).await;
    all_included(&client, &alone, &sent, answered).await;

    // Four, of which each has every fourth transaction.
    let mut shared = sender("four sockets");
    let sent = transfers(&mut shared);
    let mut sockets = JoinSet::new();
    for first in 0..4 {
        let every_fourth = sent.iter().cloned().enumerate().skip(first).step_by(4);
        sockets.spawn(say_all(node, every_fourth.collect()));
    }
    let answered = sockets.join_all().await.concat();
    all_included(&client, &shared, &sent, answered).await;

    // Many HTTP connections side by side.
    let mut posted = sender("posts");
    let sent = transfers(&mut posted);
    let side_by_side = Arc::new(Semaphore::new(64));
    let mut posts = JoinSet::new();
    for (id, transaction) in sent.iter().enumerate() {
        let (body, places) = (request(id, transaction), Arc::clone(&side_by_side));
        posts.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let json = ["content-type: application/json"];
            let answer = http(node, "POST", "/", &json, body.as_bytes()).await;
            hash(answer.text())
        });
    }
    let answered = posts.join_all().await;
    all_included(&client, &posted, &sent, answered).await;

    // In one batch, and backwards over HTTP: as many may wait as one sender may have.
    let mut batched = sender("batch");
    let sent = transfers(&mut batched);
    let requests = sent.iter().enumerate().rev();
    let requests: Vec<_> = requests.map(|(id, it)| request(id, it)).collect();
    let body = format!("[{}]", requests.join(","));
    let json = ["content-type: application/json"];
    let answer = http(node, "POST", "/", &json, body.as_bytes()).await;
    let answers: Vec<Value> = serde_json::from_str(answer.text()).unwrap();
    let answered = answers.iter().map(|it| hash(&it.to_string())).collect();
    all_included(&client, &batched, &sent, answered).await;
    net.assert_no_panic();
}
