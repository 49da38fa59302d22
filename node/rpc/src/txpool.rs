//! `txpool_*`: what the pool holds, as go-ethereum and as Besu show it.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U64};
use serde::Serialize;
use serde_json::json;
use tbsi_types::Transaction;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::backend::PoolContent;
use crate::error::{Failure, limit_exceeded};
use crate::eth::objects;
use crate::limits::POOLED_OBJECT_BYTES;

/// By sender and, in decimal digits, by nonce.
type Shown<T> = BTreeMap<String, BTreeMap<String, T>>;

/// `txpool_status()`.
pub(crate) fn status(api: &Api, _: &Arguments<'_>) -> Reply {
    let counts = api.backend.pool_counts();
    reply(json!({ "pending": U64::from(counts.pending), "queued": U64::from(counts.queued) }))
}

/// All that the pool holds, unless it is more than one answer may have.
fn content_of(api: &Api) -> Result<PoolContent, Failure> {
    let counts = api.backend.pool_counts();
    let objects = (counts.pending + counts.queued).saturating_mul(POOLED_OBJECT_BYTES);
    let bytes = counts.bytes.saturating_mul(2).saturating_add(objects);
    let limit = u64::from(api.limits.response_bytes_max);
    if bytes > limit {
        return Err(limit_exceeded(
            format!(
                "the pool's {} transactions would be about {bytes} bytes, an answer has at most \
                 {limit}; ask txpool_contentFrom for one sender, or txpool_status for the counts",
                counts.pending + counts.queued
            ),
            json!({ "limit": limit, "bytes": bytes }),
        ));
    }
    Ok(api.backend.pool_content())
}

fn by_sender<T>(transactions: &[Arc<Transaction>], show: impl Fn(&Transaction) -> T) -> Shown<T> {
    let mut shown: Shown<T> = BTreeMap::new();
    for transaction in transactions {
        let sender = transaction.sender().to_checksum(None);
        let of_sender = shown.entry(sender).or_default();
        of_sender.insert(transaction.nonce().to_string(), show(transaction));
    }
    shown
}

/// The two halves of a pool.
#[derive(Serialize)]
struct Halves<T> {
    pending: T,
    queued: T,
}

fn halves<T>(content: &PoolContent, show: impl Fn(&[Arc<Transaction>]) -> T) -> Halves<T> {
    Halves {
        pending: show(&content.pending),
        queued: show(&content.queued),
    }
}

/// `txpool_content()`: the transactions, by sender and nonce.
pub(crate) fn content(api: &Api, _: &Arguments<'_>) -> Reply {
    let show = |it: &[Arc<Transaction>]| by_sender(it, |it| objects::transaction(it, None));
    reply(halves(&content_of(api)?, show))
}

/// `txpool_contentFrom(address)`: those of one sender, by nonce.
pub(crate) fn content_from(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let sender: Address = arguments.required(0)?;
    let show = |it: &[Arc<Transaction>]| {
        let shown = it
            .iter()
            .map(|it| (it.nonce().to_string(), objects::transaction(it, None)));
        shown.collect::<BTreeMap<_, _>>()
    };
    reply(halves(&api.backend.pool_of(sender), show))
}

/// `txpool_inspect()`: each transaction in a line.
pub(crate) fn inspect(api: &Api, _: &Arguments<'_>) -> Reply {
    let line = |transaction: &Transaction| {
        let inner = transaction.envelope();
        let to = inner.to().map(|to| to.to_checksum(None));
        let to = to.unwrap_or_else(|| "contract creation".into());
        let (value, gas, price) = (inner.value(), inner.gas_limit(), inner.max_fee_per_gas());
        format!("{to}: {value} wei + {gas} gas × {price} wei")
    };
    reply(halves(&content_of(api)?, |it| by_sender(it, line)))
}

/// `txpool_besuPendingTransactions([limit])`: the transactions in a list.
pub(crate) fn besu_pending_transactions(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let limit: usize = arguments.optional(0)?.unwrap_or(usize::MAX);
    let content = content_of(api)?;
    let all = content.pending.iter().chain(&content.queued).take(limit);
    reply(
        all.map(|it| objects::transaction(it, None))
            .collect::<Vec<_>>(),
    )
}

/// `txpool_besuStatistics()`: how many came from clients of this node, how many from others.
pub(crate) fn besu_statistics(api: &Api, _: &Arguments<'_>) -> Reply {
    let counts = api.backend.pool_counts();
    let (own, most) = api.backend.pool_shares();
    let others = (counts.pending + counts.queued).saturating_sub(own);
    reply(json!({ "maxSize": most, "localCount": own, "remoteCount": others }))
}
