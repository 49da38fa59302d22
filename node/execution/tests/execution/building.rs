//! Blocks built from candidates.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_primitives::{Address, TxKind, U256, hex};
use tbsi_execution::{BlockContext, BuildLimits, Built, LIGHT_GAS_MAX, build, execute};
use tbsi_types::Transaction;
use tbsi_types::limits::TRANSACTION_GAS_MAX;

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);
const NO_LIMIT: BuildLimits = BuildLimits {
    bytes_max: usize::MAX,
    gas_max: u64::MAX,
    time_max: Duration::MAX,
    transaction_time_max: Duration::MAX,
};

fn built(context: &BlockContext, limits: BuildLimits, candidates: &[Arc<Transaction>]) -> Built {
    let state = MemoryState::default();
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, context, limits, &mut iterator, NOW).unwrap();
    let outcome = execute(&state, context, &built.transactions).unwrap();
    assert_eq!(outcome, built.outcome);
    built
}

#[test]
fn skips_what_is_invalid_and_says_whether_it_stays_so() {
    let (wallet, other) = (Wallet::new(1), Wallet::new(2));
    let intrinsic = wallet.sign(TxEip1559 {
        nonce: 1,
        gas_limit: 20_000,
        to: TxKind::Call(CONTRACT),
        ..plain()
    });
    let above_every_block = wallet.sign(TxEip1559 {
        nonce: 1,
        gas_limit: 2_000_001,
        to: TxKind::Call(CONTRACT),
        ..plain()
    });
    let candidates = [
        wallet.call(0, CONTRACT, &[]),
        wallet.call(0, CONTRACT, b"again"),
        wallet.call(2, CONTRACT, &[]),
        other.send(0, CONTRACT, 1),
        intrinsic,
        above_every_block,
        wallet.call(1, CONTRACT, &[]),
    ];
    let context = BlockContext {
        gas_limit: 2_000_000,
        ..context(1)
    };
    let built = built(&context, NO_LIMIT, &candidates);
    assert_eq!(
        built.transactions,
        [candidates[0].clone(), candidates[6].clone()]
    );
    let told: Vec<_> = built
        .skipped
        .iter()
        .map(|skipped| {
            let words = skipped.reason.split(':').next().unwrap();
            (skipped.hash, words, skipped.permanent)
        })
        .collect();
    let expected = [
        (candidates[1].hash(), "nonce too low", true),
        (
            candidates[3].hash(),
            "insufficient funds for gas * price + value",
            false,
        ),
        (candidates[4].hash(), "intrinsic gas too low", true),
        (candidates[5].hash(), "exceeds block gas limit", true),
    ];
    assert_eq!(told, expected);
    assert_eq!(built.skipped[1].sender, other.address);
    assert_eq!(built.skipped[2].nonce, 1);
}

#[test]
fn passes_over_what_does_not_fit_without_calling_it_invalid() {
    let (small, large) = (Wallet::new(1), Wallet::new(2));
    let gas = |wallet: &Wallet, gas_limit, input: Vec<u8>| {
        wallet.sign(TxEip1559 {
            gas_limit,
            to: TxKind::Call(CONTRACT),
            input: input.into(),
            ..plain()
        })
    };
    let first = Wallet::new(3).call(0, CONTRACT, &[]);
    let context = BlockContext {
        gas_limit: 600_000,
        ..context(1)
    };

    let candidates = [
        first.clone(),
        gas(&large, 590_000, vec![]),
        gas(&small, 100_000, vec![]),
    ];
    let built_by_gas = built(&context, NO_LIMIT, &candidates);
    assert_eq!(
        built_by_gas.transactions,
        [first.clone(), candidates[2].clone()]
    );
    assert!(built_by_gas.skipped.is_empty());

    let candidates = [
        first.clone(),
        gas(&large, 90_000, vec![0; 500]),
        gas(&small, 90_000, vec![]),
    ];
    let limits = BuildLimits {
        bytes_max: 400,
        ..NO_LIMIT
    };
    let built_by_bytes = built(&context, limits, &candidates);
    assert_eq!(built_by_bytes.transactions, [first, candidates[2].clone()]);
    assert!(built_by_bytes.skipped.is_empty());
}

