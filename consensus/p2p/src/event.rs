//! What a network tells its owner, and what the owner says of it.

use std::time::Duration;

use libp2p::gossipsub::MessageId;
use libp2p::request_response::{self, OutboundFailure, ResponseChannel};
use tokio::time::Instant;

use crate::id::{PeerId, RequestId};

/// What a network tells its owner.
#[derive(Debug)]
pub enum PeerEvent {
    /// A peer is connected and receives what is published from now on.
    PeerConnected(PeerId),
    /// A peer is gone.
    PeerDisconnected(PeerId),
    /// Gossip, to be judged with [`Swarm::judge`](crate::Swarm::judge).
    Message(Message),
    /// A peer asks; answered with [`Swarm::respond`](crate::Swarm::respond).
    Request {
        /// Who asks.
        peer: PeerId,
        /// Names the request in [`PeerEvent::RequestAbandoned`].
        id: RequestId,
        /// What.
        data: Vec<u8>,
        /// Takes the answer. Dropped, the peer is told that there is none.
        channel: ReplyChannel,
    },
    /// A request of a peer can no longer be answered.
    RequestAbandoned {
        /// Who asked.
        peer: PeerId,
        /// As in [`PeerEvent::Request`].
        id: RequestId,
    },
    /// A peer answers.
    Response {
        /// Who was asked.
        peer: PeerId,
        /// As [`Swarm::request`](crate::Swarm::request) returned it.
        id: RequestId,
        /// The answer.
        data: Vec<u8>,
    },
    /// A request got no answer.
    RequestFailed {
        /// Who was asked.
        peer: PeerId,
        /// As [`Swarm::request`](crate::Swarm::request) returned it.
        id: RequestId,
        /// Why.
        error: RequestFailure,
    },
}

/// Takes the answer to a request.
#[derive(Debug)]
pub struct ReplyChannel(pub(crate) ResponseChannel<Vec<u8>>);

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// The peer was not connected and could not be.
    Dial,
    /// Not in time.
    Timeout,
    /// The connection ended first.
    Closed,
    /// The peer does not know such requests.
    Unsupported,
    /// The stream failed.
    Io,
}

impl RequestFailure {
    fn of(failure: &OutboundFailure) -> Self {
        match failure {
            OutboundFailure::DialFailure => Self::Dial,
            OutboundFailure::Timeout => Self::Timeout,
            OutboundFailure::ConnectionClosed => Self::Closed,
            OutboundFailure::UnsupportedProtocols => Self::Unsupported,
            OutboundFailure::Io(_) => Self::Io,
        }
    }
}

/// A gossip message.
#[derive(Debug)]
pub struct Message {
    /// The neighbour that passed it on.
    pub from: PeerId,
    /// Who signed it; `None` in a network without signatures.
    pub publisher: Option<PeerId>,
    /// Position of its topic in [`PeerProtocol::topics`](crate::PeerProtocol::topics).
    pub topic: usize,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Stands for it where it is judged later.
    pub ticket: Ticket,
}

/// Stands for a [`Message`] until it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    from: PeerId,
    id: MessageId,
    received: Instant,
}

impl Ticket {
    pub(crate) fn new(from: PeerId, id: MessageId) -> Self {
        Self {
            from,
            id,
            received: Instant::now(),
        }
    }

    /// The message's id, unless it is older than this.
    pub(crate) fn id_within(&self, age: Duration) -> Option<&MessageId> {
        (self.received.elapsed() < age).then_some(&self.id)
    }

    /// Who sent the message.
    pub fn from(&self) -> PeerId {
        self.from
    }
}

/// What becomes of a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It goes on to neighbours that may lack it.
    Forward,
    /// It was for this node only, or is of no use to others.
    Keep,
    /// It goes no further, and counts against whoever sent it: [`FAULTS_MAX`] of these cost the
    /// connection.
    ///
    /// [`FAULTS_MAX`]: crate::limits::FAULTS_MAX
    Fault,
    /// No honest node sends it: whoever did stays out for [`BAR`](crate::limits::BAR) or longer.
    Bar,
}

impl PeerEvent {
    /// What the owner hears of a request.
    pub(crate) fn of_request(event: request_response::Event<Vec<u8>, Vec<u8>>) -> Option<Self> {
        match event {
            request_response::Event::Message { peer, message, .. } => Some(match message {
                request_response::Message::Request {
                    request_id,
                    request,
                    channel,
                } => Self::Request {
                    peer: PeerId(peer),
                    id: RequestId::inbound(request_id),
                    data: request,
                    channel: ReplyChannel(channel),
                },
                request_response::Message::Response {
                    request_id,
                    response,
                } => Self::Response {
                    peer: PeerId(peer),
                    id: RequestId::outbound(request_id),
                    data: response,
                },
            }),
            request_response::Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => Some(Self::RequestFailed {
                peer: PeerId(peer),
                id: RequestId::outbound(request_id),
                error: RequestFailure::of(&error),
            }),
            request_response::Event::InboundFailure {
                peer, request_id, ..
            } => Some(Self::RequestAbandoned {
                peer: PeerId(peer),
                id: RequestId::inbound(request_id),
            }),
            request_response::Event::ResponseSent { .. } => None,
        }
    }
}
