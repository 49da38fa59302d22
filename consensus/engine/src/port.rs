//! The port: what consensus asks of a chain, free of any engine's words.

use std::time::Duration;

use tbsi_types::{
    Address, CheckpointDigest, CommitCertificate, Evidence, Height, Round, ValidatorSet,
};

/// A failure of this node (disk, database, a broken invariant). The engine stops: a node
/// whose state is doubtful must not vote.
#[derive(Debug, thiserror::Error)]
#[error("{operation}")]
pub struct ChainError {
    /// What was being done.
    pub operation: String,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl ChainError {
    /// Names the operation that failed.
    pub fn new(
        operation: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            operation: operation.into(),
            source: source.into(),
        }
    }
}

/// Where block bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A proposal that is being voted on: the clock counts.
    Proposal,
    /// A block that a quorum decided: the clock does not count.
    Sync,
}

/// What the chain thinks of block bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A valid block at its height; its bytes are durable.
    Valid(CheckpointDigest),
    /// Well-formed, but not a block that may follow the tip.
    Invalid(String),
    /// Not a block at all.
    Malformed(String),
}

/// A chain that consensus extends. Calls come one at a time, in consensus order, and may
/// block on disk and execution.
pub trait Chain: Send + 'static {
    /// Height of the last committed block.
    fn tip(&self) -> Height;

    /// Lowest height whose block can still be served.
    fn history_min(&self) -> Height;

    /// The validator set of a height up to `tip + 1`.
    fn validators(&self, height: Height) -> Result<ValidatorSet, ChainError>;

    /// The validator of the next height that speaks through this peer (base58 id): block bytes
    /// are taken from such peers only.
    fn validator_of_peer(&self, peer_id: &str) -> Option<Address>;

    /// Builds a block on the tip within `budget`, or returns the one that was built earlier
    /// for this height and round. Its bytes are durable when this returns.
    fn propose(
        &mut self,
        height: Height,
        round: Round,
        budget: Duration,
    ) -> Result<CheckpointDigest, ChainError>;

    /// Executes proposed bytes for `height`, which is `tip + 1`. If valid, the bytes are
    /// durable when this returns.
    fn check(
        &mut self,
        height: Height,
        bytes: &[u8],
        origin: Origin,
    ) -> Result<Verdict, ChainError>;

    /// Bytes of a block that was proposed or checked at an undecided height.
    fn proposal_bytes(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError>;

    /// Commits a decided block atomically and durably. Idempotent: a crash between commit and
    /// reply makes the engine ask again.
    fn commit(&mut self, certificate: &CommitCertificate) -> Result<(), ChainError>;

    /// Keeps evidence of equivocation.
    fn record_evidence(&mut self, evidence: &[Evidence]) -> Result<(), ChainError>;

    /// Bytes and certificate of a committed block.
    fn decided(&self, height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError>;

    /// Whether there is something to put in a block.
    fn has_work(&self) -> bool;

    /// Highest tip that a peer announced. A hint: a lie starts a height early, no more.
    fn peers_tip(&self) -> Height;
}
