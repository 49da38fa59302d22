//! Where one item, and one plan, stands; and all of them together, as a new file of the journal
//! begins with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Hold, Inclusion, Item, Reason, SendStep};

/// Where an item stands. One that is settled is no longer kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Where it stands.
    pub stage: Stage,
    /// When it was discovered, milliseconds since 1970.
    pub since_ms: u64,
    /// Transactions with it that failed in a block.
    pub failures: u32,
}

/// How far a plan has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanProgress {
    /// The target sends it, as its steps say.
    Sending,
    /// In a block that may go away.
    Included(Inclusion),
    /// The block went away, and the target has taken no step since.
    Lost,
}

/// A transaction on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// What it carries; nothing if the target itself needs it.
    pub items: Vec<Item>,
    /// How far it is.
    pub progress: PlanProgress,
    /// What the target has done about it, in its own words.
    pub steps: Vec<SendStep>,
    /// Time of its last event, milliseconds since 1970.
    pub moved_ms: u64,
}

/// What is counted and reached, beside items and plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Totals {
    /// Leaves of the source's log that were looked at.
    pub scanned: u64,
    /// Number of the last plan.
    pub last_plan: u64,
    /// Reasons for which nothing is sent.
    pub holds: BTreeSet<Hold>,
    /// Items that this relayer settled.
    pub settled: u64,
    /// Items that somebody else settled.
    pub already_done: u64,
    /// Messages whose timeout passed before anybody delivered them.
    pub expired: u64,
    /// Number of the record after which nothing is attested yet.
    pub acked: Option<u64>,
    /// Time of the last ack, milliseconds since 1970; that of the first record before it.
    pub acked_ms: u64,
    /// Number of the last record that says more than that the process started.
    pub last_act: Option<u64>,
    /// Time of the last event that settled something, milliseconds since 1970.
    pub progress_ms: u64,
    /// Highest checkpoint that this relayer brought to a final block.
    pub checkpoint: Option<u64>,
}

/// A part of a snapshot. They come in the order of the variants: totals once, the end once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SnapshotPart {
    /// What is counted and reached.
    Totals(Totals),
    /// Items that are not settled.
    Items(Vec<(Item, Entry)>),
    /// A plan that is open, or was given up; its steps follow.
    Plan {
        /// Its number.
        plan: u64,
        /// Whether it was given up.
        given_up: bool,
        /// The plan, without steps.
        stands: Plan,
    },
    /// A step of the plan before.
    Step(SendStep),
    /// That was all.
    End,
}
