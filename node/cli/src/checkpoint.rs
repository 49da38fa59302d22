//! `tbsi checkpoint`.

mod file;
mod verify;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_eips::BlockNumberOrTag;
use anyhow::Context;
use clap::Subcommand;
use tbsi_rpc::Client;
use tokio::runtime::Runtime;

use crate::proof::handovers_to;
use crate::report::{Format, print, print_json};
use crate::rpc::Rpc;
use crate::shown::PathShown;
pub(crate) use file::CheckpointFile;
pub(crate) use verify::{verified, verified_height};

const VERIFY_HELP: &str = "\
Nothing is asked of any network. The genesis file is what you trust.
Exit codes: 0 valid, 1 invalid, 2 could not tell (a file is missing or of another kind).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a checkpoint, its commit certificate and the validators from a node.
    Get {
        #[command(flatten)]
        rpc: Rpc,
        /// Height, or `latest`.
        #[arg(long, value_name = "HEIGHT", default_value = "latest", value_parser = parse_height)]
        height: BlockNumberOrTag,
        /// File to write, which must not exist; stdout if absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Verify a fetched checkpoint offline.
    #[command(after_help = VERIFY_HELP)]
    Verify {
        /// File made by `tbsi checkpoint get`.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Genesis file of the network.
        #[arg(long, value_name = "FILE")]
        genesis: PathBuf,
        #[command(flatten)]
        format: Format,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Get { rpc, height, out } => get(&rpc, height, out.as_deref()),
        Command::Verify {
            file,
            genesis,
            format,
        } => verify::run(&file, &genesis, format),
    }
}

fn parse_height(text: &str) -> Result<BlockNumberOrTag, String> {
    if text == "latest" {
        return Ok(BlockNumberOrTag::Latest);
    }
    match text.parse() {
        Ok(0) => Err("height 0 is fixed by the genesis file; nobody signs it".into()),
        Ok(height) => Ok(BlockNumberOrTag::Number(height)),
        Err(_) => Err("a decimal number or `latest` is expected".into()),
    }
}

fn get(rpc: &Rpc, height: BlockNumberOrTag, out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let client = rpc.client()?;
    let file = Runtime::new()?.block_on(fetch(&client, height))?;
    let json = serde_json::to_string_pretty(&file)? + "\n";
    let Some(out) = out else {
        print_json(&json)?;
        return Ok(ExitCode::SUCCESS);
    };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut file| file.write_all(json.as_bytes()))
        .with_context(|| format!("write {}", out.shown()))?;
    print(&format!(
        "Checkpoint of height {} is in {}.\nNext: tbsi checkpoint verify --file {} --genesis FILE",
        file.checkpoint.height,
        out.shown(),
        out.word()
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn fetch(client: &Client, height: BlockNumberOrTag) -> anyhow::Result<CheckpointFile> {
    let checkpoint = client
        .checkpoint(height)
        .await?
        .with_context(|| format!("{} has not decided height {height}", client.url()))?;
    // The tip may move on between calls: from here on, the same height.
    let height = BlockNumberOrTag::Number(checkpoint.height.0);
    let missing = |what: &str| format!("{} has no {what} for height {height}", client.url());
    let certificate = client.certificate(height).await?;
    let validators = client.validators(height).await?;
    let handovers = handovers_to(client, checkpoint.height).await?;
    Ok(CheckpointFile::new(
        checkpoint,
        certificate.with_context(|| missing("certificate"))?,
        validators.with_context(|| missing("validators"))?,
        handovers,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_decimal_or_latest() {
        assert_eq!(parse_height("latest"), Ok(BlockNumberOrTag::Latest));
        assert_eq!(parse_height("7"), Ok(BlockNumberOrTag::Number(7)));
        for bad in ["0", "", "-1", "0x7", "Latest", "18446744073709551616"] {
            assert!(parse_height(bad).is_err(), "{bad}");
        }
    }
}
