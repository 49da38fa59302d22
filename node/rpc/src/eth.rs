//! `eth_*`.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, U64};
use serde_json::{Value, json};
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, header_not_found, quantity};

pub(crate) mod account;
pub(crate) mod blocks;
pub(crate) mod call;
pub(crate) mod config;
pub(crate) mod fees;
pub(crate) mod filters;
pub(crate) mod logs;
pub(crate) mod objects;
pub(crate) mod overrides;
pub(crate) mod receipt;
pub(crate) mod simulate;
pub(crate) mod state;
pub(crate) mod text;

impl Api {
    /// The height that a tag or number names; `None` above the tip. A finalized block is final
    /// at once, so latest, safe and finalized are one; nobody has a pending block, so pending
    /// is the latest too.
    pub(crate) fn height_of_tag(&self, tag: BlockNumberOrTag) -> Option<Height> {
        let tip = self.backend.tip();
        match tag {
            BlockNumberOrTag::Latest
            | BlockNumberOrTag::Finalized
            | BlockNumberOrTag::Safe
            | BlockNumberOrTag::Pending => Some(tip),
            BlockNumberOrTag::Earliest => Some(Height::GENESIS),
            BlockNumberOrTag::Number(number) => Some(Height(number)).filter(|it| *it <= tip),
        }
    }

    /// The height of a block named in any way of EIP-1898; `None` if there is no such block.
    pub(crate) fn height_of_id(&self, id: BlockId) -> Result<Option<Height>, Failure> {
        match id {
            BlockId::Number(tag) => Ok(self.height_of_tag(tag)),
            BlockId::Hash(hash) => Ok(self.backend.height_of(hash.block_hash)?),
        }
    }

    /// The height whose state the argument at `index` asks for; the tip if it is absent.
    pub(crate) fn state_height(
        &self,
        arguments: &Arguments<'_>,
        index: usize,
    ) -> Result<Height, Failure> {
        let id = arguments.optional(index)?.unwrap_or_default();
        self.height_of_id(id)?.ok_or_else(header_not_found)
    }

    /// The nonce of the sender's next transaction, pooled ones counted.
    pub(crate) fn next_nonce(&self, sender: Address, height: Height) -> Result<u64, Failure> {
        let account = self.backend.account(sender, height)?.unwrap_or_default();
        let pending = self.backend.pending_nonce(sender).unwrap_or_default();
        Ok(account.nonce.max(pending))
    }
}

/// `eth_accounts`: the node holds no keys.
pub(crate) fn accounts(_: &Api, _: &Arguments<'_>) -> Reply {
    reply([(); 0])
}

/// `eth_blockNumber`.
pub(crate) fn block_number(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(quantity(api.backend.tip()))
}

/// `eth_capabilities`: where history begins. Blocks are kept from genesis, state in a window.
pub(crate) fn capabilities(api: &Api, _: &Arguments<'_>) -> Reply {
    let tip = api.backend.tip();
    let header = api.backend.header(tip)?.ok_or_else(header_not_found)?;
    let since = |oldest| json!({ "disabled": false, "oldestBlock": quantity(oldest) });
    let (blocks, state) = (since(Height::GENESIS), since(api.backend.oldest_state()));
    reply(json!({
        "head": { "number": quantity(tip), "hash": header.hash_slow() },
        "state": state, "tx": blocks, "logs": blocks,
        "receipts": blocks, "blocks": blocks, "stateproofs": state,
    }))
}

/// `eth_chainId`.
pub(crate) fn chain_id(api: &Api, _: &Arguments<'_>) -> Reply {
    reply(U64::from(api.backend.identity().chain_id))
}

/// `eth_syncing`: false, or how far the node has come.
pub(crate) fn syncing(api: &Api, _: &Arguments<'_>) -> Reply {
    match progress(api) {
        Some(progress) => reply(progress),
        None => reply(false),
    }
}

/// How far a node has come that catches up.
pub(crate) fn progress(api: &Api) -> Option<Value> {
    let status = api.backend.status();
    let highest = Height(status.height.0.saturating_add(status.behind));
    status.syncing.then(|| {
        json!({
            "startingBlock": quantity(Height::GENESIS),
            "currentBlock": quantity(status.height),
            "highestBlock": quantity(highest),
        })
    })
}
