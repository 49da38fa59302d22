//! Other chains: registered, written to, or brought facts of.

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use serde_json::{Value, json};
use tbsi_types::log::Assurance;

use super::counts::word_number;
use super::{Answer, Context, Problem, words};
use crate::digest::{Facet, number_word};
use crate::store::Total;

const CHAINS_MAX: u64 = 500;
/// The same of what is shown.
const ITEMS_MAX: usize = 500;

/// `/chains`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let mut items: BTreeMap<B256, Value> = BTreeMap::new();
    for (number, record) in &context.registry().chains {
        let destination = keccak256(record.caip2.as_bytes());
        let item = json!({
            "chain": number,
            "caip2": record.caip2,
            "technology": record.technology,
            "operator": record.operator,
            "operatorName": context.name(record.operator),
            "status": if record.status == 1 { "active" } else { "retired" },
            "contactUrl": record.contact_url,
            "position": record.since.position,
        });
        items.insert(destination, item);
    }
    for total in context.view.totals(Facet::Destination, CHAINS_MAX)? {
        let item = items
            .entry(total.word)
            .or_insert_with(|| unregistered(None));
        item["messages"] = json!(total.count);
        newest(item, &total);
    }
    for total in context.view.totals(Facet::ForeignChain, CHAINS_MAX)? {
        let chain_id = word_number(total.word);
        let caip2 = format!("eip155:{chain_id}");
        let destination = keccak256(caip2.as_bytes());
        let item = items
            .entry(destination)
            .or_insert_with(|| unregistered(Some(caip2)));
        item["facts"] = json!(total.count);
        item["assurances"] = json!(assurances(context, chain_id)?);
        newest(item, &total);
    }
    let mut all = Vec::new();
    let mut not_known = context.missing_acts("/items");
    for (destination, mut item) in items.into_iter().take(ITEMS_MAX) {
        item["destination"] = json!(destination);
        item["received"] = Value::Null;
        for (field, absent) in [
            ("messages", json!(0)),
            ("facts", json!(0)),
            ("assurances", json!([])),
            ("newestMs", Value::Null),
        ] {
            if item[field].is_null() {
                item[field] = absent;
            }
        }
        let place = all.len();
        let field = format!("/items/{place}/received");
        not_known.push(words::not_known(&field, "notInLog"));
        all.push(item);
    }
    Ok(Answer::json(&json!({
        "size": context.size, "items": all, "notKnown": not_known,
    })))
}

fn unregistered(caip2: Option<String>) -> Value {
    json!({
        "chain": null, "caip2": caip2, "technology": null, "operator": null,
        "operatorName": null, "status": null, "contactUrl": null, "position": null,
    })
}

fn newest(item: &mut Value, total: &Total) {
    let known = item["newestMs"].as_u64().unwrap_or(0);
    item["newestMs"] = json!(known.max(total.last_ms));
}

fn assurances(context: &Context<'_>, chain_id: u64) -> Result<Vec<Value>, Problem> {
    let mut found = Vec::new();
    for assurance in Assurance::ALL {
        let code = assurance.code();
        let word = chain_id.saturating_mul(256).saturating_add(code.into());
        if let Some(total) = context.view.total(Facet::Assurance, number_word(word))? {
            found.push(json!({
                "assurance": code, "label": assurance.label(), "count": total.count,
            }));
        }
    }
    Ok(found)
}
