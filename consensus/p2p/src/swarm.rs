//! The swarm as its owner drives it: one event after the other.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use libp2p::allow_block_list::NotAllowed;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, TopicHash};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, Swarm as Libp2p, SwarmEvent};
use libp2p::{PeerId as Libp2pId, ping};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::address::{multiaddr, socket_addr};
use crate::behaviour::{self, Behaviour, BehaviourEvent};
use crate::config::{
    FoundAddresses, NetworkConfig, P2pError, PeerProtocol, parse_allowed, parse_found,
};
use crate::event::{Judgement, Message, PeerEvent, ReplyChannel, Ticket};
use crate::handshakes::Crowded;
use crate::id::{PeerId, RequestId};
use crate::limits::JUDGED_WITHIN;
use crate::monitor::{Counters, Monitor, Occasionally, Shared, count};
use crate::peers::Peers;

/// How often dials and bars are looked at.
const TICK: Duration = Duration::from_millis(50);

/// One node's end of a network. Nothing happens unless [`Swarm::next`] is polled.
pub struct Swarm {
    network: &'static str,
    local: Libp2pId,
    libp2p: Libp2p<Behaviour>,
    topics: Vec<IdentTopic>,
    hashes: Vec<TopicHash>,
    shared: Arc<Shared>,
    allowed: watch::Receiver<BTreeSet<String>>,
    found: watch::Receiver<FoundAddresses>,
    tick: Interval,
    refused: Occasionally,
    other_network: Occasionally,
    /// When messages to slow peers were dropped.
    slow_peers: Occasionally,
    barred: Occasionally,
    crowded: Occasionally,
}

/// Checks the configuration and listens.
pub async fn listen(config: &NetworkConfig, protocol: &PeerProtocol) -> Result<Swarm, P2pError> {
    let checked = config.check()?;
    let peers = Peers::new(&checked, Instant::now());
    let (mut libp2p, local_addr) = behaviour::listen(&checked, protocol).await?;
    let known = peers.addresses();
    libp2p.behaviour_mut().handshakes.follow(known);
    let topics = behaviour::topics(&checked, protocol);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Swarm {
        network: checked.network,
        local: checked.local,
        libp2p,
        hashes: topics.iter().map(IdentTopic::hash).collect(),
        topics,
        shared: Arc::new(Shared {
            local_addr,
            peers: Mutex::new(peers),
            counters: Counters::default(),
        }),
        allowed: config.allowed_peers.clone(),
        found: config.found.clone(),
        tick,
        refused: Occasionally::default(),
        other_network: Occasionally::default(),
        slow_peers: Occasionally::default(),
        barred: Occasionally::default(),
        crowded: Occasionally::default(),
    })
}

impl Swarm {
    /// This node.
    pub fn local_peer_id(&self) -> PeerId {
        PeerId(self.local)
    }

    /// How many peers may connect.
    pub fn peer_count(&self) -> usize {
        self.shared.peers().count()
    }

