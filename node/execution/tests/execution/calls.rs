//! `eth_call` and `eth_estimateGas`.

use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use revm::bytecode::opcode as op;
use tbsi_execution::{BlockContext, ExecutionError, call, estimate_gas, execute};
use tbsi_types::{Account, CallOutcome, CallRequest, Transaction};

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);
const OTHER: Address = Address::repeat_byte(0xd0);
const GAS_CAP: u64 = 50_000_000;
const TRANSACTION_GAS_MAX: u64 = 1 << 24;

fn to(address: Address, input: &[u8]) -> CallRequest {
    CallRequest {
        from: Wallet::new(1).address,
        to: Some(address),
        input: Bytes::copy_from_slice(input),
        ..CallRequest::default()
    }
}

fn called(state: &MemoryState, request: &CallRequest) -> CallOutcome {
    call(state, &context(7), request, GAS_CAP).unwrap()
}

fn output(outcome: CallOutcome) -> Bytes {
    match outcome {
        CallOutcome::Returned { output, .. } => output,
        other @ (CallOutcome::Reverted { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn call_returns_what_the_contract_returns() {
    let state = MemoryState::default().with_code(CONTRACT, returning(&[op::CALLER]));
    let expected = Wallet::new(1).address.into_word();
    assert_eq!(output(called(&state, &to(CONTRACT, &[]))), expected[..]);
    assert_eq!(
        called(&state, &to(OTHER, &[])),
        CallOutcome::Returned {
            output: Bytes::new(),
            gas_used: 21_000
        }
    );
}

#[test]
fn call_tells_how_it_failed() {
    let halts: [(&[u8], &str); 5] = [
        (&[op::INVALID], "invalid opcode: INVALID"),
        (&[0x0c], "invalid opcode"),
        (&[op::POP], "stack underflow"),
        (&[op::PUSH0, op::JUMP], "invalid jump destination"),
        (&[op::JUMPDEST, op::PUSH0, op::JUMP], "out of gas"),
    ];
    for (code, expected) in halts {
        let state = MemoryState::default().with_code(CONTRACT, code.to_vec());
        let request = CallRequest {
            gas: Some(100_000),
            ..to(CONTRACT, &[])
        };
        let halted = CallOutcome::Halted {
            reason: expected.into(),
            gas_used: 100_000,
        };
        assert_eq!(called(&state, &request), halted);
    }
    let state = MemoryState::default().with_code(CONTRACT, REVERT);
    match called(&state, &to(CONTRACT, b"why")) {
        CallOutcome::Reverted { output, gas_used } => {
            assert_eq!(output, b"why"[..]);
            assert!((21_048..22_000).contains(&gas_used), "{gas_used}");
        }
        other @ (CallOutcome::Returned { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn call_checks_value_but_neither_nonce_nor_code_of_the_sender() {
    let sender = Wallet::new(1).address;
    let mut state = MemoryState::default()
        .with_code(CONTRACT, returning(&[op::CALLVALUE]))
        .with_code(sender, STORE)
        .with_balance(sender, 10);
    state.accounts.get_mut(&sender).unwrap().nonce = 77;
    let paying = |value| CallRequest {
        value: U256::from(value),
        ..to(CONTRACT, &[])
    };
    let ten = B256::from(U256::from(10));
    assert_eq!(output(called(&state, &paying(10))), ten[..]);
    let reason =
        format!("insufficient funds for gas * price + value: address {sender} have 10 want 11");
    assert_eq!(called(&state, &paying(11)), CallOutcome::Refused { reason });
}

#[test]
fn call_creates_at_the_senders_next_address() {
    let sender = Wallet::new(1).address;
    let mut state = MemoryState::default();
    let account = Account {
        nonce: 5,
        ..Account::default()
    };
    state.accounts.insert(sender, account);
    let create = |input: Vec<u8>| CallRequest {
        to: None,
        ..to(CONTRACT, &input)
    };
    let code = output(called(&state, &create(deploying(STORE))));
    assert_eq!(code, *STORE);
    let own_address = output(called(&state, &create(returning(&[op::ADDRESS]))));
    assert_eq!(own_address, sender.create(5).into_word()[..]);
}

#[test]
fn call_delegates_with_authorizations() {
    let authority = Wallet::new(2);
    let state = MemoryState::default().with_code(CONTRACT, returning(&[op::ADDRESS]));
    let request = CallRequest {
        authorizations: vec![authority.authorize(0, CONTRACT)],
        ..to(authority.address, &[])
    };
    let address = authority.address.into_word();
    assert_eq!(output(called(&state, &request)), address[..]);
    let create = CallRequest {
        to: None,
        ..request
    };
    let reason = "EIP-7702 transaction cannot be used to create contract".into();
    assert_eq!(called(&state, &create), CallOutcome::Refused { reason });
}

#[test]
fn call_has_the_least_of_three_gas_bounds() {
    let state = MemoryState::default().with_code(CONTRACT, returning(&[op::GAS]));
    let gas_left = |gas, gas_cap, block_gas| {
        let context = BlockContext {
            gas_limit: block_gas,
            ..context(7)
        };
        let request = CallRequest {
            gas,
            ..to(CONTRACT, &[])
        };
        let outcome = call(&state, &context, &request, gas_cap).unwrap();
        U256::from_be_slice(&output(outcome)).to::<u64>() + 21_002
    };
    assert_eq!(gas_left(None, 50_000_000, BLOCK_GAS), 50_000_000);
    assert_eq!(
        gas_left(Some(60_000_000), 50_000_000, BLOCK_GAS),
        50_000_000
    );
    assert_eq!(gas_left(Some(100_000), 50_000_000, BLOCK_GAS), 100_000);
    assert_eq!(gas_left(None, 50_000_000, 17_000_000), 17_000_000);
    let request = CallRequest {
        gas: Some(100),
        ..to(CONTRACT, &[])
    };
    let reason = "intrinsic gas too low: have 100, want 21000".into();
    assert_eq!(called(&state, &request), CallOutcome::Refused { reason });
}

#[test]
fn call_on_an_unreadable_state_is_an_error() {
    let error = call(&Unreadable, &context(7), &to(CONTRACT, &[]), GAS_CAP).unwrap_err();
    assert!(matches!(error, ExecutionError::View(_)), "{error}");
    let error = estimate_gas(&Unreadable, &context(7), &to(CONTRACT, &[]), GAS_CAP).unwrap_err();
    assert!(matches!(error, ExecutionError::View(_)), "{error}");
}

/// The request as a transaction of wallet 1.
fn transaction(request: &CallRequest, gas_limit: u64) -> Arc<Transaction> {
    let wallet = Wallet::new(1);
    if request.authorizations.is_empty() {
        return wallet.sign(TxEip1559 {
            gas_limit,
            to: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            input: request.input.clone(),
            access_list: request.access_list.clone(),
            ..plain()
        });
    }
    wallet.sign(TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit,
        to: request.to.unwrap(),
        value: request.value,
        input: request.input.clone(),
        authorization_list: request.authorizations.clone(),
        ..TxEip7702::default()
    })
}

fn works(state: &MemoryState, request: &CallRequest, gas: u64) -> bool {
    let block = [transaction(request, gas)];
    execute(state, &context(7), &block)
        .is_ok_and(|outcome| alloy_consensus::TxReceipt::status(&outcome.receipts[0]))
}

/// Estimates, sends exactly that, and compares with the least gas that works.
fn check_estimate(state: &MemoryState, request: &CallRequest) -> u64 {
    let estimate = estimate_gas(state, &context(7), request, GAS_CAP)
        .unwrap()
        .unwrap();
    assert!(works(state, request, estimate), "{estimate} does not work");
    let (mut fails, mut least) = (0, estimate);
    while least - fails > 1 {
        let middle = fails + (least - fails) / 2;
        if works(state, request, middle) {
            least = middle;
        } else {
            fails = middle;
        }
    }
    assert!(
        (estimate - least) * 1000 <= estimate * 15,
        "estimate {estimate}, least {least}"
    );
    estimate
}

#[test]
fn estimate_of_a_plain_transfer_is_21000() {
    let state = MemoryState::default().with_balance(Wallet::new(1).address, 5);
    let transfer = CallRequest {
        value: U256::from(5),
        ..to(OTHER, &[])
    };
    assert_eq!(check_estimate(&state, &transfer), 21_000);
    assert_eq!(check_estimate(&state, &to(OTHER, &[])), 21_000);
}

#[test]
fn estimate_works_when_used_exactly() {
    // Calls OTHER with all gas it may pass on (63/64), and fails if that fails.
    let forward: Vec<u8> = [
        &[op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH0, op::CALLVALUE][..],
        &push(OTHER),
        &[
            op::GAS,
            op::CALL,
            op::PUSH1,
            32,
            op::JUMPI,
            op::INVALID,
            op::JUMPDEST,
        ],
    ]
    .concat();
    assert_eq!(forward[32], op::JUMPDEST);
    // Burns about 20 gas in each of 10,000 rounds.
    let burn = [
        op::PUSH2,
        0x27,
        0x10,
        op::JUMPDEST,
        op::PUSH1,
        1,
        op::SWAP1,
        op::SUB,
        op::DUP1,
        op::PUSH1,
        3,
        op::JUMPI,
    ];
    // Clears slot 0 and gets a refund.
    let clear = [op::PUSH0, op::PUSH0, op::SSTORE];
    let store = MemoryState::default().with_code(CONTRACT, STORE);
    check_estimate(&store, &to(CONTRACT, &words(1, 2)));

    let nested = MemoryState::default()
        .with_balance(Wallet::new(1).address, 9)
        .with_code(CONTRACT, forward.clone())
        .with_code(OTHER, burn);
    check_estimate(&nested, &to(CONTRACT, &[]));
    let paying = CallRequest {
        value: U256::from(9),
        ..to(CONTRACT, &[])
    };
    check_estimate(&nested, &paying);

    let mut refund = MemoryState::default()
        .with_code(CONTRACT, forward)
        .with_code(OTHER, clear);
    refund.storage.insert((OTHER, U256::ZERO), U256::from(1));
    check_estimate(&refund, &to(CONTRACT, &[]));

    let create = CallRequest {
        to: None,
        ..to(CONTRACT, &deploying(STORE))
    };
    check_estimate(&MemoryState::default(), &create);
    let delegate = CallRequest {
        authorizations: vec![Wallet::new(2).authorize(0, CONTRACT)],
        ..to(Wallet::new(2).address, &words(1, 2))
    };
    check_estimate(&store, &delegate);
    let listed = CallRequest {
        access_list: AccessList(vec![AccessListItem {
            address: CONTRACT,
            storage_keys: vec![B256::ZERO],
        }]),
        ..to(CONTRACT, &words(1, 2))
    };
    check_estimate(&store, &listed);
}

#[test]
fn estimate_covers_the_calldata_floor() {
    // EIP-7623: 10 gas a token, 4 tokens a non-zero byte.
    let estimate = check_estimate(&MemoryState::default(), &to(OTHER, &[1; 1_000]));
    assert_eq!(estimate, 21_000 + 40_000);
}

#[test]
fn estimate_tells_why_nothing_works() {
    let estimate = |state: &MemoryState, request: &CallRequest| {
        estimate_gas(state, &context(7), request, GAS_CAP)
            .unwrap()
            .unwrap_err()
    };
    let refused = |reason: &str| CallOutcome::Refused {
        reason: reason.into(),
    };
    let endless = [op::JUMPDEST, op::PUSH0, op::JUMP];
    let state = MemoryState::default()
        .with_code(CONTRACT, REVERT)
        .with_code(OTHER, endless);

    let outcome = estimate(&state, &to(CONTRACT, b"why"));
    assert!(matches!(outcome, CallOutcome::Reverted { output, .. } if output == b"why"[..]));
    // EIP-7825 bounds the allowance, whatever the node's cap.
    assert_eq!(
        estimate(&state, &to(OTHER, &[])),
        refused(&format!(
            "gas required exceeds allowance ({TRANSACTION_GAS_MAX})"
        ))
    );
    let asked = CallRequest {
        gas: Some(30_000),
        ..to(OTHER, &[1; 1_000])
    };
    assert_eq!(
        estimate(&state, &asked),
        refused("gas required exceeds allowance (30000)")
    );
    let unfunded = CallRequest {
        value: U256::from(1),
        ..to(OTHER, &[])
    };
    assert!(matches!(
        estimate(&state, &unfunded),
        CallOutcome::Refused { reason } if reason.starts_with("insufficient funds")
    ));
}

#[test]
fn estimate_ignores_gas_that_no_transaction_could_have() {
    let request = CallRequest {
        gas: Some(100),
        ..to(OTHER, &[])
    };
    assert_eq!(check_estimate(&MemoryState::default(), &request), 21_000);
}
