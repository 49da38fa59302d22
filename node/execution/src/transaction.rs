//! A signed transaction as revm takes it.

use alloy_consensus::{Transaction as _, Typed2718};
use revm::context::TxEnv;
use revm::context_interface::either::Either;
use tbsi_types::Transaction;

use crate::rules::Fees;

/// Fields of the envelope; the bid only where fees are charged.
pub(crate) fn tx_env(transaction: &Transaction, fees: Fees) -> TxEnv {
    let envelope = transaction.envelope();
    let (gas_price, gas_priority_fee) = match fees {
        Fees::Waived => (0, envelope.max_priority_fee_per_gas().map(|_| 0)),
        Fees::Charged => (
            envelope.max_fee_per_gas(),
            envelope.max_priority_fee_per_gas(),
        ),
    };
    let authorizations = envelope.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: envelope.ty(),
        caller: transaction.sender(),
        gas_limit: envelope.gas_limit(),
        gas_price,
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee,
        blob_hashes: envelope
            .blob_versioned_hashes()
            .unwrap_or_default()
            .to_vec(),
        max_fee_per_blob_gas: envelope.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    }
}
