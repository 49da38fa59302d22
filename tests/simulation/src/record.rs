//! What the checker may know: what went over the wire, what clients were told, and what
//! everybody sees of a node from outside.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_engine::stepped::wire::Signed;
use tbsi_keys::ConsensusStatement;
use tbsi_types::{
    Address, B256, ChainIdentity, CheckpointDigest, CommitCertificate, Evidence, Height,
    ProofBundle, Round, Signature, TreeSize, Validator, ValidatorSet, VoteKind, VotingPower,
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

/// A process that was started.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Whose.
    pub node: usize,
    /// How often it was started before, and this time.
    pub life: u32,
    /// When.
    pub at: Moment,
    /// When it first said something that it signed.
    pub voted: Option<Moment>,
}

/// A cosignature that went over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Cosigned {
    /// Whose it claims to be.
    pub validator: Address,
    /// Leaves in the log.
    pub size: TreeSize,
    /// Root over them.
    pub root: B256,
    /// A time and a signature.
    pub signature: [u8; 72],
}

/// Evidence that reached a node.
#[derive(Clone, Copy, Debug)]
pub struct SeenEvidence {
    /// Which.
    pub node: usize,
    /// What.
    pub evidence: Evidence,
    /// The node's tip then.
    pub tip: Height,
    /// When.
    pub at: Moment,
}

/// A time in which those that ran were no quorum.
#[derive(Clone, Copy, Debug)]
pub struct Standstill {
    /// When it began.
    pub from: Moment,
    /// When it ended.
    pub to: Option<Moment>,
    /// The highest height that was decided by then.
    pub height: Height,
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
    /// Processes that were started.
    pub starts: Vec<Start>,
    /// Nodes that were started from an old copy, and when.
    pub restored: Vec<(usize, Moment)>,
    /// Cosignatures of the log.
    pub cosigned: Vec<Cosigned>,
    /// Evidence, by whom it reached.
    pub evidence: Vec<SeenEvidence>,
    /// Processes that ended because a disk was full.
    pub full_disks: u64,
    /// What processes did after they knew that their disk was full.
    pub after_failure: Vec<(usize, Moment, String)>,
    /// Nodes that started anew with another key.
    pub rekeyed: u64,
    /// Acts of governance that were carried out, by kind.
    pub acts: BTreeMap<&'static str, u64>,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// How often the relayer died.
    pub relayer_deaths: u64,
    /// When the relayer ended by itself, and why.
    pub relayer_stopped: Vec<(Moment, String)>,
    /// When there was no quorum.
    pub standstills: Vec<Standstill>,
    known: BTreeSet<(Address, B256)>,
}

impl Record {
    /// Notes what a message shows to be signed, if the signature is good. Whether it is new.
    pub fn note_signed(&mut self, chain: &ChainIdentity, signed: &Signed) -> bool {
        if signed.signature == Signature::ABSTAINED {
            return false;
        }
        let digest = signed.statement.mark(chain).digest;
        if self.known.contains(&(signed.validator, digest)) {
            return false;
        }
        if signed.signature.recover(digest) != Ok(signed.validator) {
            return false;
        }
        self.known.insert((signed.validator, digest));
        let (position, value) = position(&signed.statement);
        let values = self.signed.entry((signed.validator, position));
        values.or_default().insert(digest, value);
        true
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

    /// Notes whether those that run are a quorum.
    pub fn note_quorum(&mut self, now: Moment, quorum: bool) {
        let open = self.standstills.last_mut().filter(|last| last.to.is_none());
        match (open, quorum) {
            (Some(open), true) => open.to = Some(now),
            (None, false) => {
                let decided = self.first_decided.last_key_value();
                self.standstills.push(Standstill {
                    from: now,
                    to: None,
                    height: decided.map(|(height, _)| *height).unwrap_or_default(),
                });
            }
            (Some(_), false) | (None, true) => {}
        }
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
        set: &ValidatorSet,
    ) -> bool {
        (first.0..last.0).any(|round| {
            let position = (height, Round(round), SignedStep::Prevote);
            let voted = |validator: &&Validator| {
                let values = self.signed.get(&(validator.address, position));
                values.is_some_and(|values| values.values().any(|voted| *voted == Some(value)))
            };
            let power = set.iter().filter(voted).map(|validator| validator.power.0);
            VotingPower(power.sum()).is_quorum_of(set.total_power())
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
