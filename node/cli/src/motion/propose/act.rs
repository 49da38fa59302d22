//! What a command line asks for, as a motion: with the numbers that the chain knows.

use std::path::Path;

use alloy_primitives::B256;
use anyhow::Context;
use sha2::{Digest, Sha256};
use tbsi_governance::abi::{CHAINS, MOTIONS, PERMISSIONS};
use tbsi_governance::contracts::{
    Attestations, Chain, Chains, Motions, Nodes, Organisations, Permissions, Rule, Upgrades,
};
use tbsi_governance::motions::Act;
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::log::algorithm::by_code;

use super::super::file::Entry;
use super::{About, AlgorithmArgs, AmendArgs, ChainArgs, Command, QuotaArgs, RuleArgs, upgrade};
use crate::govern::RegistryClient;
use crate::report::{refuse, refused};
use crate::shown::PathShown;

/// What is asked for, with the numbers that the chain knows.
pub(super) async fn act(registry: &RegistryClient, command: Command) -> anyhow::Result<Act> {
    Ok(match command {
        Command::AddOrganisation { file, .. } => {
            let admission = load(&file, Entry::admission)?;
            Act::AddOrganisation(Box::new(Motions::addOrganisationCall { admission }))
        }
        Command::SuspendOrganisation(about) => {
            let (organisation, reason) = about.find(registry)?;
            Act::SuspendOrganisation(Motions::suspendOrganisationCall {
                organisation,
                reason,
            })
        }
        Command::RemoveOrganisation(about) => {
            let (organisation, reason) = about.find(registry)?;
            Act::RemoveOrganisation(Motions::removeOrganisationCall {
                organisation,
                reason,
            })
        }
        Command::ReinstateOrganisation(about) => {
            let (organisation, reason) = about.find(registry)?;
            Act::ReinstateOrganisation(Organisations::reinstateCall {
                organisation,
                reason,
            })
        }
        Command::AmendOrganisation(args) => amendment(registry, &args)?,
        Command::AddValidator { node, power, .. } => {
            let (node, _) = registry.find_node(&node).await?;
            Act::AddValidator(Nodes::addValidatorCall { node, power })
        }
        Command::RemoveValidator { node, reason, .. } => {
            let (node, _) = registry.find_node(&node).await?;
            Act::RemoveValidator(Nodes::removeValidatorCall { node, reason })
        }
        Command::ReinstateValidator { node, .. } => {
            let (node, _) = registry.find_node(&node).await?;
            Act::ReinstateValidator(Nodes::reinstateValidatorCall { node })
        }
        Command::SetRule(args) => rule(registry, &args).await?,
        Command::SetQuota(args) => quota(registry, &args).await?,
        Command::SetPermissions(args) => {
            let call = Permissions::setOrganisationPermissionsCall {
                organisation: registry.find_organisation(&args.organisation)?,
                permissions: args.permissions,
            };
            Act::SetOrganisationPermissions(call)
        }
        Command::SetPublicPermissions { permissions, .. } => {
            Act::SetPublicPermissions(Permissions::setPublicPermissionsCall { permissions })
        }
        Command::SetPeriod { length, .. } => Act::SetPeriod(Permissions::setPeriodCall { length }),
        Command::SetAccount(args) => Act::SetAccount(Permissions::setAccountCall {
            organisation: registry.find_organisation(&args.organisation)?,
            account: args.account,
            permissions: args.permissions,
        }),
        Command::SetAlgorithm(args) => algorithm(registry, &args).await?,
        Command::SetChain(args) => set_chain(registry, &args).await?,
        Command::ScheduleUpgrade(args) => upgrade::act(registry, *args).await?,
        Command::CancelUpgrade(args) => Act::CancelUpgrade(Upgrades::cancelCall {
            upgrade: args.upgrade,
        }),
        Command::Resolve { file, .. } => resolution(&file)?,
    })
}

impl About {
    fn find(&self, registry: &RegistryClient) -> anyhow::Result<(u32, u16)> {
        Ok((registry.find_organisation(&self.organisation)?, self.reason))
    }
}

fn amendment(registry: &RegistryClient, args: &AmendArgs) -> anyhow::Result<Act> {
    let organisation = registry.find_organisation(&args.organisation)?;
    let votes = registry
        .organisation(organisation)
        .is_some_and(|it| it.votes);
    let details = load(&args.file, |entry| entry.amendment(votes))?;
    Ok(Act::AmendOrganisation(Box::new(
        Motions::amendOrganisationCall {
            organisation,
            details,
        },
    )))
}

