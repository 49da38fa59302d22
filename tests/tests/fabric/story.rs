//! What a relayer does on a real network, from the guide's commands on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tbsi_bridge::fabric::{FabricPeers, MVCC_READ_CONFLICT, VALID};
use tbsi_tests::bridge::chain::{Chain, set};
use tbsi_tests::bridge::serve::Server;
use tbsi_tests::harness::{Ended, tbsi_binary};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::people::{Member, NAMES, gateways};
use crate::real::RealFabric;

/// Everything that a plan goes through, and what happens between two records.
const POINTS: [&str; 9] = [
    "started",
    "discovered",
    "proven",
    "planned",
    "endorsed",
    "sent",
    "ordered",
    "final",
    "attested",
];

/// The guide's last commands: those of a relayer.
fn commands() -> String {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fabric.md");
    let text = fs::read_to_string(guide).unwrap();
    let last = text.rsplit("```sh\n").next().unwrap();
    let (block, _) = last.split_once("```").unwrap();
    assert!(block.contains("tbsi relay init-fabric"), "{block}");
    block.into()
}

/// A network, a chain, and a relayer between them.
struct Story {
    fabric: RealFabric,
    chain: Chain,
    server: Server,
    dir: tempfile::TempDir,
}

impl Story {
    fn home(&self) -> PathBuf {
        self.dir.path().join("R")
    }

    /// The guide's commands, as one types them.
    async fn set_up(&self) -> String {
        let told = &self.fabric.told;
        let [one, two] = &told.organisations[..] else {
            panic!("two organisations");
        };
        let genesis = serde_json::to_string(&self.chain.held().genesis).unwrap();
        fs::write(self.dir.path().join("genesis.json"), genesis).unwrap();
        let tbsi = tbsi_binary();
        let path = format!(
            "{}:{}",
            tbsi.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let bare = |url: &str| url.trim_start_matches("https://").to_owned();
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &commands()])
            .env("DIR", self.dir.path())
            .env("PATH", path)
            .env("SOURCE", self.server.url())
            .env("CHANNEL", &told.channel)
            .env("PEER1", bare(&one.gateway))
            .env("PEER1_CA", &one.tls_roots)
            .env("PEER2", bare(&two.gateway))
            .env("PEER2_CA", &two.tls_roots)
            .env("CERTIFICATE", &two.users.user1.certificate)
            .env("KEY", &two.users.user1.key)
            .env("NAME_EN", NAMES.0)
            .env("NAME_ZH_TW", NAMES.1)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{error}");
        said
    }

    async fn relay(&self, command: &[&str], kill_at: Option<&str>) -> Ended {
        let mut process = Command::new(tbsi_binary());
        process
            .arg("relay")
            .args(command)
            .arg("--home")
            .arg(self.home());
        if let Some(point) = kill_at {
            process.env("TBSI_RELAY_KILL_AT", point);
        }
        let output = process.stdin(Stdio::null()).output().await.unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    async fn ok(&self, command: &[&str]) -> String {
        let ended = self.relay(command, None).await;
        let Ended { stdout, stderr, .. } = &ended;
        assert_eq!(ended.code, Some(0), "{command:?}: {stdout}\n{stderr}");
        ended.stdout
    }

    fn member(&self, organisation: usize) -> Member {
        let told = &self.fabric.told;
        let of = &told.organisations[organisation];
        Member::new(told, of, &of.users.user1)
    }

    fn administrator(&self) -> Member {
        let told = &self.fabric.told;
        let of = &told.organisations[0];
        Member::new(told, of, &of.users.admin)
    }

    /// Fails unless all leaves are on the ledger, by this relayer, under its legal names.
    async fn assert_anchored(&self) {
        let member = self.member(0);
        let leaves = self.chain.held().leaves.len();
        for index in 0..leaves {
            let argument = json!({ "index": index }).to_string();
            let found = member.ask("GetAnchor", &argument).await;
            let found = found.unwrap_or_else(|error| panic!("leaf {index}: {error}"));
            let found: Value = serde_json::from_slice(&found).unwrap();
            assert_eq!(found["by"]["nameEn"], NAMES.0);
            assert_eq!(found["by"]["nameZhTw"], NAMES.1);
            assert_eq!(found["by"]["mspId"], "Org2MSP");
        }
    }

    /// Fails unless the audit finds all of it and no difference.
    async fn assert_same(&self) {
        let audit = self.ok(&["audit", "--json"]).await;
        let audit: Value = serde_json::from_str(&audit).unwrap();
        assert_eq!(audit["same"], true, "{audit:#}");
        let leaves = self.chain.held().leaves.len();
        assert_eq!(audit["report"]["leaves"], leaves, "{audit:#}");
    }
}

