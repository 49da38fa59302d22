//! Valid and invalid blocks.

use alloy_consensus::{Eip658Value, Transaction as _, TxEip1559, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Typed2718;
use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, B256, Bloom, TxKind, U256, keccak256};
use revm::bytecode::opcode as op;
use tbsi_execution::{BlockContext, ExecutionError, execute};
use tbsi_types::block::prev_randao;
use tbsi_types::{Account, Height};

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);

#[test]
fn unfunded_key_with_a_bid_sends_for_free() {
    let wallet = Wallet::new(1);
    let mut state = MemoryState::default();
    let outcome = state
        .advance(1, &[wallet.call(0, CONTRACT, b"hello")])
        .unwrap();
    assert!(outcome.receipts[0].is_success());
    let sent = Account {
        nonce: 1,
        ..Account::default()
    };
    // Nobody pays, nobody is paid, and touching an account does not create it.
    assert_eq!(state.accounts.len(), 1);
    assert_eq!(state.accounts[&wallet.address], sent);
}

#[test]
fn contracts_see_the_values_of_the_header() {
    let context = BlockContext {
        time: tbsi_types::TimestampMs(1_700_000_123_999),
        ..context(9)
    };
    let number = |value: u64| B256::from(U256::from(value));
    let randao = prev_randao(context.parent_hash, Height(9));
    let cases: [(&[u8], B256); 13] = [
        (&[op::GASPRICE], B256::ZERO),
        (&[op::BASEFEE], B256::ZERO),
        (&[op::BLOBBASEFEE], number(1)),
        (&[op::CHAINID], number(CHAIN_ID)),
        (&[op::NUMBER], number(9)),
        (&[op::TIMESTAMP], number(1_700_000_123)),
        (&[op::GASLIMIT], number(BLOCK_GAS)),
        (&[op::COINBASE], BENEFICIARY.into_word()),
        (&[op::DIFFICULTY], randao),
        (&[op::PUSH1, 8, op::BLOCKHASH], context.parent_hash),
        (&[op::PUSH1, 7, op::BLOCKHASH], block_hash(7)),
        (&[op::PUSH1, 9, op::BLOCKHASH], B256::ZERO),
        (&[op::ORIGIN], Wallet::new(1).address.into_word()),
    ];
    for (expression, expected) in cases {
        let store = [expression, &[op::PUSH0, op::SSTORE]].concat();
        let state = MemoryState::default().with_code(CONTRACT, store.clone());
        let call = Wallet::new(1).call(0, CONTRACT, &[]);
        let outcome = execute(&state, &context, &[call]).unwrap();
        let slots = &outcome
            .diff
            .accounts
            .get(&CONTRACT)
            .map(|c| c.storage.clone());
        let value = slots.as_ref().and_then(|slots| slots.get(&U256::ZERO));
        let value = value.copied().unwrap_or_default();
        assert_eq!(B256::from(value), expected, "{store:x?}");
    }
}

#[test]
fn parent_hash_is_the_contexts_even_if_the_view_does_not_know_it() {
    let context = BlockContext {
        parent_hash: B256::repeat_byte(0x77),
        ..context(9)
    };
    let code = [op::PUSH1, 8, op::BLOCKHASH, op::PUSH0, op::SSTORE];
    let state = MemoryState::default().with_code(CONTRACT, code.to_vec());
    let outcome = execute(&state, &context, &[Wallet::new(1).call(0, CONTRACT, &[])]).unwrap();
    let value = outcome.diff.accounts[&CONTRACT].storage[&U256::ZERO];
    assert_eq!(B256::from(value), context.parent_hash);
}

/// EIP-2935: a contract asks the history contract for the hash of block `calldata[0]`.
#[test]
fn contracts_read_block_hashes_from_history() {
    let ask: Vec<u8> = [
        &[op::PUSH0, op::CALLDATALOAD, op::PUSH0, op::MSTORE][..],
        &[op::PUSH1, 32, op::PUSH0, op::PUSH1, 32, op::PUSH0],
        &push(HISTORY_STORAGE_ADDRESS),
        &[op::GAS, op::STATICCALL, op::POP],
        &[
            op::PUSH0,
            op::MLOAD,
            op::PUSH0,
            op::CALLDATALOAD,
            op::SSTORE,
        ],
    ]
    .concat();
    let mut state = MemoryState::default()
        .with_code(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone())
        .with_code(CONTRACT, ask);
    for height in 1..=3 {
        state.advance(height, &[]).unwrap();
    }
    let wallet = Wallet::new(1);
    let asks: Vec<_> = (0..=3)
        .map(|height| wallet.call(height, CONTRACT, &words(height, 0)))
        .collect();
    state.advance(4, &asks).unwrap();
    for height in 0..=3 {
        assert_eq!(B256::from(state.slot(CONTRACT, height)), block_hash(height));
    }
}

