//! The attestation contract: its ABI, and transactions to it that are waited for.

use std::path::Path;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::SolCall;
use anyhow::Context;
use serde_json::json;
use tbsi_bindings::Addressed;
use tbsi_bindings::genesis::Attestations::{algorithmOfCall, schemaOfCall};
use tbsi_governance::abi::PERMISSIONS;
use tbsi_governance::contracts::Permissions::accountOfCall;
use tbsi_governance::standing::Permissions;
use tbsi_keys::keyfile::{KeyFileError, open_validator_key};
use tbsi_rpc::wire::{LeafRange, TransactionStatus};
use tbsi_rpc::{Client, ClientError};
use tbsi_types::limits::TRANSACTION_GAS_MAX;
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::{SecretKey, SignedTransaction, UnsignedTransaction};
use tokio::time::{Instant, sleep};

use crate::lang::{SayContext, Sentence, demand, said};
use crate::password::PasswordFile;
use crate::report::refuse;
use crate::shown::PathShown;

/// How long a transaction is waited for.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How often the node is asked whether it dropped a transaction that is waited for.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// How often a transaction is signed anew because others, with the same key, took its nonce.
const NONCES_TAKEN_MAX: usize = 100;

/// Why a node drops a transaction whose nonce another one has in a block (SPEC §6.9).
const NONCE_USED: &str = "nonce_used";

/// Part of the estimated gas that is added to it: one in so many.
const GAS_MARGIN: u64 = 16;

pub(crate) use tbsi_bindings::genesis::Attestations::{attestBatchCall, attestCall, revokeCall};
pub(crate) use tbsi_bindings::genesis::Schema;

/// Asks a view function of the contract.
async fn ask<C: Addressed>(client: &Client, call: C) -> anyhow::Result<C::Return> {
    let request = json!({ "to": C::ADDRESS, "data": Bytes::from(call.abi_encode()) });
    let answer: Bytes = client
        .request("eth_call", &[request, json!("latest")])
        .await?;
    if answer.is_empty() {
        let url = client.url();
        return Err(refuse(said(
            format!(
                "the network of {url} has no attestation contract at {ATTESTATIONS}; found a new \
                 one with this version's `tbsi genesis build`"
            ),
            format!(
                "{url} 的網路在 {ATTESTATIONS} 沒有存證合約；請以此版本的 `tbsi genesis build` \
                 建立新的網路"
            ),
        )));
    }
    C::abi_decode_returns(&answer)
        .with_context(|| format!("{} gave an answer that is not understood", client.url()))
}

/// A schema; fails if nobody registered it.
pub(crate) async fn schema_of(client: &Client, schema: B256) -> anyhow::Result<Schema> {
    let found = ask(client, schemaOfCall { schema }).await?;
    if found.commitsTo == 0 {
        return Err(refuse(said(
            format!(
                "schema {schema} is unknown on this network; register it, or leave --schema out"
            ),
            format!("此網路沒有綱要 {schema}；請先登錄，或不要加 --schema"),
        )));
    }
    Ok(found)
}

/// Fails if new digests of an algorithm are not taken.
pub(crate) async fn check_algorithm(client: &Client, code: u32, name: &str) -> anyhow::Result<()> {
    let found = ask(client, algorithmOfCall { algorithm: code }).await?;
    let (en, zh_tw) = match found.status {
        1 => return Ok(()),
        2 => ("deprecated", "淘汰"),
        3 => ("revoked", "廢止"),
        _ => ("unknown", "不明"),
    };
    Err(refuse(said(
        format!("algorithm {name} is {en} on this network; use another with --algorithm"),
        format!("演算法 {name} 在此網路的狀態是{zh_tw}；請用 --algorithm 選擇其他演算法"),
    )))
}

