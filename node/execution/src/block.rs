//! Blocks: executing one that exists, building one from candidates. Both walk the same path.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use tbsi_types::{StateView, Transaction};

use crate::environment::BlockContext;
use crate::error::ExecutionError;
use crate::run::{BlockRun, Outcome, known};
use crate::words::Chance;

/// Gas of the cheapest transaction (EIP-2).
pub(crate) const TRANSACTION_GAS_MIN: u64 = 21_000;

/// Bytes that a block's RLP adds to a typed transaction: a string header, whose length fits
/// three bytes because a transaction is at most 512 KiB.
const RLP_HEADER_BYTES_MAX: usize = 4;

/// Executes a block on the state of its parent.
///
/// [`ExecutionError::View`] and [`ExecutionError::Evm`] say nothing about the block; the others
/// say that it is invalid.
pub fn execute(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    transactions: &[Arc<Transaction>],
) -> Result<Outcome, ExecutionError> {
    BlockRun::begin(view, known(context, view)?)?.execute(transactions)
}

/// Bounds of a block to build, beside its gas limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildLimits {
    /// Bytes of the block's encoded transactions.
    pub bytes_max: usize,
    /// Gas of the block, if that is less than its limit.
    pub gas_max: u64,
}

/// A block's transactions and what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// In execution order.
    pub transactions: Vec<Arc<Transaction>>,
    /// What [`execute`] gives for these transactions.
    pub outcome: Outcome,
    /// Candidates that are invalid on this state. Those that only found no room, or come after
    /// one of their sender's that is not in the block, are not listed.
    pub skipped: Vec<Skipped>,
}

/// A candidate that may not be in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Transaction hash.
    pub hash: B256,
    /// Who signed it.
    pub sender: Address,
    /// The sender's nonce.
    pub nonce: u64,
    /// In go-ethereum's words.
    pub reason: String,
    /// Whether no later block can contain it (nonce used, gas too low ...); otherwise a
    /// transaction before it (insufficient funds) may change that.
    pub permanent: bool,
}

/// Builds a block from candidates, taken in order until none is left, no transaction fits any
/// more, or `keep_going` (asked before each) says no. A candidate that finds no room, by gas,
/// bytes or its organisation's reserve (SPEC §13.4), is passed over, and so is what follows a
/// candidate of its sender that is not in the block.
pub fn build(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    limits: BuildLimits,
    candidates: &mut dyn Iterator<Item = Arc<Transaction>>,
    keep_going: &dyn Fn() -> bool,
) -> Result<Built, ExecutionError> {
    let mut run = BlockRun::begin(view, known(context, view)?)?;
    let mut transactions = Vec::new();
    let mut skipped = Vec::new();
    let mut bytes_left = limits.bytes_max;
    let gas_kept_free = context.gas_limit.saturating_sub(limits.gas_max);
    loop {
        let gas_left = run.gas_left().saturating_sub(gas_kept_free);
        if gas_left < TRANSACTION_GAS_MIN || !keep_going() {
            break;
        }
        let Some(transaction) = candidates.next() else {
            break;
        };
        let gas = transaction.envelope().gas_limit();
        let bytes = transaction.encoded().len() + RLP_HEADER_BYTES_MAX;
        let fits = gas <= gas_left && bytes <= bytes_left;
        // What asks for more than any block has is not passed over: `apply` refuses it.
        if !fits && gas <= context.gas_limit {
            continue;
        }
        match run.apply(&transaction)? {
            Ok(()) => {
                bytes_left -= bytes;
                transactions.push(transaction);
            }
            // Its predecessor found no room, or is skipped: the pool knows what waits for what.
            Err(refusal) if refusal.chance == Chance::NotYet => {}
            Err(refusal) => skipped.push(Skipped {
                hash: transaction.hash(),
                sender: transaction.sender(),
                nonce: transaction.nonce(),
                reason: refusal.reason,
                permanent: refusal.chance == Chance::Never,
            }),
        }
    }
    Ok(Built {
        transactions,
        outcome: run.finish()?,
        skipped,
    })
}