#[test]
fn stays_within_its_byte_limit_exactly() {
    let candidates: Vec<_> = (0..10)
        .map(|nonce| Wallet::new(1).call(nonce, CONTRACT, &[]))
        .collect();
    let block_bytes = |count: usize| -> usize {
        candidates[..count]
            .iter()
            .map(|transaction| transaction.encoded().len() + 4)
            .sum()
    };
    let count = |bytes_max| {
        let limits = BuildLimits {
            bytes_max,
            ..NO_LIMIT
        };
        built(&context(1), limits, &candidates).transactions.len()
    };
    assert_eq!(count(block_bytes(4)), 4);
    assert_eq!(count(block_bytes(4) - 1), 3);
    assert_eq!(count(0), 0);
}

#[test]
fn leaves_the_rest_to_the_pool_when_the_block_is_full_or_time_is_up() {
    let candidates: Vec<_> = (0..10)
        .map(|nonce| {
            Wallet::new(1).sign(TxEip1559 {
                nonce,
                gas_limit: 21_000,
                to: TxKind::Call(CONTRACT),
                ..plain()
            })
        })
        .collect();
    let full = BlockContext {
        gas_limit: 21_000 * 3 + 20_999,
        ..context(1)
    };
    let state = MemoryState::default();
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, &full, NO_LIMIT, &mut iterator, NOW).unwrap();
    assert_eq!(built.transactions.len(), 3);
    assert_eq!(built.outcome.gas_used, 63_000);
    assert_eq!(iterator.count(), 7);

    let less = BuildLimits {
        gas_max: 21_000 * 2 + 20_999,
        ..NO_LIMIT
    };
    let built_with_less = self::built(&full, less, &candidates);
    assert_eq!(built_with_less.transactions, candidates[..2]);
    assert!(built_with_less.skipped.is_empty());

    // Time goes on by one at each look at the clock: each transaction has three looks.
    let looked = Cell::new(0);
    let clock = || Duration::from_secs(looked.replace(looked.get() + 1));
    let short = BuildLimits {
        time_max: Duration::from_secs(6),
        ..NO_LIMIT
    };
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, &context(1), short, &mut iterator, &clock).unwrap();
    assert_eq!(built.transactions.len(), 2);
    assert_eq!(iterator.count(), 8);
}

/// Calls a precompile until its gas is used up: `identity` of nothing, in a loop.
const BUSY: [u8; 12] = hex!("5b5f5f5f5f60045afa505f56");

#[test]
fn one_that_takes_too_long_is_stopped_and_nothing_of_it_stays() {
    let (heavy, honest) = (Wallet::new(1), Wallet::new(2));
    let state = MemoryState::default().with_code(CONTRACT, BUSY.to_vec());
    let burn = |gas_limit| {
        heavy.sign(TxEip1559 {
            gas_limit,
            to: TxKind::Call(CONTRACT),
            ..plain()
        })
    };
    let context = BlockContext {
        gas_limit: 60_000_000,
        ..context(1)
    };
    let looked = Cell::new(0);
    let clock = || Duration::from_secs(looked.replace(looked.get() + 1));
    let limits = BuildLimits {
        time_max: Duration::from_secs(1_000_000),
        transaction_time_max: Duration::from_secs(1_000),
        ..NO_LIMIT
    };
    let run = |first: Arc<Transaction>| {
        looked.set(0);
        let candidates = [first, honest.call(0, Address::repeat_byte(7), b"mine")];
        let built = build(
            &state,
            &context,
            limits,
            &mut candidates.into_iter(),
            &clock,
        )
        .unwrap();
        let outcome = execute(&state, &context, &built.transactions).unwrap();
        assert_eq!(outcome, built.outcome);
        built
    };
    let slow = run(burn(TRANSACTION_GAS_MAX));
    assert_eq!(
        slow.transactions,
        [honest.call(0, Address::repeat_byte(7), b"mine")]
    );
    assert_eq!(slow.slow.len(), 1);
    assert_eq!(slow.slow[0].sender, heavy.address);
    // It was stopped at the first look after its time: gas was left for many more.
    assert!(
        slow.slow[0].took < Duration::from_secs(1_010),
        "{:?}",
        slow.slow
    );
    assert!(slow.skipped.is_empty());

    // A light one is in the block however long it takes, and comes first in its turn.
    let light = run(burn(LIGHT_GAS_MAX));
    assert_eq!(
        light.transactions,
        [burn(LIGHT_GAS_MAX), slow.transactions[0].clone()]
    );
    assert!(light.slow.is_empty());

    // A heavy one that is fast enough comes after light ones.
    let allowed = wallet_call_of_heavy(&heavy);
    let fast = run(allowed.clone());
    assert_eq!(fast.transactions, [slow.transactions[0].clone(), allowed]);
}

