//! Calls on a state and in a block that are taken to be other than they are; access lists; and
//! calls that want to take the node's time or memory.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, U256, address};
use revm::bytecode::opcode as op;
use tbsi_execution::CallSite;
use tbsi_types::{
    AccountOverride, BlockOverrides, CallOutcome, CallOverrides, CallRequest, StateOverrides,
    StorageOverride,
};

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);
const OTHER: Address = Address::repeat_byte(0xd0);
const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");
const SHA256: Address = address!("0000000000000000000000000000000000000002");
const IDENTITY: Address = address!("0000000000000000000000000000000000000004");
const GAS_CAP: u64 = 1 << 24;

pub(crate) fn header() -> Header {
    Header {
        number: 7,
        timestamp: 1_700_000_001,
        gas_limit: BLOCK_GAS,
        beneficiary: BENEFICIARY,
        parent_hash: block_hash(6),
        mix_hash: B256::repeat_byte(9),
        base_fee_per_gas: Some(0),
        ..Header::default()
    }
}

/// Does something at a site over this state.
fn at<T>(state: &MemoryState, work: impl FnOnce(&CallSite<'_, MemoryState>) -> T) -> T {
    work(&CallSite {
        view: state,
        protocol: &protocol(),
        header: &header(),
        gas_cap: GAS_CAP,
    })
}

fn to(address: Address, input: &[u8]) -> CallRequest {
    CallRequest {
        from: Wallet::new(1).address,
        to: Some(address),
        input: Bytes::copy_from_slice(input),
        ..CallRequest::default()
    }
}

fn accounts(overrides: &[(Address, AccountOverride)]) -> CallOverrides {
    CallOverrides {
        state: overrides.iter().cloned().collect(),
        ..CallOverrides::default()
    }
}

fn coded(code: Vec<u8>) -> AccountOverride {
    AccountOverride {
        code: Some(code.into()),
        ..AccountOverride::default()
    }
}

fn called(state: &MemoryState, request: &CallRequest, overrides: &CallOverrides) -> Bytes {
    match at(state, |site| site.call(request, overrides)).unwrap() {
        CallOutcome::Returned { output, .. } => output,
        other @ (CallOutcome::Reverted { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
}

fn refused(state: &MemoryState, overrides: &[(Address, AccountOverride)]) -> String {
    let overrides = accounts(overrides);
    let request = to(CONTRACT, &[]);
    let estimated = at(state, |site| site.estimate_gas(&request, &overrides)).unwrap();
    let listed = at(state, |site| site.access_list(&request, &overrides)).unwrap();
    assert_eq!(estimated, Err(listed.outcome.clone()));
    match at(state, |site| site.call(&request, &overrides)).unwrap() {
        CallOutcome::Refused { reason } => {
            let reason_too = CallOutcome::Refused {
                reason: reason.clone(),
            };
            assert_eq!(listed.outcome, reason_too);
            reason
        }
        other @ (CallOutcome::Returned { .. }
        | CallOutcome::Reverted { .. }
        | CallOutcome::Halted { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn accounts_are_what_the_caller_says() {
    let mut state = MemoryState::default().with_code(OTHER, returning(&[op::CALLER]));
    state
        .storage
        .insert((CONTRACT, U256::from(1)), U256::from(11));
    state
        .storage
        .insert((CONTRACT, U256::from(2)), U256::from(22));
    let slot = |slot: u8, storage: StorageOverride| {
        let overridden = AccountOverride {
            storage,
            ..coded(returning(&[op::PUSH1, slot, op::SLOAD]))
        };
        U256::from_be_slice(&called(
            &state,
            &to(CONTRACT, &[]),
            &accounts(&[(CONTRACT, overridden)]),
        ))
    };
    let new = BTreeMap::from([(U256::from(1), U256::from(111))]);
    assert_eq!(slot(1, StorageOverride::Keep), U256::from(11));
    assert_eq!(
        slot(1, StorageOverride::Change(new.clone())),
        U256::from(111)
    );
    assert_eq!(
        slot(2, StorageOverride::Change(new.clone())),
        U256::from(22)
    );
    assert_eq!(
        slot(1, StorageOverride::Replace(new.clone())),
        U256::from(111)
    );
    assert_eq!(slot(2, StorageOverride::Replace(new)), U256::ZERO);

    // A balance to send from, and the address of a creation by a nonce.
    let sender = Wallet::new(1).address;
    let rich = AccountOverride {
        balance: Some(U256::from(10)),
        nonce: Some(5),
        ..AccountOverride::default()
    };
    let paying = CallRequest {
        value: U256::from(10),
        ..to(OTHER, &[])
    };
    let rich = accounts(&[(sender, rich)]);
    assert_eq!(called(&state, &paying, &rich), sender.into_word()[..]);
    let creating = CallRequest {
        to: None,
        ..to(OTHER, &returning(&[op::ADDRESS]))
    };
    let created = called(&state, &creating, &rich);
    assert_eq!(created, sender.create(5).into_word()[..]);
    // Without them the same is refused, and nothing stayed.
    let poor = at(&state, |site| site.call(&paying, &CallOverrides::default())).unwrap();
    assert!(matches!(poor, CallOutcome::Refused { .. }), "{poor:?}");
}

#[test]
fn the_block_is_what_the_caller_says() {
    let overridden = BlockOverrides {
        number: Some(1_000),
        time: Some(2_000),
        gas_limit: Some(3_000_000),
        fee_recipient: Some(OTHER),
        prev_randao: Some(B256::repeat_byte(4)),
        base_fee_per_gas: Some(5_000),
        blob_base_fee: Some(6_000),
        block_hashes: BTreeMap::from([(999, B256::repeat_byte(5))]),
        ..BlockOverrides::default()
    };
    let code = returning(&[op::PUSH2, 0x03, 0xe7, op::BLOCKHASH]);
    let state = MemoryState::default().with_code(CONTRACT, code);
    let overrides = CallOverrides {
        block: overridden.clone(),
        ..CallOverrides::default()
    };
    let hash = called(&state, &to(CONTRACT, &[]), &overrides);
    assert_eq!(hash, B256::repeat_byte(5)[..]);
    let words = [
        (op::NUMBER, U256::from(7), U256::from(1_000)),
        (op::TIMESTAMP, U256::from(1_700_000_001), U256::from(2_000)),
        (op::GASLIMIT, U256::from(BLOCK_GAS), U256::from(3_000_000)),
        (
            op::COINBASE,
            BENEFICIARY.into_word().into(),
            OTHER.into_word().into(),
        ),
        (
            op::DIFFICULTY,
            B256::repeat_byte(9).into(),
            B256::repeat_byte(4).into(),
        ),
        (op::BASEFEE, U256::ZERO, U256::from(5_000)),
        (op::BLOBBASEFEE, U256::from(1), U256::from(6_000)),
    ];
    for (opcode, before, after) in words {
        let state = MemoryState::default().with_code(CONTRACT, returning(&[opcode]));
        let word = |block: &BlockOverrides| {
            let overrides = CallOverrides {
                block: block.clone(),
                ..CallOverrides::default()
            };
            U256::from_be_slice(&called(&state, &to(CONTRACT, &[]), &overrides))
        };
        assert_eq!(word(&BlockOverrides::default()), before, "{opcode:#x}");
        assert_eq!(word(&overridden), after, "{opcode:#x}");
    }
}

#[test]
fn precompiles_move_and_give_way_to_code() {
    let state = MemoryState::default();
    let moved = |to: Address| AccountOverride {
        move_precompile_to: Some(to),
        ..AccountOverride::default()
    };
    let echo = |address: Address, overrides: &CallOverrides| {
        called(&state, &to(address, b"echo"), overrides)
    };
    assert_eq!(echo(IDENTITY, &CallOverrides::default()), b"echo"[..]);
    let away = accounts(&[(IDENTITY, moved(OTHER))]);
    assert_eq!(echo(OTHER, &away), b"echo"[..]);
    assert_eq!(echo(IDENTITY, &away), b""[..]);
    let hash = echo(SHA256, &away);
    assert_eq!(hash, echo(SHA256, &CallOverrides::default()), "others stay");
    // Code in its place may call it where it is now.
    let both = AccountOverride {
        code: Some(returning(&[op::PUSH1, 42]).into()),
        ..moved(OTHER)
    };
    let both = accounts(&[(IDENTITY, both)]);
    assert_eq!(echo(OTHER, &both), b"echo"[..]);
    assert_eq!(echo(IDENTITY, &both)[31], 42);
    // This chain's own are precompiles like Ethereum's.
    let ed25519 = address!("0000000000000000000000000000000000001100");
    let own = accounts(&[(ed25519, moved(OTHER))]);
    assert_eq!(echo(OTHER, &own).len(), 32);
}

#[test]
fn overrides_that_contradict_each_other_refuse_the_call() {
    let state = MemoryState::default();
    let moved = |to: Address| AccountOverride {
        move_precompile_to: Some(to),
        ..AccountOverride::default()
    };
    let check = |overrides: &[(Address, AccountOverride)], words: &str| {
        assert_eq!(refused(&state, overrides), words);
    };
    check(
        &[(OTHER, moved(CONTRACT))],
        &format!("account {OTHER} is not a precompile"),
    );
    check(
        &[(ECRECOVER, moved(OTHER)), (OTHER, coded(vec![0]))],
        &format!("account {OTHER} is already overridden"),
    );
    check(
        &[(ECRECOVER, moved(IDENTITY)), (IDENTITY, coded(vec![0]))],
        &format!("account {IDENTITY} is already overridden"),
    );
    check(
        &[(ECRECOVER, moved(OTHER)), (SHA256, moved(OTHER))],
        &format!("account {OTHER} has already been overridden by a precompile"),
    );
    check(
        &[(ECRECOVER, moved(ECRECOVER))],
        &format!("account {ECRECOVER} is already overridden"),
    );
}

#[test]
fn an_access_list_names_what_a_call_reads_and_writes() {
    // Reads a slot, asks for another's balance, and calls a third.
    let third = Address::repeat_byte(0xe0);
    let mut code = vec![op::PUSH1, 3, op::SLOAD, op::POP];
    code.extend(push(OTHER));
    code.extend([op::BALANCE, op::POP]);
    code.extend([op::PUSH0; 5]);
    code.extend(push(third));
    code.extend([op::GAS, op::CALL, op::POP, op::STOP]);
    let write = [op::PUSH1, 1, op::PUSH1, 4, op::SSTORE];
    let state = MemoryState::default()
        .with_code(CONTRACT, code)
        .with_code(third, write.to_vec());
    let slot = |slot: u64| B256::from(U256::from(slot));
    let item = |address: Address, slots: &[u64]| AccessListItem {
        address,
        storage_keys: slots.iter().map(|it| slot(*it)).collect(),
    };
    let expected = AccessList(vec![
        item(CONTRACT, &[3]),
        item(OTHER, &[]),
        item(third, &[4]),
    ]);
    let none = CallOverrides::default();
    let accessed = at(&state, |site| site.access_list(&to(CONTRACT, &[]), &none)).unwrap();
    assert_eq!(accessed.list, expected);
    let CallOutcome::Returned { gas_used, .. } = accessed.outcome else {
        panic!("{:?}", accessed.outcome);
    };
    // It is the gas of the call that has the list.
    let with_list = CallRequest {
        access_list: expected.clone(),
        ..to(CONTRACT, &[])
    };
    let called = at(&state, |site| site.call(&with_list, &none)).unwrap();
    let used = CallOutcome::Returned {
        output: Bytes::new(),
        gas_used,
    };
    assert_eq!(called, used);
    // What was asked for stays.
    let unused = CallRequest {
        access_list: AccessList(vec![item(ECRECOVER, &[9])]),
        ..to(CONTRACT, &[])
    };
    let accessed = at(&state, |site| site.access_list(&unused, &none)).unwrap();
    let with_unused = [vec![item(ECRECOVER, &[9])], expected.0].concat();
    assert_eq!(accessed.list, AccessList(with_unused));
    // A contract that is made is in it with its slots, and without any it is not; go-ethereum's.
    let creates = |code: &[u8]| {
        let creating = CallRequest {
            to: None,
            ..to(CONTRACT, code)
        };
        let made = creating.from.create(0);
        let accessed = at(&state, |site| site.access_list(&creating, &none)).unwrap();
        (made, accessed.list)
    };
    let (made, list) = creates(&[op::PUSH0, op::SLOAD, op::PUSH0, op::SSTORE, op::STOP]);
    assert_eq!(list, AccessList(vec![item(made, &[0])]));
    for code in [&[op::INVALID][..], &[op::STOP]] {
        assert_eq!(creates(code).1, AccessList::default());
    }
    // A call that fails has one, too.
    let reverts = accounts(&[(
        CONTRACT,
        coded([&[op::PUSH1, 5, op::SLOAD], REVERT].concat()),
    )]);
    let accessed = at(&state, |site| {
        site.access_list(&to(CONTRACT, &[]), &reverts)
    })
    .unwrap();
    assert_eq!(accessed.list, AccessList(vec![item(CONTRACT, &[5])]));
    assert!(matches!(accessed.outcome, CallOutcome::Reverted { .. }));
}

#[test]
fn what_a_call_takes_is_bounded_by_its_gas() {
    let halted = |code: Vec<u8>| {
        let overrides = accounts(&[(CONTRACT, coded(code))]);
        let ended = at(&MemoryState::default(), |site| {
            site.call(&to(CONTRACT, &[]), &overrides)
        });
        match ended.unwrap() {
            CallOutcome::Halted { reason, gas_used } => (reason, gas_used),
            other @ (CallOutcome::Returned { .. }
            | CallOutcome::Reverted { .. }
            | CallOutcome::Refused { .. }) => panic!("{other:?}"),
        }
    };
    let out_of_gas = ("out of gas".to_owned(), GAS_CAP);
    // A loop without an end.
    assert_eq!(halted(vec![op::JUMPDEST, op::PUSH0, op::JUMP]), out_of_gas);
    // 4 GiB of memory, to return.
    let huge = vec![op::PUSH4, 0xff, 0xff, 0xff, 0xff, op::PUSH0, op::RETURN];
    assert_eq!(halted(huge), out_of_gas);
    // Hashing the same megabyte for ever.
    let hashing = [
        vec![op::JUMPDEST, op::PUSH3, 0x10, 0, 0],
        vec![op::PUSH0, op::KECCAK256, op::POP, op::PUSH0, op::JUMP],
    ];
    assert_eq!(halted(hashing.concat()), out_of_gas);
    // Calling itself as deep as there is gas for: each level has 63/64 of the gas, and the
    // outermost goes on.
    let mut deep = vec![op::PUSH0; 5];
    deep.extend([op::ADDRESS, op::GAS, op::CALL, op::POP, op::PUSH0, op::JUMP]);
    let deep = [vec![op::JUMPDEST], deep].concat();
    assert_eq!(halted(deep), out_of_gas);
}

#[test]
fn the_largest_answer_is_what_the_gas_pays_for() {
    let returning = |bytes: u32| {
        let [_, high, middle, low] = bytes.to_be_bytes();
        let code = vec![op::PUSH3, high, middle, low, op::PUSH0, op::RETURN];
        let overrides: StateOverrides = [(CONTRACT, coded(code))].into();
        let overrides = CallOverrides {
            state: overrides,
            ..CallOverrides::default()
        };
        at(&MemoryState::default(), |site| {
            site.call(&to(CONTRACT, &[]), &overrides).unwrap()
        })
    };
    let largest = 2_800_000;
    match returning(largest) {
        CallOutcome::Returned { output, .. } => assert_eq!(output.len(), 2_800_000),
        other @ (CallOutcome::Reverted { .. }
        | CallOutcome::Halted { .. }
        | CallOutcome::Refused { .. }) => panic!("{other:?}"),
    }
    let larger = returning(3_200_000);
    assert!(matches!(larger, CallOutcome::Halted { .. }), "{larger:?}");
}
