//! What the engine needs to start.

use std::path::PathBuf;

use tbsi_types::TimestampMs;
use tbsi_types::genesis::ConsensusParameters;

/// Everything but the validator's key, which [`crate::Engine::start`] takes by value.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Timeouts and pacing, from genesis.
    pub parameters: ConsensusParameters,
    /// This node's name, for logs and metrics.
    pub name: String,
    /// Where to listen, and who may connect. Its chain is bound into every signature too.
    pub p2p: tbsi_p2p::Config,
    /// Folder of the write-ahead log.
    pub wal_dir: PathBuf,
    /// The time of day.
    pub clock: fn() -> TimestampMs,
}
