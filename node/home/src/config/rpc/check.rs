//! What values `[rpc]` may have.

use std::collections::BTreeSet;

use super::super::check::{Wrong, check_name, check_path, within, wrong};
use super::{ApiKeyConfig, OperatorConfig, RpcConfig, TlsConfig};
use crate::limits::{API_KEYS_MAX, API_PER_MINUTE_MAX, RPC_ENTRIES_MAX};

impl RpcConfig {
    pub(in super::super) fn check(&self) -> Result<(), Wrong> {
        // What an entry means, and so which can mean nothing, is the server's to say.
        let max = RPC_ENTRIES_MAX as u64;
        within("rpc.cors_origins", self.cors_origins.len() as u64, 0, max)?;
        within("rpc.hosts", self.hosts.len() as u64, 0, max)?;
        methods("rpc.methods", &self.methods)?;
        let field = "rpc.address_per_minute";
        within(
            field,
            self.address_per_minute.into(),
            0,
            API_PER_MINUTE_MAX.into(),
        )?;
        check_keys("rpc.keys", &self.keys)?;
        if let Some(tls) = &self.tls {
            check_tls("rpc.tls", tls)?;
        }
        self.operator.as_ref().map_or(Ok(()), check_operator)
    }
}

/// Which there are the server knows.
fn methods(field: &str, entries: &[String]) -> Result<(), Wrong> {
    within(field, entries.len() as u64, 0, RPC_ENTRIES_MAX as u64)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    for entry in entries {
        if entry.is_empty() || !entry.bytes().all(plain) {
            let problem = format!(
                "`{}` is neither a namespace such as `eth` nor a method such as `eth_call`",
                entry.escape_debug()
            );
            return wrong(field, problem);
        }
    }
    Ok(())
}

fn check_operator(operator: &OperatorConfig) -> Result<(), Wrong> {
    methods("rpc.operator.methods", &operator.methods)?;
    match &operator.token_secret {
        Some(file) => check_path("rpc.operator.token_secret", file)?,
        None if operator.listen.ip().is_loopback() => {}
        None => {
            let problem = format!(
                "{} is reached from other machines: set `rpc.operator.token_secret`, or listen on \
                 127.0.0.1",
                operator.listen
            );
            return wrong("rpc.operator.listen", problem);
        }
    }
    let tls = operator.tls.as_ref();
    tls.map_or(Ok(()), |tls| check_tls("rpc.operator.tls", tls))
}

fn check_tls(field: &str, tls: &TlsConfig) -> Result<(), Wrong> {
    check_path(&format!("{field}.certificate"), &tls.certificate)?;
    check_path(&format!("{field}.key"), &tls.key)
}

/// API keys of a list.
pub(in super::super) fn check_keys(list: &str, keys: &[ApiKeyConfig]) -> Result<(), Wrong> {
    within(list, keys.len() as u64, 0, API_KEYS_MAX as u64)?;
    let mut seen = BTreeSet::new();
    for (index, key) in keys.iter().enumerate() {
        let field = |name: &str| format!("{list}[{index}].{name}");
        check_name(&field("name"), &key.name)?;
        let rate = u64::from(key.per_minute);
        within(&field("per_minute"), rate, 1, API_PER_MINUTE_MAX.into())?;
        if !seen.insert(key.sha256) {
            return wrong(&field("sha256"), "appears twice");
        }
        // What `printf '' | sha256sum` says: a key that was forgotten.
        if key.sha256 == tbsi_types::sha256(&[]) {
            return wrong(&field("sha256"), "is that of an empty key");
        }
    }
    Ok(())
}
