//! Commands that need no running node, as a user types them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use support::{tbsi, words};

fn ok(dir: &Path, args: &[&str]) -> String {
    let ran = tbsi(dir, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran.stdout
}

fn json(dir: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(dir, args)).unwrap()
}

/// One line on stderr, with these words and nothing on stdout.
fn fails(dir: &Path, args: &[&str], words: &str) {
    ends(1, dir, args, words);
}

fn ends(code: i32, dir: &Path, args: &[&str], words: &str) {
    let ran = tbsi(dir, args);
    assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stdout, "", "{args:?}");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
    assert!(!ran.stderr.contains("backtrace"), "{}", ran.stderr);
}

const HEAD: &str = "\
name = \"test\"
chain_id = 8862026
[organisations.a]
name_zh_tw = \"台灣測試公會甲\"
name_en = \"Test Association A\"
";

/// Keys of `a` (a validator) and `b` (an observer), and a draft that names both.
fn draft(dir: &Path) -> String {
    let keys = |name: &str, extra: &[&str]| {
        let printed = ok(dir, &[&["keys", "new", "--home", name], extra].concat());
        let (_, entry) = printed.split_once("[[nodes]]").unwrap();
        let entry = entry.replacen("\"...\"", &format!("\"{name}\""), 1);
        format!("[[nodes]]{}", entry.replace("\"...\"", "\"a\""))
    };
    let draft = format!("{HEAD}{}{}", keys("a", &["--validator"]), keys("b", &[]));
    fs::write(dir.join("draft.toml"), &draft).unwrap();
    draft
}

#[test]
fn keys_are_made_once_and_shown_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = json(
        dir,
        &["keys", "new", "--home", "a", "--validator", "--json"],
    );
    assert_eq!(made, json(dir, &["keys", "show", "--home", "a", "--json"]));
    assert!(made["peerId"].as_str().unwrap().starts_with("12D3Koo"));
    let text = ok(dir, &["keys", "show", "--home", "a"]);
    for file in ["a/keys/node.key", "a/keys/validator.key"] {
        let mode = fs::metadata(dir.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let secret = fs::read_to_string(dir.join(file)).unwrap();
        assert!(!text.contains(secret.trim()) && !made.to_string().contains(secret.trim()));
    }
    let again = ["keys", "new", "--home", "a", "--validator"];
    fails(dir, &again, "a key is never overwritten");
    fails(
        dir,
        &["keys", "show", "--home", "b"],
        "b has no key files; `tbsi keys new --home b` makes",
    );
    fs::set_permissions(
        dir.join("a/keys/node.key"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    fails(
        dir,
        &["keys", "show", "--home", "a"],
        "chmod 600 a/keys/node.key",
    );
}

#[test]
fn a_network_is_founded_from_keys() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    draft(dir);
    let build = [
        "genesis",
        "build",
        "--draft",
        "draft.toml",
        "--out",
        "genesis.json",
        "--json",
    ];
    let built = json(dir, &build);
    assert_eq!(
        built,
        json(
            dir,
            &["genesis", "check", "--genesis", "genesis.json", "--json"]
        )
    );
    assert_eq!(
        (&built["validators"], &built["nodes"]),
        (&1.into(), &2.into())
    );
    let text = ok(dir, &["genesis", "check", "--genesis", "genesis.json"]);
    assert!(
        text.contains("a (validator, power 1): 台灣測試公會甲 Test Association A"),
        "{text}"
    );
    assert!(
        text.contains("warning: fewer than 4 validators tolerate no fault"),
        "{text}"
    );
    fails(dir, &build, "write genesis file genesis.json: File exists");

    let init = |name: &'static str| {
        vec![
            "node",
            "init",
            "--home",
            name,
            "--genesis",
            "genesis.json",
            "--name",
            name,
        ]
    };
    let made = json(dir, &[init("a"), vec!["--validator", "--json"]].concat());
    assert_eq!(made["genesisHash"], built["genesisHash"]);
    assert!(dir.join("a/data/sign-state").exists());
    fails(
        dir,
        &[init("a"), vec!["--validator"]].concat(),
        "initialised already",
    );
    ok(dir, &init("b"));
    assert!(!dir.join("b/data/sign-state").exists());
    for (home, role) in [("a", "validator `a`"), ("b", "observer `b`")] {
        let text = ok(dir, &["config", "check", "--home", home]);
        assert!(text.contains(role), "{text}");
    }
    let words = "`tbsi keys new --home c` makes the keys and prints them";
    fails(dir, &init("c"), words);
    assert!(!dir.join("c").exists(), "nothing is half made");
    ok(dir, &["keys", "new", "--home", "c"]);
    fails(dir, &init("c"), "add it to the genesis file's `nodes`");
}

