//! Runs the program under test, and makes files for it.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

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
pub(crate) fn tbsi(dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
        .current_dir(dir)
        .args(args)
        .env_remove("RUST_LOG")
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
