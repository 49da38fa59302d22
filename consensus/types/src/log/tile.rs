//! Tiles: the tree in pieces of 256 hashes, and the leaves in bundles of 256, as C2SP
//! tlog-tiles defines them (SPEC §9.5).

use std::cell::RefCell;
use std::fmt;

use alloy_primitives::B256;

use crate::cursor::{Cursor, CursorError};
use crate::log::leaf::LEAF_BYTES_MAX;
use crate::log::proof::NodeReader;
use crate::log::tree::{TreeNode, node_hash};
use crate::number::{LeafIndex, TreeSize};

/// Levels of the tree that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes of a full tile, and leaves of a full bundle.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// Bytes of a full tile.
pub const TILE_BYTES_MAX: usize = 32 * TILE_WIDTH as usize;

/// Bytes of a full bundle of entries.
pub const ENTRY_BUNDLE_BYTES_MAX: usize = (2 + LEAF_BYTES_MAX) * TILE_WIDTH as usize;

/// Levels of tiles of a tree of 2^64 - 1 leaves.
pub const TILE_LEVELS: u8 = 8;

/// Longest path: two elements and a level, seven of index, `.p/255`.
const PATH_BYTES_MAX: usize = 64;

/// Where a tile is: hashes `256 * index ..` of the nodes at tree level `8 * level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Level of tiles, below [`TILE_LEVELS`].
    pub level: u8,
    /// Position within the level, from 0.
    pub index: u64,
    /// Hashes in it, 1 to [`TILE_WIDTH`]; less than that is a partial tile.
    pub width: u16,
}

/// Where a bundle of entries is: it holds the leaves whose hashes the tile of level 0 with
/// the same index and width holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryBundle {
    /// Position, from 0.
    pub index: u64,
    /// Leaves in it, 1 to [`TILE_WIDTH`].
    pub width: u16,
}

/// Why a path or bytes are not a tile or bundle.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TileError {
    /// Not in the form of tlog-tiles.
    #[error(
        "not the path of a tile: `tile/<level>/<index>` or `tile/entries/<index>` with an index \
         like x001/x234/067, and `.p/<width>` if it is partial"
    )]
    Path,
    /// Another number of bytes than hashes need.
    #[error("tile has {got} bytes, {expected} are needed for its {width} hashes")]
    Bytes {
        /// Given.
        got: usize,
        /// For the width.
        expected: usize,
        /// Hashes of the tile.
        width: u16,
    },
    /// The tile does not reach this node.
    #[error("tile does not hold node {index} of level {level}", index = .0.index, level = .0.level)]
    Node(TreeNode),
    /// A bundle that is cut short or too long.
    #[error("entry bundle")]
    Entries(#[from] CursorError),
    /// A leaf that cannot be one.
    #[error("entry has {0} bytes, at most {LEAF_BYTES_MAX} are allowed")]
    Entry(usize),
}

impl Tile {
    /// The tile in which the hash of `node` is, or follows from the hashes, in a tree of
    /// `size` leaves; `None` if the node is not complete in it.
    pub fn of_node(node: TreeNode, size: TreeSize) -> Option<Self> {
        let level = node.level / TILE_HEIGHT;
        let above = node.level % TILE_HEIGHT;
        let last = node.index.checked_add(1)?.checked_mul(1 << above)? - 1;
        let count = size.0.checked_shr(tree_level(level))?;
        if last >= count {
            return None;
        }
        let index = last >> TILE_HEIGHT;
        Some(Self {
            level,
            index,
            width: width(count, index),
        })
    }

    /// The tiles that a tree has at `to` leaves and had not, or had narrower, at `from`; level
    /// by level.
    pub fn changed(from: TreeSize, to: TreeSize) -> impl Iterator<Item = Self> {
        (0..TILE_LEVELS).flat_map(move |level| {
            let old = from.0 >> tree_level(level);
            let new = to.0 >> tree_level(level);
            let first = old >> TILE_HEIGHT;
            let end = new.div_ceil(TILE_WIDTH.into());
            let indexes = if new > old { first..end } else { 0..0 };
            indexes.map(move |index| Self {
                level,
                index,
                width: width(new, index),
            })
        })
    }

    /// Whether it can still grow.
    pub fn is_partial(&self) -> bool {
        self.width < TILE_WIDTH
    }

