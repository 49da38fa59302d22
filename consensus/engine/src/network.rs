//! Malachite's network actor over a swarm of named peers (SPEC §6.7).
//!
//! Malachite brings a network of its own. This one refuses strangers before they hear a byte,
//! ends with an error if it cannot listen, and drops no message between the wire and consensus:
//! theirs passes events through a channel that forgets when its reader is slow.

use std::collections::BTreeMap;

use arc_malachitebft_app_channel::NetworkMsg as AppNetworkMsg;
use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::engine::network::{
    NetworkEvent, NetworkMsg, NetworkRef, PersistentPeerError, Status, Subscriber,
};
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::{PeerId, SignedConsensusMsg};
use arc_malachitebft_network::Channel;
use arc_malachitebft_sync::{
    self as sync, InboundRequestId, OutboundFailureReason, OutboundRequestId,
};
use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tbsi_p2p::{
    Event, Judgement, Message, OutboundFailure, Protocol, Requests, ResponseChannel, Swarm,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{debug, error};

use crate::codec::{CodecError, WireCodec};
use crate::context::Ctx;
use crate::limits::{
    GOSSIP_BYTES_MAX, NETWORK_COMMANDS_MAX, SYNC_REQUEST_BYTES_MAX, SYNC_REQUEST_TIMEOUT,
    SYNC_RESPONSE_BYTES_MAX,
};

/// Topics by position.
const CONSENSUS: usize = 0;
const LIVENESS: usize = 1;
const PROPOSAL_PARTS: usize = 2;
const STATUS: usize = 3;

/// What the consensus network carries.
pub(crate) const PROTOCOL: Protocol = Protocol {
    topics: &["consensus", "liveness", "proposal-parts", "status"],
    // A proposal's parts come from the peer of its proposer, over any number of hops.
    signed: true,
    message_bytes_max: GOSSIP_BYTES_MAX,
    requests: Some(Requests {
        request_bytes_max: SYNC_REQUEST_BYTES_MAX,
        response_bytes_max: SYNC_RESPONSE_BYTES_MAX,
        timeout: SYNC_REQUEST_TIMEOUT,
    }),
};

/// Starts the actor over a swarm, and a channel for what the application publishes.
pub(crate) async fn spawn(
    swarm: Swarm,
) -> Result<(NetworkRef<Ctx>, mpsc::Sender<AppNetworkMsg<Ctx>>), ractor::SpawnErr> {
    let (actor, _) = Actor::spawn(None, NetworkActor, swarm).await?;
    let (sender, mut receiver) = mpsc::channel::<AppNetworkMsg<Ctx>>(1);
    let network = actor.clone();
    tokio::spawn(async move {
        while let Some(message) = receiver.recv().await {
            if network.cast(message.into()).is_err() {
                break;
            }
        }
    });
    Ok((actor, sender))
}

/// Passes messages on to the task that owns the swarm.
struct NetworkActor;

/// The task, while it runs.
struct Running {
    commands: mpsc::Sender<NetworkMsg<Ctx>>,
    task: JoinHandle<()>,
}

#[async_trait::async_trait]
impl Actor for NetworkActor {
    type Msg = NetworkMsg<Ctx>;
    type State = Option<Running>;
    type Arguments = Swarm;

    async fn pre_start(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        swarm: Swarm,
    ) -> Result<Option<Running>, ActorProcessingErr> {
        let (commands, receiver) = mpsc::channel(NETWORK_COMMANDS_MAX);
        let task = tokio::spawn(Network::new(swarm).run(receiver));
        Ok(Some(Running { commands, task }))
    }

    async fn handle(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        message: NetworkMsg<Ctx>,
        running: &mut Option<Running>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(running) = running {
            let sent = running.commands.send(message).await;
            sent.map_err(|_| "the network task ended")?;
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<NetworkMsg<Ctx>>,
        running: &mut Option<Running>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(Running { commands, task }) = running.take() {
            drop(commands);
            // The port is free when the task has ended.
            task.await?;
        }
        Ok(())
    }
}

/// Owns the swarm; between wire bytes and the engine's messages.
struct Network {
    swarm: Swarm,
    subscribers: Vec<Box<dyn Subscriber<NetworkEvent<Ctx>>>>,
    /// Requests of peers that wait for an answer; libp2p bounds them per connection.
    inbound: BTreeMap<InboundRequestId, ResponseChannel<Vec<u8>>>,
}

impl Network {
    fn new(swarm: Swarm) -> Self {
        Self {
            swarm,
            subscribers: Vec::new(),
            inbound: BTreeMap::new(),
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<NetworkMsg<Ctx>>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                event = self.swarm.next() => self.on_event(event),
            }
        }
    }

    fn emit(&self, event: &NetworkEvent<Ctx>) {
        for subscriber in &self.subscribers {
            subscriber.send(event.clone());
        }
    }

    fn on_command(&mut self, command: NetworkMsg<Ctx>) {
        match command {
            NetworkMsg::Subscribe(subscriber) => self.subscribe(subscriber),
            NetworkMsg::PublishConsensusMsg(message) => {
                self.publish(CONSENSUS, WireCodec.encode(&message));
            }
            NetworkMsg::PublishLivenessMsg(message) => {
                self.publish(LIVENESS, WireCodec.encode(&message));
            }
            NetworkMsg::PublishProposalPart(message) => {
                self.publish(PROPOSAL_PARTS, WireCodec.encode(&message));
            }
            NetworkMsg::BroadcastStatus(status) => {
                let status = sync::Status {
                    peer_id: to_engine(self.swarm.local_peer_id()),
                    tip_height: status.tip_height,
                    history_min_height: status.history_min_height,
                };
                self.publish(STATUS, WireCodec.encode(&status));
            }
            NetworkMsg::OutgoingRequest(peer, request, reply) => {
                let sent = self.request(peer, &request);
                // Whoever asked may be gone: then nobody waits.
                if let Some(id) = sent
                    && reply.send(id).is_err()
                {
                    debug!(%peer, "nobody waits for the request's id");
                }
            }
            NetworkMsg::OutgoingResponse(id, response) => self.respond(&id, &response),
            NetworkMsg::CancelInboundRequest(id) => {
                self.inbound.remove(&id);
            }
            NetworkMsg::DumpState(reply) => {
                if reply.send(None).is_err() {
                    debug!("nobody waits for the network's state");
                }
            }
            NetworkMsg::UpdatePersistentPeers(_, reply) => {
                let error = PersistentPeerError::InternalError("the peer list is fixed".into());
                if reply.send(Err(error)).is_err() {
                    debug!("nobody waits for the peers' update");
                }
            }
            // A request ends by its timeout; peers are known by their list, not by proofs.
            NetworkMsg::CancelRequest(_)
            | NetworkMsg::UpdateValidatorSet(_)
            | NetworkMsg::ValidatorProofVerified { .. }
            | NetworkMsg::NewEvent(_) => {}
        }
    }

    /// Tells a new subscriber what it missed.
    fn subscribe(&mut self, subscriber: Box<dyn Subscriber<NetworkEvent<Ctx>>>) {
        let monitor = self.swarm.monitor();
        subscriber.send(NetworkEvent::Listening(tbsi_p2p::multiaddr(
            monitor.local_addr(),
        )));
        for peer in monitor.peers().iter().filter(|peer| peer.connected) {
            let peer = to_engine(peer.peer_id);
            subscriber.send(NetworkEvent::PeerConnected(peer));
            subscriber.send(NetworkEvent::PeerSubscribed(peer, Channel::Sync));
        }
        self.subscribers.push(subscriber);
    }

    fn publish(&mut self, topic: usize, encoded: Result<Bytes, CodecError>) {
        match encoded {
            Ok(data) => {
                self.swarm.publish(topic, data.into());
            }
            Err(error) => error!(topic, %error, "message of the engine not encoded"),
        }
    }

    fn request(&mut self, peer: PeerId, request: &sync::Request<Ctx>) -> Option<OutboundRequestId> {
        let data = WireCodec.encode(request).ok()?;
        let peer = tbsi_p2p::PeerId::from_bytes(&peer.to_bytes()).ok()?;
        let id = self.swarm.request(&peer, data.into())?;
        Some(OutboundRequestId::new(id))
    }

    fn respond(&mut self, id: &InboundRequestId, response: &sync::Response<Ctx>) {
        // Gone, if the peer no longer waits.
        let Some(channel) = self.inbound.remove(id) else {
            return;
        };
        match WireCodec.encode(response) {
            Ok(data) => {
                self.swarm.respond(channel, data.into());
            }
            Err(error) => error!(%error, "sync response not encoded"),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::PeerConnected(peer) => {
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::PeerConnected(peer));
                self.emit(&NetworkEvent::PeerSubscribed(peer, Channel::Sync));
            }
            Event::PeerDisconnected(peer) => {
                self.emit(&NetworkEvent::PeerDisconnected(to_engine(peer)));
            }
            Event::Message(message) => self.on_message(message),
            Event::Request {
                peer,
                id,
                data,
                channel,
            } => match WireCodec.decode(data.into()) {
                Ok(request) => {
                    let id = InboundRequestId::new(id);
                    self.inbound.insert(id.clone(), channel);
                    let peer = to_engine(peer);
                    self.emit(&NetworkEvent::SyncRequest(id, peer, request));
                }
                Err(error) => {
                    debug!(%peer, %error, "malformed sync request");
                    self.swarm.bar(peer);
                }
            },
            Event::RequestAbandoned { peer, id } => {
                let id = InboundRequestId::new(id);
                self.inbound.remove(&id);
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::SyncInboundRequestFailed(id, peer));
            }
            Event::Response { peer, id, data } => {
                let response = WireCodec.decode(data.into());
                let id = OutboundRequestId::new(id);
                if let Err(error) = &response {
                    debug!(%peer, %error, "malformed sync response");
                    self.swarm.bar(peer);
                }
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::SyncResponse(id, peer, response.ok()));
            }
            Event::RequestFailed { peer, id, error } => {
                let id = OutboundRequestId::new(id);
                let reason = reason(&error);
                self.emit(&NetworkEvent::SyncRequestFailed(
                    id,
                    to_engine(peer),
                    reason,
                ));
            }
        }
    }

    fn on_message(&mut self, mut message: Message) {
        let data = Bytes::from(std::mem::take(&mut message.data));
        match decode(&message, data) {
            Ok(event) => {
                // A status speaks for the neighbour that sent it.
                let judgement = if message.topic == STATUS {
                    Judgement::Keep
                } else {
                    Judgement::Forward
                };
                self.swarm.judge(&message, judgement);
                self.emit(&event);
            }
            Err(error) => {
                debug!(peer = %message.from, %error, "malformed message");
                self.swarm.judge(&message, Judgement::Bar);
            }
        }
    }
}

