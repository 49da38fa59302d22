//! Opening the store; the tip.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, RwLock};

use alloy_primitives::{Address, B256, U256};
use borsh::{BorshDeserialize, BorshSerialize};
use tbsi_types::limits::STATE_WINDOW_MIN;
use tbsi_types::log::EMPTY_LOG_ROOT;
use tbsi_types::log::{Frontier, TreeNode};
use tbsi_types::map::MapState;
use tbsi_types::roster::Members;
use tbsi_types::{
    AccountProof, ChainIdentity, Checkpoint, CheckpointDigest, Height, TimestampMs, TreeSize,
};

use crate::chain::read_checkpoint;
use crate::consensus::Waiting;
use crate::database::{Database, Table};
use crate::error::{StoreError, corrupt};
use crate::hot::Hot;
use crate::keys;
use crate::limits::CACHE_BYTES;
use crate::pages;
use crate::roster;
use crate::state::{Past, Reader, StateAt};

/// Layout of the database that this program reads and writes.
pub(crate) const SCHEMA_VERSION: u32 = 5;

/// What an operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Blocks behind the tip whose state can be read and proven; at least
    /// [`STATE_WINDOW_MIN`]. `u64::MAX` keeps every state.
    pub history_blocks: u64,
    /// Blocks behind the tip whose transactions and receipts are kept, at least
    /// [`STATE_WINDOW_MIN`]; `u64::MAX` keeps those of every block. Headers, checkpoints,
    /// certificates and the log are kept for ever.
    pub keep_blocks: u64,
    /// Whether [`Store::appearances`] has an index of the blocks from now on.
    pub address_index: bool,
    /// Bytes of cache for reads.
    pub cache_bytes: usize,
    /// Whether files get their room on the disk before they are written: cheaper on a disk, and
    /// dear in memory.
    pub preallocates: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            history_blocks: 256,
            keep_blocks: u64::MAX,
            address_index: false,
            cache_bytes: CACHE_BYTES,
            preallocates: true,
        }
    }
}

/// The last block that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Its checkpoint's time.
    pub time: TimestampMs,
    /// Hash of its header.
    pub block_hash: B256,
    /// State root after it.
    pub state_root: B256,
    /// Digest of its checkpoint.
    pub checkpoint_digest: CheckpointDigest,
    /// Leaves in the attestation log after it.
    pub log_size: TreeSize,
    /// Root of the log after it.
    pub log_root: B256,
}

impl Tip {
    pub(crate) fn of(checkpoint: &Checkpoint, identity: &ChainIdentity) -> Self {
        Self {
            height: checkpoint.height,
            time: checkpoint.time,
            block_hash: checkpoint.block_hash,
            state_root: checkpoint.state_root,
            checkpoint_digest: checkpoint.digest(identity),
            log_size: checkpoint.log_size,
            log_root: checkpoint.log_root,
        }
    }
}

/// What the database says about its tip.
#[derive(Clone, Copy, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct TipRecord {
    pub(crate) height: u64,
    /// Oldest height whose state can be read.
    pub(crate) oldest_state: u64,
}

impl TipRecord {
    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        borsh::from_slice(bytes).map_err(|error| corrupt("tip")(&error))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("a Vec takes every byte")
    }
}

/// Everything a node keeps about its chain. Share it behind an `Arc`: reads run side by side,
/// writes one after the other.
pub struct Store {
    pub(crate) database: Database,
    pub(crate) identity: ChainIdentity,
    pub(crate) options: StoreOptions,
    pub(crate) tip: RwLock<Option<Tip>>,
    /// Of the state at the tip.
    pub(crate) hot: Hot,
    /// Of the log at the tip.
    pub(crate) frontier: RwLock<Frontier>,
    /// Of the map at the tip.
    pub(crate) map: RwLock<MapState>,
    /// Nodes of the log's tree that proofs needed.
    pub(crate) upper_nodes: Mutex<HashMap<TreeNode, B256>>,
    /// The validator set that was read last, by its hash: most proofs need the same one.
    pub(crate) members: Mutex<Option<(B256, Members)>>,
    /// Last heights of validator sets that were followed by another one, in order.
    pub(crate) handovers: RwLock<Vec<Height>>,
    /// Held by whoever writes.
    pub(crate) waiting: Mutex<Waiting>,
    /// The lowest height above genesis whose transactions and receipts are kept.
    pub(crate) oldest_block: AtomicU64,
}

