//! Puts a node together from its home directory, up to the point where tasks run.

mod signer;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tbsi_engine::{Engine, EngineConfig};
use tbsi_home::config::{Config, HISTORY_ALL, StoreConfig, WitnessConfig};
use tbsi_home::limits::DEVELOPMENT_CHAIN_ID;
use tbsi_home::{Home, LoadedHome};
use tbsi_keys::VoteSigner;
use tbsi_p2p::PeerAddress;
use tbsi_rpc::{Http, RpcServer};
use tbsi_store::{Store, StoreError};
use tbsi_types::log::{NoteVerifier, SignatureType};
use tbsi_types::{B256, ChainIdentity, Genesis, Height, Roster};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::account::Sender;
use crate::addresses::AddressFinder;
use crate::api::{NodeApi, Witness};
use crate::calendar::Calendar;
use crate::chain::NodeChain;
use crate::clock::wall_clock;
use crate::control::Control;
use crate::cosign::OwnCosigner;
use crate::genesis_block::ensure_genesis;
use crate::gossip::{self, GossipTask, Incoming};
use crate::health;
use crate::limits::{DATABASE_LOCK_RETRY, DATABASE_LOCK_TIMEOUT, MEMPOOL_QUEUED_MAX};
use crate::listeners::{server_config, tls_certificates};
use crate::mempool::{MempoolLimits, journal};
use crate::node::{Node, NodeParts};
use crate::options::store_options;
use crate::rotation::warn_if_unknown;
use crate::rules::{NextRules, tip_context};
use crate::tsa::Authority;
use crate::witness::WitnessedLogs;
use crate::witness::submit::Submitter;
pub use signer::highest_signed;
use signer::{local_signer, own_key, vote_signer};

