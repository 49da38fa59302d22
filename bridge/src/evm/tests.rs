use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_sol_types::SolError;
use tbsi_types::SecretKey;

use super::words::refusal;
use super::*;
use crate::record::{Hold, U64Text};

fn key() -> SecretKey {
    SecretKey::from_seed(b"relayer")
}

#[tokio::test]
async fn a_replacement_differs_in_its_bid_alone() {
    let bid = |fee_cap, tip| Bid {
        fee_cap,
        tip,
        legacy: false,
    };
    let to = Address::repeat_byte(7);
    let data = Bytes::from_static(&[1, 2]);
    let call = Call {
        to,
        data: data.clone(),
    };
    let key = key();
    let first = transaction::sign(&key, 31_337, 5, 21_000, bid(10, 1), call);
    let first = first.await.unwrap();
    let second = transaction::sign_again(&key, &first, bid(20, 3));
    let second = second.await.unwrap();
    assert_ne!(first.transaction, second.transaction);
    assert_eq!((second.fee_cap, second.tip), (U64Text(20), U64Text(3)));
    let decoded = TxEnvelope::decode_2718(&mut second.raw.as_ref()).unwrap();
    assert_eq!((decoded.nonce(), decoded.gas_limit()), (5, 21_000));
    assert_eq!((decoded.to(), decoded.input()), (Some(to), &data));
    assert_eq!(decoded.chain_id(), Some(31_337));
    assert_eq!(
        (
            decoded.max_fee_per_gas(),
            decoded.max_priority_fee_per_gas()
        ),
        (20, Some(3))
    );
    let TxEnvelope::Eip1559(signed) = decoded else {
        panic!("another type");
    };
    let hash = signed.signature_hash();
    let signer = signed
        .signature()
        .recover_address_from_prehash(&hash)
        .unwrap();
    assert_eq!(signer, key.public_key().address());
}

#[test]
fn refusals_are_named() {
    let paused = LightClient::LightClientPaused { scope: 0, until: 9 };
    let Estimate::Refused { code, detail, hold } = refusal(&paused.abi_encode(), "") else {
        panic!("refused");
    };
    assert_eq!(
        (code.as_str(), hold),
        ("LightClientPaused", Some(Hold::Paused))
    );
    assert!(detail.contains("until: 9"), "{detail}");
    let kind = LightClient::LeafKind {
        expected: 1,
        given: 2,
    };
    let Estimate::Refused { code, hold, .. } = refusal(&kind.abi_encode(), "") else {
        panic!("refused");
    };
    assert_eq!((code.as_str(), hold), ("LeafKind", None));
    let Estimate::Refused { code, .. } = refusal(&[1, 2, 3, 4, 5], "words") else {
        panic!("refused");
    };
    assert_eq!(code, "0x01020304");
}
