//! Rules that change at a height (SPEC §13.12), on networks of real processes with two programs.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, Bytes, keccak256};
use serde_json::{Value, json};
use tbsi_bindings::genesis::Chains::{chainOfCall, registerCall};
use tbsi_bindings::genesis::Upgrades::{declareCall, scheduleCall, upgradeOfCall};
use tbsi_bindings::genesis::{Plan, Replacement, Setting};
use tbsi_governance::abi::{CHAINS, UPGRADES};
use tbsi_rpc::Client;
use tbsi_tests::council::{Actor, ask, decide, kind};
use tbsi_tests::harness::{
    Sender, TestNetwork, eventually, http, json_of, run_to_end, said, tbsi, tbsi_binary,
};
use tbsi_types::Height;
use tokio::task::JoinHandle;

/// The older program.
const VERSION_1: &str = env!("CARGO_BIN_EXE_tbsi-version-1");
/// More than the least lead, so that a block or two may pass before a motion is carried out.
const LEAD: u64 = 130;
const BLOCK_GAS_LIMIT: u64 = 123_456_789;
const LAGGARD: usize = 3;
const OBSERVER: usize = 4;

/// Somebody who sends transfers to nodes, one after the other, until told to end.
struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Load {
    fn start(net: &TestNetwork, nodes: &[usize]) -> Self {
        let clients: Vec<Client> = nodes.iter().map(|node| net.client(*node)).collect();
        let (stop, chain) = (Arc::new(AtomicBool::new(false)), net.network.chain_id());
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut number = 0;
            while !stopped.load(Ordering::SeqCst) {
                // A node that is being restarted takes nothing: the next one is asked, by a sender
                // whose nonces it cannot hold against us.
                number += 1;
                let mut sender = Sender::new(&format!("load {number}"), chain);
                let client = &clients[number % clients.len()];
                while !stopped.load(Ordering::SeqCst) && sender.transfer_once(client).await {}
            }
        });
        Self { stop, task }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("the load does not panic");
    }
}

fn accounts(net: &TestNetwork) -> Vec<Actor> {
    let account = |node: usize| {
        let home = net.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), net.network.chain_id())
    };
    (0..4).map(account).collect()
}

/// Four validators of the older program that run, and an observer that does not.
async fn old_network() -> TestNetwork {
    let mut net = TestNetwork::create_by(Path::new(VERSION_1), 4, 1, |_| ());
    for node in 0..4 {
        net.network.start(node).unwrap();
    }
    for node in 0..4 {
        net.wait_height(node, Height(1)).await;
    }
    net
}

