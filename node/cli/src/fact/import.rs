//! `tbsi fact import`.

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes};
use anyhow::Context as _;
use serde_json::{Value, json};
use tbsi_bridge::inbound::{EncodedHeader, HeaderUpdate, InboundError, Shown};
use tbsi_governance::abi::FACTS;
use tbsi_governance::contracts::{Facts, Step};
use tbsi_light::foreign::verify_header;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::{LeafIndex, ProofBundle};

use super::{Followed, Of, assurance_words, parse_slot, shown};
use crate::govern::{Done, Planned, RegistryClient, Write, Writer};
use crate::lang::counted;
use crate::report::{refuse, refused};
use crate::shown::PathShown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Account of the other chain.
    #[arg(value_name = "ACCOUNT")]
    account: Address,
    /// Slot of its storage: a number, or hex digits after 0x.
    #[arg(value_name = "SLOT", value_parser = parse_slot)]
    slot: B256,
    #[command(flatten)]
    of: Of,
    /// After which block [default: the newest].
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
    /// Write the proof bundle of the leaf to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) write: Write,
}

/// What is to be sent.
struct Import {
    followed: Followed,
    height: u64,
    steps: Vec<HeaderUpdate>,
    shown: Shown,
    account: Address,
    slot: B256,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(refused(args.write.read.lang.pick(
            format!("{} exists; choose another --out", out.shown()),
            format!("{} 已存在；請選擇其他 --out", out.shown()),
        )));
    }
    let writer = Writer::open(&args.write).await?;
    let import = Import::collect(&writer.registry, &args).await?;
    if writer.is_dry_run() && !import.steps.is_empty() {
        return import.show_rehearsal(&writer).await;
    }
    for step in &import.steps {
        writer
            .carry_out(&import.update(step, &writer.registry))
            .await?;
    }
    let tell = async |done: &Done| {
        import
            .tell(&writer.registry, done, args.out.as_deref())
            .await
    };
    writer.perform(&import.plan(&writer.registry), tell).await
}

fn refuse_inbound(error: InboundError) -> anyhow::Error {
    refuse(error.into())
}

impl Import {
    /// Takes all from the other chain and verifies it.
    async fn collect(registry: &RegistryClient, args: &Args) -> anyhow::Result<Self> {
        let followed = Followed::find(registry, &args.of).await?;
        let chain = &followed.chain;
        let height = match args.height {
            Some(height) => height,
            None => chain.latest().await.map_err(refuse_inbound)?,
        };
        let (steps, state_root) = match followed.header(registry, height).await? {
            Some(accepted) => {
                let at = chain.accepted(height, accepted.blockHash).await;
                at.map_err(refuse_inbound)?;
                (Vec::new(), accepted.stateRoot)
            }
            None => {
                let base = base(registry, &followed, height).await?;
                let steps = chain.steps(base, height).await.map_err(refuse_inbound)?;
                let last = steps.last().context("a later height takes a step")?;
                let state_root = last.verified.state_root;
                (steps, state_root)
            }
        };
        let (account, slot) = (args.account, args.slot);
        let shown = chain.show(height, state_root, account, slot).await;
        let shown = shown.map_err(refuse_inbound)?;
        Ok(Self {
            followed,
            height,
            steps,
            shown,
            account,
            slot,
        })
    }

    fn update(&self, step: &HeaderUpdate, registry: &RegistryClient) -> Planned {
        let call = Facts::updateCall {
            client: self.followed.number,
            step: Step {
                base: step.base,
                trusted: step.trusted.clone(),
                header: step.header.bytes.clone(),
                ancestry: step.ancestry.clone(),
            },
        };
        let (number, height) = (self.followed.number, step.verified.height);
        let change = registry.lang.pick(
            format!("client {number} accepts block {height}"),
            format!("客戶端 {number} 接受區塊 {height}"),
        );
        Planned::new(FACTS, &call, change)
    }

    fn plan(&self, registry: &RegistryClient) -> Planned {
        let call = Facts::importFactCall {
            client: self.followed.number,
            height: self.height,
            account: self.account,
            slot: self.slot,
            value: self.shown.value,
            proof: self.shown.proof.clone(),
        };
        Planned::new(FACTS, &call, self.words(registry))
    }

