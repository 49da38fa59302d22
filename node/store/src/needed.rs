//! Nodes of the state's tries with which a block can be executed without the state.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use tbsi_types::StateDiff;

use crate::error::StoreError;
use crate::state::{SeenNodes, StateAt, slot_hash};
use crate::trie;

/// What a block that reads some of a state and changes it needs of its tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededNodes {
    /// Each once, in the order of its bytes: on the way to what is read or changed, and beside it
    /// where a branch loses a child.
    pub nodes: Vec<Bytes>,
    /// The state root after the changes.
    pub root_after: B256,
}

impl StateAt<'_> {
    /// What a block with these reads and changes needs; `None` if that has more than `bytes_max`
    /// bytes.
    pub fn needed_nodes(
        &self,
        reads: &BTreeMap<Address, BTreeSet<U256>>,
        diff: &StateDiff,
        bytes_max: usize,
    ) -> Result<Option<NeededNodes>, StoreError> {
        self.reader.nodes.replace(Some(SeenNodes::default()));
        let root_after = self.look(reads, diff, bytes_max);
        let seen = self.reader.nodes.take().unwrap_or_default();
        let (root_after, nodes) = (root_after?, seen.nodes.into_iter());
        Ok((seen.bytes <= bytes_max).then(|| NeededNodes {
            nodes: nodes.map(Bytes::from).collect(),
            root_after,
        }))
    }

    /// Reads all nodes that are needed; stops early if they are too many.
    fn look(
        &self,
        reads: &BTreeMap<Address, BTreeSet<U256>>,
        diff: &StateDiff,
        bytes_max: usize,
    ) -> Result<B256, StoreError> {
        let is_too_large = || {
            let seen = self.reader.nodes.borrow();
            seen.as_ref().is_some_and(|seen| seen.bytes > bytes_max)
        };
        for (address, slots) in reads {
            let owner = keccak256(address);
            let read = |path: &Nibbles| self.reader.account_node(path);
            trie::prove(&read, Nibbles::unpack(owner))?;
            let read = |path: &Nibbles| self.reader.slot_node(&owner, path);
            for slot in slots {
                trie::prove(&read, Nibbles::unpack(slot_hash(*slot)))?;
                if is_too_large() {
                    return Ok(B256::ZERO);
                }
            }
        }
        self.root_after(diff)
    }
}
