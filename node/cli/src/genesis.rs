//! `tbsi genesis`.

mod ceremony;
mod check;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};
use tbsi_governance::rules::check_stated;
use tbsi_home::check_peer_ids;
use tbsi_home::founding::BLOCK_GAS_LIMIT;
use tbsi_types::genesis::{
    ConsensusParameters, GenesisAccount, GovernanceEntry, NodeEntry, OrganisationEntry,
};
use tbsi_types::limits::VALIDATORS_MIN;
use tbsi_types::{Address, Genesis, TimestampMs};

use crate::clock;
use crate::lang::counted;
use crate::misfit::{parse_toml, unread};
use crate::report::Format;
use crate::shown::{self, PathShown};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin the founding of a network: what all founders agree on, as a draft.
    ///
    /// Then each founder runs `genesis founder` where its keys are to be and hands its file to
    /// the others; `genesis add-founder` takes all of them into the draft, in any order; `genesis
    /// build` makes the same genesis file everywhere; each founder compares its hash with the
    /// others' by telephone and runs `genesis sign`; `genesis check` checks everything.
    New(ceremony::NewArgs),
    /// Make a founder file: an organisation, its node and its keys' public halves, signed by
    /// every key.
    Founder(Box<ceremony::FounderArgs>),
    /// Verify founder files and take them into a draft.
    AddFounder(ceremony::AddFounderArgs),
    /// Sign a genesis file for the organisation of a home, with its account key.
    Sign(ceremony::SignArgs),
    /// Make a genesis file from a draft.
    ///
    /// The draft is that of `genesis new`, or for development TOML: name, chain_id,
    /// [organisations.ID] with name_zh_tw and name_en, and one [[nodes]] per node as `tbsi keys
    /// new` prints it. Optional: time_ms (default: now), block_gas_limit, [consensus],
    /// [governance], [accounts.ADDRESS].
    Build {
        /// Draft to read.
        #[arg(long, value_name = "FILE")]
        draft: PathBuf,
        /// Genesis file to write; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Fewer than 4 validators will do, and any balance of voting power.
        #[arg(long)]
        development: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Check a genesis file and show what it founds.
    ///
    /// With --draft: that it is what the founder files make, that every key was proved to be
    /// held, and the rules of founding. With --signatures: that every founder has signed it.
    Check(check::Args),
}

/// A genesis file in which what has a usual value may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    chain_id: u64,
    time_ms: Option<TimestampMs>,
    block_gas_limit: Option<u64>,
    consensus: Option<ConsensusParameters>,
    organisations: BTreeMap<String, OrganisationEntry>,
    nodes: Vec<NodeEntry>,
    governance: Option<GovernanceEntry>,
    #[serde(default)]
    accounts: BTreeMap<Address, GenesisAccount>,
}

impl Draft {
    fn genesis(self, now: TimestampMs) -> Genesis {
        let mut accounts = tbsi_home::founding::system_accounts(self.governance.is_some());
        accounts.extend(self.accounts);
        Genesis {
            version: 1,
            name: self.name,
            chain_id: self.chain_id,
            time_ms: self.time_ms.unwrap_or(now),
            block_gas_limit: self.block_gas_limit.unwrap_or(BLOCK_GAS_LIMIT),
            consensus: self.consensus.unwrap_or_default(),
            organisations: self.organisations,
            nodes: self.nodes,
            governance: self.governance,
            accounts,
        }
    }
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New(args) => ceremony::new(&args),
        Command::Founder(args) => ceremony::founder(*args),
        Command::AddFounder(args) => ceremony::add_founder(&args),
        Command::Sign(args) => ceremony::sign(&args),
        Command::Build {
            draft,
            out,
            development,
            format,
        } => {
            let genesis = build(&draft, &out, development)?;
            format.print(&text(&genesis)?, &summary(&genesis)?)
        }
        Command::Check(args) => check::run(&args),
    }
}

fn build(draft: &Path, out: &Path, development: bool) -> anyhow::Result<Genesis> {
    let reading = || format!("read draft {}", draft.shown());
    let bytes = fs::read(draft).with_context(reading)?;
    let text = String::from_utf8(bytes).map_err(|error| unread(draft, error));
    let text = text.with_context(reading)?;
    let genesis = if text.trim_start().starts_with('{') {
        let parsed = tbsi_home::founding::Draft::parse(text.as_bytes());
        let parsed = parsed.map_err(|error| unread(draft, error));
        parsed.and_then(|draft| ceremony::genesis(&draft, development))
    } else {
        from_toml(&text)
    };
    let genesis = genesis.map_err(|error| unread(draft, error));
    let genesis = genesis.with_context(|| format!("draft {}", draft.shown()))?;
    let json = serde_json::to_string_pretty(&genesis)? + "\n";
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut file| {
            file.write_all(json.as_bytes())?;
            file.sync_all()
        })
        .with_context(|| format!("write genesis file {}", out.shown()))?;
    Ok(genesis)
}

fn from_toml(text: &str) -> anyhow::Result<Genesis> {
    let draft: Draft = parse_toml(text)?;
    let genesis = draft.genesis(clock::now()?);
    genesis.check()?;
    check_peer_ids(&genesis)?;
    check_stated(&genesis)?;
    Ok(genesis)
}

fn summary(genesis: &Genesis) -> anyhow::Result<Value> {
    let set = genesis.validator_set()?;
    Ok(json!({
        "name": genesis.name,
        "chainId": genesis.chain_id,
        "genesisHash": genesis.hash(),
        "validatorSetHash": set.hash(),
        "validators": set.count(),
        "totalPower": set.total_power(),
        "nodes": genesis.nodes.len(),
    }))
}

fn text(genesis: &Genesis) -> anyhow::Result<String> {
    let set = genesis.validator_set()?;
    let total = set.total_power().0;
    let mut text = String::new();
    writeln!(text, "network      {}", shown::line(&genesis.name))?;
    writeln!(text, "chain id     {}", genesis.chain_id)?;
    writeln!(text, "genesis hash {}", genesis.hash())?;
    writeln!(text, "read it out  {}", ceremony::aloud(genesis.hash()))?;
    writeln!(
        text,
        "quorum       more than 2/3 of {total} voting power, of {}",
        counted(set.count(), "validator")
    )?;
    for node in &genesis.nodes {
        let names = genesis.organisation(node).cloned();
        let names = names.context("a checked genesis lists every node's organisation")?;
        let role = match &node.validator {
            Some(entry) => format!("validator, power {}", entry.power),
            None => "observer".into(),
        };
        writeln!(
            text,
            "  {} ({role}): {} {}",
            shown::line(&node.name),
            shown::line(&names.name_zh_tw),
            shown::line(&names.name_en)
        )?;
    }
    if set.count() < VALIDATORS_MIN {
        writeln!(
            text,
            "warning: fewer than {VALIDATORS_MIN} validators tolerate no fault"
        )?;
    }
    Ok(text)
}
