//! What a block reads of the state of its parent: enough to execute it without that state.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256};
use tbsi_types::{Account, StateDiff, StateView, ViewError};

use crate::error::ExecutionError;
use crate::trace::TracedBlock;

/// What a block reads, whoever asked for it: its transactions, or the chain's own rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockReads {
    /// Accounts, also those that are not there, each with slots of it.
    pub accounts: BTreeMap<Address, BTreeSet<U256>>,
    /// Code by its Keccak-256.
    pub codes: BTreeMap<B256, Bytes>,
    /// The lowest block whose hash it asks for. That of its parent is in its own header.
    pub lowest_block_hash: Option<u64>,
}

/// Executes a block on the state of its parent; returns what it read and what it changes.
pub fn block_reads(
    view: &(impl StateView + ?Sized),
    block: &TracedBlock<'_>,
) -> Result<(BlockReads, StateDiff), ExecutionError> {
    let recorded = Recorded {
        view,
        reads: RefCell::default(),
    };
    let mut run = block.begin(&recorded)?;
    run.apply_all(block.transactions)?;
    let diff = run.finish()?.diff;
    Ok((recorded.reads.into_inner(), diff))
}

/// Remembers what is read of a view.
struct Recorded<'v, V: ?Sized> {
    view: &'v V,
    reads: RefCell<BlockReads>,
}

impl<V: StateView + ?Sized> StateView for Recorded<'_, V> {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        self.reads.borrow_mut().accounts.entry(address).or_default();
        self.view.account(address)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        let code = self.view.code(code_hash)?;
        if !code.is_empty() {
            let codes = &mut self.reads.borrow_mut().codes;
            codes.insert(code_hash, code.clone());
        }
        Ok(code)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let accounts = &mut self.reads.borrow_mut().accounts;
        accounts.entry(address).or_default().insert(slot);
        self.view.storage(address, slot)
    }

    fn block_hash(&self, height: u64) -> Result<B256, ViewError> {
        let lowest = &mut self.reads.borrow_mut().lowest_block_hash;
        *lowest = Some(lowest.map_or(height, |it| it.min(height)));
        self.view.block_hash(height)
    }
}
