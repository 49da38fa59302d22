//! `tbsi relay`.

mod contract;
pub(crate) mod deploy;
mod events;
mod evidence;
pub(crate) mod fabric;
mod init;
mod keys;
mod look;
mod payload;
mod routes;
mod say;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use tbsi_bridge::config::{Config, EvmConfig, TargetConfig};
use tbsi_bridge::evm::{Evm, EvmChain, EvmRpc};
use tbsi_bridge::health::{self, Health};
use tbsi_bridge::kinds::ConfiguredTarget;
use tbsi_bridge::record::Parties;
use tbsi_bridge::relay::{self, Parts, REQUESTS, RETRY, Relay, Until};
use tbsi_bridge::signer::SharedSigner;
use tbsi_bridge::source::Source;
use tbsi_bridge::state::State;
use tbsi_bridge::target::Target;
use tbsi_home::config::LogConfig;
use tbsi_types::ChainIdentity;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::http::http_of;
use crate::report::{in_language, refuse};
use crate::shown::PathShown;
use crate::{logging, proof};
use keys::{KeyPlace, open_signer};
use say::Say;

const CODES: &str = "\
Exit codes: 0 done or yes, 1 failed or no, 2 refused before anything was sent.";

const EVIDENCE_CODES: &str = "\
Exit codes: 0 no conflict, or the freeze is final or left to `run`; 1 failed, or with --dry-run a
conflict; 2 refused before anything was sent.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the creation code of a light client, or deploy it.
    ///
    /// It begins with the network's newest checkpoint, which is verified first. Any tool can
    /// send it (`cast send --create`); the key that does so gets no rights.
    Contract(contract::Args),
    /// Print the creation code of an inbox, which messages are delivered to, or deploy it.
    Inbox(contract::InboxArgs),
    /// Make a home directory: key, genesis file, configuration.
    Init(Box<init::Args>),
    /// Make a home directory of a relayer to a channel of Hyperledger Fabric.
    ///
    /// The channel has the chaincode of TBSI, whose client is open. Asks the gateways for the
    /// channel's block 0, whose hash tells it from all others, and prints that: compare it with
    /// what another organisation sees.
    InitFabric(Box<fabric::Args>),
    /// Check configuration, endpoints, chain and contract, as `run` does before it sends.
    #[command(after_help = CODES)]
    Check(Look),
    /// Show what would be sent now and what it would cost. Writes and sends nothing.
    #[command(after_help = CODES)]
    DryRun(Look),
    /// Carry what the configuration selects, until SIGTERM or Ctrl-C.
    ///
    /// A directory with a file routes.toml has several homes, each named by a table
    /// `[route.NAME]` with the key `home`: all of them are carried in one process. A route that
    /// fails is tried again after half a minute, and stops no other.
    Run {
        #[command(flatten)]
        home: Home,
    },
    /// Carry all that waits, attest the record's head, and end.
    ///
    /// The same as `run`, which must not run at the same time. With --retry, what is in
    /// quarantine is tried again; that also works beside a `run`, which then does it.
    #[command(after_help = CODES)]
    Clear {
        #[command(flatten)]
        home: Home,
        /// Try again what is in quarantine.
        #[arg(long)]
        retry: bool,
    },
    /// Carry one leaf, whatever the configuration selects. A `run` takes it up, or `clear`.
    Send(init::SendArgs),
    /// Keep the payload of a message, which the network has the hash of alone.
    ///
    /// Messages that wait for it are delivered by a `run`, or by `clear`.
    Payload(payload::Args),
    /// Where everything stands, by the journal alone.
    Status(Look),
    /// Ask all source endpoints for a height, and freeze the light client if they conflict.
    ///
    /// Two different checkpoints of one height, both validly signed, prove that more than a
    /// third of the validators have equivocated. Prints who, and sends the call that freezes the
    /// light client and names them there, as a transaction of the relayer; a `run` at the same
    /// time does it instead. Anybody else may send the call too.
    #[command(after_help = EVIDENCE_CODES)]
    Evidence(evidence::Args),
    /// Print the events of the chaincode on a channel of Fabric as they come, from where the last
    /// call of this command ended.
    ///
    /// A line for each: block, transaction, name, and what it says. What was printed is kept in the
    /// home directory; after a crash the last event may come again.
    Events(events::Args),
    /// Derive the whole record again from both chains, and show any difference.
    #[command(after_help = CODES)]
    Audit(Look),
}

