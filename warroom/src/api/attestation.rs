//! One leaf, and all that the log says of it.

use alloy_primitives::{Address, B256, Bytes};
use serde_json::{Value, json};
use tbsi_types::bundle::describe;
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::status::ALGORITHM_REVOKED;
use tbsi_types::log::{Attestation, AttestationStatus, GOVERNOR, Lookup, Statement, TlogProof};
use tbsi_types::{LeafIndex, ProofBundle};

use super::leaves::issuer_name;
use super::{Answer, Context, Problem, words};
use crate::digest::successor_key;
use crate::limits::HISTORY_MAX;
use crate::said::said;
use crate::store::IndexedLeaf;

/// The leaf at a position that is indexed.
fn leaf_at(context: &Context<'_>, position: &str) -> Result<IndexedLeaf, Problem> {
    let number: Option<u64> = position.parse().ok();
    let number = number.filter(|number| number.to_string() == position);
    let Some(number) = number else {
        return Err(Problem::parameter(
            "position",
            &said("a whole number is expected", "應為整數"),
        ));
    };
    let size = context.size;
    let outside = || {
        Problem::not_found(&said(
            format!(
                "The log has {size} leaves as far as it is indexed; there is none at position {number}."
            ),
            format!("已建立索引的日誌共 {size} 筆；位置 {number} 沒有條目。"),
        ))
    };
    if number >= size {
        return Err(outside());
    }
    context.view.leaf(number)?.ok_or_else(outside)
}

/// What is known of a schema.
pub(super) struct SchemaFacts {
    pub(super) json: Value,
    pub(super) revocable: bool,
}

/// A schema, as the leaf that registers it says, or as it is built in.
pub(super) fn schema(context: &Context<'_>, schema: B256) -> Result<SchemaFacts, Problem> {
    let built_in = BUILT_IN_SCHEMAS.iter().position(|known| *known == schema);
    let name = words::schema_name(schema);
    if let Some(place) = built_in {
        let code = u8::try_from(place + 1).ok();
        let (en, zh_tw) = words::commits_to(code);
        let json = json!({
            "schema": schema, "name": name, "commitsTo": code, "revocable": true,
            "textHash": null, "owner": GOVERNOR, "registeredAt": null, "en": en, "zhTw": zh_tw,
        });
        return Ok(SchemaFacts {
            json,
            revocable: true,
        });
    }
    let (found, _) = context.view.find(&Lookup::Schema(schema))?;
    let registered = found.first().and_then(|it| {
        let Statement::SchemaRegistered {
            text_hash,
            commits_to,
            revocable,
            ..
        } = it.leaf.statement
        else {
            return None;
        };
        Some((it, text_hash, commits_to, revocable))
    });
    let code = registered.map(|(_, _, code, _)| code);
    let (en, zh_tw) = words::commits_to(code);
    let json = json!({
        "schema": schema,
        "name": name,
        "commitsTo": code,
        "revocable": registered.map(|(.., revocable)| revocable),
        "textHash": registered.map(|(_, hash, ..)| hash),
        "owner": registered.map(|(it, ..)| it.leaf.head.issuer),
        "registeredAt": registered.map(|(it, ..)| it.position),
        "en": en,
        "zhTw": zh_tw,
    });
    Ok(SchemaFacts {
        json,
        revocable: registered.is_some_and(|(.., revocable)| revocable),
    })
}

/// All leaves that bear on an attestation, in the order of the log.
pub(super) struct Bearings {
    pub(super) leaves: Vec<IndexedLeaf>,
    pub(super) status: AttestationStatus,
    pub(super) verdict: &'static str,
    more: bool,
}

