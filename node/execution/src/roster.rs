//! What the governance contracts say about the next block's validators and peers (SPEC §13.7).

use alloy_primitives::{Address, Bytes};
use revm::SystemCallEvm;
use revm::context_interface::ContextTr;
use revm::context_interface::result::ExecutionResult;
use tbsi_governance::abi::{self, NODES};
use tbsi_types::{Roster, StateView};

use crate::environment::{BlockContext, Environment, Evm};
use crate::error::{ExecutionError, fatal};
use crate::gate::is_governed;

/// What the contracts say on `view`; `None` on a chain without them, and if their answer is no
/// roster: the chain then keeps the one that it has.
pub fn roster(
    view: &(impl StateView + ?Sized),
    context: &BlockContext,
) -> Result<Option<Roster>, ExecutionError> {
    let mut evm = Environment::new(context).evm(view);
    if !is_governed(evm.ctx.db_mut()).map_err(|error| ExecutionError::View(error.0))? {
        return Ok(None);
    }
    read(&mut evm)
}

/// As [`roster`], in the middle of a block.
pub(crate) fn read<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
) -> Result<Option<Roster>, ExecutionError> {
    let validators = ask(evm, NODES, abi::validators_call())?;
    let peers = ask(evm, NODES, abi::peers_call())?;
    let (Some(validators), Some(peers)) = (validators, peers) else {
        return Ok(None);
    };
    Ok(abi::roster(&validators, &peers).ok())
}

/// What a contract answers the protocol; `None` if the call fails. Nothing is changed.
fn ask<V: StateView + ?Sized>(
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
/// nothing, so that no contract can stop the chain.
pub(crate) fn tell<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    contract: Address,
    input: Bytes,
) -> Result<(), ExecutionError> {
    let called = evm.system_call(contract, input).map_err(fatal)?;
    if called.result.is_success() {
        let kept = evm.ctx.db_mut().commit(called.state);
        kept.map_err(|error| ExecutionError::View(error.0))?;
    }
    Ok(())
}
