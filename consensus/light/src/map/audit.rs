//! The roots of the map again, from the leaves of the log (SPEC §9.11).

use std::collections::{BTreeMap, VecDeque};

use tbsi_types::cursor::CursorError;
use tbsi_types::log::leaf::U24_MAX;
use tbsi_types::log::{Leaf, MapRoot, Statement};
use tbsi_types::map::update::UpdateMapError;
use tbsi_types::map::{
    MapChanges, MapPage, MapPath, MapState, PageReader, revoked_algorithms_hash,
};
use tbsi_types::{Address, Height, LeafIndex, TimestampMs, TreeSize};

/// Why the log has another root of the map than its leaves make, or has it elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum MapAuditError {
    /// A root that is not the first leaf of its block, or that somebody issued.
    #[error("leaf {0} is a root of the map where none can be")]
    Misplaced(LeafIndex),
    /// A period ended, or much waited, and the block tells no root.
    #[error("block {0} does not begin with a root of the map, and one is due")]
    Missing(Height),
    /// Nothing was said since the last one, or the period has not ended.
    #[error("block {0} begins with a root of the map, and none is due")]
    NotDue(Height),
    /// Another root, count, height or list of algorithms.
    #[error(
        "leaf {index} has root {} of the map, of {} entries, with digests up to block {}; the \
         leaves before it make root {}, of {} entries, with digests up to block {}",
        .got.root, .got.entries, .got.digest_height,
        .expected.root, .expected.entries, .expected.digest_height
    )]
    Differs {
        /// Of the root.
        index: LeafIndex,
        /// From the leaves.
        expected: Box<MapRoot>,
        /// In the leaf.
        got: Box<MapRoot>,
    },
    /// Ours: the map in memory cannot be read.
    #[error("the map that was made")]
    Map(#[from] UpdateMapError<CursorError>),
}

/// Makes the map from all leaves, in the order of the log, and holds each root against it. Holds
/// the whole map in memory, some hundred bytes for each entry.
///
/// One thing leaves do not tell: of two blocks without other leaves, of which the second tells a
/// root, whether the first was in the next period already.
#[derive(Debug)]
pub struct MapAudit {
    period_ms: u64,
    state: MapState,
    pages: Pages,
    /// Leaves from the first on whose digest is not in the map.
    waiting: VecDeque<(LeafIndex, Leaf)>,
    /// Leaves about ids, schemas and algorithms that are not.
    about: Vec<(LeafIndex, Leaf)>,
    block: Option<BlockLeaves>,
    /// Time of the last block that has leaves.
    before: Option<TimestampMs>,
    roots: u64,
}

/// The block whose leaves are being read.
#[derive(Debug)]
struct BlockLeaves {
    height: Height,
    time: TimestampMs,
    /// Leaves of the log before it.
    base: TreeSize,
    told: Option<(MapRoot, Leaf)>,
    leaves: Vec<(LeafIndex, Leaf)>,
}

impl MapAudit {
    /// Of an empty log; the period is that of the genesis file.
    pub fn new(period_ms: u64) -> Self {
        Self {
            period_ms,
            state: MapState::default(),
            pages: Pages::default(),
            waiting: VecDeque::new(),
            about: Vec::new(),
            block: None,
            before: None,
            roots: 0,
        }
    }

    /// Roots that were made again and are the same.
    pub fn roots(&self) -> u64 {
        self.roots
    }

    /// Takes the next leaf.
    pub fn take(&mut self, index: LeafIndex, leaf: &Leaf) -> Result<(), MapAuditError> {
        let height = leaf.head.height;
        if self.block.as_ref().is_none_or(|it| it.height != height) {
            self.end_block()?;
            self.block = Some(BlockLeaves {
                height,
                time: leaf.head.time,
                base: TreeSize(index.0),
                told: None,
                leaves: Vec::new(),
            });
        }
        let block = self.block.as_mut().expect("it was begun");
        let Statement::MapRoot(told) = leaf.statement else {
            block.leaves.push((index, *leaf));
            return Ok(());
        };
        let head = &leaf.head;
        let place = (head.transaction_index, head.ordinal, head.issuer);
        if index.0 != block.base.0 || place != (U24_MAX, 0, Address::ZERO) {
            return Err(MapAuditError::Misplaced(index));
        }
        block.told = Some((told, *leaf));
        Ok(())
    }

