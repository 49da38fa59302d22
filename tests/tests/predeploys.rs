//! Contracts of others that a network has from genesis (SPEC §2.5), used on a network of a real
//! process: by viem, and by forge, which looks for the CREATE2 deployer.
//!
//! Their code comes from npm packages: without those the test is skipped, and says so; under
//! `CI=true` it fails instead.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tbsi_home::predeploys;
use tbsi_tests::harness::{TestNetwork, skip};
use tokio::process::Command;
use tokio::time::timeout;

/// For one program. They need 5 s to 15 s with an idle machine.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(300);
const REMEDY: &str = "install Node.js 20 or later, then run `npm ci --prefix tests/clients` and \
                      contracts/predeploys/fetch.sh";

#[tokio::test]
async fn predeployed_contracts_work_as_elsewhere() {
    let clients = workspace().join("tests/clients");
    // npm writes this file last.
    if !clients.join("node_modules/.package-lock.json").is_file() {
        skip("predeploys", "the npm packages of tests/clients", REMEDY);
        return;
    }
    let packages = workspace().join("contracts/predeploys/node_modules");
    let (found, lacking) = predeploys::find_all(Some(&packages));
    if let Some(missing) = lacking.first() {
        skip("predeploys", &missing.to_string(), REMEDY);
        return;
    }
    assert_eq!(found.len(), predeploys::all().len());
    let running = TestNetwork::create_with(1, 0, |spec| spec.predeploys = found);
    let genesis = running.genesis();
    for it in predeploys::all() {
        assert!(genesis.accounts.contains_key(&it.address), "{}", it.name);
    }
    let running = running.started().await;
    for script in ["predeploys.mjs", "forge.mjs"] {
        let mut client = Command::new("node");
        let network = &running.network;
        client
            .arg(clients.join(script))
            .args([network.rpc_url(0), network.ws_url(0)]);
        run(script, client).await;
    }
}

/// Runs a program to its end, which must be a good one.
async fn run(name: &str, mut client: Command) {
    let running = client
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("start the client")
        .wait_with_output();
    let ended = timeout(CLIENT_TIMEOUT, running)
        .await
        .unwrap_or_else(|_| panic!("{name} is not done after {CLIENT_TIMEOUT:?}"))
        .expect("read what the client prints");
    let said = String::from_utf8_lossy(&ended.stdout);
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{name}: {said}{complaint}");
}

/// Cargo runs a test in its package's folder.
fn workspace() -> PathBuf {
    Path::new("..").canonicalize().expect("the workspace")
}
