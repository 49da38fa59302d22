//! The genesis file: chain id, first validator set, parameters, named nodes (SPEC §2).
//!
//! A JSON document. Its hash, over the canonical form of RFC 8785, is bound into every
//! signature, so one changed character makes another network.

mod governance;
mod organisation;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::identity::ChainIdentity;
use crate::json::{canonical_json, from_json};
use crate::keys::{KeyError, PublicKey};
use crate::limits::{
    EPOCH_SECONDS_MAX, GENESIS_ACCOUNTS_MAX, GENESIS_BYTES_MAX, NODES_MAX,
    ORGANISATION_NAME_BYTES_MAX,
};
use crate::log::note_key::NoteKeyError;
use crate::log::{NoteVerifier, SignatureType};
use crate::number::{TimestampMs, VotingPower};
use crate::sha256;
use crate::validator::{Validator, ValidatorSet, ValidatorSetError, operator_id};

pub use governance::{GovernanceEntry, QuotaEntry};
pub use organisation::{OrganisationEntry, OrganisationKind, Permission};

const TAG: &[u8] = b"TBSI-GENESIS-1";
/// Integers above this are not exact in JSON (RFC 8785 §3.2.2.3).
const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Above this wallets refuse a chain id (EIP-2294 and MetaMask's bound).
const CHAIN_ID_MAX: u64 = 4_503_599_627_370_476;
/// How late a new block's time may be where the file does not say, in milliseconds; never less
/// than the time that a proposal has to arrive.
pub const CLOCK_LAG_MAX_MS: u64 = 5_000;
/// Length of a period of the map where the file does not say (SPEC §9.11), in milliseconds.
pub const MAP_PERIOD_MS: u64 = 60_000;
/// The only version so far.
const VERSION: u32 = 1;

/// A network's founding document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Format of this file; 1.
    pub version: u32,
    /// Network name, for people.
    pub name: String,
    /// EIP-155 chain id; also the network id.
    pub chain_id: u64,
    /// Time of block 0.
    pub time_ms: TimestampMs,
    /// Gas limit of every block.
    pub block_gas_limit: u64,
    /// Timeouts and pacing.
    pub consensus: ConsensusParameters,
    /// Legal entities, by a short id used in this file only.
    pub organisations: BTreeMap<String, OrganisationEntry>,
    /// Every node that may connect.
    pub nodes: Vec<NodeEntry>,
    /// Present on a chain that governs itself (SPEC §13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<GovernanceEntry>,
    /// Accounts that exist from the start. None needs a balance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Address, GenesisAccount>,
}

/// Timeouts and pacing, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsensusParameters {
    /// Waiting for a proposal in round 0.
    pub timeout_propose_ms: u64,
    /// Waiting for more prevotes, and for more precommits, in round 0.
    pub timeout_vote_ms: u64,
    /// Added to each timeout every round.
    pub timeout_delta_ms: u64,
    /// An idle chain makes one empty block per this interval.
    pub empty_block_interval_ms: u64,
    /// Least time between two blocks.
    pub block_spacing_min_ms: u64,
    /// How far ahead of a validator's clock a new block's time may be.
    pub clock_drift_max_ms: u64,
    /// How far behind a validator's clock the time of a block proposed in round 0 may be when
    /// it comes; [`CLOCK_LAG_MAX_MS`] if absent. Each round adds `timeout_delta_ms` (SPEC §6.10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_lag_max_ms: Option<u64>,
    /// How often the map's root enters the log while there is something new in it;
    /// [`MAP_PERIOD_MS`] if absent (SPEC §9.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_period_ms: Option<u64>,
}

impl ConsensusParameters {
    /// Length of a period of the map.
    pub fn map_period_ms(&self) -> u64 {
        self.map_period_ms.unwrap_or(MAP_PERIOD_MS)
    }

    /// How far behind a validator's clock the time of a block proposed in round 0 may be.
    pub fn clock_lag_max_ms(&self) -> u64 {
        self.clock_lag_max_ms
            .unwrap_or(CLOCK_LAG_MAX_MS.max(self.timeout_propose_ms))
    }
}

