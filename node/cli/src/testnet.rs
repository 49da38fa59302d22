//! `tbsi testnet`.

mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_home::load_genesis;
use tbsi_rpc::Client;
use tbsi_testnet::{
    DEVELOPMENT_CHAIN_ID, Network, NetworkSpec, NodeInfo, START_TIMEOUT, development,
};
use tbsi_types::Height;
use tbsi_types::limits::VALIDATORS_MIN;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

use crate::lang::counted;
use crate::predeploys::{self, Predeploys};
use crate::report::{Format, note};
use crate::shown::PathShown;

const VALIDATORS: usize = 4;
/// How often a network for development tells what is current (SPEC §9.11).
const MAP_PERIOD_MS: u64 = 10_000;
/// How often a network in the foreground is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a network, or resume the one in the directory; wait until every node has a block.
    ///
    /// Runs until Ctrl-C, which stops all nodes; with --detach, leaves them running. Each node
    /// is a process with a home of its own; its log is node.log in there.
    Up(UpArgs),
    /// Stop all nodes of a network; their data stays.
    Down {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        format: Format,
    },
    /// Show the nodes of a network. Exit code 1 if any of them does not run or answer.
    Status {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Directory of the network.
    #[arg(long, value_name = "DIR", default_value = "tbsi-testnet")]
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    place: Place,
    /// Nodes that vote, 1 to 128; fewer than 4 tolerate no fault [default: 4].
    #[arg(long, value_name = "N")]
    validators: Option<usize>,
    /// Nodes that only follow [default: 0].
    #[arg(long, value_name = "M")]
    observers: Option<usize>,
    /// EIP-155 chain id [default: 8862026].
    #[arg(long, value_name = "ID")]
    chain_id: Option<u64>,
    /// First port; node I takes the four ports from PORT + 10 * I [default: any free ports].
    #[arg(long, value_name = "PORT")]
    base_port: Option<u16>,
    #[command(flatten)]
    predeploys: Predeploys,
    /// Leave the nodes running and return.
    #[arg(long)]
    detach: bool,
    /// Stop and delete the network that is in the directory, and make a new one.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    match command {
        Command::Up(args) => runtime.block_on(up(&args)),
        Command::Down { place, format } => runtime.block_on(down(&place.dir, format)),
        Command::Status { place, format } => runtime.block_on(status(&place.dir, format)),
    }
}

async fn up(args: &UpArgs) -> anyhow::Result<ExitCode> {
    let mut network = prepare(args).await?;
    let total = network.nodes().len();
    // Listening from here on, so that Ctrl-C during the start stops what was started.
    let mut interrupted = Interrupt::new()?;
    let started = network.start_all()?;
    note(&format!(
        "started {started} of {total} nodes, waiting for their first block ..."
    ));
    let validators = network.nodes().iter().filter(|node| node.validator);
    if validators.count() < VALIDATORS_MIN {
        note(&format!(
            "warning: fewer than {VALIDATORS_MIN} validators tolerate no fault"
        ));
    }
    let mut progress = |node: &NodeInfo| note(&format!("{} is up", node.name));
    let waited = tokio::select! {
        waited = network.wait_all(Height(1), START_TIMEOUT, &mut progress) => Some(waited),
        () = interrupted.wait() => None,
    };
    match waited {
        Some(outcome) => outcome?,
        None => return stop(&mut network).await,
    }
    let genesis = load_genesis(&network.genesis_file())?;
    let predeploys = predeploys::listed_in(&genesis);
    let mut summary = summary(&network);
    summary["predeploys"] = json!(predeploys);
    args.format
        .print(&text::running(&network, &predeploys), &summary)?;
    if args.detach {
        network.detach();
        return Ok(ExitCode::SUCCESS);
    }
    note("Ctrl-C stops the network.");
    watch(&mut network, &mut interrupted).await;
    stop(&mut network).await
}

/// The network in the directory, or a new one.
async fn prepare(args: &UpArgs) -> anyhow::Result<Network> {
    let binary = std::env::current_exe().context("find the path of this program")?;
    // Absolute, because the nodes' command lines and the advice name it.
    let dir = std::path::absolute(&args.place.dir)
        .with_context(|| format!("directory {}", args.place.dir.shown()))?;
    if Network::exists(&dir) {
        let mut network = Network::open(&dir, &binary)?;
        if !args.fresh {
            check_same(&network, args)?;
            return Ok(network);
        }
        network.stop_all().await?;
        network.remove()?;
    }
    let validators = args.validators.unwrap_or(VALIDATORS);
    let mut spec = NetworkSpec::new(dir, validators, args.observers.unwrap_or(0));
    spec.chain_id = args.chain_id.unwrap_or(DEVELOPMENT_CHAIN_ID);
    spec.base_port = args.base_port;
    spec.consensus.map_period_ms = Some(MAP_PERIOD_MS);
    let (found, lacking) = args.predeploys.init_codes_there()?;
    spec.predeploys = found;
    let network = Network::create(&spec, &binary)?;
    for sentence in lacking {
        note(&format!("not in the network: {sentence}"));
    }
    Ok(network)
}

