//! `make simulate`: runs seeds, judges each, and says how to replay one that fails.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tbsi_simulation::{Mutant, Outcome, Plan, run};

/// Runs whole networks in virtual time and judges what they did.
#[derive(Debug, Parser)]
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
    /// Lets two of four validators lie.
    #[arg(long)]
    too_many: bool,
    /// Stops after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Stops at the first seed that breaks something.
    #[arg(long)]
    first: bool,
    /// Prints a line for each seed.
    #[arg(long)]
    verbose: bool,
}

fn plan(options: &Options, seed: u64) -> Option<Plan> {
    if options.too_many {
        return Some(Plan::too_many_liars(seed));
    }
    let mutant = match &options.mutant {
        None => None,
        Some(name) => Some(Mutant::named(name)?),
    };
    Some(Plan::of(seed, mutant))
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

fn main() -> ExitCode {
    let options = Options::parse();
    let seeds = match options.seed {
        Some(seed) => seed..=seed,
        None => options.from..=options.from.saturating_add(options.seeds - 1),
    };
    let started = Instant::now();
    let (mut runs, mut failed) = (0u64, 0u64);
    let (mut simulated, mut worked) = (Duration::ZERO, Duration::ZERO);
    let (mut heights, mut acknowledged, mut crashes) = (0, 0, 0);
    for seed in seeds {
        let Some(plan) = plan(&options, seed) else {
            let names = Mutant::ALL.map(|mutant| format!("{mutant:?}"));
            eprintln!("--mutant: one of {}", names.join(", "));
            return ExitCode::from(2);
        };
        let outcome = run(plan, options.seed.is_some());
        runs += 1;
        failed += u64::from(!outcome.violations.is_empty());
        simulated += outcome.simulated;
        worked += outcome.worked;
        heights += outcome.heights;
        acknowledged += outcome.acknowledged;
        crashes += outcome.crashes;
        if options.verbose || options.seed.is_some() || !outcome.violations.is_empty() {
            report(&options, &outcome);
        }
        let over = |most| started.elapsed() > Duration::from_secs(most);
        if options.seconds.is_some_and(over) || (options.first && failed > 0) {
            break;
        }
    }
    let speed = simulated.as_millis() / worked.as_millis().max(1);
    println!(
        "{runs} seeds, {failed} with violations; {} s simulated in {} s, {} s of it on one core: \
         {speed} times real time; {heights} heights, {acknowledged} attestations acknowledged, {crashes} \
         processes died",
        simulated.as_secs(),
        started.elapsed().as_secs(),
        worked.as_secs(),
    );
    ExitCode::from(u8::from(failed > 0))
}
