//! The node's configuration: one file, `config.toml`, checked completely before anything is
//! opened or bound.
//!
//! What all nodes of a network must agree on is in the genesis file; here is only what one
//! node may choose for itself.

mod check;
mod error;
mod history;
mod peers;
mod presets;
mod render;
mod rpc;
mod schema;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_keys::signer::SignerAddress;

pub use error::ConfigError;
pub use history::HISTORY_ALL;
pub use peers::OutOfReach;
pub use presets::StorePreset;
pub use rpc::{ApiKeyConfig, OperatorConfig, RpcConfig, TlsConfig};

use crate::limits::TWIN_WATCH_MS;

/// Bytes of a configuration file: room for 1,024 peers several times over.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Everything one node may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This node's name in the genesis file.
    pub name: String,
    /// Whether the node votes. Must agree with the presence of `keys/validator.key`, so that
    /// a lost key file stops a validator instead of making it an observer.
    pub validator: bool,
    /// JSON-RPC over HTTP and WebSocket.
    #[serde(default)]
    pub rpc: RpcConfig,
    /// Health and metrics over HTTP.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// Other nodes.
    #[serde(default)]
    pub p2p: P2pConfig,
    /// The database.
    #[serde(default)]
    pub store: StoreConfig,
    /// Transactions that wait for a block.
    #[serde(default)]
    pub mempool: MempoolConfig,
    /// The log, on stderr.
    #[serde(default)]
    pub log: LogConfig,
    /// Witnesses of the attestation log, and logs that this node witnesses.
    #[serde(default)]
    pub attestation_log: AttestationLogConfig,
    /// The key files.
    #[serde(default)]
    pub keys: KeysConfig,
    /// Who holds the validator key, if another process does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerConfig>,
    /// Time stamps at `/tsa`; without this table there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tsa: Option<TsaConfig>,
}

/// The attestation log beyond this network (SPEC §9.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttestationLogConfig {
    /// How often outside witnesses are asked to cosign a log that grows, seconds.
    pub submit_interval_s: u64,
    /// Outside witnesses, which are asked to cosign this network's log.
    pub witnesses: Vec<WitnessConfig>,
    /// Keys of other logs, whose checkpoints this node cosigns.
    pub witnessed: Vec<WitnessedConfig>,
}

/// An outside witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Its verifier key, `<name>+<id>+<base64>`, of the type of cosigners.
    pub key: String,
    /// Its submission prefix, `http://...` or `https://...`; what it is shown is in `http.toml`.
    pub url: String,
}

/// Another log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessedConfig {
    /// Its origin; without it, the key's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// A verifier key with which it signs, `<name>+<id>+<base64>`. A log may have several.
    pub key: String,
}

/// The key files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// File with the password of the encrypted ones, relative to the home; only its owner may
    /// read it. Without it, `--password-file` or a terminal is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// How long a validator that has signed before listens, when it starts, whether another
    /// process signs with its key (SPEC §6.4), in milliseconds; 0 looks out for none.
    pub twin_watch_ms: u64,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            password_file: None,
            twin_watch_ms: TWIN_WATCH_MS,
        }
    }
}

/// A remote signer (SPEC §6.8). The home then has `keys/signer.key` and no validator key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerConfig {
    /// Where it listens: `unix:PATH` or `IP:PORT`.
    pub address: SignerAddress,
    /// Its X25519 key, 32 bytes: what `tbsi keys show` prints as signer key of its home.
    pub public_key: B256,
    /// The validator key that it signs with, 33 bytes.
    pub validator_key: Bytes,
}

/// Time stamps of RFC 3161 at `/tsa` of the RPC port. Paths are relative to the home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TsaConfig {
    /// PEM file: the authority's certificate (of a P-256 or RSA key, with the critical extended
    /// key usage timeStamping and no other), then those between it and its root, if any.
    pub certificate: PathBuf,
    /// PEM file with the certificate's private key.
    pub key: PathBuf,
    /// Key file (64 hex digits) of the account that attests the digests.
    pub issuer_key: PathBuf,
    /// OID of the policy under which time stamps are made.
    #[serde(default = "default_policy")]
    pub policy: String,
    /// Time stamps a minute of all who have no API key.
    #[serde(default = "default_per_minute")]
    pub per_minute: u32,
    /// Of them, those of one address (IPv6: of one /64). Its /24 (/48) has twice, its /16 (/32)
    /// four times as many.
    #[serde(default = "default_address_per_minute")]
    pub address_per_minute: u32,
    /// API keys, for those who need more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ApiKeyConfig>,
    /// A calendar of OpenTimestamps at `/digest` and `/timestamp`, under the same rates; without
    /// this table there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarConfig>,
}

/// A calendar of OpenTimestamps (SPEC §10.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarConfig {
    /// `http://HOST[:PORT]` or `https://...` under which clients reach this node's RPC port: it
    /// is in every timestamp, and stays there.
    pub url: String,
    /// A calendar that is anchored in Bitcoin, `http://...` or `https://...`.
    /// Without it, timestamps stay pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// How often the log's root is sent there, if it has grown, seconds.
    #[serde(default = "default_anchor_interval_s")]
    pub interval_s: u64,
}

const fn default_anchor_interval_s() -> u64 {
    3_600
}

impl CalendarConfig {
    /// Under this URL, without Bitcoin.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            upstream: None,
            interval_s: default_anchor_interval_s(),
        }
    }
}

fn default_policy() -> String {
    TSA_POLICY.into()
}

const fn default_per_minute() -> u32 {
    1_200
}

