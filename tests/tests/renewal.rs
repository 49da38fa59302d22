//! Proofs that outlive certificates and algorithms, with the commands that people type, on networks
//! of real processes; and what software that others wrote says of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tbsi_testnet::AUTHORITY_ROOT;
use tbsi_tests::harness::{Ended, TestNetwork, eventually, http, json_of, said, skip, tbsi};
use tbsi_tests::outside::{accepts, go_program, outside, run};

/// Commands against one network, the first of whose nodes makes time stamps.
struct Desk {
    net: TestNetwork,
    genesis: String,
    dir: PathBuf,
}

impl Desk {
    async fn open(validators: usize) -> Self {
        let net = TestNetwork::start(validators, 0).await;
        let genesis = net.network.genesis_file().display().to_string();
        let dir = net.scratch().join("desk");
        fs::create_dir(&dir).unwrap();
        let root = net.network.home(0).join(AUTHORITY_ROOT);
        fs::copy(root, dir.join("root.pem")).unwrap();
        Self { net, genesis, dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.dir.join(name), bytes).unwrap();
        self.path(name)
    }

    async fn ask(&self, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(0);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    fn account(&self, node: usize) -> String {
        self.net.home(node).account_key_file().display().to_string()
    }

    /// A change by an association's account, done; its JSON.
    async fn done(&self, node: usize, args: &[&str]) -> Value {
        let key = self.account(node);
        let args = [args, &["--key", &key, "--json"]].concat();
        json_of(&self.ask(&args).await)
    }

    /// Makes a post-quantum key, names it, and starts the node again.
    async fn post_quantum(&mut self, node: usize) {
        let home = self.net.network.home(node).display().to_string();
        let rotate = ["keys", "rotate", "post-quantum", "--home", &home];
        let named = self.done(node, &rotate).await;
        let shown = json_of(&tbsi(&["keys", "show", "--home", &home, "--json"]).await);
        assert_eq!(shown["postQuantumKeyHash"], named["postQuantumKeyHash"]);
        self.net.network.stop(node).await.unwrap();
        self.net.network.start(node).unwrap();
        let height = self
            .net
            .client((node + 1) % 4)
            .block_number()
            .await
            .unwrap();
        self.net.wait_height(node, height).await;
    }

    async fn attest(&self, file: &str) -> String {
        let key = self
            .net
            .network
            .development_key_file(1)
            .display()
            .to_string();
        let args = ["attest", file, "--genesis", &self.genesis, "--key", &key];
        said(&self.ask(&args).await, 0, &[]);
        format!("{file}.tbsi.json")
    }

    /// The keys that a node has seen.
    async fn keys(&self, node: usize) -> usize {
        let address = self.net.network.nodes()[node].rpc;
        let page = http(address, "GET", "/log/post-quantum/key", &[], b"").await;
        page.text()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count()
    }

    /// Fetches cosignatures of leaf 0 until so many operators have signed.
    async fn fetch(&self, node: usize, operators: usize) -> (String, String) {
        let (out, keys) = (self.path("leaf.tlog-proof"), self.path("keys.txt"));
        let log = format!("{}/log", self.net.network.rpc_url(node));
        let fetch = [
            "log",
            "post-quantum",
            "0",
            "--out",
            &out,
            "--keys-out",
            &keys,
        ];
        let fetch = [
            fetch.as_slice(),
            &["--genesis", &self.genesis, "--log", &log, "--json"],
        ];
        let fetch = fetch.concat();
        eventually("operators have cosigned", async || {
            let fetched = tbsi(&fetch).await;
            let json: Value = serde_json::from_str(&fetched.stdout).unwrap_or_default();
            let signed = json["postQuantum"]["operators"].as_array();
            fetched.code == Some(0) && signed.is_some_and(|list| list.len() == operators)
        })
        .await;
        (out, keys)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validators_cosign_with_post_quantum_keys_that_can_be_revoked() {
    let mut desk = Desk::open(4).await;
    let file = desk.write("minutes.txt", b"minutes of the assembly\n");
    let proof = desk.attest(&file).await;
    let verify = [
        "verify",
        &proof,
        "--genesis",
        &desk.genesis.clone(),
        "--json",
    ]
    .map(String::from);
    let verify: Vec<&str> = verify.iter().map(String::as_str).collect();
    let plain = json_of(&tbsi(&verify).await);
    assert_eq!(plain["postQuantum"]["status"], "notChecked");
    for node in 0..3 {
        desk.post_quantum(node).await;
    }
    // A larger log: a node that starts cosigns what it has, and this again.
    let more = desk.write("more.txt", b"more\n");
    desk.attest(&more).await;
    let (cosigned, keys) = desk.fetch(3, 3).await;
    let with = ["--post-quantum", &cosigned, "--post-quantum-keys", &keys];
    let verified = json_of(&tbsi(&[verify.as_slice(), &with].concat()).await);
    let found = &verified["postQuantum"];
    assert_eq!(
        (&found["status"], &found["power"]),
        (&"quorum".into(), &3.into()),
        "{found}"
    );
    let zh = [&verify[..4], &with, &["--lang", "zh-TW"]].concat();
    said(
        &tbsi(&zh).await,
        0,
        &["後量子", "台灣測試公會甲", "達法定多數"],
    );
    others_verify(&desk, 3);
    refused(&desk, &verify, &cosigned, &keys).await;

    // What a revoked key signs counts for nobody any more.
    let home = desk.net.network.home(0).display().to_string();
    let revoke = [
        "keys",
        "rotate",
        "post-quantum",
        "--revoke",
        "--home",
        &home,
    ];
    desk.done(0, &revoke).await;
    eventually("the revoked key is gone", async || desk.keys(3).await < 3).await;
    let account = desk.account(0);
    let again = [revoke.as_slice(), &["--key", &account]].concat();
    said(&desk.ask(&again).await, 2, &["no post-quantum key"]);
    desk.net.assert_no_panic();
}

/// transparency-dev's software, on what a node serves.
fn others_verify(desk: &Desk, needed: usize) {
    let Some(program) = go_program(&desk.dir, "postquantum") else {
        return;
    };
    let log = format!("{}/log", desk.net.network.rpc_url(3));
    let mut check = Command::new(program);
    let said = accepts(check.args(["check", &log, &needed.to_string()]));
    assert!(said.contains("changed copies refused"), "{said}");
}

async fn refused(desk: &Desk, verify: &[&str], cosigned: &str, keys: &str) {
    let with = async |cosigned: &str, keys: &str| {
        let with = ["--post-quantum", cosigned, "--post-quantum-keys", keys];
        let ended = tbsi(&[verify, &with].concat()).await;
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(json["code"], "postQuantum", "{json}");
        json["verdict"].as_str().unwrap().to_owned()
    };
    let text = fs::read_to_string(cosigned).unwrap();
    // In the middle of the last signature.
    let at = text.len() - 1_000;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    let changed = desk.write("changed.tlog-proof", changed.as_bytes());
    assert_eq!(with(&changed, keys).await, "invalid");
    let strangers = tbsi_types::log::PostQuantumSigner::new("log.example/a", &[7; 32]).unwrap();
    let strangers = desk.write("strangers.txt", strangers.verifier().encode().as_bytes());
    assert_eq!(with(cosigned, &strangers).await, "could not tell");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_renewed_over_time_stamps_and_over_files() {
    let desk = Desk::open(4).await;
    let tsa = format!("{}/tsa", desk.net.network.rpc_url(0));
    let root = desk.path("root.pem");
    fs::create_dir(desk.dir.join("files")).unwrap();
    let files = desk.path("files");
    for (name, content) in [("a", "one"), ("b", "two"), ("c", "three")] {
        desk.write(&format!("files/{name}"), content.as_bytes());
    }
    let a = desk.path("files/a");
    let renew = [
        "renew", "run", &files, "--tsa", &tsa, "--trust", &root, "--json",
    ];
    let due = ["renew", "due", &files, "--trust", &root];
    said(
        &tbsi(&due).await,
        1,
        &["has no record", "3 of 3 files are due"],
    );
    let made = json_of(&tbsi(&renew).await);
    assert_eq!(made["renewed"].as_array().unwrap().len(), 3);
    said(&tbsi(&due).await, 0, &["0 of 3 files are due"]);
    said(
        &tbsi(&[due.as_slice(), &["--within", "9000"]].concat()).await,
        1,
        &["3 of 3"],
    );
    // Over the time stamp, and then over the file with another algorithm.
    json_of(&tbsi(&renew).await);
    bouncy_castle_verifies(&desk, 2);
    json_of(&tbsi(&[renew.as_slice(), &["--hash", "sha2-512"]].concat()).await);
    bouncy_castle_verifies(&desk, 3);
    let check = ["renew", "check", &a, "--trust", &root];
    let checked = json_of(&tbsi(&[check.as_slice(), &["--json"]].concat()).await);
    let algorithms = checked["timeStamps"].as_array().unwrap();
    let algorithms: Vec<_> = algorithms.iter().map(|it| &it["algorithm"]).collect();
    assert_eq!(algorithms, ["sha2-256", "sha2-256", "sha2-512"]);
    said(
        &tbsi(&[check.as_slice(), &["--lang", "zh-TW"]].concat()).await,
        0,
        &["早於"],
    );
    // After the end of all certificates.
    let late = tbsi(&[check.as_slice(), &["--at", "4000000000"]].concat()).await;
    said(&late, 1, &["INVALID", "is valid from"]);

    nothing_is_written_if_one_does_not_hold(&desk, &renew).await;
    algorithms_end(&desk, &check, &due).await;
    desk.net.assert_no_panic();
}

async fn nothing_is_written_if_one_does_not_hold(desk: &Desk, renew: &[&str]) {
    let record = |name: &str| fs::read(desk.dir.join(format!("files/{name}.ers"))).unwrap();
    let before = ["a", "b", "c"].map(record);
    desk.write("files/b", b"changed");
    said(
        &tbsi(renew).await,
        2,
        &["files/b", "does not hold", "is not over the file"],
    );
    assert_eq!(["a", "b", "c"].map(record), before);
    assert!(fs::read_dir(desk.dir.join("files")).unwrap().count() == 6);
    desk.write("files/b", b"two");
}

/// The organisations say until when they rely on an algorithm.
async fn algorithms_end(desk: &Desk, check: &[&str], due: &[&str]) {
    let propose = ["motion", "propose", "set-algorithm", "sha2-512", "active"];
    let propose = [propose.as_slice(), &["--relied-until", "1000000000"]].concat();
    let motion = desk.done(0, &propose).await["motion"]["motion"].clone();
    let motion = motion.to_string();
    for node in 0..4 {
        let vote = ["motion", "vote", &motion, "yes"];
        if desk.done(node, &vote).await["motion"]["status"] == "executable" {
            break;
        }
    }
    desk.done(1, &["motion", "execute", &motion]).await;
    said(&tbsi(check).await, 0, &[]);
    said(
        &desk.ask(check).await,
        1,
        &["INVALID", "sha2-512", "relied upon until 1000000000"],
    );
    said(&desk.ask(due).await, 1, &["cannot be renewed"]);
}

/// Bouncy Castle accepts the records of all files and refuses changed ones.
fn bouncy_castle_verifies(desk: &Desk, stamps: usize) {
    let what = "evidence records with Bouncy Castle";
    if Command::new("mvn").arg("--version").output().is_err() {
        skip(
            what,
            "no mvn",
            "install the Debian packages maven and openjdk-17-jdk-headless",
        );
        return;
    }
    let files = ["a", "b", "c"]
        .map(|name| desk.path(&format!("files/{name}")))
        .join(" ");
    let arguments = format!("-Dexec.args=check {} {files}", desk.path("root.pem"));
    let target = format!("-Drecords.target={}", desk.path("target"));
    let mut check = Command::new("mvn");
    check.args([
        "-o",
        "-q",
        "-B",
        "compile",
        "exec:java",
        &arguments,
        &target,
    ]);
    let (code, said) = run(check.current_dir(outside().join("records")));
    if code != Some(0) && said.contains("offline mode") {
        skip(
            what,
            "Maven has not its packages",
            "run testnet/setup.sh tests",
        );
        return;
    }
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "accepted ",
        &format!("{stamps} time stamps"),
        "refused another file",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
}
