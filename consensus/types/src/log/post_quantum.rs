//! ML-DSA-44 (FIPS 204) keys of those who cosign logs: C2SP tlog-cosignature, signature type 0x06
//! (SPEC §9.12).
//!
//! What is signed names the cosigner, unlike with Ed25519: a key signs for one name alone.

use alloy_primitives::B256;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa44, Signature, SigningKey, VerifyingKey};
use ml_dsa::{Signer as _, Verifier as _};
use zeroize::Zeroizing;

use crate::log::note::{LogCheckpoint, NAME_BYTES_MAX, NoteError, NoteSignature, check_name};
use crate::log::note_key::{KeyText, NoteKeyError, TIME_MAX, encode_key, key_id};
use crate::sha256;

/// Bytes of an ML-DSA-44 public key.
pub const POST_QUANTUM_KEY_BYTES: usize = 1312;

/// Bytes of an ML-DSA-44 signature.
pub const POST_QUANTUM_SIGNATURE_BYTES: usize = 2420;

/// Bytes of a time (u64) and a signature.
pub const POST_QUANTUM_COSIGNATURE_BYTES: usize = 8 + POST_QUANTUM_SIGNATURE_BYTES;

/// Longest `name+id+key`.
const VKEY_BYTES_MAX: usize = NAME_BYTES_MAX + 10 + (POST_QUANTUM_KEY_BYTES + 1).div_ceil(3) * 4;

/// The identifier byte of C2SP signed-note.
const TYPE: u8 = 6;

const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// The SHA-256 of a public key, by which the chain names it (SPEC §13.3).
pub fn post_quantum_key_hash(key: &[u8]) -> B256 {
    sha256(&[key])
}

/// A name and an ML-DSA-44 public key with which it cosigns.
#[derive(Clone, Debug, PartialEq)]
pub struct PostQuantumVerifier {
    name: String,
    bytes: Box<[u8; POST_QUANTUM_KEY_BYTES]>,
    key: VerifyingKey<MlDsa44>,
}

impl Eq for PostQuantumVerifier {}

impl PostQuantumVerifier {
    /// From a name and the 1,312 bytes of FIPS 204: each of them is a key.
    pub fn new(name: &str, key: &[u8]) -> Result<Self, NoteKeyError> {
        check_name(name)?;
        let length = || NoteKeyError::PostQuantumKey(key.len());
        let encoded = EncodedVerifyingKey::<MlDsa44>::try_from(key).map_err(|_| length())?;
        let bytes: Box<[u8]> = key.into();
        Ok(Self {
            name: name.into(),
            bytes: bytes.try_into().map_err(|_| length())?,
            key: VerifyingKey::decode(&encoded),
        })
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub fn public_key(&self) -> &[u8; POST_QUANTUM_KEY_BYTES] {
        &self.bytes
    }

    /// Its SHA-256.
    pub fn key_hash(&self) -> B256 {
        post_quantum_key_hash(self.bytes.as_slice())
    }

    /// First four bytes of SHA-256 over name, newline, type and key.
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, TYPE, self.bytes.as_slice())
    }

    /// `<name>+<key id>+<base64 of type and key>`.
    pub fn encode(&self) -> String {
        encode_key(&self.name, TYPE, self.bytes.as_slice())
    }

    /// Accepts only what [`PostQuantumVerifier::encode`] writes.
    pub fn parse(vkey: &str) -> Result<Self, NoteKeyError> {
        let text = KeyText::split(vkey, VKEY_BYTES_MAX)?;
        if text.kind != TYPE {
            return Err(NoteKeyError::NotPostQuantum(text.kind));
        }
        let verifier = Self::new(text.name, &text.key)?;
        text.check()?;
        Ok(verifier)
    }

    /// Whether a signature line claims to be of this key.
    pub fn claims(&self, signature: &NoteSignature) -> bool {
        signature.key_id == self.key_id() && signature.name == self.name
    }

    /// Verifies a signature line over a checkpoint. Returns the time of the cosignature, in
    /// seconds: 0 if it says nothing of the log's being the largest.
    pub fn verify(
        &self,
        checkpoint: &LogCheckpoint,
        signature: &NoteSignature,
    ) -> Result<u64, NoteKeyError> {
        let wrong = || NoteKeyError::Signature {
            name: self.name.clone(),
        };
        let malformed = || NoteKeyError::Malformed {
            name: self.name.clone(),
        };
        if !self.claims(signature) {
            return Err(wrong());
        }
        let split = signature.bytes.split_first_chunk::<8>();
        let (time, bytes) = split.ok_or_else(malformed)?;
        let time = u64::from_be_bytes(*time);
        if time > TIME_MAX {
            return Err(malformed());
        }
        let encoded = EncodedSignature::<MlDsa44>::try_from(bytes).map_err(|_| malformed())?;
        let signature = Signature::decode(&encoded).ok_or_else(wrong)?;
        let message = cosigned(&self.name, time, checkpoint)?;
        let verified = self.key.verify(&message, &signature);
        verified.map(|()| time).map_err(|_| wrong())
    }
}

/// The `cosigned_message` of a whole tree.
fn cosigned(name: &str, time: u64, checkpoint: &LogCheckpoint) -> Result<Vec<u8>, NoteKeyError> {
    let mut message = LABEL.to_vec();
    push_text(&mut message, name)?;
    message.extend(time.to_be_bytes());
    push_text(&mut message, &checkpoint.origin)?;
    message.extend(0u64.to_be_bytes());
    message.extend(checkpoint.size.0.to_be_bytes());
    message.extend(checkpoint.root);
    Ok(message)
}

fn push_text(message: &mut Vec<u8>, text: &str) -> Result<(), NoteKeyError> {
    check_name(text)?;
    message.push(u8::try_from(text.len()).map_err(|_| NoteError::Name)?);
    message.extend(text.as_bytes());
    Ok(())
}

/// A name and a secret ML-DSA-44 key. Never printed; wiped when dropped.
pub struct PostQuantumSigner {
    name: String,
    key: SigningKey<MlDsa44>,
}

impl PostQuantumSigner {
    /// From a name and the 32-byte seed of FIPS 204 (ξ).
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let seed = Zeroizing::new(*seed);
        let key = SigningKey::<MlDsa44>::from_seed(seed.as_slice().try_into().expect("32 bytes"));
        Ok(Self {
            name: name.into(),
            key,
        })
    }

    /// The public half.
    pub fn verifier(&self) -> PostQuantumVerifier {
        let key: &VerifyingKey<MlDsa44> = self.key.as_ref();
        let bytes = key.encode();
        PostQuantumVerifier::new(&self.name, bytes.as_slice()).expect("the name was checked")
    }

    /// Cosigns a checkpoint as seen at `time`, in seconds since the Unix epoch. Signing is
    /// deterministic (FIPS 204 §3.4), the context empty.
    pub fn cosign(
        &self,
        checkpoint: &LogCheckpoint,
        time: u64,
    ) -> Result<NoteSignature, NoteKeyError> {
        if time > TIME_MAX {
            return Err(NoteKeyError::Time(time));
        }
        let message = cosigned(&self.name, time, checkpoint)?;
        let signature: Signature<MlDsa44> = self.key.sign(&message);
        let signature = signature.encode();
        Ok(NoteSignature {
            name: self.name.clone(),
            key_id: self.verifier().key_id(),
            bytes: [time.to_be_bytes().as_slice(), signature.as_slice()].concat(),
        })
    }
}

impl std::fmt::Debug for PostQuantumSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostQuantumSigner({}, ..)", self.name)
    }
}

#[cfg(test)]
mod tests;
