//! What one entry of the log says (SPEC §9.3).
//!
//! A leaf carries when and by whom beside what, so that it speaks for itself. Its bytes are
//! the same wherever they are stored, served, hashed or relayed.

mod attestation;
mod fact;
mod map_root;

use alloy_primitives::{Address, B256};

use crate::cursor::{Cursor, CursorError};
use crate::log::algorithm::words_per_digest;
use crate::number::{Height, TimestampMs};

pub use attestation::{Attestation, AttestationIds, DigestWords};
pub use fact::ForeignFact;
pub use map_root::MapRoot;

/// The only version so far.
pub const LEAF_VERSION: u8 = 1;

/// Bytes that no leaf exceeds.
pub const LEAF_BYTES_MAX: usize = 512;

/// Bytes of what all kinds begin with.
pub const LEAF_HEAD_BYTES: usize = 48;

/// Which of these bytes is the kind.
pub(crate) const LEAF_KIND_AT: usize = 1;

/// Heights and times, in milliseconds, are 48 bits wide in a leaf.
pub const U48_MAX: u64 = (1 << 48) - 1;

/// Positions within a block are 24 bits wide in a leaf: a block of at most 8 MiB has fewer
/// transactions, and a transaction of at most 2^24 gas emits fewer leaves.
pub const U24_MAX: u32 = (1 << 24) - 1;

/// Kind of a root of the map.
pub const MAP_ROOT_KIND: u8 = 8;

/// Kind of an act of governance.
pub const GOVERNANCE_KIND: u8 = 16;

/// Kind of a message to another chain.
pub const MESSAGE_KIND: u8 = 32;

/// Kind of a fact of another chain.
pub const FACT_KIND: u8 = 33;

/// When, where and by whom: the same fields for every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafHead {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Block whose execution made the leaf; at most [`U48_MAX`].
    pub height: Height,
    /// Time of that block; at most [`U48_MAX`].
    pub time: TimestampMs,
    /// Position of the transaction in the block; at most [`U24_MAX`].
    pub transaction_index: u32,
    /// Position among the leaves of the transaction; at most [`U24_MAX`].
    pub ordinal: u32,
    /// Who states it, as far as the contract could tell.
    pub issuer: Address,
}

/// What a leaf states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Kind 1.
    Attestation(Attestation),
    /// Kind 2: an attestation counts no more. Only its own issuer's word counts
    /// ([`AttestationStatus`](crate::log::AttestationStatus)).
    Revocation {
        /// Of the attestation.
        id: B256,
        /// Code of SPEC §9.3; 0 to 65,535 are carried as they are.
        reason: u16,
    },
    /// Kind 3: another attestation takes its place.
    Supersession {
        /// Of the attestation.
        id: B256,
        /// Of the one that takes its place.
        successor: B256,
    },
    /// Kind 4: named parties are asked to sign too.
    CountersigningOpened {
        /// Of the attestation.
        id: B256,
        /// Signatures that make it effective.
        threshold: u16,
        /// Seconds since the Unix epoch.
        deadline: u64,
        /// How many parties are named.
        party_count: u16,
        /// [`parties_hash`] of their addresses.
        parties_hash: B256,
    },
    /// Kind 5: a party signed; it is the issuer of this leaf.
    Countersignature {
        /// Of the attestation.
        id: B256,
        /// Signatures so far, this one included.
        have: u16,
        /// Signatures that make it effective.
        need: u16,
    },
    /// Kind 6: a schema exists; its owner is the issuer of this leaf.
    SchemaRegistered {
        /// Its id.
        schema: B256,
        /// Hash of its text.
        text_hash: B256,
        /// What its digests commit to.
        commits_to: u8,
        /// Whether attestations under it can be revoked.
        revocable: bool,
    },
    /// Kind 7: the table of digest algorithms changed.
    AlgorithmSet {
        /// Multihash code.
        algorithm: u32,
        /// Length of its digests.
        bits: u16,
        /// Code of SPEC §9.3.
        status: u8,
    },
    /// Kind 8: what the map held before the block of this leaf.
    MapRoot(MapRoot),
    /// Kind 16: an event of a governance contract, which is the issuer of this leaf.
    GovernanceAct {
        /// Keccak-256 of the event's signature.
        event: B256,
        /// [`body_hash`] of its other topics and its data.
        body_hash: B256,
    },
    /// Kind 32: a message to a contract on another chain; its sender is the issuer.
    Message {
        /// Keccak-256 of the destination's CAIP-2 id.
        destination: B256,
        /// The contract there; an address is in the lowest 20 bytes.
        receiver: B256,
        /// Number of the message on this chain, from 1.
        sequence: u64,
        /// Last second, of the destination's block time, of its delivery.
        timeout: u64,
        /// SHA-256 of the payload.
        payload_hash: B256,
    },
    /// Kind 33: a word in the storage of another EVM chain, proven; the issuer brought it.
    ForeignFact(ForeignFact),
}

