//! The founding ceremony (SPEC §2.4): organisations make their keys each on a machine of their
//! own, exchange signed founder files, and build the same genesis file. No secret leaves its
//! home.
//!
//! A [`Draft`] holds what all agreed on and the founder files so far. [`Draft::genesis`] is a
//! pure function of it, so that everybody gets the same bytes.

mod files;
mod keys;
mod signatures;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tbsi_governance::rules::{RuleError, check_complete};
use tbsi_types::genesis::{
    ConsensusParameters, GenesisAccount, GovernanceEntry, NodeEntry, OrganisationEntry,
    ValidatorEntry,
};
use tbsi_types::json::from_json;
use tbsi_types::{Genesis, GenesisError, KeyError, TimestampMs, canonical_json, sha256};

use crate::predeploys::{self, InitCodes, PredeployError};
use crate::{HomeError, check_peer_ids};

pub use files::{FounderRequest, make_founder, sign_genesis};
pub use signatures::{FounderSignature, Signatures};
pub use tbsi_execution::system_accounts;

/// Bytes of a founder file.
pub const FOUNDER_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a draft, and of a file of signatures.
pub const DRAFT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Founder files in one draft.
pub const FOUNDERS_MAX: usize = 128;
/// Gas limit of a block, unless the founders agree on another.
pub const BLOCK_GAS_LIMIT: u64 = 300_000_000;

const VERSION: u32 = 1;
const PARAMETERS_TAG: &[u8] = b"TBSI-PARAMETERS-1";
const FOUNDER_TAG: &[u8] = b"TBSI-FOUNDER-1";

/// Why a step of the ceremony cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// A home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A file that is too large.
    #[error("{what} has {got} bytes, at most {max} are allowed")]
    TooLarge {
        /// Which file.
        what: &'static str,
        /// Its bytes.
        got: usize,
        /// Bytes, at most.
        max: usize,
    },
    /// A file of another shape.
    #[error("{what} is not valid JSON of the expected shape: {source}")]
    Json {
        /// Which file.
        what: &'static str,
        /// Where and what.
        #[source]
        source: serde_json::Error,
    },
    /// A file of another version of this program.
    #[error("{what} has version {got}, this program knows version {VERSION}")]
    Version {
        /// Which file.
        what: &'static str,
        /// What it has.
        got: u32,
    },
    /// Made for other parameters.
    #[error(
        "founder file of `{id}` is for a network with other parameters (name, chain id, time, \
         gas limit, pacing, governance or predeploys): its founder has to make a new one with this draft"
    )]
    Parameters {
        /// The founder.
        id: String,
    },
    /// A proof of possession that is missing, superfluous or wrong.
    #[error("founder file of `{id}`, proof by {key}: {problem}")]
    Proof {
        /// The founder.
        id: String,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// One key in two places.
    #[error("{key} is used twice, by `{first}` and by `{second}`: every key has one use")]
    KeyTwice {
        /// The key.
        key: String,
        /// Who has it.
        first: String,
        /// Who has it too.
        second: String,
    },
    /// Two different files of one founder.
    #[error(
        "the draft has another founder file of `{id}`; to take the new one instead, remove the \
         old one first"
    )]
    Changed {
        /// The founder.
        id: String,
    },
    /// Nobody, or too many.
    #[error("the draft has {0} founder files, 1 to {FOUNDERS_MAX} are possible")]
    Founders(usize),
    /// The genesis file.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The organisations.
    #[error(transparent)]
    Founding(Box<RuleError>),
    /// The governance contracts refuse it.
    #[error(transparent)]
    State(#[from] tbsi_execution::GenesisStateError),
    /// A contract of others.
    #[error(transparent)]
    Predeploy(#[from] PredeployError),
    /// A key.
    #[error("{what}")]
    Key {
        /// Whose.
        what: String,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// A signature that is missing, or by somebody else.
    #[error("signatures of the founders: {0}")]
    Signature(String),
}

impl From<RuleError> for CeremonyError {
    fn from(error: RuleError) -> Self {
        Self::Founding(Box::new(error))
    }
}

/// What the founders agree on before any of them makes a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkParameters {
    /// Network name, for people.
    pub name: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Time of block 0.
    pub time_ms: TimestampMs,
    /// Gas limit of every block.
    pub block_gas_limit: u64,
    /// Timeouts and pacing.
    pub consensus: ConsensusParameters,
    /// With what rules the network governs itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<GovernanceEntry>,
    /// Init codes of contracts of others, by their addresses (SPEC §2.5).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub predeploys: InitCodes,
}

impl NetworkParameters {
    /// What binds founder files to them.
    pub fn hash(&self) -> B256 {
        sha256(&[PARAMETERS_TAG, canonical_json(self).as_bytes()])
    }
}

/// What one organisation hands to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FounderFile {
    /// Format of this file; 1.
    pub version: u32,
    /// [`NetworkParameters::hash`] of the draft that it is for.
    pub parameters_hash: B256,
    /// The organisation's short id.
    pub id: String,
    /// The organisation.
    pub organisation: OrganisationEntry,
    /// Its nodes.
    pub nodes: Vec<FounderNode>,
    /// By each key that is named above, its signature over [`FounderFile::digest`].
    #[serde(default)]
    pub proofs: BTreeMap<String, Bytes>,
}

