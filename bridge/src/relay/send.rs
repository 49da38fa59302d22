//! From a transaction that would succeed to one that is sent, a record at a time.

use super::plan::Ready;
use super::{Forecast, Relay, RelayError};
use crate::fees;
use crate::record::{Event, Hold, Item, TrustBasis};
use crate::target::{Call, Target, View};

/// Gas of a transfer.
const TRANSFER_GAS: u64 = 21_000;

impl<T: Target> Relay<T> {
    /// Journals a transaction, step by step, and sends it.
    pub(super) async fn send(&mut self, ready: Box<Ready>, view: &View) -> Result<(), RelayError> {
        let state = &self.state;
        let elsewhere = |item| state.items.contains_key(item) && !state.waiting.contains(item);
        if ready.items.iter().any(elsewhere) {
            // A plan that failed in a block holds it until that block is final.
            return Ok(());
        }
        let Some(bid) = fees::first(view.market, self.config.fee_limits()) else {
            return self.hold_on(Hold::FeeCap);
        };
        let cost = u128::from(bid.fee_cap) * u128::from(ready.gas);
        if self.is_dry() {
            self.forecasts.push(Forecast {
                items: ready.items.clone(),
                gas: ready.gas,
                cost_wei_max: cost.to_string(),
            });
        } else if self.balance < cost {
            self.needed = cost;
            return self.hold_on(Hold::Balance);
        }
        let new: Vec<Item> = ready
            .items
            .iter()
            .filter(|item| !self.state.items.contains_key(item))
            .copied()
            .collect();
        if !new.is_empty() {
            self.record(vec![Event::Discovered {
                items: new,
                scanned: self.state.scanned,
                requested: false,
            }])?;
        }
        self.record(vec![proven(&ready)])?;
        self.dispatch(ready.items, ready.gas, bid, Some(ready.call), view)
            .await
    }

    async fn dispatch(
        &mut self,
        items: Vec<Item>,
        gas: u64,
        bid: fees::Bid,
        call: Option<Call>,
        view: &View,
    ) -> Result<(), RelayError> {
        let plan = self.state.last_plan + 1;
        let to = call.as_ref().map(|call| call.to);
        let to = to.unwrap_or_else(|| self.target.account());
        self.record(vec![Event::Planned {
            plan,
            items,
            to,
            gas,
        }])?;
        if self.is_dry() {
            return Ok(());
        }
        let nonce = self.next_nonce(view);
        self.record(vec![Event::NonceReserved { plan, nonce }])?;
        let attempt = self.target.sign(nonce, gas, bid, call).await?;
        let cost = u128::from(bid.fee_cap) * u128::from(gas);
        let open = &self.state.plans;
        self.costs.retain(|plan, _| open.contains_key(plan));
        self.costs.insert(plan, cost);
        self.record(vec![Event::Signed { plan, attempt }])?;
        self.broadcast(plan).await
    }

    /// The lowest nonce that neither the chain nor a plan has used.
    fn next_nonce(&self, view: &View) -> u64 {
        let taken = |nonce| {
            self.state
                .plans
                .values()
                .any(|plan| plan.nonce == Some(nonce))
        };
        let mut nonce = view.nonce;
        while taken(nonce) {
            nonce += 1;
        }
        nonce
    }

    /// A nonce that was released while later ones are on their way holds all of them up: a
    /// transfer of nothing uses it up.
    pub(super) async fn fill_gap(&mut self, view: &View) -> Result<(), RelayError> {
        let gap = self.next_nonce(view);
        let after = self.state.nonce_after_plans().unwrap_or_default();
        if self.is_dry() || gap >= after || !self.has_room() {
            return Ok(());
        }
        let Some(bid) = fees::first(view.market, self.config.fee_limits()) else {
            return self.hold_on(Hold::FeeCap);
        };
        self.dispatch(Vec::new(), TRANSFER_GAS, bid, None, view)
            .await
    }
}

fn proven(ready: &Ready) -> Event {
    let verified = &ready.under.verified;
    let checkpoint = &verified.checkpoint;
    Event::Proven {
        items: ready.items.clone(),
        height: checkpoint.height.0,
        checkpoint: verified.digest.0,
        log_size: checkpoint.log_size.0,
        validator_set: checkpoint.validator_set_hash,
        signers: verified
            .signers
            .iter()
            .map(|signer| signer.validator)
            .collect(),
        assurance: TrustBasis::ValidatorQuorum,
    }
}
