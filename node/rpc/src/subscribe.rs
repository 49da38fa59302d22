//! `eth_subscribe`: new heads, logs, pending transactions and the state of syncing over
//! WebSocket. Leaves of the log are in [`leaves`].
//!
//! Nothing queues up for a slow reader but the few messages of its connection: blocks are read
//! from the store as it takes them, transactions stay in the one queue that all share. Who falls
//! too far behind gets a last notification with an `error` that says so, and no more.

mod leaves;
mod pool;
mod syncing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_rpc_types_eth::Filter;
use jsonrpsee::RpcModule;
use jsonrpsee::core::{RegisterMethodError, SubscriptionError};
use jsonrpsee::server::{IdProvider, PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::types::{Params, SubscriptionId};
use serde_json::value::RawValue;
use tbsi_types::Height;
use tokio::sync::broadcast::error::RecvError;

use crate::api::{Api, Runner, part};
use crate::arguments::Arguments;
use crate::error::{Failure, subscription_not_found, too_many_subscriptions};
use crate::eth::{logs, objects};
use crate::limits::SUBSCRIPTION_BACKLOG_MAX;

/// What a subscriber wants.
enum Topic {
    Blocks(OfBlock),
    Pending { full: bool },
    Syncing,
}

/// What a subscriber wants of each block.
enum OfBlock {
    Head,
    Logs(Box<Filter>),
}

impl Topic {
    fn parse(params: &Params<'_>) -> Result<Self, Failure> {
        let arguments = Arguments::split(params, 2)?;
        match arguments.required::<String>(0)?.as_str() {
            "newHeads" => Ok(Self::Blocks(OfBlock::Head)),
            "logs" => {
                let filter = logs::filter(&arguments, 1)?.unwrap_or_default();
                logs::check_order(&filter)?;
                Ok(Self::Blocks(OfBlock::Logs(Box::new(filter))))
            }
            "newPendingTransactions" => Ok(Self::Pending {
                full: arguments.optional(1)?.unwrap_or_default(),
            }),
            "syncing" => Ok(Self::Syncing),
            other => Err(subscription_not_found("eth", other)),
        }
    }
}

impl OfBlock {
    /// The notifications that one block gives.
    fn messages(&self, api: &Api, height: Height) -> Result<Vec<Box<RawValue>>, Failure> {
        match self {
            Self::Head => {
                let header = api.backend.header(height)?.map(objects::header);
                header.into_iter().map(part).collect()
            }
            Self::Logs(filter) if logs::in_range(filter, height) => {
                let logs = logs::matching_logs(api, filter, height)?;
                logs.into_iter().map(part).collect()
            }
            Self::Logs(_) => Ok(Vec::new()),
        }
    }
}

/// Adds `eth_subscribe`, `tbsi_subscribe` and what ends them.
pub(crate) fn register(module: &mut RpcModule<Runner>) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, runner, _| async move {
            let Ok(_place) = runner.subscriptions.try_acquire() else {
                pending.reject(too_many_subscriptions()).await;
                return Ok(());
            };
            match Topic::parse(&params) {
                Ok(Topic::Blocks(what)) => blocks(Arc::new(what), pending, &runner).await,
                Ok(Topic::Pending { full }) => pool::serve(full, pending, &runner).await,
                Ok(Topic::Syncing) => syncing::serve(pending, &runner).await,
                Err(failure) => {
                    pending.reject(failure).await;
                    Ok(())
                }
            }
        },
    )?;
    leaves::register(module)
}

async fn blocks(
    what: Arc<OfBlock>,
    pending: PendingSubscriptionSink,
    runner: &Runner,
) -> Result<(), SubscriptionError> {
    // Before the answer: a block finalized right after it must be announced.
    let mut heads = runner.api.backend.subscribe();
    let mut next = runner.api.backend.tip().next();
    let Ok(sink) = pending.accept().await else {
        return Ok(());
    };
    loop {
        let head = tokio::select! {
            () = sink.closed() => return Ok(()),
            head = heads.recv() => match head {
                Ok(head) => head,
                Err(RecvError::Lagged(_)) => runner.api.backend.tip(),
                Err(RecvError::Closed) => return Ok(()),
            },
        };
        if head.above(next) > SUBSCRIPTION_BACKLOG_MAX {
            return Err(SubscriptionError::from(format!(
                "more than {SUBSCRIPTION_BACKLOG_MAX} blocks behind; subscribe again"
            )));
        }
        while next <= head {
            if !send_block(runner, &sink, &what, next).await? {
                return Ok(());
            }
            next = next.next();
        }
    }
}

/// Sends what one block gives; false if the client has gone.
async fn send_block(
    runner: &Runner,
    sink: &SubscriptionSink,
    what: &Arc<OfBlock>,
    height: Height,
) -> Result<bool, SubscriptionError> {
    let what = Arc::clone(what);
    let messages = runner
        .run(move |api| what.messages(api, height))
        .await
        .map_err(ended)?;
    for message in messages {
        if sink.send(message).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Why a subscription ends that cannot be answered.
fn ended(failure: Failure) -> SubscriptionError {
    SubscriptionError::from(failure.message().to_string())
}

/// Subscription ids in the form of go-ethereum: some clients compare them as strings. They are
/// valid on their own connection only, so a counter is enough.
#[derive(Debug, Default)]
pub(crate) struct HexIds(AtomicU64);

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        let id = self.0.fetch_add(1, Ordering::Relaxed);
        SubscriptionId::Str(format!("0x{:032x}", u128::from(id) + 1).into())
    }
}
