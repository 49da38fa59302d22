//! What a subscription is told, and the two links in mails.

use serde_json::Value;

use super::leaves::{Filter, json, page};
use super::{Answer, Beside, Context, Params, Problem};
use crate::desk::Desk;
use crate::limits::{NOTICE_ITEMS_MAX, NOTICE_LEAVES_MAX, QUERY_BYTES_MAX};
use crate::said::{WarroomError, said};
use crate::shared::Shared;

/// New leaves that a filter wants.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) items: Vec<Value>,
    /// All before this position was looked at.
    pub(crate) next: u64,
    /// Leaves that were not looked at, since there were too many.
    pub(crate) skipped: u64,
}

/// The filter of a subscription, as the query of `/attestations`.
fn params_of(filter: &str) -> Params {
    let pairs = filter.split('&').filter(|it| !it.is_empty());
    let pair = |it: &str| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (name.to_owned(), value.to_owned())
    };
    Params(pairs.map(pair).collect())
}

/// Refuses a filter that asks for nothing that is known.
pub(crate) fn check_filter(filter: &str) -> Result<(), WarroomError> {
    let known = ["issuer", "organisation", "schema", "kind"];
    let params = params_of(filter);
    let unknown = params
        .0
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()));
    if filter.len() > QUERY_BYTES_MAX || unknown.is_some() {
        let name = unknown.map_or("", |(name, _)| name);
        return Err(said(
            format!("filter `{name}`: use issuer, organisation, schema and kind, at most {QUERY_BYTES_MAX} bytes"),
            format!("篩選條件「{name}」：請使用 issuer、organisation、schema、kind，最多 {QUERY_BYTES_MAX} 位元組"),
        )
        .into());
    }
    Filter::read(&params).map(drop).map_err(|problem| {
        let words = problem.said();
        WarroomError::from(words)
    })
}

/// Leaves that a filter wants from a position on.
pub(crate) fn notice(shared: &Shared, filter: &str, from: u64) -> Result<Notice, String> {
    let params = params_of(filter);
    let made = shared.read(|view| {
        let known = shared.knowledge();
        let frontier = view.frontier()?;
        let context = Context {
            shared,
            known: &known,
            view,
            params: &params,
            beside: Beside::default(),
            size: frontier.size().0,
            root: frontier.root(),
        };
        let filter = Filter::of(&context)?;
        // An index that was made again may be shorter for a while.
        let first = from.max(context.size.saturating_sub(NOTICE_LEAVES_MAX));
        let page = page(&context, &filter, false, Some(first), NOTICE_ITEMS_MAX)?;
        Ok::<_, Problem>(Notice {
            items: page
                .leaves
                .iter()
                .map(|leaf| json(&context, leaf))
                .collect(),
            next: page.next.unwrap_or(context.size).max(from),
            skipped: first - from,
        })
    });
    let made = made.map_err(|error| crate::said::causes(&error))?;
    made.map_err(|problem| problem.said().en)
}

/// `/subscriptions/confirm` and `/subscriptions/end`, for those who got a mail.
pub(crate) fn by_receiver(
    desk: &Desk,
    what: &str,
    params: &Params,
    now_ms: u64,
) -> Result<Answer, Problem> {
    let token = params
        .get("token")
        .filter(|it| it.len() == 64)
        .unwrap_or_default();
    let gone = || {
        Problem::not_found(&said(
            "There is no such subscription (any more).",
            "沒有這項訂閱，或已終止。",
        ))
    };
    let failed = |error: WarroomError| Problem::index(&error.en);
    let words = match what {
        "confirm" => {
            let number = desk.confirm(token, now_ms).map_err(failed)?;
            number.ok_or_else(gone)?;
            "Confirmed: new records will be told.\n已確認：將通知新紀錄。\n"
        }
        _ => {
            let ended = desk.end_by(token).map_err(failed)?;
            ended.then_some(()).ok_or_else(gone)?;
            "Ended: nothing will be sent any more.\n已終止：不再寄送通知。\n"
        }
    };
    Ok(Answer::text("text/plain; charset=utf-8", words.into()))
}