#[test]
fn drafts_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let good = draft(dir);
    let refuse = |from: &str, to: &str, words: &str| {
        assert!(good.contains(from), "{good}");
        fs::write(dir.join("draft.toml"), good.replacen(from, to, 1)).unwrap();
        let build = [
            "genesis",
            "build",
            "--draft",
            "draft.toml",
            "--out",
            "genesis.json",
        ];
        fails(dir, &build, words);
        assert!(!dir.join("genesis.json").exists());
    };
    refuse(
        "chain_id = 8862026",
        "chain_id = 0",
        "`chain_id`: 0 is outside",
    );
    refuse("chain_id", "chian_id", "unknown field `chian_id`");
    refuse("12D3Koo", "12D3Ko", "is not a peer id");
    refuse(
        "organisation = \"a\"",
        "organisation = \"z\"",
        "`z` is not listed in organisations",
    );
    refuse(
        "public_key = \"0x",
        "public_key = \"0xff",
        "validator.public_key",
    );
    refuse("[nodes.validator]", "[accounts.0x00]", "draft draft.toml");
}

#[test]
fn configuration_errors_name_file_key_and_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    draft(dir);
    ok(
        dir,
        &[
            "genesis",
            "build",
            "--draft",
            "draft.toml",
            "--out",
            "genesis.json",
        ],
    );
    let init = [
        "node",
        "init",
        "--home",
        "b",
        "--genesis",
        "genesis.json",
        "--name",
        "b",
    ];
    ok(dir, &init);
    let file = dir.join("b/config.toml");
    let good = fs::read_to_string(&file).unwrap();
    let check = ["config", "check", "--home", "b"];
    fs::write(&file, good.replace("[metrics]\nlisten", "[metrics]\nlsten")).unwrap();
    let words = "configuration b/config.toml: unknown key `metrics.lsten`; the nearest valid key \
                 is `metrics.listen`";
    fails(dir, &check, words);
    fails(dir, &["node", "run", "--home", "b"], words);
    fs::write(&file, good.replace("validator = false", "validator = true")).unwrap();
    fails(dir, &check, "validator.key is missing");
    fs::remove_file(&file).unwrap();
    fails(
        dir,
        &check,
        "read configuration b/config.toml: No such file",
    );
}

#[test]
fn a_sign_state_is_reset_only_forward() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    draft(dir);
    ok(
        dir,
        &[
            "genesis",
            "build",
            "--draft",
            "draft.toml",
            "--out",
            "genesis.json",
        ],
    );
    let genesis = ["--genesis", "genesis.json", "--name", "a", "--validator"];
    ok(
        dir,
        &[["node", "init", "--home", "a"].as_slice(), &genesis].concat(),
    );
    let reset = |height| {
        [
            "keys",
            "reset-sign-state",
            "--home",
            "a",
            "--height",
            height,
        ]
    };
    let text = ok(dir, &reset("10"));
    assert!(text.contains("up to the end of height 10"), "{text}");
    fails(dir, &reset("9"), "signed already at height 10");
    fails(dir, &reset("18446744073709551615"), "--checkpoint FILE");
    fs::write(dir.join("a/data/sign-state"), "damaged").unwrap();
    let text = ok(dir, &reset("11"));
    assert!(text.contains("a/data/sign-state.replaced-1"), "{text}");
    let recover = ["node", "recover", "--home", "a"];
    fails(dir, &recover, "there is nothing to recover");
    fs::remove_file(dir.join("a/genesis.json")).unwrap();
    fails(dir, &recover, "genesis.json");
}

