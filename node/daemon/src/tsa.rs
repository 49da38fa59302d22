//! Time stamps of RFC 3161 (SPEC §11): a digest is attested on the chain, and when that is
//! final, a token says so in a form that ordinary software verifies.

mod admission;
mod asn1;
#[doc(hidden)]
pub mod fuzz;
mod load;
mod query;
mod signing;
mod token;

use alloy_primitives::keccak256;
use der::asn1::ObjectIdentifier;
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Attestations::attestBatchCall;
use tbsi_rpc::rates::Rates;
use tbsi_rpc::wire::{LeafRange, TransactionStatus};
use tbsi_rpc::{BackendError, PendingTimestamp, Timestamp, TimestampAdmission, TimestampClient};
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::{B256, Bytes, LeafIndex, TimestampMs};
use tracing::debug;
use x509_cert::Certificate;

pub use load::AuthorityError;

use self::asn1::Request;
use self::query::{FailInfo, Query, Rejection};
use self::signing::AuthorityKey;
use self::token::ACCURACY_S;
use crate::account::{SendError, Sender};
use crate::answers::{internal, store_error};
use crate::certificates::first_end;
use crate::clock::wall_clock;
use crate::metrics::Metrics;
use crate::node::{AdmissionError, Node, causes};
use crate::proofs::leaves_of;

/// Gas of an attestation of one digest; it needs a quarter.
const GAS: u64 = 200_000;

/// The schema of what is stamped, which exists from genesis: the digest is of a file's bytes.
const SCHEMA: &str = "tbsi:file:v1";

/// Who makes time stamps: a certified key, and an account that attests.
pub struct Authority {
    /// The authority's own first, then those between it and its root.
    certificates: Vec<Certificate>,
    key: AuthorityKey,
    issuer: Sender,
    policy: ObjectIdentifier,
    rates: Rates,
}

impl Authority {
    /// Whether this client may ask for a time stamp now.
    pub fn admit(&self, client: &TimestampClient, metrics: &Metrics) -> TimestampAdmission {
        admission::admit(&self.rates, client, metrics)
    }

    /// Last second at which all its certificates are valid.
    pub fn valid_until(&self) -> u64 {
        first_end(&self.certificates)
    }

    /// Refuses the query, or sends the transaction that attests its digest.
    pub fn begin(&self, node: &Node, query: &[u8]) -> Result<Timestamp, BackendError> {
        let query = match self.read(query, node.tip().time) {
            Ok((_, query)) => query,
            Err(rejection) => return refused(&rejection),
        };
        let since = wall_clock();
        match self.attest(node, &query) {
            Ok(transaction) => Ok(Timestamp::Pending(PendingTimestamp { transaction, since })),
            Err(SendError::Submit(
                error @ (AdmissionError::Pool(_) | AdmissionError::Denied(_)),
            )) => {
                debug!("time stamp: {}", causes(&error));
                node.metrics.timestamp_refused("pool");
                let text = "the node takes no transaction now; retry later";
                refused(&Rejection::new(FailInfo::SystemFailure, text))
            }
            Err(error) => Err(internal(error)),
        }
    }

    /// Sends the transaction that attests a SHA-256; a sentence if none is taken now.
    pub fn attest_digest(
        &self,
        node: &Node,
        digest: B256,
    ) -> Result<Result<PendingTimestamp, String>, BackendError> {
        let since = wall_clock();
        match self.attest(node, &Query::of_sha256(digest)) {
            Ok(transaction) => Ok(Ok(PendingTimestamp { transaction, since })),
            Err(SendError::Submit(
                error @ (AdmissionError::Pool(_) | AdmissionError::Denied(_)),
            )) => {
                debug!("calendar: {}", causes(&error));
                node.metrics.timestamp_refused("pool");
                Ok(Err("the node takes no transaction now; retry later".into()))
            }
            Err(error) => Err(internal(error)),
        }
    }

    /// The leaf of a digest that is being attested; `None` until that is final.
    pub fn attested_digest(
        &self,
        node: &Node,
        pending: PendingTimestamp,
    ) -> Result<Option<Result<LeafIndex, String>>, BackendError> {
        if let Some(leaves) = leaves_of(node, pending.transaction)? {
            let failed = || "the attestation failed: the chain takes SHA-256 no more".to_owned();
            let leaf = (leaves.count == 1).then_some(leaves.first);
            return Ok(Some(leaf.ok_or_else(failed)));
        }
        let status = node.transaction_status(pending.transaction);
        let TransactionStatus::Dropped { message, .. } = status.map_err(store_error)? else {
            return Ok(None);
        };
        debug!(transaction = %pending.transaction, "calendar: dropped: {message}");
        node.metrics.timestamp_refused("dropped");
        Ok(Some(Err(
            "the attestation of the digest was dropped; retry later".into(),
        )))
    }

