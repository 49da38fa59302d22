//! That things happen: after everything is mended, and not too much of it before.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_bindings::SolEvent;
use tbsi_bindings::genesis::Nodes::Equivocated;

use tbsi_types::Height;

use super::sets::Sets;
use super::{Findings, Rule, blocks, furthest, honest};
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

/// How long after its start, or after everything is mended, a validator has to vote.
const RECOVERY_MS: u64 = 20_000;
/// Heights after which evidence has to be before the contracts.
const ACCUSED_HEIGHTS: u64 = 10;

pub(super) fn check(world: &World, sets: &Sets, findings: &mut Findings) {
    stops(world, findings);
    recovery(world, sets, findings);
    accusations(world, findings);
    heights(world, findings);
    catch_up(world, findings);
    inclusion(world, findings);
    evidence(world, sets, findings);
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
    let peers = peers(world);
    // Whose association is suspended is let in by nobody.
    for node in honest(world).filter(|node| peers.contains(node)) {
        let own = world.nodes[node].tip().unwrap_or(Height::GENESIS);
        if tip.above(own) > BEHIND_MAX {
            let what = format!("node {node} is at height {own}, another at {tip}");
            findings.add(Rule::CatchUp, what);
        }
    }
}

/// Nodes that others let in, in the end.
fn peers(world: &World) -> BTreeSet<usize> {
    let Some((node, _)) = furthest(world) else {
        return BTreeSet::new();
    };
    let running = world.nodes[node].running.as_ref().expect("it has a tip");
    let roster = running.node.roster();
    let peers = roster.peers.keys();
    peers
        .filter_map(|peer| world.founding.node_of_peer(peer))
        .collect()
}

/// A validator that is started, or was when everything was mended, votes soon.
fn recovery(world: &World, sets: &Sets, findings: &mut Findings) {
    let mended = Moment::default().after_ms(world.plan.rough_ms);
    let end = mended.after_ms(world.plan.calm_ms);
    let tip = furthest(world).map(|(_, tip)| tip).unwrap_or_default();
    for node in honest(world) {
        let starts = world.record.starts.iter();
        let Some(last) = starts.rev().find(|start| start.node == node) else {
            continue;
        };
        // Of those that are in the set all the time since.
        let keys = [
            world.founding.addresses[node],
            world.founding.next_addresses[node],
        ];
        let validates = |height| keys.iter().any(|key| sets.at(height).get(key).is_some());
        let decided = world.record.first_decided.iter();
        let first = decided.filter(|(_, at)| **at < last.at.max(mended));
        let first = first.map(|(height, _)| *height).max().unwrap_or_default();
        if !(first.0..=tip.0).all(|height| validates(Height(height))) {
            continue;
        }
        let due = last.at.max(mended).after_ms(RECOVERY_MS);
        if due < end && last.voted.is_none_or(|voted| voted > due) {
            let what = format!(
                "node {node} started at {} ms and did not vote until {} ms",
                last.at.0 / 1_000,
                due.0 / 1_000
            );
            findings.add(Rule::Recovery, what);
        }
    }
}

/// Evidence that an honest node has is before the contracts some heights later, or other evidence
/// against the same validator is: nodes bring a few pieces at a time.
fn accusations(world: &World, findings: &mut Findings) {
    let Some((node, tip)) = furthest(world) else {
        return;
    };
    let mended = Moment::default().after_ms(world.plan.rough_ms);
    let healed_at = world.record.first_decided.iter();
    let healed_at = healed_at.filter(|(_, at)| **at <= mended);
    let healed_at = healed_at
        .map(|(height, _)| *height)
        .max()
        .unwrap_or_default();
    let mut told = BTreeMap::new();
    let mut accused: BTreeMap<_, Vec<Height>> = BTreeMap::new();
    for height in 1..=tip.0 {
        let height = Height(height);
        for receipt in blocks::receipts(world, node, height).unwrap_or_default() {
            for log in receipt.logs() {
                if let Ok(event) = Equivocated::decode_log(log) {
                    let offence = (event.validator, event.height, event.round);
                    told.entry(offence).or_insert(height);
                    accused.entry(event.validator).or_default().push(height);
                }
            }
        }
    }
    let peers = peers(world);
    for seen in &world.record.evidence {
        let (at, round) = seen.evidence.position();
        let offence = (seen.evidence.validator(), at.0, round.0);
        let from = seen.tip.max(healed_at);
        let due = Height(from.0 + ACCUSED_HEIGHTS);
        let forgot = world.record.restored.iter();
        let forgot = forgot.filter(|(node, at)| *node == seen.node && *at > seen.at);
        let lives = world.is_honest(seen.node) && peers.contains(&seen.node);
        let lives = lives && forgot.count() == 0;
        let in_time = told.get(&offence).is_some_and(|height| *height <= due);
        let others = accused.get(&offence.0).into_iter().flatten();
        let in_time = in_time || others.into_iter().any(|at| *at > from && *at <= due);
        if lives && due <= tip && !in_time {
            let what = format!(
                "node {} had evidence of {at}, round {round} at height {}, and the contracts \
                 were {}",
                seen.node,
                seen.tip,
                match told.get(&offence) {
                    Some(height) => format!("told at {height}"),
                    None => format!("not told by {tip}"),
                }
            );
            findings.add(Rule::Evidence, what);
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
fn evidence(world: &World, sets: &Sets, findings: &mut Findings) {
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
        if !sets.everybody().contains(&validator) {
            continue;
        }
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
