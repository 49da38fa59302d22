//! Inclusion and consistency in the attestation log, and signed notes (SPEC §9.2, §9.6).

use alloy_primitives::{Address, B256};
use tbsi_types::log::note::NoteError;
use tbsi_types::log::note_key::NoteKeyError;
use tbsi_types::log::{
    ConsistencyProof, CoseReceipt, Cosigner, InclusionProof, LogCheckpoint, NoteVerifier,
    ProofShapeError, SignatureType, SignedNote, TlogProof, leaf_hash,
};
use tbsi_types::{LeafIndex, TreeSize, VotingPower};

/// Why a proof or a note proves nothing. Each is final: the same bytes fail again.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LogError {
    /// Index, sizes and number of hashes do not fit together.
    #[error(transparent)]
    Shape(#[from] ProofShapeError),
    /// The proof leads elsewhere.
    #[error("inclusion proof leads to log root {computed}, expected {expected}")]
    Inclusion {
        /// Given.
        expected: B256,
        /// From leaf and proof.
        computed: B256,
    },
    /// The proof does not start from the earlier root.
    #[error("consistency proof belongs to an earlier root {computed}, expected {expected}")]
    EarlierRoot {
        /// Given.
        expected: B256,
        /// From the proof.
        computed: B256,
    },
    /// The proof does not lead to the later root.
    #[error("consistency proof leads to a later root {computed}, expected {expected}")]
    LaterRoot {
        /// Given.
        expected: B256,
        /// From the proof.
        computed: B256,
    },
    /// Nobody that is known signed.
    #[error("the log `{0}` did not sign this note, or with a key that is not given")]
    NotSigned(String),
    /// A known key's signature is wrong.
    #[error("note")]
    Key(#[from] NoteKeyError),
    /// The given key did not sign what the leaf leads to.
    #[error("COSE receipt")]
    CoseReceipt(#[source] NoteKeyError),
    /// The note is no checkpoint.
    #[error("note text")]
    Checkpoint(#[from] NoteError),
    /// A checkpoint of another log.
    #[error("checkpoint is of log `{got}`, expected `{expected}`")]
    Origin {
        /// Name of the log's key.
        expected: String,
        /// In the checkpoint.
        got: String,
    },
    /// One key cosigned twice: which time counts?
    #[error("`{0}` has two signatures on this note")]
    Twice(String),
    /// Too few of those who are known cosigned.
    #[error("{got} of the cosigners given signed, {needed} are needed")]
    Cosignatures {
        /// Valid ones.
        got: usize,
        /// Asked for.
        needed: usize,
    },
    /// Those who cosigned are no quorum.
    #[error(
        "validators with voting power {} of {} cosigned this note, more than two thirds are needed",
        .power.0, .total.0
    )]
    CosignedPower {
        /// Of those who cosigned.
        power: VotingPower,
        /// Of the whole set.
        total: VotingPower,
    },
}

/// Verifies that the leaf with this hash is at `index` of the log of `size` leaves and `root`
/// (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    leaf_hash: B256,
    index: LeafIndex,
    size: TreeSize,
    proof: &InclusionProof,
    root: B256,
) -> Result<(), LogError> {
    let computed = proof.root(leaf_hash, index, size)?;
    if computed != root {
        let expected = root;
        return Err(LogError::Inclusion { expected, computed });
    }
    Ok(())
}

/// Verifies that the log of `second` leaves begins with that of `first` (RFC 9162 §2.1.4.2).
/// The empty log begins every log, but nothing is proved by that: it is refused.
pub fn verify_consistency(
    first: (TreeSize, B256),
    second: (TreeSize, B256),
    proof: &ConsistencyProof,
) -> Result<(), LogError> {
    let (earlier, later) = proof.roots(first.0, second.0, first.1)?;
    let (expected, computed) = (first.1, earlier);
    if computed != expected {
        return Err(LogError::EarlierRoot { expected, computed });
    }
    let (expected, computed) = (second.1, later);
    if computed != expected {
        return Err(LogError::LaterRoot { expected, computed });
    }
    Ok(())
}

/// A checkpoint that a log signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedNote {
    /// Origin, size and root.
    pub checkpoint: LogCheckpoint,
    /// Names of the cosigners, of those given, in their order, and when they signed (seconds
    /// since the Unix epoch).
    pub cosigners: Vec<(String, u64)>,
}

