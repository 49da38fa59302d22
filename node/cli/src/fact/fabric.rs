//! `tbsi fact fabric`: entries of an outbox on a channel of Hyperledger Fabric (SPEC §21).

mod import;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes, hex};
use alloy_sol_types::SolValue;
use anyhow::{Context as _, ensure};
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_bindings::bridge::{Description, FabricFacts, Organisation};
use tbsi_bridge::fabric::{certificates, facts_creation_code};
use tbsi_types::sha256;
use tokio::runtime::Runtime;

use crate::govern::{CODES, Done, Planned, Write, Writer, block_on};
use crate::relay::deploy;
use crate::report::{Format, Say, refuse};
use crate::rpc::Rpc;
use crate::shown::{self, PathShown};

/// Bytes of a description that is read.
const DESCRIPTION_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deploy the contract that imports entries.
    ///
    /// Nobody has rights in it. A motion (set-account) makes its address an account of the
    /// organisation that answers for it, with the permission to attest.
    Deploy {
        /// File with the secret key of an account that may deploy.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[command(flatten)]
        rpc: Rpc,
        #[command(flatten)]
        format: Format,
    },
    /// Write the description of a channel to a file, for a motion that resolves it.
    Describe(DescribeArgs),
    /// Show what a description says.
    Show {
        /// The description.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        say: Say,
    },
    /// Register a channel whose description a motion has resolved.
    #[command(after_help = CODES)]
    Register {
        /// The description.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The contract.
        #[arg(long, value_name = "ADDRESS")]
        contract: Address,
        /// Number of the motion, which is executed.
        #[arg(long, value_name = "MOTION")]
        motion: u32,
        /// Number of a registered channel whose place it takes.
        #[arg(long, value_name = "CHANNEL", default_value_t = 0)]
        replaces: u32,
        #[command(flatten)]
        write: Write,
    },
    /// Import an entry of the outbox: peers state it under a nonce of this network.
    ///
    /// What they sign is verified by the contract. The entry becomes an attestation of the contract,
    /// and is written to a file, which `tbsi prove` and `tbsi verify` take as any other.
    #[command(after_help = CODES)]
    Import(import::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DescribeArgs {
    /// Name of the channel.
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// Name of the chaincode.
    #[arg(long, value_name = "NAME", default_value = "tbsi")]
    chaincode: String,
    /// Genesis file of this network, whose hash entries must have.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// So many organisations must state the same.
    #[arg(long, value_name = "N")]
    needed: u8,
    /// Seconds for which a nonce can be used.
    #[arg(long, value_name = "S", default_value_t = 3_600,
        value_parser = clap::value_parser!(u32).range(60..=86_400))]
    freshness: u32,
    /// An organisation and the certificates of its authorities in PEM, the root first; repeat for
    /// each organisation.
    #[arg(long, value_name = "MSPID=FILE", required = true, value_parser = parse_organisation)]
    organisation: Vec<(String, PathBuf)>,
    /// File to write, which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    say: Say,
}

fn parse_organisation(text: &str) -> Result<(String, PathBuf), String> {
    let found = text.split_once('=');
    let (msp_id, file) = found.ok_or("write MSPID=FILE, such as Org1MSP=ca.pem")?;
    Ok((msp_id.into(), file.into()))
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Deploy { key, rpc, format } => {
            let code = facts_creation_code();
            let contract = Runtime::new()?.block_on(deploy::deploy(&rpc.url(), &key, &code))?;
            format.print(&contract.to_string(), &json!({ "contract": contract }))
        }
        Command::Describe(args) => describe(&args),
        Command::Show { file, say } => {
            let (description, hash) = load(&file)?;
            let (text, json) = told(&description, hash, say);
            say.format.print(&text, &json)
        }
        Command::Register {
            file,
            contract,
            motion,
            replaces,
            write,
        } => {
            let (description, _) = load(&file)?;
            let call = FabricFacts::registerCall {
                description,
                motion,
                replaces,
            };
            block_on(write.read.lang, register(contract, call, write))
        }
        Command::Import(args) => block_on(args.write.read.lang, import::run(args)),
    }
}

