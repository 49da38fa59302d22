//! Starting and running the engine.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::config::{ConsensusConfig, NodeConfig, ValueSyncConfig};
use arc_malachitebft_app_channel::{
    Channels, ConsensusContext, EngineBuilder, EngineHandle, RequestContext, SyncContext,
    WalContext,
};
use bytesize::ByteSize;
use tbsi_keys::{Mark, Position, VoteSigner};
use tbsi_p2p::P2pError;
use tbsi_types::{Height, Round};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::codec::WireCodec;
use crate::config::EngineConfig;
use crate::context::{Address, Ctx};
use crate::host::Host;
use crate::limits::{
    QUEUED_HEIGHTS_MAX, QUEUED_INPUTS_PER_HEIGHT_MAX, REQUESTS_MAX, SYNC_BATCH_BLOCKS_MAX,
    SYNC_REQUEST_TIMEOUT, SYNC_RESPONSE_BYTES_MAX,
};
use crate::memory::Forgotten;
use crate::network::{self, NetworkMonitor, Spawned, Surroundings, Verified};
use crate::port::{Chain, ChainError};
use crate::progress::Progress;
use crate::serve::{Clocks, Server};
use crate::signing::{ChainVerifier, EngineSigner};
use crate::twin::TwinWatch;
use crate::wal::{self, LogMended, WalError};
use crate::witnessed::Witnessed;

/// The write-ahead log, in its folder.
const LOG_FILE: &str = "consensus.wal";
/// How long a stopping engine may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the engine did not start, or stopped. Each is a reason to end the process.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Port in use, for example.
    #[error(transparent)]
    P2p(#[from] P2pError),
    /// WAL not writable, for example.
    #[error(
        "start consensus with its log in {wal_dir}: {problem}; see that the disk has room and the \
         folder is writable",
        wal_dir = wal_dir.display()
    )]
    Start {
        /// Folder of the write-ahead log.
        wal_dir: PathBuf,
        /// The engine's words.
        problem: String,
    },
    /// The write-ahead log is damaged where it must not be.
    #[error("consensus' write-ahead log {path}: {problem}", path = path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The chain could not do what consensus needs.
    #[error("consensus stopped")]
    Chain(#[from] ChainError),
    /// The engine ended by itself: a disk error of its log or sign-state, or a defect.
    #[error(
        "consensus engine stopped: its write-ahead log or the sign-state failed, as the log says \
         above; see that the disk has room and works, then start the node again"
    )]
    Stopped,
}

/// A running engine, not yet listened to: [`Engine::run`] does.
pub struct Engine<C> {
    channels: Channels<Ctx>,
    handle: EngineHandle,
    server: Server<C>,
    monitor: NetworkMonitor,
    log_mended: Option<LogMended>,
}

impl<C: Chain> Engine<C> {
    /// Starts consensus over `chain`. With a validator's signer the node validates where the
    /// set names it; without, it observes. `wake` ends the wait of an idle chain.
    pub async fn start(
        config: EngineConfig,
        validator: Option<Box<dyn VoteSigner>>,
        chain: C,
        wake: Arc<Notify>,
    ) -> Result<(Self, watch::Receiver<Progress>), EngineError> {
        let address = validator
            .as_ref()
            .map(|signer| signer.public_key().address());
        let next = chain.tip().next();
        let (log_mended, lock) = open_log(&config.wal_dir, address, next)?;
        let witnessed = Witnessed::default();
        witnessed.memory().begin(next, lock);
        let (progress, watched) = watch::channel(Progress::default());
        let mark = validator.as_ref().and_then(|signer| signer.mark());
        let twin = address.zip(mark).filter(|_| config.twin_watch.is_some());
        let twin = twin.map(|(own, mark)| TwinWatch::new(own, config.p2p.chain, mark));
        let surroundings = Surroundings {
            roster: config.roster.clone(),
            progress: watched.clone(),
            verified: Verified::new(config.p2p.chain, Arc::clone(&config.known)),
            wake: Arc::clone(&wake),
            witnessed: witnessed.clone(),
            signer: validator.map(|signer| {
                let forgotten = Forgotten::in_dir(&config.wal_dir);
                EngineSigner::new(signer, witnessed.clone(), twin.clone(), forgotten)
            }),
            own: address,
            twin,
        };
        let launched = launch(config.clone(), witnessed.clone(), surroundings);
        let (channels, handle, monitor) = launched.await?;
        let clocks = Clocks::new(Instant::now(), config.clock);
        let mut host = Host::new(chain, config.parameters, address, clocks.now());
        // A time, and no number of blocks or peers: a network whose nodes all start does not wait
        // for itself.
        let has_signed = |mark: &Mark| mark.position() > Position::end_of(Height::GENESIS);
        if let (Some(_), Some(time)) = (mark.filter(has_signed), config.twin_watch) {
            host.listen_for(time);
        }
        let server = Server::new(host, clocks, wake, witnessed, progress);
        Ok((
            Self {
                channels,
                handle,
                server,
                monitor,
                log_mended,
            },
            watched,
        ))
    }

