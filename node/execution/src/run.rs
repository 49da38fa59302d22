//! A block under execution, transaction by transaction: the one road, whether a block is built,
//! checked, or looked at again.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::{Eip658Value, TxType};
use alloy_primitives::{B256, Bloom, Log};
use revm::ExecuteEvm;
use revm::context_interface::ContextTr;
use revm::context_interface::result::{EVMError, ExecutionResult, ResultAndState};
use revm::primitives::hardfork::SpecId;
use tbsi_governance::abi::{self, NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_governance::standing::{Amounts, Denied};
use tbsi_types::roster::{Members, Peers};
use tbsi_types::{Receipt, StateDiff, StateView, Transaction};

use crate::boundary;
use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal, unreadable};
use crate::frames::Frames;
use crate::gate::{Bounds, Gate, is_governed};
use crate::handler;
use crate::roster;
use crate::rules::PROTOCOL_VERSION;
use crate::transaction::tx_env;
use crate::upgrade;
use crate::words::Refusal;

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

/// The environment of a block, by rules that this program knows.
pub(crate) fn known(
    context: &BlockContext,
    view: &(impl StateView + ?Sized),
) -> Result<Environment, ExecutionError> {
    supported(Environment::new(context, view)?)
}

/// The same environment, if this program knows its rules.
pub(crate) fn supported(environment: Environment) -> Result<Environment, ExecutionError> {
    if environment.protocol > PROTOCOL_VERSION {
        return Err(ExecutionError::Protocol {
            asked: environment.protocol,
            known: PROTOCOL_VERSION,
        });
    }
    Ok(environment)
}

/// A block under execution; `I` watches it.
pub(crate) struct BlockRun<'v, V: StateView + ?Sized, I = ()> {
    evm: Evm<'v, V, I>,
    environment: Environment,
    /// Permissions and quotas, on a chain that has them.
    gate: Option<Gate>,
    pub(crate) receipts: Vec<Receipt>,
    denied: Vec<Denied>,
    pub(crate) gas_used: u64,
}

/// A transaction that ran; nothing of it is in the block yet.
pub(crate) struct Ended {
    /// How it ended, and each account that it loaded as it is now.
    pub(crate) ran: ResultAndState,
    tx_type: TxType,
    bounds: Option<Bounds>,
    leaves: u64,
    denied: Option<Denied>,
}

impl<'v, V: StateView + ?Sized> BlockRun<'v, V> {
    /// Does what precedes the first transaction: the parent's hash goes into the history
    /// contract (EIP-2935), and in block 1 the genesis hash into the governance contracts.
    pub(crate) fn begin(view: &'v V, environment: Environment) -> Result<Self, ExecutionError> {
        let mut evm = environment.evm(view);
        if let Some((_, parent_hash)) = environment.parent
            && environment.rules.spec.is_enabled_in(SpecId::PRAGUE)
        {
            boundary::record_parent(&mut evm, parent_hash)?;
        }
        if let Some(root) = environment.beacon_root {
            boundary::record_beacon_root(&mut evm, root)?;
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

    /// Asks `is_over`, at each call and read of state of a transaction, whether to stop it.
    pub(crate) fn stop_when(&mut self, is_over: &'v dyn Fn() -> bool) {
        self.evm.ctx.db_mut().stop.set(is_over);
    }

    pub(crate) fn execute(
        mut self,
        transactions: &[Arc<Transaction>],
    ) -> Result<Outcome, ExecutionError> {
        self.apply_all(transactions)?;
        self.finish()
    }

    /// The same block before the eyes of `inspector` from here on.
    pub(crate) fn watched<I>(self, inspector: I) -> BlockRun<'v, V, I> {
        BlockRun {
            evm: self.evm.with_inspector(inspector),
            environment: self.environment,
            gate: self.gate,
            receipts: self.receipts,
            denied: self.denied,
            gas_used: self.gas_used,
        }
    }

    /// Does what follows the last transaction: organisations are charged, a handover that is due
    /// takes place, peers are asked for if the contracts that name them have changed, and an
    /// upgrade of the next height is settled.
    pub(crate) fn finish(mut self) -> Result<Outcome, ExecutionError> {
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
            diff: self.evm.ctx.db_mut().diff(),
            members,
            peers,
        })
    }
}

