//! Encrypted key files, as a user handles them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use support::{fails, json, ok, private, tbsi, words};

const FILES: [&str; 4] = ["node", "validator", "log", "account"];

fn file(dir: &Path, home: &str, kind: &str) -> String {
    fs::read_to_string(dir.join(home).join("keys").join(format!("{kind}.key"))).unwrap()
}

#[test]
fn keys_are_encrypted_and_change_their_password() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = json(dir, &words("keys new --home a --validator --json"));
    let plain: Vec<String> = FILES.iter().map(|kind| file(dir, "a", kind)).collect();
    private(dir, "first", "correct horse\n");
    private(dir, "second", "battery staple");
    private(dir, "short", "1234567");

    let encrypt = "keys encrypt --home a";
    fails(dir, &words(encrypt), "give it with --password-file FILE");
    let short = format!("{encrypt} --password-file short");
    fails(dir, &words(&short), "at least 8 bytes, this one has 7");
    assert_eq!(file(dir, "a", "log"), plain[2], "nothing was changed");
    ok(dir, &words(&format!("{encrypt} --password-file first")));
    for (kind, secret) in FILES.iter().zip(&plain) {
        let text = file(dir, "a", kind);
        let keystore: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(keystore["version"], 3);
        assert_eq!(keystore["crypto"]["kdfparams"]["n"], 262_144);
        assert!(!text.contains(secret.trim()));
        let path = dir.join(format!("a/keys/{kind}.key"));
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    fails(
        dir,
        &words(&format!("{encrypt} --password-file first")),
        "no key file that is not encrypted",
    );

    let show = "keys show --home a --json";
    fails(dir, &words(show), ".key is encrypted: give its password");
    let shown = json(dir, &words(&format!("{show} --password-file first")));
    assert_eq!(shown, made);
    let change = "keys change-password --home a --new-password-file second";
    let wrong = format!("{change} --password-file second");
    fails(dir, &words(&wrong), "the password is wrong");
    ok(dir, &words(&format!("{change} --password-file first")));
    fails(
        dir,
        &words(&format!("{show} --password-file first")),
        "the password is wrong",
    );
    let shown = json(dir, &words(&format!("{show} --password-file second")));
    assert_eq!(shown, made);
    fs::set_permissions(dir.join("second"), fs::Permissions::from_mode(0o640)).unwrap();
    fails(
        dir,
        &words(&format!("{show} --password-file second")),
        "chmod 600 second",
    );
}

#[test]
fn a_key_moves_between_homes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    private(dir, "first", "correct horse");
    private(dir, "second", "battery staple");
    let new = "keys new --home a --validator --password-file first --json";
    let made = json(dir, &words(new));
    let export = "keys export --home a --kind validator --password-file first";
    let exported = format!("{export} --out copy.json --new-password-file second");
    ok(dir, &words(&exported));
    fails(dir, &words(&exported), "key file copy.json exists");
    assert_ne!(
        file(dir, "a", "validator"),
        fs::read_to_string(dir.join("copy.json")).unwrap()
    );
    let import = "keys import --home b --kind validator --file copy.json";
    fails(
        dir,
        &words(&format!("{import} --plain")),
        "copy.json is encrypted",
    );
    let imported = format!("{import} --plain --password-file second --json");
    let imported = json(dir, &words(&imported));
    let address = made["validator"]["address"]
        .as_str()
        .unwrap()
        .to_lowercase();
    assert_eq!(
        imported["address"].as_str().unwrap().to_lowercase(),
        address
    );
    assert_eq!(file(dir, "b", "validator").len(), 65);
    let again = format!("{import} --plain --password-file second");
    fails(dir, &words(&again), "a key is never overwritten");

    // An ed25519 seed has no address.
    let export = "keys export --home a --kind log --password-file first --plain --out log.txt";
    ok(dir, &words(export));
    let import = "keys import --home b --kind log --file log.txt --new-password-file second";
    ok(dir, &words(import));
    let keystore: Value = serde_json::from_str(&file(dir, "b", "log")).unwrap();
    assert_eq!(keystore.get("address"), None);
    ok(
        dir,
        &words("keys export --home b --kind log --password-file second --plain --out again"),
    );
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(read("again"), read("log.txt"));
}

#[test]
fn passwords_are_not_taken_from_the_command_line_or_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let flag = tbsi(dir, &words("keys show --home a --password secret-secret"));
    assert_eq!(flag.code, 2, "{}", flag.stderr);
    let files: Vec<_> = fs::read_dir("tests/help").unwrap().collect();
    for file in files {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("[env:"), "{text}");
        assert!(!text.contains("--password <"), "{text}");
    }
}

/// A key that moves without what it has signed could sign twice.
#[test]
fn a_key_behind_a_signer_is_rotated_where_the_node_is_with_its_sign_state() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ok(dir, &words("keys new --home a"));
    private(dir, "account", &"01".repeat(32));
    let config = format!(
        "name = \"a\"\nvalidator = true\n[signer]\naddress = \"unix:/run/s\"\npublic_key = \
         \"0x{}\"\nvalidator_key = \"0x02{}\"\n",
        "11".repeat(32),
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    );
    fs::write(dir.join("a/config.toml"), config).unwrap();
    let rotate = "keys rotate --home a --key account";
    for (lang, expected) in [
        (
            "en",
            [
                "bring both the key",
                "(as a/data/sign-state)",
                "the key could sign twice",
            ],
        ),
        (
            "zh-TW",
            ["一併移回", "（放到 a/data/sign-state）", "可能重複簽署"],
        ),
    ] {
        let ran = tbsi(dir, &words(&format!("{rotate} --lang {lang}")));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        for words in expected {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
    }
}
