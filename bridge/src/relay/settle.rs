//! What became of the transactions on their way.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use tokio::time::{Duration, Instant};

use super::{Relay, RelayError};
use crate::fault;
use crate::fees::{self, Bid};
use crate::limits::{REFUSALS_MAX, RESEND_MS_MIN};
use crate::record::{Event, Hold, Inclusion, Reason};
use crate::state::{Plan, PlanProgress};
use crate::target::{Sent, Target, View};

/// Hashes of blocks that were asked for in one step.
type Blocks = BTreeMap<u64, Option<B256>>;

/// How this process has sent a plan's transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    /// The last time.
    last: Instant,
    /// Times in a row that every endpoint refused it and none showed it.
    refusals: u32,
}

impl Sending {
    /// Each refusal doubles the time until it is sent again, up to 64 times the least. What was
    /// taken already can be sent at once.
    fn is_due(&self, taken: bool) -> bool {
        if taken && self.refusals == 0 {
            return true;
        }
        let wait = RESEND_MS_MIN << self.refusals.saturating_sub(1).min(6);
        self.last.elapsed() >= Duration::from_millis(wait)
    }
}

fn reason(code: &str, detail: impl Into<String>) -> Reason {
    Reason {
        code: code.into(),
        detail: detail.into(),
    }
}

impl<T: Target> Relay<T> {
    /// Looks after every plan; says whether any has moved.
    pub(super) async fn settle(&mut self, view: &View) -> Result<bool, RelayError> {
        let mut moved = self.revive(view).await?;
        let numbers: Vec<u64> = self.state.plans.keys().copied().collect();
        let mut blocks = Blocks::new();
        for number in numbers {
            let Some(plan) = self.state.plans.get(&number).cloned() else {
                continue;
            };
            moved |= match plan.progress {
                // Nothing has left this process, and the one before may not have signed.
                PlanProgress::Planned | PlanProgress::NonceReserved => {
                    let reason = reason("notSigned", "the process ended before");
                    self.record(vec![Event::Released {
                        plan: number,
                        reason,
                    }])?;
                    true
                }
                PlanProgress::Signed | PlanProgress::Broadcast => {
                    self.chase(number, &plan, view).await?
                }
                PlanProgress::Included(inclusion) => {
                    let known = self.block_hash(inclusion.block, &mut blocks).await?;
                    self.confirm(number, &plan, inclusion, known, view).await?
                }
            };
        }
        Ok(moved)
    }

    /// Transactions that were given up and are in a block after all: whoever refused them had
    /// taken them, or passed them on.
    async fn revive(&mut self, view: &View) -> Result<bool, RelayError> {
        let used = |(number, plan): (&u64, &Plan)| {
            let nonce = plan.nonce.filter(|nonce| *nonce < view.nonce)?;
            Some((*number, nonce, plan.attempts.clone()))
        };
        let used: Vec<_> = self.state.given_up.iter().filter_map(used).collect();
        let mut moved = false;
        for (number, nonce, attempts) in used {
            if self.forgotten.contains(&number) {
                continue;
            }
            if self.target.included(&attempts).await?.is_none() {
                if view.final_nonce > nonce {
                    self.forgotten.insert(number);
                }
                continue;
            }
            let detail = format!("plan {number} was refused by every endpoint, and included");
            self.alarm("revived", detail.clone())?;
            let mut plans = self.state.plans.iter();
            let other = plans.find(|(_, plan)| plan.nonce == Some(nonce));
            if let Some(plan) = other.map(|(other, _)| *other) {
                let reason = reason("nonceTaken", detail);
                self.record(vec![Event::Released { plan, reason }])?;
            }
            self.record(vec![Event::Revived { plan: number }])?;
            moved = true;
        }
        Ok(moved)
    }

    async fn block_hash(
        &self,
        number: u64,
        blocks: &mut Blocks,
    ) -> Result<Option<B256>, RelayError> {
        if let Some(known) = blocks.get(&number) {
            return Ok(*known);
        }
        let hash = self.target.block_hash(number).await?;
        blocks.insert(number, hash);
        Ok(hash)
    }