/// Which relayer.
#[derive(Debug, clap::Args)]
pub(crate) struct Home {
    /// Home directory, made by `tbsi relay init`.
    #[arg(long = "home", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Look {
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    say: Say,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Contract(args) => in_language(contract::run(&args), args.say.lang),
        Command::Inbox(args) => in_language(contract::inbox(&args), args.say.lang),
        Command::Init(args) => init::run(&args),
        Command::InitFabric(args) => fabric::run(&args),
        Command::Check(look) => in_language(check(&look), look.say.lang),
        Command::DryRun(look) => in_language(look::dry_run(&look), look.say.lang),
        Command::Run { home } if routes::are_in(&home.dir) => routes::run(&home.dir),
        Command::Run { home } => carry(&home.dir, Until::Stopped),
        Command::Clear { home, retry } => {
            if retry {
                ask(&home.dir, RETRY)?;
            }
            carry(&home.dir, Until::Empty)
        }
        Command::Send(args) => init::send(&args),
        Command::Payload(args) => in_language(payload::run(&args), args.say.lang),
        Command::Status(look) => in_language(look::status(&look), look.say.lang),
        Command::Evidence(args) => in_language(evidence::run(&args), args.say.lang),
        Command::Events(args) => events::run(&args),
        Command::Audit(look) => in_language(look::audit(&look), look.say.lang),
    }
}

/// Leaves a request for the relayer of a home directory.
fn ask(home: &Path, name: &str) -> anyhow::Result<()> {
    let folder = home.join(REQUESTS);
    let file = folder.join(name);
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, ""))
        .with_context(|| format!("write {}", file.shown()))
}

/// Everything that a home directory says.
struct Opened {
    parts: Parts<ConfiguredTarget>,
}

/// Who signs what is sent to a target: the relayer's own key, unless the target has another.
fn target_signer(
    home: &Path,
    config: &EvmConfig,
    chain: ChainIdentity,
    relayer: &SharedSigner,
) -> anyhow::Result<SharedSigner> {
    let place = KeyPlace {
        name: "target.key",
        key: config.key.as_deref(),
        password_file: config.password_file.as_deref(),
        signer: config.signer.as_ref(),
    };
    if config.key.is_none() && config.signer.is_none() {
        return Ok(Arc::clone(relayer));
    }
    open_signer(home, &place, chain)
}

impl Opened {
    fn load(home: &Path) -> anyhow::Result<Self> {
        let (config, config_hash) = Config::load(home)?;
        let genesis = proof::load_genesis(&home.join(&config.source.genesis))?;
        let http = http_of(home)?;
        let source = Source::new(&genesis, &http, &config.source.rpc, config.source.agree)?;
        let chain = source.chain();
        let signer = open_signer(home, &KeyPlace::of_relayer(&config.relayer), chain)?;
        let target = match &config.target {
            TargetConfig::Evm(evm) => {
                let pays = target_signer(home, evm, chain, &signer)?;
                let evm = Evm::new(EvmRpc::new(evm, &http, chain, pays)?, evm.clone());
                ConfiguredTarget::Evm(Box::new(evm))
            }
            TargetConfig::Fabric(of) => {
                let fabric = fabric::open(home, of, &config.relayer, chain)?;
                ConfiguredTarget::Fabric(Box::new(fabric))
            }
        };
        let parties = Parties {
            name_zh_tw: config.relayer.name_zh_tw.clone(),
            name_en: config.relayer.name_en.clone(),
            account: signer.account(),
            source_chain_id: chain.chain_id,
            source_genesis_hash: chain.genesis_hash,
            target: target.identity(),
        };
        let parts = Parts {
            config,
            config_hash,
            home: home.into(),
            source,
            target,
            parties,
            signer,
            health: Health::default(),
            clock: relay::now_ms,
        };
        Ok(Self { parts })
    }
}

