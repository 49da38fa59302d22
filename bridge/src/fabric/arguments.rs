//! Arguments of the chaincode's functions (SPEC §17.2): JSON objects with bytes in hex.

use alloy_primitives::{B256, hex};
use serde_json::{Value, json};
use tbsi_types::{Decision, NamedValidators};

use crate::evm::{decision, validator_set};
use crate::source::{Proven, ProvenLeaves};
use crate::target::Advance;

fn encoded(of: &Decision, validators: &NamedValidators) -> String {
    hex::encode_prefixed(decision(of, validators))
}

/// Of `UpdateClient`: handovers in their order, then a checkpoint.
pub(super) fn update(advance: &Advance) -> String {
    let handovers = advance.handovers.iter().map(|(handover, next)| {
        json!({
            "last": encoded(&handover.last, &handover.validators),
            "validatorSet": hex::encode_prefixed(validator_set(next)),
            "first": encoded(&handover.first, next),
        })
    });
    let newest = advance.checkpoint.as_ref();
    let newest = newest.map(|it| encoded(&it.decision, &it.validators));
    json!({ "handovers": handovers.collect::<Vec<Value>>(), "decision": newest }).to_string()
}

/// Of `Anchor`: one leaf under a checkpoint.
pub(super) fn anchor(proven: &ProvenLeaves, under: &Proven) -> Option<String> {
    let ([leaf], [path]) = (&proven.leaves[..], &proven.paths[..]) else {
        return None;
    };
    let text = json!({
        "leaf": hex::encode_prefixed(&leaf.bytes),
        "index": leaf.index.0,
        "height": under.decision.checkpoint.height.0,
        "path": path.0,
    });
    Some(text.to_string())
}

/// Of `SubmitMisbehaviour`: two decisions, each with the number of the set that made it.
pub(super) fn conflict(sides: [(&Proven, u64); 2]) -> String {
    let [a, b] = sides.map(
        |(of, set)| json!({ "setId": set, "decision": encoded(&of.decision, &of.validators) }),
    );
    json!({ "a": a, "b": b }).to_string()
}

/// Of `GetOutboxEntry`.
pub fn outbox_entry(msp_id: &str, sequence: u64, nonce: B256) -> String {
    json!({ "mspId": msp_id, "sequence": sequence, "nonce": nonce }).to_string()
}
