//! The JSON form, which is the only one.

use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

use super::super::json::{BundleJson, at_most, lower_hex};
use super::super::registry::REGISTRY_NODE_BYTES_MAX;
use super::super::{BUNDLE_JSON_BYTES_MAX, BundleError};
use super::{
    ACT_DATA_BYTES_MAX, ACT_TOPICS_MAX, AUTHORISATION_ACTS_MAX, AUTHORISATION_FORMAT,
    AUTHORISATION_NODES_MAX, ActText, AuthorisationBundle, PlacedAct,
};
use crate::json::from_json;
use crate::log::leaf::{LEAF_BYTES_MAX, LeafError};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::number::LeafIndex;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuthorisationBundleJson {
    format: String,
    proof: BundleJson,
    authorisation: PartJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PartJson {
    text: TextJson,
    acts: Vec<ActJson>,
    #[serde(deserialize_with = "lower_hex::list")]
    nodes: Vec<Bytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextJson {
    #[serde(deserialize_with = "lower_hex::list")]
    topics: Vec<B256>,
    #[serde(deserialize_with = "lower_hex::one")]
    data: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ActJson {
    #[serde(deserialize_with = "lower_hex::one")]
    leaf: Bytes,
    leaf_index: LeafIndex,
    #[serde(deserialize_with = "lower_hex::list")]
    inclusion_proof: Vec<B256>,
    text: TextJson,
}

impl AuthorisationBundle {
    /// The JSON form, indented. Fails if the leaf is not one.
    pub fn to_json(&self) -> Result<String, BundleError> {
        let json = AuthorisationBundleJson {
            format: AUTHORISATION_FORMAT.into(),
            proof: BundleJson::of(&self.proof)?,
            authorisation: PartJson {
                text: TextJson::of(&self.text),
                acts: self.acts.iter().map(ActJson::of).collect(),
                nodes: self.nodes.clone(),
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
        let json: AuthorisationBundleJson = from_json(text)?;
        if json.format != AUTHORISATION_FORMAT {
            return Err(BundleError::Format);
        }
        let part = json.authorisation;
        at_most("acts", part.acts.len(), AUTHORISATION_ACTS_MAX)?;
        at_most("nodes", part.nodes.len(), AUTHORISATION_NODES_MAX)?;
        for node in &part.nodes {
            at_most("node", node.len(), REGISTRY_NODE_BYTES_MAX)?;
        }
        let acts = part.acts.into_iter().map(ActJson::parse);
        Ok(Self {
            proof: json.proof.parse()?,
            text: part.text.parse()?,
            acts: acts.collect::<Result<_, _>>()?,
            nodes: part.nodes,
        })
    }
}

impl TextJson {
    fn of(text: &ActText) -> Self {
        Self {
            topics: text.topics.clone(),
            data: text.data.clone(),
        }
    }

    fn parse(self) -> Result<ActText, BundleError> {
        at_most("topics", self.topics.len(), ACT_TOPICS_MAX)?;
        at_most("data", self.data.len(), ACT_DATA_BYTES_MAX)?;
        Ok(ActText {
            topics: self.topics,
            data: self.data,
        })
    }
}

impl ActJson {
    fn of(act: &PlacedAct) -> Self {
        Self {
            leaf: act.leaf.clone().into(),
            leaf_index: act.leaf_index,
            inclusion_proof: act.inclusion.0.clone(),
            text: TextJson::of(&act.text),
        }
    }

    fn parse(self) -> Result<PlacedAct, BundleError> {
        if self.leaf.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(self.leaf.len()).into());
        }
        let hashes = self.inclusion_proof.len();
        at_most("inclusionProof", hashes, INCLUSION_HASHES_MAX)?;
        Ok(PlacedAct {
            leaf: self.leaf.into(),
            leaf_index: self.leaf_index,
            inclusion: InclusionProof(self.inclusion_proof),
            text: self.text.parse()?,
        })
    }
}
