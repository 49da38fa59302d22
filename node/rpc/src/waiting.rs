//! Calls that answer when a transaction is final.

use alloy_primitives::B256;
use serde_json::json;
use tokio::sync::SemaphorePermit;

use crate::api::{Api, Runner};
use crate::error::{Failure, REFUSED, limit_exceeded};
use crate::limits::ACKNOWLEDGEMENTS_MAX;
use crate::wire;

/// The place of one who waits, free again when dropped; refuses who finds none.
pub(crate) fn place(runner: &Runner) -> Result<SemaphorePermit<'_>, Failure> {
    runner.acknowledgements.try_acquire().map_err(|_| {
        let message = format!(
            "{ACKNOWLEDGEMENTS_MAX} calls wait for finality already; send the transaction by \
             eth_sendRawTransaction and ask tbsi_transactionStatus, or retry later"
        );
        limit_exceeded(message, json!({ "limit": ACKNOWLEDGEMENTS_MAX }))
    })
}

/// A transaction that was dropped is not waited for.
pub(crate) fn still_pending(api: &Api, hash: B256) -> Result<(), Failure> {
    match api.backend.transaction_status(hash)? {
        wire::TransactionStatus::Dropped {
            reason, message, ..
        } => Err(Failure::owned(
            REFUSED,
            format!("transaction {hash} was dropped: {message}"),
            Some(json!({ "transactionHash": hash, "reason": reason })),
        )),
        wire::TransactionStatus::Pending { .. }
        | wire::TransactionStatus::Included { .. }
        | wire::TransactionStatus::Unknown {} => Ok(()),
    }
}
