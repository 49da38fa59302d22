//! Why an authorisation is not proven, or does not cover a use.

use alloy_primitives::B256;
use tbsi_types::log::LeafError;
use tbsi_types::{Height, LeafIndex, TimestampMs};

use crate::bundle::VerifyBundleError;
use crate::foreign::ProofError;
use crate::log::LogError;

/// Why a proof of an authorisation is refused. Each is final.
#[derive(Debug, thiserror::Error)]
pub enum VerifyAuthorisationError {
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] VerifyBundleError),
    /// An act's leaf is none.
    #[error("leaf of an act")]
    Leaf(#[from] LeafError),
    /// A leaf of another chain, or from after the checkpoint.
    #[error("place of leaf {index}")]
    Place {
        /// Of the leaf.
        index: LeafIndex,
        /// What is wrong.
        #[source]
        source: VerifyBundleError,
    },
    /// A leaf that is not in the log at this place.
    #[error("inclusion of leaf {index}")]
    Inclusion {
        /// Of the leaf.
        index: LeafIndex,
        /// What is wrong.
        #[source]
        source: LogError,
    },
    /// A leaf of something else.
    #[error("leaf {0} is no act of the contract of authorisations")]
    OtherLeaf(LeafIndex),
    /// A text that is not the leaf's.
    #[error("the text of leaf {index} has hash {got}, the leaf has {expected}")]
    Text {
        /// Of the leaf.
        index: LeafIndex,
        /// In the leaf.
        expected: B256,
        /// Of the text.
        got: B256,
    },
    /// The bundle is of an act with which no terms begin.
    #[error("leaf {0} begins no terms: the proof must be of an acceptance or a narrowing")]
    BeginsNothing(LeafIndex),
    /// Acts that do not ascend.
    #[error("leaf {0} is not in the order of the log, each act once")]
    Order(LeafIndex),
    /// An act of something else.
    #[error(
        "leaf {index} is of authorisation {got} or of other parties, expected is {expected} with \
         one grantor and one grantee"
    )]
    OtherAuthorisation {
        /// Of the leaf.
        index: LeafIndex,
        /// Of the bundle's act.
        expected: u32,
        /// Of this one.
        got: u32,
    },
    /// An act of an organisation that had no say.
    #[error("leaf {index} is an act of organisation {got}, which could not do it")]
    By {
        /// Of the leaf.
        index: LeafIndex,
        /// The organisation.
        got: u32,
    },
    /// Terms that were accepted and not offered.
    #[error("leaf {0} accepts terms that no leaf of the proof before it offers")]
    NotOffered(LeafIndex),
    /// Terms that were not accepted.
    #[error("the proof shows not that the grantee accepted what the grantor offered")]
    NotAccepted,
    /// An act that shows nothing of these terms.
    #[error("leaf {0} has nothing to do with these terms")]
    Surplus(LeafIndex),
    /// Nodes that do not lead to the word.
    #[error("proof of the state")]
    Nodes(#[from] ProofError),
    /// The state knows nothing of these terms.
    #[error("authorisation {authorisation} has no version {version} in the state")]
    NoVersion {
        /// Number of the authorisation.
        authorisation: u32,
        /// Which terms.
        version: u32,
    },
    /// State and leaf contradict each other.
    #[error("the terms began with block {state} by the state, and with block {leaf} by the log")]
    OtherBeginning {
        /// In the state.
        state: Height,
        /// Of the leaf.
        leaf: Height,
    },
}

/// Why a use was not authorised, by a proof that holds. Seconds are of Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthorised {
    /// The terms began later.
    #[error("these terms began later, at {begun} ms")]
    NotBegun {
        /// Time of the block.
        begun: TimestampMs,
    },
    /// The terms had ended: they were revoked, or others took their place.
    #[error("these terms ended at second {until}, in block {height}")]
    Ended {
        /// Time of the block.
        until: u64,
        /// Its height.
        height: Height,
    },
    /// The terms are of another time.
    #[error("the terms allow it from second {from} to before second {until}")]
    OtherTime {
        /// First second.
        from: u64,
        /// The second from which no longer.
        until: u64,
    },
    /// The terms are for other purposes.
    #[error("the terms do not name purpose {purpose}")]
    OtherPurpose {
        /// SHA-256 of what was asked for.
        purpose: B256,
    },
    /// The proof is older.
    #[error("the proof knows what held before second {known}: fetch it again")]
    NotKnown {
        /// The first second that it does not know.
        known: u64,
    },
}
