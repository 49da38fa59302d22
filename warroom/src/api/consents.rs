//! Who may use whose data set, and who said that it did.

use serde_json::{Value, json};
use tbsi_types::AuthorisedTerms;

use super::{Answer, Context, Problem};
use crate::registry::{AuthorisationRecord, AuthorisationStep, UseRecord};
use crate::said::said;

const STATES: [&str; 4] = ["offered", "active", "over", "revoked"];

/// `/consents`.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Problem> {
    let params = context.params;
    let (limit, cursor) = (params.limit()?, params.cursor()?);
    let wanted = params.choice("status", &STATES)?.map(|place| STATES[place]);
    let party = params.number("organisation", (1, u32::MAX.into()))?;
    let data_set = params.hash("dataSet")?;
    let time = context.time_ms()?;
    let end = cursor.and_then(|it| u32::try_from(it).ok());
    let end = end.unwrap_or(u32::MAX);
    let found = context.registry().authorisations.range(..end).rev();
    let found = found.filter(|(_, it)| {
        let of = |number: u32| party.is_none_or(|party| party == u64::from(number));
        wanted.is_none_or(|wanted| it.status(time) == wanted)
            && (of(it.grantor) || of(it.grantee))
            && data_set.is_none_or(|wanted| it.data_set == wanted)
    });
    let mut items = Vec::new();
    let mut next = None;
    for (number, record) in found {
        if items.len() == limit {
            next = Some((number + 1).to_string());
            break;
        }
        items.push(summary(context, *number, record, time));
    }
    Ok(Answer::json(&json!({
        "size": context.size,
        "items": items,
        "next": next,
        "notKnown": context.missing_acts("/items"),
    })))
}

/// `/consents/{consent}`.
pub(super) fn one(context: &Context<'_>, number: &str) -> Result<Answer, Problem> {
    let number: Option<u32> = number.parse().ok();
    let Some(number) = number else {
        return Err(Problem::parameter(
            "consent",
            &said("a whole number is expected", "應為整數"),
        ));
    };
    let Some(record) = context.registry().authorisations.get(&number) else {
        return Err(Problem::not_found(&said(
            format!("No act that is known offers authorisation {number}."),
            format!("已知的紀錄中沒有第 {number} 號授權。"),
        )));
    };
    let time = context.time_ms()?;
    let mut answer = summary(context, number, record, time);
    let acts = record.acts.iter().map(|it| act_json(context, it));
    let uses = record.uses.iter().rev().map(use_json);
    answer["acts"] = json!(acts.collect::<Vec<_>>());
    answer["usesShown"] = json!(uses.collect::<Vec<_>>());
    answer["notKnown"] = json!(context.missing_acts("/acts"));
    Ok(Answer::json(&answer))
}

fn summary(context: &Context<'_>, number: u32, record: &AuthorisationRecord, time: u64) -> Value {
    json!({
        "consent": number,
        "grantor": record.grantor,
        "grantorName": context.name(record.grantor),
        "grantee": record.grantee,
        "granteeName": context.name(record.grantee),
        "dataSet": record.data_set,
        "status": record.status(time),
        "versions": record.versions,
        "terms": record.terms.as_ref().map(terms_json),
        "offered": record.offered.as_ref().map(terms_json),
        "begunMs": record.begun.map(|it| it.time_ms),
        "revokedMs": record.revoked.map(|it| it.time_ms),
        "uses": record.uses_total,
    })
}

fn terms_json(terms: &AuthorisedTerms) -> Value {
    json!({
        "agreement": terms.agreement,
        "fromMs": terms.from.saturating_mul(1_000),
        "untilMs": terms.until.saturating_mul(1_000),
        "purposes": terms.purposes,
    })
}

fn act_json(context: &Context<'_>, act: &AuthorisationStep) -> Value {
    json!({
        "what": act.what,
        "by": act.by,
        "name": context.name(act.by),
        "account": act.account,
        "version": act.version,
        "terms": act.terms.as_ref().map(terms_json),
        "reason": act.reason,
        "timeMs": act.since.time_ms,
        "position": act.since.position,
    })
}

fn use_json(one: &UseRecord) -> Value {
    json!({
        "version": one.version,
        "account": one.account,
        "purpose": one.purpose,
        "subject": one.subject,
        "timeMs": one.since.time_ms,
        "position": one.since.position,
    })
}
