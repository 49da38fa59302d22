//! What a court reads, on a network of real processes: reports as PDF and HTML, a salt that is
//! destroyed with a receipt, statements that others send; all with the commands that people type.

use std::fs;
use std::path::Path;
use std::process::Command;

use tbsi_tests::desk::{Desk, proof_of};
use tbsi_tests::harness::{TestNetwork, json_of, said, skip, tbsi};
use tbsi_tests::outside::{accepts, verapdf};
use tbsi_types::Height;

const FONT: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
const UNTIL: &str = "2999-12-31T23:59:59+08:00";

/// Text of a PDF by a program of others; `None`, and said so, if the machine lacks it.
fn text_of(pdf: &Path) -> Option<String> {
    let output = Command::new("pdftotext").arg(pdf).arg("-").output();
    let Ok(output) = output else {
        skip(
            "text of a PDF",
            "no pdftotext",
            "install the Debian package poppler-utils",
        );
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// As a validator that others wrote says.
fn conforms(pdf: &str, flavours: &[&str]) {
    if let Some(mut validator) = verapdf("PDF/A and PDF/UA") {
        let said = accepts(validator.arg(pdf).args(flavours));
        assert_eq!(said.matches(": conforms").count(), flavours.len(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_rests_on_whatever_is_trusted() {
    let desk = Desk::open(4).await;
    let file = desk.write("契約.pdf", b"the contract");
    json_of(&desk.attest(0, &[&file, "--salt"]).await);
    let proof = proof_of(&file);
    let html = desk.named("genesis.html");
    let ended = desk.trusting(&["report", &proof, "--out", &html]).await;
    said(&ended, 0, &["THE PROOF HOLDS"]);
    let text = fs::read_to_string(&html).expect("a report");
    for words in ["台灣測試公會", "xxd -r -p", "random bytes stand in front"] {
        assert!(text.contains(words), "{words}: {text}");
    }

    let checkpoint = desk.named("checkpoint.json");
    let get = ["checkpoint", "get", "--height", "1", "--out", &checkpoint];
    said(&desk.ask(0, &get).await, 0, &[]);
    let html = desk.named("checkpoint.html");
    let args = [
        "report",
        &proof,
        "--checkpoint",
        &checkpoint,
        "--out",
        &html,
    ];
    said(&tbsi(&args).await, 0, &["THE PROOF HOLDS"]);

    let handovers = desk.named("handovers");
    let log = desk.net.network.rpc_url(0) + "/log";
    let keep = ["log", "handovers", "--out", &handovers, "--log", &log];
    said(&desk.trusting(&keep).await, 0, &[]);
    let html = desk.named("handovers.html");
    let args = ["report", &proof, "--handovers", &handovers, "--out", &html];
    said(&desk.trusting(&args).await, 0, &["THE PROOF HOLDS"]);

    let other = TestNetwork::create(4, 0);
    let foreign = other.network.genesis_file().display().to_string();
    let html = desk.named("foreign.html");
    let args = ["report", &proof, "--genesis", &foreign, "--out", &html];
    said(&tbsi(&args).await, 2, &["COULD NOT TELL"]);
    assert!(
        fs::read_to_string(&html)
            .expect("a report")
            .contains("otherNetwork")
    );

    let revoke = ["revoke", &proof, "--reason", "1", "--key", &desk.key];
    said(&desk.ask(0, &revoke).await, 0, &["is revoked"]);
    let (html, url) = (desk.named("revoked.html"), desk.net.network.rpc_url(0));
    let args = [
        "report", &proof, "--rpc", &url, "--out", &html, "--lang", "zh-TW",
    ];
    said(&desk.trusting(&args).await, 1, &["已於"]);
    assert!(
        fs::read_to_string(&html)
            .expect("a report")
            .contains("不生效力")
    );
    desk.net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pdf_is_for_archives_and_the_same_each_time() {
    if !Path::new(FONT).is_file() {
        skip(
            "PDF reports",
            "no Noto Sans CJK",
            "install the Debian package fonts-noto-cjk",
        );
        return;
    }
    let desk = Desk::open(4).await;
    // A character that no font has, and one that shows nothing.
    let file = desk.write("契約\u{e000}\u{200b}.pdf", b"the contract");
    json_of(&desk.attest(0, &[&file]).await);
    let proof = proof_of(&file);
    for lang in ["en", "zh-TW"] {
        let outs = ["a", "b"].map(|name| desk.named(&format!("{name}-{lang}.pdf")));
        for out in &outs {
            let args = ["report", &proof, "--out", out, "--lang", lang];
            said(&desk.trusting(&args).await, 0, &[]);
        }
        let [first, second] = outs.each_ref().map(|out| fs::read(out).expect("a report"));
        assert!(first == second, "{lang}: two reports of one proof differ");
        assert!(first.starts_with(b"%PDF-1.7"));
        assert!(first.len() < 1_000_000, "{} bytes", first.len());
        let raw = String::from_utf8_lossy(&first).into_owned();
        for mark in [
            "<pdfaid:part>2<",
            "<pdfaid:conformance>A<",
            "<pdfuaid:part>1<",
        ] {
            assert!(raw.contains(mark), "{mark}");
        }
        conforms(&outs[0], &["2a", "ua1"]);
        let Some(text) = text_of(Path::new(&outs[0])) else {
            continue;
        };
        let attested = tbsi_types::sha256(&[b"the contract"]).to_string();
        let joined: String = text.split_whitespace().collect();
        for words in [
            attested.as_str(),
            r"契約<U+E000>\u{200b}.pdf",
            "台灣測試公會",
        ] {
            assert!(joined.contains(words), "{words}: {text}");
        }
    }
    let other = desk.write("other.pdf", b"another");
    let out = desk.named("invalid.pdf");
    let args = ["report", &proof, "--file", &other, "--out", &out];
    said(&desk.trusting(&args).await, 1, &["INVALID"]);
    conforms(&out, &["ua1"]);
    if let Some(text) = text_of(Path::new(&out)) {
        assert!(text.contains("INVALID"), "{text}");
    }
    desk.net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_salt_is_destroyed_with_a_receipt() {
    let mut desk = Desk::open(1).await;
    let file = desk.write("patient.txt", b"personal data");
    let plain = desk.write("plain.txt", b"no salt");
    json_of(&desk.attest(0, &[&file, "--salt"]).await);
    json_of(&desk.attest(0, &[&plain]).await);
    let (proof, salt) = (proof_of(&file), format!("{file}.tbsi.salt"));
    let statement = format!("{file}.tbsi.erasure");
    let kept = fs::read(&salt).expect("a salt");

    // Refused before anything is done.
    let stranger = desk.stranger("stranger.key");
    for (args, words) in [
        (
            vec!["erase", "salt", &proof, "--key", &stranger],
            "only the issuer's",
        ),
        (
            vec!["erase", "salt", &proof_of(&plain), "--key", &desk.key],
            "without a salt",
        ),
        (
            vec!["erase", "salt", &statement, "--key", &desk.key],
            "says nothing of the file",
        ),
    ] {
        said(&desk.trusting(&args).await, 2, &[words]);
    }
    let other = desk.write("other.salt", [b'0'; 64]);
    let args = [
        "erase", "salt", &proof, "--salt", &other, "--key", &desk.key,
    ];
    said(
        &desk.trusting(&args).await,
        2,
        &["is not the file that was attested"],
    );
    assert!(fs::read(&salt).expect("a salt") == kept);
    assert!(!Path::new(&statement).exists() && Path::new(&other).exists());

    let erase = ["erase", "salt", &proof, "--key", &desk.key];
    said(
        &desk.trusting(&erase).await,
        0,
        &["overwritten and removed", "Out of reach"],
    );
    assert!(!Path::new(&salt).exists());
    let stated = fs::read(&statement).expect("a statement");
    // Stopped after the statement, or between overwriting and removing: it goes on.
    for rest in [kept.as_slice(), &[0; 65]] {
        fs::write(&salt, rest).expect("put a salt back");
        said(
            &desk.trusting(&erase).await,
            0,
            &["overwritten and removed"],
        );
        assert!(!Path::new(&salt).exists());
    }
    let again = [erase.as_slice(), &["--lang", "zh-TW"]].concat();
    said(&desk.trusting(&again).await, 0, &["先前已銷毀"]);
    assert!(fs::read(&statement).expect("a statement") == stated);

    checked(&mut desk, &statement, &proof).await;
    desk.net.assert_no_panic();
}

/// The receipt, and what is none.
async fn checked(desk: &mut Desk, statement: &str, proof: &str) {
    let check = ["erase", "check", statement];
    said(
        &desk.trusting(&check).await,
        2,
        &["COULD NOT TELL", "read proof"],
    );
    let done = json_of(&desk.attest(0, &[statement]).await);
    let height = done["files"][0]["height"].as_u64().expect("a height");
    desk.net.wait_height(0, Height(height)).await;
    said(
        &desk.trusting(&check).await,
        0,
        &["THE RECEIPT HOLDS", "issuer's word"],
    );
    let zh_tw = [check.as_slice(), &["--lang", "zh-TW"]].concat();
    said(&desk.trusting(&zh_tw).await, 0, &["收據成立"]);
    let told = [check.as_slice(), &["--json"]].concat();
    let told = json_of(&desk.trusting(&told).await);
    assert_eq!(told["verdict"], "valid");
    let asked = desk
        .trusting(&["verify", proof, "--json", "--file", statement])
        .await;
    assert_eq!(asked.code, Some(2), "{}", asked.stdout);

    // The statement of another attestation, a changed one, and one that another key attested.
    let second = desk.write("second.txt", b"more data");
    json_of(&desk.attest(0, &[&second, "--salt"]).await);
    let args = ["erase", "check", statement, "--of", &proof_of(&second)];
    said(
        &desk.trusting(&args).await,
        1,
        &["INVALID", "is about attestation"],
    );
    let changed = fs::read_to_string(statement).expect("a statement");
    let changed = changed.replace("\"leafIndex\":", "\"leafIndex\":1");
    let changed = desk.write("changed.tbsi.erasure", changed);
    let args = ["erase", "check", &changed, "--of", proof];
    said(
        &desk.trusting(&args).await,
        1,
        &["INVALID", "is about leaf"],
    );
    let other = desk.net.network.development_key_file(2);
    let (other, out) = (other.display().to_string(), desk.named("others"));
    let args = ["attest", statement, "--key", &other, "--out", &out];
    said(&desk.ask(0, &args).await, 0, &[]);
    let name = Path::new(statement).file_name().expect("a name");
    let by_other = Path::new(&out).join(proof_of(&name.to_string_lossy()));
    let by_other = by_other.display().to_string();
    let args = ["erase", "check", statement, "--proof", &by_other];
    said(&desk.trusting(&args).await, 1, &["INVALID", "attested by"]);
}

/// By its issuer's own transaction, if it may attest; a nonce is its issuer's alone.
async fn withdrawn(desk: &Desk, plan: &str, issuer: &str) {
    let (mine, back) = (desk.named("mine"), desk.named("back of mine"));
    let attest = [
        "delegate", "attest", plan, "--key", &desk.key, "--out", &mine,
    ];
    let until = ["--until", UNTIL];
    said(
        &desk.trusting(&[&attest[..], &until].concat()).await,
        0,
        &["signed"],
    );
    let cancel = ["delegate", "cancel", &mine, "--key", issuer, "--out", &back];
    let words = ["it was signed by", "give the issuer's key"];
    said(
        &desk.trusting(&[&cancel[..], &until].concat()).await,
        2,
        &words,
    );
    let withdraw = ["delegate", "withdraw", &mine, "--key"];
    let by_another = [&withdraw[..], &[issuer]].concat();
    said(&desk.ask(0, &by_another).await, 2, &words);
    let by_issuer = [&withdraw[..], &[desk.key.as_str()]].concat();
    said(&desk.ask(0, &by_issuer).await, 0, &["counts for nothing"]);
    let again = desk.ask(0, &by_issuer).await;
    said(&again, 2, &["was used or cancelled before"]);
    let send = ["delegate", "send", &mine, "--key", &desk.key];
    let sent = desk.ask(0, &send).await;
    said(&sent, 2, &["was used or cancelled before"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_send_what_an_issuer_signed() {
    let desk = Desk::open(1).await;
    let issuer = desk.stranger("issuer.key");
    let sign = async |args: &[&str]| {
        let rest = ["--key", &issuer, "--until", UNTIL, "--json"];
        json_of(&desk.trusting(&[args, &rest].concat()).await)
    };
    let send = async |file: &str| {
        let args = ["delegate", "send", file, "--key", &desk.key];
        desk.ask(0, &args).await
    };
    let (deed, plan) = (desk.write("deed", b"deed"), desk.write("plan", b"plan"));
    let [one, two, gone, back] = ["one", "two", "gone", "back"].map(|name| desk.named(name));
    let signed = sign(&["delegate", "attest", &deed, "--out", &one]).await;
    let by = signed["delegation"]["issuer"]
        .as_str()
        .expect("an issuer")
        .to_owned();
    said(&send(&one).await, 0, &["in the name of"]);
    said(&send(&one).await, 2, &["was used or cancelled before"]);
    sign(&["delegate", "attest", &deed, &plan, "--out", &two]).await;
    said(&send(&two).await, 0, &["2 words of digests"]);

    // The proof names the one who signed, not the one who sent.
    let proof = proof_of(&deed);
    let prove = ["prove", "--file", &deed, "--out", &proof];
    said(&desk.ask(0, &prove).await, 0, &[]);
    let told = json_of(&desk.trusting(&["verify", &proof, "--json"]).await);
    assert_eq!(
        told["issuer"].as_str().map(str::to_lowercase),
        Some(by.to_lowercase())
    );

    // Cancelled before it was sent.
    sign(&["delegate", "attest", &plan, "--out", &gone]).await;
    sign(&["delegate", "cancel", &gone, "--out", &back]).await;
    said(&send(&back).await, 0, &["counts for nothing"]);
    said(&send(&gone).await, 2, &["was used or cancelled before"]);

    withdrawn(&desk, &plan, &issuer).await;
    let revoked = desk.named("revoked");
    let args = [
        "delegate",
        "revoke",
        &proof,
        "--reason",
        "issued-in-error",
        "--out",
        &revoked,
    ];
    sign(&args).await;
    said(&send(&revoked).await, 0, &["is revoked in the name of"]);
    let url = desk.net.network.rpc_url(0);
    let ended = desk.trusting(&["verify", &proof, "--rpc", &url]).await;
    said(
        &ended,
        1,
        &["THE PROOF HOLDS, BUT REVOKED", "issued-in-error"],
    );
    refused(&desk, &one, &issuer).await;
    desk.net.assert_no_panic();
}

/// What is not sent, or not signed.
async fn refused(desk: &Desk, one: &str, issuer: &str) {
    let text = fs::read_to_string(one).expect("a delegation");
    let changed = text.replace("\"algorithm\": 18", "\"algorithm\": 19");
    let changed = desk.write("changed", changed);
    let args = ["delegate", "send", &changed, "--key", &desk.key];
    said(&desk.ask(0, &args).await, 2, &["is signed by"]);
    let file = desk.write("late", b"late");
    let late = desk.named("late.json");
    let sign = ["delegate", "attest", &file, "--key", issuer, "--out", &late];
    let past = [sign.as_slice(), &["--until", "2020-01-01T00:00:00Z"]].concat();
    said(&desk.trusting(&past).await, 0, &["signed"]);
    let args = [
        "delegate", "send", &late, "--key", &desk.key, "--lang", "zh-TW",
    ];
    said(&desk.ask(0, &args).await, 2, &["已過"]);
    said(&desk.trusting(&past).await, 2, &["choose another --out"]);
    let other = TestNetwork::create(1, 0);
    let foreign = other.network.genesis_file().display().to_string();
    let out = desk.named("foreign.json");
    let args = [
        "delegate", "attest", &file, "--key", issuer, "--until", UNTIL, "--out", &out,
    ];
    said(
        &tbsi(&[args.as_slice(), &["--genesis", &foreign]].concat()).await,
        0,
        &[],
    );
    let args = ["delegate", "send", &out, "--key", &desk.key];
    said(
        &desk.ask(0, &args).await,
        2,
        &["was signed for the network"],
    );
}