/// What the log says of an attestation (SPEC §12.4).
pub(super) fn bearings(
    context: &Context<'_>,
    id: B256,
    issuer: Address,
    attestation: &Attestation,
) -> Result<Bearings, Problem> {
    let revocable = schema(context, attestation.schema)?.revocable;
    let lookups = [
        Lookup::Attestation(id),
        Lookup::Revocation(id, issuer),
        Lookup::Supersession(id, issuer),
        Lookup::Countersigning(id),
        Lookup::Countersignature(id),
    ];
    let mut leaves = Vec::new();
    let mut more = false;
    for lookup in &lookups {
        let (found, further) = context.view.find(lookup)?;
        leaves.extend(found);
        more |= further;
    }
    leaves.sort_by_key(|leaf| leaf.position);
    let numbered = leaves.iter().map(|it| (LeafIndex(it.position), &it.leaf));
    let status = AttestationStatus::of(id, issuer, revocable, numbered);
    let algorithm = context
        .view
        .find(&Lookup::Algorithm(attestation.algorithm))?;
    let revoked = algorithm.0.last().is_some_and(|it| {
        matches!(it.leaf.statement, Statement::AlgorithmSet { status, .. } if status == ALGORITHM_REVOKED)
    });
    let verdict = if status.revocation.is_some() {
        "revoked"
    } else if revoked {
        "algorithmRevoked"
    } else if status.supersession.is_some() {
        "superseded"
    } else {
        "stands"
    };
    Ok(Bearings {
        leaves,
        status,
        verdict,
        more,
    })
}

/// `/attestations/{position}`.
pub(super) fn answer(context: &Context<'_>, position: &str) -> Result<Answer, Problem> {
    let indexed = leaf_at(context, position)?;
    let head = indexed.leaf.head;
    let position = indexed.position;
    let id = indexed.leaf.attestation_id();
    let mut answer = json!({
        "position": position,
        "leaf": Bytes::copy_from_slice(&indexed.bytes),
        "statement": describe(&indexed.leaf),
        "issuerName": issuer_name(context, &indexed),
        "id": id,
        "schema": null,
        "verdict": null,
        "history": [],
        "historyMore": false,
        "relayed": null,
        "act": act(context, &indexed)?,
        "size": context.size,
        "links": links(context, position, id),
    });
    let mut not_known = vec![words::not_known("/relayed", "notInLog")];
    if let (Some(id), Statement::Attestation(attestation)) = (id, &indexed.leaf.statement) {
        let facts = schema(context, attestation.schema)?;
        let bearings = bearings(context, id, head.issuer, attestation)?;
        let (history, more) = history(context, id, &bearings)?;
        answer["schema"] = facts.json;
        answer["verdict"] = json!(bearings.verdict);
        answer["history"] = json!(history);
        answer["historyMore"] = json!(more);
        if !answer["schema"]["textHash"].is_null() {
            not_known.push(words::not_known("/schema/name", "schemaText"));
        }
    }
    let governance = matches!(indexed.leaf.statement, Statement::GovernanceAct { .. });
    if governance && answer["act"].is_null() {
        not_known.push(words::not_known("/act", "noActs"));
    }
    if answer["issuerName"].is_null() {
        not_known.push(words::not_known("/issuerName", "noRegistry"));
    }
    for (link, code) in [("bundle", "noCertificate"), ("tlogProof", "noCosignatures")] {
        if answer["links"][link].is_null() {
            not_known.push(words::not_known(&format!("/links/{link}"), code));
        }
    }
    answer["notKnown"] = json!(not_known);
    Ok(Answer::json(&answer))
}

fn links(context: &Context<'_>, position: u64, id: Option<B256>) -> Value {
    let log = context.known.log.as_deref();
    let bundled = log.and_then(|log| log.decision());
    let bundled = bundled.filter(|it| it.checkpoint.log_size.0 > position);
    let noted = log.and_then(|log| log.note.as_ref());
    let noted = noted.filter(|(_, size, _)| size.0 > position);
    json!({
        "bundle": bundled.map(|_| format!("/attestations/{position}/bundle")),
        "tlogProof": noted.map(|_| format!("/attestations/{position}/tlog-proof")),
        "provenance": id.map(|id| format!("/provenance?id={id}")),
    })
}

