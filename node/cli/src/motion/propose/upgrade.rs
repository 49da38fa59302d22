//! What an upgrade is to change, from the command line to the plan that a motion carries.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tbsi_governance::abi::UPGRADES;
use tbsi_governance::contracts::{Plan, Replacement, Setting, Upgrades};
use tbsi_governance::layouts::{Variable, require_fits};
use tbsi_governance::motions::Act;
use tbsi_governance::upgrades::Parameter;
use tbsi_node::PROTOCOL_VERSION;
use tbsi_types::contracts;

use crate::govern::{RegistryClient, Write};
use crate::lang::said;
use crate::report::{note, refuse, refused};
use crate::shown::PathShown;

/// Contracts of the genesis file, as they are typed, with what this version's compiler wrote.
macro_rules! system {
    ($($typed:literal $name:literal $address:ident)*) => {
        [$(($typed, contracts::$address, include_str!(concat!(
            "../../../../../contracts/evm/artifacts/", $name, ".json"
        ))),)*]
    };
}

const SYSTEM: [(&str, Address, &str); 11] = system!(
    "motions" "Motions" MOTIONS
    "attestations" "Attestations" ATTESTATIONS
    "organisations" "Organisations" ORGANISATIONS
    "nodes" "Nodes" NODES
    "permissions" "Permissions" PERMISSIONS
    "chains" "Chains" CHAINS
    "outbox" "Outbox" OUTBOX
    "facts" "Facts" FACTS
    "equivocations" "Equivocations" EQUIVOCATIONS
    "upgrades" "Upgrades" UPGRADES
    "authorisations" "Authorisations" AUTHORISATIONS
);

pub(crate) const HELP: &str = "\
Parameters: block-gas-limit, timeout-propose-ms, timeout-vote-ms, timeout-delta-ms,
empty-block-interval-ms, block-spacing-min-ms, epoch-seconds.
Contracts: motions, attestations, organisations, nodes, permissions, chains, outbox, facts,
equivocations, upgrades, authorisations. The new code is deployed first, by anybody, to any
account; the contract keeps its storage, so an artifact (JSON of contracts/evm/tools/artifact.mjs)
is compared with what runs, and refused if its storage layout does not fit.";

#[derive(Debug, clap::Args)]
pub(crate) struct UpgradeArgs {
    /// Name of the upgrade; the chain has its SHA-256.
    #[arg(value_name = "NAME")]
    name: String,
    /// From which height.
    #[arg(long, value_name = "HEIGHT")]
    height: u64,
    /// Version of the software with which it was tried.
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// Protocol version from there on [default: the one in force].
    #[arg(long, value_name = "NUMBER")]
    protocol: Option<u32>,
    /// Another value for a parameter; may be repeated.
    #[arg(long, value_name = "PARAMETER=VALUE", value_parser = parse_setting)]
    set: Vec<Setting>,
    /// A system contract, and the account with its new code; may be repeated.
    #[arg(long, value_name = "CONTRACT=ADDRESS", value_parser = parse_replacement)]
    replace: Vec<(usize, Address)>,
    /// What the compiler wrote of the new code of a contract; may be repeated.
    #[arg(long, value_name = "CONTRACT=FILE", value_parser = parse_artifact)]
    artifact: Vec<(usize, PathBuf)>,
    /// What the compiler wrote of the code that runs, if it is not this version's.
    #[arg(long, value_name = "CONTRACT=FILE", value_parser = parse_artifact)]
    running: Vec<(usize, PathBuf)>,
    #[command(flatten)]
    pub(crate) write: Write,
}

fn parse_setting(text: &str) -> Result<Setting, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("use PARAMETER=VALUE, such as block-gas-limit=60000000")?;
    let names = || Parameter::ALL.map(|(_, name)| name).join(", ");
    let parameter = Parameter::parse(name)
        .ok_or_else(|| format!("`{name}` is no parameter; use one of {}", names()))?;
    let value = value.replace('_', "");
    let value = value
        .parse()
        .map_err(|_| format!("the value of {name} is not a number: {value}"))?;
    Ok(Setting {
        parameter: parameter.number(),
        value,
    })
}

