//! RocksDB: tables, tuning, typed errors. Only this module and `error` name its types.

mod upkeep;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rocksdb::compaction_filter::Decision;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompactionStyle,
    DBCompressionType, DBRawIterator, DBRecoveryMode, LogLevel, Options, PrefixRange, ReadOptions,
    Snapshot, WriteBatch, WriteOptions,
};
use tbsi_types::Height;

use crate::error::StoreError;
use crate::keys;
use crate::limits::{OPEN_FILES_MAX, WAL_BYTES_MAX, WRITE_BUFFER_BYTES};

pub use upkeep::{ReadThrough, TableSize};

const DAY_SECONDS: u64 = 24 * 60 * 60;
const KIB: usize = 1024;
const MIB: u64 = 1024 * 1024;
/// Keys that were dropped, and that a [`Seeker`] passes over before it gives up.
const SKIPPED_MAX: u64 = 64;
/// Values of this size and above are kept out of the sorted files.
const BLOB_BYTES_MIN: u64 = 1024;

/// Column families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Schema version, identity, tip.
    Meta,
    /// Parts of blocks, by height.
    Chain,
    /// Heights and transactions, by hash.
    Index,
    /// Accounts, slots and trie nodes after the tip.
    State,
    /// Earlier values of [`Table::State`].
    History,
    /// Contract code, by hash.
    Code,
    /// Undecided blocks and evidence.
    Consensus,
    /// Tiles and leaves of the attestation log.
    Log,
    /// Positions in the log, by what leaves are looked up by.
    Position,
    /// Pages of the map, and leaves that wait for it.
    Map,
}

impl Table {
    const ALL: [Self; 10] = [
        Self::Meta,
        Self::Chain,
        Self::Index,
        Self::State,
        Self::History,
        Self::Code,
        Self::Consensus,
        Self::Log,
        Self::Position,
        Self::Map,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Meta => "default",
            Self::Chain => "chain",
            Self::Index => "index",
            Self::State => "state",
            Self::History => "history",
            Self::Code => "code",
            Self::Consensus => "consensus",
            Self::Log => "log",
            Self::Position => "position",
            Self::Map => "map",
        }
    }
}

/// An open database.
pub(crate) struct Database {
    db: DB,
    /// History of this height and below is dropped when RocksDB compacts it.
    history_floor: Arc<AtomicU64>,
    /// The disk is full: simulation says so.
    full: AtomicBool,
}

impl Database {
    /// Opens the database in `dir`, or makes it.
    pub(crate) fn open(
        dir: &Path,
        cache_bytes: usize,
        preallocates: bool,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::CreateDirectory {
            dir: dir.to_owned(),
            source,
        })?;
        let history_floor = Arc::new(AtomicU64::new(0));
        let cache = Cache::new_lru_cache(cache_bytes);
        let options = database_options(preallocates);
        let tables = descriptors(dir, &options, &cache, &history_floor);
        let db = DB::open_cf_descriptors(&options, dir, tables)
            .map_err(|source| open_error(dir, source))?;
        Ok(Self {
            db,
            history_floor,
            full: AtomicBool::new(false),
        })
    }

    fn handle(&self, table: Table) -> &ColumnFamily {
        self.db
            .cf_handle(table.name())
            .expect("open names every table")
    }

    pub(crate) fn get(
        &self,
        table: Table,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .get_cf(self.handle(table), key)
            .map_err(|source| read_error(what, source))
    }

    /// All that a later commit writes stays invisible to the snapshot, except that history
    /// at and below [`Database::history_floor`] may vanish.
    pub(crate) fn snapshot(&self) -> View<'_> {
        View {
            database: self,
            snapshot: self.db.snapshot(),
        }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        self.batch_of(0)
    }

    /// A batch with room for about so many bytes.
    pub(crate) fn batch_of(&self, bytes: usize) -> Batch<'_> {
        Batch {
            database: self,
            writes: WriteBatch::with_capacity_bytes(bytes),
        }
    }

    /// Lets every later write fail, the next one too, whatever it wrote.
    pub(crate) fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    pub(crate) fn history_floor(&self) -> Height {
        Height(self.history_floor.load(Ordering::SeqCst))
    }

    /// Lets go of history that no readable state needs.
    pub(crate) fn raise_history_floor(&self, floor: Height) {
        self.history_floor.fetch_max(floor.0, Ordering::SeqCst);
    }

    /// Compacts a whole table, as RocksDB does piece by piece in the background.
    #[cfg(test)]
    pub(crate) fn compact(&self, table: Table) {
        let mut options = rocksdb::CompactOptions::default();
        options.set_bottommost_level_compaction(rocksdb::BottommostLevelCompaction::Force);
        self.db.flush_cf(self.handle(table)).unwrap();
        self.db
            .compact_range_cf_opt(self.handle(table), None::<&[u8]>, None::<&[u8]>, &options);
    }

    /// Adds a table that this program does not know to a closed database.
    #[cfg(test)]
    pub(crate) fn add_table(dir: &Path, name: &str) {
        let options = database_options(true);
        let mut db = DB::open_cf(&options, dir, DB::list_cf(&options, dir).unwrap()).unwrap();
        db.create_cf(name, &Options::default()).unwrap();
    }
}

