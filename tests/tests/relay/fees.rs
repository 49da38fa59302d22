//! Fees, nonces, pauses: what can keep a transaction from its block.

use std::net::{SocketAddr, TcpListener};

use alloy_primitives::{Address, B256, Bytes, TxKind, U64, keccak256};
use serde_json::json;
use tbsi_bridge::record::{Event, Hold};
use tbsi_tests::bridge::anvil::guardian;
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::harness::{eventually, http};
use tbsi_types::SecretKey;
use tokio::net::TcpStream;

use crate::{Stage, anvil};

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn t49_a_transaction_that_was_dropped_is_sent_again_as_it_was() {
    let Some(binary) = anvil("t49 dropped") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let mut relayer = stage.relayer_to("dropped", &[proxy.url()]).await;
    relayer.target().fees.replace_after_ms = 500;
    relayer.configure();
    stage.chain.block(3, None);
    // The first two are taken and forgotten.
    let mut forgotten = 0;
    proxy.rule(move |method, params| {
        if method == "eth_sendRawTransaction" && forgotten < 2 {
            forgotten += 1;
            let raw: Bytes = serde_json::from_value(params[0].clone()).unwrap();
            return Fate::Answer(json!(keccak256(raw)));
        }
        Fate::Pass
    });
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    let events = relayer.events();
    assert_eq!(
        events.iter().filter(|event| **event == "signed").count(),
        1,
        "{events:?}"
    );
    assert_eq!(
        events.iter().filter(|event| **event == "broadcast").count(),
        3,
        "{events:?}"
    );
    relayer.assert_same().await;
}

#[tokio::test]
async fn t49_an_answer_that_was_lost_is_no_second_transaction() {
    let Some(binary) = anvil("t49 lost answer") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let relayer = stage.relayer_to("lost", &[proxy.url()]).await;
    stage.chain.block(3, None);
    let mut lost = 0;
    proxy.rule(move |method, _| {
        if method == "eth_sendRawTransaction" && lost < 1 {
            lost += 1;
            return Fate::Lose;
        }
        Fate::Pass
    });
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 1);
    relayer.assert_same().await;
}

#[tokio::test]
async fn t49_a_stuck_transaction_is_replaced_with_both_fees_higher() {
    let Some(binary) = anvil("t49 stuck") else {
        return;
    };
    let stage = Stage::new(&binary, None).await;
    let mut relayer = stage.relayer("stuck").await;
    relayer.target().fees.replace_after_ms = 500;
    relayer.configure();
    stage.chain.block(3, None);
    // It is killed between the record of the replacement and its sending.
    let mut killed = relayer.start(Some("replaced"));
    assert_eq!(killed.wait().await.unwrap().code(), None);
    let mut running = relayer.start(None);
    let replaced = |count| {
        let events = relayer.events();
        events.iter().filter(|event| **event == "replaced").count() >= count
    };
    eventually("two replacements", async || replaced(2)).await;
    running.kill().await.unwrap();
    let _running = relayer.start(None);
    eventually("a third", async || replaced(3)).await;
    stage.anvil.mine(1).await;
    eventually("it is included", async || relayer.did("included")).await;
    stage.anvil.mine(70).await;
    eventually("it is final", async || relayer.did("final")).await;
    stage.assert_once().await;
    assert_eq!(stage.anvil.nonce(relayer.account()).await, 1);
    relayer.assert_same().await;
}

#[tokio::test]
async fn t49_a_nonce_that_another_wallet_took_is_noticed() {
    let Some(binary) = anvil("t49 foreign nonce") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let relayer = stage.relayer_to("shared", &[proxy.url()]).await;
    stage.chain.block(3, None);
    proxy.rule(|method, params| match method {
        "eth_sendRawTransaction" => {
            let raw: Bytes = serde_json::from_value(params[0].clone()).unwrap();
            Fate::Answer(json!(keccak256(raw)))
        }
        _ => Fate::Pass,
    });
    let mut running = relayer.start(Some("released"));
    eventually("it is sent", async || relayer.did("broadcast")).await;
    // Somebody else has the key.
    let key = SecretKey::from_seed(b"shared");
    let to = TxKind::Call(Address::repeat_byte(9));
    stage.anvil.send(&key, 0, to, Bytes::new()).await;
    eventually("it is released", async || relayer.did("released")).await;
    assert_eq!(running.wait().await.unwrap().code(), None);
    proxy.rule(|_, _| Fate::Pass);
    let _running = relayer.start(None);
    eventually("it is final", async || relayer.did("final")).await;
    stage.assert_once().await;
    let audit = relayer.audit().await;
    let found = audit["report"]["differences"].to_string();
    assert!(
        found.contains("transaction 0 of the account is not recorded"),
        "{found}"
    );
}

#[tokio::test]
async fn t50_above_the_cap_nothing_is_spent() {
    let Some(binary) = anvil("t50 fee spike") else {
        return;
    };
    let stage = Stage::new(&binary, None).await;
    let mut relayer = stage.relayer("capped").await;
    relayer.target().fees.fee_cap_wei = 5_000_000_000;
    relayer.configure();
    stage.chain.block(3, None);
    let spike = |gwei: u64| json!(U64::from(gwei * 1_000_000_000));
    stage
        .anvil
        .call("anvil_setNextBlockBaseFeePerGas", &[spike(500)])
        .await;
    stage.anvil.mine(1).await;
    let _running = relayer.start(None);
    let held = |event: &Event| {
        matches!(
            event,
            Event::Held {
                reason: Hold::Target(_)
            }
        )
    };
    eventually("it waits", async || relayer.has(held)).await;
    let said = relayer.ok(&["dry-run"]).await;
    assert!(
        said.contains("gas costs more than target.fees.fee_cap_wei"),
        "{said}"
    );
    assert!(!relayer.did("planned"));
    stage
        .anvil
        .call("anvil_setNextBlockBaseFeePerGas", &[spike(1)])
        .await;
    stage.anvil.mine(1).await;
    eventually("it goes on", async || relayer.did("broadcast")).await;
    stage.anvil.mine(70).await;
    eventually("it is final", async || relayer.did("final")).await;
    stage.assert_once().await;
}

