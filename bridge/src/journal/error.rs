//! Why a journal cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

use crate::limits::{JOURNAL_BYTES_MAX, JOURNAL_FILES_MAX};
use crate::record::RecordError;

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
    /// Above the limit of files.
    #[error(
        "journal {path} has {JOURNAL_FILES_MAX} full files behind it; keep them for auditors and \
         go on with a new home directory", path = .0.display()
    )]
    Full(PathBuf),
    /// A file that is larger than any that is written.
    #[error(
        "journal {path} has more than {JOURNAL_BYTES_MAX} bytes; restore it from a copy, or go on \
         with a new home directory", path = .0.display()
    )]
    TooLarge(PathBuf),
    /// A file that does not follow on the one before it.
    #[error(
        "journal {path} goes on at record {number}, and the file before it ends elsewhere or is \
         absent; put all files of the journal back", path = path.display()
    )]
    Gap {
        /// The file.
        path: PathBuf,
        /// Its first record.
        number: u64,
    },
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

pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        operation,
        path: path.into(),
        source,
    }
}