impl Default for ConsensusParameters {
    fn default() -> Self {
        Self {
            timeout_propose_ms: 1_000,
            timeout_vote_ms: 300,
            timeout_delta_ms: 300,
            empty_block_interval_ms: 10_000,
            block_spacing_min_ms: 20,
            clock_drift_max_ms: 10_000,
            clock_lag_max_ms: None,
            map_period_ms: None,
        }
    }
}

/// A node and who operates it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Unique name, for logs and dashboards.
    pub name: String,
    /// Key of [`Genesis::organisations`].
    pub organisation: String,
    /// libp2p peer id (base58, `12D3Koo…`).
    pub peer_id: String,
    /// Where other nodes reach it: a multiaddr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Present if the node validates; absent for an observer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<ValidatorEntry>,
}

/// A validator's key and weight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorEntry {
    /// Compressed secp256k1 key, 33 bytes, 0x-hex.
    pub public_key: Bytes,
    /// Voting power, at least 1.
    pub power: u64,
    /// Ed25519 key with which its node cosigns the log (SPEC §9.6), 32 bytes, 0x-hex. Without
    /// one it does not cosign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<Bytes>,
}

/// An account of block 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAccount {
    /// Units of value.
    #[serde(default)]
    pub balance: U256,
    /// Transactions sent.
    #[serde(default)]
    pub nonce: u64,
    /// Contract code.
    #[serde(default)]
    pub code: Bytes,
    /// Non-zero slots.
    #[serde(default)]
    pub storage: BTreeMap<U256, U256>,
}

