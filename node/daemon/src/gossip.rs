//! Transactions and tips between nodes: a small network beside that of consensus, so that a
//! flood of transactions does not delay votes.
//!
//! Gossipsub forwards transactions, once the node has verified them and says so ([`Unjudged`]);
//! a tip goes to direct neighbours only, since it speaks for the peer that sent it. What arrives
//! is bounded and well-formed, each peer's share of it too. The node must not publish again what
//! it received here. The same holds for cosignatures of the log, which have a topic of their own,
//! and for post-quantum ones, which have another.

mod cosignatures;
#[doc(hidden)]
pub mod fuzz;
mod intake;
mod message;
mod network;
mod outgoing;
mod post_quantum;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_p2p::{Monitor, NetworkConfig, P2pError, PeerId, PeerInfo, PeerProtocol, Queue};
use tbsi_types::{Bytes, Height, Roster, Transaction};
use tokio::sync::{mpsc, watch};

use crate::limits::{
    COSIGNATURE_MESSAGES_MAX, GOSSIP_EVENTS_MAX, GOSSIP_JUDGEMENTS_MAX, GOSSIP_MESSAGE_BYTES_MAX,
    GOSSIP_OUTGOING_TRANSACTIONS_MAX, POST_QUANTUM_MESSAGES_MAX,
};
pub use cosignatures::{Cosignatures, TimestampedSignature};
use intake::Judged;
pub use intake::Unjudged;
use network::{Network, Outlets};
use outgoing::Outgoing;
pub use post_quantum::PostQuantumCosignature;

const PROTOCOL: PeerProtocol = PeerProtocol {
    topics: &["transactions", "cosignatures", "post-quantum"],
    signed: false,
    message_bytes_max: GOSSIP_MESSAGE_BYTES_MAX,
    requests: None,
};

/// What the network tells the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GossipEvent {
    /// Transactions to verify. One message holds at most
    /// [`GOSSIP_MESSAGE_TRANSACTIONS_MAX`](crate::limits::GOSSIP_MESSAGE_TRANSACTIONS_MAX).
    Transactions {
        /// The peer that passed them on; not necessarily where they come from.
        from: PeerId,
        /// EIP-2718 bytes each, not empty, at most
        /// [`TRANSACTION_BYTES_MAX`](tbsi_types::limits::TRANSACTION_BYTES_MAX).
        encoded: Vec<Bytes>,
    },
    /// A peer's last block.
    Tip {
        /// The peer.
        from: PeerId,
        /// As it claims.
        height: Height,
    },
    /// A peer is connected and receives what is published from now on.
    PeerConnected(PeerId),
    /// A peer is gone.
    PeerDisconnected(PeerId),
}

/// What happened so far; each number only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GossipCounts {
    /// Messages sent, tips included.
    pub published: u64,
    /// Well-formed messages received, tips included.
    pub received: u64,
    /// Transactions dropped before they were sent: the queue was full, or no peer was there.
    pub outgoing_dropped: u64,
    /// Messages of cosignatures that gave way before they were sent.
    pub cosignatures_outgoing_dropped: u64,
    /// Post-quantum cosignatures that gave way before they were sent.
    pub post_quantum_outgoing_dropped: u64,
    /// Messages dropped because the node did not read its events, or one peer's too many.
    pub events_dropped: u64,
    /// Messages of cosignatures, the same.
    pub cosignatures_dropped: u64,
    /// Messages of post-quantum cosignatures, the same.
    pub post_quantum_dropped: u64,
    /// Messages dropped because their sender sends too much.
    pub rate_dropped: u64,
    /// Verdicts on messages that came too late or too many: those go no further.
    pub judgements_dropped: u64,
}

/// The same numbers, as the network task counts them.
#[derive(Debug, Default)]
struct Counters {
    published: AtomicU64,
    received: AtomicU64,
    outgoing_dropped: AtomicU64,
    cosignatures_outgoing_dropped: AtomicU64,
    post_quantum_outgoing_dropped: AtomicU64,
    events_dropped: AtomicU64,
    cosignatures_dropped: AtomicU64,
    post_quantum_dropped: AtomicU64,
    rate_dropped: AtomicU64,
    judgements_dropped: AtomicU64,
}

fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

/// What the network task and the handles share.
#[derive(Debug)]
struct Shared {
    monitor: Monitor,
    outgoing: Outgoing,
    /// The last block each connected peer announced, by peer id. Nobody has verified that.
    tips: Mutex<BTreeMap<String, Height>>,
    counters: Counters,
    /// For how full they are.
    events: mpsc::WeakSender<Received>,
    cosignatures: mpsc::WeakSender<(Cosignatures, Unjudged)>,
    post_quantum: mpsc::WeakSender<(PostQuantumCosignature, Unjudged)>,
    judgements: mpsc::WeakSender<intake::Judged>,
}

impl Shared {
    fn tips(&self) -> MutexGuard<'_, BTreeMap<String, Height>> {
        lock(&self.tips)
    }
}