/// A node of a founder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FounderNode {
    /// Unique name.
    pub name: String,
    /// libp2p peer id.
    pub peer_id: String,
    /// Where other nodes reach it: a multiaddr.
    pub endpoint: String,
    /// Present if the node validates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<ValidatorEntry>,
}

impl FounderFile {
    /// Parses a file. [`Draft::add`] verifies it.
    pub fn parse(bytes: &[u8]) -> Result<Self, CeremonyError> {
        const WHAT: &str = "founder file";
        let file: Self = parse(WHAT, bytes, FOUNDER_BYTES_MAX)?;
        check_version(WHAT, file.version)?;
        Ok(file)
    }

    /// What every key of the founder signs.
    pub fn digest(&self) -> B256 {
        let mut unsigned = serde_json::to_value(self).expect("a founder file is plain data");
        if let Some(fields) = unsigned.as_object_mut() {
            fields.remove("proofs");
        }
        sha256(&[FOUNDER_TAG, canonical_json(&unsigned).as_bytes()])
    }

    /// Verifies that it is for these parameters, and the proofs of possession.
    pub fn verify(&self, parameters: &NetworkParameters) -> Result<(), CeremonyError> {
        if self.parameters_hash != parameters.hash() {
            return Err(CeremonyError::Parameters {
                id: self.id.clone(),
            });
        }
        keys::verify_proofs(self)
    }

    /// As a file.
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

/// What all agreed on, and the founder files so far, by the founders' ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Format of this file; 1.
    pub version: u32,
    /// What all agreed on.
    pub parameters: NetworkParameters,
    /// Founder files in the order of their ids.
    pub founders: Vec<FounderFile>,
}

impl Draft {
    /// A draft without founders. Its predeploys are known ones.
    pub fn new(parameters: NetworkParameters) -> Result<Self, CeremonyError> {
        predeploys::check(&parameters.predeploys)?;
        Ok(Self {
            version: VERSION,
            parameters,
            founders: Vec::new(),
        })
    }

    /// Parses a draft and verifies every founder file in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, CeremonyError> {
        const WHAT: &str = "draft";
        let draft: Self = parse(WHAT, bytes, DRAFT_BYTES_MAX)?;
        check_version(WHAT, draft.version)?;
        let mut verified = Self::new(draft.parameters)?;
        for founder in draft.founders {
            verified.add(founder)?;
        }
        Ok(verified)
    }

    /// Verifies a founder file and takes it. `false` if it is there already.
    pub fn add(&mut self, founder: FounderFile) -> Result<bool, CeremonyError> {
        check_version("founder file", founder.version)?;
        founder.verify(&self.parameters)?;
        let at = self
            .founders
            .binary_search_by(|known| known.id.cmp(&founder.id));
        match at {
            Ok(at) if self.founders[at] == founder => return Ok(false),
            Ok(_) => return Err(CeremonyError::Changed { id: founder.id }),
            Err(at) => self.founders.insert(at, founder),
        }
        if self.founders.len() > FOUNDERS_MAX {
            return Err(CeremonyError::Founders(self.founders.len()));
        }
        keys::check_uses(&self.founders)?;
        Ok(true)
    }

    /// The genesis file that this draft founds, with these accounts and those of its
    /// predeploys. Everybody's is the same.
    pub fn genesis(
        &self,
        mut accounts: BTreeMap<Address, GenesisAccount>,
        development: bool,
    ) -> Result<Genesis, CeremonyError> {
        if self.founders.is_empty() {
            return Err(CeremonyError::Founders(0));
        }
        let organisations = self.founders.iter();
        let organisations =
            organisations.map(|founder| (founder.id.clone(), founder.organisation.clone()));
        let parameters = self.parameters.clone();
        let chain_id = parameters.chain_id;
        accounts.extend(predeploys::accounts(chain_id, &parameters.predeploys)?);
        let genesis = Genesis {
            version: 1,
            name: parameters.name,
            chain_id,
            time_ms: parameters.time_ms,
            block_gas_limit: parameters.block_gas_limit,
            consensus: parameters.consensus,
            organisations: organisations.collect(),
            nodes: self.nodes(),
            governance: parameters.governance,
            accounts,
        };
        genesis.check()?;
        check_peer_ids(&genesis)?;
        check_complete(&genesis, development)?;
        // What the contracts refuse could not be mended once it is signed.
        tbsi_execution::genesis_diff(&genesis)?;
        Ok(genesis)
    }

    /// By name, whoever's they are.
    fn nodes(&self) -> Vec<NodeEntry> {
        let mut nodes = Vec::new();
        for founder in &self.founders {
            for node in &founder.nodes {
                nodes.push(NodeEntry {
                    name: node.name.clone(),
                    organisation: founder.id.clone(),
                    peer_id: node.peer_id.clone(),
                    endpoint: Some(node.endpoint.clone()),
                    validator: node.validator.clone(),
                });
            }
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// As a file.
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain data") + "\n"
}

fn parse<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    max: usize,
) -> Result<T, CeremonyError> {
    if bytes.len() > max {
        let got = bytes.len();
        return Err(CeremonyError::TooLarge { what, got, max });
    }
    from_json(bytes).map_err(|source| CeremonyError::Json { what, source })
}

fn check_version(what: &'static str, got: u32) -> Result<(), CeremonyError> {
    if got == VERSION {
        return Ok(());
    }
    Err(CeremonyError::Version { what, got })
}

#[cfg(test)]
mod tests;
