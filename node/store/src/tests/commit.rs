//! Blocks go in whole, once, in order, and come out as they went in.

use alloy_primitives::B256;
use tbsi_types::log::LeafBatch;
use tbsi_types::{Block, Height, ProposedBlock, Receipt, StateDiff, TimestampMs, TreeSize};

use super::fixture::{
    Decided, LONG, OPTIONS, advance, identity, logging, place, tick, ticked, transfer,
};
use crate::{CountedReceipt, Store, StoreError};

#[test]
fn returns_what_was_committed() {
    let (dir, store) = ticked(1);
    let transactions = vec![transfer("ann", 0), transfer("ann", 1), transfer("bob", 2)];
    let decided = Decided::next(&store, &tick(9), transactions.clone());
    decided.commit(&store).unwrap();
    advance(&store, &StateDiff::default());
    drop(store);

    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let height = Height(2);
    let block = &decided.proposed.block;
    assert_eq!(
        store.block(height).unwrap().as_ref(),
        Some(&decided.proposed)
    );
    assert_eq!(store.header(height).unwrap().as_ref(), Some(&block.header));
    assert_eq!(
        store.proposed_bytes(height).unwrap(),
        Some(decided.proposed.encode())
    );
    assert_eq!(store.receipts(height).unwrap(), Some(decided.receipts));
    assert_eq!(store.checkpoint(height).unwrap(), Some(decided.checkpoint));
    assert_eq!(store.certificate(height).unwrap(), decided.certificate);
    assert_eq!(store.block_hash(height).unwrap(), Some(block.hash()));
    assert_eq!(store.height_of(block.hash()).unwrap(), Some(height));
    for (index, transaction) in (0..).zip(&transactions) {
        let location = store.transaction_location(transaction.hash()).unwrap();
        assert_eq!(location, Some((height, index)));
    }
    assert_eq!(store.transaction_location(B256::ZERO).unwrap(), None);
    assert_eq!(store.height_of(B256::ZERO).unwrap(), None);

    let genesis = store.block(Height(0)).unwrap().unwrap();
    assert_eq!(genesis.block.height(), Height(0));
    assert_eq!(store.certificate(Height(0)).unwrap(), None);
    let beyond = Height(4);
    assert_eq!(store.block(beyond).unwrap(), None);
    assert_eq!(store.receipts(beyond).unwrap(), None);
    assert_eq!(store.checkpoint(beyond).unwrap(), None);
    assert_eq!(store.block_hash(beyond).unwrap(), None);
}

#[test]
fn one_transaction_is_read_as_it_is_among_the_others() {
    let (_dir, store) = ticked(1);
    let transactions = vec![transfer("ann", 0), transfer("ann", 1), transfer("bob", 2)];
    let mut decided = Decided::next(&store, &tick(9), transactions.clone());
    for (count, receipt) in (1..).zip(&mut decided.receipts) {
        *receipt = logging(receipt, count);
    }
    // One of the old form, without a type.
    let inner = decided.receipts[1].as_receipt_with_bloom().unwrap().clone();
    decided.receipts[1] = Receipt::Legacy(inner);
    decided.commit(&store).unwrap();
    let height = Height(2);
    let mut before = (0, 0);
    for (index, (transaction, receipt)) in transactions.iter().zip(&decided.receipts).enumerate() {
        let (header, found) = store.transaction_at(height, index).unwrap().unwrap();
        assert_eq!(
            (&header, &found),
            (&decided.proposed.block.header, transaction)
        );
        let counted = CountedReceipt {
            receipt: receipt.clone(),
            gas_before: before.0,
            logs_before: before.1,
        };
        assert_eq!(store.receipt_at(height, index).unwrap(), Some(counted));
        before = (
            receipt.cumulative_gas_used(),
            before.1 + receipt.logs().len() as u64,
        );
    }
    assert_eq!(before.1, 6);
    for (height, index) in [(height, 3), (height, 9), (Height(1), 0), (Height(3), 0)] {
        assert!(store.transaction_at(height, index).unwrap().is_none());
        assert!(store.receipt_at(height, index).unwrap().is_none());
    }
}

