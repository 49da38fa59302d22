//! `make simulate`: runs seeds, judges each, and says how to replay one that fails.

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tbsi_simulation::ledger::Ledger;
use tbsi_simulation::plan::Part;
use tbsi_simulation::{Mutant, Outcome, Plan, many, run};
use tikv_jemallocator::Jemalloc;

/// As in the product: RocksDB's allocator too.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Runs whole networks in virtual time and judges what they did.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are what they are"
)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 40)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replays one seed and prints its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Plants a bug in every honest node.
    #[arg(long)]
    mutant: Option<String>,
    /// Prints which seed shows each planted bug first, and which rules find it, as a table.
    #[arg(long)]
    mutants: bool,
    /// Lets two of four validators lie.
    #[arg(long)]
    too_many: bool,
    /// Begins no seed after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Seeds at a time; by default one for each processor.
    #[arg(long)]
    jobs: Option<usize>,
    /// Leaves parts out.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Part>,
    /// Stops at the first seed that breaks something.
    #[arg(long)]
    first: bool,
    /// Prints a line for each seed.
    #[arg(long)]
    verbose: bool,
}

fn plan(options: &Options, mutant: Option<Mutant>, seed: u64) -> Plan {
    let mut plan = match options.too_many {
        true => Plan::too_many_liars(seed),
        false => Plan::of(seed, mutant),
    };
    for part in &options.without {
        plan.without(*part);
    }
    plan
}

fn report(options: &Options, outcome: &Outcome) {
    println!("{outcome}");
    for violation in &outcome.violations {
        println!("  {violation}");
    }
    let mutant = options.mutant.as_ref();
    let mutant = mutant.map_or(String::new(), |name| format!(" MUTANT={name}"));
    if !outcome.violations.is_empty() {
        println!("  replay: make simulate SEED={}{mutant}", outcome.seed);
    }
}

/// A row for each planted bug; `false` if one is not found.
fn table(seeds: Range<u64>) -> bool {
    println!("| bug | seed | found by |\n| --- | --- | --- |");
    let mut all = true;
    for mutant in Mutant::ALL {
        let runs = seeds
            .clone()
            .map(|seed| run(Plan::of(seed, Some(mutant)), false));
        let mut found = runs.filter(|outcome| !outcome.violations.is_empty());
        let Some(outcome) = found.next() else {
            println!("| `{mutant:?}` | none | |");
            all = false;
            continue;
        };
        let rules = outcome.violations.iter().map(|found| found.rule);
        let rules: BTreeSet<String> = rules.map(|rule| format!("{rule:?}")).collect();
        let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
        println!("| `{mutant:?}` | {} | {rules} |", outcome.seed);
    }
    all
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.mutants {
        let seeds = options.from..options.from.saturating_add(options.seeds);
        return ExitCode::from(u8::from(!table(seeds)));
    }
    let mutant = match &options.mutant {
        None => None,
        Some(name) => match Mutant::named(name) {
            Some(mutant) => Some(mutant),
            None => {
                let names = Mutant::ALL.map(|mutant| format!("{mutant:?}"));
                eprintln!("--mutant: one of {}", names.join(", "));
                return ExitCode::from(2);
            }
        },
    };
    let mut ledger = Ledger::new();
    if let Some(seed) = options.seed {
        let outcome = run(plan(&options, mutant, seed), true);
        report(&options, &outcome);
        ledger.add(&outcome);
        println!("{ledger}");
        return ExitCode::from(u8::from(ledger.failed() > 0));
    }
    let seeds = options.from..options.from.saturating_add(options.seeds);
    let jobs = options.jobs.unwrap_or_else(many::processors);
    let within = options.seconds.map(Duration::from_secs);
    many::run_all(
        seeds,
        jobs,
        within,
        |seed| run(plan(&options, mutant, seed), false),
        |outcome| {
            ledger.add(outcome);
            if options.verbose || !outcome.violations.is_empty() {
                report(&options, outcome);
            }
            !(options.first && ledger.failed() > 0)
        },
    );
    println!("{ledger}");
    ExitCode::from(u8::from(ledger.failed() > 0))
}
