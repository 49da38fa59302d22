//! `tbsi operator record`: how the validators served, as the certificates that a node keeps say
//! (SPEC §13.11).

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use alloy_eips::BlockNumberOrTag;
use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tbsi_rpc::wire::{Organisation, ValidatorSet};
use tbsi_types::{Address, B256, canonical_json};

use crate::govern::{Read, RegistryClient};
use crate::progress;
use crate::report::refuse;
use crate::shown::{self, PathShown};

/// Heights of one record.
const HEIGHTS_MAX: u64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct RecordArgs {
    /// First height.
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// Last height [default: the latest].
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    /// File to write, which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    read: Read,
}

impl RecordArgs {
    pub(super) fn language(&self) -> crate::lang::Language {
        self.read.lang
    }
}

/// What a validator did; names are those of the last height at which it was in the set.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    node: String,
    organisation: Organisation,
    /// As registered now.
    version: String,
    /// Heights at which it was in the set.
    heights: u64,
    /// Of these, those whose certificate has its signature.
    signed: u64,
    /// The last of them.
    last_signed: u64,
    /// Blocks that it built.
    proposed: u64,
    /// Rounds that were its turn and decided nothing.
    missed_rounds: u64,
}

/// Counts height by height.
#[derive(Default)]
struct Tally(BTreeMap<Address, Service>);

impl Tally {
    fn count(&mut self, height: u64, set: &ValidatorSet, round: u32, seen: &Seen) {
        for validator in &set.validators {
            let service = self.0.entry(validator.address).or_default();
            service.node.clone_from(&validator.node_name);
            service.organisation.clone_from(&validator.organisation);
            service.heights += 1;
            if seen.signers.contains(&validator.address) {
                service.signed += 1;
                service.last_signed = height;
            }
            if validator.address == seen.builder {
                service.proposed += 1;
            }
        }
        for missed in 0..round {
            // SPEC §3.4; the set is in address order.
            let turn = (u128::from(height) + u128::from(missed)) % set.validators.len() as u128;
            let turn = usize::try_from(turn).unwrap_or_default();
            let address = set.validators[turn].address;
            self.0.entry(address).or_default().missed_rounds += 1;
        }
    }
}

/// Who signed a height, and who built its block.
struct Seen {
    signers: Vec<Address>,
    builder: Address,
}

pub(super) async fn record(args: RecordArgs) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&args.read).await?;
    let tip = registry.client.block_number().await?.0;
    let to = args.to.unwrap_or(tip);
    let check = || -> anyhow::Result<()> {
        ensure!(to <= tip, "--to {to} is above the latest height, {tip}");
        ensure!(args.from <= to, "--from {} is above --to {to}", args.from);
        let heights = to - args.from + 1;
        ensure!(
            heights <= HEIGHTS_MAX,
            "{heights} heights are more than {HEIGHTS_MAX}; make several records"
        );
        Ok(())
    };
    check().map_err(refuse)?;
    let mut tally = Tally::default();
    let mut set: Option<ValidatorSet> = None;
    let mut last = B256::ZERO;
    let bar = progress::count(to - args.from + 1, "heights");
    for height in args.from..=to {
        let (hash, digest) = checkpoint(&registry, height).await?;
        last = digest;
        if set.as_ref().is_none_or(|set| set.set_hash != hash) {
            let at = BlockNumberOrTag::Number(height);
            set = registry.client.validators(at).await?;
        }
        let known = set
            .as_ref()
            .context("the node does not know the validators")?;
        let (round, seen) = seen(&registry, height).await?;
        tally.count(height, known, round, &seen);
        bar.inc(1);
    }
    bar.finish_and_clear();
    for (_, node) in registry.nodes().await? {
        let services = tally.0.values_mut();
        for service in services.filter(|service| service.node == node.name) {
            service.version.clone_from(&node.version);
        }
    }
    let document = json!({
        "format": "tbsi-service-record-1",
        "chainId": registry.chain.chain_id,
        "genesisHash": registry.chain.genesis_hash,
        "from": args.from,
        "to": to,
        "checkpointDigest": last,
        "validators": tally.0,
    });
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.out)
        .and_then(|mut file| file.write_all(canonical_json(&document).as_bytes()));
    let out = args.out.shown();
    written
        .with_context(|| format!("write {out}"))
        .map_err(refuse)?;
    let text = text(&registry, &tally, &args.out.word());
    registry.format.print(&text, &document)
}

