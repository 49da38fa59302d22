//! Two associations authorise each other's use of a data set, with the commands that people type,
//! and prove it offline.

use std::fs;

use serde_json::Value;
use tbsi_tests::desk::Desk;
use tbsi_tests::harness::{Ended, eventually, json_of, said, tbsi};

const YEAR_S: u64 = 365 * 86_400;

/// Seconds as RFC 3339.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days from 1 March of year 0, by eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[test]
fn seconds_are_written_as_people_read_them() {
    assert_eq!(utc(1_700_000_001), "2023-11-14T22:13:21Z");
    assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
}

struct Parties {
    desk: Desk,
    giver: String,
    taker: String,
    stranger: String,
}

impl Parties {
    async fn open() -> Self {
        let desk = Desk::open(4).await;
        let key = |node: usize| {
            let file = desk.net.home(node).account_key_file();
            file.display().to_string()
        };
        let (giver, taker, stranger) = (key(0), key(1), key(2));
        Self {
            desk,
            giver,
            taker,
            stranger,
        }
    }

    async fn act(&self, key: &str, args: &[&str]) -> Ended {
        let args = [&["consent"], args, &["--key", key]].concat();
        self.desk.ask(0, &args).await
    }

    async fn done(&self, key: &str, args: &[&str]) -> Value {
        json_of(&self.act(key, &[args, &["--json"]].concat()).await)
    }

    async fn now(&self) -> u64 {
        let status = self.desk.net.client(0).status().await;
        status.expect("the node answers").time_ms.0 / 1_000
    }

    /// Until blocks of a later second than that are there.
    async fn wait_after(&self, second: u64) {
        eventually("a later second", async || self.now().await > second).await;
    }

    async fn prove(&self, name: &str, args: &[&str]) -> String {
        let out = self.desk.named(name);
        let args = [&["consent", "prove", "1", "--out", &out], args].concat();
        said(&self.desk.ask(0, &args).await, 0, &["authorisation 1"]);
        out
    }

    async fn verify(&self, proof: &str, args: &[&str]) -> Ended {
        let args = [&["consent", "verify", proof], args].concat();
        self.desk.trusting(&args).await
    }

    async fn verdict(&self, proof: &str, second: u64, purpose: &str) -> (Option<i32>, Value) {
        let at = utc(second);
        let args = ["--at", &at, "--purpose", purpose, "--json"];
        let ended = self.verify(proof, &args).await;
        let json = serde_json::from_str(&ended.stdout).expect("one JSON object");
        (ended.code, json)
    }
}

#[tokio::test]
async fn an_association_proves_offline_that_it_was_authorised() {
    let parties = Parties::open().await;
    given_by_both(&parties).await;
    let (given, first) = used_and_proven(&parties).await;
    let narrowed = narrowed_and_extended(&parties, given).await;
    revoked_for_ever(&parties, given, narrowed).await;
    proofs_of_before_say_what_they_said(&parties, &first, given).await;
    nothing_is_taken_for_a_proof(&parties, &first).await;
    parties.desk.net.assert_no_panic();
}

async fn given_by_both(parties: &Parties) {
    let desk = &parties.desk;
    let agreement = desk.write("agreement.txt", "what both signed");
    let until = utc(parties.now().await + YEAR_S);
    let mut grant = vec!["grant", "--to", "2", "--data-set", "register of permits"];
    grant.extend(["--agreement", &agreement, "--until", &until]);
    grant.extend(["--purpose", "statistics", "--purpose", "audit"]);
    let dry = [grant.as_slice(), &["--dry-run"]].concat();
    said(
        &parties.act(&parties.giver, &dry).await,
        0,
        &["nothing was sent", "offers"],
    );
    let to_itself = grant.iter().map(|it| if *it == "2" { "1" } else { *it });
    let to_itself: Vec<_> = to_itself.collect();
    said(
        &parties.act(&parties.giver, &to_itself).await,
        2,
        &["of its own"],
    );
    let granted = parties.done(&parties.giver, &grant).await;
    assert_eq!(granted["authorisation"], 1);
    let none = desk.ask(0, &["consent", "prove", "1"]).await;
    said(&none, 2, &["not accepted"]);
    let accept = ["accept", "1"];
    let refused = parties.act(&parties.giver, &accept).await;
    said(&refused, 2, &["is for", "to do"]);
    let zh_tw = [accept.as_slice(), &["--lang", "zh-TW"]].concat();
    said(&parties.act(&parties.stranger, &zh_tw).await, 2, &["須由"]);
    let accepted = parties.act(&parties.taker, &accept).await;
    said(&accepted, 0, &["accepted: data set 0x", "purposes 0x"]);
    parties.wait_after(parties.now().await).await;
    let again = parties.act(&parties.taker, &accept).await;
    said(&again, 2, &["nothing is offered"]);
    let list = json_of(&desk.ask(0, &["consent", "list", "--json"]).await);
    let one = &list["authorisations"][0];
    assert_eq!(
        (&one["status"], &one["versions"]),
        (&"active".into(), &1.into())
    );
    assert_eq!(one["terms"]["purposes"].as_array().map(Vec::len), Some(2));
    assert_eq!(one["offered"], Value::Null);
}