/// Fails if an account may not send transactions or not attest, and says who can help. A chain
/// that does not govern itself lets everybody.
pub(crate) async fn check_may_attest(client: &Client, account: Address) -> anyhow::Result<()> {
    let call = Bytes::from(accountOfCall { account }.abi_encode());
    let request = json!({ "to": PERMISSIONS, "data": call });
    let answer: Bytes = client
        .request("eth_call", &[request, json!("latest")])
        .await?;
    if answer.is_empty() {
        return Ok(());
    }
    let url = client.url();
    let found = accountOfCall::abi_decode_returns(&answer)
        .with_context(|| format!("{url} gave an answer that is not understood"))?;
    let needed = Permissions::SEND.0 | Permissions::ATTEST.0;
    if found.active && found.permissions & needed == needed {
        return Ok(());
    }
    let number = found.organisation;
    Err(refuse(match (number, found.active) {
        (0, _) => said(
            format!(
                "account {account} belongs to no organisation of this network, and its public may \
                 not attest; sign that it joins yours with `tbsi org consent`, and have an \
                 administrator add it with `tbsi org add-account {account} --permissions \
                 send,attest --consent FILE`"
            ),
            format!(
                "帳戶 {account} 不屬於此網路的任何機構，而公眾沒有存證的權限；請以 `tbsi org consent` \
                 簽署加入您的機構，再由其管理者以 `tbsi org add-account {account} --permissions \
                 send,attest --consent FILE` 加入"
            ),
        ),
        (_, true) => said(
            format!(
                "account {account} of organisation {number} may not send and attest; an \
                 administrator of it grants that with `tbsi org add-account {account} \
                 --permissions send,attest`"
            ),
            format!(
                "編號 {number} 的機構的帳戶 {account} 沒有傳送與存證的權限；可由其管理者以 \
                 `tbsi org add-account {account} --permissions send,attest` 授予"
            ),
        ),
        (_, false) => said(
            format!(
                "account {account} belongs to organisation {number}, which is suspended or has left; \
                 `tbsi org history {number}` says why, a motion can reinstate it"
            ),
            format!(
                "帳戶 {account} 屬於編號 {number} 的機構，該機構已停權或退出；`tbsi org history \
                 {number}` 可得知原因，動議可使其復權"
            ),
        ),
    }))
}

/// Reads the key file of an account.
pub(crate) fn load_key(path: &Path, password: &PasswordFile) -> anyhow::Result<SecretKey> {
    let opened = password
        .of_file(path)
        .and_then(|password| Ok(open_validator_key(path, password.as_ref())?));
    opened.map_err(|error| match error.downcast_ref() {
        Some(KeyFileError::Missing { path }) => {
            let make = format!("(umask 077; openssl rand -hex 32 > {})", path.word());
            let path = path.shown();
            said(
                format!("key file {path} is missing; `{make}` makes a new key"),
                format!("找不到金鑰檔 {path}；`{make}` 可產生新的金鑰"),
            )
        }
        Some(_) | None => error,
    })
}

/// Who signs transactions.
pub(crate) struct Sender {
    key: SecretKey,
    chain_id: u64,
}

impl Sender {
    /// On one chain.
    pub(crate) fn new(key: SecretKey, chain_id: u64) -> Self {
        Self { key, chain_id }
    }

    /// Its address.
    pub(crate) fn address(&self) -> Address {
        self.key.public_key().address()
    }

    /// Sends a call to the contract and waits until it is final; returns where its leaves are
    /// and the transaction's hash.
    pub(crate) async fn send(
        &self,
        client: &Client,
        data: Bytes,
    ) -> anyhow::Result<(LeafRange, B256)> {
        let gas = self.gas(client, ATTESTATIONS, &data).await?;
        let ask = async |hash| client.leaves_of(hash).await;
        let (leaves, hash) = self.finally(client, (ATTESTATIONS, data, gas), ask).await?;
        demand(leaves.count > 0, || {
            (
                format!("transaction {hash} is final and failed: nothing was stated"),
                format!("交易 {hash} 已最終確認，但執行失敗：沒有留下任何陳述"),
            )
        })?;
        Ok((leaves, hash))
    }

    /// The gas limit for a call, as the node estimates it, with a margin.
    pub(crate) async fn gas(
        &self,
        client: &Client,
        to: Address,
        data: &Bytes,
    ) -> anyhow::Result<u64> {
        let request = json!({ "from": self.address(), "to": to, "data": data });
        let gas: U64 = client.request("eth_estimateGas", &[request]).await?;
        with_margin(gas.to())
    }

