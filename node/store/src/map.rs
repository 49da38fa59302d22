//! The map of what is current (SPEC §9.11): its pages, what waits for it, answers from it.
//!
//! The pages are those of the root that the log told last: between two roots nothing of the map
//! changes, so that answers need no older pages.

use tbsi_types::log::leaf::U24_MAX;
use tbsi_types::log::tile::{self, TILE_WIDTH};
use tbsi_types::log::{EntryBundle, Leaf, LeafBatch, LeafHead, MapRoot, Statement};
use tbsi_types::map::update::UpdateMapError;
use tbsi_types::map::{
    MapAnswer, MapChanges, MapQuestion, MapState, is_about, revoked_algorithms_hash,
};
use tbsi_types::{Address, Height, LeafIndex, TimestampMs, TreeSize};

use crate::database::{Batch, Table};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::pages::{Pages, decode_state, waiting};
use crate::store::Store;

/// The block that a log update is of.
#[derive(Clone, Copy, Debug)]
pub struct LogPlace {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: TimestampMs,
    /// Length of a period of the map, of genesis.
    pub map_period_ms: u64,
}

/// What becomes of the map with a block.
#[derive(Clone, Debug)]
pub(crate) struct MapWrite {
    pub(crate) state: MapState,
    /// Keys and values of pages that are different.
    pages: Vec<(Vec<u8>, Vec<u8>)>,
    /// What waited and is in the map now.
    taken: Vec<LeafIndex>,
    /// What waits from now on.
    waits: Vec<LeafIndex>,
}

impl MapWrite {
    /// Adds it to the block's write.
    pub(crate) fn write(&self, batch: &mut Batch<'_>) {
        batch.put(Table::Meta, keys::MAP, &self.state.encode());
        for (key, page) in &self.pages {
            batch.put(Table::Map, key, page);
        }
        for index in &self.taken {
            batch.delete(Table::Map, &keys::map_waiting(*index));
        }
        for index in &self.waits {
            batch.put(Table::Map, &keys::map_waiting(*index), &[]);
        }
    }
}

/// Answers as of the root that the log told last.
#[derive(Clone, Debug)]
pub struct MapAnswers {
    /// The leaf that told it.
    pub root: LeafIndex,
    /// Algorithms that counted for nothing, ascending.
    pub revoked_algorithms: Vec<u32>,
    /// One for each question.
    pub answers: Vec<MapAnswer>,
}

impl Store {
    /// What the map says; `None` if the log has told no root yet.
    pub fn map_answers(&self, questions: &[MapQuestion]) -> Result<Option<MapAnswers>, StoreError> {
        let view = self.database.snapshot();
        let stored = view.get(Table::Meta, keys::MAP, "state of the map")?;
        let state = decode_state(stored)?;
        let Some(root) = state.told else {
            return Ok(None);
        };
        // A block that the view has seen is the tip when its commit is over.
        if self.tip().is_none_or(|tip| tip.log_size.0 <= root.0) {
            drop(self.writer());
        }
        let pages = Pages(&view);
        let answers = questions.iter();
        let answers = answers.map(|question| MapAnswer::make(&pages, &question.key()));
        Ok(Some(MapAnswers {
            root,
            revoked_algorithms: state.revoked_algorithms.into_iter().collect(),
            answers: answers.collect::<Result<_, _>>()?,
        }))
    }

    /// Whether so much waits for the map that blocks should not wait for transactions.
    pub fn is_map_crowded(&self) -> bool {
        let size = self.tip().map(|tip| tip.log_size).unwrap_or_default();
        self.map_state().is_crowded(size)
    }

    /// Leaves whose digests are not in the map.
    pub fn map_waiting(&self) -> u64 {
        let size = self.tip().map(|tip| tip.log_size).unwrap_or_default();
        size.0.saturating_sub(self.map_state().digests)
    }

    pub(crate) fn map_state(&self) -> MapState {
        let state = self.map.read();
        state
            .expect("nobody panics while writing the map's state")
            .clone()
    }

    pub(crate) fn set_map_state(&self, state: MapState) {
        *self
            .map
            .write()
            .expect("nobody panics while writing the map's state") = state;
    }

