//! One proof for several leaves of one tree: the hashes of the largest subtrees without any of
//! them, from left to right (SPEC §14.4).

use std::ops::Range;

use alloy_primitives::B256;

use crate::log::proof::{MakeProofError, NodeReader, ProofShapeError, range_hash, split};
use crate::log::tree::node_hash;
use crate::number::{LeafIndex, TreeSize};

/// That leaves are in the tree of a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultiProof(pub Vec<B256>);

/// A part of the tree: half-open.
struct Subtree {
    range: Range<u64>,
    /// The leaves of the proof in it, as positions in the list of indexes.
    leaves: Range<usize>,
}

impl MultiProof {
    /// The proof of the leaves at `indexes`, which ascend, in the tree of `size` leaves.
    pub fn make<R: NodeReader>(
        reader: &R,
        indexes: &[LeafIndex],
        size: TreeSize,
    ) -> Result<Self, MakeProofError<R::Error>> {
        let whole = check(indexes, size)?;
        let mut hashes = Vec::new();
        let mut open = vec![whole];
        while let Some(subtree) = open.pop() {
            let Range { start, end } = subtree.range;
            if subtree.leaves.is_empty() {
                hashes.push(range_hash(reader, start, end)?);
            } else if end - start > 1 {
                let (left, right) = subtree.split(indexes);
                // The last one in is the first one out: left before right.
                open.push(right);
                open.push(left);
            }
        }
        Ok(Self(hashes))
    }

    /// The root that this proof leads to from the leaves' hashes. It proves something only if
    /// it is a root that validators signed.
    pub fn root(
        &self,
        leaf_hashes: &[B256],
        indexes: &[LeafIndex],
        size: TreeSize,
    ) -> Result<B256, ProofShapeError> {
        let whole = check(indexes, size)?;
        if leaf_hashes.len() != indexes.len() {
            let (got, expected) = (leaf_hashes.len(), indexes.len());
            return Err(ProofShapeError::Length { got, expected });
        }
        let mut used = 0;
        let root = self.hash(&whole, leaf_hashes, indexes, &mut used);
        if used != self.0.len() {
            let (got, expected) = (self.0.len(), used);
            return Err(ProofShapeError::Length { got, expected });
        }
        Ok(root)
    }

    /// Hash of a subtree; hashes beyond the end are zero, and counted in `used`.
    fn hash(
        &self,
        subtree: &Subtree,
        leaf_hashes: &[B256],
        indexes: &[LeafIndex],
        used: &mut usize,
    ) -> B256 {
        if subtree.leaves.is_empty() {
            *used += 1;
            return self.0.get(*used - 1).copied().unwrap_or_default();
        }
        if subtree.range.end - subtree.range.start == 1 {
            return leaf_hashes[subtree.leaves.start];
        }
        let (left, right) = subtree.split(indexes);
        let left = self.hash(&left, leaf_hashes, indexes, used);
        let right = self.hash(&right, leaf_hashes, indexes, used);
        node_hash(&left, &right)
    }
}

impl Subtree {
    fn split(&self, indexes: &[LeafIndex]) -> (Self, Self) {
        let Range { start, end } = self.range;
        let middle = start + split(end - start);
        let leaves = &indexes[self.leaves.clone()];
        let before = leaves.partition_point(|index| index.0 < middle);
        let between = self.leaves.start + before;
        let left = Self {
            range: start..middle,
            leaves: self.leaves.start..between,
        };
        let right = Self {
            range: middle..end,
            leaves: between..self.leaves.end,
        };
        (left, right)
    }
}

fn check(indexes: &[LeafIndex], size: TreeSize) -> Result<Subtree, ProofShapeError> {
    let Some(last) = indexes.last() else {
        return Err(ProofShapeError::Order { position: 0 });
    };
    let disorder = indexes.windows(2).position(|pair| pair[0] >= pair[1]);
    if let Some(position) = disorder {
        let position = position + 1;
        return Err(ProofShapeError::Order { position });
    }
    if last.0 >= size.0 {
        let (index, size) = (last.0, size.0);
        return Err(ProofShapeError::Index { index, size });
    }
    Ok(Subtree {
        range: 0..size.0,
        leaves: 0..indexes.len(),
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::log::tree::{Frontier, TreeNode, leaf_hash};

    struct Log {
        levels: Vec<Vec<B256>>,
        frontier: Frontier,
    }

    impl NodeReader for Log {
        type Error = Infallible;

        fn read(&self, node: TreeNode) -> Result<B256, Infallible> {
            let index = usize::try_from(node.index).unwrap();
            Ok(self.levels[usize::from(node.level)][index])
        }
    }

    fn leaf(index: u64) -> B256 {
        leaf_hash(&index.to_be_bytes())
    }

    fn log(size: u64) -> Log {
        let mut log = Log {
            levels: vec![Vec::new(); 64],
            frontier: Frontier::default(),
        };
        for index in 0..size {
            let levels = &mut log.levels;
            let keep = |node: TreeNode, hash| levels[usize::from(node.level)].push(hash);
            log.frontier.append(leaf(index), keep);
        }
        log
    }

    /// Every set of leaves of every tree of up to nine.
    #[test]
    fn every_set_of_leaves_of_small_trees_is_proven() {
        for size in 1..=9u64 {
            let log = log(size);
            let root = log.frontier.root();
            for set in 1u64..1 << size {
                let chosen = (0..size).filter(|index| set >> index & 1 == 1);
                let indexes: Vec<LeafIndex> = chosen.map(LeafIndex).collect();
                let size = TreeSize(size);
                let proof = MultiProof::make(&log, &indexes, size).unwrap();
                let hash = |index: &LeafIndex| leaf(index.0);
                let hashes: Vec<B256> = indexes.iter().map(hash).collect();
                assert_eq!(proof.root(&hashes, &indexes, size), Ok(root));
                for position in 0..proof.0.len() {
                    let mut bad = proof.clone();
                    bad.0[position].0[0] ^= 1;
                    assert_ne!(bad.root(&hashes, &indexes, size), Ok(root));
                    bad.0.remove(position);
                    assert!(bad.root(&hashes, &indexes, size).is_err());
                }
                let mut long = proof.clone();
                long.0.push(root);
                assert!(long.root(&hashes, &indexes, size).is_err());
                let mut wrong = hashes.clone();
                wrong[0].0[31] ^= 1;
                assert_ne!(proof.root(&wrong, &indexes, size), Ok(root));
            }
        }
    }

    #[test]
    fn indexes_ascend_within_the_tree() {
        let log = log(4);
        let make = |indexes: &[u64]| {
            let indexes: Vec<_> = indexes.iter().copied().map(LeafIndex).collect();
            MultiProof::make(&log, &indexes, TreeSize(4)).map_err(|error| error.to_string())
        };
        for (indexes, words) in [
            (&[][..], "at least one: position 0"),
            (&[1, 1], "position 1"),
            (&[0, 3, 2], "position 2"),
            (&[4], "outside a log of 4"),
        ] {
            assert!(make(indexes).unwrap_err().contains(words), "{indexes:?}");
        }
        let none = MultiProof::default();
        assert!(none.root(&[], &[LeafIndex(0)], TreeSize(1)).is_err());
    }
}
