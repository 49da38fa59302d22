//! One run: plan, world, judgement.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::check::{Violation, check};
use crate::plan::Plan;
use crate::record::Record;
use crate::world::World;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What it broke.
    pub violations: Vec<Violation>,
    /// SHA-256 over its whole trace.
    pub hash: [u8; 32],
    /// Lines of the trace.
    pub lines: u64,
    /// Heights decided.
    pub heights: u64,
    /// The highest round in which one was.
    pub round_max: u32,
    /// Attestations that clients hold.
    pub acknowledged: u64,
    /// Processes that died.
    pub crashes: u64,
    /// Messages sent.
    pub messages: u64,
    /// What happened, by kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// From each start of a process to the first vote, milliseconds, if it came.
    pub recoveries_ms: Vec<u64>,
    /// Validators that signed twice, by node.
    pub equivocators: Vec<usize>,
    /// Virtual time.
    pub simulated: Duration,
    /// Real time.
    pub took: Duration,
    /// Time on a processor, of this thread.
    pub worked: Duration,
}

impl Outcome {
    /// Virtual time for each second on a processor.
    pub fn speed(&self) -> u128 {
        self.simulated.as_millis() / self.worked.as_millis().max(1)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash: String = self.hash[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        write!(
            f,
            "seed {}: {} heights, round {} at most, {} acknowledged, {} crashes, {} messages, \
             {} s in {} ms, trace {hash}",
            self.seed,
            self.heights,
            self.round_max,
            self.acknowledged,
            self.crashes,
            self.messages,
            self.simulated.as_secs(),
            self.took.as_millis(),
        )
    }
}

/// Runs a plan to its end and judges it.
pub fn run(plan: Plan, prints: bool) -> Outcome {
    let (started, worked) = (Instant::now(), processor_time());
    let mut world = World::new(plan, prints);
    world.run();
    let violations = check(&world);
    let record = &world.record;
    let equivocators = record.equivocators();
    let nodes = equivocators
        .iter()
        .filter_map(|one| world.founding.node_of(*one));
    Outcome {
        seed: world.plan.seed,
        hash: world.trace.hash(),
        lines: world.trace.lines(),
        heights: record.first_decided.len() as u64,
        round_max: record
            .rounds
            .values()
            .map(|round| round.0)
            .max()
            .unwrap_or(0),
        acknowledged: record.acknowledged.len() as u64,
        crashes: record.crashes,
        messages: record.messages,
        counts: counts(record),
        recoveries_ms: recoveries(record),
        equivocators: nodes.collect(),
        simulated: Duration::from_millis(world.plan.rough_ms + world.plan.calm_ms),
        took: started.elapsed(),
        worked: processor_time().saturating_sub(worked),
        violations,
    }
}

/// What happened, by kind: faults, acts of governance, and what came of them.
fn counts(record: &Record) -> BTreeMap<&'static str, u64> {
    let mut counts = record.faults.clone();
    counts.extend(record.acts.iter().map(|(kind, count)| (*kind, *count)));
    let others = [
        ("started with the next key", record.rekeyed),
        ("ended for a full disk", record.full_disks),
        ("evidence", record.evidence.len() as u64),
        ("cosignatures", record.cosigned.len() as u64),
        ("relayer died", record.relayer_deaths),
        ("without a quorum", record.standstills.len() as u64),
    ];
    counts.extend(others);
    counts
}

fn recoveries(record: &Record) -> Vec<u64> {
    let again = record.starts.iter().filter(|start| start.life > 1);
    let voted = again.filter_map(|start| Some(start.voted?.ms_since(start.at)));
    voted.collect()
}

/// As Linux counts it for the thread that asks; zero where it does not.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    let nanoseconds = first.and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
