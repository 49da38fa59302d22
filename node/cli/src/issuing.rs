//! What an issuer and its parties say of attestations beside making and revoking them:
//! `tbsi supersede`, `tbsi countersign`, `tbsi schema`.

mod schemas;

pub(crate) use schemas::{SchemaCommand, schema};

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use clap::Subcommand;
use serde_json::{Value, json};
use tbsi_bindings::genesis::Attestations::{
    countersignCall, openCountersigningCall, supersedeCall,
};
use tbsi_types::log::{ATTESTATIONS, Leaf, Statement};

use crate::govern::{CODES, Done, Planned, Write, Writer, block_on, words};
use crate::lang::{Language, demand, said};
use crate::report::refuse;
use crate::revoke::named;
use crate::standing;

/// Longest time for countersignatures.
const DAYS_MAX: u64 = 3_650;

const SECONDS_PER_DAY: u64 = 86_400;

const SUPERSEDE_HELP: &str = "\
The attestation stays valid, and whoever looks it up is told of the one that took its place.
Only the issuer's own word counts, it is for ever, and there is one successor. Revoke it too if
it must not be relied on any more.

Exit codes: 0 superseded, 1 failed, 2 refused before anything was sent.";

/// `tbsi supersede`.
#[derive(Debug, clap::Args)]
#[command(after_help = SUPERSEDE_HELP)]
pub(crate) struct SupersedeArgs {
    /// Id of the attestation, 0x and 64 hex digits; or a file with its proof.
    #[arg(value_name = "ID|PROOF")]
    what: PathBuf,
    /// The attestation that takes its place.
    #[arg(long, value_name = "ID|PROOF")]
    by: PathBuf,
    #[command(flatten)]
    write: Write,
}

