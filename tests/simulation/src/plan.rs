//! What a run is like: everything here follows from its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::mutants::Mutant;
use crate::rng::Rng;

/// What a validator that lies does, now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Signs two votes for one step and shows each to some.
    TwoVotes,
    /// Proposes two blocks in one round and shows each to some.
    TwoProposals,
    /// Keeps parts of its blocks back.
    PartsWithheld,
    /// Streams many valid blocks under one digest.
    WrongDigests,
    /// Votes for heights and rounds far ahead, with good signatures and bad ones.
    FarVotes,
    /// Says again what was said long ago, by whomever.
    OldMessages,
    /// Claims tips that nobody has.
    Tips,
    /// Answers requests for blocks with something else, or not at all.
    Blocks,
    /// Sends bytes that are no messages.
    Garbage,
    /// Votes nil for everything.
    NilVotes,
    /// Proposes blocks in which somebody attests who may not.
    Forbidden,
    /// Shows a relayer old heights, other checkpoints, other leaves.
    Relayer,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::TwoVotes,
        Self::TwoProposals,
        Self::PartsWithheld,
        Self::WrongDigests,
        Self::FarVotes,
        Self::OldMessages,
        Self::Tips,
        Self::Blocks,
        Self::Garbage,
        Self::NilVotes,
        Self::Forbidden,
        Self::Relayer,
    ];
}

/// How bad the network is until it heals.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Least milliseconds from node to node.
    pub latency_ms: u64,
    /// Milliseconds that chance adds, at most.
    pub jitter_ms: u64,
    /// Messages lost, of a thousand.
    pub loss: u64,
    /// Messages that come twice, of a thousand.
    pub twice: u64,
    /// Messages that take ten times as long, of a thousand.
    pub late: u64,
    /// Whether nodes pass on what they hear for the first time.
    pub relays: bool,
    /// Whether what a cut link does not carry comes when it is mended, or never.
    pub holds: bool,
}

impl Weather {
    /// After everything is mended.
    pub const FAIR: Self = Self {
        latency_ms: 5,
        jitter_ms: 10,
        loss: 0,
        twice: 0,
        late: 0,
        relays: true,
        holds: true,
    };
}

/// How often what goes wrong, of a thousand faults.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Milliseconds between two faults, on average.
    pub every_ms: u64,
    /// A process dies at one of the next places.
    pub crash: u64,
    /// All processes die at once.
    pub all_crash: u64,
    /// The network falls into two parts.
    pub split: u64,
    /// One direction between two nodes is cut.
    pub one_way: u64,
    /// A node's messages wait.
    pub clog: u64,
    /// A node's clock jumps.
    pub clock: u64,
    /// A node becomes slow.
    pub slow: u64,
    /// A node dies, and starts from an old copy of its database.
    pub stale: u64,
    /// A disk is full, until somebody makes room.
    pub full: u64,
    /// So many processes die that the others are no quorum.
    pub no_quorum: u64,
    /// More than a third lose power right after a signature, and the log with it.
    pub power: u64,
    /// The signers of more than a third do not answer.
    pub signers: u64,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        every_ms: 100_000_000,
        crash: 0,
        all_crash: 0,
        split: 0,
        one_way: 0,
        clog: 0,
        clock: 0,
        slow: 0,
        stale: 0,
        full: 0,
        no_quorum: 0,
        power: 0,
        signers: 0,
    };
}

