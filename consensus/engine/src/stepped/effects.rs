//! What Malachite's core wants done, and who does it.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the many effects are done in several functions, each of which passes the rest on"
)]

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arc_malachitebft_app_channel::app::consensus::{
    self as core, ConsensusMsg, Effect, LivenessMsg, MisbehaviorEvidence, Resumable, Resume,
};
use arc_malachitebft_app_channel::app::engine::wal::encode_entry;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamMessage};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_signing::{Verifier, VerifierExt};
use mc::{SignedMessage, TimeoutKind, ValueOrigin};
use tbsi_types::{ChainIdentity, CheckpointDigest, PublicKey, Round, Signature};

use super::log::{CrashFile, CrashLog};
use super::{
    Crashed, Milestone, Place, SteppedConfig, Stop, SyncFault, Timer, TimerKind, Topic, World, wire,
};
use crate::codec::{CodecError, WireCodec};
use crate::context::{Address, Ctx, Height, Part, Value, Vote, round_from_engine, round_to_engine};
use crate::host::{Host, Now, Piece, Streamed};
use crate::network::Verified;
use crate::port::{Chain, ChainError};
use crate::serve::to_engine;
use crate::signing::{ChainVerifier, voted};
use crate::tally::Patience;
use crate::wal::lock_of;
use crate::witnessed::Witnessed;
use tbsi_keys::{ConsensusStatement, SignedStatement};

/// What the host is asked while the core works; it answers afterwards, as behind its channel.
pub(super) enum Pending {
    Core(core::Input<Ctx>),
    GetValue(Height, mc::Round, Duration),
    Restream(
        (tbsi_types::Height, Round, Option<Round>),
        tbsi_types::Address,
        CheckpointDigest,
    ),
    Decided(mc::CommitCertificate<Ctx>),
    Finalized(Height, MisbehaviorEvidence<Ctx>),
    Synced(mc::ValueResponse<Ctx>, Address),
}

/// A node without its core.
pub(super) struct Shell<C> {
    pub(super) identity: ChainIdentity,
    pub(super) log: CrashLog,
    pub(super) host: Host<C>,
    pub(super) pending: VecDeque<Pending>,
    pub(super) timeouts: Patience,
    /// Whether this node is of the running height's validator set.
    pub(super) votes: bool,
    /// Whether the log is being replayed, so that nothing is written to it.
    pub(super) replaying: bool,
    /// Votes of the running height that the signer did not sign, oldest first.
    pub(super) unsigned: VecDeque<Vote>,
    own: Option<tbsi_types::Address>,
    witnessed: Witnessed,
    verifier: ChainVerifier,
    verify: bool,
    streams_started: u64,
}

impl<C: Chain> Shell<C> {
    pub(super) fn new(
        config: &SteppedConfig,
        chain: C,
        log: CrashFile,
        now: Now,
    ) -> Result<Self, Stop> {
        let identity = config.chain;
        let witnessed = Witnessed::default();
        let verified = Verified::new(identity, Arc::clone(&config.known));
        let log = CrashLog::open(log).map_err(|error| Stop::Core(format!("the log: {error}")))?;
        Ok(Self {
            identity,
            log,
            host: Host::new(chain, config.parameters, config.own, now),
            pending: VecDeque::new(),
            timeouts: Patience::default(),
            own: config.own,
            votes: false,
            replaying: false,
            unsigned: VecDeque::new(),
            verifier: ChainVerifier::new(verified, witnessed.clone(), config.own),
            witnessed,
            verify: config.verify,
            streams_started: 0,
        })
    }

