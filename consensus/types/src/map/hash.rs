//! Hashes of the map's tree. Prefixes differ from those of the log's, so that nothing is both.

use alloy_primitives::B256;

use crate::sha256;

const ENTRY_PREFIX: u8 = 2;
const BRANCH_PREFIX: u8 = 3;

/// Hash of a subtree without entries, and root of a map without any.
pub const EMPTY_MAP_ROOT: B256 = B256::ZERO;

/// Levels of the tree: bits of a key.
pub(crate) const DEPTH_MAX: u16 = 256;

/// Hash of a subtree with one entry, wherever it is.
pub fn entry_hash(key: &B256, value: &[u8]) -> B256 {
    sha256(&[&[ENTRY_PREFIX], key.as_slice(), value])
}

/// Hash of a subtree with several entries.
pub fn branch_hash(left: &B256, right: &B256) -> B256 {
    sha256(&[&[BRANCH_PREFIX], left.as_slice(), right.as_slice()])
}

/// The bit of a key that chooses between the subtrees below `depth`, from the highest of the
/// first byte: whether it goes right.
pub(crate) fn goes_right(key: &B256, depth: u16) -> bool {
    let byte = key[usize::from(depth / 8)];
    byte >> (7 - depth % 8) & 1 == 1
}

/// Whether two keys have the same first `depth` bits.
pub(crate) fn share(one: &B256, other: &B256, depth: u16) -> bool {
    (0..depth).all(|bit| goes_right(one, bit) == goes_right(other, bit))
}
