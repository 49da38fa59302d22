//! Heights of many rounds.

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Height, Round, TimestampMs, VoteKind, VoteStatement};

use super::script::{
    GENESIS, at, block, digest_of, prevote, proposal, running, start_round, turn, validators,
};
use crate::limits::{PROPOSAL_ROUNDS_AHEAD_MAX, PROPOSAL_ROUNDS_BEHIND_MAX};
use crate::port::{Chain, DropReason};

fn valid(n: u64) -> Vec<u8> {
    block(1, TimestampMs(GENESIS.0 + 1 + n), "empty")
}

#[test]
fn a_height_that_took_many_rounds_is_decided() {
    let mut host = running(ConsensusParameters::default());
    for round in 1..=357 {
        assert!(start_round(&mut host, round).is_empty());
    }
    let late = valid(1);
    let judged = host.on_proposal(proposal(357, turn(357), &late, at(1)));
    assert!(judged.unwrap().expect("the round runs").valid);
    assert!(host.chain().dropped().is_empty());
}

#[test]
fn a_proposal_far_ahead_waits_for_its_round_and_is_counted() {
    let mut host = running(ConsensusParameters::default());
    let round = PROPOSAL_ROUNDS_AHEAD_MAX + 1;
    let early = valid(1);
    let judged = host.on_proposal(proposal(round, turn(round), &early, at(1)));
    assert_eq!(judged.unwrap(), None);
    assert_eq!(host.chain().dropped()[&DropReason::RoundAhead], 1);
    let judged = start_round(&mut host, round);
    assert_eq!(judged.len(), 1, "it was kept for its round");
    assert!(judged[0].valid && judged[0].digest == digest_of(&early));
}

#[test]
fn a_proposal_of_a_round_long_past_is_dropped_and_counted() {
    let mut host = running(ConsensusParameters::default());
    start_round(&mut host, PROPOSAL_ROUNDS_BEHIND_MAX + 1);
    let judged = host.on_proposal(proposal(0, turn(0), &valid(1), at(1)));
    assert_eq!(judged.unwrap(), None);
    let late = valid(2);
    let judged = host.on_proposal(proposal(1, turn(1), &late, at(1)));
    assert_eq!(judged.unwrap(), None, "nobody voted for it");
    prevote(&mut host, 1, digest_of(&late), 0);
    prevote(&mut host, 1, digest_of(&late), 1);
    let judged = start_round(&mut host, PROPOSAL_ROUNDS_BEHIND_MAX + 1);
    assert!(judged[0].valid, "late, and not too late");
    assert_eq!(host.chain().dropped()[&DropReason::RoundPast], 1);
}

#[test]
fn what_is_remembered_of_a_height_does_not_grow_with_its_rounds() {
    let mut host = running(ConsensusParameters::default());
    for round in 0..1_000 {
        start_round(&mut host, round);
        let block = valid(round.into());
        let judged = host.on_proposal(proposal(round, turn(round), &block, at(1)));
        assert!(judged.unwrap().unwrap().valid);
        prevote(&mut host, round, digest_of(&block), 0);
    }
    assert!(host.executed.len() <= PROPOSAL_ROUNDS_BEHIND_MAX as usize + 1);
    assert_eq!(host.kept.len(), 1);
    assert!(host.chain().kept.len() <= super::script::KEPT_MAX);
}

#[test]
fn progress_names_who_votes_now_and_what_was_refused() {
    let mut host = running(ConsensusParameters::default());
    let vote = |host: &mut crate::host::Host<_>, round, kind, voter: usize| {
        let statement = VoteStatement {
            kind,
            height: Height(1),
            round: Round(round),
            value: None,
        };
        let voter = validators().iter().nth(voter).unwrap().address;
        host.on_vote(&statement, voter).unwrap();
        voter
    };
    let gone = vote(&mut host, 0, VoteKind::Precommit, 1);
    assert!(host.progress().takes_part(&gone));
    for round in 1..5 {
        start_round(&mut host, round);
    }
    let here = vote(&mut host, 4, VoteKind::Prevote, 2);
    assert!(!host.progress().takes_part(&gone) && host.progress().takes_part(&here));
    let bad = block(1, TimestampMs(GENESIS.0 + 1), "bad");
    host.on_proposal(proposal(4, turn(4), &bad, at(0))).unwrap();
    assert_eq!(host.progress().refused.as_deref(), Some("a bad block"));
    host.on_signed(false);
    assert!(host.progress().abstains);
    let own = host.chain().validators(Height(1)).unwrap();
    assert_eq!(own.count(), 4);
}
