//! Metrics of both networks: connections, what was refused, and how full each queue is.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tbsi_p2p::{Counts, PeerInfo, Queue};

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

/// Label of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    network: &'static str,
}

/// What the networks count themselves, as of the last look.
#[derive(Debug, Default)]
pub(super) struct NetworkMetrics {
    depths: Family<Name, Gauge<u64, AtomicU64>>,
    bounds: Family<Name, Gauge<u64, AtomicU64>>,
    dropped: Family<Name, Counter>,
    happened: Family<Happened, Counter>,
    refused: Family<Refused, Counter>,
    connected: Family<Of, Gauge<u64, AtomicU64>>,
    inbound: Family<Of, Gauge<u64, AtomicU64>>,
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
        let help = "Peers that are connected";
        registry.register("p2p_connected", help, self.connected.clone());
        let help = "Peers that have connected to this node, and not only it to them, since it \
                    started: 0 may mean that a firewall keeps them out";
        registry.register("p2p_inbound_peers", help, self.inbound.clone());
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

    pub(super) fn peers(&self, network: &'static str, peers: &[PeerInfo]) {
        let count = |is: fn(&PeerInfo) -> bool| peers.iter().filter(|peer| is(peer)).count() as u64;
        let connected = self.connected.get_or_create(&Of { network });
        connected.set(count(|peer| peer.connected));
        let inbound = self.inbound.get_or_create(&Of { network });
        inbound.set(count(|peer| peer.inbound));
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
