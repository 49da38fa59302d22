//! The map, made again from the leaves that a node serves.

use tbsi_light::MapAudit;
use tbsi_store::Store;
use tbsi_types::log::Leaf;
use tbsi_types::{LeafIndex, TreeSize};

use super::{Findings, Rule, furthest};
use crate::world::World;

pub(super) fn check(world: &World, findings: &mut Findings) {
    let Some((node, _)) = furthest(world) else {
        return;
    };
    let running = world.nodes[node].running.as_ref().expect("it has a tip");
    let map = MapAudit::new(world.founding.genesis.consensus.map_period_ms());
    let (store, size) = (&running.node.store, running.node.tip().log_size);
    if let Err(problem) = audit(map, store, size) {
        findings.add(Rule::MapRoots, format!("node {node}: {problem}"));
    }
}

fn audit(mut map: MapAudit, store: &Store, size: TreeSize) -> Result<(), String> {
    for index in (0..size.0).map(LeafIndex) {
        // That one is missing, or is none, other rules say.
        let leaf = store.leaf(index).ok().flatten();
        let Some(leaf) = leaf.and_then(|leaf| Leaf::decode(&leaf).ok()) else {
            return Ok(());
        };
        map.take(index, &leaf).map_err(|error| error.to_string())?;
    }
    map.end_block().map_err(|error| error.to_string())
}
