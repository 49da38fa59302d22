//! Log filters over blocks.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use serde_json::json;
use tbsi_types::Height;

use super::blocks::receipts_at;
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{
    Failure, invalid_argument, invalid_params, limit_exceeded, out_of_range, quantity, refused,
    timed_out,
};
use crate::limits::{FILTER_VALUES_MAX, LOG_SCAN_MS_MAX};

/// `eth_getLogs(filter)`.
pub(crate) fn logs(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let filter = filter(arguments, 0)?.unwrap_or_default();
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => reply(logs_of_block(api, &filter, hash)?),
        FilterBlockOption::Range { .. } => reply(logs_of_range(api, &filter)?),
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

fn logs_of_block(api: &Api, filter: &Filter, hash: B256) -> Result<Vec<Log>, Failure> {
    let height = api.backend.height_of(hash)?;
    let height = height.ok_or_else(|| refused("unknown block"))?;
    let logs = matching_logs(api, filter, height)?;
    if logs.len() > api.limits.log_results_max {
        return Err(too_many_results(api, (height, height)));
    }
    Ok(logs)
}

fn logs_of_range(api: &Api, filter: &Filter) -> Result<Vec<Log>, Failure> {
    let (from, to) = range(api, filter)?;
    let deadline = Instant::now() + Duration::from_millis(LOG_SCAN_MS_MAX);
    let mut logs = Vec::new();
    for height in (from.0..=to.0).map(Height) {
        let found = matching_logs(api, filter, height)?;
        if logs.len() + found.len() > api.limits.log_results_max {
            return Err(too_many_results(api, retry(from, height)));
        }
        logs.extend(found);
        if Instant::now() > deadline && height < to {
            let (from, to) = retry(from, height.next());
            let data = json!({
                "limitMs": LOG_SCAN_MS_MAX, "from": quantity(from), "to": quantity(to),
            });
            let message = format!(
                "query took more than {LOG_SCAN_MS_MAX} ms; try with this block range [{:#x}, {:#x}]",
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
    let receipts = receipts_at(api, height)?.unwrap_or_default();
    let logs = receipts
        .into_iter()
        .flat_map(|receipt| receipt.inner.logs().to_vec());
    Ok(logs.filter(|log| filter.matches(&log.inner)).collect())
}
