//! Inclusion and consistency proofs of the RFC 9162 tree (SPEC §9.2).
//!
//! Making a proof reads the hashes of perfect subtrees from wherever they are kept.

use alloy_primitives::B256;

use crate::log::tree::{EMPTY_LOG_ROOT, TreeNode, node_hash};
use crate::number::{LeafIndex, TreeSize};

/// Hashes of the longest inclusion proof.
pub const INCLUSION_HASHES_MAX: usize = 64;

/// Hashes of the longest consistency proof.
pub const CONSISTENCY_HASHES_MAX: usize = 65;

/// Where the hashes of perfect subtrees come from. Only nodes are asked for whose leaves all
/// lie below the size of the tree in question.
pub trait NodeReader {
    /// Why a hash cannot be had.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The hash of `node`.
    fn read(&self, node: TreeNode) -> Result<B256, Self::Error>;
}

/// That a leaf is in the tree of a root: the path from its sibling up to the root's child
/// (RFC 9162 §2.1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InclusionProof(pub Vec<B256>);

/// That one tree is the beginning of another (RFC 9162 §2.1.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsistencyProof(pub Vec<B256>);

/// Why there is no such proof.
#[derive(Debug, thiserror::Error)]
pub enum MakeProofError<E: std::error::Error + Send + Sync + 'static> {
    /// No such position or size.
    #[error(transparent)]
    Shape(#[from] ProofShapeError),
    /// A hash could not be read.
    #[error("read node {index} of level {level}", index = node.index, level = node.level)]
    Read {
        /// Which.
        node: TreeNode,
        /// Why.
        #[source]
        source: E,
    },
}

/// A proof, an index or sizes that do not fit together.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofShapeError {
    /// The index is outside the tree.
    #[error("leaf index {index} is outside a log of {size} leaves")]
    Index {
        /// Of the leaf.
        index: u64,
        /// Of the tree.
        size: u64,
    },
    /// The earlier tree is empty, or larger than the later one.
    #[error("no consistency proof from {first} to {second} leaves: give 1 <= first <= second")]
    Sizes {
        /// Of the earlier tree.
        first: u64,
        /// Of the later tree.
        second: u64,
    },
    /// Positions that do not ascend, or none.
    #[error("leaf indexes of a multiproof must ascend, at least one: position {position}")]
    Order {
        /// The first that is not above the one before.
        position: usize,
    },
    /// Hashes are missing or left over.
    #[error("proof has {got} hashes, {expected} are needed")]
    Length {
        /// In the proof.
        got: usize,
        /// For this position and size.
        expected: usize,
    },
}

