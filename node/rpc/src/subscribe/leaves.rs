//! `tbsi_subscribe("leaves", filter)`: the leaves of the log over WebSocket, each once and in
//! order, from any position on.
//!
//! Leaves are read from the log as the client takes them, so nothing queues up here but the
//! messages of its connection.

use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::{RegisterMethodError, SubscriptionError};
use jsonrpsee::server::{PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::types::Params;
use serde_json::value::RawValue;
use tbsi_types::bundle::{KINDS, describe};
use tbsi_types::log::{EntryBundle, Leaf, Statement, tile};
use tbsi_types::{LeafIndex, TreeSize};
use tokio::sync::broadcast::error::RecvError;

use crate::api::{Api, Runner, part};
use crate::arguments::Arguments;
use crate::error::{
    Failure, internal, invalid_argument, subscription_not_found, too_many_subscriptions,
};
use crate::limits::LEAVES_BEHIND_MAX;
use crate::wire::{LeafEnd, LeafFilter, LeafNotice, LogEntry};

/// Adds `tbsi_subscribe` and `tbsi_unsubscribe`.
pub(super) fn register(module: &mut RpcModule<Runner>) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        "tbsi_subscribe",
        "tbsi_subscription",
        "tbsi_unsubscribe",
        |params, pending, runner, _| async move {
            let Ok(_place) = runner.subscriptions.try_acquire() else {
                pending.reject(too_many_subscriptions()).await;
                return Ok(());
            };
            serve(&params, pending, &runner).await
        },
    )?;
    Ok(())
}

fn parse(params: &Params<'_>) -> Result<LeafFilter, Failure> {
    let arguments = Arguments::split(params, 2)?;
    let topic = arguments.required::<String>(0)?;
    if topic != "leaves" {
        return Err(subscription_not_found("tbsi", &topic));
    }
    let filter: LeafFilter = arguments.optional(1)?.unwrap_or_default();
    if let Some(kind) = &filter.kind
        && !KINDS.contains(&kind.as_str())
    {
        let problem = format!("kind `{kind}` is none of {}", KINDS.join(", "));
        return Err(invalid_argument(1, &problem));
    }
    Ok(filter)
}

async fn serve(
    params: &Params<'_>,
    pending: PendingSubscriptionSink,
    runner: &Runner,
) -> Result<(), SubscriptionError> {
    let backend = &runner.api.backend;
    // Before the size is read: what is final right after it must be announced.
    let mut heads = backend.subscribe();
    let begun = parse(params).and_then(|filter| {
        let next = first(&filter, backend.log_size())?;
        Ok((Arc::new(filter), next))
    });
    let (filter, mut next) = match begun {
        Ok(begun) => begun,
        Err(failure) => {
            pending.reject(failure).await;
            return Ok(());
        }
    };
    let Ok(sink) = pending.accept().await else {
        return Ok(());
    };
    // Who reads old leaves may take all the time; who had all of them must keep up.
    let mut had_all = false;
    loop {
        let size = backend.log_size();
        let behind = size.0.saturating_sub(next.0);
        if behind == 0 {
            had_all = true;
            tokio::select! {
                () = sink.closed() => return Ok(()),
                head = heads.recv() => match head {
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
        if had_all && behind > LEAVES_BEHIND_MAX {
            let ended = format!(
                "more than {LEAVES_BEHIND_MAX} leaves behind; subscribe again with fromIndex {next}"
            );
            return end(&sink, ended, next).await;
        }
        let chosen = Arc::clone(&filter);
        let read = runner.run(move |api| read(api, &chosen, next, size)).await;
        let (notices, after) = match read {
            Ok(read) => read,
            Err(failure) => return end(&sink, failure.message().into(), next).await,
        };
        for notice in notices {
            if sink.send(notice).await.is_err() {
                return Ok(());
            }
        }
        next = after;
    }
}

/// The position to begin at.
fn first(filter: &LeafFilter, size: TreeSize) -> Result<LeafIndex, Failure> {
    let next = filter.from_index.unwrap_or(LeafIndex(size.0));
    if next.0 > size.0 {
        let problem = format!("fromIndex {next} is above the log's size, {size}");
        return Err(invalid_argument(1, &problem));
    }
    Ok(next)
}

/// Says why it ends in a last notification, which every client shows.
async fn end(
    sink: &SubscriptionSink,
    ended: String,
    from_index: LeafIndex,
) -> Result<(), SubscriptionError> {
    let notice = part(LeafNotice::End(LeafEnd { ended, from_index }));
    if let Ok(notice) = notice {
        // A client that has gone needs no reason.
        sink.send(notice).await.ok();
    }
    Ok(())
}

/// What the subscriber wants of the bundle that holds leaf `next`, and the leaf after it.
fn read(
    api: &Api,
    filter: &LeafFilter,
    next: LeafIndex,
    size: TreeSize,
) -> Result<(Vec<Box<RawValue>>, LeafIndex), Failure> {
    let missing = || internal(&format!("leaf {next} of {size} is missing"));
    let bundle = EntryBundle::of_leaf(next, size).ok_or_else(missing)?;
    let bytes = api.backend.log_entries(bundle)?.ok_or_else(missing)?;
    let entries = tile::entries(&bytes, bundle.width).map_err(|error| internal(&error))?;
    let start = bundle.index * u64::from(tile::TILE_WIDTH);
    let mut notices = Vec::new();
    for (index, bytes) in (start..).zip(&entries) {
        let leaf = Leaf::decode(bytes).map_err(|error| internal(&error))?;
        if index < next.0 || !filter.lets_through(&leaf) {
            continue;
        }
        // A leaf names its issuer; whose account that is says the chain.
        if let Some(organisation) = filter.organisation
            && api.backend.organisation_of(leaf.head.issuer)? != organisation
        {
            continue;
        }
        notices.push(part(LeafNotice::Leaf(LogEntry {
            index: LeafIndex(index),
            leaf: bytes.to_vec().into(),
            statement: describe(&leaf),
        }))?);
    }
    Ok((notices, LeafIndex(start + u64::from(bundle.width))))
}

impl LeafFilter {
    fn lets_through(&self, leaf: &Leaf) -> bool {
        let schema = match &leaf.statement {
            Statement::Attestation(attestation) => Some(attestation.schema),
            Statement::SchemaRegistered { schema, .. } => Some(*schema),
            Statement::Revocation { .. }
            | Statement::Supersession { .. }
            | Statement::CountersigningOpened { .. }
            | Statement::Countersignature { .. }
            | Statement::AlgorithmSet { .. }
            | Statement::MapRoot(_)
            | Statement::GovernanceAct { .. }
            | Statement::Message { .. }
            | Statement::ForeignFact(_) => None,
        };
        let is_kind = |kind: &String| describe(leaf)["kind"] == kind.as_str();
        self.issuer.is_none_or(|issuer| leaf.head.issuer == issuer)
            && self.schema.is_none_or(|wanted| schema == Some(wanted))
            && self.kind.as_ref().is_none_or(is_kind)
    }
}
