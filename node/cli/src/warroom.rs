//! `tbsi warroom`.

mod alerts;

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tbsi_home::config::LogConfig;
use tbsi_types::limits::GENESIS_BYTES_MAX;
use tbsi_warroom::{WarroomConfig, WarroomError, WarroomOutcome};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::http::http;
use crate::lang::{Language, SayContext, counted, said};
use crate::logging;
use crate::report::{Format, REFUSED, in_language, refuse};
use crate::shown::PathShown;

const CODES: &str = "\
Exit codes: 0 done; with --once 1 if somebody signed or served what contradicts the rest (a fork, a
log that was written anew, wrong leaves), 2 if something is missing (no answer, a gap, silence) or
the command was refused.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follow the log, index what was verified, and serve it until SIGTERM or Ctrl-C.
    ///
    /// Checkpoints, handovers and leaves are verified from the genesis file on, whoever shows them.
    /// The API is below /api/v1; /api/v1/openapi.json describes it.
    #[command(after_help = CODES)]
    Run(Box<Args>),
    /// Enter somebody who is told of new leaves, by webhook or e-mail, after confirming it.
    #[command(after_help = alerts::HELP)]
    Subscribe(alerts::SubscribeArgs),
    /// Who is told, of what, and how that went.
    Subscriptions(alerts::Index),
    /// End a subscription.
    Unsubscribe {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: u64,
        #[command(flatten)]
        index: alerts::Index,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// JSON-RPC address of a node; may be given several times.
    #[arg(long, value_name = "URL")]
    rpc: Vec<String>,
    /// Address of a static copy of the log, or a directory with one; may be given several times.
    #[arg(long, value_name = "URL|DIR", required_unless_present = "rpc")]
    tiles: Vec<String>,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Directory of the index, which is made again from the log if it is removed.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8600")]
    listen: SocketAddr,
    /// Directory with the page's files, served at / [default: no page].
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Milliseconds between two looks at the sources.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=3_600_000))]
    poll_ms: u64,
    /// Seconds without a new checkpoint after which the chain counts as silent [default: six
    /// intervals of empty blocks, 60 at least].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    silent_after_s: Option<u64>,
    /// A reverse proxy is in front and names who asks in X-Forwarded-For: limits count by that.
    #[arg(long)]
    behind_proxy: bool,
    /// Send alerts to those who were entered with `tbsi warroom subscribe`: a file in TOML with
    /// public_url, private_hosts and [smtp].
    #[arg(long, value_name = "FILE", conflicts_with = "once")]
    alerts: Option<PathBuf>,
    /// Look once, index what is new, say what is wrong, and end.
    #[arg(long)]
    once: bool,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => in_language(start(&args), args.lang),
        Command::Subscribe(args) => alerts::subscribe(&args),
        Command::Subscriptions(index) => alerts::list(&index),
        Command::Unsubscribe { number, index } => alerts::end(number, &index),
    }
}

fn start(args: &Args) -> anyhow::Result<ExitCode> {
    let config = config(args).map_err(refuse)?;
    logging::start(&LogConfig::default())?;
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    if args.once {
        let outcome = runtime.block_on(tbsi_warroom::follow_once(config));
        return tell(args, &outcome.map_err(refused)?);
    }
    runtime.block_on(serve(args, config))
}

fn genesis_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut genesis = Vec::new();
    File::open(file)
        .and_then(|opened| {
            let mut limited = opened.take(GENESIS_BYTES_MAX as u64 + 1);
            limited.read_to_end(&mut genesis)
        })
        .or_say(|| {
            let path = file.shown();
            (format!("read {path}"), format!("讀取 {path}"))
        })?;
    Ok(genesis)
}

fn config(args: &Args) -> anyhow::Result<WarroomConfig> {
    let genesis = genesis_bytes(&args.genesis)?;
    Ok(WarroomConfig {
        genesis,
        http: http()?,
        rpc: args.rpc.clone(),
        tiles: args.tiles.clone(),
        data: args.data.clone(),
        listen: args.listen,
        web: args.web.clone(),
        poll_ms: args.poll_ms,
        silent_after_s: args.silent_after_s,
        behind_proxy: args.behind_proxy,
        notify: args.alerts.as_deref().map(alerts::load).transpose()?,
    })
}

fn refused(error: WarroomError) -> anyhow::Error {
    refuse(said(error.en, error.zh_tw))
}

async fn serve(args: &Args, config: WarroomConfig) -> anyhow::Result<ExitCode> {
    let (stop, stopping) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("wait for SIGINT")?;
    let (lang, format) = (args.lang, args.format);
    let ready = |address: SocketAddr| {
        let text = lang.pick(
            format!("war room at http://{address}"),
            format!("戰情室位於 http://{address}"),
        );
        // Whoever started it may not listen, which is no reason to end.
        format.line(&text, &json!({ "listen": address })).ok();
    };
    let running = tbsi_warroom::run(config, stopping, ready);
    let asked = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    };
    tokio::pin!(running);
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = asked => running.await,
    };
    ended.map_err(refused)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(args: &Args, outcome: &WarroomOutcome) -> anyhow::Result<ExitCode> {
    let lang = args.lang;
    let mut text = String::new();
    for (_, en, zh_tw) in &outcome.alarms {
        text += lang.pick(en, zh_tw);
        text.push('\n');
    }
    text += &lang.pick(
        format!("{} indexed", counted(outcome.size, "leaf")),
        format!("已建立索引 {} 筆", outcome.size),
    );
    let alarms = outcome
        .alarms
        .iter()
        .map(|(code, en, zh_tw)| json!({ "code": code, "en": en, "zhTw": zh_tw }));
    let json = json!({
        "size": outcome.size,
        "height": outcome.height,
        "contradicted": outcome.contradicted,
        "alarms": alarms.collect::<Vec<_>>(),
    });
    args.format.print(&text, &json)?;
    Ok(if outcome.contradicted {
        ExitCode::FAILURE
    } else if outcome.alarms.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(REFUSED)
    })
}
