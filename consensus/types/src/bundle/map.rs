//! A proof bundle with what the map says beside it (SPEC §10.7).

mod binary;
pub(super) mod json;

use crate::log::InclusionProof;
use crate::map::{MapAnswer, MapQuestion};
use crate::number::LeafIndex;

use super::ProofBundle;

/// Questions of one proof: a status, and the schema that it is under.
pub const MAP_ENTRIES_MAX: usize = 3;

/// Names kind and version of the file.
pub const MAP_FORMAT: &str = "tbsi-map-proof-1";

/// A proof of what the map holds, or does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapBundle {
    /// Of the map's root, or of an attestation.
    pub proof: ProofBundle,
    /// Where the map's root is, if `proof` is of an attestation: under the same checkpoint.
    pub root: Option<StapledRoot>,
    /// Algorithms that count for nothing, ascending.
    pub revoked_algorithms: Vec<u32>,
    /// Questions and answers.
    pub entries: Vec<MapEntry>,
}

/// A leaf with the map's root, beside the one that a bundle is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StapledRoot {
    /// Canonical bytes of the leaf.
    pub leaf: Vec<u8>,
    /// Its position.
    pub leaf_index: LeafIndex,
    /// From the leaf to the log root of the bundle's checkpoint.
    pub inclusion: InclusionProof,
}

/// A question, and what the map says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// What was asked.
    pub question: MapQuestion,
    /// The answer, which leads to the map's root.
    pub answer: MapAnswer,
}
