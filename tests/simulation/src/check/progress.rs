//! That things happen: after everything is mended, and not too much of it before.

use std::collections::BTreeSet;

use tbsi_types::Height;

use super::{Findings, Rule, furthest, honest};
use crate::clock::Moment;
use crate::founding::PARAMETERS;
use crate::plan::Lie;
use crate::record::SignedStep;
use crate::world::World;

/// How long after everything is mended a height may take that was in a high round.
const CONVERGE_MS: u64 = 25_000;
/// How long a height may take after that, with a validator that lies.
const HEIGHT_MS: u64 = 12_000;
/// How far behind a node may be in the end.
const BEHIND_MAX: u64 = 2;

pub(super) fn check(world: &World, findings: &mut Findings) {
    stops(world, findings);
    heights(world, findings);
    catch_up(world, findings);
    inclusion(world, findings);
    evidence(world, findings);
    idle(world, findings);
}

fn stops(world: &World, findings: &mut Findings) {
    for (node, before, after) in &world.record.went_back {
        if world.is_honest(*node) {
            let what = format!("node {node} said it was at height {before}, and later at {after}");
            findings.add(Rule::NoStepBack, what);
        }
    }
    for (node, at, reason) in &world.record.stopped {
        if world.is_honest(*node) {
            let what = format!("node {node} stopped at {} ms: {reason}", at.0 / 1_000);
            findings.add(Rule::NoStop, what);
        }
    }
}

fn heights(world: &World, findings: &mut Findings) {
    let mended = Moment::default().after_ms(world.plan.rough_ms);
    let end = mended.after_ms(world.plan.calm_ms);
    let mut times: Vec<Moment> = world.record.first_decided.values().copied().collect();
    times.sort_unstable();
    let after: Vec<Moment> = times.into_iter().filter(|at| *at > mended).collect();
    let first = after.first().copied().unwrap_or(end);
    if first.ms_since(mended) > CONVERGE_MS {
        let waited = first.ms_since(mended);
        let what = format!("no height for {waited} ms after everything was mended");
        findings.add(Rule::Progress, what);
    }
    let ends = after.iter().copied().chain(std::iter::once(end));
    for (one, next) in after.iter().zip(ends.skip(1)) {
        let took = next.ms_since(*one);
        if took > HEIGHT_MS {
            let what = format!("no height for {took} ms although all was well");
            findings.add(Rule::Progress, what);
        }
    }
}

fn catch_up(world: &World, findings: &mut Findings) {
    let Some((_, tip)) = furthest(world) else {
        findings.add(Rule::CatchUp, "no honest node runs in the end");
        return;
    };
    for node in honest(world) {
        let own = world.nodes[node].tip().unwrap_or(Height::GENESIS);
        if tip.above(own) > BEHIND_MAX {
            let what = format!("node {node} is at height {own}, another at {tip}");
            findings.add(Rule::CatchUp, what);
        }
    }
}

fn inclusion(world: &World, findings: &mut Findings) {
    let end = Moment::default().after_ms(world.plan.rough_ms + world.plan.calm_ms);
    for (hash, accepted) in &world.record.accepted {
        let waited = end.ms_since(accepted.at);
        if accepted.acknowledged.is_none() && waited > CONVERGE_MS {
            let what = format!(
                "{hash} was accepted by node {} and is not included after {waited} ms",
                accepted.node
            );
            findings.add(Rule::Inclusion, what);
        }
    }
}

/// If a liar signed two votes of a height that was decided after everything was mended, an
/// honest node has evidence of some lie of it. Where nodes do not pass votes on, nobody may ever
/// see both.
fn evidence(world: &World, findings: &mut Findings) {
    if !world.plan.weather.relays {
        return;
    }
    let mended = Moment::default().after_ms(world.plan.rough_ms);
    let mut known = BTreeSet::new();
    for node in honest(world) {
        if let Some(running) = &world.nodes[node].running {
            let pieces = running.node.store.evidence(10_000).unwrap_or_default();
            known.extend(pieces.iter().map(tbsi_types::Evidence::validator));
        }
    }
    for (node, lies) in &world.plan.liars {
        let validator = world.founding.addresses[*node];
        let twice = world.record.signed.iter().filter(|((signer, at), values)| {
            let decided = world.record.first_decided.get(&at.0);
            *signer == validator
                && at.2 != SignedStep::Propose
                && values.len() > 1
                && decided.is_some_and(|decided| *decided > mended)
        });
        // One pair may have been shown to two nodes that did not need either.
        if lies.contains(&Lie::TwoVotes) && twice.count() > 5 && !known.contains(&validator) {
            let what = format!("validator {node} signs twice again and again, and nobody knows");
            findings.add(Rule::Evidence, what);
        }
    }
}

/// Blocks without transactions come once in a while, whatever peers say.
fn idle(world: &World, findings: &mut Findings) {
    let Some((node, tip)) = furthest(world) else {
        return;
    };
    let Some(running) = &world.nodes[node].running else {
        return;
    };
    let mut empty = 0;
    for height in 1..=tip.0 {
        let block = running.node.store.block(Height(height)).ok().flatten();
        empty += u64::from(block.is_some_and(|block| block.block.transactions.is_empty()));
    }
    let time = world.plan.rough_ms + world.plan.calm_ms;
    let expected = time / PARAMETERS.empty_block_interval_ms;
    if empty > 2 * expected + world.record.accepted.len() as u64 + 10 {
        let what = format!("{empty} empty blocks in {time} ms, {expected} were due");
        findings.add(Rule::Idle, what);
    }
}
