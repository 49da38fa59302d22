//! A target of this kind: what is planned becomes transactions of one account, in the order of
//! its nonces (SPEC §15.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{B256, U256, hex};

use super::chase::Sending;
use super::fees::{Bid, Limits, first};
use super::steps::{EvmStep, Path, Reached, holder, legal, nonce_in, nonce_of};
use super::{AccountView, Call, Estimate, EvmChain, HOLD_BALANCE, HOLD_FEE_CAP, audit};
use crate::config::EvmConfig;
use crate::limits::ENVELOPE_BYTES;
use crate::metrics::Metrics;
use crate::record::{Event, Hold, Parties, Plan, PlanProgress, Reason, SendStep, TargetIdentity};
use crate::state::{Plans, State};
use crate::target::{
    Audited, Kept, Load, OpenPlans, PlanStatus, Prepared, Revival, Target, TargetBlock,
    TargetError, ToldPlan, View,
};

/// Gas of a transfer.
const TRANSFER_GAS: u64 = 21_000;

/// A call that the chain would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDraft {
    /// What is called; a transfer of nothing if nothing is.
    pub call: Option<Call>,
    /// Its gas limit.
    pub gas: u64,
}

/// The sender to an EVM chain.
pub struct Evm<C> {
    pub(super) chain: C,
    pub(super) config: EvmConfig,
    /// How things stood when they were last looked at.
    pub(super) now: Option<AccountView>,
    /// What this process planned and has not signed.
    drafts: BTreeMap<u64, CallDraft>,
    /// The plan whose transaction was signed a moment ago and is sent without looking for it.
    pub(super) fresh: Option<u64>,
    /// How this process has sent the transactions of plans.
    pub(super) sent: BTreeMap<u64, Sending>,
    /// Plans whose last attempt bids less than endpoints take, as far as they say.
    pub(super) outbid: BTreeSet<u64>,
    /// What plans of this process cost at most, wei.
    pub(super) costs: BTreeMap<u64, u128>,
    /// Plans that were given up, and whose nonce a final block has used for something else.
    pub(super) forgotten: BTreeSet<u64>,
    /// Hashes of blocks that were asked for since the last look.
    pub(super) blocks: BTreeMap<u64, Option<B256>>,
    /// How many plans are open.
    pub(super) open: usize,
    /// What the last draft that could not be paid for costs at most, wei.
    pub(super) needed: u128,
    alarms: Vec<Reason>,
    pub(super) metrics: Arc<Metrics>,
}

/// State may change between estimate and block.
fn with_margin(gas: u64) -> u64 {
    gas.saturating_add(gas / 5)
}

fn too_large(code: &str, detail: String) -> Prepared<CallDraft> {
    let code = code.into();
    Prepared::TooLarge(Reason { code, detail })
}

fn hold(name: &str) -> Hold {
    Hold::Target(name.into())
}

impl<C: EvmChain> Evm<C> {
    /// A sender to a chain.
    pub fn new(chain: C, config: EvmConfig) -> Self {
        Self {
            chain,
            config,
            now: None,
            drafts: BTreeMap::new(),
            fresh: None,
            sent: BTreeMap::new(),
            outbid: BTreeSet::new(),
            costs: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            blocks: BTreeMap::new(),
            open: 0,
            needed: 0,
            alarms: Vec::new(),
            metrics: Arc::default(),
        }
    }

    /// The chain that it sends to.
    pub fn chain(&self) -> &C {
        &self.chain
    }

    pub(super) fn limits(&self) -> Limits {
        Limits::of(&self.config)
    }

    /// How things stood at the last look, or do now.
    pub(super) async fn account(&mut self) -> Result<AccountView, TargetError> {
        if self.now.is_none() {
            self.now = Some(self.chain.look().await?);
        }
        Ok(self.now.clone().expect("it was looked at"))
    }

    pub(super) fn balance(&self) -> u128 {
        let balance = self.now.as_ref().map(|now| now.balance);
        balance.unwrap_or_default().saturating_to()
    }

    fn bid(&self) -> Option<Bid> {
        first(self.now.as_ref()?.market, self.limits())
    }

    pub(super) fn alarm(&mut self, code: &str, detail: String) {
        let code = code.into();
        self.alarms.push(Reason { code, detail });
    }

