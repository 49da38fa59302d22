use std::time::Duration;

use tbsi_types::roster::{Member, Members, PeerEntry};
use tbsi_types::{ChainIdentity, CheckpointDigest, SecretKey};

use super::*;
use crate::limits::MESSAGES_PER_VALIDATOR_PER_SECOND_MAX;

const CHAIN: ChainIdentity = ChainIdentity {
    chain_id: 7,
    genesis_hash: B256::ZERO,
};

/// The height that is decided in these tests, and the round.
const HEIGHT: Height = Height(100);
const ROUND: Round = Round(20);

fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(name.as_bytes())
}

fn address(name: &str) -> Address {
    key(name).public_key().address()
}

fn peer(name: &str) -> PeerId {
    let seed = tbsi_types::sha256(&[name.as_bytes()]);
    tbsi_p2p::peer_id(&seed.0)
}

/// Validators of equal power with a peer each, and the observer `o`.
fn roster(names: &[&str]) -> Arc<Roster> {
    let member = |name: &&str| Member {
        public_key: key(name).public_key(),
        power: VotingPower(1),
        organisation: 1,
        name_zh_tw: String::new(),
        name_en: (*name).into(),
        node: (*name).into(),
    };
    let entry = |name: &str, validator| PeerEntry {
        organisation: 1,
        name: name.into(),
        endpoint: String::new(),
        validator,
        log_key: None,
        post_quantum_key: None,
    };
    let peers = names.iter().map(|name| {
        let entry = entry(name, Some(address(name)));
        (peer(name).to_string(), entry)
    });
    let observer = (peer("o").to_string(), entry("o", None));
    Arc::new(Roster {
        members: Members::new(names.iter().map(member).collect()).unwrap(),
        peers: peers.chain([observer]).collect(),
    })
}

fn gate(names: &[&str]) -> Gate {
    let mut gate = Gate::new(Verified::new(CHAIN, Arc::default()), roster(names));
    gate.move_to(HEIGHT, ROUND);
    gate
}

fn statement(height: Height, round: Round, value: u8) -> VoteStatement {
    VoteStatement {
        kind: VoteKind::Precommit,
        height,
        round,
        value: Some(CheckpointDigest(B256::repeat_byte(value))),
    }
}

fn signed(name: &str, statement: VoteStatement) -> (VoteStatement, Address, Signature) {
    let signature = key(name).sign(statement.digest(&CHAIN));
    (statement, address(name), signature)
}

fn vote(name: &str, height: u64, round: u32) -> (VoteStatement, Address, Signature) {
    signed(name, statement(Height(height), Round(round), 1))
}

const FOUR: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn a_vote_with_a_random_signature_goes_no_further_and_takes_no_place() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    for height in 100..=108 {
        for number in 0..10u8 {
            let round = if height == 100 { ROUND } else { Round(1) };
            let mut forged = signed("a", statement(Height(height), round, number));
            forged.2.0[10] ^= 1 + number;
            assert_eq!(gate.vote(&forged, now), Err(Refusal::Signature));
        }
    }
    assert!(gate.taken.is_empty());
    assert_eq!(gate.vote(&vote("a", 101, 1), now), Ok(()));
}

#[test]
fn a_vote_of_nobody_known_or_too_far_away_goes_no_further() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let mut check = |name: &str, height: u64, round: u32, expected: Result<(), Refusal>| {
        let outcome = gate.vote(&vote(name, height, round), now);
        assert_eq!(outcome, expected, "{name} at {height}, {round}");
    };
    check("a", 99, 0, Err(Refusal::Old));
    check("a", 100, 3, Err(Refusal::Old));
    check("a", 100, 4, Ok(()));
    check("a", 100, 20, Ok(()));
    check("a", 100, 30, Ok(()));
    check("a", 100, 31, Err(Refusal::Ahead));
    check("a", 100, u32::MAX - 1, Err(Refusal::Ahead));
    check("b", 101, 0, Ok(()));
    check("b", 108, 10, Ok(()));
    check("b", 108, 11, Err(Refusal::Ahead));
    check("b", 109, 0, Err(Refusal::Ahead));
    check("b", u64::MAX, 0, Err(Refusal::Ahead));
    check("stranger", 100, 20, Err(Refusal::Unknown));
    let mut abstained = vote("c", 100, 20);
    abstained.2 = Signature::ABSTAINED;
    assert_eq!(gate.vote(&abstained, now), Err(Refusal::Abstained));
}

#[test]
fn one_validator_fills_a_few_places_of_a_height_and_no_more() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let different = |value| signed("a", statement(Height(101), Round(0), value));
    assert_eq!(gate.vote(&different(1), now), Ok(()));
    // A contradiction is evidence.
    assert_eq!(gate.vote(&different(2), now), Ok(()));
    for value in 3..50 {
        assert_eq!(gate.vote(&different(value), now), Err(Refusal::Surplus));
    }
    assert_eq!(gate.vote(&different(1), now), Err(Refusal::Repeated));
    // Engines repeat their votes.
    let later = now + REPEAT_INTERVAL;
    assert_eq!(gate.vote(&different(1), later), Ok(()));
    // Others have places of their own, and what is over is forgotten.
    assert_eq!(gate.vote(&vote("b", 101, 0), now), Ok(()));
    gate.move_to(Height(102), Round(0));
    assert!(gate.taken.is_empty());
}

