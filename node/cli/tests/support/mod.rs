//! Runs the program under test, and makes files for it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "each test needs a part of it")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Nobody listens on port 1.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

/// What a command said until it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `tbsi` in a directory.
pub(crate) fn tbsi<A: AsRef<OsStr>>(dir: &Path, args: &[A]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
        .current_dir(dir)
        .args(args)
        .env_remove("RUST_LOG")
        .env_remove("TBSI_RPC_URL")
        .env_remove("ETH_RPC_URL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn vectors() -> Value {
    let text = fs::read_to_string("../../tests/vectors/bundle.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().trim_start_matches("0x");
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// The network of the vectors, a file and its proof in both forms.
pub(crate) fn attested() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let vectors = vectors();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("genesis.json", vectors["genesis"].to_string().as_bytes());
    // What leaf 5 of the vectors commits to.
    write("report.pdf", b"file \0\0\0\0\0\0\0\x05");
    let case = &vectors["cases"][0];
    write("report.pdf.tbsi.json", case["json"].to_string().as_bytes());
    write("report.pdf.tbsi", &bytes(&case["compact"]));
    dir
}

/// A key, files of all kinds.
pub(crate) fn to_attest() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("a"), "a").unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::create_dir_all(path("sub/sub")).unwrap();
    fs::write(path("sub/b"), "b").unwrap();
    for (name, text, mode) in [
        ("key", "01".repeat(32), 0o600),
        ("bad-key", "01".repeat(31), 0o600),
        ("open-key", "01".repeat(32), 0o644),
    ] {
        fs::write(path(name), text).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    dir
}

/// Stdout of a command that succeeds. A command may be given as one text, split at spaces.
pub(crate) fn ok(dir: &Path, args: &[&str]) -> String {
    let ran = tbsi(dir, args);
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

pub(crate) fn json(dir: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(dir, args)).unwrap()
}

/// Exit code 1, an error on stderr that has these words, nothing on stdout.
pub(crate) fn fails(dir: &Path, args: &[&str], words: &str) {
    let ran = tbsi(dir, args);
    assert_eq!(ran.code, 1, "{args:?}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "", "{args:?}");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
}

/// The words of a command line.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Writes a file that only its owner may read.
pub(crate) fn private(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}
