//! The pool of verified transactions that no block includes yet.
//!
//! It is a plain value: no task, no lock, no clock. Its owner puts it behind a mutex, reads the
//! sender's account under the same lock as it inserts, and tells it after each block which
//! nonces changed.
//!
//! A transaction is *pending* if a block could include it now: its sender's nonces from the
//! state's up to its own are all here. Otherwise it is *queued*. TBSI has no price, so nothing
//! here is bought: a nonce that is taken stays taken, senders take turns, and bounds are per
//! sender before they are for all.

mod error;
#[cfg(test)]
mod model;
mod sender;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::btree_map::{self, BTreeMap};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use alloy_consensus::Transaction as _;
use tbsi_types::{Account, Address, B256, Height, Transaction};

pub use error::MempoolError;

use crate::limits::{
    MEMPOOL_BYTES_MAX, MEMPOOL_NONCE_GAP_MAX, MEMPOOL_PER_SENDER_MAX, MEMPOOL_QUEUED_BLOCKS_MAX,
    MEMPOOL_QUEUED_MAX, MEMPOOL_TRANSACTIONS_MAX,
};
use sender::{Entry, PendingOfSender, Sender};

/// What the pool may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Transactions, pending and queued.
    pub transactions_max: usize,
    /// Encoded bytes of all transactions; from half of it on, only pending ones are taken.
    pub bytes_max: usize,
    /// Transactions of one sender.
    pub per_sender_max: usize,
    /// Nonces that may be missing before a transaction.
    pub nonce_gap_max: u64,
    /// Queued transactions; at this many, only pending ones are taken.
    pub queued_max: usize,
    /// Blocks that a transaction may stay queued.
    pub queued_blocks_max: u64,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: MEMPOOL_TRANSACTIONS_MAX,
            bytes_max: MEMPOOL_BYTES_MAX,
            per_sender_max: MEMPOOL_PER_SENDER_MAX,
            nonce_gap_max: MEMPOOL_NONCE_GAP_MAX,
            queued_max: MEMPOOL_QUEUED_MAX,
            queued_blocks_max: MEMPOOL_QUEUED_BLOCKS_MAX,
        }
    }
}

/// Where a transaction went.
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

/// One sender's transactions, in nonce order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderContent {
    /// A block could include these.
    pub pending: Vec<Arc<Transaction>>,
    /// These wait for an earlier nonce.
    pub queued: Vec<Arc<Transaction>>,
}

/// The pool.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    tip: Height,
    by_hash: HashMap<B256, Arc<Transaction>>,
    senders: HashMap<Address, Sender>,
    /// Senders with pending transactions, first come first served.
    line: BTreeMap<u64, Address>,
    next_turn: u64,
    /// Senders with queued transactions.
    waiting: BTreeSet<Address>,
    pending: usize,
    bytes: usize,
}

impl Mempool {
    /// An empty pool of a chain whose last block is `tip`.
    pub fn new(limits: MempoolLimits, tip: Height) -> Self {
        Self {
            limits,
            tip,
            by_hash: HashMap::new(),
            senders: HashMap::new(),
            line: BTreeMap::new(),
            next_turn: 0,
            waiting: BTreeSet::new(),
            pending: 0,
            bytes: 0,
        }
    }

    /// Takes a transaction of a sender whose account is `account` after the last block.
    pub fn insert(
        &mut self,
        transaction: Arc<Transaction>,
        account: &Account,
    ) -> Result<Inserted, MempoolError> {
        let address = transaction.sender();
        // The account may be newer than the last block that the pool was told of.
        self.update(address, |sender| sender.advance(account.nonce));
        self.check(&transaction, account)?;
        self.bytes += transaction.encoded().len();
        self.by_hash
            .insert(transaction.hash(), Arc::clone(&transaction));
        let tip = self.tip;
        let nonce = transaction.nonce();
        self.senders
            .entry(address)
            .or_insert_with(|| Sender::new(account.nonce));
        self.update(address, |sender| {
            sender.insert(transaction, tip);
            Vec::new()
        });
        if nonce < self.pending_nonce(address).unwrap_or_default() {
            Ok(Inserted::Pending)
        } else {
            Ok(Inserted::Queued)
        }
    }

    fn check(&self, transaction: &Transaction, account: &Account) -> Result<(), MempoolError> {
        if self.by_hash.contains_key(&transaction.hash()) {
            return Err(MempoolError::AlreadyKnown);
        }
        let known = self.senders.get(&transaction.sender());
        let (sender, nonce) = (transaction.sender(), transaction.nonce());
        let state = known.map_or(account.nonce, |known| known.nonce);
        if nonce < state {
            return Err(MempoolError::NonceTooLow {
                sender,
                nonce,
                state,
            });
        }
        let want = transaction.envelope().value();
        if want > account.balance {
            return Err(MempoolError::InsufficientFunds {
                sender,
                have: account.balance,
                want,
            });
        }
        if let Some(taken) = known.and_then(|known| known.transactions.get(&nonce)) {
            return Err(MempoolError::Replacement {
                sender,
                nonce,
                by: taken.transaction.hash(),
            });
        }
        self.check_room(transaction, known, state)
    }

