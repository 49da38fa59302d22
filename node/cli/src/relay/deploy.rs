//! Sends the creation code of `tbsi relay contract`, for those without another tool.

use std::path::Path;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, Bytes, U64, U256};
use anyhow::{Context, bail, ensure};
use serde_json::json;
use tbsi_keys::keyfile::load_validator_key;
use tbsi_rpc::Client;
use tbsi_types::{SecretKey, UnsignedTransaction};
use tokio::time::{Instant, sleep};

use crate::report::refuse;

/// How long the deployment is waited for.
const TIMEOUT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Deploys `code` on the chain at `url` with the key of a file; returns the contract's address.
pub(super) async fn deploy(url: &str, key: &Path, code: &Bytes) -> anyhow::Result<Address> {
    let key = load_validator_key(key).map_err(|error| refuse(error.into()))?;
    let client = Client::new(url).map_err(|error| refuse(error.into()))?;
    let transaction = transaction(&client, &key, code).await?;
    let signed = transaction.sign(&key).encoded;
    let hash = client.send_raw_transaction(&signed).await?;
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        if let Some(receipt) = client.transaction_receipt(hash).await? {
            ensure!(
                receipt.status(),
                "the deployment {hash} failed in its block"
            );
            return receipt
                .contract_address
                .context("a deployment without address");
        }
        sleep(POLL_INTERVAL).await;
    }
    bail!(
        "the deployment {hash} is in no block after {} s; it may still come",
        TIMEOUT.as_secs()
    )
}

async fn transaction(
    client: &Client,
    key: &SecretKey,
    code: &Bytes,
) -> anyhow::Result<UnsignedTransaction> {
    let from = key.public_key().address();
    let chain_id = client.chain_id().await?;
    let nonce = client
        .transaction_count(from, BlockNumberOrTag::Pending)
        .await?;
    let price: U256 = client.request("eth_gasPrice", &[]).await?;
    let price: u128 = price.saturating_to();
    let request = json!({ "from": from, "data": code });
    let gas: U64 = client.request("eth_estimateGas", &[request]).await?;
    let gas: u64 = gas.to();
    Ok(UnsignedTransaction {
        chain_id,
        nonce,
        gas_limit: gas.saturating_add(gas / 8),
        // Stays good while the base fee doubles; on a chain without fees it is 0.
        max_fee_per_gas: price.saturating_mul(2),
        max_priority_fee_per_gas: u128::from(price > 0),
        to: None,
        input: code.clone(),
        ..UnsignedTransaction::default()
    })
}
