use std::collections::BTreeMap;

use super::*;
use crate::log::proof::{ConsistencyProof, InclusionProof, root_at};
use crate::log::tree::{Frontier, leaf_hash};

fn tile(level: u8, index: u64, width: u16) -> Tile {
    Tile {
        level,
        index,
        width,
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let check = |tile: Tile, path: &str| {
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::parse_path(path), Ok(tile));
    };
    check(tile(0, 1_234_067, 256), "tile/0/x001/x234/067");
    check(tile(0, 0, 1), "tile/0/000.p/1");
    check(tile(1, 999, 255), "tile/1/999.p/255");
    check(tile(2, 1000, 256), "tile/2/x001/000");
    check(tile(3, 123_456, 7), "tile/3/x123/456.p/7");
    let bundle = EntryBundle {
        index: 1_234_067,
        width: 9,
    };
    assert_eq!(bundle.path(), "tile/entries/x001/x234/067.p/9");
    assert_eq!(EntryBundle::parse_path(&bundle.path()), Ok(bundle));
}

#[test]
fn refuses_other_ways_to_write_a_path() {
    let long = format!("tile/0/{}001", "x001/".repeat(20));
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/8/000",
        "tile/63/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/+01",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/7/001",
        "tile/0/x018/x446/x744/x073/x709/x551/615",
        "/tile/0/000",
        "tile/0/000 ",
        "tile/entries/000",
        &long,
    ] {
        assert_eq!(Tile::parse_path(path), Err(TileError::Path), "{path}");
    }
    for path in [
        "tile/entries/",
        "tile/0/000",
        "tile/entries/x000/001",
        "tile/entries/1",
    ] {
        assert_eq!(
            EntryBundle::parse_path(path),
            Err(TileError::Path),
            "{path}"
        );
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
    let tiles: Vec<_> = Tile::changed(TreeSize(0), TreeSize(70_000)).collect();
    let count = |level| tiles.iter().filter(|tile| tile.level == level).count();
    assert_eq!((count(0), count(1), count(2), count(3)), (274, 2, 1, 0));
    assert_eq!(tiles[273], tile(0, 273, 112));
    assert_eq!(
        tiles[274..],
        [tile(1, 0, 256), tile(1, 1, 17), tile(2, 0, 1)]
    );
    let at_256: Vec<_> = Tile::changed(TreeSize(0), TreeSize(256)).collect();
    assert_eq!(at_256, [tile(0, 0, 256), tile(1, 0, 1)]);
}

#[test]
fn growth_changes_only_the_right_edge() {
    let changed = |from, to| -> Vec<_> { Tile::changed(TreeSize(from), TreeSize(to)).collect() };
    assert_eq!(changed(5, 5), []);
    assert_eq!(changed(9, 5), []);
    assert_eq!(changed(255, 256), [tile(0, 0, 256), tile(1, 0, 1)]);
    assert_eq!(changed(256, 257), [tile(0, 1, 1)]);
    assert_eq!(
        changed(65_535, 65_537),
        [
            tile(0, 255, 256),
            tile(0, 256, 1),
            tile(1, 0, 256),
            tile(2, 0, 1)
        ]
    );
    assert_eq!(changed(u64::MAX - 1, u64::MAX).len(), 1);
    let bundles: Vec<_> = EntryBundle::changed(TreeSize(255), TreeSize(258)).collect();
    let bundle = |index, width| EntryBundle { index, width };
    assert_eq!(bundles, [bundle(0, 256), bundle(1, 2)]);
    assert_eq!(
        EntryBundle::of_leaf(LeafIndex(257), TreeSize(258)),
        Some(bundle(1, 2))
    );
    assert_eq!(EntryBundle::of_leaf(LeafIndex(258), TreeSize(258)), None);
}

/// A log as a static server has it: every tile that any growth asked for, at its last width.
#[derive(Default)]
struct Folder(BTreeMap<(u8, u64), Vec<u8>>);

#[derive(Debug, thiserror::Error)]
#[error("no such tile")]
struct Missing;

impl TileSource for Folder {
    type Error = Missing;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Missing> {
        self.0
            .get(&(tile.level, tile.index))
            .cloned()
            .ok_or(Missing)
    }
}

