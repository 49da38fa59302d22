//! Leaves of the log, and where they are by what they are looked up by.

use tbsi_types::log::tile::{self, TILE_WIDTH};
use tbsi_types::log::{EntryBundle, Found, Leaf, Lookup};
use tbsi_types::{LeafIndex, TreeSize};

use crate::database::Table;
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::POSITIONS_MAX;
use crate::store::Store;

impl Store {
    /// The bytes of a leaf; `None` if the log has fewer.
    pub fn leaf(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        self.leaves().read(index)
    }

    /// Positions of what `lookup` finds, at `from` and after: at most `limit`, and of as many
    /// entries of the index as are looked at, [`POSITIONS_MAX`]. The answer says whether there
    /// may be more.
    pub fn find(
        &self,
        lookup: &Lookup,
        from: LeafIndex,
        limit: usize,
    ) -> Result<Found, StoreError> {
        let mut leaves = self.leaves();
        let mut found = Found::default();
        let mut looked_at = 0;
        let (prefix, start) = (keys::lookup(lookup), keys::position(lookup, from.0));
        let view = self.database.snapshot();
        view.scan_from(Table::Position, &prefix, &start, "log index", |key, _| {
            let index = keys::position_of(key)
                .ok_or_else(|| corrupt("key of the log index")(&"it is shorter than a position"))?;
            if found.positions.len() == limit || looked_at == POSITIONS_MAX {
                found.next = Some(LeafIndex(index));
                return Ok(false);
            }
            looked_at += 1;
            // A later block may have come in between.
            let Some(bytes) = leaves.read(LeafIndex(index))? else {
                return Ok(false);
            };
            // The key holds only the beginning of a hash.
            let leaf = Leaf::decode(&bytes).map_err(|error| corrupt("leaf")(&error))?;
            if lookup.finds(&leaf) {
                found.positions.push(LeafIndex(index));
            }
            Ok(true)
        })?;
        Ok(found)
    }

    fn leaves(&self) -> Leaves<'_> {
        Leaves {
            store: self,
            size: self.tip().map(|tip| tip.log_size).unwrap_or_default(),
            bundle: None,
        }
    }
}

/// Reads leaves; keeps the last bundle, which often holds the next one too.
struct Leaves<'a> {
    store: &'a Store,
    size: TreeSize,
    bundle: Option<(EntryBundle, Vec<u8>)>,
}

impl Leaves<'_> {
    /// `None` if the log has fewer.
    fn read(&mut self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(bundle) = EntryBundle::of_leaf(index, self.size) else {
            return Ok(None);
        };
        let held = match self.bundle.take() {
            Some((held, bytes)) if held == bundle => bytes,
            Some(_) | None => {
                let stored = self.store.log_entries(bundle)?;
                stored.ok_or_else(|| corrupt("log entries")(&"they are missing"))?
            }
        };
        let (_, bytes) = self.bundle.insert((bundle, held));
        let damaged = corrupt("log entries");
        let entries = tile::entries(bytes, bundle.width).map_err(|error| damaged(&error))?;
        let place = usize::try_from(index.0 % u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
        Ok(entries.get(place).map(|leaf| leaf.to_vec()))
    }
}
