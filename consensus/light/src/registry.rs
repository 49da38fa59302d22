//! Whose account an issuer's was, who answers for the validators, and under which legal names:
//! words of the registry's contracts, proven under the state root of the bundle's checkpoint
//! (SPEC §10.11).

mod error;

use alloy_primitives::{Address, B256};
use tbsi_types::bundle::{IssuerPlace, PlacedRecord, RegistryPart};
use tbsi_types::contracts::{NODES, ORGANISATIONS, PERMISSIONS};
use tbsi_types::{
    Height, InForce, LegalRecord, Membership, NamedValidator, NamedValidators, first_number,
    node_slot, validator_key_slot,
};

use crate::bundle::VerifiedBundle;
use crate::foreign::shared::SharedNodes;

pub use error::ProveRegistryError;

/// What the registry proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenRegistry {
    /// `None` if the proof does not say whose account the issuer's was.
    pub issuer: Option<ProvenIssuer>,
    /// Who answers for each validator of the set, in address order; `None` if the proof does not
    /// say.
    pub operators: Vec<Option<ProvenOperator>>,
    /// Up to which block it is known.
    pub known: Height,
}

/// An issuer's organisation when it issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenIssuer {
    /// Number of the organisation.
    pub organisation: u32,
    /// Its legal names and identifiers in the issuer's block.
    pub legal: LegalRecord,
    /// Since when the account was the organisation's, and until when as far as is known.
    pub membership: InForce,
    /// Since when the organisation had these names, and until when as far as is known.
    pub record: InForce,
    /// Up to which block it is known.
    pub known: Height,
}

/// Who answers for a validator in the block of the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenOperator {
    /// Address of the consensus key.
    pub validator: Address,
    /// Number of its node.
    pub node: u32,
    /// Number of the organisation.
    pub organisation: u32,
    /// Its identifiers in that block, and legal names, which are those in the validator set.
    pub legal: LegalRecord,
    /// Since when the organisation had them.
    pub since: Height,
}

/// A record that the state has.
struct Found<'a> {
    placed: &'a PlacedRecord,
    in_force: InForce,
    /// Nothing is proven in vain.
    used: bool,
}

/// Proves whose account it was that made the bundle's leaf, and who answers for the validators
/// that could sign its checkpoint; `validators` are the bundle's. Nothing is fetched; the same
/// part and bundle always give the same answer.
///
/// What it does not say: that an organisation wanted what its account or its node did.
pub fn prove_registry(
    part: &RegistryPart,
    bundle: &VerifiedBundle,
    validators: &NamedValidators,
) -> Result<ProvenRegistry, ProveRegistryError> {
    let checkpoint = &bundle.decision.checkpoint;
    if validators.hash() != checkpoint.validator_set_hash {
        return Err(ProveRegistryError::OtherSet);
    }
    let (expected, got) = (validators.as_slice().len(), part.validators.len());
    if expected != got {
        return Err(ProveRegistryError::Count { expected, got });
    }
    let mut nodes = SharedNodes::new(checkpoint.state_root, &part.nodes);
    let member = part.issuer.map(|it| membership(&mut nodes, bundle, it));
    let member = member.transpose()?;
    let mut records = records(&mut nodes, &part.records)?;
    let known = checkpoint.height;
    let issuer = match part.issuer.zip(member) {
        Some((place, member)) => Some(issuer(&mut records, place, member, bundle)?),
        None => None,
    };
    let all = validators.as_slice().iter().zip(&part.validators);
    let operators = all.map(|(validator, record)| {
        let proven =
            record.map(|record| operator(&mut nodes, &mut records, validator, record, known));
        proven.transpose()
    });
    let operators = operators.collect::<Result<_, _>>()?;
    if let Some(unused) = records.iter().find(|it| !it.used) {
        return Err(ProveRegistryError::Unused {
            organisation: unused.placed.organisation,
            position: unused.placed.position,
        });
    }
    nodes.end()?;
    if records.is_empty() {
        return Err(ProveRegistryError::Nothing);
    }
    Ok(ProvenRegistry {
        issuer,
        operators,
        known,
    })
}