#[test]
fn the_same_block_again_has_no_effect_and_another_is_refused() {
    let (_dir, store) = ticked(2);
    let three = Decided::next(&store, &tick(3), vec![transfer("ann", 0)]);
    let other = Decided::next(&store, &tick(30), Vec::new());
    three.commit(&store).unwrap();
    let tip = store.tip();
    three.commit(&store).unwrap();
    assert_eq!(store.tip(), tip);
    advance(&store, &tick(4));
    three.commit(&store).unwrap();
    assert_eq!(store.tip().unwrap().height, Height(4));

    let error = other.commit(&store).unwrap_err();
    assert!(error.is_halt());
    assert!(
        error.to_string().starts_with("block 3: hash is 0x"),
        "{error}"
    );
    assert_eq!(store.block(Height(3)).unwrap(), Some(three.proposed));
}

#[test]
fn refuses_a_gap() {
    let (_dir, ahead) = ticked(3);
    let four = Decided::next(&ahead, &tick(4), Vec::new());
    let (_other, behind) = ticked(2);
    let error = four.commit(&behind).unwrap_err();
    assert_eq!(
        error.to_string(),
        "block 4 does not follow the tip, which is 2"
    );

    let dir = tempfile::tempdir().unwrap();
    let empty = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    let error = four.commit(&empty).unwrap_err();
    assert_eq!(
        error.to_string(),
        "block 4 does not follow the tip, which is not there yet"
    );
}

#[test]
fn refuses_parts_that_contradict_each_other() {
    let (_dir, store) = ticked(2);
    let good = || Decided::next(&store, &tick(3), vec![transfer("ann", 0)]);
    let hash = B256::repeat_byte(1);
    let check = |field: &str, spoil: &dyn Fn(&mut Decided)| {
        let mut block = good();
        spoil(&mut block);
        let error = block.commit(&store).unwrap_err();
        let words = error.to_string();
        assert!(
            words.starts_with(&format!("block 3: {field} is ")),
            "{words}"
        );
        assert_eq!(store.tip().unwrap().height, Height(2));
    };
    check("parent hash", &|b| {
        b.proposed.block.header.parent_hash = hash
    });
    check("state root", &|b| b.proposed.block.header.state_root = hash);
    check("state root", &|b| {
        b.update = store.state_root(&tick(4)).unwrap()
    });
    check("number of receipts", &|b| b.receipts.clear());
    check("checkpoint's chain id", &|b| b.checkpoint.chain_id += 1);
    check("checkpoint's height", &|b| b.checkpoint.height = Height(4));
    check("checkpoint's time", &|b| b.proposed.time = TimestampMs(1));
    check("checkpoint's block hash", &|b| {
        b.proposed.block.header.gas_used = 1
    });
    check("checkpoint's state root", &|b| {
        b.checkpoint.state_root = hash
    });
    check("certificate", &|b| b.certificate = None);
    check("certificate", &|b| b.checkpoint.validator_set_hash = hash);
    check("checkpoint's log size", &|b| {
        b.checkpoint.log_size = TreeSize(1)
    });
    check("checkpoint's log root", &|b| b.checkpoint.log_root = hash);
    check("block under the state update", &|b| {
        b.update.base = Some(Height(1))
    });
    good().commit(&store).unwrap();
}

#[test]
fn an_update_computed_below_the_tip_is_refused() {
    let (_dir, store) = ticked(2);
    let stale = store.state_root(&StateDiff::default()).unwrap();
    advance(&store, &StateDiff::default());
    let mut next = Decided::next(&store, &StateDiff::default(), Vec::new());
    next.update = stale;
    let error = next.commit(&store).unwrap_err();
    assert_eq!(
        error.to_string(),
        "block 4: block under the state update is 2, expected 3"
    );
}

