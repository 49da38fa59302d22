//! Proofs with the map, from what the store holds (SPEC §10.7).

use tbsi_rpc::BackendError;
use tbsi_store::MapAnswers;
use tbsi_types::bundle::{MapBundle, MapEntry, ProofBundle, StapledRoot};
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::map::{MapAnswer, MapEnd, MapQuestion};
use tbsi_types::{Height, LeafIndex, TreeSize};

use crate::answers::{internal, store_error};
use crate::node::Node;
use crate::proofs;

/// What the map says of a digest, under the checkpoint of the tip.
pub(crate) fn absence(
    node: &Node,
    question: MapQuestion,
    from: Height,
) -> Result<MapBundle, BackendError> {
    let told = answers(node, &[question])?;
    let (proof, _) = at_tip(node, told.root, from)?;
    Ok(MapBundle {
        proof,
        root: None,
        revoked_algorithms: told.revoked_algorithms,
        entries: entries(&[question], told.answers),
    })
}

/// An attestation with its status, both under the checkpoint of the tip; `None` if the log has
/// fewer leaves.
pub(crate) fn with_status(
    node: &Node,
    index: LeafIndex,
    from: Height,
) -> Result<Option<MapBundle>, BackendError> {
    let Some(bytes) = node.store.leaf(index).map_err(store_error)? else {
        return Ok(None);
    };
    let leaf = Leaf::decode(&bytes).map_err(internal)?;
    let Statement::Attestation(attestation) = leaf.statement else {
        return Err(BackendError::Refused(format!(
            "leaf {index} is no attestation, so it has no status; leave status out"
        )));
    };
    let issuer = leaf.head.issuer;
    let id = attestation.id(leaf.head.chain_id, issuer);
    let mut questions = vec![MapQuestion::Status { id, issuer }];
    if !BUILT_IN_SCHEMAS.contains(&attestation.schema) {
        questions.push(MapQuestion::Schema(attestation.schema));
    }
    let mut told = answers(node, &questions)?;
    if told.root <= index {
        return Err(BackendError::Refused(format!(
            "the map's last root is leaf {}, before leaf {index}; {}",
            told.root,
            later(node)
        )));
    }
    // Of a schema there is a question only if the answer matters.
    if let Some(first) = told.answers.first()
        && !matches!(first.end, MapEnd::Entry(_))
    {
        told.answers.truncate(1);
    }
    let (proof, size) = at_tip(node, index, from)?;
    let inclusion = node.store.prove_inclusion(told.root, size);
    let root = node.store.leaf(told.root).map_err(store_error)?;
    let gone = || BackendError::Internal(format!("leaf {} is not stored", told.root));
    Ok(Some(MapBundle {
        proof,
        root: Some(StapledRoot {
            leaf: root.ok_or_else(gone)?,
            leaf_index: told.root,
            inclusion: inclusion.map_err(store_error)?,
        }),
        revoked_algorithms: told.revoked_algorithms,
        entries: entries(&questions, told.answers),
    }))
}

fn entries(questions: &[MapQuestion], answers: Vec<MapAnswer>) -> Vec<MapEntry> {
    let both = questions.iter().zip(answers);
    let entry = |(question, answer): (&MapQuestion, _)| MapEntry {
        question: *question,
        answer,
    };
    both.map(entry).collect()
}

fn answers(node: &Node, questions: &[MapQuestion]) -> Result<MapAnswers, BackendError> {
    let told = node.store.map_answers(questions).map_err(store_error)?;
    told.ok_or_else(|| {
        BackendError::Refused(format!(
            "the log has no root of the map yet; {}",
            later(node)
        ))
    })
}

/// When to ask again.
fn later(node: &Node) -> String {
    let period = node.genesis.consensus.map_period_ms();
    format!(
        "there is one after each period of {period} ms in which something was attested: ask again \
         then"
    )
}

/// The bundle of a leaf under the checkpoint of the tip, and the size of the log there.
pub(crate) fn at_tip(
    node: &Node,
    index: LeafIndex,
    from: Height,
) -> Result<(ProofBundle, TreeSize), BackendError> {
    let height = node.tip().height;
    let leaf = node.store.leaf(index).map_err(store_error)?;
    let gone = || BackendError::Internal(format!("leaf {index} is not stored"));
    let checkpoint = proofs::checkpoint(node, height)?;
    let inclusion = node.store.prove_inclusion(index, checkpoint.log_size);
    let bundle = ProofBundle {
        genesis_hash: node.identity.genesis_hash,
        leaf: leaf.ok_or_else(gone)?,
        leaf_index: index,
        inclusion: inclusion.map_err(store_error)?,
        validators: proofs::named(node, checkpoint.validator_set_hash, height)?,
        handovers: proofs::all_handovers(node, from, height)?,
        decision: proofs::decision(node, height)?,
    };
    Ok((bundle, checkpoint.log_size))
}
