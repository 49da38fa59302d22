//! The attestation log, as a client asks for it.

use alloy_primitives::{B256, Bytes};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tbsi_types::{Height, LeafIndex, TreeSize};

use super::{Client, ClientError, Transport};
use crate::wire;

impl Client {
    /// `tbsi_getProof`: the proof bundle in the node's own words; `None` if there is no such
    /// leaf.
    pub async fn proof(
        &self,
        selector: &wire::LeafSelector,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        self.proof_of(&[json!(selector)]).await
    }

    /// The same, with the changes of the validator set after height `from` only.
    pub async fn proof_from(
        &self,
        selector: &wire::LeafSelector,
        from: Height,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        let start = wire::BundleStart {
            from,
            ..wire::BundleStart::default()
        };
        self.proof_with(selector, &start).await
    }

    /// The same, with what else `start` asks for.
    pub async fn proof_with(
        &self,
        selector: &wire::LeafSelector,
        start: &wire::BundleStart,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        self.proof_of(&[json!(selector), json!(start)]).await
    }

    /// `tbsi_getAbsence`: what the map says of a digest.
    pub async fn absence(
        &self,
        digest: &Bytes,
        start: &wire::BundleStart,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        self.raw("tbsi_getAbsence", &[json!(digest), json!(start)])
            .await
    }

    async fn proof_of(&self, params: &[Value]) -> Result<Option<Box<RawValue>>, ClientError> {
        self.raw("tbsi_getProof", params).await
    }

    /// An answer in the node's own words; `None` if it is null.
    async fn raw(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        match &self.transport {
            Transport::Http(remote) => {
                let result = self.call(remote, method, params).await?;
                Ok(Some(result).filter(|result| result.get() != "null"))
            }
            Transport::Local(_) => self.request(method, params).await,
        }
    }

    /// `tbsi_getAttestation`; `None` if nobody attested it.
    pub async fn attestation(&self, id: B256) -> Result<Option<wire::Attestation>, ClientError> {
        self.request("tbsi_getAttestation", &[json!(id)]).await
    }

    /// `tbsi_findByDigest`: attestations of a digest at position `from` and after.
    pub async fn find_by_digest(
        &self,
        digest: &Bytes,
        from: LeafIndex,
    ) -> Result<wire::LeafPage, ClientError> {
        let params = [json!(digest), json!(from)];
        self.request("tbsi_findByDigest", &params).await
    }

    /// `tbsi_getLeaves`; `None` until the transaction is final.
    pub async fn leaves_of(
        &self,
        transaction: B256,
    ) -> Result<Option<wire::LeafRange>, ClientError> {
        self.request("tbsi_getLeaves", &[json!(transaction)]).await
    }

    /// `tbsi_getConsistency`: hashes from the log of `first` leaves to that of `second`.
    pub async fn consistency(
        &self,
        first: TreeSize,
        second: TreeSize,
    ) -> Result<wire::Consistency, ClientError> {
        let params = [json!(first), json!(second)];
        self.request("tbsi_getConsistency", &params).await
    }
}
