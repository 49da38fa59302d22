//! EVM chains: the light client's calls, and transactions of one account, whose nonces, prices and
//! replacements are steps of plans. [`EvmRpc`] is a chain behind endpoints that must agree, [`Evm`]
//! sends to it.

pub mod abi;
mod answers;
mod audit;
mod chain;
mod chase;
mod decode;
mod deploy;
mod encode;
mod endpoints;
pub mod fees;
mod finality;
mod read;
mod refusals;
mod rules;
mod sender;
mod steps;
mod transaction;
mod words;
mod write;

use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_sol_types::SolCall;
use futures::{StreamExt, TryStreamExt, stream, try_join};
use serde_json::{Value, json};
use tbsi_rpc::Http;
use tbsi_types::ChainIdentity;

use crate::config::{EvmConfig, Finality};
use crate::limits::CALLS_AT_ONCE_MAX;
use crate::record::Inclusion;
use crate::signer::{SharedSigner, SignError};
use crate::source::Proven;
use crate::standing::check_target;
use crate::target::{Advance, Delivery, TargetBlock, TargetError};
use abi::{Inbox, LightClient};
use answers::Head;
use endpoints::Endpoints;
use fees::{Bid, Market};

pub use answers::GAS_USED;
pub use chain::{AccountView, Attempt, Call, Contents, Estimate, EvmChain, Sent};
pub use deploy::{
    BODY_MAX, Beginning, Bodies, BodiesError, InboxBeginning, creation_code, inbox_creation_code,
};
pub use encode::{decision, validator_set};
pub use rules::{Rules, needed_by_contracts, rules_of};
pub use sender::{CallDraft, Evm};

/// Holds of this kind of target: gas costs more than the cap.
pub const HOLD_FEE_CAP: &str = "feeCap";
/// The account cannot pay.
pub const HOLD_BALANCE: &str = "balance";

/// An EVM chain behind its endpoints.
pub struct EvmRpc {
    endpoints: Endpoints,
    chain_id: u64,
    contract: Address,
    inbox: Option<Address>,
    finality: Finality,
    source: ChainIdentity,
    signer: SharedSigner,
}

fn at(block: TargetBlock) -> Value {
    json!({ "blockHash": block.hash })
}

impl EvmRpc {
    /// The chain of a configuration, written to by `signer`'s account.
    pub fn new(
        config: &EvmConfig,
        http: &Http,
        source: ChainIdentity,
        signer: SharedSigner,
    ) -> Result<Self, TargetError> {
        let endpoints = Endpoints::new(http, &config.rpc, config.agree)
            .map_err(|error| TargetError::Misconfigured(error.to_string()))?;
        Ok(Self {
            endpoints,
            chain_id: config.chain_id,
            contract: config.light_client,
            inbox: config.inbox,
            finality: config.finality,
            source,
            signer,
        })
    }
}

impl EvmChain for EvmRpc {
    fn contract(&self) -> Address {
        self.contract
    }

    fn inbox(&self) -> Option<Address> {
        self.inbox
    }

    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn account(&self) -> Address {
        self.signer.account()
    }

    async fn check(&self) -> Result<(), TargetError> {
        let latest = self.check_chain().await?;
        self.check_finality(&latest).await?;
        let latest = latest.block();
        self.check_client(latest).await?;
        self.check_inbox(latest).await?;
        self.signer.check().await?;
        let standing = self.registered(latest).await?;
        Ok(check_target(self.account(), standing.as_ref())?)
    }

    async fn look(&self) -> Result<AccountView, TargetError> {
        let latest_head = self.head("latest").await?;
        let finalized = self.final_head(&latest_head).await?.block();
        let latest = latest_head.block();
        let count = "eth_getTransactionCount";
        let (client, final_client) = try_join!(self.client(latest), self.client(finalized))?;
        let (nonce, final_nonce, balance) = try_join!(
            self.quantity(count, latest),
            self.quantity(count, finalized),
            self.quantity("eth_getBalance", latest),
        )?;
        let legacy = latest_head.base_fee_per_gas.is_none();
        let base_fee = latest_head.base_fee_per_gas.unwrap_or_default();
        let messages_paused = self.messages_paused(latest).await?;
        Ok(AccountView {
            latest,
            finalized,
            nonce: nonce.saturating_to(),
            final_nonce: final_nonce.saturating_to(),
            balance,
            market: Market {
                base_fee: base_fee.to(),
                tip: self.tip(legacy).await,
                legacy,
            },
            client: client.ok_or_else(|| self.not_a_client())?,
            final_client,
            messages_paused,
        })
    }

