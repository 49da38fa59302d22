//! The attestation log: tiles, bundles of leaves, proofs (SPEC §9). What leaves are found by is in
//! `lookup`.
//!
//! A tile or bundle that is not full is stored under the key that it will have when full, and
//! written again when it grows: an older, narrower one is its beginning.

use std::collections::HashMap;
use std::sync::Mutex;

use alloy_primitives::B256;
use tbsi_types::log::tile::{self, TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH};
use tbsi_types::log::{
    AttestationIds, ConsistencyProof, EntryBundle, Frontier, InclusionProof, Leaf, LeafBatch,
    Lookup, NodeReader, Tile, TileReader, TileSource, TreeNode, leaf_hash,
};
use tbsi_types::{LeafIndex, TreeSize};

use crate::database::{Batch, Table};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::UPPER_NODES_MAX;
use crate::map::{LogPlace, MapWrite};
use crate::store::Store;

/// Leaves of a block, appended to the log of the tip.
#[derive(Clone, Debug)]
pub struct LogUpdate {
    base: TreeSize,
    pub(crate) frontier: Frontier,
    leaves: LeafBatch,
    /// What becomes of the map.
    pub(crate) map: MapWrite,
    /// New hashes of each level of tiles.
    hashes: [Vec<B256>; TILE_LEVELS as usize],
}

impl LogUpdate {
    /// Leaves in the log after the block.
    pub fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Root of the log after the block.
    pub fn root(&self) -> B256 {
        self.frontier.root()
    }

    /// Leaves in the log before the block.
    pub fn base(&self) -> TreeSize {
        self.base
    }

    /// What the block adds.
    pub fn leaves(&self) -> &LeafBatch {
        &self.leaves
    }
}

impl Store {
    /// The log after the block at `place`, whose receipts make `leaves`: these are appended to
    /// that of the tip, after the map's root if one is due (SPEC §9.11). Writes nothing.
    pub fn log_update(
        &self,
        place: &LogPlace,
        mut leaves: LeafBatch,
    ) -> Result<LogUpdate, StoreError> {
        let mut frontier = self.frontier();
        let base = frontier.size();
        let map = self.map_update(place, base, &mut leaves)?;
        let mut hashes: [Vec<B256>; TILE_LEVELS as usize] = Default::default();
        hashes[0].reserve_exact(leaves.count());
        for leaf in leaves.iter() {
            frontier.append(leaf_hash(leaf), |node, hash| {
                if node.level.is_multiple_of(TILE_HEIGHT) {
                    hashes[usize::from(node.level / TILE_HEIGHT)].push(hash);
                }
            });
        }
        Ok(LogUpdate {
            base,
            frontier,
            leaves,
            map,
            hashes,
        })
    }

