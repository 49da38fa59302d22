//! That a seed decides everything, and that the first seeds break nothing.

use std::time::Duration;

use tbsi_simulation::check::Rule;
use tbsi_simulation::{Outcome, Plan, run};

/// Seeds of each `cargo test`; `make simulate SEEDS=…` runs more.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;

#[track_caller]
fn assert_clean(outcome: &Outcome) {
    let violations: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{outcome}\n{}\nreplay: make simulate SEED={}",
        violations.join("\n"),
        outcome.seed
    );
}

#[test]
fn one_seed_has_one_trace() {
    let plan = || Plan::of(3, None);
    let (first, second) = (run(plan(), false), run(plan(), false));
    assert!(first.lines > 100, "{first}");
    assert_eq!(first.hash, second.hash, "{first}\n{second}");
    assert_ne!(first.hash, run(Plan::of(4, None), false).hash);
}

/// What counts real time beside the virtual one shows here: it would be late.
#[test]
fn a_slow_machine_changes_no_trace() {
    let plan = |drag| {
        let mut plan = Plan::of(3, None);
        plan.relays = true;
        plan.drag = Duration::from_millis(drag);
        plan
    };
    let (fast, slow) = (run(plan(0), false), run(plan(400), false));
    assert!(slow.took > Duration::from_millis(2_000), "{slow}");
    assert_eq!(fast.hash, slow.hash, "{fast}\n{slow}");
}

#[test]
fn no_seed_breaks_an_invariant() {
    let (mut heights, mut acknowledged, mut crashes) = (0, 0, 0);
    for seed in SEEDS {
        let outcome = run(Plan::of(seed, None), false);
        assert_clean(&outcome);
        heights += outcome.heights;
        acknowledged += outcome.acknowledged;
        crashes += outcome.crashes;
    }
    // Something happened that could have gone wrong.
    assert!(heights > 300 && acknowledged > 100 && crashes > 20);
}

/// The promise ends where it says that it ends, and who broke it is known by name.
#[test]
fn two_liars_of_four_split_the_network_and_are_named() {
    for seed in 1..=6 {
        let plan = Plan::too_many_liars(seed);
        let liars: Vec<usize> = plan.liars.keys().copied().collect();
        let outcome = run(plan, false);
        let split = outcome
            .violations
            .iter()
            .any(|violation| violation.rule == Rule::Agreement);
        assert!(split, "{outcome}");
        let mut named = outcome.equivocators.clone();
        named.sort_unstable();
        assert_eq!(named, liars, "{outcome}");
    }
}
