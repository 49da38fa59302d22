//! A kind of target that nobody has heard of, as an example of how one is added: a gazette. A
//! clerk prints notices in the order in which they come, never takes one back, and knows each by
//! its docket, so that one handed in twice is printed once. There are no blocks, no fees and no
//! nonces. `docs/relayer.md` goes through it.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use alloy_primitives::{B256, Bytes, keccak256};
use serde_json::json;
use tbsi_bridge::record::{Inclusion, Parties, Reason, SendStep, TargetIdentity};
use tbsi_bridge::target::{
    Advance, Audited, ClientView, Kept, Load, OpenPlans, PlanStatus, Prepared, Target, TargetBlock,
    TargetError, ToldPlan, View,
};
use tbsi_light::{TrustAnchor, verify_decision};
use tbsi_types::log::leaf_hash;
use tbsi_types::{Decision, Genesis, LeafIndex, NamedValidators};

/// How long the reader of the gazette trusts a checkpoint.
const TRUST_MS: u64 = 86_400_000;

/// What is printed, and what a reader who verifies it knows by then.
#[derive(Clone)]
pub(crate) struct Gazette {
    pub(crate) notices: Vec<(B256, Advance)>,
    anchor: TrustAnchor,
    set: NamedValidators,
    newest: Option<Decision>,
    pub(crate) recorded: BTreeSet<u64>,
    /// Times that somebody handed something in.
    pub(crate) handed: usize,
}

impl Gazette {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self {
            notices: Vec::new(),
            anchor: TrustAnchor::genesis(genesis).unwrap(),
            set: NamedValidators::of_genesis(genesis).unwrap(),
            newest: None,
            recorded: BTreeSet::new(),
            handed: 0,
        }
    }

    /// What a reader knows after one more notice; the reader's own words if it proves nothing.
    fn after(&self, notice: &Advance) -> Result<Self, String> {
        let mut after = self.clone();
        for (handover, next) in &notice.handovers {
            let crossed = std::slice::from_ref(handover);
            let verified = verify_decision(&handover.first, next, crossed, &after.anchor);
            (after.anchor, _) = verified.map_err(|error| error.to_string())?;
            after.set = next.clone();
            after.newest = Some(handover.first.clone());
        }
        if let Some(proven) = &notice.checkpoint
            && !after.knows(&proven.decision)
        {
            let verified = verify_decision(&proven.decision, &after.set, &[], &after.anchor);
            (after.anchor, _) = verified.map_err(|error| error.to_string())?;
            after.newest = Some(proven.decision.clone());
        }
        if let Some((proven, under)) = &notice.leaves {
            let leaves = proven.leaves.iter();
            let hashes: Vec<B256> = leaves.clone().map(|it| leaf_hash(&it.bytes)).collect();
            let indexes: Vec<LeafIndex> = leaves.map(|it| it.index).collect();
            let size = under.decision.checkpoint.log_size;
            let root = proven.proof.root(&hashes, &indexes, size);
            let known = after
                .newest
                .as_ref()
                .map(|newest| newest.checkpoint.log_root);
            if root.ok() != known {
                return Err("NotInTheLog".into());
            }
            after.recorded.extend(indexes.iter().map(|index| index.0));
        }
        Ok(after)
    }

    fn knows(&self, decision: &Decision) -> bool {
        let digest = decision.certificate.checkpoint_digest;
        let newest = self.newest.as_ref();
        newest.is_some_and(|newest| newest.certificate.checkpoint_digest == digest)
    }

    /// The clerk's window.
    fn hand_in(&mut self, docket: B256, notice: &Advance) {
        self.handed += 1;
        if self.notices.iter().any(|(known, _)| *known == docket) {
            return;
        }
        if let Ok(mut after) = self.after(notice) {
            after.notices.push((docket, notice.clone()));
            *self = after;
        }
    }

    fn edition(&self, number: usize) -> TargetBlock {
        TargetBlock {
            number: number as u64,
            hash: keccak256(number.to_be_bytes()),
            time: 0,
        }
    }
}

/// The gazette as one process reaches it. What is not printed yet is lost with the process.
pub(crate) struct Window {
    gazette: Rc<RefCell<Gazette>>,
    drafts: BTreeMap<u64, Advance>,
}

impl Window {
    pub(crate) fn new(gazette: &Rc<RefCell<Gazette>>) -> Self {
        Self {
            gazette: Rc::clone(gazette),
            drafts: BTreeMap::new(),
        }
    }

