//! The file with the transactions that were sent to this node and are in no block: a restart
//! must not lose what a client was told is pending.
//!
//! Records follow each other: length u32 and the first 4 bytes of the SHA-256 of the bytes, both
//! little-endian as they come, then the bytes (EIP-2718). Reading ends at the first record that
//! is not whole, as a killed process may leave one. Nothing else depends on this file: where it
//! cannot be written the node goes on without it, and says so.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tbsi_keys::disk;
use tbsi_types::limits::TRANSACTION_BYTES_MAX;
use tbsi_types::{Transaction, sha256};

use crate::limits::JOURNAL_BYTES_MAX;

/// Bytes before a record's own.
const HEAD_BYTES: usize = 4 + CHECK_BYTES;
const CHECK_BYTES: usize = 4;

/// Name of the file in the home's `data` directory.
pub(crate) const FILE_NAME: &str = "pending-transactions";

/// Why a transaction is not kept over a restart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// The disk.
    #[error("{operation} {path}", path = path.display())]
    Io {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Too much waits.
    #[error(
        "{path} has its {JOURNAL_BYTES_MAX} bytes; transactions that are sent now are not kept \
         over a restart",
        path = path.display()
    )]
    Full { path: PathBuf },
}

/// What became of a transaction that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the file.
    Kept,
    /// The file holds much that may be in blocks now: [`Journal::rewrite`] makes room.
    Outgrown,
    /// An error was told before.
    Closed,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// `None` after it could not be written or was full: [`Journal::rewrite`] tries again.
    file: Option<File>,
    bytes: u64,
    /// Of these, since it was written anew.
    appended: u64,
    bytes_max: u64,
}

impl Journal {
    /// Reads what was kept, oldest first. [`Journal::rewrite`] is called next, with what of it
    /// still waits.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Vec<u8>>), JournalError> {
        let journal = Self {
            path: path.into(),
            file: None,
            bytes: 0,
            appended: 0,
            bytes_max: JOURNAL_BYTES_MAX,
        };
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(file) => {
                let read = file.take(JOURNAL_BYTES_MAX).read_to_end(&mut bytes);
                read.map_err(|source| journal.error("read", source))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(journal.error("open", source)),
        }
        Ok((journal, records(&bytes)))
    }

    /// Writes the file anew with these transactions, as many as fit. Returns how many do not.
    pub(crate) fn rewrite(&mut self, waiting: &[Arc<Transaction>]) -> Result<usize, JournalError> {
        self.file = None;
        let mut bytes = Vec::new();
        let mut kept = 0;
        for transaction in waiting {
            let record = record(transaction.encoded());
            if (bytes.len() + record.len()) as u64 > self.bytes_max {
                break;
            }
            bytes.extend(record);
            kept += 1;
        }
        let write = || {
            disk::replace(&self.path, &bytes)?;
            OpenOptions::new().append(true).open(&self.path)
        };
        let file = write().map_err(|source| self.error("write", source))?;
        self.file = Some(file);
        self.bytes = bytes.len() as u64;
        self.appended = 0;
        Ok(waiting.len() - kept)
    }

    /// Whether the file takes what is appended.
    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Adds a transaction. It is in the system's hands then, not yet on the disk: the process
    /// may be killed, the machine may lose what it had not written.
    pub(crate) fn append(&mut self, transaction: &Transaction) -> Result<Appended, JournalError> {
        let Some(file) = &mut self.file else {
            return Ok(Appended::Closed);
        };
        let record = record(transaction.encoded());
        let bytes = record.len() as u64;
        if self.bytes + bytes > self.bytes_max {
            // Often enough to be worth while, and not for each transaction.
            if self.appended >= self.bytes_max / 4 {
                return Ok(Appended::Outgrown);
            }
            self.file = None;
            return Err(JournalError::Full {
                path: self.path.clone(),
            });
        }
        if let Err(source) = file.write_all(&record) {
            self.file = None;
            return Err(self.error("write", source));
        }
        self.bytes += bytes;
        self.appended += bytes;
        Ok(Appended::Kept)
    }

    fn error(&self, operation: &'static str, source: io::Error) -> JournalError {
        JournalError::Io {
            operation,
            path: self.path.clone(),
            source,
        }
    }
}

