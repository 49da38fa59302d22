//! Puts a node together from its home directory, up to the point where tasks run.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use tbsi_engine::{Engine, EngineConfig, SignState, Validator};
use tbsi_p2p::PeerAddress;
use tbsi_rpc::{RpcLimits, ServerConfig, ServerHandle};
use tbsi_store::{Store, StoreError, StoreOptions};
use tbsi_types::log::SignatureType;
use tbsi_types::{Address, ChainIdentity, CommitSignature, Genesis, Height, PublicKey, SecretKey};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::api::{NodeApi, Witness};
use crate::chain::NodeChain;
use crate::config::{Config, SignerConfig};
use crate::genesis_block::ensure_genesis;
use crate::gossip::{self, GossipEvent};
use crate::health;
use crate::home::{Home, LoadedHome};
use crate::limits::{
    DATABASE_LOCK_RETRY, DATABASE_LOCK_TIMEOUT, DEVELOPMENT_CHAIN_ID, MEMPOOL_QUEUED_MAX,
};
use crate::mempool::MempoolLimits;
use crate::node::{Node, NodeParts, wall_clock};
use crate::signer::RemoteSigner;
use crate::tsa::Authority;

/// A node that listens and is ready to run its tasks.
pub(crate) struct Assembled {
    pub(crate) node: Arc<Node>,
    pub(crate) engine: Engine<NodeChain>,
    pub(crate) rpc: ServerHandle,
    pub(crate) health: TcpListener,
    pub(crate) events: mpsc::Receiver<GossipEvent>,
}

/// Opens and checks everything; refuses with the name of what is wrong.
pub(crate) async fn assemble(home: &Home) -> anyhow::Result<Assembled> {
    let LoadedHome {
        config,
        genesis,
        node_key,
        validator_key,
    } = home.load()?;
    let home = &home.unlock(&config)?;
    warn_of_plain_keys(home, genesis.chain_id)?;
    let validators = genesis.validator_set()?;
    let identity = genesis.identity();
    let history_blocks = config.store.history_blocks;
    let options = StoreOptions {
        history_blocks,
        ..StoreOptions::default()
    };
    let store = open_store(home, identity, options).await?;
    ensure_genesis(&store, &genesis, &validators)?;
    let validator = match (validator_key, &config.signer) {
        (Some(key), _) => {
            let state = open_sign_state(home, &store, &genesis, &key)?;
            Some(Validator::Local(key, state))
        }
        (None, Some(signer)) => Some(remote_signer(home, &store, identity, signer).await?),
        (None, None) => None,
    };
    let own = validator.as_ref().map(|it| it.public_key().address());
    let health = health::listen(config.metrics.listen).await?;
    let (gossip, events) =
        gossip::spawn(&gossip_config(&config, &genesis, node_key.expose())).await?;
    let node = Arc::new(Node::new(NodeParts {
        genesis,
        validators,
        name: config.name.clone(),
        validator: own,
        store,
        mempool: mempool_limits(&config),
        gossip,
    }));
    let witness = witness(home, &config, identity)?;
    let api = NodeApi(Arc::clone(&node), witness);
    let rpc = tbsi_rpc::serve(server_config(&config), Arc::new(api)).await?;
    std::fs::create_dir_all(home.wal_dir())
        .with_context(|| format!("create {}", home.wal_dir().display()))?;
    let (engine, progress) = Engine::start(
        engine_config(home, &config, &node, node_key.expose()),
        validator,
        NodeChain::new(Arc::clone(&node), wall_clock),
        Arc::clone(&node.wake),
    )
    .await?;
    assert!(
        node.progress.set(progress).is_ok(),
        "a node is assembled once"
    );
    node.announce(node.tip().height);
    info!(
        name = node.name, chain_id = identity.chain_id, genesis = %identity.genesis_hash,
        role = if own.is_some() { "validator" } else { "observer" }, height = %node.tip().height,
        rpc = %rpc.local_addr(), metrics = ?health.local_addr().ok(),
        consensus = %config.p2p.consensus, gossip = %node.gossip.local_addr(), "node started"
    );
    Ok(Assembled {
        node,
        engine,
        rpc,
        health,
        events,
    })
}

/// On a network for development keys need no password.
fn warn_of_plain_keys(home: &Home, chain_id: u64) -> anyhow::Result<()> {
    if chain_id == DEVELOPMENT_CHAIN_ID {
        return Ok(());
    }
    for (kind, encrypted) in home.key_files()? {
        if !encrypted {
            let file = home.key_file(kind);
            warn!(file = %file.display(), "key file is not encrypted; `tbsi keys encrypt` does it");
        }
    }
    Ok(())
}

/// What the node signs with for other software. The log key is made here if the home is older
/// than the log.
fn witness(home: &Home, config: &Config, identity: ChainIdentity) -> anyhow::Result<Witness> {
    let log = home.ensure_log_key()?.signer(&identity);
    info!(key = log.verifier(SignatureType::Note).encode(), "log key");
    let authority = config.tsa.as_ref();
    let authority = authority
        .map(|tsa| Authority::load(home, tsa))
        .transpose()?;
    Ok(Witness { log, authority })
}