#[test]
fn votes_of_long_heights_are_forgotten_by_round() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    for round in 20..2_000 {
        gate.move_to(HEIGHT, Round(round));
        assert_eq!(gate.vote(&vote("a", 100, round), now), Ok(()));
        assert!(gate.taken.len() <= 1 + ROUNDS_BEHIND_MAX as usize);
    }
}

#[test]
fn only_the_validator_whose_turn_it_is_proposes() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let proposal = ProposalStatement {
        height: HEIGHT,
        round: ROUND,
        polka_round: None,
        value: CheckpointDigest(B256::repeat_byte(1)),
    };
    let set = gate.roster().members.set().clone();
    let due = set.proposer(HEIGHT, ROUND).address;
    for name in FOUR {
        let signature = key(name).sign(proposal.digest(&CHAIN));
        let outcome = gate.proposal(&proposal, address(name), &signature, now);
        let turn = address(name) == due;
        assert_eq!(outcome, if turn { Ok(()) } else { Err(Refusal::Turn) });
        let forged = gate.proposal(&proposal, due, &key("x").sign(B256::ZERO), now);
        assert!(
            matches!(forged, Err(Refusal::Signature | Refusal::Repeated)),
            "{forged:?}"
        );
    }
}

#[test]
fn observers_publish_nothing_and_neighbours_not_too_much() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let (a, observer) = (peer("a"), peer("o"));
    // An observer may pass on what a validator published, and nothing else.
    assert_eq!(gate.admit(observer, Some(a), now), Ok(()));
    assert_eq!(gate.admit(a, Some(observer), now), Err(Refusal::Role));
    assert_eq!(
        gate.admit(a, Some(peer("stranger")), now),
        Err(Refusal::Role)
    );
    assert_eq!(gate.admit(a, None, now), Err(Refusal::Role));
    let mut taken = 0;
    while gate.admit(observer, Some(a), now) == Ok(()) {
        taken += 1;
    }
    assert!(
        taken < 3 * 8 * MESSAGES_PER_VALIDATOR_PER_SECOND_MAX,
        "{taken}"
    );
    assert_eq!(gate.admit(observer, Some(a), now), Err(Refusal::Rate));
    assert_eq!(gate.admit(peer("b"), Some(a), now), Ok(()));
    let later = now + Duration::from_secs(1);
    assert_eq!(gate.admit(observer, Some(a), later), Ok(()));
}

#[test]
fn a_certificate_needs_power_and_good_signatures() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let from = peer("a");
    let mut number = 0;
    let mut check = |height: u64, names: &[&str], threshold, expected: Result<(), Refusal>| {
        number += 1;
        // Far ahead of this node's round: how it gets there.
        let votes = names.iter().map(|name| vote(name, height, 999));
        let bundle = Bundle {
            height: Height(height),
            threshold,
            votes: votes.collect(),
            digest: tbsi_types::sha256(&[&[number]]),
        };
        assert_eq!(gate.certificate(from, &bundle, now), expected, "{names:?}");
        bundle
    };
    check(100, &["a", "b"], Threshold::Third, Ok(()));
    check(100, &["a", "a"], Threshold::Third, Err(Refusal::Power));
    check(100, &["a"], Threshold::Third, Err(Refusal::Power));
    check(100, &["a", "b"], Threshold::Quorum, Err(Refusal::Power));
    check(
        100,
        &["a", "b", "x"],
        Threshold::Quorum,
        Err(Refusal::Unknown),
    );
    check(99, &["a", "b", "c"], Threshold::Quorum, Err(Refusal::Old));
    check(
        101,
        &["a", "b", "c"],
        Threshold::Quorum,
        Err(Refusal::Ahead),
    );
    let mut bundle = check(100, &["b", "c", "d"], Threshold::Quorum, Ok(()));
    let again = gate.certificate(from, &bundle, now);
    assert_eq!(again, Err(Refusal::Repeated));
    bundle.digest = B256::repeat_byte(9);
    bundle.votes[1].2.0[5] ^= 1;
    let forged = gate.certificate(from, &bundle, now);
    assert_eq!(forged, Err(Refusal::Signature));
}

#[test]
fn those_who_left_are_heard_until_the_next_change() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    gate.follow(roster(&["b", "c", "d", "e"]));
    // A node that is a block behind still votes with the old set.
    assert_eq!(gate.vote(&vote("a", 100, 20), now), Ok(()));
    assert_eq!(gate.vote(&vote("e", 100, 20), now), Ok(()));
    assert!(gate.speaks(&peer("e")));
    gate.follow(roster(&["c", "d", "e", "f"]));
    assert_eq!(gate.vote(&vote("a", 100, 21), now), Err(Refusal::Unknown));
}

#[test]
fn parts_are_of_heights_that_can_be_used_and_not_too_many() {
    let (mut gate, now) = (gate(&FOUR), Instant::now());
    let from = peer("a");
    let mut part = |height: Option<u64>, bytes| gate.part(from, height.map(Height), bytes, now);
    assert_eq!(part(Some(99), 0), Err(Refusal::Old));
    assert_eq!(part(Some(104), 0), Ok(()));
    assert_eq!(part(Some(105), 0), Err(Refusal::Ahead));
    let mut mib = 0;
    while part(None, 1024 * 1024) == Ok(()) {
        mib += 1;
    }
    assert_eq!(mib, 64);
}
