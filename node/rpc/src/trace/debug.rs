//! `debug_trace*`.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tbsi_types::Height;

use super::{Bounds, not_genesis, stored};
use crate::api::{Api, Reply};
use crate::arguments::Arguments;
use crate::error::{Failure, invalid_argument, invalid_params, refused};
use crate::eth::call::TransactionArguments;
use crate::eth::overrides::{self, BlockObject, StateObject};
use crate::limits::ECHO_CHARS_MAX;

/// One transaction in the answer for a block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfBlock {
    tx_hash: B256,
    result: GethTrace,
}

/// `debug_traceTransaction(hash, options)`.
pub(crate) fn trace_transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let options = options(arguments, 1)?;
    let found = api.backend.transaction_location(hash)?;
    let (height, index) = found.ok_or_else(|| refused("transaction not found"))?;
    let bounds = Bounds::new(api, options.timeout.as_deref())?;
    let traces = api
        .backend
        .debug_block(height, Some(index), &options, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))?;
    bounds.reply_trace(api, traces.first())
}

/// `debug_traceBlockByNumber(number, options)`.
pub(crate) fn trace_block_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    let options = options(arguments, 1)?;
    let height = api.height_of_tag(tag);
    let height = height.ok_or_else(|| match tag {
        BlockNumberOrTag::Number(number) => refused(format!("block #{number} not found")),
        BlockNumberOrTag::Latest
        | BlockNumberOrTag::Finalized
        | BlockNumberOrTag::Safe
        | BlockNumberOrTag::Earliest
        | BlockNumberOrTag::Pending => refused(format!("block {tag} not found")),
    })?;
    trace_block_at(api, height, &options)
}

/// `debug_traceBlockByHash(hash, options)`.
pub(crate) fn trace_block_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let options = options(arguments, 1)?;
    trace_block_at(api, by_hash(api, hash)?, &options)
}

/// `debug_traceBlock(rlp, options)`: of a block of this chain.
pub(crate) fn trace_block(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let encoded: Bytes = arguments.required(0)?;
    let options = options(arguments, 1)?;
    let header = header_bytes(&encoded);
    let header = header.ok_or_else(|| refused("could not decode block: it is no RLP of one"))?;
    trace_block_at(api, by_hash(api, keccak256(header))?, &options)
}

pub(super) fn by_hash(api: &Api, hash: B256) -> Result<Height, Failure> {
    let height = api.backend.height_of(hash)?;
    height.ok_or_else(|| refused(format!("block {hash} not found")))
}

fn trace_block_at(api: &Api, height: Height, options: &GethDebugTracingOptions) -> Reply {
    let height = not_genesis(height)?;
    let bounds = Bounds::new(api, options.timeout.as_deref())?;
    let traces = api
        .backend
        .debug_block(height, None, options, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))?;
    let block = stored(api, height)?;
    let hashes = block
        .transactions
        .iter()
        .map(|transaction| transaction.hash());
    let answer = hashes.zip(traces);
    let answer: Vec<_> = answer
        .map(|(tx_hash, result)| OfBlock { tx_hash, result })
        .collect();
    bounds.reply(api, answer)
}

/// What `debug_traceCall` takes beside the options of the others.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CallOptions {
    state_overrides: Option<StateObject>,
    block_overrides: Option<BlockObject>,
    tx_index: Option<Value>,
}

/// `debug_traceCall(transaction, block, options)`.
pub(crate) fn trace_call(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let transaction = TransactionArguments::parse(api, arguments)?;
    let height = api.state_height(arguments, 1)?;
    let options = options(arguments, 2)?;
    let more: CallOptions = arguments.object(2)?.unwrap_or_default();
    if more.tx_index.is_some() {
        return Err(invalid_argument(2, "`txIndex` is not supported here"));
    }
    let state = more.state_overrides.unwrap_or_default();
    let block = more.block_overrides.unwrap_or_default();
    let overrides = overrides::read(state, block)?;
    let bounds = Bounds::new(api, options.timeout.as_deref())?;
    let request = transaction.request();
    let trace = api
        .backend
        .debug_call(&request, &overrides, height, &options, bounds.allowance)
        .map_err(|error| bounds.failure(api, error))?;
    bounds.reply_trace(api, Some(&trace))
}

/// Options of go-ethereum and of Alloy.
const OPTIONS: [&str; 11] = [
    "tracer",
    "tracerConfig",
    "timeout",
    "reexec",
    "limit",
    "debug",
    "disableStack",
    "disableStorage",
    "disableMemory",
    "enableMemory",
    "enableReturnData",
];

