//! What a reader of files finds, when no node is there any more.

use std::fs;

use tbsi_rpc::Client;
use tbsi_tests::council::Actor;
use tbsi_tests::harness::{TestNetwork, eventually, said, tbsi};
use tbsi_types::{LeafIndex, SecretKey};

use super::{attest_as, tell};

/// Proofs in files, and the genesis file.
pub(super) struct Files {
    genesis: String,
    rpc: String,
    dir: std::path::PathBuf,
}

impl Files {
    pub(super) fn of(net: &TestNetwork) -> Self {
        Self {
            genesis: net.network.genesis_file().display().to_string(),
            rpc: net.network.rpc_url(0),
            dir: net.scratch().to_owned(),
        }
    }

    fn named(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// Fetches a proof into a file.
    pub(super) async fn fetch(&self, name: &str, args: &[&str]) {
        let out = self.named(name);
        let common = ["prove", "--rpc", &self.rpc, "--out", &out];
        said(&tbsi(&[&common[..], args].concat()).await, 0, &[]);
    }

    async fn verify(&self, name: &str, words: &[&str]) {
        let proof = self.named(name);
        let args = ["verify", &proof, "--genesis", &self.genesis];
        said(&tbsi(&args).await, 0, words);
    }

    /// A statement by the sixth association, while it is a member.
    pub(super) async fn sixth_attests(&self, client: &Client, chain_id: u64, key: &SecretKey) {
        let key = SecretKey::parse(&key.expose()).unwrap();
        attest_as(
            client,
            &Actor::new(key, chain_id),
            b"by the sixth association",
        )
        .await;
    }

    /// After everything: what is fetched last, from nodes that know it all.
    pub(super) async fn fetch_last(&self, client: &Client, sixth: &str) {
        let last = last_attestation(client).await.0.to_string();
        eventually("a root of the map is told", async || {
            let out = self.named("probe.json");
            let args = ["prove", "--rpc", &self.rpc, "--index", &last];
            let args = [&args[..], &["--with-status", "--out", &out]].concat();
            let ended = tbsi(&args).await;
            drop(fs::remove_file(&out));
            ended.code == Some(0)
        })
        .await;
        self.fetch("new.json", &["--index", &last, "--with-status"])
            .await;
        let digest = alloy_primitives::hex::encode(tbsi_types::sha256(&[b"never attested"]));
        self.fetch("no.json", &[&digest, "--absent"]).await;
        let digest =
            alloy_primitives::hex::encode(tbsi_types::sha256(&[b"by the sixth association"]));
        let named = [&digest, "--issuer", sixth, "--with-names"];
        self.fetch("named.json", &named).await;
    }

    /// With the genesis file, and nothing that answers.
    pub(super) async fn all_hold(&self) {
        self.verify("old.json", &["THE PROOF HOLDS", "台灣測試公會"])
            .await;
        self.verify("new.json", &["THE PROOF HOLDS", "not revoked as of block"])
            .await;
        self.verify("no.json", &["was not attested up to block"])
            .await;
        let words = [
            "THE PROOF HOLDS",
            "Test Association F 台灣測試公會己, 統一編號",
            ", its account since block",
        ];
        self.verify("named.json", &words).await;
        let (proof, report) = (self.named("named.json"), self.named("report.html"));
        let args = [
            "report",
            &proof,
            "--genesis",
            &self.genesis,
            "--out",
            &report,
        ];
        said(&tbsi(&args).await, 0, &["THE PROOF HOLDS"]);
        let text = fs::read_to_string(&report).unwrap();
        for words in ["Test Association F", "since block"] {
            assert!(text.contains(words), "{words}");
        }
        tell(
            "no node runs any more: an old proof, a new one with its status, a proof of absence, \
             and a report that names an association which has left, from files alone",
        );
    }
}

/// The newest leaf that attests something.
async fn last_attestation(client: &Client) -> LeafIndex {
    let latest = alloy_eips::BlockNumberOrTag::Latest;
    let checkpoint = client.checkpoint(latest).await.unwrap().unwrap();
    let mut index = checkpoint.log_size.0;
    loop {
        index -= 1;
        let leaf: serde_json::Value = client
            .request("tbsi_getLeaf", &[index.into()])
            .await
            .unwrap();
        if leaf["statement"]["kind"] == "attestation" {
            return LeafIndex(index);
        }
    }
}
