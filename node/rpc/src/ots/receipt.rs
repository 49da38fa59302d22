//! Receipts as Otterscan has them.

use alloy_primitives::U64;
use alloy_rpc_types_eth::TransactionReceipt;
use serde_json::{Value, json};

use crate::error::{Failure, internal};

/// With the time of the block.
pub(crate) fn timed(receipt: &TransactionReceipt, seconds: u64) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(receipt).map_err(|error| internal(&error))?;
    value["timestamp"] = json!(U64::from(seconds));
    Ok(value)
}

/// The same, without what lists of many transactions do not show.
pub(crate) fn without_logs(receipt: &TransactionReceipt, seconds: u64) -> Result<Value, Failure> {
    let mut value = timed(receipt, seconds)?;
    value["logs"] = Value::Null;
    value["logsBloom"] = Value::Null;
    Ok(value)
}
