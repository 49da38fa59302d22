//! Endpoints that lie, lag, refuse or hang, on both sides.

use alloy_primitives::B256;
use serde_json::{Value, json};
use tbsi_bridge::record::Event;
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::bridge::serve::{Fault, Server};
use tbsi_tests::harness::eventually;

use crate::{Stage, anvil};

fn alarmed(relayer: &Relayer, code: &str) -> bool {
    relayer.has(|event| matches!(event, Event::Alarm { reason } if reason.code == code))
}

#[tokio::test]
async fn t52_a_wrong_chain_or_contract_stops_it_before_it_spends() {
    let Some(binary) = anvil("t52 wrong chain") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    stage.chain.block(3, None);
    let mut relayer = stage.relayer("wrong").await;
    let refused = async |relayer: &Relayer, words: &str| {
        for command in ["check", "clear"] {
            let ended = relayer.run(&[command], None).await;
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert!(ended.stderr.contains(words), "{}", ended.stderr);
        }
        assert_eq!(stage.anvil.nonce(relayer.account()).await, 0);
        std::fs::remove_file(relayer.journal()).unwrap();
        std::fs::remove_file(relayer.home().join("log")).unwrap();
    };
    relayer.target().chain_id = 1;
    relayer.configure();
    refused(&relayer, "target.chain_id says 1").await;
    relayer.target().chain_id = 31_337;
    relayer.target().light_client = relayer.account();
    relayer.configure();
    refused(&relayer, "is no light client").await;
    // A light client of another network.
    let other = tbsi_tests::bridge::chain::Chain::default();
    other.held().genesis.name = "another".into();
    relayer.target().light_client = stage.anvil.deploy(&other).await;
    relayer.configure();
    refused(&relayer, "the genesis file is of").await;
    // A node of another network.
    let server = Server::start(&other).await;
    relayer.target().light_client = stage.contract;
    relayer.config.source.rpc = vec![server.url()];
    relayer.configure();
    refused(&relayer, "is a node of another network").await;
}

#[tokio::test]
async fn t52_two_of_three_targets_outvote_one_that_lies_lags_refuses_or_hangs() {
    let Some(binary) = anvil("t52 target endpoints") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.2")).await;
    let liar = Proxy::start(&stage.anvil.url()).await;
    let urls = [
        liar.url(),
        stage.anvil.url(),
        Proxy::start(&stage.anvil.url()).await.url(),
    ];
    // The third is gone at once: its proxy ended with the statement above.
    let third = Proxy::start(&stage.anvil.url()).await;
    let urls = [urls[0].clone(), urls[1].clone(), third.url()];
    let mut relayer = stage.relayer_to("voters", &urls).await;
    relayer.target().agree = 2;
    relayer.configure();
    let carried = async |count: u64| {
        stage.chain.block(count, None);
        relayer.ok(&["clear"]).await;
        stage.assert_once().await;
    };
    // It says that everything is recorded, that receipts are others, and it takes nothing.
    liar.edit(|method, answer| match method {
        "eth_call" => json!(format!("0x{}", "00".repeat(31) + "01")),
        "eth_getTransactionReceipt" if !answer.is_null() => {
            let mut answer = answer;
            answer["blockHash"] = json!(B256::repeat_byte(7));
            answer["status"] = json!("0x0");
            answer
        }
        _ => answer,
    });
    carried(3).await;
    assert!(alarmed(&relayer, "targetDisagreement"));
    // It lags: old heads, no receipts.
    liar.edit(|method, answer| match method {
        "eth_getTransactionReceipt" | "eth_getTransactionByHash" => Value::Null,
        _ => answer,
    });
    liar.rule(|method, params| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("latest" | "finalized")) => Fate::Answer(Value::Null),
        _ => Fate::Pass,
    });
    carried(3).await;
    liar.rule(|_, _| Fate::Refuse);
    carried(2).await;
    relayer.assert_same().await;
    // A majority that lies about an unseen chain is no chain: nothing is sent.
    let nonce = stage.anvil.nonce(relayer.account()).await;
    third.rule(|_, _| Fate::Refuse);
    stage.chain.block(1, None);
    let mut running = relayer.start(None);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(stage.anvil.nonce(relayer.account()).await, nonce);
    running.kill().await.unwrap();
    assert!(relayer.log().contains("1 of 2"), "{}", relayer.log());
}

#[tokio::test]
async fn t52_source_nodes_that_lie_lag_or_fail_delay_and_do_not_deceive() {
    let Some(binary) = anvil("t52 source endpoints") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let bad = Server::start(&stage.chain).await;
    let mut relayer = stage.relayer("sources").await;
    relayer.config.source.rpc = vec![bad.url(), stage.server.url()];
    relayer.configure();
    for fault in [
        Fault::Lag(3),
        Fault::Leaves,
        Fault::Checkpoints,
        Fault::Down,
    ] {
        bad.misbehave(fault);
        stage.chain.block(3, None);
        relayer.ok(&["clear"]).await;
        bad.misbehave(Fault::None);
        relayer.ok(&["clear"]).await;
        stage.assert_once().await;
    }
    assert!(alarmed(&relayer, "sourceDisagreement"));
    // Alone, a liar gets nothing carried.
    relayer.config.source.rpc = vec![bad.url()];
    relayer.configure();
    bad.misbehave(Fault::Leaves);
    stage.chain.block(3, None);
    let nonce = stage.anvil.nonce(relayer.account()).await;
    let running = relayer.start(None);
    eventually("it does not believe", async || {
        relayer.log().contains("are not those of")
    })
    .await;
    drop(running);
    assert_eq!(stage.anvil.nonce(relayer.account()).await, nonce);
}
