//! A proof with what the registry says beside it: whose account the issuer's was, and under which
//! legal name (SPEC §10.11).

mod binary;
mod json;

use alloy_primitives::Bytes;

use super::{MapBundle, ProofBundle};
use crate::registry::LegalRecord;

/// Names kind and version of the file.
pub const REGISTRY_FORMAT: &str = "tbsi-registry-proof-1";

/// Nodes of the state's tries in one proof: five paths of at most 65, that share their tops. No
/// state of today needs more than 50.
pub const REGISTRY_NODES_MAX: usize = 256;

/// Bytes of one node: a branch with 16 hashes takes 532.
pub const REGISTRY_NODE_BYTES_MAX: usize = 1024;

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

/// A proof of a leaf, and who its issuer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryBundle {
    /// Of the leaf.
    pub proof: LeafProof,
    /// Of its issuer, under the state root of the same checkpoint.
    pub part: RegistryPart,
}

/// What leads from a state root to an account's organisation and its legal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryPart {
    /// Which of the account's memberships it is; 0 is the first.
    pub membership: u32,
    /// Which of the organisation's records.
    pub record: u32,
    /// What that says.
    pub legal: LegalRecord,
    /// Nodes of the state's tries, each once, in the order in which a verifier first needs them.
    pub nodes: Vec<Bytes>,
}
