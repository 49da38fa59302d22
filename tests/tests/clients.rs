//! Stock Ethereum clients against a network of real processes: cast, viem and ethers, each
//! with a fresh key without funds and no fee options, and the walk-through of `make run`.
//!
//! They need Node.js and the npm packages of `tests/clients`. Without these the test is
//! skipped, and says so on stderr and in the file that `TBSI_SKIP_LOG` names; under `CI=true`
//! it fails instead.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tbsi_tests::harness::{TestNetwork, skip, tbsi_binary};
use tokio::process::Command;
use tokio::time::timeout;

/// For one client. They need 3 s to 6 s with an idle machine.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(300);
const REMEDY: &str = "install Node.js 20 or later, then run `npm ci --prefix tests/clients`";

#[tokio::test]
async fn stock_clients_work_with_a_fresh_key_without_funds() {
    if let Err(missing) = clients_installed() {
        skip("clients", &missing, REMEDY);
        return;
    }
    let running = TestNetwork::start(4, 1).await;
    let network = &running.network;

    // Each at another node. The last is an observer, which hands on what it is sent.
    for (script, node) in [("viem.mjs", 0), ("ethers.mjs", 1), ("cast.mjs", 4)] {
        let mut client = Command::new("node");
        client
            .arg(clients_dir().join(script))
            .args([network.rpc_url(node), network.ws_url(node)]);
        run(script, client).await;
    }
    let mut walkthrough = Command::new("bash");
    walkthrough
        .arg(workspace().join("testnet/walkthrough.sh"))
        .arg(tbsi_binary())
        .arg(network.dir());
    let said = run("walkthrough.sh", walkthrough).await;
    for expected in [
        "effective gas price 0",
        "\nVALID\n",
        "\nINVALID: ",
        "\nthe record is what both chains say\n",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in:\n{said}");
    }
}

/// Runs a client to its end and returns what it printed.
async fn run(name: &str, mut client: Command) -> String {
    let running = client
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("start the client")
        .wait_with_output();
    let Output {
        status,
        stdout,
        stderr,
    } = timeout(CLIENT_TIMEOUT, running)
        .await
        .unwrap_or_else(|_| panic!("{name} is not done after {CLIENT_TIMEOUT:?}"))
        .expect("read what the client prints");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    let complaint = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{name}: {status}\n{said}{complaint}");
    said
}

/// What is missing, if anything is.
fn clients_installed() -> Result<(), String> {
    let mut node = std::process::Command::new("node");
    let found = node.arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        return Err("`node` does not run".into());
    }
    // npm writes this file last.
    let packages = clients_dir().join("node_modules/.package-lock.json");
    if !packages.is_file() {
        return Err("the npm packages of tests/clients are not installed".into());
    }
    Ok(())
}

/// Cargo runs a test in its package's folder.
fn workspace() -> PathBuf {
    Path::new("..").canonicalize().expect("the workspace")
}

fn clients_dir() -> PathBuf {
    workspace().join("tests/clients")
}
