//! `tbsi config`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_home::LoadedHome;
use tbsi_home::config::OutOfReach;
use tbsi_node::listeners;
use tbsi_node::tsa::Authority;
use tbsi_rpc::Http;

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
    Http::of_home(home.dir())?;
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
    let mut zh_tw = format!(
        "{} 正確：網路 `{}`（鏈識別碼 {}）的{role_zh_tw} `{}`\n\
         rpc {}，metrics {}，consensus {}，gossip {}\n\
         對等節點：設定檔有 {} 個，創世檔可找到 {} 個",
        home.config_file().shown(),
        shown::line(&loaded.genesis.name),
        loaded.genesis.chain_id,
        config.name,
        config.rpc.listen,
        config.metrics.listen,
        config.p2p.consensus,
        config.p2p.gossip,
        config.p2p.peers.len(),
        config.peers_found(&loaded.genesis),
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
    let missing = config.peers_not_found(genesis);
    let problems = config.out_of_reach(genesis).into_iter();
    let in_both = |problem: OutOfReach| (problem.to_string(), out_of_reach_zh_tw(&problem));
    let mut warnings: Vec<Sentence> = problems.map(in_both).collect();
    if missing.is_empty() {
        return warnings;
    }
    let names = missing.iter().map(|node| shown::line(&node.name));
    let names = names.collect::<Vec<_>>().join(", ");
    warnings.push(if config.p2p.registry_addresses {
        (
            format!(
                "the genesis file does not say in a form that is understood where these nodes \
                 listen: {names}. Give them as `[[p2p.peers]]`, unless the registry of the chain \
                 says it"
            ),
            format!(
                "創世檔未以可辨識的格式載明以下節點的位址：{names}。除非鏈上名冊已載明，\
                 請以 `[[p2p.peers]]` 設定"
            ),
        )
    } else {
        (
            format!(
                "`registry_addresses = false`, and no `[[p2p.peers]]` of {names}: this node \
                 connects to them only if they connect to it"
            ),
            format!(
                "`registry_addresses = false`，且 `[[p2p.peers]]` 沒有 {names}：\
                 只有對方連入時才會與其連線"
            ),
        )
    });
    warnings
}

fn out_of_reach_zh_tw(problem: &OutOfReach) -> String {
    let OutOfReach {
        field,
        listen,
        endpoint,
        expected,
        loopback,
    } = problem;
    if *loopback {
        return format!(
            "`{field}`：{listen} 只有本機能連入，而其他節點會到 {endpoint} 尋找此節點：\
             請監聽 \"{expected}\""
        );
    }
    let port = expected.port();
    format!(
        "`{field}`：{listen} 的連接埠不是 {port}，而其他節點會到 {endpoint} 尋找此節點：\
         請監聽 \"{expected}\"，或由路由器將該連接埠對應至此"
    )
}
