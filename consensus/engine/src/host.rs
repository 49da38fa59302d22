//! What this node answers consensus: a state machine over a [`Chain`] (SPEC §6).
//!
//! Messages in, answers out. It has no task, channel, timer or clock: the caller says what time
//! it is and what was received, does what the answers say, and calls [`Host::start_next`] when
//! [`Host::start_next_at`] says so. The `serve` module is that caller for Malachite's actors.

mod proposals;
#[cfg(test)]
mod tests;
mod timely;
mod votes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, B256, CheckpointDigest, CommitCertificate, Evidence, Height, Round, TimestampMs,
    ValidatorSet, VoteStatement, VotingPower,
};

use self::proposals::{Untimely, Verdicts};
use self::votes::Prevotes;
use crate::limits::{CLOCK_LOOK_INTERVAL, SYNC_BATCH_BLOCKS_MAX, SYNC_RESPONSE_BYTES_MAX};
use crate::pacing::{Pacing, Reasons};
use crate::port::{Chain, ChainError, Commit, Verdict};
use crate::progress::Progress;
use crate::streams::Assembler;

pub use crate::context::{Part, PartInit};
pub use crate::streams::{Assembled, Piece};

/// What the clocks show when a message is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since some moment; never goes back. Paces heights.
    pub monotonic: Duration,
    /// Time of day. Dates blocks, and judges the dates of others'.
    pub wall: TimestampMs,
}

/// A height to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which.
    pub height: Height,
    /// Who decides it.
    pub validators: ValidatorSet,
    /// Whether the height was decided before and its block is not here: what consensus knows
    /// of it is to be forgotten, so that the block comes by value sync.
    pub again: bool,
}

/// A proposal with this node's judgement, for consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Of the proposal.
    pub height: Height,
    /// Of the proposal.
    pub round: Round,
    /// Round of the polka that it claims.
    pub polka_round: Option<Round>,
    /// Whose turn it was.
    pub proposer: Address,
    /// What is proposed.
    pub digest: CheckpointDigest,
    /// Whether it may be voted for.
    pub valid: bool,
}

/// What this node proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The value to sign.
    pub digest: CheckpointDigest,
    /// What to publish; `None` if the bytes of a round long past are gone.
    pub stream: Option<Streamed>,
}

/// A block to publish as parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// The first part.
    pub init: PartInit,
    /// The block (SPEC §4.3).
    pub bytes: Vec<u8>,
}

/// What became of block bytes that a peer served beside a verified certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    /// A valid block, kept. Whether it is the one of the certificate, the digest tells.
    Valid(CheckpointDigest),
    /// Not the block of the certificate: the peer's fault.
    Fault(String),
    /// Of another height than the next.
    Later,
}

/// A height whose start is held.
#[derive(Clone, Copy, Debug)]
struct Held {
    height: Height,
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The node has started.
    Ready,
    /// The height before it was committed.
    Committed,
    /// It was decided, and its block is not here.
    Missing,
}

/// Answers consensus over a [`Chain`].
pub struct Host<C> {
    chain: C,
    parameters: ConsensusParameters,
    own: Option<Address>,
    /// Validators of the height above the tip, read once.
    validators: Option<(Height, ValidatorSet)>,
    assembler: Assembler,
    waiting: Vec<Assembled>,
    /// Highest height that a proposal was judged for.
    proposed: Height,
    /// Round that runs, of the height above the tip.
    round: Round,
    /// Hashes of bytes that were executed for a round and publisher of that height.
    executed: BTreeMap<(Round, Address), BTreeSet<B256>>,
    verdicts: Verdicts,
    /// Blocks that were made durable for rounds that run or come, with the last such round.
    kept: BTreeMap<CheckpointDigest, Round>,
    untimely: VecDeque<Untimely>,
    /// Judged, and not yet said.
    judged: VecDeque<Judged>,
    prevotes: Prevotes,
    pacing: Pacing,
    /// Before this time nothing is signed.
    listens_until: Duration,
    held: Option<Held>,
    progress: Progress,
}

