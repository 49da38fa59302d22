//! Bounds of the store. Those of the protocol are in `tbsi_types::limits`.

/// Blocks that other validators proposed and that wait at one height; own blocks have as many
/// places again, so that nobody else can take them. The oldest gives way.
pub const UNDECIDED_PER_HEIGHT_MAX: usize = 64;

/// Rounds of one height for which it is remembered what this node built; the lowest gives way.
pub const BUILT_ROUNDS_MAX: usize = 4_096;

/// How far above the tip an undecided block may be, in heights.
pub const UNDECIDED_HEIGHTS_MAX: u64 = 16;

/// Pieces of evidence kept against one validator at one height.
pub const EVIDENCE_PER_VALIDATOR_MAX: usize = 16;

/// Entries of the log's index, each with a leaf, that one search looks at.
pub const POSITIONS_MAX: usize = 1000;

/// Nodes of the log's tree above its lowest tiles that are remembered, about 100 bytes each:
/// those of 8 million leaves.
pub const UPPER_NODES_MAX: usize = 65_536;

/// Storage slots of one proof.
pub const PROOF_SLOTS_MAX: usize = 1024;

/// Blocks that one search for an account's transactions looks through where the index of accounts
/// does not know them.
pub const SEARCH_BLOCKS_MAX: usize = 10_000;

/// Slots of an account in one page.
pub const SLOTS_PAGE_MAX: usize = 1_024;

/// Blocks whose transactions and receipts are dropped with one new block, where fewer are to be kept
/// than before.
pub const PRUNED_PER_BLOCK_MAX: u64 = 64;

/// Accounts in one page.
pub const ACCOUNTS_PAGE_MAX: usize = 256;

/// Accounts or slots that have changed since, which one page of them looks at.
pub(crate) const CHANGES_MAX: usize = 16_384;

/// Accounts and slots of the latest state that are remembered, about 150 bytes each.
pub(crate) const HOT_ENTRIES_MAX: usize = 131_072;

/// Parts of them, each with a lock of its own.
pub(crate) const HOT_SHARDS: usize = 4;

/// Bytes of blocks, indexes and filters that RocksDB keeps in memory, by default.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of writes that RocksDB keeps in memory before it flushes them.
pub(crate) const WRITE_BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of write-ahead log, which bounds how much a restart replays.
pub(crate) const WAL_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Files that RocksDB keeps open.
pub(crate) const OPEN_FILES_MAX: i32 = 256;
