//! The message loop: one arm per message of the engine (SPEC §6).

mod proposals;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::engine::host::{HeightParams, Next, SyncedValueOutcome};
use arc_malachitebft_app_channel::app::engine::util::events::Event;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::sync::RawDecidedValue;
use arc_malachitebft_app_channel::app::types::{MisbehaviorEvidence, ProposedValue};
use arc_malachitebft_app_channel::{AppMsg, Channels, NetworkMsg, Reply};
use mc::Validity;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{CheckpointDigest, Evidence, Round};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::codec::{certificate_from_engine, certificate_to_engine};
use crate::config::EngineConfig;
use crate::context::{Address, Ctx, Height, ValidatorSet, Value, round_from_engine};
use crate::limits::{SYNC_BATCH_BLOCKS_MAX, SYNC_RESPONSE_BYTES_MAX};
use crate::pacing::{Pacing, Reasons};
use crate::port::{Chain, ChainError, Origin, Verdict};
use crate::progress::Progress;
use crate::start::EngineError;
use crate::streams::{Assembled, Assembler};

/// Takes proposal parts to the network.
type Parts = mpsc::Sender<NetworkMsg<Ctx>>;

/// Nothing to say but a failure of the chain.
type Done = Result<(), ChainError>;

/// A decided height whose successor has not been started.
struct Held {
    reply: Reply<Next<Ctx>>,
    height: tbsi_types::Height,
}

/// Answers the engine over a [`Chain`].
pub(crate) struct Host<C> {
    chain: C,
    parameters: ConsensusParameters,
    own: Option<tbsi_types::Address>,
    assembler: Assembler,
    waiting: Vec<Assembled>,
    /// Highest height that a proposal was judged for.
    proposed: tbsi_types::Height,
    streams_started: u64,
    /// Round that runs, of the height above the tip.
    round: Round,
    /// Digests that proposals of this height were judged for, by round and publisher.
    judged: BTreeMap<(Round, String), BTreeSet<CheckpointDigest>>,
    pacing: Pacing,
    held: Option<Held>,
    wake: Arc<Notify>,
    progress: watch::Sender<Progress>,
}

impl<C: Chain> Host<C> {
    pub(crate) fn new(
        config: &EngineConfig,
        own: Option<tbsi_types::Address>,
        chain: C,
        wake: Arc<Notify>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self {
            chain,
            parameters: config.parameters,
            own,
            assembler: Assembler::default(),
            waiting: Vec::new(),
            proposed: tbsi_types::Height::GENESIS,
            streams_started: 0,
            round: Round::ZERO,
            judged: BTreeMap::new(),
            pacing: Pacing::new(config.parameters, Instant::now()),
            held: None,
            wake,
            progress,
        }
    }

