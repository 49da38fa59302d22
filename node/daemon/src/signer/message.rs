//! What a node and its signer say to each other, in fixed layouts (SPEC §6.8).

use tbsi_engine::{Mark, Statement, Step};
use tbsi_types::cursor::Cursor;
use tbsi_types::{Address, B256, Height, ProposalStatement, Round, Signature, VoteStatement};

/// A place in consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) height: Height,
    pub(super) round: Round,
    pub(super) step: Step,
}

impl From<Mark> for Position {
    fn from(mark: Mark) -> Self {
        Self {
            height: mark.height,
            round: mark.round,
            step: mark.step,
        }
    }
}

impl Position {
    /// Below everything that is signed at this height.
    pub(super) fn start_of(height: Height) -> Self {
        Self {
            height,
            round: Round::ZERO,
            step: Step::None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The first: for whom to sign, and how far its signatures go at least.
    Hello {
        validator: Address,
        signed: Position,
    },
    Sign(Statement),
    /// The first, of a relayer: for which account to sign.
    Account(Address),
    /// The hash of a transaction of that account.
    Transaction(B256),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The key, compressed.
    Hello {
        public_key: [u8; 33],
    },
    Signed(Signature),
    Abstained,
    Refused(Refusal),
}

/// Why a signer does not serve a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has the key of another validator, or of another account, or none of that use.
    OtherValidator,
    /// Its sign-state is older than the node knows the key's signatures to be.
    Older,
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        match self {
            Self::Hello { validator, signed } => {
                bytes.push(0);
                bytes.extend_from_slice(validator.as_slice());
                bytes.extend_from_slice(&signed.height.0.to_be_bytes());
                bytes.extend_from_slice(&signed.round.0.to_be_bytes());
                bytes.push(signed.step.byte());
            }
            Self::Sign(Statement::Vote(vote)) => {
                bytes.push(1);
                vote.encode(&mut bytes);
            }
            Self::Sign(Statement::Proposal(proposal)) => {
                bytes.push(2);
                proposal.encode(&mut bytes);
            }
            Self::Account(account) => {
                bytes.push(3);
                bytes.extend_from_slice(account.as_slice());
            }
            Self::Transaction(hash) => {
                bytes.push(4);
                bytes.extend_from_slice(hash.as_slice());
            }
        }
        bytes
    }

    /// Accepts only what [`Request::encode`] writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let request = match cursor.u8("request").ok()? {
            0 => Self::Hello {
                validator: Address::from(cursor.array::<20>("validator").ok()?),
                signed: Position {
                    height: Height(cursor.u64("height").ok()?),
                    round: Round(cursor.u32("round").ok()?),
                    step: Step::parse(cursor.u8("step").ok()?)?,
                },
            },
            1 => Self::Sign(Statement::Vote(VoteStatement::decode(&mut cursor).ok()?)),
            2 => Self::Sign(Statement::Proposal(
                ProposalStatement::decode(&mut cursor).ok()?,
            )),
            3 => Self::Account(Address::from(cursor.array::<20>("account").ok()?)),
            4 => Self::Transaction(B256::from(cursor.array::<32>("hash").ok()?)),
            _ => return None,
        };
        cursor.end().ok()?;
        Some(request)
    }
}

impl Reply {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello { public_key } => [&[0], public_key.as_slice()].concat(),
            Self::Signed(signature) => [&[1], signature.0.as_slice()].concat(),
            Self::Abstained => vec![2],
            Self::Refused(Refusal::OtherValidator) => vec![3, 1],
            Self::Refused(Refusal::Older) => vec![3, 2],
        }
    }

    /// Accepts only what [`Reply::encode`] writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match (kind, rest) {
            (0, key) => Some(Self::Hello {
                public_key: key.try_into().ok()?,
            }),
            (1, signature) => Some(Self::Signed(Signature(signature.try_into().ok()?))),
            (2, []) => Some(Self::Abstained),
            (3, [1]) => Some(Self::Refused(Refusal::OtherValidator)),
            (3, [2]) => Some(Self::Refused(Refusal::Older)),
            _ => None,
        }
    }
}
