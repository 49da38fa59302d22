//! Messages from the source to contracts on the target.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, TxKind, U64, hex};
use alloy_sol_types::{SolCall, SolError};
use serde_json::json;
use tbsi_bindings::bridge::LightClient::pauseCall;
use tbsi_bridge::evm::abi::LightClient;
use tbsi_bridge::record::{Event, Item};
use tbsi_tests::bridge::anvil::{TARGET_CHAIN_ID, guardian};
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::harness::eventually;

use crate::kill::POINTS;
use crate::{Stage, anvil, ledger, long};

/// Adds one to its first slot, whatever it is called with.
const COUNTER: [u8; 8] = hex!("5f546001015f5500");
/// Reverts.
const REFUSER: [u8; 3] = hex!("5f5ffd");
/// Never ends.
const BURNER: [u8; 3] = hex!("5b5f56");
/// Reverts if gas costs anything: in a block, but not when gas is estimated.
const TRAP: [u8; 9] = hex!("3a600557005b5f5ffd");

/// Where a receiver is.
fn receiver(number: u8) -> Address {
    Address::repeat_byte(0xc0 + number)
}

fn in_seconds(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() + seconds
}

/// Both chains, an inbox, a receiver that counts, and a relayer that carries messages alone.
struct Post {
    stage: Stage,
    inbox: Address,
    relayer: Relayer,
}

impl Post {
    async fn new(binary: &std::path::Path, name: &str) -> Self {
        let stage = Stage::new(binary, Some("0.1")).await;
        let inbox = stage.anvil.deploy_inbox(stage.contract).await;
        stage.anvil.place(receiver(0), &COUNTER).await;
        let mut relayer = stage.relayer(name).await;
        relayer.target().inbox = Some(inbox);
        relayer.configure();
        Self {
            stage,
            inbox,
            relayer,
        }
    }

    /// Sends a message to a receiver and gives the relayer its payload.
    async fn send(&self, to: Address, payload: &[u8]) -> u64 {
        let timeout = in_seconds(3_600);
        self.relayer.give(payload).await;
        self.stage
            .chain
            .message(TARGET_CHAIN_ID, to, timeout, payload)
    }

    async fn count(&self, at: Address) -> u64 {
        let params = [json!(at), json!("0x0"), json!("latest")];
        let word = self.stage.anvil.call("eth_getStorageAt", &params).await;
        let word: alloy_primitives::U256 = serde_json::from_value(word).unwrap();
        word.to()
    }

    /// Fails unless each of so many messages was delivered once.
    async fn assert_each_once(&self, messages: u64) {
        let mut delivered = self.stage.anvil.delivered(self.inbox).await;
        delivered.sort_unstable();
        assert_eq!(delivered, (1..=messages).collect::<Vec<_>>());
        assert_eq!(self.count(receiver(0)).await, messages);
    }

    async fn status(&self) -> String {
        self.relayer.ok(&["status"]).await
    }
}

#[tokio::test]
async fn t47_a_message_is_delivered_once_wherever_a_kill_hits() {
    let Some(binary) = anvil("t47 kill with messages") else {
        return;
    };
    let post = Post::new(&binary, "postman").await;
    let rounds = if long() { 20 } else { 1 };
    let points = POINTS.iter().filter(|point| **point != "attested");
    let mut sent = 0;
    for point in points.cycle().take((POINTS.len() - 1) * rounds) {
        sent += 1;
        post.send(receiver(0), &[b"message ".as_slice(), &[sent]].concat())
            .await;
        // Attestations are carried beside it.
        post.stage.chain.block(1, None);
        let killed = post.relayer.run(&["clear"], Some(point)).await;
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
        post.relayer.ok(&["clear"]).await;
    }
    post.assert_each_once(sent.into()).await;
    post.stage.assert_once().await;
    let failed =
        |event: &Event| matches!(event, Event::Final { inclusion, .. } if !inclusion.success);
    assert!(!post.relayer.has(failed));
    post.relayer.assert_same().await;
    let audit = post.relayer.audit().await;
    assert_eq!(audit["report"]["messages"], sent, "{audit:#}");
    ledger(&format!(
        "{sent} kills with messages, {rounds} at each of {} states, {sent} messages, each \
         delivered once",
        POINTS.len() - 1
    ));
}

#[tokio::test]
async fn t48_two_relayers_that_race_deliver_each_message_once() {
    let Some(binary) = anvil("t48 race with messages") else {
        return;
    };
    let post = Post::new(&binary, "first").await;
    let mut other = post.stage.relayer("second").await;
    other.target().inbox = Some(post.inbox);
    other.configure();
    for number in 0..4u8 {
        post.send(receiver(0), &[number]).await;
        other.give(&[number]).await;
    }
    tokio::join!(post.relayer.ok(&["clear"]), other.ok(&["clear"]));
    post.assert_each_once(4).await;
    post.relayer.assert_same().await;
    other.assert_same().await;
}

