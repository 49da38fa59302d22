//! The proof bundle: all that a verifier needs beside a genesis file or a checkpoint that it
//! trusts (SPEC §10).
//!
//! One bundle has two forms, [`ProofBundle::encode`] and [`ProofBundle::to_json`]. Neither is
//! believed: `tbsi-light` verifies what they say.

pub mod authorisation;
mod binary;
pub mod chain;
mod decision;
mod json;
pub mod map;
mod names;
pub mod registry;
mod varint;

use alloy_primitives::B256;

use crate::certificate::{CertificateError, CommitCertificate};
use crate::checkpoint::Checkpoint;
use crate::cursor::CursorError;
use crate::log::leaf::LeafError;
use crate::log::proof::{InclusionProof, ProofShapeError};
use crate::number::LeafIndex;

pub use authorisation::{AUTHORISATION_FORMAT, ActText, AuthorisationBundle, PlacedAct};
pub use chain::{HandoverReader, HandoverRecord, HandoverStreamError, HandoverWriter};
pub use json::{FORMAT, KINDS, describe};
pub use map::{MAP_FORMAT, MapBundle, MapEntry, StapledRoot};
pub use names::{NamedValidator, NamedValidators};
pub use registry::{
    IssuerPlace, LeafProof, PlacedRecord, REGISTRY_FORMAT, RegistryBundle, RegistryPart,
};

/// Bytes of a bundle's binary form.
pub const BUNDLE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of a bundle's JSON form.
pub const BUNDLE_JSON_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Changes of the validator set that one bundle follows.
pub const HANDOVERS_MAX: usize = 256;

/// A checkpoint and the certificate that decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The facts.
    pub checkpoint: Checkpoint,
    /// Who signed them.
    pub certificate: CommitCertificate,
}

/// One validator set hands over to the next: the old set's certificate of a checkpoint that
/// names the new set, and the new set's of the checkpoint right after it. The new set is that
/// of the next handover, or of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The old set.
    pub validators: NamedValidators,
    /// Its last decision.
    pub last: Decision,
    /// The new set's first.
    pub first: Decision,
}

/// That a leaf is in the log which a quorum of named validators signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofBundle {
    /// The network.
    pub genesis_hash: B256,
    /// Canonical bytes of the leaf.
    pub leaf: Vec<u8>,
    /// Its position.
    pub leaf_index: LeafIndex,
    /// From the leaf to the checkpoint's log root.
    pub inclusion: InclusionProof,
    /// The checkpoint that covers the leaf; of the leaf's height or a later one.
    pub decision: Decision,
    /// The set that decided it.
    pub validators: NamedValidators,
    /// From the set that the verifier trusts to `validators`; empty if it is the same.
    pub handovers: Vec<Handover>,
}

/// Why something is not a bundle, or cannot be written as one.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Above the size limit.
    #[error("proof has {size} bytes, at most {max} are allowed")]
    TooLong {
        /// Given.
        size: usize,
        /// Allowed in this form.
        max: usize,
    },
    /// Another format or version.
    #[error("not a proof in a form that is known here; use newer software, or the JSON form")]
    Format,
    /// Truncated or too long.
    #[error("proof bytes")]
    Bytes(#[from] CursorError),
    /// A number that is not written in its shortest form, or too large for its field.
    #[error("proof field `{0}` is not a number in its shortest form, or out of range")]
    Number(&'static str),
    /// A list that is too long, or empty where it may not be.
    #[error("proof field `{field}` has {got} entries, at most {max} are allowed")]
    Count {
        /// Which.
        field: &'static str,
        /// Entries.
        got: u64,
        /// Allowed.
        max: usize,
    },
    /// The leaf.
    #[error("proof field `leaf`")]
    Leaf(#[from] LeafError),
    /// Validators that form no set, out of order, or with impossible names.
    #[error("proof field `validators`: {0}")]
    Validators(String),
    /// The certificate.
    #[error("proof field `certificate`")]
    Certificate(#[from] CertificateError),
    /// A proof that does not fit its index and size.
    #[error("proof field `inclusionProof`")]
    Inclusion(#[from] ProofShapeError),
    /// Parts that contradict each other, which the binary form cannot say.
    #[error("proof field `{0}` contradicts the others, so there is no compact form")]
    Contradiction(&'static str),
    /// Bits or flags that the form does not use.
    #[error("proof field `{0}` is not in canonical form")]
    NotCanonical(&'static str),
    /// Not JSON of the shape.
    #[error("proof is not valid JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    /// Text for people that does not follow from the leaf.
    #[error("proof field `statement` says something else than `leaf`; regenerate the proof")]
    Statement,
}
