//! The TBSI node: mempool, peers, health, and the list of tasks that wires the rooms.
//!
//! [`run`] is the whole node; `tbsi node run` calls it. Consensus is `tbsi-engine`'s,
//! execution `tbsi-execution`'s, storage `tbsi-store`'s, JSON-RPC `tbsi-rpc`'s; what joins
//! them is here: [`chain`] answers consensus, [`api`] answers clients.

mod account;
mod accuse;
mod addresses;
mod answers;
pub mod api;
mod assemble;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod certificates;
pub mod chain;
mod clock;
pub mod control;
mod cosign;
mod decisions;
mod expiry;
mod genesis_block;
pub mod gossip;
mod harden;
mod health;
pub mod limits;
pub mod listeners;
pub mod machine;
mod map_proofs;
pub mod mempool;
pub mod metrics;
pub mod moving;
pub mod node;
mod options;
mod pending;
mod proofs;
pub mod recover;
mod registry_proofs;
mod rotation;
pub mod rules;
mod run;
mod serving;
pub mod tsa;
mod upgrade;
pub mod upkeep;
mod watchdog;
pub mod witness;

/// What simulation needs to put a node together by itself.
#[doc(hidden)]
pub mod parts {
    pub use crate::account::Sender;
    pub use crate::accuse::Accuser;
    pub use crate::api::tile;
    pub use crate::assemble::{current_roster, highest_signed};
    pub use crate::cosign::{Cosigning, OwnCosigner};
    pub use crate::genesis_block::ensure_genesis;
    pub use crate::proofs::{bundle, handovers, leaves_of};
    pub use crate::rotation::current_key;
}

pub use clock::wall_clock;
pub use harden::forbid_core_dumps;
pub use run::{abort_on_panic, run, run_supporting};
pub use tbsi_execution::PROTOCOL_VERSION;
