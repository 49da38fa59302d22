//! What records speak of: items, reasons, where something was found.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// Why a leaf or a transaction is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrustBasis {
    /// More than two thirds of the named validators signed, verified by this relayer and
    /// again by the light client.
    ValidatorQuorum,
}

/// Why nothing is sent for the time being. All of them pass by themselves or by an operator's
/// act, and the relayer goes on then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// A guardian paused the light client.
    Paused,
    /// A guardian paused messages; everything else goes on.
    MessagesPaused,
    /// The light client has seen two contradictory certificates.
    Frozen,
    /// The light client's trust period is over.
    TrustExpired,
    /// A reason of the target's own, by the name that its kind of chain gives it.
    Target(String),
}

/// Why an item is set aside until an operator asks for it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reason {
    /// The light client's error, or what the relayer found, as one word.
    pub code: String,
    /// More for people.
    pub detail: String,
}

/// A transaction in a block of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inclusion {
    /// Which transaction.
    pub transaction: B256,
    /// Number of the block.
    pub block: u64,
    /// Its hash.
    pub block_hash: B256,
    /// What it took, in the target's own words and units; nothing where nothing is counted.
    pub cost: BTreeMap<String, U64Text>,
    /// Whether it did what it was sent for.
    pub success: bool,
}

/// One step of how a target sends a plan. Its name and its body are the target's own: only that
/// kind of chain reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendStep {
    /// What was done, as one word.
    pub name: String,
    /// With what.
    pub body: Value,
}

/// An amount in decimal: JSON numbers end at 2^53.
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
