//! Commands of the register as they are typed; none of these reaches a node.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let key = desk.dir.path().join("a.key");
        fs::write(&key, "11".repeat(32)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        desk
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Exit code, and these words on stderr.
    fn fails(&self, line: &str, code: i32, words: &str) {
        let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
            .current_dir(self.path())
            .args(line.split_whitespace())
            .args(["--rpc", NOWHERE])
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {stderr}");
        assert!(stderr.contains(words), "{line}: {stderr}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_else() {
    let desk = Desk::new();
    let key = "--key a.key";
    let cases = [
        (
            "motion vote 1 maybe",
            "use one of yes, no, abstain, conflict",
        ),
        ("motion vote one yes", "invalid digit"),
        (
            "motion withdraw 1 --reason whim",
            "use 1 to 8, or one of unspecified",
        ),
        (
            "motion propose set-rule add-node --quorum 1/2",
            "add-organisation, suspend-organisation",
        ),
        (
            "motion propose set-rule add-validator --quorum half",
            "use a fraction such as 2/3",
        ),
        ("motion propose set-quota 1 --gas -5", "unexpected argument"),
        (
            "motion propose set-quota 1 --gas lots",
            "use a number, or unlimited",
        ),
        (
            "motion propose set-permissions 1 fly",
            "`fly` is no permission; use send, deploy",
        ),
        (
            "motion propose set-algorithm md5 active",
            "use a name such as sha3-512",
        ),
        (
            "motion propose set-algorithm sha2-256 good",
            "use one of active, deprecated, revoked",
        ),
        ("motion propose add-validator n", "--power"),
        ("motion propose remove-validator n", "--reason"),
        (
            "org add-account 0x12 --permissions send",
            "invalid value '0x12'",
        ),
        ("org register-chain eip155:1", "--technology"),
        ("keys rotate account --home h", "validator, peer, log"),
    ];
    for (line, words) in cases {
        desk.fails(&format!("{line} {key}"), 2, words);
    }
    desk.fails("org list --lang fr", 2, "en, zh-TW");
    desk.fails("motion execute 1", 2, "--key");
}

#[test]
fn a_key_that_cannot_be_read_is_told_before_the_node_is_asked() {
    let desk = Desk::new();
    desk.fails("motion execute 1 --key b.key", 2, "b.key is missing");
    fs::set_permissions(desk.path().join("a.key"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.fails("motion execute 1 --key a.key", 2, "chmod 600 a.key");
    desk.fails(
        "operator register --home h --name n --key a.key",
        2,
        "h/keys/node.key is missing",
    );
    desk.fails(
        "keys rotate --home h --key a.key",
        2,
        "h/keys/node.key is missing",
    );
}

#[test]
fn a_node_that_does_not_answer_is_named() {
    let desk = Desk::new();
    for line in [
        "org list",
        "org chains",
        "operator list",
        "operator evidence list",
        "motion list",
        "motion show 1",
        "quota show",
        "permission show 0x1111111111111111111111111111111111111111",
        "motion vote 1 yes --key a.key",
        "operator enforce --key a.key",
    ] {
        desk.fails(line, 1, "cannot reach http://127.0.0.1:1");
    }
}
