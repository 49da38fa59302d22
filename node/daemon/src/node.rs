//! What the node's tasks share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use alloy_primitives::keccak256;
use tbsi_engine::{NetworkMonitor, Progress};
use tbsi_execution::{BlockContext, ExecutionError, Inadmissible};
use tbsi_governance::standing::Denied;
use tbsi_light::KnownSignatures;
use tbsi_store::{Store, StoreError, Tip};
use tbsi_types::log::NoteVerifier;
use tbsi_types::{
    Account, Address, B256, ChainIdentity, Genesis, Height, Roster, StateView, TimestampMs,
    Transaction, TransactionError, ViewError,
};
use tokio::sync::{Notify, broadcast, watch};

use crate::clock::wall_clock;
use crate::cosign::{CosignaturePool, PostQuantumPool};
use crate::expiry;
use crate::gossip::GossipHandle;
use crate::limits::{HEADS_MAX, POOL_ANNOUNCEMENTS_MAX};
use crate::mempool::journal::Journal;
use crate::mempool::{Intake, LastBlock, Mempool, MempoolError, MempoolLimits};
use crate::metrics::Metrics;
use crate::rules::NextRules;

/// An error with its causes, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Why a transaction did not enter the pool.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// Malformed, wrongly signed or of another chain.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// No block could execute it.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
    /// The sender lacks a permission, or its organisation's quota is used up.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The pool has no place for it.
    #[error(transparent)]
    Pool(#[from] MempoolError),
    /// This node's fault.
    #[error("read the sender's account")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AdmissionError {
    /// A stable word for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transaction(_) => "invalid",
            Self::Inadmissible(refusal) => refusal.kind,
            Self::Denied(denied) => denial(denied),
            Self::Pool(error) => error.kind(),
            Self::State(_) => "internal",
        }
    }
}

/// What a sender lacked, in a stable word for metrics.
pub(crate) fn denial(denied: &Denied) -> &'static str {
    match denied {
        Denied::Quota { .. } => "quota",
        Denied::Permission { .. } | Denied::Suspended { .. } => "permission",
    }
}

/// Shared by all tasks of a node.
pub struct Node {
    /// The founding document.
    pub genesis: Genesis,
    /// Chain id and genesis hash.
    pub identity: ChainIdentity,
    /// This node's name in genesis.
    pub name: String,
    /// The validator key's address, if this node validates.
    pub validator: Option<Address>,
    /// The highest protocol version that this node takes part in.
    pub protocol: u32,
    /// Blocks and state.
    pub store: Store,
    /// Counters and gauges.
    pub metrics: Metrics,
    /// Ends the wait of an idle chain.
    pub wake: Arc<Notify>,
    /// Whether consensus knows, or will hear, that transactions wait.
    work_told: AtomicBool,
    /// Transactions and tips between nodes.
    pub gossip: GossipHandle,
    /// Signatures that consensus found good.
    pub(crate) known: Arc<KnownSignatures>,
    /// Where consensus stands; set when it starts.
    pub progress: OnceLock<watch::Receiver<Progress>>,
    /// Sees the network of consensus; set when it starts.
    pub consensus_network: OnceLock<NetworkMonitor>,
    /// Last second at which the certificates of its time-stamping authority are valid; set when
    /// it starts, if it is one.
    pub(crate) tsa_until: OnceLock<u64>,
    heads: broadcast::Sender<Height>,
    pooled: broadcast::Sender<B256>,
    roster: watch::Sender<Arc<Roster>>,
    rules: watch::Sender<Arc<NextRules>>,
    mempool: Mutex<Mempool>,
    /// What keeps this node's own transactions over a restart, once it is open.
    pub(crate) journal: Mutex<Option<Journal>>,
    /// All that waits is to be told to peers in the next round.
    pub(crate) tell_all: AtomicBool,
    cosignatures: Mutex<CosignaturePool>,
    post_quantum: Mutex<PostQuantumPool>,
}

