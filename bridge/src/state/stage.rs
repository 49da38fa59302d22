//! Where one item, and one plan, stands.

use crate::record::{Attempt, Inclusion, Item, Reason};

/// Where an item stands. One that is settled is no longer kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits.
    Discovered,
    /// Verified; the next record plans it.
    Proven,
    /// Part of a plan.
    Planned(u64),
    /// Set aside.
    Quarantined(Reason),
}

/// An item that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub stage: Stage,
    /// When it was discovered, milliseconds since 1970.
    pub since_ms: u64,
    /// Transactions with it that failed in a block.
    pub failures: u32,
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanProgress {
    /// Nothing but a decision.
    Planned,
    /// It has a nonce.
    NonceReserved,
    /// The last attempt may have been sent.
    Signed,
    /// The last attempt was sent.
    Broadcast,
    /// In a block that may go away.
    Included(Inclusion),
}

/// A transaction on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it carries; nothing if it only uses up a nonce.
    pub items: Vec<Item>,
    /// How far it is.
    pub progress: PlanProgress,
    /// Its nonce, once reserved.
    pub nonce: Option<u64>,
    /// Signed transactions with that nonce; the last has the highest fees.
    pub attempts: Vec<Attempt>,
    /// Time of its last event, milliseconds since 1970.
    pub moved_ms: u64,
}
