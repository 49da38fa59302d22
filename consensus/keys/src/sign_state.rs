//! The sign-state: the highest thing this validator ever signed (SPEC §6.4).
//!
//! A file of two slots, written in turn and synced before a signature leaves. A torn write
//! spoils one slot; the other still holds the mark before it, and the signature of the
//! spoiled one never left. Whoever restores an old copy of this file and keeps voting
//! equivocates: hence [`SignState::require_at_least`].

mod error;
mod position;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::{Address, B256, ChainIdentity, Height, Round, sha256};

pub use error::SignStateError;
pub use position::{Mark, Position, Step};

const MAGIC: &[u8; 16] = b"TBSI-SIGNSTATE-1";
const SLOT_BYTES: usize = 512;
/// How often, and how long apart, a lock that somebody holds is tried.
const LOCK_ATTEMPTS: usize = 50;
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// The file, open.
#[derive(Debug)]
pub struct SignState {
    file: File,
    path: PathBuf,
    chain: ChainIdentity,
    validator: Address,
    sequence: u64,
    mark: Mark,
    /// A write failed: what is on the disk is not known, and writing it again would not tell.
    broken: bool,
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
        Self::create_at(path, chain, validator, Mark::end_of(height))
    }

    fn create_at(
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
        mark: Mark,
    ) -> Result<Self, SignStateError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| {
                if source.kind() == io::ErrorKind::AlreadyExists {
                    return SignStateError::Exists { path: path.into() };
                }
                io_error("create", path)(source)
            })?;
        lock(&file, path)?;
        let mut state = Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence: 0,
            mark,
            broken: false,
        };
        state.write(mark)?;
        state.write(mark)?;
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
        let mut bytes = Vec::with_capacity(2 * SLOT_BYTES);
        (&mut file)
            .take(2 * SLOT_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(io_error("read", path))?;
        if bytes.len() != 2 * SLOT_BYTES {
            let problem = format!("{} bytes instead of {}", bytes.len(), 2 * SLOT_BYTES);
            return Err(SignStateError::Damaged {
                path: path.into(),
                problem,
            });
        }
        let newest = bytes
            .chunks_exact(SLOT_BYTES)
            .filter_map(|slot| Slot::decode(slot).ok())
            .max_by_key(|slot| slot.sequence)
            .ok_or_else(|| SignStateError::Damaged {
                path: path.into(),
                problem: "no slot has a valid checksum".into(),
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
        let Slot { sequence, mark, .. } = newest;
        Ok(Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence,
            mark,
            broken: false,
        })
    }

    /// The highest position signed.
    pub fn mark(&self) -> Mark {
        self.mark
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
            self.write(mark)?;
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
        Self::create_at(path, chain, validator, held.mark)
    }

    /// Whether `next` may be signed; if it is new, the mark is durable when this returns.
    /// `false` means that something else was, or may have been, signed at or above it.
    pub fn advance(&mut self, next: Mark) -> Result<bool, SignStateError> {
        if next.position() == self.mark.position() {
            return Ok(next.digest == self.mark.digest);
        }
        if next.position() < self.mark.position() {
            return Ok(false);
        }
        self.write(next)?;
        Ok(true)
    }

    fn write(&mut self, mark: Mark) -> Result<(), SignStateError> {
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
        };
        let offset = (sequence % 2) * SLOT_BYTES as u64;
        self.broken = true;
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.write_all(&slot.encode()))
            .and_then(|()| self.file.sync_data())
            .map_err(failed)?;
        self.broken = false;
        self.sequence = sequence;
        self.mark = mark;
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

/// One of the two records of the file.
struct Slot {
    genesis_hash: B256,
    validator: Address,
    sequence: u64,
    mark: Mark,
}

impl Slot {
    fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.genesis_hash.as_slice());
        bytes.extend_from_slice(self.validator.as_slice());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.mark.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.mark.round.0.to_be_bytes());
        bytes.push(self.mark.step.byte());
        bytes.extend_from_slice(self.mark.digest.as_slice());
        bytes.resize(SLOT_BYTES - 32, 0);
        bytes.extend_from_slice(sha256(&[&bytes]).as_slice());
        bytes.try_into().expect("padded to SLOT_BYTES")
    }

    fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let damaged = CursorError::Trailing(0);
        let (body, checksum) = bytes.split_at(SLOT_BYTES - 32);
        if sha256(&[body]).as_slice() != checksum || !body.starts_with(MAGIC) {
            return Err(damaged);
        }
        let mut cursor = Cursor::new(body);
        cursor.take("magic", MAGIC.len())?;
        Ok(Self {
            genesis_hash: cursor.b256("genesis hash")?,
            validator: Address::from(cursor.array::<20>("validator")?),
            sequence: cursor.u64("sequence")?,
            mark: Mark {
                height: Height(cursor.u64("height")?),
                round: Round(cursor.u32("round")?),
                step: Step::parse(cursor.u8("step")?).ok_or(damaged)?,
                digest: cursor.b256("digest")?,
            },
        })
    }
}

#[cfg(test)]
mod tests;