    /// Sees the consensus network.
    pub fn monitor(&self) -> NetworkMonitor {
        self.monitor.clone()
    }

    /// What was done to the write-ahead log before it was opened, if it was damaged.
    pub fn log_mended(&self) -> Option<LogMended> {
        self.log_mended
    }

    /// Serves consensus until `shutdown` turns true or something fails.
    pub async fn run(self, shutdown: watch::Receiver<bool>) -> Result<(), EngineError> {
        let Self {
            mut channels,
            handle,
            mut server,
            monitor: _,
            log_mended: _,
        } = self;
        let outcome = server.run(&mut channels, shutdown).await;
        handle.actor.stop(None);
        // Dropping the channel unblocks actors that wait for a reply of ours.
        drop(channels);
        if tokio::time::timeout(STOP_TIMEOUT, handle.handle)
            .await
            .is_err()
        {
            tracing::warn!("consensus engine did not stop within {STOP_TIMEOUT:?}");
        }
        outcome
    }
}

/// Makes the log fit to be replayed. Returns what that took, and of which precommit of the
/// validator the core will know.
fn open_log(
    wal_dir: &Path,
    validator: Option<tbsi_types::Address>,
    next: Height,
) -> Result<(Option<LogMended>, Option<Round>), EngineError> {
    let path = wal_dir.join(LOG_FILE);
    let opened = || {
        Forgotten::in_dir(wal_dir).empty_log(&path, next)?;
        let mended = wal::mend(&path, validator, next)?;
        let lock = match validator {
            Some(own) => wal::newest_lock(&path, own, next)?,
            None => None,
        };
        Ok((mended, lock))
    };
    opened().map_err(|error: WalError| EngineError::Log {
        path: path.clone(),
        problem: error.to_string(),
    })
}

type Launched = Result<(Channels<Ctx>, EngineHandle, NetworkMonitor), EngineError>;

/// Starts Malachite. Boxed, so that it is compiled here once and not again in every crate
/// that starts an engine.
fn launch(
    config: EngineConfig,
    witnessed: Witnessed,
    surroundings: Surroundings,
) -> Pin<Box<dyn Future<Output = Launched> + Send>> {
    Box::pin(async move {
        let failed = |problem: String| EngineError::Start {
            wal_dir: config.wal_dir.clone(),
            problem,
        };
        let verified = surroundings.verified.clone();
        let own = surroundings.own;
        let verifier = Box::new(ChainVerifier::new(verified, witnessed, own));
        let consensus = match own.zip(surroundings.signer.clone()) {
            Some((own, signer)) => {
                ConsensusContext::new_validator(Address(own), verifier, Box::new(signer))
            }
            None => ConsensusContext::new_full_node(Address(tbsi_types::Address::ZERO), verifier),
        };
        let swarm = tbsi_p2p::listen(&config.p2p, &network::PROTOCOL).await?;
        let spawned = network::start(swarm, surroundings).await;
        let Spawned {
            actor: network,
            parts,
            monitor,
        } = spawned.map_err(|error| failed(error.to_string()))?;
        let wal = config.wal_dir.join(LOG_FILE);
        let built = EngineBuilder::new(Ctx, Settings::new(&config))
            .with_default_wal(WalContext::new(wal, WireCodec))
            .with_custom_network(network.clone(), parts)
            .with_default_consensus(consensus)
            .with_default_sync(SyncContext::new(WireCodec))
            .with_default_request(RequestContext::new(REQUESTS_MAX))
            .build()
            .await;
        let (channels, handle) = built.map_err(|error| {
            network.stop(None);
            failed(error.root_cause().to_string())
        })?;
        Ok((channels, handle, monitor))
    })
}

/// The engine's own metrics, in Prometheus text format.
pub fn metrics_text() -> String {
    let mut text = String::new();
    arc_malachitebft_app_channel::app::metrics::export(&mut text);
    text
}

struct Settings {
    name: String,
    consensus: ConsensusConfig,
    value_sync: ValueSyncConfig,
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.name
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.value_sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.value_sync
    }
}

impl Settings {
    fn new(config: &EngineConfig) -> Self {
        Self {
            name: config.name.clone(),
            consensus: ConsensusConfig {
                enabled: true,
                queue_capacity: QUEUED_HEIGHTS_MAX,
                queue_per_height_capacity: QUEUED_INPUTS_PER_HEIGHT_MAX,
                ..ConsensusConfig::default()
            },
            value_sync: ValueSyncConfig {
                enabled: true,
                status_update_interval: Duration::from_secs(1),
                request_timeout: SYNC_REQUEST_TIMEOUT,
                max_response_size: ByteSize::b(SYNC_RESPONSE_BYTES_MAX as u64),
                batch_size: SYNC_BATCH_BLOCKS_MAX,
                ..ValueSyncConfig::default()
            },
        }
    }
}
