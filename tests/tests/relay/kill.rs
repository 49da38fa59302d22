//! Kills at every state, two relayers at once, requests, poison, dry runs.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::B256;
use tbsi_bridge::record::{Event, Item};
use tbsi_tests::bridge::chain::ISSUER;
use tbsi_tests::bridge::latency::measure;
use tbsi_tests::harness::tbsi_binary;
use tbsi_types::log::Statement;

use crate::{Stage, anvil, ledger, long};

/// Everything that a plan goes through, and what happens between two records.
pub(crate) const POINTS: [&str; 11] = [
    "started",
    "discovered",
    "proven",
    "planned",
    "nonceReserved",
    "signed",
    "sent",
    "broadcast",
    "included",
    "final",
    "attested",
];

#[tokio::test]
async fn t47_a_relayer_killed_at_any_state_loses_nothing_and_does_nothing_twice() {
    let Some(binary) = anvil("t47 kill") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let mut relayer = stage.relayer("killed").await;
    relayer.config.audit.interval_s = 1;
    relayer.configure();
    let rounds = if long() { 20 } else { 2 };
    for point in POINTS.into_iter().cycle().take(POINTS.len() * rounds) {
        stage.chain.block(2, None);
        let killed = relayer.run(&["clear"], Some(point)).await;
        assert_eq!(killed.code, None, "{point}: {}", killed.stderr);
        relayer.ok(&["clear"]).await;
    }
    stage.assert_once().await;
    let nonce = stage.anvil.nonce(relayer.account()).await;
    let finals = relayer
        .events()
        .into_iter()
        .filter(|event| *event == "final")
        .count();
    assert_eq!(
        nonce, finals as u64,
        "every transaction is recorded as final, once"
    );
    assert!(
        !relayer.has(|event| matches!(event, Event::Final { inclusion, .. } if !inclusion.success))
    );
    relayer.assert_same().await;
    ledger(&format!(
        "{} kills of the relayer, {rounds} at each of {} states, {} attestations, none lost, none \
         twice",
        POINTS.len() * rounds,
        POINTS.len(),
        stage.chain.size(),
    ));
}

#[tokio::test]
async fn t48_two_relayers_that_race_record_everything_once() {
    let Some(binary) = anvil("t48 race") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.3")).await;
    let one = stage.relayer("one").await;
    let other = stage.relayer("other").await;
    for _ in 0..3 {
        stage.chain.block(5, None);
        tokio::join!(one.ok(&["clear"]), other.ok(&["clear"]));
    }
    // One that comes too late finds everything done, and is killed when it does.
    let late = stage.relayer("late").await;
    let killed = late.run(&["clear"], Some("alreadyDone")).await;
    assert_eq!(killed.code, None, "{}", killed.stderr);
    late.ok(&["clear"]).await;
    assert_eq!(stage.anvil.nonce(late.account()).await, 0);
    stage.assert_once().await;
    one.assert_same().await;
    other.assert_same().await;
    late.assert_same().await;
    // One home is one process.
    let running = one.start(None);
    tbsi_tests::harness::eventually("the lock is refused", async || {
        one.run(&["clear"], None)
            .await
            .stderr
            .contains("in use by another process")
    })
    .await;
    drop(running);
}

#[tokio::test]
async fn t56_a_poisoned_item_is_set_aside_and_holds_up_nobody() {
    let Some(binary) = anvil("t56 poison") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("poisoned").await;
    stage.chain.block(5, None);
    let revocation = Statement::Revocation {
        id: B256::repeat_byte(1),
        reason: 1,
    };
    stage.chain.state(&[(ISSUER, revocation)]);
    stage.chain.block(5, None);
    relayer.ok(&["send", "--index", "5"]).await;
    let killed = relayer.run(&["clear"], Some("quarantined")).await;
    assert_eq!(killed.code, None, "{}", killed.stderr);
    let ended = relayer.run(&["clear"], None).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let status = relayer.ok(&["status"]).await;
    assert!(status.contains("quarantined: leaf 5: LeafKind"), "{status}");
    let mut recorded = stage.anvil.recorded(stage.contract).await;
    recorded.sort_unstable();
    assert_eq!(recorded, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]);
    // Nothing was spent on it, then or when it is tried again.
    assert!(!relayer.has(|event| matches!(
        event, Event::Planned { items, .. } if items.contains(&Item::Leaf(5)))));
    let before = stage.anvil.nonce(relayer.account()).await;
    let again = relayer.run(&["clear", "--retry"], None).await;
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(relayer.did("retried"));
    assert_eq!(stage.anvil.nonce(relayer.account()).await, before);
    relayer.assert_same().await;
}

#[tokio::test]
async fn t57_a_backlog_is_caught_up_in_batches() {
    let Some(binary) = anvil("t57 backlog") else {
        return;
    };
    let asked = std::env::var("TBSI_BACKLOG")
        .ok()
        .and_then(|it| it.parse().ok());
    let backlog = asked.unwrap_or(if long() { 100_000 } else { 1_000 });
    let figures = measure(&tbsi_binary(), &binary, 3, backlog).await.unwrap();
    let gas = figures.gas / backlog;
    let bytes = figures.journal / backlog;
    ledger(&format!(
        "{backlog} attestations caught up in {:?}, {gas} gas and {bytes} bytes of journal each",
        figures.caught_up
    ));
    assert!(bytes < 1_000, "{bytes} bytes of journal for each");
    // More than half of it is the slot that keeps each.
    assert!(gas < 45_000, "{gas} gas for each");
}

/// Every file of a directory and its bytes.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let read = files.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read(entry.path()).unwrap())
    });
    read.filter(|(name, _)| name != "log").collect()
}

#[tokio::test]
async fn t58_a_dry_run_and_a_check_write_and_send_nothing() {
    let Some(binary) = anvil("t58 dry run") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("dry").await;
    stage.chain.block(3, None);
    for old in [false, true] {
        let before = contents(relayer.home());
        let nonce = stage.anvil.nonce(relayer.account()).await;
        let said = relayer.ok(&["dry-run"]).await;
        let checked = relayer.ok(&["check"]).await;
        assert!(checked.contains("Test Association dry"), "{checked}");
        assert!(said.contains("gas, at most"), "{said}");
        assert_eq!(contents(relayer.home()), before);
        assert_eq!(stage.anvil.nonce(relayer.account()).await, nonce);
        if !old {
            relayer.ok(&["clear"]).await;
            stage.chain.block(3, None);
        }
    }
    relayer.ok(&["clear"]).await;
    let said = relayer.ok(&["dry-run"]).await;
    assert!(said.contains("nothing would be sent"), "{said}");
    stage.assert_once().await;
}
