//! The sign-state: the highest thing this validator ever signed (SPEC §6.4).
//!
//! A file of two slots, written in turn and synced before a signature leaves. A torn write
//! spoils one slot; the other still holds the mark before it, and the signature of the
//! spoiled one never left. Whoever restores an old copy of this file and keeps voting
//! equivocates: hence [`SignState::require_at_least`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::{Address, B256, ChainIdentity, Height, Round, sha256};

const MAGIC: &[u8; 16] = b"TBSI-SIGNSTATE-1";
const SLOT_BYTES: usize = 512;
/// How often, and how long apart, a lock that somebody holds is tried.
const LOCK_ATTEMPTS: usize = 50;
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// What is signed within a round, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing yet.
    None,
    /// A proposal.
    Propose,
    /// A prevote.
    Prevote,
    /// A precommit.
    Precommit,
}

impl Step {
    /// As in the sign-state: 0 to 3.
    pub fn byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Propose => 1,
            Self::Prevote => 2,
            Self::Precommit => 3,
        }
    }

    /// The step of a byte.
    pub fn parse(byte: u8) -> Option<Self> {
        [Self::None, Self::Propose, Self::Prevote, Self::Precommit]
            .into_iter()
            .find(|step| step.byte() == byte)
    }
}

/// A position in consensus and the digest that was signed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Height signed at.
    pub height: Height,
    /// Round signed in.
    pub round: Round,
    /// Step signed for.
    pub step: Step,
    /// What was signed.
    pub digest: B256,
}

impl Mark {
    fn position(&self) -> (Height, Round, Step) {
        (self.height, self.round, self.step)
    }
}

/// Why a validator must not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignStateError {
    /// No file where one must be.
    #[error(
        "sign-state {path} is missing. If this validator key has never signed on this chain, \
         create it with `tbsi node init`; otherwise restore the newest copy, or keep the node \
         down until the height it last signed is decided and then run \
         `tbsi keys reset-sign-state --height HEIGHT`",
        path = path.display()
    )]
    Missing {
        /// Expected path.
        path: PathBuf,
    },
    /// A file that would be overwritten.
    #[error("sign-state {path} exists already; it is never overwritten", path = path.display())]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// Neither slot is readable.
    #[error(
        "sign-state {path} is damaged ({problem}); restore the newest copy, or run \
         `tbsi keys reset-sign-state --height HEIGHT` with a height above all this key signed",
        path = path.display()
    )]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of another key or chain.
    #[error(
        "sign-state {path} belongs to {what}; is this the right home directory?",
        path = path.display()
    )]
    Foreign {
        /// Its path.
        path: PathBuf,
        /// Whose it is.
        what: String,
    },
    /// A restored copy: the chain holds later signatures of this key.
    #[error(
        "sign-state {path} is older than the chain: it ends at height {have}, but block {need} \
         carries this validator's signature. Restore the newest copy, or run \
         `tbsi keys reset-sign-state --height {need}`",
        path = path.display()
    )]
    Older {
        /// Its path.
        path: PathBuf,
        /// Height of the file's mark.
        have: Height,
        /// Height of a signature found in the chain.
        need: Height,
    },
    /// Another process signs with it.
    #[error(
        "sign-state {path} is in use: another process of this validator runs. Two of them would \
         sign contradictory votes; stop one",
        path = path.display()
    )]
    InUse {
        /// Its path.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{operation} sign-state {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Its path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// The file, open.
#[derive(Debug)]
pub struct SignState {
    file: File,
    path: PathBuf,
    chain: ChainIdentity,
    validator: Address,
    sequence: u64,
    mark: Mark,
}

impl SignState {
    /// Creates the file for a key that has signed nothing above `height`; refuses if a file
    /// is there.
    pub fn create(
        path: &Path,
        chain: ChainIdentity,
        validator: Address,
        height: Height,
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
        let mark = Mark {
            height,
            round: Round::ZERO,
            step: Step::None,
            digest: B256::ZERO,
        };
        let mut state = Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence: 0,
            mark,
        };
        state.write(mark)?;
        state.write(mark)?;
        // The name must survive a crash too.
        let directory = path.parent().unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(io_error("sync the directory of", path))?;
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
        let foreign = |what| SignStateError::Foreign {
            path: path.into(),
            what,
        };
        if newest.genesis_hash != chain.genesis_hash {
            return Err(foreign(format!(
                "the network with genesis {}",
                newest.genesis_hash
            )));
        }
        if newest.validator != validator {
            return Err(foreign(format!("validator {}", newest.validator)));
        }
        let Slot { sequence, mark, .. } = newest;
        Ok(Self {
            file,
            path: path.into(),
            chain,
            validator,
            sequence,
            mark,
        })
    }

    /// The highest position signed.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Refuses if the chain already holds a signature of this key above the mark: the file
    /// is an old copy.
    pub fn require_at_least(&self, signed: Height) -> Result<(), SignStateError> {
        if self.mark.height >= signed {
            return Ok(());
        }
        Err(SignStateError::Older {
            path: self.path.clone(),
            have: self.mark.height,
            need: signed,
        })
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
        let sequence = self.sequence + 1;
        let slot = Slot {
            genesis_hash: self.chain.genesis_hash,
            validator: self.validator,
            sequence,
            mark,
        };
        let offset = (sequence % 2) * SLOT_BYTES as u64;
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.write_all(&slot.encode()))
            .and_then(|()| self.file.sync_data())
            .map_err(io_error("write", &self.path))?;
        self.sequence = sequence;
        self.mark = mark;
        Ok(())
    }
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
mod tests {
    use super::*;

