//! `tbsi status`.

use std::fmt::Write as _;
use std::process::ExitCode;

use tbsi_rpc::Client;
use tbsi_rpc::wire::{NodeStatus, Role};
use tokio::runtime::Runtime;

use crate::report::Format;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// JSON-RPC address of the node.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8545")]
    rpc: String,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.rpc)?;
    let status = Runtime::new()?.block_on(client.status())?;
    args.format.print(&text(&status)?, &status)
}

fn text(status: &NodeStatus) -> Result<String, std::fmt::Error> {
    let role = match status.role {
        Role::Validator => "validator",
        Role::Observer => "observer",
    };
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    let mut text = String::new();
    writeln!(
        text,
        "node     {} ({role}), tbsi {}",
        status.node_name, status.version
    )?;
    writeln!(
        text,
        "network  {}, chain id {}, genesis {}",
        status.network_name, status.chain_id, status.genesis_hash
    )?;
    writeln!(
        text,
        "height   {}, block {}",
        status.height, status.block_hash
    )?;
    if status.syncing {
        writeln!(text, "syncing  {} blocks behind", status.behind)?;
    }
    if let Some(reason) = &status.waiting_for {
        writeln!(text, "waiting  {reason}")?;
    }
    for missing in &status.missing_validators {
        let names = &missing.organisation;
        writeln!(
            text,
            "missing  {} of {} {}",
            missing.node_name, names.name_zh_tw, names.name_en
        )?;
    }
    writeln!(
        text,
        "pool     {} pending, {} queued, {} bytes",
        status.pool.pending, status.pool.queued, status.pool.bytes
    )?;
    writeln!(
        text,
        "peers    {connected} of {} connected",
        status.peers.len()
    )?;
    for peer in &status.peers {
        let state = if peer.connected {
            "connected"
        } else {
            "not connected"
        };
        writeln!(text, "  {} at {}: {state}", peer.node_name, peer.address)?;
    }
    Ok(text)
}
