//! The port: what consensus asks of a chain, free of any engine's words.

use std::collections::BTreeSet;
use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, CheckpointDigest, CommitCertificate, Evidence, Height, Round, TimestampMs,
    ValidatorSet,
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

/// A block that may follow the tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What consensus votes on.
    pub digest: CheckpointDigest,
    /// Its time. Whether that is acceptable depends on the moment, not on the block.
    pub time: TimestampMs,
}

/// What the chain thinks of block bytes on its tip. It depends on no clock, so that it holds
/// until the tip moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A valid block at its height.
    Valid(Candidate),
    /// Well-formed, but not a block that may follow the tip.
    Invalid(String),
    /// Not a block at all.
    Malformed(String),
}

/// What became of a decided block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is on the disk, now or from before.
    Done,
    /// Its bytes are not here: another node has to give them.
    Missing,
}

/// Why a proposal was dropped, or has to wait, before anybody judged its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// Its stream was too large, or not what it announced.
    Stream,
    /// Its publisher speaks for no validator of the next height.
    NotAValidator,
    /// It names a proposer whose turn it is not.
    NotItsTurn,
    /// Too far above the tip.
    HeightAhead,
    /// Too far above the running round to be judged: it waits.
    RoundAhead,
    /// Of a round long past.
    RoundPast,
    /// Others' proposals took its place among those that wait.
    GaveWay,
    /// Its publisher has had its different blocks of the round judged.
    TooMany,
    /// Its block is valid and dated too far from this node's clock: it waits for a polka.
    Untimely,
}

impl DropReason {
    /// A stable word for metrics.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::NotAValidator => "not_a_validator",
            Self::NotItsTurn => "not_its_turn",
            Self::HeightAhead => "height_ahead",
            Self::RoundAhead => "round_ahead",
            Self::RoundPast => "round_past",
            Self::GaveWay => "gave_way",
            Self::TooMany => "too_many",
            Self::Untimely => "untimely",
        }
    }
}

/// What an operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A proposal that this node does not vote for, at least not now.
    Dropped {
        /// Of the proposal; none if its first part never came.
        position: Option<(Height, Round)>,
        /// Peer id of whoever published it.
        publisher: String,
        /// Why.
        reason: DropReason,
        /// The same with numbers.
        detail: String,
    },
    /// A proposed block that is not valid.
    Refused {
        /// Of the proposal.
        position: (Height, Round),
        /// Whose turn it was.
        proposer: Address,
        /// Peer id of whoever published it.
        publisher: String,
        /// What was claimed.
        digest: CheckpointDigest,
        /// What is wrong with it.
        reason: String,
    },
    /// How far a new block's time was ahead of this node's clock when it came.
    Ahead {
        /// Whose block.
        proposer: Address,
        /// Negative if it was behind.
        ms: i64,
    },
}

/// A chain that consensus extends. Calls come one at a time, in consensus order, and may
/// block on disk and execution.
pub trait Chain: Send + 'static {
    /// Height of the last committed block.
    fn tip(&self) -> Height;

    /// Its time.
    fn tip_time(&self) -> TimestampMs;

    /// Lowest height whose block can still be served.
    fn history_min(&self) -> Height;

    /// The validator set of a height up to `tip + 1`.
    fn validators(&self, height: Height) -> Result<ValidatorSet, ChainError>;

    /// Timeouts and pacing of the height above the tip, as the chain has them by then
    /// (SPEC §13.12); `None` for those that the engine was started with.
    fn parameters(&self) -> Option<ConsensusParameters> {
        None
    }

    /// The validator of the next height that speaks through this peer (base58 id): block bytes
    /// are taken from such peers only.
    fn validator_of_peer(&self, peer_id: &str) -> Option<Address>;

    /// Builds a block on the tip within `budget`, dated `now` or just after the tip, whichever
    /// is later, or returns the one that was built earlier for this height and round. Its
    /// bytes are durable when this returns.
    fn propose(
        &mut self,
        height: Height,
        round: Round,
        now: TimestampMs,
        budget: Duration,
    ) -> Result<CheckpointDigest, ChainError>;

    /// Executes block bytes for `height`, which is `tip + 1`. Stores nothing.
    fn check(&mut self, height: Height, bytes: &[u8]) -> Result<Verdict, ChainError>;

    /// Makes the bytes of a block that was found valid durable. Never for want of room: what
    /// was kept at this height before gives way, `spared` last.
    fn keep(
        &mut self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError>;

    /// Bytes of a block that was built or kept at an undecided height.
    fn proposal_bytes(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError>;

    /// Commits a decided block atomically and durably. Idempotent: a crash between commit and
    /// reply makes the engine ask again.
    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError>;

    /// Keeps evidence of equivocation.
    fn record_evidence(&mut self, evidence: &[Evidence]) -> Result<(), ChainError>;

    /// Bytes and certificate of a committed block.
    fn decided(&self, height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError>;

    /// Whether there is something to put in a block.
    fn has_work(&self) -> bool;

    /// Transactions of the last block.
    fn transactions_at_tip(&self) -> usize;

    /// Highest tip of others that is more than a peer's word: validators with more than a third
    /// of the power say that they have it, or a certificate for it was verified. It ends the wait
    /// before a height.
    fn peers_tip(&self) -> Height;

    /// Counts and reports.
    fn note(&mut self, note: Note);
}
