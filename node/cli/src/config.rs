//! `tbsi config`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_home::LoadedHome;
use tbsi_node::listeners;
use tbsi_node::tsa::Authority;

use crate::lang::counted;
use crate::password::PasswordFile;
use crate::report::Format;
use crate::shown::{self, PathShown};

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
         rpc {}, metrics {}, consensus {}, gossip {}, {}",
        home.config_file().shown(),
        config.name,
        shown::line(&loaded.genesis.name),
        loaded.genesis.chain_id,
        config.rpc.listen,
        config.metrics.listen,
        config.p2p.consensus,
        config.p2p.gossip,
        counted(config.p2p.peers.len(), "peer"),
    );
    let warnings = warnings(&loaded);
    let text = warnings
        .iter()
        .fold(text, |text, it| format!("{text}\nwarning: {it}"));
    let json = json!({
        "config": config,
        "chainId": loaded.genesis.chain_id,
        "genesisHash": loaded.genesis.hash(),
        "peerId": loaded.node_key.peer_id(),
        "warnings": warnings,
    });
    format.print(&text, &json)
}

/// What is allowed, and probably not meant.
fn warnings(loaded: &LoadedHome) -> Vec<String> {
    let (config, genesis) = (&loaded.config, &loaded.genesis);
    let others = genesis.nodes.iter().filter(|node| node.name != config.name);
    let others = others.count();
    if !config.p2p.peers.is_empty() || others == 0 {
        return Vec::new();
    }
    vec![format!(
        "no `[[p2p.peers]]`: this node connects to nobody, and takes part only if others connect to \
         it; the genesis file names {}",
        counted(others, "other node")
    )]
}
