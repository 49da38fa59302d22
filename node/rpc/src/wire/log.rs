//! The log, and its leaves.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tbsi_types::{Height, LeafIndex, TreeSize, VotingPower};

use super::Organisation;

/// Positions of a transaction's leaves. Answer of `tbsi_getLeaves`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafRange {
    /// The first.
    pub first: LeafIndex,
    /// How many.
    pub count: u64,
}

impl LeafRange {
    /// No leaves.
    pub const EMPTY: Self = Self {
        first: LeafIndex(0),
        count: 0,
    };
}

/// Which leaf `tbsi_getProof` is asked for: its argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeafSelector {
    /// By position.
    Index(LeafIndex),
    /// The first attestation with this id.
    Id(B256),
    /// The first attestation of this digest.
    Digest(Bytes),
}

/// A leaf of the attestation log. Answer of `tbsi_getLeaf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Its position.
    pub index: LeafIndex,
    /// Its canonical bytes (SPEC §9.3).
    pub leaf: Bytes,
    /// The same in words (SPEC §10.3).
    pub statement: Value,
}

/// Leaves that were found, in the order of the log. Answer of `tbsi_findByDigest` and
/// `tbsi_findById`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafPage {
    /// At most [`LEAVES_PAGE_MAX`](crate::limits::LEAVES_PAGE_MAX).
    pub entries: Vec<LogEntry>,
    /// The position to ask again from; `None` if these are all.
    pub next: Option<LeafIndex>,
}

/// Where a proof bundle begins, in `tbsi_getProof`, `tbsi_getAbsence` and `tbsi_sendAttestation`,
/// and what else it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BundleStart {
    /// Height of a checkpoint that its reader trusts; 0 is the genesis file.
    pub from: Height,
    /// Of an attestation: with its status, in `tbsi_getProof` alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub status: bool,
    /// With what the registry says of the issuer and of the validators; not in
    /// `tbsi_sendAttestation`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registry: bool,
}

/// Answer of `tbsi_getAttestation`: what an attestation comes to (SPEC §12.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attestation {
    /// As asked for.
    pub id: B256,
    /// Who vouches.
    pub issuer: Address,
    /// What its digest commits to.
    pub schema: B256,
    /// Height of the node when it was asked: nothing up to it is left out.
    pub as_of: Height,
    /// Whether the schema allows a revocation. One that nobody registered does not.
    pub revocable: bool,
    /// Of its digest's algorithm, now: 1 active, 2 deprecated, 3 revoked (SPEC §12.6).
    pub algorithm_status: u8,
    /// Height at which the issuer revoked it, if the schema allows that.
    pub revoked_at: Option<Height>,
    /// Height at which the issuer named a successor; it counts unless it is revoked too.
    pub superseded_at: Option<Height>,
    /// Whether it was attested again. Those leaves change nothing; `tbsi_findById` has them.
    pub repeated: bool,
    /// All leaves that bear on it, in the order of the log: the first attestation, and what its
    /// issuer and the parties of its countersigning say. What others say of an id counts for
    /// nothing and is not here.
    pub entries: Vec<LogEntry>,
}

/// Answer of `tbsi_getConsistency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consistency {
    /// The earlier size.
    pub first: TreeSize,
    /// The later size.
    pub second: TreeSize,
    /// RFC 9162 §2.1.4.1.
    pub hashes: Vec<B256>,
}

/// Answer of `tbsi_logKeys`. Keys are verifier keys of C2SP signed-note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogKeys {
    /// Name of the log.
    pub origin: String,
    /// With which this node signs notes.
    pub log: String,
    /// With which this node cosigns other logs, and this one if it validates.
    pub witness: String,
    /// In address order.
    pub cosigners: Vec<LogCosigner>,
    /// Of post-quantum keys, in address order.
    pub post_quantum: Vec<PostQuantumLogCosigner>,
}

/// A validator whose post-quantum key for the log the chain names (SPEC §9.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostQuantumLogCosigner {
    /// SHA-256 of its key, which the chain has.
    pub key_hash: B256,
    /// Its verifier key; null until this node has a cosignature of it.
    pub key: Option<String>,
    /// Address of its consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// The node that holds the keys.
    pub node_name: String,
    /// Who operates it.
    pub organisation: Organisation,
}

/// A validator that cosigns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogCosigner {
    /// Its verifier key.
    pub key: String,
    /// Address of its consensus key.
    pub validator: Address,
    /// Its voting power.
    pub power: VotingPower,
    /// The node that holds the keys.
    pub node_name: String,
    /// Its operator.
    pub organisation: Organisation,
}

/// What `tbsi_subscribe("leaves", ...)` lets through: leaves that have all of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeafFilter {
    /// Of an attestation, or of the registration of a schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<B256>,
    /// Whose word it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Address>,
    /// Name of the kind, as in SPEC §10.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Position to begin at; without it, after the last leaf that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_index: Option<LeafIndex>,
    /// Number of the organisation to which the issuer belongs when the leaf is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<u32>,
}

/// A notification of `tbsi_subscribe("leaves", ...)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LeafNotice {
    /// The next leaf.
    Leaf(LogEntry),
    /// The last notification: the node ends the subscription.
    End(LeafEnd),
}

/// Why a subscription to leaves ended, and where the next one should begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafEnd {
    /// A sentence.
    pub ended: String,
    /// The first leaf that was not looked at.
    pub from_index: LeafIndex,
}
