//! The task that drives the swarm.

use std::sync::Arc;

use tbsi_p2p::{Judgement, PeerEvent, PeerId, Swarm};
use tbsi_types::Height;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::intake::{Intake, Judged, Share};
use super::message::{self, Message, Salt};
use super::{Cosignatures, GossipEvent, PostQuantumCosignature, Received, Shared, Unjudged, count};
use crate::clock::wall_clock;
use crate::limits::GOSSIP_PEER_EVENTS_RESERVED;

/// Positions of the topics.
const TRANSACTIONS: usize = 0;
const COSIGNATURES: usize = 1;
const POST_QUANTUM: usize = 2;

/// Where what was received goes.
pub(super) struct Outlets {
    pub(super) events: mpsc::Sender<Received>,
    pub(super) cosignatures: mpsc::Sender<(Cosignatures, Unjudged)>,
    pub(super) post_quantum: mpsc::Sender<(PostQuantumCosignature, Unjudged)>,
    /// Goes along with each message, for the verdict.
    pub(super) judgements: mpsc::Sender<Judged>,
}

/// The network task.
pub(super) struct Network {
    swarm: Swarm,
    shared: Arc<Shared>,
    outlets: Outlets,
    intake: Intake,
    salt: Salt,
}

impl Network {
    pub(super) fn new(swarm: Swarm, shared: Arc<Shared>, outlets: Outlets) -> Self {
        let started = wall_clock().0.to_le_bytes();
        Self {
            salt: Salt::new(&[&swarm.local_peer_id().to_bytes(), &started]),
            swarm,
            shared,
            outlets,
            intake: Intake::default(),
        }
    }

    /// Runs until told to stop, or until nobody is left who could tell.
    pub(super) async fn run(
        mut self,
        mut judgements: mpsc::Receiver<Judged>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                () = shared.outgoing.due() => self.send_due(Instant::now()),
                judged = judgements.recv() => {
                    if let Some((ticket, judgement)) = judged {
                        self.swarm.judge_ticket(&ticket, judgement);
                    }
                }
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
        for cosignature in due.post_quantum {
            let data = cosignature.encode(&mut self.salt);
            self.publish(POST_QUANTUM, data);
        }
    }

    fn publish(&mut self, topic: usize, data: Vec<u8>) -> bool {
        let published = self.swarm.publish(topic, data);
        if published {
            count(&self.shared.counters.published, 1);
        }
        published
    }

