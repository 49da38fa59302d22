//! A libp2p swarm of named peers: TCP, noise, yamux, gossipsub, requests, and nothing else.
//!
//! Only peers on a list get in, and they are refused before any protocol hears of them
//! (SPEC §6.7). Protocol names carry the genesis hash, so networks never mix. What is carried
//! are bytes: their owner decodes them, and says of each gossiped message whether it goes on
//! ([`Judgement`]).
//!
//! It is not a place for consensus or transactions: those are the rooms above.

mod behaviour;
mod conduct;
mod config;
mod event;
mod handshakes;
pub mod limits;
mod monitor;
mod peers;
mod rate;
mod requests;
mod swarm;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use behaviour::multiaddr;
pub use config::{NetworkConfig, P2pError, PeerAddress, Protocol, Requests, peer_id};
pub use event::{Judgement, Message, PeerEvent, Ticket};
pub use libp2p::request_response::{
    InboundRequestId, OutboundFailure, OutboundRequestId, ResponseChannel,
};
pub use libp2p::{Multiaddr, PeerId, identity};
pub use monitor::{Counts, Monitor, Queue};
pub use peers::PeerInfo;
pub use rate::Rate;
pub use swarm::{Swarm, listen};
