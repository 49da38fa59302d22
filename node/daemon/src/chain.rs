//! The chain that consensus extends: builds, checks and commits blocks (SPEC §4, §5).

mod execute;
mod notes;
mod room;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tbsi_engine::{Candidate, Chain, ChainError, Commit, Note, Verdict};
use tbsi_governance::standing::Denied;
use tbsi_store::{CommitBlock, LogUpdate, StateUpdate, StoreError};
use tbsi_types::contracts::UPGRADES;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{
    Address, B256, Checkpoint, CheckpointDigest, CommitCertificate, Evidence, Height, Members,
    ProposedBlock, Receipt, Roster, Round, StateDiff, TimestampMs, ValidatorSet, sha256,
};
use tracing::{info, warn};

use self::execute::CheckError;
use self::notes::Notes;
use self::room::Room;
use crate::limits::EXECUTED_MAX;
use crate::mempool::LastBlock;
use crate::metrics::Metrics;
use crate::node::{Node, causes, denial};

/// A block that was executed on the tip and may be decided.
struct Executed {
    proposed: ProposedBlock,
    receipts: Vec<Receipt>,
    /// Why transactions failed whose senders may not do what they tried.
    denied: Vec<Denied>,
    diff: StateDiff,
    update: StateUpdate,
    log: LogUpdate,
    checkpoint: Checkpoint,
    /// Validators and peers from the next block on, if they may have changed.
    roster: Option<Roster>,
    /// SHA-256 of the proposal bytes, to know them when they come again.
    bytes_hash: B256,
    elapsed: Elapsed,
}

impl Executed {
    /// The validators of the next block, if they are others than this block's.
    fn next_members(&self) -> Option<&Members> {
        let checkpoint = &self.checkpoint;
        let changes = checkpoint.validator_set_hash != checkpoint.next_validator_set_hash;
        let roster = self.roster.as_ref().filter(|_| changes);
        roster.map(|roster| &roster.members)
    }
}

/// Where the time went, for the log.
#[derive(Clone, Copy, Default)]
struct Elapsed {
    execute: Duration,
    root: Duration,
}

/// [`Chain`] over the node's store and pool.
pub struct NodeChain {
    node: Arc<Node>,
    /// Oldest first: whoever proposes chooses digests, and must not choose what gives way.
    executed: VecDeque<(CheckpointDigest, Executed)>,
    notes: Notes,
    room: Room,
    transactions_at_tip: usize,
}

fn store_fault(operation: &'static str) -> impl FnOnce(StoreError) -> ChainError {
    move |error| ChainError::new(operation, error)
}

impl NodeChain {
    /// A chain on the tip of the node's store. It has no clock.
    pub fn new(node: Arc<Node>) -> Self {
        Self {
            room: Room::new(node.genesis.block_gas_limit),
            node,
            executed: VecDeque::new(),
            notes: Notes::default(),
            transactions_at_tip: 0,
        }
    }

    fn keep_executed(&mut self, digest: CheckpointDigest, executed: Executed) {
        if self.executed.len() >= EXECUTED_MAX {
            self.executed.pop_front();
        }
        self.executed.push_back((digest, executed));
    }

    /// Gas of the heaviest executed block that is not the decided one, once that one is taken.
    fn heaviest_late(&self) -> Option<u64> {
        let late = self.executed.iter();
        late.map(|(_, it)| it.proposed.block.header.gas_used).max()
    }

