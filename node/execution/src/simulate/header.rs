//! The header of a simulated block before its calls.

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B256, U256};
use revm::primitives::hardfork::SpecId;
use tbsi_types::Height;
use tbsi_types::block::prev_randao;

use super::plan::Planned;
use crate::rules::{Fees, Rules};

/// What the parent and the overrides say; roots and gas follow.
pub(super) fn before(
    planned: &Planned<'_>,
    parent: &Header,
    rules: &Rules,
    validation: bool,
) -> Header {
    let overrides = planned.overrides;
    let since = |fork: SpecId| rules.spec.is_enabled_in(fork);
    let parent_hash = parent.hash_slow();
    let randao = if rules.tbsi {
        prev_randao(parent_hash, Height(planned.number))
    } else {
        B256::ZERO
    };
    let base_fee = overrides.base_fee_per_gas;
    let base_fee = base_fee.unwrap_or_else(|| {
        if validation {
            next_base_fee(parent, rules)
        } else {
            0
        }
    });
    let beacon_root = overrides.beacon_root.unwrap_or_default();
    Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: overrides.fee_recipient.unwrap_or(parent.beneficiary),
        difficulty: if since(SpecId::MERGE) {
            U256::ZERO
        } else {
            parent.difficulty
        },
        number: planned.number,
        gas_limit: overrides.gas_limit.unwrap_or(parent.gas_limit),
        timestamp: planned.time,
        mix_hash: overrides.prev_randao.unwrap_or(randao),
        base_fee_per_gas: since(SpecId::LONDON).then_some(base_fee),
        withdrawals_root: since(SpecId::SHANGHAI).then_some(EMPTY_WITHDRAWALS),
        // Calls have no blobs, and no parent has more than its target.
        blob_gas_used: since(SpecId::CANCUN).then_some(0),
        excess_blob_gas: since(SpecId::CANCUN).then_some(0),
        parent_beacon_block_root: since(SpecId::CANCUN).then_some(beacon_root),
        requests_hash: since(SpecId::PRAGUE).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// EIP-1559, where there are fees.
fn next_base_fee(parent: &Header, rules: &Rules) -> u64 {
    match (rules.fees, parent.base_fee_per_gas) {
        (Fees::Charged, Some(base_fee)) => calc_next_block_base_fee(
            parent.gas_used,
            parent.gas_limit,
            base_fee,
            BaseFeeParams::ethereum(),
        ),
        (Fees::Charged, None) | (Fees::Waived, _) => 0,
    }
}
