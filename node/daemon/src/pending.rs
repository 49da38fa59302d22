//! What becomes of transactions that were sent to this node: told to peers until a block holds
//! them, kept over a restart, and accounted for when they are dropped (SPEC §6.9).

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use alloy_primitives::keccak256;
use tbsi_governance::standing::Denied;
use tbsi_rpc::wire::TransactionStatus;
use tbsi_store::StoreError;
use tbsi_types::{B256, Transaction};
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use crate::limits::{ANNOUNCE_INTERVAL, JOURNAL_RETRY_ROUNDS, JOURNAL_ROUNDS, REGOSSIP_BYTES_MAX};
use crate::mempool::journal::{Appended, Journal};
use crate::mempool::{Inserted, Intake, MempoolError, RemovalReason};
use crate::node::{AdmissionError, Node, causes};

/// Begins a round each [`ANNOUNCE_INTERVAL`] until `stop` turns true.
pub(crate) async fn run(node: Arc<Node>, mut stop: watch::Receiver<bool>) -> Result<(), JoinError> {
    let mut rounds = interval(ANNOUNCE_INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unwritten = 0;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            _ = rounds.tick() => {}
        }
        let node = Arc::clone(&node);
        let round = tokio::task::spawn_blocking(move || {
            node.announce_round();
            node.keep_journal(unwritten)
        });
        unwritten = round.await?;
    }
}

impl Node {
    /// Takes a transaction that a client sent to this node, or that the node makes itself, and
    /// tells peers of it; returns its hash. One that is known already is refused, and told again
    /// within a round.
    pub fn submit(&self, encoded: &[u8]) -> Result<B256, AdmissionError> {
        match self.insert_as(encoded, Intake::Own) {
            Ok(transaction) => {
                let hash = transaction.hash();
                self.keep(&transaction);
                self.gossip.publish_transactions(vec![transaction]);
                Ok(hash)
            }
            Err(error) => {
                if matches!(error, AdmissionError::Pool(MempoolError::AlreadyKnown)) {
                    self.claim(&keccak256(encoded));
                }
                Err(error)
            }
        }
    }

    fn claim(&self, hash: &B256) {
        let mut mempool = self.mempool();
        let claimed = mempool.claim(hash);
        let transaction = mempool.get(hash).filter(|_| claimed);
        drop(mempool);
        if let Some(transaction) = transaction {
            self.keep(&transaction);
        }
    }

    /// What became of a transaction, as far as this node knows.
    pub(crate) fn transaction_status(&self, hash: B256) -> Result<TransactionStatus, StoreError> {
        // In this order: a transaction leaves the pool a moment after its block is stored.
        let waiting = self.waiting(&hash);
        if let Some((height, index)) = self.store.transaction_location(hash)? {
            return Ok(TransactionStatus::Included { height, index });
        }
        if let Some(waiting) = waiting {
            return Ok(waiting);
        }
        let mempool = self.mempool();
        let Some(dropped) = mempool.dropped(&hash) else {
            return Ok(TransactionStatus::Unknown {});
        };
        let replaced_by = match dropped.reason {
            RemovalReason::Replaced { by } => Some(by),
            RemovalReason::NonceUsed { .. }
            | RemovalReason::Expired { .. }
            | RemovalReason::Gap { .. }
            | RemovalReason::Displaced { .. }
            | RemovalReason::Slow(_)
            | RemovalReason::NotExecutable { .. }
            | RemovalReason::Permission { .. }
            | RemovalReason::Restart { .. } => None,
        };
        Ok(TransactionStatus::Dropped {
            reason: dropped.reason.kind().into(),
            message: dropped.reason.to_string(),
            replaced_by,
            height: dropped.at.height,
            time_ms: dropped.at.time,
        })
    }

    fn waiting(&self, hash: &B256) -> Option<TransactionStatus> {
        let mempool = self.mempool();
        let sender = mempool.get(hash)?.sender();
        let missing_nonce = match mempool.find(hash)? {
            Inserted::Pending => None,
            Inserted::Queued => mempool.pending_nonce(sender),
        };
        Some(TransactionStatus::Pending { missing_nonce })
    }

    /// A peer may have missed what waits here: all of it is told in the next round.
    pub(crate) fn tell_all_soon(&self) {
        self.tell_all.store(true, Ordering::Relaxed);
    }