impl InclusionProof {
    /// The proof of leaf `index` in the tree of `size` leaves.
    pub fn make<R: NodeReader>(
        reader: &R,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Self, MakeProofError<R::Error>> {
        let siblings = inclusion_ranges(index.0, size.0)?;
        let hashes = siblings.map(|(start, end)| range_hash(reader, start, end));
        Ok(Self(hashes.collect::<Result<_, _>>()?))
    }

    /// The root that this proof leads to from a leaf's hash (RFC 9162 §2.1.3.2). It proves
    /// something only if it is a root that validators signed.
    pub fn root(
        &self,
        leaf_hash: B256,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<B256, ProofShapeError> {
        let mut root = leaf_hash;
        for (sibling, is_left) in self.siblings(index, size)? {
            root = if is_left {
                node_hash(sibling, &root)
            } else {
                node_hash(&root, sibling)
            };
        }
        Ok(root)
    }

    /// The hashes from the leaf's sibling upwards, each with whether it is the left one.
    pub fn siblings(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Vec<(&B256, bool)>, ProofShapeError> {
        let expected = inclusion_ranges(index.0, size.0)?.len();
        length(self.0.len(), expected)?;
        let (mut node, mut last) = (index.0, size.0 - 1);
        let side = |sibling| {
            let is_left = node & 1 == 1 || node == last;
            if is_left {
                // A node without right neighbour stands for itself until it is a right child.
                let levels = node.trailing_zeros();
                node = node.checked_shr(levels).unwrap_or(0);
                last = last.checked_shr(levels).unwrap_or(0);
            }
            node >>= 1;
            last >>= 1;
            (sibling, is_left)
        };
        Ok(self.0.iter().map(side).collect())
    }
}

impl ConsistencyProof {
    /// The proof that the tree of `first` leaves is the beginning of that of `second`.
    pub fn make<R: NodeReader>(
        reader: &R,
        first: TreeSize,
        second: TreeSize,
    ) -> Result<Self, MakeProofError<R::Error>> {
        let ranges = consistency_ranges(first.0, second.0)?;
        let hashes = ranges.map(|(start, end)| range_hash(reader, start, end));
        Ok(Self(hashes.collect::<Result<_, _>>()?))
    }

    /// The roots of the earlier and of the later tree that this proof leads to, given the
    /// earlier one's (RFC 9162 §2.1.4.2). The trees are consistent if both are the known ones.
    pub fn roots(
        &self,
        first: TreeSize,
        second: TreeSize,
        first_root: B256,
    ) -> Result<(B256, B256), ProofShapeError> {
        let expected = consistency_ranges(first.0, second.0)?.len();
        length(self.0.len(), expected)?;
        let mut hashes = self.0.iter();
        let start = if first.0.is_power_of_two() {
            first_root
        } else if let Some(hash) = hashes.next() {
            *hash
        } else {
            return Ok((first_root, first_root));
        };
        let levels = (first.0 - 1).trailing_ones();
        let shift = |size: u64| (size - 1).checked_shr(levels).unwrap_or(0);
        let (mut node, mut last) = (shift(first.0), shift(second.0));
        let (mut old, mut new) = (start, start);
        for hash in hashes {
            if node & 1 == 1 || node == last {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
                let levels = node.trailing_zeros();
                node = node.checked_shr(levels).unwrap_or(0);
                last = last.checked_shr(levels).unwrap_or(0);
            } else {
                new = node_hash(&new, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        Ok((old, new))
    }
}

/// Root of the tree of `size` leaves.
pub fn root_at<R: NodeReader>(
    reader: &R,
    size: TreeSize,
) -> Result<B256, MakeProofError<R::Error>> {
    if size.0 == 0 {
        return Ok(EMPTY_LOG_ROOT);
    }
    range_hash(reader, 0, size.0)
}

fn length(got: usize, expected: usize) -> Result<(), ProofShapeError> {
    if got == expected {
        return Ok(());
    }
    Err(ProofShapeError::Length { got, expected })
}

/// Half-open ranges of leaves, from the lowest one up.
type Ranges = std::iter::Rev<std::vec::IntoIter<(u64, u64)>>;

/// The subtrees beside the path of a leaf.
fn inclusion_ranges(index: u64, size: u64) -> Result<Ranges, ProofShapeError> {
    if index >= size {
        return Err(ProofShapeError::Index { index, size });
    }
    let mut ranges = Vec::with_capacity(INCLUSION_HASHES_MAX);
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((start, middle));
            start = middle;
        }
    }
    Ok(ranges.into_iter().rev())
}

/// SUBPROOF of RFC 9162 §2.1.4.1, as ranges.
fn consistency_ranges(first: u64, second: u64) -> Result<Ranges, ProofShapeError> {
    if first == 0 || first > second {
        return Err(ProofShapeError::Sizes { first, second });
    }
    let mut ranges = Vec::with_capacity(CONSISTENCY_HASHES_MAX);
    let (mut start, mut end) = (0, second);
    while end != first {
        let middle = start + split(end - start);
        if first <= middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((start, middle));
            start = middle;
        }
    }
    if start > 0 {
        ranges.push((start, end));
    }
    Ok(ranges.into_iter().rev())
}

/// The largest power of two below `size`, which is at least 2.
pub(super) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Hash over the leaves `start..end`; `start` is a multiple of a power of two that is at least
/// `end - start`, as it is for every subtree.
pub(super) fn range_hash<R: NodeReader>(
    reader: &R,
    start: u64,
    end: u64,
) -> Result<B256, MakeProofError<R::Error>> {
    let mut hash = None;
    let mut end = end;
    while end > start {
        let level = (end - start).trailing_zeros();
        let node = TreeNode {
            level: u8::try_from(level).expect("a u64 has 64 bits"),
            index: (end >> level) - 1,
        };
        let left = reader
            .read(node)
            .map_err(|source| MakeProofError::Read { node, source })?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
        end -= 1 << level;
    }
    Ok(hash.expect("no proof needs an empty range"))
}

#[cfg(test)]
mod tests;
