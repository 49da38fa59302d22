//! Too many connections and transactions, from strangers and clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, TxKind};
use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::faults::load::resident_kib;
use crate::faults::stage::{NODES, Stage};
use crate::faults::{Amount, Found};
use crate::harness::Sender;

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_secs(6);
/// Connections that a flood of strangers holds at a time.
const STRANGERS: usize = 400;
/// Memory that a node may take more in a flood, KiB.
const GROWTH_KIB_MAX: u64 = 400 * 1024;

/// F22: strangers dial, say nothing, say it slowly, and come again; a validator restarts
/// meanwhile and is let in.
///
/// # Errors
/// What did not hold.
pub async fn strangers(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[1, 2], "strangers").await?;
    let (usual, _) = stage.pace(1, Duration::from_secs(3)).await?;
    let pid = stage.net.network.pid(0).context("node 0 runs")?;
    let before = resident_kib(pid)?;
    let node = stage.net.network.nodes()[0].clone();
    let (mut crowd, dialled) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for stranger in 0..STRANGERS {
        let port = if stranger % 2 == 0 {
            node.consensus
        } else {
            node.gossip
        };
        crowd.spawn(loiter(port, Arc::clone(&dialled)));
    }
    let (flooded, p99) = stage.pace(1, FLOOD).await?;
    stage.net.network.kill9(3).await?;
    let rejoined = stage
        .revive(3)
        .await
        .context("while strangers flood node 0")?;
    let after = resident_kib(pid)?;
    ensure!(
        after < before + GROWTH_KIB_MAX,
        "RSS {before} KiB became {after} KiB"
    );
    let rest = amount.soak_s.min(10);
    sleep(Duration::from_secs(rest)).await;
    let peers = stage.net.client(0).status().await?.peers;
    let connected = peers.iter().filter(|peer| peer.connected).count();
    ensure!(connected == NODES - 1, "node 0 has {connected} peers left");
    crowd.shutdown().await;
    let dialled = dialled.load(Ordering::Relaxed);
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{STRANGERS} strangers at a time, {dialled} connections: blocks \
         every {flooded} ms, p99 {p99} (usually {usual}), peers kept, RSS {} → {} MiB, a killed \
         validator votes again after {} ms",
        before / 1024,
        after / 1024,
        rejoined.as_millis()
    )))
}

/// Connects again and again, and says a byte now and then; counts its connections.
async fn loiter(port: SocketAddr, dialled: Arc<AtomicU64>) {
    let until = Instant::now() + 3 * FLOOD;
    while Instant::now() < until {
        let Ok(mut socket) = TcpStream::connect(port).await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        dialled.fetch_add(1, Ordering::Relaxed);
        for _ in 0..20 {
            if socket.write_all(b"\x13").await.is_err() {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// F30: transactions without end: too large, with gaps, of many senders; an honest issuer is
/// served meanwhile.
///
/// # Errors
/// What did not hold.
pub async fn spam(amount: Amount) -> anyhow::Result<Found> {
    let mut stage = Stage::start(0).await?;
    let mut load = stage.load(&[1], "honest").await?;
    sleep(Duration::from_secs(3)).await;
    let (usual, _) = load.latency_ms();
    let pid = stage.net.network.pid(0).context("node 0 runs")?;
    let before = resident_kib(pid)?;
    let chain_id = stage.net.network.chain_id();
    let (mut taken, mut refused) = (0u64, 0u64);
    let until = Instant::now() + FLOOD.max(Duration::from_secs(amount.soak_s.min(60)));
    let client = stage.net.client(0);
    let mut senders: Vec<Sender> = (0..50)
        .map(|sender| Sender::new(&format!("spammer {sender}"), chain_id))
        .collect();
    let mut round = 0u64;
    while Instant::now() < until {
        for sender in &mut senders {
            let transaction = match round % 10 {
                8 => far_ahead(sender, round),
                9 => too_large(sender),
                _ => sender.next_transfer(),
            };
            match client.send_raw_transaction(&transaction).await {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        round += 1;
    }
    let (flooded, p99) = load.latency_ms();
    let after = resident_kib(pid)?;
    ensure!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    ensure!(
        after < before + GROWTH_KIB_MAX,
        "RSS {before} KiB became {after} KiB"
    );
    stage.judge(&mut load).await?;
    Ok(Found::Kept(format!(
        "{taken} transactions taken, {refused} refused; an honest issuer elsewhere is \
         acknowledged after p50 {flooded} p99 {p99} ms (usually {usual}); RSS {} → {} MiB",
        before / 1024,
        after / 1024
    )))
}

fn far_ahead(sender: &Sender, round: u64) -> Vec<u8> {
    sender.sign(TxEip1559 {
        chain_id: sender.chain_id(),
        nonce: 1_000_000 + round,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0x42)),
        ..TxEip1559::default()
    })
}

fn too_large(sender: &Sender) -> Vec<u8> {
    sender.sign(TxEip1559 {
        chain_id: sender.chain_id(),
        gas_limit: 1 << 24,
        to: TxKind::Call(Address::repeat_byte(0x42)),
        input: vec![0; 600 * 1024].into(),
        ..TxEip1559::default()
    })
}
