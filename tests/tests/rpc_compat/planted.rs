//! A panic, planted in a process that ends with panics as a node does.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::Arc;

use serde_json::json;
use tbsi_tests::bench::http::{Connection, replies};
use tbsi_tests::harness::PATIENCE;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::folder;
use crate::import::EthereumChain;
use crate::served::{PLANTED, Served};

/// Set for the process that panics, which is this test once more.
const INSIDE: &str = "TBSI_PLANTED_PANIC";
/// This test, as its program knows it.
const NAME: &str = "planted::a_panic_in_a_method_ends_that_call_and_any_other_the_process";
/// Before the address on which it listens.
const LISTENS: &str = "planted panic listens on ";
const SIGABRT: i32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_method_ends_that_call_and_any_other_the_process() {
    if std::env::var_os(INSIDE).is_some() {
        return panics().await;
    }
    let this = std::env::current_exe().expect("a test knows its own path");
    let mut process = Command::new(this)
        .args(["--exact", NAME, "--nocapture"])
        .env(INSIDE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("this program starts");
    let address = timeout(PATIENCE, address(&mut process)).await;
    let address = address.expect("it listens in time");

    let mut connection = Connection::new(address);
    for id in 0..3u64 {
        let planted = json!({
            "jsonrpc": "2.0", "id": id, "method": "eth_call", "params": [{ "to": PLANTED }],
        });
        let answer = connection.post(planted.to_string().into()).await;
        let answer = answer.expect("the process lives");
        let text = String::from_utf8_lossy(&answer);
        assert!(
            text.contains("-32603") && !text.contains("planted"),
            "{text}"
        );
        assert_eq!(replies::<String>(&answer).expect("JSON-RPC")[0].0, id);
    }
    let version: String = connection
        .call("net_version", json!([]))
        .await
        .expect("other calls are answered");
    assert!(!version.is_empty());

    let mut stdin = process.stdin.take().expect("it is piped");
    stdin.write_all(b"panic\n").await.expect("it reads");
    let ended = timeout(PATIENCE, process.wait()).await;
    let status = ended.expect("it ends in time").expect("its status");
    assert_eq!(status.signal(), Some(SIGABRT), "{status}");
}

async fn address(process: &mut tokio::process::Child) -> SocketAddr {
    let stdout = process.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    loop {
        let line = lines.next_line().await.expect("its output");
        let line = line.expect("it says where it listens");
        // The test's name may stand before it on the same line.
        if let Some((_, address)) = line.split_once(LISTENS) {
            return address.parse().expect("an address");
        }
    }
}

/// Serves until a line comes, then panics in a task.
async fn panics() {
    tbsi_node::abort_on_panic();
    let chain = EthereumChain::import(&folder()).expect("import the chain");
    let served = Served::start(Arc::new(chain)).await;
    println!("{LISTENS}{}", served.address());
    let mut line = String::new();
    // The server's tasks run on other threads.
    std::io::stdin()
        .read_line(&mut line)
        .expect("the test says when");
    let ended = tokio::spawn(async { panic!("outside of a call") }).await;
    unreachable!("the process goes on: {ended:?}");
}
