//! Proofs with the map as a user verifies them, without any network.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use support::{bytes, tbsi};

/// When the statuses of the vectors were known: the block of the map's root.
const KNOWN: &str = "2023-11-14T22:13:23Z";

/// The network of the vectors, and the proof of this name in both forms.
fn proof(name: &str) -> TempDir {
    let text = fs::read_to_string("../../tests/vectors/map.json").unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("genesis.json", vectors["genesis"].to_string().as_bytes());
    let mut proofs = vectors["proofs"].as_array().unwrap().iter();
    let case = proofs.find(|case| case["name"] == name).unwrap();
    write("proof.json", case["json"].to_string().as_bytes());
    write("proof", &bytes(&case["compact"]));
    dir
}

/// What is said of the proof of this name, in both forms: the code, and these words.
fn check(name: &str, extra: &[&str], code: i32, words: &[&str]) {
    let dir = proof(name);
    for form in ["proof.json", "proof"] {
        let args = ["verify", form, "--genesis", "genesis.json"];
        let ran = tbsi(dir.path(), &[&args, extra].concat());
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, code, "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name}: `{word}` is not in {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn says_what_is_known_and_up_to_when() {
    let known = "known up to block 2, 2023-11-14T22:13:23Z";
    check(
        "not revoked",
        &[],
        0,
        &["not revoked as of block 2", known, "leaf 37"],
    );
    check("absent", &[], 0, &["was not attested up to block 2", known]);
    let since = "known up to block 9, 2023-11-14T22:13:29Z";
    check("absent, nothing since", &[], 0, &["up to block 9", since]);
    check(
        "digests behind",
        &[],
        0,
        &["was not attested up to block 1", "block 1, -"],
    );
    check(
        "present",
        &[],
        0,
        &["was first attested in block 1 (leaf 7), not before"],
    );
    check(
        "superseded",
        &[],
        0,
        &["names a successor: 0x", "not revoked"],
    );
    let void = [
        "BUT REVOKED at 2023-11-14T22:13:22Z (block 2) by its issuer",
        "NO  status",
    ];
    check("revoked", &[], 1, &void);
    check(
        "of a revoked algorithm",
        &[],
        1,
        &["its digest algorithm was revoked"],
    );
    check(
        "revoked by somebody else",
        &[],
        0,
        &["not revoked as of block 2"],
    );
    let lang = ["--lang", "zh-TW"];
    check("not revoked", &lang, 0, &["截至區塊 2 未撤銷", "對照表"]);
    check("absent", &lang, 0, &["未經存證"]);
    check("revoked", &lang, 1, &["已於", "撤銷"]);
}

#[test]
fn a_status_is_no_older_than_is_asked() {
    let at = |age: &'static str, at: &'static str| ["--status-max-age", age, "--at", at];
    let hour = "2023-11-14T23:13:23Z";
    check("not revoked", &at("1h", hour), 0, &["3600 s old at"]);
    check("not revoked", &at("0s", KNOWN), 0, &["0 s old at"]);
    check(
        "not revoked",
        &at("1h", "2020-01-01T00:00:00Z"),
        0,
        &["0 s old at"],
    );
    let old = [
        "COULD NOT TELL",
        "3600 s before",
        "at most 3599 s",
        "fetch the proof again",
    ];
    check("not revoked", &at("3599s", hour), 2, &old);
    check("absent", &at("3599s", hour), 2, &old);
    // Nothing has followed the root, so the checkpoint's time counts.
    check(
        "absent, nothing since",
        &at("3594s", hour),
        0,
        &["3594 s old at"],
    );
    check(
        "digests behind",
        &at("1d", hour),
        2,
        &["not of which time that is"],
    );
    let now = ["--status-max-age", "1d"];
    check("not revoked", &now, 2, &["this machine's clock"]);
    let lang = ["--lang", "zh-TW", "--status-max-age", "1d"];
    check("not revoked", &lang, 2, &["無法判斷", "本機時鐘"]);
    check(
        "not revoked",
        &["--status-max-age", "1"],
        2,
        &["such as 90s"],
    );
    check("not revoked", &["--at", KNOWN], 2, &["--status-max-age"]);
    let json = [&at("1m", hour)[..], &["--json"]].concat();
    check("not revoked", &json, 2, &["\"code\":\"statusOld\""]);
}

#[test]
fn programs_read_the_same() {
    let dir = proof("revoked");
    let args = ["verify", "proof", "--genesis", "genesis.json", "--json"];
    let ran = tbsi(dir.path(), &args);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["verdict"]), (1, &"void".into()));
    let revocation = &said["revocation"];
    assert_eq!(
        (&revocation["status"], &revocation["source"]),
        (&"revoked".into(), &"map".into())
    );
    assert_eq!(revocation["revocation"]["leafIndex"], 29);
    assert_eq!(revocation["revocation"]["reasonName"], "issued-in-error");
    assert_eq!(said["map"]["leafIndex"], 37);
    assert_eq!(said["map"]["knownUpTo"]["height"], 2);
    assert_eq!(said["map"]["age"], Value::Null);
}

#[test]
fn what_is_wrong_has_a_code() {
    for (name, code) in [
        ("another map's root", "map"),
        ("what somebody else says of it", "map"),
        ("a root of another chain", "map"),
        ("a certificate below quorum", "checkpoint"),
    ] {
        check(name, &["--json"], 1, &[&format!("\"code\":\"{code}\"")]);
    }
    let dir = proof("not revoked");
    let path = dir.path().join("proof");
    let mut newer = fs::read(&path).unwrap();
    newer[3] = b'2';
    fs::write(&path, newer).unwrap();
    let ran = tbsi(
        dir.path(),
        &["verify", "proof", "--genesis", "genesis.json"],
    );
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("use newer software"), "{}", ran.stdout);
}
