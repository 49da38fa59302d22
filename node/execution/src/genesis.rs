//! The state of block 0.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::keccak256;
use tbsi_types::genesis::GenesisAccount;
use tbsi_types::{Account, AccountChange, Genesis, StateDiff};

/// The accounts of the genesis file and the EIP-2935 history contract, as a change of the
/// empty state. The history contract is part of the protocol: it replaces an entry of the file
/// at its address. Empty accounts (EIP-161) and zero slots do not exist and are left out.
pub fn genesis_diff(genesis: &Genesis) -> StateDiff {
    let history = GenesisAccount {
        nonce: 1,
        code: HISTORY_STORAGE_CODE.clone(),
        ..GenesisAccount::default()
    };
    let accounts = genesis
        .accounts
        .iter()
        .map(|(address, account)| (*address, account))
        .filter(|(address, _)| *address != HISTORY_STORAGE_ADDRESS)
        .chain([(HISTORY_STORAGE_ADDRESS, &history)]);
    let mut diff = StateDiff::default();
    for (address, entry) in accounts {
        let account = Account {
            nonce: entry.nonce,
            balance: entry.balance,
            code_hash: keccak256(&entry.code),
        };
        if account.is_empty() {
            continue;
        }
        if !entry.code.is_empty() {
            diff.codes.insert(account.code_hash, entry.code.clone());
        }
        let storage: BTreeMap<_, _> = entry
            .storage
            .iter()
            .filter(|(_, value)| !value.is_zero())
            .map(|(slot, value)| (*slot, *value))
            .collect();
        let change = AccountChange {
            account: Some(account),
            storage_wiped: false,
            storage,
        };
        diff.accounts.insert(address, change);
    }
    diff
}
