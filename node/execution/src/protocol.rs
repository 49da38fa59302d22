//! By which rules the blocks of a chain are made.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;
use tbsi_governance::upgrades;
use tbsi_types::{ChainIdentity, StateView, ViewError};

use crate::environment::Environment;
use crate::rules::{Rules, rules_of};

/// A chain as far as its blocks' rules go.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub(crate) chain_id: u64,
    genesis_hash: B256,
    /// `None` of a TBSI chain, whose state says which version is in force.
    forks: Option<Arc<[(ForkAt, Rules)]>>,
}

/// From which block on a fork is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkAt {
    /// From this number.
    Number(u64),
    /// From the first block that is not older, in seconds.
    Time(u64),
}

impl Protocol {
    /// Of a TBSI chain (SPEC §13.12).
    pub fn of(identity: &ChainIdentity) -> Self {
        Self {
            chain_id: identity.chain_id,
            genesis_hash: identity.genesis_hash,
            forks: None,
        }
    }

    /// Of an Ethereum chain, with its forks in order.
    pub(crate) fn with_forks(chain_id: u64, forks: Vec<(ForkAt, Rules)>) -> Self {
        Self {
            chain_id,
            genesis_hash: B256::ZERO,
            forks: Some(forks.into()),
        }
    }

    /// The rules of a block, on the state of an earlier one.
    pub(crate) fn rules(
        &self,
        view: &(impl StateView + ?Sized),
        number: u64,
        time: u64,
    ) -> Result<Rules, ViewError> {
        let Some(forks) = &self.forks else {
            return Ok(rules_of(protocol_version(view)?));
        };
        let reached = |(at, _): &&(ForkAt, Rules)| match at {
            ForkAt::Number(from) => number >= *from,
            ForkAt::Time(from) => time >= *from,
        };
        let last = forks.iter().take_while(reached).last();
        Ok(last.map_or_else(|| rules_of(0), |(_, rules)| *rules))
    }

    /// What a block with this header is executed under.
    pub(crate) fn environment(
        &self,
        view: &(impl StateView + ?Sized),
        header: &Header,
    ) -> Result<Environment, ViewError> {
        if self.forks.is_some() {
            let rules = self.rules(view, header.number, header.timestamp)?;
            return Ok(self.environment_by(rules, header));
        }
        // It may be above what is known.
        let version = protocol_version(view)?;
        let mut environment = self.environment_by(rules_of(version), header);
        environment.protocol = version;
        Ok(environment)
    }

    /// The same under rules that are known.
    pub(crate) fn environment_by(&self, rules: Rules, header: &Header) -> Environment {
        let merged = rules.spec.is_enabled_in(SpecId::MERGE);
        let blobs = header.excess_blob_gas.unwrap_or_default();
        Environment {
            rules,
            protocol: rules.version,
            chain_id: self.chain_id,
            block: BlockEnv {
                number: U256::from(header.number),
                beneficiary: header.beneficiary,
                timestamp: U256::from(header.timestamp),
                gas_limit: header.gas_limit,
                basefee: header.base_fee_per_gas.unwrap_or_default(),
                difficulty: header.difficulty,
                prevrandao: merged.then_some(header.mix_hash),
                blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(
                    blobs, rules.spec,
                )),
                slot_num: 0,
            },
            parent: header
                .number
                .checked_sub(1)
                .map(|parent| (parent, header.parent_hash)),
            beacon_root: header.parent_beacon_block_root.filter(|_| !rules.tbsi),
            genesis_hash: self.genesis_hash,
        }
    }
}

/// The version in force after `view`'s block.
pub(crate) fn protocol_version(view: &(impl StateView + ?Sized)) -> Result<u32, ViewError> {
    let head = upgrades::head(&mut |address: Address, slot: U256| view.storage(address, slot))?;
    Ok(head.protocol)
}
