//! Permissions hold for what a transaction does, however deep, and by whose code.

use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use revm::bytecode::opcode as op;
use tbsi_execution::{Outcome, call, estimate_gas};
use tbsi_types::log::ATTESTATIONS;
use tbsi_types::{CallOutcome, CallRequest, Transaction};

use crate::governed::*;
use crate::support::*;

const GAS_CAP: u64 = 50_000_000;
const FACTORY_AT: Address = Address::repeat_byte(0xf0);
/// CREATE of the call data; what becomes of it is ignored.
const PLAIN_FACTORY_AT: Address = Address::repeat_byte(0xf1);
/// Calls the factory, and undoes it.
const UNDOING: Address = Address::repeat_byte(0xf2);
/// Each calls the contract before it and ignores how that went.
const FORWARDING: Address = Address::repeat_byte(0xf3);
const DELEGATING: Address = Address::repeat_byte(0xf4);
const TRYING: Address = Address::repeat_byte(0xf5);
/// Attests its call data's digest by calling the contract, and ignores how that went.
const ATTESTING: Address = Address::repeat_byte(0xf6);

const PLAIN_FACTORY: &[u8] = &[
    op::CALLDATASIZE,
    op::PUSH0,
    op::PUSH0,
    op::CALLDATACOPY,
    op::CALLDATASIZE,
    op::PUSH0,
    op::PUSH0,
    op::CREATE,
    op::STOP,
];

fn sender() -> Wallet {
    Wallet::new(77)
}

/// A town whose sender has these permissions in the second organisation.
fn town(bits: u64) -> MemoryState {
    let ignoring = |opcode, target| [forwarding(opcode, target), vec![op::STOP]].concat();
    let undoing = [
        forwarding(op::CALL, FACTORY_AT),
        vec![op::PUSH0, op::PUSH0, op::REVERT],
    ];
    let mut state = founded(2)
        .with_code(FACTORY_AT, FACTORY)
        .with_code(PLAIN_FACTORY_AT, PLAIN_FACTORY)
        .with_code(UNDOING, undoing.concat())
        .with_code(FORWARDING, ignoring(op::CALL, FACTORY_AT))
        .with_code(DELEGATING, ignoring(op::DELEGATECALL, FACTORY_AT))
        .with_code(TRYING, ignoring(op::CALL, UNDOING))
        .with_code(ATTESTING, ignoring(op::CALL, ATTESTATIONS));
    state.grant(sender().address, 2, bits);
    state
}

/// Call data of the factory.
fn child(init_code: &[u8]) -> Vec<u8> {
    [&[0; 32][..], init_code].concat()
}

fn child_of(factory: Address, init_code: &[u8]) -> Address {
    factory.create2(U256::ZERO.to_be_bytes::<32>(), keccak256(init_code))
}

fn request(to: Option<Address>, input: &[u8]) -> CallRequest {
    CallRequest {
        from: sender().address,
        to,
        input: Bytes::copy_from_slice(input),
        ..CallRequest::default()
    }
}

/// The transaction is in the block, and nothing is left of it but its nonce and its gas.
fn failed(state: &MemoryState, outcome: &Outcome, before: &MemoryState) {
    let [receipt] = &outcome.receipts[..] else {
        panic!("one transaction");
    };
    assert!(!receipt.status() && receipt.logs().is_empty());
    assert!(outcome.gas_used > 21_000);
    assert_eq!(state.used(2), (outcome.gas_used, 0));
    let address = sender().address;
    assert_eq!(state.nonce(address), before.nonce(address) + 1);
    let others = |state: &MemoryState| -> Vec<Address> {
        let accounts = state.accounts.keys();
        accounts.filter(|it| **it != address).copied().collect()
    };
    assert_eq!(others(state), others(before));
}

/// As a transaction, an estimate and a call.
fn fails(state: &MemoryState, to: Address, input: &[u8], words: &str) {
    let mut after = state.clone();
    let transaction = sender().call(state.nonce(sender().address), to, input);
    let outcome = after.advance(1, &[transaction]).unwrap();
    failed(&after, &outcome, state);

    let request = request(Some(to), input);
    let called = call(state, &context(1), &request, GAS_CAP).unwrap();
    let estimated = estimate_gas(state, &context(1), &request, GAS_CAP).unwrap();
    for outcome in [called, estimated.unwrap_err()] {
        let told = reverted(&outcome);
        assert!(told.contains(words), "{to}: {told}");
        assert!(told.contains("of organisation 2"), "{told}");
    }
}