/// Whose account the issuer's was in the whole block of its statement.
fn membership(
    nodes: &mut SharedNodes<'_>,
    bundle: &VerifiedBundle,
    place: IssuerPlace,
) -> Result<Membership, ProveRegistryError> {
    let (account, height) = (bundle.issuer(), bundle.leaf.head.height);
    let position = place.membership;
    let word = nodes.word(PERMISSIONS, Membership::slot(account, position))?;
    let Some(found) = Membership::decode(word) else {
        return Err(ProveRegistryError::NoMembership { account, position });
    };
    if !found.in_force.covers(height) {
        return Err(ProveRegistryError::NotMember {
            account,
            organisation: found.organisation,
            in_force: found.in_force,
            height,
        });
    }
    Ok(found)
}

/// The records, which are those of the state.
fn records<'a>(
    nodes: &mut SharedNodes<'_>,
    placed: &'a [PlacedRecord],
) -> Result<Vec<Found<'a>>, ProveRegistryError> {
    let place = |it: &PlacedRecord| (it.organisation, it.position);
    let mut pairs = placed.windows(2);
    if let Some([_, second]) = pairs.find(|pair| place(&pair[0]) >= place(&pair[1])) {
        return Err(ProveRegistryError::Order {
            organisation: second.organisation,
            position: second.position,
        });
    }
    let found = placed.iter().map(|placed| {
        let PlacedRecord {
            organisation,
            position,
            ref legal,
        } = *placed;
        let [hash, heights] = LegalRecord::slots(organisation, position);
        let expected = B256::from(nodes.word(ORGANISATIONS, hash)?);
        let in_force = LegalRecord::heights(nodes.word(ORGANISATIONS, heights)?);
        let got = legal.hash(organisation);
        if got != expected {
            return Err(ProveRegistryError::Record {
                organisation,
                expected,
                got,
            });
        }
        Ok(Found {
            placed,
            in_force,
            used: false,
        })
    });
    found.collect()
}

/// The record of this number, which is of the organisation and covers the block of `height`.
fn take<'a, 'b>(
    records: &'b mut [Found<'a>],
    number: u32,
    organisation: u32,
    height: Height,
) -> Result<&'b Found<'a>, ProveRegistryError> {
    let count = records.len();
    let found = usize::try_from(number).ok();
    let found = found.and_then(|number| records.get_mut(number));
    let Some(found) = found else {
        return Err(ProveRegistryError::NoRecord { number, count });
    };
    found.used = true;
    let expected = organisation;
    let PlacedRecord {
        organisation,
        position,
        ..
    } = *found.placed;
    if organisation != expected {
        return Err(ProveRegistryError::OtherOrganisation {
            expected,
            got: organisation,
        });
    }
    if !found.in_force.covers(height) {
        return Err(ProveRegistryError::NotInForce {
            organisation,
            position,
            in_force: found.in_force,
            height,
        });
    }
    Ok(found)
}

fn issuer(
    records: &mut [Found<'_>],
    place: IssuerPlace,
    member: Membership,
    bundle: &VerifiedBundle,
) -> Result<ProvenIssuer, ProveRegistryError> {
    let (organisation, height) = (member.organisation, bundle.leaf.head.height);
    let record = take(records, place.record, organisation, height)?;
    Ok(ProvenIssuer {
        organisation,
        legal: record.placed.legal.clone(),
        membership: member.in_force,
        record: record.in_force,
        known: bundle.decision.checkpoint.height,
    })
}

/// A key is of one node, and that of one organisation, for ever; names and identifiers are those
/// of the checkpoint's block.
fn operator(
    nodes: &mut SharedNodes<'_>,
    records: &mut [Found<'_>],
    validator: &NamedValidator,
    record: u32,
    height: Height,
) -> Result<ProvenOperator, ProveRegistryError> {
    let address = validator.address;
    let nobody = ProveRegistryError::NotValidator { validator: address };
    let node = first_number(nodes.word(NODES, validator_key_slot(address))?);
    let Some(node) = node else {
        return Err(nobody);
    };
    let Some(organisation) = first_number(nodes.word(NODES, node_slot(node))?) else {
        return Err(nobody);
    };
    let found = take(records, record, organisation, height)?;
    let legal = &found.placed.legal;
    let named = (&legal.name_zh_tw, &legal.name_en);
    // After a new name, and before the handover that brings it into the set.
    if named != (&validator.name_zh_tw, &validator.name_en) {
        return Err(ProveRegistryError::Names {
            validator: address,
            organisation,
        });
    }
    Ok(ProvenOperator {
        validator: address,
        node,
        organisation,
        legal: legal.clone(),
        since: found.in_force.since,
    })
}
