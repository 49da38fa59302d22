//! `tbsi config`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_home::LoadedHome;
use tbsi_node::listeners;
use tbsi_node::tsa::Authority;

use crate::lang::{Sentence, counted};
use crate::password::PasswordFile;
use crate::report::Say;
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
        say: Say,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Check {
        home,
        password,
        say,
    } = command;
    say.told(check(&home, &password))
}

fn check(home: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(home)?;
    let loaded = home.load()?;
    let config = &loaded.config;
    listeners::check(&home, config)?;
    if let Some(tsa) = &config.tsa {
        Authority::load(&home.unlock(&loaded.config)?, tsa)?;
    }
    let (role, role_zh_tw) = if config.validator {
        ("validator", "驗證者")
    } else {
        ("observer", "觀察節點")
    };
    let mut en = format!(
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
    let mut zh_tw = format!(
        "{} 正確：網路 `{}`（鏈識別碼 {}）的{role_zh_tw} `{}`\n\
         rpc {}，metrics {}，consensus {}，gossip {}，對等節點 {} 個",
        home.config_file().shown(),
        shown::line(&loaded.genesis.name),
        loaded.genesis.chain_id,
        config.name,
        config.rpc.listen,
        config.metrics.listen,
        config.p2p.consensus,
        config.p2p.gossip,
        config.p2p.peers.len(),
    );
    let warnings = warnings(&loaded);
    for (warning, warning_zh_tw) in &warnings {
        write!(en, "\nwarning: {warning}")?;
        write!(zh_tw, "\n警告：{warning_zh_tw}")?;
    }
    let json = json!({
        "config": config,
        "chainId": loaded.genesis.chain_id,
        "genesisHash": loaded.genesis.hash(),
        "peerId": loaded.node_key.peer_id(),
        "warnings": warnings.iter().map(|(en, _)| en).collect::<Vec<_>>(),
    });
    Ok(((en, zh_tw), json))
}

/// What is allowed, and probably not meant.
fn warnings(loaded: &LoadedHome) -> Vec<Sentence> {
    let (config, genesis) = (&loaded.config, &loaded.genesis);
    let others = genesis.nodes.iter().filter(|node| node.name != config.name);
    let others = others.count();
    if !config.p2p.peers.is_empty() || others == 0 {
        return Vec::new();
    }
    vec![(
        format!(
            "no `[[p2p.peers]]`: this node connects to nobody, and takes part only if others \
             connect to it; the genesis file names {}",
            counted(others, "other node")
        ),
        format!(
            "沒有 `[[p2p.peers]]`：此節點不會主動連線，只有其他節點連入時才能參與；\
             創世檔另有 {others} 個節點"
        ),
    )]
}