    async fn recorded(&self, leaves: &[u64], block: TargetBlock) -> Result<Vec<bool>, TargetError> {
        let ask = |index: &u64| {
            LightClient::isRecordedCall { index: *index }
                .abi_encode()
                .into()
        };
        let data = leaves.iter().map(ask).collect();
        let answers = self
            .call(&LightClient::multicallCall { data }, block)
            .await?;
        let read = |answer: &Bytes| LightClient::isRecordedCall::abi_decode_returns(answer);
        let recorded: Result<Vec<bool>, _> = answers.iter().map(read).collect();
        recorded.map_err(|_| self.not_a_client())
    }

    async fn delivered(
        &self,
        sequences: &[u64],
        block: TargetBlock,
    ) -> Result<Vec<bool>, TargetError> {
        let Some(inbox) = self.inbox else {
            return Ok(vec![false; sequences.len()]);
        };
        let ask = |sequence: u64| async move {
            let call = Inbox::isDeliveredCall { sequence };
            self.call_at(inbox, &call, block).await
        };
        stream::iter(sequences.iter().copied())
            .map(ask)
            .buffered(CALLS_AT_ONCE_MAX)
            .try_collect()
            .await
    }

    fn encode(&self, advance: &Advance) -> Call {
        Call {
            to: self.contract,
            data: encode::advance(advance),
        }
    }

    fn encode_delivery(&self, delivery: &Delivery) -> Option<Call> {
        let data = encode::delivery(delivery);
        self.inbox.map(|to| Call { to, data })
    }

    async fn encode_freeze(
        &self,
        one: &Proven,
        other: &Proven,
        block: TargetBlock,
    ) -> Result<Option<Call>, TargetError> {
        let first = self.set_number(one.validators.hash(), block).await?;
        let second = self.set_number(other.validators.hash(), block).await?;
        let (Some(first), Some(second)) = (first, second) else {
            return Ok(None);
        };
        let call = LightClient::freezeCall {
            setIdA: first,
            a: decision(&one.decision, &one.validators),
            setIdB: second,
            b: decision(&other.decision, &other.validators),
        };
        Ok(Some(Call {
            to: self.contract,
            data: call.abi_encode().into(),
        }))
    }

    async fn estimate(&self, call: &Call) -> Result<Estimate, TargetError> {
        self.gas_of(call).await
    }

    async fn sign(
        &self,
        nonce: u64,
        gas: u64,
        bid: Bid,
        call: Option<Call>,
    ) -> Result<Attempt, SignError> {
        let call = call.unwrap_or_else(|| Call {
            to: self.account(),
            data: Bytes::new(),
        });
        transaction::sign(&*self.signer, self.chain_id, nonce, gas, bid, call).await
    }

    async fn sign_again(&self, attempt: &Attempt, bid: Bid) -> Result<Attempt, SignError> {
        transaction::sign_again(&*self.signer, attempt, bid).await
    }

    fn contents(&self, attempt: &Attempt) -> Result<Contents, String> {
        decode::contents(attempt)
    }

    async fn send(&self, attempt: &Attempt) -> Result<Sent, TargetError> {
        self.send_raw(attempt).await
    }

    async fn included(&self, attempts: &[Attempt]) -> Result<Option<Inclusion>, TargetError> {
        Ok(self.find(attempts).await)
    }

    async fn knows(&self, transaction: B256) -> Result<bool, TargetError> {
        self.has(transaction).await
    }

    async fn block_hash(&self, number: u64) -> Result<Option<B256>, TargetError> {
        let params = [json!(U64::from(number)), json!(false)];
        let head: Option<Head> = self
            .endpoints
            .result("eth_getBlockByNumber", &params)
            .await?;
        Ok(head.map(|head| head.hash))
    }

    fn take_alarms(&self) -> Vec<String> {
        self.endpoints.take_alarms()
    }
}

#[cfg(test)]
mod tests;
