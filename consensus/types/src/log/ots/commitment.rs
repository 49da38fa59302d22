//! What a calendar is asked about, by the message of its own pending attestations.

use alloy_primitives::{B256, hex};

use super::OtsError;
use crate::log::leaf::{LEAF_BYTES_MAX, Leaf};

/// What a pending attestation of a node's calendar is about (SPEC §10.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtsCommitment {
    /// A leaf: 0x00 and its bytes, which a leaf hash is of.
    Leaf(Leaf),
    /// The root of a log.
    Root(B256),
}

impl OtsCommitment {
    /// From hex digits, as clients ask for it.
    pub fn parse(text: &str) -> Result<Self, OtsError> {
        if text.len() > 2 * (1 + LEAF_BYTES_MAX) || text.starts_with("0x") {
            return Err(OtsError::Commitment);
        }
        let bytes = hex::decode(text).map_err(|_| OtsError::Commitment)?;
        if let Ok(root) = B256::try_from(bytes.as_slice()) {
            return Ok(Self::Root(root));
        }
        let leaf = bytes.strip_prefix(&[0]).map(Leaf::decode);
        match leaf {
            Some(Ok(leaf)) => Ok(Self::Leaf(leaf)),
            Some(Err(_)) | None => Err(OtsError::Commitment),
        }
    }
}