    fn gazette(&self) -> RefMut<'_, Gazette> {
        self.gazette.borrow_mut()
    }

    fn printed(&self, docket: B256) -> Option<Inclusion> {
        let gazette = self.gazette();
        let mut notices = gazette.notices.iter();
        let place = notices.position(|(known, _)| *known == docket)? + 1;
        Some(Inclusion {
            transaction: docket,
            block: place as u64,
            block_hash: gazette.edition(place).hash,
            cost: BTreeMap::new(),
            success: true,
        })
    }
}

impl Target for Window {
    type Draft = Advance;

    fn identity(&self) -> TargetIdentity {
        TargetIdentity {
            chain: "gazette:tw".into(),
            client: "section 3".into(),
            account: "subscriber 7".into(),
        }
    }

    fn takes_messages(&self) -> bool {
        false
    }

    fn take_alarms(&mut self) -> Vec<Reason> {
        Vec::new()
    }

    async fn check(&self) -> Result<(), TargetError> {
        Ok(())
    }

    async fn view(&mut self) -> Result<View, TargetError> {
        let gazette = self.gazette();
        let newest = gazette.newest.as_ref();
        let checkpoint = newest.map(|newest| newest.checkpoint);
        let time_ms = checkpoint.map_or(0, |it| it.time.0);
        let client = ClientView {
            height: checkpoint.map_or(0, |it| it.height.0),
            time_ms,
            log_size: checkpoint.map_or(0, |it| it.log_size.0),
            digest: newest.map_or(B256::ZERO, |it| it.certificate.checkpoint_digest.0),
            validator_set: gazette.set.hash(),
            closing: false,
            trusted_until_ms: time_ms + TRUST_MS,
            hold: None,
        };
        // What is printed stays: the newest edition is the final one.
        let edition = gazette.edition(gazette.notices.len());
        Ok(View {
            latest: edition,
            finalized: edition,
            final_client: Some(client.clone()),
            client,
            holds: BTreeSet::new(),
            unready: Vec::new(),
        })
    }

    async fn has(&self, kept: Kept<'_>, _: TargetBlock) -> Result<Vec<bool>, TargetError> {
        let gazette = self.gazette();
        Ok(match kept {
            Kept::Leaves(some) => some
                .iter()
                .map(|it| gazette.recorded.contains(it))
                .collect(),
            Kept::Messages(some) => vec![false; some.len()],
        })
    }

    async fn prepare(&mut self, load: &Load) -> Result<Prepared<Advance>, TargetError> {
        let refused = |code: String| Prepared::Refused {
            code,
            detail: String::new(),
            hold: None,
        };
        let Load::Advance(advance) = load else {
            return Ok(refused("NotForPrint".into()));
        };
        let tried = self.gazette().after(advance);
        Ok(tried.map_or_else(refused, |_| Prepared::Ready(Advance::clone(advance))))
    }

    fn cost(&self, _: &Advance) -> BTreeMap<String, String> {
        BTreeMap::from([("stamps".into(), "1".into())])
    }

    fn submit(&mut self, plan: u64, draft: Advance) {
        self.drafts.insert(plan, draft);
    }

    async fn status(&mut self, plan: u64, open: OpenPlans<'_>) -> Result<PlanStatus, TargetError> {
        let steps = &open.plans[&plan].steps;
        let Some(step) = steps.last() else {
            // The docket is on disk before the notice is handed in.
            let docket = keccak256(format!("{plan} {}", open.now_ms));
            let (name, body) = ("docketed".into(), json!({ "docket": docket }));
            return Ok(PlanStatus::Step(SendStep { name, body }));
        };
        let docket: B256 = serde_json::from_value(step.body["docket"].clone()).unwrap();
        if self.printed(docket).is_none()
            && let Some(notice) = self.drafts.remove(&plan)
        {
            self.gazette().hand_in(docket, &notice);
        }
        Ok(match self.printed(docket) {
            Some(place) => PlanStatus::Final(place),
            // The process that had it ended before it was handed in.
            None => PlanStatus::Gone(Reason {
                code: "notPrinted".into(),
                detail: format!("docket {docket}"),
            }),
        })
    }

    async fn audit(&self, told: &ToldPlan, _: &Parties) -> Result<Audited, TargetError> {
        let gazette = self.gazette();
        let mut audited = Audited::default();
        let docket = told.inclusion.transaction;
        let notice = gazette.notices.iter().find(|(known, _)| *known == docket);
        let Some((_, notice)) = notice else {
            audited
                .differences
                .push(format!("docket {docket} was never printed"));
            return Ok(audited);
        };
        audited.found = true;
        for leaf in notice.leaves.iter().flat_map(|(proven, _)| &proven.leaves) {
            let bytes = Bytes::from(leaf.bytes.clone());
            audited.leaves.insert(leaf.index.0, bytes);
        }
        Ok(audited)
    }
}
