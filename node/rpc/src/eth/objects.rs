//! Blocks, transactions, receipts and logs as Ethereum's JSON-RPC shows them.

use std::borrow::Cow;
use std::sync::Arc;

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Header, Sealable, Transaction as _};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, Log, U256};
use alloy_rpc_types_eth as rpc;
use alloy_rpc_types_eth::BlockTransactions;
use tbsi_types::{Block, Receipt, Transaction, TxEnvelope};

use super::fees::BLOB_BASE_FEE;
use crate::backend::{BackendError, Fees, PlacedReceipt};

/// Where something is in the chain.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) hash: B256,
    pub(crate) number: u64,
    pub(crate) timestamp: u64,
    base_fee: Option<u64>,
    fees: Fees,
}

impl Place {
    /// Of a block's contents.
    pub(crate) fn of(header: &Header, fees: Fees) -> Self {
        Self {
            hash: header.hash_slow(),
            number: header.number,
            timestamp: header.timestamp,
            base_fee: header.base_fee_per_gas,
            fees,
        }
    }

    /// What a transaction pays for a unit of gas, whatever it bid.
    pub(crate) fn price(&self, envelope: &TxEnvelope) -> u128 {
        match self.fees {
            Fees::Waived => 0,
            Fees::Charged => envelope.effective_gas_price(self.base_fee),
        }
    }
}

/// A header without `size`, as `newHeads` sends it.
pub(crate) fn header(header: Header) -> rpc::Header {
    rpc::Header::from_sealed(header.seal_slow())
}

/// A block with transactions or their hashes.
pub(crate) fn block(
    block: &Block,
    fees: Fees,
    full: bool,
) -> rpc::Block<rpc::Transaction<TxEnvelope>> {
    let size = U256::from(block.encode().len());
    let place = Place::of(&block.header, fees);
    let transactions = if full {
        let numbered = block.transactions.iter().zip(0..);
        BlockTransactions::Full(
            numbered
                .map(|(tx, index)| transaction(tx, Some((place, index))))
                .collect(),
        )
    } else {
        BlockTransactions::Hashes(block.transactions.iter().map(|tx| tx.hash()).collect())
    };
    rpc::Block {
        header: header(block.header.clone()).with_size(Some(size)),
        uncles: Vec::new(),
        transactions,
        withdrawals: block
            .header
            .withdrawals_root
            .map(|_| Withdrawals::default()),
    }
}

/// A transaction, included at a place and index, or pending. Its price is what it pays; one that
/// is pending pays nothing yet.
pub(crate) fn transaction(
    transaction: &Transaction,
    at: Option<(Place, u64)>,
) -> rpc::Transaction<TxEnvelope> {
    rpc::Transaction {
        inner: Recovered::new_unchecked(transaction.envelope().clone(), transaction.sender()),
        block_hash: at.map(|(place, _)| place.hash),
        block_number: at.map(|(place, _)| place.number),
        transaction_index: at.map(|(_, index)| index),
        effective_gas_price: Some(at.map_or(0, |(place, _)| place.price(transaction.envelope()))),
        block_timestamp: at.map(|(place, _)| place.timestamp),
    }
}

/// The receipts of a block, in order.
pub(crate) fn receipts(
    block: &Block,
    receipts: Arc<Vec<Receipt>>,
    fees: Fees,
) -> Result<Vec<rpc::TransactionReceipt>, BackendError> {
    complete(block, &receipts)?;
    let receipts = Arc::unwrap_or_clone(receipts);
    let place = Place::of(&block.header, fees);
    let (mut gas_before, mut logs_before) = (0, 0);
    let pairs = block.transactions.iter().zip(receipts).zip(0..);
    Ok(pairs
        .map(|((transaction, one), index)| {
            let (gas, logs) = (one.cumulative_gas_used(), one.logs().len() as u64);
            let placed = PlacedReceipt {
                receipt: one,
                gas_before,
                logs_before,
            };
            gas_before = gas;
            logs_before += logs;
            receipt(transaction, placed, place, index)
        })
        .collect())
}

