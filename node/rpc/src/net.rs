//! `net_*`, `web3_*`, `txpool_*` and `rpc_*`.

use alloy_primitives::{Bytes, U64, keccak256};
use serde_json::json;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;

/// `net_listening`.
pub(crate) fn listening(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(true)
}

/// `net_peerCount`.
pub(crate) fn peer_count(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(U64::from(api.backend.peer_count()))
}

/// `net_version`: the chain id in decimal; wallets refuse a network where the two differ.
pub(crate) fn version(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(api.backend.identity().chain_id.to_string())
}

/// `rpc_modules`.
pub(crate) fn modules(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(json!({
        "eth": "1.0", "net": "1.0", "rpc": "1.0", "tbsi": "1.0", "txpool": "1.0", "web3": "1.0",
    }))
}

/// `txpool_status`.
pub(crate) fn pool_status(api: &Api, _: &Arguments<'_>) -> Reply {
    let counts = api.backend.pool_counts();
    reply(json!({ "pending": U64::from(counts.pending), "queued": U64::from(counts.queued) }))
}

/// `web3_clientVersion`.
pub(crate) fn client_version(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(api.backend.client_version())
}

/// `web3_sha3`: Keccak-256.
pub(crate) fn sha3(_: &Api, arguments: &Arguments<'_>) -> Reply {
    reply(keccak256(arguments.required::<Bytes>(0)?))
}
