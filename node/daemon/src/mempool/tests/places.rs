//! Who waits for an earlier nonce when not all can, and what took too long.

use super::*;

const FEW: MempoolLimits = MempoolLimits {
    transactions_max: 1_000,
    bytes_max: 64 * 1024 * 1024,
    own_part: 1,
    per_sender_max: 100,
    nonce_gap_max: 100,
    queued_max: 6,
    queued_share: 100,
    queued_fresh_blocks: 2,
    queued_blocks_max: 1_000,
    slow_blocks: 3,
    rounds_max: 1_000,
    stuck_rounds: 1_000,
    dropped_max: 1_000,
};

fn waiting(pool: &Mempool) -> Vec<(Address, u64)> {
    let mut all: Vec<_> = pool.contents().queued;
    all.sort_by_key(|it| (it.sender(), it.nonce()));
    all.iter().map(|it| (it.sender(), it.nonce())).collect()
}

fn kind(outcome: Result<Inserted, MempoolError>) -> &'static str {
    outcome.map_or_else(|error| error.kind(), |_| "taken")
}

#[test]
fn whoever_has_most_waiting_gives_way_until_all_have_the_same() {
    let mut pool = pool(FEW);
    for nonce in 1..=6 {
        pool.take(tx(ALICE, nonce), &account(0)).unwrap();
    }
    assert_eq!(kind(pool.take(tx(ALICE, 7), &account(0))), "queue_full");
    for nonce in 1..=3 {
        pool.take(tx(BOB, nonce), &account(0)).unwrap();
    }
    let mut three_each: Vec<_> = (1..=3).map(|nonce| (ALICE, nonce)).collect();
    three_each.extend((1..=3).map(|nonce| (BOB, nonce)));
    assert_eq!(waiting(&pool), three_each);
    assert_eq!(pool.why(&tx(ALICE, 6)), Some("displaced"));
    let words = pool
        .dropped(&tx(ALICE, 4).hash())
        .unwrap()
        .reason
        .to_string();
    assert!(
        words.starts_with("nonce 0 was missing, and no place was left"),
        "{words}"
    );
    assert_eq!(kind(pool.take(tx(BOB, 4), &account(0))), "queue_full");
    // What is missing comes, and what waited for it takes no place any more.
    pool.take(tx(BOB, 0), &account(0)).unwrap();
    assert_eq!(kind(pool.take(tx(ALICE, 4), &account(0))), "taken");
}

#[test]
fn many_keys_do_not_keep_others_out() {
    let many = MempoolLimits {
        queued_max: 2_048,
        queued_share: 64,
        per_sender_max: 1_024,
        nonce_gap_max: 1_024,
        transactions_max: 20_000,
        ..FEW
    };
    let mut pool = pool(many);
    let mut sent = 0;
    for key in 0..22u8 {
        for nonce in 1..600 {
            let sender = Address::repeat_byte(key + 1);
            sent += usize::from(pool.take(tx(sender, nonce), &account(0)).is_ok());
        }
    }
    assert!(sent >= 2_048 && pool.counts().queued == 2_048, "{sent}");
    // More senders than there were keys, and all with several.
    for key in 0..64u8 {
        for nonce in 1..=4 {
            let sender = Address::repeat_byte(key + 100);
            assert_eq!(
                pool.take(tx(sender, nonce), &account(0)),
                Ok(Inserted::Queued)
            );
        }
    }
    assert_eq!(pool.counts().queued, 2_048);
}

#[test]
fn among_equals_old_ones_strangers_and_wide_gaps_give_way() {
    let sender = |number: u8| Address::repeat_byte(number);
    let mut pool = pool(FEW);
    for number in 1..=6 {
        pool.take(tx(sender(number), 5), &account(0)).unwrap();
    }
    assert_eq!(kind(pool.take(tx(BOB, 5), &account(0))), "queue_full");
    // A smaller gap is a better reason to wait.
    assert_eq!(kind(pool.take(tx(BOB, 2), &account(0))), "taken");
    // What is sent to this node itself stays before what was passed on, whatever its gap.
    let own = pool.insert(tx(CAROL, 9), &account(0), Intake::Own);
    assert_eq!(kind(own), "taken");
    let left = waiting(&pool);
    assert_eq!(left.len(), 6);
    assert!(left.contains(&(BOB, 2)) && left.contains(&(CAROL, 9)));
    // After some blocks nobody closes the gap, most likely.
    assert_eq!(kind(pool.take(tx(ALICE, 9), &account(0))), "queue_full");
    pool.block(3, []);
    assert_eq!(kind(pool.take(tx(ALICE, 9), &account(0))), "taken");
}

#[test]
fn a_large_one_counts_as_many() {
    let few_bytes = MempoolLimits {
        queued_max: 100,
        bytes_max: 8 * 64 * 1024,
        ..FEW
    };
    let mut pool = pool(few_bytes);
    for number in 1..=3 {
        let large = tx_with(Address::repeat_byte(number), 1, 0, 0, 80_000);
        pool.take(large, &account(0)).unwrap();
    }
    let large = tx_with(BOB, 1, 0, 0, 80_000);
    assert_eq!(kind(pool.take(large, &account(0))), "queue_bytes_full");
    let small = tx_with(BOB, 1, 0, 0, 30_000);
    assert_eq!(kind(pool.take(small, &account(0))), "taken");
    assert_eq!(pool.counts().queued, 3);
}

#[test]
fn what_took_too_long_is_not_taken_again_at_once() {
    let mut pool = pool(FEW);
    let slow = tx(ALICE, 0);
    pool.take(Arc::clone(&slow), &account(0)).unwrap();
    pool.take(tx(ALICE, 1), &account(0)).unwrap();
    pool.block(7, []);
    let slowness = Slowness {
        took_ms: 251,
        limit_ms: 250,
    };
    pool.remove(&slow.hash(), slowness.into()).unwrap();
    let words = "executing it took 251 ms on this node, more than the 250 ms that one transaction \
                 has in a block; split it";
    let dropped = pool.dropped(&slow.hash()).unwrap();
    assert_eq!(
        (dropped.reason.kind(), dropped.reason.to_string()),
        ("slow", words.into())
    );
    assert_eq!(ready(&pool), []);
    pool.block(9, []);
    let again = pool.take(Arc::clone(&slow), &account(0)).unwrap_err();
    assert_eq!(
        (again.kind(), again.to_string()),
        (
            "slow",
            format!("transaction takes too long: {words}; this node tries it again after 3 blocks")
        )
    );
    // Another one with its nonce is not it.
    let split = tx_with(ALICE, 0, 1, 0, 0);
    assert_eq!(pool.take(split, &account(0)), Ok(Inserted::Pending));
    assert_eq!(ready(&pool), [(ALICE, 0), (ALICE, 1)]);
    pool.block(10, [(ALICE, 0)]);
    assert_eq!(kind(pool.take(slow, &account(0))), "replacement");
}
