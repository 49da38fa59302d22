//! The founding ceremony: five associations, each in a directory of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{fails, json as json_of, ok, private, tbsi, words};

const TAX_IDS: [&str; 5] = ["04595257", "22099131", "10458570", "10000009", "20000008"];

fn organisation(index: usize) -> Value {
    json!({
        "name_zh_tw": format!("台灣第{index}公會"),
        "name_en": format!("Association {index}"),
        "kind": "association",
        "votes": true,
        "tax_id": TAX_IDS[index],
        "jurisdiction": "TW",
        "agreement_hash": format!("0x{}", "ab".repeat(32)),
        "contact_url": "https://example.org",
    })
}

/// A directory per founder, each with the draft that the first one made.
fn begin(root: &Path) -> Vec<PathBuf> {
    let dirs: Vec<PathBuf> = (0..5).map(|index| root.join(index.to_string())).collect();
    for (index, dir) in dirs.iter().enumerate() {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("org.json"), organisation(index).to_string()).unwrap();
        private(dir, "password", "correct horse");
    }
    let new = "genesis new --name founding --chain-id 7 --time 2026-12-01T00:00:00Z --out draft";
    ok(&dirs[0], &words(new));
    for dir in &dirs[1..] {
        fs::copy(dirs[0].join("draft"), dir.join("draft")).unwrap();
    }
    dirs
}

fn founder(index: usize) -> String {
    format!(
        "genesis founder --draft draft --home home --id a{index} --organisation-file org.json \
         --node node-{index} --endpoint /dns4/n{index}.example.org/tcp/27000 --out a{index}.json"
    )
}

