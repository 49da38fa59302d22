//! `make bench`: see [`tbsi_tests::bench`].

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Parser;
use tbsi_tests::bench::environment::Environment;
use tbsi_tests::bench::options::{Options, beside_this_program};
use tbsi_tests::bench::report::Report;
use tbsi_tests::bench::scenario::measure;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run me by `cargo run`")?;
    let package = Path::new(&package);
    let plan = options.plan(package)?;
    // Not the system's directory for temporary files: it may be in memory, where fsync costs
    // nothing.
    let temporary = match &options.work_dir {
        Some(_) => None,
        None => {
            let parent = beside_this_program("")?;
            let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(parent);
            Some(dir.context("make a directory for the nodes' data")?)
        }
    };
    let given = options.work_dir.as_deref();
    let dir = temporary.as_ref().map(tempfile::TempDir::path).or(given);
    let dir = dir.expect("one of the two was given");
    fs::create_dir_all(dir).with_context(|| format!("--work-dir {}", dir.display()))?;
    let dir = dir.canonicalize().context("--work-dir")?;
    let environment = Environment::read(&dir, package);
    let mut terminated = signal(SignalKind::terminate()).context("watch for SIGTERM")?;
    // The nodes run in process groups of their own: only an orderly end ends them, too.
    let report = tokio::select! {
        report = measure(&plan, &dir, environment) => report?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminated.recv() => bail!("terminated"),
    };
    print(&report, options.json.as_deref())
}

/// The table goes to standard output, unless the JSON does.
fn print(report: &Report, json: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = json else {
        println!("{}", report.table());
        return Ok(());
    };
    let text = serde_json::to_string_pretty(report).context("encode the report")?;
    if file == Path::new("-") {
        eprintln!("{}", report.table());
        println!("{text}");
        return Ok(());
    }
    println!("{}", report.table());
    fs::write(file, text + "\n").with_context(|| format!("--json {}", file.display()))
}
