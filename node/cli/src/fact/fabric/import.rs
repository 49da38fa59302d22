//! `tbsi fact fabric import`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tbsi_bindings::bridge::{Endorsement, FabricFacts};
use tbsi_bridge::config::{Config, TargetConfig};
use tbsi_bridge::fabric::{ChannelReader, Gateways, Stated};

use crate::govern::{Done, Planned, Write, Writer};
use crate::relay::fabric::reader_of;
use crate::report::{refuse, refused};
use crate::shown::{self, PathShown};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The contract.
    #[arg(long, value_name = "ADDRESS")]
    contract: Address,
    /// Number of the channel in it.
    #[arg(long, value_name = "CHANNEL")]
    channel: u32,
    /// Home directory of a relayer to the channel, whose gateways and enrolment are used.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Organisation whose entry it is.
    #[arg(long, value_name = "MSPID")]
    msp_id: String,
    /// The entry's number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sequence: u64,
    /// Organisation that is to state it; repeat for as many as the channel needs.
    #[arg(long, value_name = "MSPID", required = true)]
    organisation: Vec<String>,
    /// Write the entry to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) write: Write,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let lang = args.write.read.lang;
    if args.out.exists() {
        return Err(refused(lang.pick(
            format!("{} exists; choose another --out", args.out.shown()),
            format!("{} 已存在；請選擇其他 --out", args.out.shown()),
        )));
    }
    let writer = Writer::open(&args.write).await?;
    let channel = FabricFacts::channelOfCall {
        channel: args.channel,
    };
    let channel = writer.registry.ask(args.contract, channel).await?;
    let reader = reader(&args)?;
    reader
        .require_channel(&channel.channel, &channel.chaincode)
        .map_err(refused)?;
    let request = request(&args, &writer);
    if writer.is_dry_run() {
        return writer.perform_plainly(&request).await;
    }
    let asked = writer.carry_out(&request).await?;
    let nonce = asked.event::<FabricFacts::EntryRequested>()?.nonce;
    let stated = reader.state(&args.msp_id, args.sequence, nonce, &args.organisation);
    let stated = stated.await.context("have the entry stated by peers")?;
    let planned = import(&args, &writer, nonce, &stated);
    let tell = async |done: &Done| tell(&args, &writer, done);
    writer.perform(&planned, tell).await
}

fn reader(args: &Args) -> anyhow::Result<ChannelReader<Gateways>> {
    let (config, _) = Config::load(&args.home).map_err(|error| refuse(error.into()))?;
    let TargetConfig::Fabric(fabric) = &config.target else {
        let problem = anyhow::anyhow!(
            "{} is the home of a relayer to an EVM chain; `tbsi relay init-fabric` makes one to a \
             channel",
            args.home.shown()
        );
        return Err(refuse(problem));
    };
    reader_of(&args.home, &config, fabric).map_err(refuse)
}

fn request(args: &Args, writer: &Writer) -> Planned {
    let (msp_id, sequence) = (shown::line(&args.msp_id), args.sequence);
    let change = writer.registry.lang.pick(
        format!("ask for entry {sequence} of {msp_id}"),
        format!("請求 {msp_id} 的第 {sequence} 筆紀錄"),
    );
    let call = FabricFacts::requestCall {
        channel: args.channel,
        mspId: args.msp_id.clone(),
        sequence: args.sequence,
    };
    Planned::new(args.contract, &call, change)
}

fn import(args: &Args, writer: &Writer, nonce: B256, stated: &Stated) -> Planned {
    let (msp_id, sequence) = (shown::line(&args.msp_id), args.sequence);
    let who = stated.organisations.join(", ");
    let change = writer.registry.lang.pick(
        format!("import entry {sequence} of {msp_id}, stated by {who}"),
        format!("匯入 {msp_id} 的第 {sequence} 筆紀錄，由 {who} 陳述"),
    );
    let endorsement = |(endorser, signature): &(Vec<u8>, Vec<u8>)| Endorsement {
        endorser: Bytes::from(endorser.clone()),
        signature: Bytes::from(signature.clone()),
    };
    let call = FabricFacts::importEntryCall {
        nonce,
        response: stated.response.clone().into(),
        endorsements: stated.endorsements.iter().map(endorsement).collect(),
    };
    Planned::new(args.contract, &call, change)
}

fn tell(args: &Args, writer: &Writer, done: &Done) -> anyhow::Result<(String, Value)> {
    let event = done.event::<FabricFacts::EntryImported>()?;
    ensure!(!event.entry.is_empty(), "the entry is empty");
    fs::write(&args.out, &event.entry).with_context(|| format!("write {}", args.out.shown()))?;
    let (file, issuer, id) = (args.out.shown(), args.contract, event.attestation);
    let text = writer.registry.lang.pick(
        format!(
            "attestation {id} of {file}, by the contract {issuer}\n\
             assurance fabricEndorsedRead: peers of these organisations signed that it is on their \
             ledgers; that many together can lie"
        ),
        format!(
            "{file} 的存證 {id}，簽發者為合約 {issuer}\n\
             保證等級 fabricEndorsedRead：上述機構的 peer 簽署聲明該筆紀錄在其帳本上；這麼多機構聯合起來仍可能說謊"
        ),
    );
    let json = json!({
        "attestation": id,
        "issuer": issuer,
        "assurance": "fabricEndorsedRead",
        "messageHash": event.messageHash,
        "nonce": event.nonce,
        "chaincodeVersion": event.chaincodeVersion,
    });
    Ok((text, json))
}