fn artifact(name: &str) -> Value {
    let text = include_str!("../vectors/next_chains.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    vectors[name].clone()
}

fn code(name: &str) -> Bytes {
    serde_json::from_value(artifact(name)["deployedBytecode"].clone()).unwrap()
}

fn plan(height: u64, protocol: u32, replacement: Option<(Address, &Bytes)>) -> scheduleCall {
    let replacement = replacement.map(|(source, code)| Replacement {
        target: CHAINS,
        source,
        codeHash: keccak256(code),
    });
    scheduleCall {
        plan: Plan {
            nameHash: keccak256("the test's upgrade"),
            height,
            protocol,
            version: "9.9.9".into(),
            settings: vec![Setting {
                parameter: 1,
                value: BLOCK_GAS_LIMIT,
            }],
            replacements: replacement.into_iter().collect(),
        },
    }
}

async fn tip(client: &Client) -> u64 {
    client.block_number().await.unwrap().0
}

/// Waits until these nodes are some blocks above a height, in parts that a slow machine makes in
/// time.
async fn wait_past(net: &mut TestNetwork, nodes: &[usize], height: u64) {
    for at in [height - 90, height - 50, height - 15, height + 3] {
        for node in nodes {
            net.wait_height(*node, Height(at)).await;
        }
    }
}

/// Gas limit of a block.
async fn gas_limit(client: &Client, height: u64) -> u64 {
    let params = [json!(format!("{height:#x}")), json!(false)];
    let block: Value = client
        .request("eth_getBlockByNumber", &params)
        .await
        .unwrap();
    let digits = block["gasLimit"].as_str().unwrap().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap()
}

async fn same_block(net: &TestNetwork, nodes: &[usize], height: u64) {
    let first = net.block_hash(nodes[0], Height(height)).await;
    assert!(first.is_some());
    for node in nodes {
        let hash = net.block_hash(*node, Height(height)).await;
        assert_eq!(hash, first, "node {node}, height {height}");
    }
}

async fn command(net: &TestNetwork, args: &[&str]) -> tbsi_tests::harness::Ended {
    let url = net.network.rpc_url(0);
    tbsi(&[args, &["--rpc", &url]].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_four_upgrade_under_load_and_the_fourth_catches_up() {
    let mut net = old_network().await;
    let council = accounts(&net);
    let members: Vec<&Actor> = council.iter().collect();
    let record = registerCall {
        caip2: "eip155:1981".into(),
        technology: "besu-26".into(),
        contactUrl: String::new(),
    };
    council[1].act(&net.client(0), CHAINS, &record).await;
    let next = code("NextChains");
    let source = council[0].deploy(&net.client(0), &next).await;
    let unfit = code("UnfitChains");
    let unfit = council[0].deploy(&net.client(0), &unfit).await;

    // One after the other, while transactions come.
    let load = Load::start(&net, &[0, 1, 2]);
    net.network.run_by(&tbsi_binary());
    for node in [0, 1, 2] {
        net.network.stop(node).await.unwrap();
        net.network.start(node).unwrap();
        let height = Height(tip(&net.client(LAGGARD)).await);
        net.wait_height(node, height).await;
    }
    load.end().await;
    declared_by_command(&net).await;
    layouts_are_compared(&net, source, unfit).await;

    let client = net.client(0);
    let height = tip(&client).await + LEAD;
    let scheduled = plan(height, 2, Some((source, &next)));
    decide(&client, &members, kind::SCHEDULE_UPGRADE, &scheduled).await;
    the_laggard_is_warned(&net).await;
    readiness_is_told_by_legal_names(&net).await;
    let load = Load::start(&net, &[0, 1, 2]);
    wait_past(&mut net, &[0, 1, 2], height).await;
    load.end().await;

    let before = net.genesis().block_gas_limit;
    assert_eq!(gas_limit(&client, height - 1).await, before);
    assert_eq!(gas_limit(&client, height).await, BLOCK_GAS_LIMIT);
    let params = [json!(CHAINS), json!("latest")];
    let placed: Bytes = client.request("eth_getCode", &params).await.unwrap();
    assert_eq!(placed, next);
    let kept = ask(&client, CHAINS, &chainOfCall { chain: 1 }).await;
    assert_eq!((kept.caip2.as_str(), kept.operator), ("eip155:1981", 2));

    the_laggard_stopped_before(&mut net, height).await;
    net.network.start(LAGGARD).unwrap();
    let now = tip(&client).await;
    net.wait_height(LAGGARD, Height(now)).await;
    // Whoever comes later executes old blocks by their rules and new ones by theirs.
    net.network.start(OBSERVER).unwrap();
    net.wait_height(OBSERVER, Height(now)).await;
    for at in [height - 1, height, now] {
        same_block(&net, &[0, 1, 2, LAGGARD, OBSERVER], at).await;
    }
    net.assert_no_panic();
}

/// Each operator declares what its node supports, and nothing else.
async fn declared_by_command(net: &TestNetwork) {
    let nodes = net.network.nodes();
    for node in [0, 1, 2] {
        let key = net.home(node).account_key_file().display().to_string();
        let name = nodes[node].name.as_str();
        let url = net.network.rpc_url(node);
        let args = ["upgrade", "declare", name, "--key", &key, "--rpc", &url];
        said(&tbsi(&args).await, 0, &["supports protocol version 2"]);
    }
    let key = net.home(LAGGARD).account_key_file().display().to_string();
    let (name, url) = (nodes[LAGGARD].name.as_str(), net.network.rpc_url(LAGGARD));
    let more = ["upgrade", "declare", name, "--protocol", "2", "--key", &key];
    let more = tbsi(&[&more[..], &["--rpc", &url]].concat()).await;
    said(&more, 2, &["supports protocol version 1, not 2"]);
}

/// Code whose storage layout does not fit is refused before anybody is asked.
async fn layouts_are_compared(net: &TestNetwork, source: Address, unfit: Address) {
    let key = net.home(0).account_key_file().display().to_string();
    let height = (tip(&net.client(0)).await + 1_000).to_string();
    for (name, account, code, words) in [
        ("NextChains", source, 0, "nothing was sent"),
        ("UnfitChains", unfit, 2, "does not fit its storage"),
        ("UnfitChains", source, 2, "that of the artifact is"),
    ] {
        let file = net.scratch().join("artifact.json");
        std::fs::write(&file, artifact(name).to_string()).unwrap();
        let artifact = format!("chains={}", file.display());
        let replace = format!("chains={account}");
        let args = [
            "upgrade",
            "plan",
            "x",
            "--height",
            &height,
            "--version",
            "9.9.9",
            "--replace",
            &replace,
            "--artifact",
            &artifact,
            "--key",
            &key,
            "--dry-run",
        ];
        said(&command(net, &args).await, code, &[words]);
    }
}

async fn the_laggard_is_warned(net: &TestNetwork) {
    let address = net.network.metrics_url(LAGGARD);
    let address = address.trim_start_matches("http://").parse().unwrap();
    eventually("the laggard knows of the upgrade", async || {
        let page = http(address, "GET", "/readyz", &[], b"").await;
        let page: Value = serde_json::from_str(page.text()).unwrap();
        let warning = page["warnings"][0].as_str().unwrap_or_default().to_owned();
        warning.contains("needs protocol version 2") && warning.contains("install tbsi 9.9.9")
    })
    .await;
    let page = http(address, "GET", "/metrics", &[], b"").await;
    let metrics = page.text();
    assert!(metrics.contains("tbsi_upgrade_supported 0"), "{metrics}");
    assert!(metrics.contains("tbsi_upgrade_protocol 2"), "{metrics}");
    assert!(metrics.contains("tbsi_protocol_supported 1"), "{metrics}");
}

async fn readiness_is_told_by_legal_names(net: &TestNetwork) {
    let shown = command(net, &["upgrade", "status"]).await;
    said(
        &shown,
        0,
        &[
            "protocol version 1 → 2",
            "it takes effect",
            "ready     Test Association A",
            "NOT READY Test Association D",
        ],
    );
    let shown = command(net, &["upgrade", "status", "--lang", "zh-TW"]).await;
    said(&shown, 0, &["未就緒  台灣測試公會丁", "將會生效"]);
    let shown = json_of(&command(net, &["upgrade", "status", "--json"]).await);
    assert_eq!(shown["readiness"]["quorum"], true, "{shown}");
    assert_eq!(shown["protocol"], json!({ "inForce": 1, "supported": 2 }));
}

/// It ended by itself with one line that says what to do, and says it again when it is started.
async fn the_laggard_stopped_before(net: &mut TestNetwork, height: u64) {
    eventually("the laggard stops", async || {
        net.network.pid(LAGGARD).is_none()
    })
    .await;
    let words = format!("height {height} needs protocol version 2 (upgrade 1) and this program");
    let log = net.log(LAGGARD);
    let last = log.lines().last().unwrap_or_default();
    assert!(
        last.contains(&words) && last.contains("install tbsi 9.9.9"),
        "{log}"
    );
    let home = net.network.home(LAGGARD).display().to_string();
    let again = run_to_end(Path::new(VERSION_1), &["node", "run", "--home", &home]).await;
    said(&again, 1, &[&words, "nothing is lost"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_not_ready_goes_on_as_it_is() {
    let mut net = old_network().await;
    let council = accounts(&net);
    let members: Vec<&Actor> = council.iter().collect();
    let client = net.client(0);
    bad_plans_are_refused(&net).await;
    // Two of four are no quorum.
    for (node, actor) in [(1, &council[0]), (2, &council[1])] {
        let declaration = declareCall { node, version: 2 };
        actor.act(&client, UPGRADES, &declaration).await;
    }
    let height = tip(&client).await + LEAD;
    let scheduled = plan(height, 2, None);
    decide(&client, &members, kind::SCHEDULE_UPGRADE, &scheduled).await;
    let load = Load::start(&net, &[0, 1, 2, 3]);
    wait_past(&mut net, &[0, 1, 2, 3], height).await;
    load.end().await;
    let upgrade = ask(&client, UPGRADES, &upgradeOfCall { upgrade: 1 }).await;
    const LAPSED: u8 = 4;
    const NOT_READY: u8 = 1;
    assert_eq!((upgrade.status, upgrade.lapse), (LAPSED, NOT_READY));
    assert_eq!(2 * upgrade.support, upgrade.power);
    let before = net.genesis().block_gas_limit;
    assert_eq!(gas_limit(&client, height).await, before);
    same_block(&net, &[0, 1, 2, 3], height).await;
    let shown = command(&net, &["upgrade", "status"]).await;
    said(
        &shown,
        0,
        &["lapsed (too little power was ready", "version 1 in force"],
    );
    let latest = client.checkpoint(BlockNumberOrTag::Latest).await.unwrap();
    assert!(latest.unwrap().height.0 > height);
    net.assert_no_panic();
}

/// Each with its own words, and nothing is sent.
async fn bad_plans_are_refused(net: &TestNetwork) {
    let key = net.home(0).account_key_file().display().to_string();
    let far = (tip(&net.client(0)).await + 1_000).to_string();
    let cases: [(&[&str], &str); 8] = [
        (&["--height", "1", "--protocol", "2"], "past or too near"),
        (&["--height", &far], "changes nothing"),
        (&["--height", &far, "--protocol", "0"], "is too low"),
        (&["--height", &far, "--protocol", "99"], "far above"),
        (
            &["--height", &far, "--set", "block-gas-limit=1000"],
            "block-gas-limit of 1000 is outside 16777216 to 10000000000",
        ),
        (
            &["--height", &far, "--set", "gas=1000"],
            "`gas` is no parameter",
        ),
        (
            &[
                "--height",
                &far,
                "--set",
                "epoch-seconds=1",
                "--set",
                "epoch-seconds=2",
            ],
            "named twice",
        ),
        (
            &[
                "--height",
                &far,
                "--replace",
                "chains=0x1111111111111111111111111111111111111111",
            ],
            "has no code",
        ),
    ];
    for (args, words) in cases {
        let common = ["upgrade", "plan", "x", "--version", "9.9.9", "--key", &key];
        said(
            &command(net, &[&common[..], args].concat()).await,
            2,
            &[words],
        );
    }
    let none = ["upgrade", "cancel", "1", "--key", &key];
    said(&command(net, &none).await, 2, &["does not wait"]);
}
