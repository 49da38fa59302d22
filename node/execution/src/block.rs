//! Blocks: executing one that exists, building one from candidates. Both walk the same path.

use std::sync::Arc;

use alloy_consensus::Eip658Value;
use alloy_consensus::Transaction as _;
use alloy_consensus::proofs::calculate_receipt_root;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, B256, Bloom, Log};
use revm::context_interface::ContextTr;
use revm::context_interface::result::{EVMError, ExecutionResult};
use revm::{ExecuteEvm, SystemCallEvm};
use tbsi_governance::abi::{self, NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_governance::standing::{Amounts, Denied};
use tbsi_types::roster::{Members, Peers};
use tbsi_types::{Receipt, StateDiff, StateView, Transaction};

use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal, unreadable};
use crate::gate::{Gate, is_governed};
use crate::handler::{self, Ran};
use crate::roster;
use crate::rules::PROTOCOL_VERSION;
use crate::transaction::tx_env;
use crate::upgrade;
use crate::words::{Chance, Refusal};

/// Gas of the cheapest transaction (EIP-2).
pub(crate) const TRANSACTION_GAS_MIN: u64 = 21_000;

/// Bytes that a block's RLP adds to a typed transaction: a string header, whose length fits
/// three bytes because a transaction is at most 512 KiB.
const RLP_HEADER_BYTES_MAX: usize = 4;

/// Organisations in one call of `charge`. An entry costs at most 25,000 gas, and a system call
/// has 30 million.
const CHARGED_MAX: usize = 512;

/// What a block does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One per transaction, in order.
    pub receipts: Vec<Receipt>,
    /// By all transactions.
    pub gas_used: u64,
    /// Union of the receipts' blooms.
    pub logs_bloom: Bloom,
    /// Merkle-Patricia root of the receipts, as Ethereum defines it.
    pub receipts_root: B256,
    /// What transactions that failed had tried, and their senders may not do.
    pub denied: Vec<Denied>,
    /// Accounts, slots and code that differ afterwards.
    pub diff: StateDiff,
    /// The validators from the next block on, if the block hands over to others.
    pub members: Option<Members>,
    /// Peers from now on, if the block may have changed them.
    pub peers: Option<Peers>,
}

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

/// The environment of a block, by rules that this program knows.
fn known(
    context: &BlockContext,
    view: &(impl StateView + ?Sized),
) -> Result<Environment, ExecutionError> {
    let environment = Environment::new(context, view)?;
    if environment.protocol > PROTOCOL_VERSION {
        return Err(ExecutionError::Protocol {
            asked: environment.protocol,
            known: PROTOCOL_VERSION,
        });
    }
    Ok(environment)
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

/// A block under execution.
pub(crate) struct BlockRun<'v, V: StateView + ?Sized> {
    evm: Evm<'v, V>,
    environment: Environment,
    /// Permissions and quotas, on a chain that has them.
    gate: Option<Gate>,
    receipts: Vec<Receipt>,
    denied: Vec<Denied>,
    gas_used: u64,
}

impl<'v, V: StateView + ?Sized> BlockRun<'v, V> {
    /// Does what precedes the first transaction: the parent's hash goes into the history
    /// contract (EIP-2935), and in block 1 the genesis hash into the governance contracts.
    pub(crate) fn begin(view: &'v V, environment: Environment) -> Result<Self, ExecutionError> {
        let mut evm = environment.evm(view);
        if let Some((_, parent_hash)) = environment.parent {
            let called = evm.system_call(HISTORY_STORAGE_ADDRESS, parent_hash.0.into());
            let called = called.map_err(fatal)?;
            if !called.result.is_success() {
                let problem = format!("history contract (EIP-2935): {}", called.result);
                return Err(ExecutionError::Evm(problem));
            }
            evm.ctx.db_mut().commit(called.state).map_err(unreadable)?;
        }
        let mut gate = None;
        if environment.rules.tbsi && is_governed(evm.ctx.db_mut()).map_err(unreadable)? {
            if environment.parent.is_some_and(|(parent, _)| parent == 0) {
                let call = abi::bind_genesis_call(environment.genesis_hash);
                roster::tell(&mut evm, NODES, call)?;
            }
            let seconds = environment.block.timestamp.saturating_to();
            gate = Some(Gate::open(evm.ctx.db_mut(), seconds).map_err(unreadable)?);
        }
        Ok(Self {
            evm,
            environment,
            gate,
            receipts: Vec::new(),
            denied: Vec::new(),
            gas_used: 0,
        })
    }

