//! What the block after the tip obeys, and where this program has to stop because it does not
//! know what comes (SPEC §13.12).

use anyhow::Context;
use tbsi_execution::BlockContext;
use tbsi_governance::upgrades::{BlockRules, Planned};
use tbsi_store::Store;
use tbsi_types::{Address, Genesis, Height, StateView};

/// What the block after the tip obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRules {
    /// Read from the tip's state.
    pub block: BlockRules,
    /// The upgrade that waits, or else the last one; `None` if there never was one.
    pub last: Option<Planned>,
}

/// The chain goes on by rules that this program does not know: it stops before them.
#[derive(Debug, thiserror::Error)]
#[error(
    "height {height} needs protocol version {needed} (upgrade {number}) and this program supports \
     {supported}: install tbsi {version} or newer and start the node again; nothing is lost"
)]
pub struct Outdated {
    /// The first block that this program cannot make or check.
    height: Height,
    /// Protocol version of that block.
    needed: u32,
    /// What this program supports.
    supported: u32,
    /// The upgrade's number.
    number: u32,
    /// Software that supports it.
    version: String,
}

impl NextRules {
    /// What the block after the store's tip obeys.
    pub fn at_tip(store: &Store, genesis: &Genesis) -> anyhow::Result<Self> {
        let tip = store.tip().context("the chain has no block")?;
        let state = store.state_at(tip.height)?;
        let context = tip_context(store, genesis)?;
        Self::read(&state, &context, genesis)
    }

    fn read(
        state: &impl StateView,
        context: &BlockContext,
        genesis: &Genesis,
    ) -> anyhow::Result<Self> {
        let block = tbsi_execution::block_rules(state, genesis)?;
        let last = match block.head.count {
            0 => None,
            number => tbsi_execution::planned_upgrade(state, context, number)?,
        };
        Ok(Self { block, last })
    }

    /// Why a program that supports `supported` cannot go on above `tip`; `None` if it can.
    pub fn outdated(&self, supported: u32, tip: Height) -> Option<Outdated> {
        let needed = self.block.head.protocol;
        (needed > supported).then(|| Outdated {
            height: tip.next(),
            needed,
            supported,
            number: self.block.head.count,
            version: self
                .last
                .as_ref()
                .map(|it| it.version.clone())
                .unwrap_or_default(),
        })
    }

    /// The upgrade that waits.
    pub fn waiting(&self) -> Option<&Planned> {
        let waiting = self.block.head.waiting?;
        self.last.as_ref().filter(|it| it.number == waiting.number)
    }
}

/// The environment of the block after the tip, for questions to contracts.
pub fn tip_context(store: &Store, genesis: &Genesis) -> anyhow::Result<BlockContext> {
    let tip = store.tip().context("the chain has no block")?;
    Ok(BlockContext {
        chain_id: genesis.chain_id,
        genesis_hash: genesis.hash(),
        height: tip.height.next(),
        time: tip.time.next(),
        beneficiary: Address::ZERO,
        gas_limit: genesis.block_gas_limit,
        parent_hash: tip.block_hash,
    })
}

#[cfg(test)]
mod tests {
    use tbsi_governance::upgrades::Head;
    use tbsi_types::genesis::ConsensusParameters;

    use super::*;

    fn rules(protocol: u32) -> NextRules {
        NextRules {
            block: BlockRules {
                head: Head {
                    protocol,
                    waiting: None,
                    count: 4,
                },
                gas_limit: 30_000_000,
                consensus: ConsensusParameters::default(),
            },
            last: Some(Planned {
                number: 4,
                height: Height(200),
                protocol,
                version: "2.0.0".into(),
                status: 2,
            }),
        }
    }

    #[test]
    fn a_program_goes_on_as_far_as_it_knows_the_rules() {
        assert!(rules(2).outdated(2, Height(199)).is_none());
        assert!(rules(1).outdated(2, Height(199)).is_none());
        let words = rules(2).outdated(1, Height(199)).unwrap().to_string();
        assert_eq!(
            words,
            "height 200 needs protocol version 2 (upgrade 4) and this program supports 1: install \
             tbsi 2.0.0 or newer and start the node again; nothing is lost"
        );
    }
}
