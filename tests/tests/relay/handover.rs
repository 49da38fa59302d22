//! The validator set changes while the relayer is down.

use tbsi_bridge::record::{Event, Item};
use tbsi_tests::bridge::chain::set;
use tbsi_tests::harness::tbsi;

use crate::{Stage, anvil};

#[tokio::test]
async fn three_changes_of_the_set_are_caught_up_in_one_run() {
    let Some(binary) = anvil("handover") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("handover").await;
    stage.chain.block(2, None);
    relayer.ok(&["clear"]).await;
    for keys in [2..9, 8..12, 20..23] {
        stage.chain.block(1, Some(set(keys)));
        stage.chain.block(1, None);
        stage.chain.block(0, None);
    }
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    let mut handovers = 0;
    for record in relayer.records() {
        if let Event::Final { items, .. } = record.event {
            handovers += items
                .iter()
                .filter(|item| matches!(item, Item::Handover(_)))
                .count();
        }
    }
    assert_eq!(handovers, 3);
    relayer.assert_same().await;
}

/// Handovers in a page of `tbsi_getHandovers`.
const PAGE: usize = 64;

#[tokio::test]
async fn commands_that_run_once_follow_more_changes_than_a_page_has() {
    let Some(binary) = anvil("pages of handovers") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("pages").await;
    stage.chain.block(2, None);
    relayer.ok(&["clear"]).await;
    for round in 0..PAGE + 6 {
        stage.chain.block(0, Some(set(round % 50..round % 50 + 4)));
    }
    stage.chain.block(1, None);
    assert!(stage.chain.held().handovers.len() > PAGE);
    let forecast = relayer.ok(&["dry-run"]).await;
    assert!(forecast.contains("handover after height"), "{forecast}");
    relayer.assert_same().await;
    let genesis = relayer.home().join("genesis.json").display().to_string();
    let url = stage.server.url();
    let contract = ["relay", "contract", "--genesis", &genesis, "--rpc", &url];
    let printed = tbsi(&contract).await;
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert!(printed.stdout.starts_with("0x"), "{}", printed.stdout);
}

#[tokio::test]
async fn handovers_that_do_not_fit_together_go_one_by_one() {
    let Some(binary) = anvil("large handovers") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let mut relayer = stage.relayer("large").await;
    // One handover of nine validators, and no more, nor a checkpoint with it.
    relayer.target().gas_max = 330_000;
    relayer.configure();
    for round in 0..5 {
        stage.chain.block(0, Some(set(round * 9..round * 9 + 9)));
    }
    stage.chain.block(3, None);
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    relayer.assert_same().await;
}

#[tokio::test]
async fn more_changes_than_one_transaction_takes_are_followed_too() {
    let Some(binary) = anvil("many handovers") else {
        return;
    };
    let stage = Stage::new(&binary, Some("0.1")).await;
    let relayer = stage.relayer("handovers").await;
    for round in 0..20 {
        stage.chain.block(0, Some(set(round * 4..round * 4 + 4)));
    }
    stage.chain.block(3, None);
    relayer.ok(&["clear"]).await;
    stage.assert_once().await;
    relayer.assert_same().await;
}
