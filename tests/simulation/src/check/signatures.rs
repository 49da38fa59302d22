//! What validators signed, as the wire showed it.

use std::collections::BTreeMap;

use tbsi_light::verify_certificate;
use tbsi_types::{CheckpointDigest, Height, Round};

use super::sets::Sets;
use super::{Findings, Rule};
use crate::record::SignedStep;
use crate::world::World;

pub(super) fn check(world: &World, sets: &Sets, findings: &mut Findings) {
    agreement(world, sets, findings);
    one_signature(world, findings);
    locks(world, sets, findings);
}

/// No two good certificates for one height, wherever they were shown.
fn agreement(world: &World, sets: &Sets, findings: &mut Findings) {
    let chain = world.founding.identity;
    let mut decided: BTreeMap<Height, CheckpointDigest> = BTreeMap::new();
    for ((height, digest), certificate) in &world.record.certificates {
        if let Err(error) = verify_certificate(&chain, sets.at(*height), certificate) {
            let what = format!("height {height}: a node decided {digest}: {error}");
            findings.add(Rule::Validity, what);
            continue;
        }
        let first = decided.entry(*height).or_insert(*digest);
        if first != digest {
            let what = format!("height {height}: {first} and {digest} are both certified");
            findings.add(Rule::Agreement, what);
        }
    }
}

fn one_signature(world: &World, findings: &mut Findings) {
    for ((validator, (height, round, step)), values) in &world.record.signed {
        let node = world.founding.node_of(*validator);
        let honest = node.is_some_and(|node| world.is_honest(node));
        if honest && values.len() > 1 {
            let node = node.unwrap_or_default();
            let what = format!(
                "validator {node} signed {} things at height {height}, round {round}, {step:?}",
                values.len()
            );
            findings.add(Rule::OneSignature, what);
        }
    }
}

/// Whoever precommitted a block prevotes no other one later, unless a quorum prevoted that
/// other one since.
fn locks(world: &World, sets: &Sets, findings: &mut Findings) {
    for validator in &sets.everybody() {
        let node = world.founding.node_of(*validator);
        if !node.is_some_and(|node| world.is_honest(node)) {
            continue;
        }
        let mut locked: Option<(Height, Round, CheckpointDigest)> = None;
        let from = (*validator, (Height(0), Round(0), SignedStep::Propose));
        let mine = world.record.signed.range(from..);
        for ((signer, (height, round, step)), values) in mine {
            if signer != validator {
                break;
            }
            let Some(value) = values.values().next().copied().flatten() else {
                continue;
            };
            match step {
                SignedStep::Propose => {}
                SignedStep::Precommit => locked = Some((*height, *round, value)),
                SignedStep::Prevote => {
                    let Some((at, since, lock)) = locked.filter(|lock| lock.0 == *height) else {
                        continue;
                    };
                    let rounds = (since, *round);
                    let set = sets.at(at);
                    if lock != value && !world.record.polka_between(at, value, rounds, set) {
                        let node = node.unwrap_or_default();
                        let what = format!(
                            "validator {node} precommitted {lock} in round {since} of height \
                             {height} and prevoted {value} in round {round}"
                        );
                        findings.add(Rule::OneSignature, what);
                    }
                }
            }
        }
    }
}
