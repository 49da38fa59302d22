//! The seven events of the attestation contract.

use alloy_primitives::{Address, B256, b256};
use sha2::{Digest, Sha256};

use super::abi::{Words, address, integer};
use super::{GOVERNOR, LeafWriter};
use crate::log::algorithm::words_per_digest;
use crate::log::leaf::LeafError;

pub(super) const ATTESTED: B256 =
    b256!("3cf195e9128344c418a8ec5353485d4d39070b816b77b9fc0493bcd66ea4d46e");
pub(super) const REVOKED: B256 =
    b256!("6f968b2b82aa6b3e5bdbd94d311c1ab27c41944fc01ca28aecd3fcf342f8525b");
pub(super) const SUPERSEDED: B256 =
    b256!("7ba8d3894b0b3d8a834d8575b6d41d1dab8b06d4a508a529ee46034dfd4fcb7c");
pub(super) const COUNTERSIGNING_OPENED: B256 =
    b256!("bc545fbb10a47e3987b540f385dbd0ff4f5faeb8efc8528d6a6c9f3a53eaed29");
pub(super) const COUNTERSIGNED: B256 =
    b256!("2e3b9d16277323e6099f4c77ef6908eac0115a1d26254d0c255731ef36c3fd05");
pub(super) const SCHEMA_REGISTERED: B256 =
    b256!("00dc257813958b3f3beb6f8a1e95b1b66437bedfd217c99513b42dbda6ba3114");
pub(super) const ALGORITHM_SET: B256 =
    b256!("73715016a2bb021b51e5d594ce43bd319a866a4616ac8c7afe1bd990a0f6a085");