fn describe(args: &DescribeArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        !args.out.exists(),
        "{} exists; choose another --out",
        args.out.shown()
    );
    let genesis = crate::proof::load_genesis(&args.genesis).map_err(refuse)?;
    let organisation = |(msp_id, file): &(String, PathBuf)| {
        let text = fs::read(file).with_context(|| format!("read {}", file.shown()))?;
        let found = certificates(&text).map_err(anyhow::Error::msg);
        let found = found.with_context(|| format!("read {}", file.shown()))?;
        anyhow::Ok(Organisation {
            mspId: msp_id.clone(),
            authorities: found.into_iter().map(Bytes::from).collect(),
        })
    };
    let organisations = args.organisation.iter().map(organisation);
    let description = Description {
        channel: args.channel.clone(),
        chaincode: args.chaincode.clone(),
        genesisHash: genesis.hash(),
        needed: args.needed,
        freshness: args.freshness,
        organisations: organisations
            .collect::<anyhow::Result<_>>()
            .map_err(refuse)?,
    };
    let bytes = description.abi_encode();
    fs::write(&args.out, &bytes).with_context(|| format!("write {}", args.out.shown()))?;
    let (mut text, json) = told(&description, sha256(&[&bytes]), args.say);
    let file = args.out.word();
    text += &args.say.pick(
        format!("\nNext: tbsi motion propose resolve --file {file} ..."),
        format!("\n下一步：tbsi motion propose resolve --file {file} ..."),
    );
    args.say.format.print(&text, &json)
}

/// A description, and what a motion resolves of it.
fn load(file: &Path) -> anyhow::Result<(Description, B256)> {
    let size = fs::metadata(file).with_context(|| format!("read {}", file.shown()))?;
    ensure!(
        size.len() <= DESCRIPTION_BYTES_MAX,
        "{} has more than the {DESCRIPTION_BYTES_MAX} bytes that are allowed",
        file.shown()
    );
    let bytes = fs::read(file).with_context(|| format!("read {}", file.shown()))?;
    let found = Description::abi_decode(&bytes).ok();
    let found = found.filter(|it| it.abi_encode() == bytes);
    let found = found.with_context(|| {
        format!(
            "{} is no description; `tbsi fact fabric describe` writes one",
            file.shown()
        )
    })?;
    Ok((found, sha256(&[&bytes])))
}

fn told(it: &Description, hash: B256, say: Say) -> (String, Value) {
    let [channel, chaincode] = [&it.channel, &it.chaincode].map(|text| shown::line(text));
    let (needed, count, freshness) = (it.needed, it.organisations.len(), it.freshness);
    let mut text = say.pick(
        format!(
            "channel {channel}, chaincode {chaincode}, for the network with genesis hash {}\n\
             {needed} of {count} organisations, a nonce for {freshness} s; SHA-256 {hash}",
            it.genesisHash
        ),
        format!(
            "通道 {channel}，鏈碼 {chaincode}，創世檔雜湊 {}\n\
             {count} 個機構中的 {needed} 個，隨機數有效 {freshness} 秒；SHA-256 {hash}",
            it.genesisHash
        ),
    );
    let mut all = Vec::new();
    for one in &it.organisations {
        let authorities = one.authorities.iter();
        let authorities: Vec<String> = authorities.map(|der| hex::encode(sha256(&[der]))).collect();
        text += &format!("\n  {} {}", shown::line(&one.mspId), authorities.join(" "));
        all.push(json!({ "mspId": one.mspId, "authorities": authorities }));
    }
    let json = json!({
        "channel": it.channel,
        "chaincode": it.chaincode,
        "genesisHash": it.genesisHash,
        "needed": needed,
        "freshnessSeconds": freshness,
        "organisations": all,
        "sha256": hash,
    });
    (text, json)
}

async fn register(
    contract: Address,
    call: FabricFacts::registerCall,
    write: Write,
) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let lang = writer.registry.lang;
    let name = shown::line(&call.description.channel).into_owned();
    let change = lang.pick(
        format!("register channel {name} of motion {}", call.motion),
        format!("登記動議 {} 的通道 {name}", call.motion),
    );
    let planned = Planned::new(contract, &call, change);
    let tell = async |done: &Done| {
        let event = done.event::<FabricFacts::ChannelRegistered>()?;
        let number = event.channel;
        let text = lang.pick(format!("channel {number}"), format!("通道編號 {number}"));
        Ok((text, json!({ "channel": number })))
    };
    writer.perform(&planned, tell).await
}
