//! Dropping the transactions and receipts of old blocks. Headers, checkpoints, certificates, the
//! log and what transactions are found by are never dropped, so that what is gone is told from what
//! never was.

use std::sync::atomic::Ordering;

use tbsi_types::Height;

use crate::database::{Batch, Table};
use crate::error::StoreError;
use crate::keys::{self, Part};
use crate::limits::PRUNED_PER_BLOCK_MAX;
use crate::store::Store;

impl Store {
    /// The lowest height above genesis whose transactions and receipts are kept; those of genesis
    /// always are.
    pub fn oldest_block(&self) -> Height {
        Height(self.oldest_block.load(Ordering::SeqCst))
    }

    /// Fails for a block whose transactions and receipts were dropped.
    pub(crate) fn check_kept(&self, height: Height) -> Result<(), StoreError> {
        let oldest = self.oldest_block();
        if height > Height::GENESIS && height < oldest {
            return Err(StoreError::BlockPruned { height, oldest });
        }
        Ok(())
    }

    /// Drops, with the block at `next`, what leaves the window, and a little more of what was kept
    /// before the window was narrowed.
    pub(crate) fn prune_blocks(&self, batch: &mut Batch<'_>, next: Height) {
        let wanted = next.0.saturating_sub(self.options.keep_blocks);
        let from = self.oldest_block().0;
        let to = wanted.min(from.saturating_add(PRUNED_PER_BLOCK_MAX));
        if to <= from {
            return;
        }
        for height in (from..to).map(Height) {
            for part in [Part::Body, Part::Senders, Part::Receipts] {
                batch.delete(Table::Chain, &keys::part(height, part));
            }
        }
        batch.put(Table::Meta, keys::OLDEST_BLOCK, &to.to_be_bytes());
        // Before the write: a reader who finds nothing then knows why. If the write fails, the node
        // ends.
        self.oldest_block.store(to, Ordering::SeqCst);
    }
}
