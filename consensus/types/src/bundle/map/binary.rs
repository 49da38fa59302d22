//! The compact form.

use alloy_primitives::{Address, B256};

use super::super::{BUNDLE_BYTES_MAX, BundleError, ProofBundle, varint};
use super::{MAP_ENTRIES_MAX, MapBundle, MapEntry, StapledRoot};
use crate::cursor::Cursor;
use crate::log::DigestWords;
use crate::log::leaf::LEAF_BYTES_MAX;
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::map::entry::VALUE_BYTES_MAX;
use crate::map::state::ALGORITHMS_MAX;
use crate::map::{MapAnswer, MapEnd, MapQuestion};
use crate::number::LeafIndex;

/// Format and version.
const MAGIC: &[u8; 4] = b"TBM1";

const DIGEST: u8 = 1;
const STATUS: u8 = 2;
const SCHEMA: u8 = 3;

const NOTHING: u8 = 0;
const ENTRY: u8 = 1;
const OTHER: u8 = 2;

const DEPTH_MAX: usize = 256;

impl MapBundle {
    /// The compact form. Fails as [`ProofBundle::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let proof = self.proof.encode()?;
        let mut bytes = Vec::with_capacity(proof.len() + 2048);
        bytes.extend_from_slice(MAGIC);
        varint::put(&mut bytes, "proof", proof.len() as u64)?;
        bytes.extend_from_slice(&proof);
        put_root(&mut bytes, self.root.as_ref())?;
        let count = self.revoked_algorithms.len() as u64;
        varint::put(&mut bytes, "revokedAlgorithms", count)?;
        for code in &self.revoked_algorithms {
            bytes.extend_from_slice(&code.to_be_bytes());
        }
        varint::put(&mut bytes, "entries", self.entries.len() as u64)?;
        for entry in &self.entries {
            put_question(&mut bytes, &entry.question);
            put_answer(&mut bytes, &entry.answer)?;
        }
        fits(bytes.len())?;
        Ok(bytes)
    }

    /// Accepts only what [`MapBundle::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        fits(bytes.len())?;
        let mut cursor = Cursor::new(bytes);
        if cursor.take("format", MAGIC.len())? != MAGIC {
            return Err(BundleError::Format);
        }
        let length = varint::count(&mut cursor, "proof", BUNDLE_BYTES_MAX)?;
        let proof = ProofBundle::decode(cursor.take("proof", length)?)?;
        let root = take_root(&mut cursor)?;
        let count = varint::count(&mut cursor, "revokedAlgorithms", ALGORITHMS_MAX)?;
        let codes = (0..count).map(|_| cursor.u32("revokedAlgorithms"));
        let revoked_algorithms = codes.collect::<Result<_, _>>()?;
        let count = varint::count(&mut cursor, "entries", MAP_ENTRIES_MAX)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(MapEntry {
                question: take_question(&mut cursor)?,
                answer: take_answer(&mut cursor)?,
            });
        }
        cursor.end()?;
        Ok(Self {
            proof,
            root,
            revoked_algorithms,
            entries,
        })
    }

    /// The same with no more signatures than each quorum needs.
    pub fn minimal(self) -> Self {
        Self {
            proof: self.proof.minimal(),
            ..self
        }
    }
}

fn fits(size: usize) -> Result<(), BundleError> {
    let max = BUNDLE_BYTES_MAX;
    if size > max {
        return Err(BundleError::TooLong { size, max });
    }
    Ok(())
}

fn put_root(bytes: &mut Vec<u8>, root: Option<&StapledRoot>) -> Result<(), BundleError> {
    let Some(root) = root else {
        bytes.push(0);
        return Ok(());
    };
    bytes.push(1);
    varint::put(bytes, "root", root.leaf.len() as u64)?;
    bytes.extend_from_slice(&root.leaf);
    varint::put(bytes, "leafIndex", root.leaf_index.0)?;
    varint::put(bytes, "inclusionProof", root.inclusion.0.len() as u64)?;
    for hash in &root.inclusion.0 {
        bytes.extend_from_slice(hash.as_slice());
    }
    Ok(())
}

