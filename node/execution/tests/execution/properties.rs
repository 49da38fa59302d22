//! Properties over random blocks.

use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, TxKind, U256};
use proptest::prelude::*;
use revm::bytecode::opcode as op;
use tbsi_execution::{BuildLimits, Built, build, execute};
use tbsi_types::Transaction;

use crate::support::*;

const STORAGE: Address = Address::repeat_byte(0xa0);
const CREATOR: Address = Address::repeat_byte(0xa1);
const REVERTER: Address = Address::repeat_byte(0xa2);
const DESTROYER: Address = Address::repeat_byte(0xa3);
const NOBODY: Address = Address::repeat_byte(0xa4);

/// What a transaction does; few keys and values, so that transactions meet.
#[derive(Clone, Debug)]
enum Action {
    Send {
        to: u8,
        value: u64,
    },
    Store {
        slot: u64,
        value: u64,
    },
    Deploy,
    /// CREATE2 of a child that stores and destroys itself at once, or stays.
    Child {
        salt: u64,
        value: u64,
        destroyed: bool,
    },
    Revert,
    Destroy,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..6u8, 0..400u64).prop_map(|(to, value)| Action::Send { to, value }),
        (0..3u64, 0..3u64).prop_map(|(slot, value)| Action::Store { slot, value }),
        Just(Action::Deploy),
        (0..2u64, 0..20u64, any::<bool>()).prop_map(|(salt, value, destroyed)| Action::Child {
            salt,
            value,
            destroyed
        }),
        Just(Action::Revert),
        Just(Action::Destroy),
    ]
}

fn child_init_code(destroyed: bool) -> Vec<u8> {
    if destroyed {
        [&[op::PUSH1, 1, op::DUP1, op::SSTORE][..], DESTROY].concat()
    } else {
        deploying(DESTROY)
    }
}

fn transaction(sender: u8, nonce: u64, action: &Action) -> Arc<Transaction> {
    let child = CREATOR.create2(
        U256::ZERO.to_be_bytes::<32>(),
        alloy_primitives::keccak256(child_init_code(true)),
    );
    let (to, value, input) = match action {
        Action::Send { to, value } => {
            let people = [1, 2, 3].map(|seed| Wallet::new(seed).address);
            let all = [people[0], people[1], people[2], NOBODY, DESTROYER, child];
            (TxKind::Call(all[usize::from(*to)]), *value, vec![])
        }
        Action::Store { slot, value } => (TxKind::Call(STORAGE), 0, words(*slot, *value)),
        Action::Deploy => (TxKind::Create, 0, deploying(STORE)),
        Action::Child {
            salt,
            value,
            destroyed,
        } => {
            let salt = U256::from(*salt).to_be_bytes::<32>();
            let input = [&salt[..], &child_init_code(*destroyed)].concat();
            (TxKind::Call(CREATOR), *value, input)
        }
        Action::Revert => (TxKind::Call(REVERTER), 0, b"no".to_vec()),
        Action::Destroy => (TxKind::Call(DESTROYER), 0, vec![]),
    };
    Wallet::new(sender).sign(TxEip1559 {
        nonce,
        to,
        value: U256::from(value),
        input: input.into(),
        ..plain()
    })
}

/// Candidates of three senders; now and then a nonce is wrong.
fn candidates() -> impl Strategy<Value = Vec<Arc<Transaction>>> {
    let one = (1..=3u8, action(), prop::bool::weighted(0.1));
    prop::collection::vec(one, 0..24).prop_map(|list| {
        let mut nonces = [0u64; 4];
        let mut sign = |(sender, action, wrong): (u8, Action, bool)| {
            let nonce = &mut nonces[usize::from(sender)];
            let signed = transaction(sender, *nonce + u64::from(wrong) * 3, &action);
            *nonce += u64::from(!wrong);
            signed
        };
        list.into_iter().map(&mut sign).collect()
    })
}

fn state() -> MemoryState {
    let mut state = MemoryState::default()
        .with_code(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone())
        .with_code(STORAGE, STORE)
        .with_code(CREATOR, FACTORY)
        .with_code(REVERTER, REVERT)
        .with_code(DESTROYER, DESTROY)
        .with_balance(Wallet::new(1).address, 500)
        .with_balance(Wallet::new(2).address, 50);
    state
        .storage
        .insert((STORAGE, U256::from(1)), U256::from(1));
    state
}

fn built(state: &MemoryState, candidates: &[Arc<Transaction>]) -> Built {
    let limits = BuildLimits {
        bytes_max: 3_000,
        gas_max: u64::MAX,
        time_max: std::time::Duration::MAX,
        transaction_time_max: std::time::Duration::MAX,
    };
    let mut iterator = candidates.iter().cloned();
    build(state, &context(1), limits, &mut iterator, NOW).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn building_and_executing_agree(candidates in candidates()) {
        let state = state();
        let built = built(&state, &candidates);
        let outcome = execute(&state, &context(1), &built.transactions).unwrap();
        prop_assert_eq!(&outcome, &built.outcome);
        let again = execute(&state, &context(1), &built.transactions).unwrap();
        prop_assert_eq!(outcome, again);
    }

    /// One block, or one block per transaction: but for the hashes in the history contract the
    /// state is the same. `MemoryState::apply` checks every diff on the way.
    #[test]
    fn state_does_not_depend_on_where_blocks_end(candidates in candidates()) {
        let mut at_once = state();
        let built = built(&at_once, &candidates);
        at_once.apply(&built.outcome.diff);
        let mut one_by_one = state();
        let mut gas_used = 0;
        for (height, transaction) in (1..).zip(&built.transactions) {
            let transaction = std::slice::from_ref(transaction);
            gas_used += one_by_one.advance(height, transaction).unwrap().gas_used;
        }
        prop_assert_eq!(gas_used, built.outcome.gas_used);
        for state in [&mut at_once, &mut one_by_one] {
            state.storage.retain(|(owner, _), _| *owner != HISTORY_STORAGE_ADDRESS);
            let accounts = state.accounts.values();
            let used: Vec<_> = accounts.map(|account| account.code_hash).collect();
            state.codes.retain(|hash, _| used.contains(hash));
        }
        prop_assert_eq!(at_once, one_by_one);
    }
}
