//! Events of the chaincode, from where somebody left off: a position is on disk once what happened
//! before it was dealt with, so that after a crash events come again, and none is left out.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use prost::Message;
use serde::{Deserialize, Serialize};

use super::grpc::{EventStream, Gateways};
use super::messages::{
    ChaincodeEventsRequest, ChaincodeEventsResponse, Seek, SeekPosition, SeekSpecified,
    SignedRequest,
};
use super::proposal::id_text;
use super::reader::ChannelReader;
use super::refusal::CallError;
use crate::limits::EVENT_POSITION_BYTES_MAX;

/// Behind which event somebody is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventPosition {
    /// The block to begin with.
    pub block: u64,
    /// Its transaction, the events up to which were dealt with; without one, none of the block.
    pub after: Option<B256>,
}

/// An event of a transaction that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: B256,
    /// Its name (SPEC §17.2).
    pub name: String,
    /// What it says, as the chaincode wrote it.
    pub payload: Vec<u8>,
}

/// Why a position is not known, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum EventPositionError {
    /// The file.
    #[error("{action} {file}", file = file.display())]
    File {
        /// What was done.
        action: &'static str,
        /// Its path.
        file: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Not a position.
    #[error("{file} holds no position of events: {problem}; remove it to begin with block 0", file = file.display())]
    Form {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl EventPosition {
    /// Reads a position; the beginning if there is no file.
    pub fn load(file: &Path) -> Result<Self, EventPositionError> {
        let read = |source| EventPositionError::File {
            action: "read",
            file: file.into(),
            source,
        };
        let form = |problem: String| EventPositionError::Form {
            file: file.into(),
            problem,
        };
        if !file.exists() {
            return Ok(Self::default());
        }
        let size = fs::metadata(file).map_err(read)?.len();
        if size > EVENT_POSITION_BYTES_MAX {
            return Err(form(format!("it has {size} bytes")));
        }
        let text = fs::read_to_string(file).map_err(read)?;
        serde_json::from_str(&text).map_err(|error| form(error.to_string()))
    }

    /// Keeps a position: the old one or the new one is there, whenever the machine stops.
    pub fn store(&self, file: &Path) -> Result<(), EventPositionError> {
        let failed = |source| EventPositionError::File {
            action: "write",
            file: file.into(),
            source,
        };
        let new = file.with_extension("new");
        let text = serde_json::to_string(self).expect("a position has string keys");
        let mut opened = File::create(&new).map_err(failed)?;
        opened.write_all(text.as_bytes()).map_err(failed)?;
        opened.sync_all().map_err(failed)?;
        fs::rename(&new, file).map_err(failed)?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let folder = File::open(folder).map_err(failed)?;
        folder.sync_all().map_err(failed)
    }

    /// Behind an event.
    pub fn behind(event: &ChannelEvent) -> Self {
        Self {
            block: event.block,
            after: Some(event.transaction),
        }
    }
}

/// The events of one answer, in their order.
pub fn events_in(
    answer: ChaincodeEventsResponse,
    chaincode: &str,
) -> Result<Vec<ChannelEvent>, CallError> {
    let block = answer.block_number;
    let event = |one: super::messages::ChaincodeEventMessage| {
        if one.chaincode_id != chaincode {
            let text = format!("an event of {}", one.chaincode_id);
            return Err(CallError::Declined(text));
        }
        let transaction = one.tx_id.parse();
        let transaction =
            transaction.map_err(|_| CallError::Declined(format!("transaction {}", one.tx_id)))?;
        Ok(ChannelEvent {
            block,
            transaction,
            name: one.event_name,
            payload: one.payload,
        })
    };
    answer.events.into_iter().map(event).collect()
}

impl ChannelReader<Gateways> {
    /// The chaincode's events behind a position, as they come.
    pub async fn events(&self, position: EventPosition) -> Result<EventStream, CallError> {
        let request = ChaincodeEventsRequest {
            channel_id: self.config.channel.clone(),
            chaincode_id: self.config.chaincode.clone(),
            identity: self.member.identity.creator().to_vec(),
            start_position: Some(SeekPosition {
                at: Some(Seek::Specified(SeekSpecified {
                    number: position.block,
                })),
            }),
            after_transaction_id: position.after.map(id_text).unwrap_or_default(),
        };
        let request = request.encode_to_vec();
        let signed = SignedRequest {
            signature: self.member.identity.sign(&request),
            request,
        };
        self.peers.events(&signed).await
    }

    /// What a channel's events are of.
    pub fn chaincode(&self) -> &str {
        &self.config.chaincode
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::messages::ChaincodeEventMessage;

    #[test]
    fn a_position_outlives_the_process() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("position.json");
        assert_eq!(
            EventPosition::load(&file).unwrap(),
            EventPosition::default()
        );
        let position = EventPosition {
            block: 7,
            after: Some(B256::repeat_byte(3)),
        };
        position.store(&file).unwrap();
        assert_eq!(EventPosition::load(&file).unwrap(), position);
        // A crash in the middle of the next one leaves a file beside it.
        fs::write(file.with_extension("new"), "{\"bl").unwrap();
        assert_eq!(EventPosition::load(&file).unwrap(), position);
        for bad in [
            "",
            "{}",
            "{\"block\":7,\"after\":\"0x\"}",
            &" ".repeat(9_000),
        ] {
            fs::write(&file, bad).unwrap();
            let error = EventPosition::load(&file).unwrap_err().to_string();
            assert!(error.contains("holds no position"), "{error}");
        }
    }

    #[test]
    fn events_of_others_are_refused() {
        let event = |chaincode: &str, transaction: &str| ChaincodeEventsResponse {
            events: vec![ChaincodeEventMessage {
                chaincode_id: chaincode.into(),
                tx_id: transaction.into(),
                event_name: "LeafAnchored".into(),
                payload: b"{}".to_vec(),
            }],
            block_number: 5,
        };
        let id = id_text(B256::repeat_byte(1));
        let found = events_in(event("tbsi", &id), "tbsi").unwrap();
        assert_eq!((found.len(), found[0].block), (1, 5));
        assert!(events_in(event("other", &id), "tbsi").is_err());
        assert!(events_in(event("tbsi", "xyz"), "tbsi").is_err());
    }
}
