//! Blocks: executing one that exists, building one from candidates. Both walk the same path.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use tbsi_types::{StateView, Transaction};

use crate::environment::BlockContext;
use crate::error::ExecutionError;
use crate::limits::LIGHT_GAS_MAX;
use crate::run::{BlockRun, Outcome, known};
use crate::words::{Chance, Refusal};

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
    /// Time after which no transaction begins.
    pub time_max: Duration,
    /// Time that one transaction may take, if it asks for more than [`LIGHT_GAS_MAX`].
    pub transaction_time_max: Duration,
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
    /// Candidates that took longer than one may.
    pub slow: Vec<Slow>,
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

/// A candidate that took longer than one may, on this machine and this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Transaction hash.
    pub hash: B256,
    /// Who signed it.
    pub sender: Address,
    /// How long it ran until it ended or was stopped.
    pub took: Duration,
}

/// Builds a block from candidates, taken in order until none is left, no transaction fits any
/// more, or `time_max` is over by `clock`, which says how long ago building began. A candidate
/// that finds no room, by gas, bytes or its organisation's reserve (SPEC §13.4), is passed over,
/// and so is what follows a candidate of its sender that is not in the block.
///
/// Half of the block's room and time is for candidates of at most [`LIGHT_GAS_MAX`] first, so
/// that whoever sends heavy ones does not keep others out (SPEC §6.5). A heavier one that takes
/// longer than one may is stopped at its next call or read of state, and nothing of it stays.
pub fn build(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
    limits: BuildLimits,
    candidates: &mut dyn Iterator<Item = Arc<Transaction>>,
    clock: &dyn Fn() -> Duration,
) -> Result<Built, ExecutionError> {
    let stop_at = Cell::new(Duration::MAX);
    let is_over = || stop_at.get() < Duration::MAX && clock() > stop_at.get();
    let mut run = BlockRun::begin(view, known(context, view)?)?;
    run.stop_when(&is_over);
    let mut building = Building {
        run,
        limits,
        gas_limit: context.gas_limit,
        clock,
        stop_at: &stop_at,
        transactions: Vec::new(),
        bytes: 0,
        skipped: Vec::new(),
        slow: Vec::new(),
    };
    let later = building.fill_light(candidates)?;
    building.fill(&mut later.into_iter().chain(candidates))?;
    Ok(Built {
        transactions: building.transactions,
        outcome: building.run.finish()?,
        skipped: building.skipped,
        slow: building.slow,
    })
}

/// One part in so many of a block's room and time.
type Part = u32;

/// All of it.
const WHOLE: Part = 1;

/// What is for light transactions first.
const LIGHT_PART: Part = 2;

/// Why a candidate is not in the block.
enum Left {
    Refused(Refusal),
    Slow(Duration),
}

/// A block that is being built.
struct Building<'v, 'a, V: StateView + ?Sized> {
    run: BlockRun<'v, V>,
    limits: BuildLimits,
    /// The chain's.
    gas_limit: u64,
    clock: &'a dyn Fn() -> Duration,
    /// When the transaction that runs is to be stopped.
    stop_at: &'a Cell<Duration>,
    transactions: Vec<Arc<Transaction>>,
    bytes: usize,
    skipped: Vec<Skipped>,
    slow: Vec<Slow>,
}

impl<V: StateView + ?Sized> Building<'_, '_, V> {
    /// Takes light candidates; returns those that it looked at and left.
    fn fill_light(
        &mut self,
        candidates: &mut dyn Iterator<Item = Arc<Transaction>>,
    ) -> Result<Vec<Arc<Transaction>>, ExecutionError> {
        let mut later = Vec::new();
        while self.is_open(LIGHT_PART) {
            let Some(transaction) = candidates.next() else {
                break;
            };
            if !is_light(&transaction) {
                later.push(transaction);
            } else if !self.fits(&transaction, LIGHT_PART) {
                later.push(transaction);
                break;
            } else if let Err(left) = self.take(&transaction)? {
                if later.is_empty() {
                    self.leave(&transaction, left);
                } else {
                    // What was left before it may be what it needs.
                    later.push(transaction);
                }
            }
        }
        Ok(later)
    }

    fn fill(
        &mut self,
        candidates: &mut dyn Iterator<Item = Arc<Transaction>>,
    ) -> Result<(), ExecutionError> {
        while self.is_open(WHOLE) {
            let Some(transaction) = candidates.next() else {
                break;
            };
            // What asks for more than any block has is not passed over: it is refused.
            let is_for_some_block = transaction.envelope().gas_limit() <= self.gas_limit;
            if is_for_some_block && !self.fits(&transaction, WHOLE) {
                continue;
            }
            if let Err(left) = self.take(&transaction)? {
                self.leave(&transaction, left);
            }
        }
        Ok(())
    }

    fn leave(&mut self, transaction: &Transaction, left: Left) {
        let (hash, sender) = (transaction.hash(), transaction.sender());
        match left {
            Left::Slow(took) => self.slow.push(Slow { hash, sender, took }),
            // Its predecessor found no room, or is skipped: the pool knows what waits for what.
            Left::Refused(refusal) if refusal.chance == Chance::NotYet => {}
            Left::Refused(refusal) => self.skipped.push(Skipped {
                hash,
                sender,
                nonce: transaction.nonce(),
                reason: refusal.reason,
                permanent: refusal.chance == Chance::Never,
            }),
        }
    }

    /// Whether there is time and room for another transaction.
    fn is_open(&self, part: Part) -> bool {
        self.gas_left(part) >= TRANSACTION_GAS_MIN && (self.clock)() < self.limits.time_max / part
    }

    fn gas_left(&self, part: Part) -> u64 {
        let gas_max = self.limits.gas_max.min(self.gas_limit);
        (gas_max / u64::from(part)).saturating_sub(self.run.gas_used)
    }

    fn fits(&self, transaction: &Transaction, part: Part) -> bool {
        let bytes_max = self.limits.bytes_max / part as usize;
        transaction.envelope().gas_limit() <= self.gas_left(part)
            && self.bytes.saturating_add(bytes_in_block(transaction)) <= bytes_max
    }

    /// Executes a candidate and takes it in, or leaves everything as it was.
    fn take(&mut self, transaction: &Arc<Transaction>) -> Result<Result<(), Left>, ExecutionError> {
        let began = (self.clock)();
        let stop_at = if is_light(transaction) {
            Duration::MAX
        } else {
            began.saturating_add(self.limits.transaction_time_max)
        };
        self.stop_at.set(stop_at);
        let ran = self.run.run(transaction)?;
        self.stop_at.set(Duration::MAX);
        let now = (self.clock)();
        let took = now.saturating_sub(began);
        let ended = match ran {
            Ok(ended) if now <= stop_at => ended,
            Err(refusal) if refusal.chance != Chance::Stopped => {
                return Ok(Err(Left::Refused(refusal)));
            }
            Ok(_) | Err(_) => return Ok(Err(Left::Slow(took))),
        };
        self.run.keep(ended)?;
        self.bytes += bytes_in_block(transaction);
        self.transactions.push(Arc::clone(transaction));
        Ok(Ok(()))
    }
}

/// Whether a transaction asks for so little gas that nobody measures how long it takes.
fn is_light(transaction: &Transaction) -> bool {
    transaction.envelope().gas_limit() <= LIGHT_GAS_MAX
}

fn bytes_in_block(transaction: &Transaction) -> usize {
    transaction.encoded().len() + RLP_HEADER_BYTES_MAX
}
