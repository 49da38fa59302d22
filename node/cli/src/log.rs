//! `tbsi log`.

mod audit;
mod consistency;
mod decided;
mod follow;
mod resume;

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_eips::BlockNumberOrTag;
use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tbsi_rpc::Client;
use tokio::runtime::Runtime;

use crate::report::Format;
use crate::time::Times;

const CODES: &str = "\
Exit codes: 0 yes, 1 no, 2 could not tell (a file is missing, the node does not answer).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Size and root of the log, as a node tells.
    Status {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        format: Format,
    },
    /// Check that the log only grew between two heights.
    ///
    /// Both checkpoints are verified with the genesis file, and the node has to prove that the
    /// earlier log is the beginning of the later one.
    #[command(after_help = CODES)]
    Consistency(ConsistencyArgs),
    /// Fetch every leaf, derive the log's root from them and compare it with what the
    /// validators signed.
    ///
    /// The leaves may come from any copy of the log's tiles, which need not be trusted.
    #[command(after_help = CODES)]
    Audit(AuditArgs),
    /// Print leaves as they become final, from any position on.
    ///
    /// Each leaf comes once, in order. If the node goes away, the exit code is 1 and the message
    /// says with which leaf to go on. With --json, one object for each leaf.
    Follow(follow::FollowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Node {
    /// JSON-RPC address of the node.
    #[arg(
        long = "rpc",
        value_name = "URL",
        default_value = "http://127.0.0.1:8545"
    )]
    url: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConsistencyArgs {
    /// Height of the earlier checkpoint.
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// Height of the later checkpoint [default: the latest].
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    to: Option<u64>,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// File that keeps what was audited; the next audit goes on from there.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Address of the log's tiles [default: that of --rpc, and /log].
    #[arg(long, value_name = "URL")]
    log: Option<String>,
    /// Audit all leaves again, whatever the state file says.
    #[arg(long)]
    from_scratch: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    match command {
        Command::Status { node, format } => runtime.block_on(status(&node, format)),
        Command::Follow(args) => runtime.block_on(follow::follow(&args)),
        Command::Consistency(args) => {
            let checked = runtime.block_on(consistency::check(&args));
            say(args.format, "CONSISTENT", "NOT CONSISTENT", checked)
        }
        Command::Audit(args) => {
            let audited = runtime.block_on(audit::audit(&args));
            say(
                args.format,
                "THE LOG IS WHAT THE VALIDATORS SIGNED",
                "WRONG",
                audited,
            )
        }
    }
}

/// Why a check has not succeeded.
#[derive(Debug)]
enum Failure {
    /// Somebody is wrong.
    No(anyhow::Error),
    /// It is not known.
    CouldNotTell(anyhow::Error),
}

/// Every error that is not known to be a lie leaves it open.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::CouldNotTell(error.into())
    }
}

/// A check's findings, for people and for programs.
type Checked = Result<(String, serde_json::Value), Failure>;

fn say(format: Format, yes: &str, no: &str, checked: Checked) -> anyhow::Result<ExitCode> {
    let (verdict, shown, code, reason) = match checked {
        Ok((text, mut json)) => {
            json["verdict"] = json!("yes");
            return format.print(&format!("{text}{yes}"), &json);
        }
        Err(Failure::No(error)) => ("no", no, ExitCode::FAILURE, error),
        Err(Failure::CouldNotTell(error)) => {
            let code = ExitCode::from(crate::report::REFUSED);
            ("could not tell", "COULD NOT TELL", code, error)
        }
    };
    let reason = crate::report::causes(reason.as_ref());
    let json = json!({ "verdict": verdict, "reason": reason });
    format.print(&format!("{shown}: {reason}"), &json)?;
    Ok(code)
}

async fn status(node: &Node, format: Format) -> anyhow::Result<ExitCode> {
    let client = Client::new(&node.url)?;
    let latest = client.checkpoint(BlockNumberOrTag::Latest).await?;
    let latest = latest.with_context(|| format!("{} has no checkpoint", client.url()))?;
    let times = Times::of(latest.time_ms);
    let text = format!(
        "leaves  {}\nroot    {}\nheight  {}\ntime    {} ({})",
        latest.log_size, latest.log_root, latest.height, times.utc, times.taipei
    );
    let json = json!({
        "chainId": latest.chain_id,
        "logSize": latest.log_size,
        "logRoot": latest.log_root,
        "height": latest.height,
        "timeMs": latest.time_ms,
    });
    format.print(&text, &json)
}
