//! What an operator decides about an EVM chain that is written to.

use std::path::PathBuf;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::check::{between, check_endpoints, wrong};
use super::{ConfigError, Finality, RemoteKey};
use crate::limits::{
    DEPTH_MAX, TRANSACTION_BYTES, TRANSACTION_BYTES_LEAST, TRANSACTION_BYTES_MOST,
};

/// The EVM chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvmConfig {
    /// EIP-155 chain id; another one stops the relayer before it spends.
    pub chain_id: u64,
    /// JSON-RPC addresses, http or https; what they are shown is in `http.toml` beside this file.
    pub rpc: Vec<String>,
    /// So many of them must give the same answer before it counts.
    #[serde(default = "one")]
    pub agree: usize,
    /// The light client.
    pub light_client: Address,
    /// The inbox that messages to this chain are delivered to; without it none are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<Address>,
    /// From when on a block cannot go away; `tbsi relay check` compares it with the chain.
    #[serde(default)]
    pub finality: Finality,
    /// Gas of one transaction; at most 16,777,216 (EIP-7825).
    #[serde(default = "gas")]
    pub gas_max: u64,
    /// Bytes of one transaction, as nodes of the target take them: 131,072 with go-ethereum, 65,536
    /// with GoQuorum unless its genesis says otherwise.
    #[serde(default = "bytes")]
    pub bytes_max: usize,
    /// Gas of one message, its receiver's included.
    #[serde(default = "message_gas")]
    pub message_gas_max: u64,
    /// File with the secret key of the account on this chain, if it is another than the relayer's;
    /// as `relayer.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// File with the password of that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// That key is in another process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<RemoteKey>,
    /// What a transaction may cost.
    #[serde(default)]
    pub fees: FeesConfig,
}

/// Wei for each gas, and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeesConfig {
    /// No bid is higher; above it the relayer waits.
    pub fee_cap_wei: u64,
    /// No tip is lower.
    pub tip_min_wei: u64,
    /// Milliseconds after which a transaction that is not in a block is replaced.
    pub replace_after_ms: u64,
    /// Times that it is.
    pub replacements_max: u32,
    /// Below this balance (wei) the relayer says that it is not ready.
    pub balance_min_wei: u64,
}

impl Default for FeesConfig {
    fn default() -> Self {
        Self {
            fee_cap_wei: 100_000_000_000,
            tip_min_wei: 1,
            replace_after_ms: 60_000,
            replacements_max: 20,
            balance_min_wei: 10_000_000_000_000_000,
        }
    }
}

impl FeesConfig {
    /// For a chain without fees.
    pub fn none() -> Self {
        Self {
            fee_cap_wei: 0,
            tip_min_wei: 0,
            balance_min_wei: 0,
            ..Self::default()
        }
    }
}

fn one() -> usize {
    1
}

fn gas() -> u64 {
    15_000_000
}

fn bytes() -> usize {
    TRANSACTION_BYTES
}

fn message_gas() -> u64 {
    2_000_000
}

impl EvmConfig {
    /// What an operator has to say; the rest as usual.
    pub fn new(chain_id: u64, rpc: Vec<String>, light_client: Address) -> Self {
        Self {
            chain_id,
            rpc,
            agree: one(),
            light_client,
            inbox: None,
            finality: Finality::default(),
            gas_max: gas(),
            bytes_max: bytes(),
            message_gas_max: message_gas(),
            key: None,
            password_file: None,
            signer: None,
            fees: FeesConfig::default(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_endpoints("target.rpc", &self.rpc)?;
        between("target.agree", self.agree as u64, 1, self.rpc.len() as u64)?;
        between("target.chain_id", self.chain_id, 1, u64::MAX / 2)?;
        between("target.gas_max", self.gas_max, 200_000, 1 << 24)?;
        let (least, most) = (TRANSACTION_BYTES_LEAST, TRANSACTION_BYTES_MOST);
        let bytes = self.bytes_max as u64;
        between("target.bytes_max", bytes, least as u64, most as u64)?;
        if let Finality::Depth(blocks) = self.finality {
            between("target.finality.depth", blocks, 1, DEPTH_MAX)?;
        }
        let message_gas = self.message_gas_max;
        between("target.message_gas_max", message_gas, 200_000, 1 << 24)?;
        self.fees.check()?;
        if self.light_client.is_zero() {
            return wrong(
                "target.light_client",
                "is zero; give the contract's address",
            );
        }
        if self.inbox.is_some_and(|inbox| inbox.is_zero()) {
            return wrong("target.inbox", "is zero; give the contract's address");
        }
        if self.key.is_some() && self.signer.is_some() {
            return wrong(
                "target.signer",
                "stands beside target.key; the account has its key in one place, remove the other",
            );
        }
        Ok(())
    }
}

impl FeesConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let after = self.replace_after_ms;
        between("target.fees.replace_after_ms", after, 500, 86_400_000)?;
        let times = self.replacements_max.into();
        between("target.fees.replacements_max", times, 0, 100)?;
        if self.tip_min_wei > self.fee_cap_wei {
            let problem = "is above target.fees.fee_cap_wei; lower it";
            return wrong("target.fees.tip_min_wei", problem);
        }
        Ok(())
    }
}
