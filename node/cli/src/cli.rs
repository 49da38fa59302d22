//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{checkpoint, config, genesis, keys, node, status, testnet, version};

const EXIT_CODES: &str = "\
Output is on stdout, the log on stderr.
Exit codes: 0 done or yes, 1 failed or no, 2 wrong command line.";

/// Runs a TBSI node, looks at a chain, checks what its validators signed.
#[derive(Debug, Parser)]
#[command(name = "tbsi", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Initialise or run one node.
    #[command(subcommand)]
    Node(node::Command),
    /// A network of several nodes on this machine, for development.
    #[command(subcommand)]
    Testnet(testnet::Command),
    /// The keys of a node.
    #[command(subcommand)]
    Keys(keys::Command),
    /// The file that founds a network.
    #[command(subcommand)]
    Genesis(genesis::Command),
    /// What the validators signed at a height.
    #[command(subcommand)]
    Checkpoint(checkpoint::Command),
    /// How a running node is doing.
    Status(status::Args),
    /// The configuration of a node.
    #[command(subcommand)]
    Config(config::Command),
    /// The version of this program.
    Version(version::Args),
}

impl Cli {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Node(command) => node::run(command),
            Command::Testnet(command) => testnet::run(command),
            Command::Keys(command) => keys::run(command),
            Command::Genesis(command) => genesis::run(command),
            Command::Checkpoint(command) => checkpoint::run(command),
            Command::Status(args) => status::run(&args),
            Command::Config(command) => config::run(command),
            Command::Version(args) => version::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
    }
}
