//! Transactions of type 2 (EIP-1559), and of type 0 where the chain knows no other.

use tbsi_types::UnsignedTransaction;

use super::fees::Bid;
use super::{Attempt, Call};
use crate::signer::{self, SignError, Signer};

pub(super) async fn sign(
    signer: &dyn Signer,
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    bid: Bid,
    call: Call,
) -> Result<Attempt, SignError> {
    let transaction = UnsignedTransaction {
        chain_id,
        nonce,
        gas_limit,
        to: Some(call.to),
        input: call.data,
        legacy: bid.legacy,
        ..UnsignedTransaction::default()
    };
    sign_with(signer, transaction, bid).await
}

/// The same call with the same nonce and another bid.
pub(super) async fn sign_again(
    signer: &dyn Signer,
    attempt: &Attempt,
    bid: Bid,
) -> Result<Attempt, SignError> {
    let sent = UnsignedTransaction::of_signed(&attempt.raw);
    match sent.map_err(|error| SignError(error.to_string()))? {
        Some(transaction) => sign_with(signer, transaction, bid).await,
        None => Err(SignError(
            "the journal holds a transaction of another type".into(),
        )),
    }
}

async fn sign_with(
    signer: &dyn Signer,
    mut transaction: UnsignedTransaction,
    bid: Bid,
) -> Result<Attempt, SignError> {
    transaction.max_fee_per_gas = bid.fee_cap.into();
    transaction.max_priority_fee_per_gas = bid.tip.into();
    let signed = signer::sign(signer, transaction).await?;
    let (fee_cap, tip) = bid.text();
    Ok(Attempt {
        transaction: signed.hash,
        raw: signed.encoded,
        fee_cap,
        tip,
    })
}
