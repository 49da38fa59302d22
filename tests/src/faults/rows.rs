//! The fault matrix.

use crate::faults::{Fault, clocks, deaths, disks, floods, links, operators, pauses, requests};

/// Where a fault is shown.
#[derive(Clone, Copy)]
pub enum Shown {
    /// On real processes, by `make faults`.
    Here(Fault),
    /// In tests/simulation, where time, network and disks are made.
    Simulation(&'static str),
    /// By another test.
    Test(&'static str),
    /// Nowhere yet, and why.
    Not(&'static str),
}

/// A fault.
#[derive(Clone, Copy)]
pub struct Row {
    /// `F1` to `F46`.
    pub id: &'static str,
    /// What goes wrong.
    pub what: &'static str,
    /// Where that is shown.
    pub shown: Shown,
}

const fn here(id: &'static str, what: &'static str, fault: Fault) -> Row {
    let shown = Shown::Here(fault);
    Row { id, what, shown }
}

const fn simulation(id: &'static str, what: &'static str, place: &'static str) -> Row {
    let shown = Shown::Simulation(place);
    Row { id, what, shown }
}

const fn test(id: &'static str, what: &'static str, place: &'static str) -> Row {
    let shown = Shown::Test(place);
    Row { id, what, shown }
}

const fn not(id: &'static str, what: &'static str, why: &'static str) -> Row {
    let shown = Shown::Not(why);
    Row { id, what, shown }
}

/// All of them, in order.
pub const ROWS: &[Row] = &[
    here("F1", "SIGKILL of any node at any time", |amount| {
        Box::pin(deaths::kills(amount))
    }),
    here("F2", "SIGKILL at each sync", |amount| {
        Box::pin(deaths::syncs(amount))
    }),
    here("F3", "SIGKILL of all nodes at once", |amount| {
        Box::pin(deaths::all(amount))
    }),
    here("F4", "one node stands still", |amount| {
        Box::pin(pauses::one(amount))
    }),
    here("F5", "two of four stand still", |amount| {
        Box::pin(pauses::two(amount))
    }),
    simulation(
        "F6",
        "power lost: unsynced writes gone",
        "tests/simulation, no_seed_breaks_an_invariant: log and sign-state lose what was not synced",
    ),
    simulation(
        "F7",
        "a sync that lies",
        "tests/simulation/tests/mutants.rs: a disk that lies is found out by the checker",
    ),
    simulation(
        "F8",
        "torn writes",
        "tests/simulation, no_seed_breaks_an_invariant: torn sign-states; SignState's own tests",
    ),
    here("F9", "no space left", |amount| {
        Box::pin(disks::no_space(amount))
    }),
    here("F10", "EIO of syncs", |amount| {
        Box::pin(disks::sync_errors(amount))
    }),
    here("F11", "a slow disk", |amount| Box::pin(disks::slow(amount))),
    here("F12", "bits flip, files shrink or go", |amount| {
        Box::pin(disks::flips(amount))
    }),
    not(
        "F13",
        "a bit flips in memory before it is hashed",
        "needs a fail point inside a running node's memory; what is served is hashed again by \
         whoever verifies it",
    ),
    simulation(
        "F14",
        "a database comes back as an earlier copy",
        "tests/simulation, no_seed_breaks_an_invariant: restarts from a stale copy; sign-state: F32",
    ),
    here("F15", "one clock jumps", |amount| {
        Box::pin(clocks::one(amount))
    }),
    here("F16", "all clocks jump together", |amount| {
        Box::pin(clocks::all(amount))
    }),
    here("F17", "partitions 1/3, 2/2, 1/1/2", |amount| {
        Box::pin(links::partitions(amount))
    }),
    here("F18", "links that work one way", |amount| {
        Box::pin(links::one_way(amount))
    }),
    here("F19", "lost segments", |amount| {
        Box::pin(links::loss(amount))
    }),
    here("F20", "distance and narrow lines", |amount| {
        Box::pin(links::distance(amount))
    }),
    here("F21", "links clog and open in any order", |amount| {
        Box::pin(links::swizzle(amount))
    }),
    here("F22", "floods of connections", |amount| {
        Box::pin(floods::strangers(amount))
    }),
    simulation(
        "F23",
        "a proposer that lies",
        "tests/simulation, no_seed_breaks_an_invariant: two proposals, parts withheld, wrong digests; \
         bad_input::dishonest::a_block_that_is_not_what_its_proposer_signs_is_voted_down",
    ),
    simulation(
        "F24",
        "a voter that lies",
        "tests/simulation, no_seed_breaks_an_invariant: two votes, votes far ahead, old ones, nil",
    ),
    simulation(
        "F25",
        "lost locks, twins",
        "tests/simulation/tests/mutants.rs: without sign-state or log; bad_input::dishonest::\
         a_validator_key_in_two_places_is_evidence_and_stops_nobody",
    ),
    simulation(
        "F26",
        "more than a third lie",
        "tests/simulation, too_many_liars_are_found_and_named",
    ),
    simulation(
        "F27",
        "a peer that lies in sync",
        "tests/simulation, no_seed_breaks_an_invariant: false tips, other blocks, no answers",
    ),
    test(
        "F28",
        "malformed messages",
        "tests/fuzz and `make fuzz`; bad_input::garbage on real ports",
    ),
    here("F29", "floods of requests", |amount| {
        Box::pin(requests::floods(amount))
    }),
    here("F30", "floods of transactions", |amount| {
        Box::pin(floods::spam(amount))
    }),
    here("F31", "one key, two processes", |amount| {
        Box::pin(operators::twice(amount))
    }),
    here("F32", "sign-state gone, old or spoiled", |amount| {
        Box::pin(operators::sign_state(amount))
    }),
    here("F33", "three of four disks lost", |amount| {
        Box::pin(operators::disaster(amount))
    }),
    here("F34", "rolling restarts", |amount| {
        Box::pin(operators::rolling(amount))
    }),
    test(
        "F35",
        "Ethereum reorganises, prices rise, nodes lie",
        "relay::reorg, relay::fees, relay::rpc (anvil)",
    ),
    not(
        "F36",
        "Fabric refuses, conflicts or lies",
        "there is no target for Fabric yet",
    ),
    test(
        "F37",
        "a relayer dies, or two run",
        "relay::kill::t47_a_relayer_killed_at_any_state_loses_nothing_and_does_nothing_twice, t48",
    ),
    test(
        "F38",
        "stolen keys below the quorum",
        "light: tests/vectors/light_client.json in Rust and Solidity; relay::evidence",
    ),
    test(
        "F39",
        "a key is rotated under load",
        "story::associations_join_rotate_cheat_and_leave_and_blocks_never_stop",
    ),
    test(
        "F40",
        "malicious motions",
        "contracts/evm: governance tests and invariants; story",
    ),
    test(
        "F41",
        "an operator leaves",
        "story::associations_join_rotate_cheat_and_leave_and_blocks_never_stop",
    ),
    here("F42", "no memory", |amount| {
        Box::pin(deaths::memory(amount))
    }),
    here("F43", "no descriptors, no stdout", |amount| {
        Box::pin(deaths::descriptors(amount))
    }),
    here("F44", "SIGTERM at any time", |amount| {
        Box::pin(deaths::terminations(amount))
    }),
    here("F45", "mixed faults for a while", |amount| {
        Box::pin(pauses::soak(amount))
    }),
    test(
        "F46",
        "contracts under fuzzing",
        "contracts/evm: forge fuzz and invariant tests",
    ),
];
