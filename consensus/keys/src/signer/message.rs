//! What a node and its signer say to each other, in fixed layouts (SPEC §6.8).

use tbsi_types::cursor::Cursor;
use tbsi_types::{Address, B256, Height, ProposalStatement, Round, Signature, VoteStatement};

use super::decided::ShownDecision;
use crate::{ConsensusStatement, Position, Step};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The first: for whom to sign, and how far its signatures go at least.
    Hello {
        validator: Address,
        signed: Position,
    },
    /// A statement, and the round of the newest precommit for a block at its height that the node
    /// remembers.
    Sign(ConsensusStatement, Option<Round>),
    /// The first, of a relayer: for which account to sign.
    Account(Address),
    /// The hash of a transaction of that account.
    Transaction(B256),
    /// What was decided, so that it signs above it.
    Decided(Box<ShownDecision>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The key, compressed, and the height that it knows to be decided.
    Hello {
        public_key: [u8; 33],
        decided: Height,
    },
    Signed(Signature),
    /// It signed this vote, and not the one that was asked.
    SignedOther(VoteStatement, Signature),
    Abstained,
    /// It knows this height to be decided. To a statement it is a refusal: that one is too far
    /// above.
    Decided(Height),
    Refused(Refusal),
}

/// Why a signer does not serve a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has the key of another validator, or of another account, or none of that use.
    OtherValidator,
    /// Its sign-state is older than the node knows the key's signatures to be.
    Older,
    /// What was shown does not follow from what it knows to be decided.
    NotDecided,
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
            Self::Sign(ConsensusStatement::Vote(vote), remembered) => {
                bytes.push(1);
                vote.encode(&mut bytes);
                encode_round(*remembered, &mut bytes);
            }
            Self::Sign(ConsensusStatement::Proposal(proposal), remembered) => {
                bytes.push(2);
                proposal.encode(&mut bytes);
                encode_round(*remembered, &mut bytes);
            }
            Self::Account(account) => {
                bytes.push(3);
                bytes.extend_from_slice(account.as_slice());
            }
            Self::Transaction(hash) => {
                bytes.push(4);
                bytes.extend_from_slice(hash.as_slice());
            }
            Self::Decided(shown) => {
                bytes.push(5);
                shown.encode(&mut bytes);
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
            1 => {
                let vote = VoteStatement::decode(&mut cursor).ok()?;
                Self::Sign(ConsensusStatement::Vote(vote), decode_round(&mut cursor)?)
            }
            2 => {
                let proposal = ProposalStatement::decode(&mut cursor).ok()?;
                Self::Sign(
                    ConsensusStatement::Proposal(proposal),
                    decode_round(&mut cursor)?,
                )
            }
            3 => Self::Account(Address::from(cursor.array::<20>("account").ok()?)),
            4 => Self::Transaction(B256::from(cursor.array::<32>("hash").ok()?)),
            5 => {
                let shown = ShownDecision::decode(&bytes[1..])?;
                return Some(Self::Decided(Box::new(shown)));
            }
            _ => return None,
        };
        cursor.end().ok()?;
        Some(request)
    }
}

/// flag (u8: 0 none, 1 a round), round (u32, zero for none).
fn encode_round(round: Option<Round>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(round.is_some()));
    bytes.extend_from_slice(&round.unwrap_or_default().0.to_be_bytes());
}

fn decode_round(cursor: &mut Cursor<'_>) -> Option<Option<Round>> {
    let flag = cursor.u8("flag").ok()?;
    let round = Round(cursor.u32("round").ok()?);
    match flag {
        0 if round == Round::ZERO => Some(None),
        1 => Some(Some(round)),
        _ => None,
    }
}

impl Reply {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello {
                public_key,
                decided,
            } => [&[0], public_key.as_slice(), &decided.0.to_be_bytes()].concat(),
            Self::Signed(signature) => [&[1], signature.0.as_slice()].concat(),
            Self::SignedOther(vote, signature) => {
                let mut bytes = vec![5];
                vote.encode(&mut bytes);
                bytes.extend_from_slice(&signature.0);
                bytes
            }
            Self::Abstained => vec![2],
            Self::Decided(height) => [&[4], height.0.to_be_bytes().as_slice()].concat(),
            Self::Refused(Refusal::OtherValidator) => vec![3, 1],
            Self::Refused(Refusal::Older) => vec![3, 2],
            Self::Refused(Refusal::NotDecided) => vec![3, 3],
        }
    }

    /// Accepts only what [`Reply::encode`] writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let height = |bytes: &[u8]| Some(Height(u64::from_be_bytes(bytes.try_into().ok()?)));
        match (kind, rest) {
            (0, rest) => {
                let (key, decided) = rest.split_at_checked(33)?;
                Some(Self::Hello {
                    public_key: key.try_into().ok()?,
                    decided: height(decided)?,
                })
            }
            (1, signature) => Some(Self::Signed(Signature(signature.try_into().ok()?))),
            (2, []) => Some(Self::Abstained),
            (3, [1]) => Some(Self::Refused(Refusal::OtherValidator)),
            (3, [2]) => Some(Self::Refused(Refusal::Older)),
            (3, [3]) => Some(Self::Refused(Refusal::NotDecided)),
            (4, decided) => Some(Self::Decided(height(decided)?)),
            (5, rest) => {
                let mut cursor = Cursor::new(rest);
                let vote = VoteStatement::decode(&mut cursor).ok()?;
                let signature = Signature(cursor.array::<65>("signature").ok()?);
                cursor.end().ok()?;
                Some(Self::SignedOther(vote, signature))
            }
            _ => None,
        }
    }
}
