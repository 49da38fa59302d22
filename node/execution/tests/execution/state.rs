//! State diffs: what they list and what they leave out.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use tbsi_execution::{execute, genesis_diff};
use tbsi_types::genesis::{ConsensusParameters, GenesisAccount};
use tbsi_types::{Account, Genesis, TimestampMs};

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);

#[test]
fn slot_written_and_put_back_is_not_listed() {
    let wallet = Wallet::new(1);
    let mut state = MemoryState::default().with_code(CONTRACT, STORE);
    state
        .storage
        .insert((CONTRACT, U256::from(1)), U256::from(10));
    let there_and_back = [
        wallet.call(0, CONTRACT, &words(1, 11)),
        wallet.call(1, CONTRACT, &words(2, 20)),
        wallet.call(2, CONTRACT, &words(1, 10)),
        wallet.call(3, CONTRACT, &words(2, 0)),
    ];
    let outcome = execute(&state, &context(1), &there_and_back).unwrap();
    let listed: Vec<_> = outcome.diff.accounts.keys().collect();
    assert_eq!(listed, [&wallet.address]);
    let cleared = execute(
        &state,
        &context(1),
        &[wallet.call(0, CONTRACT, &words(1, 0))],
    )
    .unwrap();
    let storage = &cleared.diff.accounts[&CONTRACT].storage;
    assert_eq!(*storage, BTreeMap::from([(U256::from(1), U256::ZERO)]));
}

#[test]
fn contract_that_lives_within_a_transaction_leaves_nothing() {
    let wallet = Wallet::new(1);
    let state = MemoryState::default().with_code(CONTRACT, FACTORY);
    let input = [&words(0, 0)[..32], DESTROY].concat();
    let outcome = execute(&state, &context(1), &[wallet.call(0, CONTRACT, &input)]).unwrap();
    // The factory's nonce counts creations.
    let listed: Vec<_> = outcome.diff.accounts.keys().copied().collect();
    assert_eq!(listed, [wallet.address, CONTRACT]);
    assert!(outcome.diff.codes.is_empty());
}

#[test]
fn destroyed_contract_at_a_funded_address_is_removed() {
    let wallet = Wallet::new(1);
    let child = CONTRACT.create2([0; 32], keccak256(DESTROY));
    let mut state = MemoryState::default()
        .with_code(CONTRACT, FACTORY)
        .with_balance(child, 77);
    let input = [&words(0, 0)[..32], DESTROY].concat();
    let outcome = state
        .advance(1, &[wallet.call(0, CONTRACT, &input)])
        .unwrap();
    let change = &outcome.diff.accounts[&child];
    assert_eq!(change.account, None);
    assert!(change.storage_wiped && change.storage.is_empty());
    assert_eq!(state.balance(CONTRACT), U256::from(77));
}

#[test]
fn selfdestruct_of_an_older_contract_moves_only_its_balance() {
    let wallet = Wallet::new(1);
    let mut state = MemoryState::default()
        .with_code(CONTRACT, DESTROY)
        .with_balance(CONTRACT, 9);
    state.advance(1, &[wallet.call(0, CONTRACT, &[])]).unwrap();
    assert_eq!(state.balance(wallet.address), U256::from(9));
    assert_eq!(state.accounts[&CONTRACT].code_hash, keccak256(DESTROY));
}

fn genesis(accounts: BTreeMap<Address, GenesisAccount>) -> Genesis {
    Genesis {
        version: 1,
        name: "test".into(),
        chain_id: CHAIN_ID,
        time_ms: TimestampMs(1_700_000_000_000),
        block_gas_limit: BLOCK_GAS,
        consensus: ConsensusParameters::default(),
        organisations: BTreeMap::new(),
        nodes: Vec::new(),
        governance: None,
        accounts,
    }
}

#[test]
fn genesis_holds_its_accounts_and_the_history_contract() {
    let contract = GenesisAccount {
        balance: U256::from(3),
        nonce: 1,
        code: Bytes::from_static(STORE),
        storage: BTreeMap::from([(U256::from(1), U256::from(2)), (U256::from(2), U256::ZERO)]),
    };
    let impostor = GenesisAccount {
        code: Bytes::from_static(REVERT),
        ..GenesisAccount::default()
    };
    let diff = genesis_diff(&genesis(BTreeMap::from([
        (CONTRACT, contract),
        (Address::repeat_byte(1), GenesisAccount::default()),
        (HISTORY_STORAGE_ADDRESS, impostor),
    ])))
    .unwrap();
    let mut state = MemoryState::default();
    state.apply(&diff);

    let history = Account {
        nonce: 1,
        balance: U256::ZERO,
        code_hash: keccak256(&HISTORY_STORAGE_CODE),
    };
    let stored = Account {
        nonce: 1,
        balance: U256::from(3),
        code_hash: keccak256(STORE),
    };
    assert_eq!(
        state.accounts,
        [(HISTORY_STORAGE_ADDRESS, history), (CONTRACT, stored)].into()
    );
    assert_eq!(
        state.storage,
        [((CONTRACT, U256::from(1)), U256::from(2))].into()
    );
    assert_eq!(diff.codes.len(), 2);

    let outcome = state.advance(1, &[]).unwrap();
    let history = &outcome.diff.accounts[&HISTORY_STORAGE_ADDRESS].storage;
    assert_eq!(*history, [(U256::ZERO, block_hash(0).into())].into());
}

#[test]
fn genesis_code_that_looks_like_a_broken_delegation_is_plain_code() {
    let odd = GenesisAccount {
        code: Bytes::from_static(&[0xef, 0x01, 0x00, 0x01]),
        ..GenesisAccount::default()
    };
    let mut state = MemoryState::default();
    state.apply(&genesis_diff(&genesis([(CONTRACT, odd)].into())).unwrap());
    let outcome = state
        .advance(1, &[Wallet::new(1).call(0, CONTRACT, &[])])
        .unwrap();
    assert!(!alloy_consensus::TxReceipt::status(&outcome.receipts[0]));
}
