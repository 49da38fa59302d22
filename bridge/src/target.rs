//! The port to a chain that is written to: what a relayer needs of it, whatever its kind. What it
//! does about numbers, prices and signatures is its own; it journals that as steps of a plan.
//! [`crate::evm`] implements it; `docs/relayer.md` tells how another kind does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use tbsi_types::{Handover, NamedValidators};

use crate::limits::LEAVES_PER_PLAN_MAX;
use crate::metrics::Metrics;
use crate::record::{Event, Hold, Inclusion, Item, Parties, Reason, SendStep, TargetIdentity};
use crate::signer::SignError;
use crate::source::{Proven, ProvenLeaf, ProvenLeaves};
use crate::standing::StandingError;
use crate::state::{Plans, State};

/// A block of the target, or whatever it counts that one state follows another by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, seconds since 1970.
    pub time: u64,
}

/// What the light client knows at a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientView {
    /// Height of its newest checkpoint.
    pub height: u64,
    /// Time of that, milliseconds since 1970.
    pub time_ms: u64,
    /// Leaves in its log.
    pub log_size: u64,
    /// Its digest.
    pub digest: B256,
    /// Hash of the set that signs now.
    pub validator_set: B256,
    /// The checkpoint names another next set.
    pub closing: bool,
    /// Until when the checkpoint is a base for the next, milliseconds since 1970.
    pub trusted_until_ms: u64,
    /// Why it takes nothing.
    pub hold: Option<Hold>,
}

/// The target as enough endpoints show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Newest block.
    pub latest: TargetBlock,
    /// Newest block that cannot go away.
    pub finalized: TargetBlock,
    /// The light client after `latest`.
    pub client: ClientView,
    /// The light client after `finalized`; `None` before it was deployed.
    pub final_client: Option<ClientView>,
    /// Everything for which nothing, or no message, is sent now.
    pub holds: BTreeSet<Hold>,
    /// What an operator should do about the account before it holds anything up.
    pub unready: Vec<String>,
}

/// What may be on the target already.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// Leaves recorded, by their indexes.
    Leaves(&'a [u64]),
    /// Messages delivered, by their sequence numbers.
    Messages(&'a [u64]),
}

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its leaf, proven.
    pub leaf: ProvenLeaf,
    /// The checkpoint that proves it.
    pub under: Proven,
    /// The bytes whose SHA-256 the leaf has.
    pub payload: Bytes,
}

/// Handovers, a checkpoint and leaves, in this order.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// Changes of the validator set, each with the new set.
    pub handovers: Vec<(Handover, NamedValidators)>,
    /// A checkpoint.
    pub checkpoint: Option<Proven>,
    /// Leaves, and the checkpoint that proves them.
    pub leaves: Option<(ProvenLeaves, Proven)>,
}

/// What one transaction carries.
#[derive(Clone, Debug)]
pub enum Load {
    /// What the light client learns.
    Advance(Box<Advance>),
    /// A message.
    Delivery(Box<Delivery>),
    /// Two contradictory checkpoints, for which it freezes.
    Conflict(Box<(Proven, Proven)>),
}

/// What becomes of a load before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared<D> {
    /// The target would take it, as far as it tells now.
    Ready(D),
    /// It would not.
    Refused {
        /// Why, as one word.
        code: String,
        /// More for people.
        detail: String,
        /// Set if it is for the time being.
        hold: Option<Hold>,
    },
    /// It is more than one transaction takes; less may fit.
    TooLarge(Reason),
}

/// Leaves that one transaction takes, whatever their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafCapacity {
    /// Beside a checkpoint or a handover.
    pub beside: usize,
    /// By themselves.
    pub batch: usize,
}

/// The plans that are open, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct OpenPlans<'a> {
    /// By number.
    pub plans: &'a Plans,
    /// The relayer's clock, milliseconds since 1970.
    pub now_ms: u64,
}

/// How a plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStatus {
    /// This is to be journalled before the target does what follows from it; then ask again.
    Step(SendStep),
    /// On its way, and nothing new.
    Pending,
    /// In a block that may go away.
    Included(Inclusion),
    /// In a block that cannot go away; it may have failed there.
    Final(Inclusion),
    /// It comes to nothing. The codes `sendRefused` and `tooLarge` say that the target refused it:
    /// less is sent next time, and an item that was alone is counted against.
    Gone(Reason),
}

/// A plan that was given up and whose transaction is there after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revival {
    /// Which.
    pub plan: u64,
    /// The open plan in whose place it is.
    pub instead_of: Option<u64>,
}

/// A settled plan, as its records tell it.
#[derive(Clone, Debug)]
pub struct ToldPlan {
    /// What it carried.
    pub items: Vec<Item>,
    /// What the target did about it.
    pub steps: Vec<SendStep>,
    /// Where it is said to be.
    pub inclusion: Inclusion,
}

