//! The JSON form.

use alloy_primitives::{Address, B256, Bytes};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::super::json::{BundleJson, at_most, lower_hex};
use super::super::{BUNDLE_JSON_BYTES_MAX, BundleError, ProofBundle};
use super::{MAP_ENTRIES_MAX, MAP_FORMAT, MapBundle, MapEntry, StapledRoot};
use crate::json::from_json;
use crate::log::DigestWords;
use crate::log::leaf::{LEAF_BYTES_MAX, LeafError};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::map::state::ALGORITHMS_MAX;
use crate::map::{MapAnswer, MapEnd, MapQuestion};
use crate::number::LeafIndex;

/// Siblings of the longest answer.
const SIBLINGS_MAX: usize = 256;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MapBundleJson {
    format: String,
    proof: BundleJson,
    map: MapPartJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::bundle) struct MapPartJson {
    #[serde(deserialize_with = "or_null")]
    root: Option<StapledRootJson>,
    revoked_algorithms: Vec<u32>,
    entries: Vec<MapEntryJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StapledRootJson {
    #[serde(deserialize_with = "lower_hex::one")]
    leaf: Bytes,
    leaf_index: LeafIndex,
    #[serde(deserialize_with = "lower_hex::list")]
    inclusion_proof: Vec<B256>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MapEntryJson {
    question: QuestionJson,
    depth: u16,
    #[serde(deserialize_with = "lower_hex::one")]
    bitmap: Bytes,
    #[serde(deserialize_with = "lower_hex::list")]
    siblings: Vec<B256>,
    #[serde(deserialize_with = "lower_hex::maybe")]
    value: Option<Bytes>,
    #[serde(deserialize_with = "or_null")]
    other: Option<OtherJson>,
}

/// `kind` says which of the others there are. No enum with a tag: serde reads one from a list too.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuestionJson {
    kind: String,
    #[serde(
        default,
        deserialize_with = "lower_hex::some",
        skip_serializing_if = "Option::is_none"
    )]
    digest: Option<Bytes>,
    #[serde(
        default,
        deserialize_with = "lower_hex::some",
        skip_serializing_if = "Option::is_none"
    )]
    id: Option<B256>,
    #[serde(
        default,
        deserialize_with = "lower_hex::some",
        skip_serializing_if = "Option::is_none"
    )]
    issuer: Option<Address>,
    #[serde(
        default,
        deserialize_with = "lower_hex::some",
        skip_serializing_if = "Option::is_none"
    )]
    schema: Option<B256>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OtherJson {
    #[serde(deserialize_with = "lower_hex::one")]
    key: B256,
    #[serde(deserialize_with = "lower_hex::one")]
    value: Bytes,
}

/// A value or null: a key that is missing is refused.
pub(in crate::bundle) fn or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl MapBundle {
    /// The JSON form, indented. Fails if the leaf is not one.
    pub fn to_json(&self) -> Result<String, BundleError> {
        let json = MapBundleJson {
            format: MAP_FORMAT.into(),
            proof: BundleJson::of(&self.proof)?,
            map: MapPartJson::of(self),
        };
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }

    /// Reads the JSON form; white space and the order of keys are free.
    pub fn parse_json(text: &[u8]) -> Result<Self, BundleError> {
        let (size, max) = (text.len(), BUNDLE_JSON_BYTES_MAX);
        if size > max {
            return Err(BundleError::TooLong { size, max });
        }
        let json: MapBundleJson = from_json(text)?;
        if json.format != MAP_FORMAT {
            return Err(BundleError::Format);
        }
        json.map.with(json.proof.parse()?)
    }
}

impl MapPartJson {
    pub(in crate::bundle) fn of(bundle: &MapBundle) -> Self {
        let root = bundle.root.as_ref().map(|root| StapledRootJson {
            leaf: root.leaf.clone().into(),
            leaf_index: root.leaf_index,
            inclusion_proof: root.inclusion.0.clone(),
        });
        Self {
            root,
            revoked_algorithms: bundle.revoked_algorithms.clone(),
            entries: bundle.entries.iter().map(MapEntryJson::from).collect(),
        }
    }

