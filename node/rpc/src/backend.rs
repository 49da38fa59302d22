//! The port to the node: what the server needs to know, and nothing about where it comes from.

pub mod hindsight;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::bundle::{Handover, MapBundle, ProofBundle, RegistryBundle};
use tbsi_types::log::{
    ConsistencyProof, CoseReceipt, Cosigner, DigestWords, EntryBundle, Found, Lookup, NoteVerifier,
    OtsCommitment, PostQuantumCosigner, PostQuantumVerifier, SignedNote, Tile, TlogProof,
};
use tbsi_types::{
    Accessed, Account, AccountProof, Block, CallOutcome, CallOverrides, CallRequest, ChainIdentity,
    Checkpoint, CommitCertificate, Evidence, Height, LeafIndex, Members, Receipt, SimulatedBlock,
    Simulation, SimulationRefused, TimestampMs, Transaction, TreeSize,
};
use tokio::sync::broadcast;

use crate::wire::{LeafRange, NodeStatus, Operator, OperatorQuery, PoolCounts, TransactionStatus};

/// Why the node has no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BackendError {
    /// The state of this height was pruned.
    #[error("state of height {height} was pruned; the oldest state kept is {oldest}")]
    StateUnavailable {
        /// Height asked for.
        height: Height,
        /// Oldest height whose state is kept.
        oldest: Height,
    },
    /// The transactions and receipts of this block were pruned.
    #[error("block {height} was pruned; the oldest that is whole is {oldest}")]
    BlockUnavailable {
        /// Height asked for.
        height: Height,
        /// Oldest block above genesis that is whole.
        oldest: Height,
    },
    /// A limit, which the text names, with what helps.
    #[error("{0}")]
    Limit(String),
    /// What is asked for is not there, or not yet; the text says what helps.
    #[error("{0}")]
    Refused(String),
    /// The node's own fault. The text goes to the log, not to the client.
    #[error("{0}")]
    Internal(String),
}

/// Who pays for gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fees {
    /// Nobody, whatever was bid (SPEC §5.2).
    #[default]
    Waived,
    /// The sender, as on Ethereum, whose chain conformance tests serve.
    Charged,
}

/// Why a transaction was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SubmitError {
    /// The sender's fault, or a limit of the pool, in go-ethereum's words.
    #[error("{0}")]
    Refused(String),
    /// The sender lacks a permission.
    #[error("{message}")]
    Denied {
        /// In Besu's words, where there are any.
        message: String,
        /// Which permission, and who can give it.
        reason: String,
    },
    /// Too many nonces are missing before it, in go-ethereum's words. They may be on their way.
    #[error("{0}")]
    Early(String),
    /// The node's own fault. The text goes to the log, not to the client.
    #[error("{0}")]
    Internal(String),
}

/// Who asks for a time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampClient {
    /// Address; of whom a trusted proxy names, if it comes from one.
    pub address: IpAddr,
    /// SHA-256 of the API key that it gave, if any.
    pub key: Option<B256>,
}

/// Whether somebody may ask for a time stamp now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampAdmission {
    /// Yes, and is counted.
    Admitted,
    /// Too many were asked for.
    TooMany {
        /// Seconds after which there is room again, at least 1.
        retry_after_s: u64,
        /// Which limit, how large, and what would help.
        sentence: String,
    },
    /// The API key is none of those that the operator gave out.
    UnknownKey,
    /// This node is no time-stamping authority.
    NotConfigured,
}

/// Why a client that was admitted gets no time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFailure {
    /// As many as may be made at one time are.
    Busy,
    /// The attestation was not final in time.
    Late,
}

impl TimestampFailure {
    /// A stable word for metrics.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Late => "late",
        }
    }
}

/// A time stamp in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingTimestamp {
    /// Attests the digest.
    pub transaction: B256,
    /// When it was asked for, by this node's clock.
    pub since: TimestampMs,
}

/// What becomes of a time-stamp query (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// A complete reply, which refuses the query.
    Refused(Bytes),
    /// The digest is attested by a transaction; [`Backend::timestamp_reply`] has the token
    /// when it is final.
    Pending(PendingTimestamp),
}

/// A timestamp of OpenTimestamps, or a sentence why there is none.
pub type CalendarAnswer = Result<Bytes, String>;

/// What a witness says to a checkpoint of another log (C2SP tlog-witness).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessing {
    /// It continues the last one. The cosignature, as a line of a note.
    Cosigned(String),
    /// The request is none; a sentence about it.
    Malformed(String),
    /// No such log is witnessed here.
    UnknownOrigin,
    /// No key that is known for the origin signed.
    NotSigned,
    /// The last checkpoint has this size, or this very size and another root.
    Conflict(TreeSize),
    /// The proof does not show that it continues the last one; a sentence about it.
    Inconsistent(String),
}