/// Asks for much gas and needs little.
fn wallet_call_of_heavy(wallet: &Wallet) -> Arc<Transaction> {
    wallet.sign(TxEip1559 {
        gas_limit: TRANSACTION_GAS_MAX,
        to: TxKind::Call(Address::repeat_byte(9)),
        ..plain()
    })
}

#[test]
fn what_follows_a_heavy_one_of_its_sender_or_needs_its_value_is_not_refused() {
    let (rich, poor) = (Wallet::new(1), Wallet::new(2));
    let state = MemoryState::default().with_balance(rich.address, 5);
    let gift = rich.sign(TxEip1559 {
        gas_limit: TRANSACTION_GAS_MAX,
        to: TxKind::Call(poor.address),
        value: U256::from(5),
        ..plain()
    });
    let candidates = [gift, rich.call(1, CONTRACT, &[]), poor.send(0, CONTRACT, 5)];
    let context = BlockContext {
        gas_limit: 60_000_000,
        ..context(1)
    };
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, &context, NO_LIMIT, &mut iterator, NOW).unwrap();
    assert_eq!(built.transactions, candidates);
    assert!(built.skipped.is_empty() && built.slow.is_empty());
}

#[test]
fn refused_candidate_leaves_no_trace() {
    let (wallet, rich) = (Wallet::new(1), Wallet::new(2));
    let state = MemoryState::default().with_balance(rich.address, 5);
    let send = |value| {
        rich.sign(TxEip1559 {
            to: TxKind::Call(CONTRACT),
            value: U256::from(value),
            ..plain()
        })
    };
    let candidates = [send(6), wallet.call(0, CONTRACT, &[]), send(5)];
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, &context(1), NO_LIMIT, &mut iterator, NOW).unwrap();
    assert_eq!(built.transactions, candidates[1..]);
    assert_eq!(built.transactions[1].envelope().value(), U256::from(5));
    assert_eq!(built.skipped.len(), 1);
}

#[test]
fn what_follows_a_transaction_without_room_waits_with_it() {
    let (hungry, other) = (Wallet::new(1), Wallet::new(2));
    let gas = |wallet: &Wallet, nonce, gas_limit| {
        wallet.sign(TxEip1559 {
            nonce,
            gas_limit,
            to: TxKind::Call(CONTRACT),
            ..plain()
        })
    };
    let context = BlockContext {
        gas_limit: 600_000,
        ..context(1)
    };
    let candidates = [
        other.call(0, CONTRACT, &[]),
        gas(&hungry, 0, 590_000),
        gas(&hungry, 1, 50_000),
        other.call(1, CONTRACT, &[]),
    ];
    let found = built(&context, NO_LIMIT, &candidates);
    assert_eq!(
        found.transactions,
        [candidates[0].clone(), candidates[3].clone()]
    );
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);

    // What follows one that is invalid is for the pool to keep, until another takes its place.
    let candidates = [
        gas(&hungry, 0, 20_000),
        gas(&hungry, 1, 50_000),
        gas(&hungry, 0, 21_000),
        gas(&hungry, 1, 60_000),
    ];
    let found = built(&context, NO_LIMIT, &candidates);
    assert_eq!(found.transactions, candidates[2..]);
    let skipped: Vec<_> = found.skipped.iter().map(|it| it.hash).collect();
    assert_eq!(skipped, [candidates[0].hash()]);
}
