//! Strangers who connect to the peer-to-peer ports and speak nonsense, or nothing.

use std::net::SocketAddr;

use alloy_eips::BlockNumberOrTag;
use tbsi_tests::harness::{Sender, TestNetwork, eventually};
use tbsi_types::sha256;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

/// Connections that say nothing, on each port.
const SILENT: usize = 300;
/// How often each kind of nonsense is told, on each port.
const REPEATS: u32 = 8;
/// How much a node may grow by it, in KiB.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
/// A port that takes no more bytes from a stranger for so long may keep them.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

fn noise(seed: u32, bytes: u32) -> Vec<u8> {
    let blocks = (0..bytes.div_ceil(32)).map(|index| {
        let (seed, index) = (seed.to_be_bytes(), index.to_be_bytes());
        sha256(&[&seed, &index]).0
    });
    blocks.flatten().collect()
}

/// What a stranger may say to a libp2p port.
fn nonsense(seed: u32) -> Vec<Vec<u8>> {
    const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";
    const NOISE: &[u8] = b"\x07/noise\n";
    let opened = [MULTISTREAM, NOISE].concat();
    vec![
        noise(seed, 64 * 1024),
        vec![0; 1024 * 1024],
        vec![0xff; 64],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        // A TLS client hello that ends after its length.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        // The negotiation, and then: nothing, another protocol, half a message, no message.
        MULTISTREAM.to_vec(),
        [MULTISTREAM, b"\x0b/yamux/1.0\n".as_slice()].concat(),
        opened.clone(),
        [&opened, [0x00, 0x20].as_slice(), &noise(seed, 31)].concat(),
        [&opened, [0xff, 0xff].as_slice(), &noise(seed, 65_535)].concat(),
        [&opened, [0x00, 0x20].as_slice(), &noise(seed, 32)].concat(),
    ]
}

/// Says it, and stays connected until dropped.
async fn say(port: SocketAddr, words: Vec<u8>) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(port).await.ok()?;
    // The node may close the connection at any byte.
    let said = timeout(WRITE_TIMEOUT, stream.write_all(&words)).await;
    said.is_ok_and(|said| said.is_ok()).then_some(stream)
}

/// Connects and says nothing.
async fn silence(ports: [SocketAddr; 2]) -> Vec<TcpStream> {
    let mut silent = Vec::new();
    for port in ports {
        for _ in 0..SILENT {
            silent.extend(TcpStream::connect(port).await);
        }
    }
    silent
}

fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_peer_ports_disturbs_nobody() {
    let mut net = TestNetwork::start(4, 0).await;
    let victim = net.network.nodes()[0].clone();
    let ports = [victim.consensus, victim.gossip];
    let client = net.client(0);
    let mut sender = Sender::new("undisturbed", net.network.chain_id());
    for _ in 0..10 {
        sender.transfer(&client).await.unwrap();
    }
    let pid = net.network.pid(0).unwrap();
    let before = resident_kib(pid);

    let mut talkers = JoinSet::new();
    for seed in 0..REPEATS {
        for (port, words) in ports
            .into_iter()
            .flat_map(|port| nonsense(seed).into_iter().map(move |words| (port, words)))
        {
            talkers.spawn(say(port, words));
        }
        sender.transfer(&client).await.unwrap();
    }
    let connected = talkers.join_all().await;
    let silent = silence(ports).await;
    assert!(silent.len() >= SILENT, "{} connections", silent.len());
    for _ in 0..10 {
        sender.transfer(&client).await.unwrap();
    }

    // A real peer still gets in, and back into the votes.
    net.network.kill9(3).await.unwrap();
    let height = sender.transfer(&client).await.unwrap();
    net.network.start(3).unwrap();
    net.wait_height(3, height).await;
    let restarted = net.validator_address(3);
    eventually("the restarted validator signs a block", async || {
        sender.transfer(&client).await.unwrap();
        let certificate = client.certificate(BlockNumberOrTag::Latest).await.unwrap();
        let signatures = certificate.unwrap().signatures;
        signatures.iter().any(|entry| entry.validator == restarted)
    })
    .await;
    eventually("every peer is connected to the node", async || {
        let peers = client.status().await.unwrap().peers;
        peers.iter().filter(|peer| peer.connected).count() == 3
    })
    .await;
    drop((connected, silent));

    assert_eq!(net.network.pid(0), Some(pid));
    let after = resident_kib(pid);
    let limit = before + GROWTH_KIB_MAX;
    assert!(after < limit, "{before} KiB became {after} KiB");
    net.assert_no_panic();
}
