//! The attestation log, as a client asks for it.

use alloy_primitives::B256;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::BatchRequestBuilder;
use serde_json::json;
use serde_json::value::RawValue;
use tbsi_types::{Handover, Height, LeafIndex, TreeSize};

use super::{Client, ClientError};
use crate::limits::BATCH_ITEMS_MAX;
use crate::wire;

impl Client {
    /// `tbsi_getProof`: the proof bundle in the node's own words; `None` if there is no such
    /// leaf.
    pub async fn proof(
        &self,
        selector: &wire::LeafSelector,
    ) -> Result<Option<Box<RawValue>>, ClientError> {
        let method = "tbsi_getProof";
        let answer = self.http.request(method, [json!(selector)]).await;
        answer.map_err(|error| self.explain(method, error))
    }

    /// `tbsi_getHandovers`: changes of the validator set after `height`, in the order in which
    /// they happened (SPEC §10.1), not verified.
    pub async fn handovers(&self, height: Height) -> Result<Vec<Handover>, ClientError> {
        let method = "tbsi_getHandovers";
        let answer: Result<Box<RawValue>, _> = self.http.request(method, [json!(height)]).await;
        let answer = answer.map_err(|error| self.explain(method, error))?;
        Handover::parse_json_list(answer.get().as_bytes())
            .map_err(|error| self.not_understood(method, &error))
    }

    /// `tbsi_getAttestation`; `None` if nobody attested it.
    pub async fn attestation(&self, id: B256) -> Result<Option<wire::Attestation>, ClientError> {
        self.request("tbsi_getAttestation", &[json!(id)]).await
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

    /// `tbsi_getLeaf` for `count` leaves from `first` on, in one request of at most
    /// [`BATCH_ITEMS_MAX`]. Fails if the log has fewer.
    pub async fn leaf_batch(
        &self,
        first: LeafIndex,
        count: u32,
    ) -> Result<Vec<wire::LogEntry>, ClientError> {
        let method = "tbsi_getLeaf";
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut batch = BatchRequestBuilder::new();
        for offset in 0..count.min(BATCH_ITEMS_MAX) {
            let params = [json!(first.0 + u64::from(offset))];
            batch
                .insert(method, params)
                .map_err(|error| self.not_understood(method, &error))?;
        }
        let answers = self.http.batch_request::<Option<wire::LogEntry>>(batch);
        let answers = answers.await.map_err(|error| self.explain(method, error))?;
        let mut entries = Vec::with_capacity(answers.len());
        for answer in answers {
            let entry = answer.map_err(|error| ClientError::Refused {
                method: method.into(),
                code: error.code(),
                message: error.message().into(),
                data: None,
            })?;
            let index = first.0 + entries.len() as u64;
            match entry {
                Some(entry) if entry.index.0 == index => entries.push(entry),
                Some(_) | None => {
                    return Err(self.not_understood(method, &format!("leaf {index} is missing")));
                }
            }
        }
        if entries.len() != count.min(BATCH_ITEMS_MAX) as usize {
            let got = entries.len();
            return Err(self.not_understood(method, &format!("{got} of {count} leaves")));
        }
        Ok(entries)
    }
}