impl Store {
    /// Opens the store in `dir`, or makes it. Refuses a directory that another process uses,
    /// that holds another network, or that a program with another schema wrote.
    pub fn open(
        dir: &Path,
        identity: ChainIdentity,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let shortest = options.history_blocks.min(options.keep_blocks);
        if shortest < STATE_WINDOW_MIN {
            return Err(StoreError::HistoryTooShort(shortest));
        }
        let database = Database::open(dir, options.cache_bytes, options.preallocates)?;
        check_owner(&database, &identity, true)?;
        Self::load(database, identity, options)
    }

    /// What is in memory of an open database of this network.
    pub(crate) fn load(
        database: Database,
        identity: ChainIdentity,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let record = database.get(Table::Meta, keys::TIP, "tip")?;
        let tip = match record {
            None => None,
            Some(bytes) => {
                let record = TipRecord::decode(&bytes)?;
                database.raise_history_floor(Height(record.oldest_state));
                Some(load_tip(&database, Height(record.height), &identity)?)
            }
        };
        let waiting = Waiting::load(&database)?;
        Ok(Self {
            identity,
            options,
            frontier: RwLock::new(load_frontier(&database, tip.as_ref())?),
            map: RwLock::new(pages::load_state(&database)?),
            hot: Hot::new(tip.map(|tip| tip.height)),
            tip: RwLock::new(tip),
            upper_nodes: Mutex::default(),
            members: Mutex::new(None),
            handovers: RwLock::new(roster::load_handovers(&database)?),
            waiting: Mutex::new(waiting),
            oldest_block: AtomicU64::new(load_oldest_block(&database)?.0),
            database,
        })
    }

    /// Lets every later write fail: the full disk that simulation injects.
    #[doc(hidden)]
    pub fn fill(&self) {
        self.database.fill();
    }

    /// The last block that is stored; `None` before genesis.
    pub fn tip(&self) -> Option<Tip> {
        *self
            .tip
            .read()
            .expect("nobody panics while writing the tip")
    }

    pub(crate) fn frontier(&self) -> Frontier {
        let frontier = self.frontier.read();
        frontier
            .expect("nobody panics while writing the frontier")
            .clone()
    }

    /// The oldest height whose state can be read.
    pub fn oldest_state(&self) -> Height {
        self.database.history_floor()
    }

    /// The state after the block at `height`, which must be the tip or within the window
    /// behind it.
    pub fn state_at(&self, height: Height) -> Result<StateAt<'_>, StoreError> {
        let (mut reader, record) = self.latest()?;
        let record = record.ok_or(StoreError::Empty)?;
        let (oldest, tip) = (Height(record.oldest_state), Height(record.height));
        if height < oldest || height > tip {
            return Err(StoreError::StateNotAvailable {
                height,
                oldest,
                tip,
            });
        }
        reader.past = (height < tip).then_some(Past { height, tip });
        Ok(StateAt {
            reader,
            height,
            hot: None,
        })
    }

    /// The same, for whoever asks what others have asked: accounts and slots of the latest state
    /// are looked for in memory first, and left there. Blocks are executed without it.
    pub fn asked_state_at(&self, height: Height) -> Result<StateAt<'_>, StoreError> {
        let state = self.state_at(height)?;
        let hot = state.reader.past.is_none().then_some(&self.hot);
        Ok(StateAt { hot, ..state })
    }

    /// Proves an account and some of its slots as they are after the block at `height`
    /// (EIP-1186).
    pub fn prove(
        &self,
        height: Height,
        address: Address,
        slots: &[U256],
    ) -> Result<AccountProof, StoreError> {
        self.state_at(height)?.prove(address, slots)
    }

    /// A reader of the latest state, and which block that is.
    pub(crate) fn latest(&self) -> Result<(Reader<'_>, Option<TipRecord>), StoreError> {
        let view = self.database.snapshot();
        let record = view.get(Table::Meta, keys::TIP, "tip")?;
        let record = record.as_deref().map(TipRecord::decode).transpose()?;
        let reader = Reader {
            history: RefCell::default(),
            view,
            past: None,
            nodes: RefCell::default(),
        };
        Ok((reader, record))
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("nobody panics while writing to the store")
    }
}

