//! The relayer's configuration: one file, `config.toml`, checked completely before anything is
//! opened or asked.

mod check;
mod evm;
mod fabric;
mod finality;
mod routes;

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use tbsi_types::sha256;

use crate::limits::{CONFIG_BYTES_MAX, JOURNAL_BYTES};

pub use evm::{EvmConfig, FeesConfig};
pub use fabric::FabricConfig;
pub use finality::Finality;
pub use routes::{ROUTES_FILE, RouteConfig, Routes};

/// Name of the file in the home directory.
pub const CONFIG_FILE: &str = "config.toml";

/// All that an operator decides. Paths are relative to the home directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who answers for this relayer.
    pub relayer: RelayerConfig,
    /// The TBSI network.
    pub source: SourceConfig,
    /// The chain that is written to.
    pub target: TargetConfig,
    /// What is carried.
    #[serde(default)]
    pub select: SelectConfig,
    /// How much a transaction carries, and how many are on their way.
    #[serde(default)]
    pub batch: BatchConfig,
    /// When the record's head is attested on the source.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Health and metrics over HTTP.
    #[serde(default)]
    pub metrics: HealthConfig,
}

/// Legal names, as in the registry of organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayerConfig {
    /// In Traditional Chinese; empty if it has none.
    #[serde(default)]
    pub name_zh_tw: String,
    /// In English.
    pub name_en: String,
    /// File with the secret key of its account, by which its record is attested on the source and,
    /// unless `target.key` or `target.signer` names another, what it sends is signed; mode 0600: 64
    /// hex digits, or encrypted (Web3 Secret Storage). Either this or `signer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// File with the password of an encrypted key; without it the terminal is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The key is in another process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<RemoteKey>,
    /// Refuse to start unless the source's registry has the account, with the permission to
    /// relay, as one of the organisation above.
    #[serde(default)]
    pub registered: bool,
}

/// A key in another process (SPEC §6.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteKey {
    /// Where it listens: `unix:PATH` or `IP:PORT`.
    pub address: String,
    /// The key that it proves to have, as `tbsi signer init` prints it.
    pub public_key: B256,
    /// The account that it signs for.
    pub account: Address,
    /// File with the key that it knows this relayer by.
    pub link_key: PathBuf,
}

/// The TBSI network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its genesis file: what everything is verified with.
    pub genesis: PathBuf,
    /// JSON-RPC addresses of its nodes, http or https; what they are shown is in `http.toml` beside
    /// this file.
    pub rpc: Vec<String>,
    /// So many of them must show the same checkpoint before it is carried.
    #[serde(default = "one")]
    pub agree: usize,
    /// Milliseconds between two looks.
    #[serde(default = "poll")]
    pub poll_ms: u64,
}

/// A chain that is written to, by its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TargetConfig {
    /// An EVM chain.
    Evm(EvmConfig),
    /// A channel of Hyperledger Fabric.
    Fabric(FabricConfig),
}

/// What is carried by itself; `tbsi relay send` adds to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelectConfig {
    /// A checkpoint at least this often, in seconds of the source's time; 0 for none but those
    /// that leaves need and those that keep the light client alive.
    pub checkpoint_interval_s: u64,
    /// All attestations.
    pub all: bool,
    /// Attestations under these schemas.
    pub schemas: Vec<B256>,
    /// Attestations by these issuers.
    pub issuers: Vec<Address>,
    /// Messages by these senders; all messages to the target if the list is empty.
    pub senders: Vec<Address>,
    /// Leaves before this one are left alone.
    pub from_leaf: u64,
}

/// How much a transaction carries, and how many are on their way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// Leaves of one transaction.
    pub leaves_max: usize,
    /// Transactions that are not final.
    pub in_flight_max: usize,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            leaves_max: 200,
            in_flight_max: 32,
        }
    }
}

/// When the record's head is attested on the source, by the relayer's key, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// So many seconds after the last time; 0 for never.
    pub interval_s: u64,
    /// Bytes of a file of the journal; then another one begins.
    pub file_bytes: u64,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            interval_s: 3_600,
            file_bytes: JOURNAL_BYTES,
        }
    }
}

/// Health (`/livez`, `/readyz`) and Prometheus metrics (`/metrics`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Seconds without progress, while something waits, after which it is not ready.
    pub stall_s: u64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9_465)),
            stall_s: 600,
        }
    }
}

fn one() -> usize {
    1
}

fn poll() -> u64 {
    500
}

/// Names the file, the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read configuration {file}; `tbsi relay init` makes it", file = file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Above the size limit, or not TOML of this shape.
    #[error("configuration {file}: {problem}", file = file.display())]
    Syntax {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A value that cannot be.
    #[error("configuration key `{key}` {problem}")]
    Value {
        /// Which.
        key: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

fn read_limited(file: &Path) -> Result<String, ConfigError> {
    let mut text = String::new();
    let opened = File::open(file).and_then(|opened| {
        let mut limited = opened.take(CONFIG_BYTES_MAX + 1);
        limited.read_to_string(&mut text)
    });
    if let Err(source) = opened {
        let file = file.into();
        return Err(ConfigError::Read { file, source });
    }
    if text.len() as u64 > CONFIG_BYTES_MAX {
        let problem = format!("more than the {CONFIG_BYTES_MAX} bytes that are allowed");
        let file = file.into();
        return Err(ConfigError::Syntax { file, problem });
    }
    Ok(text)
}

impl Config {
    /// Reads and checks the file in `home`; also returns the SHA-256 of its bytes.
    pub fn load(home: &Path) -> Result<(Self, B256), ConfigError> {
        let file = home.join(CONFIG_FILE);
        let text = read_limited(&file)?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            file,
            problem: error.to_string(),
        })?;
        config.check()?;
        Ok((config, sha256(&[text.as_bytes()])))
    }

    /// As a file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has string keys only")
    }
}

#[cfg(test)]
mod tests;
