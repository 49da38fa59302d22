//! `tbsi upgrade`: rules that change at a height, and who is ready for them.

mod status;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::UPGRADES;
use tbsi_governance::contracts::Upgrades;

use crate::govern::{CODES, Planned, Read, Write, Writer, block_on};
use crate::motion::{self, CancelArgs, UPGRADE_HELP, UpgradeArgs};
use crate::report::refused;

const HELP: &str = "\
An upgrade is decided by a motion that needs what any other needs, takes effect at its height if
validators with more than two thirds of the power have declared 20 blocks before that their nodes
support it, and lapses otherwise: then the chain goes on unchanged.";

#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(crate) enum Command {
    /// Propose an upgrade: the same as `tbsi motion propose schedule-upgrade`.
    #[command(after_help = UPGRADE_HELP)]
    Plan(Box<UpgradeArgs>),
    /// Propose that the upgrade that waits is not carried out.
    #[command(after_help = CODES)]
    Cancel(CancelArgs),
    /// Versions, what upgrades have set, and who is ready, by legal name.
    Status {
        #[command(flatten)]
        read: Read,
    },
    /// Declare that a node of your organisation supports a protocol version, for good.
    #[command(after_help = CODES)]
    Declare {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        /// The version [default: what the node at --rpc supports, if it is this node].
        #[arg(long, value_name = "NUMBER")]
        protocol: Option<u32>,
        #[command(flatten)]
        write: Write,
    },
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Plan(args) => motion::propose_upgrade(args),
        Command::Cancel(args) => motion::propose_cancel(args),
        Command::Status { read } => block_on(read.lang, status::run(read)),
        Command::Declare {
            node,
            protocol,
            write,
        } => block_on(write.read.lang, declare(node, protocol, write)),
    }
}

async fn declare(node: String, protocol: Option<u32>, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let (number, found) = registry.find_node(&node).await?;
    let status = registry.client.status().await?;
    let same = status.node_name == found.name;
    let supported = status.protocol.supported;
    let version = match protocol {
        Some(version) if same && version > supported => {
            return Err(refused(lang.pick(
                format!("the node supports protocol version {supported}, not {version}"),
                format!("該節點支援的協定版本為 {supported}，並非 {version}"),
            )));
        }
        Some(version) => version,
        None if same => supported,
        None => {
            let (url, other) = (registry.client.url(), &status.node_name);
            return Err(refused(lang.pick(
                format!(
                    "{url} is the node {other}, not {}: ask that node, or give --protocol",
                    found.name
                ),
                format!(
                    "{url} 是節點 {other}，不是 {}：請改問該節點，或提供 --protocol",
                    found.name
                ),
            )));
        }
    };
    let (name, owner) = (&found.name, registry.name(found.organisation));
    let change = lang.pick(
        format!("node {name} of {owner} supports protocol version {version}"),
        format!("{owner}的節點 {name} 支援協定版本 {version}"),
    );
    let call = Upgrades::declareCall {
        node: number,
        version,
    };
    let planned = Planned::new(UPGRADES, &call, change);
    let tell = async |_: &_| Ok((String::new(), json!({ "node": number, "version": version })));
    writer.perform(&planned, tell).await
}
