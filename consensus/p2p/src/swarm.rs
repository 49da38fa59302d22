//! The swarm as its owner drives it: one event after the other.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use libp2p::allow_block_list::NotAllowed;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, TopicHash};
use libp2p::request_response::{
    self, InboundRequestId, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, Swarm as Libp2p, SwarmEvent};
use libp2p::{PeerId, ping};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::behaviour::{self, Behaviour, BehaviourEvent, multiaddr, socket_addr};
use crate::config::{Config, P2pError, Protocol, parse_allowed};
use crate::limits::BAR;
use crate::monitor::{Counters, Monitor, Occasionally, Shared, count};
use crate::peers::Peers;

/// How often dials and bars are looked at.
const TICK: Duration = Duration::from_millis(50);

/// What a network tells its owner.
#[derive(Debug)]
pub enum Event {
    /// A peer is connected and receives what is published from now on.
    PeerConnected(PeerId),
    /// A peer is gone.
    PeerDisconnected(PeerId),
    /// Gossip, to be judged with [`Swarm::judge`].
    Message(Message),
    /// A peer asks; answered with [`Swarm::respond`].
    Request {
        /// Who asks.
        peer: PeerId,
        /// Names the request in [`Event::RequestAbandoned`].
        id: InboundRequestId,
        /// What.
        data: Vec<u8>,
        /// Takes the answer. Dropped, the peer is told that there is none.
        channel: ResponseChannel<Vec<u8>>,
    },
    /// A request of a peer can no longer be answered.
    RequestAbandoned {
        /// Who asked.
        peer: PeerId,
        /// As in [`Event::Request`].
        id: InboundRequestId,
    },
    /// A peer answers.
    Response {
        /// Who was asked.
        peer: PeerId,
        /// As [`Swarm::request`] returned it.
        id: OutboundRequestId,
        /// The answer.
        data: Vec<u8>,
    },
    /// A request got no answer.
    RequestFailed {
        /// Who was asked.
        peer: PeerId,
        /// As [`Swarm::request`] returned it.
        id: OutboundRequestId,
        /// Why.
        error: OutboundFailure,
    },
}

/// A gossip message.
#[derive(Debug)]
pub struct Message {
    /// The neighbour that passed it on.
    pub from: PeerId,
    /// Who signed it; `None` in a network without signatures.
    pub publisher: Option<PeerId>,
    /// Position of its topic in [`Protocol::topics`].
    pub topic: usize,
    /// Its bytes.
    pub data: Vec<u8>,
    id: MessageId,
}

/// What becomes of a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It goes on to neighbours that may lack it.
    Forward,
    /// It was for this node only.
    Keep,
    /// It is malformed: whoever sent it stays out for [`BAR`].
    Bar,
}

/// One node's end of a network. Nothing happens unless [`Swarm::next`] is polled.
pub struct Swarm {
    network: &'static str,
    local: PeerId,
    libp2p: Libp2p<Behaviour>,
    topics: Vec<IdentTopic>,
    hashes: Vec<TopicHash>,
    shared: Arc<Shared>,
    allowed: watch::Receiver<BTreeSet<String>>,
    tick: Interval,
    refused: Occasionally,
    other_network: Occasionally,
    /// When messages to slow peers were dropped.
    slow_peers: Occasionally,
    malformed: Occasionally,
}

/// Checks the configuration and listens.
pub async fn listen(config: &Config, protocol: &Protocol) -> Result<Swarm, P2pError> {
    let checked = config.check()?;
    let peers = Mutex::new(Peers::new(&checked, Instant::now()));
    let (libp2p, local_addr) = behaviour::listen(&checked, protocol).await?;
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
            peers,
            counters: Counters::default(),
        }),
        allowed: config.allowed_peers.clone(),
        tick,
        refused: Occasionally::default(),
        other_network: Occasionally::default(),
        slow_peers: Occasionally::default(),
        malformed: Occasionally::default(),
    })
}

impl Swarm {
    /// This node.
    pub fn local_peer_id(&self) -> PeerId {
        self.local
    }

