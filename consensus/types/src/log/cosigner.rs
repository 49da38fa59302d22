//! Who cosigns the log, and under which names (SPEC §9.6).

use alloy_primitives::{Address, B256, hex};

use crate::identity::ChainIdentity;
use crate::log::note_key::NoteVerifier;
use crate::number::VotingPower;

/// A validator and the key with which it cosigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    /// Address of its consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// Its key for the log.
    pub key: NoteVerifier,
}

/// A validator and the ML-DSA-44 key that the chain names for it, by its hash (SPEC §9.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostQuantumCosigner {
    /// Address of its consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// Name under which it cosigns.
    pub name: String,
    /// SHA-256 of its key.
    pub key_hash: B256,
}

/// Name of the key with which a node of this operator cosigns: `<origin>/<operator in hex>`,
/// so that the key's id commits to the operator's legal names (SPEC §3.2).
pub fn cosigner_name(chain: &ChainIdentity, operator: B256) -> String {
    format!("{}/{}", chain.log_origin(), hex::encode(operator))
}
