//! Sends the creation code of `tbsi relay contract`, for those without another tool.

use std::path::Path;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tbsi_bridge::evm::{Rules, needed_by_contracts, rules_of};
use tbsi_keys::keyfile::load_validator_key;
use tbsi_rpc::Client;
use tbsi_types::{SecretKey, UnsignedTransaction};
use tokio::time::{Instant, sleep};

use crate::contract::send_in_turn;
use crate::http::client;
use crate::lang::said;
use crate::report::{note, refuse};

/// How long the deployment is waited for.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How often it is said what is waited for.
const SAY_INTERVAL: Duration = Duration::from_secs(10);
/// After so long without knowing the transaction a node has dropped it.
const UNKNOWN_MAX: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Deploys `code` on the chain at `url` with the key of a file; returns the contract's address.
pub(crate) async fn deploy(url: &str, key: &Path, code: &Bytes) -> anyhow::Result<Address> {
    let key = load_validator_key(key).map_err(|error| refuse(error.into()))?;
    let client = client(url)?;
    suffices(rules_of(&client).await?, needed_by_contracts(), url).map_err(refuse)?;
    submit(&client, &key, None, code).await
}

/// Sends a transaction with this input and waits until a block has it; returns the contract that
/// it made, or the one that it called.
pub(crate) async fn submit(
    client: &Client,
    key: &SecretKey,
    to: Option<Address>,
    input: &Bytes,
) -> anyhow::Result<Address> {
    let url = client.url();
    let unsigned = transaction(client, key, to, input).await?;
    let sign = |nonce| {
        let unsigned = unsigned.clone();
        UnsignedTransaction { nonce, ..unsigned }.sign(key)
    };
    let account = key.public_key().address();
    let (hash, nonce) = send_in_turn(client, account, sign).await?;
    note(&format!(
        "sent the transaction {hash}; waiting until a block has it, {} s at most",
        TIMEOUT.as_secs()
    ));
    let began = Instant::now();
    let (mut say_at, mut known_at) = (began + SAY_INTERVAL, began);
    while began.elapsed() < TIMEOUT {
        let method = "eth_getTransactionReceipt";
        if let Some(receipt) = client
            .request::<Option<Receipt>>(method, &[json!(hash)])
            .await?
        {
            ensure!(
                receipt.status == U64::from(1),
                "the transaction {hash} failed in its block"
            );
            let made = to.or(receipt.contract_address);
            return made.context("a deployment without address");
        }
        if Instant::now() >= say_at {
            say_at += SAY_INTERVAL;
            let wait = Wait::look(client, account, hash).await?;
            if wait.known {
                known_at = Instant::now();
            } else if known_at.elapsed() >= UNKNOWN_MAX {
                bail!("{url} does not know the transaction {hash} any more; send it again");
            }
            note(&wait.words(began.elapsed(), nonce));
        }
        sleep(POLL_INTERVAL).await;
    }
    bail!(
        "the transaction {hash} is in no block after {} s; it may still come",
        TIMEOUT.as_secs()
    )
}

/// What is looked at of a receipt: chains with older rules leave out what others have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    status: U64,
    contract_address: Option<Address>,
}

/// Refuses a chain whose rules lack an instruction of the code. One that does not tell is tried:
/// the estimate of the gas, before anything is sent, runs all of the constructor.
fn suffices(rules: Option<Rules>, needed: Rules, url: &str) -> anyhow::Result<()> {
    match rules {
        Some(rules) if rules < needed => Err(said(
            format!(
                "the chain at {url} has rules {rules}, the code needs {needed}; nothing was sent; \
                 deploy it on a chain with newer rules"
            ),
            format!(
                "{url} 的鏈採用的規則是 {rules}，此程式碼需要 {needed}；未送出任何交易；請部署到規則較新的鏈"
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// What a node says while a transaction waits.
struct Wait {
    /// It has the transaction.
    known: bool,
    /// Its last block.
    block: u64,
    /// The nonce that the account's next transaction in a block has.
    nonce: u64,
}

impl Wait {
    async fn look(client: &Client, account: Address, hash: B256) -> anyhow::Result<Self> {
        let found: Value = client
            .request("eth_getTransactionByHash", &[json!(hash)])
            .await?;
        let block: U64 = client.request("eth_blockNumber", &[]).await?;
        let latest = BlockNumberOrTag::Latest;
        Ok(Self {
            known: !found.is_null(),
            block: block.to(),
            nonce: client.transaction_count(account, latest).await?,
        })
    }

    fn words(&self, waited: Duration, nonce: u64) -> String {
        let (seconds, block) = (waited.as_secs(), self.block);
        let missing = nonce.saturating_sub(self.nonce);
        let reason = if !self.known {
            "the node does not know it".into()
        } else if missing > 0 {
            format!("{missing} earlier transactions of the account are in no block yet")
        } else {
            "it is the account's next transaction, so it waits for a block".into()
        };
        format!("waited {seconds} s; the chain is at block {block}; {reason}")
    }
}

async fn transaction(
    client: &Client,
    key: &SecretKey,
    to: Option<Address>,
    input: &Bytes,
) -> anyhow::Result<UnsignedTransaction> {
    let from = key.public_key().address();
    let chain_id = client.chain_id().await?;
    let price: U256 = client.request("eth_gasPrice", &[]).await?;
    let price: u128 = price.saturating_to();
    // Before London a block has no base fee, and a transaction one price.
    let params = [json!("latest"), json!(false)];
    let block: Value = client.request("eth_getBlockByNumber", &params).await?;
    let legacy = block["baseFeePerGas"].is_null();
    let mut request = json!({ "from": from, "data": input });
    if let Some(to) = to {
        request["to"] = json!(to);
    }
    let gas: U64 = client.request("eth_estimateGas", &[request]).await?;
    let gas: u64 = gas.to();
    Ok(UnsignedTransaction {
        chain_id,
        gas_limit: gas.saturating_add(gas / 8),
        // Stays good while the base fee doubles; on a chain without fees it is 0.
        max_fee_per_gas: price.saturating_mul(if legacy { 1 } else { 2 }),
        max_priority_fee_per_gas: u128::from(price > 0),
        to,
        input: input.clone(),
        legacy,
        ..UnsignedTransaction::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_with_older_rules_is_refused_before_anything_is_sent() {
        let known = |rules| suffices(rules, Rules::Shanghai, "http://a");
        assert!(known(None).is_ok() && known(Some(Rules::Shanghai)).is_ok());
        assert!(known(Some(Rules::Osaka)).is_ok());
        let error = known(Some(Rules::Istanbul)).unwrap_err().to_string();
        assert!(error.contains("has rules Istanbul or Berlin"), "{error}");
        assert!(
            error.contains("needs Shanghai; nothing was sent"),
            "{error}"
        );
    }

    #[test]
    fn says_what_is_waited_for() {
        let wait = |known, nonce| Wait {
            known,
            block: 7,
            nonce,
        };
        for (wait, words) in [
            (wait(true, 3), "so it waits for a block"),
            (wait(true, 1), "2 earlier transactions"),
            (wait(false, 3), "does not know it"),
        ] {
            let said = wait.words(Duration::from_secs(10), 3);
            assert!(
                said.starts_with("waited 10 s; the chain is at block 7"),
                "{said}"
            );
            assert!(said.contains(words), "{said}");
        }
    }
}
