//! Statements that the salt of an attestation was destroyed (SPEC §12.10).

use alloy_primitives::{Address, B256};
use tbsi_types::erasure::SignedErasure;
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{Leaf, LeafError, Statement, leaf_hash};
use tbsi_types::{ChainIdentity, KeyError, LeafIndex};

/// Why a statement is not about a leaf, or not by its issuer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyErasureError {
    /// Another network.
    #[error("statement is of chain id {}, genesis hash {}; the leaf is of {}, {}",
        .got.chain_id, .got.genesis_hash, .expected.chain_id, .expected.genesis_hash)]
    Chain {
        /// Of the leaf.
        expected: ChainIdentity,
        /// Of the statement.
        got: ChainIdentity,
    },
    /// It commits to nothing.
    #[error("the leaf is no attestation")]
    NotAttestation,
    /// There never was a salt.
    #[error("the attestation is of a file without a salt (tbsi:file:v1)")]
    Unsalted,
    /// Another attestation.
    #[error("statement is about attestation {got}, the leaf is {expected}")]
    Attestation {
        /// Of the leaf.
        expected: B256,
        /// Of the statement.
        got: B256,
    },
    /// Another place in the log.
    #[error("statement is about leaf {got}, the proof is of leaf {expected}")]
    Index {
        /// Of the proof.
        expected: LeafIndex,
        /// Of the statement.
        got: LeafIndex,
    },
    /// Another leaf.
    #[error("statement has leaf hash {got}, that of the leaf is {expected}")]
    LeafHash {
        /// Of the leaf.
        expected: B256,
        /// Of the statement.
        got: B256,
    },
    /// Not by who attested.
    #[error("statement is by {got}, the attestation by {expected}")]
    Issuer {
        /// Of the leaf.
        expected: Address,
        /// Of the statement.
        got: Address,
    },
    /// Signed by another, or something else.
    #[error("statement's signature is by {got}, not by {expected}")]
    Signer {
        /// Of the statement.
        expected: Address,
        /// Whose key it is.
        got: Address,
    },
    /// No signature at all.
    #[error("statement's signature")]
    Signature(#[from] KeyError),
    /// The leaf has no canonical bytes.
    #[error("leaf")]
    Leaf(#[from] LeafError),
}

/// Verifies that the statement is signed by the issuer of this leaf, and that it names this leaf
/// of this network. Leaf and index are those of a bundle that was verified.
///
/// What it does not say: that no copy of the salt is left. Nobody can show that.
pub fn verify_erasure(
    signed: &SignedErasure,
    chain: &ChainIdentity,
    index: LeafIndex,
    leaf: &Leaf,
) -> Result<(), VerifyErasureError> {
    use VerifyErasureError as E;
    let erasure = &signed.erasure;
    let got = ChainIdentity {
        chain_id: erasure.chain_id,
        genesis_hash: erasure.genesis_hash,
    };
    if got != *chain || leaf.head.chain_id != chain.chain_id {
        return Err(E::Chain {
            expected: *chain,
            got,
        });
    }
    let Statement::Attestation(attestation) = leaf.statement else {
        return Err(E::NotAttestation);
    };
    if attestation.schema == BUILT_IN_SCHEMAS[0] {
        return Err(E::Unsalted);
    }
    let issuer = leaf.head.issuer;
    let expected = attestation.id(chain.chain_id, issuer);
    if erasure.attestation != expected {
        let got = erasure.attestation;
        return Err(E::Attestation { expected, got });
    }
    if erasure.leaf_index != index {
        let (expected, got) = (index, erasure.leaf_index);
        return Err(E::Index { expected, got });
    }
    let expected = leaf_hash(&leaf.encode()?);
    if erasure.leaf_hash != expected {
        let got = erasure.leaf_hash;
        return Err(E::LeafHash { expected, got });
    }
    let (expected, got) = (issuer, erasure.issuer);
    if got != expected {
        return Err(E::Issuer { expected, got });
    }
    let got = signed.signature.recover(erasure.digest())?;
    if got != expected {
        return Err(E::Signer { expected, got });
    }
    Ok(())
}