/// A network is resumed as it is; flags that ask for another one are refused.
fn check_same(network: &Network, args: &UpArgs) -> anyhow::Result<()> {
    let validators = network.nodes().iter().filter(|node| node.validator).count();
    let observers = network.nodes().len() - validators;
    let port = network.nodes()[0].rpc.port();
    let same = args.validators.is_none_or(|wanted| wanted == validators)
        && args.observers.is_none_or(|wanted| wanted == observers)
        && args
            .chain_id
            .is_none_or(|wanted| wanted == network.chain_id())
        && args.base_port.is_none_or(|wanted| wanted == port);
    if !same {
        bail!(
            "{} holds a network of {} and {} with chain id {} from port {port}; leave these flags \
             out to resume it, or add --fresh to delete it",
            network.dir().shown(),
            counted(validators, "validator"),
            counted(observers, "observer"),
            network.chain_id()
        );
    }
    if args.predeploys.are_given() {
        bail!(
            "{} holds a network, whose predeploys were chosen when it was made; leave --predeploy, \
             --no-predeploys and --packages out to resume it, or add --fresh to delete it",
            network.dir().shown()
        );
    }
    Ok(())
}

async fn down(dir: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut network = open(dir)?;
    let stopped = network.stop_all().await?;
    let text = format!("stopped {stopped} of {} nodes", network.nodes().len());
    format.print(&text, &json!({ "stopped": stopped }))
}

async fn status(dir: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut network = open(dir)?;
    let mut nodes = Vec::new();
    for index in 0..network.nodes().len() {
        let pid = network.pid(index);
        let height = match pid {
            Some(_) => height(&network.rpc_url(index)).await,
            None => None,
        };
        nodes.push((pid, height));
    }
    let rows = network.nodes().iter().zip(&nodes).enumerate();
    let json: Vec<Value> = rows
        .map(|(index, (info, (pid, height)))| {
            let mut row = node(&network, index, info);
            row["pid"] = json!(pid);
            row["height"] = json!(height);
            row
        })
        .collect();
    format.print(&text::status(&network, &nodes), &json!({ "nodes": json }))?;
    let all_answer = nodes.iter().all(|(_, height)| height.is_some());
    Ok(if all_answer {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn open(dir: &Path) -> anyhow::Result<Network> {
    let binary = std::env::current_exe().context("find the path of this program")?;
    Ok(Network::open(dir, &binary)?)
}

async fn height(url: &str) -> Option<Height> {
    Client::new(url).ok()?.block_number().await.ok()
}

fn node(network: &Network, index: usize, info: &NodeInfo) -> Value {
    json!({
        "name": info.name,
        "validator": info.validator,
        "rpc": network.rpc_url(index),
        "ws": network.ws_url(index),
        "metrics": network.metrics_url(index),
        "home": network.home(index).json(),
    })
}

fn summary(network: &Network) -> Value {
    let nodes = network.nodes().iter().enumerate();
    let accounts = development::accounts();
    json!({
        "dir": network.dir().json(),
        "genesis": network.genesis_file().json(),
        "chainId": network.chain_id(),
        "genesisHash": network.genesis_hash(),
        "nodes": nodes.map(|(index, info)| node(network, index, info)).collect::<Vec<_>>(),
        "developmentAccounts": accounts.map(|account| json!({
            "address": account.address,
            "secretKey": account.secret_key,
        })),
    })
}

/// Until Ctrl-C; tells of each node that ends meanwhile.
async fn watch(network: &mut Network, interrupted: &mut Interrupt) {
    let mut ticks = interval(WATCH_INTERVAL);
    let mut running = vec![true; network.nodes().len()];
    loop {
        tokio::select! {
            () = interrupted.wait() => return,
            _ = ticks.tick() => {}
        }
        for (index, ran) in running.iter_mut().enumerate() {
            let runs = network.pid(index).is_some();
            if *ran && !runs {
                let name = &network.nodes()[index].name;
                note(&format!(
                    "{name} has exited; the end of its log:\n{}",
                    network.log_tail(index)
                ));
            }
            *ran = runs;
        }
    }
}

async fn stop(network: &mut Network) -> anyhow::Result<ExitCode> {
    note("stopping ...");
    let stopped = network.stop_all().await?;
    note(&format!("stopped {}", counted(stopped, "node")));
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C or SIGTERM.
struct Interrupt {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Interrupt {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listen for SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("listen for SIGTERM")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
