//! The relayer's one loop. Each step looks at both chains and then does what follows from the
//! journal; all that it does to the outside is journalled before (SPEC §15.2).

mod ack;
mod discover;
mod error;
mod evidence;
mod messages;
mod payloads;
mod plan;
mod portion;
mod send;
mod settle;
mod sink;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::config::Config;
use crate::fault;
use crate::health::Health;
use crate::journal::{self, Journal, last_file};
use crate::limits::{ALARMS_MAX, BACKOFF_MS_MAX};
use crate::record::{Event, Hold, Item, Parties, Reason, Record};
use crate::signer::{SharedSigner, Signer};
use crate::source::{Proven, Source};
use crate::standing;
use crate::state::{Illegal, State};
use crate::target::{Target, View};

pub(crate) use ack::{FILE_SCHEMA, SHA2_256, statement};
pub use discover::{REQUESTS, RETRY};
pub use error::RelayError;
pub use evidence::evidence_request;
pub use payloads::{PAYLOADS, PayloadError, keep_payload};
use sink::EventSink;

/// A transaction that a dry run would send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// What it carries.
    pub items: Vec<Item>,
    /// What it costs at most, by the target's own names.
    #[serde(flatten)]
    pub cost: BTreeMap<String, String>,
}

/// When [`Relay::run`] ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Never.
    Stopped,
    /// When nothing waits and everything is final.
    Empty,
    /// When the conflict of this height is settled, or cannot be.
    Told(u64),
}

/// A relayer of one source and one target.
pub struct Relay<T> {
    config: Config,
    home: PathBuf,
    source: Source,
    target: T,
    sink: EventSink,
    state: State,
    health: Health,
    clock: Clock,
    /// Signs the attestations of the record's head.
    signer: SharedSigner,
    /// Leaves looked at; those from the state's number on had nothing to carry.
    scanned: u64,
    ack: Option<ack::Pending>,
    /// When the source was found to take no attestation.
    quota_asked: Option<Instant>,
    forecasts: Vec<Forecast>,
    /// Alarms that were recorded since start, to record each once.
    alarmed: BTreeSet<String>,
    moved: Instant,
    /// Transactions in a row that were refused or that failed; each makes the pause longer.
    setbacks: u32,
    /// Nothing new is planned before.
    not_before: Instant,
    /// How much is tried in one transaction.
    portion: portion::Portion,
    /// Messages that were proven, by the index of the leaf.
    messages: BTreeMap<u64, messages::Message>,
    /// Those of this step that can be delivered, as far as is known.
    candidates: Vec<u64>,
    /// Messages from this index on are looked at next.
    next_message: u64,
    /// The head is attested as soon as everything else is done.
    flush: bool,
}

/// Tells milliseconds since 1970.
pub type Clock = fn() -> u64;

/// All that a relayer is made of.
pub struct Parts<T> {
    /// What an operator decided.
    pub config: Config,
    /// SHA-256 of the configuration file.
    pub config_hash: B256,
    /// The home directory.
    pub home: PathBuf,
    /// Where proofs come from.
    pub source: Source,
    /// Where they go.
    pub target: T,
    /// Who, from where, to where.
    pub parties: Parties,
    /// Signs with the relayer's key.
    pub signer: SharedSigner,
    /// What the pages show.
    pub health: Health,
    /// [`now_ms`], but in simulation.
    pub clock: Clock,
}

impl<T: Target> Relay<T> {
    /// A relayer that goes on where its journal ends.
    pub fn open(parts: Parts<T>) -> Result<Self, RelayError> {
        let mut state = State::default();
        let target = &parts.target;
        let file_bytes = parts.config.audit.file_bytes;
        let journal = Journal::open(&parts.home, &parts.parties, file_bytes, |record| {
            follow(&mut state, target, record).map_err(RelayError::from)
        })?;
        let started = Event::Started {
            config: parts.config_hash,
            software: env!("CARGO_PKG_VERSION").into(),
        };
        let mut this = Self::new(parts, EventSink::Journal(journal), state);
        this.record(vec![started])?;
        Ok(this)
    }

    /// A relayer that reads its journal and writes nothing anywhere.
    pub fn dry(parts: Parts<T>) -> Result<Self, RelayError> {
        let mut state = State::default();
        let target = &parts.target;
        let read = journal::read(&last_file(&parts.home), |record, _| {
            follow(&mut state, target, record).map_err(RelayError::from)
        })?;
        let sink = EventSink::Dry {
            next: read.next,
            parties: parts.parties.clone(),
        };
        Ok(Self::new(parts, sink, state))
    }

