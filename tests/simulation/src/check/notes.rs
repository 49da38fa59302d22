//! Cosignatures of the log (SPEC §9.6): what validators cosign, every node has.

use std::collections::BTreeMap;

use tbsi_keys::keyfile::LogKey;
use tbsi_types::log::{Frontier, LogCheckpoint, NoteSignature, SignatureType, leaf_hash};
use tbsi_types::{B256, LeafIndex, TreeSize};

use super::sets::Sets;
use super::{Findings, Rule, furthest};
use crate::founding::log_seed;
use crate::world::World;

pub(super) fn check(world: &World, sets: &Sets, findings: &mut Findings) {
    let Some((node, _)) = furthest(world) else {
        return;
    };
    let roots = roots(world, node);
    let identity = world.founding.identity;
    let everybody = sets.everybody();
    let operator = |validator| {
        let heights = (0..)
            .map(tbsi_types::Height)
            .take(world.record.first_decided.len() + 2);
        let mut found = heights.filter_map(|height| sets.at(height).get(&validator));
        found.next().map(|validator| validator.operator)
    };
    let mut operators = BTreeMap::new();
    for validator in everybody {
        operators.extend(operator(validator).map(|operator| (validator, operator)));
    }
    for one in &world.record.cosigned {
        let Some(node) = world.founding.node_of(one.validator) else {
            continue;
        };
        let Some(operator) = operators
            .get(&one.validator)
            .filter(|_| world.is_honest(node))
        else {
            continue;
        };
        let mut wrong = |what: &str| {
            let what = format!("node {node} cosigned a log of {} leaves {what}", one.size);
            findings.add(Rule::Cosigned, what);
        };
        match roots.get(&one.size) {
            None => wrong("that nobody has"),
            Some(root) if *root != one.root => wrong("with another root"),
            Some(_) => {}
        }
        let key = LogKey::from_seed(log_seed(node)).cosigner(&identity, *operator);
        let key = key.verifier(SignatureType::Cosignature);
        let checkpoint = LogCheckpoint {
            origin: identity.log_origin(),
            size: one.size,
            root: one.root,
        };
        let signature = NoteSignature {
            name: key.name().into(),
            key_id: key.key_id(),
            bytes: one.signature.to_vec(),
        };
        let text = checkpoint.encode().expect("an origin is a good name");
        if key.verify(&text, &signature).is_err() {
            wrong("with a signature that does not verify");
        }
    }
    if world.record.cosigned.is_empty() && roots.len() > 5 {
        findings.add(Rule::Cosigned, "nobody cosigned the log");
    }
}

/// Of each size of the log, computed from the leaves.
fn roots(world: &World, node: usize) -> BTreeMap<TreeSize, B256> {
    let running = world.nodes[node].running.as_ref().expect("it has a tip");
    let mut frontier = Frontier::default();
    let mut roots = BTreeMap::new();
    for index in 0..running.node.tip().log_size.0 {
        let Ok(Some(leaf)) = running.node.store.leaf(LeafIndex(index)) else {
            break;
        };
        frontier.append(leaf_hash(&leaf), |_, _| ());
        roots.insert(frontier.size(), frontier.root());
    }
    roots
}
