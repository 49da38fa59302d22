//! Leaves of every kind count against a quota, and no quota keeps an organisation from deciding
//! on it.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;
use revm::bytecode::opcode as op;
use tbsi_execution::{call, estimate_gas};
use tbsi_governance::abi::{CHAINS, MOTIONS, NODES, PERMISSIONS};
use tbsi_governance::contracts::{Chains, Motions, Nodes, Permissions};
use tbsi_types::log::{ATTESTATIONS, OUTBOX};
use tbsi_types::{CallRequest, Transaction};

use crate::governed::*;
use crate::support::*;

const GAS_CAP: u64 = 50_000_000;
/// Calls the outbox with its own call data.
const POSTING: Address = Address::repeat_byte(0xa0);

/// The second organisation's wallet, which may do everything.
fn wallet() -> Wallet {
    Wallet::new(2)
}

fn town(gas: u64, leaves: u64) -> MemoryState {
    let posting = [forwarding(op::CALL, OUTBOX), vec![op::STOP]].concat();
    let mut state = founded(4).with_code(POSTING, posting);
    state.limit(2, gas, leaves);
    state
}

fn transaction(wallet: &Wallet, nonce: u64, to: Address, call: &impl SolCall) -> Arc<Transaction> {
    wallet.call_with_all(nonce, to, call.abi_encode())
}

fn resolve() -> Motions::proposeCall {
    Motions::proposeCall {
        kind: 18,
        arguments: B256::repeat_byte(9).to_vec().into(),
    }
}

#[test]
fn leaves_of_every_kind_count_against_the_quota() {
    let mut state = town(UNLIMITED, 5);
    let me = wallet();
    let record = Chains::registerCall {
        caip2: "eip155:1981".into(),
        technology: "besu-26".into(),
        contactUrl: String::new(),
    };
    let acts: [Arc<Transaction>; 5] = [
        me.call(0, ATTESTATIONS, &attesting(1)),
        me.call(1, POSTING, &message(1)),
        transaction(&me, 2, PERMISSIONS, &Wallet::new(7).joining()),
        transaction(&me, 3, CHAINS, &record),
        transaction(&me, 4, MOTIONS, &resolve()),
    ];
    for (height, act) in (1..).zip(&acts) {
        let built = state.build(height, &[Arc::clone(act)]);
        assert!(built.outcome.receipts[0].status(), "{height}");
        assert_eq!(state.used(2).1, height);
    }
    // A direct call is refused before it is executed, through a contract it fails and is paid
    // for; an estimate and a call say the same.
    let used = state.used(2).0;
    for (to, input) in [
        (ATTESTATIONS, attesting(2)),
        (OUTBOX, message(2)),
        (PERMISSIONS, Wallet::new(8).joining().abi_encode()),
    ] {
        let built = state.build(6, &[me.call(5, to, &input)]);
        assert!(built.transactions.is_empty());
        let reason = &built.skipped[0].reason;
        assert!(
            reason.contains("quota of leaves of organisation 2 exceeded: 5 used of 5"),
            "{reason}"
        );
    }
    assert_eq!(state.used(2).0, used);
    let request = CallRequest {
        from: me.address,
        to: Some(POSTING),
        input: message(2).into(),
        ..CallRequest::default()
    };
    let called = call(&state, &context(6), &request, GAS_CAP).unwrap();
    let estimated = estimate_gas(&state, &context(6), &request, GAS_CAP).unwrap();
    for outcome in [called, estimated.unwrap_err()] {
        let told = reverted(&outcome);
        assert!(told.contains("quota of leaves of organisation 2"), "{told}");
    }
    let built = state.build(6, &[me.call(5, POSTING, &message(2))]);
    assert!(!built.outcome.receipts[0].status());
    assert_eq!(state.used(2), (used + built.outcome.gas_used, 5));
    // What makes no leaf is not concerned.
    let built = state.build(7, &[me.call(6, Address::repeat_byte(1), &[])]);
    assert!(built.outcome.receipts[0].status());
}

#[test]
fn leaves_of_one_block_share_what_is_left() {
    let mut state = town(UNLIMITED, 3);
    let (me, colleague) = (wallet(), Wallet::new(50));
    state.grant(colleague.address, 2, SEND | ATTEST);
    let mut candidates = Vec::new();
    for nonce in 0..2 {
        for wallet in [&me, &colleague] {
            candidates.push(wallet.call(nonce, POSTING, &message(nonce)));
        }
    }
    let built = state.build(1, &candidates);
    let statuses: Vec<bool> = built
        .outcome
        .receipts
        .iter()
        .map(|it| it.status())
        .collect();
    assert_eq!(statuses, [true, true, true, false]);
    assert_eq!(state.used(2).1, 3);
}

