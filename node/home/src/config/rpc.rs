//! Who reaches JSON-RPC, and how.

mod check;
mod render;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::loopback;

pub(super) use check::check_keys;
pub(super) use render::keys as render_keys;

/// JSON-RPC over HTTP and WebSocket, on one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RpcConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Origins (`https://example.org`, `https://*.example.org`, `moz-extension://*`) whose web
    /// pages and browser extensions may call; `*` is any. Empty: none.
    pub cors_origins: Vec<String>,
    /// Names (`node.example.org`, `*.example.org`) under which the node is reached, beside
    /// addresses and `localhost`; `*` is any.
    pub hosts: Vec<String>,
    /// Namespaces (`eth`) and names (`eth_call`) of methods that are served. Empty: all but
    /// `admin`.
    pub methods: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Open connections.
    pub connections_max: u32,
    /// Those of one address (IPv6: of one /64). This machine and trusted proxies may have all.
    pub connections_per_address_max: u32,
    /// Bytes of a request or a batch.
    pub request_bytes_max: u32,
    /// Bytes of a response or a batch of responses.
    pub response_bytes_max: u32,
    /// Calls in one batch.
    pub batch_items_max: u32,
    /// Subscriptions of one WebSocket connection.
    pub subscriptions_max: u32,
    /// Calls that run at a time.
    pub calls_max: u32,
    /// Calls a minute of one address (IPv6: of one /64) without an API key; 0 counts none. Its
    /// /24 (/48) has twice, its /16 (/32) four times as many; this machine is not counted.
    pub address_per_minute: u32,
    /// Blocks that one `eth_getLogs` may cover.
    pub log_blocks_max: u64,
    /// Logs that one `eth_getLogs` may return.
    pub log_results_max: u32,
    /// API keys, for organisations that need more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ApiKeyConfig>,
    /// TLS; without this table the listener speaks plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// A listener for whoever runs the node; without this table there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorConfig>,
}

/// Whoever sends the API key may call, or ask for time stamps, at a rate of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Whose it is, for the operator.
    pub name: String,
    /// SHA-256 of the key. The key itself is nowhere in the home.
    pub sha256: B256,
    /// Calls, or time stamps, a minute.
    pub per_minute: u32,
}

/// PEM files of a listener with TLS, relative to the home; read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, then those between it and its root, if any.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Where whoever runs the node calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorConfig {
    /// Address to listen on.
    #[serde(default = "operator_listen")]
    pub listen: SocketAddr,
    /// Namespaces and names of methods that are served. Empty: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// File with 32 bytes in hex, relative to the home, with which callers make JSON Web Tokens;
    /// needed beyond this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<PathBuf>,
    /// TLS; without this table the listener speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
}

fn operator_listen() -> SocketAddr {
    loopback(8551)
}

impl Default for OperatorConfig {
    fn default() -> Self {
        Self {
            listen: operator_listen(),
            methods: Vec::new(),
            token_secret: None,
            tls: None,
        }
    }
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            listen: loopback(8545),
            cors_origins: Vec::new(),
            hosts: Vec::new(),
            methods: Vec::new(),
            trusted_proxies: Vec::new(),
            connections_max: 512,
            connections_per_address_max: 128,
            request_bytes_max: 5 * 1024 * 1024,
            response_bytes_max: 25 * 1024 * 1024,
            batch_items_max: 1_000,
            subscriptions_max: 64,
            calls_max: 32,
            address_per_minute: 60_000,
            log_blocks_max: 10_000,
            log_results_max: 10_000,
            keys: Vec::new(),
            tls: None,
            operator: None,
        }
    }
}
