//! Transactions that the pool does not take, as a client of JSON-RPC sees it.

use alloy_consensus::{TxEip1559, TxEip4844, TxLegacy};
use alloy_primitives::{Address, TxKind};
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};
use tbsi_tests::harness::{Sender, TestNetwork, eventually, wait_receipt};
use tbsi_types::Height;

/// A transaction of this sender that could be included.
fn plain(net: &TestNetwork, nonce: u64, input_bytes: usize) -> TxEip1559 {
    TxEip1559 {
        chain_id: net.network.chain_id(),
        nonce,
        gas_limit: 21_000 + 10 * input_bytes as u64,
        to: TxKind::Call(Address::repeat_byte(0x42)),
        input: vec![0; input_bytes].into(),
        ..TxEip1559::default()
    }
}

fn sender(net: &TestNetwork, name: &str) -> Sender {
    Sender::new(name, net.network.chain_id())
}

/// The node refuses these bytes: code -32000 and all these words.
async fn refused(client: &Client, encoded: &[u8], words: &[&str]) {
    match client.send_raw_transaction(encoded).await {
        Err(ClientError::Refused { code, message, .. }) => {
            assert_eq!(code, -32_000, "{message}");
            for word in words {
                assert!(message.contains(word), "`{word}` is not in: {message}");
            }
        }
        other => panic!("{words:?}: {other:?}"),
    }
}

