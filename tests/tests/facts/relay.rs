//! From TBSI to GoQuorum: light client, inbox and relayer, with the commands that people type.

use std::path::Path;

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tbsi_bindings::bridge::LightClient::{isRecordedCall, updateCall, verifyAttestationCall};
use tbsi_bridge::evm::decision;
use tbsi_rpc::wire::LeafSelector;
use tbsi_tests::bridge::quorum::FOREIGN_CHAIN_ID;
use tbsi_tests::harness::{json_of, said, tbsi};
use tbsi_types::log::InclusionProof;
use tbsi_types::{LeafIndex, ProofBundle};

use crate::Stage;

/// `eth_call` on GoQuorum.
async fn call<C: SolCall>(stage: &Stage, to: Address, call: &C) -> Result<C::Return, String> {
    let request = json!({ "to": to, "data": Bytes::from(call.abi_encode()) });
    let params = [request, json!("latest")];
    let answer: Result<Bytes, _> = stage.quorum.client().request("eth_call", &params).await;
    let answer = answer.map_err(|error| error.to_string())?;
    C::abi_decode_returns(&answer).map_err(|error| error.to_string())
}

/// Attests a file on TBSI; returns the index of its leaf.
async fn attest(stage: &Stage) -> u64 {
    let file = stage.path("for-goquorum");
    std::fs::write(&file, "minutes of the assembly").unwrap();
    let (key, url) = (stage.key(1), stage.net.network.rpc_url(0));
    let attested = tbsi(&["attest", &file, "--key", &key, "--rpc", &url, "--json"]).await;
    assert_eq!(attested.code, Some(0), "{}", attested.stderr);
    let said: Value = serde_json::from_str(attested.stdout.lines().last().unwrap()).unwrap();
    said["files"][0]["leafIndex"].as_u64().expect("a leaf")
}

/// Deploys light client and inbox; returns their addresses.
async fn deploy(stage: &Stage) -> (Address, Address) {
    let genesis = stage.net.network.genesis_file().display().to_string();
    let (key, url) = (stage.key(1), stage.quorum.url());
    let to = ["--deploy-to", url, "--key", &key];
    let contract = ["relay", "contract", "--genesis", &genesis];
    let guardian = Address::repeat_byte(5).to_string();
    let short = [
        "--guardian",
        &guardian,
        "--trust-period-s",
        "259200",
        "--lang",
        "zh-TW",
    ];
    let refused = stage.ask(&[&contract, &short[..], &to].concat()).await;
    said(&refused, 2, &["--guardian 時至少須為 345600"]);
    let (council, cold) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let (council, cold) = (council.to_string(), cold.to_string());
    let bodies = [
        "--council",
        &council,
        "--cold-key",
        &cold,
        "--guardian",
        &guardian,
        "--json",
    ];
    let deployed = stage.ask(&[&contract, &bodies[..], &to].concat()).await;
    let deployed = json_of(&deployed);
    assert_eq!(deployed["recoverable"], true, "{deployed}");
    let client = deployed["lightClient"].as_str().unwrap().to_owned();
    let inbox = ["relay", "inbox", "--light-client", &client, "--json"];
    let inbox = json_of(&tbsi(&[&inbox[..], &to].concat()).await);
    let inbox = inbox["inbox"].as_str().unwrap();
    (client.parse().unwrap(), inbox.parse().unwrap())
}

/// A relayer's home, as `tbsi relay init` makes it, with this finality.
async fn relayer(stage: &Stage, name: &str, on: (Address, Address), finality: &str) -> String {
    let home = stage.path(name);
    let genesis = stage.net.network.genesis_file().display().to_string();
    let (source, target) = (stage.net.network.rpc_url(0), stage.quorum.url());
    let (id, client) = (FOREIGN_CHAIN_ID.to_string(), on.0.to_string());
    let inbox = on.1.to_string();
    let mut init = vec!["relay", "init", "--home", &home, "--genesis", &genesis];
    init.extend(["--source", &source, "--target", target, "--chain-id", &id]);
    init.extend(["--light-client", &client, "--inbox", &inbox]);
    init.extend(["--finality", finality, "--bytes-max", "65536", "--free"]);
    init.extend(["--name-en", "Association A", "--all"]);
    said(&tbsi(&init).await, 0, &["is ready"]);
    assert!(Path::new(&home).join("config.toml").is_file());
    home
}

async fn of(command: &str, home: &str, more: &[&str]) -> tbsi_tests::harness::Ended {
    tbsi(&[&["relay", command, "--home", home], more].concat()).await
}

pub(crate) async fn what_is_attested_is_proven_there(stage: &Stage) {
    let leaf = attest(stage).await;
    let on = deploy(stage).await;
    // Its nodes know no tag for final blocks, which is said before anything is sent.
    let wrong = relayer(stage, "tagged", on, "finalized").await;
    let refused = of("check", &wrong, &[]).await;
    said(
        &refused,
        1,
        &["QBFT or IBFT 2.0", "target.finality = \"instant\""],
    );
    let home = relayer(stage, "relayer", on, "instant").await;
    let checked = json_of(&of("check", &home, &["--json"]).await);
    assert_eq!(checked["rules"], "Istanbul or Berlin", "{checked}");
    assert_eq!(checked["transactionType"], 0, "{checked}");
    assert_eq!(checked["finality"], "instant", "{checked}");
    let text = of("check", &home, &[]).await;
    said(
        &text,
        0,
        &["rules Istanbul or Berlin, transactions of type 0, finality instant"],
    );
    said(&of("dry-run", &home, &[]).await, 0, &["gas, at most 0 wei"]);
    let carried = of("clear", &home, &[]).await;
    assert_eq!(carried.code, Some(0), "{}", carried.stderr);
    let recorded = call(stage, on.0, &isRecordedCall { index: leaf }).await;
    assert_eq!(recorded, Ok(true));
    let audit = of("audit", &home, &[]).await;
    said(&audit, 0, &["the record is what both chains say"]);
    proven_by_a_call(stage, on.0, leaf).await;
}

/// A contract there would make the same call.
async fn proven_by_a_call(stage: &Stage, client: Address, index: u64) {
    let selector = LeafSelector::Index(LeafIndex(index));
    let proof = stage.net.client(0).proof(&selector).await.unwrap();
    let proof = proof.expect("a leaf").get().to_owned();
    let bundle = ProofBundle::parse_json(proof.as_bytes()).unwrap();
    let update = updateCall {
        decision: decision(&bundle.decision, &bundle.validators),
    };
    let input = update.abi_encode().into();
    stage.quorum.transact("a stranger", 0, client, input).await;
    let InclusionProof(path) = bundle.inclusion.clone();
    let verify = verifyAttestationCall {
        leaf: bundle.leaf.clone().into(),
        index,
        checkpoint: bundle.decision.checkpoint.encode().to_vec().into(),
        path,
    };
    let attested = call(stage, client, &verify).await.unwrap();
    let digest = tbsi_types::sha256(&[b"minutes of the assembly"]);
    assert_eq!(attested.words, vec![digest]);
    let mut wrong = verify.clone();
    let mut other = wrong.leaf.to_vec();
    *other.last_mut().expect("a leaf has bytes") ^= 1;
    wrong.leaf = other.into();
    let refused = call(stage, client, &wrong).await.unwrap_err();
    assert!(refused.contains("revert"), "{refused}");
}
