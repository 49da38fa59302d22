//! The chain again, from block 0 in a fresh store: the same blocks lead to the same checkpoints.

use std::collections::BTreeSet;
use std::sync::Arc;

use tbsi_engine::{Chain, Commit, Verdict};
use tbsi_node::PROTOCOL_VERSION;
use tbsi_node::chain::NodeChain;
use tbsi_node::gossip::GossipHandle;
use tbsi_node::mempool::MempoolLimits;
use tbsi_node::node::{Node, NodeParts};
use tbsi_node::rules::NextRules;
use tbsi_store::Store;
use tbsi_types::{Height, TreeSize};

use super::{Findings, Rule, furthest};
use crate::founding::{scratch, store_options};
use crate::world::World;

/// One run in so many is replayed.
const SAMPLED: u64 = 4;

pub(super) fn check(world: &World, findings: &mut Findings) {
    let Some((node, tip)) = furthest(world) else {
        return;
    };
    if !world.plan.seed.is_multiple_of(SAMPLED) && !world.plan.replays {
        return;
    }
    let running = world.nodes[node].running.as_ref().expect("it has a tip");
    let store = &running.node.store;
    let dir = scratch();
    world.founding.write_database(dir.path());
    let genesis = world.founding.genesis.clone();
    let fresh = Store::open(dir.path(), world.founding.identity, store_options());
    let fresh = fresh.expect("a new database");
    let fresh = Arc::new(Node::new(NodeParts {
        name: "replay".into(),
        validator: None,
        protocol: PROTOCOL_VERSION,
        rules: NextRules::at_tip(&fresh, &genesis).expect("the store has a tip"),
        genesis,
        roster: world.founding.roster.clone(),
        store: fresh,
        mempool: MempoolLimits::default(),
        gossip: GossipHandle::detached(),
        witnesses: Vec::new(),
        known: Arc::default(),
    }));
    let mut chain = NodeChain::new(Arc::clone(&fresh));
    for height in 1..=tip.0 {
        if let Err(problem) = step(&mut chain, store, Height(height)) {
            let what = format!("height {height} of node {node}, again: {problem}");
            return findings.add(Rule::Replay, what);
        }
    }
    let size = fresh.tip().log_size;
    if (0..size.0).any(|index| differs(store, &fresh.store, index)) || size == TreeSize(0) {
        findings.add(
            Rule::Replay,
            "the log is another when the chain is replayed",
        );
    }
}

fn differs(one: &Store, other: &Store, index: u64) -> bool {
    let read = |store: &Store| store.leaf(tbsi_types::LeafIndex(index)).ok().flatten();
    read(one) != read(other) || read(one).is_none()
}

fn step(chain: &mut NodeChain, from: &Store, height: Height) -> Result<(), String> {
    let bytes = from
        .proposed_bytes(height)
        .ok()
        .flatten()
        .ok_or("no block")?;
    let certificate = from
        .certificate(height)
        .ok()
        .flatten()
        .ok_or("no certificate")?;
    let verdict = chain
        .check(height, &bytes)
        .map_err(|error| error.to_string())?;
    let digest = match verdict {
        Verdict::Valid(candidate) => candidate.digest,
        Verdict::Invalid(reason) | Verdict::Malformed(reason) => return Err(reason),
    };
    if digest != certificate.checkpoint_digest {
        return Err(format!(
            "it leads to {digest}, and {} was decided",
            certificate.checkpoint_digest
        ));
    }
    let kept = chain.keep(height, digest, &bytes, &BTreeSet::new());
    kept.map_err(|error| error.to_string())?;
    match chain.commit(&certificate) {
        Ok(Commit::Done) => Ok(()),
        Ok(Commit::Missing) => Err("its block is gone".into()),
        Err(error) => Err(error.to_string()),
    }
}
