//! Sending, and what endpoints say against it. Their words are hints: one of them that shows a
//! transaction has it, whatever it answered.

use tokio::time::Instant;

use super::chase::{Sending, gone};
use super::steps::{EvmStep, Path, Reached};
use super::{Evm, EvmChain, Sent};
use crate::fault;
use crate::limits::REFUSALS_MAX;
use crate::target::{PlanStatus, TargetError};

impl<C: EvmChain> Evm<C> {
    /// Sends the last attempt of a plan.
    pub(super) async fn broadcast(
        &mut self,
        number: u64,
        path: &Path,
    ) -> Result<PlanStatus, TargetError> {
        let Some(attempt) = path.attempts.last() else {
            return Ok(PlanStatus::Pending);
        };
        let refusals = self.sent.get(&number).map_or(0, |sent| sent.refusals);
        let last = Instant::now();
        self.sent.insert(number, Sending { last, refusals });
        let sent = self.chain.send(attempt).await?;
        fault::point("sent");
        if sent != Sent::Taken && !self.chain.knows(attempt.transaction).await? {
            let refusals = refusals.saturating_add(1);
            self.sent.insert(number, Sending { last, refusals });
            return Ok(self.refused(number, path, refusals, sent));
        }
        self.sent.insert(number, Sending { last, refusals: 0 });
        self.outbid.remove(&number);
        let transaction = attempt.transaction;
        Ok(PlanStatus::Step(EvmStep::Broadcast { transaction }.step()))
    }

    /// No endpoint took a transaction, and none shows it.
    fn refused(&mut self, number: u64, path: &Path, refusals: u32, sent: Sent) -> PlanStatus {
        self.metrics.failed("sendRefused");
        match sent {
            // The next look finds out by whom, or that it is not so.
            Sent::Taken | Sent::Known | Sent::NonceTaken if refusals < REFUSALS_MAX => {}
            Sent::Taken | Sent::Known | Sent::NonceTaken => {
                let detail = format!(
                    "plan {number}: endpoints say that they have it, or that its nonce is used, \
                     and show neither"
                );
                self.alarm("sendRefused", detail);
            }
            Sent::Underpriced => {
                self.outbid.insert(number);
                let detail = format!("plan {number}: it bids less than endpoints take");
                self.alarm("underpriced", detail);
            }
            Sent::Busy(_) if refusals < REFUSALS_MAX => {}
            Sent::Busy(detail) => self.alarm("busy", detail),
            Sent::Balance if self.is_poor() => {
                self.needed = self.needed.max(self.balance().saturating_add(1));
            }
            Sent::Balance => {
                let detail = "endpoints say that the account cannot pay, and it can".into();
                return self.give_back(number, path, refusals, "sendRefused", detail);
            }
            Sent::TooLarge(detail) => {
                return self.give_back(number, path, refusals, "tooLarge", detail);
            }
            Sent::Refused(detail) => {
                return self.give_back(number, path, refusals, "sendRefused", detail);
            }
        }
        PlanStatus::Pending
    }

    /// Whether what all open plans cost, as far as this process knows, is more than the account has.
    fn is_poor(&self) -> bool {
        let cost = self
            .costs
            .values()
            .fold(0u128, |sum, cost| sum.saturating_add(*cost));
        self.costs.len() < self.open || self.balance() < cost
    }

    /// Gives up a plan that was refused so often, and shown by nobody meanwhile, that nothing is
    /// expected of it any more. A replacement is not given up: what it replaces was taken.
    fn give_back(
        &mut self,
        number: u64,
        path: &Path,
        refusals: u32,
        code: &str,
        detail: String,
    ) -> PlanStatus {
        self.alarm(code, detail.clone());
        let fresh = path.attempts.len() == 1 && path.reached == Reached::Signed;
        if !fresh || refusals < REFUSALS_MAX {
            return PlanStatus::Pending;
        }
        self.sent.remove(&number);
        self.outbid.remove(&number);
        gone(code, detail)
    }
}
