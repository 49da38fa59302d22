//! Attesting and proofs as a user types them, as far as no network is needed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use support::{NOBODY, Ran, attested, bytes, tbsi, to_attest, vectors};

/// Exit code and words of either output.
fn check(dir: &Path, args: &[&str], code: i32, words: &str) {
    let Ran {
        code: got,
        stdout,
        stderr,
    } = tbsi(dir, args);
    assert_eq!(got, code, "{args:?}: {stdout}{stderr}");
    let said = format!("{stdout}{stderr}");
    assert!(said.contains(words), "{args:?}: `{words}` is not in {said}");
    assert!(!said.contains("panicked"), "{said}");
}

fn verify(dir: &Path, extra: &[&str], code: i32, words: &str) {
    let args = [
        "verify",
        "report.pdf.tbsi.json",
        "--genesis",
        "genesis.json",
    ];
    check(dir, &[args.as_slice(), extra].concat(), code, words);
}

fn snapshot(name: &str, text: &str) {
    let file = format!("tests/verify/{name}.txt");
    if std::env::var_os("UPDATE_TEXT").is_some() {
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{file}; UPDATE_TEXT=1 rewrites it");
}

#[test]
fn says_each_step_in_both_languages() {
    let dir = attested();
    for language in ["en", "zh-TW"] {
        let args = [
            "verify",
            "report.pdf.tbsi.json",
            "--genesis",
            "genesis.json",
        ];
        let ran = tbsi(
            dir.path(),
            &[args.as_slice(), &["--lang", language]].concat(),
        );
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        snapshot(language, &ran.stdout);
    }
    verify(dir.path(), &["--lang", "fr"], 2, "invalid value");
    fs::write(dir.path().join("report.pdf"), "other").unwrap();
    verify(dir.path(), &["--lang", "zh-TW"], 1, "證明無效：report.pdf");
    let missing = ["--lang", "zh-TW", "--file", "missing"];
    verify(dir.path(), &missing, 2, "無法判斷：");
}

#[test]
fn both_forms_say_the_same_to_programs() {
    let dir = attested();
    let said = |proof| {
        let args = ["verify", proof, "--genesis", "genesis.json", "--json"];
        let ran = tbsi(dir.path(), &args);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    let json = said("report.pdf.tbsi.json");
    assert_eq!(json, said("report.pdf.tbsi"));
    let expected = &vectors()["cases"][0]["verified"];
    assert_eq!(json["verdict"], "valid");
    assert_eq!(json["revocation"]["status"], "notChecked");
    assert!(json["timeAccuracyMs"]["ahead"].is_u64());
    assert_eq!(json["statement"]["id"], expected["id"]);
    assert_eq!(json["leafIndex"], expected["leafIndex"]);
    assert_eq!(json["decision"]["power"], expected["power"]);
    assert_eq!(json["file"]["file"], "report.pdf");
    assert_eq!(json["time"]["utc"], "2023-11-14T22:13:21Z");
    assert_eq!(json["time"]["taipei"], "2023-11-15T06:13:21+08:00");
    let signers = json["decision"]["signers"].as_array().unwrap();
    let names = signers
        .iter()
        .map(|signer| &signer["organisation"]["nameEn"]);
    assert!(names.eq(expected["signers"].as_array().unwrap()));
}

/// SPEC §10.5 names every code and every key, and codes are the same in both languages.
#[test]
fn what_programs_read_is_in_the_specification() {
    let dir = attested();
    let spec = fs::read_to_string("../../SPEC.md").unwrap();
    let section = spec.split("### 10.5 ").nth(1).unwrap();
    let section = section.split("\n### ").next().unwrap();
    let quoted = section.split('`').skip(1).step_by(2);
    let words: BTreeSet<&str> = quoted.flat_map(|it| it.split('.')).collect();
    let named = |it: &str, of: &str| assert!(words.contains(it), "{it} of {of}");
    let said = |proof: &str, lang: &str| {
        let args = ["verify", proof, "--genesis", "genesis.json", "--json"];
        let ran = tbsi(dir.path(), &[&args[..], &["--lang", lang]].concat());
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let good = said("report.pdf.tbsi.json", "en");
    for key in keys(&good) {
        named(&key, "a proof that holds");
    }
    for key in keys(&good["decision"]["signers"][0]["organisation"]) {
        named(&key, "a signer");
    }
    let mut codes = BTreeMap::new();
    for file in ["verdicts.json", "map_verdicts.json"] {
        let text = fs::read_to_string(format!("../../tests/vectors/{file}")).unwrap();
        let vectors: Value = serde_json::from_str(&text).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            if let Some(code) = case["code"].as_str() {
                codes.entry(code.to_owned()).or_insert_with(|| case.clone());
            }
        }
    }
    assert!(codes.len() >= 9, "{:?}", codes.keys());
    for (code, case) in &codes {
        named(code, "the vectors");
        let text = case["text"].as_str().map(|text| text.as_bytes().to_vec());
        let proof = text.unwrap_or_else(|| bytes(&case["bytes"]));
        fs::write(dir.path().join("other"), proof).unwrap();
        let [en, zh_tw] = ["en", "zh-TW"].map(|lang| said("other", lang));
        for key in keys(&en) {
            named(&key, code);
        }
        let both = |of: &Value| [of["verdict"].clone(), of["code"].clone()];
        assert_eq!(both(&en), both(&zh_tw), "{}", case["name"]);
        assert_eq!(en["code"], code.as_str(), "{}", case["name"]);
        assert_ne!(en["reason"], zh_tw["reason"], "{}", case["name"]);
    }
}

/// Every case of the shared vectors whose trust is the genesis file.
#[test]
fn judges_every_vector() {
    let dir = attested();
    fs::remove_file(dir.path().join("report.pdf")).unwrap();
    let (mut valid, mut refused) = (0, 0);
    for case in vectors()["cases"].as_array().unwrap() {
        if !case["trustedCheckpoint"].is_null() {
            continue;
        }
        for form in ["json", "compact"] {
            let Some(proof) = case.get(form) else {
                continue;
            };
            let proof = match proof.as_str() {
                Some(_) => bytes(proof),
                None => proof.to_string().into_bytes(),
            };
            fs::write(dir.path().join("case"), proof).unwrap();
            let ran = tbsi(dir.path(), &["verify", "case", "--genesis", "genesis.json"]);
            let name = &case["name"];
            if case["verified"].is_null() {
                assert_ne!(ran.code, 0, "{name} {form}: {}", ran.stdout);
                refused += 1;
            } else {
                assert_eq!(ran.code, 0, "{name} {form}: {}", ran.stdout);
                let last = ran.stdout.lines().last().unwrap();
                assert!(last.starts_with("THE PROOF HOLDS"), "{}", ran.stdout);
                valid += 1;
            }
        }
    }
    assert!(valid >= 4 && refused >= 10, "{valid} valid, {refused} not");
}

#[test]
fn a_changed_file_proof_or_network_is_invalid() {
    let dir = attested();
    let dir = dir.path();
    verify(dir, &[], 0, "ok  file: report.pdf");
    fs::write(dir.join("copy"), b"file \0\0\0\0\0\0\0\x04").unwrap();
    verify(
        dir,
        &["--file", "copy"],
        1,
        "copy is not the file that was attested",
    );
    let proof = fs::read_to_string(dir.join("report.pdf.tbsi.json")).unwrap();
    for (from, to) in [
        ("\"leafIndex\":5", "\"leafIndex\":4"),
        ("\"logSize\":13", "\"logSize\":12"),
        ("Association A", "Association X"),
        ("\"round\":0", "\"round\":1"),
    ] {
        assert!(proof.contains(from), "{from}");
        fs::write(dir.join("changed"), proof.replacen(from, to, 1)).unwrap();
        let args = ["verify", "changed", "--genesis", "genesis.json"];
        check(dir, &args, 1, "INVALID: ");
    }
    let genesis = fs::read_to_string(dir.join("genesis.json")).unwrap();
    let other = genesis.replacen("vectors", "others", 1);
    fs::write(dir.join("other.json"), other).unwrap();
    let args = ["verify", "report.pdf.tbsi.json", "--genesis", "other.json"];
    check(dir, &args, 2, "verify it with that network's genesis file");
}

/// A good proof that begins later is not called wrong by whoever lacks what lies before.
#[test]
fn a_proof_that_begins_later_asks_for_what_lies_before() {
    let dir = attested();
    let dir = dir.path();
    let vectors = vectors();
    let mut cases = vectors["cases"].as_array().unwrap().iter();
    let short = cases.find(|case| case["name"] == "from a trusted checkpoint");
    fs::write(dir.join("short"), short.unwrap()["json"].to_string()).unwrap();
    let args = ["verify", "short", "--genesis", "genesis.json"];
    check(dir, &args, 2, "give --handovers");
    let ran = tbsi(dir, &[args.as_slice(), &["--json"]].concat());
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["code"], "gap", "{said}");
}

/// What is no proof, or not whole, says nothing against what it was to prove.
#[test]
fn what_is_no_proof_is_not_called_invalid() {
    let dir = attested();
    let dir = dir.path();
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    let (json, compact) = (read("report.pdf.tbsi.json"), read("report.pdf.tbsi"));
    let cases: [(&[u8], &str); 9] = [
        (b"", "case is empty (0 bytes)"),
        (&read("report.pdf"), "this is no proof"),
        (&read("genesis.json"), "this is a genesis file"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\n", "this is a tlog-proof"),
        (b"\x30\x82\x01\x00", "openssl ts -verify"),
        (b"\0OpenTimestamps\0", "this is an OpenTimestamps file"),
        (&json[..json.len() / 2], "ends in the middle"),
        (&compact[..compact.len() - 1], "proof bytes"),
        (&[b"\xff\xfe".as_slice(), &json].concat(), "is UTF-16 text"),
    ];
    for (bytes, words) in cases {
        fs::write(dir.join("case"), bytes).unwrap();
        let args = ["verify", "case", "--genesis", "genesis.json"];
        check(dir, &args, 2, words);
        check(dir, &args, 2, "COULD NOT TELL: ");
        let ran = tbsi(dir, &[args.as_slice(), &["--json"]].concat());
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(said["code"], "unreadable", "{said}");
    }
}

#[test]
fn what_is_missing_leaves_it_open() {
    let dir = attested();
    let dir = dir.path();
    let proof = "report.pdf.tbsi.json";
    check(dir, &["verify", proof], 2, "give --genesis");
    check(dir, &["verify", proof, "--json"], 2, "\"could not tell\"");
    check(
        dir,
        &["verify", proof, "--genesis", "none.json"],
        2,
        "none.json",
    );
    check(
        dir,
        &["verify", "none", "--genesis", "genesis.json"],
        2,
        "read proof none",
    );
    check(
        dir,
        &["verify", proof, "--checkpoint", proof],
        2,
        "not a file of `checkpoint get`",
    );
    verify(dir, &["--file", "none"], 2, "read none");
    verify(dir, &["--file", "."], 2, "is not a file");
    verify(dir, &["--salt", "none"], 2, "read salt file none");
    check(dir, &["verify"], 2, "Usage");
    let newer = fs::read_to_string(dir.join(proof)).unwrap();
    fs::write(
        dir.join("newer"),
        newer.replace("tbsi-proof-1", "tbsi-proof-2"),
    )
    .unwrap();
    fs::write(dir.join("newer.tbsi"), b"TBP2 and so on").unwrap();
    for newer in ["newer", "newer.tbsi"] {
        let args = ["verify", newer, "--genesis", "genesis.json"];
        check(dir, &args, 2, "use newer software");
    }
    // Without the file, the proof alone is verified.
    fs::remove_file(dir.join("report.pdf")).unwrap();
    verify(dir, &[], 0, "--  file: none was compared");
}

#[test]
fn attest_refuses_before_it_asks_anybody() {
    let dir = to_attest();
    let refuses = |args: &[&str], words: &str| {
        let all = [["attest", "--rpc", NOBODY].as_slice(), args].concat();
        check(dir.path(), &all, 2, words);
    };
    refuses(&["a", "empty", "--key", "key"], "empty: it is empty");
    refuses(&["a", "none", "--key", "key"], "read none");
    refuses(&["sub", "--key", "key"], "give it with --dir");
    refuses(&["--dir", "sub", "--key", "key"], "add --recursive");
    refuses(&["--dir", "none", "--key", "key"], "read directory none");
    refuses(&["a", "--recursive", "--key", "key"], "--dir");
    refuses(&["--key", "key"], "<FILE>");
    refuses(&["a", "--key", "none"], "openssl rand -hex 32 > none");
    refuses(&["a", "--key", "open-key"], "chmod 600 open-key");
    refuses(&["a", "--key", "bad-key"], "64 hex digits");
    refuses(&["a", "--key", "key", "--schema", "files"], "tbsi:file:v1");
    refuses(
        &["a", "--key", "key", "--algorithm", "md5"],
        "use one of sha2-256",
    );
    refuses(&["a", "--key", "key", "--genesis", "none"], "none");
    refuses(&["a", "--key", "key", "--out", "a"], "another directory");
    check(
        dir.path(),
        &["attest", "a", "--key", "key", "--rpc", "x:y"],
        2,
        "is not an address",
    );
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 6, "nothing was written");
}

#[test]
fn an_unreachable_node_is_a_failure() {
    let dir = to_attest();
    let dir = dir.path();
    let words = "is the node running?";
    let id = format!("0x{}", "ab".repeat(32));
    check(
        dir,
        &["attest", "a", "--key", "key", "--rpc", NOBODY],
        1,
        words,
    );
    check(dir, &["prove", &id, "--rpc", NOBODY], 1, words);
    let revoke = [
        "revoke", &id, "--reason", "1", "--key", "key", "--rpc", NOBODY,
    ];
    check(dir, &revoke, 1, words);
    check(dir, &["log", "status", "--rpc", NOBODY], 1, words);
    let network = attested();
    let genesis = ["--genesis", "genesis.json", "--rpc", NOBODY];
    for args in [
        ["log", "audit"].as_slice(),
        &["log", "consistency", "--from", "1"],
    ] {
        check(network.path(), &[args, &genesis].concat(), 2, words);
    }
}

#[test]
fn the_other_commands_refuse_what_cannot_be_meant() {
    let dir = to_attest();
    let dir = dir.path();
    let id = format!("0x{}", "ab".repeat(32));
    check(dir, &["prove"], 2, "required");
    check(
        dir,
        &["prove", &id, "--index", "1"],
        2,
        "cannot be used with",
    );
    check(
        dir,
        &["prove", "0x12"],
        2,
        "neither an id (32) nor a digest",
    );
    check(
        dir,
        &["prove", "--file", "none", "--rpc", NOBODY],
        2,
        "read none",
    );
    check(
        dir,
        &["prove", &id, "--out", "a", "--rpc", NOBODY],
        2,
        "a exists",
    );
    check(
        dir,
        &["prove", &id, "--salt", "a"],
        2,
        "--salt is for --file",
    );
    let revoke = |what, reason, key| {
        [
            "revoke", what, "--reason", reason, "--key", key, "--rpc", NOBODY,
        ]
    };
    check(
        dir,
        &revoke(id.as_str(), "9", "key"),
        2,
        "use 1 to 8, or one of",
    );
    check(dir, &revoke("none", "1", "key"), 2, "neither an id");
    check(dir, &revoke("a", "1", "key"), 2, "not valid JSON");
    check(
        dir,
        &revoke(id.as_str(), "1", "none"),
        2,
        "key file none is missing",
    );
    check(
        dir,
        &["log", "consistency", "--from", "0", "--genesis", "a"],
        2,
        "0 is not in 1..",
    );
    check(dir, &["log", "consistency", "--from", "1"], 2, "--genesis");
    check(
        dir,
        &["log", "audit", "--genesis", "none"],
        2,
        "COULD NOT TELL",
    );
}

/// A COSE receipt is one node's word: it holds for whoever knows the node's key.
#[test]
fn a_cose_receipt_needs_its_leaf_and_a_key() {
    let dir = attested();
    let dir = dir.path();
    let vectors = fs::read_to_string("../../tests/vectors/cose.json").unwrap();
    let vectors: Value = serde_json::from_str(&vectors).unwrap();
    let (good, key) = (&vectors["cases"][0], vectors["key"].as_str().unwrap());
    fs::write(dir.join("a.cose"), bytes(&good["receipt"])).unwrap();
    let verify = |more: &[&str], code: i32, words: &str| {
        let args = [["verify", "a.cose"].as_slice(), more].concat();
        check(dir, &args, code, words);
    };
    verify(&["--log-key", key], 2, "read leaf a.cose.leaf");
    fs::write(dir.join("a.cose.leaf"), bytes(&vectors["leaf"])).unwrap();
    verify(&[], 2, "nothing is trusted yet");
    verify(
        &["--genesis", "genesis.json"],
        2,
        "that of the genesis file is",
    );
    verify(&["--log-key", "x"], 2, "verifier key must be");
    verify(
        &["--log-key", key, "--rpc", "http://127.0.0.1:1"],
        2,
        "leave them out",
    );
    // The receipt holds; what it is of is no leaf of a chain.
    verify(&["--log-key", key], 1, "INVALID: ");
    fs::write(dir.join("a.cose.leaf"), b"other").unwrap();
    verify(&["--log-key", key], 1, "does not verify");
    let proof = [
        "verify",
        "report.pdf.tbsi.json",
        "--genesis",
        "genesis.json",
    ];
    let unused = [proof.as_slice(), &["--log-key", key]].concat();
    check(dir, &unused, 2, "are for COSE receipts");
}

/// `tests/vectors/registry.json`: whose account an issuer's was, and who answers for validators.
#[test]
fn names_of_issuers_are_proven_as_the_vectors_say() {
    let text = fs::read_to_string("../../tests/vectors/registry.json").unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("genesis.json"), vectors["genesis"].to_string()).unwrap();
    let mut verified = 0;
    for case in vectors["proofs"].as_array().unwrap() {
        let forms = [
            case.get("compact").map(bytes),
            case.get("json").map(|json| json.to_string().into_bytes()),
        ];
        for form in forms.into_iter().flatten() {
            fs::write(path("proof"), form).unwrap();
            let args = ["verify", "proof", "--genesis", "genesis.json", "--json"];
            let ran = tbsi(dir.path(), &args);
            let said: Value = serde_json::from_str(&ran.stdout).unwrap();
            let name = &case["name"];
            if let Some(expected) = case["verified"].as_object() {
                verified += 1;
                assert!(said["code"].is_null(), "{name}: {said}");
                issuer_and_signers(&said, expected, name);
            } else {
                let refused = &case["refused"];
                let got = [&said["verdict"], &said["code"]];
                assert_eq!(
                    got,
                    [&refused["verdict"], &refused["code"]],
                    "{name}: {said}"
                );
            }
        }
    }
    assert_eq!(verified, 18);
    let stapled = vectors["proofs"].as_array().unwrap();
    let stapled = stapled.iter().find(|it| it["name"] == "with its status");
    fs::write(path("proof"), bytes(&stapled.unwrap()["compact"])).unwrap();
    for (lang, words) in [
        ("en", "organisation 3, its account since block 0"),
        ("en", "known up to block 9"),
        ("zh-TW", "機構 3，自區塊 0 起為其帳戶"),
    ] {
        let args = [
            "verify",
            "proof",
            "--genesis",
            "genesis.json",
            "--lang",
            lang,
        ];
        // The proof is of one that was revoked.
        check(dir.path(), &args, 1, words);
    }
}

/// What the vectors say of the issuer and of validators is said, and nothing more.
fn issuer_and_signers(said: &Value, expected: &Map<String, Value>, name: &Value) {
    let organisation = &said["organisation"];
    match expected["issuer"].as_object() {
        None => assert!(organisation.is_null(), "{name}"),
        Some(issuer) => {
            assert_eq!(organisation["source"], "registry", "{name}");
            for (field, value) in issuer {
                assert_eq!(&organisation[field], value, "{name}: {field}");
            }
        }
    }
    let operators = expected["operators"].as_array().unwrap();
    let operator = |validator| operators.iter().find(|it| &it["validator"] == validator);
    for signer in said["decision"]["signers"].as_array().unwrap() {
        let told = &signer["organisation"];
        let Some(proven) = operator(&signer["validator"]) else {
            assert_ne!(told["source"], "registry", "{name}");
            continue;
        };
        assert_eq!(told["source"], "registry", "{name}");
        for (field, value) in proven.as_object().unwrap() {
            if field != "validator" {
                assert_eq!(&told[field], value, "{name}: {field}");
            }
        }
    }
}
