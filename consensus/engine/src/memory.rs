//! What consensus' core remembers of what its validator signed at the running height (SPEC §6.4).
//!
//! A core that begins a height anew, or from a log that lost its end, does not know on which block
//! its validator is locked. The signer does, and is told with each request how far the core
//! remembers. What it then signs is not what the core asked for, so that a log in which that
//! stands cannot be replayed: the core would derive the one and find the other, and stop. A file
//! beside the log says so, and the log of that height is emptied at the next start.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tbsi_keys::{ConsensusStatement, disk};
use tbsi_types::{Height, Round, VoteKind};
use tracing::warn;

const FILE: &str = "consensus.forgotten";

/// The newest precommit for a block of which the core knows.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<(Height, Option<Round>)>);

impl Memory {
    fn get(&self) -> MutexGuard<'_, (Height, Option<Round>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At this height the core knows of the precommits up to that of this round.
    pub(crate) fn begin(&self, height: Height, lock: Option<Round>) {
        *self.get() = (height, lock);
    }

    /// The round of the newest precommit for a block that the core knows of.
    pub(crate) fn lock_at(&self, height: Height) -> Option<Round> {
        let (known, lock) = *self.get();
        lock.filter(|_| known == height)
    }

    /// What the core asked for was signed.
    pub(crate) fn signed(&self, statement: &ConsensusStatement) {
        let ConsensusStatement::Vote(vote) = statement else {
            return;
        };
        if vote.kind != VoteKind::Precommit || vote.value.is_none() {
            return;
        }
        let lock = self.lock_at(vote.height).max(Some(vote.round));
        self.begin(vote.height, lock);
    }
}

/// The file that says at which height the log is not to be replayed.
#[derive(Debug)]
pub(crate) struct Forgotten {
    path: PathBuf,
    noted: Mutex<Option<Height>>,
}

impl Forgotten {
    pub(crate) fn in_dir(wal_dir: &Path) -> Self {
        Self {
            path: wal_dir.join(FILE),
            noted: Mutex::default(),
        }
    }

    /// Says it of this height; it is durable when this returns.
    pub(crate) fn note(&self, height: Height) -> io::Result<()> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if *noted != Some(height) {
            disk::replace(&self.path, height.0.to_string().as_bytes())?;
            *noted = Some(height);
        }
        Ok(())
    }

    /// Empties a log that is not to be replayed at height `next`. A file that cannot be understood
    /// is taken to be of that height: the core then remembers less than it could.
    pub(crate) fn empty_log(&self, log: &Path, next: Height) -> io::Result<()> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
            Err(error) => return Err(error),
        };
        if text.parse().is_ok_and(|height: u64| height != next.0) {
            return fs::remove_file(&self.path);
        }
        match OpenOptions::new().write(true).open(log) {
            Ok(file) => {
                file.set_len(0)?;
                file.sync_all()?;
                warn!(
                    log = %log.display(), height = %next,
                    "consensus' write-ahead log is emptied: what was signed at this height is not \
                     what it would derive; the sign-state says it again"
                );
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use tbsi_types::{B256, CheckpointDigest, VoteStatement};

    use super::*;

    fn vote(kind: VoteKind, height: u64, round: u32, block: bool) -> ConsensusStatement {
        ConsensusStatement::Vote(VoteStatement {
            kind,
            height: Height(height),
            round: Round(round),
            value: block.then_some(CheckpointDigest(B256::repeat_byte(1))),
        })
    }

    #[test]
    fn remembers_precommits_for_blocks_of_the_running_height() {
        let memory = Memory::default();
        memory.signed(&vote(VoteKind::Prevote, 7, 1, true));
        memory.signed(&vote(VoteKind::Precommit, 7, 1, false));
        assert_eq!(memory.lock_at(Height(7)), None);
        memory.signed(&vote(VoteKind::Precommit, 7, 2, true));
        memory.signed(&vote(VoteKind::Precommit, 7, 1, true));
        assert_eq!(memory.lock_at(Height(7)), Some(Round(2)));
        assert_eq!(memory.lock_at(Height(8)), None);
        memory.begin(Height(7), None);
        assert_eq!(memory.lock_at(Height(7)), None);
    }

    #[test]
    fn empties_the_log_of_the_height_that_it_is_about_and_of_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("consensus.wal");
        let empty = |next| {
            fs::write(&log, b"entries").unwrap();
            let forgotten = Forgotten::in_dir(dir.path());
            forgotten.empty_log(&log, Height(next)).unwrap();
            fs::read(&log).unwrap().is_empty()
        };
        assert!(!empty(7));
        Forgotten::in_dir(dir.path()).note(Height(7)).unwrap();
        assert!(empty(7));
        assert!(empty(7), "as often as the node starts at that height");
        assert!(!empty(8));
        assert!(!empty(7), "it is removed when the chain is past it");
        fs::write(dir.path().join(FILE), b"\xff").unwrap();
        assert!(empty(9));
        fs::remove_file(&log).unwrap();
        let forgotten = Forgotten::in_dir(dir.path());
        forgotten.empty_log(&log, Height(9)).unwrap();
        assert!(!log.exists());
    }
}
