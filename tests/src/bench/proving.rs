//! The log as it grows: rate and disk at its beginning and end, and proofs of it.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;
use tbsi_home::{Home, load_genesis};
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::Client;
use tbsi_rpc::wire::LeafSelector;
use tbsi_testnet::Network;
use tbsi_types::{LeafIndex, ProofBundle};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use super::process::{Cpu, disk_bytes};
use super::statistics::{Distribution, Spread};
use super::target::{Target, pids};
use super::workload::{DIGESTS_LARGE, Signing, Workload};

/// Leaves between two looks at rate and disk.
const CHUNK: u64 = 100_000;
/// Transactions of [`DIGESTS_LARGE`] that are on their way at a time.
const PIPELINE: u64 = 8;
/// Clients that ask for proofs at the same time, and for how long.
const CLIENTS: u64 = 8;
const ASKING: Duration = Duration::from_secs(5);
/// Proofs that are verified and measured.
const SAMPLES: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(120);

/// Figures.
#[derive(Clone, Debug, Serialize)]
pub struct Proving {
    /// Leaves at the end.
    pub leaves: u64,
    /// Digests a second, final, of each [`CHUNK`] in turn; a closed loop of large transactions.
    pub chunks_per_s: Vec<u64>,
    /// CPU time of one node while the log grew, microseconds.
    pub grow_cpu_us: u64,
    /// Growth of a validator's data for each leaf of the first chunk, bytes.
    pub disk_first_bytes: u64,
    /// The same over all leaves.
    pub disk_all_bytes: u64,
    /// Proofs a second that one node served.
    pub proofs_per_s: u64,
    /// Proofs for each second of that node's CPU time.
    pub proofs_per_core: u64,
    /// Bytes of a proof's compact form.
    pub compact_bytes: Sizes,
    /// Bytes of its JSON form.
    pub json_bytes: Sizes,
    /// Verifying one from the genesis file, signatures included, microseconds.
    pub verify_us: Option<Distribution>,
}

/// Bytes of many samples.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sizes {
    /// Middle one.
    pub median: u64,
    /// Largest.
    pub max: u64,
}

impl Sizes {
    /// `None` without any.
    pub fn of(samples: Vec<u64>) -> Option<Self> {
        let Spread { median, max, .. } = Spread::of(samples)?;
        Some(Self { median, max })
    }
}

/// Grows the log by `leaves`, then proves and verifies.
pub async fn measure(
    network: &mut Network,
    target: &Target,
    leaves: u64,
) -> anyhow::Result<Proving> {
    let client = Client::new(&network.rpc_url(0))?;
    let before = disk(network)?;
    let nodes = pids(network)?;
    let cpu = Cpu::read(&nodes)?;
    let mut chunks_per_s = Vec::new();
    let mut disk_first = 0;
    for chunk in 0..leaves.div_ceil(CHUNK) {
        let started = Instant::now();
        grow(&client, target, chunk).await?;
        let per_s = CHUNK as u128 * 1_000_000 / started.elapsed().as_micros().max(1);
        chunks_per_s.push(u64::try_from(per_s)?);
        eprintln!(
            "log: {} leaves, the last {CHUNK} at {per_s}/s",
            (chunk + 1) * CHUNK
        );
        if chunk == 0 {
            disk_first = disk(network)?.saturating_sub(before);
        }
    }
    let used = Cpu::read(&nodes)?.since(&cpu);
    let copies = network.nodes().len() as u64;
    let grown = chunks_per_s.len() as u64 * CHUNK;
    ensure!(grown > 0, "no leaf was asked for");
    let disk_all = disk(network)?.saturating_sub(before);
    let (proofs_per_s, proofs_per_core) = serve(network, grown).await?;
    let genesis = load_genesis(&network.genesis_file())?;
    let anchor = TrustAnchor::genesis(&genesis)?;
    let (mut compact, mut json, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let index = sample * (grown / SAMPLES);
        let text = fetch(&client, index).await?;
        let bundle = ProofBundle::parse_json(text.as_bytes())?;
        let bytes = bundle.encode()?;
        let started = Instant::now();
        verify_bundle(&ProofBundle::decode(&bytes)?, &anchor)?;
        took.push(u64::try_from(started.elapsed().as_micros())?);
        compact.push(bytes.len() as u64);
        json.push(text.len() as u64);
    }
    Ok(Proving {
        leaves: grown,
        chunks_per_s,
        grow_cpu_us: used.nodes_us / copies,
        disk_first_bytes: disk_first / CHUNK / copies,
        disk_all_bytes: disk_all / grown / copies,
        proofs_per_s,
        proofs_per_core,
        compact_bytes: Sizes::of(compact).context("a proof was measured")?,
        json_bytes: Sizes::of(json).context("a proof was measured")?,
        verify_us: Distribution::of(took),
    })
}

