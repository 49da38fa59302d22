//! The JSON form.

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};

use super::super::json::{BundleJson, at_most, lower_hex};
use super::super::map::json::{MapPartJson, or_null};
use super::super::{BUNDLE_JSON_BYTES_MAX, BundleError};
use super::binary::TEXTS;
use super::{
    IssuerPlace, LeafProof, PlacedRecord, REGISTRY_FORMAT, REGISTRY_NODE_BYTES_MAX,
    REGISTRY_NODES_MAX, REGISTRY_RECORDS_MAX, RegistryBundle, RegistryPart,
};
use crate::json::from_json;
use crate::limits::VALIDATORS_MAX;
use crate::registry::LegalRecord;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegistryBundleJson {
    format: String,
    proof: BundleJson,
    #[serde(deserialize_with = "or_null")]
    map: Option<MapPartJson>,
    registry: RegistryPartJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegistryPartJson {
    #[serde(deserialize_with = "or_null")]
    issuer: Option<IssuerJson>,
    records: Vec<RecordJson>,
    validators: Vec<Option<u32>>,
    #[serde(deserialize_with = "lower_hex::list")]
    nodes: Vec<Bytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IssuerJson {
    membership: u32,
    record: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordJson {
    organisation: u32,
    position: u32,
    name_zh_tw: String,
    name_en: String,
    tax_id: String,
    lei: String,
    jurisdiction: String,
}

impl RegistryBundle {
    /// The JSON form, indented. Fails if the leaf is not one.
    pub fn to_json(&self) -> Result<String, BundleError> {
        let map = match &self.proof {
            LeafProof::Bundle(_) => None,
            LeafProof::Map(map) => Some(MapPartJson::of(map)),
        };
        let json = RegistryBundleJson {
            format: REGISTRY_FORMAT.into(),
            proof: BundleJson::of(self.proof.bundle())?,
            map,
            registry: RegistryPartJson::from(&self.part),
        };
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }

    /// Reads the JSON form; white space and the order of keys are free.
    pub fn parse_json(text: &[u8]) -> Result<Self, BundleError> {
        let (size, max) = (text.len(), BUNDLE_JSON_BYTES_MAX);
        if size > max {
            return Err(BundleError::TooLong { size, max });
        }
        let json: RegistryBundleJson = from_json(text)?;
        if json.format != REGISTRY_FORMAT {
            return Err(BundleError::Format);
        }
        let bundle = json.proof.parse()?;
        Ok(Self {
            proof: match json.map {
                None => LeafProof::Bundle(bundle),
                Some(map) => LeafProof::Map(map.with(bundle)?),
            },
            part: json.registry.parse()?,
        })
    }
}

impl From<&RegistryPart> for RegistryPartJson {
    fn from(part: &RegistryPart) -> Self {
        let issuer = part.issuer.map(|it| IssuerJson {
            membership: it.membership,
            record: it.record,
        });
        Self {
            issuer,
            records: part.records.iter().map(RecordJson::from).collect(),
            validators: part.validators.clone(),
            nodes: part.nodes.clone(),
        }
    }
}

impl From<&PlacedRecord> for RecordJson {
    fn from(record: &PlacedRecord) -> Self {
        let legal = record.legal.clone();
        Self {
            organisation: record.organisation,
            position: record.position,
            name_zh_tw: legal.name_zh_tw,
            name_en: legal.name_en,
            tax_id: legal.tax_id,
            lei: legal.lei,
            jurisdiction: legal.jurisdiction,
        }
    }
}

impl RegistryPartJson {
    fn parse(self) -> Result<RegistryPart, BundleError> {
        at_most("records", self.records.len(), REGISTRY_RECORDS_MAX)?;
        at_most("validators", self.validators.len(), VALIDATORS_MAX)?;
        at_most("nodes", self.nodes.len(), REGISTRY_NODES_MAX)?;
        let records = self.records.into_iter().map(RecordJson::parse);
        let records = records.collect::<Result<_, _>>()?;
        for node in &self.nodes {
            at_most("node", node.len(), REGISTRY_NODE_BYTES_MAX)?;
        }
        Ok(RegistryPart {
            issuer: self.issuer.map(|it| IssuerPlace {
                membership: it.membership,
                record: it.record,
            }),
            records,
            validators: self.validators,
            nodes: self.nodes,
        })
    }
}

impl RecordJson {
    fn parse(self) -> Result<PlacedRecord, BundleError> {
        let legal = LegalRecord {
            name_zh_tw: self.name_zh_tw,
            name_en: self.name_en,
            tax_id: self.tax_id,
            lei: self.lei,
            jurisdiction: self.jurisdiction,
        };
        for ((field, max), text) in TEXTS.iter().zip(legal.texts()) {
            at_most(field, text.len(), *max)?;
        }
        Ok(PlacedRecord {
            organisation: self.organisation,
            position: self.position,
            legal,
        })
    }
}
