//! A target for tests of the relayer's loop: blocks that go away when they are told to, a pool
//! that forgets, refusals, and a process that dies when something has just left it.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use alloy_primitives::{B256, keccak256};
use serde_json::json;
use tbsi_bridge::fault::Died;
use tbsi_bridge::record::{
    Hold, Inclusion, Parties, PlanProgress, Reason, SendStep, TargetIdentity,
};
use tbsi_bridge::target::{
    Advance, Audited, ClientView, Delivery, Kept, Load, OpenPlans, PlanStatus, Prepared, Target,
    TargetBlock, TargetError, ToldPlan, View,
};
use tbsi_types::log::{Leaf, Statement, leaf_hash};
use tbsi_types::{Genesis, LeafIndex, NamedValidators, TreeSize};

/// Its name, which messages to it name the hash of.
pub(crate) const CHAIN: &str = "sim:1";
/// Blocks behind the newest one that may still go away.
pub(crate) const DEPTH: usize = 3;
/// Times that it refuses before a plan is given up.
const REFUSALS: u32 = 3;

/// What the light client and the inbox hold after a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) height: u64,
    time_ms: u64,
    digest: B256,
    set: B256,
    log: (u64, B256),
    /// How often each leaf was recorded.
    pub(crate) recorded: BTreeMap<u64, u32>,
    /// How often each message was delivered.
    pub(crate) delivered: BTreeMap<u64, u32>,
}

#[derive(Clone, Debug)]
struct Block {
    block: TargetBlock,
    included: Vec<(B256, bool)>,
    held: Held,
}

/// Answers of the chain to what is sent, in their order; then it takes everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Takes it.
    Take,
    /// Takes it, and forgets it.
    Forget,
    /// Refuses it.
    Refuse,
    /// Takes it, and the relayer dies before it hears.
    Die,
    /// Gives no answer.
    Silence,
}

/// The chain.
#[derive(Debug)]
pub(crate) struct World {
    blocks: Vec<Block>,
    pool: Vec<B256>,
    sealed: BTreeMap<B256, Load>,
    salt: u64,
    /// What it answers next.
    pub(crate) answers: VecDeque<Answer>,
    /// Leaves that one transaction takes.
    pub(crate) leaves_max: usize,
    /// Leaves that it refuses.
    pub(crate) poison: BTreeSet<u64>,
    /// Why nothing is taken.
    pub(crate) hold: Option<Hold>,
    /// Seconds of the next block.
    pub(crate) seconds: u64,
}