fn check(look: &Look) -> anyhow::Result<ExitCode> {
    let opened = Opened::load(&look.home.dir).map_err(refuse)?;
    let parts = &opened.parts;
    let runtime = Runtime::new()?;
    runtime.block_on(relay::check(
        &parts.config,
        &parts.source,
        &parts.target,
        &*parts.signer,
    ))?;
    match (&parts.target, &parts.config.target) {
        (ConfiguredTarget::Evm(evm), TargetConfig::Evm(config)) => {
            check_evm(look, parts, evm, config, &runtime)
        }
        (ConfiguredTarget::Fabric(fabric), _) => fabric::check(look, parts, fabric, &runtime),
        (ConfiguredTarget::Evm(_), TargetConfig::Fabric(_)) => {
            unreachable!("a target is of the kind of its configuration")
        }
    }
}

fn check_evm(
    look: &Look,
    parts: &Parts<ConfiguredTarget>,
    evm: &Evm<EvmRpc>,
    config: &EvmConfig,
    runtime: &Runtime,
) -> anyhow::Result<ExitCode> {
    let chain = evm.chain();
    let (view, rules) = runtime.block_on(async {
        let view = chain.look().await?;
        anyhow::Ok((view, chain.rules().await))
    })?;
    let checked = say::Checked {
        home: &look.home.dir,
        parties: &parts.parties,
        view: &view,
        inbox: chain.inbox(),
        rules,
        finality: config.finality,
    };
    let rules = rules.map(|rules| rules.to_string());
    let json = json!({
        "parties": parts.parties,
        "clientHeight": view.client.height,
        "inbox": chain.inbox(),
        "balanceWei": view.balance.to_string(),
        "rules": rules,
        "transactionType": if view.market.legacy { 0 } else { 2 },
        "finality": config.finality,
        "finalBlock": view.finalized.number,
    });
    look.say.format.print(&checked.text(look.say), &json)
}

fn carry(home: &Path, until: Until) -> anyhow::Result<ExitCode> {
    let opened = Opened::load(home).map_err(refuse)?;
    let state = relay_until(opened, until)?;
    let quarantined = state.quarantined().count();
    if until == Until::Empty && quarantined > 0 {
        bail!("{quarantined} items are in quarantine; `tbsi relay status` says why");
    }
    Ok(ExitCode::SUCCESS)
}

/// Relays until it ends by itself or is told to stop; where everything stands then.
fn relay_until(opened: Opened, until: Until) -> anyhow::Result<State> {
    logging::start(&LogConfig::default())?;
    Runtime::new()?.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let signals = stop_on_signal(&stop)?;
        tokio::select! {
            ended = relay_one(opened, until, stopped) => ended,
            () = signals => bail!("the signals end"),
        }
    })
}

/// Tells everybody to stop when the process is told to; never ends.
fn stop_on_signal(stop: &watch::Sender<bool>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.send_replace(true);
        std::future::pending::<()>().await;
    })
}

/// Relays what one home directory says.
async fn relay_one(
    opened: Opened,
    until: Until,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<State> {
    let health = opened.parts.health.clone();
    let listener = match until {
        Until::Stopped => {
            let address = opened.parts.config.metrics.listen;
            Some(health::listen(address).await.map_err(anyhow::Error::msg)?)
        }
        Until::Empty | Until::Told(_) => None,
    };
    let mut relay = Relay::open(opened.parts)?;
    relay.check().await?;
    let pages = async {
        match listener {
            Some(listener) => health::serve(listener, health, stopped.clone()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = relay.run(until, stopped.clone()) => ended?,
        () = pages => {}
    }
    Ok(relay.state().clone())
}
