//! The validator set changes while the relayer is down.

use tbsi_bridge::record::{Event, Item};
use tbsi_tests::bridge::chain::set;

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