    pub(crate) fn execute(
        mut self,
        transactions: &[Arc<Transaction>],
    ) -> Result<Outcome, ExecutionError> {
        for (index, transaction) in transactions.iter().enumerate() {
            let (hash, gas) = (transaction.hash(), transaction.envelope().gas_limit());
            let left = self.gas_left();
            if gas > left {
                return Err(ExecutionError::BlockGas {
                    index,
                    hash,
                    gas,
                    left,
                });
            }
            self.apply(transaction)?
                .map_err(|refusal| ExecutionError::InvalidTransaction {
                    index,
                    hash,
                    reason: refusal.reason,
                })?;
        }
        self.finish()
    }

    fn gas_left(&self) -> u64 {
        self.environment.block.gas_limit - self.gas_used
    }

    /// Executes one transaction, or refuses it before anything of it is executed.
    fn apply(&mut self, transaction: &Transaction) -> Result<Result<(), Refusal>, ExecutionError> {
        let rules = self.environment.rules;
        let tx_type = transaction.envelope().tx_type();
        let bounds = match &mut self.gate {
            Some(gate) => {
                let admitted = gate.admit(self.evm.ctx.db_mut(), transaction);
                match admitted.map_err(unreadable)? {
                    Ok(bounds) => Some(bounds),
                    Err(refused) => return Ok(Err(refused.into())),
                }
            }
            None => None,
        };
        let ran = handler::run(
            &mut self.evm,
            tx_env(transaction, rules.fees),
            bounds.as_ref(),
        );
        let state = self.evm.finalize();
        let Ran {
            result,
            leaves,
            denied,
        } = match ran {
            Ok(ran) => ran,
            Err(EVMError::Transaction(error)) => {
                return Ok(Err(Refusal::new(&error, &self.evm.ctx.tx)));
            }
            Err(
                error @ (EVMError::Header(_)
                | EVMError::Database(_)
                | EVMError::Custom(_)
                | EVMError::CustomAny(_)),
            ) => return Err(fatal(error)),
        };
        let (gas, success) = (result.tx_gas_used(), result.is_success());
        let logs = kept_logs(result);
        // From here on the transaction is in the block: nothing that was executed is thrown away.
        if let (Some(gate), Some(bounds)) = (&mut self.gate, &bounds) {
            gate.charge(bounds, Amounts { gas, leaves });
        }
        self.denied.extend(denied);
        let overlay = self.evm.ctx.db_mut();
        overlay.commit(state).map_err(unreadable)?;
        self.gas_used += gas;
        let receipt = alloy_consensus::Receipt {
            status: Eip658Value::Eip658(success),
            cumulative_gas_used: self.gas_used,
            logs,
        };
        self.receipts.push(Receipt::from_typed(tx_type, receipt));
        Ok(Ok(()))
    }

    /// Does what follows the last transaction: organisations are charged, a handover that is due
    /// takes place, peers are asked for if the contracts that name them have changed, and an
    /// upgrade of the next height is settled.
    fn finish(mut self) -> Result<Outcome, ExecutionError> {
        let (mut members, mut peers) = (None, None);
        if let Some(gate) = &self.gate {
            // A charge that ran out of gas would have no effect.
            for used in gate.used().chunks(CHARGED_MAX) {
                roster::tell(&mut self.evm, PERMISSIONS, abi::charge_call(used))?;
            }
            let overlay = self.evm.ctx.db_mut();
            if [NODES, ORGANISATIONS]
                .iter()
                .any(|it| overlay.storage_changed(*it))
            {
                peers = roster::read_peers(&mut self.evm)?;
            }
            let seconds = self.environment.block.timestamp.saturating_to();
            let number = self.environment.block.number.saturating_to();
            // The set that decides the first block under new rules is the one that is counted.
            let settles = upgrade::is_due(&mut self.evm, number)?;
            members = roster::hand_over(&mut self.evm, seconds, settles)?;
            if settles {
                upgrade::settle(&mut self.evm)?;
            }
        }
        let logs_bloom = self
            .receipts
            .iter()
            .fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
        Ok(Outcome {
            gas_used: self.gas_used,
            logs_bloom,
            receipts_root: calculate_receipt_root(&self.receipts),
            receipts: self.receipts,
            denied: self.denied,
            diff: self.evm.ctx.journaled_state.database.into_diff(),
            members,
            peers,
        })
    }
}

/// revm also returns the logs of what was reverted.
fn kept_logs(result: ExecutionResult) -> Vec<Log> {
    match result {
        ExecutionResult::Success { logs, .. } => logs,
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => Vec::new(),
    }
}