    /// Ends the last block of the log: what is known of it is all that there is.
    pub fn end_block(&mut self) -> Result<(), MapAuditError> {
        let Some(block) = self.block.take() else {
            return Ok(());
        };
        let due = self.before.is_some_and(|before| {
            let period = self.period_ms;
            self.state.is_due(block.base, before, block.time, period)
        });
        match (due, block.told) {
            (true, None) => return Err(MapAuditError::Missing(block.height)),
            (false, Some(_)) => return Err(MapAuditError::NotDue(block.height)),
            (false, None) => {}
            (true, Some((told, leaf))) => {
                self.compare(&block, told)?;
                // It is a leaf of the log, too, without a digest.
                self.waiting.push_back((LeafIndex(block.base.0), leaf));
            }
        }
        self.state.behind |= !block.leaves.is_empty();
        self.before = Some(block.time);
        for (index, leaf) in block.leaves {
            if is_about(&leaf.statement) {
                self.state.waiting += 1;
                self.about.push((index, leaf));
            }
            self.waiting.push_back((index, leaf));
        }
        Ok(())
    }

    fn compare(&mut self, block: &BlockLeaves, told: MapRoot) -> Result<(), MapAuditError> {
        let index = LeafIndex(block.base.0);
        let expected = self.make(block)?;
        if told != expected {
            return Err(MapAuditError::Differs {
                index,
                expected: Box::new(expected),
                got: Box::new(told),
            });
        }
        self.roots += 1;
        self.state.told = Some(index);
        self.state.behind = self.state.digests < block.base.0;
        Ok(())
    }

    /// The map with what waits and as many digests as the block may take.
    fn make(&mut self, block: &BlockLeaves) -> Result<MapRoot, MapAuditError> {
        let mut changes = MapChanges::default();
        for (index, leaf) in self.about.drain(..) {
            changes.take(index, &leaf);
            self.state.take_algorithm(&leaf);
        }
        let to = self.state.digests_to(block.base, block.leaves.len() as u64);
        while let Some((index, leaf)) = self.waiting.front() {
            if index.0 >= to {
                break;
            }
            if matches!(leaf.statement, Statement::Attestation(_)) {
                changes.take(*index, leaf);
            }
            self.waiting.pop_front();
        }
        let update = changes.apply(&self.pages)?;
        let before = |height: Height| height.previous().unwrap_or_default();
        let unseen = self.waiting.front();
        let digest_height = unseen.map_or(block.height, |(_, leaf)| leaf.head.height);
        let state = &mut self.state;
        state.root = update.root;
        state.entries += update.added;
        state.digests = to;
        state.waiting = 0;
        self.pages.extend(update.pages);
        Ok(MapRoot {
            root: self.state.root,
            entries: self.state.entries,
            height: before(block.height),
            digest_height: before(digest_height),
            revoked_algorithms: revoked_algorithms_hash(&self.state.revoked_algorithms),
        })
    }
}

/// Pages as they are stored.
#[derive(Debug, Default)]
struct Pages(BTreeMap<MapPath, Vec<u8>>);

impl Pages {
    fn extend(&mut self, pages: Vec<(MapPath, MapPage)>) {
        let pages = pages.into_iter();
        self.0
            .extend(pages.map(|(path, page)| (path, page.encode())));
    }
}

impl PageReader for Pages {
    type Error = CursorError;

    fn page(&self, path: &MapPath) -> Result<MapPage, CursorError> {
        let page = self.0.get(path);
        page.map_or_else(|| Ok(MapPage::default()), |bytes| MapPage::decode(bytes))
    }
}

/// Whether a leaf says something of an id, a schema or an algorithm.
fn is_about(statement: &Statement) -> bool {
    match statement {
        Statement::Revocation { .. }
        | Statement::Supersession { .. }
        | Statement::SchemaRegistered { .. }
        | Statement::AlgorithmSet { .. } => true,
        Statement::Attestation(_)
        | Statement::CountersigningOpened { .. }
        | Statement::Countersignature { .. }
        | Statement::MapRoot(_)
        | Statement::GovernanceAct { .. }
        | Statement::Message { .. }
        | Statement::ForeignFact(_) => false,
    }
}

#[cfg(test)]
mod tests;
