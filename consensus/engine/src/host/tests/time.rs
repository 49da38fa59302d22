//! Clocks: the network's beginning, blocks from wrong clocks, and what a verdict may depend on.

use std::time::Duration;

use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Address, Height, Round, TimestampMs};

use super::script::{
    GENESIS, Script, at, block, certificate, digest_of, prevote, proposal, running, start_round,
    turn, validators,
};
use crate::host::{Assembled, Host, Now, PartInit};
use crate::limits::CLOCK_LOOK_INTERVAL;
use crate::port::{Commit, DropReason, Note};

/// A node whose clock is before the beginning by `ms`.
fn before(ms: u64) -> Now {
    Now {
        monotonic: Duration::ZERO,
        wall: TimestampMs(GENESIS.0 - ms),
    }
}

fn fresh(tip: Height, tip_time: TimestampMs) -> Host<Script> {
    let script = Script {
        tip,
        tip_time,
        ..Script::default()
    };
    let mut host = Host::new(script, ConsensusParameters::default(), None, at(0));
    host.on_ready();
    host
}

#[test]
fn a_network_waits_for_its_beginning_and_then_starts() {
    let mut host = fresh(Height(0), GENESIS);
    let now = before(180_000);
    let look = host.start_next_at(now).unwrap().unwrap();
    assert_eq!(look, CLOCK_LOOK_INTERVAL, "the clock may be set meanwhile");
    assert_eq!(host.start_next(now).unwrap(), None);
    assert_eq!(host.progress().waits_until, Some(GENESIS));
    assert!(!host.progress().running);
    let almost = before(300);
    let look = host.start_next_at(almost).unwrap().unwrap();
    assert_eq!(look, Duration::from_millis(300));
    assert_eq!(host.start_next(almost).unwrap(), None);
    let start = host.start_next(at(0)).unwrap().expect("it is time");
    assert_eq!(start.height, Height(1));
    start_round(&mut host, 0);
    assert_eq!(host.progress().waits_until, None);
}

#[test]
fn a_node_with_a_slow_clock_follows_those_that_have_begun() {
    let mut host = fresh(Height(0), GENESIS);
    host.chain_mut().peers_tip = Height(7);
    let start = host.start_next(before(3_600_000)).unwrap();
    assert_eq!(
        start.unwrap().height,
        Height(1),
        "certificates need no clock"
    );
}

#[test]
fn a_tip_ahead_of_the_clock_is_waited_for_no_longer_than_needed() {
    let mut host = fresh(Height(9), TimestampMs(GENESIS.0 + 60_000));
    assert_eq!(host.start_next(at(0)).unwrap(), None);
    let drift = ConsensusParameters::default().clock_drift_max_ms;
    let until = TimestampMs(GENESIS.0 + 60_001 - drift);
    assert_eq!(host.progress().waits_until, Some(until));
    assert!(host.start_next(at(60_001 - drift)).unwrap().is_some());
}

#[test]
fn a_verdict_that_depends_on_the_clock_is_not_kept() {
    let mut host = running(ConsensusParameters::default());
    let early = block(1, TimestampMs(GENESIS.0 + 60_000), "early");
    let judged = host.on_proposal(proposal(0, turn(0), &early, at(0)));
    assert_eq!(judged.unwrap(), None, "neither valid nor invalid");
    start_round(&mut host, 1);
    let late = block(1, TimestampMs(GENESIS.0 + 1), "late");
    let judged = host.on_proposal(proposal(1, turn(1), &late, at(60_000)));
    assert_eq!(judged.unwrap(), None);
    assert_eq!(host.chain().dropped()[&DropReason::Untimely], 2);
    let refused = host.progress().refused.clone().unwrap();
    assert!(refused.contains("59999 ms behind"), "{refused}");
    // The same bytes, when they are timely.
    start_round(&mut host, 4);
    let judged = host.on_proposal(proposal(4, turn(4), &early, at(60_000)));
    assert!(judged.unwrap().unwrap().valid);
    assert_eq!(host.chain().executed, 2, "nothing is executed twice");
}

#[test]
fn a_polka_shows_that_a_block_was_timely() {
    let mut host = running(ConsensusParameters::default());
    let late = block(1, TimestampMs(GENESIS.0 + 1), "late");
    let mut again = proposal(1, turn(1), &late, at(60_000));
    again.init.polka_round = Some(Round(0));
    start_round(&mut host, 1);
    let judged = host.on_proposal(again);
    assert_eq!(judged.unwrap(), None, "its own word for it is not enough");
    for voter in [0, 1] {
        prevote(&mut host, 0, digest_of(&late), voter);
    }
    assert!(host.judged.is_empty(), "two of four are no quorum");
    prevote(&mut host, 0, digest_of(&late), 2);
    let judged = start_round(&mut host, 2);
    assert_eq!(judged.len(), 1);
    assert!(judged[0].valid && judged[0].polka_round == Some(Round(0)));
    let mut later = proposal(2, turn(2), &late, at(90_000));
    later.init.polka_round = Some(Round(0));
    assert!(host.on_proposal(later).unwrap().unwrap().valid);
}

