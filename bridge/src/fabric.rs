//! Channels of Hyperledger Fabric: the client on them is a chaincode (SPEC §17), and each plan a
//! transaction that peers endorse, orderers order and peers judge. [`Gateways`] are the gateways of
//! peers, [`ChannelReader`] reads a channel behind them, [`Fabric`] sends to it.
//!
//! What a gateway gives back to be signed is taken apart first ([`EndorsedCall`]): it must be what
//! was asked for, byte for byte, and write nothing but the keys of that call. Nothing that one
//! gateway says alone is final.

mod answers;
mod arguments;
mod audit;
mod block;
mod calls;
mod chase;
mod check;
mod endorsed;
mod events;
mod facts;
mod files;
mod grpc;
mod identity;
pub mod messages;
mod peers;
mod proposal;
mod reader;
mod refusal;
mod sender;
mod steps;

pub use answers::{ClientHead, ClientOpening, ClientStatus, NamedRelayer, PausedScope};
pub use arguments::outbox_entry;
pub use block::{
    ChannelBlock, DUPLICATE_TXID, ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT,
    PHANTOM_READ_CONFLICT, VALID, header_hash, validation,
};
pub use calls::FabricDraft;
pub use endorsed::EndorsedCall;
pub use events::{ChannelEvent, EventPosition, EventPositionError, events_in};
pub use facts::{Stated, certificates, facts_creation_code};
pub use files::{FabricFileError, gateways, identity};
pub use grpc::{EventStream, GatewayTls, Gateways};
pub use identity::{Identity, IdentityError, Signatory};
pub use peers::{Evaluated, FabricPeers, agreed};
pub use proposal::{ChaincodeCall, Proposal, id_text};
pub use reader::{ChannelMember, ChannelReader};
pub use refusal::CallError;
pub use sender::Fabric;
