//! Organisations, accounts, nodes, motions and chains: what the genesis file says, and what the
//! acts of governance changed since, as far as their texts are known.

mod apply;
mod authorisations;
mod words;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use tbsi_types::genesis::{OrganisationEntry, Permission};
use tbsi_types::{Genesis, PublicKey};

use crate::said::Said;
use crate::source::Act;

pub(crate) use authorisations::{AuthorisationRecord, AuthorisationStep, UseRecord};

/// When something took effect: height, block time and position of its leaf; genesis has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
    pub(crate) position: Option<u64>,
}

/// Something that happened to an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) what: &'static str,
    pub(crate) since: Since,
    pub(crate) reason: Option<u16>,
    pub(crate) evidence: Option<B256>,
    /// Names from then on, if they changed.
    pub(crate) names: Option<(String, String)>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrganisationRecord {
    pub(crate) name_zh_tw: String,
    pub(crate) name_en: String,
    /// Whether genesis names it.
    pub(crate) founder: bool,
    pub(crate) kind: Option<u8>,
    pub(crate) votes: Option<bool>,
    pub(crate) status: &'static str,
    /// Identifiers; `None` if no text that is known says them, empty if it has none.
    pub(crate) tax_id: Option<String>,
    pub(crate) lei: Option<String>,
    pub(crate) jurisdiction: Option<String>,
    pub(crate) contact_url: Option<String>,
    pub(crate) agreement_hash: Option<B256>,
    pub(crate) credential_hash: Option<B256>,
    pub(crate) turns: Vec<Turn>,
}

/// An account and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountRecord {
    pub(crate) organisation: u32,
    pub(crate) permissions: u32,
    pub(crate) since: Since,
}

/// A key of a node and since when it is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) kind: &'static str,
    pub(crate) key: String,
    pub(crate) since: Since,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRecord {
    pub(crate) organisation: u32,
    pub(crate) name: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) validator: Option<Address>,
    pub(crate) validates: bool,
    pub(crate) power: Option<u64>,
    pub(crate) log_key: Option<B256>,
    pub(crate) keys: Vec<KeyRecord>,
}

/// A ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BallotRecord {
    pub(crate) organisation: u32,
    pub(crate) account: Address,
    pub(crate) choice: u8,
    pub(crate) since: Since,
}

/// A motion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MotionRecord {
    pub(crate) kind: u8,
    pub(crate) organisation: u32,
    pub(crate) subject: u32,
    /// Last second for ballots.
    pub(crate) deadline_s: u64,
    pub(crate) arguments: Bytes,
    pub(crate) proposed: Since,
    pub(crate) ballots: Vec<BallotRecord>,
    /// Seconds between which it can be executed, once it has passed.
    pub(crate) window_s: Option<(u64, u64)>,
    /// How it ended, other than by time.
    pub(crate) closed: Option<(&'static str, Since)>,
}

/// Another chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChainRecord {
    pub(crate) caip2: String,
    pub(crate) technology: String,
    pub(crate) operator: u32,
    pub(crate) status: u8,
    pub(crate) contact_url: Option<String>,
    pub(crate) since: Since,
}

/// All of it, after a number of leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Registry {
    pub(crate) organisations: BTreeMap<u32, OrganisationRecord>,
    pub(crate) accounts: BTreeMap<Address, AccountRecord>,
    pub(crate) nodes: BTreeMap<u32, NodeRecord>,
    pub(crate) motions: BTreeMap<u32, MotionRecord>,
    pub(crate) chains: BTreeMap<u32, ChainRecord>,
    pub(crate) authorisations: BTreeMap<u32, AuthorisationRecord>,
    /// Leaves that an organisation may make in a period; those without a limit are not here.
    pub(crate) leaf_quotas: BTreeMap<u32, u64>,
    /// Seconds of a period; 0 on a chain that does not govern itself.
    pub(crate) period_s: u32,
    /// Leaves that are acts of governance.
    pub(crate) acts_total: u64,
    /// Of these, whose text is known.
    pub(crate) acts_read: u64,
    /// From which position on an account is whose; 0 is nobody's.
    memberships: BTreeMap<Address, Vec<(u64, u32)>>,
    /// The organisation that joined last, by height and transaction: a motion says more of it.
    joined: Option<(u64, u32, u32)>,
}

