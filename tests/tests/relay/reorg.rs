//! Blocks of the target that go away before they are final.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tbsi_tests::harness::eventually;
use tokio::time::sleep;

use crate::{Stage, anvil, ledger, long};

/// Depths that one anvil bears: it goes back to no state that is older than about 500 blocks.
const DEPTHS_PER_ANVIL: usize = 4;

#[tokio::test]
async fn t51_what_a_reorganisation_takes_back_is_brought_again() {
    let Some(binary) = anvil("t51 reorganisation") else {
        return;
    };
    let all: Vec<u64> = (1..=32).collect();
    let depths = if long() { all } else { vec![1, 5, 13, 32] };
    let mut leaves = 0;
    for some in depths.chunks(DEPTHS_PER_ANVIL) {
        leaves += reorganised(&binary, some).await;
    }
    ledger(&format!(
        "{} reorganisations of depth 1 to 32 below finality, {leaves} attestations, each recorded \
         once",
        depths.len()
    ));
}

/// Reorganises that deep, one after the other; how many leaves came through.
async fn reorganised(binary: &Path, depths: &[u64]) -> u64 {
    let stage = Stage::new(binary, None).await;
    let relayer = stage.relayer("reorganised").await;
    let mut running = relayer.start(Some("reorganised"));
    let count = |name: &str| {
        relayer
            .events()
            .iter()
            .filter(|event| **event == name)
            .count()
    };
    for (position, depth) in depths.iter().enumerate() {
        stage.chain.block(3, None);
        let (sent, included) = (count("broadcast"), count("included"));
        eventually("it is sent", async || count("broadcast") > sent).await;
        stage.anvil.mine(1).await;
        eventually("it is included", async || count("included") > included).await;
        // As deep as asked for, which is not final yet: that takes 64 blocks.
        stage.anvil.mine(depth - 1).await;
        let gone = count("reorganised");
        stage
            .anvil
            .call("anvil_reorg", &[json!(depth), json!([])])
            .await;
        eventually("it is noticed", async || count("reorganised") > gone).await;
        let finals = count("final");
        if position == 0 {
            assert_eq!(
                running.wait().await.unwrap().code(),
                None,
                "it was to be killed"
            );
            running = relayer.start(None);
        }
        // No more blocks than needed: anvil cannot go back to a state that it has dropped.
        let recorded = async || stage.anvil.recorded(stage.contract).await.len() as u64;
        eventually("it is there again", async || {
            let there = recorded().await == stage.chain.size();
            if !there {
                stage.anvil.mine(1).await;
                sleep(Duration::from_millis(100)).await;
            }
            there
        })
        .await;
        stage.anvil.mine(70).await;
        eventually("it is final", async || count("final") > finals).await;
        assert_eq!(
            stage.anvil.recorded(stage.contract).await.len() as u64,
            stage.chain.size()
        );
    }
    stage.assert_once().await;
    relayer.assert_same().await;
    stage.chain.size()
}
