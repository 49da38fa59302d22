//! The transactions of one sender.

use std::collections::btree_map::{self, BTreeMap};
use std::iter::Take;
use std::sync::Arc;

use tbsi_types::{B256, Height, Transaction};

/// A transaction in the pool.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) transaction: Arc<Transaction>,
    /// Tip when it began to wait; means nothing while it is pending.
    queued_at: Height,
}

impl Entry {
    pub(super) fn hash_and_nonce(&self) -> (B256, u64) {
        (self.transaction.hash(), self.transaction.nonce())
    }

    /// Blocks for which it has waited.
    pub(super) fn waited(&self, now: Height) -> u64 {
        now.above(self.queued_at)
    }
}

/// Transactions of one sender by nonce, none below `nonce`.
#[derive(Debug)]
pub(super) struct Sender {
    /// The account's, as far as the pool was told.
    pub(super) nonce: u64,
    pub(super) transactions: BTreeMap<u64, Entry>,
    /// How many from `nonce` on have no gap: the pending ones.
    pub(super) pending: usize,
    /// Place in the line of senders with pending transactions.
    pub(super) turn: Option<u64>,
}

impl Sender {
    pub(super) fn new(nonce: u64) -> Self {
        Self {
            nonce,
            transactions: BTreeMap::new(),
            pending: 0,
            turn: None,
        }
    }

    /// The first nonce that is missing. A transaction's nonce is below 2^64 - 1.
    pub(super) fn next_nonce(&self) -> u64 {
        self.nonce + self.pending as u64
    }

    pub(super) fn queued(&self) -> usize {
        self.transactions.len() - self.pending
    }

    pub(super) fn pending_iter(&self) -> PendingOfSender<'_> {
        self.transactions.values().take(self.pending)
    }

    fn extend_pending(&mut self) {
        while self.transactions.contains_key(&self.next_nonce()) {
            self.pending += 1;
        }
    }

    /// Takes in a transaction, in the place of one with the same nonce.
    pub(super) fn insert(
        &mut self,
        transaction: Arc<Transaction>,
        queued_at: Height,
    ) -> Vec<Entry> {
        let entry = Entry {
            transaction,
            queued_at,
        };
        let replaced = self.transactions.insert(entry.transaction.nonce(), entry);
        self.extend_pending();
        replaced.into_iter().collect()
    }

    /// Takes what is below the account's new nonce. Having been served, or overtaken, the
    /// sender goes to the end of the line.
    pub(super) fn advance(&mut self, nonce: u64) -> Vec<Entry> {
        if nonce <= self.nonce {
            return Vec::new();
        }
        let kept = self.transactions.split_off(&nonce);
        let stale = std::mem::replace(&mut self.transactions, kept);
        self.nonce = nonce;
        self.pending = self.pending.saturating_sub(stale.len());
        self.extend_pending();
        self.turn = None;
        stale.into_values().collect()
    }

    /// Takes one transaction; those after it begin to wait.
    pub(super) fn remove(&mut self, nonce: u64, now: Height) -> Vec<Entry> {
        let removed = self.transactions.remove(&nonce);
        if removed.is_some() && nonce < self.next_nonce() {
            let end = self.next_nonce();
            for (_, entry) in self.transactions.range_mut(nonce..end) {
                entry.queued_at = now;
            }
            self.pending = usize::try_from(nonce - self.nonce).expect("less than the count was");
        }
        removed.into_iter().collect()
    }

    /// Takes what has waited for more than `blocks_max` blocks.
    pub(super) fn expire(&mut self, now: Height, blocks_max: u64) -> Vec<Entry> {
        let expired: Vec<u64> = self
            .transactions
            .range(self.next_nonce()..)
            .filter(|(_, entry)| entry.waited(now) > blocks_max)
            .map(|(nonce, _)| *nonce)
            .collect();
        let take = |nonce| self.transactions.remove(&nonce);
        expired.into_iter().filter_map(take).collect()
    }
}

/// A sender's pending transactions, in nonce order.
pub(super) type PendingOfSender<'a> = Take<btree_map::Values<'a, u64, Entry>>;