#[test]
fn no_factory_deploys_for_a_sender_who_may_only_send() {
    let gone = [op::CALLER, op::SELFDESTRUCT];
    let nested = [
        // A constructor that creates: CREATE of nothing.
        &[op::PUSH0, op::PUSH0, op::PUSH0, op::CREATE][..],
        &[op::POP, op::STOP],
    ]
    .concat();
    let state = town(SEND | ATTEST);
    for init_code in [&deploying(STORE)[..], &gone, &nested, &[]] {
        for to in [FACTORY_AT, FORWARDING, DELEGATING, TRYING] {
            fails(&state, to, &child(init_code), "may not deploy");
        }
        fails(&state, PLAIN_FACTORY_AT, init_code, "may not deploy");
    }
}

#[test]
fn who_may_deploy_does_so_through_any_factory() {
    let init_code = deploying(STORE);
    for (to, creator) in [
        (FACTORY_AT, FACTORY_AT),
        (FORWARDING, FACTORY_AT),
        (DELEGATING, DELEGATING),
    ] {
        let mut state = town(SEND | DEPLOY);
        let input = child(&init_code);
        let estimated = estimate_gas(&state, &context(1), &request(Some(to), &input), GAS_CAP);
        assert!(estimated.unwrap().unwrap() < 200_000);
        let outcome = state.advance(1, &[sender().call(0, to, &input)]).unwrap();
        assert!(outcome.receipts[0].status());
        assert!(state.accounts.contains_key(&child_of(creator, &init_code)));
    }
    // A creation that is undone is the contract's own affair.
    let mut state = town(SEND | DEPLOY);
    let transaction = sender().call(0, TRYING, &child(&init_code));
    assert!(state.advance(1, &[transaction]).unwrap().receipts[0].status());
}

fn set_code(nonce: u64, authority: &Wallet, target: Address, to: Address) -> TxEip7702 {
    TxEip7702 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 500_000,
        to,
        input: child(&deploying(STORE)).into(),
        authorization_list: vec![authority.authorize(0, target)],
        ..TxEip7702::default()
    }
}

/// EIP-7702: the sender's own code, somebody else's, and code set by the transaction itself.
#[test]
fn delegated_code_deploys_only_for_who_may_deploy() {
    let friend = Wallet::new(78);
    // Setting code creates no contract: a sender who may only send does it.
    let delegate = TxEip7702 {
        input: Bytes::new(),
        ..set_code(0, &friend, FACTORY_AT, Address::repeat_byte(1))
    };
    let mut state = town(SEND);
    let outcome = state.advance(1, &[sender().sign(delegate)]).unwrap();
    assert!(outcome.receipts[0].status());
    let input = child(&deploying(STORE));
    let called = call(
        &state,
        &context(2),
        &request(Some(friend.address), &input),
        GAS_CAP,
    );
    assert!(reverted(&called.unwrap()).contains("may not deploy"));
    let before = state.clone();
    let transaction = sender().call(1, friend.address, &input);
    let outcome = state.advance(2, &[transaction]).unwrap();
    assert!(!outcome.receipts[0].status());
    assert_eq!(state.accounts.len(), before.accounts.len());

    // In one transaction, with the sender's own account as the factory. What was delegated
    // stays, as after every transaction that reverts (EIP-7702).
    let own = sender();
    let itself = TxEip7702 {
        authorization_list: vec![own.authorize(3, FACTORY_AT)],
        ..set_code(2, &own, FACTORY_AT, own.address)
    };
    let outcome = state.advance(3, &[own.sign(itself)]).unwrap();
    assert!(!outcome.receipts[0].status());
    assert_eq!(state.nonce(own.address), 4);
    assert_eq!(state.accounts.len(), before.accounts.len());
    let code = state.accounts[&own.address].code_hash;
    assert_eq!(state.codes[&code][3..], FACTORY_AT[..]);

    // Whoever sends answers for it: a sponsor who may deploy deploys through the same account.
    let sponsor = Wallet::new(1);
    let transaction = sponsor.call(0, friend.address, &input);
    let outcome = state.advance(4, &[transaction]).unwrap();
    assert!(outcome.receipts[0].status());
    let created = child_of(friend.address, &deploying(STORE));
    assert!(state.accounts.contains_key(&created));
}

