//! What waits to be sent: bounded queues of transactions and of cosignatures of both kinds, and
//! the latest tip.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tbsi_types::limits::TRANSACTION_BYTES_MAX;
use tbsi_types::{Height, Transaction};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::message::{HEAD_BYTES, LENGTH_BYTES};
use super::{Cosignatures, PostQuantumCosignature, lock};
use crate::limits::{
    COSIGNATURE_MESSAGES_MAX, GOSSIP_BATCH_INTERVAL, GOSSIP_MESSAGE_BYTES_MAX,
    GOSSIP_MESSAGE_TRANSACTIONS_MAX, GOSSIP_OUTGOING_BYTES_MAX, GOSSIP_OUTGOING_TRANSACTIONS_MAX,
    GOSSIP_TIP_INTERVAL, POST_QUANTUM_MESSAGES_MAX,
};

/// What is due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Each fits into one message.
    pub(super) batches: Vec<Vec<Arc<Transaction>>>,
    /// To be announced.
    pub(super) tip: Option<Height>,
    /// One message each.
    pub(super) cosignatures: Vec<Cosignatures>,
    /// One message each.
    pub(super) post_quantum: Vec<PostQuantumCosignature>,
}

/// The queue. The first transaction after a pause leaves at once; those that follow within the
/// batch interval leave together at its end.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    transactions: VecDeque<Arc<Transaction>>,
    bytes: usize,
    tip: Option<Height>,
    tip_waits: bool,
    cosignatures: VecDeque<Cosignatures>,
    post_quantum: VecDeque<PostQuantumCosignature>,
    batch_sent: Option<Instant>,
    tip_sent: Option<Instant>,
}

impl Outgoing {
    /// Queues transactions; returns how many were dropped: older ones that gave way, and any
    /// too large for a block to hold, which no peer would take.
    pub(super) fn push(&self, transactions: Vec<Arc<Transaction>>) -> usize {
        let mut state = lock(&self.state);
        // Whoever waits knows of the batch that others are in already.
        let first = state.transactions.is_empty();
        let mut dropped = 0;
        for transaction in transactions {
            if transaction.encoded().len() > TRANSACTION_BYTES_MAX {
                dropped += 1;
                continue;
            }
            state.bytes += transaction.encoded().len();
            state.transactions.push_back(transaction);
        }
        while state.transactions.len() > GOSSIP_OUTGOING_TRANSACTIONS_MAX
            || state.bytes > GOSSIP_OUTGOING_BYTES_MAX
        {
            state.pop();
            dropped += 1;
        }
        if first {
            self.changed.notify_one();
        }
        dropped
    }

    /// Queues a message of cosignatures, to leave at once; returns how many gave way.
    pub(super) fn push_cosignatures(&self, cosignatures: Cosignatures) -> usize {
        let mut state = lock(&self.state);
        let full = state.cosignatures.len() == COSIGNATURE_MESSAGES_MAX;
        if full {
            state.cosignatures.pop_front();
        }
        state.cosignatures.push_back(cosignatures);
        self.changed.notify_one();
        usize::from(full)
    }

    /// Queues a post-quantum cosignature, to leave at once; returns how many gave way.
    pub(super) fn push_post_quantum(&self, cosignature: PostQuantumCosignature) -> usize {
        let mut state = lock(&self.state);
        let full = state.post_quantum.len() == POST_QUANTUM_MESSAGES_MAX;
        if full {
            state.post_quantum.pop_front();
        }
        state.post_quantum.push_back(cosignature);
        self.changed.notify_one();
        usize::from(full)
    }

    /// Transactions, and messages of cosignatures of both kinds, that wait.
    pub(super) fn waiting(&self) -> (usize, usize, usize) {
        let state = lock(&self.state);
        (
            state.transactions.len(),
            state.cosignatures.len(),
            state.post_quantum.len(),
        )
    }

    /// Announces this tip, if it is not the last one.
    pub(super) fn set_tip(&self, height: Height) {
        let mut state = lock(&self.state);
        state.tip_waits |= state.tip != Some(height);
        state.tip = Some(height);
        self.changed.notify_one();
    }

    /// Announces a tip at once, as no honest node does.
    #[cfg(test)]
    pub(super) fn flood_tip(&self, height: Height) {
        lock(&self.state).tip_sent = None;
        self.set_tip(height);
    }