fn record(encoded: &[u8]) -> Vec<u8> {
    let length = u32::try_from(encoded.len()).expect("a transaction is at most 512 KiB");
    let check = sha256(&[encoded]);
    [&length.to_le_bytes()[..], &check[..CHECK_BYTES], encoded].concat()
}

/// All whole records from the start.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) {
        let (length, check) = head.split_at(HEAD_BYTES - CHECK_BYTES);
        let length = u32::from_le_bytes(length.try_into().expect("split at 4"));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((encoded, rest)) = rest.split_at_checked(length) else {
            break;
        };
        if length > TRANSACTION_BYTES_MAX || &sha256(&[encoded])[..CHECK_BYTES] != check {
            break;
        }
        records.push(encoded.to_vec());
        bytes = rest;
    }
    records
}

#[cfg(test)]
mod tests {
    use tbsi_types::Address;

    use std::fs;

    use super::*;
    use crate::mempool::tests::tx;

    fn sent(nonces: std::ops::Range<u64>) -> Vec<Arc<Transaction>> {
        nonces.map(|nonce| tx(Address::ZERO, nonce)).collect()
    }

    fn read(path: &Path) -> Vec<Vec<u8>> {
        Journal::open(path).unwrap().1
    }

    fn encoded(transactions: &[Arc<Transaction>]) -> Vec<Vec<u8>> {
        transactions
            .iter()
            .map(|tx| tx.encoded().to_vec())
            .collect()
    }

    #[test]
    fn what_was_sent_is_there_after_a_restart_but_for_a_torn_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let (mut journal, found) = Journal::open(&path).unwrap();
        assert_eq!(found, Vec::<Vec<u8>>::new());
        let all = sent(0..5);
        assert_eq!(journal.rewrite(&all[..2]).unwrap(), 0);
        for transaction in &all[2..] {
            assert_eq!(journal.append(transaction).unwrap(), Appended::Kept);
        }
        assert_eq!(read(&path), encoded(&all));
        let whole = fs::read(&path).unwrap();
        let last = whole.len() - record(all[4].encoded()).len();
        for end in [whole.len() - 1, last + HEAD_BYTES, last + 3] {
            fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(read(&path), encoded(&all[..4]), "cut at {end}");
        }
        let mut damaged = whole.clone();
        damaged[last + HEAD_BYTES] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert_eq!(read(&path), encoded(&all[..4]));
        fs::write(&path, [0xff; 100]).unwrap();
        assert_eq!(read(&path), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn it_is_written_anew_without_what_waits_no_more_and_never_grows_beyond_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let (mut journal, _) = Journal::open(&path).unwrap();
        let all = sent(0..4);
        let size = record(all[0].encoded()).len() as u64;
        journal.bytes_max = 3 * size;
        assert_eq!(journal.rewrite(&all).unwrap(), 1);
        assert_eq!(read(&path), encoded(&all[..3]));
        // All of it still waited a moment ago.
        let full = journal.append(&all[3]).unwrap_err();
        assert!(
            full.to_string().contains("not kept over a restart"),
            "{full}"
        );
        assert_eq!(journal.append(&all[3]).unwrap(), Appended::Closed);
        assert!(!journal.is_open());
        assert_eq!(journal.rewrite(&all[3..]).unwrap(), 0);
        for transaction in &all[..2] {
            assert_eq!(journal.append(transaction).unwrap(), Appended::Kept);
        }
        assert_eq!(
            read(&path),
            [encoded(&all[3..]), encoded(&all[..2])].concat()
        );
        assert_eq!(journal.append(&all[2]).unwrap(), Appended::Outgrown);
        assert_eq!(journal.rewrite(&all[2..3]).unwrap(), 0);
        assert_eq!(fs::metadata(&path).unwrap().len(), size);
        assert!(journal.is_open());
    }

    #[test]
    fn a_disk_that_refuses_is_told_once_and_tried_again_later() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        let path = missing.join(FILE_NAME);
        let (mut journal, _) = Journal::open(&path).unwrap();
        let all = sent(0..1);
        assert!(journal.rewrite(&[]).is_err());
        assert_eq!(journal.append(&all[0]).unwrap(), Appended::Closed);
        fs::create_dir(&missing).unwrap();
        assert_eq!(journal.rewrite(&all).unwrap(), 0);
        assert_eq!(read(&path), encoded(&all));
    }
}
