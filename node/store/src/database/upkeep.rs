//! A database as a whole: copies of it, a second reading of all that it holds, its size.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use rocksdb::checkpoint::Checkpoint as LinkedCopy;
use rocksdb::{Cache, DB, DBRawIterator, ReadOptions};

use super::{Database, Table, database_options, descriptors, finish, open_error, read_error};
use crate::error::StoreError;

/// Bytes on the disk and, about, entries of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name in the database.
    pub name: &'static str,
    /// Entries, as RocksDB estimates them.
    pub entries: u64,
    /// Bytes of its files, without the write-ahead log.
    pub bytes: u64,
}

/// Where a reading of the whole database stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadThrough {
    /// Position among the tables.
    table: usize,
    /// The key to go on with.
    next: Vec<u8>,
    /// Entries that were read.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Database {
    /// Opens the database in `dir`, which must be there. Nothing in the directory changes, and
    /// no lock is taken: only for one that nobody writes.
    pub(crate) fn open_read_only(dir: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        if !dir.join("CURRENT").is_file() {
            return Err(StoreError::NoDatabase { dir: dir.into() });
        }
        let history_floor = Arc::new(AtomicU64::new(0));
        let cache = Cache::new_lru_cache(cache_bytes);
        let options = database_options(true);
        let tables = descriptors(dir, &options, &cache, &history_floor);
        let db = DB::open_cf_descriptors_read_only(&options, dir, tables, false)
            .map_err(|source| open_error(dir, source))?;
        Ok(Self {
            db,
            history_floor,
            full: AtomicBool::new(false),
        })
    }

    /// Makes a copy as of now in `dir`, which must not exist: its files are links to those of
    /// the database where the file system allows it, so it costs little until they change.
    pub(crate) fn copy_to(&self, dir: &Path) -> Result<(), StoreError> {
        let copy = LinkedCopy::new(&self.db).and_then(|copy| copy.create_checkpoint(dir));
        copy.map_err(|source| StoreError::Copy {
            dir: dir.into(),
            source: source.into(),
        })
    }

    /// Reads on, past the block cache, until about `bytes_max` more bytes were read; RocksDB
    /// compares the checksum of every block and of every large value. Returns whether there is
    /// more.
    pub(crate) fn read_on(&self, at: &mut ReadThrough, bytes_max: u64) -> Result<bool, StoreError> {
        let limit = at.bytes.saturating_add(bytes_max);
        while let Some(table) = Table::ALL.get(at.table) {
            let what = table.name();
            let mut iterator = self.fresh_iterator(*table);
            iterator.seek(&at.next);
            while let Some((key, value)) = iterator.item() {
                if at.bytes >= limit {
                    at.next = key.to_vec();
                    return Ok(true);
                }
                at.entries += 1;
                at.bytes += (key.len() + value.len()) as u64;
                iterator.next();
            }
            finish(&iterator, what)?;
            at.table += 1;
            at.next.clear();
        }
        Ok(false)
    }

    fn fresh_iterator(&self, table: Table) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_verify_checksums(true);
        self.db.raw_iterator_cf_opt(self.handle(table), options)
    }

    /// Size of every table.
    pub(crate) fn sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let mut sizes = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            let number = |property: &str| {
                let found = self
                    .db
                    .property_int_value_cf(self.handle(table), property)
                    .map_err(|source| read_error("size of a table", source))?;
                Ok::<_, StoreError>(found.unwrap_or_default())
            };
            sizes.push(TableSize {
                name: table.name(),
                entries: number("rocksdb.estimate-num-keys")?,
                bytes: number("rocksdb.total-sst-files-size")?
                    + number("rocksdb.live-blob-file-size")?,
            });
        }
        Ok(sizes)
    }

    /// Writes every table anew without what was overwritten or deleted.
    pub(crate) fn compact_all(&self, mut done: impl FnMut(&'static str)) -> Result<(), StoreError> {
        for table in Table::ALL {
            let handle = self.handle(table);
            self.db
                .flush_cf(handle)
                .map_err(|source| StoreError::Write {
                    what: "a table anew",
                    source: source.into(),
                })?;
            let mut options = rocksdb::CompactOptions::default();
            options.set_bottommost_level_compaction(
                rocksdb::BottommostLevelCompaction::ForceOptimized,
            );
            self.db
                .compact_range_cf_opt(handle, None::<&[u8]>, None::<&[u8]>, &options);
            done(table.name());
        }
        Ok(())
    }
}
