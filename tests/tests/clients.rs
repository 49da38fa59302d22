//! Stock Ethereum clients against a network of real processes: cast, viem and ethers, each
//! with a fresh key without funds and no fee options, and the walk-through of `make run`.
//!
//! They need Node.js and the npm packages of `tests/clients`. Without these the test is
//! skipped, and says so on stderr and in the file that `TBSI_SKIP_LOG` names; under `CI=true`
//! it fails instead.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tbsi_tests::harness::{TestNetwork, skip, tbsi, tbsi_binary};
use tokio::process::Command;
use tokio::time::timeout;

/// For one client. They need 3 s to 6 s with an idle machine.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(300);
const REMEDY: &str = "install Node.js 20 or later, openssl and curl, then run `npm ci --prefix \
                      tests/clients`";

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
        "\nTHE PROOF HOLDS; revocation not checked\n",
        "\nINVALID: ",
        "證明無效：changed 不是存證的那個檔案",
        "Verification: OK",
        "message imprint mismatch",
        "\nthe record is what both chains say\n",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in:\n{said}");
    }
}

/// The commands of docs/quickstart word for word, of the page that needs no more packages; `make
/// test-clients` runs all. They start a network of their own.
#[tokio::test]
async fn a_quick_start_works_word_for_word() {
    if let Err(missing) = clients_installed() {
        skip("quick starts", &missing, REMEDY);
        return;
    }
    let mut client = Command::new("node");
    client
        .arg(clients_dir().join("quickstart.mjs"))
        .arg(tbsi_binary())
        .arg("foundry");
    run("quickstart.mjs", client).await;
}

/// What `tbsi keys` writes opens in ethers, and the other way round.
#[tokio::test]
async fn encrypted_key_files_are_those_of_ethers() {
    if let Err(missing) = clients_installed() {
        skip("clients", &missing, REMEDY);
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let home = path("home");
    let password = path("password");
    std::fs::write(&password, "密碼 of eight\n").expect("write the password");
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&password, owner).expect("protect the password");
    let keys = async |args: &[&str]| {
        let ended = tbsi(&[&["keys"], args].concat()).await;
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    };
    let ethers = async |what: &str, file: &str, secret: &str| {
        let mut client = Command::new("node");
        let script = clients_dir().join("keystore.mjs");
        client.arg(script).args([what, file, &password, secret]);
        run("keystore.mjs", client).await.trim().to_owned()
    };
    let secret_of = |kind: &str| {
        let text = std::fs::read_to_string(path(&format!("home/keys/{kind}.key")));
        format!("0x{}", text.expect("the key").trim())
    };

    let theirs = path("theirs.json");
    let secret = format!("0x{}", "2a".repeat(32));
    ethers("make", &theirs, &secret).await;
    let opened = ["--home", &home, "--kind", "validator", "--file", &theirs];
    let opened = [
        &["import"],
        &opened[..],
        &["--plain", "--password-file", &password],
    ]
    .concat();
    keys(&opened).await;
    assert_eq!(secret_of("validator"), secret);

    keys(&["new", "--home", &home]).await;
    for kind in ["validator", "log"] {
        let ours = path(&format!("{kind}.json"));
        let made = ["export", "--home", &home, "--kind", kind, "--out", &ours];
        keys(&[&made[..], &["--new-password-file", &password]].concat()).await;
        assert_eq!(ethers("open", &ours, "").await, secret_of(kind), "{kind}");
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
    for (program, argument) in [("openssl", "version"), ("curl", "--version")] {
        let found = std::process::Command::new(program).arg(argument).output();
        if found.is_err() {
            return Err(format!("`{program}` does not run"));
        }
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
