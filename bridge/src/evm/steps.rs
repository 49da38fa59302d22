//! The sender's steps, as plans in the journal have them, and how far a plan is by them.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::Attempt;
use crate::record::{Event, Plan, PlanProgress, SendStep};
use crate::state::{Plans, State};

/// What the sender journals about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "name",
    content = "body",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum EvmStep {
    /// The plan has a nonce.
    NonceReserved {
        /// Of the account.
        nonce: u64,
    },
    /// The transaction exists, and may be sent from now on.
    Signed {
        /// The transaction.
        attempt: Attempt,
    },
    /// An endpoint took the transaction.
    Broadcast {
        /// The transaction.
        transaction: B256,
    },
    /// A transaction with the same nonce and higher fees takes its place, and may be sent.
    Replaced {
        /// The new transaction.
        attempt: Attempt,
    },
}

impl EvmStep {
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

/// How far the sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing but a decision.
    Planned,
    /// It has a nonce.
    NonceReserved,
    /// The last attempt may have been sent.
    Signed,
    /// The last attempt was sent.
    Broadcast,
}

/// A plan as the sender sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) reached: Reached,
    /// Once reserved.
    pub(super) nonce: Option<u64>,
    /// Signed transactions with that nonce; the last has the highest fees.
    pub(super) attempts: Vec<Attempt>,
}

impl Path {
    /// By the steps of a plan.
    pub(super) fn of(plan: &Plan) -> Result<Self, String> {
        let mut path = Self::by(&plan.steps)?;
        if plan.progress == PlanProgress::Lost && path.reached == Reached::Broadcast {
            // Back in the pool of the nodes, or to be sent again.
            path.reached = Reached::Signed;
        }
        Ok(path)
    }

    /// By steps alone.
    pub(super) fn by(steps: &[SendStep]) -> Result<Self, String> {
        let mut path = Self {
            reached: Reached::Planned,
            nonce: None,
            attempts: Vec::new(),
        };
        for step in steps {
            path.follow(EvmStep::read(step)?)?;
        }
        Ok(path)
    }

    fn follow(&mut self, step: EvmStep) -> Result<(), String> {
        let is = |reached: &[Reached]| {
            let found = self.reached;
            let problem = format!("plan is {found:?}");
            reached.contains(&found).then_some(()).ok_or(problem)
        };
        match step {
            EvmStep::NonceReserved { nonce } => {
                is(&[Reached::Planned])?;
                self.nonce = Some(nonce);
                self.reached = Reached::NonceReserved;
            }
            EvmStep::Signed { attempt } => {
                is(&[Reached::NonceReserved])?;
                self.attempts.push(attempt);
                self.reached = Reached::Signed;
            }
            EvmStep::Broadcast { transaction } => {
                let last = self.attempts.last().map(|attempt| attempt.transaction);
                if last != Some(transaction) {
                    return Err("another transaction was to be sent".into());
                }
                self.reached = Reached::Broadcast;
            }
            EvmStep::Replaced { attempt } => {
                is(&[Reached::Signed, Reached::Broadcast])?;
                let last = self.attempts.last();
                if last
                    .is_some_and(|last| attempt.fee_cap <= last.fee_cap || attempt.tip <= last.tip)
                {
                    return Err("a replacement needs higher fees, both of them".into());
                }
                self.attempts.push(attempt);
                self.reached = Reached::Signed;
            }
        }
        Ok(())
    }
}

/// The nonce of a plan, once it has one.
pub(super) fn nonce_of(plan: &Plan) -> Option<u64> {
    nonce_in(&plan.steps)
}

/// The nonce that steps reserve, once they do.
pub(super) fn nonce_in(steps: &[SendStep]) -> Option<u64> {
    match EvmStep::read(steps.first()?) {
        Ok(EvmStep::NonceReserved { nonce }) => Some(nonce),
        Ok(_) | Err(_) => None,
    }
}

/// Which of these plans has a nonce.
pub(super) fn holder(plans: &Plans, nonce: u64) -> Option<u64> {
    let mut all = plans.iter();
    let found = all.find(|(_, plan)| nonce_of(plan) == Some(nonce));
    found.map(|(number, _)| *number)
}

