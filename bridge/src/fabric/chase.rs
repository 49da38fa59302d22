//! How a transaction gets into a block: endorsed by peers, checked, signed, handed to orderers, and
//! looked for before it is handed in again.

use std::time::Duration;

use alloy_primitives::B256;
use prost::Message;
use tokio::time::Instant;

use super::block::{DUPLICATE_TXID, VALID};
use super::calls::{FabricDraft, keys};
use super::endorsed::EndorsedCall;
use super::messages::Envelope;
use super::peers::FabricPeers;
use super::reader::Found;
use super::refusal::CallError;
use super::sender::{Fabric, Sending, gone};
use super::steps::{Attempt, FabricStep, Path, Reached};
use crate::fault;
use crate::limits::{FABRIC_TRANSACTION_BYTES_MAX, REFUSALS_MAX, SUBMISSIONS_MAX};
use crate::target::{PlanStatus, TargetError};

impl<P: FabricPeers> Fabric<P> {
    /// Has a call endorsed, compares what comes back with what was asked, and signs it. Nothing has
    /// left the process yet that could change a ledger.
    pub(super) async fn endorse(
        &mut self,
        number: u64,
        draft: &FabricDraft,
    ) -> Result<PlanStatus, TargetError> {
        let reader = &self.reader;
        let proposal = reader.propose(draft.call.clone());
        let organisations = &reader.config.organisations;
        let endorsed = reader.peers.endorse(&proposal, organisations).await;
        let mut envelope = match endorsed {
            Ok(envelope) => envelope,
            Err(CallError::Chaincode { code, detail, .. }) => return Ok(gone(&code, detail)),
            Err(CallError::Declined(said)) => return Ok(self.declined(number, said)),
            Err(error @ (CallError::Silent(_) | CallError::Apart { .. })) => {
                return Err(reader.failed("for endorsements", &error));
            }
        };
        let keys = keys(&draft.call);
        let call = EndorsedCall::parse(&envelope.payload)
            .and_then(|call| call.require(&proposal, &keys).map(|()| call));
        let call = match call {
            Ok(call) => call,
            Err(problem) => {
                let said = format!("what was endorsed is not what was asked for: {problem}");
                self.alarm("endorsedOtherwise", said.clone());
                return Ok(self.declined(number, said));
            }
        };
        let endorsers = call.organisations();
        let missing = organisations
            .iter()
            .find(|one| !endorsers.contains(one.as_str()));
        if let Some(missing) = missing {
            let said = format!("{missing} was asked to endorse, and did not");
            return Ok(self.declined(number, said));
        }
        let organisations = endorsers.into_iter().map(Into::into).collect();
        envelope.signature = self.reader.member.identity.sign(&envelope.payload);
        let bytes = envelope.encode_to_vec();
        let (size, most) = (bytes.len(), FABRIC_TRANSACTION_BYTES_MAX);
        if size > most {
            let said =
                format!("the endorsed transaction has {size} bytes, at most {most} are sent");
            return Ok(gone("tooLarge", said));
        }
        self.drafts.remove(&number);
        // What was just endorsed is in no block, and need not be looked for.
        let fresh = Sending {
            fresh: true,
            ..Sending::default()
        };
        self.sent.insert(number, fresh);
        let step = FabricStep::Endorsed {
            transaction: proposal.id,
            envelope: bytes.into(),
            organisations,
        };
        Ok(PlanStatus::Step(step.step()))
    }

    /// The same call once more, on what the ledger is now: what it read had changed.
    pub(super) async fn endorse_again(
        &mut self,
        number: u64,
        path: &Path,
    ) -> Result<PlanStatus, TargetError> {
        let last = path.attempts.last();
        let call = last.ok_or("there is no attempt".to_owned()).and_then(read);
        let call = call.map_err(|problem| TargetError::Steps {
            plan: number,
            problem,
        })?;
        let draft = FabricDraft { call: call.call };
        self.endorse(number, &draft).await
    }

    /// Counts what gateways, peers or orderers decline. Their word alone proves nothing about what
    /// was sent, but nothing more is sent then.
    fn declined(&mut self, number: u64, said: String) -> PlanStatus {
        let sending = self.sent.entry(number).or_default();
        sending.declined += 1;
        sending.at = Some(Instant::now());
        if sending.declined < REFUSALS_MAX {
            return PlanStatus::Pending;
        }
        self.drafts.remove(&number);
        gone("sendRefused", said)
    }