/// Beside them, of `debug_traceCall`, and what else is known.
const MORE_OPTIONS: [&str; 5] = [
    "disableReturnData",
    "overrides",
    "stateOverrides",
    "blockOverrides",
    "txIndex",
];

/// What a tracer's `tracerConfig` may say; `None` of a tracer that is refused anyhow.
fn tracer_options(tracer: &str) -> Option<&'static [&'static str]> {
    Some(match tracer {
        "callTracer" => &["onlyTopCall", "withLog"],
        "flatCallTracer" => &["convertParityErrors", "includePrecompiles"],
        "prestateTracer" => &["diffMode", "disableCode", "disableStorage", "includeEmpty"],
        _ => return None,
    })
}

fn options(arguments: &Arguments<'_>, index: usize) -> Result<GethDebugTracingOptions, Failure> {
    let members: Map<String, Value> = arguments.optional(index)?.unwrap_or_default();
    check_options(&members)
        .map_err(|problem| invalid_params(format!("invalid argument {index}: {problem}")))?;
    Ok(arguments.optional(index)?.unwrap_or_default())
}

/// What is not known would not count, and the trace be another than was asked for.
fn check_options(members: &Map<String, Value>) -> Result<(), String> {
    let known = || OPTIONS.into_iter().chain(MORE_OPTIONS);
    // Tools send options of other clients too; one that is only written otherwise is meant.
    let misspelt = |name: &&String| {
        let same = |it: &str| it.eq_ignore_ascii_case(name);
        known().any(same) && !known().any(|it| it == name.as_str())
    };
    if let Some(name) = members.keys().find(misspelt) {
        return Err(unknown_option("", name, &known().collect::<Vec<_>>()));
    }
    let tracer = members.get("tracer").and_then(Value::as_str);
    let config = members.get("tracerConfig").and_then(Value::as_object);
    let (Some(tracer), Some(config)) = (tracer, config) else {
        return Ok(());
    };
    if tracer != "muxTracer" {
        return check_tracer(tracer, config);
    }
    config.iter().try_for_each(|(tracer, config)| {
        let config = config.as_object();
        config.map_or(Ok(()), |config| check_tracer(tracer, config))
    })
}

fn check_tracer(tracer: &str, config: &Map<String, Value>) -> Result<(), String> {
    match tracer_options(tracer) {
        Some(known) => check_names("tracerConfig.", config, known),
        None => Ok(()),
    }
}

fn check_names(within: &str, members: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    let unknown = members.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(unknown_option(within, name, known)))
}

fn unknown_option(within: &str, name: &str, known: &[&str]) -> String {
    let name: String = name.chars().take(ECHO_CHARS_MAX).collect();
    let (name, known) = (name.escape_debug(), known.join(", "));
    format!("unknown option `{within}{name}`; there are {known}")
}

/// The header, first item of a block's list.
fn header_bytes(block: &[u8]) -> Option<&[u8]> {
    let (start, _) = list_at(block)?;
    let header = block.get(start..)?;
    let (start, length) = list_at(header)?;
    header.get(..start.checked_add(length)?)
}

/// Where the payload of an RLP list begins, and how long it is.
fn list_at(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        short @ 0xc0..=0xf7 => Some((1, usize::from(short - 0xc0))),
        long @ 0xf8..=0xff => {
            let width = usize::from(long - 0xf7);
            let length = bytes.get(1..=width)?;
            let length = length.iter().try_fold(0usize, |sum, byte| {
                sum.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            Some((1 + width, length))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_header_of_a_block() {
        // [[1, 2], [], []], and the same with a long list around it.
        let short = [0xc5, 0xc2, 1, 2, 0xc0, 0xc0];
        assert_eq!(header_bytes(&short), Some(&[0xc2, 1, 2][..]));
        let long = [0xf8, 5, 0xc2, 1, 2, 0xc0, 0xc0];
        assert_eq!(header_bytes(&long), Some(&[0xc2, 1, 2][..]));
        for bad in [
            &[][..],
            &[0x80],
            &[0xc1, 0x80],
            &[0xc1],
            &[0xc3, 0xc2, 1],
            &[0xff; 9],
            &[0xf9, 1],
        ] {
            assert_eq!(header_bytes(bad), None, "{bad:?}");
        }
    }
}
