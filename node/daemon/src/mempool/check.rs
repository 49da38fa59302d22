//! Whether the pool takes a transaction. What no state is needed for, and what execution would
//! say, was asked before (`Node::insert`).

use alloy_consensus::Transaction as _;
use tbsi_types::{Account, Address, B256, Transaction, U256};

use super::sender::{Entry, Sender};
use super::{Intake, Mempool, MempoolError, RemovalReason};
use crate::limits::MEMPOOL_BUMP_PERCENT;

/// What leaves for a transaction that is taken.
pub(super) struct Leaving {
    pub(super) replaced: Option<B256>,
    /// They gave it their place to wait.
    pub(super) displaced: Vec<B256>,
}

impl Mempool {
    /// Returns which transactions leave for this one.
    pub(super) fn check(
        &self,
        transaction: &Transaction,
        account: &Account,
        intake: Intake,
    ) -> Result<Leaving, MempoolError> {
        self.check_new(&transaction.hash())?;
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
        check_funds(transaction, account, known)?;
        match known.and_then(|known| known.transactions.get(&nonce)) {
            Some(taken) => Ok(Leaving {
                replaced: Some(self.check_replacement(transaction, taken)?),
                displaced: Vec::new(),
            }),
            None => Ok(Leaving {
                replaced: None,
                displaced: self.check_room(transaction, known, state, intake)?,
            }),
        }
    }

    /// Whether a transaction with this hash is not here, and did not take too long of late.
    pub fn check_new(&self, hash: &B256) -> Result<(), MempoolError> {
        if self.by_hash.contains_key(hash) {
            return Err(MempoolError::AlreadyKnown);
        }
        let blocks = self.limits.slow_blocks;
        if let Some(dropped) = self.drops.get(hash)
            && let RemovalReason::Slow(slowness) = dropped.reason
            && self.last.height.above(dropped.at.height) < blocks
        {
            return Err(MempoolError::Slow(slowness, blocks));
        }
        Ok(())
    }

    /// Whether it is worth while to verify so many bytes: a pool without room looks at a few each
    /// round, one of which may replace another.
    pub fn look(&mut self, bytes: usize, intake: Intake) -> Result<(), MempoolError> {
        let room = self.check_own(bytes, intake);
        let room = room.and_then(|()| self.check_bytes(bytes, self.bytes, self.by_hash.len()));
        if let Err(full) = room {
            self.full_checks_left = self.full_checks_left.checked_sub(1).ok_or(full)?;
        }
        Ok(())
    }

    /// A higher bid replaces, as on Ethereum, although nobody pays it: it says which version is
    /// the later one. What is stuck needs no higher one.
    fn check_replacement(
        &self,
        transaction: &Transaction,
        taken: &Entry,
    ) -> Result<B256, MempoolError> {
        let by = taken.transaction.hash();
        let (old, new) = (Bid::of(&taken.transaction), Bid::of(transaction));
        let is_stuck = self.schedule.age(&by) >= self.limits.stuck_rounds;
        let least = if is_stuck { old } else { old.outbid() };
        if new.cap < least.cap || new.tip < least.tip {
            return Err(MempoolError::Replacement {
                sender: transaction.sender(),
                nonce: transaction.nonce(),
                by,
                cap: least.cap.saturating_to(),
                tip: least.tip.saturating_to(),
            });
        }
        let bytes = self.bytes - taken.transaction.encoded().len();
        let known = self.senders.get(&transaction.sender());
        let next = known.map_or(0, Sender::next_nonce);
        self.check_bytes(transaction.encoded().len(), bytes, self.by_hash.len() - 1)?;
        if transaction.nonce() > next {
            let after = bytes.saturating_add(transaction.encoded().len());
            self.check_queued_bytes(transaction.sender(), next, after)?;
        }
        Ok(by)
    }

