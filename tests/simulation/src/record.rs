//! What the checker may know: what went over the wire, what clients were told, and what
//! everybody sees of a node from outside.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_engine::stepped::wire::Signed;
use tbsi_keys::ConsensusStatement;
use tbsi_types::{
    Address, B256, ChainIdentity, CheckpointDigest, CommitCertificate, Height, ProofBundle, Round,
    Signature, VoteKind,
};

use crate::clock::Moment;

/// Where a validator signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignedStep {
    /// A proposal.
    Propose,
    /// A prevote.
    Prevote,
    /// A precommit.
    Precommit,
}

/// Height, round and step.
pub type Position = (Height, Round, SignedStep);

/// Something that a client was told is final.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// Its transaction.
    pub transaction: B256,
    /// What the client holds.
    pub bundle: ProofBundle,
    /// When it was told.
    pub at: Moment,
}

/// A transaction that a node took.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// When.
    pub at: Moment,
    /// By which node.
    pub node: usize,
    /// When a client was first told that it is final.
    pub acknowledged: Option<Moment>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Record {
    /// Per validator and position, what it signed: digests of statements, and the values.
    pub signed: BTreeMap<(Address, Position), BTreeMap<B256, Option<CheckpointDigest>>>,
    /// The polka rounds that proposals and votes showed.
    pub certificates: BTreeMap<(Height, CheckpointDigest), CommitCertificate>,
    /// When a node first decided a height.
    pub decided: BTreeMap<(usize, Height), Moment>,
    /// When anybody first did.
    pub first_decided: BTreeMap<Height, Moment>,
    /// In which round heights were decided.
    pub rounds: BTreeMap<Height, Round>,
    /// Transactions that nodes took.
    pub accepted: BTreeMap<B256, Accepted>,
    /// What clients hold.
    pub acknowledged: Vec<Acknowledged>,
    /// Answers that clients could not verify: by which node, and why.
    pub wrong_answers: Vec<(usize, String)>,
    /// Processes that ended by themselves, and why.
    pub stopped: Vec<(usize, Moment, String)>,
    /// The last tip that each node told, since it was last restored from a copy.
    pub told: BTreeMap<usize, Height>,
    /// Nodes whose tip went back: from where to where.
    pub went_back: Vec<(usize, Height, Height)>,
    /// Processes that were made to end.
    pub crashes: u64,
    /// Messages sent.
    pub messages: u64,
    known: BTreeSet<(Address, B256)>,
}

impl Record {
    /// Notes what a message shows to be signed, if the signature is good.
    pub fn note_signed(&mut self, chain: &ChainIdentity, signed: &Signed) {
        if signed.signature == Signature::ABSTAINED {
            return;
        }
        let digest = signed.statement.mark(chain).digest;
        if self.known.contains(&(signed.validator, digest)) {
            return;
        }
        if signed.signature.recover(digest) != Ok(signed.validator) {
            return;
        }
        self.known.insert((signed.validator, digest));
        let (position, value) = position(&signed.statement);
        let values = self.signed.entry((signed.validator, position));
        values.or_default().insert(digest, value);
    }

    /// Notes a certificate, whoever showed it.
    pub fn note_certificate(&mut self, certificate: &CommitCertificate) {
        let key = (certificate.height, certificate.checkpoint_digest);
        let known = self.certificates.entry(key);
        known.or_insert_with(|| certificate.clone());
    }

    /// Notes that a node decided.
    pub fn note_decided(&mut self, node: usize, certificate: &CommitCertificate, now: Moment) {
        let height = certificate.height;
        self.decided.entry((node, height)).or_insert(now);
        self.first_decided.entry(height).or_insert(now);
        self.rounds.entry(height).or_insert(certificate.round);
        self.note_certificate(certificate);
    }

    /// Notes what a node says is its tip.
    pub fn note_tip(&mut self, node: usize, tip: Height) {
        let before = self.told.insert(node, tip);
        if let Some(before) = before.filter(|before| *before > tip) {
            self.went_back.push((node, before, tip));
        }
    }

    /// Validators that signed two different things for one step.
    pub fn equivocators(&self) -> BTreeSet<Address> {
        let twice = self.signed.iter().filter(|(_, values)| values.len() > 1);
        twice.map(|((validator, _), _)| *validator).collect()
    }

    /// Whether a quorum prevoted a block in a round from `first` to below `last`.
    pub fn polka_between(
        &self,
        height: Height,
        value: CheckpointDigest,
        (first, last): (Round, Round),
        validators: &[Address],
    ) -> bool {
        (first.0..last.0).any(|round| {
            let position = (height, Round(round), SignedStep::Prevote);
            let voted = |validator: &&Address| {
                let values = self.signed.get(&(**validator, position));
                values.is_some_and(|values| values.values().any(|voted| *voted == Some(value)))
            };
            3 * validators.iter().filter(voted).count() > 2 * validators.len()
        })
    }
}

fn position(statement: &ConsensusStatement) -> (Position, Option<CheckpointDigest>) {
    match statement {
        ConsensusStatement::Vote(vote) => {
            let step = match vote.kind {
                VoteKind::Prevote => SignedStep::Prevote,
                VoteKind::Precommit => SignedStep::Precommit,
            };
            ((vote.height, vote.round, step), vote.value)
        }
        ConsensusStatement::Proposal(proposal) => {
            let position = (proposal.height, proposal.round, SignedStep::Propose);
            (position, Some(proposal.value))
        }
    }
}
