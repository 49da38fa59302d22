//! Finding what somebody has in hand.

use alloy_primitives::{Address, B256, hex};
use serde_json::{Value, json};
use tbsi_types::log::{Lookup, Statement};

use super::attestation::first_of;
use super::{Answer, Context, Params, Problem, words};
use crate::digest::Facet;
use crate::limits::{HITS_MAX, QUERY_BYTES_MAX};
use crate::said::{Said, said};
use crate::source::SourceKind;

const HITS: u64 = 20;

/// What was found, and what the query could be.
#[derive(Default)]
struct Findings {
    hits: Vec<Value>,
    understood: Vec<&'static str>,
    more: bool,
    not_known: Vec<Value>,
}

impl Findings {
    fn understand(&mut self, by: &'static str) {
        if !self.understood.contains(&by) {
            self.understood.push(by);
        }
    }

    fn hit(&mut self, what: &str, by: &'static str, label: &Said, link: String) -> &mut Value {
        self.hits.push(json!({
            "what": what,
            "by": by,
            "label": label.en,
            "labelZhTw": label.zh_tw,
            "link": link,
            "position": null,
            "proven": true,
        }));
        self.hits.last_mut().expect("one was pushed")
    }

    fn leaf(&mut self, what: &str, by: &'static str, position: u64) -> &mut Value {
        let label = said(format!("leaf {position}"), format!("第 {position} 筆"));
        let hit = self.hit(what, by, &label, format!("/attestations/{position}"));
        hit["position"] = json!(position);
        hit
    }
}

fn query(params: &Params) -> Result<String, Problem> {
    let wrong = || {
        Problem::parameter(
            "q",
            &said(
                format!("1 to {QUERY_BYTES_MAX} bytes of text are expected"),
                format!("應為 1 至 {QUERY_BYTES_MAX} 位元組的文字"),
            ),
        )
    };
    let text = params.get("q").ok_or_else(wrong)?.trim();
    if text.is_empty() || text.len() > QUERY_BYTES_MAX {
        return Err(wrong());
    }
    let is_hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = is_hex.unwrap_or(text);
    let looks_hex = digits.len() >= 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(if looks_hex {
        format!("0x{}", digits.to_ascii_lowercase())
    } else {
        text.to_owned()
    })
}

/// The query as 32 bytes, which may be the hash of a transaction.
pub(super) fn as_hash(params: &Params) -> Option<B256> {
    query(params).ok()?.parse().ok()
}

/// `/search`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let text = query(context.params)?;
    let limit = context.params.number("limit", (1, HITS_MAX))?;
    let limit = usize::try_from(limit.unwrap_or(HITS)).expect("it is small");
    let mut found = Findings::default();
    if let Some(digits) = text.strip_prefix("0x") {
        by_bytes(context, &mut found, digits)?;
    }
    by_name(context, &mut found, &text);
    by_number(context, &mut found, &text)?;
    found.more |= found.hits.len() > limit;
    found.hits.truncate(limit);
    found.not_known.extend(context.missing_acts("/hits"));
    Ok(Answer::json(&json!({
        "query": text,
        "understoodAs": found.understood,
        "hits": found.hits,
        "more": found.more,
        "size": context.size,
        "notKnown": found.not_known,
    })))
}

fn by_bytes(context: &Context<'_>, found: &mut Findings, digits: &str) -> Result<(), Problem> {
    let Ok(bytes) = hex::decode(digits) else {
        return Ok(());
    };
    if let Ok(account) = Address::try_from(bytes.as_slice()) {
        by_account(context, found, account, "account")?;
    }
    if let Some(lookup) = Lookup::digest(&bytes).filter(|_| bytes.len() >= 28) {
        found.understand("digest");
        let (leaves, more) = context.view.find(&lookup)?;
        found.more |= more;
        for leaf in leaves {
            found.leaf("attestation", "digest", leaf.position);
        }
    }
    if let Ok(hash) = B256::try_from(bytes.as_slice()) {
        by_hash(context, found, hash)?;
    }
    Ok(())
}

