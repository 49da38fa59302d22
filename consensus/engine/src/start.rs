//! Starting and running the engine.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::config::{
    ChannelNames, ConsensusConfig, DiscoveryConfig, GossipSubConfig, NodeConfig, P2pConfig,
    ProtocolNames, PubSubProtocol, ValueSyncConfig,
};
use arc_malachitebft_app_channel::app::engine::network::NetworkIdentity;
use arc_malachitebft_app_channel::app::types::Keypair;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::{
    Channels, ConsensusContext, EngineBuilder, EngineHandle, NetworkContext, RequestContext,
    SyncContext, WalContext,
};
use arc_malachitebft_signing::Signer;
use bytesize::ByteSize;
use tbsi_types::limits::NODES_MAX;
use tbsi_types::{ChainIdentity, SecretKey};
use tokio::sync::{Notify, watch};

use crate::codec::WireCodec;
use crate::config::EngineConfig;
use crate::context::{Address, Ctx};
use crate::host::Host;
use crate::limits::{
    GOSSIP_BYTES_MAX, QUEUED_INPUTS_PER_HEIGHT_MAX, REQUESTS_MAX, SYNC_BATCH_BLOCKS_MAX,
    SYNC_RESPONSE_BYTES_MAX,
};
use crate::port::{Chain, ChainError};
use crate::progress::Progress;
use crate::sign_state::SignState;
use crate::signing::{ChainVerifier, GuardedSigner};

/// How long a stopping engine may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the engine did not start, or stopped. Each is a reason to end the process.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An address or key that the network library does not take.
    #[error("engine configuration: {0}")]
    Config(String),
    /// Port in use, or an address of another machine.
    #[error(
        "listen for consensus on {listen} (config.toml, key `p2p.consensus`): choose a free \
         port and an address of this machine"
    )]
    Listen {
        /// Address that was to be listened on.
        listen: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
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
    host: Host<C>,
}

impl<C: Chain> Engine<C> {
    /// Starts consensus over `chain`. With a key and sign-state the node validates where the
    /// set names it; without, it observes. `wake` ends the wait of an idle chain.
    pub async fn start(
        config: EngineConfig,
        node_key: [u8; 32],
        validator: Option<(SecretKey, SignState)>,
        chain: C,
        wake: Arc<Notify>,
    ) -> Result<(Self, watch::Receiver<Progress>), EngineError> {
        check_port(config.listen)?;
        let keys = validator.as_ref().map(|(key, _)| key.public_key());
        let address = keys.map(|key| key.address());
        let (channels, handle) = launch(config.clone(), node_key, validator).await?;
        let (progress, watched) = watch::channel(Progress::default());
        let host = Host::new(&config, address, chain, wake, progress);
        Ok((
            Self {
                channels,
                handle,
                host,
            },
            watched,
        ))
    }

