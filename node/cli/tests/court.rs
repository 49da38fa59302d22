//! Reports for courts, as far as no network and no font is needed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use support::{Ran, attested, tbsi, vectors};

const DIGEST: &str = "38ceb6fd2ff94c617b04434510960bd38e640b96e4634b08f852582711ec866d";
const ISSUER: &str = "0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa";

/// Writes a report; its text, and what was said.
fn report(dir: &Path, out: &str, extra: &[&str]) -> (Ran, String) {
    let args = ["report", "report.pdf.tbsi.json", "--out", out];
    let ran = tbsi(dir, &[args.as_slice(), extra].concat());
    let text = fs::read_to_string(dir.join(out)).unwrap_or_default();
    (ran, text)
}

fn has(html: &str, words: &[&str]) {
    for word in words {
        assert!(html.contains(word), "`{word}` is not in: {html}");
    }
}

#[test]
fn a_report_has_the_facts_in_both_languages() {
    let dir = attested();
    let trust = ["--genesis", "genesis.json"];
    let (ran, html) = report(dir.path(), "en.html", &trust);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("en.html: THE PROOF HOLDS"),
        "{}",
        ran.stdout
    );
    has(
        &html,
        &[
            "<html lang=\"en\">",
            "THE PROOF HOLDS; revocation not checked",
            "report.pdf",
            DIGEST,
            ISSUER,
            "not proved",
            "Test Association C\n台灣測試公會丙",
            "2023-11-14T22:13:21Z",
            "at most 10000 ms ahead",
            "4 of 4 validators signed",
            "0x62b8f219d500b0a452ee9768f881f6930604da01f749825c60f550acb0bf5f30",
            "no node was asked",
        ],
    );
    // Every step that `tbsi verify` says, in its words.
    let verify = [
        "verify",
        "report.pdf.tbsi.json",
        "--genesis",
        "genesis.json",
    ];
    let steps = tbsi(dir.path(), &verify).stdout;
    for line in steps.lines() {
        let line = line.trim_start_matches("ok  ").trim_start_matches("--  ");
        let line = line.trim_start().replace('\'', "&#39;");
        assert!(html.contains(&line), "`{line}` is not in the report");
    }
    let (ran, html) = report(
        dir.path(),
        "zh.html",
        &[trust.as_slice(), &["--lang", "zh-TW"]].concat(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    has(
        &html,
        &[
            "<html lang=\"zh-Hant-TW\">",
            "證明驗證通過；未檢查事後是否撤銷",
            "未經證明",
            "台灣測試公會丙\nTest Association C",
            "2023-11-15T06:13:21+08:00",
            "已簽署",
            DIGEST,
        ],
    );
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn who_did_not_sign_is_named() {
    let dir = attested();
    let vectors = vectors();
    let mut cases = vectors["cases"].as_array().unwrap().iter();
    let case = cases
        .find(|case| case["name"] == "signed by a quorum")
        .unwrap();
    let json = case["json"].to_string();
    fs::write(dir.path().join("report.pdf.tbsi.json"), json).unwrap();
    let signatures = case["json"]["certificate"]["signatures"]
        .as_array()
        .unwrap();
    let validators = case["json"]["validators"].as_array().unwrap().len();
    assert!(signatures.len() < validators);
    let trust = ["--genesis", "genesis.json", "--lang", "zh-TW"];
    let (ran, html) = report(dir.path(), "a.html", &trust);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let signed = html.matches("<td>已簽署</td>").count();
    let absent = html.matches("<td>未簽署</td>").count();
    assert_eq!(
        (signed, absent),
        (signatures.len(), validators - signatures.len())
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = attested();
    let trust = ["--genesis", "genesis.json"];
    let (_, first) = report(dir.path(), "a.html", &trust);
    let (_, second) = report(dir.path(), "b.html", &trust);
    assert!(!first.is_empty() && first == second);
}

#[test]
fn a_proof_that_does_not_hold_has_a_report_too() {
    let dir = attested();
    let trust = ["--genesis", "genesis.json"];
    fs::write(dir.path().join("report.pdf"), "another").unwrap();
    let (ran, html) = report(dir.path(), "invalid.html", &trust);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    has(
        &html,
        &[
            "INVALID: report.pdf is not the file",
            "otherFile",
            ">FAILED<",
        ],
    );
    // Nothing that such a proof says is passed on.
    assert!(
        !html.contains(ISSUER) && !html.contains("Test Association"),
        "{html}"
    );

    fs::write(dir.path().join("report.pdf.tbsi.json"), "{}").unwrap();
    let zh_tw = ["--genesis", "genesis.json", "--lang", "zh-TW", "--json"];
    let (ran, html) = report(dir.path(), "unreadable.html", &zh_tw);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    has(&html, &["無法判斷：", "unreadable", "<td>未及"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["verdict"], "could not tell");
    assert_eq!(said["code"], "unreadable");

    // What is given instead of trust decides as in `tbsi verify`.
    let (ran, html) = report(dir.path(), "untrusted.html", &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    has(&html, &["COULD NOT TELL"]);
}

#[test]
fn nothing_is_written_that_was_not_asked_for() {
    let dir = attested();
    let trust = ["--genesis", "genesis.json"];
    let with = |extra: &[&'static str]| [trust.as_slice(), extra].concat();
    fs::write(dir.path().join("there.html"), "mine").unwrap();
    for (out, extra, words) in [
        ("there.html", with(&[]), "there.html exists"),
        ("a.txt", with(&[]), "must end with .pdf or .html"),
        ("a", with(&[]), "must end with .pdf or .html"),
        (
            "a.pdf",
            with(&["--font", "report.pdf"]),
            "is no OpenType font",
        ),
        ("a.pdf", with(&["--font", "missing"]), "read font missing"),
        ("missing/a.html", with(&[]), "write missing/a.html"),
    ] {
        let (ran, _) = report(dir.path(), out, &extra);
        assert_eq!(ran.code, 2, "{out}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{out}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("there.html")).unwrap(),
        "mine"
    );
    for name in ["a.txt", "a", "a.pdf"] {
        assert!(!dir.path().join(name).exists(), "{name}");
    }
}

/// The commands of a report, as a reader copies them.
fn commands(html: &str) -> Vec<String> {
    let blocks = html.split("<pre><code>").skip(1);
    let blocks = blocks.map(|block| block.split("</code></pre>").next().unwrap());
    let plain = |text: &str| {
        let named = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#39;", "'"),
        ];
        let text = named
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        text.replace("&amp;", "&")
    };
    blocks.map(plain).collect()
}

fn shell(dir: &Path, command: &str) -> (Option<i32>, String) {
    let programs = Path::new(env!("CARGO_BIN_EXE_tbsi")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(dir)
        .env("PATH", format!("{}:{path}", programs.to_str().unwrap()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn the_commands_of_a_report_do_what_it_says() {
    let dir = attested();
    // A name that a shell would take apart.
    let name = "it's a 契約 $(x).pdf";
    fs::rename(dir.path().join("report.pdf"), dir.path().join(name)).unwrap();
    let trust = ["--genesis", "genesis.json", "--file", name];
    let (ran, html) = report(dir.path(), "a.html", &trust);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let commands = commands(&html);
    assert_eq!(commands.len(), 3, "{commands:?}");
    let (code, said) = shell(dir.path(), &commands[0]);
    assert_eq!(code, Some(0), "{}", commands[0]);
    assert!(said.contains(DIGEST), "{said}");
    let (code, said) = shell(dir.path(), &commands[1]);
    assert_eq!(code, Some(0), "{}", commands[1]);
    assert!(
        said.contains("THE PROOF HOLDS; revocation not checked\n"),
        "{said}"
    );
    let (code, _) = shell(dir.path(), &format!("{}x", commands[1]));
    assert_ne!(code, Some(0), "the file is named");
    assert!(commands[2].starts_with("python3 -c "), "{}", commands[2]);
}