#[test]
fn no_contract_attests_for_a_sender_who_may_not() {
    let state = town(SEND | DEPLOY);
    fails(&state, ATTESTING, &attesting(1), "may not attest");
    // Directly, the envelope shows it: such a transaction is in no block.
    let direct = sender().call(0, ATTESTATIONS, &attesting(1));
    let words = state.clone().advance(1, &[direct]).unwrap_err().to_string();
    assert!(words.contains("may not attest"), "{words}");
    // What attests and is undone attests nothing.
    let undone = [
        forwarding(op::CALL, ATTESTING),
        vec![op::PUSH0, op::PUSH0, op::REVERT],
    ];
    let undone_at = Address::repeat_byte(0xe0);
    let trying = [forwarding(op::CALL, undone_at), vec![op::STOP]];
    let trying_at = Address::repeat_byte(0xe1);
    let mut state = state
        .with_code(undone_at, undone.concat())
        .with_code(trying_at, trying.concat());
    let transaction = sender().call(0, trying_at, &attesting(1));
    let outcome = state.advance(1, &[transaction]).unwrap();
    assert!(outcome.receipts[0].status() && outcome.receipts[0].logs().is_empty());
}

/// A constructor that attests.
#[test]
fn a_creation_that_fails_so_uses_its_nonce_and_leaves_no_contract() {
    let init_code = {
        // Its call data is empty: the digest's call data stands behind the code.
        let input = attesting(5);
        let length = u8::try_from(input.len()).unwrap();
        let code = |at: u8| {
            let copy = [op::PUSH1, length, op::PUSH1, at, op::PUSH0, op::CODECOPY];
            let arguments = [
                op::PUSH0,
                op::PUSH0,
                op::PUSH1,
                length,
                op::PUSH0,
                op::PUSH0,
            ];
            let call = [op::GAS, op::CALL, op::POP, op::STOP];
            [&copy[..], &arguments, &push(ATTESTATIONS), &call].concat()
        };
        let at = u8::try_from(code(0).len()).unwrap();
        [code(at), input].concat()
    };
    let mut state = town(SEND | DEPLOY);
    let before = state.clone();
    let create = |nonce| sender().create(nonce, init_code.clone());
    let outcome = state.advance(1, &[create(0)]).unwrap();
    failed(&state, &outcome, &before);
    state.grant(sender().address, 2, SEND | DEPLOY | ATTEST);
    let outcome = state.advance(2, &[create(1)]).unwrap();
    assert!(outcome.receipts[0].status());
    assert_eq!(outcome.receipts[0].logs().len(), 1);
    let created = sender().address.create(1);
    assert!(state.accounts.contains_key(&created));
}

#[test]
fn a_failure_in_a_permission_is_alike_in_every_place_of_a_block() {
    let mut state = town(SEND);
    let input = child(&deploying(STORE));
    let other = Wallet::new(1);
    let candidates: Vec<Arc<Transaction>> = vec![
        sender().call(0, FORWARDING, &input),
        other.call(0, FORWARDING, &input),
        sender().call(1, Address::repeat_byte(1), &[]),
        sender().call(2, TRYING, &input),
    ];
    let built = state.build(1, &candidates);
    assert_eq!(built.transactions, candidates);
    let statuses: Vec<bool> = built
        .outcome
        .receipts
        .iter()
        .map(|it| it.status())
        .collect();
    assert_eq!(statuses, [false, true, true, false]);
    assert!(
        state
            .accounts
            .contains_key(&child_of(FACTORY_AT, &deploying(STORE)))
    );
}

/// Nobody signs for the zero address: callers that name no sender simulate what they like, as
/// libraries do to run code that is deployed nowhere.
#[test]
fn a_call_of_nobody_is_not_bound() {
    let mut state = town(SEND);
    state.grant(Address::ZERO, 2, 0);
    let nobody = CallRequest {
        from: Address::ZERO,
        ..request(None, &deploying(STORE))
    };
    let called = call(&state, &context(1), &nobody, GAS_CAP).unwrap();
    assert!(matches!(called, CallOutcome::Returned { .. }), "{called:?}");
    let somebody = request(None, &deploying(STORE));
    let called = call(&state, &context(1), &somebody, GAS_CAP).unwrap();
    assert!(reverted(&called).contains("may not deploy"));
    // As a transaction it is in no block.
    let create = sender().sign(TxEip1559 {
        to: TxKind::Create,
        input: deploying(STORE).into(),
        ..plain()
    });
    let words = state.advance(1, &[create]).unwrap_err().to_string();
    assert!(words.contains("may not deploy"), "{words}");
}
