//! What others see of a swarm while its owner drives it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::limits::LOG_INTERVAL;
use crate::peers::{PeerInfo, Peers};

/// What happened so far; each number only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections refused because the peer is not allowed.
    pub peers_refused: u64,
    /// Connections that ended in their handshake.
    pub handshakes_failed: u64,
    /// Connections refused before their handshake: their address had too many.
    pub handshakes_refused: u64,
    /// Messages that no honest node sends; each costs its sender the connection.
    pub malformed: u64,
    /// Messages that went no further and count against their sender, a little.
    pub faults: u64,
    /// Peers cut off for a while.
    pub bars: u64,
    /// Messages that a slow peer did not get.
    pub slow_peer_drops: u64,
    /// Connections closed because the peer is of another network.
    pub other_network: u64,
}

/// Something that waits, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: &'static str,
    /// How much is in it now.
    pub depth: u64,
    /// How much it may hold; 0 if the bound is not of the whole.
    pub max: u64,
    /// What it dropped because it was full, so far.
    pub dropped: u64,
}

/// The same numbers, as the swarm counts them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) peers_refused: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) handshakes_refused: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) bars: AtomicU64,
    pub(crate) slow_peer_drops: AtomicU64,
    pub(crate) other_network: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What the swarm and its monitors share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) local_addr: SocketAddr,
    pub(crate) peers: Mutex<Peers>,
    pub(crate) counters: Counters,
}

impl Shared {
    /// A panic of another holder leaves plain data behind: the next one may go on.
    pub(crate) fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees who is connected while another task drives the swarm. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Monitor(pub(crate) Arc<Shared>);

impl Monitor {
    /// Of no swarm: nobody may connect. For a node whose links are simulated.
    #[doc(hidden)]
    pub fn detached() -> Self {
        Self(Arc::new(Shared {
            local_addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            peers: Mutex::new(Peers::none()),
            counters: Counters::default(),
        }))
    }

    /// Every peer that may connect, by id, connected or not.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.0.peers().info()
    }

    /// Where this node listens; the port is the real one if the configured one was 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.0.counters;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            peers_refused: load(&counters.peers_refused),
            handshakes_failed: load(&counters.handshakes_failed),
            handshakes_refused: load(&counters.handshakes_refused),
            malformed: load(&counters.malformed),
            faults: load(&counters.faults),
            bars: load(&counters.bars),
            slow_peer_drops: load(&counters.slow_peer_drops),
            other_network: load(&counters.other_network),
        }
    }
}

/// Lets a log line through once per interval, with the number of times since the last one.
#[derive(Debug, Default)]
pub(crate) struct Occasionally {
    last: Option<Instant>,
    times: u64,
}

impl Occasionally {
    pub(crate) fn note(&mut self, now: Instant) -> Option<u64> {
        self.times += 1;
        let due = self.last.is_none_or(|last| now - last >= LOG_INTERVAL);
        due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.times)
        })
    }
}