    /// The reply to a query whose digest is being attested; `None` until that is final.
    pub fn finish(
        &self,
        node: &Node,
        query: &[u8],
        pending: PendingTimestamp,
    ) -> Result<Option<Bytes>, BackendError> {
        let Some(leaves) = leaves_of(node, pending.transaction)? else {
            return dropped(node, pending.transaction);
        };
        let location = node.store.transaction_location(pending.transaction);
        let Some((height, _)) = location.map_err(store_error)? else {
            return Ok(None);
        };
        let checkpoint = node.store.checkpoint(height).map_err(store_error)?;
        let Some(checkpoint) = checkpoint else {
            return Ok(None);
        };
        let reply = match self.answer(query, leaves, checkpoint.time, pending.since) {
            Ok(request) => {
                let token = self.token(&request, leaves.first, checkpoint.time);
                asn1::granted(token.map_err(internal)?)
            }
            Err(rejection) => asn1::rejected(&rejection),
        };
        Ok(Some(reply.map_err(internal)?.into()))
    }

    /// Whether an attestation that is final, in a block of `time`, gets its token.
    fn answer(
        &self,
        query: &[u8],
        leaves: LeafRange,
        time: TimestampMs,
        since: TimestampMs,
    ) -> Result<Request, Rejection> {
        let (request, _) = self.read(query, time)?;
        if leaves.count != 1 {
            let text = "the attestation failed: the chain takes this hash algorithm no more";
            return Err(Rejection::new(FailInfo::BadAlg, text));
        }
        if !is_accurate(time, since, wall_clock()) {
            let text = "the block's time is not within the accuracy; compare the nodes' clocks";
            return Err(Rejection::new(FailInfo::TimeNotAvailable, text));
        }
        Ok(request)
    }

    fn read(&self, query: &[u8], time: TimestampMs) -> Result<(Request, Query), Rejection> {
        let request = Request::parse(query)?;
        let query = Query::check(&request, self.policy)?;
        if !self.is_valid_at(time) {
            let text = "the authority's certificate is not valid at this time";
            return Err(Rejection::new(FailInfo::TimeNotAvailable, text));
        }
        Ok((request, query))
    }

    fn is_valid_at(&self, time: TimestampMs) -> bool {
        let validity = &self.certificates[0].tbs_certificate.validity;
        let from = validity.not_before.to_unix_duration().as_secs();
        let to = validity.not_after.to_unix_duration().as_secs();
        (from..=to).contains(&(time.0 / 1_000))
    }

    fn attest(&self, node: &Node, query: &Query) -> Result<B256, SendError> {
        let call = attestBatchCall {
            schema: keccak256(SCHEMA),
            algorithm: query.algorithm,
            words: query.words(),
        };
        let input = call.abi_encode().into();
        self.issuer.send(node, ATTESTATIONS, GAS, input)
    }
}

/// The chain bounds how far a block's time may be ahead, but more widely than the accuracy that
/// tokens state. So the authority's own clock vouches for that.
fn is_accurate(time: TimestampMs, since: TimestampMs, now: TimestampMs) -> bool {
    let accuracy = 1_000 * u64::from(ACCURACY_S);
    time.0.saturating_add(accuracy) >= since.0 && time.0 <= now.0.saturating_add(accuracy)
}

/// The reply to a query whose attestation the pool dropped; `None` if it still waits.
fn dropped(node: &Node, transaction: B256) -> Result<Option<Bytes>, BackendError> {
    let status = node.transaction_status(transaction).map_err(store_error)?;
    let TransactionStatus::Dropped { message, .. } = status else {
        return Ok(None);
    };
    debug!(%transaction, "time stamp: the attestation was dropped: {message}");
    node.metrics.timestamp_refused("dropped");
    let text = "the attestation of the digest was dropped; retry later";
    let rejection = Rejection::new(FailInfo::SystemFailure, text);
    Ok(Some(asn1::rejected(&rejection).map_err(internal)?.into()))
}

fn refused(rejection: &Rejection) -> Result<Timestamp, BackendError> {
    let reply = asn1::rejected(rejection).map_err(internal)?;
    Ok(Timestamp::Refused(reply.into()))
}

#[cfg(test)]
mod tests;
