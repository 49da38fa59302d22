use alloy_consensus::{SignableTransaction, TxEnvelope as AnyTx, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Bytes, Signature, TxKind, U256};

use tbsi_types::{Height, TimestampMs};

use super::*;

mod leaving;
mod places;

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);

/// A transaction that bids `bid` wei.
fn tx_bidding(sender: Address, nonce: u64, bid: u128) -> Arc<Transaction> {
    legacy(
        sender,
        TxLegacy {
            nonce,
            gas_price: bid,
            ..TxLegacy::default()
        },
    )
}

fn legacy(sender: Address, transaction: TxLegacy) -> Arc<Transaction> {
    let transaction = TxLegacy {
        chain_id: Some(1),
        to: TxKind::Call(sender),
        ..transaction
    };
    let signed = transaction.into_signed(Signature::new(U256::from(1), U256::from(1), false));
    let encoded = AnyTx::from(signed).encoded_2718();
    Arc::new(Transaction::from_stored(Bytes::from(encoded), sender).unwrap())
}

/// `salt` makes two transactions with one nonce differ.
pub(crate) fn tx_with(
    sender: Address,
    nonce: u64,
    salt: u64,
    value: u64,
    input_bytes: usize,
) -> Arc<Transaction> {
    let transaction = TxLegacy {
        nonce,
        gas_limit: 21_000 + salt,
        value: U256::from(value),
        input: vec![7; input_bytes].into(),
        ..TxLegacy::default()
    };
    legacy(sender, transaction)
}

pub(crate) fn tx(sender: Address, nonce: u64) -> Arc<Transaction> {
    tx_with(sender, nonce, 0, 0, 0)
}

pub(super) fn account(nonce: u64) -> Account {
    Account {
        nonce,
        ..Account::default()
    }
}

pub(super) fn pool(limits: MempoolLimits) -> Mempool {
    Mempool::new(limits, LastBlock::default(), DropCounter::default())
}

pub(super) fn at(height: u64) -> LastBlock {
    LastBlock {
        height: Height(height),
        time: TimestampMs(1_000 * height),
    }
}

impl Mempool {
    pub(super) fn take(
        &mut self,
        transaction: Arc<Transaction>,
        account: &Account,
    ) -> Result<Inserted, MempoolError> {
        self.insert(transaction, account, Intake::Gossiped)
    }

    /// A block without transactions that this pool knows.
    pub(super) fn block(&mut self, height: u64, nonces: impl IntoIterator<Item = (Address, u64)>) {
        self.on_block(at(height), &HashSet::new(), nonces);
    }

    fn remove_invalid(&mut self, hash: &B256) -> Option<Arc<Transaction>> {
        let words = "intrinsic gas too low".into();
        self.remove(hash, RemovalReason::NotExecutable { words })
    }

    fn why(&self, transaction: &Transaction) -> Option<&'static str> {
        let dropped = self.dropped(&transaction.hash());
        dropped.map(|dropped| dropped.reason.kind())
    }
}

/// A pool of default limits with these transactions of accounts at nonce 0.
fn pool_of(transactions: &[(Address, u64)]) -> Mempool {
    let mut pool = pool(MempoolLimits::default());
    for (sender, nonce) in transactions {
        pool.take(tx(*sender, *nonce), &account(0)).unwrap();
    }
    pool
}

pub(super) fn ready(pool: &Mempool) -> Vec<(Address, u64)> {
    let key = |tx: &Arc<Transaction>| (tx.sender(), tx.nonce());
    pool.ready().map(key).collect()
}

