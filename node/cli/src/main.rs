//! `tbsi`: run a TBSI node, look at a chain, attest files, check what was signed.

mod attest;
mod backup;
mod checkpoint;
mod cli;
mod clock;
mod completions;
mod config;
mod consent;
mod contract;
mod court;
mod db;
mod delegate;
mod digest;
mod doctor;
mod erase;
mod fact;
mod genesis;
mod govern;
mod handovers;
mod http;
mod issuing;
mod keys;
mod lang;
mod log;
mod logging;
mod misfit;
mod motion;
mod node;
mod operator;
mod org;
mod password;
mod permission;
mod predeploys;
mod progress;
mod proof;
mod prove;
mod quota;
mod reasons;
mod refusal;
mod relay;
mod renew;
mod report;
mod revoke;
mod rpc;
mod salt;
mod schema;
mod shown;
mod sign_state;
mod signer;
mod standing;
mod status;
mod testnet;
mod time;
mod top;
mod upgrade;
mod verify;
mod version;
mod warroom;

use std::process::ExitCode;

use clap::Parser;

/// RocksDB's allocator too. Under a load of large attestations a node holds about half of the
/// memory that it holds when RocksDB has glibc's.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run().unwrap_or_else(|error| {
        report::note(&format!("error: {}", report::causes(error.as_ref())));
        report::exit_code(&error)
    })
}