    /// Path below the log's prefix, such as `tile/0/x001/234.p/7`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, position(self.index, self.width))
    }

    /// Accepts only what [`Tile::path`] writes.
    pub fn parse_path(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (level, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let (index, width) = parse_position(rest)?;
        let level = level.parse().map_err(|_| TileError::Path)?;
        let tile = Self {
            level,
            index,
            width,
        };
        // No tree reaches further; and there is one way to write each path.
        let reachable = level < TILE_LEVELS && tile.end().is_some();
        if reachable && tile.path() == path {
            Ok(tile)
        } else {
            Err(TileError::Path)
        }
    }

    /// One past the last leaf below the tile, at its full width; `None` past 2^64.
    fn end(&self) -> Option<u64> {
        let leaves = 1u64.checked_shl(tree_level(self.level))?;
        let first = self.index.checked_mul(TILE_WIDTH.into())?;
        first.checked_add(self.width.into())?.checked_mul(leaves)
    }

    /// The hash of `node`, which lies in this tile or in the seven tree levels above its
    /// hashes, from the tile's bytes. More bytes than the width needs may be given: a tile
    /// that has grown since.
    pub fn node_hash(&self, bytes: &[u8], node: TreeNode) -> Result<B256, TileError> {
        let expected = 32 * usize::from(self.width);
        let whole = bytes.len().is_multiple_of(32);
        if bytes.len() < expected || bytes.len() > TILE_BYTES_MAX || !whole {
            return Err(TileError::Bytes {
                got: bytes.len(),
                expected,
                width: self.width,
            });
        }
        let above = node.level % TILE_HEIGHT;
        let first = self.index.checked_mul(TILE_WIDTH.into());
        let start = node.index.checked_mul(1 << above);
        let start = start.and_then(|start| start.checked_sub(first?));
        let start = start.and_then(|start| usize::try_from(start).ok());
        let hashes = 1usize << above;
        let inside = |start: &usize| *start + hashes <= usize::from(self.width);
        match start.filter(inside) {
            Some(start) if node.level / TILE_HEIGHT == self.level => {
                Ok(fold(&bytes[32 * start..32 * (start + hashes)]))
            }
            _ => Err(TileError::Node(node)),
        }
    }
}