fn act(context: &Context<'_>, indexed: &IndexedLeaf) -> Result<Value, Problem> {
    let acts = context.view.acts_of(indexed.position / 256)?;
    let mut acts = acts.iter();
    let act = acts.find(|act| act.leaf.position.0 == indexed.position);
    let Some(act) = act else {
        return Ok(Value::Null);
    };
    let (event, said) = context.registry().words(act);
    Ok(json!({
        "event": event,
        "contract": act.leaf.contract,
        "topics": act.topics,
        "data": Bytes::copy_from_slice(&act.data),
        "en": said.en,
        "zhTw": said.zh_tw,
    }))
}

/// The events of an attestation, and whether there are more than are shown.
fn history(
    context: &Context<'_>,
    id: B256,
    bearings: &Bearings,
) -> Result<(Vec<Value>, bool), Problem> {
    let (earlier, further) = context.view.find_by(successor_key(id), |leaf| {
        matches!(leaf.statement, Statement::Supersession { successor, .. } if successor == id)
    })?;
    let mut more = bearings.more || further;
    let mut first = true;
    let mut events = Vec::new();
    let mut all: Vec<(&IndexedLeaf, bool)> = bearings.leaves.iter().map(|it| (it, false)).collect();
    all.extend(earlier.iter().map(|it| (it, true)));
    all.sort_by_key(|(leaf, _)| leaf.position);
    for (leaf, is_earlier) in all {
        if events.len() == HISTORY_MAX {
            more = true;
            break;
        }
        events.push(event(context, bearings, leaf, is_earlier, first)?);
        first &= leaf.leaf.attestation_id() != Some(id);
    }
    Ok((events, more))
}

fn event(
    context: &Context<'_>,
    bearings: &Bearings,
    indexed: &IndexedLeaf,
    is_earlier: bool,
    first: bool,
) -> Result<Value, Problem> {
    let head = indexed.leaf.head;
    let mut value = json!({
        "what": "attested",
        "position": indexed.position,
        "height": head.height,
        "timeMs": head.time,
        "issuer": head.issuer,
        "issuerName": issuer_name(context, indexed),
        "counts": true,
        "reason": null, "other": null, "otherPosition": null,
        "have": null, "need": null, "deadlineS": null,
    });
    let here = Some(LeafIndex(indexed.position));
    let status = &bearings.status;
    match indexed.leaf.statement {
        Statement::Attestation(_) => {
            value["what"] = json!(if first { "attested" } else { "repeated" });
        }
        Statement::Revocation { reason, .. } => {
            value["what"] = json!("revoked");
            value["reason"] = json!(reason);
            value["counts"] = json!(status.revocation.map(|it| it.index) == here);
        }
        Statement::Supersession { id, successor } => {
            let other = if is_earlier { id } else { successor };
            value["what"] = json!(if is_earlier {
                "supersedes"
            } else {
                "superseded"
            });
            value["other"] = json!(other);
            let attested = first_of(context, other)?;
            // Only the issuer of what is superseded can say so.
            value["counts"] = json!(if is_earlier {
                attested
                    .as_ref()
                    .is_some_and(|it| it.leaf.head.issuer == head.issuer)
            } else {
                status.supersession.map(|it| it.index) == here
            });
            value["otherPosition"] = json!(attested.map(|it| it.position));
        }
        Statement::CountersigningOpened {
            threshold,
            deadline,
            ..
        } => {
            value["what"] = json!("countersigningOpened");
            value["need"] = json!(threshold);
            value["deadlineS"] = json!(deadline);
            value["counts"] = json!(status.countersigning.map(|it| it.index) == here);
        }
        Statement::Countersignature { have, need, .. } => {
            value["what"] = json!("countersigned");
            value["have"] = json!(have);
            value["need"] = json!(need);
        }
        // None of these is found by an id.
        Statement::SchemaRegistered { .. }
        | Statement::AlgorithmSet { .. }
        | Statement::MapRoot(_)
        | Statement::GovernanceAct { .. }
        | Statement::Message { .. }
        | Statement::ForeignFact(_) => {}
    }
    Ok(value)
}