/// A node that listens and is ready to run its tasks.
pub(crate) struct Assembled {
    pub(crate) node: Arc<Node>,
    pub(crate) engine: Engine<NodeChain>,
    pub(crate) rpc: RpcServer,
    pub(crate) health: TcpListener,
    pub(crate) gossip: GossipTask,
    /// Ids of the peers that both networks admit.
    pub(crate) peers: watch::Sender<BTreeSet<String>>,
    /// Who finds where they listen; `None` if only the configuration says that.
    pub(crate) addresses: Option<AddressFinder>,
    pub(crate) incoming: Incoming,
    /// Of a validator whose log key is known to all.
    pub(crate) cosigner: Option<OwnCosigner>,
    /// One for each outside witness.
    pub(crate) submitters: Vec<Submitter>,
    /// Of a node that is one.
    pub(crate) calendar: Option<Arc<Calendar>>,
    /// Of the node's own account.
    pub(crate) account: Option<Sender>,
    /// Where the next validator key may be; `None` if a remote signer has the key (SPEC §6.8).
    pub(crate) rotating: Option<Home>,
    /// Where the database is.
    pub(crate) data: PathBuf,
    /// Who makes copies of the database.
    pub(crate) control: Control,
    /// Files of the certificates with which it speaks TLS, and for whom.
    pub(crate) certificates: Vec<(&'static str, PathBuf)>,
}

/// Opens and checks everything; refuses with the name of what is wrong.
pub(crate) async fn assemble(home: &Home, protocol: u32) -> anyhow::Result<Assembled> {
    let LoadedHome {
        config,
        genesis,
        node_key,
        validator_key,
        account_key,
    } = home.load()?;
    let home = &home.unlock(&config)?;
    warn_of_plain_keys(home, genesis.chain_id)?;
    let (store, rules, roster) = open_chain(home, &config, &genesis, protocol).await?;
    let local = validator_key.map(|key| local_signer(home, &genesis, &store, &roster, key));
    let local = local.transpose()?;
    let own = own_key(local.as_ref(), config.signer.as_ref())?;
    warn_if_unknown(&roster, &node_key.peer_id(), own.as_ref());
    let own = own.map(|key| key.address());
    let peers = watch::Sender::new(roster.peers.keys().cloned().collect());
    let addresses = AddressFinder::of(&config.p2p, node_key.peer_id(), &roster);
    let health = health::listen(config.metrics.listen).await?;
    let control = Control::listen(home)?;
    let (chain, peer_ids) = (genesis.identity(), peers.subscribe());
    let gossip = gossip_config(&config, chain, node_key.expose(), peer_ids, &addresses);
    let network = gossip::listen(&gossip).await?;
    let node = Arc::new(Node::new(NodeParts {
        genesis,
        roster,
        name: config.name.clone(),
        validator: own,
        protocol,
        rules,
        store,
        mempool: mempool_limits(&config),
        gossip: network.handle,
        witnesses: outside_keys(&config),
        known: Arc::default(),
    }));
    let validator = vote_signer(local, home, &node, config.signer.as_ref()).await?;
    node.take_back(&home.data_dir().join(journal::FILE_NAME));
    let witness = witness(home, &config, &node, node_key.peer_id())?;
    let cosigner = own_cosigner(home, &node)?;
    let submitters = submitters(home, &config, &node, &witness)?;
    let calendar = witness.calendar.clone();
    let api = NodeApi::new(Arc::clone(&node), witness);
    let rpc = tbsi_rpc::listen(server_config(home, &config)?, Arc::new(api)).await?;
    let (key, peer_ids) = (node_key.expose(), peers.subscribe());
    let engine = engine_config(home, &config, &node, key, peer_ids, &addresses);
    let engine = start_engine(engine, validator, &node).await?;
    node.announce(node.tip().height);
    say_started(&node, &config, &rpc, health.local_addr().ok());
    Ok(Assembled {
        node,
        engine,
        rpc,
        health,
        gossip: network.task,
        peers,
        addresses: config.p2p.registry_addresses.then_some(addresses),
        incoming: network.incoming,
        cosigner,
        submitters,
        calendar,
        account: account_key.map(Sender::new),
        rotating: config.signer.is_none().then(|| home.clone()),
        data: home.data_dir(),
        control,
        certificates: tls_certificates(home, &config.rpc),
    })
}

/// The chain as it is on the disk, what its next block obeys, and who decides that.
async fn open_chain(
    home: &Home,
    config: &Config,
    genesis: &Genesis,
    protocol: u32,
) -> anyhow::Result<(Store, NextRules, Roster)> {
    let founders = Roster::of_genesis(genesis)?;
    let store = open_store(home, genesis.identity(), &config.store).await?;
    ensure_genesis(&store, genesis, &founders.members)?;
    let rules = next_rules(&store, genesis, protocol)?;
    let roster = current_roster(&store, genesis, founders)?;
    Ok((store, rules, roster))
}

/// What the next block obeys; refuses if this build does not know it.
fn next_rules(store: &Store, genesis: &Genesis, protocol: u32) -> anyhow::Result<NextRules> {
    let rules = NextRules::at_tip(store, genesis)?;
    let tip = store.tip();
    match tip.and_then(|tip| rules.outdated(protocol, tip.height)) {
        Some(outdated) => Err(outdated.into()),
        None => Ok(rules),
    }
}

fn say_started(node: &Node, config: &Config, rpc: &RpcServer, metrics: Option<SocketAddr>) {
    let operator = rpc.operator_addr();
    let rpc = rpc.local_addr();
    let role = if node.validator.is_some() {
        "validator"
    } else {
        "observer"
    };
    info!(
        name = node.name, chain_id = node.identity.chain_id,
        genesis = %node.identity.genesis_hash, role, height = %node.tip().height, %rpc, ?operator,
        ?metrics,
        consensus = %config.p2p.consensus, gossip = %node.gossip.local_addr(), "node started"
    );
}

async fn start_engine(
    config: EngineConfig,
    validator: Option<Box<dyn VoteSigner>>,
    node: &Arc<Node>,
) -> anyhow::Result<Engine<NodeChain>> {
    std::fs::create_dir_all(&config.wal_dir)
        .with_context(|| format!("create {}", config.wal_dir.display()))?;
    let chain = NodeChain::new(Arc::clone(node));
    let wake = Arc::clone(&node.wake);
    let (engine, progress) = Engine::start(config, validator, chain, wake).await?;
    if let Some(mended) = engine.log_mended() {
        node.metrics.log_mended(mended.kind());
    }
    let network = node.consensus_network.set(engine.monitor());
    assert!(network.is_ok(), "a node is assembled once");
    assert!(
        node.progress.set(progress).is_ok(),
        "a node is assembled once"
    );
    Ok(engine)
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
fn witness(home: &Home, config: &Config, node: &Node, peer_id: String) -> anyhow::Result<Witness> {
    let identity = &node.identity;
    let operator = operator(node);
    let key = home.ensure_log_key()?;
    let log = Arc::new(key.signer(identity));
    let cosigner = Arc::new(key.cosigner(identity, operator));
    info!(
        log = log.verifier(SignatureType::Note).encode(),
        witness = cosigner.verifier(SignatureType::Cosignature).encode(),
        "log keys"
    );
    let witnessed = WitnessedLogs::open(
        &home.witness_dir(),
        &config.attestation_log.witnessed,
        &identity.log_origin(),
        Arc::clone(&cosigner),
    )?;
    let authority = config.tsa.as_ref();
    let authority = authority
        .map(|tsa| Authority::load(home, tsa))
        .transpose()?;
    if let Some(authority) = &authority {
        let set = node.tsa_until.set(authority.valid_until());
        assert!(set.is_ok(), "a node is assembled once");
    }
    let calendar = config.tsa.as_ref().and_then(|tsa| tsa.calendar.as_ref());
    let http = Http::of_home(home.dir())?.unwrap_or_default();
    let calendar = calendar.map(|calendar| Calendar::open(&home.calendar_dir(), &http, calendar));
    let calendar = calendar.transpose().context("open the calendar")?;
    Ok(Witness {
        peer_id,
        log,
        cosigner,
        witnessed,
        authority,
        calendar: calendar.map(Arc::new),
    })
}

/// Who answers for this node, as genesis says or, of a validator that came later, the chain;
/// zero if neither does.
fn operator(node: &Node) -> B256 {
    let mut nodes = node.genesis.nodes.iter();
    if let Some(entry) = nodes.find(|entry| entry.name == node.name) {
        return node.genesis.operator_of(entry);
    }
    let roster = node.roster();
    let validator = node.validator.as_ref();
    let validator = validator.and_then(|address| roster.members.set().get(address));
    validator
        .map(|validator| validator.operator)
        .unwrap_or_default()
}

fn outside_keys(config: &Config) -> Vec<NoteVerifier> {
    let keys = config.attestation_log.witnesses.iter();
    keys.map(|witness| NoteVerifier::parse(&witness.key).expect("the configuration was checked"))
        .collect()
}

/// `None` for an observer.
fn own_cosigner(home: &Home, node: &Node) -> anyhow::Result<Option<OwnCosigner>> {
    let Some(validator) = node.validator else {
        return Ok(None);
    };
    let key = home.ensure_log_key()?;
    let roster = node.roster();
    let peers = roster.peers.values();
    let mut own = peers.filter(|peer| peer.validator == Some(validator));
    if !own.any(|peer| peer.log_key == Some(key.public_key())) {
        warn!(
            "the chain does not name this validator's log.key, so it does not cosign the log: \
             `tbsi operator register` names it; if another key is named, `tbsi keys rotate log` \
             makes a new one and names that"
        );
    }
    let post_quantum = home.post_quantum_key()?;
    if let Some(post_quantum) = &post_quantum {
        let hash = post_quantum.public_key_hash();
        if node.post_quantum().takes(validator, hash).is_none() {
            warn!(
                "the chain does not name this validator's post-quantum.key, so it cosigns nothing \
                 with it: `tbsi keys rotate post-quantum` makes a new one and names that"
            );
        }
    }
    Ok(Some(OwnCosigner {
        validator,
        key,
        post_quantum,
    }))
}

fn submitters(
    home: &Home,
    config: &Config,
    node: &Arc<Node>,
    witness: &Witness,
) -> anyhow::Result<Vec<Submitter>> {
    let http = Http::of_home(home.dir())?.unwrap_or_default();
    let witnesses = config.attestation_log.witnesses.iter().enumerate();
    let submitter = |(position, outside): (usize, &WitnessConfig)| {
        anyhow::Ok(Submitter {
            node: Arc::clone(node),
            log: Arc::clone(&witness.log),
            witness: http.remote(&outside.url)?,
            position,
            every: Duration::from_secs(config.attestation_log.submit_interval_s),
        })
    };
    witnesses.map(submitter).collect()
}

/// Opens the database. A process that was killed may hold its lock while the kernel still
/// writes for it, so a taken lock is waited for a little.
async fn open_store(
    home: &Home,
    identity: ChainIdentity,
    config: &StoreConfig,
) -> Result<Store, StoreError> {
    let options = store_options(config);
    let deadline = Instant::now() + DATABASE_LOCK_TIMEOUT;
    loop {
        match Store::open(&home.database_dir(), identity, options) {
            Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                sleep(DATABASE_LOCK_RETRY).await;
            }
            outcome => {
                let store = outcome?;
                say_history(&store, config);
                return Ok(store);
            }
        }
    }
}

/// Which states are kept, and whether the next block drops some for ever: whoever forgets
/// `--archive` once would lose an archive without a word.
fn say_history(store: &Store, config: &StoreConfig) {
    let (Some(tip), oldest) = (store.tip(), store.oldest_state()) else {
        return;
    };
    let kept = tip.height.0.saturating_sub(oldest.0);
    if config.history_blocks == HISTORY_ALL {
        tracing::info!(%oldest, "an archive: the state after every block is kept from here on");
    } else if kept > config.history_blocks {
        tracing::warn!(
            %oldest,
            history_blocks = config.history_blocks,
            "this home kept the states of {kept} blocks, and the next block drops all but the last \
             `store.history_blocks` for ever; to keep them, stop the node now and start it with \
             --archive, or set `store.history_blocks = \"all\"`, which cannot be forgotten"
        );
    }
}

/// Who decides the block after the tip and who may connect, as the tip's state says, or on a
/// chain that does not govern itself, as genesis does.
pub fn current_roster(
    store: &Store,
    genesis: &Genesis,
    founders: Roster,
) -> anyhow::Result<Roster> {
    let tip = store.tip().context("the chain has no block")?;
    let context = tip_context(store, genesis)?;
    let state = store.state_at(tip.height)?;
    let elected = tbsi_execution::elected(&state, &context)?;
    let elected = elected.map_or_else(|| founders.set_hash(), |elected| elected.set().hash());
    let peers = tbsi_execution::peers(&state, &context)?.unwrap_or(founders.peers);
    let members = store.members_at(tip.height.next())?;
    let members = members.context("the validators of the next block are not stored")?;
    anyhow::ensure!(
        tip.height > Height::GENESIS || elected == members.set().hash(),
        "genesis file: the validators under `nodes` are not those in the storage of the \
         governance contracts; build the file anew with `tbsi genesis`"
    );
    Ok(Roster::new(members, peers))
}

fn mempool_limits(config: &Config) -> MempoolLimits {
    let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let transactions_max = count(config.mempool.transactions_max);
    MempoolLimits {
        transactions_max,
        // A small pool too has room for what can be executed.
        queued_max: MEMPOOL_QUEUED_MAX.min(transactions_max / 2),
        bytes_max: usize::try_from(config.mempool.bytes_max).unwrap_or(usize::MAX),
        own_part: count(config.mempool.own_part),
        per_sender_max: count(config.mempool.per_sender_max),
        nonce_gap_max: config.mempool.nonce_gap_max.into(),
        ..MempoolLimits::default()
    }
}

/// Ids of the peers that may connect.
type PeerIds = watch::Receiver<BTreeSet<String>>;

fn gossip_config(
    config: &Config,
    chain: ChainIdentity,
    node_key: [u8; 32],
    allowed_peers: PeerIds,
    addresses: &AddressFinder,
) -> tbsi_p2p::NetworkConfig {
    let peers = config.p2p.peers.iter();
    tbsi_p2p::NetworkConfig {
        network: "gossip",
        listen: config.p2p.gossip,
        keypair_bytes: node_key,
        peers: peers
            .map(|peer| PeerAddress {
                peer_id: peer.peer_id.clone(),
                address: peer.gossip,
            })
            .collect(),
        allowed_peers,
        found: addresses.gossip.subscribe(),
        chain,
    }
}

fn engine_config(
    home: &Home,
    config: &Config,
    node: &Node,
    node_key: [u8; 32],
    allowed_peers: PeerIds,
    addresses: &AddressFinder,
) -> EngineConfig {
    let peers = config.p2p.peers.iter();
    EngineConfig {
        parameters: node.rules().block.consensus,
        name: config.name.clone(),
        p2p: tbsi_p2p::NetworkConfig {
            network: "consensus",
            listen: config.p2p.consensus,
            keypair_bytes: node_key,
            peers: peers
                .map(|peer| PeerAddress {
                    peer_id: peer.peer_id.clone(),
                    address: peer.consensus,
                })
                .collect(),
            allowed_peers,
            found: addresses.consensus.subscribe(),
            chain: node.identity,
        },
        roster: node.watch_roster(),
        twin_watch: match config.keys.twin_watch_ms {
            0 => None,
            ms => Some(Duration::from_millis(ms)),
        },
        known: Arc::clone(&node.known),
        wal_dir: home.wal_dir(),
        clock: wall_clock,
    }
}
