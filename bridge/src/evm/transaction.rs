//! Transactions of type 2 (EIP-1559).

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::TxKind;

use crate::fees::Bid;
use crate::record::Attempt;
use crate::signer::{SignError, Signer};
use crate::target::Call;

pub(super) async fn sign(
    signer: &dyn Signer,
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    bid: Bid,
    call: Call,
) -> Result<Attempt, SignError> {
    let transaction = TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: bid.fee_cap.into(),
        max_priority_fee_per_gas: bid.tip.into(),
        to: TxKind::Call(call.to),
        input: call.data,
        ..TxEip1559::default()
    };
    finish(signer, transaction, bid).await
}

/// The same call with the same nonce and another bid.
pub(super) async fn sign_again(
    signer: &dyn Signer,
    attempt: &Attempt,
    bid: Bid,
) -> Result<Attempt, SignError> {
    let decoded = TxEnvelope::decode_2718(&mut attempt.raw.as_ref());
    match decoded.map_err(|error| SignError(error.to_string()))? {
        TxEnvelope::Eip1559(signed) => {
            let mut transaction = signed.strip_signature();
            transaction.max_fee_per_gas = bid.fee_cap.into();
            transaction.max_priority_fee_per_gas = bid.tip.into();
            finish(signer, transaction, bid).await
        }
        TxEnvelope::Legacy(_)
        | TxEnvelope::Eip2930(_)
        | TxEnvelope::Eip4844(_)
        | TxEnvelope::Eip7702(_) => Err(SignError(
            "the journal holds a transaction of another type".into(),
        )),
    }
}

async fn finish(
    signer: &dyn Signer,
    transaction: TxEip1559,
    bid: Bid,
) -> Result<Attempt, SignError> {
    let signature = signer.sign(transaction.signature_hash()).await?;
    let signed = transaction.into_signed(signature);
    let hash = *signed.hash();
    let (fee_cap, tip) = bid.text();
    Ok(Attempt {
        transaction: hash,
        raw: TxEnvelope::from(signed).encoded_2718().into(),
        fee_cap,
        tip,
    })
}
