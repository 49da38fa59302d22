//! `tbsi status`: of a node, or of an attestation.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use tbsi_light::TrustAnchor;
use tbsi_rpc::Client;
use tbsi_rpc::wire::{NodeStatus, Role};
use tbsi_types::B256;
use tokio::runtime::Runtime;

use crate::lang::{Language, counted, demand, said};
use crate::proof;
use crate::report::{Format, in_language, refuse};
use crate::revoke::named;
use crate::rpc::Rpc;
use crate::shown;
use crate::standing::{self, Standing};
use crate::time::Times;

const HELP: &str = "\
Without ID|PROOF: the node. With it: whether the attestation was revoked, superseded or
countersigned, as that node knows. --genesis verifies the proof of each of these; that there is
nothing else is the node's word.

Exit codes: 0 done, and not revoked; 1 failed, or revoked; 2 nobody attested it, or could not
tell.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Id of an attestation, 0x and 64 hex digits; or a file with its proof.
    #[arg(value_name = "ID|PROOF")]
    what: Option<PathBuf>,
    /// Genesis file of the network; what the node tells of is verified with it.
    #[arg(long, value_name = "FILE", requires = "what")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    rpc: Rpc,
    /// Language of the text about an attestation.
    #[arg(long, value_name = "LANG", default_value = "en", requires = "what")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(what) = &args.what {
        let named = named(what).map_err(refuse);
        let outcome = named.and_then(|named| of_attestation(args, named.id));
        return in_language(outcome, args.lang);
    }
    let client = args.rpc.client()?;
    let status = Runtime::new()?.block_on(client.status())?;
    args.format.print(&text(&status)?, &status)
}

fn of_attestation(args: &Args, id: B256) -> anyhow::Result<ExitCode> {
    let genesis = args.genesis.as_deref().map(proof::load_genesis).transpose();
    let genesis = genesis.map_err(refuse)?;
    let anchor = genesis.as_ref().map(TrustAnchor::genesis).transpose()?;
    let client = args.rpc.client()?;
    let known = async {
        if let Some(genesis) = &genesis {
            let (theirs, ours) = (client.status().await?.genesis_hash, genesis.hash());
            demand(theirs == ours, || other_network(&client, theirs, ours)).map_err(refuse)?;
        }
        standing::ask(&client, id, anchor.as_ref()).await
    };
    let Some(known) = Runtime::new()?.block_on(known)? else {
        let url = client.url();
        return Err(refuse(said(
            format!("{url} knows no attestation {id}"),
            format!("{url} 沒有存證 {id}"),
        )));
    };
    let mut json = known.summary();
    json["id"] = serde_json::json!(id);
    json["issuer"] = serde_json::json!(known.stated.head.issuer);
    json["leafIndex"] = serde_json::json!(known.index);
    args.format.print(&about(&known, id, args.lang)?, &json)?;
    Ok(if known.is_void() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn other_network(client: &Client, theirs: B256, ours: B256) -> (String, String) {
    let url = client.url();
    (
        format!(
            "{url} is a node of another network: genesis hash {theirs}, that of the file is {ours}"
        ),
        format!("{url} 是另一個網路的節點：創世檔雜湊為 {theirs}，您的檔案是 {ours}"),
    )
}

fn about(known: &Standing, id: B256, lang: Language) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let (head, index) = (&known.stated.head, known.index);
    let (times, issuer, height) = (Times::of(head.time), head.issuer, head.height);
    writeln!(text, "{} {id}", lang.pick("attestation   ", "存證    "))?;
    writeln!(text, "{} {issuer}", lang.pick("issuer        ", "簽發者  "))?;
    let when = lang.pick(&times.utc, &times.taipei);
    let place = lang.pick(
        format!("{when}, block {height}, leaf {index}"),
        format!("{when}，區塊 {height}，第 {index} 筆紀錄"),
    );
    writeln!(text, "{} {place}", lang.pick("first attested", "首次存證"))?;
    if let Some(opened) = known.status.countersigning {
        let (have, need) = (known.status.countersignatures, opened.what.0);
        let label = lang.pick("countersigned ", "會簽    ");
        writeln!(text, "{label} {have}/{need}")?;
    }
    if let Some(supersession) = known.status.supersession {
        let label = lang.pick("superseded by ", "取代者  ");
        writeln!(text, "{label} {}", supersession.what)?;
    }
    writeln!(
        text,
        "{} {}",
        lang.pick("status        ", "狀態    "),
        known.verdict(lang)
    )?;
    writeln!(
        text,
        "{} {}",
        lang.pick("source        ", "依據    "),
        known.source(lang)
    )?;
    Ok(text)
}

fn write_protocol(text: &mut String, status: &NodeStatus) -> std::fmt::Result {
    let protocol = &status.protocol;
    let (in_force, supported) = (protocol.in_force, protocol.supported);
    writeln!(
        text,
        "protocol version {in_force} in force, this node supports {supported}"
    )?;
    let Some(upgrade) = &protocol.upgrade else {
        return Ok(());
    };
    let (number, height) = (upgrade.number, upgrade.height);
    let state = if upgrade.supported {
        "this node supports it".to_owned()
    } else {
        let version = shown::line(&upgrade.version);
        format!("NOT SUPPORTED: install tbsi {version} before")
    };
    writeln!(
        text,
        "upgrade  {number} from height {height} on, protocol version {}: {state}",
        upgrade.protocol
    )
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
        shown::line(&status.node_name),
        shown::line(&status.version)
    )?;
    writeln!(
        text,
        "network  {}, chain id {}, genesis {}",
        shown::line(&status.network_name),
        status.chain_id,
        status.genesis_hash
    )?;
    writeln!(
        text,
        "height   {}, block {}",
        status.height, status.block_hash
    )?;
    write_protocol(&mut text, status)?;
    if status.syncing {
        writeln!(text, "syncing  {} behind", counted(status.behind, "block"))?;
    }
    if let Some(reason) = &status.waiting_for {
        writeln!(text, "waiting  {}", shown::line(reason))?;
    }
    for missing in &status.missing_validators {
        let names = &missing.organisation;
        let (node, zh_tw, en) = (&missing.node_name, &names.name_zh_tw, &names.name_en);
        let missing = format!("missing  {node} of {zh_tw} {en}");
        writeln!(text, "{}", shown::line(&missing))?;
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
        let peer = format!("  {} at {}: {state}", peer.node_name, peer.address);
        writeln!(text, "{}", shown::line(&peer))?;
    }
    Ok(text)
}