#[test]
fn proofs_from_tiles_are_the_proofs_of_the_tree() {
    let (mut folder, mut frontier, mut roots) = (Folder::default(), Frontier::default(), vec![]);
    for index in 0..66_000u64 {
        roots.push(frontier.root());
        frontier.append(leaf_hash(&index.to_be_bytes()), |node, hash| {
            if node.level % TILE_HEIGHT == 0 {
                let key = (node.level / TILE_HEIGHT, node.index >> TILE_HEIGHT);
                folder
                    .0
                    .entry(key)
                    .or_default()
                    .extend_from_slice(hash.as_slice());
            }
        });
    }
    roots.push(frontier.root());
    let all: Vec<_> = Tile::changed(TreeSize(0), TreeSize(66_000)).collect();
    assert_eq!(all.len(), folder.0.len());
    for tile in all {
        assert_eq!(
            folder.tile(tile).unwrap().len(),
            32 * usize::from(tile.width),
            "{tile}"
        );
    }
    for size in [
        1u64, 2, 255, 256, 257, 511, 4096, 65_535, 65_536, 65_537, 66_000,
    ] {
        let reader = TileReader::new(&folder, TreeSize(size));
        let root = roots[usize::try_from(size).unwrap()];
        assert_eq!(root_at(&reader, TreeSize(size)).unwrap(), root);
        for index in [0, size / 2, size - 1] {
            let leaf = leaf_hash(&index.to_be_bytes());
            let (at, of) = (LeafIndex(index), TreeSize(size));
            let proof = InclusionProof::make(&reader, at, of).unwrap();
            assert_eq!(proof.root(leaf, at, of), Ok(root), "{index} of {size}");
            let first = TreeSize(index + 1);
            let old = roots[usize::try_from(index + 1).unwrap()];
            let proof = ConsistencyProof::make(&reader, first, of).unwrap();
            assert_eq!(proof.roots(first, of, old), Ok((old, root)));
        }
    }
    let small = TileReader::new(&folder, TreeSize(10));
    let outside = small.read(TreeNode { level: 1, index: 5 }).unwrap_err();
    assert!(matches!(outside, ReadTileError::Outside { .. }));
}

/// Counts what is asked of a folder.
struct Counted(Folder, std::cell::Cell<usize>);

impl TileSource for Counted {
    type Error = Missing;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Missing> {
        self.1.set(self.1.get() + 1);
        self.0.tile(tile)
    }
}

#[test]
fn a_proof_asks_for_few_tiles() {
    let (mut folder, mut frontier) = (Folder::default(), Frontier::default());
    for index in 0..1_000u64 {
        frontier.append(leaf_hash(&index.to_be_bytes()), |node, hash| {
            if node.level % TILE_HEIGHT == 0 {
                let key = (node.level / TILE_HEIGHT, node.index >> TILE_HEIGHT);
                folder
                    .0
                    .entry(key)
                    .or_default()
                    .extend_from_slice(hash.as_slice());
            }
        });
    }
    let source = Counted(folder, std::cell::Cell::new(0));
    let size = TreeSize(1_000);
    let reader = TileReader::new(&source, size);
    let proof = InclusionProof::make(&reader, LeafIndex(77), size).unwrap();
    assert_eq!(
        (proof.0.len(), source.1.get()),
        (10, 3),
        "own tile, last tile, level 1"
    );
    let nothing = TileReader::new(&source, TreeSize(2_000));
    let missing = InclusionProof::make(&nothing, LeafIndex(1_999), TreeSize(2_000));
    let missing = missing.unwrap_err().to_string();
    assert!(missing.contains("read node"), "{missing}");
}

#[test]
fn refuses_bytes_that_are_no_tile() {
    let (level, index) = (0, 3);
    let node = TreeNode { level, index };
    let four = tile(0, 0, 4);
    let bytes = [7; 160];
    assert_eq!(
        four.node_hash(&bytes[..128], node),
        Ok(B256::repeat_byte(7))
    );
    assert_eq!(
        four.node_hash(&bytes, node),
        Ok(B256::repeat_byte(7)),
        "grown"
    );
    for length in [0, 96, 127, 129, TILE_BYTES_MAX + 32] {
        let got = vec![7; length];
        assert!(matches!(
            four.node_hash(&got, node),
            Err(TileError::Bytes { .. })
        ));
    }
    for (level, index) in [(0, 4), (1, 2), (2, 1), (8, 0), (0, 1 << 63), (7, u64::MAX)] {
        let node = TreeNode { level, index };
        assert_eq!(four.node_hash(&bytes, node), Err(TileError::Node(node)));
    }
}

#[test]
fn bundles_hold_entries_with_their_lengths() {
    let mut bundle = Vec::new();
    for leaf in [b"one".as_slice(), b"", b"three"] {
        push_entry(&mut bundle, leaf).unwrap();
    }
    assert_eq!(bundle, b"\0\x03one\0\0\0\x05three");
    assert_eq!(
        entries(&bundle, 3).unwrap(),
        [b"one".as_slice(), b"", b"three"]
    );
    assert!(entries(&bundle, 2).is_err());
    assert!(entries(&bundle, 4).is_err());
    for end in 0..bundle.len() {
        assert!(entries(&bundle[..end], 3).is_err());
    }
    assert_eq!(
        push_entry(&mut bundle, &[0; 513]),
        Err(TileError::Entry(513))
    );
    assert_eq!(entries(&[0xff; 600], 1), Err(TileError::Entry(0xffff)));
}