/// Schema version and network, written once if the database is `new` or may be.
pub(crate) fn check_owner(
    database: &Database,
    identity: &ChainIdentity,
    new: bool,
) -> Result<(), StoreError> {
    let schema = database.get(Table::Meta, keys::SCHEMA, "schema version")?;
    let Some(schema) = schema else {
        if !new {
            return Err(corrupt("schema version")(&"it is missing"));
        }
        let mut batch = database.batch();
        batch.put(Table::Meta, keys::SCHEMA, &SCHEMA_VERSION.to_be_bytes());
        batch.put(Table::Meta, keys::IDENTITY, &encode_identity(identity));
        return batch.write("schema version");
    };
    let found = schema
        .try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| corrupt("schema version")(&"not 4 bytes"))?;
    if found != SCHEMA_VERSION {
        return Err(StoreError::SchemaVersion {
            found,
            supported: SCHEMA_VERSION,
        });
    }
    let stored = database.get(Table::Meta, keys::IDENTITY, "network identity")?;
    let stored = stored.unwrap_or_default();
    if stored == encode_identity(identity) {
        return Ok(());
    }
    let found = stored
        .last_chunk()
        .ok_or_else(|| corrupt("network identity")(&"shorter than a hash"))?;
    Err(StoreError::WrongGenesis {
        found: B256::new(*found),
        expected: identity.genesis_hash,
    })
}

/// Chain id (u64), genesis hash.
fn encode_identity(identity: &ChainIdentity) -> Vec<u8> {
    [
        identity.chain_id.to_be_bytes().as_slice(),
        identity.genesis_hash.as_slice(),
    ]
    .concat()
}

/// What the log is appended to; it must be that of the tip's checkpoint.
fn load_frontier(database: &Database, tip: Option<&Tip>) -> Result<Frontier, StoreError> {
    let stored = database.get(Table::Meta, keys::FRONTIER, "end of the log")?;
    let damaged = corrupt("end of the log");
    let frontier = match stored {
        Some(bytes) => Frontier::decode(&bytes).map_err(|error| damaged(&error))?,
        None => Frontier::default(),
    };
    let expected = tip.map_or((TreeSize(0), EMPTY_LOG_ROOT), |tip| {
        (tip.log_size, tip.log_root)
    });
    if (frontier.size(), frontier.root()) != expected {
        return Err(corrupt("end of the log")(&"it is not the tip's"));
    }
    Ok(frontier)
}

fn load_tip(
    database: &Database,
    height: Height,
    identity: &ChainIdentity,
) -> Result<Tip, StoreError> {
    read_checkpoint(height, |key| database.get(Table::Chain, key, "checkpoint"))?
        .map(|checkpoint| Tip::of(&checkpoint, identity))
        .ok_or_else(|| corrupt(format!("checkpoint {height}"))(&"the tip has none"))
}

/// The lowest height above genesis that is whole.
fn load_oldest_block(database: &Database) -> Result<Height, StoreError> {
    let what = "oldest block";
    let Some(bytes) = database.get(Table::Meta, keys::OLDEST_BLOCK, what)? else {
        return Ok(Height::GENESIS.next());
    };
    let height = bytes.try_into().map(u64::from_be_bytes);
    height
        .map(Height)
        .map_err(|_| corrupt(what)(&"it is no height"))
}
