//! A libp2p swarm of named peers: TCP, noise, yamux, gossipsub, requests, and nothing else.
//!
//! Only peers on a list get in, and they are refused before any protocol hears of them
//! (SPEC §6.7). Protocol names carry the genesis hash, so networks never mix. What is carried
//! are bytes: their owner decodes them, and says of each gossiped message whether it goes on
//! ([`Judgement`]).
//!
//! libp2p stays inside: what is public is named by types of this crate.
//!
//! It is not a place for consensus or transactions: those are the rooms above.

mod address;
mod behaviour;
mod conduct;
mod config;
mod event;
mod handshakes;
mod id;
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

pub use config::{FoundAddresses, NetworkConfig, P2pError, PeerAddress, PeerProtocol, Requests};
pub use event::{Judgement, Message, PeerEvent, ReplyChannel, RequestFailure, Ticket};
pub use id::{NotAPeerId, PeerId, RequestId, peer_id};
pub use monitor::{Counts, Monitor, Queue};
pub use peers::PeerInfo;
pub use rate::Rate;
pub use swarm::{Swarm, listen};
