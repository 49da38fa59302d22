//! When a root of the map is told, and what the map has taken by then (SPEC §9.11).

use std::collections::BTreeSet;

use alloy_primitives::B256;

use crate::cursor::{Cursor, CursorError};
use crate::log::leaf::LEAF_KIND_AT;
use crate::log::{Leaf, Statement};
use crate::map::hash::EMPTY_MAP_ROOT;
use crate::number::{LeafIndex, TimestampMs, TreeSize};
use crate::sha256;

/// Status of an algorithm whose digests prove nothing any more (SPEC §12.6).
const REVOKED: u8 = 3;

/// Leaves that wait until a root is told without waiting for the end of the period; and digests
/// that a block without leaves of its own takes into the map.
pub const WAITING_MAX: u64 = 8_192;

/// Digests that every block which tells a root may take; and leaves about ids, schemas and
/// algorithms that wait.
pub const TAKEN_MIN: u64 = 512;

/// Algorithms that there can be (SPEC §12.6).
pub const ALGORITHMS_MAX: usize = 64;

/// What a node remembers of the map beside its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapState {
    /// Root of the tree, as it was told last.
    pub root: B256,
    /// Entries in it.
    pub entries: u64,
    /// Leaves from the first on whose digests are in it.
    pub digests: u64,
    /// Leaves about ids, schemas and algorithms that are not.
    pub waiting: u64,
    /// The leaf that told the root.
    pub told: Option<LeafIndex>,
    /// Something followed that root, or some digests before it are not in the map.
    pub behind: bool,
    /// Algorithms that counted for nothing by then.
    pub revoked_algorithms: BTreeSet<u32>,
}

impl Default for MapState {
    fn default() -> Self {
        Self {
            root: EMPTY_MAP_ROOT,
            entries: 0,
            digests: 0,
            waiting: 0,
            told: None,
            behind: false,
            revoked_algorithms: BTreeSet::new(),
        }
    }
}

impl MapState {
    /// Whether a block of `time` begins with a root, on a log of `size` leaves whose last block
    /// is of the time `before`.
    pub fn is_due(
        &self,
        size: TreeSize,
        before: TimestampMs,
        time: TimestampMs,
        period_ms: u64,
    ) -> bool {
        let period = |time: TimestampMs| time.0 / period_ms.max(1);
        let ends = period(time) > period(before);
        (ends && self.behind) || self.is_crowded(size)
    }

    /// Whether so much waits that the end of the period is not waited for.
    pub fn is_crowded(&self, size: TreeSize) -> bool {
        size.0.saturating_sub(self.digests) >= WAITING_MAX || self.waiting >= TAKEN_MIN
    }

    /// Up to which leaf of a log of `size` a block with so many leaves of its own takes digests.
    pub fn digests_to(&self, size: TreeSize, own: u64) -> u64 {
        let count = WAITING_MAX.saturating_sub(own).max(TAKEN_MIN);
        size.0.min(self.digests.saturating_add(count))
    }

    /// Remembers what a leaf says of an algorithm.
    pub fn take_algorithm(&mut self, leaf: &Leaf) {
        if let Statement::AlgorithmSet {
            algorithm, status, ..
        } = leaf.statement
        {
            if status == REVOKED {
                self.revoked_algorithms.insert(algorithm);
            } else {
                self.revoked_algorithms.remove(&algorithm);
            }
        }
    }

