//! Proofs with the map: that a digest was not attested, that an attestation was not revoked
//! (SPEC §10.7).

mod audit;
mod error;

use alloy_primitives::{Address, B256};
use tbsi_types::bundle::MapBundle;
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{Attestation, Leaf, LeafHead, MapRoot, Statement, leaf_hash};
use tbsi_types::map::state::ALGORITHMS_MAX;
use tbsi_types::map::{
    FirstAttested, MapEnd, MapQuestion, MapValue, Said, StatusEntry, revoked_algorithms_hash,
};
use tbsi_types::{Checkpoint, Height, LeafIndex, TimestampMs};

pub use audit::{MapAudit, MapAuditError};
pub use error::VerifyMapError;

use crate::bundle::{TrustAnchor, VerifiedBundle, verify_bundle};
use crate::log::verify_inclusion;

/// The block up to which something is known, and until when that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownUpTo {
    /// All blocks up to this one.
    pub height: Height,
    /// No later block is of a time before this; `None` if that is not known.
    pub time: Option<TimestampMs>,
}

/// What a proof with the map proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedMap {
    /// Of the map's root, or of the attestation that its status is stapled to.
    pub bundle: VerifiedBundle,
    /// What the map was.
    pub root: MapRoot,
    /// The leaf that says so.
    pub root_index: LeafIndex,
    /// Up to when it is known what was said of attestations.
    pub known: KnownUpTo,
    /// Up to when it is known which digests were attested.
    pub digests_known: KnownUpTo,
    /// Of the attestation; `None` if the questions are about digests.
    pub status: Option<ProvenStatus>,
    /// Each question about a digest, and its first attestation if there is one.
    pub digests: Vec<(MapQuestion, Option<FirstAttested>)>,
}

/// What an attestation comes to by SPEC §12.4, except that countersignatures are not in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenStatus {
    /// Of the attestation.
    pub id: B256,
    /// Whose word counts.
    pub issuer: Address,
    /// The revocation, if it counts.
    pub revocation: Option<Said<u16>>,
    /// The first successor that its issuer named.
    pub supersession: Option<Said<B256>>,
    /// Whether digests of its algorithm prove nothing any more.
    pub algorithm_revoked: bool,
}

impl ProvenStatus {
    /// Whether it proves nothing any more.
    pub fn is_void(&self) -> bool {
        self.revocation.is_some() || self.algorithm_revoked
    }
}

/// Verifies a bundle, the map's root under the same checkpoint, and each answer. Nothing is
/// fetched; the same proof and anchor always give the same answer.
pub fn verify_map(bundle: &MapBundle, anchor: &TrustAnchor) -> Result<VerifiedMap, VerifyMapError> {
    let verified = verify_bundle(&bundle.proof, anchor)?;
    let checkpoint = &verified.decision.checkpoint;
    let (head, root, root_index) = verify_root(bundle, &verified, anchor)?;
    let codes = &bundle.revoked_algorithms;
    let ascending = codes.windows(2).all(|pair| pair[0] < pair[1]);
    let named = revoked_algorithms_hash(codes) == root.revoked_algorithms;
    if !ascending || codes.len() > ALGORITHMS_MAX || !named {
        return Err(VerifyMapError::Algorithms);
    }
    let answers = verify_answers(bundle, &root)?;
    let last = root_index.0.checked_add(1) == Some(checkpoint.log_size.0);
    let known = known_up_to(&root, &head, last.then_some(checkpoint));
    let digests_known = if root.digest_height == root.height {
        known
    } else {
        KnownUpTo {
            height: root.digest_height,
            time: None,
        }
    };
    let mut digests = Vec::new();
    let status = match bundle.root {
        Some(_) => Some(status(&verified, root_index, &answers, codes)?),
        None => {
            for (question, value) in &answers {
                let first = match (question, value) {
                    (MapQuestion::Digest(_), None) => None,
                    (MapQuestion::Digest(_), Some(MapValue::Digest(first))) => Some(*first),
                    (_, _) => return Err(VerifyMapError::Question),
                };
                digests.push((*question, first));
            }
            None
        }
    };
    Ok(VerifiedMap {
        bundle: verified,
        root,
        root_index,
        known,
        digests_known,
        status,
        digests,
    })
}

fn known_up_to(root: &MapRoot, head: &LeafHead, last: Option<&Checkpoint>) -> KnownUpTo {
    match last {
        // Nothing followed the root in all blocks up to the checkpoint's.
        Some(checkpoint) => KnownUpTo {
            height: checkpoint.height,
            time: Some(checkpoint.time),
        },
        None => KnownUpTo {
            height: root.height,
            time: Some(head.time),
        },
    }
}

