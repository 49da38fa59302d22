//! Which accounts and slots a call reads and writes (EIP-2930).

use std::collections::{BTreeMap, BTreeSet};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256};
use revm::state::EvmState;
use tbsi_types::{Accessed, CallRequest, StateView};

use crate::call::{Caller, outcome};
use crate::error::ExecutionError;

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
    let mut list = request.access_list.clone();
    let mut rounds = 0;
    loop {
        caller.set_access_list(&list);
        let (ended, seen) = caller.run_and_see(gas)?;
        let found = to_list(merge(&list, slots_of(&caller, request, &seen)));
        rounds += 1;
        if found == list || rounds == ROUNDS_MAX {
            let outcome = outcome(ended);
            return Ok(Accessed { list, outcome });
        }
        list = found;
    }
}

/// What was read and written, without what every transaction has for nothing.
fn slots_of<V: StateView + ?Sized>(
    caller: &Caller<'_, V>,
    request: &CallRequest,
    seen: &EvmState,
) -> Slots {
    let is_free = |address: &Address| {
        *address == request.from
            || Some(*address) == request.to
            || *address == caller.evm.ctx.block.beneficiary
            || caller.evm.precompiles.get(address).is_some()
    };
    // The border at which revm's hash map ends.
    let existing = seen.iter().filter(|(_, account)| !account.is_created());
    existing
        .map(|(address, account)| {
            let slots = account.storage.keys();
            let slots: BTreeSet<B256> = slots.map(|slot| B256::from(*slot)).collect();
            (*address, slots)
        })
        .filter(|(address, slots)| !slots.is_empty() || !is_free(address))
        .collect()
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
