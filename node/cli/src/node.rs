//! `tbsi node`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tbsi_node::config::Config;
use tbsi_node::home::{Home, load_genesis};
use tbsi_types::log::SignatureType;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::password::PasswordFile;
use crate::report::{Format, causes};
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
        #[command(flatten)]
        password: PasswordFile,
    },
    /// Make a home directory: keys if there are none, configuration, genesis file, and for a
    /// validator its sign-state.
    ///
    /// The genesis file must name this node's keys. If it does not yet, the keys are made all
    /// the same and printed: add them to the genesis file and run the command again.
    Init(InitArgs),
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
    password: PasswordFile,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { home, password } => run_node(&home, &password),
        Command::Init(args) => init(args),
    }
}

fn init(args: InitArgs) -> anyhow::Result<ExitCode> {
    let genesis = load_genesis(&args.genesis)?;
    let home = args.password.unlock(&args.home)?;
    let keys = keys::ensure(&home, args.validator)?;
    home.init(&Config::new(&args.name, args.validator), &genesis)
        .with_context(|| format!("this node's keys are\n{}initialise", keys.text(&args.name)))?;
    let log_key = home.ensure_log_key()?.signer(&genesis.identity());
    let log_key = log_key.verifier(SignatureType::Note).encode();
    let file = home.config_file();
    let text = format!(
        "Node `{}` is ready in {}.\n\
         It signs checkpoints of the log for other software with {log_key}.\n\
         Next: name its peers and addresses in {}, then\n  \
         tbsi config check --home {dir}\n  tbsi node run --home {dir}",
        args.name,
        home.dir().display(),
        file.display(),
        dir = home.dir().display(),
    );
    let json = json!({
        "home": home.dir(),
        "config": file,
        "genesisHash": genesis.hash(),
        "logKey": log_key,
        "keys": keys,
    });
    args.format.print(&text, &json)
}

fn run_node(dir: &Path, password: &PasswordFile) -> anyhow::Result<ExitCode> {
    let config = Config::load(&Home::new(dir).config_file())?;
    logging::start(&config.log)?;
    tbsi_node::abort_on_panic();
    tbsi_node::forbid_core_dumps()?;
    let home = &password.unlock(dir)?;
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
