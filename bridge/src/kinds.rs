//! All kinds of targets that can be configured, as one type for the loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::evm::{CallDraft, Evm, EvmRpc};
use crate::fabric::{Fabric, FabricDraft, Gateways};
use crate::metrics::Metrics;
use crate::record::{Event, Hold, Parties, Reason, SendStep, TargetIdentity};
use crate::state::{Plans, State};
use crate::target::{
    Audited, Kept, LeafCapacity, Load, OpenPlans, PlanStatus, Prepared, Revival, Target,
    TargetBlock, TargetError, ToldPlan, View,
};

/// A target of the kind that the configuration says.
pub enum ConfiguredTarget {
    /// An EVM chain.
    Evm(Box<Evm<EvmRpc>>),
    /// A channel of Hyperledger Fabric.
    Fabric(Box<Fabric<Gateways>>),
}

/// What one of them would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfiguredDraft {
    /// To an EVM chain.
    Evm(CallDraft),
    /// To a channel.
    Fabric(FabricDraft),
}

fn prepared<A, B>(of: Prepared<A>, draft: impl FnOnce(A) -> B) -> Prepared<B> {
    match of {
        Prepared::Ready(ready) => Prepared::Ready(draft(ready)),
        Prepared::Refused { code, detail, hold } => Prepared::Refused { code, detail, hold },
        Prepared::TooLarge(reason) => Prepared::TooLarge(reason),
    }
}

impl Target for ConfiguredTarget {
    type Draft = ConfiguredDraft;

    fn identity(&self) -> TargetIdentity {
        match self {
            Self::Evm(evm) => evm.identity(),
            Self::Fabric(fabric) => fabric.identity(),
        }
    }

    fn takes_messages(&self) -> bool {
        match self {
            Self::Evm(evm) => evm.takes_messages(),
            Self::Fabric(fabric) => fabric.takes_messages(),
        }
    }

    fn leaf_capacity(&self) -> LeafCapacity {
        match self {
            Self::Evm(evm) => evm.leaf_capacity(),
            Self::Fabric(fabric) => fabric.leaf_capacity(),
        }
    }

    fn count_in(&mut self, metrics: &Arc<Metrics>) {
        match self {
            Self::Evm(evm) => evm.count_in(metrics),
            Self::Fabric(fabric) => fabric.count_in(metrics),
        }
    }

    fn take_alarms(&mut self) -> Vec<Reason> {
        match self {
            Self::Evm(evm) => evm.take_alarms(),
            Self::Fabric(fabric) => fabric.take_alarms(),
        }
    }

    async fn check(&self) -> Result<(), TargetError> {
        match self {
            Self::Evm(evm) => Target::check(&**evm).await,
            Self::Fabric(fabric) => Target::check(&**fabric).await,
        }
    }

    async fn view(&mut self) -> Result<View, TargetError> {
        match self {
            Self::Evm(evm) => evm.view().await,
            Self::Fabric(fabric) => fabric.view().await,
        }
    }

    async fn has(&self, kept: Kept<'_>, block: TargetBlock) -> Result<Vec<bool>, TargetError> {
        match self {
            Self::Evm(evm) => evm.has(kept, block).await,
            Self::Fabric(fabric) => fabric.has(kept, block).await,
        }
    }

    async fn prepare(&mut self, load: &Load) -> Result<Prepared<ConfiguredDraft>, TargetError> {
        Ok(match self {
            Self::Evm(evm) => prepared(evm.prepare(load).await?, ConfiguredDraft::Evm),
            Self::Fabric(fabric) => prepared(fabric.prepare(load).await?, ConfiguredDraft::Fabric),
        })
    }

    fn cost(&self, draft: &ConfiguredDraft) -> BTreeMap<String, String> {
        match (self, draft) {
            (Self::Evm(evm), ConfiguredDraft::Evm(draft)) => evm.cost(draft),
            (Self::Fabric(fabric), ConfiguredDraft::Fabric(draft)) => fabric.cost(draft),
            (Self::Evm(_) | Self::Fabric(_), _) => unreachable!("{OWN}"),
        }
    }

    fn held_back(&mut self, draft: &ConfiguredDraft) -> Option<Hold> {
        match (self, draft) {
            (Self::Evm(evm), ConfiguredDraft::Evm(draft)) => evm.held_back(draft),
            (Self::Fabric(fabric), ConfiguredDraft::Fabric(draft)) => fabric.held_back(draft),
            (Self::Evm(_) | Self::Fabric(_), _) => unreachable!("{OWN}"),
        }
    }

    fn submit(&mut self, plan: u64, draft: ConfiguredDraft) {
        match (self, draft) {
            (Self::Evm(evm), ConfiguredDraft::Evm(draft)) => evm.submit(plan, draft),
            (Self::Fabric(fabric), ConfiguredDraft::Fabric(draft)) => fabric.submit(plan, draft),
            (Self::Evm(_) | Self::Fabric(_), _) => unreachable!("{OWN}"),
        }
    }

    async fn status(&mut self, plan: u64, open: OpenPlans<'_>) -> Result<PlanStatus, TargetError> {
        match self {
            Self::Evm(evm) => evm.status(plan, open).await,
            Self::Fabric(fabric) => fabric.status(plan, open).await,
        }
    }

    fn upkeep(&mut self, open: &Plans) -> Option<ConfiguredDraft> {
        match self {
            Self::Evm(evm) => evm.upkeep(open).map(ConfiguredDraft::Evm),
            Self::Fabric(fabric) => fabric.upkeep(open).map(ConfiguredDraft::Fabric),
        }
    }

    async fn revived(
        &mut self,
        given_up: &Plans,
        open: &Plans,
    ) -> Result<Option<Revival>, TargetError> {
        match self {
            Self::Evm(evm) => evm.revived(given_up, open).await,
            Self::Fabric(fabric) => fabric.revived(given_up, open).await,
        }
    }

    fn legal(&self, state: &State, event: &Event) -> Result<(), String> {
        match self {
            Self::Evm(evm) => evm.legal(state, event),
            Self::Fabric(fabric) => fabric.legal(state, event),
        }
    }

    async fn audit(&self, told: &ToldPlan, parties: &Parties) -> Result<Audited, TargetError> {
        match self {
            Self::Evm(evm) => evm.audit(told, parties).await,
            Self::Fabric(fabric) => fabric.audit(told, parties).await,
        }
    }

    fn place(&self, steps: &[SendStep]) -> Option<u64> {
        match self {
            Self::Evm(evm) => evm.place(steps),
            Self::Fabric(fabric) => fabric.place(steps),
        }
    }

    async fn places(&mut self) -> Result<Option<u64>, TargetError> {
        match self {
            Self::Evm(evm) => evm.places().await,
            Self::Fabric(fabric) => fabric.places().await,
        }
    }
}

/// Why a draft is never of another kind.
const OWN: &str = "a target is given its own drafts";
