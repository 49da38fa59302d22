//! What the map holds: entries that are never taken out, and say since when.

use alloy_primitives::B256;

use crate::cursor::{Cursor, CursorError};
use crate::log::leaf::{Leaf, U48_MAX};
use crate::log::{LeafHead, Statement};
use crate::map::question::MapQuestion;
use crate::number::{Height, LeafIndex, TimestampMs};

/// Bytes of the longest value.
pub const VALUE_BYTES_MAX: usize = 75;

const REVOKED: u8 = 1;
const SUPERSEDED: u8 = 2;

/// The first attestation of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstAttested {
    /// Its leaf.
    pub index: LeafIndex,
    /// Its block.
    pub height: Height,
}

/// Something that was said of an id: where, when and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// Its leaf.
    pub index: LeafIndex,
    /// Its block.
    pub height: Height,
    /// Time of the block.
    pub time: TimestampMs,
    /// Reason or successor.
    pub what: T,
}

/// What an account said first of an id; not both are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// That it is revoked, and why.
    pub revocation: Option<Said<u16>>,
    /// Which attestation takes its place.
    pub supersession: Option<Said<B256>>,
}

/// The first registration of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaEntry {
    /// Its leaf.
    pub index: LeafIndex,
    /// Its block.
    pub height: Height,
    /// Whether attestations under it can be revoked.
    pub revocable: bool,
}

/// A value of one of the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapValue {
    /// Of [`MapQuestion::Digest`].
    Digest(FirstAttested),
    /// Of [`MapQuestion::Status`].
    Status(StatusEntry),
    /// Of [`MapQuestion::Schema`].
    Schema(SchemaEntry),
}

/// Why bytes are not the value of an entry.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// Truncated or too long.
    #[error("map entry has another length than its kind")]
    Length,
    /// Flags that say nothing or too much.
    #[error("map entry field `{0}` has a value that is not allowed")]
    Flag(&'static str),
}

impl From<CursorError> for EntryError {
    fn from(_: CursorError) -> Self {
        Self::Length
    }
}

impl MapValue {
    /// What the leaf at `index` says to the map, and of what; `None` for what is not in it.
    pub fn of(index: LeafIndex, leaf: &Leaf) -> Option<(MapQuestion, Self)> {
        let LeafHead {
            height,
            time,
            issuer,
            ..
        } = leaf.head;
        let mut status = StatusEntry {
            revocation: None,
            supersession: None,
        };
        let id = match leaf.statement {
            Statement::Attestation(attestation) => {
                let question = MapQuestion::Digest(attestation.digest);
                return Some((question, Self::Digest(FirstAttested { index, height })));
            }
            Statement::SchemaRegistered {
                schema, revocable, ..
            } => {
                let entry = SchemaEntry {
                    index,
                    height,
                    revocable,
                };
                return Some((MapQuestion::Schema(schema), Self::Schema(entry)));
            }
            Statement::Revocation { id, reason } => {
                let what = reason;
                status.revocation = Some(Said {
                    index,
                    height,
                    time,
                    what,
                });
                id
            }
            Statement::Supersession { id, successor } => {
                let what = successor;
                status.supersession = Some(Said {
                    index,
                    height,
                    time,
                    what,
                });
                id
            }
            Statement::CountersigningOpened { .. }
            | Statement::Countersignature { .. }
            | Statement::AlgorithmSet { .. }
            | Statement::MapRoot(_)
            | Statement::GovernanceAct { .. }
            | Statement::Message { .. }
            | Statement::ForeignFact(_) => return None,
        };
        Some((MapQuestion::Status { id, issuer }, Self::Status(status)))
    }

