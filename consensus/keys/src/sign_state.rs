//! The sign-state: the highest thing this validator ever signed (SPEC §6.4).
//!
//! A file of two slots, written in turn and synced before a signature leaves, each of two copies
//! on pages of their own. A torn write spoils one slot; the other still holds the mark before it,
//! and the signature of the spoiled one never left. A page that rots spoils one copy; the other
//! still holds the mark. Whoever restores an old copy of this file and keeps voting equivocates:
//! hence [`SignState::require_at_least`].

mod error;
mod said;
mod slot;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tbsi_types::{Address, ChainIdentity, Height, Round, VoteKind, VoteStatement};
use tracing::warn;

use crate::position::{Mark, Position, Step};
use crate::statement::ConsensusStatement;
use said::Said;
use slot::{FILE_BYTES, Found, Slot, offsets};

pub use error::SignStateError;
pub use said::Lock;

/// How often, and how long apart, a lock that somebody holds is tried.
const LOCK_ATTEMPTS: usize = 50;
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Nobody knows whether a validator is locked on a block, and on which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockUnknown;

/// The file, open.
#[derive(Debug)]
pub struct SignState {
    file: File,
    path: PathBuf,
    chain: ChainIdentity,
    validator: Address,
    sequence: u64,
    mark: Mark,
    said: Said,
    /// A write failed: what is on the disk is not known, and writing it again would not tell.
    broken: bool,
    /// The disk fails from the next write on, after so many bytes.
    fails_after: Option<usize>,
}

impl SignState {
    /// Creates the file for a key that has signed nothing above `height`, and will sign nothing
    /// up to its end; refuses if a file is there.
    pub fn create(
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
        height: Height,
    ) -> Result<Self, SignStateError> {
        let mark = Mark::end_of(height);
        Self::create_at(path, chain, validator, mark, Said::NOTHING)
    }