const fn default_address_per_minute() -> u32 {
    120
}

impl TsaConfig {
    /// With the usual policy and rates.
    pub fn new(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
        issuer_key: impl Into<PathBuf>,
    ) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            issuer_key: issuer_key.into(),
            policy: default_policy(),
            per_minute: default_per_minute(),
            address_per_minute: default_address_per_minute(),
            keys: Vec::new(),
            calendar: None,
        }
    }
}

/// The policy of SPEC §11, in the arc for examples (RFC 5612). An operator with an arc has its
/// own.
pub const TSA_POLICY: &str = "1.3.6.1.4.1.32473.8862026.1";

/// Health (`/livez`, `/readyz`) and Prometheus metrics (`/metrics`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
}

/// Where this node listens for others, and where it finds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct P2pConfig {
    /// TCP address for consensus.
    pub consensus: SocketAddr,
    /// TCP address for transactions.
    pub gossip: SocketAddr,
    /// Whether other nodes are looked for where the chain says that they listen, besides `peers`.
    pub registry_addresses: bool,
    /// Nodes to connect to. Which nodes may connect is the chain's matter.
    pub peers: Vec<PeerConfig>,
}

/// Where another node listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its libp2p peer id, base58, as in the genesis file.
    pub peer_id: String,
    /// Its TCP address for consensus.
    pub consensus: SocketAddr,
    /// Its TCP address for transactions.
    pub gossip: SocketAddr,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// What is kept, where the two keys below do not say otherwise.
    pub preset: StorePreset,
    /// Blocks behind the tip whose state can still be read and proved, at least 128;
    /// [`HISTORY_ALL`], in the file "all", keeps the state after every block.
    #[serde(with = "history")]
    pub history_blocks: u64,
    /// Blocks behind the tip whose transactions and receipts are kept; [`HISTORY_ALL`], in the file
    /// "all", keeps those of every block. The log, headers and certificates are kept for ever.
    #[serde(with = "history::blocks")]
    pub keep_blocks: u64,
    /// Whether an index finds the transactions of an account (`ots_searchTransactions…`). It
    /// knows the blocks since it was turned on.
    pub address_index: bool,
}

/// Transactions that wait for a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MempoolConfig {
    /// Transactions in all.
    pub transactions_max: u32,
    /// Bytes in all.
    pub bytes_max: u64,
    /// One part in so many of both is for what is sent to this node, the rest for what other
    /// nodes pass on; 1: all is for both.
    pub own_part: u32,
    /// Transactions of one sender.
    pub per_sender_max: u32,
    /// How many nonces may be missing before a transaction.
    pub nonce_gap_max: u32,
}

/// The log, on stderr. The environment variable `RUST_LOG` overrides `level`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Least severity that TBSI's own code writes; libraries write warnings and errors.
    pub level: LogLevel,
    /// For people or for programs.
    pub format: LogFormat,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// The node must stop, or has stopped doing something.
    Error,
    /// An operator should look.
    Warn,
    /// What an operator would miss.
    Info,
    /// What a developer would.
    Debug,
    /// Everything.
    Trace,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object.
    Json,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Default for AttestationLogConfig {
    fn default() -> Self {
        Self {
            submit_interval_s: 10,
            witnesses: Vec::new(),
            witnessed: Vec::new(),
        }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            listen: loopback(9464),
        }
    }
}

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            consensus: loopback(27000),
            gossip: loopback(27001),
            registry_addresses: true,
            peers: Vec::new(),
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        let preset = StorePreset::Full;
        Self {
            preset,
            history_blocks: preset.history_blocks(),
            keep_blocks: preset.keep_blocks(),
            address_index: false,
        }
    }
}

impl Default for MempoolConfig {
    fn default() -> Self {
        Self {
            transactions_max: 20_000,
            bytes_max: 64 * 1024 * 1024,
            own_part: 4,
            per_sender_max: 1_024,
            nonce_gap_max: 1_024,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            format: LogFormat::Text,
        }
    }
}

impl LogLevel {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl LogFormat {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Config {
    /// Defaults for a node of this name and role.
    pub fn new(name: &str, validator: bool) -> Self {
        Self {
            name: name.into(),
            validator,
            rpc: RpcConfig::default(),
            metrics: MetricsConfig::default(),
            p2p: P2pConfig::default(),
            store: StoreConfig::default(),
            mempool: MempoolConfig::default(),
            log: LogConfig::default(),
            attestation_log: AttestationLogConfig::default(),
            keys: KeysConfig::default(),
            signer: None,
            tsa: None,
        }
    }

    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Read {
            file: file.into(),
            source,
        };
        let mut text = String::new();
        File::open(file)
            .map_err(|source| {
                if source.kind() == ErrorKind::NotFound {
                    return ConfigError::Missing { file: file.into() };
                }
                failed(source)
            })?
            .take(CONFIG_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge { file: file.into() });
        }
        Self::parse(&text, file)
    }

    /// Parses and checks the text of `file`, whose name appears in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::syntax(file, text, &error);
        let table: toml::Table = text.parse().map_err(syntax)?;
        if let Some((key, nearest)) = schema::unknown_key(&table) {
            return Err(ConfigError::UnknownKey {
                file: file.into(),
                key,
                nearest,
            });
        }
        let mut config: Self = toml::from_str(text).map_err(syntax)?;
        config.store.complete(&table);
        config.check().map_err(|wrong| ConfigError::Field {
            file: file.into(),
            field: wrong.field,
            problem: wrong.problem,
        })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
