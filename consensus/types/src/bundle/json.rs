//! The JSON form (SPEC §10.3). What counts is the same as in the compact form; `statement`
//! repeats the leaf for people and must agree with it.

pub(super) mod lower_hex;
mod statement;

use statement::Fields;
pub use statement::KINDS;

use alloy_primitives::{Address, B256, Bytes};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    BUNDLE_JSON_BYTES_MAX, BundleError, Decision, HANDOVERS_MAX, Handover, NamedValidator,
    NamedValidators, ProofBundle,
};
use crate::certificate::{CommitCertificate, CommitSignature};
use crate::checkpoint::{Checkpoint, CheckpointDigest};
use crate::json::from_json;
use crate::keys::Signature;
use crate::log::leaf::{LEAF_BYTES_MAX, Leaf, LeafError};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::number::{Height, LeafIndex, Round, TimestampMs, TreeSize};

/// Names kind and version of the file.
pub const FORMAT: &str = "tbsi-proof-1";

/// What a leaf says, as an object with the names of SPEC §9.3 in camel case.
pub fn describe(leaf: &Leaf) -> serde_json::Value {
    serde_json::Value::Object(Fields::of(leaf).into_inner())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BundleJson {
    format: String,
    #[serde(deserialize_with = "lower_hex::one")]
    genesis_hash: B256,
    statement: Fields,
    #[serde(deserialize_with = "lower_hex::one")]
    leaf: Bytes,
    leaf_index: LeafIndex,
    #[serde(deserialize_with = "lower_hex::list")]
    inclusion_proof: Vec<B256>,
    checkpoint: CheckpointJson,
    certificate: CertificateJson,
    validators: Vec<NamedValidator>,
    handovers: Vec<HandoverJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckpointJson {
    chain_id: u64,
    height: Height,
    time_ms: TimestampMs,
    #[serde(deserialize_with = "lower_hex::one")]
    block_hash: B256,
    #[serde(deserialize_with = "lower_hex::one")]
    state_root: B256,
    log_size: TreeSize,
    #[serde(deserialize_with = "lower_hex::one")]
    log_root: B256,
    #[serde(deserialize_with = "lower_hex::one")]
    validator_set_hash: B256,
    #[serde(deserialize_with = "lower_hex::one")]
    next_validator_set_hash: B256,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CertificateJson {
    height: Height,
    round: Round,
    #[serde(deserialize_with = "lower_hex::one")]
    checkpoint_digest: B256,
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignatureJson {
    #[serde(deserialize_with = "lower_hex::one")]
    validator: Address,
    #[serde(deserialize_with = "lower_hex::one")]
    signature: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HandoverJson {
    validators: Vec<NamedValidator>,
    last: DecisionJson,
    first: DecisionJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DecisionJson {
    checkpoint: CheckpointJson,
    certificate: CertificateJson,
}

impl ProofBundle {
    /// The JSON form, indented. Fails if the leaf is not one.
    pub fn to_json(&self) -> Result<String, BundleError> {
        Ok(serde_json::to_string_pretty(&BundleJson::of(self)?)? + "\n")
    }

    /// Reads the JSON form; white space and the order of keys are free.
    pub fn parse_json(text: &[u8]) -> Result<Self, BundleError> {
        if text.len() > BUNDLE_JSON_BYTES_MAX {
            return Err(BundleError::TooLong {
                size: text.len(),
                max: BUNDLE_JSON_BYTES_MAX,
            });
        }
        from_json::<BundleJson>(text)?.parse()
    }
}

impl BundleJson {
    pub(super) fn of(bundle: &ProofBundle) -> Result<Self, BundleError> {
        Ok(Self {
            format: FORMAT.into(),
            genesis_hash: bundle.genesis_hash,
            statement: Fields::of(&Leaf::decode(&bundle.leaf)?),
            leaf: bundle.leaf.clone().into(),
            leaf_index: bundle.leaf_index,
            inclusion_proof: bundle.inclusion.0.clone(),
            checkpoint: CheckpointJson::from(&bundle.decision.checkpoint),
            certificate: CertificateJson::from(&bundle.decision.certificate),
            validators: bundle.validators.as_slice().to_vec(),
            handovers: bundle.handovers.iter().map(HandoverJson::from).collect(),
        })
    }

    pub(super) fn parse(self) -> Result<ProofBundle, BundleError> {
        if self.format != FORMAT {
            return Err(BundleError::Format);
        }
        if self.leaf.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(self.leaf.len()).into());
        }
        at_most(
            "inclusionProof",
            self.inclusion_proof.len(),
            INCLUSION_HASHES_MAX,
        )?;
        at_most("handovers", self.handovers.len(), HANDOVERS_MAX)?;
        if self.statement != Fields::of(&Leaf::decode(&self.leaf)?) {
            return Err(BundleError::Statement);
        }
        let decision = DecisionJson {
            checkpoint: self.checkpoint,
            certificate: self.certificate,
        };
        let handovers = self.handovers.into_iter().map(HandoverJson::parse);
        Ok(ProofBundle {
            genesis_hash: self.genesis_hash,
            leaf: self.leaf.into(),
            leaf_index: self.leaf_index,
            inclusion: InclusionProof(self.inclusion_proof),
            decision: decision.parse()?,
            validators: NamedValidators::new(self.validators)?,
            handovers: handovers.collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn at_most(field: &'static str, got: usize, max: usize) -> Result<(), BundleError> {
    if got <= max {
        return Ok(());
    }
    let got = got as u64;
    Err(BundleError::Count { field, got, max })
}

impl From<&Checkpoint> for CheckpointJson {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            chain_id: checkpoint.chain_id,
            height: checkpoint.height,
            time_ms: checkpoint.time,
            block_hash: checkpoint.block_hash,
            state_root: checkpoint.state_root,
            log_size: checkpoint.log_size,
            log_root: checkpoint.log_root,
            validator_set_hash: checkpoint.validator_set_hash,
            next_validator_set_hash: checkpoint.next_validator_set_hash,
        }
    }
}

impl CheckpointJson {
    fn parse(&self) -> Checkpoint {
        Checkpoint {
            chain_id: self.chain_id,
            height: self.height,
            time: self.time_ms,
            block_hash: self.block_hash,
            state_root: self.state_root,
            log_size: self.log_size,
            log_root: self.log_root,
            validator_set_hash: self.validator_set_hash,
            next_validator_set_hash: self.next_validator_set_hash,
        }
    }
}

impl From<&CommitCertificate> for CertificateJson {
    fn from(certificate: &CommitCertificate) -> Self {
        let signature = |entry: &CommitSignature| SignatureJson {
            validator: entry.validator,
            signature: entry.signature.0.to_vec().into(),
        };
        Self {
            height: certificate.height,
            round: certificate.round,
            checkpoint_digest: certificate.checkpoint_digest.0,
            signatures: certificate.signatures().iter().map(signature).collect(),
        }
    }
}

impl CertificateJson {
    fn parse(&self) -> Result<CommitCertificate, BundleError> {
        let ascending = |pair: &[SignatureJson]| pair[0].validator < pair[1].validator;
        if !self.signatures.windows(2).all(ascending) {
            return Err(BundleError::NotCanonical("signatures"));
        }
        let signature = |entry: &SignatureJson| {
            let signature = Signature::parse(&entry.signature)
                .map_err(|_| BundleError::NotCanonical("signature"))?;
            Ok(CommitSignature {
                validator: entry.validator,
                signature,
            })
        };
        let signatures = self.signatures.iter().map(signature);
        let signatures = signatures.collect::<Result<_, BundleError>>()?;
        let digest = CheckpointDigest(self.checkpoint_digest);
        let certificate = CommitCertificate::new(self.height, self.round, digest, signatures)?;
        Ok(certificate)
    }
}

impl From<&Decision> for DecisionJson {
    fn from(decision: &Decision) -> Self {
        Self {
            checkpoint: CheckpointJson::from(&decision.checkpoint),
            certificate: CertificateJson::from(&decision.certificate),
        }
    }
}

impl DecisionJson {
    fn parse(self) -> Result<Decision, BundleError> {
        Ok(Decision {
            checkpoint: self.checkpoint.parse(),
            certificate: self.certificate.parse()?,
        })
    }
}

impl From<&Handover> for HandoverJson {
    fn from(handover: &Handover) -> Self {
        Self {
            validators: handover.validators.as_slice().to_vec(),
            last: DecisionJson::from(&handover.last),
            first: DecisionJson::from(&handover.first),
        }
    }
}

impl Serialize for Handover {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HandoverJson::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Handover {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = HandoverJson::deserialize(deserializer)?;
        json.parse().map_err(D::Error::custom)
    }
}

impl HandoverJson {
    fn parse(self) -> Result<Handover, BundleError> {
        Ok(Handover {
            validators: NamedValidators::new(self.validators)?,
            last: self.last.parse()?,
            first: self.first.parse()?,
        })
    }
}
