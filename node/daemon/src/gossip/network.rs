//! The task that drives the swarm.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use libp2p::allow_block_list::NotAllowed;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, Swarm, SwarmEvent};
use libp2p::{PeerId, ping};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::config::Checked;
use super::message::{self, Message, MessageError, Salt};
use super::swarm::{Behaviour, BehaviourEvent, multiaddr, socket_addr, topic};
use super::{GossipEvent, Shared, count};
use crate::limits::{GOSSIP_BAR, GOSSIP_LOG_INTERVAL, GOSSIP_PEER_EVENTS_RESERVED};

/// How often dials and bars are looked at.
const TICK: Duration = Duration::from_millis(50);

/// Lets a log line through once per interval, with the number of times since the last one.
#[derive(Debug, Default)]
struct Occasionally {
    last: Option<Instant>,
    times: u64,
}

impl Occasionally {
    fn note(&mut self, now: Instant) -> Option<u64> {
        self.times += 1;
        let due = self
            .last
            .is_none_or(|last| now - last >= GOSSIP_LOG_INTERVAL);
        due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.times)
        })
    }
}

/// The network task.
pub(super) struct Network {
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    events: mpsc::Sender<GossipEvent>,
    topic: IdentTopic,
    salt: Salt,
    refused: Occasionally,
    other_network: Occasionally,
    malformed: Occasionally,
    events_full: Occasionally,
}