    /// Serves until `shutdown` turns true, the chain fails or the engine ends.
    pub(crate) async fn serve(
        &mut self,
        channels: &mut Channels<Ctx>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let mut events = channels.events.subscribe();
        let wake = Arc::clone(&self.wake);
        loop {
            let start_at = self.start_next_at()?;
            let deadline = start_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => return Ok(()),
                message = channels.consensus.recv() => match message {
                    Some(message) => self.on_message(message, &channels.network).await?,
                    None => return Err(EngineError::Stopped),
                },
                event = events.recv() => match event {
                    Ok(event) => self.on_event(&event),
                    Err(RecvError::Lagged(missed)) => debug!(missed, "progress events skipped"),
                    Err(RecvError::Closed) => return Err(EngineError::Stopped),
                },
                () = tokio::time::sleep_until(deadline), if start_at.is_some() => {
                    self.start_next()?;
                }
                () = wake.notified() => {}
            }
        }
    }

    async fn on_message(&mut self, message: AppMsg<Ctx>, network: &Parts) -> Done {
        match message {
            AppMsg::ConsensusReady { reply } => self.on_ready(reply),
            AppMsg::StartedRound {
                height,
                round,
                proposer,
                reply_value,
                ..
            } => self.on_started_round(height.0, round, proposer, reply_value),
            AppMsg::GetValue {
                height,
                round,
                timeout,
                reply,
            } => {
                let slot = (height.0, round);
                self.on_get_value(slot, timeout, reply, network).await
            }
            AppMsg::RestreamProposal {
                height,
                round,
                valid_round,
                address,
                value_id,
            } => {
                let slot = (height.0, round, valid_round);
                self.stream(slot, address.0, value_id.0, network).await
            }
            AppMsg::ReceivedProposalPart {
                from,
                published_by,
                part,
                reply,
            } => self
                .on_part(published_by.unwrap_or(from), part)
                .and_then(|value| answer(reply, value)),
            AppMsg::Decided {
                certificate, reply, ..
            } => self
                .on_decided(&certificate)
                .and_then(|()| answer(reply, ())),
            AppMsg::Finalized {
                certificate,
                evidence,
                reply,
                ..
            } => self.on_finalized(certificate.height.0, evidence, reply),
            AppMsg::GetHistoryMinHeight { reply } => {
                answer(reply, Height(self.chain.history_min()))
            }
            AppMsg::GetDecidedValues { range, reply } => self
                .decided_values(&range)
                .and_then(|values| answer(reply, values)),
            AppMsg::ProcessSyncedValue {
                height,
                round,
                proposer,
                value_bytes,
                reply,
            } => self
                .on_synced(height, round, proposer, &value_bytes)
                .and_then(|outcome| answer(reply, outcome)),
            // Vote extensions are disabled, so there is nothing to add or to judge.
            AppMsg::ExtendVote { reply, .. } => answer(reply, None),
            AppMsg::VerifyVoteExtensions {
                extensions, reply, ..
            } => answer(reply, accept_all(extensions)),
        }
    }

    fn on_ready(&mut self, reply: Reply<(Height, HeightParams<Ctx>)>) -> Result<(), ChainError> {
        let height = self.chain.tip().next();
        info!(%height, "consensus is ready");
        let parameters = self.height_parameters(height)?;
        self.pacing.height_started(Instant::now());
        answer(reply, (Height(height), parameters))
    }

    fn height_parameters(
        &self,
        height: tbsi_types::Height,
    ) -> Result<HeightParams<Ctx>, ChainError> {
        let ms = Duration::from_millis;
        let parameters = &self.parameters;
        let (propose, vote) = (
            ms(parameters.timeout_propose_ms),
            ms(parameters.timeout_vote_ms),
        );
        let delta = ms(parameters.timeout_delta_ms);
        let timeouts = mc::LinearTimeouts {
            propose,
            propose_delta: delta,
            prevote: vote,
            prevote_delta: delta,
            precommit: vote,
            precommit_delta: delta,
            rebroadcast: propose + vote + vote,
            ..mc::LinearTimeouts::default()
        };
        let validators = ValidatorSet::new(self.chain.validators(height)?);
        Ok(HeightParams::new(validators, timeouts, None))
    }

    fn on_started_round(
        &mut self,
        height: tbsi_types::Height,
        round: mc::Round,
        proposer: Address,
        reply: Reply<Vec<ProposedValue<Ctx>>>,
    ) -> Result<(), ChainError> {
        let number = round_from_engine(round).unwrap_or_default();
        if number > Round::ZERO {
            info!(%height, round = %number, proposer = %proposer.0, "new round");
        }
        self.progress
            .send_modify(|progress| progress.start_round(height, number, proposer.0));
        let due =
            |proposal: &Assembled| proposal.init.height == height && proposal.init.round == number;
        let (now, later) = std::mem::take(&mut self.waiting).into_iter().partition(due);
        self.waiting = later;
        let mut values = Vec::new();
        for proposal in now {
            values.extend(self.judge(proposal)?);
        }
        answer(reply, values)
    }

    fn on_decided(&mut self, certificate: &mc::CommitCertificate<Ctx>) -> Result<(), ChainError> {
        let certificate = certificate_from_engine(certificate)
            .map_err(|error| ChainError::new("convert the commit certificate", error))?;
        block_in_place(|| self.chain.commit(&certificate))?;
        self.pacing.height_decided(Instant::now());
        self.assembler.forget_up_to(certificate.height);
        self.round = Round::ZERO;
        self.judged.clear();
        self.waiting
            .retain(|proposal| proposal.init.height > certificate.height);
        Ok(())
    }

    fn on_finalized(
        &mut self,
        height: tbsi_types::Height,
        evidence: MisbehaviorEvidence<Ctx>,
        reply: Reply<Next<Ctx>>,
    ) -> Result<(), ChainError> {
        let evidence = evidence_from_engine(evidence);
        if !evidence.is_empty() {
            block_in_place(|| self.chain.record_evidence(&evidence))?;
        }
        self.progress
            .send_modify(|progress| progress.wait_for(height.next()));
        self.held = Some(Held {
            reply,
            height: height.next(),
        });
        Ok(())
    }

    /// When to start the height that is held; `None` if none is.
    fn start_next_at(&self) -> Result<Option<Instant>, ChainError> {
        let Some(held) = &self.held else {
            return Ok(None);
        };
        let height = held.height;
        let streamed = self
            .waiting
            .iter()
            .any(|proposal| proposal.init.height >= height);
        let reasons = Reasons {
            work: self.chain.has_work(),
            peers: streamed || self.proposed >= height || self.chain.peers_tip() >= height,
        };
        let proposer = self
            .chain
            .validators(height)?
            .proposer(height, Round::ZERO)
            .address;
        Ok(Some(
            self.pacing.start_at(reasons, Some(proposer) == self.own),
        ))
    }

    fn start_next(&mut self) -> Result<(), ChainError> {
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        let parameters = self.height_parameters(held.height)?;
        self.pacing.height_started(Instant::now());
        answer(held.reply, Next::Start(Height(held.height), parameters))
    }

    /// Committed blocks for a peer that catches up, within the limits of one response.
    fn decided_values(
        &self,
        range: &RangeInclusive<Height>,
    ) -> Result<Vec<RawDecidedValue<Ctx>>, ChainError> {
        let mut values = Vec::new();
        let mut bytes = 0;
        for height in (range.start().0.0..=range.end().0.0).take(SYNC_BATCH_BLOCKS_MAX) {
            let height = tbsi_types::Height(height);
            let Some((block, certificate)) = block_in_place(|| self.chain.decided(height))? else {
                break;
            };
            bytes += block.len() + 64 + 85 * certificate.signatures().len();
            if bytes > SYNC_RESPONSE_BYTES_MAX && !values.is_empty() {
                break;
            }
            let certificate = certificate_to_engine(&certificate);
            values.push(RawDecidedValue::new(block.into(), certificate));
        }
        Ok(values)
    }

    fn on_synced(
        &mut self,
        height: Height,
        round: mc::Round,
        proposer: Address,
        bytes: &[u8],
    ) -> Result<SyncedValueOutcome<Ctx>, ChainError> {
        if height.0 != self.chain.tip().next() {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        match block_in_place(|| self.chain.check(height.0, bytes, Origin::Sync))? {
            Verdict::Valid(digest) => Ok(SyncedValueOutcome::Verdict(ProposedValue {
                height,
                round,
                valid_round: mc::Round::Nil,
                proposer,
                value: Value(digest),
                validity: Validity::Valid,
            })),
            // The certificate was verified before, so these are not the bytes it decided.
            Verdict::Invalid(reason) | Verdict::Malformed(reason) => {
                warn!(%height, reason, "a peer served bytes that are not the decided block");
                Ok(SyncedValueOutcome::PeerFault)
            }
        }
    }

    fn on_event(&mut self, event: &Event<Ctx>) {
        let message = match event {
            Event::Published(message) | Event::Received(message) => message,
            Event::StartedHeight(..)
            | Event::StartedRound(..)
            | Event::ProposedValue(..)
            | Event::ReceivedProposedValue(..)
            | Event::Decided { .. }
            | Event::Finalized { .. }
            | Event::RepublishVote(..)
            | Event::RebroadcastRoundCertificate(..)
            | Event::SkipRoundCertificate(..)
            | Event::PolkaCertificate(..)
            | Event::WalReplayBegin(..)
            | Event::WalReplayEntry(..)
            | Event::WalReplayDone(..)
            | Event::WalReplayError(..)
            | Event::WalResetError(..)
            | Event::WalCorrupted(..) => return,
        };
        self.progress
            .send_if_modified(|progress| progress.note(message));
    }
}

