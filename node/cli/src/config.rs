//! `tbsi config`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_node::listeners;
use tbsi_node::tsa::Authority;

use crate::password::PasswordFile;
use crate::report::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the configuration, genesis file and keys of a home directory, as `node run` would.
    Check {
        /// Home directory of the node.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        #[command(flatten)]
        password: PasswordFile,
        #[command(flatten)]
        format: Format,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Check {
        home,
        password,
        format,
    } = command;
    let home = password.unlock(&home)?;
    let loaded = home.load()?;
    let config = &loaded.config;
    listeners::check(&home, config)?;
    if let Some(tsa) = &config.tsa {
        Authority::load(&home.unlock(&loaded.config)?, tsa)?;
    }
    let role = if config.validator {
        "validator"
    } else {
        "observer"
    };
    let text = format!(
        "{} is valid: {role} `{}` of network `{}`, chain id {}\n\
         rpc {}, metrics {}, consensus {}, gossip {}, {} peers",
        home.config_file().display(),
        config.name,
        loaded.genesis.name,
        loaded.genesis.chain_id,
        config.rpc.listen,
        config.metrics.listen,
        config.p2p.consensus,
        config.p2p.gossip,
        config.p2p.peers.len(),
    );
    let json = json!({
        "config": config,
        "chainId": loaded.genesis.chain_id,
        "genesisHash": loaded.genesis.hash(),
        "peerId": loaded.node_key.peer_id(),
    });
    format.print(&text, &json)
}
