//! `net_*` and `web3_*`.

use alloy_primitives::{Bytes, U64, keccak256};

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

/// `web3_clientVersion`.
pub(crate) fn client_version(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(api.backend.client_version())
}

/// `web3_sha3`: Keccak-256.
pub(crate) fn sha3(_: &Api, arguments: &Arguments<'_>) -> Reply {
    reply(keccak256(arguments.required::<Bytes>(0)?))
}
