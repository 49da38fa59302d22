use tbsi_types::log::tile::{self, TILE_WIDTH};
use tbsi_types::log::{
    Attestation, ConsistencyProof, DigestWords, EntryBundle, Frontier, Leaf, LeafBatch, LeafHead,
    Statement, Tile, leaf_hash,
};
use tbsi_types::{Address, B256, Height, LeafIndex, StateDiff, TimestampMs, TreeSize};

use super::fixture::{CHAIN_ID, Decided, OPTIONS, identity, ticked};
use crate::Store;
use crate::database::Table;
use crate::error::StoreError;
use crate::keys;

/// A SHA-256 digest of its own for each number.
pub(super) fn digest(number: u64) -> B256 {
    tbsi_types::sha256(&[&number.to_be_bytes()])
}

pub(super) fn leaf(statement: Statement, ordinal: u32) -> Leaf {
    Leaf {
        head: LeafHead {
            chain_id: CHAIN_ID,
            height: Height(1),
            time: TimestampMs(1_700_000_000_000),
            transaction_index: 0,
            ordinal,
            issuer: Address::repeat_byte(0x1e),
        },
        statement,
    }
}

pub(super) fn attestation(digest: B256, ordinal: u32) -> Leaf {
    let digest = DigestWords::of(0x12, digest.as_slice()).unwrap();
    let attestation = Attestation {
        schema: B256::repeat_byte(5),
        algorithm: 0x12,
        digest,
    };
    leaf(Statement::Attestation(attestation), ordinal)
}

/// Commits a block with these leaves.
pub(super) fn append(store: &Store, leaves: &[Leaf]) {
    let mut batch = LeafBatch::default();
    for leaf in leaves {
        batch.push(&leaf.encode().unwrap());
    }
    let decided = Decided::with_leaves(store, &StateDiff::default(), Vec::new(), batch);
    decided.commit(store).unwrap();
}

fn size(store: &Store) -> u64 {
    store.tip().unwrap().log_size.0
}

#[test]
fn grows_by_tiles_and_proves_every_leaf_at_every_decided_size() {
    let (_dir, store) = ticked(0);
    let mut oracle = Frontier::default();
    let mut hashes = Vec::new();
    let mut roots = vec![(0, oracle.root())];
    for count in [0, 1, 0, 254, 1, 1, 255, 600, 3] {
        let start = hashes.len() as u64;
        let leaves: Vec<_> = (start..start + count)
            .map(|number| attestation(digest(number), u32::try_from(number).unwrap()))
            .collect();
        for leaf in &leaves {
            let hash = leaf_hash(&leaf.encode().unwrap());
            hashes.push(hash);
            oracle.append(hash, |_, _| {});
        }
        append(&store, &leaves);
        assert_eq!(size(&store), start + count);
        assert_eq!(store.tip().unwrap().log_root, oracle.root());
        roots.push((size(&store), oracle.root()));
    }
    for (position, hash) in (0..).zip(&hashes) {
        let bytes = store.leaf(LeafIndex(position)).unwrap().unwrap();
        assert_eq!(leaf_hash(&bytes), *hash, "leaf {position}");
    }
    assert_eq!(store.leaf(LeafIndex(hashes.len() as u64)).unwrap(), None);
    for (size, root) in roots.iter().filter(|(size, _)| *size > 0) {
        for position in [0, size / 2, size - 1] {
            let index = LeafIndex(position);
            let proof = store.prove_inclusion(index, TreeSize(*size)).unwrap();
            let hash = hashes[usize::try_from(position).unwrap()];
            assert_eq!(proof.root(hash, index, TreeSize(*size)).unwrap(), *root);
        }
        let (last, last_root) = roots[roots.len() - 1];
        let (first, second) = (TreeSize(*size), TreeSize(last));
        let proof: ConsistencyProof = store.prove_consistency(first, second).unwrap();
        assert_eq!(
            proof.roots(first, second, *root).unwrap(),
            (*root, last_root)
        );
    }
}

#[test]
fn serves_tiles_and_entries_as_wide_as_they_are() {
    let (_dir, store) = ticked(0);
    let leaves: Vec<_> = (0..300)
        .map(|number| attestation(digest(number), u32::try_from(number).unwrap()))
        .collect();
    append(&store, &leaves[..100]);
    append(&store, &leaves[100..]);
    for tile in Tile::changed(TreeSize(0), TreeSize(300)) {
        let bytes = store.log_tile(tile).unwrap().expect("a stored tile");
        assert_eq!(bytes.len(), 32 * usize::from(tile.width), "{tile:?}");
    }
    let narrow = EntryBundle { index: 1, width: 2 };
    let bytes = store.log_entries(narrow).unwrap().unwrap();
    let entries = tile::entries(&bytes, 2).unwrap();
    assert_eq!(entries[1], leaves[257].encode().unwrap());
    // Wider than the log, and beyond it.
    for (index, width) in [(1, 45), (2, 1)] {
        let (level, bundle) = (0, EntryBundle { index, width });
        let tile = Tile {
            level,
            index,
            width,
        };
        assert_eq!(store.log_entries(bundle).unwrap(), None, "{bundle:?}");
        assert_eq!(store.log_tile(tile).unwrap(), None, "{tile:?}");
    }
    assert_eq!(TILE_WIDTH, 256);
}

#[test]
fn refuses_sizes_that_the_log_has_not() {
    let (_dir, store) = ticked(0);
    append(&store, &[attestation(digest(0), 0)]);
    let beyond = store.prove_inclusion(LeafIndex(0), TreeSize(2));
    assert!(
        matches!(beyond, Err(StoreError::LogSize { .. })),
        "{beyond:?}"
    );
    let beyond = store.prove_consistency(TreeSize(1), TreeSize(2));
    assert!(
        matches!(beyond, Err(StoreError::LogSize { .. })),
        "{beyond:?}"
    );
    let outside = store.prove_inclusion(LeafIndex(1), TreeSize(1));
    assert!(matches!(outside, Err(StoreError::Proof(_))), "{outside:?}");
}

#[test]
fn a_damaged_end_of_the_log_is_noticed_at_the_next_start() {
    let (dir, store) = ticked(0);
    append(&store, &[attestation(digest(0), 0)]);
    let mut batch = store.database.batch();
    batch.put(Table::Meta, keys::FRONTIER, &Frontier::default().encode());
    batch.write("damage").unwrap();
    drop(store);
    let error = Store::open(dir.path(), identity(), OPTIONS)
        .err()
        .expect("refused");
    let words = error.to_string();
    assert!(words.contains("end of the log is damaged"), "{words}");
}
