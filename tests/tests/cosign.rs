//! Cosignatures of the log by validators, by outside witnesses, and for other logs, on running
//! networks.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, keccak256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tbsi_bindings::genesis::Attestations::attestBatchCall;
use tbsi_home::config::{WitnessConfig, WitnessedConfig};
use tbsi_light::{LogError, verify_note, verify_tlog_proof};
use tbsi_rpc::wire::{Acknowledgement, LogEntry, LogKeys};
use tbsi_tests::harness::{Answer, Sender, TestNetwork, eventually, http, skip, tbsi};
use tbsi_types::log::{
    ATTESTATIONS, AddCheckpoint, ConsistencyProof, Cosigner, LogCheckpoint, NoteSigner,
    NoteVerifier, SignatureType, SignedNote, TlogProof, tile,
};
use tbsi_types::{B256, Bytes, Genesis, Roster, TreeSize};

/// Attests so many digests and waits until they are final.
async fn attest(net: &TestNetwork, sender: &Sender, nonce: u64, count: u64) {
    let call = attestBatchCall {
        schema: keccak256("tbsi:file:v1"),
        algorithm: 0x12,
        words: (0..count)
            .map(|number| keccak256([nonce.to_be_bytes(), number.to_be_bytes()].concat()))
            .collect(),
    };
    let encoded: Bytes = sender
        .sign(TxEip1559 {
            chain_id: net.network.chain_id(),
            nonce,
            gas_limit: 1 << 24,
            to: TxKind::Call(ATTESTATIONS),
            input: call.abi_encode().into(),
            ..TxEip1559::default()
        })
        .into();
    let params = [json!(encoded)];
    let answer = net.client(0).request("tbsi_sendAttestation", &params).await;
    let acknowledged: Acknowledgement = answer.unwrap();
    assert_eq!(acknowledged.leaves.count, count);
}

async fn get(net: &TestNetwork, node: usize, path: &str) -> Answer {
    let answer = http(net.network.nodes()[node].rpc, "GET", path, &[], b"").await;
    assert_eq!(answer.status, 200, "{path}");
    answer
}

async fn note(net: &TestNetwork, node: usize) -> SignedNote {
    let answer = get(net, node, "/log/checkpoint").await;
    SignedNote::parse(answer.text()).unwrap()
}

async fn keys(net: &TestNetwork, node: usize) -> LogKeys {
    let keys = net.client(node).request("tbsi_logKeys", &[]).await;
    keys.unwrap()
}

fn founding_cosigners(genesis: &Genesis) -> Vec<Cosigner> {
    let roster = Roster::of_genesis(genesis).unwrap();
    roster.cosigners(&genesis.identity())
}

fn parse(key: &str) -> NoteVerifier {
    NoteVerifier::parse(key).unwrap()
}

