//! What the target says: heads, the light client, the inbox.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::SolCall;
use futures::{StreamExt, TryStreamExt, stream, try_join};
use serde_json::json;
use tbsi_bindings::contracts::{ORGANISATIONS, PERMISSIONS};
use tbsi_bindings::genesis::Organisations::namesOfCall;
use tbsi_bindings::genesis::Permissions::accountOfCall;

use super::abi::{
    Inbox, LightClient, SCOPE_MESSAGES, STATUS_EXPIRED, STATUS_FROZEN, STATUS_PAUSED,
};
use super::answers::Head;
use super::endpoints::Answer;
use super::{EvmRpc, at};
use crate::limits::{CALLS_AT_ONCE_MAX, SETS_SEARCHED_MAX};
use crate::record::Hold;
use crate::standing::RegistryEntry;
use crate::target::{ClientView, TargetBlock, TargetError};

impl EvmRpc {
    /// The block that enough endpoints have reached under this tag.
    pub(super) async fn head(&self, tag: &str) -> Result<Head, TargetError> {
        let method = "eth_getBlockByNumber";
        let params = [json!(tag), json!(false)];
        let answers = self.endpoints.all::<Option<Head>>(method, &params).await;
        let mut heads: Vec<Head> = Vec::new();
        let mut problem = String::new();
        for answer in answers {
            match answer {
                Answer::Result(Some(head)) => heads.push(head),
                Answer::Result(None) => problem = format!("no {tag} block"),
                Answer::Error(said, _) | Answer::Silent(said) => problem = said,
            }
        }
        let needed = self.endpoints.needed();
        if heads.len() < needed {
            return Err(TargetError::Unavailable {
                agreed: heads.len(),
                needed,
                what: format!("{method}({tag})"),
                problem,
            });
        }
        heads.sort_by_key(|head| std::cmp::Reverse(head.number));
        let reached = heads.swap_remove(needed - 1);
        if needed == 1 {
            return Ok(reached);
        }
        // That many have the number; now they must have the same block there.
        let params = [json!(reached.number), json!(false)];
        let head: Option<Head> = self.endpoints.result(method, &params).await?;
        head.ok_or_else(|| TargetError::Unavailable {
            agreed: 0,
            needed,
            what: method.into(),
            problem: "the block went away".into(),
        })
    }

    pub(super) async fn call<C: SolCall>(
        &self,
        call: &C,
        block: TargetBlock,
    ) -> Result<C::Return, TargetError> {
        self.call_at(self.contract, call, block).await
    }

