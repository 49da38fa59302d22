//! Changes of the validator set as one stream, from a known set on (SPEC §10.6).
//!
//! Each set is written once and each record stands on the one before it, so that a reader needs
//! to hold one set, however long the stream is.

use std::io::{self, Read};

use alloy_primitives::B256;

use super::binary::{put_decision, take_decision, trimmed};
use super::decision::{put_validators, take_validators};
use super::{BundleError, Decision, Handover, NamedValidators};
use crate::cursor::Cursor;
use crate::identity::ChainIdentity;
use crate::log::tile::TILE_WIDTH;

/// Format and version.
const MAGIC: &[u8; 4] = b"TBH1";

/// Records of a page that is complete: as many as a bundle of leaves has, under the same names.
pub const HANDOVERS_PER_PAGE: u64 = TILE_WIDTH as u64;

/// Bytes of a record or of the first set: a set of the most validators with the longest names,
/// and their signatures twice.
pub const RECORD_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a page.
pub const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A handover, and the set that takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverRecord {
    /// The old set's last decision.
    pub last: Decision,
    /// The new set's first.
    pub first: Decision,
    /// The new set.
    pub next: NamedValidators,
}

impl HandoverRecord {
    /// The same with no more signatures than each quorum needs; `old` is the set before.
    pub fn minimal(mut self, old: &NamedValidators) -> Self {
        self.last.certificate = trimmed(&self.last.certificate, old);
        self.first.certificate = trimmed(&self.first.certificate, &self.next);
        self
    }
}

/// Why a stream of handovers cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum HandoverStreamError {
    /// The file system or the network.
    #[error("read handovers")]
    Io(#[from] io::Error),
    /// What it begins with.
    #[error("not a file of handovers in a form that is known here; fetch it anew")]
    Format,
    /// A record that is longer than any can be, or cut short.
    #[error("record {number} of handovers has {got} bytes, at most {RECORD_BYTES_MAX} are allowed")]
    Length {
        /// From 1; 0 is the first set.
        number: u64,
        /// Claimed.
        got: u32,
    },
    /// A record.
    #[error("record {number} of handovers")]
    Record {
        /// From 1; 0 is the first set.
        number: u64,
        /// What is wrong with it.
        #[source]
        source: BundleError,
    },
}

/// Writes a stream.
#[derive(Clone, Debug)]
pub struct HandoverWriter {
    chain: ChainIdentity,
    set: NamedValidators,
}

impl HandoverWriter {
    /// Begins a stream whose first record is a handover by `set`; with the bytes of its head.
    pub fn begin(
        chain: ChainIdentity,
        set: NamedValidators,
    ) -> Result<(Self, Vec<u8>), BundleError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&chain.chain_id.to_be_bytes());
        bytes.extend_from_slice(chain.genesis_hash.as_slice());
        let mut body = Vec::new();
        put_validators(&mut body, &set)?;
        frame(&mut bytes, &body)?;
        Ok((Self { chain, set }, bytes))
    }

    /// The bytes of the next record. Fails if it does not stand on the one before.
    pub fn record(&mut self, record: &HandoverRecord) -> Result<Vec<u8>, BundleError> {
        let mut body = Vec::with_capacity(4096);
        put_validators(&mut body, &record.next)?;
        put_decision(&mut body, &self.chain, &record.last, &self.set)?;
        put_decision(&mut body, &self.chain, &record.first, &record.next)?;
        let mut bytes = Vec::with_capacity(body.len() + 4);
        frame(&mut bytes, &body)?;
        self.set = record.next.clone();
        Ok(bytes)
    }
}

fn frame(bytes: &mut Vec<u8>, body: &[u8]) -> Result<(), BundleError> {
    let (size, max) = (body.len(), RECORD_BYTES_MAX);
    let length = u32::try_from(size).ok().filter(|_| size <= max);
    let length = length.ok_or(BundleError::TooLong { size, max })?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(body);
    Ok(())
}

/// Reads a stream, one record at a time. Nothing is verified: `tbsi-light` does that.
#[derive(Debug)]
pub struct HandoverReader<R> {
    source: R,
    chain: ChainIdentity,
    set: NamedValidators,
    number: u64,
}

impl<R: Read> HandoverReader<R> {
    /// Reads the head.
    pub fn open(mut source: R) -> Result<Self, HandoverStreamError> {
        let mut head = [0; 44];
        source.read_exact(&mut head)?;
        let (magic, rest) = head.split_at(4);
        if magic != MAGIC {
            return Err(HandoverStreamError::Format);
        }
        let (chain_id, genesis_hash) = rest.split_at(8);
        let chain = ChainIdentity {
            chain_id: u64::from_be_bytes(chain_id.try_into().expect("eight bytes")),
            genesis_hash: B256::from_slice(genesis_hash),
        };
        let body = read_frame(&mut source, 0)?.ok_or(HandoverStreamError::Format)?;
        let set = parse(0, &body, take_validators)?;
        Ok(Self {
            source,
            chain,
            set,
            number: 0,
        })
    }

    /// Which network it says it is of.
    pub fn chain(&self) -> ChainIdentity {
        self.chain
    }

    /// The set that the last record leads to, or that the stream begins with.
    pub fn set(&self) -> &NamedValidators {
        &self.set
    }

    /// What it reads from.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// Records that were read.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next record, as a handover of the set before it and with the set that takes over;
    /// `None` at the end.
    pub fn record(&mut self) -> Result<Option<(Handover, NamedValidators)>, HandoverStreamError> {
        let number = self.number + 1;
        let Some(body) = read_frame(&mut self.source, number)? else {
            return Ok(None);
        };
        let (chain, old) = (self.chain, self.set.clone());
        let record = parse(number, &body, |cursor| {
            let next = take_validators(cursor)?;
            Ok(HandoverRecord {
                last: take_decision(cursor, &chain, &old)?,
                first: take_decision(cursor, &chain, &next)?,
                next,
            })
        })?;
        self.number = number;
        self.set = record.next.clone();
        let handover = Handover {
            validators: old,
            last: record.last,
            first: record.first,
        };
        Ok(Some((handover, record.next)))
    }
}

/// All of a record; `None` at the end of the stream, which may be nowhere else.
fn read_frame(source: &mut impl Read, number: u64) -> Result<Option<Vec<u8>>, HandoverStreamError> {
    let mut length = [0; 4];
    let mut got = 0;
    while got < length.len() {
        match source.read(&mut length[got..]) {
            Ok(0) if got == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let got = u32::from_be_bytes(length);
    let size = usize::try_from(got).ok();
    let size = size.filter(|size| *size <= RECORD_BYTES_MAX);
    let size = size.ok_or(HandoverStreamError::Length { number, got })?;
    let mut body = Vec::new();
    source.take(size as u64).read_to_end(&mut body)?;
    if body.len() < size {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(body))
}

fn parse<T>(
    number: u64,
    body: &[u8],
    take: impl FnOnce(&mut Cursor<'_>) -> Result<T, BundleError>,
) -> Result<T, HandoverStreamError> {
    let mut cursor = Cursor::new(body);
    let parsed = take(&mut cursor).and_then(|it| {
        cursor.end()?;
        Ok(it)
    });
    parsed.map_err(|source| HandoverStreamError::Record { number, source })
}