    /// The executed block of a decided digest; after a restart it is executed again. `None` if
    /// its bytes are not here.
    fn take_executed(&mut self, digest: CheckpointDigest) -> Result<Option<Executed>, ChainError> {
        let mut known = self.executed.iter();
        if let Some(index) = known.position(|(known, _)| *known == digest) {
            let executed = self.executed.remove(index);
            return Ok(executed.map(|(_, executed)| executed));
        }
        let height = self.node.tip().height.next();
        let stored = self.node.store.undecided(height, digest);
        let Some(bytes) = stored.map_err(store_fault("read a decided block"))? else {
            return Ok(None);
        };
        let proposed = self
            .decode(&bytes)
            .map_err(|error| ChainError::new("decode a decided block", error))?;
        match self.execute_block(proposed) {
            Ok(executed) => Ok(Some(executed)),
            Err(CheckError::Fault(error)) => Err(error),
            Err(CheckError::Invalid(reason)) => {
                Err(ChainError::new("execute a decided block", reason))
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<ProposedBlock, tbsi_types::BlockError> {
        let known = |hash: &B256| self.node.pooled(hash);
        ProposedBlock::decode(bytes, self.node.identity.chain_id, &known)
    }

    /// After the write: pool, subscribers, peers, metrics, log.
    fn publish(&mut self, executed: &Executed, certificate: &CommitCertificate, took: Duration) {
        let node = &self.node;
        let height = certificate.height;
        let nonces = executed
            .diff
            .accounts
            .iter()
            .filter_map(|(address, change)| Some((*address, change.account?.nonce)));
        let last = LastBlock {
            height,
            time: executed.checkpoint.time,
        };
        let included = executed.proposed.block.transactions.iter();
        let included = included.map(|transaction| transaction.hash()).collect();
        node.mempool().on_block(last, &included, nonces);
        node.announce(height);
        let metrics = &node.metrics;
        let transactions = executed.proposed.block.transactions.len();
        let gas = executed.proposed.block.header.gas_used;
        metrics.height.set(height.0);
        metrics.map_waiting.set(node.store.map_waiting());
        metrics.blocks.inc();
        metrics.transactions.inc_by(transactions as u64);
        metrics.gas.inc_by(gas);
        for denied in &executed.denied {
            metrics.transaction_denied(denial(denied));
        }
        Metrics::observe(&metrics.execute_seconds, executed.elapsed.execute);
        Metrics::observe(&metrics.root_seconds, executed.elapsed.root);
        Metrics::observe(&metrics.commit_seconds, took);
        info!(
            %height, round = %certificate.round, txs = transactions, gas,
            hash = %executed.checkpoint.block_hash,
            execute_us = micros(executed.elapsed.execute), root_us = micros(executed.elapsed.root),
            commit_us = micros(took), behind = node.peers_tip().above(height),
            "committed"
        );
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Chain for NodeChain {
    fn tip(&self) -> Height {
        self.node.tip().height
    }

    fn tip_time(&self) -> TimestampMs {
        self.node.tip().time
    }

    fn history_min(&self) -> Height {
        self.node.store.oldest_block()
    }

    fn validators(&self, height: Height) -> Result<ValidatorSet, ChainError> {
        if height == self.tip().next() {
            return Ok(self.node.roster().members.set().clone());
        }
        let members = self.node.store.members_at(height);
        let members = members.map_err(store_fault("read the validators of a height"))?;
        let unknown = || {
            let problem = format!("the validators of height {height} are not known yet");
            ChainError::new("read the validators of a height", problem)
        };
        Ok(members.ok_or_else(unknown)?.set().clone())
    }

    fn parameters(&self) -> Option<ConsensusParameters> {
        Some(self.node.rules().block.consensus)
    }

    fn validator_of_peer(&self, peer_id: &str) -> Option<Address> {
        self.node.roster().validator_of(peer_id)
    }

    fn propose(
        &mut self,
        height: Height,
        round: Round,
        now: TimestampMs,
        budget: Duration,
    ) -> Result<CheckpointDigest, ChainError> {
        if let Some(digest) = self.node.store.built(height, round) {
            return Ok(digest);
        }
        let mut executed = self.build_block(round, now, budget)?;
        let digest = executed.checkpoint.digest(&self.node.identity);
        let bytes = executed.proposed.encode();
        executed.bytes_hash = sha256(&[&bytes]);
        let stored = self.node.store.put_built(height, round, digest, &bytes);
        let first = stored.map_err(store_fault("store the block built"))?;
        if first == digest {
            self.keep_executed(digest, executed);
        }
        Ok(first)
    }

    fn check(&mut self, _height: Height, bytes: &[u8]) -> Result<Verdict, ChainError> {
        let bytes_hash = sha256(&[bytes]);
        let known = self
            .executed
            .iter()
            .find(|(_, executed)| executed.bytes_hash == bytes_hash);
        if let Some((digest, executed)) = known {
            return Ok(Verdict::Valid(Candidate {
                digest: *digest,
                time: executed.checkpoint.time,
            }));
        }
        let proposed = match self.decode(bytes) {
            Ok(proposed) => proposed,
            Err(error) => return Ok(Verdict::Malformed(causes(&error))),
        };
        let mut executed = match self.execute_block(proposed) {
            Ok(executed) => executed,
            Err(CheckError::Invalid(reason)) => return Ok(Verdict::Invalid(reason)),
            Err(CheckError::Fault(error)) => return Err(error),
        };
        executed.bytes_hash = bytes_hash;
        let candidate = Candidate {
            digest: executed.checkpoint.digest(&self.node.identity),
            time: executed.checkpoint.time,
        };
        self.keep_executed(candidate.digest, executed);
        Ok(Verdict::Valid(candidate))
    }

    fn keep(
        &mut self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), ChainError> {
        let store = &self.node.store;
        let stored = store.put_undecided(height, digest, bytes, spared);
        stored.map_err(store_fault("store a proposed block"))
    }

    fn proposal_bytes(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, ChainError> {
        self.node
            .store
            .undecided(height, digest)
            .map_err(store_fault("read a proposed block"))
    }

    fn commit(&mut self, certificate: &CommitCertificate) -> Result<Commit, ChainError> {
        let tip = self.node.tip();
        if certificate.height <= tip.height {
            self.already_committed(certificate)?;
            return Ok(Commit::Done);
        }
        let Some(mut executed) = self.take_executed(certificate.checkpoint_digest)? else {
            return Ok(Commit::Missing);
        };
        let digest = executed.checkpoint.digest(&self.node.identity);
        if digest != certificate.checkpoint_digest {
            let problem = format!("the block's digest is {digest}, the certificate's another");
            return Err(ChainError::new("commit a decided block", problem));
        }
        let roster = self.node.roster();
        let (identity, set) = (&self.node.identity, roster.members.set());
        let known = &self.node.known;
        let verified = tbsi_light::verify_certificate_known(identity, set, certificate, known);
        verified.map_err(|error| ChainError::new("verify a certificate of our own", error))?;
        let started = Instant::now();
        self.node
            .store
            .commit(CommitBlock {
                proposed: &executed.proposed,
                receipts: &executed.receipts,
                checkpoint: &executed.checkpoint,
                certificate: Some(certificate),
                update: &executed.update,
                log: &executed.log,
                next_members: executed.next_members(),
            })
            .map_err(store_fault("commit a block"))?;
        let took = started.elapsed();
        if let Some(roster) = executed.roster.take() {
            self.node.metrics.forget_validators();
            self.node.set_roster(roster);
        }
        if executed.diff.accounts.contains_key(&UPGRADES) {
            let followed = self.node.follow_upgrades();
            followed.map_err(|error| ChainError::new("read the next block's rules", error))?;
        }
        self.transactions_at_tip = executed.receipts.len();
        self.publish(&executed, certificate, took);
        self.room.on_decided(self.heaviest_late());
        self.executed.clear();
        match self.node.outdated() {
            Some(outdated) => Err(ChainError::new("stop before an upgrade", outdated)),
            None => Ok(Commit::Done),
        }
    }

    fn record_evidence(&mut self, evidence: &[Evidence]) -> Result<(), ChainError> {
        for piece in evidence {
            let new = self
                .node
                .store
                .put_evidence(piece)
                .map_err(store_fault("store evidence of equivocation"))?;
            if !new {
                continue;
            }
            let (height, round) = piece.position();
            let validator = piece.validator();
            warn!(%height, %round, %validator, operator = self.node.legal_name(validator),
                "equivocation: a validator signed two contradictory statements");
            self.node.metrics.evidence.inc();
        }
        Ok(())
    }

    fn decided(&self, height: Height) -> Result<Option<(Vec<u8>, CommitCertificate)>, ChainError> {
        let store = &self.node.store;
        let read = || -> Result<_, StoreError> {
            let (Some(bytes), Some(certificate)) =
                (store.proposed_bytes(height)?, store.certificate(height)?)
            else {
                return Ok(None);
            };
            Ok(Some((bytes, certificate)))
        };
        match read() {
            // Peers are told from where on this node has them.
            Err(StoreError::BlockPruned { .. }) => Ok(None),
            read => read.map_err(store_fault("read a committed block")),
        }
    }

    fn has_work(&self) -> bool {
        self.node.has_work()
    }

    fn transactions_at_tip(&self) -> usize {
        self.transactions_at_tip
    }

    fn peers_tip(&self) -> Height {
        self.node.peers_tip()
    }

    fn note(&mut self, note: Note) {
        self.notes.take(&self.node, note);
    }
}

impl NodeChain {
    /// The engine asks again after a crash between commit and reply: the block must be the
    /// same one.
    fn already_committed(&self, certificate: &CommitCertificate) -> Result<(), ChainError> {
        let stored = self
            .node
            .store
            .checkpoint(certificate.height)
            .map_err(store_fault("read a committed checkpoint"))?;
        let digest = stored.map(|checkpoint| checkpoint.digest(&self.node.identity));
        if digest == Some(certificate.checkpoint_digest) {
            return Ok(());
        }
        let problem = format!(
            "height {} is committed as {:?}, consensus decided {}",
            certificate.height, digest, certificate.checkpoint_digest
        );
        Err(ChainError::new("commit a decided block", problem))
    }
}
