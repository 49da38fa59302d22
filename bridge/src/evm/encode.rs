//! Decisions, validator sets and calls as the contract reads them (SPEC §14.2).

use alloy_primitives::Bytes;
use alloy_sol_types::SolCall;
use tbsi_types::validator::operator_id;
use tbsi_types::{Decision, NamedValidators};

use super::abi::{Inbox, LightClient};
use crate::source::{Proven, ProvenLeaves};
use crate::target::{Advance, Delivery};

/// `checkpoint 192 || round u32 || signers u128 || signatures 65 each`: positions in the set,
/// lowest bit first, signatures in that order.
pub fn decision(decision: &Decision, validators: &NamedValidators) -> Bytes {
    let certificate = &decision.certificate;
    let mut bytes = decision.checkpoint.encode().to_vec();
    bytes.extend_from_slice(&certificate.round.0.to_be_bytes());
    let mut signers = 0u128;
    let mut signatures = Vec::new();
    for entry in certificate.signatures() {
        // A signature of somebody else is left out; what was verified has none.
        if let Some(position) = validators.position(&entry.validator) {
            signers |= 1 << position;
            signatures.extend_from_slice(&entry.signature.0);
        }
    }
    bytes.extend_from_slice(&signers.to_be_bytes());
    bytes.extend_from_slice(&signatures);
    bytes.into()
}

/// `count u16 || { address 20 || power u64 || operator 32 } ...`.
pub fn validator_set(validators: &NamedValidators) -> Bytes {
    let all = validators.as_slice();
    let count = u16::try_from(all.len()).expect("at most 128 validators");
    let mut bytes = count.to_be_bytes().to_vec();
    for validator in all {
        bytes.extend_from_slice(validator.address.as_slice());
        bytes.extend_from_slice(&validator.power.0.to_be_bytes());
        let operator = operator_id(&validator.name_zh_tw, &validator.name_en);
        bytes.extend_from_slice(operator.as_slice());
    }
    bytes.into()
}

fn record_many(proven: &ProvenLeaves, under: &Proven) -> Bytes {
    let leaves = proven.leaves.iter();
    let call = LightClient::recordManyCall {
        leaves: leaves
            .clone()
            .map(|leaf| leaf.bytes.clone().into())
            .collect(),
        indexes: leaves.map(|leaf| leaf.index.0).collect(),
        checkpoint: under.decision.checkpoint.encode().to_vec().into(),
        nodes: proven.proof.0.clone(),
    };
    call.abi_encode().into()
}

/// One call for all of an advance.
pub(super) fn advance(load: &Advance) -> Bytes {
    let mut calls: Vec<Bytes> = Vec::new();
    for (handover, next) in &load.handovers {
        let call = LightClient::handoverCall {
            last: decision(&handover.last, &handover.validators),
            validatorSet: validator_set(next),
            first: decision(&handover.first, next),
        };
        calls.push(call.abi_encode().into());
    }
    if let Some(proven) = &load.checkpoint {
        let decision = decision(&proven.decision, &proven.validators);
        calls.push(LightClient::updateCall { decision }.abi_encode().into());
    }
    if let Some((proven, under)) = &load.leaves {
        calls.push(record_many(proven, under));
    }
    if calls.len() == 1 {
        return calls.swap_remove(0);
    }
    LightClient::multicallCall { data: calls }
        .abi_encode()
        .into()
}

/// The inbox's call for a message.
pub(super) fn delivery(delivery: &Delivery) -> Bytes {
    let found = &delivery.leaf;
    let call = Inbox::deliverCall {
        leaf: found.leaf.bytes.clone().into(),
        payload: delivery.payload.clone(),
        index: found.leaf.index.0,
        checkpoint: delivery.under.decision.checkpoint.encode().to_vec().into(),
        path: found.path.0.clone(),
    };
    call.abi_encode().into()
}