    /// The part and the proof that it belongs to.
    pub(in crate::bundle) fn with(self, proof: ProofBundle) -> Result<MapBundle, BundleError> {
        let algorithms = self.revoked_algorithms.len();
        at_most("revokedAlgorithms", algorithms, ALGORITHMS_MAX)?;
        at_most("entries", self.entries.len(), MAP_ENTRIES_MAX)?;
        let entries = self.entries.into_iter().map(MapEntryJson::parse);
        Ok(MapBundle {
            root: self.root.map(StapledRootJson::parse).transpose()?,
            revoked_algorithms: self.revoked_algorithms,
            entries: entries.collect::<Result<_, _>>()?,
            proof,
        })
    }
}

impl StapledRootJson {
    fn parse(self) -> Result<StapledRoot, BundleError> {
        if self.leaf.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(self.leaf.len()).into());
        }
        let hashes = self.inclusion_proof.len();
        at_most("inclusionProof", hashes, INCLUSION_HASHES_MAX)?;
        Ok(StapledRoot {
            leaf: self.leaf.into(),
            leaf_index: self.leaf_index,
            inclusion: InclusionProof(self.inclusion_proof),
        })
    }
}

impl From<&MapEntry> for MapEntryJson {
    fn from(entry: &MapEntry) -> Self {
        let answer = &entry.answer;
        let (value, other) = match &answer.end {
            MapEnd::Nothing => (None, None),
            MapEnd::Entry(value) => (Some(value.clone().into()), None),
            MapEnd::Other { key, value } => {
                let (key, value) = (*key, value.clone().into());
                (None, Some(OtherJson { key, value }))
            }
        };
        Self {
            question: QuestionJson::from(&entry.question),
            depth: answer.depth,
            bitmap: answer.bitmap.clone().into(),
            siblings: answer.siblings.clone(),
            value,
            other,
        }
    }
}

impl MapEntryJson {
    fn parse(self) -> Result<MapEntry, BundleError> {
        at_most("siblings", self.siblings.len(), SIBLINGS_MAX)?;
        let end = match (self.value, self.other) {
            (None, None) => MapEnd::Nothing,
            (Some(value), None) => MapEnd::Entry(value.into()),
            (None, Some(other)) => MapEnd::Other {
                key: other.key,
                value: other.value.into(),
            },
            (Some(_), Some(_)) => return Err(BundleError::NotCanonical("other")),
        };
        Ok(MapEntry {
            question: self.question.parse()?,
            answer: MapAnswer {
                depth: self.depth,
                bitmap: self.bitmap.into(),
                siblings: self.siblings,
                end,
            },
        })
    }
}

const DIGEST: &str = "digest";
const STATUS: &str = "status";
const SCHEMA: &str = "schema";

impl From<&MapQuestion> for QuestionJson {
    fn from(question: &MapQuestion) -> Self {
        let of = |kind: &str| Self {
            kind: kind.into(),
            ..Self::default()
        };
        match *question {
            MapQuestion::Digest(words) => Self {
                digest: Some(words.to_bytes().into()),
                ..of(DIGEST)
            },
            MapQuestion::Status { id, issuer } => Self {
                id: Some(id),
                issuer: Some(issuer),
                ..of(STATUS)
            },
            MapQuestion::Schema(schema) => Self {
                schema: Some(schema),
                ..of(SCHEMA)
            },
        }
    }
}

impl QuestionJson {
    fn parse(&self) -> Result<MapQuestion, BundleError> {
        match (
            self.kind.as_str(),
            &self.digest,
            self.id,
            self.issuer,
            self.schema,
        ) {
            (DIGEST, Some(digest), None, None, None) => {
                let words = DigestWords::parse(digest);
                words
                    .map(MapQuestion::Digest)
                    .ok_or(BundleError::NotCanonical("digest"))
            }
            (STATUS, None, Some(id), Some(issuer), None) => Ok(MapQuestion::Status { id, issuer }),
            (SCHEMA, None, None, None, Some(schema)) => Ok(MapQuestion::Schema(schema)),
            (_, _, _, _, _) => Err(serde_json::Error::custom(
                "field `question` must have kind and digest, kind and id and issuer, or kind and \
                 schema",
            )
            .into()),
        }
    }
}
