//! A call of a simulated block as the transaction that it would be.

use alloy_consensus::{
    EthereumTypedTransaction, SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702,
    TxLegacy,
};
use alloy_primitives::{Signature, TxKind, U256};
use revm::context_interface::result::InvalidTransaction;
use revm::primitives::hardfork::SpecId;
use tbsi_types::{CallRequest, SimulationFault, TxEnvelope};

use crate::rules::Rules;
use crate::words;

/// With a signature of zeros, and the bid as it was made.
pub(super) fn unsigned(
    request: &CallRequest,
    rules: &Rules,
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
) -> Result<TxEnvelope, String> {
    let to = request.to.map_or(TxKind::Create, TxKind::Call);
    let (value, input) = (request.value, request.input.clone());
    let access_list = request.access_list.clone();
    let max_fee_per_gas = request.bid.max_fee_per_gas;
    let tip = request.bid.max_priority_fee_per_gas;
    let dynamic = tip.filter(|_| rules.spec.is_enabled_in(SpecId::LONDON));
    let typed: EthereumTypedTransaction<TxEip4844> = if !request.authorizations.is_empty() {
        EthereumTypedTransaction::Eip7702(TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas: tip.unwrap_or(max_fee_per_gas),
            to: request
                .to
                .ok_or_else(|| words::SET_CODE_CREATE.to_owned())?,
            value,
            access_list,
            authorization_list: request.authorizations.clone(),
            input,
        })
    } else if let Some(max_priority_fee_per_gas) = dynamic {
        EthereumTypedTransaction::Eip1559(TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            input,
        })
    } else if access_list.is_empty() {
        EthereumTypedTransaction::Legacy(TxLegacy {
            chain_id: Some(chain_id),
            nonce,
            gas_price: max_fee_per_gas,
            gas_limit,
            to,
            value,
            input,
        })
    } else {
        EthereumTypedTransaction::Eip2930(TxEip2930 {
            chain_id,
            nonce,
            gas_price: max_fee_per_gas,
            gas_limit,
            to,
            value,
            access_list,
            input,
        })
    };
    let nobody = Signature::new(U256::ZERO, U256::ZERO, false);
    Ok(TxEnvelope::from(typed.into_signed(nobody)))
}

/// Which rule of simulations a refusal is.
pub(super) fn fault(error: &InvalidTransaction) -> SimulationFault {
    use InvalidTransaction as E;
    // The others have no code of their own.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are one fault")]
    match error {
        E::NonceTooLow { .. } => SimulationFault::NonceTooLow,
        E::NonceTooHigh { .. } => SimulationFault::NonceTooHigh,
        E::GasPriceLessThanBasefee => SimulationFault::BidTooLow,
        E::CallGasCostMoreThanGasLimit { .. } | E::GasFloorMoreThanGasLimit { .. } => {
            SimulationFault::IntrinsicGas
        }
        E::LackOfFundForMaxFee { .. } | E::OverflowPaymentInTransaction => SimulationFault::Funds,
        E::CallerGasLimitMoreThanBlock => SimulationFault::BlockGas,
        E::CreateInitCodeSizeLimit => SimulationFault::InitCode,
        _ => SimulationFault::Invalid,
    }
}
