//! The journal: files of records, appended and synced, each line its hash and the record.
//!
//! A line is 64 hex digits (SHA-256 of the record's bytes), a space, the record, a line feed;
//! the first number of each record follows from its place. [`Journal::append`] returns when the
//! bytes are on disk, so whatever is done after it can be found after a crash. A last line that
//! is not whole was never acknowledged and is cut off; anything else that is wrong stops the
//! relayer. One process writes at a time.
//!
//! A file that is full gets a number, and another one goes on: it begins with a snapshot of where
//! everything stands, so a start reads that file alone. Numbers and hashes of records go on from
//! file to file.

mod error;
mod read;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, hex};

use crate::fault;
use crate::limits::JOURNAL_FILES_MAX;
use crate::record::{Event, Parties, RECORD_VERSION, Record, record_hash};
use error::io_error;
use read::{Place, end_of, first_place, read_from};

pub use error::JournalError;
pub use read::{Journaled, read};

/// Name of the file in the home directory that is written to.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// What the next file is called until it is whole.
const NEXT_FILE: &str = "journal.new";

/// Locked by the process that writes.
const LOCK_FILE: &str = "journal.lock";

/// Digits of the hash and the space behind them.
const PREFIX: usize = 65;

/// Name of the full file with this number, from 1.
pub fn full_file(number: u32) -> String {
    format!("journal-{number:06}.jsonl")
}

/// Numbers of the full files in a home directory, ascending.
fn full_files(home: &Path) -> Result<Vec<u32>, JournalError> {
    let fail = |source| io_error("list the files of", &home.join(JOURNAL_FILE), source);
    let mut numbers = Vec::new();
    let entries = match fs::read_dir(home) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        Err(source) => return Err(fail(source)),
    };
    for entry in entries {
        let name = entry.map_err(fail)?.file_name();
        let name = name.to_str().unwrap_or_default();
        let number = name
            .strip_prefix("journal-")
            .and_then(|it| it.strip_suffix(".jsonl"));
        if let Some(number) = number.and_then(|it| it.parse().ok())
            && full_file(number) == name
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// All files in a home directory, the first one first.
pub fn files(home: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let full = full_files(home)?.into_iter().map(full_file);
    let mut files: Vec<PathBuf> = full.map(|name| home.join(name)).collect();
    files.push(last_file(home));
    Ok(files)
}

/// The file in a home directory that a process would go on with.
pub fn last_file(home: &Path) -> PathBuf {
    let (path, next) = (home.join(JOURNAL_FILE), home.join(NEXT_FILE));
    // Only between the two steps of a rotation.
    if !path.exists() && next.exists() {
        return next;
    }
    path
}

/// Reads one of several files that were listed by [`files`], given how the one before it ended.
/// Fails if it does not go on from there.
pub fn read_on<E: From<JournalError>>(
    path: &Path,
    before: &Journaled,
    each: impl FnMut(&Record, B256) -> Result<(), E>,
) -> Result<Journaled, E> {
    let place = Place {
        number: before.next,
        previous: before.head,
    };
    // Whoever reads everything begins at the beginning.
    if let Some(found) = first_place(path)?
        && found != place
    {
        let number = found.number;
        let path = path.into();
        return Err(JournalError::Gap { path, number }.into());
    }
    let mut read = read_from(path, Some(place), each)?;
    if read.whole == 0 {
        (read.next, read.head) = (before.next, before.head);
    }
    Ok(read)
}

/// All records of one file.
pub fn records(path: &Path) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::new();
    read(path, |record, _| {
        records.push(record.clone());
        Ok::<(), JournalError>(())
    })?;
    Ok(records)
}

/// A journal that this process alone writes.
#[derive(Debug)]
pub struct Journal {
    _lock: File,
    file: File,
    home: PathBuf,
    path: PathBuf,
    parties: Parties,
    bytes: u64,
    /// At this size the file is full.
    bytes_max: u64,
    next: u64,
    head: B256,
}