    /// A plan that is in no block as far as is known.
    async fn chase(&mut self, number: u64, plan: &Plan, view: &View) -> Result<bool, RelayError> {
        // Before anything is sent again, every attempt is looked for.
        if let Some(inclusion) = self.target.included(&plan.attempts).await? {
            self.record(vec![Event::Included {
                plan: number,
                inclusion,
            }])?;
            return Ok(true);
        }
        let Some(nonce) = plan.nonce else {
            return Ok(false);
        };
        if view.final_nonce > nonce {
            // One endpoint that has it is enough for doubt.
            for attempt in &plan.attempts {
                if self.target.knows(attempt.transaction).await? {
                    return Ok(false);
                }
            }
            let detail = format!("nonce {nonce} was used by a transaction that is not ours");
            self.alarm("nonceTaken", detail.clone())?;
            let reason = reason("nonceTaken", detail);
            self.record(vec![Event::Released {
                plan: number,
                reason,
            }])?;
            return Ok(true);
        }
        if view.nonce > nonce {
            // Used, but that may still change.
            return Ok(false);
        }
        let taken = plan.progress != PlanProgress::Signed;
        let sent = self.sent.get(&number);
        let due = sent.is_none_or(|sent| sent.is_due(taken));
        let waited = (self.clock)().saturating_sub(plan.moved_ms);
        let first = view.nonce == nonce;
        let late = first && waited >= self.config.fees.replace_after_ms;
        if !due {
            return Ok(false);
        }
        // What bids too little is never taken: after a while it is replaced like what waits.
        let outbid = self.outbid.contains(&number);
        if !(taken || late && outbid) {
            self.broadcast(number).await?;
            return Ok(false);
        }
        if !late {
            return Ok(false);
        }
        if outbid {
            self.replace(number, plan, view).await?;
            return Ok(false);
        }
        let last = plan.attempts.last().map(|attempt| attempt.transaction);
        let known = self.target.knows(last.unwrap_or_default()).await?;
        if known {
            self.replace(number, plan, view).await?;
        } else {
            // The nodes dropped it: the same bytes again.
            self.broadcast(number).await?;
        }
        Ok(false)
    }

    /// Sends a transaction with the same nonce that bids more.
    async fn replace(&mut self, number: u64, plan: &Plan, view: &View) -> Result<(), RelayError> {
        let Some(last) = plan.attempts.last() else {
            return Ok(());
        };
        let replacements = u32::try_from(plan.attempts.len()).unwrap_or(u32::MAX) - 1;
        if replacements >= self.config.fees.replacements_max {
            let detail = format!("plan {number} was replaced {replacements} times");
            return self.alarm("replacements", detail);
        }
        let limits = self.config.fee_limits();
        let Some(bid) = fees::replacement(Bid::from(last), view.market, limits) else {
            let detail = format!("plan {number} waits, and fees.fee_cap_wei allows no higher bid");
            return self.alarm("feeCap", detail);
        };
        let attempt = match self.target.sign_again(last, bid).await {
            Ok(attempt) => attempt,
            Err(error) => return self.alarm("sign", error.to_string()),
        };
        self.health.metrics.replaced.inc();
        self.record(vec![Event::Replaced {
            plan: number,
            attempt,
        }])?;
        self.broadcast(number).await
    }

    /// Sends the last attempt of a plan. What endpoints say against it is a hint: one of them that
    /// shows it has taken it.
    pub(super) async fn broadcast(&mut self, number: u64) -> Result<(), RelayError> {
        let plan = self.state.plans.get(&number);
        let Some(attempt) = plan.and_then(|plan| plan.attempts.last()).cloned() else {
            return Ok(());
        };
        let refusals = self.sent.get(&number).map_or(0, |sent| sent.refusals);
        let last = Instant::now();
        self.sent.insert(number, Sending { last, refusals });
        let sent = self.target.send(&attempt).await?;
        fault::point("sent");
        if sent != Sent::Taken && !self.target.knows(attempt.transaction).await? {
            let refusals = refusals.saturating_add(1);
            self.sent.insert(number, Sending { last, refusals });
            return self.refused(number, refusals, sent);
        }
        self.setbacks = 0;
        self.sent.insert(number, Sending { last, refusals: 0 });
        self.outbid.remove(&number);
        self.record(vec![Event::Broadcast {
            plan: number,
            transaction: attempt.transaction,
        }])
    }

