//! `trace_*`, as OpenEthereum had them. There are no rewards for blocks, so none are listed.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, U64};
use alloy_rpc_types_trace::filter::{TraceFilter, TraceFilterMode};
use alloy_rpc_types_trace::parity::{
    LocalizedTransactionTrace, TraceResults, TraceResultsWithTransactionHash, TraceType,
};
use serde::Deserialize;
use serde_json::json;
use tbsi_types::{Block, Height};

use super::{Bounds, not_genesis, stored};
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, invalid_argument, invalid_params, out_of_range, quantity, refused};
use crate::eth::call::TransactionArguments;
use crate::limits::{TRACE_CALLS_MAX, TRACE_FILTER_BLOCKS_MAX};

const CALLS: &[TraceType] = &[TraceType::Trace];

/// JSON around one trace that says where it is, roughly.
const PLACE_BYTES: usize = 600;

/// `trace_transaction(hash)`: null if there is none.
pub(crate) fn transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let bounds = Bounds::most(api);
    match traces_of_transaction(api, hash, &bounds)? {
        Some(traces) => bounds.reply(api, traces),
        None => reply(()),
    }
}

/// `trace_get(hash, path)`: the trace with this `traceAddress`, null if there is none.
pub(crate) fn get(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let path: Vec<U64> = arguments.required(1)?;
    let bounds = Bounds::most(api);
    let traces = traces_of_transaction(api, hash, &bounds)?.unwrap_or_default();
    let wanted = traces.into_iter().find(|it| {
        let address = it.trace.trace_address.iter();
        address
            .map(|index| U64::from(*index as u64))
            .eq(path.iter().copied())
    });
    bounds.reply(api, wanted)
}

/// The traces of a transaction, with their place; `None` if there is no such transaction.
pub(crate) fn traces_of_transaction(
    api: &Api,
    hash: B256,
    bounds: &Bounds,
) -> Result<Option<Vec<LocalizedTransactionTrace>>, Failure> {
    let Some((height, index)) = api.backend.transaction_location(hash)? else {
        return Ok(None);
    };
    let results = results(api, height, Some(index), CALLS, bounds)?;
    let block = stored(api, height)?;
    Ok(Some(localized(&block, index.into(), results)))
}

/// `trace_block(block)`: null if there is none.
pub(crate) fn block(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let id: BlockId = arguments.required(0)?;
    let bounds = Bounds::most(api);
    match api.height_of_id(id)? {
        Some(height) => bounds.reply(api, traces_of_block(api, height, &bounds)?),
        None => reply(()),
    }
}

/// The traces of all transactions of a block.
pub(crate) fn traces_of_block(
    api: &Api,
    height: Height,
    bounds: &Bounds,
) -> Result<Vec<LocalizedTransactionTrace>, Failure> {
    let block = stored(api, height)?;
    // Genesis has no transactions.
    if block.transactions.is_empty() {
        return Ok(Vec::new());
    }
    let results = results(api, height, None, CALLS, bounds)?;
    Ok(localized(&block, 0, results))
}

fn results(
    api: &Api,
    height: Height,
    only: Option<u32>,
    types: &[TraceType],
    bounds: &Bounds,
) -> Result<Vec<TraceResults>, Failure> {
    api.backend
        .parity_block(height, only, types, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))
}

/// Traces of the transactions of a block from `first` on, with their place.
fn localized(
    block: &Block,
    first: u64,
    results: Vec<TraceResults>,
) -> Vec<LocalizedTransactionTrace> {
    let (hash, number) = (block.hash(), block.header.number);
    let mut traces = Vec::new();
    for (index, results) in (first..).zip(results) {
        let position = usize::try_from(index).ok();
        let transaction = position.and_then(|position| block.transactions.get(position));
        traces.extend(
            results
                .trace
                .into_iter()
                .map(|trace| LocalizedTransactionTrace {
                    trace,
                    block_hash: Some(hash),
                    block_number: Some(number),
                    transaction_hash: transaction.map(|transaction| transaction.hash()),
                    transaction_position: Some(index),
                }),
        );
    }
    traces
}

/// `trace_replayTransaction(hash, types)`.
pub(crate) fn replay_transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let types: Vec<TraceType> = arguments.required(1)?;
    let found = api.backend.transaction_location(hash)?;
    let (height, index) = found.ok_or_else(|| refused("transaction not found"))?;
    let bounds = Bounds::most(api);
    let results = results(api, height, Some(index), &types, &bounds)?;
    bounds.reply(api, results.into_iter().next())
}

