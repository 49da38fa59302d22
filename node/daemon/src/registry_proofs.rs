//! Proofs with what the registry says of an issuer, from the state at the tip (SPEC §10.11).

use std::collections::BTreeSet;

use tbsi_governance::abi::{self, ORGANISATIONS, PERMISSIONS};
use tbsi_rpc::BackendError;
use tbsi_store::StateAt;
use tbsi_types::bundle::{LeafProof, RegistryBundle, RegistryPart};
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{
    Address, Bytes, CallOutcome, CallRequest, Height, InForce, LeafIndex, LegalRecord, Membership,
    StateView as _, TimestampMs, U256,
};

use crate::answers::{internal, store_error};
use crate::limits::CALL_GAS_MAX;
use crate::map_proofs;
use crate::node::Node;

/// The proof of a leaf with what the registry says of its issuer in the leaf's block; `None` if
/// the log has fewer leaves.
pub(crate) fn of_issuer(
    node: &Node,
    index: LeafIndex,
    from: Height,
    status: bool,
) -> Result<Option<RegistryBundle>, BackendError> {
    let Some(bytes) = node.store.leaf(index).map_err(store_error)? else {
        return Ok(None);
    };
    let leaf = Leaf::decode(&bytes).map_err(internal)?;
    by_account(index, &leaf.statement)?;
    let proof = if status {
        let map = map_proofs::with_status(node, index, from)?;
        LeafProof::Map(map.ok_or_else(|| gone(index))?)
    } else {
        LeafProof::Bundle(map_proofs::at_tip(node, index, from)?.0)
    };
    let checkpoint = &proof.bundle().decision.checkpoint;
    let state = node.store.state_at(checkpoint.height);
    let found = Registry {
        node,
        state: state.map_err(store_error)?,
        time: checkpoint.time,
    };
    let part = found.part(leaf.head.issuer, leaf.head.height)?;
    Ok(Some(RegistryBundle { proof, part }))
}

fn gone(index: LeafIndex) -> BackendError {
    BackendError::Internal(format!("leaf {index} is not stored"))
}

/// Roots of the map and acts of governance are stated by no account.
fn by_account(index: LeafIndex, statement: &Statement) -> Result<(), BackendError> {
    match statement {
        Statement::Attestation(_)
        | Statement::Revocation { .. }
        | Statement::Supersession { .. }
        | Statement::CountersigningOpened { .. }
        | Statement::Countersignature { .. }
        | Statement::SchemaRegistered { .. }
        | Statement::Message { .. }
        | Statement::ForeignFact(_) => Ok(()),
        Statement::AlgorithmSet { .. }
        | Statement::MapRoot(_)
        | Statement::GovernanceAct { .. } => Err(BackendError::Refused(format!(
            "leaf {index} is stated by the chain, not by an account; ask without `registry` (`tbsi prove` without --with-names)"
        ))),
    }
}

/// The registry after one block.
struct Registry<'a> {
    node: &'a Node,
    state: StateAt<'a>,
    time: TimestampMs,
}

