//! What a founder does where its keys are.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Bytes;
use tbsi_types::Genesis;
use tbsi_types::genesis::{OrganisationEntry, Permission, ValidatorEntry};

use super::{CeremonyError, FounderFile, FounderNode, NetworkParameters, Signatures, VERSION};
use crate::Home;

/// What a founder says of itself and its node.
#[derive(Clone, Debug)]
pub struct FounderRequest {
    /// Short id of the organisation.
    pub id: String,
    /// The organisation, without the home's account.
    pub organisation: OrganisationEntry,
    /// Name of the node.
    pub node: String,
    /// Where other nodes reach it.
    pub endpoint: String,
    /// Voting power; `None` for an observer.
    pub power: Option<u64>,
    /// What the home's account may do.
    pub permissions: BTreeSet<Permission>,
}

/// Makes the founder file of a home. Keys that are not there yet are made. The organisation
/// must have no account besides the home's: nobody else is here to prove that it is held.
pub fn make_founder(
    home: &Home,
    parameters: &NetworkParameters,
    request: FounderRequest,
) -> Result<FounderFile, CeremonyError> {
    let peer = home.ensure_node_key()?;
    let log = home.ensure_log_key()?;
    let account = home.ensure_account_key()?;
    let validator = match request.power {
        Some(power) => Some((home.ensure_validator_key()?, power)),
        None => None,
    };
    let entry = validator.as_ref().map(|(key, power)| ValidatorEntry {
        public_key: key.public_key().encode().to_vec().into(),
        power: *power,
        log_key: Some(log.public_key().to_vec().into()),
    });
    let address = account.public_key().address();
    let mut organisation = request.organisation;
    organisation.accounts.insert(address, request.permissions);
    let mut file = FounderFile {
        version: VERSION,
        parameters_hash: parameters.hash(),
        id: request.id,
        organisation,
        nodes: vec![FounderNode {
            name: request.node,
            peer_id: peer.peer_id(),
            endpoint: request.endpoint,
            validator: entry.clone(),
        }],
        proofs: BTreeMap::new(),
    };
    let digest = file.digest();
    let mut proofs = BTreeMap::from([
        (peer.peer_id(), peer.sign(digest.as_slice()).to_vec().into()),
        (address.to_string(), account.sign(digest).0.to_vec().into()),
    ]);
    if let (Some((key, _)), Some(entry)) = (&validator, &entry) {
        let signature = key.sign(digest).0.to_vec().into();
        proofs.insert(entry.public_key.to_string(), signature);
        let log_key = Bytes::from(log.public_key().to_vec()).to_string();
        proofs.insert(log_key, log.sign(digest.as_slice()).to_vec().into());
    }
    file.proofs = proofs;
    file.verify(parameters)?;
    Ok(file)
}

/// Signs a genesis file with the account of a home; returns the organisation's id.
pub fn sign_genesis(
    home: &Home,
    genesis: &Genesis,
    signatures: &mut Signatures,
) -> Result<String, CeremonyError> {
    signatures.sign(genesis, &home.load_account_key()?)
}
