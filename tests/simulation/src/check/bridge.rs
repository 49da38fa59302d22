//! What the relayer did, and what is on its target: compared with what the network decided.

use tbsi_bridge::record::Event;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{Height, LeafIndex};

use super::{Findings, Rule, blocks, furthest};
use crate::clock::Moment;
use crate::target::{Held, TargetChain, destination};
use crate::world::{Relaying, World};

/// How long after it is decided, and after everything is mended, a leaf has to be carried.
const CARRY_MS: u64 = 30_000;

pub(super) fn check(world: &World, findings: &mut Findings) {
    let (Some(relaying), Some((node, tip))) = (&world.relaying, furthest(world)) else {
        return;
    };
    let chain = relaying.target.chain();
    for (at, reason) in &world.record.relayer_stopped {
        let what = format!("the relayer ended at {} ms: {reason}", at.0 / 1_000);
        findings.add(Rule::BridgeComplete, what);
    }
    checkpoints(world, node, chain.held(), findings);
    monotone(&chain, findings);
    for (sequence, times) in chain
        .held()
        .delivered
        .iter()
        .filter(|(_, times)| **times > 1)
    {
        let what = format!("message {sequence} was delivered {times} times");
        findings.add(Rule::BridgeReplay, what);
    }
    finality(relaying, &chain, findings);
    complete(world, (node, tip), &chain, findings);
}

/// What the light client holds is what was decided.
fn checkpoints(world: &World, node: usize, held: &Held, findings: &mut Findings) {
    let identity = world.founding.identity;
    for (height, digest) in &held.checkpoints {
        let decided = blocks::checkpoint(world, node, Height(*height));
        let decided = decided.map(|checkpoint| checkpoint.digest(&identity).0);
        if decided != Some(*digest) {
            let what = format!("the target holds another checkpoint of height {height}");
            findings.add(Rule::BridgeForged, what);
        }
    }
}

/// From block to block its heights and sets go up.
fn monotone(chain: &TargetChain, findings: &mut Findings) {
    for pair in chain.blocks.windows(2) {
        let (before, after) = (&pair[0].held, &pair[1].held);
        if after.height < before.height || after.handovers < before.handovers {
            let what = format!(
                "the light client went from height {} to {}",
                before.height, after.height
            );
            findings.add(Rule::BridgeMonotone, what);
        }
    }
}

/// What the relayer took for final is in the chain.
fn finality(relaying: &Relaying, chain: &TargetChain, findings: &mut Findings) {
    for event in relaying.records() {
        if let Event::Final { inclusion, .. } = event
            && !chain.has_block(inclusion.block, inclusion.block_hash)
        {
            let what = format!(
                "block {} was taken for final, and went away",
                inclusion.block
            );
            findings.add(Rule::BridgeFinality, what);
        }
    }
}

/// All leaves and messages arrive, unless their time is over.
fn complete(
    world: &World,
    (node, _): (usize, Height),
    chain: &TargetChain,
    findings: &mut Findings,
) {
    let Some(running) = &world.nodes[node].running else {
        return;
    };
    let mended = Moment::default().after_ms(world.plan.rough_ms);
    let end = mended.after_ms(world.plan.calm_ms);
    for index in 0..running.node.tip().log_size.0 {
        let Ok(Some(bytes)) = running.node.store.leaf(LeafIndex(index)) else {
            return;
        };
        let Ok(leaf) = Leaf::decode(&bytes) else {
            continue;
        };
        let decided = world.record.first_decided.get(&leaf.head.height);
        let decided = decided.copied().unwrap_or(end);
        if end.ms_since(decided.max(mended)) < CARRY_MS {
            continue;
        }
        let carried = match leaf.statement {
            Statement::Attestation(_) => chain.held().recorded.contains(&index),
            Statement::Message {
                destination: to,
                sequence,
                timeout,
                ..
            } if to == destination() => {
                let late = chain.final_time() > timeout;
                late || chain.held().delivered.contains_key(&sequence)
            }
            _ => true,
        };
        if !carried {
            let what = format!(
                "leaf {index}, decided at {} ms, has not arrived",
                decided.0 / 1_000
            );
            findings.add(Rule::BridgeComplete, what);
        }
    }
}
