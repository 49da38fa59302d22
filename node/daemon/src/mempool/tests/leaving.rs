//! What the pool tells again, what replaces what, and why what left.

use super::*;

/// What is told in each of so many rounds.
fn told(pool: &mut Mempool, rounds: u64) -> Vec<Vec<(Address, u64)>> {
    let key = |tx: &Arc<Transaction>| (tx.sender(), tx.nonce());
    let round = |_| pool.begin_round().iter().map(key).collect();
    (0..rounds).map(round).collect()
}

#[test]
fn what_no_block_holds_is_told_again_and_again_until_one_does() {
    let mut pool = pool(MempoolLimits::default());
    let own = |pool: &mut Mempool, nonce| {
        pool.insert(tx(ALICE, nonce), &account(0), Intake::Own)
            .unwrap();
    };
    own(&mut pool, 0);
    own(&mut pool, 1);
    pool.take(tx(BOB, 0), &account(0)).unwrap();
    let rounds = told(&mut pool, 20);
    let mine = vec![(ALICE, 0), (ALICE, 1)];
    assert_eq!((&rounds[3], &rounds[11]), (&mine, &mine));
    assert_eq!(rounds[15], [(BOB, 0)]);
    assert_eq!(rounds.concat().len(), 5);
    let included = HashSet::from([tx(ALICE, 0).hash()]);
    pool.on_block(at(1), &included, [(ALICE, 1)]);
    let rounds = told(&mut pool, 8);
    assert_eq!(rounds.concat(), [(ALICE, 1)]);
    // A client sends again what is known: it need not wait for the next turn.
    assert_eq!(
        pool.insert(tx(BOB, 0), &account(0), Intake::Own),
        Err(MempoolError::AlreadyKnown)
    );
    assert!(pool.claim(&tx(BOB, 0).hash()) && !pool.claim(&tx(BOB, 0).hash()));
    assert_eq!(told(&mut pool, 1), [[(BOB, 0)]]);
    assert_eq!(pool.own().len(), 2);
}

#[test]
fn a_round_tells_a_bounded_number_of_bytes_and_the_next_one_goes_on() {
    let mut pool = pool(MempoolLimits::default());
    let large = ANNOUNCE_BYTES_MAX / 2;
    for (sender, nonce, bytes) in [
        (ALICE, 0, large),
        (ALICE, 1, large),
        (BOB, 0, 3 * large),
        (CAROL, 0, 0),
    ] {
        let transaction = tx_with(sender, nonce, 0, 0, bytes);
        pool.insert(transaction, &account(0), Intake::Own).unwrap();
    }
    let rounds = told(&mut pool, 7);
    assert_eq!(
        rounds[3..],
        [
            vec![(ALICE, 0)],
            vec![(ALICE, 1)],
            vec![(BOB, 0)],
            vec![(CAROL, 0)],
        ]
    );
}