/// One chunk, in large transactions by one sender each, a few at a time.
async fn grow(client: &Client, target: &Target, chunk: u64) -> anyhow::Result<()> {
    let count = CHUNK / DIGESTS_LARGE;
    let signing = Signing {
        chain_id: target.chain_id,
        label: &format!("growing log, chunk {chunk}"),
        senders_per_connection: usize::try_from(count)?,
        connections: 1,
        batch: 1,
        contract: target.contract,
    };
    let arrivals = vec![0; usize::try_from(count)?];
    let mut waiting = JoinSet::new();
    for prepared in signing.prepare(Workload::AttestLarge, &arrivals) {
        if waiting.len() as u64 >= PIPELINE {
            waiting.join_next().await.context("one is waited for")???;
        }
        let body: serde_json::Value = serde_json::from_slice(&prepared.body)?;
        let params = body["params"]
            .as_array()
            .context("a request has parameters")?;
        let _hash: tbsi_types::B256 = client.request("eth_sendRawTransaction", params).await?;
        waiting.spawn(finality(client.clone(), prepared.hash));
    }
    while let Some(ended) = waiting.join_next().await {
        ended??;
    }
    Ok(())
}

async fn finality(client: Client, hash: tbsi_types::B256) -> anyhow::Result<()> {
    let started = Instant::now();
    while client.leaves_of(hash).await?.is_none() {
        ensure!(
            started.elapsed() < PATIENCE,
            "{hash} is not final after {PATIENCE:?}"
        );
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn fetch(client: &Client, index: u64) -> anyhow::Result<String> {
    let proof = client.proof(&LeafSelector::Index(LeafIndex(index))).await?;
    Ok(proof.context("the log has the leaf")?.get().to_owned())
}

/// Proofs a second of one node, and for each second of its CPU time.
async fn serve(network: &mut Network, leaves: u64) -> anyhow::Result<(u64, u64)> {
    let pid = *pids(network)?.first().context("a node runs")?;
    let url = network.rpc_url(0);
    let before = Cpu::read(&[pid])?;
    let started = Instant::now();
    let mut asking = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client::new(&url)?;
        asking.spawn(async move {
            let mut served = 0u64;
            while started.elapsed() < ASKING {
                let index = (number + served * CLIENTS).wrapping_mul(7_919) % leaves;
                fetch(&client, index).await?;
                served += 1;
            }
            anyhow::Ok(served)
        });
    }
    let mut served = 0;
    while let Some(ended) = asking.join_next().await {
        served += ended??;
    }
    let elapsed = u64::try_from(started.elapsed().as_micros())?;
    let used = Cpu::read(&[pid])?.since(&before);
    let per = |us: u64| served * 1_000_000 / us.max(1);
    Ok((per(elapsed), per(used.nodes_us)))
}

fn disk(network: &Network) -> anyhow::Result<u64> {
    let nodes = 0..network.nodes().len();
    nodes
        .map(|node| disk_bytes(&Home::new(network.home(node)).data_dir()))
        .sum()
}
