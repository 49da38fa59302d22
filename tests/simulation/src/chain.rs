//! The node's chain, with places to die around each write, and room for planted bugs.

use std::collections::BTreeSet;
use std::time::Duration;

use tbsi_engine::{Chain, ChainError, Commit, Note, Verdict};
use tbsi_node::chain::NodeChain;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, BlockError, CheckpointDigest, CommitCertificate, Evidence, Height, ProposedBlock,
    Round, TimestampMs, ValidatorSet,
};

use crate::mutants::Mutant;
use crate::side::SharedSide;

/// No machine is so slow that this runs out: what a block holds must not depend on it.
const BUDGET: Duration = Duration::from_secs(3_600);
/// Others' blocks that a planted bug has room for.
const FOREIGN_MAX: u32 = 3;

/// [`NodeChain`] in a world that can end it.
pub struct SimChain {
    inner: NodeChain,
    side: SharedSide,
}

impl SimChain {
    /// Around a node's chain.
    pub fn new(inner: NodeChain, side: SharedSide) -> Self {
        Self { inner, side }
    }

    fn pass(&self, operation: &str) -> Result<(), ChainError> {
        if self.side.pass() {
            return Ok(());
        }
        Err(ChainError::new(operation, "the process died"))
    }

    /// A write that failed because the disk is full is known to the process from now on.
    fn known<T>(&self, outcome: Result<T, ChainError>) -> Result<T, ChainError> {
        let mut side = self.side.get();
        side.failed |= outcome.is_err() && side.full;
        outcome
    }

    /// What a planted bug has against a block.
    fn refuses(&self, height: Height, bytes: &[u8]) -> Option<String> {
        let mut side = self.side.get();
        match side.mutant? {
            Mutant::ExecutionDiffers => {
                // With a transaction, which is of another chain than this one.
                let error = ProposedBlock::decode(bytes, u64::MAX, &|_| None).err()?;
                let full = matches!(error, BlockError::Transaction { .. });
                full.then(|| "state root differs".into())
            }
            Mutant::TableFills => {
                if side.foreign.0 != height {
                    side.foreign = (height, 0);
                }
                side.foreign.1 += 1;
                let full = side.foreign.1 > FOREIGN_MAX;
                full.then(|| "no room for another block".into())
            }
            _ => None,
        }
    }
}

impl Chain for SimChain {
    fn tip(&self) -> Height {
        self.inner.tip()
    }

    fn tip_time(&self) -> TimestampMs {
        self.inner.tip_time()
    }

    fn history_min(&self) -> Height {
        self.inner.history_min()
    }

    fn validators(&self, height: Height) -> Result<ValidatorSet, ChainError> {
        self.inner.validators(height)
    }

    fn parameters(&self) -> Option<ConsensusParameters> {
        // A node that takes any time goes by parameters of its own.
        let own = self.side.has(Mutant::AnyTime);
        (!own).then(|| self.inner.parameters()).flatten()
    }

    fn validator_of_peer(&self, peer_id: &str) -> Option<Address> {
        self.inner.validator_of_peer(peer_id)
    }

    fn propose(
        &mut self,
        height: Height,
        round: Round,
        now: TimestampMs,
        _: Duration,
    ) -> Result<CheckpointDigest, ChainError> {
        self.pass("propose")?;
        let digest = self.inner.propose(height, round, now, BUDGET);
        let digest = self.known(digest)?;
        self.pass("propose")?;
        Ok(digest)
    }

    fn check(&mut self, height: Height, bytes: &[u8]) -> Result<Verdict, ChainError> {
        self.pass("check")?;
        if let Some(reason) = self.refuses(height, bytes) {
            return Ok(Verdict::Invalid(reason));
        }
        self.inner.check(height, bytes)
    }

    fn keep(
        &mut self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError> {
        self.pass("keep")?;
        let kept = self.inner.keep(height, digest, bytes, spared);
        if let Err(error) = self.known(kept)
            && !self.side.has(Mutant::FullDiskIgnored)
        {
            return Err(error);
        }
        self.pass("keep")
    }

    fn proposal_bytes(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        self.inner.proposal_bytes(height, digest)
    }

    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError> {
        self.pass("commit")?;
        let commit = self.inner.commit(certificate);
        let commit = self.known(commit)?;
        self.pass("commit")?;
        Ok(commit)
    }

    fn record_evidence(&mut self, evidence: &[Evidence]) -> Result<(), ChainError> {
        if self.side.has(Mutant::ForgetsEvidence) {
            return Ok(());
        }
        let tip = self.inner.tip();
        let recorded = self.inner.record_evidence(evidence);
        self.known(recorded)?;
        let pieces = evidence.iter().map(|piece| (*piece, tip));
        self.side.get().evidence.extend(pieces);
        Ok(())
    }

    fn decided(&self, height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError> {
        self.inner.decided(height)
    }

    fn has_work(&self) -> bool {
        self.inner.has_work()
    }

    fn transactions_at_tip(&self) -> usize {
        self.inner.transactions_at_tip()
    }

    fn peers_tip(&self) -> Height {
        self.side.get().peers_tip
    }

    fn note(&mut self, note: Note) {
        self.side.get().notes.push(note.clone());
        self.inner.note(note);
    }
}