#[test]
fn a_pending_transaction_that_no_block_takes_expires_with_a_reason() {
    let limits = MempoolLimits {
        rounds_max: 30,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    pool.block(7, []);
    for nonce in [0, 1] {
        pool.insert(tx(ALICE, nonce), &account(0), Intake::Own)
            .unwrap();
    }
    told(&mut pool, 20);
    pool.insert(tx(BOB, 0), &account(0), Intake::Own).unwrap();
    told(&mut pool, 40);
    assert_eq!(ready(&pool), [(BOB, 0)]);
    let dropped = pool.dropped(&tx(ALICE, 0).hash()).unwrap();
    assert_eq!(dropped.at, at(7));
    assert_eq!(dropped.reason.kind(), "expired");
    let words = dropped.reason.to_string();
    assert!(words.starts_with("no block took it within "), "{words}");
    assert_eq!(pool.schedule.len(), 1);
    // Sent again, it is in the pool and not dropped.
    pool.take(tx(ALICE, 0), &account(0)).unwrap();
    assert_eq!(pool.dropped(&tx(ALICE, 0).hash()), None);
}

#[test]
fn a_higher_bid_replaces_a_transaction_as_on_ethereum() {
    let mut pool = pool(MempoolLimits::default());
    let replace = |pool: &mut Mempool, bid| {
        let outcome = pool.take(tx_bidding(ALICE, 0, bid), &account(0));
        outcome.map_err(|error| error.kind())
    };
    pool.take(tx(ALICE, 1), &account(0)).unwrap();
    assert_eq!(replace(&mut pool, 100), Ok(Inserted::Pending));
    for low in [0, 99, 101, 109] {
        assert_eq!(replace(&mut pool, low), Err("replacement"), "{low}");
    }
    assert_eq!(replace(&mut pool, 110), Ok(Inserted::Pending));
    let first = tx_bidding(ALICE, 0, 100);
    let second = tx_bidding(ALICE, 0, 110);
    assert_eq!(pool.why(&first), Some("replaced"));
    assert_eq!(
        pool.dropped(&first.hash()).unwrap().reason,
        RemovalReason::Replaced { by: second.hash() }
    );
    // The successor still follows, nothing is counted twice.
    assert_eq!(ready(&pool), [(ALICE, 0), (ALICE, 1)]);
    let bytes = second.encoded().len() + tx(ALICE, 1).encoded().len();
    assert_eq!((pool.counts().pending, pool.counts().bytes), (2, bytes));
    assert_eq!((pool.by_hash.len(), pool.schedule.len()), (2, 2));
    // What was replaced does not come back by gossip.
    assert_eq!(replace(&mut pool, 100), Err("replacement"));
    // The highest bid that there is cannot be outbid, and stops at that.
    assert_eq!(replace(&mut pool, u128::MAX), Ok(Inserted::Pending));
    assert_eq!(replace(&mut pool, u128::MAX - 1), Err("replacement"));
}

#[test]
fn a_bid_of_nothing_is_outbid_by_one_wei_and_a_stuck_one_needs_no_more() {
    let limits = MempoolLimits {
        stuck_rounds: 3,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    let version = |salt| tx_with(ALICE, 0, salt, 0, 0);
    pool.take(version(0), &account(0)).unwrap();
    let refused = pool.take(version(1), &account(0)).unwrap_err();
    assert_eq!(refused.kind(), "replacement");
    told(&mut pool, 3);
    assert_eq!(pool.take(version(1), &account(0)), Ok(Inserted::Pending));
    assert_eq!(pool.why(&version(0)), Some("replaced"));
    // The new version is not stuck yet.
    assert!(pool.take(version(2), &account(0)).is_err());
    assert!(pool.take(tx_bidding(ALICE, 0, 1), &account(0)).is_ok());
    told(&mut pool, 3);
    let lower = pool.take(version(3), &account(0)).unwrap_err();
    assert_eq!(lower.kind(), "replacement");
}

#[test]
fn a_replacement_keeps_to_the_bounds_of_bytes() {
    let limits = MempoolLimits {
        bytes_max: 1_000,
        per_sender_max: 1,
        transactions_max: 1,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    pool.take(tx(ALICE, 0), &account(0)).unwrap();
    let with_bytes = |bytes: usize| {
        let transaction = TxLegacy {
            gas_price: 1,
            input: vec![7; bytes].into(),
            ..TxLegacy::default()
        };
        legacy(ALICE, transaction)
    };
    let large = pool.take(with_bytes(1_000), &account(0)).unwrap_err();
    assert_eq!(large.kind(), "full");
    assert_eq!(ready(&pool), [(ALICE, 0)]);
    // A full pool is no reason to refuse what takes no new place.
    assert_eq!(
        pool.take(with_bytes(800), &account(0)),
        Ok(Inserted::Pending)
    );
}

#[test]
fn the_balance_covers_all_that_a_sender_has_here() {
    let mut pool = pool(MempoolLimits::default());
    let rich = Account {
        balance: U256::from(10),
        ..Account::default()
    };
    pool.take(tx_with(ALICE, 0, 0, 6, 0), &rich).unwrap();
    let second = pool.take(tx_with(ALICE, 1, 0, 5, 0), &rich).unwrap_err();
    let funds = MempoolError::InsufficientFunds {
        sender: ALICE,
        have: U256::from(10),
        want: U256::from(11),
    };
    assert_eq!(second, funds);
    assert!(pool.take(tx_with(ALICE, 1, 0, 4, 0), &rich).is_ok());
}

#[test]
fn every_way_out_of_the_pool_has_a_reason_but_a_block() {
    let limits = MempoolLimits {
        queued_blocks_max: 2,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    for (sender, nonce) in [(ALICE, 0), (ALICE, 1), (BOB, 0), (CAROL, 3)] {
        pool.take(tx(sender, nonce), &account(0)).unwrap();
    }
    assert_eq!(pool.find(&tx(ALICE, 0).hash()), Some(Inserted::Pending));
    assert_eq!(pool.find(&tx(CAROL, 3).hash()), Some(Inserted::Queued));
    // A block holds Alice's first, and another transaction of Bob.
    let included = HashSet::from([tx(ALICE, 0).hash()]);
    pool.on_block(at(1), &included, [(ALICE, 1), (BOB, 1)]);
    assert_eq!(pool.why(&tx(ALICE, 0)), None);
    assert_eq!(pool.why(&tx(BOB, 0)), Some("nonce_used"));
    pool.block(2, []);
    pool.block(3, []);
    assert_eq!(pool.why(&tx(CAROL, 3)), Some("nonce_gap"));
    let words = pool
        .dropped(&tx(CAROL, 3).hash())
        .unwrap()
        .reason
        .to_string();
    assert!(
        words.starts_with("nonce 0 was missing for 2 blocks"),
        "{words}"
    );
    pool.remove_invalid(&tx(ALICE, 1).hash());
    assert_eq!(pool.why(&tx(ALICE, 1)), Some("not_executable"));
    assert_eq!(pool.find(&tx(ALICE, 1).hash()), None);
    assert_eq!(
        (pool.counts(), pool.schedule.len()),
        (MempoolCounts::default(), 0)
    );
}

#[test]
fn what_an_account_overtook_has_its_reason_when_the_block_is_known() {
    let mut pool = pool_of(&[(ALICE, 0), (ALICE, 1)]);
    // The state is newer than the last block that the pool was told of.
    pool.take(tx(ALICE, 2), &account(2)).unwrap();
    assert_eq!(pool.why(&tx(ALICE, 0)), None);
    let included = HashSet::from([tx(ALICE, 1).hash()]);
    pool.on_block(at(1), &included, [(ALICE, 2)]);
    assert_eq!(pool.why(&tx(ALICE, 0)), Some("nonce_used"));
    assert_eq!(pool.why(&tx(ALICE, 1)), None);
    assert_eq!(ready(&pool), [(ALICE, 2)]);
}