/// What the target shows of a settled plan.
#[derive(Clone, Debug, Default)]
pub struct Audited {
    /// Leaves that its transaction has, by index.
    pub leaves: BTreeMap<u64, Bytes>,
    /// Messages that it has, by the index of the leaf.
    pub messages: BTreeMap<u64, Bytes>,
    /// Whether the transaction was found as the records say.
    pub found: bool,
    /// What it cost, as far as that adds up, by the target's own names.
    pub cost: BTreeMap<String, u64>,
    /// What does not fit.
    pub differences: Vec<String>,
}

/// Why the target cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Too few endpoints answered, or they do not agree.
    #[error("{agreed} of {needed} target endpoints answered alike to {what}: {problem}")]
    Unavailable {
        /// Endpoints that gave the same answer.
        agreed: usize,
        /// That are needed.
        needed: usize,
        /// What was asked.
        what: String,
        /// What one of them said.
        problem: String,
    },
    /// Another chain, or no light client of the source at the address.
    #[error("target: {0}")]
    Misconfigured(String),
    /// The account may not do its work there.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// The signer.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Steps that this kind of target did not write.
    #[error("plan {plan} in the journal: {problem}")]
    Steps {
        /// Of which plan.
        plan: u64,
        /// What is wrong with them.
        problem: String,
    },
}

impl TargetError {
    /// Whether waiting does not help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Misconfigured(_) | Self::Standing(_) | Self::Steps { .. } => true,
            Self::Unavailable { .. } | Self::Sign(_) => false,
        }
    }
}

/// A chain that is written to. Reads count only if enough endpoints agree.
///
/// A plan goes through [`Target::submit`] once, in the process that planned it, and from then on,
/// in this process or a later one, through [`Target::status`], which alone acts on the outside.
/// Whatever must be known after a crash is a [`SendStep`]: it is on disk before the next call.
#[expect(async_fn_in_trait, reason = "the relayer is one task")]
pub trait Target {
    /// What would be sent for a load.
    type Draft;

    /// What it is.
    fn identity(&self) -> TargetIdentity;

    /// Whether messages are carried to it.
    fn takes_messages(&self) -> bool;

    /// Leaves that one of its transactions takes at most.
    fn leaf_capacity(&self) -> LeafCapacity {
        LeafCapacity {
            beside: LEAVES_PER_PLAN_MAX,
            batch: LEAVES_PER_PLAN_MAX,
        }
    }

    /// Where it counts what only it knows.
    fn count_in(&mut self, _metrics: &Arc<Metrics>) {}

    /// What an operator must look at, since the last call.
    fn take_alarms(&mut self) -> Vec<Reason>;

    /// Fails unless it is the configured chain with the light client of the source, and lets the
    /// account do its work.
    async fn check(&self) -> Result<(), TargetError>;

    /// How things stand.
    async fn view(&mut self) -> Result<View, TargetError>;

    /// Which of these are there after a block.
    async fn has(&self, kept: Kept<'_>, block: TargetBlock) -> Result<Vec<bool>, TargetError>;

    /// Tries a load without sending anything.
    async fn prepare(&mut self, load: &Load) -> Result<Prepared<Self::Draft>, TargetError>;

    /// What a draft costs at most, by the target's own names.
    fn cost(&self, draft: &Self::Draft) -> BTreeMap<String, String>;

    /// Why a draft is not sent now, although the target would take it.
    fn held_back(&mut self, _draft: &Self::Draft) -> Option<Hold> {
        None
    }

    /// Takes charge of a plan that was just journalled. Nothing leaves the process.
    fn submit(&mut self, plan: u64, draft: Self::Draft);

    /// How an open plan stands; does what is to be done about it next.
    async fn status(&mut self, plan: u64, open: OpenPlans<'_>) -> Result<PlanStatus, TargetError>;

    /// Something that the target itself needs sent, carrying nothing.
    fn upkeep(&mut self, _open: &Plans) -> Option<Self::Draft> {
        None
    }

    /// One of the plans that were given up, if its transaction is there after all.
    async fn revived(
        &mut self,
        _given_up: &Plans,
        _open: &Plans,
    ) -> Result<Option<Revival>, TargetError> {
        Ok(None)
    }

    /// Fails if an event cannot follow on this state, as far as only the target can tell.
    fn legal(&self, _state: &State, _event: &Event) -> Result<(), String> {
        Ok(())
    }

    /// What a settled plan's own bytes and the chain say of it. Nothing that the records say is
    /// believed.
    async fn audit(&self, told: &ToldPlan, parties: &Parties) -> Result<Audited, TargetError>;

    /// Which of the account's transactions a plan is, where the target numbers them.
    fn place(&self, _steps: &[SendStep]) -> Option<u64> {
        None
    }

    /// How many numbered transactions of the account are final.
    async fn places(&mut self) -> Result<Option<u64>, TargetError> {
        Ok(None)
    }
}
