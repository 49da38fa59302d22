//! The list of methods.

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;

use crate::api::{Handler, Runner};
use crate::{eth, log, net, tbsi};

/// Name, greatest number of arguments, function.
#[rustfmt::skip]
const METHODS: &[(&str, usize, Handler)] = &[
    ("eth_accounts", 0, eth::accounts),
    ("eth_blobBaseFee", 0, eth::fees::blob_base_fee),
    ("eth_blockNumber", 0, eth::block_number),
    ("eth_call", 4, eth::call::call),
    ("eth_capabilities", 0, eth::capabilities),
    ("eth_chainId", 0, eth::chain_id),
    ("eth_estimateGas", 4, eth::call::estimate_gas),
    ("eth_feeHistory", 3, eth::fees::fee_history),
    ("eth_fillTransaction", 1, eth::call::fill_transaction),
    ("eth_gasPrice", 0, eth::fees::zero),
    ("eth_getBalance", 2, eth::state::balance),
    ("eth_getBlockByHash", 2, eth::blocks::block_by_hash),
    ("eth_getBlockByNumber", 2, eth::blocks::block_by_number),
    ("eth_getBlockReceipts", 1, eth::blocks::block_receipts),
    ("eth_getBlockTransactionCountByHash", 1, eth::blocks::count_by_hash),
    ("eth_getBlockTransactionCountByNumber", 1, eth::blocks::count_by_number),
    ("eth_getCode", 2, eth::state::code),
    ("eth_getLogs", 1, eth::logs::logs),
    ("eth_getProof", 3, eth::state::proof),
    ("eth_getStorageAt", 3, eth::state::storage_at),
    ("eth_getTransactionByBlockHashAndIndex", 2, eth::blocks::transaction_by_hash_and_index),
    ("eth_getTransactionByBlockNumberAndIndex", 2, eth::blocks::transaction_by_number_and_index),
    ("eth_getTransactionByHash", 1, eth::blocks::transaction_by_hash),
    ("eth_getTransactionCount", 2, eth::state::transaction_count),
    ("eth_getTransactionReceipt", 1, eth::blocks::transaction_receipt),
    ("eth_maxPriorityFeePerGas", 0, eth::fees::zero),
    ("eth_sendRawTransaction", 1, eth::send_raw_transaction),
    ("eth_syncing", 0, eth::syncing),
    ("net_listening", 0, net::listening),
    ("net_peerCount", 0, net::peer_count),
    ("net_version", 0, net::version),
    ("rpc_modules", 0, net::modules),
    ("tbsi_findByDigest", 2, log::find_by_digest),
    ("tbsi_findById", 2, log::find_by_id),
    ("tbsi_getAbsence", 2, log::absence),
    ("tbsi_getAttestation", 1, log::attestation),
    ("tbsi_getCertificate", 1, tbsi::certificate),
    ("tbsi_getCheckpoint", 1, tbsi::checkpoint),
    ("tbsi_getConsistency", 2, log::consistency),
    ("tbsi_getEvidence", 0, tbsi::evidence),
    ("tbsi_getHandovers", 1, tbsi::handovers),
    ("tbsi_getLeaf", 1, log::leaf),
    ("tbsi_getLeaves", 1, log::leaves),
    ("tbsi_getOperator", 1, tbsi::operator),
    ("tbsi_getProof", 2, log::proof),
    ("tbsi_getValidators", 1, tbsi::validators),
    ("tbsi_logKeys", 0, log::log_keys),
    ("tbsi_status", 0, tbsi::status),
    ("tbsi_transactionStatus", 1, tbsi::transaction_status),
    ("txpool_status", 0, net::pool_status),
    ("web3_clientVersion", 0, net::client_version),
    ("web3_sha3", 1, net::sha3),
];

/// The method that waits for finality.
pub(crate) const SEND_ATTESTATION: &str = "tbsi_sendAttestation";

/// All methods except subscriptions.
pub(crate) fn module(runner: Runner) -> Result<RpcModule<Runner>, RegisterMethodError> {
    let mut module = RpcModule::new(runner);
    for &(name, count, handler) in METHODS {
        module.register_async_method(name, move |params, runner, _| async move {
            runner.call(handler, count, params).await
        })?;
    }
    // Waits for finality without holding a place among the running calls.
    module.register_async_method(SEND_ATTESTATION, |params, runner, _| async move {
        log::send_attestation(&runner, params).await
    })?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ARGUMENTS_MAX;

    #[test]
    fn methods_are_sorted_and_take_fewer_arguments_than_are_kept() {
        assert!(METHODS.is_sorted_by(|one, next| one.0 < next.0));
        assert!(METHODS.iter().all(|(_, count, _)| *count < ARGUMENTS_MAX));
    }
}
