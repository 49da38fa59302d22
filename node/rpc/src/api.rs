//! The list of methods, and how a call runs.

use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Semaphore;

use crate::arguments::Arguments;
use crate::backend::Backend;
use crate::error::{Failure, internal};
use crate::limits::{ACKNOWLEDGEMENTS_MAX, SUBSCRIPTIONS_ALL_MAX};
use crate::server::RpcLimits;
use crate::{eth, log, net, tbsi};

/// What a method's function answers.
pub(crate) type Reply = Result<Box<RawValue>, Failure>;

/// A method: reads its arguments, asks the node, answers.
pub(crate) type Handler = fn(&Api, &Arguments<'_>) -> Reply;

/// What every method's function may use.
pub(crate) struct Api {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) limits: RpcLimits,
}

/// A result as JSON.
pub(crate) fn reply(result: impl Serialize) -> Reply {
    to_raw_value(&result).map_err(|error| internal(&error))
}

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
    ("tbsi_getAttestation", 1, log::attestation),
    ("tbsi_getCertificate", 1, tbsi::certificate),
    ("tbsi_getCheckpoint", 1, tbsi::checkpoint),
    ("tbsi_getConsistency", 2, log::consistency),
    ("tbsi_getEvidence", 0, tbsi::evidence),
    ("tbsi_getHandovers", 1, tbsi::handovers),
    ("tbsi_getLeaf", 1, log::leaf),
    ("tbsi_getLeaves", 1, log::leaves),
    ("tbsi_getOperator", 1, tbsi::operator),
    ("tbsi_getProof", 1, log::proof),
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

/// Runs methods on blocking threads, a bounded number at a time.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) api: Arc<Api>,
    running: Arc<Semaphore>,
    /// Places of those who wait for finality.
    pub(crate) acknowledgements: Arc<Semaphore>,
    /// Places of subscriptions, over all connections.
    pub(crate) subscriptions: Arc<Semaphore>,
}

impl Runner {
    /// Runs at most `limits.calls_max` calls at a time.
    pub(crate) fn new(backend: Arc<dyn Backend>, limits: RpcLimits) -> Self {
        let places = limits.calls_max.min(Semaphore::MAX_PERMITS);
        let running = Arc::new(Semaphore::new(places));
        let api = Arc::new(Api { backend, limits });
        Self {
            api,
            running,
            acknowledgements: Arc::new(Semaphore::new(ACKNOWLEDGEMENTS_MAX)),
            subscriptions: Arc::new(Semaphore::new(SUBSCRIPTIONS_ALL_MAX)),
        }
    }

    /// Waits for a free place, then for `work`. A panic is an internal error of this call.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Api) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let permit = permit.map_err(|error| internal(&error))?;
        let api = Arc::clone(&self.api);
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a client that goes away does not free its place early.
            let _permit = permit;
            work(&api)
        });
        task.await.unwrap_or_else(|error| Err(internal(&error)))
    }

    async fn call(&self, handler: Handler, count: usize, params: Params<'static>) -> Reply {
        self.run(move |api| handler(api, &Arguments::split(&params, count)?))
            .await
    }
}

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
