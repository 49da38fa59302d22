//! OpenTimestamps: from a digest through a leaf and the log to what others attest (SPEC §10.9).
//!
//! A timestamp is a tree of operations on a message, whose branches end in attestations. It is
//! written and read without a tree in memory.

mod commitment;

use alloy_primitives::B256;

pub use commitment::OtsCommitment;

use crate::log::proof::{InclusionProof, ProofShapeError};
use crate::number::{LeafIndex, TreeSize};
use crate::sha256;

/// Bytes of a timestamp that clients take from a calendar.
pub const OTS_BYTES_MAX: usize = 10_000;

/// Bytes of a file with one.
pub const OTS_FILE_BYTES_MAX: usize = OTS_BYTES_MAX + MAGIC.len() + 2 + 32;

/// Bytes of a message, and of what an operation adds to it.
pub const OTS_MESSAGE_BYTES_MAX: usize = 4_096;

/// Operations after one another.
pub const OTS_DEPTH_MAX: usize = 255;

/// Branches that are open at a time, and attestations in all.
pub const OTS_BRANCHES_MAX: usize = 16;

/// Bytes of a calendar's URL.
pub const OTS_URL_BYTES_MAX: usize = 1_000;

/// Bytes of an attestation.
const ATTESTATION_BYTES_MAX: usize = 8_192;

const MAGIC: &[u8; 31] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";
const VERSION: u8 = 1;

const ATTESTATION: u8 = 0x00;
const SHA256: u8 = 0x08;
const APPEND: u8 = 0xf0;
const PREPEND: u8 = 0xf1;
const FORK: u8 = 0xff;

const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];

/// Whether a calendar's URL can be in a timestamp: the characters that all clients take.
pub fn is_calendar_url(url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte);
    (1..=OTS_URL_BYTES_MAX).contains(&url.len()) && url.bytes().all(plain)
}

/// Writes a timestamp, operation after operation.
#[derive(Clone, Debug, Default)]
pub struct OtsWriter(Vec<u8>);

impl OtsWriter {
    /// A file with the timestamp of a file that has this SHA-256.
    pub fn file(digest: B256) -> Self {
        Self([MAGIC.as_slice(), &[VERSION, SHA256], digest.as_slice()].concat())
    }

    /// Puts bytes before the message.
    pub fn prepend(&mut self, bytes: &[u8]) {
        self.0.push(PREPEND);
        write_bytes(&mut self.0, bytes);
    }

    /// Puts bytes behind the message.
    pub fn append(&mut self, bytes: &[u8]) {
        self.0.push(APPEND);
        write_bytes(&mut self.0, bytes);
    }

    /// Hashes the message.
    pub fn sha256(&mut self) {
        self.0.push(SHA256);
    }

    /// From a leaf's hash to the root of a log.
    pub fn path(
        &mut self,
        index: LeafIndex,
        size: TreeSize,
        proof: &InclusionProof,
    ) -> Result<(), ProofShapeError> {
        for (sibling, is_left) in proof.siblings(index, size)? {
            if is_left {
                self.prepend(&[&[1], sibling.as_slice()].concat());
            } else {
                self.append(sibling.as_slice());
                self.prepend(&[1]);
            }
            self.sha256();
        }
        Ok(())
    }

    /// That a calendar may know more of the message. More branches of the message follow if it is
    /// not the last one.
    pub fn pending(&mut self, url: &str, is_last: bool) {
        debug_assert!(is_calendar_url(url), "the URL was checked");
        if !is_last {
            self.0.push(FORK);
        }
        self.0.push(ATTESTATION);
        self.0.extend(PENDING);
        let mut payload = Vec::new();
        write_bytes(&mut payload, url.as_bytes());
        write_bytes(&mut self.0, &payload);
    }

    /// The bytes, if the last branch has its attestation.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// The bytes, which go on with a timestamp of the message.
    pub fn finish_with(mut self, timestamp: &[u8]) -> Vec<u8> {
        self.0.extend(timestamp);
        self.0
    }
}

fn write_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    write_number(to, bytes.len() as u64);
    to.extend(bytes);
}

/// LEB128.
fn write_number(to: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

/// What is said at the end of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtsNotary {
    /// A calendar's promise; proves nothing.
    Pending(String),
    /// The message is the Merkle root of the Bitcoin block of this height. Whether it is, only
    /// somebody with the block's header can tell.
    Bitcoin(u64),
    /// Something else.
    Other([u8; 8]),
}

/// An attestation in a timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtsAttestation {
    /// Of what.
    pub message: Vec<u8>,
    /// By whom.
    pub notary: OtsNotary,
    /// Where it begins and ends in the timestamp's bytes.
    pub place: (usize, usize),
    /// Whether it is the last branch of its message, so that a timestamp can take its place.
    pub is_last: bool,
}

/// Why bytes are no timestamp that is taken here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OtsError {
    /// Above the size limit.
    #[error("timestamp has {0} bytes, at most {OTS_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Not such a file, or of another version or hash.
    #[error("file does not begin as an OpenTimestamps file of version 1 with SHA-256")]
    Header,
    /// It ends too early.
    #[error("timestamp ends within a branch, at byte {0}")]
    Cut(usize),
    /// Bytes are left over.
    #[error("timestamp ends at byte {0}, and more bytes follow")]
    Surplus(usize),
    /// An operation that no calendar needs.
    #[error("timestamp has operation {0:#04x}; SHA-256, append and prepend are known")]
    Operation(u8),
    /// A number or a length out of range.
    #[error("timestamp has a length or number out of range at byte {0}")]
    Range(usize),
    /// A message too long.
    #[error("timestamp has a message of more than {OTS_MESSAGE_BYTES_MAX} bytes")]
    Message,
    /// More operations than clients follow.
    #[error("timestamp has more than {OTS_DEPTH_MAX} operations after one another")]
    Depth,
    /// More branches or attestations than here are followed.
    #[error("timestamp has more than {OTS_BRANCHES_MAX} branches or attestations")]
    Branches,
    /// A question of another kind.
    #[error("a commitment is the hex of a log root (32 bytes), or of 0x00 and a leaf")]
    Commitment,
    /// A calendar's URL that no client asks.
    #[error("timestamp has a pending attestation whose URL is malformed")]
    Url,
}