/// Choices of ballots, by code.
pub(crate) const CHOICES: [&str; 4] = ["yes", "no", "abstain", "conflict"];

/// Kinds of organisations, by code.
pub(crate) const KINDS: [&str; 6] = [
    "association",
    "operator",
    "issuer",
    "relayer",
    "auditor",
    "authority",
];

/// The word with a code, which counts from 1.
pub(crate) fn word<'a>(words: &[&'a str], code: u8) -> Option<&'a str> {
    words.get(usize::from(code).checked_sub(1)?).copied()
}

impl Registry {
    /// As the genesis file founds it. Organisations have the numbers that the contracts give
    /// them, in the order of their short ids (SPEC §13.1).
    pub(crate) fn founded(genesis: &Genesis) -> Self {
        let since = Since {
            height: 0,
            time_ms: genesis.time_ms.0,
            position: None,
        };
        let mut registry = Self::default();
        let rules = genesis.governance.as_ref();
        registry.period_s = rules.map_or(0, |it| it.period_seconds);
        let quota = rules.and_then(|it| it.organisation_quota.leaves);
        let mut numbers = BTreeMap::new();
        for (number, (id, entry)) in (1u32..).zip(&genesis.organisations) {
            numbers.insert(id.as_str(), number);
            let record = founder(entry, since);
            registry.organisations.insert(number, record);
            if let Some(leaves) = quota {
                registry.leaf_quotas.insert(number, leaves);
            }
            for (account, permissions) in &entry.accounts {
                let bits = permissions.iter().fold(0, |bits, it| bits | it.bit());
                let record = AccountRecord {
                    organisation: number,
                    permissions: bits,
                    since,
                };
                registry.accounts.insert(*account, record);
                registry.memberships.insert(*account, vec![(0, number)]);
            }
        }
        for (number, node) in (1u32..).zip(&genesis.nodes) {
            let organisation = numbers.get(node.organisation.as_str()).copied();
            let key = |kind, key| KeyRecord { kind, key, since };
            let mut keys = vec![key("peer", node.peer_id.clone())];
            let entry = node.validator.as_ref();
            let validator = entry
                .and_then(|it| PublicKey::parse(&it.public_key).ok())
                .map(|it| it.address());
            keys.extend(validator.map(|it| key("validator", format!("{it:#x}"))));
            let log_key = entry.and_then(|it| it.log_key.as_ref());
            let log_key = log_key.and_then(|it| B256::try_from(it.as_ref()).ok());
            keys.extend(log_key.map(|it| key("log", it.to_string())));
            let record = NodeRecord {
                organisation: organisation.unwrap_or_default(),
                name: node.name.clone(),
                endpoint: node.endpoint.clone(),
                version: None,
                status: "inUse",
                validator,
                validates: entry.is_some(),
                power: entry.map(|it| it.power),
                log_key,
                keys,
            };
            registry.nodes.insert(number, record);
        }
        registry
    }

    /// Adds what an act says. One whose text is not known is counted only.
    pub(crate) fn apply(&mut self, act: &Act) {
        self.acts_read += 1;
        apply::apply(self, act);
    }

    /// Whose account it is now.
    pub(crate) fn organisation_of(&self, account: &Address) -> Option<u32> {
        let record = self.accounts.get(account)?;
        (record.permissions != 0).then_some(record.organisation)
    }

    /// Whose account it was when a leaf was made.
    pub(crate) fn organisation_at(&self, account: &Address, position: u64) -> Option<u32> {
        let turns = self.memberships.get(account)?;
        let by_then = turns.iter().rev().find(|(from, _)| *from <= position);
        by_then.map(|(_, number)| *number).filter(|it| *it != 0)
    }

