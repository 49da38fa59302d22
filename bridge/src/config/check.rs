//! What can be known to be wrong with a configuration without asking anybody.

use tbsi_rpc::Http;
use tbsi_types::limits::ORGANISATION_NAME_BYTES_MAX;

use super::{Config, ConfigError, TargetConfig};
use crate::limits::{
    ENDPOINTS_MAX, IN_FLIGHT_MAX, JOURNAL_BYTES_LEAST, JOURNAL_BYTES_MOST, LEAVES_PER_PLAN_MAX,
    SELECTED_MAX,
};

impl Config {
    /// Everything that can be known to be wrong without asking anybody.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_names()?;
        check_endpoints("source.rpc", &self.source.rpc)?;
        let counts = [
            ("source.agree", self.source.agree, self.source.rpc.len()),
            (
                "batch.leaves_max",
                self.batch.leaves_max,
                LEAVES_PER_PLAN_MAX,
            ),
            (
                "batch.in_flight_max",
                self.batch.in_flight_max,
                IN_FLIGHT_MAX,
            ),
        ];
        for (key, value, most) in counts {
            between(key, value as u64, 1, most as u64)?;
        }
        between("source.poll_ms", self.source.poll_ms, 10, 60_000)?;
        between("metrics.stall_s", self.metrics.stall_s, 1, 86_400)?;
        let lists = [
            ("select.schemas", self.select.schemas.len()),
            ("select.issuers", self.select.issuers.len()),
            ("select.senders", self.select.senders.len()),
        ];
        for (key, count) in lists {
            between(key, count as u64, 0, SELECTED_MAX as u64)?;
        }
        let bytes = self.audit.file_bytes;
        let (least, most) = (JOURNAL_BYTES_LEAST, JOURNAL_BYTES_MOST);
        between("audit.file_bytes", bytes, least, most)?;
        match &self.target {
            TargetConfig::Evm(evm) => evm.check(),
            TargetConfig::Fabric(fabric) => fabric.check(),
        }
    }

    fn check_names(&self) -> Result<(), ConfigError> {
        let (zh, en) = (&self.relayer.name_zh_tw, &self.relayer.name_en);
        if en.trim().is_empty() {
            return wrong(
                "relayer.name_en",
                "is empty; give the legal name of who answers for it",
            );
        }
        if zh.len().max(en.len()) > ORGANISATION_NAME_BYTES_MAX {
            let problem = format!("has more than {ORGANISATION_NAME_BYTES_MAX} bytes");
            return wrong("relayer.name_en", &problem);
        }
        match (&self.relayer.key, &self.relayer.signer) {
            (Some(_), Some(_)) => wrong(
                "relayer.signer",
                "stands beside relayer.key; the account has its key in one place, remove the other",
            ),
            (None, None) => wrong(
                "relayer.key",
                "is absent, and so is relayer.signer; name the file of the account's key",
            ),
            (Some(_), None) | (None, Some(_)) => Ok(()),
        }
    }
}

pub(super) fn check_endpoints(key: &'static str, urls: &[String]) -> Result<(), ConfigError> {
    between(key, urls.len() as u64, 1, ENDPOINTS_MAX as u64)?;
    for (position, url) in urls.iter().enumerate() {
        if let Err(error) = Http::check(url) {
            return wrong(key, &format!("has a wrong entry: {error}"));
        }
        if urls[..position].contains(url) {
            return wrong(
                key,
                &format!("has `{url}` twice; it would agree with itself"),
            );
        }
    }
    Ok(())
}

pub(super) fn between(
    key: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    wrong(key, &format!("is {value}; {least} to {most} is allowed"))
}

pub(super) fn wrong<T>(key: &'static str, problem: &str) -> Result<T, ConfigError> {
    let problem = problem.into();
    Err(ConfigError::Value { key, problem })
}
