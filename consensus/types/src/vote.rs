//! What validators sign in consensus: 32-byte digests over fixed layouts (SPEC §3.5).

use alloy_primitives::B256;

use crate::checkpoint::CheckpointDigest;
use crate::cursor::{Cursor, CursorError};
use crate::identity::ChainIdentity;
use crate::limits::ROUND_MAX;
use crate::number::{Height, Round};
use crate::sha256;

const VOTE_TAG: &[u8] = b"TBSI-VOTE-1";
const PROPOSAL_TAG: &[u8] = b"TBSI-PROPOSAL-1";
const NO_ROUND: u32 = u32::MAX;

/// The two votes of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// First vote: "I have this block and it is valid".
    Prevote,
    /// Second vote: "a quorum prevoted this"; a quorum of these decides.
    Precommit,
}

impl VoteKind {
    fn byte(self) -> u8 {
        match self {
            Self::Prevote => 1,
            Self::Precommit => 2,
        }
    }
}

/// Why bytes are not a statement.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StatementError {
    /// Truncated or too long.
    #[error("statement bytes")]
    Bytes(#[from] CursorError),
    /// A kind or flag outside its range.
    #[error("statement kind or flag {0} is unknown")]
    Kind(u8),
    /// A round that consensus cannot reach.
    #[error("statement round {0} is above {ROUND_MAX}")]
    Round(u32),
    /// Nil with a value.
    #[error("nil vote carries a value")]
    NilWithValue,
}

fn round(value: u32) -> Result<Round, StatementError> {
    if value > ROUND_MAX {
        Err(StatementError::Round(value))
    } else {
        Ok(Round(value))
    }
}

/// The content of a vote. It names no validator: all precommits of a round for one block
/// share one digest, so a contract hashes once and recovers N times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoteStatement {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// Height voted at.
    pub height: Height,
    /// Round voted in.
    pub round: Round,
    /// The block's checkpoint digest; `None` is nil.
    pub value: Option<CheckpointDigest>,
}

impl VoteStatement {
    /// kind (u8: 1, 2), height (u64), round (u32), flag (u8: 0 nil, 1 value), value (32 bytes,
    /// zero for nil); big-endian.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind.byte());
        bytes.extend_from_slice(&self.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.round.0.to_be_bytes());
        bytes.push(u8::from(self.value.is_some()));
        bytes.extend_from_slice(
            self.value
                .map(|value| value.0)
                .unwrap_or_default()
                .as_slice(),
        );
    }

    /// Accepts only what [`VoteStatement::encode`] writes.
    pub fn decode(cursor: &mut Cursor<'_>) -> Result<Self, StatementError> {
        let kind = match cursor.u8("kind")? {
            1 => VoteKind::Prevote,
            2 => VoteKind::Precommit,
            other => return Err(StatementError::Kind(other)),
        };
        let height = Height(cursor.u64("height")?);
        let round = round(cursor.u32("round")?)?;
        let flag = cursor.u8("flag")?;
        let value = cursor.b256("value")?;
        let value = match flag {
            0 if value.is_zero() => None,
            0 => return Err(StatementError::NilWithValue),
            1 => Some(CheckpointDigest(value)),
            other => return Err(StatementError::Kind(other)),
        };
        Ok(Self {
            kind,
            height,
            round,
            value,
        })
    }

    /// SHA-256 over tag, chain id (u64), genesis hash and [`VoteStatement::encode`].
    pub fn digest(&self, chain: &ChainIdentity) -> B256 {
        let mut statement = Vec::with_capacity(46);
        self.encode(&mut statement);
        sha256(&[
            VOTE_TAG,
            &chain.chain_id.to_be_bytes(),
            chain.genesis_hash.as_slice(),
            &statement,
        ])
    }
}

/// The content of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalStatement {
    /// Height proposed at.
    pub height: Height,
    /// Round proposed in.
    pub round: Round,
    /// The round whose polka justifies proposing this block again; `None` for a new block.
    pub polka_round: Option<Round>,
    /// The block's checkpoint digest.
    pub value: CheckpointDigest,
}

impl ProposalStatement {
    /// height (u64), round (u32), polka round (u32, 2^32 - 1 for none), value (32 bytes);
    /// big-endian.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.height.0.to_be_bytes());
        bytes.extend_from_slice(&self.round.0.to_be_bytes());
        let polka_round = self.polka_round.map_or(NO_ROUND, |round| round.0);
        bytes.extend_from_slice(&polka_round.to_be_bytes());
        bytes.extend_from_slice(self.value.0.as_slice());
    }

    /// Accepts only what [`ProposalStatement::encode`] writes.
    pub fn decode(cursor: &mut Cursor<'_>) -> Result<Self, StatementError> {
        Ok(Self {
            height: Height(cursor.u64("height")?),
            round: round(cursor.u32("round")?)?,
            polka_round: match cursor.u32("polka round")? {
                NO_ROUND => None,
                value => Some(Round(value)),
            },
            value: CheckpointDigest(cursor.b256("value")?),
        })
    }

    /// SHA-256 over tag, chain id (u64), genesis hash and [`ProposalStatement::encode`].
    pub fn digest(&self, chain: &ChainIdentity) -> B256 {
        let mut statement = Vec::with_capacity(48);
        self.encode(&mut statement);
        sha256(&[
            PROPOSAL_TAG,
            &chain.chain_id.to_be_bytes(),
            chain.genesis_hash.as_slice(),
            &statement,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_changes_the_digest() {
        let chain = ChainIdentity {
            chain_id: 1,
            genesis_hash: B256::repeat_byte(1),
        };
        let value = CheckpointDigest(B256::repeat_byte(7));
        let base = VoteStatement {
            kind: VoteKind::Prevote,
            height: Height(1),
            round: Round(1),
            value: Some(value),
        };
        let mut digests = BTreeSet::new();
        digests.insert(base.digest(&chain));
        digests.insert(base.digest(&ChainIdentity {
            chain_id: 2,
            ..chain
        }));
        digests.insert(base.digest(&ChainIdentity {
            genesis_hash: B256::ZERO,
            ..chain
        }));
        digests.insert(
            VoteStatement {
                kind: VoteKind::Precommit,
                ..base
            }
            .digest(&chain),
        );
        digests.insert(
            VoteStatement {
                height: Height(2),
                ..base
            }
            .digest(&chain),
        );
        digests.insert(
            VoteStatement {
                round: Round(2),
                ..base
            }
            .digest(&chain),
        );
        digests.insert(
            VoteStatement {
                value: None,
                ..base
            }
            .digest(&chain),
        );
        let zero = CheckpointDigest(B256::ZERO);
        digests.insert(
            VoteStatement {
                value: Some(zero),
                ..base
            }
            .digest(&chain),
        );
        let proposal = ProposalStatement {
            height: Height(1),
            round: Round(1),
            polka_round: None,
            value,
        };
        digests.insert(proposal.digest(&chain));
        let again = ProposalStatement {
            polka_round: Some(Round(0)),
            ..proposal
        };
        digests.insert(again.digest(&chain));
        assert_eq!(digests.len(), 10);
    }
}
