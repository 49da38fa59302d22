//! Methods of Besu for who comes from there.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256};
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;

fn validators(api: &Api, height: Option<Height>) -> Reply {
    let Some(height) = height else {
        return reply(());
    };
    let members = api.backend.validators(height)?;
    let address = |it: &tbsi_types::Member| it.public_key.address();
    reply(members.map(|it| it.iter().map(address).collect::<Vec<Address>>()))
}

/// `qbft_getValidatorsByBlockNumber(block)`: who decides that block, or null.
pub(crate) fn validators_by_number(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let tag: BlockNumberOrTag = arguments.required(0)?;
    validators(api, api.height_of_tag(tag))
}

/// `qbft_getValidatorsByBlockHash(hash)`: who decided that block, or null.
pub(crate) fn validators_by_hash(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let hash: B256 = arguments.required(0)?;
    validators(api, api.backend.height_of(hash)?)
}

/// `perm_getNodesAllowlist()`: peers that the chain admits, as libp2p addresses.
pub(crate) fn nodes_allowlist(api: &Api, _: &Arguments<'_>) -> Reply {
    let peers = api.backend.admitted_peers().into_iter();
    reply(peers.map(|id| format!("/p2p/{id}")).collect::<Vec<_>>())
}