/// A second in which the first terms held, and a proof of it.
async fn used_and_proven(parties: &Parties) -> (u64, String) {
    let desk = &parties.desk;
    let record = desk.write("query.log", "who asked what");
    let rely = ["rely", "1", "--purpose", "audit", "--subject", &record];
    let used = parties.done(&parties.taker, &rely).await;
    let leaf = used["leafIndex"].as_u64().expect("a leaf").to_string();
    let sale = ["rely", "1", "--purpose", "sale", "--subject", &record];
    said(
        &parties.act(&parties.taker, &sale).await,
        2,
        &["not for purpose"],
    );
    said(
        &parties.act(&parties.stranger, &rely).await,
        2,
        &["is for", "to do"],
    );
    let audit = json_of(&desk.ask(0, &["consent", "audit", "1", "--json"]).await);
    assert_eq!(audit["uses"].as_array().map(Vec::len), Some(1));
    assert_eq!(audit["uses"][0]["leafIndex"], used["leafIndex"]);
    assert_eq!(audit["uses"][0]["subject"], used["subject"]);
    let given = parties.now().await;
    parties.wait_after(given).await;
    let proof = parties.prove("first.json", &["--use", &leaf]).await;
    // Whoever verifies asks nobody.
    let words = [
        "AUTHORISED",
        "Test Association B",
        "統一編號",
        "offered by Test Association A",
        "accepted by Test Association B",
        "used by",
        "still at",
    ];
    let at = utc(given);
    said(
        &parties
            .verify(&proof, &["--at", &at, "--purpose", "audit"])
            .await,
        0,
        &words,
    );
    let zh_tw = parties
        .verify(&proof, &["--at", &at, "--lang", "zh-TW"])
        .await;
    said(&zh_tw, 0, &["已獲授權", "台灣測試公會乙"]);
    let (code, json) = parties.verdict(&proof, given, "audit").await;
    assert_eq!(
        (code, &json["verdict"]),
        (Some(0), &"valid".into()),
        "{json}"
    );
    assert_eq!(json["grantee"]["number"], 2);
    assert_eq!(json["acts"].as_array().map(Vec::len), Some(3));
    let (code, json) = parties.verdict(&proof, given, "sale").await;
    assert_eq!((code, &json["code"]), (Some(1), &"otherPurpose".into()));
    let (code, json) = parties.verdict(&proof, given - 1_000, "audit").await;
    assert_eq!((code, &json["code"]), (Some(1), &"notBegun".into()));
    let (code, json) = parties.verdict(&proof, given + 86_400, "audit").await;
    assert_eq!((code, &json["code"]), (Some(2), &"notKnown".into()));
    (given, proof)
}

