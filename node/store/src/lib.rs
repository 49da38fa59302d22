//! The store of a node: blocks, receipts, checkpoints and certificates, the world state with
//! its Merkle-Patricia trie, and what consensus must find again after a crash.
//!
//! One block is one atomic, synced write ([`Store::commit`]); nothing of a block is visible
//! before all of it is on the disk. One thread writes, any number read. The only crate that
//! knows RocksDB.
//!
//! ```no_run
//! # use tbsi_store::{CommitBlock, LogPlace, Store, StoreOptions, StoreError};
//! # use tbsi_types::*;
//! # use tbsi_types::log::LeafBatch;
//! # fn example(identity: ChainIdentity, proposed: ProposedBlock, receipts: Vec<Receipt>,
//! #     checkpoint: Checkpoint, certificate: CommitCertificate, diff: StateDiff,
//! # ) -> Result<(), StoreError> {
//! let store = Store::open("data/chain".as_ref(), identity, StoreOptions::default())?;
//! let update = store.state_root(&diff)?; // what the block's header must name
//! let place = LogPlace { height: Height(1), time: checkpoint.time, map_period_ms: 60_000 };
//! let log = store.log_update(&place, LeafBatch::default())?; // and its checkpoint
//! store.commit(CommitBlock {
//!     proposed: &proposed,
//!     receipts: &receipts,
//!     checkpoint: &checkpoint,
//!     certificate: Some(&certificate),
//!     update: &update,
//!     log: &log,
//!     next_members: None,
//! })?;
//! let state = store.state_at(Height(1))?;
//! let proof = state.prove(Address::ZERO, &[])?;
//! # Ok(()) }
//! ```
//!
//! The first error whose [`StoreError::is_halt`] is true ends the node: what the disk holds is
//! then unknown, and the next start finds out.

mod appearance;
mod audit;
mod chain;
mod commit;
mod consensus;
mod database;
mod error;
mod hot;
mod keys;
pub mod limits;
mod log;
mod lookup;
mod map;
mod needed;
mod pages;
mod pruning;
mod ranges;
mod roster;
mod signed;
mod state;
mod store;
mod trie;
mod update;
mod upkeep;

#[cfg(test)]
mod tests;

pub use appearance::Appearances;
pub use audit::{AuditedLog, AuditedState};
pub use chain::CountedReceipt;
pub use commit::CommitBlock;
pub use database::{ReadThrough, TableSize};
pub use error::{DatabaseError, StoreError};
pub use log::LogUpdate;
pub use map::{LogPlace, MapAnswers};
pub use needed::NeededNodes;
pub use ranges::StatePage;
pub use signed::EvidencePlace;
pub use state::StateAt;
pub use store::{Store, StoreOptions, Tip};
pub use update::StateUpdate;
