//! A relayer that dies at each of its records, and between them.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::rc::Rc;

use futures::FutureExt;
use tbsi_bridge::fault::{Died, die_after};
use tbsi_bridge::relay::keep_payload;
use tbsi_bridge::state::State;
use tbsi_tests::bridge::chain::{Chain, set};

use crate::sim::Answer;
use crate::stage::{Stage, config, message, pass, relayer};
use crate::toy::{Gazette, Window};

/// Deaths that one run of these tests has at most.
const POINTS_MAX: u32 = 500;

/// Attestations, a message, a change of validators, attestations: what there is to carry.
fn eventful() -> Chain {
    let chain = Chain::new(None);
    chain.block(3, None);
    message(&chain, 1, u64::MAX / 2, "hello");
    chain.block(2, Some(set(4..8)));
    chain.block(2, None);
    chain
}

/// A whole life: a block that goes away, a transaction that is forgotten, one that is refused.
async fn live(stage: &mut Stage) {
    keep_payload(stage.home(), b"hello").unwrap();
    let answers = [Answer::Take, Answer::Forget, Answer::Refuse, Answer::Take];
    stage.world.borrow_mut().answers = answers.into();
    for round in 0..8 {
        stage.step().await;
        if round == 2 {
            stage.world.borrow_mut().reorganise(2, false);
        }
        if round == 4 {
            stage.world.borrow_mut().reorganise(1, true);
        }
    }
    stage.settle().await;
}

/// Dies at each point of a life, one after the other; how many there are.
async fn die_everywhere(file_bytes: u64) -> u32 {
    let chain = eventful();
    for point in 1..POINTS_MAX {
        let mut stage = Stage::new(&chain);
        stage.config.audit.file_bytes = file_bytes;
        die_after(Some(point));
        live(&mut stage).await;
        die_after(None);
        stage.assert_once(7, 1);
        let records = stage.records();
        let state = State::of(&records).unwrap();
        assert_eq!(&state, stage.relay().state(), "point {point}");
        if stage.deaths == 0 {
            return point - 1;
        }
        assert_eq!(stage.deaths, 1, "point {point}");
    }
    panic!("more than {POINTS_MAX} points");
}

#[tokio::test(start_paused = true)]
async fn t47_a_relayer_that_dies_at_any_record_loses_nothing_and_does_nothing_twice() {
    let points = die_everywhere(1 << 20).await;
    assert!(points > 14, "{points} points");
}

/// The same with files of the journal that are full after a few records: also between the steps
/// of a rotation.
#[tokio::test(start_paused = true)]
async fn a_relayer_that_dies_while_its_journal_rotates_loses_nothing() {
    let points = die_everywhere(6_000).await;
    assert!(points > 17, "{points} points");
}

#[tokio::test(start_paused = true)]
async fn t49_what_was_taken_when_the_relayer_died_is_no_second_transaction() {
    let chain = eventful();
    for place in 0..2 {
        let mut stage = Stage::new(&chain);
        keep_payload(stage.home(), b"hello").unwrap();
        let mut answers = vec![Answer::Take; place];
        answers.push(Answer::Die);
        stage.world.borrow_mut().answers = answers.into();
        stage.settle().await;
        assert_eq!(stage.deaths, 1);
        stage.assert_once(7, 1);
    }
}

/// What two runs of the same life have in common: every leaf printed once, whenever it dies.
#[tokio::test(start_paused = true)]
async fn a_kind_of_target_that_nobody_has_heard_of_is_one_file() {
    let chain = Chain::new(None);
    chain.block(3, Some(set(4..8)));
    chain.block(2, None);
    let mut point = 0;
    loop {
        point += 1;
        let gazette = Gazette::new(&chain.held().genesis);
        let gazette = Rc::new(RefCell::new(gazette));
        let home = tempfile::tempdir().unwrap();
        die_after(Some(point));
        let mut died = false;
        for _ in 0..12 {
            died |= !survives(&chain, &gazette, home.path()).await;
        }
        die_after(None);
        let printed = gazette.borrow();
        assert_eq!(printed.recorded, (0..5).collect(), "point {point}");
        assert_eq!(printed.handed, printed.notices.len(), "point {point}");
        let leaves = printed
            .notices
            .iter()
            .filter_map(|(_, it)| it.leaves.as_ref());
        assert_eq!(leaves.map(|(it, _)| it.leaves.len()).sum::<usize>(), 5);
        if !died {
            break;
        }
    }
    assert!(point > 8, "{point} points");
}

/// A process that makes three steps, or dies; whether it lived.
async fn survives(chain: &Chain, gazette: &Rc<RefCell<Gazette>>, home: &Path) -> bool {
    let window = Window::new(gazette);
    let life = AssertUnwindSafe(async {
        let mut relay = relayer(home, chain, window, &config()).unwrap();
        for _ in 0..3 {
            relay.step().await.unwrap();
            pass(1_000).await;
        }
    });
    match life.catch_unwind().await {
        Ok(()) => true,
        Err(cause) => {
            assert!(cause.is::<Died>(), "a panic");
            false
        }
    }
}
