//! Malachite's network actor over a swarm of named peers (SPEC §6.7).
//!
//! Malachite brings a network of its own. This one refuses strangers before they hear a byte,
//! ends with an error if it cannot listen, verifies before it passes anything on ([`gate`]), and
//! counts what it drops: theirs passes events through a channel that forgets when its reader is
//! slow, and the engine's mailboxes have no bound.

mod actor;
mod asking;
mod commands;
mod gate;
mod mailbox;
mod monitor;
mod nils;
mod offered;
mod rates;
mod refusal;
mod statements;
#[cfg(test)]
mod tests;
mod told;
mod verified;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, NetworkMsg, Subscriber};
use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_network::Channel;
use arc_malachitebft_sync::{
    self as sync, InboundRequestId, OutboundFailureReason, OutboundRequestId,
};
use bytes::Bytes;
use tbsi_p2p::{
    Judgement, Message, PeerEvent, PeerProtocol, ReplyChannel, RequestFailure, Requests, Swarm,
};
use tbsi_types::{Address, Height, Roster, Signature};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::codec::{WireCodec, certificate_from_engine};
use crate::context::Ctx;
use crate::limits::{
    GOSSIP_BYTES_MAX, SYNC_REQUEST_BYTES_MAX, SYNC_REQUEST_TIMEOUT, SYNC_RESPONSE_BYTES_MAX,
};
use crate::progress::Progress;
use crate::signing::EngineSigner;
use crate::twin::TwinWatch;
use crate::witnessed::Witnessed;
use asking::Asking;
use gate::Gate;
use mailbox::{Mailbox, PartBytes};
use monitor::Counters;
use nils::Nils;
use offered::Offered;
use refusal::Refusal;
use statements::Taken;
use told::Told;

pub(crate) use actor::{Spawned, start};
pub use monitor::NetworkMonitor;
pub(crate) use verified::Verified;

/// Topics by position.
const CONSENSUS: usize = 0;
const LIVENESS: usize = 1;
const PROPOSAL_PARTS: usize = 2;
const STATUS: usize = 3;