    /// What becomes of the map with the block at `place`, on a log of `size` leaves. Puts the
    /// map's root before the block's other leaves, if it is due.
    pub(crate) fn map_update(
        &self,
        place: &LogPlace,
        size: TreeSize,
        leaves: &mut LeafBatch,
    ) -> Result<MapWrite, StoreError> {
        let own = leaves.count() as u64;
        let mut write = MapWrite {
            state: self.map_state(),
            pages: Vec::new(),
            taken: Vec::new(),
            waits: Vec::new(),
        };
        let before = self.tip().map(|tip| tip.time);
        let due = before.is_some_and(|before| {
            let period = place.map_period_ms;
            write.state.is_due(size, before, place.time, period)
        });
        let mut first = size.0;
        let numbered = leaves.iter();
        if due {
            first += 1;
        }
        let about = (first..).zip(numbered).filter(|(_, leaf)| is_about(leaf));
        let waits: Vec<_> = about.map(|(index, _)| LeafIndex(index)).collect();
        if due {
            let root = self.take_into_map(&mut write, place, size, own)?;
            leaves.prepend(&self.root_leaf(place, root)?);
            write.state.told = Some(LeafIndex(size.0));
            write.state.behind = write.state.digests < size.0;
        }
        write.state.behind |= own > 0;
        write.state.waiting += waits.len() as u64;
        write.waits = waits;
        Ok(write)
    }

    /// Puts into the map what waits, and as many digests as the block may.
    fn take_into_map(
        &self,
        write: &mut MapWrite,
        place: &LogPlace,
        size: TreeSize,
        own: u64,
    ) -> Result<MapRoot, StoreError> {
        let view = self.database.snapshot();
        let mut changes = MapChanges::default();
        write.taken = waiting(&view)?;
        for index in &write.taken {
            let leaf = self.log_leaf(*index)?;
            changes.take(*index, &leaf);
            write.state.take_algorithm(&leaf);
        }
        let from = write.state.digests;
        let to = write.state.digests_to(size, own);
        self.each_leaf(from, to, size, |index, leaf| {
            if matches!(leaf.statement, Statement::Attestation(_)) {
                changes.take(index, leaf);
            }
        })?;
        let update = changes.apply(&Pages(&view)).map_err(update_error)?;
        let before = place.height.previous().unwrap_or_default();
        let digest_height = if to == size.0 {
            before
        } else {
            let height = self.log_leaf(LeafIndex(to))?.head.height;
            height.previous().unwrap_or_default()
        };
        let state = &mut write.state;
        state.root = update.root;
        state.entries += update.added;
        state.digests = to;
        state.waiting = 0;
        let pages = update.pages.iter();
        let encoded = pages.map(|(path, page)| (keys::map_page(path), page.encode()));
        write.pages = encoded.collect();
        Ok(MapRoot {
            root: state.root,
            entries: state.entries,
            height: before,
            digest_height,
            revoked_algorithms: revoked_algorithms_hash(&state.revoked_algorithms),
        })
    }

    fn root_leaf(&self, place: &LogPlace, root: MapRoot) -> Result<Vec<u8>, StoreError> {
        let leaf = Leaf {
            head: LeafHead {
                chain_id: self.identity.chain_id,
                height: place.height,
                time: place.time,
                transaction_index: U24_MAX,
                ordinal: 0,
                issuer: Address::ZERO,
            },
            statement: Statement::MapRoot(root),
        };
        leaf.encode().map_err(StoreError::Leaf)
    }

    fn log_leaf(&self, index: LeafIndex) -> Result<Leaf, StoreError> {
        let bytes = self.leaf(index)?;
        let bytes = bytes.ok_or_else(|| corrupt(format!("leaf {index}"))(&"it is missing"))?;
        Leaf::decode(&bytes).map_err(|error| corrupt(format!("leaf {index}"))(&error))
    }

    /// Visits the leaves at `from` and below `to`, which is at most `size`.
    fn each_leaf(
        &self,
        from: u64,
        to: u64,
        size: TreeSize,
        mut visit: impl FnMut(LeafIndex, &Leaf),
    ) -> Result<(), StoreError> {
        let width = u64::from(TILE_WIDTH);
        let mut next = from;
        while next < to {
            let missing = || corrupt("log entries")(&"they are missing");
            let bundle = EntryBundle::of_leaf(LeafIndex(next), size);
            let bundle = bundle.ok_or_else(missing)?;
            let bytes = self.log_entries(bundle)?.ok_or_else(missing)?;
            let entries = tile::entries(&bytes, bundle.width);
            let entries = entries.map_err(|error| corrupt("log entries")(&error))?;
            for (index, bytes) in (bundle.index * width..).zip(entries) {
                if (from..to).contains(&index) {
                    let leaf = Leaf::decode(bytes);
                    let leaf = leaf.map_err(|error| corrupt(format!("leaf {index}"))(&error))?;
                    visit(LeafIndex(index), &leaf);
                }
            }
            next = (bundle.index + 1) * width;
        }
        Ok(())
    }
}

fn update_error(error: UpdateMapError<StoreError>) -> StoreError {
    match error {
        UpdateMapError::Read(source) => source,
        UpdateMapError::Entry { key, source } => {
            corrupt(format!("entry {key} of the map"))(&source)
        }
    }
}
