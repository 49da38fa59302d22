//! The audit record: what the relayer did, one canonical JSON document per transition, each
//! naming the hash of the one before (SPEC §15.3). The journal is made of these records, so
//! what the relayer acts on after a restart and what an auditor reads are the same bytes.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use tbsi_types::{canonical_json, sha256};

/// Version of the format.
pub const RECORD_VERSION: u8 = 1;

/// Something to be carried to the target, in the order in which its kinds depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Item {
    /// Height of two contradictory checkpoints, for which the light client is to freeze.
    Evidence(u64),
    /// Height of the last decision of a validator set that hands over.
    Handover(u64),
    /// Height of a checkpoint.
    Checkpoint(u64),
    /// Index of a leaf to be recorded.
    Leaf(u64),
    /// Index of a leaf with a message to be delivered.
    Message(u64),
}

impl Item {
    /// Where in the log it is, if it is of the log.
    pub fn leaf(self) -> Option<u64> {
        match self {
            Self::Leaf(index) | Self::Message(index) => Some(index),
            Self::Evidence(_) | Self::Handover(_) | Self::Checkpoint(_) => None,
        }
    }

    /// Its height, if it is evidence.
    pub fn evidence(self) -> Option<u64> {
        if let Self::Evidence(height) = self {
            Some(height)
        } else {
            None
        }
    }

    /// Its height, if it is a checkpoint.
    pub fn checkpoint(self) -> Option<u64> {
        if let Self::Checkpoint(height) = self {
            Some(height)
        } else {
            None
        }
    }
}

/// Who relays, from where to where: the same in every record of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parties {
    /// The relayer's legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// The relayer's legal name in English.
    pub name_en: String,
    /// Its account on the target, which is also the issuer of its heads on the source.
    pub account: Address,
    /// Chain id of the source.
    pub source_chain_id: u64,
    /// Genesis hash of the source.
    pub source_genesis_hash: B256,
    /// Chain id of the target.
    pub target_chain_id: u64,
    /// The light client on the target.
    pub light_client: Address,
}

/// Why a leaf or a transaction is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrustBasis {
    /// More than two thirds of the named validators signed, verified by this relayer and
    /// again by the contract.
    ValidatorQuorum,
}

/// Why nothing is sent for the time being. All of them pass by themselves or by an operator's
/// act, and the relayer goes on then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// A guardian paused the contract.
    Paused,
    /// A guardian paused messages; everything else goes on.
    MessagesPaused,
    /// The contract has seen two contradictory certificates.
    Frozen,
    /// The contract's trust period is over.
    TrustExpired,
    /// Gas costs more than the configured cap.
    FeeCap,
    /// The account cannot pay.
    Balance,
}

/// Why an item is set aside until an operator asks for it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reason {
    /// The contract's error, or what the relayer found, as one word.
    pub code: String,
    /// More for people.
    pub detail: String,
}

/// A transaction in a block of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inclusion {
    /// Which attempt was included.
    pub transaction: B256,
    /// Number of the block.
    pub block: u64,
    /// Its hash.
    pub block_hash: B256,
    /// Gas used.
    pub gas_used: u64,
    /// What was paid for each gas, wei.
    pub gas_price: U64Text,
    /// Whether it did what it was sent for.
    pub success: bool,
}

/// Wei in decimal: JSON numbers end at 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct U64Text(pub u64);

impl From<U64Text> for String {
    fn from(value: U64Text) -> Self {
        value.0.to_string()
    }
}

impl TryFrom<String> for U64Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let value: u64 = text
            .parse()
            .map_err(|_| format!("`{text}` is not a number"))?;
        if value.to_string() == text {
            Ok(Self(value))
        } else {
            Err(format!("`{text}` is not in its shortest form"))
        }
    }
}

/// One attempt at a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempt {
    /// Its hash.
    pub transaction: B256,
    /// Its bytes, signed.
    pub raw: Bytes,
    /// Most that is paid for a gas, wei.
    pub fee_cap: U64Text,
    /// Of which the block's builder gets so much, wei.
    pub tip: U64Text,
}