    /// Serves consensus until `shutdown` turns true or something fails.
    pub async fn run(self, shutdown: watch::Receiver<bool>) -> Result<(), EngineError> {
        let Self {
            mut channels,
            handle,
            mut host,
        } = self;
        let outcome = host.serve(&mut channels, shutdown).await;
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

type Launched = Result<(Channels<Ctx>, EngineHandle), EngineError>;

/// Starts Malachite. Boxed, so that it is compiled here once and not again in every crate
/// that starts an engine.
fn launch(
    config: EngineConfig,
    node_key: [u8; 32],
    validator: Option<(SecretKey, SignState)>,
) -> Pin<Box<dyn Future<Output = Launched> + Send>> {
    Box::pin(async move {
        let keypair = Keypair::ed25519_from_bytes(node_key)
            .map_err(|error| EngineError::Config(format!("node key: {error}")))?;
        let peer_id = keypair.public().to_peer_id();
        let address = validator
            .as_ref()
            .map(|(key, _)| key.public_key().address());
        let signer = validator.map(|(key, state)| {
            let public_key = key.public_key();
            (public_key, GuardedSigner::new(config.chain, key, state))
        });
        let verifier = Box::new(ChainVerifier(config.chain));
        let own = Address(address.unwrap_or_default());
        let (identity, consensus) = match signer {
            Some((public_key, signer)) => {
                let proof = signer
                    .sign_validator_proof(public_key.encode().to_vec(), peer_id.to_bytes())
                    .await
                    .map_err(|error| EngineError::Config(error.to_string()))?;
                let proof = WireCodec
                    .encode(&proof)
                    .map_err(|error| EngineError::Config(error.to_string()))?;
                let name = config.name.clone();
                let identity =
                    NetworkIdentity::new_validator(name, keypair, own.to_string(), proof);
                let context = ConsensusContext::new_validator(own, verifier, Box::new(signer));
                (identity, context)
            }
            None => (
                NetworkIdentity::new(config.name.clone(), keypair, None),
                ConsensusContext::new_full_node(own, verifier),
            ),
        };
        let wal = config.wal_dir.join("consensus.wal");
        EngineBuilder::new(Ctx, settings(&config, &peer_id.to_string())?)
            .with_default_wal(WalContext::new(wal, WireCodec))
            .with_default_network(NetworkContext::new(identity, WireCodec))
            .with_default_consensus(consensus)
            .with_default_sync(SyncContext::new(WireCodec))
            .with_default_request(RequestContext::new(REQUESTS_MAX))
            .build()
            .await
            .map_err(|error| EngineError::Start {
                wal_dir: config.wal_dir.clone(),
                problem: format!("{error:#}"),
            })
    })
}

/// Malachite's network ends in silence if it cannot listen, and shares a port with another
/// libp2p process (SO_REUSEPORT). This socket does neither.
fn check_port(listen: SocketAddr) -> Result<(), EngineError> {
    let socket = TcpListener::bind(listen);
    drop(socket.map_err(|source| EngineError::Listen { listen, source })?);
    Ok(())
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

fn settings(config: &EngineConfig, own_peer_id: &str) -> Result<Settings, EngineError> {
    let mut persistent_peers = Vec::new();
    for peer in config
        .peers
        .iter()
        .filter(|peer| peer.peer_id != own_peer_id)
    {
        persistent_peers.push(multiaddr(peer.address, &format!("/p2p/{}", peer.peer_id))?);
    }
    let p2p = P2pConfig {
        listen_addr: multiaddr(config.listen, "")?,
        persistent_peers,
        persistent_peers_only: true,
        discovery: DiscoveryConfig {
            enabled: false,
            num_outbound_peers: NODES_MAX,
            num_inbound_peers: NODES_MAX,
            // Several nodes of one organisation may share an address; strangers are bounded
            // by the peer list.
            max_connections_per_ip: 2 * NODES_MAX,
            max_connections_per_peer: 4,
            ip_throttle_duration: Duration::ZERO,
            ..DiscoveryConfig::default()
        },
        protocol: PubSubProtocol::GossipSub(GossipSubConfig::new(8, 16, 6, 3, false, true, true)),
        pubsub_max_size: ByteSize::b(GOSSIP_BYTES_MAX as u64),
        rpc_max_size: ByteSize::b(SYNC_RESPONSE_BYTES_MAX as u64),
        protocol_names: protocol_names(&config.chain),
        channel_names: channel_names(&config.chain),
        ..P2pConfig::default()
    };
    Ok(Settings {
        name: config.name.clone(),
        consensus: ConsensusConfig {
            enabled: true,
            p2p,
            queue_per_height_capacity: QUEUED_INPUTS_PER_HEIGHT_MAX,
            ..ConsensusConfig::default()
        },
        value_sync: ValueSyncConfig {
            enabled: true,
            status_update_interval: Duration::from_secs(1),
            max_response_size: ByteSize::b(SYNC_RESPONSE_BYTES_MAX as u64),
            batch_size: SYNC_BATCH_BLOCKS_MAX,
            ..ValueSyncConfig::default()
        },
    })
}

/// A TCP address in libp2p's form, with the peer that is to be there, if any.
fn multiaddr<M: FromStr>(address: SocketAddr, peer: &str) -> Result<M, EngineError> {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{}/tcp/{}{peer}", address.ip(), address.port())
        .parse()
        .map_err(|_| EngineError::Config(format!("`{address}{peer}` is malformed")))
}

/// Names carry the genesis hash: nodes of two networks have no protocol in common.
fn protocol_names(chain: &ChainIdentity) -> ProtocolNames {
    let name = |protocol: &str| format!("/tbsi/{}/{protocol}/1", chain.genesis_hash);
    ProtocolNames {
        consensus: name("consensus"),
        discovery_kad: name("kad"),
        discovery_regres: name("discovery"),
        sync: name("sync"),
        validator_proof: name("validator-proof"),
    }
}

/// A topic has at most 64 bytes, so these carry the first eight bytes of the hash only.
fn channel_names(chain: &ChainIdentity) -> ChannelNames {
    let network = alloy_primitives::hex::encode(&chain.genesis_hash[..8]);
    let name = |channel: &str| format!("/tbsi/{network}/{channel}");
    ChannelNames {
        consensus: name("consensus"),
        proposal_parts: name("proposal-parts"),
        sync: name("sync"),
        liveness: name("liveness"),
    }
}
