//! Where everything stands: a fold over the journal's events (SPEC §15.2). Pure; the same
//! events always give the same state, so a restart knows what the process before it knew.

mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;

use crate::limits::GIVEN_UP_MAX;
use crate::record::{Event, Hold, Inclusion, Item, Reason, Record, SendStep};

pub use crate::record::{Entry, Plan, PlanProgress, Stage};

/// Plans by their numbers.
pub type Plans = BTreeMap<u64, Plan>;

/// An event that cannot follow on those before it: a mistake of this program, or a journal
/// that was not written by it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("record {number}, `{event}`: {problem}")]
pub struct Illegal {
    /// Of the record.
    pub number: u64,
    /// Its name.
    pub event: String,
    /// What does not fit.
    pub problem: String,
}

/// The state after all records so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Leaves of the source's log that were looked at.
    pub scanned: u64,
    /// Items that are not settled.
    pub items: BTreeMap<Item, Entry>,
    /// Those of them that wait: discovered, not quarantined, in no plan.
    pub waiting: BTreeSet<Item>,
    /// Plans that are not finished.
    pub plans: Plans,
    /// Plans that were released because the target refused their transaction, the last of them: a
    /// refusal proves nothing.
    pub given_up: Plans,
    /// Number of the last plan.
    pub last_plan: u64,
    /// Reasons for which nothing is sent.
    pub holds: BTreeSet<Hold>,
    /// Items that this relayer settled.
    pub settled: u64,
    /// Items that somebody else settled.
    pub already_done: u64,
    /// Messages whose timeout passed before anybody delivered them.
    pub expired: u64,
    /// Number of the record after which nothing is attested yet.
    pub acked: Option<u64>,
    /// Time of the last ack, milliseconds since 1970; that of the first record before it.
    pub acked_ms: u64,
    /// Number of the last record that says more than that the process started.
    pub last_act: Option<u64>,
    /// Time of the last event that settled something, milliseconds since 1970.
    pub progress_ms: u64,
    /// Highest checkpoint that this relayer brought to a final block.
    pub checkpoint: Option<u64>,
    /// While a snapshot is read, what was before it.
    restored: Option<Box<snapshot::Restored>>,
}

type Applied = Result<(), String>;

/// Codes of a release that follows from a refusal by the target.
const REFUSED: [&str; 2] = ["sendRefused", "tooLarge"];

/// Whether a plan was released because the target refused it.
pub fn is_refusal(reason: &Reason) -> bool {
    REFUSED.contains(&reason.code.as_str())
}

impl State {
    /// Folds a journal.
    pub fn of(records: &[Record]) -> Result<Self, Illegal> {
        let mut state = Self::default();
        for record in records {
            state.apply(record)?;
        }
        Ok(state)
    }

    /// The next event.
    pub fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        let time = record.time_ms;
        // A snapshot says these itself.
        if record.number == 0 && !matches!(record.event, Event::Snapshot { .. }) {
            self.acked_ms = time;
            self.progress_ms = time;
        }
        self.event(&record.event, time).map_err(|problem| Illegal {
            number: record.number,
            event: record.event.name().into(),
            problem,
        })?;
        let acts = !matches!(
            record.event,
            Event::Started { .. } | Event::Acked { .. } | Event::Snapshot { .. }
        );
        if acts {
            self.last_act = Some(record.number);
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, time: u64) -> Applied {
        if self.restored.is_some() && !matches!(event, Event::Snapshot { .. }) {
            return Err("the snapshot before it has no end".into());
        }
        match event {
            Event::Started { .. } | Event::Alarm { .. } => Ok(()),
            Event::Discovered { items, scanned, .. } => self.discovered(items, *scanned, time),
            Event::Proven { items, .. } => self.each(items, |entry| match entry.stage {
                Stage::Discovered | Stage::Proven => Ok(Stage::Proven),
                Stage::Planned(_) | Stage::Quarantined(_) => Err("does not wait"),
            }),
            Event::Planned { plan, items, .. } => self.planned(*plan, items, time),
            Event::Step { plan, step } => self.step(*plan, step, time),
            Event::Included { plan, inclusion } => self.included(*plan, inclusion, time),
            Event::Reorganised { plan, block_hash } => self.reorganised(*plan, *block_hash, time),
            Event::Final {
                plan, inclusion, ..
            } => self.final_block(*plan, inclusion, time),
            Event::Acked { through, .. } => {
                self.acked = Some(*through);
                self.acked_ms = time;
                Ok(())
            }
            Event::AlreadyDone { items, .. } => {
                self.gone(items, time)?;
                self.already_done += items.len() as u64;
                Ok(())
            }
            Event::Expired { items, .. } => {
                if !items.iter().all(|item| matches!(item, Item::Message(_))) {
                    return Err("only messages expire".into());
                }
                self.gone(items, time)?;
                self.expired += items.len() as u64;
                Ok(())
            }
            Event::Quarantined { items, reason } => {
                self.each(items, |_| Ok(Stage::Quarantined(reason.clone())))
            }
            Event::Retried { items } => self.each(items, |entry| match entry.stage {
                Stage::Quarantined(_) => {
                    entry.failures = 0;
                    Ok(Stage::Discovered)
                }
                Stage::Discovered | Stage::Proven | Stage::Planned(_) => {
                    Err("is not in quarantine")
                }
            }),
            Event::Released { plan, reason } => self.released(*plan, reason),
            Event::Revived { plan } => self.revived(*plan, time),
            Event::Held { reason } => changed(self.holds.insert(reason.clone()), "held already"),
            Event::Resumed { reason } => changed(self.holds.remove(reason), "not held"),
            Event::Snapshot { part } => self.restore(part),
        }
    }