    pub(crate) fn organisation(&self, number: u32) -> Option<&OrganisationRecord> {
        self.organisations.get(&number)
    }

    /// The node that has a validator's key.
    pub(crate) fn node_of(&self, validator: Address) -> Option<&NodeRecord> {
        let mut nodes = self.nodes.values();
        nodes.find(|node| node.validator == Some(validator))
    }

    /// The key with which a validator cosigns the log.
    pub(crate) fn log_key_of(&self, validator: Address) -> Option<B256> {
        self.node_of(validator)?.log_key
    }

    /// The record of the chain with this hash of its CAIP-2 id.
    pub(crate) fn chain_of(&self, destination: B256) -> Option<(u32, &ChainRecord)> {
        let of = |record: &ChainRecord| keccak256(record.caip2.as_bytes()) == destination;
        let mut chains = self.chains.iter().rev();
        let found = chains.find(|(_, record)| of(record));
        found.map(|(number, record)| (*number, record))
    }

    /// What a motion asks for, for people.
    pub(crate) fn effect(&self, motion: &MotionRecord) -> Said {
        words::effect(self, motion)
    }

    /// What an act says, for people, and the name of its event.
    pub(crate) fn words(&self, act: &Act) -> (String, Said) {
        words::act(self, act)
    }

    /// An organisation for people: its legal names, or its number.
    fn called(&self, number: u32) -> Said {
        let unnamed = || {
            crate::said::said(
                format!("organisation {number}"),
                format!("第 {number} 號機構"),
            )
        };
        self.organisation(number).map_or_else(unnamed, |record| {
            let zh_tw = match record.name_zh_tw.as_str() {
                "" => record.name_en.clone(),
                name => name.into(),
            };
            crate::said::said(record.name_en.clone(), zh_tw)
        })
    }
}

fn founder(entry: &OrganisationEntry, since: Since) -> OrganisationRecord {
    let text = |text: &Option<String>| Some(text.clone().unwrap_or_default());
    OrganisationRecord {
        name_zh_tw: entry.name_zh_tw.clone(),
        name_en: entry.name_en.clone(),
        founder: true,
        kind: entry.kind.map(|kind| kind.code()),
        votes: entry.votes,
        status: "active",
        tax_id: text(&entry.tax_id),
        lei: text(&entry.lei),
        jurisdiction: entry.jurisdiction.clone(),
        contact_url: text(&entry.contact_url),
        agreement_hash: entry.agreement_hash,
        credential_hash: entry.credential_hash,
        turns: vec![Turn {
            what: "joined",
            since,
            reason: None,
            evidence: None,
            names: Some((entry.name_zh_tw.clone(), entry.name_en.clone())),
        }],
    }
}

/// Names of permissions, by bit.
pub(crate) fn permission_words(bits: u32) -> Vec<&'static str> {
    let word = |permission: Permission| match permission {
        Permission::Send => "send",
        Permission::Deploy => "deploy",
        Permission::Attest => "attest",
        Permission::Relay => "relay",
        Permission::Administer => "administer",
        Permission::Vote => "vote",
    };
    let granted = Permission::ALL
        .into_iter()
        .filter(|it| bits & it.bit() != 0);
    granted.map(word).collect()
}

impl MotionRecord {
    /// Its state at a block time. What nobody carried out in time is told by the clock of the
    /// log alone.
    pub(crate) fn status(&self, time_ms: u64) -> &'static str {
        let now_s = time_ms / 1000;
        match (self.closed, self.window_s) {
            (Some((how, _)), _) => how,
            (None, Some((from, _))) if now_s < from => "passed",
            (None, Some((_, until))) if now_s <= until => "executable",
            (None, Some(_)) => "expired",
            (None, None) if now_s <= self.deadline_s => "open",
            (None, None) => "rejected",
        }
    }

    pub(crate) fn count(&self, choice: u8) -> usize {
        let same = |ballot: &&BallotRecord| ballot.choice == choice;
        self.ballots.iter().filter(same).count()
    }
}
