//! EVM chains: the light client's calls, transactions of type 2, and endpoints that must agree.

pub mod abi;
mod answers;
mod decode;
mod deploy;
mod encode;
mod endpoints;
mod transaction;
mod words;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::SolCall;
use futures::try_join;
use serde_json::{Value, json};
use tbsi_types::{ChainIdentity, SecretKey};

use crate::config::Target as Config;
use crate::fees::{Bid, Market};
use crate::record::{Attempt, Hold, Inclusion};
use crate::source::Proven;
use crate::target::{Block, Client, Contents, Load, Sent, Target, TargetError, Verdict, View};
use abi::{LightClient, STATUS_EXPIRED, STATUS_FROZEN, STATUS_PAUSED};
use answers::{Head, Receipt, inclusion};
use endpoints::{Answer, Endpoints};
use words::{classify, refusal};

pub use deploy::{Beginning, creation_code};
pub use encode::{decision, validator_set};

/// An EVM chain with a light client of the source.
pub struct Evm {
    endpoints: Endpoints,
    chain_id: u64,
    contract: Address,
    source: ChainIdentity,
    key: SecretKey,
    account: Address,
}

fn at(block: Block) -> Value {
    json!({ "blockHash": block.hash })
}

impl Evm {
    /// The chain of a configuration, written to with `key`.
    pub fn new(
        config: &Config,
        source: ChainIdentity,
        key: SecretKey,
    ) -> Result<Self, TargetError> {
        let endpoints = Endpoints::new(&config.rpc, config.agree)
            .map_err(|error| TargetError::Misconfigured(error.to_string()))?;
        Ok(Self {
            endpoints,
            chain_id: config.chain_id,
            contract: config.light_client,
            source,
            account: key.public_key().address(),
            key,
        })
    }