    /// Announces the last tip again, for a peer that did not hear it.
    pub(super) fn repeat_tip(&self) {
        let mut state = lock(&self.state);
        state.tip_waits = state.tip.is_some();
        self.changed.notify_one();
    }

    /// Waits until something is due. May be dropped and called again at any time.
    pub(super) async fn due(&self) {
        loop {
            let next = lock(&self.state).next_due(Instant::now());
            match next {
                Some(at) if at <= Instant::now() => return,
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => return,
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// Takes transactions and cosignatures, due or not.
    pub(super) fn take_all(&self) -> (Vec<Arc<Transaction>>, Vec<Cosignatures>) {
        let mut state = lock(&self.state);
        let mut transactions = Vec::new();
        while let Some(transaction) = state.pop() {
            transactions.push(transaction);
        }
        (transactions, state.cosignatures.drain(..).collect())
    }

    /// Takes what is due.
    pub(super) fn take(&self, now: Instant) -> Due {
        let mut state = lock(&self.state);
        let mut due = Due::default();
        if state.batch_due(now).is_some_and(|at| at <= now) {
            while !state.transactions.is_empty() {
                due.batches.push(state.take_batch());
            }
            state.batch_sent = Some(now);
        }
        if state.tip_due(now).is_some_and(|at| at <= now) {
            due.tip = state.tip;
            state.tip_waits = false;
            state.tip_sent = Some(now);
        }
        due.cosignatures = state.cosignatures.drain(..).collect();
        due.post_quantum = state.post_quantum.drain(..).collect();
        due
    }
}

impl State {
    fn pop(&mut self) -> Option<Arc<Transaction>> {
        let transaction = self.transactions.pop_front()?;
        self.bytes -= transaction.encoded().len();
        Some(transaction)
    }

    fn batch_due(&self, now: Instant) -> Option<Instant> {
        let waits = !self.transactions.is_empty();
        waits.then(|| {
            self.batch_sent
                .map_or(now, |sent| sent + GOSSIP_BATCH_INTERVAL)
        })
    }

    fn tip_due(&self, now: Instant) -> Option<Instant> {
        let waits = self.tip_waits;
        waits.then(|| self.tip_sent.map_or(now, |sent| sent + GOSSIP_TIP_INTERVAL))
    }

    fn next_due(&self, now: Instant) -> Option<Instant> {
        let none = self.cosignatures.is_empty() && self.post_quantum.is_empty();
        let cosignatures = (!none).then_some(now);
        let all = [self.batch_due(now), self.tip_due(now), cosignatures];
        all.into_iter().flatten().min()
    }

    /// As many from the front as one message holds; at least one, since the largest
    /// transaction is smaller than a message.
    fn take_batch(&mut self) -> Vec<Arc<Transaction>> {
        let mut batch = Vec::new();
        let mut left = GOSSIP_MESSAGE_BYTES_MAX - HEAD_BYTES;
        while let Some(next) = self.transactions.front() {
            let size = LENGTH_BYTES + next.encoded().len();
            if batch.len() == GOSSIP_MESSAGE_TRANSACTIONS_MAX || size > left {
                break;
            }
            left -= size;
            batch.extend(self.pop());
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tbsi_types::Address;

    use super::*;
    use crate::mempool::tests::{tx, tx_with};

    const SENDER: Address = Address::repeat_byte(1);

    fn sizes(due: &Due) -> Vec<usize> {
        due.batches.iter().map(Vec::len).collect()
    }

    #[test]
    fn the_first_leaves_at_once_and_followers_share_a_message() {
        let (outgoing, now) = (Outgoing::default(), Instant::now());
        assert_eq!(outgoing.push(vec![tx(SENDER, 0)]), 0);
        assert_eq!(sizes(&outgoing.take(now)), [1]);
        outgoing.push(vec![tx(SENDER, 1)]);
        outgoing.push(vec![tx(SENDER, 2)]);
        let early = now + GOSSIP_BATCH_INTERVAL - Duration::from_millis(1);
        assert_eq!(outgoing.take(early), Due::default());
        assert_eq!(sizes(&outgoing.take(now + GOSSIP_BATCH_INTERVAL)), [2]);
        assert_eq!(outgoing.take(now + GOSSIP_TIP_INTERVAL), Due::default());
    }

    #[test]
    fn only_the_latest_tip_leaves_and_only_as_news() {
        let (outgoing, now) = (Outgoing::default(), Instant::now());
        outgoing.repeat_tip();
        assert_eq!(outgoing.take(now).tip, None);
        outgoing.set_tip(Height(1));
        outgoing.set_tip(Height(2));
        assert_eq!(outgoing.take(now).tip, Some(Height(2)));
        let later = now + GOSSIP_TIP_INTERVAL;
        outgoing.set_tip(Height(2));
        assert_eq!(outgoing.take(later).tip, None);
        outgoing.set_tip(Height(3));
        assert_eq!(outgoing.take(later - Duration::from_millis(1)).tip, None);
        assert_eq!(outgoing.take(later).tip, Some(Height(3)));
        outgoing.repeat_tip();
        assert_eq!(
            outgoing.take(later + GOSSIP_TIP_INTERVAL).tip,
            Some(Height(3))
        );
    }

    #[test]
    fn messages_keep_to_their_limits_and_their_order() {
        let outgoing = Outgoing::default();
        let small = |nonce| tx(SENDER, nonce);
        outgoing.push((0..1_001).map(small).collect());
        // With the head, two of these would be one byte too many.
        let overhead = tx_with(SENDER, 1, 0, 0, 65_536).encoded().len() - 65_536;
        let half = (GOSSIP_MESSAGE_BYTES_MAX - HEAD_BYTES) / 2 - LENGTH_BYTES;
        let large = tx_with(SENDER, 1, 0, 0, half + 1 - overhead);
        assert_eq!(large.encoded().len(), half + 1);
        outgoing.push(vec![Arc::clone(&large), large]);
        let due = outgoing.take(Instant::now());
        assert_eq!(sizes(&due), [1_000, 2, 1]);
        let nonces = due.batches[0].iter().map(|tx| tx.nonce());
        assert!(nonces.eq(0..1_000));
    }

    #[test]
    fn the_oldest_give_way_and_the_oversized_never_wait() {
        let outgoing = Outgoing::default();
        let count = GOSSIP_OUTGOING_TRANSACTIONS_MAX as u64;
        let all = (0..count + 3).map(|nonce| tx(SENDER, nonce)).collect();
        assert_eq!(outgoing.push(all), 3);
        let first = outgoing.take(Instant::now()).batches[0][0].nonce();
        assert_eq!(first, 3);
        let oversized = tx_with(SENDER, 0, 0, 0, TRANSACTION_BYTES_MAX);
        assert_eq!(outgoing.push(vec![oversized]), 1);
        let large: Vec<_> = (0..170)
            .map(|nonce| tx_with(SENDER, nonce, 0, 0, 100_000))
            .collect();
        let bytes: usize = large.iter().map(|tx| tx.encoded().len()).sum();
        assert!(bytes > GOSSIP_OUTGOING_BYTES_MAX);
        assert_eq!(outgoing.push(large), 3);
        assert!(lock(&outgoing.state).bytes <= GOSSIP_OUTGOING_BYTES_MAX);
    }

    #[test]
    fn cosignatures_leave_at_once_and_the_oldest_give_way() {
        let outgoing = Outgoing::default();
        let message = |size| Cosignatures {
            size: tbsi_types::TreeSize(size),
            root: tbsi_types::B256::ZERO,
            list: vec![(SENDER, [0; 72])],
        };
        let max = COSIGNATURE_MESSAGES_MAX as u64;
        let gave_way = (0..max + 2).map(|size| outgoing.push_cosignatures(message(size)));
        assert_eq!(gave_way.sum::<usize>(), 2);
        let now = Instant::now();
        assert!(
            lock(&outgoing.state)
                .next_due(now)
                .is_some_and(|at| at <= now)
        );
        let sizes: Vec<u64> = outgoing
            .take(now)
            .cosignatures
            .iter()
            .map(|it| it.size.0)
            .collect();
        assert!(sizes.iter().copied().eq(2..max + 2), "{sizes:?}");
        assert_eq!(outgoing.take(now), Due::default());
    }
}
