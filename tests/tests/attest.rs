//! Files attested on a network of real processes, and their proofs verified offline, all with
//! the commands that people type.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tbsi_tests::desk::{Desk, proof_of};
use tbsi_tests::harness::{self, Ended, TestNetwork, json_of, tbsi};
use tbsi_tests::issuer::{Issuer, acknowledge, revokeCall};
use tbsi_types::log::EntryBundle;
use tbsi_types::{Address, ProofBundle};

#[track_caller]
fn said(ended: &Ended, code: i32, words: &str) {
    harness::said(ended, code, &[words]);
}

/// A proof with another log root.
fn damaged(proof: &str) -> Vec<u8> {
    let text = fs::read_to_string(proof).expect("a proof");
    let key = "\"logRoot\": \"0x";
    let at = text.find(key).expect("a root") + key.len();
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_attested_verified_and_revoked() {
    let mut desk = Desk::open(4).await;
    let a = desk.write("a.pdf", b"one report");
    let b = desk.write("b.bin", vec![7; 3_000_000]);
    let twin = desk.write("twin.pdf", b"one report");

    let first = json_of(&desk.attest(0, &[&a, &b, &twin]).await);
    let files = first["files"].as_array().expect("files");
    assert_eq!(files.len(), 3);
    assert_eq!(
        files[0]["id"], files[2]["id"],
        "the same content is stated once"
    );
    assert_eq!(files[0]["leafIndex"], 0);
    assert_eq!(files[1]["leafIndex"], 1);
    assert_eq!(first["transactions"].as_array().map(Vec::len), Some(1));
    for file in [&a, &b, &twin] {
        let ended = desk.verify(&proof_of(file), &[]).await;
        said(&ended, 0, "THE PROOF HOLDS; revocation not checked\n");
        said(&ended, 0, "台灣測試公會");
    }

    // The same again, to another node: the same answer, and no transaction.
    desk.wait(3, &files[0]["height"]).await;
    let before = fs::read(proof_of(&a)).expect("a proof");
    let again = json_of(&desk.attest(3, &[&a, &b, &twin]).await);
    assert_eq!(again["transactions"].as_array().map(Vec::len), Some(0));
    assert_eq!(again["files"][1]["leafIndex"], files[1]["leafIndex"]);
    let after = fs::read(proof_of(&a)).expect("a proof");
    assert!(before == after, "a good proof stays as it is");
    // One that is damaged is fetched again, from a node whose quorum may be another.
    let broken = desk.write("b.bin.tbsi.json", damaged(&proof_of(&b)));
    said(&desk.verify(&broken, &[]).await, 1, "INVALID");
    json_of(&desk.attest(3, &[&b]).await);
    said(&desk.verify(&broken, &[]).await, 0, "THE PROOF HOLDS");
    said(
        &desk.attest(0, &[&a, "--again"]).await,
        2,
        "--again would replace it",
    );
    let out = desk.path("later").display().to_string();
    let later = json_of(&desk.attest(0, &[&a, "--again", "--out", &out]).await);
    assert_eq!(later["files"][0]["leafIndex"], 2);

    refused_if_changed(&desk, &a).await;
    trusted_by_checkpoint(&desk, &a).await;
    revoked_once(&mut desk, &a, &b).await;
    audited(&desk).await;
    desk.net.assert_no_panic();
}

async fn refused_if_changed(desk: &Desk, file: &str) {
    let proof = proof_of(file);
    let copy = desk.write("copy.pdf", b"one repors");
    said(
        &desk.verify(&proof, &["--file", &copy]).await,
        1,
        "not the file",
    );
    let text = fs::read_to_string(&proof).expect("a proof");
    let changed = desk.write("changed.json", damaged(&proof));
    said(
        &desk.verify(&changed, &["--file", file]).await,
        1,
        "INVALID",
    );

    let other = TestNetwork::create(4, 0);
    let genesis = other.network.genesis_file().display().to_string();
    let args = ["verify", &proof, "--genesis", &genesis];
    said(&tbsi(&args).await, 2, "that network's genesis file");
    let node = &desk.net.network;
    let args = ["attest", file, "--key", &desk.key, "--genesis", &genesis];
    let ended = tbsi(&[args.as_slice(), &["--rpc", &node.rpc_url(0)]].concat()).await;
    said(&ended, 2, "is a node of another network");

    // A file that changed keeps the proof of what it was, and stops no other.
    let kept = desk.write("kept.pdf", b"as it was");
    fs::copy(&proof, proof_of(&kept)).expect("copy a proof");
    said(
        &desk.attest(0, &[&kept]).await,
        2,
        "not the proof of this file",
    );
    let ended = desk.attest(0, &[&kept, file]).await;
    said(&ended, 1, "left out: ");
    let done: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(done["files"].as_array().map(Vec::len), Some(1));
    assert_eq!(done["leftOut"][0]["file"], kept.as_str());
    let after = fs::read_to_string(proof_of(&kept)).expect("a proof");
    assert!(after == text, "it is still there");
}

/// Without the genesis file, a checkpoint that is trusted will do.
async fn trusted_by_checkpoint(desk: &Desk, file: &str) {
    let proof = proof_of(file);
    let get = async |desk: &Desk, name: &str, height: &str| {
        let out = desk.path(name).display().to_string();
        let args = ["checkpoint", "get", "--height", height, "--out", &out];
        said(&desk.ask(0, &args).await, 0, "");
        out
    };
    let first = get(desk, "first.json", "1").await;
    let ended = tbsi(&["verify", &proof, "--checkpoint", &first]).await;
    said(&ended, 0, "that of your checkpoint of height 1");
    let latest = get(desk, "latest.json", "latest").await;
    let ended = tbsi(&["verify", &proof, "--checkpoint", &latest]).await;
    said(&ended, 2, "before the trusted height");
    let other = Desk::open(1).await;
    let foreign = get(&other, "foreign.json", "1").await;
    let ended = tbsi(&["verify", &proof, "--checkpoint", &foreign]).await;
    said(&ended, 2, "is of another");
    let both = [
        "verify",
        &proof,
        "--checkpoint",
        &first,
        "--genesis",
        &desk.genesis,
    ];
    said(&tbsi(&both).await, 2, "cannot be used with");
}

async fn revoked_once(desk: &mut Desk, a: &str, b: &str) {
    let key = desk.key.clone();
    let other = desk.net.network.development_key_file(2);
    let other = other.display().to_string();
    let revoke = |what, reason, key| ["revoke", what, "--reason", reason, "--key", key, "--json"];
    let proof = proof_of(a);
    let ended = desk.ask(0, &revoke(&proof, "1", &other)).await;
    said(&ended, 2, "only the issuer's own");
    let done = json_of(&desk.ask(0, &revoke(&proof, "issued-in-error", &key)).await);
    assert_eq!(
        (&done["reason"], &done["before"]),
        (&2.into(), &false.into())
    );
    desk.wait(2, &done["height"]).await;
    let twice = json_of(&desk.ask(2, &revoke(&proof, "3", &key)).await);
    assert_eq!(
        (&twice["reason"], &twice["before"]),
        (&2.into(), &true.into())
    );
    assert_eq!(twice["leafIndex"], done["leafIndex"]);
    said(&desk.attest(0, &[a, b]).await, 2, "was revoked by this key");
    let unknown = format!("0x{}", "ab".repeat(32));
    let ended = desk.ask(0, &revoke(&unknown, "1", &key)).await;
    said(&ended, 2, "knows no attestation");

    // The revocation is a leaf as well, with a proof of its own.
    let (out, index) = (desk.path("revocation.tbsi"), done["leafIndex"].to_string());
    let out = out.display().to_string();
    let prove = ["prove", "--index", &index, "--compact", "--out", &out];
    said(&desk.ask(0, &prove).await, 0, "");
    let alone = desk.verify(&out, &[]).await;
    said(&alone, 0, "statement: revocation");
    said(&alone, 0, "THE PROOF HOLDS; its effect was not checked");
    said(
        &desk.verify(&out, &["--file", a]).await,
        2,
        "not of an attestation",
    );
}

/// What a judge reads: a proof holds for ever, and what it proves may have been revoked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_an_attestation_is_told() {
    let desk = Desk::open(1).await;
    let (key, url) = (desk.key.clone(), desk.net.network.rpc_url(0));
    let other = desk.net.network.development_key_file(2);
    let other = other.display().to_string();
    let names = ["deed.pdf", "deed-2.pdf", "plan.pdf"];
    let [deed, next, plan] = names.map(|name| desk.write(name, name));
    json_of(&desk.attest(0, &[&deed, &next]).await);
    json_of(&desk.attest(0, &[&plan, "--alone"]).await);
    let [deed, next, plan] = [deed, next, plan].map(|file| proof_of(&file));
    let asked = ["--rpc", url.as_str()];
    let ended = desk.verify(&deed, &asked).await;
    said(&ended, 0, "THE PROOF HOLDS; not revoked as of block ");
    said(&ended, 0, "a node's word and no proof");

    // A stranger's revocation is in the log, proven, and worth nothing.
    let id = text(&json_of(&desk.ask(0, &["status", &deed, "--json"]).await)["id"]);
    let stranger = stranger_revokes(&desk, &id).await;
    said(&desk.verify(&deed, &asked).await, 0, "not revoked");
    let ended = desk.verify(&stranger, &asked).await;
    said(&ended, 1, "THE PROOF HOLDS, BUT COUNTS FOR NOTHING");

    // Superseded is not revoked.
    let supersede = ["supersede", &deed, "--by", &next, "--key"];
    let ended = desk
        .ask(0, &[&supersede, [other.as_str()].as_slice()].concat())
        .await;
    said(&ended, 2, "give the issuer's key");
    let done = json_of(
        &desk
            .ask(
                0,
                &[&supersede, [key.as_str(), "--json"].as_slice()].concat(),
            )
            .await,
    );
    assert!(done["leafIndex"].is_u64(), "{done}");
    said(&desk.verify(&deed, &asked).await, 0, "not revoked");
    let ended = desk
        .ask(0, &["status", &deed, "--genesis", &desk.genesis])
        .await;
    said(&ended, 0, "superseded by");

    countersigned(&desk, &plan, &key, &other).await;
    others_who_attested_are_named(&desk, &other).await;

    let revoke = [
        "revoke",
        &deed,
        "--reason",
        "key-compromised",
        "--key",
        &key,
    ];
    said(&desk.ask(0, &revoke).await, 0, "is revoked");
    let ended = desk.verify(&deed, &asked).await;
    said(&ended, 1, "THE PROOF HOLDS, BUT REVOKED at ");
    said(&ended, 1, "key-compromised");
    said(&ended, 1, "proven like the attestation");
    let ended = desk
        .verify(&deed, &[&asked, ["--lang", "zh-TW"].as_slice()].concat())
        .await;
    said(&ended, 1, "證明驗證通過，但存證已於");
    let ended = desk
        .ask(0, &["status", &deed, "--genesis", &desk.genesis, "--json"])
        .await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(
        (&told["status"], &told["proven"]),
        (&"revoked".into(), &true.into())
    );
    // Without a node the proof holds, and says what was not looked at.
    said(&desk.verify(&deed, &[]).await, 0, "revocation not checked");
    registered(&desk, &key).await;
    desk.net.assert_no_panic();
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The proof of a revocation that counts for nothing; the command would refuse to send it.
async fn stranger_revokes(desk: &Desk, id: &str) -> String {
    let mut stranger = Issuer::new("stranger", &desk.net);
    let id = id.parse().expect("an id");
    let client = desk.net.client(0);
    let made = acknowledge(&client, &stranger.sign(&revokeCall { id, reason: 4 }))
        .await
        .expect("a revocation");
    let (out, index) = (
        desk.path("stranger.tbsi.json"),
        made.leaves.first.to_string(),
    );
    let out = out.display().to_string();
    said(
        &desk
            .ask(0, &["prove", "--index", &index, "--out", &out])
            .await,
        0,
        "",
    );
    out
}

async fn countersigned(desk: &Desk, plan: &str, key: &str, other: &str) {
    let file = desk.write("of-the-party", "another");
    let attest = ["attest", &file, "--key", other, "--json"];
    let party = text(&json_of(&desk.ask(0, &attest).await)["issuer"]);
    let open = ["countersign", "open", plan, "--party", &party, "--key", key];
    said(
        &desk.ask(0, &open).await,
        0,
        "1 of 1 parties are asked to sign",
    );
    said(&desk.ask(0, &open).await, 2, "that is done once");
    let sign = ["countersign", "sign", plan, "--key"];
    let ended = desk.ask(0, &[&sign, [key].as_slice()].concat()).await;
    said(&ended, 2, "was not asked to sign");
    said(
        &desk.ask(0, &[&sign, [other].as_slice()].concat()).await,
        0,
        "is countersigned",
    );
    said(
        &desk.ask(0, &["status", plan]).await,
        0,
        "countersigned  1/1",
    );
}

/// Whoever was first hides nobody.
async fn others_who_attested_are_named(desk: &Desk, other: &str) {
    let file = desk.write("shared.pdf", "attested by two");
    let first = text(&json_of(&desk.attest(0, &[&file]).await)["issuer"]);
    let out = desk.named("of-another");
    let attest = ["attest", &file, "--key", other, "--out", &out, "--json"];
    let second = text(&json_of(&desk.ask(0, &attest).await)["issuer"]);
    assert_ne!(first, second);
    let prove = ["prove", "--file", &file];
    let ended = desk.ask(0, &prove).await;
    let shown: Address = second.parse().expect("an address");
    said(&ended, 0, &format!("also attested by {shown}"));
    let proof: Value = serde_json::from_str(&ended.stdout).expect("a proof");
    assert_eq!(proof["statement"]["issuer"], first.as_str());
    let chosen = [&prove[..], &["--issuer", &second]].concat();
    let proof: Value = serde_json::from_str(&desk.ask(0, &chosen).await.stdout).expect("a proof");
    assert_eq!(proof["statement"]["issuer"], second.as_str());
    let nobody = format!("0x{}", "0b".repeat(20));
    let chosen = [&prove[..], &["--issuer", &nobody]].concat();
    said(
        &desk.ask(0, &chosen).await,
        1,
        "knows no such attestation by",
    );
}

async fn registered(desk: &Desk, key: &str) {
    let words = desk.write("schema.txt", "An invoice, as canonical JSON.");
    let register = [
        "schema",
        "register",
        &words,
        "--commits-to",
        "file",
        "--irrevocable",
        "--key",
        key,
    ];
    let done = json_of(
        &desk
            .ask(0, &[&register, ["--json"].as_slice()].concat())
            .await,
    );
    let schema = text(&done["schema"]);
    said(&desk.ask(0, &register).await, 2, "this very schema already");
    said(
        &desk.ask(0, &["schema", "show", &schema]).await,
        0,
        "can never be revoked",
    );
    let file = desk.write("invoice", "of an irrevocable schema");
    json_of(&desk.attest(0, &[&file, "--schema", &schema]).await);
    let proof = proof_of(&file);
    let revoke = ["revoke", &proof, "--reason", "1", "--key", key];
    said(&desk.ask(0, &revoke).await, 2, "cannot be revoked");
}

async fn audited(desk: &Desk) {
    let state = desk.path("audit.json").display().to_string();
    let audit = [
        "log",
        "audit",
        "--genesis",
        &desk.genesis,
        "--state",
        &state,
    ];
    said(&desk.ask(1, &audit).await, 0, "revocation             1");
    said(
        &desk.ask(1, &audit).await,
        0,
        "4 leaves, 0 of them audited now",
    );
    let scratch = [audit.as_slice(), &["--from-scratch"]].concat();
    said(
        &desk.ask(1, &scratch).await,
        0,
        "4 leaves, 4 of them audited now",
    );
    // What was audited before is not what the log begins with.
    let text = fs::read_to_string(&state).expect("a state file");
    let end = text.rfind("\"\n}").expect("the end of the frontier");
    let last = if text.as_bytes()[end - 1] == b'0' {
        "1"
    } else {
        "0"
    };
    fs::write(&state, format!("{}{last}\"\n}}", &text[..end - 1])).expect("write");
    said(&desk.ask(1, &audit).await, 1, "the validators signed");

    // The leaves may come from anywhere, but only the right ones do.
    let copy = format!("{}/log/", desk.net.network.rpc_url(3));
    let elsewhere = [scratch.as_slice(), &["--log", &copy]].concat();
    said(&desk.ask(1, &elsewhere).await, 0, "4 of them audited now");
    let other = Desk::open(1).await;
    let copy = format!("{}/log", other.net.network.rpc_url(0));
    let foreign = [scratch.as_slice(), &["--log", &copy]].concat();
    said(&desk.ask(1, &foreign).await, 2, "status 404");
    let four = ["1", "2", "3", "4"].map(|name| other.write(name, name));
    let four: Vec<&str> = four.iter().map(String::as_str).collect();
    json_of(&other.attest(0, &four).await);
    said(&desk.ask(1, &foreign).await, 1, "WRONG: ");

    let consistency = ["log", "consistency", "--genesis", &desk.genesis];
    for from in ["1", "2"] {
        let args = [consistency.as_slice(), &["--from", from]].concat();
        said(&desk.ask(1, &args).await, 0, "CONSISTENT");
    }
    let beyond = [consistency.as_slice(), &["--from", "1000000"]].concat();
    said(
        &desk.ask(1, &beyond).await,
        2,
        "has not decided height 1000000",
    );
    let status = json_of(&desk.ask(1, &["log", "status", "--json"]).await);
    assert_eq!(status["logSize"], 4);
    audited_at_a_height_and_from_files(desk, &scratch).await;
}

/// As the log was once; and from a copy of its tiles and a checkpoint alone, with no node.
async fn audited_at_a_height_and_from_files(desk: &Desk, from_scratch: &[&str]) {
    let first = json_of(&desk.ask(1, &["prove", "--index", "0"]).await);
    let height = first["statement"]["height"].to_string();
    let then = [from_scratch, &["--height", &height]].concat();
    said(
        &desk.ask(1, &then).await,
        0,
        "2 leaves, 2 of them audited now",
    );
    let last = json_of(&desk.ask(1, &["prove", "--index", "3"]).await);
    let height = last["statement"]["height"].to_string();
    let checkpoint = desk.named("audited.json");
    let get = [
        "checkpoint",
        "get",
        "--height",
        &height,
        "--out",
        &checkpoint,
    ];
    said(&desk.ask(1, &get).await, 0, "");
    let path = EntryBundle { index: 0, width: 4 };
    let address = desk.net.network.nodes()[1].rpc;
    let url = format!("/log/{}", path.path());
    let served = harness::http(address, "GET", &url, &[], b"").await;
    assert_eq!(served.status, 200);
    let copy = desk.path("copy-of-the-log");
    let file = copy.join(path.path());
    fs::create_dir_all(file.parent().expect("a directory")).expect("directories");
    fs::write(&file, &served.body).expect("a copy");
    let copy = copy.display().to_string();
    let alone = ["log", "audit", "--genesis", &desk.genesis];
    let alone = [&alone[..], &["--checkpoint", &checkpoint, "--log", &copy]].concat();
    said(&tbsi(&alone).await, 0, "4 leaves, 4 of them audited now");
    let mut changed = served.body;
    *changed.last_mut().expect("leaves") ^= 1;
    fs::write(&file, changed).expect("a copy");
    said(&tbsi(&alone).await, 1, "WRONG: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salted_files_and_directories_are_attested() {
    let desk = Desk::open(1).await;
    let dir = desk.path("documents");
    fs::create_dir_all(dir.join("sub")).expect("directories");
    fs::write(dir.join("a"), "same").expect("a file");
    fs::write(dir.join("sub/b"), "same").expect("a file");
    let shown = dir.display().to_string();
    let args = [
        "--dir",
        &shown,
        "--recursive",
        "--salt",
        "--algorithm",
        "sm3-256",
    ];
    let done = json_of(&desk.attest(0, &args).await);
    assert_ne!(
        done["files"][0]["digest"], done["files"][1]["digest"],
        "salts differ"
    );
    for name in ["a", "sub/b"] {
        let file = dir.join(name).display().to_string();
        let salt = PathBuf::from(format!("{file}.tbsi.salt"));
        let mode = fs::metadata(&salt).expect("a salt").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        said(&desk.verify(&proof_of(&file), &[]).await, 0, "(sm3-256)");
        said(
            &desk.verify(&proof_of(&file), &[]).await,
            0,
            "salt in front",
        );
    }
    // With the salt that is kept, the same statement: nothing is sent.
    let again = json_of(&desk.attest(0, &args).await);
    assert_eq!(again["transactions"].as_array().map(Vec::len), Some(0));
    let (a, b) = (dir.join("a"), dir.join("sub/b.tbsi.salt"));
    let (a, b) = (a.display().to_string(), b.display().to_string());
    let ended = desk.verify(&proof_of(&a), &["--salt", &b]).await;
    said(&ended, 1, "with this salt");
    fs::remove_file(format!("{a}.tbsi.salt")).expect("remove a salt");
    said(&desk.verify(&proof_of(&a), &[]).await, 2, "give --salt");

    let unknown = format!("0x{}", "ab".repeat(32));
    let ended = desk.attest(0, &[&a, "--schema", &unknown]).await;
    said(&ended, 2, "is unknown on this network");
    let ended = desk
        .attest(0, &[&a, "--schema", "tbsi:salted-file:v1"])
        .await;
    said(&ended, 2, "add --salt");
    proved(&desk, &done, &a).await;
    let open = desk.path("open-key");
    fs::copy(&desk.key, &open).expect("copy the key");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("open the key");
    let open = open.display().to_string();
    said(
        &desk.ask(0, &["attest", &a, "--key", &open]).await,
        2,
        "chmod 600",
    );
}

async fn proved(desk: &Desk, done: &Value, file: &str) {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let expected = fs::read_to_string(proof_of(file)).expect("a proof");
    for name in ["id", "digest"] {
        let name = text(&done["files"][0][name]);
        let ended = desk.ask(0, &["prove", &name]).await;
        said(&ended, 0, "");
        assert!(ended.stdout == expected, "the same node, the same proof");
    }
    let out = desk.path("compact").display().to_string();
    let id = text(&done["files"][0]["id"]);
    let ended = desk
        .ask(0, &["prove", &id, "--compact", "--out", &out])
        .await;
    said(&ended, 0, "");
    let compact = fs::read(Path::new(&out)).expect("the compact form");
    let bundle = ProofBundle::decode(&compact).expect("a bundle");
    assert_eq!(bundle.to_json().expect("JSON"), expected);
    let none = ["prove", "--file", &desk.genesis];
    said(&desk.ask(0, &none).await, 1, "knows no such attestation");
    said(
        &desk.ask(0, &["prove", "--index", "99"]).await,
        1,
        "no such attestation",
    );
}
