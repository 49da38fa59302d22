//! What can go wrong in the store.

use std::path::PathBuf;

use alloy_primitives::B256;
use tbsi_types::limits::{BLOCK_BYTES_MAX, STATE_WINDOW_MIN};
use tbsi_types::log::LeafError;
use tbsi_types::{Height, TreeSize};

use crate::limits::{PROOF_SLOTS_MAX, UNDECIDED_HEIGHTS_MAX};

/// An error of RocksDB, in its own words.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(#[from] rocksdb::Error);

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An option with a value that cannot be.
    #[error(
        "option `history_blocks` or `keep_blocks` is {0}, at least {STATE_WINDOW_MIN} are required"
    )]
    HistoryTooShort(u64),
    /// The directory cannot be created.
    #[error("create data directory {}", dir.display())]
    CreateDirectory {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// RocksDB does not open.
    #[error("open the database in {}", dir.display())]
    Open {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: DatabaseError,
    },
    /// Another process has the directory open.
    #[error(
        "data directory {} is in use by another process: stop that process, or choose another \
         directory",
        dir.display()
    )]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// There is no database to open.
    #[error("{} holds no database; it may be another directory, or a copy that was cut short", dir.display())]
    NoDatabase {
        /// The directory.
        dir: PathBuf,
    },
    /// A copy failed. The database itself is as it was.
    #[error("copy the database to {}", dir.display())]
    Copy {
        /// The directory of the copy.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: DatabaseError,
    },
    /// Written in a layout that this program does not know.
    #[error(
        "data directory has schema version {found}, this program supports {supported}: run the \
         version of tbsi that wrote it, or start with an empty directory and let the node sync"
    )]
    SchemaVersion {
        /// In the directory.
        found: u32,
        /// Of this program.
        supported: u32,
    },
    /// The directory holds another chain.
    #[error(
        "data directory belongs to another network: its genesis hash is {found}, expected \
         {expected}: check the genesis file, or choose another directory"
    )]
    WrongGenesis {
        /// In the directory.
        found: B256,
        /// Of the genesis file.
        expected: B256,
    },
    /// A read failed.
    #[error("read {what}")]
    Read {
        /// What was being read.
        what: &'static str,
        /// The cause.
        #[source]
        source: DatabaseError,
    },
    /// A write failed. The next [`Store::open`](crate::Store::open) finds all of it or nothing.
    #[error(
        "write {what}; see that the disk has room and works, then start the node again: what was \
         decided is not lost"
    )]
    Write {
        /// What was being written.
        what: &'static str,
        /// The cause.
        #[source]
        source: DatabaseError,
    },
    /// Stored bytes are not what the store writes.
    #[error("stored {what} is damaged: {problem}")]
    Corrupt {
        /// What was read.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not the block after the tip.
    #[error("block {height} does not follow the tip, which is {}", tip_text(*tip))]
    Gap {
        /// Of the block.
        height: Height,
        /// Of the tip; `None` before genesis.
        tip: Option<Height>,
    },
    /// The parts of a block, or the block and the chain, contradict each other.
    #[error("block {height}: {field} is {found}, expected {expected}")]
    Mismatch {
        /// Of the block.
        height: Height,
        /// What differs.
        field: &'static str,
        /// As given.
        found: String,
        /// As it must be.
        expected: String,
    },
    /// The state of a height outside the window.
    #[error("state of block {height} is not available: the oldest is {oldest}, the newest {tip}")]
    StateNotAvailable {
        /// Asked for.
        height: Height,
        /// Oldest height with a state.
        oldest: Height,
        /// Newest height with a state.
        tip: Height,
    },
    /// A block's transactions and receipts outside the window.
    #[error(
        "transactions and receipts of block {height} were pruned here: the oldest that are kept are \
         those of block {oldest}; ask a node that keeps all blocks"
    )]
    BlockPruned {
        /// Asked for.
        height: Height,
        /// The oldest block above genesis that is whole.
        oldest: Height,
    },
    /// A log that is not there yet.
    #[error("the log has {log} leaves, {size} were asked for: give at most {log}")]
    LogSize {
        /// Asked for.
        size: TreeSize,
        /// In the log.
        log: TreeSize,
    },
    /// A block whose height or time no leaf can hold.
    #[error("write the map's root")]
    Leaf(#[source] LeafError),
    /// A proof that cannot be made.
    #[error("make a proof")]
    Proof(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no block yet.
    #[error("the store is empty: commit the genesis block first")]
    Empty,
    /// An undecided block too far from the tip.
    #[error(
        "undecided block at height {height}: the tip is {tip}, allowed are heights above it by \
         1 to {UNDECIDED_HEIGHTS_MAX}"
    )]
    UndecidedHeight {
        /// Of the block.
        height: Height,
        /// Of the tip.
        tip: Height,
    },
    /// An undecided block above the size limit.
    #[error("undecided block of {0} bytes, at most {BLOCK_BYTES_MAX} are allowed")]
    UndecidedTooLarge(usize),
    /// A proof of too many slots.
    #[error("proof of {0} storage slots, at most {PROOF_SLOTS_MAX} are allowed")]
    TooManySlots(usize),
}

impl StoreError {
    /// Whether the node must stop: the disk, the data or this program is at fault. Otherwise
    /// the request was, and is refused.
    pub fn is_halt(&self) -> bool {
        match self {
            Self::HistoryTooShort(_)
            | Self::CreateDirectory { .. }
            | Self::Open { .. }
            | Self::Locked { .. }
            | Self::NoDatabase { .. }
            | Self::SchemaVersion { .. }
            | Self::WrongGenesis { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Corrupt { .. }
            | Self::Gap { .. }
            | Self::Mismatch { .. }
            | Self::Empty => true,
            Self::Copy { .. }
            | Self::StateNotAvailable { .. }
            | Self::BlockPruned { .. }
            | Self::LogSize { .. }
            | Self::Leaf(_)
            | Self::Proof(_)
            | Self::UndecidedHeight { .. }
            | Self::UndecidedTooLarge(_)
            | Self::TooManySlots(_) => false,
        }
    }
}

fn tip_text(tip: Option<Height>) -> String {
    tip.map_or_else(|| "not there yet".into(), |height| height.to_string())
}

/// Names stored bytes that do not decode.
pub(crate) fn corrupt(
    what: impl Into<String>,
) -> impl FnOnce(&dyn std::fmt::Display) -> StoreError {
    let what = what.into();
    move |problem| StoreError::Corrupt {
        what,
        problem: problem.to_string(),
    }
}
