//! What the chaincode answers (SPEC §17.2).

use alloy_primitives::{B256, Bytes};
use serde::Deserialize;
use tbsi_types::Checkpoint;

use crate::record::Hold;
use crate::target::ClientView;

/// Of `GetStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStatus {
    /// What the client was opened with.
    pub config: ClientOpening,
    /// Its newest checkpoint.
    pub head: ClientHead,
    /// What is paused.
    pub paused: Vec<PausedScope>,
    /// `active`, `paused`, `expired` or `frozen`.
    pub status: String,
    /// Until when the newest checkpoint is a base for the next.
    pub trusted_until_ms: u64,
}

/// What a client was opened with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientOpening {
    /// Of the TBSI chain.
    pub chain_id: u64,
    /// Of the TBSI chain.
    pub genesis_hash: B256,
    /// Whether it takes checkpoints from registered relayers only.
    pub strict: bool,
}

/// The newest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientHead {
    /// Whether it names another next set.
    pub closing: bool,
    /// Its digest.
    pub digest: B256,
    /// Its height.
    pub height: u64,
    /// Leaves in its log.
    pub log_size: u64,
    /// Number of the set that signs now.
    pub set_id: u64,
    /// Its time.
    pub time_ms: u64,
}

/// Something that is paused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PausedScope {
    /// `updates`, `proofs` or `messages`.
    pub scope: String,
}

/// Of `GetCheckpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AcceptedCheckpoint {
    pub(super) checkpoint: Bytes,
    pub(super) set_id: u64,
}

impl AcceptedCheckpoint {
    pub(super) fn decode(&self) -> Result<Checkpoint, String> {
        Checkpoint::decode(&self.checkpoint).map_err(|error| error.to_string())
    }
}

/// Of `GetRelayer`: who answers for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedRelayer {
    /// Whether it is one now.
    pub active: bool,
    /// Its legal name in English.
    pub name_en: String,
    /// Its legal name in Traditional Chinese.
    pub name_zh_tw: String,
}

impl ClientStatus {
    /// Why nothing is taken. Messages are not carried here, so that their pause stops nothing.
    pub(super) fn hold(&self) -> Option<Hold> {
        match self.status.as_str() {
            "frozen" => Some(Hold::Frozen),
            "expired" => Some(Hold::TrustExpired),
            "paused" => {
                let stops = |it: &PausedScope| it.scope != "messages";
                self.paused.iter().any(stops).then_some(Hold::Paused)
            }
            _ => None,
        }
    }

    /// As the loop sees it; the newest checkpoint is the one that the head names.
    pub(super) fn view(&self, newest: &Checkpoint) -> ClientView {
        let head = &self.head;
        ClientView {
            height: head.height,
            time_ms: head.time_ms,
            log_size: head.log_size,
            digest: head.digest,
            // The first checkpoint of a client may be its set's last: the next one signs then.
            validator_set: if head.closing {
                newest.validator_set_hash
            } else {
                newest.next_validator_set_hash
            },
            closing: head.closing,
            trusted_until_ms: self.trusted_until_ms,
            hold: self.hold(),
        }
    }
}