/// An event with the message that it came in, if that is to be judged.
#[derive(Debug)]
pub struct Received {
    /// What was received.
    pub event: GossipEvent,
    /// Of transactions: says whether they go on to others.
    pub unjudged: Option<Unjudged>,
}

/// A panic of another holder leaves plain data behind: the next one may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Speaks to the network task. Clones are cheap; when the last one is gone the task ends.
#[derive(Clone, Debug)]
pub struct GossipHandle {
    shared: Arc<Shared>,
    stop: Arc<watch::Sender<bool>>,
    ended: watch::Receiver<()>,
}

/// What the network tells the node, by urgency.
#[derive(Debug)]
pub struct Incoming {
    /// At most [`GOSSIP_EVENTS_MAX`]. Beyond that, messages are dropped and counted; connects
    /// and disconnects have slots of their own.
    pub events: mpsc::Receiver<Received>,
    /// At most [`COSIGNATURE_MESSAGES_MAX`] messages; beyond that they are dropped and counted.
    pub cosignatures: mpsc::Receiver<(Cosignatures, Unjudged)>,
    /// At most [`POST_QUANTUM_MESSAGES_MAX`]; beyond that they are dropped and counted.
    pub post_quantum: mpsc::Receiver<(PostQuantumCosignature, Unjudged)>,
}

/// A network that listens. Nothing is sent or received until its task runs.
pub struct Gossip {
    /// Speaks to the task.
    pub handle: GossipHandle,
    /// What the task received.
    pub incoming: Incoming,
    /// Whoever owns the tasks of the node runs it.
    pub task: GossipTask,
}

/// Drives the network.
pub struct GossipTask {
    network: Network,
    judgements: mpsc::Receiver<Judged>,
    stopped: watch::Receiver<bool>,
    /// Dropped when the task ends.
    end: watch::Sender<()>,
}

impl GossipTask {
    /// Returns after [`GossipHandle::shutdown`], or when the last handle is gone.
    pub async fn run(self) {
        self.network.run(self.judgements, self.stopped).await;
        drop(self.end);
    }
}

/// Listens.
pub async fn listen(config: &NetworkConfig) -> Result<Gossip, P2pError> {
    let swarm = tbsi_p2p::listen(config, &PROTOCOL).await?;
    let (events, events_in) = mpsc::channel(GOSSIP_EVENTS_MAX);
    let (cosignatures, cosignatures_in) = mpsc::channel(COSIGNATURE_MESSAGES_MAX);
    let (post_quantum, post_quantum_in) = mpsc::channel(POST_QUANTUM_MESSAGES_MAX);
    let (judgements, judgements_in) = mpsc::channel(GOSSIP_JUDGEMENTS_MAX);
    let shared = Arc::new(Shared {
        monitor: swarm.monitor(),
        outgoing: Outgoing::default(),
        tips: Mutex::default(),
        counters: Counters::default(),
        events: events.downgrade(),
        cosignatures: cosignatures.downgrade(),
        post_quantum: post_quantum.downgrade(),
        judgements: judgements.downgrade(),
    });
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = watch::channel(());
    let outlets = Outlets {
        events,
        cosignatures,
        post_quantum,
        judgements,
    };
    Ok(Gossip {
        task: GossipTask {
            network: Network::new(swarm, Arc::clone(&shared), outlets),
            judgements: judgements_in,
            stopped,
            end,
        },
        handle: GossipHandle {
            shared,
            stop: Arc::new(stop),
            ended,
        },
        incoming: Incoming {
            events: events_in,
            cosignatures: cosignatures_in,
            post_quantum: post_quantum_in,
        },
    })
}

impl GossipHandle {
    /// A handle without a network: what is queued stays queued, and nobody is connected. For a
    /// node whose links are simulated.
    #[doc(hidden)]
    pub fn detached() -> Self {
        Self {
            shared: Arc::new(Shared {
                monitor: Monitor::detached(),
                outgoing: Outgoing::default(),
                tips: Mutex::default(),
                counters: Counters::default(),
                events: mpsc::channel(1).0.downgrade(),
                cosignatures: mpsc::channel(1).0.downgrade(),
                post_quantum: mpsc::channel(1).0.downgrade(),
                judgements: mpsc::channel(1).0.downgrade(),
            }),
            stop: Arc::new(watch::channel(false).0),
            ended: watch::channel(()).1,
        }
    }

    /// Takes what waits to be sent: transactions, and cosignatures. For a node whose links are
    /// simulated.
    #[doc(hidden)]
    pub fn take_outgoing(&self) -> (Vec<Arc<Transaction>>, Vec<Cosignatures>) {
        self.shared.outgoing.take_all()
    }

    /// Queues transactions for all peers; they leave within
    /// [`GOSSIP_BATCH_INTERVAL`](crate::limits::GOSSIP_BATCH_INTERVAL), several to a message.
    /// Only for transactions that entered the network here: gossip forwards the others itself.
    pub fn publish_transactions(&self, transactions: Vec<Arc<Transaction>>) {
        let dropped = self.shared.outgoing.push(transactions);
        count(&self.shared.counters.outgoing_dropped, dropped);
    }

