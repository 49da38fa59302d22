//! Transactions of type 2 (EIP-1559).

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, Bytes, Signature, TxKind};
use tbsi_types::SecretKey;

use crate::fees::Bid;
use crate::record::Attempt;

pub(super) fn sign(
    key: &SecretKey,
    chain_id: u64,
    to: Address,
    nonce: u64,
    gas_limit: u64,
    bid: Bid,
    input: Bytes,
) -> Attempt {
    let transaction = TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: bid.fee_cap.into(),
        max_priority_fee_per_gas: bid.tip.into(),
        to: TxKind::Call(to),
        input,
        ..TxEip1559::default()
    };
    finish(key, transaction, bid)
}

/// The same call with the same nonce and another bid.
pub(super) fn sign_again(key: &SecretKey, attempt: &Attempt, bid: Bid) -> Result<Attempt, String> {
    let decoded = TxEnvelope::decode_2718(&mut attempt.raw.as_ref());
    match decoded.map_err(|error| error.to_string())? {
        TxEnvelope::Eip1559(signed) => {
            let mut transaction = signed.strip_signature();
            transaction.max_fee_per_gas = bid.fee_cap.into();
            transaction.max_priority_fee_per_gas = bid.tip.into();
            Ok(finish(key, transaction, bid))
        }
        TxEnvelope::Legacy(_)
        | TxEnvelope::Eip2930(_)
        | TxEnvelope::Eip4844(_)
        | TxEnvelope::Eip7702(_) => Err("the journal holds a transaction of another type".into()),
    }
}

fn finish(key: &SecretKey, transaction: TxEip1559, bid: Bid) -> Attempt {
    let signature = key.sign(transaction.signature_hash());
    let signature = Signature::from_raw_array(&signature.0).expect("v is 27 or 28");
    let signed = transaction.into_signed(signature);
    let hash = *signed.hash();
    let (fee_cap, tip) = bid.text();
    Attempt {
        transaction: hash,
        raw: TxEnvelope::from(signed).encoded_2718().into(),
        fee_cap,
        tip,
    }
}