#[test]
fn receipts_tell_what_happened() {
    let wallet = Wallet::new(1);
    let store = wallet.address.create(0);
    let mut state = MemoryState::default().with_code(CONTRACT, REVERT);
    let outcome = state
        .advance(
            1,
            &[
                wallet.create(0, deploying(STORE)),
                wallet.call(1, store, &words(5, 42)),
                wallet.call(2, CONTRACT, b"no"),
                wallet.sign(TxLegacy {
                    chain_id: Some(CHAIN_ID),
                    nonce: 3,
                    gas_limit: 100_000,
                    to: TxKind::Call(store),
                    input: words(6, 1).into(),
                    ..TxLegacy::default()
                }),
            ],
        )
        .unwrap();

    assert_eq!(state.codes[&keccak256(STORE)], *STORE);
    assert_eq!(state.slot(store, 5), U256::from(42));
    let status: Vec<_> = outcome.receipts.iter().map(|r| r.is_success()).collect();
    assert_eq!(status, [true, true, false, true]);
    let types: Vec<_> = outcome.receipts.iter().map(|r| r.ty()).collect();
    assert_eq!(types, [2, 2, 2, 0]);

    let log = &outcome.receipts[1].logs()[0];
    assert_eq!(log.address, store);
    assert_eq!(log.topics(), [B256::from(U256::from(7))]);
    assert_eq!(log.data.data, B256::from(U256::from(42))[..]);
    // Reverted logs are not kept.
    assert!(outcome.receipts[2].logs().is_empty());
    assert_eq!(*outcome.receipts[2].logs_bloom(), Bloom::ZERO);
    let mut bloom = Bloom::ZERO;
    bloom.accrue_log(log);
    assert_eq!(*outcome.receipts[1].logs_bloom(), bloom);
    bloom.accrue_log(&outcome.receipts[3].logs()[0]);
    assert_eq!(outcome.logs_bloom, bloom);

    let cumulative: Vec<_> = outcome
        .receipts
        .iter()
        .map(|receipt| receipt.cumulative_gas_used())
        .collect();
    assert!(cumulative.windows(2).all(|pair| pair[0] + 21_000 < pair[1]));
    assert_eq!(cumulative[3], outcome.gas_used);
    assert_eq!(
        outcome.receipts_root,
        alloy_consensus::proofs::calculate_receipt_root(&outcome.receipts)
    );
}

#[test]
fn plain_transfer_costs_21000() {
    let wallet = Wallet::new(1);
    let mut state = MemoryState::default().with_balance(wallet.address, 100);
    let outcome = state.advance(1, &[wallet.send(0, CONTRACT, 60)]).unwrap();
    assert_eq!(outcome.gas_used, 21_000);
    assert_eq!(state.balance(CONTRACT), U256::from(60));
    assert_eq!(state.balance(wallet.address), U256::from(40));
    let receipt = outcome.receipts[0].as_receipt().unwrap();
    assert_eq!(receipt.status, Eip658Value::Eip658(true));
}

#[test]
fn set_code_transaction_delegates() {
    let (sender, authority) = (Wallet::new(1), Wallet::new(2));
    let mut state = MemoryState::default().with_code(CONTRACT, STORE);
    let set_code = |nonce, authorization| {
        sender.sign(TxEip7702 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 500_000,
            to: authority.address,
            input: words(3, 9).into(),
            authorization_list: vec![authorization],
            ..TxEip7702::default()
        })
    };
    let delegate = set_code(0, authority.authorize(0, CONTRACT));
    state.advance(1, &[delegate]).unwrap();
    assert_eq!(state.slot(authority.address, 3), U256::from(9));
    assert_eq!(state.accounts[&authority.address].nonce, 1);
    let designation = [&[0xef, 0x01, 0x00][..], CONTRACT.as_slice()].concat();
    let code_hash = state.accounts[&authority.address].code_hash;
    assert_eq!(state.codes[&code_hash], designation);

    // A delegated account still sends (EIP-3607 excepts it), also in a later block.
    let own = authority.call(1, authority.address, &words(4, 1));
    state.advance(2, &[own]).unwrap();
    assert_eq!(state.slot(authority.address, 4), U256::from(1));

    // The zero address ends the delegation; a stale authorization does nothing.
    let end = set_code(1, authority.authorize(2, Address::ZERO));
    let stale = set_code(2, authority.authorize(0, CONTRACT));
    state.advance(3, &[end, stale]).unwrap();
    let code_hash = state.accounts[&authority.address].code_hash;
    assert_eq!(code_hash, Account::default().code_hash);
    assert_eq!(state.accounts[&authority.address].nonce, 3);
}

