//! Malachite behind an engine-neutral port.
//!
//! This is the only room that knows Malachite: its context, codec, signing and message loop
//! live here, and none of its types leave. The rest of the node implements [`Chain`] (what
//! consensus asks of a chain) and drives [`Engine`].
//!
//! What consensus decides is the 32-byte digest of a [`tbsi_types::Checkpoint`] (SPEC §3.6);
//! block bytes travel beside it in proposal parts (SPEC §6.2) and value sync (SPEC §6.3).
//!
//! It is not a place for block validity, storage or peers' rights: those are behind the port.

mod codec;
mod config;
mod context;
#[doc(hidden)]
pub mod fuzz;
#[doc(hidden)]
pub mod host;
pub mod limits;
mod memory;
mod network;
mod pacing;
mod port;
mod progress;
mod serve;
mod signing;
mod start;
#[doc(hidden)]
pub mod stepped;
mod streams;
mod tally;
mod twin;
mod wal;
mod witnessed;

pub use config::EngineConfig;
pub use network::NetworkMonitor;
pub use port::{Candidate, Chain, ChainError, Commit, DropReason, Note, Verdict};
pub use progress::Progress;
pub use start::{Engine, EngineError, metrics_text};
pub use wal::LogMended;
