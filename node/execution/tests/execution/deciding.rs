//! What carries decisions out: motions by anybody, handovers by the chain itself.

use alloy_primitives::{B256, U256};
use alloy_sol_types::SolCall;
use tbsi_governance::abi::MOTIONS;
use tbsi_governance::contracts::Motions;
use tbsi_types::log::count_leaves;

use crate::governed::*;
use crate::support::*;

/// The time of every block of these tests, in seconds.
const NOW: u64 = 1_700_000_001;

/// To deprecate SHA-256, which is for more than two thirds.
fn proposal() -> Motions::proposeCall {
    let words = [0x12u64, 256, 2, 0].map(|word| B256::from(U256::from(word)));
    Motions::proposeCall {
        kind: 15,
        arguments: words.concat().into(),
    }
}

#[test]
fn anybody_carries_a_motion_out_without_leaves_or_permission_to_attest() {
    let mut state = founded(4);
    let proposed = Wallet::new(2).call_with_all(0, MOTIONS, proposal().abi_encode());
    assert!(state.build(1, &[proposed]).outcome.receipts[0].status());
    let vote = Motions::voteCall {
        motion: 1,
        choice: 1,
    };
    let votes: Vec<_> = [(1, 0), (2, 1), (3, 0)]
        .map(|(number, nonce)| Wallet::new(number).call_with_all(nonce, MOTIONS, vote.abi_encode()))
        .into();
    let built = state.build(2, &votes);
    assert!(built.outcome.receipts.iter().all(|it| it.status()));

    state.open_to_the_public(SEND);
    state.limit(0, UNLIMITED, 0);
    let stranger = Wallet::new(90);
    let execute = Motions::executeCall { motion: 1 }.abi_encode();
    let executed = stranger.call_with_all(0, MOTIONS, execute.clone());
    let built = state.build(3, &[executed]);
    assert!(built.skipped.is_empty(), "{:?}", built.skipped);
    let receipt = &built.outcome.receipts[0];
    assert!(receipt.status());
    // The table of algorithms and the motion; counted, as everything is.
    let leaves = count_leaves(receipt.logs()).all;
    assert_eq!(leaves, 2);
    assert_eq!(state.used(0).1, leaves);
    // A second time there is nothing to carry out, and other calls need a leaf.
    let again = stranger.call_with_all(1, MOTIONS, execute);
    let other = stranger.call_with_all(2, MOTIONS, proposal().abi_encode());
    let built = state.build(4, &[again, other]);
    assert!(!built.outcome.receipts[0].status());
    assert_eq!(built.outcome.receipts.len(), 1);
    assert!(
        built.skipped[0]
            .reason
            .contains("quota of leaves of no organisation")
    );
}

#[test]
fn a_handover_takes_place_with_the_first_block_of_its_time() {
    let mut state = founded(4);
    state.hand_over_at(NOW + 1);
    state.build(1, &[]);
    assert_eq!(state.handover_due(), Some(NOW + 1));
    for due in [NOW, 1] {
        state.hand_over_at(due);
        state.build(2, &[]);
        assert_eq!(state.handover_due(), None);
    }
    // Once.
    let built = state.build(3, &[]);
    assert_eq!(built.outcome.members, None);
    assert_eq!(state.handover_due(), None);
}
