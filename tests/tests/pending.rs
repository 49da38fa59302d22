//! What a node was told to be pending is told again until a block holds it, survives a restart,
//! and never goes in silence.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::SocketAddr;

use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_primitives::{Address, B256, TxKind};
use tbsi_governance::abi::PERMISSIONS;
use tbsi_rpc::wire::TransactionStatus;
use tbsi_rpc::{Client, ClientError};
use tbsi_tests::council::{Actor, decide, joining, kind, setPublicPermissionsCall};
use tbsi_tests::harness::{Sender, TestNetwork, eventually, http, said, tbsi, wait_receipt};
use tbsi_types::{Height, SecretKey};

const OBSERVER: usize = 4;

fn sender(net: &TestNetwork, name: &str) -> Sender {
    Sender::new(name, net.network.chain_id())
}

fn transfer(net: &TestNetwork, nonce: u64, bid: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: net.network.chain_id(),
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: bid,
        max_priority_fee_per_gas: bid,
        to: TxKind::Call(Address::repeat_byte(0x42)),
        ..TxEip1559::default()
    }
}

async fn status(client: &Client, hash: B256) -> TransactionStatus {
    client.transaction_status(hash).await.unwrap()
}

/// Reason and words of a transaction that was dropped.
async fn dropped(client: &Client, hash: B256) -> (String, String) {
    let found = status(client, hash).await;
    let TransactionStatus::Dropped {
        reason, message, ..
    } = found
    else {
        panic!("{hash} is not dropped: {found:?}");
    };
    (reason, message)
}

async fn refused(client: &Client, encoded: &[u8], words: &str) {
    match client.send_raw_transaction(encoded).await {
        Err(ClientError::Refused { code, message, .. }) => {
            assert_eq!((code, message.as_str()), (-32_000, words));
        }
        other => panic!("{words}: {other:?}"),
    }
}

/// A node's counter, as its page of metrics has it; 0 if it was never counted.
async fn counter(net: &TestNetwork, node: usize, name: &str) -> u64 {
    let address: SocketAddr = net.network.nodes()[node].metrics;
    let page = http(address, "GET", "/metrics", &[], &[]).await;
    let mut lines = page.text().lines();
    let line = lines.find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.rsplit(' ').next());
    value.map_or(0, |value| value.parse().unwrap())
}

