//! `[rpc]` with an explanation of each key.

use std::path::Path;

use toml::Value;

use super::{ApiKeyConfig, OperatorConfig, RpcConfig, TlsConfig};

impl RpcConfig {
    /// The table, and those below it.
    pub(in super::super) fn to_toml(&self) -> String {
        let proxies = self.trusted_proxies.iter();
        let proxies: Vec<_> = proxies.map(ToString::to_string).collect();
        format!(
            "\
# JSON-RPC over HTTP and WebSocket.
[rpc]
listen = \"{listen}\"
# Origins whose web pages and browser extensions may call, like \"https://example.org\",
# \"https://*.example.org\" or \"moz-extension://*\"; \"*\" is any.
cors_origins = {cors_origins}
# Names under which the node is reached, beside addresses and localhost, like
# \"node.example.org\" or \"*.example.org\"; \"*\" is any.
hosts = {hosts}
# Namespaces and names of the methods that are served, like \"eth\" or \"tbsi_status\"; none is all
# but \"admin\".
methods = {methods}
# Addresses of proxies whose X-Forwarded-For is believed, like \"127.0.0.1\".
trusted_proxies = {trusted_proxies}
connections_max = {connections_max}
# Of one address (IPv6: of one /64); this machine and trusted proxies may have all.
connections_per_address_max = {connections_per_address_max}
request_bytes_max = {request_bytes_max}
response_bytes_max = {response_bytes_max}
batch_items_max = {batch_items_max}
subscriptions_max = {subscriptions_max}
# Calls that run at a time.
calls_max = {calls_max}
# Calls a minute of one address without an API key; this machine is not counted, 0 counts nobody.
address_per_minute = {address_per_minute}
# Blocks that one eth_getLogs may cover, and logs that it may return.
log_blocks_max = {log_blocks_max}
log_results_max = {log_results_max}
{keys}{tls}{operator}",
            listen = self.listen,
            cors_origins = Value::from(self.cors_origins.clone()),
            hosts = Value::from(self.hosts.clone()),
            methods = Value::from(self.methods.clone()),
            trusted_proxies = Value::from(proxies),
            connections_per_address_max = self.connections_per_address_max,
            connections_max = self.connections_max,
            request_bytes_max = self.request_bytes_max,
            response_bytes_max = self.response_bytes_max,
            batch_items_max = self.batch_items_max,
            subscriptions_max = self.subscriptions_max,
            calls_max = self.calls_max,
            address_per_minute = self.address_per_minute,
            log_blocks_max = self.log_blocks_max,
            log_results_max = self.log_results_max,
            keys = keys("rpc", &self.keys),
            tls = tls("rpc", self.tls.as_ref()),
            operator = operator(self.operator.as_ref()),
        )
    }
}

/// API keys below the table `parent`.
pub(in super::super) fn keys(parent: &str, keys: &[ApiKeyConfig]) -> String {
    if keys.is_empty() {
        return format!(
            "\
# One such table for each API key, by its hash: printf %s KEY | sha256sum
# [[{parent}.keys]]
# name = \"...\"
# sha256 = \"0x...\"
# per_minute = 6000
"
        );
    }
    let table = |key: &ApiKeyConfig| {
        format!(
            "\n[[{parent}.keys]]\nname = {}\nsha256 = \"{}\"\nper_minute = {}\n",
            Value::from(key.name.as_str()),
            key.sha256,
            key.per_minute
        )
    };
    keys.iter().map(table).collect()
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy().as_ref())
}

fn tls(parent: &str, tls: Option<&TlsConfig>) -> String {
    match tls {
        None => format!(
            "\
# TLS 1.3; PEM files relative to the home, read again when they change:
# [{parent}.tls]
# certificate = \"tls/certificate.pem\"
# key = \"tls/key.pem\"
"
        ),
        Some(tls) => format!(
            "\
\n# TLS 1.3; PEM files relative to the home, read again when they change.
[{parent}.tls]
certificate = {}
key = {}
",
            path(&tls.certificate),
            path(&tls.key)
        ),
    }
}

fn operator(operator: Option<&OperatorConfig>) -> String {
    let Some(operator) = operator else {
        return "\
# A listener for whoever runs the node, on this machine or with JSON Web Tokens (HS256) made with
# the 32 bytes in a file: (umask 077; openssl rand -hex 32 > keys/rpc.secret)
# [rpc.operator]
# listen = \"127.0.0.1:8551\"
# methods = [\"admin\", \"tbsi\"]
# token_secret = \"keys/rpc.secret\"
"
        .into();
    };
    let secret = match &operator.token_secret {
        Some(file) => format!("token_secret = {}", path(file)),
        None => "# token_secret = \"keys/rpc.secret\"".into(),
    };
    format!(
        "
# A listener for whoever runs the node, on this machine or with JSON Web Tokens (HS256).
[rpc.operator]
listen = \"{listen}\"
# Namespaces and names of the methods that are served; none is all.
methods = {methods}
# File with 32 bytes in hex, with which tokens are made:
# (umask 077; openssl rand -hex 32 > keys/rpc.secret)
{secret}
{tls}",
        listen = operator.listen,
        methods = Value::from(operator.methods.clone()),
        tls = tls("rpc.operator", operator.tls.as_ref()),
    )
}
