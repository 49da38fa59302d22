//! The chain at a glance.

use alloy_primitives::B256;
use serde_json::{Value, json};

use super::counts::{kind_name, series, word_number};
use super::{Answer, Context, Problem, status, words};
use crate::digest::{Facet, HOUR_MS, MINUTE_MS, number_word};
use crate::limits::{MISSING_MS, MISSING_SEEN_MIN, NOW_ROWS_MAX};

const DAY_MS: u64 = 24 * HOUR_MS;

/// `/now`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let log = context.known.log.as_deref();
    let decision = log.and_then(|log| log.decision());
    let time = decision.map(|it| it.checkpoint.time.0);
    let now = context.beside.now_ms;
    let last_ms = context.time_ms()?;
    let attestations = context.view.total(Facet::Kind, number_word(1))?;
    let validators = status::signers(context)?;
    let day = last_ms.saturating_sub(DAY_MS - 1);
    let routes = routes(context)?;
    let mut not_known = Vec::new();
    if decision.is_none() {
        for field in ["/height", "/timeMs", "/ageMs"] {
            not_known.push(words::not_known(field, "noCertificate"));
        }
    }
    for place in 0..routes.len() {
        let field = format!("/routes/{place}/pending");
        not_known.push(words::not_known(&field, "notInLog"));
    }
    not_known.extend(context.missing_acts("/byOrganisation"));
    Ok(Answer::json(&json!({
        "size": context.size,
        "height": decision.map(|it| it.checkpoint.height),
        "timeMs": time,
        "ageMs": time.map(|time| now.saturating_sub(time)),
        "blockIntervalMs": interval(context)?,
        "rates": {
            "lastMinute": rate(context, last_ms, MINUTE_MS)?,
            "lastHour": rate(context, last_ms, HOUR_MS)?,
            "lastDay": rate(context, last_ms, DAY_MS)?,
        },
        "attestations": attestations.map_or(0, |total| total.count),
        "byOrganisation": by_organisation(context)?,
        "bySchema": by_schema(context)?,
        "byKind": by_kind(context)?,
        "series": series(context, None, HOUR_MS, (day, last_ms))?,
        "validators": validators,
        "routes": routes,
        "warnings": warnings(context, &validators)?,
        "alarms": status::alarms(context),
        "notKnown": not_known,
    })))
}

fn interval(context: &Context<'_>) -> Result<Option<u64>, Problem> {
    let seen = context.view.newest_seen()?;
    let [(height, time), (before, time_before)] = seen.as_slice() else {
        return Ok(None);
    };
    let blocks = height.saturating_sub(*before);
    Ok(time.saturating_sub(*time_before).checked_div(blocks))
}

/// Thousandths of a leaf a second in the minutes that end with the last leaf's.
fn rate(context: &Context<'_>, last_ms: u64, span_ms: u64) -> Result<u64, Problem> {
    let from = (last_ms - last_ms % MINUTE_MS).saturating_sub(span_ms - MINUTE_MS);
    let counted = context.view.by_minute((from, last_ms), MINUTE_MS)?;
    let count: u64 = counted.iter().map(|(_, count)| count).sum();
    Ok(count.saturating_mul(1_000_000) / span_ms)
}

fn by_organisation(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let totals = context.view.totals(Facet::Organisation, NOW_ROWS_MAX)?;
    let row = |total: &crate::store::Total| {
        let number = u32::try_from(word_number(total.word)).unwrap_or_default();
        json!({
            "organisation": number,
            "name": context.name(number),
            "count": total.count,
            "lastMs": total.last_ms,
        })
    };
    Ok(totals.iter().map(row).collect())
}

fn by_schema(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let totals = context.view.totals(Facet::Schema, NOW_ROWS_MAX)?;
    let row = |total: &crate::store::Total| {
        json!({
            "schema": total.word,
            "name": words::schema_name(total.word),
            "count": total.count,
            "lastMs": total.last_ms,
        })
    };
    Ok(totals.iter().map(row).collect())
}

fn by_kind(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let mut totals = context.view.totals(Facet::Kind, NOW_ROWS_MAX)?;
    totals.sort_by_key(|total| total.word);
    let row = |total: &crate::store::Total| {
        let code = u8::try_from(word_number(total.word)).unwrap_or_default();
        json!({
            "kind": kind_name(code),
            "count": total.count,
            "lastMs": total.last_ms,
        })
    };
    Ok(totals.iter().map(row).collect())
}

fn routes(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let totals = context.view.totals(Facet::Destination, NOW_ROWS_MAX)?;
    let row = |total: &crate::store::Total| {
        let destination: B256 = total.word;
        let record = context.registry().chain_of(destination);
        json!({
            "destination": destination,
            "caip2": record.map(|(_, record)| &record.caip2),
            "messages": total.count,
            "newestMs": total.last_ms,
            "pending": null,
            "oldestPendingMs": null,
        })
    };
    Ok(totals.iter().map(row).collect())
}

fn warning(code: &str, en: String, zh_tw: String, link: Option<String>) -> Value {
    json!({ "code": code, "en": en, "zhTw": zh_tw, "link": link })
}

/// Whether a validator is missing that was in the set of so many checkpoints and signed one at
/// `last`. That it is not in one certificate says nothing: a quorum is enough for that.
fn is_missing(seen: u64, last: Option<u64>, time: u64) -> bool {
    seen >= MISSING_SEEN_MIN && last.is_none_or(|last| time.saturating_sub(last) > MISSING_MS)
}

