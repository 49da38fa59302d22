//! The drill: three of four validators are lost and come back from backups, one moves to another
//! machine; at length, a key is rotated and every node changes to a newer program. What was
//! acknowledged stays, and all is noted in a protocol that can be filed.
//!
//! `make drill` runs all of it and keeps the protocol, `make test` the first two parts.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use alloy_eips::BlockNumberOrTag;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;
use tbsi_light::{TrustAnchor, verify_bundle};
use tbsi_rpc::wire::Acknowledgement;
use tbsi_tests::harness::{
    Ended, TestNetwork, assert_refuses_to_run, eventually, json_of, said, tbsi, tbsi_binary,
};
use tbsi_tests::issuer::{Issuer, acknowledge};
use tbsi_types::bundle::ProofBundle;
use tbsi_types::{Address, Height};
use tokio::time::Instant;

const NODES: usize = 4;
/// Digests of a batch.
const BATCH: u64 = 50;
/// The older program of an upgrade.
const VERSION_1: &str = env!("CARGO_BIN_EXE_tbsi-version-1");

/// A network, what it has acknowledged, and what is written down of it.
struct Drill {
    net: TestNetwork,
    issuer: Issuer,
    acknowledged: Vec<Acknowledgement>,
    protocol: String,
    started: Instant,
}

impl Drill {
    async fn open(old: bool) -> Self {
        let program = tbsi_binary();
        let first = if old { Path::new(VERSION_1) } else { &program };
        let net = TestNetwork::create_by(first, NODES, 0, |_| ())
            .started()
            .await;
        let issuer = Issuer::new("drill", &net);
        let mut drill = Self {
            net,
            issuer,
            acknowledged: Vec::new(),
            protocol: String::new(),
            started: Instant::now(),
        };
        let version = json_of(&tbsi(&["version", "--json"]).await);
        let (genesis, chain) = (
            drill.net.network.genesis_hash(),
            drill.net.network.chain_id(),
        );
        drill.write(&format!(
            "# Drill protocol\n\n- program: tbsi {}, commit {}\n- network: chain id {chain}, \
             genesis hash {genesis}, {NODES} validators as processes of one machine\n- times are \
             seconds since the network was ready\n",
            version["version"], version["commit"],
        ));
        drill
    }

    fn write(&mut self, text: &str) {
        self.protocol += text;
        self.protocol.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.write(&format!(
            "\n## {text}\n\n| at | step | seen |\n| --- | --- | --- |"
        ));
    }

    /// One line of a part.
    fn note(&mut self, step: &str, seen: &str) {
        let at = self.started.elapsed().as_secs();
        let line = format!("| {at} s | {step} | {seen} |");
        self.write(&line);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.net.scratch().join(name)
    }

    fn home(&self, node: usize) -> String {
        self.net.network.home(node).display().to_string()
    }

    /// Attests at a node, and remembers what was acknowledged.
    async fn attest(&mut self, node: usize, batches: u64) {
        let client = self.net.client(node);
        for _ in 0..batches {
            let first = self.acknowledged.len() as u64 * BATCH;
            let batch = self.issuer.batch(first..first + BATCH);
            let acknowledged = acknowledge(&client, &batch).await.unwrap();
            self.acknowledged.push(acknowledged);
        }
    }

    /// Every node proves everything that was acknowledged; returns how many proofs were verified.
    async fn nothing_is_lost(&self) -> usize {
        let anchor = TrustAnchor::genesis(&self.net.genesis()).unwrap();
        let mut proofs = 0;
        for node in 0..NODES {
            let client = self.net.client(node);
            for promise in &self.acknowledged {
                let last = promise.leaves.first.0 + promise.leaves.count - 1;
                for index in [promise.leaves.first.0, last] {
                    let selector = json!({ "index": index });
                    let json: Option<Box<RawValue>> =
                        client.request("tbsi_getProof", &[selector]).await.unwrap();
                    let json = json.expect("it was acknowledged");
                    let bundle = ProofBundle::parse_json(json.get().as_bytes()).unwrap();
                    verify_bundle(&bundle, &anchor).unwrap();
                    assert_eq!(bundle.leaf_index.0, index);
                    proofs += 1;
                }
            }
        }
        proofs
    }

    /// Waits until all are at the height of one.
    async fn gather(&mut self, node: usize) -> Height {
        let tip = self.net.client(node).block_number().await.unwrap();
        for node in 0..NODES {
            self.net.wait_height(node, tip).await;
        }
        tip
    }

    async fn evidence(&self) -> usize {
        let evidence = self.net.client(0).evidence().await.unwrap();
        evidence.evidence.len()
    }

    /// The newest block that validator signed.
    async fn signs(&mut self, own: Address) {
        let client = self.net.client(0);
        for _ in 0..200 {
            self.attest(0, 1).await;
            let latest = client.certificate(BlockNumberOrTag::Latest).await.unwrap();
            if latest
                .unwrap()
                .signatures
                .iter()
                .any(|it| it.validator == own)
            {
                return;
            }
        }
        panic!("validator {own} signs none of 200 blocks");
    }

