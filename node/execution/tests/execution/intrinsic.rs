//! What a pool is told of a transaction is what a block would say of it.

use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxEip4844, TxEip7702};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, TxKind, U256};
use proptest::prelude::*;
use tbsi_execution::{BlockContext, ExecutionError, Inadmissible, admissible, execute};
use tbsi_types::Transaction;

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);

/// What a pool is told; it is checked that a block says the same.
fn asked(state: &MemoryState, transaction: Arc<Transaction>) -> Result<(), Inadmissible> {
    let context = context(1);
    let told = admissible(state, &context, &transaction).unwrap();
    let executed = match execute(state, &context, &[transaction]) {
        Ok(_) => Ok(()),
        Err(ExecutionError::InvalidTransaction { reason, .. }) => Err(reason),
        Err(
            error @ (ExecutionError::View(_)
            | ExecutionError::Evm(_)
            | ExecutionError::Protocol { .. }
            | ExecutionError::BlockGas { .. }),
        ) => panic!("{error}"),
    };
    match (&told, &executed) {
        (Ok(()), Ok(())) => {}
        (Err(told), Err(reason)) => assert!(told.words.starts_with(reason), "{told}: {reason}"),
        (told, executed) => panic!("a pool is told {told:?}, a block {executed:?}"),
    }
    told
}

fn check(transaction: Arc<Transaction>, kind: &str, words: &str) {
    let refused = asked(&MemoryState::default(), transaction).unwrap_err();
    assert_eq!((refused.kind, refused.words.as_str()), (kind, words));
}

fn call(gas_limit: u64, input: Vec<u8>, keys: usize) -> Arc<Transaction> {
    let item = AccessListItem {
        address: CONTRACT,
        storage_keys: vec![B256::ZERO; keys],
    };
    let list = (keys > 0).then_some(item).into_iter().collect();
    Wallet::new(1).sign(TxEip1559 {
        gas_limit,
        to: TxKind::Call(CONTRACT),
        input: input.into(),
        access_list: AccessList(list),
        ..plain()
    })
}

fn create(gas_limit: u64, initcode_bytes: usize) -> Arc<Transaction> {
    Wallet::new(1).sign(TxEip1559 {
        gas_limit,
        to: TxKind::Create,
        input: vec![0; initcode_bytes].into(),
        ..plain()
    })
}

fn set_code(gas_limit: u64, authorizations: u64) -> Arc<Transaction> {
    let authorize = |nonce| Wallet::new(2).authorize(nonce, CONTRACT);
    Wallet::new(1).sign(TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit,
        to: CONTRACT,
        authorization_list: (0..authorizations).map(authorize).collect(),
        ..TxEip7702::default()
    })
}

fn too_low(have: u64, want: u64) -> String {
    format!(
        "intrinsic gas too low: have {have}, want {want}; sign with a gas limit of {want} or more"
    )
}

#[test]
fn what_costs_more_than_its_gas_before_the_first_instruction_is_refused() {
    let low = |transaction, have, want| check(transaction, "intrinsic_gas", &too_low(have, want));
    for have in [0, 1, 20_999] {
        low(call(have, vec![], 0), have, 21_000);
    }
    low(call(25_200, vec![], 1), 25_200, 25_300);
    low(set_code(45_999, 1), 45_999, 46_000);
    low(create(53_001, 1), 53_001, 53_006);
    check(
        call(60_999, vec![1; 1_000], 0),
        "floor_gas",
        "insufficient gas for floor data gas cost: have 60999, want 61000; sign with a gas limit \
         of 61000 or more (EIP-7623)",
    );
    low(call(30_000, vec![1; 1_000], 0), 30_000, 37_000);
    let state = MemoryState::default();
    for transaction in [
        call(21_000, vec![], 0),
        call(25_300, vec![], 1),
        call(61_000, vec![1; 1_000], 0),
        set_code(46_000, 1),
        create(53_006, 1),
    ] {
        assert_eq!(asked(&state, transaction), Ok(()));
    }
}

