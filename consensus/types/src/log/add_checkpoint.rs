//! What a log asks a witness: C2SP tlog-witness, `add-checkpoint` (SPEC §9.7).

use alloy_primitives::B256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::log::note::decimal;
use crate::log::{ConsistencyProof, NoteError, SignedNote};
use crate::number::TreeSize;

/// Bytes of a request: a note with signatures of every kind, and the longest proof.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// Hashes of a consistency proof, by C2SP.
pub const ADD_CHECKPOINT_HASHES_MAX: usize = 63;

/// A checkpoint, and that it continues the one that the witness knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size that the witness is thought to know; 0 if none.
    pub old: TreeSize,
    /// From there to the checkpoint.
    pub proof: ConsistencyProof,
    /// The checkpoint, signed by its log.
    pub note: SignedNote,
}

/// Why a text is not such a request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddCheckpointError {
    /// Above the size limit.
    #[error("request has {0} bytes, at most {ADD_CHECKPOINT_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// The first line.
    #[error("request must begin with `old <size in decimal>`")]
    Old,
    /// Not a hash.
    #[error("proof line {0} is not 32 bytes in base64")]
    Hash(usize),
    /// More than any tree needs.
    #[error("proof has more than {ADD_CHECKPOINT_HASHES_MAX} hashes")]
    Hashes,
    /// No empty line.
    #[error("an empty line must follow the proof")]
    Layout,
    /// The checkpoint.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
}

impl AddCheckpoint {
    /// The body of the request.
    pub fn encode(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof.0 {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note.encode());
        text
    }

    /// Accepts only what [`AddCheckpoint::encode`] writes.
    pub fn parse(text: &str) -> Result<Self, AddCheckpointError> {
        if text.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(AddCheckpointError::TooLong(text.len()));
        }
        let (old, mut rest) = text.split_once('\n').ok_or(AddCheckpointError::Old)?;
        let old = old.strip_prefix("old ").and_then(decimal);
        let old = TreeSize(old.ok_or(AddCheckpointError::Old)?);
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(AddCheckpointError::Layout)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() == ADD_CHECKPOINT_HASHES_MAX {
                return Err(AddCheckpointError::Hashes);
            }
            let hash = STANDARD.decode(line).ok();
            let hash = hash.and_then(|hash| B256::try_from(hash.as_slice()).ok());
            proof.push(hash.ok_or(AddCheckpointError::Hash(proof.len() + 1))?);
        }
        Ok(Self {
            old,
            proof: ConsistencyProof(proof),
            note: SignedNote::parse(rest)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{LogCheckpoint, NoteSigner};

    fn request(hashes: usize) -> AddCheckpoint {
        let checkpoint = LogCheckpoint {
            origin: "log.example".into(),
            size: TreeSize(9),
            root: B256::repeat_byte(9),
        };
        let text = checkpoint.encode().unwrap();
        let signature = NoteSigner::new("log.example", &[7; 32])
            .unwrap()
            .sign(&text);
        AddCheckpoint {
            old: TreeSize(5),
            proof: ConsistencyProof(vec![B256::repeat_byte(1); hashes]),
            note: SignedNote::new(text, vec![signature]).unwrap(),
        }
    }

    #[test]
    fn reads_back_what_it_writes() {
        for hashes in [0, 1, ADD_CHECKPOINT_HASHES_MAX] {
            let request = request(hashes);
            assert_eq!(AddCheckpoint::parse(&request.encode()), Ok(request));
        }
    }

    #[test]
    fn refuses_every_other_text() {
        let good = request(2).encode();
        let check = |text: String, error: AddCheckpointError| {
            assert_eq!(AddCheckpoint::parse(&text), Err(error), "{text}");
        };
        let from = |old: &str, new: &str| good.replacen(old, new, 1);
        check(String::new(), AddCheckpointError::Old);
        for old in [
            "old 05", "old -5", "old +5", "old", "new 5", "old  5", "Old 5",
        ] {
            check(from("old 5", old), AddCheckpointError::Old);
        }
        check(from("AQE", "AQ="), AddCheckpointError::Hash(1));
        check(
            from("old 5\n", "old 5\nAQE=\n"),
            AddCheckpointError::Hash(1),
        );
        check(from("old 5\n", "old 5\r\n"), AddCheckpointError::Old);
        let many = request(ADD_CHECKPOINT_HASHES_MAX + 1).encode();
        check(many, AddCheckpointError::Hashes);
        check("old 5\n".into(), AddCheckpointError::Layout);
        check(
            "old 5\n\n".into(),
            AddCheckpointError::Note(NoteError::Layout),
        );
        let long = good.clone() + &" ".repeat(ADD_CHECKPOINT_BYTES_MAX);
        check(long.clone(), AddCheckpointError::TooLong(long.len()));
        for cut in 0..good.len() {
            if good.is_char_boundary(cut) {
                assert!(AddCheckpoint::parse(&good[..cut]).is_err(), "{cut}");
            }
        }
    }
}
