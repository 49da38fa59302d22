//! What is followed, how far, and what is wrong.

use alloy_primitives::Bytes;
use serde_json::{Value, json};
use tbsi_types::log::tree::EMPTY_LOG_ROOT;

use super::{Answer, Context, Problem, VERSION, words};
use crate::alarm::RaisedAlarm;
use crate::trust::{Basis, VerifiedLog};

/// `/status`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let (known, shared) = (context.known, context.shared);
    let chain = known.trust.chain();
    let last = context.view.last()?;
    let sources = known.sources.iter().map(|source| {
        json!({
            "kind": source.kind.as_str(),
            "url": source.name,
            "reachable": source.reachable,
            "size": source.size,
            "height": source.height,
            "answeredMs": source.answered_ms,
            "problem": source.problem,
        })
    });
    let (checkpoint, not_known) = checkpoint(context)?;
    let registry = context.registry();
    Ok(Answer::json(&json!({
        "api": VERSION,
        "software": env!("CARGO_PKG_VERSION"),
        "network": shared.genesis.name,
        "chainId": chain.chain_id,
        "genesisHash": chain.genesis_hash,
        "origin": chain.log_origin(),
        "sources": sources.collect::<Vec<_>>(),
        "indexed": {
            "size": context.size,
            "root": context.root,
            "height": last.map(|(height, _)| height),
            "timeMs": last.map(|(_, time)| time),
        },
        "checkpoint": checkpoint,
        "acts": { "total": registry.acts_total, "read": registry.acts_read },
        "alarms": alarms(context),
        "nowMs": context.beside.now_ms,
        "catchingUp": context.size < known.signed,
        "notKnown": not_known,
    })))
}

pub(super) fn alarms(context: &Context<'_>) -> Vec<Value> {
    context.known.alarms.iter().map(RaisedAlarm::json).collect()
}

/// The newest verified checkpoint, and what is not known of it.
fn checkpoint(context: &Context<'_>) -> Result<(Value, Vec<Value>), Problem> {
    let mut not_known = Vec::new();
    let log = context.known.log.as_deref();
    let set = signers(context)?;
    let Some(log) = log else {
        let total: u64 = set.iter().filter_map(|it| it["power"].as_u64()).sum();
        let value = json!({
            "size": 0, "root": EMPTY_LOG_ROOT, "height": 0,
            "timeMs": context.shared.genesis.time_ms, "basis": "genesis",
            "encoded": null, "certificate": null, "note": null, "noteSize": null,
            "handovers": 0, "power": 0, "totalPower": total, "quorum": quorum(total),
            "signers": set,
        });
        return Ok((value, not_known));
    };
    let decision = log.decision();
    if decision.is_none() {
        for field in ["height", "timeMs", "encoded", "certificate"] {
            let field = format!("/checkpoint/{field}");
            not_known.push(words::not_known(&field, "noCertificate"));
        }
    }
    if log.note.is_none() {
        not_known.push(words::not_known("/checkpoint/note", "noCosignatures"));
    }
    for (place, signer) in set.iter().enumerate() {
        for field in ["organisation", "node", "version"] {
            if signer[field].is_null() {
                let field = format!("/checkpoint/signers/{place}/{field}");
                not_known.push(words::not_known(&field, "noRegistry"));
            }
        }
    }
    let total = log.validators.total_power().0;
    let value = json!({
        "size": log.size,
        "root": log.root,
        "height": decision.map(|it| it.checkpoint.height),
        "timeMs": decision.map(|it| it.checkpoint.time),
        "basis": basis(log),
        "encoded": decision.map(|it| Bytes::from(it.checkpoint.encode())),
        "certificate": decision.map(|it| Bytes::from(it.certificate.encode())),
        "note": log.note.as_ref().map(|(note, ..)| note.encode()),
        "noteSize": log.note.as_ref().map(|(_, size, _)| size),
        "handovers": log.handovers,
        "power": log.power,
        "totalPower": total,
        "quorum": quorum(total),
        "signers": set,
    });
    Ok((value, not_known))
}

fn basis(log: &VerifiedLog) -> &'static str {
    match log.basis {
        Basis::Certificate(_) => "certificate",
        Basis::Cosignatures => "cosignatures",
    }
}

/// The least voting power that is more than two thirds.
fn quorum(total: u64) -> u64 {
    u64::try_from(u128::from(total) * 2 / 3 + 1).unwrap_or(u64::MAX)
}

/// The set of the newest checkpoint, with what is known of each validator.
pub(super) fn signers(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let log = context.known.log.as_deref();
    let set = log.map_or_else(|| context.known.trust.set(), |log| &log.validators);
    let registry = context.registry();
    let mut signers = Vec::new();
    for member in set.as_slice() {
        let node = registry.node_of(member.address);
        let (seen, signed, last) = context.view.seen(member.address)?;
        signers.push(json!({
            "validator": member.address,
            "power": member.power,
            "nameZhTw": member.name_zh_tw,
            "nameEn": member.name_en,
            "organisation": node.map(|node| node.organisation),
            "node": node.map(|node| &node.name),
            "version": node.and_then(|node| node.version.as_ref()),
            "signed": log.map(|log| log.signers.contains(&member.address)),
            "lastSignedMs": last,
            "checkpointsSeen": seen,
            "checkpointsSigned": signed,
        }));
    }
    Ok(signers)
}