fn decode(message: &Message, data: Bytes) -> Result<NetworkEvent<Ctx>, CodecError> {
    let from = to_engine(message.from);
    Ok(match message.topic {
        CONSENSUS => match WireCodec.decode(data)? {
            SignedConsensusMsg::Vote(vote) => NetworkEvent::Vote(from, vote),
            SignedConsensusMsg::Proposal(proposal) => NetworkEvent::Proposal(from, proposal),
        },
        LIVENESS => match WireCodec.decode(data)? {
            LivenessMsg::Vote(vote) => NetworkEvent::Vote(from, vote),
            LivenessMsg::PolkaCertificate(polka) => NetworkEvent::PolkaCertificate(from, polka),
            LivenessMsg::SkipRoundCertificate(skip) => NetworkEvent::RoundCertificate(from, skip),
        },
        PROPOSAL_PARTS => {
            let publisher = message.publisher.map(to_engine);
            NetworkEvent::ProposalPart(from, publisher, WireCodec.decode(data)?)
        }
        _ => {
            let status: sync::Status<Ctx> = WireCodec.decode(data)?;
            let (tip, min) = (status.tip_height, status.history_min_height);
            NetworkEvent::Status(from, Status::new(tip, min))
        }
    })
}

/// The engine's form of the same id.
fn to_engine(peer: tbsi_p2p::PeerId) -> PeerId {
    PeerId::from_bytes(&peer.to_bytes()).expect("both are multihashes of a public key")
}

fn reason(error: &OutboundFailure) -> OutboundFailureReason {
    match error {
        OutboundFailure::DialFailure => OutboundFailureReason::DialFailure,
        OutboundFailure::Timeout => OutboundFailureReason::Timeout,
        OutboundFailure::ConnectionClosed => OutboundFailureReason::ConnectionClosed,
        OutboundFailure::UnsupportedProtocols => OutboundFailureReason::UnsupportedProtocols,
        OutboundFailure::Io(_) => OutboundFailureReason::Io,
    }
}
