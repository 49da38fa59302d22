//! Proposed blocks: building our own, judging others'.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tbsi_types::{Address, B256, CheckpointDigest, Height, Round, VoteKind, VoteStatement, sha256};

use super::timely::{ahead_ms, untimely};
use super::{Host, Judged, Now, Proposed, Streamed};
use crate::context::PartInit;
use crate::limits::{
    BUILDING_SHARE, JUDGED_PER_ROUND_MAX, PROPOSAL_ROUNDS_AHEAD_MAX, PROPOSAL_ROUNDS_BEHIND_MAX,
    STREAM_HEIGHTS_AHEAD_MAX, UNTIMELY_MAX, VERDICTS_MAX, WAITING_PER_PUBLISHER_MAX,
    WAITING_PROPOSALS_MAX,
};
use crate::port::{Candidate, Chain, ChainError, DropReason, Note, Verdict};
use crate::streams::{Assembled, Piece};

/// What was found of bytes on this tip.
#[derive(Clone, Debug)]
struct Found {
    bytes_hash: B256,
    verdict: Verdict,
    /// Whether the block was timely when it came. It stays so: what is voted on later is
    /// whether it was.
    timely: bool,
}

/// Verdicts on this tip, so that nothing is executed twice; the oldest gives way.
#[derive(Debug, Default)]
pub(super) struct Verdicts(VecDeque<Found>);

impl Verdicts {
    fn get(&mut self, bytes_hash: &B256) -> Option<&mut Found> {
        let mut known = self.0.iter_mut();
        known.find(|found| found.bytes_hash == *bytes_hash)
    }

    /// Whether the block with this digest was found valid. It has no other bytes than those:
    /// the encoding is canonical.
    fn has(&self, digest: CheckpointDigest) -> bool {
        let is = |verdict: &Verdict| match verdict {
            Verdict::Valid(candidate) => candidate.digest == digest,
            Verdict::Invalid(_) | Verdict::Malformed(_) => false,
        };
        self.0.iter().any(|found| is(&found.verdict))
    }

    fn insert(&mut self, found: Found) {
        if self.0.len() == VERDICTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(found);
    }
}

/// A valid block that is not voted for because of its time, until a polka shows that others
/// found it timely.
#[derive(Debug)]
pub(super) struct Untimely(Judged);

impl<C: Chain> Host<C> {
    /// Consensus asks for a block to propose, within `timeout`.
    pub fn on_get_value(
        &mut self,
        now: Now,
        (height, round): (Height, Round),
        timeout: Duration,
    ) -> Result<Proposed, ChainError> {
        let budget = timeout / BUILDING_SHARE;
        let digest = self.chain.propose(height, round, now.wall, budget)?;
        self.kept.insert(digest, round);
        let proposer = self.own.unwrap_or_default();
        let stream = self.on_restream((height, round, None), proposer, digest)?;
        Ok(Proposed { digest, stream })
    }

    /// Consensus asks to publish a block. One that is not here any more is someone else's to
    /// stream.
    pub fn on_restream(
        &self,
        (height, round, polka_round): (Height, Round, Option<Round>),
        proposer: Address,
        digest: CheckpointDigest,
    ) -> Result<Option<Streamed>, ChainError> {
        let bytes = self.chain.proposal_bytes(height, digest)?;
        Ok(bytes.map(|bytes| Streamed {
            init: PartInit {
                height,
                round,
                polka_round,
                proposer,
                digest,
                length: u32::try_from(bytes.len()).expect("a block is below BLOCK_BYTES_MAX"),
            },
            bytes,
        }))
    }