impl<C: Chain> Host<C> {
    /// A host of the validator with address `own`, or of an observer.
    pub fn new(chain: C, parameters: ConsensusParameters, own: Option<Address>, now: Now) -> Self {
        Self {
            chain,
            parameters,
            own,
            validators: None,
            assembler: Assembler::default(),
            waiting: Vec::new(),
            proposed: Height::GENESIS,
            round: Round::ZERO,
            executed: BTreeMap::new(),
            verdicts: Verdicts::default(),
            kept: BTreeMap::new(),
            untimely: VecDeque::new(),
            judged: VecDeque::new(),
            prevotes: Prevotes::default(),
            pacing: Pacing::new(parameters, now.monotonic),
            listens_until: now.monotonic,
            held: None,
            progress: Progress::default(),
        }
    }

    /// Lets the first height start so much later: what its validator signs elsewhere is heard by
    /// then (SPEC §6.4).
    pub fn listen_for(&mut self, time: Duration) {
        self.listens_until += time;
    }

    /// The chain.
    pub fn chain(&self) -> &C {
        &self.chain
    }

    /// The chain, to be changed between two messages.
    pub fn chain_mut(&mut self) -> &mut C {
        &mut self.chain
    }

    /// Where consensus stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Consensus is ready for its first height.
    pub fn on_ready(&mut self) {
        let height = self.chain.tip().next();
        self.hold(height, Cause::Ready);
    }

    /// Consensus started a round. Returns the proposals that waited for it, judged.
    pub fn on_started_round(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
    ) -> Result<Vec<Judged>, ChainError> {
        self.progress.start_round(height, round, proposer);
        if height == self.chain.tip().next() {
            self.round = round;
            self.forget_rounds_past();
        }
        self.judge_waiting()?;
        Ok(self.judged.drain(..).collect())
    }

    /// Consensus verified a vote's signature: no other votes may come here.
    pub fn on_vote(&mut self, vote: &VoteStatement, validator: Address) -> Result<(), ChainError> {
        self.progress.note(vote.height, vote.round, validator);
        if vote.height == self.chain.tip().next() && self.note_prevote(vote, validator)? {
            self.release_untimely();
            self.judge_waiting()?;
        }
        Ok(())
    }

    /// Consensus asked this validator's signer, which signed or abstained (SPEC §6.4).
    pub fn on_signed(&mut self, signed: bool) {
        self.progress.abstains = !signed;
    }

    /// Consensus decided a block. Idempotent.
    pub fn on_decided(
        &mut self,
        now: Now,
        certificate: &CommitCertificate,
    ) -> Result<Commit, ChainError> {
        let commit = self.chain.commit(certificate)?;
        if commit == Commit::Done {
            let transactions = self.chain.transactions_at_tip();
            self.pacing.height_decided(now.monotonic, transactions);
        }
        self.assembler.forget_up_to(self.chain.tip());
        self.forget_height();
        Ok(commit)
    }

    /// Consensus is done with a height: the next one is held until it is time.
    pub fn on_finalized(
        &mut self,
        height: Height,
        evidence: &[Evidence],
    ) -> Result<(), ChainError> {
        if !evidence.is_empty() {
            self.chain.record_evidence(evidence)?;
        }
        if height > self.chain.tip() {
            self.hold(height, Cause::Missing);
        } else {
            self.hold(height.next(), Cause::Committed);
        }
        Ok(())
    }

    /// Timeouts and pacing of the height that is held or runs.
    pub fn parameters(&self) -> &ConsensusParameters {
        &self.parameters
    }

    /// From here on a height obeys what the block before it left.
    fn hold(&mut self, height: Height, cause: Cause) {
        if let Some(parameters) = self.chain.parameters() {
            self.parameters = parameters;
            self.pacing.follow(parameters);
        }
        self.progress.wait_for(height);
        self.held = Some(Held { height, cause });
    }

    /// When to call [`Host::start_next`], in monotonic time; `None` if no height is held.
    pub fn start_next_at(&mut self, now: Now) -> Result<Option<Duration>, ChainError> {
        let Some(held) = self.held else {
            return Ok(None);
        };
        let height = held.height;
        let decided = self.chain.peers_tip() >= height;
        let proposed = self.is_proposed(height)?;
        let at = match held.cause {
            Cause::Ready => now.monotonic.max(self.listens_until),
            Cause::Missing => now.monotonic,
            Cause::Committed => {
                let reasons = Reasons {
                    work: self.chain.has_work(),
                    peers: proposed || decided,
                };
                let proposer = self.proposer(height, Round::ZERO)?;
                self.pacing.start_at(reasons, Some(proposer) == self.own)
            }
        };
        // What others decided is taken at any time of day.
        let earliest = self.earliest_start(height, proposed);
        let waits = earliest > now.wall && !decided;
        self.progress.waits_until = waits.then_some(earliest);
        if !waits {
            return Ok(Some(at));
        }
        let ahead = Duration::from_millis(earliest.0 - now.wall.0);
        Ok(Some(at.max(now.monotonic + ahead.min(CLOCK_LOOK_INTERVAL))))
    }

