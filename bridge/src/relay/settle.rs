//! What became of the transactions on their way.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use tokio::time::{Duration, Instant};

use super::{Relay, RelayError};
use crate::fault;
use crate::fees::{self, Bid};
use crate::limits::RESEND_MS_MIN;
use crate::record::{Event, Hold, Inclusion, Reason};
use crate::state::{Plan, PlanProgress};
use crate::target::{Sent, Target, View};

/// Hashes of blocks that were asked for in one step.
type Blocks = BTreeMap<u64, Option<B256>>;

fn reason(code: &str, detail: impl Into<String>) -> Reason {
    Reason {
        code: code.into(),
        detail: detail.into(),
    }
}

impl<T: Target> Relay<T> {
    /// Looks after every plan; says whether any has moved.
    pub(super) async fn settle(&mut self, view: &View) -> Result<bool, RelayError> {
        let numbers: Vec<u64> = self.state.plans.keys().copied().collect();
        let mut blocks = Blocks::new();
        let mut moved = false;
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
        if plan.progress == PlanProgress::Signed {
            let least = Duration::from_millis(RESEND_MS_MIN);
            let sent = self.sent.get(&number);
            if sent.is_none_or(|sent| sent.elapsed() >= least) {
                self.broadcast(number).await?;
            }
            return Ok(false);
        }
        let waited = (self.clock)().saturating_sub(plan.moved_ms);
        let first = view.nonce == nonce;
        if !first || waited < self.config.fees.replace_after_ms {
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

    /// Sends the last attempt of a plan.
    pub(super) async fn broadcast(&mut self, number: u64) -> Result<(), RelayError> {
        let plan = self.state.plans.get(&number);
        let Some(attempt) = plan.and_then(|plan| plan.attempts.last()).cloned() else {
            return Ok(());
        };
        let first = plan.is_some_and(|plan| plan.attempts.len() == 1);
        let fresh = plan.is_some_and(|plan| plan.progress == PlanProgress::Signed);
        self.sent.insert(number, Instant::now());
        let sent = self.target.send(&attempt).await?;
        fault::point("sent");
        match sent {
            Sent::Taken => {
                self.setbacks = 0;
                self.record(vec![Event::Broadcast {
                    plan: number,
                    transaction: attempt.transaction,
                }])
            }
            // The next step finds out by whom.
            Sent::NonceTaken => Ok(()),
            Sent::Underpriced => {
                let detail = format!("plan {number}: another transaction with its nonce waits");
                self.alarm("underpriced", detail)
            }
            Sent::Balance => {
                self.needed = self.needed.max(self.balance.saturating_add(1));
                self.hold_on(Hold::Balance)
            }
            // It never was in a node's pool: nothing can come of it any more.
            Sent::Refused(detail) if first && fresh => {
                self.alarm("sendRefused", detail.clone())?;
                self.health.metrics.failed("sendRefused");
                self.set_back();
                let reason = reason("sendRefused", detail);
                self.record(vec![Event::Released {
                    plan: number,
                    reason,
                }])
            }
            Sent::Refused(detail) => self.alarm("sendRefused", detail),
        }
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
            if !inclusion.success {
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
