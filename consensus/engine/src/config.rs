//! What the engine needs to start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tbsi_light::KnownSignatures;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Roster, TimestampMs};
use tokio::sync::watch;

/// Everything but the validator's key, which [`crate::Engine::start`] takes by value.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Timeouts and pacing, from genesis.
    pub parameters: ConsensusParameters,
    /// This node's name, for logs and metrics.
    pub name: String,
    /// Where to listen, and who may connect. Its chain is bound into every signature too.
    pub p2p: tbsi_p2p::NetworkConfig,
    /// Who decides the next block and who may connect, as committed blocks say: it tells whose
    /// messages are taken.
    pub roster: watch::Receiver<Arc<Roster>>,
    /// How long a validator that has signed before listens, when it starts, for what somebody else
    /// signs with its key; none looks out for nobody.
    pub twin_watch: Option<Duration>,
    /// Shared with the chain, so that a signature is verified once.
    pub known: Arc<KnownSignatures>,
    /// Folder of the write-ahead log.
    pub wal_dir: PathBuf,
    /// The time of day.
    pub clock: fn() -> TimestampMs,
}
