//! Following the log: look at the sources, verify, notice contradictions, index.

mod index;
mod words;

use std::sync::Arc;

use tbsi_types::log::Frontier;
use tbsi_types::{Decision, Genesis};

use crate::alarm::{Alarm, AlarmCode, RaisedAlarm};
use crate::limits::{ALARMS_MAX, SILENT_INTERVALS, SILENT_S_MIN};
use crate::registry::Registry;
use crate::said::WarroomError;
use crate::shared::{Knowledge, Shared, SourceState};
use crate::source::LogSource;
use crate::store::{Kept, Store};
use crate::trust::{Basis, Trust, VerifiedLog};

/// Follows one log.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    /// Away while a batch is written.
    store: Option<Store>,
    trust: Trust,
    registry: Registry,
    frontier: Frontier,
    log: Option<VerifiedLog>,
    signed: u64,
    states: Vec<SourceState>,
    /// What is missing now.
    troubles: Vec<RaisedAlarm>,
    /// What was contradicted ever.
    lies: Vec<RaisedAlarm>,
    /// The newest size and height that was verified, and when.
    progress: ((u64, u64), u64),
    silent_ms: u64,
}

/// After how much silence a chain counts as silent, in milliseconds.
pub(crate) fn silent_ms(genesis: &Genesis, given_s: Option<u64>) -> u64 {
    let interval = genesis.consensus.empty_block_interval_ms;
    let default = interval
        .saturating_mul(SILENT_INTERVALS)
        .max(SILENT_S_MIN * 1000);
    given_s.map_or(default, |seconds| seconds.saturating_mul(1000))
}

impl Follower {
    /// Takes up what the index has. `now_ms` is the time by the war room's clock, here and below.
    pub(crate) fn open(
        genesis: Genesis,
        genesis_bytes: Vec<u8>,
        sources: Vec<LogSource>,
        store: Store,
        silent_ms: u64,
        now_ms: u64,
    ) -> Result<Self, WarroomError> {
        let path = store.path().to_path_buf();
        let fault = |error: crate::store::IndexError| WarroomError::from(error.said(&path));
        let mut trust = Trust::new(&genesis)?;
        let view = store.view();
        let mut registry = Registry::founded(&genesis);
        for act in view.acts().map_err(fault)? {
            registry.apply(&act);
        }
        let total = view.total(
            crate::digest::Facet::Kind,
            crate::digest::number_word(tbsi_types::log::leaf::GOVERNANCE_KIND.into()),
        );
        registry.acts_total = total.map_err(fault)?.map_or(0, |total| total.count);
        let frontier = view.frontier().map_err(fault)?;
        let kept = view.kept().map_err(fault)?;
        let lies = view.alarms().map_err(fault)?;
        let log = trust.restore(&kept, &registry);
        let states: Vec<SourceState> = sources.iter().map(SourceState::of).collect();
        let place = log.as_ref().map_or((0, 0), place);
        let knowledge = Knowledge {
            registry: Arc::new(registry.clone()),
            trust: Arc::new(trust.clone()),
            log: log.clone().map(Arc::new),
            signed: frontier.size().0,
            sources: states.clone(),
            alarms: lies.clone(),
        };
        let shared = Shared::new(genesis, genesis_bytes, sources, knowledge, path.clone());
        Ok(Self {
            shared: Arc::new(shared),
            store: Some(store),
            trust,
            registry,
            signed: frontier.size().0,
            frontier,
            log,
            states,
            troubles: Vec::new(),
            lies,
            progress: (place, now_ms),
            silent_ms,
        })
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Leaves that are indexed.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size().0
    }

    /// Height of the newest checkpoint, if a certificate vouches for it.
    pub(crate) fn height(&self) -> Option<u64> {
        self.log.as_ref()?.height().map(|height| height.0)
    }

