//! What the node calls on the governance contracts, and what it reads of their answers
//! (SPEC §13).

use alloy_primitives::{Address, Bytes, U256, address};
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Nodes::{
    bindGenesisCall, handOverCall, peersCall, submitEvidenceCall, validatorSetCall,
};
use tbsi_bindings::genesis::Organisations::{namesOfCall, recordOfCall};
use tbsi_bindings::genesis::PeerView;
use tbsi_bindings::genesis::Permissions::chargeCall;
pub use tbsi_types::contracts::{
    CHAINS, FACTS, MOTIONS, NODES, ORGANISATIONS, PERMISSIONS, UPGRADES,
};
use tbsi_types::roster::{Member, Members, MembersError, PeerEntry, Peers, peer_id_of};
use tbsi_types::{B256, LegalRecord, PublicKey, VotingPower};

/// Who the protocol itself calls contracts as (EIP-4788's system address).
pub const SYSTEM: Address = address!("fffffffffffffffffffffffffffffffffffffffe");

/// Slot of [`NODES`] with the time of the next handover (SPEC §13.3).
pub const HANDOVER_SLOT: U256 = U256::from_limbs([1, 0, 0, 0]);

/// Why an answer of the contracts is neither validators nor peers. A chain whose contracts answer
/// so keeps those that it has.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// Not the ABI encoding of the function's result.
    #[error("the answer of {function} cannot be decoded: {problem}")]
    Abi {
        /// Of which function.
        function: &'static str,
        /// The decoder's words.
        problem: String,
    },
    /// A validator whose key is not the one of its address.
    #[error("validator {address}: its public key is of {of}")]
    Address {
        /// As registered.
        address: Address,
        /// Derived from the key.
        of: Address,
    },
    /// Not a set.
    #[error("the validators form no set")]
    Members(#[from] MembersError),
}

/// The call data that asks for the validators.
pub fn validators_call() -> Bytes {
    validatorSetCall {}.abi_encode().into()
}

/// The call data that asks for the peers.
pub fn peers_call() -> Bytes {
    peersCall {}.abi_encode().into()
}

/// The call data that tells the contracts the genesis hash (block 1).
pub fn bind_genesis_call(genesis_hash: B256) -> Bytes {
    let call = bindGenesisCall { hash: genesis_hash };
    call.abi_encode().into()
}

/// The call data with which the contracts' set takes over from the block after this one.
pub fn hand_over_call() -> Bytes {
    handOverCall {}.abi_encode().into()
}

/// When the next handover is due, in seconds of block time: the first block of that time or a
/// later one is the last that the present validators decide. `None` if none is.
pub fn handover_due(word: U256) -> Option<u64> {
    let due = (word >> 32usize).as_limbs()[0];
    (due != 0).then_some(due)
}

/// The call data that submits evidence in the encoding of SPEC §3.8.
pub fn evidence_call(evidence: &[u8]) -> Bytes {
    let call = submitEvidenceCall {
        evidence: evidence.to_vec().into(),
    };
    call.abi_encode().into()
}

/// The call data that asks for an organisation's legal names.
pub fn names_call(organisation: u32) -> Bytes {
    namesOfCall { organisation }.abi_encode().into()
}

/// Legal names, Traditional Chinese first, from the answer to [`names_call`].
pub fn names(answer: &[u8]) -> Option<(String, String)> {
    let names = namesOfCall::abi_decode_returns(answer).ok()?;
    Some((names._0, names._1))
}

/// The call data that asks for one of an organisation's records.
pub fn record_call(organisation: u32, position: u32) -> Bytes {
    let position = U256::from(position);
    let call = recordOfCall {
        organisation,
        position,
    };
    call.abi_encode().into()
}

/// Legal names and identifiers, from the answer to [`record_call`].
pub fn record(answer: &[u8]) -> Option<LegalRecord> {
    let record = recordOfCall::abi_decode_returns(answer).ok()?;
    Some(LegalRecord {
        name_zh_tw: record.nameZhTw,
        name_en: record.nameEn,
        tax_id: record.taxId,
        lei: record.lei,
        jurisdiction: record.jurisdiction,
    })
}

/// What organisations used in one block: number, gas, leaves.
pub fn charge_call(used: &[(u32, u64, u64)]) -> Bytes {
    let call = chargeCall {
        organisations: used
            .iter()
            .map(|(organisation, ..)| *organisation)
            .collect(),
        gas: used.iter().map(|(_, gas, _)| *gas).collect(),
        leaves: used.iter().map(|(.., leaves)| *leaves).collect(),
    };
    call.abi_encode().into()
}

fn undecodable(function: &'static str) -> impl Fn(alloy_sol_types::Error) -> RosterError {
    move |error| RosterError::Abi {
        function,
        problem: error.to_string(),
    }
}

/// The validators of the answer to [`validators_call`].
pub fn members(answer: &[u8]) -> Result<Members, RosterError> {
    let views =
        validatorSetCall::abi_decode_returns(answer).map_err(undecodable("validatorSet()"))?;
    let mut members = Vec::with_capacity(views.len());
    for view in views {
        let public_key = PublicKey::parse(&view.publicKey).map_err(|source| MembersError::Key {
            node: view.node.clone(),
            source,
        })?;
        let (address, of) = (view.validator, public_key.address());
        if address != of {
            return Err(RosterError::Address { address, of });
        }
        members.push(Member {
            public_key,
            power: VotingPower(view.power),
            organisation: view.organisation,
            name_zh_tw: view.nameZhTw,
            name_en: view.nameEn,
            node: view.node,
        });
    }
    Ok(Members::new(members)?)
}

/// The peers of the answer to [`peers_call`]. Through which of them a validator speaks is not
/// the contracts' to say: they know who is to validate, [`Roster`] who does.
pub fn peers(answer: &[u8]) -> Result<Peers, RosterError> {
    let views = peersCall::abi_decode_returns(answer).map_err(undecodable("peers()"))?;
    let peer = |view: PeerView| {
        let entry = PeerEntry {
            organisation: view.organisation,
            name: view.name,
            endpoint: view.endpoint,
            validator: None,
            log_key: (view.logKey != B256::ZERO).then_some(view.logKey.0),
            post_quantum_key: Some(view.postQuantumKey).filter(|hash| !hash.is_zero()),
        };
        (peer_id_of(&view.peerKey.0), entry)
    };
    Ok(views.into_iter().map(peer).collect())
}
