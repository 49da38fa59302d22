//! `tbsi completions` and `tbsi man`: what a package brings beside the program, made from its own
//! command line.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::lang::{SayContext, Sentence, counted};
use crate::report::Say;
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Directory for the pages; made if absent. Pages that are there are replaced.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    say: Say,
}

/// Prints what a shell reads to complete the command line.
pub(crate) fn complete(args: &Args, mut command: Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "tbsi", &mut script);
    match io::stdout().lock().write_all(&script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Writes a page for every command.
pub(crate) fn man(args: &ManArgs, command: Command) -> anyhow::Result<ExitCode> {
    args.say.told(pages(&args.dir, command))
}

fn pages(dir: &Path, command: Command) -> anyhow::Result<(Sentence, Value)> {
    let failed = |path: &Path| {
        let path = path.shown();
        (format!("write {path}"), format!("寫入 {path}"))
    };
    fs::create_dir_all(dir).or_say(|| failed(dir))?;
    let count = 1 + below(&command);
    clap_mangen::generate_to(command, dir).or_say(|| failed(dir))?;
    let shown = dir.shown();
    let en = format!("{} in {shown}", counted(count, "page"));
    let zh_tw = format!("{shown} 中有 {count} 頁");
    Ok(((en, zh_tw), json!({ "dir": dir.json(), "pages": count })))
}

/// Commands below a command.
fn below(command: &Command) -> usize {
    let commands = command.get_subcommands();
    commands.map(|command| 1 + below(command)).sum()
}
