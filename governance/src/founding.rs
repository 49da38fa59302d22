//! How the governance contracts begin: the calls that the protocol makes on them in block 0, in
//! this order (SPEC §13.1).

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes};
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::{
    Details, Motions, Nodes, Organisations, Permissions, Registration, Rule,
};
use tbsi_types::genesis::{
    GovernanceEntry, NodeEntry, OrganisationEntry, OrganisationKind, Permission, QuotaEntry,
};
use tbsi_types::roster::peer_key_of;
use tbsi_types::{B256, Genesis, KeyError, PublicKey};

use crate::abi::{MOTIONS, NODES, ORGANISATIONS, PERMISSIONS};
use crate::standing::UNLIMITED;

/// Kinds of motions, in their order: whether a mistake would hurt, so that more must agree and
/// some time passes before it takes effect.
pub const MOTION_KINDS: [(&str, Weight); 19] = [
    ("AddOrganisation", Weight::Heavy),
    ("SuspendOrganisation", Weight::Ordinary),
    ("RemoveOrganisation", Weight::Heavy),
    ("ReinstateOrganisation", Weight::Ordinary),
    ("AmendOrganisation", Weight::Ordinary),
    ("AddValidator", Weight::Heavy),
    ("RemoveValidator", Weight::Heavy),
    ("ReinstateValidator", Weight::Heavy),
    ("SetRule", Weight::Heavy),
    ("SetQuota", Weight::Ordinary),
    ("SetOrganisationPermissions", Weight::Heavy),
    ("SetPublicPermissions", Weight::Heavy),
    ("SetPeriod", Weight::Ordinary),
    ("SetAccount", Weight::Heavy),
    ("SetAlgorithm", Weight::Heavy),
    ("SetChain", Weight::Ordinary),
    ("ScheduleUpgrade", Weight::Heavy),
    ("Resolve", Weight::Ordinary),
    ("CancelUpgrade", Weight::Ordinary),
];

/// How much has to agree to a motion, and how fast it takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// More than half of all, at once.
    Ordinary,
    /// More than two thirds of all, three quarters taking part, after a delay.
    Heavy,
}

/// One call of the protocol in block 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundingCall {
    /// What it does, for messages.
    pub what: String,
    /// The contract.
    pub to: Address,
    /// Call data.
    pub input: Bytes,
}

