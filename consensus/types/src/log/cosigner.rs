//! Who cosigns the log, and under which names (SPEC §9.6).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, hex};

use crate::genesis::ChainIdentity;
use crate::log::note_key::{NoteVerifier, SignatureType};
use crate::number::VotingPower;
use crate::roster::Roster;
use crate::validator::Validator;

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
/// these keys come from. A key that is no point of the curve cosigns nothing.
pub fn cosigners(chain: &ChainIdentity, roster: &Roster) -> Vec<Cosigner> {
    // A node that rotates its peer key is two peers for a while, with one log key.
    let peers = roster.peers.values();
    let keys: BTreeMap<Address, [u8; 32]> = peers
        .filter_map(|peer| Some((peer.validator?, peer.log_key?)))
        .collect();
    let cosigner = |validator: &Validator| {
        let key = keys.get(&validator.address)?;
        let name = cosigner_name(chain, validator.operator);
        Some(Cosigner {
            validator: validator.address,
            power: validator.power,
            key: NoteVerifier::new(&name, SignatureType::Cosignature, key).ok()?,
        })
    };
    roster.members.set().iter().filter_map(cosigner).collect()
}
