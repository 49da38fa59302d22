//! Who may wait for an earlier nonce when there is no place for all: that costs nothing, so
//! whoever has most waiting gives way (SPEC §6.9).

use std::collections::BinaryHeap;

use tbsi_types::{Address, B256, Transaction};

use super::sender::{Entry, Sender};
use super::{Intake, Mempool, MempoolError};
use crate::limits::MEMPOOL_QUEUED_PLACE_BYTES;

/// How soon a transaction that waits gives way: what is greater does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// What its sender has waiting before it, and how large it is.
    share: usize,
    /// It waits for longer than a gap takes that somebody means to close.
    is_old: bool,
    /// Nobody sent it to this node itself.
    is_gossiped: bool,
    /// Nonces from the first that is missing up to its own.
    gap: u64,
}

impl Rank {
    fn share(before: usize, transaction: &Transaction) -> usize {
        before + transaction.encoded().len() / MEMPOOL_QUEUED_PLACE_BYTES
    }
}

/// The last transaction of a sender that may give way; the greatest gives way first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Last {
    rank: Rank,
    sender: Address,
    /// Its place among those of its sender that wait.
    index: usize,
    hash: B256,
    bytes: usize,
}

impl Mempool {
    /// Finds a place for a transaction that waits, beside `own` of its sender; returns which
    /// others give way for it.
    pub(super) fn place_to_wait(
        &self,
        transaction: &Transaction,
        next: u64,
        own: usize,
        intake: Intake,
    ) -> Result<Vec<B256>, MempoolError> {
        let (limits, sender) = (&self.limits, transaction.sender());
        let queued = self.counts().queued;
        let limit = limits.queued_share;
        if queued >= limits.queued_max / 2 && own >= limit {
            return Err(MempoolError::QueueShare {
                sender,
                next,
                own,
                limit,
            });
        }
        let rank = Rank {
            share: Rank::share(own, transaction),
            is_old: false,
            is_gossiped: intake == Intake::Gossiped,
            gap: transaction.nonce() - next,
        };
        let bytes = self.bytes.saturating_add(transaction.encoded().len());
        let fits = |queued, bytes| {
            if queued >= limits.queued_max {
                let (queued, limit) = (self.counts().queued, limits.queued_max);
                return Err(MempoolError::QueueFull {
                    sender,
                    next,
                    queued,
                    limit,
                });
            }
            self.check_queued_bytes(sender, next, bytes)
        };
        self.giving_way(rank, (queued, bytes), &fits)
    }

    /// What gives way to something of this rank until the rest `fits`.
    fn giving_way(
        &self,
        rank: Rank,
        (mut queued, mut bytes): (usize, usize),
        fits: &dyn Fn(usize, usize) -> Result<(), MempoolError>,
    ) -> Result<Vec<B256>, MempoolError> {
        let mut displaced = Vec::new();
        let Err(mut full) = fits(queued, bytes) else {
            return Ok(displaced);
        };
        let mut lasts: BinaryHeap<Last> = self
            .waiting
            .iter()
            .filter_map(|address| self.last_waiting(address, usize::MAX))
            .collect();
        loop {
            let Some(last) = lasts.pop().filter(|last| last.rank > rank) else {
                return Err(full);
            };
            displaced.push(last.hash);
            queued -= 1;
            bytes -= last.bytes;
            lasts.extend(self.last_waiting(&last.sender, last.index));
            match fits(queued, bytes) {
                Ok(()) => return Ok(displaced),
                Err(still) => full = still,
            }
        }
    }

    /// The last transaction of a sender that waits, of those before `end`.
    fn last_waiting(&self, address: &Address, end: usize) -> Option<Last> {
        let sender: &Sender = &self.senders[address];
        let index = sender.queued().min(end).checked_sub(1)?;
        let from_end = sender.queued() - 1 - index;
        let entry: &Entry = sender.transactions.values().rev().nth(from_end)?;
        let (hash, nonce) = entry.hash_and_nonce();
        Some(Last {
            rank: Rank {
                share: Rank::share(index, &entry.transaction),
                is_old: entry.waited(self.last.height) > self.limits.queued_fresh_blocks,
                is_gossiped: !self.schedule.is_own(&hash),
                gap: nonce - sender.next_nonce(),
            },
            sender: *address,
            index,
            hash,
            bytes: entry.transaction.encoded().len(),
        })
    }
}
