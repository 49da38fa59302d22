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
         rpc {}, metrics {}, consensus {}, gossip {}\n\
         peers: {} in the configuration, {} of the genesis file found",
        home.config_file().shown(),
        config.name,
        shown::line(&loaded.genesis.name),
        loaded.genesis.chain_id,
        config.rpc.listen,
        config.metrics.listen,
        config.p2p.consensus,
        config.p2p.gossip,
        config.p2p.peers.len(),
        counted(config.peers_found(&loaded.genesis), "other node"),
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
    let missing = config.peers_not_found(genesis);
    let problems = config.out_of_reach(genesis).into_iter();
    let mut warnings: Vec<String> = problems.map(|problem| problem.to_string()).collect();
    if missing.is_empty() {
        return warnings;
    }
    let names = missing.iter().map(|node| shown::line(&node.name));
    let names = names.collect::<Vec<_>>().join(", ");
    warnings.push(if config.p2p.registry_addresses {
        format!(
            "the genesis file does not say in a form that is understood where these nodes listen: \
             {names}. Give them as `[[p2p.peers]]`, unless the registry of the chain says it"
        )
    } else {
        format!(
            "`registry_addresses = false`, and no `[[p2p.peers]]` of {names}: this node connects \
             to them only if they connect to it"
        )
    });
    warnings
}
