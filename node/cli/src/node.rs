//! `tbsi node`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_home::config::Config;
use tbsi_home::{Home, load_genesis};
use tbsi_keys::keyfile::{KeyKind, is_there};
use tbsi_node::recover::{KeptSignState, Recovery};
use tbsi_types::Genesis;
use tbsi_types::log::SignatureType;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::lang::{Sentence, counted, said};
use crate::password::PasswordFile;
use crate::report::{Format, Say, causes};
use crate::shown::PathShown;
use crate::sign_state::SignStateArgs;
use crate::{keys, logging};

/// How long threads that still work when the node has stopped may take.
const THREADS_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the node of a home directory until SIGTERM or Ctrl-C.
    Run {
        /// Home directory, made by `tbsi node init`.
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
        /// Keep every block and the state after every block from now on, whatever `store` says.
        #[arg(long)]
        archive: bool,
        #[command(flatten)]
        password: PasswordFile,
    },
    /// Make a home directory: configuration, genesis file, and for a validator its sign-state.
    ///
    /// Keys that are missing are made if the network governs itself, so that the node can be
    /// registered; otherwise the genesis file must name them, and `tbsi keys new` makes them
    /// before. A validator key that was imported may have signed: give its sign-state. Other nodes are
    /// found where the chain says that they listen; this one listens where the genesis file says
    /// that others reach it.
    Init(InitArgs),
    /// Clear what is undecided, so that a node leaves a height at which it is stuck.
    ///
    /// Deletes the undecided blocks and moves consensus' write-ahead log away. What is decided,
    /// keys and sign-state stay. The sign-state says again what was signed, and on which block
    /// this validator is locked; one that an earlier version wrote does not, and the validator
    /// then signs nothing more at that height, and the others decide it.
    Recover(RecoverArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecoverArgs {
    /// Home directory of the node, which must not run.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Vote at the stuck height again, where an earlier version wrote the sign-state last.
    ///
    /// Changes nothing otherwise. DANGER: if any node has decided that height, validators that have
    /// forgotten their locks may decide another block there. Only if all operators have compared
    /// `tbsi status` and no node has it; needed if a third of the voting power or more has to
    /// recover.
    #[arg(long)]
    vote_again: bool,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Home directory to make.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// This node's name in the genesis file.
    #[arg(long)]
    name: String,
    /// The node votes.
    #[arg(long)]
    validator: bool,
    #[command(flatten)]
    sign_state: SignStateArgs,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    say: Say,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run {
            home,
            archive,
            password,
        } => run_node(&home, archive, &password),
        Command::Init(args) => args.say.told(init(&args)),
        Command::Recover(args) => recover(&args),
    }
}

fn init(args: &InitArgs) -> anyhow::Result<(Sentence, Value)> {
    let genesis = load_genesis(&args.genesis)?;
    let home = args.password.unlock(&args.home)?;
    let first = args.sign_state.first_mark(&args.genesis)?;
    let config = Config::new(&args.name, args.validator).listening_as_in(&genesis);
    // Nothing is made that would be of no use.
    home.check_new(&config, &genesis, &first)?;
    require_keys(&home, &genesis, args.validator)?;
    let keys = keys::ensure(&home, args.validator)?;
    home.init_from(&config, &genesis, &first)?;
    let log_key = home.ensure_log_key()?.signer(&genesis.identity());
    let log_key = log_key.verifier(SignatureType::Note).encode();
    let file = home.config_file();
    let (found, missing) = (
        config.peers_found(&genesis),
        config.peers_not_found(&genesis).len(),
    );
    let (peers, peers_zh_tw) = match missing {
        0 => (
            format!("It finds {} by itself", counted(found, "other node")),
            format!("可自行找到另外 {found} 個節點"),
        ),
        missing => (
            format!(
                "It finds {} by itself; the file has comments about {missing} more, whose addresses \
                 the genesis file does not say",
                counted(found, "other node")
            ),
            format!("可自行找到另外 {found} 個節點；另有 {missing} 個列為註解，創世檔未載明其位址"),
        ),
    };
    let en = format!(
        "Node `{}` is ready in {}.\n\
         It signs checkpoints of the log for other software with {log_key}.\n\
         It listens for others on {} and {}. {peers}.\n\
         Next: check its addresses in {}, open both ports in the firewall, then\n  \
         tbsi config check --home {dir}\n  tbsi node run --home {dir}",
        args.name,
        home.dir().shown(),
        config.p2p.consensus,
        config.p2p.gossip,
        file.shown(),
        dir = home.dir().word(),
    );
    let zh_tw = format!(
        "節點 `{}` 已備妥於 {}。\n\
         它以 {log_key} 為其他軟體簽署日誌的檢查點。\n\
         其他節點可連至 {} 與 {}。{peers_zh_tw}。\n\
         下一步：核對 {} 中的位址，在防火牆開放這兩個連接埠，然後執行\n  \
         tbsi config check --home {dir}\n  tbsi node run --home {dir}",
        args.name,
        home.dir().shown(),
        config.p2p.consensus,
        config.p2p.gossip,
        file.shown(),
        dir = home.dir().word(),
    );
    let json = json!({
        "home": home.dir().json(),
        "config": file.json(),
        "genesisHash": genesis.hash(),
        "logKey": log_key,
        "keys": keys,
    });
    Ok(((en, zh_tw), json))
}

