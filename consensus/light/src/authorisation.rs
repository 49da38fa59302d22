//! Whether an organisation was authorised to use a data set at a time (SPEC §20.4): the acts of
//! both parties in the log, and the word of the state that says how long their terms held.

mod error;

use alloy_primitives::B256;
use tbsi_types::bundle::{ActText, AuthorisationBundle, PlacedAct};
use tbsi_types::contracts::AUTHORISATIONS;
use tbsi_types::log::leaf::body_hash;
use tbsi_types::log::{Leaf, Statement, leaf_hash};
use tbsi_types::{
    AuthorisationAct, AuthorisationEvent, Height, LeafIndex, TermsAct, TermsInForce, TimestampMs,
};

use crate::bundle::{TrustAnchor, VerifiedBundle, verify_bundle};
use crate::foreign::shared::SharedNodes;
use crate::log::verify_inclusion;

pub use error::{NotAuthorised, VerifyAuthorisationError};

/// What a proof of an authorisation proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenAuthorisation {
    /// Of the act with which the terms began.
    pub bundle: VerifiedBundle,
    /// Number of the authorisation.
    pub number: u32,
    /// Number of the organisation whose data set it is.
    pub grantor: u32,
    /// Number of the organisation that may use it.
    pub grantee: u32,
    /// The terms, and both organisations as the registry had them when these began.
    pub stated: TermsAct,
    /// How long the terms held, as far as is known.
    pub in_force: TermsInForce,
    /// Up to which block it is known how long they held.
    pub known: Height,
    /// From this second on it is not known.
    pub known_second: u64,
    /// The acts of the proof in the order of the log, the bundle's among them.
    pub acts: Vec<ProvenAct>,
}

/// An act that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenAct {
    /// Where it is.
    pub leaf_index: LeafIndex,
    /// The block in which it was.
    pub height: Height,
    /// The block's time.
    pub time: TimestampMs,
    /// What it says.
    pub event: AuthorisationEvent,
}

impl ProvenAuthorisation {
    /// Whether the grantee was authorised at the beginning of a second, for a purpose if one is
    /// given. What began within the second did not cover it, what ended within it neither.
    pub fn at(&self, second: u64, purpose: Option<B256>) -> Result<(), NotAuthorised> {
        let begun = self.bundle.leaf.head.time;
        let terms = &self.stated.terms;
        if second.saturating_mul(1_000) < begun.0 {
            return Err(NotAuthorised::NotBegun { begun });
        }
        if let Some((until, height)) = self.in_force.until
            && second >= until
        {
            return Err(NotAuthorised::Ended { until, height });
        }
        if !terms.cover(second) {
            let (from, until) = (terms.from, terms.until);
            return Err(NotAuthorised::OtherTime { from, until });
        }
        if let Some(purpose) = purpose
            && !terms.allow(Some(purpose))
        {
            return Err(NotAuthorised::OtherPurpose { purpose });
        }
        if self.in_force.until.is_none() && second >= self.known_second {
            let known = self.known_second;
            return Err(NotAuthorised::NotKnown { known });
        }
        Ok(())
    }

    /// What the grantee said that it used the data set for, in the order of the log.
    pub fn uses(&self) -> impl Iterator<Item = &ProvenAct> {
        let used = |it: &&ProvenAct| matches!(it.event.act, AuthorisationAct::ReliedOn { .. });
        self.acts.iter().filter(used)
    }
}

/// Verifies a bundle, the acts beside it, and how long the terms were in force by the state of
/// its checkpoint. Nothing is fetched; the same proof and anchor always give the same answer.
///
/// What it does not say: whether the grantor could give the data set, and what agreement and
/// purposes say beyond their digests.
pub fn verify_authorisation(
    proof: &AuthorisationBundle,
    anchor: &TrustAnchor,
) -> Result<ProvenAuthorisation, VerifyAuthorisationError> {
    let bundle = verify_bundle(&proof.proof, anchor)?;
    let own = read_act(&bundle.leaf, bundle.leaf_index, &proof.text)?;
    let stated = begins_terms(&own)?.clone();
    let mut acts = Vec::with_capacity(proof.acts.len() + 1);
    for placed in &proof.acts {
        let act = verify_act(placed, &bundle, anchor)?;
        require_same(&own, &act)?;
        if acts
            .last()
            .is_some_and(|it: &ProvenAct| it.leaf_index >= act.leaf_index)
            || act.leaf_index == own.leaf_index
        {
            return Err(VerifyAuthorisationError::Order(act.leaf_index));
        }
        acts.push(act);
    }
    let place = acts.partition_point(|it| it.leaf_index < own.leaf_index);
    let (number, grantor, grantee) = parties(&own);
    let (height, time) = (own.height, own.time);
    acts.insert(place, own);
    require_both(&acts, &stated, (grantor, grantee))?;
    let checkpoint = &bundle.decision.checkpoint;
    let mut nodes = SharedNodes::new(checkpoint.state_root, &proof.nodes);
    let word = nodes.word(AUTHORISATIONS, TermsInForce::slot(number, stated.version))?;
    nodes.end()?;
    let in_force = TermsInForce::decode(word).ok_or(VerifyAuthorisationError::NoVersion {
        authorisation: number,
        version: stated.version,
    })?;
    if in_force.since != (time.0 / 1_000, height) {
        return Err(VerifyAuthorisationError::OtherBeginning {
            state: in_force.since.1,
            leaf: height,
        });
    }
    Ok(ProvenAuthorisation {
        number,
        grantor,
        grantee,
        stated,
        in_force,
        known: checkpoint.height,
        known_second: checkpoint.time.0 / 1_000,
        acts,
        bundle,
    })
}

