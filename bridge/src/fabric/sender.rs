//! A target of this kind: each plan is a transaction of the chaincode, endorsed, checked, signed,
//! ordered, and judged by the peers (SPEC §15.7).

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, hex};
use futures::{StreamExt, TryStreamExt, stream};
use tbsi_types::Checkpoint;
use tokio::time::Instant;

use super::answers::ClientStatus;
use super::arguments;
use super::audit;
use super::block::{
    ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, VALID, validation,
};
use super::calls::{FabricDraft, of_advance, passing};
use super::peers::FabricPeers;
use super::proposal::ChaincodeCall;
use super::reader::{ChannelReader, Found};
use super::refusal::CallError;
use super::steps::{FabricStep, Path, Reached, legal};
use crate::limits::{CALLS_AT_ONCE_MAX, CONFLICTS_MAX};
use crate::record::{Event, Inclusion, Parties, Plan, Reason, TargetIdentity};
use crate::source::Proven;
use crate::state::{Plans, State};
use crate::target::{
    Audited, Kept, LeafCapacity, Load, OpenPlans, PlanStatus, Prepared, Revival, Target,
    TargetBlock, TargetError, ToldPlan, View,
};

/// What this process has done about a plan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sending {
    /// It was endorsed by this process, which has not handed it in yet.
    pub(super) fresh: bool,
    /// Times that it was declined, one after the other.
    pub(super) declined: u32,
    /// Times that it was handed to orderers.
    pub(super) submitted: u32,
    /// The last time.
    pub(super) at: Option<Instant>,
    /// Height of the ledger when its fate was last asked after.
    pub(super) asked: Option<u64>,
}

/// The sender to a channel.
pub struct Fabric<P> {
    pub(super) reader: ChannelReader<P>,
    /// What this process planned and is not endorsed.
    pub(super) drafts: BTreeMap<u64, FabricDraft>,
    pub(super) sent: BTreeMap<u64, Sending>,
    /// The newest block at the last look.
    pub(super) newest: Option<TargetBlock>,
    /// The newest checkpoint's set, by its digest.
    known: Option<(B256, Checkpoint)>,
    /// Height of the ledger when given-up plans were last looked for.
    searched: Option<u64>,
    /// Transactions of given-up plans that are invalid in blocks.
    dead: BTreeSet<B256>,
    alarms: Vec<Reason>,
}

pub(super) fn gone(code: &str, detail: String) -> PlanStatus {
    let code = code.into();
    PlanStatus::Gone(Reason { code, detail })
}

impl<P: FabricPeers> Fabric<P> {
    /// A sender to a channel.
    pub fn new(reader: ChannelReader<P>) -> Self {
        Self {
            reader,
            drafts: BTreeMap::new(),
            sent: BTreeMap::new(),
            newest: None,
            known: None,
            searched: None,
            dead: BTreeSet::new(),
            alarms: Vec::new(),
        }
    }

    /// The channel that it sends to.
    pub fn reader(&self) -> &ChannelReader<P> {
        &self.reader
    }

    pub(super) fn alarm(&mut self, code: &str, detail: String) {
        let code = code.into();
        self.alarms.push(Reason { code, detail });
    }

    async fn checkpoint_of(&mut self, status: &ClientStatus) -> Result<Checkpoint, CallError> {
        let head = &status.head;
        if let Some((digest, checkpoint)) = &self.known
            && *digest == head.digest
        {
            return Ok(*checkpoint);
        }
        let (checkpoint, _) = self.reader.accepted(head.height).await?;
        self.known = Some((head.digest, checkpoint));
        Ok(checkpoint)
    }

    /// The call for a load.
    async fn draft(&self, load: &Load) -> Result<Result<FabricDraft, Reason>, TargetError> {
        let refused = |code: &str, detail: &str| {
            let (code, detail) = (code.into(), detail.into());
            Ok(Err(Reason { code, detail }))
        };
        let (function, argument) = match load {
            Load::Advance(advance) => match of_advance(advance) {
                Ok(found) => found,
                Err(detail) => return refused("leaves", detail),
            },
            Load::Delivery(_) => {
                return refused("noInbox", "the chaincode has no inbox for messages");
            }
            Load::Conflict(conflict) => {
                let (a, b) = conflict.as_ref();
                let sets = (self.set_of(a).await?, self.set_of(b).await?);
                let (Some(set_a), Some(set_b)) = sets else {
                    let unknown = "the client on the channel never knew the set that signed it";
                    return refused("unknownSet", unknown);
                };
                let argument = arguments::conflict([(a, set_a), (b, set_b)]);
                ("SubmitMisbehaviour", argument)
            }
        };
        let call = ChaincodeCall::new(&self.reader.config.chaincode, &[function, &argument]);
        Ok(Ok(FabricDraft { call }))
    }