/// What a run can leave out, to see what another part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Associations that govern.
    Governance,
    /// Ends of epochs: each change of the set takes effect with its block.
    Epochs,
    /// The relayer and its target.
    Relayer,
    /// Full disks.
    FullDisks,
    /// So many deaths that the rest is no quorum.
    NoQuorum,
    /// Validators that lie.
    Liars,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What decides the rest.
    pub seed: u64,
    /// How many validators.
    pub validators: usize,
    /// Who lies, and how.
    pub liars: BTreeMap<usize, BTreeSet<Lie>>,
    /// Until when things go wrong.
    pub rough_ms: u64,
    /// How long everything is well after that.
    pub calm_ms: u64,
    /// Of the rough part.
    pub weather: Weather,
    /// Of the rough part.
    pub faults: Faults,
    /// Milliseconds between two attestations of clients.
    pub submit_every_ms: u64,
    /// How likely an act of governance begins where it can, of a thousand.
    pub governs: u64,
    /// Length of an epoch, at whose end the validator set changes; 0: with each block.
    pub epoch_seconds: u32,
    /// Whether a relayer carries proofs to another chain.
    pub relays: bool,
    /// Whether the chain is replayed in the end, whatever the seed is.
    pub replays: bool,
    /// The bug that honest nodes have.
    pub mutant: Option<Mutant>,
    /// Whether more validators may lie than can be tolerated.
    pub too_many: bool,
    /// Real time that the first start of each process takes: it must change nothing.
    pub drag: Duration,
}

impl Plan {
    /// The run of a seed.
    pub fn of(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut rng = Rng::new(seed);
        let validators = if rng.chance(200) { 7 } else { 4 };
        let liars = liars(&mut rng, validators);
        let mut plan = Self {
            seed,
            validators,
            liars,
            rough_ms: rng.between(15_000, 40_000),
            calm_ms: 45_000,
            weather: weather(&mut rng),
            faults: faults(&mut rng),
            submit_every_ms: rng.between(400, 3_000),
            governs: if rng.chance(600) {
                rng.between(50, 600)
            } else {
                0
            },
            relays: rng.chance(400),
            epoch_seconds: *rng.pick(&[0, 0, 3, 8]).unwrap_or(&0),
            replays: false,
            mutant,
            too_many: false,
            drag: Duration::ZERO,
        };
        if let Some(mutant) = mutant {
            plan.suit(mutant);
        }
        plan
    }

    /// The run that suits a planted bug, without it: it must be clean.
    pub fn control(seed: u64, mutant: Mutant) -> Self {
        let mut plan = Self::of(seed, Some(mutant));
        plan.mutant = None;
        plan
    }

    /// Two of four validators sign everything twice, with the network in two halves: what must
    /// not be tolerated, and must be found.
    pub fn too_many_liars(seed: u64) -> Self {
        let mut plan = Self::of(seed, None);
        let mut rng = Rng::new(seed ^ 1);
        let mut nodes: Vec<usize> = (0..4).collect();
        rng.shuffle(&mut nodes);
        let lies = BTreeSet::from([Lie::TwoVotes, Lie::TwoProposals]);
        plan.validators = 4;
        (plan.governs, plan.relays) = (0, false);
        plan.liars = nodes[..2]
            .iter()
            .map(|node| (*node, lies.clone()))
            .collect();
        plan.too_many = true;
        plan.weather = Weather {
            relays: false,
            ..Weather::FAIR
        };
        plan.faults = Faults {
            every_ms: 100_000_000,
            ..plan.faults
        };
        plan.rough_ms = 30_000;
        plan.calm_ms = 1_000;
        plan
    }

    /// The same without a part.
    pub fn without(&mut self, part: Part) {
        match part {
            Part::Governance => self.governs = 0,
            Part::Epochs => self.epoch_seconds = 0,
            Part::Relayer => self.relays = false,
            Part::FullDisks => self.faults.full = 0,
            Part::NoQuorum => self.faults.no_quorum = 0,
            Part::Liars => self.liars.clear(),
        }
    }