    fn released(&mut self, number: u64, reason: &Reason) -> Applied {
        let plan = self.take(number)?;
        let refused = is_refusal(reason);
        // Of several items nobody knows which one is to blame.
        self.wait_again(&plan.items, refused && plan.items.len() == 1)?;
        if refused {
            self.given_up.insert(number, plan);
            if self.given_up.len() > GIVEN_UP_MAX {
                self.given_up.pop_first();
            }
        }
        Ok(())
    }

    fn revived(&mut self, number: u64, time: u64) -> Applied {
        let plan = self.given_up.remove(&number);
        let mut plan = plan.ok_or_else(|| format!("plan {number} was not given up"))?;
        // What is settled or set aside by now stays so; what another plan carries stays there.
        plan.items.retain(|item| self.waiting.contains(item));
        for item in &plan.items {
            if let Some(entry) = self.items.get_mut(item) {
                entry.stage = Stage::Planned(number);
            }
            self.waiting.remove(item);
        }
        plan.moved_ms = time;
        self.plans.insert(number, plan);
        Ok(())
    }

    fn discovered(&mut self, items: &[Item], scanned: u64, time: u64) -> Applied {
        if scanned < self.scanned {
            return Err(format!("{} leaves were scanned before", self.scanned));
        }
        self.scanned = scanned;
        for item in items {
            let entry = Entry {
                stage: Stage::Discovered,
                since_ms: time,
                failures: 0,
            };
            if self.items.insert(*item, entry).is_some() {
                return Err(format!("{item:?} is known already"));
            }
            self.waiting.insert(*item);
        }
        Ok(())
    }

    /// Moves each item to the stage that `next` says.
    fn each(
        &mut self,
        items: &[Item],
        next: impl Fn(&mut Entry) -> Result<Stage, &'static str>,
    ) -> Applied {
        for item in items {
            let entry = self.items.get_mut(item);
            let entry = entry.ok_or_else(|| format!("{item:?} is unknown"))?;
            if matches!(entry.stage, Stage::Planned(_)) {
                return Err(format!("{item:?} is part of a plan"));
            }
            entry.stage = next(entry).map_err(|problem| format!("{item:?} {problem}"))?;
            match entry.stage {
                Stage::Discovered | Stage::Proven => self.waiting.insert(*item),
                Stage::Planned(_) | Stage::Quarantined(_) => self.waiting.remove(item),
            };
        }
        Ok(())
    }

    fn planned(&mut self, number: u64, items: &[Item], time: u64) -> Applied {
        if number != self.last_plan + 1 {
            return Err(format!("plan {} was the last", self.last_plan));
        }
        self.each(items, |entry| match entry.stage {
            Stage::Proven => Ok(Stage::Planned(number)),
            Stage::Discovered | Stage::Planned(_) | Stage::Quarantined(_) => Err("is not proven"),
        })?;
        self.last_plan = number;
        let plan = Plan {
            items: items.to_vec(),
            progress: PlanProgress::Sending,
            steps: Vec::new(),
            moved_ms: time,
        };
        self.plans.insert(number, plan);
        Ok(())
    }

