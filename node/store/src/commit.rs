//! The one atomic write of a decided block.

use std::fmt::Display;

use alloy_consensus::Header;
use tbsi_types::{Checkpoint, CommitCertificate, Height, Members, ProposedBlock, Receipt};

use crate::database::{Batch, Table};
use crate::error::StoreError;
use crate::keys::{self, Part};
use crate::log::LogUpdate;
use crate::roster;
use crate::signed::write_signed;
use crate::store::{Store, Tip, TipRecord};
use crate::update::StateUpdate;

/// A decided block with all that is stored with it.
#[derive(Clone, Copy, Debug)]
pub struct CommitBlock<'a> {
    /// The block and its time.
    pub proposed: &'a ProposedBlock,
    /// One for each transaction.
    pub receipts: &'a [Receipt],
    /// Of the block.
    pub checkpoint: &'a Checkpoint,
    /// For the checkpoint; `None` for genesis, which nobody decided.
    pub certificate: Option<&'a CommitCertificate>,
    /// From [`Store::state_root`], computed on the tip.
    pub update: &'a StateUpdate,
    /// From [`Store::log_update`], computed on the tip.
    pub log: &'a LogUpdate,
    /// The validators of the next block, if the checkpoint names another set than its own, and
    /// for genesis.
    pub next_members: Option<&'a Members>,
}

impl CommitBlock<'_> {
    fn header(&self) -> &Header {
        &self.proposed.block.header
    }

    fn height(&self) -> Height {
        self.proposed.block.height()
    }

    /// Names the first field that is not what it must be.
    fn expect<T: PartialEq + Display>(
        &self,
        field: &'static str,
        found: T,
        expected: T,
    ) -> Result<(), StoreError> {
        if found == expected {
            return Ok(());
        }
        Err(StoreError::Mismatch {
            height: self.height(),
            field,
            found: found.to_string(),
            expected: expected.to_string(),
        })
    }
}

impl Store {
    /// Stores the block after the tip, its state and all indexes; returns once they are on
    /// the disk. If the write fails, the next [`Store::open`] finds all of the block or
    /// nothing. A block that is stored already is accepted again, without effect.
    ///
    /// Drops undecided blocks up to its height and state behind the window.
    pub fn commit(&self, block: CommitBlock<'_>) -> Result<(), StoreError> {
        let mut waiting = self.writer();
        let tip = self.tip();
        if tip.is_some_and(|tip| block.height() <= tip.height) {
            return self.check_stored(&block);
        }
        let next = tip.map_or(Height::GENESIS, |tip| tip.height.next());
        if block.height() != next {
            return Err(StoreError::Gap {
                height: block.height(),
                tip: tip.map(|tip| tip.height),
            });
        }
        let new_tip = Tip::of(block.checkpoint, &self.identity);
        self.check(&block, tip.as_ref(), &new_tip)?;
        let window = Height(next.0.saturating_sub(self.options.history_blocks));
        let oldest = self.oldest_state().max(window);

        // Leaves and their tiles and positions are most of a large block.
        let mut batch = self.database.batch_of(2 * block.log.leaves().bytes());
        write_block(&mut batch, &block);
        write_index(&mut batch, &block);
        self.write_appearances(&mut batch, &block)?;
        write_state(&mut batch, &block);
        self.write_log(&mut batch, block.log)?;
        block.log.map.write(&mut batch);
        if let Some(certificate) = block.certificate {
            write_signed(&mut batch, certificate);
        }
        if let Some(members) = block.next_members {
            roster::write(&mut batch, block.checkpoint, members);
        }
        waiting.write_decided(&mut batch, next);
        self.prune_blocks(&mut batch, next);
        let record = TipRecord {
            height: next.0,
            oldest_state: oldest.0,
        };
        batch.put(Table::Meta, keys::TIP, &record.encode());
        batch.write("block")?;

        self.hot.advance(next, &block.update.touched);
        waiting.decided(next);
        self.note_handover(block.checkpoint);
        self.database.raise_history_floor(oldest);
        *self
            .frontier
            .write()
            .expect("nobody panics while writing the frontier") = block.log.frontier.clone();
        self.set_map_state(block.log.map.state.clone());
        *self
            .tip
            .write()
            .expect("nobody panics while writing the tip") = Some(new_tip);
        Ok(())
    }

    fn check_stored(&self, block: &CommitBlock<'_>) -> Result<(), StoreError> {
        let stored = self.block_hash(block.height())?.unwrap_or_default();
        block.expect("hash", block.proposed.block.hash(), stored)
    }