    /// Makes likely what a planted bug needs in order to show.
    fn suit(&mut self, mutant: Mutant) {
        let faults = &mut self.faults;
        match mutant {
            Mutant::QuorumTooSmall => faults.split = 600,
            Mutant::SignStateIgnored => {
                faults.stale = 900;
                faults.every_ms = 1_000;
            }
            Mutant::DiskLies | Mutant::LogNotSynced | Mutant::LogForgotten | Mutant::CommitLost => {
                faults.crash = 700;
                faults.every_ms = 1_500;
                self.weather.loss = 100;
            }
            Mutant::SignaturesNotVerified => self.everybody_may(Lie::FarVotes),
            Mutant::TableFills => {
                self.weather.loss = 300;
                self.everybody_may(Lie::WrongDigests);
            }
            Mutant::TipsBelieved => self.everybody_may(Lie::Tips),
            Mutant::AsksTheLiar => {
                faults.crash = 700;
                self.everybody_may(Lie::Blocks);
            }
            Mutant::ForgetsEvidence => self.everybody_may(Lie::TwoVotes),
            Mutant::AnyTime => faults.clock = 600,
            Mutant::TargetStoresOther
            | Mutant::TargetGoesBack
            | Mutant::JournalForgotten
            | Mutant::FinalTooEarly
            | Mutant::RelayerStaysDown => self.relays = true,
            Mutant::LocalRule => self.replays = true,
            Mutant::RemovalForgotten => {
                self.governs = 900;
                self.rough_ms = 60_000;
                self.weather = Weather::FAIR;
                faults.every_ms = 10_000;
            }
            Mutant::FullDiskIgnored => {
                faults.full = 900;
                faults.every_ms = 1_500;
            }
            Mutant::WatchesFirst => {
                *faults = Faults {
                    every_ms: 14_000,
                    crash: 1_000,
                    ..Faults::NONE
                };
            }
            Mutant::NeverSaysAgain => {
                *faults = Faults {
                    every_ms: 6_000,
                    power: 1_000,
                    ..Faults::NONE
                };
            }
            Mutant::SignsForOthers => faults.no_quorum = 900,
            Mutant::NeverAccuses => self.everybody_may(Lie::TwoVotes),
            Mutant::RoundNotFollowed | Mutant::NeverRepeats | Mutant::NoCertificates => {
                self.weather.loss = 300;
                self.weather.relays = false;
                self.weather.holds = false;
                faults.split = 500;
            }
            _ => {}
        }
    }

    fn everybody_may(&mut self, lie: Lie) {
        if self.liars.is_empty() {
            self.liars.insert(0, BTreeSet::new());
        }
        for lies in self.liars.values_mut() {
            lies.insert(lie);
        }
    }
}

fn liars(rng: &mut Rng, validators: usize) -> BTreeMap<usize, BTreeSet<Lie>> {
    let most = (validators - 1) / 3;
    let count = rng.index(most + 1);
    let mut nodes: Vec<usize> = (0..validators).collect();
    rng.shuffle(&mut nodes);
    let mut liars = BTreeMap::new();
    for node in nodes.into_iter().take(count) {
        let lies = Lie::ALL.into_iter().filter(|_| rng.chance(350)).collect();
        liars.insert(node, lies);
    }
    liars
}

/// One run in three is far worse than the others.
fn weather(rng: &mut Rng) -> Weather {
    let worst = |rng: &mut Rng, worst: u64| if rng.chance(500) { 0 } else { rng.below(worst) };
    let storm = rng.chance(333);
    Weather {
        latency_ms: rng.between(1, if storm { 300 } else { 40 }),
        jitter_ms: rng.between(1, if storm { 900 } else { 150 }),
        loss: worst(rng, if storm { 500 } else { 200 }),
        twice: worst(rng, 200),
        late: worst(rng, 100),
        relays: rng.chance(700),
        holds: rng.chance(500),
    }
}

fn faults(rng: &mut Rng) -> Faults {
    Faults {
        every_ms: rng.between(300, 5_000),
        crash: rng.between(100, 600),
        all_crash: rng.below(60),
        split: rng.below(200),
        one_way: rng.below(200),
        clog: rng.below(200),
        clock: rng.below(150),
        slow: rng.below(150),
        stale: rng.below(80),
        full: rng.below(80),
        no_quorum: rng.below(40),
        power: rng.below(30),
        signers: rng.below(60),
    }
}
