//! Tiles of the log in memory. Proofs are made from them as a node makes them from its disk;
//! what is missing is fetched and the proof made again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tbsi_types::log::{Tile, TileSource};

use crate::limits::TILES_KEPT_MAX;

/// A tile is not here yet; it is noted.
#[derive(Debug, thiserror::Error)]
#[error("tile {} is not here yet", .0.path())]
pub(crate) struct Missing(pub(crate) Tile);

/// Tiles that were fetched. Not believed: what is made of them is verified.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    kept: BTreeMap<Tile, Vec<u8>>,
    missing: RefCell<BTreeSet<Tile>>,
}

impl TileSource for Tiles {
    type Error = Missing;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Missing> {
        match self.kept.get(&tile) {
            Some(bytes) => Ok(bytes.clone()),
            None => {
                self.missing.borrow_mut().insert(tile);
                Err(Missing(tile))
            }
        }
    }
}

impl Tiles {
    /// Those that were asked for in vain since the last time.
    pub(crate) fn take_missing(&self) -> BTreeSet<Tile> {
        self.missing.take()
    }

    /// Keeps a tile, in the place of all others if there are too many.
    pub(crate) fn keep(&mut self, tile: Tile, bytes: Vec<u8>) {
        if self.kept.len() >= TILES_KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(tile, bytes);
    }

    /// Forgets all: one of them was wrong.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