    /// What the entry is after something `later` was said too: what was said first stays.
    pub(crate) fn and_then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Status(first), Self::Status(later)) => Self::Status(StatusEntry {
                revocation: first.revocation.or(later.revocation),
                supersession: first.supersession.or(later.supersession),
            }),
            (first, _) => first,
        }
    }

    /// Decodes a value of the same kind as this one.
    pub(crate) fn decode_alike(&self, value: &[u8]) -> Result<Self, EntryError> {
        match self {
            Self::Digest(_) => Self::decode_digest(value),
            Self::Status(_) => Self::decode_status(value),
            Self::Schema(_) => Self::decode_schema(value),
        }
    }

    /// Fields in their order, integers big-endian (SPEC §9.11).
    ///
    /// # Panics
    /// If a height or time is above [`U48_MAX`], which no leaf has.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        match self {
            Self::Digest(first) => put_place(&mut bytes, first.index, first.height),
            Self::Schema(entry) => {
                put_place(&mut bytes, entry.index, entry.height);
                bytes.push(u8::from(entry.revocable));
            }
            Self::Status(status) => {
                let revoked = status.revocation.map_or(0, |_| REVOKED);
                let superseded = status.supersession.map_or(0, |_| SUPERSEDED);
                bytes.push(revoked | superseded);
                if let Some(said) = &status.revocation {
                    put_said(&mut bytes, said);
                    bytes.extend_from_slice(&said.what.to_be_bytes());
                }
                if let Some(said) = &status.supersession {
                    put_said(&mut bytes, said);
                    bytes.extend_from_slice(said.what.as_slice());
                }
            }
        }
        bytes
    }

    pub(crate) fn decode_digest(value: &[u8]) -> Result<Self, EntryError> {
        let mut cursor = Cursor::new(value);
        let (index, height) = take_place(&mut cursor)?;
        cursor.end()?;
        Ok(Self::Digest(FirstAttested { index, height }))
    }

    pub(crate) fn decode_schema(value: &[u8]) -> Result<Self, EntryError> {
        let mut cursor = Cursor::new(value);
        let (index, height) = take_place(&mut cursor)?;
        let revocable = match cursor.u8("revocable")? {
            0 => false,
            1 => true,
            _ => return Err(EntryError::Flag("revocable")),
        };
        cursor.end()?;
        Ok(Self::Schema(SchemaEntry {
            index,
            height,
            revocable,
        }))
    }

    pub(crate) fn decode_status(value: &[u8]) -> Result<Self, EntryError> {
        let mut cursor = Cursor::new(value);
        let flags = cursor.u8("flags")?;
        if !(1..=REVOKED | SUPERSEDED).contains(&flags) {
            return Err(EntryError::Flag("flags"));
        }
        let mut status = StatusEntry {
            revocation: None,
            supersession: None,
        };
        if flags & REVOKED != 0 {
            status.revocation = Some(take_said(&mut cursor, |it| it.u16("reason"))?);
        }
        if flags & SUPERSEDED != 0 {
            status.supersession = Some(take_said(&mut cursor, |it| it.b256("successor"))?);
        }
        cursor.end()?;
        Ok(Self::Status(status))
    }
}

fn put_place(bytes: &mut Vec<u8>, index: LeafIndex, height: Height) {
    bytes.extend_from_slice(&index.0.to_be_bytes());
    put_u48(bytes, height.0);
}

fn take_place(cursor: &mut Cursor<'_>) -> Result<(LeafIndex, Height), CursorError> {
    let index = LeafIndex(cursor.u64("index")?);
    Ok((index, Height(take_u48(cursor)?)))
}

fn put_said<T>(bytes: &mut Vec<u8>, said: &Said<T>) {
    put_place(bytes, said.index, said.height);
    put_u48(bytes, said.time.0);
}

fn take_said<T>(
    cursor: &mut Cursor<'_>,
    what: impl FnOnce(&mut Cursor<'_>) -> Result<T, CursorError>,
) -> Result<Said<T>, CursorError> {
    let (index, height) = take_place(cursor)?;
    Ok(Said {
        index,
        height,
        time: TimestampMs(take_u48(cursor)?),
        what: what(cursor)?,
    })
}

fn put_u48(bytes: &mut Vec<u8>, value: u64) {
    assert!(value <= U48_MAX, "leaves have no such number");
    bytes.extend_from_slice(&value.to_be_bytes()[2..]);
}

fn take_u48(cursor: &mut Cursor<'_>) -> Result<u64, CursorError> {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&cursor.array::<6>("48 bits")?);
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T>(what: T) -> Said<T> {
        Said {
            index: LeafIndex(1 << 40),
            height: Height(U48_MAX),
            time: TimestampMs(7),
            what,
        }
    }

    fn values() -> Vec<MapValue> {
        let status = |revocation, supersession| {
            MapValue::Status(StatusEntry {
                revocation,
                supersession,
            })
        };
        let (index, height) = (LeafIndex(3), Height(4));
        vec![
            MapValue::Digest(FirstAttested { index, height }),
            MapValue::Schema(SchemaEntry {
                index,
                height,
                revocable: true,
            }),
            status(Some(said(2)), None),
            status(None, Some(said(B256::repeat_byte(9)))),
            status(Some(said(2)), Some(said(B256::repeat_byte(9)))),
        ]
    }

    #[test]
    fn values_have_one_form_and_a_length_of_their_own() {
        let lengths: Vec<_> = values().iter().map(|it| it.encode().len()).collect();
        assert_eq!(lengths, [14, 15, 23, 53, VALUE_BYTES_MAX]);
        for value in values() {
            let bytes = value.encode();
            assert_eq!(value.decode_alike(&bytes), Ok(value));
            for end in 0..bytes.len() {
                assert!(value.decode_alike(&bytes[..end]).is_err(), "{end} bytes");
            }
            let long = [bytes.as_slice(), &[0]].concat();
            assert_eq!(value.decode_alike(&long), Err(EntryError::Length));
        }
        for flags in [0, 4, 255] {
            let mut bytes = values()[4].encode();
            bytes[0] = flags;
            assert_eq!(
                values()[4].decode_alike(&bytes),
                Err(EntryError::Flag("flags"))
            );
        }
    }

    #[test]
    fn what_was_said_first_stays() {
        let [digest, _, revoked, superseded, both] = values().try_into().unwrap();
        assert_eq!(revoked.and_then(superseded), both);
        assert_eq!(superseded.and_then(revoked), both);
        assert_eq!(both.and_then(revoked), both);
        let later = MapValue::Digest(FirstAttested {
            index: LeafIndex(9),
            height: Height(9),
        });
        assert_eq!(digest.and_then(later), digest);
    }
}
