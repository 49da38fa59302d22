//! Who may end the wait before a height: whose turn it is, and nobody else.

use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Height, Round, TimestampMs};

use super::script::{
    GENESIS, Script, at, block, certificate, digest_of, proposal, running, turn, validators,
};
use crate::host::{Assembled, Host, Now};

/// A host that committed height 1 at 10 ms and holds height 2, without work.
fn idle() -> Host<Script> {
    let mut host = running(ConsensusParameters::default());
    let first = block(1, TimestampMs(GENESIS.0 + 1), "first");
    let judged = host.on_proposal(proposal(0, turn(0), &first, at(1)));
    assert!(judged.unwrap().unwrap().valid);
    let decided = certificate(1, digest_of(&first));
    host.on_decided(at(10), &decided).unwrap();
    host.on_finalized(Height(1), &[]).unwrap();
    host
}

/// Who proposes at height 2 in a round, by position.
fn turn_at_2(round: u32) -> usize {
    let set = validators();
    let due = set.proposer(Height(2), Round(round)).address;
    set.iter().position(|peer| peer.address == due).unwrap()
}

/// A proposal for height 2 in the name of its round's proposer.
fn next(round: u32, publisher: usize) -> Assembled {
    let bytes = block(2, TimestampMs(GENESIS.0 + 5), &format!("by {publisher}"));
    let mut next = proposal(round, publisher, &bytes, at(20));
    next.init.height = Height(2);
    next.init.proposer = validators().proposer(Height(2), Round(round)).address;
    next
}

fn starts_at(host: &mut Host<Script>, now: Now) -> Duration {
    host.start_next_at(now).unwrap().expect("a height is held")
}

#[test]
fn another_validator_does_not_start_a_height() {
    let mut host = idle();
    let idle_until = starts_at(&mut host, at(20));
    assert!(idle_until > at(5_000).monotonic, "an idle chain waits");
    let due = turn_at_2(0);
    for publisher in (0..4).filter(|publisher| *publisher != due) {
        host.on_proposal(next(0, publisher)).unwrap();
        // Nor one that names itself, or a later height.
        let mut own = next(0, publisher);
        own.init.proposer = validators().iter().nth(publisher).unwrap().address;
        host.on_proposal(own).unwrap();
        let mut later = next(0, publisher);
        later.init.height = Height(4);
        host.on_proposal(later).unwrap();
        assert_eq!(starts_at(&mut host, at(20)), idle_until);
    }
    host.on_proposal(next(0, due)).unwrap();
    assert!(starts_at(&mut host, at(20)) <= at(20).monotonic);
}

/// A validator has the turn in some round of every height. One of four is not enough; two are,
/// since one of them is honest.
#[test]
fn proposers_of_later_rounds_start_a_height_together() {
    let mut host = idle();
    let idle_until = starts_at(&mut host, at(20));
    host.on_proposal(next(1, turn_at_2(1))).unwrap();
    host.on_proposal(next(5, turn_at_2(5))).unwrap();
    assert_eq!(turn_at_2(1), turn_at_2(5), "the same one");
    assert_eq!(starts_at(&mut host, at(20)), idle_until);
    host.on_proposal(next(2, turn_at_2(2))).unwrap();
    assert!(starts_at(&mut host, at(20)) <= at(20).monotonic);
}

/// The proposer's block comes before the block under it is committed here.
#[test]
fn a_block_that_came_early_starts_its_height() {
    let mut host = running(ConsensusParameters::default());
    let first = block(1, TimestampMs(GENESIS.0 + 1), "first");
    host.on_proposal(proposal(0, turn(0), &first, at(1)))
        .unwrap();
    host.on_proposal(next(0, turn_at_2(0))).unwrap();
    host.on_decided(at(10), &certificate(1, digest_of(&first)))
        .unwrap();
    host.on_finalized(Height(1), &[]).unwrap();
    assert!(starts_at(&mut host, at(20)) <= at(20).monotonic);
}

/// What the block before a height has left is what that height goes by (SPEC §13.12).
#[test]
fn a_height_is_paced_by_what_the_chain_has_by_then() {
    let founded = ConsensusParameters::default();
    let slower = ConsensusParameters {
        timeout_propose_ms: 2_000,
        empty_block_interval_ms: 40_000,
        ..founded
    };
    let mut host = running(founded);
    let first = block(1, TimestampMs(GENESIS.0 + 1), "first");
    host.on_proposal(proposal(0, turn(0), &first, at(1)))
        .unwrap();
    host.chain_mut().parameters = Some(slower);
    assert_eq!(*host.parameters(), founded, "height 1 runs by its own");
    host.on_decided(at(10), &certificate(1, digest_of(&first)))
        .unwrap();
    host.on_finalized(Height(1), &[]).unwrap();
    assert_eq!(*host.parameters(), slower);
    let waits = starts_at(&mut host, at(20)) - at(10).monotonic;
    assert_eq!(waits, Duration::from_millis(42_000));
}
