//! From a transaction that the target would take to one that is on its way, a record at a time.

use super::{Forecast, Relay, RelayError};
use crate::record::{Event, Item, TrustBasis};
use crate::source::Proven;
use crate::target::Target;

/// A transaction that the target would take.
pub(super) struct Ready<D> {
    pub(super) items: Vec<Item>,
    pub(super) draft: D,
    /// The checkpoint that proves it all.
    pub(super) under: Proven,
}

impl<T: Target> Relay<T> {
    /// Journals a transaction, step by step, and sends it.
    pub(super) async fn send(&mut self, ready: Ready<T::Draft>) -> Result<(), RelayError> {
        let state = &self.state;
        let elsewhere = |item| state.items.contains_key(item) && !state.waiting.contains(item);
        if ready.items.iter().any(elsewhere) {
            // A plan that failed in a block holds it until that block is final.
            return Ok(());
        }
        if self.is_dry() {
            self.forecasts.push(Forecast {
                items: ready.items.clone(),
                cost: self.target.cost(&ready.draft),
            });
        } else if let Some(hold) = self.target.held_back(&ready.draft) {
            return self.hold_on(hold);
        }
        let known = &self.state.items;
        let new = ready.items.iter().filter(|item| !known.contains_key(item));
        let new: Vec<Item> = new.copied().collect();
        if !new.is_empty() {
            self.record(vec![Event::Discovered {
                items: new,
                scanned: self.state.scanned,
                requested: false,
            }])?;
        }
        self.record(vec![proven(&ready.items, &ready.under)])?;
        self.dispatch(ready.items, ready.draft).await
    }

    async fn dispatch(&mut self, items: Vec<Item>, draft: T::Draft) -> Result<(), RelayError> {
        let plan = self.state.last_plan + 1;
        self.record(vec![Event::Planned { plan, items }])?;
        if self.is_dry() {
            return Ok(());
        }
        self.target.submit(plan, draft);
        self.look_after(plan).await.map(|_| ())
    }

    /// Sends what the target itself needs, if there is room.
    pub(super) async fn upkeep(&mut self) -> Result<(), RelayError> {
        if self.is_dry() || !self.has_room() {
            return Ok(());
        }
        let Some(draft) = self.target.upkeep(&self.state.plans) else {
            return Ok(());
        };
        match self.target.held_back(&draft) {
            Some(hold) => self.hold_on(hold),
            None => self.dispatch(Vec::new(), draft).await,
        }
    }
}

fn proven(items: &[Item], under: &Proven) -> Event {
    let verified = &under.verified;
    let checkpoint = &verified.checkpoint;
    let signers = verified.signers.iter();
    Event::Proven {
        items: items.to_vec(),
        height: checkpoint.height.0,
        checkpoint: verified.digest.0,
        log_size: checkpoint.log_size.0,
        validator_set: checkpoint.validator_set_hash,
        signers: signers.map(|signer| signer.validator).collect(),
        assurance: TrustBasis::ValidatorQuorum,
    }
}