/// Writes the leaves of one event; none if it is not in canonical form.
pub(super) fn write<F: FnMut(&[u8])>(
    topics: &[B256],
    data: &[u8],
    writer: &mut LeafWriter<'_, F>,
) -> Result<(), LeafError> {
    match topics {
        [ATTESTED, schema, issuer] => match attested(*schema, *issuer, data) {
            Some(event) => write_attested(&event, writer),
            None => Ok(()),
        },
        [signature, first, rest @ ..] => match other(*signature, *first, rest, data) {
            Some((kind, issuer, fields)) => {
                let mut leaf = writer.begin(kind, issuer)?;
                leaf.push(fields.as_slice());
                writer.emit(&mut leaf)
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// `Attested(bytes32 indexed schema, address indexed issuer, uint32 algorithm, bytes32[] words)`
struct Attested<'a> {
    schema: B256,
    issuer: Address,
    algorithm: u32,
    /// A whole number of digests.
    digests: &'a [u8],
}

fn attested(schema: B256, issuer: B256, data: &[u8]) -> Option<Attested<'_>> {
    let mut words = Words::new(data);
    let algorithm = u32::try_from(words.integer()?).ok()?;
    let digests = words.array(2 * 32)?;
    let whole = digests.len() % (32 * words_per_digest(algorithm)) == 0;
    whole.then_some(Attested {
        schema,
        issuer: address(issuer)?,
        algorithm,
        digests,
    })
}

fn write_attested<F: FnMut(&[u8])>(
    event: &Attested<'_>,
    writer: &mut LeafWriter<'_, F>,
) -> Result<(), LeafError> {
    let length: u8 = 32 * u8::try_from(words_per_digest(event.algorithm)).expect("1 or 2");
    let mut leaf = writer.begin(1, event.issuer)?;
    leaf.push(event.schema.as_slice());
    leaf.push(&event.algorithm.to_be_bytes());
    leaf.push(&[length]);
    let before = leaf.length;
    for digest in event.digests.chunks_exact(length.into()) {
        leaf.truncate(before);
        leaf.push(digest);
        writer.emit(&mut leaf)?;
    }
    Ok(())
}

/// Kind, issuer and fields of a leaf.
type Fields = (u8, Address, FieldBytes);

/// What the fields of a leaf other than an attestation take at most.
const FIELDS_MAX: usize = 32 + 2 + 8 + 2 + 32;

struct FieldBytes {
    bytes: [u8; FIELDS_MAX],
    length: usize,
}

impl FieldBytes {
    fn of(parts: &[&[u8]]) -> Self {
        let mut fields = Self {
            bytes: [0; FIELDS_MAX],
            length: 0,
        };
        for part in parts {
            fields.bytes[fields.length..][..part.len()].copy_from_slice(part);
            fields.length += part.len();
        }
        fields
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn other(signature: B256, first: B256, rest: &[B256], data: &[u8]) -> Option<Fields> {
    match (signature, rest) {
        (REVOKED, [issuer]) => revoked(first, *issuer, data),
        (SUPERSEDED, [issuer, successor]) => superseded(first, *issuer, *successor, data),
        (COUNTERSIGNING_OPENED, [issuer]) => countersigning_opened(first, *issuer, data),
        (COUNTERSIGNED, [party]) => countersigned(first, *party, data),
        (SCHEMA_REGISTERED, [owner]) => schema_registered(first, *owner, data),
        (ALGORITHM_SET, []) => algorithm_set(first, data),
        _ => None,
    }
}

/// `Revoked(bytes32 indexed id, address indexed issuer, uint16 reason)`
fn revoked(id: B256, issuer: B256, data: &[u8]) -> Option<Fields> {
    let mut words = Words::new(data);
    let reason = u16::try_from(words.integer()?).ok()?;
    words.end()?;
    let fields = FieldBytes::of(&[id.as_slice(), &reason.to_be_bytes()]);
    Some((2, address(issuer)?, fields))
}

/// `Superseded(bytes32 indexed id, address indexed issuer, bytes32 indexed successor)`
fn superseded(id: B256, issuer: B256, successor: B256, data: &[u8]) -> Option<Fields> {
    Words::new(data).end()?;
    let fields = FieldBytes::of(&[id.as_slice(), successor.as_slice()]);
    Some((3, address(issuer)?, fields))
}

/// `CountersigningOpened(bytes32 indexed id, address indexed issuer, uint16 threshold,
/// uint64 deadline, address[] parties)`
fn countersigning_opened(id: B256, issuer: B256, data: &[u8]) -> Option<Fields> {
    let mut words = Words::new(data);
    let threshold = u16::try_from(words.integer()?).ok()?;
    let deadline = words.integer()?;
    let parties = words.array(3 * 32)?;
    let count = u16::try_from(parties.len() / 32).ok()?;
    let mut hasher = Sha256::new();
    for party in parties.chunks_exact(32) {
        hasher.update(address(B256::from_slice(party))?);
    }
    let fields = FieldBytes::of(&[
        id.as_slice(),
        &threshold.to_be_bytes(),
        &deadline.to_be_bytes(),
        &count.to_be_bytes(),
        &hasher.finalize(),
    ]);
    Some((4, address(issuer)?, fields))
}

/// `Countersigned(bytes32 indexed id, address indexed party, uint16 have, uint16 need)`
fn countersigned(id: B256, party: B256, data: &[u8]) -> Option<Fields> {
    let mut words = Words::new(data);
    let have = u16::try_from(words.integer()?).ok()?;
    let need = u16::try_from(words.integer()?).ok()?;
    words.end()?;
    let fields = FieldBytes::of(&[id.as_slice(), &have.to_be_bytes(), &need.to_be_bytes()]);
    Some((5, address(party)?, fields))
}

/// `SchemaRegistered(bytes32 indexed schema, address indexed owner, bytes32 textHash,
/// uint8 commitsTo, bool revocable)`
fn schema_registered(schema: B256, owner: B256, data: &[u8]) -> Option<Fields> {
    let mut words = Words::new(data);
    let text_hash = words.word()?;
    let commits_to = u8::try_from(words.integer()?).ok()?;
    let revocable = u8::try_from(words.integer()?).ok()?;
    words.end()?;
    if revocable > 1 {
        return None;
    }
    let flags = [commits_to, revocable];
    let fields = FieldBytes::of(&[schema.as_slice(), text_hash.as_slice(), &flags]);
    Some((6, address(owner)?, fields))
}

/// `AlgorithmSet(uint32 indexed algorithm, uint16 bits, uint8 status)`
fn algorithm_set(algorithm: B256, data: &[u8]) -> Option<Fields> {
    let mut words = Words::new(data);
    let algorithm = u32::try_from(integer(algorithm)?).ok()?;
    let bits = u16::try_from(words.integer()?).ok()?;
    let status = u8::try_from(words.integer()?).ok()?;
    words.end()?;
    let fields = FieldBytes::of(&[&algorithm.to_be_bytes(), &bits.to_be_bytes(), &[status]]);
    Some((7, GOVERNOR, fields))
}