/// What an act of governance commits to beside its signature: SHA-256 over the number of further
/// topics (u8), these, and the data (SPEC §9.3).
pub fn body_hash(topics: &[B256], data: &[u8]) -> B256 {
    let count = u8::try_from(topics.len()).unwrap_or(u8::MAX);
    crate::sha256(&[&[count], topics.concat().as_slice(), data])
}

/// SHA-256 over the addresses of the parties, 20 bytes each, in the contract's order.
pub fn parties_hash(parties: &[Address]) -> B256 {
    crate::sha256(&[parties.concat().as_slice()])
}

impl Statement {
    /// The kind byte.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Attestation(_) => 1,
            Self::Revocation { .. } => 2,
            Self::Supersession { .. } => 3,
            Self::CountersigningOpened { .. } => 4,
            Self::Countersignature { .. } => 5,
            Self::SchemaRegistered { .. } => 6,
            Self::AlgorithmSet { .. } => 7,
            Self::MapRoot(_) => MAP_ROOT_KIND,
            Self::GovernanceAct { .. } => GOVERNANCE_KIND,
            Self::Message { .. } => MESSAGE_KIND,
            Self::ForeignFact(_) => FACT_KIND,
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|it| bytes.extend_from_slice(it));
        match self {
            Self::Attestation(attestation) => {
                let words = attestation.digest.as_slice();
                let length = if words.len() == 1 { 32 } else { 64 };
                let algorithm = attestation.algorithm.to_be_bytes();
                put(&[attestation.schema.as_slice(), &algorithm, &[length]]);
                put(&[words.concat().as_slice()]);
            }
            Self::Revocation { id, reason } => put(&[id.as_slice(), &reason.to_be_bytes()]),
            Self::Supersession { id, successor } => put(&[id.as_slice(), successor.as_slice()]),
            Self::CountersigningOpened {
                id,
                threshold,
                deadline,
                party_count,
                parties_hash,
            } => {
                put(&[id.as_slice(), &threshold.to_be_bytes()]);
                put(&[&deadline.to_be_bytes(), &party_count.to_be_bytes()]);
                put(&[parties_hash.as_slice()]);
            }
            Self::Countersignature { id, have, need } => {
                put(&[id.as_slice(), &have.to_be_bytes(), &need.to_be_bytes()]);
            }
            Self::SchemaRegistered {
                schema,
                text_hash,
                commits_to,
                revocable,
            } => {
                let flags = [*commits_to, u8::from(*revocable)];
                put(&[schema.as_slice(), text_hash.as_slice(), &flags]);
            }
            Self::AlgorithmSet {
                algorithm,
                bits,
                status,
            } => put(&[&algorithm.to_be_bytes(), &bits.to_be_bytes(), &[*status]]),
            Self::MapRoot(root) => root.encode(bytes),
            Self::GovernanceAct { event, body_hash } => {
                put(&[event.as_slice(), body_hash.as_slice()]);
            }
            Self::Message {
                destination,
                receiver,
                sequence,
                timeout,
                payload_hash,
            } => {
                put(&[destination.as_slice(), receiver.as_slice()]);
                put(&[&sequence.to_be_bytes(), &timeout.to_be_bytes()]);
                put(&[payload_hash.as_slice()]);
            }
            Self::ForeignFact(fact) => fact.encode(bytes),
        }
    }
}