/// The first attestation with an id.
pub(super) fn first_of(context: &Context<'_>, id: B256) -> Result<Option<IndexedLeaf>, Problem> {
    let (found, _) = context.view.find(&Lookup::Attestation(id))?;
    Ok(found.into_iter().next())
}

/// `/attestations/{position}/bundle`.
pub(super) fn bundle(context: &Context<'_>, position: &str) -> Result<Answer, Problem> {
    let indexed = leaf_at(context, position)?;
    let bundle = make_bundle(context, &indexed)?;
    let json = bundle
        .to_json()
        .map_err(|error| Problem::index(&error.to_string()))?;
    Ok(Answer::text("application/json; charset=utf-8", json))
}

/// The proof of a leaf under the newest verified checkpoint that the index reaches.
pub(super) fn make_bundle(
    context: &Context<'_>,
    indexed: &IndexedLeaf,
) -> Result<ProofBundle, Problem> {
    let log = context.known.log.as_deref();
    let decided = log.and_then(|log| Some((log, log.decision()?)));
    let Some((log, decision)) = decided else {
        return Err(Problem::not_known(&said(
            "The source shows no commit certificate, so there is no proof bundle; the .tlog-proof has \
             cosignatures, and a node has bundles.",
            "來源未提供決議憑證，因此沒有證明檔；.tlog-proof 含有聯署，節點則有證明檔。",
        )));
    };
    let size = decision.checkpoint.log_size.0;
    let inclusion = context.view.inclusion(indexed.position, size);
    let Some(inclusion) = inclusion else {
        return Err(Problem::not_known(&said(
            "The newest checkpoint does not cover this leaf yet; ask again.",
            "最新檢查點尚未涵蓋此條目；請稍後再試。",
        )));
    };
    let Some(handovers) = context.known.trust.bundled(log.handovers) else {
        return Err(Problem::not_known(&said(
            "A bundle from genesis would need more than 256 handovers; `tbsi prove --from` asks a node \
             for one that begins later.",
            "從創世檔起的證明檔需要超過 256 次交接；請以 `tbsi prove --from` 向節點索取較晚起始的證明檔。",
        )));
    };
    Ok(ProofBundle {
        genesis_hash: context.known.trust.chain().genesis_hash,
        leaf: indexed.bytes.clone(),
        leaf_index: LeafIndex(indexed.position),
        inclusion,
        decision: decision.clone(),
        validators: log.validators.clone(),
        handovers: handovers.to_vec(),
    })
}

/// `/attestations/{position}/tlog-proof`.
pub(super) fn tlog_proof(context: &Context<'_>, position: &str) -> Result<Answer, Problem> {
    let indexed = leaf_at(context, position)?;
    let log = context.known.log.as_deref();
    let note = log.and_then(|log| log.note.as_ref());
    let note = note.filter(|(_, size, _)| size.0 > indexed.position);
    let proof = note.and_then(|(note, size, _)| {
        Some(TlogProof {
            extra: None,
            index: LeafIndex(indexed.position),
            inclusion: context.view.inclusion(indexed.position, size.0)?,
            note: note.clone(),
        })
    });
    let Some(proof) = proof else {
        return Err(Problem::not_known(&said(
            "No note that a quorum cosigned covers this leaf yet; ask again, or take the bundle.",
            "尚無經法定多數聯署的日誌檢查點涵蓋此條目；請稍後再試，或改取證明檔。",
        )));
    };
    Ok(Answer::text("text/plain; charset=utf-8", proof.encode()))
}