/// What a [`Node`] is made of.
pub struct NodeParts {
    /// The founding document.
    pub genesis: Genesis,
    /// Who decides the block after the tip, and who may connect.
    pub roster: Roster,
    /// This node's name in genesis.
    pub name: String,
    /// The validator key's address.
    pub validator: Option<Address>,
    /// The highest protocol version that this node takes part in: that of the program.
    pub protocol: u32,
    /// What the block after the tip obeys.
    pub rules: NextRules,
    /// Blocks and state, at least genesis.
    pub store: Store,
    /// Bounds of the pool.
    pub mempool: MempoolLimits,
    /// The gossip network.
    pub gossip: GossipHandle,
    /// Keys of outside witnesses of the log.
    pub witnesses: Vec<NoteVerifier>,
    /// Shared with consensus.
    pub known: Arc<KnownSignatures>,
}

impl Node {
    /// Puts the parts together.
    pub fn new(parts: NodeParts) -> Self {
        let last = parts.store.tip().map(|tip| LastBlock {
            height: tip.height,
            time: tip.time,
        });
        let metrics = Metrics::default();
        let drops = metrics.transactions_dropped.clone();
        let mempool = Mempool::new(parts.mempool, last.unwrap_or_default(), drops);
        let identity = parts.genesis.identity();
        let cosignatures = CosignaturePool::new(identity.log_origin(), parts.witnesses);
        let post_quantum = PostQuantumPool::new(identity.log_origin());
        let node = Self {
            identity,
            genesis: parts.genesis,
            name: parts.name,
            validator: parts.validator,
            protocol: parts.protocol,
            store: parts.store,
            metrics,
            wake: Arc::new(Notify::new()),
            work_told: AtomicBool::new(false),
            gossip: parts.gossip,
            known: parts.known,
            progress: OnceLock::new(),
            consensus_network: OnceLock::new(),
            tsa_until: OnceLock::new(),
            heads: broadcast::channel(HEADS_MAX).0,
            pooled: broadcast::channel(POOL_ANNOUNCEMENTS_MAX).0,
            roster: watch::Sender::new(Arc::new(parts.roster)),
            rules: watch::Sender::new(Arc::new(parts.rules)),
            mempool: Mutex::new(mempool),
            journal: Mutex::new(None),
            tell_all: AtomicBool::new(false),
            cosignatures: Mutex::new(cosignatures),
            post_quantum: Mutex::new(post_quantum),
        };
        node.follow_cosigners(&node.roster());
        node
    }

    /// The last committed block.
    pub fn tip(&self) -> Tip {
        self.store
            .tip()
            .expect("a node starts with a committed genesis block")
    }

    /// The environment of a block on the tip.
    pub(crate) fn next_block_context(
        &self,
        time: TimestampMs,
        beneficiary: Address,
    ) -> BlockContext {
        let tip = self.tip();
        BlockContext {
            chain_id: self.identity.chain_id,
            genesis_hash: self.identity.genesis_hash,
            height: tip.height.next(),
            time,
            beneficiary,
            gas_limit: self.rules().block.gas_limit,
            parent_hash: tip.block_hash,
        }
    }

    /// What the block after the tip obeys.
    pub fn rules(&self) -> Arc<NextRules> {
        self.rules.borrow().clone()
    }

    /// Takes over what a committed block says.
    pub(crate) fn set_rules(&self, rules: NextRules) {
        self.rules.send_replace(Arc::new(rules));
    }

    /// Who decides the block after the tip, and who may connect.
    pub fn roster(&self) -> Arc<Roster> {
        self.roster.borrow().clone()
    }

    /// Sees each new roster.
    pub fn watch_roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    /// Takes over what a committed block says.
    pub(crate) fn set_roster(&self, roster: Roster) {
        self.follow_cosigners(&roster);
        self.roster.send_replace(Arc::new(roster));
    }

    fn follow_cosigners(&self, roster: &Roster) {
        let cosigners = roster.cosigners(&self.identity);
        let total_power = roster.members.set().total_power().0;
        self.cosignatures().follow(cosigners, total_power.into());
        let post_quantum = roster.post_quantum_cosigners(&self.identity);
        self.post_quantum().follow(post_quantum);
    }