/// One entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// When, where and by whom.
    pub head: LeafHead,
    /// What.
    pub statement: Statement,
}

/// Why something is not a leaf.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LeafError {
    /// Truncated or too long.
    #[error("leaf bytes")]
    Bytes(#[from] CursorError),
    /// More than any kind has.
    #[error("leaf has {0} bytes, at most {LEAF_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// A layout of another version of this protocol.
    #[error("leaf version {0} is unknown, {LEAF_VERSION} is known; use newer software")]
    Version(u8),
    /// A kind of another version of this protocol.
    #[error("leaf kind {0} is unknown, 1 to 8, 16, 32 and 33 are known; use newer software")]
    Kind(u8),
    /// A number that its field cannot hold.
    #[error("leaf field `{field}` is {value}, at most {max} is allowed")]
    Range {
        /// Which.
        field: &'static str,
        /// What it should hold.
        value: u64,
        /// What it can hold.
        max: u64,
    },
    /// A digest of another length than its algorithm's.
    #[error(
        "leaf has a digest of {got} bytes, algorithm {algorithm:#x} takes {expected}",
        expected = 32 * words_per_digest(*algorithm)
    )]
    DigestLength {
        /// Multihash code.
        algorithm: u32,
        /// In the leaf.
        got: u8,
    },
    /// A flag that is neither 0 nor 1.
    #[error("leaf field `revocable` is {0}, 0 or 1 is allowed")]
    Flag(u8),
}