    /// The number of the set that decided this, if it is that of an accepted checkpoint of the same
    /// height, or the one that signs now.
    async fn set_of(&self, proven: &Proven) -> Result<Option<u64>, TargetError> {
        let checkpoint = &proven.decision.checkpoint;
        let unread = |error: &CallError| self.reader.failed("the accepted checkpoints", error);
        let status = self.reader.status().await.map_err(|error| unread(&error))?;
        for height in [checkpoint.height.0, status.head.height] {
            match self.reader.accepted(height).await {
                Ok((found, set)) if found.validator_set_hash == checkpoint.validator_set_hash => {
                    return Ok(Some(set));
                }
                Ok(_) | Err(CallError::Chaincode { .. }) => {}
                Err(error) => return Err(unread(&error)),
            }
        }
        Ok(None)
    }

    fn path(number: u64, plan: &Plan) -> Result<Path, TargetError> {
        Path::by(&plan.steps).map_err(|problem| TargetError::Steps {
            plan: number,
            problem,
        })
    }

    /// What follows from a transaction that is in a block.
    pub(super) fn judged(
        &mut self,
        number: u64,
        id: B256,
        path: &Path,
        found: &Found,
    ) -> PlanStatus {
        let name = validation(found.code);
        let conflict = [MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT].contains(&found.code);
        if conflict && path.conflicts() < CONFLICTS_MAX {
            self.sent.remove(&number);
            let step = FabricStep::Conflicted {
                transaction: id,
                code: found.code,
                block: found.block,
                block_hash: found.block_hash,
            };
            return PlanStatus::Step(step.step());
        }
        if found.code != VALID {
            let code = if found.code == ENDORSEMENT_POLICY_FAILURE {
                "endorsementPolicy"
            } else {
                "invalidTransaction"
            };
            self.alarm(
                code,
                format!("the transaction of plan {number} is {name} in a block"),
            );
        }
        PlanStatus::Final(Inclusion {
            transaction: id,
            block: found.block,
            block_hash: found.block_hash,
            cost: BTreeMap::new(),
            success: found.code == VALID,
        })
    }

    fn forget(&mut self, open: &Plans) {
        self.drafts.retain(|plan, _| open.contains_key(plan));
        self.sent.retain(|plan, _| open.contains_key(plan));
    }
}

impl<P: FabricPeers> Target for Fabric<P> {
    type Draft = FabricDraft;

    fn identity(&self) -> TargetIdentity {
        let config = &self.reader.config;
        let genesis = hex::encode(config.genesis_block);
        TargetIdentity {
            // A CAIP-2 reference has 32 characters at most.
            chain: format!("fabric:{}", &genesis[..32]),
            client: format!("{}/{}", config.channel, config.chaincode),
            account: self.reader.member.identity.account(),
        }
    }

    fn takes_messages(&self) -> bool {
        false
    }

    /// A leaf has a key of its own, so that transactions with one each never conflict.
    fn leaf_capacity(&self) -> LeafCapacity {
        LeafCapacity {
            beside: 0,
            batch: 1,
        }
    }

    fn take_alarms(&mut self) -> Vec<Reason> {
        std::mem::take(&mut self.alarms)
    }

    async fn check(&self) -> Result<(), TargetError> {
        self.reader.check().await
    }

    async fn view(&mut self) -> Result<View, TargetError> {
        // The block first: what is read then is as of this block or a later one, and nothing that
        // was accepted goes away.
        let newest = self.reader.newest().await;
        let newest = newest.map_err(|error| self.reader.failed("the newest block", &error))?;
        let status = self.reader.status().await;
        let status = status.map_err(|error| self.reader.failed("the light client", &error))?;
        let checkpoint = self.checkpoint_of(&status).await;
        let checkpoint =
            checkpoint.map_err(|error| self.reader.failed("the newest checkpoint", &error))?;
        let client = status.view(&checkpoint);
        self.newest = Some(newest);
        Ok(View {
            latest: newest,
            finalized: newest,
            holds: client.hold.iter().cloned().collect(),
            final_client: Some(client.clone()),
            client,
            unready: Vec::new(),
        })
    }

