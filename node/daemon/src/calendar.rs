//! A calendar of OpenTimestamps (SPEC §10.9): from a file's digest through its leaf and the log
//! to what another calendar says of the log's root, and in the end to Bitcoin. What it says until
//! then is a promise.

mod anchors;
mod forward;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tbsi_home::config::CalendarConfig;
use tbsi_rpc::{BackendError, CalendarAnswer, Http, Remote};
use tbsi_types::log::{Leaf, OtsCommitment, OtsWriter, Statement};
use tbsi_types::{B256, LeafIndex};

use crate::answers::{internal, store_error};
use crate::node::Node;
use crate::proofs;
use anchors::Anchors;

/// Multihash code of SHA-256, the one digest that clients of calendars send.
const SHA2_256: u32 = 0x12;

/// What this node promised, and what came of it.
pub struct Calendar {
    config: CalendarConfig,
    /// The one that is anchored in Bitcoin.
    upstream: Option<Remote>,
    anchors: Mutex<Anchors>,
}

impl Calendar {
    /// Reads what was anchored so far. `dir` is made if there is something to keep in it.
    pub(crate) fn open(dir: &Path, http: &Http, config: &CalendarConfig) -> anyhow::Result<Self> {
        let upstream = config.upstream.as_deref().map(|url| http.remote(url));
        Ok(Self {
            anchors: Mutex::new(Anchors::open(dir, config.upstream.is_some())?),
            upstream: upstream.transpose()?,
            config: config.clone(),
        })
    }

    fn anchors(&self) -> MutexGuard<'_, Anchors> {
        self.anchors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The timestamp of the digest that a leaf attests.
    pub(crate) fn of_leaf(
        &self,
        node: &Node,
        index: LeafIndex,
    ) -> Result<CalendarAnswer, BackendError> {
        let stored = node.store.leaf(index).map_err(store_error)?;
        let Some(bytes) = stored else {
            let size = node.tip().log_size;
            return Ok(Err(format!(
                "leaf {index} does not exist: the log has {size} leaves"
            )));
        };
        let Some(digest) = digest(&Leaf::decode(&bytes).map_err(internal)?) else {
            return Ok(Err(format!(
                "leaf {index} attests no SHA-256, which is what OpenTimestamps files begin with"
            )));
        };
        let before = &bytes[..bytes.len() - digest.len()];
        let mut writer = OtsWriter::default();
        writer.prepend(&[&[0], before].concat());
        let timestamp = match self.anchored(node, index)? {
            Some(timestamp) => writer.finish_with(&timestamp),
            None => self.promised(node, index, writer)?,
        };
        Ok(Ok(timestamp.into()))
    }

    /// A file with it.
    pub(crate) fn file(
        &self,
        node: &Node,
        index: LeafIndex,
    ) -> Result<CalendarAnswer, BackendError> {
        let timestamp = match self.of_leaf(node, index)? {
            Ok(timestamp) => timestamp,
            Err(sentence) => return Ok(Err(sentence)),
        };
        let stored = node.store.leaf(index).map_err(store_error)?;
        let leaf = Leaf::decode(&stored.unwrap_or_default()).map_err(internal)?;
        let digest = digest(&leaf).unwrap_or_default();
        Ok(Ok(OtsWriter::file(digest).finish_with(&timestamp).into()))
    }

    /// From a leaf with 0x00 before it to the root of its own block's log: two promises, because
    /// the leaf is what can be looked up, and the root what can be compared with a checkpoint.
    fn promised(
        &self,
        node: &Node,
        index: LeafIndex,
        mut writer: OtsWriter,
    ) -> Result<Vec<u8>, BackendError> {
        let (size, _) = proofs::log_of_block(node, index)?;
        let inclusion = node.store.prove_inclusion(index, size);
        writer.pending(&self.config.url, false);
        writer.sha256();
        let path = writer.path(index, size, &inclusion.map_err(store_error)?);
        path.map_err(internal)?;
        writer.pending(&self.config.url, true);
        Ok(writer.finish())
    }

    /// From a leaf with 0x00 before it to Bitcoin, if a log with it is anchored there.
    fn anchored(&self, node: &Node, index: LeafIndex) -> Result<Option<Vec<u8>>, BackendError> {
        let found = self.anchors().covering(index);
        let Some((size, timestamp)) = found else {
            return Ok(None);
        };
        let inclusion = node.store.prove_inclusion(index, size);
        let mut writer = OtsWriter::default();
        writer.sha256();
        let path = writer.path(index, size, &inclusion.map_err(store_error)?);
        path.map_err(internal)?;
        Ok(Some(writer.finish_with(&timestamp)))
    }

    /// What became of a promise.
    pub(crate) fn later(
        &self,
        node: &Node,
        commitment: &OtsCommitment,
    ) -> Result<CalendarAnswer, BackendError> {
        let known = match commitment {
            OtsCommitment::Root(root) => self.anchors().of_root(*root),
            OtsCommitment::Leaf(leaf) => match index_of(node, leaf)? {
                Some(index) => self.anchored(node, index)?,
                None => return Ok(Err("this leaf is not in the log".into())),
            },
        };
        let known = known.map(Into::into);
        Ok(known.ok_or_else(|| match self.config.upstream {
            Some(_) => "pending: the log with it is not in Bitcoin yet".into(),
            None => "pending: this calendar is not anchored in Bitcoin".into(),
        }))
    }
}

/// The SHA-256 that a leaf attests.
fn digest(leaf: &Leaf) -> Option<B256> {
    let Statement::Attestation(stated) = leaf.statement else {
        return None;
    };
    let digest = stated.digest.to_bytes();
    let is_ours = stated.algorithm == SHA2_256;
    B256::try_from(digest.as_slice()).ok().filter(|_| is_ours)
}

/// Where a leaf is: among those of its block, which are in the order of their heads.
fn index_of(node: &Node, leaf: &Leaf) -> Result<Option<LeafIndex>, BackendError> {
    let height = leaf.head.height;
    let Some(parent) = height.previous().filter(|_| height <= node.tip().height) else {
        return Ok(None);
    };
    let mut low = proofs::checkpoint(node, parent)?.log_size.0;
    let mut high = proofs::checkpoint(node, height)?.log_size.0;
    let place = |leaf: &Leaf| (leaf.head.transaction_index, leaf.head.ordinal);
    while low < high {
        let middle = low + (high - low) / 2;
        let stored = node.store.leaf(LeafIndex(middle)).map_err(store_error)?;
        let gone = || BackendError::Internal(format!("leaf {middle} is not stored"));
        let found = Leaf::decode(&stored.ok_or_else(gone)?).map_err(internal)?;
        if found == *leaf {
            return Ok(Some(LeafIndex(middle)));
        }
        if place(&found) < place(leaf) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(None)
}
