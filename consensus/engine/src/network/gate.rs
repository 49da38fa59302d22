//! What of consensus is taken from the wire, and from whom (SPEC §6.1, §6.7): a message goes to
//! the engine and on to neighbours only after its signature was verified, if it is of a height
//! and round that the engine can use, and not more often than an honest validator would send it.
//! No socket, no clock, no engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tbsi_keys::ConsensusStatement;
use tbsi_p2p::PeerId;
use tbsi_types::{
    Address, B256, Height, ProposalStatement, PublicKey, Roster, Round, Signature, ValidatorSet,
    VoteKind, VoteStatement, VotingPower,
};
use tokio::time::Instant;

use super::rates::{AllRates, Rates};
use super::refusal::Refusal;
use super::verified::Verified;
use crate::limits::{
    DIFFERENT_STATEMENTS_MAX, HEIGHTS_AHEAD_MAX, REPEAT_INTERVAL, ROUNDS_BEHIND_MAX,
    STREAM_HEIGHTS_AHEAD_MAX, VOTE_ROUNDS_AHEAD_MAX,
};

/// What a certificate of votes stands for, and thereby the power that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// More than two thirds.
    Quorum,
    /// More than one third: somebody honest is there.
    Third,
}

/// Votes under one height and round.
pub(crate) struct Bundle {
    pub(crate) height: Height,
    pub(crate) threshold: Threshold,
    pub(crate) votes: Vec<(VoteStatement, Address, Signature)>,
    /// Tells it from others.
    pub(crate) digest: B256,
}

/// A validator's place for statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    height: Height,
    round: Round,
    kind: u8,
    validator: Address,
}

const PROPOSAL: u8 = 0;

/// Decides of each message whether it is taken.
pub(crate) struct Gate {
    verified: Verified,
    roster: Arc<Roster>,
    /// The validators before the last change: some nodes still vote with them.
    before: Option<ValidatorSet>,
    /// Peers that validators of either set speak through.
    speakers: BTreeMap<PeerId, Address>,
    height: Height,
    round: Round,
    /// Digests of the statements that were taken, and when last.
    taken: BTreeMap<Slot, Vec<(B256, Instant)>>,
    certificates: BTreeMap<B256, Instant>,
    rates: AllRates,
}

impl Gate {
    pub(crate) fn new(verified: Verified, roster: Arc<Roster>) -> Self {
        let mut gate = Self {
            verified,
            roster,
            before: None,
            speakers: BTreeMap::new(),
            height: Height::GENESIS,
            round: Round::ZERO,
            taken: BTreeMap::new(),
            certificates: BTreeMap::new(),
            rates: AllRates::default(),
        };
        gate.find_speakers();
        gate
    }

    /// Takes over who validates now.
    pub(crate) fn follow(&mut self, roster: Arc<Roster>) {
        if roster.members.set() != self.roster.members.set() {
            self.before = Some(self.roster.members.set().clone());
            // They depend on the number of validators.
            self.rates = AllRates::default();
        }
        self.roster = roster;
        self.find_speakers();
    }

    fn find_speakers(&mut self) {
        let speakers = self.roster.peers.iter().filter_map(|(id, entry)| {
            let validator = entry.validator?;
            self.key_of(&validator)?;
            Some((id.parse().ok()?, validator))
        });
        self.speakers = speakers.collect();
    }

