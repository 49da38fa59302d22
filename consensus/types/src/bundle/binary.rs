//! The compact form (SPEC §10.2).

use std::cmp::Reverse;

use super::decision::{
    put_certificate, put_checkpoint, put_validators, take_certificate, take_checkpoint, take_round,
    take_validators,
};
use super::{
    BUNDLE_BYTES_MAX, BundleError, Decision, HANDOVERS_MAX, Handover, NamedValidators, ProofBundle,
    varint,
};
use crate::certificate::{CommitCertificate, CommitSignature};
use crate::cursor::Cursor;
use crate::identity::ChainIdentity;
use crate::log::leaf::{LEAF_BYTES_MAX, Leaf};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::log::tree::leaf_hash;
use crate::number::{LeafIndex, VotingPower};

/// Format and version.
const MAGIC: &[u8; 4] = b"TBP1";

impl ProofBundle {
    /// The compact form. Fails for a bundle that contradicts itself: what follows from other
    /// parts is not written, so such a bundle has no compact form.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let chain = self.chain()?;
        let mut bytes = Vec::with_capacity(2048);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.genesis_hash.as_slice());
        varint::put(&mut bytes, "leaf", self.leaf.len() as u64)?;
        bytes.extend_from_slice(&self.leaf);
        varint::put(&mut bytes, "leafIndex", self.leaf_index.0)?;
        varint::put(&mut bytes, "inclusionProof", self.inclusion.0.len() as u64)?;
        for hash in &self.inclusion.0 {
            bytes.extend_from_slice(hash.as_slice());
        }
        put_validators(&mut bytes, &self.validators)?;
        let checkpoint = &self.decision.checkpoint;
        put_checkpoint(&mut bytes, checkpoint)?;
        let root = self.computed_root(checkpoint.log_size)?;
        if root != checkpoint.log_root {
            return Err(BundleError::Contradiction("logRoot"));
        }
        put_certificate(&mut bytes, &chain, &self.decision, &self.validators)?;
        varint::put(&mut bytes, "handovers", self.handovers.len() as u64)?;
        for handover in &self.handovers {
            put_validators(&mut bytes, &handover.validators)?;
        }
        for (position, handover) in self.handovers.iter().enumerate() {
            let old = &handover.validators;
            put_decision(&mut bytes, &chain, &handover.last, old)?;
            let new = self.set_after(position);
            put_decision(&mut bytes, &chain, &handover.first, new)?;
        }
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong {
                size: bytes.len(),
                max: BUNDLE_BYTES_MAX,
            });
        }
        Ok(bytes)
    }

    /// Accepts only what [`ProofBundle::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong {
                size: bytes.len(),
                max: BUNDLE_BYTES_MAX,
            });
        }
        let mut cursor = Cursor::new(bytes);
        if cursor.take("format", MAGIC.len())? != MAGIC {
            return Err(BundleError::Format);
        }
        let genesis_hash = cursor.b256("genesisHash")?;
        let length = varint::count(&mut cursor, "leaf", LEAF_BYTES_MAX)?;
        let leaf = cursor.take("leaf", length)?.to_vec();
        let leaf_index = LeafIndex(varint::take(&mut cursor, "leafIndex")?);
        let count = varint::count(&mut cursor, "inclusionProof", INCLUSION_HASHES_MAX)?;
        let hashes = (0..count).map(|_| cursor.b256("inclusionProof"));
        let inclusion = InclusionProof(hashes.collect::<Result<_, _>>()?);
        let validators = take_validators(&mut cursor)?;
        let chain = ChainIdentity {
            chain_id: Leaf::decode(&leaf)?.head.chain_id,
            genesis_hash,
        };
        let mut checkpoint = take_checkpoint(&mut cursor, &chain, validators.hash())?;
        let root = inclusion.root(leaf_hash(&leaf), leaf_index, checkpoint.log_size)?;
        checkpoint.log_root = root;
        let round = take_round(&mut cursor)?;
        let certificate = take_certificate(&mut cursor, round, &chain, &checkpoint, &validators)?;
        let handovers = take_handovers(&mut cursor, &chain, &validators)?;
        cursor.end()?;
        Ok(Self {
            genesis_hash,
            leaf,
            leaf_index,
            inclusion,
            decision: Decision {
                checkpoint,
                certificate,
            },
            validators,
            handovers,
        })
    }

    /// The same proof with no more signatures than each quorum needs, heaviest first.
    pub fn minimal(mut self) -> Self {
        let sets: Vec<_> = (0..self.handovers.len())
            .map(|position| self.set_after(position).clone())
            .collect();
        for (handover, new) in self.handovers.iter_mut().zip(&sets) {
            let old = &handover.validators;
            handover.last.certificate = trimmed(&handover.last.certificate, old);
            handover.first.certificate = trimmed(&handover.first.certificate, new);
        }
        self.decision.certificate = trimmed(&self.decision.certificate, &self.validators);
        self
    }

    /// The set that takes over in the handover at `position`.
    pub fn set_after(&self, position: usize) -> &NamedValidators {
        let next = self.handovers.get(position + 1);
        next.map_or(&self.validators, |handover| &handover.validators)
    }

    fn chain(&self) -> Result<ChainIdentity, BundleError> {
        Ok(ChainIdentity {
            chain_id: Leaf::decode(&self.leaf)?.head.chain_id,
            genesis_hash: self.genesis_hash,
        })
    }

    fn computed_root(&self, size: crate::TreeSize) -> Result<crate::B256, BundleError> {
        let leaf = leaf_hash(&self.leaf);
        Ok(self.inclusion.root(leaf, self.leaf_index, size)?)
    }
}

