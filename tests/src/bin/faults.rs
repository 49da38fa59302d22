//! `make faults`: see [`tbsi_tests::faults`].

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use tbsi_tests::faults::rows::{ROWS, Shown};
use tbsi_tests::faults::{Amount, Line, not_run, run, table};
use tokio::signal::unix::{SignalKind, signal};

/// Injects faults into networks of real processes and prints what came of them.
#[derive(Parser)]
struct Options {
    /// Rows to run (F1, F17 …); all of them by default.
    rows: Vec<String>,
    /// Kills of one node in F1; the other rows take their number from it.
    #[arg(long, default_value_t = 50)]
    kills: u64,
    /// Length of the soak of F45, seconds.
    #[arg(long, default_value_t = 120)]
    soak_s: u64,
    /// Of all random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also writes the ledger as JSON into this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    for id in &options.rows {
        if !ROWS.iter().any(|row| row.id == id) {
            bail!("no row is called {id}; there are F1 to F46");
        }
    }
    let mut terminated = signal(SignalKind::terminate()).context("watch for SIGTERM")?;
    // The nodes run in process groups of their own: only an orderly end ends them, too.
    let lines = tokio::select! {
        lines = all(&options) => lines,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminated.recv() => bail!("terminated"),
    };
    print!("\n{}", table(&lines));
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&lines).context("encode the ledger")?;
        fs::write(file, text + "\n").with_context(|| format!("--json {}", file.display()))?;
    }
    let count = |status| lines.iter().filter(|line| line.status == status).count();
    println!(
        "ledger: {} rows kept here, {} failed, {} skipped, {} in simulation, {} in other tests, \
         {} not shown; kills {}, seed {}",
        count("kept"),
        count("FAILED"),
        count("skipped"),
        count("simulation"),
        count("test"),
        count("not shown"),
        options.kills,
        options.seed
    );
    Ok(if count("FAILED") == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn all(options: &Options) -> Vec<Line> {
    let amount = Amount {
        kills: options.kills.max(1),
        soak_s: options.soak_s,
        seed: options.seed,
    };
    let mut lines = Vec::new();
    for row in ROWS {
        let asked = options.rows.is_empty() || options.rows.iter().any(|id| id == row.id);
        let line = match (asked, row.shown) {
            (false, Shown::Here(_)) => not_run(row),
            (true | false, _) => run(row, amount).await,
        };
        if line.seconds > 0 || line.status == "FAILED" {
            eprintln!(
                "{} {}: {} ({} s)",
                line.id, line.status, line.figures, line.seconds
            );
        }
        lines.push(line);
    }
    lines
}
