//! Who cosigns the log, and under which names (SPEC §9.6).

use alloy_primitives::{Address, B256, hex};

use crate::genesis::{ChainIdentity, Genesis, NodeEntry};
use crate::keys::PublicKey;
use crate::log::note_key::{NoteVerifier, SignatureType};
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

/// Name of the key with which a node of this operator cosigns: `<origin>/<operator in hex>`,
/// so that the key's id commits to the operator's legal names (SPEC §3.2).
pub fn cosigner_name(chain: &ChainIdentity, operator: B256) -> String {
    format!("{}/{}", chain.log_origin(), hex::encode(operator))
}

/// The validators that have a key for the log, in address order. The one place that says where
/// these keys come from.
pub fn cosigners(genesis: &Genesis) -> Vec<Cosigner> {
    let chain = genesis.identity();
    let cosigner = |node: &NodeEntry| -> Option<Cosigner> {
        let entry = node.validator.as_ref()?;
        let name = cosigner_name(&chain, genesis.operator_of(node));
        let key = entry.log_key.as_ref()?;
        Some(Cosigner {
            validator: PublicKey::parse(&entry.public_key).ok()?.address(),
            power: VotingPower(entry.power),
            key: NoteVerifier::new(&name, SignatureType::Cosignature, key).ok()?,
        })
    };
    let mut cosigners: Vec<Cosigner> = genesis.nodes.iter().filter_map(cosigner).collect();
    cosigners.sort_by_key(|cosigner| cosigner.validator);
    cosigners
}
