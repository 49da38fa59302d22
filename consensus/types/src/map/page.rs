//! The tree in pages of four levels: what is stored.

use std::ops::Range;

use alloy_primitives::B256;

use crate::cursor::{Cursor, CursorError};
use crate::map::entry::VALUE_BYTES_MAX;
use crate::map::hash::{EMPTY_MAP_ROOT, branch_hash, entry_hash};

/// Levels of a page.
pub(crate) const PAGE_LEVELS: u16 = 4;

/// Subtrees below a page.
pub const SLOTS: usize = 1 << PAGE_LEVELS;

/// Pages on the longest path.
const PATH_PAGES_MAX: u8 = 64;

/// Where a page is: the first bits of the keys below it, four for each page above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MapPath {
    pages: u8,
    /// What is not part of the path is zero.
    bits: B256,
}

impl MapPath {
    /// The page at the top.
    pub const ROOT: Self = Self {
        pages: 0,
        bits: B256::ZERO,
    };

    /// The slot of this page in which `key` is.
    pub(crate) fn slot_of(&self, key: &B256) -> usize {
        let byte = key[usize::from(self.pages / 2)];
        usize::from(if self.pages.is_multiple_of(2) {
            byte >> PAGE_LEVELS
        } else {
            byte & 0xf
        })
    }

    /// The page below that slot.
    pub(crate) fn below(&self, key: &B256) -> Self {
        assert!(self.pages < PATH_PAGES_MAX, "two keys differ in a bit");
        let mut bits = self.bits;
        let place = usize::from(self.pages / 2);
        bits[place] = if self.pages.is_multiple_of(2) {
            key[place] & 0xf0
        } else {
            key[place]
        };
        let pages = self.pages + 1;
        Self { pages, bits }
    }

    /// Number of pages above, and the bytes of the path: a page has one key, and keys sort by
    /// depth.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = usize::from(self.pages.div_ceil(2));
        [&[self.pages], &self.bits[..bytes]].concat()
    }
}

/// What is in one of the subtrees below a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MapSlot {
    /// No entry.
    #[default]
    Empty,
    /// One.
    Entry {
        /// Its key.
        key: B256,
        /// Its value.
        value: Vec<u8>,
    },
    /// Several: the hash of the page that has them.
    Branch(B256),
}

/// A subtree: its hash, and how many entries it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) hash: B256,
    pub(crate) count: Few,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Few {
    None,
    One,
    Several,
}

impl Subtree {
    fn of(slot: &MapSlot) -> Self {
        match slot {
            MapSlot::Empty => Self {
                hash: EMPTY_MAP_ROOT,
                count: Few::None,
            },
            MapSlot::Entry { key, value } => Self {
                hash: entry_hash(key, value),
                count: Few::One,
            },
            MapSlot::Branch(hash) => Self {
                hash: *hash,
                count: Few::Several,
            },
        }
    }

    /// What is above two subtrees: one entry alone is the same at every depth.
    fn above(left: Self, right: Self) -> Self {
        match (left.count, right.count) {
            (Few::None | Few::One, Few::None) => left,
            (Few::None, Few::One) => right,
            (_, _) => Self {
                hash: branch_hash(&left.hash, &right.hash),
                count: Few::Several,
            },
        }
    }
}

/// Four levels of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapPage {
    pub(crate) slots: [MapSlot; SLOTS],
}

impl MapPage {
    /// Hash of the page's top, which is the map's root at [`MapPath::ROOT`].
    pub fn hash(&self) -> B256 {
        self.fold(0..SLOTS).hash
    }

    /// The subtree above some slots, 1 to 16 of them.
    pub(crate) fn fold(&self, slots: Range<usize>) -> Subtree {
        if slots.len() == 1 {
            return Subtree::of(&self.slots[slots.start]);
        }
        let middle = slots.start + slots.len() / 2;
        Subtree::above(self.fold(slots.start..middle), self.fold(middle..slots.end))
    }

    /// The only entry in some slots.
    pub(crate) fn only(&self, slots: Range<usize>) -> Option<(&B256, &[u8])> {
        self.slots[slots].iter().find_map(|slot| match slot {
            MapSlot::Entry { key, value } => Some((key, value.as_slice())),
            MapSlot::Empty | MapSlot::Branch(_) => None,
        })
    }