impl Journal {
    /// Opens or makes the journal in a home directory, locks it, cuts off a torn last line, and
    /// shows the records of its last file. At `file_bytes` that is full.
    pub fn open<E: From<JournalError>>(
        home: &Path,
        parties: &Parties,
        file_bytes: u64,
        mut each: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<Self, E> {
        let path = home.join(JOURNAL_FILE);
        let lock = lock(home, &path)?;
        let full = full_files(home)?;
        finish_rotation(home, &path, !full.is_empty())?;
        let mut first = None;
        let read = read(&path, |record, _| {
            if first.is_none() {
                check_parties(&record.parties, parties, &path)?;
                first = Some(record.number);
            }
            each(record)
        })?;
        if let Some(last) = full.last() {
            let end = end_of(&home.join(full_file(*last)))?;
            let place = Place {
                number: read.first,
                previous: read.previous,
            };
            if first.is_none() || end != Some(place) {
                let number = read.first;
                return Err(JournalError::Gap { path, number }.into());
            }
        }
        let fail = |operation, source| io_error(operation, &path, source);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| fail("open", source))?;
        let mut this = Self {
            _lock: lock,
            file,
            home: home.into(),
            parties: parties.clone(),
            bytes: read.whole,
            bytes_max: file_bytes.max(2 * read.snapshot),
            next: read.next,
            head: read.head,
            path,
        };
        this.cut()
            .map_err(|source| io_error("repair", &this.path, source))?;
        this.sync_home()?;
        Ok(this)
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        self.file.sync_all()
    }

    fn sync_home(&self) -> Result<(), JournalError> {
        let directory = File::open(&self.home).and_then(|home| home.sync_all());
        directory.map_err(|source| io_error("sync the directory of", &self.path, source))
    }

    /// The next records, and their lines.
    fn lines(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        now_ms: u64,
    ) -> (Vec<Record>, String) {
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
        (records, lines)
    }

    /// Appends events in one write and syncs. After an error nothing more may be written: the
    /// caller ends the process.
    pub fn append(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        now_ms: u64,
    ) -> Result<Vec<Record>, JournalError> {
        let (records, lines) = self.lines(events, now_ms);
        let written = self.file.write_all(lines.as_bytes());
        let synced = written.and_then(|()| self.file.sync_data());
        synced.map_err(|source| io_error("write to", &self.path, source))?;
        self.bytes += lines.len() as u64;
        Ok(records)
    }

    /// Whether another file is to begin.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }

    /// Begins another file with a snapshot. A crash leaves the old file or the new one, never
    /// none: [`Journal::open`] ends what was begun.
    pub fn rotate(&mut self, snapshot: Vec<Event>, now_ms: u64) -> Result<(), JournalError> {
        let number = full_files(&self.home)?.last().map_or(1, |last| last + 1);
        if number > JOURNAL_FILES_MAX {
            return Err(JournalError::Full(self.path.clone()));
        }
        let (_, lines) = self.lines(snapshot, now_ms);
        let new = self.home.join(NEXT_FILE);
        let full = self.home.join(full_file(number));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(lines.as_bytes())?;
            file.sync_all()?;
            Ok(file)
        });
        let file = written.map_err(|source| io_error("write to", &new, source))?;
        fault::point("snapshot");
        let moved = fs::rename(&self.path, &full);
        moved.map_err(|source| io_error("give a number to", &self.path, source))?;
        fault::point("numbered");
        let moved = fs::rename(&new, &self.path);
        moved.map_err(|source| io_error("begin", &self.path, source))?;
        self.sync_home()?;
        self.file = file;
        self.bytes = lines.len() as u64;
        self.bytes_max = self.bytes_max.max(2 * self.bytes);
        fault::point("rotated");
        Ok(())
    }

    /// Number and hash of the last record; `None` if there is none.
    pub fn head(&self) -> Option<(u64, B256)> {
        Some((self.next.checked_sub(1)?, self.head))
    }
}

fn lock(home: &Path, path: &Path) -> Result<File, JournalError> {
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(home.join(LOCK_FILE));
    let file = file.map_err(|source| io_error("open the lock of", path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(path.into())),
        Err(TryLockError::Error(source)) => Err(io_error("lock", path, source)),
    }
}

/// Ends what a crash left of a rotation: before the old file got its number nothing has happened,
/// after it the new file is whole.
fn finish_rotation(home: &Path, path: &Path, rotated: bool) -> Result<(), JournalError> {
    let new = home.join(NEXT_FILE);
    let fail = |source| io_error("begin", path, source);
    if !new.try_exists().map_err(fail)? {
        return Ok(());
    }
    if path.try_exists().map_err(fail)? || !rotated {
        return fs::remove_file(&new).map_err(fail);
    }
    fs::rename(&new, path).map_err(fail)
}

fn check_parties(had: &Parties, now: &Parties, path: &Path) -> Result<(), JournalError> {
    let what = if had.source_genesis_hash != now.source_genesis_hash
        || had.source_chain_id != now.source_chain_id
    {
        "source"
    } else if (&had.target.chain, &had.target.client) != (&now.target.chain, &now.target.client) {
        "target"
    } else if had != now {
        "relayer"
    } else {
        return Ok(());
    };
    let path = path.into();
    Err(JournalError::Parties { path, what })
}

#[cfg(test)]
mod tests;
