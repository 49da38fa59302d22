//! Transactions that clients send: taken in the order of their connection, and held for a moment
//! if those before them are still on their way (SPEC §18.2).

use std::time::Duration;

use alloy_primitives::{B256, Bytes, keccak256};
use http::Extensions;
use jsonrpsee::types::Params;
use tokio::time::{Instant, sleep, timeout_at};

use crate::api::{Api, Reply, Runner, reply};
use crate::arguments::Arguments;
use crate::backend::SubmitError;
use crate::error::Failure;
use crate::limits::{HOLD_LOOK_MS, HOLD_MS_MAX};
use crate::order::Admission;

/// `eth_sendRawTransaction(transaction)`: its hash, when the pool has it.
pub(crate) async fn send_raw_transaction(
    runner: &Runner,
    params: Params<'static>,
    extensions: &Extensions,
) -> Reply {
    let encoded: Bytes = Arguments::split(&params, 1)?.required(0)?;
    reply(submit(runner, encoded, extensions).await??)
}

/// Hands over a transaction of a call that waits for more, and tells those after it on its
/// connection. Whoever lost the answer may ask again, so one that is known is no mistake.
pub(crate) async fn submit_once(
    runner: &Runner,
    encoded: Bytes,
    extensions: &Extensions,
) -> Result<B256, Failure> {
    let hash = keccak256(&encoded);
    if let Err(refusal) = submit(runner, encoded, extensions).await? {
        runner.run(move |api| known(api, hash, refusal)).await?;
    }
    Admission::is_over(extensions);
    Ok(hash)
}

fn known(api: &Api, hash: B256, refusal: SubmitError) -> Result<(), Failure> {
    // In this order: a transaction leaves the pool when its block is stored.
    let pending = api.backend.pending_transaction(hash).is_some();
    if pending || api.backend.transaction_location(hash)?.is_some() {
        return Ok(());
    }
    Err(refusal.into())
}

/// Hands a transaction to the node. What a gap of nonces keeps out is tried again when another
/// one was taken: web3 clients use several connections side by side. It gives up its place in
/// the order of its connection then, on which the missing ones may come.
async fn submit(
    runner: &Runner,
    encoded: Bytes,
    extensions: &Extensions,
) -> Result<Result<B256, SubmitError>, Failure> {
    let deadline = Instant::now() + Duration::from_millis(HOLD_MS_MAX);
    let mut taken = runner.taken.subscribe();
    let mut held = None;
    loop {
        taken.mark_unchanged();
        let bytes = encoded.clone();
        let submitted = runner
            .run(move |api| Ok(api.backend.submit(&bytes)))
            .await?;
        match &submitted {
            Ok(_) => {
                runner.taken.send_modify(|count| *count += 1);
            }
            Err(SubmitError::Early(_)) => {
                if held.is_none() {
                    held = runner.held.try_acquire().ok();
                }
                if held.is_some() && Instant::now() < deadline {
                    Admission::is_over(extensions);
                    // Whoever asked may be gone, and nothing may come: then this is the last time.
                    let _changed = timeout_at(deadline, taken.changed()).await;
                    sleep(Duration::from_millis(HOLD_LOOK_MS)).await;
                    continue;
                }
            }
            Err(
                SubmitError::Refused(_) | SubmitError::Denied { .. } | SubmitError::Internal(_),
            ) => {}
        }
        return Ok(submitted);
    }
}