    /// The block that enough endpoints have reached under this tag.
    async fn head(&self, tag: &str) -> Result<Head, TargetError> {
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

    async fn call<C: SolCall>(&self, call: &C, block: Block) -> Result<C::Return, TargetError> {
        let request = json!({ "to": self.contract, "data": Bytes::from(call.abi_encode()) });
        let answer: Bytes = self
            .endpoints
            .result("eth_call", &[request, at(block)])
            .await?;
        C::abi_decode_returns(&answer).map_err(|_| self.not_a_client())
    }

    /// While blocks go away a node may answer as if there was no contract: that passes, so only
    /// [`Target::check`] takes it for final.
    fn not_a_client(&self) -> TargetError {
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

    async fn client(&self, block: Block) -> Result<Option<Client>, TargetError> {
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
        Ok(Some(Client {
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

    async fn quantity(&self, method: &str, block: Block) -> Result<U256, TargetError> {
        let params = [json!(self.account), at(block)];
        self.endpoints.result(method, &params).await
    }

    /// A tip that suffices, by the lowest of the endpoints: a lie costs time, not money.
    async fn tip(&self) -> u64 {
        let answers = self
            .endpoints
            .all::<U256>("eth_maxPriorityFeePerGas", &[])
            .await;
        let tips = answers.into_iter().filter_map(|answer| match answer {
            Answer::Result(tip) => u64::try_from(tip).ok(),
            Answer::Error(..) | Answer::Silent(_) => None,
        });
        tips.min().unwrap_or_default()
    }
}

impl Target for Evm {
    fn contract(&self) -> Address {
        self.contract
    }

    fn account(&self) -> Address {
        self.account
    }

    async fn check(&self) -> Result<(), TargetError> {
        let id: U64 = self.endpoints.result("eth_chainId", &[]).await?;
        let id: u64 = id.to();
        if id != self.chain_id {
            return Err(TargetError::Misconfigured(format!(
                "the endpoints are of chain id {id}, target.chain_id says {}; nothing was sent",
                self.chain_id
            )));
        }
        let latest = self.head("latest").await?.block();
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

    async fn view(&self) -> Result<View, TargetError> {
        let (latest_head, finalized) = try_join!(self.head("latest"), self.head("finalized"))?;
        let (latest, finalized) = (latest_head.block(), finalized.block());
        let count = "eth_getTransactionCount";
        let (client, final_client) = try_join!(self.client(latest), self.client(finalized))?;
        let (nonce, final_nonce, balance) = try_join!(
            self.quantity(count, latest),
            self.quantity(count, finalized),
            self.quantity("eth_getBalance", latest),
        )?;
        let base_fee = latest_head.base_fee_per_gas.unwrap_or_default();
        Ok(View {
            latest,
            finalized,
            nonce: nonce.saturating_to(),
            final_nonce: final_nonce.saturating_to(),
            balance,
            market: Market {
                base_fee: base_fee.to(),
                tip: self.tip().await,
            },
            client: client.ok_or_else(|| self.not_a_client())?,
            final_client,
        })
    }

    async fn recorded(&self, leaves: &[u64], block: Block) -> Result<Vec<bool>, TargetError> {
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

    fn encode(&self, load: &Load) -> Bytes {
        encode::load(load)
    }

    async fn estimate(&self, data: &Bytes) -> Result<Verdict, TargetError> {
        let request = json!({ "from": self.account, "to": self.contract, "data": data });
        let method = "eth_estimateGas";
        let answers = self
            .endpoints
            .all::<U64>(method, &[request, json!("latest")])
            .await;
        let needed = self.endpoints.needed();
        let mut gas: Vec<u64> = Vec::new();
        let mut refused: Vec<Verdict> = Vec::new();
        let mut problem = String::new();
        for answer in answers {
            match answer {
                Answer::Result(estimate) => gas.push(estimate.to()),
                Answer::Error(said, Some(data)) => refused.push(refusal(&data, &said)),
                Answer::Error(said, None) if said.contains("revert") => {
                    refused.push(refusal(&[], &said));
                }
                Answer::Error(said, None) | Answer::Silent(said) => problem = said,
            }
        }
        // Neither the lowest nor the highest that one endpoint can make up.
        gas.sort_unstable();
        if let Some(gas) = gas.get(needed - 1) {
            return Ok(Verdict::Gas(*gas));
        }
        let alike = |one: &Verdict| refused.iter().filter(|other| *other == one).count();
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

    fn sign(&self, nonce: u64, gas: u64, bid: Bid, data: Option<Bytes>) -> Attempt {
        let to = if data.is_some() {
            self.contract
        } else {
            self.account
        };
        let data = data.unwrap_or_default();
        transaction::sign(&self.key, self.chain_id, to, nonce, gas, bid, data)
    }

    fn sign_again(&self, attempt: &Attempt, bid: Bid) -> Result<Attempt, String> {
        transaction::sign_again(&self.key, attempt, bid)
    }

    fn contents(&self, attempt: &Attempt) -> Result<Contents, String> {
        decode::contents(attempt)
    }

    async fn send(&self, attempt: &Attempt) -> Result<Sent, TargetError> {
        let method = "eth_sendRawTransaction";
        let answers = self
            .endpoints
            .all::<B256>(method, &[json!(attempt.raw)])
            .await;
        let mut worst = None;
        let mut problem = String::new();
        for answer in answers {
            match answer {
                Answer::Result(_) => return Ok(Sent::Taken),
                Answer::Error(said, _) => match classify(&said) {
                    Sent::Taken => return Ok(Sent::Taken),
                    other @ (Sent::NonceTaken
                    | Sent::Underpriced
                    | Sent::Balance
                    | Sent::Refused(_)) => worst = Some(other),
                },
                Answer::Silent(said) => problem = said,
            }
        }
        // An endpoint that is silent may have taken what another one refuses.
        let unsure = matches!(worst, Some(Sent::Refused(_))) && !problem.is_empty();
        worst
            .filter(|_| !unsure)
            .ok_or_else(|| TargetError::Unavailable {
                agreed: 0,
                needed: 1,
                what: method.into(),
                problem,
            })
    }

    async fn included(&self, attempts: &[Attempt]) -> Result<Option<Inclusion>, TargetError> {
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
                    return Ok(Some(inclusion(most)));
                }
            }
        }
        Ok(None)
    }

    async fn knows(&self, transaction: B256) -> Result<bool, TargetError> {
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

/// The two decisions of a conflict as `freeze` of the contract takes them.
pub fn freeze(one: &Proven, other: &Proven) -> (Bytes, Bytes) {
    let encoded = |proven: &Proven| decision(&proven.decision, &proven.validators);
    (encoded(one), encoded(other))
}

#[cfg(test)]
mod tests;
