//! Ethereum's transaction handler, with what this chain asks of a transaction's sender
//! (SPEC §13.4).
//!
//! Permissions and quotas bind what a transaction does, however deep, whoever's code does it:
//! creations are looked at where their frames begin, leaves where execution ends. What its
//! sender may not do makes a transaction fail as if its outermost call had reverted with the
//! reason: its nonce and gas are used up, and nothing else is left of it.

use std::marker::PhantomData;

use alloy_sol_types::{Revert, SolError};
use revm::context::TxEnv;
use revm::context_interface::journaled_state::JournalCheckpoint;
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::context_interface::result::{EVMError, ExecutionResult, HaltReason};
use revm::context_interface::{ContextTr, JournalTr, Transaction as _};
use revm::handler::{EvmTr, FrameResult, Handler, ItemOrResult, execution, pre_execution};
use revm::interpreter::interpreter_action::{FrameInit, FrameInput};
use revm::interpreter::{
    CreateInputs, CreateOutcome, Gas, GasTracker, InitialAndFloorGas, InstructionResult,
    InterpreterResult,
};
use tbsi_governance::standing::Denied;
use tbsi_types::StateView;
use tbsi_types::log::count_leaves;

use crate::environment::Evm;
use crate::frames::Frames;
use crate::gate::Bounds;
use crate::intrinsic;
use crate::overlay::ReadError;
use crate::transfers;

type RunError = EVMError<ReadError>;

/// How a transaction or a call ended.
pub(crate) struct Ran {
    pub(crate) result: ExecutionResult,
    /// Leaves that it makes.
    pub(crate) leaves: u64,
    /// What it tried first that its sender may not do: it failed then.
    pub(crate) denied: Option<Denied>,
}

/// Runs a transaction; its changes stay in the machine's journal.
pub(crate) fn run<'v, V: StateView + ?Sized, I>(
    evm: &mut Evm<'v, V, I>,
    tx: TxEnv,
    bounds: Option<&Bounds>,
) -> Result<Ran, RunError>
where
    Evm<'v, V, I>: Frames,
{
    SenderHandler::new(bounds, Signed::Yes, Transfers::Silent).run_in(evm, tx)
}

/// Runs what nobody signed: the sender's code is not looked at.
pub(crate) fn run_unsigned<'v, V: StateView + ?Sized, I>(
    evm: &mut Evm<'v, V, I>,
    tx: TxEnv,
    bounds: Option<&Bounds>,
    checks: Checks,
    transfers: Transfers,
) -> Result<Ran, RunError>
where
    Evm<'v, V, I>: Frames,
{
    SenderHandler::new(bounds, Signed::No(checks), transfers).run_in(evm, tx)
}

/// What is asked of what nobody signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// That the nonce is its sender's next.
    pub(crate) nonce: bool,
    /// That the bid is not below the base fee even if it is nothing.
    pub(crate) base_fee: bool,
}

/// Whether value that is passed on appears as a log (ERC-7528).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfers {
    Silent,
    Logged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    Yes,
    No(Checks),
}

