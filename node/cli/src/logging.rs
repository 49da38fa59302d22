//! The log, on stderr.

use std::io;

use anyhow::Context;
use tbsi_home::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// Libraries warn, except gossipsub: it does so for each heartbeat of a peer that is connected
/// directly, as all are here.
const OTHERS: &str =
    "warn,libp2p_gossipsub=error,arc_malachitebft_network=off,arc_malachitebft_discovery=off";

/// TBSI's crates, whose level the operator chooses.
const OWN: [&str; 9] = [
    "tbsi",
    "tbsi_bridge",
    "tbsi_engine",
    "tbsi_execution",
    "tbsi_keys",
    "tbsi_node",
    "tbsi_rpc",
    "tbsi_store",
    "tbsi_warroom",
];

/// Starts the log. `RUST_LOG` overrides the configured level.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) => filter,
        Err(_) => directives(config),
    };
    let filter = EnvFilter::try_new(&filter)
        .with_context(|| format!("environment variable RUST_LOG, `{filter}`"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let started = match config.format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("start the log: {error}"))
}

fn directives(config: &LogConfig) -> String {
    let level = config.level.as_str();
    let own = OWN.map(|name| format!("{name}={level}"));
    format!("{OTHERS},{}", own.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_home::config::LogLevel;

    #[test]
    fn every_level_makes_a_filter() {
        for level in [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ] {
            let format = LogFormat::Text;
            let directives = directives(&LogConfig { level, format });
            EnvFilter::try_new(&directives).unwrap();
            let own = format!("tbsi_node={}", level.as_str());
            assert!(directives.starts_with("warn,") && directives.contains(&own));
        }
    }
}
