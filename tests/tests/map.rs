//! What is current, proven: that a file was not attested, that an attestation was not revoked, on a
//! network of real processes, with the commands that people type.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tbsi_tests::harness::{Ended, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_tests::issuer::{Issuer, acknowledge, revokeCall};
use tbsi_types::B256;
use tbsi_types::bundle::{MapBundle, ProofBundle};
use tbsi_types::log::{Leaf, Statement};

/// Shortest period that genesis allows.
const PERIOD_MS: u64 = 1_000;

struct Desk {
    net: TestNetwork,
    genesis: String,
    key: String,
}

impl Desk {
    async fn open() -> Self {
        let net = TestNetwork::create_with(4, 1, |spec| {
            spec.consensus.map_period_ms = Some(PERIOD_MS);
            spec.consensus.empty_block_interval_ms = 300;
        });
        let net = net.started().await;
        let genesis = net.network.genesis_file().display().to_string();
        let key = net.network.development_key_file(1).display().to_string();
        Self { net, genesis, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.net.scratch().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).expect("write a file");
        path.display().to_string()
    }

    async fn ask(&self, node: usize, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(node);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    /// Fetches a proof into a file of this name.
    async fn prove(&self, node: usize, name: &str, args: &[&str]) -> (String, Ended) {
        let out = self.path(name).display().to_string();
        let ended = self
            .ask(node, &[&["prove", "--out", &out], args].concat())
            .await;
        (out, ended)
    }

    async fn verify(&self, proof: &str, extra: &[&str]) -> Ended {
        let args = ["verify", proof, "--genesis", &self.genesis];
        tbsi(&[args.as_slice(), extra].concat()).await
    }

    async fn attest(&self, file: &str) -> Value {
        let args = [
            "attest",
            "--json",
            "--genesis",
            &self.genesis,
            "--key",
            &self.key,
            file,
        ];
        let done = json_of(&self.ask(0, &args).await);
        done["files"][0].clone()
    }

    /// Waits until `node` has a root of the map behind leaf `index`.
    async fn told(&self, node: usize, index: &Value) {
        let client = self.net.client(node);
        let mut next = index.as_u64().expect("a position") + 1;
        eventually("a root of the map", async || {
            let leaf: Value = client
                .request("tbsi_getLeaf", &[next.into()])
                .await
                .expect("an answer");
            let told = leaf["statement"]["kind"] == "mapRoot";
            next += u64::from(!leaf.is_null() && !told);
            told
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_said_is_proven() {
    let desk = Desk::open().await;
    let a = desk.write("a.pdf", b"one report");
    let b = desk.write("b.pdf", b"another report");
    let first = desk.attest(&b).await;
    desk.told(4, &first["leafIndex"]).await;
    let args = ["--absent", "--file", &a];
    eventually("the map has a root", async || {
        desk.prove(4, "early.json", &args).await.1.code == Some(0)
    })
    .await;

    // Not attested: by an observer, offline, in both forms and languages.
    let (proof, fetched) = desk
        .prove(4, "a.absent.json", &["--absent", "--file", &a])
        .await;
    said(&fetched, 0, &["not attested up to block"]);
    said(
        &desk.verify(&proof, &["--file", &a]).await,
        0,
        &["was not attested up to block"],
    );
    said(
        &desk.verify(&proof, &["--file", &b]).await,
        1,
        &["another digest"],
    );
    said(
        &desk.verify(&proof, &["--lang", "zh-TW"]).await,
        0,
        &["未經存證"],
    );
    let args = ["--absent", "--with-names", "--file", &a];
    let (named, fetched) = desk.prove(0, "a.named.json", &args).await;
    said(&fetched, 0, &["not attested up to block"]);
    let words = ["was not attested up to block", "validators are proved"];
    said(&desk.verify(&named, &["--file", &a]).await, 0, &words);
    let args = ["--absent", "--compact", "--file", &a];
    let (compact, _) = desk.prove(0, "a.absent.tbsi", &args).await;
    let told = json_of(&desk.verify(&compact, &["--json"]).await);
    assert_eq!(told["verdict"], "valid");
    assert_eq!(told["map"]["digests"][0]["first"], Value::Null);
    changed_proofs_are_refused(&desk, &compact).await;

    // Present: there is no such proof any more, but one that it was not before.
    let stated = desk.attest(&a).await;
    desk.told(4, &stated["leafIndex"]).await;
    let height = stated["height"].to_string();
    let (_, fetched) = desk.prove(4, "none", &["--absent", "--file", &a]).await;
    said(&fetched, 1, &["it was attested: first in block", &height]);
    let args = ["--absent", "--file", &a, "--before", &height];
    let (before, fetched) = desk.prove(4, "a.before.json", &args).await;
    said(&fetched, 0, &["not attested before block", &height]);
    said(
        &desk.verify(&before, &[]).await,
        0,
        &["was first attested in block", &height],
    );

    status_travels_with_the_proof(&desk, &a, &stated).await;
    desk.net.assert_no_panic();
}

async fn status_travels_with_the_proof(desk: &Desk, a: &str, stated: &Value) {
    let id = stated["id"].as_str().expect("an id").to_owned();
    let (proof, fetched) = desk
        .prove(1, "a.status.json", &[&id, "--with-status"])
        .await;
    said(&fetched, 0, &["tbsi verify"]);
    let told = json_of(&desk.verify(&proof, &["--file", a, "--json"]).await);
    assert_eq!(told["verdict"], "valid");
    assert_eq!(told["revocation"]["status"], "notRevoked");
    assert_eq!(
        (&told["revocation"]["source"], &told["revocation"]["proven"]),
        (&"map".into(), &true.into())
    );
    let plain = [
        "THE PROOF HOLDS; not revoked as of block",
        "known up to block",
    ];
    said(&desk.verify(&proof, &["--file", a]).await, 0, &plain);
    ages(desk, a, &proof).await;
    let small = stapled_bytes(&proof);
    assert!(small <= 2_000, "a status adds {small} bytes");

    // Too early for what was stated just now.
    let c = desk.write("c.pdf", b"a third report");
    let new = desk.attest(&c).await;
    let by = new["id"].as_str().expect("an id").to_owned();
    desk.told(0, &new["leafIndex"]).await;
    let (_, fetched) = desk.prove(0, "c.json", &["--status", &by]).await;
    said(&fetched, 0, &[]);

    // Somebody else's revocation changes nothing; the issuer's own does.
    let call = revokeCall {
        id: id.parse::<B256>().expect("an id"),
        reason: 4,
    };
    let mut stranger = Issuer::new("stranger", &desk.net);
    let client = desk.net.client(0);
    let said_by_stranger = acknowledge(&client, &stranger.sign(&call)).await;
    let at = said_by_stranger.expect("anybody may say it").leaves.first;
    desk.told(1, &at.0.into()).await;
    let (proof, _) = desk.prove(1, "a.stranger.json", &["--status", &id]).await;
    let ended = desk.verify(&proof, &["--json"]).await;
    assert_eq!(json_of(&ended)["revocation"]["status"], "notRevoked");
    let done = desk
        .ask(
            0,
            &["revoke", &id, "--key", &desk.key, "--reason", "2", "--json"],
        )
        .await;
    let done = json_of(&done);
    desk.told(3, &done["leafIndex"]).await;
    let (void, _) = desk.prove(3, "a.void.json", &["--status", &id]).await;
    let ended = desk.verify(&void, &[]).await;
    said(
        &ended,
        1,
        &["THE PROOF HOLDS, BUT REVOKED at", "by its issuer"],
    );
    let ended = desk.verify(&void, &["--json"]).await;
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!((&told["verdict"], ended.code), (&"void".into(), Some(1)));
    assert_eq!(
        told["revocation"]["revocation"]["leafIndex"],
        done["leafIndex"]
    );
    // Every node has the same log, so the same roots.
    let (other, _) = desk.prove(4, "a.void-4.json", &["--status", &id]).await;
    said(&desk.verify(&other, &[]).await, 1, &["REVOKED at"]);
    said(
        &desk.verify(&void, &["--lang", "zh-TW"]).await,
        1,
        &["已於", "撤銷"],
    );
}

/// Whoever relies on a status says how old it may be.
async fn ages(desk: &Desk, a: &str, proof: &str) {
    let recent = desk.verify(proof, &["--status-max-age", "1d"]).await;
    said(&recent, 0, &["by this machine's clock"]);
    let late = ["--status-max-age", "1d", "--at", "2199-01-01T00:00:00Z"];
    said(
        &desk.verify(proof, &late).await,
        2,
        &["COULD NOT TELL", "fetch the proof again"],
    );
    let args = [&late[..], &["--json"]].concat();
    let ended = desk.verify(proof, &args).await;
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!((&told["code"], ended.code), (&"statusOld".into(), Some(2)));
    let bare = format!("{a}.tbsi.json");
    let ended = desk
        .verify(&bare, &["--status-max-age", "1d", "--json"])
        .await;
    let told: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(
        (&told["code"], ended.code),
        (&"statusMissing".into(), Some(2))
    );
    let early = ["--at", "2199-01-01T00:00:00Z"];
    said(&desk.verify(proof, &early).await, 2, &["--status-max-age"]);
}

/// What a status adds to a bundle.
fn stapled_bytes(proof: &str) -> usize {
    let text = fs::read(proof).expect("a proof");
    let bundle = MapBundle::parse_json(&text).expect("a proof with status");
    let with = bundle.encode().expect("it has a compact form").len();
    with - bundle.proof.encode().expect("it has one too").len()
}

/// Each bit of the map's part counts.
async fn changed_proofs_are_refused(desk: &Desk, compact: &str) {
    let good = fs::read(compact).expect("a proof");
    let bundle = MapBundle::decode(&good).expect("a proof");
    let leaf = Leaf::decode(&bundle.proof.leaf).expect("a leaf");
    assert!(matches!(leaf.statement, Statement::MapRoot(_)));
    let part = bundle.proof.encode().expect("a proof").len() + 6;
    for place in (part..good.len()).step_by(17) {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        let file = desk.path("changed.tbsi");
        fs::write(&file, &bytes).expect("write a file");
        let ended = desk.verify(&file.display().to_string(), &[]).await;
        // A digest that nobody attested may be changed into another one.
        let other = MapBundle::decode(&bytes);
        let asked =
            other.is_ok_and(|other| other.entries[0].question != bundle.entries[0].question);
        assert!(
            asked || ended.code != Some(0),
            "byte {place}: {}",
            ended.stdout
        );
    }
    let plain = ProofBundle::decode(&good);
    assert!(
        plain.is_err(),
        "who knows no map does not take it for a bundle"
    );
}