    /// Does one effect, as the engine's consensus actor does it.
    pub(super) fn perform(
        &mut self,
        world: &mut dyn World,
        effect: Effect<Ctx>,
    ) -> Result<Resume<Ctx>, Stop> {
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => {
                world.cancel_timers();
                self.ask_soon(world);
                r.resume_with(())
            }
            Effect::CancelTimeout(timeout, r) => {
                if let Some(timer) = timer(timeout) {
                    world.cancel_timer(timer);
                }
                r.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, r) => {
                if let Some(timer) = timer(timeout) {
                    let tally = Some(self.witnessed.tally());
                    world.start_timer(timer, self.timeouts.after(tally, timeout));
                }
                r.resume_with(())
            }
            Effect::StartRound(height, round, proposer, _, r) => {
                self.start_round(world, height, round, proposer)?;
                r.resume_with(())
            }
            Effect::PublishConsensusMsg(message, r) => {
                self.sync_log(world)?;
                match message {
                    SignedConsensusMsg::Vote(vote) if vote.signature == Signature::ABSTAINED => {
                        self.abstained(world, vote.message);
                    }
                    message => {
                        world.publish(Topic::Consensus, encoded(WireCodec.encode(&message)))?;
                    }
                }
                r.resume_with(())
            }
            Effect::PublishLivenessMsg(message, r) => {
                publish_liveness(world, &message)?;
                r.resume_with(())
            }
            Effect::RepublishVote(vote, r) => {
                self.republish(world, vote)?;
                r.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, r) => {
                publish_liveness(world, &LivenessMsg::SkipRoundCertificate(certificate))?;
                r.resume_with(())
            }
            effect => return self.perform_more(world, effect),
        })
    }

    /// Signatures, certificates and the log.
    fn perform_more(
        &mut self,
        world: &mut dyn World,
        effect: Effect<Ctx>,
    ) -> Result<Resume<Ctx>, Stop> {
        Ok(match effect {
            Effect::SignVote(vote, r) => {
                let signed = self.sign(world, ConsensusStatement::Vote(vote.statement()))?;
                r.resume_with(voted(vote, signed))
            }
            Effect::SignProposal(proposal, r) => {
                let signed =
                    self.sign(world, ConsensusStatement::Proposal(proposal.statement()))?;
                let signature = signed.map_or(Signature::ABSTAINED, |signed| signed.signature);
                r.resume_with(SignedMessage::new(proposal, signature))
            }
            Effect::VerifySignature(message, key, r) => {
                let (message, signature) = (message.message, message.signature);
                r.resume_with(self.is_good(&message, &signature, &key))
            }
            Effect::VerifyCommitCertificate(certificate, set, thresholds, r) => {
                let verdict = self.verdict(|verifier| {
                    verifier.verify_commit_certificate(&Ctx, &certificate, &set, thresholds)
                });
                r.resume_with(verdict)
            }
            Effect::VerifyExtendedCommitCertificate(certificate, set, thresholds, policy, r) => {
                let verdict = self.verdict(|verifier| {
                    verifier.verify_extended_commit_certificate(
                        &Ctx,
                        &certificate,
                        &set,
                        thresholds,
                        policy,
                    )
                });
                r.resume_with(verdict)
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, r) => {
                let verdict = self.verdict(|verifier| {
                    verifier.verify_polka_certificate(&Ctx, &certificate, &set, thresholds)
                });
                r.resume_with(verdict)
            }
            Effect::VerifyRoundCertificate(certificate, set, thresholds, r) => {
                let verdict = self.verdict(|verifier| {
                    verifier.verify_round_certificate(&Ctx, &certificate, &set, thresholds)
                });
                r.resume_with(verdict)
            }
            Effect::WalAppend(height, entry, r) => {
                self.append(world, height, entry)?;
                r.resume_with(())
            }
            effect => return self.ask(world, effect),
        })
    }

    /// What the host does later, and what is not used here.
    fn ask(&mut self, world: &mut dyn World, effect: Effect<Ctx>) -> Result<Resume<Ctx>, Stop> {
        Ok(match effect {
            Effect::GetValue(height, round, timeout, r) => {
                let within = self.timeouts.after(None, timeout);
                let pending = Pending::GetValue(height, round, within);
                self.pending.push_back(pending);
                r.resume_with(())
            }
            Effect::RestreamProposal(height, round, polka_round, proposer, value, r) => {
                let round = round_from_engine(round).unwrap_or_default();
                let slot = (height.0, round, round_from_engine(polka_round));
                let pending = Pending::Restream(slot, proposer.0, value.0);
                self.pending.push_back(pending);
                r.resume_with(())
            }
            Effect::Decide(certificate, _, r) => {
                self.sync_log(world)?;
                self.pending.push_back(Pending::Decided(certificate));
                r.resume_with(())
            }
            Effect::Finalize(certificate, _, evidence, r) => {
                let pending = Pending::Finalized(certificate.height, evidence);
                self.pending.push_back(pending);
                r.resume_with(())
            }
            Effect::CertVerifiedSyncValue(response, proposer, r) => {
                self.pending.push_back(Pending::Synced(response, proposer));
                r.resume_with(())
            }
            Effect::CertRejectedSyncValue(peer, height, error, r) => {
                let fault = match error {
                    core::Error::InvalidCommitCertificate(..) => SyncFault::Peer,
                    _ => SyncFault::Local,
                };
                world.synced(&peer.to_string(), height.0, fault);
                r.resume_with(())
            }
            // Vote extensions are disabled.
            Effect::ExtendVote(.., r) => r.resume_with(None),
            Effect::VerifyVoteExtension(.., r) => r.resume_with(Ok(())),
            other => unreachable!("done before: {other:?}"),
        })
    }

    fn start_round(
        &mut self,
        world: &mut dyn World,
        height: Height,
        round: mc::Round,
        proposer: Address,
    ) -> Result<(), Stop> {
        self.sync_log(world)?;
        let number = round_from_engine(round).unwrap_or_default();
        world.reach(Milestone::Round(height.0, number, proposer.0));
        self.take_witnessed()?;
        let judged = self.host.on_started_round(height.0, number, proposer.0)?;
        let inputs = judged.into_iter().map(|judged| {
            let value = to_engine(judged);
            Pending::Core(core::Input::ProposedValue(value, ValueOrigin::Consensus))
        });
        self.pending.extend(inputs);
        Ok(())
    }

    fn append(
        &mut self,
        world: &mut dyn World,
        height: Height,
        entry: core::Input<Ctx>,
    ) -> Result<(), Stop> {
        if self.replaying || !self.votes {
            return Ok(());
        }
        let mut bytes = Vec::new();
        encode_entry(entry, &WireCodec, &mut bytes)
            .map_err(|error| Stop::Core(format!("an entry at {height}: {error}")))?;
        world.pass(Place::LogAppend)?;
        let appended = self.log.append(height.0, &bytes);
        appended.map_err(|error| Stop::Core(format!("the log: {error}")))?;
        Ok(world.pass(Place::LogAppended)?)
    }

    fn sync_log(&mut self, world: &mut dyn World) -> Result<(), Stop> {
        if self.replaying || !self.votes {
            return Ok(());
        }
        let synced = self.log.sync();
        synced.map_err(|error| Stop::Core(format!("the log: {error}")))?;
        Ok(world.pass(Place::LogSynced)?)
    }

    pub(super) fn start_tally(&self, height: tbsi_types::Height, set: &tbsi_types::ValidatorSet) {
        self.witnessed.tally().start(height, set);
    }

    /// Tells the host what was verified and signed, before it is asked anything else.
    pub(super) fn take_witnessed(&mut self) -> Result<(), ChainError> {
        let seen = self.witnessed.take();
        if let Some(signed) = seen.signed {
            self.host.on_signed(signed);
        }
        for (vote, validator) in &seen.votes {
            self.host.on_vote(vote, *validator)?;
        }
        Ok(())
    }

    pub(super) fn on_part(
        &mut self,
        now: Now,
        publisher: &str,
        part: StreamMessage<Part>,
    ) -> Result<Option<core::ProposedValue<Ctx>>, ChainError> {
        self.take_witnessed()?;
        let stream = part.stream_id.to_bytes();
        let piece = match part.content {
            StreamContent::Data(part) => Piece::Part(part),
            StreamContent::Fin => Piece::End,
        };
        let sequence = part.sequence;
        let judged = self
            .host
            .on_part(now, publisher, &stream, sequence, piece)?;
        Ok(judged.map(to_engine))
    }

    pub(super) fn get_value(
        &mut self,
        now: Now,
        height: Height,
        round: mc::Round,
        timeout: Duration,
    ) -> Result<(core::LocallyProposedValue<Ctx>, Option<Streamed>), ChainError> {
        let slot = (height.0, round_from_engine(round).unwrap_or_default());
        let proposed = self.host.on_get_value(now, slot, timeout)?;
        let value = Value(proposed.digest);
        let value = core::LocallyProposedValue::new(height, round, value);
        Ok((value, proposed.stream))
    }

    pub(super) fn stream(
        &mut self,
        world: &mut dyn World,
        streamed: Option<Streamed>,
    ) -> Result<(), Crashed> {
        let Some(Streamed { init, bytes }) = streamed else {
            return Ok(());
        };
        self.streams_started += 1;
        let id = [init.height.0, self.streams_started].map(u64::to_be_bytes);
        for part in wire::stream(&id.concat(), init, &bytes) {
            world.publish(Topic::Parts, part)?;
        }
        Ok(())
    }

    /// As [`EngineSigner`](crate::signing::EngineSigner) does it.
    pub(super) fn sign(
        &self,
        world: &mut dyn World,
        asked: ConsensusStatement,
    ) -> Result<Option<SignedStatement>, Crashed> {
        let memory = self.witnessed.memory();
        let signed = world.sign(asked, memory.lock_at(asked.height()))?;
        self.witnessed.signed(signed.is_some());
        let Some(SignedStatement { statement, .. }) = &signed else {
            return Ok(None);
        };
        if *statement == asked {
            memory.signed(statement);
        } else {
            self.log.forget(asked.height());
        }
        if let (Some(own), ConsensusStatement::Vote(vote)) = (self.own, statement) {
            self.witnessed.tally().note(vote, own);
        }
        Ok(signed)
    }

    /// What the core will know of what its validator signed, when these entries are replayed.
    pub(super) fn remember(
        &self,
        height: tbsi_types::Height,
        entries: &VecDeque<core::Input<Ctx>>,
    ) {
        let locks = entries
            .iter()
            .map(|entry| lock_of(entry, self.own?, height));
        let lock = locks.max().flatten();
        self.witnessed.memory().begin(height, lock);
    }

    /// Whether a message is a vote of this validator's own, which its core has from its signer.
    pub(super) fn is_own(&self, input: &core::Input<Ctx>) -> bool {
        let core::Input::Vote(vote) = input else {
            return matches!(
                input,
                core::Input::Proposal(proposal) if proposal.signature == Signature::ABSTAINED
            );
        };
        self.own == Some(mc::Vote::<Ctx>::validator_address(&vote.message).0)
    }

    fn is_good(&self, message: &ConsensusMsg<Ctx>, signature: &Signature, key: &PublicKey) -> bool {
        let verified = match message {
            ConsensusMsg::Vote(vote) => {
                if !self.verify {
                    self.witnessed.vote(vote.statement(), key.address());
                    return true;
                }
                at_once(self.verifier.verify_signed_vote(vote, signature, key))
            }
            ConsensusMsg::Proposal(proposal) => at_once(
                self.verifier
                    .verify_signed_proposal(proposal, signature, key),
            ),
        };
        !self.verify || verified.is_ok_and(|verdict| verdict.is_valid())
    }

    fn verdict<'a, F>(
        &'a self,
        verify: impl FnOnce(&'a ChainVerifier) -> F,
    ) -> Result<(), mc::CertificateError<Ctx>>
    where
        F: Future<Output = Result<(), mc::CertificateError<Ctx>>>,
    {
        if !self.verify {
            return Ok(());
        }
        at_once(verify(&self.verifier))
    }
}

