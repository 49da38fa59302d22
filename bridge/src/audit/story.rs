//! Plans, as their records tell them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;

use crate::record::{Event, Item, SendStep};
use crate::target::ToldPlan;

/// A plan that is not settled.
#[derive(Default)]
struct Story {
    items: Vec<Item>,
    steps: Vec<SendStep>,
    checkpoint: Option<B256>,
}

/// One that is.
pub(super) struct Settled {
    pub(super) plan: u64,
    pub(super) told: ToldPlan,
    /// What proved it.
    pub(super) checkpoint: Option<B256>,
}

/// All plans.
#[derive(Default)]
pub(super) struct Stories {
    open: BTreeMap<u64, Story>,
    settled: Vec<Settled>,
    proven: Option<B256>,
    /// Places of all plans among the account's transactions.
    pub(super) planned: BTreeSet<u64>,
    /// Those of settled ones.
    pub(super) used: BTreeSet<u64>,
}

impl Stories {
    /// Plans that were settled since the last call.
    pub(super) fn take_settled(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    /// The next event; `place` tells which of the account's transactions steps are.
    pub(super) fn tell(&mut self, event: &Event, place: impl Fn(&[SendStep]) -> Option<u64>) {
        match event {
            Event::Proven { checkpoint, .. } => self.proven = Some(*checkpoint),
            Event::Planned { plan, items } => {
                let story = Story {
                    items: items.clone(),
                    steps: Vec::new(),
                    checkpoint: self.proven,
                };
                self.open.insert(*plan, story);
            }
            Event::Step { plan, step } => {
                let story = self.open.entry(*plan).or_default();
                if story.steps.last() != Some(step) {
                    story.steps.push(step.clone());
                    self.planned.extend(place(&story.steps));
                }
            }
            Event::Final {
                plan, inclusion, ..
            } => {
                let story = self.open.remove(plan).unwrap_or_default();
                self.used.extend(place(&story.steps));
                let told = ToldPlan {
                    items: story.items,
                    steps: story.steps,
                    inclusion: inclusion.clone(),
                };
                self.settled.push(Settled {
                    plan: *plan,
                    told,
                    checkpoint: story.checkpoint,
                });
            }
            Event::Started { .. }
            | Event::Discovered { .. }
            | Event::Included { .. }
            | Event::Reorganised { .. }
            | Event::Acked { .. }
            | Event::AlreadyDone { .. }
            | Event::Expired { .. }
            | Event::Quarantined { .. }
            | Event::Retried { .. }
            | Event::Released { .. }
            | Event::Revived { .. }
            | Event::Held { .. }
            | Event::Resumed { .. }
            | Event::Alarm { .. }
            | Event::Snapshot { .. } => {}
        }
    }
}