    async fn has(&self, kept: Kept<'_>, _: TargetBlock) -> Result<Vec<bool>, TargetError> {
        let leaves = match kept {
            Kept::Leaves(leaves) => leaves,
            Kept::Messages(some) => return Ok(vec![false; some.len()]),
        };
        let ask = |index: u64| async move {
            let found = self.reader.has_leaf(index).await;
            found.map_err(|error| self.reader.failed("what is anchored", &error))
        };
        stream::iter(leaves.iter().copied())
            .map(ask)
            .buffered(CALLS_AT_ONCE_MAX)
            .try_collect()
            .await
    }

    async fn prepare(&mut self, load: &Load) -> Result<Prepared<FabricDraft>, TargetError> {
        let draft = match self.draft(load).await? {
            Ok(draft) => draft,
            Err(reason) if reason.code == "leaves" => return Ok(Prepared::TooLarge(reason)),
            Err(Reason { code, detail }) => {
                return Ok(Prepared::Refused {
                    code,
                    detail,
                    hold: None,
                });
            }
        };
        let (size, most) = (draft.call.size(), self.reader.config.bytes_max);
        if size > most {
            return Ok(Prepared::TooLarge(Reason {
                code: "bytes".into(),
                detail: format!("has {size} bytes; target.bytes_max is {most}"),
            }));
        }
        match self.reader.dry(&draft.call).await {
            Ok(()) => Ok(Prepared::Ready(draft)),
            Err(CallError::Chaincode { code, detail, .. }) => Ok(Prepared::Refused {
                hold: passing(&code),
                code,
                detail,
            }),
            Err(error) => Err(self.reader.failed("what the chaincode would do", &error)),
        }
    }

    fn cost(&self, draft: &FabricDraft) -> BTreeMap<String, String> {
        BTreeMap::from([("bytes".into(), draft.call.size().to_string())])
    }

    fn submit(&mut self, plan: u64, draft: FabricDraft) {
        self.drafts.insert(plan, draft);
    }

    async fn status(
        &mut self,
        number: u64,
        open: OpenPlans<'_>,
    ) -> Result<PlanStatus, TargetError> {
        self.forget(open.plans);
        let Some(plan) = open.plans.get(&number) else {
            return Ok(PlanStatus::Pending);
        };
        let path = Self::path(number, plan)?;
        match path.reached {
            Reached::Planned => match self.drafts.get(&number).cloned() {
                Some(draft) => self.endorse(number, &draft).await,
                None => Ok(gone("notSigned", "the process ended before".into())),
            },
            Reached::Conflicted => self.endorse_again(number, &path).await,
            Reached::Endorsed | Reached::Ordered => self.chase(number, &path).await,
        }
    }

    async fn revived(
        &mut self,
        given_up: &Plans,
        _open: &Plans,
    ) -> Result<Option<Revival>, TargetError> {
        let height = self.newest.map(|newest| newest.number);
        if height.is_none() || height == self.searched {
            return Ok(None);
        }
        for (number, plan) in given_up {
            let path = Self::path(*number, plan)?;
            for id in path.attempts.iter().map(|attempt| attempt.transaction) {
                if self.dead.contains(&id) {
                    continue;
                }
                let found = self.reader.anywhere(id).await;
                let found = found.map_err(|error| self.reader.failed("a transaction", &error))?;
                match found {
                    Some(found) if found.code == VALID => {
                        return Ok(Some(Revival {
                            plan: *number,
                            instead_of: None,
                        }));
                    }
                    Some(_) => {
                        self.dead.insert(id);
                    }
                    None => {}
                }
            }
        }
        self.searched = height;
        Ok(None)
    }

    fn legal(&self, state: &State, event: &Event) -> Result<(), String> {
        legal(state, event)
    }

    async fn audit(&self, told: &ToldPlan, parties: &Parties) -> Result<Audited, TargetError> {
        audit::audit(&self.reader, told, parties).await
    }
}