    /// The tile's hashes, 32 bytes each: at least as many as its width, more if it has grown
    /// since. `None` if the log does not reach it.
    pub fn log_tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::tile(tile.level, tile.index);
        let stored = self.database.get(Table::Log, &key, "log tile")?;
        Ok(stored.filter(|bytes| bytes.len() >= 32 * usize::from(tile.width)))
    }

    /// The bundle's leaves, each after its length (u16), exactly as many as its width. `None`
    /// if the log does not reach it.
    pub fn log_entries(&self, bundle: EntryBundle) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::entries(bundle.index);
        let Some(mut bytes) = self.database.get(Table::Log, &key, "log entries")? else {
            return Ok(None);
        };
        let mut end = 0;
        for _ in 0..bundle.width {
            let Some(length) = bytes.get(end..end + 2) else {
                return Ok(None);
            };
            end += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        }
        bytes.truncate(end);
        Ok(Some(bytes))
    }

    /// Proves that leaf `index` is in the log of `size` leaves.
    pub fn prove_inclusion(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<InclusionProof, StoreError> {
        self.check_log_size(size)?;
        let tiles = Tiles(self);
        let reader = UpperNodes::of(self, TileReader::new(&tiles, size));
        InclusionProof::make(&reader, index, size).map_err(proof_error)
    }

    /// Proves that the log of `first` leaves is the beginning of that of `second`.
    pub fn prove_consistency(
        &self,
        first: TreeSize,
        second: TreeSize,
    ) -> Result<ConsistencyProof, StoreError> {
        self.check_log_size(second)?;
        let tiles = Tiles(self);
        let reader = UpperNodes::of(self, TileReader::new(&tiles, second));
        ConsistencyProof::make(&reader, first, second).map_err(proof_error)
    }

    fn check_log_size(&self, size: TreeSize) -> Result<(), StoreError> {
        let log = self.tip().map(|tip| tip.log_size).unwrap_or_default();
        if size > log {
            return Err(StoreError::LogSize { size, log });
        }
        Ok(())
    }

    /// Adds the update to the block's write.
    pub(crate) fn write_log(
        &self,
        batch: &mut Batch<'_>,
        update: &LogUpdate,
    ) -> Result<(), StoreError> {
        batch.put(Table::Meta, keys::FRONTIER, &update.frontier.encode());
        for (level, hashes) in (0..TILE_LEVELS).zip(&update.hashes) {
            let first = update.base.0 >> (u32::from(level) * u32::from(TILE_HEIGHT));
            let key = |index| keys::tile(level, index);
            self.extend(batch, first, hashes, key, |bytes, hash| {
                bytes.extend_from_slice(hash.as_slice());
                Ok(())
            })?;
        }
        let leaves: Vec<&[u8]> = update.leaves.iter().collect();
        self.extend(
            batch,
            update.base.0,
            &leaves,
            keys::entries,
            |bytes, leaf| tile::push_entry(bytes, leaf).map_err(|error| corrupt("leaf")(&error)),
        )?;
        let mut positions = Vec::with_capacity(2 * leaves.len());
        let mut ids = AttestationIds::default();
        for (index, bytes) in (update.base.0..).zip(&leaves) {
            let leaf = Leaf::decode(bytes).map_err(|error| corrupt("leaf")(&error))?;
            let lookups = Lookup::of(&leaf, &mut ids);
            let lookups = lookups.iter().flatten();
            positions.extend(lookups.map(|lookup| keys::position(lookup, index)));
        }
        // Neighbours in turn find their place in memory faster.
        positions.sort_unstable();
        for key in &positions {
            batch.put(Table::Position, key, &[]);
        }
        Ok(())
    }

    /// Appends items, the first of which has position `first`, to values of 256 items each.
    fn extend<T>(
        &self,
        batch: &mut Batch<'_>,
        first: u64,
        items: &[T],
        key: impl Fn(u64) -> Vec<u8>,
        push: impl Fn(&mut Vec<u8>, &T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let width = u64::from(TILE_WIDTH);
        let mut bytes = Vec::new();
        let partial = !first.is_multiple_of(width) && !items.is_empty();
        if partial {
            let stored = self.database.get(Table::Log, &key(first / width), "log")?;
            bytes = stored.ok_or_else(|| corrupt("end of the log")(&"it is missing"))?;
        }
        for (position, item) in (first..).zip(items) {
            push(&mut bytes, item)?;
            if (position + 1).is_multiple_of(width) {
                batch.put(Table::Log, &key(position / width), &bytes);
                bytes.clear();
            }
        }
        if !bytes.is_empty() {
            let last = first + items.len() as u64 - 1;
            batch.put(Table::Log, &key(last / width), &bytes);
        }
        Ok(())
    }
}

/// Tiles as proofs read them.
struct Tiles<'a>(&'a Store);

impl TileSource for Tiles<'_> {
    type Error = StoreError;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, StoreError> {
        let found = self.0.log_tile(tile)?;
        found.ok_or_else(|| corrupt(tile.path())(&"it is missing"))
    }
}

/// Remembers the nodes above the lowest tiles: many proofs need the same few, and a perfect
/// subtree never changes.
struct UpperNodes<'a> {
    known: &'a Mutex<HashMap<TreeNode, B256>>,
    reader: TileReader<'a, Tiles<'a>>,
}

impl<'a> UpperNodes<'a> {
    fn of(store: &'a Store, reader: TileReader<'a, Tiles<'a>>) -> Self {
        let known = &store.upper_nodes;
        Self { known, reader }
    }
}

impl NodeReader for UpperNodes<'_> {
    type Error = <TileReader<'static, Tiles<'static>> as NodeReader>::Error;

    fn read(&self, node: TreeNode) -> Result<B256, Self::Error> {
        if node.level < TILE_HEIGHT {
            return self.reader.read(node);
        }
        let known = || self.known.lock().expect("nobody panics while holding it");
        if let Some(hash) = known().get(&node) {
            return Ok(*hash);
        }
        let hash = self.reader.read(node)?;
        let mut known = known();
        if known.len() >= UPPER_NODES_MAX {
            known.clear();
        }
        known.insert(node, hash);
        Ok(hash)
    }
}

fn proof_error(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Proof(Box::new(error))
}
