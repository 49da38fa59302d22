//! Named operators govern a chain that never stops: one story, told as it happens
//! (`make story`).

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod files;
mod trials;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, Bytes};
use tbsi_bindings::genesis::Attestations::attestBatchCall;
use tbsi_bindings::genesis::Nodes::Equivocated;
use tbsi_governance::abi::{NODES, ORGANISATIONS};
use tbsi_home::Home;
use tbsi_home::config::{Config, PeerConfig};
use tbsi_light::{TrustAnchor, verify_bundle, verify_note};
use tbsi_rpc::Client;
use tbsi_rpc::wire::{LeafSelector, LogKeys};
use tbsi_testnet::NetworkSpec;
use tbsi_tests::council::{
    Actor, Admission, EVERYTHING, NodeKeys, addOrganisationCall, addValidatorCall, ask,
    association, decide, kind, nodeByNameCall, organisationCountCall, registration,
    removeOrganisationCall, rotation,
};
use tbsi_tests::harness::{PATIENCE, Sender, TestNetwork, eventually, http, tbsi, tbsi_binary};
use tbsi_types::log::{NoteVerifier, SignedNote};
use tbsi_types::{ChainIdentity, Genesis, Height, LeafIndex, ProofBundle, SecretKey};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use files::Files;
use trials::Upgrade;

/// Roots of the map are told this often.
const MAP_PERIOD_MS: u64 = 2_000;

/// An observer.
const LAGGARD: usize = 6;

/// Longest time without a block while something always waits.
const GAP_MAX: Duration = Duration::from_secs(20);

fn tell(line: &str) {
    eprintln!("story: {line}");
}

/// Somebody who sends transfers all the time, and the longest time that one took.
struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<(u64, Duration)>,
}

impl Load {
    fn start(client: Client, chain_id: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut sender = Sender::new("the load of the story", chain_id);
            let (mut count, mut longest) = (0, Duration::ZERO);
            while !stopped.load(Ordering::SeqCst) {
                let started = Instant::now();
                sender.transfer(&client).await.expect("a transfer is taken");
                count += 1;
                longest = longest.max(started.elapsed());
            }
            (count, longest)
        });
        Self { stop, task }
    }

    async fn stop(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("the load ends by itself")
    }
}

/// A node beside those of the network.
struct Newcomer {
    home: Home,
    validator: SecretKey,
    account: SecretKey,
    process: Option<Child>,
}

impl Newcomer {
    /// Makes its keys and files. Nobody knows of it yet.
    fn prepare(net: &TestNetwork, genesis: &Genesis, name: &str) -> Self {
        let home = Home::new(net.scratch().join(name));
        home.ensure_node_key().unwrap();
        home.ensure_log_key().unwrap();
        let validator = home.ensure_validator_key().unwrap();
        let account = home.ensure_account_key().unwrap();
        let mut config = Config::new(name, true);
        let nodes = net.network.nodes().iter();
        config.p2p.peers = nodes
            .map(|node| PeerConfig {
                peer_id: node.peer_id.clone(),
                consensus: node.consensus,
                gossip: node.gossip,
            })
            .collect();
        let free = || {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.local_addr().unwrap()
        };
        config.rpc.listen = free();
        config.metrics.listen = free();
        config.p2p.consensus = free();
        config.p2p.gossip = free();
        home.init(&config, genesis).unwrap();
        Self {
            home,
            validator,
            account,
            process: None,
        }
    }

    fn start(&mut self) {
        let log = std::fs::File::create(self.home.dir().join("node.log")).unwrap();
        let process = Command::new(tbsi_binary())
            .args(["node", "run", "--home"])
            .arg(self.home.dir())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        self.process = Some(process.unwrap());
    }

    fn client(&self) -> Client {
        let config = Config::load(&self.home.config_file()).unwrap();
        Client::new(&format!("http://{}", config.rpc.listen)).unwrap()
    }
}