#[test]
fn each_proposers_deviation_is_measured_once() {
    let mut host = running(ConsensusParameters::default());
    let bytes = block(1, TimestampMs(GENESIS.0 + 70), "a");
    for _ in 0..3 {
        host.on_proposal(proposal(0, turn(0), &bytes, at(100)))
            .unwrap();
    }
    start_round(&mut host, 1);
    let behind = block(1, TimestampMs(GENESIS.0 + 500), "b");
    host.on_proposal(proposal(1, turn(1), &behind, at(100)))
        .unwrap();
    let due = |round| validators().proposer(Height(1), Round(round)).address;
    let measured: Vec<(Address, i64)> = host
        .chain()
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Ahead { proposer, ms } => Some((*proposer, *ms)),
            Note::Dropped { .. } | Note::Refused { .. } => None,
        })
        .collect();
    assert_eq!(measured, [(due(0), -30), (due(1), 400)]);
}

/// The honest ones of four, in step; the last validator dates its blocks as it likes and votes
/// for anything.
struct Four {
    parameters: ConsensusParameters,
    honest: [Host<Script>; 3],
    /// Milliseconds since the beginning.
    now: u64,
}

/// How wrong the honest clocks are, milliseconds.
const SKEWS: [i64; 3] = [-40, 25, 60];

impl Four {
    fn new(parameters: ConsensusParameters) -> Self {
        Self {
            parameters,
            honest: SKEWS.map(|_| running(parameters)),
            now: 10_000,
        }
    }

    fn wall(&self, skew: i64) -> TimestampMs {
        let now = i64::try_from(self.now).unwrap();
        TimestampMs(GENESIS.0.saturating_add_signed(now + skew))
    }

    /// One round. Returns who proposed, and by how much the time that a quorum agreed on, if
    /// one did, is off.
    fn round(&mut self, round: Round, wrong: i64) -> (usize, Option<i64>) {
        let height = self.honest[0].chain().tip.next();
        let set = validators();
        let due = set.proposer(height, round).address;
        let proposer = set.iter().position(|peer| peer.address == due).unwrap();
        let clock = self.wall(SKEWS.get(proposer).copied().unwrap_or(wrong));
        let time = clock.max(self.honest[0].chain().tip_time.next());
        let bytes = block(height.0, time, "any");
        let off = i64::try_from(time.0).unwrap() - i64::try_from(self.wall(0).0).unwrap();
        self.now += 15;
        let received = SKEWS.map(|skew| self.wall(skew));
        let mut votes = 1;
        for (host, received) in self.honest.iter_mut().zip(received) {
            host.on_started_round(height, round, due).unwrap();
            let init = PartInit {
                height,
                round,
                polka_round: None,
                proposer: due,
                digest: digest_of(&bytes),
                length: u32::try_from(bytes.len()).unwrap(),
            };
            let judged = host.on_proposal(Assembled {
                publisher: format!("peer {proposer}"),
                init,
                bytes: bytes.clone(),
                received,
            });
            votes += usize::from(judged.unwrap().is_some_and(|judged| judged.valid));
        }
        if votes < 3 {
            self.now += 1_000;
            return (proposer, None);
        }
        let certificate = certificate(height.0, digest_of(&bytes));
        for host in &mut self.honest {
            // Whoever did not vote for the block has it by value sync.
            host.on_synced(height, &bytes).unwrap();
            let commit = host.on_decided(at(self.now), &certificate).unwrap();
            assert_eq!(commit, Commit::Done);
        }
        self.now += 5_000;
        (proposer, Some(off))
    }
}

#[test]
fn one_wrong_clock_of_four_moves_time_by_no_more_than_the_bounds() {
    let parameters = ConsensusParameters {
        clock_drift_max_ms: 500,
        clock_lag_max_ms: Some(1_500),
        ..ConsensusParameters::default()
    };
    // By how much the clock is wrong, and whether its blocks are agreed to.
    let cases = [
        (-86_400_000, false),
        (-1_600, false),
        (-1_440, true),
        (-300, true),
        (540, true),
        (700, false),
        (86_400_000, false),
    ];
    for (wrong, agreed) in cases {
        let mut four = Four::new(parameters);
        let (mut decided, mut by_the_wrong_one) = (0, 0);
        while decided < 12 {
            let mut rounds = (0..4).map(Round);
            let (round, proposer, off) = rounds
                .find_map(|round| {
                    let (proposer, off) = four.round(round, wrong);
                    off.map(|off| (round, proposer, off))
                })
                .expect("an honest proposer comes soon");
            let growth = i64::from(round.0) * 300;
            assert_eq!(four.parameters.timeout_delta_ms, 300);
            assert!(off <= 500 + 60, "{wrong}: {off} ms ahead");
            assert!(off >= -(1_500 + growth + 40), "{wrong}: {off} ms behind");
            by_the_wrong_one += usize::from(proposer == 3);
            decided += 1;
        }
        assert_eq!(by_the_wrong_one > 0, agreed, "{wrong}");
    }
}
