//! What is fixed for a chain: its fork (EIP-7910), and what a chain that mines would answer.

use std::collections::BTreeMap;

use alloy_eips::eip2124::ForkHash;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::U64;
use serde_json::{Value, json};
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{header_not_found, refused};

/// `BLOB_BASE_FEE_UPDATE_FRACTION` of Prague, which Osaka has not changed; there are no blobs.
const BLOB_FRACTION: u64 = 5_007_716;

/// `eth_config()`: Osaka from genesis on. Upgrades of this chain come at heights, not at times, and
/// are in `tbsi_status`; so `next` is null.
pub(crate) fn config(api: &Api, _: &Arguments<'_>) -> Reply {
    let genesis = api
        .backend
        .header(Height::GENESIS)?
        .ok_or_else(header_not_found)?;
    let fork_id = ForkHash::from(genesis.hash_slow());
    let written = |address| format!("{address:#x}");
    let precompiles = api.backend.precompiles().into_iter();
    let precompiles: BTreeMap<String, String> = precompiles
        .map(|(name, address)| (name, written(address)))
        .collect();
    reply(json!({
        "current": {
            "activationTime": 0,
            "blobSchedule": { "target": 0, "max": 0, "baseFeeUpdateFraction": BLOB_FRACTION },
            "chainId": U64::from(api.backend.identity().chain_id),
            "forkId": alloy_primitives::FixedBytes::<4>(fork_id.0),
            "precompiles": precompiles,
            "systemContracts": { "HISTORY_STORAGE_ADDRESS": written(HISTORY_STORAGE_ADDRESS) },
        },
        "next": Value::Null,
        "last": Value::Null,
    }))
}

/// `eth_coinbase()`: the validator's address, which its blocks name.
pub(crate) fn coinbase(api: &Api, _: &Arguments<'_>) -> Reply {
    match api.backend.coinbase() {
        Some(address) => reply(address),
        None => Err(refused(
            "etherbase must be explicitly specified: this node is no validator",
        )),
    }
}

/// `eth_mining()`: nobody does.
pub(crate) fn mining(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(false)
}
