//! Why a proof with the map proves nothing.

use alloy_primitives::B256;
use tbsi_types::LeafIndex;
use tbsi_types::log::LeafError;
use tbsi_types::map::{AnswerError, EntryError};

use crate::bundle::VerifyBundleError;
use crate::log::LogError;

/// Why a proof with the map is refused. Each is final.
#[derive(Debug, thiserror::Error)]
pub enum VerifyMapError {
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] VerifyBundleError),
    /// The second leaf is none.
    #[error("leaf of the map's root")]
    Leaf(#[from] LeafError),
    /// The second leaf is of another chain, or from after the checkpoint.
    #[error("place of the map's root")]
    Place(#[source] VerifyBundleError),
    /// The second leaf is not in the log at this place.
    #[error("inclusion of the map's root")]
    Inclusion(#[source] LogError),
    /// Another kind of leaf.
    #[error("the leaf that should have the map's root is of another kind")]
    NoRoot,
    /// Not what is before its block.
    #[error("the map's root is not as of the block before its own")]
    Heights,
    /// A list that is not the committed one.
    #[error("the revoked algorithms are not those that the map's root names")]
    Algorithms,
    /// A path that is none.
    #[error("answer of the map")]
    Answer(#[from] AnswerError),
    /// A value that is none of the question's kind.
    #[error("answer of the map")]
    Entry(#[from] EntryError),
    /// An answer of another map, or to another question.
    #[error("the map's answer leads to root {got}, the leaf has {expected}")]
    Root {
        /// In the leaf.
        expected: B256,
        /// From the answer.
        got: B256,
    },
    /// Nothing is asked.
    #[error("the map is asked nothing")]
    NoQuestion,
    /// One question, two answers.
    #[error("the map is asked one question twice")]
    Twice,
    /// A question that has nothing to do with the leaf.
    #[error("the map is asked about something else than the proof is of")]
    Question,
    /// A status of what has none.
    #[error("a status is stapled to a leaf that is no attestation")]
    NoAttestation,
    /// A status of before there was anything to revoke.
    #[error("the map's root is leaf {root}, the attestation is leaf {attestation} and later")]
    Older {
        /// Index of the attestation.
        attestation: LeafIndex,
        /// Index of the map's root.
        root: LeafIndex,
    },
    /// Whether the revocation counts cannot be seen.
    #[error("the attestation is revoked under a schema of which the proof says nothing")]
    NoSchema,
}
