//! Proofs of leaves from what the store holds.

use tbsi_rpc::BackendError;
use tbsi_rpc::wire::LeafRange;
use tbsi_types::bundle::chain::HANDOVERS_PER_PAGE;
use tbsi_types::bundle::{
    Decision, HANDOVERS_MAX, Handover, HandoverRecord, HandoverWriter, NamedValidators, ProofBundle,
};
use tbsi_types::log::{EntryBundle, Leaf, Statement, count_all_leaves};
use tbsi_types::{B256, Bytes, Checkpoint, Height, LeafIndex};

use crate::answers::{internal, store_error};
use crate::cosign::LogState;
use crate::node::Node;

fn missing(what: &str, height: Height) -> BackendError {
    BackendError::Internal(format!("the {what} of block {height} is not stored"))
}

pub(crate) fn checkpoint(node: &Node, height: Height) -> Result<Checkpoint, BackendError> {
    let stored = node.store.checkpoint(height).map_err(store_error)?;
    stored.ok_or_else(|| missing("checkpoint", height))
}

/// The leaf under the checkpoint of its own block, so that the answer never changes.
///
/// With the changes of the validator set after `from`: genesis, or a checkpoint that its reader
/// trusts.
pub fn bundle(
    node: &Node,
    index: LeafIndex,
    from: Height,
) -> Result<Option<ProofBundle>, BackendError> {
    let Some(bytes) = node.store.leaf(index).map_err(store_error)? else {
        return Ok(None);
    };
    let height = Leaf::decode(&bytes).map_err(internal)?.head.height;
    let checkpoint = checkpoint(node, height)?;
    let inclusion = node.store.prove_inclusion(index, checkpoint.log_size);
    Ok(Some(ProofBundle {
        genesis_hash: node.identity.genesis_hash,
        leaf: bytes,
        leaf_index: index,
        inclusion: inclusion.map_err(store_error)?,
        validators: named(node, checkpoint.validator_set_hash, height)?,
        handovers: all_handovers(node, from, height)?,
        decision: decision(node, height)?,
    }))
}

/// The log after the block of a leaf that exists.
pub(crate) fn log_of_block(node: &Node, index: LeafIndex) -> Result<LogState, BackendError> {
    let bytes = node.store.leaf(index).map_err(store_error)?;
    let gone = || BackendError::Internal(format!("leaf {index} is not stored"));
    let leaf = Leaf::decode(&bytes.ok_or_else(gone)?).map_err(internal)?;
    let checkpoint = checkpoint(node, leaf.head.height)?;
    Ok((checkpoint.log_size, checkpoint.log_root))
}

/// The validator set with this hash, which decided `height`, under legal names.
pub(crate) fn named(
    node: &Node,
    hash: B256,
    height: Height,
) -> Result<NamedValidators, BackendError> {
    let members = node.store.members(hash).map_err(store_error)?;
    let members = members.ok_or_else(|| missing("validator set", height))?;
    members.named().map_err(internal)
}

pub(crate) fn decision(node: &Node, height: Height) -> Result<Decision, BackendError> {
    let certificate = node.store.certificate(height).map_err(store_error)?;
    Ok(Decision {
        checkpoint: checkpoint(node, height)?,
        certificate: certificate.ok_or_else(|| missing("certificate", height))?,
    })
}

/// The changes of the validator set after `from` that lead to the one which decides `to`
/// (SPEC §10.1), at most `limit`.
pub fn handovers(
    node: &Node,
    from: Height,
    to: Height,
    limit: usize,
) -> Result<Vec<Handover>, BackendError> {
    let heights = node.store.handovers(from, to, limit);
    let mut handovers = Vec::with_capacity(heights.len());
    for height in heights {
        let hash = checkpoint(node, height)?.validator_set_hash;
        // Block 0 has no certificate and hands over to nobody.
        handovers.push(Handover {
            validators: named(node, hash, height)?,
            last: decision(node, height)?,
            first: decision(node, height.next())?,
        });
    }
    Ok(handovers)
}

