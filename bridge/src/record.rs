//! The audit record: what the relayer did, one canonical JSON document per transition, each
//! naming the hash of the one before (SPEC §15.3). The journal is made of these records, so
//! what the relayer acts on after a restart and what an auditor reads are the same bytes.

mod event;
mod nouns;
mod old;
mod stage;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use tbsi_types::{canonical_json, sha256};

pub use event::Event;
pub use nouns::{Hold, Inclusion, Item, Reason, SendStep, TrustBasis, U64Text};
pub use stage::{Entry, Plan, PlanProgress, SnapshotPart, Stage, Totals};

/// Version of the format that is written; version 1 is read.
pub const RECORD_VERSION: u8 = 2;

/// A target, in the words of its kind of chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetIdentity {
    /// The chain, by its CAIP-2 id: `eip155:1`. Messages to it name the hash of that.
    pub chain: String,
    /// The light client on it.
    pub client: String,
    /// The relayer's account on it.
    pub account: String,
}

/// Who relays, from where to where: the same in every record of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parties {
    /// The relayer's legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// The relayer's legal name in English.
    pub name_en: String,
    /// Its account on the source, which is the issuer of its heads there.
    pub account: Address,
    /// Chain id of the source.
    pub source_chain_id: u64,
    /// Genesis hash of the source.
    pub source_genesis_hash: B256,
    /// Where things are brought.
    pub target: TargetIdentity,
}

/// One document of the chain of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_VERSION`], or that of the software which wrote it.
    pub version: u8,
    /// Position, from 0.
    pub number: u64,
    /// Hash of the record before; zero for the first.
    pub previous: B256,
    /// The relayer's clock, milliseconds since 1970. Nothing is decided by it.
    pub time_ms: u64,
    /// Who, from where, to where.
    pub parties: Parties,
    /// What.
    pub event: Event,
}

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the form.
    #[error("not a record: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("record version {0} is unknown, 1 and {RECORD_VERSION} are known; use newer software")]
    Version(u8),
    /// A record of version 1 that has not what those have.
    #[error("not a record of version 1: {0}")]
    Old(String),
    /// White space, or keys in another order.
    #[error("record is not in canonical form (RFC 8785)")]
    NotCanonical,
}

impl Record {
    /// The canonical JSON (RFC 8785) of a record of this version; the bytes of older ones are in
    /// their files alone.
    pub fn encode(&self) -> String {
        let value = serde_json::to_value(self).expect("a record has string keys only");
        canonical_json(&value)
    }

    /// Accepts only what [`Record::encode`] writes, and what version 1 wrote.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        if old::is_old(text) {
            return old::parse(text);
        }
        // The last key: what has other fields is to be known by its version.
        let version = text.rsplit_once("\"version\":").map(|(_, rest)| rest);
        let version = version.and_then(|rest| rest.strip_suffix('}')?.parse::<u8>().ok());
        if let Some(version) = version.filter(|version| *version != RECORD_VERSION) {
            return Err(RecordError::Version(version));
        }
        let record: Self = serde_json::from_str(text)?;
        if record.version != RECORD_VERSION {
            return Err(RecordError::Version(record.version));
        }
        if record.encode() != text {
            return Err(RecordError::NotCanonical);
        }
        Ok(record)
    }
}

/// What the next record names, and what is attested on the source: SHA-256 of the bytes.
pub fn record_hash(encoded: &str) -> B256 {
    sha256(&[encoded.as_bytes()])
}

#[cfg(test)]
pub(crate) mod tests;
