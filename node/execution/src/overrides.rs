//! What a call takes to be other than it is: the one place that applies overrides, for calls,
//! estimates, access lists, simulations and traces.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256, keccak256};
use revm::context::BlockEnv;
use revm::context_interface::ContextTr;
use revm::context_interface::block::BlobExcessGasAndPrice;
use tbsi_types::{AccountOverride, BlockOverrides, StateOverrides, StateView, StorageOverride};

use crate::environment::Evm;
use crate::overlay::{Overlay, ReadError};

/// Changes the block that a call runs in.
pub(crate) fn change_block(block: &mut BlockEnv, overrides: &BlockOverrides) {
    let BlockOverrides {
        number,
        time,
        gas_limit,
        fee_recipient,
        prev_randao,
        base_fee_per_gas,
        blob_base_fee,
        // A machine reads them from its state: see below.
        block_hashes: _,
        // Not of the block alone: whoever simulates whole blocks looks at them.
        beacon_root: _,
        withdrawals: _,
    } = overrides;
    set(&mut block.number, number.map(U256::from));
    set(&mut block.timestamp, time.map(U256::from));
    set(&mut block.gas_limit, *gas_limit);
    set(&mut block.beneficiary, *fee_recipient);
    set(&mut block.basefee, *base_fee_per_gas);
    if let Some(randao) = prev_randao {
        block.prevrandao = Some(*randao);
    }
    if let Some(price) = blob_base_fee {
        let blobs = block.blob_excess_gas_and_price;
        block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice {
            excess_blob_gas: blobs.map(|blobs| blobs.excess_blob_gas).unwrap_or_default(),
            blob_gasprice: *price,
        });
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Changes the accounts and precompiles of a machine that has executed nothing yet of a block, in
/// order of addresses, and the hashes of earlier blocks; or says, in go-ethereum's words, what
/// contradicts what.
pub(crate) fn change_state<V: StateView + ?Sized, I>(
    evm: &mut Evm<'_, V, I>,
    overrides: &StateOverrides,
    block: &BlockOverrides,
) -> Result<Result<(), String>, ReadError> {
    for (number, hash) in &block.block_hashes {
        evm.ctx.db_mut().set_block_hash(*number, *hash);
    }
    let mut taken = BTreeSet::new();
    for (address, account) in overrides {
        let is_precompile = evm.precompiles.get(address).is_some();
        if let Some(to) = account.move_precompile_to {
            if !is_precompile {
                return Ok(Err(format!("account {address} is not a precompile")));
            }
            if overrides.contains_key(&to) {
                return Ok(Err(format!("account {to} is already overridden")));
            }
            if !taken.insert(to) {
                return Ok(Err(format!(
                    "account {to} has already been overridden by a precompile"
                )));
            }
        }
        if is_precompile {
            let to = account.move_precompile_to;
            evm.precompiles.relocate(*address, to);
        }
        change_account(evm.ctx.db_mut(), *address, account)?;
    }
    Ok(Ok(()))
}

fn change_account<V: StateView + ?Sized>(
    overlay: &mut Overlay<'_, V>,
    address: Address,
    account: &AccountOverride,
) -> Result<(), ReadError> {
    let code_hash = account.code.as_ref().map(keccak256);
    if let Some((hash, code)) = code_hash.zip(account.code.as_ref()) {
        overlay.add_code(hash, code);
    }
    overlay.change_account(address, |it| {
        set(&mut it.nonce, account.nonce);
        set(&mut it.balance, account.balance);
        set(&mut it.code_hash, code_hash);
    })?;
    let slots = match &account.storage {
        StorageOverride::Keep => return Ok(()),
        StorageOverride::Replace(slots) => {
            overlay.clear_storage(address)?;
            slots
        }
        StorageOverride::Change(slots) => slots,
    };
    for (slot, value) in slots {
        overlay.set_slot(address, *slot, *value)?;
    }
    Ok(())
}
