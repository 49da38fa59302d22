//! Validators that send too much, or in the name of others.

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Height, TimestampMs};

use super::script::{
    GENESIS, KEPT_MAX, at, block, certificate, digest_of, prevote, proposal, running, start_round,
    turn,
};
use crate::host::Synced;
use crate::limits::{JUDGED_PER_ROUND_MAX, WAITING_PER_PUBLISHER_MAX};
use crate::port::{Chain, Commit, DropReason};

/// A valid block of height 1, one millisecond later for each `n`.
fn valid(n: u64) -> Vec<u8> {
    block(1, TimestampMs(GENESIS.0 + 1 + n), "empty")
}

#[test]
fn a_validator_that_streams_many_valid_blocks_under_one_digest_halts_nothing() {
    let mut host = running(ConsensusParameters::default());
    let claimed = digest_of(b"a block that does not exist");
    let flooder = turn(1);
    // In its own turn, and in everybody's name, before its turn and in it.
    for running in 0..2 {
        start_round(&mut host, running);
        for n in 0..200 {
            for round in 0..8 {
                let mut lie = proposal(round, flooder, &valid(n), at(0));
                lie.init.digest = claimed;
                host.on_proposal(lie).unwrap();
            }
        }
    }
    let script = host.chain();
    assert_eq!(script.executed, JUDGED_PER_ROUND_MAX);
    assert!(script.kept.is_empty(), "nothing is what it claims to be");
    assert!(script.dropped()[&DropReason::TooMany] >= 190);

    start_round(&mut host, 2);
    let honest = valid(1_000);
    let judged = host.on_proposal(proposal(2, turn(2), &honest, at(10)));
    let judged = judged.unwrap().expect("the honest proposal is judged");
    assert!(judged.valid && judged.digest == digest_of(&honest));
    let decided = certificate(1, digest_of(&honest));
    assert_eq!(host.on_decided(at(20), &decided).unwrap(), Commit::Done);
}

#[test]
fn what_a_certificate_proves_is_taken_although_the_disk_is_full_of_others() {
    let mut host = running(ConsensusParameters::default());
    // What an earlier run of this node left behind.
    for n in 0..KEPT_MAX as u64 {
        host.chain_mut().kept.push((digest_of(&valid(n)), valid(n)));
    }
    let honest = valid(1_000);
    let judged = host.on_proposal(proposal(0, turn(0), &honest, at(10)));
    assert!(judged.unwrap().unwrap().valid);
    let synced = host.on_synced(Height(1), &valid(2_000)).unwrap();
    assert_eq!(synced, Synced::Valid(digest_of(&valid(2_000))));
    let bytes = host.chain().proposal_bytes(Height(1), digest_of(&honest));
    assert!(bytes.unwrap().is_some(), "the round's own block is spared");
    let decided = certificate(1, digest_of(&valid(2_000)));
    assert_eq!(host.on_decided(at(20), &decided).unwrap(), Commit::Done);
}

#[test]
fn nobody_takes_the_place_of_the_due_proposer() {
    let mut host = running(ConsensusParameters::default());
    let others = (0..4).filter(|peer| *peer != turn(0));
    for (n, publisher) in (0..).zip(others) {
        for more in 0..10 {
            let block = valid(100 * n + more);
            let judged = host.on_proposal(proposal(0, publisher, &block, at(0)));
            assert_eq!(judged.unwrap(), None, "nothing shows that it was proposed");
        }
    }
    assert_eq!(host.chain().executed, 0);
    assert_eq!(host.waiting.len(), 3 * WAITING_PER_PUBLISHER_MAX);
    let honest = valid(1_000);
    let judged = host.on_proposal(proposal(0, turn(0), &honest, at(0)));
    assert!(judged.unwrap().unwrap().valid);
}

#[test]
fn a_block_is_passed_on_by_others_when_its_proposer_is_gone() {
    let mut host = running(ConsensusParameters::default());
    let honest = valid(5);
    let judged = host.on_proposal(proposal(0, turn(2), &honest, at(0)));
    assert_eq!(judged.unwrap(), None);
    prevote(&mut host, 0, digest_of(&honest), turn(0));
    assert_eq!(host.chain().executed, 0, "one may be a liar's");
    prevote(&mut host, 0, digest_of(&honest), turn(3));
    assert_eq!(host.chain().executed, 1);
    // It is said with whatever comes next.
    let judged = start_round(&mut host, 1);
    assert_eq!(judged.len(), 1);
    assert!(judged[0].valid && judged[0].round.0 == 0);

    // Proposed again by the next proposer, it costs nothing.
    let mut again = proposal(1, turn(1), &honest, at(50));
    again.init.polka_round = Some(tbsi_types::Round(0));
    let judged = host.on_proposal(again).unwrap().unwrap();
    assert!(judged.valid && judged.round.0 == 1);
    assert_eq!(host.chain().executed, 1);
    // Nor do other bytes under its digest, even from whoever's turn it is.
    let mut slander = proposal(1, turn(1), b"junk", at(50));
    slander.init.digest = digest_of(&honest);
    assert_eq!(host.on_proposal(slander).unwrap(), None);
    assert_eq!(host.chain().executed, 1);
}

#[test]
fn a_decided_block_that_is_gone_comes_from_others_and_stops_nothing() {
    let mut host = running(ConsensusParameters::default());
    let honest = valid(5);
    host.on_proposal(proposal(0, turn(0), &honest, at(0)))
        .unwrap();
    host.chain_mut().kept.clear();
    let decided = certificate(1, digest_of(&honest));
    assert_eq!(host.on_decided(at(10), &decided).unwrap(), Commit::Missing);
    host.on_finalized(Height(1), &[]).unwrap();
    let start = host.start_next(at(10)).unwrap().expect("at once");
    assert!(start.again && start.height == Height(1));
    start_round(&mut host, 0);
    let synced = host.on_synced(Height(1), &honest).unwrap();
    assert_eq!(synced, Synced::Valid(digest_of(&honest)));
    assert_eq!(host.on_decided(at(20), &decided).unwrap(), Commit::Done);
    host.on_finalized(Height(1), &[]).unwrap();
    host.chain_mut().work = true;
    let next = host.start_next(at(10_000)).unwrap().unwrap();
    assert!(!next.again && next.height == Height(2));
}

#[test]
fn bad_blocks_count_against_their_proposer_alone() {
    let mut host = running(ConsensusParameters::default());
    let bad = block(1, TimestampMs(GENESIS.0 + 1), "bad");
    let judged = host.on_proposal(proposal(0, turn(0), &bad, at(0)));
    assert!(!judged.unwrap().expect("its own words").valid);
    // Another's bad bytes under a good digest say nothing of that digest.
    let honest = valid(1);
    for voter in [0, 1] {
        prevote(&mut host, 0, digest_of(&honest), voter);
    }
    let mut slander = proposal(0, turn(1), b"junk", at(0));
    slander.init.digest = digest_of(&honest);
    assert_eq!(host.on_proposal(slander).unwrap(), None);
    let stranger = proposal(0, 9, &honest, at(0));
    assert_eq!(host.on_proposal(stranger).unwrap(), None);
    let mut usurper = proposal(0, turn(1), &honest, at(0));
    usurper.init.proposer = super::script::validators()
        .iter()
        .nth(turn(1))
        .unwrap()
        .address;
    assert_eq!(host.on_proposal(usurper).unwrap(), None);
    let dropped = host.chain().dropped();
    assert_eq!(dropped[&DropReason::NotAValidator], 1);
    assert_eq!(dropped[&DropReason::NotItsTurn], 1);
}
