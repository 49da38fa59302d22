//! The real-name registry.

use alloy_primitives::Address;
use serde_json::{Value, json};
use tbsi_governance::identifiers::{check_lei, check_tax_id};

use super::counts::series;
use super::{Answer, Context, Problem, words};
use crate::digest::{Facet, HOUR_MS, number_word};
use crate::limits::POINTS_MAX;
use crate::registry::{
    AccountRecord, CHOICES, KINDS, NodeRecord, OrganisationRecord, Turn, permission_words, word,
};
use crate::said::said;

/// Ballots that are shown.
const BALLOTS_MAX: usize = 100;

/// `/organisations`.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Problem> {
    let (limit, cursor) = (context.params.limit()?, context.params.cursor()?);
    let start = u32::try_from(cursor.unwrap_or(0)).unwrap_or(u32::MAX);
    let registry = context.registry();
    let mut found = registry.organisations.range(start..);
    let mut items = Vec::new();
    let mut next = None;
    for (number, record) in found.by_ref() {
        if items.len() == limit {
            next = Some(number.to_string());
            break;
        }
        let mut item = summary(context, *number, record)?;
        let validates = |node: &&NodeRecord| node.organisation == *number && node.validates;
        item["validators"] = json!(registry.nodes.values().filter(validates).count());
        items.push(item);
    }
    Ok(Answer::json(&json!({
        "size": context.size,
        "items": items,
        "next": next,
        "notKnown": context.missing_acts("/items"),
    })))
}

fn summary(
    context: &Context<'_>,
    number: u32,
    record: &OrganisationRecord,
) -> Result<Value, Problem> {
    let total = context
        .view
        .total(Facet::Organisation, number_word(number.into()))?;
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (tax_id, lei) = (text(&record.tax_id), text(&record.lei));
    Ok(json!({
        "organisation": number,
        "name": context.name(number),
        "kind": record.kind.and_then(|code| word(&KINDS, code)),
        "status": record.status,
        "votes": record.votes,
        "taxIdValid": tax_id.as_ref().map(|id| check_tax_id(id).is_ok()),
        "taxId": tax_id,
        "leiValid": lei.as_ref().map(|id| check_lei(id).is_ok()),
        "lei": lei,
        "jurisdiction": record.jurisdiction,
        "contactUrl": record.contact_url,
        "leaves": total.map_or(0, |total| total.count),
        "lastMs": total.map(|total| total.last_ms),
    }))
}

/// `/organisations/{organisation}`.
pub(super) fn one(context: &Context<'_>, number: &str) -> Result<Answer, Problem> {
    let number: Option<u32> = number.parse().ok();
    let Some(number) = number else {
        return Err(Problem::parameter(
            "organisation",
            &said("a whole number is expected", "應為整數"),
        ));
    };
    let registry = context.registry();
    let Some(record) = registry.organisation(number) else {
        return Err(Problem::not_found(&said(
            format!("Neither genesis nor an act that is known names organisation {number}."),
            format!("創世檔與已知的治理行為均無第 {number} 號機構。"),
        )));
    };
    let mut answer = summary(context, number, record)?;
    answer["agreementHash"] = json!(record.agreement_hash);
    answer["credentialHash"] = json!(record.credential_hash);
    let nodes = registry.nodes.iter();
    let nodes = nodes.filter(|(_, node)| node.organisation == number);
    answer["nodes"] = nodes
        .map(|(number, node)| node_json(*number, node))
        .collect();
    let accounts = registry.accounts.iter();
    let accounts = accounts.filter(|(_, it)| it.organisation == number && it.permissions != 0);
    answer["accounts"] = accounts
        .map(|(account, record)| account_json(context, account, record))
        .collect();
    answer["standing"] = record.turns.iter().map(turn_json).collect();
    answer["votesCast"] = json!(votes(context, number));
    let last = context.time_ms()?;
    let from = last.saturating_sub(HOUR_MS * (POINTS_MAX - 1));
    let of = (Facet::Organisation, number_word(number.into()));
    answer["series"] = series(context, Some(of), HOUR_MS, (from, last))?;
    answer["service"] = Value::Null;
    answer["size"] = json!(context.size);
    let mut not_known = vec![words::not_known("/service", "notInLog")];
    for field in [
        "kind",
        "votes",
        "taxId",
        "lei",
        "jurisdiction",
        "contactUrl",
    ] {
        if answer[field].is_null() {
            not_known.push(words::not_known(&format!("/{field}"), "noRegistry"));
        }
    }
    not_known.extend(context.missing_acts("/standing"));
    answer["notKnown"] = json!(not_known);
    Ok(Answer::json(&answer))
}

fn node_json(number: u32, node: &NodeRecord) -> Value {
    let keys = node.keys.iter().map(|key| {
        let possession = match (key.since.position, key.kind) {
            (_, "postQuantum") => "none",
            (None, _) => "founding",
            (Some(_), _) => "contract",
        };
        json!({
            "kind": key.kind,
            "key": key.key,
            "sinceHeight": key.since.height,
            "possession": possession,
            "position": key.since.position,
        })
    });
    json!({
        "node": number,
        "name": node.name,
        "endpoint": node.endpoint,
        "version": node.version,
        "validates": node.validates,
        "power": node.power,
        "status": node.status,
        "keys": keys.collect::<Vec<_>>(),
    })
}

fn account_json(context: &Context<'_>, account: &Address, record: &AccountRecord) -> Value {
    let chain = context.known.trust.chain().chain_id;
    json!({
        "account": account,
        "permissions": permission_words(record.permissions),
        "sinceHeight": record.since.height,
        "position": record.since.position,
        "did": format!("did:pkh:eip155:{chain}:{account:#x}"),
    })
}

fn turn_json(turn: &Turn) -> Value {
    json!({
        "what": turn.what,
        "height": turn.since.height,
        "timeMs": turn.since.time_ms,
        "position": turn.since.position,
        "reason": turn.reason,
        "evidenceHash": turn.evidence,
        "nameZhTw": turn.names.as_ref().map(|(zh_tw, _)| zh_tw),
        "nameEn": turn.names.as_ref().map(|(_, en)| en),
    })
}

fn votes(context: &Context<'_>, number: u32) -> Vec<Value> {
    let mut votes = Vec::new();
    for (motion, record) in context.registry().motions.iter().rev() {
        let own = record.ballots.iter();
        for ballot in own.filter(|ballot| ballot.organisation == number) {
            votes.push(json!({
                "motion": motion,
                "choice": word(&CHOICES, ballot.choice),
                "timeMs": ballot.since.time_ms,
                "position": ballot.since.position,
            }));
        }
        if votes.len() >= BALLOTS_MAX {
            break;
        }
    }
    votes.truncate(BALLOTS_MAX);
    votes
}