fn by_hash(context: &Context<'_>, found: &mut Findings, hash: B256) -> Result<(), Problem> {
    found.understand("id");
    if let Some(leaf) = first_of(context, hash)? {
        found.leaf("attestation", "id", leaf.position);
    }
    found.understand("schema");
    let built_in = words::schema_name(hash);
    let (registered, _) = context.view.find(&Lookup::Schema(hash))?;
    let is_used = context.view.total(Facet::Schema, hash)?.is_some();
    if built_in.is_some() || is_used || !registered.is_empty() {
        let name = built_in.map_or_else(|| hash.to_string(), str::to_owned);
        let link = format!("/attestations?schema={hash}");
        let position = registered.first().map(|leaf| leaf.position);
        let hit = found.hit("schema", "schema", &said(name.clone(), name), link);
        hit["position"] = json!(position);
    }
    found.understand("transaction");
    if let Some((first, count)) = context.beside.transaction {
        for position in (first.0..first.0.saturating_add(count)).take(50) {
            if position < context.size {
                let hit = found.leaf("leaf", "transaction", position);
                hit["proven"] = json!(false);
            }
        }
    } else if context
        .shared
        .sources
        .iter()
        .all(|source| source.kind == SourceKind::Tiles)
    {
        found.not_known.push(words::not_known("/hits", "noNode"));
    }
    Ok(())
}

fn by_account(
    context: &Context<'_>,
    found: &mut Findings,
    account: Address,
    by: &'static str,
) -> Result<(), Problem> {
    found.understand(by);
    let registry = context.registry();
    let number = registry.organisation_of(&account);
    if let Some((number, record)) = number.and_then(|it| Some((it, registry.organisation(it)?))) {
        let name = said(record.name_en.clone(), record.name_zh_tw.clone());
        found.hit(
            "organisation",
            by,
            &name,
            format!("/organisations/{number}"),
        );
    }
    if context
        .view
        .total(Facet::Issuer, account.into_word())?
        .is_some()
    {
        let shown = format!("{account:#x}");
        let link = format!("/attestations?issuer={shown}");
        found.hit("account", by, &said(shown.clone(), shown), link);
    }
    if let Some(node) = registry.node_of(account) {
        found.understand("validator");
        let link = format!("/organisations/{}", node.organisation);
        found.hit(
            "validator",
            "validator",
            &said(node.name.clone(), node.name.clone()),
            link,
        );
    }
    Ok(())
}

/// Names, identifiers, DIDs and chains.
fn by_name(context: &Context<'_>, found: &mut Findings, text: &str) {
    let lower = text.to_lowercase();
    if let Some(rest) = lower.strip_prefix("did:pkh:eip155:")
        && let Some((_, account)) = rest.rsplit_once(':')
        && let Ok(account) = account.parse()
    {
        // An index that cannot be read is told of by what comes after.
        by_account(context, found, account, "did").ok();
        return;
    }
    if text.len() < 2 || text.starts_with("0x") {
        return;
    }
    found.understand("name");
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        found.understand("taxId");
    }
    if text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        found.understand("lei");
    }
    for (number, record) in &context.registry().organisations {
        let is = |id: &Option<String>| id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(text));
        let named =
            record.name_en.to_lowercase().contains(&lower) || record.name_zh_tw.contains(text);
        let by = if is(&record.tax_id) {
            "taxId"
        } else if is(&record.lei) {
            "lei"
        } else if named {
            "name"
        } else {
            continue;
        };
        let name = said(record.name_en.clone(), record.name_zh_tw.clone());
        found.hit(
            "organisation",
            by,
            &name,
            format!("/organisations/{number}"),
        );
    }
    if text.contains(':') {
        found.understand("caip2");
        let chains = &context.registry().chains;
        for record in chains.values().filter(|record| record.caip2 == text) {
            let label = said(record.caip2.clone(), record.caip2.clone());
            found.hit("chain", "caip2", &label, "/chains".into());
        }
    }
}

fn by_number(context: &Context<'_>, found: &mut Findings, text: &str) -> Result<(), Problem> {
    let number: Option<u64> = text.parse().ok();
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    let Some(number) = number else {
        return Ok(());
    };
    found.understand("position");
    if number < context.size {
        let leaf = context.view.leaf(number)?;
        let attests = leaf.is_some_and(|it| matches!(it.leaf.statement, Statement::Attestation(_)));
        let what = if attests { "attestation" } else { "leaf" };
        found.leaf(what, "position", number);
    }
    found.understand("height");
    if let Some(bundle) = context.view.bundle_of_height(number)? {
        let leaves = context.view.leaves(bundle)?;
        if leaves.iter().any(|it| it.leaf.head.height.0 == number) {
            let label = said(format!("height {number}"), format!("高度 {number}"));
            let link = format!("/attestations?kind=any&height={number}");
            found.hit("block", "height", &label, link);
        }
    }
    found.understand("motion");
    let motion = u32::try_from(number).ok();
    let motion = motion.filter(|it| context.registry().motions.contains_key(it));
    if let Some(motion) = motion {
        let label = said(format!("motion {motion}"), format!("第 {motion} 號動議"));
        found.hit("motion", "motion", &label, format!("/motions/{motion}"));
    }
    Ok(())
}
