//! From Fabric to TBSI: an entry of the outbox on a real channel becomes an attestation on a TBSI
//! network of real processes, with the commands that people type, and is verified offline.

use std::fs;

use alloy_primitives::hex;
use serde_json::{Value, json};
use tbsi_bridge::evm::validator_set;
use tbsi_tests::harness::{Ended, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_types::ProofBundle;
use tbsi_types::log::Leaf;

use crate::people::{Member, NAMES};
use crate::real::RealFabric;

/// Both networks.
struct Facts {
    net: TestNetwork,
    fabric: RealFabric,
}

impl Facts {
    fn key(&self, node: usize) -> String {
        let file = self.net.home(node).account_key_file();
        file.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.net.scratch().join(name).display().to_string()
    }

    fn genesis(&self) -> String {
        self.net.network.genesis_file().display().to_string()
    }

    async fn ask(&self, args: &[&str]) -> Ended {
        let url = self.net.network.rpc_url(0);
        tbsi(&[args, &["--rpc", &url]].concat()).await
    }

    async fn act(&self, node: usize, args: &[&str]) -> Ended {
        let key = self.key(node);
        self.ask(&[args, &["--key", &key]].concat()).await
    }

    async fn done(&self, node: usize, args: &[&str]) -> Value {
        json_of(&self.act(node, &[args, &["--json"]].concat()).await)
    }

    /// Proposes, votes and executes; the motion's number.
    async fn decide(&self, propose: &[&str]) -> String {
        let args = [&["motion", "propose"], propose].concat();
        let motion = self.done(0, &args).await["motion"]["motion"].to_string();
        for voter in 0..3 {
            let voted = self.done(voter, &["motion", "vote", &motion, "yes"]).await;
            if voted["motion"]["status"] == "executable" {
                break;
            }
        }
        self.done(0, &["motion", "execute", &motion]).await;
        motion
    }

    fn member(&self, organisation: usize, admin: bool) -> Member {
        let told = &self.fabric.told;
        let of = &told.organisations[organisation];
        let who = if admin {
            &of.users.admin
        } else {
            &of.users.user1
        };
        Member::new(told, of, who)
    }

    /// The channel's client of the network begins with the checkpoint of a proof, which was
    /// verified.
    async fn open(&self) {
        let (file, out) = (self.path("first.txt"), self.path("first.json"));
        fs::write(&file, "the first file").unwrap();
        let genesis = self.genesis();
        let attest = ["attest", &file, "--genesis", &genesis, "--out", &out];
        said(&self.act(0, &attest).await, 0, &[]);
        said(
            &tbsi(&["verify", &out, "--genesis", &genesis]).await,
            0,
            &[],
        );
        let bundle = ProofBundle::parse_json(&fs::read(&out).unwrap()).unwrap();
        let argument = json!({
            "adminMspId": "Org1MSP", "adminUnit": "admin",
            "chainId": self.net.genesis().chain_id,
            "genesisHash": bundle.genesis_hash,
            "checkpoint": hex::encode_prefixed(bundle.decision.checkpoint.encode()),
            "validatorSet": hex::encode_prefixed(validator_set(&bundle.validators)),
            "strict": false, "trustPeriodSeconds": 86_400,
        });
        let administrator = self.member(0, true);
        let argument = argument.to_string();
        // Gateways find the peers of others some time after they have started.
        eventually("peers of both endorse", async || {
            administrator.endorse("InitClient", &argument).await.is_ok()
        })
        .await;
        let code = administrator.invoke("InitClient", &argument);
        assert_eq!(code.await, 0);
        // What is attested here is verified by the chaincode there.
        let proof = self.fabric.argument_of(&out);
        let found = administrator
            .ask("VerifyAttestation", &proof)
            .await
            .unwrap();
        let found: Value = serde_json::from_slice(&found).unwrap();
        let issuer = Leaf::decode(&bundle.leaf).unwrap().head.issuer;
        assert_eq!(found["issuer"], hex::encode_prefixed(issuer));
    }

    async fn send(&self, sequence: u64) {
        let argument = json!({
            "sequence": sequence, "timeoutSeconds": 4_000_000_000_u64,
            "receiver": format!("0x{}", "be".repeat(20)),
            "payloadHash": format!("0x{}", "01".repeat(32)),
        });
        let (member, argument) = (self.member(1, false), argument.to_string());
        let sent = member.invoke("SendMessage", &argument);
        assert_eq!(sent.await, 0);
    }

    /// A relayer's home, for its gateways and its enrolment.
    async fn home(&self) -> String {
        let told = &self.fabric.told;
        let [one, two] = &told.organisations[..] else {
            panic!("two organisations");
        };
        let home = self.path("R");
        let shown = |file: &std::path::Path| file.display().to_string();
        let (genesis, source) = (self.genesis(), self.net.network.rpc_url(0));
        let (one_ca, two_ca) = (shown(&one.tls_roots), shown(&two.tls_roots));
        let who = &one.users.user1;
        let (certificate, key) = (shown(&who.certificate), shown(&who.key));
        let made = tbsi(&[
            "relay",
            "init-fabric",
            "--home",
            &home,
            "--genesis",
            &genesis,
            "--source",
            &source,
            "--channel",
            &told.channel,
            "--gateway",
            &one.gateway,
            "--tls-roots",
            &one_ca,
            "--gateway",
            &two.gateway,
            "--tls-roots",
            &two_ca,
            "--msp-id",
            &one.msp_id,
            "--certificate",
            &certificate,
            "--member-key",
            &key,
            "--name-en",
            NAMES.0,
            "--name-zh-tw",
            NAMES.1,
        ])
        .await;
        said(&made, 0, &["begins with block"]);
        home
    }

    /// The contract, with a channel that a motion resolved; its address.
    async fn contract(&self) -> String {
        let told = &self.fabric.told;
        let description = self.path("channel.bin");
        let genesis = self.genesis();
        let root = |at: usize| {
            let of = &told.organisations[at];
            format!("{}={}", of.msp_id, of.root.display())
        };
        let (one, two) = (root(0), root(1));
        let described = tbsi(&[
            "fact",
            "fabric",
            "describe",
            "--channel",
            &told.channel,
            "--genesis",
            &genesis,
            "--needed",
            "2",
            "--organisation",
            &one,
            "--organisation",
            &two,
            "--out",
            &description,
        ])
        .await;
        said(
            &described,
            0,
            &["2 of 2 organisations", "tbsi motion propose resolve"],
        );
        let shown = tbsi(&["fact", "fabric", "show", &description, "--lang", "zh-TW"]).await;
        said(&shown, 0, &["2 個機構中的 2 個"]);
        let deployed = self.done(0, &["fact", "fabric", "deploy"]).await;
        let contract = deployed["contract"].as_str().unwrap().to_owned();
        let account = ["set-account", "1", &contract, "--permissions", "attest"];
        self.decide(&account).await;
        let motion = self.decide(&["resolve", "--file", &description]).await;
        let register = [
            "fact",
            "fabric",
            "register",
            &description,
            "--contract",
            &contract,
        ];
        let registered = self
            .done(0, &[&register[..], &["--motion", &motion]].concat())
            .await;
        assert_eq!(registered["channel"], 1);
        contract
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_a_channel_is_attested_and_verified_offline() {
    let Some(fabric) = RealFabric::start("fabric facts", 1).await else {
        return;
    };
    let net = TestNetwork::start(4, 0).await;
    let facts = Facts { net, fabric };
    facts.open().await;
    facts.send(1).await;
    let (home, contract) = (facts.home().await, facts.contract().await);
    let (entry, proof) = (facts.path("entry.json"), facts.path("entry.proof.json"));
    let import = |sequence: &'static str, organisations: &'static [&'static str], out: &str| {
        let mut args: Vec<String> = [
            "fact",
            "fabric",
            "import",
            "--contract",
            &contract,
            "--channel",
            "1",
            "--home",
            &home,
            "--msp-id",
            "Org2MSP",
            "--sequence",
            sequence,
            "--out",
            out,
        ]
        .map(String::from)
        .to_vec();
        for one in organisations {
            args.extend(["--organisation".to_owned(), (*one).to_owned()]);
        }
        args
    };
    let both = &["Org1MSP", "Org2MSP"][..];
    let run = async |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        facts.act(0, &args).await
    };
    // An entry that is not there, and too few who state it.
    let missing = run(import("2", both, &entry)).await;
    assert_ne!(missing.code, Some(0));
    assert!(
        missing.stderr.contains("OutboxUnknown"),
        "{}",
        missing.stderr
    );
    let few = run(import("1", &["Org1MSP"], &entry)).await;
    assert_ne!(few.code, Some(0), "{}", few.stdout);
    assert!(!std::path::Path::new(&entry).exists());
    let imported = run(import("1", both, &entry)).await;
    said(
        &imported,
        0,
        &["assurance fabricEndorsedRead", "Org1MSP, Org2MSP"],
    );
    let text: Value = serde_json::from_slice(&fs::read(&entry).unwrap()).unwrap();
    assert_eq!(text["message"]["sequence"], 1);
    // Once only.
    let again = run(import("1", both, &facts.path("again.json"))).await;
    assert_ne!(again.code, Some(0));
    // Offline, from the genesis file alone.
    let prove = [
        "prove", "--file", &entry, "--issuer", &contract, "--out", &proof,
    ];
    said(&facts.ask(&prove).await, 0, &[]);
    let genesis = facts.genesis();
    let verify = ["verify", &proof, "--genesis", &genesis, "--file", &entry];
    said(&tbsi(&verify).await, 0, &[&contract.to_lowercase()[..10]]);
    fs::write(&entry, "{}").unwrap();
    assert_ne!(tbsi(&verify).await.code, Some(0));
    facts.net.assert_no_panic();
}