/// The receipt of the transaction at `index` of a block.
pub(crate) fn receipt(
    transaction: &Transaction,
    placed: PlacedReceipt,
    place: Place,
    index: u64,
) -> rpc::TransactionReceipt {
    let hash = transaction.hash();
    let gas_used = placed
        .receipt
        .cumulative_gas_used()
        .saturating_sub(placed.gas_before);
    let mut log_index = placed.logs_before;
    let inner = placed.receipt.map_logs(|inner| {
        let log = log(inner, place, hash, index, log_index);
        log_index += 1;
        log
    });
    receipt_object(transaction, inner, place, index, gas_used)
}

/// The logs of a block that match, in order. Those of receipts that nobody else has are moved: a
/// block may have some hundred megabytes of them.
pub(crate) fn logs(
    block: &Block,
    receipts: Arc<Vec<Receipt>>,
    fees: Fees,
    matches: impl Fn(&Log) -> bool,
) -> Result<Vec<rpc::Log>, BackendError> {
    complete(block, &receipts)?;
    let place = Place::of(&block.header, fees);
    Ok(match Arc::try_unwrap(receipts) {
        Ok(own) => {
            let own = own.into_iter();
            let logs = own.map(|it| it.into_logs().into_iter().map(Cow::Owned));
            matching(block, place, logs, matches)
        }
        Err(shared) => {
            let logs = shared.iter().map(|it| it.logs().iter().map(Cow::Borrowed));
            matching(block, place, logs, matches)
        }
    })
}

/// The same, of the logs of each receipt.
fn matching<'r, L: Iterator<Item = Cow<'r, Log>>>(
    block: &Block,
    place: Place,
    logs: impl Iterator<Item = L>,
    matches: impl Fn(&Log) -> bool,
) -> Vec<rpc::Log> {
    let (mut found, mut log_index) = (Vec::new(), 0);
    for ((transaction, logs), index) in block.transactions.iter().zip(logs).zip(0..) {
        for inner in logs {
            if matches(&inner) {
                let inner = inner.into_owned();
                found.push(log(inner, place, transaction.hash(), index, log_index));
            }
            log_index += 1;
        }
    }
    found
}

/// Each transaction has a receipt.
fn complete(block: &Block, receipts: &[Receipt]) -> Result<(), BackendError> {
    if receipts.len() == block.transactions.len() {
        return Ok(());
    }
    Err(BackendError::Internal(format!(
        "block {} has {} transactions, but {} receipts are stored",
        block.height(),
        block.transactions.len(),
        receipts.len()
    )))
}

fn receipt_object(
    transaction: &Transaction,
    inner: alloy_consensus::ReceiptEnvelope<rpc::Log>,
    place: Place,
    index: u64,
    gas_used: u64,
) -> rpc::TransactionReceipt {
    let envelope = transaction.envelope();
    let created = envelope
        .is_create()
        .then(|| transaction.sender().create(envelope.nonce()));
    rpc::TransactionReceipt {
        inner,
        transaction_hash: transaction.hash(),
        transaction_index: Some(index),
        block_hash: Some(place.hash),
        block_number: Some(place.number),
        gas_used,
        effective_gas_price: place.price(envelope),
        // Blobs are refused: those of other chains show them.
        blob_gas_used: envelope.blob_gas_used(),
        blob_gas_price: envelope.blob_gas_used().map(|_| BLOB_BASE_FEE.into()),
        from: transaction.sender(),
        to: envelope.to(),
        contract_address: created,
    }
}

pub(crate) fn log(
    inner: Log,
    place: Place,
    transaction_hash: B256,
    transaction_index: u64,
    log_index: u64,
) -> rpc::Log {
    rpc::Log {
        inner,
        block_hash: Some(place.hash),
        block_number: Some(place.number),
        block_timestamp: Some(place.timestamp),
        transaction_hash: Some(transaction_hash),
        transaction_index: Some(transaction_index),
        log_index: Some(log_index),
        removed: false,
    }
}
