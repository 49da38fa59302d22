//! Files as people have them: names that are no UTF-8 or hold control characters, files that are
//! empty, cut off, UTF-16 or begin with a mark, things that are no files.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{NOBODY, Ran, attested, bytes, ok, private, tbsi, vectors, words};

/// `caf` and a byte that ends no UTF-8.
const LATIN: &[u8] = b"caf\xe9";
/// Clears a line and says what a verdict says.
const HOSTILE: &str = "x\u{1b}[2K\rTHE PROOF HOLDS\nVALID";

fn name(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// A command line in which `@` stands for a name.
fn line(text: &str, name: &OsStr) -> Vec<OsString> {
    let word = |word: &str| {
        let mut out = OsString::new();
        for (index, part) in word.split('@').enumerate() {
            if index > 0 {
                out.push(name);
            }
            out.push(part);
        }
        out
    };
    text.split_whitespace().map(word).collect()
}

/// What was said, where nothing moves the cursor and lines are those of the program.
fn quiet(ran: &Ran) -> String {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let loud = |letter: char| letter.is_control() && letter != '\n';
    assert!(!all.contains(loud), "{all:?}");
    assert!(!all.lines().any(|line| line == "VALID"), "{all}");
    assert!(!all.contains("panicked"), "{all}");
    all
}

/// Every command that makes or reads a home, a key or a genesis file.
fn founds(dir: &Path, name: &OsStr) {
    let done = |text: &str| {
        let ran = tbsi(dir, &line(text, name));
        quiet(&ran);
        assert_eq!(ran.code, 0, "{text}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    done("keys new --home nh@ --validator --json");
    let entry = done("keys show --home nh@");
    let (_, entry) = entry.split_once("[[nodes]]").unwrap();
    let entry = entry
        .replacen("\"...\"", "\"n\"", 1)
        .replace("\"...\"", "\"a\"");
    let head = "name = \"test\"\nchain_id = 7\n[organisations.a]\nname_zh_tw = \"台灣測試公會甲\"\n\
                name_en = \"Test Association A\"\n";
    let mut draft = OsString::from("draft");
    draft.push(name);
    fs::write(dir.join(&draft), format!("{head}[[nodes]]{entry}")).unwrap();
    done("genesis build --draft draft@ --out genesis@ --development");
    done("genesis check --genesis genesis@");
    let made = done("node init --home nh@ --genesis genesis@ --name n --validator --json");
    let made: Value = serde_json::from_str(&made).unwrap();
    let lossy = name.to_str().is_none();
    assert_eq!(made["homeLossy"] == true, lossy, "{made}");
    assert!(made["home"].as_str().unwrap().starts_with("nh"), "{made}");
    done("config check --home nh@ --json");
    done("keys reset-sign-state --home nh@ --height 3 --json");
    done("keys export --home nh@ --kind account --plain --out key@ --json");
    done("keys import --home s@ --kind validator --file nh@/keys/validator.key --plain --json");
    done("signer init --home s@ --genesis genesis@ --sign-state nh@/data/sign-state --json");
    private(dir, "password", "correct horse");
    done("keys encrypt --home s@ --password-file password --json");
    done(
        "delegate revoke 0x1111111111111111111111111111111111111111111111111111111111111111 \
          --reason 1 --genesis genesis@ --key key@ --until 2030-01-01T00:00:00Z --out d@ --json",
    );
    // These end with an error, and do not die of one.
    for text in [
        "node recover --home nh@ --json",
        "node recover --home none@",
        "testnet status --dir net@",
        "genesis check --genesis none@",
        "relay status --home none@",
        "renew check file@ --trust none@",
        "log audit --genesis none@ --rpc http://127.0.0.1:1",
        "attest key@ --key key@ --rpc http://127.0.0.1:1",
        "prove --file key@ --rpc http://127.0.0.1:1 --out proof@",
        "erase check file@ --genesis genesis@",
        "motion propose add-organisation file@ --key key@ --rpc http://127.0.0.1:1",
    ] {
        let ran = tbsi(dir, &line(text, name));
        assert!(
            matches!(ran.code, 1 | 2),
            "{text}: {} {}",
            ran.code,
            quiet(&ran)
        );
    }
}

#[test]
fn homes_and_files_may_have_any_name() {
    for bytes in [
        LATIN,
        HOSTILE.as_bytes(),
        "會議 紀錄".as_bytes(),
        b"'$(x)\"",
    ] {
        let dir = tempfile::tempdir().unwrap();
        founds(dir.path(), &name(bytes));
    }
}

#[test]
fn verify_compares_files_of_any_name() {
    for bytes in [LATIN, HOSTILE.as_bytes()] {
        let dir = attested();
        let path = |end: &str| {
            let mut name = name(bytes);
            name.push(end);
            dir.path().join(name)
        };
        fs::rename(dir.path().join("report.pdf"), path("")).unwrap();
        fs::rename(dir.path().join("report.pdf.tbsi.json"), path(".tbsi.json")).unwrap();
        let name = name(bytes);
        let ran = tbsi(
            dir.path(),
            &line("verify @.tbsi.json --genesis genesis.json", &name),
        );
        let said = quiet(&ran);
        assert_eq!(ran.code, 0, "{said}");
        assert!(said.contains("has this digest, to the last bit"), "{said}");
        let json = line("verify @.tbsi.json --genesis genesis.json --json", &name);
        let json: Value = serde_json::from_str(&tbsi(dir.path(), &json).stdout).unwrap();
        assert_eq!(json["file"]["fileLossy"] == true, bytes == LATIN, "{json}");
        fs::write(path(""), "another").unwrap();
        let ran = tbsi(
            dir.path(),
            &line("verify @.tbsi.json --genesis genesis.json", &name),
        );
        assert_eq!(ran.code, 1);
        quiet(&ran);
        let report = "report @.tbsi.json --genesis genesis.json --out r@.html";
        assert_eq!(tbsi(dir.path(), &line(report, &name)).code, 1);
    }
}

/// What an editor or a broken copy makes of a text, by the words that name it.
fn misfits(good: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let text = std::str::from_utf8(good).unwrap();
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    vec![
        (Vec::new(), "is empty (0 bytes)"),
        (b"\n".to_vec(), "is empty (1 byte)"),
        ([b"\xef\xbb\xbf", good].concat(), "byte-order mark"),
        (
            [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat(),
            "iconv -f UTF-16",
        ),
        (
            [b"\xfe\xff".to_vec(), wide(u16::to_be_bytes)].concat(),
            "iconv -f UTF-16",
        ),
        (wide(u16::to_le_bytes), "iconv -f UTF-16"),
        (good[..good.len() / 2].to_vec(), "ends in the middle"),
        (good[..good.len() - 1].to_vec(), "ends in the middle"),
    ]
}

#[test]
fn what_is_no_text_is_named_and_is_no_verdict() {
    let dir = attested();
    let dir = dir.path();
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    let (genesis, proof) = (read("genesis.json"), read("report.pdf.tbsi.json"));
    let check = |file: &str, good: &[u8], command: &str| {
        for (bytes, expected) in misfits(good.trim_ascii()) {
            fs::write(dir.join(file), bytes).unwrap();
            let ran = tbsi(dir, &words(command));
            let said = quiet(&ran);
            assert_eq!(ran.code, 2, "{command}: {said}");
            assert!(
                said.contains(expected),
                "{command}: {expected} is not in {said}"
            );
            let zh_tw = format!("{command} --lang zh-TW");
            let ran = tbsi(dir, &words(&zh_tw));
            assert_eq!(ran.code, 2, "{zh_tw}: {}", ran.stdout);
            assert!(
                !quiet(&ran).contains(" bytes"),
                "{}{}",
                ran.stdout,
                ran.stderr
            );
        }
        fs::write(dir.join(file), good).unwrap();
    };
    let verify = "verify report.pdf.tbsi.json --genesis genesis.json";
    check("report.pdf.tbsi.json", &proof, verify);
    check("genesis.json", &genesis, verify);
    check(
        "genesis.json",
        &genesis,
        "genesis check --genesis genesis.json",
    );
    let attest = format!("attest report.pdf --key key --genesis genesis.json --rpc {NOBODY}");
    private(dir, "key", &"01".repeat(32));
    check("genesis.json", &genesis, &attest);
    check(
        "report.pdf.tbsi.json",
        &proof,
        &format!("revoke report.pdf.tbsi.json --reason 1 --key key --rpc {NOBODY}"),
    );
    for (bytes, expected) in misfits(&genesis) {
        fs::write(dir.join("genesis.json"), bytes).unwrap();
        let init = "node init --home nh --genesis genesis.json --name n";
        let ran = tbsi(dir, &words(init));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert!(!dir.join("nh").exists());
        let ran = tbsi(
            dir,
            &words("checkpoint verify --file f --genesis genesis.json"),
        );
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    }
}

#[test]
fn a_proof_that_was_cut_off_is_no_verdict() {
    let dir = attested();
    let whole = bytes(&vectors()["cases"][0]["compact"]);
    let verify = "verify report.pdf.tbsi --genesis genesis.json";
    ok(dir.path(), &words(verify));
    for length in (0..whole.len()).step_by(whole.len() / 40) {
        fs::write(dir.path().join("report.pdf.tbsi"), &whole[..length]).unwrap();
        let ran = tbsi(dir.path(), &words(verify));
        assert_eq!(ran.code, 2, "{length}: {}", ran.stdout);
    }
}

#[test]
fn keys_passwords_and_configurations_are_named_too() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ok(dir, &words("keys new --home a"));
    let key = fs::read_to_string(dir.join("a/keys/account.key")).unwrap();
    let marked = format!("\u{feff}{key}");
    private(dir, "marked", &marked);
    let import = "keys import --home b --kind account --file marked --plain";
    let ran = tbsi(dir, &words(import));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("byte-order mark"), "{}", ran.stderr);
    fs::write(dir.join("a/config.toml"), "\u{feff}name = \"a\"\n").unwrap();
    let ran = tbsi(dir, &words("config check --home a"));
    assert!(ran.stderr.contains("byte-order mark"), "{}", ran.stderr);
    fs::write(dir.join("a/config.toml"), b"\xff\xfen\0a\0").unwrap();
    let ran = tbsi(dir, &words("config check --home a"));
    assert!(ran.stderr.contains("iconv -f UTF-16"), "{}", ran.stderr);
    let ran = tbsi(dir, &words("keys show --home a --password-file none"));
    let missing = "password file none is missing; give the one that holds the password";
    assert!(ran.stderr.contains(missing), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_stored_is_refused_before_anything_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    private(dir, "key", &"01".repeat(32));
    let long = "長".repeat(82);
    assert_eq!(long.len(), 246);
    fs::write(dir.join(&long), "minutes").unwrap();
    let ran = tbsi(
        dir,
        &line(&format!("attest @ --key key --rpc {NOBODY}"), long.as_ref()),
    );
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("a name of 256 bytes"), "{}", ran.stderr);
    // What is offered can be had.
    let (_, offered) = ran.stderr.split_once(" --out ").unwrap();
    let offered = offered.trim().trim_start_matches("./").to_owned();
    assert!(
        offered.starts_with("長長") && offered.ends_with(".tbsi.json"),
        "{offered}"
    );
    let again = format!("attest @ --key key --out {offered} --rpc {NOBODY}");
    let ran = tbsi(dir, &line(&again, long.as_ref()));
    assert!(
        ran.stderr.contains("is the node running?"),
        "{}",
        ran.stderr
    );
    let several = format!("attest @ key2 --out {offered} --key key --rpc {NOBODY}");
    fs::write(dir.join("key2"), "x").unwrap();
    let ran = tbsi(dir, &line(&several, long.as_ref()));
    assert!(
        ran.stderr.contains("is the name of one proof"),
        "{}",
        ran.stderr
    );
    assert!(!dir.join(&offered).exists());
}

#[test]
fn what_is_no_file_is_skipped_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    private(dir, "key", &"01".repeat(32));
    fs::create_dir_all(dir.join("d/sub")).unwrap();
    for name in ["d/a", "d/sub/b", "d/sub/c.log"] {
        fs::write(dir.join(name), name).unwrap();
    }
    for name in ["d/.gitkeep", "d/.tbsiignore"] {
        fs::write(dir.join(name), "").unwrap();
    }
    let made = Command::new("mkfifo")
        .arg(dir.join("d/pipe"))
        .stdin(Stdio::null())
        .status();
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("d/socket")).unwrap();
    std::os::unix::fs::symlink("a", dir.join("d/link")).unwrap();
    let ran = tbsi(
        dir,
        &words(&format!(
            "attest --dir d --recursive --key key --rpc {NOBODY}"
        )),
    );
    for (file, why) in [
        (".gitkeep", "it is empty"),
        ("socket", "it is a socket"),
        ("link", "it is a symbolic link"),
        ("pipe", if made.is_ok() { "it is a pipe" } else { "" }),
    ] {
        let line = format!("skipped: d/{file}: {why}");
        assert!(
            why.is_empty() || ran.stderr.contains(&line),
            "{line}: {}",
            ran.stderr
        );
    }
    assert!(
        ran.stderr.contains("is the node running?"),
        "{}",
        ran.stderr
    );
    let zh_tw = format!("attest --dir d --recursive --key key --lang zh-TW --rpc {NOBODY}");
    let said = tbsi(dir, &words(&zh_tw)).stderr;
    assert!(said.contains("未存證：d/.gitkeep：是空檔"), "{said}");
    let bad = format!("attest --dir d --exclude [ --key key --rpc {NOBODY}");
    let ran = tbsi(dir, &words(&bad));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("--exclude [ is no pattern"),
        "{}",
        ran.stderr
    );
    fs::set_permissions(dir.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_node_is_named_by_the_environment_too() {
    let dir = tempfile::tempdir().unwrap();
    let asks = |variables: &[(&str, &str)], args: &str, expected: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
            .current_dir(dir.path())
            .args(words(args))
            .env_remove("TBSI_RPC_URL")
            .env_remove("ETH_RPC_URL")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expected), "{args}: {said}");
    };
    let eth = ("ETH_RPC_URL", "http://127.0.0.1:2");
    let tbsi = ("TBSI_RPC_URL", "http://127.0.0.1:3");
    asks(&[eth], "status", "cannot reach http://127.0.0.1:2");
    asks(&[eth, tbsi], "status", "cannot reach http://127.0.0.1:3");
    asks(
        &[eth, tbsi],
        "status --rpc http://127.0.0.1:1",
        "cannot reach http://127.0.0.1:1",
    );
    asks(
        &[("ETH_RPC_URL", "nowhere")],
        "log status",
        "environment variable ETH_RPC_URL: nowhere",
    );
    let zh_tw = "org list --lang zh-TW";
    asks(
        &[("TBSI_RPC_URL", "nowhere")],
        zh_tw,
        "環境變數 TBSI_RPC_URL：nowhere",
    );
    // Who verifies asks nobody that was not named.
    let offline = attested();
    let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
        .current_dir(offline.path())
        .args(words("verify report.pdf.tbsi.json --genesis genesis.json"))
        .envs([eth, tbsi])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(OsStr::from_bytes(&output.stderr).is_empty());
}