    /// Which slots are entries (u16) and which are branches (u16), slot 0 the lowest bit; then
    /// each: key, length (u8) and value, or hash.
    pub fn encode(&self) -> Vec<u8> {
        let (mut entries, mut branches) = (0u16, 0u16);
        let mut rest = Vec::with_capacity(256);
        for (place, slot) in self.slots.iter().enumerate() {
            match slot {
                MapSlot::Empty => {}
                MapSlot::Entry { key, value } => {
                    entries |= 1 << place;
                    rest.extend_from_slice(key.as_slice());
                    rest.push(u8::try_from(value.len()).expect("values are short"));
                    rest.extend_from_slice(value);
                }
                MapSlot::Branch(hash) => {
                    branches |= 1 << place;
                    rest.extend_from_slice(hash.as_slice());
                }
            }
        }
        let heads = [entries.to_be_bytes(), branches.to_be_bytes()].concat();
        [heads, rest].concat()
    }

    /// Accepts only what [`MapPage::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(bytes);
        let (entries, branches) = (cursor.u16("entries")?, cursor.u16("branches")?);
        let mut page = Self::default();
        for (place, slot) in page.slots.iter_mut().enumerate() {
            if entries >> place & 1 == 1 {
                let key = cursor.b256("key")?;
                let length = usize::from(cursor.u8("length")?).min(VALUE_BYTES_MAX);
                let value = cursor.take("value", length)?.to_vec();
                *slot = MapSlot::Entry { key, value };
            } else if branches >> place & 1 == 1 {
                *slot = MapSlot::Branch(cursor.b256("hash")?);
            }
        }
        cursor.end()?;
        Ok(page)
    }
}

/// Where pages come from.
pub trait PageReader {
    /// Why a page cannot be had.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The page at `path`; an empty one at the top of an empty map. Only pages are asked for that
    /// a branch leads to.
    fn page(&self, path: &MapPath) -> Result<MapPage, Self::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_keys() {
        let mut key = B256::ZERO;
        key[0] = 0xab;
        key[1] = 0xcd;
        let mut path = MapPath::ROOT;
        assert_eq!(path.encode(), [0]);
        for (slot, bytes) in [
            (0xa, &[1, 0xa0][..]),
            (0xb, &[2, 0xab]),
            (0xc, &[3, 0xab, 0xc0]),
            (0xd, &[4, 0xab, 0xcd]),
        ] {
            assert_eq!(path.slot_of(&key), slot);
            path = path.below(&key);
            assert_eq!(path.encode(), bytes);
        }
    }

    #[test]
    fn pages_survive_their_bytes() {
        let mut page = MapPage::default();
        assert_eq!(MapPage::decode(&page.encode()), Ok(page.clone()));
        page.slots[3] = MapSlot::Branch(B256::repeat_byte(1));
        page.slots[15] = MapSlot::Entry {
            key: B256::repeat_byte(0xff),
            value: vec![7; 14],
        };
        let bytes = page.encode();
        assert_eq!(bytes.len(), 4 + 32 + 32 + 1 + 14);
        assert_eq!(MapPage::decode(&bytes), Ok(page));
        for end in 0..bytes.len() {
            assert!(MapPage::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn one_entry_alone_is_the_same_at_every_depth() {
        let (key, value) = (B256::repeat_byte(0x77), vec![1; 14]);
        let mut page = MapPage::default();
        assert_eq!(page.hash(), EMPTY_MAP_ROOT);
        page.slots[7] = MapSlot::Entry {
            key,
            value: value.clone(),
        };
        assert_eq!(page.hash(), entry_hash(&key, &value));
        let branch = B256::repeat_byte(2);
        page.slots[7] = MapSlot::Branch(branch);
        let empty = EMPTY_MAP_ROOT;
        let two = branch_hash(&empty, &branch);
        let one = branch_hash(&empty, &two);
        let top = branch_hash(&branch_hash(&empty, &one), &empty);
        assert_eq!(page.hash(), top);
    }
}