    fn on_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Message(message) => self.on_message(message),
            PeerEvent::PeerConnected(peer) => {
                self.shared.outgoing.repeat_tip();
                self.emit(GossipEvent::PeerConnected(peer), None, 0);
            }
            PeerEvent::PeerDisconnected(peer) => {
                self.shared.tips().remove(&peer.to_string());
                self.emit(GossipEvent::PeerDisconnected(peer), None, 0);
            }
            // This network has no requests.
            PeerEvent::Request { .. }
            | PeerEvent::RequestAbandoned { .. }
            | PeerEvent::Response { .. }
            | PeerEvent::RequestFailed { .. } => {}
        }
    }

    fn on_message(&mut self, message: tbsi_p2p::Message) {
        let (from, now) = (message.from, Instant::now());
        let peers = self.swarm.peer_count();
        if !self.intake.admits(from, peers, message.data.len(), now) {
            count(&self.shared.counters.rate_dropped, 1);
            // Whoever published it is not known: a neighbour passes on what others flood.
            self.swarm.judge(&message, Judgement::Keep);
        } else if message.topic == COSIGNATURES {
            self.on_cosignatures(message, now);
        } else if message.topic == POST_QUANTUM {
            self.on_post_quantum(message, now);
        } else {
            self.on_transactions_or_tip(message, now);
        }
    }

    fn on_transactions_or_tip(&mut self, mut message: tbsi_p2p::Message, now: Instant) {
        match message::decode(std::mem::take(&mut message.data)) {
            Ok(Message::Transactions(encoded)) => {
                count(&self.shared.counters.received, 1);
                let share = self.share(&message, encoded.len(), now);
                let Some(share) = share.filter(|_| self.has_room(GOSSIP_PEER_EVENTS_RESERVED))
                else {
                    count(&self.shared.counters.events_dropped, 1);
                    self.swarm.judge(&message, Judgement::Keep);
                    return;
                };
                let from = message.from;
                let unjudged = self.unjudged(message, share);
                let event = GossipEvent::Transactions { from, encoded };
                self.emit(event, Some(unjudged), GOSSIP_PEER_EVENTS_RESERVED);
            }
            Ok(Message::Tip(height)) => self.on_tip(&message, height, now),
            Err(error) => {
                tracing::debug!(peer = %message.from, %error, "gossip.malformed_message");
                self.swarm.judge(&message, Judgement::Bar);
            }
        }
    }

    /// Not forwarded: the next peer would take it for ours.
    fn on_tip(&mut self, message: &tbsi_p2p::Message, height: Height, now: Instant) {
        let from = message.from;
        if !self.intake.admits_tip(from, self.swarm.peer_count(), now) {
            count(&self.shared.counters.rate_dropped, 1);
            self.swarm.judge(message, Judgement::Fault);
            return;
        }
        self.swarm.judge(message, Judgement::Keep);
        count(&self.shared.counters.received, 1);
        self.note_tip(from, height);
        let event = GossipEvent::Tip { from, height };
        self.emit(event, None, GOSSIP_PEER_EVENTS_RESERVED);
    }

    fn on_cosignatures(&mut self, message: tbsi_p2p::Message, now: Instant) {
        let cosignatures = match Cosignatures::decode(&message.data) {
            Ok(cosignatures) => cosignatures,
            Err(error) => {
                tracing::debug!(peer = %message.from, %error, "gossip.malformed_cosignatures");
                self.swarm.judge(&message, Judgement::Bar);
                return;
            }
        };
        count(&self.shared.counters.received, 1);
        let share = self.share(&message, 0, now);
        let Some(share) = share.filter(|_| self.outlets.cosignatures.capacity() > 0) else {
            count(&self.shared.counters.cosignatures_dropped, 1);
            self.swarm.judge(&message, Judgement::Keep);
            return;
        };
        let unjudged = self.unjudged(message, share);
        let sent = self.outlets.cosignatures.try_send((cosignatures, unjudged));
        if sent.is_err() {
            count(&self.shared.counters.cosignatures_dropped, 1);
        }
    }

    fn on_post_quantum(&mut self, message: tbsi_p2p::Message, now: Instant) {
        let cosignature = match PostQuantumCosignature::decode(&message.data) {
            Ok(cosignature) => cosignature,
            Err(error) => {
                tracing::debug!(peer = %message.from, %error, "gossip.malformed_post_quantum");
                self.swarm.judge(&message, Judgement::Bar);
                return;
            }
        };
        count(&self.shared.counters.received, 1);
        let share = self.share(&message, 0, now);
        let Some(share) = share.filter(|_| self.outlets.post_quantum.capacity() > 0) else {
            count(&self.shared.counters.post_quantum_dropped, 1);
            self.swarm.judge(&message, Judgement::Keep);
            return;
        };
        let unjudged = self.unjudged(message, share);
        let sent = self.outlets.post_quantum.try_send((cosignature, unjudged));
        if sent.is_err() {
            count(&self.shared.counters.post_quantum_dropped, 1);
        }
    }

    fn share(
        &mut self,
        message: &tbsi_p2p::Message,
        transactions: usize,
        now: Instant,
    ) -> Option<Share> {
        let peers = self.swarm.peer_count();
        self.intake.share(message.from, peers, transactions, now)
    }

    fn unjudged(&self, message: tbsi_p2p::Message, share: Share) -> Unjudged {
        let judgements = self.outlets.judgements.clone();
        Unjudged::new(message.ticket, judgements, Arc::clone(&self.shared), share)
    }

    /// Late copies may come out of order: the highest counts.
    fn note_tip(&self, from: PeerId, height: Height) {
        let mut tips = self.shared.tips();
        let tip = tips.entry(from.to_string()).or_default();
        *tip = height.max(*tip);
    }

    fn has_room(&self, reserved: usize) -> bool {
        self.outlets.events.capacity() > reserved
    }

    /// Passes an event on if that leaves `reserved` slots.
    fn emit(&mut self, event: GossipEvent, unjudged: Option<Unjudged>, reserved: usize) {
        let received = Received { event, unjudged };
        if self.has_room(reserved) && self.outlets.events.try_send(received).is_ok() {
            return;
        }
        count(&self.shared.counters.events_dropped, 1);
    }
}
