//! A leaf's inclusion as software for COSE reads it: receipts of RFC 9942 with the verifiable
//! data structure RFC9162_SHA256 (SPEC §10.8).

use alloy_primitives::B256;
use coset::cbor::value::Value;
use coset::{
    CoseSign1, CoseSign1Builder, Header, HeaderBuilder, Label, TaggedCborSerializable, iana,
};

use crate::log::note::{LogCheckpoint, check_name, decimal};
use crate::log::note_key::{NoteKeyError, NoteSigner, NoteVerifier};
use crate::log::proof::{INCLUSION_HASHES_MAX, InclusionProof};
use crate::number::{LeafIndex, TreeSize};

/// Bytes that no COSE receipt exceeds.
pub const COSE_RECEIPT_BYTES_MAX: usize = 4 * 1024;

/// What the bytes begin with: the tag of a COSE_Sign1.
pub const COSE_SIGN1_TAG: u8 = 0xd2;

// Labels of header parameters, and keys below them (RFC 9597, RFC 8392, RFC 9942).
const CWT_CLAIMS: i64 = 15;
const ISSUER: i64 = 1;
const SUBJECT: i64 = 2;
const VDS: i64 = 395;
const VDP: i64 = 396;
const RFC9162_SHA256: i64 = 1;
const INCLUSION_PROOFS: i64 = -1;

/// That a node signed the root of a log, and the path from a leaf to that root.
///
/// Who signed is one node: a COSE receipt has one signature, so it is one operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoseReceipt {
    /// Name of the key that signed: the origin, or the origin and an operator (SPEC §9.6).
    pub signer: String,
    /// That key, 32 bytes (RFC 8032).
    pub public_key: [u8; 32],
    /// Name of the log.
    pub origin: String,
    /// Leaves in the log whose root was signed. Signed itself, unlike in other COSE receipts.
    pub size: TreeSize,
    /// Position of the leaf.
    pub index: LeafIndex,
    /// From the leaf to the root.
    pub inclusion: InclusionProof,
    /// Ed25519 (RFC 8032).
    pub signature: [u8; 64],
}

/// Why bytes are not such a receipt.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CoseReceiptError {
    /// Above the size limit.
    #[error("COSE receipt has {0} bytes, at most {COSE_RECEIPT_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// No COSE_Sign1.
    #[error("COSE receipt is no tagged COSE_Sign1 in CBOR: {0}")]
    Message(String),
    /// A part that is missing or of another kind.
    #[error("COSE receipt: {part} must be {expected}")]
    Part {
        /// Which.
        part: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The part that is not signed says otherwise than the one that is.
    #[error("COSE receipt has a path in a log of {got} leaves, signed is one of {signed}")]
    Size {
        /// In the subject.
        signed: TreeSize,
        /// In the inclusion proof.
        got: TreeSize,
    },
    /// More than one encoding would say the same.
    #[error("COSE receipt is not in the one form that is written: SPEC §10.8")]
    NotCanonical,
}

impl CoseReceipt {
    /// Signs the root of `log`, to which `inclusion` leads from the leaf at `index`.
    pub fn sign(
        signer: &NoteSigner,
        log: LogCheckpoint,
        index: LeafIndex,
        inclusion: InclusionProof,
    ) -> Self {
        let mut receipt = Self {
            signer: signer.name().into(),
            public_key: signer.public_key(),
            origin: log.origin,
            size: log.size,
            index,
            inclusion,
            signature: [0; 64],
        };
        receipt.signature = signer.sign_cose(&receipt.to_be_signed(log.root));
        receipt
    }

    /// Verifies that `key` signed `root`, strictly. The receipt has to name the key, too.
    pub fn verify_signature(&self, root: B256, key: &NoteVerifier) -> Result<(), NoteKeyError> {
        if self.signer != key.name() || self.public_key != *key.public_key() {
            let name = key.name().into();
            return Err(NoteKeyError::Signature { name });
        }
        key.verify_cose(&self.to_be_signed(root), &self.signature)
    }

    /// The Sig_structure of RFC 9052 §4.4. It begins with 0x84, which no text in UTF-8 does, so
    /// that no signature of a note or a cosignature is one of these, nor the other way round.
    fn to_be_signed(&self, root: B256) -> Vec<u8> {
        self.message().tbs_detached_data(root.as_slice(), &[])
    }

    fn message(&self) -> CoseSign1 {
        CoseSign1Builder::new()
            .protected(self.protected())
            .unprotected(self.unprotected())
            .signature(self.signature.to_vec())
            .build()
    }

    /// What is signed beside the root.
    fn protected(&self) -> Header {
        let subject = format!("{}/{}", self.origin, self.size);
        let claims = vec![
            (ISSUER.into(), Value::Text(self.signer.clone())),
            (SUBJECT.into(), Value::Text(subject)),
        ];
        HeaderBuilder::new()
            .algorithm(iana::Algorithm::EdDSA)
            .key_id(self.public_key.to_vec())
            .value(CWT_CLAIMS, Value::Map(claims))
            .value(VDS, RFC9162_SHA256.into())
            .build()
    }

