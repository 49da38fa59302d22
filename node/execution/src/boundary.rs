//! What belongs to a block beside its transactions under Ethereum's rules. A TBSI block has of it
//! that its parent's hash is recorded; all else is of simulated blocks, and of Ethereum's own.

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_TYPE};
use alloy_eips::eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_TYPE};
use alloy_primitives::{Address, B256, Bytes, U256};
use revm::SystemCallEvm;
use revm::context_interface::ContextTr;
use revm::context_interface::result::ExecutionResult;
use tbsi_types::{StateView, sha256};

use crate::environment::Evm;
use crate::error::{ExecutionError, fatal, unreadable};
use crate::overlay::{Overlay, ReadError};

/// Puts the parent's hash into the history contract (EIP-2935).
pub(crate) fn record_parent<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    parent_hash: B256,
) -> Result<(), ExecutionError> {
    let input = parent_hash.0.into();
    system_call(evm, HISTORY_STORAGE_ADDRESS, input, "history (EIP-2935)").map(|_| ())
}

/// Puts the root of the parent's beacon block into its contract (EIP-4788).
pub(crate) fn record_beacon_root<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    root: B256,
) -> Result<(), ExecutionError> {
    let input = root.0.into();
    system_call(evm, BEACON_ROOTS_ADDRESS, input, "beacon roots (EIP-4788)").map(|_| ())
}

/// Takes the requests of the block out of their contracts (EIP-7002, EIP-7251); returns what a
/// header says of them (EIP-7685).
pub(crate) fn collect_requests<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
) -> Result<B256, ExecutionError> {
    let queues = [
        (
            WITHDRAWAL_REQUEST_TYPE,
            WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        ),
        (
            CONSOLIDATION_REQUEST_TYPE,
            CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
        ),
    ];
    let mut hashes = Vec::new();
    for (kind, queue) in queues {
        let requests = system_call(evm, queue, Bytes::new(), "requests (EIP-7685)")?;
        if !requests.is_empty() {
            hashes.extend(sha256(&[&[kind], &requests]));
        }
    }
    Ok(sha256(&[&hashes]))
}

fn system_call<V: StateView + ?Sized>(
    evm: &mut Evm<'_, V>,
    contract: Address,
    input: Bytes,
    what: &str,
) -> Result<Bytes, ExecutionError> {
    let called = evm.system_call(contract, input).map_err(fatal)?;
    let ExecutionResult::Success { output, .. } = called.result else {
        let problem = format!("contract of {what}: {}", called.result);
        return Err(ExecutionError::Evm(problem));
    };
    evm.ctx.db_mut().commit(called.state).map_err(unreadable)?;
    Ok(output.into_data())
}

/// Gives an account value that nobody had before.
pub(crate) fn mint<V: StateView + ?Sized>(
    overlay: &mut Overlay<'_, V>,
    to: Address,
    value: U256,
) -> Result<(), ReadError> {
    if value.is_zero() {
        return Ok(());
    }
    overlay.change_account(to, |account| {
        account.balance = account.balance.saturating_add(value);
    })
}

/// Pays out withdrawals (EIP-4895).
pub(crate) fn withdraw<V: StateView + ?Sized>(
    overlay: &mut Overlay<'_, V>,
    withdrawals: &[Withdrawal],
) -> Result<(), ReadError> {
    for withdrawal in withdrawals {
        mint(overlay, withdrawal.address, withdrawal.amount_wei())?;
    }
    Ok(())
}