/// What the consensus network carries.
pub(crate) const PROTOCOL: PeerProtocol = PeerProtocol {
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

/// What the network must know of the chain, and whom it wakes.
pub(crate) struct Surroundings {
    /// Who may publish, and whose signature counts.
    pub(crate) roster: watch::Receiver<Arc<Roster>>,
    /// Where consensus stands.
    pub(crate) progress: watch::Receiver<Progress>,
    /// Shared with the engine's verifier.
    pub(crate) verified: Verified,
    /// Ends the wait of an idle chain.
    pub(crate) wake: Arc<Notify>,
    /// Has the tally of votes.
    pub(crate) witnessed: Witnessed,
    /// Hears what others sign with this validator's key.
    pub(crate) twin: Option<TwinWatch>,
    /// Signs for this node's validator.
    pub(crate) signer: Option<EngineSigner>,
    /// Its address.
    pub(crate) own: Option<Address>,
}

/// Owns the swarm; between wire bytes and the engine's messages.
struct Network {
    swarm: Swarm,
    roster: watch::Receiver<Arc<Roster>>,
    progress: watch::Receiver<Progress>,
    wake: Arc<Notify>,
    gate: Gate,
    witnessed: Witnessed,
    twin: Option<TwinWatch>,
    own: Option<Address>,
    asking: Asking,
    nils: Nils,
    told: Told,
    mailbox: Mailbox,
    part_bytes: PartBytes,
    /// What peers say of their tips, by peer id.
    tips: BTreeMap<String, Height>,
    counters: Arc<Counters>,
    offered: Arc<Offered>,
    subscribers: Vec<Box<dyn Subscriber<NetworkEvent<Ctx>>>>,
    /// Requests of peers that wait for an answer; libp2p bounds them per connection.
    inbound: BTreeMap<InboundRequestId, ReplyChannel>,
}

impl Network {
    fn new(swarm: Swarm, surroundings: Surroundings, monitor: &NetworkMonitor) -> Self {
        let Surroundings {
            mut roster,
            progress,
            verified,
            wake,
            witnessed,
            twin,
            signer,
            own,
        } = surroundings;
        let gate = Gate::new(verified, Arc::clone(&roster.borrow_and_update()));
        Self {
            swarm,
            roster,
            progress,
            wake,
            gate,
            witnessed,
            twin,
            own,
            asking: Asking::new(signer),
            nils: Nils::default(),
            told: Told::default(),
            mailbox: Mailbox::default(),
            part_bytes: PartBytes::default(),
            tips: BTreeMap::new(),
            counters: Arc::clone(&monitor.counters),
            offered: Arc::clone(&monitor.offered),
            subscribers: Vec::new(),
            inbound: BTreeMap::new(),
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<NetworkMsg<Ctx>>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => {
                        let waiting = commands.len() as u64;
                        self.counters.commands.store(waiting, Ordering::Relaxed);
                        self.on_command(command);
                    }
                    None => break,
                },
                event = self.swarm.next() => self.on_event(event),
                vote = self.asking.answered() => self.on_asked_again(vote),
                () = until(self.nils.due()) => self.release_nils(),
                () = until(self.told.due()) => self.tell_again(),
            }
        }
    }

    /// Learns who validates and where consensus stands.
    fn look_around(&mut self) {
        // Whoever made the roster may be gone; it then stays as it is.
        if self.roster.has_changed().unwrap_or(false) {
            self.gate
                .follow(Arc::clone(&self.roster.borrow_and_update()));
        }
        let progress = self.progress.borrow();
        self.gate.move_to(progress.height, progress.round);
        self.told.move_to(progress.height);
        self.asking.move_to(progress.height);
    }

    fn emit(&self, event: &NetworkEvent<Ctx>) {
        for subscriber in &self.subscribers {
            subscriber.send(event.clone());
        }
    }

    fn on_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::PeerConnected(peer) => {
                self.told.peer_connected(Instant::now());
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::PeerConnected(peer));
                self.emit(&NetworkEvent::PeerSubscribed(peer, Channel::Sync));
            }
            PeerEvent::PeerDisconnected(peer) => {
                self.tips.remove(&peer.to_string());
                self.emit(&NetworkEvent::PeerDisconnected(to_engine(peer)));
            }
            PeerEvent::Message(message) => self.on_message(message),
            PeerEvent::Request {
                peer,
                id,
                data,
                channel,
            } => match WireCodec.decode(data.into()) {
                Ok(request) => {
                    let id = InboundRequestId::new(id);
                    self.inbound.insert(id.clone(), channel);
                    self.count_inbound();
                    let peer = to_engine(peer);
                    self.emit(&NetworkEvent::SyncRequest(id, peer, request));
                }
                Err(error) => {
                    debug!(%peer, %error, "malformed sync request");
                    self.swarm.bar(peer);
                }
            },
            PeerEvent::RequestAbandoned { peer, id } => {
                let id = InboundRequestId::new(id);
                self.inbound.remove(&id);
                self.count_inbound();
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::SyncInboundRequestFailed(id, peer));
            }
            PeerEvent::Response { peer, id, data } => {
                let response = WireCodec.decode(data.into());
                let id = OutboundRequestId::new(id);
                match &response {
                    Ok(response) => self.offer(response),
                    Err(error) => {
                        debug!(%peer, %error, "malformed sync response");
                        self.swarm.bar(peer);
                    }
                }
                let peer = to_engine(peer);
                self.emit(&NetworkEvent::SyncResponse(id, peer, response.ok()));
            }
            PeerEvent::RequestFailed { peer, id, error } => {
                let id = OutboundRequestId::new(id);
                let reason = reason(error);
                self.emit(&NetworkEvent::SyncRequestFailed(
                    id,
                    to_engine(peer),
                    reason,
                ));
            }
        }
    }

    /// Keeps the certificates of a response: verified, they prove that this node is behind.
    fn offer(&self, response: &sync::Response<Ctx>) {
        let sync::Response::ValueResponse(response) = response;
        let certificates = response.values.iter().filter_map(|value| {
            certificate_from_engine(&value.certificate.trim_vote_extensions()).ok()
        });
        self.offered.offer(certificates);
        self.wake.notify_one();
    }

    fn on_message(&mut self, mut message: Message) {
        self.look_around();
        let data = Bytes::from(std::mem::take(&mut message.data));
        let now = Instant::now();
        let taken = match message.topic {
            CONSENSUS | LIVENESS => self.take_statement(&message, data, now),
            PROPOSAL_PARTS => self.take_part(&message, data, now),
            _ => self.take_status(&message, data, now),
        };
        match taken {
            Taken::Event(event) => {
                // A status speaks for the neighbour that sent it.
                if message.topic == STATUS {
                    self.swarm.judge(&message, Judgement::Keep);
                    self.emit(&event);
                } else {
                    self.swarm.judge(&message, Judgement::Forward);
                    self.deliver_in_time(event, now);
                }
            }
            Taken::Malformed(error) => {
                debug!(peer = %message.from, %error, "malformed message");
                self.swarm.judge(&message, Judgement::Bar);
            }
            Taken::Refused(refusal, blame) => {
                debug!(peer = %message.from, refusal = refusal.word(), "message refused");
                self.counters.refused(refusal);
                self.swarm.judge(&message, blame);
            }
        }
    }

    /// Gives a message to the engine at once, or a vote for no block when waiting for others is
    /// in vain, soon at the latest: see [`crate::tally`].
    fn deliver_in_time(&mut self, event: Box<NetworkEvent<Ctx>>, now: Instant) {
        let NetworkEvent::Vote(_, vote) = &*event else {
            self.deliver(&event);
            return;
        };
        let statement = vote.message.statement();
        let validator = mc::Vote::<Ctx>::validator_address(&vote.message).0;
        // The engine has its own votes from its signer: in its log, those are what it derived.
        if self.own == Some(validator) {
            return;
        }
        let tally = self.witnessed.tally();
        tally.note(&statement, validator);
        let place = (statement.height, statement.round, statement.kind);
        let waits = statement.value.is_none()
            && statement.height == self.gate.height()
            && !tally.is_in_vain(place.0, place.1, place.2);
        match waits {
            true => {
                if let Some(event) = self.nils.hold(place, event, now) {
                    self.deliver(&event);
                }
            }
            false => self.deliver(&event),
        }
        self.release_nils();
    }

    /// Gives the engine the votes for no block that need wait no longer.
    fn release_nils(&mut self) {
        let tally = self.witnessed.tally();
        let in_vain = |(height, round, kind)| tally.is_in_vain(height, round, kind);
        let ready = self.nils.ready(Instant::now(), in_vain);
        for event in ready {
            self.deliver(&event);
        }
    }

    /// Tells peers that have connected since what this validator said last: they may have missed
    /// it, and the engine repeats itself seldom.
    fn tell_again(&mut self) {
        for (topic, data) in self.told.again() {
            self.swarm.publish(topic, data.to_vec());
        }
    }

    /// Gives a message to the engine, if it works off what it has. A mark behind every so many
    /// tells: the engine answers it, and has then come to what was before. A validator's proof
    /// serves as the mark, since no proof of a peer is ever passed on.
    fn deliver(&mut self, event: &NetworkEvent<Ctx>) {
        if !self.mailbox.has_room() {
            self.counters.refused(Refusal::Busy);
            return;
        }
        self.emit(event);
        if self.mailbox.give() {
            self.emit(&NetworkEvent::ValidatorProofReceived {
                peer_id: to_engine(self.swarm.local_peer_id()),
                proof: mark(),
            });
        }
        self.count_mailbox();
    }

    fn count_mailbox(&self) {
        let depth = self.mailbox.depth();
        self.counters
            .engine_messages
            .store(depth, Ordering::Relaxed);
    }

    fn count_inbound(&self) {
        let waiting = self.inbound.len() as u64;
        self.counters
            .sync_requests
            .store(waiting, Ordering::Relaxed);
    }
}

/// Returns at that time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A proof that proves nothing: see [`Network::deliver`].
fn mark() -> mc::ValidatorProof<Ctx> {
    mc::ValidatorProof::new(Vec::new(), Vec::new(), Signature::ABSTAINED)
}

/// The engine's form of the same id.
fn to_engine(peer: tbsi_p2p::PeerId) -> PeerId {
    PeerId::from_bytes(&peer.to_bytes()).expect("both are multihashes of a public key")
}

fn reason(error: RequestFailure) -> OutboundFailureReason {
    match error {
        RequestFailure::Dial => OutboundFailureReason::DialFailure,
        RequestFailure::Timeout => OutboundFailureReason::Timeout,
        RequestFailure::Closed => OutboundFailureReason::ConnectionClosed,
        RequestFailure::Unsupported => OutboundFailureReason::UnsupportedProtocols,
        RequestFailure::Io => OutboundFailureReason::Io,
    }
}