/// A leaf beside the bundle's, under the same checkpoint.
fn verify_act(
    placed: &PlacedAct,
    bundle: &VerifiedBundle,
    anchor: &TrustAnchor,
) -> Result<ProvenAct, VerifyAuthorisationError> {
    let index = placed.leaf_index;
    let leaf = Leaf::decode(&placed.leaf)?;
    let checkpoint = &bundle.decision.checkpoint;
    crate::bundle::check_leaf(&leaf, anchor, checkpoint)
        .map_err(|source| VerifyAuthorisationError::Place { index, source })?;
    verify_inclusion(
        leaf_hash(&placed.leaf),
        index,
        checkpoint.log_size,
        &placed.inclusion,
        checkpoint.log_root,
    )
    .map_err(|source| VerifyAuthorisationError::Inclusion { index, source })?;
    read_act(&leaf, index, &placed.text)
}

/// What a leaf says, if the text is its own.
fn read_act(
    leaf: &Leaf,
    leaf_index: LeafIndex,
    text: &ActText,
) -> Result<ProvenAct, VerifyAuthorisationError> {
    let other = VerifyAuthorisationError::OtherLeaf(leaf_index);
    let Statement::GovernanceAct {
        event,
        body_hash: expected,
    } = leaf.statement
    else {
        return Err(other);
    };
    if leaf.head.issuer != AUTHORISATIONS {
        return Err(other);
    }
    let got = body_hash(&text.topics, &text.data);
    if got != expected {
        return Err(VerifyAuthorisationError::Text {
            index: leaf_index,
            expected,
            got,
        });
    }
    let event = AuthorisationEvent::decode(event, &text.topics, &text.data).ok_or(other)?;
    Ok(ProvenAct {
        leaf_index,
        height: leaf.head.height,
        time: leaf.head.time,
        event,
    })
}

/// The terms that are in force from this act on.
fn begins_terms(act: &ProvenAct) -> Result<&TermsAct, VerifyAuthorisationError> {
    match &act.event.act {
        AuthorisationAct::Accepted(stated) | AuthorisationAct::Narrowed(stated) => Ok(stated),
        AuthorisationAct::Offered(_)
        | AuthorisationAct::Revoked { .. }
        | AuthorisationAct::ReliedOn { .. } => {
            Err(VerifyAuthorisationError::BeginsNothing(act.leaf_index))
        }
    }
}

fn parties(act: &ProvenAct) -> (u32, u32, u32) {
    let event = &act.event;
    (event.authorisation, event.grantor, event.grantee)
}

fn require_same(own: &ProvenAct, act: &ProvenAct) -> Result<(), VerifyAuthorisationError> {
    if parties(own) == parties(act) {
        return Ok(());
    }
    Err(VerifyAuthorisationError::OtherAuthorisation {
        index: act.leaf_index,
        expected: own.event.authorisation,
        got: act.event.authorisation,
    })
}

/// That the first terms, and those that the proof is of unless they take something away, were
/// offered by the grantor and accepted by the grantee; and that there is nothing else but uses.
fn require_both(
    acts: &[ProvenAct],
    stated: &TermsAct,
    (grantor, grantee): (u32, u32),
) -> Result<(), VerifyAuthorisationError> {
    let mut accepted_first = false;
    let mut offered: Vec<(&TermsAct, bool)> = Vec::new();
    for act in acts {
        let surplus = VerifyAuthorisationError::Surplus(act.leaf_index);
        let by = |expected: &[u32], got: u32| {
            let index = act.leaf_index;
            let known = expected.contains(&got);
            known
                .then_some(())
                .ok_or(VerifyAuthorisationError::By { index, got })
        };
        match &act.event.act {
            AuthorisationAct::Offered(terms) => {
                by(&[grantor], terms.by)?;
                offered.push((terms, false));
            }
            AuthorisationAct::Accepted(terms) => {
                by(&[grantee], terms.by)?;
                if terms.version != 0 && **terms != *stated {
                    return Err(surplus);
                }
                let same = |it: &&mut (&TermsAct, bool)| {
                    let (first, used) = it;
                    let place = (first.version, first.data_set) == (terms.version, terms.data_set);
                    !*used && place && first.terms == terms.terms
                };
                let Some(found) = offered.iter_mut().find(same) else {
                    return Err(VerifyAuthorisationError::NotOffered(act.leaf_index));
                };
                found.1 = true;
                accepted_first |= terms.version == 0;
            }
            AuthorisationAct::Narrowed(terms) => {
                by(&[grantor, grantee], terms.by)?;
                if **terms != *stated {
                    return Err(surplus);
                }
            }
            AuthorisationAct::ReliedOn { version, .. } if *version == stated.version => {}
            AuthorisationAct::ReliedOn { .. } | AuthorisationAct::Revoked { .. } => {
                return Err(surplus);
            }
        }
    }
    if !accepted_first || offered.iter().any(|(_, used)| !used) {
        return Err(VerifyAuthorisationError::NotAccepted);
    }
    Ok(())
}
