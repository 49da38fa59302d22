//! Two checkpoints of one height, both validly signed: the light client is frozen for them.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use serde_json::{Value, json};
use tbsi_bindings::bridge::LightClient::MisbehaviourProven;
use tbsi_bridge::evm::abi::{LightClient, STATUS_FROZEN};
use tbsi_bridge::record::{Event, Hold, Item};
use tbsi_tests::bridge::chain::Chain;
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::bridge::serve::Server;
use tbsi_tests::harness::eventually;

use crate::{Stage, anvil};

/// A relayer whose second source endpoint shows another second block of the same network.
async fn in_conflict(stage: &Stage, name: &str) -> (Relayer, Server) {
    stage.chain.block(1, None);
    let other = Chain::default();
    {
        let genesis = stage.chain.held().genesis.clone();
        other.held().genesis = genesis;
    }
    other.block(2, None);
    let forked = Server::start(&other).await;
    let mut relayer = stage.relayer(name).await;
    relayer.config.source.rpc.push(forked.url());
    relayer.configure();
    (relayer, forked)
}

async fn status(stage: &Stage) -> u8 {
    let data = Bytes::from(LightClient::statusCall {}.abi_encode());
    let request = json!({ "to": stage.contract, "data": data });
    let answer = stage
        .anvil
        .call("eth_call", &[request, json!("latest")])
        .await;
    let answer: U256 = serde_json::from_value(answer).unwrap();
    answer.to()
}

/// Who the contract says signed both.
async fn culprits(stage: &Stage) -> Vec<Address> {
    let filter = json!({
        "address": stage.contract, "fromBlock": "0x0", "toBlock": "latest",
        "topics": [MisbehaviourProven::SIGNATURE_HASH],
    });
    let logs = stage.anvil.call("eth_getLogs", &[filter]).await;
    let [log] = logs.as_array().unwrap().as_slice() else {
        panic!("{logs}");
    };
    let topics: Vec<B256> = serde_json::from_value(log["topics"].clone()).unwrap();
    let data: Bytes = serde_json::from_value(log["data"].clone()).unwrap();
    let event = MisbehaviourProven::decode_raw_log(topics, &data).unwrap();
    assert_eq!((event.heightA, event.heightB), (2, 2));
    assert_eq!(event.culprits.count_ones() as usize, event.addresses.len());
    event.addresses
}

#[tokio::test]
async fn t32_evidence_freezes_the_light_client_and_names_who_signed_both() {
    let Some(binary) = anvil("t32 evidence") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let (mut relayer, _forked) = in_conflict(&stage, "evidence").await;
    let evidence = ["evidence", "--height", "2", "--json"];
    let dry = [&evidence[..], &["--dry-run"]].concat();
    let ended = relayer.run(&dry, None).await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&said["conflict"], &said["frozen"]),
        (&true.into(), &false.into())
    );
    assert!(said["gas"].as_u64().unwrap() > 50_000, "{said}");
    let named: Vec<Address> = serde_json::from_value(said["culprits"].clone()).unwrap();
    assert_eq!(named.len(), 3);
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 0);
    assert!(!relayer.journal().exists());
    assert!(!relayer.home().join("requests").exists());
    let said = relayer.ok(&evidence).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["frozen"], true, "{said}");
    assert_eq!(status(&stage).await, STATUS_FROZEN);
    assert_eq!(culprits(&stage).await, named);
    // Asked again, it finds that this is done.
    let again = relayer
        .ok(&["evidence", "--height", "2", "--lang", "zh-TW"])
        .await;
    assert!(again.contains("輕客戶端已凍結"), "{again}");
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 1);
    let ended = relayer.run(&["evidence", "--height", "7"], None).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("no conflict"), "{}", ended.stdout);
    relayer.config.source.rpc.pop();
    relayer.configure();
    relayer.assert_same().await;
}

#[tokio::test]
async fn t47_evidence_survives_a_kill_at_any_state_and_is_sent_once() {
    let Some(binary) = anvil("t47 kill with evidence") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let (relayer, _forked) = in_conflict(&stage, "killed witness").await;
    // Once it was sent, the next process finds it in a block.
    for point in [
        "started",
        "discovered",
        "proven",
        "planned",
        "nonceReserved",
        "signed",
        "sent",
        "included",
        "final",
    ] {
        let killed = relayer
            .run(&["evidence", "--height", "2"], Some(point))
            .await;
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
    }
    relayer.ok(&["evidence", "--height", "2"]).await;
    assert_eq!(status(&stage).await, STATUS_FROZEN);
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 1);
    assert_eq!(culprits(&stage).await.len(), 3);
}

#[tokio::test]
async fn a_running_relayer_is_given_the_evidence_and_then_holds() {
    let Some(binary) = anvil("evidence beside run") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let (relayer, forked) = in_conflict(&stage, "running witness").await;
    let mut running = relayer.start(None);
    let alarmed = |event: &Event| matches!(event, Event::Alarm { reason } if reason.code == "sourceDisagreement");
    eventually("it sees the conflict", async || relayer.has(alarmed)).await;
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 0);
    let said = relayer.ok(&["evidence", "--height", "2"]).await;
    assert!(said.contains("`tbsi relay run` sends it"), "{said}");
    let settled = |event: &Event| matches!(event, Event::Final { items, .. } if items == &[Item::Evidence(2)]);
    eventually("it is frozen", async || relayer.has(settled)).await;
    assert_eq!(status(&stage).await, STATUS_FROZEN);
    let held = |event: &Event| {
        matches!(
            event,
            Event::Held {
                reason: Hold::Frozen
            }
        )
    };
    eventually("it holds", async || relayer.has(held)).await;
    running.kill().await.unwrap();
    drop(forked);
}