impl<'v, V: StateView + ?Sized, I> BlockRun<'v, V, I>
where
    Evm<'v, V, I>: Frames,
{
    /// Executes the block's next transactions, all of which must be valid.
    pub(crate) fn apply_all(
        &mut self,
        transactions: &[Arc<Transaction>],
    ) -> Result<(), ExecutionError> {
        for transaction in transactions {
            let ended = self.run_next(transaction)?;
            self.keep(ended)?;
        }
        Ok(())
    }

    /// Runs the block's next transaction, which must be valid.
    pub(crate) fn run_next(&mut self, transaction: &Transaction) -> Result<Ended, ExecutionError> {
        let (index, hash) = (self.receipts.len(), transaction.hash());
        let (gas, left) = (transaction.envelope().gas_limit(), self.gas_left());
        if gas > left {
            return Err(ExecutionError::BlockGas {
                index,
                hash,
                gas,
                left,
            });
        }
        self.run(transaction)?
            .map_err(|refusal| ExecutionError::InvalidTransaction {
                index,
                hash,
                reason: refusal.reason,
            })
    }

    pub(crate) fn gas_left(&self) -> u64 {
        self.environment.block.gas_limit - self.gas_used
    }

    pub(crate) fn evm(&mut self) -> &mut Evm<'v, V, I> {
        &mut self.evm
    }

    /// Runs one transaction, or refuses it before anything of it is executed. Nothing of it is in
    /// the block yet.
    pub(crate) fn run(
        &mut self,
        transaction: &Transaction,
    ) -> Result<Result<Ended, Refusal>, ExecutionError> {
        let rules = self.environment.rules;
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
        self.evm.ctx.db_mut().stop.arm();
        let ran = handler::run(
            &mut self.evm,
            tx_env(transaction, rules.fees),
            bounds.as_ref(),
        );
        let state = self.evm.finalize();
        if self.evm.ctx.db_mut().stop.disarm() {
            return Ok(Err(Refusal::stopped()));
        }
        match ran {
            Ok(ran) => Ok(Ok(Ended {
                ran: ResultAndState::new(ran.result, state),
                tx_type: transaction.envelope().tx_type(),
                bounds,
                leaves: ran.leaves,
                denied: ran.denied,
            })),
            Err(EVMError::Transaction(error)) => Ok(Err(Refusal::new(&error, &self.evm.ctx.tx))),
            Err(
                error @ (EVMError::Header(_)
                | EVMError::Database(_)
                | EVMError::Custom(_)
                | EVMError::CustomAny(_)),
            ) => Err(fatal(error)),
        }
    }

    /// Takes a transaction into the block: nothing that was executed is thrown away.
    pub(crate) fn keep(&mut self, ended: Ended) -> Result<(), ExecutionError> {
        let ResultAndState { result, state } = ended.ran;
        let (gas, success) = (result.tx_gas_used(), result.is_success());
        if let (Some(gate), Some(bounds)) = (&mut self.gate, &ended.bounds) {
            let leaves = ended.leaves;
            gate.charge(bounds, Amounts { gas, leaves });
        }
        self.denied.extend(ended.denied);
        let overlay = self.evm.ctx.db_mut();
        overlay.commit(state).map_err(unreadable)?;
        self.gas_used += gas;
        let receipt = alloy_consensus::Receipt {
            status: Eip658Value::Eip658(success),
            cumulative_gas_used: self.gas_used,
            logs: kept_logs(result),
        };
        self.receipts
            .push(Receipt::from_typed(ended.tx_type, receipt));
        Ok(())
    }
}

/// revm also returns the logs of what was reverted.
fn kept_logs(result: ExecutionResult) -> Vec<Log> {
    match result {
        ExecutionResult::Success { logs, .. } => logs,
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => Vec::new(),
    }
}