    fn words(&self, registry: &RegistryClient) -> String {
        let (id, height) = (self.followed.client.chainId, self.height);
        let (account, slot, value) = (self.account, self.slot, shown(self.shown.value));
        let proven = assurance_words(self.followed.client.kind, registry.lang);
        let absent = !self.shown.account_exists;
        let nobody = if absent {
            registry.lang.pick(" (no such account)", "（無此帳戶）")
        } else {
            ""
        };
        registry.lang.pick(
            format!(
                "fact of eip155:{id} after block {height}: slot {slot} of {account}{nobody} is \
                 {value}\nproven {proven}"
            ),
            format!(
                "eip155:{id} 於區塊 {height} 之後的事實：{account}{nobody} 的儲存格 {slot} 為 \
                 {value}\n證明   {proven}"
            ),
        )
    }

    fn json(&self) -> Value {
        json!({
            "client": self.followed.number,
            "assurance": self.followed.assurance.label(),
            "foreignChainId": self.followed.client.chainId,
            "foreignHeight": self.height,
            "account": self.account,
            "slot": self.slot,
            "value": self.shown.value,
            "headers": self.steps.len(),
            "ancestry": self.steps.iter().map(HeaderUpdate::shown_by).collect::<Vec<_>>(),
        })
    }

    /// Only the first header can be tried on the chain: the rest stands on it.
    async fn show_rehearsal(&self, writer: &Writer) -> anyhow::Result<ExitCode> {
        let registry = &writer.registry;
        if let Some(first) = self.steps.first() {
            writer.prepare(&self.update(first, registry)).await?;
        }
        let (count, words) = (self.steps.len(), self.words(registry));
        let text = registry.lang.pick(
            format!(
                "would  bring {}, then {words}\nDry run: header and proof verify here, and the \
                 first header would be accepted now; nothing was sent.",
                counted(count, "header")
            ),
            format!(
                "將會   帶入 {count} 個區塊標頭，再匯入{words}\n試行：標頭與證明在此驗證無誤，\
                 第一個標頭此刻會被接受；未送出任何交易。"
            ),
        );
        let mut json = self.json();
        json["dryRun"] = true.into();
        registry.format.print(&text, &json)
    }

    /// The leaf, and its proof.
    async fn tell(
        &self,
        registry: &RegistryClient,
        done: &Done,
        out: Option<&std::path::Path>,
    ) -> anyhow::Result<(String, Value)> {
        let leaves = registry.client.leaves_of(done.hash).await?;
        let leaves = leaves.context("a final transaction has its leaves")?;
        let index = leaves.first;
        let (json, bundle) = proof(registry, index).await?;
        let leaf = Bytes::from(bundle.leaf.clone());
        if let Some(out) = out {
            let written = std::fs::write(out, format!("{json}\n"));
            written.with_context(|| format!("write {}", out.shown()))?;
        }
        let text = registry.lang.pick(
            format!("leaf   {index} {leaf}\n       `tbsi prove --index {index}` proves it"),
            format!("紀錄   {index} {leaf}\n       `tbsi prove --index {index}` 可取得證明"),
        );
        let mut told = self.json();
        told["leafIndex"] = json!(index);
        told["leaf"] = json!(leaf);
        Ok((text, told))
    }
}

async fn proof(
    registry: &RegistryClient,
    index: LeafIndex,
) -> anyhow::Result<(String, ProofBundle)> {
    let json = registry.client.proof(&LeafSelector::Index(index)).await?;
    let json = json.with_context(|| format!("{} has no leaf {index}", registry.client.url()))?;
    let bundle = ProofBundle::parse_json(json.get().as_bytes());
    let bundle = bundle.with_context(|| format!("{} gave a wrong proof", registry.client.url()))?;
    Ok((json.get().trim_end().to_owned(), bundle))
}

/// The highest accepted header that is known to be below a height, as the chain shows it.
async fn base(
    registry: &RegistryClient,
    followed: &Followed,
    height: u64,
) -> anyhow::Result<EncodedHeader> {
    let (first, latest) = (followed.client.first, followed.client.latest);
    let from = if latest < height { latest } else { first };
    if height < from {
        let (number, lang) = (followed.number, registry.lang);
        return Err(refused(lang.pick(
            format!(
                "client {number} begins with block {first}; nothing before that can be proven to it"
            ),
            format!("客戶端 {number} 始於區塊 {first}；無法向它證明更早的區塊"),
        )));
    }
    let accepted = followed.header(registry, from).await?;
    let accepted = accepted.context("a client has its first and latest header")?;
    let base = followed.chain.accepted(from, accepted.blockHash).await;
    let base = base.map_err(refuse_inbound)?;
    // What the endpoint shows is what was accepted: it seals itself again here.
    verify_header(followed.assurance, &[], &base.bytes).map_err(|source| {
        let height = from;
        refuse_inbound(InboundError::Header { height, source })
    })?;
    Ok(base)
}