    fn new(mut parts: Parts<T>, sink: EventSink, state: State) -> Self {
        parts.target.count_in(&parts.health.metrics);
        Self {
            scanned: state.scanned.max(parts.config.select.from_leaf),
            config: parts.config,
            home: parts.home,
            source: parts.source,
            target: parts.target,
            sink,
            state,
            health: parts.health,
            clock: parts.clock,
            signer: parts.signer,
            messages: BTreeMap::new(),
            candidates: Vec::new(),
            next_message: 0,
            ack: None,
            quota_asked: None,
            forecasts: Vec::new(),
            alarmed: BTreeSet::new(),
            moved: Instant::now(),
            setbacks: 0,
            not_before: Instant::now(),
            portion: portion::Portion::default(),
            flush: false,
        }
    }

    /// Where everything stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn is_dry(&self) -> bool {
        matches!(self.sink, EventSink::Dry { .. })
    }

    /// Writes events to the journal, then to the state. They have happened when this returns.
    fn record(&mut self, events: Vec<Event>) -> Result<(), RelayError> {
        let settled = self.state.done();
        let now = (self.clock)();
        // Files of the journal begin with where everything stands, so this is before the events.
        self.sink.make_room(&self.state, now)?;
        for record in self.sink.write(events, now)? {
            follow(&mut self.state, &self.target, &record)?;
            info!(record = record.number, "{}", record.event.name());
            if moves(&record.event) {
                self.moved = Instant::now();
            }
            fault::point(record.event.name());
        }
        let settled = self.state.done() - settled;
        self.health.metrics.settled.inc_by(settled);
        Ok(())
    }

    /// Records something that an operator must look at, once for each process.
    fn alarm(&mut self, code: &str, detail: String) -> Result<(), RelayError> {
        self.health.metrics.alarms.inc();
        let full = self.alarmed.len() >= ALARMS_MAX;
        if full || !self.alarmed.insert(format!("{code}: {detail}")) {
            return Ok(());
        }
        warn!(code, "{detail}");
        let code = code.into();
        let reason = Reason { code, detail };
        self.record(vec![Event::Alarm { reason }])
    }

    /// Fails if source or target are others than configured, or do not let the account do its
    /// work; nothing was sent by then.
    pub async fn check(&self) -> Result<(), RelayError> {
        check(&self.config, &self.source, &self.target, &*self.signer).await
    }

    /// One step: looks, settles, discovers, sends, acknowledges.
    pub async fn step(&mut self) -> Result<(), RelayError> {
        let mut view = self.target.view().await?;
        if self.settle().await? {
            view = self.target.view().await?;
        }
        self.hold(&view)?;
        self.report_alarms()?;
        self.local_requests()?;
        self.evidence(&view).await?;
        let tip = self.source.tip().await;
        self.report_alarms()?;
        let tip = tip?;
        self.discover(&tip, &view).await?;
        self.plan(&tip, &view).await?;
        self.report_alarms()?;
        self.measure(&tip, &view);
        self.acknowledge().await
    }

    fn report_alarms(&mut self) -> Result<(), RelayError> {
        for detail in self.source.take_alarms() {
            self.alarm("sourceDisagreement", detail)?;
        }
        for reason in self.target.take_alarms() {
            self.alarm(&reason.code, reason.detail)?;
        }
        Ok(())
    }

    /// What would be sent now, without sending or writing anything.
    pub async fn forecast(&mut self) -> Result<Vec<Forecast>, RelayError> {
        let view = self.target.view().await?;
        self.hold(&view)?;
        let tip = self.source.tip().await?;
        self.discover(&tip, &view).await?;
        self.plan(&tip, &view).await?;
        Ok(std::mem::take(&mut self.forecasts))
    }

    /// Steps until `shutdown` turns true, or as `until` says. Failures that may pass are tried
    /// again after a pause that grows.
    pub async fn run(
        &mut self,
        until: Until,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), RelayError> {
        let mut failures = 0u32;
        loop {
            self.flush = until == Until::Empty && self.is_carried();
            let pause = match self.step().await {
                Ok(()) => {
                    failures = 0;
                    self.config.source.poll_ms
                }
                Err(error) if error.is_final() => return Err(error),
                Err(error @ RelayError::Attest(_)) if self.flush => return Err(error),
                Err(error) => {
                    failures += 1;
                    self.health.metrics.failed(error.reason());
                    self.unready(&error);
                    if failures == 1 || failures.is_power_of_two() {
                        warn!(failures, "{}", crate::source::causes(&error));
                    }
                    self.backoff(failures)
                }
            };
            match until {
                Until::Empty if failures == 0 && self.is_empty() => return Ok(()),
                Until::Told(height) if self.is_told(height) => return Ok(()),
                Until::Empty | Until::Told(_) | Until::Stopped => {}
            }
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return Ok(()),
                () = sleep(Duration::from_millis(pause)) => {}
            }
        }
    }

    /// A transaction came to nothing: the next one waits, longer each time.
    fn set_back(&mut self) {
        self.setbacks += 1;
        let pause = self.backoff(self.setbacks);
        self.not_before = Instant::now() + Duration::from_millis(pause);
    }

    /// Doubles with each failure, up to a limit; a quarter of it varies, so that two relayers do
    /// not stay in step.
    fn backoff(&self, failures: u32) -> u64 {
        let pause = self.config.source.poll_ms;
        let pause = pause
            .saturating_mul(1 << failures.min(10))
            .min(BACKOFF_MS_MAX);
        pause - (self.clock)() % (pause / 4 + 1)
    }

    fn is_carried(&self) -> bool {
        self.state.backlog() == 0 && self.state.plans.is_empty()
    }

    fn is_empty(&self) -> bool {
        let attests = self.config.audit.interval_s > 0;
        let open = attests && self.state.last_act > self.state.acked;
        self.is_carried() && self.ack.is_none() && !open
    }

    fn measure(&self, tip: &Proven, view: &View) {
        let (state, metrics) = (&self.state, &self.health.metrics);
        let now = (self.clock)();
        let oldest_s = state
            .oldest_ms()
            .map_or(0, |since| now.saturating_sub(since) / 1_000);
        metrics.backlog.set(state.backlog() as u64);
        metrics.oldest_s.set(oldest_s);
        metrics.quarantined.set(state.quarantined().count() as u64);
        metrics.messages.set(state.messages() as u64);
        metrics.expired.set(state.expired);
        metrics.in_flight.set(state.plans.len() as u64);
        metrics.progress_s.set(state.progress_ms / 1_000);
        metrics.source_height.set(tip.decision.checkpoint.height.0);
        metrics.client_height.set(view.client.height);
        let rest = view.client.trusted_until_ms / 1_000;
        metrics.trust_s.set(rest.saturating_sub(view.latest.time));
        metrics.holds.set(state.holds.len() as u64);
        self.health
            .set(self.reasons(view), state.backlog(), oldest_s);
    }

    /// Why this relayer is not ready.
    fn reasons(&self, view: &View) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for hold in &self.state.holds {
            reasons.push(match hold {
                Hold::Target(name) => format!("nothing is sent: {name}"),
                Hold::Paused | Hold::MessagesPaused | Hold::Frozen | Hold::TrustExpired => {
                    format!("nothing is sent: {hold:?}")
                }
            });
        }
        let stalled = self.moved.elapsed().as_secs();
        if self.state.backlog() > 0 && stalled > self.config.metrics.stall_s {
            reasons.push(format!("no progress for {stalled} s, and something waits"));
        }
        reasons.extend(view.unready.iter().cloned());
        reasons
    }

    fn unready(&self, error: &RelayError) {
        let reasons = vec![crate::source::causes(error)];
        self.health.set(reasons, self.state.backlog(), 0);
    }
}

