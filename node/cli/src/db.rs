//! `tbsi db`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_node::upkeep;

use crate::backup::{Bar, audit_json, found_right, judged};
use crate::lang::{Sentence, counted};
use crate::password::PasswordFile;
use crate::report::{Say, note};
use crate::shown::PathShown;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// How large a node's database is, by table; the node may run.
    Stats(Args),
    /// Read a node's database again and verify it, from the genesis file to its tip.
    ///
    /// Every checksum, certificate and block, the log, the map and the state. The node may run: it
    /// makes a copy of links, which is verified and removed. Exit codes: 0 it is right, 1 it is
    /// not, 2 could not tell.
    Verify(Args),
    /// Write a database anew without what was overwritten or deleted; the node must not run.
    ///
    /// It happens by itself little by little; this is for after a change of `store` in config.toml.
    /// The disk needs as much room again as the largest table.
    Compact(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    say: Say,
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let (args, outcome) = match command {
        Command::Stats(args) => (args, stats(&args.home, &args.password)),
        Command::Verify(args) => (args, verify(&args.home, &args.password)),
        Command::Compact(args) => (args, compact(&args.home, &args.password)),
    };
    args.say.told(outcome)
}

fn stats(dir: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let found = upkeep::stats(&password.unlock(dir)?)?;
    let total: u64 = found.tables.iter().map(|table| table.bytes).sum();
    let lines: String = found
        .tables
        .iter()
        .map(|table| {
            let (name, bytes, entries) = (table.name, table.bytes, table.entries);
            format!("\n{name:<10} {bytes:>16} {entries:>14}")
        })
        .collect();
    let (height, oldest, size) = (found.height, found.oldest_state, found.log_size);
    let whole = found.oldest_block;
    let en = format!(
        "height {height}, states from {oldest} on, transactions and receipts from {whole} on, {}, \
         {total} bytes\n\
         table                 bytes       entries (about){lines}",
        counted(size, "leaf"),
    );
    let zh_tw = format!(
        "高度 {height}，保有自 {oldest} 起的狀態與自 {whole} 起的交易及收據，{size} 筆紀錄，共 {total} 位元組\n\
         資料表             位元組     項目數（約）{lines}"
    );
    let tables = found.tables.iter().map(
        |table| json!({ "table": table.name, "bytes": table.bytes, "entries": table.entries }),
    );
    let json = json!({
        "height": height,
        "oldestState": oldest,
        "oldestBlock": whole,
        "logSize": size,
        "bytes": total,
        "tables": tables.collect::<Vec<_>>(),
    });
    Ok(((en, zh_tw), json))
}

fn verify(dir: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(dir)?;
    let mut bar = Bar::default();
    let mut audited = |part, done, total| bar.audit(part, done, total);
    let found = upkeep::verify(&home, &mut audited).map_err(judged)?;
    let (shown, read) = (dir.shown(), &found.read);
    let (en, zh_tw) = found_right(&found.chain);
    let en = format!(
        "the database of {shown} is right: {}, {} bytes, every checksum compared\n{en}",
        counted(read.entries, "entry"),
        read.bytes
    );
    let zh_tw = format!(
        "{shown} 的資料庫正確：{} 個項目、{} 位元組，校驗碼均已比對\n{zh_tw}",
        read.entries, read.bytes
    );
    let mut json = audit_json(&found.chain);
    json["entries"] = read.entries.into();
    json["bytes"] = read.bytes.into();
    Ok(((en, zh_tw), json))
}

fn compact(dir: &Path, password: &PasswordFile) -> anyhow::Result<(Sentence, Value)> {
    let home = password.unlock(dir)?;
    let tables = upkeep::compact(&home, |table| note(&format!("  {table}")))?;
    let [before, after] = tables.map(|tables| tables.iter().map(|table| table.bytes).sum::<u64>());
    let en = format!("{before} bytes before, {after} after");
    let zh_tw = format!("先前 {before} 位元組，之後 {after} 位元組");
    Ok(((en, zh_tw), json!({ "before": before, "after": after })))
}
