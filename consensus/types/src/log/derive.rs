//! From a block's receipts to its leaves (SPEC §9.4).
//!
//! What the attestation contract, the governance contracts, the outbox and the contract of
//! foreign facts emit becomes leaves, in the order of transactions and of events within each; an
//! attestation event becomes one leaf for each of its digests.

mod abi;
mod acts;
mod events;

use alloy_primitives::{Address, Log};

pub use crate::contracts::{ATTESTATIONS, FACTS, OUTBOX};
use crate::contracts::{
    AUTHORISATIONS, CHAINS, MOTIONS, NODES, ORGANISATIONS, PERMISSIONS, UPGRADES,
};
use crate::log::leaf::{LEAF_BYTES_MAX, LEAF_HEAD_BYTES, LEAF_KIND_AT, LeafError, LeafHead, u24};
use crate::number::{Height, TimestampMs};
use crate::transaction::Receipt;

/// The contract that alone can change the table of digest algorithms: issuer of such leaves.
pub const GOVERNOR: Address = MOTIONS;

/// Contracts whose every event becomes a leaf: motions, organisations, nodes, permissions,
/// chains, upgrades (SPEC §13), authorisations (SPEC §20).
pub const GOVERNANCE: [Address; 7] = [
    MOTIONS,
    ORGANISATIONS,
    NODES,
    PERMISSIONS,
    CHAINS,
    UPGRADES,
    AUTHORISATIONS,
];

/// Bytes of a leaf that attests a digest of one word.
const ATTESTATION_LEAF_BYTES: usize = LEAF_HEAD_BYTES + 32 + 4 + 1 + 32;

/// Where leaves come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafBlock {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Height of the block.
    pub height: Height,
    /// Time of the block.
    pub time: TimestampMs,
}

/// The leaves of one block in one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafBatch {
    bytes: Vec<u8>,
    /// Where each leaf ends.
    ends: Vec<usize>,
}

impl LeafBatch {
    /// Number of leaves.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all leaves together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the `position`-th leaf of the block.
    pub fn get(&self, position: usize) -> Option<&[u8]> {
        let end = *self.ends.get(position)?;
        let start = position
            .checked_sub(1)
            .map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    /// The bytes of each leaf, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let leaf = |position| self.get(position).expect("the position is below the count");
        (0..self.count()).map(leaf)
    }

    /// Puts one leaf before all others.
    pub fn prepend(&mut self, leaf: &[u8]) {
        self.bytes.splice(..0, leaf.iter().copied());
        for end in &mut self.ends {
            *end += leaf.len();
        }
        self.ends.insert(0, leaf.len());
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        self.bytes.extend_from_slice(leaf);
        self.ends.push(self.bytes.len());
    }
}

/// The leaves of a block whose transactions have these `receipts`.
///
/// Fails only if height, time or a position is beyond what a leaf can hold, which makes the
/// block invalid. See [`derive_leaves`].
pub fn leaves(
    chain_id: u64,
    height: Height,
    time: TimestampMs,
    receipts: &[Receipt],
) -> Result<LeafBatch, LeafError> {
    let block = LeafBlock {
        chain_id,
        height,
        time,
    };
    let mut batch = LeafBatch::default();
    // An attestation takes more than the word of its event; what is reserved in vain costs
    // address space only.
    let events = receipts.iter().flat_map(|receipt| receipt.logs());
    let words = events.map(|log| log.data.data.len() / 32).sum::<usize>();
    batch.bytes.reserve(words * ATTESTATION_LEAF_BYTES);
    batch.ends.reserve(words);
    derive_leaves(&block, receipts, |leaf| batch.push(leaf))?;
    Ok(batch)
}

/// How many leaves a block has whose transactions have these `receipts`. Fails as [`leaves`].
pub fn count_all_leaves(
    chain_id: u64,
    height: Height,
    time: TimestampMs,
    receipts: &[Receipt],
) -> Result<u64, LeafError> {
    let block = LeafBlock {
        chain_id,
        height,
        time,
    };
    let mut count = 0;
    derive_leaves(&block, receipts, |_| count += 1)?;
    Ok(count)
}