fn accept_all<A, E>(extensions: Vec<(A, bytes::Bytes)>) -> Vec<(A, Result<(), E>)> {
    extensions
        .into_iter()
        .map(|(address, _)| (address, Ok(())))
        .collect()
}

/// Returns when the node stops; a sender that is gone means that it does.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        debug!("nobody is left who could stop consensus");
    }
}

/// An engine that no longer waits for its answer is stopping; the loop notices.
fn answer<T>(reply: Reply<T>, value: T) -> Done {
    if reply.send(value).is_err() {
        debug!("the engine did not wait for an answer");
    }
    Ok(())
}

fn evidence_from_engine(evidence: MisbehaviorEvidence<Ctx>) -> Vec<Evidence> {
    let votes = evidence.votes.into_iter().flat_map(|(validator, pairs)| {
        pairs
            .into_iter()
            .map(move |(first, second)| Evidence::Votes {
                validator: validator.0,
                first: (first.message.statement(), first.signature),
                second: (second.message.statement(), second.signature),
            })
    });
    let proposals = evidence
        .proposals
        .into_iter()
        .flat_map(|(validator, pairs)| {
            pairs
                .into_iter()
                .map(move |(first, second)| Evidence::Proposals {
                    validator: validator.0,
                    first: (first.message.statement(), first.signature),
                    second: (second.message.statement(), second.signature),
                })
        });
    votes.chain(proposals).collect()
}