#[test]
fn what_no_block_has_room_for_is_refused() {
    check(
        create(5_000_000, 49_153),
        "initcode_size",
        "max initcode size exceeded: code size 49153, limit 49152; make the contract smaller, or \
         split it",
    );
    let cap = "transaction gas limit too high (cap: 16777216, tx: 16777217); split the work";
    check(call((1 << 24) + 1, vec![], 0), "gas_cap", cap);
    let small = BlockContext {
        gas_limit: 1_000_000,
        ..context(1)
    };
    let greedy = call(1_000_001, vec![], 0);
    let refused = admissible(&MemoryState::default(), &small, &greedy).unwrap();
    assert_eq!(
        refused.unwrap_err().words,
        "exceeds block gas limit: transaction 1000001, limit 1000000"
    );
}

#[test]
fn what_was_signed_wrongly_is_refused() {
    let with = |change: fn(&mut TxEip1559)| {
        let mut transaction = TxEip1559 {
            to: TxKind::Call(CONTRACT),
            ..plain()
        };
        change(&mut transaction);
        Wallet::new(1).sign(transaction)
    };
    let foreign = with(|it| it.chain_id = 1);
    check(foreign, "invalid", "invalid chain id for signer");
    let empty = "EIP-7702 transaction with empty auth list";
    check(set_code(100_000, 0), "invalid", empty);
    let blob = Wallet::new(1).sign(TxEip4844 {
        chain_id: CHAIN_ID,
        gas_limit: 100_000,
        max_fee_per_blob_gas: 1,
        blob_versioned_hashes: vec![B256::repeat_byte(1)],
        ..TxEip4844::default()
    });
    check(blob, "invalid", "transaction type not supported");
    let last = with(|it| it.nonce = u64::MAX);
    let refused = admissible(&MemoryState::default(), &context(1), &last).unwrap();
    let words = refused.unwrap_err().words;
    assert!(words.starts_with("nonce has max value"), "{words}");
}

#[test]
fn what_its_senders_account_does_not_allow_is_refused() {
    let wallet = Wallet::new(1);
    let state = MemoryState::default().with_balance(wallet.address, 5);
    assert_eq!(asked(&state, wallet.send(0, CONTRACT, 5)), Ok(()));
    let refused = asked(&state, wallet.send(0, CONTRACT, 6)).unwrap_err();
    assert_eq!(refused.kind, "insufficient_funds");
    let contract = MemoryState::default().with_code(wallet.address, STORE);
    let refused = asked(&contract, wallet.call(0, CONTRACT, &[])).unwrap_err();
    assert_eq!(refused.kind, "sender_code");
    // A delegation is no contract (EIP-7702).
    let delegation = [&[0xef, 0x01, 0x00][..], CONTRACT.as_slice()].concat();
    let delegated = MemoryState::default().with_code(wallet.address, delegation);
    assert_eq!(asked(&delegated, wallet.call(0, CONTRACT, &[])), Ok(()));
    // The turn of the nonce is the pool's question.
    let early = admissible(&state, &context(1), &wallet.call(7, CONTRACT, &[]));
    assert_eq!(early.unwrap(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pools_and_blocks_agree(
        gas in 0..120_000u64,
        input_bytes in 0..1_500usize,
        zeros in any::<bool>(),
        keys in 0..8usize,
        authorizations in 0..4u64,
        kind in 0..3u8,
        value in 0..3u64,
    ) {
        let input = vec![u8::from(!zeros); input_bytes];
        let transaction = match kind {
            0 => call(gas, input, keys),
            1 => create(gas, input_bytes),
            _ => set_code(gas, authorizations),
        };
        let state = MemoryState::default().with_balance(Wallet::new(1).address, 1);
        let _same = asked(&state, transaction);
        let sent = Wallet::new(1).sign(TxEip1559 {
            gas_limit: gas,
            to: TxKind::Call(CONTRACT),
            value: U256::from(value),
            ..plain()
        });
        let _same = asked(&state, sent);
    }
}
