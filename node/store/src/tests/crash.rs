//! What is left after a kill and after a disk that takes no more. The test program starts
//! itself as the process that dies.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use alloy_primitives::U256;
use tbsi_types::{Height, StateDiff, StateView};

use super::fixture::{OPTIONS, account, address, advance, change, diff, identity};
use crate::{Store, StoreError};

const DIRECTORY: &str = "TBSI_STORE_TEST_DIRECTORY";
const BLOCKS: u64 = 5_000;

/// Height `n` in forty accounts.
fn wide(n: u64) -> StateDiff {
    diff((0..40).map(|a| (address(a), change(account(n, 1), &[(n % 50, n + 1)]))))
}

/// Not a test of its own: the process that the tests below start and that commits until it
/// dies or fails.
#[test]
fn child_commits_until_it_dies() {
    let Some(dir) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = Store::open(dir.as_ref(), identity(), OPTIONS).unwrap();
    let next = store.tip().map_or(0, |tip| tip.height.0 + 1);
    for n in next..next + BLOCKS {
        let decided = super::fixture::Decided::next(&store, &wide(n), Vec::new());
        match decided.commit(&store) {
            Ok(()) => println!("committed {n}"),
            Err(error) => {
                assert!(error.is_halt());
                assert!(matches!(error, StoreError::Write { .. }), "{error}");
                assert_eq!(store.tip().unwrap().height.0 + 1, n);
                println!("failed {n}");
                return;
            }
        }
    }
}

/// Starts the child under `limits` (shell words).
fn child(dir: &Path, limits: &str) -> std::process::Child {
    let test = "tests::crash::child_commits_until_it_dies";
    Command::new("sh")
        .args([
            "-c",
            &format!("{limits} exec \"$0\" --exact --nocapture {test}"),
        ])
        .arg(std::env::current_exe().unwrap())
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The height that a line of the child reports.
fn reported(line: &str, word: &str) -> Option<u64> {
    let (_, number) = line.split_once(word)?;
    number.trim().parse().ok()
}

/// Opens what a dead child left: everything it acknowledged is there, the block it was
/// writing whole or not at all.
fn check(dir: &Path, acknowledged: u64) -> u64 {
    let store = Store::open(dir, identity(), OPTIONS).unwrap();
    let tip = store.tip().unwrap().height;
    assert!(
        (acknowledged..=acknowledged + 1).contains(&tip.0),
        "{acknowledged} {tip}"
    );
    let state = store.state_at(tip).unwrap();
    for a in (0..40).map(address) {
        assert_eq!(state.account(a).unwrap().unwrap().nonce, tip.0);
        let slot = U256::from(tip.0 % 50);
        assert_eq!(state.storage(a, slot).unwrap(), U256::from(tip.0 + 1));
    }
    for height in (0..=tip.0).map(Height) {
        assert!(store.block(height).unwrap().is_some());
    }
    advance(&store, &wide(tip.0 + 1));
    tip.0 + 1
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut tip = 0;
    for blocks in [3, 20, 47] {
        let mut process = child(dir.path(), "");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let heights = lines
            .by_ref()
            .filter_map(|line| reported(&line.unwrap(), "committed "));
        let mut acknowledged = heights.take(blocks).last().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        let rest = lines.filter_map(|line| reported(&line.ok()?, "committed "));
        acknowledged = rest.last().unwrap_or(acknowledged);
        assert!(acknowledged >= tip, "{acknowledged} {tip}");
        tip = check(dir.path(), acknowledged);
    }
}

#[test]
fn a_disk_that_takes_no_more_fails_the_commit_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // Files may grow to 2048 blocks of 512 bytes. With the signal ignored, writing beyond
    // that is an error, as it is on a full disk.
    let process = child(dir.path(), "trap '' XFSZ; ulimit -f 2048;");
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let last = |word| {
        text.lines()
            .filter_map(|line| reported(line, word))
            .next_back()
    };
    let acknowledged = last("committed ").unwrap();
    assert_eq!(last("failed "), Some(acknowledged + 1));
    check(dir.path(), acknowledged);
}