impl Network {
    pub(super) fn new(
        checked: &Checked,
        swarm: Swarm<Behaviour>,
        shared: Arc<Shared>,
        events: mpsc::Sender<GossipEvent>,
    ) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = since_epoch.unwrap_or_default().as_nanos().to_le_bytes();
        Self {
            swarm,
            shared,
            events,
            topic: topic(&checked.chain),
            salt: Salt::new(&[&checked.local.to_bytes(), &started]),
            refused: Occasionally::default(),
            other_network: Occasionally::default(),
            malformed: Occasionally::default(),
            events_full: Occasionally::default(),
        }
    }

    /// Runs until told to stop, or until nobody is left who could tell.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let shared = Arc::clone(&self.shared);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                _ = tick.tick() => self.on_tick(Instant::now()),
                () = shared.outgoing.due() => self.send_due(Instant::now()),
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
            }
        }
    }

    fn on_tick(&mut self, now: Instant) {
        for peer in self.shared.peers().release(now) {
            self.swarm.behaviour_mut().allowed.allow_peer(peer);
        }
        let due = self.shared.peers().due(now);
        for (peer, address) in due {
            // The transport appends /p2p/<peer>: whoever answers with another key is refused.
            let dial = DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![multiaddr(address)])
                .allocate_new_port()
                .build();
            if let Err(error) = self.swarm.dial(dial) {
                tracing::debug!(%peer, %address, %error, "gossip.dial_refused");
            }
        }
    }

    fn send_due(&mut self, now: Instant) {
        let due = self.shared.outgoing.take(now);
        for batch in due.batches {
            let data = message::encode_transactions(&mut self.salt, &batch);
            if !self.publish(data) {
                count(&self.shared.counters.outgoing_dropped, batch.len());
            }
        }
        if let Some(height) = due.tip {
            // Whoever connects later hears it then.
            let data = message::encode_tip(&mut self.salt, height);
            self.publish(data);
        }
    }

    fn publish(&mut self, data: Vec<u8>) -> bool {
        let topic = self.topic.hash();
        let published = self.swarm.behaviour_mut().gossipsub.publish(topic, data);
        match published {
            Ok(_) => count(&self.shared.counters.published, 1),
            Err(ref error) => tracing::debug!(%error, "gossip.not_published"),
        }
        published.is_ok()
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id, endpoint, ..
            } => {
                let remote = socket_addr(endpoint.get_remote_address());
                self.shared.peers().on_connected(peer_id, remote);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => self.on_disconnected(peer_id),
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                self.on_incoming_error(peer_id, &error);
            }
            SwarmEvent::OutgoingConnectionError { error, peer_id, .. } => {
                on_outgoing_error(peer_id, &error);
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "gossip.listener_closed");
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "gossip.listener_error");
            }
            SwarmEvent::ConnectionClosed { .. }
            | SwarmEvent::IncomingConnection { .. }
            | SwarmEvent::NewListenAddr { .. }
            | SwarmEvent::ExpiredListenAddr { .. }
            | SwarmEvent::Dialing { .. }
            | SwarmEvent::NewExternalAddrCandidate { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. }
            | SwarmEvent::NewExternalAddrOfPeer { .. } => {}
            // The enum may grow in a patch release.
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Allowed(never) | BehaviourEvent::Limits(never) => unreachable(never),
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            }) => {
                if let Err(error) = result {
                    self.on_ping_failed(peer, connection, &error);
                }
            }
            BehaviourEvent::Gossipsub(event) => self.on_gossipsub_event(event),
        }
    }

    fn on_gossipsub_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => self.on_message(propagation_source, &message_id, message.data),
            gossipsub::Event::Subscribed { peer_id, .. } => self.on_subscribed(peer_id),
            gossipsub::Event::GossipsubNotSupported { peer_id } => self.on_other_network(peer_id),
            gossipsub::Event::Unsubscribed { peer_id, .. } => {
                tracing::debug!(peer = %peer_id, "gossip.unsubscribed");
            }
            gossipsub::Event::SlowPeer {
                peer_id,
                failed_messages,
            } => tracing::debug!(peer = %peer_id, ?failed_messages, "gossip.slow_peer"),
        }
    }

    fn on_message(&mut self, from: PeerId, id: &MessageId, data: Vec<u8>) {
        let (acceptance, event) = match message::decode(data) {
            Ok(Message::Transactions(encoded)) => {
                let event = GossipEvent::Transactions { from, encoded };
                (MessageAcceptance::Accept, Some(event))
            }
            Ok(Message::Tip(height)) => {
                self.shared.peers().on_tip(from, height);
                let event = GossipEvent::Tip { from, height };
                // Not forwarded: the next peer would take it for ours.
                (MessageAcceptance::Ignore, Some(event))
            }
            Err(error) => {
                self.on_malformed(from, &error);
                (MessageAcceptance::Reject, None)
            }
        };
        let gossipsub = &mut self.swarm.behaviour_mut().gossipsub;
        gossipsub.report_message_validation_result(id, &from, acceptance);
        if let Some(event) = event {
            count(&self.shared.counters.received, 1);
            self.emit(event, GOSSIP_PEER_EVENTS_RESERVED);
        }
    }

    /// Passes an event on if that leaves `reserved` slots.
    fn emit(&mut self, event: GossipEvent, reserved: usize) {
        if self.events.capacity() > reserved && self.events.try_send(event).is_ok() {
            return;
        }
        count(&self.shared.counters.events_dropped, 1);
        if let Some(times) = self.events_full.note(Instant::now()) {
            tracing::warn!(times, "gossip.events_dropped");
        }
    }

    fn on_malformed(&mut self, peer: PeerId, error: &MessageError) {
        count(&self.shared.counters.malformed, 1);
        let now = Instant::now();
        if self.shared.peers().bar(peer, now + GOSSIP_BAR) {
            self.swarm.behaviour_mut().allowed.disallow_peer(peer);
        }
        if let Some(times) = self.malformed.note(now) {
            let bar = GOSSIP_BAR.as_secs();
            tracing::warn!(%peer, %error, times, bar_seconds = bar, "gossip.malformed_message");
        }
    }

    fn on_subscribed(&mut self, peer: PeerId) {
        if self.shared.peers().on_subscribed(peer) {
            tracing::debug!(%peer, "gossip.peer_connected");
            self.shared.outgoing.repeat_tip();
            self.emit(GossipEvent::PeerConnected(peer), 0);
        }
    }

    fn on_disconnected(&mut self, peer: PeerId) {
        if self.shared.peers().on_disconnected(peer, Instant::now()) {
            tracing::debug!(%peer, "gossip.peer_disconnected");
            self.emit(GossipEvent::PeerDisconnected(peer), 0);
        }
    }

    fn on_other_network(&mut self, peer: PeerId) {
        count(&self.shared.counters.other_network, 1);
        if self.swarm.disconnect_peer_id(peer).is_err() {
            tracing::debug!(%peer, "gossip.already_disconnected");
        }
        if let Some(times) = self.other_network.note(Instant::now()) {
            tracing::warn!(
                %peer, times,
                "gossip.other_network: the peer has another genesis file or version"
            );
        }
    }

    fn on_ping_failed(&mut self, peer: PeerId, connection: ConnectionId, error: &ping::Failure) {
        tracing::debug!(%peer, %error, "gossip.ping_failed");
        self.swarm.close_connection(connection);
    }

    fn on_incoming_error(&mut self, peer: Option<PeerId>, error: &ListenError) {
        let not_allowed = match error {
            ListenError::Denied { cause } => cause.downcast_ref::<NotAllowed>().is_some(),
            ListenError::Aborted
            | ListenError::WrongPeerId { .. }
            | ListenError::LocalPeerId { .. }
            | ListenError::Transport(_) => false,
        };
        match peer {
            Some(peer) if not_allowed => {
                count(&self.shared.counters.peers_refused, 1);
                if let Some(times) = self.refused.note(Instant::now()) {
                    tracing::warn!(%peer, times, "gossip.peer_refused: not an allowed peer");
                }
            }
            // A second connection of a peer that has one: the two sides dialled at once.
            Some(peer) => tracing::debug!(%peer, %error, "gossip.connection_refused"),
            None => {
                count(&self.shared.counters.handshakes_failed, 1);
                tracing::debug!(%error, "gossip.handshake_failed");
            }
        }
    }
}

fn on_outgoing_error(peer: Option<PeerId>, error: &DialError) {
    if let DialError::WrongPeerId { obtained, address } = error {
        tracing::warn!(
            ?peer, %obtained, %address,
            "gossip.wrong_peer: another node answers at the address configured for this peer"
        );
    } else {
        tracing::debug!(?peer, %error, "gossip.dial_failed");
    }
}

fn unreachable(never: Infallible) -> ! {
    match never {}
}