fn warnings(context: &Context<'_>, validators: &[Value]) -> Result<Vec<Value>, Problem> {
    let mut warnings = Vec::new();
    let log = context.known.log.as_deref();
    let time = log.and_then(|log| log.decision());
    let time = time.map_or(0, |it| it.checkpoint.time.0);
    let mut silent = 0;
    for validator in validators {
        let seen = validator["checkpointsSeen"].as_u64().unwrap_or(0);
        if !is_missing(seen, validator["lastSignedMs"].as_u64(), time) {
            continue;
        }
        silent += validator["power"].as_u64().unwrap_or(0);
        let en = validator["nameEn"].as_str().unwrap_or_default();
        let zh_tw = validator["nameZhTw"]
            .as_str()
            .filter(|name| !name.is_empty());
        let zh_tw = zh_tw.unwrap_or(en);
        let node = validator["node"].as_str().unwrap_or("?");
        let number = validator["organisation"].as_u64();
        warnings.push(warning(
            "validatorMissing",
            format!("{en} ({node}) signed no checkpoint that was seen in the last ten minutes."),
            format!("{zh_tw}（{node}）未簽署最近十分鐘所見的任何檢查點。"),
            number.map(|number| format!("/organisations/{number}")),
        ));
    }
    if let Some(log) = log.filter(|_| silent > 0) {
        let total = log.validators.total_power().0;
        let power = total.saturating_sub(silent);
        let most = validators
            .iter()
            .filter_map(|it| it["power"].as_u64())
            .max();
        let left = u128::from(power.saturating_sub(most.unwrap_or(0)));
        if left * 3 <= u128::from(total) * 2 {
            warnings.push(warning(
                "quorumThin",
                format!(
                    "Voting power {power} of {total} signs: without one more validator there may \
                     be no quorum."
                ),
                format!("仍在簽署的投票權為 {power}／{total}：再少一個驗證者就可能不足法定多數。"),
                None,
            ));
        }
    }
    warnings.extend(endings(context)?);
    warnings.extend(quotas(context)?);
    if context.size < context.known.signed {
        let behind = context.known.signed - context.size;
        warnings.push(warning(
            "behind",
            format!("{behind} signed leaves are not indexed yet; figures are of those before."),
            format!("尚有 {behind} 筆已簽署的條目未建立索引；數字僅涵蓋之前的條目。"),
            None,
        ));
    }
    warnings.truncate(64);
    Ok(warnings)
}

/// Motions that end within a day, and suspended organisations.
fn endings(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let time = context.time_ms()?;
    let registry = context.registry();
    let open = registry.motions.iter().filter(|(_, motion)| {
        motion.status(time) == "open" && motion.deadline_s * 1000 <= time.saturating_add(DAY_MS)
    });
    let mut warnings: Vec<Value> = open
        .map(|(number, motion)| {
            let effect = registry.effect(motion);
            warning(
                "motionEnding",
                format!("Motion {number} ends within a day: {}", effect.en),
                format!("第 {number} 號動議一天內截止：{}", effect.zh_tw),
                Some(format!("/motions/{number}")),
            )
        })
        .collect();
    let suspended = registry.organisations.iter();
    for (number, record) in suspended.filter(|(_, record)| record.status == "suspended") {
        let zh_tw = match record.name_zh_tw.as_str() {
            "" => &record.name_en,
            name => name,
        };
        warnings.push(warning(
            "setSuspended",
            format!("{} is suspended.", record.name_en),
            format!("{zh_tw} 已停權。"),
            Some(format!("/organisations/{number}")),
        ));
    }
    Ok(warnings)
}

/// Organisations that have used most of their leaves of the period. Periods of whole hours alone
/// are looked at, since leaves are counted by the hour; acts by contracts count for the quota and
/// not here, so that it is at least so much.
fn quotas(context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let registry = context.registry();
    let period = u64::from(registry.period_s).saturating_mul(1_000);
    if period == 0 || !period.is_multiple_of(HOUR_MS) {
        return Ok(Vec::new());
    }
    let time = context.time_ms()?;
    let times = (time - time % period, time);
    let mut warnings = Vec::new();
    for (number, quota) in registry.leaf_quotas.range(1..) {
        let word = number_word(u64::from(*number));
        let counted = context.view.by_hour(Facet::Organisation, word, times)?;
        let used: u64 = counted.iter().map(|(_, count)| count).sum();
        if !is_near(used, *quota) {
            continue;
        }
        let name = registry.organisation(*number);
        let en = name.map_or_else(String::new, |it| it.name_en.clone());
        let zh_tw = name.map(|it| it.name_zh_tw.clone());
        let zh_tw = zh_tw
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| en.clone());
        warnings.push(warning(
            "quotaNearEnd",
            format!("{en} has used {used} of the {quota} leaves of this period, or more."),
            format!("{zh_tw}於本週期至少已使用 {quota} 筆配額中的 {used} 筆。"),
            Some(format!("/organisations/{number}")),
        ));
    }
    Ok(warnings)
}

/// Whether nine tenths are used.
fn is_near(used: u64, quota: u64) -> bool {
    used > 0 && u128::from(used) * 10 >= u128::from(quota) * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_near_its_end_from_nine_tenths_on() {
        assert!(!is_near(0, 0) && is_near(1, 0));
        assert!(!is_near(89, 100) && is_near(90, 100) && is_near(101, 100));
        assert!(!is_near(u64::MAX / 2, u64::MAX));
    }

    #[test]
    fn one_certificate_without_a_validator_is_no_alarm() {
        let time = 10 * MISSING_MS;
        assert!(!is_missing(MISSING_SEEN_MIN - 1, None, time));
        assert!(!is_missing(MISSING_SEEN_MIN, Some(time - MISSING_MS), time));
        assert!(is_missing(
            MISSING_SEEN_MIN,
            Some(time - MISSING_MS - 1),
            time
        ));
        assert!(is_missing(MISSING_SEEN_MIN, None, time));
    }
}
