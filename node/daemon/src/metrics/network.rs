//! Metrics of both networks: connections, what was refused, and how full each queue is.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tbsi_p2p::{Counts, Queue};

/// Label of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    queue: &'static str,
}

/// Label of something that happened in a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    network: &'static str,
    event: &'static str,
}

/// Label of messages that went no further.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    network: &'static str,
    reason: &'static str,
}

/// What the networks count themselves, as of the last look.
#[derive(Debug, Default)]
pub(super) struct NetworkMetrics {
    depths: Family<Name, Gauge<u64, AtomicU64>>,
    bounds: Family<Name, Gauge<u64, AtomicU64>>,
    dropped: Family<Name, Counter>,
    happened: Family<Happened, Counter>,
    refused: Family<Refused, Counter>,
}

/// Brings a counter up to what was counted elsewhere.
fn raise(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

impl NetworkMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "What waits in a queue now";
        registry.register("queue_depth", help, self.depths.clone());
        let help = "What a queue may hold; 0 if the bound is not of the whole";
        registry.register("queue_max", help, self.bounds.clone());
        let help = "What a queue dropped because it was full";
        registry.register("queue_dropped", help, self.dropped.clone());
        let help = "Connections refused, faults of peers and peers cut off";
        registry.register("p2p_events", help, self.happened.clone());
        let help = "Messages of peers that went no further";
        registry.register("p2p_refused", help, self.refused.clone());
    }

    pub(super) fn look(&self, queues: &[Queue]) {
        for Queue {
            name: queue,
            depth,
            max,
            dropped,
        } in queues
        {
            let name = Name { queue };
            self.depths.get_or_create(&name).set(*depth);
            self.bounds.get_or_create(&name).set(*max);
            raise(&self.dropped.get_or_create(&name), *dropped);
        }
    }

    pub(super) fn happened(&self, network: &'static str, counts: &Counts) {
        let events = [
            ("peer_refused", counts.peers_refused),
            ("handshake_failed", counts.handshakes_failed),
            ("handshake_refused", counts.handshakes_refused),
            ("malformed", counts.malformed),
            ("fault", counts.faults),
            ("bar", counts.bars),
            ("other_network", counts.other_network),
            ("slow_peer_drop", counts.slow_peer_drops),
        ];
        for (event, count) in events {
            let label = Happened { network, event };
            raise(&self.happened.get_or_create(&label), count);
        }
    }

    pub(super) fn refused(&self, network: &'static str, reasons: &[(&'static str, u64)]) {
        for (reason, count) in reasons {
            let label = Refused { network, reason };
            raise(&self.refused.get_or_create(&label), *count);
        }
    }
}