async fn algorithm(registry: &RegistryClient, args: &AlgorithmArgs) -> anyhow::Result<Act> {
    let algorithm = args.algorithm;
    let until = match args.relied_until {
        Some(until) => until,
        None => {
            let call = Attestations::reliedUntilCall { algorithm };
            registry.ask(ATTESTATIONS, call).await?
        }
    };
    Ok(Act::SetAlgorithm(Attestations::setAlgorithmCall {
        algorithm,
        bits: bits_of(algorithm, args.bits)?,
        status: args.status,
        until,
    }))
}

fn resolution(file: &Path) -> anyhow::Result<Act> {
    let text = std::fs::read(file).with_context(|| format!("read {}", file.shown()));
    let digest = Sha256::digest(text.map_err(refuse)?);
    Ok(Act::Resolve(Motions::resolveCall {
        textHash: B256::from_slice(&digest),
    }))
}

fn load<T>(file: &Path, read: impl FnOnce(Entry) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let entry = Entry::load(file).map_err(refuse)?;
    let read = read(entry).with_context(|| file.shown().to_string());
    read.map_err(refuse)
}

async fn rule(registry: &RegistryClient, args: &RuleArgs) -> anyhow::Result<Act> {
    let kind = args.kind;
    let now = registry.ask(MOTIONS, Motions::ruleOfCall { kind }).await?;
    let quorum = (now.quorumNumerator, now.quorumDenominator);
    let threshold = (now.thresholdNumerator, now.thresholdDenominator);
    let (quorum, threshold) = (
        args.quorum.unwrap_or(quorum),
        args.threshold.unwrap_or(threshold),
    );
    let rule = Rule {
        quorumNumerator: quorum.0,
        quorumDenominator: quorum.1,
        thresholdNumerator: threshold.0,
        thresholdDenominator: threshold.1,
        votingPeriod: args.voting_period.unwrap_or(now.votingPeriod),
        delay: args.delay.unwrap_or(now.delay),
        window: args.window.unwrap_or(now.window),
    };
    Ok(Act::SetRule(Motions::setRuleCall { kind, rule }))
}

async fn quota(registry: &RegistryClient, args: &QuotaArgs) -> anyhow::Result<Act> {
    let organisation = match args.organisation.as_str() {
        "0" => 0,
        text => registry.find_organisation(text)?,
    };
    let call = Permissions::quotaOfCall { organisation };
    let now = registry.ask(PERMISSIONS, call).await?;
    Ok(Act::SetQuota(Permissions::setQuotaCall {
        organisation,
        gas: args.gas.unwrap_or(now.gas),
        leaves: args.leaves.unwrap_or(now.leaves),
    }))
}

async fn set_chain(registry: &RegistryClient, args: &ChainArgs) -> anyhow::Result<Act> {
    let text = &args.chain;
    let count = registry.ask(CHAINS, Chains::chainCountCall {}).await?;
    let call = |from, count| Chains::chainsCall { from, count };
    let chains: Vec<Chain> = registry.pages(CHAINS, (1, count.into()), call).await?;
    // An id may be registered again when its record is retired: later ones come first.
    let mut latest = (1u32..).zip(chains).collect::<Vec<_>>().into_iter().rev();
    let found = latest.find(|(number, it)| it.caip2 == *text || number.to_string() == *text);
    let Some((chain, now)) = found else {
        return Err(refused(registry.lang.pick(
            format!("no chain `{text}`; `tbsi org chains` shows them"),
            format!("找不到鏈「{text}」；`tbsi org chains` 可列出"),
        )));
    };
    let operator = args.operator.as_deref();
    let operator = operator.map(|text| registry.find_organisation(text));
    Ok(Act::SetChain(Chains::setChainCall {
        chain,
        operator: operator.transpose()?.unwrap_or(now.operator),
        status: args.status.unwrap_or(now.status),
    }))
}

/// Bits of a digest: of a known algorithm, or as given.
fn bits_of(algorithm: u32, bits: Option<u16>) -> anyhow::Result<u16> {
    let known = by_code(algorithm).map(|it| it.bits);
    match bits.or(known) {
        Some(bits) => Ok(bits),
        None => Err(refused(format!(
            "algorithm {algorithm:#x} is not known to this program: give its --bits"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_unknown_algorithms_must_be_given() {
        assert_eq!(bits_of(0x12, None).unwrap(), 256);
        assert!(bits_of(0xffff, None).is_err());
        assert_eq!(bits_of(0xffff, Some(384)).unwrap(), 384);
    }
}