/// Opens the database. A process that was killed may hold its lock while the kernel still
/// writes for it, so a taken lock is waited for a little.
async fn open_store(
    home: &Home,
    identity: ChainIdentity,
    options: StoreOptions,
) -> Result<Store, StoreError> {
    let deadline = Instant::now() + DATABASE_LOCK_TIMEOUT;
    loop {
        match Store::open(&home.database_dir(), identity, options) {
            Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                sleep(DATABASE_LOCK_RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

/// Opens the sign-state of this node's key; refuses one that is older than the chain.
fn open_sign_state(
    home: &Home,
    store: &Store,
    genesis: &Genesis,
    key: &SecretKey,
) -> anyhow::Result<SignState> {
    let address = key.public_key().address();
    let state = SignState::open(&home.sign_state_file(), genesis.identity(), address)?;
    state.require_at_least(highest_signed(store, address)?)?;
    Ok(state)
}

/// Connects to the signer that has this node's validator key.
async fn remote_signer(
    home: &Home,
    store: &Store,
    chain: ChainIdentity,
    signer: &SignerConfig,
) -> anyhow::Result<Validator> {
    let expected = PublicKey::parse(&signer.validator_key)?;
    let signed = highest_signed(store, expected.address())?;
    let remote = RemoteSigner::connect(
        signer.address.clone(),
        home.load_link_key()?,
        signer.public_key.0,
        chain,
        expected,
        signed,
    );
    let remote = remote.await?;
    info!(address = %signer.address, "connected to the signer");
    Ok(Validator::Other(Box::new(remote)))
}

/// The last height whose certificate carries this validator's signature. A quorum leaves some
/// out, so a few blocks are looked at.
fn highest_signed(store: &Store, validator: Address) -> anyhow::Result<Height> {
    const CERTIFICATES_MAX: usize = 256;
    let mut height = store.tip().map(|tip| tip.height);
    for _ in 0..CERTIFICATES_MAX {
        let Some(at) = height.filter(|height| *height > Height::GENESIS) else {
            break;
        };
        let certificate = store.certificate(at)?;
        let signed = |entry: &CommitSignature| entry.validator == validator;
        if certificate.is_some_and(|certificate| certificate.signatures().iter().any(signed)) {
            return Ok(at);
        }
        height = at.previous();
    }
    Ok(Height::GENESIS)
}

fn mempool_limits(config: &Config) -> MempoolLimits {
    let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let transactions_max = count(config.mempool.transactions_max);
    MempoolLimits {
        transactions_max,
        // A small pool too has room for what can be executed.
        queued_max: MEMPOOL_QUEUED_MAX.min(transactions_max / 2),
        bytes_max: usize::try_from(config.mempool.bytes_max).unwrap_or(usize::MAX),
        per_sender_max: count(config.mempool.per_sender_max),
        nonce_gap_max: config.mempool.nonce_gap_max.into(),
        ..MempoolLimits::default()
    }
}

fn gossip_config(config: &Config, genesis: &Genesis, node_key: [u8; 32]) -> tbsi_p2p::Config {
    let peers = config.p2p.peers.iter();
    tbsi_p2p::Config {
        network: "gossip",
        listen: config.p2p.gossip,
        keypair_bytes: node_key,
        peers: peers
            .map(|peer| PeerAddress {
                peer_id: peer.peer_id.clone(),
                address: peer.gossip,
            })
            .collect(),
        allowed_peers: peer_ids(genesis),
        chain: genesis.identity(),
    }
}

fn peer_ids(genesis: &Genesis) -> BTreeSet<String> {
    let nodes = genesis.nodes.iter();
    nodes.map(|node| node.peer_id.clone()).collect()
}

fn engine_config(home: &Home, config: &Config, node: &Node, node_key: [u8; 32]) -> EngineConfig {
    let peers = config.p2p.peers.iter();
    let validator_peers = node.validators.iter().filter_map(|validator| {
        let entry = node.genesis.node_of_validator(validator.address)?;
        Some((validator.address, entry.peer_id.clone()))
    });
    EngineConfig {
        parameters: node.genesis.consensus,
        name: config.name.clone(),
        p2p: tbsi_p2p::Config {
            network: "consensus",
            listen: config.p2p.consensus,
            keypair_bytes: node_key,
            peers: peers
                .map(|peer| PeerAddress {
                    peer_id: peer.peer_id.clone(),
                    address: peer.consensus,
                })
                .collect(),
            allowed_peers: peer_ids(&node.genesis),
            chain: node.identity,
        },
        validator_peers: validator_peers.collect(),
        wal_dir: home.wal_dir(),
    }
}

fn server_config(config: &Config) -> ServerConfig {
    let rpc = &config.rpc;
    ServerConfig {
        listen: rpc.listen,
        cors_origins: rpc.cors_origins.clone(),
        limits: RpcLimits {
            connections_max: rpc.connections_max,
            request_bytes_max: rpc.request_bytes_max,
            response_bytes_max: rpc.response_bytes_max,
            batch_items_max: rpc.batch_items_max,
            subscriptions_max: rpc.subscriptions_max,
            calls_max: usize::try_from(rpc.calls_max).unwrap_or(usize::MAX),
            log_blocks_max: rpc.log_blocks_max,
            log_results_max: usize::try_from(rpc.log_results_max).unwrap_or(usize::MAX),
        },
    }
}