/// The root over 2^k hashes, 1 to 128 of them.
fn fold(hashes: &[u8]) -> B256 {
    if hashes.len() <= 32 {
        return B256::from_slice(hashes);
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    node_hash(&fold(left), &fold(right))
}

fn tree_level(tile_level: u8) -> u32 {
    u32::from(tile_level) * u32::from(TILE_HEIGHT)
}

/// Hashes of the tile `index` of a level that has `count`.
fn width(count: u64, index: u64) -> u16 {
    let rest = count.saturating_sub(index << TILE_HEIGHT);
    u16::try_from(rest.min(TILE_WIDTH.into())).expect("at most 256")
}

impl EntryBundle {
    /// The bundle with leaf `index` in a log of `size` leaves; `None` outside it.
    pub fn of_leaf(index: LeafIndex, size: TreeSize) -> Option<Self> {
        let (level, index) = (0, index.0);
        Tile::of_node(TreeNode { level, index }, size).map(Self::beside)
    }

    /// The bundle of the same leaves as a tile of level 0.
    fn beside(tile: Tile) -> Self {
        Self {
            index: tile.index,
            width: tile.width,
        }
    }

    /// The bundles that a log has at `to` leaves and had not, or had narrower, at `from`.
    pub fn changed(from: TreeSize, to: TreeSize) -> impl Iterator<Item = Self> {
        let tiles = Tile::changed(from, to).take_while(|tile| tile.level == 0);
        tiles.map(Self::beside)
    }

    /// Path below the log's prefix, such as `tile/entries/x001/234.p/7`.
    pub fn path(&self) -> String {
        format!("tile/entries/{}", position(self.index, self.width))
    }

    /// Accepts only what [`EntryBundle::path`] writes.
    pub fn parse_path(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/entries/").ok_or(TileError::Path)?;
        let (index, width) = parse_position(rest)?;
        let bundle = Self { index, width };
        let tile = Tile {
            level: 0,
            index,
            width,
        };
        if tile.end().is_some() && bundle.path() == path {
            Ok(bundle)
        } else {
            Err(TileError::Path)
        }
    }
}

/// Appends an entry to a bundle: its length (u16) and its bytes.
pub fn push_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(leaf.len()).ok();
    let length = length.filter(|length| usize::from(*length) <= LEAF_BYTES_MAX);
    let length = length.ok_or(TileError::Entry(leaf.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// The entries of a bundle, which must be `width` and no more.
pub fn entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut cursor = Cursor::new(bundle);
    let mut entries = Vec::with_capacity(width.min(TILE_WIDTH).into());
    for _ in 0..width {
        let length = usize::from(cursor.u16("entry length")?);
        if length > LEAF_BYTES_MAX {
            return Err(TileError::Entry(length));
        }
        entries.push(cursor.take("entry", length)?);
    }
    cursor.end()?;
    Ok(entries)
}

/// Index and width as the end of a path: `x001/x234/067.p/7`.
fn position(index: u64, width: u16) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH {
        path = format!("{path}.p/{width}");
    }
    path
}

/// Reads more than [`position`] writes; the caller compares.
fn parse_position(text: &str) -> Result<(u64, u16), TileError> {
    if text.len() > PATH_BYTES_MAX {
        return Err(TileError::Path);
    }
    let (index, width) = match text.split_once(".p/") {
        Some((index, width)) => (index, width.parse().map_err(|_| TileError::Path)?),
        None => (text, TILE_WIDTH),
    };
    if width == 0 || (width >= TILE_WIDTH && text.len() != index.len()) {
        return Err(TileError::Path);
    }
    let mut value = 0u64;
    for element in index.split('/') {
        let digits = element.strip_prefix('x').unwrap_or(element);
        let digits: u16 = digits.parse().map_err(|_| TileError::Path)?;
        value = value
            .checked_mul(1000)
            .and_then(|value| value.checked_add(digits.into()))
            .ok_or(TileError::Path)?;
    }
    Ok((value, width))
}

/// Where tiles come from: a store, or a folder served over HTTP.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The bytes of `tile`, or of the same one grown wider.
    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

/// A tile that was read, and its bytes.
type KeptTile = Option<(Tile, Vec<u8>)>;

/// Reads the nodes of a tree of one size from tiles. Keeps the last tile of each level, so a
/// proof asks for few tiles more than once.
#[derive(Debug)]
pub struct TileReader<'a, S> {
    source: &'a S,
    size: TreeSize,
    kept: RefCell<[KeptTile; TILE_LEVELS as usize]>,
}

/// Why a node cannot be read from tiles.
#[derive(Debug, thiserror::Error)]
pub enum ReadTileError<E: std::error::Error + Send + Sync + 'static> {
    /// The tree is too small to have it.
    #[error("node {index} of level {level} is not complete in a log of {size} leaves",
        index = node.index, level = node.level)]
    Outside {
        /// Which.
        node: TreeNode,
        /// Of the tree.
        size: TreeSize,
    },
    /// The tile could not be fetched.
    #[error("read tile {path}", path = tile.path())]
    Source {
        /// Which.
        tile: Tile,
        /// Why.
        #[source]
        source: E,
    },
    /// The tile is not one.
    #[error("tile {path}", path = tile.path())]
    Tile {
        /// Which.
        tile: Tile,
        /// What is wrong with it.
        #[source]
        source: TileError,
    },
}

impl<'a, S: TileSource> TileReader<'a, S> {
    /// Reads the tree of `size` leaves.
    pub fn new(source: &'a S, size: TreeSize) -> Self {
        Self {
            source,
            size,
            kept: RefCell::default(),
        }
    }
}

impl<S: TileSource> NodeReader for TileReader<'_, S> {
    type Error = ReadTileError<S::Error>;

    fn read(&self, node: TreeNode) -> Result<B256, Self::Error> {
        let size = self.size;
        let tile = Tile::of_node(node, size).ok_or(ReadTileError::Outside { node, size })?;
        let mut kept = self.kept.borrow_mut();
        let slot = &mut kept[usize::from(tile.level)];
        let known = slot.take().filter(|(of, _)| *of == tile);
        let bytes = match known {
            Some((_, bytes)) => bytes,
            None => self
                .source
                .tile(tile)
                .map_err(|source| ReadTileError::Source { tile, source })?,
        };
        let hash = tile
            .node_hash(&bytes, node)
            .map_err(|source| ReadTileError::Tile { tile, source })?;
        *slot = Some((tile, bytes));
        Ok(hash)
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

#[cfg(test)]
mod tests;
