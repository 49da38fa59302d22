//! Answers of `eth_*` methods, as far as they are looked at.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U64};
use serde::Deserialize;

use crate::record::{Inclusion, U64Text};
use crate::target::TargetBlock;

/// Name of the gas that a transaction used, among what it cost.
pub const GAS_USED: &str = "gasUsed";

/// A block, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) number: U64,
    pub(super) hash: B256,
    pub(super) timestamp: U64,
    pub(super) base_fee_per_gas: Option<U64>,
    /// By which blocks of QBFT and IBFT 2.0 are known.
    pub(super) mix_hash: Option<B256>,
}

/// A receipt, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) transaction_hash: B256,
    pub(super) block_number: U64,
    pub(super) block_hash: B256,
    pub(super) gas_used: U64,
    pub(super) effective_gas_price: Option<U64>,
    pub(super) status: U64,
}

impl Head {
    /// Its place.
    pub(super) fn block(&self) -> TargetBlock {
        TargetBlock {
            number: self.number.to(),
            hash: self.hash,
            time: self.timestamp.to(),
        }
    }
}

/// As records have it. Receipts of chains without base fee do not name the price, which is the
/// transaction's own.
pub(super) fn inclusion(receipt: &Receipt, price: U64Text) -> Inclusion {
    let paid = receipt.effective_gas_price;
    Inclusion {
        transaction: receipt.transaction_hash,
        block: receipt.block_number.to(),
        block_hash: receipt.block_hash,
        cost: cost(
            receipt.gas_used.to(),
            paid.map_or(price, |paid| U64Text(paid.to())),
        ),
        success: receipt.status == U64::from(1),
    }
}

/// Gas used, and what was paid for each, wei.
pub(super) fn cost(gas_used: u64, gas_price: U64Text) -> BTreeMap<String, U64Text> {
    BTreeMap::from([
        (GAS_USED.into(), U64Text(gas_used)),
        ("gasPrice".into(), gas_price),
    ])
}
