//! What many runs come to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::run::Outcome;

/// Adds runs up.
#[derive(Debug)]
pub struct Ledger {
    started: Instant,
    seeds: u64,
    failed: u64,
    simulated: Duration,
    worked: Duration,
    heights: u64,
    acknowledged: u64,
    crashes: u64,
    messages: u64,
    speeds: Vec<u128>,
    recoveries_ms: Vec<u64>,
    counts: BTreeMap<&'static str, u64>,
    violations: BTreeMap<&'static str, u64>,
    traces: Sha256,
}

impl Ledger {
    /// Of no run.
    #[expect(clippy::new_without_default, reason = "it begins to count time")]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            seeds: 0,
            failed: 0,
            simulated: Duration::ZERO,
            worked: Duration::ZERO,
            heights: 0,
            acknowledged: 0,
            crashes: 0,
            messages: 0,
            speeds: Vec::new(),
            recoveries_ms: Vec::new(),
            counts: BTreeMap::new(),
            violations: BTreeMap::new(),
            traces: Sha256::new(),
        }
    }

    /// Adds a run; runs come in the order of their seeds.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.failed += u64::from(!outcome.violations.is_empty());
        self.simulated += outcome.simulated;
        self.worked += outcome.worked;
        self.heights += outcome.heights;
        self.acknowledged += outcome.acknowledged;
        self.crashes += outcome.crashes;
        self.messages += outcome.messages;
        self.speeds.push(outcome.speed());
        self.recoveries_ms.extend(&outcome.recoveries_ms);
        for (kind, count) in &outcome.counts {
            *self.counts.entry(kind).or_default() += count;
        }
        for violation in &outcome.violations {
            *self.violations.entry(violation.rule.number()).or_default() += 1;
        }
        self.traces.update(outcome.seed.to_be_bytes());
        self.traces.update(outcome.hash);
    }

    /// Runs that broke something.
    pub fn failed(&self) -> u64 {
        self.failed
    }
}

fn at<T: Copy + Ord + Default>(values: &[T], permille: usize) -> T {
    let mut values = values.to_vec();
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values
        .get(last * permille / 1_000)
        .copied()
        .unwrap_or_default()
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    let text = counts.iter().map(|(kind, count)| format!("{kind} {count}"));
    text.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let real = self.started.elapsed();
        let traces: String = self.traces.clone().finalize()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let speed = self.simulated.as_millis() / self.worked.as_millis().max(1);
        writeln!(
            f,
            "seeds          {}, {} with violations",
            self.seeds, self.failed
        )?;
        writeln!(
            f,
            "time           {} s simulated in {} s, {} s on processors",
            self.simulated.as_secs(),
            real.as_secs(),
            self.worked.as_secs()
        )?;
        writeln!(
            f,
            "speed          {speed} times real time on one processor, median of seeds {}, slowest \
             {}; {} times in all",
            at(&self.speeds, 500),
            at(&self.speeds, 0),
            self.simulated.as_millis() / real.as_millis().max(1)
        )?;
        writeln!(
            f,
            "happened       {} heights, {} attestations acknowledged, {} messages, {} deaths",
            self.heights, self.acknowledged, self.messages, self.crashes
        )?;
        writeln!(f, "by kind        {}", listed(&self.counts))?;
        writeln!(
            f,
            "start to vote  {} ms median, {} ms p99, {} ms longest, of {}",
            at(&self.recoveries_ms, 500),
            at(&self.recoveries_ms, 990),
            at(&self.recoveries_ms, 1_000),
            self.recoveries_ms.len()
        )?;
        writeln!(f, "violations     {}", listed(&self.violations))?;
        write!(f, "traces         {traces}")
    }
}