    fn create_at(
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
        mark: Mark,
        said: Said,
    ) -> Result<Self, SignStateError> {
        let exists = || SignStateError::Exists { path: path.into() };
        if path.try_exists().map_err(io_error("look for", path))? {
            return Err(exists());
        }
        // Under another name until it is whole: what a crash leaves there is nobody's sign-state.
        let draft = path.with_extension("draft");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&draft)
            .map_err(io_error("create", &draft))?;
        lock(&file, path)?;
        file.set_len(0).map_err(io_error("empty", &draft))?;
        let mut state = Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence: 0,
            mark,
            said,
            broken: false,
            fails_after: None,
        };
        state.write(mark, said)?;
        state.write(mark, said)?;
        // A link, unlike a renaming, replaces nothing.
        fs::hard_link(&draft, path).map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                return exists();
            }
            io_error("create", path)(source)
        })?;
        fs::remove_file(&draft).map_err(io_error("remove", &draft))?;
        sync_directory(path)?;
        Ok(state)
    }

    /// Opens the file of this key on this chain.
    pub fn open(
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
    ) -> Result<Self, SignStateError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|source| {
                if source.kind() == io::ErrorKind::NotFound {
                    return SignStateError::Missing { path: path.into() };
                }
                io_error("open", path)(source)
            })?;
        lock(&file, path)?;
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        (&mut file)
            .take(FILE_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(io_error("read", path))?;
        let Found { newest, whole } =
            slot::find(&bytes, &chain, &validator).map_err(|problem| SignStateError::Damaged {
                path: path.into(),
                problem,
            })?;
        if newest.genesis_hash != chain.genesis_hash {
            return Err(SignStateError::OtherNetwork {
                path: path.into(),
                genesis_hash: newest.genesis_hash,
            });
        }
        if newest.validator != validator {
            return Err(SignStateError::OtherValidator {
                path: path.into(),
                validator: newest.validator,
            });
        }
        let Slot {
            sequence,
            mark,
            said,
            ..
        } = newest;
        let mut state = Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence,
            mark,
            said,
            broken: false,
            fails_after: None,
        };
        // What a killed process wrote may be in memory only, and is signed again without a write.
        let synced = state.file.sync_data();
        synced.map_err(io_error("sync", path))?;
        if !whole {
            warn!(
                path = %path.display(), signed = %mark.position(),
                "a copy in the sign-state was torn or damaged; it is written anew"
            );
            // To the other slot: this one, if it tore, would be all that holds the mark.
            state.write(mark, said)?;
        }
        Ok(state)
    }

    /// The highest position signed.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// On what the validator is locked at the height of the mark. `Err` if that is not known: the
    /// newest record is of a version that did not keep it.
    pub fn lock(&self) -> Result<Option<Lock>, LockUnknown> {
        if self.said.whole {
            return Ok(self.said.lock);
        }
        let first = self.mark.round == Round::ZERO && self.mark.step < Step::Precommit;
        if first { Ok(None) } else { Err(LockUnknown) }
    }

    /// Refuses if the chain already holds a signature of this key above the mark: the file
    /// is an old copy.
    pub fn require_at_least(&self, signed: Position) -> Result<(), SignStateError> {
        let have = self.mark.position();
        if have >= signed {
            return Ok(());
        }
        Err(SignStateError::Older {
            path: self.path.clone(),
            have,
            need: signed,
        })
    }

    /// Signs nothing up to the end of `height` any more. A mark that is there or higher stays.
    pub fn raise(&mut self, height: Height) -> Result<(), SignStateError> {
        let mark = Mark::end_of(height);
        if mark.position() > self.mark.position() {
            self.write(mark, Said::NOTHING)?;
        }
        Ok(())
    }

    /// Brings the sign-state of this key on this chain from a file over to `path`, where none
    /// may be. Refuses a file that is in use, and leaves it as it is: nobody may sign with it any
    /// more.
    pub fn bring(
        from: &Path,
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
    ) -> Result<Self, SignStateError> {
        let held = Self::open(from, chain, validator)?;
        Self::create_at(path, chain, validator, held.mark, held.said)
    }

    /// What to sign where `asked` is wanted; it is durable when this returns. Above the mark, that
    /// is `asked`, or a prevote for nil where `asked` is one against a lock: whoever asks
    /// remembers its locks up to that of round `remembered` alone. In the round of the mark it
    /// is what was signed there, whatever is asked. Of a vote of an earlier round of that height it
    /// is the newest vote there: whoever asks has to come to that round. `None` means that
    /// something else was, or may have been, signed at or above it.
    pub fn answer(
        &mut self,
        asked: ConsensusStatement,
        remembered: Option<Round>,
    ) -> Result<Option<ConsensusStatement>, SignStateError> {
        let wanted = asked.mark(&self.chain);
        if wanted.position() <= self.mark.position() {
            if let Some(nil) = self.nil_after_proposal(asked) {
                return self.answer(nil, remembered);
            }
            return Ok(self.again(asked, wanted));
        }
        let next = match asked.height() == self.mark.height {
            true => self.said.unless_against_lock(asked, remembered),
            false => asked,
        };
        let said = self.said.and(&self.mark, &next);
        self.write(next.mark(&self.chain), said)?;
        Ok(Some(next))
    }

    /// What was signed at this place, if that is known.
    fn again(&self, asked: ConsensusStatement, wanted: Mark) -> Option<ConsensusStatement> {
        if wanted == self.mark {
            return Some(asked);
        }
        let ConsensusStatement::Vote(vote) = asked else {
            return None;
        };
        if vote.height != self.mark.height {
            return None;
        }
        let round = self.mark.round;
        let kind = match vote.round == round {
            true => vote.kind,
            false => self.said.newest()?,
        };
        let value = self.said.vote(kind)?;
        let again = VoteStatement {
            kind,
            height: vote.height,
            round,
            value,
        };
        Some(ConsensusStatement::Vote(again))
    }

    /// A prevote for nil, if a vote of an earlier round is asked for and in the round of the mark
    /// only a proposal was signed: there is no vote to say again that tells which round it is.
    fn nil_after_proposal(&self, asked: ConsensusStatement) -> Option<ConsensusStatement> {
        let ConsensusStatement::Vote(vote) = asked else {
            return None;
        };
        let (height, round) = (self.mark.height, self.mark.round);
        let proposed = self.said.whole && self.mark.step == Step::Propose;
        let earlier = vote.height == height && vote.round < round;
        (proposed && earlier).then_some(ConsensusStatement::Vote(VoteStatement {
            kind: VoteKind::Prevote,
            height,
            round,
            value: None,
        }))
    }

    /// Writes a mark as versions did that kept no statements: what they left behind must be read.
    #[doc(hidden)]
    pub fn advance(&mut self, next: Mark) -> Result<bool, SignStateError> {
        if next.position() == self.mark.position() {
            return Ok(next.digest == self.mark.digest);
        }
        if next.position() < self.mark.position() {
            return Ok(false);
        }
        self.write(next, Said::default())?;
        Ok(true)
    }

    /// Lets the disk fail from the next write on, of which so many bytes arrive: the fault that
    /// simulation injects.
    #[doc(hidden)]
    pub fn fail_after(&mut self, bytes: usize) {
        self.fails_after = Some(bytes);
    }

    fn write(&mut self, mark: Mark, said: Said) -> Result<(), SignStateError> {
        let failed = io_error("write", &self.path);
        if self.broken {
            return Err(failed(io::Error::other("an earlier write failed")));
        }
        let sequence = self.sequence + 1;
        let slot = Slot {
            genesis_hash: self.chain.genesis_hash,
            validator: self.validator,
            sequence,
            mark,
            said,
        };
        let bytes = slot.encode();
        self.broken = true;
        for offset in offsets(sequence) {
            let end = self.fails_after.unwrap_or(bytes.len()).min(bytes.len());
            self.file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| self.file.write_all(&bytes[..end]))
                .map_err(&failed)?;
            if self.fails_after.is_some() {
                return Err(failed(io::ErrorKind::StorageFull.into()));
            }
        }
        self.file.sync_data().map_err(failed)?;
        self.broken = false;
        self.sequence = sequence;
        (self.mark, self.said) = (mark, said);
        Ok(())
    }
}

/// The name must survive a crash too.
fn sync_directory(path: &Path) -> Result<(), SignStateError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("sync the directory of", path))
}

/// Until the file is closed, however its process ends. One that was just killed may hold it a
/// little longer.
fn lock(file: &File, path: &Path) -> Result<(), SignStateError> {
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_RETRY),
            Err(TryLockError::Error(source)) => return Err(io_error("lock", path)(source)),
        }
    }
    Err(SignStateError::InUse { path: path.into() })
}

fn io_error(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> SignStateError {
    let path = path.to_path_buf();
    move |source| SignStateError::Io {
        operation,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
