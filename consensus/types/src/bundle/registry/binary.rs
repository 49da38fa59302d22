//! The compact form.

use alloy_primitives::Bytes;

use super::super::{BUNDLE_BYTES_MAX, BundleError, MapBundle, ProofBundle, varint};
use super::{
    IssuerPlace, LeafProof, PlacedRecord, REGISTRY_NODE_BYTES_MAX, REGISTRY_NODES_MAX,
    REGISTRY_RECORDS_MAX, RegistryBundle, RegistryPart,
};
use crate::cursor::Cursor;
use crate::limits::{ORGANISATION_NAME_BYTES_MAX, VALIDATORS_MAX};
use crate::registry::{JURISDICTION_BYTES_MAX, LEI_BYTES_MAX, LegalRecord, TAX_ID_BYTES_MAX};

/// Format and version.
const MAGIC: &[u8; 4] = b"TBR1";

/// What a proof with a map part begins with, in all versions.
const MAP_MAGIC: &[u8] = b"TBM";

/// The texts of a record and their most bytes, in the order of [`LegalRecord::texts`].
pub(super) const TEXTS: [(&str, usize); 5] = [
    ("nameZhTw", ORGANISATION_NAME_BYTES_MAX),
    ("nameEn", ORGANISATION_NAME_BYTES_MAX),
    ("taxId", TAX_ID_BYTES_MAX),
    ("lei", LEI_BYTES_MAX),
    ("jurisdiction", JURISDICTION_BYTES_MAX),
];

impl RegistryBundle {
    /// The compact form. Fails as [`ProofBundle::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let proof = match &self.proof {
            LeafProof::Bundle(bundle) => bundle.encode()?,
            LeafProof::Map(map) => map.encode()?,
        };
        let mut bytes = Vec::with_capacity(proof.len() + 8192);
        bytes.extend_from_slice(MAGIC);
        varint::put(&mut bytes, "proof", proof.len() as u64)?;
        bytes.extend_from_slice(&proof);
        put_part(&mut bytes, &self.part)?;
        fits(bytes.len())?;
        Ok(bytes)
    }

    /// Accepts only what [`RegistryBundle::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        fits(bytes.len())?;
        let mut cursor = Cursor::new(bytes);
        if cursor.take("format", MAGIC.len())? != MAGIC {
            return Err(BundleError::Format);
        }
        let length = varint::count(&mut cursor, "proof", BUNDLE_BYTES_MAX)?;
        let proof = cursor.take("proof", length)?;
        let proof = if proof.starts_with(MAP_MAGIC) {
            LeafProof::Map(MapBundle::decode(proof)?)
        } else {
            LeafProof::Bundle(ProofBundle::decode(proof)?)
        };
        let part = take_part(&mut cursor)?;
        cursor.end()?;
        Ok(Self { proof, part })
    }

    /// The same with no more signatures than each quorum needs.
    pub fn minimal(self) -> Self {
        let proof = match self.proof {
            LeafProof::Bundle(bundle) => LeafProof::Bundle(bundle.minimal()),
            LeafProof::Map(map) => LeafProof::Map(map.minimal()),
        };
        Self { proof, ..self }
    }
}

fn fits(size: usize) -> Result<(), BundleError> {
    let max = BUNDLE_BYTES_MAX;
    if size > max {
        return Err(BundleError::TooLong { size, max });
    }
    Ok(())
}

fn put_part(bytes: &mut Vec<u8>, part: &RegistryPart) -> Result<(), BundleError> {
    bytes.push(part.issuer.is_some().into());
    if let Some(issuer) = part.issuer {
        varint::put(bytes, "membership", issuer.membership.into())?;
        varint::put(bytes, "record", issuer.record.into())?;
    }
    varint::put(bytes, "records", part.records.len() as u64)?;
    for record in &part.records {
        varint::put(bytes, "organisation", record.organisation.into())?;
        varint::put(bytes, "position", record.position.into())?;
        for ((field, _), text) in TEXTS.iter().zip(record.legal.texts()) {
            varint::put(bytes, field, text.len() as u64)?;
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    varint::put(bytes, "validators", part.validators.len() as u64)?;
    for record in &part.validators {
        let number = record.map_or(0, |record| u64::from(record) + 1);
        varint::put(bytes, "validators", number)?;
    }
    varint::put(bytes, "nodes", part.nodes.len() as u64)?;
    for node in &part.nodes {
        varint::put(bytes, "node", node.len() as u64)?;
        bytes.extend_from_slice(node);
    }
    Ok(())
}

fn take_part(cursor: &mut Cursor<'_>) -> Result<RegistryPart, BundleError> {
    let issuer = match cursor.u8("issuer")? {
        0 => None,
        1 => Some(IssuerPlace {
            membership: take_position(cursor, "membership")?,
            record: take_position(cursor, "record")?,
        }),
        _ => return Err(BundleError::NotCanonical("issuer")),
    };
    let count = varint::count(cursor, "records", REGISTRY_RECORDS_MAX)?;
    let records = (0..count).map(|_| {
        Ok(PlacedRecord {
            organisation: take_position(cursor, "organisation")?,
            position: take_position(cursor, "position")?,
            legal: take_record(cursor)?,
        })
    });
    let records = records.collect::<Result<_, BundleError>>()?;
    let count = varint::count(cursor, "validators", VALIDATORS_MAX)?;
    let validators = (0..count).map(|_| {
        let number = varint::take(cursor, "validators")?;
        let record = number.checked_sub(1).map(u32::try_from).transpose();
        record.map_err(|_| BundleError::Number("validators"))
    });
    let validators = validators.collect::<Result<_, BundleError>>()?;
    let count = varint::count(cursor, "nodes", REGISTRY_NODES_MAX)?;
    let nodes = (0..count).map(|_| {
        let length = varint::count(cursor, "node", REGISTRY_NODE_BYTES_MAX)?;
        Ok(Bytes::copy_from_slice(cursor.take("node", length)?))
    });
    Ok(RegistryPart {
        issuer,
        records,
        validators,
        nodes: nodes.collect::<Result<_, BundleError>>()?,
    })
}

fn take_position(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u32, BundleError> {
    let position = varint::take(cursor, field)?;
    u32::try_from(position).map_err(|_| BundleError::Number(field))
}

fn take_record(cursor: &mut Cursor<'_>) -> Result<LegalRecord, BundleError> {
    let mut texts = TEXTS.iter().map(|(field, max)| {
        let length = varint::count(cursor, field, *max)?;
        let text = str::from_utf8(cursor.take(field, length)?);
        text.map(str::to_owned)
            .map_err(|_| BundleError::NotCanonical(field))
    });
    let mut next = || texts.next().expect("there are five");
    Ok(LegalRecord {
        name_zh_tw: next()?,
        name_en: next()?,
        tax_id: next()?,
        lei: next()?,
        jurisdiction: next()?,
    })
}