#[tokio::test]
async fn t56_a_receiver_that_refuses_holds_up_nobody_and_gets_its_message_later() {
    let Some(binary) = anvil("t56 poison receivers") else {
        return;
    };
    let post = Post::new(&binary, "poisoned post").await;
    let frozen = LightClient::LightClientFrozen {}.abi_encode();
    let liar = [hex!("63").as_slice(), &frozen, &hex!("5f526004601cfd")].concat();
    let codes: [&[u8]; 4] = [&REFUSER, &liar, &BURNER, &TRAP];
    for (number, code) in (1..).zip(codes) {
        post.stage.anvil.place(receiver(number), code).await;
    }
    // Nobody is at the fifth.
    for number in 0..=5 {
        post.send(receiver(number), &[number]).await;
        post.send(receiver(0), &[100 + number]).await;
    }
    let ended = post.relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("5 items are in quarantine"));
    let status = post.status().await;
    for words in [
        "message of leaf 2: revert",
        "message of leaf 4: LightClientFrozen",
        "message of leaf 6: ",
        "message of leaf 8: reverted (3 transactions with it failed in a block)",
        "message of leaf 10: InboxReceiver",
    ] {
        assert!(status.contains(words), "{words}: {status}");
    }
    assert_eq!(post.count(receiver(0)).await, 7);
    assert!(
        !post
            .relayer
            .has(|event| matches!(event, Event::Held { .. }))
    );
    // Mended, they get what was meant for them; all others keep what they have.
    for number in 1..=5 {
        post.stage.anvil.place(receiver(number), &COUNTER).await;
    }
    post.relayer.ok(&["clear", "--retry"]).await;
    for number in 1..=5 {
        assert_eq!(post.count(receiver(number)).await, 1);
    }
    let mut delivered = post.stage.anvil.delivered(post.inbox).await;
    delivered.sort_unstable();
    assert_eq!(delivered, (1..=12).collect::<Vec<_>>());
    post.relayer.assert_same().await;
}

#[tokio::test]
async fn t22_a_message_without_payload_waits_for_it_and_one_too_late_expires() {
    let Some(binary) = anvil("t22 payloads and timeouts") else {
        return;
    };
    let post = Post::new(&binary, "payloads").await;
    let chain = &post.stage.chain;
    let leaf = chain.message(TARGET_CHAIN_ID, receiver(0), in_seconds(3_600), b"late");
    let short = chain.message(TARGET_CHAIN_ID, receiver(0), in_seconds(4), b"never");
    // Of other chains, or of senders that are not selected, nothing is carried.
    chain.message(TARGET_CHAIN_ID + 1, receiver(0), in_seconds(60), b"abroad");
    let ended = post.relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let status = post.status().await;
    let missing = format!("message of leaf {leaf}: payloadMissing (payload 0x");
    assert!(status.contains(&missing), "{status}");
    assert!(status.contains("`tbsi relay payload`"), "{status}");
    let mut running = post.relayer.start(None);
    let expired = |event: &Event| matches!(event, Event::Expired { items, .. } if items == &[Item::Message(short)]);
    eventually("it expires", async || post.relayer.has(expired)).await;
    post.relayer.give(b"late").await;
    eventually("it is delivered", async || {
        post.stage.anvil.delivered(post.inbox).await == [1]
    })
    .await;
    running.kill().await.unwrap();
    post.relayer.ok(&["clear"]).await;
    let status = post.status().await;
    assert!(
        status.contains("1 came too late to be delivered"),
        "{status}"
    );
    assert_eq!(post.count(receiver(0)).await, 1);
    // More than a message can have is refused by name.
    std::fs::write(post.relayer.home().join("large"), vec![0; 100_001]).unwrap();
    let large = post.relayer.home().join("large");
    let ended = post
        .relayer
        .run(&["payload", large.to_str().unwrap()], None)
        .await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("at most 100000"), "{}", ended.stderr);
    post.relayer.assert_same().await;
}

#[tokio::test]
async fn t59_while_messages_are_paused_everything_else_goes_on() {
    let Some(binary) = anvil("t59 paused messages") else {
        return;
    };
    let post = Post::new(&binary, "paused post").await;
    let anvil = &post.stage.anvil;
    let nonce = anvil.nonce(guardian().public_key().address()).await;
    let to = TxKind::Call(post.stage.contract);
    let call = pauseCall { scope: 2 }.abi_encode();
    let hash = anvil.send(&guardian(), nonce, to, call.into()).await;
    anvil.receipt(hash).await;
    post.send(receiver(0), b"held").await;
    post.stage.chain.block(2, None);
    let mut running = post.relayer.start(None);
    eventually("attestations are recorded", async || {
        anvil.recorded(post.stage.contract).await.len() == 2
    })
    .await;
    assert!(post.relayer.did("held"));
    assert_eq!(anvil.delivered(post.inbox).await, Vec::<u64>::new());
    running.kill().await.unwrap();
    // 72 hours later.
    let later = U64::from(72 * 3_600 + 60);
    anvil.call("evm_increaseTime", &[json!(later)]).await;
    let status = post.status().await;
    assert!(status.contains("a guardian has paused them"), "{status}");
    let last = post.stage.chain.message(
        TARGET_CHAIN_ID,
        receiver(0),
        in_seconds(80 * 3_600),
        b"held",
    );
    let ended = post.relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(post.relayer.did("resumed"));
    // The first had a timeout of an hour.
    assert_eq!(anvil.delivered(post.inbox).await, [2]);
    assert!(last > 0);
    post.relayer.assert_same().await;
}

#[tokio::test]
async fn t52_an_inbox_of_another_light_client_stops_it_before_it_spends() {
    let Some(binary) = anvil("t52 wrong inbox") else {
        return;
    };
    let post = Post::new(&binary, "wrong post").await;
    let other = post.stage.anvil.deploy(&post.stage.chain).await;
    let mut relayer = post.stage.relayer("misled").await;
    for (inbox, words) in [
        (
            post.stage.anvil.deploy_inbox(other).await,
            "believes the light client",
        ),
        (receiver(7), "is no contract"),
        (receiver(0), "is no inbox"),
    ] {
        relayer.target().inbox = Some(inbox);
        relayer.configure();
        let ended = relayer.run(&["check"], None).await;
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    relayer.target().inbox = Some(post.inbox);
    relayer.configure();
    let said = relayer.ok(&["check", "--lang", "zh-TW"]).await;
    assert!(said.contains("收件匣"), "{said}");
}
