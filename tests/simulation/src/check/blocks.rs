//! Decided blocks, as honest nodes serve them.

use alloy_consensus::proofs::calculate_receipt_root;
use tbsi_types::block::transactions_root;
use tbsi_types::{Checkpoint, Height, ProposedBlock, Receipt};

use super::{Findings, Rule, furthest, honest};
use crate::clock::Moment;
use crate::founding::PARAMETERS;
use crate::mutants::Mutant;
use crate::world::World;

pub(super) fn check(world: &World, findings: &mut Findings) {
    let Some((node, tip)) = furthest(world) else {
        return;
    };
    let mut before: Option<(Checkpoint, ProposedBlock)> = None;
    for height in 0..=tip.0 {
        let height = Height(height);
        let Some(checkpoint) = checkpoint(world, node, height) else {
            findings.add(Rule::Validity, format!("height {height} has no checkpoint"));
            return;
        };
        for other in honest(world).filter(|other| *other != node) {
            let theirs = self::checkpoint(world, other, height);
            if theirs.is_some_and(|theirs| theirs != checkpoint) {
                let what = format!("height {height}: nodes {node} and {other} differ");
                findings.add(Rule::SameState, what);
            }
        }
        let Some(block) = block(world, node, height) else {
            findings.add(Rule::Validity, format!("height {height} has no block"));
            return;
        };
        follows(
            world,
            findings,
            before.as_ref(),
            (node, &checkpoint, &block),
        );
        time(world, findings, before.as_ref(), &checkpoint);
        before = Some((checkpoint, block));
    }
}

pub(super) fn checkpoint(world: &World, node: usize, height: Height) -> Option<Checkpoint> {
    let running = world.nodes[node].running.as_ref()?;
    running.node.store.checkpoint(height).ok()?
}

pub(super) fn block(world: &World, node: usize, height: Height) -> Option<ProposedBlock> {
    let running = world.nodes[node].running.as_ref()?;
    running.node.store.block(height).ok()?
}

/// What the transactions of a block did.
pub(super) fn receipts(world: &World, node: usize, height: Height) -> Option<Vec<Receipt>> {
    let running = world.nodes[node].running.as_ref()?;
    running.node.store.receipts(height).ok()?
}

fn follows(
    world: &World,
    findings: &mut Findings,
    before: Option<&(Checkpoint, ProposedBlock)>,
    (node, checkpoint, block): (usize, &Checkpoint, &ProposedBlock),
) {
    let height = checkpoint.height;
    let mut wrong = |what: &str| findings.add(Rule::Validity, format!("height {height}: {what}"));
    let header = &block.block.header;
    if header.hash_slow() != checkpoint.block_hash {
        wrong("the checkpoint names another block");
    }
    if header.number != height.0 || header.state_root != checkpoint.state_root {
        wrong("the header is not the checkpoint's");
    }
    let receipts = receipts(world, node, height).map(|all| calculate_receipt_root(&all));
    if height > Height::GENESIS && receipts != Some(header.receipts_root) {
        wrong("the header names other receipts");
    }
    if header.transactions_root != transactions_root(&block.block.transactions) {
        wrong("the header names other transactions");
    }
    let Some((earlier, _)) = before else {
        return;
    };
    if header.parent_hash != earlier.block_hash {
        wrong("its parent is another block");
    }
    if checkpoint.log_size < earlier.log_size {
        wrong("the log is shorter than before");
    }
    let chain = world.founding.identity;
    let key = (height, checkpoint.digest(&chain));
    if !world.record.certificates.contains_key(&key) {
        wrong("nobody has shown a certificate of it");
    }
}

/// Forward, and within what clocks may be wrong of the time at which it was decided first.
fn time(
    world: &World,
    findings: &mut Findings,
    before: Option<&(Checkpoint, ProposedBlock)>,
    checkpoint: &Checkpoint,
) {
    let height = checkpoint.height;
    let Some((earlier, _)) = before else {
        return;
    };
    if checkpoint.time <= earlier.time {
        let what = format!("height {height}: time does not go forward");
        findings.add(Rule::Time, what);
    }
    let Some(decided) = world.record.first_decided.get(&height) else {
        return;
    };
    let latest = decided.wall().0 + PARAMETERS.clock_drift_max_ms;
    if checkpoint.time.0 > latest {
        let what = format!(
            "height {height} is dated {} ms after the latest possible",
            checkpoint.time.0 - latest
        );
        findings.add(Rule::Time, what);
    }
    late(world, findings, checkpoint, *decided);
}

/// A block is dated when it was proposed, which is not long before it was decided in the first
/// round. Later rounds may propose an older one again.
fn late(world: &World, findings: &mut Findings, checkpoint: &Checkpoint, decided: Moment) {
    let height = checkpoint.height;
    let round = world.record.rounds.get(&height);
    if round.is_none_or(|round| round.0 > 0) || world.plan.mutant == Some(Mutant::AnyTime) {
        return;
    }
    let patience = PARAMETERS.clock_lag_max_ms()
        + PARAMETERS.timeout_propose_ms
        + 2 * PARAMETERS.timeout_vote_ms
        + 20_000;
    let earliest = decided.wall().0.saturating_sub(patience);
    if checkpoint.time.0 < earliest {
        let what = format!(
            "height {height} is dated {} ms before the earliest possible",
            earliest - checkpoint.time.0
        );
        findings.add(Rule::Time, what);
    }
}