    /// Looks for the last attempt, and hands it in if nobody has it.
    pub(super) async fn chase(
        &mut self,
        number: u64,
        path: &Path,
    ) -> Result<PlanStatus, TargetError> {
        let Some(attempt) = path.attempts.last() else {
            return Ok(gone("notSigned", "there is no attempt".into()));
        };
        let height = self.newest.map(|newest| newest.number);
        let sending = self.sent.entry(number).or_default();
        let news = height.is_none() || sending.asked != height;
        if !sending.fresh && news {
            sending.asked = height;
            if let Some(found) = self.fate(attempt.transaction).await? {
                return Ok(self.judged(number, attempt.transaction, path, &found));
            }
        }
        let again = Duration::from_millis(self.reader.config.resend_after_ms);
        let sending = self.sent.entry(number).or_default();
        if path.reached == Reached::Ordered && sending.at.is_none() {
            // A process before this one handed it in, perhaps a moment ago.
            sending.at = Some(Instant::now());
        }
        if sending.at.is_some_and(|at| at.elapsed() < again) {
            return Ok(PlanStatus::Pending);
        }
        if sending.submitted >= SUBMISSIONS_MAX {
            let said = format!("handed to orderers {SUBMISSIONS_MAX} times, and in no block");
            return Ok(gone("sendRefused", said));
        }
        self.hand_in(number, attempt, path.reached).await
    }

    async fn hand_in(
        &mut self,
        number: u64,
        attempt: &Attempt,
        reached: Reached,
    ) -> Result<PlanStatus, TargetError> {
        let envelope = Envelope::decode(&attempt.envelope[..]);
        let envelope = envelope.map_err(|error| TargetError::Steps {
            plan: number,
            problem: error.to_string(),
        })?;
        let transaction = attempt.transaction;
        let sending = self.sent.entry(number).or_default();
        sending.fresh = false;
        sending.submitted += 1;
        sending.at = Some(Instant::now());
        let taken = self.reader.peers.submit(transaction, &envelope).await;
        fault::point("sent");
        match taken {
            Ok(()) if reached == Reached::Ordered => Ok(PlanStatus::Pending),
            Ok(()) => Ok(PlanStatus::Step(FabricStep::Ordered { transaction }.step())),
            Err(CallError::Chaincode { code, detail, .. }) => {
                Ok(self.declined(number, format!("{code}: {detail}")))
            }
            Err(CallError::Declined(said)) => Ok(self.declined(number, said)),
            // It may have been ordered: it is looked for before it is handed in again.
            Err(error @ (CallError::Silent(_) | CallError::Apart { .. })) => {
                Err(self.reader.failed("to order a transaction", &error))
            }
        }
    }

    /// What became of a transaction, if it is in a block. One gateway says in which; that block, as
    /// enough gateways show it, says the rest.
    async fn fate(&mut self, id: B256) -> Result<Option<Found>, TargetError> {
        let request = self.reader.fate_of(id);
        let said = self.reader.peers.commit_status(&request).await;
        let said = said.map_err(|error| self.reader.failed("what became of it", &error))?;
        let Some(said) = said else {
            return Ok(None);
        };
        let found = self.reader.in_block(id, said.block_number).await;
        let found = match found {
            Ok(found) => found,
            Err(CallError::Apart { .. }) => return Ok(None),
            Err(error) => return Err(self.reader.failed("a block", &error)),
        };
        if found.code == DUPLICATE_TXID {
            // It was handed in twice, and this is the second one: the first one counts.
            let first = self.reader.anywhere(id).await;
            let first = first.map_err(|error| self.reader.failed("a transaction", &error))?;
            return Ok(first.filter(|first| first.code != DUPLICATE_TXID));
        }
        let same = said.result == found.code;
        if !same || (found.code == VALID && found.envelope.payload.is_empty()) {
            let text = format!(
                "a gateway says that a transaction of block {} has code {}, the block has {}",
                found.block, said.result, found.code
            );
            self.alarm("targetDisagreement", text);
        }
        Ok(Some(found))
    }
}

/// An attempt, taken apart.
fn read(attempt: &Attempt) -> Result<EndorsedCall, String> {
    let envelope = Envelope::decode(&attempt.envelope[..]).map_err(|error| error.to_string())?;
    EndorsedCall::parse(&envelope.payload)
}
