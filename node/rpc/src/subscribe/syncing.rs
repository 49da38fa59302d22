//! `eth_subscribe("syncing")`: whether the node catches up, now and whenever that changes.

use std::time::Duration;

use jsonrpsee::core::SubscriptionError;
use jsonrpsee::server::PendingSubscriptionSink;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::ended;
use crate::api::{Api, Runner, part};
use crate::error::Failure;
use crate::eth::progress;
use crate::limits::SYNCING_LOOK_MS;

pub(super) async fn serve(
    pending: PendingSubscriptionSink,
    runner: &Runner,
) -> Result<(), SubscriptionError> {
    let Ok(sink) = pending.accept().await else {
        return Ok(());
    };
    // Nothing announces that others got ahead.
    let mut looks = tokio::time::interval(Duration::from_millis(SYNCING_LOOK_MS));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    loop {
        tokio::select! {
            () = sink.closed() => return Ok(()),
            _ = looks.tick() => {}
        }
        let (syncing, notice) = runner.run(notice).await.map_err(ended)?;
        if told == Some(syncing) {
            continue;
        }
        told = Some(syncing);
        if sink.send(part(notice).map_err(ended)?).await.is_err() {
            return Ok(());
        }
    }
}

/// Whether the node catches up, in the two forms that clients know: go-ethereum's has the figures
/// in `status`, others beside `syncing`.
fn notice(api: &Api) -> Result<(bool, Value), Failure> {
    let Some(progress) = progress(api) else {
        return Ok((false, json!(false)));
    };
    let mut notice = json!({ "syncing": true, "status": progress });
    for field in ["startingBlock", "currentBlock", "highestBlock"] {
        notice[field] = progress[field].clone();
    }
    Ok((true, notice))
}