/// Fails if source or target are others than configured, or do not let the account do its work.
pub async fn check<T: Target>(
    config: &Config,
    source: &Source,
    target: &T,
    signer: &dyn Signer,
) -> Result<(), RelayError> {
    source.check().await?;
    signer.check().await?;
    let account = signer.account();
    let attests = config.audit.interval_s > 0;
    let standing = source.standing(account).await;
    standing::check_source(&config.relayer, account, attests, standing.as_ref())?;
    Ok(target.check().await?)
}

/// The next record, as the relayer and, of its own steps, the target understand it.
pub(crate) fn follow<T: Target>(
    state: &mut State,
    target: &T,
    record: &Record,
) -> Result<(), Illegal> {
    let legal = target.legal(state, &record.event);
    legal.map_err(|problem| Illegal {
        number: record.number,
        event: record.event.name().into(),
        problem,
    })?;
    state.apply(record)
}

/// Whether an event is progress; that it waits and why is none.
fn moves(event: &Event) -> bool {
    match event {
        Event::Discovered { .. }
        | Event::Included { .. }
        | Event::Final { .. }
        | Event::AlreadyDone { .. }
        | Event::Expired { .. }
        | Event::Quarantined { .. }
        | Event::Resumed { .. } => true,
        Event::Started { .. }
        | Event::Proven { .. }
        | Event::Planned { .. }
        | Event::Step { .. }
        | Event::Reorganised { .. }
        | Event::Acked { .. }
        | Event::Retried { .. }
        | Event::Released { .. }
        | Event::Revived { .. }
        | Event::Held { .. }
        | Event::Alarm { .. }
        | Event::Snapshot { .. } => false,
    }
}

/// Milliseconds since 1970. Nothing is decided by it but pauses and what is recorded.
pub fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