    /// Calls a contract after a block.
    pub(super) async fn call_at<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        block: TargetBlock,
    ) -> Result<C::Return, TargetError> {
        let request = json!({ "to": to, "data": Bytes::from(call.abi_encode()) });
        let answer: Bytes = self
            .endpoints
            .result("eth_call", &[request, at(block)])
            .await?;
        C::abi_decode_returns(&answer).map_err(|_| self.not_a_client())
    }

    /// While blocks go away a node may answer as if there was no contract: that passes, so only
    /// [`EvmChain::check`] takes it for final.
    pub(super) fn not_a_client(&self) -> TargetError {
        TargetError::Unavailable {
            agreed: 0,
            needed: self.endpoints.needed(),
            what: "the light client".into(),
            problem: self.no_client(),
        }
    }

    fn no_client(&self) -> String {
        format!(
            "{} on chain {} is no light client; set target.light_client to where it was deployed",
            self.contract, self.chain_id
        )
    }

    pub(super) async fn client(
        &self,
        block: TargetBlock,
    ) -> Result<Option<ClientView>, TargetError> {
        let params = [json!(self.contract), at(block)];
        let code: Bytes = self.endpoints.result("eth_getCode", &params).await?;
        if code.is_empty() {
            return Ok(None);
        }
        let (latest, status, until) = try_join!(
            self.call(&LightClient::latestCall {}, block),
            self.call(&LightClient::statusCall {}, block),
            self.call(&LightClient::trustedUntilMsCall {}, block),
        )?;
        Ok(Some(ClientView {
            height: latest.height,
            time_ms: latest.timeMs,
            log_size: latest.logSize,
            digest: latest.digest,
            validator_set: latest.validatorSetHash,
            closing: latest.closing,
            trusted_until_ms: u64::try_from(until).unwrap_or(u64::MAX),
            hold: match status {
                STATUS_PAUSED => Some(Hold::Paused),
                STATUS_EXPIRED => Some(Hold::TrustExpired),
                STATUS_FROZEN => Some(Hold::Frozen),
                _ => None,
            },
        }))
    }

    pub(super) async fn quantity(
        &self,
        method: &str,
        block: TargetBlock,
    ) -> Result<U256, TargetError> {
        let params = [json!(self.signer.account()), at(block)];
        self.endpoints.result(method, &params).await
    }

    /// A tip that suffices, or before London a price, by the lowest of the endpoints: a lie costs
    /// time, not money.
    pub(super) async fn tip(&self, legacy: bool) -> u64 {
        let method = if legacy {
            "eth_gasPrice"
        } else {
            "eth_maxPriorityFeePerGas"
        };
        let answers = self.endpoints.all::<U256>(method, &[]).await;
        let tips = answers.into_iter().filter_map(|answer| match answer {
            Answer::Result(tip) => u64::try_from(tip).ok(),
            Answer::Error(..) | Answer::Silent(_) => None,
        });
        tips.min().unwrap_or_default()
    }

    /// That it is the configured chain; returns its newest block.
    pub(super) async fn check_chain(&self) -> Result<Head, TargetError> {
        let id: U64 = self.endpoints.result("eth_chainId", &[]).await?;
        let id: u64 = id.to();
        if id != self.chain_id {
            return Err(TargetError::Misconfigured(format!(
                "the endpoints are of chain id {id}, target.chain_id says {}; nothing was sent",
                self.chain_id
            )));
        }
        self.head("latest").await
    }

    /// That the light client is one, and of the source.
    pub(super) async fn check_client(&self, latest: TargetBlock) -> Result<(), TargetError> {
        let params = [json!(self.contract), at(latest)];
        let code: Bytes = self.endpoints.result("eth_getCode", &params).await?;
        if code.is_empty() {
            return Err(TargetError::Misconfigured(self.no_client()));
        }
        let chain = self
            .call(&LightClient::SOURCE_CHAIN_IDCall {}, latest)
            .await?;
        let genesis = self.call(&LightClient::GENESIS_HASHCall {}, latest).await?;
        if (chain, genesis) != (self.source.chain_id, self.source.genesis_hash) {
            return Err(TargetError::Misconfigured(format!(
                "the light client {} follows chain id {chain} with genesis hash {genesis}, the \
                 genesis file is of {} with {}",
                self.contract, self.source.chain_id, self.source.genesis_hash
            )));
        }
        Ok(())
    }

    /// That the inbox, if there is one, believes that light client, on that chain.
    pub(super) async fn check_inbox(&self, latest: TargetBlock) -> Result<(), TargetError> {
        let Some(inbox) = self.inbox else {
            return Ok(());
        };
        let wrong = |problem: String| {
            Err(TargetError::Misconfigured(format!(
                "target.inbox {inbox} on chain {} {problem}; `tbsi relay inbox` deploys one",
                self.chain_id
            )))
        };
        let code: Bytes = {
            let params = [json!(inbox), at(latest)];
            self.endpoints.result("eth_getCode", &params).await?
        };
        if code.is_empty() {
            return wrong("is no contract".into());
        }
        let client = self.call_at(inbox, &Inbox::CLIENTCall {}, latest).await;
        let chain = self.call_at(inbox, &Inbox::CHAIN_IDCall {}, latest).await;
        let (Ok(client), Ok(chain)) = (client, chain) else {
            return wrong("is no inbox".into());
        };
        if client != self.contract {
            return wrong(format!("believes the light client {client}"));
        }
        if chain != U256::from(self.chain_id) {
            return wrong(format!("takes messages for chain {chain}"));
        }
        Ok(())
    }

    /// Whether a guardian has paused messages.
    pub(super) async fn messages_paused(&self, block: TargetBlock) -> Result<bool, TargetError> {
        if self.inbox.is_none() {
            return Ok(false);
        }
        let scope = SCOPE_MESSAGES;
        let call = LightClient::pausedUntilCall { scope };
        Ok(block.time < self.call(&call, block).await?)
    }

    /// The light client's number of the set with a hash: all that it ever had are asked for, the
    /// newest first.
    pub(super) async fn set_number(
        &self,
        hash: B256,
        block: TargetBlock,
    ) -> Result<Option<u32>, TargetError> {
        let newest = self.call(&LightClient::latestCall {}, block).await?.setId;
        if newest > SETS_SEARCHED_MAX {
            return Err(TargetError::Misconfigured(format!(
                "the light client names {newest} validator sets; at most {SETS_SEARCHED_MAX} are \
                 searched"
            )));
        }
        let ask = |set_id: u32| async move {
            let call = LightClient::validatorSetOfCall { setId: set_id };
            let set = self.call(&call, block).await?;
            Ok::<_, TargetError>((set_id, set.hash))
        };
        let sets = stream::iter((1..=newest).rev()).map(ask);
        let mut sets = std::pin::pin!(sets.buffered(CALLS_AT_ONCE_MAX));
        while let Some((number, found)) = sets.try_next().await? {
            if found == hash {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// The account in the registry of a TBSI network; `None` where there is no such contract.
    pub(super) async fn registered(
        &self,
        block: TargetBlock,
    ) -> Result<Option<RegistryEntry>, TargetError> {
        let params = [json!(PERMISSIONS), at(block)];
        let code: Bytes = self.endpoints.result("eth_getCode", &params).await?;
        if code.is_empty() {
            return Ok(None);
        }
        let account = self.signer.account();
        let call = accountOfCall { account };
        let Ok(found) = self.call_at(PERMISSIONS, &call, block).await else {
            return Ok(None);
        };
        let organisation = found.organisation;
        if organisation == 0 {
            return Ok(Some(RegistryEntry::of(&found, None)));
        }
        let call = namesOfCall { organisation };
        let names = self.call_at(ORGANISATIONS, &call, block).await?;
        Ok(Some(RegistryEntry::of(&found, Some(names))))
    }
}