/// The digest in an `.ots` file, and its attestations.
pub fn read_ots_file(bytes: &[u8]) -> Result<(B256, Vec<OtsAttestation>), OtsError> {
    let rest = bytes.strip_prefix(MAGIC.as_slice());
    let rest = rest.and_then(|rest| rest.strip_prefix(&[VERSION, SHA256]));
    let (digest, timestamp) = rest
        .and_then(|rest| rest.split_first_chunk::<32>())
        .ok_or(OtsError::Header)?;
    Ok((B256::from(*digest), read_ots(timestamp, digest)?))
}

/// The attestations in a timestamp of `message`. Follows every branch.
pub fn read_ots(bytes: &[u8], message: &[u8]) -> Result<Vec<OtsAttestation>, OtsError> {
    if bytes.len() > OTS_BYTES_MAX {
        return Err(OtsError::TooLong(bytes.len()));
    }
    if message.len() > OTS_MESSAGE_BYTES_MAX {
        return Err(OtsError::Message);
    }
    let mut reader = Reader { bytes, at: 0 };
    let mut found = Vec::new();
    // Messages of which more branches follow, and how deep they are.
    let mut open = vec![(message.to_vec(), 0)];
    while let Some((message, depth)) = open.pop() {
        let mut tag = reader.byte()?;
        let is_last = tag != FORK;
        if !is_last {
            tag = reader.byte()?;
            open.push((message.clone(), depth));
        }
        if open.len() > OTS_BRANCHES_MAX || found.len() == OTS_BRANCHES_MAX {
            return Err(OtsError::Branches);
        }
        if tag == ATTESTATION {
            found.push(reader.attestation(message, is_last)?);
            continue;
        }
        if depth == OTS_DEPTH_MAX {
            return Err(OtsError::Depth);
        }
        open.push((reader.result(tag, message)?, depth + 1));
    }
    if reader.at != bytes.len() {
        return Err(OtsError::Surplus(reader.at));
    }
    Ok(found)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], OtsError> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(OtsError::Cut(self.bytes.len()))?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, OtsError> {
        Ok(self.take(1)?[0])
    }

    /// LEB128, in its shortest form.
    fn number(&mut self) -> Result<u64, OtsError> {
        let start = self.at;
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || shift == 0;
                return is_shortest.then_some(number).ok_or(OtsError::Range(start));
            }
        }
        Err(OtsError::Range(start))
    }

    fn counted(&mut self, max: usize) -> Result<&'a [u8], OtsError> {
        let start = self.at;
        let length = usize::try_from(self.number()?).ok();
        let length = length.filter(|length| *length <= max);
        self.take(length.ok_or(OtsError::Range(start))?)
    }

    /// What an operation makes of a message.
    fn result(&mut self, tag: u8, message: Vec<u8>) -> Result<Vec<u8>, OtsError> {
        if tag == SHA256 {
            return Ok(sha256(&[&message]).to_vec());
        }
        if tag != APPEND && tag != PREPEND {
            return Err(OtsError::Operation(tag));
        }
        let start = self.at;
        let added = self.counted(OTS_MESSAGE_BYTES_MAX)?;
        if added.is_empty() {
            return Err(OtsError::Range(start));
        }
        if message.len() + added.len() > OTS_MESSAGE_BYTES_MAX {
            return Err(OtsError::Message);
        }
        let parts = if tag == APPEND {
            [message.as_slice(), added]
        } else {
            [added, message.as_slice()]
        };
        Ok(parts.concat())
    }

    /// After its tag.
    fn attestation(&mut self, message: Vec<u8>, is_last: bool) -> Result<OtsAttestation, OtsError> {
        let start = self.at - 1;
        let kind: [u8; 8] = self.take(8)?.try_into().expect("eight bytes");
        let payload = self.counted(ATTESTATION_BYTES_MAX)?;
        let place = (start, self.at);
        let mut inner = Reader {
            bytes: payload,
            at: 0,
        };
        let notary = match kind {
            PENDING => {
                let url = std::str::from_utf8(inner.counted(OTS_URL_BYTES_MAX)?).ok();
                let url = url.filter(|url| is_calendar_url(url));
                OtsNotary::Pending(url.ok_or(OtsError::Url)?.into())
            }
            BITCOIN => OtsNotary::Bitcoin(inner.number()?),
            other => return Ok(unknown(message, other, place, is_last)),
        };
        if inner.at != payload.len() {
            return Err(OtsError::Surplus(place.1));
        }
        Ok(OtsAttestation {
            message,
            notary,
            place,
            is_last,
        })
    }
}

fn unknown(
    message: Vec<u8>,
    kind: [u8; 8],
    place: (usize, usize),
    is_last: bool,
) -> OtsAttestation {
    OtsAttestation {
        message,
        notary: OtsNotary::Other(kind),
        place,
        is_last,
    }
}

#[cfg(test)]
mod tests;
