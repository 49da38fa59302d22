//! Consensus without actors: the same core, host, codec and rules, one input at a time.
//!
//! [`Engine`](crate::Engine) runs Malachite's core behind actors, a socket, timers and a log
//! file. Here the caller has these in hand: [`Stepped`] takes an [`Input`], and what follows
//! from it goes to [`World`] in the order in which it would reach the disk and the wire. That is
//! what simulation drives; nothing in the product does. What the actors of value sync do (whom
//! to ask for which heights, and when) is the caller's.

mod asking;
mod effects;
mod log;
pub mod wire;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_app_channel::app::consensus::r#gen::{CoResult, Gen};
use arc_malachitebft_app_channel::app::consensus::{
    self as core, Params, Resume, State, ThresholdParams, ValuePayload,
};
use arc_malachitebft_app_channel::app::engine::wal::decode_entry;
use arc_malachitebft_app_channel::app::metrics::Metrics;
use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_app_channel::app::types::core as mc;
use bytes::Bytes;
use mc::{ThresholdParam, ValidatorSet as _, ValueOrigin};
use tbsi_light::KnownSignatures;
use tbsi_types::genesis::ConsensusParameters;
use tbsi_types::{ChainIdentity, CommitCertificate, Height, Round};

use crate::codec::{WireCodec, certificate_from_engine, certificate_to_engine};
use crate::context::{self, Address, Ctx, round_from_engine};
use crate::host::{Now, Start, Synced};
use crate::limits::QUEUED_INPUTS_PER_HEIGHT_MAX;
use crate::port::{Chain, ChainError, Commit};
use crate::serve::{evidence_from_engine, height_parameters};
use effects::{Pending, Shell};
pub use log::CrashFile;
use tbsi_keys::{ConsensusStatement, SignedStatement};

/// Heights above the running one whose messages wait: the engine's default.
const QUEUED_HEIGHTS_MAX: usize = 10;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Proposals and votes.
    Consensus,
    /// Repeated votes, and certificates of polkas and rounds.
    Liveness,
    /// Parts of proposed blocks.
    Parts,
}

/// Something to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// No proposal came.
    Propose,
    /// No quorum of equal prevotes came.
    Prevote,
    /// No quorum of equal precommits came.
    Precommit,
    /// Nothing came: say again what was said.
    Rebroadcast,
    /// The signer did not sign a vote.
    AskAgain,
}

/// A timeout of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Of what.
    pub kind: TimerKind,
    /// In which round.
    pub round: Round,
}

/// What comes to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message of a topic, first published by the peer with this id (base58).
    Message {
        /// Of which topic.
        topic: Topic,
        /// Who published it.
        publisher: String,
        /// As on the wire.
        bytes: Bytes,
    },
    /// A timer that was not cancelled.
    Timer(Timer),
    /// A decided block, in answer to a request.
    Synced {
        /// Who answered.
        peer: String,
        /// Its certificate, not verified.
        certificate: CommitCertificate,
        /// Its bytes, not verified.
        block: Bytes,
    },
    /// The time that [`World::wake_after`] asked for, or a reason to look sooner.
    Wake,
}

/// The world around one node, as its consensus sees it. An `Err` is a crash: nothing after it
/// happens.
pub trait World {
    /// What the node's clocks show.
    fn now(&self) -> Now;
    /// Sends to everybody.
    fn publish(&mut self, topic: Topic, bytes: Bytes) -> Result<(), Crashed>;
    /// Starts a timer, in place of one of the same kind and round.
    fn start_timer(&mut self, timer: Timer, after: Duration);
    /// Stops a timer, if it runs.
    fn cancel_timer(&mut self, timer: Timer);
    /// Stops all timers.
    fn cancel_timers(&mut self);
    /// Asks for [`Input::Wake`]; a later call replaces an earlier one, `None` takes it back.
    fn wake_after(&mut self, after: Option<Duration>);
    /// Passes a place where a process may die.
    fn pass(&mut self, place: Place) -> Result<(), Crashed>;
    /// The signer's answer, as that of [`VoteSigner::sign`](tbsi_keys::VoteSigner::sign).
    fn sign(
        &mut self,
        statement: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<SignedStatement>, Crashed>;
    /// What became of [`Input::Synced`].
    fn synced(&mut self, peer: &str, height: Height, fault: SyncFault);
    /// What an observer of the node would note.
    fn reach(&mut self, milestone: Milestone);
}

/// Why a decided block from a peer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncFault {
    /// The peer lied.
    Peer,
    /// This node could not use it now.
    Local,
}