#[test]
fn no_quota_keeps_an_organisation_from_deciding() {
    let mut state = town(1, 0);
    let (me, proposer) = (wallet(), Wallet::new(1));
    let vote = |motion| Motions::voteCall { motion, choice: 1 };
    // Two motions by others, one by itself.
    let motions: Vec<_> = (0..2)
        .map(|nonce| transaction(&proposer, nonce, MOTIONS, &resolve()))
        .chain([transaction(&me, 0, MOTIONS, &resolve())])
        .collect();
    let built = state.build(1, &motions);
    assert!(built.outcome.receipts.iter().all(|it| it.status()));
    assert_eq!(built.transactions.len(), 3);
    // It is counted, although more than the quota.
    let (gas, leaves) = state.used(2);
    assert!(gas > 100_000 && leaves == 1, "{gas} {leaves}");

    // One in a block; the next waits for the next block, and what follows it with it.
    let candidates = [
        transaction(&me, 1, MOTIONS, &vote(1)),
        transaction(&me, 2, MOTIONS, &vote(2)),
        transaction(&me, 3, MOTIONS, &vote(3)),
    ];
    let mut left = &candidates[..];
    for height in 2..5 {
        let built = state.build(height, left);
        assert_eq!(built.transactions, left[..1]);
        assert!(built.outcome.receipts[0].status());
        assert!(built.skipped.is_empty(), "{:?}", built.skipped);
        left = &left[1..];
    }
    // In a proposed block, a second one makes the block invalid.
    let account = Address::repeat_byte(7);
    let withdrawal = Permissions::withdrawCall { account };
    let two = [
        transaction(&me, 4, PERMISSIONS, &withdrawal),
        transaction(&me, 5, PERMISSIONS, &withdrawal),
    ];
    let words = state.clone().advance(5, &two).unwrap_err().to_string();
    assert!(words.contains("quota of gas of organisation 2"), "{words}");
}

#[test]
fn an_administrator_stops_an_account_that_used_up_the_quota() {
    let mut state = town(UNLIMITED, UNLIMITED);
    let (me, thief) = (wallet(), Wallet::new(50));
    let granted = transaction(&me, 0, PERMISSIONS, &thief.joining());
    assert!(state.build(1, &[granted]).outcome.receipts[0].status());
    state.limit(2, 700_000, 0);
    // Everything else of an administrator waits for the next period.
    let refused = [
        transaction(&me, 1, PERMISSIONS, &Wallet::new(7).joining()),
        transaction(
            &me,
            1,
            MOTIONS,
            &Motions::withdrawCall {
                motion: 1,
                reason: 2,
            },
        ),
        transaction(&me, 1, NODES, &Nodes::retireNodeCall { node: 1 }),
    ];
    for transaction in refused {
        let built = state.build(2, &[transaction]);
        assert!(built.skipped[0].reason.contains("quota of gas"));
    }
    // The thief may not: what is reserved is so for who has the permission.
    let account = me.address;
    let withdraw = transaction(
        &thief,
        0,
        PERMISSIONS,
        &Permissions::withdrawCall { account },
    );
    assert_eq!(state.build(2, &[withdraw]).skipped.len(), 1);

    let account = thief.address;
    let withdraw = transaction(&me, 1, PERMISSIONS, &Permissions::withdrawCall { account });
    let built = state.build(2, &[thief.call(0, Address::repeat_byte(1), &[]), withdraw]);
    assert!(built.outcome.receipts.iter().all(|it| it.status()));
    // From now on it is an account of nobody.
    let more = thief.call(1, Address::repeat_byte(1), &[]);
    assert!(state.build(3, &[more]).outcome.receipts[0].status());
    assert_eq!(state.used(0).0, 21_000);
}

#[test]
fn a_quota_lowered_below_what_was_used_concerns_only_what_asks_for_more() {
    let mut state = town(UNLIMITED, UNLIMITED);
    let me = wallet();
    assert!(
        state
            .build(1, &[me.call(0, POSTING, &message(1))])
            .outcome
            .receipts[0]
            .status()
    );
    state.limit(2, UNLIMITED, 0);
    let built = state.build(2, &[me.call(1, Address::repeat_byte(1), &[])]);
    assert!(built.outcome.receipts[0].status());
}