async fn checkpoint(registry: &RegistryClient, height: u64) -> anyhow::Result<(B256, B256)> {
    let at = BlockNumberOrTag::Number(height);
    let checkpoint = registry.client.checkpoint(at).await?;
    let checkpoint = checkpoint.context("the node has no such checkpoint")?;
    Ok((checkpoint.validator_set_hash, checkpoint.digest.0))
}

async fn seen(registry: &RegistryClient, height: u64) -> anyhow::Result<(u32, Seen)> {
    let at = BlockNumberOrTag::Number(height);
    let certificate = registry.client.certificate(at).await?;
    let certificate = certificate.context("the node has no such certificate")?;
    let block: Value = registry
        .client
        .request("eth_getBlockByNumber", &[json!(at), json!(false)])
        .await?;
    let builder = serde_json::from_value(block["miner"].clone());
    let seen = Seen {
        signers: certificate
            .signatures
            .iter()
            .map(|it| it.validator)
            .collect(),
        builder: builder.context("the block names who built it")?,
    };
    Ok((certificate.round.0, seen))
}

fn text(registry: &RegistryClient, tally: &Tally, out: &str) -> String {
    let lang = registry.lang;
    let mut text = String::new();
    for service in tally.0.values() {
        let Service {
            node,
            organisation,
            heights,
            signed,
            proposed,
            missed_rounds,
            ..
        } = service;
        let (zh_tw, en) = (&organisation.name_zh_tw, &organisation.name_en);
        let [node, zh_tw, en] = [node, zh_tw, en].map(|it| shown::line(it));
        text += &lang.pick(
            format!(
                "{node} ({en}): signed {signed} of {heights}, built {proposed}, missed \
                 {missed_rounds} rounds\n"
            ),
            format!(
                "{node}（{zh_tw}）：{heights} 個高度中簽署 {signed} 個，產生 {proposed} 個區塊，\
                 錯過 {missed_rounds} 回合\n"
            ),
        );
    }
    text += &lang.pick(
        format!("Next: tbsi attest {out}, so that the record can be proven\n"),
        format!("接著：tbsi attest {out}，使此紀錄可被證明\n"),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tbsi_rpc::wire::Validator;
    use tbsi_types::{Height, VotingPower};

    fn set() -> ValidatorSet {
        let validator = |index: u8| Validator {
            address: Address::repeat_byte(index),
            public_key: Vec::new().into(),
            power: VotingPower(1),
            node_name: format!("node-{index}"),
            organisation: Organisation::default(),
        };
        ValidatorSet {
            height: Height(8),
            set_hash: B256::ZERO,
            total_power: VotingPower(4),
            validators: (1..=4).map(validator).collect(),
        }
    }

    #[test]
    fn counts_signatures_blocks_and_turns_that_were_missed() {
        let mut tally = Tally::default();
        let seen = Seen {
            signers: [1, 2, 4].map(Address::repeat_byte).into(),
            builder: Address::repeat_byte(3),
        };
        // Height 8 of four: the first by address had round 0, the second round 1.
        tally.count(8, &set(), 2, &seen);
        let of = |index: u8| tally.0[&Address::repeat_byte(index)].clone();
        assert_eq!(
            (
                of(1).missed_rounds,
                of(2).missed_rounds,
                of(3).missed_rounds
            ),
            (1, 1, 0)
        );
        assert_eq!((of(3).signed, of(3).proposed, of(3).heights), (0, 1, 1));
        assert_eq!((of(4).signed, of(4).last_signed), (1, 8));
    }
}