    /// Queues cosignatures of one log for all peers; the oldest message of a full queue gives
    /// way.
    pub fn publish_cosignatures(&self, cosignatures: Cosignatures) {
        let dropped = self.shared.outgoing.push_cosignatures(cosignatures);
        let counters = &self.shared.counters;
        count(&counters.cosignatures_outgoing_dropped, dropped);
    }

    /// Queues a post-quantum cosignature for all peers; the oldest of a full queue gives way.
    pub fn publish_post_quantum(&self, cosignature: PostQuantumCosignature) {
        let dropped = self.shared.outgoing.push_post_quantum(cosignature);
        let counters = &self.shared.counters;
        count(&counters.post_quantum_outgoing_dropped, dropped);
    }

    /// Tells the neighbours, and each that connects later, this node's last block. At most one
    /// announcement leaves per
    /// [`GOSSIP_TIP_INTERVAL`](crate::limits::GOSSIP_TIP_INTERVAL): the latest.
    pub fn announce_tip(&self, height: Height) {
        self.shared.outgoing.set_tip(height);
    }

    /// Every peer that may connect, by id, connected or not.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.shared.monitor.peers()
    }

    /// How many of them are connected.
    pub fn connected(&self) -> u64 {
        self.peers().iter().filter(|peer| peer.connected).count() as u64
    }

    /// The highest tip that an honest validator must have, going by what connected peers say:
    /// see [`Roster::believed_tip`].
    pub fn believed_tip(&self, roster: &Roster) -> Option<Height> {
        let tips = self.shared.tips();
        roster.believed_tip(tips.iter().map(|(peer, tip)| (peer.as_str(), *tip)))
    }

    /// The last block that a connected peer announced, as it claims.
    pub fn tip_of(&self, peer: &PeerId) -> Option<Height> {
        self.shared.tips().get(&peer.to_string()).copied()
    }

    /// Connections and peers.
    pub fn monitor(&self) -> &Monitor {
        &self.shared.monitor
    }

    /// What waits where.
    pub fn queues(&self) -> Vec<Queue> {
        let (shared, counts) = (&self.shared, self.counts());
        let queue = |name, (depth, max): (usize, usize), dropped| Queue {
            name,
            depth: depth as u64,
            max: max as u64,
            dropped,
        };
        let (transactions, cosignatures, post_quantum) = shared.outgoing.waiting();
        vec![
            queue("gossip_events", fill(&shared.events), counts.events_dropped),
            queue(
                "gossip_cosignatures",
                fill(&shared.cosignatures),
                counts.cosignatures_dropped,
            ),
            queue(
                "gossip_post_quantum",
                fill(&shared.post_quantum),
                counts.post_quantum_dropped,
            ),
            queue(
                "gossip_judgements",
                fill(&shared.judgements),
                counts.judgements_dropped,
            ),
            queue(
                "gossip_outgoing_transactions",
                (transactions, GOSSIP_OUTGOING_TRANSACTIONS_MAX),
                counts.outgoing_dropped,
            ),
            queue(
                "gossip_outgoing_cosignatures",
                (cosignatures, COSIGNATURE_MESSAGES_MAX),
                counts.cosignatures_outgoing_dropped,
            ),
            queue(
                "gossip_outgoing_post_quantum",
                (post_quantum, POST_QUANTUM_MESSAGES_MAX),
                counts.post_quantum_outgoing_dropped,
            ),
        ]
    }

    /// Where this node listens; the port is the real one if the configured one was 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.monitor.local_addr()
    }

    /// What happened so far.
    pub fn counts(&self) -> GossipCounts {
        let counters = &self.shared.counters;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        GossipCounts {
            published: load(&counters.published),
            received: load(&counters.received),
            outgoing_dropped: load(&counters.outgoing_dropped),
            cosignatures_outgoing_dropped: load(&counters.cosignatures_outgoing_dropped),
            post_quantum_outgoing_dropped: load(&counters.post_quantum_outgoing_dropped),
            events_dropped: load(&counters.events_dropped),
            cosignatures_dropped: load(&counters.cosignatures_dropped),
            post_quantum_dropped: load(&counters.post_quantum_dropped),
            rate_dropped: load(&counters.rate_dropped),
            judgements_dropped: load(&counters.judgements_dropped),
        }
    }

    /// Closes every connection and the listener; returns when the task has ended.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        // Nothing is ever sent here: the only change is that the task dropped its end.
        while self.ended.clone().changed().await.is_ok() {}
    }
}

/// How full a channel is, and how full it may be.
fn fill<T>(channel: &mpsc::WeakSender<T>) -> (usize, usize) {
    let fill = |sender: mpsc::Sender<T>| {
        let max = sender.max_capacity();
        (max - sender.capacity(), max)
    };
    channel.upgrade().map_or((0, 0), fill)
}