/// Transactions in the pool, those of each sender in the order of their nonces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolContent {
    /// A block could include these now.
    pub pending: Vec<Arc<Transaction>>,
    /// These wait for an earlier nonce.
    pub queued: Vec<Arc<Transaction>>,
}

/// The receipt of one transaction, and what those before it in its block add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedReceipt {
    /// What it did.
    pub receipt: Receipt,
    /// Gas that those before it used.
    pub gas_before: u64,
    /// Logs of those before it.
    pub logs_before: u64,
}

/// A node as its peers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPeer {
    /// libp2p id, base58.
    pub peer_id: String,
    /// Where it listens for transactions and tips.
    pub address: SocketAddr,
}

/// Who signs checkpoints of the log here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys {
    /// With which this node signs notes.
    pub log: NoteVerifier,
    /// With which this node cosigns other logs, and this one if it validates.
    pub witness: NoteVerifier,
    /// With which the validators cosign.
    pub cosigners: Vec<Cosigner>,
    /// Whose post-quantum keys the chain names, each with its key once it has cosigned.
    pub post_quantum: Vec<(PostQuantumCosigner, Option<PostQuantumVerifier>)>,
}

/// What the server asks the node. Methods may block: the server calls them on blocking
/// threads, a bounded number at a time.
///
/// A height is at most [`Backend::tip`] wherever one is passed in.
pub trait Backend: hindsight::Hindsight {
    /// Chain id and genesis hash.
    fn identity(&self) -> ChainIdentity;

    /// Name and version of the software, such as `tbsi/0.1.0`.
    fn client_version(&self) -> String;

    /// Latest finalized height.
    fn tip(&self) -> Height;

    /// Oldest height whose state is kept.
    fn oldest_state(&self) -> Height;

    /// The header of a height.
    fn header(&self, height: Height) -> Result<Option<Header>, BackendError>;

    /// The block of a height.
    fn block(&self, height: Height) -> Result<Option<Block>, BackendError>;

    /// The receipts of a block, one for each transaction, in order.
    fn receipts(&self, height: Height) -> Result<Option<Arc<Vec<Receipt>>>, BackendError>;

    /// The transaction at a position in a block, and the block's header.
    fn transaction_at(
        &self,
        height: Height,
        index: u32,
    ) -> Result<Option<(Header, Arc<Transaction>)>, BackendError> {
        let found = self.block(height)?.and_then(|block| {
            let transaction = block.transactions.get(usize::try_from(index).ok()?)?;
            Some((block.header, Arc::clone(transaction)))
        });
        Ok(found)
    }

    /// The receipt of that transaction.
    fn receipt_at(
        &self,
        height: Height,
        index: u32,
    ) -> Result<Option<PlacedReceipt>, BackendError> {
        let receipts = self.receipts(height)?.unwrap_or_default();
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let before = &receipts[..index.min(receipts.len())];
        let logs_before = before.iter().map(|it| it.logs().len() as u64).sum();
        let gas_before = before.last().map_or(0, Receipt::cumulative_gas_used);
        Ok(receipts.get(index).map(|receipt| PlacedReceipt {
            receipt: receipt.clone(),
            gas_before,
            logs_before,
        }))
    }

    /// The height of the block with this hash.
    fn height_of(&self, block_hash: B256) -> Result<Option<Height>, BackendError>;

    /// Height and position in the block of an included transaction.
    fn transaction_location(&self, hash: B256) -> Result<Option<(Height, u32)>, BackendError>;

    /// The account after the block of `height`.
    fn account(&self, address: Address, height: Height) -> Result<Option<Account>, BackendError>;

    /// The account's code after the block of `height`; empty for none.
    fn code(&self, address: Address, height: Height) -> Result<Bytes, BackendError>;

    /// A storage slot after the block of `height`; zero if never set.
    fn storage(&self, address: Address, slot: U256, height: Height) -> Result<U256, BackendError>;

    /// Account and slots after the block of `height`, with proofs.
    fn prove(
        &self,
        address: Address,
        slots: &[U256],
        height: Height,
    ) -> Result<AccountProof, BackendError>;

    /// Who pays for gas on this chain.
    fn fees(&self) -> Fees {
        Fees::Waived
    }