    fn step(&mut self, number: u64, step: &SendStep, time: u64) -> Applied {
        let plan = self.plan(number, time)?;
        if let PlanProgress::Included(_) = plan.progress {
            return Err("the plan is in a block".into());
        }
        plan.progress = PlanProgress::Sending;
        // One that is only repeated is no news.
        if plan.steps.last() != Some(step) {
            plan.steps.push(step.clone());
        }
        Ok(())
    }

    fn included(&mut self, number: u64, inclusion: &Inclusion, time: u64) -> Applied {
        let plan = self.plan(number, time)?;
        plan.progress = PlanProgress::Included(inclusion.clone());
        Ok(())
    }

    fn reorganised(&mut self, number: u64, block_hash: B256, time: u64) -> Applied {
        let plan = self.plan(number, time)?;
        match &plan.progress {
            PlanProgress::Included(inclusion) if inclusion.block_hash == block_hash => {
                plan.progress = PlanProgress::Lost;
                Ok(())
            }
            PlanProgress::Sending | PlanProgress::Lost | PlanProgress::Included(_) => {
                Err("plan was not in that block".into())
            }
        }
    }

    fn final_block(&mut self, number: u64, inclusion: &Inclusion, time: u64) -> Applied {
        let plan = self.take(number)?;
        if !inclusion.success {
            return self.wait_again(&plan.items, true);
        }
        for item in &plan.items {
            self.items.remove(item);
            if let Item::Checkpoint(height) = item {
                self.checkpoint = self.checkpoint.max(Some(*height));
            }
        }
        self.settled += plan.items.len() as u64;
        self.progress_ms = time;
        Ok(())
    }

    /// Items that no transaction of this relayer is needed for any more.
    fn gone(&mut self, items: &[Item], time: u64) -> Applied {
        for item in items {
            match self.items.get(item).map(|entry| &entry.stage) {
                None => return Err(format!("{item:?} is unknown")),
                Some(Stage::Planned(_)) => return Err(format!("{item:?} is part of a plan")),
                Some(Stage::Discovered | Stage::Proven | Stage::Quarantined(_)) => {}
            }
            self.items.remove(item);
            self.waiting.remove(item);
        }
        self.progress_ms = time;
        Ok(())
    }

    fn wait_again(&mut self, items: &[Item], failed: bool) -> Applied {
        for item in items {
            let entry = self.items.get_mut(item);
            let entry = entry.ok_or_else(|| format!("{item:?} is unknown"))?;
            entry.stage = Stage::Discovered;
            entry.failures += u32::from(failed);
            self.waiting.insert(*item);
        }
        Ok(())
    }

    fn plan(&mut self, number: u64, time: u64) -> Result<&mut Plan, String> {
        let plan = self.plans.get_mut(&number);
        let plan = plan.ok_or_else(|| format!("plan {number} is unknown"))?;
        plan.moved_ms = time;
        Ok(plan)
    }

    fn take(&mut self, number: u64) -> Result<Plan, String> {
        let plan = self.plans.remove(&number);
        plan.ok_or_else(|| format!("plan {number} is unknown"))
    }

    /// Items that nobody has to do anything about any more.
    pub fn done(&self) -> u64 {
        self.settled + self.already_done + self.expired
    }

    /// Messages that are not settled, those in quarantine included.
    pub fn messages(&self) -> usize {
        self.items.range(Item::Message(0)..).count()
    }

    /// Whether nothing at all is sent.
    pub fn is_held(&self) -> bool {
        self.holds.iter().any(|hold| *hold != Hold::MessagesPaused)
    }

    /// Items that are neither settled nor in quarantine.
    pub fn backlog(&self) -> usize {
        self.items.len() - self.quarantined().count()
    }

    /// Since when the oldest of the backlog waits, milliseconds since 1970.
    pub fn oldest_ms(&self) -> Option<u64> {
        let open = self.items.values();
        let open = open.filter(|entry| !matches!(entry.stage, Stage::Quarantined(_)));
        open.map(|entry| entry.since_ms).min()
    }

    /// Items set aside, and why.
    pub fn quarantined(&self) -> impl Iterator<Item = (Item, &Reason)> {
        self.items
            .iter()
            .filter_map(|(item, entry)| match &entry.stage {
                Stage::Quarantined(reason) => Some((*item, reason)),
                Stage::Discovered | Stage::Proven | Stage::Planned(_) => None,
            })
    }
}

fn changed(changed: bool, problem: &str) -> Applied {
    if changed { Ok(()) } else { Err(problem.into()) }
}

#[cfg(test)]
mod tests;