#[test]
fn a_signer_asks_for_the_sign_state_of_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    draft(dir);
    let build = "genesis build --draft draft.toml --out genesis.json";
    ok(dir, &words(build));
    let node = "node init --home a --genesis genesis.json --name a --validator";
    ok(dir, &words(node));
    let key = "--kind validator --file a/keys/validator.key --plain";
    ok(dir, &words(&format!("keys import --home s {key}")));
    let init = "signer init --home s --genesis genesis.json";
    let empty = "signer init --home none --genesis genesis.json";
    let words_of_missing = "validator.key is missing: a signer's home has the key";
    fails(dir, &words(empty), words_of_missing);
    assert!(!dir.join("none").exists(), "nothing is half made");
    fails(
        dir,
        &words(init),
        "bring its sign-state over: --sign-state FILE",
    );
    assert!(!dir.join("s/data/sign-state").exists());
    let far = format!("{init} --height 5000");
    fails(dir, &words(&far), "--checkpoint FILE");
    let brought = format!("{init} --sign-state a/data/sign-state");
    ok(dir, &words(&brought));
    fails(dir, &words(&brought), "never overwritten");
    ok(dir, &words(init));
    let reset = "keys reset-sign-state --home s --height 7";
    ok(dir, &words(reset));
    let shown = ok(dir, &words("keys show --home s"));
    assert!(
        shown.contains("# signer key 0x") && !shown.contains("[[nodes]]"),
        "{shown}"
    );
    let both = format!("{init} --sign-state a/data/sign-state --height 0");
    assert_eq!(tbsi(dir, &words(&both)).code, 2);
}

#[test]
fn verify_says_when_it_could_not_tell() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let verify = [
        "checkpoint",
        "verify",
        "--file",
        "f.json",
        "--genesis",
        "genesis.json",
    ];
    let ran = tbsi(dir, &verify);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stdout
            .starts_with("COULD NOT TELL: open genesis file genesis.json")
    );
    draft(dir);
    ok(
        dir,
        &[
            "genesis",
            "build",
            "--draft",
            "draft.toml",
            "--out",
            "genesis.json",
        ],
    );
    fs::write(dir.join("f.json"), "{}").unwrap();
    let ran = tbsi(dir, &[verify.as_slice(), &["--json"]].concat());
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (ran.code, &answer["verdict"]),
        (2, &"could not tell".into())
    );
}

#[test]
fn unreachable_nodes_and_missing_networks_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Port 1 is privileged and unused.
    fails(
        dir,
        &["status", "--rpc", "http://127.0.0.1:1"],
        "cannot reach http://127.0.0.1:1",
    );
    let get = ["checkpoint", "get", "--rpc", "http://127.0.0.1:1"];
    fails(dir, &get, "is the node running?");
    // Whoever is called with what cannot be says so by another code.
    ends(
        2,
        dir,
        &["status", "--rpc", "nowhere"],
        "nowhere is not an address",
    );
    let words = "holds no TBSI network; `tbsi testnet up --dir net` makes one";
    fails(dir, &["testnet", "down", "--dir", "net"], words);
    fails(dir, &["testnet", "status", "--dir", "net"], words);
    fails(
        dir,
        &["testnet", "up", "--dir", "net", "--validators", "0"],
        "validators: 0 is outside",
    );
}

#[test]
fn wrong_command_lines_have_their_own_code() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        [].as_slice(),
        &["validate"],
        &["node", "run"],
        &["checkpoint", "get", "--height", "0"],
        &["testnet", "up", "--validators", "-1"],
    ] {
        assert_eq!(tbsi(dir.path(), args).code, 2, "{args:?}");
    }
    let version = json(dir.path(), &["version", "--json"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}
