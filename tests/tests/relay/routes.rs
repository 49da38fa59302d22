//! Several sources and several targets in one process.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::harness::{eventually, tbsi_binary};
use tokio::process::{Child, Command};

use crate::{Stage, anvil};

fn table(name: &str, home: &Path) -> String {
    format!("[route.{name}]\nhome = \"{}\"\n", home.display())
}

fn run(dir: &Path) -> Child {
    let mut log = fs::File::options();
    let log = log.create(true).append(true).open(dir.join("log")).unwrap();
    Command::new(tbsi_binary())
        .args(["relay", "run", "--home"])
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn carried(stage: &Stage) {
    eventually("everything is there", async || {
        let there = stage.anvil.recorded(stage.contract).await;
        there.len() as u64 == stage.chain.size()
    })
    .await;
    stage.assert_once().await;
}

#[tokio::test]
async fn routes_share_a_process_and_one_that_fails_stops_no_other() {
    let Some(binary) = anvil("routes") else {
        return;
    };
    let one = Stage::new(&binary, Some("0.1")).await;
    let other = Stage::new(&binary, Some("0.1")).await;
    let first = one.relayer("route one").await;
    let second = other.relayer("route other").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("routes.toml");
    // A home that is no home: its route fails, and is tried again later.
    let broken = dir.path().join("broken");
    let tables = [
        table("one", first.home()),
        table("broken", &broken),
        table("other", second.home()),
    ];
    fs::write(&file, tables.concat()).unwrap();
    one.chain.block(3, None);
    other.chain.block(2, None);
    let mut running = run(dir.path());
    carried(&one).await;
    carried(&other).await;
    // Each has a journal of its own.
    let parties = |relayer: &Relayer| relayer.records()[0].parties.clone();
    assert_ne!(parties(&first).account, parties(&second).account);
    let said = fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(said.contains("the route failed, others go on"), "{said}");
    assert!(said.contains("config.toml"), "{said}");
    // A target that goes away holds up its own route alone.
    let Stage { anvil, .. } = other;
    drop(anvil);
    one.chain.block(2, None);
    carried(&one).await;
    let pid = i32::try_from(running.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let ended = running.wait().await.unwrap();
    assert_eq!(ended.code(), Some(0));
    first.assert_same().await;
}

#[tokio::test]
async fn routes_that_are_in_each_others_way_are_refused_before_anything_runs() {
    let Some(binary) = anvil("routes that collide") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let one = stage.relayer("one account").await;
    let again = stage.relayer("one account").await;
    let dir = tempfile::tempdir().unwrap();
    let tables = [table("a", one.home()), table("b", again.home())];
    let file = dir.path().join("routes.toml");
    for (text, words) in [
        (
            tables.concat(),
            "the routes `a` and `b` both send to eip155:31337",
        ),
        (tables[0].replace("route.a", "route.A"), "has the name `A`"),
        (String::new(), "is empty (0 bytes)"),
    ] {
        fs::write(&file, text).unwrap();
        let ended = run(dir.path()).wait().await.unwrap();
        assert_eq!(ended.code(), Some(2));
        let said = fs::read_to_string(dir.path().join("log")).unwrap();
        assert!(said.contains(words), "{said}");
    }
    assert!(!one.journal().exists() && !again.journal().exists());
}
