//! What the relayer's loop does with what a target says.

use tbsi_bridge::journal::files;
use tbsi_bridge::record::{Event, Hold, Item, Record};
use tbsi_bridge::relay::keep_payload;
use tbsi_tests::bridge::chain::{Chain, set};

use crate::sim::{Answer, DEPTH};
use crate::stage::{Stage, message};

fn with_leaves(leaves: u64) -> Stage {
    let chain = Chain::new(None);
    chain.block(leaves, None);
    Stage::new(&chain)
}

#[tokio::test(start_paused = true)]
async fn t51_what_a_block_that_goes_away_held_is_brought_again() {
    for forget in [false, true] {
        for depth in 1..DEPTH {
            let mut stage = with_leaves(3);
            while stage.named("included") == 0 {
                stage.step().await;
            }
            while stage.world.borrow().held().recorded.is_empty() {
                stage.step().await;
            }
            stage.world.borrow_mut().reorganise(depth, forget);
            stage.settle().await;
            stage.assert_once(3, 0);
            assert!(stage.named("reorganised") <= 1);
            assert_eq!(stage.named("sealed"), stage.named("final"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_halved_until_it_fits() {
    let mut stage = with_leaves(50);
    stage.world.borrow_mut().leaves_max = 7;
    stage.settle().await;
    stage.assert_once(50, 0);
    let leaves = |record: Record| {
        let Event::Planned { items, .. } = record.event else {
            return 0;
        };
        items.iter().filter(|item| item.leaf().is_some()).count()
    };
    let most = stage.records().into_iter().map(leaves).max();
    assert!(most <= Some(7));
}

#[tokio::test(start_paused = true)]
async fn t56_a_leaf_that_is_refused_holds_up_nobody() {
    let mut stage = with_leaves(9);
    stage.world.borrow_mut().poison.insert(5);
    stage.settle().await;
    stage.assert_once(8, 0);
    let state = stage.relay().state();
    let aside: Vec<_> = state.quarantined().collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(
        (aside[0].0, aside[0].1.code.as_str()),
        (Item::Leaf(5), "LeafKind")
    );
}

/// What the target refuses when it is sent is sent in smaller parts, ever later, and not lost.
#[tokio::test(start_paused = true)]
async fn refusals_of_everything_are_a_slow_loop_that_loses_nothing() {
    let mut stage = with_leaves(2);
    stage.world.borrow_mut().answers = vec![Answer::Refuse; 1_000].into();
    for _ in 0..300 {
        stage.step().await;
    }
    let released = stage.named("released");
    assert!((3..=150).contains(&released), "{released}");
    assert_eq!(stage.world.borrow().transactions(), 0);
    stage.world.borrow_mut().answers.clear();
    stage.settle().await;
    let aside = stage.relay().state().quarantined().count();
    assert_eq!(stage.world.borrow().held().recorded.len() + aside, 2);
}

#[tokio::test(start_paused = true)]
async fn silence_is_no_refusal() {
    let mut stage = with_leaves(2);
    stage.world.borrow_mut().answers = vec![Answer::Silence; 5].into();
    stage.settle().await;
    stage.assert_once(2, 0);
    assert_eq!(stage.named("released"), 0);
}

#[tokio::test(start_paused = true)]
async fn while_something_holds_nothing_is_sent_and_it_is_said() {
    for hold in [Hold::Paused, Hold::Frozen, Hold::Target("ink".into())] {
        let mut stage = with_leaves(2);
        stage.world.borrow_mut().hold = Some(hold.clone());
        for _ in 0..5 {
            stage.step().await;
        }
        assert_eq!(stage.named("planned"), 0);
        assert_eq!(
            stage.count(|event| *event
                == Event::Held {
                    reason: hold.clone()
                }),
            1
        );
        // A restart changes nothing about it.
        stage.stop();
        stage.step().await;
        assert!(stage.relay().state().holds.contains(&hold));
        stage.world.borrow_mut().hold = None;
        stage.settle().await;
        stage.assert_once(2, 0);
        assert_eq!(stage.named("resumed"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_its_payload_and_expires() {
    let chain = Chain::new(None);
    let seconds = chain.held().genesis.time_ms.0 / 1_000;
    message(&chain, 1, u64::MAX / 2, "one");
    message(&chain, 2, seconds + 40, "two");
    let mut stage = Stage::new(&chain);
    keep_payload(stage.home(), b"one").unwrap();
    stage.settle().await;
    stage.assert_once(0, 1);
    let state = stage.relay().state();
    let (item, reason) = state.quarantined().next().unwrap();
    assert_eq!(
        (item, reason.code.as_str()),
        (Item::Message(1), "payloadMissing")
    );
    for _ in 0..60 {
        stage.step().await;
    }
    let state = stage.relay().state();
    assert_eq!((state.expired, state.items.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn handovers_are_crossed_in_order() {
    let chain = Chain::new(None);
    for from in [4, 8, 12] {
        chain.block(1, Some(set(from..from + 4)));
        chain.block(1, None);
    }
    let mut stage = Stage::new(&chain);
    stage.settle().await;
    stage.assert_once(6, 0);
    let is_handover = |item: &Item| matches!(item, Item::Handover(_));
    let handovers = |event: &Event| matches!(event, Event::Final { items, .. } if items.iter().any(is_handover));
    assert!(stage.count(handovers) >= 1);
}

/// Fault 8: however long a relayer works, a start reads the last file alone.
#[tokio::test(start_paused = true)]
async fn a_start_reads_the_last_file_of_the_journal_alone() {
    let chain = Chain::new(None);
    let mut stage = Stage::new(&chain);
    stage.config.audit.file_bytes = 10_000;
    for _ in 0..40 {
        chain.block(1, None);
        stage.settle().await;
    }
    let before = stage.relay().state().clone();
    let full = files(stage.home()).unwrap();
    assert!(full.len() > 4, "{full:?}");
    stage.stop();
    for file in &full[..full.len() - 1] {
        std::fs::remove_file(file).unwrap();
    }
    let after = stage.relay().state().clone();
    assert_eq!(
        (after.settled, after.scanned),
        (before.settled, before.scanned)
    );
    chain.block(1, None);
    stage.settle().await;
    stage.assert_recorded(41);
}