/// An observer behind one validator: it hears of the others by that one alone.
fn behind_the_first_validator(net: &TestNetwork) {
    let id = |node: usize| net.network.nodes()[node].peer_id.clone();
    let (first, observer) = (id(0), id(OBSERVER));
    net.configure(OBSERVER, |config| {
        config.p2p.peers.retain(|peer| peer.peer_id == first);
    });
    for node in 1..OBSERVER {
        net.configure(node, |config| {
            config.p2p.peers.retain(|peer| peer.peer_id != observer);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_full_pools_refused_is_included_once_they_drain() {
    let net = TestNetwork::create(4, 1);
    behind_the_first_validator(&net);
    for node in 0..4 {
        net.configure(node, |config| {
            config.mempool.transactions_max = 4;
            config.mempool.own_part = 1;
            config.mempool.per_sender_max = 4;
            config.mempool.nonce_gap_max = 4;
        });
    }
    let mut net = net.started().await;
    // Two of four decide nothing, so what fills their pools stays there.
    net.network.stop(2).await.unwrap();
    net.network.stop(3).await.unwrap();
    let (validator, observer) = (net.client(0), net.client(OBSERVER));
    let mut filling = sender(&net, "fills the pools");
    for _ in 0..4 {
        let transfer = filling.next_transfer();
        validator.send_raw_transaction(&transfer).await.unwrap();
    }
    eventually("the other validator's pool is full too", async || {
        let pool = net.client(1).status().await.unwrap().pool;
        pool.pending == 4
    })
    .await;

    let mut late = sender(&net, "comes late");
    let transfer = late.next_transfer();
    let hash = observer.send_raw_transaction(&transfer).await.unwrap();
    eventually("the validator has no place for it", async || {
        counter(&net, 0, "tbsi_mempool_refused_total{reason=\"full\"}").await > 0
    })
    .await;
    assert_eq!(
        status(&validator, hash).await,
        TransactionStatus::Unknown {}
    );
    let pending = TransactionStatus::Pending {
        missing_nonce: None,
    };
    assert_eq!(status(&observer, hash).await, pending);

    net.network.start(2).unwrap();
    net.network.start(3).unwrap();
    let height = wait_receipt(&observer, hash).await;
    let included = status(&observer, hash).await;
    assert_eq!(included, TransactionStatus::Included { height, index: 0 });
    // Its sender is not blocked.
    late.transfer(&observer).await.unwrap();
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_transaction_is_cancelled_and_its_successor_survives_a_kill() {
    let mut net = TestNetwork::create(4, 0);
    // One validator of four makes no block.
    net.network.start(0).unwrap();
    net.wait_height(0, Height(0)).await;
    let client = net.client(0);
    let alice = sender(&net, "alice");
    let send = async |bid| {
        let encoded = alice.sign(transfer(&net, 0, bid));
        client.send_raw_transaction(&encoded).await
    };
    let first = send(100).await.unwrap();
    let known = "already known";
    refused(&client, &alice.sign(transfer(&net, 0, 100)), known).await;
    let low = format!(
        "replacement transaction underpriced: address {}, nonce 0 is taken by {first}; replace it \
         with a fee cap of 110 wei and a tip of 110 wei or more (nobody pays them), wait until it \
         is included, or use the next nonce",
        alice.address()
    );
    refused(&client, &alice.sign(transfer(&net, 0, 109)), &low).await;
    let second = send(110).await.unwrap();
    let (reason, words) = dropped(&client, first).await;
    assert_eq!(reason, "replaced");
    assert!(words.contains(&second.to_string()), "{words}");

    net.network.kill9(0).await.unwrap();
    net.network.start(0).unwrap();
    net.wait_height(0, Height(0)).await;
    let pending = TransactionStatus::Pending {
        missing_nonce: None,
    };
    assert_eq!(status(&client, second).await, pending);
    eventually("it is told again after the restart", async || {
        counter(&net, 0, "tbsi_mempool_told_again_total").await > 0
    })
    .await;
    for node in 1..4 {
        net.network.start(node).unwrap();
    }
    let height = wait_receipt(&client, second).await;
    let included = status(&client, second).await;
    assert_eq!(included, TransactionStatus::Included { height, index: 0 });
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_execution_would_refuse_is_refused_at_once_in_go_ethereum_words() {
    let net = TestNetwork::start(1, 0).await;
    let client = net.client(0);
    let alice = sender(&net, "alice");
    let good = transfer(&net, 0, 0);
    for gas_limit in [0, 1, 20_999] {
        let words = format!(
            "intrinsic gas too low: have {gas_limit}, want 21000; sign with a gas limit of 21000 \
             or more"
        );
        let low = TxEip1559 {
            gas_limit,
            ..good.clone()
        };
        refused(&client, &alice.sign(low), &words).await;
    }
    let data = TxEip1559 {
        gas_limit: 40_000,
        input: vec![1; 1_000].into(),
        ..good.clone()
    };
    let floor = "insufficient gas for floor data gas cost: have 40000, want 61000; sign with a \
                 gas limit of 61000 or more (EIP-7623)";
    refused(&client, &alice.sign(data), floor).await;
    let create = |gas_limit, bytes| TxEip1559 {
        gas_limit,
        to: TxKind::Create,
        input: vec![0; bytes].into(),
        ..good.clone()
    };
    let large = "max initcode size exceeded: code size 49153, limit 49152; make the contract \
                 smaller, or split it";
    refused(&client, &alice.sign(create(5_000_000, 49_153)), large).await;
    let poor = "intrinsic gas too low: have 53001, want 53006; sign with a gas limit of 53006 or \
                more";
    refused(&client, &alice.sign(create(53_001, 1)), poor).await;
    let nothing = TxEip7702 {
        chain_id: net.network.chain_id(),
        gas_limit: 100_000,
        ..TxEip7702::default()
    };
    let empty = "EIP-7702 transaction with empty auth list";
    refused(&client, &alice.sign(nothing), empty).await;

    // None of them has taken the nonce.
    let hash = client.send_raw_transaction(&alice.sign(good)).await;
    wait_receipt(&client, hash.unwrap()).await;
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_a_permission_while_a_transaction_waits_can_ask_why_it_is_gone() {
    let net = TestNetwork::start(4, 0).await;
    let client = net.client(0);
    let account = |node: usize| {
        let home = net.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), net.network.chain_id())
    };
    let council: Vec<Actor> = (0..4).map(account).collect();
    let stranger = sender(&net, "a stranger");
    // It waits for nonce 0, which never comes.
    let encoded = stranger.sign(transfer(&net, 1, 0));
    let hash = client.send_raw_transaction(&encoded).await.unwrap();
    let queued = TransactionStatus::Pending {
        missing_nonce: Some(0),
    };
    assert_eq!(status(&client, hash).await, queued);
    let all: Vec<&Actor> = council.iter().collect();
    let nothing = setPublicPermissionsCall { permissions: 0 };
    decide(&client, &all, kind::SET_PUBLIC_PERMISSIONS, &nothing).await;
    eventually("the transaction is dropped", async || {
        matches!(
            status(&client, hash).await,
            TransactionStatus::Dropped { .. }
        )
    })
    .await;
    let (reason, words) = dropped(&client, hash).await;
    assert_eq!(reason, "permission");
    assert!(words.contains("of no organisation may not send"), "{words}");
    let counted = counter(&net, 0, "tbsi_mempool_dropped_total{reason=\"permission\"}").await;
    assert_eq!(counted, 1);
    // Permission given again, the sender sends again.
    let key = SecretKey::from_seed(b"a stranger");
    let joins = joining(net.network.chain_id(), 1, &key, 1);
    council[0].act(&client, PERMISSIONS, &joins).await;
    client.send_raw_transaction(&encoded).await.unwrap();
    assert_eq!(status(&client, hash).await, queued);
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_waits_ends_with_the_reason_when_its_transaction_is_dropped() {
    let mut net = TestNetwork::create(4, 0);
    // One validator of four makes no block.
    net.network.start(0).unwrap();
    net.wait_height(0, Height(0)).await;
    let client = net.client(0);
    let file = net.scratch().join("statement.txt");
    std::fs::write(&file, "a statement").unwrap();
    let text = |path: std::path::PathBuf| path.display().to_string();
    let args = [
        "attest".to_owned(),
        text(file),
        "--genesis".into(),
        text(net.network.genesis_file()),
        "--key".into(),
        text(net.network.development_key_file(1)),
        "--rpc".into(),
        net.network.rpc_url(0),
    ];
    let attesting = tokio::spawn(async move { tbsi(&args).await });
    eventually("the attestation waits", async || {
        client.status().await.unwrap().pool.pending == 1
    })
    .await;
    let issuer = sender(&net, "TBSI public development account 1");
    let cancel = issuer.sign(transfer(&net, 0, 1));
    let hash = client.send_raw_transaction(&cancel).await.unwrap();
    let ended = attesting.await.unwrap();
    said(&ended, 1, &["was dropped by http", &hash.to_string()]);
    net.assert_no_panic();
}