/// Waits until a certificate carries this validator's signature; returns its height.
async fn votes(client: &Client, validator: Address) -> Height {
    let mut at = client.block_number().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let tip = client.block_number().await.unwrap();
        while at <= tip {
            let number = BlockNumberOrTag::Number(at.0);
            let certificate = client.certificate(number).await.unwrap().unwrap();
            if certificate
                .signatures
                .iter()
                .any(|it| it.validator == validator)
            {
                return at;
            }
            at = at.next();
        }
        assert!(Instant::now() < deadline, "{validator} does not vote");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn is_member(client: &Client, validator: Address) -> bool {
    let set = client.validators(BlockNumberOrTag::Latest).await.unwrap();
    let set = set.unwrap().validators;
    set.iter().any(|it| it.address == validator)
}

/// A proof of the first leaf, fetched now, verified with nothing but the genesis file.
async fn first_leaf_verifies(client: &Client, genesis: &Genesis) -> ProofBundle {
    let json = client
        .proof(&LeafSelector::Index(LeafIndex(0)))
        .await
        .unwrap();
    let bundle = ProofBundle::parse_json(json.unwrap().get().as_bytes()).unwrap();
    verify_bundle(&bundle, &TrustAnchor::genesis(genesis).unwrap()).unwrap();
    bundle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn associations_join_rotate_cheat_and_leave_and_blocks_never_stop() {
    let spoken = |spec: &mut NetworkSpec| spec.consensus.map_period_ms = Some(MAP_PERIOD_MS);
    let mut net = TestNetwork::create_with(5, 2, spoken);
    // Neither hears the other in time: that is when a key contradicts itself.
    for node in [1, 5] {
        net.configure(node, |config| config.keys.twin_watch_ms = 0);
    }
    for node in 0..5 {
        net.network.start(node).unwrap();
    }
    for node in 0..5 {
        net.wait_height(node, Height(1)).await;
    }
    let (genesis, chain_id) = (net.genesis(), net.network.chain_id());
    let chain = genesis.identity();
    let client = net.client(0);
    let account = |node: usize| {
        let home = net.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), chain_id)
    };
    let council: Vec<Actor> = (0..5).map(account).collect();
    let council: Vec<&Actor> = council.iter().collect();
    tell("five associations have founded a chain");
    attest(&client, chain_id).await;
    let before = first_leaf_verifies(&client, &genesis).await;
    let files = Files::of(&net);
    files.fetch("old.json", &["--index", "0"]).await;
    let upgrade = Upgrade::schedule(&mut net, &council, LAGGARD).await;
    let load = Load::start(net.client(1), chain_id);

    trials::suspensions(&client, &council).await;
    let sixth = joins(&net, &client, &council, &chain).await;
    files.sixth_attests(&client, chain_id, &sixth.account).await;
    rotates(&mut net, &client, &council, &chain).await;
    cheats(&mut net, &client, &chain).await;
    leaves(&client, &council, &sixth).await;
    upgrade.took_effect(&mut net).await;

    let (transfers, longest) = load.stop().await;
    tell(&format!(
        "{transfers} transfers meanwhile, the slowest final after {longest:?}"
    ));
    assert!(longest < GAP_MAX, "{longest:?}");
    verify_bundle(&before, &TrustAnchor::genesis(&genesis).unwrap()).unwrap();
    attest(&client, chain_id).await;
    every_block_leads_to_names(&client).await;
    late_proof_follows_the_handovers(&client, &genesis).await;
    an_auditor_follows_the_handovers(&net).await;
    let account = sixth.account.public_key().address().to_string();
    files.fetch_last(&client, &account).await;
    drop(sixth);
    net.network.stop_all().await.unwrap();
    files.all_hold().await;
    net.assert_no_panic();
}

/// The first of the batch is under the founders' set, later ones under others.
async fn attest(client: &Client, chain_id: u64) {
    let time = client.block_number().await.unwrap();
    let issuer = Actor::new(SecretKey::from_seed(&time.0.to_be_bytes()), chain_id);
    attest_as(client, &issuer, b"a file").await;
}

