//! `tbsi operator`.

mod moving;
mod possession;
mod record;
mod register;
mod show;

pub(crate) use possession::Prover;
pub(crate) use show::role;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::NODES;
use tbsi_governance::contracts::{Nodes, Offence};

use crate::govern::words::{OFFENCES, change, word};
use crate::govern::{
    CODES, Planned, Read, RegistryClient, Write, Writer, block_on, parse_endpoint,
};
use crate::lang::Language;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register a node of your organisation, as an observer.
    ///
    /// Each key proves that you have it: the keys are read from the node's home and stay there.
    /// A motion makes the node a validator.
    #[command(after_help = CODES)]
    Register(RegisterArgs),
    /// Say where a node of your organisation is and what it runs. What is not given stays.
    #[command(after_help = CODES)]
    Update {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        /// Where other nodes reach it, like /dns4/node.example.org/tcp/27000: the port is that for
        /// consensus, the one after it that for transactions. All nodes look there from then on.
        #[arg(long, value_name = "MULTIADDR", value_parser = parse_endpoint)]
        endpoint: Option<String>,
        /// Version of its software.
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        write: Write,
    },
    /// Take an observer of your organisation out of use, for ever.
    #[command(after_help = CODES)]
    Retire {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        write: Write,
    },
    /// A node, its keys, and who answers for it.
    Show {
        /// Number, name, peer id, any key that it has or had, or validator address.
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        read: Read,
    },
    /// All nodes in use.
    List {
        /// Those out of use too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        read: Read,
    },
    /// Move a validator to another machine, step by step.
    #[command(subcommand)]
    Move(moving::Command),
    /// Equivocation that is on record.
    #[command(subcommand)]
    Evidence(Evidence),
    /// How the validators served between two heights: signatures, blocks, rounds missed.
    ///
    /// Counted from the certificates that the node keeps, each of which has a quorum's signatures
    /// and perhaps not all. The file is canonical JSON (RFC 8785); attest it to make it provable.
    Record(record::RecordArgs),
    /// Carry out suspensions that the rules of the validator set did not allow before.
    #[command(after_help = CODES)]
    Enforce {
        #[command(flatten)]
        write: Write,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// All of it, newest last.
    List {
        #[command(flatten)]
        read: Read,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RegisterArgs {
    /// Home directory of the node, with its keys.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Name, unique for ever: lower-case letters, digits, '-' and '.' [default: that of
    /// config.toml].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where other nodes reach it, like /dns4/node.example.org/tcp/27000: the port is that for
    /// consensus, the one after it that for transactions. Without it, it has to connect to them.
    #[arg(long, value_name = "MULTIADDR", default_value = "", value_parser = parse_endpoint)]
    endpoint: String,
    /// Version of its software.
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    version: String,
    #[command(flatten)]
    write: Write,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Register(args) => block_on(args.write.read.lang, register::run(args)),
        Command::Update {
            node,
            endpoint,
            version,
            write,
        } => block_on(write.read.lang, update(node, endpoint, version, write)),
        Command::Retire { node, write } => block_on(write.read.lang, retire(node, write)),
        Command::Move(command) => moving::run(&command),
        Command::Record(args) => block_on(args.language(), record::record(args)),
        Command::Show { node, read } => block_on(read.lang, show::show(node, read)),
        Command::List { all, read } => block_on(read.lang, show::list(all, read)),
        Command::Evidence(Evidence::List { read }) => block_on(read.lang, evidence(read)),
        Command::Enforce { write } => block_on(write.read.lang, enforce(write)),
    }
}

async fn update(
    text: String,
    endpoint: Option<String>,
    version: Option<String>,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let (number, node) = registry.find_node(&text).await?;
    let call = Nodes::updateNodeCall {
        node: number,
        endpoint: endpoint.unwrap_or_else(|| node.endpoint.clone()),
        version: version.unwrap_or_else(|| node.version.clone()),
    };
    let dash = |text: &str| {
        if text.is_empty() {
            "–".into()
        } else {
            text.to_owned()
        }
    };
    let endpoint = change(&dash(&node.endpoint), &dash(&call.endpoint));
    let version = change(&dash(&node.version), &dash(&call.version));
    let name = &node.name;
    let change = lang.pick(
        format!("node {name}: endpoint {endpoint}; version {version}"),
        format!("節點 {name}：位址 {endpoint}；版本 {version}"),
    );
    writer
        .perform_plainly(&Planned::new(NODES, &call, change))
        .await
}

async fn retire(text: String, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let (number, node) = registry.find_node(&text).await?;
    let (name, owner) = (&node.name, registry.name(node.organisation));
    let role = role(&node, lang);
    let change = lang.pick(
        format!("node {name} of {owner}: {role} → out of use for ever, with its name and keys"),
        format!("{owner}的節點 {name}：{role} → 永久停用，名稱與金鑰亦不得再用"),
    );
    let call = Nodes::retireNodeCall { node: number };
    writer
        .perform_plainly(&Planned::new(NODES, &call, change))
        .await
}

async fn evidence(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let count = registry.ask(NODES, Nodes::offenceCountCall {}).await?;
    let call = |from, count| Nodes::offencesCall { from, count };
    let offences = registry
        .pages(NODES, (0, count.saturating_to()), call)
        .await?;
    let offences: Vec<Offence> = offences;
    let mut text = String::new();
    let mut all = Vec::new();
    for it in &offences {
        let (name, what) = (
            registry.name(it.organisation),
            word(&OFFENCES, it.kind.into(), lang),
        );
        let (validator, height, round) = (it.validator, it.height, it.round);
        let (recorded, hash) = (it.recordedHeight, it.evidenceHash);
        text += &lang.pick(
            format!(
                "{name}: {what} at height {height}, round {round}, by validator {validator}; on \
                 record since block {recorded}, evidence {hash}\n"
            ),
            format!(
                "{name}：驗證者 {validator} 於高度 {height} 第 {round} 輪簽署{what}；\
                 區塊 {recorded} 起有紀錄，證據 {hash}\n"
            ),
        );
        all.push(json!({
            "organisation": registry.named(it.organisation),
            "node": it.node,
            "validator": validator,
            "kind": word(&OFFENCES, it.kind.into(), Language::En),
            "height": height,
            "round": round,
            "recordedHeight": recorded,
            "evidenceHash": hash,
        }));
    }
    if offences.is_empty() {
        text = lang
            .pick("No equivocation is on record.", "沒有雙重簽署的紀錄。")
            .into();
    }
    registry.format.print(&text, &json!({ "offences": all }))
}

async fn enforce(write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let nodes = registry.nodes().await?;
    let due = nodes
        .iter()
        .filter(|(_, node)| node.suspended && node.validating);
    let due: Vec<&str> = due.map(|(_, node)| node.name.as_str()).collect();
    let names = if due.is_empty() {
        "–".into()
    } else {
        due.join(", ")
    };
    let change = lang.pick(
        format!(
            "suspended validators that are still in the set, as far as its rules allow: {names}"
        ),
        format!("已停權而仍在集合中的驗證者，在規則允許範圍內移出：{names}"),
    );
    let planned = Planned::new(NODES, &Nodes::enforceSuspensionsCall {}, change);
    writer.perform_plainly(&planned).await
}
