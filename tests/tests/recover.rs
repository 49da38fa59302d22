//! Out of a stuck height with `tbsi node recover`: the undecided goes, what was signed stays.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs::{self, OpenOptions};

use alloy_eips::BlockNumberOrTag;
use serde_json::Value;
use tbsi_keys::{ConsensusStatement, Mark, SignState, Step};
use tbsi_tests::harness::{Ended, Sender, TestNetwork, eventually, json_of, said, tbsi};
use tbsi_types::{Height, Round, VoteKind, VoteStatement};

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

/// Height and step of the highest record in the sign-state of a node that runs: the fields behind
/// magic 16, genesis hash 32, validator 20 and sequence 8, with the round between them.
fn signed(net: &TestNetwork, node: usize) -> (u64, u8) {
    let bytes = fs::read(net.home(node).sign_state_file()).unwrap();
    let slots = bytes.chunks_exact(512).map(|slot| {
        let height = u64::from_be_bytes(slot[76..84].try_into().unwrap());
        (height, slot[88])
    });
    slots.max().unwrap()
}

/// Stops two of four, so that nothing is decided, and leaves the proposer of the next height among
/// those that run. Returns that height and the proposer.
async fn get_stuck(net: &mut TestNetwork) -> (Height, usize) {
    let set = net.genesis().validator_set().unwrap();
    net.network.stop(2).await.unwrap();
    for _ in 0..20 {
        net.network.stop(3).await.unwrap();
        let stuck = net.client(0).block_number().await.unwrap().next();
        let proposer = set.proposer(stuck, Round::ZERO).address;
        let running = (0..2).find(|node| net.validator_address(*node) == proposer);
        if let Some(running) = running {
            return (stuck, running);
        }
        net.network.start(3).unwrap();
        net.wait_height(3, stuck).await;
    }
    panic!("the proposer was never one of the two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_recovers_from_a_stuck_height_and_keeps_what_it_signed() {
    let mut net = TestNetwork::start(4, 0).await;
    said(&recover(&net, 0, &[]).await, 1, &["in use"]);

    let (stuck, node) = get_stuck(&mut net).await;
    let client = net.client(node);
    let mut sender = Sender::new("stuck", net.network.chain_id());
    let transfer = sender.next_transfer();
    client.send_raw_transaction(&transfer).await.unwrap();
    let prevote = (stuck.0, Step::Prevote.byte());
    eventually("the proposer votes for its block", async || {
        signed(&net, node) == prevote
    })
    .await;
    for running in [0, 1] {
        net.network.stop(running).await.unwrap();
    }
    let before = mark(&net, node);

    let dry = json_of(&recover(&net, node, &["--dry-run"]).await);
    assert_eq!(dry["height"], stuck.0 - 1);
    assert!(dry["undecidedBlocks"].as_u64().unwrap() > 0, "{dry}");
    // Who has prevoted in round 0 and no more is locked on nothing.
    assert_eq!(dry["silentUntil"], Value::Null);
    assert!(net.home(node).wal_dir().exists());

    let done = json_of(&recover(&net, node, &[]).await);
    assert_eq!(done["undecidedBlocks"], dry["undecidedBlocks"]);
    assert_eq!(mark(&net, node), before);
    assert!(!net.home(node).wal_dir().exists());
    let log = done["log"].as_str().unwrap();
    assert!(fs::read_dir(log).unwrap().count() > 0, "the log is kept");
    let again = json_of(&recover(&net, node, &[]).await);
    assert_eq!(again["undecidedBlocks"], 0);
    assert_eq!(again["log"], Value::Null);

    // The other one too: with two of four that say nothing at a height, it would stand for ever.
    let other = 1 - node;
    let signed_before = mark(&net, other);
    json_of(&recover(&net, other, &[]).await);
    assert_eq!(mark(&net, other), signed_before);

    net.network.start_all().unwrap();
    for node in 0..4 {
        net.wait_height(node, stuck).await;
    }
    let hash = net.block_hash(0, stuck).await;
    for node in 1..4 {
        assert_eq!(net.block_hash(node, stuck).await, hash);
    }
    let own = net.validator_address(node);
    let mut others = Sender::new("after it", net.network.chain_id());
    eventually("the validator votes again", async || {
        let height = others.transfer(&client).await.unwrap();
        let certificate = client.certificate(BlockNumberOrTag::Number(height.0));
        let certificate = certificate.await.unwrap().unwrap();
        certificate.signatures.iter().any(|it| it.validator == own)
    })
    .await;
    net.assert_no_panic();
}

/// Of the log in which a validator keeps what it did at a height.
const LOG_HEADER_BYTES: u64 = 12;

/// A power cut behind the sign-state's sync and before the log's, at two of four: without their
/// logs both would vote for a block that they propose anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_four_that_lost_what_they_had_not_synced_do_not_halt_the_chain() {
    let mut net = TestNetwork::start(4, 0).await;
    let (stuck, proposer) = get_stuck(&mut net).await;
    let mut sender = Sender::new("stuck", net.network.chain_id());
    let transfer = sender.next_transfer();
    let client = net.client(proposer);
    client.send_raw_transaction(&transfer).await.unwrap();
    for node in [0, 1] {
        eventually("both vote for the block", async || {
            signed(&net, node) >= (stuck.0, Step::Prevote.byte())
        })
        .await;
    }
    for node in [0, 1] {
        net.network.kill9(node).await.unwrap();
        let log = net.home(node).wal_dir().join("consensus.wal");
        let log = OpenOptions::new().write(true).open(log).unwrap();
        assert!(log.metadata().unwrap().len() > LOG_HEADER_BYTES);
        log.set_len(LOG_HEADER_BYTES).unwrap();
    }
    net.network.start_all().unwrap();
    for node in 0..4 {
        net.wait_height(node, Height(stuck.0 + 2)).await;
    }
    net.assert_no_panic();
}

/// All voted in a later round, and have no log any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_forgot_a_height_come_to_the_round_in_which_they_were() {
    let mut net = TestNetwork::start(4, 0).await;
    net.network.stop_all().await.unwrap();
    let tips = (0..4).map(|node| signed(&net, node).0);
    let next = Height(tips.max().unwrap() + 1);
    // One of them is at the precommit of the round before.
    for (node, (round, kind)) in [
        (3, VoteKind::Precommit),
        (4, VoteKind::Prevote),
        (4, VoteKind::Prevote),
        (4, VoteKind::Precommit),
    ]
    .into_iter()
    .enumerate()
    {
        let home = net.home(node);
        let (file, chain) = (home.sign_state_file(), net.genesis().identity());
        let mut state = SignState::open(&file, chain, net.validator_address(node)).unwrap();
        let nil = ConsensusStatement::Vote(VoteStatement {
            kind,
            height: next,
            round: Round(round),
            value: None,
        });
        assert_eq!(state.answer(nil, None).unwrap(), Some(nil));
        drop(state);
        let log = home.wal_dir().join("consensus.wal");
        fs::remove_file(log).unwrap();
    }
    net.network.start_all().unwrap();
    for node in 0..4 {
        net.wait_height(node, Height(next.0 + 2)).await;
    }
    net.assert_no_panic();
}
