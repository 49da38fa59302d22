//! What became of the transactions on their way, and when they are sent again or replaced.

use alloy_primitives::B256;
use tokio::time::{Duration, Instant};

use super::fees::{self, Bid};
use super::steps::{EvmStep, Path, Reached, holder, nonce_of};
use super::{Evm, EvmChain};
use crate::limits::RESEND_MS_MIN;
use crate::record::{Inclusion, Reason};
use crate::state::Plans;
use crate::target::{PlanStatus, Revival, TargetError};

/// How this process has sent a plan's transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    /// The last time.
    pub(super) last: Instant,
    /// Times in a row that every endpoint refused it and none showed it.
    pub(super) refusals: u32,
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

impl<C: EvmChain> Evm<C> {
    /// A plan that is in no block as far as is known.
    pub(super) async fn chase(
        &mut self,
        number: u64,
        path: &Path,
        waited_ms: u64,
    ) -> Result<PlanStatus, TargetError> {
        if self.fresh.take() == Some(number) {
            return self.broadcast(number, path).await;
        }
        // Before anything is sent again, every attempt is looked for.
        if let Some(inclusion) = self.chain.included(&path.attempts).await? {
            return Ok(PlanStatus::Included(inclusion));
        }
        let now = self.account().await?;
        let Some(nonce) = path.nonce else {
            return Ok(PlanStatus::Pending);
        };
        if now.final_nonce > nonce {
            return self.taken_by_another(path, nonce).await;
        }
        if now.nonce > nonce {
            // Used, but that may still change.
            return Ok(PlanStatus::Pending);
        }
        let taken = path.reached == Reached::Broadcast;
        let due = self.sent.get(&number).is_none_or(|sent| sent.is_due(taken));
        let first = now.nonce == nonce;
        let late = first && waited_ms >= self.config.fees.replace_after_ms;
        if !due {
            return Ok(PlanStatus::Pending);
        }
        // What bids too little is never taken: after a while it is replaced like what waits.
        let outbid = self.outbid.contains(&number);
        if !(taken || late && outbid) {
            return self.broadcast(number, path).await;
        }
        if !late {
            return Ok(PlanStatus::Pending);
        }
        let last = path.attempts.last().map(|attempt| attempt.transaction);
        if outbid || self.chain.knows(last.unwrap_or_default()).await? {
            return self.replace(number, path).await;
        }
        // The nodes dropped it: the same bytes again.
        self.broadcast(number, path).await
    }

    /// The nonce is used up for good, and none of the attempts is seen.
    async fn taken_by_another(
        &mut self,
        path: &Path,
        nonce: u64,
    ) -> Result<PlanStatus, TargetError> {
        // One endpoint that has it is enough for doubt.
        for attempt in &path.attempts {
            if self.chain.knows(attempt.transaction).await? {
                return Ok(PlanStatus::Pending);
            }
        }
        let detail = format!("nonce {nonce} was used by a transaction that is not ours");
        self.alarm("nonceTaken", detail.clone());
        Ok(gone("nonceTaken", detail))
    }

    /// A transaction with the same nonce that bids more.
    async fn replace(&mut self, number: u64, path: &Path) -> Result<PlanStatus, TargetError> {
        let now = self.account().await?;
        let Some(last) = path.attempts.last() else {
            return Ok(PlanStatus::Pending);
        };
        let replacements = u32::try_from(path.attempts.len()).unwrap_or(u32::MAX) - 1;
        if replacements >= self.config.fees.replacements_max {
            let detail = format!("plan {number} was replaced {replacements} times");
            self.alarm("replacements", detail);
            return Ok(PlanStatus::Pending);
        }
        let Some(bid) = fees::replacement(Bid::from(last), now.market, self.limits()) else {
            let detail =
                format!("plan {number} waits, and target.fees.fee_cap_wei allows no higher bid");
            self.alarm("feeCap", detail);
            return Ok(PlanStatus::Pending);
        };
        let attempt = match self.chain.sign_again(last, bid).await {
            Ok(attempt) => attempt,
            Err(error) => {
                self.alarm("sign", error.to_string());
                return Ok(PlanStatus::Pending);
            }
        };
        self.metrics.replaced.inc();
        self.fresh = Some(number);
        Ok(PlanStatus::Step(EvmStep::Replaced { attempt }.step()))
    }

    /// A plan in a block: whether the block is still there, and final.
    pub(super) async fn confirm(
        &mut self,
        number: u64,
        path: &Path,
        inclusion: &Inclusion,
    ) -> Result<PlanStatus, TargetError> {
        let now = self.account().await?;
        let known = self.block_hash(inclusion.block).await?;
        if known == Some(inclusion.block_hash) {
            if now.finalized.number < inclusion.block {
                return Ok(PlanStatus::Included(inclusion.clone()));
            }
            self.sent.remove(&number);
            self.outbid.remove(&number);
            return Ok(PlanStatus::Final(inclusion.clone()));
        }
        Ok(match self.chain.included(&path.attempts).await? {
            Some(found) if found.block_hash != inclusion.block_hash => PlanStatus::Included(found),
            // Endpoints do not agree yet whether it went away.
            Some(_) => PlanStatus::Included(inclusion.clone()),
            None => PlanStatus::Pending,
        })
    }

    /// Transactions that were given up and are in a block after all: whoever refused them had
    /// taken them, or passed them on.
    pub(super) async fn find_given_up(
        &mut self,
        given_up: &Plans,
        open: &Plans,
    ) -> Result<Option<Revival>, TargetError> {
        let now = self.account().await?;
        for (number, plan) in given_up {
            let used = nonce_of(plan).filter(|nonce| *nonce < now.nonce);
            let Some(nonce) = used.filter(|_| !self.forgotten.contains(number)) else {
                continue;
            };
            let attempts = Self::path(*number, plan)?.attempts;
            if self.chain.included(&attempts).await?.is_some() {
                return Ok(Some(Revival {
                    plan: *number,
                    instead_of: holder(open, nonce),
                }));
            }
            if now.final_nonce > nonce {
                self.forgotten.insert(*number);
            }
        }
        Ok(None)
    }

    async fn block_hash(&mut self, number: u64) -> Result<Option<B256>, TargetError> {
        if let Some(known) = self.blocks.get(&number) {
            return Ok(*known);
        }
        let hash = self.chain.block_hash(number).await?;
        self.blocks.insert(number, hash);
        Ok(hash)
    }
}

pub(super) fn gone(code: &str, detail: String) -> PlanStatus {
    let code = code.into();
    PlanStatus::Gone(Reason { code, detail })
}
