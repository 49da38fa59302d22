//! What to measure, and for how long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use serde::Serialize;

use super::target::anvil_binary;

/// Measures a TBSI network of real processes on this machine, beside anvil: latency, rates,
/// and what they cost.
///
/// The load is open-loop: arrival times are fixed before a run, transactions are signed before
/// it, and latency counts from the time at which a transaction was due.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// Validators of the network.
    #[arg(long, default_value_t = 4)]
    pub validators: usize,
    /// The `tbsi` binary [default: beside this program].
    #[arg(long)]
    pub tbsi: Option<PathBuf>,
    /// The native `anvil` binary [default: the one that npm installed in tests/clients].
    #[arg(long)]
    pub anvil: Option<PathBuf>,
    /// Leave anvil out, and with it the comparison.
    #[arg(long)]
    pub skip_anvil: bool,
    /// The `geth` binary beside which reads are measured [default: built by Go of tests/geth].
    #[arg(long)]
    pub geth: Option<PathBuf>,
    /// Leave geth out.
    #[arg(long)]
    pub skip_geth: bool,
    /// Leave sections out, with commas between.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub skip: Vec<Section>,
    /// Attestations that a relayer catches up with [default: 10000; quick: 500].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub backlog: Option<u64>,
    /// Attestations whose way through a relayer is timed [default: 50; quick: 5].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub relay_samples: Option<u64>,
    /// Seconds between anvil's blocks under load, such as 0.1; 0 mines at once, which is anvil's
    /// default and makes it slow: about one transaction a block, however many wait.
    #[arg(long, default_value = "1")]
    pub anvil_block_time: String,
    /// Empty or absent directory for the nodes' data, kept afterwards [default: a temporary one
    /// beside this program].
    #[arg(long)]
    pub work_dir: Option<PathBuf>,
    /// Seconds of one run [default: 8; quick: 3].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: Option<u64>,
    /// Runs of each figure [default: 3; quick: 1].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub repeats: Option<u64>,
    /// Single transactions for the idle latency [default: 150; quick: 15].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub idle_samples: Option<u64>,
    /// Blocks that the chain has before nodes are restarted [default: 10000; quick: 200].
    #[arg(long)]
    pub restart_blocks: Option<u64>,
    /// Leaves by which the log grows before proofs are measured [default: 1000000; quick: 100000].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub leaves: Option<u64>,
    /// Changes of the validator set in the longest history [default: 10000; quick: 100]. A change
    /// every hour for ten years is 87600.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub handovers: Option<u64>,
    /// Seconds of twice what saturates the chain [default: 60; quick: 10].
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub overload_s: Option<u64>,
    /// Seconds of one run of reads [default: 4; quick: 1].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub read_seconds: Option<u64>,
    /// Clients that read at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=128))]
    pub read_connections: u64,
    /// Rate at which the first search starts, transactions per second.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub start_rate: u64,
    /// Sending accounts of one run.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub senders: u64,
    /// HTTP connections, over all nodes.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=400))]
    pub connections: u64,
    /// Transactions per HTTP request in the batched case; 1 leaves that case out.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub batch: u64,
    /// Short runs, once each: shows that everything works, not how fast it is.
    #[arg(long)]
    pub quick: bool,
    /// Write all figures as one JSON object to this file; `-` is standard output, which then
    /// carries nothing else.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// Latency on an idle chain, and rates under load.
    Load,
    /// Twice what saturates the chain, for a while.
    Overload,
    /// The log as it grows, and proofs of it.
    Log,
    /// Coming back after SIGKILL.
    Restart,
    /// Gas of the light client, and the relayer; needs anvil.
    Relay,
    /// Following changes of the validator set.
    Handovers,
    /// Reads by JSON-RPC, beside anvil and geth.
    Rpc,
}

/// Options with every default filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Validators of the network.
    pub validators: usize,
    /// Program of the nodes.
    #[serde(skip)]
    pub tbsi: PathBuf,
    /// Program to compare with.
    #[serde(skip)]
    pub anvil: Option<PathBuf>,
    /// Program to compare reads with, if one was named.
    #[serde(skip)]
    pub geth: Option<PathBuf>,
    /// Reads are not compared with geth's.
    pub skip_geth: bool,
    /// Folder of this crate.
    #[serde(skip)]
    pub package: PathBuf,
    /// Seconds between its blocks under load.
    pub anvil_block_time: String,
    /// Left out.
    pub skip: Vec<Section>,
    /// Attestations that a relayer catches up with.
    pub backlog: u64,
    /// Attestations whose way through a relayer is timed.
    pub relay_samples: usize,
    /// Length of one run.
    pub seconds: u64,
    /// Runs of each figure.
    pub repeats: usize,
    /// Single transactions for the idle latency.
    pub idle_samples: usize,
    /// Blocks before nodes are restarted.
    pub restart_blocks: u64,
    /// Leaves by which the log grows.
    pub leaves: u64,
    /// Changes of the validator set in the longest history.
    pub handovers: u64,
    /// Seconds of twice what saturates the chain.
    pub overload_s: u64,
    /// Length of one run of reads.
    pub read_seconds: u64,
    /// Clients that read at the same time.
    pub read_connections: usize,
    /// Rate at which the first search starts.
    pub start_rate: u64,
    /// Sending accounts of one run.
    pub senders: usize,
    /// HTTP connections.
    pub connections: usize,
    /// Transactions per request in the batched case.
    pub batch: usize,
}