async fn live(test: &str, orderers: usize) {
    let Some(fabric) = RealFabric::start(test, orderers).await else {
        return;
    };
    let chain = Chain::new(None);
    let server = Server::start(&chain).await;
    let story = Story {
        fabric,
        chain,
        server,
        dir: tempfile::tempdir().unwrap(),
    };
    let administrator = story.administrator();
    administrator.open(&story.chain).await;
    administrator.register(&story.member(1).identity).await;
    story.chain.block(3, None);
    let said = story.set_up().await;
    for words in [
        "compare that with another organisation",
        "registered there as Test Association Fabric (台灣測試公會鏈)",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    story.assert_anchored().await;
    handover(&story).await;
    kills(&story).await;
    conflict(&story).await;
    events(&story).await;
    wrong_roots(&story).await;
    story.assert_same().await;
}

#[tokio::test]
async fn a_relayer_carries_to_a_network_with_raft() {
    live("fabric raft", 1).await;
}

#[tokio::test]
async fn a_relayer_carries_to_a_network_with_bft() {
    live("fabric bft", 4).await;
}

/// The validators change, and change back.
async fn handover(story: &Story) {
    story.chain.block(2, Some(set(4..8)));
    story.chain.block(2, Some(set(8..12)));
    story.chain.block(1, None);
    story.ok(&["clear"]).await;
    story.assert_anchored().await;
    let status = story.member(0).ask("GetStatus", "{}").await.unwrap();
    let status: Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["head"]["setId"], 3, "{status:#}");
}

/// Killed at each state, and started again.
async fn kills(story: &Story) {
    let long = std::env::var("LONG").is_ok_and(|it| it == "1");
    let rounds = if long { 20 } else { 1 };
    for point in POINTS.into_iter().cycle().take(POINTS.len() * rounds) {
        story.chain.block(2, None);
        let killed = story.relay(&["clear"], Some(point)).await;
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
        story.ok(&["clear"]).await;
    }
    story.assert_anchored().await;
    println!(
        "ledger: {} kills of the relayer to Fabric, {rounds} at each of {} states",
        POINTS.len() * rounds,
        POINTS.len()
    );
}

/// Two that were endorsed on one state: the second one is invalid in its block, and comes to nothing
/// when it is handed in again.
async fn conflict(story: &Story) {
    let member = story.member(1);
    let message = |sequence: u64, payload: &str| {
        json!({
            "sequence": sequence, "timeoutSeconds": 2_000_000_000,
            "receiver": format!("0x{}", "be".repeat(20)),
            "payloadHash": format!("0x{}", payload.repeat(32)),
        })
        .to_string()
    };
    let (one, first) = member
        .endorse("SendMessage", &message(1, "01"))
        .await
        .unwrap();
    let (other, second) = member
        .endorse("SendMessage", &message(1, "02"))
        .await
        .unwrap();
    member.gateways.submit(one, &first).await.unwrap();
    assert_eq!(member.fate(one).await.result, VALID);
    member.gateways.submit(other, &second).await.unwrap();
    assert_eq!(member.fate(other).await.result, MVCC_READ_CONFLICT);
    // The same bytes once more do not count, and do not change what was found.
    member.gateways.submit(one, &first).await.unwrap();
    assert_eq!(member.invoke("SendMessage", &message(2, "03")).await, VALID);
    assert_eq!(member.fate(one).await.result, VALID);
    assert_eq!(member.fate(other).await.result, MVCC_READ_CONFLICT);
}

/// What `tbsi relay events` prints, so many lines of it.
async fn printed(home: &Path, lines: usize) -> Vec<Value> {
    let mut process = Command::new(tbsi_binary())
        .args(["relay", "events", "--json", "--home"])
        .arg(home)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut read = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut all = Vec::new();
    while all.len() < lines {
        let line = read.next_line().await.unwrap().expect("an event");
        all.push(serde_json::from_str(&line).unwrap());
    }
    all
}

/// Events come from the first on, and go on where they ended.
async fn events(story: &Story) {
    let first = printed(&story.home(), 3).await;
    assert_eq!(first[0]["name"], "ClientOpened", "{first:#?}");
    assert_eq!(first[1]["name"], "RelayerSet");
    let next = printed(&story.home(), 1).await;
    // The last one may come again: it was printed before the position was on disk.
    let block = |of: &Value| of["block"].as_u64().unwrap();
    assert!(block(&next[0]) >= block(&first[2]), "{next:#?}");
}

async fn wrong_roots(story: &Story) {
    let told = &story.fabric.told;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let strange = gateways(told, Some(made.cert.pem().as_bytes()));
    let member = story.member(0);
    let proposal = member.propose(&told.chaincode, &["GetStatus", "{}"]);
    for answer in strange.evaluate(&proposal).await {
        let error = answer.unwrap_err().to_string();
        assert!(
            error.contains("no answer") && error.contains("certificate"),
            "{error}"
        );
    }
}
