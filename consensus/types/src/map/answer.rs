//! What proves that the map has an entry, or has none.

use alloy_primitives::B256;

use crate::map::entry::VALUE_BYTES_MAX;
use crate::map::hash::{DEPTH_MAX, EMPTY_MAP_ROOT, branch_hash, entry_hash, goes_right, share};
use crate::map::page::{Few, MapPath, PageReader, SLOTS};

/// The path of a key: what is beside it, and where it ends (SPEC §9.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapAnswer {
    /// Where the path ends; at most 256.
    pub depth: u16,
    /// Which siblings are not empty: bit `i` from the lowest of the first byte is that at depth
    /// `i + 1`.
    pub bitmap: Vec<u8>,
    /// These, from the root downwards.
    pub siblings: Vec<B256>,
    /// What is at its end.
    pub end: MapEnd,
}

/// What is at the end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapEnd {
    /// No entry: the key has none.
    Nothing,
    /// The key's own entry, of this value.
    Entry(Vec<u8>),
    /// Another entry, alone where the key's would be: the key has none.
    Other {
        /// Its key.
        key: B256,
        /// Its value.
        value: Vec<u8>,
    },
}

/// Why an answer proves nothing.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AnswerError {
    /// Below the lowest level.
    #[error("map answer has depth {0}, at most {DEPTH_MAX} is possible")]
    Depth(u16),
    /// Too few bytes, too many, or bits below the depth.
    #[error("map answer has a bitmap that does not fit its depth")]
    Bitmap,
    /// A path that goes on where nothing is beside it.
    #[error("map answer ends deeper than it can: it has no sibling at its own depth")]
    TooDeep,
    /// Hashes are missing or left over.
    #[error("map answer has {got} siblings, its bitmap says {expected}")]
    Siblings {
        /// In the answer.
        got: usize,
        /// By the bitmap.
        expected: usize,
    },
    /// The hash that stands for nothing.
    #[error("map answer has a sibling that is empty; it is left out")]
    EmptySibling,
    /// Another entry that is the key's own, or would not be met on its path.
    #[error("map answer ends at an entry whose key is not on the path")]
    OtherKey,
    /// More than any entry has.
    #[error("map answer has a value of {0} bytes, at most {VALUE_BYTES_MAX} are possible")]
    Value(usize),
}

impl MapAnswer {
    /// The answer for `key` from the map that `reader` has.
    pub fn make<R: PageReader>(reader: &R, key: &B256) -> Result<Self, R::Error> {
        let mut answer = Self {
            depth: 0,
            bitmap: Vec::new(),
            siblings: Vec::new(),
            end: MapEnd::Nothing,
        };
        let mut path = MapPath::ROOT;
        loop {
            let page = reader.page(&path)?;
            let mut slots = 0..SLOTS;
            while slots.len() > 1 && page.fold(slots.clone()).count == Few::Several {
                let middle = slots.start + slots.len() / 2;
                let (left, right) = (slots.start..middle, middle..slots.end);
                let (own, beside) = if goes_right(key, answer.depth) {
                    (right, left)
                } else {
                    (left, right)
                };
                answer.push(page.fold(beside).hash);
                slots = own;
            }
            if page.fold(slots.clone()).count == Few::Several {
                path = path.below(key);
                continue;
            }
            if let Some((other, value)) = page.only(slots) {
                let (other, value) = (*other, value.to_vec());
                answer.end = if other == *key {
                    MapEnd::Entry(value)
                } else {
                    MapEnd::Other { key: other, value }
                };
            }
            return Ok(answer);
        }
    }

    fn push(&mut self, sibling: B256) {
        let (byte, bit) = (usize::from(self.depth / 8), self.depth % 8);
        if byte == self.bitmap.len() {
            self.bitmap.push(0);
        }
        if sibling != EMPTY_MAP_ROOT {
            self.bitmap[byte] |= 1 << bit;
            self.siblings.push(sibling);
        }
        self.depth += 1;
    }

    /// The root that this answer leads to from `key`. It proves something only if it is one that
    /// validators signed.
    pub fn root(&self, key: &B256) -> Result<B256, AnswerError> {
        self.check(key)?;
        let mut hash = match &self.end {
            MapEnd::Nothing => EMPTY_MAP_ROOT,
            MapEnd::Entry(value) => entry_hash(key, value),
            MapEnd::Other { key, value } => entry_hash(key, value),
        };
        let mut siblings = self.siblings.iter().rev();
        for depth in (0..self.depth).rev() {
            let beside = if self.is_beside(depth) {
                *siblings.next().expect("there is one for each bit")
            } else {
                EMPTY_MAP_ROOT
            };
            hash = if goes_right(key, depth) {
                branch_hash(&beside, &hash)
            } else {
                branch_hash(&hash, &beside)
            };
        }
        Ok(hash)
    }

    /// Whether the sibling below `depth` is not empty.
    fn is_beside(&self, depth: u16) -> bool {
        self.bitmap[usize::from(depth / 8)] >> (depth % 8) & 1 == 1
    }

    /// There is one form for each answer.
    fn check(&self, key: &B256) -> Result<(), AnswerError> {
        if self.depth > DEPTH_MAX {
            return Err(AnswerError::Depth(self.depth));
        }
        let bits = 8 * self.bitmap.len();
        let whole = self.bitmap.len() == usize::from(self.depth.div_ceil(8));
        let below =
            (usize::from(self.depth)..bits).any(|bit| self.bitmap[bit / 8] >> (bit % 8) & 1 == 1);
        if !whole || below {
            return Err(AnswerError::Bitmap);
        }
        let expected = self
            .bitmap
            .iter()
            .map(|byte| byte.count_ones())
            .sum::<u32>();
        let (got, expected) = (self.siblings.len(), expected as usize);
        if got != expected {
            return Err(AnswerError::Siblings { got, expected });
        }
        if self.siblings.contains(&EMPTY_MAP_ROOT) {
            return Err(AnswerError::EmptySibling);
        }
        if let Some(last) = self.depth.checked_sub(1)
            && !self.is_beside(last)
        {
            return Err(AnswerError::TooDeep);
        }
        let value = match &self.end {
            MapEnd::Nothing => return Ok(()),
            MapEnd::Entry(value) => value,
            MapEnd::Other { key: other, value } => {
                if other == key || !share(key, other, self.depth) {
                    return Err(AnswerError::OtherKey);
                }
                value
            }
        };
        if value.len() > VALUE_BYTES_MAX {
            return Err(AnswerError::Value(value.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