#[test]
fn queued_transactions_become_pending_when_the_gap_closes() {
    let mut pool = pool(MempoolLimits::default());
    let account = account(3);
    assert_eq!(pool.take(tx(ALICE, 5), &account), Ok(Inserted::Queued));
    assert_eq!(pool.take(tx(ALICE, 4), &account), Ok(Inserted::Queued));
    assert_eq!(ready(&pool), []);
    assert_eq!(pool.pending_nonce(ALICE), Some(3));
    assert_eq!(pool.take(tx(ALICE, 3), &account), Ok(Inserted::Pending));
    assert_eq!(ready(&pool), [(ALICE, 3), (ALICE, 4), (ALICE, 5)]);
    assert_eq!(pool.pending_nonce(ALICE), Some(6));
    assert_eq!(pool.pending_nonce(BOB), None);
}

#[test]
fn senders_take_turns_and_the_served_go_to_the_end_of_the_line() {
    let mut pool = pool_of(&[
        (CAROL, 0),
        (ALICE, 0),
        (ALICE, 1),
        (ALICE, 2),
        (BOB, 0),
        (BOB, 1),
    ]);
    assert_eq!(
        ready(&pool),
        [
            (CAROL, 0),
            (ALICE, 0),
            (BOB, 0),
            (ALICE, 1),
            (BOB, 1),
            (ALICE, 2)
        ]
    );
    // A block with room for two.
    pool.block(1, [(CAROL, 1), (ALICE, 1)]);
    assert_eq!(ready(&pool), [(BOB, 0), (ALICE, 1), (BOB, 1), (ALICE, 2)]);
}

#[test]
fn a_block_removes_included_and_overtaken_transactions() {
    let mut pool = pool_of(&[(ALICE, 0), (ALICE, 1), (ALICE, 2), (ALICE, 4), (BOB, 0)]);
    let included = tx(ALICE, 0);
    // Bob's account moved by an authorization, not by a transaction from here.
    pool.block(1, [(ALICE, 1), (BOB, 1), (CAROL, 9)]);
    assert_eq!(pool.get(&included.hash()), None);
    assert_eq!(ready(&pool), [(ALICE, 1), (ALICE, 2)]);
    // A block of another proposer fills the gap.
    pool.block(2, [(ALICE, 4)]);
    assert_eq!(ready(&pool), [(ALICE, 4)]);
    // A nonce never goes back.
    pool.block(3, [(ALICE, 0)]);
    assert_eq!(pool.pending_nonce(ALICE), Some(5));
    pool.block(4, [(ALICE, 7)]);
    assert_eq!(pool.counts(), MempoolCounts::default());
    assert!(pool.senders.is_empty() && pool.by_hash.is_empty() && pool.line.is_empty());
}

#[test]
fn an_invalid_transaction_leaves_and_its_successors_wait_again() {
    let mut pool = pool_of(&[(ALICE, 0), (ALICE, 1), (ALICE, 2)]);
    let invalid = tx(ALICE, 1);
    assert_eq!(pool.remove_invalid(&invalid.hash()), Some(invalid.clone()));
    assert_eq!(pool.remove_invalid(&invalid.hash()), None);
    assert_eq!(ready(&pool), [(ALICE, 0)]);
    let content = pool.content(ALICE);
    assert_eq!(content.pending, [tx(ALICE, 0)]);
    assert_eq!(content.queued, [tx(ALICE, 2)]);
    let other = tx_with(ALICE, 1, 1, 0, 0);
    assert_eq!(pool.take(other, &account(0)), Ok(Inserted::Pending));
    assert_eq!(ready(&pool), [(ALICE, 0), (ALICE, 1), (ALICE, 2)]);
}

#[test]
fn queued_transactions_expire_by_height_and_pending_ones_do_not() {
    let limits = MempoolLimits {
        queued_blocks_max: 2,
        ..MempoolLimits::default()
    };
    let mut pool = Mempool::new(limits, at(10), DropCounter::default());
    for (sender, nonce) in [(ALICE, 0), (ALICE, 1), (BOB, 1)] {
        pool.take(tx(sender, nonce), &account(0)).unwrap();
    }
    pool.block(12, []);
    assert_eq!(pool.counts().queued, 1);
    // Waiting begins when the predecessor leaves, not when the transaction came.
    pool.remove_invalid(&tx(ALICE, 0).hash());
    pool.block(13, []);
    assert_eq!(pool.content(BOB), SenderContent::default());
    assert_eq!(pool.content(ALICE).queued.len(), 1);
    pool.block(15, []);
    assert_eq!(pool.counts(), MempoolCounts::default());
}

