//! `tbsi fact`.

mod fabric;
mod import;
mod keep;
mod open;

use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes, U256};
use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use tbsi_bridge::inbound::{EncodedHeader, ForeignChain, HeaderUpdate, InboundError};
use tbsi_governance::abi::FACTS;
use tbsi_governance::contracts::{Client, Facts, Header as ForeignHeader, Origin, Step};
use tbsi_light::foreign::{Ancestor, Assurance, trusted_hash};

use crate::govern::words::{CLIENT_STATUS, word};
use crate::govern::{CODES, Planned, Read, RegistryClient, Write, Writer, block_on};
use crate::http::http;
use crate::lang::Language;
use crate::report::{refuse, refused};
use crate::verify;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin to follow a chain that your organisation runs.
    ///
    /// The client begins with a block that you choose: nothing proves that it is the chain's
    /// but your organisation's word, which stays with every fact.
    #[command(after_help = CODES)]
    Open(open::Args),
    /// Clients of other chains: who opened them, what they follow, how they stand.
    Clients {
        #[command(flatten)]
        read: Read,
    },
    /// Import what stands in a slot of an account of another chain, with proof.
    ///
    /// Header and proof come from the chain's node, which is believed in nothing: they are
    /// verified here as TBSI verifies them, before anything is sent. Headers that are needed to
    /// follow the chain's validators are brought first.
    #[command(after_help = CODES)]
    Import(import::Args),
    /// Let another chain keep hashes of its blocks, for chains before Prague.
    ///
    /// What is imported must be shown to come after what was accepted: the same keys may seal the
    /// blocks of a second chain. From Prague on a chain keeps hashes of its last 8,191 blocks
    /// itself. Before, deploy a keeper with this command, and with --keeper let it keep the hash of
    /// each block that you import, before 256 more are made.
    #[command(after_help = CODES)]
    Keep(keep::Args),
    /// Import entries of a channel of Hyperledger Fabric, stated by peers of as many
    /// organisations as a motion's description asks for.
    #[command(subcommand)]
    Fabric(fabric::Command),
    /// Prove that the chain's validators sealed two blocks of one height.
    ///
    /// Freezes the client for good: no fact of it counts any more. Takes no permission.
    #[command(after_help = CODES)]
    Freeze {
        #[command(flatten)]
        of: Of,
        /// Height of which a header was accepted and the endpoint shows another.
        #[arg(long, value_name = "HEIGHT")]
        height: u64,
        #[command(flatten)]
        write: Write,
    },
}

/// Which client, and where its chain is.
#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// Number of the client; `tbsi fact clients` shows it.
    #[arg(long, value_name = "CLIENT")]
    client: u32,
    /// JSON-RPC address of a node of the other chain.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Contract on the other chain that keeps hashes of its blocks; `tbsi fact keep` deploys it.
    #[arg(long, value_name = "ADDRESS")]
    keeper: Option<Address>,
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Open(args) => block_on(args.write.read.lang, open::run(args)),
        Command::Clients { read } => block_on(read.lang, clients(read)),
        Command::Import(args) => block_on(args.write.read.lang, import::run(args)),
        Command::Keep(args) => block_on(args.lang, keep::run(args)),
        Command::Fabric(command) => fabric::run(command),
        Command::Freeze { of, height, write } => {
            block_on(write.read.lang, freeze(of, height, write))
        }
    }
}

/// A client as a command works with it.
struct Followed {
    number: u32,
    client: Client,
    origin: Origin,
    chain: ForeignChain,
    assurance: Assurance,
}

impl Followed {
    /// Asks TBSI for the client, and its chain's endpoint for its id.
    async fn find(registry: &RegistryClient, of: &Of) -> anyhow::Result<Self> {
        let number = of.client;
        let client = registry
            .ask(FACTS, Facts::clientOfCall { client: number })
            .await?;
        let assurance = Assurance::by_code(client.kind).with_context(|| {
            format!(
                "client {number} is of kind {}; use newer software",
                client.kind
            )
        })?;
        let call = Facts::originOfCall { client: number };
        let origin = registry.ask(FACTS, call).await?;
        let chain = ForeignChain::new(&http()?, &of.from, assurance);
        let chain = chain
            .map_err(|it| refuse(it.into()))?
            .with_keeper(of.keeper);
        let checked = async {
            chain.check(client.chainId).await?;
            chain.check_genesis(origin.genesisHash).await
        };
        checked.await.map_err(|it| refuse(it.into()))?;
        Ok(Self {
            number,
            client,
            origin,
            chain,
            assurance,
        })
    }

