//! What the target is asked to take, and what became of it.

use alloy_primitives::{B256, U64};
use serde_json::{Value, json};

use super::EvmRpc;
use super::answers::{Receipt, inclusion};
use super::endpoints::Answer;
use super::words::{classify, is_too_large, rank, refusal};
use super::{Attempt, Call, Estimate, Sent};
use crate::record::Inclusion;
use crate::target::TargetError;

impl EvmRpc {
    /// What a call costs after the latest block, or why it is refused.
    pub(super) async fn gas_of(&self, call: &Call) -> Result<Estimate, TargetError> {
        let from = self.signer.account();
        let request = json!({ "from": from, "to": call.to, "data": call.data });
        let method = "eth_estimateGas";
        let answers = self
            .endpoints
            .all::<U64>(method, &[request, json!("latest")])
            .await;
        let needed = self.endpoints.needed();
        let mut gas: Vec<u64> = Vec::new();
        let mut refused: Vec<Estimate> = Vec::new();
        let mut large: Vec<String> = Vec::new();
        let mut problem = String::new();
        for answer in answers {
            match answer {
                Answer::Result(estimate) => gas.push(estimate.to()),
                Answer::Error(said, Some(data)) => refused.push(refusal(&data, &said)),
                Answer::Error(said, None) if said.contains("revert") => {
                    refused.push(refusal(&[], &said));
                }
                Answer::Error(said, None) if is_too_large(&said) => large.push(said),
                Answer::Error(said, None) | Answer::Silent(said) => problem = said,
            }
        }
        // Neither the lowest nor the highest that one endpoint can make up.
        gas.sort_unstable();
        if let Some(gas) = gas.get(needed - 1) {
            return Ok(Estimate::Gas(*gas));
        }
        // The figures in their words may differ.
        if large.len() >= needed {
            return Ok(Estimate::TooLarge(large.swap_remove(0)));
        }
        let alike = |one: &Estimate| refused.iter().filter(|other| *other == one).count();
        let most = refused.iter().map(alike).max().unwrap_or_default();
        match refused.iter().find(|one| alike(one) >= needed) {
            Some(refused) => Ok(refused.clone()),
            None => Err(TargetError::Unavailable {
                agreed: most,
                needed,
                what: method.into(),
                problem,
            }),
        }
    }

    /// Sends the bytes of an attempt to all endpoints. Of several refusals the one that says most
    /// counts.
    pub(super) async fn send_raw(&self, attempt: &Attempt) -> Result<Sent, TargetError> {
        let method = "eth_sendRawTransaction";
        let answers = self
            .endpoints
            .all::<B256>(method, &[json!(attempt.raw)])
            .await;
        let mut refusals: Vec<Sent> = Vec::new();
        let mut problem = None;
        for answer in answers {
            match answer {
                Answer::Result(_) => return Ok(Sent::Taken),
                Answer::Error(said, _) => refusals.push(classify(&said)),
                Answer::Silent(said) => problem = Some(said),
            }
        }
        let most = refusals.into_iter().min_by_key(rank);
        // An endpoint that is silent may have taken what another one refuses.
        let final_words = matches!(most, Some(Sent::Refused(_) | Sent::TooLarge(_)));
        match (most, problem) {
            (Some(sent), None) => Ok(sent),
            (Some(sent), Some(_)) if !final_words => Ok(sent),
            (_, problem) => Err(TargetError::Unavailable {
                agreed: 0,
                needed: 1,
                what: method.into(),
                problem: problem.unwrap_or_else(|| "nobody answered".into()),
            }),
        }
    }

    /// Where one of these is in a block, if enough endpoints show the same.
    pub(super) async fn find(&self, attempts: &[Attempt]) -> Option<Inclusion> {
        // The last one has the best chance.
        for attempt in attempts.iter().rev() {
            let params = [json!(attempt.transaction)];
            let answers = self
                .endpoints
                .all::<Option<Receipt>>("eth_getTransactionReceipt", &params);
            let answers = answers.await;
            let mut shown: Vec<&Receipt> = Vec::new();
            for answer in &answers {
                if let Answer::Result(Some(receipt)) = answer
                    && receipt.transaction_hash == attempt.transaction
                {
                    shown.push(receipt);
                }
            }
            // One that lags has none yet, which contradicts nobody.
            let alike = |one: &Receipt| shown.iter().filter(|other| **other == one).count();
            let most = shown.iter().max_by_key(|one| alike(one));
            if let Some(most) = most {
                let count = alike(most);
                if count < shown.len() {
                    let hash = attempt.transaction;
                    let said = format!("endpoints show different receipts of {hash}");
                    self.endpoints.alarm(said);
                }
                if count >= self.endpoints.needed() {
                    return Some(inclusion(most, attempt.fee_cap));
                }
            }
        }
        None
    }

    /// Whether an endpoint has the transaction.
    pub(super) async fn has(&self, transaction: B256) -> Result<bool, TargetError> {
        let method = "eth_getTransactionByHash";
        let answers = self
            .endpoints
            .all::<Option<Value>>(method, &[json!(transaction)])
            .await;
        let mut answered = false;
        for answer in &answers {
            match answer {
                Answer::Result(Some(_)) => return Ok(true),
                Answer::Result(None) => answered = true,
                Answer::Error(..) | Answer::Silent(_) => {}
            }
        }
        if answered {
            return Ok(false);
        }
        Err(TargetError::Unavailable {
            agreed: 0,
            needed: 1,
            what: method.into(),
            problem: "no endpoint answered".into(),
        })
    }
}