    /// A part of a proposal, as its publisher's peer signed it. Returns a proposal that is
    /// judged: this one, or another that waited.
    pub fn on_part(
        &mut self,
        now: Now,
        publisher: &str,
        stream: &[u8],
        sequence: u64,
        piece: Piece,
    ) -> Result<Option<Judged>, ChainError> {
        if self.chain.validator_of_peer(publisher).is_none() {
            let detail = "its publisher is no validator".to_string();
            self.drop_proposal(None, publisher, DropReason::NotAValidator, detail);
            return Ok(self.judged.pop_front());
        }
        let stream = Bytes::copy_from_slice(stream);
        let assembled = self
            .assembler
            .insert(publisher, &stream, sequence, piece, now.wall);
        match assembled {
            Ok(Some(proposal)) => self.on_proposal(proposal),
            Ok(None) => Ok(self.judged.pop_front()),
            Err(error) => {
                self.drop_proposal(None, publisher, DropReason::Stream, error.to_string());
                Ok(self.judged.pop_front())
            }
        }
    }

    /// A whole proposal. Returns one that is judged: this one, or another that waited.
    pub fn on_proposal(&mut self, proposal: Assembled) -> Result<Option<Judged>, ChainError> {
        let PartInit { height, round, .. } = proposal.init;
        let (next, running) = (self.chain.tip().next(), self.round);
        if height == next && round.0 > running.0.saturating_add(PROPOSAL_ROUNDS_AHEAD_MAX) {
            let detail = format!(
                "round {running} runs, which is more than {PROPOSAL_ROUNDS_AHEAD_MAX} below"
            );
            self.drop_of(&proposal, DropReason::RoundAhead, detail);
        }
        self.place(proposal)?;
        Ok(self.judged.pop_front())
    }

    /// Judges all that waited for what is so now.
    pub(super) fn judge_waiting(&mut self) -> Result<(), ChainError> {
        for proposal in std::mem::take(&mut self.waiting) {
            self.place(proposal)?;
        }
        Ok(())
    }

    /// Judges a proposal, or lets it wait for its height, its round, or votes.
    fn place(&mut self, proposal: Assembled) -> Result<(), ChainError> {
        let init = proposal.init;
        let (next, running) = (self.chain.tip().next(), self.round);
        if init.height < next {
            return Ok(());
        }
        if init.height.above(next) > STREAM_HEIGHTS_AHEAD_MAX {
            let detail = format!("the next height is {next}");
            self.drop_of(&proposal, DropReason::HeightAhead, detail);
            return Ok(());
        }
        // Nobody can have more executed than a round gives time for.
        if init.height > next || init.round > running {
            self.wait(proposal);
            return Ok(());
        }
        if init.round.0.saturating_add(PROPOSAL_ROUNDS_BEHIND_MAX) < running.0 {
            let detail = format!("round {running} runs");
            self.drop_of(&proposal, DropReason::RoundPast, detail);
            return Ok(());
        }
        let Some(publisher) = self.chain.validator_of_peer(&proposal.publisher) else {
            let detail = "its publisher is no validator of this height".to_string();
            self.drop_of(&proposal, DropReason::NotAValidator, detail);
            return Ok(());
        };
        let due = self.proposer(init.height, init.round)?;
        if init.proposer != due {
            let detail = format!("it names {}, it is the turn of {due}", init.proposer);
            self.drop_of(&proposal, DropReason::NotItsTurn, detail);
            return Ok(());
        }
        // Whoever passes on another's proposal must not take its place: consensus holds few
        // blocks of a round, and its proposer may yet come. Votes show that it did. They show,
        // too, that a block of an earlier round still matters.
        if publisher != due || init.round < running {
            let set = self.set(init.height)?.clone();
            let prevotes = &self.prevotes;
            if !prevotes.by_somebody_honest(&set, init.round, init.digest) {
                self.wait(proposal);
                return Ok(());
            }
        }
        self.judge(proposal, publisher, due)
    }

