//! Log filters over blocks.

use std::time::{Duration, Instant};

use alloy_eips::BlockNumberOrTag;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use serde_json::json;
use tbsi_types::Height;

use super::blocks::{executed, logs_in};
use super::objects;
use super::text::{self, json_bytes};
use crate::api::{Api, Reply};
use crate::arguments::Arguments;
use crate::error::{
    Failure, invalid_argument, invalid_params, limit_exceeded, out_of_range, quantity, refused,
    timed_out,
};
use crate::limits::{FILTER_VALUES_MAX, LOG_SCAN_MS_MAX, LOGS_AT_A_TIME_MAX};

/// `eth_getLogs(filter)`.
pub(crate) fn logs(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let filter = filter(arguments, 0)?.unwrap_or_default();
    Ok(text::logs(&find(api, &filter)?))
}

/// All logs that a filter matches. Those of one block are never too many, for nobody could ask for
/// less.
pub(crate) fn find(api: &Api, filter: &Filter) -> Result<Vec<Log>, Failure> {
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let height = api.backend.height_of(hash)?;
            let height = height.ok_or_else(|| refused("unknown block"))?;
            matching_logs(api, filter, height)
        }
        FilterBlockOption::Range { .. } => logs_of_range(api, filter),
    }
}

/// The filter at `index`, within the bounds of go-ethereum.
pub(crate) fn filter(arguments: &Arguments<'_>, index: usize) -> Result<Option<Filter>, Failure> {
    let Some(filter) = arguments.optional::<Filter>(index)? else {
        return Ok(None);
    };
    if filter.address.len() > FILTER_VALUES_MAX {
        let problem = format!("exceed max addresses (limit {FILTER_VALUES_MAX})");
        return Err(invalid_argument(index, &problem));
    }
    if filter.topics.iter().any(|it| it.len() > FILTER_VALUES_MAX) {
        let problem = format!("exceed max topics (limit {FILTER_VALUES_MAX} for each position)");
        return Err(invalid_argument(index, &problem));
    }
    Ok(Some(filter))
}

fn logs_of_range(api: &Api, filter: &Filter) -> Result<Vec<Log>, Failure> {
    let (from, to) = range(api, filter)?;
    let deadline = Instant::now() + Duration::from_millis(LOG_SCAN_MS_MAX);
    let (mut logs, mut bytes) = (Vec::new(), 0);
    for height in (from.0..=to.0).map(Height) {
        let found = matching_logs(api, filter, height)?;
        bytes += found.iter().map(json_bytes).sum::<usize>();
        // The first block that has any may have as many as it likes.
        let more = !logs.is_empty() && !found.is_empty();
        if more && logs.len() + found.len() > api.limits.log_results_max {
            return Err(too_many_results(api, retry(from, height)));
        }
        if more && bytes > response_bytes_max(api) {
            return Err(too_many_bytes(api, retry(from, height)));
        }
        logs.extend(found);
        if Instant::now() > deadline && height < to {
            let (from, to) = retry(from, height.next());
            let data = json!({
                "limitMs": LOG_SCAN_MS_MAX, "from": quantity(from), "to": quantity(to),
            });
            let message = format!(
                "query took more than {LOG_SCAN_MS_MAX} ms. \
                 Try with this block range [{:#x}, {:#x}].",
                from.0, to.0
            );
            return Err(timed_out(message, data));
        }
    }
    Ok(logs)
}

/// What to ask for instead when the scan could not take in `end`.
fn retry(from: Height, end: Height) -> (Height, Height) {
    (from, end.previous().unwrap_or(end).max(from))
}

pub(crate) fn response_bytes_max(api: &Api) -> usize {
    usize::try_from(api.limits.response_bytes_max).unwrap_or(usize::MAX)
}

fn too_many_bytes(api: &Api, (from, to): (Height, Height)) -> Failure {
    let limit = api.limits.response_bytes_max;
    limit_exceeded(
        format!(
            "query returned more than {limit} bytes of results. \
             Try with this block range [{:#x}, {:#x}].",
            from.0, to.0
        ),
        json!({ "limitBytes": limit, "from": quantity(from), "to": quantity(to) }),
    )
}

fn too_many_results(api: &Api, (from, to): (Height, Height)) -> Failure {
    let limit = api.limits.log_results_max;
    limit_exceeded(
        format!(
            "query returned more than {limit} results. \
             Try with this block range [{:#x}, {:#x}].",
            from.0, to.0
        ),
        json!({ "limit": limit, "from": quantity(from), "to": quantity(to) }),
    )
}

/// That a range does not end before it begins, as far as its bounds are numbers.
pub(crate) fn check_order(filter: &Filter) -> Result<(), Failure> {
    let (from, to) = numbers(filter);
    match from.zip(to) {
        Some((from, to)) if from > to => Err(invalid_params("invalid block range params")),
        Some(_) | None => Ok(()),
    }
}

/// Whether a block that comes is one of those that the filter is for.
pub(crate) fn in_range(filter: &Filter, height: Height) -> bool {
    let (from, to) = numbers(filter);
    let by_hash = matches!(filter.block_option, FilterBlockOption::AtBlockHash(_));
    !by_hash && from.is_none_or(|from| from <= height.0) && to.is_none_or(|to| height.0 <= to)
}

fn numbers(filter: &Filter) -> (Option<u64>, Option<u64>) {
    let (from, to) = filter.block_option.as_range();
    let number = |bound: Option<&BlockNumberOrTag>| bound.and_then(BlockNumberOrTag::as_number);
    (number(from), number(to))
}

/// The heights that the filter covers: by default the latest only.
fn range(api: &Api, filter: &Filter) -> Result<(Height, Height), Failure> {
    let beyond = || invalid_params("block range extends beyond current head block");
    let (from, to) = filter.block_option.as_range();
    let resolve = |bound: Option<&_>| api.height_of_tag(bound.copied().unwrap_or_default());
    let from = resolve(from).ok_or_else(beyond)?;
    let to = resolve(to).ok_or_else(beyond)?;
    if from > to {
        return Err(invalid_params("invalid block range params"));
    }
    let limit = api.limits.log_blocks_max;
    if to.above(from) >= limit {
        let end = Height(from.0 + limit - 1);
        return Err(out_of_range(
            format!("exceed maximum block range: {limit}"),
            json!({ "limit": limit, "from": quantity(from), "to": quantity(end) }),
        ));
    }
    Ok((from, to))
}

/// The logs of one block that match. Most blocks are passed over by their bloom filter.
pub(crate) fn matching_logs(
    api: &Api,
    filter: &Filter,
    height: Height,
) -> Result<Vec<Log>, Failure> {
    let header = api.backend.header(height)?;
    if header.is_none_or(|header| !filter.matches_bloom(header.logs_bloom)) {
        return Ok(Vec::new());
    }
    let Some((block, receipts)) = executed(api, height)? else {
        return Ok(Vec::new());
    };
    // Those of a block of the greatest size are some hundred megabytes: one at a time.
    let _turn = (logs_in(&receipts) > LOGS_AT_A_TIME_MAX).then(|| api.large_turn());
    let fees = api.backend.fees();
    Ok(objects::logs(&block, receipts, fees, |log| {
        filter.matches(log)
    })?)
}
