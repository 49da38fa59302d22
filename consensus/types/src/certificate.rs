//! The commit certificate: a quorum of precommits for one checkpoint (SPEC §3.7).

use alloy_primitives::Address;

use crate::checkpoint::CheckpointDigest;
use crate::cursor::{Cursor, CursorError};
use crate::keys::{SIGNATURE_BYTES, Signature};
use crate::limits::{ROUND_MAX, VALIDATORS_MAX};
use crate::number::{Height, Round};
use crate::vote::{VoteKind, VoteStatement};

/// One validator's precommit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitSignature {
    /// Who signed.
    pub validator: Address,
    /// Over [`CommitCertificate::statement`].
    pub signature: Signature,
}

/// Signatures in address order, no validator twice. Whether they are a quorum of the right
/// set is `tbsi-light`'s question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCertificate {
    /// Height decided.
    pub height: Height,
    /// Round it was decided in.
    pub round: Round,
    /// What was decided.
    pub checkpoint_digest: CheckpointDigest,
    signatures: Vec<CommitSignature>,
}

/// Why bytes or signatures are not a certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CertificateError {
    /// Truncated or too long.
    #[error("certificate bytes")]
    Bytes(#[from] CursorError),
    /// More signatures than a set may have validators.
    #[error("certificate has {0} signatures, at most {VALIDATORS_MAX} are allowed")]
    TooMany(usize),
    /// Not canonical.
    #[error("certificate signatures must be in address order, each validator once: {0}")]
    Order(Address),
    /// A round that consensus cannot reach.
    #[error("certificate round {0} is above {ROUND_MAX}")]
    Round(u32),
}

impl CommitCertificate {
    /// Sorts the signatures; refuses a validator that appears twice.
    pub fn new(
        height: Height,
        round: Round,
        checkpoint_digest: CheckpointDigest,
        mut signatures: Vec<CommitSignature>,
    ) -> Result<Self, CertificateError> {
        signatures.sort();
        Self {
            height,
            round,
            checkpoint_digest,
            signatures,
        }
        .check()
    }

    fn check(self) -> Result<Self, CertificateError> {
        if self.signatures.len() > VALIDATORS_MAX {
            return Err(CertificateError::TooMany(self.signatures.len()));
        }
        if self.round.0 > ROUND_MAX {
            return Err(CertificateError::Round(self.round.0));
        }
        for pair in self.signatures.windows(2) {
            if pair[0].validator >= pair[1].validator {
                return Err(CertificateError::Order(pair[1].validator));
            }
        }
        Ok(self)
    }

    /// In address order.
    pub fn signatures(&self) -> &[CommitSignature] {
        &self.signatures
    }

    /// What every signature signs.
    pub fn statement(&self) -> VoteStatement {
        VoteStatement {
            kind: VoteKind::Precommit,
            height: self.height,
            round: self.round,
            value: Some(self.checkpoint_digest),
        }
    }

    /// height (u64), round (u32), digest (32), count (u16), then address (20) and signature
    /// (65) each; big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(46 + 85 * self.signatures.len());
        bytes.extend_from_slice(&self.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.round.0.to_be_bytes());
        bytes.extend_from_slice(self.checkpoint_digest.0.as_slice());
        let count = u16::try_from(self.signatures.len()).expect("at most VALIDATORS_MAX");
        bytes.extend_from_slice(&count.to_be_bytes());
        for entry in &self.signatures {
            bytes.extend_from_slice(entry.validator.as_slice());
            bytes.extend_from_slice(&entry.signature.0);
        }
        bytes
    }

    /// Accepts only what [`CommitCertificate::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        let mut cursor = Cursor::new(bytes);
        let height = Height(cursor.u64("height")?);
        let round = Round(cursor.u32("round")?);
        let checkpoint_digest = CheckpointDigest(cursor.b256("checkpoint digest")?);
        let count = usize::from(cursor.u16("signature count")?);
        if count > VALIDATORS_MAX {
            return Err(CertificateError::TooMany(count));
        }
        let mut signatures = Vec::with_capacity(count);
        for _ in 0..count {
            signatures.push(CommitSignature {
                validator: Address::from(cursor.array::<20>("validator")?),
                signature: Signature(cursor.array::<SIGNATURE_BYTES>("signature")?),
            });
        }
        cursor.end()?;
        Self {
            height,
            round,
            checkpoint_digest,
            signatures,
        }
        .check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    fn signature(validator: u8) -> CommitSignature {
        CommitSignature {
            validator: Address::repeat_byte(validator),
            signature: Signature([validator; SIGNATURE_BYTES]),
        }
    }

    fn certificate(validators: &[u8]) -> Result<CommitCertificate, CertificateError> {
        CommitCertificate::new(
            Height(9),
            Round(1),
            CheckpointDigest(B256::repeat_byte(3)),
            validators.iter().copied().map(signature).collect(),
        )
    }

    #[test]
    fn encodes_canonically() {
        let one = certificate(&[3, 1, 2]).unwrap();
        assert_eq!(one, certificate(&[1, 2, 3]).unwrap());
        assert_eq!(CommitCertificate::decode(&one.encode()), Ok(one.clone()));
        assert!(CommitCertificate::decode(&one.encode()[..45]).is_err());
    }

    #[test]
    fn refuses_unordered_repeated_or_too_many_signatures() {
        let twice = certificate(&[1, 1]);
        assert_eq!(twice, Err(CertificateError::Order(Address::repeat_byte(1))));
        let mut bytes = certificate(&[1, 2]).unwrap().encode();
        bytes[46] = 9;
        assert!(matches!(
            CommitCertificate::decode(&bytes),
            Err(CertificateError::Order(_))
        ));
        bytes[44..46].copy_from_slice(&u16::MAX.to_be_bytes());
        assert_eq!(
            CommitCertificate::decode(&bytes),
            Err(CertificateError::TooMany(65535))
        );
    }
}
