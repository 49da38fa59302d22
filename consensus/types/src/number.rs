//! Numbers that are nouns. None converts from an integer silently; arithmetic is checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::ROUND_MAX;

/// Position of a block in the chain; genesis is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Height(pub u64);

impl Height {
    /// The genesis block.
    pub const GENESIS: Self = Self(0);

    /// The height after this one. A chain never reaches `u64::MAX` blocks.
    pub fn next(self) -> Self {
        Self(
            self.0
                .checked_add(1)
                .expect("a chain has fewer than 2^64 blocks"),
        )
    }

    /// The height before this one; `None` for genesis.
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// How many blocks `self` is above `other`; 0 when it is not above.
    pub fn above(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Attempt to decide a height; starts at 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Round(pub u32);

impl Round {
    /// The first attempt.
    pub const ZERO: Self = Self(0);

    /// A round from a wider integer; `None` above [`ROUND_MAX`] or below zero.
    pub fn checked(value: i64) -> Option<Self> {
        u32::try_from(value)
            .ok()
            .filter(|round| *round <= ROUND_MAX)
            .map(Self)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimestampMs(pub u64);

impl TimestampMs {
    /// Whole seconds, rounded down: the time of the Ethereum header (SPEC §4.2).
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The earliest time a child of a block at `self` may carry.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for TimestampMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Weight of a validator. A quorum is strictly more than two thirds of the total.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct VotingPower(pub u64);

impl VotingPower {
    /// Whether `self` is a quorum of `total`: `3 * self > 2 * total` (SPEC §3.3).
    pub fn is_quorum_of(self, total: Self) -> bool {
        3 * u128::from(self.0) > 2 * u128::from(total.0)
    }

    /// Whether `self` is more than a third of `total`: if at most a third is dishonest, one of
    /// these validators is honest.
    pub fn is_more_than_a_third_of(self, total: Self) -> bool {
        3 * u128::from(self.0) > u128::from(total.0)
    }
}

/// Number of leaves of the attestation log.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TreeSize(pub u64);

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Position of a leaf in the attestation log; the first is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LeafIndex(pub u64);

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorum_is_strictly_more_than_two_thirds_for_every_set_size() {
        for total in 1..=128u64 {
            let least = (0..=total).find(|w| VotingPower(*w).is_quorum_of(VotingPower(total)));
            assert_eq!(least, Some(2 * total / 3 + 1), "total {total}");
        }
    }

    #[test]
    fn quorum_does_not_overflow() {
        assert!(VotingPower(u64::MAX).is_quorum_of(VotingPower(u64::MAX)));
        assert!(!VotingPower(u64::MAX / 3 * 2).is_quorum_of(VotingPower(u64::MAX)));
    }

    #[test]
    fn rounds_are_bounded() {
        assert_eq!(Round::checked(-1), None);
        assert_eq!(Round::checked(i64::from(u32::MAX)), None);
        assert_eq!(Round::checked(7), Some(Round(7)));
    }
}
