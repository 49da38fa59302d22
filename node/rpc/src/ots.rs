//! `ots_*` and `erigon_getHeaderByNumber`: what the explorer Otterscan asks, at level 8.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::BlockTransactions as Transactions;
use alloy_rpc_types_trace::otterscan::{BlockDetails, InternalOperation, OperationType, OtsBlock};
use alloy_rpc_types_trace::parity::{
    Action, CallType, CreationMethod, TraceOutput, TransactionTrace,
};
use serde::Serialize;
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::Failure;
use crate::eth::blocks::receipts_at;
use crate::eth::objects;
use crate::limits::OTS_PAGE_MAX;
use crate::trace::parity::traces_of_transaction;
use crate::trace::{Bounds, stored};

pub(crate) mod receipt;
pub(crate) mod search;

/// The level of the interface.
const API_LEVEL: u8 = 8;

/// `ots_getApiLevel`.
pub(crate) fn api_level(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(API_LEVEL)
}

/// `erigon_getHeaderByNumber(number)`: null if there is no such block.
pub(crate) fn header_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    let Some(height) = api.height_of_tag(tag) else {
        return reply(());
    };
    reply(api.backend.header(height)?.map(objects::header))
}

/// `ots_hasCode(account, block)`.
pub(crate) fn has_code(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let account = arguments.required(0)?;
    let height = api.state_height(arguments, 1)?;
    reply(!api.backend.code(account, height)?.is_empty())
}

/// `ots_getBlockDetails(number)`: null if there is no such block.
pub(crate) fn block_details(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    details(api, api.height_of_tag(tag))
}

/// `ots_getBlockDetailsByHash(hash)`: null if there is no such block.
pub(crate) fn block_details_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    details(api, api.backend.height_of(hash)?)
}

/// Nothing is issued, and there are no fees.
fn details(api: &Api, height: Option<Height>) -> Reply {
    let Some(height) = height else {
        return reply(());
    };
    let block = objects::block(&stored(api, height)?, api.backend.fees(), false);
    reply(BlockDetails::from(block))
}

/// Answer of `ots_getBlockTransactions`.
#[derive(Serialize)]
struct OfBlock<T: Serialize> {
    fullblock: OtsBlock<T>,
    receipts: Vec<serde_json::Value>,
}

/// `ots_getBlockTransactions(number, page, size)`: pages from the end of the block; null if
/// there is no such block.
pub(crate) fn block_transactions(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    let page: usize = arguments.required(1)?;
    let size: usize = arguments.required(2)?;
    let Some(height) = api.height_of_tag(tag) else {
        return reply(());
    };
    let block = stored(api, height)?;
    let count = block.transactions.len();
    let size = size.min(OTS_PAGE_MAX);
    let end = count.saturating_sub(page.saturating_mul(size));
    let range = end.saturating_sub(size)..end;
    let receipts = receipts_at(api, height)?.unwrap_or_default();
    let receipts = receipts.get(range.clone()).unwrap_or_default();
    let receipts: Result<_, Failure> = receipts
        .iter()
        .map(|it| receipt::without_logs(it, block.header.timestamp))
        .collect();
    let mut shown = objects::block(&block, api.backend.fees(), true);
    if let Transactions::Full(all) = &mut shown.transactions {
        all.truncate(range.end);
        all.drain(..range.start);
    }
    reply(OfBlock {
        fullblock: OtsBlock {
            block: shown,
            transaction_count: count,
        },
        receipts: receipts?,
    })
}

/// One entry in the answer of `ots_traceTransaction`.
#[derive(Serialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: &'static str,
    depth: usize,
    from: Address,
    to: Address,
    /// Null where none can be sent along.
    value: Option<U256>,
    input: Bytes,
    output: Bytes,
}

/// `ots_traceTransaction(hash)`: its calls, each before those that it makes; null if there is no
/// such transaction.
pub(crate) fn trace_transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let bounds = Bounds::most(api);
    let traces = traces_of_transaction(api, hash, &bounds)?;
    let entries = traces.map(|traces| {
        let entries = traces.iter().filter_map(|it| entry(&it.trace));
        entries.collect::<Vec<_>>()
    });
    bounds.reply(api, entries)
}

