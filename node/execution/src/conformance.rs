//! The block path under the rules of Ethereum's forks, for Ethereum's state tests. Not for use
//! by a node.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;
use tbsi_types::{StateView, Transaction};

use crate::environment::Environment;
use crate::error::ExecutionError;
use crate::rules::{Fees, Rules};
use crate::run::{BlockRun, Outcome};

/// A fork of Ethereum.
#[derive(Clone, Copy, Debug)]
pub struct Fork(SpecId);

impl Fork {
    /// By the name that the state tests use; `None` if revm does not have it.
    pub fn parse(name: &str) -> Option<Self> {
        let spec = match name {
            "Frontier" => SpecId::FRONTIER,
            "Homestead" => SpecId::HOMESTEAD,
            "EIP150" => SpecId::TANGERINE,
            "EIP158" => SpecId::SPURIOUS_DRAGON,
            "Byzantium" => SpecId::BYZANTIUM,
            // Constantinople was Petersburg with EIP-1283, and never alone on a live network:
            // revm has one for both.
            "Constantinople" | "ConstantinopleFix" => SpecId::PETERSBURG,
            "Istanbul" => SpecId::ISTANBUL,
            "Berlin" => SpecId::BERLIN,
            "London" => SpecId::LONDON,
            "Paris" | "Merge" => SpecId::MERGE,
            "Shanghai" => SpecId::SHANGHAI,
            "Cancun" => SpecId::CANCUN,
            "Prague" => SpecId::PRAGUE,
            "Osaka" => SpecId::OSAKA,
            _ => return None,
        };
        Some(Self(spec))
    }

    fn rules(self) -> Rules {
        // EIP-4844: 6 a block; EIP-7691: 9 a block; EIP-7594: 6 a transaction.
        let blobs_max = if self.0 == SpecId::PRAGUE { 9 } else { 6 };
        Rules {
            version: 1,
            spec: self.0,
            fees: Fees::Charged,
            blobs_max: Some(blobs_max),
            tbsi: false,
        }
    }
}

/// The block of a state test.
#[derive(Clone, Copy, Debug)]
pub struct TestBlock {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Receives the fees.
    pub beneficiary: Address,
    /// Block number.
    pub number: U256,
    /// Seconds.
    pub timestamp: U256,
    /// Gas limit.
    pub gas_limit: u64,
    /// EIP-1559; 0 before.
    pub base_fee: u64,
    /// Before the merge.
    pub difficulty: U256,
    /// After the merge.
    pub prev_randao: Option<B256>,
    /// EIP-4844.
    pub excess_blob_gas: u64,
}

/// Executes like [`crate::execute`] under a fork's rules, fees charged and no system call.
pub fn execute(
    view: &(impl StateView + ?Sized),
    fork: Fork,
    block: &TestBlock,
    transactions: &[Arc<Transaction>],
) -> Result<Outcome, ExecutionError> {
    let blobs = BlobExcessGasAndPrice::new_with_spec(block.excess_blob_gas, fork.0);
    let environment = Environment {
        rules: fork.rules(),
        protocol: 1,
        chain_id: block.chain_id,
        block: BlockEnv {
            number: block.number,
            beneficiary: block.beneficiary,
            timestamp: block.timestamp,
            gas_limit: block.gas_limit,
            basefee: block.base_fee,
            difficulty: block.difficulty,
            prevrandao: block.prev_randao,
            blob_excess_gas_and_price: Some(blobs),
            slot_num: 0,
        },
        parent: None,
        genesis_hash: B256::ZERO,
    };
    BlockRun::begin(view, environment)?.execute(transactions)
}