    /// Takes over what the contracts say of peers now: it may depend on the time (the old key of
    /// a node that rotates its own is admitted for a while). The validators stay as they are.
    pub(crate) fn refresh_peers(&self) -> Result<(), ExecutionError> {
        let tip = self.tip();
        let context = self.next_block_context(wall_clock().max(tip.time.next()), Address::ZERO);
        let Ok(state) = self.store.state_at(tip.height) else {
            return Ok(());
        };
        let Some(peers) = tbsi_execution::peers(&state, &context)? else {
            return Ok(());
        };
        self.roster.send_if_modified(|roster| {
            // A block may have been committed meanwhile: what it says is newer.
            let Some(now) = roster.after(None, Some(peers)) else {
                return false;
            };
            let changed = self.tip().height == tip.height && roster.peers != now.peers;
            if changed {
                self.follow_cosigners(&now);
                *roster = Arc::new(now);
            }
            changed
        });
        Ok(())
    }

    /// The pool. A panic of another holder leaves plain data behind.
    pub fn mempool(&self) -> MutexGuard<'_, Mempool> {
        self.mempool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cosignatures of the log. A panic of another holder leaves plain data behind.
    pub(crate) fn cosignatures(&self) -> MutexGuard<'_, CosignaturePool> {
        let pool = self.cosignatures.lock();
        pool.unwrap_or_else(PoisonError::into_inner)
    }

    /// Post-quantum cosignatures of the log. A panic of another holder leaves plain data behind.
    pub(crate) fn post_quantum(&self) -> MutexGuard<'_, PostQuantumPool> {
        let pool = self.post_quantum.lock();
        pool.unwrap_or_else(PoisonError::into_inner)
    }

    /// New heights, after they are stored.
    pub fn heads(&self) -> broadcast::Receiver<Height> {
        self.heads.subscribe()
    }

    /// Transactions that the pool takes, by hash.
    pub fn pool_announcements(&self) -> broadcast::Receiver<B256> {
        self.pooled.subscribe()
    }

    /// Tells whoever listens that `height` is stored.
    pub fn announce(&self, height: Height) {
        // Nobody listening is no error.
        let _listeners = self.heads.send(height);
        self.gossip.announce_tip(height);
    }

    /// The highest tip of others that is more than a peer's word: validators with more than a
    /// third of the power say that they have it, or a certificate for it was verified.
    pub fn peers_tip(&self) -> Height {
        let roster = self.roster();
        let believed = self.gossip.believed_tip(&roster).unwrap_or_default();
        let next = self.tip().height.next();
        let network = self.consensus_network.get();
        let proven = network.map(|network| network.proven_tip(next, roster.members.set()));
        believed.max(proven.unwrap_or_default())
    }

    /// A peer announced a tip: what is believed of them may end an idle wait.
    pub fn note_peer_tip(&self) {
        if self.peers_tip() > self.tip().height {
            self.wake.notify_one();
        }
    }

    /// Whether there is something to put in a block. While it is so, further transactions wake
    /// nobody.
    pub fn has_work(&self) -> bool {
        // Before the look at the pool: whatever comes in between wakes consensus.
        self.work_told.store(false, Ordering::Release);
        let work = self.mempool().counts().pending > 0 || self.store.is_map_crowded();
        if work {
            self.work_told.store(true, Ordering::Release);
        }
        work
    }

    /// That the time-stamping authority's certificates end soon, if they do.
    pub(crate) fn tsa_warning(&self, now: TimestampMs) -> Option<String> {
        expiry::warning(*self.tsa_until.get()?, now)
    }

    /// Verifies a transaction that a peer passed on, and puts it into the pool.
    pub fn insert(&self, encoded: &[u8]) -> Result<Arc<Transaction>, AdmissionError> {
        self.insert_as(encoded, Intake::Gossiped)
    }

    /// Verifies a transaction and puts it into the pool. A refusal is counted.
    pub(crate) fn insert_as(
        &self,
        encoded: &[u8],
        intake: Intake,
    ) -> Result<Arc<Transaction>, AdmissionError> {
        let outcome = self.try_insert(encoded, intake);
        match &outcome {
            Ok(transaction) => {
                self.metrics.transactions_accepted.inc();
                if !self.work_told.swap(true, Ordering::AcqRel) {
                    self.wake.notify_one();
                }
                // Nobody listening is no error.
                let _listeners = self.pooled.send(transaction.hash());
            }
            Err(error) => self.metrics.transaction_refused(error.kind()),
        }
        outcome
    }

    fn try_insert(
        &self,
        encoded: &[u8],
        intake: Intake,
    ) -> Result<Arc<Transaction>, AdmissionError> {
        let hash = keccak256(encoded);
        let mut mempool = self.mempool();
        mempool.check_new(&hash)?;
        mempool.look(encoded.len(), intake)?;
        drop(mempool);
        let transaction = Transaction::parse_and_verify(encoded, self.identity.chain_id)?;
        let transaction = Arc::new(transaction);
        self.admission(&transaction)?;
        // The account is read under the pool's lock, so that no block can pass between.
        let mut mempool = self.mempool();
        let account = self
            .account_at_tip(transaction.sender())
            .map_err(|error| AdmissionError::State(Box::new(error)))?;
        mempool.insert(Arc::clone(&transaction), &account, intake)?;
        Ok(transaction)
    }

    /// What the next block would say before it executes a transaction whose nonce is due, as the
    /// tip's state has it: shape, gas, the sender's account, permissions and quotas.
    pub(crate) fn admission(&self, transaction: &Transaction) -> Result<(), AdmissionError> {
        let time = wall_clock().max(self.tip().time.next());
        let context = self.next_block_context(time, Address::ZERO);
        let read = || -> Result<_, ReadError> {
            let state = self.store.state_at(self.tip().height)?;
            let admissible = tbsi_execution::admissible(&state, &context, transaction)?;
            let admitted = tbsi_execution::admission(&state, time.seconds(), transaction)?;
            Ok((admissible, admitted))
        };
        let (admissible, admitted) =
            read().map_err(|error| AdmissionError::State(Box::new(error)))?;
        admissible?;
        Ok(admitted?)
    }

    fn account_at_tip(&self, address: Address) -> Result<Account, ReadError> {
        let state = self.store.state_at(self.tip().height)?;
        Ok(state.account(address)?.unwrap_or_default())
    }

    /// Whether the pool holds a transaction with this hash.
    pub fn pooled(&self, hash: &B256) -> Option<Arc<Transaction>> {
        self.mempool().get(hash)
    }

    /// The operator's legal names of a validator, Traditional Chinese first where there is one.
    pub fn legal_name(&self, validator: Address) -> String {
        let roster = self.roster();
        match roster.members.get(&validator) {
            Some(member) if member.name_zh_tw.is_empty() => {
                format!("{} ({})", member.name_en, member.node)
            }
            Some(member) => format!(
                "{} / {} ({})",
                member.name_zh_tw, member.name_en, member.node
            ),
            None => validator.to_string(),
        }
    }

    /// Validators that do not vote in the round that runs, nor did in the one before.
    pub fn missing_validators(&self) -> Vec<Address> {
        let Some(progress) = self.progress.get() else {
            return Vec::new();
        };
        let progress = progress.borrow();
        if !progress.running {
            return Vec::new();
        }
        let roster = self.roster();
        let validators = roster.members.set().iter();
        let addresses = validators.map(|validator| validator.address);
        addresses
            .filter(|address| !progress.takes_part(address))
            .collect()
    }

    /// What a height that stands still waits for: whose votes, by legal names, or else what was
    /// wrong with the last proposal.
    pub(crate) fn standstill(&self, progress: &Progress) -> String {
        let missing = self.missing_validators();
        if !missing.is_empty() {
            let names = missing.iter().map(|address| self.legal_name(*address));
            return format!(
                "waiting for votes of {}",
                names.collect::<Vec<_>>().join("; ")
            );
        }
        match &progress.refused {
            Some(reason) => format!("all vote, and not for the last proposal: {reason}"),
            None => format!(
                "all vote, and no proposal came in time; it is the turn of {}",
                self.legal_name(progress.proposer)
            ),
        }
    }
}

/// A read of the tip's state failed.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    View(#[from] ViewError),
}