/// Fails if an event cannot follow on a state, as far as the sender knows.
pub(super) fn legal(state: &State, event: &Event) -> Result<(), String> {
    match event {
        Event::Step { plan, step } => {
            let Some(plan) = state.plans.get(plan) else {
                return Ok(());
            };
            let step = EvmStep::read(step)?;
            if let EvmStep::NonceReserved { nonce } = &step
                && let Some(other) = holder(&state.plans, *nonce)
            {
                return Err(format!("nonce {nonce} is plan {other}'s"));
            }
            Path::of(plan)?.follow(step)
        }
        Event::Included { plan, inclusion }
        | Event::Final {
            plan, inclusion, ..
        } => {
            let Some(plan) = state.plans.get(plan) else {
                return Ok(());
            };
            let attempts = Path::of(plan)?.attempts;
            let hash = inclusion.transaction;
            if attempts.iter().any(|attempt| attempt.transaction == hash) {
                return Ok(());
            }
            Err("the transaction is none of the plan's attempts".into())
        }
        Event::Revived { plan } => {
            let nonce = state.given_up.get(plan).and_then(nonce_of);
            let other = nonce.and_then(|nonce| holder(&state.plans, nonce));
            match other {
                Some(other) => Err(format!("its nonce is plan {other}'s")),
                None => Ok(()),
            }
        }
        Event::Started { .. }
        | Event::Discovered { .. }
        | Event::Proven { .. }
        | Event::Planned { .. }
        | Event::Reorganised { .. }
        | Event::Acked { .. }
        | Event::AlreadyDone { .. }
        | Event::Expired { .. }
        | Event::Quarantined { .. }
        | Event::Retried { .. }
        | Event::Released { .. }
        | Event::Held { .. }
        | Event::Resumed { .. }
        | Event::Alarm { .. }
        | Event::Snapshot { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_primitives::Bytes;

    use super::*;
    use crate::record::tests::parties;
    use crate::record::{Item, RECORD_VERSION, Record, TrustBasis, U64Text};

    fn attempt(number: u8) -> Attempt {
        Attempt {
            transaction: B256::repeat_byte(number),
            raw: Bytes::new(),
            fee_cap: U64Text(u64::from(number) * 10),
            tip: U64Text(number.into()),
        }
    }

    fn step(plan: u64, step: EvmStep) -> Event {
        let step = step.step();
        Event::Step { plan, step }
    }

    fn reserved(plan: u64, nonce: u64) -> Event {
        step(plan, EvmStep::NonceReserved { nonce })
    }

    fn signed(plan: u64, number: u8) -> Event {
        let attempt = attempt(number);
        step(plan, EvmStep::Signed { attempt })
    }

    fn replaced(number: u8) -> Event {
        let attempt = attempt(number);
        step(1, EvmStep::Replaced { attempt })
    }

    fn broadcast(number: u8) -> Event {
        let transaction = B256::repeat_byte(number);
        step(1, EvmStep::Broadcast { transaction })
    }

    fn included(number: u8) -> Event {
        Event::Included {
            plan: 1,
            inclusion: crate::record::Inclusion {
                transaction: B256::repeat_byte(number),
                block: 1,
                block_hash: B256::ZERO,
                cost: BTreeMap::new(),
                success: true,
            },
        }
    }

    fn planned(plan: u64) -> [Event; 3] {
        let items = vec![Item::Leaf(plan)];
        [
            Event::Discovered {
                items: items.clone(),
                scanned: plan,
                requested: false,
            },
            Event::Proven {
                items: items.clone(),
                height: 9,
                checkpoint: B256::ZERO,
                log_size: 4,
                validator_set: B256::ZERO,
                signers: vec![],
                assurance: TrustBasis::ValidatorQuorum,
            },
            Event::Planned { plan, items },
        ]
    }

    /// The state after events, each of which was legal; or why one was not.
    fn of(events: &[Event]) -> Result<State, String> {
        let mut state = State::default();
        for (number, event) in (0..).zip(events) {
            legal(&state, event)?;
            let record = Record {
                version: RECORD_VERSION,
                number,
                previous: B256::ZERO,
                time_ms: 1,
                parties: parties(),
                event: event.clone(),
            };
            state.apply(&record).map_err(|error| error.to_string())?;
        }
        Ok(state)
    }

    fn with(more: &[Event]) -> Result<State, String> {
        let sent = [reserved(1, 5), signed(1, 1), broadcast(1)];
        of(&[&planned(1)[..], &sent, more].concat())
    }

    #[test]
    fn a_plan_is_as_far_as_its_steps() {
        let state = with(&[replaced(2)]).unwrap();
        let path = Path::of(&state.plans[&1]).unwrap();
        assert_eq!((path.reached, path.nonce), (Reached::Signed, Some(5)));
        assert_eq!(path.attempts, [attempt(1), attempt(2)]);
        assert_eq!(holder(&state.plans, 5), Some(1));
        // The first attempt may win although a second one was sent.
        let state = with(&[replaced(2), broadcast(2), included(1)]).unwrap();
        // A block that goes away leaves it to be sent again.
        let gone = Event::Reorganised {
            plan: 1,
            block_hash: B256::ZERO,
        };
        let lost = with(&[replaced(2), broadcast(2), included(1), gone]).unwrap();
        assert_eq!(
            Path::of(&state.plans[&1]).unwrap().reached,
            Reached::Broadcast
        );
        assert_eq!(Path::of(&lost.plans[&1]).unwrap().reached, Reached::Signed);
    }

    #[test]
    fn steps_that_cannot_follow_are_refused() {
        for (more, words) in [
            (replaced(1), "higher fees"),
            (included(7), "none of the plan's attempts"),
            (reserved(1, 5), "nonce 5 is plan 1's"),
            (reserved(1, 6), "plan is Broadcast"),
            (signed(1, 3), "plan is Broadcast"),
            (broadcast(3), "another transaction"),
            (
                Event::Step {
                    plan: 1,
                    step: SendStep {
                        name: "telexed".into(),
                        body: serde_json::Value::Null,
                    },
                },
                "`telexed` is no step of this sender",
            ),
        ] {
            let error = with(&[more]).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_plan_is_not_revived_while_another_has_its_nonce() {
        let reason = crate::record::Reason {
            code: "sendRefused".into(),
            detail: String::new(),
        };
        let released = Event::Released { plan: 1, reason };
        let other = [&[released][..], &planned(2), &[reserved(2, 5)]].concat();
        let revived = [&other[..], &[Event::Revived { plan: 1 }]].concat();
        assert_eq!(with(&revived).unwrap_err(), "its nonce is plan 2's");
    }
}