/// Gives `sink` the bytes of each leaf of a block, in order, without allocating for any.
///
/// An event of [`ATTESTATIONS`] or [`OUTBOX`], or an imported fact, that is not one of the
/// known ones in canonical ABI encoding makes no leaf and takes no ordinal. These contracts
/// emit none such; the rule is there so that every sequence of receipts has exactly one sequence
/// of leaves.
pub fn derive_leaves(
    block: &LeafBlock,
    receipts: &[Receipt],
    mut sink: impl FnMut(&[u8]),
) -> Result<(), LeafError> {
    for (index, receipt) in receipts.iter().enumerate() {
        let mut writer = LeafWriter {
            block: *block,
            transaction_index: u32::try_from(index).unwrap_or(u32::MAX),
            ordinal: 0,
            sink: &mut sink,
        };
        for log in receipt.logs() {
            write(log, &mut writer)?;
        }
    }
    Ok(())
}

/// Writes the leaves of one event, if it makes any.
fn write<F: FnMut(&[u8])>(log: &Log, writer: &mut LeafWriter<'_, F>) -> Result<(), LeafError> {
    let (topics, data) = (log.topics(), log.data.data.as_ref());
    if log.address == ATTESTATIONS {
        events::write(topics, data, writer)
    } else if log.address == OUTBOX {
        acts::write_message(topics, data, writer)
    } else if log.address == FACTS {
        acts::write_of_facts(topics, data, writer)
    } else if GOVERNANCE.contains(&log.address) {
        acts::write_act(log.address, topics, data, writer)
    } else {
        Ok(())
    }
}

/// How many leaves events make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafCount {
    /// Of all kinds: what counts against a quota.
    pub all: u64,
    /// Of kinds 1 to 6: what the sender of the transaction needs a permission for (SPEC §13.4).
    /// The table of algorithms (7) is changed by motions.
    pub stated: u64,
}

/// How many leaves the events of one transaction make.
pub fn count_leaves(logs: &[Log]) -> LeafCount {
    let mut count = LeafCount::default();
    let mut sink = |leaf: &[u8]| {
        count.all += 1;
        count.stated += u64::from(matches!(leaf[LEAF_KIND_AT], 1..=6));
    };
    let mut writer = LeafWriter {
        block: LeafBlock {
            chain_id: 0,
            height: Height(0),
            time: TimestampMs(0),
        },
        transaction_index: 0,
        ordinal: 0,
        sink: &mut sink,
    };
    for log in logs {
        // Only a position beyond 2^24 is an error, and no transaction has gas for so many.
        if write(log, &mut writer).is_err() {
            break;
        }
    }
    count
}

/// Numbers the leaves of one transaction.
struct LeafWriter<'a, F> {
    block: LeafBlock,
    transaction_index: u32,
    ordinal: u32,
    sink: &'a mut F,
}

impl<F: FnMut(&[u8])> LeafWriter<'_, F> {
    /// A leaf of `kind`, its number still missing.
    fn begin(&self, kind: u8, issuer: Address) -> Result<LeafBuffer, LeafError> {
        let head = LeafHead {
            chain_id: self.block.chain_id,
            height: self.block.height,
            time: self.block.time,
            transaction_index: self.transaction_index,
            ordinal: 0,
            issuer,
        };
        let mut buffer = LeafBuffer {
            bytes: [0; LEAF_BYTES_MAX],
            length: 0,
        };
        buffer.push(&head.encode(kind)?);
        Ok(buffer)
    }

    /// Numbers the leaf and hands it over.
    fn emit(&mut self, buffer: &mut LeafBuffer) -> Result<(), LeafError> {
        buffer.bytes[25..28].copy_from_slice(&u24("ordinal", self.ordinal)?);
        (self.sink)(&buffer.bytes[..buffer.length]);
        self.ordinal = self.ordinal.saturating_add(1);
        Ok(())
    }
}

/// A leaf being written.
struct LeafBuffer {
    bytes: [u8; LEAF_BYTES_MAX],
    length: usize,
}

impl LeafBuffer {
    fn push(&mut self, part: &[u8]) {
        self.bytes[self.length..][..part.len()].copy_from_slice(part);
        self.length += part.len();
    }

    /// Goes back to `length`, to write something else from there.
    fn truncate(&mut self, length: usize) {
        assert!((LEAF_HEAD_BYTES..=self.length).contains(&length));
        self.length = length;
    }
}

#[cfg(test)]
mod tests;