async fn attest_as(client: &Client, issuer: &Actor, file: &[u8]) {
    let call = attestBatchCall {
        schema: alloy_primitives::keccak256("tbsi:file:v1"),
        algorithm: 0x12,
        words: vec![tbsi_types::sha256(&[file])],
    };
    issuer
        .act(client, tbsi_types::log::ATTESTATIONS, &call)
        .await;
}

async fn joins(
    net: &TestNetwork,
    client: &Client,
    council: &[&Actor],
    chain: &ChainIdentity,
) -> Newcomer {
    let mut newcomer = Newcomer::prepare(net, &net.genesis(), "sixth");
    newcomer.start();
    let admission = Admission {
        details: association(6, "台灣測試公會己", "Test Association F"),
        permissions: EVERYTHING,
        gas: u64::MAX,
        leaves: u64::MAX,
        account: newcomer.account.public_key().address(),
    };
    trials::annexation(client, council[1], admission.account).await;
    let add = addOrganisationCall { admission };
    decide(client, council, kind::ADD_ORGANISATION, &add).await;
    let organisation = ask(client, ORGANISATIONS, &organisationCountCall {}).await;
    tell("a motion admits a sixth association, Test Association F");
    let own = newcomer.client();
    eventually("the newcomer answers", async || {
        own.block_number().await.is_ok()
    })
    .await;
    assert_eq!(own.block_number().await.unwrap(), Height::GENESIS);
    assert_eq!(
        own.status()
            .await
            .unwrap()
            .peers
            .iter()
            .filter(|it| it.connected)
            .count(),
        0
    );
    tell("its node is not registered yet: nobody lets it in, it has no block");

    let node_key = newcomer.home.load().unwrap().node_key;
    let keys = NodeKeys {
        name: "sixth",
        peer_seed: node_key.expose(),
        peer_id: &node_key.peer_id(),
        validator: &newcomer.validator,
        log: &newcomer.home.ensure_log_key().unwrap(),
    };
    let account = SecretKey::parse(&newcomer.account.expose()).unwrap();
    let sixth = Actor::new(account, chain.chain_id);
    let registered = registration(chain, organisation, &keys);
    sixth.act(client, NODES, &registered).await;
    let started = Instant::now();
    eventually("the newcomer is let in and catches up", async || {
        let tip = client.block_number().await.unwrap();
        own.block_number().await.is_ok_and(|own| tip.above(own) < 5)
    })
    .await;
    tell(&format!(
        "its node is let in and has caught up after {:?}",
        started.elapsed()
    ));

    let name = nodeByNameCall {
        name: "sixth".into(),
    };
    let node = ask(client, NODES, &name).await;
    let add = addValidatorCall { node, power: 1 };
    let at = decide(client, council, kind::ADD_VALIDATOR, &add).await;
    let first = votes(client, newcomer.validator.public_key().address()).await;
    tell(&format!(
        "a motion makes it a validator in block {at}; its first vote is in {first}"
    ));
    cosigns(client, chain, newcomer.validator.public_key().address()).await;
    tell("it cosigns the log");
    newcomer
}

/// Waits until the checkpoint note of the log carries this validator's cosignature.
async fn cosigns(client: &Client, chain: &ChainIdentity, validator: Address) {
    attest(client, chain.chain_id).await;
    eventually("the newcomer cosigns", async || {
        let keys: LogKeys = client.request("tbsi_logKeys", &[]).await.unwrap();
        let mut cosigners = keys.cosigners.iter();
        let Some(cosigner) = cosigners.find(|cosigner| cosigner.validator == validator) else {
            return false;
        };
        let key = NoteVerifier::parse(&cosigner.key).unwrap();
        let node = client.url().strip_prefix("http://").unwrap();
        let node = node.trim_end_matches('/').parse().unwrap();
        let answer = http(node, "GET", "/log/checkpoint", &[], b"").await;
        let note = SignedNote::parse(answer.text()).unwrap();
        let log = NoteVerifier::parse(&keys.log).unwrap();
        verify_note(&note, &log, &[key], 1).is_ok()
    })
    .await;
}

