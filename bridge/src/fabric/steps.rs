//! Steps of plans to a channel, as the journal has them, and how far a plan is by them.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::record::{Event, Plan, SendStep};
use crate::state::State;

/// What is journalled about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "name",
    content = "body",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum FabricStep {
    /// Peers have endorsed it, it is what was asked for, and it is signed: it may be sent from now
    /// on.
    Endorsed {
        /// Its id.
        transaction: B256,
        /// The signed envelope.
        envelope: Bytes,
        /// The organisations that endorsed it.
        organisations: Vec<String>,
    },
    /// An orderer took it.
    Ordered {
        /// Its id.
        transaction: B256,
    },
    /// It is in a block and does not count, because what it read had changed. It never will.
    Conflicted {
        /// Its id.
        transaction: B256,
        /// What the peers found.
        code: i32,
        /// Number of the block.
        block: u64,
        /// Hash of the block.
        block_hash: B256,
    },
}

impl FabricStep {
    /// As records have it.
    pub(super) fn step(&self) -> SendStep {
        let value = serde_json::to_value(self).and_then(serde_json::from_value);
        value.expect("a name, and a body with string keys")
    }

    fn read(step: &SendStep) -> Result<Self, String> {
        let value = serde_json::to_value(step).and_then(serde_json::from_value);
        value.map_err(|error| format!("`{}` is no step of this sender: {error}", step.name))
    }
}

/// How far a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing but a decision.
    Planned,
    /// The last attempt may have been sent.
    Endorsed,
    /// An orderer took the last attempt.
    Ordered,
    /// The last attempt is invalid in a block.
    Conflicted,
}

/// A transaction that may have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Its id.
    pub(super) transaction: B256,
    /// The signed envelope.
    pub(super) envelope: Bytes,
}

/// A plan as this sender sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) reached: Reached,
    /// One after the other; all but the last are invalid in blocks.
    pub(super) attempts: Vec<Attempt>,
}

impl Path {
    /// By the steps of a plan.
    pub(super) fn by(steps: &[SendStep]) -> Result<Self, String> {
        let mut path = Self {
            reached: Reached::Planned,
            attempts: Vec::new(),
        };
        for step in steps {
            path.follow(FabricStep::read(step)?)?;
        }
        Ok(path)
    }

    fn follow(&mut self, step: FabricStep) -> Result<(), String> {
        let last = self.attempts.last().map(|attempt| attempt.transaction);
        let is = |allowed: &[Reached], of: Option<B256>| {
            if !allowed.contains(&self.reached) {
                return Err(format!("plan is {:?}", self.reached));
            }
            if of.is_some() && of != last {
                return Err("another transaction was to be sent".into());
            }
            Ok(())
        };
        match step {
            FabricStep::Endorsed {
                transaction,
                envelope,
                ..
            } => {
                is(&[Reached::Planned, Reached::Conflicted], None)?;
                if self.has(transaction) {
                    return Err("an id is used once".into());
                }
                self.attempts.push(Attempt {
                    transaction,
                    envelope,
                });
                self.reached = Reached::Endorsed;
            }
            FabricStep::Ordered { transaction } => {
                is(&[Reached::Endorsed, Reached::Ordered], Some(transaction))?;
                self.reached = Reached::Ordered;
            }
            FabricStep::Conflicted { transaction, .. } => {
                is(&[Reached::Endorsed, Reached::Ordered], Some(transaction))?;
                self.reached = Reached::Conflicted;
            }
        }
        Ok(())
    }

    pub(super) fn has(&self, transaction: B256) -> bool {
        let mut all = self.attempts.iter();
        all.any(|attempt| attempt.transaction == transaction)
    }

    /// How many attempts are invalid in blocks.
    pub(super) fn conflicts(&self) -> usize {
        let open = self.reached != Reached::Conflicted;
        self.attempts.len() - usize::from(open && !self.attempts.is_empty())
    }
}

fn of(plan: &Plan) -> Result<Path, String> {
    Path::by(&plan.steps)
}

/// Fails if an event cannot follow on a state, as far as this sender knows.
pub(super) fn legal(state: &State, event: &Event) -> Result<(), String> {
    match event {
        Event::Step { plan, step } => match state.plans.get(plan) {
            Some(plan) => of(plan)?.follow(FabricStep::read(step)?),
            None => Ok(()),
        },
        Event::Included { plan, inclusion }
        | Event::Final {
            plan, inclusion, ..
        } => match state.plans.get(plan) {
            Some(plan) if !of(plan)?.has(inclusion.transaction) => {
                Err("the transaction is none of the plan's".into())
            }
            Some(_) | None => Ok(()),
        },
        Event::Reorganised { .. } => Err("blocks of a channel do not go away".into()),
        Event::Started { .. }
        | Event::Discovered { .. }
        | Event::Proven { .. }
        | Event::Planned { .. }
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
        | Event::Snapshot { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn endorsed(byte: u8) -> FabricStep {
        FabricStep::Endorsed {
            transaction: id(byte),
            envelope: vec![byte].into(),
            organisations: vec!["Org1MSP".into()],
        }
    }

    fn ordered(byte: u8) -> FabricStep {
        let transaction = id(byte);
        FabricStep::Ordered { transaction }
    }

    fn conflicted(byte: u8) -> FabricStep {
        FabricStep::Conflicted {
            transaction: id(byte),
            code: 11,
            block: 7,
            block_hash: id(9),
        }
    }

    fn check(steps: &[FabricStep], expected: Result<(Reached, usize), &str>) {
        let steps: Vec<SendStep> = steps.iter().map(FabricStep::step).collect();
        let got = Path::by(&steps).map(|path| (path.reached, path.conflicts()));
        assert_eq!(got, expected.map_err(String::from));
    }

    #[test]
    fn steps_follow_each_other() {
        check(&[], Ok((Reached::Planned, 0)));
        check(&[endorsed(1)], Ok((Reached::Endorsed, 0)));
        check(&[endorsed(1), ordered(1)], Ok((Reached::Ordered, 0)));
        check(
            &[endorsed(1), ordered(1), conflicted(1)],
            Ok((Reached::Conflicted, 1)),
        );
        check(
            &[endorsed(1), conflicted(1), endorsed(2), ordered(2)],
            Ok((Reached::Ordered, 1)),
        );
    }

    #[test]
    fn steps_that_cannot_be_are_refused() {
        check(&[ordered(1)], Err("plan is Planned"));
        check(&[endorsed(1), endorsed(2)], Err("plan is Endorsed"));
        let other = "another transaction was to be sent";
        check(&[endorsed(1), ordered(2)], Err(other));
        check(&[endorsed(1), conflicted(2)], Err(other));
        check(
            &[endorsed(1), conflicted(1), endorsed(1)],
            Err("an id is used once"),
        );
        check(
            &[endorsed(1), conflicted(1), ordered(1)],
            Err("plan is Conflicted"),
        );
    }
}