    /// Executes on top of the state of `height`, with the node's gas cap. Overrides that
    /// contradict each other refuse the call.
    fn call(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<CallOutcome, BackendError>;

    /// The least gas limit with which the call succeeds, or how it fails without one.
    fn estimate_gas(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Result<u64, CallOutcome>, BackendError>;

    /// What the call reads and writes, and how it ends when it says so beforehand.
    fn access_list(
        &self,
        request: &CallRequest,
        overrides: &CallOverrides,
        height: Height,
    ) -> Result<Accessed, BackendError>;

    /// Executes blocks on top of the state of `height`, all calls together with the node's gas
    /// cap, as long as `keep_going` says so.
    fn simulate(
        &self,
        simulation: &Simulation,
        height: Height,
        keep_going: &dyn Fn() -> bool,
    ) -> Result<Result<Vec<SimulatedBlock>, SimulationRefused>, BackendError>;

    /// Takes an EIP-2718 transaction into the pool.
    fn submit(&self, encoded: &[u8]) -> Result<B256, SubmitError>;

    /// What became of a transaction, as far as this node knows.
    fn transaction_status(&self, hash: B256) -> Result<TransactionStatus, BackendError>;

    /// The nonce after the sender's last pooled transaction; `None` if the pool has none.
    fn pending_nonce(&self, sender: Address) -> Option<u64>;

    /// A pooled transaction.
    fn pending_transaction(&self, hash: B256) -> Option<Arc<Transaction>>;

    /// Size of the pool.
    fn pool_counts(&self) -> PoolCounts;

    /// All that the pool holds; the caller has looked at [`Backend::pool_counts`].
    fn pool_content(&self) -> PoolContent;

    /// What the pool holds of one sender.
    fn pool_of(&self, sender: Address) -> PoolContent;

    /// How many pooled transactions came from clients of this node, and how many may be there in
    /// all.
    fn pool_shares(&self) -> (u64, u64);

    /// Announces the hash of each transaction that the pool takes. A receiver that lags has
    /// missed the oldest.
    fn pool_announcements(&self) -> broadcast::Receiver<B256>;

    /// The checkpoint of a height.
    fn checkpoint(&self, height: Height) -> Result<Option<Checkpoint>, BackendError>;

    /// The commit certificate of a height; genesis has none.
    fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, BackendError>;

    /// The validators that decide `height`.
    fn validators(&self, height: Height) -> Result<Option<Members>, BackendError>;

    /// Changes of the validator set after the blocks from `from` on, in order, at most `limit`.
    fn handovers(&self, from: Height, limit: usize) -> Result<Vec<Handover>, BackendError>;

    /// How often the validator set changed.
    fn handover_count(&self) -> u64;

    /// A page of changes of the validator set (SPEC §10.6); `None` if there are fewer.
    fn handover_page(&self, page: EntryBundle) -> Result<Option<Bytes>, BackendError>;

    /// Who stands behind a key or a block.
    fn operator(&self, query: &OperatorQuery) -> Result<Option<Operator>, BackendError>;

    /// Number of the organisation to which an account belongs at the tip; 0 for none.
    fn organisation_of(&self, account: Address) -> Result<u32, BackendError>;

    /// At most `limit` pieces of evidence, newest first.
    fn evidence(&self, limit: usize) -> Result<Vec<Evidence>, BackendError>;

    /// Leaves in the attestation log at the tip.
    fn log_size(&self) -> TreeSize;

    /// The bytes of a leaf; `None` if the log has fewer.
    fn leaf(&self, index: LeafIndex) -> Result<Option<Bytes>, BackendError>;

    /// Positions of what `lookup` finds, from `from` on, at most `limit`; says whether there may
    /// be more.
    fn find(&self, lookup: &Lookup, from: LeafIndex, limit: usize) -> Result<Found, BackendError>;

    /// Where the leaves of an included transaction are.
    fn leaves_of(&self, transaction: B256) -> Result<Option<LeafRange>, BackendError>;

    /// The proof of a leaf under its own block's checkpoint; `None` if the log has fewer.
    /// It begins with the first change of the validator set after the block `from`.
    fn bundle(&self, index: LeafIndex, from: Height) -> Result<Option<ProofBundle>, BackendError>;

    /// The proof of an attestation with its status, under the checkpoint of the tip; `None` if the
    /// log has fewer leaves.
    fn bundle_with_status(
        &self,
        index: LeafIndex,
        from: Height,
    ) -> Result<Option<MapBundle>, BackendError>;

    /// The proof of a leaf with what the registry says of its issuer and of the validators, and
    /// with its status if that is asked, under the checkpoint of the tip; `None` if the log has
    /// fewer leaves.
    fn bundle_with_registry(
        &self,
        index: LeafIndex,
        from: Height,
        status: bool,
    ) -> Result<Option<RegistryBundle>, BackendError>;

    /// What the map says of a digest, under the checkpoint of the tip.
    fn absence(&self, digest: DigestWords, from: Height) -> Result<MapBundle, BackendError>;

    /// The same, with what the registry says of the validators.
    fn absence_with_registry(
        &self,
        digest: DigestWords,
        from: Height,
    ) -> Result<RegistryBundle, BackendError>;

    /// That the log of `first` leaves is the beginning of that of `second`; `1 <= first <=
    /// second <=` [`Backend::log_size`].
    fn consistency(
        &self,
        first: TreeSize,
        second: TreeSize,
    ) -> Result<ConsistencyProof, BackendError>;

    /// A tile's hashes, exactly as many as its width; `None` if the log does not reach it.
    fn log_tile(&self, tile: Tile) -> Result<Option<Bytes>, BackendError>;

    /// A bundle's leaves, each after its length (u16), exactly as many as its width; `None` if
    /// the log does not reach it.
    fn log_entries(&self, bundle: EntryBundle) -> Result<Option<Bytes>, BackendError>;

    /// The log as a checkpoint note, signed with this node's log key and cosigned (SPEC §9.6).
    fn log_note(&self) -> Result<SignedNote, BackendError>;

    /// The public halves of the keys that sign the log.
    fn log_keys(&self) -> LogKeys;

    /// Looks at a checkpoint of another log, which this node may witness.
    fn add_checkpoint(&self, request: &str) -> Result<Witnessing, BackendError>;

    /// The proof of a leaf under a note that covers it, cosigned if there is one; `None` if the
    /// log has fewer.
    fn tlog_proof(&self, index: LeafIndex) -> Result<Option<TlogProof>, BackendError>;

    /// The log that most power has cosigned with post-quantum keys, as a note; `None` if nobody
    /// has (SPEC §9.12).
    fn post_quantum_note(&self) -> Result<Option<SignedNote>, BackendError>;

    /// The proof of a leaf under such a note; `None` if none covers it.
    fn post_quantum_proof(&self, index: LeafIndex) -> Result<Option<TlogProof>, BackendError>;

    /// That this node's key signed the log after the leaf's own block, and the path to its root
    /// (SPEC §10.8); `None` if the log has fewer leaves.
    fn cose_receipt(&self, index: LeafIndex) -> Result<Option<CoseReceipt>, BackendError>;

    /// Whether this client may ask for a time stamp now. Does not block.
    fn admit_timestamp(&self, client: &TimestampClient) -> TimestampAdmission;

    /// Counts a time stamp that a client was admitted to and does not get.
    fn timestamp_failed(&self, failure: TimestampFailure);

    /// Takes a DER-encoded time-stamp query: refuses it, or sends a transaction that attests
    /// its digest (SPEC §11).
    fn timestamp(&self, query: &[u8]) -> Result<Timestamp, BackendError>;

    /// The DER-encoded reply to a query that [`Backend::timestamp`] has taken; `None` until its
    /// transaction is final.
    fn timestamp_reply(
        &self,
        query: &[u8],
        pending: PendingTimestamp,
    ) -> Result<Option<Bytes>, BackendError>;

    /// Whether this node is a calendar (SPEC §10.9). Does not block.
    fn is_calendar(&self) -> bool;

    /// Sends a transaction that attests a SHA-256 which a calendar was given; a sentence if it
    /// takes none now.
    fn calendar_digest(
        &self,
        digest: B256,
    ) -> Result<Result<PendingTimestamp, String>, BackendError>;

    /// The timestamp of a digest that [`Backend::calendar_digest`] has taken; `None` until its
    /// transaction is final.
    fn calendar_reply(
        &self,
        pending: PendingTimestamp,
    ) -> Result<Option<CalendarAnswer>, BackendError>;

    /// What is known by now of what the calendar promised.
    fn calendar_later(&self, commitment: &OtsCommitment) -> Result<CalendarAnswer, BackendError>;

    /// An `.ots` file for the file whose SHA-256 a leaf attests.
    fn ots_file(&self, index: LeafIndex) -> Result<CalendarAnswer, BackendError>;

    /// Precompiled contracts of the rules in force, by the names of EIP-7910, and this chain's
    /// own.
    fn precompiles(&self) -> BTreeMap<String, Address>;

    /// The address that this node's blocks name; `None` if it does not validate.
    fn coinbase(&self) -> Option<Address>;

    /// libp2p ids that the chain admits.
    fn admitted_peers(&self) -> Vec<String>;

    /// This node as its peers see it.
    fn own_peer(&self) -> OwnPeer;

    /// How the node is doing.
    fn status(&self) -> NodeStatus;

    /// Connected peers.
    fn peer_count(&self) -> u64;

    /// Announces each height after it was finalized and stored. A receiver that lags is told
    /// so; the server then reads what it missed from the store.
    fn subscribe(&self) -> broadcast::Receiver<Height>;
}