/// `trace_replayBlockTransactions(block, types)`: null if there is no such block.
pub(crate) fn replay_block(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let id: BlockId = arguments.required(0)?;
    let types: Vec<TraceType> = arguments.required(1)?;
    let Some(height) = api.height_of_id(id)? else {
        return reply(());
    };
    let block = stored(api, height)?;
    if block.transactions.is_empty() {
        return reply([(); 0]);
    }
    let bounds = Bounds::most(api);
    let results = results(api, not_genesis(height)?, None, &types, &bounds)?;
    let hashes = block
        .transactions
        .iter()
        .map(|transaction| transaction.hash());
    let answer = results.into_iter().zip(hashes);
    let answer: Vec<_> = answer
        .map(
            |(full_trace, transaction_hash)| TraceResultsWithTransactionHash {
                full_trace,
                transaction_hash,
            },
        )
        .collect();
    bounds.reply(api, answer)
}

/// `trace_call(transaction, types, block)`.
pub(crate) fn call(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    let types: Vec<TraceType> = arguments.required(1)?;
    let height = api.state_height(arguments, 2)?;
    let bounds = Bounds::most(api);
    let calls = [(transaction.request(), types)];
    let results = api
        .backend
        .parity_calls(&calls, height, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))?;
    bounds.reply(api, results.into_iter().next())
}

/// `trace_callMany([[transaction, types], ...], block)`: each call on what those before it left.
pub(crate) fn call_many(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let calls: Vec<(TransactionArguments, Vec<TraceType>)> = arguments.required(0)?;
    if calls.len() > TRACE_CALLS_MAX {
        return Err(out_of_range(
            format!("too many calls (max {TRACE_CALLS_MAX})"),
            json!({ "limit": TRACE_CALLS_MAX, "calls": calls.len() }),
        ));
    }
    let chain_id = api.backend.identity().chain_id;
    calls
        .iter()
        .try_for_each(|(transaction, _)| transaction.check(chain_id))?;
    let height = api.state_height(arguments, 1)?;
    let bounds = Bounds::most(api);
    let calls: Vec<_> = calls
        .into_iter()
        .map(|(transaction, types)| (transaction.request(), types))
        .collect();
    let results = api
        .backend
        .parity_calls(&calls, height, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))?;
    bounds.reply(api, results)
}

/// Argument of `trace_filter`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct FilterArguments {
    from_block: Option<BlockNumberOrTag>,
    to_block: Option<BlockNumberOrTag>,
    from_address: Option<Vec<Address>>,
    to_address: Option<Vec<Address>>,
    mode: Option<TraceFilterMode>,
    after: Option<Count>,
    count: Option<Count>,
}

/// A JSON number or a quantity.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Quantity(U64),
}

impl Count {
    fn get(self) -> usize {
        let number = match self {
            Self::Number(number) => number,
            Self::Quantity(quantity) => quantity.to(),
        };
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

/// `trace_filter(filter)`: traces by who calls whom, over at most [`TRACE_FILTER_BLOCKS_MAX`]
/// blocks.
pub(crate) fn filter(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let filter: FilterArguments = arguments.required(0)?;
    let (from, to) = range(api, &filter)?;
    let matcher = TraceFilter {
        from_address: filter.from_address.unwrap_or_default(),
        to_address: filter.to_address.unwrap_or_default(),
        mode: filter.mode.unwrap_or_default(),
        ..TraceFilter::default()
    }
    .matcher();
    let mut skip = filter.after.map_or(0, Count::get);
    let count = filter.count.map_or(usize::MAX, Count::get);
    let bounds = Bounds::most(api);
    let mut found = Vec::new();
    for height in (from.0..=to.0).map(Height) {
        if found.len() >= count {
            break;
        }
        let left = bounds.without(PLACE_BYTES * found.len());
        let mut traces = traces_of_block(api, height, &left)?;
        traces.retain(|trace| matcher.matches(&trace.trace));
        let skipped = skip.min(traces.len());
        skip -= skipped;
        let wanted = traces.into_iter().skip(skipped);
        found.extend(wanted.take(count - found.len()));
    }
    bounds.reply(api, found)
}

fn range(api: &Api, filter: &FilterArguments) -> Result<(Height, Height), Failure> {
    let resolve = |tag: Option<BlockNumberOrTag>| {
        let height = api.height_of_tag(tag.unwrap_or_default());
        height.ok_or_else(|| invalid_params("block range extends beyond current head block"))
    };
    let (from, to) = (resolve(filter.from_block)?, resolve(filter.to_block)?);
    if from > to {
        return Err(invalid_argument(0, "fromBlock is above toBlock"));
    }
    if to.above(from) >= TRACE_FILTER_BLOCKS_MAX {
        let end = Height(from.0 + TRACE_FILTER_BLOCKS_MAX - 1);
        return Err(out_of_range(
            format!("exceed maximum block range: {TRACE_FILTER_BLOCKS_MAX}"),
            json!({
                "limit": TRACE_FILTER_BLOCKS_MAX, "from": quantity(from), "to": quantity(end),
            }),
        ));
    }
    Ok((from, to))
}