impl World {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let set = NamedValidators::of_genesis(genesis).expect("a good genesis");
        let held = Held {
            set: set.hash(),
            time_ms: genesis.time_ms.0,
            ..Held::default()
        };
        let mut world = Self {
            blocks: Vec::new(),
            pool: Vec::new(),
            sealed: BTreeMap::new(),
            salt: 0,
            answers: VecDeque::new(),
            leaves_max: 100,
            poison: BTreeSet::new(),
            hold: None,
            seconds: genesis.time_ms.0 / 1_000,
        };
        world.push(held, Vec::new());
        world
    }

    fn push(&mut self, held: Held, included: Vec<(B256, bool)>) {
        self.salt += 1;
        self.seconds += 1;
        let number = self.blocks.len() as u64;
        let block = TargetBlock {
            number,
            hash: keccak256([number.to_be_bytes(), self.salt.to_be_bytes()].concat()),
            time: self.seconds,
        };
        self.blocks.push(Block {
            block,
            included,
            held,
        });
    }

    /// The next block, with all that waits.
    pub(crate) fn produce(&mut self) {
        let mut held = self.held().clone();
        let mut included = Vec::new();
        for id in std::mem::take(&mut self.pool) {
            let mut after = held.clone();
            let done = self.execute(&mut after, &self.sealed[&id]).is_ok();
            if done {
                held = after;
            }
            included.push((id, done));
        }
        self.push(held, included);
    }

    /// The newest blocks go away; their transactions wait again, or are forgotten.
    pub(crate) fn reorganise(&mut self, depth: usize, forget: bool) {
        assert!(depth < DEPTH, "what is final stays");
        for _ in 0..depth {
            let gone = self.blocks.pop().expect("more than block 0");
            if !forget {
                self.pool.extend(gone.included.iter().map(|(id, _)| *id));
            }
        }
        self.push(self.held().clone(), Vec::new());
    }

    pub(crate) fn held(&self) -> &Held {
        &self.blocks.last().expect("block 0 stays").held
    }

    /// Transactions in blocks.
    pub(crate) fn transactions(&self) -> usize {
        self.blocks.iter().map(|block| block.included.len()).sum()
    }

    fn final_block(&self) -> &Block {
        &self.blocks[(self.blocks.len() - 1).saturating_sub(DEPTH)]
    }

    fn find(&self, id: B256) -> Option<Inclusion> {
        self.blocks.iter().find_map(|made| {
            let (_, success) = made.included.iter().find(|(other, _)| *other == id)?;
            Some(Inclusion {
                transaction: id,
                block: made.block.number,
                block_hash: made.block.hash,
                cost: BTreeMap::new(),
                success: *success,
            })
        })
    }

    fn execute(&self, held: &mut Held, load: &Load) -> Result<(), String> {
        match load {
            Load::Advance(advance) => self.advance(held, advance),
            Load::Delivery(delivery) => deliver(held, delivery, self.seconds),
            Load::Conflict(_) => Err("NoConflict".into()),
        }
    }

    fn advance(&self, held: &mut Held, advance: &Advance) -> Result<(), String> {
        let handovers = advance.handovers.iter();
        let handovers = handovers.map(|(it, next)| (Some((&it.validators, next)), &it.first));
        let newest = advance.checkpoint.iter();
        let newest = newest.map(|proven| (None, &proven.decision));
        for (crossed, decision) in handovers.chain(newest) {
            if let Some((last, next)) = crossed {
                if last.hash() != held.set {
                    return Err("OtherSet".into());
                }
                held.set = next.hash();
            }
            let checkpoint = &decision.checkpoint;
            if decision.certificate.checkpoint_digest.0 == held.digest {
                continue;
            }
            if checkpoint.height.0 <= held.height || checkpoint.validator_set_hash != held.set {
                return Err("NotNewer".into());
            }
            held.height = checkpoint.height.0;
            held.time_ms = checkpoint.time.0;
            held.log = (checkpoint.log_size.0, checkpoint.log_root);
            held.digest = decision.certificate.checkpoint_digest.0;
        }
        let Some((proven, _)) = &advance.leaves else {
            return Ok(());
        };
        let leaves = proven.leaves.iter();
        let hashes: Vec<B256> = leaves.clone().map(|leaf| leaf_hash(&leaf.bytes)).collect();
        let indexes: Vec<LeafIndex> = leaves.map(|leaf| leaf.index).collect();
        let root = proven.proof.root(&hashes, &indexes, TreeSize(held.log.0));
        if root.map_err(|error| error.to_string())? != held.log.1 {
            return Err("OtherRoot".into());
        }
        for LeafIndex(index) in indexes {
            if self.poison.contains(&index) {
                return Err("LeafKind".into());
            }
            *held.recorded.entry(index).or_default() += 1;
        }
        Ok(())
    }
}

fn deliver(held: &mut Held, delivery: &Delivery, seconds: u64) -> Result<(), String> {
    let decoded = Leaf::decode(&delivery.leaf.leaf.bytes).map_err(|error| error.to_string())?;
    let Statement::Message {
        sequence,
        timeout,
        payload_hash,
        ..
    } = decoded.statement
    else {
        return Err("NotAMessage".into());
    };
    if seconds > timeout || tbsi_types::sha256(&[&delivery.payload]) != payload_hash {
        return Err("NotForHere".into());
    }
    *held.delivered.entry(sequence).or_default() += 1;
    Ok(())
}

/// The chain as one process reaches it.
pub(crate) struct SimTarget {
    world: Rc<RefCell<World>>,
    /// Of this process alone.
    drafts: BTreeMap<u64, Load>,
    refusals: BTreeMap<u64, u32>,
}

fn step(name: &str, id: B256) -> PlanStatus {
    let body = json!({ "id": id });
    let name = name.into();
    PlanStatus::Step(SendStep { name, body })
}

impl SimTarget {
    pub(crate) fn new(world: &Rc<RefCell<World>>) -> Self {
        Self {
            world: Rc::clone(world),
            drafts: BTreeMap::new(),
            refusals: BTreeMap::new(),
        }
    }

    fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    /// Hands a transaction to the chain, unless it has it.
    fn hand(&mut self, plan: u64, id: B256, news: bool) -> Result<PlanStatus, TargetError> {
        if self.world().pool.contains(&id) {
            return Ok(if news {
                step("handed", id)
            } else {
                PlanStatus::Pending
            });
        }
        let answer = self.world().answers.pop_front().unwrap_or(Answer::Take);
        match answer {
            Answer::Take => self.world().pool.push(id),
            Answer::Forget => {}
            Answer::Die => {
                self.world().pool.push(id);
                std::panic::resume_unwind(Box::new(Died));
            }
            Answer::Silence => {
                return Err(TargetError::Unavailable {
                    agreed: 0,
                    needed: 1,
                    what: "send".into(),
                    problem: "no answer".into(),
                });
            }
            Answer::Refuse => {
                let refusals = self.refusals.entry(plan).or_default();
                *refusals += 1;
                if *refusals < REFUSALS {
                    return Ok(PlanStatus::Pending);
                }
                return Ok(PlanStatus::Gone(Reason {
                    code: "sendRefused".into(),
                    detail: "it does not like it".into(),
                }));
            }
        }
        Ok(step("handed", id))
    }
}

