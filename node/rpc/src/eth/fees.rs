//! Fees: there are none (SPEC §5.2), and every client must hear so in its own way.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::U64;
use alloy_rpc_types_eth::FeeHistory;
use tbsi_types::Height;

use crate::api::{Api, Reply, reply};
use crate::arguments::Arguments;
use crate::error::{Failure, header_not_found, refused};
use crate::limits::{FEE_BLOCKS_MAX, FEE_PERCENTILES_MAX};

/// The least blob price of EIP-4844. Blob transactions are refused, but BLOBBASEFEE answers.
pub(crate) const BLOB_BASE_FEE: u8 = 1;

/// `eth_gasPrice` and `eth_maxPriorityFeePerGas`.
pub(crate) fn zero(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(U64::ZERO)
}

/// `eth_blobBaseFee`.
pub(crate) fn blob_base_fee(_: &Api, _: &Arguments<'_>) -> Reply {
    reply(U64::from(BLOB_BASE_FEE))
}

/// `eth_feeHistory(count, newest, percentiles)`. The reward matrix has a zero for each
/// percentile and block, empty blocks too: Hardhat reads `reward[0][0]` and takes no null.
pub(crate) fn fee_history(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let count: U64 = arguments.required(0)?;
    let newest: BlockNumberOrTag = arguments.required(1)?;
    let percentiles: Vec<f64> = arguments.optional(2)?.unwrap_or_default();
    check(&percentiles)?;
    let newest = api.height_of_tag(newest).ok_or_else(header_not_found)?;
    let count = count.to::<u64>().min(FEE_BLOCKS_MAX).min(newest.0 + 1);
    if count == 0 {
        return reply(FeeHistory::default());
    }
    let oldest = Height(newest.0 + 1 - count);
    let heights = oldest.0..=newest.0;
    let ratios: Result<Vec<f64>, Failure> = heights
        .map(|height| gas_used_ratio(api, Height(height)))
        .collect();
    let blocks = usize::try_from(count).expect("at most FEE_BLOCKS_MAX");
    reply(FeeHistory {
        base_fee_per_gas: vec![0; blocks + 1],
        gas_used_ratio: ratios?,
        base_fee_per_blob_gas: vec![BLOB_BASE_FEE.into(); blocks + 1],
        blob_gas_used_ratio: vec![0.0; blocks],
        oldest_block: oldest.0,
        reward: (!percentiles.is_empty()).then(|| vec![vec![0; percentiles.len()]; blocks]),
    })
}

fn check(percentiles: &[f64]) -> Result<(), Failure> {
    if percentiles.len() > FEE_PERCENTILES_MAX {
        return Err(refused(format!(
            "over the query limit {FEE_PERCENTILES_MAX}"
        )));
    }
    for (index, percentile) in percentiles.iter().enumerate() {
        if !(0.0..=100.0).contains(percentile) {
            return Err(refused(format!("invalid reward percentile: {percentile}")));
        }
        if index > 0 && *percentile <= percentiles[index - 1] {
            return Err(refused(format!(
                "invalid reward percentile: #{}:{} >= #{index}:{percentile}",
                index - 1,
                percentiles[index - 1]
            )));
        }
    }
    Ok(())
}

#[expect(
    clippy::float_arithmetic,
    reason = "the answer is a fraction in JSON, and nothing on chain depends on it"
)]
fn gas_used_ratio(api: &Api, height: Height) -> Result<f64, Failure> {
    let header = api.backend.header(height)?.ok_or_else(header_not_found)?;
    Ok(header.gas_used as f64 / header.gas_limit.max(1) as f64)
}
