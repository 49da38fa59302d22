//! `tbsi fact open`.

use std::process::ExitCode;

use alloy_primitives::{B256, Bytes};
use anyhow::Context as _;
use serde_json::json;
use tbsi_bridge::inbound::{EncodedHeader, ForeignChain, InboundError};
use tbsi_governance::abi::{CHAINS, FACTS};
use tbsi_governance::contracts::{Chain, Chains, Facts, Origin};
use tbsi_light::foreign::limits::ANCESTRY_HEADERS_MAX;
use tbsi_light::foreign::{Ancestor, Assurance, verify_header};

use crate::govern::{Done, Planned, RegistryClient, Write, Writer};
use crate::http::http;
use crate::report::{refuse, refused};

/// 14 days.
const TRUST_PERIOD_S: u32 = 14 * 86_400;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chain: its id of CAIP-2, such as eip155:1337; `tbsi org chains` shows it.
    #[arg(value_name = "CAIP2")]
    caip2: String,
    /// What seals its blocks: qbft or ibft2.
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Assurance,
    /// JSON-RPC address of a node of that chain, one that you trust.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Block with which it begins [default: the newest].
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
    /// Seconds for which validators are trusted: 3,600 to 7,776,000. Somebody must import
    /// something within that time, or the client expires.
    #[arg(long, value_name = "S", default_value_t = TRUST_PERIOD_S,
        value_parser = clap::value_parser!(u32).range(3_600..=7_776_000))]
    trust_period_s: u32,
    #[command(flatten)]
    pub(super) write: Write,
}

fn parse_kind(text: &str) -> Result<Assurance, String> {
    Assurance::by_label(text).ok_or_else(|| {
        let known = Assurance::ALL.map(Assurance::label).join(" or ");
        format!("use {known}")
    })
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&args.write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let chain = chain_of(registry, &args.caip2).await?;
    let source =
        ForeignChain::new(&http()?, &args.from, args.kind).map_err(|it| refuse(it.into()))?;
    let refuse = |error: tbsi_bridge::inbound::InboundError| refuse(error.into());
    if let Some(id) = args
        .caip2
        .strip_prefix("eip155:")
        .and_then(|id| id.parse().ok())
    {
        source.check(id).await.map_err(refuse)?;
    }
    let height = match args.height {
        Some(height) => height,
        None => source.latest().await.map_err(refuse)?,
    };
    let header = source.header(height).await.map_err(refuse)?;
    let found = verify_header(args.kind, &[], &header.bytes);
    let found = found.with_context(|| format!("{}: block {height}", args.from))?;
    let (origin, ancestry) = origin(&source, &header).await.map_err(refuse)?;
    let (genesis, from) = (origin.genesisHash, origin.height);
    let call = Facts::openCall {
        chain,
        kind: args.kind.code(),
        trustPeriod: args.trust_period_s,
        origin,
        header: header.bytes,
        ancestry,
    };
    let (caip2, kind, hash) = (&args.caip2, args.kind.label(), found.block_hash);
    let (name, validators) = (registry.name(writer.organisation), found.validators);
    let change = lang.pick(
        format!(
            "new client of {caip2} ({kind}), which begins with block {height} {hash} of \
             {validators} validators, shown to come after block {from}; {name} vouches for it, and \
             for genesis block {genesis}"
        ),
        format!(
            "開設 {caip2}（{kind}）的客戶端，始於區塊 {height} {hash}，驗證者 {validators} 個，\
             已證明在區塊 {from} 之後；由{name}擔保，並擔保創世區塊為 {genesis}"
        ),
    );
    let tell = async |done: &Done| {
        let number = done.event::<Facts::ClientOpened>()?.client;
        let text = lang.pick(format!("client {number}"), format!("客戶端 {number}"));
        Ok((
            text,
            json!({
                "client": number, "blockHash": hash, "foreignHeight": height,
                "genesisHash": genesis,
            }),
        ))
    };
    writer
        .perform(&Planned::new(FACTS, &call, change), tell)
        .await
}

/// Genesis, and a block below the first header: genesis itself if headers lead there.
async fn origin(
    source: &ForeignChain,
    header: &EncodedHeader,
) -> Result<(Origin, Bytes), InboundError> {
    let genesis = source.genesis().await?;
    let height = header.read.height;
    let reach = 1 + ANCESTRY_HEADERS_MAX as u64;
    if height <= reach {
        let known = Ancestor {
            height: 0,
            block_hash: genesis,
        };
        if let Some(ancestry) = source.ancestry(&known, header).await? {
            return Ok((origin_at(genesis, &known), ancestry));
        }
    }
    let parent = Ancestor {
        height: height - 1,
        block_hash: header.read.parent_hash,
    };
    let ancestry = source.ancestry(&parent, header).await?;
    let ancestry = ancestry.ok_or_else(|| InboundError::NoAncestry {
        url: source.url(),
        height,
        base: parent.height,
    })?;
    Ok((origin_at(genesis, &parent), ancestry))
}

fn origin_at(genesis: B256, ancestor: &Ancestor) -> Origin {
    Origin {
        genesisHash: genesis,
        height: ancestor.height,
        blockHash: ancestor.block_hash,
    }
}

/// Number of the record in use with this id.
async fn chain_of(registry: &RegistryClient, caip2: &str) -> anyhow::Result<u32> {
    let count = registry.ask(CHAINS, Chains::chainCountCall {}).await?;
    let call = |from, count| Chains::chainsCall { from, count };
    let chains: Vec<Chain> = registry.pages(CHAINS, (1, count.into()), call).await?;
    const ACTIVE: u8 = 1;
    let mut numbered = (1_u32..).zip(chains);
    let found = numbered.find(|(_, chain)| chain.caip2 == caip2 && chain.status == ACTIVE);
    found.map(|(number, _)| number).ok_or_else(|| {
        refused(registry.lang.pick(
            format!(
                "no chain `{caip2}` is registered; its operator does that: \
                 `tbsi org register-chain`"
            ),
            format!("尚未登記鏈「{caip2}」；由其營運者登記：`tbsi org register-chain`"),
        ))
    })
}