    /// Sees the swarm from elsewhere.
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(&self.shared))
    }

    /// The next event. May be dropped and called again at any time.
    pub async fn next(&mut self) -> PeerEvent {
        loop {
            tokio::select! {
                _ = self.tick.tick() => self.on_tick(Instant::now()),
                event = self.libp2p.select_next_some() => {
                    if let Some(event) = self.on_swarm_event(event) {
                        return event;
                    }
                }
            }
        }
    }

    /// Sends a message to every neighbour, and through them to all; `false` if it reaches
    /// nobody. `topic` is a position in [`PeerProtocol::topics`].
    pub fn publish(&mut self, topic: usize, data: Vec<u8>) -> bool {
        let topic = self.topics[topic].hash();
        let published = self.libp2p.behaviour_mut().gossipsub.publish(topic, data);
        if let Err(error) = &published {
            tracing::debug!(network = self.network, %error, "p2p.not_published");
        }
        published.is_ok()
    }

    /// Says what becomes of a message. Without it the message goes no further.
    pub fn judge(&mut self, message: &Message, judgement: Judgement) {
        self.judge_ticket(&message.ticket, judgement);
    }

    /// As [`Swarm::judge`], for a message that is gone. After
    /// [`JUDGED_WITHIN`](crate::limits::JUDGED_WITHIN) it is forwarded no more.
    pub fn judge_ticket(&mut self, ticket: &Ticket, judgement: Judgement) {
        let acceptance = match judgement {
            Judgement::Forward => MessageAcceptance::Accept,
            Judgement::Keep | Judgement::Fault => MessageAcceptance::Ignore,
            Judgement::Bar => MessageAcceptance::Reject,
        };
        let from = ticket.from();
        // Later, gossipsub has forgotten the message and would complain.
        if let Some(id) = ticket.id_within(JUDGED_WITHIN) {
            let gossipsub = &mut self.libp2p.behaviour_mut().gossipsub;
            gossipsub.report_message_validation_result(id, &from.0, acceptance);
        }
        match judgement {
            Judgement::Forward | Judgement::Keep => {}
            Judgement::Fault => self.fault(from),
            Judgement::Bar => self.bar(from),
        }
    }

    /// Notes that a peer did what an honest one does seldom, if ever; too often, and it is cut
    /// off.
    pub fn fault(&mut self, peer: PeerId) {
        count(&self.shared.counters.faults);
        let now = Instant::now();
        let too_many = self.shared.peers().fault(peer.0, now);
        if too_many {
            self.cut_off(
                peer,
                now,
                "too many messages that nobody may send, or too often",
            );
        }
    }

    /// Cuts off a peer that sent what no honest node sends.
    pub fn bar(&mut self, peer: PeerId) {
        count(&self.shared.counters.malformed);
        self.cut_off(peer, Instant::now(), "a message that no honest node sends");
    }

    fn cut_off(&mut self, peer: PeerId, now: Instant, reason: &str) {
        let barred = self.shared.peers().bar(peer.0, now);
        let Some(bar) = barred else {
            return;
        };
        count(&self.shared.counters.bars);
        self.libp2p.behaviour_mut().allowed.disallow_peer(peer.0);
        if let Some(times) = self.barred.note(now) {
            let (network, bar_seconds) = (self.network, bar.as_secs());
            tracing::warn!(network, %peer, times, bar_seconds, reason, "p2p.peer_barred");
        }
    }

    /// Asks a peer. `None` in a network without requests.
    pub fn request(&mut self, peer: &PeerId, data: Vec<u8>) -> Option<RequestId> {
        let requests = self.libp2p.behaviour_mut().requests.as_mut()?;
        Some(RequestId::outbound(requests.send_request(&peer.0, data)))
    }

    /// Answers a request; `false` if the peer no longer waits.
    pub fn respond(&mut self, channel: ReplyChannel, data: Vec<u8>) -> bool {
        let requests = self.libp2p.behaviour_mut().requests.as_mut();
        requests.is_some_and(|requests| requests.send_response(channel.0, data).is_ok())
    }

    fn on_tick(&mut self, now: Instant) {
        // Whoever made the list may be gone; it then stays as it is.
        if self.allowed.has_changed().unwrap_or(false) {
            self.on_allowed_changed(now);
        }
        if self.found.has_changed().unwrap_or(false) {
            self.on_found(now);
        }
        for peer in self.shared.peers().release(now) {
            self.libp2p.behaviour_mut().allowed.allow_peer(peer);
        }
        let due = self.shared.peers().due(now);
        for (peer, address) in due {
            // The transport appends /p2p/<peer>: whoever answers with another key is refused.
            let dial = DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![multiaddr(address)])
                .allocate_new_port()
                .build();
            if let Err(error) = self.libp2p.dial(dial) {
                tracing::debug!(network = self.network, %peer, %address, %error, "p2p.dial_refused");
            }
        }
    }

    fn on_allowed_changed(&mut self, now: Instant) {
        let network = self.network;
        let allowed = {
            let ids = self.allowed.borrow_and_update();
            parse_allowed(network, self.local, &ids)
        };
        let allowed = match allowed {
            Ok(allowed) => allowed,
            Err(error) => {
                tracing::error!(network, %error, "p2p.peers_unchanged");
                return;
            }
        };
        let difference = self.shared.peers().allow(&allowed, now);
        let list = &mut self.libp2p.behaviour_mut().allowed;
        for peer in difference.admitted {
            tracing::info!(network, %peer, "p2p.peer_admitted");
            list.allow_peer(peer);
        }
        for peer in difference.dismissed {
            tracing::info!(network, %peer, "p2p.peer_dismissed");
            list.disallow_peer(peer);
        }
        self.follow_addresses();
    }

    fn on_found(&mut self, now: Instant) {
        let network = self.network;
        let found = parse_found(network, &self.found.borrow_and_update());
        match found {
            Ok(found) => self.shared.peers().find(found, now),
            Err(error) => {
                tracing::error!(network, %error, "p2p.addresses_unchanged");
                return;
            }
        }
        self.follow_addresses();
    }

    fn follow_addresses(&mut self) {
        let known = self.shared.peers().addresses();
        self.libp2p.behaviour_mut().handshakes.follow(known);
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<PeerEvent> {
        let network = self.network;
        match event {
            SwarmEvent::Behaviour(event) => return self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id, endpoint, ..
            } => {
                let remote = socket_addr(endpoint.get_remote_address());
                self.shared.peers().on_connected(peer_id, remote);
                if endpoint.is_listener() {
                    self.shared.peers().on_inbound(peer_id);
                }
                self.follow_addresses();
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => return self.on_disconnected(peer_id),
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                self.on_incoming_error(peer_id, &error);
            }
            SwarmEvent::OutgoingConnectionError { error, peer_id, .. } => {
                self.on_outgoing_error(peer_id, &error);
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(network, ?reason, "p2p.listener_closed");
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(network, %error, "p2p.listener_error");
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
        None
    }

    fn on_disconnected(&self, peer: Libp2pId) -> Option<PeerEvent> {
        let was_connected = self.shared.peers().on_disconnected(peer, Instant::now());
        tracing::debug!(network = self.network, %peer, was_connected, "p2p.peer_disconnected");
        was_connected.then_some(PeerEvent::PeerDisconnected(PeerId(peer)))
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) -> Option<PeerEvent> {
        match event {
            BehaviourEvent::Allowed(never)
            | BehaviourEvent::Limits(never)
            | BehaviourEvent::Handshakes(never) => unreachable(never),
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            }) => {
                if let Err(error) = result {
                    self.on_ping_failed(peer, connection, &error);
                }
                None
            }
            BehaviourEvent::Gossipsub(event) => self.on_gossipsub_event(event),
            BehaviourEvent::Requests(event) => PeerEvent::of_request(event),
        }
    }

    fn on_gossipsub_event(&mut self, event: gossipsub::Event) -> Option<PeerEvent> {
        let network = self.network;
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                let topic = self.hashes.iter().position(|hash| *hash == message.topic)?;
                let from = PeerId(propagation_source);
                let ticket = Ticket::new(from, message_id);
                return Some(PeerEvent::Message(Message {
                    from,
                    publisher: message.source.map(PeerId),
                    topic,
                    data: message.data,
                    ticket,
                }));
            }
            gossipsub::Event::Subscribed { peer_id, .. } => {
                if self.shared.peers().on_subscribed(peer_id) {
                    tracing::debug!(network, peer = %peer_id, "p2p.peer_connected");
                    return Some(PeerEvent::PeerConnected(PeerId(peer_id)));
                }
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => self.on_other_network(peer_id),
            gossipsub::Event::Unsubscribed { peer_id, .. } => {
                tracing::debug!(network, peer = %peer_id, "p2p.unsubscribed");
            }
            gossipsub::Event::SlowPeer {
                peer_id,
                failed_messages,
            } => {
                let dropped = u64::try_from(failed_messages.total() + failed_messages.timeout)
                    .unwrap_or(u64::MAX);
                let counter = &self.shared.counters.slow_peer_drops;
                counter.fetch_add(dropped, Ordering::Relaxed);
                if let Some(times) = self.slow_peers.note(Instant::now()) {
                    tracing::warn!(
                        network, peer = %peer_id, ?failed_messages, times,
                        "p2p.slow_peer: messages to it were dropped; its machine or line is overloaded"
                    );
                }
            }
        }
        None
    }

    fn on_other_network(&mut self, peer: Libp2pId) {
        count(&self.shared.counters.other_network);
        let network = self.network;
        if self.libp2p.disconnect_peer_id(peer).is_err() {
            tracing::debug!(network, %peer, "p2p.already_disconnected");
        }
        if let Some(times) = self.other_network.note(Instant::now()) {
            tracing::warn!(
                network, %peer, times,
                "p2p.other_network: the peer has another genesis file or version"
            );
        }
    }

    fn on_ping_failed(&mut self, peer: Libp2pId, connection: ConnectionId, error: &ping::Failure) {
        tracing::debug!(network = self.network, %peer, %error, "p2p.ping_failed");
        self.libp2p.close_connection(connection);
    }

    fn on_incoming_error(&mut self, peer: Option<Libp2pId>, error: &ListenError) {
        let network = self.network;
        let cause = match error {
            ListenError::Denied { cause } => Some(cause),
            ListenError::Aborted
            | ListenError::WrongPeerId { .. }
            | ListenError::LocalPeerId { .. }
            | ListenError::Transport(_) => None,
        };
        if let Some(crowded) = cause.and_then(|cause| cause.downcast_ref::<Crowded>()) {
            self.on_crowded(crowded);
            return;
        }
        let not_allowed = cause.is_some_and(|cause| cause.downcast_ref::<NotAllowed>().is_some());
        match peer {
            Some(peer) if not_allowed => {
                count(&self.shared.counters.peers_refused);
                if let Some(times) = self.refused.note(Instant::now()) {
                    tracing::warn!(network, %peer, times, "p2p.peer_refused: not an allowed peer");
                }
            }
            // A second connection of a peer that has one: the two sides dialled at once.
            Some(peer) => tracing::debug!(network, %peer, %error, "p2p.connection_refused"),
            None => {
                count(&self.shared.counters.handshakes_failed);
                tracing::debug!(network, %error, "p2p.handshake_failed");
            }
        }
    }

    fn on_crowded(&mut self, crowded: &Crowded) {
        count(&self.shared.counters.handshakes_refused);
        let network = self.network;
        if let Some(times) = self.crowded.note(Instant::now()) {
            tracing::warn!(network, times, "p2p.handshake_refused: {crowded}");
        }
    }

    fn on_outgoing_error(&self, peer: Option<Libp2pId>, error: &DialError) {
        let network = self.network;
        if let DialError::WrongPeerId { obtained, address } = error {
            tracing::warn!(
                network, ?peer, %obtained, %address,
                "p2p.wrong_peer: another node answers at the address that is known of this peer"
            );
        } else {
            tracing::debug!(network, ?peer, %error, "p2p.dial_failed");
        }
    }
}

fn unreachable(never: Infallible) -> ! {
    match never {}
}
