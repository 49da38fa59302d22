//! The map as it grows: what a digest costs in it, and proofs of it.

use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use tbsi_home::load_genesis;
use tbsi_light::{TrustAnchor, verify_map};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{BundleStart, LeafSelector};
use tbsi_testnet::Network;
use tbsi_types::bundle::MapBundle;
use tbsi_types::log::{Leaf, MapRoot, Statement};
use tbsi_types::{Bytes, LeafIndex, sha256};
use tokio::time::{Duration, sleep};

use super::process::Cpu;
use super::proving::{Proving, Sizes};
use super::statistics::Distribution;
use super::target::pids;

/// Proofs that are verified and measured.
const SAMPLES: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks at how far the map is.
const LOOK: Duration = Duration::from_millis(50);

/// Figures.
#[derive(Clone, Debug, Serialize)]
pub struct Mapping {
    /// Digests that were not in the map when the load ended.
    pub waiting: u64,
    /// Until they were, without load; milliseconds.
    pub caught_up_ms: u64,
    /// CPU time of one node for each of them, microseconds.
    pub cpu_us_per_digest: Option<u64>,
    /// What a digest costs with the map and without; `None` if none waited for it.
    pub share: Option<MapShare>,
    /// Entries at the end.
    pub entries: u64,
    /// What a status adds to a proof's compact form, bytes.
    pub status_bytes: Sizes,
    /// The proof and its status, compact, bytes.
    pub with_status_bytes: Sizes,
    /// A proof that a digest was not attested, compact, bytes.
    pub absence_bytes: Sizes,
    /// Verifying an attestation with its status from the genesis file, microseconds.
    pub status_verify_us: Option<Distribution>,
    /// Verifying an absence, signatures included, microseconds.
    pub absence_verify_us: Option<Distribution>,
}

/// What one digest costs a node, microseconds of CPU time. While the log grew some digests came into
/// the map and some did not; what each of them costs is known from when there was nothing else.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MapShare {
    /// All but the map.
    pub without_us: f64,
    /// The map.
    pub map_us: f64,
}

impl MapShare {
    /// Of a log that grew by `leaves`, of which `waiting` came into the map later.
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_arithmetic,
        reason = "figures for people"
    )]
    fn of(grow_cpu_us: u64, leaves: u64, caught_up_cpu_us: u64, waiting: u64) -> Option<Self> {
        if waiting == 0 || leaves == 0 {
            return None;
        }
        let map_us = caught_up_cpu_us as f64 / waiting as f64;
        let meanwhile = leaves.saturating_sub(waiting) as f64 * map_us;
        let without_us = (grow_cpu_us as f64 - meanwhile) / leaves as f64;
        (without_us > 0.0).then_some(Self { without_us, map_us })
    }
}

