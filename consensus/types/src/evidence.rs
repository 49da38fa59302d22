//! Evidence of equivocation: two signed, contradictory statements of one validator for one
//! height and round (SPEC §3.8). Anyone can verify it with the chain's identity alone.

use alloy_primitives::Address;

use crate::cursor::Cursor;
use crate::identity::ChainIdentity;
use crate::keys::{KeyError, Signature};
use crate::number::{Height, Round};
use crate::vote::{ProposalStatement, StatementError, VoteStatement};

/// Bytes that no encoded evidence exceeds.
pub const EVIDENCE_BYTES_MAX: usize = 256;

/// The pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Two different votes of one kind.
    Votes {
        /// Who signed both.
        validator: Address,
        /// One vote and its signature.
        first: (VoteStatement, Signature),
        /// The other.
        second: (VoteStatement, Signature),
    },
    /// Two different proposals.
    Proposals {
        /// Who signed both.
        validator: Address,
        /// One proposal and its signature.
        first: (ProposalStatement, Signature),
        /// The other.
        second: (ProposalStatement, Signature),
    },
}

/// Why a pair proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EvidenceError {
    /// Same statement, or different height, round or kind.
    #[error("the two statements do not contradict each other")]
    NoContradiction,
    /// A signature is not the accused's.
    #[error("signature of the {which} statement")]
    Signature {
        /// "first" or "second".
        which: &'static str,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
}

impl Evidence {
    /// The accused.
    pub fn validator(&self) -> Address {
        match self {
            Self::Votes { validator, .. } | Self::Proposals { validator, .. } => *validator,
        }
    }

    /// Kind (u8: 1 votes, 2 proposals), validator (20), then both statements with their
    /// signatures; integers big-endian (SPEC §3.8).
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(EVIDENCE_BYTES_MAX);
        match self {
            Self::Votes {
                validator,
                first,
                second,
            } => {
                bytes.push(1);
                bytes.extend_from_slice(validator.as_slice());
                for (statement, signature) in [first, second] {
                    statement.encode(&mut bytes);
                    bytes.extend_from_slice(&signature.0);
                }
            }
            Self::Proposals {
                validator,
                first,
                second,
            } => {
                bytes.push(2);
                bytes.extend_from_slice(validator.as_slice());
                for (statement, signature) in [first, second] {
                    statement.encode(&mut bytes);
                    bytes.extend_from_slice(&signature.0);
                }
            }
        }
        bytes
    }

    /// Accepts only what [`Evidence::encode`] writes. Signatures are not verified.
    pub fn decode(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.u8("evidence kind")?;
        let validator = Address::from(cursor.array::<20>("validator")?);
        let evidence = match kind {
            1 => {
                let mut pair = || -> Result<_, StatementError> {
                    let statement = VoteStatement::decode(&mut cursor)?;
                    Ok((statement, Signature(cursor.array("signature")?)))
                };
                Self::Votes {
                    validator,
                    first: pair()?,
                    second: pair()?,
                }
            }
            2 => {
                let mut pair = || -> Result<_, StatementError> {
                    let statement = ProposalStatement::decode(&mut cursor)?;
                    Ok((statement, Signature(cursor.array("signature")?)))
                };
                Self::Proposals {
                    validator,
                    first: pair()?,
                    second: pair()?,
                }
            }
            other => return Err(StatementError::Kind(other)),
        };
        cursor.end()?;
        Ok(evidence)
    }

    /// Where it happened.
    pub fn position(&self) -> (Height, Round) {
        match self {
            Self::Votes { first, .. } => (first.0.height, first.0.round),
            Self::Proposals { first, .. } => (first.0.height, first.0.round),
        }
    }

    /// Verifies that the statements contradict each other and that the accused signed both.
    pub fn verify(&self, chain: &ChainIdentity) -> Result<(), EvidenceError> {
        let (validator, digests, contradict) = match self {
            Self::Votes {
                validator,
                first: (a, sa),
                second: (b, sb),
            } => (
                validator,
                [(a.digest(chain), sa), (b.digest(chain), sb)],
                a != b && (a.kind, a.height, a.round) == (b.kind, b.height, b.round),
            ),
            Self::Proposals {
                validator,
                first: (a, sa),
                second: (b, sb),
            } => (
                validator,
                [(a.digest(chain), sa), (b.digest(chain), sb)],
                a != b && (a.height, a.round) == (b.height, b.round),
            ),
        };
        if !contradict {
            return Err(EvidenceError::NoContradiction);
        }
        for (which, (digest, signature)) in ["first", "second"].into_iter().zip(digests) {
            let got = signature
                .recover(digest)
                .map_err(|source| EvidenceError::Signature { which, source })?;
            if got != *validator {
                let source = KeyError::WrongSigner {
                    expected: *validator,
                    got,
                };
                return Err(EvidenceError::Signature { which, source });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::CheckpointDigest;
    use crate::keys::SecretKey;
    use crate::vote::VoteKind;
    use alloy_primitives::B256;

    fn chain() -> ChainIdentity {
        ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::repeat_byte(1),
        }
    }

    fn vote(key: &SecretKey, value: Option<u8>, round: u32) -> (VoteStatement, Signature) {
        let statement = VoteStatement {
            kind: VoteKind::Prevote,
            height: Height(5),
            round: Round(round),
            value: value.map(|byte| CheckpointDigest(B256::repeat_byte(byte))),
        };
        (statement, key.sign(statement.digest(&chain())))
    }

    #[test]
    fn proves_two_votes_of_one_round() {
        let key = SecretKey::from_seed(b"twin");
        let validator = key.public_key().address();
        let pair = |first, second| Evidence::Votes {
            validator,
            first,
            second,
        };
        let good = pair(vote(&key, Some(1), 0), vote(&key, None, 0));
        assert_eq!(good.verify(&chain()), Ok(()));
        assert_eq!(good.position(), (Height(5), Round(0)));
        assert_eq!(Evidence::decode(&good.encode()), Ok(good));
        assert!(good.encode().len() <= EVIDENCE_BYTES_MAX);
        for end in 0..good.encode().len() {
            assert!(Evidence::decode(&good.encode()[..end]).is_err());
        }

        let same = pair(vote(&key, Some(1), 0), vote(&key, Some(1), 0));
        assert_eq!(same.verify(&chain()), Err(EvidenceError::NoContradiction));
        let rounds = pair(vote(&key, Some(1), 0), vote(&key, Some(2), 1));
        assert_eq!(rounds.verify(&chain()), Err(EvidenceError::NoContradiction));
        let framed = vote(&SecretKey::from_seed(b"other"), None, 0);
        let forged = pair(vote(&key, Some(1), 0), framed).verify(&chain());
        assert!(matches!(
            forged,
            Err(EvidenceError::Signature {
                which: "second",
                ..
            })
        ));
        let elsewhere = ChainIdentity {
            chain_id: 2,
            ..chain()
        };
        assert!(
            good.verify(&elsewhere).is_err(),
            "replayed from another network"
        );
    }
}
