//! Files of any name attested on a network of real processes, and many commands with one key.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tbsi_tests::harness::{TestNetwork, json_of, said, tbsi, tbsi_binary};
use tokio::task::JoinSet;

/// Commands that send with one key at a time.
const AT_ONCE: usize = 6;

/// A command line of a network's key, node and genesis file.
fn attest(net: &TestNetwork, args: &[&OsStr]) -> Vec<OsString> {
    let network = &net.network;
    let key = network.development_key_file(1);
    let genesis = network.genesis_file();
    let mut line: Vec<OsString> = ["attest", "--rpc", &network.rpc_url(0)]
        .map(Into::into)
        .into();
    line.extend([
        "--key".into(),
        key.into(),
        "--genesis".into(),
        genesis.into(),
    ]);
    line.extend(args.iter().map(OsString::from));
    line
}

/// The command that the program offers last, as somebody copies it into a shell.
fn run_next(said: &str, dir: &Path) -> (bool, String) {
    let (_, next) = said.rsplit_once("Next: tbsi ").expect("a next command");
    let binary = tbsi_binary();
    let script = format!("'{}' {}", binary.display(), next.trim());
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(dir)
        .output()
        .expect("bash runs");
    let all = [output.stdout, output.stderr].concat();
    let all = String::from_utf8_lossy(&all).into_owned();
    (output.status.success(), all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_any_name_are_attested_and_verified() {
    let net = TestNetwork::start(1, 0).await;
    let dir = net.scratch().join("any");
    fs::create_dir(&dir).expect("a directory");
    let hostile = OsString::from("x\u{1b}[2K\rTHE PROOF HOLDS\nVALID\n'$(exit 9)'");
    let latin = OsString::from_vec(b"caf\xe9 .txt".to_vec());
    for name in [&hostile, &latin, &"-會議 紀錄".into()] {
        let file = dir.join(name);
        fs::write(&file, name.as_bytes()).expect("a file");
        for salt in [None, Some(OsStr::new("--salt"))] {
            let out = dir.join(format!("out{}", salt.is_some()));
            let mut args = vec![file.as_os_str(), "--out".as_ref(), out.as_os_str()];
            args.extend(salt);
            let ended = tbsi(&attest(&net, &args)).await;
            said(&ended, 0, &["1 file attested by"]);
            let loud = |letter: char| letter.is_control() && letter != '\n';
            assert!(!ended.stdout.contains(loud), "{:?}", ended.stdout);
            assert!(
                !ended.stdout.lines().any(|line| line == "VALID"),
                "{}",
                ended.stdout
            );
            let (held, all) = run_next(&ended.stdout, &dir);
            assert!(held, "{all}");
            assert!(all.contains("has this digest, to the last bit"), "{all}");
        }
    }
    let latin = dir.join(&latin);
    let told = json_of(&tbsi(&attest(&net, &[latin.as_os_str(), "--json".as_ref()])).await);
    let file = &told["files"][0];
    assert_eq!(
        (&file["fileLossy"], &file["proofLossy"]),
        (&true.into(), &true.into())
    );
    assert!(
        file["file"]
            .as_str()
            .is_some_and(|it| it.contains('\u{fffd}')),
        "{file}"
    );
    net.assert_no_panic();
}

/// One file of many that cannot be attested leaves the others alone, and nothing is sent for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_of_a_directory_is_attested() {
    let net = TestNetwork::start(1, 0).await;
    let dir = net.scratch().join("many");
    fs::create_dir(&dir).expect("a directory");
    let long = "長".repeat(82);
    for (name, text) in [
        ("a", "a"),
        (".gitkeep", ""),
        (long.as_str(), "long"),
        ("b.log", "b"),
    ] {
        fs::write(dir.join(name), text).expect("a file");
    }
    let args = [
        "--dir".as_ref(),
        dir.as_os_str(),
        "--json".as_ref(),
        "--exclude=*.log".as_ref(),
    ];
    let ended = tbsi(&attest(&net, &args)).await;
    said(&ended, 1, &["left out: ", "a name of 256 bytes"]);
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    let count = |list: &str| told[list].as_array().map(Vec::len);
    let counts = (
        count("files"),
        count("skipped"),
        count("leftOut"),
        count("transactions"),
    );
    assert_eq!(counts, (Some(1), Some(1), Some(1), Some(1)), "{told}");
    assert_eq!(
        fs::read_dir(&dir).expect("the directory").count(),
        5,
        "four files and a proof"
    );
    // With the name that was offered it is attested.
    let reason = told["leftOut"][0]["reason"].as_str().expect("a reason");
    let (_, offered) = reason.rsplit_once(" --out ").expect("a name is offered");
    let file = dir.join(&long);
    let args = [file.as_os_str(), "--out".as_ref(), offered.as_ref()];
    let ended = tbsi(&attest(&net, &args)).await;
    said(&ended, 0, &["1 file attested by"]);
    let (held, all) = run_next(&ended.stdout, &dir);
    assert!(held && all.contains("to the last bit"), "{all}");
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_may_share_a_key() {
    let net = TestNetwork::start(1, 0).await;
    let mut running = JoinSet::new();
    for number in 0..AT_ONCE {
        let file = net.scratch().join(format!("file-{number}"));
        fs::write(&file, format!("contents {number}")).expect("a file");
        let line = attest(&net, &[file.as_os_str(), "--json".as_ref()]);
        running.spawn(async move { tbsi(&line).await });
    }
    let mut places = Vec::new();
    for ended in running.join_all().await {
        let told = json_of(&ended);
        places.push(told["files"][0]["leafIndex"].as_u64().expect("an index"));
    }
    places.sort_unstable();
    let expected: Vec<u64> = (0..AT_ONCE as u64).collect();
    assert_eq!(places, expected, "each has a leaf of its own");
    net.assert_no_panic();
}