/// The block [`transaction`] on a state where wallet 1 has nonce 5 and 100 units.
fn check_refused(transaction: TxEip1559, expected: &str) {
    let wallet = Wallet::new(1);
    let account = Account {
        nonce: 5,
        balance: U256::from(100),
        ..Account::default()
    };
    let mut state = MemoryState::default();
    state.accounts.insert(wallet.address, account);
    let good = Wallet::new(2).call(0, CONTRACT, &[]);
    let bad = wallet.sign(transaction);
    let error = execute(&state, &context(1), &[good, bad.clone()]).unwrap_err();
    let expected = expected.replace("{sender}", &wallet.address.to_string());
    match error {
        ExecutionError::InvalidTransaction {
            index,
            hash,
            reason,
        } => assert_eq!((index, hash, reason), (1, bad.hash(), expected)),
        ExecutionError::View(_)
        | ExecutionError::Evm(_)
        | ExecutionError::Protocol { .. }
        | ExecutionError::BlockGas { .. } => {
            panic!("{error}")
        }
    }
}

#[test]
fn block_with_an_invalid_transaction_is_invalid() {
    let good = || TxEip1559 {
        nonce: 5,
        to: TxKind::Call(CONTRACT),
        ..plain()
    };
    check_refused(
        TxEip1559 { nonce: 3, ..good() },
        "nonce too low: address {sender}, tx: 3 state: 5",
    );
    check_refused(
        TxEip1559 { nonce: 6, ..good() },
        "nonce too high: address {sender}, tx: 6 state: 5",
    );
    check_refused(
        TxEip1559 {
            value: U256::from(101),
            ..good()
        },
        "insufficient funds for gas * price + value: address {sender} have 100 want 101",
    );
    check_refused(
        TxEip1559 {
            gas_limit: 20_999,
            ..good()
        },
        "intrinsic gas too low: have 20999, want 21000",
    );
    check_refused(
        TxEip1559 {
            gas_limit: 25_000,
            input: vec![1; 200].into(),
            ..good()
        },
        "insufficient gas for floor data gas cost: have 25000, want 29000",
    );
    check_refused(
        TxEip1559 {
            gas_limit: (1 << 24) + 1,
            ..good()
        },
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
    );
    check_refused(
        TxEip1559 {
            gas_limit: 5_000_000,
            to: TxKind::Create,
            input: vec![0; 49_153].into(),
            ..good()
        },
        "max initcode size exceeded: code size 49153, limit 49152",
    );
    check_refused(
        TxEip1559 {
            chain_id: 1,
            ..good()
        },
        "invalid chain id for signer",
    );
    check_refused(
        TxEip1559 {
            nonce: u64::MAX,
            ..good()
        },
        "nonce has max value: address {sender}, nonce: 18446744073709551615",
    );
}

fn refusal(state: &MemoryState, transaction: std::sync::Arc<tbsi_types::Transaction>) -> String {
    match execute(state, &context(1), &[transaction]).unwrap_err() {
        ExecutionError::InvalidTransaction { reason, .. } => reason,
        error @ (ExecutionError::View(_)
        | ExecutionError::Evm(_)
        | ExecutionError::Protocol { .. }
        | ExecutionError::BlockGas { .. }) => panic!("{error}"),
    }
}

#[test]
fn blob_transaction_is_refused() {
    let blob = Wallet::new(1).sign(TxEip4844 {
        chain_id: CHAIN_ID,
        gas_limit: 100_000,
        max_fee_per_blob_gas: 1,
        blob_versioned_hashes: vec![B256::repeat_byte(1)],
        ..TxEip4844::default()
    });
    let reason = refusal(&MemoryState::default(), blob);
    assert_eq!(reason, "transaction type not supported");
}

#[test]
fn sender_with_code_is_refused() {
    let wallet = Wallet::new(1);
    let state = MemoryState::default().with_code(wallet.address, STORE);
    let reason = refusal(&state, wallet.call(0, CONTRACT, &[]));
    assert_eq!(
        reason,
        format!("sender not an eoa: address {}", wallet.address)
    );
}

#[test]
fn block_gas_limit_counts_gas_used_before_and_gas_asked_for_next() {
    let wallet = Wallet::new(1);
    let transactions = [wallet.call(0, CONTRACT, &[]), wallet.call(1, CONTRACT, &[])];
    let ask = transactions[1].envelope().gas_limit();
    let limit = |gas_limit| BlockContext {
        gas_limit,
        ..context(1)
    };
    let state = MemoryState::default();
    let outcome = execute(&state, &limit(21_000 + ask), &transactions).unwrap();
    assert_eq!(outcome.gas_used, 42_000);
    match execute(&state, &limit(21_000 + ask - 1), &transactions).unwrap_err() {
        ExecutionError::BlockGas {
            index, gas, left, ..
        } => assert_eq!((index, gas, left), (1, ask, ask - 1)),
        error @ (ExecutionError::View(_)
        | ExecutionError::Evm(_)
        | ExecutionError::Protocol { .. }
        | ExecutionError::InvalidTransaction { .. }) => panic!("{error}"),
    }
}

#[test]
fn unreadable_state_is_not_the_blocks_fault() {
    let error = execute(&Unreadable, &context(1), &[]).unwrap_err();
    assert!(matches!(error, ExecutionError::View(_)), "{error}");
}
