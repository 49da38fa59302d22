//! `eth_subscribe`: new heads and logs over WebSocket. Leaves of the log are in [`leaves`].

mod leaves;

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

use crate::api::{Api, Runner, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, subscription_not_found, too_many_subscriptions};
use crate::eth::{logs, objects};
use crate::limits::SUBSCRIPTION_BACKLOG_MAX;

/// What a subscriber wants of each block.
enum Topic {
    NewHeads,
    Logs(Box<Filter>),
}

impl Topic {
    fn parse(params: &Params<'_>) -> Result<Self, Failure> {
        let arguments = Arguments::split(params, 2)?;
        match arguments.required::<String>(0)?.as_str() {
            "newHeads" => Ok(Self::NewHeads),
            "logs" => {
                let filter = logs::filter(&arguments, 1)?;
                Ok(Self::Logs(Box::new(filter.unwrap_or_default())))
            }
            other => Err(subscription_not_found("eth", other)),
        }
    }

    /// The notifications that one block gives.
    fn messages(&self, api: &Api, height: Height) -> Result<Vec<Box<RawValue>>, Failure> {
        match self {
            Self::NewHeads => {
                let header = api.backend.header(height)?.map(objects::header);
                header.into_iter().map(reply).collect()
            }
            Self::Logs(filter) => {
                let logs = logs::matching_logs(api, filter, height)?;
                logs.into_iter().map(reply).collect()
            }
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
            serve(&params, pending, &runner).await
        },
    )?;
    leaves::register(module)
}

async fn serve(
    params: &Params<'_>,
    pending: PendingSubscriptionSink,
    runner: &Runner,
) -> Result<(), SubscriptionError> {
    let topic = match Topic::parse(params) {
        Ok(topic) => Arc::new(topic),
        Err(failure) => {
            pending.reject(failure).await;
            return Ok(());
        }
    };
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
            if !send_block(runner, &sink, &topic, next).await? {
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
    topic: &Arc<Topic>,
    height: Height,
) -> Result<bool, SubscriptionError> {
    let topic = Arc::clone(topic);
    let messages = runner
        .run(move |api| topic.messages(api, height))
        .await
        .map_err(|failure| SubscriptionError::from(failure.message().to_string()))?;
    for message in messages {
        if sink.send(message).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
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