    /// Bounds, the sender's own before everybody's.
    fn check_room(
        &self,
        transaction: &Transaction,
        known: Option<&Sender>,
        state: u64,
        intake: Intake,
    ) -> Result<Vec<B256>, MempoolError> {
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
        self.check_own(transaction.encoded().len(), intake)?;
        self.check_bytes(transaction.encoded().len(), self.bytes, self.by_hash.len())?;
        if nonce <= next {
            return Ok(Vec::new());
        }
        self.place_to_wait(transaction, next, known.map_or(0, Sender::queued), intake)
    }

    /// Whether so many more bytes are within the part of those who send to this node.
    fn check_own(&self, more: usize, intake: Intake) -> Result<(), MempoolError> {
        let (limits, own) = (&self.limits, self.own);
        let [transactions_max, bytes_max] =
            [limits.transactions_max, limits.bytes_max].map(|all| all.div_ceil(limits.own_part));
        let is_of_all = intake == Intake::Gossiped || limits.own_part == 1;
        if is_of_all || own.transactions < transactions_max && own.bytes + more <= bytes_max {
            return Ok(());
        }
        Err(MempoolError::OwnFull {
            transactions: own.transactions,
            transactions_max,
            bytes: own.bytes,
            bytes_max,
        })
    }

    /// Whether so many `more` bytes fit beside so many bytes and transactions.
    fn check_bytes(
        &self,
        more: usize,
        bytes: usize,
        transactions: usize,
    ) -> Result<(), MempoolError> {
        let limits = &self.limits;
        let after = bytes.saturating_add(more);
        if transactions < limits.transactions_max && after <= limits.bytes_max {
            return Ok(());
        }
        Err(MempoolError::Full {
            transactions: self.by_hash.len(),
            transactions_max: limits.transactions_max,
            bytes: self.bytes,
            bytes_max: limits.bytes_max,
        })
    }

    /// What waits leaves half of the bytes to what can be executed.
    pub(super) fn check_queued_bytes(
        &self,
        sender: Address,
        next: u64,
        bytes_after: usize,
    ) -> Result<(), MempoolError> {
        let limit = self.limits.bytes_max / 2;
        if bytes_after <= limit {
            return Ok(());
        }
        Err(MempoolError::QueueBytesFull {
            sender,
            next,
            bytes: self.bytes,
            limit,
        })
    }
}

/// The balance covers the value of all that the sender has here, this one included.
fn check_funds(
    transaction: &Transaction,
    account: &Account,
    known: Option<&Sender>,
) -> Result<(), MempoolError> {
    let value = transaction.envelope().value();
    if value.is_zero() {
        return Ok(());
    }
    let others = known.into_iter().flat_map(|known| &known.transactions);
    let others = others.filter(|(nonce, _)| **nonce != transaction.nonce());
    let want = others.fold(value, |sum, (_, entry)| {
        sum.saturating_add(entry.transaction.envelope().value())
    });
    if want <= account.balance {
        return Ok(());
    }
    Err(MempoolError::InsufficientFunds {
        sender: transaction.sender(),
        have: account.balance,
        want,
    })
}

/// What a transaction offers for each gas, wei; nobody takes it (SPEC §5.2).
#[derive(Clone, Copy)]
struct Bid {
    cap: U256,
    tip: U256,
}

impl Bid {
    fn of(transaction: &Transaction) -> Self {
        let envelope = transaction.envelope();
        let cap = envelope.max_fee_per_gas();
        Self {
            cap: U256::from(cap),
            // Before EIP-1559 the price is both.
            tip: U256::from(envelope.max_priority_fee_per_gas().unwrap_or(cap)),
        }
    }

    /// The least bid that is go-ethereum's percentage above this one, and above it at all.
    fn outbid(self) -> Self {
        let above = |bid: U256| {
            let bumped = bid * U256::from(100 + MEMPOOL_BUMP_PERCENT) / U256::from(100);
            bumped.max(bid + U256::from(1))
        };
        Self {
            cap: above(self.cap),
            tip: above(self.tip),
        }
    }
}