    /// Executes what was received, unless it was before, and says what consensus should hold
    /// of it. A bad block counts against its digest only if it came from the proposer itself:
    /// others could otherwise slander a good one.
    fn judge(
        &mut self,
        proposal: Assembled,
        publisher: Address,
        due: Address,
    ) -> Result<(), ChainError> {
        let init = proposal.init;
        let Some(found) = self.find(&proposal, publisher)? else {
            let detail = format!("{JUDGED_PER_ROUND_MAX} of its blocks were executed");
            self.drop_of(&proposal, DropReason::TooMany, detail);
            return Ok(());
        };
        self.proposed = self.proposed.max(init.height);
        let judged = |valid| Judged {
            height: init.height,
            round: init.round,
            polka_round: init.polka_round,
            proposer: init.proposer,
            digest: init.digest,
            valid,
        };
        let problem = match &found.verdict {
            Verdict::Valid(candidate) if candidate.digest == init.digest => {
                self.keep(init.height, init.digest, &proposal.bytes)?;
                let last = self.kept.entry(init.digest).or_default();
                *last = init.round.max(*last);
                self.admit(&proposal, *candidate, &found, judged(true));
                return Ok(());
            }
            Verdict::Valid(candidate) => format!("its parts hash to {}", candidate.digest),
            Verdict::Invalid(reason) | Verdict::Malformed(reason) => reason.clone(),
        };
        self.progress.refused = Some(problem.clone());
        self.chain.note(Note::Refused {
            position: (init.height, init.round),
            proposer: init.proposer,
            publisher: proposal.publisher,
            digest: init.digest,
            reason: problem,
        });
        // A block that was found valid stays so, whatever is sent under its digest.
        if publisher == due && !self.verdicts.has(init.digest) {
            self.judged.push_back(judged(false));
        }
        Ok(())
    }

    /// Passes a valid block to consensus if it is timely, or if a polka shows that it was.
    fn admit(&mut self, proposal: &Assembled, candidate: Candidate, found: &Found, judged: Judged) {
        let (round, received) = (proposal.init.round, proposal.received);
        let reason = untimely(&self.parameters, round, candidate.time, received);
        let timely = found.timely || reason.is_none();
        if timely && let Some(found) = self.verdicts.get(&found.bytes_hash) {
            found.timely = true;
        }
        if timely || self.prevotes.polka(&candidate.digest) {
            self.judged.push_back(judged);
            return;
        }
        let reason = reason.expect("it is not timely");
        self.progress.refused = Some(reason.clone());
        self.drop_of(proposal, DropReason::Untimely, reason);
        if self.untimely.len() == UNTIMELY_MAX {
            self.untimely.pop_front();
        }
        self.untimely.push_back(Untimely(judged));
    }

    /// What bytes are on this tip. `None` if their publisher has had its share executed.
    fn find(
        &mut self,
        proposal: &Assembled,
        publisher: Address,
    ) -> Result<Option<Found>, ChainError> {
        let bytes_hash = sha256(&[&proposal.bytes]);
        if let Some(found) = self.verdicts.get(&bytes_hash) {
            return Ok(Some(found.clone()));
        }
        let init = &proposal.init;
        if self.verdicts.has(init.digest) {
            let reason = "the announced block has other bytes".to_string();
            return Ok(Some(Found {
                bytes_hash,
                verdict: Verdict::Invalid(reason),
                timely: false,
            }));
        }
        let executed = self.executed.entry((init.round, publisher)).or_default();
        if executed.len() >= JUDGED_PER_ROUND_MAX && !executed.contains(&bytes_hash) {
            return Ok(None);
        }
        executed.insert(bytes_hash);
        let verdict = self.chain.check(init.height, &proposal.bytes)?;
        if let Verdict::Valid(candidate) = verdict
            && publisher == init.proposer
            && init.polka_round.is_none()
        {
            self.chain.note(Note::Ahead {
                proposer: publisher,
                ms: ahead_ms(candidate.time, proposal.received),
            });
        }
        let found = Found {
            bytes_hash,
            verdict,
            timely: false,
        };
        self.verdicts.insert(found.clone());
        Ok(Some(found))
    }