/// Where a process may die, in consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Before an entry is written to the log.
    LogAppend,
    /// After it is written, before it is synced.
    LogAppended,
    /// After the log was synced.
    LogSynced,
    /// Before the log becomes that of another height.
    LogStart,
    /// Before the host commits what is decided.
    Decided,
    /// After it did.
    Committed,
}

/// The node's process ends here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crashed;

/// Milestones of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// A height began; whether this node votes, and how many entries of the log it replays.
    Height(Height, bool, usize),
    /// A round began, with this proposer.
    Round(Height, Round, tbsi_types::Address),
    /// A height is decided; whether its block is here.
    Decided(CommitCertificate, bool),
}

/// Why a node ended.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The world wanted it.
    #[error("crashed")]
    Crashed,
    /// The chain could not do what consensus needs.
    #[error("the chain failed")]
    Chain(#[from] ChainError),
    /// The core refused to go on. In a replay of the log it waits for an operator.
    #[error("consensus stopped: {0}")]
    Core(String),
}

impl From<Crashed> for Stop {
    fn from(_: Crashed) -> Self {
        Self::Crashed
    }
}

/// What a node is given beside its chain.
#[derive(Clone, Debug)]
pub struct SteppedConfig {
    /// The network.
    pub chain: ChainIdentity,
    /// Timeouts and pacing, from genesis.
    pub parameters: ConsensusParameters,
    /// Its validator key's address, if it has one.
    pub own: Option<tbsi_types::Address>,
    /// How much voting power is a quorum, of 3: more than 2, unless a wrong one is planted.
    pub quorum_of_3: u64,
    /// Whether votes and certificates are verified, unless that is planted.
    pub verify: bool,
    /// Nodes of one process may share it, so that a signature is verified once.
    pub known: Arc<KnownSignatures>,
}

/// A node's consensus.
pub struct Stepped<C> {
    core: Option<State<Ctx>>,
    params: Params<Ctx>,
    metrics: Metrics,
    shell: Shell<C>,
}

impl<C: Chain> Stepped<C> {
    /// Consensus over `chain`; [`Stepped::start`] starts it.
    pub fn new(config: &SteppedConfig, chain: C, log: CrashFile, now: Now) -> Result<Self, Stop> {
        let own = config.own.unwrap_or_default();
        let params = Params {
            address: Address(own),
            threshold_params: ThresholdParams {
                quorum: ThresholdParam::new(config.quorum_of_3, 3),
                ..ThresholdParams::default()
            },
            value_payload: ValuePayload::ProposalAndParts,
            enabled: config.own.is_some(),
        };
        Ok(Self {
            core: None,
            params,
            metrics: Metrics::new(),
            shell: Shell::new(config, chain, log, now)?,
        })
    }

    /// The network's identity.
    pub fn chain(&self) -> ChainIdentity {
        self.shell.identity
    }

    /// The height and round that run.
    pub fn position(&self) -> Option<(Height, Round)> {
        let core = self.core.as_ref()?;
        let round = round_from_engine(core.round()).unwrap_or_default();
        Some((core.height().0, round))
    }

    /// Starts the height above the tip, from the log if it is of that height.
    pub fn start(&mut self, world: &mut dyn World) -> Result<(), Stop> {
        self.shell.host.on_ready();
        self.settle(world)
    }

    /// Takes one input to its end.
    pub fn step(&mut self, world: &mut dyn World, input: Input) -> Result<(), Stop> {
        match input {
            Input::Message {
                topic,
                publisher,
                bytes,
            } => self.on_message(world, topic, &publisher, bytes)?,
            Input::Timer(timer) => match effects::timeout(timer) {
                Some(timeout) => self.feed(world, core::Input::TimeoutElapsed(timeout))?,
                None => self.shell.ask_again(world)?,
            },
            Input::Synced {
                peer,
                certificate,
                block,
            } => self.on_synced(world, &peer, &certificate, block)?,
            Input::Wake => {}
        }
        self.settle(world)
    }

