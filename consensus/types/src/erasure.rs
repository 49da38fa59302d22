//! What an issuer signs when it has destroyed the salt of an attestation (SPEC §12.10): a file of
//! one line, which is then attested like any document.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::json::{canonical_json, from_json};
use crate::keys::{KeyError, SecretKey, Signature};
use crate::number::LeafIndex;
use crate::sha256;

/// Names kind and version of the file.
pub const ERASURE_FORMAT: &str = "tbsi-erasure-1";
/// Bytes of the file: it has one shape.
pub const ERASURE_BYTES_MAX: usize = 2_048;
const TAG: &[u8] = b"TBSI-ERASURE-1";

/// Which salt was destroyed: that of one attestation in the log of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Erasure {
    /// [`ERASURE_FORMAT`].
    pub format: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of the network's genesis file.
    pub genesis_hash: B256,
    /// Who attested, and signs this.
    pub issuer: Address,
    /// The attestation.
    pub attestation: B256,
    /// Where it is in the log.
    pub leaf_index: LeafIndex,
    /// RFC 9162 hash of the leaf.
    pub leaf_hash: B256,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedErasure {
    /// What is stated.
    pub erasure: Erasure,
    /// By whom, if it is who it says.
    pub signature: Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    format: String,
    chain_id: u64,
    genesis_hash: B256,
    issuer: Address,
    attestation: B256,
    leaf_index: LeafIndex,
    leaf_hash: B256,
    signature: Bytes,
}

/// Why bytes are no statement of an erasure.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// Longer than any.
    #[error("statement has {0} bytes, at most {ERASURE_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Not this shape.
    #[error("statement is not JSON of the expected form")]
    Json(#[from] serde_json::Error),
    /// Of another version.
    #[error("statement field `format` is `{0}`, `{ERASURE_FORMAT}` is known; use newer software")]
    Format(String),
    /// Not a signature.
    #[error("statement field `signature`")]
    Signature(#[from] KeyError),
    /// The same in other bytes: what is attested are the bytes.
    #[error("statement is not in canonical form: one line of RFC 8785, keys in order")]
    NotCanonical,
}

impl Erasure {
    /// SHA-256 of the tag and the canonical JSON.
    pub fn digest(&self) -> B256 {
        sha256(&[TAG, canonical_json(self).as_bytes()])
    }

    /// Signs it, as the issuer.
    pub fn sign(self, key: &SecretKey) -> SignedErasure {
        SignedErasure {
            signature: key.sign(self.digest()),
            erasure: self,
        }
    }
}

impl SignedErasure {
    /// The bytes of the file.
    pub fn encode(&self) -> String {
        let Erasure {
            format,
            chain_id,
            genesis_hash,
            issuer,
            attestation,
            leaf_index,
            leaf_hash,
        } = self.erasure.clone();
        let file = File {
            format,
            chain_id,
            genesis_hash,
            issuer,
            attestation,
            leaf_index,
            leaf_hash,
            signature: self.signature.0.to_vec().into(),
        };
        canonical_json(&file) + "\n"
    }

    /// Accepts what [`SignedErasure::encode`] writes, and nothing else. Verifies nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, ErasureError> {
        if bytes.len() > ERASURE_BYTES_MAX {
            return Err(ErasureError::TooLong(bytes.len()));
        }
        let file: File = from_json(bytes)?;
        if file.format != ERASURE_FORMAT {
            return Err(ErasureError::Format(file.format));
        }
        let signed = Self {
            signature: Signature::parse(&file.signature)?,
            erasure: Erasure {
                format: file.format,
                chain_id: file.chain_id,
                genesis_hash: file.genesis_hash,
                issuer: file.issuer,
                attestation: file.attestation,
                leaf_index: file.leaf_index,
                leaf_hash: file.leaf_hash,
            },
        };
        if signed.encode().as_bytes() != bytes {
            return Err(ErasureError::NotCanonical);
        }
        Ok(signed)
    }
}
