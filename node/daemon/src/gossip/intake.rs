//! What each peer may give this node to do: how much in a second, and how much at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tbsi_p2p::{Judgement, PeerId, Rate, Ticket};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Shared, count};
use crate::limits::{
    GOSSIP_KIB_PER_SECOND_MAX, GOSSIP_MESSAGES_PER_PEER_PER_SECOND_MAX, GOSSIP_TIPS_MAX,
    GOSSIP_TIPS_PER_SECOND_MAX, GOSSIP_WAITING_MESSAGES_PER_PEER_MAX,
    GOSSIP_WAITING_TRANSACTIONS_PER_PEER_MAX,
};

/// A verdict on its way to the network.
pub(super) type Judged = (Ticket, Judgement);

/// A message that waits for its judgement. Dropped without one, it goes no further.
#[derive(Debug)]
pub struct Unjudged {
    ticket: Ticket,
    judgements: mpsc::Sender<Judged>,
    shared: Arc<Shared>,
    _share: Share,
}

impl Unjudged {
    pub(super) fn new(
        ticket: Ticket,
        judgements: mpsc::Sender<Judged>,
        shared: Arc<Shared>,
        share: Share,
    ) -> Self {
        Self {
            ticket,
            judgements,
            shared,
            _share: share,
        }
    }

    /// Says what becomes of the message. A network that has too many verdicts to take, or has
    /// ended, forgets the message.
    pub fn judge(self, judgement: Judgement) {
        if self.judgements.try_send((self.ticket, judgement)).is_err() {
            count(&self.shared.counters.judgements_dropped, 1);
        }
    }
}

/// What one peer has given this node to do, until it is done.
#[derive(Debug, Default)]
struct Waiting {
    messages: AtomicUsize,
    transactions: AtomicUsize,
}

/// A part of that.
#[derive(Debug)]
pub(super) struct Share {
    waiting: Arc<Waiting>,
    transactions: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.waiting.messages.fetch_sub(1, Ordering::Relaxed);
        let transactions = &self.waiting.transactions;
        transactions.fetch_sub(self.transactions, Ordering::Relaxed);
    }
}

/// One peer's allowance.
#[derive(Debug)]
struct Allowance {
    messages: Rate,
    kib: Rate,
    tips: Rate,
    waiting: Arc<Waiting>,
}

impl Allowance {
    fn new(peers: usize) -> Self {
        // A neighbour passes on what all publish.
        let peers = u32::try_from(peers).unwrap_or(u32::MAX).saturating_add(4);
        let messages = peers.saturating_mul(GOSSIP_MESSAGES_PER_PEER_PER_SECOND_MAX);
        Self {
            messages: Rate::new(messages, messages.saturating_mul(2)),
            kib: Rate::new(GOSSIP_KIB_PER_SECOND_MAX, 2 * GOSSIP_KIB_PER_SECOND_MAX),
            tips: Rate::new(GOSSIP_TIPS_PER_SECOND_MAX, GOSSIP_TIPS_MAX),
            waiting: Arc::default(),
        }
    }

    /// Nothing is owed, so that it can be forgotten.
    fn is_idle(&self, now: Instant) -> bool {
        let rates = [self.messages, self.kib, self.tips];
        rates.iter().all(|rate| rate.is_idle(now)) && Arc::strong_count(&self.waiting) == 1
    }
}

/// All peers' allowances, over their connections.
#[derive(Debug, Default)]
pub(super) struct Intake(BTreeMap<PeerId, Allowance>);

impl Intake {
    fn of(&mut self, peer: PeerId, peers: usize, now: Instant) -> &mut Allowance {
        if self.0.len() >= 2 * tbsi_types::limits::NODES_MAX {
            self.0.retain(|_, allowance| !allowance.is_idle(now));
        }
        let allowance = self.0.entry(peer);
        allowance.or_insert_with(|| Allowance::new(peers))
    }

    /// Whether a message of so many bytes is within what `peer`, one of `peers`, may send.
    pub(super) fn admits(
        &mut self,
        peer: PeerId,
        peers: usize,
        bytes: usize,
        now: Instant,
    ) -> bool {
        let allowance = self.of(peer, peers, now);
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        allowance.messages.take(1, now) && allowance.kib.take(kib, now)
    }

    /// Whether it may announce a tip.
    pub(super) fn admits_tip(&mut self, peer: PeerId, peers: usize, now: Instant) -> bool {
        self.of(peer, peers, now).tips.take(1, now)
    }

    /// A share of what waits for this node; `None` if the peer has its share already.
    pub(super) fn share(
        &mut self,
        peer: PeerId,
        peers: usize,
        transactions: usize,
        now: Instant,
    ) -> Option<Share> {
        let waiting = Arc::clone(&self.of(peer, peers, now).waiting);
        let (messages, before) = (
            waiting.messages.load(Ordering::Relaxed),
            waiting.transactions.load(Ordering::Relaxed),
        );
        if messages >= GOSSIP_WAITING_MESSAGES_PER_PEER_MAX
            || before + transactions > GOSSIP_WAITING_TRANSACTIONS_PER_PEER_MAX
        {
            return None;
        }
        waiting.messages.fetch_add(1, Ordering::Relaxed);
        waiting
            .transactions
            .fetch_add(transactions, Ordering::Relaxed);
        Some(Share {
            waiting,
            transactions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_does_not_take_the_places_of_the_others() {
        let (mut intake, now) = (Intake::default(), Instant::now());
        let (one, other) = (PeerId::random(), PeerId::random());
        let mut shares = Vec::new();
        while let Some(share) = intake.share(one, 3, 10, now) {
            shares.push(share);
        }
        assert_eq!(shares.len(), GOSSIP_WAITING_MESSAGES_PER_PEER_MAX);
        assert!(intake.share(other, 3, 10, now).is_some());
        shares.pop();
        assert!(intake.share(one, 3, 10, now).is_some());
        // A few large messages are as much work as many small ones.
        let mut large = Vec::new();
        while let Some(share) = intake.share(other, 3, 1_000, now) {
            large.push(share);
        }
        assert_eq!(
            1_000 * large.len(),
            GOSSIP_WAITING_TRANSACTIONS_PER_PEER_MAX
        );
    }

    #[test]
    fn a_peer_sends_so_much_a_second() {
        let (mut intake, now) = (Intake::default(), Instant::now());
        let peer = PeerId::random();
        let full = 1024 * 1024;
        let mut mib = 0;
        while intake.admits(peer, 3, full, now) {
            mib += 1;
        }
        assert_eq!(mib, 2 * GOSSIP_KIB_PER_SECOND_MAX / 1024);
        assert!(intake.admits(PeerId::random(), 3, full, now));
        let tips = (0..2 * GOSSIP_TIPS_MAX).filter(|_| intake.admits_tip(peer, 3, now));
        assert_eq!(tips.count(), GOSSIP_TIPS_MAX as usize);
    }
}