/// Position in [`SYSTEM`], and the rest.
fn parse_contract(text: &str) -> Result<(usize, &str), String> {
    let (name, rest) = text.split_once('=').ok_or("use CONTRACT=…")?;
    let position = SYSTEM.iter().position(|(typed, ..)| *typed == name);
    let names = || SYSTEM.map(|(typed, ..)| typed).join(", ");
    let position = position
        .ok_or_else(|| format!("`{name}` is no system contract; use one of {}", names()))?;
    Ok((position, rest))
}

fn parse_replacement(text: &str) -> Result<(usize, Address), String> {
    let (position, address) = parse_contract(text)?;
    let address = address
        .parse()
        .map_err(|_| format!("`{address}` is no address"))?;
    Ok((position, address))
}

fn parse_artifact(text: &str) -> Result<(usize, PathBuf), String> {
    let (position, file) = parse_contract(text)?;
    Ok((position, file.into()))
}

/// The name of a system contract, as it is typed.
pub(crate) fn contract_name(address: Address) -> String {
    let found = SYSTEM.iter().find(|(_, known, _)| *known == address);
    found.map_or_else(|| address.to_string(), |(typed, ..)| (*typed).to_owned())
}

/// What the compiler wrote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    storage_layout: Vec<Placed>,
    deployed_bytecode: Bytes,
}

#[derive(Deserialize)]
struct Placed {
    label: String,
    slot: u64,
    offset: u64,
    bytes: u64,
    #[serde(rename = "type")]
    kind: String,
}

impl Artifact {
    fn parse(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context(
            "an artifact is JSON with storageLayout and deployedBytecode, as \
             contracts/evm/tools/artifact.mjs writes it",
        )
    }

    fn load(file: &Path) -> anyhow::Result<Self> {
        let read = || -> anyhow::Result<Self> { Self::parse(&std::fs::read_to_string(file)?) };
        let read = read().with_context(|| format!("read {}", file.shown()));
        read.map_err(refuse)
    }

    fn layout(&self) -> Vec<Variable> {
        let variable = |it: &Placed| Variable {
            label: it.label.clone(),
            slot: it.slot,
            offset: it.offset,
            bytes: it.bytes,
            kind: it.kind.clone(),
        };
        self.storage_layout.iter().map(variable).collect()
    }
}

/// A newer program may know the version; this one cannot tell.
fn warn_of_unknown(registry: &RegistryClient, protocol: u32) {
    if protocol > PROTOCOL_VERSION {
        note(&registry.lang.pick(
            format!(
                "warning: this program knows no protocol version above {PROTOCOL_VERSION}; an \
                 upgrade to {protocol} lapses unless validators run one that does"
            ),
            format!(
                "注意：本程式所知的協定版本至多為 {PROTOCOL_VERSION}；除非驗證者執行支援版本 \
                 {protocol} 的程式，否則升級將失效"
            ),
        ));
    }
}

/// The motion that is asked for.
pub(super) async fn act(registry: &RegistryClient, args: UpgradeArgs) -> anyhow::Result<Act> {
    let protocol = match args.protocol {
        Some(protocol) => {
            warn_of_unknown(registry, protocol);
            protocol
        }
        None => {
            let call = Upgrades::protocolVersionCall {};
            registry.ask(UPGRADES, call).await?
        }
    };
    let replacements = replacements(registry, &args).await?;
    let mut settings = args.set;
    settings.sort_by_key(|setting| setting.parameter);
    let plan = Plan {
        nameHash: B256::from_slice(&Sha256::digest(&args.name)),
        height: args.height,
        protocol,
        version: args.version,
        settings,
        replacements,
    };
    Ok(Act::ScheduleUpgrade(Box::new(Upgrades::scheduleCall {
        plan,
    })))
}

