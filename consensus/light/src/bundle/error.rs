//! Why a bundle proves nothing.

use alloy_primitives::B256;
use tbsi_types::log::LeafError;
use tbsi_types::{CheckpointDigest, Height, TimestampMs};

use crate::error::VerifyError;
use crate::log::LogError;

/// Why a bundle is refused. Each is final: the same bytes fail again under the same anchor.
#[derive(Debug, thiserror::Error)]
pub enum VerifyBundleError {
    /// Another network's.
    #[error(
        "proof is of the network with genesis hash {got}, trusted is {expected}; verify it with \
         that network's genesis file"
    )]
    Genesis {
        /// Of the anchor.
        expected: B256,
        /// In the bundle.
        got: B256,
    },
    /// Not a leaf.
    #[error("leaf")]
    Leaf(#[from] LeafError),
    /// Another chain's leaf.
    #[error("leaf is of chain id {got}, trusted is {expected}")]
    LeafChainId {
        /// Of the anchor.
        expected: u64,
        /// In the leaf.
        got: u64,
    },
    /// A leaf from after the checkpoint, or of another time than its height's.
    #[error(
        "leaf is of height {leaf_height} and time {leaf_time} ms, which a checkpoint of height \
         {height} and time {time} ms cannot cover",
        leaf_height = leaf.0, leaf_time = leaf.1, height = checkpoint.0, time = checkpoint.1
    )]
    LeafPlace {
        /// What the leaf says.
        leaf: (Height, TimestampMs),
        /// What the checkpoint says.
        checkpoint: (Height, TimestampMs),
    },
    /// The leaf is not in the log at this place.
    #[error("inclusion")]
    Inclusion(#[from] LogError),
    /// A handover that is none.
    #[error("handover {number}")]
    Handover {
        /// From 1, in the bundle's order.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: DecisionError,
    },
    /// The checkpoint was not decided by those who may.
    #[error("checkpoint")]
    Decision(#[source] DecisionError),
}

/// Why a decision does not follow from what is trusted.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// Another chain's.
    #[error("checkpoint is of chain id {got}, trusted is {expected}")]
    ChainId {
        /// Of the anchor.
        expected: u64,
        /// In the checkpoint.
        got: u64,
    },
    /// Height 0 is the genesis file's; nobody votes on it.
    #[error("checkpoint height is 0, which validators never decide: the genesis file fixes it")]
    GenesisHeight,
    /// Earlier than what is trusted, so its validators are unknown.
    #[error(
        "checkpoint is of height {got}, before the trusted height {trusted}; trust the genesis \
         file, or ask for a proof against a later checkpoint"
    )]
    Before {
        /// Of the anchor.
        trusted: Height,
        /// In the checkpoint.
        got: Height,
    },
    /// Two checkpoints of one height: one of them is a lie.
    #[error("checkpoint of height {height} is not the one that is trusted for this height")]
    Fork {
        /// Of both.
        height: Height,
    },
    /// Not after what came before it.
    #[error("checkpoint time is {got} ms, it must be after {before} ms")]
    Time {
        /// Of the height before.
        before: TimestampMs,
        /// In the checkpoint.
        got: TimestampMs,
    },
    /// Decided by others than those whose turn it is.
    #[error(
        "checkpoint names validator set {got}, trusted is {expected}; the proof lacks a handover, \
         or the set was never handed over to"
    )]
    ValidatorSet {
        /// Trusted for this height.
        expected: B256,
        /// In the checkpoint.
        got: B256,
    },
    /// Addresses, powers or legal names were changed.
    #[error("validators and names have hash {got}, the checkpoint names validator set {expected}")]
    Names {
        /// Trusted for this height.
        expected: B256,
        /// Of what the bundle lists.
        got: B256,
    },
    /// Checkpoint and certificate are of different blocks.
    #[error("checkpoint is of height {checkpoint}, the certificate of height {certificate}")]
    CertificateHeight {
        /// In the checkpoint.
        checkpoint: Height,
        /// In the certificate.
        certificate: Height,
    },
    /// The certificate decides something else.
    #[error("checkpoint has digest {computed}, the certificate decides {decided}")]
    Digest {
        /// Of the checkpoint, on the anchor's network.
        computed: CheckpointDigest,
        /// In the certificate.
        decided: CheckpointDigest,
    },
    /// Signatures or quorum.
    #[error(transparent)]
    Certificate(#[from] VerifyError),
    /// The old set does not hand over.
    #[error("checkpoint of height {height} names the same validator set for the next height")]
    NoHandover {
        /// Of the old set's decision.
        height: Height,
    },
    /// The new set's first decision is missing.
    #[error("the new validator set's decision is of height {first}, the old one's last of {last}")]
    NotNext {
        /// Of the old set's decision.
        last: Height,
        /// Of the new set's.
        first: Height,
    },
}
