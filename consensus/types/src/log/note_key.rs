//! Ed25519 keys of logs and of those who cosign them: C2SP signed-note and tlog-cosignature
//! v1 (SPEC §9.6).

use alloy_primitives::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::log::note::{NAME_BYTES_MAX, NoteError, NoteSignature, check_name};
use crate::sha256;

/// Longest `name+id+key`.
const VKEY_BYTES_MAX: usize = NAME_BYTES_MAX + 64;

/// Times are at most 2^63 - 1 seconds.
pub(crate) const TIME_MAX: u64 = i64::MAX as u64;

/// What a signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureType {
    /// The note's text: how a log signs (0x01).
    Note,
    /// A time and a checkpoint's text: how a witness or a validator cosigns (0x04).
    Cosignature,
}

impl SignatureType {
    fn byte(self) -> u8 {
        match self {
            Self::Note => 1,
            Self::Cosignature => 4,
        }
    }
}

/// A name, a public key, and what it is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    signature_type: SignatureType,
    key: VerifyingKey,
}

/// Why something is not a key, or not its signature.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoteKeyError {
    /// The name of the key.
    #[error(transparent)]
    Name(#[from] NoteError),
    /// Not `name+id+key`.
    #[error("verifier key must be `<name>+<8 hex digits>+<base64>`")]
    Layout,
    /// A kind of key that TBSI does not use.
    #[error("verifier key is of type {0:#04x}, 0x01 (Ed25519) and 0x04 (cosignature) are known")]
    Type(u8),
    /// A key of another kind where one for post-quantum cosignatures is expected.
    #[error("verifier key is of type {0:#04x}, 0x06 (ML-DSA-44 cosignature) is expected")]
    NotPostQuantum(u8),
    /// An ML-DSA-44 key of another length.
    #[error("an ML-DSA-44 public key has 1312 bytes, this one {0}")]
    PostQuantumKey(usize),
    /// Not a usable point.
    #[error(
        "public key must be 32 bytes, an Ed25519 point in its canonical encoding that is not of \
         small order"
    )]
    PublicKey,
    /// The id is another key's.
    #[error("verifier key has id {got:08x}, its name and key give {expected:08x}")]
    KeyId {
        /// In the text.
        got: u32,
        /// Computed.
        expected: u32,
    },
    /// The signature is wrong.
    #[error("signature of `{name}` does not verify")]
    Signature {
        /// Name of the key.
        name: String,
    },
    /// A signature of the wrong length, or a time out of range.
    #[error("signature of `{name}` is malformed")]
    Malformed {
        /// Name of the key.
        name: String,
    },
    /// A time that a cosignature cannot carry.
    #[error("cosignature time {0} is above 2^63 - 1 seconds")]
    Time(u64),
}

/// First four bytes of SHA-256 over name, newline, type and key.
pub(crate) fn key_id(name: &str, kind: u8, key: &[u8]) -> u32 {
    let hash = sha256(&[name.as_bytes(), b"\n", &[kind], key]);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// `<name>+<key id>+<base64 of type and key>`.
pub(crate) fn encode_key(name: &str, kind: u8, key: &[u8]) -> String {
    let (id, key) = (
        key_id(name, kind, key),
        STANDARD.encode([&[kind], key].concat()),
    );
    format!("{name}+{id:08x}+{key}")
}

/// What stands in such a text.
pub(crate) struct KeyText<'a> {
    vkey: &'a str,
    pub(crate) name: &'a str,
    id: u32,
    pub(crate) kind: u8,
    pub(crate) key: Vec<u8>,
}

impl<'a> KeyText<'a> {
    /// Splits a text of at most `bytes_max` bytes.
    pub(crate) fn split(vkey: &'a str, bytes_max: usize) -> Result<Self, NoteKeyError> {
        let layout = || NoteKeyError::Layout;
        if vkey.len() > bytes_max {
            return Err(layout());
        }
        let (name, rest) = vkey.split_once('+').ok_or_else(layout)?;
        let (id, key) = rest.split_once('+').ok_or_else(layout)?;
        let id: [u8; 4] = hex::decode_to_array(id).map_err(|_| layout())?;
        let key = STANDARD.decode(key).map_err(|_| layout())?;
        let (kind, key) = key.split_first().ok_or_else(layout)?;
        Ok(Self {
            vkey,
            name,
            id: u32::from_be_bytes(id),
            kind: *kind,
            key: key.to_vec(),
        })
    }

    /// That the id is the key's, and that the text is what [`encode_key`] writes.
    pub(crate) fn check(&self) -> Result<(), NoteKeyError> {
        let (got, expected) = (self.id, key_id(self.name, self.kind, &self.key));
        if got != expected {
            return Err(NoteKeyError::KeyId { got, expected });
        }
        if encode_key(self.name, self.kind, &self.key) != self.vkey {
            return Err(NoteKeyError::Layout);
        }
        Ok(())
    }
}