    /// Bounds, the sender's own before everybody's.
    fn check_room(
        &self,
        transaction: &Transaction,
        known: Option<&Sender>,
        state: u64,
    ) -> Result<(), MempoolError> {
        let (sender, nonce) = (transaction.sender(), transaction.nonce());
        let next = known.map_or(state, Sender::next_nonce);
        let limits = &self.limits;
        if nonce.saturating_sub(next) > limits.nonce_gap_max {
            return Err(MempoolError::NonceTooHigh {
                sender,
                nonce,
                state,
                next,
                limit: limits.nonce_gap_max,
            });
        }
        if known.map_or(0, |known| known.transactions.len()) >= limits.per_sender_max {
            return Err(MempoolError::SenderFull {
                sender,
                limit: limits.per_sender_max,
            });
        }
        let bytes_after = self.bytes.saturating_add(transaction.encoded().len());
        if self.by_hash.len() >= limits.transactions_max || bytes_after > limits.bytes_max {
            return Err(MempoolError::Full {
                transactions: self.by_hash.len(),
                transactions_max: limits.transactions_max,
                bytes: self.bytes,
                bytes_max: limits.bytes_max,
            });
        }
        if nonce > next {
            self.check_queue(sender, next, bytes_after)?;
        }
        Ok(())
    }

    /// Queued transactions may stay for long, and cost their senders nothing: they must leave
    /// room for pending ones.
    fn check_queue(
        &self,
        sender: Address,
        next: u64,
        bytes_after: usize,
    ) -> Result<(), MempoolError> {
        let queued = self.counts().queued;
        if queued >= self.limits.queued_max {
            return Err(MempoolError::QueueFull {
                sender,
                next,
                queued,
                limit: self.limits.queued_max,
            });
        }
        let limit = self.limits.bytes_max / 2;
        if bytes_after > limit {
            return Err(MempoolError::QueueBytesFull {
                sender,
                next,
                bytes: self.bytes,
                limit,
            });
        }
        Ok(())
    }

    /// Takes note of the block at `tip`: `nonces` are the accounts whose nonce it changed (its
    /// senders and EIP-7702 authorities; others do no harm) with their nonce after it. Included
    /// and stale transactions leave, and so do those that were queued for too long.
    pub fn on_block(&mut self, tip: Height, nonces: impl IntoIterator<Item = (Address, u64)>) {
        self.tip = tip;
        for (address, nonce) in nonces {
            self.update(address, |sender| sender.advance(nonce));
        }
        let waiting: Vec<Address> = self.waiting.iter().copied().collect();
        let blocks_max = self.limits.queued_blocks_max;
        for address in waiting {
            self.update(address, |sender| sender.expire(tip, blocks_max));
        }
    }

    /// Drops a transaction that can never be executed; the sender's later ones are queued again.
    pub fn remove_invalid(&mut self, hash: &B256) -> Option<Arc<Transaction>> {
        let transaction = self.by_hash.get(hash).map(Arc::clone)?;
        let tip = self.tip;
        self.update(transaction.sender(), |sender| {
            sender.remove(transaction.nonce(), tip)
        });
        Some(transaction)
    }

    /// Lets `change` work on one sender, if it is known, and brings indexes and counters in
    /// line with what it left and what it returns as removed.
    fn update(&mut self, address: Address, change: impl FnOnce(&mut Sender) -> Vec<Entry>) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let (pending_before, turn_before) = (sender.pending, sender.turn);
        for removed in change(sender) {
            self.bytes -= removed.transaction.encoded().len();
            self.by_hash.remove(&removed.transaction.hash());
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

    /// Transactions for a peer that has none: pending ones in the order of [`Mempool::ready`],
    /// then queued ones, as many as `bytes_max` encoded bytes hold.
    pub fn all(&self, bytes_max: usize) -> Vec<Arc<Transaction>> {
        let queued = |address| {
            let sender: &Sender = &self.senders[address];
            sender.transactions.values().skip(sender.pending)
        };
        let queued = self.waiting.iter().flat_map(queued);
        let mut left = bytes_max;
        self.ready()
            .chain(queued.map(|entry| &entry.transaction))
            .map_while(|transaction| {
                left = left.checked_sub(transaction.encoded().len())?;
                Some(Arc::clone(transaction))
            })
            .collect()
    }
}

/// Iterator of [`Mempool::ready`].
#[derive(Debug)]
pub struct Ready<'a> {
    senders: &'a HashMap<Address, Sender>,
    /// Senders that had no turn yet.
    line: btree_map::Values<'a, u64, Address>,
    /// Senders that had one, and have more.
    later: VecDeque<PendingOfSender<'a>>,
}

impl<'a> Iterator for Ready<'a> {
    type Item = &'a Arc<Transaction>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut of_sender = match self.line.next() {
            Some(address) => self.senders[address].pending_iter(),
            None => self.later.pop_front()?,
        };
        let entry = of_sender.next()?;
        if of_sender.len() > 0 {
            self.later.push_back(of_sender);
        }
        Some(&entry.transaction)
    }
}
