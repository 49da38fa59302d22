//! `tbsi`: run a TBSI node, look at a chain, check what it signed.

mod checkpoint;
mod cli;
mod config;
mod genesis;
mod keys;
mod logging;
mod node;
mod report;
mod status;
mod testnet;
mod version;

use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

/// Under write load a node holds two thirds of the memory that it holds with glibc's allocator.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run().unwrap_or_else(|error| {
        report::note(&format!("error: {}", report::causes(error.as_ref())));
        ExitCode::FAILURE
    })
}
