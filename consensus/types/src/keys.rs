//! secp256k1 keys and signatures of validators (SPEC §3.1).
//!
//! A signature is `r || s || v`, 65 bytes, `v` 27 or 28, `s` in the lower half of the group
//! order: the form that `ecrecover` takes, so an EVM contract checks the same bytes.

use std::fmt;

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use zeroize::Zeroize;

/// Bytes of an encoded signature.
pub const SIGNATURE_BYTES: usize = 65;

/// Why bytes are not a key or a signature.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not 32 bytes of a valid scalar.
    #[error("secret key must be 32 bytes, not zero and below the group order")]
    SecretKey,
    /// Not a compressed point.
    #[error("public key must be 33 bytes, a compressed point on secp256k1")]
    PublicKey,
    /// Wrong length.
    #[error("signature must be 65 bytes, got {0}")]
    SignatureLength(usize),
    /// High s, v outside {27, 28}, or no key recovers.
    #[error("signature is malformed: r, s (low half) and v (27 or 28) expected")]
    Signature,
    /// The signature is another key's.
    #[error("signature is by {got}, expected {expected}")]
    WrongSigner {
        /// Whose signature was asked for.
        expected: Address,
        /// Whose it is.
        got: Address,
    },
}

/// A validator's public key; its address is the Ethereum address of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(secp256k1::PublicKey);

impl PublicKey {
    /// Parses the 33-byte compressed form.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != 33 {
            return Err(KeyError::PublicKey);
        }
        secp256k1::PublicKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| KeyError::PublicKey)
    }

    /// The 33-byte compressed form.
    pub fn encode(&self) -> [u8; 33] {
        self.0.serialize()
    }

    /// x and y, big-endian.
    pub fn coordinates(&self) -> (B256, B256) {
        let point = self.0.serialize_uncompressed();
        (
            B256::from_slice(&point[1..33]),
            B256::from_slice(&point[33..]),
        )
    }

    /// The last 20 bytes of the Keccak-256 of the uncompressed point.
    pub fn address(&self) -> Address {
        Address::from_raw_public_key(&self.0.serialize_uncompressed()[1..])
    }

    /// Verifies that `signature` over `digest` is by this key. Same rule as `ecrecover` with
    /// low s: what a contract accepts, this accepts, and nothing else.
    pub fn verify(&self, digest: B256, signature: &Signature) -> Result<(), KeyError> {
        let recovered = signature.recover_key(digest)?;
        if recovered != *self {
            return Err(KeyError::WrongSigner {
                expected: self.address(),
                got: recovered.address(),
            });
        }
        Ok(())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.address())
    }
}

/// `r || s || v`. Parsing checks the length only; [`Signature::recover`] checks the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; SIGNATURE_BYTES]);

impl Signature {
    /// A signature that verifies for no key: what a signer that refuses to sign returns where
    /// an answer is due (SPEC §6.4).
    pub const ABSTAINED: Self = Self([0; SIGNATURE_BYTES]);

