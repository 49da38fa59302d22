//! What must not happen: signatures after a disk failed, decisions without a quorum.

use tbsi_types::Height;

use super::{Findings, Rule};
use crate::clock::Moment;
use crate::world::World;

pub(super) fn check(world: &World, findings: &mut Findings) {
    for (node, at, what) in &world.record.after_failure {
        if world.is_honest(*node) {
            let ms = at.0 / 1_000;
            let what = format!("node {node} {what} at {ms} ms although its disk had failed");
            findings.add(Rule::FailStop, what);
        }
    }
    standstills(world, findings);
}

/// Of what was begun when the last validators went, one height may still be decided: by votes
/// that were on their way.
fn standstills(world: &World, findings: &mut Findings) {
    let record = &world.record;
    for still in &record.standstills {
        let during = |at: Moment| at > still.from && still.to.is_none_or(|to| at < to);
        let late = |height: Height| height.above(still.height) > 1;
        for (height, at) in &record.first_decided {
            if during(*at) && late(*height) {
                let what = format!(
                    "height {height} was decided at {} ms, and since {} ms, at height {}, those \
                     that ran were no quorum",
                    at.0 / 1_000,
                    still.from.0 / 1_000,
                    still.height
                );
                findings.add(Rule::Standstill, what);
            }
        }
        for held in &record.acknowledged {
            let height = held.bundle.decision.checkpoint.height;
            if during(held.at) && late(height) {
                let what = format!("a client was told of height {height} without a quorum");
                findings.add(Rule::Standstill, what);
            }
        }
    }
}