    const CHAIN: ChainIdentity = ChainIdentity {
        chain_id: 1,
        genesis_hash: B256::ZERO,
    };
    const VALIDATOR: Address = Address::ZERO;

    fn mark(height: u64, round: u32, step: Step, digest: u8) -> Mark {
        Mark {
            height: Height(height),
            round: Round(round),
            step,
            digest: B256::repeat_byte(digest),
        }
    }

    fn state() -> (tempfile::TempDir, PathBuf, SignState) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sign-state");
        let state = SignState::create(&path, CHAIN, VALIDATOR, Height(0)).unwrap();
        (directory, path, state)
    }

    #[test]
    fn signs_forward_only_and_one_thing_per_step() {
        let (_directory, path, mut state) = state();
        let steps = [
            (mark(1, 0, Step::Prevote, 1), true),
            (mark(1, 0, Step::Prevote, 1), true),
            (mark(1, 0, Step::Prevote, 2), false),
            (mark(1, 0, Step::Propose, 1), false),
            (mark(1, 0, Step::Precommit, 1), true),
            (mark(1, 1, Step::Propose, 3), true),
            (mark(1, 0, Step::Precommit, 1), false),
            (mark(2, 0, Step::Prevote, 1), true),
            (mark(1, 9, Step::Precommit, 1), false),
        ];
        for (mark, allowed) in steps {
            assert_eq!(state.advance(mark).unwrap(), allowed, "{mark:?}");
        }
        drop(state);
        let mut reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
        assert_eq!(reopened.mark(), mark(2, 0, Step::Prevote, 1));
        assert!(!reopened.advance(mark(2, 0, Step::Prevote, 9)).unwrap());
    }

    #[test]
    fn refuses_missing_existing_damaged_foreign_and_old_files() {
        let (directory, path, mut state) = state();
        state.advance(mark(5, 0, Step::Precommit, 1)).unwrap();
        let twice = SignState::open(&path, CHAIN, VALIDATOR).unwrap_err();
        assert!(matches!(twice, SignStateError::InUse { .. }), "{twice}");
        assert!(state.require_at_least(Height(5)).is_ok());
        let older = state.require_at_least(Height(6)).unwrap_err().to_string();
        assert!(
            older.contains("height 5") && older.contains("block 6"),
            "{older}"
        );
        drop(state);
        let open = |chain, validator| SignState::open(&path, chain, validator);
        assert!(matches!(
            SignState::create(&path, CHAIN, VALIDATOR, Height(0)),
            Err(SignStateError::Exists { .. })
        ));
        let other = ChainIdentity {
            genesis_hash: B256::repeat_byte(1),
            ..CHAIN
        };
        assert!(matches!(
            open(other, VALIDATOR),
            Err(SignStateError::Foreign { .. })
        ));
        let stranger = Address::repeat_byte(1);
        assert!(matches!(
            open(CHAIN, stranger),
            Err(SignStateError::Foreign { .. })
        ));

        std::fs::write(&path, [0; 2 * SLOT_BYTES]).unwrap();
        assert!(matches!(
            open(CHAIN, VALIDATOR),
            Err(SignStateError::Damaged { .. })
        ));
        std::fs::write(&path, [0; 7]).unwrap();
        assert!(matches!(
            open(CHAIN, VALIDATOR),
            Err(SignStateError::Damaged { .. })
        ));
        let missing = directory.path().join("elsewhere");
        let error = SignState::open(&missing, CHAIN, VALIDATOR).unwrap_err();
        assert!(error.to_string().contains("tbsi node init"), "{error}");
    }

    #[test]
    fn a_torn_write_leaves_the_mark_before_it() {
        let (_directory, path, mut state) = state();
        state.advance(mark(1, 0, Step::Prevote, 1)).unwrap();
        state.advance(mark(1, 0, Step::Precommit, 1)).unwrap();
        let offset = usize::try_from(state.sequence % 2).unwrap() * SLOT_BYTES;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[offset + 100..offset + SLOT_BYTES].fill(0xaa);
        std::fs::write(&path, bytes).unwrap();
        drop(state);
        let reopened = SignState::open(&path, CHAIN, VALIDATOR).unwrap();
        assert_eq!(reopened.mark(), mark(1, 0, Step::Prevote, 1));
    }
}