#[tokio::test]
async fn without_money_it_waits_and_says_so() {
    let Some(binary) = anvil("balance") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("poor").await;
    stage.anvil.fund(relayer.account(), 0).await;
    stage.chain.block(3, None);
    let _running = relayer.start(None);
    let held = |event: &Event| {
        matches!(
            event,
            Event::Held {
                reason: Hold::Target(_)
            }
        )
    };
    eventually("it waits", async || relayer.has(held)).await;
    assert!(!relayer.did("planned"));
    stage.anvil.fund(relayer.account(), 100).await;
    eventually("it is final", async || relayer.did("final")).await;
    stage.assert_once().await;
}

/// Health and metrics of a relayer that a pause holds.
async fn assert_held(listen: SocketAddr) {
    eventually("it listens", async || {
        TcpStream::connect(listen).await.is_ok()
    })
    .await;
    eventually("it says why", async || {
        let ready = http(listen, "GET", "/readyz", &[], &[]).await;
        ready.status == 503 && ready.text().contains("nothing is sent: Paused")
    })
    .await;
    let metrics = http(listen, "GET", "/metrics", &[], &[]).await;
    for name in [
        "backlog 3",
        "holds 1",
        "in_flight 0",
        "balance_gwei ",
        "oldest_seconds ",
    ] {
        let line = format!("\ntbsi_relay_{name}");
        assert!(metrics.text().contains(&line), "{name}: {}", metrics.text());
    }
    assert_eq!(http(listen, "GET", "/livez", &[], &[]).await.status, 200);
}

#[tokio::test]
async fn t59_a_pause_in_mid_flight_holds_and_ends() {
    let Some(binary) = anvil("t59 pause") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("paused").await;
    stage.chain.block(3, None);
    relayer.ok(&["clear"]).await;
    let pause = |function: &str| {
        let selector = &keccak256(format!("{function}(uint8)"))[..4];
        Bytes::from([selector, B256::ZERO.as_slice()].concat())
    };
    let send = async |function: &str| {
        let nonce = stage.anvil.nonce(guardian().public_key().address()).await;
        let to = TxKind::Call(stage.contract);
        let hash = stage
            .anvil
            .send(&guardian(), nonce, to, pause(function))
            .await;
        stage.anvil.receipt(hash).await;
    };
    send("pause").await;
    stage.chain.block(3, None);
    let mut relayer = relayer;
    let listen = free_address();
    relayer.config.metrics.listen = listen;
    relayer.configure();
    let mut killed = relayer.start(Some("held"));
    assert_eq!(killed.wait().await.unwrap().code(), None);
    let _running = relayer.start(None);
    let held = |event: &Event| {
        matches!(
            event,
            Event::Held {
                reason: Hold::Paused
            }
        )
    };
    eventually("it waits", async || relayer.has(held)).await;
    assert_held(listen).await;
    send("unpause").await;
    eventually("all is recorded", async || {
        stage.anvil.recorded(stage.contract).await.len() == 6
    })
    .await;
    let resumed = |event: &Event| {
        matches!(
            event,
            Event::Resumed {
                reason: Hold::Paused
            }
        )
    };
    assert!(relayer.has(resumed));
    eventually("it is ready", async || {
        http(listen, "GET", "/readyz", &[], &[]).await.status == 200
    })
    .await;
    stage.assert_once().await;
}

#[tokio::test]
async fn t59_a_transaction_that_fails_in_its_block_is_made_again() {
    let Some(binary) = anvil("t59 failed in a block") else {
        return;
    };
    let stage = Stage::new(&binary, None).await;
    let relayer = stage.relayer("failing").await;
    stage.chain.block(3, None);
    let _running = relayer.start(None);
    eventually("it is sent", async || relayer.did("broadcast")).await;
    // The guardian bids more, so its pause comes first in the same block.
    let call = |function: &str| {
        let selector = &keccak256(format!("{function}(uint8)"))[..4];
        Bytes::from([selector, B256::ZERO.as_slice()].concat())
    };
    let account = guardian().public_key().address();
    let to = TxKind::Call(stage.contract);
    let nonce = stage.anvil.nonce(account).await;
    stage
        .anvil
        .send(&guardian(), nonce, to, call("pause"))
        .await;
    stage.anvil.mine(1).await;
    let failed =
        |event: &Event| matches!(event, Event::Included { inclusion, .. } if !inclusion.success);
    eventually("it has failed", async || relayer.has(failed)).await;
    stage
        .anvil
        .send(&guardian(), nonce + 1, to, call("unpause"))
        .await;
    stage.anvil.mine(1).await;
    eventually("it is recorded", async || {
        stage.anvil.mine(10).await;
        stage.anvil.recorded(stage.contract).await.len() == 3
    })
    .await;
    eventually("it is final", async || {
        stage.anvil.mine(10).await;
        relayer.has(|event| matches!(event, Event::Final { inclusion, .. } if inclusion.success))
    })
    .await;
    stage.assert_once().await;
    relayer.assert_same().await;
}