    /// No endpoint took a transaction, and none shows it.
    fn refused(&mut self, number: u64, refusals: u32, sent: Sent) -> Result<(), RelayError> {
        self.health.metrics.failed("sendRefused");
        match sent {
            // The next step finds out by whom, or that it is not so.
            Sent::Taken | Sent::Known | Sent::NonceTaken if refusals < REFUSALS_MAX => Ok(()),
            Sent::Taken | Sent::Known | Sent::NonceTaken => {
                let detail = format!(
                    "plan {number}: endpoints say that they have it, or that its nonce is used, \
                     and show neither"
                );
                self.alarm("sendRefused", detail)
            }
            Sent::Underpriced => {
                self.outbid.insert(number);
                let detail = format!("plan {number}: it bids less than endpoints take");
                self.alarm("underpriced", detail)
            }
            Sent::Busy(_) if refusals < REFUSALS_MAX => Ok(()),
            Sent::Busy(detail) => self.alarm("busy", detail),
            Sent::Balance if self.is_poor() => {
                self.needed = self.needed.max(self.balance.saturating_add(1));
                self.hold_on(Hold::Balance)
            }
            Sent::Balance => {
                let detail = "endpoints say that the account cannot pay, and it can".into();
                self.give_back(number, refusals, "sendRefused", detail)
            }
            Sent::TooLarge(detail) => self.give_back(number, refusals, "tooLarge", detail),
            Sent::Refused(detail) => self.give_back(number, refusals, "sendRefused", detail),
        }
    }

    /// Whether what all open plans cost, as far as this process knows, is more than the account has.
    fn is_poor(&self) -> bool {
        let open = self.state.plans.keys();
        let costs: Option<u128> = open
            .map(|number| self.costs.get(number).copied())
            .try_fold(0u128, |sum, cost| Some(sum.saturating_add(cost?)));
        costs.is_none_or(|costs| self.balance < costs)
    }

    /// Releases a plan that was refused so often, and shown by nobody meanwhile, that nothing is
    /// expected of it any more. What is planned next carries less. A replacement is not released:
    /// what it replaces was taken.
    fn give_back(
        &mut self,
        number: u64,
        refusals: u32,
        code: &str,
        detail: String,
    ) -> Result<(), RelayError> {
        self.alarm(code, detail.clone())?;
        let Some(plan) = self.state.plans.get(&number) else {
            return Ok(());
        };
        let fresh = plan.attempts.len() == 1 && plan.progress == PlanProgress::Signed;
        if !fresh || refusals < REFUSALS_MAX {
            return Ok(());
        }
        self.portion.less(&plan.items);
        self.sent.remove(&number);
        self.outbid.remove(&number);
        self.set_back();
        let reason = reason(code, detail);
        self.record(vec![Event::Released {
            plan: number,
            reason,
        }])
    }

    /// A plan in a block: whether the block is still there, and final.
    async fn confirm(
        &mut self,
        number: u64,
        plan: &Plan,
        inclusion: Inclusion,
        known: Option<B256>,
        view: &View,
    ) -> Result<bool, RelayError> {
        if known == Some(inclusion.block_hash) {
            if view.finalized.number < inclusion.block {
                return Ok(false);
            }
            self.sent.remove(&number);
            self.outbid.remove(&number);
            self.costs.remove(&number);
            if inclusion.success {
                self.portion.more();
            } else {
                self.health.metrics.failed("reverted");
                self.set_back();
            }
            self.record(vec![Event::Final {
                plan: number,
                items: plan.items.clone(),
                inclusion,
            }])?;
            return Ok(true);
        }
        self.health.metrics.reorganised.inc();
        let gone = Event::Reorganised {
            plan: number,
            block_hash: inclusion.block_hash,
        };
        self.record(vec![gone])?;
        if let Some(inclusion) = self.target.included(&plan.attempts).await? {
            self.record(vec![Event::Included {
                plan: number,
                inclusion,
            }])?;
        }
        Ok(true)
    }

    /// Records that nothing is sent, if that is new.
    pub(super) fn hold_on(&mut self, reason: Hold) -> Result<(), RelayError> {
        if self.state.holds.contains(&reason) {
            return Ok(());
        }
        self.record(vec![Event::Held { reason }])
    }

    /// What holds, and what does no more.
    pub(super) fn hold(&mut self, view: &View) -> Result<(), RelayError> {
        let dear = fees::first(view.market, self.config.fee_limits()).is_none();
        self.balance = view.balance.saturating_to();
        let poor = self.balance < self.needed;
        let client = view.client.hold;
        for (reason, holds) in [
            (Hold::Paused, client == Some(Hold::Paused)),
            (Hold::MessagesPaused, view.messages_paused),
            (Hold::Frozen, client == Some(Hold::Frozen)),
            (Hold::TrustExpired, client == Some(Hold::TrustExpired)),
            (Hold::FeeCap, dear),
            (Hold::Balance, poor),
        ] {
            if holds {
                self.hold_on(reason)?;
            } else if self.state.holds.contains(&reason) {
                if reason == Hold::Balance {
                    self.needed = 0;
                }
                self.record(vec![Event::Resumed { reason }])?;
            }
        }
        Ok(())
    }
}