    /// The call for a load, and the most gas that it may need, with where that is configured.
    async fn call(&mut self, load: &Load) -> Result<Result<Called, Reason>, TargetError> {
        let usual = ("target.gas_max", self.config.gas_max);
        let called = |call, (key, most)| Called { call, key, most };
        let refused = |code: &str, detail: &str| Reason {
            code: code.into(),
            detail: detail.into(),
        };
        Ok(match load {
            Load::Advance(advance) => Ok(called(self.chain.encode(advance), usual)),
            Load::Delivery(delivery) => {
                let limit = ("target.message_gas_max", self.config.message_gas_max);
                let call = self.chain.encode_delivery(delivery);
                let call = call.map(|call| called(call, limit));
                call.ok_or_else(|| refused("noInbox", "target.inbox is not set"))
            }
            Load::Conflict(conflict) => {
                let latest = self.account().await?.latest;
                let (one, other) = conflict.as_ref();
                let call = self.chain.encode_freeze(one, other, latest).await?;
                let call = call.map(|call| called(call, usual));
                let unknown = "the light client never knew the set that signed it";
                call.ok_or_else(|| refused("unknownSet", unknown))
            }
        })
    }

    async fn tried(&self, called: Called) -> Result<Prepared<CallDraft>, TargetError> {
        let Called { call, key, most } = called;
        let (bytes, bytes_max) = (call.data.len() + ENVELOPE_BYTES, self.config.bytes_max);
        if bytes > bytes_max {
            let detail = format!("has {bytes} bytes; target.bytes_max is {bytes_max}");
            return Ok(too_large("bytes", detail));
        }
        Ok(match self.chain.estimate(&call).await? {
            Estimate::Refused { code, detail, hold } => Prepared::Refused { code, detail, hold },
            Estimate::TooLarge(said) => {
                too_large("gas", format!("is more than the target takes: {said}"))
            }
            Estimate::Gas(gas) if with_margin(gas) > most => {
                let gas = with_margin(gas);
                too_large("gas", format!("needs {gas} gas; {key} is {most}"))
            }
            Estimate::Gas(gas) => Prepared::Ready(CallDraft {
                call: Some(call),
                gas: with_margin(gas),
            }),
        })
    }

    /// The lowest nonce that neither the chain nor a plan has used.
    fn next_nonce(&self, plans: &Plans) -> u64 {
        let mut nonce = self.now.as_ref().map_or(0, |now| now.nonce);
        while holder(plans, nonce).is_some() {
            nonce += 1;
        }
        nonce
    }

    /// Signs what was planned. Without a draft nothing has left the process, and the one before
    /// may not have signed.
    async fn sign(&mut self, number: u64, path: &Path) -> Result<PlanStatus, TargetError> {
        let draft = self.drafts.remove(&number);
        let (Some(draft), Some(nonce)) = (draft, path.nonce) else {
            return Ok(not_signed("the process ended before"));
        };
        let Some(bid) = self.bid() else {
            return Ok(not_signed("gas costs more than target.fees.fee_cap_wei"));
        };
        let CallDraft { call, gas } = draft;
        let attempt = self.chain.sign(nonce, gas, bid, call).await?;
        let cost = u128::from(bid.fee_cap) * u128::from(gas);
        self.costs.insert(number, cost);
        self.fresh = Some(number);
        Ok(PlanStatus::Step(EvmStep::Signed { attempt }.step()))
    }

    /// What this process knows of plans that are no longer open.
    fn forget(&mut self, open: &Plans) {
        self.open = open.len();
        self.costs.retain(|plan, _| open.contains_key(plan));
        self.sent.retain(|plan, _| open.contains_key(plan));
        self.outbid.retain(|plan| open.contains_key(plan));
        self.drafts.retain(|plan, _| open.contains_key(plan));
    }

    pub(super) fn path(number: u64, plan: &Plan) -> Result<Path, TargetError> {
        Path::of(plan).map_err(|problem| TargetError::Steps {
            plan: number,
            problem,
        })
    }
}

/// A call, and the most gas that it may need by a key of the configuration.
struct Called {
    call: Call,
    key: &'static str,
    most: u64,
}

fn not_signed(detail: &str) -> PlanStatus {
    PlanStatus::Gone(Reason {
        code: "notSigned".into(),
        detail: detail.into(),
    })
}

impl<C: EvmChain> Target for Evm<C> {
    type Draft = CallDraft;

    fn identity(&self) -> TargetIdentity {
        TargetIdentity {
            chain: format!("eip155:{}", self.chain.chain_id()),
            client: hex::encode_prefixed(self.chain.contract()),
            account: hex::encode_prefixed(self.chain.account()),
        }
    }

    fn takes_messages(&self) -> bool {
        self.chain.inbox().is_some()
    }

    fn count_in(&mut self, metrics: &Arc<Metrics>) {
        self.metrics = Arc::clone(metrics);
    }

    fn take_alarms(&mut self) -> Vec<Reason> {
        for detail in self.chain.take_alarms() {
            self.alarm("targetDisagreement", detail);
        }
        std::mem::take(&mut self.alarms)
    }

    async fn check(&self) -> Result<(), TargetError> {
        self.chain.check().await
    }