    fn end(mut self) {
        let evidence = format!(
            "\nAcknowledged in all: {} digests in {} batches, none lost.",
            self.acknowledged.len() as u64 * BATCH,
            self.acknowledged.len()
        );
        self.write(&evidence);
        self.net.assert_no_panic();
        println!("{}", self.protocol);
        if let Some(file) = std::env::var_os("TBSI_DRILL_PROTOCOL") {
            fs::write(file, &self.protocol).unwrap();
        }
    }
}

async fn run(args: &[&str]) -> Value {
    json_of(&tbsi(args).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_drill() {
    let long = std::env::var_os("LONG").is_some();
    let mut drill = Drill::open(long).await;
    drill.attest(0, 4).await;
    if long {
        upgrade(&mut drill).await;
    }
    disaster(&mut drill).await;
    moved(&mut drill).await;
    if long {
        rotation(&mut drill).await;
    }
    drill.end();
}

/// Three of four are lost with their disks. Keys are kept apart, sign-states are lost.
async fn disaster(drill: &mut Drill) {
    drill.heading("Disaster: three of four validators lost");
    let genesis = drill.net.network.genesis_file().display().to_string();
    let mut backups = Vec::new();
    for node in 1..NODES {
        let (home, out) = (drill.home(node), drill.path(&format!("backup-{node}")));
        let out = out.display().to_string();
        let made = run(&["backup", "create", "--json", "--home", &home, "--out", &out]).await;
        let right = run(&["backup", "verify", "--json", &out, "--genesis", &genesis]).await;
        assert_eq!(made["height"], right["audit"]["height"]);
        let kept = drill.path(&format!("keys-{node}"));
        for folder in ["keys", "tsa"] {
            copy_flat(
                &drill.net.network.home(node).join(folder),
                &kept.join(folder),
            );
        }
        let seen = format!(
            "height {}, {} bytes, {} certificates and {} leaves verified",
            made["height"], made["bytes"], right["audit"]["certificates"], right["audit"]["leaves"]
        );
        drill.note(
            &format!("backup of validator {} made and verified", node + 1),
            &seen,
        );
        backups.push((out, kept));
    }
    drill.attest(0, 6).await;
    let before = drill.gather(0).await;
    for node in 0..NODES {
        drill.net.network.kill9(node).await.unwrap();
    }
    for node in 1..NODES {
        fs::remove_dir_all(drill.net.network.home(node)).unwrap();
    }
    let lost = Instant::now();
    drill.note(
        "all killed, the homes of validators 2 to 4 destroyed",
        &format!("height {before}"),
    );

    restored(drill, &backups, before, lost).await;
}

/// From one survivor and backups of the others.
async fn restored(drill: &mut Drill, backups: &[(String, PathBuf)], before: Height, lost: Instant) {
    let genesis = drill.net.network.genesis_file().display().to_string();
    drill.net.network.start(0).unwrap();
    drill.net.wait_height(0, before).await;
    let (rpc, file) = (drill.net.network.rpc_url(0), drill.path("checkpoint.json"));
    let file = file.display().to_string();
    let got = tbsi(&["checkpoint", "get", "--rpc", &rpc, "--out", &file]).await;
    said(&got, 0, &["height"]);
    let survivor = drill.net.client(0).block_number().await.unwrap();
    assert!(
        survivor >= before,
        "the survivor has all that was acknowledged"
    );
    drill.note(
        "the survivor started",
        &format!("height {survivor}: nothing acknowledged is lost (RPO 0)"),
    );
    let height = survivor.to_string();
    for (node, (backup, keys)) in (1..NODES).zip(backups) {
        let home = drill.net.network.home(node);
        for folder in ["keys", "tsa"] {
            copy_flat(&keys.join(folder), &home.join(folder));
        }
        let home = home.display().to_string();
        let flags = [
            "--genesis",
            &genesis,
            "--height",
            &height,
            "--checkpoint",
            &file,
        ];
        let args = ["backup", "restore", "--json", backup, "--home", &home];
        let restored = run(&[args.as_slice(), &flags].concat()).await;
        drill.net.network.start(node).unwrap();
        let seen = format!(
            "from height {}, sign-state begins at the end of height {height}",
            restored["height"]
        );
        drill.note(
            &format!("validator {} restored and started", node + 1),
            &seen,
        );
    }
    for node in 1..NODES {
        drill.net.wait_height(node, survivor).await;
    }
    drill.attest(1, 1).await;
    let rto = lost.elapsed();
    let tip = drill.gather(1).await;
    assert!(tip > survivor);
    drill.note(
        "the network acknowledges again",
        &format!(
            "height {tip}; RTO {}.{} s",
            rto.as_secs(),
            rto.subsec_millis() / 100
        ),
    );
    let (proofs, evidence) = (drill.nothing_is_lost().await, drill.evidence().await);
    drill.note(
        "every node asked for all that was acknowledged",
        &format!(
            "{proofs} proofs verified from the genesis file; {evidence} pieces of evidence (of the \
             height that was open when the sign-states were lost)"
        ),
    );
}

/// A validator goes to another home, as to another machine.
async fn moved(drill: &mut Drill) {
    const NODE: usize = 3;
    drill.heading("Move of a validator to another machine");
    let own = drill.net.validator_address(NODE);
    let (home, parcel) = (drill.net.network.home(NODE), drill.path("parcel"));
    let (dir, out) = (home.display().to_string(), parcel.display().to_string());
    let busy = leave(&dir, &out).await;
    said(&busy, 1, &["in use"]);
    drill.note("`operator move leave` while the node runs", "refused");
    drill.net.network.stop(NODE).await.unwrap();
    let left = json_of(&leave(&dir, &out).await);
    assert_eq!(left["validator"], json!(own));
    drill.note(
        "node stopped, parcel made",
        &format!("validator {own}, signed up to {}", left["signed"]),
    );
    assert_refuses_to_run(&home, &["left in", "it could sign twice"]).await;
    said(
        &leave(&dir, &drill.path("second").display().to_string()).await,
        1,
        &["sign twice"],
    );
    drill.note("the old home started, and left again", "refused, both");

    let old = drill.path("old-machine");
    fs::rename(&home, &old).unwrap();
    let genesis = drill.net.network.genesis_file().display().to_string();
    let arrive = [
        "operator",
        "move",
        "arrive",
        "--json",
        "--from",
        &out,
        "--genesis",
        &genesis,
    ];
    run(&[arrive.as_slice(), &["--home", &dir]].concat()).await;
    let second = drill.path("third-machine").display().to_string();
    let again = tbsi(&[arrive.as_slice(), &["--home", &second]].concat()).await;
    said(&again, 1, &["was brought into a home before"]);
    assert!(!Path::new(&second).exists());
    drill.note(
        "taken out of the parcel on the new machine; a second time",
        "done; refused",
    );
    drill.net.network.start(NODE).unwrap();
    let tip = drill.net.client(0).block_number().await.unwrap();
    drill.net.wait_height(NODE, tip).await;
    drill.signs(own).await;
    let check = ["operator", "move", "check", "--json", "--home", &dir];
    eventually("the validator has arrived", async || {
        tbsi(&check).await.code == Some(0)
    })
    .await;
    let steps = run(&check).await;
    let mut seen = String::new();
    for step in steps["steps"].as_array().unwrap() {
        write!(seen, "{}; ", step["said"].as_str().unwrap()).unwrap();
    }
    drill.note("`operator move check`", seen.trim_end_matches("; "));
    drill.note(
        "asked for all that was acknowledged",
        &format!("{} proofs verified", drill.nothing_is_lost().await),
    );
}

async fn leave(home: &str, out: &str) -> Ended {
    tbsi(&[
        "operator", "move", "leave", "--json", "--home", home, "--out", out,
    ])
    .await
}

/// A validator key is replaced while the network runs.
async fn rotation(drill: &mut Drill) {
    const NODE: usize = 2;
    drill.heading("Rotation of a validator key");
    let before = drill.net.validator_address(NODE);
    let (home, rpc) = (drill.home(NODE), drill.net.network.rpc_url(0));
    let key = drill
        .net
        .home(NODE)
        .account_key_file()
        .display()
        .to_string();
    let args = [
        "keys", "rotate", "--json", "--home", &home, "--rpc", &rpc, "--key", &key,
    ];
    let rotated = run(&args).await;
    let after: Address = rotated["validator"].as_str().unwrap().parse().unwrap();
    drill.note(
        "`keys rotate validator`",
        &format!("{before} → {after}, in block {}", rotated["height"]),
    );
    drill.signs(after).await;
    drill.note("the node signs with the new key", "seen in a certificate");
    assert_eq!(drill.net.validator_address(NODE), after);
    drill.note(
        "asked for all that was acknowledged",
        &format!("{} proofs verified", drill.nothing_is_lost().await),
    );
}

/// Every node changes to a newer program, one after the other.
async fn upgrade(drill: &mut Drill) {
    drill.heading("Upgrade of the program, node by node");
    drill.net.network.run_by(&tbsi_binary());
    for node in 0..NODES {
        let since = Instant::now();
        drill.net.network.stop(node).await.unwrap();
        let others = (node + 1) % NODES;
        drill.attest(others, 1).await;
        drill.net.network.start(node).unwrap();
        let tip = drill.net.client(others).block_number().await.unwrap();
        drill.net.wait_height(node, tip).await;
        let took = since.elapsed().as_millis();
        drill.note(
            &format!(
                "validator {} stopped, started with the newer program",
                node + 1
            ),
            &format!("back after {took} ms; the others acknowledged meanwhile"),
        );
    }
    drill.note(
        "asked for all that was acknowledged",
        &format!("{} proofs verified", drill.nothing_is_lost().await),
    );
}

/// Files of a folder without folders, if there is such a folder.
fn copy_flat(from: &Path, to: &Path) {
    if !from.is_dir() {
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
