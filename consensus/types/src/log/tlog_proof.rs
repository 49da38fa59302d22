//! Offline proofs as other log software reads them: C2SP tlog-proof (SPEC §9.6).

use alloy_primitives::B256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::log::note::{NOTE_BYTES_MAX, NoteError, SignedNote, decimal};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::number::LeafIndex;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Bytes of the opaque extra data.
pub const TLOG_PROOF_EXTRA_BYTES_MAX: usize = 4 * 1024;

/// Bytes that no proof exceeds.
pub const TLOG_PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 16 * 1024;

/// An entry's index, its inclusion proof and the signed checkpoint of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque and not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Of the entry.
    pub index: LeafIndex,
    /// From the entry to the checkpoint's root.
    pub inclusion: InclusionProof,
    /// The checkpoint.
    pub note: SignedNote,
}

/// Why a text is not such a proof.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TlogProofError {
    /// Above the size limit.
    #[error("proof has {0} bytes, at most {TLOG_PROOF_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Another format or version.
    #[error("proof does not begin with `{HEADER}`")]
    Header,
    /// Not base64, or too long.
    #[error("proof line `extra` must hold at most {TLOG_PROOF_EXTRA_BYTES_MAX} bytes in base64")]
    Extra,
    /// No such line.
    #[error("proof line `index <decimal>` is missing or malformed")]
    Index,
    /// Not a hash.
    #[error("proof hash {0} is not 32 bytes in base64")]
    Hash(usize),
    /// More than any tree has levels.
    #[error("proof has more than {INCLUSION_HASHES_MAX} hashes")]
    Hashes,
    /// The checkpoint.
    #[error("proof checkpoint")]
    Note(#[from] NoteError),
}

impl TlogProof {
    /// The file with extension `.tlog-proof`.
    pub fn encode(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.inclusion.0 {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note.encode());
        text
    }

    /// Accepts only what [`TlogProof::encode`] writes.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > TLOG_PROOF_BYTES_MAX {
            return Err(TlogProofError::TooLong(text.len()));
        }
        let (head, note) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(TlogProofError::Header);
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(base64) = line.strip_prefix("extra ") {
            extra = Some(parse_extra(base64)?);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(decimal);
        let index = LeafIndex(index.ok_or(TlogProofError::Index)?);
        let mut hashes = Vec::new();
        for (number, line) in lines.enumerate() {
            if number >= INCLUSION_HASHES_MAX {
                return Err(TlogProofError::Hashes);
            }
            hashes.push(parse_hash(line).ok_or(TlogProofError::Hash(number + 1))?);
        }
        Ok(Self {
            extra,
            index,
            inclusion: InclusionProof(hashes),
            note: SignedNote::parse(note)?,
        })
    }
}

fn parse_extra(base64: &str) -> Result<Vec<u8>, TlogProofError> {
    let extra = STANDARD.decode(base64).ok();
    let fits = |extra: &Vec<u8>| extra.len() <= TLOG_PROOF_EXTRA_BYTES_MAX;
    extra.filter(fits).ok_or(TlogProofError::Extra)
}

fn parse_hash(base64: &str) -> Option<B256> {
    let bytes = STANDARD.decode(base64).ok()?;
    B256::try_from(bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests;