/// The database as it was when [`Database::snapshot`] was called.
pub(crate) struct View<'a> {
    database: &'a Database,
    snapshot: Snapshot<'a>,
}

impl<'a> View<'a> {
    pub(crate) fn database(&self) -> &'a Database {
        self.database
    }

    pub(crate) fn get(
        &self,
        table: Table,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot
            .get_cf(self.database.handle(table), key)
            .map_err(|source| read_error(what, source))
    }

    /// The first value at or after `from` whose key begins with `prefix`.
    pub(crate) fn first(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut iterator = self.iterator(table, prefix);
        iterator.seek(from);
        let value = iterator.value().map(<[u8]>::to_vec);
        finish(&iterator, what)?;
        Ok(value)
    }

    /// For many searches of one table: to open an iterator costs more than to use it.
    pub(crate) fn seeker(&self, table: Table) -> Seeker<'a> {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        options.set_max_skippable_internal_keys(SKIPPED_MAX);
        let database = self.database;
        let iterator = database
            .db
            .raw_iterator_cf_opt(database.handle(table), options);
        Seeker { iterator }
    }

    /// Visits the entries whose key begins with `prefix`, in order, until `visit` returns
    /// false or an error.
    pub(crate) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        what: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.scan_from(table, prefix, prefix, what, visit)
    }

    /// As [`View::scan`], beginning with the key `from` or the one after it.
    pub(crate) fn scan_from(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        what: &'static str,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut iterator = self.iterator(table, prefix);
        iterator.seek(from);
        while let Some((key, value)) = iterator.item() {
            if !visit(key, value)? {
                break;
            }
            iterator.next();
        }
        finish(&iterator, what)
    }

    /// As [`View::scan`], from the last entry to the first.
    pub(crate) fn scan_back(
        &self,
        table: Table,
        prefix: &[u8],
        what: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut iterator = self.iterator(table, prefix);
        iterator.seek_to_last();
        visit_back(iterator, what, visit)
    }

    /// As [`View::scan_back`], beginning with the last entry before the key `before`.
    pub(crate) fn scan_back_from(
        &self,
        table: Table,
        prefix: &[u8],
        before: &[u8],
        what: &'static str,
        visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut iterator = self.iterator(table, prefix);
        iterator.seek_for_prev(before);
        if iterator.key() == Some(before) {
            iterator.prev();
        }
        visit_back(iterator, what, visit)
    }

    /// Sees only keys that begin with `prefix`.
    fn iterator(&self, table: Table, prefix: &[u8]) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(PrefixRange(prefix));
        self.snapshot
            .raw_iterator_cf_opt(self.database.handle(table), options)
    }
}

/// An iterator that is used again and again. Unlike those of [`View::scan`] it has no end: what was
/// dropped and not compacted yet could make it run far beyond what is looked for, so it gives up.
pub(crate) struct Seeker<'a> {
    iterator: DBRawIterator<'a>,
}

impl Seeker<'_> {
    /// As [`View::first`]; `None` if that has to be asked.
    pub(crate) fn first(&mut self, prefix: &[u8], from: &[u8]) -> Option<Option<Vec<u8>>> {
        self.iterator.seek(from);
        match self.iterator.item() {
            Some((key, value)) => Some(key.starts_with(prefix).then(|| value.to_vec())),
            None => self.iterator.status().is_ok().then_some(None),
        }
    }
}

/// Visits entries from the iterator's on, back to the first, until `visit` returns false.
fn visit_back(
    mut iterator: DBRawIterator<'_>,
    what: &'static str,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    while let Some((key, value)) = iterator.item() {
        if !visit(key, value)? {
            break;
        }
        iterator.prev();
    }
    finish(&iterator, what)
}

/// An iterator that stopped may have stopped for an error.
fn finish(iterator: &DBRawIterator<'_>, what: &'static str) -> Result<(), StoreError> {
    iterator.status().map_err(|source| read_error(what, source))
}

/// Writes that happen together or not at all.
pub(crate) struct Batch<'a> {
    database: &'a Database,
    writes: WriteBatch,
}

