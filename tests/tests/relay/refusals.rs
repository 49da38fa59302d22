//! Endpoints that refuse transactions, with and without taking them. No refusal is believed by its
//! words, none is the beginning of a loop, and what was taken all the same is found.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{B256, Bytes, keccak256};
use serde_json::Value;
use tbsi_bridge::record::Event;
use tbsi_tests::bridge::proxy::{Fate, Proxy};
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::harness::eventually;

use crate::{Stage, anvil};

/// Words of nodes for each kind of refusal; `true` if the plan is given back for them.
const REFUSALS: [(&str, i32, &str, bool); 9] = [
    ("known", -32_010, "AlreadyKnown", false),
    (
        "nonce",
        -32_000,
        "nonce too low: next nonce 6, tx nonce 5",
        false,
    ),
    (
        "fee",
        -32_010,
        "FeeTooLow, EffectivePriorityFeePerGas too low",
        false,
    ),
    ("busy", -32_603, "Internal error", false),
    ("full", -32_000, "txpool is full", false),
    (
        "balance",
        -32_000,
        "insufficient funds for gas * price + value",
        true,
    ),
    (
        "size",
        -32_000,
        "oversized data: transaction size 3, limit 2",
        true,
    ),
    ("gas", -32_000, "exceeds block gas limit", true),
    (
        "other",
        -32_007,
        "Sender account not authorized to send transactions",
        true,
    ),
];

fn hash(params: &Value) -> B256 {
    let raw: Bytes = serde_json::from_value(params[0].clone()).unwrap();
    keccak256(raw)
}

/// How often something was sent, and how many different transactions.
#[derive(Clone, Default)]
struct Count(Arc<Mutex<(usize, BTreeSet<B256>)>>);

impl Count {
    fn add(&self, params: &Value) {
        let mut count = self.0.lock().unwrap();
        count.0 += 1;
        count.1.insert(hash(params));
    }

    fn get(&self) -> (usize, usize) {
        let count = self.0.lock().unwrap();
        (count.0, count.1.len())
    }
}

/// A relayer whose endpoint refuses all transactions in these words, without taking them.
async fn refused(stage: &Stage, name: &str, code: i32, words: &'static str) -> (Relayer, Count) {
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let count = Count::default();
    let counted = count.clone();
    proxy.rule(move |method, params| {
        if method != "eth_sendRawTransaction" {
            return Fate::Pass;
        }
        counted.add(params);
        Fate::Deny(code, words.into())
    });
    let relayer = stage.relayer_to(name, &[proxy.url()]).await;
    let running = relayer.start(None);
    let told = |event: &Event| matches!(event, Event::Alarm { .. });
    // Three refusals take three seconds; then an operator is told.
    eventually("the refusal is told", async || {
        count.get().0 >= 3 && relayer.has(told)
    })
    .await;
    // A loop would send a hundred times now.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    drop(running);
    (relayer, count)
}

#[tokio::test]
async fn no_refusal_is_the_beginning_of_a_loop() {
    let Some(binary) = anvil("refusals") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    stage.chain.block(1, None);
    let all = REFUSALS.map(|(name, code, words, _)| refused(&stage, name, code, words));
    let all = futures::future::join_all(all).await;
    for ((name, _, _, given_back), (relayer, count)) in REFUSALS.iter().zip(all) {
        let (sent, different) = count.get();
        assert!(sent <= 12 && different <= 4, "{name}: {sent}, {different}");
        let back = relayer.has(|event| matches!(event, Event::Released { .. }));
        assert_eq!(back, *given_back, "{name}: {:?}", relayer.events());
        assert_eq!(stage.anvil.nonce(relayer.account()).await, 0, "{name}");
    }
}

#[tokio::test]
async fn t49_an_endpoint_that_takes_a_transaction_and_refuses_it_is_not_believed() {
    let Some(binary) = anvil("t49 taken and refused") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    for (name, code, words, _) in REFUSALS {
        let proxy = Proxy::start(&stage.anvil.url()).await;
        let relayer = stage.relayer_to(name, &[proxy.url()]).await;
        stage.chain.block(2, None);
        proxy.rule(move |method, _| match method {
            "eth_sendRawTransaction" => Fate::TakeAndDeny(code, words.into()),
            _ => Fate::Pass,
        });
        relayer.ok(&["clear"]).await;
        stage.assert_once().await;
        let events = relayer.events();
        assert!(!relayer.did("released"), "{name}: {events:?}");
        relayer.assert_same().await;
    }
}

#[tokio::test]
async fn t49_a_transaction_that_was_given_up_and_included_is_found() {
    let Some(binary) = anvil("t49 given up") else {
        return;
    };
    let stage = Stage::new(&binary, None).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let relayer = stage.relayer_to("given up", &[proxy.url()]).await;
    stage.chain.block(2, None);
    // It takes the first transaction, hides it, and refuses it and all others.
    let taken: Arc<Mutex<Option<B256>>> = Arc::default();
    let hidden = Arc::clone(&taken);
    proxy.rule(move |method, params| match method {
        "eth_getTransactionByHash" => Fate::Answer(Value::Null),
        "eth_sendRawTransaction" => {
            let words = || "something else".to_owned();
            if hidden.lock().unwrap().is_some() {
                return Fate::Deny(-32_000, words());
            }
            *hidden.lock().unwrap() = Some(hash(params));
            Fate::TakeAndDeny(-32_000, words())
        }
        _ => Fate::Pass,
    });
    let running = relayer.start(None);
    let released = |event: &Event| matches!(event, Event::Released { .. });
    eventually("it is given up", async || relayer.has(released)).await;
    stage.anvil.mine(100).await;
    let settled =
        |event: &Event| matches!(event, Event::Final { inclusion, .. } if inclusion.success);
    eventually("it is found", async || {
        stage.anvil.mine(1).await;
        relayer.has(settled)
    })
    .await;
    drop(running);
    assert!(relayer.did("revived"), "{:?}", relayer.events());
    stage.assert_once().await;
    proxy.rule(|_, _| Fate::Pass);
    relayer.assert_same().await;
}

#[tokio::test]
async fn both_limits_of_a_transaction_are_kept_and_learned() {
    let Some(binary) = anvil("limits of a transaction") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let proxy = Proxy::start(&stage.anvil.url()).await;
    let mut relayer = stage.relayer_to("limits", &[proxy.url()]).await;
    // More than 32,768 bytes of leaves, of which the configuration knows.
    relayer.target().bytes_max = 32_768;
    relayer.configure();
    let largest = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&largest);
    // And a node that takes less than that, of which it does not.
    let limit = Arc::new(Mutex::new(usize::MAX));
    let allowed = Arc::clone(&limit);
    proxy.rule(move |method, params| {
        if method != "eth_sendRawTransaction" {
            return Fate::Pass;
        }
        let raw: Bytes = serde_json::from_value(params[0].clone()).unwrap();
        if raw.len() > *allowed.lock().unwrap() {
            return Fate::Deny(-32_000, "oversized data".into());
        }
        let mut largest = seen.lock().unwrap();
        *largest = raw.len().max(*largest);
        Fate::Pass
    });
    stage.chain.block(200, None);
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    let bytes = *largest.lock().unwrap();
    assert!((16_384..=32_768).contains(&bytes), "{bytes}");
    *largest.lock().unwrap() = 0;
    *limit.lock().unwrap() = 20_000;
    stage.chain.block(100, None);
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    let bytes = *largest.lock().unwrap();
    assert!((2_000..=20_000).contains(&bytes), "{bytes}");
    relayer.assert_same().await;
}