    /// Fields in their order, big-endian; `told` is 0 or one more.
    pub fn encode(&self) -> Vec<u8> {
        let told = self.told.map_or(0, |index| index.0 + 1);
        let numbers = [self.entries, self.digests, self.waiting, told];
        let mut bytes = self.root.to_vec();
        for number in numbers {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.push(u8::from(self.behind));
        for code in &self.revoked_algorithms {
            bytes.extend_from_slice(&code.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`MapState::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let mut cursor = Cursor::new(bytes);
        let root = cursor.b256("root")?;
        let entries = cursor.u64("entries")?;
        let digests = cursor.u64("digests")?;
        let waiting = cursor.u64("waiting")?;
        let told = cursor.u64("told")?.checked_sub(1).map(LeafIndex);
        let behind = cursor.u8("behind")? != 0;
        let rest = cursor.rest();
        let mut cursor = Cursor::new(rest);
        let codes = (0..rest.len() / 4).map(|_| cursor.u32("algorithm"));
        let revoked_algorithms = codes.collect::<Result<_, _>>()?;
        cursor.end()?;
        Ok(Self {
            root,
            entries,
            digests,
            waiting,
            told,
            behind,
            revoked_algorithms,
        })
    }
}

/// Whether a leaf says something of an id, a schema or an algorithm: by its kind.
pub fn is_about(leaf: &[u8]) -> bool {
    matches!(leaf.get(LEAF_KIND_AT), Some(2 | 3 | 6 | 7))
}

/// Commits to the algorithms that count for nothing: SHA-256 over their codes, ascending.
pub fn revoked_algorithms_hash<'a>(codes: impl IntoIterator<Item = &'a u32>) -> B256 {
    let bytes: Vec<u8> = codes.into_iter().flat_map(|it| it.to_be_bytes()).collect();
    sha256(&[&bytes])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::map::entry::{FirstAttested, MapValue};
    use crate::number::Height;

    pub(crate) fn said(number: u64) -> MapValue {
        MapValue::Digest(FirstAttested {
            index: LeafIndex(number),
            height: Height(number),
        })
    }

    fn due(state: &MapState, size: u64, before: u64, time: u64) -> bool {
        let (before, time) = (TimestampMs(before), TimestampMs(time));
        state.is_due(TreeSize(size), before, time, 1_000)
    }

    #[test]
    fn a_root_is_due_when_a_period_ends_or_much_waits() {
        let mut state = MapState::default();
        assert!(!due(&state, 0, 999, 1_000), "nothing is new");
        state.behind = true;
        assert!(due(&state, 1, 999, 1_000));
        assert!(!due(&state, 1, 1_000, 1_999), "the same period");
        assert!(due(&state, 1, 1, 90_000), "several periods");
        state.digests = 10;
        assert!(due(&state, 10 + WAITING_MAX, 1, 2));
        assert!(!due(&state, 9 + WAITING_MAX, 1, 2));
        state.waiting = TAKEN_MIN;
        assert!(due(&state, 10, 1, 2));
    }

    #[test]
    fn a_full_block_takes_fewer_digests() {
        let state = MapState {
            digests: 100,
            ..MapState::default()
        };
        let to = |size, own| state.digests_to(TreeSize(size), own);
        assert_eq!(to(150, 0), 150);
        assert_eq!(to(1_000_000, 0), 100 + WAITING_MAX);
        assert_eq!(to(1_000_000, 1_000), 100 + WAITING_MAX - 1_000);
        assert_eq!(to(1_000_000, 20_000), 100 + TAKEN_MIN);
    }

    #[test]
    fn what_is_about_others_is_known_by_its_kind() {
        use crate::log::leaf::tests::{attested, revoked, superseded};
        let bytes = |leaf: Leaf| leaf.encode().unwrap();
        assert!(!is_about(&bytes(attested(1, 1))));
        assert!(is_about(&bytes(revoked(1, 1, 1))));
        assert!(is_about(&bytes(superseded(1, 1, 1))));
        assert!(!is_about(&[]));
    }

    #[test]
    fn a_state_survives_its_bytes() {
        let mut state = MapState::default();
        for told in [None, Some(LeafIndex(0)), Some(LeafIndex(7))] {
            state.told = told;
            state.behind = told.is_some();
            state.revoked_algorithms.insert(0x12);
            state.entries += 1;
            assert_eq!(MapState::decode(&state.encode()), Ok(state.clone()));
        }
        let bytes = state.encode();
        assert!(MapState::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