    /// Tells peers what is due, and drops what no block can hold any more.
    pub fn announce_round(&self) {
        let due = self.mempool().begin_round();
        let mut told: Vec<_> = due
            .into_iter()
            .filter(|transaction| self.still_admitted(transaction))
            .collect();
        if self.tell_all.swap(false, Ordering::Relaxed) {
            told = self.mempool().all(REGOSSIP_BYTES_MAX);
        }
        if !told.is_empty() {
            self.metrics.transactions_told.inc_by(told.len() as u64);
            self.gossip.publish_transactions(told);
        }
    }

    /// Whether the next block could still hold a pooled transaction. One that it could not is
    /// dropped, unless only a quota is used up, which lifts by itself.
    fn still_admitted(&self, transaction: &Transaction) -> bool {
        let (reason, sender) = match self.admission(transaction) {
            Ok(()) => return true,
            Err(AdmissionError::Denied(
                denied @ (Denied::Permission { .. } | Denied::Suspended { .. }),
            )) => {
                let words = denied.to_string();
                (RemovalReason::Permission { words }, transaction.sender())
            }
            Err(AdmissionError::Inadmissible(refusal)) => {
                let words = refusal.to_string();
                (RemovalReason::NotExecutable { words }, transaction.sender())
            }
            Err(
                error @ (AdmissionError::Denied(Denied::Quota { .. })
                | AdmissionError::Transaction(_)
                | AdmissionError::Pool(_)
                | AdmissionError::State(_)),
            ) => {
                debug!(hash = %transaction.hash(), "not told again: {}", causes(&error));
                return false;
            }
        };
        let hash = transaction.hash();
        info!(%hash, %sender, %reason, "dropped a transaction that no block can hold any more");
        self.mempool().remove(&hash, reason);
        false
    }

    /// Reads the transactions that were sent to this node before it started anew, and keeps
    /// those in `file` that are sent from now on. Without that file the node runs all the same.
    pub(crate) fn take_back(&self, file: &Path) {
        let (journal, records) = match Journal::open(file) {
            Ok(opened) => opened,
            Err(error) => {
                warn!(
                    "transactions that are sent to this node are not kept over a restart: {}",
                    causes(&error)
                );
                return;
            }
        };
        let found = records.len();
        let taken = records.iter().filter(|it| self.take_back_one(it)).count();
        if found > 0 {
            info!(
                found,
                taken, "took back the transactions that waited before the restart"
            );
        }
        *self.journal() = Some(journal);
        self.keep_journal(JOURNAL_ROUNDS);
    }

    fn take_back_one(&self, encoded: &[u8]) -> bool {
        let Err(error) = self.insert_as(encoded, Intake::Own) else {
            return true;
        };
        let hash = keccak256(encoded);
        let is_known = matches!(error, AdmissionError::Pool(MempoolError::AlreadyKnown));
        let included = self.store.transaction_location(hash);
        if !is_known && included.is_ok_and(|place| place.is_none()) {
            let words = error.to_string();
            let reason = RemovalReason::Restart { words };
            self.mempool().note_drop(hash, reason);
        }
        false
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, transaction: &Transaction) {
        let mut journal = self.journal();
        let Some(journal) = journal.as_mut() else {
            return;
        };
        match journal.append(transaction) {
            Ok(Appended::Kept) => {}
            // The pool has it already, so that it is among what is written.
            Ok(Appended::Outgrown) => self.rewrite(journal),
            Ok(Appended::Closed) => {
                self.metrics.transactions_unkept.inc();
            }
            Err(error) => {
                self.metrics.transactions_unkept.inc();
                warn!("{}", causes(&error));
            }
        }
    }

    /// Writes the file of own transactions anew if that is due `unwritten` rounds after the last
    /// time; returns how many rounds ago that is now.
    fn keep_journal(&self, unwritten: u64) -> u64 {
        let mut journal = self.journal();
        let Some(journal) = journal.as_mut() else {
            return 0;
        };
        let every = if journal.is_open() {
            JOURNAL_ROUNDS
        } else {
            JOURNAL_RETRY_ROUNDS
        };
        if unwritten < every {
            return unwritten + 1;
        }
        self.rewrite(journal);
        0
    }

    /// The journal is held while the pool is read: what is appended meanwhile comes after.
    fn rewrite(&self, journal: &mut Journal) {
        let own = self.mempool().own();
        match journal.rewrite(&own) {
            Ok(0) => {}
            Ok(surplus) => {
                self.metrics.transactions_unkept.inc_by(surplus as u64);
                warn!(
                    surplus,
                    "too many transactions wait to keep all of them over a restart"
                );
            }
            Err(error) => warn!("{}", causes(&error)),
        }
    }
}
