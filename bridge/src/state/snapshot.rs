//! Where everything stands, as parts of records and back (SPEC §15.3): a file of the journal that
//! follows another one begins with it.

use super::{Applied, State, changed};
use crate::limits::{ITEMS_PER_RECORD_MAX, SNAPSHOT_PART_BYTES};
use crate::record::{Entry, Event, Item, Plan, SnapshotPart, Stage, Totals};

/// What a snapshot is compared with when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Restored {
    /// The state before it, if any of it was read.
    before: Option<State>,
    /// The plan whose steps are read, and whether it was given up.
    plan: Option<(u64, bool)>,
}

impl State {
    /// All of it, as events for the beginning of a file.
    pub fn snapshot(&self) -> Vec<Event> {
        let mut parts = vec![SnapshotPart::Totals(self.totals())];
        let (mut some, mut bytes) = (Vec::new(), 0);
        for (item, entry) in &self.items {
            bytes += size(entry);
            some.push((*item, entry.clone()));
            if some.len() >= ITEMS_PER_RECORD_MAX || bytes >= SNAPSHOT_PART_BYTES {
                parts.push(SnapshotPart::Items(std::mem::take(&mut some)));
                bytes = 0;
            }
        }
        if !some.is_empty() {
            parts.push(SnapshotPart::Items(some));
        }
        for (plans, given_up) in [(&self.plans, false), (&self.given_up, true)] {
            for (number, plan) in plans {
                let stands = Plan {
                    steps: Vec::new(),
                    ..plan.clone()
                };
                parts.push(SnapshotPart::Plan {
                    plan: *number,
                    given_up,
                    stands,
                });
                parts.extend(plan.steps.iter().cloned().map(SnapshotPart::Step));
            }
        }
        parts.push(SnapshotPart::End);
        let event = |part| Event::Snapshot { part };
        parts.into_iter().map(event).collect()
    }

    fn totals(&self) -> Totals {
        Totals {
            scanned: self.scanned,
            last_plan: self.last_plan,
            holds: self.holds.clone(),
            settled: self.settled,
            already_done: self.already_done,
            expired: self.expired,
            acked: self.acked,
            acked_ms: self.acked_ms,
            last_act: self.last_act,
            progress_ms: self.progress_ms,
            checkpoint: self.checkpoint,
        }
    }

    /// The next part of a snapshot. After the last one, the state must be what it was before the
    /// first, if that is known.
    pub(super) fn restore(&mut self, part: &SnapshotPart) -> Applied {
        if let SnapshotPart::Totals(totals) = part {
            return self.begin(totals);
        }
        let Some(mut restored) = self.restored.take() else {
            return Err("a snapshot begins with its totals".into());
        };
        match part {
            SnapshotPart::Totals(_) => {}
            SnapshotPart::Items(items) => self.put_back(items)?,
            SnapshotPart::Plan {
                plan,
                given_up,
                stands,
            } => {
                restored.plan = Some((*plan, *given_up));
                let plans = match given_up {
                    true => &mut self.given_up,
                    false => &mut self.plans,
                };
                changed(plans.insert(*plan, stands.clone()).is_none(), "twice")?;
            }
            SnapshotPart::Step(step) => {
                let plan = restored.plan.and_then(|(plan, given_up)| match given_up {
                    true => self.given_up.get_mut(&plan),
                    false => self.plans.get_mut(&plan),
                });
                let plan = plan.ok_or("a step of no plan")?;
                plan.steps.push(step.clone());
            }
            SnapshotPart::End => {
                let other = restored.before.is_some_and(|before| before != *self);
                return changed(
                    !other,
                    "the snapshot is not what the records before it lead to",
                );
            }
        }
        self.restored = Some(restored);
        Ok(())
    }

    fn begin(&mut self, totals: &Totals) -> Applied {
        changed(self.restored.is_none(), "a snapshot within a snapshot")?;
        let before = std::mem::take(self);
        let before = (before != Self::default()).then_some(before);
        let totals = totals.clone();
        *self = Self {
            scanned: totals.scanned,
            last_plan: totals.last_plan,
            holds: totals.holds,
            settled: totals.settled,
            already_done: totals.already_done,
            expired: totals.expired,
            acked: totals.acked,
            acked_ms: totals.acked_ms,
            last_act: totals.last_act,
            progress_ms: totals.progress_ms,
            checkpoint: totals.checkpoint,
            restored: Some(Box::new(Restored { before, plan: None })),
            ..Self::default()
        };
        Ok(())
    }

    fn put_back(&mut self, items: &[(Item, Entry)]) -> Applied {
        for (item, entry) in items {
            if matches!(entry.stage, Stage::Discovered | Stage::Proven) {
                self.waiting.insert(*item);
            }
            let known = self.items.insert(*item, entry.clone());
            changed(known.is_none(), "an item twice")?;
        }
        Ok(())
    }
}

/// Bytes of an entry in JSON, about.
fn size(entry: &Entry) -> usize {
    100 + match &entry.stage {
        Stage::Quarantined(reason) => reason.code.len() + 2 * reason.detail.len(),
        Stage::Discovered | Stage::Proven | Stage::Planned(_) => 0,
    }
}