impl Registry<'_> {
    /// Whose account it was in the block of `height`.
    fn part(&self, account: Address, height: Height) -> Result<RegistryPart, BackendError> {
        let count = self.word(PERMISSIONS, Membership::count_slot(account))?;
        let read = |position| {
            let word = self.word(PERMISSIONS, Membership::slot(account, position))?;
            Ok(Membership::decode(word))
        };
        let member = latest(count, height, |position| {
            Ok(read(position)?.map(|it| it.in_force))
        })?;
        let member = match member {
            Some(position) => read(position)?.map(|it| (position, it.organisation)),
            None => None,
        };
        let Some((membership, organisation)) = member else {
            return Err(BackendError::Refused(format!(
                "account {account} was no organisation's in the whole of block {height}, so there \
                 is no legal name to prove; ask without `registry` (`tbsi prove` without --with-names)"
            )));
        };
        let count = self.word(ORGANISATIONS, LegalRecord::count_slot(organisation))?;
        let record = latest(count, height, |position| {
            let [_, heights] = LegalRecord::slots(organisation, position);
            let word = self.word(ORGANISATIONS, heights)?;
            Ok(Some(LegalRecord::heights(word)))
        })?;
        let record = record.ok_or_else(|| {
            BackendError::Refused(format!(
                "organisation {organisation} got other names or identifiers in block {height}, so \
                 it is not proven under which of them it acted; ask without `registry` (`tbsi prove` without --with-names)"
            ))
        })?;
        Ok(RegistryPart {
            membership,
            record,
            legal: self.legal(organisation, record)?,
            nodes: self.nodes(account, membership, organisation, record)?,
        })
    }

    fn word(&self, contract: Address, slot: U256) -> Result<U256, BackendError> {
        self.state.storage(contract, slot).map_err(internal)
    }

    /// The record as the contract tells it.
    fn legal(&self, organisation: u32, position: u32) -> Result<LegalRecord, BackendError> {
        let request = CallRequest {
            to: Some(ORGANISATIONS),
            input: abi::record_call(organisation, position),
            ..CallRequest::default()
        };
        let context = self
            .node
            .next_block_context(self.time.next(), Address::ZERO);
        let called = tbsi_execution::call(&self.state, &context, &request, CALL_GAS_MAX);
        let record = match called.map_err(internal)? {
            CallOutcome::Returned { output, .. } => abi::record(&output),
            CallOutcome::Reverted { .. }
            | CallOutcome::Halted { .. }
            | CallOutcome::Refused { .. } => None,
        };
        record.ok_or_else(|| {
            let what = format!("record {position} of organisation {organisation}");
            BackendError::Internal(format!("{what} cannot be read from the contract"))
        })
    }

    /// The nodes that lead to the words, each once, in the order in which a verifier reads them.
    fn nodes(
        &self,
        account: Address,
        membership: u32,
        organisation: u32,
        record: u32,
    ) -> Result<Vec<Bytes>, BackendError> {
        let words = [
            (PERMISSIONS, vec![Membership::slot(account, membership)]),
            (
                ORGANISATIONS,
                LegalRecord::slots(organisation, record).to_vec(),
            ),
        ];
        let (mut nodes, mut stated) = (Vec::new(), BTreeSet::new());
        for (contract, slots) in words {
            let proof = self.state.prove(contract, &slots).map_err(store_error)?;
            let of_slots = proof.slots.into_iter().flat_map(|slot| slot.nodes);
            for node in proof.nodes.into_iter().chain(of_slots) {
                if stated.insert(node.clone()) {
                    nodes.push(node);
                }
            }
        }
        Ok(nodes)
    }
}

/// Of `count` entries that followed one another, the one that covers `height`, if one does.
fn latest(
    count: U256,
    height: Height,
    in_force: impl Fn(u32) -> Result<Option<InForce>, BackendError>,
) -> Result<Option<u32>, BackendError> {
    let count = u32::try_from(count.as_limbs()[0]).map_err(internal)?;
    let (mut low, mut high) = (0, count);
    // Entries below `low` began before the block, those from `high` on did not.
    while low < high {
        let middle = low + (high - low) / 2;
        if in_force(middle)?.is_some_and(|it| it.since < height) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let Some(last) = low.checked_sub(1) else {
        return Ok(None);
    };
    let covers = in_force(last)?.is_some_and(|it| it.covers(height));
    Ok(covers.then_some(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_that_covers_a_block_is_found() {
        // Of the blocks 0 to 4, 4 to 4, 4 to 9, and from 12 on.
        let entries = [(0, 4), (4, 4), (4, 9), (12, 0)];
        let entries = entries.map(|(since, until): (u64, u64)| InForce {
            since: Height(since),
            until: (until != 0).then_some(Height(until)),
        });
        let found = |height| {
            let read = |position: u32| Ok(entries.get(position as usize).copied());
            latest(U256::from(entries.len()), Height(height), read).unwrap()
        };
        let all: Vec<_> = (0..15).map(found).collect();
        let expected = [0, 1, 1, 1, 0, 3, 3, 3, 3, 0, 0, 0, 0, 4, 4];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|it: u32| it.checked_sub(1))
            .collect();
        assert_eq!(all, expected);
    }
}
