//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    attest, backup, checkpoint, completions, config, consent, court, db, delegate, doctor, erase,
    fact, genesis, issuing, keys, log, motion, node, operator, org, permission, prove, quota,
    relay, renew, revoke, signer, status, testnet, top, upgrade, verify, version, warroom,
};

const EXIT_CODES: &str = "\
Output is on stdout, the log on stderr.
Exit codes: 0 done or yes, 1 failed or no, 2 wrong command line or could not tell.";

/// Runs a TBSI node, attests files, verifies proofs, looks at a chain.
#[derive(Debug, Parser)]
#[command(name = "tbsi", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// State that files exist, and fetch the proofs.
    Attest(attest::Args),
    /// Verify a proof offline.
    Verify(verify::Args),
    /// Verify a proof, and write a report for a court.
    Report(court::Args),
    /// Fetch the proof of what somebody attested.
    Prove(prove::Args),
    /// Withdraw an attestation.
    Revoke(revoke::Args),
    /// Sign what others send in your name, and send what others signed.
    #[command(subcommand)]
    Delegate(delegate::Command),
    /// Destroy the salt of an attestation, with a receipt.
    #[command(subcommand)]
    Erase(erase::Command),
    /// Name the attestation that takes the place of another.
    Supersede(issuing::SupersedeArgs),
    /// Have an attestation signed by others too.
    #[command(subcommand)]
    Countersign(issuing::CountersignCommand),
    /// What digests commit to.
    #[command(subcommand)]
    Schema(issuing::SchemaCommand),
    /// Time stamps that outlive certificates and algorithms: evidence records (RFC 4998).
    #[command(subcommand)]
    Renew(renew::Command),
    /// The log of all attestations.
    #[command(subcommand)]
    Log(log::Command),
    /// Initialise or run one node.
    #[command(subcommand)]
    Node(node::Command),
    /// Backups of a node, verified and restored.
    #[command(subcommand)]
    Backup(backup::Command),
    /// The database of a node: its size, a second reading, compaction.
    #[command(subcommand)]
    Db(db::Command),
    /// Hold a validator's key in a process of its own.
    #[command(subcommand)]
    Signer(signer::Command),
    /// Carry attestations to a contract on another chain.
    #[command(subcommand)]
    Relay(relay::Command),
    /// Follow a chain as a third party, and show what was verified.
    #[command(subcommand)]
    Warroom(warroom::Command),
    /// Who may use whose data set, for what and how long; with proof.
    #[command(subcommand)]
    Consent(consent::Command),
    /// Facts of other EVM chains, imported with proof.
    #[command(subcommand)]
    Fact(fact::Command),
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
    /// Organisations, their accounts, and other chains that they run.
    #[command(subcommand)]
    Org(org::Command),
    /// Nodes, their keys and who answers for them.
    #[command(subcommand)]
    Operator(operator::Command),
    /// What organisations decide together.
    #[command(subcommand)]
    Motion(motion::Command),
    /// Rules that change at a height, and who is ready.
    #[command(subcommand)]
    Upgrade(upgrade::Command),
    /// What an account may do.
    #[command(subcommand)]
    Permission(permission::Command),
    /// What an organisation may use, and has used.
    #[command(subcommand)]
    Quota(quota::Command),
    /// How a running node is doing, or what became of an attestation.
    Status(status::Args),
    /// A running node at a glance, again and again.
    Top(top::Args),
    /// What keeps a node from its work, or will, and what to do about it.
    Doctor(doctor::Args),
    /// The configuration of a node.
    #[command(subcommand)]
    Config(config::Command),
    /// Print what a shell reads to complete this command line.
    Completions(completions::Args),
    /// Write the manual, a page for each command.
    Man(completions::ManArgs),
    /// The version of this program.
    Version(version::Args),
}

impl Cli {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Attest(args) => attest::run(&args),
            Command::Verify(args) => verify::run(&args),
            Command::Report(args) => court::run(&args),
            Command::Prove(args) => prove::run(&args),
            Command::Revoke(args) => revoke::run(&args),
            Command::Delegate(command) => delegate::run(&command),
            Command::Erase(command) => erase::run(&command),
            Command::Supersede(args) => issuing::supersede(&args),
            Command::Countersign(command) => issuing::countersign(&command),
            Command::Schema(command) => issuing::schema(&command),
            Command::Renew(command) => renew::run(&command),
            Command::Log(command) => log::run(command),
            Command::Node(command) => node::run(command),
            Command::Backup(command) => backup::run(&command),
            Command::Db(command) => db::run(&command),
            Command::Signer(command) => signer::run(command),
            Command::Relay(command) => relay::run(command),
            Command::Warroom(command) => warroom::run(command),
            Command::Consent(command) => consent::run(command),
            Command::Fact(command) => fact::run(command),
            Command::Testnet(command) => testnet::run(command),
            Command::Keys(command) => keys::run(command),
            Command::Genesis(command) => genesis::run(command),
            Command::Checkpoint(command) => checkpoint::run(command),
            Command::Org(command) => org::run(command),
            Command::Operator(command) => operator::run(command),
            Command::Motion(command) => motion::run(command),
            Command::Upgrade(command) => upgrade::run(command),
            Command::Permission(command) => permission::run(&command),
            Command::Quota(command) => quota::run(&command),
            Command::Status(args) => status::run(&args),
            Command::Top(args) => top::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Config(command) => config::run(command),
            Command::Completions(args) => completions::complete(&args, Self::command()),
            Command::Man(args) => completions::man(&args, Self::command()),
            Command::Version(args) => version::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
    }
}
