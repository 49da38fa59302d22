//! What the governance contracts say about validators and peers (SPEC §13.7).

use alloy_primitives::{Address, Bytes};
use revm::context_interface::ContextTr;
use revm::context_interface::result::ExecutionResult;
use revm::{Database as _, SystemCallEvm};
use tbsi_governance::abi::{self, NODES};
use tbsi_types::StateView;
use tbsi_types::roster::{Members, Peers};

use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal};
use crate::gate::is_governed;

/// The peers that the contracts name on `view`; `None` on a chain without them, and if their
/// answer is no list of peers: the chain then keeps those that it has.
pub fn peers(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
) -> Result<Option<Peers>, ExecutionError> {
    let mut evm = Environment::new(context, view)?.evm(view);
    if !is_governed(evm.ctx.db_mut()).map_err(|error| ExecutionError::View(error.0))? {
        return Ok(None);
    }
    read_peers(&mut evm)
}

/// The validators that the contracts name on `view`, who follow with the next handover.
pub fn elected(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
) -> Result<Option<Members>, ExecutionError> {
    let mut evm = Environment::new(context, view)?.evm(view);
    if !is_governed(evm.ctx.db_mut()).map_err(|error| ExecutionError::View(error.0))? {
        return Ok(None);
    }
    read_members(&mut evm)
}

/// As [`peers`], in the middle of a block.
pub(crate) fn read_peers<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
) -> Result<Option<Peers>, ExecutionError> {
    let answer = ask(evm, NODES, abi::peers_call())?;
    Ok(answer.and_then(|answer| abi::peers(&answer).ok()))
}

fn read_members<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
) -> Result<Option<Members>, ExecutionError> {
    let answer = ask(evm, NODES, abi::validators_call())?;
    Ok(answer.and_then(|answer| abi::members(&answer).ok()))
}

/// Hands over to the contracts' set if that is due with a block of this time, or a set waits and
/// an upgrade is settled with the block: the validators from the next block on.
pub(crate) fn hand_over<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    seconds: u64,
    at_once: bool,
) -> Result<Option<Members>, ExecutionError> {
    let word = evm.ctx.db_mut().storage(NODES, abi::HANDOVER_SLOT);
    let due = abi::handover_due(word.map_err(|error| ExecutionError::View(error.0))?);
    if due.is_none_or(|due| due > seconds && !at_once) {
        return Ok(None);
    }
    tell(evm, NODES, abi::hand_over_call())?;
    read_members(evm)
}

/// What a contract answers the protocol; `None` if the call fails. Nothing is changed.
pub(crate) fn ask<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    contract: Address,
    input: Bytes,
) -> Result<Option<Bytes>, ExecutionError> {
    let called = evm.system_call(contract, input).map_err(fatal)?;
    Ok(match called.result {
        ExecutionResult::Success { output, .. } => Some(output.into_data()),
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => None,
    })
}

/// Calls a contract as the protocol and keeps what it changes; a call that fails changes
/// nothing, so that no contract can stop the chain. What it returns, if it does not fail.
pub(crate) fn tell<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    contract: Address,
    input: Bytes,
) -> Result<Option<Bytes>, ExecutionError> {
    let called = evm.system_call(contract, input).map_err(fatal)?;
    let ExecutionResult::Success { output, .. } = called.result else {
        return Ok(None);
    };
    let kept = evm.ctx.db_mut().commit(called.state);
    kept.map_err(|error| ExecutionError::View(error.0))?;
    Ok(Some(output.into_data()))
}
