//! Blocks, transactions and receipts. What does not exist is null, not an error.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::TransactionReceipt;
use tbsi_types::{Block, Height, Receipt};

use super::objects::{self, Place};
use super::text;
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::backend::BackendError;
use crate::error::Failure;
use crate::limits::LOGS_AT_A_TIME_MAX;

/// The block that the first argument names by its hash.
fn by_hash(api: &Api, arguments: &Arguments<'_>) -> Result<Option<Block>, Failure> {
    let hash: B256 = arguments.required(0)?;
    block_at(api, api.backend.height_of(hash)?)
}

/// The block that the first argument names by its number or tag.
fn by_number(api: &Api, arguments: &Arguments<'_>) -> Result<Option<Block>, Failure> {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    block_at(api, api.height_of_tag(tag))
}

fn block_at(api: &Api, height: Option<Height>) -> Result<Option<Block>, Failure> {
    match height {
        Some(height) => Ok(api.backend.block(height)?),
        None => Ok(None),
    }
}

/// `eth_getBlockByHash(hash, full)`.
pub(crate) fn block_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let full = arguments.required(1)?;
    reply(by_hash(api, arguments)?.map(|block| objects::block(&block, api.backend.fees(), full)))
}

/// `eth_getBlockByNumber(number, full)`.
pub(crate) fn block_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let full = arguments.required(1)?;
    reply(by_number(api, arguments)?.map(|block| objects::block(&block, api.backend.fees(), full)))
}

/// `eth_getBlockTransactionCountByHash(hash)`.
pub(crate) fn count_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    reply(by_hash(api, arguments)?.map(|block| U64::from(block.transactions.len())))
}

/// `eth_getBlockTransactionCountByNumber(number)`.
pub(crate) fn count_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    reply(by_number(api, arguments)?.map(|block| U64::from(block.transactions.len())))
}

/// `eth_getTransactionByBlockHashAndIndex(hash, index)`.
pub(crate) fn transaction_by_hash_and_index(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let index: U64 = arguments.required(1)?;
    reply(by_hash(api, arguments)?.and_then(|block| transaction_in(api, &block, index.to())))
}

/// `eth_getTransactionByBlockNumberAndIndex(number, index)`.
pub(crate) fn transaction_by_number_and_index(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let index: U64 = arguments.required(1)?;
    reply(by_number(api, arguments)?.and_then(|block| transaction_in(api, &block, index.to())))
}

pub(crate) type TransactionObject = alloy_rpc_types_eth::Transaction<tbsi_types::TxEnvelope>;

fn transaction_in(api: &Api, block: &Block, index: u64) -> Option<TransactionObject> {
    let transaction = block.transactions.get(usize::try_from(index).ok()?)?;
    let place = Place::of(&block.header, api.backend.fees());
    Some(objects::transaction(transaction, Some((place, index))))
}

/// `eth_getTransactionByHash(hash)`: included or pending.
pub(crate) fn transaction_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    reply(find_transaction(api, arguments.required(0)?)?)
}

/// A transaction, included or pending.
pub(crate) fn find_transaction(
    api: &Api,
    hash: B256,
) -> Result<Option<TransactionObject>, Failure> {
    if let Some((height, index)) = api.backend.transaction_location(hash)? {
        let found = api.backend.transaction_at(height, index)?;
        return Ok(found.map(|(header, transaction)| {
            let place = Place::of(&header, api.backend.fees());
            objects::transaction(&transaction, Some((place, index.into())))
        }));
    }
    let pending = api.backend.pending_transaction(hash);
    Ok(pending.map(|transaction| objects::transaction(&transaction, None)))
}

/// A block and the receipts of its transactions.
type Executed = (Block, Arc<Vec<Receipt>>);

/// What was executed at a height; `None` if there is no such block.
pub(crate) fn executed(api: &Api, height: Height) -> Result<Option<Executed>, Failure> {
    let Some(block) = api.backend.block(height)? else {
        return Ok(None);
    };
    let receipts = api.backend.receipts(height)?.ok_or_else(|| {
        BackendError::Internal(format!("block {height} is stored, its receipts are not"))
    })?;
    Ok(Some((block, receipts)))
}

/// The receipts of a height; `None` if there is no such block.
pub(crate) fn receipts_at(
    api: &Api,
    height: Height,
) -> Result<Option<Vec<TransactionReceipt>>, Failure> {
    let Some((block, receipts)) = executed(api, height)? else {
        return Ok(None);
    };
    // Those of a block of the greatest size are some hundred megabytes: one at a time.
    let _turn = (logs_in(&receipts) > LOGS_AT_A_TIME_MAX).then(|| api.large_turn());
    Ok(Some(objects::receipts(
        &block,
        receipts,
        api.backend.fees(),
    )?))
}

pub(crate) fn logs_in(receipts: &[Receipt]) -> usize {
    receipts.iter().map(|receipt| receipt.logs().len()).sum()
}

/// `eth_getBlockReceipts(block)`.
pub(crate) fn block_receipts(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let id: BlockId = arguments.required(0)?;
    match api.height_of_id(id)? {
        Some(height) => match receipts_at(api, height)? {
            Some(receipts) => Ok(text::receipts(&receipts)),
            None => reply(()),
        },
        None => reply(()),
    }
}

/// `eth_getTransactionReceipt(hash)`.
pub(crate) fn transaction_receipt(api: &Api, arguments: &Arguments<'_>) -> Reply {
    match receipt_of(api, arguments.required(0)?)? {
        Some(receipt) => Ok(text::receipt(&receipt)),
        None => reply(()),
    }
}

/// The receipt of a transaction; `None` if it is in no block.
pub(crate) fn receipt_of(api: &Api, hash: B256) -> Result<Option<TransactionReceipt>, Failure> {
    let Some((height, index)) = api.backend.transaction_location(hash)? else {
        return Ok(None);
    };
    let missing = || BackendError::Internal(format!("block {height} is stored in part"));
    let transaction = api.backend.transaction_at(height, index)?;
    let (header, transaction) = transaction.ok_or_else(missing)?;
    let placed = api.backend.receipt_at(height, index)?.ok_or_else(missing)?;
    // Those of a transaction of the greatest size are some hundred megabytes: one at a time.
    let _turn = (placed.receipt.logs().len() > LOGS_AT_A_TIME_MAX).then(|| api.large_turn());
    let place = Place::of(&header, api.backend.fees());
    Ok(Some(objects::receipt(
        &transaction,
        placed,
        place,
        index.into(),
    )))
}

/// `eth_getUncleCountByBlockHash(hash)`: none, or null if there is no such block.
pub(crate) fn uncles_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    reply(api.backend.height_of(hash)?.map(|_| U64::ZERO))
}

/// `eth_getUncleCountByBlockNumber(number)`: none, or null if there is no such block.
pub(crate) fn uncles_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    reply(api.height_of_tag(tag).map(|_| U64::ZERO))
}

/// `eth_getUncleByBlockHashAndIndex(hash, index)`: null.
pub(crate) fn uncle_by_hash(_: &Api, arguments: &Arguments<'_>) -> Reply {
    let (_, _): (B256, U64) = (arguments.required(0)?, arguments.required(1)?);
    reply(())
}

/// `eth_getUncleByBlockNumberAndIndex(number, index)`: null.
pub(crate) fn uncle_by_number(_: &Api, arguments: &Arguments<'_>) -> Reply {
    let (_, _): (BlockNumberOrTag, U64) = (arguments.required(0)?, arguments.required(1)?);
    reply(())
}
