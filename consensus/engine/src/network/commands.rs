//! What the engine asks of the network.

use std::net::SocketAddr;

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::engine::network::{
    NetworkEvent, NetworkMsg, PersistentPeerError, Subscriber,
};
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::{PeerId, SignedConsensusMsg};
use arc_malachitebft_network::Channel;
use arc_malachitebft_sync::{self as sync, InboundRequestId, OutboundRequestId};
use bytes::Bytes;
use tbsi_types::Signature;
use tokio::time::Instant;
use tracing::{debug, error};

use super::{CONSENSUS, LIVENESS, Network, PROPOSAL_PARTS, STATUS, to_engine};
use crate::codec::{CodecError, WireCodec};
use crate::context::Ctx;

impl Network {
    pub(super) fn on_command(&mut self, command: NetworkMsg<Ctx>) {
        match command {
            NetworkMsg::Subscribe(subscriber) => self.subscribe(subscriber),
            NetworkMsg::PublishConsensusMsg(message) => {
                let (SignedConsensusMsg::Vote(mc::SignedMessage { signature, .. })
                | SignedConsensusMsg::Proposal(mc::SignedMessage { signature, .. })) = &message;
                if *signature == Signature::ABSTAINED {
                    if let SignedConsensusMsg::Vote(vote) = message {
                        self.look_around();
                        self.asking.abstained(vote.message, Instant::now());
                    }
                } else {
                    let encoded = WireCodec.encode(&message);
                    if let Ok(data) = &encoded {
                        self.told.said(CONSENSUS, data);
                    }
                    self.speak(CONSENSUS, encoded);
                }
            }
            NetworkMsg::PublishLivenessMsg(LivenessMsg::Vote(vote))
                if vote.signature == Signature::ABSTAINED =>
            {
                self.look_around();
                self.asking.repeated(vote.message, Instant::now());
            }
            NetworkMsg::PublishLivenessMsg(message) => {
                self.speak(LIVENESS, WireCodec.encode(&message));
            }
            NetworkMsg::PublishProposalPart(message) => {
                self.speak(PROPOSAL_PARTS, WireCodec.encode(&message));
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
                self.count_inbound();
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
            // The engine's answer to a mark: see `deliver`.
            NetworkMsg::ValidatorProofVerified { .. } => {
                self.mailbox.on_mark();
                self.count_mailbox();
            }
            // A request ends by its timeout; peers are known by their list, not by proofs.
            NetworkMsg::CancelRequest(_)
            | NetworkMsg::UpdateValidatorSet(_)
            | NetworkMsg::NewEvent(_) => {}
        }
    }

    /// The signer was asked once more for a vote that it had not signed: others hear it, and the
    /// engine as one that it received.
    pub(super) fn on_asked_again(&mut self, vote: Option<mc::SignedVote<Ctx>>) {
        self.look_around();
        let Some(vote) = vote else {
            return;
        };
        if vote.message.statement().height != self.gate.height() {
            return;
        }
        let encoded = WireCodec.encode(&SignedConsensusMsg::Vote(vote.clone()));
        if let Ok(data) = &encoded {
            self.told.said(CONSENSUS, data);
        }
        self.speak(CONSENSUS, encoded);
        let from = to_engine(self.swarm.local_peer_id());
        self.deliver(&NetworkEvent::Vote(from, vote));
    }

    /// Tells a new subscriber what it missed.
    fn subscribe(&mut self, subscriber: Box<dyn Subscriber<NetworkEvent<Ctx>>>) {
        let monitor = self.swarm.monitor();
        let address = multiaddr(monitor.local_addr());
        let address = address.parse().expect("it has the form of one");
        subscriber.send(NetworkEvent::Listening(address));
        for peer in monitor.peers().iter().filter(|peer| peer.connected) {
            let peer = to_engine(peer.peer_id);
            subscriber.send(NetworkEvent::PeerConnected(peer));
            subscriber.send(NetworkEvent::PeerSubscribed(peer, Channel::Sync));
        }
        self.subscribers.push(subscriber);
    }

    /// Publishes what only validators may: peers would count it against an observer.
    fn speak(&mut self, topic: usize, encoded: Result<Bytes, CodecError>) {
        self.look_around();
        if self.gate.speaks(&self.swarm.local_peer_id()) {
            self.publish(topic, encoded);
        }
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
        self.count_inbound();
        match WireCodec.encode(response) {
            Ok(data) => {
                self.swarm.respond(channel, data.into());
            }
            Err(error) => error!(%error, "sync response not encoded"),
        }
    }
}

/// A TCP address as the engine writes it.
fn multiaddr(address: SocketAddr) -> String {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{}/tcp/{}", address.ip(), address.port())
}
