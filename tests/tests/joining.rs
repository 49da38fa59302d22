//! A node of which nobody's configuration says anything joins, and moves, by what the registry
//! says of it (SPEC §6.7).

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use serde_json::Value;
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_rpc::Client;
use tbsi_tests::harness::{TestNetwork, eventually, json_of, said, tbsi, tbsi_binary};
use tbsi_types::Height;
use tokio::process::{Child, Command};

/// Two ports of loopback, one after the other, as an endpoint names them; below those that
/// outgoing connections take.
fn two_ports(searched: std::ops::Range<u16>) -> [SocketAddr; 2] {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = searched
        .step_by(2)
        .find(|port| free(*port) && free(port + 1));
    let first = first.expect("two free ports");
    [first, first + 1].map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A node beside those of the network.
struct Newcomer {
    home: Home,
    process: Option<Child>,
}

impl Newcomer {
    async fn init(net: &TestNetwork) -> Self {
        let home = Home::new(net.scratch().join("newcomer"));
        let dir = home.dir().display().to_string();
        let genesis = net.home(0).genesis_file().display().to_string();
        let init = [
            "node",
            "init",
            "--home",
            &dir,
            "--genesis",
            &genesis,
            "--name",
            "newcomer",
        ];
        said(&tbsi(&init).await, 0, &["Node `newcomer` is ready"]);
        let text = std::fs::read_to_string(home.config_file()).unwrap();
        assert!(!text.lines().any(|line| line == "[[p2p.peers]]"), "{text}");
        Self {
            home,
            process: None,
        }
    }

    /// Listens elsewhere; returns the endpoint.
    fn listen(&self, searched: std::ops::Range<u16>) -> String {
        let file = self.home.config_file();
        let mut config = Config::load(&file).unwrap();
        let [consensus, gossip] = two_ports(searched);
        let free = || {
            let socket = TcpListener::bind("127.0.0.1:0").unwrap();
            socket.local_addr().unwrap()
        };
        config.rpc.listen = free();
        config.metrics.listen = free();
        (config.p2p.consensus, config.p2p.gossip) = (consensus, gossip);
        std::fs::write(&file, config.to_toml()).unwrap();
        format!("/ip4/127.0.0.1/tcp/{}", consensus.port())
    }

    fn start(&mut self) -> Client {
        let log = std::fs::File::create(self.home.dir().join("node.log")).unwrap();
        let process = Command::new(tbsi_binary())
            .args(["node", "run", "--home"])
            .arg(self.home.dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        self.process = Some(process.unwrap());
        let config = Config::load(&self.home.config_file()).unwrap();
        Client::new(&format!("http://{}", config.rpc.listen)).unwrap()
    }

    async fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().await.unwrap();
    }
}

/// Waits until the newcomer has a block of now, which somebody told it.
async fn follows(net: &TestNetwork, newcomer: &Client) {
    let tip = net.client(0).block_number().await.unwrap();
    eventually("the newcomer is told the chain", async || {
        let height = newcomer.block_number().await;
        let status = newcomer.status().await;
        height.is_ok_and(|height| height >= tip.max(Height(1)))
            && status.is_ok_and(|status| status.peers.iter().any(|peer| peer.connected))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_is_found_by_its_endpoint_wherever_it_moves() {
    let mut net = TestNetwork::create(4, 0);
    for node in 0..4 {
        net.network.start(node).unwrap();
    }
    net.wait_height(0, Height(1)).await;
    let mut newcomer = Newcomer::init(&net).await;
    let dir = newcomer.home.dir().display().to_string();
    let (url, key) = (net.network.rpc_url(0), net.home(0).account_key_file());
    let key = key.display().to_string();
    let operator = async |words: &[&str]| {
        let who = ["--rpc", &url, "--key", &key, "--json"];
        json_of(&tbsi(&[["operator"].as_slice(), words, &who].concat()).await)
    };

    // The genesis file says of nobody where they are, so all depends on the members.
    let endpoint = newcomer.listen(20_000..22_000);
    let register = ["register", "--home", &dir, "--endpoint", &endpoint];
    operator(&register).await;
    let client = newcomer.start();
    follows(&net, &client).await;
    newcomer.stop().await;

    let moved = newcomer.listen(22_000..24_000);
    operator(&["update", "newcomer", "--endpoint", &moved]).await;
    let client = newcomer.start();
    follows(&net, &client).await;

    eventually("all are connected, both ways", async || {
        let checks = doctor(&dir).await.1["checks"].clone();
        let mut checks = checks.as_array().into_iter().flatten();
        checks.any(|it| it["check"] == "peers" && it["verdict"] == "ok")
    })
    .await;
    the_doctor_finds_what_is_so(&dir, true).await;
    let top = ["top", "--rpc", client.url(), "--lang", "zh-TW"];
    eventually("each peer is connected", async || {
        tbsi(&top).await.stdout.contains("4／4")
    })
    .await;
    let glance = tbsi(&top).await;
    said(&glance, 0, &["的 newcomer（觀察節點）", "連線     4／4"]);

    // What nobody could find is refused before anything is sent.
    let odd = [
        "operator",
        "update",
        "newcomer",
        "--endpoint",
        "/ip4/10.0.0.1",
    ];
    let refused = tbsi(&[odd.as_slice(), &["--rpc", &url, "--key", &key]].concat()).await;
    let words = "has other parts than a machine and a TCP port";
    said(&refused, 2, &[words, "/dns4/NAME/tcp/PORT"]);
    newcomer.stop().await;
    the_doctor_finds_what_is_so(&dir, false).await;
    net.network.stop_all().await.unwrap();
    net.assert_no_panic();
}

/// Its exit code and what it says.
async fn doctor(dir: &str) -> (Option<i32>, Value) {
    let ended = tbsi(&["doctor", "--home", dir, "--json"]).await;
    let json = serde_json::from_str(&ended.stdout).expect("one JSON object");
    (ended.code, json)
}

/// Each check by name, with its verdict; the worst of several.
async fn the_doctor_finds_what_is_so(dir: &str, runs: bool) {
    let (code, json) = doctor(dir).await;
    let checks = json["checks"].as_array().unwrap();
    let verdict = |check: &str| {
        let mut found = checks.iter().filter(|it| it["check"] == check);
        found.next().map(|it| it["verdict"].as_str().unwrap())
    };
    for check in checks {
        let (verdict, remedy) = (&check["verdict"], &check["remedy"]);
        assert_eq!(verdict == "ok", remedy.is_null(), "{check}");
    }
    assert_eq!(verdict("keys"), Some("ok"), "{json}");
    assert_eq!(verdict("sign-state"), Some("ok"), "{json}");
    assert_eq!(verdict("certificates"), Some("ok"), "{json}");
    assert!(verdict("disk-space").is_some() && verdict("disk-latency").is_some());
    // Nobody says of the founders where they are.
    assert_eq!(verdict("configuration"), Some("warning"), "{json}");
    if runs {
        for check in ["node", "chain", "peers", "reached-by-peers"] {
            assert_eq!(verdict(check), Some("ok"), "{check}: {json}");
        }
        for check in ["clock", "open-files", "version"] {
            assert!(verdict(check).is_some(), "{check}: {json}");
        }
        return;
    }
    assert_eq!(code, Some(1), "{json}");
    assert_eq!(
        (verdict("node"), verdict("ports")),
        (Some("failed"), Some("ok"))
    );
    let chinese = tbsi(&["doctor", "--home", dir, "--lang", "zh-TW"]).await;
    said(
        &chinese,
        1,
        &["異常  節點：", "→ 請啟動節點：", "正常  金鑰檔："],
    );
    let nowhere = tbsi(&["doctor", "--home", "/nowhere"]).await;
    said(
        &nowhere,
        1,
        &["FAILED   configuration: /nowhere/config.toml is missing"],
    );
}