/// All of them up to the set that decides `height`: a bundle that leaves one out proves nothing.
pub(crate) fn all_handovers(
    node: &Node,
    from: Height,
    height: Height,
) -> Result<Vec<Handover>, BackendError> {
    // Counted before they are read.
    let count = node.store.handovers(from, height, HANDOVERS_MAX + 1).len();
    fit(count, from, height)?;
    handovers(node, from, height, HANDOVERS_MAX)
}

/// A page of `/log/handovers/`: `width` records from number `256 * index` on; `None` if there are
/// fewer.
pub(super) fn handover_page(node: &Node, page: EntryBundle) -> Result<Option<Bytes>, BackendError> {
    let width = usize::from(page.width);
    let first = page.index.saturating_mul(HANDOVERS_PER_PAGE);
    let heights = node.store.handovers_by_number(first, width);
    let Some(begin) = heights.first().filter(|_| heights.len() == width) else {
        return Ok(None);
    };
    let old = checkpoint(node, *begin)?.validator_set_hash;
    let mut old = named(node, old, *begin)?;
    let begun = HandoverWriter::begin(node.identity, old.clone());
    let (mut writer, mut bytes) = begun.map_err(internal)?;
    for height in heights {
        let after = height.next();
        let hash = checkpoint(node, after)?.validator_set_hash;
        let record = HandoverRecord {
            last: decision(node, height)?,
            first: decision(node, after)?,
            next: named(node, hash, after)?,
        };
        let record = record.minimal(&old);
        bytes.extend(writer.record(&record).map_err(internal)?);
        old = record.next;
    }
    Ok(Some(bytes.into()))
}

fn fit(handovers: usize, from: Height, height: Height) -> Result<(), BackendError> {
    if handovers <= HANDOVERS_MAX {
        return Ok(());
    }
    Err(BackendError::Limit(format!(
        "the validator set changed more than {HANDOVERS_MAX} times between heights {from} and \
         {height}, and a proof bundle holds no more changes; ask for one that begins later, such \
         as {{\"from\": {height}}}: /log/handovers/ has what lies before"
    )))
}

/// Positions follow from the receipts of the block and the size of the log before it.
pub fn leaves_of(node: &Node, transaction: B256) -> Result<Option<LeafRange>, BackendError> {
    let location = node.store.transaction_location(transaction);
    let Some((height, position)) = location.map_err(store_error)? else {
        return Ok(None);
    };
    let receipts = node.store.receipts(height).map_err(store_error)?;
    let receipts = receipts.ok_or_else(|| missing("receipts", height))?;
    let before = match height.previous() {
        Some(previous) => checkpoint(node, previous)?.log_size.0,
        None => 0,
    };
    let chain_id = node.identity.chain_id;
    let time = checkpoint(node, height)?.time;
    let begins_with_root = begins_with_root(node, LeafIndex(before), height)?;
    let count = |receipts| -> Result<u64, BackendError> {
        count_all_leaves(chain_id, height, time, receipts).map_err(internal)
    };
    let end = usize::try_from(position).map_err(internal)?;
    let earlier = receipts.get(..end).unwrap_or(&receipts);
    let own = receipts.get(end..=end).unwrap_or_default();
    Ok(Some(LeafRange {
        first: LeafIndex(before + u64::from(begins_with_root) + count(earlier)?),
        count: count(own)?,
    }))
}

/// Whether the block at `height`, whose first leaf would be at `index`, tells the map's root there
/// (SPEC §9.11).
fn begins_with_root(node: &Node, index: LeafIndex, height: Height) -> Result<bool, BackendError> {
    let Some(bytes) = node.store.leaf(index).map_err(store_error)? else {
        return Ok(false);
    };
    let leaf = Leaf::decode(&bytes).map_err(internal)?;
    let tells = matches!(leaf.statement, Statement::MapRoot(_));
    Ok(tells && leaf.head.height == height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_would_leave_handovers_out_is_refused_in_words() {
        assert_eq!(fit(HANDOVERS_MAX, Height(0), Height(7)), Ok(()));
        let outcome = fit(HANDOVERS_MAX + 1, Height(0), Height(7));
        let Err(BackendError::Limit(sentence)) = outcome else {
            panic!("one is left out");
        };
        assert!(
            sentence.contains("256 times between heights 0 and 7"),
            "{sentence}"
        );
    }
}