    /// Whether a held height was begun by those who may: its first proposer sent its block, or
    /// proposers of later rounds with more than a third of the power did, one of whom is honest.
    /// What others stream paces nobody.
    fn is_proposed(&mut self, height: Height) -> Result<bool, ChainError> {
        if self.proposed >= height {
            return Ok(true);
        }
        if self.waiting.iter().all(|waits| waits.init.height != height) {
            return Ok(false);
        }
        let set = self.set(height)?.clone();
        let mut begun = BTreeSet::new();
        for waits in &self.waiting {
            let (init, publisher) = (&waits.init, &waits.publisher);
            let due = set.proposer(height, init.round).address;
            let speaks = self.chain.validator_of_peer(publisher) == Some(due);
            if init.height != height || init.proposer != due || !speaks {
                continue;
            }
            if init.round == Round::ZERO {
                return Ok(true);
            }
            begun.insert(due);
        }
        let power = set.iter().filter(|it| begun.contains(&it.address));
        let power = VotingPower(power.map(|it| it.power.0).sum());
        Ok(power.is_more_than_a_third_of(set.total_power()))
    }

    /// The height to start, if it is time.
    pub fn start_next(&mut self, now: Now) -> Result<Option<Start>, ChainError> {
        let due = self.start_next_at(now)?;
        if due.is_none_or(|due| due > now.monotonic) {
            return Ok(None);
        }
        let Some(Held { height, cause }) = self.held.take() else {
            return Ok(None);
        };
        self.pacing.height_started(now.monotonic);
        let validators = self.set(height)?.clone();
        Ok(Some(Start {
            height,
            validators,
            again: cause == Cause::Missing,
        }))
    }

    /// Lowest height that can be served.
    pub fn history_min(&self) -> Height {
        self.chain.history_min()
    }

    /// Committed blocks for a peer that catches up, within the limits of one response.
    pub fn decided_values(
        &self,
        range: RangeInclusive<Height>,
    ) -> Result<Vec<(Vec<u8>, CommitCertificate)>, ChainError> {
        let mut values = Vec::new();
        let mut bytes = 0;
        for height in (range.start().0..=range.end().0).take(SYNC_BATCH_BLOCKS_MAX) {
            let Some((block, certificate)) = self.chain.decided(Height(height))? else {
                break;
            };
            bytes += block.len() + 64 + 85 * certificate.signatures().len();
            if bytes > SYNC_RESPONSE_BYTES_MAX && !values.is_empty() {
                break;
            }
            values.push((block, certificate));
        }
        Ok(values)
    }

    /// A peer served block bytes beside a certificate that consensus has verified. The clock
    /// does not count, and nothing that others proposed takes their place.
    pub fn on_synced(&mut self, height: Height, bytes: &[u8]) -> Result<Synced, ChainError> {
        if height != self.chain.tip().next() {
            return Ok(Synced::Later);
        }
        match self.chain.check(height, bytes)? {
            Verdict::Valid(candidate) => {
                self.keep(height, candidate.digest, bytes)?;
                self.kept.insert(candidate.digest, self.round);
                Ok(Synced::Valid(candidate.digest))
            }
            Verdict::Invalid(reason) | Verdict::Malformed(reason) => Ok(Synced::Fault(reason)),
        }
    }

    fn proposer(&mut self, height: Height, round: Round) -> Result<Address, ChainError> {
        Ok(self.set(height)?.proposer(height, round).address)
    }

    fn set(&mut self, height: Height) -> Result<&ValidatorSet, ChainError> {
        let known = self.validators.as_ref();
        let tip = self.chain.tip();
        if known.is_none_or(|(known, _)| *known != height || *known <= tip) {
            self.validators = Some((height, self.chain.validators(height)?));
        }
        let (_, set) = self.validators.as_ref().expect("it was just read");
        Ok(set)
    }
}