/// Fails if keys that a genesis file has to name are not there yet.
fn require_keys(home: &Home, genesis: &Genesis, validator: bool) -> anyhow::Result<()> {
    let needed = [(KeyKind::Node, true), (KeyKind::Validator, validator)];
    for (kind, needed) in needed {
        let file = home.key_file(kind);
        if needed && genesis.governance.is_none() && !is_there(&file)? {
            let (dir, flag) = (
                home.dir().word(),
                if validator { " --validator" } else { "" },
            );
            let file = file.shown();
            return Err(said(
                format!(
                    "{file} is missing, so the genesis file cannot name this node: `tbsi keys new \
                     --home {dir}{flag}` makes the keys and prints them for the genesis file's draft"
                ),
                format!(
                    "缺少 {file}，創世檔無法載明此節點：`tbsi keys new --home {dir}{flag}` 可產生\
                     金鑰並印出創世檔草稿所需的內容"
                ),
            ));
        }
    }
    Ok(())
}

fn recover(args: &RecoverArgs) -> anyhow::Result<ExitCode> {
    let home = args.password.unlock(&args.home)?;
    let how = Recovery {
        dry_run: args.dry_run,
        vote_again: args.vote_again,
    };
    let done = tbsi_node::recover::recover(&home, how)?;
    let will = if args.dry_run { "would be " } else { "" };
    let log = match &done.log {
        Some(to) => format!("{will}moved to {}", to.shown()),
        None => "there is none".into(),
    };
    let state = sign_state_words(done.sign_state, will);
    let text = format!(
        "{} is decided up to height {}.\nundecided blocks: {}, {will}deleted\n\
         consensus' write-ahead log: {log}\nsign-state: {state}",
        args.home.shown(),
        done.tip,
        done.blocks
    );
    let locked = match done.sign_state {
        Some(KeptSignState::Locked(lock)) => Some(lock.round),
        Some(
            KeptSignState::Free
            | KeptSignState::Raised(_)
            | KeptSignState::Silent(_)
            | KeptSignState::Unknown,
        )
        | None => None,
    };
    let json = json!({
        "dryRun": args.dry_run,
        "height": done.tip,
        "undecidedBlocks": done.blocks,
        "log": done.log.as_deref().map(PathShown::json),
        "silentUntil": done.sign_state.and_then(KeptSignState::silent_until),
        "lockedRound": locked,
    });
    args.format.print(&text, &json)
}

/// What became of a sign-state, for people.
fn sign_state_words(kept: Option<KeptSignState>, will: &str) -> String {
    match kept {
        None => "not in this home; whoever has it says again what was signed".into(),
        Some(KeptSignState::Free) => {
            "kept: what was signed is said again, and nothing else in its place".into()
        }
        Some(KeptSignState::Locked(lock)) => format!(
            "kept: this validator is locked on block {} of round {}. It prevotes for that block or \
             for none until its height is decided; fewer than a third of the voting power may be \
             in that state, so do not do this on more",
            lock.value, lock.round
        ),
        Some(KeptSignState::Raised(height)) => format!(
            "{will}raised, because an earlier version wrote it and it does not say on which block \
             this validator is locked: it signs nothing up to the end of height {height}, which \
             the others decide. Fewer than a third of the voting power may be in that state"
        ),
        Some(KeptSignState::Silent(height)) => format!(
            "kept: it ends at the end of height {height} already, and this validator signs \
             nothing up to there"
        ),
        Some(KeptSignState::Unknown) => {
            "kept: this validator votes again, and does not know whether it \
             is locked on a block"
                .into()
        }
    }
}

fn run_node(dir: &Path, archive: bool, password: &PasswordFile) -> anyhow::Result<ExitCode> {
    let config = Config::load(&Home::new(dir).config_file())?;
    logging::start(&config.log)?;
    tbsi_node::abort_on_panic();
    tbsi_node::forbid_core_dumps()?;
    let home = &password.unlock(dir)?.with_archive(archive);
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    let outcome = runtime.block_on(until_stopped(home));
    runtime.shutdown_timeout(THREADS_TIMEOUT);
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // In the log's format, so that the last line is like all the others.
        Err(error) => {
            tracing::error!("node stopped: {}", causes(error.as_ref()));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn until_stopped(home: &Home) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let (stop, stopping) = watch::channel(false);
    let node = tbsi_node::run(home, stopping);
    tokio::pin!(node);
    loop {
        tokio::select! {
            outcome = &mut node => return outcome,
            _ = terminate.recv() => stop.send_replace(true),
            _ = interrupt.recv() => stop.send_replace(true),
        };
    }
}