    fn key_of(&self, validator: &Address) -> Option<&PublicKey> {
        let sets = [Some(self.roster.members.set()), self.before.as_ref()];
        let mut sets = sets.into_iter().flatten();
        sets.find_map(|set| set.get(validator))
            .map(|validator| &validator.public_key)
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Height that is being decided.
    pub(crate) fn height(&self) -> Height {
        self.height
    }

    /// Takes over where consensus stands.
    pub(crate) fn move_to(&mut self, height: Height, round: Round) {
        if (height, round) == (self.height, self.round) {
            return;
        }
        (self.height, self.round) = (height, round);
        let least = Round(round.0.saturating_sub(ROUNDS_BEHIND_MAX));
        self.taken = self.taken.split_off(&Slot {
            height,
            round: least,
            kind: 0,
            validator: Address::ZERO,
        });
        self.certificates.clear();
    }

    /// Whether this peer may publish votes, certificates and proposals.
    pub(crate) fn speaks(&self, peer: &PeerId) -> bool {
        self.speakers.contains_key(peer)
    }

    /// Whether a validator signed a statement, of whatever height.
    pub(crate) fn is_signed(
        &self,
        statement: &ConsensusStatement,
        validator: &Address,
        signature: &Signature,
    ) -> bool {
        let digest = statement.mark(self.verified.chain()).digest;
        let key = self.key_of(validator);
        key.is_some_and(|key| self.verified.is_by(key, digest, signature))
    }

    /// What every message of consensus must be, before it is looked into.
    pub(crate) fn admit(
        &mut self,
        from: PeerId,
        publisher: Option<PeerId>,
        now: Instant,
    ) -> Result<(), Refusal> {
        if !self.rates_of(from, now).messages.take(1, now) {
            return Err(Refusal::Rate);
        }
        let speaks = publisher.is_some_and(|publisher| self.speaks(&publisher));
        if speaks { Ok(()) } else { Err(Refusal::Role) }
    }

    fn rates_of(&mut self, peer: PeerId, now: Instant) -> &mut Rates {
        let validators = self.roster.members.set().count();
        self.rates.of(peer, validators, now)
    }

    /// A vote, on its own.
    pub(crate) fn vote(
        &mut self,
        vote: &(VoteStatement, Address, Signature),
        now: Instant,
    ) -> Result<(), Refusal> {
        let (statement, validator, signature) = vote;
        let slot = Slot {
            height: statement.height,
            round: statement.round,
            kind: kind(statement.kind),
            validator: *validator,
        };
        let digest = statement.digest(self.verified.chain());
        self.statement(slot, digest, signature, now)
    }

    /// A proposal without its block.
    pub(crate) fn proposal(
        &mut self,
        statement: &ProposalStatement,
        proposer: Address,
        signature: &Signature,
        now: Instant,
    ) -> Result<(), Refusal> {
        let (height, round) = (statement.height, statement.round);
        // Of later heights the set is not known for certain: the engine looks again.
        let due = self.roster.members.set().proposer(height, round).address;
        if height == self.height && due != proposer {
            return Err(Refusal::Turn);
        }
        let slot = Slot {
            height,
            round,
            kind: PROPOSAL,
            validator: proposer,
        };
        let digest = statement.digest(self.verified.chain());
        self.statement(slot, digest, signature, now)
    }

    fn statement(
        &mut self,
        slot: Slot,
        digest: B256,
        signature: &Signature,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.is_timely(slot.height, slot.round)?;
        if *signature == Signature::ABSTAINED {
            return Err(Refusal::Abstained);
        }
        let key = *self.key_of(&slot.validator).ok_or(Refusal::Unknown)?;
        let taken = self.taken.get(&slot).map_or(&[][..], Vec::as_slice);
        match taken.iter().find(|(known, _)| *known == digest) {
            Some((_, last)) if now.duration_since(*last) < REPEAT_INTERVAL => {
                return Err(Refusal::Repeated);
            }
            Some(_) => {}
            None if taken.len() >= DIFFERENT_STATEMENTS_MAX => return Err(Refusal::Surplus),
            None => {}
        }
        if !self.verified.is_by(&key, digest, signature) {
            return Err(Refusal::Signature);
        }
        let taken = self.taken.entry(slot).or_default();
        match taken.iter_mut().find(|(known, _)| *known == digest) {
            Some((_, last)) => *last = now,
            None => taken.push((digest, now)),
        }
        Ok(())
    }

    fn is_timely(&self, height: Height, round: Round) -> Result<(), Refusal> {
        if height < self.height {
            return Err(Refusal::Old);
        }
        if height.above(self.height) > HEIGHTS_AHEAD_MAX {
            return Err(Refusal::Ahead);
        }
        let running = if height == self.height {
            self.round
        } else {
            Round::ZERO
        };
        if round.0.saturating_add(ROUNDS_BEHIND_MAX) < running.0 {
            return Err(Refusal::Old);
        }
        if round.0 > running.0.saturating_add(VOTE_ROUNDS_AHEAD_MAX) {
            return Err(Refusal::Ahead);
        }
        Ok(())
    }

    /// Votes that justify a round. Any round: who is far behind gets there by them.
    pub(crate) fn certificate(
        &mut self,
        from: PeerId,
        bundle: &Bundle,
        now: Instant,
    ) -> Result<(), Refusal> {
        // The engine has no use for those of later heights.
        if bundle.height < self.height {
            return Err(Refusal::Old);
        }
        if bundle.height > self.height {
            return Err(Refusal::Ahead);
        }
        let recent = |last: &Instant| now.duration_since(*last) < REPEAT_INTERVAL;
        if self.certificates.get(&bundle.digest).is_some_and(recent) {
            return Err(Refusal::Repeated);
        }
        if !self.rates_of(from, now).certificates.take(1, now) {
            return Err(Refusal::Rate);
        }
        self.has_power(bundle)?;
        for (statement, validator, signature) in &bundle.votes {
            let key = self.key_of(validator).ok_or(Refusal::Unknown)?;
            let digest = statement.digest(self.verified.chain());
            if !self.verified.is_by(key, digest, signature) {
                return Err(Refusal::Signature);
            }
        }
        self.certificates.retain(|_, last| recent(last));
        self.certificates.insert(bundle.digest, now);
        Ok(())
    }

    fn has_power(&self, bundle: &Bundle) -> Result<(), Refusal> {
        let set = self.roster.members.set();
        let mut signers = BTreeSet::new();
        for (_, validator, _) in &bundle.votes {
            signers.insert(*validator);
        }
        let mut power = 0;
        for signer in signers {
            // Distinct members of one set: their sum is at most its total.
            power += set.get(&signer).ok_or(Refusal::Unknown)?.power.0;
        }
        let (power, total) = (VotingPower(power), set.total_power());
        let enough = match bundle.threshold {
            Threshold::Quorum => power.is_quorum_of(total),
            Threshold::Third => power.is_more_than_a_third_of(total),
        };
        if enough { Ok(()) } else { Err(Refusal::Power) }
    }

    /// A part of a proposed block, of so many bytes; its first part tells the height.
    pub(crate) fn part(
        &mut self,
        from: PeerId,
        height: Option<Height>,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Refusal> {
        if let Some(height) = height {
            if height < self.height {
                return Err(Refusal::Old);
            }
            if height.above(self.height) > STREAM_HEIGHTS_AHEAD_MAX {
                return Err(Refusal::Ahead);
            }
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let taken = self.rates_of(from, now).parts_kib.take(kib, now);
        if taken { Ok(()) } else { Err(Refusal::Rate) }
    }

    /// What a neighbour says of itself.
    pub(crate) fn status(&mut self, from: PeerId, now: Instant) -> Result<(), Refusal> {
        let taken = self.rates_of(from, now).statuses.take(1, now);
        if taken { Ok(()) } else { Err(Refusal::Rate) }
    }
}

fn kind(kind: VoteKind) -> u8 {
    match kind {
        VoteKind::Prevote => 1,
        VoteKind::Precommit => 2,
    }
}

#[cfg(test)]
mod tests;