async fn taken(client: &Client, encoded: &[u8]) {
    let answer = client.send_raw_transaction(encoded).await;
    answer.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ill_formed_transactions_are_refused_with_a_remedy() {
    let mut net = TestNetwork::create(1, 0);
    net.network.start(0).unwrap();
    net.wait_height(0, Height(1)).await;
    let client = net.client(0);
    let alice = sender(&net, "alice");
    let good = alice.sign(plain(&net, 0, 0));

    let remedy = "expected are the bytes of one signed transaction (EIP-2718)";
    let mut trailing = good.clone();
    trailing.push(0);
    let (headless, cut) = (&good[1..], &good[..good.len() - 1]);
    let malformed: [&[u8]; 5] = [&[], &[0x02], headless, cut, &trailing];
    for bytes in malformed {
        refused(&client, bytes, &["rlp: ", remedy]).await;
    }
    let oversized = alice.sign(plain(&net, 0, 512 * 1024));
    let size = format!("oversized data: transaction size {}, ", oversized.len());
    let words = [size.as_str(), "limit 524288", "split the data"];
    refused(&client, &oversized, &words).await;
    let foreign = TxEip1559 {
        chain_id: 1,
        ..plain(&net, 0, 0)
    };
    let want = format!("have 1 want {}; sign again", net.network.chain_id());
    let words = ["invalid chain id for signer: ", &want];
    refused(&client, &alice.sign(foreign), &words).await;
    let unprotected = alice.sign(TxLegacy::default());
    let words = ["only replay-protected (EIP-155) transactions", "sign with"];
    refused(&client, &unprotected, &words).await;
    let blobs = TxEip4844 {
        chain_id: net.network.chain_id(),
        blob_versioned_hashes: vec![[1; 32].into()],
        ..TxEip4844::default()
    };
    let words = ["transaction type not supported", "types 0, 1, 2 and 4 are"];
    refused(&client, &alice.sign(blobs), &words).await;
    let greedy = TxEip1559 {
        gas_limit: (1 << 24) + 1,
        ..plain(&net, 0, 0)
    };
    let words = ["too high (cap: 16777216, tx: 16777217)", "split the work"];
    refused(&client, &alice.sign(greedy), &words).await;
    let mut forged = good.clone();
    let s = forged.len() - 32;
    forged[s..].fill(0xff);
    refused(&client, &forged, &["invalid sender: ", "out of range"]).await;

    // None of it was kept, and the same sender's good one is included.
    let counts: Value = client.request("txpool_status", &[]).await.unwrap();
    assert_eq!(counts["pending"], "0x0", "{counts}");
    assert_eq!(counts["queued"], "0x0", "{counts}");
    let hash = client.send_raw_transaction(&good).await.unwrap();
    wait_receipt(&client, hash).await;
    let used = alice.sign(plain(&net, 0, 1));
    let words = ["nonce too low: ", "tx: 0 state: 1", "use nonce 1 or above"];
    refused(&client, &used, &words).await;
    let answer: Result<Value, _> = client
        .request("eth_sendRawTransaction", &[json!("0xzz")])
        .await;
    assert!(
        matches!(&answer, Err(ClientError::Refused { code: -32_602, .. })),
        "{answer:?}"
    );
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_says_so_and_drains() {
    let mut net = TestNetwork::create(4, 0);
    for node in 0..4 {
        net.configure(node, |config| {
            config.mempool.transactions_max = 18;
            config.mempool.own_part = 1;
            config.mempool.per_sender_max = 3;
            config.mempool.nonce_gap_max = 2;
        });
    }
    // One validator of four makes no block, so that nothing leaves the pool.
    net.network.start(0).unwrap();
    net.wait_height(0, Height(0)).await;
    let client = net.client(0);
    fill_one_senders_share(&net, &client).await;
    fill_the_queue(&net, &client).await;
    fill_the_rest(&net, &client).await;

    for node in 1..4 {
        net.network.start(node).unwrap();
    }
    eventually("what can be executed leaves the pool", async || {
        let counts: Value = client.request("txpool_status", &[]).await.unwrap();
        counts["pending"] == "0x0"
    })
    .await;
    let mut late = sender(&net, "late");
    late.transfer(&client).await.unwrap();
    net.assert_no_panic();
}

async fn fill_one_senders_share(net: &TestNetwork, client: &Client) {
    let bob = sender(net, "bob");
    let words = [
        "nonce too high: ",
        "tx: 3 state: 0",
        "at most 2 nonces may be missing; send nonce 0 first",
    ];
    refused(client, &bob.sign(plain(net, 3, 0)), &words).await;
    taken(client, &bob.sign(plain(net, 1, 0))).await;
    let other = bob.sign(plain(net, 1, 1));
    let words = [
        "replacement transaction underpriced: ",
        "nonce 1 is taken by 0x",
        "wait until it is included, or use the next nonce",
    ];
    refused(client, &other, &words).await;
    taken(client, &bob.sign(plain(net, 0, 0))).await;
    taken(client, &bob.sign(plain(net, 2, 0))).await;
    let again = bob.sign(plain(net, 2, 0));
    refused(client, &again, &["already known"]).await;
    let words = ["account limit exceeded: ", "at most 3 are allowed", "retry"];
    refused(client, &bob.sign(plain(net, 3, 0)), &words).await;
}

/// Half of the pool, which is what may wait for an earlier nonce.
async fn fill_the_queue(net: &TestNetwork, client: &Client) {
    for index in 0..9 {
        let queued = sender(net, &format!("queued {index}"));
        taken(client, &queued.sign(plain(net, 1, 0))).await;
    }
    let words = [
        "txpool is full: 9 transactions wait for an earlier nonce, at most 9 are allowed",
        "send nonce 0 first",
    ];
    let tenth = sender(net, "queued 9").sign(plain(net, 1, 0));
    refused(client, &tenth, &words).await;
}

/// Twelve are there, three of which can be executed.
async fn fill_the_rest(net: &TestNetwork, client: &Client) {
    for index in 0..6 {
        let other = sender(net, &format!("pending {index}"));
        taken(client, &other.sign(plain(net, 0, 0))).await;
    }
    let words = ["txpool is full: 18 transactions of at most 18", "retry"];
    let one_more = sender(net, "one more").sign(plain(net, 0, 0));
    refused(client, &one_more, &words).await;
}