impl LeafHead {
    /// Version, kind and the fields in their order, [`LEAF_HEAD_BYTES`] long: chain id (u64),
    /// height (u48), time (u48), transaction index (u24), ordinal (u24), issuer (20).
    pub(crate) fn encode(&self, kind: u8) -> Result<[u8; LEAF_HEAD_BYTES], LeafError> {
        let mut bytes = [0; LEAF_HEAD_BYTES];
        bytes[0] = LEAF_VERSION;
        bytes[LEAF_KIND_AT] = kind;
        bytes[2..10].copy_from_slice(&self.chain_id.to_be_bytes());
        bytes[10..16].copy_from_slice(&u48("height", self.height.0)?);
        bytes[16..22].copy_from_slice(&u48("time", self.time.0)?);
        bytes[22..25].copy_from_slice(&u24("transaction index", self.transaction_index)?);
        bytes[25..28].copy_from_slice(&u24("ordinal", self.ordinal)?);
        bytes[28..].copy_from_slice(self.issuer.as_slice());
        Ok(bytes)
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<(u8, Self), LeafError> {
        let version = cursor.u8("version")?;
        if version != LEAF_VERSION {
            return Err(LeafError::Version(version));
        }
        let kind = cursor.u8("kind")?;
        if !matches!(
            kind,
            1..=MAP_ROOT_KIND | GOVERNANCE_KIND | MESSAGE_KIND | FACT_KIND
        ) {
            return Err(LeafError::Kind(kind));
        }
        let head = Self {
            chain_id: cursor.u64("chain id")?,
            height: Height(wide(cursor.take("height", 6)?)),
            time: TimestampMs(wide(cursor.take("time", 6)?)),
            transaction_index: narrow(cursor.array("transaction index")?),
            ordinal: narrow(cursor.array("ordinal")?),
            issuer: Address::from(cursor.array::<20>("issuer")?),
        };
        Ok((kind, head))
    }
}

fn u48(field: &'static str, value: u64) -> Result<[u8; 6], LeafError> {
    if value > U48_MAX {
        let max = U48_MAX;
        return Err(LeafError::Range { field, value, max });
    }
    let [_, _, bytes @ ..] = value.to_be_bytes();
    Ok(bytes)
}

pub(crate) fn u24(field: &'static str, value: u32) -> Result<[u8; 3], LeafError> {
    if value > U24_MAX {
        let (value, max) = (value.into(), U24_MAX.into());
        return Err(LeafError::Range { field, value, max });
    }
    let [_, bytes @ ..] = value.to_be_bytes();
    Ok(bytes)
}

/// A big-endian integer of at most 8 bytes.
fn wide(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn narrow([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

impl Leaf {
    /// Head and statement, big-endian (SPEC §9.3).
    pub fn encode(&self) -> Result<Vec<u8>, LeafError> {
        let mut bytes = Vec::with_capacity(160);
        bytes.extend_from_slice(&self.head.encode(self.statement.kind())?);
        self.statement.encode(&mut bytes);
        Ok(bytes)
    }

    /// Accepts only what [`Leaf::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(bytes.len()));
        }
        let mut cursor = Cursor::new(bytes);
        let (kind, head) = LeafHead::decode(&mut cursor)?;
        let statement = decode_statement(kind, &mut cursor)?;
        cursor.end()?;
        Ok(Self { head, statement })
    }

    /// The id of the attestation that this leaf is; `None` for other kinds.
    pub fn attestation_id(&self) -> Option<B256> {
        match &self.statement {
            Statement::Attestation(attestation) => {
                Some(attestation.id(self.head.chain_id, self.head.issuer))
            }
            Statement::Revocation { .. }
            | Statement::Supersession { .. }
            | Statement::CountersigningOpened { .. }
            | Statement::Countersignature { .. }
            | Statement::SchemaRegistered { .. }
            | Statement::AlgorithmSet { .. }
            | Statement::MapRoot(_)
            | Statement::GovernanceAct { .. }
            | Statement::Message { .. }
            | Statement::ForeignFact(_) => None,
        }
    }
}

fn decode_statement(kind: u8, cursor: &mut Cursor<'_>) -> Result<Statement, LeafError> {
    Ok(match kind {
        1 => Statement::Attestation(Attestation::decode(cursor)?),
        2 => Statement::Revocation {
            id: cursor.b256("id")?,
            reason: cursor.u16("reason")?,
        },
        3 => Statement::Supersession {
            id: cursor.b256("id")?,
            successor: cursor.b256("successor")?,
        },
        4 => Statement::CountersigningOpened {
            id: cursor.b256("id")?,
            threshold: cursor.u16("threshold")?,
            deadline: cursor.u64("deadline")?,
            party_count: cursor.u16("party count")?,
            parties_hash: cursor.b256("parties hash")?,
        },
        5 => Statement::Countersignature {
            id: cursor.b256("id")?,
            have: cursor.u16("have")?,
            need: cursor.u16("need")?,
        },
        6 => Statement::SchemaRegistered {
            schema: cursor.b256("schema")?,
            text_hash: cursor.b256("text hash")?,
            commits_to: cursor.u8("commits to")?,
            revocable: match cursor.u8("revocable")? {
                0 => false,
                1 => true,
                other => return Err(LeafError::Flag(other)),
            },
        },
        7 => Statement::AlgorithmSet {
            algorithm: cursor.u32("algorithm")?,
            bits: cursor.u16("bits")?,
            status: cursor.u8("status")?,
        },
        MAP_ROOT_KIND => Statement::MapRoot(MapRoot::decode(cursor)?),
        GOVERNANCE_KIND => Statement::GovernanceAct {
            event: cursor.b256("event")?,
            body_hash: cursor.b256("body hash")?,
        },
        MESSAGE_KIND => Statement::Message {
            destination: cursor.b256("destination")?,
            receiver: cursor.b256("receiver")?,
            sequence: cursor.u64("sequence")?,
            timeout: cursor.u64("timeout")?,
            payload_hash: cursor.b256("payload hash")?,
        },
        FACT_KIND => Statement::ForeignFact(ForeignFact::decode(cursor)?),
        other => return Err(LeafError::Kind(other)),
    })
}

#[cfg(test)]
pub(crate) mod tests;