    /// The path, which leads to what is signed.
    fn unprotected(&self) -> Header {
        let hashes = self.inclusion.0.iter();
        let hashes = hashes.map(|hash| Value::Bytes(hash.to_vec())).collect();
        let (size, index) = (self.size.0, self.index.0);
        let proof = Value::Array(vec![size.into(), index.into(), Value::Array(hashes)]);
        let mut bytes = Vec::new();
        coset::cbor::into_writer(&proof, &mut bytes).expect("a Vec takes all");
        let proofs = Value::Array(vec![Value::Bytes(bytes)]);
        let proofs = Value::Map(vec![(INCLUSION_PROOFS.into(), proofs)]);
        HeaderBuilder::new().value(VDP, proofs).build()
    }

    /// CBOR, in its deterministic form.
    pub fn encode(&self) -> Vec<u8> {
        let encoded = self.message().to_tagged_vec();
        encoded.expect("no label is there twice")
    }

    /// Accepts only what [`CoseReceipt::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CoseReceiptError> {
        if bytes.len() > COSE_RECEIPT_BYTES_MAX {
            return Err(CoseReceiptError::TooLong(bytes.len()));
        }
        let message = CoseSign1::from_tagged_slice(bytes);
        let message = message.map_err(|error| CoseReceiptError::Message(error.to_string()))?;
        let receipt = Self::of_message(&message)?;
        // Whatever was not looked at is as it is written.
        if receipt.encode() != bytes {
            return Err(CoseReceiptError::NotCanonical);
        }
        Ok(receipt)
    }

    fn of_message(message: &CoseSign1) -> Result<Self, CoseReceiptError> {
        let wrong = |part, expected| CoseReceiptError::Part { part, expected };
        let protected = &message.protected.header;
        if protected.alg != Some(iana::Algorithm::EdDSA.into()) {
            return Err(wrong("alg", "EdDSA (-8), signed"));
        }
        if label(protected, VDS) != Some(&RFC9162_SHA256.into()) {
            return Err(wrong("vds (395)", "RFC9162_SHA256 (1), signed"));
        }
        if message.payload.is_some() {
            return Err(wrong("the payload", "detached (nil)"));
        }
        let public_key = protected.key_id.as_slice().try_into();
        let signature = message.signature.as_slice().try_into();
        let (signer, origin, signed) = names(protected)
            .ok_or_else(|| wrong("CWT claims (15)", "a key's name (1) and a log's size (2)"))?;
        let proof = label(&message.unprotected, VDP).and_then(|proofs| {
            entry(proofs, INCLUSION_PROOFS)?
                .as_array()?
                .first()?
                .as_bytes()
        });
        let (size, index, inclusion) = proof
            .and_then(|proof| read_path(proof))
            .ok_or_else(|| wrong("vdp (396)", "an inclusion proof of at most 64 hashes"))?;
        if size != signed {
            return Err(CoseReceiptError::Size { signed, got: size });
        }
        Ok(Self {
            signer,
            public_key: public_key.map_err(|_| wrong("kid (4)", "a key of 32 bytes"))?,
            origin,
            size,
            index,
            inclusion,
            signature: signature.map_err(|_| wrong("the signature", "64 bytes"))?,
        })
    }
}

fn label(header: &Header, wanted: i64) -> Option<&Value> {
    let mut rest = header.rest.iter();
    rest.find_map(|(label, value)| (*label == Label::Int(wanted)).then_some(value))
}

fn entry(map: &Value, wanted: i64) -> Option<&Value> {
    let wanted = Value::from(wanted);
    let mut entries = map.as_map()?.iter();
    entries.find_map(|(key, value)| (*key == wanted).then_some(value))
}

/// Names of the key and of the log, and the size of the latter.
fn names(protected: &Header) -> Option<(String, String, TreeSize)> {
    let claims = label(protected, CWT_CLAIMS)?;
    let signer = entry(claims, ISSUER)?.as_text()?;
    let (origin, size) = entry(claims, SUBJECT)?.as_text()?.rsplit_once('/')?;
    check_name(signer).ok()?;
    check_name(origin).ok()?;
    let rest = signer.strip_prefix(origin)?;
    let belongs = rest.is_empty() || rest.starts_with('/');
    belongs.then_some((signer.into(), origin.into(), TreeSize(decimal(size)?)))
}

fn read_path(bytes: &[u8]) -> Option<(TreeSize, LeafIndex, InclusionProof)> {
    let proof: Value = coset::cbor::from_reader(bytes).ok()?;
    let [size, index, hashes] = proof.as_array()?.as_slice() else {
        return None;
    };
    let number = |value: &Value| u64::try_from(value.as_integer()?).ok();
    let hashes = hashes.as_array()?;
    if hashes.len() > INCLUSION_HASHES_MAX {
        return None;
    }
    let hash = |value: &Value| B256::try_from(value.as_bytes()?.as_slice()).ok();
    let hashes: Option<Vec<B256>> = hashes.iter().map(hash).collect();
    let (size, index) = (TreeSize(number(size)?), LeafIndex(number(index)?));
    Some((size, index, InclusionProof(hashes?)))
}

#[cfg(test)]
mod tests;