/// The certificate with the heaviest signers that are a quorum, or all if they are none.
pub(super) fn trimmed(
    certificate: &CommitCertificate,
    validators: &NamedValidators,
) -> CommitCertificate {
    let power = |entry: &CommitSignature| {
        let validator = validators.get(&entry.validator);
        validator.map_or(0, |validator| validator.power.0)
    };
    let mut signatures = certificate.signatures().to_vec();
    signatures.sort_by_key(|entry| (Reverse(power(entry)), entry.validator));
    let mut sum = 0u64;
    let enough = signatures.iter().position(|entry| {
        sum = sum.saturating_add(power(entry));
        VotingPower(sum).is_quorum_of(validators.total_power())
    });
    if let Some(last) = enough {
        signatures.truncate(last + 1);
    }
    let digest = certificate.checkpoint_digest;
    CommitCertificate::new(certificate.height, certificate.round, digest, signatures)
        .expect("a part of a certificate is one")
}

/// A decision with its log root, which nothing else gives.
pub(super) fn put_decision(
    bytes: &mut Vec<u8>,
    chain: &ChainIdentity,
    decision: &Decision,
    validators: &NamedValidators,
) -> Result<(), BundleError> {
    put_checkpoint(bytes, &decision.checkpoint)?;
    bytes.extend_from_slice(decision.checkpoint.log_root.as_slice());
    put_certificate(bytes, chain, decision, validators)
}

pub(super) fn take_decision(
    cursor: &mut Cursor<'_>,
    chain: &ChainIdentity,
    validators: &NamedValidators,
) -> Result<Decision, BundleError> {
    let mut checkpoint = take_checkpoint(cursor, chain, validators.hash())?;
    checkpoint.log_root = cursor.b256("logRoot")?;
    let round = take_round(cursor)?;
    let certificate = take_certificate(cursor, round, chain, &checkpoint, validators)?;
    Ok(Decision {
        checkpoint,
        certificate,
    })
}

/// All old sets, then both decisions of each handover.
fn take_handovers(
    cursor: &mut Cursor<'_>,
    chain: &ChainIdentity,
    last: &NamedValidators,
) -> Result<Vec<Handover>, BundleError> {
    let count = varint::count(cursor, "handovers", HANDOVERS_MAX)?;
    let sets = (0..count).map(|_| take_validators(cursor));
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    let mut handovers = Vec::with_capacity(count);
    for (position, old) in sets.iter().enumerate() {
        let new = sets.get(position + 1).unwrap_or(last);
        handovers.push(Handover {
            validators: old.clone(),
            last: take_decision(cursor, chain, old)?,
            first: take_decision(cursor, chain, new)?,
        });
    }
    Ok(handovers)
}