    async fn view(&mut self) -> Result<View, TargetError> {
        let now = self.chain.look().await?;
        let balance: u128 = now.balance.saturating_to();
        if balance >= self.needed {
            self.needed = 0;
        }
        let mut holds: BTreeSet<Hold> = now.client.hold.iter().cloned().collect();
        for (holds_now, reason) in [
            (now.messages_paused, Hold::MessagesPaused),
            (
                first(now.market, self.limits()).is_none(),
                hold(HOLD_FEE_CAP),
            ),
            (balance < self.needed, hold(HOLD_BALANCE)),
        ] {
            if holds_now {
                holds.insert(reason);
            }
        }
        let mut unready = Vec::new();
        let least = self.config.fees.balance_min_wei;
        if now.balance < U256::from(least) {
            unready.push(format!(
                "the balance is {} wei, target.fees.balance_min_wei is {least}",
                now.balance
            ));
        }
        let gwei = u64::try_from(balance / 1_000_000_000);
        self.metrics.balance_gwei.set(gwei.unwrap_or(u64::MAX));
        let view = View {
            latest: now.latest,
            finalized: now.finalized,
            client: now.client.clone(),
            final_client: now.final_client.clone(),
            holds,
            unready,
        };
        self.now = Some(now);
        self.blocks.clear();
        Ok(view)
    }

    async fn has(&self, kept: Kept<'_>, block: TargetBlock) -> Result<Vec<bool>, TargetError> {
        match kept {
            Kept::Leaves(leaves) => self.chain.recorded(leaves, block).await,
            Kept::Messages(sequences) => self.chain.delivered(sequences, block).await,
        }
    }

    async fn prepare(&mut self, load: &Load) -> Result<Prepared<CallDraft>, TargetError> {
        match self.call(load).await? {
            Ok(called) => self.tried(called).await,
            Err(Reason { code, detail }) => Ok(Prepared::Refused {
                code,
                detail,
                hold: None,
            }),
        }
    }

    fn cost(&self, draft: &CallDraft) -> BTreeMap<String, String> {
        let mut cost = BTreeMap::from([("gas".into(), draft.gas.to_string())]);
        if let Some(bid) = self.bid() {
            let wei = u128::from(bid.fee_cap) * u128::from(draft.gas);
            cost.insert("costWeiMax".into(), wei.to_string());
        }
        cost
    }

    fn held_back(&mut self, draft: &CallDraft) -> Option<Hold> {
        let Some(bid) = self.bid() else {
            return Some(hold(HOLD_FEE_CAP));
        };
        let cost = u128::from(bid.fee_cap) * u128::from(draft.gas);
        if self.balance() >= cost {
            return None;
        }
        self.needed = cost;
        Some(hold(HOLD_BALANCE))
    }

    fn submit(&mut self, plan: u64, draft: CallDraft) {
        self.drafts.insert(plan, draft);
    }

    async fn status(
        &mut self,
        number: u64,
        open: OpenPlans<'_>,
    ) -> Result<PlanStatus, TargetError> {
        self.account().await?;
        self.forget(open.plans);
        let Some(plan) = open.plans.get(&number) else {
            return Ok(PlanStatus::Pending);
        };
        let path = Self::path(number, plan)?;
        if let PlanProgress::Included(inclusion) = &plan.progress {
            return self.confirm(number, &path, inclusion).await;
        }
        match path.reached {
            Reached::Planned if self.drafts.contains_key(&number) => {
                let nonce = self.next_nonce(open.plans);
                Ok(PlanStatus::Step(EvmStep::NonceReserved { nonce }.step()))
            }
            Reached::Planned | Reached::NonceReserved => self.sign(number, &path).await,
            Reached::Signed | Reached::Broadcast => {
                let waited_ms = open.now_ms.saturating_sub(plan.moved_ms);
                self.chase(number, &path, waited_ms).await
            }
        }
    }

    /// A nonce that was released while later ones are on their way holds all of them up: a
    /// transfer of nothing uses it up.
    fn upkeep(&mut self, open: &Plans) -> Option<CallDraft> {
        let gap = self.next_nonce(open);
        let later = open.values().filter_map(nonce_of).any(|nonce| nonce > gap);
        later.then_some(CallDraft {
            call: None,
            gas: TRANSFER_GAS,
        })
    }

    async fn revived(
        &mut self,
        given_up: &Plans,
        open: &Plans,
    ) -> Result<Option<Revival>, TargetError> {
        self.find_given_up(given_up, open).await
    }

    fn legal(&self, state: &State, event: &Event) -> Result<(), String> {
        legal(state, event)
    }

    async fn audit(&self, told: &ToldPlan, parties: &Parties) -> Result<Audited, TargetError> {
        audit::audit(&self.chain, told, parties).await
    }

    fn place(&self, steps: &[SendStep]) -> Option<u64> {
        nonce_in(steps)
    }

    async fn places(&mut self) -> Result<Option<u64>, TargetError> {
        Ok(Some(self.account().await?.final_nonce))
    }
}
