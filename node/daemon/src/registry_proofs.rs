//! Proofs with what the registry says of an issuer and of the validators, from the state at the
//! tip (SPEC §10.11).

use std::collections::{BTreeMap, BTreeSet};

use tbsi_governance::abi::{self, NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_rpc::BackendError;
use tbsi_store::StateAt;
use tbsi_types::bundle::{IssuerPlace, LeafProof, PlacedRecord, RegistryBundle, RegistryPart};
use tbsi_types::log::leaf::LeafHead;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::map::MapQuestion;
use tbsi_types::{
    Address, Bytes, CallOutcome, CallRequest, Checkpoint, Height, InForce, LeafIndex, LegalRecord,
    Membership, NamedValidator, NamedValidators, StateView as _, U256, first_number, node_slot,
    validator_key_slot,
};

use crate::answers::{internal, store_error};
use crate::limits::CALL_GAS_MAX;
use crate::map_proofs;
use crate::node::Node;

/// The proof of a leaf with what the registry says of its issuer in the leaf's block, and of the
/// validators in the checkpoint's; `None` if the log has fewer leaves.
pub(crate) fn of_leaf(
    node: &Node,
    index: LeafIndex,
    from: Height,
    status: bool,
) -> Result<Option<RegistryBundle>, BackendError> {
    let Some(bytes) = node.store.leaf(index).map_err(store_error)? else {
        return Ok(None);
    };
    let leaf = Leaf::decode(&bytes).map_err(internal)?;
    let proof = if status {
        let map = map_proofs::with_status(node, index, from)?;
        LeafProof::Map(map.ok_or_else(|| gone(index))?)
    } else {
        LeafProof::Bundle(map_proofs::at_tip(node, index, from)?.0)
    };
    let issuer = by_account(&leaf.statement).then_some(&leaf.head);
    with_registry(node, proof, issuer).map(Some)
}

/// What the map says of a digest, with what the registry says of the validators: the chain states
/// it, so that there is no issuer.
pub(crate) fn of_absence(
    node: &Node,
    question: MapQuestion,
    from: Height,
) -> Result<RegistryBundle, BackendError> {
    let proof = map_proofs::absence(node, question, from)?;
    with_registry(node, LeafProof::Map(proof), None)
}

fn with_registry(
    node: &Node,
    proof: LeafProof,
    issuer: Option<&LeafHead>,
) -> Result<RegistryBundle, BackendError> {
    let bundle = proof.bundle();
    let state = node.store.state_at(bundle.decision.checkpoint.height);
    let found = Registry {
        node,
        state: state.map_err(store_error)?,
        checkpoint: bundle.decision.checkpoint,
    };
    let part = found.part(issuer, &bundle.validators)?;
    Ok(RegistryBundle { proof, part })
}

fn gone(index: LeafIndex) -> BackendError {
    BackendError::Internal(format!("leaf {index} is not stored"))
}

/// Roots of the map and acts of governance are stated by no account.
fn by_account(statement: &Statement) -> bool {
    match statement {
        Statement::Attestation(_)
        | Statement::Revocation { .. }
        | Statement::Supersession { .. }
        | Statement::CountersigningOpened { .. }
        | Statement::Countersignature { .. }
        | Statement::SchemaRegistered { .. }
        | Statement::Message { .. }
        | Statement::ForeignFact(_) => true,
        Statement::AlgorithmSet { .. }
        | Statement::MapRoot(_)
        | Statement::GovernanceAct { .. } => false,
    }
}

/// An organisation and which of its records it is.
type Place = (u32, u32);

/// The registry after the checkpoint's block.
struct Registry<'a> {
    node: &'a Node,
    state: StateAt<'a>,
    checkpoint: Checkpoint,
}

