//! Tiles and checkpoint notes of the log, for software that knows nothing of certificates
//! (SPEC §9.5, §9.6, §9.12, §10.8).

use std::time::Instant;

use tbsi_rpc::BackendError;
use tbsi_types::log::{
    CoseReceipt, LogCheckpoint, NoteSignature, NoteSigner, SignedNote, Tile, TlogProof,
};
use tbsi_types::{Bytes, LeafIndex};

use crate::answers::{internal, store_error};
use crate::cosign::LogState;
use crate::node::Node;
use crate::proofs;

/// The tile as wide as asked for: it may have grown since.
pub fn tile(node: &Node, tile: Tile) -> Result<Option<Bytes>, BackendError> {
    let stored = node.store.log_tile(tile).map_err(store_error)?;
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(32 * usize::from(tile.width));
        bytes.into()
    };
    Ok(stored.map(cut))
}

/// The log as others should read it: at the tip, or a moment before with cosignatures of a
/// quorum.
pub(super) fn latest(node: &Node, signer: &NoteSigner) -> Result<SignedNote, BackendError> {
    let tip = node.tip();
    let log = (tip.log_size, tip.log_root);
    let served = node.cosignatures().served(log, Instant::now());
    note(node, served, signer)
}

/// The leaf under the best signed log that covers it, or else that of its own block.
pub(super) fn tlog_proof(
    node: &Node,
    signer: &NoteSigner,
    index: LeafIndex,
) -> Result<Option<TlogProof>, BackendError> {
    if index.0 >= node.tip().log_size.0 {
        return Ok(None);
    }
    let covering = node.cosignatures().covering(index.0);
    let log = match covering {
        Some(log) => log,
        None => proofs::log_of_block(node, index)?,
    };
    let inclusion = node.store.prove_inclusion(index, log.0);
    Ok(Some(TlogProof {
        extra: None,
        index,
        inclusion: inclusion.map_err(store_error)?,
        note: note(node, log, signer)?,
    }))
}

/// The log that most power has cosigned with post-quantum keys; `None` if nobody has.
pub(super) fn post_quantum_note(
    node: &Node,
    signer: &NoteSigner,
) -> Result<Option<SignedNote>, BackendError> {
    let pool = node.post_quantum();
    let Some(log) = pool.covering(None) else {
        return Ok(None);
    };
    let lines = pool.lines(log);
    drop(pool);
    signed(node, log, signer, lines).map(Some)
}

/// The leaf under the log of those that cover it that most power has cosigned with post-quantum
/// keys; `None` if nobody has.
pub(super) fn post_quantum_proof(
    node: &Node,
    signer: &NoteSigner,
    index: LeafIndex,
) -> Result<Option<TlogProof>, BackendError> {
    let pool = node.post_quantum();
    let Some(log) = pool.covering(Some(index.0)) else {
        return Ok(None);
    };
    let lines = pool.lines(log);
    drop(pool);
    let inclusion = node.store.prove_inclusion(index, log.0);
    Ok(Some(TlogProof {
        extra: None,
        index,
        inclusion: inclusion.map_err(store_error)?,
        note: signed(node, log, signer, lines)?,
    }))
}

/// The leaf under the log of its own block, so that the receipts of all nodes are of one root.
pub(super) fn cose_receipt(
    node: &Node,
    signer: &NoteSigner,
    index: LeafIndex,
) -> Result<Option<CoseReceipt>, BackendError> {
    if index.0 >= node.tip().log_size.0 {
        return Ok(None);
    }
    let (size, root) = proofs::log_of_block(node, index)?;
    let inclusion = node.store.prove_inclusion(index, size);
    let inclusion = inclusion.map_err(store_error)?;
    let origin = node.identity.log_origin();
    let log = LogCheckpoint { origin, size, root };
    Ok(Some(CoseReceipt::sign(signer, log, index, inclusion)))
}

fn note(node: &Node, log: LogState, signer: &NoteSigner) -> Result<SignedNote, BackendError> {
    let lines = node.cosignatures().lines(log);
    signed(node, log, signer, lines)
}

fn signed(
    node: &Node,
    log: LogState,
    signer: &NoteSigner,
    cosignatures: Vec<NoteSignature>,
) -> Result<SignedNote, BackendError> {
    let text = node.cosignatures().text(log);
    let mut signatures = vec![signer.sign(&text)];
    signatures.extend(cosignatures);
    SignedNote::new(text, signatures).map_err(internal)
}
