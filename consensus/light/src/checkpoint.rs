//! Checkpoints against a genesis file (SPEC §3.6, §3.7).

use std::collections::BTreeMap;

use alloy_primitives::Address;
use tbsi_types::genesis::{NodeEntry, OrganisationEntry};
use tbsi_types::{
    Checkpoint, CheckpointDigest, CommitCertificate, Genesis, PublicKey, VotingPower,
};

use crate::certificate::verify_certificate;
use crate::error::VerifyError;

/// A validator whose signature is part of the quorum, and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisSigner {
    /// Address of the consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// Name of the node in the genesis file.
    pub node: String,
    /// Legal names, committed to by the validator-set hash.
    pub organisation: OrganisationEntry,
}

/// A checkpoint that a quorum of the genesis validators decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedCheckpoint {
    /// The facts.
    pub checkpoint: Checkpoint,
    /// What was signed.
    pub digest: CheckpointDigest,
    /// Who signed, in address order.
    pub signers: Vec<GenesisSigner>,
    /// Their voting power.
    pub power: VotingPower,
    /// Voting power of the whole set.
    pub total: VotingPower,
}

/// Verifies that `certificate` decides `checkpoint` on the network that `genesis` founds.
///
/// The caller trusts the genesis file and nothing else, so the set must be that of genesis. A
/// proof bundle follows later ones ([`crate::verify_bundle`]).
pub fn verify_checkpoint(
    genesis: &Genesis,
    checkpoint: &Checkpoint,
    certificate: &CommitCertificate,
) -> Result<VerifiedCheckpoint, VerifyError> {
    genesis.check()?;
    let set = genesis.validator_set()?;
    let chain = genesis.identity();
    if checkpoint.chain_id != chain.chain_id {
        return Err(VerifyError::ChainId {
            expected: chain.chain_id,
            got: checkpoint.chain_id,
        });
    }
    if checkpoint.height.0 == 0 {
        return Err(VerifyError::GenesisHeight);
    }
    if checkpoint.height != certificate.height {
        return Err(VerifyError::Height {
            checkpoint: checkpoint.height,
            certificate: certificate.height,
        });
    }
    let (expected, got) = (set.hash(), checkpoint.validator_set_hash);
    if got != expected {
        return Err(VerifyError::ValidatorSet { expected, got });
    }
    let digest = checkpoint.digest(&chain);
    if digest != certificate.checkpoint_digest {
        return Err(VerifyError::Digest {
            computed: digest,
            decided: certificate.checkpoint_digest,
        });
    }
    let verified = verify_certificate(&chain, &set, certificate)?;
    Ok(VerifiedCheckpoint {
        checkpoint: *checkpoint,
        digest,
        signers: named(genesis, &verified.signers),
        power: verified.power,
        total: verified.total,
    })
}

/// The genesis entries of `signers`, each of which is a validator of that genesis.
fn named(genesis: &Genesis, signers: &[Address]) -> Vec<GenesisSigner> {
    let mut by_address: BTreeMap<Address, (&NodeEntry, u64)> = BTreeMap::new();
    for node in &genesis.nodes {
        if let Some(entry) = &node.validator
            && let Ok(key) = PublicKey::parse(&entry.public_key)
        {
            by_address.insert(key.address(), (node, entry.power));
        }
    }
    let name = |validator: &Address| {
        let (node, power) = by_address
            .get(validator)
            .expect("the set was made from these nodes");
        GenesisSigner {
            validator: *validator,
            power: VotingPower(*power),
            node: node.name.clone(),
            organisation: genesis
                .organisation(node)
                .expect("a checked genesis lists every node's organisation")
                .clone(),
        }
    };
    signers.iter().map(name).collect()
}

#[cfg(test)]
mod tests;
