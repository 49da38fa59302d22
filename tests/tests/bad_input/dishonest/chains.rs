//! Chains that lie to consensus.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tbsi_engine::{Chain, ChainError, Commit, Note, Verdict};
use tbsi_node::chain::NodeChain;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, CheckpointDigest, CommitCertificate, Evidence, Height, Roster, Round, TimestampMs,
    ValidatorSet, sha256,
};

/// Counts the blocks that reached a [`Puppet`].
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<AtomicUsize>);

impl Heard {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Has no blocks, stays where it is, and finds every block of others invalid.
pub(crate) struct Puppet {
    tip: Height,
    roster: Roster,
    heard: Heard,
}

impl Puppet {
    pub(crate) fn new(tip: Height, roster: Roster) -> (Self, Heard) {
        let heard = Heard::default();
        let puppet = Self {
            tip,
            roster,
            heard: heard.clone(),
        };
        (puppet, heard)
    }
}

impl Chain for Puppet {
    fn tip(&self) -> Height {
        self.tip
    }

    fn tip_time(&self) -> TimestampMs {
        TimestampMs::default()
    }

    fn history_min(&self) -> Height {
        self.tip.next()
    }

    fn validators(&self, _height: Height) -> Result<ValidatorSet, ChainError> {
        Ok(self.roster.members.set().clone())
    }

    fn validator_of_peer(&self, peer_id: &str) -> Option<Address> {
        self.roster.validator_of(peer_id)
    }

    fn propose(
        &mut self,
        height: Height,
        _round: Round,
        _now: TimestampMs,
        _budget: Duration,
    ) -> Result<CheckpointDigest, ChainError> {
        Ok(CheckpointDigest(sha256(&[&height.0.to_be_bytes()])))
    }

    fn check(&mut self, _height: Height, _bytes: &[u8]) -> Result<Verdict, ChainError> {
        self.heard.0.fetch_add(1, Ordering::SeqCst);
        Ok(Verdict::Invalid("a puppet agrees with nobody".into()))
    }

    fn keep(
        &mut self,
        _height: Height,
        _digest: CheckpointDigest,
        _bytes: &[u8],
        _spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError> {
        Ok(())
    }

    fn proposal_bytes(
        &self,
        _height: Height,
        _digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(None)
    }

    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError> {
        self.tip = certificate.height;
        Ok(Commit::Done)
    }

    fn record_evidence(&mut self, _evidence: &[Evidence]) -> Result<(), ChainError> {
        Ok(())
    }

    fn decided(&self, _height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError> {
        Ok(None)
    }

    fn has_work(&self) -> bool {
        false
    }

    fn transactions_at_tip(&self) -> usize {
        0
    }

    fn peers_tip(&self) -> Height {
        Height::GENESIS
    }

    fn note(&mut self, _note: Note) {}
}

/// A [`Liar`] has two, told in turn.
pub(crate) const KINDS_OF_LIE: usize = 2;

/// One proposal of a [`Liar`].
#[derive(Clone, Debug)]
pub(crate) struct Lie {
    pub(crate) height: Height,
    /// The digest that it signed.
    pub(crate) signed: CheckpointDigest,
    /// The bytes that it sent beside it.
    bytes: Vec<u8>,
    /// How others call it.
    pub(crate) words: &'static str,
}

/// What a [`Liar`] has proposed.
#[derive(Clone, Default)]
pub(crate) struct Lies(Arc<Mutex<Vec<Lie>>>);

impl Lies {
    pub(crate) fn told(&self) -> Vec<Lie> {
        self.0.lock().unwrap().clone()
    }
}

/// An honest chain, except that it signs digests of blocks that do not exist: beside the
/// first it sends an honest block, beside the second no block at all, and so on in turn.
pub(crate) struct Liar {
    honest: NodeChain,
    own: Address,
    lies: Lies,
}

impl Liar {
    pub(crate) fn new(honest: NodeChain, own: Address) -> (Self, Lies) {
        let lies = Lies::default();
        let liar = Self {
            honest,
            own,
            lies: lies.clone(),
        };
        (liar, lies)
    }
}

impl Chain for Liar {
    fn tip(&self) -> Height {
        self.honest.tip()
    }

    fn tip_time(&self) -> TimestampMs {
        self.honest.tip_time()
    }

    fn history_min(&self) -> Height {
        self.honest.history_min()
    }

    fn validators(&self, height: Height) -> Result<ValidatorSet, ChainError> {
        self.honest.validators(height)
    }

    fn parameters(&self) -> Option<ConsensusParameters> {
        self.honest.parameters()
    }

    fn validator_of_peer(&self, peer_id: &str) -> Option<Address> {
        self.honest.validator_of_peer(peer_id)
    }

    fn propose(
        &mut self,
        height: Height,
        round: Round,
        now: TimestampMs,
        budget: Duration,
    ) -> Result<CheckpointDigest, ChainError> {
        let digest = self.honest.propose(height, round, now, budget)?;
        let mut lies = self.lies.0.lock().unwrap();
        let (bytes, words) = if lies.len().is_multiple_of(KINDS_OF_LIE) {
            let bytes = self.honest.proposal_bytes(height, digest)?;
            (bytes.expect("it has just been built"), "its parts hash to")
        } else {
            (vec![0xa5; 300_000], "block bytes are not canonical RLP")
        };
        let signed = CheckpointDigest(sha256(&[b"lie", digest.0.as_slice()]));
        lies.push(Lie {
            height,
            signed,
            bytes,
            words,
        });
        Ok(signed)
    }

    fn check(&mut self, height: Height, bytes: &[u8]) -> Result<Verdict, ChainError> {
        self.honest.check(height, bytes)
    }

    fn keep(
        &mut self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError> {
        self.honest.keep(height, digest, bytes, spared)
    }

    fn proposal_bytes(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        let lie = self
            .lies
            .told()
            .into_iter()
            .find(|lie| lie.signed == digest);
        match lie {
            Some(lie) => Ok(Some(lie.bytes)),
            None => self.honest.proposal_bytes(height, digest),
        }
    }

    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError> {
        self.honest.commit(certificate)
    }

    fn record_evidence(&mut self, evidence: &[Evidence]) -> Result<(), ChainError> {
        self.honest.record_evidence(evidence)
    }

    fn decided(&self, height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError> {
        self.honest.decided(height)
    }

    /// Its own turn is reason enough.
    fn has_work(&self) -> bool {
        let next = self.tip().next();
        let validators = self.validators(next);
        validators.is_ok_and(|set| set.proposer(next, Round::ZERO).address == self.own)
    }

    fn transactions_at_tip(&self) -> usize {
        0
    }

    fn peers_tip(&self) -> Height {
        self.honest.peers_tip()
    }

    fn note(&mut self, note: Note) {
        self.honest.note(note);
    }
}
