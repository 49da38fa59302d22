//! The shell around the [`Host`]: one arm per message of the engine (SPEC §6). It keeps the
//! engine's replies, streams blocks, reads the clocks and waits.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::engine::host::{HeightParams, Next, SyncedValueOutcome};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::sync::RawDecidedValue;
use arc_malachitebft_app_channel::app::types::{
    LocallyProposedValue, MisbehaviorEvidence, PeerId, ProposedValue,
};
use arc_malachitebft_app_channel::{AppMsg, Channels, NetworkMsg, Reply};
use bytes::Bytes;
use mc::Validity;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{Evidence, TimestampMs};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::block_in_place;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::codec::{certificate_from_engine, certificate_to_engine};
use crate::context::{
    Address, Ctx, Height, Part, ValidatorSet, Value, round_from_engine, round_to_engine,
};
use crate::host::{Host, Judged, Now, Piece, Start, Streamed, Synced};
use crate::limits::PART_BYTES;
use crate::port::{Chain, ChainError, Commit};
use crate::progress::Progress;
use crate::start::EngineError;
use crate::tally::{Patience, Tally};
use crate::witnessed::Witnessed;

/// Takes proposal parts to the network.
type Parts = mpsc::Sender<NetworkMsg<Ctx>>;

/// Nothing to say but a failure of the chain.
type Done = Result<(), ChainError>;

/// Reads the clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    started: Instant,
    wall: fn() -> TimestampMs,
}

impl Clocks {
    pub(crate) fn new(started: Instant, wall: fn() -> TimestampMs) -> Self {
        Self { started, wall }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            monotonic: self.started.elapsed(),
            wall: (self.wall)(),
        }
    }
}

/// Where to say that a height starts.
enum Starter {
    First(Reply<(Height, HeightParams<Ctx>)>),
    Next(Reply<Next<Ctx>>),
}

/// Serves the engine's messages.
pub(crate) struct Server<C> {
    host: Host<C>,
    clocks: Clocks,
    wake: Arc<Notify>,
    witnessed: Witnessed,
    tally: &'static Tally,
    progress: watch::Sender<Progress>,
    starter: Option<Starter>,
    streams_started: u64,
}

impl<C: Chain> Server<C> {
    pub(crate) fn new(
        host: Host<C>,
        clocks: Clocks,
        wake: Arc<Notify>,
        witnessed: Witnessed,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self {
            host,
            clocks,
            wake,
            tally: witnessed.lasting_tally(),
            witnessed,
            progress,
            starter: None,
            streams_started: 0,
        }
    }