/// A second in which less was allowed.
async fn narrowed_and_extended(parties: &Parties, given: u64) -> u64 {
    let narrow = ["narrow", "1", "--purpose", "audit"];
    said(
        &parties.act(&parties.stranger, &narrow).await,
        2,
        &["to do"],
    );
    parties.done(&parties.taker, &narrow).await;
    said(
        &parties.act(&parties.giver, &narrow).await,
        2,
        &["not less"],
    );
    parties.wait_after(parties.now().await).await;
    let narrowed = parties.now().await;
    parties.wait_after(narrowed).await;
    let proof = parties.prove("narrowed.json", &[]).await;
    let (code, _) = parties.verdict(&proof, narrowed, "audit").await;
    assert_eq!(code, Some(0));
    let (code, json) = parties.verdict(&proof, narrowed, "statistics").await;
    assert_eq!((code, &json["code"]), (Some(1), &"otherPurpose".into()));
    // Of before, when more was allowed.
    let before = parties.prove("before.json", &["--at", &utc(given)]).await;
    let (code, json) = parties.verdict(&before, given, "statistics").await;
    assert_eq!((code, &json["version"]), (Some(0), &0.into()), "{json}");
    let (code, json) = parties.verdict(&before, narrowed, "statistics").await;
    assert_eq!((code, &json["code"]), (Some(1), &"ended".into()));
    let until = utc(parties.now().await + 2 * YEAR_S);
    let extend = ["extend", "1", "--until", &until, "--purpose", "research"];
    said(&parties.act(&parties.taker, &extend).await, 2, &["to do"]);
    parties.done(&parties.giver, &extend).await;
    let subject = format!("0x{}", "11".repeat(32));
    let research = ["rely", "1", "--purpose", "research", "--subject", &subject];
    said(
        &parties.act(&parties.taker, &research).await,
        2,
        &["not for purpose"],
    );
    parties.done(&parties.taker, &["accept", "1"]).await;
    parties.done(&parties.taker, &research).await;
    parties.wait_after(parties.now().await).await;
    let extended = parties.now().await;
    parties.wait_after(extended).await;
    let proof = parties.prove("extended.json", &[]).await;
    let (code, json) = parties.verdict(&proof, extended, "research").await;
    assert_eq!((code, &json["version"]), (Some(0), &2.into()), "{json}");
    assert_eq!(json["acts"].as_array().map(Vec::len), Some(4));
    narrowed
}

async fn revoked_for_ever(parties: &Parties, given: u64, narrowed: u64) {
    let revoke = ["revoke", "1", "--reason", "agreement-ended"];
    said(
        &parties.act(&parties.stranger, &revoke).await,
        2,
        &["to do"],
    );
    parties.done(&parties.giver, &revoke).await;
    for args in [
        vec!["revoke", "1"],
        vec!["narrow", "1", "--until", "2100-01-01T00:00:00Z"],
        vec!["extend", "1", "--purpose", "sale"],
    ] {
        said(&parties.act(&parties.giver, &args).await, 2, &["revoked"]);
    }
    let revoked = parties.now().await;
    parties.wait_after(revoked).await;
    let proof = parties.prove("revoked.json", &[]).await;
    let (code, json) = parties.verdict(&proof, revoked, "research").await;
    assert_eq!(
        (code, &json["verdict"]),
        (Some(1), &"void".into()),
        "{json}"
    );
    assert_eq!(json["code"], "ended");
    for (second, purpose) in [(given, "statistics"), (narrowed, "audit")] {
        let name = format!("of-{second}.json");
        let proof = parties.prove(&name, &["--at", &utc(second)]).await;
        let (code, json) = parties.verdict(&proof, second, purpose).await;
        assert_eq!(code, Some(0), "{json}");
    }
}

/// A proof of before the revocation knows nothing of it, and says up to when it knows.
async fn proofs_of_before_say_what_they_said(parties: &Parties, first: &str, given: u64) {
    let (code, _) = parties.verdict(first, given, "audit").await;
    assert_eq!(code, Some(0));
    let now = parties.now().await;
    let (code, json) = parties.verdict(first, now, "audit").await;
    assert_eq!((code, &json["code"]), (Some(2), &"notKnown".into()));
}

async fn nothing_is_taken_for_a_proof(parties: &Parties, first: &str) {
    let desk = &parties.desk;
    let text = fs::read_to_string(first).expect("the proof");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    let nodes = json["authorisation"]["nodes"]
        .as_array_mut()
        .expect("nodes");
    nodes.pop();
    let cut = desk.write("cut.json", json.to_string());
    said(
        &parties.verify(&cut, &[]).await,
        1,
        &["INVALID", "proof of the state"],
    );
    let other = desk.write("other.json", "no proof");
    said(&parties.verify(&other, &[]).await, 2, &["COULD NOT TELL"]);
    let missing = desk.named("missing.json");
    said(&parties.verify(&missing, &[]).await, 2, &["missing.json"]);
    said(
        &tbsi(&["consent", "verify", first]).await,
        2,
        &["nothing is trusted yet"],
    );
    let exists = desk
        .ask(0, &["consent", "prove", "1", "--out", first])
        .await;
    said(&exists, 2, &["exists"]);
    said(
        &desk.ask(0, &["consent", "prove", "9"]).await,
        2,
        &["no authorisation 9"],
    );
}
