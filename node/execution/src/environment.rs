//! What a block is executed under: its header's values and the rules.

use alloy_primitives::{Address, B256, U256};
use revm::MainContext;
use revm::context::{BlockEnv, Context, Evm as RevmEvm};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, EthPrecompiles, MainnetContext};
use revm::interpreter::interpreter::EthInterpreter;
use tbsi_governance::upgrades;
use tbsi_types::block::prev_randao;
use tbsi_types::{Height, StateView, TimestampMs, ViewError};

use crate::overlay::Overlay;
use crate::precompiles::{Installed, precompiles};
use crate::rules::{Rules, rules_of};

/// The values of a block's header that its transactions can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The network, which block 1 tells the contracts.
    pub genesis_hash: B256,
    /// Position of the block.
    pub height: Height,
    /// Checkpoint time; the EVM sees whole seconds.
    pub time: TimestampMs,
    /// Address of the validator that built the block.
    pub beneficiary: Address,
    /// Gas that all transactions together may ask for.
    pub gas_limit: u64,
    /// Hash of the parent's header.
    pub parent_hash: B256,
}

/// Rules and header values in revm's shape.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) rules: Rules,
    /// What the chain asks for, which may be above what is known here.
    pub(crate) protocol: u32,
    pub(crate) chain_id: u64,
    pub(crate) block: BlockEnv,
    /// Number and hash of the parent. Ethereum's state tests have none, and no EIP-2935 call.
    pub(crate) parent: Option<(u64, B256)>,
    /// EIP-4788, which TBSI does not have.
    pub(crate) beacon_root: Option<B256>,
    pub(crate) genesis_hash: B256,
}

impl Environment {
    /// The environment of a TBSI block on `view`, which says by which rules it is made.
    pub(crate) fn new(
        context: &BlockContext,
        view: &(impl StateView + ?Sized),
    ) -> Result<Self, ViewError> {
        let head = upgrades::head(&mut |address: Address, slot: U256| view.storage(address, slot))?;
        let rules = rules_of(head.protocol);
        let block = BlockEnv {
            number: U256::from(context.height.0),
            beneficiary: context.beneficiary,
            timestamp: U256::from(context.time.seconds()),
            gas_limit: context.gas_limit,
            basefee: 0,
            difficulty: U256::ZERO,
            prevrandao: Some(prev_randao(context.parent_hash, context.height)),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(0, rules.spec)),
            slot_num: 0,
        };
        Ok(Self {
            rules,
            protocol: head.protocol,
            chain_id: context.chain_id,
            block,
            parent: context
                .height
                .previous()
                .map(|height| (height.0, context.parent_hash)),
            beacon_root: None,
            genesis_hash: context.genesis_hash,
        })
    }

    /// A machine over `view` that has executed nothing, without instructions.
    pub(crate) fn machine<'v, V: StateView + ?Sized>(&self, view: &'v V) -> Machine<'v, V> {
        self.machine_on(Overlay::new(view, self.parent))
    }

    /// A machine that goes on from where another one has come to.
    fn machine_on<'v, V: StateView + ?Sized>(&self, overlay: Overlay<'v, V>) -> Machine<'v, V> {
        Context::mainnet()
            .with_db(overlay)
            .with_block(self.block.clone())
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(self.rules.spec);
                cfg.chain_id = self.chain_id;
                cfg.max_blobs_per_tx = self.rules.blobs_max;
            })
    }

    /// A machine over `view` that has executed nothing.
    pub(crate) fn evm<'v, V: StateView + ?Sized>(&self, view: &'v V) -> Evm<'v, V> {
        self.evm_on(Overlay::new(view, self.parent))
    }

    /// The same, on a state that blocks before it have changed.
    pub(crate) fn evm_on<'v, V: StateView + ?Sized>(&self, overlay: Overlay<'v, V>) -> Evm<'v, V> {
        let spec = self.rules.spec;
        let precompiles = if self.rules.tbsi {
            precompiles(self.rules)
        } else {
            EthPrecompiles::new(spec)
        };
        RevmEvm::new(
            self.machine_on(overlay),
            EthInstructions::new_mainnet_with_spec(spec),
            Installed::ByRules(precompiles),
        )
    }
}

/// Block, transaction and rules over a state in an [`Overlay`].
pub(crate) type Machine<'v, V> = MainnetContext<Overlay<'v, V>>;

/// The same with Ethereum's instructions and precompiles, and this chain's own; `I` watches what
/// it does.
pub(crate) type Evm<'v, V, I = ()> = RevmEvm<
    Machine<'v, V>,
    I,
    EthInstructions<EthInterpreter, Machine<'v, V>>,
    Installed,
    EthFrame<EthInterpreter>,
>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn has_the_precompiles_of_osaka_and_its_own_and_no_other() {
        let precompiles = precompiles(rules_of(1));
        let have: BTreeSet<Address> = precompiles.warm_addresses().iter().copied().collect();
        let want: BTreeSet<Address> = (1..=0x11u64)
            .chain([0x100, 0x1100, 0x1101, 0x1102, 0x1103])
            .map(|number| Address::from_word(U256::from(number).into()))
            .collect();
        assert_eq!(have, want);
    }
}