    /// Makes a block durable. What gives way first is what nobody can decide any more, as far
    /// as this node knows: neither of the rounds that run or come, nor one with a polka.
    pub(super) fn keep(
        &mut self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
    ) -> Result<(), ChainError> {
        let running = self.round;
        let current = self.kept.iter().filter(|(_, round)| **round >= running);
        let mut spared: BTreeSet<_> = current.map(|(digest, _)| *digest).collect();
        spared.extend(self.prevotes.polkas());
        self.chain.keep(height, digest, bytes, &spared)
    }

    /// Counts a prevote for a block of the running height. Says whether it is new.
    pub(super) fn note_prevote(
        &mut self,
        vote: &VoteStatement,
        validator: Address,
    ) -> Result<bool, ChainError> {
        let (VoteKind::Prevote, Some(digest)) = (vote.kind, vote.value) else {
            return Ok(false);
        };
        let set = self.set(vote.height)?.clone();
        let position = (vote.round, digest);
        Ok(self.prevotes.note(&set, position, validator))
    }

    /// Passes on the blocks that a quorum found timely.
    pub(super) fn release_untimely(&mut self) {
        let prevotes = &self.prevotes;
        let (found, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.untimely)
            .into_iter()
            .partition(|held| prevotes.polka(&held.0.digest));
        self.untimely = rest;
        self.judged.extend(found.into_iter().map(|held| held.0));
    }

    /// Keeps a proposal until what it waits for is so. The greediest publisher's oldest gives
    /// way.
    fn wait(&mut self, proposal: Assembled) {
        let of = |publisher: &str| {
            let waiting = self.waiting.iter();
            waiting.filter(|waits| waits.publisher == publisher).count()
        };
        let crowded = if of(&proposal.publisher) >= WAITING_PER_PUBLISHER_MAX {
            Some(proposal.publisher.clone())
        } else if self.waiting.len() >= WAITING_PROPOSALS_MAX {
            let mut publishers = self.waiting.iter().map(|waits| &waits.publisher);
            let first = publishers.next();
            let greediest = publishers.fold(first, |most, next| {
                let more = most.is_none_or(|most| of(next) > of(most));
                if more { Some(next) } else { most }
            });
            greediest.cloned()
        } else {
            None
        };
        if let Some(publisher) = crowded {
            let mut waiting = self.waiting.iter();
            let oldest = waiting.position(|waits| waits.publisher == publisher);
            let dropped = self.waiting.remove(oldest.expect("it has some"));
            let detail = "too many proposals wait".to_string();
            self.drop_of(&dropped, DropReason::GaveWay, detail);
        }
        self.waiting.push(proposal);
    }

    fn drop_of(&mut self, proposal: &Assembled, reason: DropReason, detail: String) {
        let position = Some((proposal.init.height, proposal.init.round));
        self.drop_proposal(position, &proposal.publisher, reason, detail);
    }

    fn drop_proposal(
        &mut self,
        position: Option<(Height, Round)>,
        publisher: &str,
        reason: DropReason,
        detail: String,
    ) {
        self.chain.note(Note::Dropped {
            position,
            publisher: publisher.to_string(),
            reason,
            detail,
        });
    }

    /// Forgets what no round from now on can need.
    pub(super) fn forget_rounds_past(&mut self) {
        let running = self.round;
        let first = Round(running.0.saturating_sub(PROPOSAL_ROUNDS_BEHIND_MAX));
        self.executed.retain(|(round, _), _| *round >= first);
        self.prevotes.forget_below(first);
        self.kept.retain(|_, round| *round >= running);
    }

    /// Forgets what was of the height that ended.
    pub(super) fn forget_height(&mut self) {
        let next = self.chain.tip().next();
        self.round = Round::ZERO;
        self.executed.clear();
        self.verdicts = Verdicts::default();
        self.kept.clear();
        self.untimely.clear();
        self.judged.clear();
        self.prevotes = super::Prevotes::default();
        self.waiting.retain(|proposal| proposal.init.height >= next);
    }
}
