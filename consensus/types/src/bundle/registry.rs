//! A proof with what the registry says beside it: whose account the issuer's was, who answers for
//! the validators, and under which legal names (SPEC §10.11).

mod binary;
mod json;

use alloy_primitives::Bytes;

use super::{MapBundle, ProofBundle};
use crate::limits::VALIDATORS_MAX;
use crate::registry::LegalRecord;

/// Names kind and version of the file.
pub const REGISTRY_FORMAT: &str = "tbsi-registry-proof-1";

/// Nodes of the state's tries in one proof. Of 128 validators of as many organisations, 515 words
/// are read, whose paths share their tops; no state of today needs more than six nodes for each.
pub const REGISTRY_NODES_MAX: usize = 4096;

/// Bytes of one node: a branch with 16 hashes takes 532.
pub const REGISTRY_NODE_BYTES_MAX: usize = 1024;

/// Records of organisations in one proof: one for each validator, and the issuer's.
pub const REGISTRY_RECORDS_MAX: usize = VALIDATORS_MAX + 1;

/// A proof of a leaf, with a map part or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafProof {
    /// Without.
    Bundle(ProofBundle),
    /// With.
    Map(MapBundle),
}

impl LeafProof {
    /// The bundle in it.
    pub fn bundle(&self) -> &ProofBundle {
        match self {
            Self::Bundle(bundle) => bundle,
            Self::Map(map) => &map.proof,
        }
    }
}

/// A proof of a leaf, and who its issuer and the validators were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryBundle {
    /// Of the leaf.
    pub proof: LeafProof,
    /// Under the state root of the same checkpoint.
    pub part: RegistryPart,
}

/// What leads from a state root to the organisations of an account and of validators, and to
/// their legal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPart {
    /// The issuer's membership; `None` if it is not proven whose account it was.
    pub issuer: Option<IssuerPlace>,
    /// The records that are needed, by organisation and position, each once.
    pub records: Vec<PlacedRecord>,
    /// Of each validator of the bundle's set, in address order: which of the records is of who
    /// answers for it; `None` if that is not proven.
    pub validators: Vec<Option<u32>>,
    /// Nodes of the state's tries, each once, in the order in which a verifier first needs them.
    pub nodes: Vec<Bytes>,
}

/// Where the registry says whose account the issuer's was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuerPlace {
    /// Which of the account's memberships it is; 0 is the first.
    pub membership: u32,
    /// Which of the part's records.
    pub record: u32,
}

/// An organisation's record and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRecord {
    /// Number of the organisation.
    pub organisation: u32,
    /// Which of its records; 0 is the first.
    pub position: u32,
    /// What that says.
    pub legal: LegalRecord,
}
