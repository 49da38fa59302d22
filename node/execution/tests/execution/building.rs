//! Blocks built from candidates.

use std::cell::Cell;
use std::sync::Arc;

use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_primitives::{Address, TxKind, U256};
use tbsi_execution::{BlockContext, BuildLimits, Built, build, execute};
use tbsi_types::Transaction;

use crate::support::*;

const CONTRACT: Address = Address::repeat_byte(0xc0);
const NO_LIMIT: BuildLimits = BuildLimits {
    bytes_max: usize::MAX,
    gas_max: u64::MAX,
};

fn built(context: &BlockContext, limits: BuildLimits, candidates: &[Arc<Transaction>]) -> Built {
    let state = MemoryState::default();
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, context, limits, &mut iterator, &|| true).unwrap();
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
    let built = build(&state, &full, NO_LIMIT, &mut iterator, &|| true).unwrap();
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

    let asked = Cell::new(0);
    let keep_going = || asked.replace(asked.get() + 1) < 2;
    let mut iterator = candidates.iter().cloned();
    let built = build(&state, &context(1), NO_LIMIT, &mut iterator, &keep_going).unwrap();
    assert_eq!(built.transactions.len(), 2);
    assert_eq!(iterator.count(), 8);
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
    let built = build(&state, &context(1), NO_LIMIT, &mut iterator, &|| true).unwrap();
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
