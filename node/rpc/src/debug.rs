//! `debug_getRaw*`: what a block is made of, as bytes.

use alloy_eips::BlockId;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes};
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, header_not_found, internal, invalid_argument};

fn height(api: &Api, arguments: &Arguments<'_>) -> Result<Height, Failure> {
    let id: BlockId = arguments.required(0)?;
    api.height_of_id(id)?.ok_or_else(header_not_found)
}

/// `debug_getRawHeader(block)`: RLP.
pub(crate) fn raw_header(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let header = api.backend.header(height(api, arguments)?)?;
    let header = header.ok_or_else(header_not_found)?;
    reply(Bytes::from(alloy_rlp::encode(header)))
}

/// `debug_getRawBlock(block)`: RLP.
pub(crate) fn raw_block(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let block = api.backend.block(height(api, arguments)?)?;
    let block = block.ok_or_else(header_not_found)?;
    reply(Bytes::from(block.encode()))
}

/// `debug_getRawReceipts(block)`: each as EIP-2718 has it.
pub(crate) fn raw_receipts(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let height = height(api, arguments)?;
    let receipts = api.backend.receipts(height)?;
    let missing = || internal(&format!("block {height} is stored, its receipts are not"));
    let receipts = receipts.ok_or_else(missing)?;
    let encoded = receipts.iter().map(|it| Bytes::from(it.encoded_2718()));
    reply(encoded.collect::<Vec<_>>())
}

/// `debug_getRawTransaction(hash)`: as EIP-2718 has it; no bytes if it is not known.
pub(crate) fn raw_transaction(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    if !arguments.required::<&str>(0)?.starts_with("0x") {
        let problem = "cannot unmarshal hex string without 0x prefix";
        return Err(invalid_argument(0, problem));
    }
    if let Some(pending) = api.backend.pending_transaction(hash) {
        return reply(pending.encoded());
    }
    let Some((height, index)) = api.backend.transaction_location(hash)? else {
        return reply(Bytes::new());
    };
    let block = api.backend.block(height)?;
    let transactions = block.map(|block| block.transactions).unwrap_or_default();
    let found = usize::try_from(index)
        .ok()
        .and_then(|index| transactions.get(index));
    let missing = || internal(&format!("transaction {index} of block {height} is missing"));
    reply(found.ok_or_else(missing)?.encoded())
}

/// `debug_getBadBlocks()`: none: what is refused before it is decided is no block.
pub(crate) fn bad_blocks(_: &Api, _: &Arguments<'_>) -> Reply {
    reply([(); 0])
}