impl Options {
    /// Fills in the defaults and makes sure that the programs are there. `package` is the
    /// folder of this crate.
    pub fn plan(&self, package: &Path) -> anyhow::Result<Plan> {
        let count = |value: u64| usize::try_from(value).expect("a 64-bit machine");
        let either = |given: Option<u64>, full, quick| {
            given.unwrap_or(if self.quick { quick } else { full })
        };
        Ok(Plan {
            validators: self.validators,
            tbsi: self.tbsi_binary()?,
            anvil: self.anvil_binary(package)?,
            geth: self.geth_binary()?,
            skip_geth: self.skip_geth,
            package: package.to_path_buf(),
            anvil_block_time: self.anvil_block_time.clone(),
            skip: self.skip.clone(),
            backlog: either(self.backlog, 10_000, 500),
            relay_samples: count(either(self.relay_samples, 50, 5)),
            seconds: either(self.seconds, 8, 3),
            repeats: count(either(self.repeats, 3, 1)),
            idle_samples: count(either(self.idle_samples, 150, 15)),
            restart_blocks: either(self.restart_blocks, 10_000, 200),
            leaves: either(self.leaves, 1_000_000, 100_000),
            handovers: either(self.handovers, 10_000, 100),
            overload_s: either(self.overload_s, 60, 10),
            read_seconds: either(self.read_seconds, 4, 1),
            read_connections: count(self.read_connections),
            start_rate: self.start_rate,
            senders: count(self.senders),
            connections: count(self.connections),
            batch: count(self.batch),
        })
    }

    fn tbsi_binary(&self) -> anyhow::Result<PathBuf> {
        let binary = match &self.tbsi {
            Some(binary) => binary.clone(),
            None => beside_this_program("tbsi")?,
        };
        ensure!(
            binary.is_file(),
            "--tbsi: {} is not there; build it with `cargo build -p tbsi`",
            binary.display()
        );
        Ok(binary)
    }

    fn geth_binary(&self) -> anyhow::Result<Option<PathBuf>> {
        if let Some(binary) = &self.geth {
            ensure!(
                binary.is_file(),
                "--geth: {} is not there; leave --geth out to have Go build it, or geth with \
                 --skip-geth",
                binary.display()
            );
        }
        Ok(self.geth.clone())
    }

    fn anvil_binary(&self, package: &Path) -> anyhow::Result<Option<PathBuf>> {
        if self.skip_anvil {
            return Ok(None);
        }
        let installed = || anvil_binary(&package.join("clients/node_modules"));
        let binary = self.anvil.clone().unwrap_or_else(installed);
        ensure!(
            binary.is_file(),
            "--anvil: {} is not there; install it with `npm ci` in tests/clients, or leave the \
             comparison out with --skip-anvil",
            binary.display()
        );
        Ok(Some(binary))
    }
}

impl Plan {
    /// Whether a section is measured.
    pub fn has(&self, section: Section) -> bool {
        !self.skip.contains(&section)
    }

    /// Length of one run.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Length of one run of reads.
    pub fn read_duration(&self) -> Duration {
        Duration::from_secs(self.read_seconds)
    }
}

/// A file in the directory of the running program.
pub fn beside_this_program(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("find this program")?;
    let dir = program.parent().context("this program is in a directory")?;
    Ok(dir.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> anyhow::Result<Plan> {
        let program = std::env::current_exe().unwrap();
        let program = program.to_str().unwrap();
        let all = ["bench", "--tbsi", program].into_iter();
        let all = all.chain(arguments.iter().copied());
        Options::try_parse_from(all)?.plan(Path::new("absent"))
    }

    #[test]
    fn quick_changes_defaults_and_nothing_that_was_given() {
        let full = plan(&["--skip-anvil"]).unwrap();
        assert_eq!(
            (full.seconds, full.repeats, full.restart_blocks),
            (8, 3, 10_000)
        );
        let quick = plan(&["--skip-anvil", "--quick", "--seconds", "9"]).unwrap();
        assert_eq!(
            (quick.seconds, quick.repeats, quick.restart_blocks),
            (9, 1, 200)
        );
    }

    #[test]
    fn sections_are_left_out_by_name() {
        let some = plan(&["--skip-anvil", "--skip", "load,restart"]).unwrap();
        assert!(!some.has(Section::Load) && !some.has(Section::Restart));
        assert!(some.has(Section::Log) && some.has(Section::Relay) && some.has(Section::Rpc));
        assert!(
            !plan(&["--skip-anvil", "--skip", "rpc"])
                .unwrap()
                .has(Section::Rpc)
        );
        let error = plan(&["--skip", "all"]).unwrap_err().to_string();
        assert!(
            error.contains("possible values: load, overload, log"),
            "{error}"
        );
    }

    #[test]
    fn names_the_program_that_is_missing_and_what_to_do() {
        let check = |arguments: &[&str], words: &str| {
            let error = plan(arguments).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&[], "npm ci");
        check(&["--anvil", "nowhere"], "--anvil: nowhere is not there");
        let geth = ["--skip-anvil", "--geth", "nowhere"];
        check(&geth, "--geth: nowhere is not there");
        check(&["--seconds", "0"], "--seconds");
        let missing = Options::try_parse_from(["bench", "--tbsi", "nowhere"]).unwrap();
        let error = missing.plan(Path::new("absent")).unwrap_err().to_string();
        assert!(error.contains("cargo build -p tbsi"), "{error}");
    }
}