/// A transition. Items and plans are where their last one left them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Event {
    /// The process started.
    Started {
        /// SHA-256 of the configuration file.
        config: B256,
        /// Version of the program.
        software: String,
    },
    /// These wait to be carried.
    Discovered {
        /// Which; may be empty if only the scan moved on.
        items: Vec<Item>,
        /// Leaves of the log that were looked at.
        scanned: u64,
        /// Whether an operator asked for them by name.
        requested: bool,
    },
    /// Verified by this relayer under one checkpoint.
    Proven {
        /// Which.
        items: Vec<Item>,
        /// Height of the checkpoint that proves them.
        height: u64,
        /// What the validators signed.
        checkpoint: B256,
        /// Leaves in its log.
        log_size: u64,
        /// The set that decided it.
        validator_set: B256,
        /// Who of them signed.
        signers: Vec<Address>,
        /// Why they are believed.
        assurance: TrustBasis,
    },
    /// They go into one transaction.
    Planned {
        /// Number of the plan, from 1.
        plan: u64,
        /// Which; empty for a transaction that only uses up a nonce.
        items: Vec<Item>,
        /// Contract called.
        to: Address,
        /// Gas limit.
        gas: u64,
    },
    /// The plan has a nonce.
    NonceReserved {
        /// The plan.
        plan: u64,
        /// Of the account.
        nonce: u64,
    },
    /// The transaction exists, and may be sent from now on.
    Signed {
        /// The plan.
        plan: u64,
        /// The transaction.
        attempt: Attempt,
    },
    /// An endpoint took the transaction.
    Broadcast {
        /// The plan.
        plan: u64,
        /// The transaction.
        transaction: B256,
    },
    /// A transaction with the same nonce and higher fees takes its place, and may be sent.
    Replaced {
        /// The plan.
        plan: u64,
        /// The new transaction.
        attempt: Attempt,
    },
    /// An attempt is in a block.
    Included {
        /// The plan.
        plan: u64,
        /// Where.
        inclusion: Inclusion,
    },
    /// The block is no longer part of the chain.
    Reorganised {
        /// The plan.
        plan: u64,
        /// The block that went away.
        block_hash: B256,
    },
    /// The block is final.
    Final {
        /// The plan.
        plan: u64,
        /// The items that it settled, for readers of this record alone.
        items: Vec<Item>,
        /// Where.
        inclusion: Inclusion,
    },
    /// The hash of record `through` is attested on the source, and with it all before.
    Acked {
        /// Number of a record.
        through: u64,
        /// Its hash.
        head: B256,
        /// Leaf of the attestation.
        leaf: u64,
        /// Height of that leaf.
        height: u64,
    },
    /// A final block of the target says that these are done, not by this relayer.
    AlreadyDone {
        /// Which.
        items: Vec<Item>,
        /// The block.
        block: u64,
    },
    /// A final block is later than the timeout of these messages, and they were not delivered:
    /// they never will be.
    Expired {
        /// Which.
        items: Vec<Item>,
        /// The block.
        block: u64,
    },
    /// Set aside until `tbsi relay clear --retry`.
    Quarantined {
        /// Which.
        items: Vec<Item>,
        /// Why.
        reason: Reason,
    },
    /// An operator asks for quarantined items again.
    Retried {
        /// Which.
        items: Vec<Item>,
    },
    /// The plan came to nothing; its items wait again.
    Released {
        /// The plan.
        plan: u64,
        /// Why.
        reason: Reason,
    },
    /// A plan that was released because every endpoint refused its transaction is looked after
    /// again: the transaction is in a block.
    Revived {
        /// The plan.
        plan: u64,
    },
    /// Nothing is sent from now on.
    Held {
        /// Why.
        reason: Hold,
    },
    /// Sending goes on.
    Resumed {
        /// What is over.
        reason: Hold,
    },
    /// Something an operator must look at. Nothing changes by it.
    Alarm {
        /// What.
        reason: Reason,
    },
}

impl Event {
    /// The name of the state, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Discovered { .. } => "discovered",
            Self::Proven { .. } => "proven",
            Self::Planned { .. } => "planned",
            Self::NonceReserved { .. } => "nonceReserved",
            Self::Signed { .. } => "signed",
            Self::Broadcast { .. } => "broadcast",
            Self::Replaced { .. } => "replaced",
            Self::Included { .. } => "included",
            Self::Reorganised { .. } => "reorganised",
            Self::Final { .. } => "final",
            Self::Acked { .. } => "acked",
            Self::AlreadyDone { .. } => "alreadyDone",
            Self::Expired { .. } => "expired",
            Self::Quarantined { .. } => "quarantined",
            Self::Retried { .. } => "retried",
            Self::Released { .. } => "released",
            Self::Revived { .. } => "revived",
            Self::Held { .. } => "held",
            Self::Resumed { .. } => "resumed",
            Self::Alarm { .. } => "alarm",
        }
    }
}

/// One document of the chain of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_VERSION`].
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
    #[error("record version {0} is unknown, {RECORD_VERSION} is known; use newer software")]
    Version(u8),
    /// White space, or keys in another order.
    #[error("record is not in canonical form (RFC 8785)")]
    NotCanonical,
}

impl Record {
    /// The canonical JSON (RFC 8785).
    pub fn encode(&self) -> String {
        let value = serde_json::to_value(self).expect("a record has string keys only");
        canonical_json(&value)
    }

    /// Accepts only what [`Record::encode`] writes.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
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
