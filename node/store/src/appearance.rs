//! Which transactions an account takes part in: as sender, as recipient, as the contract that one
//! deploys, or as one that emits a log. What a contract is merely called by another for leaves no
//! trace in a block, and is not found.
//!
//! An index that an operator may turn on knows the blocks since then; older ones are looked
//! through, a bounded number at a time.

use std::collections::BTreeSet;

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use tbsi_types::{Height, Receipt, Transaction};

use crate::commit::CommitBlock;
use crate::database::{Batch, Table};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::SEARCH_BLOCKS_MAX;
use crate::store::Store;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearances {
    /// Heights and positions in the block, in the order of the search: all of each block.
    pub places: Vec<(Height, u32)>,
    /// The next height to look at, if the search ended before the chain did.
    pub next: Option<Height>,
    /// Whether it ended because it had looked through as many blocks as one search may.
    pub exhausted: bool,
}

/// Who takes part in a transaction.
fn accounts(transaction: &Transaction, receipt: &Receipt) -> BTreeSet<Address> {
    let envelope = transaction.envelope();
    let created = envelope
        .is_create()
        .then(|| transaction.sender().create(envelope.nonce()));
    let emitters = receipt.logs().iter().map(|log| log.address);
    emitters
        .chain([transaction.sender()])
        .chain(envelope.to())
        .chain(created)
        .collect()
}

impl Store {
    /// Transactions that `account` takes part in, in whole blocks until there are `count`: from
    /// the block after `bound` on if `forward`, otherwise from the one before it back.
    pub fn appearances(
        &self,
        account: Address,
        bound: Height,
        forward: bool,
        count: usize,
    ) -> Result<Appearances, StoreError> {
        let mut found = Appearances::default();
        let Some(tip) = self.tip() else {
            return Ok(found);
        };
        let indexed = self.indexed_from()?.unwrap_or(tip.height.next());
        let wanted = (forward, count);
        if forward {
            let first = bound.next();
            let blocks = (first.0..indexed.0).map(Height);
            self.look_through(blocks, account, wanted, &mut found)?;
            if found.next.is_none() {
                let known = (first.max(indexed), indexed);
                self.look_up(account, known, wanted, &mut found)?;
            }
        } else {
            let bound = bound.min(tip.height.next());
            self.look_up(account, (bound, indexed), wanted, &mut found)?;
            if found.next.is_none() {
                let blocks = (0..bound.min(indexed).0).rev().map(Height);
                self.look_through(blocks, account, wanted, &mut found)?;
            }
        }
        Ok(found)
    }

    /// The first block that the index knows; it knows all since.
    fn indexed_from(&self) -> Result<Option<Height>, StoreError> {
        let bytes = self
            .database
            .get(Table::Meta, keys::APPEARANCES_FROM, "index of accounts")?;
        let decode = |bytes: Vec<u8>| {
            let bytes = bytes.try_into().map(u64::from_be_bytes);
            bytes.map_err(|_| corrupt("index of accounts")(&"its beginning is no height"))
        };
        bytes.map(|bytes| decode(bytes).map(Height)).transpose()
    }

    /// In the index: at `start` and after, or before it, and not below `indexed`: what stands
    /// there is of an index that was turned off.
    fn look_up(
        &self,
        account: Address,
        (start, indexed): (Height, Height),
        (forward, count): (bool, usize),
        found: &mut Appearances,
    ) -> Result<(), StoreError> {
        let mut visit = |key: &[u8], _: &[u8]| {
            let place = keys::appearance_of(key)
                .ok_or_else(|| corrupt("index of accounts")(&"a key has another length"))?;
            if place.0 < indexed {
                return Ok(false);
            }
            let last = found.places.last();
            if found.places.len() >= count && last.is_none_or(|last| last.0 != place.0) {
                found.next = Some(place.0);
                return Ok(false);
            }
            found.places.push(place);
            Ok(true)
        };
        let (prefix, from) = (
            keys::appearances(&account),
            keys::appearance(&account, start, 0),
        );
        let view = self.database.snapshot();
        if forward {
            view.scan_from(
                Table::Index,
                &prefix,
                &from,
                "index of accounts",
                &mut visit,
            )
        } else {
            view.scan_back_from(
                Table::Index,
                &prefix,
                &from,
                "index of accounts",
                &mut visit,
            )
        }
    }

    /// Without an index.
    fn look_through(
        &self,
        blocks: impl Iterator<Item = Height>,
        account: Address,
        (forward, count): (bool, usize),
        found: &mut Appearances,
    ) -> Result<(), StoreError> {
        for (looked_at, height) in blocks.enumerate() {
            if found.places.len() >= count {
                found.next = Some(height);
                return Ok(());
            }
            if looked_at == SEARCH_BLOCKS_MAX {
                found.next = Some(height);
                found.exhausted = true;
                return Ok(());
            }
            let Some(proposed) = self.block(height)? else {
                continue;
            };
            let transactions = &proposed.block.transactions;
            if transactions.is_empty() {
                continue;
            }
            let receipts = self.receipts(height)?.unwrap_or_default();
            let mut places: Vec<_> = (0u32..)
                .zip(transactions.iter().zip(&receipts))
                .filter(|(_, (transaction, receipt))| {
                    accounts(transaction, receipt).contains(&account)
                })
                .map(|(index, _)| (height, index))
                .collect();
            if !forward {
                places.reverse();
            }
            found.places.extend(places);
        }
        Ok(())
    }

    /// Adds a block to the index, or ends it: it is good for nothing with a gap.
    pub(crate) fn write_appearances(
        &self,
        batch: &mut Batch<'_>,
        block: &CommitBlock<'_>,
    ) -> Result<(), StoreError> {
        let from = self.indexed_from()?;
        if !self.options.address_index {
            if from.is_some() {
                batch.delete(Table::Meta, keys::APPEARANCES_FROM);
            }
            return Ok(());
        }
        let height = block.proposed.block.height();
        if from.is_none() {
            batch.put(Table::Meta, keys::APPEARANCES_FROM, &height.0.to_be_bytes());
        }
        let transactions = block.proposed.block.transactions.iter();
        for (index, (transaction, receipt)) in (0u32..).zip(transactions.zip(block.receipts)) {
            for account in accounts(transaction, receipt) {
                batch.put(
                    Table::Index,
                    &keys::appearance(&account, height, index),
                    &[],
                );
            }
        }
        Ok(())
    }
}
