//! Several words of one state, proven with nodes that are stated once.

use std::collections::BTreeMap;
use std::slice;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use super::error::ProofError;
use super::proof::{storage_root, word_of};
use super::trie;

/// Nodes of a state's tries, in the order in which they are first needed: of what leads to several
/// words, the tops are the same. Each is stated once, and none in vain, so that a proof has one
/// form.
pub(crate) struct SharedNodes<'a> {
    root: B256,
    left: slice::Iter<'a, Bytes>,
    /// Position and bytes of those that were used, by hash.
    known: BTreeMap<B256, (u64, &'a [u8])>,
}

impl<'a> SharedNodes<'a> {
    /// Under a state root that is trusted.
    pub(crate) fn new(root: B256, nodes: &'a [Bytes]) -> Self {
        Self {
            root,
            left: nodes.iter(),
            known: BTreeMap::new(),
        }
    }

    /// The word in `slot` of `account`; zero if the account or the slot does not exist.
    pub(crate) fn word(&mut self, account: Address, slot: U256) -> Result<U256, ProofError> {
        let Some(found) = self.value(self.root, keccak256(account))? else {
            return Ok(U256::ZERO);
        };
        let storage = storage_root(found).ok_or(ProofError::Account)?;
        let slot = keccak256(slot.to_be_bytes::<32>());
        match self.value(storage, slot)? {
            None => Ok(U256::ZERO),
            Some(encoded) => word_of(encoded).map(Into::into).ok_or(ProofError::Value),
        }
    }

    /// That nothing is left over.
    pub(crate) fn end(mut self) -> Result<(), ProofError> {
        match self.left.next() {
            None => Ok(()),
            Some(_) => Err(ProofError::Surplus(self.known.len() as u64)),
        }
    }

    fn value(&mut self, root: B256, key: B256) -> Result<Option<&'a [u8]>, ProofError> {
        trie::walk(root, key, |expected| {
            if let Some(known) = self.known.get(&expected) {
                return Ok(*known);
            }
            let position = self.known.len() as u64;
            let node = self.left.next().ok_or(ProofError::Missing(position))?;
            if keccak256(node) != expected {
                return Err(ProofError::Hash(position));
            }
            let stated = (position, node.as_ref());
            self.known.insert(expected, stated);
            Ok(stated)
        })
    }
}