    /// Parses 65 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| KeyError::SignatureLength(bytes.len()))
    }

    /// The address whose key signed `digest`.
    pub fn recover(&self, digest: B256) -> Result<Address, KeyError> {
        Ok(self.recover_key(digest)?.address())
    }

    /// Verifies that `signer`'s key signed `digest`, as on an EVM: that its address recovers.
    pub fn verify(&self, digest: B256, signer: Address) -> Result<(), KeyError> {
        let got = self.recover(digest)?;
        if got != signer {
            let expected = signer;
            return Err(KeyError::WrongSigner { expected, got });
        }
        Ok(())
    }

    fn recover_key(&self, digest: B256) -> Result<PublicKey, KeyError> {
        let v = match self.0[64] {
            27 => RecoveryId::Zero,
            28 => RecoveryId::One,
            _ => return Err(KeyError::Signature),
        };
        let recoverable = RecoverableSignature::from_compact(&self.0[..64], v)
            .map_err(|_| KeyError::Signature)?;
        let mut low = recoverable.to_standard();
        low.normalize_s();
        if low != recoverable.to_standard() {
            return Err(KeyError::Signature);
        }
        SECP256K1
            .recover_ecdsa(Message::from_digest(digest.0), &recoverable)
            .map(PublicKey)
            .map_err(|_| KeyError::Signature)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// A validator's secret key. Never printed; wiped when dropped.
pub struct SecretKey(secp256k1::SecretKey);

impl SecretKey {
    /// Parses 32 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::SecretKey)?;
        secp256k1::SecretKey::from_byte_array(bytes)
            .map(Self)
            .map_err(|_| KeyError::SecretKey)
    }

    /// The first valid key in the Keccak-256 chain of `seed`: reproducible development and
    /// test keys. Whoever knows the seed knows the key.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut candidate = keccak256(seed);
        loop {
            if let Ok(key) = Self::parse(candidate.as_slice()) {
                return key;
            }
            candidate = keccak256(candidate);
        }
    }

    /// The 32 secret bytes, for a key file.
    pub fn expose(&self) -> [u8; 32] {
        self.0.secret_bytes()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key(SECP256K1))
    }

    /// Signs a 32-byte digest (RFC 6979 nonce, low s).
    pub fn sign(&self, digest: B256) -> Signature {
        let (id, compact) = SECP256K1
            .sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.0)
            .serialize_compact();
        let mut bytes = [0u8; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = 27 + u8::from(id == RecoveryId::One);
        Signature(bytes)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.secret_bytes().zeroize();
        self.0.non_secure_erase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// n - s: the other valid ECDSA signature of the same message.
    fn high_s(signature: &Signature) -> Signature {
        use alloy_primitives::U256;
        let n = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
        let s = U256::from_be_slice(&signature.0[32..64]);
        let mut bytes = signature.0;
        bytes[32..64].copy_from_slice(&(n - s).to_be_bytes::<32>());
        bytes[64] = 27 + (28 - signature.0[64]);
        Signature(bytes)
    }

    #[test]
    fn signs_and_recovers() {
        let key = SecretKey::from_seed(b"validator");
        let digest = keccak256("statement");
        let signature = key.sign(digest);
        assert_eq!(signature.recover(digest), Ok(key.public_key().address()));
        assert_eq!(key.public_key().verify(digest, &signature), Ok(()));
        assert_eq!(key.sign(digest), signature, "signing is deterministic");
    }

    #[test]
    fn refuses_malleated_foreign_and_malformed_signatures() {
        let key = SecretKey::from_seed(b"validator");
        let digest = keccak256("statement");
        let signature = key.sign(digest);
        let public = key.public_key();
        assert_eq!(
            public.verify(digest, &high_s(&signature)),
            Err(KeyError::Signature)
        );
        assert_eq!(
            public.verify(digest, &Signature::ABSTAINED),
            Err(KeyError::Signature)
        );
        assert!(public.verify(keccak256("other"), &signature).is_err());
        let other = SecretKey::from_seed(b"other").sign(digest);
        assert!(matches!(
            public.verify(digest, &other),
            Err(KeyError::WrongSigner { .. })
        ));
        for v in [0u8, 1, 26, 29, 255] {
            let mut bytes = signature.0;
            bytes[64] = v;
            assert_eq!(
                Signature(bytes).recover(digest),
                Err(KeyError::Signature),
                "v {v}"
            );
        }
        assert_eq!(
            Signature::parse(&[0; 64]),
            Err(KeyError::SignatureLength(64))
        );
    }

    #[test]
    fn refuses_bad_keys() {
        assert!(SecretKey::parse(&[0; 32]).is_err());
        assert!(SecretKey::parse(&[0xff; 32]).is_err());
        assert!(SecretKey::parse(&[1; 31]).is_err());
        assert!(PublicKey::parse(&[0; 33]).is_err());
        assert!(PublicKey::parse(&[2; 65]).is_err());
    }
}
