//! Which accounts and slots a call reads and writes (EIP-2930).

use std::collections::{BTreeMap, BTreeSet};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256};
use revm::DatabaseRef;
use revm::context_interface::ContextTr;
use revm::state::EvmState;
use tbsi_types::{Accessed, CallRequest, StateView};

use crate::call::{Caller, outcome};
use crate::error::{ExecutionError, unreadable};

/// Executions until a list is taken as it is: what a call reads can depend on the gas that it
/// has left, and so on the list.
const ROUNDS_MAX: usize = 8;

type Slots = BTreeMap<Address, BTreeSet<B256>>;

/// Executes the call with what it read the last time, until it reads nothing else.
pub(crate) fn find<V: StateView + ?Sized>(
    mut caller: Caller<'_, V>,
    request: &CallRequest,
    gas_cap: u64,
) -> Result<Accessed, ExecutionError> {
    let gas = request.gas.unwrap_or(gas_cap).min(gas_cap);
    let gas = gas.min(caller.evm.ctx.block.gas_limit);
    let target = match request.to {
        Some(to) => to,
        None => created_by(&caller, request.from)?,
    };
    let mut list = request.access_list.clone();
    let mut rounds = 0;
    loop {
        caller.set_access_list(&list);
        let (ended, seen) = caller.run_and_see(gas)?;
        let found = to_list(merge(
            &list,
            slots_of(&caller, (request.from, target), &seen),
        ));
        rounds += 1;
        if found == list || rounds == ROUNDS_MAX {
            let outcome = outcome(ended);
            return Ok(Accessed { list, outcome });
        }
        list = found;
    }
}

/// The contract that a call without a callee makes, if it succeeds.
fn created_by<V: StateView + ?Sized>(
    caller: &Caller<'_, V>,
    from: Address,
) -> Result<Address, ExecutionError> {
    let account = caller.evm.ctx.db().basic_ref(from);
    let account = account.map_err(unreadable)?;
    Ok(from.create(account.map_or(0, |account| account.nonce)))
}

/// What was read and written, without the accounts that every transaction has for nothing and
/// those that it makes, unless slots of them are.
fn slots_of<V: StateView + ?Sized>(
    caller: &Caller<'_, V>,
    (from, target): (Address, Address),
    seen: &EvmState,
) -> Slots {
    let is_free = |address: &Address| {
        *address == from
            || *address == target
            || *address == caller.evm.ctx.block.beneficiary
            || caller.evm.precompiles.get(address).is_some()
    };
    // The border at which revm's hash map ends.
    let found = seen.iter().map(|(address, account)| {
        let slots = account.storage.keys();
        let slots: BTreeSet<B256> = slots.map(|slot| B256::from(*slot)).collect();
        let is_free = account.is_created() || is_free(address);
        (*address, slots, is_free)
    });
    let listed = found.filter(|(_, slots, is_free)| !slots.is_empty() || !is_free);
    listed.map(|(address, slots, _)| (address, slots)).collect()
}

/// What was asked for stays, even if it is not read.
fn merge(list: &AccessList, mut slots: Slots) -> Slots {
    for item in list.iter() {
        let keys = item.storage_keys.iter().copied();
        slots.entry(item.address).or_default().extend(keys);
    }
    slots
}

fn to_list(slots: Slots) -> AccessList {
    let item = |(address, keys): (Address, BTreeSet<B256>)| AccessListItem {
        address,
        storage_keys: keys.into_iter().collect(),
    };
    AccessList(slots.into_iter().map(item).collect())
}