    /// Serves until `shutdown` turns true, the chain fails or the engine ends.
    pub(crate) async fn run(
        &mut self,
        channels: &mut Channels<Ctx>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), EngineError> {
        let wake = Arc::clone(&self.wake);
        let witnessed = self.witnessed.clone();
        loop {
            let start_at = self.host.start_next_at(self.clocks.now())?;
            self.publish_progress();
            let deadline = self.clocks.started + start_at.unwrap_or_default();
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => return Ok(()),
                message = channels.consensus.recv() => match message {
                    Some(message) => {
                        self.take_witnessed()?;
                        self.on_message(message, &channels.network).await?;
                    }
                    None => return Err(EngineError::Stopped),
                },
                () = tokio::time::sleep_until(deadline), if start_at.is_some() => self.start()?,
                () = witnessed.more() => self.take_witnessed()?,
                () = wake.notified() => {}
            }
        }
    }

    fn publish_progress(&self) {
        let now = self.host.progress();
        self.progress.send_if_modified(|before| {
            let changed = before != now;
            if changed {
                before.clone_from(now);
            }
            changed
        });
    }

    /// What the engine verified comes before what it says next.
    fn take_witnessed(&mut self) -> Done {
        let seen = self.witnessed.take();
        if let Some(signed) = seen.signed {
            self.host.on_signed(signed);
        }
        if seen.votes.is_empty() {
            return Ok(());
        }
        // A vote may be what a block waits for to be executed.
        block_in_place(|| {
            let mut votes = seen.votes.iter();
            votes.try_for_each(|(vote, validator)| self.host.on_vote(vote, *validator))
        })
    }

    async fn on_message(&mut self, message: AppMsg<Ctx>, network: &Parts) -> Done {
        match message {
            AppMsg::ConsensusReady { reply } => {
                self.host.on_ready();
                self.starter = Some(Starter::First(reply));
                Ok(())
            }
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
                self.on_restream(slot, address, value_id, network).await
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
            } => self.on_decided(&certificate, reply),
            AppMsg::Finalized {
                certificate,
                evidence,
                reply,
                ..
            } => self.on_finalized(certificate.height.0, evidence, reply),
            AppMsg::GetHistoryMinHeight { reply } => answer(reply, Height(self.host.history_min())),
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

    async fn on_restream(
        &mut self,
        (height, round, polka_round): (tbsi_types::Height, mc::Round, mc::Round),
        proposer: Address,
        value: Value,
        network: &Parts,
    ) -> Done {
        let round = round_from_engine(round).unwrap_or_default();
        let slot = (height, round, round_from_engine(polka_round));
        let host = &self.host;
        let streamed = block_in_place(|| host.on_restream(slot, proposer.0, value.0))?;
        self.stream(streamed, network).await;
        Ok(())
    }

    fn decided_values(
        &self,
        range: &RangeInclusive<Height>,
    ) -> Result<Vec<RawDecidedValue<Ctx>>, ChainError> {
        let range = range.start().0..=range.end().0;
        let values = block_in_place(|| self.host.decided_values(range))?;
        let raw = values.into_iter().map(|(block, certificate)| {
            RawDecidedValue::new(block.into(), certificate_to_engine(&certificate))
        });
        Ok(raw.collect())
    }

    fn on_started_round(
        &mut self,
        height: tbsi_types::Height,
        round: mc::Round,
        proposer: Address,
        reply: Reply<Vec<ProposedValue<Ctx>>>,
    ) -> Done {
        let round = round_from_engine(round).unwrap_or_default();
        if round > tbsi_types::Round::ZERO {
            info!(%height, %round, proposer = %proposer.0, "new round");
        }
        let host = &mut self.host;
        let judged = block_in_place(|| host.on_started_round(height, round, proposer.0))?;
        answer(reply, judged.into_iter().map(to_engine).collect())
    }

    async fn on_get_value(
        &mut self,
        (height, round): (tbsi_types::Height, mc::Round),
        timeout: Duration,
        reply: Reply<LocallyProposedValue<Ctx>>,
        network: &Parts,
    ) -> Done {
        let slot = (height, round_from_engine(round).unwrap_or_default());
        let now = self.clocks.now();
        let proposed = block_in_place(|| self.host.on_get_value(now, slot, timeout))?;
        let value = Value(proposed.digest);
        answer(
            reply,
            LocallyProposedValue::new(Height(height), round, value),
        )?;
        self.stream(proposed.stream, network).await;
        Ok(())
    }

    /// Publishes a block as parts, if it is here.
    async fn stream(&mut self, streamed: Option<Streamed>, network: &Parts) {
        let Some(Streamed { init, bytes }) = streamed else {
            debug!("asked to stream a block that is not here");
            return;
        };
        self.streams_started += 1;
        let id = [init.height.0, self.streams_started].map(u64::to_be_bytes);
        let id = StreamId::new(id.concat().into());
        let chunks = bytes.chunks(PART_BYTES);
        let data = chunks.map(|chunk| Part::Data(Bytes::copy_from_slice(chunk)));
        let parts = std::iter::once(Part::Init(init)).chain(data);
        let contents = parts
            .map(StreamContent::Data)
            .chain(std::iter::once(StreamContent::Fin));
        for (sequence, content) in (0u64..).zip(contents) {
            let message = StreamMessage::new(id.clone(), sequence, content);
            // A closed channel means that the engine is stopping; the loop notices.
            if network
                .send(NetworkMsg::PublishProposalPart(message))
                .await
                .is_err()
            {
                break;
            }
        }
    }

    fn on_part(
        &mut self,
        publisher: PeerId,
        message: StreamMessage<Part>,
    ) -> Result<Option<ProposedValue<Ctx>>, ChainError> {
        let publisher = publisher.to_string();
        let id = message.stream_id.to_bytes();
        let piece = match message.content {
            StreamContent::Data(part) => Piece::Part(part),
            StreamContent::Fin => Piece::End,
        };
        let now = self.clocks.now();
        let (host, sequence) = (&mut self.host, message.sequence);
        let judged = block_in_place(|| host.on_part(now, &publisher, &id, sequence, piece))?;
        Ok(judged.map(to_engine))
    }

    fn on_decided(&mut self, certificate: &mc::CommitCertificate<Ctx>, reply: Reply<()>) -> Done {
        let certificate = certificate_from_engine(certificate)
            .map_err(|error| ChainError::new("convert the commit certificate", error))?;
        let now = self.clocks.now();
        match block_in_place(|| self.host.on_decided(now, &certificate))? {
            Commit::Done => answer(reply, ()),
            // Without an answer the engine does not tell others that the block can be had here.
            Commit::Missing => {
                warn!(
                    height = %certificate.height, digest = %certificate.checkpoint_digest,
                    "decided a block that is not here: it will come from another node"
                );
                Ok(())
            }
        }
    }

    fn on_finalized(
        &mut self,
        height: tbsi_types::Height,
        evidence: MisbehaviorEvidence<Ctx>,
        reply: Reply<Next<Ctx>>,
    ) -> Done {
        let evidence = evidence_from_engine(evidence);
        block_in_place(|| self.host.on_finalized(height, &evidence))?;
        self.starter = Some(Starter::Next(reply));
        Ok(())
    }

    /// Starts the height that is held, if it is time.
    fn start(&mut self) -> Done {
        let now = self.clocks.now();
        let Some(start) = self.host.start_next(now)? else {
            return Ok(());
        };
        let Start {
            height,
            validators,
            again,
        } = start;
        self.witnessed.tally().start(height, &validators);
        // The engine empties its log, and knows of nothing that it signed.
        if again {
            self.witnessed.memory().begin(height, None);
        }
        let tally = Some(self.tally);
        let parameters = height_parameters(self.host.parameters(), height, validators, tally);
        let engine_height = Height(height);
        match self.starter.take() {
            Some(Starter::First(reply)) => {
                info!(%height, "consensus starts");
                answer(reply, (engine_height, parameters))
            }
            Some(Starter::Next(reply)) if again => {
                answer(reply, Next::Restart(engine_height, parameters))
            }
            Some(Starter::Next(reply)) => answer(reply, Next::Start(engine_height, parameters)),
            None => Ok(()),
        }
    }

    fn on_synced(
        &mut self,
        height: Height,
        round: mc::Round,
        proposer: Address,
        bytes: &[u8],
    ) -> Result<SyncedValueOutcome<Ctx>, ChainError> {
        match block_in_place(|| self.host.on_synced(height.0, bytes))? {
            Synced::Valid(digest) => Ok(SyncedValueOutcome::Verdict(ProposedValue {
                height,
                round,
                valid_round: mc::Round::Nil,
                proposer,
                value: Value(digest),
                validity: Validity::Valid,
            })),
            Synced::Fault(reason) => {
                warn!(%height, reason, "a peer served bytes that are not the decided block");
                Ok(SyncedValueOutcome::PeerFault)
            }
            Synced::Later => Ok(SyncedValueOutcome::LocalTransientError),
        }
    }
}