    /// The parts of the block must agree with each other and with the tip.
    fn check(
        &self,
        block: &CommitBlock<'_>,
        tip: Option<&Tip>,
        new_tip: &Tip,
    ) -> Result<(), StoreError> {
        let (header, checkpoint) = (block.header(), block.checkpoint);
        let transactions = block.proposed.block.transactions.len();
        if let Some(tip) = tip {
            block.expect("parent hash", header.parent_hash, tip.block_hash)?;
        }
        block.expect("state root", header.state_root, block.update.root)?;
        block.expect("number of receipts", block.receipts.len(), transactions)?;
        block.expect(
            "checkpoint's chain id",
            checkpoint.chain_id,
            self.identity.chain_id,
        )?;
        block.expect("checkpoint's height", checkpoint.height, block.height())?;
        block.expect("checkpoint's time", checkpoint.time, block.proposed.time)?;
        block.expect(
            "checkpoint's block hash",
            checkpoint.block_hash,
            block.proposed.block.hash(),
        )?;
        block.expect(
            "checkpoint's state root",
            checkpoint.state_root,
            header.state_root,
        )?;
        block.expect(
            "checkpoint's log size",
            checkpoint.log_size,
            block.log.size(),
        )?;
        block.expect(
            "checkpoint's log root",
            checkpoint.log_root,
            block.log.root(),
        )?;
        let before = tip.map(|tip| tip.log_size).unwrap_or_default();
        block.expect("log under the update", block.log.base(), before)?;
        let base = |height: Option<Height>| height.map_or("none".into(), |h| h.to_string());
        block.expect(
            "block under the state update",
            base(block.update.base),
            base(tip.map(|tip| tip.height)),
        )?;
        let decided = block
            .certificate
            .map(|certificate| (certificate.height, certificate.checkpoint_digest));
        let needed = tip.map(|_| (new_tip.height, new_tip.checkpoint_digest));
        let words = |certificate: Option<_>| {
            certificate.map_or("none".to_owned(), |(height, digest)| {
                format!("for {digest} at {height}")
            })
        };
        block.expect("certificate", words(decided), words(needed))?;
        let members = block.next_members.map(|members| members.set().hash());
        let known = members.unwrap_or(checkpoint.validator_set_hash);
        let next = checkpoint.next_validator_set_hash;
        block.expect("checkpoint's next validator set", next, known)
    }
}

fn write_block(batch: &mut Batch<'_>, block: &CommitBlock<'_>) {
    let height = block.height();
    let mut put = |part, bytes: &[u8]| batch.put(Table::Chain, &keys::part(height, part), bytes);
    put(Part::Body, &block.proposed.encode());
    put(Part::Header, &alloy_rlp::encode(block.header()));
    let transactions = &block.proposed.block.transactions;
    let senders: Vec<_> = transactions.iter().flat_map(|tx| tx.sender().0.0).collect();
    put(Part::Senders, &senders);
    let mut receipts = Vec::new();
    alloy_rlp::encode_list(block.receipts, &mut receipts);
    put(Part::Receipts, &receipts);
    put(Part::Checkpoint, &block.checkpoint.encode());
    if let Some(certificate) = block.certificate {
        put(Part::Certificate, &certificate.encode());
    }
}

fn write_index(batch: &mut Batch<'_>, block: &CommitBlock<'_>) {
    let height = block.height().0.to_be_bytes();
    let key = keys::block_hash(&block.checkpoint.block_hash);
    batch.put(Table::Index, &key, &height);
    for (index, transaction) in (0u32..).zip(&block.proposed.block.transactions) {
        let key = keys::transaction_hash(&transaction.hash());
        let location = [height.as_slice(), &index.to_be_bytes()].concat();
        batch.put(Table::Index, &key, &location);
    }
}

fn write_state(batch: &mut Batch<'_>, block: &CommitBlock<'_>) {
    let height = block.height();
    for write in &block.update.writes {
        match &write.after {
            Some(value) => batch.put(Table::State, &write.key, value),
            None => batch.delete(Table::State, &write.key),
        }
        // No state is older than genesis. No stored value is empty: empty says there was none.
        if height != Height::GENESIS {
            let before = write.before.as_deref().unwrap_or_default();
            batch.put(Table::History, &keys::history(&write.key, height), before);
        }
    }
    for (hash, code) in &block.update.codes {
        batch.put(Table::Code, hash.as_slice(), code);
    }
}
