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

/// A report on the proof of this name: the code, and what it says.
fn report(name: &str, extra: &[&str]) -> (i32, String) {
    let dir = proof(name);
    let args = [
        "report",
        "proof",
        "--genesis",
        "genesis.json",
        "--out",
        "a.html",
    ];
    let ran = tbsi(dir.path(), &[&args, extra].concat());
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let html = fs::read_to_string(dir.path().join("a.html"));
    (ran.code, html.unwrap_or(ran.stderr))
}

#[test]
fn a_report_has_the_status_and_its_age() {
    let known = "known up to block 2, 2023-11-14T22:13:23Z";
    let age = ["--status-max-age", "1h", "--at", "2023-11-14T23:13:23Z"];
    for (name, extra, code, words) in [
        (
            "not revoked",
            &[][..],
            0,
            &[
                "What became of it",
                "not revoked as of block 2",
                known,
                "not judged",
            ][..],
        ),
        (
            "not revoked",
            &age,
            0,
            &[
                "3600 s old at 2023-11-14T23:13:23Z",
                "--status-max-age 3600s",
            ],
        ),
        (
            "not revoked",
            &["--lang", "zh-TW"],
            0,
            &["事後狀態", "截至區塊 2 未撤銷", "未判斷"],
        ),
        (
            "revoked",
            &[],
            1,
            &["BUT REVOKED at", "it counts for nothing", "by its issuer"],
        ),
        ("superseded", &[], 0, &["names a successor: 0x"]),
        (
            "not revoked",
            &["--status-max-age", "1s", "--at", "2023-11-14T23:13:23Z"],
            2,
            &["COULD NOT TELL", "statusOld", "fetch the proof again"],
        ),
    ] {
        let (got, said) = report(name, extra);
        assert_eq!(got, code, "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name}: `{word}` is not in {said}");
        }
    }
    // A report is the same whenever it is made.
    let (code, said) = report("not revoked", &["--status-max-age", "1h"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--at") && !said.contains("<html"), "{said}");
}

#[test]
fn a_report_says_that_a_digest_was_not_attested() {
    let (code, said) = report("absent", &[]);
    assert_eq!(code, 0, "{said}");
    for word in [
        "What was asked, and the answer",
        "was not attested up to block 2",
        "2023-11-14T22:13:23Z",
        "No account made this statement",
        "after the block that is named",
    ] {
        assert!(said.contains(word), "`{word}` is not in {said}");
    }
    assert!(!said.contains("By whom"), "{said}");
    let (code, said) = report("absent", &["--lang", "zh-TW"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("詢問與答案") && said.contains("未經存證"),
        "{said}"
    );
    let (code, said) = report("another map's root", &[]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("what the map says follows from its root"),
        "{said}"
    );
}

#[test]
fn a_receipt_of_one_node_has_no_report() {
    let text = fs::read_to_string("../../tests/vectors/cose.json").unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let dir = proof("absent");
    let receipt = bytes(&vectors["cases"][0]["receipt"]);
    fs::write(dir.path().join("a.cose"), receipt).unwrap();
    let args = [
        "report",
        "a.cose",
        "--genesis",
        "genesis.json",
        "--out",
        "a.html",
    ];
    let ran = tbsi(dir.path(), &args);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for word in ["the word of one node", "`tbsi prove` without --format cose"] {
        assert!(
            ran.stderr.contains(word),
            "`{word}` is not in {}",
            ran.stderr
        );
    }
    assert!(!dir.path().join("a.html").exists());
    // Nor is a calendar's promise a proof; that is what its report says.
    fs::write(dir.path().join("a.ots"), b"\0OpenTimestamps\0\0Proof\0").unwrap();
    let args = [
        "report",
        "a.ots",
        "--genesis",
        "genesis.json",
        "--out",
        "a.html",
    ];
    let ran = tbsi(dir.path(), &args);
    let html = fs::read_to_string(dir.path().join("a.html")).unwrap();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(html.contains("`ots verify` verifies it"), "{html}");
}