/// The leaf with the map's root, which is the bundle's own or one beside it.
fn verify_root(
    bundle: &MapBundle,
    verified: &VerifiedBundle,
    anchor: &TrustAnchor,
) -> Result<(LeafHead, MapRoot, LeafIndex), VerifyMapError> {
    let (leaf, index) = match &bundle.root {
        None => (verified.leaf, verified.leaf_index),
        Some(root) => {
            let leaf = Leaf::decode(&root.leaf)?;
            let checkpoint = &verified.decision.checkpoint;
            crate::bundle::check_leaf(&leaf, anchor, checkpoint).map_err(VerifyMapError::Place)?;
            verify_inclusion(
                leaf_hash(&root.leaf),
                root.leaf_index,
                checkpoint.log_size,
                &root.inclusion,
                checkpoint.log_root,
            )
            .map_err(VerifyMapError::Inclusion)?;
            (leaf, root.leaf_index)
        }
    };
    let Statement::MapRoot(root) = leaf.statement else {
        return Err(VerifyMapError::NoRoot);
    };
    let before = leaf.head.height.previous() == Some(root.height);
    if !before || root.digest_height > root.height {
        return Err(VerifyMapError::Heights);
    }
    Ok((leaf.head, root, index))
}

type Answered = (MapQuestion, Option<MapValue>);

fn verify_answers(bundle: &MapBundle, root: &MapRoot) -> Result<Vec<Answered>, VerifyMapError> {
    let mut answers: Vec<Answered> = Vec::with_capacity(bundle.entries.len());
    for entry in &bundle.entries {
        let question = entry.question;
        if answers.iter().any(|(known, _)| *known == question) {
            return Err(VerifyMapError::Twice);
        }
        let got = entry.answer.root(&question.key())?;
        if got != root.root {
            let expected = root.root;
            return Err(VerifyMapError::Root { expected, got });
        }
        let value = match &entry.answer.end {
            MapEnd::Entry(value) => Some(question.read(value)?),
            MapEnd::Nothing | MapEnd::Other { .. } => None,
        };
        answers.push((question, value));
    }
    if answers.is_empty() {
        return Err(VerifyMapError::NoQuestion);
    }
    Ok(answers)
}

/// What the answers say of the attestation that they are stapled to.
fn status(
    verified: &VerifiedBundle,
    root_index: LeafIndex,
    answers: &[Answered],
    revoked_algorithms: &[u32],
) -> Result<ProvenStatus, VerifyMapError> {
    let leaf = &verified.leaf;
    let Statement::Attestation(attestation) = leaf.statement else {
        return Err(VerifyMapError::NoAttestation);
    };
    if verified.leaf_index >= root_index {
        return Err(VerifyMapError::Older {
            attestation: verified.leaf_index,
            root: root_index,
        });
    }
    let issuer = leaf.head.issuer;
    let id = attestation.id(leaf.head.chain_id, issuer);
    let (first, others) = answers.split_first().ok_or(VerifyMapError::NoQuestion)?;
    if first.0 != (MapQuestion::Status { id, issuer }) {
        return Err(VerifyMapError::Question);
    }
    let said = match first.1 {
        Some(MapValue::Status(said)) => said,
        Some(MapValue::Digest(_) | MapValue::Schema(_)) => return Err(VerifyMapError::Question),
        None => StatusEntry {
            revocation: None,
            supersession: None,
        },
    };
    let registered = registered(&attestation, others)?;
    let revocation = match said.revocation {
        Some(revocation) if may_be_revoked(&attestation, registered)? => Some(revocation),
        Some(_) | None => None,
    };
    Ok(ProvenStatus {
        id,
        issuer,
        revocation,
        supersession: said.supersession,
        algorithm_revoked: revoked_algorithms.contains(&attestation.algorithm),
    })
}

/// What is known of the attestation's schema: `None` if it was not asked for, otherwise whether
/// it is registered as revocable.
fn registered(
    attestation: &Attestation,
    others: &[Answered],
) -> Result<Option<bool>, VerifyMapError> {
    let asked = MapQuestion::Schema(attestation.schema);
    match others {
        [] => Ok(None),
        [(question, None)] if *question == asked => Ok(Some(false)),
        [(question, Some(MapValue::Schema(entry)))] if *question == asked => {
            Ok(Some(entry.revocable))
        }
        _ => Err(VerifyMapError::Question),
    }
}

/// A revocation counts only if the schema allows it (SPEC §12.4).
fn may_be_revoked(
    attestation: &Attestation,
    registered: Option<bool>,
) -> Result<bool, VerifyMapError> {
    if BUILT_IN_SCHEMAS.contains(&attestation.schema) {
        return Ok(true);
    }
    registered.ok_or(VerifyMapError::NoSchema)
}
