//! The journal: a file of records, appended and synced, each line its hash and the record.
//!
//! A line is 64 hex digits (SHA-256 of the record's bytes), a space, the record, a line feed;
//! the first number of each record follows from its place. [`Journal::append`] returns when the
//! bytes are on disk, so whatever is done after it can be found after a crash. A last line that
//! is not whole was never acknowledged and is cut off; anything else that is wrong stops the
//! relayer. One process writes at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, hex};

use crate::limits::{JOURNAL_BYTES_MAX, RECORD_BYTES_MAX};
use crate::record::{Event, Parties, RECORD_VERSION, Record, RecordError, record_hash};

/// Name of the file in the home directory.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// Digits of the hash and the space behind them.
const PREFIX: usize = 65;

/// Why a journal cannot be read or written. All of them stop the relayer.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process writes to it.
    #[error("journal {path} is in use by another process; stop that one first", path = .0.display())]
    InUse(PathBuf),
    /// The disk.
    #[error("{operation} journal {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Above the size limit.
    #[error(
        "journal {path} has reached {JOURNAL_BYTES_MAX} bytes; keep it for auditors and go on \
         with a new home directory", path = .0.display()
    )]
    Full(PathBuf),
    /// A line in the middle that is not what was written.
    #[error(
        "journal {path}, line {line}: {problem}; the file was changed or damaged: restore it \
         from a copy, or go on with a new home directory", path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// A record that this version does not know.
    #[error("journal {path}, line {line}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong.
        #[source]
        source: RecordError,
    },
    /// A journal of another relayer, source or target.
    #[error(
        "journal {path} is of another {what} than the configuration; use a new home directory",
        path = path.display()
    )]
    Parties {
        /// The file.
        path: PathBuf,
        /// Which differs.
        what: &'static str,
    },
}

/// All records of a file, and how many bytes of it are whole lines.
#[derive(Debug)]
pub struct Journaled {
    /// In order.
    pub records: Vec<Record>,
    /// Hash of the last; zero if there is none.
    pub head: B256,
    /// Bytes of whole lines; a torn last line is behind them.
    pub whole: u64,
    /// Whether there was a torn line.
    pub torn: bool,
}

/// Reads a file without changing it; a missing one has no records.
pub fn read(path: &Path) -> Result<Journaled, JournalError> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => {
            let mut limited = file.take(JOURNAL_BYTES_MAX + 1);
            limited
                .read_to_end(&mut bytes)
                .map_err(|source| io_error("read", path, source))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(io_error("open", path, source)),
    }
    if bytes.len() as u64 > JOURNAL_BYTES_MAX {
        return Err(JournalError::Full(path.into()));
    }
    parse(&bytes, path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Journaled, JournalError> {
    let mut read = Journaled {
        records: Vec::new(),
        head: B256::ZERO,
        whole: 0,
        torn: false,
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = end.map_or(rest, |end| &rest[..end]);
        let next = &rest[end.map_or(rest.len(), |end| end + 1)..];
        let number = read.records.len() as u64;
        match check_line(line, number, read.head) {
            Ok((record, hash)) if end.is_some() => {
                read.records.push(record);
                read.head = hash;
            }
            // A write that a crash cut short: it ends the file, and nothing was done after it.
            Ok(_) => {
                read.torn = true;
                return Ok(read);
            }
            Err(Line::Bytes(_)) if end.is_none() => {
                read.torn = true;
                return Ok(read);
            }
            Err(Line::Bytes(problem)) => {
                let line = number + 1;
                let path = path.into();
                return Err(JournalError::Damaged {
                    path,
                    line,
                    problem,
                });
            }
            Err(Line::Record(source)) => {
                let line = number + 1;
                let path = path.into();
                return Err(JournalError::Record { path, line, source });
            }
        }
        read.whole = (bytes.len() - next.len()) as u64;
        rest = next;
    }
    Ok(read)
}

/// What is wrong with a line.
enum Line {
    /// Not what was written: a crash, or somebody's hand.
    Bytes(String),
    /// What was written by other software.
    Record(RecordError),
}

fn check_line(line: &[u8], number: u64, previous: B256) -> Result<(Record, B256), Line> {
    let bad = |problem: &str| Line::Bytes(problem.into());
    if line.len() > RECORD_BYTES_MAX {
        return Err(bad("the line is longer than a record can be"));
    }
    let text = std::str::from_utf8(line).map_err(|_| bad("the line is not text"))?;
    let (hash, record) = text
        .split_at_checked(PREFIX)
        .ok_or_else(|| bad("the line is too short"))?;
    let mut expected = B256::ZERO;
    let digits = hash.strip_suffix(' ').unwrap_or_default();
    hex::decode_to_slice(digits, expected.as_mut_slice())
        .map_err(|_| bad("the line does not begin with a hash"))?;
    if record_hash(record) != expected {
        return Err(bad("the record does not have the hash in front of it"));
    }
    let record = Record::parse(record).map_err(Line::Record)?;
    if record.number != number {
        let problem = format!("record {} stands where {number} should", record.number);
        return Err(Line::Bytes(problem));
    }
    if record.previous != previous {
        return Err(bad("the record names another one as its predecessor"));
    }
    Ok((record, expected))
}

/// A journal that this process alone writes.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    parties: Parties,
    bytes: u64,
    next: u64,
    head: B256,
}