impl NoteVerifier {
    /// A verifier from a name and 32 bytes of public key (RFC 8032).
    pub fn new(
        name: &str,
        signature_type: SignatureType,
        key: &[u8],
    ) -> Result<Self, NoteKeyError> {
        check_name(name)?;
        let bytes: &[u8; 32] = key.try_into().map_err(|_| NoteKeyError::PublicKey)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| NoteKeyError::PublicKey)?;
        if key.is_weak() || !is_canonical(bytes) {
            return Err(NoteKeyError::PublicKey);
        }
        Ok(Self {
            name: name.into(),
            signature_type,
            key,
        })
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key is used for.
    pub fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The key itself, 32 bytes (RFC 8032).
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// First four bytes of SHA-256 over name, newline, type and key.
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, self.signature_type.byte(), self.key.as_bytes())
    }

    /// `<name>+<key id>+<base64 of type and key>`.
    pub fn encode(&self) -> String {
        encode_key(&self.name, self.signature_type.byte(), self.key.as_bytes())
    }

    /// Accepts only what [`NoteVerifier::encode`] writes.
    pub fn parse(vkey: &str) -> Result<Self, NoteKeyError> {
        let text = KeyText::split(vkey, VKEY_BYTES_MAX)?;
        let signature_type = match text.kind {
            1 => SignatureType::Note,
            4 => SignatureType::Cosignature,
            other => return Err(NoteKeyError::Type(other)),
        };
        let verifier = Self::new(text.name, signature_type, &text.key)?;
        text.check()?;
        Ok(verifier)
    }

    /// Whether a signature line claims to be of this key.
    pub fn claims(&self, signature: &NoteSignature) -> bool {
        signature.key_id == self.key_id() && signature.name == self.name
    }

    /// Verifies one signature over a note's text, strictly (no small-order points, no
    /// malleable forms). Returns the time of a cosignature, in seconds.
    pub fn verify(
        &self,
        text: &str,
        signature: &NoteSignature,
    ) -> Result<Option<u64>, NoteKeyError> {
        let name = || self.name.clone();
        let malformed = || NoteKeyError::Malformed { name: name() };
        if !self.claims(signature) {
            return Err(NoteKeyError::Signature { name: name() });
        }
        let (time, bytes) = match self.signature_type {
            SignatureType::Note => (None, signature.bytes.as_slice()),
            SignatureType::Cosignature => {
                let split = signature.bytes.split_first_chunk::<8>();
                let (time, bytes) = split.ok_or_else(malformed)?;
                (Some(u64::from_be_bytes(*time)), bytes)
            }
        };
        let message = match time {
            None => text.to_owned(),
            Some(time) if time <= TIME_MAX => cosigned(text, time),
            Some(_) => return Err(malformed()),
        };
        let bytes = bytes.try_into().map_err(|_| malformed())?;
        self.key
            .verify_strict(message.as_bytes(), &Signature::from_bytes(bytes))
            .map_err(|_| NoteKeyError::Signature { name: name() })?;
        Ok(time)
    }
}

impl NoteVerifier {
    /// Verifies a signature over a Sig_structure of COSE (SPEC §10.8), strictly.
    pub(crate) fn verify_cose(
        &self,
        structure: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), NoteKeyError> {
        let verified = self
            .key
            .verify_strict(structure, &Signature::from_bytes(signature));
        verified.map_err(|_| NoteKeyError::Signature {
            name: self.name.clone(),
        })
    }
}

/// Whether the point's y coordinate is below 2^255 - 19: the decoder also takes larger ones, and
/// then one key would have two names.
fn is_canonical(key: &[u8; 32]) -> bool {
    let all_ones = key[1..31].iter().all(|byte| *byte == 0xff);
    !(key[0] >= 0xed && all_ones && key[31] & 0x7f == 0x7f)
}

/// What a cosignature is over.
fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A name and a secret key. Never printed; wiped when dropped.
pub struct NoteSigner {
    name: String,
    key: SigningKey,
}

impl NoteSigner {
    /// A signer from a name and 32 secret bytes (RFC 8032).
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self {
            name: name.into(),
            key: SigningKey::from_bytes(secret),
        })
    }

    /// The public half.
    pub fn verifier(&self, signature_type: SignatureType) -> NoteVerifier {
        NoteVerifier {
            name: self.name.clone(),
            signature_type,
            key: self.key.verifying_key(),
        }
    }

    /// Signs a note's text as a log does.
    pub fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.key.sign(text.as_bytes());
        self.line(SignatureType::Note, signature.to_bytes().into())
    }

    /// Cosigns a checkpoint's text as seen at `time`, in seconds since the Unix epoch.
    pub fn cosign(&self, text: &str, time: u64) -> Result<NoteSignature, NoteKeyError> {
        if time > TIME_MAX {
            return Err(NoteKeyError::Time(time));
        }
        let signature = self.key.sign(cosigned(text, time).as_bytes()).to_bytes();
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        Ok(self.line(SignatureType::Cosignature, bytes))
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half, 32 bytes (RFC 8032).
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs a Sig_structure of COSE, which is no text and so never a note (SPEC §10.8).
    pub(crate) fn sign_cose(&self, structure: &[u8]) -> [u8; 64] {
        self.key.sign(structure).to_bytes()
    }

    fn line(&self, signature_type: SignatureType, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            key_id: self.verifier(signature_type).key_id(),
            bytes,
        }
    }
}

impl std::fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteSigner({}, ..)", self.name)
    }
}
#[cfg(test)]
mod tests;
