//! What the follower found, as answers show it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use tbsi_types::Genesis;
use tokio::sync::Semaphore;

use crate::alarm::RaisedAlarm;
use crate::limits::{READERS, WAITING_MAX};
use crate::registry::Registry;
use crate::said::WarroomError;
use crate::source::{LogSource, SourceKind};
use crate::store::{IndexError, ReadOnly, View};
use crate::trust::{Trust, VerifiedLog};

/// How a source is doing.
#[derive(Clone, Debug)]
pub(crate) struct SourceState {
    pub(crate) kind: SourceKind,
    pub(crate) name: String,
    pub(crate) reachable: Option<bool>,
    pub(crate) size: Option<u64>,
    pub(crate) height: Option<u64>,
    pub(crate) answered_ms: Option<u64>,
    pub(crate) problem: Option<String>,
}

impl SourceState {
    pub(crate) fn of(source: &LogSource) -> Self {
        Self {
            kind: source.kind,
            name: source.name.clone(),
            reachable: None,
            size: None,
            height: None,
            answered_ms: None,
            problem: None,
        }
    }
}

/// All that is known at one time, beside the index.
#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    pub(crate) registry: Arc<Registry>,
    pub(crate) trust: Arc<Trust>,
    /// The newest log that was verified and indexed.
    pub(crate) log: Option<Arc<VerifiedLog>>,
    /// Leaves of the largest log that was verified.
    pub(crate) signed: u64,
    pub(crate) sources: Vec<SourceState>,
    /// Newest first.
    pub(crate) alarms: Vec<RaisedAlarm>,
}

/// What follower and answers share.
pub(crate) struct Shared {
    pub(crate) genesis: Genesis,
    pub(crate) genesis_bytes: Vec<u8>,
    pub(crate) sources: Vec<LogSource>,
    knowledge: RwLock<Arc<Knowledge>>,
    readers: Mutex<Vec<ReadOnly>>,
    index: PathBuf,
    /// One for each answer that is made or waits.
    pub(crate) waiting: Semaphore,
    /// One for each answer that is made.
    pub(crate) making: Semaphore,
}

impl Shared {
    pub(crate) fn new(
        genesis: Genesis,
        genesis_bytes: Vec<u8>,
        sources: Vec<LogSource>,
        knowledge: Knowledge,
        index: PathBuf,
    ) -> Self {
        Self {
            genesis,
            genesis_bytes,
            sources,
            knowledge: RwLock::new(Arc::new(knowledge)),
            readers: Mutex::new(Vec::new()),
            index,
            waiting: Semaphore::new(WAITING_MAX),
            making: Semaphore::new(READERS),
        }
    }

    pub(crate) fn knowledge(&self) -> Arc<Knowledge> {
        let known = self.knowledge.read();
        Arc::clone(&known.expect("nobody panics with it"))
    }

    /// Where the index is.
    pub(crate) fn index(&self) -> &Path {
        &self.index
    }

    pub(crate) fn publish(&self, knowledge: Knowledge) {
        let known = self.knowledge.write();
        *known.expect("nobody panics with it") = Arc::new(knowledge);
    }

    /// Does `work` on one state of the index.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&View<'_>) -> T) -> Result<T, ReadError> {
        let kept = self.readers.lock().expect("nobody panics with it").pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => ReadOnly::open(&self.index).map_err(ReadError::Open)?,
        };
        let done = reader.at_once(work).map_err(ReadError::Begin)?;
        let mut readers = self.readers.lock().expect("nobody panics with it");
        if readers.len() < READERS {
            readers.push(reader);
        }
        Ok(done)
    }
}

/// Why the index cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Open(WarroomError),
    #[error(transparent)]
    Begin(IndexError),
}