fn entry(trace: &TransactionTrace) -> Option<Entry> {
    let output = trace.result.as_ref().map(|result| result.output().clone());
    let (kind, from, to, value, input) = match &trace.action {
        Action::Call(call) => {
            let (kind, value) = match call.call_type {
                CallType::DelegateCall => ("DELEGATECALL", None),
                CallType::StaticCall => ("STATICCALL", None),
                CallType::CallCode => ("CALLCODE", Some(call.value)),
                CallType::None | CallType::Call | CallType::AuthCall => ("CALL", Some(call.value)),
            };
            (kind, call.from, call.to, value, call.input.clone())
        }
        Action::Create(create) => {
            let kind = match create.creation_method {
                CreationMethod::Create2 => "CREATE2",
                CreationMethod::None | CreationMethod::Create | CreationMethod::EofCreate => {
                    "CREATE"
                }
            };
            let to = created(trace).unwrap_or_default();
            (
                kind,
                create.from,
                to,
                Some(create.value),
                create.init.clone(),
            )
        }
        Action::Selfdestruct(end) => {
            let value = Some(end.balance);
            (
                "SELFDESTRUCT",
                end.address,
                end.refund_address,
                value,
                Bytes::new(),
            )
        }
        Action::Reward(_) => return None,
    };
    Some(Entry {
        kind,
        depth: trace.trace_address.len(),
        from,
        to,
        value,
        input,
        output: output.unwrap_or_default(),
    })
}

/// The contract that a trace creates.
pub(super) fn created(trace: &TransactionTrace) -> Option<Address> {
    match trace.result.as_ref()? {
        TraceOutput::Create(created) => Some(created.address),
        TraceOutput::Call(_) => None,
    }
}

/// `ots_getInternalOperations(hash)`: value that moved, contracts that came and went, below the
/// transaction's own call, and were not undone; null if there is no such transaction.
pub(crate) fn internal_operations(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let bounds = Bounds::most(api);
    let Some(traces) = traces_of_transaction(api, hash, &bounds)? else {
        return reply(());
    };
    let traces: Vec<_> = traces.into_iter().map(|it| it.trace).collect();
    bounds.reply(api, operations(&traces))
}

fn operations(traces: &[TransactionTrace]) -> Vec<InternalOperation> {
    let mut found = Vec::new();
    let mut undone: Option<&[usize]> = None;
    for trace in traces {
        // What a frame that failed had called follows it.
        if undone.is_some_and(|path| trace.trace_address.starts_with(path)) {
            continue;
        }
        undone = trace.error.is_some().then_some(&*trace.trace_address);
        if undone.is_none() && !trace.trace_address.is_empty() {
            found.extend(operation(trace));
        }
    }
    found
}

fn operation(trace: &TransactionTrace) -> Option<InternalOperation> {
    let (kind, from, to, value) = match &trace.action {
        Action::Call(call) if call.call_type == CallType::Call && !call.value.is_zero() => {
            (OperationType::OpTransfer, call.from, call.to, call.value)
        }
        Action::Create(create) => {
            let kind = match create.creation_method {
                CreationMethod::Create2 => OperationType::OpCreate2,
                CreationMethod::None | CreationMethod::Create | CreationMethod::EofCreate => {
                    OperationType::OpCreate
                }
            };
            (kind, create.from, created(trace)?, create.value)
        }
        Action::Selfdestruct(end) => {
            let kind = OperationType::OpSelfDestruct;
            (kind, end.address, end.refund_address, end.balance)
        }
        Action::Call(_) | Action::Reward(_) => return None,
    };
    Some(InternalOperation {
        r#type: kind,
        from,
        to,
        value,
    })
}

/// `ots_getTransactionError(hash)`: what a transaction that failed returned; empty for one that
/// did not, or is not there.
pub(crate) fn transaction_error(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let bounds = Bounds::most(api);
    let traces = traces_of_transaction(api, hash, &bounds)?;
    let outermost = traces.unwrap_or_default().into_iter().next();
    let failed = outermost.filter(|it| it.trace.error.is_some());
    let output = failed.and_then(|it| Some(it.trace.result?.output().clone()));
    reply(output.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use alloy_rpc_types_trace::parity::{CallAction, CallOutput};

    use super::*;

    fn call(path: &[usize], value: u64, fails: bool) -> TransactionTrace {
        TransactionTrace {
            action: Action::Call(CallAction {
                call_type: CallType::Call,
                value: U256::from(value),
                ..CallAction::default()
            }),
            error: fails.then(|| "Reverted".into()),
            result: Some(TraceOutput::Call(CallOutput {
                gas_used: 0,
                output: Bytes::new(),
            })),
            subtraces: 0,
            trace_address: path.to_vec(),
        }
    }

    #[test]
    fn operations_are_those_that_were_not_undone() {
        let values = |traces: &[TransactionTrace]| -> Vec<u64> {
            let found = operations(traces);
            found.iter().map(|it| it.value.to()).collect()
        };
        let tree = [
            call(&[], 9, false),
            call(&[0], 1, false),
            call(&[1], 2, true),
            call(&[1, 0], 3, false),
            call(&[1, 0, 0], 4, false),
            call(&[10], 5, false),
            call(&[11], 0, false),
        ];
        assert_eq!(values(&tree), [1, 5]);
        let failed = [call(&[], 9, true), call(&[0], 1, false)];
        assert!(values(&failed).is_empty());
    }
}