/// Waits until the map has all of the log that `proving` grew, then proves and verifies.
pub async fn measure(network: &mut Network, proving: &Proving) -> anyhow::Result<Mapping> {
    let leaves = proving.leaves;
    let client = Client::new(&network.rpc_url(0))?;
    let nodes = pids(network)?;
    let before = Cpu::read(&nodes)?;
    let started = Instant::now();
    let tip = client.status().await?.height;
    let first = root(&client).await?.map_or(0, |root| root.entries);
    let entries = loop {
        let known = root(&client).await?;
        if let Some(root) = known.filter(|root| root.digest_height >= tip) {
            break root.entries;
        }
        ensure!(started.elapsed() < PATIENCE, "the map does not catch up");
        sleep(LOOK).await;
    };
    let waiting = entries.saturating_sub(first);
    let caught_up_ms = u64::try_from(started.elapsed().as_millis())?;
    let used = Cpu::read(&nodes)?.since(&before).nodes_us / nodes.len().max(1) as u64;
    eprintln!("map: {waiting} digests waited, {caught_up_ms} ms until they were in it");
    let genesis = load_genesis(&network.genesis_file())?;
    let anchor = TrustAnchor::genesis(&genesis)?;
    let (mut status, mut both, mut absence) = (Vec::new(), Vec::new(), Vec::new());
    let (mut status_us, mut absence_us) = (Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let index = LeafIndex(sample * (leaves / SAMPLES));
        if let Some(bundle) = with_status(&client, index).await? {
            let bytes = bundle.encode()?;
            status.push((bytes.len() - bundle.proof.encode()?.len()) as u64);
            both.push(bytes.len() as u64);
            status_us.push(verify(&bytes, &anchor)?);
        }
        let bytes = absent(&client, sample).await?.encode()?;
        absence.push(bytes.len() as u64);
        absence_us.push(verify(&bytes, &anchor)?);
    }
    Ok(Mapping {
        waiting,
        caught_up_ms,
        cpu_us_per_digest: used.checked_div(waiting),
        share: MapShare::of(proving.grow_cpu_us, leaves, used, waiting),
        entries,
        status_bytes: Sizes::of(status).context("a status was measured")?,
        with_status_bytes: Sizes::of(both).context("a status was measured")?,
        absence_bytes: Sizes::of(absence).context("an absence was measured")?,
        status_verify_us: Distribution::of(status_us),
        absence_verify_us: Distribution::of(absence_us),
    })
}

/// What the map was when it was told last; `None` before that.
async fn root(client: &Client) -> anyhow::Result<Option<MapRoot>> {
    let start = BundleStart::default();
    let asked = client.absence(&Bytes::from(vec![0; 32]), &start).await;
    let Ok(Some(json)) = asked else {
        return Ok(None);
    };
    let bundle = MapBundle::parse_json(json.get().as_bytes())?;
    let Statement::MapRoot(root) = Leaf::decode(&bundle.proof.leaf)?.statement else {
        bail!("the proof is of no root of the map");
    };
    Ok(Some(root))
}

/// `None` for a leaf that is no attestation: roots of the map are among them.
async fn with_status(client: &Client, index: LeafIndex) -> anyhow::Result<Option<MapBundle>> {
    let selector = LeafSelector::Index(index);
    let plain = client.proof(&selector).await?;
    let plain = plain.context("the log has the leaf")?;
    let plain = tbsi_types::ProofBundle::parse_json(plain.get().as_bytes())?;
    let leaf = Leaf::decode(&plain.leaf)?;
    if leaf.attestation_id().is_none() {
        return Ok(None);
    }
    let start = BundleStart {
        status: true,
        ..BundleStart::default()
    };
    let json = client.proof_with(&selector, &start).await?;
    let json = json.context("the log has the leaf")?;
    Ok(Some(MapBundle::parse_json(json.get().as_bytes())?))
}

async fn absent(client: &Client, number: u64) -> anyhow::Result<MapBundle> {
    let digest = sha256(&[b"nobody attested ", &number.to_be_bytes()]);
    let json = client
        .absence(&digest.0.into(), &BundleStart::default())
        .await?;
    let json = json.context("the map has a root")?;
    Ok(MapBundle::parse_json(json.get().as_bytes())?)
}

fn verify(bytes: &[u8], anchor: &TrustAnchor) -> anyhow::Result<u64> {
    let started = Instant::now();
    verify_map(&MapBundle::decode(bytes)?, anchor)?;
    Ok(u64::try_from(started.elapsed().as_micros())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_costs_what_it_costs_without_the_map_and_the_map() {
        // 1,000 digests at 20 us each, 600 of them in the map at 2 us meanwhile.
        let share = MapShare::of(21_200, 1_000, 800, 400).unwrap();
        assert!((share.map_us - 2.0).abs() < 1e-9, "{share:?}");
        assert!((share.without_us - 20.0).abs() < 1e-9, "{share:?}");
        assert!(MapShare::of(21_200, 1_000, 0, 0).is_none());
    }
}
