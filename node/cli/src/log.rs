//! `tbsi log`.

mod audit;
mod consistency;
mod decided;
mod follow;
mod post_quantum;
mod resume;

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_eips::BlockNumberOrTag;
use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::lang::{Language, causes, said};
use crate::report::{Format, in_language};
use crate::rpc::Rpc;
use crate::time::Times;

const CODES: &str = "\
Exit codes: 0 yes, 1 no, 2 could not tell (a file is missing, the node does not answer).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Size and root of the log, as a node tells.
    Status {
        #[command(flatten)]
        node: Rpc,
        /// Language of the text.
        #[arg(long, value_name = "LANG", default_value = "en")]
        lang: Language,
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
    /// Keep all changes of the validator set in a file, verified from the genesis file on.
    ///
    /// With it, `tbsi verify --handovers FILE` verifies proofs that begin later (`tbsi prove
    /// --from`). The same command again fetches what is new.
    #[command(after_help = CODES)]
    Handovers(crate::handovers::Args),
    /// Fetch and keep post-quantum cosignatures of a log that holds a leaf, and the keys.
    ///
    /// They are made with ML-DSA-44 (FIPS 204). `tbsi verify --post-quantum FILE` verifies them.
    #[command(after_help = CODES)]
    PostQuantum(post_quantum::Args),
    /// Print leaves as they become final, from any position on.
    ///
    /// Each leaf comes once, in order. If the node goes away, the exit code is 1 and the message
    /// says with which leaf to go on. With --json, one object for each leaf.
    Follow(follow::FollowArgs),
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
    node: Rpc,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
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
    /// Address of the log's tiles, or a directory with a copy of them [default: that of --rpc,
    /// and /log].
    #[arg(long, value_name = "URL|DIR")]
    log: Option<String>,
    /// Audit the log as of this height [default: the latest].
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    height: Option<u64>,
    /// Audit the log as of the checkpoint in this file, from `tbsi checkpoint get`; with --log,
    /// no node is asked.
    #[arg(long, value_name = "FILE", conflicts_with = "height")]
    checkpoint: Option<PathBuf>,
    /// Audit all leaves again, whatever the state file says.
    #[arg(long)]
    from_scratch: bool,
    /// Do not make the roots of the map again. They need all leaves, so an audit that goes on from
    /// a state file does not either; and some hundred bytes of memory for each entry of the map.
    #[arg(long)]
    without_map: bool,
    #[command(flatten)]
    node: Rpc,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("start the asynchronous runtime")?;
    match command {
        Command::Status { node, lang, format } => {
            in_language(runtime.block_on(status(&node, lang, format)), lang)
        }
        Command::Handovers(args) => {
            let lang = args.lang;
            in_language(runtime.block_on(crate::handovers::fetch(&args)), lang)
        }
        Command::Follow(args) => runtime.block_on(follow::follow(&args)),
        Command::Consistency(args) => {
            let checked = runtime.block_on(consistency::check(&args));
            let words = [("CONSISTENT", "一致"), ("NOT CONSISTENT", "不一致")];
            say(args.format, args.lang, words, checked)
        }
        Command::PostQuantum(args) => {
            let fetched = runtime.block_on(post_quantum::fetch(&args));
            let words = [("KEPT", "已保存"), ("WRONG", "不符")];
            say(args.format, args.lang, words, fetched)
        }
        Command::Audit(args) => {
            let audited = runtime.block_on(audit::audit(&args));
            let words = [
                (
                    "THE LOG IS WHAT THE VALIDATORS SIGNED",
                    "日誌與驗證者簽署的相符",
                ),
                ("WRONG", "不符"),
            ];
            say(args.format, args.lang, words, audited)
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

/// Tells the verdict; `words` are those for yes and for no, in both languages.
fn say(
    format: Format,
    lang: Language,
    words: [(&str, &str); 2],
    checked: Checked,
) -> anyhow::Result<ExitCode> {
    let [yes, no] = words.map(|(en, zh_tw)| lang.pick(en, zh_tw));
    let (verdict, shown, code, reason) = match checked {
        Ok((text, mut json)) => {
            json["verdict"] = json!("yes");
            return format.print(&format!("{text}{yes}"), &json);
        }
        Err(Failure::No(error)) => ("no", no, ExitCode::FAILURE, error),
        Err(Failure::CouldNotTell(error)) => {
            let code = ExitCode::from(crate::report::REFUSED);
            let shown = lang.pick("COULD NOT TELL", "無法判斷");
            ("could not tell", shown, code, error)
        }
    };
    let reason = causes(reason.as_ref(), lang);
    let json = json!({ "verdict": verdict, "reason": reason });
    let text = lang.pick(format!("{shown}: {reason}"), format!("{shown}：{reason}"));
    format.print(&text, &json)?;
    Ok(code)
}

async fn status(node: &Rpc, lang: Language, format: Format) -> anyhow::Result<ExitCode> {
    let client = node.client()?;
    let latest = client.checkpoint(BlockNumberOrTag::Latest).await?;
    let latest = latest.ok_or_else(|| {
        let url = client.url();
        said(
            format!("{url} has no checkpoint"),
            format!("{url} 沒有檢查點"),
        )
    })?;
    let (size, root, height) = (latest.log_size, latest.log_root, latest.height);
    let Times { utc, taipei, .. } = Times::of(latest.time_ms);
    let text = lang.pick(
        format!("leaves  {size}\nroot    {root}\nheight  {height}\ntime    {utc} ({taipei})"),
        format!("筆數    {size}\n根雜湊  {root}\n高度    {height}\n時間    {taipei}（{utc}）"),
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
