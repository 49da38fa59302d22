//! Hashes of the RFC 9162 tree, and a frontier that appends to it (SPEC §9.1).

use alloy_primitives::{B256, hex};
use sha2::{Digest, Sha256};

use crate::cursor::{Cursor, CursorError};
use crate::number::TreeSize;

const LEAF_PREFIX: u8 = 0;
const NODE_PREFIX: u8 = 1;

/// Levels of a tree of 2^64 - 1 leaves, leaves included.
pub const LEVELS_MAX: usize = 64;

/// Root of a log without leaves: SHA-256 of nothing (RFC 9162 §2.1.1).
pub const EMPTY_LOG_ROOT: B256 = B256::new(hex!(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
));

/// `SHA-256(0x00 || leaf)` (RFC 9162 §2.1.1).
pub fn leaf_hash(leaf: &[u8]) -> B256 {
    let mut hasher = Sha256::new();
    hasher.update([LEAF_PREFIX]);
    hasher.update(leaf);
    B256::new(hasher.finalize().into())
}

/// `SHA-256(0x01 || left || right)` (RFC 9162 §2.1.1).
pub fn node_hash(left: &B256, right: &B256) -> B256 {
    let mut bytes = [NODE_PREFIX; 65];
    bytes[1..33].copy_from_slice(left.as_slice());
    bytes[33..].copy_from_slice(right.as_slice());
    B256::new(Sha256::digest(bytes).into())
}

/// A perfect subtree: the `index`-th of those with `2^level` leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeNode {
    /// 0 for a leaf; at most 63.
    pub level: u8,
    /// Position among the nodes of its level, from 0.
    pub index: u64,
}

/// What is needed to append to a tree: the roots of its perfect subtrees, one for each bit
/// that is set in its size. A tree of 10^6 leaves has 7 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Largest subtree first.
    peaks: Vec<B256>,
}

impl Default for Frontier {
    fn default() -> Self {
        Self {
            size: 0,
            peaks: Vec::with_capacity(LEVELS_MAX),
        }
    }
}

impl Frontier {
    /// Leaves appended so far.
    pub fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }

    /// Appends one leaf and tells `completed` every perfect subtree that this completes, from
    /// the leaf itself upwards. Costs one node hash a leaf on average; allocates nothing.
    ///
    /// # Panics
    /// If the tree has 2^64 - 1 leaves.
    pub fn append(&mut self, leaf_hash: B256, mut completed: impl FnMut(TreeNode, B256)) {
        let size = self.size.checked_add(1);
        let size = size.expect("a log has fewer than 2^64 leaves");
        let (mut hash, mut index, mut level) = (leaf_hash, self.size, 0);
        completed(TreeNode { level, index }, hash);
        while index & 1 == 1 {
            let left = self.peaks.pop();
            let left = left.expect("every bit of the size has its peak");
            hash = node_hash(&left, &hash);
            index >>= 1;
            level += 1;
            completed(TreeNode { level, index }, hash);
        }
        self.peaks.push(hash);
        self.size = size;
    }

    /// Root of the tree; [`EMPTY_LOG_ROOT`] without leaves.
    pub fn root(&self) -> B256 {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return EMPTY_LOG_ROOT;
        };
        peaks.fold(*smallest, |root, peak| node_hash(peak, &root))
    }

    /// Size (u64) and one hash for each bit set in it, largest subtree first; big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.peaks.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_slice());
        }
        bytes
    }

    /// Accepts only what [`Frontier::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(bytes);
        let mut frontier = Self {
            size: cursor.u64("tree size")?,
            ..Self::default()
        };
        for _ in 0..frontier.size.count_ones() {
            frontier.peaks.push(cursor.b256("subtree hash")?);
        }
        cursor.end()?;
        Ok(frontier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 §2.1.1, word for word.
    fn root(leaves: &[Vec<u8>]) -> B256 {
        match leaves {
            [] => EMPTY_LOG_ROOT,
            [one] => leaf_hash(one),
            many => {
                let k = many.len().next_power_of_two() / 2;
                node_hash(&root(&many[..k]), &root(&many[k..]))
            }
        }
    }

    #[test]
    fn empty_log_root_is_sha256_of_nothing() {
        assert_eq!(EMPTY_LOG_ROOT, crate::sha256(&[]));
    }

    #[test]
    fn grows_as_the_rfc_defines() {
        let leaves: Vec<_> = (0..300u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let mut frontier = Frontier::default();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.root(), root(&leaves[..size]), "size {size}");
            assert_eq!(frontier.size(), TreeSize(size as u64));
            assert_eq!(
                Frontier::decode(&frontier.encode()),
                Ok(frontier.clone()),
                "size {size}"
            );
            if let Some(leaf) = leaves.get(size) {
                frontier.append(leaf_hash(leaf), |_, _| {});
            }
        }
    }

    #[test]
    fn tells_of_every_perfect_subtree_once() {
        let leaves: Vec<_> = (0..100u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let mut told = std::collections::BTreeMap::new();
        let mut frontier = Frontier::default();
        for leaf in &leaves {
            frontier.append(leaf_hash(leaf), |node, hash| {
                assert_eq!(told.insert(node, hash), None, "{node:?}");
            });
        }
        assert_eq!(told.len(), 100 + 50 + 25 + 12 + 6 + 3 + 1);
        for (node, hash) in told {
            let start = usize::try_from(node.index << node.level).unwrap();
            let subtree = &leaves[start..start + (1 << node.level)];
            assert_eq!(root(subtree), hash, "{node:?}");
        }
    }

    #[test]
    fn refuses_a_frontier_of_another_length() {
        let mut frontier = Frontier::default();
        for i in 0..7u8 {
            frontier.append(leaf_hash(&[i]), |_, _| {});
        }
        let bytes = frontier.encode();
        assert_eq!(bytes.len(), 8 + 3 * 32);
        for end in 0..bytes.len() {
            assert!(Frontier::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Frontier::decode(&long), Err(CursorError::Trailing(1)));
    }
}
