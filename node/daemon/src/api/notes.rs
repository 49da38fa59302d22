//! Tiles and checkpoint notes of the log, for software that knows nothing of certificates
//! (SPEC §9.5, §9.6).

use tbsi_rpc::BackendError;
use tbsi_types::log::{LogCheckpoint, NoteSigner, SignedNote, Tile, TlogProof};
use tbsi_types::{Bytes, ChainIdentity, Checkpoint, LeafIndex};

use super::{internal, proofs, store_error};
use crate::node::Node;

/// The tile as wide as asked for: it may have grown since.
pub(super) fn tile(node: &Node, tile: Tile) -> Result<Option<Bytes>, BackendError> {
    let stored = node.store.log_tile(tile).map_err(store_error)?;
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(32 * usize::from(tile.width));
        bytes.into()
    };
    Ok(stored.map(cut))
}

/// The log at the tip, which is decided and stored.
pub(super) fn at_tip(node: &Node, signer: &NoteSigner) -> Result<SignedNote, BackendError> {
    let checkpoint = proofs::checkpoint(node, node.tip().height)?;
    note(&node.identity, &checkpoint, signer)
}

/// The leaf under its own block's checkpoint, so that the answer never changes.
pub(super) fn tlog_proof(
    node: &Node,
    signer: &NoteSigner,
    index: LeafIndex,
) -> Result<Option<TlogProof>, BackendError> {
    let Some(bundle) = proofs::bundle(node, index)? else {
        return Ok(None);
    };
    Ok(Some(TlogProof {
        extra: None,
        index,
        inclusion: bundle.inclusion,
        note: note(&node.identity, &bundle.decision.checkpoint, signer)?,
    }))
}

fn note(
    chain: &ChainIdentity,
    checkpoint: &Checkpoint,
    signer: &NoteSigner,
) -> Result<SignedNote, BackendError> {
    let text = LogCheckpoint {
        origin: chain.log_origin(),
        size: checkpoint.log_size,
        root: checkpoint.log_root,
    };
    let text = text.encode().map_err(internal)?;
    let signature = signer.sign(&text);
    SignedNote::new(text, vec![signature]).map_err(internal)
}
