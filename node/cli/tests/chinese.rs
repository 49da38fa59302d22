//! Reasons are in the language of the verdict, as far as they are ours.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::path::Path;

use support::{NOBODY, attested, private, tbsi, to_attest};

const PROOF: &str = "report.pdf.tbsi.json";

/// Exit code and words of either output, in which no sentence is English.
fn check(dir: &Path, args: &[&str], code: i32, words: &str) {
    let ran = tbsi(dir, &[args, &["--lang", "zh-TW"]].concat());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{args:?}: {said}");
    assert!(said.contains(words), "{args:?}: {words} is not in {said}");
    let is_word =
        |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut parts = said.split(['：', '；', '，', '`']);
    let english = parts.find(|part| part.split(' ').filter(is_word).count() > 3);
    assert!(english.is_none() || said.contains(" JSON："), "{english:?}");
}

#[test]
fn a_changed_proof_is_refused_in_chinese() {
    let dir = attested();
    let dir = dir.path();
    let proof = fs::read_to_string(dir.join(PROOF)).unwrap();
    let index = "\"leafIndex\":5";
    for (from, to, code, words) in [
        (
            index,
            "\"leafIndex\":4",
            1,
            "無效：日誌中的位置：位置證明推得的日誌根雜湊為",
        ),
        (
            index,
            "\"leafIndex\":99",
            1,
            "位置 99 不在共 13 筆的日誌之內",
        ),
        ("\"logSize\":13", "\"logSize\":300", 1, "個雜湊，應有"),
        (
            "Association A",
            "Association X",
            1,
            "無效：檢查點：驗證者與法定名稱的雜湊為",
        ),
        ("\"round\":0", "\"round\":1", 1, "無效：檢查點：驗證者 0x"),
        (
            "\"stateRoot\":\"0x",
            "\"stateRoot\":\"0x0",
            2,
            "無法判斷：changed：證明不是預期形式的 JSON：",
        ),
        (
            "tbsi-proof-1",
            "tbsi-proof-2",
            2,
            "無法判斷：changed：不是本軟體認得的證明格式",
        ),
    ] {
        assert!(proof.contains(from), "{from}");
        fs::write(dir.join("changed"), proof.replacen(from, to, 1)).unwrap();
        let args = ["verify", "changed", "--genesis", "genesis.json"];
        check(dir, &args, code, words);
    }
    let compact = fs::read(dir.join("report.pdf.tbsi")).unwrap();
    fs::write(dir.join("short"), &compact[..compact.len() - 1]).unwrap();
    let short = ["verify", "short", "--genesis", "genesis.json"];
    check(dir, &short, 2, "無法判斷：short：證明的位元組：");
}

#[test]
fn what_is_missing_or_another_is_named_in_chinese() {
    let dir = attested();
    let dir = dir.path();
    let genesis = fs::read_to_string(dir.join("genesis.json")).unwrap();
    let other = genesis.replacen("vectors", "others", 1);
    fs::write(dir.join("other.json"), other).unwrap();
    let with = |proof: &'static str, genesis: &'static str| ["verify", proof, "--genesis", genesis];
    let words = "無法判斷：證明屬於創世檔雜湊為";
    check(dir, &with(PROOF, "other.json"), 2, words);
    check(dir, &["verify", PROOF], 2, "無法判斷：尚未指定信任的依據");
    let words = "無法判斷：讀取證明 none：檔案或目錄不存在";
    check(dir, &with("none", "genesis.json"), 2, words);
    let words = "無法判斷：找不到創世檔 none.json";
    check(dir, &with(PROOF, "none.json"), 2, words);
    fs::write(dir.join("report.pdf"), "other").unwrap();
    let good = with(PROOF, "genesis.json");
    let words = "無效：report.pdf 不是存證的那個檔案：它的 sha2-256 摘要為";
    check(dir, &good, 1, words);
    let salt = [good.as_slice(), &["--salt", "none"]].concat();
    check(dir, &salt, 2, "讀取鹽值檔 none：檔案或目錄不存在");
}

#[test]
fn attest_refuses_in_chinese() {
    let dir = to_attest();
    for (args, code, words) in [
        (["empty", "key"], 2, "錯誤：empty 是空檔"),
        (["none", "key"], 2, "錯誤：讀取 none：檔案或目錄不存在"),
        (["sub", "key"], 2, "sub 是目錄；請用 --dir 指定"),
        (["--dir=sub", "key"], 2, "加上 --recursive"),
        (
            ["a", "none"],
            2,
            "找不到金鑰檔 none；`(umask 077; openssl rand",
        ),
        (["a", "open-key"], 2, "請執行 `chmod 600 open-key`"),
        (["a", "bad-key"], 2, "必須恰好是 64 個十六進位數字"),
        (["a", "key"], 1, "錯誤：無法連線到 http://127.0.0.1:1"),
    ] {
        let [what, key] = args;
        let args = ["attest", what, "--key", key, "--rpc", NOBODY];
        let ran = tbsi(
            dir.path(),
            &[args.as_slice(), &["--lang", "zh-TW"]].concat(),
        );
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(words),
            "{words} is not in {}",
            ran.stderr
        );
    }
}

/// A command, its exit code, and words of what it says.
const KEYS_AND_HOMES: [(&str, i32, &str); 15] = [
    (
        "keys show --home a",
        1,
        "a 沒有金鑰檔；`tbsi keys new --home a`",
    ),
    (
        "keys new --home a --validator",
        0,
        "金鑰位於 a/keys；取得者即可冒充此節點",
    ),
    (
        "keys new --home a --validator",
        1,
        "a 已有這些金鑰，金鑰不會被覆寫",
    ),
    ("keys show --home a", 0, "peer_id = "),
    (
        "keys encrypt --home a",
        1,
        "需要新密碼，但無人可詢問：請以 --password-file FILE 提供",
    ),
    (
        "keys encrypt --home a --password-file password",
        0,
        "已加密 a 中的 4 個金鑰檔",
    ),
    (
        "keys encrypt --home a --password-file password",
        1,
        "a 沒有未加密的金鑰檔",
    ),
    ("keys show --home a", 1, "已加密：請以 --password-file"),
    (
        "keys change-password --home a --password-file password --new-password-file other",
        0,
        "a 中的 4 個金鑰檔已改用新密碼",
    ),
    (
        "keys export --home a --kind log --out log --password-file other --plain",
        0,
        "金鑰位於 log。",
    ),
    (
        "keys import --home b --kind log --file log --plain",
        0,
        "金鑰位於 b/keys/log.key。",
    ),
    (
        "keys import --home b --kind log --file log --plain",
        1,
        "已存在；金鑰不會被覆寫",
    ),
    (
        "config check --home b",
        1,
        "找不到設定檔 b/config.toml；`tbsi node init` 可產生",
    ),
    (
        "node init --home c --genesis none --name n",
        1,
        "找不到創世檔 none",
    ),
    (
        "node init --home c --genesis genesis.json --name n",
        1,
        "缺少 c/keys/node.key",
    ),
];

#[test]
fn keys_and_homes_are_told_in_chinese() {
    let dir = attested();
    let dir = dir.path();
    private(dir, "password", "correct horse");
    private(dir, "other", "battery staple");
    for (args, code, words) in KEYS_AND_HOMES {
        let args: Vec<&str> = args.split(' ').collect();
        check(dir, &args, code, words);
    }
}