pub(crate) fn height_parameters(
    parameters: &ConsensusParameters,
    height: tbsi_types::Height,
    validators: tbsi_types::ValidatorSet,
    tally: Option<&'static Tally>,
) -> HeightParams<Ctx> {
    let ms = Duration::from_millis;
    let (propose, vote) = (
        ms(parameters.timeout_propose_ms),
        ms(parameters.timeout_vote_ms),
    );
    let delta = ms(parameters.timeout_delta_ms);
    let linear = mc::LinearTimeouts {
        propose,
        propose_delta: delta,
        prevote: vote,
        prevote_delta: delta,
        precommit: vote,
        precommit_delta: delta,
        rebroadcast: propose + vote + vote,
        ..mc::LinearTimeouts::default()
    };
    let timeouts = Patience {
        height,
        linear,
        tally,
    };
    HeightParams::new(ValidatorSet::new(validators), timeouts, None)
}

pub(crate) fn to_engine(judged: Judged) -> ProposedValue<Ctx> {
    ProposedValue {
        height: Height(judged.height),
        round: round_to_engine(Some(judged.round)),
        valid_round: round_to_engine(judged.polka_round),
        proposer: Address(judged.proposer),
        value: Value(judged.digest),
        validity: Validity::from_bool(judged.valid),
    }
}

fn accept_all<A, E>(extensions: Vec<(A, Bytes)>) -> Vec<(A, Result<(), E>)> {
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

pub(crate) fn evidence_from_engine(evidence: MisbehaviorEvidence<Ctx>) -> Vec<Evidence> {
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
    // A proposal that its signer abstained from is known to its own node alone, and is none.
    let is_signed = |evidence: &Evidence| {
        let (first, second) = match evidence {
            Evidence::Votes { first, second, .. } => (first.1, second.1),
            Evidence::Proposals { first, second, .. } => (first.1, second.1),
        };
        ![first, second].contains(&tbsi_types::Signature::ABSTAINED)
    };
    votes.chain(proposals).filter(is_signed).collect()
}