async fn rotates(
    net: &mut TestNetwork,
    client: &Client,
    council: &[&Actor],
    chain: &ChainIdentity,
) {
    let old = net.validator_address(4);
    let next = net.home(4).ensure_next_validator_key().unwrap();
    let call = rotation(client, chain, 5, "validator-5", &next).await;
    let at = council[4].act(client, NODES, &call).await;
    let first = votes(client, next.public_key().address()).await;
    tell(&format!(
        "validator-5 rotates its key under load in block {at}; the first vote of the new one is \
         in {first}"
    ));
    assert!(!is_member(client, old).await);
    assert_eq!(net.validator_address(4), next.public_key().address());
}

/// A second process signs with validator-2's key.
async fn cheats(net: &mut TestNetwork, client: &Client, chain: &ChainIdentity) {
    let victim = net.home(1).load().unwrap();
    let key = victim.validator_key.unwrap();
    let cheat = key.public_key().address();
    let twin = net.home(5);
    net.configure(5, |config| config.validator = true);
    std::fs::copy(net.home(1).validator_key_file(), twin.validator_key_file()).unwrap();
    let tip = client.block_number().await.unwrap();
    twin.create_sign_state(&victim.genesis, &key, tip).unwrap();
    assert_eq!(victim.genesis.identity(), *chain);
    let started = Instant::now();
    net.network.start(5).unwrap();
    eventually("the cheat is suspended", async || {
        !is_member(client, cheat).await
    })
    .await;
    tell(&format!(
        "a second process signs with validator-2's key; suspended {:?} after it started",
        started.elapsed()
    ));
    let told = equivocations(client).await;
    let expected = (cheat, "台灣測試公會乙".into(), "Test Association B".into());
    // It may have cheated more than once before it was out.
    assert!(
        !told.is_empty() && told.iter().all(|it| *it == expected),
        "{told:?}"
    );
    tell(&format!(
        "the evidence on the chain names {} / {}",
        told[0].1, told[0].2
    ));
    let operator = client.operator(cheat).await.unwrap().unwrap();
    assert_eq!(operator.organisation.name_en, "Test Association B");
    assert!(!operator.validating);
    net.network.stop(5).await.unwrap();
}

/// Validator and legal names in every event `Equivocated`.
async fn equivocations(client: &Client) -> Vec<(Address, String, String)> {
    use alloy_sol_types::SolEvent;
    let filter = serde_json::json!({
        "address": NODES, "fromBlock": "0x0", "topics": [Equivocated::SIGNATURE_HASH],
    });
    let logs: Vec<serde_json::Value> = client.request("eth_getLogs", &[filter]).await.unwrap();
    let read = |log: &serde_json::Value| {
        let topics: Vec<alloy_primitives::B256> =
            serde_json::from_value(log["topics"].clone()).unwrap();
        let data: Bytes = serde_json::from_value(log["data"].clone()).unwrap();
        let event = Equivocated::decode_raw_log(topics, &data).unwrap();
        (event.validator, event.nameZhTw, event.nameEn)
    };
    logs.iter().map(read).collect()
}

async fn leaves(client: &Client, council: &[&Actor], sixth: &Newcomer) {
    let organisation = ask(client, ORGANISATIONS, &organisationCountCall {}).await;
    let left = removeOrganisationCall {
        organisation,
        reason: 2,
    };
    let at = decide(client, council, kind::REMOVE_ORGANISATION, &left).await;
    let validator = sixth.validator.public_key().address();
    eventually("the one that left votes no more", async || {
        !is_member(client, validator).await
    })
    .await;
    let started = Instant::now();
    let peer = sixth.home.load().unwrap().node_key.peer_id();
    eventually("its node is disconnected", async || {
        let peers = client.status().await.unwrap().peers;
        !peers.iter().any(|it| it.peer_id == peer && it.connected)
    })
    .await;
    tell(&format!(
        "the sixth association leaves in block {at}; its node is disconnected {:?} later",
        started.elapsed()
    ));
    assert!(started.elapsed() < Duration::from_secs(6));
}

