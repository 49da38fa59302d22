//! Many seeds at a time, one thread for each, told of in their order: the worlds know nothing of
//! each other, so a seed's run is the same however many run beside it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::run::Outcome;

/// How many processors there are.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs seeds, `jobs` at a time, and tells of each, in their order, until `told` says no, or
/// until no further one is begun.
pub fn run_all(
    seeds: Range<u64>,
    jobs: usize,
    within: Option<Duration>,
    run: impl Fn(u64) -> Outcome + Sync,
    mut told: impl FnMut(&Outcome) -> bool,
) {
    let started = Instant::now();
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (send, next, stop, run) = (send.clone(), &next, &stop, &run);
            scope.spawn(move || {
                let late = || within.is_some_and(|within| started.elapsed() > within);
                while !stop.load(Ordering::SeqCst) && !late() {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end || send.send(run(seed)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        let mut due = seeds.start;
        for outcome in receive {
            waiting.insert(outcome.seed, outcome);
            while let Some(outcome) = waiting.remove(&due) {
                due += 1;
                if !stop.load(Ordering::SeqCst) && !told(&outcome) {
                    stop.store(true, Ordering::SeqCst);
                }
            }
        }
    });
}
