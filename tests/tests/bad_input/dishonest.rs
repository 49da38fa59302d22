//! Nodes that run another program: a stranger with the right protocols, a validator key in two
//! places, a proposer whose blocks are not what it signs.

pub(crate) mod chains;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tbsi_engine::{Chain, Engine, EngineConfig, Progress};
use tbsi_home::config::Config;
use tbsi_home::{Home, LoadedHome};
use tbsi_keys::keyfile::NodeKey;
use tbsi_keys::{LocalSigner, SignState, VoteSigner};
use tbsi_node::chain::NodeChain;
use tbsi_node::gossip::{self, GossipHandle};
use tbsi_node::mempool::MempoolLimits;
use tbsi_node::node::{Node, NodeParts};
use tbsi_node::rules::NextRules;
use tbsi_node::{PROTOCOL_VERSION, wall_clock};
use tbsi_p2p::{FoundAddresses, PeerAddress};
use tbsi_rpc::Client;
use tbsi_store::{Store, StoreOptions};
use tbsi_tests::harness::{Sender, TestNetwork, eventually};
use tbsi_types::{Evidence, Genesis, Height, Roster, Round, SecretKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use chains::{Liar, Lie, Lies, Puppet};

/// How long a stranger knocks.
const KNOCKING: Duration = Duration::from_secs(8);

/// An engine that runs in this process until it is dropped.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start<C: Chain>(
        config: EngineConfig,
        validator: Option<(SecretKey, SignState)>,
        chain: C,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let identity = config.p2p.chain;
        let signer = validator.map(|(key, state)| -> Box<dyn VoteSigner> {
            Box::new(LocalSigner::new(identity, key, state))
        });
        let started = Engine::start(config, signer, chain, wake).await;
        let (engine, progress) = started.unwrap_or_else(|error| panic!("{error}"));
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(async move {
            engine
                .run(stopping)
                .await
                .unwrap_or_else(|error| panic!("{error}"));
        });
        Self {
            stop,
            progress,
            task,
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

pub(crate) fn engine_config(
    config: &Config,
    genesis: &Genesis,
    node_key: &NodeKey,
    listen: SocketAddr,
    wal: &Path,
) -> EngineConfig {
    let peers = config.p2p.peers.iter();
    EngineConfig {
        parameters: genesis.consensus,
        name: "dishonest".into(),
        p2p: tbsi_p2p::NetworkConfig {
            network: "consensus",
            listen,
            keypair_bytes: node_key.expose(),
            peers: peers
                .map(|peer| PeerAddress {
                    peer_id: peer.peer_id.clone(),
                    address: peer.consensus,
                })
                .collect(),
            allowed_peers: peer_ids(genesis),
            found: watch::channel(FoundAddresses::new()).1,
            chain: genesis.identity(),
        },
        roster: watch::channel(Arc::new(Roster::of_genesis(genesis).unwrap())).1,
        twin_watch: None,
        known: Arc::default(),
        wal_dir: wal.into(),
        clock: wall_clock,
    }
}

pub(crate) fn peer_ids(genesis: &Genesis) -> watch::Receiver<BTreeSet<String>> {
    let nodes = genesis.nodes.iter();
    watch::channel(nodes.map(|node| node.peer_id.clone()).collect()).1
}

/// Four validators that run, and the home of an observer that does not.
async fn four_and_an_observer() -> (TestNetwork, LoadedHome) {
    let mut net = TestNetwork::create(4, 1);
    for node in 0..4 {
        net.network.start(node).unwrap();
    }
    for node in 0..4 {
        net.wait_height(node, Height(1)).await;
    }
    let observer = net.home(4).load().unwrap();
    (net, observer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_hears_nothing() {
    let (net, observer) = four_and_an_observer().await;
    let (config, genesis) = (observer.config, observer.genesis);
    let node_key = observer.node_key;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let tip = net.client(0).block_number().await.unwrap();
    let listen = |name: &str, key: NodeKey| {
        let dir = net.scratch().join(name);
        std::fs::create_dir(&dir).unwrap();
        let engine = engine_config(&config, &genesis, &key, any_port, &dir);
        let (puppet, heard) = Puppet::new(tip, Roster::of_genesis(&genesis).unwrap());
        async move { (Running::start(engine, None, puppet).await, heard) }
    };
    let stranger_key = NodeKey::from_seed([0x5a; 32]);
    assert!(genesis.node_of_peer(&stranger_key.peer_id()).is_none());
    let (stranger, strange) = listen("stranger", stranger_key).await;
    // The same program with a key that genesis names, to show that there was much to hear.
    let (observer, known) = listen("observer", node_key).await;

    let client = net.client(0);
    let mut sender = Sender::new("overheard", net.network.chain_id());
    let knocked = Instant::now();
    eventually("a node that genesis names hears of blocks", async || {
        sender.transfer(&client).await.unwrap();
        known.count() > 0 && knocked.elapsed() >= KNOCKING
    })
    .await;
    assert_eq!(strange.count(), 0, "blocks reached a stranger");
    let votes = stranger.progress.borrow().voted.clone();
    assert!(votes.is_empty(), "votes reached a stranger: {votes:?}");
    stranger.stop().await;
    observer.stop().await;
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_key_in_two_places_is_evidence_and_stops_nobody() {
    // The second place is the node of a fifth validator: what others publish is no vote.
    let mut net = TestNetwork::create(5, 0);
    // The first place does not look out for a second one.
    net.configure(0, |config| config.keys.twin_watch_ms = 0);
    let (mut twin, mut height) = start_with_a_twin(&mut net).await;
    let (genesis, accused) = (net.genesis(), net.validator_address(0));
    let client = net.client(1);
    let clients: Vec<Client> = (1..4).map(|node| net.client(node)).collect();
    let mut sender = Sender::new("at the twin's height", net.network.chain_id());
    for number in 1.. {
        for node in 1..4 {
            eventually("the twin's vote waits for its height", async || {
                waiting_votes(net.network.nodes()[node].metrics).await > 0
            })
            .await;
        }
        while sender.transfer(&client).await.unwrap() < height {}
        // Who decides before the accused's own vote is there sees no contradiction: one is
        // enough, and if nobody saw it, there is another height.
        tokio::time::sleep(SEEN_WITHIN).await;
        if any_evidence(&clients).await {
            break;
        }
        assert!(number < TWINS_MAX, "no evidence at {number} heights");
        twin.stop().await;
        (twin, height) = start_twin(&net, number).await;
    }
    for client in &clients {
        assert_accuses(client, &genesis, accused).await;
    }
    // The accused still takes part, and blocks go on.
    let tip = sender.transfer(&net.client(0)).await.unwrap();
    for node in 0..4 {
        net.wait_height(node, tip).await;
    }
    twin.stop().await;
    net.assert_no_panic();
}

/// Starts four of five nodes, and in the place of the fifth an engine with the key of the first. It
/// joins a little above the tip, where somebody else proposes, so that its vote waits for the
/// others there. Returns that height.
async fn start_with_a_twin(net: &mut TestNetwork) -> (Running, Height) {
    for node in 0..4 {
        net.network.start(node).unwrap();
    }
    for node in 0..4 {
        net.wait_height(node, Height(1)).await;
    }
    start_twin(net, 0).await
}

/// One more engine with the key of the first node; the last one has ended.
async fn start_twin(net: &TestNetwork, number: u64) -> (Running, Height) {
    let fifth = net.home(4).load().unwrap();
    let (config, genesis, node_key) = (fifth.config, fifth.genesis, fifth.node_key);
    let key = net.home(0).load().unwrap().validator_key.unwrap();
    let accused = key.public_key().address();
    let set = genesis.validator_set().unwrap();
    let tip = net.client(1).block_number().await.unwrap();
    let height = (tip.0 + 3..)
        .map(Height)
        .find(|height| set.proposer(*height, Round::ZERO).address != accused)
        .unwrap();
    let below = Height(height.0 - 1);
    let dir = net.scratch().join(format!("twin-{number}"));
    std::fs::create_dir(&dir).unwrap();
    let file = dir.join("sign-state");
    let state = SignState::create(&file, genesis.identity(), accused, below).unwrap();
    let engine = engine_config(&config, &genesis, &node_key, config.p2p.consensus, &dir);
    let (puppet, _heard) = Puppet::new(below, Roster::of_genesis(&genesis).unwrap());
    (
        Running::start(engine, Some((key, state)), puppet).await,
        height,
    )
}

async fn any_evidence(clients: &[Client]) -> bool {
    for client in clients {
        if !client.evidence().await.unwrap().evidence.is_empty() {
            return true;
        }
    }
    false
}

/// Heights at which a twin is tried.
const TWINS_MAX: u64 = 8;

/// Until evidence of a height that was decided is kept.
const SEEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// How long a validator is seen not to sign.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// It signs nothing more, before it contradicts the other, and says so. Nobody can accuse it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_hears_its_twin_stops_signing() {
    let mut net = TestNetwork::create(5, 0);
    let (twin, height) = start_with_a_twin(&mut net).await;
    eventually("the first node hears its twin", async || {
        page(net.network.nodes()[0].metrics, "/metrics")
            .await
            .contains("tbsi_consensus_twin_seen 1")
    })
    .await;
    eventually("the first node says why it is not ready", async || {
        page(net.network.nodes()[0].metrics, "/readyz")
            .await
            .contains("another process signs")
    })
    .await;
    assert!(
        net.log(0)
            .contains("somebody else signs with this validator's key")
    );

    // Four of five are needed: three go on alone only if it signs, and it does not.
    twin.stop().await;
    let client = net.client(1);
    let mut sender = Sender::new("beside twins", net.network.chain_id());
    let sent = client.send_raw_transaction(&sender.next_transfer()).await;
    let sent = sent.unwrap();
    tokio::time::sleep(SILENCE).await;
    assert!(client.transaction_receipt(sent).await.unwrap().is_none());
    assert!(client.block_number().await.unwrap() <= height);
    for node in 1..4 {
        let known = net.client(node).evidence().await.unwrap();
        assert!(
            known.evidence.is_empty(),
            "it was silent at the twin's height"
        );
    }
    net.assert_no_panic();
}

/// Every piece of evidence of a node can be verified by anybody, and names the accused.
async fn assert_accuses(client: &Client, genesis: &Genesis, accused: tbsi_types::Address) {
    for piece in client.evidence().await.unwrap().evidence {
        assert_eq!(piece.validator, accused);
        let evidence = Evidence::decode(&piece.encoded).unwrap();
        assert_eq!(evidence.validator(), accused);
        evidence.verify(&genesis.identity()).unwrap();
        assert_eq!(evidence.position(), (piece.height, piece.round));
    }
}

async fn page(metrics: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(metrics).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

/// How many consensus messages of later heights a node holds.
async fn waiting_votes(metrics: SocketAddr) -> u64 {
    let page = page(metrics, "/metrics").await;
    let name = "malachitebft_core_consensus_queue_size{";
    let line = page.lines().find(|line| line.starts_with(name)).unwrap();
    let (_, value) = line.rsplit_once(' ').unwrap();
    value.parse().unwrap()
}

/// The node of a home whose process does not run, in this process.
pub(crate) async fn adopt(home: &Home) -> (Arc<Node>, LoadedHome) {
    let loaded = home.load().unwrap();
    let genesis = &loaded.genesis;
    let identity = genesis.identity();
    let store = Store::open(&home.database_dir(), identity, StoreOptions::default()).unwrap();
    let gossip = listen_only(&loaded).await;
    let node = Node::new(NodeParts {
        protocol: PROTOCOL_VERSION,
        rules: NextRules::at_tip(&store, genesis).unwrap(),
        roster: Roster::of_genesis(genesis).unwrap(),
        genesis: genesis.clone(),
        name: loaded.config.name.clone(),
        validator: loaded
            .validator_key
            .as_ref()
            .map(|key| key.public_key().address()),
        store,
        mempool: MempoolLimits::default(),
        gossip,
        witnesses: Vec::new(),
        known: Arc::default(),
    });
    (Arc::new(node), loaded)
}

/// Gossip that others may connect to. What they send is not read: a liar needs no pool.
async fn listen_only(home: &LoadedHome) -> GossipHandle {
    let config = tbsi_p2p::NetworkConfig {
        network: "gossip",
        listen: home.config.p2p.gossip,
        keypair_bytes: home.node_key.expose(),
        peers: Vec::new(),
        allowed_peers: peer_ids(&home.genesis),
        found: watch::channel(FoundAddresses::new()).1,
        chain: home.genesis.identity(),
    };
    let gossip = gossip::listen(&config).await.unwrap();
    tokio::spawn(gossip.task.run());
    gossip.handle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_is_not_what_its_proposer_signs_is_voted_down() {
    let mut net = TestNetwork::start(4, 0).await;
    net.network.stop(3).await.unwrap();
    let home = net.home(3);
    let (node, mut loaded) = adopt(&home).await;
    let key = loaded.validator_key.take().unwrap();
    let liar_address = key.public_key().address();
    let identity = loaded.genesis.identity();
    let state = SignState::open(&home.sign_state_file(), identity, liar_address).unwrap();
    let listen = loaded.config.p2p.consensus;
    let engine = engine_config(
        &loaded.config,
        &loaded.genesis,
        &loaded.node_key,
        listen,
        &home.wal_dir(),
    );
    let (liar, lies) = Liar::new(NodeChain::new(Arc::clone(&node)), liar_address);
    let running = Running::start(engine, Some((key, state)), liar).await;

    let client = net.client(0);
    let mut sender = Sender::new("lied to", net.network.chain_id());
    // A lie is lost on who is not connected yet: it tells them in turn, until each was heard.
    eventually(
        "each kind of lie is refused by all and its height decided",
        async || {
            sender.transfer(&client).await.unwrap();
            let tip = client.block_number().await.unwrap();
            let lost = lies.told().into_iter().filter(|lie| lie.height <= tip);
            let heard = lost.filter(|lie| refused_by_all(&net, lie));
            let kinds: BTreeSet<&str> = heard.map(|lie| lie.words).collect();
            kinds.len() == chains::KINDS_OF_LIE
        },
    )
    .await;
    assert_lies_lost(&client, &lies).await;
    // The liar, too, takes the blocks that were decided instead.
    let tip = client.block_number().await.unwrap();
    eventually("the liar follows", async || node.tip().height >= tip).await;
    running.stop().await;
    node.gossip.shutdown().await;
    net.assert_no_panic();
}

fn refused_by_all(net: &TestNetwork, lie: &Lie) -> bool {
    let refused = |line: &str| {
        line.contains("refusing a proposed block")
            && line.contains(&lie.signed.to_string())
            && line.contains(lie.words)
    };
    (0..3).all(|node| net.log(node).lines().any(refused))
}

async fn assert_lies_lost(client: &Client, lies: &Lies) {
    let tip = client.block_number().await.unwrap();
    for lie in lies.told().iter().filter(|lie| lie.height <= tip) {
        let at = alloy_eips::BlockNumberOrTag::Number(lie.height.0);
        let certificate = client.certificate(at).await.unwrap().unwrap();
        assert!(certificate.round > Round::ZERO, "{certificate:?}");
        let checkpoint = client.checkpoint(at).await.unwrap().unwrap();
        assert_ne!(checkpoint.digest, lie.signed);
    }
    assert!(client.evidence().await.unwrap().evidence.is_empty());
}