/// revm has switches for calls without a signature, but behind features which, once enabled,
/// every other user of revm in the same binary gets as well.
struct SenderHandler<'v, 'b, V: ?Sized, I> {
    signed: Signed,
    transfers: Transfers,
    /// None on a chain that does not govern itself, and for calls of nobody.
    bounds: Option<&'b Bounds>,
    /// The first thing that the transaction tried and its sender may not do.
    denied: Option<Denied>,
    leaves: u64,
    machine: PhantomData<(&'v V, I)>,
}

impl<'v, 'b, V: StateView + ?Sized, I> SenderHandler<'v, 'b, V, I>
where
    Evm<'v, V, I>: Frames,
{
    fn new(bounds: Option<&'b Bounds>, signed: Signed, transfers: Transfers) -> Self {
        Self {
            signed,
            transfers,
            bounds,
            denied: None,
            leaves: 0,
            machine: PhantomData,
        }
    }

    fn run_in(mut self, evm: &mut Evm<'v, V, I>, tx: TxEnv) -> Result<Ran, RunError> {
        evm.ctx.tx = tx;
        let result = self.run(evm)?;
        let Self { leaves, denied, .. } = self;
        Ok(Ran {
            result,
            leaves,
            denied,
        })
    }

    /// Begins a call or a creation. A creation that the sender may not make ends at once, with
    /// the reason as its return data; no code of it runs.
    fn begin(
        &mut self,
        evm: &mut Evm<'v, V, I>,
        mut init: FrameInit,
    ) -> Result<Option<FrameResult>, RunError> {
        evm.ctx.db_mut().stop.check().map_err(ReadError)?;
        if let (FrameInput::Create(inputs), Some(bounds)) = (&init.frame_input, self.bounds)
            && let Err(denied) = bounds.creation()
        {
            let mut result = refused(inputs, &denied);
            evm.refused(&mut init.frame_input, &mut result);
            self.denied.get_or_insert(denied);
            return Ok(Some(result));
        }
        let moved = match self.transfers {
            Transfers::Silent => None,
            Transfers::Logged => transfers::of_frame(evm, &init.frame_input)?,
        };
        let ended = evm.enter(init)?;
        if let Some(log) = moved {
            // What began is undone with its log if it fails later.
            let stands = ended
                .as_ref()
                .is_none_or(|it| it.instruction_result().is_ok());
            if stands {
                transfers::emit(&mut evm.ctx.journaled_state, log);
            } else {
                evm.ctx.journaled_state.database.emitted.undone();
            }
        }
        Ok(ended)
    }

    /// Undoes everything since `before` if it was more than the sender may do.
    fn judge(
        &mut self,
        evm: &mut Evm<'v, V, I>,
        before: JournalCheckpoint,
        result: &mut FrameResult,
    ) -> Result<(), RunError> {
        let ended = result.instruction_result();
        if self.denied.is_none()
            && ended.is_ok()
            && let Some(bounds) = self.bounds
        {
            let count = count_leaves(evm.ctx.journaled_state.logs());
            match bounds.leaves(count) {
                Ok(()) => self.leaves = count.all,
                Err(denied) => self.denied = Some(denied),
            }
        }
        let (tx, journal) = evm.ctx.tx_journal_mut();
        let Some(denied) = &self.denied else {
            return Ok(());
        };
        journal.checkpoint_revert(before);
        // A creation raises its sender's nonce after `before`, a call did so ahead of it.
        if tx.kind().is_create() {
            let mut sender = journal.load_account_mut(tx.caller())?.data;
            sender.bump_nonce();
        }
        if let FrameResult::Create(outcome) = result {
            outcome.address = None;
        }
        let outcome = result.interpreter_result_mut();
        if ended.is_halt() {
            outcome.gas.spend_all();
        }
        outcome.result = InstructionResult::Revert;
        outcome.output = reason(denied).into();
        evm.judged(outcome);
        Ok(())
    }
}

impl<'v, V: StateView + ?Sized, I> Handler for SenderHandler<'v, '_, V, I>
where
    Evm<'v, V, I>: Frames,
{
    type Evm = Evm<'v, V, I>;
    type Error = RunError;
    type HaltReason = HaltReason;

    fn validate(&self, evm: &mut Self::Evm) -> Result<InitialAndFloorGas, Self::Error> {
        let base_fee = evm.ctx.block.basefee;
        let free = evm.ctx.tx.gas_price == 0;
        if let Signed::No(Checks {
            base_fee: false, ..
        }) = self.signed
            && free
        {
            evm.ctx.block.basefee = 0;
        }
        let checked = intrinsic::check(&mut evm.ctx);
        evm.ctx.block.basefee = base_fee;
        let mut gas = checked.map_err(EVMError::Transaction)?;
        self.validate_against_state_and_deduct_caller(evm, &mut gas)?;
        Ok(gas)
    }

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        _gas: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let Signed::No(checks) = self.signed else {
            return pre_execution::validate_against_state_and_deduct_caller(&mut evm.ctx);
        };
        let (block, tx, cfg, journal, _, _) = evm.ctx.all_mut();
        let mut sender = journal.load_account_with_code_mut(tx.caller())?.data;
        let account = &sender.account().info;
        pre_execution::validate_account_nonce_and_code(account, tx.nonce(), true, !checks.nonce)
            .map_err(EVMError::Transaction)?;
        let balance = pre_execution::calculate_caller_fee(*sender.balance(), tx, block, cfg);
        sender.set_balance(balance.map_err(EVMError::Transaction)?);
        // A creation raises the nonce itself. An overridden nonce may be the last: go-ethereum's
        // wraps around.
        if tx.kind().is_call() {
            let next = sender.nonce().wrapping_add(1);
            sender.set_nonce(next);
        }
        Ok(())
    }

    fn execution(
        &mut self,
        evm: &mut Self::Evm,
        checkpoint: JournalCheckpoint,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameResult>, Self::Error> {
        let Some(first) = self.first_frame_input(evm, gas)? else {
            execution::runtime_oog_unwind(&mut evm.ctx, checkpoint)?;
            return Ok(None);
        };
        // What precedes execution (delegations of EIP-7702) stays, however execution ends.
        evm.ctx.journaled_state.checkpoint_commit();
        let before = evm.ctx.journaled_state.checkpoint();
        // Only remembered, not open: the outermost frame is at depth 0, where tracers expect it.
        evm.ctx.journaled_state.checkpoint_commit();
        let mut result = self.run_exec_loop(evm, first)?;
        self.judge(evm, before, &mut result)?;
        self.last_frame_result(evm, &mut result, gas)?;
        Ok(Some(result))
    }

    fn run_exec_loop(
        &mut self,
        evm: &mut Self::Evm,
        first: FrameInit,
    ) -> Result<FrameResult, Self::Error> {
        if let Some(result) = self.begin(evm, first)? {
            return Ok(result);
        }
        loop {
            let result = match evm.go_on()? {
                ItemOrResult::Item(init) => match self.begin(evm, init)? {
                    None => continue,
                    Some(result) => result,
                },
                ItemOrResult::Result(result) => result,
            };
            if let Some(result) = evm.frame_return_result(result)? {
                return Ok(result);
            }
        }
    }
}

/// A creation that did not take place and used no gas.
fn refused(inputs: &CreateInputs, denied: &Denied) -> FrameResult {
    let result = InterpreterResult {
        result: InstructionResult::Revert,
        output: reason(denied).into(),
        gas: Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit(), inputs.reservoir()),
    };
    let mut outcome = CreateOutcome::new(result, None);
    outcome.charged_create_state_gas = inputs.charged_create_state_gas();
    FrameResult::Create(outcome)
}

/// As Solidity's `revert(string)` returns it, so that every client shows the words.
fn reason(denied: &Denied) -> Vec<u8> {
    Revert::from(denied.to_string()).abi_encode()
}
