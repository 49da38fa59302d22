//! The pool of verified transactions that no block includes yet.
//!
//! It is a plain value: no task, no lock, no clock. Its owner puts it behind a mutex, reads the
//! sender's account under the same lock as it inserts, and tells it after each block which
//! nonces changed.
//!
//! A transaction is *pending* if a block could include it now: its sender's nonces from the
//! state's up to its own are all here. Otherwise it is *queued*. TBSI has no price, so nothing
//! here is bought: senders take turns, bounds are per sender before they are for all, and what
//! can be executed gives way to nobody but a later version by its own sender (SPEC §6.9).
//!
//! Whatever leaves without being in a block leaves with a reason, which can be asked for.

mod bounds;
mod check;
mod dropped;
mod error;
pub(crate) mod journal;
#[cfg(test)]
mod model;
mod ready;
mod schedule;
mod sender;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tbsi_types::{Account, Address, B256, Transaction};

pub use bounds::MempoolLimits;
pub use dropped::{DropCounter, DropLabel, Dropped, LastBlock, RemovalReason, Slowness};
pub use error::MempoolError;
pub use ready::Ready;
pub use schedule::Intake;

use crate::limits::{ANNOUNCE_BYTES_MAX, ANNOUNCE_INTERVAL, MEMPOOL_FULL_CHECKS_MAX};
use dropped::Drops;
use schedule::Schedule;
use sender::{Entry, Sender};

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The next block may include it.
    Pending,
    /// It waits for an earlier nonce.
    Queued,
}

/// How full the pool is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MempoolCounts {
    /// Transactions that a block could include.
    pub pending: usize,
    /// Transactions that wait for an earlier nonce.
    pub queued: usize,
    /// Encoded bytes of both.
    pub bytes: usize,
}

/// One sender's transactions, or all, those of each sender in nonce order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderContent {
    /// A block could include these.
    pub pending: Vec<Arc<Transaction>>,
    /// These wait for an earlier nonce.
    pub queued: Vec<Arc<Transaction>>,
}

/// What was sent to this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Own {
    transactions: usize,
    /// Encoded.
    bytes: usize,
}

impl Own {
    fn add(&mut self, transaction: &Transaction) {
        self.transactions += 1;
        self.bytes += transaction.encoded().len();
    }

    fn remove(&mut self, transaction: &Transaction) {
        self.transactions -= 1;
        self.bytes -= transaction.encoded().len();
    }
}

/// The pool.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    last: LastBlock,
    by_hash: HashMap<B256, Arc<Transaction>>,
    senders: HashMap<Address, Sender>,
    /// Senders with pending transactions, first come first served.
    line: BTreeMap<u64, Address>,
    next_turn: u64,
    /// Senders with queued transactions.
    waiting: BTreeSet<Address>,
    pending: usize,
    bytes: usize,
    own: Own,
    /// In this round.
    full_checks_left: u32,
    schedule: Schedule,
    drops: Drops,
    /// Hash and nonce of what a sender's newer account overtook. The next block tells whether it
    /// holds them.
    overtaken: Vec<(B256, u64)>,
}

impl Mempool {
    /// An empty pool of a chain whose last block is `last`. Drops are counted in `counter`.
    pub fn new(limits: MempoolLimits, last: LastBlock, counter: DropCounter) -> Self {
        Self {
            limits,
            last,
            by_hash: HashMap::new(),
            senders: HashMap::new(),
            line: BTreeMap::new(),
            next_turn: 0,
            waiting: BTreeSet::new(),
            pending: 0,
            bytes: 0,
            own: Own::default(),
            full_checks_left: MEMPOOL_FULL_CHECKS_MAX,
            schedule: Schedule::default(),
            drops: Drops::new(limits.dropped_max, counter),
            overtaken: Vec::new(),
        }
    }

    /// Takes a transaction of a sender whose account is `account` after the last block.
    pub fn insert(
        &mut self,
        transaction: Arc<Transaction>,
        account: &Account,
        intake: Intake,
    ) -> Result<Inserted, MempoolError> {
        let address = transaction.sender();
        // The account may be newer than the last block that the pool was told of.
        let overtaken = self.update(address, |sender| sender.advance(account.nonce));
        let overtaken = overtaken.iter().map(Entry::hash_and_nonce);
        self.overtaken.extend(overtaken);
        let (hash, nonce) = (transaction.hash(), transaction.nonce());
        let leaving = self.check(&transaction, account, intake)?;
        for displaced in &leaving.displaced {
            self.displace(displaced);
        }
        self.bytes += transaction.encoded().len();
        self.by_hash.insert(hash, Arc::clone(&transaction));
        self.schedule.add(hash, intake);
        if intake == Intake::Own {
            self.own.add(&transaction);
        }
        self.drops.forget(&hash);
        let tip = self.last.height;
        self.senders
            .entry(address)
            .or_insert_with(|| Sender::new(account.nonce));
        self.update(address, |sender| sender.insert(transaction, tip));
        if let Some(replaced) = leaving.replaced {
            self.note_drop(replaced, RemovalReason::Replaced { by: hash });
        }
        Ok(self.place(address, nonce))
    }

