//! Filters that clients poll.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log};
use serde_json::value::RawValue;
use tbsi_types::Height;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::{blocks, logs};
use crate::api::{Api, Reply, part, reply};
use crate::arguments::Arguments;
use crate::caller::Caller;
use crate::error::{Failure, filter_not_found, internal};
use crate::filters::Polled;
use crate::limits::{LOG_BLOCKS_MAX, LOG_SCAN_MS_MAX};

/// `eth_newFilter(filter)`: logs of blocks from now on.
pub(crate) fn new_filter(api: &Api, arguments: &Arguments<'_>, caller: Option<Caller>) -> Reply {
    let filter = logs::filter(arguments, 0)?.unwrap_or_default();
    logs::check_order(&filter)?;
    let next = api.backend.tip().next();
    add(api, Polled::Logs(next, Box::new(filter)), caller)
}

/// `eth_newBlockFilter()`: hashes of blocks from now on.
pub(crate) fn new_block_filter(api: &Api, _: &Arguments<'_>, caller: Option<Caller>) -> Reply {
    add(api, Polled::Blocks(api.backend.tip().next()), caller)
}

/// `eth_newPendingTransactionFilter([full])`: what the pool takes from now on.
pub(crate) fn new_pending_transaction_filter(
    api: &Api,
    arguments: &Arguments<'_>,
    caller: Option<Caller>,
) -> Reply {
    let full = arguments.optional(0)?.unwrap_or_default();
    add(
        api,
        Polled::Pending(api.backend.pool_announcements(), full),
        caller,
    )
}

fn add(api: &Api, filter: Polled, caller: Option<Caller>) -> Reply {
    let owner = caller.map(|caller| caller.network());
    let id = api.filters.add(filter, owner, Instant::now())?;
    reply(format!("{id:#034x}"))
}

fn id(arguments: &Arguments<'_>) -> Result<Option<u128>, Failure> {
    let text: String = arguments.required(0)?;
    let digits = text.strip_prefix("0x").filter(|it| it.len() == 32);
    Ok(digits.and_then(|digits| u128::from_str_radix(digits, 16).ok()))
}

/// `eth_getFilterChanges(id)`: what came since it was last asked. As much as one answer may have;
/// the rest comes with the next.
pub(crate) fn changes(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let found = id(arguments)?.and_then(|id| api.filters.find(id, Instant::now()));
    let filter = found.ok_or_else(filter_not_found)?;
    let mut filter = filter.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *filter {
        Polled::Blocks(next) => {
            let (hashes, after) = new_blocks(api, *next)?;
            *next = after;
            reply(hashes)
        }
        Polled::Logs(next, filter) => {
            let (logs, after) = new_logs(api, filter, *next)?;
            *next = after;
            reply(logs)
        }
        Polled::Pending(announced, full) => reply(new_transactions(api, announced, *full)?),
    }
}

fn new_blocks(api: &Api, next: Height) -> Result<(Vec<B256>, Height), Failure> {
    let last = api
        .backend
        .tip()
        .min(Height(next.0.saturating_add(LOG_BLOCKS_MAX - 1)));
    let mut hashes = Vec::new();
    for height in (next.0..=last.0).map(Height) {
        let header = api.backend.header(height)?;
        let header = header.ok_or_else(|| internal(&format!("block {height} is missing")))?;
        hashes.push(header.hash_slow());
    }
    Ok((hashes, next.max(last.next())))
}

fn new_logs(api: &Api, filter: &Filter, next: Height) -> Result<(Vec<Log>, Height), Failure> {
    let deadline = Instant::now() + Duration::from_millis(LOG_SCAN_MS_MAX);
    let (mut logs, mut next) = (Vec::new(), next);
    let tip = api.backend.tip();
    while next <= tip && Instant::now() < deadline {
        if logs::in_range(filter, next) {
            let found = logs::matching_logs(api, filter, next)?;
            // The logs of one block are never too many.
            let more = !logs.is_empty() && !found.is_empty();
            if more && logs.len() + found.len() > api.limits.log_results_max {
                break;
            }
            logs.extend(found);
        }
        next = next.next();
    }
    Ok((logs, next))
}

/// What is in the queue. What fell out of it, because nobody asked for so long, is left out.
fn new_transactions(
    api: &Api,
    announced: &mut Receiver<B256>,
    full: bool,
) -> Result<Vec<Box<RawValue>>, Failure> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < logs::response_bytes_max(api) {
        match announced.try_recv() {
            Ok(hash) => {
                let one = announcement(api, hash, full)?;
                bytes += one.as_ref().map_or(0, |it| it.get().len());
                found.extend(one);
            }
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    Ok(found)
}

/// A transaction that the pool took, in full or its hash; nothing if it is to be in full and is
/// gone already.
pub(crate) fn announcement(
    api: &Api,
    hash: B256,
    full: bool,
) -> Result<Option<Box<RawValue>>, Failure> {
    if !full {
        return part(hash).map(Some);
    }
    blocks::find_transaction(api, hash)?.map(part).transpose()
}

/// `eth_getFilterLogs(id)`: all logs that a filter for logs matches, as `eth_getLogs` has them.
pub(crate) fn filter_logs(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let found = id(arguments)?.and_then(|id| api.filters.find(id, Instant::now()));
    let filter = found.ok_or_else(filter_not_found)?;
    let wanted = match &*filter.lock().unwrap_or_else(PoisonError::into_inner) {
        Polled::Logs(_, filter) => filter.clone(),
        Polled::Blocks(_) | Polled::Pending(..) => return Err(filter_not_found()),
    };
    reply(logs::find(api, &wanted)?)
}

/// `eth_uninstallFilter(id)`: whether there was such a filter.
pub(crate) fn uninstall(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let id = id(arguments)?;
    reply(id.is_some_and(|id| api.filters.remove(id, Instant::now())))
}
