//! Out of a stuck height with `tbsi node recover`: the undecided goes, what was signed stays.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;

use alloy_eips::BlockNumberOrTag;
use tbsi_keys::{Mark, Position, SignState};
use tbsi_tests::harness::{Ended, Sender, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_types::Height;

async fn recover(net: &TestNetwork, node: usize, flags: &[&str]) -> Ended {
    let home = net.network.home(node);
    let command = [
        "node",
        "recover",
        "--json",
        "--home",
        home.to_str().unwrap(),
    ];
    tbsi(&[&command[..], flags].concat()).await
}

/// What a validator signed last, while its node does not run.
fn mark(net: &TestNetwork, node: usize) -> Mark {
    let home = net.home(node);
    let (file, chain) = (home.sign_state_file(), net.genesis().identity());
    let state = SignState::open(&file, chain, net.validator_address(node));
    state.unwrap().mark()
}

/// Height and round of the highest slot in the sign-state of a node that runs: the fields behind
/// magic 16, genesis hash 32, validator 20 and sequence 8.
fn signed(net: &TestNetwork, node: usize) -> (u64, u32) {
    let bytes = fs::read(net.home(node).sign_state_file()).unwrap();
    let slots = bytes.chunks_exact(512).map(|slot| {
        let height = u64::from_be_bytes(slot[76..84].try_into().unwrap());
        let round = u32::from_be_bytes(slot[84..88].try_into().unwrap());
        (height, round)
    });
    // A new mark is the end of height 0.
    slots
        .filter(|(height, _)| *height > 0)
        .max()
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_recover_from_a_stuck_height_and_keep_what_they_signed() {
    let mut net = TestNetwork::start(4, 0).await;
    said(&recover(&net, 0, &[]).await, 1, &["in use"]);

    // Two of four decide nothing. When each of them has had its turn, both have proposed.
    for node in [2, 3] {
        net.network.stop(node).await.unwrap();
    }
    let mut sender = Sender::new("stuck", net.network.chain_id());
    let client = net.client(0);
    client
        .send_raw_transaction(&sender.next_transfer())
        .await
        .unwrap();
    eventually("the height goes through its proposers", async || {
        signed(&net, 0).1 >= 4 && signed(&net, 1).1 >= 4
    })
    .await;
    let tip = client.block_number().await.unwrap();
    let stuck = tip.next();
    for node in [0, 1] {
        net.network.stop(node).await.unwrap();
    }
    let before = [mark(&net, 0), mark(&net, 1)];
    assert!(before.iter().all(|mark| mark.height == stuck), "{before:?}");

    let dry = json_of(&recover(&net, 0, &["--dry-run"]).await);
    assert_eq!(dry["height"], tip.0);
    assert!(dry["undecidedBlocks"].as_u64().unwrap() > 0, "{dry}");
    assert_eq!(dry["silentUntil"], stuck.0);
    assert_eq!(mark(&net, 0), before[0]);
    assert!(net.home(0).wal_dir().exists());

    // It may be locked, so it is silent at that height; three others are enough.
    let done = json_of(&recover(&net, 0, &[]).await);
    assert_eq!(done["undecidedBlocks"], dry["undecidedBlocks"]);
    assert_eq!(mark(&net, 0).position(), Position::end_of(stuck));
    assert!(!net.home(0).wal_dir().exists());
    let log = done["log"].as_str().unwrap();
    assert!(fs::read_dir(log).unwrap().count() > 0, "the log is kept");
    // Nobody has decided the height, as its operator makes sure, so it votes there again.
    let done = json_of(&recover(&net, 1, &["--vote-again"]).await);
    assert_eq!(done["silentUntil"], serde_json::Value::Null);
    assert_eq!(mark(&net, 1), before[1]);
    let again = json_of(&recover(&net, 1, &["--vote-again"]).await);
    assert_eq!(again["undecidedBlocks"], 0);
    assert_eq!(again["log"], serde_json::Value::Null);

    net.network.start_all().unwrap();
    for node in 0..4 {
        net.wait_height(node, stuck).await;
    }
    let hash = net.block_hash(0, stuck).await;
    for node in 1..4 {
        assert_eq!(net.block_hash(node, stuck).await, hash);
    }
    let own = net.validator_address(0);
    let mut others = Sender::new("after it", net.network.chain_id());
    eventually("the silent validator votes again above it", async || {
        let height = others.transfer(&client).await.unwrap();
        height > Height(stuck.0) && {
            let certificate = client
                .certificate(BlockNumberOrTag::Number(height.0))
                .await
                .unwrap();
            let certificate = certificate.unwrap();
            certificate.signatures.iter().any(|it| it.validator == own)
        }
    })
    .await;
    net.assert_no_panic();
}
