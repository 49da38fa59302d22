//! Transitions.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::{Hold, Inclusion, Item, Reason, SendStep, SnapshotPart, TrustBasis};

/// A transition. Items and plans are where their last one left them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Event {
    /// The process started.
    Started {
        /// SHA-256 of the configuration file.
        config: B256,
        /// Version of the program.
        software: String,
    },
    /// These wait to be carried.
    Discovered {
        /// Which; may be empty if only the scan moved on.
        items: Vec<Item>,
        /// Leaves of the log that were looked at.
        scanned: u64,
        /// Whether an operator asked for them by name.
        requested: bool,
    },
    /// Verified by this relayer under one checkpoint.
    Proven {
        /// Which.
        items: Vec<Item>,
        /// Height of the checkpoint that proves them.
        height: u64,
        /// What the validators signed.
        checkpoint: B256,
        /// Leaves in its log.
        log_size: u64,
        /// The set that decided it.
        validator_set: B256,
        /// Who of them signed.
        signers: Vec<Address>,
        /// Why they are believed.
        assurance: TrustBasis,
    },
    /// They go into one transaction.
    Planned {
        /// Number of the plan, from 1.
        plan: u64,
        /// Which; empty for a transaction that the target itself needs.
        items: Vec<Item>,
    },
    /// The target has got so far with sending a plan.
    Step {
        /// The plan.
        plan: u64,
        /// Its own words.
        step: SendStep,
    },
    /// The transaction is in a block.
    Included {
        /// The plan.
        plan: u64,
        /// Where.
        inclusion: Inclusion,
    },
    /// The block is no longer part of the chain.
    Reorganised {
        /// The plan.
        plan: u64,
        /// The block that went away.
        block_hash: B256,
    },
    /// The block is final.
    Final {
        /// The plan.
        plan: u64,
        /// The items that it settled, for readers of this record alone.
        items: Vec<Item>,
        /// Where.
        inclusion: Inclusion,
    },
    /// The hash of record `through` is attested on the source, and with it all before.
    Acked {
        /// Number of a record.
        through: u64,
        /// Its hash.
        head: B256,
        /// Leaf of the attestation.
        leaf: u64,
        /// Height of that leaf.
        height: u64,
    },
    /// A final block of the target says that these are done, not by this relayer.
    AlreadyDone {
        /// Which.
        items: Vec<Item>,
        /// The block.
        block: u64,
    },
    /// A final block is later than the timeout of these messages, and they were not delivered:
    /// they never will be.
    Expired {
        /// Which.
        items: Vec<Item>,
        /// The block.
        block: u64,
    },
    /// Set aside until `tbsi relay clear --retry`.
    Quarantined {
        /// Which.
        items: Vec<Item>,
        /// Why.
        reason: Reason,
    },
    /// An operator asks for quarantined items again.
    Retried {
        /// Which.
        items: Vec<Item>,
    },
    /// The plan came to nothing; its items wait again.
    Released {
        /// The plan.
        plan: u64,
        /// Why.
        reason: Reason,
    },
    /// A plan that was released because every endpoint refused its transaction is looked after
    /// again: the transaction is in a block.
    Revived {
        /// The plan.
        plan: u64,
    },
    /// Nothing is sent from now on.
    Held {
        /// Why.
        reason: Hold,
    },
    /// Sending goes on.
    Resumed {
        /// What is over.
        reason: Hold,
    },
    /// Something an operator must look at. Nothing changes by it.
    Alarm {
        /// What.
        reason: Reason,
    },
    /// A part of where everything stood at the end of the file before: a new file of the journal
    /// begins with all of them.
    Snapshot {
        /// Which part.
        part: SnapshotPart,
    },
}

impl Event {
    /// The name of the state, as in JSON; that of a step is the target's.
    pub fn name(&self) -> &str {
        match self {
            Self::Started { .. } => "started",
            Self::Discovered { .. } => "discovered",
            Self::Proven { .. } => "proven",
            Self::Planned { .. } => "planned",
            Self::Step { step, .. } => &step.name,
            Self::Included { .. } => "included",
            Self::Reorganised { .. } => "reorganised",
            Self::Final { .. } => "final",
            Self::Acked { .. } => "acked",
            Self::AlreadyDone { .. } => "alreadyDone",
            Self::Expired { .. } => "expired",
            Self::Quarantined { .. } => "quarantined",
            Self::Retried { .. } => "retried",
            Self::Released { .. } => "released",
            Self::Revived { .. } => "revived",
            Self::Held { .. } => "held",
            Self::Resumed { .. } => "resumed",
            Self::Alarm { .. } => "alarm",
            Self::Snapshot { .. } => "snapshot",
        }
    }
}
