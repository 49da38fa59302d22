//! The developer kit in `sdk/`: its own tests, against a network of real processes; and that the
//! verdicts which all verifiers share are those of `tbsi verify`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::hex;
use serde_json::Value;
use tbsi_tests::harness::{TestNetwork, skip, tbsi, tbsi_binary};
use tbsi_tests::outside::ends_well;
use tokio::process::Command;

/// For all tests in one language. They need 90 s to 120 s with an idle machine.
const TESTS_TIMEOUT: Duration = Duration::from_secs(900);
const NODE_REMEDY: &str = "install Node.js 20 or later, then run `npm ci --prefix sdk/typescript`";
const PYTHON_REMEDY: &str = "install python3-venv, then run `testnet/setup.sh tests`";
const BROWSER_REMEDY: &str = "install the Debian package chromium";

#[tokio::test]
async fn verdicts_are_those_that_all_verifiers_share() {
    let read = |name: &str| -> Value {
        let path = workspace().join("tests/vectors").join(name);
        let text = std::fs::read_to_string(path).expect("the vectors");
        serde_json::from_str(&text).expect("vectors are JSON")
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [genesis, proof] = ["genesis.json", "proof"].map(|name| dir.path().join(name));
    let founding = read("bundle.json")["genesis"].to_string();
    std::fs::write(&genesis, founding).expect("write the genesis file");
    let (plain, with_map) = (read("verdicts.json"), read("map_verdicts.json"));
    let all = [&plain, &with_map].map(|it| it["cases"].as_array().expect("a list of cases"));
    let cases: Vec<&Value> = all.into_iter().flatten().collect();
    for case in &cases {
        let said = verdict(case, &proof, &genesis, &[]).await;
        for field in ["verdict", "code"] {
            assert_eq!(said[field], case[field], "{}: {said}", case["name"]);
        }
    }
    assert!(cases.len() >= 280, "{}", cases.len());
    let ages = with_map["ages"].as_array().expect("a list of ages");
    for age in ages {
        let named = |case: &&&Value| case["name"] == age["name"];
        let case = cases.iter().find(named).expect("a case of this name");
        let most = age["maxAgeMs"].as_u64().expect("milliseconds") / 1_000;
        let (most, at) = (format!("{most}s"), age["at"].as_str().expect("a time"));
        let more = ["--status-max-age", &most, "--at", at];
        let said = verdict(case, &proof, &genesis, &more).await;
        let expected = &age["expected"];
        assert!(
            said["code"] == *expected || said["verdict"] == *expected,
            "{age}: {said}"
        );
    }
    assert!(ages.len() >= 15, "{}", ages.len());
}

/// What `tbsi verify --json` says of a case, which it writes to `proof`.
async fn verdict(case: &Value, proof: &Path, genesis: &Path, more: &[&str]) -> Value {
    let bytes = match (case["text"].as_str(), case["bytes"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, bytes) => hex::decode(bytes.expect("text or bytes")).expect("hex digits"),
    };
    std::fs::write(proof, bytes).expect("write the proof");
    let mut args: Vec<&OsStr> = vec!["verify".as_ref(), proof.as_os_str(), "--genesis".as_ref()];
    args.extend([genesis.as_os_str(), "--json".as_ref()]);
    args.extend(more.iter().map(AsRef::<OsStr>::as_ref));
    let ended = tbsi(&args).await;
    serde_json::from_str(&ended.stdout).expect("one JSON object")
}

#[tokio::test]
async fn the_kit_for_typescript_passes_its_tests() {
    let kit = workspace().join("sdk/typescript");
    // npm writes this file last.
    if !runs("npm") || !kit.join("node_modules/.package-lock.json").is_file() {
        skip("TypeScript kit", "Node.js or its packages", NODE_REMEDY);
        return;
    }
    let browser = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
    let browser = browser.into_iter().find(|path| Path::new(path).is_file());
    if browser.is_none() {
        skip("kit in a browser", "no Chromium", BROWSER_REMEDY);
    }
    let network = TestNetwork::start(4, 0).await;
    let npm = |script: &str| {
        let mut npm = Command::new("npm");
        npm.current_dir(&kit).args(["run", script]);
        npm
    };
    ends_well("the build of sdk/typescript", npm("build"), TESTS_TIMEOUT).await;
    let mut tests = npm("test");
    if let Some(browser) = browser {
        tests.env("TBSI_CHROMIUM", browser);
    }
    of_network(&mut tests, &network);
    ends_well("the tests of sdk/typescript", tests, TESTS_TIMEOUT).await;
}

#[tokio::test]
async fn the_kit_for_python_passes_its_tests() {
    let kit = workspace().join("sdk/python");
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let python = home.join(".cache/tbsi/python-sdk/bin/python");
    if !python.is_file() {
        skip("Python kit", "its packages", PYTHON_REMEDY);
        return;
    }
    let network = TestNetwork::start(4, 0).await;
    let mut tests = Command::new(python);
    tests
        .current_dir(&kit)
        .args(["-m", "unittest", "discover", "-s", "tests"]);
    of_network(&mut tests, &network);
    ends_well("the tests of sdk/python", tests, TESTS_TIMEOUT).await;
}

/// Tells tests of a network.
fn of_network(tests: &mut Command, running: &TestNetwork) {
    let network = &running.network;
    tests
        .env("TBSI_BINARY", tbsi_binary())
        .env("TBSI_NETWORK", network.dir())
        .env("TBSI_RPC", network.rpc_url(0))
        .env("TBSI_WS", network.ws_url(0));
}

fn runs(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .output();
    found.is_ok_and(|output| output.status.success())
}

/// Cargo runs a test in its package's folder.
fn workspace() -> PathBuf {
    Path::new("..").canonicalize().expect("the workspace")
}