impl Target for SimTarget {
    type Draft = Load;

    fn identity(&self) -> TargetIdentity {
        TargetIdentity {
            chain: CHAIN.into(),
            client: "the light client".into(),
            account: "the account".into(),
        }
    }

    fn takes_messages(&self) -> bool {
        true
    }

    fn take_alarms(&mut self) -> Vec<Reason> {
        Vec::new()
    }

    async fn check(&self) -> Result<(), TargetError> {
        Ok(())
    }

    async fn view(&mut self) -> Result<View, TargetError> {
        let world = self.world();
        let hold = world.hold.clone();
        let client = |held: &Held| ClientView {
            height: held.height,
            time_ms: held.time_ms,
            log_size: held.log.0,
            digest: held.digest,
            validator_set: held.set,
            closing: false,
            trusted_until_ms: held.time_ms + 86_400_000,
            hold: hold.clone(),
        };
        let (newest, last) = (world.blocks.last().expect("block 0"), world.final_block());
        Ok(View {
            latest: newest.block,
            finalized: last.block,
            client: client(&newest.held),
            final_client: Some(client(&last.held)),
            holds: hold.iter().cloned().collect(),
            unready: Vec::new(),
        })
    }

    async fn has(&self, kept: Kept<'_>, block: TargetBlock) -> Result<Vec<bool>, TargetError> {
        let world = self.world();
        let made = world.blocks.iter().find(|made| made.block == block);
        let held = &made.expect("a block of the chain").held;
        Ok(match kept {
            Kept::Leaves(leaves) => leaves
                .iter()
                .map(|it| held.recorded.contains_key(it))
                .collect(),
            Kept::Messages(some) => some
                .iter()
                .map(|it| held.delivered.contains_key(it))
                .collect(),
        })
    }

    async fn prepare(&mut self, load: &Load) -> Result<Prepared<Load>, TargetError> {
        let world = self.world();
        if let Load::Advance(advance) = load {
            let leaves = advance.leaves.as_ref().map_or(0, |(it, _)| it.leaves.len());
            if leaves > world.leaves_max {
                let (code, detail) = ("size".into(), format!("{leaves} leaves"));
                return Ok(Prepared::TooLarge(Reason { code, detail }));
            }
        }
        let tried = world.execute(&mut world.held().clone(), load);
        Ok(match tried {
            Ok(()) => Prepared::Ready(load.clone()),
            Err(code) => Prepared::Refused {
                code,
                detail: String::new(),
                hold: None,
            },
        })
    }

    fn cost(&self, _: &Load) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn submit(&mut self, plan: u64, draft: Load) {
        self.drafts.insert(plan, draft);
    }

    async fn status(
        &mut self,
        number: u64,
        open: OpenPlans<'_>,
    ) -> Result<PlanStatus, TargetError> {
        let plan = &open.plans[&number];
        let Some(last) = plan.steps.last() else {
            let Some(draft) = self.drafts.remove(&number) else {
                let (code, detail) = ("notSigned".into(), String::new());
                return Ok(PlanStatus::Gone(Reason { code, detail }));
            };
            let mut world = self.world();
            world.salt += 1;
            let id = keccak256(world.salt.to_be_bytes());
            world.sealed.insert(id, draft);
            return Ok(step("sealed", id));
        };
        let id: B256 = serde_json::from_value(last.body["id"].clone()).expect("an id");
        let found = self.world().find(id);
        if let Some(found) = found {
            let last = self.world().final_block().block.number;
            return Ok(match found.block <= last {
                true => PlanStatus::Final(found),
                false => PlanStatus::Included(found),
            });
        }
        let news = last.name != "handed" || plan.progress == PlanProgress::Lost;
        if let PlanProgress::Included(_) = plan.progress {
            return Ok(PlanStatus::Pending);
        }
        self.hand(number, id, news)
    }

    async fn audit(&self, _: &ToldPlan, _: &Parties) -> Result<Audited, TargetError> {
        Ok(Audited {
            found: true,
            ..Audited::default()
        })
    }
}