/// `tbsi countersign`.
#[derive(Debug, Subcommand)]
pub(crate) enum CountersignCommand {
    /// Ask named parties to sign an attestation too; by its issuer, once.
    #[command(after_help = CODES)]
    Open(OpenArgs),
    /// Sign an attestation, as a party that was asked to.
    #[command(after_help = CODES)]
    Sign(SignArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct OpenArgs {
    /// Id of the attestation, or a file with its proof. It must have been attested alone
    /// (`tbsi attest --alone`), because what is attested in a batch is not kept by the contract.
    #[arg(value_name = "ID|PROOF")]
    what: PathBuf,
    /// Account of a party; give one for each, at most 64.
    #[arg(long = "party", value_name = "ADDRESS", required = true)]
    parties: Vec<Address>,
    /// Signatures that make it effective [default: all parties].
    #[arg(long, value_name = "N")]
    threshold: Option<u16>,
    /// Days within which the parties may sign.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=DAYS_MAX))]
    days: u64,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// Id of the attestation, or a file with its proof.
    #[arg(value_name = "ID|PROOF")]
    what: PathBuf,
    #[command(flatten)]
    write: Write,
}

pub(crate) fn supersede(args: &SupersedeArgs) -> anyhow::Result<ExitCode> {
    let lang = args.write.read.lang;
    block_on(lang, superseded(args, lang))
}

async fn superseded(args: &SupersedeArgs, lang: Language) -> anyhow::Result<ExitCode> {
    let id = named(&args.what).map_err(refuse)?.id;
    let successor = named(&args.by).map_err(refuse)?.id;
    demand(id != successor, || {
        (
            "an attestation cannot take its own place; give another with --by".into(),
            "存證不能取代自己；請以 --by 指定另一項".into(),
        )
    })
    .map_err(refuse)?;
    let writer = Writer::open(&args.write).await?;
    let client = &writer.registry.client;
    let of = standing::known(client, id).await.map_err(refuse)?;
    standing::known(client, successor).await.map_err(refuse)?;
    own(&of.stated, &writer).map_err(refuse)?;
    let change = lang.pick(
        format!("{successor} takes the place of {id}"),
        format!("以 {successor} 取代 {id}"),
    );
    state(&writer, &supersedeCall { id, successor }, change).await
}

pub(crate) fn countersign(command: &CountersignCommand) -> anyhow::Result<ExitCode> {
    match command {
        CountersignCommand::Open(args) => {
            let lang = args.write.read.lang;
            block_on(lang, open(args, lang))
        }
        CountersignCommand::Sign(args) => {
            let lang = args.write.read.lang;
            block_on(lang, sign(args, lang))
        }
    }
}

async fn open(args: &OpenArgs, lang: Language) -> anyhow::Result<ExitCode> {
    let id = named(&args.what).map_err(refuse)?.id;
    let mut parties = args.parties.clone();
    parties.sort_unstable();
    parties.dedup();
    let count = parties.len();
    demand(count == args.parties.len(), || {
        (
            "a party is given twice; give each once".into(),
            "有當事人重複；每位請只指定一次".into(),
        )
    })
    .map_err(refuse)?;
    let all = u16::try_from(count).unwrap_or(u16::MAX);
    let threshold = args.threshold.unwrap_or(all);
    demand((1..=all).contains(&threshold), || {
        (
            format!("--threshold {threshold} must be 1 to the number of parties, {all}"),
            format!("--threshold {threshold} 須為 1 至當事人數 {all}"),
        )
    })
    .map_err(refuse)?;
    let writer = Writer::open(&args.write).await?;
    let of = standing::known(&writer.registry.client, id).await;
    own(&of.map_err(refuse)?.stated, &writer).map_err(refuse)?;
    let deadline = args.days.saturating_mul(SECONDS_PER_DAY);
    let deadline = writer.registry.now.saturating_add(deadline);
    let until = words::time(deadline, lang);
    let change = lang.pick(
        format!("{threshold} of {all} parties are asked to sign {id} by {until}"),
        format!("請 {all} 位當事人會簽 {id}，須 {threshold} 位，期限 {until}"),
    );
    let call = openCountersigningCall {
        id,
        parties,
        threshold,
        deadline,
    };
    state(&writer, &call, change).await
}

async fn sign(args: &SignArgs, lang: Language) -> anyhow::Result<ExitCode> {
    let id = named(&args.what).map_err(refuse)?.id;
    let writer = Writer::open(&args.write).await?;
    let of = standing::known(&writer.registry.client, id).await;
    let of = of.map_err(refuse)?;
    demand(!of.is_void(), || {
        let (en, zh_tw) = (of.verdict(Language::En), of.verdict(Language::ZhTw));
        (
            format!("{id} is not worth signing: {en}"),
            format!("{id} 不宜會簽：{zh_tw}"),
        )
    })
    .map_err(refuse)?;
    let change = lang.pick(format!("{id} is countersigned"), format!("會簽 {id}"));
    state(&writer, &countersignCall { id }, change).await
}

fn own(stated: &Leaf, writer: &Writer) -> anyhow::Result<()> {
    let (issuer, account) = (stated.head.issuer, writer.address());
    demand(issuer == account, || {
        (
            format!(
                "the attestation is by {issuer}, the key is that of {account}; give the issuer's key"
            ),
            format!("存證由 {issuer} 簽發，金鑰屬於 {account}；請用簽發者的金鑰"),
        )
    })
}

/// Sends a call to the attestation contract, and says which leaf it made.
pub(crate) async fn state(
    writer: &Writer,
    call: &impl SolCall,
    change: String,
) -> anyhow::Result<ExitCode> {
    let planned = Planned::new(ATTESTATIONS, call, change);
    writer
        .perform(&planned, async |done: &Done| made(writer, done).await)
        .await
}

async fn made(writer: &Writer, done: &Done) -> anyhow::Result<(String, Value)> {
    let client = &writer.registry.client;
    let range = client.leaves_of(done.hash).await?;
    let range = range.filter(|range| range.count > 0).ok_or_else(|| {
        let hash = done.hash;
        said(
            format!("transaction {hash} is final, and made no leaf"),
            format!("交易 {hash} 已最終確認，卻沒有留下紀錄"),
        )
    })?;
    let index = range.first;
    let mut json = json!({ "leafIndex": index });
    let bundle = client
        .proof(&tbsi_rpc::wire::LeafSelector::Index(index))
        .await?;
    let leaf = bundle.and_then(|json| {
        let bundle = tbsi_types::ProofBundle::parse_json(json.get().as_bytes()).ok()?;
        Leaf::decode(&bundle.leaf).ok()
    });
    let schema = leaf.and_then(|leaf| {
        let Statement::SchemaRegistered { schema, .. } = leaf.statement else {
            return None;
        };
        Some(schema)
    });
    let lang = writer.registry.lang;
    let mut text = lang.pick(
        format!("leaf   {index}; tbsi prove --index {index} fetches its proof"),
        format!("紀錄   第 {index} 筆；可用 tbsi prove --index {index} 取得證明"),
    );
    if let Some(schema) = schema {
        json["schema"] = json!(schema);
        text = format!(
            "{}\n{text}",
            lang.pick(format!("schema {schema}"), format!("綱要   {schema}"))
        );
    }
    Ok((text, json))
}
