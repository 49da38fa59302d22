//! What the benchmark measures of a relayer: from finality on the source to inclusion on the
//! target, and how fast a backlog is caught up.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tbsi_bridge::evm::GAS_USED;
use tbsi_bridge::record::{Event, Item};
use tokio::time::sleep;

use super::anvil::Anvil;
use super::chain::Chain;
use super::relayer::Relayer;
use super::serve::Server;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Figures {
    /// From a checkpoint's finality to the block of the target with its attestation, sorted.
    pub latencies: Vec<Duration>,
    /// Attestations of the backlog.
    pub backlog: u64,
    /// Until the last of them was in a final block.
    pub caught_up: Duration,
    /// Gas of the transactions that carried the backlog.
    pub gas: u64,
    /// Bytes of the journal after all of it.
    pub journal: u64,
}

/// How long one attestation may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long the backlog may take: 100,000 attestations on a busy machine.
const CATCH_UP_MAX: Duration = Duration::from_secs(3_600);

/// Carries single attestations to an anvil with blocks of one second, then a backlog.
pub async fn measure(
    tbsi: &Path,
    anvil: &Path,
    samples: usize,
    backlog: u64,
) -> anyhow::Result<Figures> {
    let chain = Chain::default();
    let server = Server::start(&chain).await;
    let anvil = Anvil::start(anvil, Some("1")).await;
    let contract = anvil.deploy(&chain).await;
    let mut relayer = Relayer::new("bench", &chain, &[server.url()], &[anvil.url()], contract);
    relayer.program = tbsi.into();
    anvil.fund(relayer.account(), 1_000).await;
    let mut running = relayer.start(None);
    let mut latencies = Vec::with_capacity(samples);
    for _ in 0..samples {
        let leaf = chain.size();
        chain.block(1, None);
        let start = Instant::now();
        while !anvil.recorded(contract).await.contains(&leaf) {
            ensure!(start.elapsed() < TIMEOUT, "leaf {leaf} is not recorded");
            sleep(Duration::from_millis(10)).await;
        }
        latencies.push(start.elapsed());
        // Not in step with the blocks of either chain.
        sleep(Duration::from_millis(37)).await;
    }
    latencies.sort_unstable();
    running.kill().await.context("stop the relayer")?;
    let first = chain.size();
    for _ in 0..backlog.div_ceil(1_000) {
        chain.block((backlog - (chain.size() - first)).min(1_000), None);
    }
    let start = Instant::now();
    let ended = relayer.run_within(CATCH_UP_MAX, &["clear"], None).await;
    ensure!(ended.code == Some(0), "{}", ended.stderr);
    let caught_up = start.elapsed();
    let mut gas = 0;
    let mut carried = 0;
    for record in relayer.records() {
        if let Event::Final {
            items, inclusion, ..
        } = record.event
        {
            let leaves = items.iter();
            let leaves = leaves.filter(|item| matches!(item, Item::Leaf(leaf) if *leaf >= first));
            let count = leaves.count() as u64;
            carried += count;
            let used = inclusion.cost.get(GAS_USED).map_or(0, |gas| gas.0);
            gas += if count > 0 { used } else { 0 };
        }
    }
    ensure!(carried == backlog, "{carried} of {backlog} were carried");
    Ok(Figures {
        latencies,
        backlog,
        caught_up,
        gas,
        journal: std::fs::metadata(relayer.journal())?.len(),
    })
}
