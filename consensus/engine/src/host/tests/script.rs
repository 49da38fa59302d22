//! A chain whose blocks say what they are, and a host over it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, CheckpointDigest, CommitCertificate, CommitSignature, Evidence, Height, Round,
    SecretKey, Signature, TimestampMs, Validator, ValidatorSet, VoteKind, VoteStatement,
    VotingPower, sha256,
};

use crate::host::{Assembled, Host, Judged, Now, PartInit};
use crate::port::{Candidate, Chain, ChainError, Commit, DropReason, Note, Verdict};

/// Blocks that the script's disk has room for at one height.
pub(super) const KEPT_MAX: usize = 64;

/// The beginning of the script.
pub(super) const GENESIS: TimestampMs = TimestampMs(1_000_000_000);

pub(super) fn digest_of(bytes: &[u8]) -> CheckpointDigest {
    CheckpointDigest(sha256(&[bytes]))
}

/// Four validators of equal power, in the order in which they propose.
pub(super) fn validators() -> ValidatorSet {
    let key = |seed: u8| SecretKey::from_seed(&[seed]).public_key();
    let validator = |seed| Validator::new(key(seed), VotingPower(1), Default::default());
    ValidatorSet::new((1..=4).map(validator).collect()).unwrap()
}

/// A block: its height, its time, and anything.
pub(super) fn block(height: u64, time: TimestampMs, salt: &str) -> Vec<u8> {
    format!("{height}|{}|{salt}", time.0).into_bytes()
}

/// See the module.
#[derive(Default)]
pub(super) struct Script {
    pub(super) tip: Height,
    pub(super) tip_time: TimestampMs,
    pub(super) peers_tip: Height,
    pub(super) work: bool,
    /// What an upgrade has left for the height above the tip.
    pub(super) parameters: Option<ConsensusParameters>,
    /// Undecided blocks, oldest first.
    pub(super) kept: Vec<(CheckpointDigest, Vec<u8>)>,
    pub(super) executed: usize,
    pub(super) notes: Vec<Note>,
}

impl Script {
    /// Why proposals were dropped, and how often.
    pub(super) fn dropped(&self) -> BTreeMap<DropReason, usize> {
        let mut dropped = BTreeMap::new();
        for note in &self.notes {
            if let Note::Dropped { reason, .. } = note {
                *dropped.entry(*reason).or_default() += 1;
            }
        }
        dropped
    }
}

impl Chain for Script {
    fn tip(&self) -> Height {
        self.tip
    }

    fn tip_time(&self) -> TimestampMs {
        self.tip_time
    }

    fn history_min(&self) -> Height {
        Height(1)
    }

    fn validators(&self, _height: Height) -> Result<ValidatorSet, ChainError> {
        Ok(validators())
    }

    fn parameters(&self) -> Option<ConsensusParameters> {
        self.parameters
    }

    fn validator_of_peer(&self, peer_id: &str) -> Option<Address> {
        let index: usize = peer_id.strip_prefix("peer ")?.parse().ok()?;
        validators().iter().nth(index).map(|peer| peer.address)
    }

    fn propose(
        &mut self,
        height: Height,
        round: Round,
        now: TimestampMs,
        _budget: Duration,
    ) -> Result<CheckpointDigest, ChainError> {
        let time = now.max(self.tip_time.next());
        let bytes = block(height.0, time, &format!("own, round {round}"));
        let digest = digest_of(&bytes);
        self.kept.push((digest, bytes));
        Ok(digest)
    }

    fn check(&mut self, height: Height, bytes: &[u8]) -> Result<Verdict, ChainError> {
        self.executed += 1;
        let text = String::from_utf8_lossy(bytes).into_owned();
        let fields: Vec<_> = text.split('|').collect();
        let [claimed, time, salt] = fields[..] else {
            return Ok(Verdict::Malformed("no block".into()));
        };
        if claimed != height.to_string() || salt.contains("bad") {
            return Ok(Verdict::Invalid("a bad block".into()));
        }
        let time = TimestampMs(time.parse().unwrap());
        if time <= self.tip_time {
            return Ok(Verdict::Invalid("not after the tip".into()));
        }
        let digest = digest_of(bytes);
        Ok(Verdict::Valid(Candidate { digest, time }))
    }