fn take_root(cursor: &mut Cursor<'_>) -> Result<Option<StapledRoot>, BundleError> {
    match cursor.u8("root")? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(BundleError::NotCanonical("root")),
    }
    let length = varint::count(cursor, "root", LEAF_BYTES_MAX)?;
    let leaf = cursor.take("root", length)?.to_vec();
    let leaf_index = LeafIndex(varint::take(cursor, "leafIndex")?);
    let count = varint::count(cursor, "inclusionProof", INCLUSION_HASHES_MAX)?;
    let hashes = (0..count).map(|_| cursor.b256("inclusionProof"));
    let inclusion = InclusionProof(hashes.collect::<Result<_, _>>()?);
    Ok(Some(StapledRoot {
        leaf,
        leaf_index,
        inclusion,
    }))
}

fn put_question(bytes: &mut Vec<u8>, question: &MapQuestion) {
    match question {
        MapQuestion::Digest(words) => {
            let digest = words.to_bytes();
            bytes.push(DIGEST);
            bytes.push(u8::try_from(digest.len()).expect("32 or 64"));
            bytes.extend_from_slice(&digest);
        }
        MapQuestion::Status { id, issuer } => {
            bytes.push(STATUS);
            bytes.extend_from_slice(id.as_slice());
            bytes.extend_from_slice(issuer.as_slice());
        }
        MapQuestion::Schema(schema) => {
            bytes.push(SCHEMA);
            bytes.extend_from_slice(schema.as_slice());
        }
    }
}

fn take_question(cursor: &mut Cursor<'_>) -> Result<MapQuestion, BundleError> {
    match cursor.u8("question")? {
        DIGEST => {
            let length = usize::from(cursor.u8("digest")?);
            let words = DigestWords::parse(cursor.take("digest", length)?);
            words
                .map(MapQuestion::Digest)
                .ok_or(BundleError::NotCanonical("digest"))
        }
        STATUS => Ok(MapQuestion::Status {
            id: cursor.b256("id")?,
            issuer: Address::from(cursor.array::<20>("issuer")?),
        }),
        SCHEMA => Ok(MapQuestion::Schema(cursor.b256("schema")?)),
        _ => Err(BundleError::NotCanonical("question")),
    }
}

fn put_answer(bytes: &mut Vec<u8>, answer: &MapAnswer) -> Result<(), BundleError> {
    let shape = usize::from(answer.depth.div_ceil(8));
    let bits = answer.bitmap.iter().map(|byte| byte.count_ones() as usize);
    if answer.bitmap.len() != shape || bits.sum::<usize>() != answer.siblings.len() {
        return Err(BundleError::Contradiction("siblings"));
    }
    varint::put(bytes, "depth", answer.depth.into())?;
    bytes.extend_from_slice(&answer.bitmap);
    for hash in &answer.siblings {
        bytes.extend_from_slice(hash.as_slice());
    }
    let value = match &answer.end {
        MapEnd::Nothing => {
            bytes.push(NOTHING);
            return Ok(());
        }
        MapEnd::Entry(value) => {
            bytes.push(ENTRY);
            value
        }
        MapEnd::Other { key, value } => {
            bytes.push(OTHER);
            bytes.extend_from_slice(key.as_slice());
            value
        }
    };
    varint::put(bytes, "value", value.len() as u64)?;
    bytes.extend_from_slice(value);
    Ok(())
}

fn take_answer(cursor: &mut Cursor<'_>) -> Result<MapAnswer, BundleError> {
    let depth = varint::count(cursor, "depth", DEPTH_MAX)?;
    let bitmap = cursor.take("bitmap", depth.div_ceil(8))?.to_vec();
    let count = bitmap.iter().map(|byte| byte.count_ones()).sum::<u32>();
    let siblings = (0..count).map(|_| cursor.b256("siblings"));
    let siblings: Vec<B256> = siblings.collect::<Result<_, _>>()?;
    let end = match cursor.u8("end")? {
        NOTHING => MapEnd::Nothing,
        ENTRY => MapEnd::Entry(take_value(cursor)?),
        OTHER => MapEnd::Other {
            key: cursor.b256("key")?,
            value: take_value(cursor)?,
        },
        _ => return Err(BundleError::NotCanonical("end")),
    };
    Ok(MapAnswer {
        depth: u16::try_from(depth).map_err(|_| BundleError::Number("depth"))?,
        bitmap,
        siblings,
        end,
    })
}

fn take_value(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, BundleError> {
    let length = varint::count(cursor, "value", VALUE_BYTES_MAX)?;
    Ok(cursor.take("value", length)?.to_vec())
}
