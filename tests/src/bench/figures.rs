//! From transactions with their times, and blocks with theirs, to rates and latencies.

use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;
use tbsi_types::B256;

use super::statistics::Distribution;

/// A block and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Microseconds after the start of the run.
    pub at_us: u64,
    /// Hashes of its transactions.
    pub transactions: Vec<B256>,
}

/// What blocks show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Transactions of the run in blocks, warm-up and cool-down included.
    pub finalised: u64,
    /// Transactions finalised per second, in the window.
    pub finalised_per_s: u64,
    /// From the intended sending to the first sight of the block; of the transactions that were
    /// due in the window and were finalised, however late.
    pub latency: Option<Distribution>,
    /// Time between neighbouring blocks in the window.
    pub block_interval: Option<Distribution>,
    /// Blocks in the window.
    pub blocks: u64,
}

/// Computes them; `due` holds the intended time of each transaction, `blocks` are in order.
pub fn figures(due: &HashMap<B256, u64>, blocks: &[Seen], window: &Range<u64>) -> Figures {
    let mut finalised = 0;
    let mut latencies = Vec::new();
    for block in blocks {
        for due in block.transactions.iter().filter_map(|hash| due.get(hash)) {
            finalised += 1;
            if window.contains(due) {
                latencies.push(block.at_us.saturating_sub(*due));
            }
        }
    }
    let inside = blocks.iter().filter(|block| window.contains(&block.at_us));
    let times: Vec<u64> = inside.map(|block| block.at_us).collect();
    let intervals = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Figures {
        finalised,
        finalised_per_s: rate(due, blocks, window),
        latency: Distribution::of(latencies),
        block_interval: Distribution::of(intervals),
        blocks: times.len() as u64,
    }
}

/// Counted from block to block, not from edge to edge: a window cuts block intervals at both
/// ends, which at two blocks a second is an error of a tenth. So it is widened to the last
/// block before it and the first block after it.
fn rate(due: &HashMap<B256, u64>, blocks: &[Seen], window: &Range<u64>) -> u64 {
    let times = || blocks.iter().map(|block| block.at_us);
    let from = times().take_while(|at| *at <= window.start).last();
    let from = from.unwrap_or(window.start);
    let to = times().find(|at| *at >= window.end).unwrap_or(window.end);
    let inside = blocks
        .iter()
        .filter(|block| from < block.at_us && block.at_us <= to);
    let transactions = inside.flat_map(|block| &block.transactions);
    let count = transactions.filter(|hash| due.contains_key(*hash)).count() as u64;
    (count * 1_000_000).checked_div(to - from).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain that makes a block every `interval_us` of whatever came since the last one, and
    /// the transactions that came every `gap_us`.
    fn chain(gap_us: u64, interval_us: u64, end_us: u64) -> (HashMap<B256, u64>, Vec<Seen>) {
        let hash = |index: u64| B256::left_padding_from(&index.to_be_bytes());
        let due = (0..end_us / gap_us).map(|index| (hash(index), index * gap_us));
        let due: HashMap<_, _> = due.collect();
        let blocks = (1..=end_us.div_ceil(interval_us)).map(|height| {
            let at_us = height * interval_us;
            let fresh = due
                .iter()
                .filter(|(_, due)| (at_us - interval_us..at_us).contains(due));
            Seen {
                at_us,
                transactions: fresh.map(|(hash, _)| *hash).collect(),
            }
        });
        let blocks = blocks.collect();
        (due, blocks)
    }

    #[test]
    fn a_chain_that_keeps_up_has_the_offered_rate_whatever_its_interval() {
        for interval_us in [1_000, 7_000, 333_000, 900_000] {
            let (due, blocks) = chain(1_000, interval_us, 10_000_000);
            let figures = figures(&due, &blocks, &(2_000_000..9_000_000));
            let rate = figures.finalised_per_s;
            assert!((990..=1_001).contains(&rate), "{interval_us}: {rate}");
            assert_eq!(figures.finalised, 10_000);
            let latency = figures.latency.unwrap();
            assert_eq!(latency.count, 7_000);
            assert!(latency.max_us <= interval_us && latency.p50_us >= interval_us / 3);
            assert_eq!(figures.block_interval.unwrap().p50_us, interval_us);
        }
    }

    #[test]
    fn a_stall_counts() {
        let (due, mut blocks) = chain(1_000, 10_000, 10_000_000);
        // Nothing is seen between 5 s and the end.
        for block in blocks.iter_mut().filter(|block| block.at_us >= 5_000_000) {
            block.at_us = 10_000_000;
        }
        let slow = figures(&due, &blocks, &(2_000_000..9_000_000));
        assert_eq!(slow.finalised_per_s, 1_000);
        assert!(slow.latency.unwrap().p99_us > 4_000_000);
        blocks.retain(|block| block.at_us < 5_000_000);
        let dead = figures(&due, &blocks, &(2_000_000..9_000_000));
        assert!((420..=430).contains(&dead.finalised_per_s), "{dead:?}");
    }

    #[test]
    fn foreign_transactions_and_empty_runs_count_nothing() {
        let (_, blocks) = chain(1_000, 10_000, 1_000_000);
        let none = figures(&HashMap::new(), &blocks, &(0..1_000_000));
        assert_eq!(
            (none.finalised, none.finalised_per_s, none.latency),
            (0, 0, None)
        );
        let silent = figures(&HashMap::new(), &[], &(0..1_000_000));
        assert_eq!((silent.blocks, silent.block_interval), (0, None));
    }
}