/// Everybody makes a file, gets everybody's, and builds.
fn found(dirs: &[PathBuf]) {
    for (index, dir) in dirs.iter().enumerate() {
        // One of them encrypts its keys.
        let password = if index == 2 {
            " --password-file password"
        } else {
            ""
        };
        ok(dir, &words(&format!("{}{password}", founder(index))));
    }
    for (index, dir) in dirs.iter().enumerate() {
        let mut add = words("genesis add-founder --draft draft");
        let names: Vec<String> = (0..5)
            .map(|step| {
                let other = (index * 2 + step) % 5;
                let name = format!("a{other}.json");
                if other != index {
                    fs::copy(dirs[other].join(&name), dir.join(&name)).unwrap();
                }
                name
            })
            .collect();
        add.extend(names.iter().map(String::as_str));
        ok(dir, &add);
        ok(
            dir,
            &words("genesis build --draft draft --out genesis.json"),
        );
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one founding, step by step")]
fn five_associations_found_one_network() {
    let root = tempfile::tempdir().unwrap();
    let dirs = begin(root.path());
    found(&dirs);
    let read = |dir: &Path, name: &str| fs::read(dir.join(name)).unwrap();
    for dir in &dirs[1..] {
        for name in ["draft", "genesis.json"] {
            assert_eq!(read(dir, name), read(&dirs[0], name), "{dir:?}");
        }
    }
    // No secret is in what was exchanged.
    for (index, dir) in dirs.iter().enumerate() {
        let shared = fs::read_to_string(dir.join("draft")).unwrap();
        let shared = shared + &fs::read_to_string(dir.join("genesis.json")).unwrap();
        for file in fs::read_dir(dir.join("home/keys")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!shared.contains(text.trim()));
            assert_eq!(text.contains("ciphertext"), index == 2);
        }
    }

    let check = "genesis check --genesis genesis.json --draft draft --signatures s.json";
    let sign = "genesis sign --genesis genesis.json --draft draft --home home --signatures s.json";
    let built = "genesis check --genesis genesis.json --json";
    let hash = json_of(&dirs[0], &words(built))["genesisHash"].clone();
    let hash = hash.as_str().unwrap();
    only_what_was_compared_is_signed(&dirs[0], sign, hash);
    // As it is read out: without `0x`, in capitals.
    let sign = format!("{sign} --compared {}", hash[2..].to_uppercase());
    for (index, dir) in dirs.iter().enumerate() {
        if index > 0 {
            fs::copy(dirs[index - 1].join("s.json"), dir.join("s.json")).unwrap();
            fails(dir, &words(check), &format!("have not signed: a{index}"));
        }
        if index == 2 {
            fails(dir, &words(&sign), "account.key is encrypted");
        }
        let password = if index == 2 {
            " --password-file password"
        } else {
            ""
        };
        let signed = json_of(dir, &words(&format!("{sign}{password} --json")));
        assert_eq!(signed["organisation"], format!("a{index}"));
    }
    // Again, in Chinese: who has signed has signed.
    let again = ok(&dirs[4], &words(&format!("{sign} --lang zh-TW")));
    for expected in [
        "已為 `a4` 簽署：創世檔雜湊",
        "s.json 中已有 5 個機構簽署，共 5 個",
    ] {
        assert!(again.contains(expected), "{expected}: {again}");
    }
    let last = &dirs[4];
    let checked = json_of(last, &words(&format!("{check} --json")));
    assert_eq!(checked["signed"], 5);
    let hash = checked["genesisHash"].as_str().unwrap();
    let aloud = format!("{} {}", &hash[2..6], &hash[6..10]);
    for (lang, sentence) in [
        ("en", "OK  signed by all 5 founders"),
        ("zh-TW", "通過  5 個創立機構全數簽署"),
    ] {
        let text = ok(last, &words(&format!("{check} --lang {lang}")));
        for expected in [sentence, hash, &aloud, "台灣第0公會", "22099131"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    // It governs itself, by the usual rules.
    let founded: Value = serde_json::from_slice(&read(last, "genesis.json")).unwrap();
    let rules = &founded["governance"];
    assert_eq!(rules["public_permissions"], json!([]));
    let lengths = ["period", "voting_period", "delay", "window"];
    let lengths = lengths.map(|name| rules[format!("{name}_seconds")].as_u64().unwrap());
    assert_eq!(lengths, [3_600, 604_800, 86_400, 604_800]);
    let contracts = founded["accounts"].as_object().unwrap().len();
    assert_eq!(
        contracts, 13,
        "attestations, outbox, facts, seven of governance, authorisations, two of others"
    );
    // A node takes the file.
    let init = "node init --home home --genesis genesis.json --name node-0 --validator";
    let said = ok(&dirs[0], &words(init));
    let listens =
        "It listens for others on 0.0.0.0:27000 and 0.0.0.0:27001. It finds 4 other nodes";
    assert!(said.contains(listens), "{said}");
    let said = ok(&dirs[0], &words("config check --home home"));
    let peers = "peers: 0 in the configuration, 4 other nodes of the genesis file found";
    assert!(said.contains(peers) && !said.contains("warning"), "{said}");
    let chinese = ok(&dirs[0], &words("config check --home home --lang zh-TW"));
    assert!(
        chinese.contains("正確：網路 `founding`（鏈識別碼 7）的驗證者 `node-0`"),
        "{chinese}"
    );
    others_are_not_found_or_do_not_reach_it(&dirs[0]);
}

/// A configuration that cuts the node off is valid, and told of.
fn others_are_not_found_or_do_not_reach_it(dir: &Path) {
    let file = dir.join("home/config.toml");
    let good = fs::read_to_string(&file).unwrap();
    let warns = |from: &str, to: &str, expected: &str| {
        assert!(good.contains(from), "{good}");
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let said = ok(dir, &words("config check --home home"));
        assert!(said.contains(expected), "{said}");
    };
    warns(
        "registry_addresses = true",
        "registry_addresses = false",
        "warning: `registry_addresses = false`, and no `[[p2p.peers]]` of node-1, node-2, node-3, \
         node-4: this node connects to them only if they connect to it",
    );
    warns(
        "consensus = \"0.0.0.0:27000\"",
        "consensus = \"127.0.0.1:27000\"",
        "warning: `p2p.consensus`: 127.0.0.1:27000 is reached from this machine only, and others \
         look for this node at /dns4/n0.example.org/tcp/27000: listen on \"0.0.0.0:27000\"",
    );
    warns(
        "gossip = \"0.0.0.0:27001\"",
        "gossip = \"0.0.0.0:27002\"",
        "warning: `p2p.gossip`: 0.0.0.0:27002 has another port than 27001",
    );
    fs::write(&file, good).unwrap();
}

/// First the hash is shown for reading out; who types another one signs nothing.
fn only_what_was_compared_is_signed(dir: &Path, sign: &str, hash: &str) {
    let groups: Vec<String> = (2..66)
        .step_by(4)
        .map(|at| hash[at..at + 4].into())
        .collect();
    let aloud = groups.join(" ");
    let refuses = |more: &[&str], expected: &str| {
        let ran = tbsi(dir, &[words(sign).as_slice(), more].concat());
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert!(ran.stderr.contains(&aloud), "{}", ran.stderr);
        assert!(!dir.join("s.json").exists());
    };
    refuses(&[], "nothing was signed. Compare this genesis hash");
    let other = hash.replace(&groups[0], "0000");
    refuses(&["--compared", &other], "is not the hash");
    refuses(
        &["--compared", &groups[..7].join(" ")],
        "fewer than its first 32",
    );
    let compared = groups[..8].join(" ");
    let signed = [words(sign).as_slice(), &["--compared", &compared]].concat();
    ok(dir, &signed);
    fs::remove_file(dir.join("s.json")).unwrap();
}

#[test]
fn what_was_changed_on_the_way_is_found() {
    let root = tempfile::tempdir().unwrap();
    let dirs = begin(root.path());
    let dir = &dirs[0];
    let wrong = |change: &dyn Fn(&mut Value), message: &str| {
        let mut organisation = organisation(0);
        change(&mut organisation);
        fs::write(dir.join("org.json"), organisation.to_string()).unwrap();
        fails(dir, &words(&founder(0)), message);
        assert!(!dir.join("a0.json").exists());
    };
    wrong(&|it| it["tax_id"] = "04595258".into(), "統一編號");
    wrong(
        &|it| it["lei"] = "5493001KJTIIGC8Y1R13".into(),
        "check digits",
    );
    wrong(&|it| it["colour"] = "red".into(), "unknown field `colour`");
    wrong(
        &|it| it["agreement_hash"] = "0x1111".into(),
        "field `agreement_hash`: invalid string length",
    );
    let account = |it: &mut Value| {
        it["accounts"] = json!({ "0x0000000000000000000000000000000000000001": ["vote"] });
    };
    wrong(&account, "`accounts` must be left out");
    fs::write(dir.join("org.json"), organisation(0).to_string()).unwrap();
    found(&dirs);

    let text = fs::read_to_string(dir.join("a1.json")).unwrap();
    let changed = text.replace("Association 1", "Association I");
    fs::write(dir.join("changed.json"), changed).unwrap();
    let fresh = "genesis new --name founding --chain-id 7 --time 2026-12-01T00:00:00Z --out fresh";
    ok(dir, &words(fresh));
    let add = "genesis add-founder --draft fresh";
    fails(
        dir,
        &words(&format!("{add} changed.json")),
        "was the file changed?",
    );
    let other = "genesis new --name founding --chain-id 8 --time 2026-12-01T00:00:00Z --out other";
    ok(dir, &words(other));
    let elsewhere = "genesis add-founder --draft other a1.json";
    fails(dir, &words(elsewhere), "other parameters");

    // Four of five: another genesis, which the founder of the fifth does not sign.
    ok(
        dir,
        &words(&format!("{add} a0.json a1.json a2.json a3.json")),
    );
    ok(dir, &words("genesis build --draft fresh --out four.json"));
    let four = json_of(dir, &words("genesis check --genesis four.json --json"));
    let compared = format!("--compared {}", four["genesisHash"].as_str().unwrap());
    let sign = "genesis sign --genesis four.json --home home";
    fails(
        dir,
        &words(&format!("{sign} --draft draft")),
        "not what the draft founds",
    );
    let sign = "genesis sign --genesis ../0/four.json --draft ../0/fresh --home home";
    let sign = &format!("{sign} {compared}");
    fails(
        &dirs[4],
        &words(sign),
        "may not administer any organisation",
    );
    ok(&dirs[1], &words(sign));
    let signed = "genesis check --genesis genesis.json --signatures genesis.signatures.json";
    fails(&dirs[1], &words(signed), "they are for genesis hash");

    ok(
        dir,
        &words("genesis new --name f --chain-id 7 --time 2026-12-01T00:00:00Z --out none"),
    );
    let build = "genesis build --draft none --out none.json";
    fails(dir, &words(build), "0 founder files");
}

#[test]
fn founders_agree_on_the_rules_too() {
    let root = tempfile::tempdir().unwrap();
    let dirs = begin(root.path());
    let dir = &dirs[0];
    found(&dirs);
    let new = "genesis new --name founding --chain-id 7 --time 2026-12-01T00:00:00Z";
    let rules =
        "public_permissions = [\"attest\"]\ndelay_seconds = 60\n[public_quota]\nleaves = 9\n";
    fs::write(dir.join("rules.toml"), rules).unwrap();
    let with = "--governance rules.toml --out ruled";
    ok(dir, &words(&format!("{new} {with}")));
    let ruled: Value = serde_json::from_slice(&fs::read(dir.join("ruled")).unwrap()).unwrap();
    let ruled = &ruled["parameters"]["governance"];
    assert_eq!(ruled["public_permissions"], json!(["attest"]));
    assert_eq!(ruled["public_quota"], json!({ "leaves": 9 }));
    let lengths = (&ruled["delay_seconds"], &ruled["window_seconds"]);
    assert_eq!(lengths, (&json!(60), &json!(604_800)));
    let elsewhere = "genesis add-founder --draft ruled a1.json";
    fails(dir, &words(elsewhere), "other parameters");
    fs::write(dir.join("rules.toml"), "delay = 60").unwrap();
    let with = "--governance rules.toml --out none";
    let wrong = "unknown field `delay`";
    fails(dir, &words(&format!("{new} {with}")), wrong);
}