/// Why a file is not a genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Above the size limit.
    #[error("genesis file has {0} bytes, at most {GENESIS_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not JSON, an unknown key, or a missing one.
    #[error("genesis file is not valid JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    /// A field with a value that cannot be.
    #[error("genesis field `{field}`: {problem}")]
    Field {
        /// Path of the field.
        field: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A validator's key.
    #[error("genesis field `nodes[{node}].validator.public_key`")]
    Key {
        /// The node's name.
        node: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// A validator's key for the log.
    #[error("genesis field `nodes[{node}].validator.log_key`")]
    LogKey {
        /// The node's name.
        node: String,
        /// What is wrong with it.
        #[source]
        source: NoteKeyError,
    },
    /// The validators do not form a set.
    #[error("genesis field `nodes`")]
    Validators(#[from] ValidatorSetError),
}

impl Genesis {
    /// Parses and checks a genesis file.
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisError> {
        if bytes.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError::TooLarge(bytes.len()));
        }
        let genesis: Self = from_json(bytes)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks every field; [`Genesis::parse`] has done so already.
    pub fn check(&self) -> Result<(), GenesisError> {
        self.check_numbers()?;
        self.check_governance()?;
        self.check_accounts()?;
        self.check_nodes()?;
        self.validator_set()?;
        self.check_log_keys()
    }

    fn check_numbers(&self) -> Result<(), GenesisError> {
        within(
            "version",
            self.version.into(),
            VERSION.into(),
            VERSION.into(),
        )?;
        within("chain_id", self.chain_id, 1, CHAIN_ID_MAX)?;
        within("time_ms", self.time_ms.0, 1, JSON_INTEGER_MAX)?;
        within(
            "block_gas_limit",
            self.block_gas_limit,
            1 << 24,
            10_000_000_000,
        )?;
        within(
            "accounts",
            self.accounts.len() as u64,
            0,
            GENESIS_ACCOUNTS_MAX as u64,
        )?;
        within("nodes", self.nodes.len() as u64, 1, NODES_MAX as u64)?;
        self.check_consensus()
    }

    fn check_consensus(&self) -> Result<(), GenesisError> {
        let consensus = &self.consensus;
        within(
            "consensus.timeout_propose_ms",
            consensus.timeout_propose_ms,
            10,
            600_000,
        )?;
        within(
            "consensus.timeout_vote_ms",
            consensus.timeout_vote_ms,
            10,
            600_000,
        )?;
        within(
            "consensus.timeout_delta_ms",
            consensus.timeout_delta_ms,
            1,
            600_000,
        )?;
        let interval = consensus.empty_block_interval_ms;
        within(
            "consensus.empty_block_interval_ms",
            interval,
            100,
            86_400_000,
        )?;
        within(
            "consensus.block_spacing_min_ms",
            consensus.block_spacing_min_ms,
            0,
            60_000,
        )?;
        within(
            "consensus.clock_drift_max_ms",
            consensus.clock_drift_max_ms,
            100,
            600_000,
        )?;
        // A block that comes within the time to propose it must be timely.
        within(
            "consensus.clock_lag_max_ms",
            consensus.clock_lag_max_ms(),
            consensus.timeout_propose_ms,
            600_000,
        )?;
        within(
            "consensus.map_period_ms",
            consensus.map_period_ms(),
            1_000,
            86_400_000,
        )
    }

    fn check_governance(&self) -> Result<(), GenesisError> {
        let Some(governance) = &self.governance else {
            return Ok(());
        };
        let seconds = u64::from(governance.period_seconds);
        within("governance.period_seconds", seconds, 1, 31_536_000)?;
        let seconds = u64::from(governance.epoch_seconds);
        within("governance.epoch_seconds", seconds, 0, EPOCH_SECONDS_MAX)?;
        let quotas = [governance.public_quota, governance.organisation_quota];
        for amount in quotas.iter().flat_map(|quota| [quota.gas, quota.leaves]) {
            within("governance quota", amount.unwrap_or(0), 0, JSON_INTEGER_MAX)?;
        }
        Ok(())
    }

    /// Storage belongs to contracts. An account that has it without code could be overwritten
    /// by a contract created at its address, which Ethereum forbids (EIP-7610).
    fn check_accounts(&self) -> Result<(), GenesisError> {
        for (address, account) in &self.accounts {
            if account.code.is_empty() && !account.storage.is_empty() {
                let field = format!("accounts.{address}.storage");
                let problem = "only an account with code can have storage".into();
                return Err(field_error(&field, problem));
            }
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), GenesisError> {
        for (id, organisation) in &self.organisations {
            if organisation.name_en.trim().is_empty() {
                let field = format!("organisations.{id}.name_en");
                return Err(field_error(&field, "a legal name is required".into()));
            }
            let names = [
                ("name_zh_tw", &organisation.name_zh_tw),
                ("name_en", &organisation.name_en),
            ];
            for (name, value) in names {
                if value.len() > ORGANISATION_NAME_BYTES_MAX {
                    let field = format!("organisations.{id}.{name}");
                    let size = value.len();
                    let problem = format!(
                        "{size} bytes of UTF-8 are more than {ORGANISATION_NAME_BYTES_MAX}; shorten it"
                    );
                    return Err(field_error(&field, problem));
                }
            }
        }
        let (mut names, mut peers) = (BTreeSet::new(), BTreeSet::new());
        for node in &self.nodes {
            let field = |name: &str| format!("nodes[{}].{name}", node.name);
            if node.name.trim().is_empty() || !names.insert(&node.name) {
                return Err(field_error(
                    &field("name"),
                    "must be unique and not empty".into(),
                ));
            }
            if !peers.insert(&node.peer_id) {
                let problem = format!("peer id {} appears twice", node.peer_id);
                return Err(field_error(&field("peer_id"), problem));
            }
            if !self.organisations.contains_key(&node.organisation) {
                let problem = format!("`{}` is not listed in organisations", node.organisation);
                return Err(field_error(&field("organisation"), problem));
            }
            let power = node
                .validator
                .as_ref()
                .map_or(1, |validator| validator.power);
            if power == 0 || power > JSON_INTEGER_MAX {
                let problem = format!("{power} is outside 1..={JSON_INTEGER_MAX}");
                return Err(field_error(&field("validator.power"), problem));
            }
        }
        Ok(())
    }

    /// Usable keys, each of one node: what a key signs names nobody else.
    fn check_log_keys(&self) -> Result<(), GenesisError> {
        let mut keys = BTreeSet::new();
        for node in &self.nodes {
            let entry = node.validator.as_ref();
            let Some(key) = entry.and_then(|entry| entry.log_key.as_ref()) else {
                continue;
            };
            NoteVerifier::new("key", SignatureType::Cosignature, key).map_err(|source| {
                GenesisError::LogKey {
                    node: node.name.clone(),
                    source,
                }
            })?;
            if !keys.insert(key) {
                let field = format!("nodes[{}].validator.log_key", node.name);
                return Err(field_error(&field, format!("{key} appears twice")));
            }
        }
        Ok(())
    }

    /// The validator set of height 1.
    pub fn validator_set(&self) -> Result<ValidatorSet, GenesisError> {
        let mut validators = Vec::new();
        for node in &self.nodes {
            let Some(entry) = &node.validator else {
                continue;
            };
            let public_key =
                PublicKey::parse(&entry.public_key).map_err(|source| GenesisError::Key {
                    node: node.name.clone(),
                    source,
                })?;
            let operator = self.operator_of(node);
            validators.push(Validator::new(
                public_key,
                VotingPower(entry.power),
                operator,
            ));
        }
        Ok(ValidatorSet::new(validators)?)
    }

    /// Commits to the legal names of a node's operator (SPEC §3.2).
    pub fn operator_of(&self, node: &NodeEntry) -> B256 {
        self.organisations
            .get(&node.organisation)
            .map(|entry| operator_id(&entry.name_zh_tw, &entry.name_en))
            .unwrap_or_default()
    }

    /// The organisation that operates a node.
    pub fn organisation(&self, node: &NodeEntry) -> Option<&OrganisationEntry> {
        self.organisations.get(&node.organisation)
    }

    /// The node that validates with this address.
    pub fn node_of_validator(&self, validator: Address) -> Option<&NodeEntry> {
        self.nodes.iter().find(|node| {
            let key = node
                .validator
                .as_ref()
                .map(|entry| PublicKey::parse(&entry.public_key));
            matches!(key, Some(Ok(key)) if key.address() == validator)
        })
    }

    /// The node with this peer id.
    pub fn node_of_peer(&self, peer_id: &str) -> Option<&NodeEntry> {
        self.nodes.iter().find(|node| node.peer_id == peer_id)
    }

    /// SHA-256 over a tag and the RFC 8785 canonical JSON of this document.
    pub fn hash(&self) -> B256 {
        sha256(&[TAG, canonical_json(self).as_bytes()])
    }

    /// Chain id and genesis hash.
    pub fn identity(&self) -> ChainIdentity {
        ChainIdentity {
            chain_id: self.chain_id,
            genesis_hash: self.hash(),
        }
    }
}

fn within(field: &str, value: u64, min: u64, max: u64) -> Result<(), GenesisError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let problem = format!("{value} is outside {min}..={max}");
    Err(field_error(field, problem))
}

fn field_error(field: &str, problem: String) -> GenesisError {
    GenesisError::Field {
        field: field.into(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SecretKey;

    fn genesis() -> Genesis {
        let node = |index: usize| NodeEntry {
            name: format!("node-{index}"),
            organisation: "a".into(),
            peer_id: format!("12D3KooW{index}"),
            validator: Some(ValidatorEntry {
                public_key: SecretKey::from_seed(&index.to_be_bytes())
                    .public_key()
                    .encode()
                    .to_vec()
                    .into(),
                power: 1,
                log_key: None,
            }),
            endpoint: None,
        };
        let organisation = OrganisationEntry {
            name_zh_tw: "甲公會".into(),
            name_en: "Guild A".into(),
            ..OrganisationEntry::default()
        };
        Genesis {
            version: 1,
            name: "test".into(),
            chain_id: 8_862_026,
            time_ms: TimestampMs(1_700_000_000_000),
            block_gas_limit: 300_000_000,
            consensus: ConsensusParameters::default(),
            organisations: BTreeMap::from([("a".to_string(), organisation)]),
            nodes: (0..4).map(node).collect(),
            governance: None,
            accounts: BTreeMap::new(),
        }
    }

    #[test]
    fn hash_ignores_layout_and_binds_content() {
        let pretty = serde_json::to_vec_pretty(&genesis()).unwrap();
        let compact = serde_json::to_vec(&genesis()).unwrap();
        let parsed = Genesis::parse(&pretty).unwrap();
        assert_eq!(parsed.hash(), Genesis::parse(&compact).unwrap().hash());
        let mut renamed = genesis();
        renamed.organisations.get_mut("a").unwrap().name_zh_tw = "乙公會".into();
        assert_ne!(renamed.hash(), parsed.hash());
    }

    /// A file of before there were optional fields has the hash that it had.
    #[test]
    fn what_is_absent_is_not_hashed() {
        let text = serde_json::to_string(&genesis()).unwrap();
        for field in [
            "clock_lag_max_ms",
            "map_period_ms",
            "kind",
            "votes",
            "tax_id",
            "accounts",
            "endpoint",
            "log_key",
        ] {
            assert!(!text.contains(field), "{field}: {text}");
        }
        let mut with = genesis();
        with.organisations.get_mut("a").unwrap().votes = Some(false);
        assert_ne!(with.hash(), genesis().hash());
        let account =
            BTreeMap::from([(Address::ZERO, [Permission::Vote, Permission::Send].into())]);
        with.organisations.get_mut("a").unwrap().accounts = account;
        let text = serde_json::to_string(&with).unwrap();
        assert!(text.contains(r#":["send","vote"]"#), "{text}");
        assert_eq!(Genesis::parse(text.as_bytes()).unwrap(), with);
    }

    #[track_caller]
    fn refuse(change: &dyn Fn(&mut Genesis), expected: &str) {
        let mut bad = genesis();
        change(&mut bad);
        let error = bad.check().unwrap_err().to_string();
        assert!(
            error.contains(expected),
            "`{error}` does not contain `{expected}`"
        );
    }

    #[test]
    fn parameters_of_consensus_are_bounded() {
        refuse(
            &|g| g.consensus.clock_lag_max_ms = Some(999),
            "`consensus.clock_lag_max_ms`: 999 is outside 1000..=600000",
        );
        refuse(
            &|g| g.consensus.map_period_ms = Some(999),
            "`consensus.map_period_ms`: 999 is outside 1000..=86400000",
        );
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        refuse(
            &|g| g.chain_id = 0,
            "`chain_id`: 0 is outside 1..=4503599627370476",
        );
        refuse(&|g| g.version = 2, "`version`");
        refuse(&|g| g.block_gas_limit = 1, "`block_gas_limit`");
        let storage_only = GenesisAccount {
            balance: U256::from(1),
            storage: BTreeMap::from([(U256::ZERO, U256::from(1))]),
            ..GenesisAccount::default()
        };
        refuse(
            &|g| g.accounts = BTreeMap::from([(Address::ZERO, storage_only.clone())]),
            "only an account with code can have storage",
        );
        let long = |g: &mut Genesis| {
            g.organisations.get_mut("a").unwrap().name_zh_tw = "公".repeat(171);
        };
        refuse(&long, "`organisations.a.name_zh_tw`: 513 bytes");
        refuse(&|g| g.nodes[1].name = "node-0".into(), "must be unique");
        refuse(
            &|g| g.nodes[1].peer_id = "12D3KooW0".into(),
            "appears twice",
        );
        refuse(
            &|g| g.nodes[1].organisation = "z".into(),
            "`z` is not listed",
        );
        let log_key = |index: usize, key: &'static [u8]| {
            move |g: &mut Genesis| {
                let entry = g.nodes[index].validator.as_mut().unwrap();
                entry.log_key = Some(Bytes::from_static(key));
            }
        };
        let small_order = log_key(1, &[0; 32]);
        refuse(&small_order, "`nodes[node-1].validator.log_key`");
        refuse(&log_key(2, &[9; 31]), "`nodes[node-2].validator.log_key`");
        const Y_3: [u8; 32] = [
            3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0,
        ];
        let both = |g: &mut Genesis| {
            log_key(0, &Y_3)(g);
            g.check().expect("one good key");
            log_key(1, &Y_3)(g);
        };
        refuse(&both, "`nodes[node-1].validator.log_key`: 0x03");
        refuse(&|g| g.nodes.clear(), "`nodes`");
        let no_validators = |g: &mut Genesis| g.nodes.iter_mut().for_each(|n| n.validator = None);
        refuse(&no_validators, "`nodes`");
        let unknown = br#"{"version":1,"colour":"red"}"#;
        assert!(
            Genesis::parse(unknown)
                .unwrap_err()
                .to_string()
                .contains("colour")
        );
    }
}