impl Registry<'_> {
    /// Whose account it was in the block of the leaf, and who answers for the validators.
    fn part(
        &self,
        issuer: Option<&LeafHead>,
        validators: &NamedValidators,
    ) -> Result<RegistryPart, BackendError> {
        let issuer = match issuer {
            Some(head) => self
                .issuer(head.issuer, head.height)?
                .map(|it| (head.issuer, it)),
            None => None,
        };
        let operators = validators.as_slice().iter();
        let operators =
            operators.map(|validator| Ok((validator.address, self.operator(validator)?)));
        let operators: Vec<(Address, Option<Place>)> =
            operators.collect::<Result<_, BackendError>>()?;
        let places = operators.iter().filter_map(|(_, place)| *place);
        let places = places.chain(issuer.map(|(_, (_, place))| place));
        let mut records = BTreeMap::new();
        for place in places {
            records.insert(place, self.legal(place)?);
        }
        if records.is_empty() {
            return Err(BackendError::Refused(
                "the registry names neither whose account the issuer's was nor who answers for the \
                 validators; ask without `registry` (`tbsi prove` without --with-names)"
                    .into(),
            ));
        }
        let number = |place: Place| {
            let at = records.keys().position(|it| *it == place);
            u32::try_from(at.expect("a place is that of a record")).map_err(internal)
        };
        let validators = operators
            .iter()
            .map(|(_, place)| place.map(number).transpose());
        let placed = issuer.map(|(_, (membership, place))| {
            let record = number(place)?;
            Ok::<_, BackendError>(IssuerPlace { membership, record })
        });
        Ok(RegistryPart {
            issuer: placed.transpose()?,
            validators: validators.collect::<Result<_, _>>()?,
            nodes: self.nodes(
                issuer.map(|(account, (membership, _))| (account, membership)),
                records.keys(),
                operators
                    .iter()
                    .filter(|(_, place)| place.is_some())
                    .map(|it| it.0),
            )?,
            records: records
                .into_iter()
                .map(|((organisation, position), legal)| PlacedRecord {
                    organisation,
                    position,
                    legal,
                })
                .collect(),
        })
    }

    /// Which membership and record cover the block of `height`; `None` if the account was nobody's
    /// in the whole of it, or its organisation got other names in it.
    fn issuer(
        &self,
        account: Address,
        height: Height,
    ) -> Result<Option<(u32, Place)>, BackendError> {
        let count = self.word(PERMISSIONS, Membership::count_slot(account))?;
        let read = |position| {
            let word = self.word(PERMISSIONS, Membership::slot(account, position))?;
            Ok(Membership::decode(word))
        };
        let member = latest(count, height, |position| {
            Ok(read(position)?.map(|it| it.in_force))
        })?;
        let Some(membership) = member else {
            return Ok(None);
        };
        let Some(found) = read(membership)? else {
            return Ok(None);
        };
        let record = self.record(found.organisation, height)?;
        Ok(record.map(|record| (membership, (found.organisation, record))))
    }

    /// The record of who answers for a validator; `None` if the names in the set are not those
    /// that the organisation has, or had in the whole of the checkpoint's block.
    fn operator(&self, validator: &NamedValidator) -> Result<Option<Place>, BackendError> {
        let node = self.word(NODES, validator_key_slot(validator.address))?;
        let Some(node) = first_number(node) else {
            return Ok(None);
        };
        let Some(organisation) = first_number(self.word(NODES, node_slot(node))?) else {
            return Ok(None);
        };
        let Some(record) = self.record(organisation, self.checkpoint.height)? else {
            return Ok(None);
        };
        let place = (organisation, record);
        let legal = self.legal(place)?;
        let same = legal.name_zh_tw == validator.name_zh_tw && legal.name_en == validator.name_en;
        Ok(same.then_some(place))
    }

    /// The record that covers the block of `height`.
    fn record(&self, organisation: u32, height: Height) -> Result<Option<u32>, BackendError> {
        let count = self.word(ORGANISATIONS, LegalRecord::count_slot(organisation))?;
        latest(count, height, |position| {
            let [_, heights] = LegalRecord::slots(organisation, position);
            let word = self.word(ORGANISATIONS, heights)?;
            Ok(Some(LegalRecord::heights(word)))
        })
    }

    fn word(&self, contract: Address, slot: U256) -> Result<U256, BackendError> {
        self.state.storage(contract, slot).map_err(internal)
    }

    /// The record as the contract tells it.
    fn legal(&self, (organisation, position): Place) -> Result<LegalRecord, BackendError> {
        let request = CallRequest {
            to: Some(ORGANISATIONS),
            input: abi::record_call(organisation, position),
            ..CallRequest::default()
        };
        let time = self.checkpoint.time.next();
        let context = self.node.next_block_context(time, Address::ZERO);
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
    fn nodes<'b>(
        &self,
        issuer: Option<(Address, u32)>,
        records: impl Iterator<Item = &'b Place>,
        validators: impl Iterator<Item = Address>,
    ) -> Result<Vec<Bytes>, BackendError> {
        let member = issuer.map(|(account, membership)| Membership::slot(account, membership));
        let records = records
            .flat_map(|(organisation, position)| LegalRecord::slots(*organisation, *position));
        let mut of_nodes = Vec::new();
        for validator in validators {
            let key = validator_key_slot(validator);
            let node = first_number(self.word(NODES, key)?).unwrap_or_default();
            of_nodes.extend([key, node_slot(node)]);
        }
        let words = [
            (PERMISSIONS, member.into_iter().collect()),
            (ORGANISATIONS, records.collect()),
            (NODES, of_nodes),
        ];
        let (mut nodes, mut stated) = (Vec::new(), BTreeSet::new());
        for (contract, slots) in words {
            if slots.is_empty() {
                continue;
            }
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