#[test]
fn refusals_say_what_the_limit_is_and_what_to_do() {
    let limits = MempoolLimits {
        transactions_max: 4,
        bytes_max: 1_000,
        per_sender_max: 2,
        nonce_gap_max: 3,
        queued_max: 1,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    let a = ALICE.to_string();
    let check = |pool: &mut Mempool, transaction, kind: &str, words: &str| {
        let before = (pool.counts(), ready(pool));
        let error = pool.take(transaction, &account(5)).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, words));
        assert_eq!((pool.counts(), ready(pool)), before);
    };
    pool.take(tx(ALICE, 5), &account(5)).unwrap();
    check(&mut pool, tx(ALICE, 5), "already_known", "already known");
    let low = format!("nonce too low: address {a}, tx: 4 state: 5; use nonce 5 or above");
    check(&mut pool, tx(ALICE, 4), "nonce_too_low", &low);
    let high = format!(
        "nonce too high: address {a}, tx: 10 state: 5, at most 3 nonces may be missing; send \
         nonce 6 first"
    );
    check(&mut pool, tx(ALICE, 10), "nonce_too_high", &high);
    let top = pool.take(tx(ALICE, u64::MAX - 1), &account(5));
    assert_eq!(top.unwrap_err().kind(), "nonce_too_high");
    let taken = format!(
        "replacement transaction underpriced: address {a}, nonce 5 is taken by {}; replace it \
         with a fee cap of 1 wei and a tip of 1 wei or more (nobody pays them), wait until it is \
         included, or use the next nonce",
        tx(ALICE, 5).hash()
    );
    check(&mut pool, tx_with(ALICE, 5, 1, 0, 0), "replacement", &taken);
    let funds = format!("insufficient funds for gas * price + value: address {a} have 0 want 1");
    check(
        &mut pool,
        tx_with(ALICE, 6, 0, 1, 0),
        "insufficient_funds",
        &funds,
    );
    // One queued transaction is the limit; pending ones are still taken.
    pool.take(tx(BOB, 6), &account(5)).unwrap();
    let queue = format!(
        "txpool is full: 1 transactions wait for an earlier nonce, at most 1 are allowed; \
         address {a}: send nonce 6 first"
    );
    check(&mut pool, tx(ALICE, 7), "queue_full", &queue);
    pool.take(tx(ALICE, 6), &account(5)).unwrap();
    let sender = format!(
        "account limit exceeded: address {a} has 2 transactions waiting, at most 2 are allowed; \
         retry after the next block"
    );
    check(&mut pool, tx(ALICE, 7), "sender_full", &sender);
    let bytes = pool.counts().bytes;
    let full = format!(
        "txpool is full: 3 transactions of at most 4, {bytes} bytes of at most 1000; retry \
         after the next block"
    );
    check(&mut pool, tx_with(CAROL, 5, 0, 0, 1_000), "full", &full);
    pool.take(tx(CAROL, 5), &account(5)).unwrap();
    let fourth = pool.take(tx(CAROL, 6), &account(5));
    assert_eq!(fourth.unwrap_err().kind(), "full");
}

#[test]
fn transactions_that_wait_leave_half_of_the_bytes_to_others() {
    let limits = MempoolLimits {
        bytes_max: 1_000,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    pool.take(tx_with(ALICE, 1, 0, 0, 300), &account(0))
        .unwrap();
    let bytes = pool.counts().bytes;
    let error = pool.take(tx_with(BOB, 1, 0, 0, 300), &account(0));
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "txpool is full: {bytes} bytes, transactions that wait for an earlier nonce are \
             taken up to 500; address {BOB}: send nonce 0 first"
        )
    );
    pool.take(tx_with(BOB, 0, 0, 0, 300), &account(0)).unwrap();
    assert_eq!(ready(&pool), [(BOB, 0)]);
}