    /// The header that was accepted at a height; `None` if there is none.
    async fn header(
        &self,
        registry: &RegistryClient,
        height: u64,
    ) -> anyhow::Result<Option<ForeignHeader>> {
        let call = Facts::headerOfCall {
            client: self.number,
            height,
        };
        match registry.ask(FACTS, call).await {
            Ok(header) => Ok(Some(header)),
            // The contract's word for it; anything else is an error of its own.
            Err(error) if error.downcast_ref::<crate::refusal::Refused>().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the facts of a client rest on.
fn assurance_words(code: u8, lang: Language) -> String {
    lang.pick(verify::assurance_en(code), verify::assurance_zh_tw(code))
}

async fn clients(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let count = registry.ask(FACTS, Facts::clientCountCall {}).await?;
    let call = |from: U256, count: U256| Facts::clientsCall { from, count };
    let clients: Vec<Client> = registry.pages(FACTS, (1, count.into()), call).await?;
    let (mut text, mut all) = (String::new(), Vec::new());
    for (number, it) in (1_u32..).zip(&clients) {
        let status = registry
            .ask(FACTS, Facts::statusOfCall { client: number })
            .await?;
        let call = Facts::originOfCall { client: number };
        let origin = registry.ask(FACTS, call).await?;
        let kind = Assurance::by_code(it.kind).map_or("?", Assurance::label);
        let name = registry.name(it.organisation);
        let shown = word(&CLIENT_STATUS, status.into(), lang);
        let (id, first, latest) = (it.chainId, it.first, it.latest);
        let (days, genesis) = (it.trustPeriod, origin.genesisHash);
        text += &lang.pick(
            format!(
                "{number:>4}  {shown:<8}  eip155:{id} ({kind}), blocks {first} to {latest}, \
                 trust {days} s, opened by {name}\n      genesis {genesis}\n"
            ),
            format!(
                "{number:>4}  {shown}  eip155:{id}（{kind}），區塊 {first} 至 {latest}，\
                 信任期 {days} 秒，由{name}開設\n      創世區塊 {genesis}\n"
            ),
        );
        all.push(json!({
            "number": number,
            "chain": it.chain,
            "chainId": id,
            "assurance": kind,
            "status": word(&CLIENT_STATUS, status.into(), Language::En),
            "trustPeriodSeconds": days,
            "first": first,
            "latest": latest,
            "genesisHash": origin.genesisHash,
            "organisation": registry.named(it.organisation),
            "account": it.account,
        }));
    }
    if clients.is_empty() {
        text = lang
            .pick("No client is open.", "尚未開設任何客戶端。")
            .into();
    }
    registry.format.print(&text, &json!({ "clients": all }))
}

async fn freeze(of: Of, height: u64, write: Write) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(&write).await?;
    let (registry, lang) = (&writer.registry, writer.registry.lang);
    let followed = Followed::find(registry, &of).await?;
    let number = followed.number;
    let known = followed.header(registry, height).await?.ok_or_else(|| {
        refused(lang.pick(
            format!("client {number} has accepted no header of height {height}"),
            format!("客戶端 {number} 沒有高度 {height} 的區塊標頭"),
        ))
    })?;
    let header = followed
        .chain
        .header(height)
        .await
        .map_err(|it| refuse(it.into()))?;
    if header.read.block_hash == known.blockHash {
        return Err(refused(lang.pick(
            format!(
                "the endpoint shows the very block {} of height {height}",
                known.blockHash
            ),
            format!("端點在高度 {height} 的正是區塊 {}", known.blockHash),
        )));
    }
    let (base, step) = conflict(registry, &followed, &known, header).await?;
    let (ancestor, ancestry) = below(registry, &followed, &step.header).await?;
    let call = Facts::freezeCall {
        client: number,
        step: Step {
            base,
            trusted: step.trusted,
            header: step.header.bytes,
            ancestry,
        },
        ancestor,
    };
    let (ours, theirs) = (known.blockHash, step.verified.block_hash);
    let change = lang.pick(
        format!("client {number} is frozen: height {height} has block {ours} and block {theirs}"),
        format!("凍結客戶端 {number}：高度 {height} 同時有區塊 {ours} 與 {theirs}"),
    );
    writer
        .perform_plainly(&Planned::new(FACTS, &call, change))
        .await
}

/// The conflicting header, verified against the validators of the accepted one of its height
/// if it names the same, else against those of the first, which both histories share.
async fn conflict(
    registry: &RegistryClient,
    followed: &Followed,
    known: &ForeignHeader,
    header: EncodedHeader,
) -> anyhow::Result<(u64, HeaderUpdate)> {
    let same = trusted_hash(&header.read.trusted) == known.trustedHash;
    let base = if same {
        header.clone()
    } else {
        let first = followed.client.first;
        let accepted = followed.header(registry, first).await?;
        let accepted = accepted.context("a client has its first header")?;
        let base = followed.chain.accepted(first, accepted.blockHash).await;
        base.map_err(|it| refuse(it.into()))?
    };
    let height = header.read.height;
    let step = followed.chain.verify(&base, header).map_err(|source| {
        let error = InboundError::Header { height, source };
        refuse(error.into())
    })?;
    Ok((base.read.height, step))
}

/// The highest block known to be below a header, and that this one comes after it: a block of
/// another chain with the same keys is no conflict.
async fn below(
    registry: &RegistryClient,
    followed: &Followed,
    header: &EncodedHeader,
) -> anyhow::Result<(u64, Bytes)> {
    let height = header.read.height;
    let (first, latest) = (followed.client.first, followed.client.latest);
    let accepted = [latest, first].into_iter().find(|known| *known < height);
    let ancestor = match accepted {
        Some(height) => {
            let known = followed.header(registry, height).await?;
            let known = known.context("a client has its first and latest header")?;
            Ancestor {
                height,
                block_hash: known.blockHash,
            }
        }
        None => Ancestor {
            height: followed.origin.height,
            block_hash: followed.origin.blockHash,
        },
    };
    let base = ancestor.height;
    let shown = followed.chain.ancestry(&ancestor, header).await;
    let shown = shown.map_err(|it| refuse(it.into()))?;
    let shown = shown.ok_or_else(|| {
        let url = followed.chain.url();
        refuse(InboundError::NoAncestry { url, height, base }.into())
    })?;
    Ok((base, shown))
}

/// A slot as it is typed.
fn parse_slot(text: &str) -> Result<B256, String> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let typed = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let number = U256::from_str_radix(digits, radix.into()).ok();
    let number = number.filter(|_| typed).map(B256::from);
    number.ok_or_else(|| "give a number below 2^256, or 1 to 64 hex digits after 0x".into())
}

/// A word as people can use it.
fn shown(value: B256) -> String {
    let number = U256::from_be_bytes(value.0);
    format!("{value} ({number})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_numbers_or_hex() {
        let word = |byte: u8| B256::left_padding_from(&[byte]);
        assert_eq!(parse_slot("7"), Ok(word(7)));
        assert_eq!(parse_slot("0x2a"), Ok(word(42)));
        let full = format!("0x{}", "ab".repeat(32));
        assert_eq!(parse_slot(&full), Ok(B256::repeat_byte(0xab)));
        for bad in [
            "",
            "0x",
            "x",
            "-1",
            "1_0",
            "0b1",
            "0xzz",
            &format!("0x1{}", "00".repeat(32)),
        ] {
            assert!(parse_slot(bad).is_err(), "{bad}");
        }
        assert!(shown(word(42)).ends_with("2a (42)"));
    }
}
