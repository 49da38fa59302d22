//! The tree of a signed root, read from a source: each tile is compared with the hash above it,
//! from the root down, before anything is made of it.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use tbsi_types::TreeSize;
use tbsi_types::log::proof::root_at;
use tbsi_types::log::tile::{TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, entries};
use tbsi_types::log::{EntryBundle, Frontier, Tile, TileReader, TileSource, TreeNode, leaf_hash};

use crate::alarm::Alarm;
use crate::limits::TILES_KEPT_MAX;
use crate::said::{causes, said};
use crate::source::LogSource;

/// A bundle of leaves of the signed log.
#[derive(Clone, Debug)]
pub(crate) struct SignedBundle {
    pub(crate) bundle: EntryBundle,
    /// As they are served.
    pub(crate) bytes: Vec<u8>,
}

/// The tree with a root that a quorum signed.
pub(crate) struct SignedTree<'a> {
    source: &'a LogSource,
    size: TreeSize,
    /// Those that can still grow, of each level; the root follows from them.
    edges: BTreeMap<Tile, Vec<u8>>,
    /// Full ones.
    full: BTreeMap<Tile, Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
#[error("tile {} is no part of the tree's edge", .0.path())]
struct NotAtEdge(Tile);

struct Edges<'a>(&'a BTreeMap<Tile, Vec<u8>>);

impl TileSource for Edges<'_> {
    type Error = NotAtEdge;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, NotAtEdge> {
        self.0.get(&tile).cloned().ok_or(NotAtEdge(tile))
    }
}

/// Root over all hashes of a full tile.
fn root_of(hashes: impl Iterator<Item = B256>) -> B256 {
    let mut frontier = Frontier::default();
    for hash in hashes {
        frontier.append(hash, |_, _| ());
    }
    frontier.root()
}

fn hashes(tile: &[u8]) -> impl Iterator<Item = B256> {
    tile.chunks_exact(32).map(B256::from_slice)
}

impl<'a> SignedTree<'a> {
    /// Reads the edge of the tree, which must lead to `root`.
    pub(crate) async fn open(
        source: &'a LogSource,
        size: TreeSize,
        root: B256,
    ) -> Result<Self, Alarm> {
        let mut edges = BTreeMap::new();
        for level in 0..TILE_LEVELS {
            let count = size
                .0
                .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT));
            let count = count.unwrap_or(0);
            let width = u16::try_from(count % u64::from(TILE_WIDTH)).expect("below 256");
            if width > 0 {
                let index = count / u64::from(TILE_WIDTH);
                let tile = Tile {
                    level,
                    index,
                    width,
                };
                edges.insert(tile, source.tile(tile).await?);
            }
        }
        let computed = root_at(&TileReader::new(&Edges(&edges), size), size);
        let computed = computed.map_err(|error| source.wrong(&error))?;
        if computed != root {
            return Err(source.wrong_tile(&said(
                format!("its tiles of {size} leaves lead to root {computed}, {root} is signed"),
                format!("其 {size} 筆的雜湊磚導出根雜湊 {computed}，簽署的是 {root}"),
            )));
        }
        Ok(Self {
            source,
            size,
            edges,
            full: BTreeMap::new(),
        })
    }

    /// The hash of a perfect subtree.
    pub(crate) async fn node(&mut self, node: TreeNode) -> Result<B256, Alarm> {
        let outside = || {
            let TreeNode { level, index } = node;
            self.source.gap(&said(
                format!("node {index} of level {level} is outside its log"),
                format!("第 {level} 層第 {index} 個節點不在其日誌內"),
            ))
        };
        let tile = Tile::of_node(node, self.size).ok_or_else(outside)?;
        let bytes = self.tile(tile).await?;
        let hash = tile.node_hash(&bytes, node);
        hash.map_err(|error| self.source.wrong(&error))
    }

    /// A tile: one at the edge, or a full one that has the hash above it.
    async fn tile(&mut self, wanted: Tile) -> Result<Vec<u8>, Alarm> {
        if let Some(bytes) = self.edges.get(&wanted).or_else(|| self.full.get(&wanted)) {
            return Ok(bytes.clone());
        }
        // Up to the first that is known, then down again.
        let mut missing = vec![wanted];
        let mut known = loop {
            let top = missing.last().expect("there is the wanted one");
            let above = self.above(*top)?;
            let kept = self.edges.get(&above).or_else(|| self.full.get(&above));
            if let Some(bytes) = kept {
                break (above, bytes.clone());
            }
            missing.push(above);
        };
        while let Some(tile) = missing.pop() {
            let bytes = self.source.tile(tile).await?;
            let expected = known.0.node_hash(&known.1, over(tile));
            let expected = expected.map_err(|error| self.source.wrong(&error))?;
            if root_of(hashes(&bytes)) != expected {
                let path = tile.path();
                return Err(self.source.wrong_tile(&said(
                    format!("{path} does not have the hash {expected} that is above it"),
                    format!("{path} 與上層雜湊 {expected} 不符"),
                )));
            }
            if self.full.len() >= TILES_KEPT_MAX {
                self.full.clear();
            }
            self.full.insert(tile, bytes.clone());
            known = (tile, bytes);
        }
        Ok(known.1)
    }

    /// The tile with the hash of a full tile.
    fn above(&self, tile: Tile) -> Result<Tile, Alarm> {
        let found = Tile::of_node(over(tile), self.size);
        found.ok_or_else(|| {
            let path = tile.path();
            self.source.gap(&said(
                format!("{path} is outside its log"),
                format!("{path} 不在其日誌內"),
            ))
        })
    }

    /// Compares a bundle with the tree: every leaf is the one that was signed.
    pub(crate) async fn check(
        &mut self,
        bundle: EntryBundle,
        bytes: Vec<u8>,
    ) -> Result<SignedBundle, Alarm> {
        let path = bundle.path();
        let leaves = entries(&bytes, bundle.width).map_err(|error| {
            let words = causes(&error);
            self.source.gap(&said(
                format!("{path} is cut short or too long: {words}"),
                format!("{path} 被截斷或過長：{words}"),
            ))
        })?;
        let hashes = leaves.iter().map(|leaf| leaf_hash(leaf));
        let same = if bundle.width == TILE_WIDTH {
            let index = bundle.index;
            let level = TILE_HEIGHT;
            let root = root_of(hashes);
            self.node(TreeNode { level, index }).await? == root
        } else {
            let tile = Tile {
                level: 0,
                index: bundle.index,
                width: bundle.width,
            };
            let signed = self.tile(tile).await?;
            signed == hashes.flat_map(|hash| hash.0).collect::<Vec<u8>>()
        };
        if !same {
            return Err(self.source.wrong_tile(&said(
                format!("leaves of {path} are not those of the signed root"),
                format!("{path} 的條目不屬於已簽署的根雜湊"),
            )));
        }
        Ok(SignedBundle { bundle, bytes })
    }
}

/// The root of a full tile, as a node.
fn over(tile: Tile) -> TreeNode {
    TreeNode {
        level: (tile.level + 1) * TILE_HEIGHT,
        index: tile.index,
    }
}

/// The perfect subtrees of a tree of `size` leaves, largest first.
pub(crate) fn peaks(size: TreeSize) -> Vec<TreeNode> {
    let mut nodes = Vec::new();
    let mut end = size.0;
    while end > 0 {
        let level = u8::try_from(end.trailing_zeros()).expect("a u64 has 64 bits");
        let index = (end >> level) - 1;
        nodes.push(TreeNode { level, index });
        end &= end - 1;
    }
    nodes.reverse();
    nodes
}