    fn keep(
        &mut self,
        _height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError> {
        if self.kept.iter().any(|(kept, _)| *kept == digest) {
            return Ok(());
        }
        if self.kept.len() == KEPT_MAX {
            let mut kept = self.kept.iter();
            let victim = kept.position(|(kept, _)| !spared.contains(kept));
            self.kept.remove(victim.unwrap_or(0));
        }
        self.kept.push((digest, bytes.to_vec()));
        Ok(())
    }

    fn proposal_bytes(
        &self,
        _height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        let mut kept = self.kept.iter();
        let found = kept.find(|(kept, _)| *kept == digest);
        Ok(found.map(|(_, bytes)| bytes.clone()))
    }

    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError> {
        if certificate.height <= self.tip {
            return Ok(Commit::Done);
        }
        let bytes = self.proposal_bytes(certificate.height, certificate.checkpoint_digest)?;
        let Some(bytes) = bytes else {
            return Ok(Commit::Missing);
        };
        let text = String::from_utf8(bytes).unwrap();
        self.tip_time = TimestampMs(text.split('|').nth(1).unwrap().parse().unwrap());
        self.tip = certificate.height;
        self.kept.clear();
        Ok(Commit::Done)
    }

    fn record_evidence(&mut self, _evidence: &[Evidence]) -> Result<(), ChainError> {
        Ok(())
    }

    fn decided(&self, _height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError> {
        Ok(None)
    }

    fn has_work(&self) -> bool {
        self.work
    }

    fn transactions_at_tip(&self) -> usize {
        0
    }

    fn peers_tip(&self) -> Height {
        self.peers_tip
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}

/// `ms` after the beginning, by a clock that is right.
pub(super) fn at(ms: u64) -> Now {
    Now {
        monotonic: Duration::from_millis(ms),
        wall: TimestampMs(GENESIS.0 + ms),
    }
}

/// A host in round 0 of height 1.
pub(super) fn running(parameters: ConsensusParameters) -> Host<Script> {
    let script = Script {
        tip_time: GENESIS,
        ..Script::default()
    };
    let own = validators().iter().next().unwrap().address;
    let mut host = Host::new(script, parameters, Some(own), at(0));
    host.on_ready();
    let start = host.start_next(at(0)).unwrap().expect("it is time");
    assert_eq!(start.height, Height(1));
    start_round(&mut host, 0);
    host
}

/// Who proposes at height 1 in a round, by position.
pub(super) fn turn(round: u32) -> usize {
    let due = validators().proposer(Height(1), Round(round)).address;
    let set = validators();
    set.iter().position(|peer| peer.address == due).unwrap()
}

pub(super) fn start_round(host: &mut Host<Script>, round: u32) -> Vec<Judged> {
    let height = host.chain().tip.next();
    let due = validators().proposer(height, Round(round)).address;
    host.on_started_round(height, Round(round), due).unwrap()
}

/// A proposal of the due proposer of (1, `round`), published by the peer at `publisher`.
pub(super) fn proposal(round: u32, publisher: usize, bytes: &[u8], now: Now) -> Assembled {
    Assembled {
        publisher: format!("peer {publisher}"),
        init: PartInit {
            height: Height(1),
            round: Round(round),
            polka_round: None,
            proposer: validators().proposer(Height(1), Round(round)).address,
            digest: digest_of(bytes),
            length: u32::try_from(bytes.len()).unwrap(),
        },
        bytes: bytes.to_vec(),
        received: now.wall,
    }
}

/// A verified prevote of the validator at `voter`.
pub(super) fn prevote(host: &mut Host<Script>, round: u32, digest: CheckpointDigest, voter: usize) {
    let vote = VoteStatement {
        kind: VoteKind::Prevote,
        height: host.chain().tip.next(),
        round: Round(round),
        value: Some(digest),
    };
    let voter = validators().iter().nth(voter).unwrap().address;
    host.on_vote(&vote, voter).unwrap();
}

/// What three of four signed; nobody checks the signatures here.
pub(super) fn certificate(height: u64, digest: CheckpointDigest) -> CommitCertificate {
    let set = validators();
    let signatures = set.iter().take(3).map(|validator| CommitSignature {
        validator: validator.address,
        signature: Signature([1; 65]),
    });
    CommitCertificate::new(Height(height), Round(0), digest, signatures.collect()).unwrap()
}
