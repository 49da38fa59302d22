//! A short form of the cheap rows of the fault matrix. `make faults` is the long one.

use tbsi_tests::faults::rows::ROWS;
use tbsi_tests::faults::{Amount, run};
use tbsi_tests::harness::skip;

async fn keeps(id: &str) {
    let row = ROWS.iter().find(|row| row.id == id).expect("a row");
    let line = run(row, Amount::SHORT).await;
    match line.status {
        "kept" => eprintln!("{id} {}: {}", line.what, line.figures),
        "skipped" => skip(line.what, &line.figures, "see docs/faults.md"),
        other => panic!("{id} {}: {other}: {}", line.what, line.figures),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_a_killed_validator_loses_nothing_and_votes_again() {
    keeps("F1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f5_two_of_four_decide_nothing_and_heal() {
    keeps("F5").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_the_first_error_of_a_disk_ends_a_node() {
    keeps("F10").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_one_wrong_clock_stops_nobody() {
    keeps("F15").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_partitions_stall_without_a_quorum_and_heal() {
    keeps("F17").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_whoever_asks_too_much_is_told_so_and_hurts_nobody() {
    keeps("F29").await;
}