impl Journal {
    /// Opens or makes the journal in a home directory, locks it, cuts off a torn last line,
    /// and returns its records.
    pub fn open(home: &Path, parties: &Parties) -> Result<(Self, Vec<Record>), JournalError> {
        let path = home.join(JOURNAL_FILE);
        let fail = |operation, source| io_error(operation, &path, source);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| fail("open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse(path)),
            Err(TryLockError::Error(source)) => return Err(fail("lock", source)),
        }
        let read = read(&path)?;
        if let Some(record) = read.records.first() {
            check_parties(&record.parties, parties, &path)?;
        }
        let mut this = Self {
            file,
            parties: parties.clone(),
            bytes: read.whole,
            next: read.records.len() as u64,
            head: read.head,
            path,
        };
        this.cut()
            .map_err(|source| io_error("repair", &this.path, source))?;
        let directory = File::open(home).and_then(|home| home.sync_all());
        directory.map_err(|source| io_error("sync the directory of", &this.path, source))?;
        Ok((this, read.records))
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        self.file.sync_all()
    }

    /// Appends events in one write and syncs. After an error nothing more may be written: the
    /// caller ends the process.
    pub fn append(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        now_ms: u64,
    ) -> Result<Vec<Record>, JournalError> {
        let mut lines = String::new();
        let mut records = Vec::new();
        for event in events {
            let record = Record {
                version: RECORD_VERSION,
                number: self.next,
                previous: self.head,
                time_ms: now_ms,
                parties: self.parties.clone(),
                event,
            };
            let text = record.encode();
            self.head = record_hash(&text);
            self.next += 1;
            lines.push_str(&hex::encode(self.head));
            lines.push(' ');
            lines.push_str(&text);
            lines.push('\n');
            records.push(record);
        }
        if self.bytes + lines.len() as u64 > JOURNAL_BYTES_MAX {
            return Err(JournalError::Full(self.path.clone()));
        }
        let written = self.file.write_all(lines.as_bytes());
        let synced = written.and_then(|()| self.file.sync_data());
        synced.map_err(|source| io_error("write to", &self.path, source))?;
        self.bytes += lines.len() as u64;
        Ok(records)
    }

    /// Number and hash of the last record; `None` if there is none.
    pub fn head(&self) -> Option<(u64, B256)> {
        Some((self.next.checked_sub(1)?, self.head))
    }
}

fn check_parties(had: &Parties, now: &Parties, path: &Path) -> Result<(), JournalError> {
    let what = if had.source_genesis_hash != now.source_genesis_hash
        || had.source_chain_id != now.source_chain_id
    {
        "source"
    } else if had.target_chain_id != now.target_chain_id || had.light_client != now.light_client {
        "target"
    } else if had != now {
        "relayer"
    } else {
        return Ok(());
    };
    let path = path.into();
    Err(JournalError::Parties { path, what })
}

fn io_error(operation: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        operation,
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests;