impl Batch<'_> {
    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.writes.put_cf(self.database.handle(table), key, value);
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.writes.delete_cf(self.database.handle(table), key);
    }

    /// Returns once the writes are on the disk.
    pub(crate) fn write(self, what: &'static str) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        // RocksDB refuses, before it writes anything, to sync what it does not log.
        options.disable_wal(self.database.full.load(Ordering::SeqCst));
        self.database
            .db
            .write_opt(self.writes, &options)
            .map_err(|source| StoreError::Write {
                what,
                source: source.into(),
            })
    }
}

fn read_error(what: &'static str, source: rocksdb::Error) -> StoreError {
    StoreError::Read {
        what,
        source: source.into(),
    }
}

fn open_error(dir: &Path, source: rocksdb::Error) -> StoreError {
    let dir = dir.to_owned();
    // RocksDB has no error kind of its own for this.
    let words: &str = source.as_ref();
    if words.contains("While lock file") || words.contains("lock hold by current process") {
        return StoreError::Locked { dir };
    }
    StoreError::Open {
        dir,
        source: source.into(),
    }
}

/// All tables in `dir`. A newer schema may have tables that this program does not know. They must
/// be named to open the database, whose version is then refused with a better error.
fn descriptors(
    dir: &Path,
    options: &Options,
    cache: &Cache,
    history_floor: &Arc<AtomicU64>,
) -> Vec<ColumnFamilyDescriptor> {
    let stored = DB::list_cf(options, dir).unwrap_or_default();
    let known: BTreeSet<_> = Table::ALL.iter().map(|table| table.name()).collect();
    let unknown = stored
        .iter()
        .map(String::as_str)
        .filter(|name| !known.contains(name));
    Table::ALL
        .iter()
        .map(|table| (table.name(), table_options(*table, cache, history_floor)))
        .chain(unknown.map(|name| (name, Options::default())))
        .map(|(name, options)| ColumnFamilyDescriptor::new(name, options))
        .collect()
}

fn database_options(preallocates: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_db_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    // Every commit is synced, so only the unacknowledged end of the log may be torn. Damage
    // before that must not pass as an older, shorter chain.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_bytes_per_sync(MIB);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(4 * KIB * KIB);
    options.set_stats_dump_period_sec(0);
    if preallocates {
        return options;
    }
    let options = options.get_options_from_string("allow_fallocate=false");
    options.expect("RocksDB knows its own option")
}

fn table_options(table: Table, cache: &Cache, history_floor: &Arc<AtomicU64>) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_format_version(5);
    blocks.set_block_size(match table {
        Table::State
        | Table::History
        | Table::Index
        | Table::Position
        | Table::Map
        | Table::Meta => 4 * KIB,
        Table::Chain | Table::Code | Table::Consensus | Table::Log => 16 * KIB,
    });
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES / 2);
    options.set_target_file_size_base(16 * MIB);
    options.set_max_bytes_for_level_base(64 * MIB);
    match table {
        // Large values that are written once and stay: compaction moves only their keys. Only
        // the last tiles are ever replaced, so there is no garbage worth collecting; RocksDB
        // would move the oldest values again and again.
        Table::Chain | Table::Log => {
            options.set_enable_blob_files(true);
            options.set_min_blob_size(BLOB_BYTES_MIN);
            options.set_blob_file_size(64 * MIB);
            options.set_blob_compression_type(DBCompressionType::Lz4);
        }
        // Short keys in random order and no values, read by prefix: neither filters nor
        // compression serve, and levels would be rewritten at every flush.
        Table::Position => {
            options.set_compression_type(DBCompressionType::None);
            options.set_compaction_style(DBCompactionStyle::Universal);
            options.set_level_zero_file_num_compaction_trigger(8);
        }
        Table::Meta
        | Table::Index
        | Table::State
        | Table::Map
        | Table::History
        | Table::Code
        | Table::Consensus => {
            blocks.set_bloom_filter(10.0, false);
            // Most keys that are asked for are not among the latest writes.
            options.set_memtable_prefix_bloom_ratio(0.02);
            options.set_memtable_whole_key_filtering(true);
        }
    }
    options.set_block_based_table_factory(&blocks);
    if table == Table::History {
        let floor = Arc::clone(history_floor);
        options.set_compaction_filter("tbsi-history", move |_, key: &[u8], _: &[u8]| {
            match keys::history_height(key) {
                Some(height) if height <= floor.load(Ordering::SeqCst) => Decision::Remove,
                Some(_) | None => Decision::Keep,
            }
        });
        options.set_periodic_compaction_seconds(DAY_SECONDS);
    }
    options
}