    /// What is wrong now.
    pub(crate) fn alarms(&self) -> Vec<RaisedAlarm> {
        let mut all: Vec<RaisedAlarm> = self.lies.iter().chain(&self.troubles).cloned().collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.since_ms));
        all.truncate(ALARMS_MAX);
        all
    }

    /// Looks at every source once, and indexes what is new.
    pub(crate) async fn round(&mut self, now_ms: u64) {
        // What is missing still, is found missing again.
        self.troubles.clear();
        let mut raised = Vec::new();
        let mut logs = Vec::new();
        for position in 0..self.shared.sources.len() {
            match self.look(position, now_ms).await {
                Ok(Some(log)) => logs.push((position, log)),
                Ok(None) => {}
                Err(alarm) => raised.push(alarm),
            }
        }
        for (position, log) in &logs {
            raised.extend(self.contradictions(*position, log));
        }
        logs.sort_by_key(|(_, log)| std::cmp::Reverse(place(log)));
        if let Some((position, newest)) = logs.first() {
            raised.extend(self.cross_check(*position, newest).await);
        }
        self.raise(raised, now_ms);
        // Each source by itself: one that lies about a log stops nobody who does not.
        for (position, log) in logs {
            if self.is_stopped() {
                break;
            }
            let raised = self.advance(position, log, now_ms).await;
            self.raise(raised, now_ms);
        }
        self.check_silence(now_ms);
        self.settle();
        self.publish();
    }

    /// Whether the log itself is in doubt.
    fn is_stopped(&self) -> bool {
        self.lies.iter().any(|raised| raised.alarm.code.stops())
    }

    /// The newest log that a source shows, verified.
    async fn look(&mut self, position: usize, now_ms: u64) -> Result<Option<VerifiedLog>, Alarm> {
        let shared = Arc::clone(&self.shared);
        let source = &shared.sources[position];
        let looked = async {
            let shown = source.shown(&shared.genesis).await?;
            self.trust.follow(source).await?;
            self.trust.verify(source, shown, &self.registry)
        };
        let looked = looked.await;
        let state = &mut self.states[position];
        state.reachable = Some(match &looked {
            Ok(_) => true,
            Err(alarm) => alarm.code != AlarmCode::Unreachable,
        });
        state.problem = looked.as_ref().err().map(|alarm| alarm.said.en.clone());
        if state.reachable == Some(true) {
            state.answered_ms = Some(now_ms);
        }
        if let Ok(Some(log)) = &looked {
            state.size = Some(log.size.0);
            state.height = log.height().map(|height| height.0);
            self.signed = self.signed.max(log.size.0);
        }
        looked
    }

    /// What a verified log contradicts of what was seen and indexed.
    fn contradictions(&mut self, position: usize, log: &VerifiedLog) -> Vec<Alarm> {
        let shared = Arc::clone(&self.shared);
        let source = &shared.sources[position];
        let mut found = Vec::new();
        let Some(store) = &mut self.store else {
            return found;
        };
        if let Some(decision) = log.decision() {
            let signed = |address| (address, log.signers.contains(&address));
            let set: Vec<_> = log
                .validators
                .as_slice()
                .iter()
                .map(|it| signed(it.address))
                .collect();
            match store.saw(decision, &set) {
                Ok(Some(other)) => found.push(words::fork(source, &other, decision)),
                Ok(None) => {}
                Err(error) => found.push(words::index(store.path(), &error)),
            }
        }
        if log.size <= self.frontier.size() {
            let ours = store.view().root_at(log.size);
            if let Some(ours) = ours.filter(|ours| *ours != log.root) {
                let indexed = (log.size, ours);
                found.push(words::rewritten(source, indexed, log));
            }
        }
        found
    }

    /// Asks the other nodes for the newest height: what they show there is the same, or a fork.
    async fn cross_check(&mut self, position: usize, newest: &VerifiedLog) -> Vec<Alarm> {
        let mut found = Vec::new();
        let Some(decision) = newest.decision() else {
            return found;
        };
        let others = self.shared.sources.iter().enumerate();
        for (_, source) in others.filter(|(other, _)| *other != position) {
            match source.decision_at(decision.checkpoint.height).await {
                Ok(Some(other)) if other.checkpoint != decision.checkpoint => {
                    found.push(self.conflict(source, &other, decision));
                }
                // A source that does not answer was told of already.
                Ok(_) | Err(_) => {}
            }
        }
        found
    }

    fn conflict(&self, source: &LogSource, other: &Decision, decision: &Decision) -> Alarm {
        match self.trust.verify_decision(other.clone()) {
            Ok(_) => words::fork(source, other, decision),
            Err(error) => source.wrong(&error),
        }
    }

    /// Indexes a verified log, and keeps what vouches for it.
    async fn advance(&mut self, position: usize, mut log: VerifiedLog, now_ms: u64) -> Vec<Alarm> {
        let mut raised = Vec::new();
        let known = self.log.as_ref().map_or((0, 0), place);
        if place(&log) < known || (place(&log) == known && self.size() >= log.size.0) {
            return raised;
        }
        if log.size > self.frontier.size() {
            // Leaves from any source are as good, once they have the signed root.
            let mut order = vec![position];
            order.extend((0..self.shared.sources.len()).filter(|other| *other != position));
            for from in order {
                match self.index_from(from, &log).await {
                    Ok(()) => break,
                    Err(alarm) => raised.push(alarm),
                }
            }
        }
        if self.frontier.size() < log.size || raised.iter().any(|alarm| alarm.code.stops()) {
            return raised;
        }
        if let Some(alarm) = self.check_note(position, &mut log) {
            raised.push(alarm);
            return raised;
        }
        self.progress = (place(&log), now_ms);
        self.log = Some(log);
        if let Some(alarm) = self.keep() {
            raised.push(alarm);
        }
        raised
    }

    /// A note that a quorum cosigned has the root that the index has at its size. One of a larger log
    /// is left out until the index has that.
    fn check_note(&self, position: usize, log: &mut VerifiedLog) -> Option<Alarm> {
        let (size, root) = log.note.as_ref().map(|(_, size, root)| (*size, *root))?;
        if size > self.frontier.size() {
            log.note = None;
            return None;
        }
        let ours = self.store.as_ref()?.view().root_at(size);
        let ours = ours.filter(|ours| *ours != root)?;
        let source = &self.shared.sources[position];
        let noted = VerifiedLog {
            size,
            root,
            basis: Basis::Cosignatures,
            ..log.clone()
        };
        Some(words::rewritten(source, (size, ours), &noted))
    }

    fn keep(&mut self) -> Option<Alarm> {
        let log = self.log.as_ref()?;
        let store = self.store.as_mut()?;
        let kept = Kept {
            handovers: self.trust.stream().ok(),
            decision: log.decision().cloned(),
            note: log.note.as_ref().map(|(note, ..)| note.clone()),
        };
        let written = store.keep(&kept);
        written
            .err()
            .map(|error| words::index(store.path(), &error))
    }

    /// Tells of alarms: those that contradict are kept for ever.
    fn raise(&mut self, alarms: Vec<Alarm>, now_ms: u64) {
        for alarm in alarms {
            let same = |raised: &&RaisedAlarm| {
                raised.alarm.code == alarm.code && raised.alarm.source == alarm.source
            };
            let raised = RaisedAlarm {
                alarm: alarm.clone(),
                since_ms: now_ms,
            };
            if !alarm.code.is_lie() {
                self.troubles.push(raised);
                continue;
            }
            if self.lies.iter().any(|known| same(&known)) {
                continue;
            }
            tracing::error!(
                code = alarm.code.as_str(),
                source = alarm.source,
                "{}",
                alarm.said.en
            );
            let store = self.store.as_mut();
            if let Some(Err(error)) = store.map(|store| store.raise(&alarm, now_ms)) {
                tracing::error!(%error, "the alarm is not kept");
            }
            self.lies.insert(0, raised);
            self.lies.truncate(ALARMS_MAX);
        }
    }

    fn check_silence(&mut self, now_ms: u64) {
        let newest = self.log.as_ref().and_then(VerifiedLog::decision);
        let since = newest.map_or(self.progress.1, |it| it.checkpoint.time.0);
        let silence = now_ms.saturating_sub(since);
        if silence > self.silent_ms {
            let alarm = words::silent(silence, self.silent_ms, newest.is_some());
            self.raise(vec![alarm], now_ms);
        }
    }

    /// A trouble is told once, with the time at which it was first seen.
    fn settle(&mut self) {
        let before = self.shared.knowledge();
        let mut settled: Vec<RaisedAlarm> = Vec::new();
        let troubles = std::mem::take(&mut self.troubles);
        for mut raised in troubles {
            let same = |known: &&RaisedAlarm| {
                known.alarm.code == raised.alarm.code && known.alarm.source == raised.alarm.source
            };
            if settled.iter().any(|known| same(&known)) {
                continue;
            }
            match before.alarms.iter().find(same) {
                Some(known) => raised.since_ms = known.since_ms,
                None => {
                    let alarm = &raised.alarm;
                    tracing::warn!(
                        code = alarm.code.as_str(),
                        source = alarm.source,
                        "{}",
                        alarm.said.en
                    );
                }
            }
            settled.push(raised);
        }
        self.troubles = settled;
    }

    fn publish(&self) {
        self.shared.publish(Knowledge {
            registry: Arc::new(self.registry.clone()),
            trust: Arc::new(self.trust.clone()),
            log: self.log.clone().map(Arc::new),
            signed: self.signed,
            sources: self.states.clone(),
            alarms: self.alarms(),
        });
    }
}

/// How new a log is: leaves, then height.
fn place(log: &VerifiedLog) -> (u64, u64) {
    (log.size.0, log.height().map_or(0, |height| height.0))
}