    /// A client sent a transaction that is here already: it is told to peers again in the next
    /// round. Returns whether it is this node's own only from now on.
    pub fn claim(&mut self, hash: &B256) -> bool {
        let is_new = self.schedule.claim(hash);
        if is_new {
            self.own.add(&self.by_hash[hash]);
        }
        is_new
    }

    /// Takes note of the block at `last`, which holds `included`: `nonces` are the accounts
    /// whose nonce it changed (its senders and EIP-7702 authorities; others do no harm) with
    /// their nonce after it. Included and stale transactions leave, and so do those that were
    /// queued for too long.
    pub fn on_block(
        &mut self,
        last: LastBlock,
        included: &HashSet<B256>,
        nonces: impl IntoIterator<Item = (Address, u64)>,
    ) {
        self.last = last;
        let mut gone = std::mem::take(&mut self.overtaken);
        for (address, nonce) in nonces {
            let stale = self.update(address, |sender| sender.advance(nonce));
            gone.extend(stale.iter().map(Entry::hash_and_nonce));
        }
        for (hash, nonce) in gone {
            if !included.contains(&hash) {
                self.note_drop(hash, RemovalReason::NonceUsed { nonce });
            }
        }
        let waiting: Vec<Address> = self.waiting.iter().copied().collect();
        let blocks = self.limits.queued_blocks_max;
        for address in waiting {
            let missing = self.pending_nonce(address).unwrap_or_default();
            for entry in self.update(address, |sender| sender.expire(last.height, blocks)) {
                let (hash, _) = entry.hash_and_nonce();
                self.note_drop(hash, RemovalReason::Gap { missing, blocks });
            }
        }
    }

    /// Drops a transaction; the sender's later ones are queued again.
    pub fn remove(&mut self, hash: &B256, reason: RemovalReason) -> Option<Arc<Transaction>> {
        let transaction = self.by_hash.get(hash).map(Arc::clone)?;
        let tip = self.last.height;
        self.update(transaction.sender(), |sender| {
            sender.remove(transaction.nonce(), tip)
        });
        self.note_drop(*hash, reason);
        Some(transaction)
    }

    /// Drops what gave its place to another that waits.
    fn displace(&mut self, hash: &B256) {
        let sender = self.by_hash[hash].sender();
        let missing = self.pending_nonce(sender).unwrap_or_default();
        self.remove(hash, RemovalReason::Displaced { missing });
    }

    /// Remembers why a transaction that was taken once is not here.
    pub fn note_drop(&mut self, hash: B256, reason: RemovalReason) {
        self.drops.note(hash, reason, self.last);
    }

    /// Begins a round: drops what no block took for too long, and returns what is to be told to
    /// peers again, at most [`ANNOUNCE_BYTES_MAX`] or one transaction.
    pub fn begin_round(&mut self) -> Vec<Arc<Transaction>> {
        self.schedule.begin_round();
        self.full_checks_left = MEMPOOL_FULL_CHECKS_MAX;
        let mut due: Vec<Arc<Transaction>> = Vec::new();
        let mut left = ANNOUNCE_BYTES_MAX;
        while let Some(turn) = self.schedule.first_due() {
            if turn.age >= self.limits.rounds_max {
                let seconds = turn.age.saturating_mul(ANNOUNCE_INTERVAL.as_secs());
                let removed = self.remove(&turn.hash, RemovalReason::Expired { seconds });
                assert!(removed.is_some(), "only pooled transactions are scheduled");
                continue;
            }
            let transaction = Arc::clone(&self.by_hash[&turn.hash]);
            let bytes = transaction.encoded().len();
            if bytes > left && !due.is_empty() {
                break;
            }
            left = left.saturating_sub(bytes);
            self.schedule.postpone(&turn.hash);
            due.push(transaction);
        }
        due
    }