#[test]
fn a_newer_account_than_the_last_block_drops_stale_transactions() {
    let mut pool = pool_of(&[(ALICE, 0), (ALICE, 2)]);
    assert_eq!(pool.take(tx(ALICE, 3), &account(2)), Ok(Inserted::Pending));
    assert_eq!(ready(&pool), [(ALICE, 2), (ALICE, 3)]);
}

#[test]
fn all_is_bounded_and_begins_with_what_can_be_executed() {
    let pool = pool_of(&[(ALICE, 1), (BOB, 0), (BOB, 1)]);
    let size = tx(BOB, 0).encoded().len();
    let key = |tx: &Arc<Transaction>| (tx.sender(), tx.nonce());
    let all: Vec<_> = pool.all(usize::MAX).iter().map(key).collect();
    assert_eq!(all, [(BOB, 0), (BOB, 1), (ALICE, 1)]);
    assert_eq!(pool.all(2 * size + 1).len(), 2);
    assert_eq!(pool.all(size - 1), []);
}

#[test]
fn what_is_sent_to_this_node_leaves_room_for_what_others_pass_on() {
    let limits = MempoolLimits {
        transactions_max: 8,
        own_part: 4,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    let own = |pool: &mut Mempool, nonce| pool.insert(tx(ALICE, nonce), &account(0), Intake::Own);
    own(&mut pool, 0).unwrap();
    own(&mut pool, 1).unwrap();
    let bytes = pool.counts().bytes;
    let full = format!(
        "txpool is full: 2 transactions of at most 2 that were sent to this node, {bytes} bytes of \
         at most {}; retry after the next block",
        MempoolLimits::default().bytes_max / 4
    );
    assert_eq!(own(&mut pool, 2).unwrap_err().to_string(), full);
    // A peer passes it on; its sender says it here too.
    pool.take(tx(ALICE, 2), &account(0)).unwrap();
    assert!(pool.claim(&tx(ALICE, 2).hash()));
    for nonce in 0..5 {
        pool.take(tx(BOB, nonce), &account(0)).unwrap();
    }
    let full = pool.take(tx(BOB, 5), &account(0)).unwrap_err();
    assert_eq!(full.kind(), "full");
    // Two leave, and one of three is still there.
    pool.block(1, [(ALICE, 2)]);
    assert_eq!(own(&mut pool, 3), Ok(Inserted::Pending));
    assert_eq!(own(&mut pool, 4).unwrap_err().kind(), "own_full");
    pool.block(2, [(ALICE, 4)]);
    assert_eq!(pool.own, Own::default());
}

#[test]
fn a_pool_without_room_looks_at_a_few_each_round() {
    let limits = MempoolLimits {
        transactions_max: 1,
        ..MempoolLimits::default()
    };
    let mut pool = pool(limits);
    assert_eq!(pool.look(100, Intake::Gossiped), Ok(()));
    pool.take(tx(ALICE, 0), &account(0)).unwrap();
    for _ in 0..2 {
        for _ in 0..MEMPOOL_FULL_CHECKS_MAX {
            assert_eq!(pool.look(100, Intake::Gossiped), Ok(()));
        }
        let full = pool.look(100, Intake::Gossiped).unwrap_err();
        assert_eq!(full.kind(), "full");
        pool.begin_round();
    }
    // One of them replaces what is there.
    pool.take(tx_bidding(ALICE, 0, 1), &account(0)).unwrap();
    pool.block(1, [(ALICE, 1)]);
    for _ in 0..=MEMPOOL_FULL_CHECKS_MAX {
        assert_eq!(pool.look(100, Intake::Gossiped), Ok(()));
    }
}