/// A message of our own always has an encoding.
pub(super) fn encoded(bytes: Result<bytes::Bytes, CodecError>) -> bytes::Bytes {
    bytes.expect("what the core says can be encoded")
}

pub(super) fn publish_liveness(
    world: &mut dyn World,
    message: &LivenessMsg<Ctx>,
) -> Result<(), Crashed> {
    world.publish(Topic::Liveness, encoded(WireCodec.encode(message)))
}

/// Polls once a future that waits for nothing.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}

fn timer(timeout: mc::Timeout) -> Option<Timer> {
    let kind = match timeout.kind {
        TimeoutKind::Propose => TimerKind::Propose,
        TimeoutKind::Prevote => TimerKind::Prevote,
        TimeoutKind::Precommit => TimerKind::Precommit,
        TimeoutKind::Rebroadcast => TimerKind::Rebroadcast,
        // There is no target time, so nothing is waited for after a decision.
        TimeoutKind::FinalizeHeight(_) => return None,
    };
    let round: Round = round_from_engine(timeout.round)?;
    Some(Timer { kind, round })
}

/// The core's timeout, unless the timer is none of the core's.
pub(super) fn timeout(timer: Timer) -> Option<mc::Timeout> {
    let kind = match timer.kind {
        TimerKind::Propose => TimeoutKind::Propose,
        TimerKind::Prevote => TimeoutKind::Prevote,
        TimerKind::Precommit => TimeoutKind::Precommit,
        TimerKind::Rebroadcast => TimeoutKind::Rebroadcast,
        TimerKind::AskAgain => return None,
    };
    let round = round_to_engine(Some(timer.round));
    Some(mc::Timeout::new(round, kind))
}
