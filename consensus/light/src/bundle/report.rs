//! What a verified bundle says, step by step.

use alloy_primitives::{Address, B256};
use tbsi_types::log::Leaf;
use tbsi_types::{
    Checkpoint, CheckpointDigest, Height, LeafIndex, NamedValidators, TimestampMs, TreeSize,
    VotingPower,
};

use crate::certificate::VerifiedCertificate;

/// A validator whose signature is part of the quorum, and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSigner {
    /// Address of the consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// Legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Legal name in English.
    pub name_en: String,
}

/// A checkpoint that a quorum of named validators decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedDecision {
    /// The facts.
    pub checkpoint: Checkpoint,
    /// What was signed.
    pub digest: CheckpointDigest,
    /// Who signed, in address order.
    pub signers: Vec<NamedSigner>,
    /// Their voting power.
    pub power: VotingPower,
    /// Voting power of the whole set.
    pub total: VotingPower,
}

pub(super) fn decision(
    checkpoint: &Checkpoint,
    digest: CheckpointDigest,
    validators: &NamedValidators,
    verified: &VerifiedCertificate,
) -> VerifiedDecision {
    let named = |address: &Address| {
        let validator = validators.get(address).expect("a signer is of the set");
        NamedSigner {
            validator: *address,
            power: validator.power,
            name_zh_tw: validator.name_zh_tw.clone(),
            name_en: validator.name_en.clone(),
        }
    };
    VerifiedDecision {
        checkpoint: *checkpoint,
        digest,
        signers: verified.signers.iter().map(named).collect(),
        power: verified.power,
        total: verified.total,
    }
}

/// What a bundle proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedBundle {
    /// What was stated, when and by whom.
    pub leaf: Leaf,
    /// Where it is in the log.
    pub leaf_index: LeafIndex,
    /// The checkpoint that covers it, and who signed.
    pub decision: VerifiedDecision,
    /// The old set's last and the new set's first decision of each handover.
    pub handovers: Vec<(VerifiedDecision, VerifiedDecision)>,
}

/// One step of a verification that succeeded, in the order in which trust flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationStep<'a> {
    /// One validator set handed over to the next; both signed.
    Handover {
        /// By the old set.
        last: &'a VerifiedDecision,
        /// By the new set.
        first: &'a VerifiedDecision,
    },
    /// A quorum of named validators decided the checkpoint.
    Certificate(&'a VerifiedDecision),
    /// The leaf is in the log of the checkpoint.
    Inclusion {
        /// Where.
        index: LeafIndex,
        /// Leaves of the log.
        size: TreeSize,
        /// Its root.
        root: B256,
    },
    /// An issuer stated it at a time.
    Leaf {
        /// Who.
        issuer: Address,
        /// In which block.
        height: Height,
        /// When.
        time: TimestampMs,
        /// For an attestation.
        id: Option<B256>,
    },
}

impl VerifiedBundle {
    /// Time of the block in which it was stated.
    pub fn time(&self) -> TimestampMs {
        self.leaf.head.time
    }

    /// Who stated it.
    pub fn issuer(&self) -> Address {
        self.leaf.head.issuer
    }

    /// Each thing that was verified.
    pub fn steps(&self) -> impl Iterator<Item = VerificationStep<'_>> {
        let checkpoint = &self.decision.checkpoint;
        let head = &self.leaf.head;
        let handovers = self.handovers.iter();
        let handovers = handovers.map(|(last, first)| VerificationStep::Handover { last, first });
        handovers.chain([
            VerificationStep::Certificate(&self.decision),
            VerificationStep::Inclusion {
                index: self.leaf_index,
                size: checkpoint.log_size,
                root: checkpoint.log_root,
            },
            VerificationStep::Leaf {
                issuer: head.issuer,
                height: head.height,
                time: head.time,
                id: self.leaf.attestation_id(),
            },
        ])
    }
}