async fn replacements(
    registry: &RegistryClient,
    args: &UpgradeArgs,
) -> anyhow::Result<Vec<Replacement>> {
    let of = |list: &[(usize, PathBuf)], contract: usize| -> anyhow::Result<Option<Artifact>> {
        let found = list.iter().find(|(position, _)| *position == contract);
        found.map(|(_, file)| Artifact::load(file)).transpose()
    };
    let idle = args.artifact.iter().chain(&args.running);
    let mut idle = idle.map(|(position, _)| *position);
    let used = |position: usize| args.replace.iter().any(|(known, _)| *known == position);
    if let Some(position) = idle.find(|position| !used(*position)) {
        let name = SYSTEM[position].0;
        return Err(refused(registry.lang.pick(
            format!("an artifact of {name} is given, and no --replace {name}=ADDRESS"),
            format!("給了 {name} 的編譯結果，卻沒有 --replace {name}=ADDRESS"),
        )));
    }
    let mut list = Vec::with_capacity(args.replace.len());
    for (position, source) in &args.replace {
        let (name, target, built_in) = SYSTEM[*position];
        let code = code_of(registry, *source).await?;
        if code.is_empty() {
            return Err(refused(registry.lang.pick(
                format!("{source} has no code: deploy the new code of {name} first"),
                format!("{source} 沒有程式碼：請先部署 {name} 的新程式碼"),
            )));
        }
        if let Some(artifact) = of(&args.artifact, *position)? {
            let running = match of(&args.running, *position)? {
                Some(running) => running,
                None => Artifact::parse(built_in)?,
            };
            let there = code_of(registry, target).await?;
            require_fit(registry, name, (&running, &there), (&artifact, &code))?;
        }
        list.push(Replacement {
            target,
            source: *source,
            codeHash: keccak256(&code),
        });
    }
    list.sort_by_key(|replacement| replacement.target);
    Ok(list)
}

async fn code_of(registry: &RegistryClient, account: Address) -> anyhow::Result<Bytes> {
    let params = [json!(account), json!("latest")];
    Ok(registry.client.request("eth_getCode", &params).await?)
}

/// Whether the new code is that of the artifact, and fits what the code that runs has stored.
fn require_fit(
    registry: &RegistryClient,
    name: &str,
    (running, there): (&Artifact, &Bytes),
    (artifact, code): (&Artifact, &Bytes),
) -> anyhow::Result<()> {
    let lang = registry.lang;
    if artifact.deployed_bytecode != *code {
        let (have, want) = (keccak256(code), keccak256(&artifact.deployed_bytecode));
        return Err(refused(lang.pick(
            format!(
                "the account for {name} has code with the hash {have}, that of the artifact is \
                 {want}: deploy the artifact's code, or give the right artifact"
            ),
            format!(
                "{name} 的來源帳戶程式碼雜湊為 {have}，編譯結果為 {want}：請部署該編譯結果的程式碼，\
                 或提供正確的編譯結果"
            ),
        )));
    }
    if running.deployed_bytecode != *there {
        return Err(refused(lang.pick(
            format!(
                "{name} runs other code than this version's, whose storage layout is not known \
                 here: give --running {name}=FILE"
            ),
            format!("{name} 目前執行的程式碼與本版本不同，無從得知其儲存配置：請提供 --running {name}=FILE"),
        )));
    }
    let fits = require_fits(&running.layout(), &artifact.layout());
    fits.map_err(|misfit| {
        refuse(said(
            format!("the new code of {name} does not fit its storage: {misfit}"),
            format!("{name} 的新程式碼與既有儲存配置不符：{misfit}"),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_by_name() {
        let set = parse_setting("block-gas-limit=60_000_000").unwrap();
        assert_eq!((set.parameter, set.value), (1, 60_000_000));
        for (bad, words) in [
            ("gas=1", "`gas` is no parameter; use one of block-gas-limit"),
            ("block-gas-limit", "use PARAMETER=VALUE"),
            ("epoch-seconds=an hour", "is not a number"),
            ("epoch-seconds=-1", "is not a number"),
        ] {
            assert!(parse_setting(bad).unwrap_err().contains(words), "{bad}");
        }
    }

    #[test]
    fn contracts_are_read_by_name_and_their_artifacts_can_be_read() {
        for (position, (typed, address, text)) in SYSTEM.iter().enumerate() {
            let text_of = format!("{typed}={address}");
            assert_eq!(parse_replacement(&text_of), Ok((position, *address)));
            assert_eq!(contract_name(*address), *typed);
            let artifact = Artifact::parse(text).unwrap();
            assert!(!artifact.deployed_bytecode.is_empty());
            let layout = artifact.layout();
            assert_eq!(require_fits(&layout, &layout), Ok(()));
        }
        assert!(
            parse_replacement("treasury=0x00")
                .unwrap_err()
                .contains("no system contract")
        );
        assert!(
            parse_replacement("chains=here")
                .unwrap_err()
                .contains("no address")
        );
        assert!(Artifact::parse("{}").is_err());
    }
}
