//! JSON of the `tbsi_*` methods, for server and client alike. Field names are camelCase,
//! integers are JSON numbers, byte strings are 0x-hex.

mod log;

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tbsi_types::bundle::{BundleError, NamedValidator, NamedValidators};
use tbsi_types::{
    ChainIdentity, CheckpointDigest, CommitCertificate, Height, Member, Round, TimestampMs,
    TreeSize, VotingPower,
};

pub use log::{
    Attestation, BundleStart, Consistency, LeafEnd, LeafFilter, LeafNotice, LeafPage, LeafRange,
    LeafSelector, LogCosigner, LogEntry, LogKeys, PostQuantumLogCosigner,
};

/// Legal names of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    /// In Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// In English.
    pub name_en: String,
}

/// Who stands behind a validator's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorName {
    /// Address of the validator's key.
    pub address: Address,
    /// The node that holds the key.
    pub node_name: String,
    /// Its operator.
    pub organisation: Organisation,
}

impl Organisation {
    /// Of the organisation that answers for a validator.
    pub fn of(member: &Member) -> Self {
        Self {
            name_zh_tw: member.name_zh_tw.clone(),
            name_en: member.name_en.clone(),
        }
    }
}

impl ValidatorName {
    /// Who stands behind a validator.
    pub fn of(member: &Member) -> Self {
        Self {
            address: member.public_key.address(),
            node_name: member.node.clone(),
            organisation: Organisation::of(member),
        }
    }
}

/// What `tbsi_getOperator` finds an operator by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorQuery {
    /// Address of a validator's key.
    Validator(Address),
    /// Ed25519 key of a node's libp2p identity.
    PeerKey(B256),
    /// libp2p peer id, base58.
    PeerId(String),
    /// Who built the block of this height.
    Height(Height),
}

/// Who stands behind a key. Answer of `tbsi_getOperator`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// Name of the node.
    pub node_name: String,
    /// Number of the organisation on the chain.
    pub number: u32,
    /// Its legal names.
    pub organisation: Organisation,
    /// Address of the node's validator key, if it has one.
    pub validator: Option<Address>,
    /// libp2p id of the node, if it is in use.
    pub peer_id: Option<String>,
    /// Whether it is in the validator set of the next block.
    pub validating: bool,
}

/// Answer of `tbsi_getCheckpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Height of the block.
    pub height: Height,
    /// Time of the block, milliseconds since 1970.
    pub time_ms: TimestampMs,
    /// Hash of the Ethereum header.
    pub block_hash: B256,
    /// Ethereum state root after the block.
    pub state_root: B256,
    /// Leaves in the attestation log after the block.
    pub log_size: TreeSize,
    /// Root of the log after the block.
    pub log_root: B256,
    /// Hash of the validator set of this height.
    pub validator_set_hash: B256,
    /// Hash of the validator set of the next height.
    pub next_validator_set_hash: B256,
    /// What the validators signed.
    pub digest: CheckpointDigest,
    /// The canonical bytes that all of the above was read from; verify these.
    pub encoded: Bytes,
}

impl Checkpoint {
    /// A checkpoint of this chain.
    pub fn new(checkpoint: &tbsi_types::Checkpoint, chain: &ChainIdentity) -> Self {
        Self {
            chain_id: checkpoint.chain_id,
            height: checkpoint.height,
            time_ms: checkpoint.time,
            block_hash: checkpoint.block_hash,
            state_root: checkpoint.state_root,
            log_size: checkpoint.log_size,
            log_root: checkpoint.log_root,
            validator_set_hash: checkpoint.validator_set_hash,
            next_validator_set_hash: checkpoint.next_validator_set_hash,
            digest: checkpoint.digest(chain),
            encoded: checkpoint.encode().to_vec().into(),
        }
    }
}

/// One precommit in a [`Certificate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSignature {
    /// Address of the key that signed.
    pub validator: Address,
    /// `r || s || v`, 65 bytes.
    pub signature: Bytes,
    /// Operator of the validator.
    pub organisation: Organisation,
}

/// Answer of `tbsi_getCertificate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Height decided.
    pub height: Height,
    /// Round it was decided in.
    pub round: Round,
    /// What was decided.
    pub checkpoint_digest: CheckpointDigest,
    /// In address order.
    pub signatures: Vec<CertificateSignature>,
    /// The canonical bytes; verify these.
    pub encoded: Bytes,
}

impl Certificate {
    /// A certificate with the operators' names, as `organisation` knows them.
    pub fn new(
        certificate: &CommitCertificate,
        organisation: impl Fn(&Address) -> Organisation,
    ) -> Self {
        let signatures = certificate.signatures().iter();
        Self {
            height: certificate.height,
            round: certificate.round,
            checkpoint_digest: certificate.checkpoint_digest,
            signatures: signatures
                .map(|entry| CertificateSignature {
                    validator: entry.validator,
                    signature: entry.signature.0.to_vec().into(),
                    organisation: organisation(&entry.validator),
                })
                .collect(),
            encoded: certificate.encode().into(),
        }
    }
}

/// One validator in a [`ValidatorSet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
    /// Address of the key.
    pub address: Address,
    /// Compressed secp256k1 key, 33 bytes.
    pub public_key: Bytes,
    /// Voting power.
    pub power: VotingPower,
    /// The node that holds the key.
    pub node_name: String,
    /// Its operator.
    pub organisation: Organisation,
}

/// Answer of `tbsi_getValidators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorSet {
    /// The height that this set decides.
    pub height: Height,
    /// What checkpoints commit to.
    pub set_hash: B256,
    /// Sum of all voting power.
    pub total_power: VotingPower,
    /// In address order.
    pub validators: Vec<Validator>,
}

