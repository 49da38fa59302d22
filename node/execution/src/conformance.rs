//! The block path under the rules of Ethereum's forks, for Ethereum's state tests and for the
//! chain of execution-apis. Not for use by a node.

use std::sync::Arc;

use alloy_consensus::{Eip658Value, Header, Receipt};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, U256};
use revm::context::BlockEnv;
use revm::context_interface::ContextTr;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;
use tbsi_types::{StateDiff, StateView, Transaction, ViewError};

use crate::boundary;
use crate::environment::Environment;
use crate::error::{ExecutionError, unreadable};
use crate::protocol::Protocol;
use crate::rules::{Fees, Rules};
use crate::run::{BlockRun, Outcome};

pub use crate::protocol::ForkAt;

/// Units of value in the unit of block rewards.
const ETHER: u64 = 1_000_000_000_000_000_000;

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

    /// What a block brings who mined it, in ether (EIP-649, EIP-1234); nothing since the merge.
    fn reward(self) -> u64 {
        if self.0.is_enabled_in(SpecId::MERGE) {
            0
        } else if self.0.is_enabled_in(SpecId::PETERSBURG) {
            2
        } else if self.0.is_enabled_in(SpecId::BYZANTIUM) {
            3
        } else {
            5
        }
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
            block_reward: U256::from(self.reward()) * U256::from(ETHER),
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
        beacon_root: None,
        genesis_hash: B256::ZERO,
    };
    BlockRun::begin(view, environment)?.execute(transactions)
}

/// A chain with Ethereum's forks, in order.
pub fn protocol(chain_id: u64, forks: &[(ForkAt, Fork)]) -> Protocol {
    let forks = forks.iter().map(|(at, fork)| (*at, fork.rules()));
    Protocol::with_forks(chain_id, forks.collect())
}

/// A block of an Ethereum chain.
#[derive(Clone, Copy, Debug)]
pub struct EthereumBlock<'a> {
    /// As it is in the chain; its roots are the caller's to compare.
    pub header: &'a Header,
    /// In order.
    pub transactions: &'a [Arc<Transaction>],
    /// Headers of uncles.
    pub ommers: &'a [Header],
    /// EIP-4895.
    pub withdrawals: &'a [Withdrawal],
}

/// Executes a block of an Ethereum chain with all that its fork adds to the transactions. Before
/// Byzantium a receipt names the state root after its transaction: `state_root` computes it.
pub fn import(
    view: &(impl StateView + ?Sized),
    protocol: &Protocol,
    block: &EthereumBlock<'_>,
    state_root: &dyn Fn(&StateDiff) -> Result<B256, ViewError>,
) -> Result<Outcome, ExecutionError> {
    let environment = protocol.environment(view, block.header)?;
    let rules = environment.rules;
    let mut run = BlockRun::begin(view, environment)?;
    for transaction in block.transactions {
        run.apply_all(std::slice::from_ref(transaction))?;
        if !rules.spec.is_enabled_in(SpecId::BYZANTIUM) {
            let root = state_root(&run.evm().ctx.db_mut().diff())?;
            name_root(&mut run, root);
        }
    }
    if rules.spec.is_enabled_in(SpecId::PRAGUE) {
        boundary::collect_requests(run.evm())?;
    }
    let overlay = run.evm().ctx.db_mut();
    boundary::withdraw(overlay, block.withdrawals).map_err(unreadable)?;
    let (number, reward) = (block.header.number, rules.block_reward);
    let mut own = reward;
    for ommer in block.ommers {
        own += reward / U256::from(32);
        let share = U256::from((ommer.number + 8).saturating_sub(number));
        let its = reward * share / U256::from(8);
        boundary::mint(overlay, ommer.beneficiary, its).map_err(unreadable)?;
    }
    boundary::mint(overlay, block.header.beneficiary, own).map_err(unreadable)?;
    run.finish()
}

/// Puts a state root in the place of the last receipt's status.
fn name_root<V: StateView + ?Sized>(run: &mut BlockRun<'_, V>, root: B256) {
    let Some(last) = run.receipts.pop() else {
        return;
    };
    let receipt = Receipt {
        status: Eip658Value::PostState(root),
        cumulative_gas_used: last.cumulative_gas_used(),
        logs: last.logs().to_vec(),
    };
    let receipt = tbsi_types::Receipt::from_typed(last.tx_type(), receipt);
    run.receipts.push(receipt);
}