    /// Lets `change` work on one sender, if it is known, and brings indexes and counters in
    /// line with what it left and what it returns as removed. Why that left is for the caller
    /// to say.
    fn update(
        &mut self,
        address: Address,
        change: impl FnOnce(&mut Sender) -> Vec<Entry>,
    ) -> Vec<Entry> {
        let Some(sender) = self.senders.get_mut(&address) else {
            return Vec::new();
        };
        let (pending_before, turn_before) = (sender.pending, sender.turn);
        let removed = change(sender);
        for entry in &removed {
            let (hash, _) = entry.hash_and_nonce();
            self.bytes -= entry.transaction.encoded().len();
            self.by_hash.remove(&hash);
            if self.schedule.remove(&hash) == Some(Intake::Own) {
                self.own.remove(&entry.transaction);
            }
        }
        self.pending = self.pending - pending_before + sender.pending;
        if sender.pending == 0 {
            sender.turn = None;
        } else if sender.turn.is_none() {
            sender.turn = Some(self.next_turn);
            self.next_turn += 1;
        }
        if sender.turn != turn_before {
            if let Some(turn) = turn_before {
                self.line.remove(&turn);
            }
            if let Some(turn) = sender.turn {
                self.line.insert(turn, address);
            }
        }
        if sender.queued() > 0 {
            self.waiting.insert(address);
        } else {
            self.waiting.remove(&address);
        }
        if sender.transactions.is_empty() {
            self.senders.remove(&address);
        }
        removed
    }

    /// Pending transactions in the order a block should take them: senders in turn, one
    /// transaction each, until none is left; a sender's own in nonce order. Nothing is copied.
    pub fn ready(&self) -> Ready<'_> {
        Ready {
            senders: &self.senders,
            line: self.line.values(),
            later: VecDeque::new(),
        }
    }

    /// Whether the next block could include the transaction of `sender` with this nonce.
    fn place(&self, sender: Address, nonce: u64) -> Inserted {
        if nonce < self.pending_nonce(sender).unwrap_or_default() {
            Inserted::Pending
        } else {
            Inserted::Queued
        }
    }

    /// Where a transaction is that is here.
    pub fn find(&self, hash: &B256) -> Option<Inserted> {
        let transaction = self.by_hash.get(hash)?;
        Some(self.place(transaction.sender(), transaction.nonce()))
    }

    /// Why a transaction left, as far as that is remembered.
    pub fn dropped(&self, hash: &B256) -> Option<&Dropped> {
        self.drops.get(hash)
    }

    /// What was sent to this node itself, each sender's in nonce order.
    pub fn own(&self) -> Vec<Arc<Transaction>> {
        let all = self
            .senders
            .values()
            .flat_map(|it| it.transactions.values());
        let own = all.filter(|entry| self.schedule.is_own(&entry.transaction.hash()));
        own.map(|entry| Arc::clone(&entry.transaction)).collect()
    }

    /// The transaction with this hash.
    pub fn get(&self, hash: &B256) -> Option<Arc<Transaction>> {
        self.by_hash.get(hash).map(Arc::clone)
    }

    /// The nonce that this sender should use next; `None` if nothing of it is here, so that the
    /// account's nonce is the answer.
    pub fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.senders.get(&sender).map(Sender::next_nonce)
    }

    /// How full the pool is.
    pub fn counts(&self) -> MempoolCounts {
        MempoolCounts {
            pending: self.pending,
            queued: self.by_hash.len() - self.pending,
            bytes: self.bytes,
        }
    }

    /// What the pool holds of one sender: at most [`MempoolLimits::per_sender_max`].
    pub fn content(&self, sender: Address) -> SenderContent {
        let Some(sender) = self.senders.get(&sender) else {
            return SenderContent::default();
        };
        let all = || sender.transactions.values().map(|e| &e.transaction);
        SenderContent {
            pending: all().take(sender.pending).cloned().collect(),
            queued: all().skip(sender.pending).cloned().collect(),
        }
    }

    /// All that the pool holds.
    pub fn contents(&self) -> SenderContent {
        let queued = self
            .waiting
            .iter()
            .flat_map(|address| self.queued_of(address));
        SenderContent {
            pending: self.ready().cloned().collect(),
            queued: queued.cloned().collect(),
        }
    }

    /// How many transactions the pool may hold.
    pub fn capacity(&self) -> usize {
        self.limits.transactions_max
    }

    fn queued_of(&self, address: &Address) -> impl Iterator<Item = &Arc<Transaction>> {
        let sender: &Sender = &self.senders[address];
        let queued = sender.transactions.values().skip(sender.pending);
        queued.map(|entry| &entry.transaction)
    }

    /// Transactions for a peer that has none: pending ones in the order of [`Mempool::ready`],
    /// then queued ones, as many as `bytes_max` encoded bytes hold.
    pub fn all(&self, bytes_max: usize) -> Vec<Arc<Transaction>> {
        let queued = self
            .waiting
            .iter()
            .flat_map(|address| self.queued_of(address));
        let mut left = bytes_max;
        self.ready()
            .chain(queued)
            .map_while(|transaction| {
                left = left.checked_sub(transaction.encoded().len())?;
                Some(Arc::clone(transaction))
            })
            .collect()
    }
}