    /// Sends a call with so much gas and waits until it is final; returns its receipt and hash.
    pub(crate) async fn call(
        &self,
        client: &Client,
        call: (Address, Bytes, u64),
    ) -> anyhow::Result<(TransactionReceipt, B256)> {
        let ask = async |hash| client.transaction_receipt(hash).await;
        self.finally(client, call, ask).await
    }

    /// Sends a call and waits until `ask` finds the transaction. It is signed anew when another
    /// one of the account, which was sent to another node, took its nonce: that can never be
    /// final then.
    async fn finally<T>(
        &self,
        client: &Client,
        (to, data, gas): (Address, Bytes, u64),
        ask: impl AsyncFn(B256) -> Result<Option<T>, ClientError>,
    ) -> anyhow::Result<(T, B256)> {
        let account = self.address();
        for _ in 0..=NONCES_TAKEN_MAX {
            let sign = |nonce| self.sign(nonce, gas, to, data.clone());
            let (hash, _) = send_in_turn(client, account, sign).await?;
            if let Some(found) = wait(client, hash, &ask).await? {
                return Ok((found, hash));
            }
        }
        let (en, zh_tw) = too_busy(account);
        Err(said(en, zh_tw))
    }

    fn sign(&self, nonce: u64, gas_limit: u64, to: Address, input: Bytes) -> SignedTransaction {
        let transaction = UnsignedTransaction {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            to: Some(to),
            input,
            ..UnsignedTransaction::default()
        };
        transaction.sign(&self.key)
    }
}

