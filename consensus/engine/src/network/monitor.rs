//! What others see of the consensus network while its task drives it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tbsi_p2p::{Monitor, Queue};
use tbsi_types::{ChainIdentity, Height, ValidatorSet};

use super::offered::Offered;
use super::refusal::Refusal;
use crate::limits::{
    ENGINE_MESSAGES_MAX, NETWORK_COMMANDS_MAX, OFFERED_CERTIFICATES_MAX, PART_BYTES_PER_PEER_MAX,
};
use crate::twin::TwinWatch;

/// What happened so far, and what waits.
#[derive(Debug)]
pub(crate) struct Counters {
    refusals: BTreeMap<Refusal, AtomicU64>,
    pub(crate) engine_messages: AtomicU64,
    pub(crate) part_bytes: AtomicU64,
    pub(crate) parts_dropped: AtomicU64,
    pub(crate) sync_requests: AtomicU64,
    pub(crate) commands: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        let refusals = Refusal::ALL.map(|refusal| (refusal, AtomicU64::new(0)));
        Self {
            refusals: refusals.into(),
            engine_messages: AtomicU64::new(0),
            part_bytes: AtomicU64::new(0),
            parts_dropped: AtomicU64::new(0),
            sync_requests: AtomicU64::new(0),
            commands: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refusals[&refusal].fetch_add(1, Ordering::Relaxed);
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Sees the consensus network from elsewhere. Clones are cheap.
#[derive(Clone, Debug)]
pub struct NetworkMonitor {
    pub(crate) swarm: Monitor,
    pub(crate) counters: Arc<Counters>,
    pub(crate) offered: Arc<Offered>,
    pub(crate) chain: ChainIdentity,
    pub(crate) twin: Option<TwinWatch>,
}

impl NetworkMonitor {
    /// Connections and peers.
    pub fn swarm(&self) -> &Monitor {
        &self.swarm
    }

    /// Messages of peers that went no further, by reason.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let refusals = self.counters.refusals.iter();
        let counted = refusals.map(|(refusal, count)| (refusal.word(), load(count)));
        counted.collect()
    }

    /// Whether somebody else was heard to sign with this validator's key.
    pub fn twin_seen(&self) -> bool {
        self.twin.as_ref().is_some_and(TwinWatch::is_seen)
    }

    /// What waits where.
    pub fn queues(&self) -> Vec<Queue> {
        let counters = &self.counters;
        let queue = |name, depth, max, dropped| Queue {
            name,
            depth,
            max,
            dropped,
        };
        let busy = load(&counters.refusals[&Refusal::Busy]);
        let waiting = self.offered.len() as u64;
        vec![
            queue(
                "consensus_engine",
                load(&counters.engine_messages),
                ENGINE_MESSAGES_MAX,
                busy,
            ),
            queue(
                "proposal_part_bytes",
                load(&counters.part_bytes),
                PART_BYTES_PER_PEER_MAX,
                load(&counters.parts_dropped),
            ),
            // What does not fit waits in the engine.
            queue(
                "consensus_network_commands",
                load(&counters.commands),
                NETWORK_COMMANDS_MAX as u64,
                0,
            ),
            // Bounded for each connection, by libp2p.
            queue("sync_requests", load(&counters.sync_requests), 0, 0),
            queue(
                "offered_certificates",
                waiting,
                OFFERED_CERTIFICATES_MAX as u64,
                0,
            ),
        ]
    }

    /// A height that was decided, at `next` or above, by a certificate that a peer served and
    /// that `set`, which decides `next`, signed; genesis if there is none.
    pub fn proven_tip(&self, next: Height, set: &ValidatorSet) -> Height {
        self.offered.proven(&self.chain, next, set)
    }
}
