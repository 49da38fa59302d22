//! What was verified, for programs; and parts that all languages need.

use serde_json::{Value, json};
use tbsi_light::{NamedSigner, VerifiedDecision};
use tbsi_types::bundle::describe;
use tbsi_types::log::algorithm::by_code;
use tbsi_types::log::leaf::U48_MAX;
use tbsi_types::log::{Attestation, Statement};
use tbsi_types::{Genesis, TimestampMs};

use super::anchor::Trusted;
use super::compare::attested_digest;
use super::identity::Operator;
use super::{Verified, identity, post_quantum, status};
use crate::lang::Language;
use crate::schema;
use crate::shown::PathShown;
use crate::time::Times;

/// One JSON object.
pub(super) fn summary(verified: &Verified) -> Value {
    let bundle = &verified.bundle;
    let trusted = match &verified.trusted {
        Trusted::Genesis { file, hash } => json!({ "genesisHash": hash, "network": file.name }),
        Trusted::Checkpoint { height, hash } => json!({ "genesisHash": hash, "height": height }),
    };
    let genesis = verified.trusted.genesis();
    let founder = |it: &NamedSigner| verified.founder(it);
    let handovers = bundle.handovers.iter();
    let handovers = handovers.map(|(last, first)| {
        let [last, first] = [last, first].map(|it| decision(it, founder));
        json!({ "last": last, "first": first })
    });
    let verdict = verified.verdict(Language::En);
    let file = verified.file.as_ref().map(|file| {
        json!({
            "file": file.file.json(),
            "digest": file.digest,
            "algorithm": file.algorithm,
            "salted": file.salt.is_some(),
        })
    });
    json!({
        "verdict": verdict.kind.name(),
        "reason": verdict.reason,
        "trusted": trusted,
        "file": file,
        "statement": describe(&bundle.leaf),
        "issuer": bundle.issuer(),
        "organisation": identity::summary(verified.owner()),
        "time": Times::of(bundle.time()),
        "timeAccuracyMs": accuracy(genesis).map(|(ahead, behind)| json!({
            "ahead": ahead,
            "behind": behind,
        })),
        "revocation": revocation(verified),
        "map": status::summary(verified),
        "algorithmReliedUntil": verified.relied_until,
        "postQuantum": post_quantum::summary(verified.post_quantum.as_ref()),
        "leafIndex": bundle.leaf_index,
        "decision": decision(&bundle.decision, |it| verified.operator(it)),
        "followed": verified.followed,
        "handovers": handovers.collect::<Vec<_>>(),
    })
}

/// What was asked about later statements, and the answer.
fn revocation(verified: &Verified) -> Value {
    let map = verified.map.as_ref();
    let stapled = map.and_then(|map| Some((map, map.status?)));
    match (&verified.standing, verified.is_about_attestation()) {
        (Some(known), _) => known.summary(),
        (None, _) if stapled.is_some() => stapled.map_or(Value::Null, |(map, status)| {
            status::status_json(map, &status)
        }),
        (None, true) => json!({ "status": "notChecked" }),
        (None, false) => Value::Null,
    }
}

/// How far, in milliseconds, a block's time may be ahead of and behind an honest validator's
/// clock (SPEC §6.10); each round after the first adds to the latter.
pub(crate) fn accuracy(genesis: Option<&Genesis>) -> Option<(u64, u64)> {
    let bounds = &genesis?.consensus;
    Some((bounds.clock_drift_max_ms, bounds.clock_lag_max_ms()))
}

fn decision<'a>(
    decision: &VerifiedDecision,
    operator: impl Fn(&NamedSigner) -> Option<Operator<'a>>,
) -> Value {
    let signers = decision.signers.iter();
    let signers = signers.map(|signer| identity::signer_summary(signer, operator(signer)));
    let checkpoint = &decision.checkpoint;
    json!({
        "height": checkpoint.height,
        "timeMs": checkpoint.time,
        "digest": decision.digest,
        "logSize": checkpoint.log_size,
        "logRoot": checkpoint.log_root,
        "power": decision.power,
        "totalPower": decision.total,
        "signers": signers.collect::<Vec<_>>(),
    })
}

/// Schema and digest of an attestation, in names as far as there are any.
pub(crate) fn named(attestation: &Attestation) -> (String, String, String) {
    let id = attestation.schema;
    let schema = match schema::name_of(id) {
        Some(name) => name.to_owned(),
        None => id.to_string(),
    };
    let algorithm = match by_code(attestation.algorithm) {
        Some(known) => known.name.to_owned(),
        None => format!("{:#x}", attestation.algorithm),
    };
    (schema, algorithm, attested_digest(attestation).to_string())
}

/// The fields of a statement that is no attestation, each as `name value`.
pub(crate) fn fields(statement: &Statement) -> Vec<(&'static str, String)> {
    match statement {
        Statement::Attestation(_) => Vec::new(),
        Statement::Revocation { id, reason } => {
            vec![("id", id.to_string()), ("reason", reason.to_string())]
        }
        Statement::Supersession { id, successor } => {
            vec![("id", id.to_string()), ("successor", successor.to_string())]
        }
        Statement::CountersigningOpened { id, threshold, .. } => {
            vec![("id", id.to_string()), ("threshold", threshold.to_string())]
        }
        Statement::Countersignature { id, have, need } => {
            vec![
                ("id", id.to_string()),
                ("signatures", format!("{have}/{need}")),
            ]
        }
        Statement::SchemaRegistered { schema, .. } => vec![("schema", schema.to_string())],
        Statement::AlgorithmSet {
            algorithm, status, ..
        } => {
            let (code, status) = (format!("{algorithm:#x}"), status.to_string());
            vec![("algorithm", code), ("status", status)]
        }
        Statement::MapRoot(map) => vec![
            ("root", map.root.to_string()),
            ("entries", map.entries.to_string()),
        ],
        Statement::GovernanceAct { event, body_hash } => {
            vec![
                ("event", event.to_string()),
                ("body", body_hash.to_string()),
            ]
        }
        Statement::Message {
            destination,
            receiver,
            sequence,
            payload_hash,
            ..
        } => vec![
            ("destination", destination.to_string()),
            ("receiver", receiver.to_string()),
            ("sequence", sequence.to_string()),
            ("payload", payload_hash.to_string()),
        ],
        Statement::ForeignFact(fact) => vec![
            ("chain", format!("eip155:{}", fact.foreign_chain_id)),
            ("client", fact.client.to_string()),
            (
                "block",
                format!("{} {}", fact.foreign_height, fact.block_hash),
            ),
            ("at", utc(fact.foreign_time)),
            ("account", fact.account.to_string()),
            ("slot", fact.slot.to_string()),
            ("value", fact.value.to_string()),
        ],
    }
}

/// Seconds of another chain as text; figures that are no time of ours as they are.
fn utc(seconds: u64) -> String {
    match seconds.checked_mul(1000) {
        Some(ms) if ms <= U48_MAX => Times::of(TimestampMs(ms)).utc,
        _ => seconds.to_string(),
    }
}