/// Why a genesis file cannot found a chain that governs itself.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// A validator's key.
    #[error("genesis field `nodes[{node}].validator.public_key`")]
    Key {
        /// The node's name.
        node: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// A field with a value that the contracts cannot take.
    #[error("genesis field `{field}`: {problem}")]
    Field {
        /// Path of the field.
        field: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// The calls that found the chain of this genesis file; none for one without `governance`.
pub fn calls(genesis: &Genesis) -> Result<Vec<FoundingCall>, FoundingError> {
    let Some(governance) = &genesis.governance else {
        return Ok(Vec::new());
    };
    let mut calls = vec![
        call("the parameters", PERMISSIONS, &parameters(governance)),
        call("the rules of motions", MOTIONS, &rules(governance)),
        call("the length of an epoch", NODES, &epoch(governance)),
    ];
    for (number, (id, entry)) in (1..).zip(&genesis.organisations) {
        let what = |part: &str| format!("organisation `{id}`: {part}");
        let details = Organisations::foundOrganisationCall {
            details: details(entry),
        };
        calls.push(call(what("its facts"), ORGANISATIONS, &details));
        let quota = quota(&governance.organisation_quota);
        let permissions = Permissions::foundOrganisationCall {
            organisation: number,
            permissions: bits(&Permission::ALL.into()),
            gas: quota.0,
            leaves: quota.1,
        };
        calls.push(call(what("permissions"), PERMISSIONS, &permissions));
        for (account, granted) in &entry.accounts {
            let granted = Permissions::foundAccountCall {
                organisation: number,
                account: *account,
                permissions: bits(granted),
            };
            let what = what(&format!("account {account}"));
            calls.push(call(what, PERMISSIONS, &granted));
        }
    }
    for node in &genesis.nodes {
        let mut organisations = genesis.organisations.keys().zip(1..);
        let found = organisations.find(|(id, _)| **id == node.organisation);
        let registered = Nodes::foundNodeCall {
            organisation: found.map_or(0, |(_, number)| number),
            registration: registration(node)?,
            power: node.validator.as_ref().map_or(0, |entry| entry.power),
        };
        calls.push(call(format!("node `{}`", node.name), NODES, &registered));
    }
    Ok(calls)
}

fn call(what: impl Into<String>, to: Address, input: &impl SolCall) -> FoundingCall {
    FoundingCall {
        what: what.into(),
        to,
        input: input.abi_encode().into(),
    }
}

fn bits(permissions: &BTreeSet<Permission>) -> u32 {
    permissions.iter().fold(0, |bits, it| bits | it.bit())
}

fn quota(quota: &QuotaEntry) -> (u64, u64) {
    let amount = |amount: Option<u64>| amount.unwrap_or(UNLIMITED);
    (amount(quota.gas), amount(quota.leaves))
}

fn parameters(governance: &GovernanceEntry) -> Permissions::foundParametersCall {
    let (gas, leaves) = quota(&governance.public_quota);
    Permissions::foundParametersCall {
        publicPermissions: bits(&governance.public_permissions),
        publicGas: gas,
        publicLeaves: leaves,
        periodLength: governance.period_seconds,
    }
}

fn epoch(governance: &GovernanceEntry) -> Nodes::foundEpochCall {
    Nodes::foundEpochCall {
        length: governance.epoch_seconds,
    }
}

fn rules(governance: &GovernanceEntry) -> Motions::foundRulesCall {
    let rule = |(_, weight): &(&str, Weight)| {
        let (quorum, threshold, delay) = match weight {
            Weight::Ordinary => ((1, 2), (1, 2), 0),
            Weight::Heavy => ((3, 4), (2, 3), governance.delay_seconds),
        };
        Rule {
            quorumNumerator: quorum.0,
            quorumDenominator: quorum.1,
            thresholdNumerator: threshold.0,
            thresholdDenominator: threshold.1,
            votingPeriod: governance.voting_period_seconds,
            delay,
            window: governance.window_seconds,
        }
    };
    Motions::foundRulesCall {
        rules: MOTION_KINDS.iter().map(rule).collect(),
    }
}

fn details(entry: &OrganisationEntry) -> Details {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Details {
        nameZhTw: entry.name_zh_tw.clone(),
        nameEn: entry.name_en.clone(),
        kind: entry.kind.unwrap_or(OrganisationKind::Association).code(),
        votes: entry.votes.unwrap_or(true),
        taxId: text(&entry.tax_id),
        lei: text(&entry.lei),
        jurisdiction: entry.jurisdiction.clone().unwrap_or_else(|| "TW".into()),
        agreementHash: entry.agreement_hash.unwrap_or_default(),
        credentialHash: entry.credential_hash.unwrap_or_default(),
        contactUrl: text(&entry.contact_url),
    }
}

fn registration(node: &NodeEntry) -> Result<Registration, FoundingError> {
    let field = |name: &str, problem| FoundingError::Field {
        field: format!("nodes[{}].{name}", node.name),
        problem,
    };
    let peer_key = peer_key_of(&node.peer_id)
        .ok_or_else(|| field("peer_id", "not the id of an Ed25519 key (12D3Koo…)"))?;
    let (mut x, mut y, mut log_key) = (B256::ZERO, B256::ZERO, B256::ZERO);
    if let Some(entry) = &node.validator {
        let key = PublicKey::parse(&entry.public_key).map_err(|source| FoundingError::Key {
            node: node.name.clone(),
            source,
        })?;
        (x, y) = key.coordinates();
        if let Some(key) = &entry.log_key {
            let problem = "not 32 bytes";
            log_key =
                B256::try_from(key.as_ref()).map_err(|_| field("validator.log_key", problem))?;
        }
    }
    Ok(Registration {
        name: node.name.clone(),
        endpoint: node.endpoint.clone().unwrap_or_default(),
        version: String::new(),
        peerKey: peer_key.into(),
        validatorX: x,
        validatorY: y,
        logKey: log_key,
    })
}