impl ValidatorSet {
    /// The set as proofs carry it. Fails if it is none.
    pub fn named(&self) -> Result<NamedValidators, BundleError> {
        let named = |validator: &Validator| NamedValidator {
            address: validator.address,
            power: validator.power,
            name_zh_tw: validator.organisation.name_zh_tw.clone(),
            name_en: validator.organisation.name_en.clone(),
        };
        NamedValidators::new(self.validators.iter().map(named).collect())
    }
}

/// What was signed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceKind {
    /// Two votes.
    Votes,
    /// Two proposals.
    Proposals,
}

/// Answer of `tbsi_getEvidence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceList {
    /// Newest first.
    pub evidence: Vec<Evidence>,
    /// Whether there are older pieces.
    pub more: bool,
}

/// One piece in the answer of `tbsi_getEvidence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What was signed twice.
    pub kind: EvidenceKind,
    /// The accused.
    pub validator: Address,
    /// Height of both statements.
    pub height: Height,
    /// Round of both statements.
    pub round: Round,
    /// Both statements and signatures in canonical bytes; verify these.
    pub encoded: Bytes,
}

impl From<&tbsi_types::Evidence> for Evidence {
    fn from(evidence: &tbsi_types::Evidence) -> Self {
        let (height, round) = evidence.position();
        Self {
            kind: match evidence {
                tbsi_types::Evidence::Votes { .. } => EvidenceKind::Votes,
                tbsi_types::Evidence::Proposals { .. } => EvidenceKind::Proposals,
            },
            validator: evidence.validator(),
            height,
            round,
            encoded: evidence.encode().into(),
        }
    }
}

/// What a node does in consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Votes: its key is in the validator set of the next block.
    Validator,
    /// Follows, perhaps with a key that is in no set.
    Observer,
}

/// Another node as seen from this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Name in the genesis file.
    pub node_name: String,
    /// libp2p peer id.
    pub peer_id: String,
    /// Where it is reached or was last seen.
    pub address: String,
    /// Whether a connection is open.
    pub connected: bool,
    /// The tip that it last announced.
    pub height: Option<Height>,
}

/// Transactions that wait to be included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolCounts {
    /// Ready for the next block.
    pub pending: u64,
    /// Waiting for a lower nonce.
    pub queued: u64,
    /// Size of all of them.
    pub bytes: u64,
}

/// Answer of `tbsi_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the genesis file.
    pub genesis_hash: B256,
    /// The network's name in the genesis file.
    pub network_name: String,
    /// This node's name.
    pub node_name: String,
    /// What this node does.
    pub role: Role,
    /// Version of the software.
    pub version: String,
    /// Latest finalized height.
    pub height: Height,
    /// Its hash.
    pub block_hash: B256,
    /// Its time, milliseconds since 1970.
    pub time_ms: TimestampMs,
    /// Oldest height whose state can be read and proven.
    pub oldest_state: Height,
    /// Whether this node is catching up.
    pub syncing: bool,
    /// Blocks to the highest tip that a peer announced.
    pub behind: u64,
    /// What the node waits for, in a sentence; absent while blocks are being made.
    pub waiting_for: Option<String>,
    /// Validators whose precommit was not seen for the latest height.
    pub missing_validators: Vec<ValidatorName>,
    /// Known peers.
    pub peers: Vec<Peer>,
    /// The transaction pool.
    pub pool: PoolCounts,
    /// By which rules blocks are made, and which come.
    pub protocol: ProtocolStatus,
}

/// Protocol versions (SPEC §13.12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolStatus {
    /// Of the next block.
    pub in_force: u32,
    /// The highest that this node supports.
    pub supported: u32,
    /// The upgrade that waits.
    pub upgrade: Option<UpgradeStatus>,
}

/// An upgrade that waits for its height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeStatus {
    /// Its number in the contract.
    pub number: u32,
    /// The first block that it changes.
    pub height: Height,
    /// Protocol version from there on.
    pub protocol: u32,
    /// Software with which it was tried.
    pub version: String,
    /// Seconds until then, as fast as blocks came of late; null if that cannot be told.
    pub seconds: Option<u64>,
    /// Whether this node supports it.
    pub supported: bool,
}

/// Answer of `tbsi_transactionStatus`: what became of a transaction, as this node knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "status",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum TransactionStatus {
    /// In this node's pool; told to other nodes until a block holds it.
    Pending {
        /// The nonce that its sender has to send first, if the transaction waits for one.
        missing_nonce: Option<u64>,
    },
    /// In a block, which is final. Whether it succeeded is in its receipt.
    Included {
        /// Of the block.
        height: Height,
        /// Position in the block.
        index: u32,
    },
    /// It was in this node's pool and is not any more. Another node may still have it.
    Dropped {
        /// A word of a fixed list (SPEC §6.9).
        reason: String,
        /// A sentence.
        message: String,
        /// The transaction with the same nonce that took its place, if that is the reason.
        replaced_by: Option<B256>,
        /// The last block when it was dropped.
        height: Height,
        /// Time of that block, milliseconds since 1970.
        time_ms: TimestampMs,
    },
    /// Never heard of, or dropped so long ago that it is forgotten, or by a node that has
    /// started anew since.
    Unknown {},
}

/// Answer of `tbsi_sendAttestation`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// The transaction.
    pub transaction_hash: B256,
    /// The block that holds it.
    pub height: Height,
    /// Its leaves.
    pub leaves: LeafRange,
    /// Proof bundles (SPEC §10.3) of the first of them.
    pub proofs: Vec<Box<RawValue>>,
}
