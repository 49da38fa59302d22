//! Minutes that must not stop a chain: a beginning that is ahead, and a network so slow that no
//! round succeeds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use tbsi_testnet::START_TIMEOUT;
use tbsi_tests::harness::{Answer, PATIENCE, TestNetwork, eventually, http};
use tbsi_types::{Height, Round};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The metrics port's address once the node answers there.
async fn ready_page(net: &TestNetwork, node: usize) -> Option<Answer> {
    let address = metrics_address(net, node);
    // A node that has just been started does not listen yet.
    TcpStream::connect(address).await.ok()?;
    Some(http(address, "GET", "/readyz", &[], b"").await)
}

fn metrics_address(net: &TestNetwork, node: usize) -> SocketAddr {
    net.network.nodes()[node].metrics
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_founded_ahead_of_time_begins_at_that_time() {
    let begins_in = Duration::from_secs(20);
    let mut net = TestNetwork::create_with(4, 0, |spec| spec.begins_in = begins_in);
    let genesis_time = net.genesis().time_ms;
    net.network.start_all().unwrap();
    for node in 0..4 {
        eventually("the node says that it waits", async || {
            let page = ready_page(&net, node).await;
            page.is_some_and(|page| {
                page.status == 503 && page.text().contains("for the genesis time")
            })
        })
        .await;
        eventually("the log says so too", async || {
            net.log(node)
                .contains("for the genesis time: the network begins then")
        })
        .await;
    }
    assert_eq!(
        net.client(0).block_number().await.unwrap(),
        Height(0),
        "nobody begins before"
    );
    for node in 0..4 {
        let reached = net
            .network
            .wait_height(node, Height(1), START_TIMEOUT)
            .await;
        reached.unwrap_or_else(|error| panic!("{error}"));
    }
    let first = net.client(0).checkpoint(BlockNumberOrTag::Number(1)).await;
    let first = first.unwrap().unwrap();
    assert!(first.time_ms > genesis_time);
    let certificate = net.client(0).certificate(BlockNumberOrTag::Number(1)).await;
    let round = certificate.unwrap().unwrap().round;
    assert!(round < Round(5), "no round was spent on waiting: {round}");
    for node in 0..4 {
        eventually("the node is ready", async || {
            ready_page(&net, node)
                .await
                .is_some_and(|page| page.status == 200)
        })
        .await;
        assert!(!net.log(node).contains("changed its mind"));
    }
    net.assert_no_panic();
}

/// A way to an address on which everything takes as long as is said.
struct SlowRoad {
    address: SocketAddr,
}

impl SlowRoad {
    async fn to(target: SocketAddr, delay_ms: Arc<AtomicU64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let delay_ms = Arc::clone(&delay_ms);
                tokio::spawn(async move {
                    let Ok(called) = TcpStream::connect(target).await else {
                        return;
                    };
                    let ((from, to), (back, home)) = (caller.into_split(), called.into_split());
                    let there = carry(from, home, Arc::clone(&delay_ms));
                    let again = carry(back, to, delay_ms);
                    tokio::join!(there, again);
                });
            }
        });
        Self { address }
    }
}

/// Carries bytes in order, each at least `delay_ms` after it came.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay_ms: Arc<AtomicU64>,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1_024);
    let read = async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let delay = Duration::from_millis(delay_ms.load(Ordering::SeqCst));
            let chunk = (Instant::now() + delay, buffer[..count].to_vec());
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some((due, chunk)) = receiver.recv().await {
            sleep_until(due).await;
            if to.write_all(&chunk).await.is_err() {
                break;
            }
        }
        // A side that is gone already needs no goodbye.
        let _gone = to.shutdown().await;
    };
    tokio::join!(read, write);
}

/// Round in which a node is.
async fn round(net: &TestNetwork, node: usize) -> u64 {
    let address = metrics_address(net, node);
    if TcpStream::connect(address).await.is_err() {
        return 0;
    }
    let page = http(address, "GET", "/metrics", &[], b"").await;
    let mut lines = page.text().lines();
    let line = lines.find_map(|line| line.strip_prefix("tbsi_consensus_round "));
    line.and_then(|value| value.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_height_of_many_rounds_is_decided_when_the_network_heals() {
    let mut net = TestNetwork::create_with(4, 0, |spec| {
        spec.consensus.timeout_propose_ms = 10;
        spec.consensus.timeout_vote_ms = 10;
        spec.consensus.timeout_delta_ms = 1;
    });
    let delay_ms = Arc::new(AtomicU64::new(150));
    for node in 0..4 {
        let mut roads = Vec::new();
        let home = net.home(node).load().unwrap();
        for peer in &home.config.p2p.peers {
            roads.push(SlowRoad::to(peer.consensus, Arc::clone(&delay_ms)).await);
        }
        net.configure(node, |config| {
            for (peer, road) in config.p2p.peers.iter_mut().zip(&roads) {
                peer.consensus = road.address;
            }
        });
    }
    net.network.start_all().unwrap();
    eventually("round 20 is reached", async || round(&net, 0).await >= 20).await;
    assert_eq!(net.client(0).block_number().await.unwrap(), Height(0));
    delay_ms.store(0, Ordering::SeqCst);
    for node in 0..4 {
        let reached = net.network.wait_height(node, Height(1), PATIENCE).await;
        reached.unwrap_or_else(|error| panic!("{error}"));
    }
    let certificate = net.client(0).certificate(BlockNumberOrTag::Number(1)).await;
    let round = certificate.unwrap().unwrap().round;
    assert!(round >= Round(20), "it took many rounds: {round}");
    net.assert_no_panic();
}