#[test]
fn a_log_that_was_appended_to_below_the_tip_is_refused() {
    let (_dir, store) = ticked(2);
    let batch = || {
        let mut batch = LeafBatch::default();
        batch.push(b"any bytes are hashed");
        batch
    };
    let place = place(&store, LONG);
    let stale = store.log_update(&place, batch()).unwrap();
    let mut next = Decided::with_leaves(&store, &tick(3), Vec::new(), batch());
    next.log = stale;
    // What is not a leaf is noticed before anything is written.
    let error = next.commit(&store).unwrap_err();
    assert!(
        error.to_string().starts_with("stored leaf is damaged"),
        "{error}"
    );
    assert_eq!(store.tip().unwrap().height, Height(2));
    let leaf = super::log::attestation(B256::ZERO, 0).encode().unwrap();
    let mut good = LeafBatch::default();
    good.push(&leaf);
    let stale = store.log_update(&place, good.clone()).unwrap();
    let decided = Decided::with_leaves(&store, &tick(3), Vec::new(), good.clone());
    decided.commit(&store).unwrap();
    let mut next = Decided::with_leaves(&store, &tick(4), Vec::new(), good);
    next.checkpoint.log_size = stale.size();
    next.checkpoint.log_root = stale.root();
    next.log = stale;
    let error = next.commit(&store).unwrap_err();
    assert_eq!(
        error.to_string(),
        "block 4: log under the update is 0, expected 1"
    );
}

#[test]
fn stored_blocks_that_are_damaged_are_errors() {
    use crate::database::Table;
    use crate::keys::{Part, part};

    let (_dir, store) = ticked(0);
    let decided = Decided::next(
        &store,
        &tick(1),
        vec![transfer("ann", 0), transfer("ann", 1)],
    );
    decided.commit(&store).unwrap();
    let height = Height(1);
    let write = |kind, bytes: &[u8]| {
        let mut batch = store.database.batch();
        batch.put(Table::Chain, &part(height, kind), bytes);
        batch.write("test").unwrap();
    };
    let sender = decided.proposed.block.transactions[0].sender();
    for senders in [0, 1, 3].map(|count| sender.repeat(count)) {
        write(Part::Senders, &senders);
        assert!(matches!(
            store.block(height),
            Err(StoreError::Corrupt { .. })
        ));
    }
    write(Part::Senders, &sender.repeat(2));
    assert_eq!(store.block(height).unwrap(), Some(decided.proposed.clone()));
    let bytes = decided.proposed.encode();
    for end in 0..bytes.len() {
        write(Part::Body, &bytes[..end]);
        assert!(
            matches!(store.block(height), Err(StoreError::Corrupt { .. })),
            "{end}"
        );
    }
    for kind in [
        Part::Header,
        Part::Receipts,
        Part::Checkpoint,
        Part::Certificate,
    ] {
        write(kind, &[0xc1]);
    }
    assert!(store.header(height).unwrap_err().is_halt());
    assert!(store.receipts(height).unwrap_err().is_halt());
    assert!(store.checkpoint(height).unwrap_err().is_halt());
    assert!(store.certificate(height).unwrap_err().is_halt());
}

#[test]
fn an_empty_block_reads_back() {
    let (_dir, store) = ticked(0);
    let ProposedBlock { time, block } = store.block(Height(0)).unwrap().unwrap();
    let Block {
        header,
        transactions,
    } = block;
    assert!(transactions.is_empty());
    assert_eq!(header.timestamp, time.seconds());
    assert_eq!(store.receipts(Height(0)).unwrap(), Some(Vec::new()));
}

#[test]
fn a_full_disk_takes_nothing_and_what_was_there_stays() {
    let (dir, store) = ticked(2);
    store.fill();
    let decided = Decided::next(&store, &tick(9), Vec::new());
    for _ in 0..2 {
        let failed = decided.commit(&store);
        assert!(
            matches!(failed, Err(StoreError::Write { .. })),
            "{failed:?}"
        );
        assert_eq!(store.tip().unwrap().height, Height(2));
    }
    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.tip().unwrap().height, Height(2));
    assert_eq!(advance(&store, &tick(3)), Height(3));
}
