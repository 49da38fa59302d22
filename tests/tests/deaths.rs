//! All nodes killed under load, again and again: what was acknowledged is never lost.
//!
//! `TBSI_DEATHS` says how often; `make test-long` makes it 50 and shows the ledger.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use alloy_eips::BlockNumberOrTag;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tbsi_light::{TrustAnchor, verify_bundle, verify_consistency};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{Acknowledgement, LeafRange};
use tbsi_tests::harness::TestNetwork;
use tbsi_tests::issuer::{Issuer, acknowledge};
use tbsi_types::bundle::ProofBundle;
use tbsi_types::log::ConsistencyProof;
use tbsi_types::{B256, Height, TreeSize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const NODES: usize = 4;

/// Deaths of all nodes if `TBSI_DEATHS` does not say.
const DEATHS: u64 = 5;

/// Digests of a batch.
const BATCH: u64 = 50;

/// What was promised, and what was found to be kept.
#[derive(Debug, Default)]
struct Ledger {
    deaths: u64,
    acknowledged: Vec<Promise>,
    /// Batches that nobody acknowledged, because everybody died.
    open: u64,
    /// Times that a promise was not kept.
    lost: u64,
    proofs: u64,
    consistency_proofs: u64,
    /// Log roots that validators signed, by size.
    roots: BTreeMap<u64, B256>,
}

/// A batch that was acknowledged.
#[derive(Debug)]
struct Promise {
    transaction: B256,
    leaves: LeafRange,
    height: Height,
    /// Of its first leaf, as the acknowledgement gave it.
    bundle: ProofBundle,
}

fn deaths() -> u64 {
    let asked = std::env::var("TBSI_DEATHS").ok();
    asked.map_or(DEATHS, |text| {
        text.parse().expect("TBSI_DEATHS is a number")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_deaths_of_all() {
    let mut net = TestNetwork::start(NODES, 0).await;
    let anchor = TrustAnchor::genesis(&net.genesis()).unwrap();
    let mut ledger = Ledger::default();
    for death in 0..deaths() {
        // Another number each time, so that death finds the nodes at different work.
        die_under_load(&mut net, &mut ledger, death, 3 + death % 7).await;
        let highest = ledger.acknowledged.iter().map(|promise| promise.height);
        let highest = highest.max().unwrap();
        for node in 0..NODES {
            net.network.start(node).unwrap();
        }
        for node in 0..NODES {
            net.wait_height(node, Height(highest.0 + 1)).await;
        }
        ledger.deaths += 1;
        let node = usize::try_from(death).unwrap() % NODES;
        ledger.keep(&net.client(node), &anchor).await;
    }
    for node in 0..NODES {
        ledger.keep(&net.client(node), &anchor).await;
    }
    println!("{}", ledger.text());
    assert_eq!(ledger.lost, 0);
    net.assert_no_panic();
}

/// Everybody attests until so many batches are acknowledged; then all nodes die at once.
async fn die_under_load(net: &mut TestNetwork, ledger: &mut Ledger, death: u64, batches: u64) {
    let (tell, mut told) = mpsc::channel(1_000);
    let mut load = JoinSet::new();
    for node in 0..NODES {
        let (client, tell) = (net.client(node), tell.clone());
        let mut issuer = Issuer::new(&format!("{death}/{node}"), net);
        let from = (death * NODES as u64 + node as u64) << 32;
        load.spawn(async move {
            for batch in 0.. {
                let first = from + batch * BATCH;
                let batch = issuer.batch(first..first + BATCH);
                let Ok(acknowledged) = acknowledge(&client, &batch).await else {
                    return;
                };
                tell.send(acknowledged).await.unwrap();
            }
        });
    }
    drop(tell);
    for _ in 0..batches {
        ledger.note(&told.recv().await.expect("the nodes acknowledge"));
    }
    for node in 0..NODES {
        net.network.kill9(node).await.unwrap();
    }
    while let Some(acknowledged) = told.recv().await {
        ledger.note(&acknowledged);
    }
    ledger.open += load.join_all().await.len() as u64;
}

impl Ledger {
    fn note(&mut self, acknowledged: &Acknowledgement) {
        assert_eq!(acknowledged.leaves.count, BATCH);
        let bundle = ProofBundle::parse_json(acknowledged.proofs[0].get().as_bytes()).unwrap();
        assert_eq!(bundle.leaf_index, acknowledged.leaves.first);
        let checkpoint = bundle.decision.checkpoint;
        let (size, root) = (checkpoint.log_size.0, checkpoint.log_root);
        assert_eq!(*self.roots.entry(size).or_insert(root), root, "size {size}");
        self.acknowledged.push(Promise {
            transaction: acknowledged.transaction_hash,
            leaves: acknowledged.leaves,
            height: acknowledged.height,
            bundle,
        });
    }

    /// Counts the promises that a node does not keep. Fails if a proof does not hold, or if the
    /// node's log does not extend all that were signed before.
    async fn keep(&mut self, client: &Client, anchor: &TrustAnchor) {
        for promise in &self.acknowledged {
            verify_bundle(&promise.bundle, anchor).unwrap();
            let leaves = client.leaves_of(promise.transaction).await.unwrap();
            if leaves != Some(promise.leaves) {
                eprintln!("lost: {promise:?}, found {leaves:?}");
                self.lost += 1;
                continue;
            }
            let first = promise.leaves.first.0;
            for index in [first, first + BATCH - 1] {
                let selector = json!({ "index": index });
                let json: Option<Box<RawValue>> =
                    client.request("tbsi_getProof", &[selector]).await.unwrap();
                let json = json.expect("it was acknowledged");
                let bundle = ProofBundle::parse_json(json.get().as_bytes()).unwrap();
                verify_bundle(&bundle, anchor).unwrap();
                if index == first {
                    // Which quorum a node has signatures of differs; what they signed does not.
                    let same = |it: &ProofBundle| (it.leaf.clone(), it.decision.checkpoint);
                    assert_eq!(same(&bundle), same(&promise.bundle));
                }
                self.proofs += 1;
            }
        }
        let latest = client.checkpoint(BlockNumberOrTag::Latest).await.unwrap();
        let latest = latest.unwrap();
        let later = (latest.log_size, latest.log_root);
        for (size, root) in &self.roots {
            let sizes = [json!(size), json!(later.0)];
            let answer: Value = client.request("tbsi_getConsistency", &sizes).await.unwrap();
            let hashes = serde_json::from_value(answer["hashes"].clone()).unwrap();
            let earlier = (TreeSize(*size), *root);
            verify_consistency(earlier, later, &ConsistencyProof(hashes)).unwrap();
            self.consistency_proofs += 1;
        }
        self.roots.insert(later.0.0, later.1);
    }

    fn text(&self) -> String {
        let batches = self.acknowledged.len() as u64;
        format!(
            "deaths of all {NODES} nodes   {}\n\
             acknowledged            {} digests in {batches} batches\n\
             lost                    {}\n\
             open at a death         {} batches\n\
             proofs verified again   {}\n\
             consistency proofs      {}, of {} signed roots",
            self.deaths,
            batches * BATCH,
            self.lost,
            self.open,
            self.proofs,
            self.consistency_proofs,
            self.roots.len()
        )
    }
}