async fn every_block_leads_to_names(client: &Client) {
    let tip = client.block_number().await.unwrap();
    let mut sets = std::collections::BTreeSet::new();
    for height in 1..=tip.0 {
        let number = BlockNumberOrTag::Number(height);
        let certificate = client.certificate(number).await.unwrap().unwrap();
        let checkpoint = client.checkpoint(number).await.unwrap().unwrap();
        sets.insert(checkpoint.validator_set_hash);
        for signature in &certificate.signatures {
            assert!(
                !signature.organisation.name_en.is_empty(),
                "height {height}"
            );
        }
    }
    tell(&format!(
        "{tip} blocks under {} validator sets, all by legal names",
        sets.len()
    ));
    assert!(sets.len() >= 5, "{sets:?}");
}

/// With the commands, and the genesis file as all that is trusted.
async fn an_auditor_follows_the_handovers(net: &TestNetwork) {
    let (rpc, genesis) = (net.network.rpc_url(0), net.network.genesis_file());
    let genesis = genesis.display().to_string();
    let asked = ["--genesis", &genesis, "--rpc", &rpc];
    let audit = tbsi(&[["log", "audit"].as_slice(), &asked].concat()).await;
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    assert!(audit.stdout.contains("WHAT THE VALIDATORS SIGNED"));
    let grown = ["log", "consistency", "--from", "1", "--lang", "zh-TW"];
    let grown = tbsi(&[grown.as_slice(), &asked].concat()).await;
    assert_eq!(grown.code, Some(0), "{}{}", grown.stdout, grown.stderr);
    assert!(grown.stdout.ends_with("一致\n"), "{}", grown.stdout);

    let file = net.scratch().join("checkpoint.json").display().to_string();
    let get = tbsi(&["checkpoint", "get", "--rpc", &rpc, "--out", &file]).await;
    assert_eq!(get.code, Some(0), "{}", get.stderr);
    let verify = [
        "checkpoint",
        "verify",
        "--file",
        &file,
        "--genesis",
        &genesis,
    ];
    let verified = tbsi(&verify).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
    assert!(
        verified.stdout.contains(" verified handovers, "),
        "{}",
        verified.stdout
    );
    tell("an auditor derives the log anew and verifies a checkpoint, from the genesis file");
    // Without one of the handovers, and with the name of another.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut gap: serde_json::Value = serde_json::from_str(&text).unwrap();
    gap["handovers"].as_array_mut().unwrap().remove(1);
    let other = text.replace("Test Association A", "Test Association Z");
    for bad in [gap.to_string(), other] {
        std::fs::write(&file, bad).unwrap();
        let refused = tbsi(&verify).await;
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        assert!(
            refused.stdout.starts_with("INVALID: "),
            "{}",
            refused.stdout
        );
    }
}

async fn late_proof_follows_the_handovers(client: &Client, genesis: &Genesis) {
    let latest = client.checkpoint(BlockNumberOrTag::Latest).await.unwrap();
    let last = LeafIndex(latest.unwrap().log_size.0 - 1);
    let json = client.proof(&LeafSelector::Index(last)).await.unwrap();
    let bundle = ProofBundle::parse_json(json.unwrap().get().as_bytes()).unwrap();
    let anchor = TrustAnchor::genesis(genesis).unwrap();
    verify_bundle(&bundle, &anchor).unwrap();
    let compact = bundle.encode().unwrap();
    tell(&format!(
        "a proof of today verifies with the genesis file, over {} handovers, {} bytes",
        bundle.handovers.len(),
        compact.len()
    ));
    assert!(bundle.handovers.len() >= 4);
    // Without one of them it does not.
    let mut gap = bundle.clone();
    gap.handovers.remove(1);
    assert!(verify_bundle(&gap, &anchor).is_err());
}