/// Waits until a node serves the log of this size with so many cosignatures of validators.
async fn cosigned(net: &TestNetwork, node: usize, size: u64, needed: usize) -> SignedNote {
    let log = parse(&keys(net, node).await.log);
    let known: Vec<_> = founding_cosigners(&net.genesis())
        .into_iter()
        .map(|it| it.key)
        .collect();
    let what = format!("node {node} has {needed} cosignatures of {size} leaves");
    eventually(&what, async || {
        let note = note(net, node).await;
        let verified = verify_note(&note, &log, &known, needed);
        verified
            .is_ok_and(|it| it.checkpoint.size == TreeSize(size) && it.cosigners.len() == needed)
    })
    .await;
    note(net, node).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_serves_the_cosignatures_of_all_validators() {
    let mut net = TestNetwork::start(4, 1).await;
    let sender = Sender::new("cosign", net.network.chain_id());
    assert_eq!(
        note(&net, 4).await.signatures().len(),
        1,
        "an empty log is not cosigned"
    );
    attest(&net, &sender, 0, 10).await;
    for node in 0..5 {
        cosigned(&net, node, 10, 4).await;
    }
    // What the keys are called, and that genesis names them.
    let genesis = net.genesis();
    let known = founding_cosigners(&genesis);
    let keys = keys(&net, 4).await;
    for (served, expected) in keys.cosigners.iter().zip(&known) {
        assert_eq!(
            (&served.key, served.validator),
            (&expected.key.encode(), expected.validator)
        );
        let entry = genesis.node_of_validator(served.validator).unwrap();
        assert_eq!(
            served.organisation.name_en,
            genesis.organisation(entry).unwrap().name_en
        );
        let operator = alloy_primitives::hex::encode(genesis.operator_of(entry));
        assert_eq!(expected.key.name(), format!("{}/{operator}", keys.origin));
    }
    assert_eq!((keys.cosigners.len(), known.len()), (4, 4));
    let text = get(&net, 4, "/log/key").await;
    assert!(
        text.text()
            .contains("# 台灣測試公會甲 / Test Association A (validator-1)\n")
    );
    proofs_carry_them(
        &net,
        &keys.log,
        &known.iter().map(|it| it.key.clone()).collect::<Vec<_>>(),
    )
    .await;

    // A node that comes back hears what was said before, although nothing grows.
    net.network.kill9(4).await.unwrap();
    net.network.start(4).unwrap();
    let height = net.client(0).block_number().await.unwrap();
    net.wait_height(4, height).await;
    cosigned(&net, 4, 10, 4).await;
    // One that is silent is missing, and no more.
    net.network.kill9(3).await.unwrap();
    attest(&net, &sender, 1, 300).await;
    cosigned(&net, 4, 310, 3).await;
    net.network.start(3).unwrap();
    cosigned(&net, 4, 310, 4).await;
    net.assert_no_panic();
}

async fn proofs_carry_them(net: &TestNetwork, log: &str, cosigners: &[NoteVerifier]) {
    let log = parse(log);
    let entries = get(net, 4, "/log/tile/entries/000.p/10").await;
    let leaves = tile::entries(&entries.body, 10).unwrap();
    let proof = get(net, 4, "/log/proof/3.tlog-proof").await;
    let proof = TlogProof::parse(proof.text()).unwrap();
    let verified = verify_tlog_proof(leaves[3], &proof, &log, cosigners, 4).unwrap();
    assert_eq!(verified.cosigners.len(), 4);
    let other = verify_tlog_proof(leaves[4], &proof, &log, cosigners, 4);
    assert!(
        matches!(other, Err(LogError::Inclusion { .. })),
        "{other:?}"
    );
    let more = verify_tlog_proof(leaves[3], &proof, &log, cosigners, 5);
    assert_eq!(more, Err(LogError::Cosignatures { got: 4, needed: 5 }));
}

/// A counter of a node's metrics.
async fn metric(net: &TestNetwork, node: usize, name: &str) -> u64 {
    let address = net.network.nodes()[node].metrics;
    let page = http(address, "GET", "/metrics", &[], b"").await;
    let mut lines = page.text().lines();
    let value = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
    value.unwrap_or("0").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_a_validator_cosigns_a_few_logs_a_second() {
    let net = TestNetwork::start(4, 0).await;
    let sender = Sender::new("load", net.network.chain_id());
    let started = Instant::now();
    let (mut nonce, mut served) = (0, 0);
    let known: Vec<_> = founding_cosigners(&net.genesis())
        .into_iter()
        .map(|it| it.key)
        .collect();
    let log = parse(&keys(&net, 1).await.log);
    while started.elapsed() < Duration::from_secs(8) {
        attest(&net, &sender, nonce, 50).await;
        nonce += 1;
        let verified = verify_note(&note(&net, 1).await, &log, &known, 3);
        served += u64::from(verified.is_ok());
    }
    let seconds = started.elapsed().as_secs() + 1;
    // Roots of the map are leaves, too (SPEC §9.11).
    let checkpoint = net.client(1).checkpoint(Default::default()).await.unwrap();
    cosigned(&net, 1, checkpoint.unwrap().log_size.0, 4).await;
    for node in 0..4 {
        let signed = metric(&net, node, "tbsi_log_cosigned_total").await;
        eprintln!("node {node} cosigned {signed} of {nonce} logs in {seconds} s, {served} served");
        assert!(
            signed >= 2 && signed <= 10 * seconds,
            "{signed} in {seconds} s"
        );
    }
    assert!(
        served * 2 > nonce,
        "{served} of {nonce} checkpoints carried a quorum"
    );
    // Then it idles, and nothing is signed.
    let signed = metric(&net, 0, "tbsi_log_cosigned_total").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(metric(&net, 0, "tbsi_log_cosigned_total").await, signed);
    net.assert_no_panic();
}

/// Builds a Go program of `outside`; `None` if that cannot be done here.
fn go(name: &str, into: &Path) -> Option<std::path::PathBuf> {
    let outside = Path::new(env!("CARGO_MANIFEST_DIR")).join("outside");
    let program = into.join(name);
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(format!("./{name}"))
        .current_dir(&outside)
        .output();
    match built {
        Ok(Output { status, .. }) if status.success() => Some(program),
        Ok(Output { stderr, .. }) => {
            let said = String::from_utf8_lossy(&stderr);
            let absent = said.contains("dial tcp") || said.contains("no required module");
            assert!(absent, "{said}");
            skip(name, said.trim(), "run `go mod download` in tests/outside");
            None
        }
        Err(error) => {
            skip(name, &error.to_string(), "install Go 1.26");
            None
        }
    }
}

/// Runs a program that must succeed; returns what it said.
fn said(program: &Path, arguments: &[String]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gos_note_package_verifies_the_cosignatures() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = go("cosigned", dir.path()) else {
        return;
    };
    let net = TestNetwork::start(4, 0).await;
    let sender = Sender::new("go", net.network.chain_id());
    attest(&net, &sender, 0, 20).await;
    cosigned(&net, 2, 20, 4).await;
    let keys = keys(&net, 2).await;
    let mut arguments = vec![
        format!("{}/log", net.network.rpc_url(2)),
        "3".into(),
        keys.log,
    ];
    arguments.extend(keys.cosigners.iter().map(|cosigner| cosigner.key.clone()));
    let text = said(&program, &arguments);
    assert!(text.contains("4 cosignatures\n"), "{text}");
    assert!(text.contains("4 cosignatures in the proof\n"), "{text}");
    assert!(text.contains("changed copies refused"), "{text}");
    // With one key too many left out, the same program says no.
    arguments.truncate(5);
    let few = Command::new(&program).args(&arguments).output().unwrap();
    assert!(!few.status.success());
    let wrong = String::from_utf8_lossy(&few.stderr);
    assert!(wrong.contains("2 cosignatures, 3 are needed"), "{wrong}");
    net.assert_no_panic();
}

/// A node's key as a witness, before it runs.
fn witness_key(net: &TestNetwork, node: usize) -> NoteVerifier {
    let genesis = net.genesis();
    let operator = genesis.operator_of(&genesis.nodes[node]);
    let key = net.home(node).ensure_log_key().unwrap();
    key.cosigner(&genesis.identity(), operator)
        .verifier(SignatureType::Cosignature)
}

fn log_signer(net: &TestNetwork, node: usize) -> NoteSigner {
    let key = net.home(node).ensure_log_key().unwrap();
    key.signer(&net.genesis().identity())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_one_network_witnesses_the_log_of_another() {
    let mut a = TestNetwork::create(1, 1);
    let mut b = TestNetwork::create(1, 0);
    // The observer of network A witnesses the log of network B.
    let witness = witness_key(&a, 1);
    let rpc = a.network.nodes()[1].rpc;
    let b_log = log_signer(&b, 0).verifier(SignatureType::Note);
    a.configure(1, |config| {
        config.attestation_log.witnessed.push(WitnessedConfig {
            origin: None,
            key: b_log.encode(),
        });
    });
    b.configure(0, |config| {
        config.attestation_log.submit_interval_s = 1;
        config.attestation_log.witnesses.push(WitnessConfig {
            key: witness.encode(),
            url: format!("http://{rpc}"),
        });
    });
    for net in [&mut a, &mut b] {
        net.network.start_all().unwrap();
        net.wait_height(0, tbsi_types::Height(1)).await;
    }
    a.wait_height(1, tbsi_types::Height(1)).await;
    assert_eq!(keys(&a, 1).await.witness, witness.encode());
    let sender = Sender::new("witnessed", b.network.chain_id());
    for (nonce, count, size) in [(0, 7, 7), (1, 300, 307), (2, 1, 308)] {
        attest(&b, &sender, nonce, count).await;
        witnessed(&b, &b_log, &witness, size).await;
        // The witness goes away and comes back, and still knows.
        a.network.kill9(1).await.unwrap();
        a.network.start(1).unwrap();
        let height = a.client(0).block_number().await.unwrap();
        a.wait_height(1, height).await;
    }
    refuses_forks(&b, rpc).await;
    a.assert_no_panic();
    b.assert_no_panic();
}

/// Waits until the checkpoint of so many leaves carries validator and witness; then the proofs
/// do too.
async fn witnessed(net: &TestNetwork, log: &NoteVerifier, witness: &NoteVerifier, size: u64) {
    let mut both: Vec<_> = founding_cosigners(&net.genesis())
        .into_iter()
        .map(|it| it.key)
        .collect();
    both.push(witness.clone());
    eventually("the witness cosigned", async || {
        let verified = verify_note(&note(net, 0).await, log, &both, 2);
        verified.is_ok_and(|it| it.checkpoint.size == TreeSize(size))
    })
    .await;
    let proof = get(net, 0, &format!("/log/proof/{}.tlog-proof", size - 1)).await;
    let proof = TlogProof::parse(proof.text()).unwrap();
    assert!(verify_note(&proof.note, log, &both, 2).is_ok());
}

/// The log's own key signs what is no continuation: the witness signs none of it.
async fn refuses_forks(net: &TestNetwork, witness: std::net::SocketAddr) {
    let signer = log_signer(net, 0);
    let state = LogCheckpoint::parse(note(net, 0).await.text()).unwrap();
    let ask = async |old: u64, size: u64, root: B256| {
        let text = LogCheckpoint {
            origin: state.origin.clone(),
            size: TreeSize(size),
            root,
        };
        let text = text.encode().unwrap();
        let signature = signer.sign(&text);
        let request = AddCheckpoint {
            old: TreeSize(old),
            proof: ConsistencyProof(Vec::new()),
            note: SignedNote::new(text, vec![signature]).unwrap(),
        };
        let body = request.encode();
        http(witness, "POST", "/add-checkpoint", &[], body.as_bytes()).await
    };
    let size = state.size.0;
    let conflict = ask(0, size + 1, B256::ZERO).await;
    assert_eq!(
        (conflict.status, conflict.text()),
        (409, format!("{size}\n").as_str())
    );
    assert!(
        conflict.head.contains("text/x.tlog.size"),
        "{}",
        conflict.head
    );
    for (old, new, root, status) in [
        (size, size, B256::ZERO, 409),
        (size, size + 1, B256::ZERO, 422),
        (size - 1, size - 1, B256::ZERO, 409),
        (size, size - 1, state.root, 400),
        (size, size, state.root, 200),
    ] {
        let answer = ask(old, new, root).await;
        assert_eq!(answer.status, status, "{old} to {new}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_go_gets_cosignatures_and_refusals() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = go("submit", dir.path()) else {
        return;
    };
    let made = said(&program, &["key".into()]);
    let (secret, public) = made.trim_end().split_once('\n').unwrap();
    let mut net = TestNetwork::create(1, 0);
    net.configure(0, |config| {
        config.attestation_log.witnessed.push(WitnessedConfig {
            origin: None,
            key: public.into(),
        });
    });
    net.network.start_all().unwrap();
    net.wait_height(0, tbsi_types::Height(1)).await;
    let witness = witness_key(&net, 0).encode();
    let text = said(&program, &[net.network.rpc_url(0), secret.into(), witness]);
    assert_eq!(text.matches("cosigned ").count(), 5, "{text}");
    assert_eq!(text.matches("refused ").count(), 8, "{text}");
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_in_go_cosigns_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = go("witness", dir.path()) else {
        return;
    };
    let made = said(&program, &["key".into()]);
    let (seed, key) = made.trim_end().split_once('\n').unwrap();
    // Nobody listens there yet: the node goes on all the same.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut net = TestNetwork::create(1, 0);
    net.configure(0, |config| {
        config.attestation_log.submit_interval_s = 1;
        config.attestation_log.witnesses.push(WitnessConfig {
            key: key.into(),
            url: format!("http://{address}/prefix/"),
        });
    });
    net.network.start_all().unwrap();
    net.wait_height(0, tbsi_types::Height(1)).await;
    let sender = Sender::new("witness in go", net.network.chain_id());
    attest(&net, &sender, 0, 7).await;
    eventually("the node says that it has no witness", async || {
        net.log(0).contains("the outside witness has not cosigned")
    })
    .await;
    let log = log_signer(&net, 0).verifier(SignatureType::Note);
    let mut witness = Command::new(&program)
        .args([&address.to_string(), seed, &log.encode()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let key = parse(key);
    witnessed(&net, &log, &key, 7).await;
    for (nonce, count, size) in [(1, 300, 307), (2, 1, 308), (3, 1_000, 1_308)] {
        attest(&net, &sender, nonce, count).await;
        witnessed(&net, &log, &key, size).await;
    }
    // It forgets what it was told: the node asks again, from the size that the witness knows.
    net.network.kill9(0).await.unwrap();
    net.network.start(0).unwrap();
    net.wait_height(0, tbsi_types::Height(1)).await;
    witnessed(&net, &log, &key, 1_308).await;
    drop(witness.stdin.take());
    let output = witness.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("200 old 0\n") && text.contains("409 old 0\n"),
        "{text}"
    );
    assert!(text.matches("200 old 1308\n").count() == 1, "{text}");
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_follows_the_log() {
    let net = TestNetwork::start(1, 0).await;
    let sender = Sender::new("follow", net.network.chain_id());
    attest(&net, &sender, 0, 30).await;
    let url = net.network.rpc_url(0);
    let follow = |more: &[&str]| {
        let fixed = ["log", "follow", "--rpc", &url];
        fixed
            .iter()
            .chain(more)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let ended = tbsi(&follow(&["--from-index", "3", "--count", "20", "--json"])).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let indexes = ended.stdout.lines().map(|line| {
        let entry: LogEntry = serde_json::from_str(line).unwrap();
        entry.index.0
    });
    assert!(indexes.eq(3..23), "{}", ended.stdout);
    // Live: the leaves come after the command has begun.
    let arguments = follow(&["--count", "5", "--kind", "attestation"]);
    let live = tokio::spawn(async move { tbsi(&arguments).await });
    let mut nonce = 1;
    while !live.is_finished() {
        attest(&net, &sender, nonce, 2).await;
        nonce += 1;
    }
    let ended = live.await.unwrap();
    assert_eq!(
        (ended.code, ended.stdout.lines().count()),
        (Some(0), 5),
        "{}",
        ended.stderr
    );
    let issuer = sender.address().to_string();
    assert!(
        ended
            .stdout
            .contains(&format!(" attestation issuer {issuer} ")),
        "{}",
        ended.stdout
    );
    for (more, words) in [
        (["--kind", "attest"], "none of attestation"),
        (["--from-index", "99999"], "above the log's size"),
    ] {
        let refused = tbsi(&follow(&more)).await;
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let value: Value = net.client(0).request("tbsi_logKeys", &[]).await.unwrap();
    assert_eq!(value["cosigners"].as_array().unwrap().len(), 1);
    net.assert_no_panic();
}
