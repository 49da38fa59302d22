//! Organisations decide, with the commands that people type, on a network of real processes.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::Address;
use serde_json::Value;
use tbsi_home::Home;
use tbsi_tests::harness::{Ended, Sender, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_tests::stand_in::stand_in;
use tbsi_types::Height;

/// Commands against one network of four validators, each of an association of its own.
struct Desk {
    net: TestNetwork,
}

impl Desk {
    async fn open() -> Self {
        Self::with_epochs(0).await
    }

    /// Of a network whose validators change at the end of an epoch of so many seconds.
    async fn with_epochs(seconds: u32) -> Self {
        let net = TestNetwork::create_with(4, 0, |spec| spec.epoch_seconds = seconds);
        Self {
            net: net.started().await,
        }
    }

    fn path(&self, name: &str) -> String {
        self.net.scratch().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("write a file");
        path
    }

    /// The key of an association's account, from 0.
    fn key(&self, node: usize) -> String {
        let file = self.net.home(node).account_key_file();
        file.display().to_string()
    }

    /// A command that reads.
    async fn ask(&self, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(0);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    /// A command that changes something, with an account's key.
    async fn act(&self, key: &str, args: &[&str]) -> Ended {
        self.ask(&[args, &["--key", key]].concat()).await
    }

    /// The same, done; its JSON.
    async fn done(&self, key: &str, args: &[&str]) -> Value {
        let json = json_of(&self.act(key, &[args, &["--json"]].concat()).await);
        assert_eq!(json["dryRun"], false, "{json}");
        assert!(json["height"].as_u64() > Some(0), "{json}");
        json
    }

    /// Proposes, lets these associations vote yes, and executes by somebody else's account.
    async fn decide(&self, propose: &[&str], voters: &[usize]) -> u64 {
        let key = self.key(voters[0]);
        let args = [&["motion", "propose"], propose].concat();
        let number = self.done(&key, &args).await["motion"]["motion"].clone();
        let number = number.as_u64().expect("a number");
        let shown = number.to_string();
        let mut status = Value::Null;
        for voter in voters {
            assert_ne!(status, "executable", "before vote of {voter}");
            let vote = ["motion", "vote", &shown, "yes"];
            let voted = self.done(&self.key(*voter), &vote).await;
            status = voted["motion"]["status"].clone();
        }
        assert_eq!(status, "executable");
        let anybody = self.net.network.development_key_file(1);
        let execute = ["motion", "execute", &shown];
        self.done(&anybody.display().to_string(), &execute).await;
        number
    }

    /// Addresses of the validators of the latest height.
    async fn validators(&self) -> BTreeSet<Address> {
        let client = self.net.client(0);
        let set = client.validators(BlockNumberOrTag::Latest);
        let set = set.await.expect("the node answers").expect("a set");
        set.validators.iter().map(|it| it.address).collect()
    }
}

fn organisation(account: Address) -> String {
    format!(
        "name_zh_tw = \"台灣測試公會戊\"\nname_en = \"Test Association E\"\n\
         kind = \"association\"\nvotes = true\ntax_id = \"04595257\"\njurisdiction = \"TW\"\n\
         agreement_hash = \"0x{}\"\naccount = \"{account}\"\n\
         permissions = [\"send\", \"attest\", \"administer\", \"vote\"]\n",
        "11".repeat(32)
    )
}

/// A home with keys for a fifth node, and an account.
async fn fifth(desk: &Desk) -> (String, String, Address) {
    let dir = desk.path("fifth");
    said(
        &tbsi(&["keys", "new", "--home", &dir, "--validator"]).await,
        0,
        &["12D3Koo"],
    );
    let home = Home::new(&dir);
    let key = home.ensure_account_key().expect("an account's key");
    let file = home.account_key_file().display().to_string();
    (dir, file, key.public_key().address())
}

#[tokio::test]
async fn a_fifth_association_joins_and_its_node_becomes_a_validator() {
    let desk = Desk::open().await;
    let (home, key, account) = fifth(&desk).await;
    proposals_are_rehearsed(&desk, account).await;
    the_association_joins(&desk).await;
    let validator = its_node_is_registered(&desk, &home, &key).await;
    its_node_becomes_a_validator(&desk, &key, validator).await;
    an_account_joins_by_its_consent(&desk).await;
    names_are_those_of_the_time_of_a_statement(&desk).await;
    proofs_of_a_revoked_algorithm_are_void(&desk).await;
    refusals_carry_the_counters(&desk, account).await;
    records_are_kept_current(&desk, &key).await;
    a_name_like_anothers_is_pointed_out(&desk).await;
    desk.net.assert_no_panic();
}

async fn proposals_are_rehearsed(desk: &Desk, account: Address) {
    // What cannot be carried out is refused when it is proposed, and nothing is sent.
    let file = desk.write(
        "e.toml",
        &organisation(account).replace("04595257", "12345678"),
    );
    let propose = ["motion", "propose", "add-organisation", &file];
    said(
        &desk.act(&desk.key(0), &propose).await,
        2,
        &["12345678", "統一編號"],
    );
    let zh_tw = [propose.as_slice(), &["--lang", "zh-TW"]].concat();
    let refused = desk.act(&desk.key(0), &zh_tw).await;
    said(&refused, 2, &["不是有效的統一編號"]);

    // A dry run says what would change.
    desk.write("e.toml", &organisation(account));
    let dry = [propose.as_slice(), &["--dry-run"]].concat();
    let words = [
        "Test Association E 台灣測試公會戊",
        "04595257",
        "nothing was sent",
    ];
    said(&desk.act(&desk.key(0), &dry).await, 0, &words);
    let none = json_of(&desk.ask(&["motion", "list", "--json"]).await);
    assert_eq!(none["motions"], serde_json::json!([]));
}

async fn the_association_joins(desk: &Desk) {
    // More than two thirds of four: three.
    let motion = desk
        .decide(&["add-organisation", &desk.path("e.toml")], &[0, 1, 2])
        .await
        .to_string();
    let twice = desk
        .act(&desk.key(0), &["motion", "execute", &motion])
        .await;
    said(&twice, 2, &["motion 1 is executed"]);
    let shown = desk.ask(&["motion", "show", &motion]).await;
    said(
        &shown,
        0,
        &["Test Association B (no. 2)", "3 yes", "more than 2/3"],
    );
    let shown = desk
        .ask(&["motion", "show", &motion, "--lang", "zh-TW"])
        .await;
    said(&shown, 0, &["台灣測試公會乙（編號 2）", "已執行", "贊成"]);
    let found = json_of(&desk.ask(&["org", "show", "04595257", "--json"]).await);
    assert_eq!(
        (&found["number"], &found["status"]),
        (&5.into(), &"active".into())
    );
}

async fn its_node_is_registered(desk: &Desk, home: &str, key: &str) -> Address {
    // Its administrator registers a node; nobody else does it for it.
    let register = ["operator", "register", "--home", home, "--name", "fifth"];
    let stranger = desk
        .net
        .network
        .development_key_file(1)
        .display()
        .to_string();
    said(
        &desk.act(&stranger, &register).await,
        2,
        &["lacks the permission: administer"],
    );
    let registered = desk.done(key, &register).await;
    assert_eq!(registered["node"], 5);
    let peer_id = registered["peerId"].as_str().expect("a peer id");
    let shown = json_of(&desk.ask(&["operator", "show", peer_id, "--json"]).await);
    assert_eq!(shown["organisation"]["nameZhTw"], "台灣測試公會戊");
    let again = ["operator", "register", "--home", home, "--name", "sixth"];
    said(
        &desk.act(key, &again).await,
        2,
        &["a key is never used twice"],
    );
    let address = shown["validator"].as_str().expect("an address");
    address.parse().expect("an address")
}

async fn its_node_becomes_a_validator(desk: &Desk, key: &str, validator: Address) {
    // Its own node: the organisation may not vote for it.
    let add = [
        "motion",
        "propose",
        "add-validator",
        "fifth",
        "--power",
        "1",
    ];
    let own = desk.done(key, &add).await["motion"]["motion"].to_string();
    let vote = desk.act(key, &["motion", "vote", &own, "yes"]).await;
    said(
        &vote,
        2,
        &["Test Association E (no. 5)", "may only abstain"],
    );
    // While it is open, nobody is led to propose the same again.
    let again = desk.act(&desk.key(0), &add).await;
    let remedy = format!("`tbsi motion vote {own} yes`");
    said(
        &again,
        2,
        &["is about the same and not over", "0 yes of", &remedy],
    );
    let withdraw = ["motion", "withdraw", &own, "--reason", "own-request"];
    desk.done(key, &withdraw).await;
    desk.decide(&["add-validator", "fifth", "--power", "1"], &[0, 1, 2])
        .await;
    eventually("the fifth validator is in the set", async || {
        desk.validators().await.contains(&validator)
    })
    .await;
}

/// An account signs that it joins, an administrator adds it, and it may act.
async fn an_account_joins_by_its_consent(desk: &Desk) {
    let key = desk.net.network.development_key_file(2);
    let key = key.display().to_string();
    let file = desk.path("consent.json");
    let consent = ["org", "consent", "2", "--permissions", "send", "--out"];
    let consent = [consent.as_slice(), &[file.as_str()]].concat();
    let signed = desk
        .act(&key, &[consent.as_slice(), &["--json"]].concat())
        .await;
    let account = json_of(&signed)["consent"]["account"].clone();
    let account = account.as_str().expect("an address").to_owned();
    // It is not written over, and changes nothing by itself.
    said(&desk.act(&key, &consent).await, 1, &["consent.json"]);
    let add = ["org", "add-account", &account, "--permissions", "send"];
    let words = [
        "joins by its own signature",
        "tbsi org consent",
        "--consent FILE",
    ];
    said(&desk.act(&desk.key(1), &add).await, 2, &words);
    let with = [add.as_slice(), &["--consent", file.as_str()]].concat();
    said(
        &desk.act(&desk.key(0), &with).await,
        2,
        &[
            "it is for Test Association B (no. 2)",
            "not one of its accounts",
        ],
    );
    let more = ["org", "add-account", &account, "--permissions", "send,vote"];
    let more = [more.as_slice(), &["--consent", file.as_str()]].concat();
    said(
        &desk.act(&desk.key(1), &more).await,
        2,
        &["--permissions send"],
    );
    desk.done(&desk.key(1), &with).await;
    let shown = ["permission", "show", &account];
    said(&desk.ask(&shown).await, 0, &["Test Association B"]);
    // Once: whoever was withdrawn joins by another signature.
    desk.done(&desk.key(1), &["org", "withdraw-account", &account])
        .await;
    let again = desk.act(&desk.key(1), &with).await;
    said(&again, 2, &["has not signed", "has the number 1"]);
    let zh_tw = [with.as_slice(), &["--lang", "zh-TW"]].concat();
    said(
        &desk.act(&desk.key(1), &zh_tw).await,
        2,
        &["未簽署以此加入"],
    );
    let other = desk.write("other.json", "{}");
    let wrong = [add.as_slice(), &["--consent", other.as_str()]].concat();
    said(
        &desk.act(&desk.key(1), &wrong).await,
        2,
        &["tbsi org consent"],
    );
}

/// An account of one association, then of nobody, then of another: each of its statements has the
/// name of its own time, with the genesis file alone.
async fn names_are_those_of_the_time_of_a_statement(desk: &Desk) {
    let key = desk.net.network.development_key_file(3);
    let key = key.display().to_string();
    let genesis = desk.net.network.genesis_file().display().to_string();
    let join = async |organisation: &str, administrator: usize| {
        let file = desk.path(&format!("consent-{organisation}.json"));
        let bits = ["--permissions", "send,attest"];
        let consent = ["org", "consent", organisation, "--out", &file, "--json"];
        let signed = desk.act(&key, &[&consent[..], &bits].concat()).await;
        let account = json_of(&signed)["consent"]["account"].clone();
        let account = account.as_str().expect("an address").to_owned();
        let add = ["org", "add-account", &account, "--consent", &file];
        desk.done(&desk.key(administrator), &[&add[..], &bits].concat())
            .await;
        account
    };
    let attest = async |name: &str| {
        let file = desk.write(name, name);
        let args = ["attest", "--json", "--genesis", &genesis, &file];
        json_of(&desk.act(&key, &args).await)["files"][0]["leafIndex"].to_string()
    };
    let prove = async |index: &str, name: &str| {
        let out = desk.path(name);
        let args = ["prove", "--index", index, "--with-names", "--out", &out];
        (desk.ask(&args).await, out)
    };
    let account = join("2", 1).await;
    let as_second = attest("by-the-second.txt").await;
    desk.done(&desk.key(1), &["org", "withdraw-account", &account])
        .await;
    let as_nobody = attest("by-nobody.txt").await;
    join("3", 2).await;
    let as_third = attest("by-the-third.txt").await;

    for (index, association) in [
        (&as_second, "Test Association B"),
        (&as_third, "Test Association C"),
    ] {
        let (ended, proof) = prove(index, &format!("named-{index}.json")).await;
        said(&ended, 0, &["`tbsi verify` verifies it"]);
        let verify = ["verify", &proof, "--genesis", &genesis];
        let words = [
            association,
            "統一編號",
            "registry: the issuer's account was",
            "registry: organisations and identifiers of 5 of 5 validators are proved",
        ];
        said(&tbsi(&verify).await, 0, &words);
        let json = json_of(&tbsi(&[&verify[..], &["--json"]].concat()).await);
        let organisation = &json["organisation"];
        assert_eq!(organisation["source"], "registry", "{json}");
        assert_eq!(organisation["nameEn"], association, "{json}");
        assert!(organisation["memberSince"].as_u64() > Some(0), "{json}");
        // The fifth association joined later, and its validator did not sign.
        let html = desk.path(&format!("named-{index}.html"));
        let report = ["report", &proof, "--genesis", &genesis, "--out", &html];
        said(&tbsi(&report).await, 0, &[]);
        let html = fs::read_to_string(html).expect("a report");
        assert!(html.contains("台灣測試公會戊") && html.contains("04595257"));
    }
    let (ended, proof) = prove(&as_nobody, "nobody.json").await;
    who_signed_is_named(&ended, &proof, &genesis).await;
    anothers_name_is_refused(desk, &as_second, &genesis).await;
    desk.done(&desk.key(2), &["org", "withdraw-account", &account])
        .await;
}

/// The same proof with another's name.
async fn anothers_name_is_refused(desk: &Desk, index: &str, genesis: &str) {
    let text = fs::read_to_string(desk.path(&format!("named-{index}.json"))).expect("a proof");
    let part = text.find("\"registry\"").expect("a registry part");
    let (proof, registry) = text.split_at(part);
    let registry = registry.replace("Test Association B", "Test Association C");
    let forged = desk.write("forged.json", &format!("{proof}{registry}"));
    let verify = ["verify", &forged, "--genesis", genesis];
    said(
        &tbsi(&verify).await,
        1,
        &["INVALID", "has a record of hash"],
    );
}

/// Nobody's account, and yet who signed is named.
async fn who_signed_is_named(ended: &Ended, proof: &str, genesis: &str) {
    said(ended, 0, &["the issuer's legal name is not proved"]);
    let verify = ["verify", proof, "--genesis", genesis];
    said(&tbsi(&verify).await, 0, &["legal name: not proved"]);
    let json = json_of(&tbsi(&[&verify[..], &["--json"]].concat()).await);
    assert!(json["organisation"].is_null(), "{json}");
    let signers = json["decision"]["signers"].as_array().expect("signers");
    assert!(signers.len() >= 3, "{json}");
    for signer in signers {
        let organisation = &signer["organisation"];
        assert_eq!(organisation["source"], "registry", "{json}");
        assert!(organisation["taxId"].is_string(), "{json}");
    }
}

/// What rests on an algorithm that associations no longer rely upon holds, and counts for nothing.
async fn proofs_of_a_revoked_algorithm_are_void(desk: &Desk) {
    let network = &desk.net.network;
    let (url, genesis) = (network.rpc_url(0), network.genesis_file());
    let genesis = genesis.display().to_string();
    let key = network.development_key_file(1).display().to_string();
    let file = desk.write("sm3.txt", "by an algorithm that ends");
    let attest = ["attest", &file, "--algorithm", "sm3-256"];
    said(&desk.act(&key, &attest).await, 0, &[]);
    let proof = format!("{file}.tbsi.json");
    let verify = ["verify", &proof, "--genesis", &genesis, "--rpc", &url];
    said(&tbsi(&verify).await, 0, &["THE PROOF HOLDS; not revoked"]);
    let revoke = ["set-algorithm", "sm3-256", "revoked"];
    desk.decide(&revoke, &[0, 1, 2, 3]).await;
    let words = ["THE PROOF HOLDS, BUT", "its digest algorithm was revoked"];
    said(&tbsi(&verify).await, 1, &words);
    let json = [&verify[..], &["--json", "--lang", "zh-TW"]].concat();
    let ended = tbsi(&json).await;
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(told["verdict"], "void", "{told}");
    assert_eq!(told["revocation"]["status"], "algorithmRevoked", "{told}");
    let status = ["status", &proof, "--genesis", &genesis];
    said(&desk.ask(&status).await, 1, &["algorithm"]);
}

async fn refusals_carry_the_counters(desk: &Desk, account: Address) {
    // Refusals carry the counters, in both languages.
    desk.decide(&["set-quota", "2", "--gas", "1000"], &[0, 2, 3])
        .await;
    let send = [
        "org",
        "add-account",
        &account.to_string(),
        "--permissions",
        "send",
    ];
    said(
        &desk.act(&desk.key(1), &send).await,
        2,
        &["is no account of Test Association B (no. 2) yet"],
    );
    let other = Address::repeat_byte(9).to_string();
    let send = ["org", "set-contact", "https://b.example/contact"];
    let refused = desk.act(&desk.key(1), &send).await;
    said(
        &refused,
        2,
        &["gas quota of Test Association B (no. 2)", "used of 1000"],
    );
    let zh_tw = [send.as_slice(), &["--lang", "zh-TW"]].concat();
    said(
        &desk.act(&desk.key(1), &zh_tw).await,
        2,
        &["／1000，這筆交易需要"],
    );
    said(
        &desk.ask(&["quota", "show", "2"]).await,
        0,
        &["used of 1000"],
    );
    let stranger = ["permission", "show", &other];
    said(
        &desk.ask(&stranger).await,
        0,
        &["no organisation", "send, deploy, attest"],
    );
}

/// What an association may change by itself: its contact, and records of chains that it runs.
async fn records_are_kept_current(desk: &Desk, key: &str) {
    let contact = ["org", "set-contact", "https://e.example/contact"];
    let dry = [contact.as_slice(), &["--dry-run", "--lang", "zh-TW"]].concat();
    said(
        &desk.act(key, &dry).await,
        0,
        &["台灣測試公會戊", "- → https://e.example/contact"],
    );
    desk.done(key, &contact).await;
    let insecure = ["org", "set-contact", "http://e.example"];
    said(&desk.act(key, &insecure).await, 2, &["https"]);

    let register = ["org", "register-chain", "eip155:1337", "--technology"];
    desk.done(key, &[register.as_slice(), &["besu-24"]].concat())
        .await;
    let update = ["org", "update-chain", "eip155:1337", "--technology"];
    let update = [update.as_slice(), &["besu-25"]].concat();
    desk.done(key, &update).await;
    let other = desk.act(&desk.key(0), &update).await;
    said(&other, 2, &["Test Association A (no. 1)"]);
    let unknown = ["org", "retire-chain", "eip155:9"];
    said(
        &desk.act(key, &unknown).await,
        2,
        &["no chain `eip155:9`", "tbsi org chains"],
    );
    desk.done(key, &["org", "retire-chain", "eip155:1337"])
        .await;
    let chains = json_of(&desk.ask(&["org", "chains", "--json"]).await);
    let chain = &chains["chains"][0];
    assert_eq!(
        (&chain["technology"], &chain["status"]),
        (&"besu-25".into(), &"retired".into())
    );
    desk.done(key, &["org", "resume-chain", "1"]).await;
}

/// By a variant of a character, and in capitals: other names to the chain, the same to people.
async fn a_name_like_anothers_is_pointed_out(desk: &Desk) {
    let list = ["org", "list"];
    let before = desk.ask(&list).await;
    said(&before, 0, &["Test Association E"]);
    assert!(!before.stdout.contains("WARNING"), "{}", before.stdout);
    let details = organisation(Address::ZERO)
        .replace("台灣測試公會戊", "臺灣測試公會甲")
        .replace("Test Association E", "TEST ASSOCIATION A");
    // An amendment has no account and no permissions.
    let (details, _) = details.split_once("account =").expect("an account");
    let file = desk.write("alike.toml", details);
    let amend = ["amend-organisation", "5", file.as_str()];
    desk.decide(&amend, &[0, 2, 3]).await;
    let words = "WARNING: its name looks like that of Test Association A (no. 1)";
    said(&desk.ask(&list).await, 0, &[words]);
    let zh_tw = [&list[..], &["--lang", "zh-TW"]].concat();
    let words = "注意：名稱與台灣測試公會甲（編號 1）相似";
    said(&desk.ask(&zh_tw).await, 0, &[words]);
    let json = json_of(&desk.ask(&[&list[..], &["--json"]].concat()).await);
    let organisations = json["organisations"].as_array().expect("a list");
    let like = organisations.iter().map(|it| it["looksLike"].clone());
    let like: Vec<Value> = like.collect();
    let (none, first) = (serde_json::json!([]), serde_json::json!([1]));
    assert_eq!(like, [&none, &none, &none, &none, &first].map(Value::clone));
}

#[tokio::test]
async fn a_validator_rotates_its_key_under_traffic() {
    let mut desk = Desk::with_epochs(10).await;
    let (home, key) = (desk.net.network.home(3), desk.key(3));
    let home = home.display().to_string();
    let rotate = ["keys", "rotate", "--home", &home];
    let before = desk.net.validator_address(3);

    // A dry run leaves no key behind.
    let dry = [rotate.as_slice(), &["--dry-run"]].concat();
    said(
        &desk.act(&key, &dry).await,
        0,
        &[&before.to_string(), "nothing was sent"],
    );
    assert!(!desk.net.home(3).next_validator_key_file().exists());

    let over = Arc::new(AtomicBool::new(false));
    let (client, stop) = (desk.net.client(0), over.clone());
    let mut sender = Sender::new("traffic", desk.net.network.chain_id());
    let traffic = tokio::spawn(async move {
        let mut sent = 0u64;
        while !stop.load(Ordering::Relaxed) {
            sender.transfer(&client).await.expect("a transfer is final");
            sent += 1;
        }
        sent
    });
    let rotated = desk.done(&key, &rotate).await;
    let after: Address = rotated["validator"]
        .as_str()
        .expect("an address")
        .parse()
        .expect("one");
    let height = Height(rotated["height"].as_u64().expect("a height"));
    eventually("the node signs with its new key", async || {
        let client = desk.net.client(0);
        let latest = client.certificate(BlockNumberOrTag::Latest);
        let latest = latest
            .await
            .expect("the node answers")
            .expect("a certificate");
        latest.signatures.iter().any(|it| it.validator == after)
    })
    .await;
    over.store(true, Ordering::Relaxed);
    assert!(traffic.await.expect("the traffic") > 0);

    let validators = desk.validators().await;
    assert!(validators.contains(&after) && !validators.contains(&before));
    assert_eq!(desk.net.validator_address(3), after);
    let old = desk
        .net
        .client(0)
        .validators(BlockNumberOrTag::Number(height.0))
        .await;
    let old = old.expect("the node answers").expect("a set");
    assert!(
        old.validators.iter().any(|it| it.address == before),
        "in its own block"
    );
    desk.net.wait_height(3, height.next()).await;

    who_has_the_new_key_is_named(&desk).await;
    other_rotations(&desk, &home, &key).await;
    proofs_that_begin_later(&desk).await;
    desk.net.assert_no_panic();
}

/// The genesis file knows the old key alone.
async fn who_has_the_new_key_is_named(desk: &Desk) {
    let network = &desk.net.network;
    let genesis = network.genesis_file().display().to_string();
    let key = network.development_key_file(1).display().to_string();
    let (file, proof) = (
        desk.write("keys.txt", "after a rotation"),
        desk.path("keys.json"),
    );
    let attest = ["attest", "--genesis", &genesis, &file];
    said(&desk.act(&key, &attest).await, 0, &[]);
    let prove = ["prove", "--file", &file, "--with-names", "--out", &proof];
    said(&desk.ask(&prove).await, 0, &[]);
    let verify = ["verify", &proof, "--file", &file, "--genesis", &genesis];
    let words = ["identifiers of 4 of 4 validators are proved"];
    said(&tbsi(&verify).await, 0, &words);
}

/// After more changes than one proof can show, which is as many as this node says.
async fn proofs_that_begin_later(desk: &Desk) {
    let network = &desk.net.network;
    let node = network.rpc_url(0).replace("http://", "");
    let node = node.parse().expect("an address");
    let from_genesis = |method: &str, params: &Value| {
        let begins = &params[1]["from"];
        method == "tbsi_getProof" && (begins.is_null() || *begins == 0)
    };
    let url = format!("http://{}", stand_in(node, from_genesis).await);
    let genesis = network.genesis_file().display().to_string();
    let key = network.development_key_file(1).display().to_string();
    let file = desk.write("deed.txt", "after many changes");
    let args = [
        "attest",
        &file,
        "--key",
        &key,
        "--genesis",
        &genesis,
        "--rpc",
        &url,
    ];
    said(&tbsi(&args).await, 0, &["the proofs begin at height"]);
    let proof = format!("{file}.tbsi.json");
    let verify = ["verify", &proof, "--genesis", &genesis];
    said(&tbsi(&verify).await, 2, &["give --handovers"]);
    let (kept, log) = (desk.path("handovers"), network.rpc_url(0) + "/log");
    let args = [
        "log",
        "handovers",
        "--genesis",
        &genesis,
        "--out",
        &kept,
        "--log",
        &log,
    ];
    said(&tbsi(&args).await, 0, &["of the validator set"]);
    let args = [verify.as_slice(), &["--handovers", &kept]].concat();
    said(&tbsi(&args).await, 0, &["THE PROOF HOLDS"]);
}

async fn other_rotations(desk: &Desk, home: &str, key: &str) {
    let rotate = ["keys", "rotate", "--home", home];
    let other = desk.act(&desk.key(0), &rotate).await;
    said(
        &other,
        2,
        &["Test Association D (no. 4)", "Test Association A (no. 1)"],
    );
    for (kind, name) in [("peer", "node"), ("log", "log")] {
        let rotate = ["keys", "rotate", kind, "--home", home];
        let current = desk.net.network.home(3).join(format!("keys/{name}.key"));
        let old = fs::read(&current).expect("the key");
        desk.done(key, &rotate).await;
        assert_ne!(fs::read(&current).expect("the key"), old, "{kind}");
    }
}
