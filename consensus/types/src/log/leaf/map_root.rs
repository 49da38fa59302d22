//! The statement of a leaf of kind 8.

use alloy_primitives::B256;

use crate::cursor::{Cursor, CursorError};
use crate::number::Height;

/// What the map held before the block of this leaf (SPEC §9.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRoot {
    /// Root of its tree.
    pub root: B256,
    /// Entries in it.
    pub entries: u64,
    /// The block before that of the leaf: what was said up to it is in the map.
    pub height: Height,
    /// Digests of all blocks up to this one are in the map; at most `height`.
    pub digest_height: Height,
    /// SHA-256 over the codes, u32 each and ascending, of the algorithms that count for nothing.
    pub revoked_algorithms: B256,
}

impl MapRoot {
    /// In the order of the fields, integers big-endian: 88 bytes.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let parts: [&[u8]; 5] = [
            self.root.as_slice(),
            &self.entries.to_be_bytes(),
            &self.height.0.to_be_bytes(),
            &self.digest_height.0.to_be_bytes(),
            self.revoked_algorithms.as_slice(),
        ];
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, CursorError> {
        Ok(Self {
            root: cursor.b256("map root")?,
            entries: cursor.u64("entries")?,
            height: Height(cursor.u64("height of the map")?),
            digest_height: Height(cursor.u64("digest height")?),
            revoked_algorithms: cursor.b256("revoked algorithms hash")?,
        })
    }
}