    /// Sees the swarm from elsewhere.
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(&self.shared))
    }

    /// The next event. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Event {
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
    /// nobody. `topic` is a position in [`Protocol::topics`].
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
        let acceptance = match judgement {
            Judgement::Forward => MessageAcceptance::Accept,
            Judgement::Keep => MessageAcceptance::Ignore,
            Judgement::Bar => MessageAcceptance::Reject,
        };
        let gossipsub = &mut self.libp2p.behaviour_mut().gossipsub;
        gossipsub.report_message_validation_result(&message.id, &message.from, acceptance);
        if judgement == Judgement::Bar {
            self.bar(message.from);
        }
    }

    /// Closes the connection to a peer that sent something malformed, for [`BAR`].
    pub fn bar(&mut self, peer: PeerId) {
        count(&self.shared.counters.malformed);
        let now = Instant::now();
        if self.shared.peers().bar(peer, now + BAR) {
            self.libp2p.behaviour_mut().allowed.disallow_peer(peer);
        }
        if let Some(times) = self.malformed.note(now) {
            let (network, bar_seconds) = (self.network, BAR.as_secs());
            tracing::warn!(network, %peer, times, bar_seconds, "p2p.malformed_message");
        }
    }

    /// Asks a peer. `None` in a network without requests.
    pub fn request(&mut self, peer: &PeerId, data: Vec<u8>) -> Option<OutboundRequestId> {
        let requests = self.libp2p.behaviour_mut().requests.as_mut()?;
        Some(requests.send_request(peer, data))
    }

    /// Answers a request; `false` if the peer no longer waits.
    pub fn respond(&mut self, channel: ResponseChannel<Vec<u8>>, data: Vec<u8>) -> bool {
        let requests = self.libp2p.behaviour_mut().requests.as_mut();
        requests.is_some_and(|requests| requests.send_response(channel, data).is_ok())
    }

    fn on_tick(&mut self, now: Instant) {
        // Whoever made the list may be gone; it then stays as it is.
        if self.allowed.has_changed().unwrap_or(false) {
            self.on_allowed_changed(now);
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
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<Event> {
        let network = self.network;
        match event {
            SwarmEvent::Behaviour(event) => return self.on_behaviour_event(event),
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

    fn on_disconnected(&self, peer: PeerId) -> Option<Event> {
        let was_connected = self.shared.peers().on_disconnected(peer, Instant::now());
        tracing::debug!(network = self.network, %peer, was_connected, "p2p.peer_disconnected");
        was_connected.then_some(Event::PeerDisconnected(peer))
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) -> Option<Event> {
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
                None
            }
            BehaviourEvent::Gossipsub(event) => self.on_gossipsub_event(event),
            BehaviourEvent::Requests(event) => on_request_event(event),
        }
    }

    fn on_gossipsub_event(&mut self, event: gossipsub::Event) -> Option<Event> {
        let network = self.network;
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                let topic = self.hashes.iter().position(|hash| *hash == message.topic)?;
                return Some(Event::Message(Message {
                    from: propagation_source,
                    publisher: message.source,
                    topic,
                    data: message.data,
                    id: message_id,
                }));
            }
            gossipsub::Event::Subscribed { peer_id, .. } => {
                if self.shared.peers().on_subscribed(peer_id) {
                    tracing::debug!(network, peer = %peer_id, "p2p.peer_connected");
                    return Some(Event::PeerConnected(peer_id));
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

    fn on_other_network(&mut self, peer: PeerId) {
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

    fn on_ping_failed(&mut self, peer: PeerId, connection: ConnectionId, error: &ping::Failure) {
        tracing::debug!(network = self.network, %peer, %error, "p2p.ping_failed");
        self.libp2p.close_connection(connection);
    }

    fn on_incoming_error(&mut self, peer: Option<PeerId>, error: &ListenError) {
        let network = self.network;
        let not_allowed = match error {
            ListenError::Denied { cause } => cause.downcast_ref::<NotAllowed>().is_some(),
            ListenError::Aborted
            | ListenError::WrongPeerId { .. }
            | ListenError::LocalPeerId { .. }
            | ListenError::Transport(_) => false,
        };
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

    fn on_outgoing_error(&self, peer: Option<PeerId>, error: &DialError) {
        let network = self.network;
        if let DialError::WrongPeerId { obtained, address } = error {
            tracing::warn!(
                network, ?peer, %obtained, %address,
                "p2p.wrong_peer: another node answers at the address configured for this peer"
            );
        } else {
            tracing::debug!(network, ?peer, %error, "p2p.dial_failed");
        }
    }
}

fn on_request_event(event: request_response::Event<Vec<u8>, Vec<u8>>) -> Option<Event> {
    match event {
        request_response::Event::Message { peer, message, .. } => Some(match message {
            request_response::Message::Request {
                request_id,
                request,
                channel,
            } => Event::Request {
                peer,
                id: request_id,
                data: request,
                channel,
            },
            request_response::Message::Response {
                request_id,
                response,
            } => Event::Response {
                peer,
                id: request_id,
                data: response,
            },
        }),
        request_response::Event::OutboundFailure {
            peer,
            request_id,
            error,
            ..
        } => Some(Event::RequestFailed {
            peer,
            id: request_id,
            error,
        }),
        request_response::Event::InboundFailure {
            peer, request_id, ..
        } => Some(Event::RequestAbandoned {
            peer,
            id: request_id,
        }),
        request_response::Event::ResponseSent { .. } => None,
    }
}

fn unreachable(never: Infallible) -> ! {
    match never {}
}
