//! A file of the journal, line by line: nothing is kept but where it ends.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use alloy_primitives::{B256, hex};

use super::PREFIX;
use super::error::{JournalError, io_error};
use crate::limits::{JOURNAL_BYTES_MAX, RECORD_BYTES_MAX};
use crate::record::{Event, Record, RecordError, SnapshotPart, record_hash};

/// Where a record has to stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Its number.
    pub(super) number: u64,
    /// Hash of the record before.
    pub(super) previous: B256,
}

impl Place {
    /// Where the first record of a file may stand: at the beginning, or, with a snapshot, where
    /// it says.
    fn of_first(record: &Record) -> Self {
        if let Event::Snapshot {
            part: SnapshotPart::Totals(_),
        } = &record.event
        {
            return Self {
                number: record.number,
                previous: record.previous,
            };
        }
        Self::default()
    }
}

/// A file, and how many bytes of it are whole lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journaled {
    /// Number of its first record.
    pub first: u64,
    /// What that names as its predecessor.
    pub previous: B256,
    /// Number of the record that comes next.
    pub next: u64,
    /// Hash of the last; zero if there is none.
    pub head: B256,
    /// Bytes of whole lines; a torn last line is behind them.
    pub whole: u64,
    /// Of these, bytes of the snapshot that it begins with.
    pub snapshot: u64,
    /// Whether there was a torn line.
    pub torn: bool,
}

/// A line of a file.
struct Bytes {
    bytes: Vec<u8>,
    /// Of it, the line feed included.
    length: u64,
    /// Whether there was a line feed.
    whole: bool,
}

/// Reads a file without changing it, and shows each record with its hash; a missing file has no
/// records.
pub fn read<E: From<JournalError>>(
    path: &Path,
    each: impl FnMut(&Record, B256) -> Result<(), E>,
) -> Result<Journaled, E> {
    read_from(path, None, each)
}

/// As [`read`]; the first record has to stand at `place`, if one is given.
pub(super) fn read_from<E: From<JournalError>>(
    path: &Path,
    place: Option<Place>,
    mut each: impl FnMut(&Record, B256) -> Result<(), E>,
) -> Result<Journaled, E> {
    let mut read = Journaled::default();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(read),
        Err(source) => return Err(io_error("open", path, source).into()),
    };
    let mut reader = BufReader::new(file);
    let (mut place, mut line) = (place, 0u64);
    while let Some(bytes) = next_line(&mut reader).map_err(|it| io_error("read", path, it))? {
        line += 1;
        if read.whole + bytes.length > JOURNAL_BYTES_MAX {
            return Err(JournalError::TooLarge(path.into()).into());
        }
        let (record, hash) = match check_line(&bytes.bytes, place) {
            // A write that a crash cut short: it ends the file, and nothing was done after it.
            Ok(_) | Err(Line::Bytes(_)) if !bytes.whole => {
                read.torn = true;
                return Ok(read);
            }
            Ok(found) => found,
            Err(wrong) => return Err(wrong.error(path, line).into()),
        };
        if line == 1 {
            (read.first, read.previous) = (record.number, record.previous);
        }
        each(&record, hash)?;
        read.whole += bytes.length;
        (read.next, read.head) = (record.number + 1, hash);
        if let Event::Snapshot { .. } = record.event {
            read.snapshot = read.whole;
        }
        place = Some(Place {
            number: read.next,
            previous: hash,
        });
    }
    Ok(read)
}

/// The next line; one that is longer than a record can be is not kept whole.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Bytes>> {
    let most = RECORD_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    let mut length = reader.by_ref().take(most).read_until(b'\n', &mut bytes)? as u64;
    if length == 0 {
        return Ok(None);
    }
    let mut whole = bytes.last() == Some(&b'\n');
    if whole {
        bytes.pop();
    }
    let mut rest = Vec::new();
    while !whole {
        rest.clear();
        let more = reader.by_ref().take(most).read_until(b'\n', &mut rest)? as u64;
        if more == 0 {
            break;
        }
        length += more;
        whole = rest.last() == Some(&b'\n');
    }
    Ok(Some(Bytes {
        bytes,
        length,
        whole,
    }))
}

/// Where the first record of a file stands, if it has one.
pub(super) fn first_place(path: &Path) -> Result<Option<Place>, JournalError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("open", path, source)),
    };
    let line = next_line(&mut BufReader::new(file));
    let line = line.map_err(|source| io_error("read", path, source))?;
    let found = line.and_then(|line| check_line(&line.bytes, None).ok());
    Ok(found.map(|(record, _)| Place {
        number: record.number,
        previous: record.previous,
    }))
}

/// Where the record after the last one of a file has to stand.
pub(super) fn end_of(path: &Path) -> Result<Option<Place>, JournalError> {
    let fail = |source| io_error("read", path, source);
    let mut file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let start = length.saturating_sub(2 * RECORD_BYTES_MAX as u64);
    file.seek(SeekFrom::Start(start)).map_err(fail)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(fail)?;
    let Some(tail) = tail.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let line = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or(tail);
    let text = std::str::from_utf8(line).ok();
    let record = text.and_then(|text| Some(text.split_at_checked(PREFIX)?.1));
    let Some(record) = record else {
        return Ok(None);
    };
    let parsed = Record::parse(record).ok();
    Ok(parsed.map(|parsed| Place {
        number: parsed.number + 1,
        previous: record_hash(record),
    }))
}

/// What is wrong with a line.
enum Line {
    /// Not what was written: a crash, or somebody's hand.
    Bytes(String),
    /// What was written by other software.
    Record(RecordError),
}

fn check_line(line: &[u8], place: Option<Place>) -> Result<(Record, B256), Line> {
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
    let place = place.unwrap_or_else(|| Place::of_first(&record));
    if record.number != place.number {
        let stands = place.number;
        let problem = format!("record {} stands where {stands} should", record.number);
        return Err(Line::Bytes(problem));
    }
    if record.previous != place.previous {
        return Err(bad("the record names another one as its predecessor"));
    }
    Ok((record, expected))
}

impl Line {
    fn error(self, path: &Path, line: u64) -> JournalError {
        let path = path.into();
        match self {
            Self::Bytes(problem) => JournalError::Damaged {
                path,
                line,
                problem,
            },
            Self::Record(source) => JournalError::Record { path, line, source },
        }
    }
}
