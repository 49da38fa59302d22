//! The JSON form.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Deserializer, Serialize};

use super::super::json::{BundleJson, at_most, lower_hex};
use super::super::{BUNDLE_JSON_BYTES_MAX, BundleError};
use super::{MAP_ENTRIES_MAX, MAP_FORMAT, MapBundle, MapEntry, StapledRoot};
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
struct MapPartJson {
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

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum QuestionJson {
    Digest {
        #[serde(deserialize_with = "lower_hex::one")]
        digest: Bytes,
    },
    Status {
        #[serde(deserialize_with = "lower_hex::one")]
        id: B256,
        #[serde(deserialize_with = "lower_hex::one")]
        issuer: Address,
    },
    Schema {
        #[serde(deserialize_with = "lower_hex::one")]
        schema: B256,
    },
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
fn or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl MapBundle {
    /// The JSON form, indented. Fails if the leaf is not one.
    pub fn to_json(&self) -> Result<String, BundleError> {
        let root = self.root.as_ref().map(|root| StapledRootJson {
            leaf: root.leaf.clone().into(),
            leaf_index: root.leaf_index,
            inclusion_proof: root.inclusion.0.clone(),
        });
        let json = MapBundleJson {
            format: MAP_FORMAT.into(),
            proof: BundleJson::of(&self.proof)?,
            map: MapPartJson {
                root,
                revoked_algorithms: self.revoked_algorithms.clone(),
                entries: self.entries.iter().map(MapEntryJson::from).collect(),
            },
        };
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }

    /// Reads the JSON form; white space and the order of keys are free.
    pub fn parse_json(text: &[u8]) -> Result<Self, BundleError> {
        let (size, max) = (text.len(), BUNDLE_JSON_BYTES_MAX);
        if size > max {
            return Err(BundleError::TooLong { size, max });
        }
        let json: MapBundleJson = serde_json::from_slice(text)?;
        if json.format != MAP_FORMAT {
            return Err(BundleError::Format);
        }
        let part = json.map;
        let algorithms = part.revoked_algorithms.len();
        at_most("revokedAlgorithms", algorithms, ALGORITHMS_MAX)?;
        at_most("entries", part.entries.len(), MAP_ENTRIES_MAX)?;
        let entries = part.entries.into_iter().map(MapEntryJson::parse);
        Ok(Self {
            proof: json.proof.parse()?,
            root: part.root.map(StapledRootJson::parse).transpose()?,
            revoked_algorithms: part.revoked_algorithms,
            entries: entries.collect::<Result<_, _>>()?,
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

impl From<&MapQuestion> for QuestionJson {
    fn from(question: &MapQuestion) -> Self {
        match *question {
            MapQuestion::Digest(words) => Self::Digest {
                digest: words.to_bytes().into(),
            },
            MapQuestion::Status { id, issuer } => Self::Status { id, issuer },
            MapQuestion::Schema(schema) => Self::Schema { schema },
        }
    }
}

impl QuestionJson {
    fn parse(&self) -> Result<MapQuestion, BundleError> {
        match self {
            Self::Digest { digest } => {
                let words = DigestWords::parse(digest);
                words
                    .map(MapQuestion::Digest)
                    .ok_or(BundleError::NotCanonical("digest"))
            }
            Self::Status { id, issuer } => {
                let (id, issuer) = (*id, *issuer);
                Ok(MapQuestion::Status { id, issuer })
            }
            Self::Schema { schema } => Ok(MapQuestion::Schema(*schema)),
        }
    }
}