/// Sends what `sign` makes of the account's next nonce; returns the transaction's hash and nonce.
/// A nonce that somebody else takes meanwhile, who has the key too, is not fought over.
pub(crate) async fn send_in_turn(
    client: &Client,
    account: Address,
    sign: impl Fn(u64) -> SignedTransaction,
) -> anyhow::Result<(B256, u64)> {
    let mut taken = 0;
    loop {
        let pending = BlockNumberOrTag::Pending;
        let nonce = client.transaction_count(account, pending).await?;
        let signed = sign(nonce);
        match client.send_raw_transaction(&signed.encoded).await {
            Ok(hash) => return Ok((hash, nonce)),
            Err(error) if is_known(&error) => return Ok((signed.hash, nonce)),
            Err(error) if is_taken(&error) && taken < NONCES_TAKEN_MAX => {
                taken += 1;
                sleep(POLL_INTERVAL).await;
            }
            Err(error) if is_taken(&error) => return Err(error).or_say(|| too_busy(account)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a node refused a transaction because another one has its nonce.
fn is_taken(error: &ClientError) -> bool {
    const WORDS: [&str; 2] = ["nonce too low", "replacement transaction underpriced"];
    matches!(error, ClientError::Refused { message, .. }
        if WORDS.iter().any(|words| message.starts_with(words)))
}

/// Whether a node has this very transaction: another command sends the same.
fn is_known(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { message, .. } if message.starts_with("already known"))
}

fn too_busy(account: Address) -> Sentence {
    (
        format!(
            "others sent with the key of {account} {NONCES_TAKEN_MAX} times before this could; \
             repeat the command"
        ),
        format!("他人以 {account} 的金鑰搶先送出交易已達 {NONCES_TAKEN_MAX} 次；請重複此指令"),
    )
}

/// State may change between estimate and block; gas that is not used costs nothing.
fn with_margin(estimate: u64) -> anyhow::Result<u64> {
    demand(estimate <= TRANSACTION_GAS_MAX, || {
        (
            format!(
                "the transaction needs {estimate} gas, at most {TRANSACTION_GAS_MAX} are allowed"
            ),
            format!("交易需要 {estimate} gas，上限為 {TRANSACTION_GAS_MAX}"),
        )
    })?;
    let margin = estimate / GAS_MARGIN;
    Ok(estimate.saturating_add(margin).min(TRANSACTION_GAS_MAX))
}

/// Waits for finality. A node that does not answer for a moment may do so later; one that says
/// that it dropped the transaction is believed, and its reason told. `None` if another transaction
/// with its nonce is final.
async fn wait<T>(
    client: &Client,
    hash: B256,
    ask: impl AsyncFn(B256) -> Result<Option<T>, ClientError>,
) -> anyhow::Result<Option<T>> {
    let deadline = Instant::now() + FINALITY_TIMEOUT;
    let mut look_at = Instant::now() + STATUS_INTERVAL;
    let mut nonce_taken = false;
    loop {
        match ask(hash).await {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) if nonce_taken => return Ok(None),
            Ok(None) if Instant::now() >= look_at => {
                look_at = Instant::now() + STATUS_INTERVAL;
                // Then it is asked for once more: it may have become final in between.
                nonce_taken = is_nonce_taken(client, hash).await?;
            }
            Ok(None) => {}
            Err(ClientError::Unreachable { .. }) if Instant::now() < deadline => {}
            Err(error) => {
                return Err(error).or_say(|| {
                    (
                        format!("wait for transaction {hash}"),
                        format!("等待交易 {hash}"),
                    )
                });
            }
        }
        if Instant::now() >= deadline {
            let seconds = FINALITY_TIMEOUT.as_secs();
            return Err(said(
                format!(
                    "transaction {hash} was sent and is not final after {seconds} s; `tbsi \
                     status` tells how the network is. The same command later takes up from there"
                ),
                format!(
                    "交易 {hash} 已送出，{seconds} 秒後仍未最終確認；`tbsi status` 可查看網路\
                     狀態。稍後重複同一指令即可接續"
                ),
            ));
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Whether the node dropped the transaction because another one of its sender, which is final,
/// has its nonce. Fails with the node's reason if it dropped it for another.
async fn is_nonce_taken(client: &Client, hash: B256) -> anyhow::Result<bool> {
    // A node that cannot say is asked again later.
    let Ok(TransactionStatus::Dropped {
        reason, message, ..
    }) = client.transaction_status(hash).await
    else {
        return Ok(false);
    };
    // Who signs another one for the same nonce, with a higher bid, does not want this one: commands
    // that use a key at a time bid the same.
    if reason == NONCE_USED {
        return Ok(true);
    }
    let url = client.url();
    Err(said(
        format!(
            "transaction {hash} was dropped by {url}: {message}; when that is mended, repeat the command"
        ),
        format!("交易 {hash} 已被 {url} 捨棄：{message}；排除後請重複此指令"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_types::Transaction;

    #[test]
    fn signs_for_nothing_and_for_this_chain() {
        let account = Sender {
            key: SecretKey::from_seed(b"account"),
            chain_id: 7,
        };
        let signed = account.sign(3, 50_000, ATTESTATIONS, Bytes::from_static(&[1]));
        let bytes = signed.encoded;
        let signed = UnsignedTransaction::of_signed(&bytes).unwrap().unwrap();
        assert_eq!(signed.chain_id, 7);
        assert_eq!((signed.nonce, signed.gas_limit), (3, 50_000));
        assert_eq!(signed.max_fee_per_gas, 0);
        assert_eq!(signed.to, Some(ATTESTATIONS));
        let signed = Transaction::parse_and_verify(&bytes, 7).unwrap();
        assert_eq!(signed.sender(), account.address());
    }

    #[test]
    fn a_nonce_that_another_took_is_known_by_the_node_s_words() {
        let refused = |message: &str| ClientError::Refused {
            method: "eth_sendRawTransaction".into(),
            code: -32000,
            message: message.into(),
            data: None,
        };
        for (message, taken, known) in [
            ("nonce too low: address 0x1, tx: 0 state: 1", true, false),
            (
                "replacement transaction underpriced: address 0x1",
                true,
                false,
            ),
            ("already known", false, true),
            ("nonce too high: address 0x1, tx: 9 state: 1", false, false),
            ("account limit exceeded", false, false),
        ] {
            let error = refused(message);
            assert_eq!(
                (is_taken(&error), is_known(&error)),
                (taken, known),
                "{message}"
            );
        }
    }

    #[test]
    fn gas_has_a_margin_within_the_cap() {
        assert_eq!(with_margin(1_600).unwrap(), 1_700);
        let full = with_margin(TRANSACTION_GAS_MAX).unwrap();
        assert_eq!(full, TRANSACTION_GAS_MAX);
        assert!(with_margin(TRANSACTION_GAS_MAX + 1).is_err());
    }
}
