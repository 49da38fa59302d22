//! `eth_sendRawTransactionSync` (EIP-7966): the receipt of a transaction, once it is final.

use std::time::Duration;

use alloy_primitives::{B256, Bytes, U64};
use http::Extensions;
use jsonrpsee::types::Params;
use serde_json::Value;
use tokio::time::Instant;

use super::{blocks, text};
use crate::api::{Reply, Runner};
use crate::arguments::Arguments;
use crate::error::{Failure, invalid_argument, not_in_time};
use crate::limits::FINALITY_S_MAX;
use crate::submit::submit_once;
use crate::waiting::{place, still_pending};

/// `eth_sendRawTransactionSync(transaction, [timeout])`: waits at most [`FINALITY_S_MAX`].
pub(crate) async fn send_raw_transaction_sync(
    runner: &Runner,
    params: Params<'static>,
    extensions: &Extensions,
) -> Reply {
    let _place = place(runner)?;
    let mut heads = runner.api.backend.subscribe();
    let arguments = Arguments::split(&params, 2)?;
    let wait = wait(arguments.optional(1)?)?;
    let encoded: Bytes = arguments.required(0)?;
    let hash = submit_once(runner, encoded, extensions).await?;
    let deadline = Instant::now() + wait;
    loop {
        let found = runner.run(move |api| blocks::receipt_of(api, hash)).await?;
        if let Some(receipt) = found {
            return Ok(text::receipt(&receipt));
        }
        runner.run(move |api| still_pending(api, hash)).await?;
        let head = tokio::time::timeout_at(deadline, heads.recv()).await;
        if head.is_err() {
            return Err(late(hash, wait));
        }
    }
}

/// How long to wait: so many milliseconds, as a JSON number or a quantity.
fn wait(asked: Option<Value>) -> Result<Duration, Failure> {
    let most = Duration::from_secs(FINALITY_S_MAX);
    let Some(asked) = asked else {
        return Ok(most);
    };
    let quantity = |text: &str| U64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let ms = match asked.as_str() {
        Some(text) => quantity(text).map(|ms| ms.to()),
        None => asked.as_u64(),
    };
    match ms {
        Some(ms) if ms > 0 => Ok(Duration::from_millis(ms).min(most)),
        Some(_) | None => Err(invalid_argument(
            1,
            &format!(
                "{asked} is no timeout; give milliseconds above 0 as a number or as a quantity \
                 such as 0x3e8, or leave it out"
            ),
        )),
    }
}

fn late(hash: B256, wait: Duration) -> Failure {
    not_in_time(
        format!(
            "The transaction was added to the transaction pool but wasn't processed in {} ms; ask \
             eth_getTransactionReceipt later",
            wait.as_millis()
        ),
        hash,
    )
}
