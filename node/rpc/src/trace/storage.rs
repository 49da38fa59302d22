//! `debug_storageRangeAt`.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes};
use serde::Serialize;

use super::debug::by_hash;
use super::{not_genesis, stored};
use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{invalid_argument, refused};
use crate::limits::STORAGE_RANGE_MAX;

/// Answer of `debug_storageRangeAt`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StorageRange {
    storage: BTreeMap<B256, SlotEntry>,
    next_key: Option<B256>,
}

/// `key` is null where only its hash is known.
#[derive(Serialize)]
struct SlotEntry {
    key: Option<B256>,
    value: B256,
}

/// `debug_storageRangeAt(block, index, account, start, limit)`: the storage of an account before
/// the transaction at a position of a block.
pub(crate) fn range_at(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    let index: u32 = arguments.required(1)?;
    let account: Address = arguments.required(2)?;
    let start: Bytes = arguments.required(3)?;
    let limit: usize = arguments.required(4)?;
    if start.len() > 32 {
        return Err(invalid_argument(
            3,
            "the hash of a slot has at most 32 bytes",
        ));
    }
    let height = not_genesis(by_hash(api, hash)?)?;
    let count = stored(api, height)?.transactions.len();
    if index as usize >= count.max(1) {
        return Err(refused(format!(
            "transaction index {index} out of range for block {hash}, which has {count}"
        )));
    }
    let from = B256::right_padding_from(&start);
    let limit = limit.min(STORAGE_RANGE_MAX);
    let page = api
        .backend
        .slots_before(height, index, account, (from, limit))?;
    let slots = page.slots.into_iter().map(|slot| {
        let value = slot.value.into();
        let entry = SlotEntry {
            key: slot.key,
            value,
        };
        (slot.hash, entry)
    });
    reply(StorageRange {
        storage: slots.collect(),
        next_key: page.next,
    })
}
