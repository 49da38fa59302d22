//! The genesis file: chain id, first validator set, parameters, named nodes (SPEC §2).
//!
//! A JSON document. Its hash, over the canonical form of RFC 8785, is bound into every
//! signature, so one changed character makes another network.

mod checks;
mod governance;
mod organisation;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::identity::ChainIdentity;
use crate::json::{canonical_json, from_json};
use crate::keys::{KeyError, PublicKey};
use crate::limits::GENESIS_BYTES_MAX;
use crate::log::note_key::NoteKeyError;
use crate::number::{TimestampMs, VotingPower};
use crate::sha256;
use crate::validator::{Validator, ValidatorSet, ValidatorSetError, operator_id};

pub use governance::{GovernanceEntry, QuotaEntry};
pub use organisation::{OrganisationEntry, OrganisationKind, Permission};

const TAG: &[u8] = b"TBSI-GENESIS-1";
/// How late a new block's time may be where the file does not say, in milliseconds; never less
/// than the time that a proposal has to arrive.
pub const CLOCK_LAG_MAX_MS: u64 = 5_000;
/// Length of a period of the map where the file does not say (SPEC §9.11), in milliseconds.
pub const MAP_PERIOD_MS: u64 = 60_000;

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

#[cfg(test)]
mod tests;