/// Verifies that `log` signed the note as a checkpoint of the log that its key is named after,
/// and at least `needed` of `cosigners` cosigned it.
///
/// Signatures of other keys are ignored; a wrong signature of a given key condemns the note.
pub fn verify_note(
    note: &SignedNote,
    log: &NoteVerifier,
    cosigners: &[NoteVerifier],
    needed: usize,
) -> Result<VerifiedNote, LogError> {
    if verify_key(note, log)?.is_none() {
        return Err(LogError::NotSigned(log.name().into()));
    }
    let checkpoint = LogCheckpoint::parse(note.text())?;
    if checkpoint.origin != log.name() {
        return Err(LogError::Origin {
            expected: log.name().into(),
            got: checkpoint.origin,
        });
    }
    let mut signed: Vec<(String, u64)> = Vec::new();
    for (position, cosigner) in cosigners.iter().enumerate() {
        // A key counts once, under whatever names it is given: what it signs names nobody.
        let same = |other: &NoteVerifier| other.public_key() == cosigner.public_key();
        let repeated = cosigners[..position].iter().any(same);
        let cosigns = cosigner.signature_type() == SignatureType::Cosignature;
        if cosigns
            && !repeated
            && let Some(Some(time)) = verify_key(note, cosigner)?
        {
            signed.push((cosigner.name().into(), time));
        }
    }
    let got = signed.len();
    if got < needed {
        return Err(LogError::Cosignatures { got, needed });
    }
    Ok(VerifiedNote {
        checkpoint,
        cosigners: signed,
    })
}

/// A log that validators with a quorum of the voting power cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CosignedLog {
    /// Origin, size and root.
    pub checkpoint: LogCheckpoint,
    /// Who cosigned, in the order given, and when (seconds since the Unix epoch).
    pub signers: Vec<(Address, u64)>,
    /// Their voting power.
    pub power: VotingPower,
}

/// Verifies that `cosigners` with a quorum of the voting power `total` of their set cosigned the
/// note as a checkpoint of the log `origin` (SPEC §9.6). Who serves the note need not have
/// signed it.
///
/// Of a set whose keys are not all known, give those that are, and the power of all.
pub fn verify_cosigned(
    note: &SignedNote,
    origin: &str,
    cosigners: &[Cosigner],
    total: VotingPower,
) -> Result<CosignedLog, LogError> {
    let checkpoint = LogCheckpoint::parse(note.text())?;
    if checkpoint.origin != origin {
        return Err(LogError::Origin {
            expected: origin.into(),
            got: checkpoint.origin,
        });
    }
    let mut signers = Vec::new();
    let mut power = VotingPower(0);
    for (position, cosigner) in cosigners.iter().enumerate() {
        let key = &cosigner.key;
        let earlier = &cosigners[..position];
        // A key and a validator count once.
        let repeated = earlier.iter().any(|other| {
            other.key.public_key() == key.public_key() || other.validator == cosigner.validator
        });
        if !repeated
            && key.signature_type() == SignatureType::Cosignature
            && let Some(Some(time)) = verify_key(note, key)?
        {
            signers.push((cosigner.validator, time));
            power = VotingPower(power.0.saturating_add(cosigner.power.0));
        }
    }
    if !power.is_quorum_of(total) {
        return Err(LogError::CosignedPower { power, total });
    }
    Ok(CosignedLog {
        checkpoint,
        signers,
        power,
    })
}

/// The time of a cosignature if there is one, `Some(None)` for a plain signature, `None` if
/// the key did not sign.
fn verify_key(note: &SignedNote, key: &NoteVerifier) -> Result<Option<Option<u64>>, LogError> {
    let mut found = None;
    for signature in note.signatures().iter().filter(|line| key.claims(line)) {
        if found.is_some() {
            return Err(LogError::Twice(key.name().into()));
        }
        found = Some(key.verify(note.text(), signature)?);
    }
    Ok(found)
}

/// Verifies a `.tlog-proof` of `leaf`: the note as in [`verify_note`], then the inclusion.
pub fn verify_tlog_proof(
    leaf: &[u8],
    proof: &TlogProof,
    log: &NoteVerifier,
    cosigners: &[NoteVerifier],
    needed: usize,
) -> Result<VerifiedNote, LogError> {
    let verified = verify_note(&proof.note, log, cosigners, needed)?;
    let LogCheckpoint { size, root, .. } = verified.checkpoint;
    let leaf = leaf_hash(leaf);
    verify_inclusion(leaf, proof.index, size, &proof.inclusion, root)?;
    Ok(verified)
}

/// Verifies a COSE receipt of `leaf` (RFC 9942, SPEC §10.8): `key`, which it names, signed the
/// root to which the leaf leads. Returns the log whose root that is.
///
/// That is the word of one node. Whether `key` is a validator's, the caller has to know.
pub fn verify_cose_receipt(
    leaf: &[u8],
    receipt: &CoseReceipt,
    key: &NoteVerifier,
) -> Result<LogCheckpoint, LogError> {
    let (index, size) = (receipt.index, receipt.size);
    let root = receipt.inclusion.root(leaf_hash(leaf), index, size)?;
    receipt
        .verify_signature(root, key)
        .map_err(LogError::CoseReceipt)?;
    let origin = receipt.origin.clone();
    Ok(LogCheckpoint { origin, size, root })
}

#[cfg(test)]
mod tests;
