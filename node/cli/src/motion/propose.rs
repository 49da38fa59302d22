//! `tbsi motion propose`.

mod act;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Address;
use clap::Subcommand;
use serde_json::json;
use tbsi_governance::abi::MOTIONS;
use tbsi_governance::contracts::{Motion, Motions};
use tbsi_governance::motions::Act;
use tbsi_types::log::algorithm::by_name;

pub(crate) use upgrade::{HELP as UPGRADE_HELP, UpgradeArgs, contract_name};

use super::{fetch, fetch_all, is_pending, outcome, show, words};
use crate::govern::words::{ALGORITHM_STATUS, CHAIN_STATUS, MOTION_KINDS, code_of};
use crate::govern::{
    CODES, Done, Planned, RegistryClient, Write, Writer, parse_amount, parse_permissions,
    parse_reason,
};
use crate::lang::Language;
use crate::report::refused;

/// Bytes of a word of the ABI.
const WORD_BYTES: usize = 32;

const FILE_HELP: &str = "\
The file, in TOML, or in JSON with a name that ends so:
  name_zh_tw = \"...\"            # legal names; Chinese if it has one
  name_en = \"...\"
  kind = \"association\"          # operator, issuer, relayer, auditor, authority
  votes = true                  # for ever
  tax_id = \"...\"                # 統一編號; or lei = \"...\", or both
  jurisdiction = \"TW\"
  agreement_hash = \"0x...\"      # SHA-256 of the agreement that it signed
  credential_hash = \"0x...\"     # may be absent, as contact_url = \"https://...\"
  permissions = [\"send\", \"attest\", \"administer\", \"vote\"]
  account = \"0x...\"             # its first account, with all of these permissions
  quota = { gas = 1000000000, leaves = 100000 }   # a period; absent: unlimited

An amendment has neither permissions nor account nor quota.";

#[derive(Debug, clap::Args)]
pub(crate) struct About {
    /// Number, 統一編號, LEI or legal name of the organisation.
    #[arg(value_name = "ORGANISATION")]
    organisation: String,
    /// Why, as a word or a number.
    #[arg(long, value_name = "REASON", value_parser = parse_reason)]
    reason: u16,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// Kind of motions, such as add-validator.
    #[arg(value_name = "KIND", value_parser = |text: &str| code_of(&MOTION_KINDS, text))]
    kind: u8,
    /// Part of those who may vote that has to take part, such as 1/2.
    #[arg(long, value_name = "N/D", value_parser = parse_fraction)]
    quorum: Option<(u16, u16)>,
    /// More than this part of those who may vote has to say yes.
    #[arg(long, value_name = "N/D", value_parser = parse_fraction)]
    threshold: Option<(u16, u16)>,
    /// From the motion to its deadline.
    #[arg(long, value_name = "SECONDS")]
    voting_period: Option<u32>,
    /// From passing to the first execution.
    #[arg(long, value_name = "SECONDS")]
    delay: Option<u32>,
    /// In which it can be executed.
    #[arg(long, value_name = "SECONDS")]
    window: Option<u32>,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AmendArgs {
    /// Number, 統一編號, LEI or legal name of the organisation.
    #[arg(value_name = "ORGANISATION")]
    organisation: String,
    /// What is known of it, all of it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuotaArgs {
    /// Number, 統一編號, LEI or legal name; 0: all accounts of no organisation together.
    #[arg(value_name = "ORGANISATION")]
    organisation: String,
    /// Gas, or unlimited.
    #[arg(long, value_name = "GAS", value_parser = parse_amount)]
    gas: Option<u64>,
    /// Entries of the attestation log, or unlimited.
    #[arg(long, value_name = "LEAVES", value_parser = parse_amount)]
    leaves: Option<u64>,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PermissionsArgs {
    /// Number, 統一編號, LEI or legal name of the organisation.
    #[arg(value_name = "ORGANISATION")]
    organisation: String,
    /// With commas between: send, deploy, attest, relay, administer, vote; or all, or none.
    #[arg(value_name = "PERMISSIONS", value_parser = parse_permissions)]
    permissions: u32,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountArgs {
    /// Number, 統一編號, LEI or legal name of the organisation.
    #[arg(value_name = "ORGANISATION")]
    organisation: String,
    /// Address of the account.
    #[arg(value_name = "ACCOUNT")]
    account: Address,
    /// With commas between: send, deploy, attest, relay, administer, vote; none withdraws it.
    #[arg(long, value_name = "PERMISSIONS", value_parser = parse_permissions)]
    permissions: u32,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AlgorithmArgs {
    /// Name, such as sha3-512, or multicodec code.
    #[arg(value_name = "ALGORITHM", value_parser = parse_algorithm_code)]
    algorithm: u32,
    /// active, deprecated or revoked.
    #[arg(value_name = "STATUS", value_parser = |text: &str| code_of(&ALGORITHM_STATUS, text))]
    status: u8,
    /// Bits of a digest, for an algorithm that this program does not know.
    #[arg(long, value_name = "BITS")]
    bits: Option<u16>,
    /// Until when digests of it are relied upon, in seconds since the Unix epoch; 0 for no end that
    /// is known. What rests on it is to be renewed before. [default: what the chain says now]
    #[arg(long, value_name = "SECONDS")]
    relied_until: Option<u64>,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// Number or CAIP-2 id of the chain.
    #[arg(value_name = "CHAIN")]
    chain: String,
    /// Number, 統一編號, LEI or legal name of the organisation that runs it.
    #[arg(long, value_name = "ORGANISATION")]
    operator: Option<String>,
    /// active or retired.
    #[arg(long, value_name = "STATUS", value_parser = |text: &str| code_of(&CHAIN_STATUS, text))]
    status: Option<u8>,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CancelArgs {
    /// Number of the upgrade; `tbsi upgrade status` shows it.
    #[arg(value_name = "UPGRADE")]
    upgrade: u32,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, Subcommand)]
#[command(after_help = CODES)]
pub(crate) enum Command {
    /// A new organisation, with its first account.
    #[command(after_help = FILE_HELP)]
    AddOrganisation {
        /// What is known of it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        write: Write,
    },
    /// An organisation may do nothing until it is reinstated; its validators leave the set.
    SuspendOrganisation(About),
    /// An organisation leaves for ever; its nodes go out of use.
    RemoveOrganisation(About),
    /// A suspended organisation is active again.
    ReinstateOrganisation(About),
    /// Other facts of an organisation.
    #[command(after_help = FILE_HELP)]
    AmendOrganisation(AmendArgs),
    /// A registered node becomes a validator, or gets another voting power.
    AddValidator {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        /// Voting power.
        #[arg(long, value_name = "POWER")]
        power: u64,
        #[command(flatten)]
        write: Write,
    },
    /// A validator becomes an observer.
    RemoveValidator {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        /// Why, as a word or a number.
        #[arg(long, value_name = "REASON", value_parser = parse_reason)]
        reason: u16,
        #[command(flatten)]
        write: Write,
    },
    /// A validator that was suspended for equivocation is one again.
    ReinstateValidator {
        /// Number, name, peer id or key of the node.
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        write: Write,
    },
    /// How motions of a kind are decided. What is not given stays.
    SetRule(RuleArgs),
    /// What an organisation may use in a period. What is not given stays.
    SetQuota(QuotaArgs),
    /// What accounts of an organisation may be granted.
    SetPermissions(PermissionsArgs),
    /// What accounts of no organisation may do.
    SetPublicPermissions {
        /// With commas between: send, deploy, attest, relay; or none.
        #[arg(value_name = "PERMISSIONS", value_parser = parse_permissions)]
        permissions: u32,
        #[command(flatten)]
        write: Write,
    },
    /// Length of a quota's period.
    SetPeriod {
        /// Seconds.
        #[arg(value_name = "SECONDS")]
        length: u32,
        #[command(flatten)]
        write: Write,
    },
    /// An account of an organisation, for one that lost all its keys.
    SetAccount(AccountArgs),
    /// Whether digests of an algorithm are taken, and until when they are relied upon.
    SetAlgorithm(AlgorithmArgs),
    /// Operator and status of another chain's record. What is not given stays.
    SetChain(ChainArgs),
    /// Other rules from a height on: protocol version, parameters, code of system contracts.
    #[command(after_help = UPGRADE_HELP)]
    ScheduleUpgrade(Box<UpgradeArgs>),
    /// The upgrade that waits is not carried out.
    CancelUpgrade(CancelArgs),
    /// A text; the chain has its SHA-256.
    Resolve {
        /// The text.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        write: Write,
    },
}

pub(super) async fn run(command: Command, again: bool) -> anyhow::Result<ExitCode> {
    let writer = Writer::open(write_of(&command)).await?;
    let act = act::act(&writer.registry, command).await?;
    let registry = &writer.registry;
    if !again {
        require_new(registry, &act).await?;
    }
    let effect = words::effect(registry, &act, true).await?;
    let call = Motions::proposeCall {
        kind: act.kind(),
        arguments: act.arguments(),
    };
    let change = registry.lang.pick(
        format!("motion to decide: {effect}"),
        format!("提出動議：{effect}"),
    );
    let planned = Planned::new(MOTIONS, &call, change);
    let tell = async |done: &Done| {
        let number = done.event::<Motions::MotionProposed>()?.motion;
        let motion = fetch(registry, number).await?;
        let text = registry.lang.pick(
            format!("motion {number}: tbsi motion vote {number} yes\n"),
            format!("動議   {number}：tbsi motion vote {number} yes\n"),
        );
        Ok((
            text + &outcome(registry, number, &motion),
            json!({ "motion": show::summary(registry, number, &motion, &effect) }),
        ))
    };
    writer.perform(&planned, tell).await
}

/// Fails if a motion that is not over asks for the same: votes for either would be split.
async fn require_new(registry: &RegistryClient, act: &Act) -> anyhow::Result<()> {
    let (kind, arguments) = (act.kind(), act.arguments());
    let all = fetch_all(registry).await?;
    let same = |motion: &Motion| {
        let matter = (motion.kind, &motion.arguments[..]);
        is_pending(motion) && is_same_matter(matter, (kind, &arguments[..]))
    };
    let found = (1u32..).zip(&all).find(|(_, motion)| same(motion));
    let Some((number, motion)) = found else {
        return Ok(());
    };
    let standing = outcome(registry, number, motion);
    let standing = standing.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(refused(registry.lang.pick(
        format!(
            "motion {number} is about the same and not over ({standing}): `tbsi motion show \
             {number}`, `tbsi motion vote {number} yes`. To propose another one all the same: \
             `tbsi motion propose --again ...`"
        ),
        format!(
            "第 {number} 號動議為同一事項且尚未結束（{standing}）：`tbsi motion show {number}`、\
             `tbsi motion vote {number} yes`。仍要另行提出：`tbsi motion propose --again ...`"
        ),
    )))
}

/// Whether two motions are of one kind, and about one organisation or node or alike in all.
fn is_same_matter(one: (u8, &[u8]), other: (u8, &[u8])) -> bool {
    // What these are about is the first word of their arguments (SPEC §13.6).
    let about = |arguments: &[u8]| arguments.get(..WORD_BYTES).map(<[u8]>::to_vec);
    let subject = match one.0 {
        2..=4 | 6..=8 => about(one.1).is_some_and(|word| Some(word) == about(other.1)),
        _ => false,
    };
    one.0 == other.0 && (subject || one.1 == other.1)
}

/// In which language to answer.
pub(super) fn language(command: &Command) -> Language {
    write_of(command).read.lang
}

fn write_of(command: &Command) -> &Write {
    match command {
        Command::SuspendOrganisation(about)
        | Command::RemoveOrganisation(about)
        | Command::ReinstateOrganisation(about) => &about.write,
        Command::AmendOrganisation(args) => &args.write,
        Command::SetRule(args) => &args.write,
        Command::SetQuota(args) => &args.write,
        Command::SetPermissions(args) => &args.write,
        Command::SetAccount(args) => &args.write,
        Command::SetAlgorithm(args) => &args.write,
        Command::SetChain(args) => &args.write,
        Command::ScheduleUpgrade(args) => &args.write,
        Command::CancelUpgrade(args) => &args.write,
        Command::AddOrganisation { write, .. }
        | Command::AddValidator { write, .. }
        | Command::RemoveValidator { write, .. }
        | Command::ReinstateValidator { write, .. }
        | Command::SetPublicPermissions { write, .. }
        | Command::SetPeriod { write, .. }
        | Command::Resolve { write, .. } => write,
    }
}

fn parse_algorithm_code(text: &str) -> Result<u32, String> {
    if let Some(known) = by_name(text) {
        return Ok(known.code);
    }
    let hex = text.strip_prefix("0x");
    let code = hex.map(|hex| u32::from_str_radix(hex, 16));
    code.unwrap_or_else(|| text.parse())
        .map_err(|_| "use a name such as sha3-512, or a multicodec code such as 0x14".into())
}

fn parse_fraction(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(part, whole)| Some((part.parse().ok()?, whole.parse().ok()?)));
    parsed.ok_or_else(|| "use a fraction such as 2/3".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_matter_is_decided_once() {
        let call = |subject: u8, more: u8| [[0; 31].as_slice(), &[subject], &[more; 32]].concat();
        let check = |kinds: [u8; 2], one: Vec<u8>, other: Vec<u8>, same: bool| {
            assert_eq!(is_same_matter((kinds[0], &one), (kinds[1], &other)), same);
        };
        // Another power for the same node; another node.
        check([6, 6], call(5, 1), call(5, 2), true);
        check([6, 6], call(5, 1), call(4, 1), false);
        check([6, 7], call(5, 1), call(5, 1), false);
        // Of other kinds, what is alike in all.
        check([10, 10], call(5, 1), call(5, 2), false);
        check([18, 18], call(5, 1), call(5, 1), true);
        check([6, 6], Vec::new(), Vec::new(), true);
    }

    #[test]
    fn fractions_and_algorithms_are_read() {
        assert_eq!(parse_fraction("2/3"), Ok((2, 3)));
        for bad in ["", "2", "2/", "/3", "2/3/4", "-1/2", "70000/2", "0.5"] {
            assert!(parse_fraction(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_algorithm_code("0x12"), Ok(0x12));
        assert_eq!(parse_algorithm_code("18"), Ok(18));
        assert_eq!(parse_algorithm_code("sha2-256"), Ok(0x12));
        assert!(parse_algorithm_code("md5").is_err());
    }
}