    /// Answers a request for decided blocks; `None` if its bytes are none.
    pub fn serve(&mut self, request: &[u8]) -> Result<Option<Bytes>, Stop> {
        let Some(range) = wire::request_range(request) else {
            return Ok(None);
        };
        let start = *range.start();
        let values = self.shell.host.decided_values(range)?;
        let blocks = values.into_iter().map(|(block, one)| (one, block));
        Ok(Some(wire::response(start, blocks.collect())))
    }

    /// The chain, to be read, or misused by a liar.
    pub fn chain_mut(&mut self) -> &mut C {
        self.shell.host.chain_mut()
    }

    fn on_message(
        &mut self,
        world: &mut dyn World,
        topic: Topic,
        publisher: &str,
        bytes: Bytes,
    ) -> Result<(), Stop> {
        if topic == Topic::Parts {
            let Some(part) = wire::decode_part(bytes) else {
                return Ok(());
            };
            if self.core.is_none() {
                return Ok(());
            }
            if let Some(value) = self.shell.on_part(world.now(), publisher, part)? {
                let input = core::Input::ProposedValue(value, ValueOrigin::Consensus);
                self.feed(world, input)?;
            }
            return Ok(());
        }
        match wire::decode_input(topic, bytes) {
            Some(input) if self.core.is_some() && !self.shell.is_own(&input) => {
                self.feed(world, input)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn on_synced(
        &mut self,
        world: &mut dyn World,
        peer: &str,
        certificate: &CommitCertificate,
        block: Bytes,
    ) -> Result<(), Stop> {
        let running = self.core.as_ref().map(|core| core.height().0);
        if running != Some(certificate.height) {
            world.synced(peer, certificate.height, SyncFault::Local);
            return Ok(());
        }
        let id: PeerId = peer.parse().map_err(|_| Stop::Core("a peer's id".into()))?;
        let certificate = certificate_to_engine(certificate);
        let response = mc::ValueResponse::new(id, block, certificate);
        self.feed(world, core::Input::SyncValueResponse(response))
    }

    /// Does what the host was asked meanwhile, until nothing is left, and asks for a wake-up.
    fn settle(&mut self, world: &mut dyn World) -> Result<(), Stop> {
        loop {
            while let Some(pending) = self.shell.pending.pop_front() {
                self.shell.take_witnessed()?;
                self.on_pending(world, pending)?;
            }
            self.shell.take_witnessed()?;
            let Some(start) = self.shell.host.start_next(world.now())? else {
                break;
            };
            self.start_height(world, start)?;
        }
        let now = world.now();
        let next = self.shell.host.start_next_at(now)?;
        world.wake_after(next.map(|next| next.saturating_sub(now.monotonic)));
        Ok(())
    }

    fn on_pending(&mut self, world: &mut dyn World, pending: Pending) -> Result<(), Stop> {
        match pending {
            Pending::Core(input) => self.feed(world, input)?,
            Pending::GetValue(height, round, timeout) => {
                let (value, streamed) =
                    self.shell.get_value(world.now(), height, round, timeout)?;
                // The engine takes the value while the parts are being streamed.
                self.feed(world, core::Input::Propose(value))?;
                self.shell.stream(world, streamed)?;
            }
            Pending::Restream(slot, proposer, digest) => {
                let streamed = self.shell.host.on_restream(slot, proposer, digest)?;
                self.shell.stream(world, streamed)?;
            }
            Pending::Decided(certificate) => self.on_decided(world, &certificate)?,
            Pending::Finalized(height, evidence) => {
                let evidence = evidence_from_engine(evidence);
                self.shell.host.on_finalized(height.0, &evidence)?;
            }
            Pending::Synced(response, proposer) => {
                self.on_verified(world, &response, proposer)?;
            }
        }
        Ok(())
    }

    fn on_decided(
        &mut self,
        world: &mut dyn World,
        certificate: &mc::CommitCertificate<Ctx>,
    ) -> Result<(), Stop> {
        let certificate = certificate_from_engine(certificate)
            .map_err(|error| ChainError::new("convert the commit certificate", error))?;
        world.pass(Place::Decided)?;
        let commit = self.shell.host.on_decided(world.now(), &certificate)?;
        world.reach(Milestone::Decided(certificate, commit == Commit::Done));
        Ok(world.pass(Place::Committed)?)
    }

    /// The certificate of a synced block is good; now its bytes.
    fn on_verified(
        &mut self,
        world: &mut dyn World,
        response: &mc::ValueResponse<Ctx>,
        proposer: Address,
    ) -> Result<(), Stop> {
        let certificate = &response.certificate;
        let height = certificate.height;
        let fault = match self.shell.host.on_synced(height.0, &response.value_bytes)? {
            Synced::Valid(digest) if digest == certificate.value_id.0 => {
                let value = core::ProposedValue {
                    height,
                    round: certificate.round,
                    valid_round: mc::Round::Nil,
                    proposer,
                    value: certificate.value_id,
                    validity: mc::Validity::Valid,
                };
                return self.feed(world, core::Input::ProposedValue(value, ValueOrigin::Sync));
            }
            Synced::Valid(_) | Synced::Fault(_) => SyncFault::Peer,
            Synced::Later => SyncFault::Local,
        };
        world.synced(&response.peer.to_string(), height.0, fault);
        Ok(())
    }

    fn start_height(&mut self, world: &mut dyn World, start: Start) -> Result<(), Stop> {
        let Start {
            height,
            validators,
            again,
        } = start;
        self.shell.start_tally(height, &validators);
        self.shell.unsigned.clear();
        let parameters = height_parameters(self.shell.host.parameters(), height, validators, None);
        let set = parameters.validator_set.clone();
        if self.core.is_none() {
            self.core = Some(State::new(
                Ctx,
                context::Height(height),
                set.clone(),
                self.params.clone(),
                QUEUED_HEIGHTS_MAX,
                QUEUED_INPUTS_PER_HEIGHT_MAX,
            ));
        }
        let known = set.get_by_address(&self.params.address).is_some();
        self.shell.votes = self.params.enabled && known;
        self.shell.timeouts = parameters.timeouts;
        let entries = self.open_log(world, height, again)?;
        world.reach(Milestone::Height(height, self.shell.votes, entries.len()));
        let input = core::Input::StartHeight(
            context::Height(height),
            parameters.validator_set,
            again,
            parameters.target_time,
            parameters.vote_extension_policy,
        );
        self.feed(world, input)?;
        self.replay(world, entries)
    }

    fn open_log(
        &mut self,
        world: &mut dyn World,
        height: Height,
        again: bool,
    ) -> Result<VecDeque<core::Input<Ctx>>, Stop> {
        world.pass(Place::LogStart)?;
        let log = &mut self.shell.log;
        let damaged = |error| Stop::Core(format!("the log: {error}"));
        if again || !self.shell.votes {
            log.reset(height).map_err(damaged)?;
            self.shell.remember(height, &VecDeque::new());
            return Ok(VecDeque::new());
        }
        let entries = log.start(height).map_err(damaged)?;
        let decode = |entry: Vec<u8>| decode_entry(&WireCodec, std::io::Cursor::new(entry));
        let entries = entries
            .into_iter()
            .map(|entry| decode(entry).map_err(damaged))
            .collect::<Result<_, _>>()?;
        self.shell.remember(height, &entries);
        Ok(entries)
    }

    fn replay(
        &mut self,
        world: &mut dyn World,
        entries: VecDeque<core::Input<Ctx>>,
    ) -> Result<(), Stop> {
        if entries.is_empty() {
            return Ok(());
        }
        let core = self.core.as_mut().expect("a height was started");
        core.record_recovered_own_precommit_extensions(&entries);
        core.index_wal_entries(&entries);
        self.shell.replaying = true;
        for entry in entries {
            self.feed(world, entry)?;
        }
        self.shell.replaying = false;
        let core = self.core.as_mut().expect("a height was started");
        core.reset_entries_index();
        Ok(())
    }

    /// Gives the core an input and does what it wants, in its order.
    fn feed(&mut self, world: &mut dyn World, input: core::Input<Ctx>) -> Result<(), Stop> {
        let state = self.core.as_mut().expect("a height was started");
        let metrics = &self.metrics;
        let mut process = Gen::new(|co| core::handle(co, state, metrics, input));
        let mut outcome = process.resume_with(Resume::Start);
        loop {
            match outcome {
                CoResult::Yielded(effect) => {
                    let resume = self.shell.perform(world, effect)?;
                    outcome = process.resume_with(resume);
                }
                CoResult::Complete(Ok(())) => return Ok(()),
                CoResult::Complete(Err(error)) => return Err(Stop::Core(error.to_string())),
            }
        }
    }
}
