//! The war room as a process: beside a network of real nodes, and killed while it follows.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "../../warroom/tests/warroom/made.rs"]
#[allow(dead_code, reason = "the war room's own tests use all of it")]
mod made;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tbsi_rpc::{ClientError, LogReader};
use tbsi_tests::harness::{TestNetwork, eventually, json_of, said, tbsi, tbsi_binary};
use tbsi_tests::issuer::{Issuer, acknowledge, digest};
use tbsi_types::log::Tile;
use tbsi_types::{Genesis, TreeSize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use made::MadeLog;

/// Deaths of one test; `LONG=1` has all of them.
fn deaths() -> usize {
    if std::env::var_os("LONG").is_some() {
        50
    } else {
        8
    }
}

fn write_genesis(genesis: &Genesis, dir: &Path) -> PathBuf {
    let file = dir.join("genesis.json");
    std::fs::write(&file, serde_json::to_vec(genesis).unwrap()).unwrap();
    file
}

/// `tbsi warroom run` with these sources.
fn arguments(genesis: &Path, data: &Path, source: [&str; 2]) -> Vec<String> {
    let words = [
        "warroom",
        "run",
        source[0],
        source[1],
        "--silent-after-s",
        "31536000",
    ];
    let mut all: Vec<String> = words.map(str::to_owned).into();
    for (flag, path) in [("--genesis", genesis), ("--data", data)] {
        all.extend([flag.to_owned(), path.to_str().unwrap().to_owned()]);
    }
    all.push("--json".into());
    all
}

/// Runs a war room, and the address that it listens on.
async fn serve(genesis: &Path, data: &Path, source: [&str; 2]) -> (Child, String) {
    let mut all = arguments(genesis, data, source);
    all.extend(["--listen", "127.0.0.1:0", "--poll-ms", "50"].map(str::to_owned));
    let mut child = Command::new(tbsi_binary())
        .args(all)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    (
        child,
        format!("http://{}/api/v1", told["listen"].as_str().unwrap()),
    )
}

async fn ask(room: &str, path: &str) -> Value {
    let reader = LogReader::new(room).unwrap();
    let bytes = reader.file(path, 64 * 1024 * 1024).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

async fn size_of(room: &str) -> u64 {
    ask(room, "status").await["indexed"]["size"]
        .as_u64()
        .unwrap()
}

/// Copies a log of `size` leaves as a web server would have it.
async fn mirror(log: &str, size: u64, dir: &Path) {
    let reader = LogReader::new(log).unwrap();
    let mut paths = vec![
        "checkpoint".to_owned(),
        "handovers/count".into(),
        "newest-bundle".into(),
    ];
    for tile in Tile::changed(TreeSize(0), TreeSize(size)) {
        paths.push(tile.path());
        if tile.level == 0 {
            let path = tile.path();
            paths.push(path.replacen("tile/0/", "tile/entries/", 1));
            paths.push(path.replacen("tile/0/", "acts/", 1));
        }
    }
    for path in paths {
        let bytes = match reader.file(&path, 64 * 1024 * 1024).await {
            // There may be no note that a quorum cosigned yet.
            Err(ClientError::Status { status: 404, .. }) if path == "checkpoint" => continue,
            answer => answer.unwrap(),
        };
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_network_a_node_and_a_copy_of_its_log_show_the_same() {
    let net = TestNetwork::start(4, 0).await;
    let client = net.client(0);
    let mut issuer = Issuer::new("issuer", &net);
    for from in [0, 700] {
        let batch = issuer.batch(from..from + 700);
        acknowledge(&client, &batch).await.unwrap();
    }
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let genesis = write_genesis(&net.genesis(), scratch);
    let data = |name: &str| scratch.join(name);
    let (_node, room) = serve(&genesis, &data("node"), ["--rpc", client.url()]).await;
    eventually("all leaves are shown", async || {
        size_of(&room).await >= 1_400
    })
    .await;
    let status = ask(&room, "status").await;
    assert_eq!(status["checkpoint"]["basis"], "certificate");
    assert_eq!(status["alarms"], Value::Array(Vec::new()), "{status}");
    let found = ask(&room, &format!("search?q={}", digest(999))).await;
    let position = found["hits"][0]["position"].as_u64().unwrap();
    // What it says, the command line verifies.
    let bundle = scratch.join("bundle.json");
    let reader = LogReader::new(&room).unwrap();
    let path = format!("attestations/{position}/bundle");
    std::fs::write(&bundle, reader.file(&path, 1 << 20).await.unwrap()).unwrap();
    let (bundle, trusted) = (bundle.to_str().unwrap(), genesis.to_str().unwrap());
    let verified = tbsi(&["verify", bundle, "--genesis", trusted, "--json"]).await;
    assert_eq!(json_of(&verified)["verdict"], "valid");
    // The network ends, and what was verified of it is copied: the copy shows the same.
    net.assert_no_panic();
    drop(net);
    eventually("the end is noticed", async || {
        let status = ask(&room, "status").await;
        let shown = &status["indexed"]["size"];
        status["sources"][0]["reachable"] == false && *shown == status["checkpoint"]["size"]
    })
    .await;
    let copy = data("copy");
    let size = size_of(&room).await;
    mirror(&format!("{room}/tiles"), size, &copy).await;
    let source = ["--tiles", copy.to_str().unwrap()];
    let (_copy, other) = serve(&genesis, &data("of-copy"), source).await;
    eventually("the copy is shown", async || {
        ask(&other, "status").await["checkpoint"]["size"] == size
    })
    .await;
    for path in [
        format!("attestations/{position}"),
        "attestations?kind=any&limit=200".into(),
        "organisations".into(),
        "organisations/1".into(),
        "motions".into(),
        "chains".into(),
        "recount?start=0".into(),
        "search?q=node".into(),
        "series?step=minute".into(),
    ] {
        assert_eq!(ask(&room, &path).await, ask(&other, &path).await, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_follows_its_index_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    let mut log = MadeLog::new("deaths");
    let genesis = write_genesis(&log.genesis, dir.path());
    let source = files.to_str().unwrap().to_owned();
    let mut before = 0;
    for death in 0..deaths() {
        log.attest(u8::try_from(death % 4).unwrap(), 40_000);
        log.write(&files);
        let (mut child, room) = serve(&genesis, &data, ["--tiles", &source]).await;
        // At another place each time: after some of the new leaves.
        let wanted = before + 1 + (death as u64 % 3) * 15_000;
        eventually("it is on its way", async || size_of(&room).await >= wanted).await;
        child.kill().await.unwrap();
        let once = [
            arguments(&genesis, &data, ["--tiles", &source]),
            vec!["--once".into()],
        ]
        .concat();
        if death % 2 == 0 {
            let told = json_of(&tbsi(&once).await);
            assert_eq!(told["size"], log.size());
        }
        before = log.size();
    }
    let all = [
        arguments(&genesis, &data, ["--tiles", &source]),
        vec!["--once".into()],
    ]
    .concat();
    assert_eq!(json_of(&tbsi(&all).await)["size"], log.size());
    // As one that was never killed.
    let fresh = dir.path().join("fresh");
    let all = [
        arguments(&genesis, &fresh, ["--tiles", &source]),
        vec!["--once".into()],
    ]
    .concat();
    assert_eq!(json_of(&tbsi(&all).await)["size"], log.size());
    let mut answers = Vec::new();
    for data in [&data, &fresh] {
        let (mut child, room) = serve(&genesis, data, ["--tiles", &source]).await;
        let mut of_one = Vec::new();
        for path in [
            "recount",
            "recount?start=0",
            "attestations?limit=200",
            "organisations",
            "series",
        ] {
            of_one.push(ask(&room, path).await);
        }
        answers.push(of_one);
        child.kill().await.unwrap();
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn one_look_says_what_is_wrong_by_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    let mut log = MadeLog::new("codes");
    log.attest(0, 10);
    log.write(&files);
    let genesis = write_genesis(&log.genesis, dir.path());
    let source = files.to_str().unwrap().to_owned();
    let look = |data: &Path, more: &[&str]| {
        let mut all = arguments(&genesis, data, ["--tiles", &source]);
        all.retain(|word| word != "--json");
        all.push("--once".into());
        all.extend(more.iter().map(|word| (*word).to_owned()));
        all
    };
    said(&tbsi(&look(&data, &[])).await, 0, &["10 leaves indexed"]);
    let entries = files.join("tile/entries/000.p/10");
    let good = std::fs::read(&entries).unwrap();
    std::fs::remove_file(&entries).unwrap();
    let fresh = dir.path().join("fresh");
    said(
        &tbsi(&look(&fresh, &[])).await,
        2,
        &["is not there", "0 leaves indexed"],
    );
    let mut bad = good;
    bad[80] ^= 1;
    std::fs::write(&entries, bad).unwrap();
    let zh_tw = tbsi(&look(&fresh, &["--lang", "zh-TW"])).await;
    said(&zh_tw, 1, &["並非驗證者所簽署", "已建立索引 0 筆"]);
    let missing = dir.path().join("none.json");
    let mut all = look(&fresh, &[]);
    let place = all.iter().position(|word| word == "--genesis").unwrap();
    all[place + 1] = missing.to_str().unwrap().into();
    said(&tbsi(&all).await, 2, &["none.json"]);
}
