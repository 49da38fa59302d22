//! Leaves over block time.

use alloy_primitives::{B256, U256};
use serde_json::{Value, json};
use tbsi_types::bundle::KINDS;
use tbsi_types::log::leaf::{FACT_KIND, GOVERNANCE_KIND, MAP_ROOT_KIND, MESSAGE_KIND};

use super::{Answer, Context, Problem};
use crate::digest::{Facet, HOUR_MS, MINUTE_MS, number_word};
use crate::limits::POINTS_MAX;
use crate::said::said;

const DAY_MS: u64 = 24 * HOUR_MS;

/// The byte of each of [`KINDS`].
const CODES: [u8; 11] = [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    MAP_ROOT_KIND,
    GOVERNANCE_KIND,
    MESSAGE_KIND,
    FACT_KIND,
];

/// The byte of a kind, by its name.
pub(super) fn kind_code(name: &str) -> Option<u8> {
    let place = KINDS.iter().position(|known| *known == name)?;
    CODES.get(place).copied()
}

/// The name of a kind, by its byte.
pub(super) fn kind_name(code: u8) -> Option<&'static str> {
    let place = CODES.iter().position(|known| *known == code)?;
    KINDS.get(place).copied()
}

/// A number that a facet's word holds.
pub(super) fn word_number(word: B256) -> u64 {
    u64::try_from(U256::from_be_bytes(word.0)).unwrap_or(u64::MAX)
}

/// `/series`.
pub(super) fn answer(context: &Context<'_>) -> Result<Answer, Problem> {
    let params = context.params;
    let step = match params.choice("step", &["minute", "hour", "day"])? {
        Some(0) => MINUTE_MS,
        Some(2) => DAY_MS,
        Some(_) | None => HOUR_MS,
    };
    let by = ["all", "organisation", "schema", "kind", "issuer"];
    let facet = match params.choice("by", &by)? {
        Some(1) => Some(Facet::Organisation),
        Some(2) => Some(Facet::Schema),
        Some(3) => Some(Facet::Kind),
        Some(4) => Some(Facet::Issuer),
        Some(_) | None => None,
    };
    let times = (0, i64::MAX as u64);
    let to_ms = params.number("toMs", times)?;
    let to_ms = to_ms.map_or_else(|| context.time_ms(), Ok)?;
    let most = step * POINTS_MAX;
    let from_ms = params.number("fromMs", times)?;
    let from_ms = from_ms.unwrap_or_else(|| to_ms.saturating_sub(most - step));
    if from_ms > to_ms || to_ms - from_ms >= most {
        return Err(Problem::parameter(
            "fromMs",
            &said(
                format!("at most {POINTS_MAX} intervals before `toMs`, and not after it"),
                format!("最多早於 `toMs` {POINTS_MAX} 個區間，且不得晚於它"),
            ),
        ));
    }
    let of = match facet {
        None => None,
        Some(_) if step == MINUTE_MS => {
            return Err(Problem::parameter(
                "by",
                &said(
                    "by minute only `all` is counted",
                    "以分鐘計時僅能使用 `all`",
                ),
            ));
        }
        Some(facet) => Some((facet, word(context, facet)?)),
    };
    Ok(Answer::json(&series(context, of, step, (from_ms, to_ms))?))
}

fn word(context: &Context<'_>, facet: Facet) -> Result<B256, Problem> {
    let params = context.params;
    let found = match facet {
        Facet::Schema => params.hash("value")?,
        Facet::Issuer => params.account("value")?.map(|it| it.into_word()),
        Facet::Kind => params
            .choice("value", KINDS)?
            .and_then(|place| CODES.get(place))
            .map(|code| number_word((*code).into())),
        Facet::Organisation | Facet::Destination | Facet::ForeignChain | Facet::Assurance => params
            .number("value", (0, u32::MAX.into()))?
            .map(number_word),
    };
    found.ok_or_else(|| {
        Problem::parameter(
            "value",
            &said("it is needed with `by`", "使用 `by` 時必須提供"),
        )
    })
}

/// A series; of all leaves without a facet.
pub(super) fn series(
    context: &Context<'_>,
    of: Option<(Facet, B256)>,
    step: u64,
    (from_ms, to_ms): (u64, u64),
) -> Result<Value, Problem> {
    let from_ms = from_ms - from_ms % step;
    let mut points: Vec<(u64, u64)> = Vec::new();
    let found = match of {
        None => context.view.by_minute((from_ms, to_ms), step)?,
        Some((facet, word)) => context.view.by_hour(facet, word, (from_ms, to_ms))?,
    };
    for (at, count) in found {
        let at = at - at % step;
        match points.last_mut() {
            Some((last, sum)) if *last == at => *sum += count,
            Some(_) | None => points.push((at, count)),
        }
    }
    let point = |(from, count): &(u64, u64)| json!({ "fromMs": from, "count": count });
    Ok(json!({
        "stepMs": step,
        "fromMs": from_ms,
        "toMs": to_ms - to_ms % step + step,
        "points": points.iter().map(point).collect::<Vec<_>>(),
    }))
}
