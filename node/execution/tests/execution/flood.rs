//! Work before payment: what is executed is paid for, whatever becomes of it.

use alloy_primitives::Address;
use revm::bytecode::opcode as op;
use tbsi_types::log::ATTESTATIONS;

use crate::governed::*;
use crate::support::*;

const BURNER: Address = Address::repeat_byte(0xb0);
/// What the burner leaves over for what it does in the end.
const KEPT_GAS: u64 = 200_000;
const FLOODERS: u64 = 10;
const QUOTA: u64 = 60_000_000;

/// Burns gas until little is left, then attests.
fn burner() -> Vec<u8> {
    let [.., high, middle, low] = KEPT_GAS.to_be_bytes();
    let burn = [
        &[op::JUMPDEST, op::PUSH3, high, middle, low, op::GAS, op::GT][..],
        &[op::PUSH0, op::JUMPI],
    ];
    let attest = forwarding(op::CALL, ATTESTATIONS);
    [burn.concat(), attest, vec![op::STOP]].concat()
}

/// Half of the flood may not attest, the other half has no leaf left.
fn town() -> MemoryState {
    let mut state = founded(3).with_code(BURNER, burner());
    for flooder in 0..FLOODERS {
        let (organisation, bits) = match flooder % 2 {
            0 => (2, SEND),
            _ => (3, SEND | ATTEST),
        };
        state.grant(Wallet::numbered(flooder).address, organisation, bits);
    }
    state.limit(2, QUOTA, UNLIMITED);
    state.limit(3, QUOTA, 0);
    state
}

#[test]
fn execution_that_is_refused_afterwards_is_paid_for() {
    let mut state = town();
    let mut height = 0;
    let mut executed = 0;
    loop {
        height += 1;
        let flood = (0..FLOODERS).map(|flooder| {
            let wallet = Wallet::numbered(flooder);
            let nonce = state.nonce(wallet.address);
            wallet.call_with_all(nonce, BURNER, attesting(flooder))
        });
        // The flood stands first, which is the worst for all others.
        let others = (100..150).map(|number| {
            let (to, input) = match number % 2 {
                0 => (ATTESTATIONS, attesting(number)),
                _ => (Address::repeat_byte(1), Vec::new()),
            };
            Wallet::numbered(number).call(height - 1, to, &input)
        });
        let candidates: Vec<_> = flood.chain(others).collect();
        let built = state.build(height, &candidates);

        // What asks for little gas is taken first (SPEC §6.5).
        let (kept, flood) = built.transactions.split_at(50);
        assert_eq!(kept, &candidates[candidates.len() - 50..]);
        let (others, receipts) = built.outcome.receipts.split_at(50);
        let flooding = receipts.len();
        let mut before = others[49].cumulative_gas_used();
        for receipt in receipts {
            assert!(!receipt.status() && receipt.logs().is_empty());
            let gas = receipt.cumulative_gas_used() - before;
            assert!(gas > (1 << 24) - 2 * KEPT_GAS, "{gas}");
            before = receipt.cumulative_gas_used();
        }
        assert!(others.iter().all(|it| it.status()));
        // Nothing of a flood is left but its nonce, and what it cost.
        for transaction in flood {
            assert_eq!(state.nonce(transaction.sender()), transaction.nonce() + 1);
        }
        executed += flooding as u64;
        for refused in &built.skipped {
            assert!(refused.reason.contains("quota of gas"), "{refused:?}");
        }
        if flooding == 0 {
            break;
        }
    }
    // Each organisation had the gas for three of these, not for a fourth.
    assert_eq!((executed, height), (6, 2));
    for organisation in [2, 3] {
        let (gas, leaves) = state.used(organisation);
        assert!((QUOTA - (1 << 24)..=QUOTA).contains(&gas), "{gas}");
        assert_eq!(leaves, 0);
    }
}

#[test]
fn more_organisations_than_one_call_can_charge_are_all_charged() {
    const ORGANISATIONS: u64 = 1_500;
    let mut state = founded(1);
    let senders = 10..10 + ORGANISATIONS;
    let mut transfer = |number: u64| {
        let wallet = Wallet::numbered(number);
        state.activate(number);
        state.grant(wallet.address, number, SEND);
        state.limit(number, UNLIMITED, 0);
        wallet.call(0, Address::repeat_byte(1), &[])
    };
    let transfers: Vec<_> = senders.clone().map(&mut transfer).collect();
    let built = state.build(1, &transfers);
    assert_eq!(built.transactions.len(), transfers.len());
    for number in senders {
        assert_eq!(state.used(number), (21_000, 0), "{number}");
    }
}
