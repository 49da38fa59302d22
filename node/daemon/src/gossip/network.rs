//! The task that drives the swarm.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tbsi_p2p::{Event, Judgement, PeerId, Swarm};
use tbsi_types::Height;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::message::{self, Message, Salt};
use super::{Cosignatures, GossipEvent, Shared, count};
use crate::limits::GOSSIP_PEER_EVENTS_RESERVED;

/// Positions of the topics.
const TRANSACTIONS: usize = 0;
const COSIGNATURES: usize = 1;

/// The network task.
pub(super) struct Network {
    swarm: Swarm,
    shared: Arc<Shared>,
    events: mpsc::Sender<GossipEvent>,
    cosignatures: mpsc::Sender<Cosignatures>,
    salt: Salt,
}

impl Network {
    pub(super) fn new(
        swarm: Swarm,
        shared: Arc<Shared>,
        events: mpsc::Sender<GossipEvent>,
        cosignatures: mpsc::Sender<Cosignatures>,
    ) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = since_epoch.unwrap_or_default().as_nanos().to_le_bytes();
        Self {
            salt: Salt::new(&[&swarm.local_peer_id().to_bytes(), &started]),
            swarm,
            shared,
            events,
            cosignatures,
        }
    }

    /// Runs until told to stop, or until nobody is left who could tell.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                () = shared.outgoing.due() => self.send_due(Instant::now()),
                event = self.swarm.next() => self.on_event(event),
            }
        }
    }

    fn send_due(&mut self, now: Instant) {
        let due = self.shared.outgoing.take(now);
        for batch in due.batches {
            let data = message::encode_transactions(&mut self.salt, &batch);
            if !self.publish(TRANSACTIONS, data) {
                count(&self.shared.counters.outgoing_dropped, batch.len());
            }
        }
        if let Some(height) = due.tip {
            // Whoever connects later hears it then.
            let data = message::encode_tip(&mut self.salt, height);
            self.publish(TRANSACTIONS, data);
        }
        for cosignatures in due.cosignatures {
            let data = cosignatures.encode(&mut self.salt);
            self.publish(COSIGNATURES, data);
        }
    }

    fn publish(&mut self, topic: usize, data: Vec<u8>) -> bool {
        let published = self.swarm.publish(topic, data);
        if published {
            count(&self.shared.counters.published, 1);
        }
        published
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Message(message) if message.topic == COSIGNATURES => {
                self.on_cosignatures(&message);
            }
            Event::Message(message) => self.on_message(message),
            Event::PeerConnected(peer) => {
                self.shared.outgoing.repeat_tip();
                self.emit(GossipEvent::PeerConnected(peer), 0);
            }
            Event::PeerDisconnected(peer) => {
                self.shared.tips().remove(&peer);
                self.emit(GossipEvent::PeerDisconnected(peer), 0);
            }
            // This network has no requests.
            Event::Request { .. }
            | Event::RequestAbandoned { .. }
            | Event::Response { .. }
            | Event::RequestFailed { .. } => {}
        }
    }

    fn on_message(&mut self, mut message: tbsi_p2p::Message) {
        let from = message.from;
        let (judgement, event) = match message::decode(std::mem::take(&mut message.data)) {
            Ok(Message::Transactions(encoded)) => {
                let event = GossipEvent::Transactions { from, encoded };
                (Judgement::Forward, Some(event))
            }
            // Not forwarded: the next peer would take it for ours.
            Ok(Message::Tip(height)) => {
                self.on_tip(from, height);
                (Judgement::Keep, Some(GossipEvent::Tip { from, height }))
            }
            Err(error) => {
                tracing::debug!(peer = %from, %error, "gossip.malformed_message");
                (Judgement::Bar, None)
            }
        };
        self.swarm.judge(&message, judgement);
        if let Some(event) = event {
            count(&self.shared.counters.received, 1);
            self.emit(event, GOSSIP_PEER_EVENTS_RESERVED);
        }
    }

    fn on_cosignatures(&mut self, message: &tbsi_p2p::Message) {
        let decoded = Cosignatures::decode(&message.data);
        let judgement = match &decoded {
            Ok(_) => Judgement::Forward,
            Err(error) => {
                tracing::debug!(peer = %message.from, %error, "gossip.malformed_cosignatures");
                Judgement::Bar
            }
        };
        self.swarm.judge(message, judgement);
        let Ok(cosignatures) = decoded else {
            return;
        };
        count(&self.shared.counters.received, 1);
        if self.cosignatures.try_send(cosignatures).is_err() {
            count(&self.shared.counters.events_dropped, 1);
        }
    }

    /// Late copies may come out of order: the highest counts.
    fn on_tip(&self, from: PeerId, height: Height) {
        let mut tips = self.shared.tips();
        let tip = tips.entry(from).or_default();
        *tip = height.max(*tip);
    }

    /// Passes an event on if that leaves `reserved` slots.
    fn emit(&mut self, event: GossipEvent, reserved: usize) {
        if self.events.capacity() > reserved && self.events.try_send(event).is_ok() {
            return;
        }
        count(&self.shared.counters.events_dropped, 1);
    }
}
