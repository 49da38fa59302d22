//! The index: one SQLite file that follows from the log and can be made again from it. Position and
//! rows change in one transaction, so that a death between two leaves never shows.

mod read;
mod schema;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::B256;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::limits::{READ_CACHE_KIB, WRITE_CACHE_KIB};
use crate::said::{Said, WarroomError, said};

pub(crate) use read::{IndexedLeaf, Total, View, ViewError, narrowed};
pub(crate) use write::Kept;

/// Name of the file in the data directory.
const FILE: &str = "index.sqlite";

/// How long a statement waits for another connection's, in milliseconds.
const BUSY_MS_MAX: u64 = 10_000;

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("{what}")]
    Sqlite {
        /// What was being done.
        what: &'static str,
        #[source]
        source: rusqlite::Error,
    },
    #[error("make the directory")]
    Directory(#[source] std::io::Error),
    #[error("it is of the network with genesis hash {got}, the genesis file is of {expected}")]
    OtherNetwork { got: B256, expected: B256 },
    #[error("it has form {got}, this version knows forms up to {known}")]
    Newer { got: i64, known: i64 },
    #[error("`{0}` in it is damaged")]
    Damaged(&'static str),
    #[error("the log has what this version does not know")]
    Unknown(#[from] crate::digest::UnknownLeaf),
}

/// Says what was being done.
trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, IndexError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, what: &'static str) -> Result<T, IndexError> {
        self.map_err(|source| IndexError::Sqlite { what, source })
    }
}

impl IndexError {
    /// What it means for whoever runs the war room, and what to do.
    pub(crate) fn said(&self, path: &Path) -> Said {
        let path = path.display();
        let words = crate::said::causes(self);
        let (en, zh_tw) = self.remedy();
        said(
            format!("index {path}: {words}. {en}"),
            format!("索引 {path}：{words}。{zh_tw}"),
        )
    }

    fn remedy(&self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => (
                    "The disk is full: make room. Following goes on then; what is indexed stays \
                     right.",
                    "磁碟已滿：請騰出空間，之後會自動繼續；已建立的索引仍然正確。",
                ),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    (
                        "Give this program the right to write there, or another --data.",
                        "請授予寫入權限，或改用其他 --data 目錄。",
                    )
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                    "Another war room writes it: end that one, or give another --data.",
                    "另有戰情室正在寫入：請先結束，或改用其他 --data 目錄。",
                ),
                Some(_) | None => (
                    "Remove the file to make it again from the log.",
                    "可刪除此檔，由日誌重新建立。",
                ),
            },
            Self::Directory(_) => (
                "Give another --data, or the right to write there.",
                "請改用其他 --data 目錄，或授予寫入權限。",
            ),
            Self::OtherNetwork { .. } => (
                "Give another --data for this network.",
                "請為此網路另設 --data 目錄。",
            ),
            Self::Newer { .. } | Self::Unknown(_) => {
                ("Use newer software.", "請使用較新版本的軟體。")
            }
            Self::Damaged(_) => (
                "Remove the file to make it again from the log.",
                "可刪除此檔，由日誌重新建立。",
            ),
        }
    }
}

/// The one connection that writes.
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the index in a data directory, makes it if there is none, and brings it to the
    /// newest form.
    pub(crate) fn open(data: &Path, genesis_hash: B256) -> Result<Self, WarroomError> {
        let path = data.join(FILE);
        let open = || -> Result<Connection, IndexError> {
            std::fs::create_dir_all(data).map_err(IndexError::Directory)?;
            let connection = Connection::open(&path).doing("open the file")?;
            prepare(&connection, WRITE_CACHE_KIB)?;
            schema::migrate(&connection, genesis_hash)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| WarroomError::from(error.said(&path)))?;
        Ok(Self { connection, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what the writer sees.
    pub(crate) fn view(&self) -> View<'_> {
        View::of(&self.connection)
    }

    /// No more pages than these: for tests of a full disk.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: i64) {
        let limited = self.connection.pragma_update(None, "max_page_count", pages);
        limited.expect("SQLite takes any number");
    }
}

/// A connection that only reads.
pub(crate) struct ReadOnly(Connection);

impl ReadOnly {
    /// Opens a file that [`Store::open`] made.
    pub(crate) fn open(path: &Path) -> Result<Self, WarroomError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || -> Result<Connection, IndexError> {
            let connection = Connection::open_with_flags(path, flags).doing("open the file")?;
            prepare_reader(&connection)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| WarroomError::from(error.said(path)))?;
        Ok(Self(connection))
    }

    /// Does `work` on one state of the index, whatever is written meanwhile.
    pub(crate) fn at_once<T>(
        &mut self,
        work: impl FnOnce(&View<'_>) -> T,
    ) -> Result<T, IndexError> {
        let transaction = self.0.transaction().doing("begin to read")?;
        Ok(work(&View::of(&transaction)))
    }
}

fn prepare(connection: &Connection, cache_kib: i64) -> Result<(), IndexError> {
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        connection.pragma_update_and_check(None, name, value, |_| Ok(()))
    };
    let all = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
        set("journal_mode", &"WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    };
    all().doing("set the file up")
}

fn prepare_reader(connection: &Connection) -> Result<(), IndexError> {
    let all = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
        connection.pragma_update(None, "cache_size", -READ_CACHE_KIB)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    };
    all().doing("set the file up")
}

/// A number as SQLite has it. Positions, heights and times fit: they count what takes decades.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number back.
fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Key of a tile's row.
fn tile_key(level: u8, index: u64) -> i64 {
    (i64::from(level) << 48) | int(index)
}

#[cfg(test)]
mod tests;
