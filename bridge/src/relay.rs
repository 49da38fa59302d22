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
use crate::journal::Journal;
use crate::limits::{ALARMS_MAX, BACKOFF_MS_MAX};
use crate::record::{Event, Item, Parties, Reason, Record};
use crate::signer::{SharedSigner, Signer};
use crate::source::{Proven, Source};
use crate::standing;
use crate::state::State;
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
    /// Its gas, as far as the target can tell now.
    pub gas: u64,
    /// Most that it may cost, wei.
    pub cost_wei_max: String,
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
    /// What the last plan that could not be paid for costs at most, wei.
    needed: u128,
    /// The account's balance, wei.
    balance: u128,
    /// Alarms that were recorded since start, to record each once.
    alarmed: BTreeSet<String>,
    moved: Instant,
    /// Transactions in a row that were refused or that failed; each makes the pause longer.
    setbacks: u32,
    /// Nothing new is planned before.
    not_before: Instant,
    /// How this process has sent the transactions of plans.
    sent: BTreeMap<u64, settle::Sending>,
    /// Plans whose last attempt bids less than endpoints take, as far as they say.
    outbid: BTreeSet<u64>,
    /// What plans of this process cost at most, wei.
    costs: BTreeMap<u64, u128>,
    /// Plans that were given up, and whose nonce a final block has used for something else.
    forgotten: BTreeSet<u64>,
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
        let (journal, records) = Journal::open(&parts.home, &parts.parties)?;
        let state = State::of(&records)?;
        let started = Event::Started {
            config: parts.config_hash,
            software: env!("CARGO_PKG_VERSION").into(),
        };
        let mut this = Self::new(parts, EventSink::Journal(journal), state);
        this.record(vec![started])?;
        Ok(this)
    }

    /// A relayer that reads its journal and writes nothing anywhere.
    pub fn dry(parts: Parts<T>, records: &[Record]) -> Result<Self, RelayError> {
        let sink = EventSink::Dry {
            next: records.len() as u64,
            parties: parts.parties.clone(),
        };
        let state = State::of(records)?;
        Ok(Self::new(parts, sink, state))
    }

    fn new(parts: Parts<T>, sink: EventSink, state: State) -> Self {
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
            needed: 0,
            balance: 0,
            alarmed: BTreeSet::new(),
            moved: Instant::now(),
            setbacks: 0,
            not_before: Instant::now(),
            sent: BTreeMap::new(),
            outbid: BTreeSet::new(),
            costs: BTreeMap::new(),
            forgotten: BTreeSet::new(),
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
        for record in self.sink.write(events, (self.clock)())? {
            self.state.apply(&record)?;
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
        if self.settle(&view).await? {
            view = self.target.view().await?;
        }
        self.hold(&view)?;
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
        for detail in self.target.take_alarms() {
            self.alarm("targetDisagreement", detail)?;
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
        let gwei = u64::try_from(self.balance / 1_000_000_000);
        metrics.balance_gwei.set(gwei.unwrap_or(u64::MAX));
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
            reasons.push(format!("nothing is sent: {hold:?}"));
        }
        let stalled = self.moved.elapsed().as_secs();
        if self.state.backlog() > 0 && stalled > self.config.metrics.stall_s {
            reasons.push(format!("no progress for {stalled} s, and something waits"));
        }
        let least = self.config.fees.balance_min_wei;
        if view.balance < alloy_primitives::U256::from(least) {
            let have = view.balance;
            reasons.push(format!(
                "the balance is {have} wei, fees.balance_min_wei is {least}"
            ));
        }
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
    target.check().await?;
    source.check().await?;
    signer.check().await?;
    let account = target.account();
    let attests = config.audit.interval_s > 0;
    let standing = source.standing(account).await;
    standing::check_source(&config.relayer, account, attests, standing.as_ref())?;
    standing::check_target(account, target.standing().await?.as_ref())?;
    Ok(())
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
        | Event::NonceReserved { .. }
        | Event::Signed { .. }
        | Event::Broadcast { .. }
        | Event::Replaced { .. }
        | Event::Reorganised { .. }
        | Event::Acked { .. }
        | Event::Retried { .. }
        | Event::Released { .. }
        | Event::Revived { .. }
        | Event::Held { .. }
        | Event::Alarm { .. } => false,
    }
}

/// Milliseconds since 1970. Nothing is decided by it but pauses and what is recorded.
pub fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
